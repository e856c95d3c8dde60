package deadline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"duban/jobs/civil"
)

// cycle is a recurrence as read, before its next date is known.
type cycle struct {
	every  Every
	dates  []string
	later  []string // the other reading of each date, where 前 leaves two
	dated  bool     // dates were named, not supposed
	rhythm bool     // 月调度: the short form, which may follow another without a break
	whole  bool     // 全年: a cycle only alone or together with a number of times
	from   civil.Date
	until  civil.Date
}

func (c cycle) recurrence(issued civil.Date) Recurrence {
	r := Recurrence{Every: c.every, Dates: c.dates, From: c.from, Until: c.until}
	r.Next = r.FirstFrom(issued)
	return r
}

// readEvery reads a recurring phrase at s[i]: 每年, 每季度首月10日前, 每月10日和25日, 每周五.
func readEvery(s []rune, i int) (c cycle, end int, why string) {
	if c, end = readAfterPeriod(s, i); end > i {
		return c, end, ""
	}
	if n := startsWith(s, i, "全年"); n > 0 && startsWith(s, i+n, "工作 总结 情况 任务 目标 数据 计划 报告") == 0 &&
		!standingText(clauseAt(s, i)) && endsWith(s[:i], "贯穿") == 0 {
		return cycle{every: Year, dates: []string{periodEnd}, whole: true}, i + n, ""
	}
	every, j := readPeriodWord(s, i)
	if j == i {
		c, end = readOnceIn(s, i)
		return c, end, ""
	}
	c = cycle{every: every, dates: []string{periodEnd}}
	switch every {
	case Week:
		c.dates = []string{time.Sunday.String()}
		return readWeekdays(s, j, c)
	case Month:
		return readMonthDays(s, j, c)
	case Quarter:
		return readQuarterDays(s, j, c)
	}
	return readYearDays(s, j, c)
}

// clauseAt returns what stands from s[i] to the next break.
func clauseAt(s []rune, i int) []rune {
	e := i
	for e < len(s) && !strings.ContainsRune(",;。()", s[e]) {
		e++
	}
	return s[i:e]
}

// readPeriodWord reads 每年, 每半年, 每季度, 每月, 每周, and 按月 alone or where a verb of reporting or doing follows.
func readPeriodWord(s []rune, i int) (Every, int) {
	j := i + startsWith(s, i, "每个 每一 每一个 每")
	by := false
	if j == i {
		j += startsWith(s, i, "按 逐 分")
		by = true
	}
	alone := j > i && s[i] != '分'
	if j == i {
		return "", i
	}
	for _, c := range []struct {
		every Every
		words string
	}{
		{Half, "半年 半年度"}, {Year, "年 年度"}, {Quarter, "季度 季"}, {Month, "月 月度 月份"}, {Week, "周 星期 礼拜"},
	} {
		n := startsWith(s, j, c.words)
		told := startsWith(s, j+n, "报送 上报 报 通报 调度 汇总 统计 公布 公示 公开 总结 分析") > 0 ||
			alone && (len(clauseAt(s, j+n)) == 0 || startsWith(s, j+n, "推进 实施 落实 开展 完成 进行 更新 检查 督查 督办 排查 考核 评估 反馈 提交 梳理 跟踪 研判") > 0)
		if n == 0 || by && !told {
			continue
		}
		return c.every, j + n
	}
	return "", i
}

