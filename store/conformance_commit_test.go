package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// takeAll claims up to so many letters.
func takeAll(t *testing.T, s *store.Store, limit int, lease time.Duration) []notice.Notice {
	t.Helper()
	return got[[]notice.Notice](t)(s.ClaimNotices(t.Context(), notice.ClaimFilter{}, limit, lease, time.Hour))
}

// commit records and returns the IDs that were lost, in order.
func commit(t *testing.T, s *store.Store, marks []notice.Mark, settlements ...notice.Settlement) []string {
	t.Helper()
	lost, err := s.Commit(t.Context(), marks, settlements)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for id, is := range lost {
		if is {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// sentTo is the receipt of an accepted copy; every field the store keeps is set.
func sentTo(recipient int, email string) notice.Receipt {
	return notice.Receipt{Recipient: recipient, Email: email, Copy: recipient > 0, Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer,
		Code: 250, Enhanced: "2.0.0", Reply: "ok 收到", SHA256: strings.Repeat("0", 64), Bytes: 12345, Took: 17 * time.Millisecond, Worker: "w1",
		At: instant.UTC().Truncate(time.Millisecond), Versions: notice.Versions{Template: "t", Calendar: "c", Policy: "p"}}
}

func refused(recipient int, email string, outcome notice.Outcome, code int, reply string) notice.Receipt {
	return notice.Receipt{Recipient: recipient, Email: email, Copy: recipient > 0, Outcome: outcome, Phase: notice.PhaseRecipient, Code: code,
		Reply: reply, At: instant.UTC().Truncate(time.Millisecond)}
}

func settled(n notice.Notice, causes []notice.Cause, receipts ...notice.Receipt) notice.Settlement {
	return notice.Settlement{ID: n.ID, Token: n.Token, Date: n.Key.Date, Causes: causes, Tries: n.Tries + 1, Receipts: receipts}
}

func by(causes ...notice.Cause) []notice.Cause { return causes }

func markOf(n notice.Notice) notice.Mark {
	return notice.Mark{ID: n.ID, Token: n.Token, Date: n.Key.Date}
}

func TestManyLettersAreClaimedAtOnceAndEachByOneWorker(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const many = 150
		var all []notice.Notice
		for i := range many {
			all = append(all, letter(fmt.Sprint("u", i), day0+civil.Date(i%3)))
		}
		planned(t, s, begin(t, s), day0, all...)
		var mu sync.Mutex
		taken, tokens := map[string]int{}, map[string]int{}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for {
					batch, err := s.ClaimNotices(t.Context(), notice.ClaimFilter{}, 7, time.Minute, time.Hour)
					if err != nil {
						t.Error(err)
					}
					if err != nil || len(batch) == 0 {
						return
					}
					mu.Lock()
					for _, n := range batch {
						taken[n.ID]++
						tokens[n.Token]++
						if n.Token != batch[0].Token || n.State != notice.Sending || len(n.Facts.Recipients) != 2 {
							t.Errorf("claimed %+v", n)
						}
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for _, n := range all {
			if taken[n.ID] != 1 {
				t.Errorf("%s was taken %d times", n.Key.Unit, taken[n.ID])
			}
		}
		for _, n := range tokens {
			if n > 7 {
				t.Errorf("%d letters under one token", n)
			}
		}
		n, first, err := s.SendingLeases(t.Context(), notice.ClaimFilter{})
		if n != many || first.IsZero() || err != nil {
			t.Errorf("%d leases, the first until %v, %v", n, first, err)
		}
	})
}

func TestABatchComesInOrderAndWhenDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		now := got[time.Time](t)(s.Now(ctx))
		early, late, retry, due, held := letter("e", day0), letter("l", day0+1), letter("r", day0-1), letter("d", day0-2), letter("h", day0-3)
		retry.State, retry.NextTry = notice.Retry, now.Add(time.Hour)
		due.State, due.NextTry, due.Tries, due.Deadline = notice.Retry, now, 1, instant.UTC().Truncate(time.Millisecond)
		due.Receipts = []notice.Receipt{sentTo(0, "d@example.com"), refused(1, "x@example.com", notice.OutcomeTemporary, 452, "full")}
		held.State = notice.Held
		seq = planned(t, s, seq, day0, late, retry, held, early, due)
		claim := func(f notice.ClaimFilter, limit int) []notice.Notice {
			t.Helper()
			return got[[]notice.Notice](t)(s.ClaimNotices(ctx, f, limit, time.Minute, time.Hour))
		}
		for what, f := range map[string]notice.ClaimFilter{"elsewhere": {Jurisdiction: "gangcheng"}, "on another day": {Date: day0 + 9}} {
			if batch := claim(f, 5); len(batch) != 0 {
				t.Errorf("%s: %v", what, batch)
			}
		}
		seq = must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Paused: &task.Pause{Who: "甲", Why: "试"}}})
		if batch := claim(notice.ClaimFilter{}, 5); len(batch) != 0 {
			t.Errorf("while paused: %v", batch)
		}
		must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
		if batch := claim(notice.ClaimFilter{}, 0); len(batch) != 0 {
			t.Errorf("none was asked for: %v", batch)
		}
		batch := claim(notice.ClaimFilter{Jurisdiction: j}, 2)
		if len(batch) != 2 {
			t.Fatalf("claimed %v", batch)
		}
		for i, want := range []notice.Notice{due, early} {
			n := batch[i]
			want.State, want.Token, want.Lease, want.Seq = notice.Sending, batch[0].Token, n.Lease, 2
			if i == 0 {
				want.NextTry = now
			} else {
				want.Deadline = n.Deadline
				if life := n.Deadline.Sub(now); life < time.Hour || life > 2*time.Hour {
					t.Errorf("trying ends after %v", life)
				}
			}
			equal(t, "a claimed letter", n, want)
			equal(t, "as it is stored", got[notice.Notice](t)(s.Notice(ctx, n.ID)), want)
			if life := n.Lease.Sub(now); life < time.Minute || life > 2*time.Minute {
				t.Errorf("the lease runs %v", life)
			}
		}
		if rest := claim(notice.ClaimFilter{Date: day0 + 1}, 9); len(rest) != 1 || rest[0].ID != late.ID {
			t.Errorf("the rest: %v", rest)
		}
		// A deadline is set once.
		if lost := commit(t, s, nil, settled(batch[1], by(notice.Defer))); lost != nil {
			t.Fatal(lost)
		}
		again := claim(notice.ClaimFilter{Date: day0}, 9)
		if len(again) != 1 || !again[0].Deadline.Equal(batch[1].Deadline) || again[0].Token == batch[1].Token {
			t.Errorf("claimed again: %+v", again)
		}
	})
}

