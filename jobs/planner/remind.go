package planner

import (
	"cmp"
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
	// Silences is what task.SilencesAsOf returned for the day.
	Silences []task.Silence
	// Documents are the forms in draft, and those dropped of late; the records of both are among Records.
	Documents []notice.Document
	// Week are the units' letters of the week so far; others are passed by.
	Week []notice.Brief
	// Known is the jurisdiction's seq that the last planning before the day was made on, and Planned its day; 0 where there
	// was none.
	Known   int64
	Planned civil.Date
}

// Plan is what a day comes to.
type Plan struct {
	Day       civil.Date
	Notices   []notice.Notice
	Steps     []task.FiredStep
	Caches    []task.Cache
	Supersede map[string]string // old notice → new notice
	Cancel    map[string]string // notice → reason
	// Hold keeps letters back with an item of theirs that is held; notice → reason.
	Hold map[string]string
	Held []Held
	// Holds are those of Held whose reason is another than was stored last.
	Holds []task.Hold
	// Documents are the forms drafted; Drop are the drafts that no longer hold, with the reason.
	Documents []notice.Document
	Drop      map[string]string
	Looked    int
}

// Held is a step that is due and waits, with the reason.
type Held struct {
	Ref    string
	Step   string
	Reason string
}

// line is a record on its way into a letter.
type line struct {
	*judge
	step ladder.Step // the zero Step where nothing new is said
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
	r.sort()
	return r.plan
}

type reminder struct {
	Snapshot
	all   Settings // as loaded
	set   Settings // in force on the day
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
	// refused are the letters that did not reach their reader, with the server's words.
	refused   map[string]string
	documents map[string][]notice.Document // by obligation
	letters   map[string]int               // letters of the week, by unit, as they are asked for
	plan      Plan
}

