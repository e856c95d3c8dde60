package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/compose"
	"duban/notify/notice"
)

// fakeStore keeps letters in memory and holds them to the same fences as a database.
type fakeStore struct {
	mu       sync.Mutex
	letters  map[string]*notice.Notice
	attempts map[string][]notice.Receipt
	claims   int
	brakes   map[string]notice.Brake
	// spoil, where set, may make a method fail.
	spoil func(method, id string) error
}

func newStore(ns ...notice.Notice) *fakeStore {
	s := &fakeStore{letters: map[string]*notice.Notice{}, attempts: map[string][]notice.Receipt{}, brakes: map[string]notice.Brake{}}
	for _, n := range ns {
		s.letters[n.ID] = &n
	}
	return s
}

func (s *fakeStore) fail(method, id string) error {
	if s.spoil == nil {
		return nil
	}
	return s.spoil(method, id)
}

func (s *fakeStore) Now(context.Context) (time.Time, error) { return time.Now(), s.fail("Now", "") }

func (s *fakeStore) sorted() []*notice.Notice {
	return slices.SortedFunc(maps.Values(s.letters), func(a, b *notice.Notice) int {
		return cmp.Or(cmp.Compare(a.Key.Date, b.Key.Date), cmp.Compare(a.ID, b.ID))
	})
}

func (s *fakeStore) Outstanding(_ context.Context, f notice.ClaimFilter) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.letters {
		switch n.State {
		case notice.Pending, notice.Retry, notice.Sending, notice.Held:
			if f.Matches(n.Key) && (n.State != notice.Held || !n.NextTry.IsZero()) {
				return true, s.fail("Outstanding", "")
			}
		case notice.Sent, notice.Recorded, notice.Failed, notice.Unknown, notice.Superseded, notice.Cancelled:
		}
	}
	return false, s.fail("Outstanding", "")
}

func (s *fakeStore) ClaimNotices(ctx context.Context, f notice.ClaimFilter, limit int, lease, giveUp time.Duration) ([]notice.Notice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(ctx.Err(), s.fail("ClaimNotices", "")); err != nil {
		return nil, err
	}
	s.claims++
	var out []notice.Notice
	for _, n := range s.sorted() {
		if len(out) == limit {
			break
		}
		if !f.Matches(n.Key) || n.NextTry.After(time.Now()) {
			continue
		}
		to, err := notice.Next(n.State, notice.Claim)
		if err != nil {
			continue
		}
		if n.Deadline.IsZero() {
			n.Deadline = time.Now().Add(giveUp)
		}
		n.State, n.Token, n.Lease, n.DataAt = to, fmt.Sprint("token", s.claims), time.Now().Add(lease), time.Time{}
		got := *n
		got.Receipts = merge(nil, s.attempts[n.ID])
		out = append(out, got)
	}
	return out, nil
}

func (s *fakeStore) Commit(ctx context.Context, marks []notice.Mark, settlements []notice.Settlement) (map[string]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(ctx.Err(), s.fail("Commit", "")); err != nil {
		return nil, err
	}
	if len(marks) > 0 {
		if err := s.fail("mark", ""); err != nil {
			return nil, err
		}
	}
	if len(settlements) > 0 {
		if err := s.fail("settle", ""); err != nil {
			return nil, err
		}
	}
	lost := map[string]bool{}
	for _, m := range marks {
		n := s.letters[m.ID]
		if n.State != notice.Sending || n.Token != m.Token || !n.Lease.After(time.Now()) {
			lost[m.ID] = true
			continue
		}
		n.DataAt = time.Now()
	}
	for _, e := range settlements {
		s.attempts[e.ID] = append(s.attempts[e.ID], e.Receipts...)
		n := s.letters[e.ID]
		to, err := notice.Then(notice.Sending, e.Causes...)
		if err != nil {
			return nil, err
		}
		if n.State != notice.Sending || n.Token != e.Token {
			lost[e.ID] = true
			continue
		}
		n.State, n.Tries, n.NextTry, n.Reason, n.Token, n.Lease = to, e.Tries, e.NextTry, e.Reason, "", time.Time{}
		n.Resent = n.Resent || slices.Contains(e.Causes, notice.Resend)
	}
	return lost, nil
}

func (s *fakeStore) Move(ctx context.Context, id string, from notice.State, reason, by string, causes ...notice.Cause) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(ctx.Err(), s.fail("Move", id)); err != nil {
		return err
	}
	n := s.letters[id]
	to, err := notice.Then(from, causes...)
	if err != nil {
		return err
	}
	if n.State != from || from == notice.Sending {
		return task.ErrLost
	}
	n.State, n.Reason, n.NextTry, n.Token, n.Lease = to, reason, time.Time{}, "", time.Time{}
	n.Resent = n.Resent || slices.Contains(causes, notice.Resend)
	return nil
}

