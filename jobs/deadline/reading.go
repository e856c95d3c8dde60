// Package deadline reads the text of a deadline cell (完成时限) into a schedule.
//
// It is a pure function of the text and the plan's issue date. It never guesses silently: what has two readings is
// marked ambiguous and carries both, and what cannot be read is refused with a reason, so that a person decides.
package deadline

import "duban/jobs/civil"

// Version names the rules of this parser. A reading is frozen at import together with it; a newer program reads the
// same cell anew only on command.
const Version = 1

// Reading is what a deadline cell says. Its JSON is part of the command-line contract (`parse deadline --output json`).
type Reading struct {
	Text       string `json:"text"`
	Understood bool   `json:"understood"`
	// Ambiguous is set where the text has two honest readings; Milestones or Recurrences then hold the earlier one
	// and Alternatives the later.
	Ambiguous bool `json:"ambiguous"`
	// Provisional is set where a date rests on a working-day calendar that is not published yet. The parser itself
	// never sets it; whoever resolves working days does.
	Provisional bool `json:"provisional"`
	// Soft keeps a softening word of the source (原则上, 力争). The date stands all the same.
	Soft         string       `json:"soft"`
	Milestones   []Milestone  `json:"milestones"`
	Standing     bool         `json:"standing"`
	Alternatives []civil.Date `json:"alternatives"`
	// Recurrence is the first of Recurrences, or null.
	Recurrence  *Recurrence  `json:"recurrence"`
	Recurrences []Recurrence `json:"recurrences"`
	Quota       *Quota       `json:"quota"`
	Condition   *Condition   `json:"condition"`
	// Reason says why the text was refused or why it is ambiguous; empty otherwise.
	Reason string `json:"reason"`
	// Trace names, in order, which characters gave which reading.
	Trace []Span `json:"trace,omitempty"`
}

// Span is one entry of the trace: a piece of the normalised text and what was made of it.
type Span struct {
	Text string `json:"text"`
	Read string `json:"read"`
}

// Milestone labels. A single date has the empty label.
const (
	Stage = "stage" // 阶段性成果, 阶段性成效
	Final = "final" // 完成, after a stage
)

// Milestone is one dated result.
type Milestone struct {
	Due   civil.Date `json:"due"`
	Label string     `json:"label"`
	Text  string     `json:"text"`
}

// Every is the length of a recurring duty's period.
type Every string

// The periods a duty can recur in.
const (
	Week    Every = "week"
	Month   Every = "month"
	Quarter Every = "quarter"
	Half    Every = "half"
	Year    Every = "year"
)

// Recurrence is a duty that comes back every period. Dates holds, for a week, weekday names ("Friday"); for a month,
// days of the month ("25") or "end"; for a quarter, "end" or "MM-DD" counted inside the quarter as month of the
// quarter and day ("01-10": the tenth of its first month); for half-years and years "end" or calendar "MM-DD".
type Recurrence struct {
	Every Every    `json:"every"`
	Dates []string `json:"dates"`
	// Next is the first due date on or after the issue date; zero when no issue date was given.
	Next civil.Date `json:"next"`
	// From and Until are the first and the last day on which a date can be due, where the text names them
	// (2024年每月25日前, 自2024年7月起每季度); zero, and absent from the JSON, where it does not.
	From  civil.Date `json:"from,omitempty"`
	Until civil.Date `json:"until,omitempty"`
}

// Quota is a number to be reached: within each period of Per, or once, by the milestone, where Per is empty (null in JSON).
type Quota struct {
	Min int    `json:"min"`
	Per *Every `json:"per"`
}

// Condition is an event that has to happen before the clock starts.
type Condition struct {
	Event  string  `json:"event"`
	Offset *Offset `json:"offset"`
}

// Offset is a length of time counted from an event. Counting starts the day after it (Civil Code art. 201).
type Offset struct {
	N    int    `json:"n"`
	Unit string `json:"unit"` // hour, day, workday, month, year
	Dir  string `json:"dir"`  // after, before
}
