package mailtest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// errEnd ends a session: the connection is closed or is to be.
var errEnd = errors.New("session ends")

// session is one connection. Everything but cut runs in its own goroutine.
type session struct {
	s       *Server
	number  int
	crowded bool // over Config.MaxConns
	raw     *net.TCPConn
	conn    net.Conn // raw or TLS over it
	r       *bufio.Reader
	w       *bufio.Writer
	script  *transcript
	once    sync.Once
	gone    chan struct{} // closed by cut

	tls    bool
	helo   bool // EHLO or HELO was answered, since STARTTLS
	user   string
	nth    int      // mails begun
	mail   envelope // of the transaction, if one is open
	open   bool     // MAIL was accepted and not yet ended
	asked  bool     // MAIL was sent since the last transaction, accepted or not
	body   []byte   // of the mail being received; reused unless kept
	line   []byte   // of the reply being written; reused
	given  int      // the mail whose acceptance is the answer being given; 0: none
	unsent []int    // mails whose whole acceptance is in w
}

// envelope is a mail transaction.
type envelope struct {
	from     string
	to       []string
	rcpts    int  // RCPT commands, accepted or not
	eightBit bool // BODY=8BITMIME
	utf8     bool
}

// transcript is the beginning of what was said on one connection.
type transcript struct {
	mu    sync.Mutex
	lines []Line
}

// reply is an answer of one or, with \n in its text, of several lines.
type reply struct {
	code int
	enh  string // enhanced code; given where ENHANCEDSTATUSCODES is on
	text string
}

func newSession(s *Server, conn *net.TCPConn, number int) *session {
	r := s.readers.Get().(*bufio.Reader)
	r.Reset(conn)
	return &session{
		s: s, number: number, raw: conn, conn: conn, r: r, w: bufio.NewWriter(conn),
		script: &transcript{}, gone: make(chan struct{}),
	}
}

// cut ends the session from outside.
func (c *session) cut() {
	c.once.Do(func() {
		close(c.gone)
		_ = c.raw.Close()
	})
}

// run speaks until the session ends.
func (c *session) run() {
	defer func() {
		c.cut()
		c.r.Reset(nil)
		c.s.readers.Put(c.r)
	}()
	if c.greet() != nil {
		return
	}
	for {
		line, err := c.read()
		if err != nil {
			return
		}
		if c.command(line) != nil {
			return
		}
	}
}

// greet goes as far as the banner.
func (c *session) greet() error {
	switch act := c.decide(&Event{Phase: AtAccept}); act.Do {
	case Pass:
	case Delay:
		if err := c.pause(act.Pause); err != nil {
			return err
		}
	default:
		_ = c.give(act, reply{code: 421, text: "not now"})
		_ = c.flush()
		return errEnd
	}
	if c.s.cfg.Implicit {
		if err := c.handshake(); err != nil {
			return err
		}
	}
	if c.crowded {
		_ = c.say(421, "", "too many connections")
		return errEnd
	}
	act := c.decide(&Event{Phase: AtBanner})
	if err := c.alone("octets before the banner", nil, false); err != nil {
		return err
	}
	return c.give(act, reply{code: 220, text: c.s.cfg.Hostname + " ESMTP"})
}

// handshake turns the connection to TLS.
func (c *session) handshake() error {
	switch act := c.decide(&Event{Phase: AtTLS}); act.Do {
	case Pass:
	case Delay:
		if err := c.pause(act.Pause); err != nil {
			return err
		}
	default: // said in the clear once the client has begun its handshake
		if _, err := c.r.Peek(1); err != nil {
			return errEnd
		}
		if err := c.give(act, reply{code: 454, text: "no TLS"}); err != nil {
			return err
		}
		_ = c.flush()
		return c.hang()
	}
	conn := tls.Server(c.raw, c.s.cfg.TLS)
	if err := conn.Handshake(); err != nil { //nolint:noctx // cut closes the connection under it
		c.s.change(func(n *Counts) { n.TLSFailed++ })
		return errEnd
	}
	c.s.change(func(n *Counts) { n.Handshakes++ })
	c.conn, c.tls = conn, true
	c.r.Reset(conn)
	c.w.Reset(conn)
	return nil
}

// decide asks what to do at a phase and counts a fault.
func (c *session) decide(e *Event) Action {
	p := c.s.plan.Load()
	if !p.asks(e.Phase) {
		return Action{}
	}
	e.Conn, e.Mail, e.TLS = c.number, c.nth, c.tls
	if e.User == "" {
		e.User = c.user
	}
	if c.open {
		e.From, e.To = c.mail.from, c.mail.to
	}
	act := p.choose(e)
	if act.Do != Pass {
		c.s.change(func(n *Counts) { n.Faults[e.Phase]++ })
		c.note(false, "(fault at "+e.Phase.String()+")")
	}
	return act
}

// read returns the next line of the client without its end, valid until the next
// read. Answers are held back while a whole further line is at hand (RFC 2920 3.2).
func (c *session) read() ([]byte, error) {
	if at, _ := c.r.Peek(c.r.Buffered()); bytes.IndexByte(at, '\n') < 0 {
		if err := c.flush(); err != nil {
			return nil, err
		}
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return nil, errEnd // closed, cut, or a line longer than any buffer
	}
	end := len(line) - 1
	if end > 0 && line[end-1] == '\r' {
		return line[:end-1], nil
	}
	c.violate("line ended by a bare LF", line[:end])
	_ = c.say(500, "5.5.2", "lines end with CRLF")
	_ = c.flush()
	return nil, errEnd
}

