package register

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// Merger (合并) says that a unit ceased to be on a day, and which one took over its duties.
type Merger struct {
	Jurisdiction string
	Old, Into    string // codes
	On           civil.Date
	Who, Why     string
	DryRun       bool
}

// mergerGrace is the number of working days, from the day a unit takes over what is overdue, in which it is not urged: what
// the other was told it was not told itself.
const mergerGrace = 5

// Merge removes a unit from a day on and hands what it owes to another. Its open items are transferred, and opened for the
// other with the same dates, kind, quota and role, where that one does not have the same instance itself; they are armed
// anew on the day. What is overdue then keeps its date, and is urged no earlier than five working days later. Rows that
// name the old unit name the new one from then on, people of the old unit belong to the new one, and the old unit's names
// are read as the new one's. What is closed, and all history, stays with the old unit; contacts and groups of the new one
// stay as they are.
func (r Register) Merge(ctx context.Context, in Merger) (Changes, error) {
	out := Changes{Changes: []Change{}}
	set, err := r.Settings(in.Jurisdiction)
	if err != nil {
		return out, err
	}
	err = r.changeUnless(ctx, in.Jurisdiction, in.DryRun, func(j task.Jurisdiction) (task.Batch, error) {
		m, err := r.merging(ctx, j, set, in)
		if err != nil {
			return task.Batch{}, err
		}
		m.units()
		m.tasks()
		m.people()
		touched := m.items()
		out = m.out
		m.batch.Caches, err = r.caches(ctx, j, touched, set)
		return m.batch, err
	})
	return out, err
}

// merging is a merger at work.
type merging struct {
	Merger
	set        planner.Settings
	gone, heir task.Unit // as of the day
	src        planner.Sources
	roster     []task.Person
	// owed are the records of the old unit; has the refs of the new one's; edited the rows that named the old one itself.
	owed   []task.Record
	has    map[string]bool
	edited map[task.TaskID]bool
	seq    int64
	batch  task.Batch
	out    Changes
}

func (r Register) merging(ctx context.Context, j task.Jurisdiction, set planner.Settings, in Merger) (*merging, error) {
	m := &merging{Merger: in, set: set, seq: j.Seq, has: map[string]bool{}, edited: map[task.TaskID]bool{}, out: Changes{Changes: []Change{}}}
	m.src = planner.Sources{Jurisdiction: j, Existing: map[string]bool{}}
	m.batch.NextOpen = map[task.TaskID]civil.Date{}
	var err error
	if m.src.Directory, err = r.Store.Directory(ctx, j.Code); err != nil {
		return nil, err
	}
	if err := m.check(j); err != nil {
		return nil, err
	}
	if m.src.Plans, err = r.Store.Plans(ctx, j.Code); err != nil {
		return nil, err
	}
	if m.src.Tasks, err = r.Store.Tasks(ctx, j.Code); err != nil {
		return nil, err
	}
	if m.roster, err = r.Store.People(ctx, j.Code); err != nil {
		return nil, err
	}
	if m.owed, err = r.Store.Records(ctx, j.Code, task.RecordFilter{Unit: in.Old}); err != nil {
		return nil, err
	}
	own, err := r.Store.Records(ctx, j.Code, task.RecordFilter{Unit: in.Into})
	if err != nil {
		return nil, err
	}
	for _, rec := range own {
		m.has[rec.Obligation.Ref.String()] = true
	}
	opened, err := r.Store.LastSettled(ctx, "open", j.Code)
	if err != nil || opened >= in.On-1 {
		return m, err
	}
	return m, r.openBefore(ctx, m, own)
}

