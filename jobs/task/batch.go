package task

import (
	"errors"
	"time"

	"duban/jobs/civil"
)

// What a register may answer. Every store maps its own errors to these.
var (
	// ErrMoved: the jurisdiction was written to since the snapshot was read. Read and decide again.
	ErrMoved = errors.New("the register moved meanwhile")
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrExists: there is such a row already.
	ErrExists = errors.New("exists already")
	// ErrLost: the claim on a slot or a letter was lost to another worker.
	ErrLost = errors.New("the claim was lost to another worker")
)

// Batch is one write to a jurisdiction: all of it or nothing. Source versions and events get the next sequence numbers
// in the order of the batch.
type Batch struct {
	At           time.Time // the instant of recording, UTC
	Jurisdiction *Jurisdiction
	Plans        []Plan
	Tasks        []Task
	Units        []Unit
	Groups       []Group
	People       []Person
	Obligations  []Obligation // new ones
	Events       []Event
	Caches       []Cache
	Silences     []Silence
	Occurrences  []Occurrence
	Trainings    []Training
	NextOpen     map[TaskID]civil.Date
}

// RecordFilter selects obligations; empty fields select all. Records come in the order of their refs, after After.
type RecordFilter struct {
	Plan, Row, Unit string
	Kind            Kind
	State           State
	After           string
	Limit           int
}

// Tally counts obligations of one row that are settled for good, by what their unit owed and how they ended.
type Tally struct {
	TaskID TaskID
	Role   Role
	Owes   Owes
	State  State
	N      int
}

// PeriodDue is one instance of a duty with the last day on which a unit's return of it was due when it was opened.
type PeriodDue struct {
	TaskID   TaskID
	Kind     Kind
	Instance string
	Due      civil.Date
}
