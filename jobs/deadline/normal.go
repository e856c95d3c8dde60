package deadline

import "strings"

// maxRunes is the longest cell that is read. A deadline is a phrase; a page of prose is for a person.
const maxRunes = 600

// at joins a date and the clock time written after it, so that their digits do not run together.
const at = '@'

// normalise folds widths, look-alikes and white space so that the grammar meets one spelling of everything.
// Numbers keep their script: a Chinese numeral is only a number where a unit follows it. The second result is a
// reason to refuse: digits torn apart by a blank might have lost one of their number.
func normalise(text string) ([]rune, string) {
	in := make([]rune, 0, len(text))
	for _, r := range text {
		r = fold(r)
		if r == 0 || r == '-' && len(in) > 0 && in[len(in)-1] == '-' {
			continue
		}
		in = append(in, r)
		if len(in) > 4*maxRunes {
			return nil, "文字过长，不像时限"
		}
	}
	in = []rune(strings.TrimSpace(string(in)))
	out := make([]rune, 0, len(in))
	for i := 0; i < len(in); i++ {
		if !blank(in[i]) {
			out = append(out, in[i])
			continue
		}
		first, broke := i, false
		for ; i < len(in) && blank(in[i]); i++ {
			broke = broke || in[i] == '\n'
		}
		prev, rest := in[first-1], in[i:]
		i--
		switch {
		case digit(prev) && digit(rest[0]) && clock(rest, 0) > 0:
			out = append(out, at)
		case digit(prev) && digit(rest[0]) && !broke:
			return nil, "数字中间有空格，可能缺字"
		case digit(prev) && digit(rest[0]) && !inDate(out):
			return nil, "数字被换行断开，可能缺字"
		case splits(prev, rest, broke):
			out = append(out, ',')
		}
	}
	if len(out) > maxRunes {
		return nil, "文字过长，不像时限"
	}
	return out, ""
}

// inDate reports whether the digits that end s belong to a date begun before them, so that a line break inside the
// number can only be the edge of the page.
func inDate(s []rune) bool {
	i := len(s)
	for i > 0 && digit(s[i-1]) {
		i--
	}
	return i > 0 && strings.ContainsRune("年月.-/", s[i-1])
}

// splits reports whether white space between prev and rest parts two clauses. A line break does, unless it tears a
// date apart; a blank does only before or after a standing phrase.
func splits(prev rune, rest []rune, broke bool) bool {
	if startsWith(rest, 0, standingHeads) > 0 {
		return true
	}
	if !broke {
		return false
	}
	_, _, year := yearNumber(rest, 0)
	switch {
	case year:
		return !digit(prev)
	case digit(prev):
		return false
	case strings.ContainsRune("年月每第至到于", prev):
		return false
	}
	return !strings.ContainsRune("年月日号底末前内季旬,;。、)", rest[0])
}

func blank(r rune) bool { return r == ' ' || r == '\n' }

func digit(r rune) bool { return r >= '0' && r <= '9' }

// fold maps one rune to the spelling the grammar knows, or to 0 where it carries nothing.
func fold(r rune) rune {
	if r >= 0xFF01 && r <= 0xFF5E {
		r -= 0xFEE0
	}
	switch r {
	case '\t', '\r', '\v', '\f', 0x00A0, 0x3000, 0x2002, 0x2003, 0x2009, 0x202F:
		return ' '
	case '\n', 0x2028, 0x2029, 0x0085:
		return '\n'
	case 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0xFEFF, 0x00AD, 0x2060, '“', '”', '"', '‘', '’', '\'', '*':
		return 0
	case '—', '–', '―', '‐', '‑', '‒', '−', '─', '━', '~', '〜', '∼', '﹣', '➝', '→':
		return '-'
	case '○', '◯', '零':
		return '〇'
	case '〔', '【', '[', '〖', '「', '{', '﹝':
		return '('
	case '〕', '】', ']', '〗', '」', '}', '﹞':
		return ')'
	case '｡', '!', '|':
		return '。'
	case '､':
		return '、'
	}
	return foldRadical(r)
}

// foldRadical maps the radicals that text taken out of a PDF shows in place of ordinary characters.
func foldRadical(r rune) rune {
	switch r {
	case 0x2F00:
		return '一'
	case 0x2F06:
		return '二'
	case 0x2F0B:
		return '八'
	case 0x2F17:
		return '十'
	case 0x2F47, 0x2E9C:
		return '日'
	case 0x2F49, 0x2E9D:
		return '月'
	case 0x2ED3, 0x2FA7:
		return '长'
	}
	return r
}

// startsWith returns the length in runes of the longest word of the blank-separated list that stands at s[i], or 0.
func startsWith(s []rune, i int, list string) int {
	best := 0
	for len(list) > 0 {
		word, rest, _ := strings.Cut(list, " ")
		list = rest
		if n := wordAt(s, i, word); n > best {
			best = n
		}
	}
	return best
}

// endsWith returns the length in runes of the longest word of the list that ends s, or 0.
func endsWith(s []rune, list string) int {
	best := 0
	for len(list) > 0 {
		word, rest, _ := strings.Cut(list, " ")
		list = rest
		if n := len([]rune(word)); n > best && n <= len(s) && wordAt(s, len(s)-n, word) == n {
			best = n
		}
	}
	return best
}

// wordAt returns the length in runes of word if it stands at s[i], else 0.
func wordAt(s []rune, i int, word string) int {
	n := 0
	for _, r := range word {
		if i+n < 0 || i+n >= len(s) || s[i+n] != r {
			return 0
		}
		n++
	}
	return n
}

// containsAny returns the first word of the list found in t, or "".
func containsAny(t, list string) string {
	for len(list) > 0 {
		word, rest, _ := strings.Cut(list, " ")
		list = rest
		if word != "" && strings.Contains(t, word) {
			return word
		}
	}
	return ""
}
