package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/notice"
)

// Pruned counts rows that were removed or, of a look, would be.
type Pruned struct {
	Runs, Attempts, Moves, Facts, Backfills int
}

// Add returns the sums of both.
func (p Pruned) Add(q Pruned) Pruned {
	return Pruned{p.Runs + q.Runs, p.Attempts + q.Attempts, p.Moves + q.Moves, p.Facts + q.Facts, p.Backfills + q.Backfills}
}

// pruneRows bounds what one transaction of the housekeeping looks at, so that it keeps no worker waiting.
const pruneRows = 200

// housekeep runs f in a transaction, of which a look writes nothing.
func (s *Store) housekeep(ctx context.Context, look bool, op string, f func(*tx) error) error {
	if look {
		return s.read(ctx, op, f)
	}
	return s.write(ctx, op, f)
}

// settledRuns is the condition of runs that may be removed: of before a day, settled, and finished before the instant of its
// beginning. A run of long ago that was made up lately is of lately.
const settledRuns = "state IN (?, ?) AND logical_date < ? AND (started IS NULL OR started < ?) AND (finished IS NULL OR finished < ?)"

// PruneRuns removes settled runs of before the day, some at a time, and returns how many; 0: none is left. It keeps of each
// job the last that settled and the last that was done, and the run that was started last: planning, and the trust in the
// machine's date, go on from them. What lies behind a run that stays, stays too: the ledger gets a later beginning, and no holes.
// A jurisdiction that is empty stands for the jobs of the whole installation. With look it counts all of them and removes none.
func (s *Store) PruneRuns(ctx context.Context, j string, before civil.Date, look bool) (n int, err error) {
	if before.IsZero() {
		return 0, nil
	}
	err = s.housekeep(ctx, look, "remove old runs of "+j, func(t *tx) error {
		n = 0
		cut := at(before.Time(time.UTC))
		stops, err := t.firstKept(ctx, j, before, cut)
		if err != nil {
			return err
		}
		for _, job := range slices.Sorted(maps.Keys(stops)) {
			const older = "WHERE job = ? AND jurisdiction = ? AND logical_date < ?"
			var days []day
			q := "SELECT logical_date FROM runs " + older + " ORDER BY logical_date"
			if !look {
				q += limited(pruneRows - n)
			}
			if err := t.SelectContext(ctx, &days, q, job, j, day(stops[job])); err != nil {
				return err
			}
			if n += len(days); look || len(days) == 0 {
				continue
			}
			// Whatever was begun meanwhile stays.
			_, err := t.exec(ctx, "DELETE FROM runs "+older+" AND "+settledRuns, job, j, day(civil.Date(days[len(days)-1])+1),
				string(run.Done), string(run.Skipped), day(before), cut, cut)
			if err != nil {
				return err
			}
			if n >= pruneRows {
				break
			}
		}
		return nil
	})
	return n, err
}

// firstKept is the day of each job's first run that stays: all before it may be removed.
func (t *tx) firstKept(ctx context.Context, j string, before civil.Date, cut stamp) (map[string]civil.Date, error) {
	keep, err := t.lastRuns(ctx, j)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Job  string `db:"job"`
		Date day    `db:"logical_date"`
	}
	err = t.SelectContext(ctx, &rows, "SELECT job, MIN(logical_date) AS logical_date FROM runs WHERE jurisdiction = ? AND NOT ("+settledRuns+") GROUP BY job",
		j, string(run.Done), string(run.Skipped), day(before), cut, cut)
	if err != nil {
		return nil, err
	}
	first := map[string]civil.Date{}
	for _, r := range rows {
		first[r.Job] = civil.Date(r.Date)
	}
	for slot := range keep {
		if d, there := first[slot.Job]; !there || slot.Date < d {
			first[slot.Job] = slot.Date
		}
	}
	return first, nil
}

// lastRuns are the runs that are kept however old they are.
func (t *tx) lastRuns(ctx context.Context, j string) (map[run.Slot]bool, error) {
	keep := map[run.Slot]bool{}
	var last []struct {
		Job  string `db:"job"`
		Date day    `db:"logical_date"`
	}
	add := func(q string, args ...any) error {
		last = nil
		if err := t.SelectContext(ctx, &last, q, args...); err != nil {
			return err
		}
		for _, r := range last {
			keep[run.Slot{Job: r.Job, Jurisdiction: j, Date: civil.Date(r.Date)}] = true
		}
		return nil
	}
	const newest = "SELECT job, MAX(logical_date) AS logical_date FROM runs WHERE jurisdiction = ? AND state IN (?, ?) GROUP BY job"
	if err := add(newest, j, string(run.Done), string(run.Skipped)); err != nil {
		return nil, err
	}
	if err := add(newest, j, string(run.Done), string(run.Done)); err != nil {
		return nil, err
	}
	err := add("SELECT job, logical_date FROM runs WHERE jurisdiction = ? AND started = (SELECT MAX(started) FROM runs) ORDER BY logical_date DESC, job LIMIT 1", j)
	return keep, err
}

