package notify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/notice"
)

// reply answers without a final dot, in a phase and with a code.
func reply(phase notice.Phase, code int, enhanced string) func(context.Context, func() error) notice.Receipt {
	return func(context.Context, func() error) notice.Receipt {
		return notice.Receipt{Outcome: notice.Classify(phase, code, enhanced), Phase: phase, Code: code, Enhanced: enhanced, Reply: "said"}
	}
}

func times(n int, step func(context.Context, func() error) notice.Receipt) steps {
	return slices.Repeat(steps{step}, n)
}

// letters makes letters to units u01…, each at a domain of its own where domains is set, in the order they are claimed.
func letters(n int, domains bool) []notice.Notice {
	var out []notice.Notice
	for i := range n {
		l := letterTo(fmt.Sprintf("u%02d", i), "2024-09-26")
		if domains {
			l.Facts.Recipients[0].Email = fmt.Sprintf("u@d%02d.example", i)
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b notice.Notice) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func script(ns []notice.Notice, s func(i int) steps) map[string]steps {
	out := map[string]steps{}
	for i, n := range ns {
		out[n.Facts.Recipients[0].Email] = s(i)
	}
	return out
}

// pulled counts the brakes.
func (s *fakeStore) pulled() int {
	n := 0
	for scope := range s.brakes {
		if !strings.HasPrefix(scope, "accepted:") {
			n++
		}
	}
	return n
}

func states(s *fakeStore) map[notice.State]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[notice.State]int{}
	for _, n := range s.letters {
		out[n.State]++
	}
	return out
}

func TestABrakeStopsWhatFailsForEverybody(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply func(context.Context, func() error) notice.Receipt
		tried int // letters that are in retry; the others were not begun
		why   string
	}{
		{"no connection", reply(notice.PhaseConnect, 0, ""), 3, "connect"},
		{"login refused", reply(notice.PhaseLogin, 535, "5.7.8"), 3, "login: 535 5.7.8"},
		{"sender refused for now", reply(notice.PhaseSender, 451, ""), 3, "sender: 451"},
		{"shutting down", reply(notice.PhaseRecipient, 421, ""), 3, "421"},
		{"full after the dot", reply(notice.PhaseAnswer, 452, "4.3.1"), 3, "452"},
		{"the same refusal for three recipients", reply(notice.PhaseRecipient, 550, ""), 3, "refused with the same 550 for 3 recipients"},
		{"a spent quota", reply(notice.PhaseAnswer, 550, "5.7.1"), 3, "refused with the same 550 5.7.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ns := letters(10, true)
				s := newStore(ns...)
				w := &wire{script: script(ns, func(int) steps { return times(1, c.reply) })}
				d := dispatcher(s, w)
				sum, err := d.Run(t.Context(), notice.ClaimFilter{})
				if err != nil || sum.Brake == nil || !strings.Contains(sum.Brake.Reason, c.why) {
					t.Fatalf("%+v %v", sum, err)
				}
				if got := states(s); got[notice.Retry] != c.tried || got[notice.Pending] != len(ns)-c.tried {
					t.Errorf("states %v", got)
				}
				// Nothing is tried while it holds, by this worker or another.
				other := dispatcher(s, w)
				for _, x := range []*Dispatcher{d, other} {
					if sum, err := x.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Brake == nil || sum.Claimed != 0 {
						t.Errorf("while it holds: %+v %v", sum, err)
					}
				}
				// After it, one letter is let through; it is accepted, and the others follow by themselves.
				w.script = nil
				time.Sleep(30 * time.Minute)
				if sum, err := other.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Brake != nil || sum.Sent != len(ns) {
					t.Errorf("afterwards: %+v %v", sum, err)
				}
				if s.pulled() != 0 || w.count() != len(ns) {
					t.Errorf("brakes %v, sent %d", s.brakes, w.count())
				}
			})
		})
	}
}

func TestABrakeHoldsLongerEachTimeTheTryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(8, true)
		s := newStore(ns...)
		w := &wire{script: script(ns, func(int) steps { return times(100, reply(notice.PhaseConnect, 0, "")) })}
		d := dispatcher(s, w)
		var waits []time.Duration
		for range 8 {
			sum, err := d.Run(t.Context(), notice.ClaimFilter{})
			if err != nil || sum.Brake == nil {
				t.Fatalf("%+v %v", sum, err)
			}
			waits = append(waits, time.Until(sum.Brake.Until))
			if len(waits) > 1 && sum.Retry != 1 {
				t.Errorf("%d letters were risked", sum.Retry)
			}
			time.Sleep(time.Until(sum.Brake.Until))
		}
		want := []time.Duration{1, 2, 4, 8, 16, 30, 30, 30}
		for i := range want {
			if waits[i] != want[i]*time.Minute {
				t.Fatalf("it held for %v", waits)
			}
		}
	})
}

