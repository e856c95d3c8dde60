package deadline

import (
	"slices"
	"strings"

	"duban/jobs/civil"
)

// mile is a milestone with every date it may mean, earliest first.
type mile struct {
	dates []civil.Date
	text  string
	apart bool // the text so far stood before the date
	late  bool // a cycle stood before it
	span  bool // it ends a range, which the duty fills
	pair  bool // joined by 、 or 和 to the date behind it
	rest  bool // a period in which the duty goes on: 2024年持续推进
}

// what the words behind an item belong to.
type subject int

const (
	nothing subject = iota
	aMile
	aCycle
	aSpan
	aStart // 2024年起: only a standing phrase or a cycle may follow
)

// assembly puts the items of one cell together. It either accounts for all of them or says why not.
type assembly struct {
	items    []item
	issued   civil.Date
	miles    []mile
	cycles   []cycle
	texts    []string // of cycles
	standing bool
	cond     *Condition
	count    *item
	quota    *Quota
	soft     []string
	trace    []Span
	lead     string
	on       subject
	year     int  // the year spoken of last
	doubtful bool // that year may be the one after
	units    bool
	started  bool // the start named lies before the issue
	explicit bool // some year was named by its number
	reasons  []string
	mark     string // the break before the present clause
	begin    civil.Date
	from     civil.Date // of cycles to come, where the text bounds them
	until    civil.Date
}

// nounTimes makes a noun of a time that only names a paper: 上半年工作总结, 第一季度报表.
func nounTimes(items []item) []item {
	const nouns = "工作 总结 情况 报告 任务 计划 报表 材料 数据 自查 评估 小结 法治 行政 执法 培训 考核 述职 预算 决算 学习 重点 统计 目标"
	var out []item
	for i := 0; i < len(items); i++ {
		it := items[i]
		if it.kind == kPoint && it.point.grain <= gQuarter && !it.point.firm() && !it.point.start && !it.point.span &&
			len(out) > 1 && out[len(out)-1].kind == kText && out[len(out)-2].kind != kText && out[len(out)-2].kind != kSep &&
			endsWith([]rune(out[len(out)-1].raw), "报送 上报 报 提交 完成 制定 形成 开展 编制 总结 汇总 公布 公开 做好") > 0 &&
			i+1 < len(items) && items[i+1].kind == kText && startsWith([]rune(items[i+1].raw), 0, nouns) > 0 {
			last := &out[len(out)-1]
			last.raw += it.raw + items[i+1].raw
			last.check += items[i+1].check
			i++
			continue
		}
		out = append(out, it)
	}
	return out
}

func (a *assembly) near(i int) *item {
	if i < 0 || i >= len(a.items) || a.items[i].kind == kSep {
		return nil
	}
	return &a.items[i]
}

// run walks the items from left to right.
func (a *assembly) run() string {
	for i := range a.items {
		why := ""
		switch it := &a.items[i]; it.kind {
		case kSep:
			a.mark = mark(it.raw)
		case kText:
			why = a.words(i)
		case kPoint:
			why = a.onPoint(i)
		case kEvery:
			why = a.onEvery(i)
		case kDays:
			why = a.onDays(it)
		case kSpan:
			why = a.onSpan(i)
		case kCount:
			why = a.onCount(i)
		}
		if why != "" {
			return why
		}
	}
	return a.settle()
}

// mark is the punctuation that parts two pieces of one result.
func mark(sep string) string {
	switch sep {
	case "(":
		return "（"
	case ")":
		return "）"
	}
	return "，"
}

func (a *assembly) note(text, read string) { a.trace = append(a.trace, Span{text, read}) }

