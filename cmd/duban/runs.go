package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/run"
	"duban/store"
)

// ledgerRow is a slot as `runs list` and `run` print it in JSON. Instants are UTC.
type ledgerRow struct {
	run.Slot
	State    run.State `json:"state"`
	Reason   string    `json:"reason,omitempty"`
	By       string    `json:"by"`
	Due      time.Time `json:"due,omitzero"` // absent: no clock was asked
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	// Late is how many seconds after its time it was started, below zero where before; Took how many it took.
	Late   *float64   `json:"late_seconds,omitempty"`
	Took   *float64   `json:"took_seconds,omitempty"`
	Counts run.Counts `json:"counts"`
}

func rowOfRun(r run.Run) ledgerRow {
	row := ledgerRow{
		Slot: r.Slot, State: r.State, Reason: r.Reason, By: r.By, Due: r.Due.UTC(), Started: r.Started.UTC(), Finished: r.Finished.UTC(), Counts: r.Counts,
	}
	if r.State == run.Skipped { // it was never started
		return row
	}
	if late, ok := r.Late(); ok {
		row.Late = seconds(late)
	}
	if took, ok := r.Took(); ok {
		row.Took = seconds(took)
	}
	return row
}

func seconds(d time.Duration) *float64 {
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

// newestRuns is how many slots a list shows where nothing else is said.
const newestRuns = 200

// whichRuns are the flags of a list of slots.
type whichRuns struct {
	job, code, from, to, state string
	limit                      int
	lens                       lens
}

func (a *app) runsCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "runs", Short: "The run ledger: what ran, what did not and why, what is to come",
		Example: "  duban runs list --job remind --from 2024-09-29 --to 2024-10-12",
	}
	c.AddCommand(a.runsListCmd())
	return c
}

func (a *app) runsListCmd() *cobra.Command {
	var w whichRuns
	c := &cobra.Command{
		Use: "list", Short: "Slots of the run ledger, the newest first",
		Long: `A slot is a job of a jurisdiction on a day. It is planned, running, done, failed, or skipped with its reason; the table says
when it was due and started in the jurisdiction's zone, how late that was, how long it took, who ran it and what came of it.`,
		Example: "  duban runs list --from 2024-09-29 --to 2024-10-12\n  duban runs list --state failed\n  duban runs list --job remind --jurisdiction laoshan --limit 0 --output json",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.look(c.Context(), w.lens, w.code)
			if err != nil {
				return err
			}
			return a.listRuns(c.Context(), s, w)
		},
	}
	f := c.Flags()
	f.StringVar(&w.job, "job", "", "one job, for example remind")
	f.StringVar(&w.code, "jurisdiction", "", "one jurisdiction; default all")
	f.StringVar(&w.from, "from", "", "first logical date")
	f.StringVar(&w.to, "to", "", "last logical date")
	f.StringVar(&w.state, "state", "", "planned, running, done, failed or skipped")
	f.IntVar(&w.limit, "limit", newestRuns, "the newest so many; 0: all")
	w.lens.flags(c)
	return c
}

func (a *app) listRuns(ctx context.Context, s *store.Store, w whichRuns) error {
	f := run.Filter{Job: w.job, Jurisdiction: w.code, Limit: w.limit}
	var err error
	if f.From, f.To, err = a.days(w.from, w.to); err != nil {
		return err
	}
	if err := oneOf("state", w.state, string(run.Planned), string(run.Running), string(run.Done), string(run.Failed), string(run.Skipped)); err != nil {
		return err
	}
	if w.state != "" {
		f.States = []run.State{run.State(w.state)}
	}
	if w.job != "" && w.job != (jobs.Health{}).Name() { // which the clock starts, and no call
		if _, err := a.runner(s, "").Find(w.job); err != nil {
			return usageError{err}
		}
	}
	if w.code != "" {
		if _, err := jurisdictions(ctx, s, w.code); err != nil {
			return err
		}
	}
	if w.limit < 0 {
		return usagef("--limit %d: want a number of slots, or 0 for all", w.limit)
	}
	runs, err := s.Runs(ctx, f)
	if err != nil {
		return err
	}
	if a.asJSON() {
		for _, r := range runs {
			if err := a.json(rowOfRun(r)); err != nil {
				return err
			}
		}
		return nil
	}
	head := []string{"DATE", "JOB", "JURISDICTION", "STATE", "DUE", "STARTED", "LATE", "TOOK", "BY", "WHAT CAME OF IT"}
	if err := list(a, runs, head, a.runCells); err != nil {
		return err
	}
	if w.limit > 0 && len(runs) == w.limit {
		a.say("the newest %d; --limit 0 shows all", w.limit)
	}
	return nil
}

// runCells is a slot in a table.
func (a *app) runCells(r run.Run) []string {
	row := rowOfRun(r)
	zone := a.policies.zone(r.Jurisdiction)
	started := r.Started
	if r.State == run.Skipped {
		started = time.Time{}
	}
	cells := []string{r.Date.String(), r.Job, r.Jurisdiction, string(r.State), dayTime(r, r.Due, zone), dayTime(r, started, zone), "", "", r.By, ""}
	if late, ok := r.Late(); ok && row.Late != nil {
		cells[6] = run.Length(late)
	}
	if took, ok := r.Took(); ok && row.Took != nil {
		cells[7] = brief(took)
	}
	switch {
	case r.Reason != "":
		cells[9] = r.Reason
	case r.State == run.Done:
		cells[9] = cameTo(r)
	}
	return cells
}

// dayTime is the hour of an instant, with its day where that is not the slot's.
func dayTime(r run.Run, at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(zone)
	if at.Format(time.DateOnly) == r.Date.String() {
		return at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// brief is a short length of time, to the millisecond.
func brief(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Millisecond).String()
	}
	return run.Length(d)
}

// cameTo says what a run that is done did.
func cameTo(r run.Run) string {
	switch c := r.Counts; {
	case r.Job == "open":
		return fmt.Sprintf("%d obligations opened", c.Opened)
	case c.Nothing():
		return "nothing to say"
	default:
		return fmt.Sprintf("%d looked at, %d steps said, %d passed over, %d held, %s", c.Looked, c.Steps, c.Passed, c.Held, many(c.Notices, "letter"))
	}
}
