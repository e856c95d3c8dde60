package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
)

type moveRow struct {
	Notice string       `db:"notice"`
	N      int          `db:"n"` // from 1, per letter
	At     stamp        `db:"moved_at"`
	From   notice.State `db:"from_state"`
	To     notice.State `db:"to_state"`
	Cause  notice.Cause `db:"cause"`
	Reason string       `db:"reason"`
	By     string       `db:"moved_by"`
}

func (moveRow) table() string { return "moves" }

func (r moveRow) noun() notice.Move {
	return notice.Move{Notice: r.Notice, N: r.N, At: r.At.Time, From: r.From, To: r.To, Cause: r.Cause, Reason: r.Reason, By: r.By}
}

// addMove writes down a move of a letter whose row this transaction has changed, so that no other can number it alike.
func (t *tx) addMove(ctx context.Context, m notice.Move) error {
	var last int
	if err := t.GetContext(ctx, &last, "SELECT COALESCE(MAX(n), 0) FROM moves WHERE notice = ?", m.Notice); err != nil {
		return err
	}
	return insert(ctx, t, []moveRow{{m.Notice, last + 1, at(m.At), m.From, m.To, m.Cause, clean(m.Reason), clean(m.By)}})
}

// bornHeld are the first moves of new letters that are held from the first. They keep why: what moves the letter later puts
// its own reason in the place of that. A draft needs none, its document says it.
func bornHeld(letters []noticeRow, drafts []notice.Document, by string) (out []moveRow) {
	for _, n := range letters {
		draft := func(d notice.Document) bool { return d.ID == n.ID }
		if n.State == notice.Held && !slices.ContainsFunc(drafts, draft) {
			out = append(out, moveRow{n.ID, 1, stamp{}, notice.Pending, notice.Held, notice.Hold, clean(n.Reason), clean(by)})
		}
	}
	return out
}

// addBirths writes down the first moves of letters that this write, which is noted already, has brought.
func (t *tx) addBirths(ctx context.Context, j string, seq int64, born []moveRow) error {
	if len(born) == 0 {
		return nil
	}
	when, err := t.noted(ctx, j, seq)
	if err != nil {
		return err
	}
	for i := range born {
		born[i].At = at(when)
	}
	return insert(ctx, t, born)
}

// movable are the causes a letter can be moved by that is not settled by its claimant nor by a plan.
var movable = [...]notice.Cause{
	notice.Resend, notice.Reopen, notice.Resolve, notice.Hold, notice.Release, notice.Hasten, notice.Cancel, notice.Expire, notice.Vanish,
}

// checkMove returns the state a letter comes to.
func checkMove(from notice.State, causes []notice.Cause) (notice.State, error) {
	if len(causes) == 0 {
		return from, errors.New("no cause is named")
	}
	for _, c := range causes {
		if !slices.Contains(movable[:], c) {
			return from, fmt.Errorf("%s is not a cause a letter can be moved by", c)
		}
	}
	if from == notice.Sending {
		return from, fmt.Errorf("a letter that is %s is its worker's: it can only be taken back when its lease has passed", from)
	}
	return notice.Then(from, causes...)
}

// TakeBack takes a letter from a worker that is gone, by causes one after the other: expire, where no final dot may have been
// sent, or vanish comes first. The letter is as it was read by the caller: it returns ErrLost where the claim is not the
// letter's token any more, or its lease has not passed by the database's clock, and where it is to be sent once more and
// was already. It keeps the reason and who did it, writes the move down and makes the next try due at once.
func (s *Store) TakeBack(ctx context.Context, n notice.Notice, reason, by string, causes ...notice.Cause) error {
	op := fmt.Sprintf("take back letter %s by %v", n.ID, causes)
	to, err := checkTakeBack(n, causes)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	reason, by = clean(reason), clean(by)
	set := "state = ?, reason = ?, moved_by = ?, next_try = NULL, token = '', lease = NULL"
	fence := "id = ? AND state = ? AND token = ? AND lease <= ?"
	if causes[0] == notice.Expire {
		fence += " AND data_at IS NULL"
	}
	if slices.Contains(causes, notice.Resend) {
		set, fence = set+", resent = TRUE", fence+" AND resent = FALSE"
	}
	return s.write(ctx, op, func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		changed, err := t.exec(ctx, "UPDATE notices SET "+set+" WHERE "+fence, string(to), reason, by, n.ID, string(notice.Sending), n.Token, at(now))
		if err := t.fenced(ctx, n.ID, changed, err); err != nil {
			return err
		}
		return t.addMove(ctx, notice.Move{Notice: n.ID, At: now, From: notice.Sending, To: to, Cause: causes[len(causes)-1], Reason: reason, By: by})
	})
}

