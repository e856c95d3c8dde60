package jobs

import (
	"context"
	"errors"
	"fmt"

	"duban/jobs/civil"
	"duban/jobs/run"
)

// AllJobs names all jobs of a day where a single one could be named.
const AllJobs = "all"

// ReplayLedger is the run ledger as a replay reads it.
type ReplayLedger interface {
	Runs(ctx context.Context, f run.Filter) ([]run.Run, error)
}

// Replay goes through the slots of a range, a day at a time: previews do so on a copy of the database, backfills on the
// database itself. Each day finds the days before it as they were left; days that were missed before the first are made up or
// marked as covered, as they are when a day is run by hand.
type Replay struct {
	Runner Runner
	Ledger ReplayLedger
	// Job is the last job of each day, or AllJobs. The jobs before it run first where their slots are not settled.
	Job       string
	From, To  civil.Date
	Mode      run.Mode
	Reprocess run.Reprocess
	// Workday tells the days on which letters are made, for the last of a range that comes to one letter.
	Workday func(jurisdiction string, d civil.Date) (bool, error)
	// Before is asked before each day of a jurisdiction, and may stop there.
	Before func(ctx context.Context, jurisdiction string, d civil.Date) error
	// Done is called after each day of a jurisdiction, and may stop there.
	Done func(ctx context.Context, jurisdiction string, d civil.Date, results []Result) error
}

// Run goes through the range for the jurisdiction. It stops at the first error; what is settled by then stays, and the same
// range goes on from there.
func (r Replay) Run(ctx context.Context, code string) error {
	if r.Job != AllJobs {
		if _, err := r.Runner.Find(r.Job); err != nil {
			return err
		}
	}
	known, err := r.known(ctx, code)
	if err != nil {
		return err
	}
	last, err := r.letterDay(code)
	if err != nil {
		return err
	}
	for d := r.From; d <= r.To; d++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped before %s %s; the same range goes on from there: %w", code, d, context.Cause(ctx))
		}
		if err := r.Before(ctx, code, d); err != nil {
			return err
		}
		results, err := r.day(ctx, code, d, last, known)
		if err != nil {
			return fmt.Errorf("%s %s: %w", code, d, err)
		}
		if err := r.Done(ctx, code, d, results); err != nil {
			return err
		}
	}
	return nil
}

// known is what the ledger holds of the range before it is gone through.
func (r Replay) known(ctx context.Context, code string) (map[run.Slot]run.Run, error) {
	runs, err := r.Ledger.Runs(ctx, run.Filter{Jurisdiction: code, From: r.From, To: r.To})
	if err != nil {
		return nil, err
	}
	known := make(map[run.Slot]run.Run, len(runs))
	for _, old := range runs {
		known[old.Slot] = old
	}
	return known, nil
}

// letterDay is the day on which a range that comes to one letter makes it: its last working day, or its last day where it
// has none. In the other modes letters are of their own days.
func (r Replay) letterDay(code string) (civil.Date, error) {
	if r.Mode != run.OneLetter {
		return 0, nil
	}
	for d := r.To; d >= r.From; d-- {
		ok, err := r.Workday(code, d)
		if err != nil || ok {
			return d, err
		}
	}
	return r.To, nil
}

// day runs the slots of one day in order. A failed slot that is not to be gone through stops it: what comes behind it rests on it.
func (r Replay) day(ctx context.Context, code string, d, letterDay civil.Date, known map[run.Slot]run.Run) ([]Result, error) {
	var results []Result
	for _, j := range r.Runner.Jobs {
		slot := run.Slot{Job: j.Name(), Jurisdiction: code, Date: d}
		old, there := known[slot]
		switch {
		case there && old.State == run.Failed && !old.BrokenOff() && r.Reprocess == run.ReprocessNone:
			return results, fmt.Errorf("%s failed on that day (%s), and what comes behind it rests on it: go through failed slots too with --reprocess failed", j.Name(), old.Reason)
		case there && old.Settled() && !(r.Reprocess == run.ReprocessAll && (r.Job == AllJobs || r.Job == j.Name())):
		case d < letterDay && !j.EveryDay(): // covered by the day of the one letter
		default:
			more, err := r.slot(ctx, j, slot, there && old.Settled(), letterDay)
			if results = append(results, more...); err != nil {
				return results, err
			}
		}
		if r.Job == j.Name() {
			break
		}
	}
	return results, nil
}

// slot runs one slot, after the days that were missed before it.
func (r Replay) slot(ctx context.Context, j Job, slot run.Slot, again bool, letterDay civil.Date) ([]Result, error) {
	if slot.Date == letterDay && !j.EveryDay() { // also of a job that never ran before
		if err := r.Runner.Slots.SkipAll(ctx, r.Runner.skips(j.Name(), slot.Jurisdiction, r.From, letterDay-1, "covered by "+letterDay.String())); err != nil {
			return nil, err
		}
	}
	return r.Runner.upTo(ctx, j, slot.Jurisdiction, slot.Date, again)
}

// CheckRange refuses a range that has no days, or more than a person can mean.
func CheckRange(from, to civil.Date) error {
	const longest = 1100
	switch {
	case from == 0 || to == 0:
		return errors.New("want --from and --to, as in --from 2024-09-01 --to 2024-09-30")
	case to < from:
		return fmt.Errorf("--from %s lies after --to %s", from, to)
	case to-from >= longest:
		return fmt.Errorf("--from %s --to %s: want at most %d days", from, to, longest)
	}
	return nil
}