func TestCommitSettlesWhatIsHeldAndReportsWhatIsNot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var all []notice.Notice
		for _, u := range []string{"a", "b", "c", "d", "e"} {
			all = append(all, letter(u, day0))
		}
		planned(t, s, begin(t, s), day0, append(all, letter("f", day0+1))...)
		batch := takeAll(t, s, 10, time.Minute)
		if len(batch) != 6 {
			t.Fatalf("claimed %d", len(batch))
		}
		a, b, c, d, e, f := batch[0], batch[1], batch[2], batch[3], batch[4], batch[5]
		forged := b
		forged.Token = "0"
		none := notice.Mark{ID: "0", Token: "0"}
		lost := commit(t, s, []notice.Mark{markOf(a), markOf(a), markOf(f), markOf(forged), none})
		equal(t, "lost marks", lost, []string{"0", forged.ID})
		for _, n := range []notice.Notice{a, b, f} {
			if at := got[notice.Notice](t)(s.Notice(ctx, n.ID)).DataAt; at.IsZero() != (n.ID == b.ID) {
				t.Errorf("%s is marked at %v", n.Key.Unit, at)
			}
		}
		to, copied := sentTo(0, "a@example.com"), sentTo(1, "d@example.com")
		garbled := refused(0, "b@example.com", notice.OutcomePermanent, 550, "no such \xd3\xca\xcf\xe4")
		garbled.Enhanced = strings.Repeat("5.1.1", 99)
		later := got[time.Time](t)(s.Now(ctx)).Add(time.Hour).Truncate(time.Millisecond)
		retry := settled(c, by(notice.Defer), refused(0, "c@example.com", notice.OutcomeTemporary, 452, "full"))
		retry.NextTry, retry.Reason = later, "邮箱已满"
		held := settled(d, by(notice.PutBack, notice.Hold))
		held.NextTry, held.Reason, held.Tries = later, "窗口已过", 0
		back := settled(e, by(notice.PutBack))
		back.Tries = 0
		unsure := settled(f, f.Lost(notice.Break), notice.Receipt{Outcome: notice.OutcomeUnknown, Phase: notice.PhaseAnswer, Worker: "w2"})
		unknown := notice.Settlement{ID: "0", Token: "0", Causes: by(notice.Deliver), Receipts: []notice.Receipt{to}}
		args := []notice.Settlement{settled(a, by(notice.Deliver), to, copied), settled(b, by(notice.Refuse), garbled), retry, held, back, unsure,
			settled(forged, by(notice.Deliver), sentTo(0, "late@example.com")), unknown}
		for range 2 { // the second time as after a commit whose outcome was lost
			equal(t, "lost", commit(t, s, []notice.Mark{markOf(a)}, args...), []string{"0", b.ID})
			garbled.Reply, garbled.Enhanced = "no such \uFFFD", strings.Repeat("5.1.1", 99)[:32]
			for _, w := range []struct {
				n        notice.Notice
				state    notice.State
				tries    int
				next     time.Time
				reason   string
				receipts []notice.Receipt
				moves    string
			}{
				{a, notice.Sent, 1, time.Time{}, "", []notice.Receipt{to, copied}, ""},
				{b, notice.Failed, 1, time.Time{}, "", []notice.Receipt{garbled, sentTo(0, "late@example.com")}, ""},
				{c, notice.Retry, 1, later, "邮箱已满", retry.Receipts, ""},
				{d, notice.Held, 0, later, "窗口已过", nil, "1 sending held hold 窗口已过 dispatcher"},
				{e, notice.Pending, 0, time.Time{}, "", nil, ""},
				{f, notice.Retry, 1, time.Time{}, "", unsure.Receipts, "1 sending retry resend  w2"},
			} {
				n := got[notice.Notice](t)(s.Notice(ctx, w.n.ID))
				if n.State != w.state || n.Tries != w.tries || !n.NextTry.Equal(w.next) || n.Reason != w.reason || n.Token != "" || !n.Lease.IsZero() || n.Resent != (n.ID == f.ID) {
					t.Errorf("%s: %+v", w.n.Key.Unit, n)
				}
				equal(t, "attempts of "+w.n.Key.Unit, got[[]notice.Receipt](t)(s.Attempts(ctx, n.ID)), w.receipts)
				moves := ""
				for _, m := range got[[]notice.Move](t)(s.Moves(ctx, n.ID)) {
					moves += fmt.Sprintf("%d %s %s %s %s %s", m.N, m.From, m.To, m.Cause, m.Reason, m.By)
					if m.At.IsZero() || m.Notice != n.ID {
						t.Errorf("%+v", m)
					}
				}
				equal(t, "moves of "+w.n.Key.Unit, moves, w.moves)
			}
		}
		for _, bad := range [][]notice.Cause{nil, by(notice.Claim), by(notice.Deliver, notice.Resend), by(notice.Supersede)} {
			if _, err := s.Commit(ctx, nil, []notice.Settlement{settled(a, bad)}); err == nil {
				t.Errorf("settled by %v", bad)
			}
		}
		// The accepted copy is what a reader of the letter sees, whatever came after it.
		equal(t, "receipts", got[notice.Notice](t)(s.Notice(ctx, b.ID)).Receipts, []notice.Receipt{sentTo(0, "late@example.com")})
	})
}

