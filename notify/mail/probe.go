package mail

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"duban/notify/notice"
)

// Check is one step of a probe.
type Check struct {
	Step string // connect, greeting, tls, hello, login, sender, recipient, reset or quit
	OK   bool
	Warn bool   // it works and should not stay so
	Text string // what was found, in one line
	// Code is the server's refusal; 0: the step went well, or no reply came. Secured says that the connection was encrypted.
	Code    int
	Secured bool
}

// soon is how long before its end a certificate is worth a warning.
const soon = 30 * 24 * time.Hour

// prober goes through the steps of a conversation.
type prober struct {
	ctx    context.Context
	s      *session
	checks []Check
}

// Probe goes through the steps of sending a letter and tells of each; it never sends DATA. The step that fails is the
// last one. With rcpt empty no recipient is asked for. Settings that cannot work fail the step connect.
func Probe(ctx context.Context, cfg Config, from, rcpt string) []Check {
	t, err := New(cfg)
	if err != nil {
		return []Check{{Step: "connect", Text: oneLine(err.Error())}}
	}
	p := &prober{ctx: ctx}
	s, v := t.reach(ctx)
	if !p.step("connect", v, fmt.Sprintf("%s port %d answers", t.cfg.Host, t.cfg.Port)) {
		return p.checks
	}
	p.s = s
	release := s.bind(ctx)
	defer release()
	defer s.drop()
	if p.open() {
		p.envelope(from, rcpt)
	}
	return p.checks
}

// step records a step; false: it failed.
func (p *prober) step(name string, v *verdict, text string) bool {
	c := Check{Step: name, OK: v == nil, Text: oneLine(text), Secured: p.s != nil && p.s.secured}
	if v != nil {
		c.Code, c.Text = v.code, v.receipt(p.ctx, 0).String()
	}
	p.checks = append(p.checks, c)
	return v == nil
}

func (p *prober) warn(text string) {
	last := &p.checks[len(p.checks)-1]
	last.Warn, last.Text = true, oneLine(last.Text+text)
}

// open goes from the TCP connection to the login.
func (p *prober) open() bool {
	s := p.s
	way := s.t.cfg.Security
	if way == Implicit && !p.secured(s.handshake()) {
		return false
	}
	if !p.step("greeting", s.greeting(), p.lastReply()) {
		return false
	}
	switch way { //nolint:exhaustive // New has turned Required into one of the others
	case StartTLS:
		if v := s.hello(); v != nil {
			return p.step("hello", v, "")
		}
		if !p.secured(s.startTLS()) {
			return false
		}
	case Plain:
		p.step("tls", nil, "NOT ENCRYPTED: letters can be read and changed on the way (mail.smtp.tls is none)")
		p.warn("")
	}
	return p.step("hello", s.hello(), p.offers()) && p.login()
}

// lastReply is what the server said last.
func (p *prober) lastReply() string {
	if p.s.rep.code == 0 {
		return ""
	}
	_, text := p.s.rep.said()
	return fmt.Sprintf("%d %s", p.s.rep.code, text)
}

func (p *prober) offers() string {
	if len(p.s.ext.all) == 0 {
		return "the server offers no extensions"
	}
	return "the server offers " + strings.Join(p.s.ext.all, ", ")
}

// secured tells of the TLS connection and its certificate.
func (p *prober) secured(v *verdict) bool {
	if v != nil {
		return p.step("tls", v, "")
	}
	state := p.s.state
	leaf := state.PeerCertificates[0]
	p.step("tls", nil, fmt.Sprintf("%s, certificate of %s, until %s", tls.VersionName(state.Version), leaf.Subject, leaf.NotAfter.Format(time.DateOnly)))
	if left := time.Until(leaf.NotAfter); left < 0 {
		p.warn("; IT HAS EXPIRED and is taken by its fingerprint")
	} else if left < soon {
		p.warn(fmt.Sprintf("; it ends in %d days", int(left.Hours()/24)))
	}
	if state.Version < tls.VersionTLS12 {
		p.warn("; this TLS is too old to protect anything")
	}
	return true
}

func (p *prober) login() bool {
	cfg := p.s.t.cfg
	if cfg.Username == "" {
		return p.step("login", nil, "no user is configured")
	}
	if !p.step("login", p.s.login(), "logged in as "+cfg.Username) {
		return false
	}
	if !p.s.secured {
		p.warn("; THE PASSWORD WENT IN CLEAR and can be read on the way (mail.smtp.allow_plain_auth)")
	}
	return true
}

// envelope asks for a sender and a recipient, takes both back, and says goodbye, also after a refusal.
func (p *prober) envelope(from, rcpt string) {
	end := ">"
	if p.s.ext.utf8 && !(ascii(from) && ascii(rcpt)) {
		end = "> SMTPUTF8"
	}
	ok := p.address("sender", notice.PhaseSender, "MAIL FROM:<", from, end)
	if ok && rcpt != "" {
		ok = p.address("recipient", notice.PhaseRecipient, "RCPT TO:<", rcpt, ">")
	}
	ok = ok && p.step("reset", p.command(notice.PhaseSender, "RSET"), p.lastReply())
	if !ok {
		p.s.quit()
		return
	}
	p.s.end = time.Now().Add(min(p.s.phase, quitWait))
	v := p.command(notice.PhaseSender, "QUIT")
	p.step("quit", nil, p.lastReply())
	if v != nil {
		p.warn("the server does not take leave: " + v.text)
	}
}

// address offers one address of an envelope.
func (p *prober) address(step string, phase notice.Phase, command, address, end string) bool {
	if badAddress(address) {
		return p.step(step, refuse(phase, "address %q cannot be used", address), "")
	}
	if !ascii(address) && !p.s.ext.utf8 {
		return p.step(step, refuse(phase, "the address is not plain ASCII and the server does not take such (no SMTPUTF8)"), "")
	}
	return p.step(step, p.command(phase, command, address, end), p.lastReply())
}

// command sends one command that is answered with 2xx where it is taken.
func (p *prober) command(phase notice.Phase, words ...string) *verdict {
	if err := p.s.ask(words...); err != nil {
		return p.s.broke(phase, err)
	}
	if p.s.rep.code/100 != 2 {
		return p.s.said(phase)
	}
	return nil
}
