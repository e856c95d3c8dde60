package compose

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/gomail.v2"

	"duban/notify/notice"
)

// mailbox is one address with its display name.
type mailbox struct{ name, address string }

// envelope is what a mail's headers are made of. All recipients of a letter get the same headers: the readers in To,
// the copies in Cc.
type envelope struct {
	id, domain, messageID string
	from                  string
	fromName              string
	replyTo               string
	to, cc                []mailbox
	date                  time.Time
}

// officeHour is the logical instant of every letter: nine o'clock of its date in China. The header Date is fixed by the
// letter, not by the moment it happens to leave.
const officeHour = 9 * time.Hour

// newEnvelope reads the settings, which Validate has accepted. A recipient whose address is no address is left out of
// everybody else's headers.
func newEnvelope(id string, f notice.Facts, m Mail) envelope {
	from, _ := Address(m.FromAddress)
	domain := m.Domain
	if domain == "" {
		domain = from[strings.LastIndexByte(from, '@')+1:]
	}
	domain, _ = Domain(domain)
	name := clean(m.FromName)
	if name == "" {
		name = f.Issuer.Name
	}
	e := envelope{
		id: id, domain: domain, messageID: "<" + id + "@" + domain + ">", from: from, fromName: name,
		date: f.Date.Time(time.FixedZone("CST", 8*3600)).Add(officeHour),
	}
	if m.ReplyTo != "" {
		e.replyTo, _ = Address(m.ReplyTo)
	}
	for _, r := range f.Recipients {
		address, err := Address(r.Email)
		if err != nil {
			continue
		}
		box := mailbox{f.Reader.Name + roleName(r.Role), address}
		if r.Copy {
			e.cc = append(e.cc, box)
		} else {
			e.to = append(e.to, box)
		}
	}
	return e
}

// headerOrder is the order in which the headers leave. gomail writes them in the order of a map.
var headerOrder = [...]string{
	"Date", "From", "Reply-To", "To", "Cc", "Subject", "Message-ID", "Auto-Submitted", "X-Duban-Notice", "MIME-Version",
	"Content-Type",
}

// encode composes the mail with gomail and then takes the chance out of it: header order and boundary.
//
// What gomail does not do by itself is done beforehand: words and lists are encoded and folded here, since gomail
// neither folds address lists nor keeps encoded words short, and writes addresses as they come.
func (e envelope) encode(msg Message) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encode mail: %v", p)
		}
	}()
	m := gomail.NewMessage(gomail.SetCharset("UTF-8"), gomail.SetEncoding(gomail.Base64))
	raw := func(field, value string) { m.SetAddressHeader(field, value, "") }
	raw("From", boxes([]mailbox{{e.fromName, e.from}}))
	if e.replyTo != "" {
		raw("Reply-To", e.replyTo)
	}
	if len(e.to) > 0 {
		raw("To", boxes(e.to))
	}
	if len(e.cc) > 0 {
		raw("Cc", boxes(e.cc))
	}
	raw("Subject", words(msg.Subject))
	raw("Message-ID", msg.ID)
	raw("Auto-Submitted", "auto-generated")
	raw("X-Duban-Notice", e.id)
	m.SetDateHeader("Date", e.date)
	m.SetBody("text/plain", crlf(msg.Text))
	m.AddAlternative("text/html", crlf(msg.HTML))
	var buf bytes.Buffer
	if _, err := m.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("encode mail: %w", err)
	}
	return normalise(buf.Bytes(), "duban-"+e.id)
}

// normalise puts the headers into their fixed order and gives the parts a boundary made of the letter's ID. The body is
// base64 and so never holds the "-" of a boundary.
func normalise(raw []byte, boundary string) ([]byte, error) {
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("normalise mail: no end of headers")
	}
	fields := map[string]string{}
	last := ""
	for l := range strings.SplitSeq(string(head), "\r\n") {
		if strings.HasPrefix(l, " ") && last != "" {
			fields[last] += "\r\n" + l
			continue
		}
		name, value, ok := strings.Cut(l, ": ")
		if name == "Mime-Version" {
			name = "MIME-Version"
		}
		if _, twice := fields[name]; !ok || twice || !slices.Contains(headerOrder[:], name) {
			return nil, fmt.Errorf("normalise mail: unexpected header line %q", l)
		}
		fields[name], last = value, name
	}
	_, params, err := mime.ParseMediaType(strings.ReplaceAll(fields["Content-Type"], "\r\n", ""))
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("normalise mail: no boundary in %q", fields["Content-Type"])
	}
	var out bytes.Buffer
	for _, name := range headerOrder {
		if v, ok := fields[name]; ok {
			out.WriteString(name + ": " + strings.ReplaceAll(v, params["boundary"], boundary) + "\r\n")
		}
	}
	out.WriteString("\r\n")
	out.Write(bytes.ReplaceAll(body, []byte("--"+params["boundary"]), []byte("--"+boundary)))
	return out.Bytes(), nil
}

// words encodes a header text as RFC 2047 words of at most 60 characters, split between characters and joined by a
// space, where gomail folds them. Plain ASCII of reasonable length stays as it is.
func words(s string) string { return wordsOf(s, 36) }

// wordsOf is words with so many bytes of text to a word; 45 fill the 75 characters that a word may have.
func wordsOf(s string, most int) string {
	if len(s) <= 60 && isPlain(s) {
		return s
	}
	var out []string
	for s != "" {
		n := min(len(s), most)
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		out = append(out, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(out, " ")
}

// isPlain reports whether a header text needs no encoding, as text and as a display name.
func isPlain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != ' ' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// boxes writes an address list, one to a line. A name of up to fifteen characters is one word: some readers leave a
// space where a name's second word begins.
func boxes(list []mailbox) string {
	out := make([]string, 0, len(list))
	for _, b := range list {
		if b.name == "" {
			out = append(out, b.address)
			continue
		}
		out = append(out, wordsOf(b.name, 45)+" <"+b.address+">")
	}
	return strings.Join(out, ",\r\n ")
}

// crlf turns line ends into CRLF, as mail has them.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}
