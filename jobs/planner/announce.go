package planner

import (
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/task"
)

// Announced returns what the bureau's digest of working day d asks to check in the register: the first urging of an
// obligation, or its form, that will be said on the next working day unless it is reported, held or told otherwise until
// then. It takes every letter to have been served.
func Announced(rec task.Record, t task.Task, u task.Unit, set Settings, silences []task.Silence, d civil.Date) (step ladder.Step, reason string, ok bool) {
	served := map[string]civil.Date{}
	for _, f := range rec.Steps {
		if f.Notice != "" && f.On <= d {
			served[f.Notice] = f.On
		}
	}
	return Announce(Case{Record: rec, Task: t, Unit: u, Silences: silences, Served: served, LeadOpen: true}, set, d)
}

// Announce is Announced with all that is decided by at hand: what was served, and the other instances of the duty.
//
// An item is announced before the first urging of its arm, before the first after a silence or after an entry that urging
// waited for, before a form, and, where the jurisdiction wants the register checked first, on every day that the urging waits
// for it. Everything recorded so far counts as seen, whether or not the planning of day d has seen it; what counts from a later
// day than d is not read.
func Announce(c Case, all Settings, d civil.Date) (step ladder.Step, reason string, ok bool) {
	var known []task.FiredStep
	for _, f := range c.Record.Steps {
		if f.On <= d {
			known = append(known, f)
		}
	}
	c.Record.Steps = known
	c.Record.Events = UpTo(c.Record.Events, d)
	c.Written, c.Unseen, c.Planned = false, 0, 0
	next := all.Calendar.Add(d, 1)
	j := newJudge(c, all, next)
	if !j.status.Chased() {
		return step, "", false
	}
	v := j.decide()
	switch {
	case urging(v.say) && (!j.urged() || j.resumed(d) || j.waited(v.say, d)):
		return v.say, fmt.Sprintf("will be urged on %s unless the register says otherwise by then", next), true
	case v.form.Step != "":
		return v.form, fmt.Sprintf("a form will be drafted on %s unless the register says otherwise by then", next), true
	case urging(v.held.step) && j.unconfirmed():
		return v.held.step, v.held.why, true
	}
	return step, "", false
}

// UpTo returns the events that count from day d or an earlier one, in their order: all that is read on it.
func UpTo(events []task.Event, d civil.Date) []task.Event {
	later := func(e task.Event) bool { return e.On > d }
	if !slices.ContainsFunc(events, later) {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), later)
}

// unconfirmed reports whether the first urging waits for nothing but the check of the register.
func (j *judge) unconfirmed() bool {
	return j.set.Confirm && j.status.Checked <= j.due0() && !j.urged() && j.kept() == "" && j.silenced() == ""
}

// waited reports whether the step was held back on day d for an entry that planning had not seen before.
func (j *judge) waited(step ladder.Step, d civil.Date) bool {
	return slices.ContainsFunc(j.Record.Holds, func(h task.Hold) bool {
		return h.Arm == j.status.Arm && h.Step == step.Step && h.On == d && h.Reason == enteredSince
	})
}

// resumed reports whether day d is the working day of the check after a silence.
func (j *judge) resumed(d civil.Date) bool {
	_, before := task.Silenced(j.Silences, j.Record.Obligation.Ref, j.set.Calendar.Add(d, -1))
	_, now := task.Silenced(j.Silences, j.Record.Obligation.Ref, d)
	return before && !now
}
