package jobs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/digest"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// EscalateStore is what the bureau's digest is written from and into.
type EscalateStore interface {
	SourceStore
	Directory(ctx context.Context, jurisdiction string) (task.Directory, error)
	Tasks(ctx context.Context, jurisdiction string) ([]task.Task, error)
	Silences(ctx context.Context, jurisdiction string) ([]task.Silence, error)
	Documents(ctx context.Context, f notice.DocumentFilter) ([]notice.Document, error)
	Unsettled(ctx context.Context, jurisdiction string, since civil.Date) ([]task.Record, error)
	Settled(ctx context.Context, jurisdiction string, by civil.Date) ([]task.Tally, error)
	DueIn(ctx context.Context, jurisdiction string, kinds []task.Kind, from, to civil.Date) ([]task.Record, error)
	Touched(ctx context.Context, jurisdiction string, since int64, by civil.Date) ([]string, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
	Lately(ctx context.Context, jurisdiction string, since civil.Date, ids []task.TaskID) ([]task.Record, error)
	StepsBetween(ctx context.Context, jurisdiction string, from, to civil.Date) ([]task.FiredStep, error)
	Briefs(ctx context.Context, jurisdiction string, from, to civil.Date) ([]notice.Brief, error)
	Outcomes(ctx context.Context, ids []string) (map[string]notice.Brief, error)
	Served(ctx context.Context, ids []string) (map[string]civil.Date, error)
	LastLetter(ctx context.Context, jurisdiction, kind string, before civil.Date) (notice.Notice, bool, error)
	Unsent(ctx context.Context, jurisdiction, kind string, before civil.Date) ([]notice.Notice, error)
	NoticeIDs(ctx context.Context, jurisdiction string, d civil.Date) ([]string, error)
	SavePlan(ctx context.Context, jurisdiction string, seq int64, p run.DayPlan) error
	FinishSlot(ctx context.Context, r run.Run) error
}

// Escalate writes the bureau's digest of the day.
type Escalate struct {
	Store    EscalateStore
	Settings SettingsOf
	// Extra, where set, gives the parts that other rules add to the digest of day d, and whether they tell anything since the
	// last one, of day last (0: none) and the jurisdiction's seq after it, for which alone one is to be written.
	Extra func(ctx context.Context, jurisdiction string, d, last civil.Date, seq int64) (parts []notice.Section, isNew bool, err error)
}

// Name is "escalate".
func (Escalate) Name() string { return "escalate" }

// EveryDay is false: after an outage one digest tells what has changed since the last.
func (Escalate) EveryDay() bool { return false }

// Run writes the digest of the slot's day in one transaction. On a day off it settles the slot as skipped; where nothing has
// changed, as done without a letter.
func (j Escalate) Run(ctx context.Context, r run.Run) (run.Run, error) {
	return onWorkday(ctx, j.Store, j.Settings, r, "write the digest", func(set planner.Settings) (run.Run, error) {
		var in digest.Input
		var unsent []notice.Notice
		var written []string
		if err := atOnce(ctx, j.Store, func(ctx context.Context) (err error) {
			if in, err = j.input(ctx, r, set); err != nil {
				return err
			}
			if unsent, err = j.Store.Unsent(ctx, r.Jurisdiction, notice.BureauDigest, r.Date); err != nil {
				return err
			}
			written, err = j.Store.NoticeIDs(ctx, r.Jurisdiction, r.Date)
			return err
		}); err != nil {
			return r, err
		}
		p := run.DayPlan{Run: r}
		if slices.Contains(written, digestKey(in.Jurisdiction, r.Date).ID()) {
			p.Run.State, p.Run.Reason = run.Done, "the digest of this day was written before"
		} else {
			p = j.plan(in, unsent, set, r)
		}
		return p.Run, j.Store.SavePlan(ctx, r.Jurisdiction, in.Jurisdiction.Seq, p)
	})
}

// plan is what the day writes: the digest, which takes over those that have not left yet.
func (Escalate) plan(in digest.Input, unsent []notice.Notice, set planner.Settings, r run.Run) run.DayPlan {
	paper, sum, due := digest.Make(in, set, r.Date)
	r.State, r.Reason = run.Done, sum.Reason
	r.Counts = run.Counts{Looked: len(in.Records)}
	p := run.DayPlan{Run: r}
	if !due {
		return p
	}
	n := digestNotice(in, set, r.Date, paper)
	p.Notices = []notice.Notice{n}
	for _, old := range unsent {
		if old.ID != n.ID && !old.Resent && !old.Delivered() {
			if p.Supersede == nil {
				p.Supersede = map[string]string{}
			}
			p.Supersede[old.ID] = n.ID
			p.Unsent = append(p.Unsent, old)
		}
	}
	p.Run.Counts.Notices, p.Run.Counts.Superseded = 1, len(p.Supersede)
	if n.State == notice.Held {
		p.Run.Counts.Held = 1
	}
	return p
}

// digestNotice puts the paper into a letter to the bureau.
func digestNotice(in digest.Input, set planner.Settings, d civil.Date, paper notice.Paper) notice.Notice {
	key := digestKey(in.Jurisdiction, d)
	bureau, _ := in.Directory.AsOf(d).Unit(in.Jurisdiction.Bureau)
	f := notice.Facts{
		Jurisdiction: in.Jurisdiction.Name, Date: d, Issuer: bureauIssuer(set, bureau, in.Jurisdiction), Versions: set.Versions, Paper: &paper,
		Reader: notice.Reader{
			Code: key.Unit, Name: cmp.Or(bureau.Name, in.Jurisdiction.Name), FullName: cmp.Or(bureau.FullName, bureau.Name, in.Jurisdiction.Name),
			Honorific: cmp.Or(bureau.Honorific, "贵局"),
		},
		Recipients: bureauReaders(set, bureau),
	}
	for _, p := range task.PlansAsOf(in.Plans, d) {
		if p.Issued <= d {
			f.Plans = append(f.Plans, notice.Plan{Code: p.Code, Title: p.Title, DocNumber: p.DocNumber, Issued: p.Issued})
		}
	}
	n := notice.Notice{ID: key.ID(), Key: key, Job: Escalate{}.Name(), Facts: f, State: notice.Pending}
	if !slices.ContainsFunc(f.Recipients, func(to notice.Recipient) bool { return !to.Copy }) {
		n.State, n.Reason = notice.Held, "the bureau has no reader with an e-mail address; set the digest's readers, or import a liaison of the bureau"
	}
	return n
}

func digestKey(j task.Jurisdiction, d civil.Date) notice.Key {
	return notice.Key{Jurisdiction: j.Code, Date: d, Unit: j.Bureau, Role: "bureau", Kind: notice.BureauDigest}
}

// bureauIssuer is the bureau as it signs: as configured, else as it stands among the units.
func bureauIssuer(set planner.Settings, bureau task.Unit, j task.Jurisdiction) notice.Issuer {
	i := set.Issuer
	c, _ := bureau.Contact(task.Liaison)
	i.Name = cmp.Or(i.Name, bureau.FullName, bureau.Name, j.Name)
	i.Short = cmp.Or(i.Short, bureau.Name, i.Name)
	i.Word = cmp.Or(i.Word, "工作提示")
	if i.Contact == "" {
		i.Contact, i.Phone, i.Email = c.Name, cmp.Or(i.Phone, c.Phone), cmp.Or(i.Email, c.Email)
	}
	i.Address = cmp.Or(i.Address, bureau.Address)
	return i
}

// bureauReaders are those configured, else the bureau's liaison; nobody without an address, and each address once.
func bureauReaders(set planner.Settings, bureau task.Unit) []notice.Recipient {
	readers := set.Bureau
	if len(readers) == 0 {
		if c, ok := bureau.Contact(task.Liaison); ok {
			readers = []notice.Recipient{{Role: "bureau", Name: c.Name, Email: c.Email}}
		}
	}
	var out []notice.Recipient
	for _, to := range readers {
		to.Role = cmp.Or(to.Role, "bureau")
		if to.Email != "" && !slices.ContainsFunc(out, func(o notice.Recipient) bool { return strings.EqualFold(o.Email, to.Email) }) {
			out = append(out, to)
		}
	}
	return out
}

// input reads what the digest needs: what was open since the last one, counts of what was settled before, and by name what
// was recorded since or falls due soon.
func (j Escalate) input(ctx context.Context, r run.Run, set planner.Settings) (in digest.Input, err error) {
	if in.Jurisdiction, err = j.Store.Jurisdiction(ctx, r.Jurisdiction); err != nil {
		return in, err
	}
	if in.Last, in.LastSeq, err = j.last(ctx, r); err != nil {
		return in, err
	}
	in.Since = cmp.Or(in.Last, r.Date-1)
	if err := j.sources(ctx, r, &in); err != nil {
		return in, err
	}
	if in.Records, err = j.Store.Unsettled(ctx, r.Jurisdiction, in.Since); err != nil {
		return in, err
	}
	if in.Settled, err = j.Store.Settled(ctx, r.Jurisdiction, in.Since); err != nil {
		return in, err
	}
	asOf(&in, set, r.Date)
	if in.Final, err = j.final(ctx, r, set, in); err != nil {
		return in, err
	}
	if in.History, err = j.history(ctx, r, set, in.Records); err != nil {
		return in, err
	}
	if err := j.letters(ctx, r, &in); err != nil {
		return in, err
	}
	if j.Extra != nil {
		in.Extra, in.ExtraNew, err = j.Extra(ctx, r.Jurisdiction, r.Date, in.Last, in.LastSeq)
	}
	return in, err
}

// asOf takes out of the records what counts from a later day than d, and counts with the settled what is settled without it:
// the store looks at all that is in the register, and a digest reads what it would have read on its day.
func asOf(in *digest.Input, set planner.Settings, d civil.Date) {
	open := in.Records[:0]
	for _, rec := range in.Records {
		o, known := rec.Obligation, planner.UpTo(rec.Events, d)
		if o.Opened > d {
			continue
		}
		if len(known) < len(rec.Events) && task.FinalFrom(o, known, set.Calendar, set.Terms) <= in.Since {
			st := task.Latest(o, known, set.Calendar, set.Terms).State
			in.Settled = append(in.Settled, task.Tally{TaskID: o.TaskID, Role: o.Role, Owes: o.Owes, State: st, N: 1})
			continue
		}
		rec.Events = known
		open = append(open, rec)
	}
	in.Records = open
}

// sources reads plans, rows, units, silences and documents.
func (j Escalate) sources(ctx context.Context, r run.Run, in *digest.Input) (err error) {
	if in.Plans, err = j.Store.Plans(ctx, r.Jurisdiction); err != nil {
		return err
	}
	if in.Tasks, err = j.Store.Tasks(ctx, r.Jurisdiction); err != nil {
		return err
	}
	if in.Directory, err = j.Store.Directory(ctx, r.Jurisdiction); err != nil {
		return err
	}
	var waiting []task.Task
	for _, t := range in.Tasks {
		if t.Reading.Condition != nil || t.Category == task.PerCase {
			waiting = append(waiting, t)
		}
	}
	if len(waiting) > 0 {
		ids := distinct(waiting, func(t task.Task) task.TaskID { return t.TaskID })
		if in.TaskEvents, err = j.Store.TaskEvents(ctx, r.Jurisdiction, ids); err != nil {
			return err
		}
	}
	if in.Silences, err = j.Store.Silences(ctx, r.Jurisdiction); err != nil {
		return err
	}
	drafts, err := j.Store.Documents(ctx, notice.DocumentFilter{Jurisdiction: r.Jurisdiction, State: notice.Drafted, To: r.Date})
	if err != nil {
		return err
	}
	issued, err := j.Store.Documents(ctx, notice.DocumentFilter{Jurisdiction: r.Jurisdiction, State: notice.Issued, From: r.Date.AddMonths(-documentMonths), To: r.Date})
	if err != nil {
		return err
	}
	voided, err := j.Store.Documents(ctx, notice.DocumentFilter{Jurisdiction: r.Jurisdiction, State: notice.Voided, From: r.Date.AddMonths(-documentMonths), To: r.Date})
	in.Documents = slices.Concat(drafts, issued, voided)
	return err
}

// documentMonths is for how long after its drafting the digest says that a form about an open item was issued, or voided.
const documentMonths = 12

// final reads by name what the tallies count: what something was recorded about since the last digest, and what falls due
// within the days the digest looks ahead.
func (j Escalate) final(ctx context.Context, r run.Run, set planner.Settings, in digest.Input) ([]task.Record, error) {
	known := make(map[string]bool, len(in.Records))
	for _, rec := range in.Records {
		known[rec.Obligation.Ref.String()] = true
	}
	out, err := j.Store.DueIn(ctx, r.Jurisdiction, nil, r.Date, digest.Horizon(set.Calendar, r.Date))
	if err != nil {
		return nil, err
	}
	out = slices.DeleteFunc(out, func(rec task.Record) bool { return known[rec.Obligation.Ref.String()] })
	if in.LastSeq == 0 {
		return out, nil
	}
	for _, rec := range out {
		known[rec.Obligation.Ref.String()] = true
	}
	// What counts from a later day than the last digest's was not settled by then, and stands among the records anyway.
	subjects, err := j.Store.Touched(ctx, r.Jurisdiction, in.LastSeq, r.Date)
	if err != nil {
		return nil, err
	}
	subjects = slices.DeleteFunc(subjects, func(ref string) bool { return known[ref] || strings.Count(ref, "/") < refSlashes })
	if len(subjects) == 0 {
		return out, nil
	}
	touched, err := j.Store.RecordsOf(ctx, r.Jurisdiction, subjects)
	return slices.Concat(out, touched), err
}

// history reads the past instances of the duties of which the ladder asks, on the next working day, who missed them.
func (j Escalate) history(ctx context.Context, r run.Run, set planner.Settings, records []task.Record) ([]task.Record, error) {
	since, next := civil.Never, set.Calendar.Add(r.Date, 1)
	var due []task.Record
	for _, rec := range records {
		if from := planner.HistorySince(rec, set, next); from != 0 && rec.Obligation.Owes == task.OwesDeliver {
			since = min(since, from)
			due = append(due, rec)
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	return j.Store.Lately(ctx, r.Jurisdiction, since, taskIDs(due))
}

// refSlashes are the slashes in the name of an obligation; that of a row has fewer.
const refSlashes = 4

// letters reads what became of the letters about what is open, and those of the week.
func (j Escalate) letters(ctx context.Context, r run.Run, in *digest.Input) (err error) {
	monday := r.Date - civil.Date((int(r.Date.Weekday())+6)%7)
	if in.Week, err = j.Store.Briefs(ctx, r.Jurisdiction, min(monday, cmp.Or(in.Last, monday)), r.Date); err != nil {
		return err
	}
	ids := noticeIDs(in.Records)
	for _, l := range in.Week {
		ids = append(ids, l.ID)
	}
	if in.Outcomes, err = j.Store.Outcomes(ctx, ids); err != nil {
		return err
	}
	var over []string
	for id, l := range in.Outcomes {
		if l.TakenOver {
			over = append(over, id)
		}
	}
	if in.Served, err = j.Store.Served(ctx, over); err != nil {
		return err
	}
	for id, l := range in.Outcomes {
		if l.Served != 0 {
			in.Served[id] = l.Served
		}
	}
	in.Steps, err = j.Store.StepsBetween(ctx, r.Jurisdiction, monday, r.Date)
	return err
}

// last finds the digest that reached the bureau last: one that never left told nobody anything, so that what it said has
// changed is said again.
func (j Escalate) last(ctx context.Context, r run.Run) (civil.Date, int64, error) {
	before := r.Date
	for range lookBack {
		n, ok, err := j.Store.LastLetter(ctx, r.Jurisdiction, notice.BureauDigest, before)
		if err != nil || !ok {
			return 0, 0, err
		}
		switch n.State {
		case notice.Sent, notice.Recorded, notice.Sending, notice.Unknown:
			return n.Key.Date, n.Seq, nil
		case notice.Pending, notice.Held, notice.Retry, notice.Failed, notice.Superseded, notice.Cancelled:
		}
		before = n.Key.Date
	}
	return 0, 0, nil
}

// lookBack is how many digests that never left are passed by on the way to one that did.
const lookBack = 30
