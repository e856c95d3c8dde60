// Package mailtest is a real SMTP server for tests: it speaks RFC 5321 over TCP
// and TLS, keeps what it took responsibility for, is strict about the order of
// commands, and can be told to misbehave at any phase of a session. It also
// holds a TCP proxy that cuts connections at a chosen moment, and a maker of
// certificates. It listens on 127.0.0.1 only.
//
// The truth a reconciliation counts against is Server.Accepted: a mail is in it
// from the moment the server decided to take it, before the answer is written.
package mailtest

import (
	"crypto/tls"
	"time"
)

// Extensions says what the answer to EHLO offers. The zero value offers nothing.
type Extensions struct {
	Pipelining    bool     // RFC 2920
	Size          int      // RFC 1870: the limit in octets; 0 does not offer SIZE
	EightBit      bool     // RFC 6152, 8BITMIME
	UTF8          bool     // RFC 6531, SMTPUTF8
	EnhancedCodes bool     // RFC 2034: offered, and the codes are in the answers
	StartTLS      bool     // RFC 3207: offered while the connection is in the clear
	Auth          []string // RFC 4954: PLAIN, LOGIN; see Config.AuthInClear
}

// AllExtensions offers everything but STARTTLS and AUTH, with SIZE 35,000,000.
func AllExtensions() Extensions {
	return Extensions{Pipelining: true, Size: 35_000_000, EightBit: true, UTF8: true, EnhancedCodes: true}
}

// Keep says what is kept of an accepted mail.
type Keep int

// What is kept of an accepted mail, from the usual to the least.
const (
	KeepDigest Keep = iota // envelope, Message-ID, SHA-256, size and time
	KeepBytes              // the same and the content
	KeepID                 // the same without the SHA-256, for measuring speed
	KeepCount              // only counts: Accepted stays empty
)

// Config is a server's manner. The zero value is a plain server without extensions.
type Config struct {
	Hostname string // in the banner and the answer to EHLO; default relay.example
	Extensions

	TLS      *tls.Config // needed for StartTLS and Implicit
	Implicit bool        // TLS from the first byte (RFC 8314)

	User, Password string    // what AUTH must say
	AuthInClear    bool      // offer AUTH without TLS too
	RequireAuth    bool      // 530 to MAIL before AUTH
	RequireTLS     bool      // 530 to MAIL without TLS
	LoginPrompts   [2]string // of AUTH LOGIN; default Username: and Password:
	NoEHLO         bool      // 502 to EHLO, only HELO is known

	MaxConns   int // more at a time get 421 instead of the banner; 0: no limit
	MaxRcpts   int // more in one mail get 452; default 100
	ReadBuffer int // SO_RCVBUF of a connection in bytes; 0: the kernel's own

	// StrictSync looks for octets that came before the answer they should have
	// waited for, during Quiet (default 5 ms) before each answer. Such a client
	// is recorded in Violations and its connection dropped. Where pipelining is
	// offered only the commands that must end a group are looked at (RFC 2920 3.1).
	StrictSync bool
	Quiet      time.Duration

	// CheckContent records in Violations what RFC 5321 and RFC 5322 forbid in a
	// mail's content: a bare CR or LF, NUL, a line over 998 octets, and 8-bit
	// octets that MAIL did not declare. The mail is accepted all the same.
	CheckContent bool

	Keep       Keep
	Transcript int // lines kept of a connection; default 200, less than 0: none

	// Decide is asked first at every phase; when it passes, Faults are. It runs
	// in the connection's goroutine and must not call Stop or Close.
	Decide func(Event) Action
	Faults []Fault
	Seed   uint64 // of the generator behind Fault.Chance
}

// maxContent bounds a mail where SIZE is not offered.
const maxContent = 64 << 20

// withDefaults fills what the caller left open.
func (c Config) withDefaults() Config {
	if c.Hostname == "" {
		c.Hostname = "relay.example"
	}
	if c.LoginPrompts == [2]string{} {
		c.LoginPrompts = [2]string{"Username:", "Password:"}
	}
	if c.MaxRcpts == 0 {
		c.MaxRcpts = 100
	}
	if c.Quiet == 0 {
		c.Quiet = 5 * time.Millisecond
	}
	if c.Transcript == 0 {
		c.Transcript = 200
	}
	return c
}

// limit is the largest content accepted, in octets.
func (c *Config) limit() int {
	if c.Size > 0 {
		return c.Size
	}
	return maxContent
}
