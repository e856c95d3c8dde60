package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/mail"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store/storetest"
)

// stalling is a transport whose worker can be stopped, as by a machine that sleeps: before it asks whether a letter may
// leave, after it may and before it does, or after the server's answer and before anybody is told of it.
type stalling struct {
	notify.Transport
	beforeAsking, beforeDot, beforeTelling func()
}

func (s *stalling) Lane() notify.Lane { return &stallingLane{Lane: s.Transport.Lane(), s: s} }

type stallingLane struct {
	notify.Lane
	s *stalling
}

func (l *stallingLane) Send(ctx context.Context, mails []compose.Message, each notify.Each) int {
	stop := func(f func()) {
		if f != nil {
			f()
		}
	}
	return l.Lane.Send(ctx, mails, notify.Each{
		BeforeDot: func(i int, m compose.Message) error {
			stop(l.s.beforeAsking)
			err := each.BeforeDot(i, m)
			if err == nil {
				stop(l.s.beforeDot)
			}
			return err
		},
		Done: func(i int, r notice.Receipt) bool {
			stop(l.s.beforeTelling)
			return each.Done(i, r)
		},
	})
}

// stop is a place where a worker stands still until it is let go.
type stop struct {
	reached, let chan struct{}
	first, last  sync.Once
}

func newStop(t *testing.T) *stop {
	s := &stop{reached: make(chan struct{}), let: make(chan struct{})}
	t.Cleanup(s.letGo)
	return s
}

func (s *stop) here() {
	s.first.Do(func() { close(s.reached) })
	<-s.let
}

func (s *stop) letGo() { s.last.Do(func() { close(s.let) }) }

// TestAWorkerIsStoppedPastItsLease stops a worker at each point of a letter's way until its lease is over, and has another
// one take the letter. What the first one learns afterwards is recorded; the letter leaves once more only where it may
// have left before, and never a third time.
func TestAWorkerIsStoppedPastItsLease(t *testing.T) {
	t.Parallel()
	engines := storetest.Engines(t)
	var waiting []*stoodStill // all leases pass at the same time
	for _, c := range []stoppedCase{
		{"before it asks whether the letter may leave", func(tr *stalling, here func()) { tr.beforeAsking = here }, true, 1, false},
		// Its connection was closed before its lease was over, so it cannot send what the other one sends.
		{"between the mark and the final dot", func(tr *stalling, here func()) { tr.beforeDot = here }, true, 1, true},
		{"after the answer, told after the letter went again", func(tr *stalling, here func()) { tr.beforeTelling = here }, true, 2, true},
		{"after the answer, told before the letter went again", func(tr *stalling, here func()) { tr.beforeTelling = here }, false, 1, true},
	} {
		for _, engine := range engines {
			waiting = append(waiting, stopWorker(t, c, engine))
		}
	}
	for _, w := range waiting {
		t.Run(w.name+"/"+w.engine, w.takeOver)
	}
}

type stoppedCase struct {
	name string
	at   func(tr *stalling, here func())
	// late has the receipt come only after the other worker has sent the letter; else it comes between its taking the
	// letter back and its claiming it.
	late   bool
	mails  int
	resent bool
}

// stoodStill is a worker that stands still with a letter.
type stoodStill struct {
	stoppedCase
	engine string
	o      *outbox
	srv    *mailtest.Server
	point  *stop
	a      *notify.Dispatcher
	first  <-chan ending
}

func stopWorker(t *testing.T, c stoppedCase, engine storetest.Engine) *stoodStill {
	t.Helper()
	s := engine.Open(t)
	w := &stoodStill{stoppedCase: c, engine: engine.Name, o: mustPlan(t, s, "stopped", 1)}
	w.srv = w.o.serveMail(t)
	slow := &stalling{Transport: transport(t, client(w.srv))}
	w.point = newStop(t)
	c.at(slow, w.point.here)
	w.a = w.o.shortly("a", s, slow)
	w.first = w.o.start(t.Context(), w.a)
	await(t, "the first worker stands still", w.point.reached)
	return w
}

