package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// farDay lies behind every instant of a test's own runs.
var farDay = civil.Of(2199, time.January, 1)

func TestOldRunsAreRemoved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		begin(t, s)
		const many = 230 // more than one transaction takes
		settle := func(job string, d civil.Date, state run.State) {
			t.Helper()
			r := claimed(t, s, job, d)
			if r.State = state; state == run.Running {
				return
			}
			if err := s.FinishSlot(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		for i := range civil.Date(many) {
			if err := s.SkipAll(ctx, []run.Run{{Slot: run.Slot{Job: "open", Jurisdiction: j, Date: day0 + i}, Reason: "covered", Started: instant, Finished: instant}}); err != nil {
				t.Fatal(err)
			}
		}
		settle("remind", day0, run.Done)
		settle("remind", day0+1, run.Done)
		settle("remind", day0+2, run.Skipped)
		settle("remind", day0+3, run.Failed)
		settle("remind", day0+4, run.Running)
		settle("escalate", day0+9, run.Done)
		settle("personnel", day0, run.Done)
		settle("personnel", day0+1, run.Failed)
		settle("personnel", day0+2, run.Done)
		settle("personnel", day0+3, run.Done)
		holes := len(got[[]run.Run](t)(s.OpenSlots(ctx, "personnel", j, day0+4)))
		for what, before := range map[string]civil.Date{"none": 0, "of lately": day0 + 5} { // they were made up today
			for _, look := range []bool{true, false} {
				if n := got[int](t)(s.PruneRuns(ctx, j, before, look)); n > 5 || before == 0 && n > 0 {
					t.Errorf("%s: %d", what, n)
				}
			}
		}
		look := got[int](t)(s.PruneRuns(ctx, j, farDay, true))
		sum := 0
		for n := -1; n != 0; sum += n {
			n = got[int](t)(s.PruneRuns(ctx, j, farDay, false))
		}
		if sum != look || sum < many-10 {
			t.Errorf("removed %d, and a look said %d", sum, look)
		}
		var left []string
		for _, r := range got[[]run.Run](t)(s.Runs(ctx, run.Filter{Jurisdiction: j})) {
			left = append(left, fmt.Sprint(r.Job, int(r.Date-day0), r.State))
		}
		equal(t, "left", strings.Join(left, " "), fmt.Sprintf("open%dskipped escalate9done remind4running personnel3done remind3failed personnel2done remind2skipped personnel1failed remind1done", many-1))
		equal(t, "what is not settled", len(got[[]run.Run](t)(s.OpenSlots(ctx, "personnel", j, day0+4))), holes)
		equal(t, "the last settled", got[civil.Date](t)(s.LastSettled(ctx, "open", j)), day0+many-1)
	})
}

