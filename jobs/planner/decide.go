package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/task"
	"duban/notify/notice"
)

// Case is one obligation with all that is decided about it rests on. What is left empty is taken as not being there: no
// silence, no letter served, no other instance.
type Case struct {
	Jurisdiction task.Jurisdiction
	Record       task.Record
	// Task, Unit, Bureau and Plan are the versions in force on the day. Bureau and Plan are asked for by forms only.
	Task   task.Task
	Unit   task.Unit
	Bureau task.Unit
	Plan   task.Plan
	// Silences is what task.SilencesAsOf returned for the day.
	Silences []task.Silence
	// Served maps a letter's ID to the logical date of the letter that carried its items to the reader.
	Served map[string]civil.Date
	// Refused maps the ID of a letter that did not reach its reader to the mail server's words.
	Refused map[string]string
	// History holds other instances of the duty, as far back as HistorySince says; others are passed by.
	History []task.Record
	// LeadOpen says that some unit still owes the result that this one supports.
	LeadOpen bool
	// Written says that the unit has its letter of the day already.
	Written bool
	// Letters is how many letters left for the unit in the week so far, besides that of its first working day.
	Letters int
	// Unseen is the first seq that no planning before the day has seen, and Planned the day of the last of them. Nobody is
	// urged by what was entered since then or counts from a later day than was read then, for the bureau could not have
	// checked it; a year that is gone through with all its events in the register says the same letters as day by day.
	// Where both are 0 everything up to the day was seen.
	Unseen  int64
	Planned civil.Date
}

// The workdays that lie between what is said about one item, and the next that is said.
const (
	// urgingGap lies between two urgings, as between T+2 and T+5. Where the first was said late, the second waits: nobody is
	// urged on two days running.
	urgingGap = 3
	// formGap lies between an urging that was served and the form.
	formGap = 4
)

// The reasons by which a form's step is known to stand open again. They begin what is recorded of it.
const (
	draftDropped  = "the draft was dropped: "   // what it rested on has changed
	draftSetAside = "the draft was set aside: " // a person decided not to issue it
)

// judge decides about one obligation on one day.
type judge struct {
	Case
	all    *Settings // as loaded
	set    *Settings // in force on the day
	day    civil.Date
	status task.Status
	steps  []ladder.Step // of the arm
}

// verdict is what a day comes to for one obligation.
type verdict struct {
	passed []passed
	// say is what the unit's letter says today: the zero Step where it says nothing new.
	say ladder.Step
	// held is the step of the letter that is due and waits, with the reason.
	held passed
	// form is the form to be drafted today; formHeld is the one that is due and waits.
	form     ladder.Step
	formHeld passed
}

// passed is a step with the reason it is not said.
type passed struct {
	step ladder.Step
	why  string
}

func newJudge(c Case, all Settings, d civil.Date) *judge {
	set := all.On(d)
	return newJudgeIn(c, &all, &set, d)
}

// newJudgeIn is newJudge with the settings in force on the day at hand.
func newJudgeIn(c Case, all, set *Settings, d civil.Date) *judge {
	j := &judge{Case: c, all: all, set: set, day: d}
	j.status = task.Fold(c.Record.Obligation, c.Record.Events, d, set.Calendar, set.Terms)
	if j.status.Chased() {
		j.steps = set.Ladder.Steps(subject(c.Record, c.Task, c.Unit, j.status, *set), set.Calendar)
	}
	return j
}

// decide says what is said today, passed over, and waits.
func (j *judge) decide() verdict {
	var v verdict
	due := j.due(false)
	switch n := len(due); {
	case n == 0:
	case j.Written:
		v.held = j.written(due)
	default:
		j.choose(&v, due)
	}
	for _, step := range j.due(true) {
		switch why, wait := j.mayDraft(step, v); {
		case wait:
			v.formHeld = passed{step, why}
		case why != "":
			v.passed = append(v.passed, passed{step, why})
		default:
			v.form = step
		}
	}
	return v
}

// written says why what is due is not said although the unit's letter of the day exists: the reason it waits for anyway, which
// is what it was left out by.
func (j *judge) written(due []ladder.Step) passed {
	var v verdict
	if j.choose(&v, due); v.held.why != "" {
		return v.held
	}
	return passed{due[len(due)-1], "the unit has had its letter of today"}
}

// due returns the steps whose day has come and that stand open, of the letters or of the forms.
func (j *judge) due(forms bool) []ladder.Step {
	var due []ladder.Step
	for _, step := range j.steps {
		if isForm(step) == forms && step.On <= j.day && !said(j.Record.Steps, j.status.Arm, step) {
			due = append(due, step)
		}
	}
	return due
}

