package deadline

import "strings"

// kind is the kind of an item.
type kind int

const (
	kText  kind = iota // words
	kSep               // a break between clauses
	kPoint             // 2024年6月底前
	kEvery             // 每季度末
	kDays              // 25日前, 次月5日前: a day whose month is named elsewhere
	kSpan              // 15个工作日内
	kCount             // 4次, 不少于4次
)

// item is one piece of the text. Every character belongs to exactly one.
type item struct {
	kind  kind
	raw   string
	check string // of words: raw without amounts that were recognised
	point point
	cycle cycle
	days  []int
	next  bool // kDays: of the month that follows
	off   Offset
	n     int
	least bool // at least n
	event bool // counts events (次, 场) and not things
}

// itemise cuts the text into items. A non-empty why is a refusal.
func itemise(s []rune) (items []item, why string) {
	var words, check strings.Builder
	flush := func() {
		if words.Len() > 0 {
			items = append(items, item{kind: kText, raw: words.String(), check: check.String()})
			words.Reset()
			check.Reset()
		}
	}
	for i := 0; i < len(s); {
		if n := enumerator(s, i); n > 0 && words.Len() == 0 && (len(items) == 0 || items[len(items)-1].kind == kSep) {
			i += n
			continue
		}
		if strings.ContainsRune(",;。()", s[i]) || s[i] >= '①' && s[i] <= '⑳' || s[i] == '/' && startsWith(s, i+1, standingHeads) > 0 {
			flush()
			if n := len(items); n > 0 && items[n-1].kind != kSep {
				items = append(items, item{kind: kSep, raw: string(s[i])})
			}
			i++
			continue
		}
		fresh := words.Len() == 0 || words.String() == "、"
		it, e, why := match(s, i, fresh, items)
		if why != "" {
			return nil, why
		}
		if e > i {
			if it.kind == kEvery && fresh && words.Len() > 0 {
				words.Reset()
				check.Reset()
				items = append(items, item{kind: kSep, raw: "、"})
			}
			flush()
			it.raw = string(s[i:e])
			items = append(items, it)
			i = e
			continue
		}
		if e := amount(s, i); e > i {
			words.WriteString(string(s[i:e]))
			check.WriteString("若干")
			i = e
			continue
		}
		words.WriteRune(s[i])
		check.WriteRune(s[i])
		i++
	}
	flush()
	if n := len(items); n > 0 && items[n-1].kind == kSep {
		items = items[:n-1]
	}
	return items, ""
}

// enumerator returns the length of a list number such as 1. or (1) or 一、 at s[i], or 0.
func enumerator(s []rune, i int) int {
	n, e, ok := number(s, i)
	if !ok || n < 1 || n > 20 || e >= len(s) {
		return 0
	}
	switch {
	case s[e] == ')' && i > 0 && s[i-1] == '(':
		return e + 1 - i
	case s[e] == '.' && digit(s[i]):
		if _, _, year := yearNumber(s[e+1:], 0); year || e+1 < len(s) && !digit(s[e+1]) {
			return e + 1 - i
		}
	case s[e] == '、' && !digit(s[i]):
		if _, _, year := yearNumber(s, e+1); year {
			return e + 1 - i
		}
	}
	return 0
}

// match tries every kind of time phrase at s[i]. fresh is set where no words stand before it in its clause.
func match(s []rune, i int, fresh bool, before []item) (item, int, string) {
	if c, e, why := readEvery(s, i); e > i || why != "" {
		if why == "" && endsWith(s[i:e], "起 开始") > 0 {
			why = "周期的起始时间没有读懂"
		}
		if !c.dated && e < len(s) && s[e] == '一' && startsWith(s, e+1, rhythmVerbs) > 0 {
			e++
		}
		return item{kind: kEvery, cycle: c}, e, why
	}
	if fresh && (len(before) == 0 || before[len(before)-1].kind == kSep || before[len(before)-1].kind == kEvery) {
		if c, e := readRhythm(s, i); e > i {
			return item{kind: kEvery, cycle: c}, e, ""
		}
	}
	if off, e, why := readSpan(s, i, !fresh); e > i || why != "" {
		return item{kind: kSpan, off: off}, e, why
	}
	if it, e := readCount(s, i); e > i {
		return it, e, ""
	}
	if p, e, why := readPoint(s, i); e > i || why != "" {
		return item{kind: kPoint, point: p}, e, why
	}
	if it, e := readLooseDays(s, i); e > i {
		return it, e, ""
	}
	return item{}, i, ""
}

const rhythmVerbs = "调度 通报 汇总 报告 总结 小结 督查 督办 点评 分析 研判 考核 会商 检查 评估 排名 更新 评查 推进 评比 例会 汇报 盘点 清零 报"

// readRhythm reads the short form 月调度季通报, and 季度 where it is the whole cell.
func readRhythm(s []rune, i int) (cycle, int) {
	for _, c := range []struct {
		every Every
		words string
	}{{Half, "半年"}, {Year, "年"}, {Quarter, "季 季度"}, {Month, "月"}, {Week, "周"}} {
		n := startsWith(s, i, c.words)
		if n == 0 {
			continue
		}
		v := startsWith(s, i+n, strings.TrimSuffix(rhythmVerbs, " 报"))
		if i == 0 && n > 0 && len(s) == startsWith(s, 0, "季度 月度 年度 半年度") {
			n, v = len(s), 0
		} else if v == 0 {
			continue
		}
		out := cycle{every: c.every, dates: []string{periodEnd}, rhythm: true}
		if c.every == Week {
			out.dates = []string{"Sunday"}
		}
		return out, i + n + v
	}
	return cycle{}, i
}