func TestOldLettersLoseWhatNothingNeeds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		open, final := obligation(refOf("1", "a", "m1")), obligation(refOf("1", "b", "m1"))
		b := task.Batch{Obligations: []task.Obligation{open, final}, Events: []task.Event{opened(open.Ref), opened(final.Ref)}, Caches: []task.Cache{
			{Ref: open.Ref.String(), State: task.Waiting, NextLook: day0}, {Ref: final.Ref.String(), State: task.Finished, ClosedFrom: day0, FinalFrom: day0 + 3},
		}}
		seq := must(t, s, begin(t, s), b)
		needed, rests, plain, waits, first := letter("a", day0), letter("b", day0), letter("c", day0), letter("w", day0), letter("s", day0-1)
		taker := letter("s", day0)
		seq = planned(t, s, seq, day0-1, first)
		step := func(ref task.Ref, n notice.Notice) task.FiredStep {
			return task.FiredStep{Obligation: ref.String(), Arm: 0, Step: "T+2 " + n.Key.Unit, Role: "liaison", On: day0, Notice: n.ID}
		}
		save(t, s, seq, day0, run.DayPlan{Notices: []notice.Notice{needed, rests, plain, waits, taker}, Supersede: map[string]string{first.ID: taker.ID},
			Steps: []task.FiredStep{step(open.Ref, needed), step(final.Ref, rests), step(open.Ref, first)}})
		for _, n := range got[[]notice.Notice](t)(s.ClaimNotices(ctx, notice.ClaimFilter{}, 99, time.Minute, time.Hour)) {
			refused := accepted(n, 0).Receipt
			refused.Outcome, refused.Code = notice.OutcomeTemporary, 450
			cause := notice.Deliver
			if n.ID == waits.ID {
				cause = notice.Defer
			}
			commit(t, s, nil, settled(n, by(cause), refused, accepted(n, 1).Receipt, accepted(n, 0).Receipt))
		}
		need := got[store.Needed](t)(s.Needed(ctx, j, day0+4))
		for n, want := range map[string]bool{needed.ID: true, first.ID: true, taker.ID: true, rests.ID: false, plain.ID: false} {
			if need.Letter(n) != want {
				t.Errorf("needed %v: %v", need.Letter(n), letterOf(t, s, n).Key)
			}
		}
		prune := func(attempts, facts civil.Date, look bool) store.Pruned {
			t.Helper()
			p, next, err := s.PruneLetters(ctx, j, need, store.Retention{On: farDay, Attempts: attempts, Facts: facts}, store.LetterCursor{}, look)
			if err != nil || next != (store.LetterCursor{}) {
				t.Fatal(next, err)
			}
			return p
		}
		equal(t, "nothing is old", prune(day0, day0-1, false), store.Pruned{})
		equal(t, "nothing is configured", prune(0, 0, false), store.Pruned{})
		served := got[map[string]civil.Date](t)(s.Served(ctx, []string{needed.ID, rests.ID, plain.ID, first.ID}))
		want := store.Pruned{Attempts: 2 + 3} // of rests the reader's acceptance stays
		for _, look := range []bool{true, true, false} {
			equal(t, "attempts", prune(day0+1, 0, look), want)
		}
		equal(t, "a second time", prune(day0+1, 0, false), store.Pruned{})
		equal(t, "facts", prune(day0+1, day0+1, true), store.Pruned{Facts: 2})
		equal(t, "facts", prune(0, day0+1, false), store.Pruned{Facts: 2})
		for _, look := range []bool{true, false} {
			equal(t, "facts a second time", prune(0, day0+1, look), store.Pruned{})
		}
		for n, want := range map[string]bool{needed.ID: false, taker.ID: false, waits.ID: false, rests.ID: true, plain.ID: true} {
			l := letterOf(t, s, n)
			if l.Gone() != want || want != (l.Facts.Removed == farDay) {
				t.Errorf("%v: gone %v, removed on %s", l.Key, l.Gone(), l.Facts.Removed)
			}
		}
		for n, attempts := range map[string]int{needed.ID: 3, taker.ID: 3, waits.ID: 3, rests.ID: 1, plain.ID: 0} {
			equal(t, letterOf(t, s, n).Key.Unit, len(got[[]notice.Receipt](t)(s.Attempts(ctx, n))), attempts)
		}
		if is := letterOf(t, s, rests.ID); is.State != notice.Sent || len(is.Facts.Recipients) != 0 || !is.Receipts[0].At.Equal(instant.Truncate(time.Millisecond)) {
			t.Errorf("%+v", is)
		}
		equal(t, "served as before", got[map[string]civil.Date](t)(s.Served(ctx, []string{needed.ID, rests.ID, plain.ID, first.ID})), served)
		// Entered meanwhile: it has to be asked again what is needed.
		planned(t, s, got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)).Seq, day0+2)
		_, _, err := s.PruneLetters(ctx, j, need, store.Retention{On: farDay, Attempts: day0 + 1}, store.LetterCursor{}, false)
		wantErr(t, "at an older seq", err, store.ErrMoved)
	})
}

func TestManyLettersAreGoneThroughInPieces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		const many = 450
		for d := range civil.Date(3) {
			var all []notice.Notice
			for i := range many / 3 {
				n := letter(fmt.Sprint("u", i), day0+d)
				n.State = notice.Cancelled
				all = append(all, n)
			}
			seq = planned(t, s, seq, day0+d, all...)
		}
		need := got[store.Needed](t)(s.Needed(ctx, j, day0))
		sum, pieces := 0, 0
		for cursor := (store.LetterCursor{}); pieces == 0 || cursor != (store.LetterCursor{}); pieces++ {
			p, next, err := s.PruneLetters(ctx, j, need, store.Retention{On: farDay, Facts: day0 + 9}, cursor, false)
			if err != nil {
				t.Fatal(err)
			}
			sum, cursor = sum+p.Facts, next
		}
		if sum != many || pieces != 3 {
			t.Errorf("%d in %d pieces", sum, pieces)
		}
	})
}

func TestOldBackfillsAreRemoved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		old, underWay := backfill(strings.Repeat("a", 32), instant), backfill(strings.Repeat("b", 32), instant)
		old.Finished = instant
		for _, b := range []run.Backfill{old, underWay} {
			if err := s.SaveBackfill(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		for _, look := range []bool{true, false} {
			equal(t, "of before", got[int](t)(s.PruneBackfills(ctx, civil.In(instant, time.UTC)-1, look)), 0)
			equal(t, "removed", got[int](t)(s.PruneBackfills(ctx, farDay, look)), 1)
		}
		if left := got[[]run.Backfill](t)(s.Backfills(ctx, 0)); len(left) != 1 || left[0].Hash != underWay.Hash {
			t.Errorf("left %+v", left)
		}
	})
}
