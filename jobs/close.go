package jobs

import (
	"context"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// CloseStore is what closing a period reads and writes.
type CloseStore interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	Plans(ctx context.Context, jurisdiction string) ([]task.Plan, error)
	TaskVersions(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Task, error)
	UnitVersions(ctx context.Context, jurisdiction string, codes []string) ([]task.Unit, error)
	// PeriodsDue returns the instances of recurring duties that fell due in the days from and to, both included.
	PeriodsDue(ctx context.Context, jurisdiction string, kinds []task.Kind, from, to civil.Date) ([]task.PeriodDue, error)
	Closings(ctx context.Context, jurisdiction string, kind task.ClosingKind) ([]task.Closing, error)
	// Opened returns the refs of all obligations of the rows.
	Opened(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]string, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
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
	return closeDay(ctx, j.Store, j.Settings, r, func(ctx context.Context, set planner.Settings, jur task.Jurisdiction) (closing.Result, error) {
		_, out, err := closeDuties(ctx, j.Store, jur, set, r, closing.AskMonthly(set, r.Date), task.MonthClose)
		return out, err
	})
}

// closeDay decides what a working day closes and writes it in one transaction. A day that closes nothing only settles its
// slot.
func closeDay(
	ctx context.Context, store CloseStore, settings SettingsOf, r run.Run,
	decide func(context.Context, planner.Settings, task.Jurisdiction) (closing.Result, error),
) (run.Run, error) {
	return onWorkday(ctx, store, settings, r, "close the periods", func(set planner.Settings) (run.Run, error) {
		var jur task.Jurisdiction
		var out closing.Result
		if err := atOnce(ctx, store, func(ctx context.Context) (err error) {
			if jur, err = store.Jurisdiction(ctx, r.Jurisdiction); err != nil {
				return err
			}
			out, err = decide(ctx, set, jur)
			return err
		}); err != nil {
			return r, err
		}
		settled := r
		settled.State, settled.Reason = run.Done, ""
		settled.Counts = run.Counts{Looked: len(out.Closings), Notices: len(out.Notices), Steps: len(out.Steps)}
		if len(out.Closings)+len(out.Notices) == 0 {
			return settled, store.FinishSlot(ctx, settled)
		}
		return settled, store.SavePlan(ctx, r.Jurisdiction, jur.Seq, run.DayPlan{
			Notices: out.Notices, Steps: out.Steps, Documents: out.Documents, Closings: out.Closings, Run: settled,
		})
	})
}

// closeDuties closes the duties whose day it is, by what was closed of the kind before, or of all where none is named. On a
// day that closes none it reads no row, unit or obligation.
func closeDuties(
	ctx context.Context, store CloseStore, jur task.Jurisdiction, set planner.Settings, r run.Run, asks []closing.Ask, kind task.ClosingKind,
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
	if s.Closings, err = store.Closings(ctx, r.Jurisdiction, kind); err != nil {
		return s, out, err
	}
	periods := closing.Pick(due, s, set, r.Date)
	if len(periods) == 0 {
		return s, out, nil
	}
	ids := distinct(periods, func(p closing.Period) task.TaskID { return p.Task })
	if s.Tasks, err = store.TaskVersions(ctx, r.Jurisdiction, ids); err != nil {
		return s, out, err
	}
	if s.Records, err = returns(ctx, store, r.Jurisdiction, s, ids, periods); err != nil {
		return s, out, err
	}
	units := append(distinct(s.Records, func(r task.Record) string { return r.Obligation.Unit }), jur.Bureau)
	if s.Directory.Units, err = store.UnitVersions(ctx, r.Jurisdiction, units); err != nil {
		return s, out, err
	}
	out, err = closing.Duties(s, set, r.Job, periods, r.Date)
	return s, out, err
}

// returns reads the obligations of the periods and of those of their duties that were closed before.
func returns(ctx context.Context, store CloseStore, jurisdiction string, s closing.Snapshot, ids []task.TaskID, periods []closing.Period) ([]task.Record, error) {
	wanted, err := closing.Instances(s, periods)
	if err != nil {
		return nil, err
	}
	opened, err := store.Opened(ctx, jurisdiction, ids)
	if err != nil {
		return nil, err
	}
	var refs []string
	for _, o := range opened {
		ref, err := task.ParseRef(o)
		if err != nil {
			return nil, err
		}
		if wanted[ref.TaskID][ref.Instance] {
			refs = append(refs, o)
		}
	}
	return store.RecordsOf(ctx, jurisdiction, refs)
}

