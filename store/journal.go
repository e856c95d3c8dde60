package store

import (
	"context"
	"time"
)

// note writes down, by the database's clock, when the jurisdiction's seq came to be what it is. Whatever moves a seq calls
// it, in the same transaction: what was known at an instant is found by it.
func (t *tx) note(ctx context.Context, j string, seq int64) error {
	_, err := t.exec(ctx, "INSERT INTO journal (jurisdiction, seq, at) VALUES (?, ?, "+t.d.clock+")", j, seq)
	return err
}

// Recorded returns the instant of the jurisdiction's last write whose seq is not above the one given; the zero time where
// it is not known.
func (s *Store) Recorded(ctx context.Context, jurisdiction string, seq int64) (when time.Time, err error) {
	err = s.read(ctx, "read when "+jurisdiction+" was written", func(t *tx) error {
		var found []stamp
		err := t.SelectContext(ctx, &found, "SELECT at FROM journal WHERE jurisdiction = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", jurisdiction, seq)
		when = time.Time{}
		if len(found) > 0 {
			when = found[0].Time
		}
		return err
	})
	return when, err
}
