// Package ladder knows what is to be said about an obligation and when: the steps of each kind of duty.
//
// The principle is "ask early, judge leniently": the register may be behind the facts, so nothing accuses on the
// morning after. Steps are counted in working days: T is the last working day on or before the effective date, T−k
// counts back from it, T+k counts forward from the date itself.
package ladder

import (
	"cmp"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/period"
	"duban/jobs/task"
	"duban/jobs/workday"
)

// Rung is how strongly a step speaks.
type Rung string

// The rungs. A form is drafted, and issued by a person; a report with a draft bulletin is made at a quarter's close.
const (
	Reminder Rung = "reminder" // 工作提示
	Urging   Rung = "urging"   // 催办
	Pace     Rung = "pace"     // 滞后序时进度
	Form     Rung = "form"     // 督办通知单
	Bulletin Rung = "bulletin" // 通报
	Report   Rung = "report"   // 专报 of the bureau, to which a draft bulletin is attached
)

// BreakStep is the name of the step before a break; LongBreak is the length in days off from which a break is named.
const (
	BreakStep = "BREAK"
	LongBreak = 3
)

// Rule is one step of a kind's ladder, as data.
type Rule struct {
	// Step is the rule's name, which says its day: T-3, T, T+5 in working days, A30 in calendar days ahead, BREAK on the
	// last working day before a break. Named sets the fields of the day by it.
	Step string `json:"step" yaml:"step"`
	Rung Rung   `json:"rung" yaml:"rung"`
	// To is the contact it is addressed to; empty: the liaison.
	To task.Role `json:"to,omitempty" yaml:"to"`
	// Copy lists the contacts who get a copy of the letter.
	Copy []task.Role `json:"copy,omitempty" yaml:"copy"`
	// Offset is the number of working days from T (negative) or from the effective date (positive); 0 is T itself.
	Offset int `json:"offset,omitempty" yaml:"offset"`
	// Ahead, where set, replaces Offset: calendar days before the effective date.
	Ahead int `json:"ahead,omitempty" yaml:"ahead"`
	// Break, where set, replaces Offset: the step is said on the last working day before a break of so many days off
	// or more, of what falls due within the break or on the first working day after it. Deliver items only.
	Break int `json:"break,omitempty" yaml:"break"`
	// Monday makes the step wait for the letter of the week's first working day.
	Monday bool `json:"monday,omitempty" yaml:"monday"`
	// OpenedAhead lets the step speak only where the date was more than so many days off when the item opened, or was
	// armed anew.
	OpenedAhead int `json:"opened_ahead,omitempty" yaml:"opened_ahead"`
	// OnlyLate lets the step speak only to units late with this duty in the last three months.
	OnlyLate bool `json:"only_late,omitempty" yaml:"only_late"`
	// OnlyMisses lets the step speak only after two misses of this duty running, or three within a year.
	OnlyMisses bool `json:"only_misses,omitempty" yaml:"only_misses"`
	// Support marks the step that also informs supporting units.
	Support bool `json:"support,omitempty" yaml:"support"`
}

// Reader is the role of the contact the step is addressed to.
func (r Rule) Reader() task.Role { return cmp.Or(r.To, task.Liaison) }

// Ladder holds the rules of each kind of duty, in the order of time.
type Ladder map[task.Kind][]Rule

