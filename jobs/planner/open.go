package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/period"
	"duban/jobs/task"
)

// Sources is what opening reads: every version of a jurisdiction's plans, tasks and units, the events on tasks, and
// the identities that exist already.
type Sources struct {
	Jurisdiction task.Jurisdiction
	Plans        []task.Plan
	Tasks        []task.Task
	Directory    task.Directory
	TaskEvents   []task.Event
	Existing     map[string]bool // Ref.String(); read only
}

// Openings is what a day opens.
type Openings struct {
	Obligations []task.Obligation
	// NextOpen is, per task, the first later day on which opening could find something.
	NextOpen map[task.TaskID]civil.Date
}

// Open returns the obligations that the tasks of the snapshot have opened by the end of day d and that do not exist
// yet. It is cumulative: opening day by day and opening once on the last day give the same obligations.
func Open(src Sources, set Settings, d civil.Date) Openings {
	o := opener{
		src: src, set: set, day: d, versions: map[task.TaskID][]task.Task{}, opened: map[string]bool{},
		out: Openings{NextOpen: map[task.TaskID]civil.Date{}},
	}
	plans := map[string]task.Plan{}
	for _, p := range task.PlansAsOf(src.Plans, d) {
		plans[p.Code] = p
	}
	for _, t := range src.Tasks {
		o.versions[t.TaskID] = append(o.versions[t.TaskID], t)
		o.out.NextOpen[t.TaskID] = earliestAfter(src, t.TaskID, d)
	}
	for _, t := range task.TasksAsOf(src.Tasks, d) {
		if p, ok := plans[t.Plan]; ok {
			o.task(t, p, max(o.readSince(t), p.Issued))
		}
	}
	return o.out
}

// readSince returns the day from which the task has had the reading it has: the start of the run of versions, up to
// this one, that share its deadline text. An edited cadence opens nothing in the past.
func (o *opener) readSince(t task.Task) civil.Date {
	versions := slices.Clone(o.versions[t.TaskID])
	slices.SortFunc(versions, func(a, b task.Task) int { return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Seq, b.Seq)) })
	since := t.On
	for _, v := range slices.Backward(versions) {
		if v.On > t.On || v.On == t.On && v.Seq > t.Seq {
			continue
		}
		if v.Reading.Text != t.Reading.Text || v.Withdrawn {
			break
		}
		since = v.On
	}
	return since
}

// earliestAfter returns the day the next version of the task, or of its plan, begins to count, or civil.Never.
func earliestAfter(src Sources, id task.TaskID, d civil.Date) civil.Date {
	next := civil.Never
	for _, t := range src.Tasks {
		if t.TaskID == id && t.On > d {
			next = min(next, t.On)
		}
	}
	for _, p := range src.Plans {
		if p.Code == id.Plan && p.On > d {
			next = min(next, p.On)
		}
	}
	return next
}

// joinsAfter returns the day the next version of a unit or group begins to count, or civil.Never.
func (o *opener) joinsAfter(d civil.Date) civil.Date {
	next := civil.Never
	for _, u := range o.src.Directory.Units {
		if u.On > d {
			next = min(next, u.On)
		}
	}
	for _, g := range o.src.Directory.Groups {
		if g.On > d {
			next = min(next, g.On)
		}
	}
	return next
}

// lookAgain notes a later day on which opening could find something for the task.
func (o *opener) lookAgain(id task.TaskID, d civil.Date) {
	o.out.NextOpen[id] = min(o.out.NextOpen[id], d)
}

type opener struct {
	src Sources
	set Settings
	day civil.Date
	out Openings

	versions map[task.TaskID][]task.Task
	opened   map[string]bool // what this run has opened
}

// task opens what one task, in force since day from, has opened by o.day.
func (o *opener) task(t task.Task, p task.Plan, from civil.Date) {
	dated := t.Reading.Understood && t.Category != task.Personnel && t.Category != task.Inspection
	if !dated && len(o.triggers(t)) == 0 {
		return
	}
	if from > o.day { // entered before the plan's issue: nothing is owed yet
		o.lookAgain(t.TaskID, from)
		return
	}
	if dated {
		o.dated(t, p, from)
	}
	if StartsClock(t) {
		o.condition(t)
	}
}

// dated opens what the row's own text dates.
func (o *opener) dated(t task.Task, p task.Plan, from civil.Date) {
	end := civil.Never
	for _, v := range []civil.Date{p.ValidTo, t.ValidTo} {
		if v != 0 {
			end = min(end, v)
		}
	}
	for i, m := range t.Reading.Milestones {
		o.milestone(t, p, i, m, from)
	}
	o.recurrences(t, p, from, end)
}