// readSpan reads a length of time with its direction: 15个工作日内, 提前3日, and, behind words, 前3日 and 3个工作日前.
func readSpan(s []rune, i int, words bool) (Offset, int, string) {
	if n := startsWith(s, i, "提前 前"); n > 0 && (words || n == 2) {
		off, e := readLength(s, i+n)
		if e > i+n {
			off.Dir = "before"
			return off, e + startsWith(s, e, "内 以上 前 之前"), ""
		}
		return off, i, ""
	}
	if n := startsWith(s, i, "半个月内 半月内 半个月以内"); n > 0 {
		return Offset{}, i + n, "「半个月」没有确切天数"
	}
	off, e := readLength(s, i)
	if e == i {
		return off, i, ""
	}
	if n := startsWith(s, e, "内 以内 之内"); n > 0 && startsWith(s, e, "内部 内容") == 0 {
		off.Dir = "after"
		return off, e + n, ""
	}
	if words && e > i && len(clauseAt(s, e)) == 0 && (off.Unit == "workday" || off.Unit == "day" || off.Unit == "hour") && endsWith(s[:i], "后 之日起") > 0 {
		off.Dir = "after" // 收到文件后5个工作日
		return off, e, ""
	}
	if n := startsWith(s, e, "前 之前 以前"); n > 0 && words && s[e-1] != '日' || n > 0 && words && off.Unit == "workday" {
		off.Dir = "before"
		return off, e + n, ""
	}
	return off, i, ""
}

// readLength reads 3日, 15个工作日, 6个月, 一周, 24小时, 半年.
func readLength(s []rune, i int) (Offset, int) {
	if n := startsWith(s, i, "半年"); n > 0 && (i == 0 || s[i-1] != '上' && s[i-1] != '下' && s[i-1] != '每') {
		return Offset{N: 6, Unit: "month"}, i + n
	}
	n, e, ok := number(s, i)
	if !ok || n < 1 || n > 999 || i > 0 && (s[i-1] == '第' || s[i-1] == '月' || s[i-1] == '.' || s[i-1] == '-') {
		return Offset{}, i
	}
	for _, c := range []struct {
		unit, words string
		times       int
	}{
		{"workday", "个工作日 工作日", 1}, {"day", "日 天 个自然日 自然日 个日历日", 1}, {"month", "个月", 1},
		{"year", "年", 1}, {"day", "周 个星期 星期 个周 个礼拜", 7}, {"hour", "小时 个小时", 1},
	} {
		if w := startsWith(s, e, c.words); w > 0 {
			return Offset{N: n * c.times, Unit: c.unit}, e + w
		}
	}
	return Offset{}, i
}

// readCount reads 4次, 不少于4次, 至少召开4次, 4次以上.
func readCount(s []rune, i int) (item, int) {
	if n := startsWith(s, i, "不少于 不低于 不得少于 不得低于 至少 最少"); n > 0 {
		for j := i + n; j < len(s) && j < i+n+12; j++ {
			if it, e := readTimes(s, j); e > j {
				if strange(string(s[i+n:j])) != "" {
					break
				}
				it.least = true
				return it, e
			}
			if digit(s[j]) || strings.ContainsRune(",;。()", s[j]) || strings.ContainsRune("年月日季周前底", s[j]) {
				break
			}
		}
		return item{}, i
	}
	if i > 0 && (s[i-1] == '第' || s[i-1] == '.' || s[i-1] == '-') {
		return item{}, i
	}
	it, e := readTimes(s, i)
	if e > i && !it.event && (!digit(s[i]) || !it.least) {
		return item{}, i
	}
	return it, e
}

// readTimes reads a number with a measure word of things that can be counted.
func readTimes(s []rune, i int) (item, int) {
	n, e, ok := number(s, i)
	if !ok || n < 1 {
		return item{}, i
	}
	w := startsWith(s, e, counted)
	if w == 0 || startsWith(s, e+w, timeUnits) > 0 || startsWith(s, e, "次性 次月 次年 期工程 家单位 次季") > 0 {
		return item{}, i
	}
	it := item{kind: kCount, n: n, event: startsWith(s, e, "次 场 轮") > 0}
	e += w
	if k := startsWith(s, e, "以上 及以上"); k > 0 {
		it.least = true
		e += k
	}
	return it, e
}

// amount returns the index behind an amount such as 50% or 3个 that a dated result may name.
func amount(s []rune, i int) int {
	if !digit(s[i]) || i > 0 && (s[i-1] == '第' || strings.ContainsRune("年月.-/:", s[i-1])) {
		return i
	}
	_, e, ok := number(s, i)
	if !ok {
		return i
	}
	w := startsWith(s, e, measured)
	if w == 0 || startsWith(s, e+w, timeUnits) > 0 {
		return i
	}
	return e + w
}

// readLooseDays reads 25日前, 当月25日前 and 次月5日前.
func readLooseDays(s []rune, i int) (item, int) {
	j := i + startsWith(s, i, "次月 下月 下个月")
	next := j > i
	if !next {
		j += startsWith(s, i, "当月")
	}
	if j == i && !digit(s[i]) {
		return item{}, i
	}
	days, e, why := readDays(s, j)
	if why != "" || len(days) == 0 {
		return item{}, i
	}
	p := point{grain: gDay}
	if e2 := readEdge(s, e, &p); p.edge || j > i && !p.start {
		return item{kind: kDays, days: days, next: next}, e2
	}
	return item{}, i
}