func TestWhatIsCommittedTwiceAtOnceIsDoneOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for round := range 5 {
			var all []notice.Notice
			for i := range 20 {
				all = append(all, letter(fmt.Sprint("u", i), day0+civil.Date(round)))
			}
			if round == 0 {
				begin(t, s)
			}
			planned(t, s, got[task.Jurisdiction](t)(s.Jurisdiction(t.Context(), j)).Seq, day0+civil.Date(round), all...)
			var ends []notice.Settlement
			for i, n := range takeAll(t, s, 20, time.Minute) {
				cause := []notice.Cause{notice.Deliver, notice.Refuse}[i%2]
				ends = append(ends, settled(n, by(cause), sentTo(0, fmt.Sprint(i, "@example.com")),
					refused(1, "bad@example.com", notice.OutcomeTemporary, 450, "later"), sentTo(1, "good@example.com")))
			}
			var wg sync.WaitGroup
			for i := range 4 {
				mine := slices.Clone(ends)
				if i%2 == 1 {
					slices.Reverse(mine)
				}
				wg.Go(func() {
					lost, err := s.Commit(t.Context(), nil, mine)
					if err != nil || len(lost) != 0 {
						t.Errorf("lost %v, %v", lost, err)
					}
				})
			}
			wg.Wait()
			for _, e := range ends {
				tried := got[[]notice.Receipt](t)(s.Attempts(t.Context(), e.ID))
				if len(tried) != 3 || tried[1].Outcome != notice.OutcomeTemporary {
					t.Errorf("attempts: %v", tried)
				}
			}
		}
	})
}

func TestALateClaimantIsLostButItsReceiptsAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		planned(t, s, begin(t, s), day0, letter("a", day0), letter("b", day0))
		batch := takeAll(t, s, 2, 0)
		a, b := batch[0], batch[1]
		equal(t, "marked after the lease", commit(t, s, []notice.Mark{markOf(a)}), []string{a.ID})
		expired := got[[]notice.Notice](t)(s.ExpiredNotices(ctx, notice.ClaimFilter{Jurisdiction: j}, 1))
		if len(expired) != 1 || expired[0].ID != a.ID || expired[0].Token != a.Token || expired[0].Lease.IsZero() || expired[0].Key != a.Key {
			t.Errorf("expired: %+v", expired)
		}
		equal(t, "expired on another day", len(got[[]notice.Notice](t)(s.ExpiredNotices(ctx, notice.ClaimFilter{Date: day0 + 1}, 0))), 0)
		if err := s.TakeBack(ctx, a, "worker gone", "w2", notice.Expire); err != nil {
			t.Fatal(err)
		}
		// a is taken back, b is late but nobody acted on it.
		lost := commit(t, s, nil, settled(a, by(notice.Deliver), sentTo(0, "a@example.com")), settled(b, by(notice.Deliver), sentTo(0, "b@example.com")))
		equal(t, "lost", lost, []string{a.ID})
		n := got[notice.Notice](t)(s.Notice(ctx, a.ID))
		if n.State != notice.Retry || len(n.Receipts) != 1 || n.Receipts[0].Outcome != notice.OutcomeAccepted {
			t.Errorf("taken back: %+v", n)
		}
		if n := got[notice.Notice](t)(s.Notice(ctx, b.ID)); n.State != notice.Sent {
			t.Errorf("late: %+v", n)
		}
		equal(t, "leases", fmt.Sprint(s.SendingLeases(ctx, notice.ClaimFilter{})), "0 "+fmt.Sprint(time.Time{})+" <nil>")
	})
}

func TestMovesAreFencedAndWrittenDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		n := letter("a", day0)
		planned(t, s, begin(t, s), day0, n)
		move := func(from notice.State, causes ...notice.Cause) error {
			return s.Move(ctx, n.ID, from, "因", "李四", causes...)
		}
		for _, bad := range []struct {
			from   notice.State
			causes []notice.Cause
		}{
			{notice.Pending, nil}, {notice.Pending, by(notice.Claim)}, {notice.Pending, by(notice.Supersede)}, {notice.Sending, by(notice.Deliver)},
			{notice.Sending, by(notice.Cancel)}, {notice.Sending, by(notice.Hold)}, {notice.Sent, by(notice.Resend)}, {notice.Pending, by(notice.Hold, notice.Hasten)},
		} {
			if err := move(bad.from, bad.causes...); err == nil {
				t.Errorf("%s by %v was done", bad.from, bad.causes)
			}
		}
		for _, step := range []struct {
			from   notice.State
			causes []notice.Cause
			want   notice.State
		}{
			{notice.Pending, by(notice.Hold), notice.Held},
			{notice.Held, by(notice.Release, notice.Hold), notice.Held},
			{notice.Held, by(notice.Release), notice.Pending},
		} {
			if err := move(step.from, step.causes...); err != nil {
				t.Fatal(err)
			}
			if is := got[notice.Notice](t)(s.Notice(ctx, n.ID)); is.State != step.want || is.Reason != "因" {
				t.Errorf("%s by %v: %s, %s", step.from, step.causes, is.State, is.Reason)
			}
		}
		wantErr(t, "from another state", move(notice.Held, notice.Release), store.ErrLost)
		wantErr(t, "no letter", s.Move(ctx, "0", notice.Held, "", "", notice.Release), store.ErrNotFound)

		alive := takeAll(t, s, 1, time.Hour)[0]
		wantErr(t, "expire a live claim", s.TakeBack(ctx, alive, "因", "李四", notice.Expire), store.ErrLost)
		if err := store.Exec(ctx, s, "UPDATE notices SET lease = '2024-01-01 00:00:00.000', data_at = '2024-01-01 00:00:00.000'"); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "expire what may have arrived", s.TakeBack(ctx, alive, "因", "李四", notice.Expire), store.ErrLost)
		if err := s.TakeBack(ctx, alive, "因", "李四", alive.Lost(notice.Vanish)...); err != nil {
			t.Fatal(err)
		}
		is := got[notice.Notice](t)(s.Notice(ctx, n.ID))
		if is.State != notice.Retry || !is.Resent || is.Token != "" || !is.Deadline.Equal(alive.Deadline) {
			t.Errorf("vanished: %+v", is)
		}
		equal(t, "causes of a second time", is.Lost(notice.Vanish), by(notice.Vanish))
		late := takeAll(t, s, 1, time.Hour)[0]
		end := settled(late, by(notice.Defer))
		end.NextTry = instant.AddDate(100, 0, 0)
		if lost := commit(t, s, nil, end); lost != nil {
			t.Fatal(lost)
		}
		if err := move(notice.Retry, notice.Hasten); err != nil {
			t.Fatal(err)
		}
		late = takeAll(t, s, 1, time.Hour)[0]
		if lost := commit(t, s, nil, settled(late, by(notice.Refuse))); lost != nil {
			t.Fatal(lost)
		}
		if err := move(notice.Failed, notice.Reopen); err != nil {
			t.Fatal(err)
		}
		if is := got[notice.Notice](t)(s.Notice(ctx, n.ID)); is.State != notice.Retry || !is.Deadline.IsZero() {
			t.Errorf("sent again: %+v", is)
		}
		equal(t, "moves", movesOf(t, s, n.ID), []string{"hold", "hold", "release", "resend", "hasten", "reopen"})
	})
}

