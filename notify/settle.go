package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"duban/jobs/task"
	"duban/notify/notice"
)

// onceMore begins the reason of a letter whose fate was unknown and that is sent a second time. It stays there: it is
// what keeps the letter from being sent a third time.
const onceMore = "sent once more after an unknown outcome"

// verdict says what this attempt, together with the receipts of earlier ones, makes of the letter, and why in words.
func verdict(n notice.Notice, attempt []notice.Receipt) (notice.Cause, string) {
	all := merge(n.Receipts, attempt)
	if len(all) == 0 {
		return notice.Refuse, "it has no reader to go to"
	}
	var why []string
	for _, r := range all {
		if r.Outcome != notice.OutcomeAccepted {
			who := "reader"
			if r.Copy {
				who = "copy"
			}
			why = append(why, fmt.Sprintf("%s %s: %s", who, r.Outcome, r.Reply))
		}
	}
	return notice.Settle(all), cut(strings.Join(why, "; "))
}

// merge returns the latest receipt of each recipient, by recipient.
func merge(before, now []notice.Receipt) []notice.Receipt {
	var out []notice.Receipt
	for _, r := range slices.Concat(before, now) {
		if i := slices.IndexFunc(out, func(o notice.Receipt) bool { return o.Recipient == r.Recipient }); i >= 0 {
			out[i] = r
		} else {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b notice.Receipt) int { return a.Recipient - b.Recipient })
	return out
}

// Backoff is how long a letter waits after its n-th failure for the time being (from 1): five minutes, doubled each
// time, two hours at most.
func Backoff(n int) time.Duration {
	const first, most = 5 * time.Minute, 2 * time.Hour
	wait := first
	for range max(n, 1) - 1 {
		if wait *= 2; wait >= most {
			return most
		}
	}
	return wait
}

// resent reports whether a letter was sent once more already.
func resent(n notice.Notice) bool { return strings.HasPrefix(n.Reason, onceMore) }

// settle records what became of the letter in hand, and lets a letter of unknown fate go once more.
func (r *run) settle(ctx context.Context, n notice.Notice, attempt []notice.Receipt) error {
	again := resent(n)
	cause, why := verdict(n, attempt)
	n.Tries++
	n.NextTry = time.Time{}
	if cause == notice.Defer {
		now, err := r.now(ctx)
		if err != nil {
			return err
		}
		n.NextTry = now.Add(Backoff(n.Tries))
	}
	if n.Reason = why; again {
		n.Reason = cut(strings.TrimSuffix(onceMore+"; "+why, "; "))
	}
	if cause == notice.Deliver && r.Mail.RedirectTo != "" {
		n.Reason = strings.TrimSpace(n.Reason + " " + notice.TrialRun)
	}
	err := r.record(ctx, n, cause, attempt)
	if errors.Is(err, task.ErrLost) {
		r.settled(n, lost)
		return nil
	}
	if err != nil {
		return fmt.Errorf("record letter %s as %s: %w", n.ID, cause, err)
	}
	state, err := notice.Next(notice.Sending, cause)
	if err != nil {
		return err
	}
	n.Receipts = merge(n.Receipts, attempt)
	if state == notice.Unknown && !again && n.Key.Matter == "" {
		state, err = r.resend(ctx, n, why)
	}
	r.settled(n, state)
	return err
}

// record writes the outcome. A write that fails is tried again while the claim lasts: a letter that left and is not
// recorded would be taken for lost, and leave a second time.
func (r *run) record(ctx context.Context, n notice.Notice, cause notice.Cause, attempt []notice.Receipt) error {
	for wait := time.Second; ; wait *= 2 {
		err := r.settleOnce(ctx, n, cause, attempt)
		if err == nil || errors.Is(err, task.ErrLost) || errors.Is(err, task.ErrNotFound) || wait > 4*time.Second {
			return err
		}
		r.Log.Warn().Err(err).Str("notice", n.ID).Msg("recording a letter failed, trying again")
		time.Sleep(wait)
	}
}

func (r *run) settleOnce(ctx context.Context, n notice.Notice, cause notice.Cause, attempt []notice.Receipt) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	return r.Store.SettleNotice(ctx, n, cause, attempt)
}