func newReminder(s Snapshot, set Settings, d civil.Date) *reminder {
	r := &reminder{
		Snapshot: s, all: set, set: set.On(d), day: d,
		units: map[string]task.Unit{}, tasks: map[task.TaskID]task.Task{}, plans: map[string]task.Plan{},
		lines: map[string][]line{}, fresh: map[string]bool{}, unsent: map[string]bool{}, kept: map[string]string{},
		refused: map[string]string{}, documents: map[string][]notice.Document{}, letters: map[string]int{},
		plan: Plan{Day: d, Supersede: map[string]string{}, Cancel: map[string]string{}, Hold: map[string]string{}, Drop: map[string]string{}},
	}
	for _, u := range s.Directory.AsOf(d).Units {
		r.units[u.Code] = u
	}
	for _, doc := range s.Documents {
		for _, ref := range doc.Refs {
			if doc.Kind == notice.SupervisionForm {
				r.documents[ref] = append(r.documents[ref], doc)
			}
		}
	}
	r.sortLetters(s)
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

// sortLetters finds the letters of earlier days whose items are still to be said.
func (r *reminder) sortLetters(s Snapshot) {
	// One whose reader has it waits for a copy only, and one that goes once more may be at its reader already: both have
	// said what they had to say, and are let be. A form is no ordinary letter.
	r.Unsent = slices.DeleteFunc(slices.Clone(s.Unsent), func(n notice.Notice) bool {
		return n.Delivered() || n.Resent || n.Key.Kind != notice.UnitLetter
	})
	for _, n := range s.Failed {
		if n.Key.Kind != notice.UnitLetter {
			continue
		}
		if r.mended(n) {
			r.Unsent = append(r.Unsent, n)
		}
		r.refused[n.ID] = cmp.Or(n.Reason, "the mail server refused it")
	}
	for _, n := range r.Unsent {
		r.unsent[n.ID] = true
	}
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

// judge puts a record together with all that is decided about it by.
func (r *reminder) judge(rec task.Record, t task.Task, u task.Unit) *judge {
	o := rec.Obligation
	if _, counted := r.letters[o.Unit]; !counted {
		r.letters[o.Unit] = lettersOf(r.Week, o.Unit, r.day, r.set, r.unsent)
	}
	return newJudgeIn(Case{
		Jurisdiction: r.Jurisdiction, Record: rec, Task: t, Unit: u, Bureau: r.units[r.Jurisdiction.Bureau], Plan: r.plans[o.Plan],
		Silences: r.Silences, Served: r.Served, Refused: r.refused, History: r.History,
		LeadOpen: r.LeadOpen[o.TaskID.String()+"/"+o.Instance],
		Written:  r.Written[r.key(o.Unit).ID()], Letters: r.letters[o.Unit],
		Unseen: r.Known + 1, Planned: r.Planned,
	}, &r.all, &r.set, r.day)
}

// Case returns one obligation of the snapshot with all that is decided about it by on day d; ok is false where it, its row
// or its unit is not there.
func (s Snapshot) Case(ref string, set Settings, d civil.Date) (c Case, ok bool) {
	r := newReminder(s, set, d)
	for _, rec := range s.Records {
		if o := rec.Obligation; o.Ref.String() == ref {
			t, row := r.tasks[o.TaskID]
			u, unit := r.units[o.Unit]
			return r.judge(rec, t, u).Case, row && unit
		}
	}
	return Case{}, false
}

// look decides what is said today about one record.
func (r *reminder) look(rec task.Record) {
	o := rec.Obligation
	if o.Opened > r.day {
		return
	}
	t, ok := r.tasks[o.TaskID]
	u, known := r.units[o.Unit]
	if !ok || !known {
		r.orphaned(rec)
		return
	}
	r.plan.Looked++
	l := line{judge: r.judge(rec, t, u)}
	r.settleDrafts(&l)
	st := l.status
	waits := false
	if st.Chased() {
		waits = r.climb(&l)
	}
	if st.Chased() && l.step.Step == "" {
		l.step = r.again(l)
	}
	if st.Chased() && (l.step.Step != "" || r.repeats(l)) {
		r.lines[o.Unit] = append(r.lines[o.Unit], l)
		r.fresh[o.Unit] = r.fresh[o.Unit] || l.step.Step != ""
	}
	cache := CacheOf(l.Record, t, u, r.all, r.day)
	if waits {
		cache.NextLook = r.day + 1
	}
	r.plan.Caches = append(r.plan.Caches, cache)
}

// climb records what the day's verdict says, and reports whether something that is due waits.
func (r *reminder) climb(l *line) (waits bool) {
	v := l.decide()
	for _, p := range v.passed {
		r.record(l, p.step, task.FiredStep{Role: role(p.step), Passed: p.why})
	}
	if v.say.Step != "" {
		l.step = v.say
		r.record(l, v.say, task.FiredStep{Role: task.Liaison, Notice: r.key(l.Record.Obligation.Unit).ID()})
	}
	if v.form.Step != "" && !r.draft(l, v.form) {
		v.formHeld = passed{v.form, "its draft of today was dropped"}
	}
	for _, p := range []passed{v.held, v.formHeld} {
		if p.why != "" {
			r.hold(*l, p.step.Step, p.why)
			waits = true
		}
	}
	return waits
}

// role is that of the reader a step is recorded for. Letters are written to the liaison, whoever gets a copy.
func role(s ladder.Step) task.Role {
	if isForm(s) {
		return task.Deputy
	}
	return task.Liaison
}

// hold notes a step that is due and waits. It is stored where the reason is another than the last one.
func (r *reminder) hold(l line, step, why string) {
	ref, arm := l.Record.Obligation.Ref.String(), l.status.Arm
	r.plan.Held = append(r.plan.Held, Held{ref, step, why})
	stored := ""
	for _, h := range l.Record.Holds {
		if h.Arm == arm && h.Step == step && h.On <= r.day {
			stored = h.Reason
		}
	}
	if stored != why {
		r.plan.Holds = append(r.plan.Holds, task.Hold{Obligation: ref, Arm: arm, Step: step, On: r.day, Reason: why})
	}
}

// record notes what became of a step of the present arm on the record and in the plan.
func (r *reminder) record(l *line, step ladder.Step, f task.FiredStep) {
	r.recordIn(l, l.status.Arm, step.Step, f)
}

func (r *reminder) recordIn(l *line, arm int, step string, f task.FiredStep) {
	last, _ := lastOf(l.Record.Steps, arm, step)
	f.Obligation, f.Arm, f.Step, f.N, f.On = l.Record.Obligation.Ref.String(), arm, step, last.N+1, r.day
	l.Record.Steps = append(slices.Clone(l.Record.Steps), f)
	r.plan.Steps = append(r.plan.Steps, f)
}

// again says a step once more that an unsent letter was to say, if nothing was said of the item since. It is permitted
// anew: a reminder dies with its date, and nobody is urged while a request waits or after being told by other means. A
// step that is held keeps its letter, so that it is not lost.
func (r *reminder) again(l line) ladder.Step {
	last := l.lastSaid()
	if !r.unsent[last.Notice] || l.Written || l.status.Contacted >= last.On {
		return ladder.Step{}
	}
	i := slices.IndexFunc(l.steps, func(s ladder.Step) bool { return s.Step == last.Step })
	if i < 0 || l.steps[i].On > r.day {
		return ladder.Step{} // the unit, the row or the date has changed: nothing of the kind is said any more, or yet
	}
	switch why, hold := l.permitted(l.steps[i], nil); {
	case hold:
		r.kept[last.Notice] = why
		r.hold(l, last.Step, why)
		return ladder.Step{}
	case why != "":
		return ladder.Step{}
	}
	r.plan.Steps = append(r.plan.Steps, task.FiredStep{
		Obligation: l.Record.Obligation.Ref.String(), Arm: l.status.Arm, Step: last.Step, N: last.N + 1,
		Role: task.Liaison, On: r.day, Notice: r.key(l.Record.Obligation.Unit).ID(),
	})
	return l.steps[i]
}

// lastSaid returns the step that a letter of this arm said last. A form is none.
func (j *judge) lastSaid() task.FiredStep {
	var last task.FiredStep
	for _, f := range j.Record.Steps {
		if f.Arm == j.status.Arm && f.Passed == "" && (f.On > last.On || f.On == last.On && f.N > last.N) &&
			RungOf(j.all, j.Record.Obligation.Kind, f) != ladder.Form {
			last = f
		}
	}
	return last
}

// repeats reports whether a line said before stands again in a letter that goes out anyway: what was raised and still
// waits, but an overdue item only after it was urged by the date it has now, since nothing accuses while the register
// may be behind. Nothing is repeated under a silence, and nothing that accuses while the bureau holds the item.
func (r *reminder) repeats(l line) bool {
	due := l.due0()
	if l.Record.Obligation.Owes != task.OwesDeliver || raised(l.Record, l.status.Arm) >= r.day || l.silenced() != "" {
		return false
	}
	if c := chase(l.Task, l.Unit); c == task.ChaseManual || c == task.ChaseNone {
		return false
	}
	if r.day <= due {
		return len(l.saidOf(ladder.Reminder))+len(l.saidOf(ladder.Urging)) > 0
	}
	return l.status.HeldUntil == 0 && slices.ContainsFunc(l.saidOf(ladder.Urging), func(f task.FiredStep) bool { return f.On > due })
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
}

// sort brings the plan into an order that does not depend on that of the records.
func (r *reminder) sort() {
	slices.SortFunc(r.plan.Notices, func(a, b notice.Notice) int {
		return cmp.Or(cmp.Compare(a.Key.Unit, b.Key.Unit), cmp.Compare(a.Key.Kind, b.Key.Kind), cmp.Compare(a.Key.Matter, b.Key.Matter))
	})
	slices.SortFunc(r.plan.Documents, func(a, b notice.Document) int {
		return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Matter, b.Matter))
	})
	slices.SortFunc(r.plan.Steps, func(a, b task.FiredStep) int {
		return cmp.Or(cmp.Compare(a.Obligation, b.Obligation), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.N, b.N))
	})
	slices.SortFunc(r.plan.Holds, func(a, b task.Hold) int {
		return cmp.Or(cmp.Compare(a.Obligation, b.Obligation), cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.Step, b.Step))
	})
}