// words gives a run of words its meaning by what stands beside it.
func (a *assembly) words(i int) string {
	it, prev, next := &a.items[i], a.near(i-1), a.near(i+1)
	if next != nil && next.kind == kSpan {
		if prev != nil {
			return notRead(it.raw + next.raw)
		}
		return "" // the event, read with its span
	}
	t, check := a.unsoften(it.raw), it.check
	if t != it.raw {
		check = strings.TrimSpace(a.unsoften(it.check))
	}
	switch {
	case next == nil:
		return a.tail(t, check, i)
	case next.kind == kCount:
		if s := strange(check); s != "" {
			return notRead(it.raw)
		}
		a.attach(t, prev == nil)
		return ""
	case prev != nil:
		return a.between(t, check, prev, next)
	}
	return a.prefix(t, check, next)
}

// unsoften takes softening words off both ends and remembers them.
func (a *assembly) unsoften(t string) string {
	s := []rune(t)
	n := startsWith(s, 0, "原则上 力争 争取 力求 尽量 努力 预计")
	if n == 0 {
		if n = startsWith(s, 0, "计划 拟 预计"); n > 0 && trimEnds(string(s[n:]), "", "于 在") != "" {
			n = 0
		}
	}
	if n > 0 {
		a.soften(string(s[:n]))
		s = s[n:]
	}
	if m := endsWith(s, "原则上 力争 争取 力求 尽量 原则上应 力争于 力争在 原则上于 争取在 争取于"); m > 0 {
		a.soften(strings.TrimRight(string(s[len(s)-m:]), "于在应"))
		s = s[:len(s)-m]
	}
	return string(s)
}

func (a *assembly) soften(w string) {
	if !slices.Contains(a.soft, w) {
		a.soft = append(a.soft, w)
	}
}

// tail reads words with no time phrase behind them in their clause.
func (a *assembly) tail(t, check string, i int) string {
	prev := a.near(i - 1)
	dated := prev // the time the words follow, though a comma stands between
	if dated == nil {
		dated = a.near(i - 2)
	}
	if prev == nil {
		if event := readBasis(t); event != "" {
			return a.wait(event, nil, t)
		}
		if event := readAfter(t); event != "" {
			return a.wait(event, nil, t)
		}
		if conditional(t) {
			return notRead(t)
		}
	}
	if prev != nil && prev.kind == kPoint {
		t, check = strings.TrimPrefix(t, ":"), strings.TrimPrefix(check, ":")
	}
	result, standing := splitStanding(t)
	if standing && result != "" && len(a.miles)+len(a.cycles) == 0 && strings.HasPrefix(t[len(result):], "后") {
		return notRead(t) // 验收后长期坚持: from a day that is not told
	}
	if standing {
		if prev != nil && prev.kind == kPoint && !prev.point.start && startsWith([]rune(t), 0, standingJoins) == 0 && result == "" {
			if !prev.point.lasts() {
				a.reasons = append(a.reasons, "「"+prev.raw+t+"」说不清是持续到这天还是此后长期")
			}
			a.attach(t, false)
			if a.on == aMile {
				a.miles[len(a.miles)-1].rest = true
			}
		}
		a.standing = true
		a.note(t[len(result):], "standing")
		check = result
	} else {
		check = trimEnds(check, urgent, urgent)
	}
	if a.on == aStart {
		if !standing || result != "" {
			return "只有起始时间，没有完成时间"
		}
		return ""
	}
	if result == "" {
		return ""
	}
	if s := strange(check); s != "" {
		return notRead(s)
	}
	if containsAny(result, "持续推进 持续坚持 持续开展 常态化开展 常态化推进 长期坚持") != "" {
		return notRead(result)
	}
	if broken(result, prev) {
		return notRead(result)
	}
	if bare(dated) && !a.finishes(result, dated, i) {
		return "「" + dated.raw + result + "」看不出是完成时间"
	}
	a.attach(result, prev == nil)
	return ""
}

// broken reports whether words cannot be a result: a single character, or, right behind a date, one that would turn
// it into something else (6月底前的问题).
func broken(t string, behind *item) bool {
	s := []rune(t)
	timed := behind != nil && (behind.kind == kPoint || behind.kind == kEvery || behind.kind == kDays)
	return len(s) == 1 || timed && startsWith(s, 0, "的 外 间 期 度 之 来 份 号 半 前 后 内 底 末 有效 失效 生效 免 享受 适用 试行") > 0
}

