// Package register is the hand of the operations staff: it records what happened, imports what was issued, and keeps
// the cached columns true. Every change is one write that is refused whole or done whole, with who and why.
package register

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/moved"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// Store is the part of the database the register works on.
type Store interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	Directory(ctx context.Context, jurisdiction string) (task.Directory, error)
	Plans(ctx context.Context, jurisdiction string) ([]task.Plan, error)
	Tasks(ctx context.Context, jurisdiction string) ([]task.Task, error)
	TaskVersions(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Task, error)
	TaskEvents(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Event, error)
	Instances(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Record, error)
	Record(ctx context.Context, ref task.Ref) (task.Record, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
	Records(ctx context.Context, jurisdiction string, f task.RecordFilter) ([]task.Record, error)
	People(ctx context.Context, jurisdiction string) ([]task.Person, error)
	LastSettled(ctx context.Context, job, jurisdiction string) (civil.Date, error)
	Write(ctx context.Context, jurisdiction string, seq int64, b task.Batch) (int64, error)
}

// Register works on one database.
type Register struct {
	Store    Store
	Settings func(jurisdiction string) (planner.Settings, error)
	Clock    func() time.Time
}

// change reads the jurisdiction, lets f decide on it, and writes what f returns; it starts again where another write
// came between.
func (r Register) change(ctx context.Context, code string, f func(task.Jurisdiction) (task.Batch, error)) error {
	return moved.Retry(ctx, func() error {
		j, err := r.Store.Jurisdiction(ctx, code)
		if err != nil {
			return err
		}
		b, err := f(j)
		if err != nil {
			return err
		}
		b.At = r.Clock().UTC()
		_, err = r.Store.Write(ctx, code, j.Seq, b)
		return err
	})
}

// Status folds a record as of day d.
func (r Register) Status(rec task.Record, d civil.Date) (task.Status, error) {
	set, err := r.Settings(rec.Obligation.Jurisdiction)
	if err != nil {
		return task.Status{}, err
	}
	return task.Fold(rec.Obligation, rec.Events, d, set.Calendar, set.Terms), nil
}

// Record appends one event to an obligation and returns the state after it, as of the event's day. An event that the
// state does not allow is refused.
func (r Register) Record(ctx context.Context, ref task.Ref, e task.Event) (task.Status, error) {
	var after task.Status
	set, err := r.Settings(ref.Jurisdiction)
	if err != nil {
		return after, err
	}
	err = r.change(ctx, ref.Jurisdiction, func(j task.Jurisdiction) (task.Batch, error) {
		rec, err := r.Store.Record(ctx, ref)
		if err != nil {
			return task.Batch{}, fmt.Errorf("record %s on %s: %w", e.Kind, ref, err)
		}
		e.Jurisdiction, e.Subject = ref.Jurisdiction, ref.String()
		before := task.Fold(rec.Obligation, rec.Events, e.On, set.Calendar, set.Terms)
		if err := check(rec, before, e); err != nil {
			return task.Batch{}, err
		}
		e.Seq = j.Seq + 1 // as the store will number it; the fold sorts by it
		rec.Events = append(rec.Events, e)
		after = task.Fold(rec.Obligation, rec.Events, e.On, set.Calendar, set.Terms)
		caches, err := r.caches(ctx, j, []task.Record{rec}, set)
		return task.Batch{Events: []task.Event{e}, Caches: caches}, err
	})
	return after, err
}

func check(rec task.Record, before task.Status, e task.Event) error {
	if e.Kind == task.Corrected {
		i := slices.IndexFunc(rec.Events, func(old task.Event) bool { return old.Seq == e.Voids })
		if i < 0 || rec.Events[i].Kind == task.Opened || rec.Events[i].Kind == task.Corrected {
			return fmt.Errorf("record corrected on %s: there is no event %d to void; `obligations show` lists them", rec.Obligation.Ref, e.Voids)
		}
		if v := slices.IndexFunc(rec.Events, func(x task.Event) bool { return x.Kind == task.Corrected && x.Voids == e.Voids }); v >= 0 {
			return fmt.Errorf("record corrected on %s: event %d was voided on %s already", rec.Obligation.Ref, e.Voids, rec.Events[v].On)
		}
		return nil
	}
	if e.Kind == task.Counted && e.Ref != "" {
		for _, old := range rec.Events {
			if old.Kind == task.Counted && old.Ref == e.Ref {
				return fmt.Errorf("record counted on %s: %q was counted on %s already", rec.Obligation.Ref, e.Ref, old.On)
			}
		}
	}
	return task.Check(rec.Obligation, before, e)
}