// PruneBackfills removes backfills that were finished before the day, and returns how many; with look it only counts them.
func (s *Store) PruneBackfills(ctx context.Context, before civil.Date, look bool) (n int, err error) {
	if before.IsZero() {
		return 0, nil
	}
	err = s.housekeep(ctx, look, "remove old backfills", func(t *tx) error {
		n, err = t.removed(ctx, "backfills", "WHERE finished < ?", look, at(before.Time(time.UTC)))
		return err
	})
	return n, err
}

// removed deletes rows, or counts them.
func (t *tx) removed(ctx context.Context, table, where string, look bool, args ...any) (n int, err error) {
	if look {
		return n, t.GetContext(ctx, &n, "SELECT count(*) FROM "+table+" "+where, args...)
	}
	gone, err := t.exec(ctx, "DELETE FROM "+table+" "+where, args...)
	return int(gone), err
}

// Needed are the letters of a jurisdiction that the housekeeping leaves whole, and those of which it keeps that the reader
// has them.
type Needed struct {
	seq    int64
	whole  map[string]bool
	served map[string]bool
}

// Letter reports whether all of the letter is needed.
func (n Needed) Letter(id string) bool { return n.whole[id] }

// Needed returns what is still needed: the letters that steps rest on of obligations that were not final before the day, those
// of documents and of closings, the last digest, and all that took one of these over. Of a letter that any other step rests
// on, or that took such a one over, the reader's own acceptance stays.
func (s *Store) Needed(ctx context.Context, j string, finalBefore civil.Date) (n Needed, err error) {
	err = s.read(ctx, "read which letters are needed in "+j, func(t *tx) error {
		n = Needed{whole: map[string]bool{}, served: map[string]bool{}}
		if err := one(t.GetContext(ctx, &n.seq, "SELECT seq FROM jurisdictions WHERE code = ?", j)); err != nil {
			return err
		}
		for _, of := range []struct {
			into map[string]bool
			q    string
			args []any
		}{
			{n.whole, "SELECT DISTINCT notice FROM steps WHERE obligation IN (SELECT ref FROM obligations WHERE jurisdiction = ? AND (final_from IS NULL OR final_from >= ?))", []any{j, day(finalBefore)}},
			{n.whole, "SELECT id FROM documents WHERE jurisdiction = ?", []any{j}},
			{n.whole, "SELECT notice FROM closings WHERE jurisdiction = ?", []any{j}},
			{n.whole, "SELECT MAX(id) FROM notices WHERE jurisdiction = ? AND kind = ? AND logical_date = (SELECT MAX(logical_date) FROM notices WHERE jurisdiction = ? AND kind = ? AND state IN (?, ?)) HAVING MAX(id) IS NOT NULL",
				[]any{j, notice.BureauDigest, j, notice.BureauDigest, string(notice.Sent), string(notice.Recorded)}},
			{n.served, "SELECT DISTINCT notice FROM steps WHERE jurisdiction = ?", []any{j}},
		} {
			var ids []string
			if err := t.SelectContext(ctx, &ids, of.q, of.args...); err != nil {
				return err
			}
			for _, id := range ids {
				of.into[id] = id != ""
			}
		}
		return t.takers(ctx, j, n.whole, n.served)
	})
	return n, err
}

// takers adds to each set the letters that took over those in it.
func (t *tx) takers(ctx context.Context, j string, sets ...map[string]bool) error {
	var rows []struct {
		ID string `db:"id"`
		By string `db:"superseded_by"`
	}
	if err := t.SelectContext(ctx, &rows, "SELECT id, superseded_by FROM notices WHERE jurisdiction = ? AND superseded_by <> ''", j); err != nil {
		return err
	}
	by := make(map[string]string, len(rows))
	for _, r := range rows {
		by[r.ID] = r.By
	}
	for _, set := range sets {
		for _, id := range slices.Collect(maps.Keys(set)) {
			for next := by[id]; next != "" && !set[next]; next = by[next] {
				set[next] = true
			}
		}
	}
	return nil
}

// settledStates are those a letter never leaves.
var settledStates = [...]notice.State{notice.Sent, notice.Recorded, notice.Superseded, notice.Cancelled}