func TestSingleRefusalsAreFinalAndPullNoBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(9, true)
		s := newStore(ns...)
		bad := map[int]int{0: 550, 1: 550, 3: 550, 4: 551, 5: 550, 8: 550}
		w := &wire{script: script(ns, func(i int) steps {
			if bad[i] != 0 {
				return steps{reply(notice.PhaseRecipient, bad[i], "")}
			}
			return nil
		})}
		sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Brake != nil || sum.Failed != 6 || sum.Sent != 3 {
			t.Errorf("%+v %v", sum, err)
		}
	})
}

// Three readers in a row whose mailboxes are really gone look like a server's fault at first. Once others got through, a
// second refusal is about them.
func TestWhatIsRefusedAgainAfterOthersGotThroughIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(8, true)
		s := newStore(ns...)
		w := &wire{script: script(ns, func(i int) steps {
			if i < 3 {
				return times(100, reply(notice.PhaseRecipient, 550, "5.1.1"))
			}
			return nil
		})}
		d := dispatcher(s, w)
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Brake == nil || sum.Failed != 0 {
			t.Fatalf("%+v %v", sum, err)
		}
		time.Sleep(time.Minute)
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Brake != nil || sum.Sent != 5 {
			t.Fatalf("%+v %v", sum, err)
		}
		time.Sleep(5 * time.Minute)
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Brake != nil || sum.Failed != 3 {
			t.Fatalf("%+v %v", sum, err)
		}
	})
}

// Where nobody else is left to try, a server that says twice and expressly that there is no such mailbox is believed.
func TestASecondExpressRefusalIsFinal(t *testing.T) {
	for enhanced, failed := range map[string]int{"5.1.1": 3, "5.7.1": 0, "": 0} {
		synctest.Test(t, func(t *testing.T) {
			ns := letters(3, true)
			s := newStore(ns...)
			w := &wire{script: script(ns, func(int) steps { return times(100, reply(notice.PhaseRecipient, 550, enhanced)) })}
			for range 5 { // each time another process
				if _, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(40 * time.Minute)
			}
			if got := states(s); got[notice.Failed] != failed || got[notice.Failed]+got[notice.Retry]+got[notice.Pending] != 3 {
				t.Errorf("550 %s: %v, want %d failed", enhanced, got, failed)
			}
		})
	}
}

// What others got through is remembered from one process to the next.
func TestAnotherProcessKnowsThatOthersGotThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(8, true)
		s := newStore(ns...)
		w := &wire{script: script(ns, func(i int) steps {
			if i < 3 {
				return times(100, reply(notice.PhaseRecipient, 550, ""))
			}
			return nil
		})}
		for range 3 {
			if _, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(40 * time.Minute)
		}
		if got := states(s); got[notice.Sent] != 5 || got[notice.Failed] != 3 {
			t.Errorf("%v", got)
		}
	})
}

func TestADomainThatRefusesForNowRestsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(12, false)
		for i := range ns {
			if i%2 == 0 {
				ns[i].Facts.Recipients[0].Email = fmt.Sprintf("u%d@grey.example", i)
			}
		}
		s := newStore(ns...)
		w := &wire{script: script(ns, func(i int) steps {
			if i%2 == 0 {
				return steps{reply(notice.PhaseRecipient, 450, "4.7.1")}
			}
			return nil
		})}
		d := dispatcher(s, w)
		d.Chunk = 4
		sum, err := d.Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Brake != nil || sum.Sent != 6 || sum.Retry+sum.Back != 6 || sum.Back == 0 {
			t.Fatalf("%+v %v", sum, err)
		}
		if _, ok := s.brakes["domain:wire:grey.example"]; !ok {
			t.Fatalf("brakes %v", s.brakes)
		}
		rests := 0
		for _, n := range s.letters {
			if n.State == notice.Pending {
				rests++
				if !strings.Contains(n.Reason, "rests") || !n.NextTry.After(time.Now()) || n.Tries != 0 {
					t.Errorf("%+v", n)
				}
			}
		}
		if rests != sum.Back {
			t.Errorf("%d rest", rests)
		}
		w.script = nil
		time.Sleep(10 * time.Minute)
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 6 || s.pulled() != 0 {
			t.Errorf("%+v %v %v", sum, err, s.brakes)
		}
	})
}

func TestTryingEndsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26")
		s := newStore(n)
		w := &wire{script: script([]notice.Notice{n}, func(int) steps { return times(1000, reply(notice.PhaseRecipient, 451, "")) })}
		d := dispatcher(s, w)
		begun := time.Now()
		for s.state(n.ID) != notice.Failed {
			if time.Since(begun) > 30*time.Hour {
				t.Fatalf("still %s", s.state(n.ID))
			}
			if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if took := time.Since(begun); took < 24*time.Hour || took > 26*time.Hour {
			t.Errorf("given up after %v", took)
		}
		if got := s.letter(n.ID); !strings.Contains(got.Reason, "deadline") || got.Tries < 20 || got.Tries > 60 || len(s.attempts[n.ID]) != got.Tries {
			t.Errorf("%d tries, %d receipts: %s", got.Tries, len(s.attempts[n.ID]), got.Reason)
		}
	})
}

// door is a Door of two fields.
type door struct {
	opens  time.Time
	closed map[string]string
	err    error
}

func (d *door) Window(string) time.Time {
	if time.Now().Before(d.opens) {
		return d.opens
	}
	return time.Time{}
}

func (d *door) Closed(_ context.Context, ns []notice.Notice) (map[string]string, error) {
	out := map[string]string{}
	for _, n := range ns {
		if why, ok := d.closed[n.ID]; ok {
			out[n.ID] = why
		}
	}
	return out, d.err
}

func TestLettersAreHeldOutsideTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(3, false)
		formal := letterTo("f", "2024-09-26")
		formal.State = notice.Held // for a person
		s, w := newStore(append(ns, formal)...), &wire{}
		d := dispatcher(s, w)
		d.Door = &door{opens: time.Now().Add(2 * time.Hour)}
		f := notice.ClaimFilter{Jurisdiction: "laoshan"}
		for range 2 {
			if sum, err := d.Run(t.Context(), f); err != nil || sum.Claimed != 0 || states(s)[notice.Held] != 4 {
				t.Fatalf("%+v %v %v", sum, err, states(s))
			}
		}
		if got := s.letter(ns[0].ID); !strings.Contains(got.Reason, "outside the sending window") {
			t.Error(got.Reason)
		}
		// Before that time, but the hours were changed meanwhile: the window that counts is the one there is now.
		d.Door = &door{}
		if sum, err := d.Run(t.Context(), f); err != nil || sum.Sent != 3 || s.state(formal.ID) != notice.Held {
			t.Errorf("%+v %v", sum, err)
		}
	})
}

func TestTheDoorCancelsWhatHasNothingLeftToSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(4, false)
		s, w := newStore(ns...), &wire{}
		d := dispatcher(s, w)
		d.Door = &door{closed: map[string]string{ns[1].ID: "every item in it was closed before it left"}}
		sum, err := d.Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Sent != 3 || sum.Cancelled != 1 || w.count() != 3 {
			t.Errorf("%+v %v", sum, err)
		}
		if got := s.letter(ns[1].ID); got.State != notice.Cancelled || got.Reason == "" || len(s.attempts[got.ID]) != 0 {
			t.Errorf("%+v", got)
		}
		s, w = newStore(ns...), &wire{}
		d = dispatcher(s, w)
		d.Door = &door{err: errors.New("no answer")}
		if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err == nil || w.count() != 0 || states(s)[notice.Pending] != 4 {
			t.Errorf("%v %v", err, states(s))
		}
	})
}

// shelf is an archive in memory.
type shelf struct {
	mu       sync.Mutex
	put      map[string]string
	accepted []archive.Acceptance
	err      error
}

func (a *shelf) Put(m compose.Message, _ [sha256.Size]byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put[m.ID] = string(m.Bytes)
	return a.err
}

func (a *shelf) Accepted(list ...archive.Acceptance) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accepted = append(a.accepted, list...)
	return nil
}

