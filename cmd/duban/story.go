package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// The demo's history is invented, but always the same: what a unit does about an obligation follows from the
// obligation's name.

// fate is a number below n that belongs to the name and the question.
func fate(name, question string, n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(question + "|" + name)) // a hash never fails to be written
	return int(h.Sum32() % uint32(n))
}

// triggers are the conditions that come true in the demo, by row: in the jurisdiction's plan, on a day, for one unit or
// (empty) for every party.
var triggers = []struct {
	code, row, unit, ref string
	on, due              string
}{
	{"laoshan", "10", "", "", "2024-07-15", ""},
	{"laoshan", "24", "", "鲁司文书标准", "2024-08-02", "2024-09-20"},
	{"laoshan", "32", "", "综合执法指南", "2024-10-21", "2024-12-20"},
	{"laoshan", "56", "", "2024年第三季度案例", "2024-08-12", "2024-09-13"},
	{"laoshan", "56", "", "2024年第四季度案例", "2024-11-05", "2024-12-13"},
	{"sishui", "8", "", "泗处2024-031", "2024-09-18", ""},
	{"sishui", "8", "", "泗许2024-118", "2024-09-20", ""},
	{"sishui", "8", "", "泗处2024-007", "2024-05-22", ""},
}

// trigger records the conditions that come true on the day, or came true before the first.
func (d *demo) trigger(ctx context.Context, code string, day civil.Date) error {
	for i, t := range triggers {
		on := civil.MustParse(t.on)
		if t.code != code || on > day || on < day && day > d.from {
			continue
		}
		id, issued, unit, ok, err := d.rowOf(ctx, code, t.row, i)
		if err != nil {
			return err
		}
		if !ok || on < issued {
			continue
		}
		due, err := civil.Parse(t.due)
		if err != nil {
			return fmt.Errorf("read demo trigger: %w", err)
		}
		e := task.Event{On: on, Date: due, Unit: t.unit, Ref: t.ref, Who: "demo", Why: "invented"}
		if due == 0 && t.ref != "" {
			e.Unit = unit
		}
		if _, err := d.register(d.store).Trigger(ctx, id, e); err != nil {
			return err
		}
	}
	return nil
}

// rowOf finds a row of the jurisdiction's plan, the day it was issued, and the unit that the i-th case falls to.
func (d *demo) rowOf(ctx context.Context, code, row string, i int) (id task.TaskID, issued civil.Date, unit string, ok bool, err error) {
	tasks, err := d.store.Tasks(ctx, code)
	if err != nil {
		return id, 0, "", false, err
	}
	dir, err := d.store.Directory(ctx, code)
	if err != nil {
		return id, 0, "", false, err
	}
	for _, t := range task.TasksAsOf(tasks, civil.Never) {
		if t.Row == row && t.Reading.Condition != nil {
			var units []string
			for _, p := range dir.AsOf(civil.Never).Expand(t.Parties) {
				if p.Owes == task.OwesDeliver {
					units = append(units, p.Code)
				}
			}
			return t.TaskID, t.On, units[(i*7)%len(units)], true, nil
		}
	}
	return id, 0, "", false, nil
}

// invent writes the story of the obligations that are new.
func (d *demo) invent(ctx context.Context, code string) error {
	recs, err := d.store.Records(ctx, code, task.RecordFilter{})
	if err != nil {
		return err
	}
	set, err := d.policies.settings(code)
	if err != nil {
		return err
	}
	for _, r := range recs {
		o := r.Obligation
		name := o.Ref.String()
		if d.known[name] || o.Owes != task.OwesDeliver || o.PastAtIssue || o.Inherited {
			continue
		}
		d.known[name] = true
		d.story = append(d.story, d.reports(o, set.Calendar.Add)...)
		d.story = append(d.story, d.countings(o)...)
	}
	slices.SortStableFunc(d.story, func(a, b task.Event) int { return int(a.On - b.On) })
	return nil
}

// reports is what a unit does about one obligation: most report in time, some late, some not at all; most reports are
// accepted within days, a few are returned, the rest are accepted by default.
func (d *demo) reports(o task.Obligation, addWorkdays func(civil.Date, int) civil.Date) []task.Event {
	name := o.Ref.String()
	event := func(on civil.Date, k task.EventKind, why string) task.Event {
		return task.Event{On: on, Kind: k, Subject: name, Who: "demo", Why: why}
	}
	if o.Kind == task.Quota {
		return nil
	}
	var on civil.Date
	switch n := fate(name, "report", 100); {
	case n < 55:
		on = o.Effective - civil.Date(fate(name, "early", 12))
	case n < 78:
		on = addWorkdays(max(o.Effective, o.Assess), 1+fate(name, "late", 9))
	default:
		return nil
	}
	on = max(on, o.Opened)
	events := []task.Event{event(on, task.Reported, "")}
	answer := addWorkdays(on, 1+fate(name, "answer", 3))
	switch n := fate(name, "accept", 100); {
	case n < 70:
		events = append(events, event(answer, task.Accepted, ""))
	case n < 75:
		back := event(answer, task.Returned, "材料不全")
		back.Date = max(addWorkdays(answer, 5), o.Effective)
		events = append(events, back)
	}
	return events
}

// countings feeds a quota month by month; some units keep pace and some do not.
func (d *demo) countings(o task.Obligation) []task.Event {
	if o.Kind != task.Quota {
		return nil
	}
	name := o.Ref.String()
	var events []task.Event
	for month := 0; ; month++ {
		on := civil.Of(o.PaceFrom.Year(), o.PaceFrom.Month(), 20).AddMonths(month)
		if on > o.Effective {
			return events
		}
		if on > o.PaceFrom && fate(name, "busy", 3) > 0 && len(events) < o.Quota-1 {
			n := min(1+fate(name, "many", 2), o.Quota-1-len(events))
			events = append(events, task.Event{On: on, Kind: task.Counted, Subject: name, Who: "demo", N: n, Ref: on.String()[:7]})
		}
	}
}

// happen records the events of the story up to and including the day.
func (d *demo) happen(ctx context.Context, code string, day civil.Date) error {
	var now, later []task.Event
	for _, e := range d.story {
		ref, err := task.ParseRef(e.Subject)
		if err != nil {
			return err
		}
		if ref.Jurisdiction == code && e.On <= day {
			now = append(now, e)
		} else {
			later = append(later, e)
		}
	}
	d.story = later
	return d.register(d.store).RecordAll(ctx, code, now)
}
