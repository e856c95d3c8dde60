// Package mail is the transport that hands letters to an SMTP server over connections of its own (RFC 5321, with
// STARTTLS, AUTH, PIPELINING, SIZE, 8BITMIME and SMTPUTF8). It classifies what became of each letter and never tries a
// letter again by itself.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
)

// Security says how a connection is secured.
type Security string

// The kinds of connection.
const (
	Required Security = "required" // the default: TLS in the way the port implies, Implicit on 465, else StartTLS
	StartTLS Security = "starttls" // STARTTLS or nothing
	Implicit Security = "implicit" // TLS from the first byte (RFC 8314)
	Plain    Security = "none"     // in clear
)

// What is used where the settings say nothing.
const (
	defaultPhase         = 30 * time.Second
	defaultLanes         = 4
	defaultPerConnection = 100
	defaultMaxSize       = 1_400_000
)

// Config holds the settings of the server.
type Config struct {
	Host     string // a name, or an address: then no DNS is asked
	Port     int
	Security Security // empty: Required
	// TLSMin is the oldest TLS to take: "1.0", "1.1", "1.2" (the default) or "1.3". Below 1.2 the key exchanges of that
	// time are allowed too.
	TLSMin string
	// CA is in PEM form the authorities that may have signed the server's certificate. Empty: those of the system.
	CA []byte
	// Fingerprint is the SHA-256 of the server's certificate in hex, with or without colons. Where it is set, it alone
	// decides: name, signer and dates of the certificate are not looked at (a self-signed relay in an intranet).
	Fingerprint string
	// ServerName is the name the certificate must be for. Empty: Host.
	ServerName string
	// TLS is what the settings above are put on. It is cloned. Nil: Go's own.
	TLS *tls.Config

	Username string // empty: no login
	Password string
	// PlainAuthHosts are the hosts, written as in Host, to which the password may go over a connection that is not
	// encrypted. To any other such connection nothing of a login is sent, also on this machine.
	PlainAuthHosts []string
	Hello          string // the name in EHLO; empty: localhost

	// Connect bounds dialling. Zero: Phase.
	Connect time.Duration
	// Phase bounds each step of the conversation, however the bytes come: each reply, the TLS handshake, each 64 KB of a
	// body, the answer to the final dot. Zero: 30 seconds.
	Phase time.Duration

	Lanes         int // connections at the same time; zero: 4
	PerConnection int // letters, after which a connection is replaced; zero: 100
	// MaxSize is the largest mail in bytes, as far as the server's own SIZE is not smaller. Zero: 1,400,000.
	MaxSize int64
}

// Transport sends letters over several connections, one for each lane that is sending. There are never more of them than
// Config.Lanes, however many lanes are asked for: a lane waits until another one's turn is over.
type Transport struct {
	cfg    Config
	tls    *tls.Config
	plain  bool // the password may go in clear
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	single notify.Lane

	pool pool
}

var (
	_ notify.Transport = (*Transport)(nil)
	_ notify.Single    = (*Transport)(nil)
)

// New checks the settings and returns a transport, whose lanes connect when their first letter comes.
func New(cfg Config) (*Transport, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, fmt.Errorf("configure mail: %w", err)
	}
	settings, err := cfg.tls()
	if err != nil {
		return nil, fmt.Errorf("configure mail: %w", err)
	}
	t := &Transport{
		cfg: cfg, tls: settings, dial: (&net.Dialer{}).DialContext, pool: pool{limit: cfg.Lanes, places: map[*lane]*session{}},
		plain: slices.ContainsFunc(cfg.PlainAuthHosts, func(h string) bool { return strings.EqualFold(h, cfg.Host) }),
	}
	t.single = t.Lane()
	return t, nil
}

// checked returns the settings with every default in its place.
func (c Config) checked() (Config, error) {
	switch c.Security {
	case "", Required:
		c.Security = StartTLS
		if c.Port == 465 {
			c.Security = Implicit
		}
	case StartTLS, Implicit, Plain:
	default:
		return c, fmt.Errorf("security %q: want required, starttls, implicit or none", c.Security)
	}
	if c.Host == "" || c.Port < 1 || c.Port > 65535 {
		return c, fmt.Errorf("server %q port %d: want a host and a port", c.Host, c.Port)
	}
	if c.Hello == "" {
		c.Hello = "localhost"
	}
	for _, s := range []string{c.Hello, c.Username, c.Password, c.Host, c.ServerName} {
		if strings.ContainsAny(s, "\r\n\x00") {
			return c, errors.New("a setting holds a line break")
		}
	}
	if strings.Contains(c.Hello, " ") {
		return c, fmt.Errorf("hello name %q holds a space", c.Hello)
	}
	if c.Lanes < 0 || c.PerConnection < 0 || c.MaxSize < 0 {
		return c, fmt.Errorf("%d connections of %d letters of %d bytes: want no negative number", c.Lanes, c.PerConnection, c.MaxSize)
	}
	if c.Phase <= 0 {
		c.Phase = defaultPhase
	}
	if c.Connect <= 0 {
		c.Connect = c.Phase
	}
	if c.Lanes == 0 {
		c.Lanes = defaultLanes
	}
	if c.PerConnection == 0 {
		c.PerConnection = defaultPerConnection
	}
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	return c, nil
}

// Name returns "smtp".
func (t *Transport) Name() string { return "smtp" }

// Phase returns the longest a single step may take. A worker begins no letter unless its lease outlives twice that.
func (t *Transport) Phase() time.Duration { return t.cfg.Phase }

// Lanes returns how many connections may be open at the same time.
func (t *Transport) Lanes() int { return t.cfg.Lanes }

// Lane returns a lane, which connects when its first mail comes and fewer than Lanes connections are open.
func (t *Transport) Lane() notify.Lane { return &lane{t: t} }

// Close says goodbye on every connection at once; what the server answers is of no consequence. It waits for what is
// being sent.
func (t *Transport) Close() error {
	var wg sync.WaitGroup
	for _, l := range t.pool.lanes() {
		wg.Go(func() { _ = l.Close() })
	}
	wg.Wait()
	return nil
}

// Send hands over one letter on a lane of its own and returns its receipt. beforeDot, where there is one, is called as
// in notify.Each.
func (t *Transport) Send(ctx context.Context, msg compose.Message, beforeDot func() error) notice.Receipt {
	r := notice.Receipt{Outcome: notice.OutcomeTemporary}
	var refused error
	n := t.single.Send(ctx, []compose.Message{msg}, notify.Each{
		BeforeDot: func(int, compose.Message) error {
			if beforeDot != nil {
				refused = beforeDot()
			}
			return refused
		},
		Done: func(_ int, got notice.Receipt) bool { r = got; return true },
	})
	switch {
	case n > 0:
	case refused != nil:
		r.Phase, r.Reply = notice.PhaseBody, oneLine(fmt.Sprintf("not finished: %v", refused))
	default:
		r.Reply = oneLine(fmt.Sprintf("not begun: %v", context.Cause(ctx)))
	}
	return r
}
