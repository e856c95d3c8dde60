package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// Write writes the batch and returns the jurisdiction's new seq. It returns ErrMoved where the jurisdiction's seq is
// not the one given, and ErrNotFound where there is no such jurisdiction and the batch brings none; a new one has
// seq 0. Any write moves the seq, by one at least.
func (s *Store) Write(ctx context.Context, j string, seq int64, b task.Batch) (int64, error) {
	op := "write to " + j
	w, err := prepare(j, seq, b)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	if err := s.write(ctx, op, func(t *tx) error { return w.apply(ctx, t) }); err != nil {
		return 0, err
	}
	s.mem.moved(j, w.from, w.to, w.refs(), w.hasSources())
	return w.to, nil
}

// refs are those of the obligations that the batch opens or says something about.
func (w *writing) refs() []string {
	var out []string
	for _, o := range w.obligations {
		out = append(out, o.Ref)
	}
	for _, e := range w.events {
		out = append(out, e.Subject)
	}
	return out
}

// hasSources reports whether the batch changes plans, rows, units, people, silences or what happened outside the plans.
func (w *writing) hasSources() bool {
	return len(w.plans)+len(w.tasks)+len(w.units)+len(w.groups)+len(w.people)+len(w.silences)+len(w.occurrences)+len(w.trainings) > 0
}

// writing is a batch in the shape of rows.
type writing struct {
	jurisdiction string
	from, to     int64
	noun         *task.Jurisdiction

	plans       []planRow
	tasks       []taskRow
	units       []unitRow
	aliases     []aliasRow
	members     []memberRow
	contacts    []contactRow
	groups      []groupRow
	people      []personRow
	obligations []obligationRow
	events      []eventRow
	silences    []silenceRow
	occurrences []occurrenceRow
	trainings   []trainingRow
	caches      []task.Cache
	heads, next []taskHead
}

// taskHead is what the database keeps once per task, whatever its versions.
type taskHead struct {
	ID           string `db:"id"`
	Jurisdiction string `db:"jurisdiction"`
	Plan         string `db:"plan"`
	Row          string `db:"row_code"`
	NextOpen     day    `db:"next_open"`
}

func (taskHead) table() string { return "tasks" }

func headOf(id task.TaskID, next civil.Date) taskHead {
	return taskHead{ID: id.String(), Jurisdiction: id.Jurisdiction, Plan: id.Plan, Row: id.Row, NextOpen: day(next)}
}

func prepare(j string, seq int64, b task.Batch) (*writing, error) {
	if err := checkPart("jurisdiction code", j, maxJurisdiction); err != nil {
		return nil, err
	}
	w := &writing{jurisdiction: j, from: seq, to: seq, noun: b.Jurisdiction}
	if b.Jurisdiction != nil && b.Jurisdiction.Code != j {
		return nil, fmt.Errorf("the batch holds jurisdiction %q", b.Jurisdiction.Code)
	}
	for _, f := range []func(task.Batch) error{
		w.addPlans, w.addTasks, w.addDirectory, w.addPeople, w.addObligations, w.addEvents, w.addSilences, w.addOccurrences, w.addTrainings,
		w.addCaches,
	} {
		if err := f(b); err != nil {
			return nil, err
		}
	}
	if w.to == w.from {
		w.to++
	}
	return w, nil
}

// number gives out the next seq. Whatever takes one counts from a day.
func (w *writing) number(what string, on civil.Date) (int64, error) {
	if on.IsZero() {
		return 0, fmt.Errorf("%s counts from no day: its On is empty", what)
	}
	w.to++
	return w.to, nil
}

func (w *writing) addPlans(b task.Batch) error {
	for _, p := range b.Plans {
		if err := errors.Join(checkPart("plan code", p.Code, maxCode), sameJurisdiction(w.jurisdiction, p.Jurisdiction)); err != nil {
			return err
		}
		seq, err := w.number("plan "+p.Code, p.On)
		if err != nil {
			return err
		}
		p.Jurisdiction, p.Seq = w.jurisdiction, seq
		w.plans = append(w.plans, planOf(p))
	}
	return nil
}

func sameJurisdiction(j, named string) error {
	if named != "" && named != j {
		return fmt.Errorf("the batch holds something of jurisdiction %q", named)
	}
	return nil
}