// readOnceIn reads 一季度一次 and 一月一调度, where 一季度 is a length and not the first quarter.
func readOnceIn(s []rune, i int) (cycle, int) {
	if i > 0 && (numeral(s[i-1]) || digit(s[i-1]) || s[i-1] == '第' || s[i-1] == '上' || s[i-1] == '下') {
		return cycle{}, i
	}
	for _, c := range []struct {
		every Every
		words string
	}{
		{Half, "半年"}, {Year, "一年"}, {Quarter, "一季度 一季 一个季度"}, {Month, "一月 一个月"}, {Week, "一周 一星期"},
	} {
		n := startsWith(s, i, c.words)
		if n == 0 {
			continue
		}
		it, e := readTimes(s, i+n)
		if c.every == Quarter && it.n > 1 {
			return cycle{}, i // twice in the first quarter, or in each
		}
		if e == i+n && (i+n >= len(s) || s[i+n] != '一' || startsWith(s, i+n+1, rhythmVerbs) == 0) {
			continue
		}
		out := cycle{every: c.every, dates: []string{periodEnd}}
		if c.every == Week {
			out.dates = []string{time.Sunday.String()}
		}
		return out, i + n
	}
	return cycle{}, i
}

// readAfterPeriod reads 每季度结束后10日内 and its like: a fixed day of the period that follows.
func readAfterPeriod(s []rune, i int) (cycle, int) {
	j := i + startsWith(s, i, "每个 每")
	for _, c := range []struct {
		every Every
		words string
		days  int
	}{
		{Half, "半年 半年度", 31}, {Year, "年 年度", 31}, {Quarter, "季度 季", 30}, {Month, "月 月度", 28},
	} {
		n := startsWith(s, j, c.words)
		if n == 0 {
			continue
		}
		k := startsWith(s, j+n, "结束后 终了后 结束之日起 结束后的 结束后次月")
		d, e, ok := number(s, j+n+k)
		if m := startsWith(s, e, "个月内 个月之内 个月以内"); k > 0 && ok && m > 0 && s[j+n+k-1] != '月' && d >= 1 && d <= c.days/10 && (c.every == Year || d == 1 && c.every == Quarter) {
			return cycle{every: c.every, dates: []string{md(d, civil.DaysIn(2024, time.Month(d)))}, dated: true}, e + m
		}
		if k == 0 || !ok || d < 1 || d > c.days {
			continue
		}
		u := startsWith(s, e, "日内 日以内 天内 天以内 日之内 日前")
		if u == 0 || s[e+u-1] == '前' != (s[j+n+k-1] == '月') {
			continue
		}
		out := cycle{every: c.every, dated: true}
		switch c.every {
		case Half:
			out.dates = []string{md(1, d), md(7, d)}
		case Month:
			out.dates = []string{strconv.Itoa(d)}
		default:
			out.dates = []string{md(1, d)}
		}
		return out, e + u
	}
	return cycle{}, i
}

func md(m, d int) string { return fmt.Sprintf("%02d-%02d", m, d) }

// readWeekdays reads the days behind 每周.
func readWeekdays(s []rune, i int, c cycle) (cycle, int, string) {
	var days []string
	j := i
	for j < len(s) {
		w := strings.IndexRune("一二三四五六日天", s[j])
		if w < 0 || j+1 < len(s) && numeral(s[j+1]) || startsWith(s, j+1, counted) > 0 {
			break
		}
		if w /= 3; w == 0 && j+1 < len(s) && !strings.ContainsRune("前上下中,;。、)和", s[j+1]) {
			return c, j + 1, "「每周一」说不清是星期一还是每周一次"
		}
		days = append(days, time.Weekday((min(w, 6)+1)%7).String())
		j++
		n := startsWith(s, j, "、 和 及 、周 和周 、星期 和星期 及周")
		if n == 0 || j+n >= len(s) || !strings.ContainsRune("一二三四五六日天", s[j+n]) {
			break
		}
		j += n
	}
	if len(days) == 0 {
		j += startsWith(s, j, "末")
		if j > i {
			return c, j, "「每周末」没有确切日期"
		}
		return c, j, ""
	}
	c.dates, c.dated = days, true
	p := point{grain: gDay}
	return c, readEdge(s, j, &p), ""
}

