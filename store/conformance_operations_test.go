package store_test

import (
	"testing"
	"time"

	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// TestALetterToTheOperatorsGoesWhenOthersWait: no window holds it, no pause keeps it back, no backfill records it, and it is
// not told of where letters to units are.
func TestALetterToTheOperatorsGoesWhenOthersWait(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ops := letter("sfj", day0)
		ops.Key.Role, ops.Key.Kind, ops.Job = "operations", notice.Operations, "health"
		ops.ID = ops.Key.ID()
		usual := letter("a", day0)
		seq := planned(t, s, begin(t, s), day0, ops, usual)
		if n := got[int](t)(s.HoldNotices(ctx, notice.ClaimFilter{Jurisdiction: j}, instant.Add(time.Hour), "窗口已过")); n != 1 {
			t.Errorf("%d letters held", n)
		}
		seq = must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Paused: &task.Pause{Who: "甲", Why: "试"}}})
		if _, ok := claimOne(t, s, notice.ClaimFilter{Jurisdiction: j}, time.Minute); ok {
			t.Error("a paused jurisdiction's letter was claimed without naming the kind")
		}
		if _, ok := claimOne(t, s, notice.ClaimFilter{Kind: notice.UnitLetter}, time.Minute); ok {
			t.Error("a unit's letter of a paused jurisdiction was claimed")
		}
		if n, ok := claimOne(t, s, notice.ClaimFilter{Jurisdiction: j, Kind: notice.Operations}, time.Minute); !ok || n.ID != ops.ID {
			t.Errorf("claimed %v, %v", n.Key, ok)
		}
		if briefs := got[[]notice.Brief](t)(s.Briefs(ctx, j, day0, day0)); len(briefs) != 1 || briefs[0].ID != usual.ID {
			t.Errorf("told of: %v", briefs)
		}
		// What was not sent is found by its kind, for the next day's to take over, and by no other.
		late := letter("sfj", day0+1)
		late.Key.Role, late.Key.Kind = "operations", notice.Operations
		late.ID = late.Key.ID()
		planned(t, s, seq, day0+1, late)
		for kind, want := range map[string]int{notice.Operations: 1, "": 1, notice.UnitLetter: 1} {
			unsent := got[[]notice.Notice](t)(s.Unsent(ctx, j, kind, day0+2))
			if len(unsent) != want || kind != notice.Operations && unsent[0].ID != usual.ID {
				t.Errorf("unsent of the kind %q: %d", kind, len(unsent))
			}
		}
	})
}
