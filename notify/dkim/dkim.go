// Package dkim signs mails (RFC 6376, RFC 8463) with relaxed/relaxed canonicalization.
//
// A signature holds no time: a letter that is composed again has the same bytes again, and both RSA with PKCS #1 v1.5 and
// Ed25519 sign the same to the same. That is why the signing is here and not a library's, which puts the time in.
package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// signed are the headers that a signature covers, each where the mail has it. From is covered once more than it is there,
// so that no second one can be added (RFC 6376, 8.15).
var signed = [...]string{
	"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "References", "List-Id", "MIME-Version", "Content-Type",
}

// minBits is the least length of an RSA key (RFC 8301, 3.2).
const minBits = 1024

// Signer signs with one key. Several goroutines may use it at the same time.
type Signer struct {
	domain, selector, algorithm string
	key                         crypto.Signer
	hash                        crypto.Hash // what the key is told that it signs
}

// New reads a private key in PEM form, RSA (PKCS #1 or PKCS #8) or Ed25519 (PKCS #8). The public key is expected in the
// TXT record of selector._domainkey.domain.
func New(domain, selector string, keyPEM []byte) (*Signer, error) {
	if !isName(domain) || !strings.Contains(domain, ".") {
		return nil, fmt.Errorf("read DKIM settings: domain %q is not a domain name in ASCII", domain)
	}
	if !isName(selector) {
		return nil, fmt.Errorf("read DKIM settings: selector %q is not made of labels of a domain name", selector)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read DKIM key: %w", err)
	}
	s := &Signer{domain: domain, selector: selector}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n < minBits {
			return nil, fmt.Errorf("read DKIM key: it has %d bits, want %d at least and better 2048", n, minBits)
		}
		s.key, s.algorithm, s.hash = k, "rsa-sha256", crypto.SHA256
	case ed25519.PrivateKey:
		// The hash of the headers is itself the message that is signed (RFC 8463, 3).
		s.key, s.algorithm, s.hash = k, "ed25519-sha256", crypto.Hash(0)
	default:
		return nil, fmt.Errorf("read DKIM key: a %T cannot sign mail, want RSA or Ed25519", key)
	}
	return s, nil
}

func parseKey(keyPEM []byte) (any, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, errors.New("no PEM block in it")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse PKCS #1: %w", err)
		}
		return key, nil
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse PKCS #8: %w", err)
		}
		return key, nil
	}
	return nil, fmt.Errorf("a PEM block of type %q, want PRIVATE KEY or RSA PRIVATE KEY without a password", block.Type)
}

// isName reports whether s is made of labels of letters, digits and inner hyphens (RFC 6376, 3.1).
func isName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for l := range strings.SplitSeq(s, ".") {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.ContainsFunc(l, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
		}) {
			return false
		}
	}
	return true
}

// Sign returns the mail with a DKIM-Signature before its headers. The mail must have CRLF line ends, since a signature
// over others would be one over a mail that nobody gets.
func (s *Signer) Sign(mail []byte) ([]byte, error) {
	if bytes.Count(mail, []byte("\n")) != bytes.Count(mail, []byte("\r\n")) || bytes.Count(mail, []byte("\r")) != bytes.Count(mail, []byte("\r\n")) {
		return nil, errors.New("sign mail: a line end in it is not CRLF")
	}
	head, body, ok := bytes.Cut(mail, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("sign mail: no end of its headers")
	}
	fields := fieldsOf(head)
	covered, data := cover(fields)
	if len(covered) < 2 || !strings.EqualFold(covered[0], "From") {
		return nil, errors.New("sign mail: it has no From")
	}
	bodySum := sha256.Sum256(relaxedBody(body))
	signature := s.field(covered, base64.StdEncoding.EncodeToString(bodySum[:]))
	// The signature itself comes last, with an empty b= and without its line end (RFC 6376, 3.7).
	data = append(data, bytes.TrimSuffix(relaxedField([]byte(signature)), []byte("\r\n"))...)
	sum := sha256.Sum256(data)
	sig, err := s.key.Sign(nil, sum[:], s.hash)
	if err != nil {
		return nil, fmt.Errorf("sign mail: %w", err)
	}
	out := make([]byte, 0, len(mail)+len(signature)+512)
	out = append(append(out, signature...), fold(base64.StdEncoding.EncodeToString(sig))...)
	return append(append(out, "\r\n"...), mail...), nil
}

