package deadline

import "strings"

const numerals = "〇一二三四五六七八九十百两"

func numeral(r rune) bool { return strings.ContainsRune(numerals, r) }

// number reads a whole number below 10000 at s[i], in ASCII digits or in Chinese numerals. A mixture of the two,
// or a number that begins before i, is not one: it may be a misread digit.
func number(s []rune, i int) (n, end int, ok bool) {
	if i >= len(s) || i > 0 && (digit(s[i-1]) || numeral(s[i-1]) || digit(s[i]) && letter(s[i-1])) {
		return 0, i, false
	}
	if digit(s[i]) {
		for end = i; end < len(s) && digit(s[end]); end++ {
			n = n*10 + int(s[end]-'0')
			if end-i >= 4 {
				return 0, i, false
			}
		}
		if end-i > 2 && s[i] == '0' || end < len(s) && (numeral(s[end]) || letter(s[end])) {
			return 0, i, false
		}
		return n, end, true
	}
	for end = i; end < len(s) && numeral(s[end]); end++ {
	}
	if end == i || end < len(s) && digit(s[end]) {
		return 0, i, false
	}
	n, ok = chinese(s[i:end])
	return n, end, ok
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// chinese reads 五, 两, 十二, 二十五, 一百二十 and, digit by digit, a year such as 二〇二四.
func chinese(s []rune) (int, bool) {
	t := string(s)
	if !strings.ContainsAny(t, "十百") {
		if len(s) != 1 && len(s) != 4 || len(s) == 4 && strings.ContainsRune(t, '两') {
			return 0, false
		}
		n := 0
		for _, r := range s {
			n = n*10 + value(r)
		}
		return n, true
	}
	n, cur, last := 0, -1, 1000
	for _, r := range s {
		var unit int
		switch r {
		case '百':
			unit = 100
		case '十':
			unit = 10
		case '〇', '两':
			return 0, false
		default:
			if cur >= 0 {
				return 0, false
			}
			cur = value(r)
			continue
		}
		if unit >= last || cur < 0 && (unit != 10 || n > 0) {
			return 0, false
		}
		n, cur, last = n+max(cur, 1)*unit, -1, unit
	}
	if cur >= 0 {
		if last == 100 {
			return 0, false // 一百五 is 150 to the ear
		}
		n += cur
	}
	return n, true
}

// value is the digit a numeral stands for.
func value(r rune) int {
	switch r {
	case '一':
		return 1
	case '二', '两':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	}
	return 0
}

// yearNumber reads a year of four digits, of this century, with 年 behind it.
func yearNumber(s []rune, i int) (y, end int, ok bool) {
	y, end, ok = number(s, i)
	if !ok || end-i != 4 || y < 2000 || y > 2099 || end >= len(s) || s[end] != '年' {
		return 0, i, false
	}
	return y, end + 1, true
}
