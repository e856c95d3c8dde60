package store

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// claimable are the states a letter may be claimed in.
var claimable = [...]notice.State{notice.Pending, notice.Retry}

// under narrows a query to the letters of a filter.
func (w *where) under(f notice.ClaimFilter) {
	w.equal("jurisdiction", f.Jurisdiction)
	// An equality and no range of one day: only so do the jurisdiction and the order come out of the index as well.
	w.equal("logical_date", f.Date.String())
	if !f.Before.IsZero() {
		w.and("logical_date < ?", day(f.Before))
	}
	w.equal("kind", f.Kind)
}

// awake leaves out what belongs to paused jurisdictions.
func (w *where) awake(paused []string) {
	if len(paused) > 0 {
		w.and("jurisdiction NOT IN ("+marks(len(paused))+")", anys(paused)...)
	}
}

func (t *tx) paused(ctx context.Context) (codes []string, err error) {
	return codes, t.SelectContext(ctx, &codes, "SELECT code FROM jurisdictions WHERE paused <> 'null'")
}

// ClaimNotices takes up to limit letters that may leave, by logical date, jurisdiction and ID: pending or in retry, their
// next try not in the future, their jurisdiction not paused. They are sending from then on, all under one fresh token and
// a lease by the database's clock; trying ends giveUp after a letter's first claim. No two workers get the same letter,
// and on an engine with several writers none waits for another: it takes the letters after those.
//
// Where the outcome of the commit is not known, the letters may be held under a token that nobody knows. Nothing of
// them was sent, so they come back when the lease passes.
func (s *Store) ClaimNotices(ctx context.Context, f notice.ClaimFilter, limit int, lease, giveUp time.Duration) ([]notice.Notice, error) {
	const op = "claim letters"
	if limit <= 0 {
		return nil, nil
	}
	var rows []claimedRow
	var tried []attemptRow
	err := s.write(ctx, op, func(t *tx) error {
		rows, tried = nil, nil
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		if rows, err = t.take(ctx, f, now, limit); err != nil || len(rows) == 0 {
			return err
		}
		if err := t.lease(ctx, rows, s.claimToken(), now, lease, giveUp); err != nil {
			return err
		}
		tried, err = t.tried(ctx, rows)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	out, place := make([]notice.Notice, len(rows)), make(map[string]int, len(rows))
	of := shapeOf(reflect.TypeFor[notice.Facts]())
	for i, r := range rows { // here and not above: reading JSON is no work to keep other writers waiting for
		out[i], place[r.ID] = r.noun(), i
		if err := readFacts(of, r.facts, &out[i].Facts); err != nil {
			return nil, fmt.Errorf("%s: facts of letter %s: %w", op, r.ID, err)
		}
	}
	addReceipts(out, place, tried)
	return out, nil
}

// claimedRow is a letter with its facts as they are stored.
type claimedRow struct {
	noticeRow
	facts string
	tried bool         // there are attempts of it
	was   notice.State // when it was read
}

// claimedColumns are what a claimedRow is read from; the letter's table is called notices, the other one is joined.
func claimedColumns() string {
	return strings.Join(columns[noticeRow](), ", ") + ", facts, EXISTS (SELECT 1 FROM attempts WHERE attempts.dated = logical_date AND attempts.notice = id)"
}

// claimed reads rows of claimedColumns.
func (t *tx) claimed(ctx context.Context, q string, args ...any) (out []claimedRow, err error) {
	var r claimedRow
	dest := append(r.dest(), &r.facts, &r.tried)
	return out, t.each(ctx, q, args, dest, func() { out = append(out, r) })
}

// candidate is a letter that may be claimed.
type candidate struct {
	ID           string
	Jurisdiction string
	Date         day
}

func byTurn(a, b candidate) int {
	return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Jurisdiction, b.Jurisdiction), cmp.Compare(a.ID, b.ID))
}

// claimTail is the end of the query for candidates of one state. The index holds all that is asked for.
func claimTail(d *dialect, w where, limit int) string {
	return d.by("notices_state") + " " + w.String() + " ORDER BY logical_date, jurisdiction, id" + limited(limit)
}

// isDue is the condition of what may be claimed at an instant.
const isDue = "(next_try IS NULL OR next_try <= ?)"

// dueWhere is the condition of what may be claimed in a state.
func dueWhere(state notice.State, f notice.ClaimFilter, paused []string, now time.Time) where {
	var w where
	w.and("state = ?", string(state))
	w.and(isDue, at(now))
	if f.Kind != notice.Operations {
		w.awake(paused)
	}
	w.under(f)
	return w
}

// take returns the first letters that may be claimed and keeps others from them.
func (t *tx) take(ctx context.Context, f notice.ClaimFilter, now time.Time, limit int) ([]claimedRow, error) {
	paused, err := t.paused(ctx)
	if err != nil {
		return nil, err
	}
	if t.d.skipLocked == "" {
		return t.first(ctx, f, paused, now, limit)
	}
	return t.passBy(ctx, f, paused, now, limit)
}