// field is the header with an empty signature. The tags stand on lines of their own, which a reader may fold anew.
func (s *Signer) field(covered []string, bodyHash string) string {
	var names strings.Builder
	width := len(" h=")
	for i, n := range covered {
		if i > 0 {
			names.WriteString(":")
			if width += len(n) + 1; width > 70 {
				names.WriteString("\r\n  ")
				width = len(n) + 2
			}
		}
		names.WriteString(n)
	}
	return "DKIM-Signature: v=1; a=" + s.algorithm + "; c=relaxed/relaxed;\r\n d=" + s.domain + ";\r\n s=" + s.selector +
		";\r\n h=" + names.String() + ";\r\n bh=" + bodyHash + ";\r\n b="
}

// fold puts a long base64 on lines; white space inside it does not count (RFC 6376, 3.5).
func fold(s string) string {
	var b strings.Builder
	for len(s) > 70 {
		b.WriteString(s[:70] + "\r\n ")
		s = s[70:]
	}
	return b.String() + s
}

// fieldsOf splits the headers into fields, each with its folded lines and without the last line end.
func fieldsOf(head []byte) [][]byte {
	var out [][]byte
	start := 0
	for at := 0; at < len(head); {
		n := bytes.Index(head[at:], []byte("\r\n"))
		if n < 0 {
			break
		}
		next := at + n + len("\r\n")
		if next == len(head) || head[next] != ' ' && head[next] != '\t' {
			out = append(out, head[start:at+n])
			start = next
		}
		at = next
	}
	return append(out, head[start:])
}

// cover returns the names that go into h= and the canonical form of their fields, in that order. Of a header that is
// there several times the last is covered first (RFC 6376, 5.4.2), and no more than once but for From.
func cover(fields [][]byte) (names []string, data []byte) {
	for _, name := range signed {
		for i := len(fields) - 1; i >= 0; i-- {
			if field, _, _ := bytes.Cut(fields[i], []byte(":")); strings.EqualFold(name, string(bytes.TrimRight(field, " \t"))) {
				names, data = append(names, name), append(data, relaxedField(fields[i])...)
				break
			}
		}
		if name == "From" && len(names) > 0 {
			names = append(names, name)
		}
	}
	return names, data
}

// relaxedField is RFC 6376, 3.4.2: the name in small letters, unfolded, runs of white space as one space, none around the
// colon or at the end.
func relaxedField(f []byte) []byte {
	name, value, _ := bytes.Cut(f, []byte(":"))
	out := append(bytes.ToLower(bytes.TrimRight(name, " \t")), ':')
	out = append(out, bytes.Join(bytes.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }), []byte(" "))...)
	return append(out, "\r\n"...)
}

// relaxedBody is RFC 6376, 3.4.4: runs of white space in a line as one space, none at its end, no empty lines at the end
// of the body; a body that is not empty ends with a line end.
func relaxedBody(body []byte) []byte {
	out := make([]byte, 0, len(body)+2)
	empty := 0
	for line := range bytes.SplitSeq(body, []byte("\r\n")) {
		line = bytes.TrimRight(line, " \t")
		if len(line) == 0 {
			empty++
			continue
		}
		for range empty {
			out = append(out, "\r\n"...)
		}
		empty = 0
		if bytes.ContainsAny(line, " \t") {
			for i, c := range line {
				switch {
				case c != ' ' && c != '\t':
					out = append(out, c)
				case i == 0 || line[i-1] != ' ' && line[i-1] != '\t':
					out = append(out, ' ')
				}
			}
		} else {
			out = append(out, line...)
		}
		out = append(out, "\r\n"...)
	}
	return out
}