// takeOver has another worker take the letter, and the first one go on.
func (w *stoodStill) takeOver(t *testing.T) {
	var early ending
	told := false
	ws := &watched{Store: w.o.s, claim: func(next func() ([]notice.Notice, error)) ([]notice.Notice, error) {
		counts, err := w.o.s.LetterCounts(t.Context(), w.o.code)
		if err == nil && !w.late && !told && counts[notice.Retry] == 1 { // taken back, and not claimed
			told = true
			w.point.letGo()
			early = ended(t, w.first)
		}
		return next()
	}}
	b := w.o.shortly("b", ws, transport(t, client(w.srv)))
	if err := w.o.finish(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if w.late {
		w.point.letGo()
		early = ended(t, w.first)
	}
	if early.err != nil || early.sum.Sent > 0 && !told {
		t.Errorf("the first worker: %+v %v", early.sum, early.err)
	}
	w.a.Transport = b.Transport
	for _, again := range []*notify.Dispatcher{w.a, b} {
		if sum, err := again.Run(t.Context(), w.o.filter()); err != nil || sum.Claimed != 0 {
			t.Errorf("a third time: %+v %v", sum, err)
		}
	}
	l := w.o.must(t, states(1, 0, 0))
	for _, e := range l.entries {
		if len(e.mails) != w.mails || e.outcomes(notice.OutcomeAccepted) != w.mails || e.Resent != w.resent {
			t.Errorf("%d mails, %d receipts, want %d of each; sent once more: %v, want %v\n%s",
				len(e.mails), e.outcomes(notice.OutcomeAccepted), w.mails, e.Resent, w.resent, l)
		}
	}
}

// TestLeasesPassTogether lets the leases of two stopped workers pass at the same time, with two others that take all their
// letters back at once. Each letter is taken back by one of them, and sent once.
func TestLeasesPassTogether(t *testing.T) {
	const each = 4
	for _, engine := range storetest.Engines(t) {
		if slowEngine(engine) {
			continue
		}
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			dsn := engine.DSN(t)
			s := storetest.Reopen(t, dsn)
			if _, err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			o := mustPlan(t, s, "together", 2*each)
			srv := o.serveMail(t)
			var still []<-chan ending
			var points []*stop
			for _, name := range []string{"a", "b"} {
				point := newStop(t)
				slow := &stalling{Transport: transport(t, client(srv)), beforeAsking: point.here}
				d := o.shortly(name, storetest.Reopen(t, dsn), slow)
				d.Chunk = each
				still, points = append(still, o.start(t.Context(), d)), append(points, point)
				await(t, "worker "+name+" stands still", point.reached)
			}
			var others []<-chan ending
			for _, name := range []string{"c", "d"} {
				others = append(others, o.start(t.Context(), o.shortly(name, storetest.Reopen(t, dsn), transport(t, client(srv)))))
			}
			var recovered, sent int
			for _, done := range others {
				r := ended(t, done)
				if r.err != nil {
					t.Error(r.err)
				}
				recovered, sent = recovered+r.sum.Recovered, sent+r.sum.Sent
			}
			if recovered != 2*each || sent != 2*each {
				t.Errorf("%d letters taken back and %d sent, want %d", recovered, sent, 2*each)
			}
			for i, done := range still {
				points[i].letGo()
				if r := ended(t, done); r.err != nil || r.sum.Sent != 0 {
					t.Errorf("a stopped worker: %+v %v", r.sum, r.err)
				}
			}
			if l := o.must(t, states(2*each, 0, 0)); l.mails() != 2*each {
				t.Errorf("%d mails\n%s", l.mails(), l)
			}
		})
	}
}

