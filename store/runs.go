package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
)

type runRow struct {
	Job          string          `db:"job"`
	Jurisdiction string          `db:"jurisdiction"`
	Date         day             `db:"logical_date"`
	State        run.State       `db:"state"`
	Reason       string          `db:"reason"`
	By           string          `db:"run_by"`
	Started      stamp           `db:"started"`
	Finished     stamp           `db:"finished"`
	Lease        stamp           `db:"lease"`
	Token        string          `db:"token"`
	Counts       doc[run.Counts] `db:"counts"`
	Due          stamp           `db:"due"`
}

func (runRow) table() string { return "runs" }

func runOf(r run.Run) runRow {
	return runRow{
		Job: r.Job, Jurisdiction: r.Jurisdiction, Date: day(r.Date), State: r.State, Reason: r.Reason, By: r.By, Started: at(r.Started),
		Finished: at(r.Finished), Lease: at(r.Lease), Token: r.Token, Counts: doc[run.Counts]{r.Counts}, Due: at(r.Due),
	}
}

func (r runRow) noun() run.Run {
	return run.Run{Slot: run.Slot{Job: r.Job, Jurisdiction: r.Jurisdiction, Date: civil.Date(r.Date)}, State: r.State,
		Reason: r.Reason, By: r.By, Due: r.Due.Time, Started: r.Started.Time, Finished: r.Finished.Time, Lease: r.Lease.Time, Token: r.Token, Counts: r.Counts.V}
}

const ofSlot = "WHERE job = ? AND jurisdiction = ? AND logical_date = ?"

func checkSlot(s run.Slot) error {
	if s.Date.IsZero() {
		return errors.New("the slot has no logical date")
	}
	if err := checkKey("job", s.Job, maxCode); err != nil {
		return err
	}
	if s.Jurisdiction == "" { // a job of the whole installation
		return nil
	}
	return checkPart("jurisdiction code", s.Jurisdiction, maxJurisdiction)
}

func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error: it ends the program instead
	return hex.EncodeToString(b[:])
}

// PlanSlots writes slots down whose time is known, each planned, with its Due and By. A slot that is in the ledger already is
// left as it is, whatever its state.
func (s *Store) PlanSlots(ctx context.Context, slots []run.Run) error {
	const op = "plan slots"
	if len(slots) == 0 {
		return nil
	}
	wanted := make(map[run.Slot]runRow, len(slots))
	from, to := slots[0].Date, slots[0].Date
	for _, r := range slots {
		if err := checkSlot(r.Slot); err != nil {
			return fmt.Errorf("%s: slot %s %s %s: %w", op, r.Job, r.Jurisdiction, r.Date, err)
		}
		if r.Due.IsZero() {
			return fmt.Errorf("%s: slot %s %s %s: when it is due is empty", op, r.Job, r.Jurisdiction, r.Date)
		}
		wanted[r.Slot] = runOf(run.Run{Slot: r.Slot, State: run.Planned, Due: r.Due, By: r.By})
		from, to = min(from, r.Date), max(to, r.Date)
	}
	return s.write(ctx, op, func(t *tx) error {
		known, err := t.slots(ctx, from, to)
		if err != nil {
			return err
		}
		missing := make([]runRow, 0, len(wanted))
		for slot, row := range wanted {
			if !known[slot] {
				missing = append(missing, row)
			}
		}
		slices.SortFunc(missing, bySlot)
		// Where another worker was first, its row stays.
		return insertOr(ctx, t, missing, t.d.upsert("job, jurisdiction, logical_date")+" job = runs.job")
	})
}

func bySlot(a, b runRow) int {
	return cmp.Or(cmp.Compare(a.Job, b.Job), cmp.Compare(a.Jurisdiction, b.Jurisdiction), cmp.Compare(a.Date, b.Date))
}

// slots returns the slots of the days that are in the ledger.
func (t *tx) slots(ctx context.Context, from, to civil.Date) (map[run.Slot]bool, error) {
	out := map[run.Slot]bool{}
	var slot run.Slot
	var on day
	dest := []any{&slot.Job, &slot.Jurisdiction, &on}
	q := "SELECT job, jurisdiction, logical_date FROM runs WHERE logical_date >= ? AND logical_date <= ?"
	return out, t.each(ctx, q, []any{day(from), day(to)}, dest, func() {
		slot.Date = civil.Date(on)
		out[slot] = true
	})
}

// ClaimSlot takes a slot for a worker: a new or a planned one, one that failed, one whose lease has passed or whose worker is
// gone, and where again is set a settled one too. The claimed run is running, has a fresh token and a lease by the database's
// clock, keeps when it was due, and of a run that was done the seq it was first made on. Otherwise the run is returned as it stands, without its token.
func (s *Store) ClaimSlot(ctx context.Context, slot run.Slot, by string, lease time.Duration, again bool) (r run.Run, claimed bool, err error) {
	op := fmt.Sprintf("claim slot %s %s %s", slot.Job, slot.Jurisdiction, slot.Date)
	if err := checkSlot(slot); err != nil {
		return run.Run{}, false, fmt.Errorf("%s: %w", op, err)
	}
	err = s.write(ctx, op, func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		old, err := query[runRow](ctx, t, ofSlot, slot.Job, slot.Jurisdiction, day(slot.Date))
		if err != nil {
			return err
		}
		r = run.Run{Slot: slot, State: run.Running, By: by, Started: now, Lease: at(now.Add(lease)).Time, Token: s.claimToken()}
		if len(old) == 0 {
			claimed = true
			return t.insertOnce(ctx, runOf(r))
		}
		was := old[0].noun()
		free := !was.Lease.After(now) || s.gone != nil && s.gone(was.Token)
		claimed = was.State == run.Planned || was.State == run.Failed || was.State == run.Running && free || was.Settled() && again
		if !claimed {
			was.Token = ""
			r = was
			return nil
		}
		r.Due = was.Due
		if was.State == run.Done {
			r.Counts.Seq = was.Counts.Seq
		}
		return t.takeOver(ctx, was, r)
	})
	if err != nil {
		return run.Run{}, false, err
	}
	return r, claimed, nil
}

