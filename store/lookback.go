package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// since is a day from which on something is asked for; none: from the beginning.
func since(d civil.Date) day {
	if d.IsZero() {
		return day(civil.Of(1000, 1, 1))
	}
	return day(d)
}

// until is a day up to which something is asked for; none: to the end.
func until(d civil.Date) day {
	if d.IsZero() {
		return day(civil.Never)
	}
	return day(d)
}

// refsWhere loads the obligations whose refs the query names, by ref.
func (s *Store) refsWhere(ctx context.Context, op, q string, args ...any) (out []task.Record, err error) {
	err = s.read(ctx, op, func(t *tx) error {
		refs, err := t.words(ctx, q, args...)
		if err != nil {
			return err
		}
		slices.Sort(refs)
		out, err = records(ctx, t, refs)
		return err
	})
	return out, err
}

// unsettledQuery asks for what has no column yet apart: it is the other end of the index.
func unsettledQuery(d *dialect) string {
	of := "SELECT ref FROM obligations " + d.by("obligations_final") + " WHERE jurisdiction = ? AND final_from "
	return of + "> ? UNION ALL " + of + "IS NULL"
}

// Unsettled returns the jurisdiction's obligations about which something could still change on or after the day, or did,
// without a new event, by ref: those whose final_from is later, or not known. What was settled before costs nothing.
func (s *Store) Unsettled(ctx context.Context, j string, from civil.Date) ([]task.Record, error) {
	return s.refsWhere(ctx, "read what is not settled in "+j, unsettledQuery(s.d), j, since(from), j)
}

// dailyQuery counts in the index's own order, day by day: no engine has to sort all that it counts.
func dailyQuery(d *dialect) string {
	return "SELECT plan, row_code, role, owes, state, count(*) AS n FROM obligations " + d.by("obligations_final") +
		" WHERE jurisdiction = ? AND final_from <= ? GROUP BY final_from, plan, row_code, role, owes, state"
}

func settledQuery(d *dialect) string {
	return "SELECT plan, row_code, role, owes, state, SUM(n) AS n FROM (" + dailyQuery(d) + ") AS daily GROUP BY plan, row_code, role, owes, state"
}

// Settled counts the jurisdiction's obligations that Unsettled leaves out, by row, role, what is owed and state, in that
// order. A report that nobody answered is accepted by then, so its obligation is done. It reads an index alone, but all
// of it.
func (s *Store) Settled(ctx context.Context, j string, by civil.Date) (out []task.Tally, err error) {
	err = s.read(ctx, "count what is settled in "+j, func(t *tx) error {
		counts := map[task.Tally]int{}
		of, n := task.Tally{TaskID: task.TaskID{Jurisdiction: j}}, 0
		dest := []any{&of.TaskID.Plan, &of.TaskID.Row, (*string)(&of.Role), (*string)(&of.Owes), (*string)(&of.State), &n}
		if err := t.each(ctx, settledQuery(t.d), []any{j, since(by)}, dest, func() {
			if of.State == task.Answered {
				of.State = task.Finished
			}
			counts[of] += n
		}); err != nil {
			return err
		}
		out = nil
		for tally, n := range counts {
			tally.N = n
			out = append(out, tally)
		}
		slices.SortFunc(out, byTally)
		return nil
	})
	return out, err
}

func byTally(a, b task.Tally) int {
	return cmp.Or(cmp.Compare(a.TaskID.Plan, b.TaskID.Plan), cmp.Compare(a.TaskID.Row, b.TaskID.Row), cmp.Compare(a.Role, b.Role),
		cmp.Compare(a.Owes, b.Owes), cmp.Compare(a.State, b.State))
}

// ofKinds narrows a query to obligations of some kinds; none named: all.
func (w *where) ofKinds(kinds []task.Kind) {
	if len(kinds) == 0 {
		return
	}
	args := make([]any, len(kinds))
	for i, k := range kinds {
		args[i] = string(k)
	}
	w.and("kind IN ("+marks(len(kinds))+")", args...)
}

// dueInQuery asks for each date by its index.
func dueInQuery(d *dialect, j string, kinds []task.Kind, from, to civil.Date) (q string, args []any) {
	for _, of := range []struct{ column, index string }{{"effective", "obligations_due"}, {"now_effective", "obligations_due_now"}} {
		var w where
		w.and("jurisdiction = ?", j)
		w.between(of.column, from, to)
		w.ofKinds(kinds)
		if q != "" {
			q += " UNION "
		}
		q += "SELECT ref FROM obligations " + d.by(of.index) + " " + w.String()
		args = append(args, w.args...)
	}
	return q, args
}

