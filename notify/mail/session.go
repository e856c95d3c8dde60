package mail

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"strconv"
	"strings"
	"time"

	"duban/notify/notice"
)

// extensions are what a server offers in its answer to EHLO.
type extensions struct {
	pipelining bool     // RFC 2920
	eightBit   bool     // RFC 6152
	utf8       bool     // RFC 6531
	sizes      bool     // RFC 1870
	size       int64    // its limit; 0: none is told
	startTLS   bool     // RFC 3207
	auth       []string // mechanisms in upper case (RFC 4954)
	all        []string // as they were said
}

// session is one connection to a server.
type session struct {
	*wire
	t       *Transport
	ext     extensions
	secured bool
	state   tls.ConnectionState // where secured
	mails   int                 // that were begun on it
	dirty   bool                // a refusal may have left something behind: RSET comes first
	used    time.Time           // when the last one ended
}

// connect dials, secures and authenticates. Whatever goes wrong here concerns the server, not the letter. The second
// result ends the session's being closed with the context; it is nil where there is no session.
func (t *Transport) connect(ctx context.Context) (*session, func() bool, *verdict) {
	s, v := t.reach(ctx)
	if v != nil {
		return nil, nil, v
	}
	release := s.bind(ctx)
	if v = s.open(); v == nil {
		return s, release, nil
	}
	release()
	s.drop()
	v.lost = true
	return nil, nil, v
}

// reach makes the TCP connection.
func (t *Transport) reach(ctx context.Context) (*session, *verdict) {
	addr := net.JoinHostPort(t.cfg.Host, strconv.Itoa(t.cfg.Port))
	dial, cancel := context.WithTimeout(ctx, t.cfg.Connect)
	defer cancel()
	raw, err := t.dial(dial, "tcp", addr)
	if err != nil {
		v := failed(notice.PhaseConnect, "connect to %s: %v", addr, err)
		v.broken = true
		return nil, v
	}
	return &session{wire: newWire(raw, t.cfg.Phase), t: t}, nil
}

// bind lets the connection live by ctx until release is called: its deadline bounds every phase, and its end closes the
// connection. release reports whether the connection is still alive.
func (s *session) bind(ctx context.Context) (release func() bool) {
	s.end, _ = ctx.Deadline()
	raw := s.raw
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	return func() bool {
		s.end = time.Time{}
		return stop()
	}
}

// open brings a fresh connection to the point where a letter can be sent.
func (s *session) open() *verdict {
	if s.t.cfg.Security == Implicit {
		if v := s.handshake(); v != nil {
			return v
		}
	}
	if v := s.greeting(); v != nil {
		return v
	}
	if v := s.hello(); v != nil {
		return v
	}
	if s.t.cfg.Security == StartTLS {
		if v := s.startTLS(); v != nil {
			return v
		}
		if v := s.hello(); v != nil {
			return v
		}
	}
	return s.login()
}

// greeting reads the server's first line.
func (s *session) greeting() *verdict {
	if err := s.read(); err != nil {
		return s.broke(notice.PhaseGreeting, err)
	}
	if s.rep.code != 220 {
		return s.said(notice.PhaseGreeting)
	}
	return nil
}

// hello says who we are and learns what the server can do. A server that knows no EHLO is greeted in the old way, where
// it is not expected to offer anything.
func (s *session) hello() *verdict {
	s.ext = extensions{}
	if err := s.ask("EHLO ", s.t.cfg.Hello); err != nil {
		return s.broke(notice.PhaseHello, err)
	}
	switch code := s.rep.code; {
	case code == 250:
		s.ext = offered(s.rep.text)
		return nil
	case code != 500 && code != 502 && code != 504 && code != 550:
		return s.said(notice.PhaseHello)
	case s.t.cfg.Security == StartTLS && !s.secured:
		v := s.said(notice.PhaseHello)
		v.text += " (a server that knows no EHLO knows no STARTTLS; nothing is sent in clear unless mail.smtp.tls says so)"
		return v
	}
	if err := s.ask("HELO ", s.t.cfg.Hello); err != nil {
		return s.broke(notice.PhaseHello, err)
	}
	if s.rep.code != 250 {
		return s.said(notice.PhaseHello)
	}
	return nil
}

// offered reads the lines after the first of an answer to EHLO. "AUTH=LOGIN" is how servers older than RFC 4954 say it.
func offered(text []byte) extensions {
	var e extensions
	_, rest, _ := strings.Cut(string(text), "\n")
	for l := range strings.SplitSeq(rest, "\n") {
		words := strings.Fields(strings.ToUpper(strings.Replace(l, "=", " ", 1)))
		if len(words) == 0 {
			continue
		}
		e.all = append(e.all, oneLine(l))
		switch words[0] {
		case "PIPELINING":
			e.pipelining = true
		case "8BITMIME":
			e.eightBit = true
		case "SMTPUTF8":
			e.utf8 = true
		case "STARTTLS":
			e.startTLS = true
		case "AUTH":
			e.auth = append(e.auth, words[1:]...)
		case "SIZE":
			e.sizes = true
			if len(words) > 1 {
				e.size, _ = strconv.ParseInt(words[1], 10, 64)
			}
		}
	}
	return e
}

