package planner

import (
	"cmp"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/task"
)

// subject puts an obligation, its state and its row together for the ladder.
func subject(r task.Record, t task.Task, u task.Unit, st task.Status, set Settings) ladder.Subject {
	s := ladder.Subject{Obligation: r.Obligation, Status: st, Deliverable: t.Deliverable != "", Chase: chase(t, u)}
	if r.Obligation.Quota > 0 {
		o, events, cal, terms := r.Obligation, r.Events, set.Calendar, set.Terms // the closure keeps these alone
		s.CountAt = func(d civil.Date) int {
			return task.Fold(o, events, d, cal, terms).Count
		}
	}
	return s
}

// chase is the stricter of what the row and the unit allow.
func chase(t task.Task, u task.Unit) task.Chase { return Chase(t, u) }

// Chase is how a unit may be written to about a row: the stricter of what the two say.
func Chase(t task.Task, u task.Unit) task.Chase {
	strict := []task.Chase{task.ChaseLetter, task.ChaseCourtesy, task.ChaseManual, task.ChaseNone}
	return strict[max(slices.Index(strict, cmp.Or(t.Chase, task.ChaseLetter)), slices.Index(strict, cmp.Or(u.Chase, task.ChaseLetter)), 0)]
}

// CacheOf returns the cached columns of an obligation: what its fold comes to over all its events, and the first day
// after `after` on which a job could have something to say about it.
func CacheOf(r task.Record, t task.Task, u task.Unit, set Settings, after civil.Date) task.Cache {
	o := r.Obligation
	st := task.Latest(o, r.Events, set.Calendar, set.Terms)
	return task.Cache{
		Ref: o.Ref.String(), State: st.State, Arm: st.Arm,
		Nominal: st.Nominal, Effective: st.Effective, Assess: st.Assess,
		NextLook:   nextLook(r, t, u, set, after),
		ClosedFrom: task.ClosedFrom(o, r.Events, set.Calendar, set.Terms),
		Raised:     raised(r, anyArm),
		FinalFrom:  task.FinalFrom(o, r.Events, set.Calendar, set.Terms),
	}
}

// anyArm asks raised about every arm. The cache must: which arm a day is in depends on the events up to that day.
const anyArm = -1

// raised is the day the first step of the arm was said in a letter.
func raised(r task.Record, arm int) civil.Date {
	day := civil.Never
	for _, f := range r.Steps {
		if (f.Arm == arm || arm == anyArm) && f.Passed == "" {
			day = min(day, f.On)
		}
	}
	return day
}

// nextLook walks the stages between the days of events and of new policies: within each the state and the ladder stand
// still, so the first unsaid step that falls into a stage in which the ladder may speak is the next day to look: to say it,
// or to note that its time is past.
func nextLook(r task.Record, t task.Task, u task.Unit, all Settings, after civil.Date) civil.Date {
	starts := []civil.Date{after + 1}
	for _, e := range r.Events {
		if e.On > after+1 {
			starts = append(starts, e.On)
		}
	}
	for _, p := range all.Later {
		if p.From > after+1 {
			starts = append(starts, p.From)
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	for i, start := range starts {
		end := civil.Never - 1
		if i+1 < len(starts) {
			end = starts[i+1] - 1
		}
		set := all.On(start)
		st := task.Fold(r.Obligation, r.Events, start, set.Calendar, set.Terms)
		if !st.Chased() {
			continue
		}
		next := civil.Never
		for _, step := range set.Ladder.Steps(subject(r, t, u, st, set), set.Calendar) {
			if day := max(step.On, start); !said(r.Steps, st.Arm, step) && day <= end {
				next = min(next, day)
			}
		}
		if next != civil.Never {
			return next
		}
	}
	return civil.Never
}
