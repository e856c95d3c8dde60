package planner

import (
	"cmp"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/task"
)

// Recent returns the first day of the three months within which a unit must have been late with a duty for a step that
// is said to the late only.
func Recent(d civil.Date) civil.Date { return d.AddMonths(-3) }

// LastYear returns the first day of the twelve months whose misses a form of a monthly or weekly report counts.
func LastYear(d civil.Date) civil.Date { return d.AddMonths(-12) }

// HistorySince returns the first day since which the other instances of the record's duty must be at hand to decide on day
// d: a step that is said only to the late, or after several misses, may be due. 0: none is asked for.
func HistorySince(r task.Record, all Settings, d civil.Date) civil.Date {
	o, set := r.Obligation, all.On(d)
	if !slices.ContainsFunc(set.Ladder[o.Kind], func(rule ladder.Rule) bool { return rule.OnlyLate || rule.OnlyMisses }) {
		return 0
	}
	st := task.Fold(o, r.Events, d, set.Calendar, set.Terms)
	if !st.Chased() {
		return 0
	}
	var since civil.Date
	s := ladder.Subject{Obligation: o, Status: st, Deliverable: true, Chase: task.ChaseLetter}
	for _, step := range set.Ladder.Steps(s, set.Calendar) {
		if step.On > d || d > step.Expires {
			continue
		}
		switch {
		case step.OnlyMisses && !said(r.Steps, st.Arm, step):
			return LastYear(d)
		case step.OnlyLate:
			since = Recent(d)
		}
	}
	return since
}

// instance is another instance of the duty as it stands on the day.
type instance struct {
	name   string
	status task.Status
}

// before returns the other instances of the unit's duty that were judged on a day since the given one and before the day.
func (j *judge) before(since, d civil.Date) []instance {
	o := j.Record.Obligation
	var out []instance
	for _, h := range j.History {
		p := h.Obligation
		if p.TaskID != o.TaskID || p.Unit != o.Unit || p.Instance == o.Instance {
			continue
		}
		if st := task.Fold(p, h.Events, j.day, j.set.Calendar, j.set.Terms); st.Assess >= since && st.Assess < d {
			out = append(out, instance{p.Instance, st})
		}
	}
	slices.SortFunc(out, func(a, b instance) int {
		return cmp.Or(cmp.Compare(a.status.Assess, b.status.Assess), cmp.Compare(a.name, b.name))
	})
	return out
}

// lateOfLate reports whether the unit was late with this duty within the last three months.
func (j *judge) lateOfLate() bool {
	return slices.ContainsFunc(j.before(Recent(j.day), j.day), func(i instance) bool {
		st := i.status
		return !st.Unconfirmed && (st.State == task.Waiting || st.Reported != 0 && j.set.Calendar.Count(st.Assess, st.Reported) > 0)
	})
}

// misses reports whether this miss is the second running or the third within a year. A report that came within the grace
// after which its period is closed was late, and not missed; what does not apply any more was not missed either, and ends
// a run.
func (j *judge) misses() bool {
	past := j.before(LastYear(j.day), j.status.Assess)
	n := 1
	for _, i := range past {
		if j.missed(i.status) {
			n++
		}
	}
	return n >= 3 || len(past) > 0 && j.missed(past[len(past)-1].status)
}

func (j *judge) missed(st task.Status) bool {
	late := 0
	switch {
	case st.Unconfirmed:
		return false
	case st.State == task.Waiting:
		late = j.set.Calendar.Count(st.Assess, j.day)
	case st.State == task.Answered || st.State == task.Finished:
		late = j.set.Calendar.Count(st.Assess, st.Reported)
	}
	return late-st.Waited > j.set.Grace
}
