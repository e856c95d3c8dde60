// Package moved makes again what was decided on a register that was written to meanwhile.
package moved

import (
	"context"
	"errors"
	"time"

	"duban/jobs/task"
)

// The pauses double from the first to the longest. Together they take nine seconds: other work writes a handful of times
// within one, and the lease of a slot outlives them three times.
const (
	first   = 10 * time.Millisecond
	longest = time.Second
	tries   = 16
)

// Retry calls f, which reads, decides and writes, and calls it again as long as it returns task.ErrMoved: what it read was
// written to before it wrote. It leaves the other writer a little more time before each further try, since somebody who
// writes several times in a row, as a worker does that goes through the jobs of a day, would else come between every one of
// them. It gives up with the last error after nine seconds of pauses, or when ctx ends.
func Retry(ctx context.Context, f func() error) error {
	pause := first
	for try := 1; ; try++ {
		err := f()
		if !errors.Is(err, task.ErrMoved) || try == tries {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		pause = min(2*pause, longest)
	}
}
