package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/archive"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) outboxReconcileCmd() *cobra.Command {
	var r reconciliation
	c := &cobra.Command{
		Use: "reconcile", Short: "After a restore: take over what the archive knows of letters that left",
		Long: `A database that was restored from a backup does not know the letters that left after the backup was made. While the
archive knows more than the database, nothing leaves and no later day is planned. This takes over what it knows: the
days of those letters are planned anew, each letter that the archive proves counts as sent on its day, issued forms get
their number and date back, and what the archive shows was entered after the backup is listed, to be entered again.
Nothing is sent by it. Letters that had not left go with the next run. It may be run again; what is done stays done.
What it came to is kept: --list prints it once more.`,
		Example: "  duban outbox reconcile --dry-run\n  duban outbox reconcile --archive ./archive --by 李敏\n  duban outbox reconcile --list",
		RunE: func(c *cobra.Command, _ []string) error {
			if !r.dry && !r.list && strings.TrimSpace(r.by) == "" {
				return usagef("outbox reconcile: --by is missing: who takes over what the archive knows? --dry-run and --list ask for nobody")
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			if r.list {
				return a.listReconciled(c.Context(), s)
			}
			return a.reconcile(c.Context(), s, r)
		},
	}
	f := c.Flags()
	f.StringVar(&r.dir, "archive", "", "the archive's folder; default mail.archive_dir")
	f.StringVar(&r.by, "by", "", "who says so (required, but for --dry-run)")
	f.BoolVar(&r.dry, "dry-run", false, "show what it comes to, on a copy of the database; nothing is written")
	f.BoolVar(&r.list, "list", false, "print once more what the last one came to")
	c.MarkFlagsMutuallyExclusive("dry-run", "list")
	return c
}

// reconciliation is what a person asks for.
type reconciliation struct {
	dir, by   string
	dry, list bool
}

// What a line of a reconciliation is about.
const (
	foundProven  = "proven"  // it counts as sent
	foundPartly  = "partly"  // some readers have it; it goes to the others
	foundKept    = "kept"    // it was not planned anew; planned later, it counts as sent at once
	foundForm    = "form"    // an issued document
	foundEnter   = "enter"   // to be entered again
	foundDamaged = "damaged" // the archive's file is not what was accepted
	foundTorn    = "torn"    // a line of a journal that cannot be read
	foundHeld    = "held"    // a worker has the letter
)

// reconciled is one line of what a reconciliation comes to.
type reconciled struct {
	What         string     `json:"what"`
	Jurisdiction string     `json:"jurisdiction"`
	Date         civil.Date `json:"date"` // of the letter
	ID           string     `json:"id,omitempty"`
	Unit         string     `json:"unit,omitempty"`
	Kind         string     `json:"kind,omitempty"`
	Ref          string     `json:"ref,omitempty"` // the obligation
	Row          string     `json:"row,omitempty"`
	At           time.Time  `json:"at,omitzero"` // when the server took the reader's copy
	Number       string     `json:"number,omitempty"`
	Says         string     `json:"says"` // what the archive shows
	Command      string     `json:"command,omitempty"`
}

// reconcile does it, on the database or, for a look, on a copy of it. Nothing leaves of any jurisdiction before what it comes to
// is printed of all of them, so that one that was interrupted says it again.
func (a *app) reconcile(ctx context.Context, s *store.Store, r reconciliation) (err error) {
	if r.dry {
		if s, err = a.scratch(ctx, s, store.Cut{}); err != nil {
			return err
		}
		r.by = "NAME"
	}
	all, err := s.Jurisdictions(ctx)
	if err != nil {
		return err
	}
	recs, err := a.reconcilers(s, r, all)
	if err != nil {
		return err
	}
	var found []reconciled
	for _, rec := range recs {
		if err := rec.run(ctx); err != nil {
			return fmt.Errorf("reconcile %s: %w; run it again when that is mended, and it goes on", rec.code, err)
		}
		found = append(found, rec.found...)
	}
	if err := a.printReconciled(found); err != nil || r.dry {
		if err == nil && len(found) > 0 {
			a.say("nothing was written; without --dry-run, and with --by NAME, it is done")
		}
		return err
	}
	for _, rec := range recs {
		if err := rec.end(ctx); err != nil {
			return err
		}
	}
	return a.sayReconciled(ctx, s, found)
}