// check refuses a merger of units that are not there, or that would leave the bureau without itself.
func (m *merging) check(j task.Jurisdiction) error {
	if m.Old == m.Into {
		return fmt.Errorf("merge unit %s: it cannot take over from itself", m.Old)
	}
	if m.Old == j.Bureau {
		return fmt.Errorf("merge unit %s: it is the justice bureau; name another bureau in the units file first", m.Old)
	}
	for _, u := range []struct {
		code string
		unit *task.Unit
	}{{m.Old, &m.gone}, {m.Into, &m.heir}} {
		now, ok := m.src.Directory.AsOf(m.On).Unit(u.code)
		_, later := m.src.Directory.AsOf(civil.Never).Unit(u.code)
		if !ok || !later {
			return fmt.Errorf("merge unit %s into %s: there is no unit %s on %s, or it was removed since; `duban units list --as-of %s` shows what there is", m.Old, m.Into, u.code, m.On, m.On)
		}
		*u.unit = now
	}
	return nil
}

// openBefore opens for both units what the days before the merger open and the worker has not opened yet, so that nothing
// the old one owed is lost with it.
func (r Register) openBefore(ctx context.Context, m *merging, own []task.Record) error {
	var ids []task.TaskID
	for _, t := range m.src.Tasks {
		ids = append(ids, t.TaskID)
	}
	slices.SortFunc(ids, func(a, b task.TaskID) int { return strings.Compare(a.String(), b.String()) })
	events, err := r.Store.TaskEvents(ctx, m.Jurisdiction, slices.Compact(ids))
	if err != nil {
		return err
	}
	m.src.TaskEvents = events
	for _, rec := range slices.Concat(m.owed, own) {
		m.src.Existing[rec.Obligation.Ref.String()] = true
	}
	for _, o := range planner.Open(m.src, m.set, m.On-1).Obligations {
		if o.Unit != m.Old && o.Unit != m.Into {
			continue
		}
		rec := m.open(o, "duban open", "")
		if o.Unit == m.Old {
			m.owed = append(m.owed, rec)
			continue
		}
		m.has[o.Ref.String()] = true
	}
	return nil
}

