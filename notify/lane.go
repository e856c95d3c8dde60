package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/notice"
)

// hand is a letter in a lane's hand.
type hand struct {
	n notice.Notice
	// undecided counts the mails without a receipt; dropped says that the claim went to another worker.
	undecided int
	receipts  []notice.Receipt
	accepted  []archive.Acceptance
	skipped   int  // mails passed by because the claim was lost
	begun     bool // a receipt came of a mail
	marked    bool
	dropped   bool
	until     time.Time // a brake's end, where one keeps the letter back
}

// item is one mail of a letter in hand.
type item struct {
	of        *hand
	recipient int
	mail      *compose.Message // as it was handed over; nil: it was not
	sum       string           // its SHA-256
}

// lane takes letters until none is due, or sends a single one to see whether the server works again.
func (r *run) lane(ctx context.Context, try bool) {
	const choice = 16 // letters to choose the one from
	lane := r.Transport.Lane()
	defer func() { _ = lane.Close() }()
	m := &marker{books: r.books}
	limit := r.Chunk
	switch {
	case try:
		limit = choice
	case r.Pace.limits():
		limit = 1
	}
	for more := true; more && !r.stopped(ctx); more = more && !try {
		// A letter waits for its turn before it is claimed: its lease is not for waiting.
		if r.Pace.take(ctx) != nil {
			return
		}
		var err error
		if more, err = r.batch(ctx, lane, m, limit, try); err != nil {
			r.fail(err)
			more = false
		}
		if !more {
			r.Pace.giveBack()
		}
	}
}

// batch takes up to limit letters and sees them through, or one of them to try. It reports whether there may be more.
func (r *run) batch(ctx context.Context, lane Lane, m *marker, limit int, try bool) (bool, error) {
	if until := r.closedUntil(); !until.IsZero() {
		return false, r.hold(ctx, until)
	}
	begun := time.Now()
	sctx, cancel := detached(ctx)
	letters, err := r.Store.ClaimNotices(sctx, r.filter, limit, r.Lease, r.Patience.GiveUp)
	cancel()
	if err != nil || len(letters) == 0 {
		return false, err
	}
	r.mu.Lock()
	r.sum.Claimed += len(letters)
	r.mu.Unlock()
	b := &batch{run: r, lane: lane, marker: m, end: begun.Add(r.Lease)}
	letters, err = b.atTheDoor(ctx, letters)
	if err != nil {
		b.putBack(letters, "the door could not be asked", time.Time{})
		return false, err
	}
	if try {
		letters = b.leastTried(letters)
	}
	b.compose(letters)
	b.send(ctx)
	m.rest()
	b.finish()
	b.books.flush()
	return true, nil
}

// leastTried chooses the letter that shows best whether the server works again: one that has not failed so often. The others
// go back.
func (b *batch) leastTried(letters []notice.Notice) []notice.Notice {
	slices.SortStableFunc(letters, func(x, y notice.Notice) int { return x.Tries - y.Tries })
	for i, n := range letters {
		if i > 0 {
			b.putBack([]notice.Notice{n}, n.Reason, time.Time{})
		}
	}
	return letters[:min(len(letters), 1)]
}

// atTheDoor lets those letters pass that still have something to say and whose reader's domain is not at rest.
func (b *batch) atTheDoor(ctx context.Context, letters []notice.Notice) ([]notice.Notice, error) {
	var closed map[string]string
	if b.Door != nil {
		sctx, cancel := detached(ctx)
		defer cancel()
		var err error
		if closed, err = b.Door.Closed(sctx, letters); err != nil {
			return letters, fmt.Errorf("ask which letters still have something to say: %w", err)
		}
	}
	now := b.clock.now()
	pass := letters[:0]
	for _, n := range letters {
		if why, ok := closed[n.ID]; ok {
			b.settle(n, notice.Settlement{ID: n.ID, Token: n.Token, Tries: n.Tries, Reason: why, Causes: []notice.Cause{notice.Cancel}})
			continue
		}
		if brake, ok := b.resting(n, now); ok {
			b.putBack([]notice.Notice{n}, "mail to this domain rests: "+brake.Reason, brake.Until)
			continue
		}
		pass = append(pass, n)
	}
	return pass, nil
}

