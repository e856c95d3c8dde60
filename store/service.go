package store

import (
	"context"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// lateRow is a letter that is served, if it is, on another day than its own.
type lateRow struct {
	Notice string `db:"notice"`
	On     day    `db:"on_date"`
}

func (lateRow) table() string { return "late_service" }

// LeaveOn says that what leaves of the jurisdiction's letters dated before the day leaves on that day: nobody has been told
// by a letter before it left. It is said before they are sent, so that a worker that dies leaves it right or too late, never
// too early; what does not leave is served on the day of the next call. A letter
// that its reader has, and that waits for a copy alone, keeps its day.
func (s *Store) LeaveOn(ctx context.Context, j string, d civil.Date) error {
	var ids []string
	op := "date the letters that leave late"
	err := s.read(ctx, op, func(t *tx) error {
		ids = nil
		q := "SELECT id FROM notices " + t.d.by("notices_state") + " WHERE state IN (?, ?, ?) AND logical_date < ? AND jurisdiction = ? AND " +
			"NOT EXISTS (SELECT 1 FROM attempts WHERE dated = logical_date AND notice = id AND outcome = ? AND NOT is_copy) ORDER BY id"
		return t.SelectContext(ctx, &ids, q, string(notice.Pending), string(notice.Retry), string(notice.Held), day(d), j, string(notice.OutcomeAccepted))
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return s.write(ctx, op, func(t *tx) error { return t.late(ctx, ids, d) })
}

// ServedOn says that a letter is served on the day, if it comes to be: a person told so then.
func (s *Store) ServedOn(ctx context.Context, id string, d civil.Date) error {
	return s.write(ctx, "date the service of letter "+id, func(t *tx) error { return t.late(ctx, []string{id}, d) })
}

func (t *tx) late(ctx context.Context, ids []string, d civil.Date) error {
	rows := make([]lateRow, len(ids))
	for i, id := range ids {
		rows[i] = lateRow{id, day(d)}
	}
	return insertOr(ctx, t, rows, overwrite[lateRow](t.d))
}
