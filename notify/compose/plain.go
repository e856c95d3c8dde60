package compose

import (
	"fmt"
	"strings"
	"time"
)

// Letter is a simple letter of the program's own, such as a test of the mail settings. It is nobody's notice.
type Letter struct {
	ID          string // letters and digits: the Message-ID is made of it
	From        Mail   // the sender's settings; RedirectTo does not apply, since a person named the address
	To          string
	Subject     string
	Title       string
	Paras       []string
	Attachments []Attachment
	// Elsewhere is the sentence that says where the attachments are to be found; it takes their place in the light letter.
	Elsewhere string
	Date      time.Time // the header's; a test is of the moment it is sent
}

// noAttachment is what the light letter says where the letter does not say it.
const noAttachment = "附件超过邮件服务器允许的大小，未随本件发送。"

// Plain composes a letter of the program's own. The same letter gives the same bytes.
func Plain(p Letter) (Message, error) {
	c, err := New(p.From)
	if err != nil {
		return Message{}, fmt.Errorf("compose letter %s: %w", p.ID, err)
	}
	if !isToken(p.ID) {
		return Message{}, fmt.Errorf("compose letter %q: the ID is not made of letters and digits", p.ID)
	}
	to, err := Address(p.To)
	if err != nil {
		return Message{}, fmt.Errorf("compose letter %s: %w", p.ID, err)
	}
	if p.Date.IsZero() {
		return Message{}, fmt.Errorf("compose letter %s: it has no date", p.ID)
	}
	h := head{
		id: p.ID, domain: c.domain, from: mailbox{c.name, c.sender}, replyTo: c.replyTo, to: []mailbox{{address: to}},
		subject: clean(p.Subject), date: p.Date.Truncate(time.Second),
	}
	body := content{Title: clean(p.Title), Issuer: c.name, Date: chineseDate(p.Date)}
	for _, s := range p.Paras {
		for line := range strings.Lines(s) {
			if text := clean(line); text != "" {
				body.Opening = append(body.Opening, say(text))
			}
		}
	}
	return c.plain(h, body, to, p)
}

func (c *Composer) plain(h head, body content, to string, p Letter) (Message, error) {
	msg, err := c.build(h, body, to, p.Attachments)
	if err != nil {
		return Message{}, fmt.Errorf("compose letter %s: %w", p.ID, err)
	}
	if len(p.Attachments) > 0 {
		msg.Light = func() (Message, error) {
			light, where := p, clean(p.Elsewhere)
			if where == "" {
				where = noAttachment
			}
			light.Attachments = nil
			said := body
			said.Opening = append(append([]phrase(nil), body.Opening...), say(where))
			return c.plain(h, said, to, light)
		}
	}
	return msg, nil
}

func chineseDate(t time.Time) string {
	return fmt.Sprintf("%d年%d月%d日", t.Year(), int(t.Month()), t.Day())
}