func isForm(s ladder.Step) bool { return s.Rung == ladder.Form }

// choose says the latest permitted step of those due and passes over the others. One that must wait holds back those
// before it.
func (j *judge) choose(v *verdict, due []ladder.Step) {
	chosen := -1
	for i := len(due) - 1; i >= 0 && chosen < 0; i-- {
		why, hold := j.permitted(due[i], due[:i])
		if hold {
			v.held = passed{due[i], why}
			return
		}
		if why == "" {
			chosen = i
			continue
		}
		v.passed = append(v.passed, passed{due[i], why})
	}
	if chosen < 0 {
		return
	}
	for _, step := range due[:chosen] {
		v.passed = append(v.passed, passed{step, "a later step is due"})
	}
	v.say = due[chosen]
}

// permitted returns why the step may not be said today, given the earlier steps that are due with it; hold means that it
// may be later.
func (j *judge) permitted(step ladder.Step, earlier []ladder.Step) (reason string, hold bool) {
	if j.day > step.Expires {
		return "its day is past", false
	}
	if why := j.silenced(); why != "" {
		return why, true
	}
	if step.Rung == ladder.Urging {
		if why, wait := j.mayUrge(step, earlier); why != "" {
			return why, wait
		}
	}
	switch o := j.Record.Obligation; {
	case step.OnlyLate && !j.lateOfLate():
		return "not late in the last three months", false
	case o.Owes == task.OwesSupport && !j.LeadOpen:
		return "the result was delivered", false
	}
	// What makes sense until that letter's day at the longest does not wait for it: its letter is written, and waits for a person.
	if next := j.nextLetter(); j.capped() && step.Expires > next {
		return fmt.Sprintf(hadItsLetters+" (%d besides the first working day's); it waits for the letter of %s", j.set.WeeklyCap, next), true
	}
	return "", false
}

// mayUrge returns why the urging may not be said today; wait means that it may be later.
func (j *judge) mayUrge(step ladder.Step, earlier []ladder.Step) (why string, wait bool) {
	if why := cmp.Or(j.kept(), j.unchecked()); why != "" {
		return why, true
	}
	if on := j.urgedOfLate(step); on != 0 {
		return fmt.Sprintf("urged on %s; the next urging leaves the unit %d workdays", on, urgingGap), true
	}
	if j.urged() {
		return "", false
	}
	if j.contacted() && !slices.ContainsFunc(earlier, urging) {
		return fmt.Sprintf("contacted by other means on %s", j.status.Contacted), false
	}
	if j.set.Confirm && j.status.Checked <= j.due0() {
		return fmt.Sprintf("the register has not been checked since %s: `duban obligations confirm %s`, or record what the unit sent", j.due0(), j.Record.Obligation.Ref), true
	}
	return "", false
}

// kept returns why urging and forms wait alike: the bureau holds them, a request awaits its answer, or the register is to
// be checked anew after a silence.
func (j *judge) kept() string {
	st := j.status
	switch {
	case st.HeldUntil != 0 && st.HeldWhy != "":
		return fmt.Sprintf("held by the bureau until %s: %s", st.HeldUntil, st.HeldWhy)
	case st.HeldUntil != 0:
		return fmt.Sprintf("held by the bureau until %s", st.HeldUntil)
	case st.Asked != 0:
		return "an extension request awaits an answer"
	}
	before := j.set.Calendar.Add(j.day, -1)
	if s, ok := task.Silenced(j.Silences, j.Record.Obligation.Ref, before); ok {
		return fmt.Sprintf("silenced until %s; the register is checked once more before anybody is urged", s.Until)
	}
	return ""
}

// enteredSince is the reason by which urging and forms wait for the day after the one that first sees an entry.
const enteredSince = "entered since the last planning; the bureau checks the register first"

// unchecked returns why urging and forms wait where the item stands open, by the date it has, only since an entry that no
// earlier planning has seen: no digest has asked the bureau to check it. What was entered before an outage was seen.
func (j *judge) unchecked() string {
	if !slices.ContainsFunc(j.Record.Events, j.isNew) {
		return ""
	}
	seen := slices.DeleteFunc(slices.Clone(j.Record.Events), j.isNew)
	opened := func(e task.Event) bool { return e.Kind == task.Opened }
	was, now := task.Fold(j.Record.Obligation, seen, j.day, j.set.Calendar, j.set.Terms), j.status
	same := was.Chased() && was.Arm == now.Arm && was.Since == now.Since && was.Effective == now.Effective && was.Assess == now.Assess
	if same && slices.ContainsFunc(seen, opened) == slices.ContainsFunc(j.Record.Events, opened) {
		return ""
	}
	return enteredSince
}