func (w *writing) addTasks(b task.Batch) error {
	heads := map[string]taskHead{}
	for _, v := range b.Tasks {
		if err := checkTask(w.jurisdiction, v.TaskID); err != nil {
			return err
		}
		seq, err := w.number("task "+v.TaskID.String(), v.On)
		if err != nil {
			return err
		}
		v.Seq = seq
		w.tasks = append(w.tasks, taskOf(v))
		h := headOf(v.TaskID, v.On)
		if before, ok := heads[h.ID]; ok {
			h.NextOpen = min(h.NextOpen, before.NextOpen)
		}
		heads[h.ID] = h
	}
	next := map[string]taskHead{}
	for id, d := range b.NextOpen {
		if err := checkTask(w.jurisdiction, id); err != nil {
			return err
		}
		next[id.String()] = headOf(id, d)
	}
	w.heads, w.next = sorted(heads), sorted(next)
	return nil
}

// sorted returns a map's values by key, so that every transaction takes its locks in the same order.
func sorted[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

func (w *writing) addDirectory(b task.Batch) error {
	for _, u := range b.Units {
		if err := checkPart("unit code", u.Code, maxCode); err != nil {
			return err
		}
		seq, err := w.number("unit "+u.Code, u.On)
		if err != nil {
			return err
		}
		u.Seq = seq
		w.units = append(w.units, unitOf(w.jurisdiction, u))
		for i, a := range u.Aliases {
			w.aliases = append(w.aliases, aliasRow{w.jurisdiction, u.Code, seq, i, a})
		}
		for i, g := range u.Groups {
			if err := checkKey("group code", g, maxCode); err != nil {
				return err
			}
			w.members = append(w.members, memberRow{w.jurisdiction, u.Code, seq, i, g})
		}
		for i, c := range u.Contacts {
			w.contacts = append(w.contacts, contactRow{w.jurisdiction, u.Code, seq, i, c.Role, c.Name, c.Email, c.Phone})
		}
	}
	for _, g := range b.Groups {
		if err := checkKey("group code", g.Code, maxCode); err != nil {
			return err
		}
		seq, err := w.number("group "+g.Code, g.On)
		if err != nil {
			return err
		}
		g.Seq = seq
		w.groups = append(w.groups, groupOf(w.jurisdiction, g))
	}
	return nil
}

func (w *writing) addPeople(b task.Batch) error {
	for i, p := range b.People {
		if checkKey("person key", p.Key, maxCode) != nil || p.Unit != "" && checkKey("unit code", p.Unit, maxCode) != nil {
			return fmt.Errorf("person %d of the batch: its key or unit is empty, untrimmed or longer than %d characters", i+1, maxCode)
		}
		seq, err := w.number(fmt.Sprintf("person %d of the batch", i+1), p.On)
		if err != nil {
			return err
		}
		p.Seq = seq
		w.people = append(w.people, personOf(w.jurisdiction, p))
	}
	return nil
}

func (w *writing) addObligations(b task.Batch) error {
	for _, o := range b.Obligations {
		if err := checkRef(w.jurisdiction, o.Ref); err != nil {
			return err
		}
		w.obligations = append(w.obligations, obligationOf(o))
	}
	return nil
}

func (w *writing) addEvents(b task.Batch) error {
	for _, e := range b.Events {
		if err := errors.Join(sameJurisdiction(w.jurisdiction, e.Jurisdiction), checkSubject(w.jurisdiction, e.Subject)); err != nil {
			return fmt.Errorf("event %s: %w", e.Kind, err)
		}
		if b.At.IsZero() {
			return errors.New("the batch holds events but not the instant of their recording: At is empty")
		}
		seq, err := w.number(fmt.Sprintf("event %s of %s", e.Kind, e.Subject), e.On)
		if err != nil {
			return err
		}
		e.Jurisdiction, e.Seq, e.At = w.jurisdiction, seq, b.At
		w.events = append(w.events, eventOf(e))
	}
	return nil
}

// checkSubject wants the name of an obligation or of a task of the jurisdiction.
func checkSubject(j, subject string) error {
	if strings.Count(subject, "/") == 2 {
		id, err := task.ParseTaskID(subject)
		if err != nil {
			return err
		}
		return checkTask(j, id)
	}
	ref, err := task.ParseRef(subject)
	if err != nil {
		return err
	}
	return checkRef(j, ref)
}

func (w *writing) addCaches(b task.Batch) (err error) {
	w.caches, err = lastCaches(w.jurisdiction, b.Caches)
	return err
}

// lastCaches keeps the last cache of each ref, by ref.
func lastCaches(j string, caches []task.Cache) ([]task.Cache, error) {
	byRef := map[string]task.Cache{}
	for _, c := range caches {
		if !strings.HasPrefix(c.Ref, j+"/") {
			return nil, fmt.Errorf("obligation %q is not of %s", c.Ref, j)
		}
		byRef[c.Ref] = c
	}
	return sorted(byRef), nil
}

// apply writes the rows, the seq first: from then on no other write to the jurisdiction comes between.
func (w *writing) apply(ctx context.Context, t *tx) error {
	for _, f := range []func() error{
		func() error { return w.advance(ctx, t) },
		func() error { return t.note(ctx, w.jurisdiction, w.to) },
		func() error { return insert(ctx, t, w.plans) },
		func() error { return insert(ctx, t, w.tasks) },
		func() error { return insert(ctx, t, w.units) },
		func() error { return insert(ctx, t, w.aliases) },
		func() error { return insert(ctx, t, w.members) },
		func() error { return insert(ctx, t, w.contacts) },
		func() error { return insert(ctx, t, w.groups) },
		func() error { return insert(ctx, t, w.people) },
		func() error { return insert(ctx, t, w.obligations) },
		func() error { return insert(ctx, t, w.events) },
		func() error { return insert(ctx, t, w.silences) },
		func() error { return insert(ctx, t, w.occurrences) },
		func() error { return insert(ctx, t, w.trainings) },
		func() error { return w.raiseHeads(ctx, t) },
		func() error { return setCaches(ctx, t, w.caches) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) advance(ctx context.Context, t *tx) error {
	n, err := t.exec(ctx, "UPDATE jurisdictions SET seq = ? WHERE code = ? AND seq = ?", w.to, w.jurisdiction, w.from)
	if err != nil {
		return err
	}
	if n == 0 {
		var known int
		if err := t.GetContext(ctx, &known, "SELECT count(*) FROM jurisdictions WHERE code = ?", w.jurisdiction); err != nil {
			return err
		}
		return w.create(ctx, t, known > 0)
	}
	if w.noun == nil {
		return nil
	}
	r := jurisdictionOf(*w.noun, w.to)
	_, err = t.exec(ctx, "UPDATE jurisdictions SET name = ?, bureau = ?, live_from = ?, caches = ?, paused = ? WHERE code = ?",
		r.Name, r.Bureau, r.LiveFrom, r.Caches, r.Paused, r.Code)
	return err
}

// create answers a seq that was not found: moved, unknown, or a jurisdiction to be made.
func (w *writing) create(ctx context.Context, t *tx, known bool) error {
	switch {
	case known:
		return fmt.Errorf("%w (read at seq %d)", ErrMoved, w.from)
	case w.noun == nil || w.from != 0:
		return fmt.Errorf("jurisdiction %s: %w", w.jurisdiction, ErrNotFound)
	}
	err := insert(ctx, t, []jurisdictionRow{jurisdictionOf(*w.noun, w.to)})
	if t.d.fault(err) == faultExists {
		return fmt.Errorf("%w: another writer made it", ErrMoved)
	}
	return err
}

// raiseHeads keeps the tasks' own rows: the tail's first form lowers next_open to a new version's day, the second
// sets what the caller worked out.
func (w *writing) raiseHeads(ctx context.Context, t *tx) error {
	in := t.d.incoming("next_open")
	lower := t.d.upsert("id") + " next_open = CASE WHEN tasks.next_open < " + in + " THEN tasks.next_open ELSE " + in + " END"
	if err := insertOr(ctx, t, w.heads, lower); err != nil {
		return err
	}
	changes := make([]change, len(w.next))
	for i, h := range w.next {
		changes[i] = change{h.ID, []any{h.NextOpen}}
	}
	return update(ctx, t, "tasks", "id", []string{"next_open"}, changes)
}

// cacheColumns are the columns of an obligation that repeat its fold, in the order of cacheValues.
var cacheColumns = [...]string{"state", "arm", "now_nominal", "now_effective", "now_assess", "next_look", "closed_from", "raised", "final_from"}

// setCaches writes the cached columns that are not so already: most of what is looked at on a day stays as it is, and six
// indexes would be written for nothing.
func setCaches(ctx context.Context, t *tx, caches []task.Cache) error {
	refs := make([]string, len(caches))
	for i, c := range caches {
		refs[i] = c.Ref
	}
	rows, err := queryIn[cacheRow](ctx, t, "WHERE ref IN (%s)", nil, refs)
	if err != nil {
		return err
	}
	stored := make(map[string]task.Cache, len(rows))
	for _, r := range rows {
		stored[r.Ref] = r.noun()
	}
	var changes []change
	for _, c := range caches {
		if is, ok := stored[c.Ref]; !ok || is != c {
			changes = append(changes, change{c.Ref, []any{string(c.State), c.Arm, day(c.Nominal), day(c.Effective), day(c.Assess),
				day(c.NextLook), day(c.ClosedFrom), day(c.Raised), day(c.FinalFrom)}})
		}
	}
	return update(ctx, t, "obligations", "ref", cacheColumns[:], changes)
}

// byRecording orders events as they were recorded.
func byRecording(a, b task.Event) int { return cmp.Compare(a.Seq, b.Seq) }
