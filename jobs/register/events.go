package register

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// OccurrenceStore reads what happened and is known already: of each kind, reference and unit the last entry.
type OccurrenceStore interface {
	Occurrences(ctx context.Context, jurisdiction string, kinds ...string) ([]task.Occurrence, error)
}

// EventRow is one occurrence, with the duty it names in place of the rules': PLAN/ROW, or ROW where one plan has it.
type EventRow struct {
	task.Occurrence
	Task string
}

// EventsImport is a list of occurrences that was read and found good.
type EventsImport struct {
	Jurisdiction string
	Rows         []EventRow
	On           civil.Date // the day of the import, from which a correction counts
	Who          string
	DryRun       bool
}

// RowError says what is wrong with one row of an import.
type RowError struct {
	Row    int // index into the rows
	Column string
	Reason string
}

// RowErrors are all the rows that an import refuses.
type RowErrors []RowError

func (e RowErrors) Error() string {
	lines := make([]string, 0, len(e))
	for _, p := range e {
		lines = append(lines, fmt.Sprintf("entry %d, %s: %s", p.Row+1, p.Column, p.Reason))
	}
	return strings.Join(lines, "\n")
}

// ImportEvents records what happened, and starts the clocks that the rules in force on the day of each occurrence name:
// the due date is worked out here and once. The same list again changes nothing. An occurrence that reads otherwise than
// before is a correction: its clock is started anew and the open item moves to the new date; where the item is done, the
// row is refused, since what was judged is not judged again in silence.
func (r Register) ImportEvents(ctx context.Context, store OccurrenceStore, in EventsImport) (Changes, error) {
	out := Changes{Changes: []Change{}}
	set, err := r.Settings(in.Jurisdiction)
	if err != nil {
		return out, err
	}
	err = r.changeUnless(ctx, in.Jurisdiction, in.DryRun, func(j task.Jurisdiction) (task.Batch, error) {
		out = Changes{Changes: []Change{}}
		c, err := r.clocks(ctx, store, j, set, in)
		if err != nil {
			return task.Batch{}, err
		}
		for i, row := range in.Rows {
			c.row(i, row)
		}
		if len(c.bad) > 0 {
			return task.Batch{}, c.bad
		}
		out = c.out
		b := c.batch
		if len(b.NextOpen) == 0 {
			b.NextOpen = nil // an empty batch is not written
		}
		if len(c.touched) > 0 {
			recs := make([]task.Record, 0, len(c.touched))
			for _, key := range slices.Sorted(maps.Keys(c.touched)) {
				recs = append(recs, c.records[key])
			}
			b.Caches, err = r.caches(ctx, j, recs, set)
		}
		return b, err
	})
	return out, err
}

// clocks works through the rows of an import.
type clocks struct {
	in     EventsImport
	set    planner.Settings
	dir    task.Directory
	tasks  []task.Task // every version
	rows   map[task.TaskID][]task.Task
	people map[string][]task.Person // every version, by key
	known  map[happening]task.Occurrence
	// fired are the triggers in force by the item they open, whatever the unit; records the items by their ref.
	fired   map[task.TaskID][]task.Event
	records map[string]task.Record
	written map[writing]string // references by what they are told by, as first written

	seq     int64
	taken   map[string]int // item → row of the import that opens it
	touched map[string]bool
	batch   task.Batch
	out     Changes
	bad     RowErrors
}

type happening struct{ kind, ref, unit string }

func happeningOf(o task.Occurrence) happening { return happening{o.Kind, o.Ref, o.Unit} }