// Default returns the ladder duban starts with.
func Default() Ladder {
	urge := []Rule{
		{Step: "T+2", Rung: Urging, Offset: 2},
		{Step: "T+5", Rung: Urging, Offset: 5, Copy: []task.Role{task.Deputy}},
	}
	form := Rule{Step: "T+10", Rung: Form, Offset: 10, To: task.Deputy}
	seldom := form
	seldom.OnlyMisses = true
	eve := Rule{Step: BreakStep, Rung: Reminder, Break: LongBreak}
	milestone := slices.Concat([]Rule{
		{Step: "A30", Rung: Reminder, Ahead: 30, Monday: true, OpenedAhead: 60},
		{Step: "T-10", Rung: Reminder, Offset: -10, Monday: true},
		{Step: "T-3", Rung: Reminder, Offset: -3, Support: true},
		eve,
	}, urge, []Rule{form})
	report := slices.Concat([]Rule{
		{Step: "T-3", Rung: Reminder, Offset: -3, Support: true},
		eve,
		{Step: "T", Rung: Reminder, Offset: 0, OnlyLate: true},
	}, urge, []Rule{seldom})
	review := slices.Concat([]Rule{{Step: "T-5", Rung: Reminder, Offset: -5, Support: true}, eve}, urge, []Rule{form})
	quota := slices.Concat([]Rule{
		{Step: "T-30", Rung: Reminder, Offset: -30},
		{Step: "T-10", Rung: Reminder, Offset: -10, Support: true},
		eve,
	}, urge)
	legal := []task.Role{task.Legal}
	clock := []Rule{
		{Step: "T-2", Rung: Reminder, Offset: -2, Copy: legal},
		{Step: BreakStep, Rung: Reminder, Break: LongBreak, Copy: legal},
		{Step: "T+1", Rung: Urging, Offset: 1, Copy: legal},
	}
	return Ladder{
		task.Milestone: milestone, task.Condition: milestone, task.Yearly: milestone,
		task.Weekly: report, task.Monthly: report,
		task.Quarterly: review, task.HalfYearly: review,
		task.Quota: quota, task.Clock: clock,
	}
}

// Subject is an obligation as the ladder sees it.
type Subject struct {
	Obligation task.Obligation
	Status     task.Status
	// Deliverable is false where the row only asks for progress: such a row is never urged.
	Deliverable bool
	// Chase is how the unit may be written to about this row.
	Chase task.Chase
	// CountAt returns what was counted towards the quota as of a day; nil where there is no quota.
	CountAt func(civil.Date) int
}

// Step is one thing to be said about one obligation.
type Step struct {
	Rule
	// On is the first day it may be said.
	On civil.Date
	// Expires is the last day on which it still makes sense: a reminder dies with its date.
	Expires civil.Date
	// PaceAt is the month end a pace line looked at.
	PaceAt civil.Date
}

// Steps returns the steps of the subject in the order of their days. It does not know which were said already.
func (l Ladder) Steps(s Subject, cal *workday.Calendar) []Step {
	o := s.Obligation
	if s.Chase == task.ChaseManual || s.Chase == task.ChaseNone || o.Owes == task.OwesNone {
		return nil
	}
	mayUrge := o.Owes == task.OwesDeliver && s.Deliverable && s.Chase == task.ChaseLetter
	steps := make([]Step, 0, len(l[o.Kind]))
	for _, r := range l[o.Kind] {
		if (r.Rung == Urging || r.Rung == Form) && !mayUrge || o.Owes == task.OwesSupport && (!r.Support || r.Break > 0) {
			continue
		}
		if st, ok := step(r, s, cal); ok {
			steps = append(steps, st)
		}
	}
	steps = mondaysInTime(steps)
	if o.Owes == task.OwesDeliver && s.CountAt != nil && o.Quota > 1 {
		steps = append(steps, paceSteps(s, cal)...)
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.On, b.On) })
	return steps
}

// mondaysInTime ends each step that waits for Monday's letter before the next reminder begins, and drops it where that
// Monday comes too late: nobody is told of ten days when three are left.
func mondaysInTime(steps []Step) []Step {
	next := civil.Never
	kept := len(steps) // from here on; it fills from the end
	for _, st := range slices.Backward(steps) {
		if st.Monday {
			st.Expires = min(st.Expires, next-1)
		}
		if st.On > st.Expires {
			continue
		}
		if st.Rung == Reminder {
			next = st.On
		}
		kept--
		steps[kept] = st
	}
	return steps[kept:]
}

