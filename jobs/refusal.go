package jobs

import (
	"errors"

	"duban/jobs/run"
)

// Refusal is what Prepare returns where nothing of a jurisdiction may be planned until a person has done something. It is
// tried again like any failure, but the log says it once, and once more where it is another.
type Refusal interface {
	error
	// Refused names what is refused, in words that stay while it does.
	Refused() string
}

// complain logs why the slot did not run.
func (w *Worker) complain(slot run.Slot, err error) {
	words := ""
	if r, ok := errors.AsType[Refusal](err); ok {
		words = r.Refused()
	}
	if words != "" && w.refused[slot.Jurisdiction] == words {
		return
	}
	if w.refused == nil {
		w.refused = map[string]string{}
	}
	w.refused[slot.Jurisdiction] = words
	w.Log.Error().Str("job", slot.Job).Str("jurisdiction", slot.Jurisdiction).Stringer("date", slot.Date).Err(err).Msg("job failed")
}

// content notes that the jurisdiction is planned, and says so where it was refused before.
func (w *Worker) content(jurisdiction string) {
	if w.refused[jurisdiction] == "" {
		return
	}
	delete(w.refused, jurisdiction)
	w.Log.Info().Str("jurisdiction", jurisdiction).Msg("nothing is refused any more: planning goes on")
}