func (r Register) clocks(ctx context.Context, store OccurrenceStore, j task.Jurisdiction, set planner.Settings, in EventsImport) (*clocks, error) {
	c := &clocks{
		in: in, set: set, seq: j.Seq, known: map[happening]task.Occurrence{}, people: map[string][]task.Person{}, rows: map[task.TaskID][]task.Task{},
		fired: map[task.TaskID][]task.Event{}, records: map[string]task.Record{}, taken: map[string]int{}, touched: map[string]bool{},
		out: Changes{Changes: []Change{}}, batch: task.Batch{NextOpen: map[task.TaskID]civil.Date{}},
	}
	happened, err := store.Occurrences(ctx, j.Code)
	if err != nil {
		return nil, err
	}
	for _, o := range happened {
		c.known[happeningOf(o)] = o
	}
	if c.dir, err = r.Store.Directory(ctx, j.Code); err != nil {
		return nil, err
	}
	if c.tasks, err = r.Store.Tasks(ctx, j.Code); err != nil {
		return nil, err
	}
	people, err := r.Store.People(ctx, j.Code)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		c.people[p.Key] = append(c.people[p.Key], p)
	}
	wait := map[task.TaskID]bool{}
	for _, t := range c.tasks {
		c.rows[t.TaskID] = append(c.rows[t.TaskID], t)
		wait[t.TaskID] = wait[t.TaskID] || planner.StartsClock(t)
	}
	maps.DeleteFunc(wait, func(_ task.TaskID, waits bool) bool { return !waits })
	err = r.firedOn(ctx, j.Code, slices.Collect(maps.Keys(wait)), c)
	c.written = writings(happened, c.fired)
	return c, err
}

// firedOn reads the triggers and the items of the rows that events may open.
func (r Register) firedOn(ctx context.Context, code string, ids []task.TaskID, c *clocks) error {
	if len(ids) == 0 {
		return nil
	}
	events, err := r.Store.TaskEvents(ctx, code, ids)
	if err != nil {
		return err
	}
	for _, e := range task.InForce(events, civil.Never) {
		if id, err := task.ParseTaskID(e.Subject); err == nil && e.Kind == task.Triggered {
			c.fired[id] = append(c.fired[id], e)
		}
	}
	recs, err := r.Store.Instances(ctx, code, ids)
	for _, rec := range recs {
		c.records[rec.Obligation.Ref.String()] = rec
	}
	return err
}

func (c *clocks) fail(row int, column, format string, args ...any) {
	c.bad = append(c.bad, RowError{row, column, fmt.Sprintf(format, args...)})
}

// start is a clock that an occurrence starts.
type start struct {
	task  task.Task
	event task.Event
	note  string // what of the row the rule overrode
}

// row records one occurrence and brings its clocks to what it says.
func (c *clocks) row(i int, row EventRow) {
	o := row.Occurrence
	o.Jurisdiction, o.Seq, o.Who = c.in.Jurisdiction, 0, c.in.Who
	other := c.asWritten(&o)
	row.Occurrence = o
	was, known := c.known[happeningOf(o)]
	bad := len(c.bad)
	if !c.person(i, o, was) {
		return
	}
	starts := c.starts(i, row)
	if len(c.bad) > bad {
		return
	}
	what := c.clockwork(i, o, starts)
	if len(c.bad) > bad {
		return
	}
	changed := occurrenceDiffers(was, o)
	if held := c.suspend(o, was, starts); held != "" {
		what = append(what, held)
	}
	said := strings.Join(append([]string{o.Kind + " " + o.Unit}, what...), ", ")
	if other != "" {
		c.out.Notes = append(c.out.Notes, fmt.Sprintf("%s of the list is taken for %s, which is known: the same number in another writing", other, o.Ref))
	}
	switch {
	case !known:
		if o.Exempt != "" {
			said += ", not applicable: " + o.Exempt
		}
		c.out.add(o.Ref, "added", said)
	case changed != "":
		c.out.add(o.Ref, "changed", said+", "+changed)
	case len(what) > 0:
		c.out.add(o.Ref, "changed", said)
		return
	default:
		c.out.Unchanged++
		return
	}
	c.batch.Occurrences = append(c.batch.Occurrences, o)
}

// person checks that the roster holds the person an occurrence names, in its unit, and that a correction does not give a
// suspension to somebody else.
func (c *clocks) person(i int, o, was task.Occurrence) bool {
	p, ok := c.onRoster(o.Person, o.On)
	switch {
	case o.Person == "" && was.Person == "":
	case o.Person != was.Person && was.Person != "" && o.Kind == task.CertificateHeld && was.Exempt == "":
		c.fail(i, "人员编号", "the same document held the certificate of somebody else before: import it for that number with 不适用原因 first, then this one under its own 编号")
	case o.Person == "":
	case !ok:
		c.fail(i, "人员编号", "the roster holds nobody of this number: import the roster first")
	case p.Unit != o.Unit:
		c.fail(i, "人员编号", "the person of this number belongs to %s in the roster, not to %s", p.Unit, o.Unit)
	default:
		return true
	}
	return o.Person == "" && (was.Person == "" || o.Kind != task.CertificateHeld)
}