// first is take where there is one writer: what it reads, nobody else can change.
func (t *tx) first(ctx context.Context, f notice.ClaimFilter, paused []string, now time.Time, limit int) (out []claimedRow, err error) {
	for _, state := range claimable {
		w := dueWhere(state, f, paused, now)
		some, err := t.claimed(ctx, firstQuery(t.d, w, limit), w.args...)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	slices.SortFunc(out, byClaimTurn)
	return out[:min(len(out), limit)], nil
}

// firstQuery reads the letters in the order of the index, so that no more of them are read than are asked for. The limit stands
// in it as a number: one that is bound has SQLite compile the query anew at every use.
func firstQuery(d *dialect, w where, limit int) string {
	return "SELECT " + claimedColumns() + " FROM notices " + d.by("notices_state") +
		" CROSS JOIN notice_facts ON notice_facts.dated = logical_date AND notice_facts.notice = id " + w.String() +
		" ORDER BY logical_date, jurisdiction, id" + limited(limit)
}

// passBy is take where there are several writers.
//
// The letters are looked for without locks, in the index alone, and locked one by one by their keys, passing by those
// that another worker is taking: to lock in the index what others have claimed long ago, and the engine has not yet
// cleared away, costs more than all the rest. Where others are taking all that was found, the search goes on after it.
func (t *tx) passBy(ctx context.Context, f notice.ClaimFilter, paused []string, now time.Time, limit int) ([]claimedRow, error) {
	const ahead = 2 // workers that may be at it at the same time, before another look is needed
	var last [len(claimable)]candidate
	for more := true; more; {
		more = false
		var found []candidate
		for i, state := range claimable {
			w := dueWhere(state, f, paused, now)
			if c := last[i]; c.ID != "" {
				w.and("(logical_date, jurisdiction, id) > (?, ?, ?)", c.Date, c.Jurisdiction, c.ID)
			}
			some, err := t.candidates(ctx, claimTail(t.d, w, ahead*limit), w.args...)
			if err != nil {
				return nil, err
			}
			if len(some) == ahead*limit {
				more, last[i] = true, some[len(some)-1]
			}
			found = append(found, some...)
		}
		slices.SortFunc(found, byTurn)
		var got []claimedRow
		for len(found) > 0 && len(got) < limit {
			n := min(limit-len(got), len(found))
			some, err := t.lock(ctx, found[:n], now)
			if err != nil {
				return nil, err
			}
			got, found = append(got, some...), found[n:]
		}
		if len(got) > 0 {
			return got, nil
		}
	}
	return nil, nil
}

// candidates reads candidates; the tail is all that follows FROM notices.
func (t *tx) candidates(ctx context.Context, tail string, args ...any) (out []candidate, err error) {
	var c candidate
	dest := []any{&c.ID, &c.Jurisdiction, &c.Date}
	return out, t.each(ctx, "SELECT id, jurisdiction, logical_date FROM notices "+tail, args, dest, func() { out = append(out, c) })
}

// lock reads those of the candidates, which come by date, that may be claimed still and that nobody else is changing, in
// their order. They are sorted here: that is a tenth of what it costs an engine.
func (t *tx) lock(ctx context.Context, found []candidate, now time.Time) ([]claimedRow, error) {
	var out []claimedRow
	for _, piece := range byDate(found, func(c candidate) civil.Date { return civil.Date(c.Date) }) {
		args := []any{day(piece.date)}
		for _, i := range piece.items {
			args = append(args, found[i].ID)
		}
		args = append(args, string(notice.Pending), string(notice.Retry), at(now))
		q := "SELECT " + claimedColumns() + " FROM notices " + t.d.byKey +
			" JOIN notice_facts ON notice_facts.dated = logical_date AND notice_facts.notice = id WHERE logical_date = ? AND id IN (" + marks(len(piece.items)) +
			") AND state IN (?, ?) AND " + isDue + t.d.skipLocked
		rows, err := t.claimed(ctx, q, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	slices.SortFunc(out, byClaimTurn)
	return out, nil
}

func byClaimTurn(a, b claimedRow) int {
	return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Jurisdiction, b.Jurisdiction), cmp.Compare(a.ID, b.ID))
}

// lease makes the letters sending under the token, in the database and in the rows.
func (t *tx) lease(ctx context.Context, rows []claimedRow, token string, now time.Time, lease, giveUp time.Duration) error {
	var ids []string
	until, deadline := at(now.Add(lease)), at(now.Add(giveUp))
	var to notice.State
	for i := range rows {
		r := &rows[i]
		if i == 0 || r.State != rows[i-1].was {
			var err error
			if to, err = notice.Next(r.State, notice.Claim); err != nil {
				return err
			}
		}
		r.was = r.State
		r.State, r.Token, r.Lease, r.DataAt = to, token, until, stamp{}
		if r.Deadline.IsZero() {
			r.Deadline = deadline
		}
		ids = append(ids, r.ID)
		if i+1 < len(rows) && rows[i+1].Date == r.Date && len(ids) < maxIn {
			continue
		}
		list := filled(t, ids)
		n, err := t.exec(ctx, "UPDATE notices "+t.d.byKey+" SET state = ?, token = ?, lease = ?, data_at = NULL, deadline = COALESCE(deadline, ?) "+
			"WHERE logical_date = ? AND id IN ("+marks(len(list))+") AND state IN (?, ?)",
			slices.Concat([]any{string(to), token, until, deadline, r.Date}, anys(list), []any{string(notice.Pending), string(notice.Retry)})...)
		if err != nil {
			return err
		}
		if n != int64(len(ids)) {
			return errAgain // another worker was first
		}
		ids = ids[:0]
	}
	return nil
}

// tried reads the letters' attempts, each letter's in order.
func (t *tx) tried(ctx context.Context, rows []claimedRow) ([]attemptRow, error) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r claimedRow) bool { return !r.tried })
	var out []attemptRow
	for _, piece := range byDate(rows, func(r claimedRow) civil.Date { return civil.Date(r.Date) }) {
		ids := make([]string, len(piece.items))
		for k, i := range piece.items {
			ids[k] = rows[i].ID
		}
		ids = filled(t, ids)
		some, err := query[attemptRow](ctx, t, "WHERE dated = ? AND notice IN ("+marks(len(ids))+") ORDER BY dated, notice, n",
			append([]any{day(piece.date)}, anys(ids)...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// dated are the places, in a list, of what belongs to one date: at most maxIn of them.
type dated struct {
	date  civil.Date
	items []int
}

// byDate parts a list by date, in the order of the dates' first coming. What is asked of letters by date and ID is found
// where letters of that day lie together.
func byDate[T any](list []T, of func(T) civil.Date) []dated {
	var out []dated
	open := map[civil.Date]int{}
	for i, v := range list {
		d := of(v)
		at, ok := open[d]
		if !ok || len(out[at].items) == maxIn {
			at = len(out)
			open[d] = at
			out = append(out, dated{date: d})
		}
		out[at].items = append(out[at].items, i)
	}
	return out
}

// Outstanding reports whether a letter under the filter may leave, now or at a time that is set, or is in a worker's hand.
func (s *Store) Outstanding(ctx context.Context, f notice.ClaimFilter) (some bool, err error) {
	err = s.read(ctx, "look for letters that have not left", func(t *tx) error {
		var w where
		w.and("state IN (?, ?, ?, ?)", string(notice.Pending), string(notice.Retry), string(notice.Sending), string(notice.Held))
		w.and("(state <> ? OR next_try IS NOT NULL)", string(notice.Held))
		w.under(f)
		var ids []string
		err := t.SelectContext(ctx, &ids, "SELECT id FROM notices "+t.d.by("notices_state")+" "+w.String()+" LIMIT 1", w.args...)
		some = len(ids) > 0
		return err
	})
	return some, err
}

func sendingWhere(f notice.ClaimFilter) where {
	var w where
	w.and("state = ?", string(notice.Sending))
	w.under(f)
	return w
}

// SendingLeases returns how many letters under the filter are claimed, and when the first of their leases passes.
func (s *Store) SendingLeases(ctx context.Context, f notice.ClaimFilter) (n int, first time.Time, err error) {
	err = s.read(ctx, "count claimed letters", func(t *tx) error {
		w := sendingWhere(f)
		var found struct {
			N     int   `db:"n"`
			First stamp `db:"first"`
		}
		q := "SELECT count(*) AS n, MIN(lease) AS first FROM notices " + t.d.by("notices_state") + " " + w.String()
		err := t.GetContext(ctx, &found, q, w.args...)
		n, first = found.N, found.First.Time
		return err
	})
	return n, first, err
}

// ExpiredNotices returns up to limit letters under the filter that are in sending and whose lease has passed by the
// database's clock, by date, jurisdiction and ID. They come without facts and receipts. A limit of 0 means all.
func (s *Store) ExpiredNotices(ctx context.Context, f notice.ClaimFilter, limit int) (out []notice.Notice, err error) {
	err = s.read(ctx, "read expired claims", func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		w := sendingWhere(f)
		w.and("lease <= ?", at(now))
		rows, err := query[noticeRow](ctx, t, t.d.by("notices_state")+" "+w.String()+" ORDER BY logical_date, jurisdiction, id"+limited(limit), w.args...)
		out = nouns(rows)
		return err
	})
	return out, err
}
