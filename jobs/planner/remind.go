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

// Snapshot is what a day's letters are decided on.
type Snapshot struct {
	Jurisdiction task.Jurisdiction
	Plans        []task.Plan // every version
	Tasks        []task.Task // every version of the tasks at hand
	TaskEvents   []task.Event
	Directory    task.Directory // every version of the units at hand and of the bureau
	// Records are the obligations to look at: those due for a look, and those raised earlier in the units concerned.
	// A record that has nothing to say is passed by, so that a snapshot may hold more than it must.
	Records []task.Record
	// History holds other instances of recurring duties, to know who was late of late.
	History []task.Record
	// LeadOpen holds the task instances (TaskID/instance) of which some unit still owes the result.
	LeadOpen map[string]bool
	// Unsent are the ordinary letters of earlier days that have not left.
	Unsent []notice.Notice
	// Failed are ordinary letters of recent days that were refused for good. What they were to say is said again once their
	// reader has another address.
	Failed []notice.Notice
	// Served maps a notice's ID to the logical date of the letter that carried its items to the reader.
	Served map[string]civil.Date
	// Weekly are the tasks that go on for ever or await their trigger, said once a week; all versions.
	Weekly []task.Task
	// Written are the keys of the letters that exist for this day already: their readers get no second one.
	Written map[string]bool
}

// Plan is what a day comes to.
type Plan struct {
	Notices   []notice.Notice
	Steps     []task.FiredStep
	Caches    []task.Cache
	Supersede map[string]string // old notice → new notice
	Cancel    map[string]string // notice → reason
	// Hold keeps letters back with an item of theirs that is held; notice → reason.
	Hold   map[string]string
	Held   []Held
	Looked int
}

// Held is a step that is due and waits, with the reason.
type Held struct {
	Ref    string
	Step   string
	Reason string
}

// line is a record on its way into a letter.
type line struct {
	record task.Record
	task   task.Task
	unit   task.Unit
	status task.Status
	step   ladder.Step // the zero Step where nothing new is said
}

// Remind decides the letters of day d. The caller has made sure that d is a workday.
func Remind(s Snapshot, set Settings, d civil.Date) Plan {
	r := newReminder(s, set, d)
	for _, rec := range s.Records {
		r.look(rec)
	}
	for _, unit := range r.readers() {
		r.letter(unit)
	}
	r.settleUnsent()
	return r.plan
}

type reminder struct {
	Snapshot
	set   Settings
	day   civil.Date
	units map[string]task.Unit
	tasks map[task.TaskID]task.Task
	plans map[string]task.Plan
	// standing are the rows of Weekly in force, on a day that names them.
	standing []task.Task
	lines    map[string][]line // by unit
	fresh    map[string]bool   // units to which something new is said
	// unsent are the IDs of the unsent letters of earlier days; kept says why some of them wait with an item of theirs.
	unsent map[string]bool
	kept   map[string]string
	plan   Plan
}

func newReminder(s Snapshot, set Settings, d civil.Date) *reminder {
	r := &reminder{
		Snapshot: s, set: set, day: d,
		units: map[string]task.Unit{}, tasks: map[task.TaskID]task.Task{}, plans: map[string]task.Plan{},
		lines: map[string][]line{}, fresh: map[string]bool{}, unsent: map[string]bool{}, kept: map[string]string{},
		plan: Plan{Supersede: map[string]string{}, Cancel: map[string]string{}, Hold: map[string]string{}},
	}
	for _, u := range s.Directory.AsOf(d).Units {
		r.units[u.Code] = u
	}
	// One whose reader has it waits for a copy only, and one that goes once more may be at its reader already: both have
	// said what they had to say, and are let be.
	r.Unsent = slices.DeleteFunc(slices.Clone(s.Unsent), func(n notice.Notice) bool { return n.Delivered() || n.Resent })
	for _, n := range s.Failed {
		if r.mended(n) {
			r.Unsent = append(r.Unsent, n)
		}
	}
	for _, n := range r.Unsent {
		r.unsent[n.ID] = true
	}
	for _, t := range task.TasksAsOf(s.Tasks, d) {
		r.tasks[t.TaskID] = t
	}
	for _, p := range task.PlansAsOf(s.Plans, d) {
		r.plans[p.Code] = p
	}
	if ladder.Monday(d, set.Calendar) {
		r.standing = task.TasksAsOf(s.Weekly, d)
	}
	return r
}