// checkTakeBack returns the state a letter comes to.
func checkTakeBack(n notice.Notice, causes []notice.Cause) (notice.State, error) {
	if n.Token == "" {
		return n.State, errors.New("it is under no claim")
	}
	if len(causes) == 0 || causes[0] != notice.Expire && causes[0] != notice.Vanish {
		return n.State, fmt.Errorf("%s or %s has to come first", notice.Expire, notice.Vanish)
	}
	for _, c := range causes {
		if !slices.Contains(movable[:], c) {
			return n.State, fmt.Errorf("%s is not a cause a letter can be moved by", c)
		}
	}
	return notice.Then(notice.Sending, causes...)
}

// Move moves a letter by causes one after the other, in one step: any but a claim, an attempt's outcome or a later letter.
// It keeps the reason and who moved it, writes the move down, makes its next try due at once, and returns ErrLost where
// the letter is not in the state given. A letter that a worker holds is not moved: see TakeBack. One that is sent once more
// is marked as such. One that had failed, was held, or waited for a person, gets a new deadline with its next claim.
func (s *Store) Move(ctx context.Context, id string, from notice.State, reason, by string, causes ...notice.Cause) error {
	op := fmt.Sprintf("move letter %s by %v", id, causes)
	to, err := checkMove(from, causes)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	reason, by = clean(reason), clean(by)
	set := "state = ?, reason = ?, moved_by = ?, next_try = NULL"
	if slices.Contains(causes, notice.Resend) {
		set += ", resent = TRUE"
	}
	if from == notice.Failed || from == notice.Unknown || from == notice.Held {
		set += ", deadline = NULL"
	}
	return s.write(ctx, op, func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, "UPDATE notices SET "+set+" WHERE id = ? AND state = ?", string(to), reason, by, id, string(from))
		if err := t.fenced(ctx, id, n, err); err != nil {
			return err
		}
		return t.addMove(ctx, notice.Move{Notice: id, At: now, From: from, To: to, Cause: causes[len(causes)-1], Reason: reason, By: by})
	})
}

// fenced turns "no row was found" into ErrLost, or ErrNotFound where there is no such letter at all.
func (t *tx) fenced(ctx context.Context, id string, n int64, err error) error {
	if err != nil || n > 0 {
		return err
	}
	var known int
	if err := t.GetContext(ctx, &known, "SELECT count(*) FROM notices WHERE id = ?", id); err != nil {
		return err
	}
	if known == 0 {
		return ErrNotFound
	}
	return ErrLost
}

// Moves returns what was done with a letter besides its attempts, in order; none where there is no such letter.
func (s *Store) Moves(ctx context.Context, id string) (out []notice.Move, err error) {
	err = s.read(ctx, "read moves of letter "+id, func(t *tx) error {
		rows, err := query[moveRow](ctx, t, "WHERE notice = ? ORDER BY n", id)
		out = nouns(rows)
		return err
	})
	return out, err
}

// Attempts returns all receipts of a letter in the order of their recording; none where there is no such letter.
func (s *Store) Attempts(ctx context.Context, id string) (out []notice.Receipt, err error) {
	err = s.read(ctx, "read attempts of letter "+id, func(t *tx) error {
		rows, err := attemptsOf(ctx, t, []string{id})
		out = nouns(rows)
		return err
	})
	return out, err
}

// HoldNotices keeps back every ordinary letter under the filter that is pending or in retry, until the instant (zero: until
// a person releases it), and returns how many they were. They may be thousands: their reason says it, and no moves.
func (s *Store) HoldNotices(ctx context.Context, f notice.ClaimFilter, until time.Time, reason string) (n int, err error) {
	err = s.write(ctx, "hold letters", func(t *tx) error {
		n = 0
		for _, state := range claimable {
			to, err := notice.Next(state, notice.Hold)
			if err != nil {
				return err
			}
			var w where
			w.and("state = ?", string(state))
			w.ordinary()
			w.under(f)
			held, err := t.exec(ctx, holdSet(t.d)+w.String(), append([]any{string(to), at(until), clean(reason)}, w.args...)...)
			if err != nil {
				return err
			}
			n += int(held)
		}
		return nil
	})
	return n, err
}

// holdSet begins the statement that moves all letters of a state.
func holdSet(d *dialect) string {
	return "UPDATE notices " + d.by("notices_state") + " SET state = ?, next_try = ?, reason = ? "
}

// releaseSet is holdSet for letters that are let go.
func releaseSet(d *dialect) string {
	return "UPDATE notices " + d.by("notices_state") + " SET state = ?, next_try = ?, reason = ?, deadline = NULL "
}

