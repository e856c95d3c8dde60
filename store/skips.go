package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
)

// SkipAll records in one transaction that slots need no run, each with its reason: what an outage leaves may be hundreds of
// days. A planned slot becomes a skipped one and keeps when it was due. So does one that was begun and whose lease has passed or
// whose worker is gone, and one that failed; the reason then says besides who had begun it, or why it had failed. Any other slot
// that is in the ledger already is left as it is.
func (s *Store) SkipAll(ctx context.Context, runs []run.Run) error {
	_, err := s.SkipSlots(ctx, runs)
	return err
}

// SkipSlots is SkipAll, and returns the slots that it skipped.
func (s *Store) SkipSlots(ctx context.Context, runs []run.Run) (skipped []run.Run, err error) {
	const op = "skip slots"
	if len(runs) == 0 {
		return nil, nil
	}
	for _, r := range runs {
		if err := checkSlot(r.Slot); err != nil {
			return nil, fmt.Errorf("%s: slot %s %s %s: %w", op, r.Job, r.Jurisdiction, r.Date, err)
		}
	}
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b run.Run) int { return bySlot(runOf(a), runOf(b)) })
	runs = slices.CompactFunc(runs, func(a, b run.Run) bool { return a.Slot == b.Slot })
	err = s.write(ctx, op, func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		known, err := t.begun(ctx, runs)
		if err != nil {
			return err
		}
		skipped = nil
		var fresh []runRow
		for _, r := range runs {
			r.State, r.Token, r.Lease = run.Skipped, "", time.Time{}
			r.Started, r.Finished = now, now
			was, there := known[r.Slot]
			switch {
			case !there:
				fresh = append(fresh, runOf(r))
			case was.State == run.Planned || was.State == run.Failed || was.State == run.Running && s.dead(was, now):
				if err := t.skip(ctx, was, r); err != nil {
					return err
				}
			default:
				continue
			}
			skipped = append(skipped, r)
		}
		err = insert(ctx, t, fresh)
		if t.d.fault(err) == faultExists { // another worker was first: the transaction starts again and finds it
			return fmt.Errorf("%w: %w", errAgain, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return skipped, nil
}

// dead reports whether the worker of a running slot will not settle it any more.
func (s *Store) dead(r run.Run, now time.Time) bool {
	return !r.Lease.After(now) || s.gone != nil && s.gone(r.Token)
}

// begun returns what the ledger holds of the slots, which are sorted.
func (t *tx) begun(ctx context.Context, sorted []run.Run) (map[run.Slot]run.Run, error) {
	known := map[run.Slot]run.Run{}
	for len(sorted) > 0 {
		first := sorted[0]
		n := slices.IndexFunc(sorted, func(r run.Run) bool { return r.Job != first.Job || r.Jurisdiction != first.Jurisdiction })
		if n < 0 {
			n = len(sorted)
		}
		rows, err := query[runRow](ctx, t, "WHERE job = ? AND jurisdiction = ? AND logical_date >= ? AND logical_date <= ?",
			first.Job, first.Jurisdiction, day(first.Date), day(sorted[n-1].Date))
		if err != nil {
			return nil, err
		}
		for _, old := range nouns(rows) {
			known[old.Slot] = old
		}
		sorted = sorted[n:]
	}
	return known, nil
}

// skip turns a slot that waits, that failed, or that was begun and given up, into a skipped one, fenced on how it was read.
func (t *tx) skip(ctx context.Context, was, r run.Run) error {
	switch was.State {
	case run.Running:
		r.Reason += fmt.Sprintf("; %s had begun it at %s and did not finish", was.By, was.Started.UTC().Format(time.RFC3339))
	case run.Failed:
		why, _, _ := strings.Cut(was.Reason, "\n") // what follows is the stack of a panic
		r.Reason += "; it had failed: " + why
	default: // it was only planned
	}
	row := runOf(r)
	n, err := t.exec(ctx, "UPDATE runs SET state = ?, reason = ?, run_by = ?, started = ?, finished = ?, lease = NULL, token = '' "+
		ofSlot+" AND state = ? AND token = ?", string(row.State), row.Reason, row.By, row.Started, row.Finished,
		row.Job, row.Jurisdiction, row.Date, string(was.State), was.Token)
	if err == nil && n == 0 {
		return errAgain
	}
	return err
}

// Reopen makes a skipped slot planned again, so that it can be claimed; reason is what it was skipped for, and keeps two who
// ask at once apart. A slot that is not skipped for this reason is left as it is.
func (s *Store) Reopen(ctx context.Context, slot run.Slot, reason string) error {
	op := fmt.Sprintf("reopen slot %s %s %s", slot.Job, slot.Jurisdiction, slot.Date)
	return s.write(ctx, op, func(t *tx) error {
		_, err := t.exec(ctx, "UPDATE runs SET state = ?, reason = '', started = NULL, finished = NULL "+ofSlot+" AND state = ? AND reason = ?",
			string(run.Planned), slot.Job, slot.Jurisdiction, day(slot.Date), string(run.Skipped), reason)
		return err
	})
}

// OpenSlots returns the job's days from the first in the ledger up to the day before the given one that are not settled, in
// order: planned, running or failed, or with no state where the ledger holds nothing of them.
func (s *Store) OpenSlots(ctx context.Context, job, jurisdiction string, before civil.Date) (open []run.Run, err error) {
	err = s.read(ctx, "read open slots of "+job+" "+jurisdiction, func(t *tx) error {
		open = nil
		var rows []struct {
			Date  day       `db:"logical_date"`
			State run.State `db:"state"`
		}
		err := t.SelectContext(ctx, &rows, "SELECT logical_date, state FROM runs WHERE job = ? AND jurisdiction = ? AND logical_date < ? "+
			"ORDER BY logical_date", job, jurisdiction, day(before))
		if err != nil || len(rows) == 0 {
			return err
		}
		next := civil.Date(rows[0].Date)
		add := func(d civil.Date, state run.State) {
			open = append(open, run.Run{Slot: run.Slot{Job: job, Jurisdiction: jurisdiction, Date: d}, State: state})
		}
		for _, r := range rows {
			for ; next < civil.Date(r.Date); next++ {
				add(next, "")
			}
			if next++; !(run.Run{State: r.State}).Settled() {
				add(civil.Date(r.Date), r.State)
			}
		}
		for ; next < before; next++ {
			add(next, "")
		}
		return nil
	})
	return open, err
}
