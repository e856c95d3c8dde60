package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/store"
	"duban/store/storetest"
)

func TestASlotGoesToOneWorker(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for round := range 5 {
			slot := run.Slot{Job: "remind", Jurisdiction: j, Date: day0 + civil.Date(round)}
			if round%2 == 1 { // a lease that has passed is fought over as a new slot is
				if _, ok, err := s.ClaimSlot(t.Context(), slot, "gone", 0, false); !ok || err != nil {
					t.Fatal(ok, err)
				}
			}
			var wg sync.WaitGroup
			wins := make(chan run.Run, 8)
			for i := range 8 {
				wg.Go(func() {
					r, ok, err := s.ClaimSlot(t.Context(), slot, fmt.Sprint("worker ", i), time.Minute, false)
					if err != nil {
						t.Error(err)
					}
					if ok {
						wins <- r
					} else if r.State != run.Running || r.Token != "" {
						t.Errorf("a loser was told %+v", r)
					}
				})
			}
			wg.Wait()
			if len(wins) != 1 {
				t.Fatalf("round %d: %d workers won", round, len(wins))
			}
			r := <-wins
			r.State = run.Done
			if err := s.FinishSlot(t.Context(), r); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTheLifeOfASlot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		slot := run.Slot{Job: "open", Jurisdiction: j, Date: day0}
		claim := func(what string, lease time.Duration, again, want bool) run.Run {
			t.Helper()
			r, ok, err := s.ClaimSlot(ctx, slot, what, lease, again)
			if err != nil || ok != want {
				t.Fatalf("%s: claimed %v, want %v; %v", what, ok, want, err)
			}
			return r
		}
		first := claim("first", 0, false, true)
		if first.State != run.Running || first.By != "first" || first.Token == "" || first.Started.IsZero() || !first.Lease.Equal(first.Started) {
			t.Errorf("claimed %+v", first)
		}
		second := claim("after the lease", time.Minute, false, true)
		claim("while it runs", time.Minute, false, false)
		claim("again while it runs", time.Minute, true, false)
		first.State = run.Done
		wantErr(t, "the first worker comes back", s.FinishSlot(ctx, first), store.ErrLost)
		if err := s.FinishSlot(ctx, second); err == nil {
			t.Error("a run finished running")
		}
		second.State, second.Reason = run.Failed, "no calendar: 年份未公布"
		if err := s.FinishSlot(ctx, second); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "finish it twice", s.FinishSlot(ctx, second), store.ErrLost)
		equal(t, "last settled", got[civil.Date](t)(s.LastSettled(ctx, "open", j)), civil.Date(0))
		third := claim("after the failure", time.Minute, false, true)
		if third.Reason != "" || !third.Finished.IsZero() {
			t.Errorf("a new run keeps the old one's end: %+v", third)
		}
		third.State, third.Finished, third.Counts = run.Done, instant, run.Counts{Opened: 7, Seq: 12}
		if err := s.FinishSlot(ctx, third); err != nil {
			t.Fatal(err)
		}
		done := claim("once it is done", time.Minute, false, false)
		if done.State != run.Done || done.Counts.Opened != 7 || done.By != "after the failure" || done.Reason != "" ||
			!done.Finished.Equal(instant.Truncate(time.Millisecond)) {
			t.Errorf("done: %+v", done)
		}
		last := claim("again", time.Minute, true, true)
		if last.Counts != (run.Counts{Seq: 12}) { // the seq of the day's first planning stays
			t.Errorf("a new run keeps the old one's counts, or loses its seq: %+v", last)
		}
	})
}

func TestSkipLeavesTheLedgerAsItIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		skip := run.Run{Slot: run.Slot{Job: "remind", Jurisdiction: j, Date: day0}, Reason: "covered by 2024-09-18", By: "scheduler"}
		for range 2 {
			if err := s.Skip(ctx, skip); err != nil {
				t.Fatal(err)
			}
		}
		running := claimed(t, s, "remind", day0+1)
		skip.Date = day0 + 1
		if err := s.Skip(ctx, skip); err != nil {
			t.Fatal(err)
		}
		whole := skip
		whole.Jurisdiction = "" // a job of the whole installation
		if err := s.Skip(ctx, whole); err != nil {
			t.Fatal(err)
		}
		ledger := got[[]run.Run](t)(s.Runs(ctx, run.Filter{Jurisdiction: j}))
		if len(ledger) != 2 || ledger[0].State != run.Running || ledger[1].State != run.Skipped || ledger[1].Reason != skip.Reason ||
			ledger[1].Started.IsZero() || ledger[1].Finished.IsZero() || ledger[0].Token != "" {
			t.Errorf("the ledger: %+v", ledger)
		}
		equal(t, "last settled", got[civil.Date](t)(s.LastSettled(ctx, "remind", j)), day0)
		running.State = run.Done
		if err := s.FinishSlot(ctx, running); err != nil {
			t.Fatal(err)
		}
		equal(t, "last settled, then", got[civil.Date](t)(s.LastSettled(ctx, "remind", j)), day0+1)
		equal(t, "last settled elsewhere", got[civil.Date](t)(s.LastSettled(ctx, "remind", "gangcheng")), civil.Date(0))
		bad := skip
		bad.Date = 0
		if err := s.Skip(ctx, bad); err == nil {
			t.Error("a slot without a date was skipped")
		}
	})
}

func TestRunsComeNewestFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for d := range civil.Date(4) {
			claimed(t, s, "open", day0+d)
			claimed(t, s, "remind", day0+d)
		}
		for _, c := range []struct {
			f    run.Filter
			want string
		}{
			{run.Filter{}, "17 17 16 16 15 15 14 14 "},
			{run.Filter{Limit: 3}, "17 17 16 "},
			{run.Filter{Job: "open", From: day0 + 1, To: day0 + 2}, "16 15 "},
			{run.Filter{Job: "open", To: day0}, "14 "},
			{run.Filter{Jurisdiction: "gangcheng"}, ""},
		} {
			days := ""
			for _, r := range got[[]run.Run](t)(s.Runs(t.Context(), c.f)) {
				days += fmt.Sprint(r.Date.Day(), " ")
			}
			equal(t, fmt.Sprintf("%+v", c.f), days, c.want)
		}
	})
}
