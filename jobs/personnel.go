package jobs

import (
	"context"

	"duban/jobs/civil"
	"duban/jobs/personnel"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// PersonnelStore is what the letters about people are planned from and written to.
type PersonnelStore interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	Directory(ctx context.Context, jurisdiction string) (task.Directory, error)
	People(ctx context.Context, jurisdiction string) ([]task.Person, error)
	Trainings(ctx context.Context, jurisdiction string) ([]task.Training, error)
	Occurrences(ctx context.Context, jurisdiction string, kinds ...string) ([]task.Occurrence, error)
	Silences(ctx context.Context, jurisdiction string) ([]task.Silence, error)
	Runs(ctx context.Context, f run.Filter) ([]run.Run, error)
	NoticeIDs(ctx context.Context, jurisdiction string, d civil.Date) ([]string, error)
	Unsent(ctx context.Context, jurisdiction, kind string, before civil.Date) ([]notice.Notice, error)
	SavePlan(ctx context.Context, jurisdiction string, seq int64, p run.DayPlan) error
	FinishSlot(ctx context.Context, r run.Run) error
}

// Personnel tells each unit once a month of its own people, and the bureau how many there are of what; in between it tells
// of certificates that come near their end.
type Personnel struct {
	Store    PersonnelStore
	Settings SettingsOf
}

// Name is "personnel".
func (Personnel) Name() string { return "personnel" }

// EveryDay is false: after an outage the letters of the last day make up what was missed.
func (Personnel) EveryDay() bool { return false }

// Run plans the slot's day in one transaction. On a day off it settles the slot as skipped.
func (j Personnel) Run(ctx context.Context, r run.Run) (run.Run, error) {
	return onWorkday(ctx, j.Store, j.Settings, r, "plan the letters about people", func(set planner.Settings) (run.Run, error) {
		return j.plan(ctx, r, set)
	})
}

func (j Personnel) plan(ctx context.Context, r run.Run, set planner.Settings) (run.Run, error) {
	var snap personnel.Snapshot
	var last civil.Date
	if err := atOnce(ctx, j.Store, func(ctx context.Context) (err error) {
		if snap, err = j.snapshot(ctx, r); err != nil {
			return err
		}
		last, err = j.last(ctx, r)
		return err
	}); err != nil {
		return r, err
	}
	p := personnel.Letters(snap, set, personnel.AgendaOf(set.Calendar, last, r.Date), r.Date)
	r.State, r.Reason = run.Done, ""
	r.Counts = run.Counts{Looked: p.People, Notices: len(p.Notices), Superseded: len(p.Supersede), Cancelled: len(p.Cancel)}
	for _, n := range p.Notices {
		if n.State == notice.Held {
			r.Counts.Held++
		}
	}
	return r, j.Store.SavePlan(ctx, r.Jurisdiction, snap.Jurisdiction.Seq, run.DayPlan{
		Notices: p.Notices, Supersede: p.Supersede, Cancel: p.Cancel, Unsent: snap.Unsent, Run: r,
	})
}

func (j Personnel) snapshot(ctx context.Context, r run.Run) (s personnel.Snapshot, err error) {
	if s.Jurisdiction, err = j.Store.Jurisdiction(ctx, r.Jurisdiction); err != nil {
		return s, err
	}
	if s.People, err = j.Store.People(ctx, r.Jurisdiction); err != nil || len(s.People) == 0 {
		return s, err
	}
	if s.Directory, err = j.Store.Directory(ctx, r.Jurisdiction); err != nil {
		return s, err
	}
	if s.Trainings, err = j.Store.Trainings(ctx, r.Jurisdiction); err != nil {
		return s, err
	}
	if s.Events, err = j.Store.Occurrences(ctx, r.Jurisdiction, task.CertificateHeld); err != nil {
		return s, err
	}
	if s.Silences, err = j.Store.Silences(ctx, r.Jurisdiction); err != nil {
		return s, err
	}
	for _, kind := range []string{notice.PersonnelLetter, notice.PersonnelTotals} {
		old, err := j.Store.Unsent(ctx, r.Jurisdiction, kind, r.Date)
		if err != nil {
			return s, err
		}
		s.Unsent = append(s.Unsent, old...)
	}
	ids, err := j.Store.NoticeIDs(ctx, r.Jurisdiction, r.Date)
	s.Written = make(map[string]bool, len(ids))
	for _, id := range ids {
		s.Written[id] = true
	}
	return s, err
}

// lookedBack is how many days of the run ledger are searched for the last day that was planned: further back, everything is
// made up anyway. As a rule it is among the lookedBackFirst.
const (
	lookedBackFirst = 14
	lookedBack      = 400
)

// last is the last day before the slot's whose letters were planned. Days off and days covered by a later one were not.
func (j Personnel) last(ctx context.Context, r run.Run) (civil.Date, error) {
	for _, back := range []civil.Date{lookedBackFirst, lookedBack} {
		runs, err := j.Store.Runs(ctx, run.Filter{Job: j.Name(), Jurisdiction: r.Jurisdiction, From: r.Date - back, To: r.Date - 1})
		if err != nil {
			return 0, err
		}
		for _, old := range runs { // the newest first
			if old.State == run.Done {
				return old.Date, nil
			}
		}
	}
	return 0, nil
}
