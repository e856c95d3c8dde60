package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
)

type obligationRow struct {
	Ref          string    `db:"ref"`
	Jurisdiction string    `db:"jurisdiction"`
	Plan         string    `db:"plan"`
	Row          string    `db:"row_code"`
	Unit         string    `db:"unit"`
	Instance     string    `db:"instance"`
	Kind         task.Kind `db:"kind"`
	Role         task.Role `db:"role"`
	Owes         task.Owes `db:"owes"`
	Label        string    `db:"label"`
	Period       string    `db:"period"`
	Opened       day       `db:"opened"`
	Nominal      day       `db:"nominal"`
	Effective    day       `db:"effective"`
	Assess       day       `db:"assess"`
	Quota        int       `db:"quota"`
	PaceFrom     day       `db:"pace_from"`
	PastAtIssue  bool      `db:"past_at_issue"`
	Inherited    bool      `db:"inherited"`
	Ambiguous    bool      `db:"ambiguous"`
	Provisional  bool      `db:"provisional"`

	// The cached columns; see task.Cache.
	State        task.State `db:"state"`
	Arm          int        `db:"arm"`
	NowNominal   day        `db:"now_nominal"`
	NowEffective day        `db:"now_effective"`
	NowAssess    day        `db:"now_assess"`
	NextLook     day        `db:"next_look"`
	ClosedFrom   day        `db:"closed_from"`
	Raised       day        `db:"raised"`
	FinalFrom    day        `db:"final_from"`

	HasHolds bool `db:"has_holds"` // there are rows of it in holds
}

func (obligationRow) table() string { return "obligations" }

// obligationOf returns a new obligation's row. Its cached columns say: waits, and is looked at from its first day.
func obligationOf(o task.Obligation) obligationRow {
	return obligationRow{
		Ref: o.Ref.String(), Jurisdiction: o.Jurisdiction, Plan: o.Plan, Row: o.Row, Unit: o.Unit, Instance: o.Instance,
		Kind: o.Kind, Role: o.Role, Owes: o.Owes, Label: o.Label, Period: o.Period, Opened: day(o.Opened),
		Nominal: day(o.Nominal), Effective: day(o.Effective), Assess: day(o.Assess), Quota: o.Quota, PaceFrom: day(o.PaceFrom),
		PastAtIssue: o.PastAtIssue, Inherited: o.Inherited, Ambiguous: o.Ambiguous, Provisional: o.Provisional,
		State: task.Waiting, NowNominal: day(o.Nominal), NowEffective: day(o.Effective), NowAssess: day(o.Assess),
		NextLook: day(o.Opened), ClosedFrom: day(civil.Never), Raised: day(civil.Never),
		FinalFrom: day(civil.Never),
	}
}

// factRow is an obligation as it was opened, without the cached columns, and whether there are rows of it in holds.
type factRow struct {
	Ref         string    `db:"ref"`
	Kind        task.Kind `db:"kind"`
	Role        task.Role `db:"role"`
	Owes        task.Owes `db:"owes"`
	Label       string    `db:"label"`
	Period      string    `db:"period"`
	Opened      day       `db:"opened"`
	Nominal     day       `db:"nominal"`
	Effective   day       `db:"effective"`
	Assess      day       `db:"assess"`
	Quota       int       `db:"quota"`
	PaceFrom    day       `db:"pace_from"`
	PastAtIssue bool      `db:"past_at_issue"`
	Inherited   bool      `db:"inherited"`
	Ambiguous   bool      `db:"ambiguous"`
	Provisional bool      `db:"provisional"`
	HasHolds    bool      `db:"has_holds"`
}

func (factRow) table() string { return "obligations" }

func (r *factRow) dest() []any {
	return []any{
		&r.Ref, (*string)(&r.Kind), (*string)(&r.Role), (*string)(&r.Owes), &r.Label, &r.Period, &r.Opened, &r.Nominal, &r.Effective, &r.Assess,
		&r.Quota, &r.PaceFrom, &r.PastAtIssue, &r.Inherited, &r.Ambiguous, &r.Provisional, &r.HasHolds,
	}
}

