package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"duban/jobs"
	"duban/jobs/run"
	"duban/notify/notice"
	"duban/store"
)

// lookAtSlots reads what ran last, what runs next, what is due and has no record, and who is at work.
func (a *app) lookAtSlots(ctx context.Context, s *store.Store, row *statusRow) error {
	row.Slots, row.Due, row.Holders, row.LastRuns = make([]slotRow, 0), make([]gap, 0), make([]holderRow, 0), make([]run.Run, 0)
	t, err := a.timetable(s)
	if err != nil {
		return err
	}
	for _, job := range t.withHealth() {
		one, err := t.slotsOf(ctx, job, row.Jurisdiction, row.now)
		if err != nil {
			return err
		}
		if one.Last != nil && job != (jobs.Health{}).Name() {
			row.LastRuns = append(row.LastRuns, one.Last.Run)
		}
		row.Slots = append(row.Slots, one)
	}
	gaps, ran, err := t.missing(ctx, row.Jurisdiction, row.now)
	if err != nil {
		return err
	}
	row.never = !ran
	if len(gaps) > 0 {
		row.Due = gaps
	}
	running, err := s.Runs(ctx, run.Filter{Jurisdiction: row.Jurisdiction, States: []run.State{run.Running}})
	if err != nil {
		return err
	}
	for _, r := range running {
		row.Holders = append(row.Holders, holderRow{r.Slot, r.By, r.Started, r.Lease})
	}
	return nil
}

// slotsOf are the job's newest slot that was begun or skipped, and its next.
func (t timetable) slotsOf(ctx context.Context, job, code string, now time.Time) (slotRow, error) {
	one := slotRow{Job: job}
	last, err := t.store.Runs(ctx, run.Filter{
		Job: job, Jurisdiction: code, States: []run.State{run.Running, run.Done, run.Failed, run.Skipped}, Limit: 1,
	})
	if err != nil {
		return one, err
	}
	if len(last) > 0 {
		one.Last = &lastSlot{Run: last[0]}
		if late, ok := last[0].Late(); ok && late > 0 {
			one.Last.LateSeconds = int(late.Seconds())
		}
	}
	at, err := t.next(ctx, job, code, now)
	if err != nil || at.IsZero() {
		return one, err
	}
	d := dateIn(at)
	planned, err := t.store.Runs(ctx, run.Filter{Job: job, Jurisdiction: code, From: d, To: d, States: []run.State{run.Planned}, Limit: 1})
	if err != nil {
		return one, err
	}
	one.Next = &nextSlot{Date: d, Due: at, Planned: len(planned) > 0}
	if one.Next.Planned && !planned[0].Due.IsZero() {
		one.Next.Due = planned[0].Due
	}
	return one, nil
}

// doubt is why the machine's date is not believed; nil: it is.
func (a *app) doubt(ctx context.Context, s *store.Store) (error, error) {
	c, err := a.readClocks(ctx, s)
	if err != nil {
		return nil, err
	}
	return c.doubt(), nil
}

// sending says whether letters leave, the worst reason first that they do not.
func (a *app) sending(s *store.Store, row statusRow, doubt error) sendingRow {
	for _, b := range row.Brakes {
		if b.Domain == "" && doubt == nil && row.Paused == nil {
			return sendingRow{State: sendingBrake, Until: b.Until, Why: b.Reason}
		}
	}
	switch until := a.door(s, false).Window(row.Jurisdiction); {
	case doubt != nil:
		return sendingRow{State: sendingClock, Why: "the date is not believed"}
	case row.Paused != nil:
		return sendingRow{State: sendingPaused, Why: row.Paused.Why}
	case row.RedirectTo != "":
		return sendingRow{State: sendingTrial, Why: "everything goes to " + row.RedirectTo}
	case !until.IsZero() && !row.Workday:
		return sendingRow{State: sendingOff, Until: until, Why: "a day off"}
	case !until.IsZero():
		return sendingRow{State: sendingOff, Until: until, Why: "outside the window"}
	}
	w := a.cfg.Jurisdiction(row.Jurisdiction).Window
	return sendingRow{State: sendingOn, Why: fmt.Sprintf("the window is %s to %s", w.From, w.To)}
}

// needs lists what waits for a person, the worst first, each with what to type.
func (r statusRow) needs(doubt error) []jobs.Need {
	out := make([]jobs.Need, 0)
	of := " --jurisdiction " + r.Jurisdiction
	add := func(is bool, n jobs.Need) {
		if is {
			out = append(out, n)
		}
	}
	var wrong run.DoubtError
	if errors.As(doubt, &wrong) {
		add(true, jobs.Need{What: jobs.NeedClock, Text: doubt.Error(), Do: "set the clock right, or duban run all --confirm-date"})
	}
	add(r.Versions != "", jobs.Need{What: jobs.NeedVersions, Text: r.Versions, Do: "duban config load" + of + " --by NAME --why TEXT"})
	for _, g := range r.Due {
		add(true, jobs.Need{What: jobs.NeedSlots, N: g.slots(), Text: g.words(), Do: g.Do, Jobs: g.Jobs, From: g.From, To: g.To, State: g.State})
	}
	if r.Paused != nil {
		add(true, jobs.Need{What: jobs.NeedPaused, Text: r.Paused.Why, Do: "duban resume" + of})
	}
	for _, b := range r.Brakes {
		add(true, jobs.Need{What: jobs.NeedBrake, Text: b.Reason, Do: "duban doctor" + of})
	}
	add(len(r.Unknown) > 0, jobs.Need{
		What: jobs.NeedUnknown, N: r.Letters[string(notice.Unknown)],
		Do: "duban outbox list" + of + " --state unknown, then duban outbox resolve ID --sent|--resend|--served-otherwise --by NAME",
	})
	add(len(r.FailedLately) > 0, jobs.Need{
		What: jobs.NeedFailed, N: len(r.FailedLately), Do: "duban outbox list" + of + " --state failed, then duban outbox retry ID --by NAME",
	})
	waits := 0
	for _, g := range r.Held {
		if g.Until.IsZero() {
			waits += g.Letters
		}
	}
	add(waits > 0, jobs.Need{What: jobs.NeedRelease, N: waits, Do: "duban outbox list" + of + " --state held, then duban outbox release ID --by NAME"})
	add(len(r.Addressees) > 0, jobs.Need{What: jobs.NeedAddress, N: len(r.Addressees), Do: "duban status" + of + ", then duban import units FILE"})
	add(r.Calendar.Warning != "", jobs.Need{What: jobs.NeedHolidays, N: r.Calendar.Missing, Text: r.Calendar.Warning, Do: giveHolidays})
	return out
}
