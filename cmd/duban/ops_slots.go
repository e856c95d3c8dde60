package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/store"
)

// lateAfter is how long after its time a slot of today is late: a worker looks every minute, and a day is planned in seconds.
const lateAfter = 15 * time.Minute

// timetable is the run ledger held against the schedule.
type timetable struct {
	*app
	store *store.Store
	specs map[string]cron.Schedule
	jobs  []string // of a working day, in order
}

// timetable reads the schedule.
func (a *app) timetable(s *store.Store) (timetable, error) {
	specs, err := schedules(a.cfg)
	if err == nil {
		err = addHealth(specs, a.cfg.Schedule.Health)
	}
	if err != nil {
		return timetable{}, err
	}
	t := timetable{app: a, store: s, specs: specs}
	for _, j := range a.runner(s, "").Jobs {
		t.jobs = append(t.jobs, j.Name())
	}
	return t, nil
}

// addHealth adds the operations letter's schedule to those of the day's jobs.
func addHealth(specs map[string]cron.Schedule, spec string) error {
	if spec == "" {
		return nil
	}
	sched, err := parseSpec(spec)
	if err != nil {
		return usagef("schedule.health %q: %w; want five fields: minute hour day-of-month month day-of-week", spec, err)
	}
	specs[jobs.Health{}.Name()] = sched
	return nil
}

// withHealth are the day's jobs and the operations letter.
func (t timetable) withHealth() []string { return append(slices.Clone(t.jobs), jobs.Health{}.Name()) }

// on is when the clock starts the job on the day; the zero time: it does not.
func (t timetable) on(job string, d civil.Date, zone *time.Location) time.Time {
	return jobs.FirstOn(t.specs[job], d, zone)
}

// next is when the clock starts the job next on a day that is not run yet, be it by hand before its time; the zero time: never.
func (t timetable) next(ctx context.Context, job, code string, now time.Time) (time.Time, error) {
	const most = 1000 // starts, of a spec that comes many times a day
	spec := t.specs[job]
	if spec == nil {
		return time.Time{}, nil
	}
	known := civil.Date(0) // a day that is run, however often the clock comes on it
	at := spec.Next(now)
	for range most {
		d := dateIn(at)
		if at.IsZero() {
			break
		}
		if d != known {
			run, err := t.inHand(ctx, run.Run{Slot: run.Slot{Job: job, Jurisdiction: code, Date: d}})
			if err != nil || !run {
				return at, err
			}
		}
		known, at = d, spec.Next(at)
	}
	return at, nil
}

// reconcileFirst replaces what closes gaps, where the archive knows more than the database, which was restored: until that is
// taken over nothing else would be run.
func reconcileFirst(gaps []gap, known archiveGap) {
	if known.Empty() {
		return
	}
	for i := range gaps {
		gaps[i].Do = known.command()
	}
}

// gap is days in a row of some jobs of a jurisdiction that are due and not settled.
type gap struct {
	Jurisdiction string     `json:"jurisdiction"`
	Jobs         []string   `json:"jobs"`
	From         civil.Date `json:"from"`
	To           civil.Date `json:"to"`
	State        run.State  `json:"state,omitempty"` // empty: the ledger holds no record
	// Within says that the grace has not passed yet: it is late and may still be run by the clock.
	Within bool   `json:"within_grace,omitempty"`
	Do     string `json:"do"`
	// behind says that a later day of the jobs is settled: no run by the clock comes back to it.
	behind bool
}

// slots is how many slots the gap has.
func (g gap) slots() int { return len(g.Jobs) * int(g.To-g.From+1) }

// aDaysJobs are so many that they need no naming.
const aDaysJobs = 6

// words say what the gap is.
func (g gap) words() string {
	days := g.From.String()
	if g.To != g.From {
		days = fmt.Sprintf("%s to %s (%d days)", g.From, g.To, g.To-g.From+1)
	}
	what := map[run.State]string{
		"": "due and without a record", run.Planned: "due and not begun", run.Running: "begun and given up by its worker", run.Failed: "failed",
	}[g.State]
	names := strings.Join(g.Jobs, ", ")
	if len(g.Jobs) >= aDaysJobs {
		names = "all jobs"
	}
	return fmt.Sprintf("%s: %s %s", names, days, what)
}