func (o *opener) milestone(t task.Task, p task.Plan, i int, m deadline.Milestone, from civil.Date) {
	base := task.Obligation{
		Kind: task.Milestone, Label: m.Label, Nominal: m.Due, Effective: o.set.roll(m.Due), Assess: o.set.roll(m.Due),
		PastAtIssue: m.Due < p.Issued,
	}
	if t.Reading.Ambiguous && i < len(t.Reading.Alternatives) {
		base.Ambiguous = true
		base.Assess = max(base.Assess, o.set.roll(t.Reading.Alternatives[i]))
		base.PastAtIssue = base.Assess < p.Issued
	}
	if q := t.Reading.Quota; q != nil && q.Per == nil && i == len(t.Reading.Milestones)-1 {
		base.Quota, base.PaceFrom = q.Min, p.Issued
	}
	o.openFor(t, base, fmt.Sprintf("m%d", i+1), from, true)
	if joins := o.joinsAfter(o.day); joins <= base.Nominal {
		o.lookAgain(t.TaskID, joins)
	}
}

// recurrences opens the recurring duties of one row, those with the same period together: 每月15日和每月底 is two dates of
// one month, and neither may take the other's identity.
func (o *opener) recurrences(t task.Task, p task.Plan, from, end civil.Date) {
	same := map[deadline.Every][]deadline.Recurrence{}
	for _, rec := range t.Reading.Recurrences {
		same[rec.Every] = append(same[rec.Every], rec)
	}
	for _, every := range []deadline.Every{deadline.Week, deadline.Month, deadline.Quarter, deadline.Half, deadline.Year} {
		if recs := same[every]; len(recs) > 0 {
			o.recurrence(t, p, recs, from, end)
		}
	}
}

func (o *opener) recurrence(t task.Task, p task.Plan, recs []deadline.Recurrence, from, end civil.Date) {
	every := recs[0].Every
	for key := range period.Between(every, from, o.day) {
		start, last, err := key.Bounds()
		if err != nil || start > end {
			break
		}
		dues, since := duesIn(recs, start, last), max(from, start, o.prolonged(t, start))
		for i, d := range dues {
			if d.on < since {
				continue // periods and dates that ended before the issue are never opened
			}
			base := o.periodic(t, d.rec, key, d.on)
			if i == len(dues)-1 {
				counts(&base, t, p, d.rec.Every, start)
			}
			instance := string(key)
			if len(dues) > 1 {
				instance += fmt.Sprintf("/%02d", d.on.Day())
				if every != deadline.Month {
					instance = fmt.Sprintf("%s/%02d-%02d", key, int(d.on.Month()), d.on.Day())
				}
			}
			o.openFor(t, base, instance, since, false)
		}
	}
	if start, _, err := period.Of(every, o.day).Next().Bounds(); err == nil && start <= end {
		o.lookAgain(t.TaskID, start)
	}
}

// prolonged returns the day from which a period that starts on the day may open although the plan or the row had ended
// before it: the day its end was put off. A plan that is prolonged late asks nothing of the time between.
func (o *opener) prolonged(t task.Task, start civil.Date) (since civil.Date) {
	type version struct {
		on, end civil.Date
		seq     int64
	}
	var plan, row []version
	for _, p := range o.src.Plans {
		if p.Code == t.Plan && p.On <= o.day {
			plan = append(plan, version{p.On, p.ValidTo, p.Seq})
		}
	}
	for _, v := range o.versions[t.TaskID] {
		if v.On <= o.day {
			row = append(row, version{v.On, v.ValidTo, v.Seq})
		}
	}
	for _, versions := range [][]version{plan, row} {
		slices.SortFunc(versions, func(a, b version) int { return cmp.Or(cmp.Compare(a.on, b.on), cmp.Compare(a.seq, b.seq)) })
		over := false
		for _, v := range versions {
			ended := v.end != 0 && v.end < start
			if over && !ended {
				since = max(since, v.on)
			}
			over = ended
		}
	}
	return since
}

// counts gives an instance the number that its row wants within the period. It is due in full at the period's last date,
// so that the instances of earlier dates carry none.
func counts(ob *task.Obligation, t task.Task, p task.Plan, every deadline.Every, start civil.Date) {
	q := t.Reading.Quota
	if q == nil || q.Per == nil || *q.Per != every {
		return
	}
	ob.Quota, ob.PaceFrom = q.Min, max(start, p.Issued)
	if every == deadline.Year {
		ob.Kind = task.Quota
	}
}

// dueOf is one date of a period, with the recurrence that sets it.
type dueOf struct {
	on  civil.Date
	rec deadline.Recurrence
}

