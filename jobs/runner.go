package jobs

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
)

// Day holds the jobs of a day.
type Day struct {
	Open, MonthlyClose, QuarterlyClose, Personnel, Remind, Escalate Job
}

// All returns the jobs in the order in which they must run: what opens comes before what closes, both before what is said,
// and the bureau's digest last, since it tells what was said.
func (d Day) All() []Job {
	var all []Job
	for _, j := range []Job{d.Open, d.MonthlyClose, d.QuarterlyClose, d.Personnel, d.Remind, d.Escalate} {
		if j != nil {
			all = append(all, j)
		}
	}
	return all
}

// Runner runs jobs from the ledger.
type Runner struct {
	Jobs  []Job // in order
	Slots SlotStore
	Lease time.Duration
	// By names who runs: the scheduler, or the operator.
	By string
	// ByHand says that a person runs: a slot that the clock missed, which no later one covers yet, is taken as one that never ran.
	ByHand bool
	// Clock tells how long runs take, and nothing else; nil: nobody asks.
	Clock func() time.Time
	// Waits, where set, is told once of each slot that is waited for, as who has it.
	Waits func(held run.Run)
}

// Find returns the job of the name.
func (r Runner) Find(name string) (Job, error) {
	names := ""
	for _, j := range r.Jobs {
		if j.Name() == name {
			return j, nil
		}
		names += " " + j.Name()
	}
	return nil, fmt.Errorf("find job %q: there are:%s", name, names)
}

// until are the jobs that run for the one of the name: those that come before it, and itself.
func (r Runner) until(name string) []Job {
	for i, j := range r.Jobs {
		if j.Name() == name {
			return r.Jobs[:i+1]
		}
	}
	return nil
}

// Result is one slot with the error of its run, if any.
type Result struct {
	run.Run
	// Already says that the slot was settled before and did not run again.
	Already bool
	// Took is how long the run took.
	Took time.Duration
	Err  error
}

// Run runs the job for the jurisdiction and day, after the jobs that come before it on that day. Days missed since the
// job last settled are made up or marked as covered. again runs a settled slot of this job once more: letters and steps
// keep their keys, so nothing is said twice.
func (r Runner) Run(ctx context.Context, name, jurisdiction string, d civil.Date, again bool) ([]Result, error) {
	if _, err := r.Find(name); err != nil {
		return nil, err
	}
	var results []Result
	for _, j := range r.until(name) {
		more, err := r.upTo(ctx, j, jurisdiction, d, again && j.Name() == name)
		results = append(results, more...)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

func (r Runner) upTo(ctx context.Context, j Job, jurisdiction string, d civil.Date, again bool) ([]Result, error) {
	last, err := r.Slots.LastSettled(ctx, j.Name(), jurisdiction)
	if err != nil {
		return nil, err
	}
	results, err := r.catchUp(ctx, j, jurisdiction, last, d, d)
	if err != nil {
		return results, err
	}
	res := r.one(ctx, j, run.Slot{Job: j.Name(), Jurisdiction: jurisdiction, Date: d}, again)
	return append(results, res), res.Err
}

// one claims and runs a single slot. A panic is contained and recorded as the result.
func (r Runner) one(ctx context.Context, j Job, slot run.Slot, again bool) (res Result) {
	claimed, ok, err := r.claim(ctx, slot, again)
	if err != nil {
		return Result{Run: run.Run{Slot: slot}, Err: fmt.Errorf("claim %s %s %s: %w", slot.Job, slot.Jurisdiction, slot.Date, err)}
	}
	if !ok && r.ByHand && claimed.Missed() {
		claimed, ok, err = r.takeMissed(ctx, claimed)
		if err != nil {
			return Result{Run: claimed, Err: err}
		}
	}
	if !ok {
		res = Result{Run: claimed, Already: true}
		if !claimed.Settled() {
			who := "another worker"
			if r.ByHand { // else the error goes to the log, which names no person
				who += " (" + claimed.By + ")"
			}
			res.Err = fmt.Errorf("run %s %s %s: %s has it since %s; wait, or try again after its lease ends",
				slot.Job, slot.Jurisdiction, slot.Date, who, claimed.Started.Format(time.RFC3339))
		}
		return res
	}
	began := r.now()
	done, err := contain(func() (run.Run, error) { return j.Run(ctx, claimed) })
	took := r.now().Sub(began)
	if err == nil {
		return Result{Run: done, Took: took}
	}
	claimed.State, claimed.Reason = run.Failed, err.Error()
	if ctx.Err() != nil {
		claimed.Reason = run.Interrupted + claimed.Reason
	}
	if ferr := r.Slots.FinishSlot(context.WithoutCancel(ctx), claimed); ferr != nil {
		err = fmt.Errorf("%w (and the ledger could not be told: %w)", err, ferr)
	}
	return Result{Run: claimed, Took: took, Err: err}
}

func (r Runner) now() time.Time {
	if r.Clock == nil {
		return time.Time{}
	}
	return r.Clock()
}

// pollEvery is how often a slot that another worker holds is asked for again.
const pollEvery = time.Second

// claim takes the slot. Where another worker holds it, it waits as long as a lease lasts: that worker settles the slot,
// or it is gone and its lease runs out, so that a run begun again at once after a crash goes on by itself.
func (r Runner) claim(ctx context.Context, slot run.Slot, again bool) (run.Run, bool, error) {
	for waited := time.Duration(0); ; waited += pollEvery {
		claimed, ok, err := r.Slots.ClaimSlot(ctx, slot, r.By, r.Lease, again)
		if err != nil || ok || claimed.Settled() || waited > r.Lease {
			return claimed, ok, err
		}
		if waited == 0 && r.Waits != nil {
			r.Waits(claimed)
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return claimed, false, nil
		case <-timer.C:
		}
	}
}

func contain(f func() (run.Run, error)) (r run.Run, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