// noun returns the obligation; what it is called is said in its ref.
func (r factRow) noun() (task.Obligation, error) {
	ref, err := task.ParseRef(r.Ref)
	return task.Obligation{
		Ref: ref, Kind: r.Kind, Role: r.Role, Owes: r.Owes, Label: r.Label, Period: r.Period, Opened: civil.Date(r.Opened),
		Nominal: civil.Date(r.Nominal), Effective: civil.Date(r.Effective), Assess: civil.Date(r.Assess),
		Quota: r.Quota, PaceFrom: civil.Date(r.PaceFrom), PastAtIssue: r.PastAtIssue, Inherited: r.Inherited,
		Ambiguous: r.Ambiguous, Provisional: r.Provisional,
	}, err
}

// cacheRow is the cached columns of an obligation.
type cacheRow struct {
	Ref          string     `db:"ref"`
	State        task.State `db:"state"`
	Arm          int        `db:"arm"`
	NowNominal   day        `db:"now_nominal"`
	NowEffective day        `db:"now_effective"`
	NowAssess    day        `db:"now_assess"`
	NextLook     day        `db:"next_look"`
	ClosedFrom   day        `db:"closed_from"`
	Raised       day        `db:"raised"`
	FinalFrom    day        `db:"final_from"`
}

func (cacheRow) table() string { return "obligations" }

func (r *cacheRow) dest() []any {
	return []any{
		&r.Ref, (*string)(&r.State), &r.Arm, &r.NowNominal, &r.NowEffective, &r.NowAssess, &r.NextLook, &r.ClosedFrom, &r.Raised, &r.FinalFrom,
	}
}

func (r cacheRow) noun() task.Cache {
	return task.Cache{Ref: r.Ref, State: r.State, Arm: r.Arm, Nominal: civil.Date(r.NowNominal),
		Effective: civil.Date(r.NowEffective), Assess: civil.Date(r.NowAssess), NextLook: civil.Date(r.NextLook),
		ClosedFrom: civil.Date(r.ClosedFrom), Raised: civil.Date(r.Raised), FinalFrom: civil.Date(r.FinalFrom)}
}

type eventRow struct {
	Jurisdiction string         `db:"jurisdiction"`
	Seq          int64          `db:"seq"`
	On           day            `db:"on_date"`
	At           stamp          `db:"recorded_at"`
	Kind         task.EventKind `db:"kind"`
	Subject      string         `db:"subject"`
	Who          string         `db:"who"`
	Why          string         `db:"why"`
	Date         day            `db:"new_date"`
	N            int            `db:"n"`
	Ref          string         `db:"ref"`
	Unit         string         `db:"unit"`
	Voids        int64          `db:"voids"`

	Figures maybe[map[string]int64] `db:"figures"`
	Nil     bool                    `db:"is_nil"`
}

func (eventRow) table() string { return "events" }

func (r *eventRow) dest() []any {
	return []any{
		&r.Jurisdiction, &r.Seq, &r.On, &r.At, (*string)(&r.Kind), &r.Subject, &r.Who, &r.Why, &r.Date, &r.N, &r.Ref, &r.Unit, &r.Voids, &r.Figures,
		&r.Nil,
	}
}

func eventOf(e task.Event) eventRow {
	return eventRow{e.Jurisdiction, e.Seq, day(e.On), at(e.At), e.Kind, e.Subject, e.Who, e.Why, day(e.Date), e.N, e.Ref, e.Unit, e.Voids,
		maybe[map[string]int64]{e.Figures}, e.Nil}
}

func (r eventRow) noun() task.Event {
	return task.Event{Jurisdiction: r.Jurisdiction, Seq: r.Seq, On: civil.Date(r.On), At: r.At.Time, Kind: r.Kind,
		Subject: r.Subject, Who: r.Who, Why: r.Why, Date: civil.Date(r.Date), N: r.N, Ref: r.Ref, Unit: r.Unit, Voids: r.Voids,
		Figures: r.Figures.V, Nil: r.Nil}
}

