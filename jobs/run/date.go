package run

import (
	"fmt"
	"time"

	"duban/jobs/civil"
)

// longestRest is how many days after the last run a date is still believed. The longest rest that staff take is that of the
// Spring Festival, with the weekends around it.
const longestRest = 15

// How far the machine's clock may be from the database's: above the first somebody should look, above the second the
// machine may be living on another day.
const (
	ClockOff   = 5 * time.Minute
	ClockWrong = 12 * time.Hour
)

// DoubtError says why a date is not believed: nothing is planned or sent on it unless a person confirms it.
type DoubtError struct {
	Today civil.Date // by the machine's clock
	// Last is the day on which the last run was started; zero where the doubt is about the clocks.
	Last civil.Date
	// Off is how far the machine's clock is ahead of the database's; zero where the doubt is about the last run.
	Off time.Duration
}

// Error names both dates, or the difference, and what to do.
func (e DoubtError) Error() string {
	var what string
	switch {
	case e.Off != 0:
		what = fmt.Sprintf("this machine's clock says %s and is %s", e.Today, Apart(e.Off.Round(time.Hour)))
	case e.Today < e.Last:
		what = fmt.Sprintf("this machine's clock says %s, which lies before %s, the day of the last run", e.Today, e.Last)
	default:
		what = fmt.Sprintf("this machine's clock says %s, which lies %d days after %s, the day of the last run", e.Today, e.Today-e.Last, e.Last)
	}
	return fmt.Sprintf("%s; set the clock right or, if %s is today, confirm it with --confirm-date or --confirm-date=%s", what, e.Today, e.Today)
}

// Apart says how far the machine's clock is ahead of the database's.
func Apart(off time.Duration) string {
	if off < 0 {
		return fmt.Sprintf("%s behind the database's", -off)
	}
	return fmt.Sprintf("%s ahead of the database's", off)
}

// CheckDate doubts a day on which no letter should leave by itself: one before the day the last run was started, or more
// than fifteen days after it. It compares the days in which instants were, never the dates that runs were for. The zero
// last, with nothing to compare, passes; without a zone days are those of UTC.
func CheckDate(now, last time.Time, zone *time.Location) error {
	if last.IsZero() {
		return nil
	}
	if zone == nil {
		zone = time.UTC
	}
	today, then := civil.In(now, zone), civil.In(last, zone)
	if today < then || today > then+longestRest {
		return DoubtError{Today: today, Last: then}
	}
	return nil
}

// CheckClocks doubts a day where the machine's clock is more than ClockWrong from the database's. off is how far it is ahead.
func CheckClocks(now time.Time, off time.Duration, zone *time.Location) error {
	if off.Abs() <= ClockWrong {
		return nil
	}
	if zone == nil {
		zone = time.UTC
	}
	return DoubtError{Today: civil.In(now, zone), Off: off}
}
