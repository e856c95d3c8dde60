package deadline

import (
	"slices"
	"strings"

	"duban/jobs/civil"
)

// namedYears writes years in full that a cell names otherwise: 24年底 (where the issue date leaves no doubt of the
// century) and the five-year plans, 十四五末 and 十四五期间, whose years are fixed (2021 to 2025).
func namedYears(s []rune, issued civil.Date) []rune {
	for i := 0; i < len(s); i++ {
		if i > 0 && (digit(s[i-1]) || numeral(s[i-1]) || strings.ContainsRune(".-第", s[i-1])) {
			continue
		}
		if y, ok := shortYear(s, i, issued); ok {
			s = slices.Replace(slices.Clone(s), i, i+2, []rune(decimal(y))...)
			i += 3
			continue
		}
		if full, n := fiveYears(s, i); n > 0 && i == 0 {
			s = slices.Replace(slices.Clone(s), i, i+n, []rune(full)...)
		}
	}
	return s
}

// shortYear reads 24年 before a date in it, within three years of the issue.
func shortYear(s []rune, i int, issued civil.Date) (int, bool) {
	n, e, ok := number(s, i)
	if !ok || !digit(s[i]) || e-i != 2 || e+1 >= len(s) || s[e] != '年' || issued <= 0 {
		return 0, false
	}
	y := 2000 + n
	if y < issued.Year()-3 || y > issued.Year()+3 {
		return 0, false
	}
	if startsWith(s, e+1, "底 末 年底 年末 上半年 下半年 第") > 0 {
		return y, true
	}
	m, k, ok := number(s, e+1)
	return y, ok && m >= 1 && m <= 12 && k < len(s) && (s[k] == '月' || s[k] == '季')
}

// fiveYears reads the name of a five-year plan as a time.
func fiveYears(s []rune, i int) (string, int) {
	for _, p := range []struct{ name, span, end string }{
		{"十四五", "2021年-2025年", "2025年底"}, {"十五五", "2026年-2030年", "2030年底"},
	} {
		n := startsWith(s, i, p.name)
		if n == 0 {
			continue
		}
		n += startsWith(s, i+n, "规划")
		if e := startsWith(s, i+n, "末 期末 末期"); e > 0 {
			return p.end, n + e
		}
		if e := startsWith(s, i+n, "期间 时期 期内"); e > 0 {
			return p.span, n + e
		}
	}
	return "", 0
}
