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

// Commit marks letters and ends claims, all in one transaction, and returns the IDs of those that were lost: their claim
// is not the caller's any more or, for a mark, its lease has passed. What was lost does not keep back the others.
//
// A mark records that a server may have the letter from now on; the first one counts. A settlement gives the letter the
// state its causes make of sending, and what it is to keep. A lease that has passed does no harm to it as long as nobody
// acted on it. Receipts are recorded in any case, after the letter's earlier ones, unless there is no such letter; what
// they say of their addresses is kept as well. Where a settlement did something besides ending an attempt, a move says so.
//
// Where the outcome of the commit is not known, the same arguments may be given again: nothing is done twice, and what was
// done is not reported as lost.
func (s *Store) Commit(ctx context.Context, marks []notice.Mark, settlements []notice.Settlement) (lost map[string]bool, err error) {
	op := fmt.Sprintf("record %d marks and %d settlements", len(marks), len(settlements))
	ends := make([]ending, len(settlements))
	for i, e := range settlements {
		if ends[i], err = endingOf(e); err != nil {
			return nil, fmt.Errorf("%s: letter %s: %w", op, e.ID, err)
		}
	}
	if len(marks)+len(ends) == 0 {
		return map[string]bool{}, nil
	}
	err = s.deliver(ctx, op, func(t *tx) error {
		c := committing{tx: t, lost: map[string]bool{}}
		for _, f := range []func() error{
			func() error { return c.look(ctx, marks, ends) },
			func() error { return c.mark(ctx, marks) },
			func() error { return c.settle(ctx, ends) },
			func() error { return c.record(ctx, ends) },
			func() error { return c.tell(ctx) },
		} {
			if err := f(); err != nil {
				return err
			}
		}
		lost = c.lost
		return nil
	})
	if err != nil {
		return nil, err
	}
	return lost, nil
}

// ending is a settlement with what it makes of the letter.
type ending struct {
	notice.Settlement
	to     notice.State
	resent bool // a cause is Resend
	moved  bool // a cause does something besides ending an attempt
}

func endingOf(s notice.Settlement) (ending, error) {
	to, err := notice.Then(notice.Sending, s.Causes...)
	if err != nil {
		return ending{}, err
	}
	if to == notice.Sending {
		return ending{}, fmt.Errorf("a settlement that leaves it %s: name a cause", to)
	}
	e := ending{Settlement: s, to: to}
	e.Reason = clean(e.Reason)
	for _, c := range s.Causes {
		e.resent = e.resent || c == notice.Resend
		switch c {
		case notice.Deliver, notice.Defer, notice.Refuse, notice.Break, notice.PutBack:
		default:
			e.moved = true
		}
	}
	return e, nil
}

// by is who a settlement's move is put down to.
func (e ending) by() string {
	for _, r := range e.Receipts {
		if r.Worker != "" {
			return clean(r.Worker)
		}
	}
	return "dispatcher"
}

// committing is one Commit under way.
type committing struct {
	*tx
	now   time.Time
	rows  map[string]held // by ID; a letter that is not there has none
	lost  map[string]bool
	moved []ending // whose moves are to be told
}

// held is what of a letter's row decides on a claim.
type held struct {
	ID      string       `db:"id"`
	Date    day          `db:"logical_date"`
	State   notice.State `db:"state"`
	Token   string       `db:"token"`
	Lease   stamp        `db:"lease"`
	Settled string       `db:"settled"`
}

// look reads how the letters stand. Those being sent are few and lie together in the index by state, so they are looked
// for there first: by their IDs they would be anywhere in the whole history.
func (c *committing) look(ctx context.Context, marks []notice.Mark, ends []ending) (err error) {
	if c.now, err = c.tx.now(ctx); err != nil {
		return err
	}
	want := map[string]bool{}
	for _, m := range marks {
		want[m.ID] = true
	}
	for _, e := range ends {
		want[e.ID] = true
	}
	c.rows = make(map[string]held, len(want))
	if err := c.find(ctx, sendingByID(c.d), []any{string(notice.Sending)}, want); err != nil {
		return err
	}
	return c.find(ctx, "WHERE id IN (%s)", nil, want)
}