// DueIn returns the jurisdiction's obligations of these kinds, or of all where none is named, that were due between the two
// days, both included, when they were opened, or are by what their events have come to, by ref.
func (s *Store) DueIn(ctx context.Context, j string, kinds []task.Kind, from, to civil.Date) ([]task.Record, error) {
	q, args := dueInQuery(s.d, j, kinds, from, to)
	return s.refsWhere(ctx, "read what falls due in "+j, q, args...)
}

// periodsWhere is what an item to be delivered has to be to make its instance fall due from the first day on.
func periodsWhere(j string, kinds []task.Kind, from civil.Date) (w where) {
	w.and("jurisdiction = ?", j)
	w.and("effective >= ?", since(from))
	w.and("owes = ?", string(task.OwesDeliver))
	w.and("past_at_issue = FALSE")
	w.and("inherited = FALSE")
	w.ofKinds(kinds)
	return w
}

// anyPeriodQuery asks whether anything falls due in the window, and reads no further than it.
func anyPeriodQuery(d *dialect, j string, kinds []task.Kind, from, to civil.Date) (string, []any) {
	w := periodsWhere(j, kinds, from)
	w.and("effective <= ?", until(to))
	return "SELECT instance FROM obligations " + d.by("obligations_due") + " " + w.String() + " LIMIT 1", w.args
}

// periodsQuery looks at all that falls due from the first day on, so that an instance with one unit's date in the window
// and another's behind it is known to end behind it.
func periodsQuery(d *dialect, j string, kinds []task.Kind, from, to civil.Date) (string, []any) {
	w := periodsWhere(j, kinds, from)
	return "SELECT plan, row_code, kind, instance, MAX(effective) AS due FROM obligations " + d.by("obligations_due") + " " + w.String() +
		" GROUP BY plan, row_code, kind, instance HAVING MAX(effective) <= ?", append(w.args, until(to))
}

// PeriodsDue returns the instances of the jurisdiction's duties of these kinds, or of all where none is named, whose last
// date falls between the two days, both included, by that date, plan, row and instance. Dates are those the items to be
// delivered were opened with; what was past at issue, or inherited, is left out.
func (s *Store) PeriodsDue(ctx context.Context, j string, kinds []task.Kind, from, to civil.Date) (out []task.PeriodDue, err error) {
	probe, probeArgs := anyPeriodQuery(s.d, j, kinds, from, to)
	q, args := periodsQuery(s.d, j, kinds, from, to)
	err = s.read(ctx, "read which periods fall due in "+j, func(t *tx) error {
		// On most days nothing does, and what falls due later may be most of the register.
		if found, err := t.words(ctx, probe, probeArgs...); err != nil || len(found) == 0 {
			out = nil
			return err
		}
		var rows []struct {
			Plan     string    `db:"plan"`
			Row      string    `db:"row_code"`
			Kind     task.Kind `db:"kind"`
			Instance string    `db:"instance"`
			Due      day       `db:"due"`
		}
		err := t.SelectContext(ctx, &rows, q, args...)
		out = nil
		for _, r := range rows {
			id := task.TaskID{Jurisdiction: j, Plan: r.Plan, Row: r.Row}
			out = append(out, task.PeriodDue{TaskID: id, Kind: r.Kind, Instance: r.Instance, Due: civil.Date(r.Due)})
		}
		slices.SortFunc(out, byDue)
		return err
	})
	return out, err
}

func byDue(a, b task.PeriodDue) int {
	return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.TaskID.Plan, b.TaskID.Plan), cmp.Compare(a.TaskID.Row, b.TaskID.Row),
		cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Kind, b.Kind))
}

func stepsTail(d *dialect) string {
	return d.by("steps_on") + " WHERE jurisdiction = ? AND on_date >= ? AND on_date <= ?"
}

// StepsBetween returns the jurisdiction's steps that were said or passed over between the two days, both included, by day,
// obligation, arm, step, number and role.
func (s *Store) StepsBetween(ctx context.Context, j string, from, to civil.Date) (out []task.FiredStep, err error) {
	err = s.read(ctx, "read steps of "+j, func(t *tx) error {
		rows, err := query[stepRow](ctx, t, stepsTail(t.d), j, since(from), until(to))
		out = nouns(rows)
		slices.SortFunc(out, byFiring)
		return err
	})
	return out, err
}

