package mail

import (
	"bufio"
	"bytes"
	"net"
	"time"
)

// chunk is how much is written under one deadline.
const chunk = 64 << 10

// wire is one connection as lines and replies, with a deadline for every phase. It serves one goroutine; closing raw
// from another one ends whatever is going on.
type wire struct {
	raw  net.Conn // the TCP connection
	conn net.Conn // the same, or TLS over it
	in   *bufio.Reader
	rep  reply // the latest

	buf          []byte // what waits to be written, chunk at most
	queued, sent int64  // bytes that were put, and bytes the connection has taken
	err          error  // of the first write that failed; nothing is written after it

	phase time.Duration
	end   time.Time // of the caller's context; zero: none
}

func newWire(raw net.Conn, phase time.Duration) *wire {
	return &wire{raw: raw, conn: raw, in: bufio.NewReaderSize(raw, maxLine), buf: make([]byte, 0, chunk), phase: phase}
}

// over goes on over another connection, which is made of the first. What was read and not used is dropped.
func (w *wire) over(conn net.Conn) {
	w.conn = conn
	w.in.Reset(conn)
}

// deadline is when a phase that begins now has to be over, however many bytes come or go meanwhile.
func (w *wire) deadline() time.Time {
	d := time.Now().Add(w.phase)
	if !w.end.IsZero() && w.end.Before(d) {
		return w.end
	}
	return d
}

// read waits for one reply. The deadline is one for the whole of it: a server that sends a byte now and then does not
// gain by it.
func (w *wire) read() error {
	w.rep.code = 0
	if err := w.conn.SetReadDeadline(w.deadline()); err != nil {
		return err
	}
	return w.rep.read(w.in)
}

// ask sends one command and waits for its reply.
func (w *wire) ask(words ...string) error {
	w.putLine(words...)
	if err := w.flush(); err != nil {
		return err
	}
	return w.read()
}

// putLine queues one line, made of the words as they are.
func (w *wire) putLine(words ...string) {
	for _, s := range words {
		w.putString(s)
	}
	w.putString("\r\n")
}

func (w *wire) putString(s string) {
	if len(s) > chunk-len(w.buf) {
		w.put([]byte(s))
		return
	}
	w.buf = append(w.buf, s...)
	w.queued += int64(len(s))
}

// put queues bytes, and writes what does not fit. An error of that is told by flush.
func (w *wire) put(b []byte) {
	w.queued += int64(len(b))
	for len(b) > chunk-len(w.buf) {
		n := chunk - len(w.buf)
		if len(w.buf) == 0 { // nothing waits: straight from the caller's bytes
			w.write(b[:n])
		} else {
			w.buf = append(w.buf, b[:n]...)
			w.write(w.buf)
			w.buf = w.buf[:0]
		}
		if b = b[n:]; w.err != nil {
			return
		}
	}
	w.buf = append(w.buf, b...)
}

// flush writes what waits.
func (w *wire) flush() error {
	if len(w.buf) > 0 {
		w.write(w.buf)
		w.buf = w.buf[:0]
	}
	return w.err
}

func (w *wire) write(b []byte) {
	if w.err != nil {
		return
	}
	if w.err = w.conn.SetWriteDeadline(w.deadline()); w.err != nil {
		return
	}
	var n int
	n, w.err = w.conn.Write(b)
	w.sent += int64(n)
}

// putBody queues a mail and the dot that ends it (RFC 5321, 4.5.2), and returns the place of that dot among all that was
// queued. A dot is doubled after any LF: for lines that end in CRLF, as they all should, this is what the standard asks,
// and after a bare LF it keeps a lax server from taking the line for the end.
func (w *wire) putBody(b []byte) (dot int64) {
	ended := bytes.HasSuffix(b, []byte("\r\n")) || len(b) == 0
	done := 0 // what is queued of b
	for at := 0; ; at++ {
		n := bytes.IndexByte(b[at:], '.') // rarer than lines are
		if n < 0 {
			break
		}
		if at += n; at == 0 || b[at-1] == '\n' {
			w.put(b[done:at])
			w.putString(".")
			done = at
		}
	}
	w.put(b[done:])
	if !ended {
		w.putString("\r\n")
	}
	dot = w.queued
	w.putString(".\r\n")
	return dot
}