// duesIn returns the dates that recurrences of one period set from start to end, in order and each once.
func duesIn(recs []deadline.Recurrence, start, end civil.Date) []dueOf {
	var out []dueOf
	for _, rec := range recs {
		for _, on := range rec.DueIn(start, end) {
			if !slices.ContainsFunc(out, func(d dueOf) bool { return d.on == on }) {
				out = append(out, dueOf{on, rec})
			}
		}
	}
	slices.SortFunc(out, func(a, b dueOf) int { return cmp.Compare(a.on, b.on) })
	return out
}

// periodic dates one instance of a recurring duty. The activity of a quarter or half-year belongs to the period; its
// report is due on a set day of the month after it.
func (o *opener) periodic(t task.Task, rec deadline.Recurrence, key period.Key, due civil.Date) task.Obligation {
	kinds := map[deadline.Every]task.Kind{
		deadline.Week: task.Weekly, deadline.Month: task.Monthly, deadline.Quarter: task.Quarterly,
		deadline.Half: task.HalfYearly, deadline.Year: task.Yearly,
	}
	eff := due
	if (rec.Every == deadline.Quarter || rec.Every == deadline.Half) && len(rec.Dates) == 1 && rec.Dates[0] == "end" {
		day := t.ReportDay
		if day == 0 {
			day = o.set.ReportDay
		}
		if day > 0 {
			first := due + 1
			eff = first + civil.Date(min(day, civil.DaysIn(first.Year(), first.Month()))-1)
		}
	}
	ob := task.Obligation{Kind: kinds[rec.Every], Period: string(key), Nominal: due, Effective: o.set.roll(eff), Assess: o.set.roll(eff)}
	if later := t.Reading.LaterThan(due); later > due {
		ob.Ambiguous, ob.Assess = true, o.set.roll(later)
	}
	return ob
}

// StartsClock reports whether an event may open an item of the row: its text waits for one, or it names no date of its
// own and is kept by case, by person or by inspection, or goes on for ever. A row with dates of its own, and one that a
// person has to read first, waits for no event.
func StartsClock(t task.Task) bool {
	r := t.Reading
	if r.Understood && r.Condition != nil {
		return true
	}
	switch t.Category {
	case task.PerCase, task.Personnel, task.Inspection, task.Standing:
		return len(r.Milestones) == 0 && len(r.Recurrences) == 0
	}
	return r.Understood && r.Standing && len(r.Milestones) == 0 && len(r.Recurrences) == 0
}

// condition opens one instance per trigger: for the unit it names, or for every party where it names none.
func (o *opener) condition(t task.Task) {
	for _, e := range task.InForce(o.triggers(t), o.day) {
		if base, ok := TriggerOpens(t, e, o.set); ok && e.Kind == task.Triggered {
			o.trigger(t, base, TriggerInstance(t, e), e)
		}
	}
	for _, e := range o.triggers(t) {
		if e.Kind == task.Triggered && e.On > o.day {
			o.lookAgain(t.TaskID, e.On)
		}
	}
}

// triggers returns the triggers of the row, whatever their day, and the corrections that may void them.
func (o *opener) triggers(t task.Task) []task.Event {
	return slices.DeleteFunc(o.eventsOf(t), func(e task.Event) bool { return e.Kind != task.Triggered && e.Kind != task.Corrected })
}

// TriggerOpens returns the item that a trigger opens, but for its name and its party: its kind and its three dates. It is
// false where neither the trigger nor the row says when.
func TriggerOpens(t task.Task, e task.Event, set Settings) (task.Obligation, bool) {
	due, clock := TriggerDue(t, e, set)
	if due == 0 {
		return task.Obligation{}, false
	}
	base := task.Obligation{Kind: task.Condition, Nominal: due, Effective: set.roll(due)}
	if clock {
		base.Kind, base.Effective = task.Clock, set.Calendar.OnOrAfter(due)
	}
	if by, ok := rolls[e.N]; ok {
		set.Roll = by
		base.Effective = set.roll(due)
	}
	base.Assess = base.Effective
	return base, true
}

// rolls are the roll policies by the number a trigger carries; 0 leaves the one of the item's kind.
var rolls = map[int]Roll{1: Keep, 2: Previous, 3: Next}

// RollNumber returns the number by which a trigger's N names the policy of a rule, 0 where the rule names none.
func RollNumber(roll string) int {
	for n, r := range rolls {
		if string(r) == roll {
			return n
		}
	}
	return 0
}

// MaxReference is the longest reference of a trigger that an instance is told by, in characters.
const MaxReference = 100

// TriggerInstance returns the instance that a trigger opens: its reference, else the event the row waits for. It holds no
// slash, which parts the pieces of an obligation's name, and is cut to MaxReference, since the cell names the event.
func TriggerInstance(t task.Task, e task.Event) string {
	ref := e.Ref
	if ref == "" && t.Reading.Condition != nil {
		ref = t.Reading.Condition.Event
	}
	ref = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(ref, "-"), unicode.IsControl), " ")
	runes := []rune(strings.TrimSpace(strings.ReplaceAll(ref, "/", "-")))
	return "e:" + strings.TrimSpace(string(runes[:min(len(runes), MaxReference)]))
}

