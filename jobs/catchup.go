package jobs

import (
	"context"
	"fmt"

	"duban/jobs/civil"
	"duban/jobs/run"
)

// longestGap is how many days before a day are made up one by one. What lies further back is skipped, and says so.
const longestGap = 400

// catchUp accounts for the job's slots between the last that is settled and day d: a job of every day runs for each in order,
// of any other they are covered by the run of a later day. Without a last one, 0, there is nothing to account for.
func (r Runner) catchUp(ctx context.Context, j Job, jurisdiction string, last, d, covering civil.Date) ([]Result, error) {
	if last == 0 || last+1 >= d {
		return nil, nil
	}
	from := max(last+1, d-longestGap)
	skip := r.tooLongAgo(j.Name(), jurisdiction, last+1, from-1)
	if !j.EveryDay() {
		skip, from = r.skips(j.Name(), jurisdiction, last+1, d-1, "covered by "+covering.String()), d
	}
	if len(skip) > 0 {
		if err := r.Slots.SkipAll(ctx, skip); err != nil {
			return nil, err
		}
	}
	var results []Result
	for ; from < d; from++ {
		res := r.one(ctx, j, run.Slot{Job: j.Name(), Jurisdiction: jurisdiction, Date: from}, false)
		if results = append(results, res); res.Err != nil {
			return results, res.Err
		}
	}
	return results, nil
}

// tooLongAgo are days that are not made up.
func (r Runner) tooLongAgo(job, jurisdiction string, from, to civil.Date) []run.Run {
	return r.skips(job, jurisdiction, from, to, fmt.Sprintf("too long ago: an outage is made up for %d days; %s", longestGap, fill(job, jurisdiction, from, to)))
}

// skips are the slots of the days, to be skipped for the reason.
func (r Runner) skips(job, jurisdiction string, from, to civil.Date, reason string) []run.Run {
	var out []run.Run
	for d := from; d <= to; d++ {
		out = append(out, run.Run{Slot: run.Slot{Job: job, Jurisdiction: jurisdiction, Date: d}, State: run.Skipped, Reason: reason, By: r.By})
	}
	return out
}

// fill is the command that goes through days which were skipped.
func fill(job, jurisdiction string, from, to civil.Date) string {
	return fmt.Sprintf("fill them with `duban backfill %s --jurisdiction %s --from %s --to %s --reprocess all`", job, jurisdiction, from, to)
}

// takeMissed takes, for a person, a slot that the clock missed and that no later one covers yet.
func (r Runner) takeMissed(ctx context.Context, missed run.Run) (run.Run, bool, error) {
	last, err := r.Slots.LastSettled(ctx, missed.Job, missed.Jurisdiction)
	if err != nil || last != missed.Date {
		return missed, false, err
	}
	if err := r.Slots.Reopen(ctx, missed.Slot, missed.Reason); err != nil {
		return missed, false, err
	}
	return r.claim(ctx, missed.Slot, false)
}

// holes are the slots before the last that is settled which the ledger never settled, and never will by itself: a later day
// was run by hand, or filled in, before they were come to. What failed is covered by the later day, but for a job of every day:
// there a person has to have it tried again. What is running stays as it is.
func (r Runner) holes(j Job, open []run.Run, last civil.Date) []run.Run {
	var out []run.Run
	for i := 0; i < len(open) && open[i].Date < last; {
		n := i + 1
		for n < len(open) && open[n].Date == open[n-1].Date+1 {
			n++
		}
		from, to := open[i].Date, open[n-1].Date
		reason := "covered by " + (to + 1).String()
		if j.EveryDay() {
			reason = fmt.Sprintf("later days were run before; %s", fill(j.Name(), open[i].Jurisdiction, from, to))
		}
		for _, hole := range open[i:n] {
			if hole.State == "" || hole.State == run.Planned || hole.State == run.Failed && !j.EveryDay() {
				out = append(out, r.skips(j.Name(), hole.Jurisdiction, hole.Date, hole.Date, reason)...)
			}
		}
		i = n
	}
	return out
}
