package mail

import (
	"context"
	"errors"
	"sync"
	"time"

	"duban/notify"
	"duban/notify/compose"
)

// idle is how long a connection is kept without a mail. Servers close sooner or later, and what stands between forgets.
const idle = time.Minute

// lane is one connection, which is made when it is needed and kept from one Send to the next unless another lane needs it.
type lane struct {
	t  *Transport
	mu sync.Mutex // one turn at a time
}

var _ notify.Lane = (*lane)(nil)

// turn is one call of Send.
type turn struct {
	*lane
	mails    []compose.Message
	each     notify.Each
	placed   bool             // it has a place in the pool
	s        *session         // nil: none is open
	kept     bool             // the connection is from an earlier turn and nothing was said on it yet
	ahead    *compose.Message // the mail whose envelope was sent with the body before; nil: none
	release  func() bool      // see session.bind; nil: no connection
	finished bool             // it was left in an orderly way: no callback panicked
}

// Send hands over the mails; see notify.Lane. Besides what is written there: a context that is cancelled before the first
// command of a mail leaves that mail not dealt with, while one whose deadline passes while the server keeps us waiting
// gives it a receipt, since that says something of the server.
//
//   - accepted: the server said yes after the final dot; whatever happens afterwards changes nothing
//   - permanent: 5xx about this mail, an address that cannot be used, a mail this server cannot take
//   - temporary: 4xx, and everything that breaks before the final dot, or concerns the server and not the mail
//   - unknown: broken after the final dot, or while it was written
//
// A context that ends while all connections are in use by other lanes leaves all mails not dealt with.
func (l *lane) Send(ctx context.Context, mails []compose.Message, each notify.Each) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := turn{lane: l, mails: mails, each: each}
	defer t.end()
	n := t.run(ctx)
	t.finished = true
	return n
}

func (t *turn) run(ctx context.Context) int {
	for i := range t.mails {
		if ctx.Err() != nil || !t.place(ctx) {
			return i
		}
		if dealt, more := t.mail(ctx, i); !dealt {
			return i
		} else if !more {
			return i + 1
		}
	}
	return len(t.mails)
}

// place waits for a place to have a connection at, and takes over what rests there. It has it until the turn ends.
func (t *turn) place(ctx context.Context) bool {
	if t.placed {
		return true
	}
	s, ok := t.t.pool.enter(ctx, t.lane)
	if !ok {
		return false
	}
	t.placed = true
	switch {
	case s == nil:
	case time.Since(s.used) > idle:
		s.leave()
	default:
		t.s, t.kept, t.release = s, true, s.bind(ctx)
	}
	return true
}

// Close ends the connection politely. The lane may be used again.
func (l *lane) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.t.pool.rested(l); s != nil {
		s.quit()
		l.t.pool.leave(l, nil)
	}
	return nil
}

// end lets go of the connection: it stays for the next turn unless the context has closed it, an envelope is open, or a
// callback panicked, when nobody knows how far it is. The place is given back in any case.
func (t *turn) end() {
	if !t.placed {
		return
	}
	switch {
	case t.s == nil:
	case t.ahead != nil, !t.finished:
		t.drop()
	case !t.release():
		t.s.drop()
		t.s = nil
	default:
		t.s.used = time.Now()
	}
	t.t.pool.leave(t.lane, t.s)
}

// drop closes the connection without a word. A mail whose final dot was not sent is thrown away by the server (RFC 5321,
// 4.1.1.4).
func (t *turn) drop() {
	t.release()
	t.s.drop()
	t.s, t.ahead = nil, nil
}

// mail hands over one mail. dealt says that Done was called, more that the lane may go on.
func (t *turn) mail(ctx context.Context, i int) (dealt, more bool) {
	begun := time.Now()
	m, v := t.begin(ctx, &t.mails[i])
	if v != nil && v.phase.AboutServer() && errors.Is(ctx.Err(), context.Canceled) {
		if t.s != nil {
			t.drop()
		}
		return false, false
	}
	if v == nil {
		if t.each.BeforeDot != nil && t.each.BeforeDot(i, *m) != nil {
			t.drop()
			return false, false
		}
		next := t.next(ctx, i+1)
		v = t.s.body(m, next)
		t.ahead = next
	}
	if v.lost && t.s != nil {
		t.drop()
	}
	if t.each.Done != nil {
		more = t.each.Done(i, v.receipt(ctx, time.Since(begun)))
	}
	if v.lost || !more {
		return true, false
	}
	if t.s != nil && t.ahead == nil && t.s.mails >= t.t.cfg.PerConnection {
		t.release()
		t.s.quit()
		t.s = nil
	}
	return true, more
}

// begin makes the server wait for the body of a mail, and returns that mail as it is to be written. Where nothing was
// begun on a connection that is no good any more, another one is made, once.
func (t *turn) begin(ctx context.Context, m *compose.Message) (*compose.Message, *verdict) {
	if t.ahead == nil {
		if v := unusable(m); v != nil {
			return nil, v
		}
	}
	for again := false; ; again = true {
		if t.s == nil {
			s, release, v := t.t.connect(ctx)
			if v != nil {
				return nil, v
			}
			t.s, t.release = s, release
		}
		kept := t.kept
		fitting, v := t.envelope(m)
		if v == nil || again || ctx.Err() != nil || !v.again(t.s.mails > 1, kept) {
			return fitting, v
		}
		t.drop()
	}
}

// envelope opens the mail on the connection there is, unless its envelope was sent before.
func (t *turn) envelope(m *compose.Message) (*compose.Message, *verdict) {
	if m := t.ahead; m != nil {
		t.ahead = nil
		return m, t.s.envelope(m, true)
	}
	m, v := t.s.fit(m)
	if v != nil {
		return nil, v
	}
	t.kept = false
	return m, t.s.envelope(m, false)
}

// next returns the mail whose envelope goes with the body before it: none where the server does not take commands in
// groups, the connection has had its share, or that mail needs a closer look.
func (t *turn) next(ctx context.Context, i int) *compose.Message {
	if i >= len(t.mails) || !t.s.ext.pipelining || t.s.mails >= t.t.cfg.PerConnection || ctx.Err() != nil {
		return nil
	}
	if unusable(&t.mails[i]) != nil {
		return nil
	}
	m, v := t.s.fit(&t.mails[i])
	if v != nil {
		return nil
	}
	return m
}
