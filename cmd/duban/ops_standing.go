package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

// How old the answers may be that are given to monitoring, and how long the database may take for new ones: it is not to be
// kept busy by being watched.
const (
	standingFor = 15 * time.Second
	censusFor   = 10 * time.Minute // what is overdue changes with a day, or with an entry
	standingMay = 10 * time.Second
)

// openStates are those of letters that have not come to their end: the others are history, and many.
var openStates = [...]notice.State{notice.Pending, notice.Held, notice.Sending, notice.Retry, notice.Unknown}

// standing collects what the database holds when it is scraped.
type standing struct {
	*app
	store *store.Store

	mu      sync.Mutex
	read    time.Time
	kept    []prometheus.Metric
	counted map[string]overdue // by jurisdiction
	descs   standingDescs
}

// overdue is what a jurisdiction's units owe past its date.
type overdue struct {
	at           time.Time
	items, units int
}

type standingDescs struct {
	up, letters, pendingAge, overdue, units, brakes, leases, slots, missing, paused, held *prometheus.Desc
}

func newStanding(a *app, s *store.Store) *standing {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("duban_"+name, help, labels, nil)
	}
	return &standing{app: a, store: s, counted: map[string]overdue{}, descs: standingDescs{
		up:         desc("database_up", "1 where the database answered."),
		letters:    desc("letters", "Letters that have not come to their end, by state; unknown ones wait for a person.", "jurisdiction", "state"),
		pendingAge: desc("oldest_pending_age_seconds", "Since the beginning of the day of the oldest letter that should leave; 0: none waits.", "jurisdiction"),
		overdue:    desc("obligations_overdue", "Obligations past their date.", "jurisdiction"),
		units:      desc("units_overdue", "Units with an obligation past its date.", "jurisdiction"),
		brakes:     desc("brakes", "Brakes that keep letters back, by scope.", "scope"),
		leases:     desc("leases", "Slots and letters in workers' hands.", "jurisdiction", "of"),
		slots:      desc("slots_today", "1 for the state of each slot of today.", "jurisdiction", "job", "state"),
		missing:    desc("slots_missing", "Slots due longer ago than the grace and not settled.", "jurisdiction"),
		paused:     desc("paused", "1 where somebody has paused sending.", "jurisdiction"),
		held:       desc("sending", "1 for whether letters leave now: on, off, paused, trial, brake, clock or archive (it knows more than the database, which was restored).", "jurisdiction", "state"),
	}}
}

// Describe implements prometheus.Collector.
func (c *standing) Describe(to chan<- *prometheus.Desc) {
	d := c.descs
	for _, one := range []*prometheus.Desc{d.up, d.letters, d.pendingAge, d.overdue, d.units, d.brakes, d.leases, d.slots, d.missing, d.paused, d.held} {
		to <- one
	}
}

// Collect implements prometheus.Collector. Where the database does not answer, that is all it says.
func (c *standing) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read.IsZero() || time.Since(c.read) > standingFor {
		ctx, cancel := context.WithTimeout(context.Background(), standingMay)
		defer cancel()
		got, err := c.ask(ctx)
		up := 1.0
		if err != nil {
			c.log.Warn().Err(err).Msg("read the metrics of the database")
			got, up = nil, 0
		}
		got = append(got, gauge(c.descs.up, up))
		c.kept, c.read = got, time.Now()
	}
	for _, m := range c.kept {
		to <- m
	}
}