func (s *fakeStore) TakeBack(ctx context.Context, was notice.Notice, reason, by string, causes ...notice.Cause) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(ctx.Err(), s.fail("TakeBack", was.ID)); err != nil {
		return err
	}
	n := s.letters[was.ID]
	to, err := notice.Then(notice.Sending, causes...)
	if err != nil {
		return err
	}
	if n.State != notice.Sending || n.Token != was.Token || n.Lease.After(time.Now()) || causes[0] == notice.Expire && !n.DataAt.IsZero() {
		return task.ErrLost
	}
	n.State, n.Reason, n.NextTry, n.Token, n.Lease = to, reason, time.Time{}, "", time.Time{}
	n.Resent = n.Resent || slices.Contains(causes, notice.Resend)
	return nil
}

func (s *fakeStore) HoldNotices(ctx context.Context, f notice.ClaimFilter, until time.Time, reason string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := 0
	for _, n := range s.letters {
		if to, err := notice.Next(n.State, notice.Hold); err == nil && f.Matches(n.Key) && n.State != notice.Sending {
			n.State, n.NextTry, n.Reason = to, until, reason
			held++
		}
	}
	return held, cmp.Or(ctx.Err(), s.fail("HoldNotices", ""))
}

func (s *fakeStore) ReleaseHeld(ctx context.Context, f notice.ClaimFilter, reason string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	released := 0
	for _, n := range s.letters {
		if n.State == notice.Held && f.Matches(n.Key) && !n.NextTry.IsZero() {
			n.State, n.NextTry, n.Reason = notice.Pending, time.Time{}, reason
			released++
		}
	}
	return released, cmp.Or(ctx.Err(), s.fail("ReleaseHeld", ""))
}

func (s *fakeStore) Brakes(ctx context.Context) ([]notice.Brake, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.brakes)), cmp.Or(ctx.Err(), s.fail("Brakes", ""))
}

func (s *fakeStore) SaveBrake(_ context.Context, b notice.Brake) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.brakes[b.Scope] = b
	return nil
}

func (s *fakeStore) DropBrake(_ context.Context, scope string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.brakes, scope)
	return nil
}

func (s *fakeStore) held(keep func(*notice.Notice) bool) []notice.Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []notice.Notice
	for _, n := range s.sorted() {
		if n.State == notice.Sending && keep(n) {
			out = append(out, *n)
		}
	}
	return out
}

func (s *fakeStore) Attempts(ctx context.Context, id string) ([]notice.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.attempts[id]), cmp.Or(ctx.Err(), s.fail("Attempts", id))
}

func (s *fakeStore) Claims(ctx context.Context, f notice.ClaimFilter) ([]string, error) {
	var out []string
	for _, n := range s.held(func(n *notice.Notice) bool { return f.Matches(n.Key) }) {
		if !slices.Contains(out, n.Token) {
			out = append(out, n.Token)
		}
	}
	return out, cmp.Or(ctx.Err(), s.fail("Claims", ""))
}

func (s *fakeStore) EndLeases(_ context.Context, f notice.ClaimFilter, tokens []string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := 0
	for _, n := range s.letters {
		if n.State == notice.Sending && f.Matches(n.Key) && slices.Contains(tokens, n.Token) {
			n.Lease = time.Now()
			ended++
		}
	}
	return ended, nil
}

func (s *fakeStore) ExpiredNotices(ctx context.Context, f notice.ClaimFilter, limit int) ([]notice.Notice, error) {
	all := s.held(func(n *notice.Notice) bool { return f.Matches(n.Key) && !n.Lease.After(time.Now()) })
	return all[:min(len(all), limit)], cmp.Or(ctx.Err(), s.fail("ExpiredNotices", ""))
}

func (s *fakeStore) SendingLeases(ctx context.Context, f notice.ClaimFilter) (n int, first time.Time, err error) {
	for _, held := range s.held(func(n *notice.Notice) bool { return f.Matches(n.Key) }) {
		if n++; n == 1 || held.Lease.Before(first) {
			first = held.Lease
		}
	}
	return n, first, cmp.Or(ctx.Err(), s.fail("SendingLeases", ""))
}

func (s *fakeStore) state(id string) notice.State { return s.letter(id).State }

func (s *fakeStore) letter(id string) notice.Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.letters[id]
}

// wire is a transport whose outcomes are scripted per address; an address without a script is accepted.
type wire struct {
	mu     sync.Mutex
	script map[string][]func(ctx context.Context, dot func() error) notice.Receipt
	sent   []string // Message-ID and address, each time a final dot was answered or may have been
}

