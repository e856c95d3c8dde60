package jobs

import (
	"context"
	"maps"
	"time"

	"github.com/robfig/cron/v3"

	"duban/jobs/civil"
	"duban/jobs/run"
)

// account sees once a day, and at the start, that the ledger knows every slot of the jurisdiction: those to come are planned,
// with when they are due, and those between the last that was settled and today are run or skipped. Where that failed it is
// tried again after retryAfter; a job that runs meanwhile accounts for its own days.
func (w *Worker) account(ctx context.Context, code string, now time.Time) error {
	today := civil.In(now, now.Location())
	whole := run.Slot{Jurisdiction: code, Date: today}
	if w.accounted[code] == today || now.Before(w.retryAt[whole]) {
		return nil
	}
	err := w.accountFor(ctx, code, today, now.Location())
	if err != nil {
		w.retryAt[whole] = now.Add(retryAfter)
		return err
	}
	maps.DeleteFunc(w.retryAt, func(old run.Slot, _ time.Time) bool { return old.Date < today-1 })
	w.accounted[code] = today
	return nil
}

// standing is how far the ledger has come with a job.
type standing struct {
	job    Job
	open   []run.Run  // the days before today that are not settled
	last   civil.Date // the last that is, or the day before the first that was planned; 0: the job is new
	missed []run.Run  // the slots after it that the clock should have started
}

func (w *Worker) accountFor(ctx context.Context, code string, today civil.Date, zone *time.Location) error {
	all, err := w.standings(ctx, code, today, zone)
	if err != nil {
		return err
	}
	behind := 0 // the jobs up to the last one that the clock should have started
	var plan, skip []run.Run
	for i, s := range all {
		skip = append(skip, w.Runner.holes(s.job, s.open, s.last)...)
		skip = append(skip, w.unscheduled(s)...)
		plan = append(plan, s.missed...)
		plan = append(plan, w.toCome(s.job.Name(), code, today, zone)...)
		if len(s.missed) > 0 {
			behind = i + 1
			w.Log.Info().Str("job", s.job.Name()).Str("jurisdiction", code).Stringer("since", s.missed[0].Date).Int("slots", len(s.missed)).
				Msg("no worker was there when these were due")
		}
	}
	if err := w.Slots.PlanSlots(ctx, plan); err != nil {
		return err
	}
	if err := w.Runner.Slots.SkipAll(ctx, skip); err != nil {
		return err
	}
	if behind == 0 {
		return nil
	}
	if err := w.Prepare(ctx, code); err != nil {
		return err
	}
	w.content(code)
	for _, s := range all[:behind] {
		results, err := w.Runner.catchUp(ctx, s.job, code, s.last, today, w.covering(s.job.Name(), today, zone))
		w.tell(results)
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) standings(ctx context.Context, code string, today civil.Date, zone *time.Location) ([]standing, error) {
	var all []standing
	for _, j := range w.Runner.Jobs {
		s := standing{job: j}
		var err error
		if s.open, err = w.Slots.OpenSlots(ctx, j.Name(), code, today); err != nil {
			return nil, err
		}
		if s.last, err = w.Runner.Slots.LastSettled(ctx, j.Name(), code); err != nil {
			return nil, err
		}
		if s.last == 0 && len(s.open) > 0 {
			s.last = s.open[0].Date - 1
		}
		for _, r := range s.open {
			if at := FirstOn(w.Specs[j.Name()], r.Date, zone); r.Date > s.last && !at.IsZero() {
				s.missed = append(s.missed, w.slotAt(j.Name(), code, at, zone))
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// FirstOn is when the clock starts a job of the spec on the day; zero: it does not, or there is no spec.
func FirstOn(spec cron.Schedule, d civil.Date, zone *time.Location) time.Time {
	if at := firstFrom(spec, d, zone); !at.IsZero() && civil.In(at, zone) == d {
		return at
	}
	return time.Time{}
}

// firstFrom is when the clock starts a job next, from the beginning of the day on; zero: never.
func firstFrom(spec cron.Schedule, d civil.Date, zone *time.Location) time.Time {
	if spec == nil {
		return time.Time{}
	}
	return spec.Next(d.Time(zone).Add(-time.Second))
}

// covering is the day, today or later, whose run of the job covers the days before it.
func (w *Worker) covering(job string, today civil.Date, zone *time.Location) civil.Date {
	if at := firstFrom(w.Specs[job], today, zone); !at.IsZero() {
		return civil.In(at, zone)
	}
	return today
}

// toCome are the job's slot of today, if it has one, and its next.
func (w *Worker) toCome(job, code string, today civil.Date, zone *time.Location) []run.Run {
	var out []run.Run
	for _, at := range []time.Time{FirstOn(w.Specs[job], today, zone), firstFrom(w.Specs[job], today+1, zone)} {
		if !at.IsZero() {
			out = append(out, w.slotAt(job, code, at, zone))
		}
	}
	return out
}

func (w *Worker) slotAt(job, code string, at time.Time, zone *time.Location) run.Run {
	return run.Run{
		Slot: run.Slot{Job: job, Jurisdiction: code, Date: civil.In(at, zone)}, State: run.Planned, Due: at, By: w.Runner.By,
	}
}

// unscheduled are slots that were planned before the clock was told not to start their job any more.
func (w *Worker) unscheduled(s standing) []run.Run {
	var out []run.Run
	for _, r := range s.open {
		if w.Specs[s.job.Name()] == nil && r.State == run.Planned && r.Date > s.last {
			r.Reason, r.By = "the schedule has no time for it any more", w.Runner.By
			out = append(out, r)
		}
	}
	return out
}

// skipMissed skips a slot of today that the clock has come to too late. On a day off, and where every missed day is made up,
// no slot is late; nor is one that was settled or begun in time, by this worker or by another.
func (w *Worker) skipMissed(ctx context.Context, j Job, slot run.Slot, now time.Time) error {
	due := FirstOn(w.Specs[slot.Job], slot.Date, now.Location())
	_, begun := w.retryAt[slot]
	if w.Grace <= 0 || begun || j.EveryDay() || now.Sub(due) <= w.Grace {
		return nil
	}
	set, err := w.Settings(slot.Jurisdiction)
	if err != nil || !set.Calendar.IsWorkday(slot.Date) {
		return err
	}
	if waits, err := w.waits(ctx, slot); err != nil || !waits {
		return err
	}
	reason := run.MissedReason(due, now, w.Grace, set.Calendar.Add(slot.Date, 1))
	w.Log.Warn().Str("job", slot.Job).Str("jurisdiction", slot.Jurisdiction).Stringer("date", slot.Date).Str("reason", reason).Msg("job missed")
	return w.Runner.Slots.SkipAll(ctx, []run.Run{{Slot: slot, State: run.Skipped, Reason: reason, Due: due, By: w.Runner.By}})
}

// waits reports whether a slot of today has not been begun. A running one may be in another worker's hands, or its worker died:
// who claims it finds out.
func (w *Worker) waits(ctx context.Context, slot run.Slot) (bool, error) {
	open, err := w.Slots.OpenSlots(ctx, slot.Job, slot.Jurisdiction, slot.Date+1)
	if err != nil || len(open) == 0 {
		return false, err
	}
	last := open[len(open)-1]
	return last.Date == slot.Date && (last.State == "" || last.State == run.Planned), nil
}
