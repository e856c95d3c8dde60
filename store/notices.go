package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
)

type noticeRow struct {
	ID           string            `db:"id"`
	Jurisdiction string            `db:"jurisdiction"`
	Date         day               `db:"logical_date"`
	Unit         string            `db:"unit"`
	Role         string            `db:"role"`
	Kind         string            `db:"kind"`
	Matter       string            `db:"matter"`
	Job          string            `db:"job"`
	Facts        doc[notice.Facts] `db:"facts"`
	State        notice.State      `db:"state"`
	Tries        int               `db:"tries"`
	NextTry      stamp             `db:"next_try"`
	Token        string            `db:"token"`
	Lease        stamp             `db:"lease"`
	DataAt       stamp             `db:"data_at"`
	SupersededBy string            `db:"superseded_by"`
	Reason       string            `db:"reason"`
	MovedBy      string            `db:"moved_by"` // who made the last move by hand
}

func (noticeRow) table() string { return "notices" }

func noticeOf(n notice.Notice) noticeRow {
	return noticeRow{
		ID: n.ID, Jurisdiction: n.Key.Jurisdiction, Date: day(n.Key.Date), Unit: n.Key.Unit, Role: n.Key.Role, Kind: n.Key.Kind,
		Matter: n.Key.Matter, Job: n.Job, Facts: doc[notice.Facts]{n.Facts}, State: n.State, Tries: n.Tries, NextTry: at(n.NextTry),
		Token: n.Token, Lease: at(n.Lease), DataAt: at(n.DataAt), SupersededBy: n.SupersededBy, Reason: n.Reason,
	}
}

func (r noticeRow) noun() notice.Notice {
	return notice.Notice{
		ID: r.ID, Key: notice.Key{Jurisdiction: r.Jurisdiction, Date: civil.Date(r.Date), Unit: r.Unit, Role: r.Role, Kind: r.Kind, Matter: r.Matter},
		Job: r.Job, Facts: r.Facts.V, State: r.State, Tries: r.Tries, NextTry: r.NextTry.Time, Token: r.Token,
		Lease: r.Lease.Time, DataAt: r.DataAt.Time, SupersededBy: r.SupersededBy, Reason: r.Reason,
	}
}

type attemptRow struct {
	Notice    string         `db:"notice"`
	N         int            `db:"n"` // from 1, per letter, in order of recording
	Recipient int            `db:"recipient"`
	Email     string         `db:"email"`
	Copy      bool           `db:"is_copy"`
	Outcome   notice.Outcome `db:"outcome"`
	Reply     string         `db:"reply"`
	SHA256    string         `db:"sha256"`
	At        stamp          `db:"answered_at"`
}

func (attemptRow) table() string { return "attempts" }

func attemptRows(id string, after int, receipts []notice.Receipt) []attemptRow {
	rows := make([]attemptRow, len(receipts))
	for i, r := range receipts {
		rows[i] = attemptRow{id, after + i + 1, r.Recipient, r.Email, r.Copy, r.Outcome, r.Reply, r.SHA256, at(r.At)}
	}
	return rows
}

// noticeRows turns new letters into rows, with the receipts they may bring.
func noticeRows(j string, letters []notice.Notice) (rows []noticeRow, receipts []attemptRow, err error) {
	for _, n := range letters {
		if n.Key.Jurisdiction != j || n.Key.Date.IsZero() {
			return nil, nil, fmt.Errorf("letter to %s: its key wants jurisdiction %s and a date", n.Key.Unit, j)
		}
		if err := checkPart("unit code", n.Key.Unit, maxCode); err != nil {
			return nil, nil, fmt.Errorf("letter of %s: %w", n.Key.Date, err)
		}
		n.ID = cmp.Or(n.ID, n.Key.ID())
		n.State = cmp.Or(n.State, notice.Pending)
		if n.ID != n.Key.ID() {
			return nil, nil, fmt.Errorf("letter to %s of %s: its ID is not its key's", n.Key.Unit, n.Key.Date)
		}
		rows = append(rows, noticeOf(n))
		receipts = append(receipts, attemptRows(n.ID, 0, n.Receipts)...)
	}
	return rows, receipts, nil
}

// letters reads letters with the latest receipt of each recipient.
func letters(ctx context.Context, t *tx, tail string, args ...any) ([]notice.Notice, error) {
	rows, err := query[noticeRow](ctx, t, tail, args...)
	if err != nil {
		return nil, err
	}
	out := nouns(rows)
	ids, place := make([]string, len(out)), make(map[string]int, len(out))
	for i, n := range out {
		ids[i], place[n.ID] = n.ID, i
	}
	tried, err := queryIn[attemptRow](ctx, t, "WHERE notice IN (%s) ORDER BY notice, n", nil, ids)
	if err != nil {
		return nil, err
	}
	for _, a := range tried {
		n := &out[place[a.Notice]]
		r := notice.Receipt{Recipient: a.Recipient, Email: a.Email, Copy: a.Copy, Outcome: a.Outcome, Reply: a.Reply, SHA256: a.SHA256, At: a.At.Time}
		if i := slices.IndexFunc(n.Receipts, func(o notice.Receipt) bool { return o.Recipient == r.Recipient }); i >= 0 {
			n.Receipts[i] = r
		} else {
			n.Receipts = append(n.Receipts, r)
		}
	}
	for i := range out {
		slices.SortFunc(out[i].Receipts, func(a, b notice.Receipt) int { return cmp.Compare(a.Recipient, b.Recipient) })
	}
	return out, nil
}

func (s *Store) letters(ctx context.Context, op, tail string, args ...any) (out []notice.Notice, err error) {
	err = s.read(ctx, op, func(t *tx) error {
		out, err = letters(ctx, t, tail, args...)
		return err
	})
	return out, err
}

