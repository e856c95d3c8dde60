package jobs

import (
	"errors"

	"duban/jobs/run"
)

// Refusal is what Prepare and Deliver return where nothing of a jurisdiction may be planned, or sent, until a person has done
// something. It is tried again like any failure, but the log says it once, and once more where it is another.
type Refusal interface {
	error
	// Refused names what is refused, in words that stay while it does.
	Refused() string
}

// refused names what an error refuses; empty: it is no refusal.
func refused(err error) string {
	if r, ok := errors.AsType[Refusal](err); ok {
		return r.Refused()
	}
	return ""
}

// complain logs why the slot did not run or, without a job, why nothing of its jurisdiction did.
func (w *Worker) complain(slot run.Slot, what string, err error) {
	words := refused(err)
	if words != "" && w.refused[slot.Jurisdiction] == words {
		return
	}
	if w.refused == nil {
		w.refused = map[string]string{}
	}
	w.refused[slot.Jurisdiction] = words
	e := w.Log.Error()
	if slot.Job != "" {
		e = e.Str("job", slot.Job)
	}
	e.Str("jurisdiction", slot.Jurisdiction).Stringer("date", slot.Date).Err(err).Msg(what)
}

// content notes that the jurisdiction is planned, and says so where it was refused before.
func (w *Worker) content(jurisdiction string) {
	if w.refused[jurisdiction] == "" {
		return
	}
	delete(w.refused, jurisdiction)
	w.Log.Info().Str("jurisdiction", jurisdiction).Msg("nothing is refused any more: planning goes on")
}
