package planner

import (
	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/task"
	"duban/notify/notice"
)

// NothingLeft reports whether every item of the letter has been closed since it was planned: it no longer waits, it was
// given a later date than the letter says, or the bureau took out what was to be urged: it holds it, it has an extension to
// answer, or the unit was told by other means. Records are those of the items that something happened to; the others
// are as the letter has them. It is decided as of today, or of the letter's own date where that is later.
func NothingLeft(n notice.Notice, records map[string]task.Record, set Settings, today civil.Date) bool {
	items := n.Facts.Items()
	for _, it := range items {
		r, ok := records[it.Ref]
		if !ok {
			return false
		}
		st := task.Fold(r.Obligation, r.Events, max(n.Key.Date, today), set.Calendar, set.Terms)
		takenOut := it.Rung == string(ladder.Urging) && (st.HeldUntil != 0 || st.Asked != 0 || st.Contacted >= n.Key.Date)
		if st.Chased() && st.Effective <= it.Due && !takenOut {
			return false
		}
	}
	return len(items) > 0
}