func (o *opener) eventsOf(t task.Task) []task.Event {
	var out []task.Event
	id := t.TaskID.String()
	for _, e := range o.src.TaskEvents {
		if e.Subject == id {
			out = append(out, e)
		}
	}
	return out
}

// TriggerDue returns the due date that a trigger sets: the one it names, else the task's offset counted from the day
// of the trigger (Civil Code arts. 201 and 202). The second result tells an event clock, counted in hours, days or
// working days, or started on a row that is kept by case, by person or by inspection, from a milestone whose clock an
// event started.
func TriggerDue(t task.Task, e task.Event, set Settings) (civil.Date, bool) {
	c := t.Reading.Condition
	clock := c == nil || t.Category == task.PerCase || t.Category == task.Personnel || t.Category == task.Inspection
	if c == nil || c.Offset == nil {
		return e.Date, clock
	}
	n := c.Offset.N
	if c.Offset.Dir == "before" {
		n = -n
	}
	due := After(e.On, n, c.Offset.Unit, set)
	clock = clock || c.Offset.Unit != "month" && c.Offset.Unit != "year"
	if e.Date != 0 {
		due = e.Date
	}
	return due, clock
}

// After returns the day n units after an event of day on, which is itself not counted (Civil Code art. 201): hours are
// rounded up to days, a month ends on the corresponding day or the month's last (art. 202). It is not moved off a rest
// day. 0 stands for a unit that is none.
func After(on civil.Date, n int, unit string, set Settings) civil.Date {
	switch unit {
	case "hour":
		return on + civil.Date((n+23)/24)
	case "day":
		return on + civil.Date(n)
	case "workday":
		return set.Calendar.Add(on, n)
	case "month":
		return on.AddMonths(n)
	case "year":
		return on.AddMonths(12 * n)
	}
	return 0
}

// openFor opens the base for every party, with the membership of day at. A unit that joins later is opened only for
// what falls due from then on, and only where late joiners take part (milestones; a period belongs to the units that
// were there when it began).
func (o *opener) openFor(t task.Task, base task.Obligation, instance string, at civil.Date, late bool) {
	days := []civil.Date{at}
	if late {
		days = append(days, o.changes(t.TaskID, at, min(o.day, base.Nominal))...)
	}
	for _, d := range days {
		for _, v := range task.TasksAsOf(o.versions[t.TaskID], d) {
			o.openParties(base, instance, o.src.Directory.AsOf(d).Expand(v.Parties), v.TaskID, d)
		}
	}
}

// changes returns the days in (from, to] on which the units, the groups or the task changed, in order.
func (o *opener) changes(id task.TaskID, from, to civil.Date) []civil.Date {
	var days []civil.Date
	add := func(on civil.Date) {
		if on > from && on <= to && !slices.Contains(days, on) {
			days = append(days, on)
		}
	}
	for _, u := range o.src.Directory.Units {
		add(u.On)
	}
	for _, g := range o.src.Directory.Groups {
		add(g.On)
	}
	for _, v := range o.versions[id] {
		add(v.On)
	}
	slices.Sort(days)
	return days
}

// trigger opens the base for the unit the event names, or for every party where it names none.
func (o *opener) trigger(t task.Task, base task.Obligation, instance string, e task.Event) {
	parties := o.src.Directory.AsOf(e.On).Expand(t.Parties)
	if e.Unit != "" {
		parties = slices.DeleteFunc(parties, func(p task.Party) bool { return p.Code != e.Unit })
	}
	if e.Nil { // listed only: the unit is told nothing and owes nothing by that day
		base.Owes = task.OwesNone
	}
	o.openParties(base, instance, parties, t.TaskID, e.On)
}

func (o *opener) openParties(base task.Obligation, instance string, parties []task.Party, id task.TaskID, at civil.Date) {
	for _, p := range parties {
		if p.Owes == task.OwesNone {
			continue
		}
		ob := base
		ob.Ref = task.Ref{TaskID: id, Unit: p.Code, Instance: instance}
		ob.Role, ob.Owes, ob.Opened = p.Role, cmp.Or(base.Owes, p.Owes), at
		ob.Inherited = !ob.PastAtIssue && max(ob.Effective, ob.Assess) < cmp.Or(o.set.LiveFrom, o.src.Jurisdiction.LiveFrom)
		ob.Provisional = !o.set.Calendar.Published(ob.Effective)
		if key := ob.Ref.String(); !o.src.Existing[key] && !o.opened[key] {
			o.opened[key] = true
			o.out.Obligations = append(o.out.Obligations, ob)
		}
	}
}