// bare reports whether the item is a time without a word that makes it a limit.
func bare(it *item) bool { return it != nil && it.kind == kPoint && !it.point.firm() }

// finishes reports whether the words behind a bare time say that something is over by its end: they finish or hold
// it, or name a stage, or a start whose end stands elsewhere in the cell. at is the index of the words' item.
func (a *assembly) finishes(t string, dated *item, at int) bool {
	if finishing(t) {
		return true
	}
	s := []rune(trimEnds(t, "、 全面 基本 全部 初步 组织 集中 各 分别 要 应 须", ""))
	if dated.point.grain == gDay || endsWith(s, papers) > 0 || dated.point.grain == gYear && startsWith(s, 0, "总结 汇总 通报 考核 评估") == len(s) {
		return false // 2024年度总结 is a paper
	}
	return startsWith(s, 0, phases) > 0 || startsWith(s, 0, beginnings) > 0 && a.endsLater(at)
}

// endsLater reports whether a limit, or a standing phrase, is told from item at on.
func (a *assembly) endsLater(at int) bool {
	for i := max(at, 0); i < len(a.items); i++ {
		it := &a.items[i]
		switch it.kind {
		case kText:
			if _, standing := splitStanding(it.raw); standing {
				return true
			}
		case kPoint:
			if it.point.firm() || i+1 < len(a.items) && finishing(a.items[i+1].raw) {
				return true
			}
		}
	}
	return false
}

// index returns the place of an item, or -1.
func (a *assembly) index(it *item) int {
	for i := range a.items {
		if &a.items[i] == it {
			return i
		}
	}
	return -1
}

// finishing reports whether the words begin with the finishing, holding or handing in of something.
func finishing(t string) bool {
	t = trimEnds(t, "、 全面 基本 全部 初步 组织 各 分别 要 应 须", "")
	return startsWith([]rune(t), 0, "完成 实现 建成 取得 出台 竣工 办结 销号 报送 上报 提交 结束 开展 召开 举办 形成 验收 交付 制定 编制 报") > 0 &&
		startsWith([]rune(t), 0, "报告期 结束后 开展以来 完成后") == 0
}

// between reads words between two time phrases of one clause: they end the first and must lead over to the second.
func (a *assembly) between(t, check string, prev, next *item) string {
	s := []rune(t)
	n := endsWith(s, joins)
	if n == 0 || a.on == aStart || a.on == aSpan {
		return notRead(t + next.raw)
	}
	rest := trimEnds(string(s), "", joins)
	if rest == "" {
		if a.on == aMile && next.kind == kPoint {
			a.miles[len(a.miles)-1].pair = true
		}
		return ""
	}
	if why := strange(trimEnds(check, "", joins)); why != "" {
		return notRead(why)
	}
	result, standing := splitStanding(rest)
	if standing || broken(result, prev) || bare(prev) && !a.finishes(result, prev, a.index(next)) {
		return notRead(t)
	}
	if strings.ContainsRune(rest, '、') && namesUnits(rest[strings.LastIndex(rest, "、"):]) {
		a.units = true
	}
	a.attach(result, false)
	return ""
}