// QuarterlyStore is what closing a quarter reads besides.
type QuarterlyStore interface {
	CloseStore
	Directory(ctx context.Context, jurisdiction string) (task.Directory, error)
	DueIn(ctx context.Context, jurisdiction string, kinds []task.Kind, from, to civil.Date) ([]task.Record, error)
	Documents(ctx context.Context, f notice.DocumentFilter) ([]notice.Document, error)
	Served(ctx context.Context, ids []string) (map[string]civil.Date, error)
	Silences(ctx context.Context, jurisdiction string) ([]task.Silence, error)
}

// QuarterlyClose closes quarterly and half-yearly duties and, at the year's close, the yearly ones; the rates of the whole
// jurisdiction in a quarter and in a year, with the draft of a bulletin; and at a quarter's close it drafts the report on
// what stayed open after a supervision form.
type QuarterlyClose struct {
	Store    QuarterlyStore
	Settings SettingsOf
}

// Name is "quarterly-close".
func (QuarterlyClose) Name() string { return "quarterly-close" }

// EveryDay is true: each missed day is closed as it stood.
func (QuarterlyClose) EveryDay() bool { return true }

// Run closes what the slot's day closes. On a day off it settles the slot as skipped.
func (j QuarterlyClose) Run(ctx context.Context, r run.Run) (run.Run, error) {
	return closeDay(ctx, j.Store, j.Settings, r, func(ctx context.Context, set planner.Settings, jur task.Jurisdiction) (closing.Result, error) {
		asks, spans := closing.AskQuarterly(set, r.Date), closing.Spans(set, r.Date)
		s, out, err := closeDuties(ctx, j.Store, jur, set, r, asks, "")
		if err != nil || len(spans) == 0 {
			return out, err
		}
		if s.Closings == nil {
			if s.Closings, err = j.Store.Closings(ctx, r.Jurisdiction, ""); err != nil {
				return out, err
			}
		}
		s.Closings = append(slices.Clone(s.Closings), out.Closings...)
		wide, err := j.wide(ctx, s, set, r, s.Open(spans, set, r.Date))
		out.Notices, out.Documents = append(out.Notices, wide.Notices...), wide.Documents
		out.Closings, out.Steps = append(out.Closings, wide.Closings...), wide.Steps
		return out, err
	})
}

// wide closes spans of the whole jurisdiction.
func (j QuarterlyClose) wide(
	ctx context.Context, s closing.Snapshot, set planner.Settings, r run.Run, spans []closing.Span,
) (out closing.Result, err error) {
	if len(spans) == 0 {
		return out, nil
	}
	q := closing.Quarter{Snapshot: s}
	if q.Directory, err = j.Store.Directory(ctx, r.Jurisdiction); err != nil {
		return out, err
	}
	if q.Items, err = j.Store.DueIn(ctx, r.Jurisdiction, nil, closing.ItemsFrom(spans, s.Closings), closing.ItemsTo(r.Date)); err != nil {
		return out, err
	}
	if q.Forms, err = j.Store.Documents(ctx, notice.DocumentFilter{
		Jurisdiction: r.Jurisdiction, Kind: notice.SupervisionForm, State: notice.Issued,
	}); err != nil {
		return out, err
	}
	var refs, letters []string
	for _, f := range q.Forms {
		refs, letters = append(refs, f.Refs...), append(letters, f.ID)
	}
	if len(refs) > 0 {
		if q.Formed, err = j.Store.RecordsOf(ctx, r.Jurisdiction, distinct(refs, func(s string) string { return s })); err != nil {
			return out, err
		}
	}
	if q.Tasks, err = j.Store.TaskVersions(ctx, r.Jurisdiction, taskIDs(slices.Concat(q.Items, q.Formed))); err != nil {
		return out, err
	}
	letters = append(letters, noticeIDs(slices.Concat(q.Items, q.Formed))...)
	if q.Served, err = j.Store.Served(ctx, distinct(letters, func(s string) string { return s })); err != nil {
		return out, err
	}
	if q.Silences, err = j.Store.Silences(ctx, r.Jurisdiction); err != nil {
		return out, err
	}
	return closing.Jurisdictionwide(q, set, r.Job, spans, r.Date)
}
