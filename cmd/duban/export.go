package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/evidence"
	"duban/notify/file"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) exportCmd() *cobra.Command {
	c := &cobra.Command{Use: "export", Short: "Write what the register holds into files for others"}
	c.AddCommand(a.evidenceCmd())
	return c
}

// evidenceOptions are the flags of `export evidence`.
type evidenceOptions struct {
	jurisdiction, unit, from, to, out, archive, verify string
	full                                               bool // letters that name people too
	lens                                               lens
}

func (a *app) evidenceCmd() *cobra.Command {
	var o evidenceOptions
	c := &cobra.Command{
		Use: "evidence", Short: "What one unit was sent, with the servers' answers, as a zip that proves itself",
		Long: `Write a zip of every letter to one unit between two days: the letters byte for byte, what the mail servers answered,
what people did with them, a README in Chinese, and a manifest whose hashes chain. The last hash of the chain is printed
as its head: note it down apart from the file. Whoever changes anything in the zip makes another head.
Letters about the unit's people hold their names: they are left out and counted, unless --full asks for them.

With --verify it checks such a file instead, without a database, and names the first thing that is wrong.`,
		Example: `  duban export evidence --jurisdiction laoshan --unit qjtj --from 2024-07-01 --to 2024-09-30
  duban export evidence --verify evidence-laoshan-qjtj-2024-07-01-2024-09-30.zip`,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("verify") {
				return a.verifyEvidence(o)
			}
			return a.exportEvidence(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.unit, "unit", "", "unit code, as in the letters")
	f.StringVar(&o.from, "from", "", "first logical date, YYYY-MM-DD")
	f.StringVar(&o.to, "to", "", "last logical date, YYYY-MM-DD")
	f.StringVar(&o.jurisdiction, "jurisdiction", "", "the unit's jurisdiction; needed where several have a unit of this code")
	f.StringVar(&o.out, "out", "", "file to write, which must not be there yet (default evidence-JURISDICTION-UNIT-FROM-TO.zip)")
	archiveFlag(f, &o.archive)
	f.BoolVar(&o.full, "full", false, "letters about the unit's people too: personal data")
	o.lens.flags(c)
	f.StringVar(&o.verify, "verify", "", "check this file instead of writing one")
	return c
}

// evidenceReport is what both forms of the command print.
type evidenceReport struct {
	File         string     `json:"file"`
	Jurisdiction string     `json:"jurisdiction,omitempty"`
	Unit         string     `json:"unit,omitempty"`
	From         civil.Date `json:"from,omitzero"`
	To           civil.Date `json:"to,omitzero"`
	Verified     bool       `json:"verified"`
	// LeftOut are the letters that name people.
	LeftOut int `json:"left_out,omitempty"`
	evidence.Summary
}

func (a *app) verifyEvidence(o evidenceOptions) error {
	if o.unit+o.from+o.to+o.jurisdiction+o.out+o.archive != "" || o.full || o.verify == "" || o.lens.asOf+o.lens.knownAt != "" {
		return usagef("export evidence: --verify takes the name of a file and no other flag")
	}
	f, err := os.Open(o.verify)
	if err != nil {
		return usagef("export evidence: --verify: %w", err)
	}
	a.closeLater("evidence", f.Close)
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("verify %s: %w", o.verify, err)
	}
	sum, err := evidence.Verify(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	return a.printEvidence(evidenceReport{File: o.verify, Verified: true, Summary: sum})
}

func (a *app) exportEvidence(ctx context.Context, o evidenceOptions) error {
	in, err := o.input(a)
	if err != nil {
		return err
	}
	o.lens.of = func(ctx context.Context, s *store.Store) (string, error) {
		return jurisdictionOfUnit(ctx, s, o.jurisdiction, in.Unit)
	}
	s, err := a.look(ctx, o.lens, o.jurisdiction)
	if err != nil {
		return err
	}
	if in.Jurisdiction, err = jurisdictionOfUnit(ctx, s, o.jurisdiction, in.Unit); err != nil {
		return err
	}
	if o.out == "" {
		o.out = fmt.Sprintf("evidence-%s-%s-%s-%s.zip", archive.Name(in.Jurisdiction), archive.Name(in.Unit), in.From, in.To)
	}
	if _, err := os.Lstat(o.out); err == nil {
		return usagef("export evidence: %s is there already; move it away, or name another file with --out", o.out)
	}
	kept, err := a.sentBytes(in.Jurisdiction, o.archive)
	if err != nil {
		return err
	}
	if in.Letters, err = lettersOf(ctx, s, in, kept); err != nil {
		return err
	}
	all := len(in.Letters)
	if !o.full {
		in.Letters = slices.DeleteFunc(in.Letters, func(l evidence.Letter) bool { return l.Notice.Key.Kind == notice.PersonnelLetter })
	}
	in.Bytes = func(n notice.Notice, r notice.Receipt) ([]byte, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		data, _, err := kept.of(n, r)
		return data, err
	}
	var sum evidence.Summary
	err = writeNew(o.out, func(w io.Writer) (err error) {
		sum, err = evidence.Write(w, in)
		return err
	})
	if err != nil {
		return fmt.Errorf("export evidence: %w", err)
	}
	return a.printEvidence(evidenceReport{
		File: o.out, Jurisdiction: in.Jurisdiction, Unit: in.Unit, From: in.From, To: in.To, LeftOut: all - len(in.Letters), Summary: sum,
	})
}

// input reads the flags.
func (o evidenceOptions) input(a *app) (in evidence.Input, err error) {
	for _, f := range [][2]string{{"unit", o.unit}, {"from", o.from}, {"to", o.to}} {
		if strings.TrimSpace(f[1]) == "" {
			return in, usagef("export evidence: --%s is missing; want --unit, --from and --to, or --verify", f[0])
		}
	}
	in.Unit = o.unit
	in.From, in.To, err = a.days(o.from, o.to)
	return in, err
}

// jurisdictionOfUnit finds the jurisdiction of a unit, whatever became of the unit: letters keep the code that they went
// out under, also where the unit was merged into another.
func jurisdictionOfUnit(ctx context.Context, s *store.Store, code, unit string) (string, error) {
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return "", err
	}
	var found []string
	for _, j := range all {
		dir, err := s.Directory(ctx, j.Code)
		if err != nil {
			return "", err
		}
		if _, ok := dir.Unit(unit); ok {
			found = append(found, j.Code)
		}
	}
	switch len(found) {
	case 0:
		return "", usagef("there is no unit %q; `duban outbox list` shows the codes", unit)
	case 1:
		return found[0], nil
	}
	return "", usagef("%s have a unit %q; say which with --jurisdiction", strings.Join(found, " and "), unit)
}