func (w *wire) Name() string { return "wire" }
func (w *wire) Close() error { return nil }

func (w *wire) Send(ctx context.Context, m compose.Message, dot func() error) notice.Receipt {
	w.mu.Lock()
	var step func(context.Context, func() error) notice.Receipt
	if list := w.script[m.To]; len(list) > 0 {
		step, w.script[m.To] = list[0], list[1:]
	}
	w.mu.Unlock()
	after := func() error {
		err := dot()
		if err == nil {
			w.mu.Lock()
			w.sent = append(w.sent, m.ID+" "+m.To)
			w.mu.Unlock()
		}
		return err
	}
	if step != nil {
		return step(ctx, after)
	}
	if err := after(); err != nil {
		return notice.Receipt{Outcome: notice.OutcomeTemporary, Reply: err.Error()}
	}
	return notice.Receipt{Outcome: notice.OutcomeAccepted, Reply: "250 ok"}
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sent)
}

// before answers without a final dot, after with one.
func before(o notice.Outcome) func(context.Context, func() error) notice.Receipt {
	return func(context.Context, func() error) notice.Receipt {
		return notice.Receipt{Outcome: o, Phase: notice.PhaseRecipient, Code: map[notice.Outcome]int{notice.OutcomeTemporary: 450, notice.OutcomePermanent: 550}[o], Reply: "before the dot"}
	}
}

func after(o notice.Outcome) func(context.Context, func() error) notice.Receipt {
	return func(_ context.Context, dot func() error) notice.Receipt {
		if err := dot(); err != nil {
			return notice.Receipt{Outcome: notice.OutcomeTemporary, Reply: err.Error()}
		}
		return notice.Receipt{Outcome: o, Phase: notice.PhaseAnswer, Reply: "after the dot"}
	}
}

type steps = []func(context.Context, func() error) notice.Receipt

func letterTo(unit string, date string, copies ...string) notice.Notice {
	k := notice.Key{Jurisdiction: "laoshan", Date: civil.MustParse(date), Unit: unit, Role: "liaison", Kind: notice.UnitLetter}
	f := notice.Facts{
		Jurisdiction: "崂山区", Date: k.Date, Issuer: notice.Issuer{Name: "区司法局", Short: "区司法局"}, Reader: notice.Reader{Code: unit, Name: unit},
		Recipients: []notice.Recipient{{Role: "liaison", Email: unit + "@reader.example"}},
	}
	for _, c := range copies {
		f.Recipients = append(f.Recipients, notice.Recipient{Role: "deputy", Email: c, Copy: true})
	}
	return notice.Notice{ID: k.ID(), Key: k, Facts: f, State: notice.Pending}
}

func dispatcher(s Store, w Single) *Dispatcher {
	return &Dispatcher{Store: s, Transport: Serial(w), Mail: compose.Mail{FromAddress: "duban@sfj.example"}, Log: zerolog.Nop()}
}

func TestRunDeliversWhatIsDueAndOnlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, other := letterTo("a", "2024-09-26", "deputy@reader.example"), letterTo("b", "2024-09-26"), letterTo("c", "2024-09-27")
		later := letterTo("d", "2024-09-26")
		later.State, later.NextTry = notice.Retry, time.Now().Add(time.Hour)
		held := letterTo("e", "2024-09-26")
		held.State = notice.Held
		s, w := newStore(a, b, other, later, held), &wire{}
		d := dispatcher(s, w)
		var told []string
		d.OnSettled = func(n notice.Notice) { told = append(told, n.Key.Unit+" "+string(n.State)) }
		f := notice.ClaimFilter{Jurisdiction: "laoshan", Date: civil.MustParse("2024-09-26")}
		sum, err := d.Run(t.Context(), f)
		if err != nil || sum != (Summary{Claimed: 2, Sent: 2}) {
			t.Fatalf("%+v %v", sum, err)
		}
		if w.count() != 3 || len(told) != 2 {
			t.Errorf("sent %v, told %v", w.sent, told)
		}
		if again, err := d.Run(t.Context(), f); err != nil || again.Claimed != 0 || w.count() != 3 {
			t.Errorf("again: %+v %v", again, err)
		}
		if s.state(a.ID) != notice.Sent || s.state(other.ID) != notice.Pending || s.state(held.ID) != notice.Held || s.state(later.ID) != notice.Retry {
			t.Error("states")
		}
		receipts := s.attempts[a.ID]
		if len(receipts) != 2 || receipts[0].Copy || !receipts[1].Copy || receipts[0].SHA256 == "" || receipts[0].At.IsZero() || receipts[1].Email != "deputy@reader.example" {
			t.Errorf("%+v", receipts)
		}
		time.Sleep(2 * time.Hour)
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 2 {
			t.Errorf("the rest: %+v %v", sum, err)
		}
	})
}

