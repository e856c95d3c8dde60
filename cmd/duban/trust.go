package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/store"
)

// machineNow is the machine's clock.
func (a *app) machineNow() time.Time {
	if a.machine != nil {
		return a.machine()
	}
	return time.Now()
}

// confirmToday is the value of --confirm-date where none is given.
const confirmToday = "today"

// confirmFlag adds --confirm-date, whose value may be left out.
func confirmFlag(f *pflag.FlagSet, value *string) {
	f.StringVar(value, "confirm-date", "", "go on although the machine's date looks wrong; with =YYYY-MM-DD only where that is today")
	f.Lookup("confirm-date").NoOptDefVal = confirmToday
}

// confirmation is what the database keeps of a date that a person confirmed. It holds for all of that day.
type confirmation struct {
	Day  civil.Date `json:"day"`  // that was confirmed
	Over time.Time  `json:"over"` // the last start in the ledger at that time, which the day was confirmed against
	// At is the latest instant that was trusted because of it. While the ledger holds no start after Over, the day is
	// compared with this: a ledger with a run of the year 2099 in it is confirmed once, and not daily until then.
	At time.Time `json:"at"`
}

// confirmationName is under which name the database keeps it.
const confirmationName = "confirmed_date"

func readConfirmation(ctx context.Context, s *store.Store) (c confirmation, err error) {
	text, err := s.Meta(ctx, confirmationName)
	if errors.Is(err, task.ErrNotFound) || err == nil && text == "" {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &c)
	}
	if err != nil {
		return c, fmt.Errorf("read the confirmed date: %w", err)
	}
	return c, nil
}

func (c confirmation) save(ctx context.Context, s *store.Store) error {
	text, err := json.Marshal(c)
	if err == nil {
		err = s.SetMeta(ctx, confirmationName, string(text))
	}
	if err != nil {
		return fmt.Errorf("keep the confirmed date: %w", err)
	}
	return nil
}

// clocks are what a day is judged by.
type clocks struct {
	now       time.Time
	zone      *time.Location
	last      time.Time // the last start in the ledger
	off       time.Duration
	confirmed confirmation
}

func (a *app) readClocks(ctx context.Context, s *store.Store) (c clocks, err error) {
	c.now, c.zone = a.machineNow(), a.policies.zone("")
	if c.last, err = s.LastStarted(ctx); err != nil {
		return c, fmt.Errorf("check the date: %w", err)
	}
	if c.off, err = a.clockOff(ctx, s); err != nil {
		return c, err
	}
	c.confirmed, err = readConfirmation(ctx, s)
	return c, err
}

// clockOff is how far the machine's clock is ahead of the database's. An embedded database has the machine's.
func (a *app) clockOff(ctx context.Context, s *store.Store) (time.Duration, error) {
	if s.Dialect() == "sqlite" {
		return 0, nil
	}
	before := a.machineNow()
	database, err := s.Now(ctx)
	if err != nil {
		return 0, fmt.Errorf("check the clock: %w", err)
	}
	return before.Add(a.machineNow().Sub(before) / 2).Sub(database), nil
}

func (c clocks) today() civil.Date { return civil.In(c.now, c.zone) }

// leaning reports whether the ledger's last start is one that a person has overruled.
func (c clocks) leaning() bool { return c.confirmed.Day != 0 && !c.last.After(c.confirmed.Over) }

// doubt is a run.DoubtError where the day is not to be believed.
func (c clocks) doubt() error {
	if c.confirmed.Day == c.today() {
		return nil
	}
	last := c.last
	if c.leaning() {
		last = c.confirmed.At
	}
	if err := run.CheckDate(c.now, last, c.zone); err != nil {
		return err
	}
	return run.CheckClocks(c.now, c.off, c.zone)
}

// trust refuses a day that is not to be believed: nothing is to be planned or sent on it. A day confirmed before is
// kept up to date.
func (a *app) trust(ctx context.Context, s *store.Store) error {
	c, err := a.readClocks(ctx, s)
	if err == nil {
		err = c.doubt()
	}
	if err != nil || !c.leaning() || civil.In(c.confirmed.At, c.zone) == c.today() {
		return err
	}
	c.confirmed.At = c.now
	return c.confirmed.save(ctx, s)
}

// confirm notes that a person has confirmed the day, where it was in doubt. value is that of --confirm-date; it is no
// longer a confirmation where it names another day.
func (a *app) confirm(ctx context.Context, s *store.Store, value string) error {
	if value == "" {
		return nil
	}
	c, err := a.readClocks(ctx, s)
	if err != nil {
		return err
	}
	if value != confirmToday {
		d, err := a.date("confirm-date", value, 0)
		if err != nil {
			return err
		}
		if d != c.today() {
			return usagef("--confirm-date=%s: this machine's clock says %s; set the clock right, or confirm the day it says", d, c.today())
		}
	}
	var doubt run.DoubtError
	if !errors.As(c.doubt(), &doubt) {
		return nil
	}
	return confirmation{Day: c.today(), Over: c.last, At: c.now}.save(ctx, s)
}

// trusted is confirm and trust for a command: a day that is not to be believed is a mistake of the call.
func (a *app) trusted(ctx context.Context, s *store.Store, value string) error {
	if err := a.confirm(ctx, s, value); err != nil {
		return err
	}
	err := a.trust(ctx, s)
	var doubt run.DoubtError
	if errors.As(err, &doubt) {
		return usagef("nothing was planned or sent: %w", err)
	}
	return err
}

// warnOfClock logs that the machine's clock and the database's differ.
func (a *app) warnOfClock(ctx context.Context, s *store.Store) error {
	off, err := a.clockOff(ctx, s)
	if err == nil && off.Abs() > run.ClockOff {
		a.log.Warn().Str("clock", run.Apart(off.Round(time.Second))).Msg("this machine's clock and the database's differ: set the clocks right")
	}
	return err
}
