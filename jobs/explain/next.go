package explain

import (
	"fmt"
	"maps"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// patience is how many days are looked at for what comes next.
const patience = 90

// next finds what comes next as things stand: it decides day after day as the planner will, with nothing recorded until
// then and every letter served.
func (x *explainer) next(today planner.Decision) Next {
	if !x.status.Chased() {
		return Next{What: x.nothing()}
	}
	if due := x.status.Effective; x.Case.Record.Obligation.Owes == task.OwesSupport && x.Day > due {
		return Next{What: "nothing: its date is past, and a supporting unit is not urged"}
	}
	c, again := x.tomorrow(today)
	decision, reason := today, ""
	for day, looks := x.Day, 0; looks < patience; looks++ {
		next := x.look(decision, day, &reason)
		if again && day == x.Day {
			next = x.set.Calendar.OnOrAfter(day + 1)
		}
		if next == 0 {
			break
		}
		day = next
		if x.set.Calendar.WeekStart(day) != x.set.Calendar.WeekStart(x.Day) {
			c.Letters = 0
		}
		c.Unseen, c.Planned = x.unseen(day)
		decision = planner.Decide(c, x.Settings, day)
		for _, s := range decision.Steps {
			if s.State == planner.StepToday && s.Arm == decision.Status.Arm {
				return x.found(c, s, day)
			}
		}
	}
	if reason != "" {
		return Next{What: "nothing until a person acts: " + reason}
	}
	for _, s := range today.Steps {
		if i := slices.IndexFunc(x.Documents, func(doc notice.Document) bool { return doc.ID == s.Notice }); i >= 0 && s.Arm == today.Status.Arm && x.Documents[i].State == notice.Drafted {
			return Next{What: "nothing by itself: the draft waits for a person to release it, or to telephone or grant an extension instead"}
		}
	}
	if len(today.Steps) == 0 {
		return Next{What: "nothing to the unit: it stands in the bureau's digest"}
	}
	return Next{What: "nothing by the ladder, which has said all it has to say: it stands in the bureau's digest"}
}

// look returns the next working day after the day decided on which something could be said: at once where a step waits,
// else the day of the first step to come; 0 where there is none. The reason is that of a step that waits.
func (x *explainer) look(d planner.Decision, day civil.Date, reason *string) (next civil.Date) {
	*reason = ""
	for _, s := range d.Steps {
		if s.Arm != d.Status.Arm {
			continue
		}
		on := civil.Date(0)
		switch s.State {
		case planner.StepHeld:
			on, *reason = day+1, s.Reason
		case planner.StepWaiting:
			on = max(s.On, day+1)
		case planner.StepFired, planner.StepPassed, planner.StepToday, planner.StepClosed:
			continue
		}
		if on = x.set.Calendar.OnOrAfter(on); next == 0 || on < next {
			next = on
		}
	}
	return next
}

// unseen is the first seq that no planning before a later day will have seen: none, once a working day lies between. The date
// is the day of the last planning before it.
func (x *explainer) unseen(day civil.Date) (since int64, planned civil.Date) {
	since, planned = x.Case.Unseen, x.Case.Planned
	from := x.Day
	if x.Planned != 0 {
		since, planned, from = x.Planned+1, x.Day, x.Day+1
	}
	if x.set.Calendar.OnOrAfter(from) < day {
		return 0, x.set.Calendar.Add(day, -1)
	}
	return since, planned
}

// letter stands for the ID of the day's letter, which is not written yet.
const letter = "the letter of the day"

// tomorrow is the case after the day: what goes and is passed over on it stands on the record, as served, and the letter
// of the day counts towards the week's. What stands in a letter that the weekly cap keeps for a person was said to nobody:
// it stands open, and a later letter says it again.
func (x *explainer) tomorrow(today planner.Decision) (c planner.Case, again bool) {
	c = x.Case
	offCycle := !ladder.Monday(x.Day, x.set.Calendar)
	kept := offCycle && x.set.WeeklyCap > 0 && c.Letters >= x.set.WeeklyCap
	goes := c.Written || slices.ContainsFunc(today.Steps, func(s planner.StepDecision) bool { return s.State == planner.StepToday && s.Rung != ladder.Form })
	if goes && offCycle {
		c.Letters++
	}
	c.Written = false
	said(&c, today, x.Day)
	type step struct {
		arm  int
		code string
	}
	open := map[step]bool{} // by the last that became of a step
	for _, f := range c.Record.Steps {
		open[step{f.Arm, f.Step}] = f.Notice == letter && kept || planner.KeptByCap(x.Letters[f.Notice])
	}
	steps := slices.DeleteFunc(slices.Clone(c.Record.Steps), func(f task.FiredStep) bool { return open[step{f.Arm, f.Step}] })
	again = len(steps) < len(c.Record.Steps)
	c.Record.Steps = steps
	return c, again
}

// said adds to the case what is said and passed over on the day, as served.
func said(c *planner.Case, d planner.Decision, day civil.Date) {
	for _, s := range d.Steps {
		f := task.FiredStep{Obligation: c.Record.Obligation.Ref.String(), Arm: s.Arm, Step: s.Step, N: s.N + 1, Role: s.Role, On: day}
		switch {
		case s.Arm != d.Status.Arm || s.N > 0: // said or passed over before
			continue
		case s.State == planner.StepToday:
			f.Notice = letter
		case s.State == planner.StepPassed:
			f.Passed = s.Reason
		default:
			continue
		}
		c.Record.Steps = append(slices.Clone(c.Record.Steps), f)
	}
	served := maps.Clone(c.Served)
	if served == nil {
		served = map[string]civil.Date{}
	}
	served[letter] = day
	for _, f := range c.Record.Steps { // what left today is taken as served, too
		if _, known := served[f.Notice]; f.On == day && f.Notice != "" && !known {
			served[f.Notice] = day
		}
	}
	c.Served = served
}

// found is the step that comes next, with the day the bureau is told of it.
func (x *explainer) found(c planner.Case, s planner.StepDecision, day civil.Date) Next {
	n := Next{Step: s.Step, Rung: s.Rung, On: day, What: fmt.Sprintf("%s (%s) on %s as things stand", s.Step, s.Rung, day)}
	check := x.set.Calendar.Add(day, -1)
	if _, _, ok := planner.Announce(c, x.Settings, check); ok {
		n.Check = check
		n.What += fmt.Sprintf("; the bureau's digest of %s asks to check the register first", check)
	}
	return n
}

// nothing says why the ladder is silent and what could change that.
func (x *explainer) nothing() string {
	st := x.status
	switch {
	case st.State == task.Answered && x.set.Terms.AcceptAfter > 0:
		return fmt.Sprintf("nothing to the unit: the bureau accepts or returns the report, or it counts as accepted from the end of %s",
			x.set.Calendar.Add(st.Reported, x.set.Terms.AcceptAfter))
	case st.State == task.Answered:
		return "nothing to the unit: the bureau accepts or returns the report"
	case st.Unconfirmed && st.State == task.Waiting:
		return "nothing until the bureau confirms it, or reopens it to have it chased"
	}
	return "nothing: it is closed"
}
