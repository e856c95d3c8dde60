package notify

import (
	"regexp"
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

// number is a telephone's or a certificate's, with its hyphens and blanks, or the day it might be taken for.
var number = regexp.MustCompile(`(?:19|20)[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}(?:[ T][0-9]{2}:[0-9]{2})?|` +
	`[+]?[0-9０-９]{3,4}(?:[- ][0-9０-９]{3,4}){2}|[0-9０-９]{3,4}[- ][0-9０-９]{7,8}|[+]?[0-9０-９]{7,}[XxＸ]?`)

// day is a day, with its hyphens or without, or an instant of it.
var day = regexp.MustCompile(`^(?:19|20)[0-9]{2}(?:-[0-9]{1,2}-[0-9]{1,2}(?:[ T][0-9]{2}:[0-9]{2})?|(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))$`)

// MaskFree hides the addresses, and the numbers that may be of a telephone or a certificate, in what a person wrote in free
// words, such as a reason. Days stay. Names do not show by their form: who passes the text on to others than its author's
// colleagues says so, or leaves it out.
func MaskFree(s string) string {
	return MaskAll(number.ReplaceAllStringFunc(s, func(found string) string {
		if day.MatchString(found) {
			return found
		}
		return "***"
	}))
}
