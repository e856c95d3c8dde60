// Package explain says of one obligation how its dates came about, how it stands, and why a letter goes or does not go on
// a day: by the planner's own decision, so that what it says is what happens.
package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// Input is what an explanation rests on.
type Input struct {
	Case     planner.Case
	Settings planner.Settings
	Day      civil.Date
	// Triggers are the events of the row: what started its clock, and who read its cell.
	Triggers []task.Event
	// Letters are the letters of the obligation's steps, by ID.
	Letters map[string]notice.Brief
	// Documents are the formal letters among them.
	Documents []notice.Document
	// Planned is the seq that the planning of the day was made on; 0: the day is not planned yet, or is none that is.
	Planned int64
}

// Explanation answers where an obligation comes from, how it stands on a day, and what is said about it. Its JSON is part
// of the command-line contract.
type Explanation struct {
	ID        string     `json:"id"`
	AsOf      civil.Date `json:"as_of"`
	Workday   bool       `json:"workday"`
	Plan      string     `json:"plan"`
	DocNumber string     `json:"doc_number,omitempty"`
	Row       string     `json:"row"`
	Title     string     `json:"title"`
	Unit      string     `json:"unit"`

	// Deadline is the cell as written, Read what was read of it, piece by piece.
	Deadline  string          `json:"deadline"`
	Read      []deadline.Span `json:"read"`
	ReadBy    string          `json:"read_by"`
	Doubt     string          `json:"doubt,omitempty"` // why the cell has two readings, or none
	Soft      string          `json:"soft,omitempty"`  // 原则上, 力争
	Instance  string          `json:"instance"`
	Kind      task.Kind       `json:"kind"`
	Role      task.Role       `json:"role"`
	Owes      task.Owes       `json:"owes"`
	Opened    civil.Date      `json:"opened"`
	Nominal   Date            `json:"nominal"`
	Effective Date            `json:"effective"`
	Assess    Date            `json:"assess"`
	// T is the last working day on or before the effective date, from which the ladder counts.
	T civil.Date `json:"t"`

	State task.State `json:"state"`
	Since civil.Date `json:"since"`
	// Standing puts the state into words; Notes are what else stands about it.
	Standing string   `json:"standing"`
	Notes    []string `json:"notes"`

	Arm   int    `json:"arm"`
	Steps []Step `json:"steps"` // of the present arm, and what was said in earlier ones
	// Goes says that a letter or a draft speaks of it on the day; Today says why, or why not.
	Goes  bool   `json:"goes"`
	Today string `json:"today"`
	Next  Next   `json:"next"`
}

// Date is one of the three dates with where it comes from: its origin, then each change.
type Date struct {
	On          civil.Date `json:"on"`
	From        []string   `json:"from"`
	Provisional bool       `json:"provisional,omitempty"`
}

// Step is one step of the ladder as it stands on the day.
type Step struct {
	planner.StepDecision
	// What puts its state into words.
	What string `json:"what"`
}

// Next is what comes next as things stand: if nothing is recorded until then, and every letter is served.
type Next struct {
	Step string      `json:"step,omitempty"`
	Rung ladder.Rung `json:"rung,omitempty"`
	On   civil.Date  `json:"on,omitzero"`
	// Check is the day on which the bureau's digest asks to check the register before it.
	Check civil.Date `json:"check,omitzero"`
	What  string     `json:"what"`
}

// explainer is one explanation in the making.
type explainer struct {
	Input
	set    planner.Settings // in force on the day
	status task.Status
	events []task.Event // in force on the day
}

