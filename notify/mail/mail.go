// Package mail is the transport that hands letters to an SMTP server. It classifies what became of each letter and
// never tries again by itself.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-smtp"

	"duban/notify/compose"
	"duban/notify/notice"
)

// Security says how a connection is secured.
type Security string

// The kinds of connection.
const (
	StartTLS Security = "starttls" // the default: STARTTLS or nothing
	Implicit Security = "tls"      // TLS from the first byte
	Plain    Security = "none"     // in clear, for a relay on the same host
)

// Config holds the settings of the server.
type Config struct {
	Host     string
	Port     int
	Security Security // empty: StartTLS
	Username string   // empty: no login
	Password string
	Hello    string // the name in EHLO; empty: localhost
	// Connect bounds dialling. Zero: Phase.
	Connect time.Duration
	// Phase bounds each step of the conversation: each command, each piece of a body, the answer to the final dot. Zero:
	// 30 seconds.
	Phase time.Duration
	// TLS is cloned; its ServerName defaults to Host. Nil: the system's roots, TLS 1.2 or later.
	TLS *tls.Config
}

// Transport sends letters over one connection, one at a time, and keeps it for the next letter.
type Transport struct {
	cfg  Config
	tls  *tls.Config
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu   sync.Mutex
	live *session
	// down remembers, until the given time, that the server could not be reached: a hundred letters do not wait for it
	// one after the other.
	down      error
	downUntil time.Time
}

// New checks the settings and returns a transport, which connects when the first letter comes.
func New(cfg Config) (*Transport, error) {
	if cfg.Security == "" {
		cfg.Security = StartTLS
	}
	if cfg.Security != StartTLS && cfg.Security != Implicit && cfg.Security != Plain {
		return nil, fmt.Errorf("configure mail: security %q: want starttls, tls or none", cfg.Security)
	}
	if cfg.Host == "" || cfg.Port < 1 || cfg.Port > 65535 {
		return nil, fmt.Errorf("configure mail: server %q port %d: want a host and a port", cfg.Host, cfg.Port)
	}
	if cfg.Hello == "" {
		cfg.Hello = "localhost"
	}
	for _, s := range []string{cfg.Hello, cfg.Username, cfg.Password, cfg.Host} {
		if strings.ContainsAny(s, "\r\n\x00") {
			return nil, errors.New("configure mail: a setting holds a line break")
		}
	}
	if strings.Contains(cfg.Hello, " ") {
		return nil, fmt.Errorf("configure mail: hello name %q holds a space", cfg.Hello)
	}
	if cfg.Phase <= 0 {
		cfg.Phase = 30 * time.Second
	}
	if cfg.Connect <= 0 {
		cfg.Connect = cfg.Phase
	}
	t := &Transport{cfg: cfg, tls: &tls.Config{MinVersion: tls.VersionTLS12}, dial: (&net.Dialer{}).DialContext}
	if cfg.TLS != nil {
		t.tls = cfg.TLS.Clone()
	}
	if t.tls.ServerName == "" {
		t.tls.ServerName = cfg.Host
	}
	return t, nil
}

// Name returns "smtp".
func (t *Transport) Name() string { return "smtp" }

// Phase returns the longest a single step may take. A worker begins no letter unless its lease outlives twice that.
func (t *Transport) Phase() time.Duration { return t.cfg.Phase }

// Close says goodbye; what the server answers is of no consequence.
func (t *Transport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(t.cfg.Phase, 5*time.Second))
	defer cancel()
	release := t.live.conn.bind(ctx)
	defer release()
	_ = t.live.client.Quit()
	t.drop()
	return nil
}

// drop closes the connection without a word.
func (t *Transport) drop() {
	if t.live != nil {
		_ = t.live.conn.Close()
		t.live = nil
	}
}

// Send hands over one letter in one envelope. beforeDot is called when all of it has been written and before the final
// dot that makes the server take it: an error from it drops the connection, and with it the letter.
//
//   - accepted: the server said yes after the final dot; whatever happens afterwards changes nothing
//   - permanent: 5xx about this letter, or an address that can never work
//   - temporary: 4xx, and everything that breaks before the final dot, or concerns the server and not the letter
//   - unknown: broken between the final dot and the answer to it
func (t *Transport) Send(ctx context.Context, msg compose.Message, beforeDot func() error) notice.Receipt {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range []string{msg.From, msg.To} {
		if a == "" || strings.ContainsAny(a, "\r\n\x00<> ") {
			return receipt(notice.OutcomePermanent, fmt.Sprintf("address %q cannot be used", a))
		}
	}
	s, err := t.begin(ctx, msg)
	if err != nil {
		return t.refused(err)
	}
	release := s.conn.bind(ctx)
	r := t.transfer(s, msg, beforeDot)
	if !release() {
		t.drop()
	}
	return r
}