func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (c *standing) ask(ctx context.Context) ([]prometheus.Metric, error) {
	all, err := c.store.Jurisdictions(ctx)
	if err != nil {
		return nil, err
	}
	out, err := c.brakesOf(ctx)
	if err != nil {
		return nil, err
	}
	for _, j := range all {
		for _, f := range []func(context.Context, task.Jurisdiction) ([]prometheus.Metric, error){c.lettersOf, c.slotsOf, c.overdueOf} {
			more, err := f(ctx, j)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}

func (c *standing) brakesOf(ctx context.Context) ([]prometheus.Metric, error) {
	kept, err := c.store.Brakes(ctx)
	if err != nil {
		return nil, err
	}
	now, err := c.store.Now(ctx)
	n := map[string]float64{"account": 0, "domain": 0}
	for _, b := range kept {
		if scope, _, _ := strings.Cut(b.Scope, ":"); b.Until.After(now) {
			n[scope]++
		}
	}
	return []prometheus.Metric{gauge(c.descs.brakes, n["account"], "account"), gauge(c.descs.brakes, n["domain"], "domain")}, err
}

func (c *standing) lettersOf(ctx context.Context, j task.Jurisdiction) ([]prometheus.Metric, error) {
	n, err := c.store.LetterCounts(ctx, j.Code, openStates[:]...)
	if err != nil {
		return nil, err
	}
	var out []prometheus.Metric
	for _, state := range openStates {
		out = append(out, gauge(c.descs.letters, float64(n[state]), j.Code, string(state)))
	}
	oldest := time.Duration(0)
	zone := c.policies.zone(j.Code)
	for _, state := range []notice.State{notice.Pending, notice.Retry} {
		if n[state] == 0 {
			continue
		}
		first, err := c.store.Notices(ctx, notice.Filter{Jurisdiction: j.Code, State: state, Limit: 1, Bare: true})
		if err != nil {
			return nil, err
		}
		if len(first) > 0 {
			oldest = max(oldest, c.clock().Sub(first[0].Key.Date.Time(zone)))
		}
	}
	leased, _, err := c.store.SendingLeases(ctx, notice.ClaimFilter{Jurisdiction: j.Code})
	if err != nil {
		return nil, err
	}
	running, err := c.store.Runs(ctx, run.Filter{Jurisdiction: j.Code, States: []run.State{run.Running}})
	paused := 0.0
	if j.Paused != nil {
		paused = 1
	}
	return append(out, gauge(c.descs.pendingAge, oldest.Seconds(), j.Code), gauge(c.descs.leases, float64(leased), j.Code, "letters"),
		gauge(c.descs.leases, float64(len(running)), j.Code, "slots"), gauge(c.descs.paused, paused, j.Code)), err
}

func (c *standing) slotsOf(ctx context.Context, j task.Jurisdiction) ([]prometheus.Metric, error) {
	t, err := c.timetable(c.store)
	if err != nil {
		return nil, err
	}
	now := c.clock().In(c.policies.zone(j.Code))
	stands, err := t.stands(ctx, j.Code, dateIn(now), now)
	if err != nil {
		return nil, err
	}
	var out []prometheus.Metric
	for _, s := range stands {
		state := string(s.State)
		if state == "" {
			state = "none"
		}
		out = append(out, gauge(c.descs.slots, 1, j.Code, s.Job, state))
	}
	gaps, _, err := t.missing(ctx, j.Code, now)
	if err != nil {
		return nil, err
	}
	missing := 0
	for _, g := range gaps {
		if !g.Within {
			missing += g.slots()
		}
	}
	row := statusRow{Jurisdiction: j.Code, Paused: j.Paused, RedirectTo: c.cfg.MailOf(j.Code).RedirectTo}
	if row.Brakes, err = c.brakes(ctx, c.store, j.Code); err != nil {
		return nil, err
	}
	doubt, err := c.doubt(ctx, c.store)
	if err != nil {
		return nil, err
	}
	row.Sending = c.sending(c.store, row, doubt)
	if err := c.lookAtArchive(ctx, c.store, &row); err != nil { // letters do not leave either while it cannot be read
		c.log.Warn().Str("jurisdiction", j.Code).Err(err).Msg("compare the archive with the database")
		row.Sending.State = sendingArchive
	}
	return append(out, gauge(c.descs.missing, float64(missing), j.Code), gauge(c.descs.held, 1, j.Code, row.Sending.State)), nil
}

// overdueOf counts anew from time to time only: what may still change is folded for it.
func (c *standing) overdueOf(ctx context.Context, j task.Jurisdiction) ([]prometheus.Metric, error) {
	o, ok := c.counted[j.Code]
	if !ok || time.Since(o.at) > censusFor {
		row := statusRow{Jurisdiction: j.Code, Today: c.today(j.Code), States: map[string]int{}}
		if err := c.census(ctx, c.store, &row); err != nil {
			return nil, err
		}
		o = overdue{time.Now(), row.Overdue, row.UnitsOverdue}
		c.counted[j.Code] = o
	}
	return []prometheus.Metric{gauge(c.descs.overdue, float64(o.items), j.Code), gauge(c.descs.units, float64(o.units), j.Code)}, nil
}

// readiness is one question of /readyz with its answer; nil: yes.
type readiness struct {
	name string
	err  error
}

// ready asks whether the worker can do its work: the database answers and is of this program's version, the date is believed,
// files are those loaded, no slot is missing, and the archive knows no letters that the database does not.
func (c *standing) ready(ctx context.Context) []readiness {
	if _, err := c.store.Now(ctx); err != nil {
		c.log.Warn().Err(err).Msg("ask the database whether it is there")
		return []readiness{{"database", errors.New("it does not answer")}} // what it said may name accounts
	}
	out := []readiness{{"database", nil}, {"schema", c.schema(ctx)}}
	if out[1].err != nil {
		return out
	}
	doubt, err := c.doubt(ctx, c.store)
	out = append(out, readiness{"date", errors.Join(doubt, err)})
	all, err := c.store.Jurisdictions(ctx)
	if err != nil {
		return append(out, readiness{"jurisdictions", err})
	}
	t, err := c.timetable(c.store)
	if err != nil {
		return append(out, readiness{"schedule", err})
	}
	for _, j := range all {
		out = append(out, readiness{"versions of " + j.Code, c.inVersion(ctx, j.Code)}, readiness{"slots of " + j.Code, c.settled(ctx, t, j.Code)},
			readiness{"archive of " + j.Code, c.archived(ctx, j.Code)})
	}
	return out
}

func (c *standing) schema(ctx context.Context) error {
	have, want, err := c.store.SchemaVersion(ctx)
	if err == nil && have != want {
		return fmt.Errorf("the tables are at version %d, this program is made for %d", have, want)
	}
	return err
}

func (c *standing) inVersion(ctx context.Context, code string) error {
	words, err := c.versionsDiffer(ctx, c.store, code)
	if err == nil && words != "" {
		return errors.New(words)
	}
	return err
}

func (c *standing) archived(ctx context.Context, code string) error {
	g, err := c.archiveGapOf(ctx, c.store, code, false)
	if err == nil && !g.Empty() {
		return archiveAheadError{g}
	}
	return err
}

func (c *standing) settled(ctx context.Context, t timetable, code string) error {
	gaps, _, err := t.missing(ctx, code, c.clock())
	if err != nil {
		return err
	}
	if len(gaps) > 0 { // where it cannot be read, the question after this one says so
		if known, err := c.archiveGapOf(ctx, c.store, code, false); err == nil {
			reconcileFirst(gaps, known)
		}
	}
	var words []string
	for _, g := range gaps {
		if !g.Within {
			words = append(words, g.words()+" → "+g.Do)
		}
	}
	if len(words) > 0 {
		return errors.New(strings.Join(words, "; "))
	}
	return nil
}
