package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"duban/jobs/task"
	"duban/notify/compose"
	"duban/notify/notice"
)

// Dispatcher delivers letters, one at a time. The zero values of the durations mean their defaults.
type Dispatcher struct {
	Store     Store
	Transport Single
	Mail      compose.Mail
	// By names the worker in the record of letters it recovers; "dispatcher" where empty.
	By string
	// Lease is how long a claim lasts (5 minutes). Phase is the longest a single step of the transport may take (30
	// seconds): no copy of a letter is begun unless the lease outlives twice that.
	Lease, Phase time.Duration
	// Wait bounds how long Run waits at its end for letters under a dead worker's lease: by default Lease and a little
	// more, so that a run after a crash leaves nothing behind; negative: not at all.
	Wait time.Duration
	// OnSettled is told of every letter, in its new state, after it is recorded. It may be nil.
	OnSettled func(notice.Notice)
	Log       zerolog.Logger
}

// Summary counts the letters of one run by the state the run left them in.
type Summary struct {
	Claimed int // letters this run took
	Sent    int
	Retry   int
	Failed  int
	Unknown int
	Lost    int // taken away by another worker meanwhile
	// Recovered counts letters of dead workers; Leased those that are still under another worker's lease.
	Recovered int
	Leased    int
}

// run is the state of one Run.
type run struct {
	*Dispatcher
	filter    notice.ClaimFilter
	states    map[string]notice.State
	recovered map[string]bool
	leased    int
	waited    time.Duration
}

// lost is the state of a letter that another worker took over; it is never stored.
const lost notice.State = "lost"

const (
	storeTimeout = 30 * time.Second // of one transaction
	pollEvery    = 5 * time.Second  // while waiting for another worker's lease
)

// Run delivers every letter that is due under the filter. It first takes back the letters of workers that died, and at
// its end waits for those that a dead worker's lease still covers. Cancelling ctx stops it between two letters: the one
// in hand is finished and recorded under deadlines of its own. An error means that it stopped early; the summary counts
// what was done until then.
func (d *Dispatcher) Run(ctx context.Context, f notice.ClaimFilter) (Summary, error) {
	if err := d.Mail.Validate(); err != nil {
		return Summary{}, fmt.Errorf("deliver letters: %w", err)
	}
	c := *d
	c.By = cmp.Or(c.By, "dispatcher")
	c.Lease, c.Phase = cmp.Or(c.Lease, 5*time.Minute), cmp.Or(c.Phase, 30*time.Second)
	c.Wait = cmp.Or(c.Wait, c.Lease+2*pollEvery)
	if c.Lease <= 2*c.Phase {
		return Summary{}, fmt.Errorf("deliver letters: the lease (%v) must be longer than twice a step of the transport (%v)", c.Lease, c.Phase)
	}
	r := &run{Dispatcher: &c, filter: f, states: map[string]notice.State{}, recovered: map[string]bool{}}
	err := r.all(ctx)
	if err != nil {
		err = fmt.Errorf("deliver letters: %w", err)
	}
	return r.summary(), err
}

// Recover takes back the jurisdiction's letters of workers that died, of whatever date. It is called before a day is
// planned: a letter of an earlier day that nobody holds any more is absorbed then, and would else be in sending for ever,
// since Run looks at one date only.
func (d *Dispatcher) Recover(ctx context.Context, jurisdiction string) error {
	c := *d
	c.By = cmp.Or(c.By, "dispatcher")
	r := &run{Dispatcher: &c, filter: notice.ClaimFilter{Jurisdiction: jurisdiction}, recovered: map[string]bool{}}
	if err := r.recover(ctx); err != nil {
		return fmt.Errorf("recover letters of %s: %w", jurisdiction, err)
	}
	return nil
}

func (r *run) all(ctx context.Context) error {
	for {
		if err := r.recover(ctx); err != nil {
			return err
		}
		if err := r.drain(ctx); err != nil {
			return err
		}
		again, err := r.await(ctx)
		if err != nil || !again {
			return err
		}
	}
}