// sendingByID is the condition that finds letters in sending.
func sendingByID(d *dialect) string { return d.by("notices_state") + " WHERE state = ? AND id IN (%s)" }

// find reads letters and takes them off the list.
func (c *committing) find(ctx context.Context, tail string, args []any, want map[string]bool) error {
	for piece := range slices.Chunk(slices.Sorted(maps.Keys(want)), maxIn) {
		var rows []held
		q := "SELECT id, logical_date, state, token, lease, settled FROM notices " + fmt.Sprintf(tail, marks(len(piece)))
		if err := c.SelectContext(ctx, &rows, q, slices.Concat(args, anys(piece))...); err != nil {
			return err
		}
		for _, r := range rows {
			c.rows[r.ID] = r
			delete(want, r.ID)
		}
	}
	return nil
}

// holds reports whether the letter is in sending under the token.
func (c *committing) holds(id, token string) bool {
	r := c.rows[id]
	return r.State == notice.Sending && r.Token == token
}

// ours is the fence: it stands behind whatever is decided from what was read.
const ours = " WHERE logical_date = ? AND id IN (%s) AND state = ? AND token = ?"

// fencedUpdate changes the letters with these IDs, all of one date and claim. Where one of them is not as it was read,
// another worker came first and the transaction starts again.
func (c *committing) fencedUpdate(ctx context.Context, set string, args []any, date day, token string, ids []string, and string, more ...any) error {
	q := "UPDATE notices " + c.d.byKey + " SET " + set + fmt.Sprintf(ours, marks(len(ids))) + and
	n, err := c.exec(ctx, q, slices.Concat(args, []any{date}, anys(ids), []any{string(notice.Sending), token}, more)...)
	if err == nil && n != int64(len(ids)) {
		return errAgain
	}
	return err
}

// claim is what letters that are changed by one statement have in common.
type claim struct {
	date  day
	token string
}

func (c *committing) mark(ctx context.Context, marks []notice.Mark) error {
	groups := map[claim][]string{}
	seen := map[notice.Mark]bool{}
	for _, m := range marks {
		r := c.rows[m.ID]
		switch {
		case !c.holds(m.ID, m.Token) || !r.Lease.After(c.now):
			// A claim that was settled since has no use for its mark.
			if r.Settled != m.Token || m.Token == "" {
				c.lost[m.ID] = true
			}
		case !seen[m]:
			seen[m] = true
			k := claim{r.Date, m.Token}
			groups[k] = append(groups[k], m.ID)
		}
	}
	now := at(c.now)
	for _, k := range slices.SortedFunc(maps.Keys(groups), byClaim) {
		ids := groups[k]
		slices.Sort(ids)
		for piece := range slices.Chunk(ids, maxIn) {
			if err := c.fencedUpdate(ctx, "data_at = COALESCE(data_at, ?)", []any{now}, k.date, k.token, piece, " AND lease > ?", now); err != nil {
				return err
			}
		}
	}
	return nil
}

func byClaim(a, b claim) int {
	return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.token, b.token))
}

// end is what settlements that are made by one statement have in common.
type end struct {
	claim
	to      notice.State
	tries   int
	nextTry time.Time
	reason  string
	resent  bool
}

func byEnd(a, b end) int {
	return cmp.Or(byClaim(a.claim, b.claim), cmp.Compare(a.to, b.to), cmp.Compare(a.tries, b.tries), a.nextTry.Compare(b.nextTry),
		cmp.Compare(a.reason, b.reason))
}

