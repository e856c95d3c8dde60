package store_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// retired plans letters of which one was pending and the others held from the first, and on the next day cancels, takes over
// and holds anew. It returns the letters by unit as they were, and the seq and instant of both plans.
func retired(t *testing.T, s *store.Store) (born map[string]notice.Notice, seqs [2]int64, when [2]time.Time) {
	t.Helper()
	ctx := t.Context()
	seq := must(t, s, 0, task.Batch{At: instant, Jurisdiction: &task.Jurisdiction{Code: j, Name: "青岛市崂山区"}})
	tick(t, s)
	born = map[string]notice.Notice{}
	var letters []notice.Notice
	for _, unit := range []string{"pending", "cancelled", "taken", "again", "same", "stays"} {
		n := letter(unit, day0)
		if unit != "pending" {
			n.State, n.Reason = notice.Held, "the unit has had its letters of this week"
		}
		letters = append(letters, n)
	}
	note := func(i int) {
		t.Helper()
		seqs[i], when[i] = got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)).Seq, got[time.Time](t)(s.Now(ctx))
		tick(t, s)
	}
	save(t, s, seq, day0, run.DayPlan{Notices: letters})
	for _, n := range letters {
		born[n.Key.Unit] = letterOf(t, s, n.ID)
	}
	note(0)
	later := letter("taken", day0+3)
	save(t, s, seq+1, day0+3, run.DayPlan{
		Notices:   []notice.Notice{later},
		Cancel:    map[string]string{born["cancelled"].ID: "nothing in it was left to say", born["pending"].ID: "nothing in it was left to say"},
		Supersede: map[string]string{born["taken"].ID: later.ID},
		Hold:      map[string]string{born["again"].ID: "kept back with an item of it", born["same"].ID: born["same"].Reason},
	})
	note(1)
	return born, seqs, when
}

// TestAPlanWritesDownWhatItDoesToLetters holds the moves against what a plan did, and a view between two plans against what
// the letters were then.
func TestAPlanWritesDownWhatItDoesToLetters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		born, seqs, when := retired(t, s)
		const week, past = "the unit has had its letters of this week", "nothing in it was left to say"
		type move struct {
			from, to notice.State
			cause    notice.Cause
			reason   string
		}
		birth := move{notice.Pending, notice.Held, notice.Hold, week}
		takenBy := letter("taken", day0+3).ID
		for unit, want := range map[string][]move{
			"pending":   {{notice.Pending, notice.Cancelled, notice.Cancel, past}},
			"cancelled": {birth, {notice.Held, notice.Cancelled, notice.Cancel, past}},
			"taken":     {birth, {notice.Held, notice.Superseded, notice.Supersede, "taken over by " + takenBy}},
			"again":     {birth, {notice.Held, notice.Held, notice.Hold, "kept back with an item of it"}},
			"same":      {birth}, // it is held anew for the same: nothing happened to it
			"stays":     {birth},
		} {
			var have []move
			for i, m := range got[[]notice.Move](t)(s.Moves(ctx, born[unit].ID)) {
				have = append(have, move{m.From, m.To, m.Cause, m.Reason})
				equal(t, unit+": number of a move", m.N, i+1)
				const by = "the plan of remind"
				if !strings.HasPrefix(m.By, by) {
					t.Errorf("%s: moved by %q, want %q", unit, m.By, by)
				}
			}
			equal(t, unit+": moves", have, want)
		}
		equal(t, "a letter that no plan touched", len(got[[]notice.Move](t)(s.Moves(ctx, takenBy))), 0)
		states := func(name string, c store.Cut, plan int) {
			t.Helper()
			view := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "view.db"), c))
			for unit, n := range born {
				want := n
				if plan == 1 {
					want = letterOf(t, s, n.ID)
				}
				is := letterOf(t, view, n.ID)
				equal(t, name+": state of "+unit, is.State, want.State)
				equal(t, name+": reason of "+unit, is.Reason, want.Reason)
				equal(t, name+": who took over "+unit, is.SupersededBy, want.SupersededBy)
			}
			if err := view.Close(); err != nil {
				t.Error(err)
			}
		}
		for plan := range 2 {
			states("by seq", store.Cut{Seq: map[string]int64{j: seqs[plan]}}, plan)
			states("by instant", store.Cut{At: when[plan]}, plan)
		}
		view := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "day.db"), store.Cut{On: day0}))
		taken := letterOf(t, view, born["taken"].ID)
		equal(t, "by day, what a later letter took over", [3]string{string(taken.State), taken.Reason, taken.SupersededBy}, [3]string{"held", week, ""})
		equal(t, "by day, what was cancelled", letterOf(t, view, born["cancelled"].ID).State, notice.Cancelled)
		equal(t, "by day, moves of what was taken over", len(got[[]notice.Move](t)(view.Moves(ctx, taken.ID))), 1)
		if err := view.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestAViewOfAnOlderDatabaseSaysWhatItDoesNotKnow goes back where plans did not write down what they did to letters.
func TestAViewOfAnOlderDatabaseSaysWhatItDoesNotKnow(t *testing.T) {
	for name, c := range map[string]struct {
		passed bool // another letter of the day left
		want   notice.State
	}{
		"another of its day left": {true, notice.Held},
		"none of its day left":    {false, notice.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				ctx := t.Context()
				seq := must(t, s, 0, task.Batch{At: instant, Jurisdiction: &task.Jurisdiction{Code: j, Name: "青岛市崂山区"}})
				held, other := letter("a", day0), letter("b", day0)
				held.State, held.Reason = notice.Held, "the unit has had its letters of this week"
				save(t, s, seq, day0, run.DayPlan{Notices: []notice.Notice{held, other}})
				tick(t, s)
				if c.passed {
					if err := s.LeaveOn(ctx, j, day0); err != nil {
						t.Fatal(err)
					}
					answer(t, s, got[time.Time](t)(s.Now(ctx)), map[string]notice.Receipt{"b": {Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Reply: "ok"}})
				}
				tick(t, s)
				when := got[time.Time](t)(s.Now(ctx))
				tick(t, s)
				save(t, s, seq+1, day0+1, run.DayPlan{Cancel: map[string]string{held.ID: "nothing in it was left to say"}})
				if err := store.Exec(ctx, s, "DELETE FROM moves"); err != nil {
					t.Fatal(err)
				}
				view := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "view.db"), store.Cut{At: when}))
				is := letterOf(t, view, held.ID)
				equal(t, "state", is.State, c.want)
				equal(t, "reason", is.Reason, "cancelled later by a version that did not write down whether it was held until then, or about to leave")
				equal(t, "reason of another", letterOf(t, view, other.ID).Reason, "")
				if err := view.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
