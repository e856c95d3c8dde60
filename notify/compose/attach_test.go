package compose

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// file is an attachment as another program reads it.
type file struct {
	name, old string // of filename, and of name as old programs read it
	kind      string
	data      []byte
}

// parseMixed reads a mail with attachments by net/mail and mime/multipart.
func parseMixed(t *testing.T, raw []byte) (p parsed, files []file) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("Content-Type %q: %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for i := 0; ; i++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			p.header = m.Header
			return p, files
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			p = parse(t, append([]byte("Content-Type: "+part.Header.Get("Content-Type")+"\r\n\r\n"), b...))
			continue
		}
		disposition, at, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil || disposition != "attachment" {
			t.Fatalf("Content-Disposition %q: %v", part.Header.Get("Content-Disposition"), err)
		}
		kind, of, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatalf("Content-Type %q: %v", part.Header.Get("Content-Type"), err)
		}
		data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(b), "\r\n", ""))
		if err != nil || part.Header.Get("Content-Transfer-Encoding") != "base64" {
			t.Fatalf("attachment %d: %v", i, err)
		}
		files = append(files, file{at["filename"], decoded(t, of["name"]), kind, data})
	}
}

func plainLetter() Letter {
	return Letter{
		ID: "plain0001", From: testMail, To: "zhangsan@qjtj.laoshan.example", Subject: "邮件设置测试", Title: "邮件设置测试",
		Paras:     []string{"本件为测试邮件，无需回复。", "第二段\r\nBcc: evil@example.org\n\n.开头是点", "From 开头"},
		Elsewhere: "附件请到专用网盘领取。", Date: time.Date(2024, 9, 26, 10, 11, 12, 345, time.FixedZone("CST", 8*3600)),
	}
}

// names are what attachments are called and what readers see.
var names = []struct{ in, want string }{
	{"report.pdf", "report.pdf"},
	{"整改情况报告.xlsx", "整改情况报告.xlsx"},
	{`清单"一";甲,乙(1).docx`, `清单"一";甲,乙(1).docx`},
	{`a"b\c;d=e'f%41*0*.txt`, `a"b_c;d=e'f%41*0*.txt`},
	{"../../etc/passwd", "_.._etc_passwd"},
	{`C:\检查\表.xls`, "C:_检查_表.xls"},
	{"a\r\nBcc: evil@example.org\r\n.pdf", "a Bcc: evil@example.org .pdf"},
	{"nul\x00 tab\t bell\x07.txt", "nul tab bell .txt"},
	{"", "附件"}, {"..", "附件"}, {".htaccess", "htaccess"}, {" \r\n", "附件"},
	{"invoice\u202efdp.exe", "invoicefdp.exe"},
	{"表\xff.doc", "表\ufffd.doc"},
	{"😀👍🏽.png", "😀👍🏽.png"},
	{"=?UTF-8?B?5aW9?=.txt", "=?UTF-8?B?5aW9?=.txt"},
	{"--duban-plain0001--.txt", "--duban-plain0001--.txt"},
	{"boundary=x; name=y.txt", "boundary=x; name=y.txt"},
	{strings.Repeat("长", 196) + ".pdf", strings.Repeat("长", 196) + ".pdf"},
	{strings.Repeat("长", 250) + ".pdf", strings.Repeat("长", 196) + ".pdf"},
	{strings.Repeat("x", 2000), strings.Repeat("x", 200)},
	{strings.Repeat("a", 61) + ".txt", strings.Repeat("a", 61) + ".txt"},
	{"a  b.txt", "a b.txt"},
}