// resend lets an ordinary letter of unknown fate go once more, under the same Message-ID, so that a mailbox that has it
// already can tell.
func (r *run) resend(ctx context.Context, n notice.Notice, why string) (notice.State, error) {
	err := r.move(ctx, n.ID, notice.Unknown, notice.Resend, cut(strings.TrimSuffix(onceMore+"; "+why, "; ")))
	switch {
	case errors.Is(err, task.ErrLost): // somebody else decided about it
		return notice.Unknown, nil
	case err != nil:
		return notice.Unknown, fmt.Errorf("send letter %s once more: %w", n.ID, err)
	}
	return notice.Retry, nil
}

func (r *run) move(ctx context.Context, id string, from notice.State, cause notice.Cause, why string) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	return r.Store.MoveNotice(ctx, id, from, cause, why, r.By)
}

// settled counts a letter and tells whoever wants to know.
func (r *run) settled(n notice.Notice, state notice.State) {
	r.states[n.ID] = state
	e := r.Log.Info()
	if state != notice.Sent {
		e = r.Log.Warn().Str("reason", MaskAll(n.Reason))
	}
	to := make([]string, len(n.Facts.Recipients))
	for i, rcpt := range n.Facts.Recipients {
		to[i] = Mask(rcpt.Email)
	}
	e.Str("notice", n.ID).Str("jurisdiction", n.Key.Jurisdiction).Stringer("date", n.Key.Date).Str("unit", n.Key.Unit).
		Strs("to", to).Str("state", string(state)).Int("tries", n.Tries).Str("transport", r.Transport.Name()).Msg("letter settled")
	if state != lost && r.OnSettled != nil {
		n.State = state
		r.OnSettled(n)
	}
}

// recover takes back the letters of workers whose lease has passed: one that was not at its final dot is simply due
// again; of one that was, nobody knows, and an ordinary letter goes once more.
func (r *run) recover(ctx context.Context) error {
	sctx, cancel := detached(ctx)
	expired, err := r.Store.Expired(sctx)
	cancel()
	if err != nil {
		return err
	}
	for _, n := range expired {
		if !r.filter.Matches(n.Key) {
			continue
		}
		if err := r.takeBack(ctx, n); err != nil {
			return fmt.Errorf("take back letter %s of a worker that is gone: %w", n.ID, err)
		}
	}
	return nil
}

func (r *run) takeBack(ctx context.Context, n notice.Notice) error {
	why := "the worker that held it is gone"
	again := resent(n)
	cause := notice.Expire
	if !n.DataAt.IsZero() {
		cause, why = notice.Vanish, "the worker that held it is gone, and it may have left"
	}
	reason := why
	if again {
		reason = cut(onceMore + "; " + why)
	}
	err := r.move(ctx, n.ID, notice.Sending, cause, reason)
	if errors.Is(err, task.ErrLost) {
		return nil // it was settled, or taken back, by somebody else
	}
	if err != nil {
		return err
	}
	r.recovered[n.ID] = true
	r.Log.Warn().Str("notice", n.ID).Str("unit", n.Key.Unit).Str("cause", string(cause)).Msg("letter of a worker that is gone taken back")
	if cause == notice.Vanish && !again && n.Key.Matter == "" {
		_, err = r.resend(ctx, n, why)
	}
	return err
}

// await waits, where letters are still under the lease of a worker that may be dead, for the nearest to pass or to be
// settled. It reports whether there may be something to do.
func (r *run) await(ctx context.Context) (bool, error) {
	sctx, cancel := detached(ctx)
	sending, err := r.Store.Sending(sctx, r.filter.Jurisdiction)
	cancel()
	if err != nil {
		return false, err
	}
	sending = slices.DeleteFunc(sending, func(n notice.Notice) bool { return !r.filter.Matches(n.Key) })
	r.leased = len(sending)
	if len(sending) == 0 {
		return false, nil
	}
	now, err := r.now(ctx)
	if err != nil {
		return false, err
	}
	first := sending[0].Lease
	for _, n := range sending {
		if n.Lease.Before(first) {
			first = n.Lease
		}
	}
	// Databases keep whole milliseconds, hence the margin.
	wait := min(max(first.Sub(now)+time.Second, time.Second), pollEvery)
	if r.waited+wait > r.Wait {
		r.Log.Warn().Int("letters", len(sending)).Time("until", first).Msg("letters are under another worker's lease; the next run takes them")
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
	if r := []rune(s); len(r) > maxReason {
		return string(r[:maxReason])
	}
	return s
}
