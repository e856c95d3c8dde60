package compose

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// ErrAddress marks an address no mail can ever go to.
var ErrAddress = errors.New("address cannot be used")

// Address checks one mail address and returns it as it goes into an envelope: the domain in ASCII (IDNA 2008), the
// local part as it is, which need not be ASCII (RFC 6531). A line break, a NUL, a display name, a quoted local part, one
// that is not in normal form or holds what nobody can see are refused, never mended: a mended address is somebody
// else's.
func Address(s string) (string, error) {
	if isUsual(s) {
		return s, nil
	}
	if !utf8.ValidString(s) || hasBreak(s) {
		return "", fmt.Errorf("check address %q: it holds a line break or another byte that no address has: %w", s, ErrAddress)
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 {
		return "", fmt.Errorf("check address %q: want name@domain: %w", s, ErrAddress)
	}
	local := s[:at]
	if reason := localFault(local); reason != "" {
		return "", fmt.Errorf("check address %q: the part before @ %s: %w", s, reason, ErrAddress)
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

// localFault says what keeps a local part from being used, "" where nothing does. Full-width forms of the signs that
// have a meaning in an address are slips of an input method.
func localFault(local string) string {
	for _, r := range local {
		switch {
		case r <= ' ' || r == 0x7f:
			return "holds a space or a control character"
		case r > 0x7f && (!unicode.IsGraphic(r) || unicode.IsSpace(r) || r == utf8.RuneError):
			return "holds a character that cannot be seen"
		}
	}
	switch {
	case !norm.NFC.IsNormalString(local): // RFC 6532, 3.1
		return "is not in Unicode normal form C"
	case !isASCII(local) && strings.ContainsAny(norm.NFKC.String(local), "()<>[]:;@\\,\" \t"):
		return "holds a full-width sign that has a meaning in an address"
	}
	return ""
}

// isUsual reports whether an address is of the plainest kind, which every check accepts as it is: letters, digits and
// a few signs before the @, and a domain in small letters without encoded labels.
func isUsual(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(local) > 64 || len(s) > 254 || !dotted(local, true) || !dotted(domain, false) {
		return false
	}
	return strings.Contains(domain, ".")
}

// dotted reports whether s is made of words of letters, digits and inner hyphens with dots between them. In a domain
// only small letters will do, no label may be longer than 63 octets (RFC 1035, 2.3.4) and none may have two hyphens
// running, which mark an encoded one.
func dotted(s string, local bool) bool {
	start := 0
	for i := 0; i <= len(s); i++ {
		switch {
		case i == len(s) || s[i] == '.':
			if i == start || s[i-1] == '-' || i-start > 63 && !local {
				return false
			}
			start = i + 1
		case s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9':
		case local && (s[i] >= 'A' && s[i] <= 'Z' || s[i] == '_'):
		case s[i] == '-' && i > start && s[i-1] != '-':
		default:
			return false
		}
	}
	return true
}

// Domain checks a mail domain and returns it in ASCII.
func Domain(s string) (string, error) {
	out, err := idna.Lookup.ToASCII(s)
	if err != nil || out == "" || strings.ContainsAny(out, "@<>\"\\,;:() \t\r\n\x00[]") ||
		strings.HasPrefix(out, ".") || strings.HasSuffix(out, ".") || strings.Contains(out, "..") || !labelsFit(out) {
		return "", fmt.Errorf("check domain %q: not a domain name: %w", s, ErrAddress)
	}
	return out, nil
}

// labelsFit checks the lengths of RFC 1035, 2.3.4.
func labelsFit(domain string) bool {
	for l := range strings.SplitSeq(domain, ".") {
		if len(l) > 63 {
			return false
		}
	}
	return len(domain) <= 253
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

func hasBreak(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
