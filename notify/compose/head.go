package compose

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/gomail.v2"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// mailbox is one address with its display name.
type mailbox struct{ name, address string }

// head is what a mail's headers are made of. What is empty is not written.
type head struct {
	id       string // of the mail: a trial's copies have one each
	notice   string // the letter's ID
	domain   string
	from     mailbox
	replyTo  string
	to, cc   []mailbox
	subject  string
	date     time.Time
	root     string // the thread's
	listName string
	listID   string
}

func (h head) messageID() string { return "<" + h.id + "@" + h.domain + ">" }

// boundary is made of the letter's ID, so that it is the same each time.
func (h head) boundary() string { return "duban-" + h.id }

// wide reports whether an address in the headers is not ASCII.
func (h head) wide() bool {
	for _, list := range [][]mailbox{{h.from, {address: h.replyTo}}, h.to, h.cc} {
		for _, b := range list {
			if !isASCII(b.address) {
				return true
			}
		}
	}
	return false
}

// headerOrder is the order in which the headers leave. gomail writes them in the order of a map.
var headerOrder = [...]string{
	"Date", "From", "Reply-To", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References", "List-Id", "Auto-Submitted",
	"X-Duban-Notice", "MIME-Version", "Content-Type",
}

// write sets the headers of a mail. Everything is encoded and folded here, since gomail neither folds address lists nor
// keeps encoded words short, and writes addresses as they come. There is no Bcc: nobody gets a letter unseen.
func (h head) write(m *gomail.Message) {
	raw := func(field, value string) {
		if value != "" {
			m.SetAddressHeader(field, value, "") // without a name the value is taken as it is
		}
	}
	m.SetDateHeader("Date", h.date)
	raw("From", boxes("From", []mailbox{h.from}))
	raw("Reply-To", h.replyTo)
	raw("To", boxes("To", h.to))
	raw("Cc", boxes("Cc", h.cc))
	raw("Subject", words(h.subject))
	raw("Message-ID", h.messageID())
	if h.root != "" {
		raw("In-Reply-To", folded("In-Reply-To", h.root))
		raw("References", folded("References", h.root))
	}
	if h.listID != "" {
		raw("List-Id", words(h.listName)+" <"+h.listID+">")
	}
	raw("Auto-Submitted", "auto-generated") // RFC 3834, 5: no out-of-office answers
	raw("X-Duban-Notice", h.notice)
}

// threadRoot is the Message-ID, of no mail that ever was, to which all letters about the same obligations answer: those
// to one unit whose principal item belongs to one month. The principal item is the worst of those said today; the month
// is that of the date in the document, which an extension does not move.
func threadRoot(k notice.Key, f notice.Facts, domain string) string {
	if f.Paper != nil {
		return paperThread(k, f, domain)
	}
	y, m, _ := principalDate(f).YMD()
	period := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
	sum := sha256.Sum256([]byte(strings.Join([]string{"duban-thread-1", k.Jurisdiction, k.Unit, period}, "\x1f")))
	return "<thread-" + hex.EncodeToString(sum[:12]) + "@" + domain + ">"
}

func principalDate(f notice.Facts) civil.Date {
	dated := func(it notice.Item) civil.Date {
		for _, d := range []civil.Date{it.Nominal, it.Due, it.PaceAt} {
			if !d.IsZero() {
				return d
			}
		}
		return f.Date
	}
	// The lists are in the order of notice.Facts.Items.
	lists := [...][]notice.Item{f.Overdue, f.Clocks, f.Upcoming, f.Behind, f.Support}
	var first *notice.Item
	for _, list := range lists {
		for i := range list {
			if list[i].Step != "" {
				return dated(list[i])
			}
			if first == nil {
				first = &list[i]
			}
		}
	}
	if first != nil {
		return dated(*first)
	}
	return f.Date
}

// listID names the stream of letters, which a reader's mail program can sort by: kind, jurisdiction and domain
// (RFC 2919, 2 and 3). One that would be too long is left out.
func listID(k notice.Key, domain string) string {
	kind := k.Kind
	if kind == "" {
		kind = notice.UnitLetter
	}
	id := label(kind) + "." + domain
	if k.Jurisdiction != "" {
		id = label(kind) + "." + label(k.Jurisdiction) + "." + domain
	}
	if len(id) > 255 {
		return ""
	}
	return id
}

// label makes a code fit to be a label of a domain name (RFC 1035, 2.3.1): one that is not becomes a hash of itself.
func label(code string) string {
	low := strings.ToLower(code)
	ok := low != "" && len(low) <= 63 && low[0] != '-' && low[len(low)-1] != '-' && !strings.ContainsFunc(low, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
	if ok {
		return low
	}
	sum := sha256.Sum256([]byte(code))
	return "x" + hex.EncodeToString(sum[:8])
}

// folded puts a value that has no place to fold onto a line of its own where its field's is too short for it. One that
// is too long even for that stays where it is: gomail would fold it at its first space, and leave an empty line.
func folded(field, value string) string {
	if len(field)+len(": ")+len(value) <= maxLine || len(value) > maxLine-2 {
		return value
	}
	return "\r\n " + value
}

// maxLine is the length of a header's line in octets (RFC 2047, 2). Only an address or a domain can be longer.
const maxLine = 76

// words encodes a header text as RFC 2047 words of at most 60 characters, split between characters and joined by a
// space, where gomail folds them. Plain ASCII of reasonable length stays as it is.
func words(s string) string { return wordsOf(s, 36) }

// wordsOf is words with so many bytes of text to a word; 45 fill the 75 characters that a word may have.
func wordsOf(s string, most int) string {
	if len(s) <= 60 && isPlain(s) {
		return s
	}
	const open, end = "=?UTF-8?B?", "?="
	out := make([]byte, 0, (len(s)/(most-3)+1)*(len(open)+base64.StdEncoding.EncodedLen(most)+len(end)+1))
	var piece [48]byte
	for s != "" {
		n := copy(piece[:], s[:cut(s, most)])
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = append(base64.StdEncoding.AppendEncode(append(out, open...), piece[:n]), end...)
		s = s[n:]
	}
	return string(out)
}

// cut is how many bytes of s, at most so many, end between two characters.
func cut(s string, most int) int {
	if len(s) <= most {
		return len(s)
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	if n == 0 { // not UTF-8
		return most
	}
	return n
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
// space where a name's second word begins. A first word that does not fit beside the field's name begins a line.
func boxes(field string, list []mailbox) string {
	var out strings.Builder
	for i, b := range list {
		name := wordsOf(b.name, 45)
		word, _, _ := strings.Cut(name, " ")
		switch {
		case i > 0:
			out.WriteString(",\r\n ")
		case len(field)+len(": ")+len(word) >= maxLine: // gomail wants the space that follows on the line too
			out.WriteString("\r\n ")
		}
		if b.name == "" {
			out.WriteString(b.address)
			continue
		}
		out.WriteString(name + " <" + b.address + ">")
	}
	return out.String()
}
