package mail

import (
	"context"
	"net"
	"sync"
	"time"
)

// phaseConn gives every read and every write a deadline of its own: the earlier of now plus the phase and the end of
// the letter's context. Deadlines set from outside are ignored, since the SMTP client resets them to "none" after each
// command and then waits for ever while it writes a body.
type phaseConn struct {
	net.Conn
	phase time.Duration

	mu  sync.Mutex
	end time.Time // of the letter's context; zero: none
}

// bind lets the connection live by ctx until release is called: its deadline bounds every phase, and its cancelling
// closes the connection. release reports whether the connection is still alive.
func (c *phaseConn) bind(ctx context.Context) (release func() bool) {
	end, _ := ctx.Deadline()
	c.setEnd(end)
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	return func() bool {
		alive := stop()
		c.setEnd(time.Time{})
		return alive
	}
}

func (c *phaseConn) setEnd(end time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = end
}

// deadline is when the phase that begins now has to be over.
func (c *phaseConn) deadline() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := time.Now().Add(c.phase)
	if !c.end.IsZero() && c.end.Before(d) {
		d = c.end
	}
	return d
}

func (c *phaseConn) Read(p []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(c.deadline()); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *phaseConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(c.deadline()); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// SetDeadline is ignored; see phaseConn.
func (c *phaseConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline is ignored; see phaseConn.
func (c *phaseConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is ignored; see phaseConn.
func (c *phaseConn) SetWriteDeadline(time.Time) error { return nil }

// greeted is a connection on which the client is greeted once more. After STARTTLS a server says nothing, while the
// SMTP client begins every connection by waiting for a greeting.
type greeted struct {
	net.Conn
	rest []byte
}

func (g *greeted) Read(p []byte) (int, error) {
	if len(g.rest) > 0 {
		n := copy(p, g.rest)
		g.rest = g.rest[n:]
		return n, nil
	}
	return g.Conn.Read(p)
}
