package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"duban/jobs/personnel"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/file"
	"duban/notify/notice"
	"duban/store"
)

// archiveFlag names an archive that the configuration does not.
func archiveFlag(fl *pflag.FlagSet, dir *string) {
	fl.StringVar(dir, "archive", "", "the archive's folder, which has what was sent; default mail.archive_dir")
}

// Where the words of a letter come from.
const (
	asComposed = "composed" // from its facts, which are what was sent as far as is known
	asAnew     = "anew"     // from its facts, and what was sent may have read otherwise
	asArchived = "archive"  // what was sent
	asRemoved  = "removed"  // there are none: the rule of retention removed them
)

// wording is what a letter says, as it is shown.
type wording struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Source  string `json:"source"`             // composed, anew, archive or removed
	File    string `json:"archived,omitempty"` // the archive's file of what was sent, where that is not what is composed
	Note    string `json:"note,omitempty"`     // what the reader has to know of it
	Fault   string `json:"fault,omitempty"`    // why it cannot be composed
}

// shown is a letter with what decides its words.
type shown struct {
	notice.Notice
	attempts []notice.Receipt
	anew     bool // it was planned anew after a restore
	full     bool // names of staff are asked for
}

// hides says that the letter names people, who are not asked for.
func (l shown) hides() bool { return l.Key.Kind == notice.PersonnelLetter && !l.full }

// wording composes the letter, and shows what was sent instead where the archive has it and it is another text. Where the
// archive is not at hand it is said that the words may be others.
func (a *app) wording(l shown, kept sentBytes) (wording, error) {
	if l.Gone() {
		return l.gone(kept)
	}
	w := wording{Source: asComposed}
	r, ok := l.accepted()
	composed, err := l.compose(kept.mail, r.Recipient)
	if err != nil { // its history is asked for just then
		w.Fault = notify.MaskAll(err.Error())
	}
	w.Subject, w.Text = composed.Subject, composed.Text
	if l.hides() && w.Fault == "" {
		masked := l
		if l.Facts.Paper != nil {
			paper := personnel.MaskNames(*l.Facts.Paper, maskName)
			masked.Facts.Paper = &paper
		}
		msg, err := masked.compose(kept.mail, r.Recipient)
		if err != nil {
			return w, err
		}
		w.Subject, w.Text = msg.Subject, msg.Text
	}
	if !ok {
		return w, nil
	}
	sent, file, err := kept.read(l.Notice, r)
	found := file != ""
	switch {
	case err != nil:
		return w, err
	case found && slices.ContainsFunc(kept.anew(l.Notice, r), func(msg compose.Message) bool { return readsAs(msg, sent) }):
		return w, nil
	case found && !l.hides():
		w = wording{Subject: sent.Subject, Text: sent.Text, Source: asArchived, File: file}
		w.Note = fmt.Sprintf("below is what was sent, as %s holds it; composed %s it reads otherwise", w.File, l.again())
		return w, nil
	case !found && r.Template == compose.Version():
		return w, nil
	}
	w.Source, w.File = asAnew, cmp.Or(file, kept.file(l.Notice, r))
	if kept.lost() {
		w.File = file
	}
	w.Note = l.lacking(kept, w.File, found)
	return w, nil
}

// removedOn is the day on which what the letter said was removed; empty where it was not.
func removedOn(n notice.Notice) string {
	if !n.Gone() {
		return ""
	}
	return cmp.Or(n.Facts.Removed.String(), "day unknown")
}

// goneWords says that what the letter said is not kept any more.
func goneWords(n notice.Notice) string {
	when := ""
	if !n.Facts.Removed.IsZero() {
		when = " on " + n.Facts.Removed.String()
	}
	return "what it said was removed" + when + " by the rule of retention (retention.facts)"
}