// step dates one rule. Urging, and the form after it, count from the later of the effective and the assess date, so that an ambiguous date is
// overdue only after its later reading.
func step(r Rule, s Subject, cal *workday.Calendar) (Step, bool) {
	eff, armed := s.Status.Effective, max(s.Obligation.Opened, s.Status.Armed)
	if r.OpenedAhead > 0 && eff-armed <= civil.Date(r.OpenedAhead) {
		return Step{}, false
	}
	st := Step{Rule: r, Expires: eff}
	switch {
	case r.Break > 0:
		eve, ok := Eve(eff, r.Break, cal)
		return Step{Rule: r, On: eve, Expires: eve}, ok && eve >= armed
	case r.Ahead > 0:
		st.On = eff - civil.Date(r.Ahead)
	case r.Offset > 0:
		st.On = cal.T(max(eff, s.Status.Assess), r.Offset)
		st.Expires = civil.Never
	default:
		st.On = cal.T(eff, r.Offset)
	}
	if r.Rung == Reminder {
		// An item opened, extended or reopened late is reminded from that day on, never before it.
		st.On = max(st.On, cal.OnOrAfter(armed))
	}
	if r.Monday { // said in that week or not at all: thirty days ahead is not the week before
		st.On = mondayLetter(st.On, cal)
		st.Expires = min(st.Expires, st.On+civil.Date((7-int(st.On.Weekday()))%7))
	}
	return st, st.On <= st.Expires
}

// Eve returns the last working day before the break that d lies in or that ends on the eve of d; ok is false where there
// is none of so many days off or more.
func Eve(d civil.Date, days int, cal *workday.Calendar) (eve civil.Date, ok bool) {
	last, next := cal.OnOrBefore(d), cal.OnOrAfter(d)
	if last == next {
		last = cal.Add(d, -1)
	}
	return last, int(next-last)-1 >= days
}

// CheckDay returns the day on which the bureau is told what will be urged next, so that the register can be put right
// before: the last working day before the first urging. ok is false where nothing is urged.
func (l Ladder) CheckDay(s Subject, cal *workday.Calendar) (day civil.Date, ok bool) {
	for _, st := range l.Steps(s, cal) {
		if st.Rung == Urging {
			return cal.Add(st.On, -1), true
		}
	}
	return 0, false
}

// mondayLetter returns the first day on or after d that is the first working day of its week.
func mondayLetter(d civil.Date, cal *workday.Calendar) civil.Date {
	for week := range civil.Date(6) {
		if first := cal.WeekStart(d + 7*week); first >= d {
			return first
		}
	}
	return cal.OnOrAfter(d)
}

// paceSteps returns one line per quarter in which the unit was behind pace at two month ends running, on the first
// working day after the second.
func paceSteps(s Subject, cal *workday.Calendar) []Step {
	o := s.Obligation
	var steps []Step
	behindBefore := false
	said := map[string]bool{}
	for end := civil.MonthEnd(o.PaceFrom.Year(), o.PaceFrom.Month()); end < s.Status.Effective; end = nextMonthEnd(end) {
		behind := s.CountAt(end) < PaceAt(o.Quota, o.PaceFrom, s.Status.Effective, end)
		code := fmt.Sprintf("P-%dQ%d", end.Year(), (int(end.Month())+2)/3)
		if behind && behindBefore && !said[code] {
			said[code] = true
			on := cal.OnOrAfter(end + 1)
			steps = append(steps, Step{Rule: Rule{Step: code, Rung: Pace}, On: on, PaceAt: end, Expires: min(nextMonthEnd(end), s.Status.Effective)})
		}
		behindBefore = behind
	}
	return steps
}

func nextMonthEnd(end civil.Date) civil.Date {
	next := end + 1
	return civil.MonthEnd(next.Year(), next.Month())
}

// PaceAt returns the number that should be reached by day d (序时进度): floor(quota × whole months elapsed ÷ months from
// the later of period start and plan issue to the end).
func PaceAt(quota int, from, end, d civil.Date) int {
	total := period.WholeMonths(from, end)
	if total <= 0 {
		return 0
	}
	return quota * min(period.WholeMonths(from, d), total) / total
}

// Monday reports whether d is the day of the week's first letter.
func Monday(d civil.Date, cal *workday.Calendar) bool { return cal.WeekStart(d) == d }
