package explain

import (
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/period"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// dates returns the three dates as of the day, each with its origin and every event that moved it.
func (x *explainer) dates() (nominal, effective, assess Date) {
	o := x.Case.Record.Obligation
	nominal = Date{On: o.Nominal, From: []string{x.nominal()}}
	effective = Date{On: o.Effective, From: []string{x.effective()}}
	assess = Date{On: o.Assess, From: []string{assessed(o)}}
	was := x.before(0)
	for i, e := range x.events {
		is := x.before(i + 1)
		moved(&nominal, was.Nominal, is.Nominal, e)
		moved(&effective, was.Effective, is.Effective, e)
		if is.Effective != was.Effective && is.Assess == was.Assess && e.Kind == task.ExtensionGranted {
			assess.From = append(assess.From, fmt.Sprintf("the extension of %s leaves it: it was not asked by then", e.On))
		}
		moved(&assess, was.Assess, is.Assess, e)
		was = is
	}
	for i, d := range []*Date{&nominal, &effective, &assess} {
		if first := []civil.Date{o.Nominal, o.Effective, o.Assess}[i]; first != d.On {
			d.From[0] = fmt.Sprintf("first %s, %s", first, d.From[0])
		}
		d.Provisional = x.set.Calendar.Provisional(d.On, x.set.Calendar.OnOrBefore(d.On))
	}
	return nominal, effective, assess
}

// before returns the state after the first n events in force.
func (x *explainer) before(n int) task.Status {
	o := x.Case.Record.Obligation
	on := o.Opened
	if n > 0 {
		on = max(on, x.events[n-1].On)
	}
	return task.Fold(o, x.events[:n], on, x.set.Calendar, x.set.Terms)
}

// moved notes that an event moved the date.
func moved(d *Date, was, is civil.Date, e task.Event) {
	if was == is {
		return
	}
	d.On = is
	what := map[task.EventKind]string{
		task.ExtensionGranted: "an extension was granted", task.Returned: "the report was returned with a new date",
		task.Reopened: "it was reopened", task.Redated: "the plan was edited",
	}[e.Kind]
	if what == "" {
		what = string(e.Kind)
	}
	note := fmt.Sprintf("%s → %s: %s on %s", was, is, what, e.On)
	if e.Who != "" {
		note += " by " + e.Who
	}
	d.From = append(d.From, note+because(e.Why))
}

// nominal says where the date as the document has it comes from.
func (x *explainer) nominal() string {
	o, t := x.Case.Record.Obligation, x.Case.Task
	switch {
	case strings.HasPrefix(o.Instance, "e:"):
		return x.triggered()
	case o.Period != "" && reviewed(o):
		return "the last day of " + period.Key(o.Period).Chinese()
	case o.Period != "":
		return "the date of " + period.Key(o.Period).Chinese()
	case t.ClarifiedBy != "":
		return "the reading given by " + t.ClarifiedBy
	}
	for _, s := range t.Reading.Trace {
		if first, _, _ := strings.Cut(s.Read, " "); first == o.Nominal.String() { // of two readings the earlier stands first
			return fmt.Sprintf("“%s” reads so", s.Text)
		}
	}
	return fmt.Sprintf("“%s” reads so", t.DeadlineText)
}

// reviewed reports whether the obligation is a review of a period, whose report is due on a day after it.
func reviewed(o task.Obligation) bool {
	return (o.Kind == task.Quarterly || o.Kind == task.HalfYearly) && o.Effective > o.Nominal
}

// reportDay says that the report on a period is due on a day after it.
func (x *explainer) reportDay() string {
	o, day, whose := x.Case.Record.Obligation, x.Case.Task.ReportDay, "row"
	if day == 0 {
		day, whose = x.set.ReportDay, "jurisdiction"
	}
	text := fmt.Sprintf("the report is due on day %d of the month after the period, as the %s says", day, whose)
	if o.Effective.Day() != day {
		text += "; moved to a day that exists or is worked"
	}
	return text
}

// triggered says which event started the clock, and how long it runs.
func (x *explainer) triggered() string {
	o, t := x.Case.Record.Obligation, x.Case.Task
	events := task.InForce(x.Triggers, x.Day)
	i := slices.IndexFunc(events, func(e task.Event) bool {
		return e.Kind == task.Triggered && planner.TriggerInstance(t, e) == o.Instance && (e.Unit == "" || e.Unit == o.Unit)
	})
	if i < 0 {
		return fmt.Sprintf("the event %s set it", strings.TrimPrefix(o.Instance, "e:"))
	}
	e := events[i]
	for _, r := range x.Settings.On(e.On).Rules {
		if r.Plan == t.Plan && r.Row == t.Row && r.N > 0 && planner.After(e.On, r.N, r.Unit, x.set) == o.Nominal {
			return fmt.Sprintf("%d %ss after the event of %s, by the rule for %s%s", r.N, r.Unit, e.On, r.Kind, because(r.Basis))
		}
	}
	if c := t.Reading.Condition; c != nil && c.Offset != nil && planner.After(e.On, signed(*c.Offset), c.Offset.Unit, x.set) == o.Nominal {
		return fmt.Sprintf("%d %ss %s the event of %s, as “%s” reads", c.Offset.N, c.Offset.Unit, c.Offset.Dir, e.On, t.DeadlineText)
	}
	return fmt.Sprintf("the event of %s set it", e.On)
}

// signed is the offset's number, negative where it counts back.
func signed(o deadline.Offset) int {
	if o.Dir == "before" {
		return -o.N
	}
	return o.N
}

// effective says how the date the ladder climbs from follows from the document's.
func (x *explainer) effective() string {
	o := x.Case.Record.Obligation
	switch {
	case reviewed(o):
		return x.reportDay()
	case o.Effective > o.Nominal && o.Kind == task.Clock:
		return "rolled: a clock ends on the next working day (Civil Code art. 203)"
	case o.Effective > o.Nominal:
		return "rolled to the next working day"
	case o.Effective < o.Nominal:
		return "rolled to the working day before"
	}
	return "as the document has it"
}

func assessed(o task.Obligation) string {
	switch {
	case o.Ambiguous && o.Assess > o.Effective:
		return "the later of two readings"
	case o.Assess != o.Effective:
		return "set when it was opened"
	}
	return "as the effective date"
}
