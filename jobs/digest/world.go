package digest

import (
	"cmp"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// world is a jurisdiction as of the digest's day.
type world struct {
	Input
	all planner.Settings // as loaded
	set planner.Settings // in force on the day
	d   civil.Date
	// next is the next working day.
	next civil.Date

	plans  []task.Plan
	planNo map[string]int
	rows   []task.Task // of the plans, in their order
	row    map[task.TaskID]*task.Task
	dir    task.Directory
	unit   map[string]task.Unit
	// unitBefore are the units that the last digest knew.
	unitBefore map[string]bool
	silences   []task.Silence
	forms      map[string][]notice.Document // by obligation
	// items are Records and named are Final, by plan, row, date, unit and instance.
	items, named []*item
	byRow        map[task.TaskID][]*item
	tallies      map[task.TaskID]map[Class]int // of what a unit had to hand in
	support      map[task.TaskID]int           // of what supporting units were told
	triggered    map[string]bool
	history      map[duty][]task.Record
	sorted       []notice.Brief // what letters returns, once it was asked for
	letterCount  map[string]int // of the week of the next working day, besides that of its first, by unit
}

// duty is a row as one unit has it.
type duty struct {
	task.TaskID
	unit string
}

// item is one 项次 as of the digest's day and as the last digest had it.
type item struct {
	task.Record
	task    *task.Task // the zero Task where the row is not in force
	inForce bool       // the row is
	unit    task.Unit
	known   bool // the unit is
	chase   task.Chase
	now     task.Status
	class   Class
	// had says that the last digest knew the item, as it was before.
	had    bool
	before task.Status
	was    Class
	// count is what was counted at the last month's end, pace what should have been by then.
	count, pace int
	soon        *soon
}

// due is the day after which the item is late.
func (it *item) due() civil.Date { return dueOf(it.now) }

func dueOf(st task.Status) civil.Date { return max(st.Effective, st.Assess) }

func (it *item) ref() string { return it.Obligation.Ref.String() }

func (it *item) delivers() bool { return it.Obligation.Owes == task.OwesDeliver }

// twoDates reports whether the date still has two readings. One that a person gave has one.
func (it *item) twoDates() bool {
	return it.Obligation.Ambiguous && it.task.Reading.Ambiguous && !it.now.Returned && !it.now.Extended && it.now.Assess > it.now.Effective
}

func survey(in Input, set planner.Settings, d civil.Date) *world {
	w := &world{
		Input: in, all: set, set: set.On(d), d: d, next: set.Calendar.Add(d, 1), planNo: map[string]int{}, row: map[task.TaskID]*task.Task{},
		unit: map[string]task.Unit{}, unitBefore: map[string]bool{}, forms: map[string][]notice.Document{}, byRow: map[task.TaskID][]*item{},
		tallies: map[task.TaskID]map[Class]int{}, support: map[task.TaskID]int{}, triggered: map[string]bool{},
		history: map[duty][]task.Record{}, letterCount: map[string]int{},
	}
	for _, p := range task.PlansAsOf(in.Plans, d) {
		if p.Issued <= d {
			w.planNo[p.Code] = len(w.plans)
			w.plans = append(w.plans, p)
		}
	}
	for _, t := range task.TasksAsOf(in.Tasks, d) {
		if _, ok := w.planNo[t.Plan]; ok {
			w.rows = append(w.rows, t)
		}
	}
	for i, t := range w.rows {
		w.row[t.TaskID] = &w.rows[i]
	}
	w.dir = in.Directory.AsOf(d)
	for _, u := range w.dir.Units {
		w.unit[u.Code] = u
	}
	for _, u := range in.Directory.AsOf(in.Last).Units {
		w.unitBefore[u.Code] = true
	}
	w.silences = task.SilencesAsOf(in.Silences, d)
	w.Documents = slices.SortedFunc(slices.Values(in.Documents), func(a, b notice.Document) int {
		return cmp.Or(cmp.Compare(a.Drafted, b.Drafted), slices.Compare(a.Refs, b.Refs), strings.Compare(a.ID, b.ID))
	})
	for _, doc := range w.Documents {
		for _, ref := range doc.Refs {
			w.forms[ref] = append(w.forms[ref], doc)
		}
	}
	for _, e := range task.InForce(in.TaskEvents, d) {
		if e.Kind == task.Triggered {
			w.triggered[e.Subject] = true
		}
	}
	w.judge()
	w.tally()
	w.recent()
	return w
}

// recent puts at hand what the ladder asks of the past: other instances of a duty, and the letters of the week.
func (w *world) recent() {
	seen := map[string]bool{}
	for _, r := range slices.Concat(w.Records, w.Final, w.History) {
		if ref := r.Obligation.Ref.String(); r.Obligation.Period != "" && !seen[ref] {
			seen[ref] = true
			d := duty{r.Obligation.TaskID, r.Obligation.Unit}
			w.history[d] = append(w.history[d], r)
		}
	}
	first := w.set.Calendar.WeekStart(w.next)
	for _, l := range w.Week {
		if l.Key.Kind == notice.UnitLetter && l.Key.Date > first && l.Key.Date <= w.d && goes(l.State) {
			w.letterCount[l.Key.Unit]++
		}
	}
}

// judge folds each record as of the day and as of the last digest.
func (w *world) judge() {
	seen := map[string]bool{}
	add := func(records []task.Record, to *[]*item) {
		for _, r := range records {
			if ref := r.Obligation.Ref.String(); r.Obligation.Opened <= w.d && !seen[ref] {
				seen[ref] = true
				*to = append(*to, w.item(r))
			}
		}
		slices.SortFunc(*to, w.inOrder)
	}
	add(w.Records, &w.items)
	add(w.Final, &w.named)
	for _, it := range w.items {
		w.byRow[it.Obligation.TaskID] = append(w.byRow[it.Obligation.TaskID], it)
	}
}

func (w *world) item(r task.Record) *item {
	o := r.Obligation
	r.Events = planner.UpTo(r.Events, w.d) // what counts from a later day is not read
	it := &item{Record: r}
	if it.task, it.inForce = w.row[o.TaskID]; !it.inForce {
		it.task = &task.Task{}
	}
	it.unit, it.known = w.unit[o.Unit]
	if !it.known {
		it.unit = task.Unit{Code: o.Unit, Name: o.Unit}
		if old := lastVersion(w.Directory.Units, o.Unit, w.d); old.Name != "" {
			it.unit.Name = old.Name
		}
	}
	it.chase = strictest(it.task.Chase, it.unit.Chase)
	it.now = task.Fold(o, r.Events, w.d, w.set.Calendar, w.set.Terms)
	if o.Quota > 1 && it.now.State == task.Waiting {
		it.count, it.pace = w.pace(it)
	}
	it.class = w.classOf(it, it.now, w.d)
	if it.had = w.Last != 0 && o.Opened <= w.Last && !w.openedSince(r); it.had {
		it.before = task.Fold(o, w.known(r.Events), w.Last, w.set.Calendar, w.set.Terms)
		old := *it
		old.known = w.unitBefore[o.Unit]
		it.was = w.classOf(&old, it.before, w.Last)
	}
	return it
}

// known are the events that the last digest was written with.
func (w *world) known(events []task.Event) []task.Event {
	if w.LastSeq == 0 || !slices.ContainsFunc(events, func(e task.Event) bool { return e.Seq > w.LastSeq }) {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), func(e task.Event) bool { return e.Seq > w.LastSeq })
}

