package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/store"
	"duban/store/storetest"
)

// skips are slots of remind to be skipped on the days.
func skips(reason string, days ...civil.Date) []run.Run {
	var out []run.Run
	for _, d := range days {
		out = append(out, run.Run{Slot: run.Slot{Job: "remind", Jurisdiction: j, Date: d}, State: run.Skipped, Reason: reason, By: "scheduler"})
	}
	return out
}

// ledgerOf lists a job's slots, oldest first: "14 done" and, of a skipped one, why.
func ledgerOf(t *testing.T, s *store.Store, job string) string {
	t.Helper()
	var lines []string
	for _, r := range got[[]run.Run](t)(s.Runs(t.Context(), run.Filter{Job: job, Jurisdiction: j})) {
		line := fmt.Sprint(r.Date.Day(), " ", r.State)
		if r.State == run.Skipped {
			line += ": " + r.Reason
		}
		lines = append(lines, line)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "; ")
}

func TestSkipAllTakesWhatNobodyHas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		due := instant.Truncate(time.Millisecond)
		planned := run.Run{Slot: run.Slot{Job: "remind", Jurisdiction: j, Date: day0}, State: run.Planned, Due: due, By: "scheduler"}
		if err := s.PlanSlots(ctx, []run.Run{planned}); err != nil {
			t.Fatal(err)
		}
		done := claimed(t, s, "remind", day0+1)
		done.State = run.Done
		failed := claimed(t, s, "remind", day0+2)
		failed.State, failed.Reason = run.Failed, "panic: disk full\ngoroutine 1"
		for _, r := range []run.Run{done, failed} {
			if err := s.FinishSlot(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		claimed(t, s, "remind", day0+3)
		lost, ok, err := s.ClaimSlot(ctx, run.Slot{Job: "remind", Jurisdiction: j, Date: day0 + 4}, "李敏", 0, false)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		all := skips("covered by 2024-09-20", day0+5, day0+4, day0+3, day0+2, day0+1, day0, day0+5)
		for _, want := range []int{4, 0} { // the second time there is nothing left to skip
			if n := len(got[[]run.Run](t)(s.SkipSlots(ctx, all))); n != want {
				t.Errorf("it says that it skipped %d slots, want %d", n, want)
			}
		}
		want := "14 skipped: covered by 2024-09-20; 15 done; 16 skipped: covered by 2024-09-20; it had failed: panic: disk full; 17 running; 18 skipped: covered by 2024-09-20; " +
			"李敏 had begun it at " + lost.Started.UTC().Format(time.RFC3339) + " and did not finish; 19 skipped: covered by 2024-09-20"
		equal(t, "the ledger", ledgerOf(t, s, "remind"), want)
		lost.State = run.Done
		wantErr(t, "the worker that was given up comes back", s.FinishSlot(ctx, lost), store.ErrLost)
		for _, r := range runsOn(t, s, day0) {
			if !r.Due.Equal(due) || r.Started.IsZero() || r.Finished.IsZero() || r.By != "scheduler" {
				t.Errorf("a planned slot that was skipped: %+v", r)
			}
		}
		if err := s.SkipAll(ctx, skips("no day", 0)); err == nil {
			t.Error("a slot without a date was skipped")
		}
		if err := s.SkipAll(ctx, nil); err != nil {
			t.Error(err)
		}
	})
}

func runsOn(t *testing.T, s *store.Store, d civil.Date) []run.Run {
	t.Helper()
	return got[[]run.Run](t)(s.Runs(t.Context(), run.Filter{Jurisdiction: j, From: d, To: d}))
}