func TestAttachments(t *testing.T) {
	p := plainLetter()
	for i, n := range names {
		p.Attachments = append(p.Attachments, Attachment{n.in, "application/pdf", bytes.Repeat([]byte{byte(i), '\n', 0xff}, i*37)})
	}
	m, err := Plain(p)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, m.Bytes, maxLine)
	got, files := parseMixed(t, m.Bytes)
	if len(files) != len(names) {
		t.Fatalf("%d attachments, want %d", len(files), len(names))
	}
	for i, n := range names {
		if f := files[i]; f.name != n.want || f.old != n.want || f.kind != "application/pdf" || !bytes.Equal(f.data, p.Attachments[i].Data) {
			t.Errorf("%q reads as %q and %q, %s, %d octets", n.in, f.name, f.old, f.kind, len(f.data))
		}
	}
	if got.text != crlf(m.Text) || got.html != crlf(m.HTML) || got.header.Get("Bcc") != "" {
		t.Errorf("the letter beside them: %v", got.header)
	}
	for i := range 100 {
		if again, err := Plain(p); err != nil || !bytes.Equal(again.Bytes, m.Bytes) {
			t.Fatalf("composed again %d times, other bytes (%v)", i+1, err)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	for in, want := range map[string]string{
		"application/pdf": "application/pdf", "Text/Plain; charset=gbk": "text/plain", "": "application/octet-stream",
		"pdf": "application/octet-stream", "a/b/c": "application/octet-stream", "text/html\r\nX: y": "application/octet-stream",
		"message/rfc822": "application/octet-stream", "multipart/mixed": "application/octet-stream", "表/格": "application/octet-stream",
		"a/" + strings.Repeat("b", 200): "application/octet-stream",
	} {
		if got := mediaType(in); got != want {
			t.Errorf("mediaType(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLightLetterSaysWhereTheAttachmentIs(t *testing.T) {
	p := plainLetter()
	if m, err := Plain(p); err != nil || m.Light != nil {
		t.Errorf("a letter without attachment has a lighter one (%v)", err)
	}
	p.Attachments = []Attachment{{"表.xlsx", "", make([]byte, 3<<20)}}
	sealed := 0
	p.From.Seal = func(b []byte) ([]byte, error) {
		sealed++
		return append([]byte("X-Seal: yes\r\n"), b...), nil
	}
	for _, c := range [][2]string{{"附件请到专用网盘领取。", "附件请到专用网盘领取。"}, {"", noAttachment}} {
		p.Elsewhere = c[0]
		heavy, err := Plain(p)
		if err != nil {
			t.Fatal(err)
		}
		light, err := heavy.Light()
		if err != nil {
			t.Fatal(err)
		}
		if len(heavy.Bytes) < 4<<20 || len(light.Bytes) > 8<<10 || light.Light != nil {
			t.Errorf("%d and %d octets", len(heavy.Bytes), len(light.Bytes))
		}
		if light.ID != heavy.ID || light.To != heavy.To || light.From != heavy.From || light.Subject != heavy.Subject {
			t.Errorf("another letter: %+v", light)
		}
		got := parse(t, light.Bytes)
		if !strings.Contains(got.text, c[1]) || !strings.Contains(got.html, c[1]) || strings.Contains(heavy.Text, c[1]) {
			t.Errorf("the light letter does not say where the attachment is:\n%s", got.text)
		}
		if got.header.Get("X-Seal") != "yes" || !bytes.HasPrefix(heavy.Bytes, []byte("X-Seal: yes\r\n")) {
			t.Error("not sealed")
		}
		if again, err := heavy.Light(); err != nil || !bytes.Equal(again.Bytes, light.Bytes) {
			t.Errorf("made again, other bytes (%v)", err)
		}
	}
	if sealed != 6 {
		t.Errorf("sealed %d times", sealed)
	}
}

func TestPlain(t *testing.T) {
	p := plainLetter()
	p.From.RedirectTo = "trial@sfj.laoshan.example"
	m, err := Plain(p)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, m.Bytes, maxLine)
	got := parse(t, m.Bytes)
	h := got.header
	if m.To != p.To || h.Get("To") != p.To || m.ID != "<plain0001@sfj.laoshan.example>" || h.Get("Message-Id") != m.ID || m.UTF8 {
		t.Errorf("%+v", h)
	}
	for _, never := range []string{"Bcc", "Cc", "X-Duban-Notice", "List-Id", "References", "In-Reply-To"} {
		if h.Get(never) != "" {
			t.Errorf("it has %s: %s", never, h.Get(never))
		}
	}
	if at, err := h.Date(); err != nil || !at.Equal(p.Date.Truncate(time.Second)) {
		t.Errorf("Date %v %v", at, err)
	}
	for _, must := range []string{"\r\n　　本件为测试邮件，无需回复。\r\n", "\r\n　　Bcc: evil@example.org\r\n", "\r\n　　.开头是点\r\n", "2024年9月26日\r\n", "崂山区司法局\r\n"} {
		if !strings.Contains(got.text, must) {
			t.Errorf("the text lacks %q:\n%s", must, got.text)
		}
	}
	for name, spoil := range map[string]func(*Letter){
		"ID":      func(p *Letter) { p.ID = "a b" },
		"no ID":   func(p *Letter) { p.ID = "" },
		"address": func(p *Letter) { p.To = "a@b.example\r\nBcc: c@d.example" },
		"sender":  func(p *Letter) { p.From.FromAddress = "" },
		"date":    func(p *Letter) { p.Date = time.Time{} },
		"seal":    func(p *Letter) { p.From.Seal = func([]byte) ([]byte, error) { return nil, io.ErrUnexpectedEOF } },
	} {
		bad := plainLetter()
		spoil(&bad)
		if _, err := Plain(bad); err == nil {
			t.Errorf("%s: composed", name)
		}
	}
}

// FuzzAttachmentName has Go's own parser read back the name of an attachment.
func FuzzAttachmentName(f *testing.F) {
	for _, n := range names {
		f.Add(n.in)
	}
	f.Fuzz(func(t *testing.T, name string) {
		want := fileName(name)
		if want == "" || !utf8.ValidString(want) || strings.ContainsAny(want, "/\\\r\n\x00") || strings.HasPrefix(want, ".") || utf8.RuneCountInString(want) > maxName {
			t.Fatalf("name %q of %q", want, name)
		}
		p := plainLetter()
		p.Attachments = []Attachment{{Name: name, Data: []byte("x")}}
		m, err := Plain(p)
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, m.Bytes, maxLine)
		if _, files := parseMixed(t, m.Bytes); len(files) != 1 || files[0].name != want || files[0].old != want {
			t.Fatalf("%q reads back as %+v, want %q", name, files, want)
		}
	})
}