type stepRow struct {
	Jurisdiction string    `db:"jurisdiction"`
	Obligation   string    `db:"obligation"`
	Arm          int       `db:"arm"`
	Step         string    `db:"step"`
	N            int       `db:"n"`
	Role         task.Role `db:"role"`
	On           day       `db:"on_date"`
	Notice       string    `db:"notice"`
	Passed       string    `db:"passed"`
	Seq          int64     `db:"seq"` // after the plan
}

func (stepRow) table() string { return "steps" }

func (r *stepRow) dest() []any {
	return []any{&r.Jurisdiction, &r.Obligation, &r.Arm, &r.Step, &r.N, (*string)(&r.Role), &r.On, &r.Notice, &r.Passed, &r.Seq}
}

func (r stepRow) noun() task.FiredStep {
	return task.FiredStep{Obligation: r.Obligation, Arm: r.Arm, Step: r.Step, N: r.N, Role: r.Role,
		On: civil.Date(r.On), Notice: r.Notice, Passed: r.Passed, Seq: r.Seq}
}

// byArm orders the steps of one obligation as they were fired.
func byArm(a, b task.FiredStep) int {
	return cmp.Or(cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.On, b.On), cmp.Compare(a.Step, b.Step), cmp.Compare(a.N, b.N), cmp.Compare(a.Role, b.Role))
}

// recordsOf loads obligations with their events (in order of recording), steps (in order of firing) and holds (in the order
// of their days), in the order of the refs: three queries for every maxIn refs, however much there is to each, and one
// more where there are holds.
func recordsOf(ctx context.Context, t *tx, refs []string) ([]task.Record, error) {
	place := make(map[string]int, len(refs))
	for i, ref := range refs {
		place[ref] = i
	}
	out := make([]task.Record, len(refs))
	held, j, err := factsOf(ctx, t, refs, place, out)
	if err != nil || j == "" {
		return out, err
	}
	if err := eachIn(ctx, t, eventsTail(t.d), []any{j}, refs, func(e eventRow) {
		r := &out[place[e.Subject]]
		r.Events = append(r.Events, e.noun())
	}); err != nil {
		return nil, err
	}
	if err := eachIn(ctx, t, "WHERE obligation IN (%s)", nil, refs, func(s stepRow) {
		r := &out[place[s.Obligation]]
		r.Steps = append(r.Steps, s.noun())
	}); err != nil {
		return nil, err
	}
	for i := range out { // a few each, where an engine would sort them all together
		slices.SortFunc(out[i].Events, byRecording)
		slices.SortFunc(out[i].Steps, byArm)
	}
	holds, err := queryIn[holdRow](ctx, t, "WHERE obligation IN (%s) ORDER BY obligation, on_date, seq, pos", nil, held)
	for _, h := range holds {
		r := &out[place[h.Obligation]]
		r.Holds = append(r.Holds, h.noun())
	}
	return out, err
}

// factsOf puts the obligations in their places, and returns the refs of those that have holds and the jurisdiction of them all;
// none where nothing was found.
func factsOf(ctx context.Context, t *tx, refs []string, place map[string]int, out []task.Record) (held []string, j string, err error) {
	var bad error
	err = eachIn(ctx, t, "WHERE ref IN (%s)", nil, refs, func(r factRow) {
		o, err := r.noun()
		if err != nil {
			bad = err
		}
		out[place[r.Ref]].Obligation, j = o, o.Jurisdiction
		if r.HasHolds {
			held = append(held, r.Ref)
		}
	})
	return held, j, cmp.Or(err, bad)
}

// eventsOf returns the events of one jurisdiction's subjects in order of recording. They are sorted here: asked to sort,
// an engine may walk all the jurisdiction's events in order rather than search the index.
func eventsOf(ctx context.Context, t *tx, jurisdiction []any, subjects []string) ([]task.Event, error) {
	rows, err := queryIn[eventRow](ctx, t, eventsTail(t.d), jurisdiction, subjects)
	events := nouns(rows)
	slices.SortFunc(events, byRecording)
	return events, err
}

