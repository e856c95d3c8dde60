package jobs

import (
	"context"
	"fmt"

	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
)

// CloseStore is what closing a period reads and writes.
type CloseStore interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	Plans(ctx context.Context, jurisdiction string) ([]task.Plan, error)
	TaskVersions(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Task, error)
	Directory(ctx context.Context, jurisdiction string) (task.Directory, error)
	// PeriodsDue returns the instances of recurring duties that fell due in the days from and to, both included.
	PeriodsDue(ctx context.Context, jurisdiction string, kinds []task.Kind, from, to civil.Date) ([]task.PeriodDue, error)
	Closings(ctx context.Context, jurisdiction string, kind task.ClosingKind) ([]task.Closing, error)
	// Instances returns all obligations of the rows.
	Instances(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Record, error)
	SavePlan(ctx context.Context, jurisdiction string, seq int64, p run.DayPlan) error
	FinishSlot(ctx context.Context, r run.Run) error
}

// MonthlyClose closes the monthly and weekly duties whose returns were due a few working days ago, and tells the bureau.
type MonthlyClose struct {
	Store    CloseStore
	Settings SettingsOf
}

// Name is "monthly-close".
func (MonthlyClose) Name() string { return "monthly-close" }

// EveryDay is true: each missed day is closed as it stood.
func (MonthlyClose) EveryDay() bool { return true }

// Run closes what the slot's day closes. On a day off it settles the slot as skipped.
func (j MonthlyClose) Run(ctx context.Context, r run.Run) (run.Run, error) {
	set, err := j.Settings(r.Jurisdiction)
	if err != nil {
		return r, err
	}
	if day := set.Calendar.Day(r.Date); !day.Workday {
		r.State, r.Reason = run.Skipped, "not a workday: "+day.Reason
		return r, j.Store.FinishSlot(ctx, r)
	}
	asks := closing.AskMonthly(set, r.Date)
	return closeDay(ctx, j.Store, r, set, func(ctx context.Context, jur task.Jurisdiction) (closing.Result, error) {
		_, out, err := closeDuties(ctx, j.Store, jur, set, r, asks)
		return out, err
	})
}

// closeDay decides what the day closes and writes it in one transaction. A day that closes nothing only settles its slot.
func closeDay(
	ctx context.Context, store CloseStore, r run.Run, set planner.Settings,
	decide func(context.Context, task.Jurisdiction) (closing.Result, error),
) (run.Run, error) {
	err := retryMoved(ctx, func() error {
		jur, err := store.Jurisdiction(ctx, r.Jurisdiction)
		if err != nil {
			return err
		}
		out, err := decide(ctx, jur)
		if err != nil {
			return err
		}
		settled := r
		settled.State, settled.Reason = run.Done, ""
		settled.Counts = run.Counts{Looked: len(out.Closings), Notices: len(out.Notices), Steps: len(out.Steps)}
		if len(out.Closings)+len(out.Notices) == 0 {
			if err := store.FinishSlot(ctx, settled); err != nil {
				return err
			}
		} else if err := store.SavePlan(ctx, r.Jurisdiction, jur.Seq, run.DayPlan{
			Notices: out.Notices, Steps: out.Steps, Documents: out.Documents, Closings: out.Closings, Run: settled,
		}); err != nil {
			return err
		}
		r = settled
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("close the periods of %s for %s: %w", r.Date, r.Jurisdiction, err)
	}
	return r, nil
}

// closeDuties closes the duties whose day it is. It reads no obligation on a day that closes none.
func closeDuties(
	ctx context.Context, store CloseStore, jur task.Jurisdiction, set planner.Settings, r run.Run, asks []closing.Ask,
) (s closing.Snapshot, out closing.Result, err error) {
	s.Jurisdiction = jur
	var due []task.PeriodDue
	for _, a := range asks {
		more, err := store.PeriodsDue(ctx, r.Jurisdiction, a.Kinds, a.From, a.To)
		if err != nil {
			return s, out, err
		}
		due = append(due, more...)
	}
	if len(due) == 0 {
		return s, out, nil
	}
	if s.Plans, err = store.Plans(ctx, r.Jurisdiction); err != nil {
		return s, out, err
	}
	if s.Closings, err = store.Closings(ctx, r.Jurisdiction, ""); err != nil {
		return s, out, err
	}
	periods := closing.Pick(due, s, set, r.Date)
	if len(periods) == 0 {
		return s, out, nil
	}
	ids := distinct(periods, func(p closing.Period) task.TaskID { return p.Task })
	if s.Directory, err = store.Directory(ctx, r.Jurisdiction); err != nil {
		return s, out, err
	}
	if s.Tasks, err = store.TaskVersions(ctx, r.Jurisdiction, ids); err != nil {
		return s, out, err
	}
	if s.Records, err = store.Instances(ctx, r.Jurisdiction, ids); err != nil {
		return s, out, err
	}
	out, err = closing.Duties(s, set, r.Job, periods, r.Date)
	return s, out, err
}
