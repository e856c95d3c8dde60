package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/formal"
	"duban/jobs/ledger"
	"duban/jobs/register"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/testdata"
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
	tasks, err := d.store.Tasks(ctx, code)
	if err != nil {
		return err
	}
	fields := map[task.TaskID][]string{}
	for _, t := range tasks {
		fields[t.TaskID] = t.Fields
	}
	for _, r := range recs {
		o := r.Obligation
		name := o.Ref.String()
		if d.known[name] || o.Owes != task.OwesDeliver || o.PastAtIssue || o.Inherited {
			continue
		}
		d.known[name] = true
		reports := d.reports(o, set.Calendar.Add)
		for i := range reports {
			if reports[i].Kind == task.Reported {
				reports[i].Figures, reports[i].Nil = figures(name, fields[o.TaskID])
			}
		}
		d.story[code] = append(d.story[code], reports...)
		d.story[code] = append(d.story[code], d.countings(o)...)
	}
	slices.SortStableFunc(d.story[code], func(a, b task.Event) int { return int(a.On - b.On) })
	return nil
}

// reports is what a unit does about one obligation: most report in time, some within days, some after weeks of being
// urged, few not at all. Most reports are accepted within days, a few are returned and mostly handed in again, the rest
// are accepted by default.
func (d *demo) reports(o task.Obligation, addWorkdays func(civil.Date, int) civil.Date) []task.Event {
	name := o.Ref.String()
	event := func(on civil.Date, k task.EventKind, why string) task.Event {
		return task.Event{On: on, Kind: k, Subject: name, Who: "demo", Why: why}
	}
	if o.Quota > 0 { // it is counted
		return nil
	}
	var on civil.Date
	due := max(o.Effective, o.Assess)
	switch n := fate(name, "report", 100); {
	case n < 58:
		on = o.Effective - civil.Date(fate(name, "early", 12))
	case n < 82:
		on = addWorkdays(due, 1+fate(name, "late", 9))
	case n < 96:
		on = addWorkdays(due, 10+fate(name, "very late", 30))
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
		if fate(name, "again", 4) > 0 {
			events = append(events, event(addWorkdays(answer, 3+fate(name, "mended", 8)), task.Reported, ""))
		}
	}
	return events
}

// countings feeds a quota month by month: most units keep pace, some fall behind and catch up at the end or nearly so,
// a few hardly begin.
func (d *demo) countings(o task.Obligation) []task.Event {
	if o.Quota == 0 {
		return nil
	}
	name := o.Ref.String()
	var days []civil.Date
	for month := 0; ; month++ {
		on := civil.Of(o.PaceFrom.Year(), o.PaceFrom.Month(), 20).AddMonths(month)
		if on > o.Effective {
			break
		}
		if on >= max(o.PaceFrom, o.Opened) {
			days = append(days, on)
		}
	}
	tempo, count := fate(name, "tempo", 100), 0
	var events []task.Event
	for i, on := range days {
		pace := o.Quota * (i + 1) / len(days)
		switch {
		case tempo < 55:
		case tempo >= 85:
			pace /= 4
		case 3*(i+1) < 2*len(days):
			pace /= 3
		default:
			pace -= fate(name, "short", 3)
		}
		if n := pace - count; n > 0 {
			events = append(events, task.Event{On: on, Kind: task.Counted, Subject: name, Who: "demo", N: n, Ref: on.String()[:7]})
			count = pace
		}
	}
	return events
}

// happen records the events of the story up to and including the day.
func (d *demo) happen(ctx context.Context, code string, day civil.Date) error {
	story := d.story[code]
	n := slices.IndexFunc(story, func(e task.Event) bool { return e.On > day })
	if n < 0 {
		n = len(story)
	}
	d.story[code] = story[n:]
	return d.register(d.store).RecordAll(ctx, code, story[:n:n])
}

// occur imports what has happened outside the plan up to and including the day: cases, opinions, inspections.
func (d *demo) occur(ctx context.Context, code string, day civil.Date) error {
	name := path.Join("plans", code, "events.csv")
	b, err := fs.ReadFile(testdata.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read bundled plans: %w", err)
	}
	book, err := ledger.Read(name, b)
	if err != nil {
		return err
	}
	dir, err := d.store.Directory(ctx, code)
	if err != nil {
		return err
	}
	draft, problems := ledger.Events(book, dir, ledger.EventsOptions{Jurisdiction: code, Today: civil.Never})
	if len(problems) > 0 {
		return problems
	}
	in := register.EventsImport{Jurisdiction: code, On: day, Who: "demo"}
	for _, r := range draft.Rows {
		if r.On <= day && (r.On == day || day == d.from) {
			in.Rows = append(in.Rows, register.EventRow{Occurrence: r.Occurrence, Task: r.Task})
		}
	}
	if len(in.Rows) == 0 {
		return nil
	}
	_, err = d.register(d.store).ImportEvents(ctx, d.store, in)
	return err
}

// issueAfter is how many working days a draft waits in the demo until it is issued.
const issueAfter = 2

// issue releases the drafts of formal letters that have waited: forms by mail where somebody can be mailed to, the others
// on paper. One whose facts have changed is refused; the next planning drops it.
func (d *demo) issue(ctx context.Context, code string, day civil.Date) error {
	set, err := d.policies.settings(code)
	if err != nil || !set.Calendar.IsWorkday(day) {
		return err
	}
	drafts, err := d.store.Documents(ctx, notice.DocumentFilter{Jurisdiction: code, State: notice.Drafted})
	if err != nil {
		return err
	}
	for _, doc := range drafts {
		if set.Calendar.Count(doc.Drafted, day) < issueAfter || fate(doc.ID, "issue", 3) == 0 {
			continue
		}
		letter, err := d.store.Notice(ctx, doc.ID)
		if err != nil {
			return err
		}
		r := formal.Release{ID: doc.ID, By: "demo", Via: notice.ByMail, On: day, Today: day}
		if doc.Kind != notice.SupervisionForm || len(letter.Facts.Recipients) == 0 { // a town has no deputy in charge
			r.Via = notice.ByPaper
		}
		var refused formal.RefusedError
		if _, err := d.formalDesk(d.store).Release(ctx, r); err != nil && !errors.As(err, &refused) {
			return err
		}
	}
	return nil
}

// figures are what a return of the row carries in the demo: a nil return now and then.
func figures(name string, fields []string) (out map[string]int64, none bool) {
	if len(fields) == 0 {
		return nil, false
	}
	if fate(name, "nil", 5) == 0 {
		return nil, true
	}
	out = map[string]int64{}
	most := 1 + fate(name, "figures", 30)
	for _, f := range fields {
		out[f] = int64(most)
		most = fate(name, f, most+1)
	}
	return out, false
}
