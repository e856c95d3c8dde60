package deadline

import (
	"strings"
	"time"

	"duban/jobs/civil"
)

// grain is the length of calendar a point names.
type grain int

const (
	gYear grain = iota + 1
	gHalf
	gQuarter
	gMonth
	gTen // 上旬, 中旬, 下旬
	gDay
)

// rel says how a year is named when it is not by its number.
type rel int

const (
	relNone rel = iota
	relThis     // 今年, 本年度
	relNext     // 明年
	relSame     // 当年
	relThen     // 次年: the year after the one spoken of
)

// point is a stretch of the calendar with what is said about its edge.
type point struct {
	year  int // 0: not named
	rel   rel
	grain grain
	n     int // half, quarter or month
	part  int // third of the month, or day
	end   bool
	edge  bool // 前, 之前, 以前
	in    bool // 内
	start bool // 起
	span  bool // the last day of a range
	from  *point
	// dotted is set where the date is written with full stops.
	dotted bool
}

// firm reports whether the text marks the point as a limit and not only as a time.
func (p point) firm() bool { return p.end || p.edge || p.in || p.span }

// lasts reports whether the point is a stretch that a duty may fill, 2024年持续推进, and not a limit.
func (p point) lasts() bool { return p.span || !p.edge && !p.end && p.grain != gDay }

// readPoint reads a point at s[i]. A non-empty why means that what stands there is a date that must be refused.
func readPoint(s []rune, i int) (p point, end int, why string) {
	p, end, why = readBare(s, i)
	if end == i || why != "" {
		return p, end, why
	}
	e := rangeSep(s, end)
	if e == 0 && startsWith(s, end, "起至 起到 起-") > 0 {
		e = end + 2
	}
	if e > 0 && startsWith(s, e, "长期 持续 今后") > 0 {
		p.start = true
		return p, e, ""
	}
	if e > 0 && !p.end && p.grain != gTen {
		return readRange(s, p, e)
	}
	if n, day := weekdayNote(s, end); n > 0 && p.grain == gDay {
		if p.year == 0 || p.last(p.year).Weekday() != day {
			return p, end + n, "日期与星期不符"
		}
		end += n
	}
	end = readEdge(s, end, &p)
	return p, end, ""
}

// weekdayNote reads (星期五) behind a date.
func weekdayNote(s []rune, i int) (n int, day time.Weekday) {
	j := i + startsWith(s, i, "( (星期 (周 星期")
	if j == i || !strings.ContainsRune("期周", s[j-1]) || j >= len(s) {
		return 0, 0
	}
	w := strings.IndexRune("日一二三四五六天", s[j])
	if w < 0 {
		return 0, 0
	}
	j++
	if s[i] == '(' {
		if j >= len(s) || s[j] != ')' {
			return 0, 0
		}
		j++
	}
	return j - i, time.Weekday(w / 3 % 7)
}

// rangeSep returns the index behind a range separator at s[i], or 0.
func rangeSep(s []rune, i int) int {
	if n := startsWith(s, i, "- 至 到"); n > 0 {
		return i + n
	}
	return 0
}

// readRange reads the second end of a range; the duty is due by it.
func readRange(s []rune, a point, i int) (point, int, string) {
	b, end, why := readBare(s, i)
	if end == i && a.dotted && a.grain == gDay { // 2024.6.1-6.30
		if m, e, ok := number(s, i); ok && e+1 < len(s) && s[e] == '.' && digit(s[i]) {
			if d, e2, ok := number(s, e+1); ok && e2-e <= 3 && (e2 == len(s) || strings.ContainsRune("前日号止之以,;。、()", s[e2])) {
				b, end = a, e2
				b.n, b.part = m, d
				why = b.impossible()
			}
		}
	}
	if end == i && a.grain == gDay {
		if d, e, ok := number(s, i); ok && e < len(s) && strings.ContainsRune("日号", s[e]) {
			b, end = a, e+1
			b.part = d
			why = b.impossible()
		}
	}
	if why != "" {
		return b, end, why
	}
	if end == i || b.grain < gMonth && b.grain != a.grain {
		return b, i + 1, "起止时间没有读懂"
	}
	if b.year == 0 && b.rel == relNone {
		b.year, b.rel = a.year, a.rel
	} else if b.rel == relThen && a.year > 0 {
		b.year, b.rel = a.year+1, relNone
	}
	b.span, b.from = true, &a
	if a.year > 0 && b.year > 0 && a.firstDay() > b.last(b.year) || a.year == b.year && a.rel == b.rel && b.last(2024) <= a.first(2024) {
		return b, end, "起止时间前后颠倒"
	}
	end = readEdge(s, end, &b)
	return b, end, ""
}

