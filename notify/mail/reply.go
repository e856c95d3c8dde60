package mail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of one reply. RFC 5321 (4.5.3.1.5) allows 512 octets a line; real servers say more, none says this much.
const (
	maxLine  = 4 << 10
	maxLines = 128
	maxBytes = 32 << 10
	maxText  = 500 // of the words that are kept
)

// protocolError is what a server said where no reply of SMTP was to be read.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// reply is a server's answer (RFC 5321, 4.2).
type reply struct {
	code int    // 200 to 599; 0: none was read
	text []byte // the lines without the code, joined by LF; valid until the next reply is read
}

// read reads one reply, of one line or several. The reader's buffer is maxLine.
func (p *reply) read(r *bufio.Reader) error {
	p.code, p.text = 0, p.text[:0]
	first, total := 0, 0
	for n := 1; ; n++ {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return protocolError("a line of its reply does not end")
		case errors.Is(err, io.EOF) && (len(line) > 0 || n > 1):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
		if total += len(line); n > maxLines || total > maxBytes {
			return protocolError("its reply does not end")
		}
		code, more, text, ok := replyLine(line)
		if !ok || n > 1 && code != first {
			return protocolError(fmt.Sprintf("it answers %.60q, which is no reply of SMTP", line))
		}
		if first = code; n > 1 {
			p.text = append(p.text, '\n')
		}
		p.text = append(p.text, text...)
		if !more {
			p.code = code
			return nil
		}
	}
}

// replyLine takes one line apart. A bare LF ends a line as well, and the text may be missing with its space.
func replyLine(line []byte) (code int, more bool, text []byte, ok bool) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return 0, false, nil, false
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return code, false, nil, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, false, nil, false
	}
	return code, line[3] == '-', line[4:], true
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

// said returns the enhanced code (RFC 2034), "" where there is none, and the words without it on one line.
func (p *reply) said() (enhanced, text string) {
	if bytes.IndexByte(p.text, '\n') < 0 {
		code, rest := enhancedCode(p.text)
		return string(code), oneLine(string(rest))
	}
	var words []byte
	for line := range bytes.SplitSeq(p.text, []byte{'\n'}) {
		code, rest := enhancedCode(line)
		if enhanced == "" {
			enhanced = string(code)
		}
		words = append(append(words, rest...), ' ')
	}
	return enhanced, oneLine(string(words))
}

// enhancedCode splits "5.1.1 no such user" (RFC 3463: class, subject of up to three digits, detail likewise).
func enhancedCode(line []byte) (code, rest []byte) {
	n := bytes.IndexByte(line, ' ')
	if n < 0 {
		n = len(line)
	}
	if n < 5 || line[0] != '2' && line[0] != '4' && line[0] != '5' || line[1] != '.' {
		return nil, line
	}
	subject, detail, ok := bytes.Cut(line[2:n], []byte{'.'})
	if !ok || !digits(subject) || !digits(detail) {
		return nil, line
	}
	return line[:n], line[n:]
}

func digits(b []byte) bool {
	for _, c := range b {
		if !digit(c) {
			return false
		}
	}
	return len(b) >= 1 && len(b) <= 3
}

// oneLine makes words fit to be kept: one line of valid UTF-8 without control characters, of maxText bytes at most.
func oneLine(s string) string {
	if s = strings.Trim(s, " "); plain(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxText {
		cut := maxText
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return s
}

// plain reports whether words are fit as they are, which nearly all are.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == ' ' && s[i-1] == ' ' {
			return false
		}
	}
	return len(s) <= maxText
}
