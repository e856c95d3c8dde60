package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mask hides an address in a log: zhangsan@b.example becomes z***@b.example.
func Mask(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return "***"
	}
	r, _ := utf8.DecodeRuneInString(address)
	return string(r) + "***" + address[at:]
}

// MaskAll hides every address in a text, such as a server's reply.
func MaskAll(s string) string {
	stop := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>,;:()\"'“”，；：（）", r)
	}
	var b strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, stop)
		if n == 0 {
			_, w := utf8.DecodeRuneInString(s)
			b.WriteString(s[:w])
			s = s[w:]
			continue
		}
		if n < 0 {
			n = len(s)
		}
		if word := s[:n]; strings.Contains(word, "@") {
			b.WriteString(Mask(word))
		} else {
			b.WriteString(word)
		}
		s = s[n:]
	}
	return b.String()
}