// Explain explains the obligation of the input as of its day.
func Explain(in Input) Explanation {
	in.Case.Record.Events = slices.DeleteFunc(slices.Clone(in.Case.Record.Events), func(e task.Event) bool { return e.On > in.Day })
	in.Case.Record.Steps = slices.DeleteFunc(slices.Clone(in.Case.Record.Steps), func(f task.FiredStep) bool { return f.On > in.Day })
	decision := planner.Decide(in.Case, in.Settings, in.Day)
	x := explainer{
		Input: in, set: in.Settings.On(in.Day), status: decision.Status, events: task.InForce(in.Case.Record.Events, in.Day),
	}
	o, t, st := in.Case.Record.Obligation, in.Case.Task, decision.Status
	e := Explanation{
		ID: o.Ref.String(), AsOf: in.Day, Workday: x.set.Calendar.IsWorkday(in.Day),
		Plan: in.Case.Plan.Title, DocNumber: in.Case.Plan.DocNumber, Row: t.Row, Title: t.Title, Unit: cmp.Or(in.Case.Unit.Name, o.Unit),
		Deadline: t.DeadlineText, Read: t.Reading.Trace, ReadBy: x.readBy(), Doubt: t.Reading.Reason, Soft: t.Reading.Soft,
		Instance: o.Instance, Kind: o.Kind, Role: o.Role, Owes: o.Owes, Opened: o.Opened,
		T: x.set.Calendar.OnOrBefore(st.Effective), State: st.State, Since: st.Since, Standing: x.standing(), Notes: x.notes(), Arm: st.Arm,
		Today: decision.Today,
	}
	e.Nominal, e.Effective, e.Assess = x.dates()
	for _, s := range decision.Steps {
		e.Steps = append(e.Steps, Step{s, x.step(s)})
		e.Goes = e.Goes || s.Arm == st.Arm && (s.State == planner.StepToday || s.State == planner.StepFired && s.On == in.Day)
	}
	e.Next = x.next(decision)
	return e
}

// readBy says who read the cell.
func (x *explainer) readBy() string {
	t := x.Case.Task
	if t.ClarifiedBy != "" {
		return "clarified by " + t.ClarifiedBy
	}
	return fmt.Sprintf("parser %d", t.Parser)
}

// standing puts the state into words.
func (x *explainer) standing() string {
	st, cal := x.status, x.set.Calendar
	due := max(st.Effective, st.Assess)
	switch {
	case st.State == task.Waiting && st.Unconfirmed:
		return "waits for confirmation: past when the plan was issued, or inherited; neither chased nor counted"
	case st.State == task.Waiting && x.Case.Record.Obligation.Owes != task.OwesDeliver:
		return fmt.Sprintf("open; the unit owes no result of its own (%s)", x.Case.Record.Obligation.Owes)
	case st.State == task.Waiting && x.Day > due && cal.Count(due, x.Day) == 0:
		return "waiting, overdue, no workday since"
	case st.State == task.Waiting && x.Day > due:
		return fmt.Sprintf("waiting, overdue by %s", workdays(cal.Count(due, x.Day)))
	case st.State == task.Waiting && x.Day > st.Effective:
		return fmt.Sprintf("waiting, past the earlier date and not overdue before the end of %s", due)
	case st.State == task.Waiting && cal.Count(x.Day, cal.OnOrBefore(st.Effective)) <= 0:
		return fmt.Sprintf("waiting, due by the end of %s: no workday left after this one", st.Effective)
	case st.State == task.Waiting:
		return fmt.Sprintf("waiting, %s left", workdays(cal.Count(x.Day, cal.OnOrBefore(st.Effective))))
	case st.State == task.Answered && x.set.Terms.AcceptAfter > 0:
		return fmt.Sprintf("reported on %s; without the bureau's answer it counts as accepted from the end of %s", st.Reported, cal.Add(st.Reported, x.set.Terms.AcceptAfter))
	case st.State == task.Answered:
		return fmt.Sprintf("reported on %s; waits for the bureau's answer", st.Reported)
	case st.State == task.Finished:
		return "done" + x.done()
	}
	return fmt.Sprintf("%s since %s", st.State, st.Since)
}

func (x *explainer) done() string {
	st := x.status
	how := fmt.Sprintf(": reported on %s, accepted on %s", st.Reported, st.Accepted)
	if st.ByDefault {
		how += " by default, as the bureau did not answer"
	}
	if st.Late > 0 {
		return how + ", " + workdays(st.Late) + " late"
	}
	return how + ", on time"
}

// workdays counts in English.
func workdays(n int) string {
	if n == 1 {
		return "1 workday"
	}
	return fmt.Sprintf("%d workdays", n)
}

