package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
)

// Worker starts the jobs of each jurisdiction when their time has come, and has its letters delivered.
//
// cron only wakes it. What has to run is asked of the ledger: a job is due once its spec's time of today has passed and
// its slot is not settled, so that a tick that was missed, or a worker started late, loses nothing.
type Worker struct {
	Runner        Runner
	Jurisdictions func(ctx context.Context) ([]task.Jurisdiction, error)
	Zone          func(jurisdiction string) *time.Location
	// Trust refuses a day that cannot be right: the machine's clock may be wrong. Nothing is planned and no sending begins
	// while it does; it is asked at every tick.
	Trust func(ctx context.Context, now time.Time) error
	// Prepare runs before a jurisdiction's jobs, to bring its cached columns up to date and to take back the letters of
	// workers that died.
	Prepare func(ctx context.Context, jurisdiction string) error
	// Deliver sends the letters of the day that wait, or holds them where their window is closed. Jurisdictions do not wait
	// for each other's mail servers; of one, it is called once at a time.
	// planned says that the day's letters have been planned: what is dated earlier and may leave still was not taken over
	// by them, because a person released it or had it tried again.
	Deliver func(ctx context.Context, jurisdiction string, d civil.Date, planned bool) error
	// Slots keeps what is to come in the ledger.
	Slots    ScheduleStore
	Settings SettingsOf
	// Specs holds the cron schedule of each job by name; a job without one is never started by the clock.
	Specs     map[string]cron.Schedule
	Heartbeat cron.Schedule
	// Grace is how late the clock may come to a slot of today, counted from when it was due; zero: as late as the day lasts.
	// It is not asked of jobs that every missed day is made up of.
	Grace time.Duration
	// Shutdown is how long a job in hand may go on after the context ends. A letter in hand is finished under the deadline
	// of its own claim, so that it is never broken off between the mail server's answer and the receipt.
	Shutdown time.Duration
	Clock    func() time.Time
	Log      zerolog.Logger

	settled   map[run.Slot]bool
	retryAt   map[run.Slot]time.Time
	accounted map[string]civil.Date // by jurisdiction: the day on which the days before it were accounted for
	missed    map[string]civil.Date // by jurisdiction: the day of which a slot was missed
	distrust  string                // what Trust said last; empty: nothing against the day
	refused   map[string]string     // by jurisdiction: why nothing is planned, as it was logged

	deliveries sync.WaitGroup
	mu         sync.Mutex
	delivering map[string]bool   // by jurisdiction
	next       map[string]func() // by jurisdiction: the delivery that was asked for last while one was on its way
	kept       map[string]string // by jurisdiction: why no letter leaves, as it was logged
}

// retryAfter is how long a failed slot waits for its next attempt.
const retryAfter = 5 * time.Minute

// postpone keeps a slot that failed from its next attempt. Where others wrote all the while, nothing is wrong with it: the next
// tick takes it.
func (w *Worker) postpone(slot run.Slot, now time.Time, err error) {
	w.retryAt[slot] = now
	if !errors.Is(err, task.ErrMoved) {
		w.retryAt[slot] = now.Add(retryAfter)
	}
}

// Serve works until ctx ends; then no new work is taken, and what is held is finished.
func (w *Worker) Serve(ctx context.Context) error {
	w.settled, w.retryAt, w.delivering, w.distrust = map[run.Slot]bool{}, map[run.Slot]time.Time{}, map[string]bool{}, ""
	w.accounted, w.missed, w.kept, w.next = map[string]civil.Date{}, map[string]civil.Date{}, map[string]string{}, map[string]func(){}
	held, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	wake := make(chan struct{}, 1)
	c := cron.New(cron.WithLogger(cron.DiscardLogger))
	c.Schedule(w.Heartbeat, cron.FuncJob(func() {
		select {
		case wake <- struct{}{}:
		default: // a tick is waiting already: no overlap, no queue
		}
	}))
	c.Start()
	defer c.Stop()
	wake <- struct{}{} // what was missed while the worker was off
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				w.deliveries.Wait()
				return
			case <-wake:
				w.tick(ctx, held)
			}
		}
	}()
	<-ctx.Done()
	limit := time.NewTimer(w.Shutdown)
	defer limit.Stop()
	select {
	case <-done:
		return nil
	case <-limit.C:
		cancel()
		<-done
		return fmt.Errorf("stop worker: work held after %s was broken off; its lease runs out and it is done again", w.Shutdown)
	}
}

// tick looks once at every jurisdiction. intake ends the taking of new work, held the work that was taken.
func (w *Worker) tick(intake, held context.Context) {
	if !w.trusted(held) {
		return
	}
	all, err := w.Jurisdictions(held)
	if err != nil {
		w.Log.Error().Err(err).Msg("list jurisdictions")
		return
	}
	if len(all) == 0 {
		w.Log.Warn().Msg("no jurisdictions yet: import units and a plan")
	}
	for _, j := range all {
		if intake.Err() != nil {
			return
		}
		_, err := contain(func() (run.Run, error) { w.jurisdiction(intake, held, j.Code); return run.Run{}, nil })
		if err != nil {
			w.Log.Error().Str("jurisdiction", j.Code).Err(err).Msg("jurisdiction")
		}
	}
}

