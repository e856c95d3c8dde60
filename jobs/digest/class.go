package digest

import (
	"slices"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/task"
)

// Class is where a 项 or a 项次 stands. Each stands in exactly one.
type Class string

// The classes, in the order in which they are listed. Those of 项次 are the first group and Lost, Gone; 项 may stand in any.
const (
	Done        Class = "已办结"
	OnTrack     Class = "按序时推进"
	Extended    Class = "已延期（经批准）"
	Behind      Class = "滞后序时进度"
	Overdue     Class = "超期"
	Answered    Class = "待审核"
	ByHand      Class = "由专人联系"
	Courtesy    Class = "仅知会不催办"
	Own         Class = "本局承办"
	PastAtIssue Class = "印发时已过时限待确认"
	Inherited   Class = "启用前到期待确认"
	Confirmed   Class = "已确认不计考核"
	Waived      Class = "不适用"
	Lost        Class = "责任单位待核"
	Gone        Class = "已移交或撤销"
	// Of 项 alone.
	Untriggered Class = "条件未具备"
	Unreadable  Class = "时限待核定"
	Standing    Class = "长期坚持"
	PerCase     Class = "逐案办理"
	Staff       Class = "人员事项"
	Inspections Class = "检查事项"
	NotStarted  Class = "未启动"
	Nothing     Class = "无须报送"
)

// listed is the order in which classes are listed.
func listed() []Class {
	return []Class{
		Done, OnTrack, Extended, Behind, Overdue, Answered, ByHand, Courtesy, Own, PastAtIssue, Inherited, Confirmed, Waived,
		Standing, Untriggered, Unreadable, PerCase, Staff, Inspections, NotStarted, Nothing, Lost, Gone,
	}
}

// pressing are the classes of 项次 that keep a 项 open, the most pressing first: a 项 stands where its most pressing 项次
// does. What a unit owes that is written to comes before what the bureau settles by itself.
func pressing() []Class {
	return []Class{Overdue, Behind, OnTrack, Extended, Answered, ByHand, Courtesy, Own, Lost, PastAtIssue, Inherited}
}

// classOf sorts a 项次 that a unit has to hand in by its state as of a day. The first that fits counts:
// closed (moved, not applicable, confirmed, done), listed for confirmation, the bureau's own, reported, the row or the unit
// gone, a unit that is not written to by machine, late, behind pace, extended, in time.
func (w *world) classOf(it *item, st task.Status, day civil.Date) Class {
	switch st.State {
	case task.Dropped, task.Moved:
		return Gone
	case task.Void:
		return Waived
	case task.Settled:
		return Confirmed
	case task.Finished:
		return Done
	case task.Waiting, task.Answered:
	}
	switch {
	case st.Unconfirmed && st.State == task.Waiting && it.Obligation.PastAtIssue:
		return PastAtIssue
	case st.Unconfirmed && st.State == task.Waiting:
		return Inherited
	case it.Obligation.Unit == w.Jurisdiction.Bureau:
		return Own
	case st.State == task.Answered:
		return Answered
	case !it.inForce:
		return Gone
	case !it.known:
		return Lost
	case it.chase == task.ChaseManual:
		return ByHand
	case it.chase != task.ChaseLetter:
		return Courtesy
	case day > dueOf(st):
		return Overdue
	case it.count < it.pace:
		return Behind
	case st.Extended:
		return Extended
	}
	return OnTrack
}

// classOfRow sorts a 项. It stands where its most pressing open 项次 does; with none open, its reading says what is to come;
// with nothing to come it is done, or not applicable, or was never anybody's to hand in.
func (w *world) classOfRow(t task.Task) Class {
	has := w.classesOf(t.TaskID)
	for _, c := range pressing() {
		if has[c] > 0 {
			return c
		}
	}
	switch {
	case t.Category == task.Personnel:
		return Staff
	case t.Category == task.Inspection:
		return Inspections
	case t.Category == task.PerCase && (t.Reading.Understood || t.DeadlineText == "" || w.ruled(t.TaskID)):
		return PerCase
	case !t.Reading.Understood && t.Category != task.Standing:
		return Unreadable
	case t.Reading.Condition != nil && !w.triggered[t.TaskID.String()]:
		return Untriggered
	case t.Category == task.Standing || t.Reading.Standing:
		return Standing
	case w.recurs(t):
		if has[Done]+has[Waived]+has[Confirmed] > 0 {
			return OnTrack
		}
		return w.unopened(t)
	case has[Done] > 0:
		return Done
	case has[Waived] > 0:
		return Waived
	case has[Confirmed] > 0:
		return Confirmed
	}
	return w.unopened(t)
}

// ruled reports whether a rule says when the row falls due after an occurrence.
func (w *world) ruled(id task.TaskID) bool {
	return slices.ContainsFunc(w.set.Rules, func(r task.Rule) bool { return r.Plan == id.Plan && r.Row == id.Row })
}

// unopened tells a row that nothing was opened of yet from one that asks nobody to hand anything in.
func (w *world) unopened(t task.Task) Class {
	if slices.ContainsFunc(w.dir.Expand(t.Parties), func(p task.Party) bool { return p.Owes == task.OwesDeliver }) {
		return NotStarted
	}
	return Nothing
}

// recurs reports whether a later period of the row is going to open.
func (w *world) recurs(t task.Task) bool {
	for _, end := range []civil.Date{w.plans[w.planNo[t.Plan]].ValidTo, t.ValidTo} {
		if end != 0 && end <= w.d {
			return false
		}
	}
	return slices.ContainsFunc(t.Reading.Recurrences, func(r deadline.Recurrence) bool { return r.Until == 0 || r.Until > w.d })
}

// classesOf counts the 项次 of a row that units have to hand in.
func (w *world) classesOf(id task.TaskID) map[Class]int {
	has := map[Class]int{}
	for c, n := range w.tallies[id] {
		has[c] += n
	}
	for _, it := range w.byRow[id] {
		if it.delivers() {
			has[it.class]++
		}
	}
	return has
}

// census are the classes of all, and of each plan.
type census struct {
	rows, items    map[Class]int
	planRows       map[string]map[Class]int
	planItems      map[string]map[Class]int
	classOfRow     map[task.TaskID]Class
	support, shown int // shown are the items that the workbook lists one by one
}

func (w *world) census() census {
	c := census{
		rows: map[Class]int{}, items: map[Class]int{}, planRows: map[string]map[Class]int{}, planItems: map[string]map[Class]int{},
		classOfRow: map[task.TaskID]Class{},
	}
	count := func(all map[string]map[Class]int, plan string, class Class, n int) {
		if all[plan] == nil {
			all[plan] = map[Class]int{}
		}
		all[plan][class] += n
	}
	for _, t := range w.rows {
		class := w.classOfRow(t)
		c.classOfRow[t.TaskID] = class
		c.rows[class]++
		count(c.planRows, t.Plan, class, 1)
	}
	add := func(id task.TaskID, class Class, n int) {
		c.items[class] += n
		count(c.planItems, id.Plan, class, n)
	}
	for id, classes := range w.tallies {
		for class, n := range classes {
			add(id, class, n)
		}
	}
	for _, it := range w.items {
		if it.delivers() {
			add(it.Obligation.TaskID, it.class, 1)
			c.shown++
		}
	}
	for _, n := range w.support {
		c.support += n
	}
	return c
}

// counts lists the classes that are not empty, and their sum.
func counts(of map[Class]int) (out []Count, total int) {
	for _, class := range listed() {
		if n := of[class]; n > 0 {
			out = append(out, Count{class, n})
			total += n
		}
	}
	return out, total
}