func byFiring(a, b task.FiredStep) int {
	return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Obligation, b.Obligation), cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.Step, b.Step),
		cmp.Compare(a.N, b.N), cmp.Compare(a.Role, b.Role))
}

func briefsTail(d *dialect) string {
	return d.by("notices_key") + " WHERE jurisdiction = ? AND logical_date >= ? AND logical_date <= ? ORDER BY logical_date, unit, role, kind, matter"
}

// Briefs returns the jurisdiction's letters dated between the two days, both included, without what they say, by date,
// unit, role, kind and matter. Those to the operators are left out: they say nothing of the register.
func (s *Store) Briefs(ctx context.Context, j string, from, to civil.Date) (out []notice.Brief, err error) {
	err = s.read(ctx, "read letters of "+j, func(t *tx) error {
		rows, err := query[briefRow](ctx, t, briefsTail(t.d), j, since(from), until(to))
		out = nouns(slices.DeleteFunc(rows, func(r briefRow) bool { return r.Kind == notice.Operations }))
		return err
	})
	return out, err
}

// briefRow is what is told of a letter in passing.
type briefRow struct {
	ID           string       `db:"id"`
	Jurisdiction string       `db:"jurisdiction"`
	Date         day          `db:"logical_date"`
	Unit         string       `db:"unit"`
	Role         string       `db:"role"`
	Kind         string       `db:"kind"`
	Matter       string       `db:"matter"`
	State        notice.State `db:"state"`
	Reason       string       `db:"reason"`
	NextTry      stamp        `db:"next_try"`
}

func (briefRow) table() string { return "notices" }

func (r *briefRow) dest() []any {
	return []any{&r.ID, &r.Jurisdiction, &r.Date, &r.Unit, &r.Role, &r.Kind, &r.Matter, (*string)(&r.State), &r.Reason, &r.NextTry}
}

func (r briefRow) noun() notice.Brief {
	k := notice.Key{Jurisdiction: r.Jurisdiction, Date: civil.Date(r.Date), Unit: r.Unit, Role: r.Role, Kind: r.Kind, Matter: r.Matter}
	return notice.Brief{ID: r.ID, Key: k, State: r.State, Reason: r.Reason, Waits: r.State == notice.Held && r.NextTry.IsZero()}
}

// Outcomes returns the letters with these IDs without what they say, and the day on which each reached its reader by itself. An
// ID that names none has no entry.
func (s *Store) Outcomes(ctx context.Context, ids []string) (out map[string]notice.Brief, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	err = s.read(ctx, "read what became of letters", func(t *tx) error {
		out = make(map[string]notice.Brief, len(ids))
		var r briefRow
		var late day
		var reached, over bool
		dest := append(r.dest(), &late, &reached, &over)
		for piece := range slices.Chunk(ids, maxIn) {
			piece = filled(t, piece)
			q := "SELECT " + strings.Join(columns[briefRow](), ", ") + ", late_service.on_date, " + arrived + ", superseded_by <> '' " + fatesFrom +
				"WHERE id IN (" + marks(len(piece)) + ")"
			if err := t.each(ctx, q, slices.Concat(arrivedArgs(), anys(piece)), dest, func() {
				b := r.noun()
				if b.TakenOver = over; reached && !over {
					b.Served = max(b.Key.Date, civil.Date(late))
				}
				out[r.ID] = b
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func lastTail(d *dialect) string {
	return d.by("notices_kind") + " WHERE jurisdiction = ? AND kind = ? AND logical_date < ? AND state <> ? ORDER BY logical_date DESC, id DESC LIMIT 1"
}

// LastLetter returns the jurisdiction's newest letter of the kind that is dated before the day and was not cancelled,
// without what it says and its receipts. The bool says whether there is one.
func (s *Store) LastLetter(ctx context.Context, j, kind string, before civil.Date) (n notice.Notice, ok bool, err error) {
	err = s.read(ctx, "read the last "+kind+" of "+j, func(t *tx) error {
		rows, err := query[noticeRow](ctx, t, lastTail(s.d), j, kind, day(before), string(notice.Cancelled))
		if ok = len(rows) > 0; ok {
			n = rows[0].noun()
		}
		return err
	})
	return n, ok, err
}