// trusted asks whether the day can be right, and says so where the answer is another than last time.
func (w *Worker) trusted(ctx context.Context) bool {
	err := w.Trust(ctx, w.Clock())
	was, words := w.distrust, ""
	if err != nil {
		words = err.Error()
	}
	w.distrust = words
	switch {
	case words == was:
	case err != nil:
		w.Log.Error().Err(err).Msg("nothing is planned or sent while this is so")
	default:
		w.Log.Info().Msg("the date is good again: work goes on")
	}
	return err == nil
}

func (w *Worker) jurisdiction(intake, held context.Context, code string) {
	now := w.Clock().In(w.Zone(code))
	today := civil.In(now, now.Location())
	if err := w.account(held, code, now); err != nil {
		w.complain(run.Slot{Jurisdiction: code, Date: today}, "account for the days before", err)
		return
	}
	for _, j := range w.Runner.Jobs {
		if !w.look(intake, held, j, code, now) {
			break
		}
	}
	// A job that fails keeps back what comes after it, and not the letters that were planned before it.
	w.deliver(intake, code, today)
}

// look starts the job if it is due, and reports whether the ones after it may be looked at.
func (w *Worker) look(intake, held context.Context, j Job, code string, now time.Time) bool {
	if intake.Err() != nil {
		return false
	}
	slot := run.Slot{Job: j.Name(), Jurisdiction: code, Date: civil.In(now, now.Location())}
	if !w.due(slot, now) {
		return true
	}
	err := w.skipMissed(held, j, slot, now)
	if err == nil {
		err = w.start(held, slot)
	}
	if err != nil {
		w.postpone(slot, now, err)
		w.complain(slot, "job failed", err)
	}
	return err == nil
}

// deliver has the jurisdiction's letters delivered. Where it is still at it, it delivers once more when that has ended: that
// delivery may have looked for the last time before the letters of this tick were there.
func (w *Worker) deliver(intake context.Context, code string, today civil.Date) {
	planned := w.planned(code, today)
	once := func() { w.deliverOnce(intake, code, today, planned) }
	w.mu.Lock()
	defer w.mu.Unlock()
	if intake.Err() != nil {
		return
	}
	if w.delivering[code] {
		w.next[code] = once
		return
	}
	w.delivering[code] = true
	w.deliveries.Go(func() {
		for once := once; once != nil; once = w.following(intake, code) {
			once()
		}
	})
}

// following is the delivery that was asked for while the last one was on its way; nil: none was, or the worker stops.
func (w *Worker) following(intake context.Context, code string) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	once := w.next[code]
	delete(w.next, code)
	if intake.Err() != nil {
		once = nil
	}
	w.delivering[code] = once != nil
	return once
}

func (w *Worker) deliverOnce(intake context.Context, code string, today civil.Date, planned bool) {
	_, err := contain(func() (run.Run, error) { return run.Run{}, w.Deliver(intake, code, today, planned) })
	w.mu.Lock()
	defer w.mu.Unlock()
	words := refused(err)
	if err != nil && intake.Err() == nil && (words == "" || w.kept[code] != words) {
		w.Log.Error().Str("jurisdiction", code).Stringer("date", today).Err(err).Msg("deliver letters")
	}
	w.kept[code] = words
}

// planned reports whether the last of the day's jobs that the clock starts has settled, and none of them was missed; where it
// starts none, nothing is waited for.
func (w *Worker) planned(code string, today civil.Date) bool {
	if w.missed[code] == today {
		return false
	}
	for _, j := range slices.Backward(w.Runner.Jobs) {
		if w.Specs[j.Name()] != nil {
			return w.settled[run.Slot{Job: j.Name(), Jurisdiction: code, Date: today}]
		}
	}
	return true
}

// due reports whether the slot's time of today has passed and it has not settled.
func (w *Worker) due(slot run.Slot, now time.Time) bool {
	if w.settled[slot] || now.Before(w.retryAt[slot]) {
		return false
	}
	at := FirstOn(w.Specs[slot.Job], slot.Date, now.Location())
	return !at.IsZero() && !at.After(now)
}

func (w *Worker) start(ctx context.Context, slot run.Slot) error {
	if err := w.Prepare(ctx, slot.Jurisdiction); err != nil {
		return err
	}
	w.content(slot.Jurisdiction)
	results, err := w.Runner.Run(ctx, slot.Job, slot.Jurisdiction, slot.Date, false)
	for _, r := range results {
		if r.Err == nil && r.Settled() && r.Slot == slot {
			maps.DeleteFunc(w.settled, func(old run.Slot, _ bool) bool { return old.Date < slot.Date-1 })
			w.settled[r.Slot] = true
			if r.Missed() {
				w.missed[r.Jurisdiction] = r.Date
			}
		}
	}
	w.tell(results)
	return err
}

// tell logs what ran.
func (w *Worker) tell(results []Result) {
	for _, r := range results {
		if r.Already || r.Err != nil {
			continue
		}
		e := w.Log.Info().Str("job", r.Job).Str("jurisdiction", r.Jurisdiction).Stringer("date", r.Date)
		if late, ok := r.Late(); ok {
			e = e.Time("due", r.Due).Stringer("late", late.Round(time.Second))
		}
		e.Stringer("took", r.Took.Round(time.Millisecond)).Str("state", string(r.State)).Str("reason", r.Reason).
			Int("opened", r.Counts.Opened).Int("looked", r.Counts.Looked).Int("letters", r.Counts.Notices).Msg("job settled")
	}
}