// TestTwoWorkersShareTheLetters has two dispatchers, each with a database handle and connections of its own, drain the
// same letters. Each is accepted once.
func TestTwoWorkersShareTheLetters(t *testing.T) {
	const n = 500
	for _, engine := range storetest.Engines(t) {
		if slowEngine(engine) {
			continue
		}
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			dsn := engine.DSN(t)
			s := storetest.Reopen(t, dsn)
			if _, err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			o := mustPlan(t, s, "share", n)
			srv := o.serveMail(t)
			var sums [2]notify.Summary
			var errs [2]error
			var all sync.WaitGroup
			// Neither begins to send before the other is there.
			var ready sync.WaitGroup
			ready.Add(len(sums))
			for i, name := range []string{"a", "b"} {
				cfg := client(srv)
				cfg.Lanes = 2
				var once sync.Once
				ws := &watched{Store: storetest.Reopen(t, dsn)}
				ws.claim = func(next func() ([]notice.Notice, error)) ([]notice.Notice, error) {
					list, err := next()
					once.Do(func() {
						ready.Done()
						ready.Wait()
					})
					return list, err
				}
				d := o.worker(name, ws, transport(t, cfg))
				d.Chunk = 16
				all.Go(func() { sums[i], errs[i] = d.Run(t.Context(), o.filter()) })
			}
			all.Wait()
			if err := errors.Join(errs[:]...); err != nil {
				t.Fatal(err)
			}
			if a, b := sums[0], sums[1]; a.Sent+b.Sent != n || a.Claimed+b.Claimed != n || a.Sent == 0 || b.Sent == 0 {
				t.Errorf("%+v\n%+v", a, b)
			}
			l := o.must(t, states(n, 0, 0))
			if l.mails() != n {
				t.Errorf("%d mails", l.mails())
			}
			for id, e := range l.entries {
				if len(e.attempts) != 1 || e.Tries != 1 || e.Resent {
					t.Errorf("letter %s: %d attempts, %d tries", id, len(e.attempts), e.Tries)
				}
			}
		})
	}
}

// TestARelayThatRestartsUnderTwoWorkers takes the relay away and back while two workers send through it.
func TestARelayThatRestartsUnderTwoWorkers(t *testing.T) {
	const n = 60
	for _, engine := range storetest.Engines(t) {
		if slowEngine(engine) {
			continue
		}
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			dsn := engine.DSN(t)
			s := storetest.Reopen(t, dsn)
			if _, err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			o := mustPlan(t, s, "restart", n)
			srv := o.serveMail(t)
			var over atomic.Bool
			var all sync.WaitGroup
			errs := make([]error, 2)
			workers := make([]*notify.Dispatcher, len(errs))
			for i, name := range []string{"a", "b"} {
				cfg := client(srv)
				cfg.Lanes = 2
				tr, err := mail.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tr.Close() }()
				workers[i] = o.worker(name, storetest.Reopen(t, dsn), tr)
				all.Go(func() {
					for !over.Load() && errs[i] == nil {
						_, err := workers[i].Run(t.Context(), o.filter())
						errs[i] = errors.Join(err, o.hasten(t.Context()))
					}
				})
			}
			for _, at := range []int{n / 4, n / 2} {
				errAt := srv.WaitAccepted(within(t), at)
				if err := errors.Join(errAt, srv.Stop(), srv.Resume()); err != nil {
					t.Fatal(err)
				}
			}
			errAt := srv.WaitAccepted(within(t), n*3/4)
			over.Store(true)
			all.Wait()
			if err := errors.Join(append(errs, errAt)...); err != nil {
				t.Fatal(err)
			}
			if err := o.finish(t.Context(), workers[0]); err != nil {
				t.Fatal(err)
			}
			l, err := o.read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := l.check(o.letters); err != nil || l.states[notice.Sent]+l.states[notice.Unknown] != n {
				t.Errorf("%v\n%v\n%s", l.states, err, l)
			}
		})
	}
}
