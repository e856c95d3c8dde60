package store

import (
	"cmp"
	"context"
	"errors"
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
		if i > 0 && slices.Equal(e.Causes, settlements[i-1].Causes) { // as a rule all are delivered
			ends[i] = ends[i-1]
			ends[i].Settlement, ends[i].Reason = e, clean(e.Reason)
			continue
		}
		if ends[i], err = endingOf(e); err != nil {
			return nil, fmt.Errorf("%s: letter %s: %w", op, e.ID, err)
		}
	}
	if len(marks)+len(ends) == 0 {
		return map[string]bool{}, nil
	}
	supposed, err := suppose(marks, ends), errOtherwise
	if supposed != nil {
		err = s.write(ctx, op, func(t *tx) error {
			lost = map[string]bool{}
			c := committing{tx: t, rows: maps.Clone(supposed), supposed: true, lost: lost}
			return c.all(ctx, marks, ends)
		})
	}
	if errors.Is(err, errOtherwise) {
		err = s.write(ctx, op, func(t *tx) error {
			lost = map[string]bool{}
			c := committing{tx: t, lost: lost}
			if err := c.look(ctx, marks, ends); err != nil {
				return err
			}
			return c.all(ctx, marks, ends)
		})
	}
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

// errOtherwise: the letters do not stand as was supposed.
var errOtherwise = errors.New("letters are not as their claimant supposes")

// suppose returns the letters as they are if all goes well: each in sending under the one token that is told with it, and
// with no attempts of a first try. The fences, and the attempts' key, find out where that is not so; then nothing is
// done, and the letters are looked at. It returns nil where there is no telling.
func suppose(marks []notice.Mark, ends []ending) map[string]held {
	rows := make(map[string]held, len(marks)+len(ends))
	add := func(id, token string, date civil.Date) bool {
		r, known := rows[id]
		if known {
			return r.Token == token && r.Date == day(date)
		}
		rows[id] = held{ID: id, Date: day(date), State: notice.Sending, Token: token}
		return token != "" && !date.IsZero()
	}
	for _, m := range marks {
		if !add(m.ID, m.Token, m.Date) {
			return nil
		}
	}
	for _, e := range ends {
		if !add(e.ID, e.Token, e.Date) {
			return nil
		}
	}
	return rows
}

// committing is one Commit under way.
type committing struct {
	*tx
	rows     map[string]held // by ID; a letter that is not there has none
	supposed bool            // the rows were not read
	lost     map[string]bool
	moved    []ending // whose moves are to be told
}

func (c *committing) all(ctx context.Context, marks []notice.Mark, ends []ending) error {
	if err := c.mark(ctx, marks); err != nil {
		return err
	}
	if err := c.settle(ctx, ends); err != nil {
		return err
	}
	if err := c.record(ctx, ends); err != nil {
		return err
	}
	return c.tell(ctx)
}

// surprised is the error of a transaction whose letters are not as they were supposed to be, or read.
func (c *committing) surprised() error {
	if c.supposed {
		return errOtherwise
	}
	return errAgain
}

// held is what of a letter's row decides on a claim.
type held struct {
	ID      string       `db:"id"`
	Date    day          `db:"logical_date"`
	State   notice.State `db:"state"`
	Token   string       `db:"token"`
	Settled string       `db:"settled"`
	Passed  bool         `db:"passed"` // its lease
}

// look reads how the letters stand. Those being sent are few and lie together in the index by state, so they are looked
// for there first: by their IDs they would be anywhere in the whole history.
func (c *committing) look(ctx context.Context, marks []notice.Mark, ends []ending) (err error) {
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
		q := "SELECT id, logical_date, state, token, settled, COALESCE(lease <= " + c.d.clock + ", TRUE) AS passed FROM notices " + fmt.Sprintf(tail, marks(len(piece)))
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

// pair is a letter under a claim.
type pair struct{ id, token string }

func byPair(a, b pair) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.token, b.token)) }

// ours is the fence: it stands behind whatever is decided from what was read or supposed. n letters, of one date, each
// under the token that is told with it.
func ours(d *dialect, n int) string {
	return " WHERE logical_date = ? AND id IN (" + marks(n) + ") AND state = ? AND (id, token) IN " + d.pairs(n)
}

// fencedUpdate changes the letters of one date. Where one of them is not as it was read, another worker came first.
func (c *committing) fencedUpdate(ctx context.Context, set string, args []any, date day, letters []pair, and string) error {
	slices.SortFunc(letters, byPair)
	for piece := range slices.Chunk(letters, maxIn) {
		list := filled(c.tx, piece)
		args := append(slices.Clip(args), date)
		for _, p := range list {
			args = append(args, p.id)
		}
		args = append(args, string(notice.Sending))
		for _, p := range list {
			args = append(args, p.id, p.token)
		}
		n, err := c.exec(ctx, "UPDATE notices "+c.d.byKey+" SET "+set+ours(c.d, len(list))+and, args...)
		if err != nil {
			return err
		}
		if n != int64(len(piece)) {
			return c.surprised()
		}
	}
	return nil
}

