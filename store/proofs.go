package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/notify/notice"
)

type proofRow struct {
	Notice       string `db:"notice"`
	Recipient    int    `db:"recipient"` // a place among the letter's proofs
	Jurisdiction string `db:"jurisdiction"`
	Date         day    `db:"dated"`
	Email        string `db:"email"`
	Copy         bool   `db:"is_copy"`
	Reply        string `db:"reply"`
	SHA256       string `db:"sha256"`
	At           stamp  `db:"accepted_at"`
	EnteredAt    stamp  `db:"entered_at"`
	EnteredBy    string `db:"entered_by"`
}

func (proofRow) table() string { return "proofs" }

func (r proofRow) noun() notice.Proof {
	return notice.Proof{Notice: r.Notice, Jurisdiction: r.Jurisdiction, Date: civil.Date(r.Date), Receipt: notice.Receipt{
		Recipient: r.Recipient, Email: r.Email, Copy: r.Copy, Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Reply: r.Reply,
		SHA256: r.SHA256, At: r.At.Time,
	}}
}

// KeepProofs keeps what the archive proves of letters, who entered it and when by the database's clock. A letter that is
// planned under such an ID afterwards counts as sent at once, see Prove. What is there already stays as it is; more proofs
// of a letter come behind it.
func (s *Store) KeepProofs(ctx context.Context, proofs []notice.Proof, by string) error {
	op := fmt.Sprintf("keep %d proofs", len(proofs))
	for _, p := range proofs {
		if p.Notice == "" || p.Jurisdiction == "" || p.Date.IsZero() || p.Email == "" {
			return fmt.Errorf("%s: proof of letter %q: it wants an ID, a jurisdiction, a date and an address", op, p.Notice)
		}
	}
	return s.write(ctx, op, func(t *tx) error {
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		there, err := t.proofs(ctx, idsOf(proofs))
		if err != nil {
			return err
		}
		var rows []proofRow
		for _, p := range proofs {
			same := func(r proofRow) bool { return strings.EqualFold(r.Email, p.Email) && r.Copy == p.Copy }
			if slices.ContainsFunc(there[p.Notice], same) {
				continue
			}
			next := 0
			for _, r := range there[p.Notice] {
				next = max(next, r.Recipient+1)
			}
			r := proofRow{
				Notice: p.Notice, Recipient: next, Jurisdiction: p.Jurisdiction, Date: day(p.Date), Email: clean(p.Email), Copy: p.Copy,
				Reply: clean(p.Receipt.String()), SHA256: clip(p.SHA256, 64), At: at(p.At), EnteredAt: at(now), EnteredBy: clean(by),
			}
			there[p.Notice], rows = append(there[p.Notice], r), append(rows, r)
		}
		return insert(ctx, t, rows)
	})
}