// TestFiveHundredDaysAreSkippedAtOnce, by several workers, while others claim some of them.
func TestFiveHundredDaysAreSkippedAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var days []civil.Date
		for d := range civil.Date(500) {
			days = append(days, day0+d)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := s.SkipAll(ctx, skips("covered by a later day", days...)); err != nil {
					t.Error(err)
				}
			})
		}
		taken := make(chan run.Run, 20)
		for i := range civil.Date(20) {
			wg.Go(func() {
				r, ok, err := s.ClaimSlot(ctx, run.Slot{Job: "remind", Jurisdiction: j, Date: day0 + 25*i}, "李敏", time.Minute, false)
				if err != nil {
					t.Error(err)
				}
				if ok {
					taken <- r
				}
			})
		}
		wg.Wait()
		close(taken)
		for r := range taken {
			r.State = run.Done
			if err := s.FinishSlot(ctx, r); err != nil {
				t.Errorf("a slot that a person had claimed was skipped under them: %v", err)
			}
		}
		runs := got[[]run.Run](t)(s.Runs(ctx, run.Filter{Job: "remind"}))
		if len(runs) != 500 || slices.ContainsFunc(runs, func(r run.Run) bool { return !r.Settled() }) {
			t.Errorf("%d slots, or some are not settled", len(runs))
		}
	})
}

func TestASlotIsReopenedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		slot := run.Slot{Job: "remind", Jurisdiction: j, Date: day0}
		missed := skips("missed: it was late", day0)
		missed[0].Due = instant.Truncate(time.Millisecond)
		if err := s.SkipAll(ctx, missed); err != nil {
			t.Fatal(err)
		}
		if err := s.Reopen(ctx, slot, "another reason"); err != nil {
			t.Fatal(err)
		}
		equal(t, "reopened for another reason", ledgerOf(t, s, "remind"), "14 skipped: missed: it was late")
		var wg sync.WaitGroup
		wins := make(chan run.Run, 6)
		for i := range 6 {
			wg.Go(func() {
				if err := s.Reopen(ctx, slot, "missed: it was late"); err != nil {
					t.Error(err)
				}
				r, ok, err := s.ClaimSlot(ctx, slot, fmt.Sprint("person ", i), time.Minute, false)
				if err != nil {
					t.Error(err)
				}
				if ok {
					wins <- r
				}
			})
		}
		wg.Wait()
		if len(wins) != 1 {
			t.Fatalf("%d people took the slot", len(wins))
		}
		won := <-wins
		if !won.Due.Equal(missed[0].Due) {
			t.Errorf("it forgot when it was due: %+v", won)
		}
		won.State = run.Done
		if err := s.FinishSlot(ctx, won); err != nil {
			t.Fatal(err)
		}
		if err := s.Reopen(ctx, slot, "missed: it was late"); err != nil {
			t.Fatal(err)
		}
		equal(t, "reopened after it was done", ledgerOf(t, s, "remind"), "14 done")
	})
}

func TestOpenSlots(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		open := func(before civil.Date) string {
			words := ""
			for _, r := range got[[]run.Run](t)(s.OpenSlots(ctx, "remind", j, before)) {
				if r.Job != "remind" || r.Jurisdiction != j {
					t.Errorf("%+v", r)
				}
				words += fmt.Sprint(r.Date.Day(), r.State, " ")
			}
			return words
		}
		equal(t, "of an empty ledger", open(day0+5), "")
		if err := s.PlanSlots(ctx, []run.Run{{Slot: run.Slot{Job: "remind", Jurisdiction: j, Date: day0}, Due: instant}}); err != nil {
			t.Fatal(err)
		}
		equal(t, "with a first slot", open(day0+2), "14planned 15 ")
		equal(t, "before it", open(day0), "")
		if err := s.SkipAll(ctx, skips("covered", day0+1, day0+5)); err != nil {
			t.Fatal(err)
		}
		claimed(t, s, "remind", day0+3)
		claimed(t, s, "open", day0+2)
		equal(t, "with holes", open(day0+8), "14planned 16 17running 18 20 21 ")
		equal(t, "up to a day", open(day0+4), "14planned 16 17running ")
	})
}