// isNew reports whether the entry is one that no planning before the day has read. What counts from a later day than this is
// not read at all yet.
func (j *judge) isNew(e task.Event) bool {
	return e.On <= j.day && (j.Unseen > 0 && e.Seq >= j.Unseen || j.Planned > 0 && e.On > j.Planned)
}

// silenced names the silence that lies over the obligation, or returns "".
func (j *judge) silenced() string {
	s, ok := task.Silenced(j.Silences, j.Record.Obligation.Ref, j.day)
	if !ok {
		return ""
	}
	return fmt.Sprintf("silenced by %s until %s: %s", s.Who, s.Until, s.Why)
}

// due0 is the day after which the item is overdue: the later reading of an ambiguous date.
func (j *judge) due0() civil.Date { return max(j.status.Effective, j.status.Assess) }

// ambiguous reports whether the date still has two readings. One that a person gave has one.
func (j *judge) ambiguous() bool {
	st := j.status
	return j.Record.Obligation.Ambiguous && j.Task.Reading.Ambiguous && !st.Returned && !st.Extended && st.Assess > st.Effective
}

// urgedOfLate returns the day of another urging of this arm that was said fewer than urgingGap workdays ago, or 0.
func (j *judge) urgedOfLate(step ladder.Step) (last civil.Date) {
	for _, f := range j.saidOf(ladder.Urging) {
		if f.Step != step.Step && f.On < j.day && j.set.Calendar.Count(f.On, j.day) < urgingGap {
			last = max(last, f.On)
		}
	}
	return last
}

func urging(s ladder.Step) bool { return s.Rung == ladder.Urging }

// saidOf returns what was said of a rung in this arm.
func (j *judge) saidOf(rung ladder.Rung) []task.FiredStep {
	var out []task.FiredStep
	for _, f := range j.Record.Steps {
		if f.Arm == j.status.Arm && f.Passed == "" && RungOf(j.all, j.Record.Obligation.Kind, f) == rung {
			out = append(out, f)
		}
	}
	return out
}

// contacted reports whether the unit was told by other means after the date, since the item has been open.
func (j *judge) contacted() bool {
	st := j.status
	return st.Contacted != 0 && st.Contacted > st.Effective && st.Contacted >= st.Since
}

// urged reports whether the first urging of this arm was passed over or said already: a contact stands in for the first
// urging, not for all of them.
func (j *judge) urged() bool {
	return slices.ContainsFunc(j.Record.Steps, func(f task.FiredStep) bool {
		return f.Arm == j.status.Arm && RungOf(j.all, j.Record.Obligation.Kind, f) == ladder.Urging
	})
}

// RungOf is the rung of a step by the ladder of the day it was said on.
func RungOf(all *Settings, k task.Kind, f task.FiredStep) ladder.Rung {
	rules := all.Ladder
	for _, p := range all.Later {
		if p.From <= f.On {
			rules = p.Ladder
		}
	}
	for _, rule := range rules[k] {
		if rule.Step == f.Step {
			return rule.Rung
		}
	}
	return ladder.Pace
}

// said reports whether the step was fired or passed over in the arm. A form whose draft was dropped since what it rested on
// had changed stands open again; one that a person set aside does so when its day has moved.
func said(steps []task.FiredStep, arm int, step ladder.Step) bool {
	last, ok := lastOf(steps, arm, step.Step)
	switch {
	case !ok || strings.HasPrefix(last.Passed, draftDropped):
		return false
	case strings.HasPrefix(last.Passed, draftSetAside):
		return step.On <= last.On
	}
	return true
}

// lastOf returns the latest that became of a step in the arm.
func lastOf(steps []task.FiredStep, arm int, code string) (last task.FiredStep, ok bool) {
	for _, f := range steps {
		if f.Arm == arm && f.Step == code && (!ok || f.N > last.N) {
			last, ok = f, true
		}
	}
	return last, ok
}

// StepState is what became of a step, or will.
type StepState string

// The states of a step.
const (
	StepFired   StepState = "fired"   // said in a letter, or drafted
	StepPassed  StepState = "passed"  // passed over for good, on an earlier day or on this one
	StepToday   StepState = "today"   // goes on this day
	StepHeld    StepState = "held"    // due, and waits for the reason given
	StepWaiting StepState = "waiting" // its day has not come
	StepClosed  StepState = "closed"  // not said, since the obligation is not chased
)

