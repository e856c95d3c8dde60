package task

import (
	"fmt"
	"strings"
	"time"

	"duban/jobs/civil"
)

// Ref is the identity of an obligation, the same on every engine and on the command line.
type Ref struct {
	TaskID
	Unit     string `json:"unit"`
	Instance string `json:"instance"` // m1, 2024-06, 2024Q2, 2024-06/10, e:机构改革完成
}

// String returns "laoshan/zfzl2024/17/qjtj/m1".
func (r Ref) String() string { return r.TaskID.String() + "/" + r.Unit + "/" + r.Instance }

// ParseRef reads what Ref.String wrote. The instance may itself hold slashes.
func ParseRef(s string) (Ref, error) {
	p := strings.SplitN(s, "/", 5)
	if len(p) != 5 || p[0] == "" || p[1] == "" || p[2] == "" || p[3] == "" || p[4] == "" {
		return Ref{}, fmt.Errorf("parse obligation %q: want JURISDICTION/PLAN/ROW/UNIT/INSTANCE, as `obligations list` prints it", s)
	}
	return Ref{TaskID{p[0], p[1], p[2]}, p[3], p[4]}, nil
}

// ParseTaskID reads what TaskID.String wrote.
func ParseTaskID(s string) (TaskID, error) {
	p := strings.Split(s, "/")
	if len(p) != 3 || p[0] == "" || p[1] == "" || p[2] == "" {
		return TaskID{}, fmt.Errorf("parse task %q: want JURISDICTION/PLAN/ROW, as `tasks list` prints it", s)
	}
	return TaskID{p[0], p[1], p[2]}, nil
}

// Kind is the kind of duty, which chooses the ladder.
type Kind string

// The kinds of obligation.
const (
	Milestone  Kind = "milestone"
	Weekly     Kind = "weekly"
	Monthly    Kind = "monthly"
	Quarterly  Kind = "quarterly"
	HalfYearly Kind = "half-yearly"
	Yearly     Kind = "yearly"
	Quota      Kind = "quota"     // a number due within a year
	Condition  Kind = "condition" // a milestone whose clock an event started
	Clock      Kind = "clock"     // an event clock of hours, days or workdays
)

// Obligation (事项) is what one unit owes once: the facts fixed when it was opened. What became of it since is the
// fold of its events.
type Obligation struct {
	Ref
	Kind   Kind       `json:"kind"`
	Role   Role       `json:"role"`
	Owes   Owes       `json:"owes"`
	Label  string     `json:"label,omitempty"`  // stage, final
	Period string     `json:"period,omitempty"` // period key of a recurring duty
	Opened civil.Date `json:"opened"`
	// Nominal is what the document says; Effective is where the ladder climbs from; Assess is what the unit is judged on.
	Nominal   civil.Date `json:"nominal"`
	Effective civil.Date `json:"effective"`
	Assess    civil.Date `json:"assess"`
	// Quota is the number due, 0 for none; PaceFrom is the day its pace counts from.
	Quota    int        `json:"quota,omitempty"`
	PaceFrom civil.Date `json:"pace_from"`
	// PastAtIssue: the date was past when the plan was issued. Inherited: it fell due before the jurisdiction went live.
	// Either is listed for confirmation, and neither chased nor counted.
	PastAtIssue bool `json:"past_at_issue,omitempty"`
	Inherited   bool `json:"inherited,omitempty"`
	// Ambiguous: Effective is the earlier reading, Assess the later.
	Ambiguous bool `json:"ambiguous,omitempty"`
	// Provisional: a date rests on a year whose holidays are not published yet.
	Provisional bool `json:"provisional,omitempty"`
}

// EventKind names what happened.
type EventKind string