// lettersOf reads the letters with all that ever became of them. Of attempts that the rule of retention removed the archive's
// journal has those that were accepted.
func lettersOf(ctx context.Context, s *store.Store, in evidence.Input, kept sentBytes) ([]evidence.Letter, error) {
	list, err := s.Notices(ctx, notice.Filter{Jurisdiction: in.Jurisdiction, Unit: in.Unit, From: in.From, To: in.To})
	if err != nil {
		return nil, err
	}
	letters := make([]evidence.Letter, 0, len(list))
	for _, n := range list {
		l := evidence.Letter{Notice: n, Subject: subjectOf(n, kept.mail)}
		if l.Attempts, err = s.Attempts(ctx, n.ID); err != nil {
			return nil, err
		}
		if len(l.Attempts) == 0 && n.State == notice.Sent { // they are not kept any more
			if l.Attempts, err = kept.journal(n); err != nil {
				return nil, err
			}
		}
		if l.Moves, err = s.Moves(ctx, n.ID); err != nil {
			return nil, err
		}
		letters = append(letters, l)
	}
	return letters, nil
}

// subjectOf is that of the letter composed as it would be today; empty where it cannot be.
func subjectOf(n notice.Notice, m compose.Mail) string {
	for i := range n.Facts.Recipients {
		if msg, err := compose.Compose(n, i, m); err == nil {
			return msg.Subject
		}
	}
	return ""
}

