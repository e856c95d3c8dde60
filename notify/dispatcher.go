package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"duban/jobs/task"
	"duban/notify/compose"
	"duban/notify/notice"
)

// Dispatcher delivers letters over the lanes of one transport, which is one account at one server. The zero values of
// the durations mean their defaults. It is used by one Run at a time.
type Dispatcher struct {
	Store     Store
	Transport Transport
	Mail      compose.Mail
	// Account names the server and the login, for the brakes; the transport's name where empty.
	Account string
	// By names the worker in receipts and in the record of letters it recovers; "dispatcher" where empty.
	By string
	// Gone reports whether the worker that made a claim under the token is certainly no more: its letters are taken back at
	// once. Nil: nobody knows, and leases decide.
	Gone func(token string) bool
	// Lease is how long a claim lasts (5 minutes). Phase is the longest a single step of the transport may take (30
	// seconds): no mail is finished unless the lease outlives twice that.
	Lease, Phase time.Duration
	// Wait bounds how long Run waits at its end for letters under a dead worker's lease: by default Lease and a little
	// more, so that a run after a crash leaves nothing behind; negative: not at all.
	Wait time.Duration
	// Shutdown is how long the mails in hand may take once ctx has ended (30 seconds); then their connections are closed.
	Shutdown time.Duration
	// Chunk is how many letters a lane claims at a time (64).
	Chunk int
	// Pace limits how many mails leave in a minute. It is shared by all dispatchers of one account; nil: any number.
	Pace     *Pace
	Patience Patience
	// Door and Archive may be nil: then every letter may leave, and no copy of it is kept.
	Door    Door
	Archive Archive
	// Ready refuses to send letters of a jurisdiction for the time being, with an error that says why; nil: nothing is
	// against it. It is asked before letters are claimed.
	Ready func(ctx context.Context, jurisdiction string) error
	// OnSettled is told of every letter, in its new state, after it is recorded; of one at a time. It may be nil.
	OnSettled func(notice.Notice)
	Log       zerolog.Logger
	// Brakes are shared by all dispatchers of one account; nil: this one has its own, from one Run to the next.
	Brakes *Brakes
}

// Summary counts the letters of one run by the state the run left them in.
type Summary struct {
	Claimed   int // letters this run took
	Sent      int
	Retry     int
	Failed    int
	Unknown   int
	Cancelled int // nothing was left to say in them
	Back      int // taken, but not begun: they wait as before
	Lost      int // taken away by another worker meanwhile
	// Held counts the letters kept until their window opens.
	Held int
	// Recovered counts letters of dead workers; Leased those that are still under another worker's lease.
	Recovered int
	Leased    int
	// Brake is why the account is not used for the time being; nil: it is.
	Brake *notice.Brake
}

// Add returns the sums of both runs.
func (s Summary) Add(t Summary) Summary {
	return Summary{
		Claimed: s.Claimed + t.Claimed, Sent: s.Sent + t.Sent, Retry: s.Retry + t.Retry, Failed: s.Failed + t.Failed, Unknown: s.Unknown + t.Unknown,
		Cancelled: s.Cancelled + t.Cancelled, Back: s.Back + t.Back, Lost: s.Lost + t.Lost, Held: s.Held + t.Held,
		Recovered: s.Recovered + t.Recovered, Leased: s.Leased + t.Leased, Brake: cmp.Or(s.Brake, t.Brake),
	}
}

// of is the counter of the letters in a state.
func (s *Summary) of(state notice.State) *int {
	switch state {
	case notice.Sent:
		return &s.Sent
	case notice.Retry:
		return &s.Retry
	case notice.Failed:
		return &s.Failed
	case notice.Unknown:
		return &s.Unknown
	case notice.Cancelled:
		return &s.Cancelled
	case notice.Pending:
		return &s.Back
	case notice.Sending, notice.Held, notice.Superseded: // no claim of ours ends so
	}
	return &s.Lost
}

const (
	storeTimeout = 30 * time.Second // of one transaction
	pollEvery    = 5 * time.Second  // while waiting for another worker's lease
)

