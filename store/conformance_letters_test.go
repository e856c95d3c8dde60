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

// claimOne claims the next letter under the filter; none: the bool says so.
func claimOne(t *testing.T, s *store.Store, f notice.ClaimFilter, lease time.Duration) (notice.Notice, bool) {
	t.Helper()
	batch := got[[]notice.Notice](t)(s.ClaimNotices(t.Context(), f, 1, lease, time.Hour))
	if len(batch) == 0 {
		return notice.Notice{}, false
	}
	return batch[0], true
}

// take claims the next letter.
func take(t *testing.T, s *store.Store, lease time.Duration) notice.Notice {
	t.Helper()
	n, ok := claimOne(t, s, notice.ClaimFilter{}, lease)
	if !ok {
		t.Fatal("there is no letter to claim")
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
					batch, err := s.ClaimNotices(t.Context(), notice.ClaimFilter{}, 1, time.Minute, time.Hour)
					if err != nil {
						t.Error(err)
					}
					if len(batch) != 1 {
						return
					}
					mu.Lock()
					taken[batch[0].ID]++
					tokens[batch[0].Token] = true
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
		if n, _, err := s.SendingLeases(t.Context(), notice.ClaimFilter{Jurisdiction: j}); len(tokens) != many || n != many || err != nil {
			t.Errorf("%d tokens and %d leases for %d letters, %v", len(tokens), n, many, err)
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
		if n, ok := claimOne(t, s, notice.ClaimFilter{Jurisdiction: "gangcheng"}, time.Minute); ok {
			t.Errorf("elsewhere: %v", n)
		}
		if n, ok := claimOne(t, s, notice.ClaimFilter{Jurisdiction: j, Date: day0 + 1}, time.Minute); !ok || n.ID != late.ID {
			t.Errorf("of the day: %v", n.Key)
		}
		seq = must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Paused: &task.Pause{Who: "甲", Why: "试"}}})
		if n, ok := claimOne(t, s, notice.ClaimFilter{}, time.Minute); ok {
			t.Errorf("while paused: %v", n)
		}
		must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
		first, second := take(t, s, time.Minute), take(t, s, time.Minute)
		if first.ID != due.ID || second.ID != early.ID {
			t.Errorf("claimed %v, then %v", first.Key, second.Key)
		}
		want := early
		want.State, want.Token, want.Lease, want.Deadline = notice.Sending, second.Token, second.Lease, second.Deadline
		want.Seq = second.Seq
		equal(t, "a claimed letter", second, want)
		if life := second.Lease.Sub(now); life < time.Minute || life > 2*time.Minute {
			t.Errorf("the lease runs %v", life)
		}
		if n, ok := claimOne(t, s, notice.ClaimFilter{}, time.Minute); ok {
			t.Errorf("one more: %v", n.Key)
		}
	})
}

func TestALetterIsSettledByItsClaimant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		planned(t, s, begin(t, s), day0, letter("a", day0))
		n := take(t, s, time.Minute)
		forged := n
		forged.Token = "0"
		equal(t, "marked under another token", commit(t, s, []notice.Mark{markOf(forged)}), []string{n.ID})
		equal(t, "marked without a token", commit(t, s, []notice.Mark{{ID: n.ID, Date: day0}}), []string{n.ID})
		equal(t, "no letter marked", commit(t, s, []notice.Mark{{ID: "0", Date: day0, Token: n.Token}}), []string{"0"})
		if at := got[notice.Notice](t)(s.Notice(ctx, n.ID)).DataAt; !at.IsZero() {
			t.Errorf("marked at %v", at)
		}
		var marked time.Time
		for range 2 { // one mark per recipient, the first counts
			equal(t, "lost", commit(t, s, []notice.Mark{markOf(n)}), []string(nil))
			at := got[notice.Notice](t)(s.Notice(ctx, n.ID)).DataAt
			if at.IsZero() || !marked.IsZero() && !at.Equal(marked) {
				t.Errorf("marked at %v, first at %v", at, marked)
			}
			marked = at
		}
		equal(t, "settled under another token", commit(t, s, nil, settled(forged, by(notice.Deliver))), []string{n.ID})
		if is := got[notice.Notice](t)(s.Notice(ctx, n.ID)); is.State != notice.Sending {
			t.Errorf("settled under another token: %s", is.State)
		}
		if _, err := s.Commit(ctx, nil, []notice.Settlement{settled(n, by(notice.Claim))}); err == nil {
			t.Error("settled by a claim")
		}
		reply := "452 4.2.2 邮箱已满 😀"
		to := notice.Receipt{Recipient: 0, Email: "a@example.com", Outcome: notice.OutcomeAccepted, Reply: "250 ok", SHA256: strings.Repeat("0", 64), At: instant}
		copied := notice.Receipt{Recipient: 1, Email: "d@example.com", Copy: true, Outcome: notice.OutcomeTemporary, Reply: reply, At: instant}
		end := settled(n, by(notice.Defer), copied, to)
		end.NextTry, end.Reason = got[time.Time](t)(s.Now(ctx)).Add(-time.Second), reply
		equal(t, "lost", commit(t, s, nil, end), []string(nil))
		twice := end // the same claim cannot make anything else of the letter
		twice.Causes, twice.Tries, twice.Receipts = by(notice.Deliver), 9, nil
		equal(t, "settled twice", commit(t, s, nil, twice), []string(nil))
		to.At, copied.At = instant.UTC().Truncate(time.Millisecond), instant.UTC().Truncate(time.Millisecond)
		m := take(t, s, time.Minute)
		equal(t, "receipts at the second try", m.Receipts, []notice.Receipt{to, copied})
		if m.Tries != 1 || m.Reason != reply || m.Token == n.Token || !m.DataAt.IsZero() || !m.NextTry.Equal(end.NextTry.Truncate(time.Millisecond)) {
			t.Errorf("at the second try: %+v", m)
		}
		equal(t, "the first claim settles the second", commit(t, s, nil, settled(forged, by(notice.Deliver))), []string{n.ID})
		copied.Outcome = notice.OutcomeAccepted
		equal(t, "lost", commit(t, s, nil, settled(m, by(notice.Deliver), copied)), []string(nil))
		done := got[notice.Notice](t)(s.Notice(ctx, n.ID))
		equal(t, "receipts at the end", done.Receipts, []notice.Receipt{to, copied})
		if done.State != notice.Sent || done.Tries != 2 || done.Token != "" || !done.Lease.IsZero() || !done.NextTry.IsZero() {
			t.Errorf("at the end: %+v", done)
		}
		equal(t, "attempts", len(got[[]notice.Receipt](t)(s.Attempts(ctx, n.ID))), 3)
	})
}

func TestAnExpiredClaimIsTakenBackOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		planned(t, s, begin(t, s), day0, letter("a", day0), letter("b", day0), letter("c", day0))
		expired := func() []string {
			var ids []string
			for _, n := range got[[]notice.Notice](t)(s.ExpiredNotices(ctx, notice.ClaimFilter{}, 0)) {
				ids = append(ids, n.ID)
			}
			return ids
		}
		alive := take(t, s, time.Hour)
		wantErr(t, "expire a live claim", s.TakeBack(ctx, alive, "", "", notice.Expire), store.ErrLost)
		if ids := expired(); ids != nil {
			t.Errorf("expired at once: %v", ids)
		}
		equal(t, "lost", commit(t, s, []notice.Mark{markOf(alive)}), []string(nil))
		if err := store.Exec(ctx, s, "UPDATE notices SET lease = '2024-01-01 00:00:00.000' WHERE id = ?", alive.ID); err != nil {
			t.Fatal(err)
		}
		dead := take(t, s, 0)
		want := []string{alive.ID, dead.ID}
		slices.Sort(want)
		equal(t, "expired", expired(), want)
		equal(t, "marked after the lease", commit(t, s, []notice.Mark{markOf(dead)}), []string{dead.ID})
		wantErr(t, "expire what may have arrived", s.TakeBack(ctx, alive, "", "", notice.Expire), store.ErrLost)
		if err := s.TakeBack(ctx, alive, "may have arrived", "", notice.Vanish); err != nil {
			t.Error(err)
		}
		if err := s.TakeBack(ctx, dead, "worker gone", "", notice.Expire); err != nil {
			t.Error(err)
		}
		wantErr(t, "expire it twice", s.TakeBack(ctx, dead, "", "", notice.Expire), store.ErrLost)
		equal(t, "the dead worker settles", commit(t, s, nil, settled(dead, by(notice.Deliver))), []string{dead.ID})
		if n := got[notice.Notice](t)(s.Notice(ctx, dead.ID)); n.State != notice.Retry || n.Reason != "worker gone" || n.Token != "" {
			t.Errorf("taken back: %+v", n)
		}
		if n := got[notice.Notice](t)(s.Notice(ctx, alive.ID)); n.State != notice.Unknown {
			t.Errorf("vanished: %+v", n)
		}
		// A worker that was merely slow still settles what nobody acted on.
		slow := take(t, s, 0)
		equal(t, "a slow worker", commit(t, s, nil, settled(slow, by(notice.Deliver))), []string(nil))
	})
}