func eventsTail(d *dialect) string {
	return d.by("events_subject") + " WHERE jurisdiction = ? AND subject IN (%s)"
}

// recordsWhere loads the obligations of one jurisdiction that a condition names. Their refs come first, from an index
// alone where there is one; the rows only of those that are wanted.
func (s *Store) recordsWhere(ctx context.Context, op, tail string, args ...any) (out []task.Record, err error) {
	err = s.read(ctx, op, func(t *tx) error {
		refs, err := t.words(ctx, "SELECT ref FROM obligations "+tail, args...)
		if err != nil {
			return err
		}
		out, err = records(ctx, t, refs)
		return err
	})
	return out, err
}

// TasksToOpen returns the tasks whose next_open is on or before d, by plan and row code.
func (s *Store) TasksToOpen(ctx context.Context, j string, d civil.Date) (out []task.TaskID, err error) {
	err = s.read(ctx, "read tasks to open of "+j, func(t *tx) error {
		rows, err := query[taskHead](ctx, t, "WHERE jurisdiction = ? AND next_open <= ? ORDER BY plan, row_code", j, day(d))
		out = nil
		for _, r := range rows {
			out = append(out, task.TaskID{Jurisdiction: r.Jurisdiction, Plan: r.Plan, Row: r.Row})
		}
		return err
	})
	return out, err
}

// Instances returns the obligations of these tasks with their events and steps, by plan and ref.
func (s *Store) Instances(ctx context.Context, j string, ids []task.TaskID) (out []task.Record, err error) {
	plans, err := byPlan(j, ids)
	if err != nil {
		return nil, fmt.Errorf("read instances: %w", err)
	}
	err = s.read(ctx, "read instances of "+j, func(t *tx) error {
		refs, err := refsOfTasks(ctx, t, j, plans, "", nil)
		if err != nil {
			return err
		}
		out, err = records(ctx, t, refs)
		return err
	})
	return out, err
}

// Opened returns the refs of the obligations that these tasks have opened, by plan and ref: Instances without what
// happened to them.
func (s *Store) Opened(ctx context.Context, j string, ids []task.TaskID) (out []string, err error) {
	plans, err := byPlan(j, ids)
	if err != nil {
		return nil, fmt.Errorf("read what is opened: %w", err)
	}
	err = s.read(ctx, "read what is opened in "+j, func(t *tx) error {
		out, err = refsOfTasks(ctx, t, j, plans, "", nil)
		return err
	})
	return out, err
}

// The further conditions on tasks' obligations: judged on or after a day; to be delivered and open on a day.
const (
	ofLate    = " AND now_assess >= ?"
	toDeliver = " AND closed_from > ? AND owes = ?"
)

// Lately returns the obligations of these tasks that are judged on or after the day, by what their events have come to,
// with their events and steps, by plan and ref. However long a duty has gone on, its last months are as few.
func (s *Store) Lately(ctx context.Context, j string, since civil.Date, ids []task.TaskID) (out []task.Record, err error) {
	plans, err := byPlan(j, ids)
	if err != nil {
		return nil, fmt.Errorf("read what was due of late: %w", err)
	}
	err = s.read(ctx, "read what was due of late in "+j, func(t *tx) error {
		refs, err := refsOfTasks(ctx, t, j, plans, ofLate, []any{day(since)})
		if err != nil {
			return err
		}
		out, err = records(ctx, t, refs)
		return err
	})
	return out, err
}

// ofTasks is the query for the refs of so many rows of a plan, by an index that holds all of the further condition.
func ofTasks(d *dialect, rows int, and string) string {
	index := "obligations_task"
	if and == ofLate {
		index = "obligations_recent"
	}
	return "SELECT ref FROM obligations " + d.by(index) + " WHERE jurisdiction = ? AND plan = ? AND row_code IN (" + marks(rows) + ")" + and
}