// caches computes the cached columns of the records against the sources as they stand.
func (r Register) caches(ctx context.Context, j task.Jurisdiction, recs []task.Record, set planner.Settings) ([]task.Cache, error) {
	var ids []task.TaskID
	for _, rec := range recs {
		if !slices.Contains(ids, rec.Obligation.TaskID) {
			ids = append(ids, rec.Obligation.TaskID)
		}
	}
	versions, err := r.Store.TaskVersions(ctx, j.Code, ids)
	if err != nil {
		return nil, err
	}
	dir, err := r.Store.Directory(ctx, j.Code)
	if err != nil {
		return nil, err
	}
	planned, err := r.planned(ctx, j.Code)
	return cachesOf(recs, versions, dir, set, planned), err
}

// planned is the last day whose letters were planned: only later days are still to be looked at.
func (r Register) planned(ctx context.Context, code string) (civil.Date, error) {
	return r.Store.LastSettled(ctx, "remind", code)
}

// cachesOf looks at each record with the latest versions of its row and unit.
func cachesOf(recs []task.Record, versions []task.Task, dir task.Directory, set planner.Settings, planned civil.Date) []task.Cache {
	tasks := map[task.TaskID]task.Task{}
	for _, t := range task.TasksAsOf(versions, civil.Never) {
		tasks[t.TaskID] = t
	}
	units := map[string]task.Unit{}
	for _, u := range dir.AsOf(civil.Never).Units {
		units[u.Code] = u
	}
	out := make([]task.Cache, 0, len(recs))
	for _, rec := range recs {
		out = append(out, planner.CacheOf(rec, tasks[rec.Obligation.TaskID], units[rec.Obligation.Unit], set, planned))
	}
	return out
}

// Trigger records that a task's condition was met, or that an event started its clock, on day e.On: for the unit e.Unit,
// or for every party. It returns the due date; a condition without an offset needs one in e.Date.
func (r Register) Trigger(ctx context.Context, id task.TaskID, e task.Event) (due civil.Date, err error) {
	set, err := r.Settings(id.Jurisdiction)
	if err != nil {
		return 0, err
	}
	if e.Ref = strings.TrimSpace(e.Ref); utf8.RuneCountInString(e.Ref) > planner.MaxReference || !utf8.ValidString(e.Ref) || strings.ContainsFunc(e.Ref, unicode.IsControl) {
		return 0, fmt.Errorf("trigger %s: the reference must be one line of at most %d characters, such as a case number", id, planner.MaxReference)
	}
	err = r.change(ctx, id.Jurisdiction, func(task.Jurisdiction) (task.Batch, error) {
		t, err := r.taskAsOf(ctx, id, e.On)
		if err != nil {
			return task.Batch{}, err
		}
		if !planner.StartsClock(t) {
			return task.Batch{}, fmt.Errorf("trigger %s: its deadline %q names no event; nothing waits for a trigger", id, t.DeadlineText)
		}
		if e.Date != 0 && e.Date < e.On {
			return task.Batch{}, fmt.Errorf("trigger %s: the due date %s is before the event itself, of %s; give the date that the document sets", id, e.Date, e.On)
		}
		if e, err = ruled(t, e, set); err != nil {
			return task.Batch{}, fmt.Errorf("trigger %s: %w", id, err)
		}
		if due, _ = planner.TriggerDue(t, e, set); due == 0 {
			return task.Batch{}, fmt.Errorf("trigger %s: %q names no length of time; give the due date with --due", id, t.DeadlineText)
		}
		if e.Date == 0 && due < e.On {
			return task.Batch{}, fmt.Errorf("trigger %s: %q counts back from the event, so that it fell due on %s, before %s; give the due date with --due as soon as the event is fixed", id, t.DeadlineText, due, e.On)
		}
		if err := r.triggerAnew(ctx, t, e); err != nil {
			return task.Batch{}, err
		}
		e.Jurisdiction, e.Subject, e.Kind = id.Jurisdiction, id.String(), task.Triggered
		return task.Batch{Events: []task.Event{e}, NextOpen: map[task.TaskID]civil.Date{id: e.On}}, nil
	})
	return due, err
}

