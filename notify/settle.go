package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"duban/jobs/task"
	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/notice"
)

// batch is a lane's work on the letters of one claim.
type batch struct {
	*run
	lane   Lane
	marker *marker
	end    time.Time // of the lease, by this machine's monotonic clock
	hands  []*hand
	items  []item
	mails  []compose.Message
	next   int // the first mail that is still to be sent
	// refusal is why BeforeDot refused; stopReason why the rest is put back.
	refusal    error
	stopReason string

	mu sync.Mutex // of the hands: a suspicion may be lifted by another lane
}

// stateLost counts a letter that another worker took over; it is never stored.
const stateLost notice.State = "lost"

// toSend lists the recipients still to be served, readers before copies. What was accepted is never sent again; a copy
// that was refused, or whose fate is unknown, is let be.
func toSend(n notice.Notice) []int {
	var readers, copies []int
	for i, rcpt := range n.Facts.Recipients {
		before := latest(n.Receipts, i).Outcome
		switch {
		case before == notice.OutcomeAccepted:
		case !rcpt.Copy:
			readers = append(readers, i)
		case before != notice.OutcomePermanent && before != notice.OutcomeUnknown:
			copies = append(copies, i)
		}
	}
	return append(readers, copies...)
}

// latest returns the receipt of a recipient, or one without an outcome.
func latest(receipts []notice.Receipt, recipient int) notice.Receipt {
	for _, r := range slices.Backward(receipts) {
		if r.Recipient == recipient {
			return r
		}
	}
	return notice.Receipt{Recipient: recipient}
}

// merge returns one receipt of each recipient, by recipient: the accepted one if there is any, else the latest.
func merge(before, now []notice.Receipt) []notice.Receipt {
	var out []notice.Receipt
	for _, r := range slices.Concat(before, now) {
		i := slices.IndexFunc(out, func(o notice.Receipt) bool { return o.Recipient == r.Recipient })
		switch {
		case i < 0:
			out = append(out, r)
		case out[i].Outcome != notice.OutcomeAccepted:
			out[i] = r
		}
	}
	slices.SortFunc(out, func(a, b notice.Receipt) int { return a.Recipient - b.Recipient })
	return out
}

// verdict says what this attempt, together with the receipts of earlier ones, makes of the letter, and why in words. A
// copy that was not begun keeps the letter in retry, as one that failed for the time being does.
func verdict(n notice.Notice, attempt []notice.Receipt) (notice.Cause, string) {
	all := merge(n.Receipts, attempt)
	if len(all) == 0 {
		return notice.Refuse, "it has no reader to go to"
	}
	all = append(all, notice.NotBegun(n.Facts.Recipients, all)...)
	return notice.Settle(all), cut(notice.Words(all))
}

// onceMore begins the reason of a letter that is sent a second time.
const onceMore = notice.OnceMore

// conclude settles a letter all of whose mails have their receipts.
func (b *batch) conclude(h *hand) {
	n := h.n
	cause, why := verdict(n, h.receipts)
	s := notice.Settlement{ID: n.ID, Token: n.Token, Tries: n.Tries + 1, Reason: why, Receipts: h.receipts, Causes: []notice.Cause{cause}}
	now := b.clock.now()
	switch {
	case cause == notice.Defer && !n.Deadline.IsZero() && !now.Before(n.Deadline):
		s.Causes, s.Reason = []notice.Cause{notice.Refuse}, cut(notice.GivenUp+why)
		if n.Receipts = merge(n.Receipts, h.receipts); n.Delivered() {
			s.Causes = []notice.Cause{notice.Deliver}
		}
	case cause == notice.Defer:
		s.NextTry = now.Add(b.Patience.Backoff(n.ID, s.Tries))
		if s.NextTry.Before(h.until) {
			s.NextTry = h.until
		}
		if !n.Deadline.IsZero() && s.NextTry.After(n.Deadline) {
			s.NextTry = n.Deadline
		}
	case cause == notice.Break:
		s.Causes = n.Lost(notice.Break)
		if len(s.Causes) > 1 {
			s.Reason = cut(onceMore + "; " + why)
		}
	}
	if b.Mail.RedirectTo != "" {
		s.Reason = strings.TrimSpace(s.Reason + " " + notice.TrialRun)
	}
	if n.Resent && s.Causes[0] == notice.Refuse { // the first one may be there all the same: a person decides
		s.Causes, s.Reason = []notice.Cause{notice.Break}, cut("it may have arrived the first time; "+s.Reason)
	}
	if n.Resent && !strings.HasPrefix(s.Reason, onceMore) {
		s.Reason = cut(strings.TrimSuffix(onceMore+"; "+s.Reason, "; "))
	}
	b.settle(n, s, h.accepted...)
}

// settle has the end of a claim written down, and counts the letter when that is done.
func (b *batch) settle(n notice.Notice, s notice.Settlement, accepted ...archive.Acceptance) {
	s.Date = n.Key.Date
	b.books.settle(s, accepted, func(lost bool, err error) {
		if err != nil {
			b.fail(fmt.Errorf("record letter %s: %w", n.ID, err))
			return
		}
		state := stateLost
		if !lost {
			if state, err = notice.Then(notice.Sending, s.Causes...); err != nil {
				b.fail(err)
				return
			}
		}
		n.Tries, n.NextTry, n.Reason = s.Tries, s.NextTry, s.Reason
		n.Receipts = merge(n.Receipts, s.Receipts)
		b.count(n, state)
	})
}

