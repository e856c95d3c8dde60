package compose

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ErrAddress marks an address no mail can ever go to.
var ErrAddress = errors.New("address cannot be used")

// Address checks one mail address and returns it as it goes into an envelope: the domain in ASCII (IDNA 2008), the
// local part as it is. A line break, a NUL, a display name, a quoted or non-ASCII local part are refused, never mended:
// a mended address is somebody else's.
func Address(s string) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x00") {
		return "", fmt.Errorf("check address %q: it holds a line break or another byte that no address has: %w", s, ErrAddress)
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 {
		return "", fmt.Errorf("check address %q: want name@domain: %w", s, ErrAddress)
	}
	local := s[:at]
	for _, r := range local {
		if r <= ' ' || r >= 0x7f {
			return "", fmt.Errorf("check address %q: the part before @ must be plain ASCII: %w", s, ErrAddress)
		}
	}
	domain, err := Domain(s[at+1:])
	if err != nil {
		return "", fmt.Errorf("check address %q: %w", s, err)
	}
	out := local + "@" + domain
	if parsed, err := mail.ParseAddress(out); err != nil || parsed.Address != out || parsed.Name != "" {
		return "", fmt.Errorf("check address %q: not a plain address: %w", s, ErrAddress)
	}
	if len(local) > 64 || len(out) > 254 { // RFC 5321, 4.5.3.1
		return "", fmt.Errorf("check address %q: longer than mail allows: %w", s, ErrAddress)
	}
	return out, nil
}

// Domain checks a mail domain and returns it in ASCII.
func Domain(s string) (string, error) {
	out, err := idna.Lookup.ToASCII(s)
	if err != nil || out == "" || strings.ContainsAny(out, "@<>\"\\,;:() \t\r\n\x00[]") ||
		strings.HasPrefix(out, ".") || strings.HasSuffix(out, ".") || strings.Contains(out, "..") {
		return "", fmt.Errorf("check domain %q: not a domain name: %w", s, ErrAddress)
	}
	return out, nil
}
