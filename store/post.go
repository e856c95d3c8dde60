package store

import (
	"context"
	"fmt"

	"duban/notify/notice"
)

// Post adds letters that a person asked for, outside any run. It returns ErrMoved where the jurisdiction's seq is not the
// one given, and ErrExists where a letter of the same key exists.
func (s *Store) Post(ctx context.Context, j string, seq int64, letters []notice.Notice) error {
	op := "post letters of " + j
	rows, err := noticeRows(j, seq+1, letters)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(t *tx) error {
		if err := t.step(ctx, j, seq); err != nil {
			return err
		}
		if err := insert(ctx, t, rows.rows); err != nil {
			return err
		}
		if err := insert(ctx, t, rows.facts); err != nil {
			return err
		}
		if err := insert(ctx, t, rows.receipts); err != nil {
			return err
		}
		if err := t.addBirths(ctx, j, seq+1, bornHeld(rows.rows, nil, "")); err != nil {
			return err
		}
		return t.proven(ctx, letters)
	})
}

// NoticeStarting returns the IDs that begin with the given hex digits: two at the most, which is one too many.
func (s *Store) NoticeStarting(ctx context.Context, digits string) (ids []string, err error) {
	for _, r := range digits {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return nil, nil
		}
	}
	err = s.read(ctx, "find letter "+digits, func(t *tx) error {
		ids = nil
		return t.SelectContext(ctx, &ids, "SELECT id FROM notices WHERE id >= ? AND id < ? ORDER BY id LIMIT 2", digits, digits+"g")
	})
	return ids, err
}