// resting returns the brake on the domain of a reader who is still to be served.
func (b *batch) resting(n notice.Notice, now time.Time) (notice.Brake, bool) {
	for _, i := range toSend(n) {
		if rcpt := n.Facts.Recipients[i]; !rcpt.Copy {
			if brake, ok := b.Brakes.rests(rcpt.Email, now); ok {
				return brake, true
			}
		}
	}
	return notice.Brake{}, false
}

// putBack ends the claims of letters that were not begun.
func (b *batch) putBack(letters []notice.Notice, why string, until time.Time) {
	for _, n := range letters {
		b.settle(n, notice.Settlement{
			ID: n.ID, Token: n.Token, Tries: n.Tries, NextTry: until, Reason: cut(why), Causes: []notice.Cause{notice.PutBack},
		})
	}
}

// compose writes the mails of the letters: for each its readers' first, then the copies.
func (b *batch) compose(letters []notice.Notice) {
	for _, n := range letters {
		h := &hand{n: n}
		b.hands = append(b.hands, h)
		list := toSend(n)
		h.undecided = len(list)
		if len(list) == 0 {
			b.conclude(h)
			continue
		}
		begun := time.Now()
		mails, errs := b.composed(n, list)
		for k, i := range list {
			if errs[k] == nil {
				b.items, b.mails = append(b.items, item{of: h, recipient: i}), append(b.mails, mails[k])
				continue
			}
			h.begun = true
			r := notice.Receipt{
				Email: n.Facts.Recipients[i].Email, Outcome: notice.OutcomeTemporary, Phase: notice.PhaseCompose, Reply: errs[k].Error(), Took: time.Since(begun),
			}
			if errors.Is(errs[k], compose.ErrAddress) { // no mail can ever go there; all else is our fault, and is mended
				r.Outcome, r.Phase = notice.OutcomePermanent, notice.PhaseRecipient
			}
			b.decide(&item{of: h, recipient: i}, r)
		}
	}
}

// composed writes the mails of some of a letter's recipients. A panic of a template is contained.
func (r *run) composed(n notice.Notice, list []int) (mails []compose.Message, errs []error) {
	mails, errs = make([]compose.Message, len(list)), make([]error, len(list))
	defer func() {
		if p := recover(); p != nil {
			for i := range errs {
				errs[i] = fmt.Errorf("compose letter %s: panic: %v", n.ID, p)
			}
		}
	}()
	if len(list) == 1 {
		mails[0], errs[0] = r.composer.Compose(n, list[0])
		return mails, errs
	}
	all, bad := r.composer.All(n)
	for i, recipient := range list {
		mails[i], errs[i] = all[recipient], bad[recipient]
	}
	return mails, errs
}

// send hands the mails over. What is left in hand when it returns was not begun.
func (b *batch) send(ctx context.Context) {
	held, cancel := context.WithDeadline(b.hard, b.end.Add(-b.Phase))
	defer cancel()
	for b.next < len(b.mails) {
		if h := b.items[b.next].of; h.dropped { // another worker has it now
			h.skipped++
			b.next++
			continue
		}
		if !b.items[b.next].of.begun && b.stopped(ctx) {
			return
		}
		last := len(b.mails)
		if b.Pace.limits() {
			last = b.next + 1
			if b.next > 0 && b.Pace.take(ctx) != nil {
				return
			}
		}
		b.refusal = nil
		from := b.next
		n := b.handOver(ctx, held, b.mails[from:last])
		b.next = from + n
		switch {
		case errors.Is(b.refusal, errStopping), errors.Is(b.refusal, errShort):
			return
		case b.refusal != nil && !errors.Is(b.refusal, errTaken):
			b.stopReason = b.refusal.Error()
			b.fail(b.refusal)
			return
		case b.refusal == nil && n == 0: // nothing came of it: its time is over
			return
		}
	}
}

// Why a mail was not begun, besides errors of the archive and the database.
var (
	errTaken    = errors.New("another worker has the letter now")
	errStopping = errors.New("the worker is stopping")
	errShort    = errors.New("the claim does not last long enough to begin")
)