func (p point) firstDay() civil.Date { return p.first(p.year) }

// readBare reads year, part of year, month and day, without what follows them.
func readBare(s []rune, i int) (p point, end int, why string) {
	if p, end, why = readDotted(s, i); end > i {
		return p, end, why
	}
	j := i
	if y, e, ok := number(s, i); ok && e-i == 4 && y >= 2000 && y <= 2099 {
		if r := rangeSep(s, e); r > 0 { // 2024-2025年
			if _, _, ok := yearNumber(s, r); ok {
				return point{year: y, grain: gYear}, e, ""
			}
		}
	}
	if y, e, ok := yearNumber(s, i); ok {
		p.year, j = y, e
		if j < len(s) && s[j] == '度' {
			j++
		}
	} else if r, n := relative(s, i); n > 0 {
		p.rel, j = r, i+n
	}
	q, e, why := readInYear(s, j, j > i)
	if why != "" {
		return p, max(e, j), why
	}
	if e > j {
		q.year, q.rel = p.year, p.rel
		return q, e, q.impossible()
	}
	if j == i {
		return p, i, ""
	}
	p.grain = gYear
	if n := startsWith(s, j, "全年"); n > 0 {
		j, p.in = j+n, true
	}
	return p, j, ""
}

// relative reads a word for a year.
func relative(s []rune, i int) (rel, int) {
	for _, c := range []struct {
		r     rel
		words string
	}{
		{relThis, "今年 本年 本年度"}, {relNext, "明年"}, {relSame, "当年 当年度"}, {relThen, "次年 下年 下一年 次年度 下年度 下一年度 翌年 第二年"},
	} {
		if n := startsWith(s, i, c.words); n > 0 {
			return c.r, n
		}
	}
	return relNone, 0
}

// readInYear reads what stands behind a year, or alone: its end, a half, a quarter, a month, a day.
func readInYear(s []rune, i int, behind bool) (p point, end int, why string) {
	if n := startsWith(s, i, "年底 年末 年终 年度末 年度底 底 末"); n > 0 {
		if s[i] == '年' || behind {
			return point{grain: gYear, end: true}, i + n, ""
		}
		return p, i, ""
	}
	if n := startsWith(s, i, "年内 年度内"); n > 0 {
		return point{grain: gYear, in: true}, i + n, ""
	}
	if n := startsWith(s, i, "上半年 下半年"); n > 0 {
		p = point{grain: gHalf, n: 1}
		if s[i] == '下' {
			p.n = 2
		}
		return p, readEnd(s, i+n, &p), ""
	}
	if p, end, why = readQuarter(s, i); end > i {
		return p, end, why
	}
	m, e, ok := number(s, i)
	if !ok {
		return p, i, ""
	}
	if r := rangeSep(s, e); r > 0 { // 1-6月
		if m2, e2, ok := number(s, r); ok && e2 < len(s) && s[e2] == '月' {
			p, end, why = readMonth(s, m2, r, e2+1)
			if m < 1 || m >= m2 {
				why = "起止时间没有读懂"
			}
			p.span, p.from = true, &point{grain: gMonth, n: m}
			return p, end, why
		}
	}
	if e >= len(s) || s[e] != '月' {
		return p, i, ""
	}
	if n := startsWith(s, e+1, "内 以内 之内"); n > 0 && (i == 0 || s[i-1] != '年') {
		return p, e + 1 + n, "「" + string(s[i:e+1+n]) + "」说不清是几个月内还是当月内"
	}
	return readMonth(s, m, i, e+1)
}