// notes are what else stands about the obligation.
func (x *explainer) notes() []string {
	var out []string
	add := func(ok bool, format string, args ...any) {
		if ok {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	o, st, t, u := x.Case.Record.Obligation, x.status, x.Case.Task, x.Case.Unit
	asked := st.Asked.String()
	if st.AskedFor != 0 {
		asked += " for " + st.AskedFor.String()
	}
	add(st.Asked != 0, "an extension was asked on %s and is not answered: urging and forms wait", asked)
	add(st.HeldUntil != 0, "the bureau holds urging and forms back until %s%s", st.HeldUntil, because(st.HeldWhy))
	silence, silenced := task.Silenced(x.Case.Silences, o.Ref, x.Day)
	add(silenced, "silenced from %s to %s by %s%s", silence.On, silence.Until, silence.Who, because(silence.Why))
	add(st.Contacted != 0, "the unit was contacted by other means on %s", st.Contacted)
	add(st.Checked != 0, "the register was checked on %s", st.Checked)
	add(x.set.Confirm && st.Open(), "this jurisdiction urges nobody before a person has checked the register")
	add(o.Quota > 0, "%d of %d counted", st.Count, o.Quota)
	add(st.Open() && t.Deliverable == "", "the row names no result to hand in: it asks for progress and is never urged")
	add(o.Unit == x.Case.Jurisdiction.Bureau, "the bureau's own item: a section of its digest, no letter")
	add(manner(t.Chase) != "", "the row is %s (%s)", manner(t.Chase), t.Chase)
	add(manner(u.Chase) != "" && o.Unit != x.Case.Jurisdiction.Bureau, "the unit is %s (%s)", manner(u.Chase), u.Chase)
	add(o.Ambiguous && st.Assess > st.Effective, "the date has two readings: reminded by the earlier, overdue after the later, no form until clarified")
	return out
}

// manner says how a unit or a row is chased, where it is not by letter.
func manner(c task.Chase) string {
	switch c {
	case task.ChaseCourtesy:
		return "informed and never urged"
	case task.ChaseManual:
		return "not written to by machine, and stands in the bureau's digest"
	case task.ChaseNone:
		return "not chased"
	case task.ChaseLetter:
	}
	return ""
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// step puts one step into words.
func (x *explainer) step(s planner.StepDecision) string {
	switch s.State {
	case planner.StepFired:
		if s.Rung == ladder.Form {
			return x.form(s)
		}
		return "said" + x.letter(s.Notice)
	case planner.StepPassed:
		return "passed over: " + s.Reason
	case planner.StepHeld:
		return "held" + x.heldSince(s) + ": " + s.Reason
	case planner.StepToday:
		if s.Rung == ladder.Form {
			return "is drafted today"
		}
		return "goes today"
	case planner.StepClosed: // the obligation is not chased: what was not said is not made up for
		if s.On <= x.Day {
			return "was not said"
		}
		return "not to be said as the item stands"
	case planner.StepWaiting:
	}
	return "to come"
}

// letter says what became of a letter.
func (x *explainer) letter(id string) string {
	short := id
	if len(short) > 8 {
		short = short[:8]
	}
	if day, ok := x.Case.Served[id]; ok {
		return fmt.Sprintf(" in letter %s, served (letter of %s)", short, day)
	}
	l, ok := x.Letters[id]
	switch {
	case !ok:
		return " in letter " + short
	case l.Reason != "":
		return fmt.Sprintf(" in letter %s, which is %s: %s", short, l.State, l.Reason)
	}
	return fmt.Sprintf(" in letter %s, which is %s", short, l.State)
}

// form says what became of the draft of a form.
func (x *explainer) form(s planner.StepDecision) string {
	i := slices.IndexFunc(x.Documents, func(d notice.Document) bool { return d.ID == s.Notice })
	if i < 0 {
		return "drafted" + x.letter(s.Notice)
	}
	d := x.Documents[i]
	state := d.State
	if d.Date > x.Day { // issued since
		state = notice.Drafted
	}
	switch state {
	case notice.Issued:
		return strings.Join(strings.Fields(fmt.Sprintf("issued as %s on %s by %s, %s%s", d.Number, d.Date, d.By, d.Via, servedOn(d))), " ")
	case notice.Dropped:
		return "draft dropped" + because(d.Why)
	case notice.Voided:
		return "voided, number " + d.Number + because(d.Why)
	case notice.Drafted:
	}
	return "drafted; a person releases it: duban outbox release " + s.Notice + " --by NAME"
}

func servedOn(d notice.Document) string {
	if d.Served == 0 {
		return ""
	}
	return ", served on " + d.Served.String()
}

// heldSince is the day the step has been held since, as far as it is stored.
func (x *explainer) heldSince(s planner.StepDecision) string {
	for _, h := range x.Case.Record.Holds {
		if h.Arm == s.Arm && h.Step == s.Step && h.On <= x.Day {
			return " since " + h.On.String()
		}
	}
	return ""
}
