// Package compose turns a notice into a mail: a pure function of the notice's facts and the mail settings. The same
// notice renders to the same bytes on every machine and every day; composing knows nothing of delivering.
//
// A mail is put together by gomail's Message. What gomail leaves to chance or does not do is done around it: the order
// of the headers and the boundaries between the parts (mime.go), encoded words and the folding of lists (head.go),
// the names of attachments (attach.go).
package compose

import (
	"errors"
	"fmt"

	"duban/notify/notice"
)

// Mail holds the sender's settings.
type Mail struct {
	FromName    string // empty: the issuer's name
	FromAddress string
	// SenderAddress, where set, is in the envelope and in From instead of FromAddress: for a relay that insists that From
	// is the login. Answers then go to FromAddress, unless ReplyTo is set.
	SenderAddress string
	ReplyTo       string // empty: no Reply-To, answers go to FromAddress
	Domain        string // of the Message-ID; empty: the domain of FromAddress
	// RedirectTo, where set, is where every letter goes instead, marked as a trial.
	RedirectTo string
	// Seal, where set, is the very last step, such as signing: it gets the finished mail and returns what goes out. The
	// same mail must give the same bytes. It may be called by several goroutines at once.
	Seal func(mail []byte) ([]byte, error)
}

// Message is one composed mail for one recipient. The copies of one letter may share their Bytes, which nobody changes.
type Message struct {
	ID       string // Message-ID, with its angle brackets
	From, To string // envelope
	Subject  string
	Bytes    []byte // the mail as it goes out: CRLF lines, none over 76 octets unless an address or a domain is as long
	Title    string
	HTML     string
	Text     string
	// Files are what goes along, for whoever shows a letter; they are in Bytes. Nobody changes them.
	Files []Attachment
	// UTF8 says that an address in the envelope or the headers is not ASCII: the mail can only go to a server with
	// SMTPUTF8 (RFC 6531).
	UTF8 bool
	// Light makes the same letter without its attachment, which it says where to find, for a server that takes no mail of
	// this size; nil: it has none.
	Light func() (Message, error)

	// Key is the letter's; Role, Copy and Nth (from 1, among the letter's recipients of the same role and place) name the
	// recipient, so that a transport can tell the copies of one letter apart.
	Key  notice.Key
	Role string
	Copy bool
	Nth  int
}

// Validate checks the settings, which concern every letter. A worker whose settings are bad sends nothing.
func (m Mail) Validate() error {
	_, err := New(m)
	return err
}

// Composer composes letters with settings that have been checked once. Several goroutines may use it at the same time.
type Composer struct {
	sender, replyTo, redirect, domain string // as they go into a mail: replyTo and redirect may be empty
	name                              string // the sender's display name; empty: the issuer's
	seal                              func([]byte) ([]byte, error)
	scratch                           scratchPool
}

// New checks the settings and returns what composes with them.
func New(m Mail) (*Composer, error) {
	var errs []error
	address := func(setting, s string) string {
		out, err := Address(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("check %s: %w", setting, err))
		}
		return out
	}
	c := &Composer{name: clean(m.FromName), seal: m.Seal}
	from := address("mail.from_address", m.FromAddress)
	c.sender = from
	if m.SenderAddress != "" {
		c.sender = address("mail.sender_address", m.SenderAddress)
		if c.sender != from {
			c.replyTo = from
		}
	}
	if m.ReplyTo != "" {
		c.replyTo = address("mail.reply_to", m.ReplyTo)
	}
	if m.RedirectTo != "" {
		c.redirect = address("mail.redirect_to", m.RedirectTo)
	}
	c.domain = domainOf(from)
	if m.Domain != "" {
		domain, err := Domain(m.Domain)
		if err != nil {
			errs = append(errs, fmt.Errorf("check mail.domain: %w", err))
		}
		c.domain = domain
	}
	if hasBreak(m.FromName) {
		errs = append(errs, errors.New("check mail.from_name: it holds a line break"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Compose renders the letter for one of its recipients (an index into Facts.Recipients). An address no mail can go to
// is an error that wraps ErrAddress and concerns that recipient alone.
func (c *Composer) Compose(n notice.Notice, recipient int) (Message, error) {
	d, err := c.draft(n)
	if err != nil {
		return Message{}, err
	}
	return d.copyFor(recipient)
}

// All renders the letter for all its recipients, doing once what their copies share. It returns a message and an error
// for each, of which one is set, in the order of Facts.Recipients.
func (c *Composer) All(n notice.Notice) ([]Message, []error) {
	msgs, errs := make([]Message, len(n.Facts.Recipients)), make([]error, len(n.Facts.Recipients))
	d, err := c.draft(n)
	for i := range msgs {
		if errs[i] = err; err == nil {
			msgs[i], errs[i] = d.copyFor(i)
		}
	}
	return msgs, errs
}

// Compose is the Composer's for a caller who has one letter to compose.
func Compose(n notice.Notice, recipient int, m Mail) (Message, error) {
	c, err := New(m)
	if err != nil {
		return Message{}, fmt.Errorf("compose letter %s: %w", n.ID, err)
	}
	return c.Compose(n, recipient)
}
