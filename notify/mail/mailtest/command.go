package mailtest

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
)

// The longest lines without CRLF: RFC 5321 4.5.3.1.4 with what RFC 1870, 6152 and
// 6531 add to MAIL and RCPT, and RFC 4954 section 4 for AUTH.
const (
	maxLine     = 510
	maxMailLine = 510 + 26 + 17 + 10
	maxAuthLine = 12288
)

// command carries out one line.
func (c *session) command(line []byte) error {
	c.heard(line)
	verb, arg, _ := bytes.Cut(line, []byte(" "))
	longest := maxLine
	name := strings.ToUpper(string(verb[:min(len(verb), 16)]))
	switch name {
	case "MAIL", "RCPT":
		longest = maxMailLine
	case "AUTH":
		longest = maxAuthLine
	}
	if len(line) > longest {
		return c.wrong(500, "5.5.2", "line too long", line)
	}
	switch name {
	case "MAIL", "RCPT", "RSET", "DATA":
	default:
		// RFC 2920 3.1: these end a group.
		if err := c.alone("", line, true); err != nil {
			return err
		}
	}
	switch name {
	case "EHLO", "HELO":
		return c.hello(name == "EHLO", arg, line)
	case "STARTTLS":
		return c.startTLS(arg, line)
	case "AUTH":
		return c.auth(arg, line)
	case "MAIL":
		return c.sender(arg, line)
	case "RCPT":
		return c.recipient(arg, line)
	case "DATA":
		return c.data(arg, line)
	case "RSET":
		if err := c.alone("", line, false); err != nil {
			return err
		}
		act := c.decide(&Event{Phase: AtRset})
		if !act.refuses() {
			c.endMail()
		}
		return c.give(act, reply{250, "2.0.0", "flushed"})
	case "NOOP":
		return c.give(c.decide(&Event{Phase: AtNoop}), reply{250, "2.0.0", "well"})
	case "VRFY":
		return c.say(252, "2.1.5", "send and see")
	case "QUIT":
		_ = c.give(c.decide(&Event{Phase: AtQuit}), reply{221, "2.0.0", "bye"})
		_ = c.flush()
		if c.tls {
			_ = c.conn.Close() // with close_notify
		}
		return errEnd
	}
	return c.wrong(500, "5.5.1", "unknown command", line)
}

// heard notes a line of the client.
func (c *session) heard(line []byte) {
	if c.noting() {
		c.note(true, string(line))
	}
	if p := c.s.cfg.Password; p != "" && !c.tls && shows(string(line), p) {
		c.s.change(func(n *Counts) { n.ClearPasswords++ })
	}
}

// wrong answers a client's fault and records it.
func (c *session) wrong(code int, enh, text string, line []byte) error {
	c.violate(text, line)
	return c.say(code, enh, text)
}

// endMail forgets the transaction.
func (c *session) endMail() {
	c.mail, c.open, c.asked = envelope{}, false, false
}

// hello answers EHLO and HELO.
func (c *session) hello(extended bool, arg, line []byte) error {
	if len(bytes.TrimSpace(arg)) == 0 {
		return c.wrong(501, "5.5.4", "EHLO and HELO need a name", line)
	}
	cfg := &c.s.cfg
	if extended && cfg.NoEHLO {
		return c.say(502, "5.5.1", "EHLO is not known")
	}
	act := c.decide(&Event{Phase: AtEhlo})
	if !act.refuses() {
		c.helo = true
		c.endMail()
	}
	text := cfg.Hostname
	if !extended {
		return c.give(act, reply{250, "", text})
	}
	if cfg.Pipelining {
		text += "\nPIPELINING"
	}
	if cfg.Size > 0 {
		text += "\nSIZE " + strconv.Itoa(cfg.Size)
	}
	if cfg.EightBit {
		text += "\n8BITMIME"
	}
	if cfg.UTF8 {
		text += "\nSMTPUTF8"
	}
	if cfg.EnhancedCodes {
		text += "\nENHANCEDSTATUSCODES"
	}
	if cfg.StartTLS && !c.tls {
		text += "\nSTARTTLS"
	}
	if c.authOffered() {
		text += "\nAUTH " + strings.Join(cfg.Auth, " ")
	}
	return c.give(act, reply{250, "", text})
}

func (c *session) authOffered() bool {
	return len(c.s.cfg.Auth) > 0 && (c.tls || c.s.cfg.AuthInClear)
}

