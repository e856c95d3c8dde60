package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"gopkg.in/gomail.v2"
)

// scratch is the memory one mail is made in. Nothing of it outlives the mail.
type scratch struct {
	text, page, wire []byte
	raw              bytes.Buffer
	mail             *gomail.Message
}

type scratchPool struct{ pool sync.Pool }

func (p *scratchPool) get() *scratch {
	if s, ok := p.pool.Get().(*scratch); ok {
		return s
	}
	return &scratch{mail: gomail.NewMessage(gomail.SetCharset("UTF-8"), gomail.SetEncoding(gomail.Base64))}
}

// keep is the most that a scratch may hold to be used again: a letter's worth, not an attachment's.
const keep = 1 << 20

func (p *scratchPool) put(s *scratch) {
	if s.raw.Cap() <= keep {
		s.mail.Reset()
		p.pool.Put(s)
	}
}

// encode composes the mail with gomail and then takes the chance out of it: header order and boundaries.
func (s *scratch) encode(h head, files []Attachment) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encode mail: %v", p)
		}
	}()
	h.write(s.mail)
	s.wire = appendCRLF(s.wire[:0], s.text)
	end := len(s.wire)
	s.wire = appendCRLF(s.wire, s.page)
	s.mail.AddAlternativeWriter("text/plain", copier(s.wire[:end]))
	s.mail.AddAlternativeWriter("text/html", copier(s.wire[end:]))
	size := len(s.wire)
	for _, f := range files {
		f.attach(s.mail)
		size += len(f.Data)
	}
	s.raw.Reset()
	s.raw.Grow(size/57*78 + 4096) // 57 octets make a line of base64
	if _, err := s.mail.WriteTo(&s.raw); err != nil {
		return nil, fmt.Errorf("encode mail: %w", err)
	}
	return normalise(s.raw.Bytes(), h.boundary())
}

func copier(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// appendCRLF writes a text with line ends as mail has them.
func appendCRLF(b []byte, text []byte) []byte {
	for len(text) > 0 {
		n := bytes.IndexByte(text, '\n')
		if n < 0 {
			return append(b, text...)
		}
		line := text[:n]
		if n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		b = append(append(b, line...), "\r\n"...)
		text = text[n+1:]
	}
	return b
}

// normalise puts the headers into their fixed order and gives the parts boundaries made of the letter's ID: the given
// one to the alternatives, and one before them where there is an attachment. Boundaries that are not each other's
// beginning cannot be taken for one another (RFC 2046, 5.1.2).
func normalise(raw []byte, boundary string) ([]byte, error) {
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("normalise mail: no end of headers")
	}
	fields, err := split(head)
	if err != nil {
		return nil, err
	}
	kind := &fields[len(headerOrder)-1]
	first, ok := boundaryIn(*kind)
	if !ok {
		return nil, fmt.Errorf("normalise mail: no boundary in %q", *kind)
	}
	if bytes.HasPrefix(*kind, []byte("multipart/mixed")) {
		second, ok := boundaryIn(body)
		if !ok {
			return nil, errors.New("normalise mail: no boundary of the alternatives")
		}
		body = bytes.ReplaceAll(body, []byte(second), []byte(boundary))
		boundary = "outer-" + boundary
	}
	*kind = bytes.Replace(*kind, []byte(first), []byte(boundary), 1)
	out := make([]byte, 0, len(raw)+64)
	for i, name := range headerOrder {
		if fields[i] != nil {
			out = append(append(append(append(out, name...), ": "...), fields[i]...), "\r\n"...)
		}
	}
	out = append(out, "\r\n"...)
	mark := []byte("--" + first) // base64 holds no hyphen, so this is a quick search
	for {
		at := bytes.Index(body, mark)
		if at < 0 {
			return append(out, body...), nil
		}
		out = append(append(append(out, body[:at]...), "--"...), boundary...)
		body = body[at+len(mark):]
	}
}

// split returns the values of the headers, still folded, in the order they are to have.
func split(head []byte) ([len(headerOrder)][]byte, error) {
	var fields [len(headerOrder)][]byte
	for len(head) > 0 {
		end := len(head)
		for at := 0; ; {
			n := bytes.Index(head[at:], []byte("\r\n"))
			if n < 0 {
				break
			}
			at += n + len("\r\n")
			if at == len(head) || head[at] != ' ' {
				end = at
				break
			}
		}
		field := bytes.TrimSuffix(head[:end], []byte("\r\n"))
		head = head[end:]
		name, value, ok := bytes.Cut(field, []byte(": "))
		if string(name) == "Mime-Version" { // as gomail writes it
			name = []byte("MIME-Version")
		}
		i := slices.Index(headerOrder[:], string(name))
		if !ok || i < 0 || fields[i] != nil {
			return fields, fmt.Errorf("normalise mail: unexpected header %q", field)
		}
		fields[i] = value
	}
	return fields, nil
}

// boundaryIn returns the first boundary that gomail names in a header.
func boundaryIn(b []byte) (string, bool) {
	_, rest, ok := bytes.Cut(b, []byte("\r\n boundary="))
	if n := bytes.IndexByte(rest, '\r'); n >= 0 {
		rest = rest[:n]
	}
	return string(rest), ok && len(rest) > 0
}