// begin returns a connection on which the server has accepted the sender. A connection kept from an earlier letter may
// have gone stale meanwhile: then, and only then, a second one is opened. Nothing of the letter was said on the first.
func (t *Transport) begin(ctx context.Context, msg compose.Message) (*session, error) {
	if s := t.live; s != nil {
		err := t.mailFrom(ctx, s, msg)
		if err == nil || !stale(err) {
			return s, err
		}
		t.drop()
	}
	if now := time.Now(); t.down != nil && now.Before(t.downUntil) {
		return nil, t.down
	}
	s, err := t.connect(ctx)
	if err != nil {
		if ctx.Err() == nil {
			t.down, t.downUntil = err, time.Now().Add(t.cfg.Phase)
		}
		return nil, serverError{err}
	}
	t.down = nil
	t.live = s
	return s, t.mailFrom(ctx, s, msg)
}

// mailFrom opens the envelope, after wiping what an earlier letter may have left on the connection.
func (t *Transport) mailFrom(ctx context.Context, s *session, msg compose.Message) error {
	release := s.conn.bind(ctx)
	defer release()
	if s.used {
		if err := s.client.Reset(); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	s.used = true
	opts := &smtp.MailOptions{Size: int64(len(msg.Bytes))}
	if !ascii(msg.From) || !ascii(msg.To) {
		if ok, _ := s.client.Extension("SMTPUTF8"); !ok {
			return badAddress{}
		}
		opts.UTF8 = true
	}
	if err := s.client.Mail(msg.From, opts); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	return nil
}

// transfer says who the letter is for and hands it over.
func (t *Transport) transfer(s *session, msg compose.Message, beforeDot func() error) notice.Receipt {
	if err := s.client.Rcpt(msg.To, nil); err != nil {
		return t.refused(fmt.Errorf("recipient: %w", err))
	}
	w, err := s.client.Data()
	if err != nil {
		return t.refused(fmt.Errorf("data: %w", err))
	}
	if _, err := w.Write(msg.Bytes); err != nil {
		t.drop()
		return receipt(notice.OutcomeTemporary, fmt.Sprintf("write letter: %v", err))
	}
	if beforeDot != nil {
		if err := beforeDot(); err != nil {
			t.drop() // without its final dot, the server throws the letter away (RFC 5321, 4.1.1.4)
			return receipt(notice.OutcomeTemporary, fmt.Sprintf("not finished: %v", err))
		}
	}
	answer, err := w.CloseWithResponse()
	if err == nil {
		return receipt(notice.OutcomeAccepted, "250 "+answer.StatusText)
	}
	if said, ok := errors.AsType[*smtp.SMTPError](err); ok {
		switch said.Code / 100 {
		case 2: // 251 and its like: the server has taken it
			return receipt(notice.OutcomeAccepted, fmt.Sprintf("%d %s", said.Code, said.Message))
		case 4, 5:
			return t.refused(fmt.Errorf("after the final dot: %w", err))
		}
	}
	t.drop()
	return receipt(notice.OutcomeUnknown, fmt.Sprintf("broken after the final dot: %v", err))
}

// serverError wraps what is wrong with the server and not with the letter: it is temporary whatever its code.
type serverError struct{ error }

// Unwrap returns the error itself.
func (e serverError) Unwrap() error { return e.error }

// badAddress is an address outside ASCII on a server without SMTPUTF8.
type badAddress struct{}

func (badAddress) Error() string {
	return "the address is not plain ASCII and the server does not take such (no SMTPUTF8)"
}

// refused turns an error before or at the final dot into a receipt, and drops the connection unless the server answered
// in good order.
func (t *Transport) refused(err error) notice.Receipt {
	if _, ok := errors.AsType[badAddress](err); ok {
		return receipt(notice.OutcomePermanent, err.Error())
	}
	if _, ok := errors.AsType[serverError](err); ok {
		t.drop()
		return receipt(notice.OutcomeTemporary, err.Error())
	}
	answer, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok {
		t.drop()
		return receipt(notice.OutcomeTemporary, err.Error())
	}
	said := err.Error()
	if !strings.Contains(said, fmt.Sprint(answer.Code)) {
		said = fmt.Sprintf("%d %s", answer.Code, said)
	}
	switch answer.Code {
	case 421, 503, 530, 534, 535, 538: // the connection, its order or the login: nothing about this letter
		t.drop()
		return receipt(notice.OutcomeTemporary, said)
	}
	if answer.Code >= 500 {
		return receipt(notice.OutcomePermanent, said)
	}
	return receipt(notice.OutcomeTemporary, said)
}

// stale reports whether an error on a kept connection says nothing about the letter: the connection broke, or the
// server would take no more on it.
func stale(err error) bool {
	if _, ok := errors.AsType[badAddress](err); ok {
		return false
	}
	answer, ok := errors.AsType[*smtp.SMTPError](err)
	return !ok || answer.Code == 421 || answer.Code == 503
}

// maxReply bounds what is kept of a server's words.
const maxReply = 500

// receipt is an outcome with the server's words on one line.
func receipt(o notice.Outcome, reply string) notice.Receipt {
	reply = strings.Join(strings.Fields(strings.ToValidUTF8(reply, "?")), " ")
	if len(reply) > maxReply {
		cut := maxReply
		for !utf8.RuneStart(reply[cut]) {
			cut--
		}
		reply = reply[:cut]
	}
	return notice.Receipt{Outcome: o, Reply: reply}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
