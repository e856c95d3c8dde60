package planner

import (
	"fmt"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// Stands says why a document about the obligation may not be issued, or leave, on day d: it is open no more, something
// about it waits for the bureau, or its date has not come. Empty: what the document says stands.
func Stands(rec task.Record, all Settings, d civil.Date) string {
	st := task.Fold(rec.Obligation, rec.Events, d, all.Calendar, all.Terms)
	name := rec.Obligation.Ref.String()
	switch due := max(st.Effective, st.Assess); {
	case st.State != task.Waiting:
		return fmt.Sprintf("%s is %s since %s", name, st.State, st.Since)
	case st.Asked != 0:
		return fmt.Sprintf("%s: an extension was asked for on %s", name, st.Asked)
	case st.HeldUntil != 0:
		return fmt.Sprintf("%s is held until %s: %s", name, st.HeldUntil, st.HeldWhy)
	case d <= due:
		return fmt.Sprintf("%s is due on %s now", name, due)
	}
	return ""
}