// mended reports whether a letter that failed may succeed now: its reader can be reached at another address, or nobody ever
// refused him and trying was given up only.
func (r *reminder) mended(n notice.Notice) bool {
	refused := slices.ContainsFunc(n.Receipts, func(rc notice.Receipt) bool {
		return !rc.Copy && rc.Outcome == notice.OutcomePermanent
	})
	if len(n.Receipts) > 0 && !refused {
		return true
	}
	c, ok := r.units[n.Key.Unit].Contact(task.Role(n.Key.Role))
	return ok && c.Email != "" && !slices.ContainsFunc(n.Facts.Recipients, func(to notice.Recipient) bool {
		return !to.Copy && strings.EqualFold(to.Email, c.Email)
	})
}

// look decides what is said today about one record.
func (r *reminder) look(rec task.Record) {
	o := rec.Obligation
	t, ok := r.tasks[o.TaskID]
	u, known := r.units[o.Unit]
	if !ok || !known || o.Opened > r.day {
		return
	}
	r.plan.Looked++
	st := task.Fold(o, rec.Events, r.day, r.set.Calendar, r.set.Terms)
	l := line{record: rec, task: t, unit: u, status: st}
	var due []ladder.Step
	if st.Chased() {
		due = r.due(l)
	}
	hold := ""
	if n := len(due); n > 0 {
		if r.Written[r.key(o.Unit).ID()] {
			hold = "the unit has had its letter of today"
		} else {
			l.step, hold = r.choose(&l, due)
		}
		if hold != "" {
			r.plan.Held = append(r.plan.Held, Held{o.Ref.String(), due[n-1].Step, hold})
		}
	}
	if l.step.Step == "" && st.Chased() {
		l.step = r.again(l)
	}
	if st.Chased() && (l.step.Step != "" || r.repeats(l)) {
		r.lines[o.Unit] = append(r.lines[o.Unit], l)
		r.fresh[o.Unit] = r.fresh[o.Unit] || l.step.Step != ""
	}
	cache := CacheOf(l.record, t, u, r.set, r.day)
	if hold != "" {
		cache.NextLook = r.day + 1
	}
	r.plan.Caches = append(r.plan.Caches, cache)
}

// due returns the steps whose day has come, that have not been said and still make sense.
func (r *reminder) due(l line) []ladder.Step {
	var due []ladder.Step
	for _, step := range r.set.Ladder.Steps(subject(l.record, l.task, l.unit, l.status, r.set), r.set.Calendar) {
		if step.On <= r.day && !said(l.record.Steps, l.status.Arm, step.Step) {
			due = append(due, step)
		}
	}
	return due
}

// choose fires the latest permitted step of those due and records the others as passed over.
func (r *reminder) choose(l *line, due []ladder.Step) (ladder.Step, string) {
	chosen := -1
	for i := len(due) - 1; i >= 0 && chosen < 0; i-- {
		why, hold := r.permitted(*l, due[i], due[:i])
		if hold {
			return ladder.Step{}, why
		}
		if why == "" {
			chosen = i
			continue
		}
		r.record(l, due[i], why)
	}
	if chosen < 0 {
		return ladder.Step{}, ""
	}
	for _, step := range due[:chosen] {
		r.record(l, step, "a later step is due")
	}
	r.record(l, due[chosen], "")
	return due[chosen], ""
}

// permitted returns why the step may not be said today, given the earlier steps that are due with it; hold means that it
// may be later.
func (r *reminder) permitted(l line, step ladder.Step, earlier []ladder.Step) (reason string, hold bool) {
	o := l.record.Obligation
	switch {
	case r.day > step.Expires:
		return "its day is past", false
	case step.Rung == ladder.Urging && l.status.Asked != 0:
		return "an extension request awaits an answer", true
	case step.Rung == ladder.Urging && r.urgedOfLate(l, step) != 0:
		return fmt.Sprintf("urged on %s; the next urging leaves the unit %d workdays", r.urgedOfLate(l, step), urgingGap), true
	case step.Rung == ladder.Urging && r.contacted(l) && !r.urged(l) && !slices.ContainsFunc(earlier, urging):
		return fmt.Sprintf("contacted by other means on %s", l.status.Contacted), false
	case step.OnlyLate && !r.lateOfLate(o):
		return "not late in the last three months", false
	case o.Owes == task.OwesSupport && !r.LeadOpen[o.TaskID.String()+"/"+o.Instance]:
		return "the result was delivered", false
	}
	return "", false
}

