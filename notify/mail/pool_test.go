package mail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
)

func relay(t *testing.T, cfg mailtest.Config) (*mailtest.Server, int) {
	t.Helper()
	s := mailtest.Serve(t, cfg)
	return s, s.Port()
}

func TestLanesShareTheConnectionsOfTheAccount(t *testing.T) {
	const lanes, turns, perTurn = 10, 5, 4
	srv, port := relay(t, mailtest.Config{Extensions: mailtest.AllExtensions()})
	tr := transport(t, Config{Port: port, Security: Plain, Lanes: 4})
	var wg sync.WaitGroup
	for range lanes {
		l := tr.Lane()
		wg.Go(func() {
			for range turns {
				if s := send(t, l, t.Context(), letters(perTurn)...); s.n != perTurn || len(s.dots) != perTurn {
					t.Errorf("%+v", s)
				}
			}
			for range 2 {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c := srv.Counts()
	if c.MaxOpen > 4 || c.Mails != lanes*turns*perTurn || c.Violations != 0 {
		t.Errorf("%d connections at once, %d mails, %v", c.MaxOpen, c.Mails, srv.Violations())
	}
	if len(tr.pool.places) != 0 || len(tr.pool.queue) != 0 {
		t.Errorf("left over: %d places, %d waiters", len(tr.pool.places), len(tr.pool.queue))
	}
}

func TestAConnectionAtRestGoesToTheLaneThatNeedsOne(t *testing.T) {
	srv, port := relay(t, mailtest.Config{Extensions: mailtest.AllExtensions()})
	tr := transport(t, Config{Port: port, Security: Plain, Lanes: 1})
	a, b := tr.Lane(), tr.Lane()
	for i, l := range []notify.Lane{a, b, b, a} { // none is closed
		if s := send(t, l, t.Context(), letters(2)...); s.n != 2 {
			t.Fatalf("turn %d: %+v", i, s)
		}
	}
	if err := errors.Join(b.Close(), a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	if c := srv.Counts(); c.Connections != 1 || c.Mails != 8 || len(tr.pool.places) != 0 {
		t.Errorf("%+v; %d places", c, len(tr.pool.places))
	}
}

// TestWaitingForAConnectionEndsWithTheContext holds the only connection in a turn and lets another lane wait for it.
func TestWaitingForAConnectionEndsWithTheContext(t *testing.T) {
	srv, port := relay(t, mailtest.Config{Extensions: mailtest.AllExtensions()})
	tr := transport(t, Config{Port: port, Security: Plain, Lanes: 1})
	waiting := tr.Lane()
	all := func(int, notice.Receipt) bool { return true }
	n := tr.Lane().Send(t.Context(), letters(2), notify.Each{Done: all, BeforeDot: func(i int, _ compose.Message) error {
		if i > 0 {
			return nil
		}
		for _, end := range []func() (context.Context, context.CancelFunc){
			func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 20*time.Millisecond)
			},
			func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(20*time.Millisecond, cancel)
				return ctx, cancel
			},
		} {
			ctx, cancel := end()
			if s := send(t, waiting, ctx, letters(3)...); s.n != 0 || len(s.done) != 0 || ctx.Err() == nil {
				t.Errorf("%+v", s)
			}
			cancel()
		}
		return waiting.Close()
	}})
	if n != 2 || len(tr.pool.queue) != 0 {
		t.Errorf("%d dealt with, %d wait", n, len(tr.pool.queue))
	}
	if s := send(t, waiting, t.Context(), letters(3)...); s.n != 3 {
		t.Errorf("%+v", s)
	}
	if c := srv.Counts(); c.MaxOpen != 1 || c.Mails != 5 {
		t.Errorf("%+v", c)
	}
}

// TestAPlaceIsNeverLost lets contexts end while places are handed over.
func TestAPlaceIsNeverLost(t *testing.T) {
	p := pool{limit: 2, places: map[*lane]*session{}}
	var wg sync.WaitGroup
	var mu sync.Mutex
	in, most := 0, 0
	for i := range 8 {
		wg.Go(func() {
			l := &lane{}
			for k := range 300 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*k%7)*10*time.Microsecond)
				if s, ok := p.enter(ctx, l); ok {
					mu.Lock()
					in++
					most = max(most, in)
					mu.Unlock()
					if s == nil && k%3 == 0 {
						s = &session{}
					}
					mu.Lock()
					in--
					mu.Unlock()
					p.leave(l, s)
				}
				cancel()
			}
			if p.rested(l) != nil {
				p.leave(l, nil)
			}
		})
	}
	wg.Wait()
	for l, s := range p.places {
		if s == nil {
			t.Error("a place is taken by nobody")
		}
		delete(p.places, l)
	}
	if most > 2 || len(p.queue) != 0 {
		t.Errorf("%d at once, %d wait", most, len(p.queue))
	}
}

