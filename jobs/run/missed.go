package run

import (
	"fmt"
	"strings"
	"time"

	"duban/jobs/civil"
)

const missed = "missed: "

// MissedReason says that the clock came too late to a slot: its instants are in the jurisdiction's zone. next is the working day
// whose letter says what is still to be said.
func MissedReason(due, looked time.Time, grace time.Duration, next civil.Date) string {
	return fmt.Sprintf("%sdue %s, looked at %s, grace %s; %s's letter says what is still to be said",
		missed, due.Format("15:04"), looked.Format("15:04"), Length(grace), next)
}

// Missed reports whether the clock came too late to the slot, which a later one makes up for.
func (r Run) Missed() bool { return r.State == Skipped && strings.HasPrefix(r.Reason, missed) }

// Late is how long after its time a run was started, below zero where before; false where no clock was asked or it has not
// begun.
func (r Run) Late() (time.Duration, bool) {
	if r.Due.IsZero() || r.Started.IsZero() {
		return 0, false
	}
	return r.Started.Sub(r.Due), true
}

// Took is how long a run took; false where it has not ended.
func (r Run) Took() (time.Duration, bool) {
	if r.Started.IsZero() || r.Finished.IsZero() {
		return 0, false
	}
	return r.Finished.Sub(r.Started), true
}

// Length prints a length of time to the minute, or to the second below an hour: 24h, 1h30m, 5m, 12s.
func Length(d time.Duration) string {
	if d.Abs() >= time.Hour {
		d = d.Round(time.Minute)
	} else {
		d = d.Round(time.Second)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
