package deadline

import (
	"slices"
	"strconv"
	"strings"

	"duban/jobs/civil"
)

func decimal(n int) string { return strconv.Itoa(n) }

// onPoint makes a milestone of a point, or a date of the cycle it stands in.
func (a *assembly) onPoint(i int) string {
	it, prev, next := &a.items[i], a.near(i-1), a.near(i+1)
	p := it.point
	if prev != nil && prev.kind != kText {
		return notRead(prev.raw + it.raw)
	}
	if a.bounds(i) {
		return a.bound(it)
	}
	if next != nil && next.kind != kText && next.kind != kCount && !p.start {
		return notRead(it.raw + next.raw)
	}
	if bare(it) && endsWith([]rune(a.lead), "阶段") == 0 && (next != nil && next.kind == kCount && p.year == 0 || containsAny(a.lead, "印发 颁布 发布 成立 启动 开始 施行 实施 开工 通过") != "") {
		return "「" + it.raw + "」看不出是完成时间"
	}
	if a.on == aSpan || a.cond != nil {
		return "既写条件又写日期，关系不明"
	}
	if p.start {
		return a.onStart(p)
	}
	if len(a.cycles) > 0 && (p.year == 0 || !p.firm() || p.span) {
		return a.inCycle(i)
	}
	if c, ok := a.halves(i); ok {
		a.cycles, a.texts, a.on = append(a.cycles, c), append(a.texts, ""), aCycle
		a.items[i+2].kind, a.items[i+1].kind = kSep, kSep
		a.note(it.raw+a.items[i+1].raw+a.items[i+2].raw, "every half "+strings.Join(c.dates, " "))
		return ""
	}
	dates, why := a.resolve(it)
	if why != "" {
		return why
	}
	var read []string
	for _, d := range dates {
		read = append(read, d.String())
	}
	a.note(it.raw, strings.Join(read, " or "))
	if n := len(a.miles); n > 0 && a.miles[n-1].rest && a.miles[n-1].dates[0] == dates[0] {
		a.miles = a.miles[:n-1] // 2024年持续推进，12月底前总结
	}
	if why := a.mile(dates); why != "" {
		return why
	}
	a.miles[len(a.miles)-1].span = p.span
	return ""
}

// bounds reports whether the point at i is the stretch in which the cycle behind it runs, 2024年每季度末, and not a
// date of its own. It must be longer than the cycle's period.
func (a *assembly) bounds(i int) bool {
	p, j := a.items[i].point, i+1
	if j < len(a.items) && a.items[j].kind == kSep && a.items[j].raw == "," && (p.grain < gMonth || p.span) {
		j++
	}
	if j >= len(a.items) || a.items[j].kind != kEvery || p.start || p.edge || p.end && !p.span ||
		len(a.miles)+len(a.cycles) > 0 || a.lead != "" || a.on != nothing || a.cond != nil || a.items[j].cycle.whole {
		return false
	}
	first, last := p.first(2023), p.last(2023)
	if p.span {
		first, last = p.from.first(2023+min(0, p.from.year-p.year)), p.last(2023)
	}
	longest := map[Every]civil.Date{Week: 7, Month: 31, Quarter: 92, Half: 184, Year: 366}
	return last-first >= longest[a.items[j].cycle.every]
}

// bound sets the first and the last day of the cycles to come.
func (a *assembly) bound(it *item) string {
	p := it.point
	years, why := a.years(it)
	if why == "" && len(years) != 1 {
		why = "「" + it.raw + "」没有写明年份"
	}
	if why != "" {
		return why
	}
	first, last := p.first(years[0]), p.last(years[0])
	if p.span {
		first = p.from.first(years[0])
		if p.from.year > 0 {
			first = p.from.first(p.from.year)
		}
	}
	switch {
	case first <= 0 || last <= first:
		return "起止时间没有读懂"
	case a.issued > 0 && last < a.issued:
		return "周期在印发前已经结束"
	}
	a.year, a.from, a.until = years[0], first, last
	a.note(it.raw, first.String()+" to "+last.String())
	return ""
}

// onStart reads 2024年起: no date is due then, but what follows may be standing, or a cycle that runs already.
func (a *assembly) onStart(p point) string {
	if len(a.miles) > 0 || len(a.cycles) > 0 || a.on != nothing || a.lead != "" {
		return "只有起始时间，没有完成时间"
	}
	y := p.year
	if y == 0 && p.rel == relThis && a.issued > 0 {
		y = a.issued.Year()
	}
	a.on, a.year = aStart, y
	if y > 0 {
		a.begin = p.first(y)
	}
	a.started = y > 0 && a.issued > 0 && p.first(y) <= a.issued
	return ""
}

