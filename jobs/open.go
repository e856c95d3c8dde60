package jobs

import (
	"context"
	"fmt"
	"time"

	"duban/jobs/civil"
	"duban/jobs/moved"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
)

// OpenStore is what opening reads and writes.
type OpenStore interface {
	SourceStore
	Directory(ctx context.Context, jurisdiction string) (task.Directory, error)
	Opened(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]string, error)
	TasksToOpen(ctx context.Context, jurisdiction string, d civil.Date) ([]task.TaskID, error)
	Write(ctx context.Context, jurisdiction string, seq int64, b task.Batch) (int64, error)
	FinishSlot(ctx context.Context, r run.Run) error
}

// Open materialises the obligations that a day opens: milestones at the plan's issue, recurring duties at the start of
// each period, event clocks at their trigger.
type Open struct {
	Store    OpenStore
	Settings SettingsOf
	Clock    func() time.Time
}

// Name is "open".
func (Open) Name() string { return "open" }

// EveryDay is true: a missed day is made up.
func (Open) EveryDay() bool { return true }

// tasksPerWrite bounds the size of one transaction.
const tasksPerWrite = 100

// Run opens what the slot's day opens.
func (j Open) Run(ctx context.Context, r run.Run) (run.Run, error) {
	set, err := j.Settings(r.Jurisdiction)
	if err != nil {
		return r, err
	}
	for {
		n, more, err := j.page(ctx, r, set)
		if err != nil {
			return r, err
		}
		r.Counts.Opened += n
		if !more {
			break
		}
	}
	r.State = run.Done
	return r, j.Store.FinishSlot(ctx, r)
}

// page opens for the first tasks that are due for it. Writing their next day takes them off the list.
func (j Open) page(ctx context.Context, r run.Run, set planner.Settings) (opened int, more bool, err error) {
	err = moved.Retry(ctx, func() error {
		jur, err := j.Store.Jurisdiction(ctx, r.Jurisdiction)
		if err != nil {
			return err
		}
		ids, err := j.Store.TasksToOpen(ctx, r.Jurisdiction, r.Date)
		if err != nil || len(ids) == 0 {
			more = false
			return err
		}
		more = len(ids) > tasksPerWrite
		ids = ids[:min(len(ids), tasksPerWrite)]
		src, err := j.sources(ctx, jur, ids)
		if err != nil {
			return err
		}
		out := planner.Open(src, set, r.Date)
		opened = len(out.Obligations)
		_, err = j.Store.Write(ctx, r.Jurisdiction, jur.Seq, j.batch(src, set, out, r.Date))
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("open %s for %s: %w", r.Date, r.Jurisdiction, err)
	}
	return opened, more, nil
}

func (j Open) sources(ctx context.Context, jur task.Jurisdiction, ids []task.TaskID) (src planner.Sources, err error) {
	src = planner.Sources{Jurisdiction: jur, Existing: map[string]bool{}}
	if src.Plans, err = j.Store.Plans(ctx, jur.Code); err != nil {
		return src, err
	}
	if src.Directory, err = j.Store.Directory(ctx, jur.Code); err != nil {
		return src, err
	}
	if src.Tasks, err = j.Store.TaskVersions(ctx, jur.Code, ids); err != nil {
		return src, err
	}
	if src.TaskEvents, err = j.Store.TaskEvents(ctx, jur.Code, ids); err != nil {
		return src, err
	}
	existing, err := j.Store.Opened(ctx, jur.Code, ids)
	for _, ref := range existing {
		src.Existing[ref] = true
	}
	return src, err
}

func (j Open) batch(src planner.Sources, set planner.Settings, out planner.Openings, d civil.Date) task.Batch {
	b := task.Batch{At: j.Clock().UTC(), Obligations: out.Obligations, NextOpen: out.NextOpen}
	tasks := map[task.TaskID]task.Task{}
	for _, t := range task.TasksAsOf(src.Tasks, d) {
		tasks[t.TaskID] = t
	}
	dir := src.Directory.AsOf(d)
	for _, o := range out.Obligations {
		u, _ := dir.Unit(o.Unit)
		b.Caches = append(b.Caches, planner.CacheOf(task.Record{Obligation: o}, tasks[o.TaskID], u, set, 0))
		b.Events = append(b.Events, task.Event{
			Jurisdiction: o.Jurisdiction, On: o.Opened, Kind: task.Opened, Subject: o.Ref.String(), Who: "duban open",
		})
	}
	return b
}
