package store_test

import (
	"cmp"
	"fmt"
	"slices"
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

// take claims the next letter.
func take(t *testing.T, s *store.Store, lease time.Duration) notice.Notice {
	t.Helper()
	n, ok, err := s.ClaimNotice(t.Context(), notice.ClaimFilter{}, lease)
	if err != nil || !ok {
		t.Fatalf("claim a letter: %v %v", ok, err)
	}
	return n
}

func TestEachLetterGoesToOneWorker(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const many = 120
		var all []notice.Notice
		for i := range many {
			all = append(all, letter(fmt.Sprint("u", i), day0))
		}
		planned(t, s, begin(t, s), day0, all...)
		var mu sync.Mutex
		taken, tokens := map[string]int{}, map[string]bool{}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					n, ok, err := s.ClaimNotice(t.Context(), notice.ClaimFilter{}, time.Minute)
					if err != nil {
						t.Error(err)
					}
					if err != nil || !ok {
						return
					}
					mu.Lock()
					taken[n.ID]++
					tokens[n.Token] = true
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
		if len(tokens) != many || len(got[[]notice.Notice](t)(s.Sending(t.Context(), j))) != many {
			t.Errorf("%d tokens for %d letters", len(tokens), many)
		}
	})
}

func TestLettersAreClaimedInOrderAndWhenDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		now := got[time.Time](t)(s.Now(ctx))
		early, late, retry, due, held := letter("e", day0), letter("l", day0+1), letter("r", day0-1), letter("d", day0-2), letter("h", day0-3)
		retry.State, retry.NextTry = notice.Retry, now.Add(time.Hour)
		due.State, due.NextTry = notice.Retry, now
		held.State = notice.Held
		seq = planned(t, s, seq, day0, late, retry, held, early, due)
		n, ok, err := s.ClaimNotice(ctx, notice.ClaimFilter{Jurisdiction: "gangcheng"}, time.Minute)
		if ok || err != nil {
			t.Errorf("elsewhere: %v %v", n, err)
		}
		n, ok, err = s.ClaimNotice(ctx, notice.ClaimFilter{Jurisdiction: j, Date: day0 + 1}, time.Minute)
		if !ok || err != nil || n.ID != late.ID {
			t.Errorf("of the day: %v %v", n.Key, err)
		}
		seq = must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Paused: &task.Pause{Who: "甲", Why: "试"}}})
		if n, ok, err = s.ClaimNotice(ctx, notice.ClaimFilter{}, time.Minute); ok || err != nil {
			t.Errorf("while paused: %v %v", n, err)
		}
		must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
		first, second := take(t, s, time.Minute), take(t, s, time.Minute)
		if first.ID != due.ID || second.ID != early.ID {
			t.Errorf("claimed %v, then %v", first.Key, second.Key)
		}
		want := early
		want.State, want.Token, want.Lease = notice.Sending, second.Token, second.Lease
		want.Seq = second.Seq
		equal(t, "a claimed letter", second, want)
		if life := second.Lease.Sub(now); life < time.Minute || life > 2*time.Minute {
			t.Errorf("the lease runs %v", life)
		}
		if n, ok, err = s.ClaimNotice(ctx, notice.ClaimFilter{}, time.Minute); ok || err != nil {
			t.Errorf("one more: %v %v", n.Key, err)
		}
	})
}

