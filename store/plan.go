package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// SavePlan writes the plan and settles its slot, all or nothing. It returns ErrLost where the slot is not the caller's any
// more, and ErrMoved, after which the day is planned anew, where what the plan was made on is not as it was read: the
// jurisdiction's seq, or a letter that it supersedes, cancels or holds. Such a letter must not be in sending and, where it
// is among the plan's Unsent, have the same state, tries and resent; otherwise any state will do that it can be moved from.
// So it is where a document that it drops is not a draft any more. A new document has to be a draft whose letter is among
// the plan's, held.
// The seq moves on by one, and the new letters and steps keep it.
func (s *Store) SavePlan(ctx context.Context, j string, seq int64, p run.DayPlan) error {
	op := fmt.Sprintf("save plan %s %s %s", p.Run.Job, j, p.Run.Date)
	letters, err := noticeRows(j, seq+1, p.Notices)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	steps, err := stepRows(j, seq+1, p.Steps)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	caches, err := lastCaches(j, p.Caches)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	drafts, err := draftRows(j, seq+1, p.Documents, p.Notices)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	closings, err := closingRows(j, p.Closings)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	holds, err := holdRows(j, seq+1, p.Holds)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	born := bornHeld(letters.rows, p.Documents, plannedBy(p.Run))
	err = s.write(ctx, op, func(t *tx) error {
		for _, f := range []func() error{
			func() error { return t.step(ctx, j, seq) },
			func() error { return t.finish(ctx, p.Run) },
			func() error { return insert(ctx, t, letters.rows) },
			func() error { return insert(ctx, t, letters.facts) },
			func() error { return insert(ctx, t, letters.receipts) },
			func() error { return t.addBirths(ctx, j, seq+1, born) },
			func() error { return insert(ctx, t, steps) },
			func() error { return insert(ctx, t, drafts) },
			func() error { return insert(ctx, t, closings) },
			func() error { return t.keep(ctx, holds) },
			func() error { return t.retire(ctx, j, seq+1, p) },
			func() error { return t.drop(ctx, j, seq+1, p) },
			func() error { return t.proven(ctx, p.Notices) },
			func() error { return setCaches(ctx, t, caches) },
		} {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.mem.moved(j, seq, seq+1, spokenOf(steps, holds), false)
	}
	return err
}

// spokenOf are the obligations that steps and holds are recorded for.
func spokenOf(steps []stepRow, holds []holdRow) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.Obligation)
	}
	for _, h := range holds {
		out = append(out, h.Obligation)
	}
	return out
}

// step moves the jurisdiction's seq on by one, and notes it, if it is still the one given: a write that was decided on before the
// plan, and would put back what the plan changed, is refused.
func (t *tx) step(ctx context.Context, j string, seq int64) error {
	n, err := t.exec(ctx, "UPDATE jurisdictions SET seq = seq + 1 WHERE code = ? AND seq = ?", j, seq)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w (read at seq %d)", ErrMoved, seq)
	}
	if err != nil {
		return err
	}
	return t.note(ctx, j, seq+1)
}

func stepRows(j string, seq int64, steps []task.FiredStep) ([]stepRow, error) {
	rows := make([]stepRow, len(steps))
	for i, s := range steps {
		if !strings.HasPrefix(s.Obligation, j+"/") {
			return nil, fmt.Errorf("step %s of %q is not of %s", s.Step, s.Obligation, j)
		}
		rows[i] = stepRow{j, s.Obligation, s.Arm, s.Step, s.N, s.Role, day(s.On), s.Notice, s.Passed, seq}
	}
	return rows, nil
}

// plannedBy says who moves letters by a plan; who ran it is kept with the run.
func plannedBy(r run.Run) string { return "the plan of " + r.Job + " " + r.Date.String() }

// retiring is one plan's retiring of letters that have not left.
type retiring struct {
	*tx
	read map[string]notice.Notice // as the plan read them
	at   time.Time                // when the plan is noted
	by   string
}

// retire supersedes, cancels and holds letters that have not left, and writes each of these moves down.
func (t *tx) retire(ctx context.Context, j string, seq int64, p run.DayPlan) error {
	if len(p.Supersede)+len(p.Cancel)+len(p.Hold) == 0 {
		return nil
	}
	when, err := t.noted(ctx, j, seq)
	if err != nil {
		return err
	}
	r := retiring{t, make(map[string]notice.Notice, len(p.Unsent)), when, plannedBy(p.Run)}
	for _, n := range p.Unsent {
		r.read[n.ID] = n
	}
	for _, id := range slices.Sorted(maps.Keys(p.Supersede)) {
		by := p.Supersede[id]
		if by == "" || by == id {
			return fmt.Errorf("letter %s cannot be taken over by %q: name a later letter", id, by)
		}
		if err := r.move(ctx, id, notice.Supersede, "superseded_by = ?", by); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.Cancel)) {
		if err := r.move(ctx, id, notice.Cancel, "reason = ?", clean(p.Cancel[id])); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.Hold)) {
		if err := r.move(ctx, id, notice.Hold, "next_try = NULL, reason = ?", clean(p.Hold[id])); err != nil {
			return err
		}
	}
	return nil
}

// move moves a letter that nobody is sending and that is as it was read, where it was. A letter that is held already is held
// anew, which is no move where its reason is the same.
func (r retiring) move(ctx context.Context, id string, cause notice.Cause, set, value string) error {
	var now struct {
		State  notice.State `db:"state"`
		Tries  int          `db:"tries"`
		Resent bool         `db:"resent"`
		Reason string       `db:"reason"`
	}
	if err := one(r.GetContext(ctx, &now, "SELECT state, tries, resent, reason FROM notices WHERE id = ?", id)); err != nil {
		return fmt.Errorf("letter %s: %w", id, err)
	}
	if was, ok := r.read[id]; ok && (now.State != was.State || now.Tries != was.Tries || now.Resent != was.Resent) {
		return fmt.Errorf("letter %s: %w (read as %s after %d tries, now %s after %d)", id, ErrMoved, was.State, was.Tries, now.State, now.Tries)
	}
	if now.State == notice.Sending {
		return fmt.Errorf("letter %s: %w: a worker holds it", id, ErrMoved)
	}
	to := notice.Held
	if cause != notice.Hold || now.State != notice.Held {
		var err error
		if to, err = notice.Next(now.State, cause); err != nil {
			return fmt.Errorf("letter %s: %w: %w", id, ErrMoved, err)
		}
	}
	n, err := r.exec(ctx, "UPDATE notices SET state = ?, "+set+" WHERE id = ? AND state = ? AND tries = ? AND resent = ?",
		string(to), value, id, string(now.State), now.Tries, now.Resent)
	if err == nil && n == 0 {
		return fmt.Errorf("letter %s: %w", id, ErrMoved)
	}
	if err != nil || now.State == to && now.Reason == value {
		return err
	}
	why := value
	if cause == notice.Supersede {
		why = "taken over by " + value
	}
	return r.addMove(ctx, notice.Move{Notice: id, At: r.at, From: now.State, To: to, Cause: cause, Reason: why, By: r.by})
}