func TestOutcomes(t *testing.T) {
	const acc, tmp, per, unk = notice.OutcomeAccepted, notice.OutcomeTemporary, notice.OutcomePermanent, notice.OutcomeUnknown
	for _, c := range []struct {
		name         string
		reader, copy steps
		first, last  notice.State // after one run, and after a second one three hours later
		dots         int          // at both addresses, in all
	}{
		{"accepted", nil, nil, notice.Sent, notice.Sent, 2},
		{"temporary, then accepted; the copy once", steps{before(tmp)}, nil, notice.Retry, notice.Sent, 2},
		{"temporary after the dot", steps{after(tmp)}, nil, notice.Retry, notice.Sent, 3},
		{"refused; the copy goes all the same", steps{before(per)}, nil, notice.Failed, notice.Failed, 1},
		{"copy refused", nil, steps{before(per)}, notice.Sent, notice.Sent, 1},
		{"copy refused, reader temporary: the copy is not asked again", steps{before(tmp)}, steps{before(per), after(acc)}, notice.Retry, notice.Sent, 1},
		{"copy temporary: the reader has it once", nil, steps{before(tmp)}, notice.Retry, notice.Sent, 2},
		{"copy unknown is let be", nil, steps{after(unk)}, notice.Sent, notice.Sent, 2},
		{"unknown, sent once more at once", steps{after(unk)}, nil, notice.Sent, notice.Sent, 3},
		{"unknown twice waits", steps{after(unk), after(unk)}, nil, notice.Unknown, notice.Unknown, 3},
		{"unknown, temporary, unknown waits", steps{after(unk), before(tmp), after(unk)}, nil, notice.Retry, notice.Unknown, 3},
		{"unknown is not repeated for a copy's sake", steps{after(unk), after(unk)}, steps{before(tmp), before(tmp)}, notice.Unknown, notice.Unknown, 2},
		{"unknown, then refused: it may be there", steps{after(unk), before(per)}, nil, notice.Unknown, notice.Unknown, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := letterTo("a", "2024-09-26", "deputy@reader.example")
				s := newStore(n)
				w := &wire{script: map[string]steps{"a@reader.example": c.reader, "deputy@reader.example": c.copy}}
				d := dispatcher(s, w)
				if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil {
					t.Fatal(err)
				}
				if got := s.state(n.ID); got != c.first {
					t.Errorf("after the first run it is %s, want %s (%s)", got, c.first, s.letter(n.ID).Reason)
				}
				time.Sleep(3 * time.Hour)
				if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil {
					t.Fatal(err)
				}
				if got := s.state(n.ID); got != c.last {
					t.Errorf("after the second run it is %s, want %s (%s)", got, c.last, s.letter(n.ID).Reason)
				}
				if w.count() != c.dots {
					t.Errorf("%d final dots, want %d: %v", w.count(), c.dots, w.sent)
				}
				for _, m := range w.sent {
					if !strings.HasPrefix(m, "<"+n.ID+"@sfj.example> ") {
						t.Errorf("another Message-ID: %s", m)
					}
				}
				if got := s.letter(n.ID); got.State != notice.Sent && got.Reason == "" {
					t.Error("no reason is kept")
				}
			})
		})
	}
}

func TestFormalLettersOfUnknownFateWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26")
		n.Key.Matter = "督1"
		s, w := newStore(n), &wire{script: map[string]steps{"a@reader.example": {after(notice.OutcomeUnknown)}}}
		sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Unknown != 1 || s.state(n.ID) != notice.Unknown || w.count() != 1 {
			t.Errorf("%+v %v %s", sum, err, s.state(n.ID))
		}
	})
}

func TestALetterWithoutAReaderIsNeverSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none, only := letterTo("a", "2024-09-26"), letterTo("b", "2024-09-26", "deputy@reader.example")
		none.Facts.Recipients = nil
		only.Facts.Recipients = only.Facts.Recipients[1:]
		bad := letterTo("c", "2024-09-26", "deputy@reader.example")
		bad.Facts.Recipients[0].Email = "c@reader.example\r\nBcc: x@y.example"
		s, w := newStore(none, only, bad), &wire{}
		sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Failed != 3 {
			t.Errorf("%+v %v", sum, err)
		}
		if w.count() != 2 {
			t.Errorf("a bad address stopped another reader's copy: %v", w.sent)
		}
		if r := s.letter(bad.ID).Reason; !strings.Contains(r, "reader permanent") {
			t.Errorf("reason %q", r)
		}
	})
}

func TestAPanicIsContainedInItsLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := letterTo("a", "2024-09-26"), letterTo("b", "2024-09-26"), letterTo("c", "2024-09-26")
		boom := func(context.Context, func() error) notice.Receipt { panic("boom") }
		late := func(_ context.Context, dot func() error) notice.Receipt { _ = dot(); panic("late boom") }
		s := newStore(a, b, c)
		w := &wire{script: map[string]steps{"a@reader.example": {boom}, "b@reader.example": {late, after(notice.OutcomeAccepted)}}}
		sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum != (Summary{Claimed: 3, Retry: 1, Sent: 2}) {
			t.Errorf("%+v %v", sum, err)
		}
		if n := s.letter(a.ID); n.State != notice.Retry || !strings.Contains(n.Reason, "boom") || time.Until(n.NextTry) < 50*time.Second || time.Until(n.NextTry) > 70*time.Second {
			t.Errorf("%s %s %v", n.State, n.Reason, n.NextTry)
		}
		if n := s.letter(b.ID); n.State != notice.Sent || !strings.HasPrefix(n.Reason, onceMore) {
			t.Errorf("a panic after the dot: %s %s", n.State, n.Reason)
		}
	})
}

func TestStoppingFinishesTheLetterInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := letterTo("a", "2024-09-26", "deputy@reader.example"), letterTo("b", "2024-09-26")
		if a.ID > b.ID {
			a.ID, b.ID = b.ID, a.ID
		}
		ctx, cancel := context.WithCancel(t.Context())
		slow := func(ctx context.Context, dot func() error) notice.Receipt {
			r := after(notice.OutcomeAccepted)(ctx, dot)
			cancel()
			time.Sleep(10 * time.Second)
			if ctx.Err() != nil {
				t.Error("the letter in hand was cancelled")
			}
			if _, ok := ctx.Deadline(); !ok {
				t.Error("the letter in hand has no deadline")
			}
			return r
		}
		s, w := newStore(a, b), &wire{script: map[string]steps{"a@reader.example": {slow}}}
		sum, err := dispatcher(s, w).Run(ctx, notice.ClaimFilter{})
		if !errors.Is(err, context.Canceled) || sum != (Summary{Claimed: 2, Sent: 1, Back: 1}) {
			t.Errorf("%+v %v", sum, err)
		}
		if s.state(a.ID) != notice.Sent || len(s.attempts[a.ID]) != 2 || s.state(b.ID) != notice.Pending {
			t.Errorf("states %s %s", s.state(a.ID), s.state(b.ID))
		}
		if sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 1 || w.count() != 3 {
			t.Errorf("run again: %+v %v %v", sum, err, w.sent)
		}
	})
}

func TestStoppingPutsBackWhatIsNotAtItsDot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26")
		ctx, cancel := context.WithCancel(t.Context())
		early := func(ctx context.Context, dot func() error) notice.Receipt {
			cancel()
			return after(notice.OutcomeAccepted)(ctx, dot)
		}
		s, w := newStore(n), &wire{script: map[string]steps{"a@reader.example": {early}}}
		sum, err := dispatcher(s, w).Run(ctx, notice.ClaimFilter{})
		if !errors.Is(err, context.Canceled) || sum != (Summary{Claimed: 1, Back: 1}) || s.state(n.ID) != notice.Pending || w.count() != 0 {
			t.Errorf("%+v %v %s", sum, err, s.state(n.ID))
		}
	})
}

func TestStoppingBreaksOffWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26")
		ctx, cancel := context.WithCancel(t.Context())
		hang := func(ctx context.Context, dot func() error) notice.Receipt {
			if err := dot(); err != nil {
				t.Error(err)
			}
			cancel()
			<-ctx.Done()
			return notice.Receipt{Outcome: notice.OutcomeUnknown, Phase: notice.PhaseAnswer, Reply: "broken off"}
		}
		s, w := newStore(n), &wire{script: map[string]steps{"a@reader.example": {hang}}}
		begun := time.Now()
		d := dispatcher(s, w)
		d.Shutdown = 20 * time.Second
		if _, err := d.Run(ctx, notice.ClaimFilter{}); !errors.Is(err, context.Canceled) || time.Since(begun) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if got := s.letter(n.ID); got.State != notice.Retry || !got.Resent {
			t.Errorf("%+v", got)
		}
	})
}

func TestKilledAndRunAgainAtOnceCompletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early, late, twice := letterTo("a", "2024-09-26"), letterTo("b", "2024-09-26"), letterTo("c", "2024-09-26")
		waiting, elsewhere := letterTo("d", "2024-09-26"), letterTo("e", "2024-09-25")
		for _, n := range []*notice.Notice{&early, &late, &twice, &elsewhere} {
			n.State, n.Token, n.Lease = notice.Sending, "dead", time.Now().Add(3*time.Minute)
		}
		late.DataAt, twice.DataAt = time.Now(), time.Now()
		twice.Reason, twice.Resent = onceMore+"; 421 bye", true
		s, w := newStore(early, late, twice, waiting, elsewhere), &wire{}
		begun := time.Now()
		sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{Jurisdiction: "laoshan", Date: civil.MustParse("2024-09-26")})
		if err != nil || sum.Sent != 3 || sum.Recovered != 3 {
			t.Errorf("%+v %v", sum, err)
		}
		if took := time.Since(begun); took < 3*time.Minute || took > 4*time.Minute {
			t.Errorf("waited %v for a lease of 3m", took)
		}
		if s.state(early.ID) != notice.Sent || s.state(late.ID) != notice.Sent || s.state(waiting.ID) != notice.Sent {
			t.Error("something is missing")
		}
		if got := s.letter(twice.ID); got.State != notice.Unknown {
			t.Errorf("a letter sent once more before: %s %s", got.State, got.Reason)
		}
		if s.state(elsewhere.ID) != notice.Sending {
			t.Error("a letter outside the filter was touched")
		}
		if w.count() != 3 {
			t.Errorf("sent %v", w.sent)
		}
	})
}

// A copy that cannot be delivered takes nothing from the reader, who has his own.
func TestTheReaderDecidesWhateverBecomesOfCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26", "deputy@reader.example")
		s := newStore(n)
		w := &wire{script: map[string]steps{"deputy@reader.example": times(1000, before(notice.OutcomeTemporary))}}
		d := dispatcher(s, w)
		for range 30 {
			if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		if got := s.letter(n.ID); got.State != notice.Sent || !strings.Contains(got.Reason, "copy temporary") || w.count() != 1 {
			t.Errorf("%s %q, sent %v", got.State, got.Reason, w.sent)
		}
	})
	for _, resent := range []bool{false, true} { // the worker dies at the copy's dot
		synctest.Test(t, func(t *testing.T) {
			n := letterTo("a", "2024-09-26", "deputy@reader.example")
			n.State, n.Token, n.DataAt, n.Resent = notice.Sending, "dead", time.Now(), resent
			s, w := newStore(n), &wire{}
			s.attempts[n.ID] = []notice.Receipt{{Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer}, {Recipient: 1, Copy: true, Outcome: notice.OutcomeTemporary}}
			again := map[bool]int{false: 1, true: 0}[resent] // the copy goes once more, and not a third time
			sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{})
			if err != nil || sum.Recovered != 1 || s.state(n.ID) != notice.Sent || w.count() != again {
				t.Errorf("resent %v: %+v %v %s, sent %v", resent, sum, err, s.state(n.ID), w.sent)
			}
			if resent && !strings.Contains(s.letter(n.ID).Reason, "a copy may not have arrived") {
				t.Error(s.letter(n.ID).Reason)
			}
		})
	}
}

func TestNobodyWaitsForAWorkerThatIsKnownToBeGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, doubt, alive := letterTo("a", "2024-09-26"), letterTo("b", "2024-09-26"), letterTo("c", "2024-09-26")
		for _, n := range []*notice.Notice{&dead, &doubt, &alive} {
			n.State, n.Token, n.Lease = notice.Sending, "dead", time.Now().Add(time.Hour)
		}
		doubt.DataAt, alive.Token = time.Now(), "alive"
		s, w := newStore(dead, doubt, alive), &wire{}
		d := dispatcher(s, w)
		d.Wait, d.Gone = -1, func(token string) bool { return token == "dead" }
		begun := time.Now()
		sum, err := d.Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Sent != 2 || sum.Recovered != 2 || sum.Leased != 1 || time.Since(begun) > time.Second {
			t.Errorf("%+v %v after %v", sum, err, time.Since(begun))
		}
		if s.letter(dead.ID).Resent || !s.letter(doubt.ID).Resent || s.state(alive.ID) != notice.Sending {
			t.Error("what was at its dot goes once more, the other for the first time, and a living worker's is let be")
		}
	})
}

func TestLettersOfEarlierDaysAreTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early, late, alive, abroad := letterTo("a", "2024-09-25"), letterTo("b", "2024-09-24"), letterTo("c", "2024-09-25"), letterTo("d", "2024-09-25")
		abroad.Key.Jurisdiction = "sishui"
		for _, n := range []*notice.Notice{&early, &late, &alive, &abroad} {
			n.State, n.Token, n.Lease = notice.Sending, "dead", time.Now().Add(-time.Second)
		}
		late.DataAt, alive.Lease = time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
		s, w := newStore(early, late, alive, abroad), &wire{}
		if err := dispatcher(s, w).Recover(t.Context(), "laoshan"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			n    notice.Notice
			want notice.State
		}{{early, notice.Retry}, {late, notice.Retry}, {alive, notice.Sending}, {abroad, notice.Sending}} {
			if got := s.state(c.n.ID); got != c.want {
				t.Errorf("%s is %s, want %s", c.n.Key.Unit, got, c.want)
			}
		}
		if !strings.HasPrefix(s.letter(late.ID).Reason, onceMore) || w.count() != 0 {
			t.Errorf("%q, sent %v", s.letter(late.ID).Reason, w.sent)
		}
		s.spoil = func(string, string) error { return errors.New("the database is gone") }
		if err := dispatcher(s, w).Recover(t.Context(), "laoshan"); err == nil || !strings.Contains(err.Error(), "laoshan") {
			t.Error(err)
		}
	})
}

func TestRunDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26")
		n.State, n.Token, n.Lease = notice.Sending, "alive", time.Now().Add(24*time.Hour)
		for _, c := range []struct{ wait, least, most time.Duration }{{-1, 0, 0}, {0, 4 * time.Minute, 6 * time.Minute}, {time.Minute, 50 * time.Second, time.Minute}} {
			d := dispatcher(newStore(n), &wire{})
			d.Wait = c.wait
			begun := time.Now()
			sum, err := d.Run(t.Context(), notice.ClaimFilter{})
			if took := time.Since(begun); err != nil || sum.Leased != 1 || took < c.least || took > c.most {
				t.Errorf("wait %v: %+v %v after %v", c.wait, sum, err, took)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun := time.Now()
		if _, err := dispatcher(newStore(n), &wire{}).Run(ctx, notice.ClaimFilter{}); !errors.Is(err, context.Canceled) || time.Since(begun) != time.Second {
			t.Errorf("stopped while waiting: %v after %v", err, time.Since(begun))
		}
	})
}

func TestALostClaimEndsTheLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26", "deputy@reader.example")
		s := newStore(n)
		steal := func(_ context.Context, dot func() error) notice.Receipt {
			s.mu.Lock()
			s.letters[n.ID].Token = "thief"
			s.mu.Unlock()
			if err := dot(); !errors.Is(err, errTaken) {
				t.Errorf("dot: %v", err)
			}
			return notice.Receipt{Outcome: notice.OutcomeTemporary, Reply: "not finished"}
		}
		w := &wire{script: map[string]steps{"a@reader.example": {steal}}}
		d := dispatcher(s, w)
		d.Wait = -1
		d.OnSettled = func(notice.Notice) { t.Error("told of a letter that is another's") }
		sum, err := d.Run(t.Context(), notice.ClaimFilter{})
		if err != nil || sum.Lost != 1 || w.count() != 0 || len(s.attempts[n.ID]) != 0 {
			t.Errorf("%+v %v %v", sum, err, w.sent)
		}
	})
}

func TestNothingIsBegunUnderAShortLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26", "deputy@reader.example")
		slow := func(ctx context.Context, dot func() error) notice.Receipt {
			r := after(notice.OutcomeAccepted)(ctx, dot)
			time.Sleep(3 * time.Minute)
			return r
		}
		s := newStore(n)
		w := &wire{script: map[string]steps{"a@reader.example": {slow}}}
		d := dispatcher(s, w)
		d.Lease, d.Phase = 4*time.Minute, time.Minute
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Retry != 1 || w.count() != 1 {
			t.Errorf("%+v %v %v", sum, err, w.sent)
		}
		time.Sleep(time.Hour)
		if sum, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 1 || w.count() != 2 {
			t.Errorf("%+v %v %v", sum, err, w.sent)
		}
		d.Lease, d.Phase = time.Minute, 30*time.Second
		if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err == nil {
			t.Error("a lease of two phases was taken")
		}
	})
}

