package store

import (
	"context"

	"duban/jobs/task"
)

// DataSeq returns the seq of the last thing that was entered into a jurisdiction: of its sources and of the events that
// people record. What the jobs themselves write does not move it, so that a range that was interrupted can go on.
func (s *Store) DataSeq(ctx context.Context, j string) (seq int64, err error) {
	err = s.read(ctx, "read the seq of the data of "+j, func(t *tx) error {
		seq = 0
		for _, table := range []string{
			"plan_versions", "task_versions", "units", "unit_groups", "people", "silences", "occurrences", "training",
		} {
			if err := t.latest(ctx, &seq, "SELECT COALESCE(MAX(seq), 0) FROM "+table+" WHERE jurisdiction = ?", j); err != nil {
				return err
			}
		}
		return t.latest(ctx, &seq, "SELECT COALESCE(MAX(seq), 0) FROM events WHERE jurisdiction = ? AND kind <> ?", j, string(task.Opened))
	})
	return seq, err
}

// latest raises seq to what the query returns.
func (t *tx) latest(ctx context.Context, seq *int64, q string, args ...any) error {
	var found int64
	if err := t.GetContext(ctx, &found, q, args...); err != nil {
		return err
	}
	*seq = max(*seq, found)
	return nil
}