// gone shows a letter whose facts were removed: what was sent where the archive has it, and else where it would have it.
func (l shown) gone(kept sentBytes) (w wording, err error) {
	w.Source = asRemoved
	r, ok := l.accepted()
	if !ok {
		told, err := kept.journal(l.Notice)
		if err != nil {
			return w, err
		}
		if ok = len(told) > 0; ok {
			r = told[0]
		}
	}
	w.Note = goneWords(l.Notice) + "; "
	if !ok {
		w.Note += l.untold(kept)
		return w, nil
	}
	sent, file, err := kept.read(l.Notice, r)
	if err != nil {
		return w, err
	}
	if w.File = file; w.File == "" && !kept.lost() {
		w.File = kept.file(l.Notice, r)
	}
	switch {
	case file != "" && !l.hides():
		w.Source, w.Subject, w.Text = asArchived, sent.Subject, sent.Text
		w.Note += fmt.Sprintf("%s has what was sent", w.File)
	case file != "":
		w.Note += fmt.Sprintf("%s has what was sent, which names people: `outbox show --full` shows it", w.File)
	case kept.lost():
		w.Note += kept.nowhere(l.Notice)
	case w.File == "":
		w.Note += "its receipt names no bytes to look for in the archive"
	case kept.archive == nil:
		w.Note += fmt.Sprintf("the archive has what was sent as %s; `outbox show --archive DIR` names its folder", w.File)
	default:
		w.Note += fmt.Sprintf("the archive does not have what was sent either, which would be %s", w.File)
	}
	return w, nil
}

// untold says what is known of a letter that neither the database nor a journal has an acceptance of.
func (l shown) untold(kept sentBytes) string {
	switch {
	case l.State != notice.Sent:
		return "it did not leave: no archive has it"
	case kept.lost():
		return kept.nowhere(l.Notice)
	case kept.archive == nil:
		return fmt.Sprintf("the archive has what was sent as %s/%s/%s-*.eml; `outbox show --archive DIR` names its folder", archive.Name(l.Key.Jurisdiction), l.Key.Date, l.ID)
	}
	return "the archive knows nothing of it"
}

// again says since when the words of the letter may be others.
func (l shown) again() string {
	if l.anew {
		return "from what was planned anew after the restore,"
	}
	return "today"
}

// lacking says why the words are not those that were sent, and where those are.
func (l shown) lacking(kept sentBytes, file string, found bool) string {
	may := fmt.Sprintf("the words below, composed %s may not be those that were sent: ", l.again())
	switch {
	case found:
		return may + fmt.Sprintf("%s holds these, and names people: --full shows them", file)
	case kept.lost():
		return may + "no archive holds these, " + kept.unkept
	case file == "":
		return may + "its receipt names no bytes to hold them against"
	case kept.archive == nil:
		return may + fmt.Sprintf("the archive holds these as %s; --archive DIR names its folder", file)
	}
	return may + fmt.Sprintf("the archive should hold these as %s, and does not, or not as they were", file)
}

// accepted is the receipt of what the reader was sent, or else of a copy, as the database has it.
func (l shown) accepted() (notice.Receipt, bool) {
	all := slices.Concat(l.attempts, l.Receipts)
	for _, copied := range []bool{false, true} {
		i := slices.IndexFunc(all, func(r notice.Receipt) bool { return r.Outcome == notice.OutcomeAccepted && r.Copy == copied })
		if i >= 0 {
			return all[i], true
		}
	}
	return notice.Receipt{}, false
}

// compose lays the letter out for a recipient. What is to be handed over, or waits for an address, is shown as it would be
// mailed.
func (l shown) compose(m compose.Mail, recipient int) (compose.Message, error) {
	n := l.Notice
	if len(n.Facts.Recipients) == 0 {
		n.Facts.Recipients = []notice.Recipient{{Role: n.Key.Role, Email: m.FromAddress}}
	}
	if recipient < 0 || recipient >= len(n.Facts.Recipients) {
		recipient = 0
	}
	return compose.Compose(n, recipient, m)
}

// readsAs reports whether a person reads the same in a message as in what was sent.
func readsAs(msg compose.Message, sent archive.Letter) bool {
	l, err := archive.Parse(msg.Bytes)
	return err == nil && l.Subject == sent.Subject && l.Text == sent.Text
}

// documentOf puts a formal letter's number and date into it, and returns its document; nil where there is none.
func documentOf(ctx context.Context, s *store.Store, n *notice.Notice) (*notice.Document, error) {
	if !n.Key.Formal() {
		return nil, nil
	}
	doc, err := s.Document(ctx, n.ID)
	if errors.Is(err, task.ErrNotFound) {
		return nil, nil
	}
	if err == nil && n.Facts.Paper != nil {
		paper := marked(*n.Facts.Paper, doc)
		n.Facts.Paper = &paper
	}
	return &doc, err
}

