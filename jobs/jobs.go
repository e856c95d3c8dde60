// Package jobs runs the work of a day. cron is only the alarm clock: the ledger of slots says what has to run, in
// which order, and that nothing runs twice.
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

// Job is one kind of work for one jurisdiction and day.
type Job interface {
	// Name is the job's name in the ledger and on the command line.
	Name() string
	// EveryDay reports whether missed days are made up one by one; a job that answers false runs once, for the last day.
	EveryDay() bool
	// Run does the work of the slot and settles it.
	Run(ctx context.Context, r run.Run) (run.Run, error)
}

// SettingsOf gives a jurisdiction's policy.
type SettingsOf func(code string) (planner.Settings, error)

// SlotStore is the run ledger.
type SlotStore interface {
	ClaimSlot(ctx context.Context, slot run.Slot, by string, lease time.Duration, again bool) (run.Run, bool, error)
	FinishSlot(ctx context.Context, r run.Run) error
	// SkipAll skips slots that are not in the ledger, only planned, failed, or given up by their worker, with the reason.
	SkipAll(ctx context.Context, runs []run.Run) error
	// Reopen lets a slot that was skipped for the reason be claimed again.
	Reopen(ctx context.Context, slot run.Slot, reason string) error
	LastSettled(ctx context.Context, job, jurisdiction string) (civil.Date, error)
}

// ScheduleStore is the run ledger as the schedule of what is to come, and of what did not come to pass.
type ScheduleStore interface {
	// PlanSlots writes slots down as planned; what is in the ledger already stays.
	PlanSlots(ctx context.Context, slots []run.Run) error
	// OpenSlots returns the days since the first in the ledger and before the given one that are not settled.
	OpenSlots(ctx context.Context, job, jurisdiction string, before civil.Date) ([]run.Run, error)
}

// SourceStore reads what opening and reminding both need.
type SourceStore interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	Plans(ctx context.Context, jurisdiction string) ([]task.Plan, error)
	TaskVersions(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Task, error)
	TaskEvents(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Event, error)
}

// onWorkday plans the slot's day, which is a working day, anew while the register moves. On a day off it settles the slot as
// skipped. what names the work in errors.
func onWorkday(
	ctx context.Context, slots finisher, settings SettingsOf, r run.Run, what string, plan func(planner.Settings) (run.Run, error),
) (run.Run, error) {
	set, err := settings(r.Jurisdiction)
	if err != nil {
		return r, err
	}
	if day := set.Calendar.Day(r.Date); !day.Workday {
		r.State, r.Reason = run.Skipped, "not a workday: "+day.Reason
		return r, slots.FinishSlot(ctx, r)
	}
	settled := r
	err = moved.Retry(ctx, func() (err error) {
		settled, err = plan(set)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("%s of %s for %s: %w", what, r.Date, r.Jurisdiction, err)
	}
	return settled, nil
}

// atOnce runs f, in whose context all readings are of one moment where the store can see to that, and cost one transaction.
func atOnce(ctx context.Context, store any, f func(ctx context.Context) error) error {
	if s, ok := store.(interface {
		Reading(ctx context.Context, f func(ctx context.Context) error) error
	}); ok {
		return s.Reading(ctx, f)
	}
	return f(ctx)
}

// finisher settles a slot.
type finisher interface {
	FinishSlot(ctx context.Context, r run.Run) error
}
