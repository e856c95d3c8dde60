package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func readString(s string) (reply, error) {
	var p reply
	err := p.read(bufio.NewReaderSize(strings.NewReader(s), maxLine))
	return p, err
}

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		in             string
		code           int
		enhanced, text string
	}{
		{"250 ok\r\n", 250, "", "ok"},
		{"250\r\n", 250, "", ""},
		{"250 \n", 250, "", ""},
		{"250 2.1.0 ok\r\nmore", 250, "2.1.0", "ok"},
		{"550 5.1.1\r\n", 550, "5.1.1", ""},
		{"550-5.7.1 first\r\n550-5.7.1 second\r\n550 5.7.1 third\r\n", 550, "5.7.1", "first second third"},
		{"451-said\r\n451 4.7.0 later\r\n", 451, "4.7.0", "said later"},
		{"550 5.123.999 x\r\n", 550, "5.123.999", "x"},
		{"550 5.1.1000 x\r\n", 550, "", "5.1.1000 x"},
		{"550 3.1.1 x\r\n", 550, "", "3.1.1 x"},
		{"550 5.1. x\r\n", 550, "", "5.1. x"},
		{"550 10.1.1.1 is listed\r\n", 550, "", "10.1.1.1 is listed"},
		{"554 a\tb\x00c\x1b[1m \xff 邮件\r\r\n", 554, "", "a b c [1m ? 邮件"},
		{"599 x\r\n", 599, "", "x"},
	} {
		p, err := readString(c.in)
		enhanced, text := p.said()
		if err != nil || p.code != c.code || enhanced != c.enhanced || text != c.text {
			t.Errorf("%q: %d %q %q, %v", c.in, p.code, enhanced, text, err)
		}
	}
	for in, want := range map[string]error{
		"":                                io.EOF,
		"250":                             io.ErrUnexpectedEOF,
		"250-ok\r\n":                      io.ErrUnexpectedEOF,
		"250-ok\r\n25":                    io.ErrUnexpectedEOF,
		"hi\r\n":                          nil,
		"\r\n":                            nil,
		"25 ok\r\n":                       nil,
		"150 ok\r\n":                      nil,
		"650 ok\r\n":                      nil,
		"2500 ok\r\n":                     nil,
		"250\tok\r\n":                     nil,
		" 250 ok\r\n":                     nil,
		"250-ok\r\n550 no\r\n":            nil,
		strings.Repeat("250-x\r\n", 1000): nil,
		"250 " + strings.Repeat("x", 5000) + "\r\n":                          nil,
		strings.Repeat("250-"+strings.Repeat("x", 1000)+"\r\n", 100) + "250": nil,
	} {
		p, err := readString(in)
		var said protocolError
		if p.code != 0 || want != nil && !errors.Is(err, want) || want == nil && !errors.As(err, &said) {
			t.Errorf("%.40q: code %d, %v", in, p.code, err)
		}
	}
	p := reply{text: []byte("550 a\r\n\tb \xff" + strings.Repeat("长", 1000))}
	if _, text := p.said(); len(text) > maxText || !strings.HasPrefix(text, "550 a b ?长") || !utf8.ValidString(text) {
		t.Errorf("%q", text)
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "250-a\r\n250 2.0.0 b\r\n", "550 5.1.1 x", "354\n", "250-\xff\r\n250 \x00\r\n", "999 x\n", "421 4.3.2\u2028x\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(in), maxLine)
		for range 100 {
			var p reply
			err := p.read(r)
			if len(p.text) > maxBytes {
				t.Fatalf("%d bytes", len(p.text))
			}
			enhanced, text := p.said()
			if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				t.Fatalf("%q", text)
			}
			if enhanced != "" && (len(enhanced) > 9 || strings.Count(enhanced, ".") != 2) {
				t.Fatalf("enhanced code %q", enhanced)
			}
			if err != nil {
				if p.code != 0 {
					t.Fatalf("code %d with %v", p.code, err)
				}
				return
			}
			if p.code < 200 || p.code > 599 {
				t.Fatalf("code %d", p.code)
			}
			_ = offered(p.text)
		}
	})
}

// sink is a connection that keeps what is written, and fails after so many bytes.
type sink struct {
	net.Conn
	b     bytes.Buffer
	sizes []int
	limit int
}

func (s *sink) SetWriteDeadline(time.Time) error { return nil }

