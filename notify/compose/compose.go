// Package compose turns a notice into a mail: a pure function of the notice's facts and the mail settings. The same
// notice renders to the same bytes on every machine and every day; composing knows nothing of delivering.
package compose

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"duban/notify/notice"
)

// Mail holds the sender's settings.
type Mail struct {
	FromName    string // empty: the issuer's name
	FromAddress string
	ReplyTo     string // empty: no Reply-To, answers go to FromAddress
	Domain      string // of the Message-ID; empty: the domain of FromAddress
	// RedirectTo, where set, is where every letter goes instead, marked as a trial.
	RedirectTo string
}

// Message is one composed mail for one recipient.
type Message struct {
	ID       string // Message-ID, with its angle brackets
	From, To string // envelope
	Subject  string
	Bytes    []byte // the mail as it goes out: CRLF lines, no line over 76 octets
	Title    string
	HTML     string
	Text     string
	// UTF8 says that the mail's own headers hold more than ASCII, which a server must take (SMTPUTF8, RFC 6531).
	UTF8 bool
	// Light makes the same mail without its attachment, for a server that takes no mail of this size; nil: it has none.
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
	var errs []error
	if _, err := Address(m.FromAddress); err != nil {
		errs = append(errs, fmt.Errorf("check mail.from_address: %w", err))
	}
	if m.ReplyTo != "" {
		if _, err := Address(m.ReplyTo); err != nil {
			errs = append(errs, fmt.Errorf("check mail.reply_to: %w", err))
		}
	}
	if m.RedirectTo != "" {
		if _, err := Address(m.RedirectTo); err != nil {
			errs = append(errs, fmt.Errorf("check mail.redirect_to: %w", err))
		}
	}
	if m.Domain != "" {
		if _, err := Domain(m.Domain); err != nil {
			errs = append(errs, fmt.Errorf("check mail.domain: %w", err))
		}
	}
	if strings.ContainsAny(m.FromName, "\r\n\x00") {
		errs = append(errs, errors.New("check mail.from_name: it holds a line break"))
	}
	return errors.Join(errs...)
}

// Compose renders the letter for one of its recipients (an index into Facts.Recipients). An address no mail can go to
// is an error that wraps ErrAddress and concerns that recipient alone.
func Compose(n notice.Notice, recipient int, m Mail) (Message, error) {
	if err := m.Validate(); err != nil {
		return Message{}, fmt.Errorf("compose letter %s: %w", n.ID, err)
	}
	id := n.ID
	if id == "" {
		id = n.Key.ID()
	}
	if !isToken(id) {
		return Message{}, fmt.Errorf("compose letter %q: the ID is not made of letters and digits", id)
	}
	if recipient < 0 || recipient >= len(n.Facts.Recipients) {
		return Message{}, fmt.Errorf("compose letter %s: no recipient %d, it has %d", id, recipient, len(n.Facts.Recipients))
	}
	if n.Facts.Date.IsZero() {
		return Message{}, fmt.Errorf("compose letter %s: it has no date", id)
	}
	to, err := Address(n.Facts.Recipients[recipient].Email)
	if err != nil {
		return Message{}, fmt.Errorf("compose letter %s: recipient %d (%s): %w", id, recipient, n.Facts.Recipients[recipient].Role, err)
	}
	facts := cleaned(n.Facts)
	l := compile(facts)
	msg := Message{
		Key: n.Key, Role: facts.Recipients[recipient].Role, Copy: facts.Recipients[recipient].Copy, Nth: nth(facts.Recipients, recipient),
		Subject: subject(facts), Title: l.Title, To: to,
	}
	envelope := newEnvelope(id, facts, m)
	if m.RedirectTo != "" {
		if err := redirect(&msg, &l, &envelope, facts, recipient, m); err != nil {
			return Message{}, fmt.Errorf("compose letter %s: %w", id, err)
		}
	}
	msg.Text, msg.HTML = string(appendText(nil, l)), string(appendPage(nil, l))
	msg.ID, msg.From = envelope.messageID, envelope.from
	if msg.Bytes, err = envelope.encode(msg); err != nil {
		return Message{}, fmt.Errorf("compose letter %s: %w", id, err)
	}
	return msg, nil
}

// redirect turns the mail into one of a trial run: it goes to the one address, says so in the subject, and its first
// line names the reader it was for. The copies of one letter meet in one mailbox, so each has a Message-ID of its own.
func redirect(msg *Message, l *content, e *envelope, f notice.Facts, recipient int, m Mail) error {
	to, err := Address(m.RedirectTo)
	if err != nil {
		return err
	}
	r := f.Recipients[recipient]
	kind := "主送"
	if r.Copy {
		kind = "抄送"
	}
	who := f.Reader.Name + roleName(r.Role)
	if r.Name != "" {
		who += " " + r.Name
	}
	l.Trial = "【试运行】本件原拟发送（" + kind + "）：" + who + "，" + msg.To + "。正式运行前只发至本邮箱。"
	msg.Subject = "【试运行】" + msg.Subject
	msg.To = to
	e.to, e.cc = []mailbox{{address: to}}, nil
	if recipient > 0 {
		e.messageID = fmt.Sprintf("<%s-%d@%s>", e.id, recipient, e.domain)
	}
	return nil
}

func isToken(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// nth counts the recipients of the same role and place up to this one.
func nth(rs []notice.Recipient, i int) int {
	n := 0
	for _, r := range slices.All(rs[:i+1]) {
		if r.Role == rs[i].Role && r.Copy == rs[i].Copy {
			n++
		}
	}
	return n
}