// urgingGap is how many workdays lie between two urgings of one item at the least, as between T+2 and T+5. Where the first
// was said late, the second waits: nobody is urged on two days running.
const urgingGap = 3

// urgedOfLate returns the day of another urging of this arm that was said fewer than urgingGap workdays ago, or 0.
func (r *reminder) urgedOfLate(l line, step ladder.Step) civil.Date {
	for _, f := range l.record.Steps {
		other := f.Arm == l.status.Arm && f.Passed == "" && f.Step != step.Step && f.On < r.day
		if other && r.rung(l.record.Obligation.Kind, f.Step) == ladder.Urging && r.set.Calendar.Count(f.On, r.day) < urgingGap {
			return f.On
		}
	}
	return 0
}

func urging(s ladder.Step) bool { return s.Rung == ladder.Urging }

// contacted reports whether the unit was told by other means after the date, since the item has been open.
func (r *reminder) contacted(l line) bool {
	st := l.status
	return st.Contacted != 0 && st.Contacted > st.Effective && st.Contacted >= st.Since
}

// urged reports whether the first urging of this arm was passed over or said already: a contact stands in for the first
// urging, not for all of them.
func (r *reminder) urged(l line) bool {
	return slices.ContainsFunc(l.record.Steps, func(f task.FiredStep) bool {
		return f.Arm == l.status.Arm && r.rung(l.record.Obligation.Kind, f.Step) == ladder.Urging
	})
}

func (r *reminder) rung(k task.Kind, code string) ladder.Rung {
	for _, rule := range r.set.Ladder[k] {
		if rule.Step == code {
			return rule.Rung
		}
	}
	return ladder.Pace
}

// Recent returns the first day of the three months within which a unit must have been late with a duty for a step that
// is said to the late only.
func Recent(d civil.Date) civil.Date { return d.AddMonths(-3) }

// AsksRecent reports whether a step that is said to the late only may be due for the record on day d, so that the
// duty's recent instances must be at hand.
func AsksRecent(r task.Record, set Settings, d civil.Date) bool {
	o := r.Obligation
	onlyLate := func(rule ladder.Rule) bool { return rule.OnlyLate }
	if !slices.ContainsFunc(set.Ladder[o.Kind], onlyLate) {
		return false
	}
	st := task.Fold(o, r.Events, d, set.Calendar, set.Terms)
	s := ladder.Subject{Obligation: o, Status: st, Deliverable: true, Chase: task.ChaseLetter}
	return st.Chased() && slices.ContainsFunc(set.Ladder.Steps(s, set.Calendar), func(step ladder.Step) bool {
		return onlyLate(step.Rule) && step.On <= d && d <= step.Expires
	})
}

// lateOfLate reports whether the unit was late with this duty within the last three months.
func (r *reminder) lateOfLate(o task.Obligation) bool {
	since := Recent(r.day)
	for _, h := range r.History {
		p := h.Obligation
		if p.TaskID != o.TaskID || p.Unit != o.Unit || p.Instance == o.Instance {
			continue
		}
		st := task.Fold(p, h.Events, r.day, r.set.Calendar, r.set.Terms)
		if st.Unconfirmed || st.Assess < since || st.Assess >= r.day {
			continue
		}
		if st.State == task.Waiting || st.Reported != 0 && r.set.Calendar.Count(st.Assess, st.Reported) > 0 {
			return true
		}
	}
	return false
}

// record notes the step on the record and in the plan.
func (r *reminder) record(l *line, step ladder.Step, passed string) {
	f := task.FiredStep{
		Obligation: l.record.Obligation.Ref.String(), Arm: l.status.Arm, Step: step.Step, N: 1,
		Role: task.Liaison, On: r.day, Passed: passed,
	}
	if passed == "" {
		f.Notice = r.key(l.record.Obligation.Unit).ID()
	}
	l.record.Steps = append(slices.Clone(l.record.Steps), f)
	r.plan.Steps = append(r.plan.Steps, f)
}