// prefix reads words before the first time phrase of a clause.
func (a *assembly) prefix(t, check string, next *item) string {
	result, standing := splitStanding(trimEnds(t, "", "并 并于 并在 且"))
	if standing && result == "" && endsWith([]rune(t), "并 并于 并在 且") > 0 {
		a.standing = true
		a.note(t, "standing")
		return ""
	}
	rest := trimEnds(trimEnds(t, urgent, ""), leadWords, leadWords)
	last := endsWith([]rune(t), "自 从")
	p := next.point
	if next.kind == kPoint {
		if n := endsWith([]rune(t), "日起至 日起到"); n > 0 && strange(string([]rune(t)[:len([]rune(t))-n])) == "" {
			return "" // 印发之日起至2024年12月31日
		}
		if last > 0 && !p.start && !p.span {
			return "只有起始时间，没有完成时间"
		}
		if endsWith([]rune(t), "到 至") > 0 && p.grain == gYear && !p.firm() {
			return "「" + t + next.raw + "」是目标年份，没有写到哪天"
		}
	}
	if rest == "" {
		return ""
	}
	if strings.Contains(t, "持续") || strings.Contains(t, "长期") || strings.Contains(t, "坚持") {
		return notRead(t + next.raw)
	}
	check = trimEnds(check, leadWords, leadWords)
	if s := strange(check); s != "" && (next.kind != kEvery || check != rest || !isAfterwards(rest)) {
		return notRead(s)
	}
	if broken(rest, nil) || endsWith([]rune(rest), "的") > 0 || containsAny(rest, "印发 颁布 成立 日期 生效 施行 公布 通过 制度 机制") != "" {
		return notRead(t + next.raw)
	}
	switch next.kind {
	case kPoint:
		if !p.firm() && endsWith([]rune(rest), "阶段") == 0 {
			return notRead(t + next.raw)
		}
	case kEvery:
		if a.afterwards(rest, next.cycle) {
			return ""
		}
		if containsAny(rest, "建立 制定 完善 健全 落实 执行 实行 推行 坚持") != "" {
			return notRead(t + next.raw)
		}
	}
	if containsAny(rest, unitWords) != "" {
		a.units = true
	}
	a.lead = rest
	return ""
}

func isAfterwards(t string) bool {
	return startsWith([]rune(t), 0, "此后 之后 以后 其后 随后") == len([]rune(t))
}

// afterwards lets a cycle begin on the day after the one milestone before it: 6月底前完成，此后每季度报送.
func (a *assembly) afterwards(t string, c cycle) bool {
	if !isAfterwards(t) || len(a.miles) != 1 || len(a.miles[0].dates) != 1 || len(a.cycles) > 0 {
		return false
	}
	a.from = a.miles[0].dates[0] + 1
	if c.every == Year && !c.dated {
		a.from = civil.Of(a.from.Year()+1, 1, 1)
	}
	return true
}

// attach gives words to the milestone or cycle they stand behind.
func (a *assembly) attach(t string, apart bool) {
	t = trimEnds(t, "、", "、")
	if t == "" {
		return
	}
	add := func(old string) string {
		switch {
		case old == "":
			return t
		case apart:
			return old + a.mark + t
		}
		return old + t
	}
	switch {
	case a.on == aMile:
		m := &a.miles[len(a.miles)-1]
		apart = apart || m.apart
		m.text, m.apart = add(m.text), false
	case a.on == aCycle:
		c := &a.texts[len(a.texts)-1]
		*c = add(*c)
	case a.on == nothing:
		a.lead = add(a.lead)
	}
}

// onEvery opens a cycle.
func (a *assembly) onEvery(i int) string {
	it, prev := &a.items[i], a.near(i-1)
	bounded := prev != nil && prev.kind == kPoint && (prev.point.start || a.until > 0)
	if prev != nil && prev.kind != kText && !(prev.kind == kEvery && it.cycle.rhythm) && !bounded {
		return notRead(prev.raw + it.raw)
	}
	if a.on == aStart && !a.started {
		if a.begin == 0 {
			return "周期的起始时间没有读懂"
		}
		a.from = a.begin
	}
	if it.cycle.whole && !a.countsAhead(i) && len(a.items) > 1 {
		return "只写「全年」，没有写哪天"
	}
	it.cycle.from, it.cycle.until = a.from, a.until
	a.cycles = append(a.cycles, it.cycle)
	a.texts = append(a.texts, a.lead)
	a.lead, a.on = "", aCycle
	a.note(it.raw, "every "+string(it.cycle.every)+" "+strings.Join(it.cycle.dates, " "))
	return ""
}