// TestALetterIsTakenBackUnderTheClaimItWasReadUnder lets two workers find the same dead claim, and one act on it late.
func TestALetterIsTakenBackUnderTheClaimItWasReadUnder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		planned(t, s, begin(t, s), day0, letter("a", day0))
		die := func() notice.Notice { // marks its letter and is gone
			t.Helper()
			n := takeAll(t, s, 1, time.Hour)[0]
			equal(t, "lost", commit(t, s, []notice.Mark{markOf(n)}), []string(nil))
			if err := store.Exec(ctx, s, "UPDATE notices SET lease = '2024-01-01 00:00:00.000'"); err != nil {
				t.Fatal(err)
			}
			return got[[]notice.Notice](t)(s.ExpiredNotices(ctx, notice.ClaimFilter{}, 0))[0]
		}
		back := func(n notice.Notice, causes ...notice.Cause) error {
			return s.TakeBack(ctx, n, "因", "李四", causes...)
		}
		first := die()
		for _, causes := range [][]notice.Cause{
			nil, by(notice.Resend), by(notice.Cancel), by(notice.Deliver), by(notice.Vanish, notice.Claim), by(notice.Expire, notice.Resend),
			by(notice.Vanish, notice.Supersede),
		} {
			if err := back(first, causes...); err == nil || errors.Is(err, store.ErrLost) {
				t.Errorf("taken back by %v: %v", causes, err)
			}
		}
		nobodys := first
		nobodys.Token = ""
		if err := back(nobodys, notice.Vanish); err == nil || errors.Is(err, store.ErrLost) {
			t.Errorf("taken back from nobody: %v", err)
		}
		if err := back(first, first.Lost(notice.Vanish)...); err != nil {
			t.Fatal(err)
		}
		second := die()
		before := got[notice.Notice](t)(s.Notice(ctx, second.ID))
		for _, causes := range [][]notice.Cause{by(notice.Vanish, notice.Resend), by(notice.Vanish), by(notice.Vanish, notice.Resolve)} {
			wantErr(t, "under the claim before", back(first, causes...), store.ErrLost)
		}
		wantErr(t, "sent once more a second time", back(second, notice.Vanish, notice.Resend), store.ErrLost)
		gone := second
		gone.ID = "0"
		wantErr(t, "no letter", back(gone, notice.Vanish), store.ErrNotFound)
		equal(t, "the letter meanwhile", got[notice.Notice](t)(s.Notice(ctx, second.ID)), before)
		if err := back(second, second.Lost(notice.Vanish)...); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "once more", back(second, notice.Vanish), store.ErrLost)
		if is := got[notice.Notice](t)(s.Notice(ctx, second.ID)); is.State != notice.Unknown || is.Token != "" || !is.Lease.IsZero() {
			t.Errorf("in the end: %+v", is)
		}
		equal(t, "moves", movesOf(t, s, first.ID), []string{"resend", "vanish"})
	})
}

// movesOf returns the causes of a letter's moves, which are numbered from 1 and all put down to the same person.
func movesOf(t *testing.T, s *store.Store, id string) (causes []string) {
	t.Helper()
	for i, m := range got[[]notice.Move](t)(s.Moves(t.Context(), id)) {
		causes = append(causes, string(m.Cause))
		if m.N != i+1 || m.By != "李四" || m.Reason != "因" || m.Notice != id || m.At.IsZero() {
			t.Errorf("%+v", m)
		}
	}
	return causes
}

func TestLettersAreHeldAndReleasedTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		now := got[time.Time](t)(s.Now(ctx))
		waits, sent, held, formal, tomorrow := letter("b", day0), letter("c", day0), letter("d", day0), letter("e", day0), letter("f", day0+1)
		waits.State, waits.NextTry = notice.Retry, now.Add(time.Hour)
		sent.State, held.State = notice.Sent, notice.Held
		formal.Key.Matter = "督〔2024〕1号"
		formal.ID = formal.Key.ID()
		planned(t, s, begin(t, s), day0, letter("a", day0), waits, sent, held, formal, tomorrow)
		states := func() string {
			out := ""
			for _, n := range got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{})) {
				out += n.Key.Unit + string(n.State[0])
				if !n.NextTry.IsZero() {
					out += "!"
				}
				out += " "
			}
			return out
		}
		hold := func(until time.Time) int {
			return got[int](t)(s.HoldNotices(ctx, notice.ClaimFilter{Jurisdiction: j, Date: day0}, until, "窗口已过"))
		}
		release := func() int {
			return got[int](t)(s.ReleaseHeld(ctx, notice.ClaimFilter{}, "窗口已开"))
		}
		equal(t, "held", hold(now.Add(time.Hour)), 2)
		equal(t, "after holding", states(), "ah! bh! cs dh ep fp ")
		equal(t, "held again", hold(now.Add(time.Hour)), 0)
		equal(t, "released elsewhere", got[int](t)(s.ReleaseHeld(ctx, notice.ClaimFilter{Date: day0 + 1}, "")), 0)
		equal(t, "released", release(), 2)
		equal(t, "after releasing", states(), "ap bp cs dh ep fp ")
		if n := got[notice.Notice](t)(s.Notice(ctx, waits.ID)); n.Reason != "窗口已开" {
			t.Errorf("released: %+v", n)
		}
		// The time a letter was held is none of that it is tried in.
		for _, letGo := range []func(notice.Notice) error{
			func(notice.Notice) error {
				f := notice.ClaimFilter{Date: day0 + 1}
				equal(t, "held after a try", got[int](t)(s.HoldNotices(ctx, f, now.Add(time.Hour), "窗口已过")), 1)
				equal(t, "released after a try", release(), 1)
				return nil
			},
			func(n notice.Notice) error {
				return errors.Join(s.Move(ctx, n.ID, n.State, "", "李四", notice.Hold), s.Move(ctx, n.ID, notice.Held, "", "李四", notice.Release))
			},
		} {
			n, ok := claimOne(t, s, notice.ClaimFilter{Date: day0 + 1}, time.Hour)
			end := settled(n, by(notice.Defer))
			if equal(t, "lost", commit(t, s, nil, end), []string(nil)); !ok || n.Deadline.IsZero() {
				t.Fatalf("claimed: %+v", n)
			}
			was := got[notice.Notice](t)(s.Notice(ctx, n.ID))
			if !was.Deadline.Equal(n.Deadline) {
				t.Errorf("tried: %+v", was)
			}
			if err := letGo(was); err != nil {
				t.Fatal(err)
			}
			if n := got[notice.Notice](t)(s.Notice(ctx, n.ID)); n.State != notice.Pending || !n.Deadline.IsZero() {
				t.Errorf("let go: %+v", n)
			}
		}
	})
}

func TestAddressesWithTroubleAreKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		planned(t, s, begin(t, s), day0, letter("a", day0))
		later := instant.UTC().Truncate(time.Millisecond).Add(time.Hour)
		try := func(receipts ...notice.Receipt) {
			t.Helper()
			n := takeAll(t, s, 1, time.Minute)[0]
			for i := range receipts {
				receipts[i].Recipient = i
			}
			for range 2 { // what is told twice counts once
				if lost := commit(t, s, nil, settled(n, by(notice.Defer), receipts...)); lost != nil {
					t.Fatal(lost)
				}
			}
		}
		all := func(addresses ...string) string {
			out := ""
			for _, h := range got[[]notice.Health](t)(s.Troubles(ctx, addresses)) {
				out += fmt.Sprint(h.Address[:min(len(h.Address), 9)], " ", h.Hard, " ", h.Soft, " ", h.Reply, "; ")
				if h.Since.IsZero() || h.Last.Before(h.Since) {
					t.Errorf("%+v", h)
				}
			}
			return out
		}
		long := refused(0, strings.Repeat("长", 300)+"@example.com", notice.OutcomePermanent, 0, "too long")
		equal(t, "at first", all(), "")
		try(refused(0, "A@Ex.com", notice.OutcomeTemporary, 450, "busy"), refused(0, "b@ex.com", notice.OutcomePermanent, 550, "no such user"),
			sentTo(0, "c@ex.com"), refused(0, "d@ex.com", notice.OutcomeTemporary, 0, "connection lost"), long)
		equal(t, "after one try", all(), "a@ex.com false 1 450 busy; b@ex.com true 0 550 no such user; 长长长 true 0 too long; ")
		again := refused(0, " a@ex.COM", notice.OutcomeTemporary, 452, "full")
		again.At = later
		try(again, refused(0, "b@ex.com", notice.OutcomeTemporary, 450, "busy"), refused(0, "c@ex.com", notice.OutcomeTemporary, 450, "x"), sentTo(0, "c@ex.com"),
			sentTo(0, long.Email))
		equal(t, "after two", all(), "a@ex.com false 2 452 full; b@ex.com true 1 450 busy; ")
		equal(t, "of some", all("B@ex.com", "b@ex.com", "z@ex.com"), "b@ex.com true 1 450 busy; ")
		equal(t, "of none", len(got[[]notice.Health](t)(s.Troubles(ctx, []string{}))), 0)
		if h := got[[]notice.Health](t)(s.Troubles(ctx, []string{"a@ex.com"}))[0]; !h.Last.Equal(later) || !h.Since.Equal(later.Add(-time.Hour)) {
			t.Errorf("%+v", h)
		}
		try(sentTo(0, "A@ex.com"), sentTo(0, "b@ex.com"))
		equal(t, "when it is over", all(), "")
	})
}

func TestBrakesAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var b notice.Brake
		fill(t, &b)
		b.Scope = "account:mail.example/督办@example"
		other := notice.Brake{Scope: "account:mail.example/督办@example:b"}
		for _, brake := range []notice.Brake{other, other, b} {
			if err := s.SaveBrake(ctx, brake); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "brakes", got[[]notice.Brake](t)(s.Brakes(ctx)), []notice.Brake{b, other})
		b.Failures, b.Since, b.Reason = 0, time.Time{}, ""
		for _, err := range []error{s.SaveBrake(ctx, b), s.DropBrake(ctx, other.Scope), s.DropBrake(ctx, other.Scope)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "then", got[[]notice.Brake](t)(s.Brakes(ctx)), []notice.Brake{b})
		if err := s.SaveBrake(ctx, notice.Brake{}); err == nil {
			t.Error("a brake on nothing was put on")
		}
	})
}

func TestLettersAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		oldest := func(of string) string {
			n, ok, err := s.OldestOpen(ctx, of)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(ok, n.Key.Unit, n.State)
		}
		equal(t, "oldest of none", oldest(""), "false")
		var all []notice.Notice
		for i, state := range notice.States() {
			for k := range i + 1 {
				n := letter(fmt.Sprint("u", k), day0-civil.Date(i))
				n.State = state
				all = append(all, n)
			}
		}
		i := civil.Date(slices.Index(notice.States(), notice.Failed))
		formal := letter("x", day0-i)
		formal.Key.Matter = "1"
		formal.ID, formal.State = formal.Key.ID(), notice.Failed
		planned(t, s, begin(t, s), day0, append(all, formal)...)
		want := map[notice.State]int{notice.Failed: 1}
		for i, state := range notice.States() {
			want[state] += i + 1
		}
		equal(t, "counts", got[map[notice.State]int](t)(s.LetterCounts(ctx, j)), want)
		equal(t, "of all", got[map[notice.State]int](t)(s.LetterCounts(ctx, "")), want)
		equal(t, "elsewhere", got[map[notice.State]int](t)(s.LetterCounts(ctx, "gangcheng")), map[notice.State]int{})
		if o := oldest(j); !strings.HasSuffix(o, "retry") || oldest("gangcheng") != "false" {
			t.Errorf("the oldest is %s", o)
		}
		failed := got[[]notice.Notice](t)(s.FailedSince(ctx, j, "", day0-i, day0-i+1))
		if len(failed) != int(i)+1 || failed[0].State != notice.Failed || failed[0].Key.Matter != "" || len(failed[0].Facts.Recipients) != 2 {
			t.Errorf("%d failed: %v", len(failed), failed)
		}
		equal(t, "failed before", len(got[[]notice.Notice](t)(s.FailedSince(ctx, j, notice.UnitLetter, day0-i-3, day0-i))), 0)
	})
}

func TestAFailedLetterIsTakenOverAndOneThatIsLeavingIsNot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		failed, by := letter("a", day0-1), letter("a", day0)
		failed.State = notice.Failed
		seq := planned(t, s, begin(t, s), day0-1, failed)
		r := claimed(t, s, "remind", day0)
		r.State = "done"
		p := dayPlan(r, by)
		p.Supersede = map[string]string{failed.ID: by.ID}
		if err := s.SavePlan(ctx, j, seq, p); err != nil {
			t.Fatal(err)
		}
		if n := got[notice.Notice](t)(s.Notice(ctx, failed.ID)); n.State != notice.Superseded || n.Seq != seq {
			t.Errorf("%+v", n)
		}
		if n := got[notice.Notice](t)(s.Notice(ctx, by.ID)); n.Seq != seq+1 {
			t.Errorf("%+v", n)
		}
	})
}

func TestWhatWasTouchedAndWhenItRanLast(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		equal(t, "last start of none", got[time.Time](t)(s.LastStarted(ctx)), time.Time{})
		seq := aDay(t, s)
		equal(t, "touched by now", len(got[[]string](t)(s.Touched(ctx, j, seq, civil.Never))), 0)
		b, a := refOf("2", "b", "m1"), refOf("1", "a", "m1")
		must(t, s, seq, task.Batch{Events: []task.Event{opened(b), opened(a), opened(b)}})
		equal(t, "touched", got[[]string](t)(s.Touched(ctx, j, seq, civil.Never)), []string{a.String(), b.String()})
		equal(t, "touched after the first", got[[]string](t)(s.Touched(ctx, j, seq+1, civil.Never)), []string{a.String(), b.String()})
		equal(t, "touched by the eve", len(got[[]string](t)(s.Touched(ctx, j, seq, opened(b).On-1))), 0)
		equal(t, "touched by the day", len(got[[]string](t)(s.Touched(ctx, j, seq, opened(b).On))), 2)
		equal(t, "touched elsewhere", len(got[[]string](t)(s.Touched(ctx, "gangcheng", 0, civil.Never))), 0)
		records := got[[]task.Record](t)(s.RecordsOf(ctx, j, []string{b.String(), "none", a.String(), b.String()}))
		equal(t, "records", refs(records), "1a 2b")
		equal(t, "their events", len(records[1].Events), 3)
		equal(t, "records elsewhere", len(got[[]task.Record](t)(s.RecordsOf(ctx, "gangcheng", []string{a.String()}))), 0)
		claimed(t, s, "open", day0+9)
		last := claimed(t, s, "open", day0-9)
		equal(t, "last start", got[time.Time](t)(s.LastStarted(ctx)), last.Started)
	})
}