// days returns the day of the merger, and the later ones on which a version of something counts: what is written for the
// first alone would not be in force from the next version on.
func (m *merging) days(versions ...civil.Date) []civil.Date {
	days := []civil.Date{m.On}
	for _, d := range versions {
		if d > m.On {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// units removes the old unit, and lets the new one answer to its names.
func (m *merging) units() {
	var days []civil.Date
	for _, u := range m.src.Directory.Units {
		if u.Code == m.Old || u.Code == m.Into {
			days = append(days, u.On)
		}
	}
	for _, d := range m.days(days...) {
		now := m.src.Directory.AsOf(d)
		if u, ok := now.Unit(m.Old); ok {
			u.Removed, u.On, u.Seq = true, d, 0
			m.batch.Units = append(m.batch.Units, u)
		}
		u, ok := now.Unit(m.Into)
		if !ok {
			continue
		}
		names := slices.Clone(u.Aliases)
		for _, n := range append([]string{m.gone.Name, m.gone.FullName}, m.gone.Aliases...) {
			if n != "" && n != u.Name && n != u.FullName && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		if len(names) > len(u.Aliases) {
			u.Aliases, u.On, u.Seq = names, d, 0
			m.batch.Units = append(m.batch.Units, u)
		}
	}
	m.out.add(m.Old, "withdrawn", fmt.Sprintf("%s, merged into %s (%s)", m.gone.Name, m.Into, m.heir.Name))
}

// tasks lets the rows that name the old unit name the new one.
func (m *merging) tasks() {
	versions := map[task.TaskID][]task.Task{}
	var ids []task.TaskID
	for _, t := range m.src.Tasks {
		if versions[t.TaskID] == nil {
			ids = append(ids, t.TaskID)
		}
		versions[t.TaskID] = append(versions[t.TaskID], t)
	}
	slices.SortFunc(ids, func(a, b task.TaskID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range ids {
		var days []civil.Date
		for _, t := range versions[id] {
			days = append(days, t.On)
		}
		for _, d := range m.days(days...) {
			for _, t := range task.TasksAsOf(versions[id], d) {
				if !slices.ContainsFunc(t.Parties, m.isOld) {
					continue
				}
				t.Parties, t.On, t.Seq = m.parties(t.Parties), d, 0
				m.batch.Tasks, m.batch.NextOpen[id] = append(m.batch.Tasks, t), m.On
				if !m.edited[id] {
					m.edited[id] = true
					m.out.add(id.Plan+"/"+id.Row, "changed", fmt.Sprintf("unit %s → %s", m.Old, m.Into))
				}
			}
		}
	}
	if len(m.batch.NextOpen) == 0 {
		m.batch.NextOpen = nil
	}
}

func (m *merging) isOld(p task.Party) bool { return p.Code == m.Old && !p.Group }

// parties puts the new unit into the old one's place; named twice, it keeps its stronger role and the most it owes.
func (m *merging) parties(was []task.Party) []task.Party {
	var out []task.Party
	for _, p := range was {
		if m.isOld(p) {
			p.Code = m.Into
		}
		i := slices.IndexFunc(out, func(q task.Party) bool { return q.Code == p.Code && q.Group == p.Group })
		if i < 0 {
			out = append(out, p)
			continue
		}
		if p.Role.Rank() < out[i].Role.Rank() {
			out[i].Role = p.Role
		}
		if p.Owes == task.OwesDeliver || out[i].Owes == task.OwesNone {
			out[i].Owes = p.Owes
		}
	}
	return out
}

// people lets the people of the old unit belong to the new one.
func (m *merging) people() {
	versions := map[string][]task.Person{}
	var keys []string
	for _, p := range m.roster {
		if versions[p.Key] == nil {
			keys = append(keys, p.Key)
		}
		versions[p.Key] = append(versions[p.Key], p)
	}
	slices.Sort(keys)
	moved := 0
	for _, k := range keys {
		var days []civil.Date
		for _, p := range versions[k] {
			days = append(days, p.On)
		}
		count := len(m.batch.People)
		for _, d := range m.days(days...) {
			for _, p := range task.PeopleAsOf(versions[k], d) {
				if p.Unit == m.Old {
					p.Unit, p.On, p.Seq = m.Into, d, 0
					m.batch.People = append(m.batch.People, p)
				}
			}
		}
		if len(m.batch.People) > count {
			moved++
		}
	}
	if moved > 0 {
		m.out.add(m.Into, "changed", fmt.Sprintf("%d people of %s", moved, m.Old))
	}
}

// items hands over what is open, and returns the records it touched.
func (m *merging) items() []task.Record {
	slices.SortFunc(m.owed, func(a, b task.Record) int {
		return strings.Compare(a.Obligation.Ref.String(), b.Obligation.Ref.String())
	})
	var touched []task.Record
	for _, o := range m.batch.Obligations { // those of the new unit that the days before the merger opened
		if o.Unit == m.Into {
			touched = append(touched, task.Record{Obligation: o})
		}
	}
	for _, rec := range m.owed {
		touched = append(touched, m.item(rec)...)
	}
	return touched
}

// item hands over one item of the old unit.
func (m *merging) item(rec task.Record) []task.Record {
	o := rec.Obligation
	from := max(m.On, o.Opened)
	for _, e := range task.InForce(rec.Events, civil.Never) {
		from = max(from, e.On) // what the old unit did after the day is not undone
	}
	st := task.Fold(o, rec.Events, from, m.set.Calendar, m.set.Terms)
	to := o.Ref
	to.Unit = m.Into
	own := m.has[to.String()]
	switch {
	case st.State == task.Answered && own: // the report is the old unit's, and the bureau answers it
		return nil
	case st.State == task.Waiting, st.State == task.Answered:
	case !own && m.edited[o.TaskID] && o.Kind == task.Milestone && st.Nominal >= m.On && st.State != task.Dropped && st.State != task.Moved:
		// The row names the new unit now, and its date is to come: it would be asked for what is settled.
		next := m.open(m.taken(o, st, from), m.Who, m.Why)
		return []task.Record{m.happen(next, task.Event{On: from, Kind: task.Waived, Why: fmt.Sprintf("settled by %s before the merger", m.Old)})}
	default:
		return nil
	}
	touched := []task.Record{m.happen(rec, task.Event{On: from, Kind: task.Transferred, Unit: m.Into, Why: m.Why})}
	m.out.Items++
	if own {
		m.out.add(o.Ref.String(), "transferred", m.Into+" has the same item itself")
		return touched
	}
	m.out.add(o.Ref.String(), "transferred", fmt.Sprintf("%s, due %s", m.Into, st.Effective))
	next := m.inherit(m.open(m.taken(o, st, from), m.Who, m.Why), rec, st, from)
	return append(touched, next)
}

// taken is the item as the new unit gets it.
func (m *merging) taken(o task.Obligation, st task.Status, from civil.Date) task.Obligation {
	next := o
	next.Unit, next.Opened, next.Nominal, next.Effective, next.Assess = m.Into, from, st.Nominal, st.Effective, st.Assess
	if st.Extended && st.State == task.Waiting { // the extension is granted anew below, so that letters say so
		next.Effective = st.Nominal
		if st.Nominal == o.Nominal {
			next.Effective = o.Effective
		}
	}
	next.PastAtIssue, next.Inherited = o.PastAtIssue && st.Unconfirmed, o.Inherited && st.Unconfirmed
	return next
}

// inherit brings a transferred item to the state the old one had: what was counted, what the bureau granted, what it was
// asked and what it holds back. Earlier letters are not among it: the new unit has not read them.
func (m *merging) inherit(next, rec task.Record, st task.Status, from civil.Date) task.Record {
	for _, e := range task.InForce(rec.Events, from) {
		if e.Kind == task.Counted {
			next = m.happen(next, task.Event{On: e.On, Kind: task.Counted, N: e.N, Ref: e.Ref, Why: e.Why})
		}
	}
	if st.State == task.Answered {
		return m.happen(next, task.Event{On: st.Reported, Kind: task.Reported, Figures: st.Figures, Nil: st.Nil, Why: m.Why})
	}
	asked := st.Asked
	if st.Extended {
		next = m.happen(next, task.Event{On: from, Kind: task.ExtensionGranted, Date: st.Effective, Why: m.Why})
		asked = from // the grant would answer an earlier request
	}
	if st.Asked != 0 {
		next = m.happen(next, task.Event{On: asked, Kind: task.ExtensionAsked, Date: st.AskedFor, Why: m.Why})
	}
	until, why := st.HeldUntil, st.HeldWhy
	late := st.Chased() && next.Obligation.Owes == task.OwesDeliver && max(st.Effective, st.Assess) <= from
	if fresh := m.set.Calendar.Add(from, mergerGrace) - 1; late && fresh > until {
		until, why = fresh, fmt.Sprintf("自%s起承接%s事项，%d个工作日内不催办", from.Chinese(), m.gone.Name, mergerGrace)
	}
	if until >= from {
		next = m.happen(next, task.Event{On: from, Kind: task.HeldBack, Date: until, Why: cmp.Or(why, m.Why)})
	}
	return next
}

// open opens an item.
func (m *merging) open(o task.Obligation, who, why string) task.Record {
	m.batch.Obligations = append(m.batch.Obligations, o)
	m.batch.Events = append(m.batch.Events, task.Event{
		Jurisdiction: m.Jurisdiction, On: o.Opened, Kind: task.Opened, Subject: o.Ref.String(), Who: who, Why: why,
	})
	return task.Record{Obligation: o}
}

// happen records an event on an item.
func (m *merging) happen(rec task.Record, e task.Event) task.Record {
	e.Jurisdiction, e.Subject, e.Who = m.Jurisdiction, rec.Obligation.Ref.String(), m.Who
	m.batch.Events = append(m.batch.Events, e)
	e.Seq = m.seq + int64(len(m.batch.Events)) // later than all there is; the store gives the number itself
	rec.Events = append(slices.Clone(rec.Events), e)
	return rec
}
