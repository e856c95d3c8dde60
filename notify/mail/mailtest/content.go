package mailtest

import (
	"bytes"
	"crypto/sha256"
	"strconv"
	"time"
)

// data answers DATA, receives the content and answers the final dot.
func (c *session) data(arg, line []byte) error {
	if !c.open {
		if err := c.alone("", line, false); err != nil {
			return err
		}
		return c.tooSoon("DATA without MAIL", line)
	}
	if len(c.mail.to) == 0 {
		if err := c.alone("", line, false); err != nil {
			return err
		}
		if c.mail.rcpts == 0 {
			return c.wrong(503, "5.5.1", "DATA without RCPT", line)
		}
		return c.say(554, "5.5.1", "no valid recipients")
	}
	if len(arg) > 0 {
		return c.wrong(501, "5.5.4", "DATA has no parameter", line)
	}
	if err := c.alone("content before the answer to DATA", line, true); err != nil {
		return err
	}
	act := c.decide(&Event{Phase: AtData})
	if err := c.give(act, reply{354, "", "end with a dot"}); err != nil {
		return err
	}
	if err := c.flush(); err != nil { // RFC 2920 3.2 (6): never held back
		return err
	}
	if act.refuses() || act.Code != 0 && act.Code != 354 {
		return nil
	}
	size, answered, err := c.receive()
	if err != nil {
		return err
	}
	c.s.change(func(n *Counts) { n.Dots++ })
	if c.noting() {
		c.note(true, "("+strconv.Itoa(size)+" octets of content)")
	}
	if answered {
		c.endMail()
		return nil
	}
	return c.dot(size)
}

// receive takes the content, with the fault of AtBody on its way. answered: the
// fault has answered already and the content does not count.
func (c *session) receive() (size int, answered bool, err error) {
	in := intake{c: c, limit: c.s.cfg.limit()}
	in.act = c.decide(&Event{Phase: AtBody})
	c.body = c.body[:0]
	err = in.run()
	return in.size, in.answered, err
}

// intake is the content of one mail coming in.
type intake struct {
	c        *session
	act      Action // of AtBody; Pass once it has happened
	limit    int
	slow     time.Duration
	size     int
	answered bool
	before   [2]byte // the two octets before the window, as they came
}

// run reads to CRLF.CRLF, the only end of content (RFC 5321 4.1.1.4: neither LF.LF
// nor a mixture), and takes the stuffed dots out (4.5.2). The CRLF that ended DATA
// stands before the first line.
func (in *intake) run() error {
	r := in.c.r
	in.before = [2]byte{'\r', '\n'}
	for {
		if in.act.Do != Pass && in.size >= in.act.After {
			if err := in.fault(); err != nil {
				return err
			}
		}
		w, err := in.window()
		if err != nil {
			return err
		}
		dot := in.dotAtLineStart(w)
		if dot < 0 {
			in.take(w)
			if _, err := r.Discard(len(w)); err != nil {
				return errEnd
			}
			continue
		}
		in.take(w[:dot])
		if _, err := r.Discard(dot); err != nil {
			return errEnd
		}
		next, err := r.Peek(3) // after a dot at the least CRLF must follow
		if err != nil {
			return errEnd
		}
		end := next[1] == '\r' && next[2] == '\n'
		drop := 1
		if end {
			drop = 3
		}
		in.before = [2]byte{'\n', '.'}
		if _, err := r.Discard(drop); err != nil {
			return errEnd
		}
		if end {
			if in.act.Do != Pass {
				return in.fault()
			}
			return nil
		}
	}
}

// window returns what is at hand, at least one octet.
func (in *intake) window() ([]byte, error) {
	r := in.c.r
	if in.slow > 0 {
		if err := in.c.pause(in.slow); err != nil {
			return nil, err
		}
	}
	if r.Buffered() == 0 {
		if _, err := r.Peek(1); err != nil {
			return nil, errEnd
		}
	}
	n := r.Buffered()
	if in.slow > 0 {
		n = min(n, 512)
	}
	if in.act.Do != Pass { // come back in time for the fault
		n = min(n, max(in.act.After-in.size, 1))
	}
	w, _ := r.Peek(n)
	return w, nil
}