// readMonthDays reads the days behind 每月.
func readMonthDays(s []rune, i int, c cycle) (cycle, int, string) {
	j := i + startsWith(s, i, "的 于 在")
	if n := startsWith(s, j, "底 末 月底 月末"); n > 0 {
		p := point{grain: gMonth, end: true}
		c.dated = true
		return c, readEdge(s, j+n, &p), ""
	}
	if n := startsWith(s, j, "上旬 中旬 下旬"); n > 0 {
		p := point{grain: gTen, part: 1 + strings.IndexRune("上中下", s[j])/3}
		e := readEdge(s, j+n, &p)
		if p.edge {
			return c, e, "「旬前」说不清是旬初还是旬末"
		}
		c.dated = true
		if p.part < 3 {
			c.dates = []string{strconv.Itoa(10 * p.part)}
		}
		return c, e, ""
	}
	j += startsWith(s, j, "次月 下月")
	days, e, why := readDays(s, j)
	if why != "" || len(days) == 0 {
		if j > i+1 && len(days) == 0 {
			return c, j, "没有写明几日"
		}
		return c, i, why
	}
	c.dates, c.dated = nil, true
	for _, d := range days {
		c.dates = append(c.dates, strconv.Itoa(d))
	}
	p := point{grain: gDay}
	return c, readEdge(s, e, &p), ""
}

// readDays reads 25日, 10日和25日, 5、15、25日, 1日至5日 (due by the last).
func readDays(s []rune, i int) (days []int, end int, why string) {
	j, bare := i, false
	for {
		d, e, ok := number(s, j)
		if !ok {
			return nil, i, ""
		}
		unit := e < len(s) && strings.ContainsRune("日号", s[e])
		if unit {
			e++
		}
		if r := rangeSep(s, e); r > 0 && len(days) == 0 && !bare {
			last, e2, ok := number(s, r)
			if !ok || e2 >= len(s) || !strings.ContainsRune("日号", s[e2]) || last <= d || last > 31 {
				return nil, i, ""
			}
			return []int{last}, e2 + 1, ""
		}
		if d < 1 || d > 31 || len(days) > 0 && d <= days[len(days)-1] {
			if unit {
				return nil, e, "日期不存在或次序颠倒"
			}
			return nil, i, ""
		}
		days = append(days, d)
		bare = !unit
		n := startsWith(s, e, "、 和 及 以及 与 前、 前和")
		if n == 0 {
			if bare {
				return nil, i, ""
			}
			return days, e, ""
		}
		if _, _, more := number(s, e+n); !more {
			if bare {
				return nil, i, ""
			}
			return days, e, ""
		}
		j = e + n
	}
}

// readQuarterDays reads what stands behind 每季度.
func readQuarterDays(s []rune, i int, c cycle) (cycle, int, string) {
	j := i + startsWith(s, i, "的 于 在")
	month := 0
	for _, o := range []struct {
		m     int
		words string
	}{
		{1, "首月 第一个月 第1个月 首个月 次季首月 下季度首月 末次月 末的次月"}, {2, "第二个月 第2个月"},
		{3, "末月 最后一个月 第三个月 第3个月 末个月 最后1个月 末最后一个月"},
	} {
		if n := startsWith(s, j, o.words); n > 0 {
			month, j = o.m, j+n
			break
		}
	}
	if month == 0 {
		p := point{grain: gQuarter}
		if n := startsWith(s, j, "末 底 季末 季度末"); n > 0 {
			p.end, c.dated = true, true
			return c, readEdge(s, j+n, &p), ""
		}
		return c, i, ""
	}
	if n := startsWith(s, j, "底 末"); n > 0 {
		p := point{grain: gMonth, end: true}
		c.dates, c.dated = []string{md(month, 31)}, true
		if month == 3 {
			c.dates = []string{periodEnd}
		}
		return c, readEdge(s, j+n, &p), ""
	}
	j += startsWith(s, j, "的 月")
	days, e, why := readDays(s, j)
	if why != "" || len(days) == 0 {
		return c, j, "每季度的日期没有读懂"
	}
	c.dates, c.dated = nil, true
	for _, d := range days {
		c.dates = append(c.dates, md(month, d))
	}
	p := point{grain: gDay}
	return c, readEdge(s, e, &p), ""
}

