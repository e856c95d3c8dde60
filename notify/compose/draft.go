package compose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"duban/notify/notice"
)

// draft is a letter before it is anybody's: what its copies share.
type draft struct {
	*Composer
	id      string
	key     notice.Key
	facts   notice.Facts // cleaned
	boxes   []box        // one per recipient
	content content
	files   []Attachment
	head    head
	// done is the letter for the recipients whose address is ASCII, and made only once.
	done *Message
}

// box is a recipient's mailbox, or why no mail can go there.
type box struct {
	mailbox
	err error
}

// officeHour is the logical instant of every letter: nine o'clock of its date in China. The header Date is fixed by the
// letter, not by the moment it happens to leave.
const officeHour = 9 * time.Hour

func (c *Composer) draft(n notice.Notice) (*draft, error) {
	id := n.ID
	if id == "" {
		id = n.Key.ID()
	}
	if !isToken(id) {
		return nil, fmt.Errorf("compose letter %q: the ID is not made of letters and digits", id)
	}
	if n.Facts.Date.IsZero() {
		return nil, fmt.Errorf("compose letter %s: it has no date", id)
	}
	d := &draft{Composer: c, id: id, key: n.Key, facts: cleaned(n.Facts)}
	d.content = compile(d.facts)
	if d.facts.Paper != nil {
		var err error
		if d.files, err = attachments(*d.facts.Paper); err != nil {
			return nil, fmt.Errorf("compose letter %s: %w", id, err)
		}
	}
	for _, r := range d.facts.Recipients {
		address, err := Address(r.Email)
		d.boxes = append(d.boxes, box{mailbox{d.facts.Reader.Name + roleName(r.Role), address}, err})
	}
	d.head = head{
		id: id, notice: id, domain: c.domain, from: mailbox{c.name, c.sender}, replyTo: c.replyTo,
		date:    d.facts.Date.Time(time.FixedZone("CST", 8*3600)).Add(officeHour),
		subject: subject(d.facts), root: threadRoot(n.Key, d.facts, c.domain),
		listName: "督办 " + d.facts.Jurisdiction, listID: listID(n.Key, c.domain),
	}
	if d.head.from.name == "" {
		d.head.from.name = d.facts.Issuer.Name
	}
	return d, nil
}

// copyFor makes the copy of one recipient. All copies have the same bytes, with two exceptions: a trial's, each of which
// says whose it is; and the copy to an address that is not ASCII, which alone shows such addresses in its headers, so
// that nobody else's depends on a server that takes them.
func (d *draft) copyFor(recipient int) (Message, error) {
	if recipient < 0 || recipient >= len(d.boxes) {
		return Message{}, fmt.Errorf("compose letter %s: no recipient %d, it has %d", d.id, recipient, len(d.boxes))
	}
	to, r := d.boxes[recipient], d.facts.Recipients[recipient]
	if to.err != nil {
		return Message{}, fmt.Errorf("compose letter %s: recipient %d (%s): %w", d.id, recipient, r.Role, to.err)
	}
	msg, err := d.bytesFor(recipient)
	if err != nil {
		return Message{}, fmt.Errorf("compose letter %s: %w", d.id, err)
	}
	name := func(m *Message) {
		m.To = msg.To
		m.Key, m.Role, m.Copy, m.Nth = d.key, r.Role, r.Copy, nth(d.facts.Recipients, recipient)
	}
	name(&msg)
	if light := msg.Light; light != nil {
		msg.Light = func() (Message, error) {
			m, err := light()
			name(&m)
			return m, err
		}
	}
	return msg, nil
}

func (d *draft) bytesFor(recipient int) (Message, error) {
	to := d.boxes[recipient].address
	switch {
	case d.redirect != "":
		return d.trial(recipient)
	case !isASCII(to):
		return d.whole(d.addressed(true), d.content, to)
	case d.done == nil:
		msg, err := d.whole(d.addressed(false), d.content, to)
		if err != nil {
			return Message{}, err
		}
		d.done = &msg
	}
	msg := *d.done
	msg.To = to
	return msg, nil
}

// whole builds the mail with its attachments, and says how to build it without them.
func (d *draft) whole(h head, body content, to string) (Message, error) {
	msg, err := d.build(h, body, to, d.files)
	if err != nil || len(d.files) == 0 {
		return msg, err
	}
	msg.Light = func() (Message, error) {
		light := body
		light.Files, light.Closing = nil, append(slices.Clone(body.Closing), say(leftOut(body.Files)))
		return d.build(h, light, to, nil)
	}
	return msg, nil
}

// addressed is the head with its readers in To and the copies in Cc. A recipient whose address is no address, or is not
// ASCII where the copy is for somebody whose address is, is left out.
func (d *draft) addressed(wide bool) head {
	h := d.head
	for i, b := range d.boxes {
		switch {
		case b.err != nil || !wide && !isASCII(b.address):
		case d.facts.Recipients[i].Copy:
			h.cc = append(h.cc, b.mailbox)
		default:
			h.to = append(h.to, b.mailbox)
		}
	}
	return h
}

// trial turns the mail into one of a trial run: it goes to the one address, says so in the subject, and its first
// line names the reader it was for. The copies of one letter meet in one mailbox, so each has a Message-ID of its own.
func (d *draft) trial(recipient int) (Message, error) {
	r := d.facts.Recipients[recipient]
	kind := "主送"
	if r.Copy {
		kind = "抄送"
	}
	who := d.boxes[recipient].name
	if r.Name != "" {
		who += " " + r.Name
	}
	c, h := d.content, d.head
	c.Trial = "【试运行】本件原拟发送（" + kind + "）：" + who + "，" + d.boxes[recipient].address + "。正式运行前只发至本邮箱。"
	h.subject = "【试运行】" + h.subject
	h.to = []mailbox{{address: d.redirect}}
	if recipient > 0 {
		h.id = fmt.Sprintf("%s-%d", d.id, recipient)
	}
	return d.whole(h, c, d.redirect)
}

// build renders the content and puts the mail together.
func (c *Composer) build(h head, body content, to string, files []Attachment) (Message, error) {
	msg := Message{
		ID: h.messageID(), From: c.sender, To: to, Subject: h.subject, Title: body.Title, Files: files, UTF8: h.wide() || !isASCII(to),
	}
	s := c.scratch.get()
	s.text, s.page = appendText(s.text[:0], body), appendPage(s.page[:0], body)
	msg.Text, msg.HTML = string(s.text), string(s.page)
	var err error
	if msg.Bytes, err = s.encode(h, files); err != nil {
		return Message{}, err
	}
	c.scratch.put(s) // not after a failure, which may have left something in it
	if c.seal != nil {
		if msg.Bytes, err = c.seal(msg.Bytes); err != nil {
			return Message{}, fmt.Errorf("seal mail: %w", err)
		}
	}
	return msg, nil
}

func isToken(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// nth counts the recipients of the same role and place up to this one.
func nth(rs []notice.Recipient, i int) int {
	n := 0
	for _, r := range rs[:i+1] {
		if r.Role == rs[i].Role && r.Copy == rs[i].Copy {
			n++
		}
	}
	return n
}