func TestNothingLeavesWithoutItsCopyInTheArchive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(3, false)
		s, w, a := newStore(ns...), &wire{}, &shelf{put: map[string]string{}}
		d := dispatcher(s, w)
		d.Archive = a
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 3 || len(a.put) != 3 || len(a.accepted) != 3 {
			t.Errorf("%+v %v %d %d", sum, err, len(a.put), len(a.accepted))
		}
		if a.accepted[0].SHA256 == "" || a.accepted[0].SHA256 != s.attempts[a.accepted[0].Notice][0].SHA256 {
			t.Errorf("%+v", a.accepted[0])
		}
		s, w = newStore(ns...), &wire{}
		d = dispatcher(s, w)
		d.Archive = &shelf{put: map[string]string{}, err: errors.New("disk full")}
		sum, err := d.Run(t.Context(), notice.ClaimFilter{})
		if err == nil || !strings.Contains(err.Error(), "disk full") || w.count() != 0 || states(s)[notice.Pending] != 3 {
			t.Errorf("%v %v", err, states(s))
		}
		if sum.Brake == nil || !strings.Contains(s.brakes["account:wire"].Reason, "disk full") {
			t.Errorf("nobody is told why nothing leaves: %v", s.brakes)
		}
	})
}

// wide is a transport of several lanes over one wire, which hands over in turns.
type wide struct {
	*wire
	lanes int
	pause time.Duration

	mu        sync.Mutex
	busy, top int
}

func (w *wide) Lanes() int { return w.lanes }
func (w *wide) Lane() Lane { return &wideLane{w} }

type wideLane struct{ w *wide }

func (l *wideLane) Close() error { return nil }

func (l *wideLane) Send(ctx context.Context, mails []compose.Message, each Each) int {
	l.w.mu.Lock()
	l.w.busy++
	l.w.top = max(l.w.top, l.w.busy)
	l.w.mu.Unlock()
	defer func() {
		l.w.mu.Lock()
		l.w.busy--
		l.w.mu.Unlock()
	}()
	time.Sleep(l.w.pause)
	return serialLane{l.w.wire}.Send(ctx, mails, each)
}

func TestLanesShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(100, false)
		s := newStore(ns...)
		w := &wide{wire: &wire{}, lanes: 4, pause: time.Millisecond}
		d := dispatcher(s, w.wire)
		d.Transport, d.Chunk = w, 8
		told := map[string]int{}
		d.OnSettled = func(n notice.Notice) { told[n.ID]++ }
		sum, err := d.Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum != (Summary{Claimed: 100, Sent: 100}) || w.count() != 100 || w.top != 4 {
			t.Errorf("%+v %v, %d sent, %d lanes at once", sum, err, w.count(), w.top)
		}
		if len(told) != 100 || slices.Max(slices.Collect(maps.Values(told))) != 1 {
			t.Errorf("told of %d", len(told))
		}
	})
}

func TestPaceSpreadsMails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(31, false)
		s := newStore(ns...)
		w := &wide{wire: &wire{}, lanes: 4}
		d := dispatcher(s, w.wire)
		d.Transport, d.Pace = w, NewPace(30)
		begun := time.Now()
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 31 {
			t.Errorf("%+v %v", sum, err)
		}
		if took := time.Since(begun); took < time.Minute || took > 70*time.Second {
			t.Errorf("31 mails at 30 a minute took %v", took)
		}
		// Nothing waits for a turn under a lease that is shorter than the turns are apart, and looking for letters costs none.
		ns = letters(6, false)
		s = newStore(ns...)
		d = dispatcher(s, w.wire)
		d.Transport, d.Pace, d.Lease, d.Phase = w, NewPace(2), 10*time.Second, 3*time.Second
		begun = time.Now()
		for range 3 {
			if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); states(s)[notice.Sent] != 6 || took > 4*time.Minute {
			t.Errorf("%v after %v", states(s), took)
		}
	})
}

// A worker that lost its claim while the server was answering cannot settle the letter, but what the server said stays.
func TestALostClaimKeepsItsReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26")
		s := newStore(n)
		stolen := func(ctx context.Context, dot func() error) notice.Receipt {
			r := after(notice.OutcomeAccepted)(ctx, dot)
			s.mu.Lock()
			l := s.letters[n.ID]
			l.State, l.Token, l.Resent = notice.Retry, "", true // another worker took it back: it may have left
			s.mu.Unlock()
			return r
		}
		w := &wire{script: map[string]steps{"a@reader.example": {stolen}}}
		d := dispatcher(s, w)
		d.Wait = -1
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || w.count() != 1 {
			t.Errorf("%+v %v", sum, err)
		}
		if got := s.letter(n.ID); got.State != notice.Sent || len(s.attempts[n.ID]) != 1 {
			t.Errorf("the server has it, and it is %s with %d receipts", got.State, len(s.attempts[n.ID]))
		}
	})
}