// defaults returns the dispatcher with every setting filled in.
func (d *Dispatcher) defaults() (*Dispatcher, error) {
	c := *d
	c.By = cmp.Or(c.By, "dispatcher")
	if c.Transport != nil {
		c.Account = cmp.Or(c.Account, c.Transport.Name())
	}
	c.Lease, c.Phase = cmp.Or(c.Lease, 5*time.Minute), cmp.Or(c.Phase, 30*time.Second)
	c.Wait = cmp.Or(c.Wait, c.Lease+2*pollEvery)
	c.Shutdown = cmp.Or(c.Shutdown, 30*time.Second)
	c.Chunk = max(cmp.Or(c.Chunk, 64), 1)
	c.Patience = c.Patience.orDefaults()
	if c.Lease <= 2*c.Phase {
		return nil, fmt.Errorf("the lease (%v) must be longer than twice a step of the transport (%v)", c.Lease, c.Phase)
	}
	return &c, nil
}

// run is the state of one Run.
type run struct {
	*Dispatcher
	composer *compose.Composer
	filter   notice.ClaimFilter
	clock    clock
	books    *committer
	// hard ends when the mails in hand have to be broken off.
	hard context.Context

	mu     sync.Mutex
	sum    Summary
	again  map[string]notice.State // the letters that this run had and that may leave yet
	waited time.Duration
	err    error // the first error that stops the run
}

// Run delivers every letter that is due under the filter. It first takes back the letters of workers that died, and at
// its end waits for those that a dead worker's lease still covers. Outside the window of the filter's jurisdiction it
// holds them instead; under a pulled brake it lets them be. Cancelling ctx stops it between two letters: those in hand
// are finished and recorded under deadlines of their own. An error means that it stopped early; the summary counts what
// was done until then.
func (d *Dispatcher) Run(ctx context.Context, f notice.ClaimFilter) (Summary, error) {
	composer, err := compose.New(d.Mail)
	if err != nil {
		return Summary{}, fmt.Errorf("deliver letters: %w", err)
	}
	c, err := d.defaults()
	if err != nil {
		return Summary{}, fmt.Errorf("deliver letters: %w", err)
	}
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(c.Shutdown)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-hard.Done():
		}
	})
	defer stop()
	if c.Brakes == nil {
		c.Brakes = NewBrakes(c.Account, c.By, c.Patience)
		d.Brakes = c.Brakes
	}
	r := &run{Dispatcher: c, composer: composer, filter: f, hard: hard, again: map[string]notice.State{}}
	if err = r.all(ctx); err != nil {
		err = fmt.Errorf("deliver letters: %w", err)
	}
	return r.sum, err
}

// Recover takes back the jurisdiction's letters of workers that died, of whatever date. It is called before a day is
// planned: a letter of an earlier day that nobody holds any more is absorbed then, and would else be in sending for ever,
// since Run looks at one date only.
func (d *Dispatcher) Recover(ctx context.Context, jurisdiction string) error {
	c, err := d.defaults()
	if err == nil {
		r := &run{Dispatcher: c, filter: notice.ClaimFilter{Jurisdiction: jurisdiction}}
		err = r.recover(ctx)
	}
	if err != nil {
		return fmt.Errorf("recover letters of %s: %w", jurisdiction, err)
	}
	return nil
}

func (r *run) all(ctx context.Context) error {
	now, err := r.now(ctx)
	if err != nil {
		return err
	}
	r.clock = clock{now, time.Now()}
	some, err := r.outstanding(ctx)
	if err != nil {
		return err
	}
	if !some { // nothing to take back, to release or to claim
		_, err := r.gates(ctx, false)
		return err
	}
	r.books = newCommitter(ctx, r)
	defer r.books.stop()
	for {
		if err := r.recover(ctx); err != nil {
			return err
		}
		open, err := r.gates(ctx, true)
		if err != nil || !open {
			return err
		}
		if err := r.drain(ctx); err != nil || r.sum.Brake != nil {
			return err
		}
		again, err := r.await(ctx)
		if err != nil || !again {
			return err
		}
	}
}

// gates holds or releases the letters, if there are some, by the jurisdiction's window, and asks whether the account may be used.
func (r *run) gates(ctx context.Context, some bool) (bool, error) {
	if r.Ready != nil {
		if err := r.Ready(ctx, r.filter.Jurisdiction); err != nil {
			return false, err
		}
	}
	if until := r.closedUntil(); !until.IsZero() {
		if !some {
			return false, nil
		}
		return false, r.hold(ctx, until)
	}
	sctx, cancel := detached(ctx)
	defer cancel()
	if some {
		if _, err := r.Store.ReleaseHeld(sctx, r.filter, "its window has opened"); err != nil {
			return false, err
		}
	}
	kept, err := r.Store.Brakes(sctx)
	if err != nil {
		return false, err
	}
	r.Brakes.load(kept)
	brake, holds, _ := r.Brakes.pulled(r.clock.now())
	if holds {
		r.sum.Brake = &brake
	}
	return !holds, nil
}