// onRoster returns the person as the roster had him on the day, or as it has him now.
func (c *clocks) onRoster(key string, d civil.Date) (task.Person, bool) {
	for _, day := range []civil.Date{d, civil.Never} {
		if p := task.PeopleAsOf(c.people[key], day); len(p) > 0 {
			return p[0], true
		}
	}
	return task.Person{}, false
}

// occurrenceDiffers names the fields in which two entries of one occurrence differ; persons and enterprises are not shown.
func occurrenceDiffers(was, is task.Occurrence) string {
	var names []string
	for _, f := range []struct {
		name   string
		a, b   any
		silent bool
	}{
		{"day", was.On, is.On, false}, {"date in the document", was.Due, is.Due, false}, {"from", was.From, is.From, false}, {"to", was.To, is.To, false},
		{"not applicable", was.Exempt, is.Exempt, false}, {"person", was.Person, is.Person, true}, {"enterprise", was.Party, is.Party, true},
	} {
		switch {
		case f.a == f.b:
		case f.silent:
			names = append(names, f.name)
		default:
			names = append(names, fmt.Sprintf("%s %s → %s", f.name, cmp.Or(fmt.Sprint(f.a), "nothing"), cmp.Or(fmt.Sprint(f.b), "nothing")))
		}
	}
	return strings.Join(names, ", ")
}

// starts returns the clocks that the row's occurrence starts.
func (c *clocks) starts(i int, row EventRow) []start {
	o := row.Occurrence
	if task.StartsNoClock(o.Kind) || o.Exempt != "" {
		if row.Task != "" && task.StartsNoClock(o.Kind) {
			c.fail(i, "任务编号", "%s starts no clock: leave the cell empty", o.Kind)
		}
		return nil
	}
	rules := c.set.On(o.On).Rules
	var out []start
	if row.Task != "" {
		id, ok := c.named(i, row, rules)
		if !ok {
			return nil
		}
		k := slices.IndexFunc(rules, func(r task.Rule) bool { return r.Kind == o.Kind && r.Plan == id.Plan && r.Row == id.Row })
		rule := task.Rule{Kind: o.Kind}
		if k >= 0 {
			rule = rules[k]
		}
		return c.started(i, o, id, rule, "任务编号")
	}
	seen := map[task.TaskID]bool{}
	for _, rule := range rules {
		id := task.TaskID{Jurisdiction: c.in.Jurisdiction, Plan: rule.Plan, Row: rule.Row}
		if rule.Kind == o.Kind && !seen[id] {
			seen[id] = true
			out = append(out, c.started(i, o, id, rule, "事件类型")...)
		}
	}
	if len(seen) == 0 && !suspends(o) {
		c.fail(i, "事件类型", "no rule says which duty %s starts a clock for: name it under 任务编号, or add a rule to the policy; kinds known: %s", o.Kind, kinds(rules))
	}
	return out
}

// suspends reports whether the occurrence says by itself whose certificate is held and until when: no duty has to be named.
func suspends(o task.Occurrence) bool {
	return o.Kind == task.CertificateHeld && o.Person != "" && o.Due != 0
}