func (c *committing) mark(ctx context.Context, marks []notice.Mark) error {
	groups := map[day][]pair{}
	seen := map[pair]bool{}
	for _, m := range marks {
		r, p := c.rows[m.ID], pair{m.ID, m.Token}
		switch {
		case !c.holds(m.ID, m.Token) || r.Passed:
			// A claim that was settled since has no use for its mark.
			if r.Settled != m.Token || m.Token == "" {
				c.lost[m.ID] = true
			}
		case !seen[p]:
			seen[p] = true
			groups[r.Date] = append(groups[r.Date], p)
		}
	}
	for _, date := range slices.Sorted(maps.Keys(groups)) {
		if err := c.fencedUpdate(ctx, "data_at = COALESCE(data_at, "+c.d.clock+")", nil, date, groups[date], " AND lease > "+c.d.clock); err != nil {
			return err
		}
	}
	return nil
}

// end is what settlements that are made by one statement have in common.
type end struct {
	date    day
	to      notice.State
	tries   int
	nextTry time.Time
	reason  string
	resent  bool
}

func byEnd(a, b end) int {
	return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.to, b.to), cmp.Compare(a.tries, b.tries), a.nextTry.Compare(b.nextTry),
		cmp.Compare(a.reason, b.reason))
}

func (c *committing) settle(ctx context.Context, ends []ending) error {
	groups := map[end][]pair{}
	for _, e := range ends {
		r := c.rows[e.ID]
		if !c.holds(e.ID, e.Token) {
			if r.Settled != e.Token || e.Token == "" {
				c.lost[e.ID] = true
			}
			continue
		}
		k := end{r.Date, e.to, e.Tries, at(e.NextTry).Time, e.Reason, e.resent}
		groups[k] = append(groups[k], pair{e.ID, e.Token})
		r.State, r.Token, r.Settled = e.to, "", e.Token // a second settlement of the same claim finds it done
		c.rows[e.ID] = r
		if e.moved {
			c.moved = append(c.moved, e)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(groups), byEnd) {
		set := "state = ?, tries = ?, next_try = ?, reason = ?, lease = NULL, settled = token, token = ''"
		if k.resent {
			set += ", resent = TRUE"
		}
		if err := c.fencedUpdate(ctx, set, []any{string(k.to), k.tries, at(k.nextTry), k.reason}, k.date, groups[k], ""); err != nil {
			return err
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
	for len(rows) > 0 {
		n := c.insertable(len(rows))
		err := insert(ctx, c.tx, rows[:n])
		if c.d.fault(err) == faultExists { // the same is being recorded by another worker, or by a call whose outcome was lost
			return fmt.Errorf("%w: %w", c.surprised(), err)
		}
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return c.trouble(ctx, fresh)
}

// recorded returns the last number of each letter's attempts, and how many of each there are.
func (c *committing) recorded(ctx context.Context, ends []ending, piece dated) (last map[string]int, there map[attempt]int, err error) {
	last, there = map[string]int{}, map[attempt]int{}
	var ids []string
	for _, i := range piece.items {
		if !c.supposed || ends[i].Tries > 1 {
			ids = append(ids, ends[i].ID)
		}
	}
	if len(ids) == 0 {
		return last, there, nil
	}
	ids = filled(c.tx, ids)
	args := append([]any{day(piece.date)}, anys(ids)...)
	var rows []recorded
	q := "SELECT notice, token, recipient, MAX(n) AS last_n, count(*) AS many FROM attempts WHERE dated = ? AND notice IN (" +
		marks(len(ids)) + ") GROUP BY notice, token, recipient"
	if err := c.SelectContext(ctx, &rows, q, args...); err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		last[r.Notice] = max(last[r.Notice], r.Last)
		there[attempt{r.Notice, r.Token, r.Recipient}] = r.Count
	}
	return last, there, nil
}

// tell writes down the moves.
func (c *committing) tell(ctx context.Context) error {
	if len(c.moved) == 0 {
		return nil
	}
	now, err := c.now(ctx)
	if err != nil {
		return err
	}
	for _, e := range c.moved {
		m := notice.Move{Notice: e.ID, At: now, From: notice.Sending, To: e.to, Cause: e.Causes[len(e.Causes)-1], Reason: e.Reason, By: e.by()}
		if err := c.addMove(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
