package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one connection that has been greeted, secured and authenticated.
type session struct {
	client *smtp.Client
	conn   *phaseConn
	used   bool // a letter was begun on it
}

// connect dials, secures and authenticates. Whatever goes wrong here concerns the server, not the letter.
func (t *Transport) connect(ctx context.Context) (*session, error) {
	addr := net.JoinHostPort(t.cfg.Host, strconv.Itoa(t.cfg.Port))
	dialCtx, cancel := context.WithTimeout(ctx, t.cfg.Connect)
	defer cancel()
	raw, err := t.dial(dialCtx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	conn := &phaseConn{Conn: raw, phase: t.cfg.Phase}
	release := conn.bind(ctx)
	s, err := t.open(conn)
	if alive := release(); err == nil && !alive {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", addr, err), ignoreClosed(raw.Close()))
	}
	return s, nil
}

// open brings a fresh connection to the point where a letter can be sent.
func (t *Transport) open(conn *phaseConn) (*session, error) {
	var stream net.Conn = conn
	switch t.cfg.Security {
	case Implicit:
		stream = tls.Client(conn, t.tls)
	case StartTLS:
		if err := t.startTLS(conn); err != nil {
			return nil, err
		}
		stream = &greeted{Conn: tls.Client(conn, t.tls), rest: []byte("220 secured\r\n")}
	case Plain:
	}
	c := smtp.NewClient(stream)
	if err := c.Hello(t.cfg.Hello); err != nil {
		return nil, fmt.Errorf("greet: %w", err)
	}
	if err := t.authenticate(c); err != nil {
		return nil, err
	}
	return &session{client: c, conn: conn}, nil
}

// startTLS speaks the clear beginning of a connection itself: under our own name, and without ever going on in clear.
// Bytes that arrive together with the answer to STARTTLS were put there by somebody else and end the connection
// (CVE-2011-0411).
func (t *Transport) startTLS(conn *phaseConn) error {
	buf := bufio.NewReader(io.LimitReader(conn, 64<<10))
	r := textproto.NewReader(buf)
	if _, _, err := r.ReadResponse(220); err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	if _, err := fmt.Fprintf(conn, "EHLO %s\r\n", t.cfg.Hello); err != nil {
		return fmt.Errorf("send EHLO: %w", err)
	}
	_, text, err := r.ReadResponse(250)
	if err != nil {
		return fmt.Errorf("send EHLO: %w", err)
	}
	offered := false
	for l := range strings.SplitSeq(text, "\n") {
		offered = offered || strings.EqualFold(strings.TrimSpace(l), "STARTTLS")
	}
	if !offered {
		return errors.New("the server does not offer STARTTLS; nothing is sent in clear (mail.smtp.security says how to connect)")
	}
	if _, err := io.WriteString(conn, "STARTTLS\r\n"); err != nil {
		return fmt.Errorf("send STARTTLS: %w", err)
	}
	if _, _, err := r.ReadResponse(220); err != nil {
		return fmt.Errorf("send STARTTLS: %w", err)
	}
	if buf.Buffered() > 0 {
		return errors.New("the server sent more than its answer to STARTTLS: somebody is on the line")
	}
	return nil
}

// authenticate logs in where there is a user; a server that does not ask for the password gets no letter.
func (t *Transport) authenticate(c *smtp.Client) error {
	if t.cfg.Username == "" {
		return nil
	}
	var how sasl.Client
	switch {
	case c.SupportsAuth(sasl.Plain):
		how = sasl.NewPlainClient("", t.cfg.Username, t.cfg.Password)
	case c.SupportsAuth(sasl.Login):
		how = &login{user: t.cfg.Username, password: t.cfg.Password}
	default:
		_, offered := c.Extension("AUTH")
		return fmt.Errorf("log in as %s: the server offers neither PLAIN nor LOGIN (offered: %q)", t.cfg.Username, offered)
	}
	if err := c.Auth(how); err != nil {
		return fmt.Errorf("log in as %s: %w", t.cfg.Username, err)
	}
	return nil
}

// login is the LOGIN mechanism, which has no standard: servers prompt with whatever words they like, so the answers go
// by turn.
type login struct {
	user, password string
	turn           int
}

// Start implements sasl.Client.
func (l *login) Start() (string, []byte, error) { return sasl.Login, nil, nil }

// Next implements sasl.Client.
func (l *login) Next([]byte) ([]byte, error) {
	l.turn++
	switch l.turn {
	case 1:
		return []byte(l.user), nil
	case 2:
		return []byte(l.password), nil
	}
	return nil, errors.New("the server asks for more than a name and a password")
}

// ignoreClosed drops the error of closing what is closed already.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
