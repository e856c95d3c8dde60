package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/run"
)

type backfillRow struct {
	Hash          string             `db:"hash"`
	Job           string             `db:"job"`
	Jurisdictions doc[[]string]      `db:"jurisdictions"`
	From          day                `db:"from_date"`
	To            day                `db:"to_date"`
	Mode          run.Mode           `db:"mode"`
	Reprocess     run.Reprocess      `db:"reprocess"`
	Days          doc[[]run.DayHash] `db:"days"`
	By            string             `db:"run_by"`
	Started       stamp              `db:"started"`
	Finished      stamp              `db:"finished"`
}

func (backfillRow) table() string { return "backfills" }

func backfillOf(b run.Backfill) backfillRow {
	return backfillRow{
		Hash: b.Hash, Job: b.Job, Jurisdictions: doc[[]string]{b.Jurisdictions}, From: day(b.From), To: day(b.To), Mode: b.Mode,
		Reprocess: b.Reprocess, Days: doc[[]run.DayHash]{b.Days}, By: clean(b.By), Started: at(b.Started), Finished: at(b.Finished),
	}
}

func (r backfillRow) noun() run.Backfill {
	return run.Backfill{
		Hash: r.Hash, Job: r.Job, Jurisdictions: r.Jurisdictions.V, From: civil.Date(r.From), To: civil.Date(r.To), Mode: r.Mode,
		Reprocess: r.Reprocess, Days: r.Days.V, By: r.By, Started: r.Started.Time, Finished: r.Finished.Time,
	}
}

// The lengths of a backfill's hash, in digits: the least that it may be named by, and the most that it has.
const (
	minHash = 8
	maxHash = 64
)

// isHex reports whether a text is made of lower-case hex digits alone.
func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}

func checkBackfill(b run.Backfill) error {
	switch {
	case !isHex(b.Hash) || len(b.Hash) < minHash || len(b.Hash) > maxHash:
		return fmt.Errorf("hash %q is not of %d to %d hex digits", b.Hash, minHash, maxHash)
	case b.From.IsZero() || b.To.IsZero() || b.To < b.From:
		return fmt.Errorf("the range %s to %s holds no day", b.From, b.To)
	case b.Mode == "" || b.Reprocess == "":
		return errors.New("its mode, or what it goes through again, is empty")
	}
	return checkKey("job", b.Job, maxCode)
}

// SaveBackfill keeps a backfill. Of one that is there under the same hash it changes who runs it, and when it was started
// and finished; what it is stays. An empty Started is now, by the database's clock.
func (s *Store) SaveBackfill(ctx context.Context, b run.Backfill) error {
	op := "save backfill " + b.Hash
	if err := checkBackfill(b); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(t *tx) error {
		row := backfillOf(b)
		if row.Started.IsZero() {
			now, err := t.now(ctx)
			if err != nil {
				return err
			}
			row.Started = at(now)
		}
		set := t.d.upsert("hash")
		for i, c := range [...]string{"run_by", "started", "finished"} {
			if i > 0 {
				set += ","
			}
			set += " " + c + " = " + t.d.incoming(c)
		}
		return insertOr(ctx, t, []backfillRow{row}, set)
	})
}

// Backfill returns the backfill whose hash begins with the digits, eight at least. It returns ErrNotFound where there is
// none, and refuses digits that more than one begins with.
func (s *Store) Backfill(ctx context.Context, hash string) (out run.Backfill, err error) {
	op := "read backfill " + hash
	if len(hash) < minHash {
		return run.Backfill{}, fmt.Errorf("%s: give the first %d digits of its hash at least", op, minHash)
	}
	if !isHex(hash) || len(hash) > maxHash {
		return run.Backfill{}, fmt.Errorf("%s: %w: a hash is made of the digits 0 to 9 and a to f", op, ErrNotFound)
	}
	err = s.read(ctx, op, func(t *tx) error {
		rows, err := query[backfillRow](ctx, t, "WHERE hash >= ? AND hash < ? ORDER BY hash LIMIT 2", hash, hash+"g")
		switch {
		case err != nil:
			return err
		case len(rows) == 0:
			return ErrNotFound
		case len(rows) > 1 && rows[0].Hash != hash:
			return fmt.Errorf("%s and %s both begin so: give more digits", rows[0].Hash, rows[1].Hash)
		}
		out = rows[0].noun()
		return nil
	})
	return out, err
}
