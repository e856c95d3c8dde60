package main

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/notice"
	"duban/store"
)

// healthRunner runs the operations letter alone: no other job comes before it, and no failure of theirs keeps it back.
func (a *app) healthRunner(s *store.Store, by string) jobs.Runner {
	return jobs.Runner{
		Jobs: []jobs.Job{jobs.Health{
			Store: s, Settings: a.policies.settings, To: a.cfg.Ops.MailTo,
			Look: func(ctx context.Context, code string, d civil.Date) (jobs.Condition, error) {
				return a.condition(ctx, s, code, d)
			},
		}},
		Slots: s.As(holder(), gone), Lease: slotLease, By: by, Clock: a.machineNow,
	}
}

// condition is how the program stands with the jurisdiction, as its operations letter tells.
func (a *app) condition(ctx context.Context, s *store.Store, code string, d civil.Date) (jobs.Condition, error) {
	j, err := s.Jurisdiction(ctx, code)
	if err != nil {
		return jobs.Condition{}, err
	}
	row, err := a.status(ctx, s, j)
	if err != nil {
		return jobs.Condition{}, err
	}
	set, err := a.policies.settings(code)
	if err != nil {
		return jobs.Condition{}, err
	}
	c := jobs.Condition{
		Workday: set.Calendar.Day(d).Workday, Needs: row.Needs, HolidaysTo: row.Calendar.LastPublished, Version: versionName(),
		Sending: row.Sending.State == sendingOn || row.Sending.State == sendingOff || row.Sending.State == sendingTrial,
		Letters: map[notice.State]int{}, Waiting: map[notice.State]int{},
	}
	for _, state := range []notice.State{notice.Pending, notice.Held, notice.Sending, notice.Retry, notice.Unknown} {
		c.Waiting[state] = row.Letters[string(state)]
	}
	today, err := s.Briefs(ctx, code, d, d)
	if err != nil {
		return jobs.Condition{}, err
	}
	for _, l := range today {
		c.Letters[l.State]++
	}
	t, err := a.timetable(s)
	if err != nil {
		return jobs.Condition{}, err
	}
	if at := t.on(jobs.Health{}.Name(), d, row.now.Location()); !at.IsZero() {
		c.Health = at.Format("15:04")
	}
	for _, s := range row.Slots {
		if s.Next != nil {
			c.Next = append(c.Next, jobs.SlotStand{Job: s.Job, Due: s.Next.Due})
		}
	}
	c.Slots, err = t.stands(ctx, code, d, row.now)
	return c, err
}

// stands are the slots of a day that the clock starts, but for the operations letter's own, with what the ledger says.
func (t timetable) stands(ctx context.Context, code string, d civil.Date, now time.Time) ([]jobs.SlotStand, error) {
	runs, err := t.store.Runs(ctx, run.Filter{Jurisdiction: code, From: d, To: d})
	if err != nil {
		return nil, err
	}
	var out []jobs.SlotStand
	for _, job := range t.jobs {
		due := t.on(job, d, now.Location())
		if due.IsZero() {
			continue
		}
		s := jobs.SlotStand{Job: job, Due: due}
		if i := slices.IndexFunc(runs, func(r run.Run) bool { return r.Job == job }); i >= 0 {
			s.State, s.Reason, s.Counts = runs[i].State, notify.MaskAll(oneLine(runs[i].Reason)), runs[i].Counts
		}
		if s.State != run.Done && s.State != run.Skipped {
			s.Late = max(now.Sub(due), 0)
		}
		out = append(out, s)
	}
	return out, nil
}

// versionName is the program's version: that of the build, else that of its module.
func versionName() string {
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		return info.Main.Version
	}
	return cmp.Or(version, "unknown")
}

// postOffice keeps the dispatchers of a worker, one for each jurisdiction, since each remembers how its server behaves.
type postOffice struct {
	*app
	store *store.Store
	fit   func(*notify.Dispatcher) // for what it delivers

	mu   sync.Mutex
	open map[string]*notify.Dispatcher
}

func (a *app) postOffice(s *store.Store, fit func(*notify.Dispatcher)) *postOffice {
	return &postOffice{app: a, store: s, fit: fit, open: map[string]*notify.Dispatcher{}}
}

// operationsOffice delivers the operations letters: at any hour of any day, of a paused jurisdiction too, and while the archive
// knows more than a restored database.
func (a *app) operationsOffice(s *store.Store) *postOffice {
	return a.postOffice(s, func(d *notify.Dispatcher) {
		if d.Ready != nil {
			d.Ready = func(ctx context.Context, code string) error { return a.operationsKnown(ctx, s, code) }
		}
	})
}