// A letter that was sent once more already waits for a person after a second doubt, so that a worker that dies must not
// leave those in doubt that were only to come.
func TestOnlyTheResentLetterAtHandIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(60, false)
		for i := range ns {
			ns[i].Resent = i >= 30
		}
		s := newStore(ns...)
		most := map[bool]int{}
		watch := func(ctx context.Context, dot func() error) notice.Receipt {
			if err := dot(); err != nil {
				return notice.Receipt{Outcome: notice.OutcomeTemporary, Phase: notice.PhaseBody, Reply: err.Error()}
			}
			doubt := map[bool]int{}
			for _, n := range s.held(func(n *notice.Notice) bool { return !n.DataAt.IsZero() && len(s.attempts[n.ID]) == 0 }) {
				doubt[n.Resent]++
			}
			for k, v := range doubt {
				most[k] = max(most[k], v)
			}
			synctest.Wait() // let the outcomes so far be written
			return notice.Receipt{Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250}
		}
		w := &wire{script: script(ns, func(int) steps { return steps{watch} })}
		if sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != len(ns) {
			t.Fatalf("%+v %v", sum, err)
		}
		if most[false] < 2 {
			t.Errorf("no letter was marked ahead: %v", most)
		}
		if most[true] > 2 { // the one at hand, and the one before it whose outcome is being written
			t.Errorf("in doubt at once: %v", most)
		}
	})
}

// A quota that is spent answers every county's letters alike, however few each has.
func TestTheBrakeBelongsToTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(10, true)
		for i := range ns {
			ns[i].Key.Jurisdiction = fmt.Sprintf("county%d", i/2)
		}
		s := newStore(ns...)
		w := &wire{script: script(ns, func(int) steps { return steps{reply(notice.PhaseAnswer, 550, "5.7.1")} })}
		shared := NewBrakes("relay", "worker", Patience{})
		var sums []Summary
		round := func() {
			sums = nil
			for county := range 5 {
				d := dispatcher(s, w)
				d.Brakes = shared
				sum, err := d.Run(t.Context(), notice.ClaimFilter{Jurisdiction: fmt.Sprintf("county%d", county)})
				if err != nil {
					t.Fatal(err)
				}
				sums = append(sums, sum)
			}
		}
		round()
		if got := states(s); got[notice.Failed] != 0 || sums[4].Brake == nil || sums[4].Claimed != 0 {
			t.Fatalf("%v, the last county: %+v", got, sums[4])
		}
		w.script = nil
		time.Sleep(time.Hour)
		round()
		if got := states(s); got[notice.Sent] != len(ns) || w.count() != len(ns) {
			t.Errorf("%v, sent %d", got, w.count())
		}
	})
}

// In a trial run every letter goes to one mailbox; whom it was for still tells recipients apart.
func TestATrialRunMeetsTheBrakeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(10, true)
		s := newStore(ns...)
		w := &wire{script: map[string]steps{"trial@sfj.example": times(100, reply(notice.PhaseRecipient, 550, "5.7.1"))}}
		d := dispatcher(s, w)
		d.Mail.RedirectTo = "trial@sfj.example"
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Brake == nil || sum.Failed != 0 {
			t.Errorf("%+v %v", sum, err)
		}
	})
}

// What goes wrong in writing a mail is our fault: no letter fails for it, and no address is marked.
func TestALetterThatCannotBeWrittenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := letters(6, true)
		s, w := newStore(ns...), &wire{}
		d := dispatcher(s, w)
		d.Mail.Seal = func([]byte) ([]byte, error) { return nil, errors.New("the key cannot sign") }
		sum, err := d.Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Failed != 0 || w.count() != 0 || sum.Brake == nil || !strings.Contains(sum.Brake.Reason, "cannot sign") {
			t.Errorf("%+v %v", sum, err)
		}
		for _, rs := range s.attempts {
			for _, r := range rs {
				if r.Trouble() != notice.NoTrouble {
					t.Errorf("%+v", r)
				}
			}
		}
	})
}