// startTLS answers STARTTLS and shakes hands. What came in the clear after the
// command must not be taken for commands under TLS (RFC 3207 section 6).
func (c *session) startTLS(arg, line []byte) error {
	switch {
	case !c.s.cfg.StartTLS:
		return c.wrong(502, "5.5.1", "STARTTLS is not offered", line)
	case c.tls:
		return c.wrong(503, "5.5.1", "TLS is on already", line)
	case len(arg) > 0:
		return c.wrong(501, "5.5.4", "STARTTLS has no parameter", line)
	}
	act := c.decide(&Event{Phase: AtStartTLS})
	if err := c.give(act, reply{220, "2.0.0", "go ahead"}); err != nil {
		return err
	}
	if err := c.flush(); err != nil {
		return err
	}
	if act.refuses() {
		return nil
	}
	if c.r.Buffered() > 0 {
		return errEnd // not a handshake but commands in the clear; recorded by alone
	}
	if err := c.handshake(); err != nil {
		return err
	}
	c.helo, c.user = false, ""
	c.endMail()
	return nil
}

// auth answers AUTH PLAIN and AUTH LOGIN (RFC 4954).
func (c *session) auth(arg, line []byte) error {
	word, initial, _ := strings.Cut(string(arg), " ")
	mech := strings.ToUpper(word)
	switch {
	case !c.authOffered():
		return c.wrong(502, "5.5.1", "AUTH is not offered", line)
	case !c.helo || c.user != "" || c.open:
		return c.wrong(503, "5.5.1", "AUTH out of order", line)
	}
	offered := false
	for _, m := range c.s.cfg.Auth {
		offered = offered || m == mech
	}
	if !offered || mech != "PLAIN" && mech != "LOGIN" {
		return c.wrong(504, "5.5.4", "mechanism is not offered", line)
	}
	user, password, err := c.credentials(mech, initial)
	if err != nil {
		return err
	}
	if user == nil {
		return c.say(501, "5.5.2", "credentials are not readable")
	}
	ok := string(user) == c.s.cfg.User && string(password) == c.s.cfg.Password && len(user) > 0
	act := c.decide(&Event{Phase: AtAuth, User: string(user)})
	if ok && !act.refuses() {
		c.user = string(user)
		c.s.change(func(n *Counts) { n.Logins++ })
		return c.give(act, reply{235, "2.7.0", "welcome"})
	}
	if !ok || act.Code == 535 {
		c.s.change(func(n *Counts) { n.AuthFailed++ })
	}
	return c.give(act, reply{535, "5.7.8", "user or password is wrong"})
}

// credentials asks for what the command did not bring. A nil user: not readable.
func (c *session) credentials(mech, initial string) (user, password []byte, err error) {
	if mech == "PLAIN" {
		b, err := c.response(initial, "")
		if err != nil {
			return nil, nil, err
		}
		parts := bytes.Split(b, []byte{0}) // RFC 4616: authzid, authcid, password
		if len(parts) != 3 {
			return nil, nil, nil
		}
		return parts[1], parts[2], nil
	}
	prompts := c.s.cfg.LoginPrompts
	if user, err = c.response(initial, prompts[0]); err != nil || user == nil {
		return nil, nil, err
	}
	if password, err = c.response("", prompts[1]); err != nil || password == nil {
		return nil, nil, err
	}
	return user, password, nil
}