// fresh reports whether what counts from day on and was recorded with the seq is new since the last digest.
func (w *world) fresh(on civil.Date, seq int64) bool {
	return on <= w.d && (on > w.Last || w.LastSeq != 0 && seq > w.LastSeq)
}

func (w *world) openedSince(r task.Record) bool {
	return w.LastSeq != 0 && slices.ContainsFunc(r.Events, func(e task.Event) bool { return e.Kind == task.Opened && w.fresh(e.On, e.Seq) })
}

// pace returns what was counted by the last month's end, and what should have been.
func (w *world) pace(it *item) (count, pace int) {
	o := it.Obligation
	end := civil.MonthEnd(w.d.Year(), w.d.Month())
	if end > w.d {
		end = civil.Of(w.d.Year(), w.d.Month(), 0)
	}
	if end < o.PaceFrom {
		return it.now.Count, 0
	}
	return task.Fold(o, it.Events, end, w.set.Calendar, w.set.Terms).Count, ladder.PaceAt(o.Quota, o.PaceFrom, it.now.Effective, end)
}

// inOrder sorts items as plans have them.
func (w *world) inOrder(a, b *item) int {
	return cmp.Or(
		cmp.Compare(a.Obligation.Plan, b.Obligation.Plan), cmp.Compare(a.task.Order, b.task.Order),
		strings.Compare(a.Obligation.Row, b.Obligation.Row), cmp.Compare(a.due(), b.due()),
		strings.Compare(a.Obligation.Unit, b.Obligation.Unit), strings.Compare(a.Obligation.Instance, b.Obligation.Instance),
	)
}

// tally sorts what is settled for good into classes. A report that nobody answered was accepted by default by then.
func (w *world) tally() {
	for _, t := range w.Settled {
		if t.Owes != task.OwesDeliver {
			w.support[t.TaskID] += t.N
			continue
		}
		class := Gone
		switch t.State {
		case task.Finished, task.Answered:
			class = Done
		case task.Settled:
			class = Confirmed
		case task.Void:
			class = Waived
		case task.Waiting, task.Dropped, task.Moved:
		}
		if w.tallies[t.TaskID] == nil {
			w.tallies[t.TaskID] = map[Class]int{}
		}
		w.tallies[t.TaskID][class] += t.N
	}
	for _, it := range w.items {
		if !it.delivers() {
			w.support[it.Obligation.TaskID]++
		}
	}
}

// strictest is the stricter of what the row and the unit allow.
func strictest(row, unit task.Chase) task.Chase {
	order := []task.Chase{task.ChaseLetter, task.ChaseCourtesy, task.ChaseManual, task.ChaseNone}
	return order[max(slices.Index(order, row), slices.Index(order, unit), 0)]
}

// lastVersion is the newest version of a unit by day d, removed or not.
func lastVersion(all []task.Unit, code string, d civil.Date) (last task.Unit) {
	for _, u := range all {
		if u.Code == code && u.On <= d && (u.On > last.On || u.On == last.On && u.Seq >= last.Seq) {
			last = u
		}
	}
	return last
}

// silenced returns the silence that lies over the item today.
func (w *world) silenced(it *item) (task.Silence, bool) {
	return task.Silenced(w.silences, it.Obligation.Ref, w.d)
}