// alone looks, under StrictSync, for octets the client should have held back. With
// last the command must end a group even where pipelining is offered.
func (c *session) alone(what string, line []byte, last bool) error {
	cfg := &c.s.cfg
	if cfg.Pipelining && !last && what == "" {
		return nil
	}
	early := c.r.Buffered() > 0
	if !early && cfg.StrictSync {
		if err := c.flush(); err != nil {
			return err
		}
		early = c.quiet(cfg.Quiet)
	}
	if !early {
		return nil
	}
	if what == "" {
		what = "did not wait for the answer"
	}
	c.violate(what, line)
	if cfg.StrictSync {
		return errEnd
	}
	return nil
}

// quiet says whether octets arrive within the time.
func (c *session) quiet(d time.Duration) bool {
	if c.raw.SetReadDeadline(time.Now().Add(d)) != nil {
		return false
	}
	_, err := c.r.Peek(1)
	_ = c.raw.SetReadDeadline(time.Time{})
	return err == nil
}

// say answers as it should be.
func (c *session) say(code int, enh, text string) error {
	return c.give(Action{}, reply{code, enh, text})
}

// give answers in the manner of the action.
func (c *session) give(act Action, r reply) error {
	if act.Code != 0 {
		r = reply{code: act.Code, text: act.Text}
	}
	switch act.Do {
	case Hang, Drop, Reset, Garbage:
		c.given = 0
		return c.misbehave(act.Do)
	case Slow:
		return c.slowly(r, act.Pause)
	case Delay:
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.pause(act.Pause); err != nil {
			return err
		}
	case Cut:
		line := c.render(r)
		_, _ = c.w.Write(line[:min(max(act.Bytes, 0), len(line))])
		c.given = 0
		_ = c.flush()
		return errEnd
	}
	_, _ = c.w.Write(c.render(r)) // an error stays in w and comes back from flush
	c.whole(r)
	if r.code == 421 {
		_ = c.flush()
		return errEnd
	}
	return nil
}

// misbehave does what is no answer.
func (c *session) misbehave(do Do) error {
	if err := c.flush(); err != nil {
		return err
	}
	switch do {
	case Hang:
		return c.hang()
	case Reset:
		_ = c.raw.SetLinger(0) // close sends RST
		return errEnd
	case Garbage:
		_, _ = c.w.WriteString("\x16\x03\x00\xff\xfe%&\x00 no reply\r\n")
		return c.flush()
	}
	return errEnd
}

// hang reads and ignores until the other side, or the server, closes.
func (c *session) hang() error {
	_, _ = io.Copy(io.Discard, c.r)
	return errEnd
}

// slowly writes the answer octet by octet.
func (c *session) slowly(r reply, pause time.Duration) error {
	if err := c.flush(); err != nil {
		return err
	}
	line := c.render(r)
	for i, b := range line {
		if err := c.pause(pause); err != nil {
			return err
		}
		if i == len(line)-1 {
			c.whole(r)
		}
		_ = c.w.WriteByte(b)
		if err := c.flush(); err != nil {
			return err
		}
	}
	if r.code == 421 {
		return errEnd
	}
	return nil
}

// whole notes that the answer is completely in w: with the next flush the mail it
// accepts is answered.
func (c *session) whole(r reply) {
	if c.given != 0 && r.code < 300 {
		c.unsent = append(c.unsent, c.given)
	}
	c.given = 0
}

// render puts the answer into c.line (RFC 5321 4.2).
func (c *session) render(r reply) []byte {
	b, text := c.line[:0], r.text
	for more := true; more; {
		var line string
		line, text, more = strings.Cut(text, "\n")
		b = strconv.AppendInt(b, int64(r.code), 10)
		sep := byte(' ')
		if more {
			sep = '-'
		}
		b = append(b, sep)
		if r.enh != "" && c.s.cfg.EnhancedCodes {
			b = append(append(b, r.enh...), ' ')
		}
		begin := len(b)
		b = append(append(b, line...), '\r', '\n')
		if c.noting() {
			c.note(false, strconv.Itoa(r.code)+string(sep)+string(b[begin:len(b)-2]))
		}
	}
	c.line = b
	return b
}

// flush writes the answers held back. The mails they accept are marked before, so
// that a client which has its answer finds them marked, and unmarked on failure.
func (c *session) flush() error {
	if len(c.unsent) > 0 {
		c.s.answered(c.unsent, true)
	}
	err := c.w.Flush()
	if err != nil && len(c.unsent) > 0 {
		c.s.answered(c.unsent, false)
	}
	c.unsent = c.unsent[:0]
	if err != nil {
		return errEnd
	}
	return nil
}

// pause waits, or ends when the session is cut.
func (c *session) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.gone:
		return errEnd
	}
}

// noting says whether the transcript still takes lines.
func (c *session) noting() bool {
	return len(c.script.lines) < c.s.cfg.Transcript // only this goroutine appends
}

func (c *session) note(client bool, text string) {
	if !c.noting() {
		return
	}
	c.script.mu.Lock()
	defer c.script.mu.Unlock()
	c.script.lines = append(c.script.lines, Line{Client: client, TLS: c.tls, Text: text})
}

func (c *session) violate(what string, line []byte) {
	c.s.violation(Violation{Conn: c.number, What: what, Line: string(line)})
}