// startTLS secures the connection or gives it up; it is never used in clear. Bytes that arrive together with the answer
// to STARTTLS were put there by somebody else and end the connection (CVE-2011-0411). What was offered in clear is void, and
// hello has to follow (RFC 3207, 4.2).
func (s *session) startTLS() *verdict {
	if !s.ext.startTLS {
		return failed(notice.PhaseTLS, "the server does not offer STARTTLS; nothing is sent in clear (mail.smtp.tls says how to connect)")
	}
	if err := s.ask("STARTTLS"); err != nil {
		return s.broke(notice.PhaseTLS, err)
	}
	if s.rep.code != 220 {
		return s.said(notice.PhaseTLS)
	}
	if s.in.Buffered() > 0 {
		return failed(notice.PhaseTLS, "the server sent more than its answer to STARTTLS: somebody is on the line")
	}
	return s.handshake()
}

// handshake goes on over TLS.
func (s *session) handshake() *verdict {
	c := tls.Client(s.raw, s.t.tls)
	if err := s.raw.SetDeadline(s.deadline()); err != nil {
		return s.broke(notice.PhaseTLS, err)
	}
	if err := c.Handshake(); err != nil { //nolint:noctx // the context closes the connection, see bind
		return s.broke(notice.PhaseTLS, err)
	}
	s.over(c)
	s.secured, s.state = true, c.ConnectionState()
	return nil
}

// login logs in where there is a user. A server that does not ask for the password gets no letter, and over a connection
// that is not encrypted nothing is said unless its host was named for that.
func (s *session) login() *verdict {
	cfg := &s.t.cfg
	if cfg.Username == "" {
		return nil
	}
	if !s.secured && !s.t.plain {
		return failed(notice.PhaseLogin, "the password is not sent over a connection that is not encrypted; a relay that knows no TLS has to be named in mail.smtp.allow_plain_auth")
	}
	plain, login := false, false
	for _, mech := range s.ext.auth {
		plain, login = plain || mech == "PLAIN", login || mech == "LOGIN"
	}
	var v *verdict
	switch {
	case plain:
		v = s.authPlain(cfg.Username, cfg.Password)
	case login:
		v = s.authLogin(cfg.Username, cfg.Password)
	case len(s.ext.auth) == 0:
		return failed(notice.PhaseLogin, "a user is configured and the server offers no login (AUTH)")
	default:
		return failed(notice.PhaseLogin, "the server offers neither AUTH PLAIN nor LOGIN but %s", strings.Join(s.ext.auth, " "))
	}
	if v != nil {
		v.text = hide(v.text, cfg.Username, cfg.Password)
	}
	return v
}

// authPlain logs in by PLAIN (RFC 4616), with the answer in the command; a server that asks for it again gets it once
// more.
func (s *session) authPlain(user, password string) *verdict {
	answer := plainAnswer(user, password)
	if err := s.ask("AUTH PLAIN ", answer); err != nil {
		return s.broke(notice.PhaseLogin, err)
	}
	if s.rep.code == 334 {
		if err := s.ask(answer); err != nil {
			return s.broke(notice.PhaseLogin, err)
		}
	}
	return s.loggedIn()
}

// authLogin logs in by LOGIN, which has no standard: servers prompt with whatever words they like, so the answers go by
// turn.
func (s *session) authLogin(user, password string) *verdict {
	if err := s.ask("AUTH LOGIN"); err != nil {
		return s.broke(notice.PhaseLogin, err)
	}
	for _, answer := range [...]string{user, password} {
		if s.rep.code != 334 {
			break
		}
		if err := s.ask(encode(answer)); err != nil {
			return s.broke(notice.PhaseLogin, err)
		}
	}
	return s.loggedIn()
}

// loggedIn judges the last answer to AUTH.
func (s *session) loggedIn() *verdict {
	if s.rep.code/100 == 2 {
		return nil
	}
	v := s.said(notice.PhaseLogin)
	v.lost = true
	if v.code == 334 {
		v.text = "the server asks for more than a name and a password"
	}
	return v
}

func plainAnswer(user, password string) string { return encode("\x00" + user + "\x00" + password) }

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// hide takes a password out of what a server said.
func hide(s, user, password string) string {
	if password == "" {
		return s
	}
	return strings.NewReplacer(password, "***", encode(password), "***", plainAnswer(user, password), "***").Replace(s)
}

// quitWait bounds the wait for the answer to QUIT.
const quitWait = 5 * time.Second

// quit says goodbye and closes the connection; what the server answers is of no consequence.
func (s *session) quit() {
	s.end = time.Now().Add(min(s.phase, quitWait))
	_ = s.ask("QUIT")
	_ = s.conn.Close()
	s.drop()
}

// leave says goodbye to a server that may be gone already, and does not wait for an answer.
func (s *session) leave() {
	s.putLine("QUIT")
	_ = s.flush()
	s.drop()
}

// drop closes the connection without a word.
func (s *session) drop() { _ = s.raw.Close() }