// missing returns what is due and not settled at the instant, since each job's first record, and whether anything ever ran
// for the jurisdiction. What is late by less than lateAfter, or in a worker's hands, is left out.
func (t timetable) missing(ctx context.Context, code string, now time.Time) (gaps []gap, ran bool, err error) {
	zone := t.policies.zone(code)
	today := civil.In(now, zone)
	for _, job := range t.withHealth() {
		if t.specs[job] == nil {
			continue
		}
		last, err := t.store.LastSettled(ctx, job, code)
		if err != nil {
			return nil, ran, err
		}
		open, err := t.store.OpenSlots(ctx, job, code, today+1)
		if err != nil {
			return nil, ran, err
		}
		ran = ran || last != 0
		for _, r := range open {
			g, is, err := t.gapOf(ctx, r, now, zone)
			if err != nil {
				return nil, ran, err
			}
			if !is {
				continue
			}
			if g.behind = r.Date < last; g.behind && job == (jobs.Health{}).Name() {
				continue // a later letter came, and one of a day that is gone would be no sign of life
			}
			gaps = extend(gaps, g)
		}
	}
	gaps = together(gaps)
	advise(gaps)
	return gaps, ran, nil
}

// advise gives each gap the command that closes it. Where one of them failed, what lies behind it is gone through with it.
func advise(gaps []gap) {
	failed := slices.ContainsFunc(gaps, func(g gap) bool { return g.behind && g.State == run.Failed })
	for i := range gaps {
		g := &gaps[i]
		job := g.Jobs[0]
		if len(g.Jobs) > 1 {
			job = jobs.AllJobs
		}
		if !g.behind {
			g.Do = fmt.Sprintf("duban run %s --jurisdiction %s", job, g.Jurisdiction)
			continue
		}
		g.Do = fmt.Sprintf("duban backfill %s --jurisdiction %s --from %s --to %s", job, g.Jurisdiction, g.From, g.To)
		if failed {
			g.Do += " --reprocess failed"
		}
	}
}

// gapOf reports whether an open slot is a gap.
func (t timetable) gapOf(ctx context.Context, r run.Run, now time.Time, zone *time.Location) (gap, bool, error) {
	due := t.on(r.Job, r.Date, zone)
	switch {
	case due.IsZero() && r.State == "":
		return gap{}, false, nil // the clock does not start it on that day
	case due.IsZero():
		due = (r.Date + 1).Time(zone) // it did, by another schedule
	}
	late := now.Sub(due)
	if late < lateAfter {
		return gap{}, false, nil
	}
	if r.State == run.Running {
		held, err := t.inHand(ctx, r) // or settled meanwhile
		if held || err != nil {
			return gap{}, false, err
		}
	}
	return gap{
		Jurisdiction: r.Jurisdiction, Jobs: []string{r.Job}, From: r.Date, To: r.Date, State: r.State, Within: late < t.grace(),
	}, true, nil
}

// inHand reports whether a worker's lease on the slot holds, or it has ended well.
func (t timetable) inHand(ctx context.Context, r run.Run) (bool, error) {
	rows, err := t.store.Runs(ctx, run.Filter{Job: r.Job, Jurisdiction: r.Jurisdiction, From: r.Date, To: r.Date})
	if err != nil || len(rows) == 0 {
		return false, err
	}
	now, err := t.store.Now(ctx)
	return rows[0].Settled() || rows[0].State == run.Running && rows[0].Lease.After(now), err
}

// grace is how late the clock may come to a slot; where it may come at any time, a day.
func (t timetable) grace() time.Duration { return cmp.Or(t.cfg.Schedule.Grace, 24*time.Hour) }

// extend adds a slot to the gap before it, if it follows on.
func extend(gaps []gap, g gap) []gap {
	if n := len(gaps) - 1; n >= 0 {
		b := &gaps[n]
		if b.Jobs[0] == g.Jobs[0] && b.To+1 == g.From && b.like(g) {
			b.To = g.To
			return gaps
		}
	}
	return append(gaps, g)
}

func (g gap) like(o gap) bool {
	return g.State == o.State && g.Within == o.Within && g.behind == o.behind
}

// together says once what holds for several of a day's jobs.
func together(gaps []gap) []gap {
	var out []gap
	for _, g := range gaps {
		i := slices.IndexFunc(out, func(o gap) bool {
			return o.From == g.From && o.To == g.To && o.like(g) && o.ofDay() && g.ofDay()
		})
		if i < 0 {
			out = append(out, g)
			continue
		}
		out[i].Jobs = append(out[i].Jobs, g.Jobs...)
	}
	return out
}

// ofDay reports whether the gap is of jobs that `all` runs.
func (g gap) ofDay() bool { return g.Jobs[0] != (jobs.Health{}).Name() }

// dateIn is the civil date of an instant in its own zone.
func dateIn(at time.Time) civil.Date { return civil.In(at, at.Location()) }