// handOver sends mails over the lane. A panic in the transport is contained: the mail at hand has its outcome then.
func (b *batch) handOver(ctx, held context.Context, mails []compose.Message) (n int) {
	from := b.next
	done, dot := 0, false
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		b.Log.Error().Interface("panic", p).Stack().Msg("sending panicked")
		if n = done; n < len(mails) {
			r := notice.Receipt{Outcome: notice.OutcomeTemporary, Phase: notice.PhaseData, Reply: fmt.Sprintf("panic: %v", p)}
			if dot {
				r.Outcome, r.Phase = notice.OutcomeUnknown, notice.PhaseAnswer
			}
			b.done(from+n, mails[n], r)
			n++
		}
	}()
	return b.lane.Send(held, mails, Each{
		BeforeDot: func(i int, mail compose.Message) error {
			err := b.beforeDot(ctx, from+i, mail)
			dot = err == nil
			return err
		},
		Done: func(i int, r notice.Receipt) bool {
			done, dot = i+1, false
			b.done(from+i, mails[i], r)
			return r.Outcome == notice.OutcomeAccepted || !b.stopped(ctx)
		},
	})
}

// beforeDot makes sure that the mail may leave: the claim lasts, the archive has it, and the database knows.
func (b *batch) beforeDot(ctx context.Context, i int, mail compose.Message) error {
	it := &b.items[i]
	if err := b.mayLeave(ctx, it, mail); err != nil {
		b.refusal = err
		return err
	}
	return nil
}

func (b *batch) mayLeave(ctx context.Context, it *item, mail compose.Message) error {
	h := it.of
	if b.hard.Err() != nil || !h.begun && ctx.Err() != nil {
		return errStopping
	}
	if time.Until(b.end) <= 2*b.Phase {
		return errShort
	}
	sum := sha256.Sum256(mail.Bytes)
	it.sum, it.mail = hex.EncodeToString(sum[:]), &mail
	if b.Archive != nil {
		if err := b.Archive.Put(mail, sum); err != nil {
			b.Brakes.stop("the archive cannot keep a copy: "+err.Error(), b.clock.now())
			return fmt.Errorf("keep a copy of letter %s in the archive: %w", h.n.ID, err)
		}
	}
	if err := b.marker.ensure(b.items[b.nextOf(h):]); err != nil {
		return err
	}
	if h.dropped {
		return errTaken
	}
	return nil
}

// nextOf returns the place of the letter's first mail that is still to be sent.
func (b *batch) nextOf(h *hand) int {
	i := b.next
	for b.items[i].of != h {
		i++
	}
	return i
}

// done takes the receipt of a mail. What was refused with a 5xx may have to wait for the next outcomes.
func (b *batch) done(i int, mail compose.Message, r notice.Receipt) {
	it := b.items[i]
	it.of.begun = true
	r.Email, r.SHA256 = mail.To, it.sum
	if r.Bytes = 0; it.mail != nil {
		r.Bytes = len(it.mail.Bytes)
	}
	b.decide(&it, r)
}

// decide completes a receipt, asks the brakes, and settles the letter when it was the last.
func (b *batch) decide(it *item, r notice.Receipt) {
	h := it.of
	rcpt := h.n.Facts.Recipients[it.recipient]
	r.Recipient, r.Copy, r.Worker, r.At = it.recipient, rcpt.Copy, b.By, b.clock.now()
	r.Versions = h.n.Facts.Versions
	r.Template = compose.Version()
	if r.Outcome == notice.OutcomeAccepted && it.mail != nil && b.Archive != nil {
		h.accepted = append(h.accepted, archive.AcceptanceOf(h.n.ID, *it.mail, r))
	}
	b.Brakes.note(h.n.ID, rcpt.Email, r, latest(h.n.Receipts, it.recipient), b.clock.now(), func(final bool, until time.Time) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !final {
			r.Outcome = notice.OutcomeTemporary
			h.until = until.Add(b.Patience.RetryFirst) // others go first, and show whether it is the server
		}
		h.receipts = append(h.receipts, r)
		if h.undecided--; h.undecided == 0 {
			b.conclude(h)
		}
	})
}

// finish ends the claims of what was not begun, and settles letters of which some mails were.
func (b *batch) finish() {
	rest := map[*hand]int{}
	for _, it := range b.items[min(b.next, len(b.items)):] {
		rest[it.of]++
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.hands {
		missing := rest[h] + h.skipped
		switch {
		case missing == 0: // settled, or under suspicion
		case h.begun:
			if h.undecided -= missing; h.undecided == 0 {
				b.conclude(h)
			}
		case h.dropped:
			b.count(h.n, stateLost)
		default:
			b.putBack([]notice.Notice{h.n}, b.why(h), time.Time{})
		}
	}
}

// why says why a letter was put back; its earlier reason stays where there is no new one.
func (b *batch) why(h *hand) string {
	if b.stopReason != "" {
		return b.stopReason
	}
	return h.n.Reason
}