func idsOf(proofs []notice.Proof) []string {
	ids := map[string]bool{}
	for _, p := range proofs {
		ids[p.Notice] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// proofs reads what is kept of letters, by their IDs and in order.
func (t *tx) proofs(ctx context.Context, ids []string) (map[string][]proofRow, error) {
	rows, err := queryIn[proofRow](ctx, t, "WHERE notice IN (%s) ORDER BY notice, recipient", nil, ids)
	out := map[string][]proofRow{}
	for _, r := range rows {
		out[r.Notice] = append(out[r.Notice], r)
	}
	return out, err
}

// Proofs returns what is kept of the jurisdiction's letters that the archive proves, by date, letter and place.
func (s *Store) Proofs(ctx context.Context, j string) (out []notice.Proof, err error) {
	err = s.read(ctx, "read proofs of "+j, func(t *tx) error {
		rows, err := query[proofRow](ctx, t, "WHERE jurisdiction = ? ORDER BY dated, notice, recipient", j)
		out = nouns(rows)
		return err
	})
	return out, err
}

// Prove records that the archive proves a letter accepted, and what it says of that: a receipt for each recipient, found by
// Recipient. Where with these every reader's own copy was accepted, the letter is sent from then on and a move says so, with
// the reason and who says it; otherwise it stays as it is, and goes to the others alone. Of a letter that is final the
// receipts are recorded and no more. What was recorded before is not recorded again.
//
// It returns ErrNotFound where there is no such letter, and ErrLost where a worker holds it.
func (s *Store) Prove(ctx context.Context, id string, receipts []notice.Receipt, reason, by string) error {
	op := "prove letter " + id
	for _, r := range receipts {
		if r.Outcome != notice.OutcomeAccepted {
			return fmt.Errorf("%s: a receipt of recipient %d is %s and proves nothing", op, r.Recipient, r.Outcome)
		}
	}
	return s.write(ctx, op, func(t *tx) error { return t.prove(ctx, id, receipts, reason, by) })
}

func (t *tx) prove(ctx context.Context, id string, receipts []notice.Receipt, reason, by string) error {
	found, err := letters(ctx, t, "WHERE id = ?", id)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ID != id {
		return ErrNotFound
	}
	n := found[0]
	if n.State == notice.Sending {
		return fmt.Errorf("%w: a worker holds it", ErrLost)
	}
	tried, err := attemptsOf(ctx, t, []string{id})
	if err != nil {
		return err
	}
	var fresh []notice.Receipt
	for _, r := range receipts {
		if r.Recipient < 0 || r.Recipient >= len(n.Facts.Recipients) {
			return fmt.Errorf("a receipt is of recipient %d, and the letter has %d", r.Recipient, len(n.Facts.Recipients))
		}
		known := func(a attemptRow) bool { return a.Recipient == r.Recipient && a.Outcome == notice.OutcomeAccepted }
		if !slices.ContainsFunc(tried, known) {
			fresh = append(fresh, r)
		}
	}
	last := 0
	for _, a := range tried {
		last = max(last, a.N)
	}
	if err := insert(ctx, t, attemptRows(day(n.Key.Date), id, last, "", fresh)); err != nil {
		return err
	}
	n.Receipts = append(n.Receipts, fresh...)
	return t.countProven(ctx, n, len(fresh) > 0, clean(reason), clean(by))
}

// countProven gives a letter the state that its receipts make of it.
func (t *tx) countProven(ctx context.Context, n notice.Notice, tried bool, reason, by string) error {
	to, err := notice.Next(n.State, notice.Prove)
	moves := err == nil && n.Delivered()
	if !moves && !tried {
		return nil
	}
	tries := n.Tries
	if tried {
		tries++
	}
	set, args := "tries = ?", []any{tries}
	if moves {
		set, args = set+", state = ?, reason = ?, moved_by = ?, next_try = NULL", append(args, string(to), reason, by)
	}
	changed, err := t.exec(ctx, "UPDATE notices SET "+set+" WHERE id = ? AND state = ?", append(args, n.ID, string(n.State))...)
	if err := t.fenced(ctx, n.ID, changed, err); err != nil || !moves {
		return err
	}
	now, err := t.now(ctx)
	if err != nil {
		return err
	}
	return t.addMove(ctx, notice.Move{Notice: n.ID, At: now, From: n.State, To: to, Cause: notice.Prove, Reason: reason, By: by})
}

// proven has new letters count as sent of which the archive proved it before they were planned. The draft of a formal one
// stays a draft: its number is entered with its release.
func (t *tx) proven(ctx context.Context, planned []notice.Notice) error {
	byID := map[string]notice.Notice{}
	for _, n := range planned {
		id := cmp.Or(n.ID, n.Key.ID())
		if draft := n.Key.Formal() && n.State == notice.Held; !draft {
			byID[id] = n
		}
	}
	if len(byID) == 0 {
		return nil
	}
	kept, err := t.proofs(ctx, slices.Sorted(maps.Keys(byID)))
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(kept)) {
		rows := kept[id]
		receipts := notice.Match(byID[id].Facts.Recipients, nouns(rows))
		if err := t.prove(ctx, id, receipts, notice.ProvenBefore, rows[0].EnteredBy); err != nil {
			return fmt.Errorf("letter %s: %w", id, err)
		}
	}
	return nil
}

// Unknown returns those acceptances that the database knows nothing of, in their order. It knows what it has a receipt or a
// proof of, and expects one of a letter that is being sent or may have been: that is what a worker leaves that died before
// it could write down what the archive has. A letter that is settled in whatever way is known too: it never leaves again.
func (s *Store) Unknown(ctx context.Context, accepted []notice.Proof) (out []notice.Proof, err error) {
	ids := idsOf(accepted)
	err = s.read(ctx, "compare acceptances", func(t *tx) error {
		out = nil
		rows, err := queryIn[noticeRow](ctx, t, "WHERE id IN (%s)", nil, ids)
		if err != nil {
			return err
		}
		letters := map[string]noticeRow{}
		var open []string
		for _, r := range rows {
			letters[r.ID] = r
			if !r.expects() {
				open = append(open, r.ID)
			}
		}
		kept, err := t.proofs(ctx, ids)
		if err != nil {
			return err
		}
		tried := map[string][]attemptRow{}
		for piece := range slices.Chunk(open, maxIn) {
			found, err := attemptsOf(ctx, t, piece)
			if err != nil {
				return err
			}
			for _, a := range found {
				tried[a.Notice] = append(tried[a.Notice], a)
			}
		}
		for _, p := range accepted {
			l, there := letters[p.Notice]
			receipt := func(a attemptRow) bool {
				return a.Outcome == notice.OutcomeAccepted && strings.EqualFold(a.Email, p.Email)
			}
			proof := func(r proofRow) bool { return strings.EqualFold(r.Email, p.Email) && r.Copy == p.Copy }
			proven := slices.ContainsFunc(kept[p.Notice], proof) && l.State != notice.Sending // which a proof did not reach
			if there && l.expects() || slices.ContainsFunc(tried[p.Notice], receipt) || proven {
				continue
			}
			out = append(out, p)
		}
		return nil
	})
	return out, err
}

// expects reports whether an acceptance of the letter is no surprise.
func (r noticeRow) expects() bool {
	switch r.State {
	case notice.Sent, notice.Recorded, notice.Superseded, notice.Cancelled, notice.Unknown:
		return true
	case notice.Sending:
		return r.Resent || !r.DataAt.IsZero()
	case notice.Pending, notice.Retry, notice.Held, notice.Failed:
	}
	return r.Resent
}