// refsOfTasks returns the refs of the tasks' obligations that meet a further condition, by plan and ref.
func refsOfTasks(ctx context.Context, t *tx, j string, plans []planTasks, and string, args []any) ([]string, error) {
	var out []string
	for _, p := range plans {
		start := len(out)
		for piece := range slices.Chunk(p.rows, maxIn) {
			piece = filled(t, piece)
			var refs []string
			if err := t.SelectContext(ctx, &refs, ofTasks(t.d, len(piece), and), slices.Concat([]any{j, p.code}, anys(piece), args)...); err != nil {
				return nil, err
			}
			out = append(out, refs...)
		}
		slices.Sort(out[start:])
	}
	return out, nil
}

// dueTail is the condition of Due. The index holds all of it, so what is not due costs nothing.
func dueTail(d *dialect, limit int) string {
	return d.by("obligations_look") + " WHERE jurisdiction = ? AND next_look <= ? AND closed_from > ? AND ref > ? ORDER BY ref" + limited(limit)
}

func limited(limit int) string {
	if limit <= 0 {
		return ""
	}
	return fmt.Sprintf(" LIMIT %d", limit)
}

// Due returns a page of the obligations that a job could have something to say about on day d: next_look on or before
// d, closed after it, ref after the one given, by ref. A limit of 0 means all.
func (s *Store) Due(ctx context.Context, j string, d civil.Date, after string, limit int) ([]task.Record, error) {
	return s.recordsWhere(ctx, "read what is due in "+j, dueTail(s.d, limit), j, day(d), day(d), after)
}

// raisedQuery asks for what is open for good and for what closes after the day apart, so that the index, whose last
// column is raised, also passes by what is open and was never spoken of: most of a register.
func raisedQuery(d *dialect, units int) string {
	of := "SELECT ref FROM obligations " + d.by("obligations_unit") + " WHERE jurisdiction = ? AND unit IN (" + marks(units) + ")"
	return of + " AND closed_from = ? AND raised <= ? UNION ALL " + of + " AND closed_from > ? AND closed_from < ? AND raised <= ?"
}

func raisedArgs(j string, d civil.Date, units []string) []any {
	of := append([]any{j}, anys(units)...)
	never := day(civil.Never)
	return slices.Concat(of, []any{never, day(d)}, of, []any{day(d), never, day(d)})
}

// Raised returns the obligations of these units that were spoken of by day d and are open on it, by ref.
func (s *Store) Raised(ctx context.Context, j string, d civil.Date, units []string) (out []task.Record, err error) {
	units = slices.Compact(slices.Sorted(slices.Values(units)))
	err = s.read(ctx, "read what is raised in "+j, func(t *tx) error {
		var refs []string
		for piece := range slices.Chunk(units, maxIn) {
			piece = filled(t, piece)
			var got []string
			if err := t.SelectContext(ctx, &got, raisedQuery(s.d, len(piece)), raisedArgs(j, d, piece)...); err != nil {
				return err
			}
			refs = append(refs, got...)
		}
		slices.Sort(refs)
		out, err = records(ctx, t, refs)
		return err
	})
	return out, err
}

// Waiting returns the refs of what is to be delivered for these tasks and is not closed for good by day d, by plan and ref: what
// is open on it, and what will be open again after it by an event that is in the register already.
func (s *Store) Waiting(ctx context.Context, j string, d civil.Date, ids []task.TaskID) (out []task.Ref, err error) {
	plans, err := byPlan(j, ids)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	err = s.read(ctx, "read what waits in "+j, func(t *tx) error {
		refs, err := refsOfTasks(ctx, t, j, plans, toDeliver, []any{day(d), string(task.OwesDeliver)})
		if err != nil {
			return err
		}
		out = nil
		for _, s := range refs {
			ref, err := task.ParseRef(s)
			if err != nil {
				return err
			}
			out = append(out, ref)
		}
		return nil
	})
	return out, err
}

// where collects conditions that hold together.
type where struct {
	conds []string
	args  []any
}

func (w *where) and(cond string, args ...any) {
	w.conds = append(w.conds, cond)
	w.args = append(w.args, args...)
}

// equal adds a condition where the value is not empty.
func (w *where) equal(column, value string) {
	if value != "" {
		w.and(column+" = ?", value)
	}
}

func (w *where) String() string {
	if len(w.conds) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conds, " AND ")
}

