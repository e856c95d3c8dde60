package task

import "duban/jobs/civil"

// ClosingKind is the length of period that was closed.
type ClosingKind string

// The kinds of closing.
const (
	MonthClose   ClosingKind = "month"
	QuarterClose ClosingKind = "quarter"
	HalfClose    ClosingKind = "half"
	YearClose    ClosingKind = "year"
)

// Closing (期次关账) is a period that was closed: its figures are frozen as they stood on the day. What is corrected
// afterwards is a closing of its own that restates the first; the frozen figures stay.
type Closing struct {
	Jurisdiction string      `json:"jurisdiction"`
	Kind         ClosingKind `json:"kind"`
	// Plan and Row name the duty that was closed; both empty: the whole jurisdiction.
	Plan string `json:"plan,omitempty"`
	Row  string `json:"row,omitempty"`
	// Period is the instance that was closed: 2024-06, 2024-06/15, 2024Q2, 2024H1, 2024.
	Period string     `json:"period"`
	On     civil.Date `json:"on"`  // the logical day of closing
	Seq    int64      `json:"seq"` // the jurisdiction's seq that the figures were read at
	// Issue is the number of the summary (第N期) within the year, from 1; a restatement has none.
	Issue int `json:"issue,omitempty"`
	// Version is 0 for the closing itself, and counts the restatements from 1.
	Version int `json:"version"`
	// Notice is the letter that says it.
	Notice string `json:"notice,omitempty"`
	// Frozen holds the figures as JSON.
	Frozen string `json:"frozen"`
}

// Hold is a decision that a step which is due waits, stored when its reason is another than before.
type Hold struct {
	Obligation string     `json:"obligation"`
	Arm        int        `json:"arm"`
	Step       string     `json:"step"`
	On         civil.Date `json:"on"`
	Reason     string     `json:"reason"`
}