// readQuarter reads 第三季度, 3季度, 三季度末, Q3.
func readQuarter(s []rune, i int) (p point, end int, why string) {
	j := i
	if j < len(s) && s[j] == '第' {
		j++
	}
	var n, e int
	var ok bool
	if j < len(s) && (s[j] == 'Q' || s[j] == 'q') && j+1 < len(s) && s[j+1] >= '1' && s[j+1] <= '4' && (j+2 >= len(s) || !digit(s[j+2]) && !letter(s[j+2])) {
		n, e, ok = int(s[j+1]-'0'), j+2, true
	} else if n, e, ok = number(s, j); ok {
		k := startsWith(s, e, "季度 季")
		ok, e = k > 0, e+k
	}
	if !ok {
		return p, i, ""
	}
	if n < 1 || n > 4 {
		return p, e, "没有这个季度"
	}
	p = point{grain: gQuarter, n: n}
	return p, readEnd(s, e, &p), ""
}

// readMonth reads what stands behind N月.
func readMonth(s []rune, m, start, i int) (p point, end int, why string) {
	if m < 1 || m > 12 {
		return p, i, "日期不存在：" + string(s[start:i])
	}
	p = point{grain: gMonth, n: m}
	if i < len(s) && s[i] == '份' {
		i++
	}
	if n := startsWith(s, i, "上旬 中旬 下旬"); n > 0 {
		p.grain, p.part = gTen, 1+strings.IndexRune("上中下", s[i])/3
		return p, readEnd(s, i+n, &p), ""
	}
	if startsWith(s, i, "初 中 上半月 下半月 月初 月中") > 0 {
		return p, i + 1, "「" + string(s[start:min(len(s), i+1)]) + "」没有确切日期"
	}
	if d, e, ok := number(s, i); ok {
		switch {
		case e < len(s) && strings.ContainsRune("日号", s[e]):
			p.grain, p.part = gDay, d
			return p, e + 1, p.impossible()
		case e == len(s) || strings.ContainsRune(",;。)前", s[e]):
			return p, e, "「" + string(s[start:e]) + "」缺「日」字"
		}
	}
	if i < len(s) && s[i] == '月' { // 6月月底
		i++
		if startsWith(s, i, "底 末") == 0 {
			return p, i, "日期写法有误"
		}
	}
	return p, readEnd(s, i, &p), ""
}

// readDotted reads 2024.6.30, 2024-06-30, 2024/6/30 and 2024.6.
func readDotted(s []rune, i int) (p point, end int, why string) {
	y, e, ok := number(s, i)
	if !ok || e-i != 4 || !digit(s[i]) || y < 2000 || y > 2099 || e >= len(s) || !strings.ContainsRune(".-/", s[e]) {
		return p, i, ""
	}
	sep := s[e]
	m, e1, ok := number(s, e+1)
	if !ok || e1-e > 3 || !digit(s[e+1]) || e1 < len(s) && s[e1] == '年' {
		return p, i, ""
	}
	if m < 1 || m > 12 {
		return p, e1, "日期不存在：" + string(s[i:e1])
	}
	p = point{year: y, grain: gMonth, n: m, dotted: sep == '.'}
	if e1 < len(s) && s[e1] == sep {
		d, e2, ok := number(s, e1+1)
		if !ok || e2-e1 > 3 || !digit(s[e1+1]) {
			return p, e1, "日期不完整：" + string(s[i:e1+1])
		}
		p.grain, p.part = gDay, d
		if e2 < len(s) && s[e2] == '日' {
			e2++
		}
		return p, e2, p.impossible()
	}
	if e1 < len(s) && s[e1] == '月' {
		p, end, why = readMonth(s, m, i, e1+1)
		p.year = y
		if why == "" {
			why = p.impossible()
		}
		return p, end, why
	}
	return p, readEnd(s, e1, &p), ""
}

// readEnd reads 底, 末 behind a half, a quarter, a month or a third of it.
func readEnd(s []rune, i int, p *point) int {
	if n := startsWith(s, i, "底 末"); n > 0 {
		p.end = true
		return i + n
	}
	return i
}

