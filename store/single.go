package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"duban/notify/notice"
)

// ClaimNotice takes the first letter that may leave, by logical date, jurisdiction and ID: pending or in retry, its next
// try not in the future, its jurisdiction not paused. It is sending from then on, under a fresh token and a lease by
// the database's clock; no two workers get the same one. The bool says whether there was one.
func (s *Store) ClaimNotice(ctx context.Context, f notice.ClaimFilter, lease time.Duration) (n notice.Notice, ok bool, err error) {
	err = s.write(ctx, "claim a letter", func(t *tx) error {
		n, ok = notice.Notice{}, false
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		for {
			found, err := t.candidates(ctx, f, now)
			if err != nil || len(found) == 0 {
				return err
			}
			for _, c := range found {
				won, err := t.claim(ctx, c, now, lease)
				if err != nil {
					return err
				}
				if won {
					got, err := letters(ctx, t, "WHERE id = ?", c.ID)
					if err != nil {
						return err
					}
					n, ok = got[0], true
					return nil
				}
			}
			// All of them went to other workers, so the letters get fewer and this ends.
		}
	})
	if err != nil {
		return notice.Notice{}, false, err
	}
	return n, ok, nil
}

// candidates returns the first few, each state by its index.
func (t *tx) candidates(ctx context.Context, f notice.ClaimFilter, now time.Time) ([]candidate, error) {
	var all []candidate
	for _, state := range []notice.State{notice.Pending, notice.Retry} {
		var w where
		w.and("state = ?", string(state))
		w.and("(next_try IS NULL OR next_try <= ?)", at(now))
		w.and("jurisdiction NOT IN (SELECT code FROM jurisdictions WHERE paused <> 'null')")
		w.equal("jurisdiction", f.Jurisdiction)
		w.equal("logical_date", f.Date.String())
		var some []candidate
		q := "SELECT id, jurisdiction, logical_date, state FROM notices " + w.String() + " ORDER BY logical_date, jurisdiction, id LIMIT 16"
		if err := t.SelectContext(ctx, &some, q, w.args...); err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Jurisdiction, b.Jurisdiction), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

func (t *tx) claim(ctx context.Context, c candidate, now time.Time, lease time.Duration) (bool, error) {
	to, err := notice.Next(c.State, notice.Claim)
	if err != nil {
		return false, err
	}
	n, err := t.exec(ctx, "UPDATE notices SET state = ?, token = ?, lease = ?, data_at = NULL WHERE id = ? AND state = ?",
		string(to), token(), at(now.Add(lease)), c.ID, string(c.State))
	return n == 1, err
}

// MarkData records, before the first final dot, that a server may have the letter from now on. It returns ErrLost where
// the claim is not the caller's any more or its lease has passed: then the dot must not be sent.
func (s *Store) MarkData(ctx context.Context, id, token string) error {
	return s.write(ctx, "mark letter "+id, func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, "UPDATE notices SET data_at = COALESCE(data_at, ?) WHERE id = ? AND state = ? AND token = ? AND lease > ?",
			at(now), id, string(notice.Sending), token, at(now))
		return t.fenced(ctx, id, n, err)
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

// SettleNotice records what became of a claimed letter: its state by the cause, its tries, next try and reason as given,
// and the receipts of this attempt after those of earlier ones. It ends the claim. It returns ErrLost where the letter
// is not in sending under n.Token. A lease that has passed does no harm as long as nobody acted on it.
func (s *Store) SettleNotice(ctx context.Context, n notice.Notice, cause notice.Cause, receipts []notice.Receipt) error {
	op := "settle letter " + n.ID
	to, err := notice.Next(notice.Sending, cause)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(t *tx) error {
		found, err := t.exec(ctx, "UPDATE notices SET state = ?, tries = ?, next_try = ?, reason = ?, token = '', lease = NULL, settled = ? "+
			"WHERE id = ? AND state = ? AND token = ?", string(to), n.Tries, at(n.NextTry), n.Reason, n.Token, n.ID, string(notice.Sending), n.Token)
		if err := t.fenced(ctx, n.ID, found, err); err != nil {
			return err
		}
		tried, err := attemptsOf(ctx, t, []string{n.ID})
		if err != nil {
			return err
		}
		return insert(ctx, t, attemptRows(day(n.Key.Date), n.ID, len(tried), n.Token, receipts))
	})
}

// MoveNotice moves a letter by any cause but a claim, an attempt's outcome or a later letter. It keeps the reason and who
// moved it, makes its next try due at once, and returns ErrLost where the letter is not in the state given. Expire and
// vanish also want the lease to have passed by the database's clock, and expire that no final dot may have been sent.
func (s *Store) MoveNotice(ctx context.Context, id string, from notice.State, cause notice.Cause, reason, by string) error {
	op := fmt.Sprintf("move letter %s by %s", id, cause)
	to, err := notice.Next(from, cause)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if _, err := checkMove(from, []notice.Cause{cause}); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	fence := ""
	switch cause {
	case notice.Resend, notice.Resolve, notice.Hold, notice.Release, notice.Cancel:
	case notice.Expire:
		fence = " AND lease <= ? AND data_at IS NULL"
	case notice.Vanish:
		fence = " AND lease <= ?"
	default:
		return fmt.Errorf("%s: not a cause a letter can be moved by", op)
	}
	return s.write(ctx, op, func(t *tx) error {
		args := []any{string(to), reason, by, id, string(from)}
		if fence != "" {
			now, err := t.now(ctx)
			if err != nil {
				return err
			}
			args = append(args, at(now))
		}
		n, err := t.exec(ctx, "UPDATE notices SET state = ?, reason = ?, moved_by = ?, next_try = NULL, token = '', lease = NULL "+
			"WHERE id = ? AND state = ?"+fence, args...)
		return t.fenced(ctx, id, n, err)
	})
}

// Expired returns the letters in sending whose lease has passed by the database's clock, by date, jurisdiction and ID.
func (s *Store) Expired(ctx context.Context) (out []notice.Notice, err error) {
	err = s.read(ctx, "read expired claims", func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		out, err = letters(ctx, t, "WHERE state = ? AND lease <= ? ORDER BY logical_date, jurisdiction, id", string(notice.Sending), at(now))
		return err
	})
	return out, err
}

// Sending returns the letters that are claimed at the moment, of the jurisdiction or, where that is empty, of any.
func (s *Store) Sending(ctx context.Context, j string) ([]notice.Notice, error) {
	return s.letters(ctx, "read claimed letters of "+j, "WHERE state = ? AND (jurisdiction = ? OR ? = '') ORDER BY logical_date, id", string(notice.Sending), j, j)
}
