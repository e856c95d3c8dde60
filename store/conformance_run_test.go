package store_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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
			if err := s.SkipAll(ctx, []run.Run{skip}); err != nil {
				t.Fatal(err)
			}
		}
		running := claimed(t, s, "remind", day0+1)
		skip.Date = day0 + 1
		if err := s.SkipAll(ctx, []run.Run{skip}); err != nil {
			t.Fatal(err)
		}
		whole := skip
		whole.Jurisdiction = "" // a job of the whole installation
		if err := s.SkipAll(ctx, []run.Run{whole}); err != nil {
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
		if err := s.SkipAll(ctx, []run.Run{bad}); err == nil {
			t.Error("a slot without a date was skipped")
		}
	})
}

func TestASlotIsPlannedAndThenClaimedOrSkipped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		due := instant.UTC().Truncate(time.Millisecond)
		plan := func(job string, d civil.Date, at time.Time) run.Run {
			return run.Run{Slot: run.Slot{Job: job, Jurisdiction: j, Date: d}, State: run.Done, By: "scheduler", Due: at, Token: "none"}
		}
		settled := run.Run{Slot: run.Slot{Job: "open", Jurisdiction: j, Date: day0 - 1}, Reason: "covered", By: "甲"}
		if err := s.SkipAll(ctx, []run.Run{settled}); err != nil {
			t.Fatal(err)
		}
		running := claimed(t, s, "open", day0)
		whole := plan("open", day0, due)
		whole.Jurisdiction = "" // a job of the whole installation
		slots := []run.Run{
			plan("remind", day0+1, due), plan("remind", day0, due.Add(time.Hour)), plan("open", day0-1, due), plan("open", day0, due), whole,
			plan("remind", day0+1, due),
		}
		for range 2 {
			if err := s.PlanSlots(ctx, slots); err != nil {
				t.Fatal(err)
			}
			for i := range slots { // what is planned already is not put off
				slots[i].Due, slots[i].By = due.Add(9*time.Hour), "乙"
			}
		}
		show := func() (out []string) {
			for _, r := range got[[]run.Run](t)(s.Runs(ctx, run.Filter{})) {
				at := "-"
				if !r.Due.IsZero() {
					at = r.Due.Sub(due).String()
				}
				out = append(out, fmt.Sprint(r.Job, " ", r.Jurisdiction, " ", r.Date.Day(), " ", r.State, " ", at, " ", !r.Started.IsZero(), " ", r.By, r.Token))
			}
			slices.Sort(out)
			return out
		}
		equal(t, "planned", show(), []string{
			"open  14 planned 0s false scheduler", "open laoshan 13 skipped - true 甲", "open laoshan 14 running - true test",
			"remind laoshan 14 planned 1h0m0s false scheduler", "remind laoshan 15 planned 0s false scheduler",
		})
		equal(t, "last settled", got[civil.Date](t)(s.LastSettled(ctx, "remind", j)), civil.Date(0))
		equal(t, "last start", got[time.Time](t)(s.LastStarted(ctx)), running.Started)

		first := claimed(t, s, "remind", day0)
		equal(t, "due", first.Due, due.Add(time.Hour))
		if _, ok, err := s.ClaimSlot(ctx, first.Slot, "another", time.Minute, true); ok || err != nil {
			t.Errorf("claimed twice: %v, %v", ok, err)
		}
		if err := s.FinishSlot(ctx, run.Run{Slot: first.Slot, State: run.Planned, Token: first.Token}); err == nil {
			t.Error("a run ended planned")
		}
		first.State = run.Failed
		if err := s.FinishSlot(ctx, first); err != nil {
			t.Fatal(err)
		}
		again := claimed(t, s, "remind", day0)
		equal(t, "due after a failure", again.Due, first.Due)
		again.State = run.Done
		if err := s.FinishSlot(ctx, again); err != nil {
			t.Fatal(err)
		}
		skip := run.Run{Slot: run.Slot{Job: "remind", Jurisdiction: j, Date: day0 + 1}, Reason: "too late", By: "worker"}
		for range 2 {
			if err := s.SkipAll(ctx, []run.Run{skip}); err != nil {
				t.Fatal(err)
			}
			skip.Reason = "twice"
		}
		late := got[[]run.Run](t)(s.Runs(ctx, run.Filter{Job: "remind", From: day0 + 1}))[0]
		if late.State != run.Skipped || late.Reason != "too late" || late.By != "worker" || !late.Due.Equal(due) || late.Started.IsZero() || late.Finished.IsZero() {
			t.Errorf("skipped: %+v", late)
		}
		equal(t, "last settled, then", got[civil.Date](t)(s.LastSettled(ctx, "remind", j)), day0+1)
		if err := s.PlanSlots(ctx, slots); err != nil {
			t.Fatal(err)
		}
		equal(t, "at the end", show(), []string{
			"open  14 planned 0s false scheduler", "open laoshan 13 skipped - true 甲", "open laoshan 14 running - true test",
			"remind laoshan 14 done 1h0m0s true test", "remind laoshan 15 skipped 0s true worker",
		})
	})
}