// LetterCursor is how far the letters were gone through; the zero one is their beginning.
type LetterCursor struct {
	Date civil.Date
	ID   string
}

// Retention says what is old of letters: Attempts is the first day whose letters keep their attempts and moves, Facts the first
// whose letters keep what they said; a zero one removes nothing. On is the day on which it is removed, which such letters keep
// in the place of what they said.
type Retention struct {
	On, Attempts, Facts civil.Date
}

// PruneLetters goes through the next settled letters behind the cursor, and removes of those that are not needed what is old. It returns where it stopped, and the zero cursor at the end. With look it only counts. It returns ErrMoved where
// the jurisdiction has moved on since it was asked what is needed: that has to be asked again.
func (s *Store) PruneLetters(ctx context.Context, j string, need Needed, r Retention, after LetterCursor, look bool) (p Pruned, next LetterCursor, err error) {
	last := max(r.Attempts, r.Facts)
	if last.IsZero() {
		return p, next, nil
	}
	err = s.housekeep(ctx, look, "remove what is old of letters of "+j, func(t *tx) error {
		p, next = Pruned{}, LetterCursor{}
		var seq int64
		if err := one(t.GetContext(ctx, &seq, "SELECT seq FROM jurisdictions WHERE code = ?", j)); err != nil {
			return err
		}
		if seq != need.seq {
			return fmt.Errorf("%w (read at seq %d)", ErrMoved, need.seq)
		}
		var rows []struct {
			ID   string `db:"id"`
			Date day    `db:"logical_date"`
		}
		q := "SELECT id, logical_date FROM notices WHERE logical_date >= ? AND logical_date < ? AND jurisdiction = ? AND state IN (" + marks(len(settledStates)) +
			") AND (logical_date > ? OR id > ?) ORDER BY logical_date, id" + limited(pruneRows)
		from := day(max(after.Date, civil.Of(1000, 1, 1)))
		args := append([]any{from, day(last), j}, anys(settledStates[:])...)
		if err := t.SelectContext(ctx, &rows, q, append(args, from, after.ID)...); err != nil {
			return err
		}
		byDay := map[civil.Date][]string{}
		for _, r := range rows {
			if !need.whole[r.ID] {
				byDay[civil.Date(r.Date)] = append(byDay[civil.Date(r.Date)], r.ID)
			}
		}
		for _, d := range slices.Sorted(maps.Keys(byDay)) {
			some, err := t.pruneDay(ctx, need, d, byDay[d], r, look)
			if err != nil {
				return err
			}
			p = p.Add(some)
		}
		if len(rows) == pruneRows {
			next = LetterCursor{civil.Date(rows[pruneRows-1].Date), rows[pruneRows-1].ID}
		}
		return nil
	})
	return p, next, err
}

// forgetFacts removes what letters of one date said, and leaves the day of that in its place.
func (t *tx) forgetFacts(ctx context.Context, on, d civil.Date, ids []string, look bool) (n int, err error) {
	const begins = `{"removed":`
	where := " WHERE dated = ? AND notice IN (" + marks(len(ids)) + ") AND facts NOT LIKE ?"
	args := append(append([]any{day(d)}, anys(ids)...), begins+"%")
	if look {
		return n, t.GetContext(ctx, &n, "SELECT count(*) FROM notice_facts"+where, args...)
	}
	gone, err := t.exec(ctx, "UPDATE notice_facts SET facts = ?"+where, append([]any{begins + `"` + on.String() + `"}`}, args...)...)
	return int(gone), err
}

// pruneDay removes what is old of letters of one date.
func (t *tx) pruneDay(ctx context.Context, need Needed, d civil.Date, ids []string, r Retention, look bool) (p Pruned, err error) {
	if d < r.Facts {
		if p.Facts, err = t.forgetFacts(ctx, r.On, d, ids, look); err != nil {
			return p, err
		}
	}
	if d >= r.Attempts {
		return p, nil
	}
	if p.Moves, err = t.removed(ctx, "moves", "WHERE notice IN ("+marks(len(ids))+")", look, anys(ids)...); err != nil {
		return p, err
	}
	for _, served := range []bool{false, true} {
		some := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return need.served[id] != served })
		if len(some) == 0 {
			continue
		}
		where, args := "WHERE dated = ? AND notice IN ("+marks(len(some))+")", append([]any{day(d)}, anys(some)...)
		if served {
			where, args = where+" AND (outcome <> ? OR is_copy)", append(args, string(notice.OutcomeAccepted))
		}
		n, err := t.removed(ctx, "attempts", where, look, args...)
		if err != nil {
			return p, err
		}
		p.Attempts += n
	}
	return p, nil
}