func (p *postOffice) dispatcherOf(code string) (*notify.Dispatcher, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := p.open[code]; ok {
		return d, nil
	}
	d, err := p.dispatcher(p.store, code)
	if err != nil {
		return nil, err
	}
	d.Wait = -1 // the next heartbeat takes what another worker holds now
	p.fit(d)
	p.meter.attach(d)
	p.open[code] = d
	return d, nil
}

// deliver sends the letters of the day and, where it is planned, those of earlier days that nobody took over.
func (p *postOffice) deliver(ctx context.Context, code string, d civil.Date, planned bool) error {
	dispatcher, err := p.dispatcherOf(code)
	if err != nil {
		return err
	}
	_, err = leave(ctx, p.store, dispatcher, code, d, planned)
	return err
}

// operations sends the operations letters of the day, and those of days before it that are still tried.
func (p *postOffice) operations(ctx context.Context, code string, d civil.Date) (notify.Summary, error) {
	dispatcher, err := p.dispatcherOf(code)
	if err != nil {
		return notify.Summary{}, err
	}
	return dispatcher.Run(ctx, notice.ClaimFilter{Jurisdiction: code, Before: d + 1, Kind: notice.Operations})
}

// healthWorker writes and sends the operations letters by the clock. It is a worker of its own, since it is to work where the
// other does not: files may differ from the versions loaded, a job may fail, letters may be paused.
func (a *app) healthWorker(s *store.Store) (*jobs.Worker, error) {
	t, err := a.timetable(s)
	if err != nil {
		return nil, err
	}
	office := a.operationsOffice(s)
	log := a.log
	if log.GetLevel() < zerolog.ErrorLevel { // the other worker says the rest
		log = log.Level(zerolog.ErrorLevel)
	}
	runner := a.healthRunner(s, "scheduler")
	a.meter.watch(&runner, s.As(holder(), gone))
	return &jobs.Worker{
		Runner: runner, Zone: a.policies.zone,
		Jurisdictions: func(ctx context.Context) ([]task.Jurisdiction, error) {
			// A letter of a wrong day would be no sign of life; the other worker says that the day is not believed.
			if a.trust(ctx, s) == nil {
				return s.Jurisdictions(ctx)
			}
			return nil, nil
		},
		Trust:   func(context.Context, time.Time) error { return nil },
		Prepare: func(context.Context, string) error { return nil },
		Deliver: func(ctx context.Context, code string, d civil.Date, _ bool) error {
			sum, err := office.operations(ctx, code, d)
			if err == nil && sum.Sent > 0 {
				a.log.Info().Str("jurisdiction", code).Stringer("date", d).Msg("operations letter sent")
			}
			return err
		},
		Slots: s, Settings: a.policies.settings, Specs: t.specs, Heartbeat: t.specs["heartbeat"],
		Shutdown: a.cfg.Worker.ShutdownTimeout, Clock: a.clock, Log: log,
	}, nil
}

// runHealth writes the operations letter of a day by hand, and sends it.
func (a *app) runHealth(ctx context.Context, s *store.Store, h byHand) error {
	all, err := jurisdictions(ctx, s, h.code)
	if err != nil {
		return err
	}
	if err := a.trusted(ctx, s, h.confirm); err != nil {
		return err
	}
	office := a.operationsOffice(s)
	var errs []error
	for _, j := range all {
		errs = append(errs, a.runHealthOf(ctx, s, office, j, h))
	}
	return errors.Join(slices.CompactFunc(errs, sameWords)...)
}

func (a *app) runHealthOf(ctx context.Context, s *store.Store, office *postOffice, j task.Jurisdiction, h byHand) error {
	d, err := a.date("date", h.day, a.today(j.Code))
	if err != nil {
		return err
	}
	if d > a.today(j.Code) {
		return usagef("run health for %s: the day has not come", d)
	}
	results, err := runSlots(ctx, a.healthRunner(s, h.by), []string{jobs.Health{}.Name()}, j.Code, d, h.again)
	if perr := a.printSlots(results, d); perr != nil || err != nil {
		return errors.Join(err, perr)
	}
	sum, err := office.operations(ctx, j.Code, d)
	if err != nil || sum == (notify.Summary{}) {
		return err
	}
	a.say("%-15s %-10s %s  %s", "letters", j.Code, d, letterCounts(sum, task.Jurisdiction{}))
	return nil
}