func TestDeliverysQueriesUseTheirIndexes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seq := begin(t, s)
		for d := range civil.Date(6) { // enough rows that an engine has a choice
			var all []notice.Notice
			for i := range 400 {
				n := letter(fmt.Sprint("u", i), day0+d)
				n.State = []notice.State{notice.Sent, notice.Failed, notice.Sent, notice.Pending}[i%4]
				all = append(all, n)
			}
			seq = planned(t, s, seq, day0+d, all...)
		}
		day := (day0 + 1).String()
		id := func(i int) string { return letter("u"+strconv.Itoa(i), day0+1).ID }
		now := "2024-09-14 00:00:00.000"
		for _, c := range []struct {
			name, query, search string
			args                []any
		}{
			{"claim", store.QueryClaim(s), "notices_state (state=?)", []any{"pending", now}},
			{"expired", store.QueryExpired(s), "notices_state (state=?)", []any{"sending"}},
			{"held", store.QueryHolds(s), "notices_state (state=?", []any{"sending", id(1), id(2), id(3)}},
			{"fenced", store.QueryFenced(s), "(logical_date=? AND id=?)", []any{day, id(1), id(2), "sending", id(1), "0", id(2), "0"}},
			{"release", store.QueryRelease(s), "notices_state (state=?)", []any{"pending", now, "", "held", now}},
			{"counts", store.QueryCounts(s), "USING COVERING INDEX notices_state", []any{j}},
			{"failed", store.QueryFailed(s), "notices_state (state=? AND logical_date>?", []any{"failed", day, (day0 + 3).String(), j, notice.UnitLetter}},
		} {
			plan := got[string](t)(store.Explain(t.Context(), s, c.query, c.args...))
			search := c.search
			if s.Dialect() == "mysql" {
				search = "notices_state"
				if c.name == "fenced" {
					search = "PRIMARY"
				}
			}
			if !strings.Contains(plan, search) || strings.Contains(plan, "ALL") ||
				c.name == "claim" && (strings.Contains(plan, "filesort") || strings.Contains(plan, "TEMP B-TREE")) {
				t.Errorf("%s\n%s\nis not searched as it should be:\n%s", c.name, c.query, plan)
			}
		}
	})
}

// TestWorkersAndTheDoorShareTheLetters lets four workers claim, mark and settle while the door holds and releases: whatever
// comes first, each letter is delivered once, and nobody fails.
func TestWorkersAndTheDoorShareTheLetters(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			dsn := e.DSN(t)
			first := storetest.Reopen(t, dsn)
			got[int](t)(first.Migrate(ctx))
			const many = 400
			var all []notice.Notice
			for i := range many {
				all = append(all, letter(fmt.Sprint("u", i), day0+civil.Date(i%3)))
			}
			planned(t, first, begin(t, first), day0, all...)
			var workers, door sync.WaitGroup
			for w := range 4 {
				s := first
				if w%2 == 1 {
					s = storetest.Reopen(t, dsn) // another process
				}
				workers.Go(func() { deliverAll(t, s, many) })
			}
			stop := make(chan struct{})
			door.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					f := notice.ClaimFilter{Jurisdiction: j, Date: day0 + 1}
					if _, err := first.HoldNotices(ctx, f, instant, "held"); err != nil {
						t.Error(err)
					}
					if _, err := first.ReleaseHeld(ctx, f, "released"); err != nil {
						t.Error(err)
					}
				}
			})
			workers.Wait()
			close(stop)
			door.Wait()
			equal(t, "letters", got[map[notice.State]int](t)(first.LetterCounts(ctx, j)), map[notice.State]int{notice.Sent: many})
			for _, n := range all {
				if tried := got[[]notice.Receipt](t)(first.Attempts(ctx, n.ID)); len(tried) != 2 {
					t.Errorf("%s has %d attempts", n.Key.Unit, len(tried))
				}
			}
		})
	}
}

// deliverAll delivers until all letters are sent, each at its second try.
func deliverAll(t *testing.T, s *store.Store, many int) {
	for {
		batch, err := s.ClaimNotices(t.Context(), notice.ClaimFilter{}, 16, time.Minute, time.Hour)
		if err != nil {
			t.Error(err)
			return
		}
		if len(batch) == 0 {
			counts, err := s.LetterCounts(t.Context(), j)
			if err != nil || counts[notice.Sent] == many {
				if err != nil {
					t.Error(err)
				}
				return
			}
			continue
		}
		var marks []notice.Mark
		var ends []notice.Settlement
		for _, n := range batch {
			marks = append(marks, markOf(n))
			if n.Tries == 0 {
				ends = append(ends, settled(n, by(notice.Defer), refused(0, "same@example.com", notice.OutcomeTemporary, 450, "later")))
			} else {
				ends = append(ends, settled(n, by(notice.Deliver), sentTo(0, "same@example.com")))
			}
		}
		for _, f := range []func() (map[string]bool, error){
			func() (map[string]bool, error) { return s.Commit(t.Context(), marks, nil) },
			func() (map[string]bool, error) { return s.Commit(t.Context(), nil, ends) },
		} {
			if lost, err := f(); err != nil || len(lost) > 0 {
				t.Errorf("lost %v, %v", lost, err)
				return
			}
		}
	}
}