// reconcilers are one for each jurisdiction, over the archive that is named or else its own.
func (a *app) reconcilers(s *store.Store, r reconciliation, all []task.Jurisdiction) ([]*reconciler, error) {
	var recs []*reconciler
	var codes, dirs []string
	letters := false
	for _, j := range all {
		dir := r.dir
		if dir == "" {
			dir = a.cfg.MailOf(j.Code).ArchiveDir
		}
		if info, err := os.Stat(dir); dir == "" || err != nil || !info.IsDir() {
			return nil, usagef("outbox reconcile: %q is no archive's folder; name it with --archive DIR", dir)
		}
		arch, err := archive.Open(dir)
		if err != nil {
			return nil, err
		}
		days, err := arch.Days(j.Code)
		if err != nil {
			return nil, err
		}
		letters = letters || slices.ContainsFunc(days, func(d archive.Day) bool { return d.Journal > 0 })
		if codes = append(codes, j.Code); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		recs = append(recs, &reconciler{app: a, s: s, arch: arch, dir: dir, by: r.by, code: j.Code, bureau: j.Bureau})
	}
	if !letters {
		return nil, usagef("outbox reconcile: %s holds no letters of %s: no JURISDICTION/DATE/accepted.jsonl; is it the archive's folder? Name that with --archive DIR",
			strings.Join(dirs, ", "), few(codes))
	}
	return recs, nil
}

// sayReconciled says what comes next: letters leave again, unless the archive that they go through still knows more.
func (a *app) sayReconciled(ctx context.Context, s *store.Store, found []reconciled) error {
	all, err := s.Jurisdictions(ctx)
	if err != nil {
		return err
	}
	for _, j := range all {
		g, err := a.archiveGapOf(ctx, s, j.Code, false)
		if err != nil {
			return err
		}
		if !g.Empty() {
			a.say("%s", archiveAheadError{g})
			return nil
		}
	}
	if len(found) == 0 {
		return nil
	}
	a.say("letters may leave again: what had not left goes with the next run, or with duban serve within the minute")
	if slices.ContainsFunc(found, func(f reconciled) bool { return f.What == foundEnter }) {
		a.say("enter first what is to be entered again, or units are urged for it: `duban pause` keeps letters back meanwhile; `duban outbox reconcile --list` prints this once more")
	}
	return nil
}

// foundName is where the database keeps what the last reconciliation came to.
func foundName(code string) string { return "reconciled_" + code }

// listReconciled prints what the last reconciliation of each jurisdiction came to.
func (a *app) listReconciled(ctx context.Context, s *store.Store) error {
	all, err := s.Jurisdictions(ctx)
	if err != nil {
		return err
	}
	var found []reconciled
	for _, j := range all {
		some, err := a.listed(ctx, s, j.Code)
		if err != nil {
			return err
		}
		found = append(found, some...)
	}
	if len(found) == 0 && !a.asJSON() {
		a.say("nothing matches: there was no reconciliation of this database")
		return nil
	}
	return a.printReconciled(found)
}

// listed is what the last reconciliation of the jurisdiction came to.
func (a *app) listed(ctx context.Context, s *store.Store, code string) (found []reconciled, err error) {
	text, err := s.Meta(ctx, foundName(code))
	if errors.Is(err, task.ErrNotFound) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &found)
	}
	if err != nil {
		return nil, fmt.Errorf("read what the reconciliation of %s came to: %w", code, err)
	}
	return found, nil
}

// reconciler takes over what the archive knows of one jurisdiction.
type reconciler struct {
	*app
	s            *store.Store
	arch         *archive.Archive
	dir, by      string
	code, bureau string
	took         bool // something was taken over
	found        []reconciled
	restored     map[string]bool           // documents that were seen to
	letters      map[string]archive.Letter // read from the archive, by SHA-256; none for a file that is not there
}

// underway is what the database keeps while letters of the archive are taken over: until it is done nothing leaves.
type underway struct {
	By   string       `json:"by"`
	Days []civil.Date `json:"days"`
}

func underwayName(code string) string { return "reconciling_" + code }

func readUnderway(ctx context.Context, s *store.Store, code string) (u underway, err error) {
	text, err := s.Meta(ctx, underwayName(code))
	if errors.Is(err, task.ErrNotFound) || err == nil && text == "" {
		return u, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &u)
	}
	if err != nil {
		return u, fmt.Errorf("read what is being reconciled: %w", err)
	}
	return u, nil
}