func (s *sink) Write(b []byte) (int, error) {
	s.sizes = append(s.sizes, len(b))
	if s.limit > 0 && s.b.Len()+len(b) > s.limit {
		n := max(s.limit-s.b.Len(), 0)
		s.b.Write(b[:n])
		return n, io.ErrClosedPipe
	}
	return s.b.Write(b)
}

// TestBodies reads back what was written with another reader of dots.
func TestBodies(t *testing.T) {
	large := strings.Repeat("0123456789\r\n", 20_000)
	for _, body := range []string{
		"", "a", "a\r\n", ".", "..", ".\r\n", "\r\n.\r\n", "a\r\n.b\r\n..c\r\n.", "a\n.\nb", large, large + ".", strings.Repeat(".\r\n", 50_000),
		strings.Repeat("x", chunk-1) + "\r\n.\r\n", strings.Repeat("x", chunk-3) + "\r\n.\r\n",
	} {
		s := &sink{}
		w := newWire(s, time.Minute)
		w.putLine("DATA")
		dot := w.putBody([]byte(body))
		w.putLine("NEXT")
		if err := w.flush(); err != nil || w.sent != w.queued {
			t.Fatal(err, w.sent, w.queued)
		}
		out := s.b.String()
		if out[dot:] != ".\r\nNEXT\r\n" {
			t.Errorf("%.20q: the dot is not where it was told to be: %.20q", body, out[dot:])
		}
		if i := strings.Index(out, "\n.\r\n"); i >= 0 && i+1 != int(dot) {
			t.Errorf("%.20q: a dot of its own at %d, the final one is at %d", body, i+1, dot)
		}
		got, err := textproto.NewReader(bufio.NewReader(strings.NewReader(out[len("DATA\r\n"):]))).ReadDotBytes()
		want := strings.ReplaceAll(body, "\r\n", "\n")
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if err != nil || string(got) != want {
			t.Errorf("%.20q: %v, read back %.40q", body, err, got)
		}
		for i, n := range s.sizes {
			if n > chunk || n < chunk && i < len(s.sizes)-1 {
				t.Errorf("%.20q: write %d of %d has %d bytes", body, i, len(s.sizes), n)
			}
		}
	}
}

// TestAWriteThatFails holds what was counted against what has left, at every place a connection can fail.
func TestAWriteThatFails(t *testing.T) {
	body := []byte(strings.Repeat("0123456789\r\n", 12_000))
	for limit := 1; limit < len(body)+200; limit += 997 {
		s := &sink{limit: limit}
		w := newWire(s, time.Minute)
		dot := w.putBody(body)
		w.putLine("MAIL FROM:<a@b.example>")
		err := w.flush()
		if (err != nil) != (w.queued > int64(limit)) || w.sent != int64(s.b.Len()) {
			t.Fatalf("limit %d: %v, %d sent of %d, %d arrived", limit, err, w.sent, w.queued, s.b.Len())
		}
		if arrived := strings.Contains(s.b.String(), "\r\n.\r\n"); arrived && w.sent <= dot {
			t.Fatalf("limit %d: the dot has left and is said not to", limit)
		}
	}
}

func TestEightBit(t *testing.T) {
	for n := range 100 {
		b := bytes.Repeat([]byte{'x'}, n)
		if eightBit(b) {
			t.Errorf("%q", b)
		}
		for i := range b {
			b[i] = 0x80
			if !eightBit(b) {
				t.Errorf("%q", b)
			}
			b[i] = 'x'
		}
	}
}

func TestOffers(t *testing.T) {
	e := offered([]byte("hi SIZE PIPELINING\nsize 5000\nPipelining\n8BITMIME\nSMTPUTF8\nAUTH LOGIN plain\nAUTH=CRAM-MD5\nSTARTTLS\n\nX-ODD \x01"))
	if !e.pipelining || !e.eightBit || !e.utf8 || !e.startTLS || !e.sizes || e.size != 5000 || strings.Join(e.auth, " ") != "LOGIN PLAIN CRAM-MD5" || len(e.all) != 8 {
		t.Errorf("%+v", e)
	}
	for _, s := range []string{"SIZE", "SIZE 0", "SIZE x", "SIZE 99999999999999999999"} {
		if e := offered([]byte("hi\n" + s)); !e.sizes || e.size < 0 || e.pipelining {
			t.Errorf("%s: %+v", s, e)
		}
	}
	if e := offered([]byte("PIPELINING")); e.pipelining {
		t.Error("the server's name was taken for an extension")
	}
}