func unsentTail(d *dialect) string {
	return d.by("notices_state") + " WHERE jurisdiction = ? AND logical_date < ? AND matter = '' AND state IN (?, ?, ?) ORDER BY logical_date, unit, role, id"
}

// Unsent returns the jurisdiction's ordinary letters dated before the day that may still leave: pending, retry or held.
func (s *Store) Unsent(ctx context.Context, j string, before civil.Date) ([]notice.Notice, error) {
	return s.letters(ctx, "read unsent letters of "+j,
		unsentTail(s.d), j, day(before), string(notice.Pending), string(notice.Retry), string(notice.Held))
}

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
			found, err := t.claimable(ctx, f, now)
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

// candidate is a letter that may be claimed.
type candidate struct {
	ID           string       `db:"id"`
	Jurisdiction string       `db:"jurisdiction"`
	Date         day          `db:"logical_date"`
	State        notice.State `db:"state"`
}

// claimable returns the first few, each state by its index.
func (t *tx) claimable(ctx context.Context, f notice.ClaimFilter, now time.Time) ([]candidate, error) {
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
		found, err := t.exec(ctx, "UPDATE notices SET state = ?, tries = ?, next_try = ?, reason = ?, token = '', lease = NULL "+
			"WHERE id = ? AND state = ? AND token = ?", string(to), n.Tries, at(n.NextTry), n.Reason, n.ID, string(notice.Sending), n.Token)
		if err := t.fenced(ctx, n.ID, found, err); err != nil {
			return err
		}
		var last int
		if err := t.GetContext(ctx, &last, "SELECT COALESCE(MAX(n), 0) FROM attempts WHERE notice = ?", n.ID); err != nil {
			return err
		}
		return insert(ctx, t, attemptRows(n.ID, last, receipts))
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

// Notices returns the letters the filter lets through with the latest receipt of each recipient, by date, jurisdiction,
// unit, role and ID. It returns ErrNotFound where After names no letter.
func (s *Store) Notices(ctx context.Context, f notice.Filter) (out []notice.Notice, err error) {
	err = s.read(ctx, "read letters", func(t *tx) error {
		var w where
		w.equal("jurisdiction", f.Jurisdiction)
		w.equal("unit", f.Unit)
		w.equal("state", string(f.State))
		w.between("logical_date", f.From, f.To)
		if f.After != "" {
			after, err := query[noticeRow](ctx, t, "WHERE id = ?", f.After)
			if err != nil {
				return err
			}
			if len(after) == 0 {
				return fmt.Errorf("letter %s: %w", f.After, ErrNotFound)
			}
			a := after[0]
			w.and("(logical_date, jurisdiction, unit, role, id) > (?, ?, ?, ?, ?)", a.Date, a.Jurisdiction, a.Unit, a.Role, a.ID)
		}
		out, err = letters(ctx, t, w.String()+" ORDER BY logical_date, jurisdiction, unit, role, id"+limited(f.Limit), w.args...)
		return err
	})
	return out, err
}

// Notice returns one letter, or ErrNotFound.
func (s *Store) Notice(ctx context.Context, id string) (notice.Notice, error) {
	op := "read letter " + id
	out, err := s.letters(ctx, op, "WHERE id = ?", id)
	if err != nil {
		return notice.Notice{}, err
	}
	if len(out) == 0 || out[0].ID != id {
		return notice.Notice{}, fmt.Errorf("%s: %w", op, ErrNotFound)
	}
	return out[0], nil
}

// Served returns, for each letter that was sent, or was taken over by one that was, the logical date of the sent one. What
// was sent in a trial run reached nobody.
// A letter is taken over at most once a day, so the chain is short.
func (s *Store) Served(ctx context.Context, ids []string) (map[string]civil.Date, error) {
	out := map[string]civil.Date{}
	err := s.read(ctx, "read served letters", func(t *tx) error {
		clear(out)
		ask := map[string][]string{} // the letter asked about now → the letters it stands for
		for _, id := range ids {
			ask[id] = []string{id}
		}
		for len(ask) > 0 {
			next := map[string][]string{}
			for piece := range slices.Chunk(slices.Sorted(maps.Keys(ask)), maxIn) {
				var rows []struct {
					ID   string `db:"id"`
					On   day    `db:"logical_date"`
					Sent bool   `db:"sent"`
					By   string `db:"superseded_by"`
				}
				q := "SELECT id, logical_date, state = ? AS sent, superseded_by FROM notices WHERE (state = ? AND reason NOT LIKE ? OR superseded_by <> '') AND id IN (" + marks(len(piece)) + ")"
				args := []any{string(notice.Sent), string(notice.Sent), "%" + notice.TrialRun + "%"}
				if err := t.SelectContext(ctx, &rows, q, slices.Concat(args, anys(piece))...); err != nil {
					return err
				}
				for _, r := range rows {
					for _, id := range ask[r.ID] {
						if r.Sent {
							out[id] = civil.Date(r.On)
						} else {
							next[r.By] = append(next[r.By], id)
						}
					}
				}
			}
			ask = next
		}
		return nil
	})
	return out, err
}

// NoticeIDs returns the letters of the day, whatever became of them: a key is used once, so that a reader whose letter was
// taken over or cancelled gets no other one under the same date.
func (s *Store) NoticeIDs(ctx context.Context, j string, d civil.Date) (out []string, err error) {
	err = s.read(ctx, "read letters of the day", func(t *tx) error {
		out = nil
		return t.SelectContext(ctx, &out, "SELECT id FROM notices WHERE jurisdiction = ? AND logical_date = ? ORDER BY id", j, day(d))
	})
	return out, err
}