func (r *reconciler) run(ctx context.Context) error {
	r.letters, r.restored = map[string]archive.Letter{}, map[string]bool{}
	before, err := readUnderway(ctx, r.s, r.code)
	if err != nil {
		return err
	}
	accepted, err := r.accepted(ctx, before)
	if err != nil {
		return err
	}
	if r.took = len(accepted) > 0; r.took {
		if err := r.begin(ctx, before, accepted); err != nil {
			return err
		}
	}
	if err := r.prepare(ctx, r.s, r.code); err != nil { // letters of workers that are gone are nobody's
		return err
	}
	proven, err := r.proveOpen(ctx)
	if err != nil || len(accepted) == 0 {
		return err
	}
	if err := r.planAnew(ctx, accepted); err != nil {
		return err
	}
	return r.tell(ctx, accepted, proven)
}

// end keeps what was found, and lets letters leave again.
func (r *reconciler) end(ctx context.Context) error {
	if len(r.found) > 0 {
		all := r.found
		if !r.took { // a letter more that was in doubt: what was found before is still to be seen to
			before, err := r.listed(ctx, r.s, r.code)
			if err != nil {
				return err
			}
			all = append(before, all...)
		}
		text, err := json.Marshal(all)
		if err != nil {
			return err
		}
		if err := r.s.SetMeta(ctx, foundName(r.code), string(text)); err != nil {
			return err
		}
	}
	if !r.took {
		return nil
	}
	return r.s.SetMeta(ctx, underwayName(r.code), "")
}

// accepted are the acceptances to take over: those that are new, and those of a reconciliation that was interrupted.
func (r *reconciler) accepted(ctx context.Context, before underway) ([]archive.Acceptance, error) {
	c, err := compareArchive(ctx, r.s, r.arch, r.code)
	if err != nil || len(before.Days) == 0 {
		return c.unknown, err
	}
	kept, err := r.s.Proofs(ctx, r.code)
	if err != nil {
		return nil, err
	}
	all := c.unknown
	for _, d := range before.Days {
		list, _, err := r.arch.Read(r.code, d, d)
		if err != nil {
			return nil, err
		}
		for _, acc := range list {
			same := func(p notice.Proof) bool {
				return p.Notice == acc.Notice && p.Copy == acc.Copy && strings.EqualFold(p.Email, acc.To)
			}
			there := func(o archive.Acceptance) bool { return o.Notice == acc.Notice && o.To == acc.To && o.Copy == acc.Copy }
			if slices.ContainsFunc(kept, same) && !slices.ContainsFunc(all, there) {
				all = append(all, acc)
			}
		}
	}
	slices.SortStableFunc(all, func(x, y archive.Acceptance) int { return int(x.Date - y.Date) })
	return all, nil
}

// begin checks the archive's files, and keeps what it proves, before anything is planned by it.
func (r *reconciler) begin(ctx context.Context, before underway, accepted []archive.Acceptance) error {
	u := underway{By: r.by, Days: before.Days}
	var proofs []notice.Proof
	for _, acc := range accepted {
		if !slices.Contains(u.Days, acc.Date) {
			u.Days = append(u.Days, acc.Date)
		}
		proofs = append(proofs, proofOf(acc))
		r.read(acc)
	}
	for _, d := range u.Days {
		_, torn, err := r.arch.Read(r.code, d, d)
		if err != nil {
			return err
		}
		for _, t := range torn {
			r.add(reconciled{What: foundTorn, Date: d, Says: fmt.Sprintf("line %d of %s was cut off by a crash: what it told of is not known", t.Line, t.File)})
		}
	}
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	if err := r.s.SetMeta(ctx, underwayName(r.code), string(text)); err != nil {
		return err
	}
	if err := r.s.KeepProofs(ctx, proofs, r.by); err != nil {
		return err
	}
	return r.late(ctx, accepted)
}

// lateFor are the days within which a letter leaves that waited for a person, or for its address. What was accepted later
// still is of a day that was run by hand long after, and was served on it.
const lateFor = 60

