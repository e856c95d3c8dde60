package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// SavePlan writes the plan and settles its slot, all or nothing. It returns ErrMoved where the jurisdiction's seq is not
// the one the plan was made on, and ErrLost where the slot or a letter it supersedes or cancels is not as it was
// read. The seq moves on by one, and the new letters keep it.
func (s *Store) SavePlan(ctx context.Context, j string, seq int64, p run.DayPlan) error {
	op := fmt.Sprintf("save plan %s %s %s", p.Run.Job, j, p.Run.Date)
	letters, err := noticeRows(j, seq+1, p.Notices)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	steps, err := stepRows(j, p.Steps)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	caches, err := lastCaches(j, p.Caches)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(t *tx) error {
		for _, f := range []func() error{
			func() error { return t.step(ctx, j, seq) },
			func() error { return t.finish(ctx, p.Run) },
			func() error { return insert(ctx, t, letters.rows) },
			func() error { return insert(ctx, t, letters.facts) },
			func() error { return insert(ctx, t, letters.receipts) },
			func() error { return insert(ctx, t, steps) },
			func() error { return t.retire(ctx, p) },
			func() error { return setCaches(ctx, t, caches) },
		} {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
}

// step moves the jurisdiction's seq on by one, if it is still the one given: a write that was decided on before the
// plan, and would put back what the plan changed, is refused.
func (t *tx) step(ctx context.Context, j string, seq int64) error {
	n, err := t.exec(ctx, "UPDATE jurisdictions SET seq = seq + 1 WHERE code = ? AND seq = ?", j, seq)
	if err == nil && n == 0 {
		return fmt.Errorf("%w (read at seq %d)", ErrMoved, seq)
	}
	return err
}

func stepRows(j string, steps []task.FiredStep) ([]stepRow, error) {
	rows := make([]stepRow, len(steps))
	for i, s := range steps {
		if !strings.HasPrefix(s.Obligation, j+"/") {
			return nil, fmt.Errorf("step %s of %q is not of %s", s.Step, s.Obligation, j)
		}
		rows[i] = stepRow{j, s.Obligation, s.Arm, s.Step, s.N, s.Role, day(s.On), s.Notice, s.Passed}
	}
	return rows, nil
}

// retire supersedes and cancels letters that have not left.
func (t *tx) retire(ctx context.Context, p run.DayPlan) error {
	for _, id := range slices.Sorted(maps.Keys(p.Supersede)) {
		by := p.Supersede[id]
		if by == "" || by == id {
			return fmt.Errorf("letter %s cannot be taken over by %q: name a later letter", id, by)
		}
		if err := t.moveUnsent(ctx, id, notice.Supersede, "superseded_by", by); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.Cancel)) {
		if err := t.moveUnsent(ctx, id, notice.Cancel, "reason", p.Cancel[id]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) moveUnsent(ctx context.Context, id string, cause notice.Cause, column, value string) error {
	var from notice.State
	if err := one(t.GetContext(ctx, &from, "SELECT state FROM notices WHERE id = ?", id)); err != nil {
		return fmt.Errorf("letter %s: %w", id, err)
	}
	to, err := notice.Next(from, cause)
	if err != nil {
		return fmt.Errorf("letter %s: %w: %w", id, ErrLost, err)
	}
	if from == notice.Sending {
		return fmt.Errorf("letter %s: %w: a worker holds it", id, ErrLost)
	}
	n, err := t.exec(ctx, "UPDATE notices SET state = ?, "+column+" = ? WHERE id = ? AND state = ?", string(to), value, id, string(from))
	if err == nil && n == 0 {
		return fmt.Errorf("letter %s: %w", id, ErrLost)
	}
	return err
}