func (c *committing) settle(ctx context.Context, ends []ending) error {
	groups := map[end][]string{}
	for _, e := range ends {
		r := c.rows[e.ID]
		if !c.holds(e.ID, e.Token) {
			if r.Settled != e.Token || e.Token == "" {
				c.lost[e.ID] = true
			}
			continue
		}
		k := end{claim{r.Date, e.Token}, e.to, e.Tries, at(e.NextTry).Time, e.Reason, e.resent}
		groups[k] = append(groups[k], e.ID)
		r.State, r.Token, r.Settled = e.to, "", e.Token // a second settlement of the same claim finds it done
		c.rows[e.ID] = r
		if e.moved {
			c.moved = append(c.moved, e)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(groups), byEnd) {
		set := "state = ?, tries = ?, next_try = ?, reason = ?, token = '', lease = NULL, settled = ?"
		if k.resent {
			set += ", resent = TRUE"
		}
		args := []any{string(k.to), k.tries, at(k.nextTry), k.reason, k.token}
		ids := groups[k]
		slices.Sort(ids)
		for piece := range slices.Chunk(ids, maxIn) {
			if err := c.fencedUpdate(ctx, set, args, k.date, k.token, piece, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// recorded counts the attempts of one letter that were made under one claim at one recipient.
type recorded struct {
	Notice    string `db:"notice"`
	Token     string `db:"token"`
	Recipient int    `db:"recipient"`
	Last      int    `db:"last_n"`
	Count     int    `db:"many"`
}

// attempt names what counts as the same attempt: it is recorded once, however often it is told.
type attempt struct {
	notice, token string
	recipient     int
}

// record adds the receipts that are not there yet, and keeps what they say of their addresses.
func (c *committing) record(ctx context.Context, ends []ending) error {
	ends = slices.Clone(ends)
	ends = slices.DeleteFunc(ends, func(e ending) bool {
		_, known := c.rows[e.ID]
		return !known || len(e.Receipts) == 0
	})
	var rows []attemptRow
	var fresh []notice.Receipt
	dateOf := func(e ending) civil.Date { return civil.Date(c.rows[e.ID].Date) }
	for _, piece := range byDate(ends, dateOf) {
		last, there, err := c.recorded(ctx, ends, piece)
		if err != nil {
			return err
		}
		for _, i := range piece.items {
			e := ends[i]
			for _, r := range e.Receipts {
				if k := (attempt{e.ID, e.Token, r.Recipient}); there[k] > 0 {
					there[k]--
					continue
				}
				last[e.ID]++
				rows = append(rows, attemptOf(day(piece.date), e.ID, last[e.ID], e.Token, r))
				fresh = append(fresh, r)
			}
		}
	}
	err := insert(ctx, c.tx, rows)
	if c.d.fault(err) == faultExists { // the same is being recorded by another worker, or by a call whose outcome was lost
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	if err != nil {
		return err
	}
	return c.trouble(ctx, c.now, fresh)
}

// recorded returns the last number of each letter's attempts, and how many of each there are.
func (c *committing) recorded(ctx context.Context, ends []ending, piece dated) (last map[string]int, there map[attempt]int, err error) {
	args := []any{day(piece.date)}
	for _, i := range piece.items {
		args = append(args, ends[i].ID)
	}
	var rows []recorded
	q := "SELECT notice, token, recipient, MAX(n) AS last_n, count(*) AS many FROM attempts WHERE dated = ? AND notice IN (" +
		marks(len(piece.items)) + ") GROUP BY notice, token, recipient"
	if err := c.SelectContext(ctx, &rows, q, args...); err != nil {
		return nil, nil, err
	}
	last, there = map[string]int{}, map[attempt]int{}
	for _, r := range rows {
		last[r.Notice] = max(last[r.Notice], r.Last)
		there[attempt{r.Notice, r.Token, r.Recipient}] = r.Count
	}
	return last, there, nil
}

// tell writes down the moves.
func (c *committing) tell(ctx context.Context) error {
	for _, e := range c.moved {
		m := notice.Move{Notice: e.ID, At: c.now, From: notice.Sending, To: e.to, Cause: e.Causes[len(e.Causes)-1], Reason: e.Reason, By: e.by()}
		if err := c.addMove(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