func TestSlotsThatAreNoneAreNotPlanned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		good := run.Run{Slot: run.Slot{Job: "open", Jurisdiction: j, Date: day0}, Due: instant}
		for what, spoil := range map[string]func(*run.Run){
			"no date":           func(r *run.Run) { r.Date = 0 },
			"no job":            func(r *run.Run) { r.Job = "" },
			"no time":           func(r *run.Run) { r.Due = time.Time{} },
			"no one's district": func(r *run.Run) { r.Jurisdiction = "a/b" },
		} {
			bad := good
			spoil(&bad)
			if err := s.PlanSlots(t.Context(), []run.Run{good, bad}); err == nil {
				t.Errorf("%s: planned", what)
			}
		}
		if err := s.PlanSlots(t.Context(), nil); err != nil {
			t.Error(err)
		}
		equal(t, "planned", got[[]run.Run](t)(s.Runs(t.Context(), run.Filter{})), []run.Run(nil))
	})
}

func TestAPlannedSlotGoesToOneOfMany(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for round := range 5 {
			slot := run.Slot{Job: "remind", Jurisdiction: j, Date: day0 + civil.Date(round)}
			var wg sync.WaitGroup
			var wins atomic.Int32
			for i := range 9 {
				wg.Go(func() {
					by := fmt.Sprint("worker ", i)
					var ok bool
					err := s.PlanSlots(ctx, []run.Run{{Slot: slot, Due: instant, By: by}})
					if i%3 == 0 && err == nil {
						err = s.SkipAll(ctx, []run.Run{{Slot: slot, Reason: "too late", By: by}})
					} else if err == nil {
						_, ok, err = s.ClaimSlot(ctx, slot, by, time.Minute, false)
					}
					if err != nil {
						t.Error(err)
					}
					if ok {
						wins.Add(1)
					}
				})
			}
			wg.Wait()
			is := got[[]run.Run](t)(s.Runs(ctx, run.Filter{From: slot.Date, To: slot.Date}))
			if len(is) != 1 || wins.Load() > 1 || (wins.Load() == 1) != (is[0].State == run.Running) || is[0].State == run.Planned {
				t.Errorf("round %d: %d workers won, and it is %+v", round, wins.Load(), is)
			}
			equal(t, "due", is[0].Due, instant.UTC().Truncate(time.Millisecond))
		}
	})
}

func TestRunsComeNewestFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for d := range civil.Date(4) {
			claimed(t, s, "open", day0+d)
			claimed(t, s, "remind", day0+d)
		}
		if err := s.PlanSlots(t.Context(), []run.Run{{Slot: run.Slot{Job: "open", Jurisdiction: j, Date: day0 + 4}, Due: instant}}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			f    run.Filter
			want string
		}{
			{run.Filter{}, "18 17 17 16 16 15 15 14 14 "},
			{run.Filter{Limit: 3}, "18 17 17 "},
			{run.Filter{Limit: 3, States: []run.State{run.Running, run.Done}}, "17 17 16 "},
			{run.Filter{States: []run.State{run.Planned}}, "18 "},
			{run.Filter{States: []run.State{run.Failed}}, ""},
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

// The ledger grows by a row for each job and day; what was last done is found without reading it.
func TestTheLastRunOfAJobIsFoundAtOnce(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			var read [2]int
			for i, days := range []civil.Date{60, 3000} {
				s := e.Open(t)
				store.OneConnection(s)
				var slots []run.Run
				for d := range days {
					for _, job := range []string{"open", "remind", "escalate"} {
						slots = append(slots, run.Run{Slot: run.Slot{Job: job, Jurisdiction: j, Date: day0 - d}, Due: instant})
					}
				}
				if err := s.PlanSlots(ctx, slots); err != nil {
					t.Fatal(err)
				}
				// Nine days off, and before them all was done.
				for _, c := range []struct {
					state  run.State
					before civil.Date
				}{{run.Skipped, day0}, {run.Done, day0 - 9}} {
					if err := store.Exec(ctx, s, "UPDATE runs SET state = ?, started = ? WHERE logical_date < ?", string(c.state), "2024-09-14 00:00:00.000", c.before.String()); err != nil {
						t.Fatal(err)
					}
				}
				for range 2 { // the first goes warm
					before := got[int](t)(store.Effort(ctx, s))
					runs := got[[]run.Run](t)(s.Runs(ctx, run.Filter{Job: "remind", Jurisdiction: j, To: day0, States: []run.State{run.Done}, Limit: 1}))
					if len(runs) != 1 || runs[0].Date != day0-10 {
						t.Fatalf("the last run: %+v", runs)
					}
					read[i] = got[int](t)(store.Effort(ctx, s)) - before
				}
			}
			t.Logf("read %d behind 60 days, %d behind 3000", read[0], read[1])
			if read[1] > 2*read[0]+20 {
				t.Errorf("read %d behind 60 days, %d behind 3000", read[0], read[1])
			}
		})
	}
}