// insertOnce inserts a run; where another worker was first, the transaction starts again and finds it.
func (t *tx) insertOnce(ctx context.Context, r runRow) error {
	err := insert(ctx, t, []runRow{r})
	if t.d.fault(err) == faultExists {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	return err
}

// takeOver replaces a run, fenced on how it was read; where another worker was first, the transaction starts again.
func (t *tx) takeOver(ctx context.Context, was, r run.Run) error {
	row := runOf(r)
	n, err := t.exec(ctx, "UPDATE runs SET state = ?, reason = '', run_by = ?, started = ?, finished = NULL, lease = ?, token = ?, counts = ? "+
		ofSlot+" AND state = ? AND token = ?", string(row.State), row.By, row.Started, row.Lease, row.Token, row.Counts,
		row.Job, row.Jurisdiction, row.Date, string(was.State), was.Token)
	if err == nil && n == 0 {
		return errAgain
	}
	return err
}

// FinishSlot settles or fails a claimed run: state, reason, finished (the database's clock where empty) and counts, as
// given. It returns ErrLost where the run is not running under this token.
func (s *Store) FinishSlot(ctx context.Context, r run.Run) error {
	return s.write(ctx, fmt.Sprintf("finish slot %s %s %s", r.Job, r.Jurisdiction, r.Date), func(t *tx) error {
		return t.finish(ctx, r)
	})
}

func (t *tx) finish(ctx context.Context, r run.Run) error {
	if r.State == run.Running || r.State == run.Planned || r.State == "" {
		return fmt.Errorf("a finished run cannot be %q", r.State)
	}
	if r.Finished.IsZero() {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		r.Finished = now
	}
	row := runOf(r)
	n, err := t.exec(ctx, "UPDATE runs SET state = ?, reason = ?, finished = ?, lease = NULL, counts = ? "+ofSlot+" AND state = ? AND token = ?",
		string(row.State), row.Reason, row.Finished, row.Counts, row.Job, row.Jurisdiction, row.Date, string(run.Running), row.Token)
	if err == nil && n == 0 {
		return fmt.Errorf("slot %s %s %s: %w", r.Job, r.Jurisdiction, r.Date, ErrLost)
	}
	return err
}

// Runs returns the ledger, newest logical date first, without tokens. What is planned is in it, too.
func (s *Store) Runs(ctx context.Context, f run.Filter) (out []run.Run, err error) {
	var w where
	w.equal("job", f.Job)
	w.equal("jurisdiction", f.Jurisdiction)
	w.between("logical_date", f.From, f.To)
	if len(f.States) > 0 {
		w.and("state IN ("+marks(len(f.States))+")", anys(f.States)...)
	}
	order := " ORDER BY logical_date DESC, started DESC, jurisdiction, job"
	if f.Job != "" && f.Jurisdiction != "" { // one a day: in the order of the key, so that a limit ends the search
		order = " ORDER BY logical_date DESC"
	}
	err = s.read(ctx, "read runs", func(t *tx) error {
		rows, err := query[runRow](ctx, t, w.String()+order+limited(f.Limit), w.args...)
		out = nouns(rows)
		for i := range out {
			out[i].Token = ""
		}
		return err
	})
	return out, err
}

// between adds a range of days; an empty end is open.
func (w *where) between(column string, from, to civil.Date) {
	if !from.IsZero() {
		w.and(column+" >= ?", day(from))
	}
	if !to.IsZero() {
		w.and(column+" <= ?", day(to))
	}
}

// LastSettled returns the latest logical date for which the job is done or skipped; the zero date where there is none.
func (s *Store) LastSettled(ctx context.Context, job, j string) (last civil.Date, err error) {
	err = s.read(ctx, "read last settled slot of "+job+" "+j, func(t *tx) error {
		var dates []day
		err := t.SelectContext(ctx, &dates, "SELECT logical_date FROM runs WHERE job = ? AND jurisdiction = ? AND state IN (?, ?) "+
			"ORDER BY logical_date DESC LIMIT 1", job, j, string(run.Done), string(run.Skipped))
		last = 0
		if len(dates) > 0 {
			last = civil.Date(dates[0])
		}
		return err
	})
	return last, err
}

// LastStarted returns the latest instant a run was started, or skipped; the zero time where there is none.
func (s *Store) LastStarted(ctx context.Context) (last time.Time, err error) {
	err = s.read(ctx, "read the last start of a run", func(t *tx) error {
		var found stamp
		err := t.GetContext(ctx, &found, "SELECT MAX(started) FROM runs")
		last = found.Time
		return err
	})
	return last, err
}