// triggerAnew refuses a second trigger with the same reference, and one for a unit that has no part in the row.
func (r Register) triggerAnew(ctx context.Context, t task.Task, e task.Event) error {
	if e.Unit != "" {
		dir, err := r.Store.Directory(ctx, t.Jurisdiction)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(dir.AsOf(e.On).Expand(t.Parties), func(p task.Party) bool { return p.Code == e.Unit }) {
			return fmt.Errorf("trigger %s: unit %q has no part in this row; `tasks show %s` lists who has", t.TaskID, e.Unit, t.TaskID)
		}
	}
	events, err := r.Store.TaskEvents(ctx, t.Jurisdiction, []task.TaskID{t.TaskID})
	if err != nil {
		return err
	}
	for _, old := range task.InForce(events, civil.Never) {
		if old.Kind == task.Triggered && sameReference(planner.TriggerInstance(t, old)) == sameReference(planner.TriggerInstance(t, e)) && (old.Unit == "" || e.Unit == "" || old.Unit == e.Unit) {
			with := "without a reference"
			if e.Ref != "" {
				with = fmt.Sprintf("with reference %q", e.Ref)
			}
			return fmt.Errorf("trigger %s: it was triggered on %s already %s; tell another event apart with another --ref", t.TaskID, old.On, with)
		}
	}
	return nil
}

func (r Register) taskAsOf(ctx context.Context, id task.TaskID, d civil.Date) (task.Task, error) {
	versions, err := r.Store.TaskVersions(ctx, id.Jurisdiction, []task.TaskID{id})
	if err != nil {
		return task.Task{}, err
	}
	now := task.TasksAsOf(versions, d)
	if len(now) == 0 {
		return task.Task{}, fmt.Errorf("find task %s as of %s: %w; `tasks list` shows what there is", id, d, task.ErrNotFound)
	}
	return now[0], nil
}

// Clarify gives a row the reading of a person: what a cell that could not be read, or that has two readings, means. It
// adds a version that counts from day on; open items move to the new dates.
func (r Register) Clarify(ctx context.Context, id task.TaskID, reading deadline.Reading, on civil.Date, who, why string) error {
	if !reading.Understood || reading.Ambiguous {
		return fmt.Errorf("clarify %s: %q does not say one thing either: %s", id, reading.Text, reading.Reason)
	}
	set, err := r.Settings(id.Jurisdiction)
	if err != nil {
		return err
	}
	return r.change(ctx, id.Jurisdiction, func(j task.Jurisdiction) (task.Batch, error) {
		t, err := r.taskAsOf(ctx, id, on)
		if err != nil {
			return task.Batch{}, err
		}
		if newest, err := r.taskAsOf(ctx, id, civil.Never); err != nil || newest.On > on {
			return task.Batch{}, errors.Join(err, fmt.Errorf("clarify %s from %s on: the row was edited from %s on; give that day or a later one with --on", id, on, newest.On))
		}
		next := t
		next.Reading, next.ClarifiedBy, next.On, next.Seq = reading, who, on, 0
		b, err := r.reschedule(ctx, j, set, edit{tasks: []task.Task{next}, on: on, who: who, why: "clarified: " + why})
		if err != nil {
			return b, err
		}
		b.Tasks = []task.Task{next}
		b.NextOpen = map[task.TaskID]civil.Date{id: on}
		b.Events = append([]task.Event{{
			Jurisdiction: id.Jurisdiction, On: on, Kind: task.Clarified, Subject: id.String(), Who: who, Why: why, Ref: reading.Text,
		}}, b.Events...)
		return b, nil
	})
}

