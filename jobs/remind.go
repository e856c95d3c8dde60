package jobs

import (
	"context"
	"maps"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// RemindStore is what planning a day's letters reads and writes.
type RemindStore interface {
	SourceStore
	Due(ctx context.Context, jurisdiction string, d civil.Date, after string, limit int) ([]task.Record, error)
	Raised(ctx context.Context, jurisdiction string, d civil.Date, units []string) ([]task.Record, error)
	Lately(ctx context.Context, jurisdiction string, since civil.Date, ids []task.TaskID) ([]task.Record, error)
	UnitVersions(ctx context.Context, jurisdiction string, codes []string) ([]task.Unit, error)
	Waiting(ctx context.Context, jurisdiction string, d civil.Date, ids []task.TaskID) ([]task.Ref, error)
	WeeklyTasks(ctx context.Context, jurisdiction string) ([]task.Task, error)
	Unsent(ctx context.Context, jurisdiction, kind string, before civil.Date) ([]notice.Notice, error)
	FailedSince(ctx context.Context, jurisdiction, kind string, since, before civil.Date) ([]notice.Notice, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
	Silences(ctx context.Context, jurisdiction string) ([]task.Silence, error)
	Documents(ctx context.Context, f notice.DocumentFilter) ([]notice.Document, error)
	Briefs(ctx context.Context, jurisdiction string, from, to civil.Date) ([]notice.Brief, error)
	NoticeIDs(ctx context.Context, jurisdiction string, d civil.Date) ([]string, error)
	Served(ctx context.Context, ids []string) (map[string]civil.Date, error)
	Runs(ctx context.Context, f run.Filter) ([]run.Run, error)
	SavePlan(ctx context.Context, jurisdiction string, seq int64, p run.DayPlan) error
	FinishSlot(ctx context.Context, r run.Run) error
}

// Remind plans the day's letters to the units: one letter per unit and working day, whatever is to be said.
type Remind struct {
	Store    RemindStore
	Settings SettingsOf
}

// Name is "remind".
func (Remind) Name() string { return "remind" }

// EveryDay is false: after an outage the letters of the last day say what still makes sense.
func (Remind) EveryDay() bool { return false }

// page is how many obligations are read at a time.
const page = 500

// Run plans the slot's day in one transaction. On a day off it settles the slot as skipped.
func (j Remind) Run(ctx context.Context, r run.Run) (run.Run, error) {
	return onWorkday(ctx, j.Store, j.Settings, r, "plan the letters", func(set planner.Settings) (run.Run, error) {
		var snap planner.Snapshot
		if err := atOnce(ctx, j.Store, func(ctx context.Context) (err error) {
			snap, err = j.snapshot(ctx, r, set)
			return err
		}); err != nil {
			return r, err
		}
		p := planner.Remind(snap, set, r.Date)
		settled := settle(r, p, snap.Jurisdiction.Seq)
		return settled, j.Store.SavePlan(ctx, r.Jurisdiction, snap.Jurisdiction.Seq, run.DayPlan{
			Notices: p.Notices, Steps: p.Steps, Caches: p.Caches, Supersede: p.Supersede, Cancel: p.Cancel, Hold: p.Hold,
			Documents: p.Documents, Drop: p.Drop, Holds: p.Holds,
			Unsent: slices.Concat(snap.Unsent, snap.Failed), Run: settled,
		})
	})
}

// settle counts what the plan made on the seq does. A day that is planned again keeps its first seq: its digest may have been
// written before what came in since.
func settle(r run.Run, p planner.Plan, seq int64) run.Run {
	if r.Counts.Seq != 0 {
		seq = r.Counts.Seq
	}
	r.State, r.Reason = run.Done, ""
	r.Counts = run.Counts{
		Looked: p.Looked, Notices: len(p.Notices), Superseded: len(p.Supersede), Cancelled: len(p.Cancel), Held: len(p.Held),
		Seq: seq,
	}
	for _, f := range p.Steps {
		if f.Passed != "" {
			r.Counts.Passed++
		} else {
			r.Counts.Steps++
		}
	}
	return r
}

// Planned returns the run of the last day up to d whose letters were planned; the zero Run where there is none. Days off and
// days covered by a later one were not.
func Planned(ctx context.Context, s interface {
	Runs(ctx context.Context, f run.Filter) ([]run.Run, error)
}, jurisdiction string, d civil.Date) (run.Run, error) {
	runs, err := s.Runs(ctx, run.Filter{
		Job: Remind{}.Name(), Jurisdiction: jurisdiction, To: d, States: []run.State{run.Done}, Limit: 1,
	})
	if err != nil || len(runs) == 0 {
		return run.Run{}, err
	}
	return runs[0], nil
}

// snapshot reads what the day needs and no more: what is due for a look, the rest of the letters concerned, and the
// sources of both.
func (j Remind) snapshot(ctx context.Context, r run.Run, set planner.Settings) (s planner.Snapshot, err error) {
	if s.Jurisdiction, err = j.Store.Jurisdiction(ctx, r.Jurisdiction); err != nil {
		return s, err
	}
	if s.Plans, err = j.Store.Plans(ctx, r.Jurisdiction); err != nil {
		return s, err
	}
	if err = j.letters(ctx, r, set, &s); err != nil {
		return s, err
	}
	if s.Documents, err = j.forms(ctx, r); err != nil {
		return s, err
	}
	if s.Records, err = j.records(ctx, r, s); err != nil || len(s.Records) == 0 {
		return s, err
	}
	last, err := Planned(ctx, j.Store, r.Jurisdiction, r.Date-1)
	if err != nil {
		return s, err
	}
	s.Known, s.Planned = last.Counts.Seq, last.Date
	silences, err := j.Store.Silences(ctx, r.Jurisdiction)
	if err != nil {
		return s, err
	}
	s.Silences = task.SilencesAsOf(silences, r.Date)
	units := append(distinct(s.Records, func(r task.Record) string { return r.Obligation.Unit }), s.Jurisdiction.Bureau)
	if s.Directory.Units, err = j.Store.UnitVersions(ctx, r.Jurisdiction, units); err != nil {
		return s, err
	}
	ids := taskIDs(s.Records)
	if s.Tasks, err = j.Store.TaskVersions(ctx, r.Jurisdiction, ids); err != nil {
		return s, err
	}
	if s.Served, err = j.Store.Served(ctx, noticeIDs(s.Records)); err != nil {
		return s, err
	}
	if s.History, err = j.history(ctx, r, set, s.Records); err != nil {
		return s, err
	}
	if s.LeadOpen, err = LeadOpen(ctx, j.Store, s.Records, set, r.Date); err != nil {
		return s, err
	}
	if set.Calendar.WeekStart(r.Date) == r.Date {
		if s.Weekly, err = j.Store.WeeklyTasks(ctx, r.Jurisdiction); err != nil {
			return s, err
		}
		s.TaskEvents, err = j.Store.TaskEvents(ctx, r.Jurisdiction, distinct(s.Weekly, func(t task.Task) task.TaskID { return t.TaskID }))
	}
	return s, err
}

// letters reads what became of the units' letters so far: those that have not left, those refused of late, those of today,
// and, where there is a cap on them, those of the week.
func (j Remind) letters(ctx context.Context, r run.Run, set planner.Settings, s *planner.Snapshot) (err error) {
	if s.Unsent, err = j.Store.Unsent(ctx, r.Jurisdiction, notice.UnitLetter, r.Date); err != nil {
		return err
	}
	if s.Failed, err = j.Store.FailedSince(ctx, r.Jurisdiction, notice.UnitLetter, r.Date-failedFor, r.Date); err != nil {
		return err
	}
	if s.Written, err = j.written(ctx, r); err != nil {
		return err
	}
	if first := set.Calendar.WeekStart(r.Date); set.WeeklyCap > 0 && first < r.Date {
		s.Week, err = j.Store.Briefs(ctx, r.Jurisdiction, first, r.Date-1)
	}
	return err
}

// formsFor is how many days back a form that was dropped or voided may have been drafted for its step to be settled.
const formsFor = 180

// forms are the forms in draft, and those dropped and voided. A day that is gone through again knows nothing of what was drafted
// after it.
func (j Remind) forms(ctx context.Context, r run.Run) ([]notice.Document, error) {
	of := notice.DocumentFilter{Jurisdiction: r.Jurisdiction, Kind: notice.SupervisionForm, State: notice.Drafted, To: r.Date}
	drafts, err := j.Store.Documents(ctx, of)
	if err != nil {
		return nil, err
	}
	of.State, of.From = notice.Dropped, r.Date-formsFor
	dropped, err := j.Store.Documents(ctx, of)
	if err != nil {
		return nil, err
	}
	of.State = notice.Voided
	voided, err := j.Store.Documents(ctx, of)
	return slices.Concat(drafts, dropped, voided), err
}

// failedFor is how many days a letter that was refused waits for its reader's address to be mended.
const failedFor = 30

func (j Remind) written(ctx context.Context, r run.Run) (map[string]bool, error) {
	ids, err := j.Store.NoticeIDs(ctx, r.Jurisdiction, r.Date)
	written := make(map[string]bool, len(ids))
	for _, id := range ids {
		written[id] = true
	}
	return written, err
}

// records are the obligations due for a look, those of forms and, in the units concerned, those raised earlier.
func (j Remind) records(ctx context.Context, r run.Run, s planner.Snapshot) ([]task.Record, error) {
	var due []task.Record
	for after := ""; ; {
		next, err := j.Store.Due(ctx, r.Jurisdiction, r.Date, after, page)
		if err != nil {
			return nil, err
		}
		due = append(due, next...)
		if len(next) < page {
			break
		}
		after = next[len(next)-1].Obligation.Ref.String()
	}
	units := distinct(due, func(r task.Record) string { return r.Obligation.Unit })
	for _, n := range slices.Concat(s.Unsent, s.Failed) {
		if !slices.Contains(units, n.Key.Unit) {
			units = append(units, n.Key.Unit)
		}
	}
	var more []task.Record
	var err error
	if len(units) > 0 {
		if more, err = j.Store.Raised(ctx, r.Jurisdiction, r.Date, units); err != nil {
			return nil, err
		}
	}
	seen := make(map[string]bool, len(due))
	for _, d := range due {
		seen[d.Obligation.Ref.String()] = true
	}
	var refs []string
	for _, doc := range s.Documents {
		for _, ref := range doc.Refs {
			if !seen[ref] {
				refs = append(refs, ref)
			}
		}
	}
	if len(refs) > 0 {
		formal, err := j.Store.RecordsOf(ctx, r.Jurisdiction, refs)
		if err != nil {
			return nil, err
		}
		more = append(more, formal...)
	}
	for _, d := range more {
		if ref := d.Obligation.Ref.String(); !seen[ref] {
			seen[ref] = true
			due = append(due, d)
		}
	}
	return due, nil
}

// history reads the other recent instances of the reports that come due today: only of those does the ladder ask who was
// late of late, or missed several, and only as far back as planner.HistorySince says.
func (j Remind) history(ctx context.Context, r run.Run, set planner.Settings, records []task.Record) ([]task.Record, error) {
	asked := map[civil.Date][]task.Record{}
	for _, rec := range records {
		if since := planner.HistorySince(rec, set, r.Date); since != 0 {
			asked[since] = append(asked[since], rec)
		}
	}
	var out []task.Record
	for _, since := range slices.Sorted(maps.Keys(asked)) {
		past, err := j.Store.Lately(ctx, r.Jurisdiction, since, taskIDs(asked[since]))
		if err != nil {
			return nil, err
		}
		out = append(out, past...)
	}
	return distinctRecords(out), nil
}

// distinctRecords are the records, each once.
func distinctRecords(records []task.Record) []task.Record {
	seen := make(map[string]bool, len(records))
	return slices.DeleteFunc(records, func(r task.Record) bool {
		ref := r.Obligation.Ref.String()
		was := seen[ref]
		seen[ref] = true
		return was
	})
}

// LeadOpen finds the results still owed on day d of the instances that supporting units among the records of one jurisdiction
// would be told about: TaskID/instance.
func LeadOpen(ctx context.Context, s interface {
	Waiting(ctx context.Context, jurisdiction string, d civil.Date, ids []task.TaskID) ([]task.Ref, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
}, records []task.Record, set planner.Settings, d civil.Date,
) (map[string]bool, error) {
	open, asked := map[string]bool{}, map[string]bool{}
	var ids []task.TaskID
	for _, rec := range records {
		if o := rec.Obligation; o.Owes == task.OwesSupport {
			asked[o.TaskID.String()+"/"+o.Instance] = true
			ids = append(ids, o.TaskID)
		}
	}
	if len(ids) == 0 {
		return open, nil
	}
	refs, err := s.Waiting(ctx, ids[0].Jurisdiction, d, distinct(ids, func(id task.TaskID) task.TaskID { return id }))
	if err != nil {
		return nil, err
	}
	var waiting []string
	for _, ref := range refs {
		if asked[ref.TaskID.String()+"/"+ref.Instance] {
			waiting = append(waiting, ref.String())
		}
	}
	if len(waiting) == 0 {
		return open, nil
	}
	owed, err := s.RecordsOf(ctx, ids[0].Jurisdiction, waiting)
	for _, rec := range owed {
		o := rec.Obligation
		if task.Fold(o, rec.Events, d, set.Calendar, set.Terms).Open() {
			open[o.TaskID.String()+"/"+o.Instance] = true
		}
	}
	return open, err
}

func taskIDs(records []task.Record) []task.TaskID {
	return distinct(records, func(r task.Record) task.TaskID { return r.Obligation.TaskID })
}

func noticeIDs(records []task.Record) []string {
	var steps []task.FiredStep
	for _, r := range records {
		for _, f := range r.Steps {
			if f.Notice != "" {
				steps = append(steps, f)
			}
		}
	}
	return distinct(steps, func(f task.FiredStep) string { return f.Notice })
}

// distinct returns the keys of the values, each once, in the order of their first appearance.
func distinct[T any, K comparable](values []T, key func(T) K) []K {
	seen := map[K]bool{}
	var out []K
	for _, v := range values {
		if k := key(v); !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}