// sentBytes finds what was handed over: in the archive; in the folder of the file transport, which is its own archive; and
// where neither has it, by composing it anew.
type sentBytes struct {
	archive *archive.Archive // nil: there is none
	unkept  string           // why no archive takes what is sent; empty: one does
	dir     string           // of the archive
	folder  string
	files   bool // the transport writes files, into the folder
	mail    compose.Mail
}

// sentBytes opens the archive where there is one, that of the folder named or else the jurisdiction's: looking at it does not
// make it.
func (a *app) sentBytes(jurisdiction, dir string) (sentBytes, error) {
	c := a.cfg.MailOf(jurisdiction)
	m, err := a.mailOf(jurisdiction)
	b := sentBytes{folder: c.Dir, files: c.Transport == "file", mail: m, dir: dir, unkept: a.unkept(jurisdiction)}
	if err != nil {
		return b, err
	}
	if dir != "" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return b, usagef("--archive: %q is no archive's folder", dir)
		}
	} else if b.dir = c.ArchiveDir; b.dir == "" {
		return b, nil
	}
	if _, err := os.Stat(b.dir); errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	b.archive, err = archive.Open(b.dir)
	return b, err
}

// unkept says why no archive takes what is sent for the jurisdiction; empty where one does.
func (a *app) unkept(jurisdiction string) string {
	switch {
	case a.cfg.MailOf(jurisdiction).Transport == "file":
		return "mail.transport is file, which keeps no archive"
	case a.archiveFolder(jurisdiction) == "":
		return "mail.archive_dir is empty, no archive is kept"
	}
	return ""
}

// lost says that no archive is at hand, nor would one have what was sent.
func (b sentBytes) lost() bool { return b.archive == nil && b.unkept != "" }

// nowhere says that nothing keeps what was sent, or what does where the letters went into files.
func (b sentBytes) nowhere(n notice.Notice) string {
	const named = "; `outbox show --archive DIR` shows it where one was kept then"
	if !b.files {
		return "nothing keeps it: " + b.unkept + named
	}
	path := filepath.Join(b.folder, filepath.FromSlash(file.Path(compose.Message{Key: n.Key, Role: n.Key.Role})))
	if _, err := os.Stat(path); err != nil {
		return fmt.Sprintf("nothing keeps it: %s, and %s of mail.dir is not there%s", b.unkept, path, named)
	}
	return fmt.Sprintf("nothing keeps it but %s of mail.dir, which is not known to be as it was: %s%s", path, b.unkept, named)
}

// file names the archive's file of what was handed over; empty where the receipt does not tell.
func (b sentBytes) file(n notice.Notice, r notice.Receipt) string {
	name := archive.Path(n.Key.Jurisdiction, n.Key.Date, n.ID, r.SHA256)
	if b.archive == nil || name == "" {
		return name
	}
	return filepath.Join(b.dir, filepath.FromSlash(name))
}

// journal finds what the archive's journal tells of a letter whose receipts are not kept any more: the readers' acceptances,
// and those of copies behind them.
func (b sentBytes) journal(n notice.Notice) (out []notice.Receipt, err error) {
	if b.archive == nil {
		return nil, nil
	}
	list, _, err := b.archive.Read(n.Key.Jurisdiction, n.Key.Date, n.Key.Date)
	if err != nil {
		return nil, err
	}
	for _, copied := range []bool{false, true} {
		for _, acc := range list {
			if acc.Notice == n.ID && acc.Copy == copied {
				out = append(out, proofOf(acc).Receipt)
			}
		}
	}
	return out, nil
}

// composedName stands for the file of what is composed as it was then.
const composedName = "composing it anew"

// read reads what an attempt handed over, and says where it lies; empty where it is not to be had.
func (b sentBytes) read(n notice.Notice, r notice.Receipt) (l archive.Letter, file string, err error) {
	data, file, err := b.of(n, r)
	if errors.Is(err, fs.ErrNotExist) {
		return l, "", nil
	}
	if err != nil {
		return l, "", err
	}
	if l, err = archive.Parse(data); err != nil || strings.TrimSpace(l.Text) == "" {
		return l, "", nil //nolint:nilerr // it is shown as it would be composed, and said so
	}
	return l, file, nil
}