// StepDecision is one step of an obligation's ladder on a day.
type StepDecision struct {
	Arm    int         `json:"arm"`
	Step   string      `json:"step"`
	Rung   ladder.Rung `json:"rung"`
	Role   task.Role   `json:"role"`
	State  StepState   `json:"state"`
	On     civil.Date  `json:"on"` // the day it was or is said or passed over; else the first day it may be said
	N      int         `json:"n,omitempty"`
	Notice string      `json:"notice,omitempty"`
	Reason string      `json:"reason,omitempty"`
}

// Decision is what a day comes to for one obligation, step by step.
type Decision struct {
	Status task.Status
	// Steps come by arm, and within it by day. Those of earlier arms are there as far as they were said or passed over.
	Steps []StepDecision
	// Today says why a letter goes or does not go on the day.
	Today string
	// Next is what comes next: the step that waits, or whose day comes first, with the first working day on which it can be
	// said as things stand. It is the zero StepDecision where nothing comes any more.
	Next StepDecision
}

// Decide says of each step of an obligation what became of it by day d, or what becomes of it on that day, and what comes
// next. It is what Remind decides by.
func Decide(c Case, all Settings, d civil.Date) Decision {
	c.Record.Steps = slices.DeleteFunc(slices.Clone(c.Record.Steps), func(f task.FiredStep) bool { return f.On > d })
	j := newJudge(c, all, d)
	out := Decision{Status: j.status, Steps: j.history()}
	var v verdict
	if workday := j.set.Calendar.IsWorkday(d); workday {
		v = j.decide()
	}
	for _, step := range j.steps {
		if said(c.Record.Steps, j.status.Arm, step) {
			continue
		}
		out.Steps = append(out.Steps, j.outlook(step, v))
	}
	out.Steps = append(out.Steps, j.closed()...)
	slices.SortStableFunc(out.Steps, func(a, b StepDecision) int {
		return cmp.Or(cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.On, b.On), cmp.Compare(a.N, b.N))
	})
	out.Today, out.Next = j.today(out.Steps), j.next(out.Steps)
	return out
}

// history is what was said and passed over so far.
func (j *judge) history() []StepDecision {
	var out []StepDecision
	for _, f := range j.Record.Steps {
		s := StepDecision{
			Arm: f.Arm, Step: f.Step, Rung: RungOf(j.all, j.Record.Obligation.Kind, f), Role: f.Role,
			State: StepFired, On: f.On, N: f.N, Notice: f.Notice, Reason: f.Passed,
		}
		if f.Passed != "" {
			s.State = StepPassed
		}
		out = append(out, s)
	}
	return out
}

// closed are the steps that are not said any more, or not yet, since the obligation is not chased.
func (j *judge) closed() []StepDecision {
	if j.status.Chased() {
		return nil
	}
	var out []StepDecision
	for _, step := range j.set.Ladder.Steps(subject(j.Record, j.Task, j.Unit, j.status, *j.set), j.set.Calendar) {
		if !said(j.Record.Steps, j.status.Arm, step) {
			out = append(out, StepDecision{Arm: j.status.Arm, Step: step.Step, Rung: step.Rung, Role: step.Reader(), State: StepClosed, On: step.On})
		}
	}
	return out
}

// outlook is a step that stands open, as the day's verdict has it.
func (j *judge) outlook(step ladder.Step, v verdict) StepDecision {
	s := StepDecision{Arm: j.status.Arm, Step: step.Step, Rung: step.Rung, Role: step.Reader(), State: StepWaiting, On: max(step.On, j.status.Armed)}
	if step.On > j.day {
		s.On = j.set.Calendar.OnOrAfter(step.On)
		return s
	}
	same := func(p passed) bool { return p.step.Step == step.Step && p.why != "" }
	i := slices.IndexFunc(v.passed, same)
	switch {
	case step.Step == v.say.Step || step.Step == v.form.Step:
		s.State, s.On = StepToday, j.day
	case i >= 0:
		s.State, s.On, s.Reason = StepPassed, j.day, v.passed[i].why
	case same(v.held):
		s.State, s.Reason = StepHeld, v.held.why
	case same(v.formHeld):
		s.State, s.Reason = StepHeld, v.formHeld.why
	case v.held.why != "":
		s.State, s.Reason = StepHeld, fmt.Sprintf("%s is due as well and waits: %s", v.held.step.Step, v.held.why)
	default: // a day off
		s.On = j.set.Calendar.OnOrAfter(j.day)
	}
	return s
}

