// Package run holds the nouns of the run ledger: which job ran for which jurisdiction and day, and what came of it.
package run

import (
	"strings"
	"time"

	"duban/jobs/civil"
)

// Slot is one place in the ledger. It is unique, and shared by the scheduler and the command line.
type Slot struct {
	Job          string     `json:"job"`
	Jurisdiction string     `json:"jurisdiction"`
	Date         civil.Date `json:"date"` // the logical date
}

// State is the state of a run.
type State string

// The states of a run. Done and skipped are settled.
const (
	Planned State = "planned" // its time is known; it has not begun
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
	Skipped State = "skipped"
)

// Run is a slot with what became of it.
type Run struct {
	Slot
	State    State     `json:"state"`
	Reason   string    `json:"reason,omitempty"` // "not a workday", "covered by 2024-09-18", or the error
	By       string    `json:"by"`               // scheduler, or the operator
	Due      time.Time `json:"due,omitzero"`     // when the clock was to start it; zero where no clock was asked
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Lease    time.Time `json:"-"` // a running slot whose lease has passed may be taken over
	Token    string    `json:"-"`
	Counts   Counts    `json:"counts"`
}

// Interrupted begins the reason of a run that a person or a stopping machine broke off: it failed at nothing.
const Interrupted = "interrupted: "

// BrokenOff reports whether the run was broken off, so that going through its range again takes it up.
func (r Run) BrokenOff() bool { return r.State == Failed && strings.HasPrefix(r.Reason, Interrupted) }

// Settled reports whether the slot needs no further run.
func (r Run) Settled() bool { return r.State == Done || r.State == Skipped }

// Counts is what a run did.
type Counts struct {
	Opened     int `json:"opened,omitempty"`
	Looked     int `json:"looked,omitempty"`
	Steps      int `json:"steps,omitempty"`
	Passed     int `json:"passed,omitempty"`
	Notices    int `json:"notices,omitempty"`
	Superseded int `json:"superseded,omitempty"`
	Cancelled  int `json:"cancelled,omitempty"`
	Held       int `json:"held,omitempty"`
	// Seq is the jurisdiction's, as the first planning of the day found it: what was entered up to it could be seen on that
	// day. Only the planning of the units' letters sets it.
	Seq int64 `json:"seq,omitempty"`
}

// Nothing reports whether a run found nothing to do.
func (c Counts) Nothing() bool {
	c.Seq = 0
	return c == Counts{}
}