// response decodes the initial response or asks for one. nil: not base64, or the
// client gave up with "*".
func (c *session) response(initial, prompt string) ([]byte, error) {
	if initial == "" {
		if err := c.give(Action{}, reply{334, "", base64.StdEncoding.EncodeToString([]byte(prompt))}); err != nil {
			return nil, err
		}
		line, err := c.read()
		if err != nil {
			return nil, err
		}
		c.heard(line)
		if err := c.alone("", line, true); err != nil {
			return nil, err
		}
		initial = string(line)
	}
	if initial == "=" {
		return []byte{}, nil
	}
	b, err := base64.StdEncoding.DecodeString(initial)
	if err != nil {
		return nil, nil //nolint:nilerr // an unreadable response is answered, not an end
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

// sender answers MAIL.
func (c *session) sender(arg, line []byte) error {
	if err := c.alone("", line, false); err != nil {
		return err
	}
	cfg := &c.s.cfg
	switch {
	case !c.helo:
		return c.wrong(503, "5.5.1", "MAIL before EHLO", line)
	case c.open:
		return c.wrong(503, "5.5.1", "nested MAIL", line)
	}
	c.asked = true
	switch {
	case cfg.RequireTLS && !c.tls:
		return c.say(530, "5.7.0", "STARTTLS first")
	case cfg.RequireAuth && c.user == "":
		return c.say(530, "5.7.0", "log in first")
	}
	address, params, ok := path(arg, "FROM:")
	if !ok {
		return c.wrong(501, "5.5.4", "MAIL is not written as RFC 5321 has it", line)
	}
	e, refusal := c.parameters(params)
	e.from = address
	if refusal.code == 0 && !e.utf8 && !ascii(address) {
		refusal = reply{553, "5.6.7", "non-ASCII address without SMTPUTF8"}
	}
	if refusal.code != 0 {
		if refusal.code == 552 { // SIZE over the limit is no fault of protocol
			return c.give(Action{}, refusal)
		}
		return c.wrong(refusal.code, refusal.enh, refusal.text, line)
	}
	c.nth++
	act := c.decide(&Event{Phase: AtMail, From: address})
	if !act.refuses() {
		c.mail, c.open = e, true
	}
	return c.give(act, reply{250, "2.1.0", "sender ok"})
}

// parameters reads what follows the address of MAIL. Only what was offered is known.
func (c *session) parameters(params string) (envelope, reply) {
	var e envelope
	cfg := &c.s.cfg
	for params != "" {
		var word string
		word, params, _ = strings.Cut(params, " ")
		key, value, _ := strings.Cut(word, "=")
		switch strings.ToUpper(key) {
		case "SIZE":
			n, err := strconv.Atoi(value)
			if cfg.Size == 0 || err != nil || n < 0 {
				return e, reply{555, "5.5.4", "SIZE is not offered or not a number"}
			}
			if n > cfg.Size {
				return e, reply{552, "5.3.4", "larger than SIZE allows"}
			}
		case "BODY":
			value = strings.ToUpper(value)
			if !cfg.EightBit || value != "7BIT" && value != "8BITMIME" {
				return e, reply{555, "5.5.4", "BODY is not offered or has another value"}
			}
			e.eightBit = value == "8BITMIME"
		case "SMTPUTF8":
			if !cfg.UTF8 || value != "" {
				return e, reply{555, "5.5.4", "SMTPUTF8 is not offered or has a value"}
			}
			e.utf8 = true
		case "AUTH":
			if !c.authOffered() {
				return e, reply{555, "5.5.4", "AUTH is not offered"}
			}
		default:
			return e, reply{555, "5.5.4", "unknown parameter"}
		}
	}
	return e, reply{}
}

// recipient answers RCPT.
func (c *session) recipient(arg, line []byte) error {
	if err := c.alone("", line, false); err != nil {
		return err
	}
	if !c.open {
		return c.tooSoon("RCPT without MAIL", line)
	}
	address, params, ok := path(arg, "TO:")
	switch {
	case !ok || address == "":
		return c.wrong(501, "5.5.4", "RCPT is not written as RFC 5321 has it", line)
	case params != "":
		return c.wrong(555, "5.5.4", "unknown parameter", line)
	case !c.mail.utf8 && !ascii(address):
		c.mail.rcpts++
		return c.wrong(553, "5.6.7", "non-ASCII address without SMTPUTF8", line)
	}
	c.mail.rcpts++
	if len(c.mail.to) >= c.s.cfg.MaxRcpts {
		return c.say(452, "4.5.3", "too many recipients")
	}
	act := c.decide(&Event{Phase: AtRcpt, Rcpt: address})
	if !act.refuses() {
		c.mail.to = append(c.mail.to, address)
	}
	return c.give(act, reply{250, "2.1.5", "recipient ok"})
}

// tooSoon answers 503. It is the client's fault only if it never asked for what
// is missing: in a pipelined group the refusal came after it had sent the rest.
func (c *session) tooSoon(text string, line []byte) error {
	if c.s.cfg.Pipelining && c.asked {
		return c.say(503, "5.5.1", text)
	}
	return c.wrong(503, "5.5.1", text, line)
}

// path reads "FROM:<a@b> PARAMS". The empty address is the null sender.
func path(arg []byte, keyword string) (address, params string, ok bool) {
	if len(arg) < len(keyword)+2 || !bytes.EqualFold(arg[:len(keyword)], []byte(keyword)) || arg[len(keyword)] != '<' {
		return "", "", false
	}
	rest := arg[len(keyword)+1:]
	end := bytes.IndexByte(rest, '>')
	if end < 0 {
		return "", "", false
	}
	after := rest[end+1:]
	if len(after) > 0 && (after[0] != ' ' || len(after) == 1) {
		return "", "", false
	}
	a := rest[:end]
	for _, b := range a {
		if b <= ' ' || b == 0x7f || b == '<' {
			return "", "", false
		}
	}
	if at := bytes.LastIndexByte(a, '@'); len(a) > 0 && (at < 1 || at == len(a)-1) {
		return "", "", false
	}
	if len(after) > 0 {
		params = string(after[1:])
	}
	return string(a), params, true
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