func TestAReceiptIsNotGivenUpEasily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := letterTo("a", "2024-09-26")
		s, w := newStore(n), &wire{}
		failures := 2
		s.spoil = func(method, _ string) error {
			if method == "settle" && failures > 0 {
				failures--
				return errors.New("database is locked")
			}
			return nil
		}
		if sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 1 || w.count() != 1 {
			t.Errorf("%+v %v", sum, err)
		}
		// A mark that fails once, as when the connection broke, stops nothing.
		s, w = newStore(letterTo("a", "2024-09-26")), &wire{}
		failures = 1
		s.spoil = func(method, _ string) error {
			if method == "mark" && failures > 0 {
				failures--
				return errors.New("broken pipe")
			}
			return nil
		}
		if sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{}); err != nil || sum.Sent != 1 || w.count() != 1 {
			t.Errorf("%+v %v", sum, err)
		}
		for _, method := range []string{"Now", "ClaimNotices", "ExpiredNotices", "SendingLeases", "mark", "settle", "Brakes", "ReleaseHeld"} {
			s := newStore(letterTo("a", "2024-09-26"))
			s.spoil = func(m, _ string) error {
				if m == method {
					return errors.New("the database is gone")
				}
				return nil
			}
			w := &wire{}
			sum, err := dispatcher(s, w).Run(t.Context(), notice.ClaimFilter{})
			if err == nil || err != nil && !strings.Contains(err.Error(), "the database is gone") {
				t.Errorf("%s fails: %v", method, err)
			}
			if method != "settle" && method != "SendingLeases" && w.count() != 0 {
				t.Errorf("%s fails, and a letter left all the same: %+v", method, sum)
			}
		}
	})
}

func TestMailSettingsAreCheckedBeforeAnythingIsClaimed(t *testing.T) {
	s := newStore(letterTo("a", "2024-09-26"))
	d := dispatcher(s, &wire{})
	d.Mail.FromAddress = "nobody"
	if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err == nil || s.claims != 0 {
		t.Errorf("%v after %d claims", err, s.claims)
	}
}

func TestBackoffGrowsAndPartsWhatFailedTogether(t *testing.T) {
	p := Patience{RetryFirst: 5 * time.Minute, RetryMost: 2 * time.Hour}
	for n, want := range map[int]time.Duration{
		-1: 5 * time.Minute, 0: 5 * time.Minute, 1: 5 * time.Minute, 2: 10 * time.Minute, 3: 20 * time.Minute, 4: 40 * time.Minute, 5: 80 * time.Minute,
		6: 2 * time.Hour, 7: 2 * time.Hour, 1 << 40: 2 * time.Hour,
	} {
		seen := map[time.Duration]bool{}
		for i := range 100 {
			got := p.Backoff(letterTo(fmt.Sprint("u", i), "2024-09-26").ID, n)
			if got < want*9/10 || got > want*11/10 {
				t.Errorf("Backoff(%d) = %v, want about %v", n, got, want)
			}
			seen[got] = true
		}
		if len(seen) < 50 {
			t.Errorf("Backoff(%d): a hundred letters share %d moments", n, len(seen))
		}
	}
}

func TestAddressesAreMaskedInTheLog(t *testing.T) {
	for in, want := range map[string]string{
		"zhangsan@b.example": "z***@b.example", "张三@b.example": "张***@b.example", "@b.example": "***", "": "***", "nobody": "***",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"张三请假13812345678":                       "张三请假***",
		"电话 138 1234 5678，或0532-88891234":       "电话 ***，或***",
		"+86 13812345678、１３８１２３４５６７８":           "+86 ***、***",
		"证号37021219900101123X，2024-06-25起":      "证号***，2024-06-25起",
		"20240625至2024-7-1 09:30核对3项，〔2024〕12号": "20240625至2024-7-1 09:30核对3项，〔2024〕12号",
		"请问 zhang@b.example 的13912345678":       "请问 z***@b.example 的***",
		"20241399":                              "***",
		"":                                      "",
	} {
		if got := MaskFree(in); got != want {
			t.Errorf("%q is masked as %q, want %q", in, got, want)
		}
	}
	if got := MaskAll("reader permanent: 550 5.1.1 <zhangsan@b.example>: no such user，见 li@c.example"); got != "reader permanent: 550 5.1.1 <z***@b.example>: no such user，见 l***@c.example" {
		t.Error(got)
	}
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		n := letterTo("zhangsan", "2024-09-26")
		gone := func(context.Context, func() error) notice.Receipt {
			return notice.Receipt{Outcome: notice.OutcomePermanent, Reply: "550 <zhangsan@reader.example> unknown"}
		}
		d := dispatcher(newStore(n), &wire{script: map[string]steps{"zhangsan@reader.example": {gone}}})
		d.Log = zerolog.New(&log)
		if _, err := d.Run(t.Context(), notice.ClaimFilter{}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(log.String(), "zhangsan@") || !strings.Contains(log.String(), "z***@reader.example") || !strings.Contains(log.String(), `"unit":"zhangsan"`) {
			t.Error(log.String())
		}
	})
}