// dotAtLineStart finds the first dot after CRLF. Dots are rarer than line ends,
// so they are what is searched for.
func (in *intake) dotAtLineStart(w []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(w[from:], '.')
		if i < 0 {
			return -1
		}
		i += from
		a, b := in.before[0], in.before[1]
		switch {
		case i >= 2:
			a, b = w[i-2], w[i-1]
		case i == 1:
			a, b = b, w[0]
		}
		if a == '\r' && b == '\n' {
			return i
		}
		from = i + 1
	}
}

// take adds octets to the content, or only counts them beyond the limit.
func (in *intake) take(w []byte) {
	switch n := len(w); {
	case n >= 2:
		in.before = [2]byte{w[n-2], w[n-1]}
	case n == 1:
		in.before = [2]byte{in.before[1], w[0]}
	}
	in.size += len(w)
	if in.size <= in.limit {
		in.c.body = append(in.c.body, w...)
	}
}

// fault does what AtBody asks for. An answer in the middle of the content counts
// for the whole mail: the rest is swallowed and the dot is not answered.
func (in *intake) fault() error {
	act := in.act
	in.act = Action{}
	switch act.Do {
	case Slow:
		in.slow = act.Pause
		return nil
	case Delay:
		return in.c.pause(act.Pause)
	case Hang:
		<-in.c.gone // without reading: the client's writes come to a stand
		return errEnd
	}
	in.answered = true
	if err := in.c.give(act, reply{451, "4.3.0", "failed on the way"}); err != nil {
		return err
	}
	return in.c.flush()
}

// dot decides about a mail and answers.
func (c *session) dot(size int) error {
	defer c.endMail()
	cfg := &c.s.cfg
	if err := c.alone("", nil, false); err != nil {
		return err
	}
	if size > cfg.limit() {
		return c.say(552, "5.3.4", "larger than SIZE allows")
	}
	if cfg.CheckContent {
		c.check()
	}
	id := messageID(c.body)
	act := c.decide(&Event{Phase: AtDot, Size: size, MessageID: id})
	if act.refuses() {
		return c.give(act, reply{451, "4.3.0", "not taken"})
	}
	m := Mail{
		Conn: c.number, Nth: c.nth, From: c.mail.from, To: c.mail.to, MessageID: id,
		Size: size, TLS: c.tls, User: c.user,
	}
	switch cfg.Keep {
	case KeepBytes:
		m.Data = bytes.Clone(c.body)
		m.SHA256 = sha256.Sum256(c.body)
	case KeepDigest:
		m.SHA256 = sha256.Sum256(c.body)
	}
	c.given = c.s.accept(&m)
	return c.give(act, reply{250, "2.0.0", "queued as " + strconv.Itoa(c.given)})
}

// check records what content must not hold.
func (c *session) check() {
	b, e := c.body, &c.mail
	eight, cr, lf, long, begin := false, bytes.Count(b, []byte{'\r'}), 0, false, 0
	for _, o := range b {
		if o >= 0x80 {
			eight = true
			break
		}
	}
	for at := 0; ; at++ {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			break
		}
		at += i
		if at > 0 && b[at-1] == '\r' {
			cr--
			long = long || at-1-begin > 998
		} else {
			lf++
		}
		begin = at + 1
	}
	for _, v := range []struct {
		found bool
		what  string
	}{
		{lf > 0, "bare LF in the content (RFC 5321 2.3.8)"},
		{cr > 0, "bare CR in the content (RFC 5321 2.3.8)"},
		{long, "line over 998 octets (RFC 5322 2.1.1)"},
		{bytes.IndexByte(b, 0) >= 0, "NUL in the content"},
		{eight && !e.eightBit, "8-bit content without BODY=8BITMIME (RFC 6152)"},
	} {
		if v.found {
			c.violate(v.what, nil)
		}
	}
}

// messageID finds the header field, folded or not.
func messageID(b []byte) string {
	const name = "message-id:"
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte{'\n'})
		if len(line) == 0 || line[0] == '\r' {
			return ""
		}
		if line[0]|0x20 == 'm' && len(line) >= len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			value := bytes.TrimSpace(line[len(name):])
			if len(value) == 0 && len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
				line, _, _ = bytes.Cut(rest, []byte{'\n'})
				value = bytes.TrimSpace(line)
			}
			return string(value)
		}
		b = rest
	}
	return ""
}