// closedUntil returns when the window opens that is closed now; the zero time: letters may leave.
func (r *run) closedUntil() time.Time {
	if r.Door == nil || r.filter.Jurisdiction == "" {
		return time.Time{}
	}
	return r.Door.Window(r.filter.Jurisdiction)
}

func (r *run) hold(ctx context.Context, until time.Time) error {
	sctx, cancel := detached(ctx)
	defer cancel()
	n, err := r.Store.HoldNotices(sctx, r.filter, until, "outside the sending window, which opens "+until.Format("2006-01-02 15:04 -07:00"))
	r.mu.Lock()
	r.sum.Held += n
	r.mu.Unlock()
	if n > 0 {
		r.Log.Info().Str("jurisdiction", r.filter.Jurisdiction).Int("letters", n).Time("until", until).Msg("letters held outside the sending window")
	}
	return err
}

// drain claims and delivers over all lanes until nothing is due any more.
func (r *run) drain(ctx context.Context) error {
	// After a brake one letter shows whether it may be let go; only then the others follow.
	if _, _, probe := r.Brakes.pulled(r.clock.now()); probe {
		r.lane(ctx, true)
		r.Brakes.finish()
	}
	if !r.stopped(ctx) {
		var all sync.WaitGroup
		for range r.Pace.lanes(max(r.Transport.Lanes(), 1)) {
			all.Go(func() { r.lane(ctx, false) })
		}
		all.Wait()
	}
	r.Brakes.finish()
	r.books.flush()
	r.saveBrakes(ctx)
	if brake, holds, _ := r.Brakes.pulled(r.clock.now()); holds {
		r.sum.Brake = &brake
		r.Log.Warn().Str("account", MaskAll(r.Account)).Time("until", brake.Until).Str("reason", MaskAll(brake.Reason)).Msg("brake pulled: no letters leave for a while")
	}
	return r.failure(ctx)
}

// stopped reports whether no more letters are to be taken, after it has written down what the brakes say.
func (r *run) stopped(ctx context.Context) bool {
	r.saveBrakes(ctx)
	_, holds, _ := r.Brakes.pulled(r.clock.now())
	r.mu.Lock()
	defer r.mu.Unlock()
	return holds || r.err != nil || ctx.Err() != nil
}

func (r *run) failure(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.err
}

// fail stops the run.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// saveBrakes writes down what changed. A brake that cannot be written still holds in this run.
func (r *run) saveBrakes(ctx context.Context) {
	changes, reopen := r.Brakes.take()
	for _, c := range changes {
		sctx, cancel := detached(ctx)
		save := func() error { return r.Store.SaveBrake(sctx, c.Brake) }
		if c.drop {
			save = func() error { return r.Store.DropBrake(sctx, c.Scope) }
		}
		if err := save(); err != nil {
			r.Log.Error().Str("error", MaskAll(err.Error())).Str("scope", MaskAll(c.Scope)).Msg("write a brake")
		}
		cancel()
	}
	for _, id := range reopen {
		sctx, cancel := detached(ctx)
		err := r.Store.Move(sctx, id, notice.Failed, "refused like others after it: the server's doing, not its reader's", r.By, notice.Reopen)
		if err != nil && !errors.Is(err, task.ErrLost) {
			r.Log.Error().Err(err).Str("notice", id).Msg("reopen a letter")
		}
		cancel()
	}
}

// detached is a context for one transaction that has to come to its end even where the run is stopped.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

func (r *run) outstanding(ctx context.Context) (bool, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	return r.Store.Outstanding(ctx, r.filter)
}

func (r *run) now(ctx context.Context) (time.Time, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	return r.Store.Now(ctx)
}

// clock tells the database's time without asking for it each time, and without minding that the machine's clock is set
// meanwhile.
type clock struct{ base, read time.Time }

func (c clock) now() time.Time { return c.base.Add(time.Since(c.read)) }