// again says a step once more that an unsent letter was to say, if nothing was said of the item since. It is permitted
// anew: a reminder dies with its date, and nobody is urged while a request waits or after being told by other means. A
// step that is held keeps its letter, so that it is not lost.
func (r *reminder) again(l line) ladder.Step {
	last := lastSaid(l.record.Steps, l.status.Arm)
	if !r.unsent[last.Notice] || r.Written[r.key(l.record.Obligation.Unit).ID()] || l.status.Contacted >= last.On {
		return ladder.Step{}
	}
	steps := r.set.Ladder.Steps(subject(l.record, l.task, l.unit, l.status, r.set), r.set.Calendar)
	i := slices.IndexFunc(steps, func(s ladder.Step) bool { return s.Step == last.Step })
	if i < 0 {
		return ladder.Step{} // the unit, the row or the date has changed: nothing of the kind is said any more
	}
	switch why, hold := r.permitted(l, steps[i], nil); {
	case hold:
		r.kept[last.Notice] = why
		r.plan.Held = append(r.plan.Held, Held{l.record.Obligation.Ref.String(), last.Step, why})
		return ladder.Step{}
	case why != "":
		return ladder.Step{}
	}
	r.plan.Steps = append(r.plan.Steps, task.FiredStep{
		Obligation: l.record.Obligation.Ref.String(), Arm: l.status.Arm, Step: last.Step, N: last.N + 1,
		Role: task.Liaison, On: r.day, Notice: r.key(l.record.Obligation.Unit).ID(),
	})
	return steps[i]
}

// lastSaid returns the step that was said last in the arm.
func lastSaid(steps []task.FiredStep, arm int) task.FiredStep {
	var last task.FiredStep
	for _, f := range steps {
		if f.Arm == arm && f.Passed == "" && (f.On > last.On || f.On == last.On && f.N > last.N) {
			last = f
		}
	}
	return last
}

// repeats reports whether a line said before stands again in a letter that goes out anyway: what was raised and still
// waits, but an overdue item only after it was urged by the date it has now, since nothing accuses while the register
// may be behind.
func (r *reminder) repeats(l line) bool {
	o, due := l.record.Obligation, max(l.status.Effective, l.status.Assess)
	if o.Owes != task.OwesDeliver || raised(l.record, l.status.Arm) >= r.day {
		return false
	}
	if c := chase(l.task, l.unit); c == task.ChaseManual || c == task.ChaseNone {
		return false
	}
	if r.day <= due {
		return slices.ContainsFunc(l.record.Steps, func(f task.FiredStep) bool {
			return f.Arm == l.status.Arm && f.Passed == "" && r.rung(o.Kind, f.Step) != ladder.Pace
		})
	}
	return slices.ContainsFunc(l.record.Steps, func(f task.FiredStep) bool {
		return f.Arm == l.status.Arm && f.Passed == "" && f.On > due && r.rung(o.Kind, f.Step) == ladder.Urging
	})
}

func (r *reminder) key(unit string) notice.Key {
	return notice.Key{
		Jurisdiction: r.Jurisdiction.Code, Date: r.day, Unit: unit, Role: string(task.Liaison), Kind: notice.UnitLetter,
	}
}

// readers returns the units that get a letter today, sorted by code.
func (r *reminder) readers() []string {
	var codes []string
	for code, fresh := range r.fresh {
		if fresh {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}

// settleUnsent says what becomes of the unsent letters of earlier days: today's letter to the same reader takes them
// over; where nothing is left to say, they are cancelled. A letter with an item that is held waits with it.
func (r *reminder) settleUnsent() {
	written := map[string]bool{}
	for _, n := range r.plan.Notices {
		written[n.ID] = true
	}
	for _, n := range r.Unsent {
		id := r.key(n.Key.Unit).ID()
		switch {
		case r.kept[n.ID] != "" && n.State != notice.Failed:
			r.plan.Hold[n.ID] = "kept back with an item of it: " + r.kept[n.ID]
		case written[id]:
			r.plan.Supersede[n.ID] = id
		case !r.Written[id] && n.State != notice.Failed:
			r.plan.Cancel[n.ID] = "nothing in it was left to say"
		}
	}
	slices.SortFunc(r.plan.Steps, func(a, b task.FiredStep) int {
		return cmp.Or(cmp.Compare(a.Obligation, b.Obligation), cmp.Compare(a.Step, b.Step), cmp.Compare(a.N, b.N))
	})
}