// today says why a letter goes or does not go.
func (j *judge) today(steps []StepDecision) string {
	st := j.status
	if day := j.set.Calendar.Day(j.day); !day.Workday {
		return fmt.Sprintf("%s is no working day (%s); letters go again on %s", j.day, day.Reason, j.set.Calendar.OnOrAfter(j.day))
	}
	switch {
	case st.Unconfirmed && st.State == task.Waiting:
		return "it was past when the plan was issued, or fell due before the jurisdiction went live: listed for confirmation, neither chased nor counted"
	case !st.Open():
		return fmt.Sprintf("it is %s since %s: the ladder is silent", st.State, st.Since)
	}
	var parts []string
	for _, s := range steps {
		if s.Arm != st.Arm {
			continue
		}
		switch {
		case s.State == StepToday && s.Rung == ladder.Form:
			parts = append(parts, s.Step+" is drafted today")
		case s.State == StepToday:
			parts = append(parts, s.Step+" goes today")
		case s.State == StepFired && s.On == j.day:
			parts = append(parts, s.Step+" is said today")
		case s.State == StepHeld:
			parts = append(parts, s.Step+" waits: "+s.Reason)
		case s.State == StepPassed && s.On == j.day:
			parts = append(parts, s.Step+" is passed over: "+s.Reason)
		}
	}
	if len(parts) == 0 {
		if len(j.steps) == 0 {
			return "the ladder says nothing of it: " + j.mute()
		}
		return "no step's day has come"
	}
	return strings.Join(parts, "; ")
}

// mute says why an open obligation has no steps at all.
func (j *judge) mute() string {
	switch c := chase(j.Task, j.Unit); {
	case c == task.ChaseManual || c == task.ChaseNone:
		return fmt.Sprintf("the unit is not written to by machine (chase: %s)", c)
	case j.Record.Obligation.Owes == task.OwesNone:
		return "the unit owes nothing"
	}
	return fmt.Sprintf("no rule of the kind %s applies", j.Record.Obligation.Kind)
}

// next is what comes next: what is held may go on the next working day at the earliest.
func (j *judge) next(steps []StepDecision) StepDecision {
	var next StepDecision
	for _, s := range steps {
		if s.Arm != j.status.Arm {
			continue
		}
		if s.State == StepHeld {
			s.On = j.set.Calendar.Add(j.day, 1)
		}
		if (s.State == StepHeld || s.State == StepWaiting) && (next.Step == "" || s.On < next.On) {
			next = s
		}
	}
	return next
}

// hadItsLetters begins the reason by which the weekly cap keeps an item or a letter back.
const hadItsLetters = "the unit has had its letters of this week"

// KeptByCap reports whether a letter waits for a person since its unit has had its letters of the week.
func KeptByCap(b notice.Brief) bool {
	return b.State == notice.Held && strings.HasPrefix(b.Reason, hadItsLetters)
}

// capped reports whether the unit has had as many letters this week as it may, and today's is not that of the week's first
// working day.
func (j *judge) capped() bool {
	return j.set.WeeklyCap > 0 && j.Letters >= j.set.WeeklyCap && !ladder.Monday(j.day, j.set.Calendar)
}

// nextLetter is the first working day of the next week that has one.
func (j *judge) nextLetter() civil.Date { return nextWeek(j.day, *j.set) }

func nextWeek(d civil.Date, set Settings) civil.Date {
	for week := range civil.Date(6) {
		if first := set.Calendar.WeekStart(d + 7*(week+1)); first > d {
			return first
		}
	}
	return set.Calendar.Add(d, 1)
}

// lettersOf counts the letters of the week that left for the unit before day d, besides that of the week's first working
// day. Those that were taken over, taken back or refused, and those in unsent, never reached anybody.
func lettersOf(week []notice.Brief, unit string, d civil.Date, set Settings, unsent map[string]bool) int {
	first, n := set.Calendar.WeekStart(d), 0
	for _, b := range week {
		if b.Key.Unit != unit || b.Key.Kind != notice.UnitLetter || b.Key.Date <= first || b.Key.Date >= d || unsent[b.ID] {
			continue
		}
		switch b.State {
		case notice.Pending, notice.Sending, notice.Sent, notice.Recorded, notice.Retry, notice.Unknown:
			n++
		case notice.Held, notice.Failed, notice.Superseded, notice.Cancelled:
		}
	}
	return n
}