// countsAhead reports whether a number of times follows in the same sentence before any other time.
func (a *assembly) countsAhead(i int) bool {
	for _, it := range a.items[i+1:] {
		switch it.kind {
		case kCount:
			return true
		case kText:
			continue
		}
		return false
	}
	return false
}

// onDays gives a monthly or quarterly cycle its day: 每月汇总，次月5日前报送.
func (a *assembly) onDays(it *item) string {
	if len(a.cycles) == 0 || a.cycles[len(a.cycles)-1].dated {
		return "「" + it.raw + "」没有写哪个月"
	}
	c := &a.cycles[len(a.cycles)-1]
	switch {
	case c.every == Month:
		c.dates = nil
		for _, d := range it.days {
			c.dates = append(c.dates, decimal(d))
		}
	case c.every == Quarter && it.next && len(it.days) == 1:
		c.dates = []string{md(1, it.days[0])}
	default:
		return "「" + it.raw + "」没有写哪个月"
	}
	c.dated, a.on = true, aCycle
	a.note(it.raw, "every "+string(c.every)+" "+strings.Join(c.dates, " "))
	return ""
}

// onCount remembers a number of times.
func (a *assembly) onCount(i int) string {
	it := &a.items[i]
	if prev := a.near(i - 1); prev != nil && prev.kind == kCount {
		return notRead(prev.raw + it.raw)
	}
	if !it.event && !it.least && a.on != aCycle {
		a.attach(it.raw, false)
		return ""
	}
	if a.count != nil && (a.quota != nil || a.on != aCycle) {
		return "有两个次数要求，没有读懂"
	}
	a.count = it
	a.note(it.raw, "count")
	if a.on == aCycle {
		return a.perCycle(it)
	}
	if it.least || it.n > 1 {
		a.quota = &Quota{Min: it.n}
	} else {
		a.attach(it.raw, false)
	}
	return ""
}

// perCycle makes a quota of a number of times in a cycle. Once a period is the cycle itself, unless it is a minimum.
func (a *assembly) perCycle(it *item) string {
	c := &a.cycles[len(a.cycles)-1]
	if c.dated && it.n > 1 && !it.least && it.n == len(c.dates) {
		return ""
	}
	if it.least || it.n > 1 {
		per := c.every
		a.quota = &Quota{Min: it.n, Per: &per}
	}
	return ""
}

// onSpan reads a length of time counted from the event before it.
func (a *assembly) onSpan(i int) string {
	it, prev := &a.items[i], a.near(i-1)
	if prev == nil {
		return "「" + it.raw + "」没有写从何时起算"
	}
	t := a.unsoften(prev.raw)
	event := ""
	if prev.kind == kText && prev.raw == prev.check {
		event = readEvent(t, it.off.Dir)
	}
	if event == "" {
		return "「" + prev.raw + it.raw + "」没有写从何时起算"
	}
	fromDay := strings.Contains(t, "之日") || strings.HasPrefix(t, "自")
	if it.off.Dir == "after" && a.issued > 0 && it.off.N <= 999 && ownIssue(event, fromDay) {
		if due := count(a.issued, it.off); due > 0 {
			a.note(t+it.raw, due.String())
			return a.mile([]civil.Date{due})
		}
	}
	off := it.off
	a.on = aSpan
	return a.wait(event, &off, prev.raw+it.raw)
}

// count adds a length of days, months or years to the day: the first day is not counted, and months end on the
// corresponding day or the month's last (Civil Code arts. 201, 202). Hours and working days give zero.
func count(from civil.Date, off Offset) civil.Date {
	switch off.Unit {
	case "day":
		return from + civil.Date(off.N)
	case "month":
		return from.AddMonths(off.N)
	case "year":
		return from.AddMonths(12 * off.N)
	}
	return 0
}

// wait records a condition.
func (a *assembly) wait(event string, off *Offset, text string) string {
	if a.cond != nil {
		return "有两个条件，没有读懂"
	}
	a.cond = &Condition{Event: event, Offset: off}
	a.note(text, "condition")
	return ""
}

func notRead(t string) string { return "没有读懂：「" + t + "」" }