// TestALimitOfLettersForEachConnection is a relay that says 421 to every letter after the second of a connection, or to
// all but the first ones.
func TestALimitOfLettersForEachConnection(t *testing.T) {
	for _, pipelining := range []bool{false, true} {
		srv, port := relay(t, mailtest.Config{Extensions: mailtest.Extensions{Pipelining: pipelining}})
		on := map[int]int{}
		var mu sync.Mutex
		srv.SetDecide(func(e mailtest.Event) mailtest.Action {
			mu.Lock()
			defer mu.Unlock()
			if e.Phase == mailtest.AtMail {
				if on[e.Conn]++; on[e.Conn] > 2 {
					return mailtest.Refusal(421, "4.7.0 too many letters on this connection")
				}
			}
			return mailtest.Action{}
		})
		tr := transport(t, Config{Port: port, Security: Plain})
		s := send(t, tr.Lane(), t.Context(), letters(7)...)
		if c := srv.Counts(); s.n != 7 || c.Mails != 7 || c.Connections != 4 || !slices.Equal(s.dots, []int{0, 1, 2, 3, 4, 5, 6}) {
			t.Errorf("pipelining %v: %+v\n%+v", pipelining, s, c)
		}
		srv.SetDecide(func(e mailtest.Event) mailtest.Action {
			if e.Phase == mailtest.AtMail {
				return mailtest.Refusal(421, "4.3.2 closing")
			}
			return mailtest.Action{}
		})
		before := srv.Counts().Connections
		s = send(t, tr.Lane(), t.Context(), letters(2)...)
		if s.n != 1 || s.done[0].Code != 421 || s.done[0].Outcome != notice.OutcomeTemporary || srv.Counts().Connections > before+1 {
			t.Errorf("pipelining %v: %+v", pipelining, s)
		}
	}
}

func TestAPanicGivesTheConnectionUp(t *testing.T) {
	for _, c := range []struct {
		name  string
		each  notify.Each
		mails int // that arrive of the turn that panics
	}{
		{"before the dot", notify.Each{BeforeDot: func(int, compose.Message) error { panic("lost my mind") }}, 0},
		{"once it is done", notify.Each{Done: func(int, notice.Receipt) bool { panic("lost my mind") }}, 1},
	} {
		for _, pipelining := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/pipelining=%v", c.name, pipelining), func(t *testing.T) {
				srv, port := relay(t, mailtest.Config{Extensions: mailtest.Extensions{Pipelining: pipelining}})
				tr := transport(t, Config{Port: port, Security: Plain, Lanes: 1, Phase: 5 * time.Second})
				l := tr.Lane()
				func() {
					defer func() {
						if recover() == nil {
							t.Error("the panic was swallowed")
						}
					}()
					l.Send(t.Context(), letters(3), c.each)
				}()
				if len(tr.pool.places) != 0 {
					t.Errorf("%d places are taken", len(tr.pool.places))
				}
				s := send(t, l, t.Context(), letters(2)...)
				if n := srv.Counts(); s.n != 2 || len(s.dots) != 2 || n.Mails != c.mails+2 || n.Connections != 2 {
					t.Errorf("%+v\n%+v", s, n)
				}
			})
		}
	}
}

// TestAServerThatKnowsNoEHLO is greeted in the old way (RFC 5321, 3.2), but never where TLS is asked for.
func TestAServerThatKnowsNoEHLO(t *testing.T) {
	srv, port := relay(t, mailtest.Config{NoEHLO: true})
	if s := send(t, transport(t, Config{Port: port, Security: Plain}).Lane(), t.Context(), letters(3)...); s.n != 3 || len(s.dots) != 3 {
		t.Errorf("%+v", s)
	}
	for _, c := range Probe(t.Context(), Config{Host: "127.0.0.1", Port: port, Security: Plain}, letter.From, letter.To) {
		if !c.OK {
			t.Errorf("%+v", c)
		}
	}
	if n := srv.Counts(); n.Mails != 3 || n.Violations != 0 {
		t.Errorf("%+v %v", n, srv.Violations())
	}
	s := send(t, transport(t, Config{Port: port, Security: StartTLS}).Lane(), t.Context(), letters(2)...)
	if s.n != 1 || s.done[0].Phase != notice.PhaseHello || s.done[0].Outcome != notice.OutcomeTemporary || srv.Counts().Mails != 3 {
		t.Errorf("%+v", s)
	}
}
