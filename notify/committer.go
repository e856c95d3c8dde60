package notify

import (
	"context"
	"time"

	"duban/notify/archive"
	"duban/notify/notice"
)

// committer writes the marks and settlements of all lanes, many to a transaction: while one is being written, the next
// gather. It is the only writer of a run.
type committer struct {
	*run
	in   chan request
	over chan struct{}
}

// request is one mark or settlement with whom to tell; with neither, it tells when all before it are written.
type request struct {
	marks  []notice.Mark
	settle *notice.Settlement
	// accepted is what the archive is told before the settlement is written.
	accepted []archive.Acceptance
	urgent   bool // somebody waits for it
	told     func(lost map[string]bool, err error)
}

const (
	gather = 256                  // the most requests in one transaction
	linger = 3 * time.Millisecond // how long it waits for more where nobody waits for it
	again  = time.Second          // how long it waits after a failure before it tries once more
)

func newCommitter(ctx context.Context, r *run) *committer {
	c := &committer{run: r, in: make(chan request, 4*gather), over: make(chan struct{})}
	go func() {
		defer close(c.over)
		for first := range c.in {
			c.write(ctx, c.more(first))
		}
	}()
	return c
}

// more adds to the first request what comes before somebody waits for one of them, or time is up.
func (c *committer) more(first request) []request {
	all := []request{first}
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for urgent := first.urgent; len(all) < gather; {
		select {
		case next, ok := <-c.in:
			if !ok {
				return all
			}
			all = append(all, next)
			urgent = urgent || next.urgent
			continue
		default:
		}
		if urgent {
			return all
		}
		select {
		case next, ok := <-c.in:
			if !ok {
				return all
			}
			all = append(all, next)
			urgent = next.urgent
		case <-timer.C:
			return all
		}
	}
	return all
}

// write writes the requests in one transaction. If it fails, the marks are refused, since nothing may leave without
// them; the settlements are facts and are tried again.
func (c *committer) write(ctx context.Context, all []request) {
	var marks []notice.Mark
	var settlements []notice.Settlement
	var accepted []archive.Acceptance
	for _, q := range all {
		marks = append(marks, q.marks...)
		accepted = append(accepted, q.accepted...)
		if q.settle != nil {
			settlements = append(settlements, *q.settle)
		}
	}
	if len(accepted) > 0 {
		// The letters are delivered whatever becomes of the note.
		if err := c.Archive.Accepted(accepted...); err != nil {
			c.Log.Error().Err(err).Int("letters", len(accepted)).Msg("note acceptances in the archive")
		}
	}
	lost, err := c.twice(ctx, marks, settlements)
	marksErr := err
	if err != nil && len(settlements) > 0 {
		lost, err = c.insist(ctx, settlements, err)
	}
	for _, q := range all {
		if len(q.marks) > 0 {
			q.told(lost, marksErr)
		} else if q.told != nil {
			q.told(lost, err)
		}
	}
}

// twice tries once more after a moment: a connection that broke is no reason to stop.
func (c *committer) twice(ctx context.Context, marks []notice.Mark, settlements []notice.Settlement) (map[string]bool, error) {
	lost, err := c.once(ctx, marks, settlements)
	if err == nil {
		return lost, nil
	}
	c.Log.Warn().Err(err).Int("letters", len(marks)+len(settlements)).Msg("writing to the database failed, trying again")
	timer := time.NewTimer(again)
	defer timer.Stop()
	select {
	case <-timer.C:
		return c.once(ctx, marks, settlements)
	case <-c.hard.Done():
		return nil, err
	}
}

// insist tries to write settlements again until it succeeds, a lease's time has passed, or the worker must end: a letter
// that left and is not recorded would be taken for lost, and leave a second time.
func (c *committer) insist(ctx context.Context, settlements []notice.Settlement, err error) (map[string]bool, error) {
	const longest = 5 * time.Second
	wait := 100 * time.Millisecond
	for begun := time.Now(); time.Since(begun) < c.Lease; {
		c.Log.Warn().Err(err).Int("letters", len(settlements)).Msg("recording letters failed, trying again")
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.hard.Done():
			timer.Stop()
			return c.once(ctx, nil, settlements)
		}
		var lost map[string]bool
		if lost, err = c.once(ctx, nil, settlements); err == nil {
			return lost, nil
		}
		wait = min(2*wait, longest)
	}
	return nil, err
}

func (c *committer) once(ctx context.Context, marks []notice.Mark, settlements []notice.Settlement) (map[string]bool, error) {
	if len(marks)+len(settlements) == 0 {
		return nil, nil
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	return c.Store.Commit(ctx, marks, settlements)
}

// mark has marks written, and told called when that is done; at once where somebody waits for it.
func (c *committer) mark(marks []notice.Mark, urgent bool, told func(lost map[string]bool, err error)) {
	c.in <- request{marks: marks, urgent: urgent, told: told}
}

// settle has a settlement written, and told called when that is done.
func (c *committer) settle(s notice.Settlement, accepted []archive.Acceptance, told func(lost bool, err error)) {
	c.in <- request{settle: &s, accepted: accepted, told: func(lost map[string]bool, err error) { told(lost[s.ID], err) }}
}

// flush waits until all that was handed in before is written.
func (c *committer) flush() { c.await(request{told: func(map[string]bool, error) {}}) }

func (c *committer) await(q request) {
	done := make(chan struct{})
	told := q.told
	q.urgent = true
	q.told = func(lost map[string]bool, err error) {
		told(lost, err)
		close(done)
	}
	c.in <- q
	<-done
}

// stop writes what is left and ends.
func (c *committer) stop() {
	close(c.in)
	<-c.over
}