// kinds lists the kinds of occurrence that an import takes without more being said.
func kinds(rules []task.Rule) string {
	names := []string{task.InspectionFiled, task.InspectionRegistered, task.InspectionRated}
	for _, r := range rules {
		names = append(names, r.Kind)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// named finds the row that the cell names.
func (c *clocks) named(i int, row EventRow, rules []task.Rule) (task.TaskID, bool) {
	var found []task.TaskID
	text := strings.TrimPrefix(row.Task, c.in.Jurisdiction+"/")
	for _, t := range task.TasksAsOf(c.tasks, row.On) {
		if t.Plan+"/"+t.Row == text {
			return t.TaskID, true
		}
		if t.Row == text {
			found = append(found, t.TaskID)
		}
	}
	if len(found) > 1 {
		if k := slices.IndexFunc(found, func(id task.TaskID) bool {
			return slices.ContainsFunc(rules, func(r task.Rule) bool { return r.Kind == row.Kind && r.Plan == id.Plan && r.Row == id.Row })
		}); k >= 0 {
			return found[k], true
		}
		c.fail(i, "任务编号", "more than one plan has a row %s: write PLAN/ROW, as %s/%s", text, found[0].Plan, found[0].Row)
		return task.TaskID{}, false
	}
	if len(found) == 0 {
		c.fail(i, "任务编号", "no plan in force on %s has a row %s: `tasks list --as-of %s` shows what there is", row.On, text, row.On)
		return task.TaskID{}, false
	}
	return found[0], true
}

// started works out one clock: when it ends, and whether anybody is told.
func (c *clocks) started(i int, o task.Occurrence, id task.TaskID, rule task.Rule, column string) []start {
	now := task.TasksAsOf(c.rows[id], o.On)
	switch {
	case len(c.rows[id]) == 0:
		c.fail(i, column, "the rule for %s names the row %s/%s, and there is no such row", o.Kind, id.Plan, id.Row)
		return nil
	case len(now) == 0:
		c.fail(i, "发生日期", "the row %s/%s was not in force on %s", id.Plan, id.Row, o.On)
		return nil
	case !planner.StartsClock(now[0]):
		c.fail(i, column, "the row %s/%s has the deadline %q and waits for no event; a cell that cannot be read is clarified first", id.Plan, id.Row, now[0].DeadlineText)
		return nil
	case !takesPart(c.dir, now[0], o.Unit, o.On):
		c.fail(i, "单位", "unit %s had no part in the row %s/%s on %s", o.Unit, id.Plan, id.Row, o.On)
		return nil
	}
	t := now[0]
	e := task.Event{
		Jurisdiction: c.in.Jurisdiction, On: o.On, Kind: task.Triggered, Subject: id.String(), Who: c.in.Who, Why: o.Kind,
		Ref: o.Ref, Unit: o.Unit, Date: o.Due, N: planner.RollNumber(rule.Roll), Nil: listed(t, rule) || o.Kind == task.CertificateHeld,
	}
	if rule.N > 0 {
		e.Date = planner.After(o.On, rule.N, rule.Unit, c.set)
	}
	base, ok := planner.TriggerOpens(t, e, c.set)
	switch {
	case !ok:
		c.fail(i, "规定期限", "neither the rule nor the row %s/%s says how long it runs: give the date that the document sets", id.Plan, id.Row)
		return nil
	case base.Nominal < o.On:
		c.fail(i, "规定期限", "the row %s/%s counts back from the event, so that it fell due on %s: give the date that the document sets", id.Plan, id.Row, base.Nominal)
		return nil
	}
	e.Date = base.Nominal
	note := ""
	if rule.N > 0 && o.Due != 0 && o.Due != e.Date {
		note = fmt.Sprintf(" by the rule, whatever the document says (%s)", o.Due)
	}
	return []start{{t, e, note}}
}

// listed reports whether the end of a clock on the row is listed only: the rule says so, or the row itself is not to be
// chased and names no event of its own.
func listed(t task.Task, rule task.Rule) bool {
	return rule.Chase == task.ChaseNone || t.Chase == task.ChaseNone && t.Reading.Condition == nil
}

// takesPart reports whether the unit owed anything, or was informed, by the row on the day.
func takesPart(dir task.Directory, t task.Task, unit string, on civil.Date) bool {
	return slices.ContainsFunc(dir.AsOf(on).Expand(t.Parties), func(p task.Party) bool { return p.Code == unit && p.Owes != task.OwesNone })
}

// clockwork brings the triggers of an occurrence to what it starts now, and the items with them. It says what it did.
func (c *clocks) clockwork(i int, o task.Occurrence, starts []start) []string {
	var said []string
	wanted := map[task.TaskID]bool{}
	for _, s := range starts {
		wanted[s.task.TaskID] = true
		ref := task.Ref{TaskID: s.task.TaskID, Unit: o.Unit, Instance: planner.TriggerInstance(s.task, s.event)}
		if other, twice := c.taken[ref.String()]; twice {
			c.fail(i, "编号", "entry %d opens an item of the same number for this unit on the row %s/%s: give each its own", other+1, ref.Plan, ref.Row)
			continue
		}
		c.taken[ref.String()] = i
		if what := c.start(i, o, s, ref); what != "" {
			said = append(said, what)
			c.out.Items++
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(c.fired), func(a, b task.TaskID) int { return strings.Compare(a.String(), b.String()) }) {
		for _, old := range c.fired[id] {
			if !wanted[id] && old.Why == o.Kind && old.Unit == o.Unit && old.Ref == o.Ref {
				c.void(old, o)
				said = append(said, c.drop(o, id, old))
				c.out.Items++
			}
		}
	}
	return said
}

// start fires one clock, where it does not run already as it should.
func (c *clocks) start(i int, o task.Occurrence, s start, ref task.Ref) string {
	base, _ := planner.TriggerOpens(s.task, s.event, c.set)
	due := fmt.Sprintf("%s/%s due %s%s", ref.Plan, ref.Row, base.Effective, s.note)
	for _, old := range c.fired[ref.TaskID] {
		if planner.TriggerInstance(s.task, old) != ref.Instance || old.Unit != "" && old.Unit != o.Unit {
			continue
		}
		if old.Unit == "" {
			c.fail(i, "编号", "the row %s/%s was triggered with this number for all its units on %s already", ref.Plan, ref.Row, old.On)
			return ""
		}
		if _, another := c.known[happening{old.Why, old.Ref, o.Unit}]; another && old.Why != o.Kind || old.Ref != o.Ref {
			c.fail(i, "编号", "the row %s/%s was triggered for this unit by %s %s already: give each its own number", ref.Plan, ref.Row, old.Why, old.Ref)
			return ""
		}
		before, _ := planner.TriggerOpens(s.task, old, c.set)
		if old.On == s.event.On && before == base && old.Nil == s.event.Nil {
			return ""
		}
		c.void(old, o)
		c.fire(s.event)
		if before.Effective == base.Effective && before.Nominal == base.Nominal {
			return due
		}
		return fmt.Sprintf("%s (was %s)%s", due, before.Effective, c.redate(i, o, ref, base.Effective))
	}
	c.fire(s.event)
	return due + c.again(o, ref, base.Effective)
}

// void takes back a trigger, from the day it counted from: as if it had never been entered.
func (c *clocks) void(old task.Event, o task.Occurrence) {
	c.batch.Events = append(c.batch.Events, task.Event{
		Jurisdiction: c.in.Jurisdiction, On: old.On, Kind: task.Corrected, Subject: old.Subject, Who: c.in.Who, Why: "corrected: " + o.Kind + " " + o.Ref, Voids: old.Seq,
	})
}

func (c *clocks) fire(e task.Event) {
	c.batch.Events = append(c.batch.Events, e)
	id, err := task.ParseTaskID(e.Subject)
	if next, ok := c.batch.NextOpen[id]; err == nil && (!ok || e.On < next) {
		c.batch.NextOpen[id] = e.On
	}
}

// happen records an event on an open item, from the day of the import.
func (c *clocks) happen(rec task.Record, e task.Event) {
	e.Jurisdiction, e.Subject, e.Who, e.On = c.in.Jurisdiction, rec.Obligation.Ref.String(), c.in.Who, max(c.in.On, rec.Obligation.Opened)
	c.batch.Events = append(c.batch.Events, e)
	e.Seq = c.seq + int64(len(c.batch.Events)) // later than all there is; the store gives the number itself
	rec.Events = append(slices.Clone(rec.Events), e)
	c.records[e.Subject], c.touched[e.Subject] = rec, true
}

// status is what an item stands at on the day of the import.
func (c *clocks) status(rec task.Record) task.Status {
	return task.Fold(rec.Obligation, rec.Events, max(c.in.On, rec.Obligation.Opened), c.set.Calendar, c.set.Terms)
}

// redate moves an item to the date of a corrected occurrence.
func (c *clocks) redate(i int, o task.Occurrence, ref task.Ref, to civil.Date) string {
	rec, ok := c.records[ref.String()]
	if !ok {
		return ""
	}
	switch st := c.status(rec); st.State {
	case task.Waiting, task.Answered:
		c.happen(rec, task.Event{Kind: task.Redated, Date: to, Why: "corrected: " + o.Kind + " " + o.Ref})
		return ", the open item moves"
	case task.Finished, task.Settled:
		c.fail(i, "发生日期", "%s is %s since %s by its old date %s: reopen it first (`obligations reopen %s --due %s`), so that it is judged anew", ref, st.State, st.Since, st.Effective, ref, to)
	}
	return ""
}

// again opens an item that was closed when its occurrence did not apply, or stood on another row; one that is open without
// a trigger of its unit, as a unit's that took another over is, moves to the date.
func (c *clocks) again(o task.Occurrence, ref task.Ref, to civil.Date) string {
	rec, ok := c.records[ref.String()]
	if !ok {
		return ""
	}
	why := "corrected: " + o.Kind + " " + o.Ref
	switch st := c.status(rec); {
	case st.State == task.Void, st.State == task.Dropped:
		c.happen(rec, task.Event{Kind: task.Reopened, Date: to, Why: why})
		return ", the item opens again"
	case st.Open() && st.Effective != to && !st.Extended:
		c.happen(rec, task.Event{Kind: task.Redated, Date: to, Why: why})
		return ", the open item moves"
	}
	return ""
}

// drop closes the item of a clock that no longer runs: it does not apply, or it stands on another row now.
func (c *clocks) drop(o task.Occurrence, id task.TaskID, old task.Event) string {
	said := fmt.Sprintf("%s/%s no longer runs", id.Plan, id.Row)
	rec, ok := c.records[task.Ref{TaskID: id, Unit: o.Unit, Instance: planner.TriggerInstance(task.Task{}, old)}.String()]
	if !ok {
		return said
	}
	if st := c.status(rec); st.State != task.Waiting && st.State != task.Answered {
		return said
	}
	e := task.Event{Kind: task.Withdrawn, Why: "corrected: " + o.Kind + " " + o.Ref}
	if o.Exempt != "" {
		e = task.Event{Kind: task.Waived, Why: o.Exempt}
	}
	c.happen(rec, e)
	return said + ", the item is " + map[bool]string{true: "waived", false: "withdrawn"}[o.Exempt != ""]
}

// suspend writes into the roster that a person's certificate is held until the clock ends, or that it is not held after
// all. Versions that the roster has for days within that time are rewritten with it. It says so without a name.
func (c *clocks) suspend(o, was task.Occurrence, starts []start) string {
	if o.Kind != task.CertificateHeld || o.Person == "" || occurrenceDiffers(was, o) == "" && lifted(c.people[o.Person], o) {
		return ""
	}
	var until civil.Date
	switch {
	case len(starts) > 0:
		until = starts[0].event.Date
	case o.Exempt == "" && suspends(o):
		until = o.Due
	}
	days := []civil.Date{o.On}
	for _, p := range c.people[o.Person] {
		days = append(days, p.On)
	}
	slices.Sort(days)
	written := false
	for _, d := range slices.Compact(days) {
		now := task.PeopleAsOf(c.people[o.Person], d)
		if len(now) == 0 {
			continue
		}
		next := now[0]
		if was.On != 0 && next.CertState == heldState && next.HeldFrom == was.On {
			next.CertState, next.HeldFrom, next.HeldTo = validState, 0, 0
		}
		if o.On <= d && d <= until && next.CertState != "注销" {
			next.CertState, next.HeldFrom, next.HeldTo = heldState, o.On, until
		}
		if next == now[0] {
			continue
		}
		next.On, next.Seq, written = d, 0, true
		c.batch.People = append(c.batch.People, next)
		next.Seq = c.seq + int64(len(c.batch.People))
		c.people[o.Person] = append(c.people[o.Person], next)
	}
	switch {
	case !written:
		return ""
	case until == 0:
		return "the certificate is not held"
	}
	return "the certificate is held until " + until.String()
}

// The roster's words for a certificate that is held, and for one that is not.
const (
	heldState  = "暂扣"
	validState = "有效"
)

// ruled gives a trigger without a date that of the rules for its row, where they agree on one.
func ruled(t task.Task, e task.Event, set planner.Settings) (task.Event, error) {
	e.Nil = listed(t, task.Rule{})
	dates := map[civil.Date]task.Rule{}
	for _, r := range set.On(e.On).Rules {
		if r.Plan != t.Plan || r.Row != t.Row {
			continue
		}
		e.Nil = e.Nil || r.Chase == task.ChaseNone || r.Kind == task.CertificateHeld
		if due := planner.After(e.On, r.N, r.Unit, set); r.N > 0 && due != 0 {
			dates[due] = r
		}
	}
	if e.Date != 0 || len(dates) == 0 {
		return e, nil
	}
	if len(dates) > 1 {
		return e, errors.New("the rules for this row differ in length; give the due date with --due")
	}
	for due, r := range dates {
		e.Date, e.N = due, planner.RollNumber(r.Roll)
	}
	return e, nil
}