func TestALetterIsMovedFromTheStateItWasReadIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		n := letter("a", day0)
		planned(t, s, begin(t, s), day0, n)
		move := func(from notice.State, cause notice.Cause) error {
			return s.Move(ctx, n.ID, from, "因"+string(cause), "李四", cause)
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
		wantErr(t, "no letter", s.Move(ctx, "0", notice.Held, "", "", notice.Release), store.ErrNotFound)
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
				n.State, n.Receipts = state, []notice.Receipt{refused(0, "a@example.com", notice.OutcomeTemporary, 450, "later")}
				all = append(all, n)
			}
		}
		formal := letter("a", day0)
		formal.Key.Matter = "督〔2024〕1号"
		formal.ID, formal.Receipts = formal.Key.ID(), []notice.Receipt{refused(0, "a@example.com", notice.OutcomeTemporary, 450, "later")}
		planned(t, s, begin(t, s), day0, append(all, formal)...)
		list := func(f notice.Filter) string {
			out := ""
			all := got[[]notice.Notice](t)(s.Notices(ctx, f))
			f.Bare = true
			for i, n := range got[[]notice.Notice](t)(s.Notices(ctx, f)) {
				whole := all[i]
				if len(whole.Facts.Recipients) == 0 || len(whole.Receipts) == 0 {
					t.Errorf("%+v comes without facts or receipts", whole)
				}
				whole.Facts, whole.Receipts = notice.Facts{}, nil
				equal(t, "bare", n, whole)
			}
			for _, n := range all {
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
		for _, n := range got[[]notice.Notice](t)(s.Unsent(ctx, j, "", day0+2)) {
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
			end := settled(take(t, s, time.Minute), by(notice.Deliver))
			if end.ID == trial.ID {
				end.Reason = "copy permanent: 550 " + notice.TrialRun
			}
			equal(t, "lost", commit(t, s, nil, end), []string(nil))
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
		n, ok := claimOne(t, s, notice.ClaimFilter{Date: day0 + 2}, time.Minute)
		if !ok {
			t.Fatal("there is no letter to claim")
		}
		equal(t, "lost", commit(t, s, nil, settled(n, by(notice.Deliver))), []string(nil))
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

func TestALetterThatLeavesLaterIsServedOnThatDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		send := func(d civil.Date, want int) {
			t.Helper()
			for range want {
				n, ok := claimOne(t, s, notice.ClaimFilter{Date: d}, time.Minute)
				if !ok {
					t.Fatalf("no letter of %s to send", d)
				}
				equal(t, "lost", commit(t, s, nil, settled(n, by(notice.Deliver))), []string(nil))
			}
		}
		own, waits, told, other := letter("a", day0), letter("b", day0+1), letter("c", day0+1), letter("d", day0+2)
		seq = planned(t, s, seq, day0, own)
		send(day0, 1)
		seq = planned(t, s, seq, day0+1, waits, told)
		planned(t, s, seq, day0+2, other)
		for _, d := range []civil.Date{day0 + 2, day0 + 5} { // what did not leave on the first of them leaves on the second
			if err := s.LeaveOn(ctx, j, d); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.ServedOn(ctx, told.ID, day0+9); err != nil {
			t.Fatal(err)
		}
		ids := []string{own.ID, waits.ID, told.ID, other.ID}
		equal(t, "served by then", got[map[string]civil.Date](t)(s.Served(ctx, ids)), map[string]civil.Date{own.ID: day0})
		send(day0+1, 2)
		send(day0+2, 1)
		equal(t, "served", got[map[string]civil.Date](t)(s.Served(ctx, ids)),
			map[string]civil.Date{own.ID: day0, waits.ID: day0 + 5, told.ID: day0 + 9, other.ID: day0 + 5})
	})
}

// A reader who has the letter was told on its day, however long a copy of it is put off.
func TestAReaderWhoHasTheLetterWasToldOnItsDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		read, copied := letter("a", day0), letter("b", day0)
		planned(t, s, begin(t, s), day0, read, copied)
		var claimed []notice.Notice
		for range 2 {
			n, ok := claimOne(t, s, notice.ClaimFilter{Date: day0}, time.Minute)
			if !ok {
				t.Fatal("nothing to send")
			}
			claimed = append(claimed, n)
		}
		for _, n := range claimed {
			own, other := notice.OutcomeAccepted, notice.OutcomeTemporary
			if n.ID == copied.ID {
				own, other = other, own
			}
			equal(t, "lost", commit(t, s, nil, settled(n, by(notice.Defer),
				notice.Receipt{Email: "a@x.example", Outcome: own, At: instant},
				notice.Receipt{Recipient: 1, Email: "b@x.example", Copy: true, Outcome: other, At: instant})), []string(nil))
		}
		if err := s.LeaveOn(ctx, j, day0+3); err != nil {
			t.Fatal(err)
		}
		equal(t, "served", got[map[string]civil.Date](t)(s.Served(ctx, []string{read.ID, copied.ID})), map[string]civil.Date{read.ID: day0})
		n, ok := claimOne(t, s, notice.ClaimFilter{Date: day0}, time.Minute)
		for ok {
			equal(t, "lost", commit(t, s, nil, settled(n, by(notice.Deliver), notice.Receipt{Email: "a@x.example", Outcome: notice.OutcomeAccepted, At: instant})), []string(nil))
			n, ok = claimOne(t, s, notice.ClaimFilter{Date: day0}, time.Minute)
		}
		equal(t, "served at last", got[map[string]civil.Date](t)(s.Served(ctx, []string{read.ID, copied.ID})),
			map[string]civil.Date{read.ID: day0, copied.ID: day0 + 3})
	})
}