// readYearDays reads the dates behind 每年 and 每半年.
func readYearDays(s []rune, i int, c cycle) (cycle, int, string) {
	j := i + startsWith(s, i, "的 于 在")
	if n := startsWith(s, j, "底 末"); n > 0 {
		p := point{grain: gYear, end: true}
		c.dated = true
		return c, readEdge(s, j+n, &p), ""
	}
	if n := startsWith(s, j, "内 以内"); n > 0 {
		return c, j + n, ""
	}
	points, e, why := readPoints(s, j, c.every == Year)
	if why != "" || len(points) == 0 {
		return c, i, why
	}
	if why := c.setDates(points); why != "" {
		return c, e, why
	}
	return c, e, ""
}

// readPoints reads a list of points of the year; the edge of the last holds for all.
func readPoints(s []rune, i int, year bool) (points []point, end int, why string) {
	end = i
	for j := i; ; {
		if year && len(points) == 0 {
			if many, e := readMonthList(s, j); e > j {
				return many, e, ""
			}
		}
		p, e, why := readPoint(s, j)
		if why != "" {
			return nil, e, why
		}
		if e == j || p.year != 0 {
			return points, end, ""
		}
		points, end = append(points, p), e
		n := startsWith(s, e, "、 和 及 与 以及 ,")
		if n == 0 {
			break
		}
		j = e + n
	}
	last := points[len(points)-1]
	for k := range points {
		points[k].edge = points[k].edge || last.edge
		points[k].end = points[k].end || last.end && points[k].grain == last.grain
		if last.grain == gDay && points[k].grain != gDay && !points[k].end {
			return nil, end, "各个日期写法不一，没有读懂"
		}
	}
	return points, end, ""
}

// readMonthList reads 3、6、9、12月底前.
func readMonthList(s []rune, i int) ([]point, int) {
	var months []int
	for j := i; ; {
		m, e, ok := number(s, j)
		if !ok || m < 1 || m > 12 || len(months) > 0 && m <= months[len(months)-1] {
			return nil, i
		}
		months = append(months, m)
		if e < len(s) && s[e] == '月' && len(months) > 1 {
			last, e2, why := readMonth(s, m, j, e+1)
			if why != "" || last.grain == gDay {
				return nil, i
			}
			e2 = readEdge(s, e2, &last)
			out := make([]point, len(months))
			for k, n := range months {
				out[k] = last
				out[k].n = n
			}
			return out, e2
		}
		n := startsWith(s, e, "、 和 及")
		if n == 0 {
			return nil, i
		}
		j = e + n
	}
}

// setDates puts the points of the year into the cycle.
func (c *cycle) setDates(points []point) string {
	var dates, later []string
	prev := ""
	for _, p := range points {
		if p.rel != relNone && p.rel != relThen && p.rel != relSame || p.start || p.year != 0 {
			return "周期里的日期没有读懂"
		}
		if p.rel == relThen && c.every != Year {
			return "周期里的日期没有读懂"
		}
		_, m, d := p.last(2024).YMD()
		date := md(int(m), d)
		if p.grain == gYear {
			date = periodEnd
		}
		if p.twofold() {
			later = append(later, date)
			_, m, d = (p.first(2024) - 1).YMD()
			date = md(int(m), d)
		}
		if prev != "" && p.rel == relNone && date <= prev {
			return "日期次序颠倒"
		}
		prev = date
		dates = append(dates, date)
	}
	if c.every == Half && (len(dates) != 2 || dates[0] > "06-30" || dates[1] <= "06-30") {
		return "每半年的日期没有读懂"
	}
	c.dates, c.later, c.dated = dates, later, true
	return ""
}