// readEdge reads what is said about the point's edge, with a clock time between.
func readEdge(s []rune, i int, p *point) int {
	if p.grain == gDay || p.end {
		i = skipClock(s, i)
	}
	if p.grain == gDay {
		i += startsWith(s, i, "(含) (含当日) (含当天) (含本日)")
	}
	if startsWith(s, i, "前后 前期 前夕 前三 前段 内部 内容 止于") > 0 {
		return i
	}
	if n := startsWith(s, i, "之前 以前 前"); n > 0 {
		p.edge = true
		i += n
		if p.grain == gDay {
			i += startsWith(s, i, "(含) (含当日) (含当天) (含本日)")
		}
		return i
	}
	if n := startsWith(s, i, "之内 以内 内"); n > 0 && p.grain != gDay && p.grain != gTen {
		p.in = true
		return i + n
	}
	if n := startsWith(s, i, "为止 止 截止"); n > 0 {
		p.in = true
		return i + n
	}
	if n := startsWith(s, i, "起 开始"); n > 0 && startsWith(s, i, "起草 起诉") == 0 {
		p.start = true
		return i + n
	}
	return i
}

// skipClock passes over a time of day; a due date has none.
func skipClock(s []rune, i int) int {
	j := i
	if j < len(s) && s[j] == at {
		j++
	}
	j += startsWith(s, j, "上午 下午 中午 晚上 晚")
	if e := clock(s, j); e > 0 {
		return e
	}
	if n := startsWith(s, i, "下班前 下班之前"); n > 0 {
		return i + 2
	}
	if n := startsWith(s, i, "上午 下午 中午"); n > 0 {
		return i + n
	}
	return i
}

// clock returns the index behind 17:00, 17:00:00, 17时, 17时30分 or 12点 at s[i], or 0.
func clock(s []rune, i int) int {
	if i > len(s) {
		return 0
	}
	h, j, ok := number(s[i:], 0) // the character before may be the 五 of a weekday
	if j += i; !ok || h > 24 || j >= len(s) {
		return 0
	}
	switch {
	case s[j] == ':':
		for k := 0; k < 2 && j < len(s) && s[j] == ':'; k++ {
			m, e, ok := number(s, j+1)
			if !ok || e != j+3 || m > 59 {
				return 0
			}
			j = e
		}
		return j
	case s[j] == '时' || s[j] == '点':
		j++
		if m, e, ok := number(s, j); ok && m < 60 && e < len(s) && s[e] == '分' {
			return e + 1
		}
		return j
	}
	return 0
}

// impossible says why the point is no date, or "". Without a year 29 February is let through.
func (p point) impossible() string {
	if p.grain != gDay {
		return ""
	}
	y := p.year
	if y == 0 {
		y = 2024
	}
	if !civil.Valid(y, time.Month(p.n), p.part) {
		return "日期不存在"
	}
	return ""
}

// last is the last day of the point in the year; zero if that year has no such day.
func (p point) last(y int) civil.Date {
	switch p.grain {
	case gHalf:
		return civil.MonthEnd(y, time.Month(6*p.n))
	case gQuarter:
		return civil.MonthEnd(y, time.Month(3*p.n))
	case gMonth:
		return civil.MonthEnd(y, time.Month(p.n))
	case gTen:
		if p.part == 3 {
			return civil.MonthEnd(y, time.Month(p.n))
		}
		return civil.Of(y, time.Month(p.n), 10*p.part)
	case gDay:
		if !civil.Valid(y, time.Month(p.n), p.part) {
			return 0
		}
		return civil.Of(y, time.Month(p.n), p.part)
	}
	return civil.MonthEnd(y, 12)
}

// first is the first day of the point in the year.
func (p point) first(y int) civil.Date {
	switch p.grain {
	case gHalf:
		return civil.Of(y, time.Month(6*p.n-5), 1)
	case gQuarter:
		return civil.Of(y, time.Month(3*p.n-2), 1)
	case gMonth:
		return civil.Of(y, time.Month(p.n), 1)
	case gTen:
		return civil.Of(y, time.Month(p.n), 10*p.part-9)
	case gDay:
		return p.last(y)
	}
	return civil.Of(y, 1, 1)
}

// twofold reports whether 前 may mean before the point begins or by its end.
func (p point) twofold() bool { return p.edge && !p.end && !p.in && p.grain != gDay }