// count counts a letter by the state the run leaves it in, and tells whoever wants to know.
func (r *run) count(n notice.Notice, state notice.State) {
	r.mu.Lock()
	if before, ok := r.again[n.ID]; ok { // this run had it before
		*r.sum.of(before)--
		r.sum.Claimed--
	}
	*r.sum.of(state)++
	if state.Open() {
		r.again[n.ID] = state
	} else {
		delete(r.again, n.ID)
	}
	r.mu.Unlock()
	e := r.Log.Info()
	switch state {
	case notice.Sent:
	case notice.Pending:
		e = r.Log.Debug()
	default:
		e = r.Log.Warn().Str("reason", MaskAll(n.Reason))
	}
	if e.Enabled() {
		to := make([]string, len(n.Facts.Recipients))
		for i, rcpt := range n.Facts.Recipients {
			to[i] = Mask(rcpt.Email)
		}
		e.Str("notice", n.ID).Str("jurisdiction", n.Key.Jurisdiction).Stringer("date", n.Key.Date).Str("unit", n.Key.Unit).
			Strs("to", to).Str("state", string(state)).Int("tries", n.Tries).Str("transport", r.Transport.Name()).Msg("letter settled")
	}
	if state != stateLost && r.OnSettled != nil {
		n.State = state
		r.OnSettled(n)
	}
}

// recover takes back the letters of workers whose lease has passed: one that was not at its final dot is simply due
// again; of one that was, nobody knows, and an ordinary letter goes once more.
func (r *run) recover(ctx context.Context) error {
	const piece = 200
	if err := r.endLeases(ctx); err != nil {
		return err
	}
	for {
		sctx, cancel := detached(ctx)
		expired, err := r.Store.ExpiredNotices(sctx, r.filter, piece)
		cancel()
		if err != nil {
			return err
		}
		for _, n := range expired {
			if err := r.takeBack(ctx, n); err != nil {
				return fmt.Errorf("take back letter %s of a worker that is gone: %w", n.ID, err)
			}
		}
		if len(expired) < piece {
			return nil
		}
	}
}

// endLeases lets the leases of workers pass that are known to be gone: nobody has to wait for those.
func (r *run) endLeases(ctx context.Context) error {
	if r.Gone == nil {
		return nil
	}
	sctx, cancel := detached(ctx)
	defer cancel()
	tokens, err := r.Store.Claims(sctx, r.filter)
	if err != nil {
		return err
	}
	dead := slices.DeleteFunc(tokens, func(token string) bool { return !r.Gone(token) })
	n, err := r.Store.EndLeases(sctx, r.filter, dead)
	if n > 0 {
		r.Log.Warn().Int("letters", n).Int("claims", len(dead)).Msg("letters of workers that are no more: their leases end")
	}
	return err
}

func (r *run) takeBack(ctx context.Context, n notice.Notice) error {
	why, causes := "the worker that held it is gone", []notice.Cause{notice.Expire}
	if !n.DataAt.IsZero() {
		why, causes = "the worker that held it is gone, and it may have left", n.Lost(notice.Vanish)
		if n.Resent {
			reached, err := r.reached(ctx, n.ID)
			if err != nil {
				return err
			}
			if reached { // what may have left is another's copy; it is in doubt the second time and let be
				why = "the worker that held it is gone; its reader has it, a copy may not have arrived"
				causes = []notice.Cause{notice.Vanish, notice.Resolve}
			}
		}
	}
	reason := why
	if causes[len(causes)-1] == notice.Resend {
		reason = onceMore + "; " + why
	}
	sctx, cancel := detached(ctx)
	defer cancel()
	err := r.Store.TakeBack(sctx, n, reason, r.By, causes...)
	if errors.Is(err, task.ErrLost) {
		return nil // it was settled, or taken back, by somebody else
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.sum.Recovered++
	r.mu.Unlock()
	r.Log.Warn().Str("notice", n.ID).Str("unit", n.Key.Unit).Str("cause", string(causes[0])).Msg("letter of a worker that is gone taken back")
	return nil
}

// reached reports whether the reader's own copy was accepted in an earlier attempt.
func (r *run) reached(ctx context.Context, id string) (bool, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	attempts, err := r.Store.Attempts(ctx, id)
	return slices.ContainsFunc(attempts, func(a notice.Receipt) bool { return !a.Copy && a.Outcome == notice.OutcomeAccepted }), err
}

// await waits, where letters are still under the lease of a worker that may be dead, for the nearest to pass or to be
// settled. It reports whether there may be something to do.
func (r *run) await(ctx context.Context) (bool, error) {
	sctx, cancel := detached(ctx)
	leased, first, err := r.Store.SendingLeases(sctx, r.filter)
	cancel()
	if r.sum.Leased = leased; err != nil || leased == 0 {
		return false, err
	}
	// Databases keep whole milliseconds, hence the margin.
	wait := min(max(first.Sub(r.clock.now())+time.Second, time.Second), pollEvery)
	if r.waited+wait > r.Wait {
		if r.Wait >= 0 {
			r.Log.Warn().Int("letters", leased).Time("until", first).Msg("letters are under another worker's lease; the next run takes them")
		}
		return false, nil
	}
	r.waited += wait
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case <-timer.C:
		return true, nil
	}
}

// maxReason bounds what is kept in words.
const maxReason = 500

func cut(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if r := []rune(s); len(r) > maxReason {
		return string(r[:maxReason])
	}
	return s
}