// The kinds of event.
const (
	Opened           EventKind = "opened"
	Confirmed        EventKind = "confirmed"
	Reported         EventKind = "reported"
	Accepted         EventKind = "accepted"
	Returned         EventKind = "returned"
	ExtensionAsked   EventKind = "extension-asked"
	ExtensionGranted EventKind = "extension-granted"
	ExtensionRefused EventKind = "extension-refused"
	Counted          EventKind = "counted"
	Contacted        EventKind = "contacted"
	Corrected        EventKind = "corrected"
	Waived           EventKind = "waived"
	Withdrawn        EventKind = "withdrawn"
	Transferred      EventKind = "transferred"
	Reopened         EventKind = "reopened"
	Redated          EventKind = "redated"   // an edited plan moved the nominal date
	Triggered        EventKind = "triggered" // on a task: a condition is met, or an event clock starts
	Clarified        EventKind = "clarified" // on a task: a person gave the reading of its cell
	// HeldBack: the bureau keeps urging and forms back until a day, and that day included; LetGo ends that early.
	HeldBack EventKind = "held"
	LetGo    EventKind = "let-go"
	// Checked: a person has compared the register with the facts: what is open there is open. Where the jurisdiction wants
	// it, urging waits for it.
	Checked EventKind = "checked"
	// Revised: other figures for the report that stands.
	Revised EventKind = "revised"
)

// Event is one thing that happened to an obligation or a task. Events are appended, never changed.
type Event struct {
	Jurisdiction string     `json:"jurisdiction"`
	Seq          int64      `json:"seq"`
	On           civil.Date `json:"on"` // the civil date it counts from
	At           time.Time  `json:"at"` // when it was recorded, UTC
	Kind         EventKind  `json:"kind"`
	Subject      string     `json:"subject"` // Ref.String() or TaskID.String()
	Who          string     `json:"who"`
	Why          string     `json:"why,omitempty"`

	Date civil.Date `json:"date"`          // returned, granted, redated, reopened: the new date; asked: the date asked for; triggered: the due date; held: the last day
	N    int        `json:"n,omitempty"`   // counted: how many; triggered: how its date leaves a rest day (1 keep, 2 previous, 3 next), 0 as the item's kind does
	Ref  string     `json:"ref,omitempty"` // counted, triggered: the reference; contacted: by what
	Unit string     `json:"unit,omitempty"`
	// Voids is the seq of the event that a correction voids.
	Voids int64 `json:"voids,omitempty"`
	// Figures are what a return carries, by the name of the duty's field: whole numbers. Nil marks a return that says there
	// was nothing (零报告): it counts as reported, with zeros. Nil on a trigger says that its end is only listed: nobody is
	// told of it, and nothing is owed by then.
	Figures map[string]int64 `json:"figures,omitempty"`
	Nil     bool             `json:"nil,omitempty"`
}

// FiredStep is a step of the ladder that was said, or passed over.
type FiredStep struct {
	Obligation string     `json:"obligation"`
	Arm        int        `json:"arm"`
	Step       string     `json:"step"`
	N          int        `json:"n"`
	Role       Role       `json:"role"`
	On         civil.Date `json:"on"`               // the logical date it was planned on
	Notice     string     `json:"notice,omitempty"` // ID of the letter that says it; empty where passed over
	Passed     string     `json:"passed,omitempty"` // the reason it was passed over
	// Seq is the jurisdiction's, after the plan that fired it: 0 where that is not known.
	Seq int64 `json:"seq,omitempty"`
}

// Cache is what the columns of an obligation repeat of its fold, so that a day finds its work by an index. Dropping
// and rebuilding it from the events changes nothing.
type Cache struct {
	Ref   string
	State State
	Arm   int
	// Nominal, Effective and Assess as the events left them.
	Nominal, Effective, Assess civil.Date
	// NextLook is the first day on which a job could have something to say; civil.Never where there is none.
	NextLook civil.Date
	// ClosedFrom is the day since which the obligation is not waiting any more; civil.Never while it waits.
	ClosedFrom civil.Date
	// Raised is the day the first step was said in any arm; civil.Never where none was.
	Raised civil.Date
	// FinalFrom is the day since which nothing about it can change but by a new event: it is closed, and no report of it
	// waits for the bureau. civil.Never while that is not so.
	FinalFrom civil.Date
}

// Record is an obligation with all that happened to it.
type Record struct {
	Obligation Obligation
	Events     []Event
	Steps      []FiredStep
	Holds      []Hold // in the order of their days
}