// ReleaseHeld lets go the letters under the filter that were held until an instant, whether or not it has come: the caller
// knows that they may leave. It returns how many they were. The time they were held is none of that they are tried in:
// they get a new deadline with their next claim. What waits for a plan or for a person goes on waiting.
func (s *Store) ReleaseHeld(ctx context.Context, f notice.ClaimFilter, reason string) (n int, err error) {
	to, err := notice.Next(notice.Held, notice.Release)
	if err != nil {
		return 0, fmt.Errorf("release letters: %w", err)
	}
	err = s.write(ctx, "release letters", func(t *tx) error {
		var w where
		w.and("state = ?", string(notice.Held))
		w.and("next_try IS NOT NULL")
		w.under(f)
		free, err := t.exec(ctx, releaseSet(t.d)+w.String(), append([]any{string(to), stamp{}, clean(reason)}, w.args...)...)
		n = int(free)
		return err
	})
	return n, err
}

// Dispatch lets letters leave that were recorded while the days they were planned among were filled in, and marks those whose
// moment had passed by then as superseded: by the letter named, or by none. Letters in another state stay as they are, so that
// it may be repeated. It returns how many are to leave.
func (s *Store) Dispatch(ctx context.Context, leave []string, superseded map[string]string, reason string) (n int, err error) {
	op := fmt.Sprintf("dispatch %d letters that were recorded", len(leave))
	to, err := notice.Next(notice.Recorded, notice.Dispatch)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	over, err := notice.Next(notice.Recorded, notice.Supersede)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	err = s.write(ctx, op, func(t *tx) error {
		n = 0
		for _, id := range slices.Sorted(maps.Keys(superseded)) {
			_, err := t.exec(ctx, "UPDATE notices SET state = ?, superseded_by = ?, reason = ? WHERE id = ? AND state = ?",
				string(over), superseded[id], "its moment had passed when it was to leave", id, string(notice.Recorded))
			if err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(slices.Values(leave)) {
			found, err := t.exec(ctx, "UPDATE notices SET state = ?, reason = ?, deadline = NULL WHERE id = ? AND state = ?",
				string(to), clean(reason), id, string(notice.Recorded))
			if err != nil {
				return err
			}
			n += int(found)
		}
		return nil
	})
	return n, err
}

// LetterCounts returns how many letters of the jurisdiction, or of all where it is empty, are in each state that has any.
// It reads an index alone, but all of it.
//
// Where states are named it counts those alone, and reads no more of the index than that.
func (s *Store) LetterCounts(ctx context.Context, j string, states ...notice.State) (out map[notice.State]int, err error) {
	err = s.read(ctx, "count letters", func(t *tx) error {
		var rows []struct {
			State notice.State `db:"state"`
			N     int          `db:"n"`
		}
		var w where
		w.equal("jurisdiction", j)
		if len(states) > 0 {
			w.and("state IN ("+marks(len(states))+")", anys(states)...)
		}
		err := t.SelectContext(ctx, &rows, countQuery(t.d, w), w.args...)
		out = map[notice.State]int{}
		for _, r := range rows {
			out[r.State] = r.N
		}
		return err
	})
	return out, err
}

func countQuery(d *dialect, w where) string {
	return "SELECT state, count(*) AS n FROM notices " + d.by("notices_state") + " " + w.String() + " GROUP BY state"
}

// OldestOpen returns the first letter by date of the jurisdiction, or of all where it is empty, that may still leave:
// pending, in retry or held. It comes without facts and receipts. The bool says whether there is one.
func (s *Store) OldestOpen(ctx context.Context, j string) (n notice.Notice, ok bool, err error) {
	err = s.read(ctx, "read the oldest open letter", func(t *tx) error {
		n, ok = notice.Notice{}, false
		for _, state := range notice.States() {
			if !state.Open() {
				continue
			}
			var w where
			w.and("state = ?", string(state))
			w.equal("jurisdiction", j)
			rows, err := query[noticeRow](ctx, t, t.d.by("notices_state")+" "+w.String()+" ORDER BY logical_date, jurisdiction, id LIMIT 1", w.args...)
			if err != nil {
				return err
			}
			if len(rows) > 0 && (!ok || civil.Date(rows[0].Date) < n.Key.Date) {
				n, ok = rows[0].noun(), true
			}
		}
		return nil
	})
	return n, ok, err
}

// FailedSince returns the jurisdiction's letters of the kind that failed and are dated from the first day to the one before
// the second. Without a kind it returns all ordinary ones.
func (s *Store) FailedSince(ctx context.Context, j, kind string, since, before civil.Date) ([]notice.Notice, error) {
	w := failedWhere(j, kind, since, before)
	return s.letters(ctx, "read failed letters of "+j, s.d.by("notices_state")+" "+w.String()+byReader, w.args...)
}

func failedWhere(j, kind string, since, before civil.Date) (w where) {
	w.and("state = ?", string(notice.Failed))
	w.and("logical_date >= ?", day(since))
	w.and("logical_date < ?", day(before))
	w.and("jurisdiction = ?", j)
	w.ofKind(kind)
	return w
}