// edit is a set of rows that read otherwise from a day on.
type edit struct {
	tasks    []task.Task
	plans    []task.Plan // the plan's version written with them, if there is one
	replaced []string    // codes of rows that are other tasks now
	on       civil.Date
	who, why string
}

// reschedule moves the open items of edited rows to the rows' new dates, withdraws what a row no longer asks for, and
// opens again what a row that is back asks for. Closed items keep their history as it is.
func (r Register) reschedule(ctx context.Context, j task.Jurisdiction, set planner.Settings, ed edit) (task.Batch, error) {
	var b task.Batch
	ids := make([]task.TaskID, 0, len(ed.tasks))
	for _, t := range ed.tasks {
		ids = append(ids, t.TaskID)
	}
	recs, err := r.Store.Instances(ctx, j.Code, ids)
	if err != nil || len(recs) == 0 {
		return b, err
	}
	dir, err := r.Store.Directory(ctx, j.Code)
	if err != nil {
		return b, err
	}
	events, err := r.Store.TaskEvents(ctx, j.Code, ids)
	if err != nil {
		return b, err
	}
	plans, err := r.Store.Plans(ctx, j.Code)
	if err != nil {
		return b, err
	}
	for _, p := range ed.plans {
		p.Seq = j.Seq + 1 // as the store will number it
		plans = append(plans, p)
	}
	want := openedBy(planner.Sources{
		Jurisdiction: j, Plans: plans, Tasks: backdated(ed.tasks, plans), Directory: dir, TaskEvents: events, Existing: map[string]bool{},
	}, set, recs, ed.on)
	for i, rec := range recs {
		o := rec.Obligation
		to, kept := want[o.Ref.String()]
		e := task.Event{Jurisdiction: j.Code, On: max(ed.on, o.Opened), Subject: o.Ref.String(), Who: ed.who, Why: ed.why}
		if e.Kind, e.Date = ed.move(o, task.Fold(o, rec.Events, ed.on, set.Calendar, set.Terms), to, kept); e.Kind == "" {
			continue
		}
		e.Seq = j.Seq + int64(len(b.Events)) + int64(len(ed.tasks)) + 2
		recs[i].Events = append(slices.Clone(rec.Events), e)
		b.Events = append(b.Events, e)
	}
	planned, err := r.planned(ctx, j.Code)
	b.Caches = cachesOf(recs, ed.tasks, dir, set, planned)
	return b, err
}

// move decides what the edit does to one item that stands at st: the event's kind and its date, or none. to is the
// item as the edited row would open it; kept is false where it would open none.
func (ed edit) move(o task.Obligation, st task.Status, to task.Obligation, kept bool) (task.EventKind, civil.Date) {
	replaced := slices.Contains(ed.replaced, o.Row)
	switch {
	case !kept:
		if st.Open() && (st.Nominal >= ed.on || withdrawnRow(ed.tasks, o.TaskID)) {
			return task.Withdrawn, 0
		}
	case st.State == task.Dropped:
		// What fell due while the row was away was owed by nobody. What was late before is late again.
		if to.Effective >= ed.on {
			return task.Reopened, to.Effective
		}
		if st.Effective < st.Since {
			return task.Reopened, 0
		}
	case !st.Open(): // where the row is another task now, what was reported, done or waived was not it
		if replaced && to.Effective >= ed.on {
			return map[bool]task.EventKind{true: task.Returned, false: task.Reopened}[st.State == task.Answered], to.Effective
		}
	case replaced && to.Effective >= ed.on,
		to.Nominal != st.Nominal && to.Effective != st.Effective,
		!to.Ambiguous && !st.Extended && !st.Returned && st.Effective != st.Assess:
		return task.Redated, to.Effective
	}
	return "", 0
}

func withdrawnRow(edited []task.Task, id task.TaskID) bool {
	return slices.ContainsFunc(edited, func(t task.Task) bool { return t.TaskID == id && t.Withdrawn })
}