func (r *run) summary() Summary {
	s := Summary{Claimed: len(r.states), Recovered: len(r.recovered), Leased: r.leased}
	for _, state := range r.states {
		switch state {
		case notice.Sent:
			s.Sent++
		case notice.Retry:
			s.Retry++
		case notice.Failed:
			s.Failed++
		case notice.Unknown:
			s.Unknown++
		case lost:
			s.Lost++
		default: // no run leaves a letter in another state
		}
	}
	return s
}

// detached is a context for one transaction that has to come to its end even where the run is stopped.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// drain claims and delivers until nothing is due any more.
func (r *run) drain(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, ok, err := r.claim(ctx)
		if err != nil || !ok {
			return err
		}
		if err := r.one(ctx, n); err != nil {
			return err
		}
	}
}

func (r *run) claim(ctx context.Context) (notice.Notice, bool, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	return r.Store.ClaimNotice(ctx, r.filter, r.Lease)
}

// one delivers the letter in hand and records it.
func (r *run) one(ctx context.Context, n notice.Notice) error {
	held, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Lease-r.Phase)
	defer cancel()
	receipts, err := r.deliver(held, n)
	if errors.Is(err, task.ErrLost) {
		r.settled(n, lost)
		return nil
	}
	return r.settle(ctx, n, receipts)
}

// deliver hands every recipient's copy over, the reader's first. Only a lost claim is an error; all else is a receipt.
func (r *run) deliver(ctx context.Context, n notice.Notice) ([]notice.Receipt, error) {
	list := toSend(n)
	out := make([]notice.Receipt, 0, len(list))
	for _, i := range list {
		receipt, err := r.send(ctx, n, i)
		if err != nil {
			return nil, err
		}
		out = append(out, receipt)
	}
	return out, nil
}

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

// send composes and hands over one copy. A panic, in a template or in a transport, is contained here.
func (r *run) send(ctx context.Context, n notice.Notice, i int) (out notice.Receipt, err error) {
	rcpt := n.Facts.Recipients[i]
	out = notice.Receipt{Recipient: i, Email: rcpt.Email, Copy: rcpt.Copy}
	var marked bool
	defer func() {
		if p := recover(); p != nil {
			out.Outcome, out.Reply = notice.OutcomeTemporary, fmt.Sprintf("panic: %v", p)
			if marked {
				out.Outcome = notice.OutcomeUnknown
			}
			r.Log.Error().Str("notice", n.ID).Str("to", Mask(rcpt.Email)).Interface("panic", p).Stack().Msg("sending panicked")
		}
		if now, nerr := r.now(ctx); nerr == nil {
			out.At = now
		}
	}()
	msg, cerr := compose.Compose(n, i, r.Mail)
	if cerr != nil {
		out.Outcome, out.Reply = notice.OutcomePermanent, cerr.Error()
		return out, nil
	}
	sum := sha256.Sum256(msg.Bytes)
	out.Email, out.SHA256 = msg.To, hex.EncodeToString(sum[:])
	if err := r.leaseLasts(ctx, n); err != nil {
		out.Outcome, out.Reply = notice.OutcomeTemporary, err.Error()
		return out, nil
	}
	var gone error
	got := r.Transport.Send(ctx, msg, func() error {
		merr := r.mark(ctx, n)
		if errors.Is(merr, task.ErrLost) {
			gone = merr
		}
		marked = merr == nil
		return merr
	})
	out.Outcome, out.Reply = got.Outcome, got.Reply
	return out, gone
}

// leaseLasts refuses to begin what the lease may not see the end of.
func (r *run) leaseLasts(ctx context.Context, n notice.Notice) error {
	now, err := r.now(ctx)
	if err != nil {
		return err
	}
	if left := n.Lease.Sub(now); left <= 2*r.Phase {
		return fmt.Errorf("not begun: the claim lasts only %v more", left.Round(time.Second))
	}
	return nil
}

func (r *run) now(ctx context.Context) (time.Time, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	return r.Store.Now(ctx)
}

func (r *run) mark(ctx context.Context, n notice.Notice) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	return r.Store.MarkData(ctx, n.ID, n.Token)
}