// of returns what an attempt handed over and where it lies, or fs.ErrNotExist. What comes of composing is tried by its
// SHA-256 like everything else: settings and templates change.
func (b sentBytes) of(n notice.Notice, r notice.Receipt) (data []byte, path string, err error) {
	if b.archive != nil {
		// In a trial run the copies of one letter have Message-IDs of their own.
		for _, id := range []string{n.ID, fmt.Sprintf("%s-%d", n.ID, r.Recipient)} {
			data, err := b.archive.Bytes(n.Key.Jurisdiction, n.Key.Date, id, r.SHA256)
			switch {
			case err == nil:
				return data, filepath.Join(b.dir, filepath.FromSlash(archive.Path(n.Key.Jurisdiction, n.Key.Date, id, r.SHA256))), nil
			case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid), errors.Is(err, archive.ErrChanged):
			default:
				return nil, "", err
			}
		}
	}
	try := b.anew(n, r)
	if n.Gone() { // composing it gives nothing, but in the folder the reader's own has a name
		try = []compose.Message{{Key: n.Key, Role: n.Key.Role}}
	}
	for _, msg := range try {
		if evidence.Sum(msg.Bytes) == r.SHA256 {
			return msg.Bytes, composedName, nil
		}
		path := filepath.Join(b.folder, filepath.FromSlash(file.Path(msg)))
		data, err := os.ReadFile(path)
		if err == nil && evidence.Sum(data) == r.SHA256 {
			return data, path, nil
		}
	}
	return nil, "", fmt.Errorf("find letter %s: %w", n.ID, fs.ErrNotExist)
}

// anew composes a letter as the attempt may have had it: to its reader or in a trial run, whole or without its
// attachment.
func (b sentBytes) anew(n notice.Notice, r notice.Receipt) []compose.Message {
	if r.Recipient < 0 || r.Recipient >= len(n.Facts.Recipients) {
		return nil
	}
	m := b.mail
	m.RedirectTo = ""
	if to, err := compose.Address(n.Facts.Recipients[r.Recipient].Email); err != nil || to != r.Email {
		m.RedirectTo = r.Email
	}
	msg, err := compose.Compose(n, r.Recipient, m)
	if err != nil {
		return nil
	}
	out := []compose.Message{msg}
	if msg.Light != nil {
		if light, err := msg.Light(); err == nil {
			out = append(out, light)
		}
	}
	return out
}

// writeNew writes a file for its owner only, which takes its name when it is whole and on the disk, and never the place
// of another.
func writeNew(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".duban-*")
	if err != nil {
		return err
	}
	defer func() {
		if rerr := os.Remove(f.Name()); !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	err = os.Link(f.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems know no links.
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	return os.Rename(f.Name(), path)
}

func (a *app) printEvidence(r evidenceReport) error {
	if a.asJSON() {
		return a.json(r)
	}
	word := "written"
	if r.Verified {
		word = "is as it was written"
	}
	fmt.Fprintf(a.out, "%s  %s\n%s, %s, %d accepted, %d without their bytes\nhead %s\n",
		r.File, word, many(r.Letters, "letter"), many(r.Attempts, "attempt"), r.Accepted, r.Absent, r.Head)
	if r.Trial > 0 {
		fmt.Fprintf(a.out, "%d of the accepted went to mail.redirect_to in a trial run: the unit never had them\n", r.Trial)
	}
	if r.LeftOut > 0 {
		a.say("left out: %s about the unit's people; --full takes them in", many(r.LeftOut, "letter"))
	}
	if r.Absent > 0 {
		a.say("receipts.jsonl in it says, attempt by attempt, why the bytes are not there")
	}
	if r.Verified {
		a.say("compare the head with the one noted down when the file was made")
	} else {
		a.say("note the head down apart from the file; `duban export evidence --verify %s` checks it", r.File)
	}
	return nil
}