// Records returns the jurisdiction's obligations that the filter lets through, by ref.
func (s *Store) Records(ctx context.Context, j string, f task.RecordFilter) ([]task.Record, error) {
	var w where
	w.and("jurisdiction = ?", j)
	w.equal("plan", f.Plan)
	w.equal("row_code", f.Row)
	w.equal("unit", f.Unit)
	w.equal("kind", string(f.Kind))
	w.equal("state", string(f.State))
	if f.After != "" {
		w.and("ref > ?", f.After)
	}
	return s.recordsWhere(ctx, "read obligations of "+j, w.String()+" ORDER BY ref"+limited(f.Limit), w.args...)
}

// Record returns one obligation, or ErrNotFound.
func (s *Store) Record(ctx context.Context, ref task.Ref) (task.Record, error) {
	op := "read obligation " + ref.String()
	out, err := s.recordsWhere(ctx, op, "WHERE ref = ?", ref.String())
	if err != nil {
		return task.Record{}, err
	}
	if len(out) == 0 || out[0].Obligation.Ref != ref {
		return task.Record{}, fmt.Errorf("%s: %w", op, ErrNotFound)
	}
	return out[0], nil
}

// Caches returns the cached columns of all the jurisdiction's obligations as they are stored, by ref.
func (s *Store) Caches(ctx context.Context, j string) (out []task.Cache, err error) {
	err = s.read(ctx, "read cached columns of "+j, func(t *tx) error {
		rows, err := query[cacheRow](ctx, t, "WHERE jurisdiction = ? ORDER BY ref", j)
		out = nouns(rows)
		return err
	})
	return out, err
}

// TaskEvents returns the events whose subject is one of these tasks, in order of recording.
func (s *Store) TaskEvents(ctx context.Context, j string, ids []task.TaskID) (out []task.Event, err error) {
	subjects := make([]string, len(ids))
	for i, id := range ids {
		if id.Jurisdiction != j {
			return nil, fmt.Errorf("read task events: task %s is not of %s", id, j)
		}
		subjects[i] = id.String()
	}
	slices.Sort(subjects)
	subjects = slices.Compact(subjects)
	err = s.read(ctx, "read task events of "+j, func(t *tx) error {
		out, err = eventsOf(ctx, t, []any{j}, subjects)
		return err
	})
	return out, err
}

// RecordsOf returns the jurisdiction's obligations with these refs, each with its events and steps, by ref. A ref that
// names none is passed over.
func (s *Store) RecordsOf(ctx context.Context, j string, refs []string) (out []task.Record, err error) {
	asked := slices.Compact(slices.Sorted(slices.Values(refs)))
	asked = slices.DeleteFunc(asked, func(ref string) bool { return !strings.HasPrefix(ref, j+"/") })
	err = s.read(ctx, "read obligations of "+j, func(t *tx) error {
		var known []string
		for piece := range slices.Chunk(asked, maxIn) {
			piece = filled(t, piece)
			got, err := t.words(ctx, knownQuery(len(piece)), anys(piece)...)
			if err != nil {
				return err
			}
			known = append(known, got...)
		}
		slices.Sort(known)
		out, err = records(ctx, t, known)
		return err
	})
	return out, err
}

// knownQuery names no jurisdiction, which each ref begins with: asked for that as well, an engine walks an index of all the
// jurisdiction's obligations rather than look up these few.
func knownQuery(refs int) string {
	return "SELECT ref FROM obligations WHERE ref IN (" + marks(refs) + ")"
}

// Touched returns the subjects, each once and in order, of the jurisdiction's events that were recorded after the seq and count
// from day by or an earlier one.
func (s *Store) Touched(ctx context.Context, j string, since int64, by civil.Date) (out []string, err error) {
	err = s.read(ctx, "read what was touched in "+j, func(t *tx) error {
		out = nil
		err := t.SelectContext(ctx, &out, "SELECT DISTINCT subject FROM events WHERE jurisdiction = ? AND seq > ? AND on_date <= ?", j, since, until(by))
		slices.Sort(out)
		return err
	})
	return out, err
}