// backdated lets the edited rows count from their plan's issue, to see which items they would have opened.
func backdated(edited []task.Task, plans []task.Plan) []task.Task {
	out := slices.Clone(edited)
	for i := range out {
		for _, p := range task.PlansAsOf(plans, civil.Never) {
			if p.Code == out[i].Plan {
				out[i].On = min(out[i].On, p.Issued)
			}
		}
	}
	return out
}

// openedBy returns what the sources would have opened by the time the last of the existing items opened.
func openedBy(src planner.Sources, set planner.Settings, recs []task.Record, on civil.Date) map[string]task.Obligation {
	last := on
	for _, r := range recs {
		last = max(last, r.Obligation.Opened)
	}
	want := map[string]task.Obligation{}
	for _, o := range planner.Open(src, set, last).Obligations {
		want[o.Ref.String()] = o
	}
	return want
}

// Rebuild computes every cached column of the jurisdiction anew from the events, under the settings of hash.
func (r Register) Rebuild(ctx context.Context, code, hash string) (n int, err error) {
	set, err := r.Settings(code)
	if err != nil {
		return 0, err
	}
	err = r.change(ctx, code, func(j task.Jurisdiction) (task.Batch, error) {
		recs, err := r.Store.Records(ctx, code, task.RecordFilter{})
		if err != nil {
			return task.Batch{}, err
		}
		caches, err := r.caches(ctx, j, recs, set)
		n = len(caches)
		j.Caches = hash
		return task.Batch{Jurisdiction: &j, Caches: caches}, err
	})
	return n, err
}

// Pause stops letters from leaving the jurisdiction; everything is still evaluated. A nil pause resumes.
func (r Register) Pause(ctx context.Context, code string, p *task.Pause) error {
	return r.change(ctx, code, func(j task.Jurisdiction) (task.Batch, error) {
		if (j.Paused == nil) == (p == nil) {
			return task.Batch{}, fmt.Errorf("pause or resume %s: it is so already", code)
		}
		j.Paused = p
		return task.Batch{Jurisdiction: &j}, nil
	})
}

// RecordAll appends events to many obligations of one jurisdiction in one write: all of them or, where one is refused,
// none. Events on the same obligation are checked in their order.
func (r Register) RecordAll(ctx context.Context, code string, events []task.Event) error {
	set, err := r.Settings(code)
	if err != nil || len(events) == 0 {
		return err
	}
	return r.change(ctx, code, func(j task.Jurisdiction) (task.Batch, error) {
		recs, err := r.recordsOf(ctx, code, events)
		if err != nil {
			return task.Batch{}, err
		}
		var touched []task.Record
		for i, e := range events {
			rec, ok := recs[e.Subject]
			if !ok {
				return task.Batch{}, fmt.Errorf("record %s on %s: %w", e.Kind, e.Subject, task.ErrNotFound)
			}
			if err := check(*rec, task.Fold(rec.Obligation, rec.Events, e.On, set.Calendar, set.Terms), e); err != nil {
				return task.Batch{}, err
			}
			events[i].Jurisdiction, e.Seq = code, j.Seq+int64(i)+1
			rec.Events = append(rec.Events, e)
		}
		for _, subject := range slices.Sorted(maps.Keys(recs)) {
			touched = append(touched, *recs[subject])
		}
		caches, err := r.caches(ctx, j, touched, set)
		return task.Batch{Events: events, Caches: caches}, err
	})
}

// recordsOf reads the obligations that the events are about, by ref.
func (r Register) recordsOf(ctx context.Context, code string, events []task.Event) (map[string]*task.Record, error) {
	refs := make([]string, len(events))
	for i, e := range events {
		if _, err := task.ParseRef(e.Subject); err != nil {
			return nil, err
		}
		refs[i] = e.Subject
	}
	all, err := r.Store.RecordsOf(ctx, code, refs)
	if err != nil {
		return nil, err
	}
	recs := map[string]*task.Record{}
	for i := range all {
		recs[all[i].Obligation.Ref.String()] = &all[i]
	}
	return recs, nil
}