func TestALetterIsSettledByItsClaimant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		planned(t, s, begin(t, s), day0, letter("a", day0))
		n := take(t, s, time.Minute)
		wantErr(t, "mark under another token", s.MarkData(ctx, n.ID, "0"), store.ErrLost)
		wantErr(t, "mark no letter", s.MarkData(ctx, "0", n.Token), store.ErrNotFound)
		for range 2 { // one mark per recipient, the first counts
			if err := s.MarkData(ctx, n.ID, n.Token); err != nil {
				t.Fatal(err)
			}
		}
		marked := got[notice.Notice](t)(s.Notice(ctx, n.ID))
		if marked.DataAt.IsZero() {
			t.Error("the mark is not kept")
		}
		forged := n
		forged.Token = "0"
		wantErr(t, "settle under another token", s.SettleNotice(ctx, forged, notice.Deliver, nil), store.ErrLost)
		if err := s.SettleNotice(ctx, n, notice.Claim, nil); err == nil {
			t.Error("settled by a claim")
		}
		reply := "452 4.2.2 邮箱已满 😀"
		to := notice.Receipt{Recipient: 0, Email: "a@example.com", Outcome: notice.OutcomeAccepted, Reply: "250 ok", SHA256: strings.Repeat("0", 64), At: instant}
		copied := notice.Receipt{Recipient: 1, Email: "d@example.com", Copy: true, Outcome: notice.OutcomeTemporary, Reply: reply, At: instant}
		n.Tries, n.NextTry, n.Reason = 1, got[time.Time](t)(s.Now(ctx)).Add(-time.Second), reply
		if err := s.SettleNotice(ctx, n, notice.Defer, []notice.Receipt{copied, to}); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "settle twice", s.SettleNotice(ctx, n, notice.Defer, nil), store.ErrLost)
		to.At, copied.At = instant.UTC().Truncate(time.Millisecond), instant.UTC().Truncate(time.Millisecond)
		m := take(t, s, time.Minute)
		equal(t, "receipts at the second try", m.Receipts, []notice.Receipt{to, copied})
		if m.Tries != 1 || m.Reason != reply || m.Token == n.Token || !m.DataAt.IsZero() || !m.NextTry.Equal(n.NextTry.Truncate(time.Millisecond)) {
			t.Errorf("at the second try: %+v", m)
		}
		copied.Outcome, m.Tries, m.Reason, m.NextTry = notice.OutcomeAccepted, 2, "", time.Time{}
		if err := s.SettleNotice(ctx, m, notice.Deliver, []notice.Receipt{copied}); err != nil {
			t.Fatal(err)
		}
		end := got[notice.Notice](t)(s.Notice(ctx, n.ID))
		equal(t, "receipts at the end", end.Receipts, []notice.Receipt{to, copied})
		if end.State != notice.Sent || end.Tries != 2 || end.Token != "" || !end.Lease.IsZero() || !end.NextTry.IsZero() {
			t.Errorf("at the end: %+v", end)
		}
	})
}

func TestAnExpiredClaimIsTakenBackOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		planned(t, s, begin(t, s), day0, letter("a", day0), letter("b", day0), letter("c", day0))
		expired := func() []string {
			var ids []string
			for _, n := range got[[]notice.Notice](t)(s.Expired(ctx)) {
				ids = append(ids, n.ID)
			}
			return ids
		}
		alive := take(t, s, time.Hour)
		wantErr(t, "expire a live claim", s.MoveNotice(ctx, alive.ID, notice.Sending, notice.Expire, "", ""), store.ErrLost)
		if ids := expired(); ids != nil {
			t.Errorf("expired at once: %v", ids)
		}
		if err := s.MarkData(ctx, alive.ID, alive.Token); err != nil {
			t.Fatal(err)
		}
		if err := store.Exec(ctx, s, "UPDATE notices SET lease = '2024-01-01 00:00:00.000' WHERE id = ?", alive.ID); err != nil {
			t.Fatal(err)
		}
		dead := take(t, s, 0)
		want := []string{alive.ID, dead.ID}
		slices.Sort(want)
		equal(t, "expired", expired(), want)
		wantErr(t, "mark after the lease", s.MarkData(ctx, dead.ID, dead.Token), store.ErrLost)
		wantErr(t, "expire what may have arrived", s.MoveNotice(ctx, alive.ID, notice.Sending, notice.Expire, "", ""), store.ErrLost)
		if err := s.MoveNotice(ctx, alive.ID, notice.Sending, notice.Vanish, "may have arrived", ""); err != nil {
			t.Error(err)
		}
		if err := s.MoveNotice(ctx, dead.ID, notice.Sending, notice.Expire, "worker gone", ""); err != nil {
			t.Error(err)
		}
		wantErr(t, "expire it twice", s.MoveNotice(ctx, dead.ID, notice.Sending, notice.Expire, "", ""), store.ErrLost)
		wantErr(t, "the dead worker settles", s.SettleNotice(ctx, dead, notice.Deliver, nil), store.ErrLost)
		if n := got[notice.Notice](t)(s.Notice(ctx, dead.ID)); n.State != notice.Retry || n.Reason != "worker gone" || n.Token != "" {
			t.Errorf("taken back: %+v", n)
		}
		if n := got[notice.Notice](t)(s.Notice(ctx, alive.ID)); n.State != notice.Unknown {
			t.Errorf("vanished: %+v", n)
		}
		// A worker that was merely slow still settles what nobody acted on.
		slow := take(t, s, 0)
		if err := s.SettleNotice(ctx, slow, notice.Deliver, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestALetterIsMovedFromTheStateItWasReadIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		n := letter("a", day0)
		planned(t, s, begin(t, s), day0, n)
		move := func(from notice.State, cause notice.Cause) error {
			return s.MoveNotice(ctx, n.ID, from, cause, "因"+string(cause), "李四")
		}
		for _, step := range []struct {
			from  notice.State
			cause notice.Cause
			want  notice.State
		}{
			{notice.Pending, notice.Hold, notice.Held}, {notice.Held, notice.Release, notice.Pending},
			{notice.Pending, notice.Hold, notice.Held}, {notice.Held, notice.Cancel, notice.Cancelled},
		} {
			if err := move(step.from, step.cause); err != nil {
				t.Fatal(err)
			}
			wantErr(t, "once more", move(step.from, step.cause), store.ErrLost)
			if is := got[notice.Notice](t)(s.Notice(ctx, n.ID)); is.State != step.want || is.Reason != "因"+string(step.cause) {
				t.Errorf("%s by %s: %s, %s", step.from, step.cause, is.State, is.Reason)
			}
		}
		for _, bad := range []struct {
			from  notice.State
			cause notice.Cause
		}{
			{notice.Pending, notice.Claim}, {notice.Sending, notice.Deliver}, {notice.Pending, notice.Supersede},
			{notice.Sent, notice.Resend}, {notice.Cancelled, notice.Release},
		} {
			if err := move(bad.from, bad.cause); err == nil {
				t.Errorf("%s by %s was done", bad.from, bad.cause)
			}
		}
		wantErr(t, "no letter", s.MoveNotice(ctx, "0", notice.Held, notice.Release, "", ""), store.ErrNotFound)
		equal(t, "who moved it", got[[]string](t)(store.Strings(ctx, s, "SELECT moved_by FROM notices")), []string{"李四"})
	})
}

func TestLettersAreListed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var all []notice.Notice
		for i, state := range []notice.State{notice.Pending, notice.Retry, notice.Held, notice.Sent, notice.Failed, notice.Unknown} {
			for _, unit := range []string{"b", "B", "a"} {
				n := letter(unit, day0+civil.Date(i))
				n.State = state
				all = append(all, n)
			}
		}
		formal := letter("a", day0)
		formal.Key.Matter = "督〔2024〕1号"
		formal.ID = formal.Key.ID()
		planned(t, s, begin(t, s), day0, append(all, formal)...)
		list := func(f notice.Filter) string {
			out := ""
			for _, n := range got[[]notice.Notice](t)(s.Notices(ctx, f)) {
				out += fmt.Sprint(n.Key.Date.Day(), n.Key.Unit, " ")
			}
			return out
		}
		for _, c := range []struct {
			f    notice.Filter
			want string
		}{
			{notice.Filter{To: day0 + 1}, "14B 14a 14a 14b 15B 15a 15b "},
			{notice.Filter{From: day0 + 4, Unit: "b"}, "18b 19b "},
			{notice.Filter{State: notice.Held}, "16B 16a 16b "},
			{notice.Filter{Jurisdiction: "gangcheng"}, ""},
			{notice.Filter{Jurisdiction: j, From: day0 + 1, Limit: 2}, "15B 15a "},
			{notice.Filter{After: letter("a", day0+1).ID, Limit: 2}, "15b 16B "},
			{notice.Filter{After: letter("b", day0+5).ID}, ""},
		} {
			equal(t, fmt.Sprintf("%+v", c.f), list(c.f), c.want)
		}
		_, err := s.Notices(ctx, notice.Filter{After: "0"})
		wantErr(t, "after no letter", err, store.ErrNotFound)
		_, err = s.Notice(ctx, "0")
		wantErr(t, "no letter", err, store.ErrNotFound)
		var unsent []string
		for _, n := range got[[]notice.Notice](t)(s.Unsent(ctx, j, day0+2)) {
			unsent = append(unsent, fmt.Sprint(n.Key.Date.Day(), n.Key.Unit, n.Key.Matter))
		}
		equal(t, "unsent", unsent, []string{"14B", "14a", "14b", "15B", "15a", "15b"})
		ids := []string{"0", letter("a", day0+3).ID, letter("a", day0+4).ID, letter("b", day0+3).ID}
		equal(t, "served", got[map[string]civil.Date](t)(s.Served(ctx, ids)),
			map[string]civil.Date{ids[1]: day0 + 3, ids[3]: day0 + 3})
		today := []string{letter("a", day0).ID, letter("b", day0).ID, letter("B", day0).ID, formal.ID}
		slices.Sort(today)
		equal(t, "of the day", got[[]string](t)(s.NoticeIDs(ctx, j, day0)), today)
	})
}

func TestALetterOfATrialRunIsServedToNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		gone, trial := letter("a", day0), letter("b", day0)
		planned(t, s, seq, day0, gone, trial)
		for range 2 {
			n, ok, err := s.ClaimNotice(ctx, notice.ClaimFilter{Date: day0}, time.Minute)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			if n.ID == trial.ID {
				n.Reason = "copy permanent: 550 " + notice.TrialRun
			}
			if err := s.SettleNotice(ctx, n, notice.Deliver, nil); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "served", got[map[string]civil.Date](t)(s.Served(ctx, []string{gone.ID, trial.ID})), map[string]civil.Date{gone.ID: day0})
	})
}

func TestALetterTakenOverIsServedByTheOneThatWent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		first, second, third := letter("a", day0), letter("a", day0+1), letter("a", day0+2)
		idle := letter("b", day0)
		seq = planned(t, s, seq, day0, first, idle)
		replace := func(old, by notice.Notice) {
			t.Helper()
			r := claimed(t, s, "remind", by.Key.Date)
			r.State = "done"
			p := dayPlan(r, by)
			p.Supersede = map[string]string{old.ID: by.ID}
			if err := s.SavePlan(ctx, j, seq, p); err != nil {
				t.Fatal(err)
			}
			seq++
		}
		replace(first, second)
		replace(second, third)
		ids := []string{first.ID, second.ID, third.ID, idle.ID}
		equal(t, "served before it went", got[map[string]civil.Date](t)(s.Served(ctx, ids)), map[string]civil.Date{})
		n, ok, err := s.ClaimNotice(ctx, notice.ClaimFilter{Date: day0 + 2}, time.Minute)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		if err := s.SettleNotice(ctx, n, notice.Deliver, nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "served", got[map[string]civil.Date](t)(s.Served(ctx, ids)),
			map[string]civil.Date{first.ID: day0 + 2, second.ID: day0 + 2, third.ID: day0 + 2})
		equal(t, "of the first day", got[[]string](t)(s.NoticeIDs(ctx, j, day0)), slices.Sorted(slices.Values([]string{first.ID, idle.ID})))
		r := claimed(t, s, "again", day0)
		r.State = "done"
		p := dayPlan(r)
		p.Supersede = map[string]string{idle.ID: idle.ID}
		if err := s.SavePlan(ctx, j, seq, p); err == nil {
			t.Error("a letter was taken over by itself")
		}
		order := slices.SortedFunc(slices.Values(got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{}))),
			func(a, b notice.Notice) int { return cmp.Compare(a.Key.Date, b.Key.Date) })
		if len(order) != 4 {
			t.Errorf("%d letters", len(order))
		}
	})
}

func TestWeeklyTasksComeInAllVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		standing := task.Task{TaskID: taskID("1"), On: day0}
		standing.Reading.Standing = true
		ended := task.Task{TaskID: taskID("1"), On: day0 + 1}
		seq := must(t, s, begin(t, s), task.Batch{Tasks: []task.Task{standing, {TaskID: taskID("2"), On: day0}}})
		must(t, s, seq, task.Batch{Tasks: []task.Task{ended}})
		standing.Seq, ended.Seq = 2, 4
		equal(t, "weekly", got[[]task.Task](t)(s.WeeklyTasks(t.Context(), j)), []task.Task{standing, ended})
	})
}