// inCycle gives a yearly cycle one more date: 每年开展一次，12月底前报送.
func (a *assembly) inCycle(i int) string {
	it := &a.items[i]
	c := &a.cycles[len(a.cycles)-1]
	p := it.point
	if c.every == Half && !c.dated && a.pair(i) {
		if why := c.setDates([]point{p, a.items[i+2].point}); why != "" {
			return why
		}
		a.note(it.raw+a.items[i+1].raw+a.items[i+2].raw, "every half "+strings.Join(c.dates, " "))
		a.items[i+1].kind, a.items[i+2].kind = kSep, kSep
		return ""
	}
	if p.year != 0 || c.every != Year || c.whole || p.rel == relThis || p.rel == relNext {
		return "既有周期又有日期，关系不明"
	}
	old := *c
	if why := c.setDates([]point{p}); why != "" {
		return why
	}
	if old.dated {
		if len(c.later)+len(old.later) > 0 || p.rel == relNone && c.dates[0] <= old.dates[len(old.dates)-1] {
			return "周期里的日期次序颠倒"
		}
		c.dates = append(slices.Clone(old.dates), c.dates...)
	}
	a.on = aCycle
	a.note(it.raw, "every year "+strings.Join(c.dates, " "))
	return ""
}

// halves reads 1月15日和7月15日: two days half a year apart, of no year, the first in January.
func (a *assembly) halves(i int) (cycle, bool) {
	if len(a.miles) > 0 || a.year != 0 || a.on == aStart || !a.pair(i) {
		return cycle{}, false
	}
	p, r := a.items[i].point, a.items[i+2].point
	if p.grain != gDay || r.grain != gDay || p.year+r.year != 0 || p.rel+r.rel != 0 || p.span || r.span || r.start ||
		p.n != 1 || r.n != 7 || p.part != r.part {
		return cycle{}, false
	}
	return cycle{every: Half, dates: []string{md(1, p.part), md(7, r.part)}, dated: true}, true
}

// pair reports whether the point at i is joined to another by nothing but 、 or 和.
func (a *assembly) pair(i int) bool {
	if i+2 >= len(a.items) || a.items[i+2].kind != kPoint {
		return false
	}
	mid := a.items[i+1]
	if mid.kind == kSep {
		return mid.raw == ","
	}
	return mid.kind == kText && startsWith([]rune(mid.raw), 0, "、 和 及 与 以及") == len([]rune(mid.raw))
}

// mile adds a milestone and keeps the order of dates.
func (a *assembly) mile(dates []civil.Date) string {
	if n := len(a.miles); n > 0 && dates[0] < a.miles[n-1].dates[0] || dates[0] < a.begin {
		return "日期次序颠倒，没有读懂"
	}
	a.miles = append(a.miles, mile{dates: dates, text: a.lead, apart: a.lead != "", late: len(a.cycles) > 0})
	a.lead, a.on = "", aMile
	return ""
}

// resolve returns every date the point may mean, earliest first.
func (a *assembly) resolve(it *item) ([]civil.Date, string) {
	p := it.point
	years, why := a.years(it)
	if why != "" {
		return nil, why
	}
	var out []civil.Date
	for _, y := range years {
		d := p.last(y)
		if d == 0 {
			return nil, "日期不存在"
		}
		if p.twofold() {
			before := p.first(y) - 1
			out = append(out, before)
			if y == years[0] {
				a.reasons = append(a.reasons, "「"+it.raw+"」可能是"+before.Chinese()+"，也可能是"+d.Chinese())
			}
		}
		out = append(out, d)
	}
	slices.Sort(out)
	a.year = years[0]
	if p.year > 0 {
		a.doubtful = false
	}
	return slices.Compact(out), ""
}

// years returns the years the point may stand in.
func (a *assembly) years(it *item) ([]int, string) {
	p := it.point
	if p.year > 0 {
		a.explicit = true
		return []int{p.year}, ""
	}
	if (p.rel == relThen || p.rel == relSame) && a.year > 0 && len(a.miles) > 0 {
		y := a.year
		if p.rel == relThen {
			y++
		}
		if a.doubtful {
			return []int{y, y + 1}, ""
		}
		return []int{y}, ""
	}
	if p.rel == relNone && a.year > 0 {
		after := a.begin
		if len(a.miles) > 0 {
			after = a.miles[len(a.miles)-1].dates[0]
		}
		if p.last(a.year) < after {
			return nil, "「" + it.raw + "」没有写年份，看不出是哪一年"
		}
		if a.doubtful {
			return []int{a.year, a.year + 1}, ""
		}
		return []int{a.year}, ""
	}
	if a.issued <= 0 {
		return nil, "「" + it.raw + "」没有写年份，也不知道印发日期"
	}
	y := a.issued.Year()
	switch p.rel {
	case relThis:
		return []int{y}, ""
	case relNext:
		return []int{y + 1}, ""
	case relThen:
		y++
		if p.span && p.from.rel == relNone && p.from.year == 0 && p.from.last(y-1) >= a.issued && a.issued.Month() != 12 {
			return []int{y}, ""
		}
	case relNone:
		if p.last(y) >= a.issued && a.issued.Month() != 12 {
			return []int{y}, ""
		}
	}
	a.doubtful = true
	a.reasons = append(a.reasons, "「"+it.raw+"」没有写明年份，可能是"+strconv.Itoa(y)+"年，也可能是"+strconv.Itoa(y+1)+"年")
	return []int{y, y + 1}, ""
}