// late dates the service of letters that left on a later day than their own.
func (r *reconciler) late(ctx context.Context, accepted []archive.Acceptance) error {
	for _, acc := range accepted {
		if on := civil.In(acc.At, r.policies.zone(r.code)); !acc.Copy && !acc.At.IsZero() && on > acc.Date && on <= acc.Date+lateFor {
			if err := r.s.ServedOn(ctx, acc.Notice, on); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads an archived letter once and checks that its bytes are those that were accepted.
func (r *reconciler) read(acc archive.Acceptance) (archive.Letter, bool) {
	if l, known := r.letters[acc.SHA256]; known {
		return l, l.Text != ""
	}
	data, err := r.arch.Bytes(acc.Jurisdiction, acc.Date, acc.MessageID, acc.SHA256)
	var l archive.Letter
	if err == nil {
		l, err = archive.Parse(data)
	}
	r.letters[acc.SHA256] = l
	if err == nil {
		return l, true
	}
	says := "its file in the archive cannot be read"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		says = "its file is not in the archive any more"
	case errors.Is(err, archive.ErrChanged):
		says = "its file in the archive does not hold the bytes that were accepted"
	}
	r.add(reconciled{What: foundDamaged, Date: acc.Date, ID: acc.Notice, Unit: acc.Unit, At: acc.At, Says: says + "; by the journal it left, and it counts as sent"})
	return l, false
}

func (r *reconciler) add(f reconciled) {
	f.Jurisdiction = r.code
	r.found = append(r.found, f)
}

// unsettled are the states of letters that may leave, or of which nobody knows whether they did.
func unsettled() []notice.State {
	return []notice.State{notice.Pending, notice.Held, notice.Retry, notice.Unknown, notice.Failed}
}

const provenReason = "the archive proves that a server accepted it"

// proveOpen settles the letters that are here and that the archive proves, also those that a worker left in doubt when it
// died. It returns their IDs.
func (r *reconciler) proveOpen(ctx context.Context) (map[string]bool, error) {
	proven := map[string]bool{}
	journals := map[civil.Date][]archive.Acceptance{}
	for _, state := range unsettled() {
		letters, err := r.s.Notices(ctx, notice.Filter{Jurisdiction: r.code, State: state})
		if err != nil {
			return nil, err
		}
		for _, n := range letters {
			list, read := journals[n.Key.Date]
			if !read {
				if list, _, err = r.arch.Read(r.code, n.Key.Date, n.Key.Date); err != nil {
					return nil, err
				}
				journals[n.Key.Date] = list
			}
			done, err := r.prove(ctx, n, list)
			if err != nil {
				return nil, err
			}
			proven[n.ID] = done
		}
	}
	return proven, nil
}

// prove settles one letter by a day's journal. The draft of a form is left to its release.
func (r *reconciler) prove(ctx context.Context, n notice.Notice, list []archive.Acceptance) (bool, error) {
	if n.Key.Formal() && n.State == notice.Held || n.Delivered() {
		return false, nil
	}
	var proofs []notice.Proof
	var own []archive.Acceptance
	for _, acc := range list {
		if acc.Notice == n.ID && !isTrial(r.arch, acc) {
			proofs, own = append(proofs, proofOf(acc)), append(own, acc)
		}
	}
	receipts := slices.DeleteFunc(notice.Match(n.Facts.Recipients, proofs), func(a notice.Receipt) bool {
		return slices.ContainsFunc(n.Receipts, func(b notice.Receipt) bool { return a.Recipient == b.Recipient && b.Outcome == notice.OutcomeAccepted })
	})
	if len(receipts) == 0 {
		return false, nil
	}
	if err := r.late(ctx, own); err != nil {
		return false, err
	}
	err := r.s.Prove(ctx, n.ID, receipts, provenReason, r.by)
	if errors.Is(err, task.ErrLost) {
		r.add(reconciled{What: foundHeld, Date: n.Key.Date, ID: n.ID, Unit: n.Key.Unit, Kind: n.Key.Kind, Says: "a worker has it in hand; run this again when it is settled"})
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n.Receipts = append(n.Receipts, receipts...)
	r.addLetter(n, own)
	return true, nil
}

// addLetter tells of a letter that is proven, as it stands with its receipts.
func (r *reconciler) addLetter(n notice.Notice, own []archive.Acceptance) {
	f := reconciled{What: foundProven, Date: n.Key.Date, ID: n.ID, Unit: n.Key.Unit, Kind: n.Key.Kind}
	var to []string
	for _, acc := range own {
		if !acc.Copy && f.At.IsZero() {
			f.At = acc.At
		}
		if masked := notify.Mask(acc.To); !slices.Contains(to, masked) {
			to = append(to, masked)
		}
	}
	f.Says = "accepted for " + strings.Join(to, ", ")
	if !n.Delivered() {
		f.What, f.Says = foundPartly, f.Says+"; the others get it with the next run"
	}
	r.add(f)
}

// planAnew plans the days of the letters, in order and none of the future, so that the same letters arise as then: a day of
// which nothing left was not planned, or had nothing to say. Jobs that the clock never starts are left out. Nothing is sent.
func (r *reconciler) planAnew(ctx context.Context, accepted []archive.Acceptance) error {
	specs, err := schedules(r.cfg)
	if err != nil {
		return err
	}
	runner := r.runner(r.s, r.by)
	runner.Jobs = slices.DeleteFunc(runner.Jobs, func(j jobs.Job) bool { return specs[j.Name()] == nil })
	whole := map[civil.Date]bool{}
	for _, acc := range accepted {
		whole[acc.Date] = whole[acc.Date] || !r.ofClose(acc)
	}
	today := r.today(r.code)
	for _, d := range slices.Sorted(maps.Keys(whole)) {
		last := ""
		for _, j := range runner.Jobs {
			if whole[d] || j.EveryDay() {
				last = j.Name()
			}
		}
		if d > today || last == "" {
			continue
		}
		if err := r.issued(ctx, accepted, d); err != nil {
			return err
		}
		if _, err := runner.Run(ctx, last, r.code, d, false); err != nil {
			return err
		}
	}
	return r.issued(ctx, accepted, civil.Never)
}

// ofClose reports whether a letter is known to be of a period's close. Missed days are closed one by one, while the letters
// of the day are planned for the last of them alone.
func (r *reconciler) ofClose(acc archive.Acceptance) bool {
	l, ok := r.read(acc)
	return ok && (l.Kind == notice.Summary || l.Kind == notice.Bulletin || l.Kind == notice.Report)
}

// tell lists what became of the letters, and compares what is here with what left.
func (r *reconciler) tell(ctx context.Context, accepted []archive.Acceptance, told map[string]bool) error {
	of := map[string][]archive.Acceptance{}
	var order []string
	for _, acc := range accepted {
		if of[acc.Notice] == nil {
			order = append(order, acc.Notice)
		}
		of[acc.Notice] = append(of[acc.Notice], acc)
	}
	known := map[string]notice.Notice{}
	for _, id := range order {
		n, err := r.s.Notice(ctx, id)
		switch {
		case errors.Is(err, task.ErrNotFound):
			r.keep(of[id])
			continue
		case err != nil:
			return err
		}
		known[id] = n
		if !n.Key.Formal() && !told[id] { // forms are told of as they are restored
			r.addLetter(n, of[id])
		}
	}
	return r.compare(ctx, order, of, known)
}

// keep tells of letters that planning did not make anew.
func (r *reconciler) keep(own []archive.Acceptance) {
	acc := own[0]
	f := reconciled{What: foundKept, Date: acc.Date, ID: acc.Notice, Unit: acc.Unit, At: acc.At, Says: "not planned anew: the register knows less than it did"}
	if l, ok := r.read(acc); ok {
		if l.Kind == notice.Operations {
			f.Says = "an operations letter: it told how the program stood, and is not planned anew"
		}
		f.Says += "; it said: " + l.Subject
		if marks := documentMarks(l.Text); marks.number != "" {
			f.What, f.Number = foundForm, marks.number
			f.Says = fmt.Sprintf("issued as %s on %s and not drafted anew; its number is taken: %s", marks.number, marks.date, l.Subject)
			f.Command = fmt.Sprintf("duban outbox release %s --number %s --by %s", acc.Notice, marks.number, r.by)
		}
	}
	r.add(f)
}

// printReconciled prints what a reconciliation came to.
func (a *app) printReconciled(found []reconciled) error {
	if a.asJSON() {
		for _, f := range found {
			if err := a.json(f); err != nil {
				return err
			}
		}
		return nil
	}
	if len(found) == 0 {
		a.say("nothing to do: the database knows all that the archive does")
		return nil
	}
	heads := []struct{ what, words string }{
		{foundProven, "counted as sent, on their days"}, {foundPartly, "accepted for some of their readers; they go to the others"},
		{foundKept, "not planned anew; they are never sent again"}, {foundForm, "formal letters"}, {foundEnter, "TO BE ENTERED AGAIN: entered after the backup, as the archive shows"},
		{foundDamaged, "without their file"}, {foundTorn, "lines of a journal that cannot be read"}, {foundHeld, "in a worker's hands"},
	}
	for _, h := range heads {
		var rows [][]string
		for _, f := range found {
			if f.What == h.what {
				says := f.Says
				if f.Command != "" {
					says += "  →  " + f.Command
				}
				rows = append(rows, []string{f.Jurisdiction, f.Date.String(), f.Unit, f.Kind, f.ID, f.Ref, says})
			}
		}
		if len(rows) > 0 {
			fmt.Fprintf(a.out, "%d %s:\n", len(rows), h.words)
			table(a.out, []string{"jurisdiction", "date", "unit", "kind", "id", "ref", "says"}, rows)
			fmt.Fprintln(a.out)
		}
	}
	return nil
}
