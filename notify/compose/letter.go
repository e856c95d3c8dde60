package compose

import (
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// content is what both alternatives of a mail are rendered from: the text and the HTML can differ in form, never in
// what they say.
type content struct {
	Trial     string // the line a trial run puts before the letter
	Mark      string // above everything else, at the left
	Title     string
	Under     []string // under the title, centred: issue, number, who keeps the figures
	Addressee string
	Opening   []phrase
	Form      []formRow
	Sections  []section
	Closing   []phrase // consequences and the set phrase
	Files     []string // what goes along, by name
	Contact   phrase
	Copies    string
	Issuer    string
	Date      string
}

// section is one numbered part. Empty sections are not made at all. A unit's letter has groups of lines; a paper has
// paragraphs, points, a grid and notes.
type section struct {
	Ordinal string // empty: the only section, which needs no number
	Heading phrase
	Before  []phrase // paragraphs ahead of everything else
	Points  []phrase // numbered from 1
	Grid    *grid
	Notes   []phrase // under the grid
	Groups  []group
	// Table asks the HTML to set the lines in a table with these headings; the text never does.
	Table *table
	Paras []phrase
}

// group is a run of lines under one date; its heading is empty where the section's says it.
type group struct {
	Heading string
	Lines   []line
}

// table names the columns of a section whose lines read better in columns.
type table struct{ Name, Due, Days, Owed string }

// grid is a table of a paper, which the text sets in lines.
type grid struct {
	Columns []column
	Rows    [][]span // as long as Columns
}

// column is a column of a grid. Tight keeps its cells on one line each.
type column struct {
	Name           string
	Numeric, Tight bool
}

// formRow is a row of a bordered form. Room is how many lines are left to write in; a heading spans the form.
type formRow struct {
	Label, Text string
	Heading     bool
	Room        int
}

// tableFrom is the number of dated items from which on columns read better than paragraphs.
const tableFrom = 5

// soon is the number of working days within which the nearest date is one request together with what is late.
const soon = 5

// counts is what the opening and the subject say in numbers.
type counts struct {
	overdue, upcoming, behind, clocks, lateClocks, support int
	nearest, oldest                                        civil.Date
	// atNearest counts the upcoming items due by the nearest date; joint says that it is close enough to answer
	// everything that is late together with it.
	atNearest int
	joint     bool
	// inOrder says that the items due by the nearest date are the first ones, so that a letter can say "the first n".
	inOrder bool
}

func count(f notice.Facts) counts {
	c := counts{
		overdue: len(f.Overdue), upcoming: len(f.Upcoming), behind: len(f.Behind), clocks: len(f.Clocks), support: len(f.Support),
	}
	for _, it := range f.Overdue {
		if by := actBy(it, f.Date); !by.IsZero() && (c.oldest.IsZero() || by < c.oldest) {
			c.oldest = by
		}
	}
	for _, it := range f.Clocks {
		if it.Late > 0 || !it.Due.IsZero() && it.Due < f.Date {
			c.lateClocks++
		}
	}
	left := 0
	for _, it := range f.Upcoming {
		if by := actBy(it, f.Date); !by.IsZero() && (c.nearest.IsZero() || by < c.nearest) {
			c.nearest, left = by, it.Left
			if by != it.Due {
				left = int(by - f.Date) // no count of working days is given for the later reading; calendar days are more
			}
		}
	}
	c.inOrder = true
	for i, it := range f.Upcoming {
		if actBy(it, f.Date) == c.nearest && !c.nearest.IsZero() {
			c.inOrder = c.inOrder && i == c.atNearest
			c.atNearest++
		}
	}
	c.joint = !c.nearest.IsZero() && left <= soon
	return c
}

// asks reports whether the letter asks the unit for anything.
func (c counts) asks() bool { return c.overdue+c.upcoming+c.behind+c.clocks > 0 }

// compile turns the facts into a letter. The facts are cleaned already.
func compile(f notice.Facts) content {
	if f.Paper != nil {
		return compilePaper(f)
	}
	w := &writer{facts: f}
	c := count(f)
	l := content{
		Title:     title(f),
		Addressee: f.Reader.FullName + "：",
		Opening:   w.opening(c),
		Issuer:    f.Issuer.Name,
		Date:      f.Date.Chinese(),
		Contact:   say(f.Issuer.ContactLine()),
		Copies:    copies(f),
	}
	if f.Reader.FullName == "" {
		l.Addressee = f.Reader.Name + "："
	}
	asTable := len(f.Overdue)+len(f.Upcoming) >= tableFrom
	for _, part := range []func() (section, bool){
		func() (section, bool) { return w.overdue(asTable) },
		func() (section, bool) { return w.upcoming(asTable) },
		w.behind, w.clocks, w.support, w.quiet,
		func() (section, bool) { return w.reply(c) },
	} {
		if s, ok := part(); ok {
			s.Ordinal = ordinal(len(l.Sections) + 1)
			l.Sections = append(l.Sections, s)
		}
	}
	l.Closing = w.closing(c)
	return l
}

// title is 关于…有关事项的工作提示, named after the plan, not after the worst item.
func title(f notice.Facts) string {
	verb := ""
	switch {
	case f.Rung() == "urging":
		verb = "加快办理"
	case len(f.Overdue)+len(f.Upcoming)+len(f.Clocks)+len(f.Behind) > 0:
		verb = "报送"
	}
	word := f.Issuer.Word
	if word == "" {
		word = "工作提示"
	}
	matter := subjectMatter(f)
	t := "关于" + verb + matter + "有关事项的" + word
	if matter == manyPlans {
		t = "关于" + verb + "有关" + manyPlans + "的" + word
	}
	if f.LateIssue {
		t += "（补发）"
	}
	return t
}

// manyPlans is the subject matter of a letter that rests on several plans, or on one whose title has no short form.
const manyPlans = "督办事项"

func subjectMatter(f notice.Facts) string {
	if len(f.Plans) != 1 {
		return manyPlans
	}
	if t := topic(f.Plans[0].Title, f.Jurisdiction); t != "" {
		return t
	}
	return manyPlans
}

// opening is the basis, the day of the register, the counts and the one request.
func (w *writer) opening(c counts) []phrase {
	f := w.facts
	var out []phrase
	if f.LateIssue {
		made := "补发"
		if f.LateFor != nil {
			made = daysOf(f.LateFor) + "应发信件的补发"
		}
		out = append(out, say("本件为"+made+"，所列情况以"+w.short(f.Date)+"登记为准；其后已经报送的，不必重复报送。"))
	}
	basis := make([]string, len(f.Plans))
	for i, p := range f.Plans {
		basis[i] = quoted(p.Title)
		switch {
		case p.DocNumber != "":
			basis[i] += "（" + p.DocNumber + "）"
		case !p.Issued.IsZero():
			basis[i] += "（" + p.Issued.Chinese() + "印发）"
		}
	}
	lead := ""
	if len(basis) > 0 {
		lead = "根据" + strings.Join(basis, "、") + "，"
	}
	us := self(f.Issuer.Name)
	p := say(lead + "按" + us + "登记，截至" + w.short(f.Date) + "，" + w.you())
	p = append(p, w.tally(c)...)
	p = append(p, span{Text: "。"})
	if r := w.request(c); r != "" {
		p = append(p, span{Text: r})
	}
	return append(out, p)
}

// you is how the letter addresses the unit.
func (w *writer) you() string {
	if w.facts.Reader.Honorific != "" {
		return w.facts.Reader.Honorific
	}
	return "贵单位"
}

// tally lists what the letter holds, in numbers.
func (w *writer) tally(c counts) phrase {
	var parts []phrase
	add := func(n int, t tone, format string, args ...any) {
		if n > 0 {
			parts = append(parts, phrase{{Text: fmt.Sprintf(format, args...), Tone: t}})
		}
	}
	add(c.overdue, red, "超期未报%d项", c.overdue)
	if c.upcoming > 0 {
		if c.nearest.IsZero() || c.atNearest < c.upcoming {
			add(c.upcoming, plain, "即将到期%d项", c.upcoming)
		} else {
			add(c.upcoming, plain, "%s到期%d项", w.short(c.nearest), c.upcoming)
		}
	}
	add(c.behind, yellow, "滞后序时进度%d项", c.behind)
	add(c.clocks, plain, "逐案办理时限%d件", c.clocks)
	add(c.support, plain, "配合事项%d项", c.support)
	if len(parts) == 0 {
		add(len(w.facts.Standing), plain, "长期坚持%d项", len(w.facts.Standing))
		add(len(w.facts.Awaiting), plain, "条件未具备%d项", len(w.facts.Awaiting))
	}
	if len(parts) == 0 {
		return say("无待报事项")
	}
	return joined("、", parts...)
}

// request is the one thing the letter asks for.
func (w *writer) request(c counts) string {
	s := w.answerBy(c)
	if c.clocks > 0 && c.overdue+c.upcoming > 0 {
		s += "逐案事项请按所列时限办理。"
	}
	return s
}

// answerBy says by when the dated items are to be answered.
func (w *writer) answerBy(c counts) string {
	n := c.overdue + c.atNearest
	switch {
	case c.joint && n == 1:
		return "请于" + w.nearest(c) + "前反馈。"
	case c.joint && n == c.overdue+c.upcoming+c.behind+c.clocks+c.support:
		return "请于" + w.nearest(c) + "前一并反馈。"
	case c.joint && c.inOrder:
		return fmt.Sprintf("前%d项请于%s前一并反馈。", n, w.nearest(c))
	case c.joint && c.overdue > 0:
		return fmt.Sprintf("超期和%s到期的%d项，请于当日前一并反馈。", w.nearest(c), n)
	case c.joint:
		return fmt.Sprintf("%s到期的%d项，请于当日前一并反馈。", w.nearest(c), n)
	case c.overdue > 0 && c.upcoming > 0:
		return "超期事项请即反馈，其余事项请按所列时限报送。"
	case c.overdue > 0:
		return "请即反馈办理情况。"
	case c.upcoming > 0:
		return "请按所列时限报送。"
	case c.clocks > 0:
		return "请按所列时限办理并反馈。"
	case c.behind > 0:
		return "请填报后续安排。"
	}
	return ""
}

// nearest is the nearest date, with the last working day where it is a day off.
func (w *writer) nearest(c counts) string {
	for _, it := range w.facts.Upcoming {
		if it.Due == c.nearest && !w.between(it) {
			return w.compactDay(it)
		}
	}
	return w.shortDay(c.nearest)
}

// overdue is 超期未报.
func (w *writer) overdue(asTable bool) (section, bool) {
	list := w.facts.Overdue
	if len(list) == 0 {
		return section{}, false
	}
	g := group{}
	for _, it := range list {
		g.Lines = append(g.Lines, w.overdueLine(it))
	}
	s := section{Heading: phrase{{Text: fmt.Sprintf("超期未报%d项", len(list)), Tone: red}}, Groups: []group{g}}
	if asTable {
		s.Table = &table{"任务内容", "完成时限", "超期工作日", "需报内容"}
	}
	return s, true
}

// upcoming is 即将到期. Items of one date stand under it; where every item has a date of its own, each says its own.
func (w *writer) upcoming(asTable bool) (section, bool) {
	list := w.facts.Upcoming
	if len(list) == 0 {
		return section{}, false
	}
	byDate := grouped(list)
	s := section{Heading: say(fmt.Sprintf("即将到期%d项", len(list)))}
	if asTable {
		s.Table = &table{"任务内容", "完成时限", "剩余工作日", "需报内容"}
	}
	one := len(byDate) == 1 && !list[0].Due.IsZero() && !w.between(list[0])
	if one {
		s.Heading = append(say(w.compactDay(list[0])+fmt.Sprintf("到期%d项（", len(list))), append(w.left(list[0]), span{Text: "）"})...)
	}
	for i, items := range byDate {
		g := group{}
		if !one && len(byDate) < len(list) && !items[0].Due.IsZero() && !w.between(items[0]) {
			g.Heading = fmt.Sprintf("（%s）%s到期%d项，%s", ordinal10(i+1), w.compactDay(items[0]), len(items), w.left(items[0]))
		}
		for _, it := range items {
			g.Lines = append(g.Lines, w.upcomingLine(it, one || g.Heading != ""))
		}
		s.Groups = append(s.Groups, g)
	}
	return s, true
}

// ordinal10 numbers the second level, which a long list may drive past ten.
func ordinal10(n int) string {
	switch {
	case n <= 10:
		return ordinal(n)
	case n < 20:
		return "十" + ordinal(n-10)
	case n < 100 && n%10 == 0:
		return ordinal(n/10) + "十"
	case n < 100:
		return ordinal(n/10) + "十" + ordinal(n%10)
	}
	return fmt.Sprint(n)
}

// grouped splits a list into runs of the same date, in the list's order. The runs are pieces of the list.
func grouped(list []notice.Item) [][]notice.Item {
	var out [][]notice.Item
	start := 0
	for i := range list {
		if i+1 == len(list) || !same(list[start], list[i+1]) {
			out = append(out, list[start:i+1])
			start = i + 1
		}
	}
	return out
}

func same(a, b notice.Item) bool {
	return a.Due == b.Due && a.LastWorkday == b.LastWorkday && a.Left == b.Left && slices.Equal(a.MakeUp, b.MakeUp)
}

// behind is 滞后序时进度.
func (w *writer) behind() (section, bool) {
	return w.plainSection(w.facts.Behind, phrase{{Text: fmt.Sprintf("滞后序时进度%d项", len(w.facts.Behind)), Tone: yellow}}, w.behindLine)
}

// clocks is 逐案时限: a table of cases, by case number and without any party's name.
func (w *writer) clocks() (section, bool) {
	c := count(w.facts)
	h := say(fmt.Sprintf("逐案办理时限%d件", c.clocks))
	if c.lateClocks > 0 {
		h = append(h, span{Text: "（其中"}, span{Text: fmt.Sprintf("超期%d件", c.lateClocks), Tone: red}, span{Text: "）"})
	}
	s, ok := w.plainSection(w.facts.Clocks, h, w.clockLine)
	s.Table = &table{"案件与事项", "时限", "剩余/超期工作日", "需报内容"}
	return s, ok
}

// support is 配合事项, for information.
func (w *writer) support() (section, bool) {
	h := fmt.Sprintf("配合事项%d项（供知悉，无需回复）", len(w.facts.Support))
	return w.plainSection(w.facts.Support, say(h), w.supportLine)
}

func (w *writer) plainSection(list []notice.Item, heading phrase, to func(notice.Item) line) (section, bool) {
	if len(list) == 0 {
		return section{}, false
	}
	g := group{}
	for _, it := range list {
		g.Lines = append(g.Lines, to(it))
	}
	return section{Heading: heading, Groups: []group{g}}, true
}

// quiet is the weekly line on what is not chased: 长期坚持 and 条件未具备, by row number.
func (w *writer) quiet() (section, bool) {
	f := w.facts
	var names []string
	s := section{}
	if len(f.Standing) > 0 {
		names = append(names, "长期坚持")
		s.Paras = append(s.Paras, say(fmt.Sprintf("长期坚持%d项：%s。请持续落实，无需逐项回复。", len(f.Standing), w.rows(f.Standing))))
	}
	if len(f.Awaiting) > 0 {
		names = append(names, "条件未具备")
		s.Paras = append(s.Paras, say(fmt.Sprintf("条件未具备%d项：%s。条件具备时请告知，再行起算时限。", len(f.Awaiting), w.rows(f.Awaiting))))
	}
	if len(names) == 0 {
		return section{}, false
	}
	s.Heading = say(strings.Join(names, "和") + "事项")
	return s, true
}

// rows lists row numbers, each once, by plan; a row that awaits something names it.
func (w *writer) rows(list []notice.Item) string {
	plans := max(1, len(w.facts.Plans))
	out := make([]string, 0, plans)
	for plan := range plans {
		var rows []string
		named := false
		for _, it := range list {
			if it.Plan != plan && (plan != 0 || it.Plan >= 0 && it.Plan < len(w.facts.Plans)) {
				continue
			}
			r := it.Row
			if it.Condition != "" {
				r, named = "第"+it.Row+"项（待“"+it.Condition+"”）", true
			}
			if !slices.Contains(rows, r) {
				rows = append(rows, r)
			}
		}
		if len(rows) == 0 {
			continue
		}
		text := "第" + strings.Join(rows, "、") + "项"
		if named {
			for i, r := range rows {
				if !strings.HasPrefix(r, "第") {
					rows[i] = "第" + r + "项"
				}
			}
			text = strings.Join(rows, "、")
		}
		if len(w.facts.Plans) > 1 {
			text = strings.TrimSuffix(w.row(notice.Item{Plan: plan}), "第项") + text
		}
		out = append(out, text)
	}
	return strings.Join(out, "，")
}

// reply is 反馈方式.
func (w *writer) reply(c counts) (section, bool) {
	us := self(w.facts.Issuer.Name)
	s := section{Heading: say("反馈方式")}
	if !c.asks() {
		s.Paras = []phrase{say("本件供知悉，无需回复。登记情况与实际不符的，请直接回复本邮件说明，" + us + "即予更正。")}
		return s, true
	}
	how := "请直接回复本邮件，逐项写明办理情况并附需报材料，签章件可后补；没有相应内容的，也请反馈“无”。"
	if w.prescribed() {
		how = "请直接回复本邮件，逐项写明办理情况并附需报材料，签章件可后补；上文列明报送方式或报送对象的，按所列办理；没有相应内容的，也请反馈“无”。"
	}
	s.Paras = []phrase{
		say(how),
		say("已通过其他渠道报送的，请告知报送时间和方式，" + us + "即予更正；确实不能按期完成的，请说明原因和拟完成日期；认为不属于" +
			w.you() + "职责的，请一并说明理由。"),
	}
	return s, true
}

// prescribed reports whether any item names its own way of reporting.
func (w *writer) prescribed() bool {
	for _, list := range [][]notice.Item{w.facts.Overdue, w.facts.Upcoming, w.facts.Clocks} {
		for _, it := range list {
			if it.Channel != "" || w.elsewhere(it) {
				return true
			}
		}
	}
	return false
}

// closing is the consequence, where the rung has one, and the set phrase. Only the second urging has one: the office
// will take the matter up with the unit's deputy in charge. Where no first urging reached the unit, the step of the
// second is its first, and threatens nothing.
func (w *writer) closing(c counts) []phrase {
	var out []phrase
	var rows []string
	for _, it := range w.facts.Overdue {
		if it.Rung == "urging" && it.Step == lastUrging && len(it.Urged) > 0 {
			if r := w.row(it); !slices.Contains(rows, r) {
				rows = append(rows, r)
			}
		}
	}
	if len(rows) > 0 {
		by := "此次提示后"
		if c.joint {
			by = "届时"
		}
		out = append(out, say(strings.Join(rows, "、")+by+"仍未反馈的，"+self(w.facts.Issuer.Name)+"将与"+w.you()+
			"分管负责人对接，商定完成时限。"))
	}
	switch word := w.facts.Issuer.Word; {
	case strings.HasSuffix(word, "函"):
		out = append(out, say("特此函告。"))
	case word == "" || strings.HasSuffix(word, "提示"):
		out = append(out, say("特此提示。"))
	}
	return out
}

// lastUrging is the step of the second and last urging.
const lastUrging = "T+5"

// copies is the line that names who gets a copy, by post.
func copies(f notice.Facts) string {
	var out []string
	for _, r := range f.Recipients {
		name := f.Reader.Name + roleName(r.Role)
		if r.Copy && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "抄送：" + strings.Join(out, "、")
}

// daysOf is a range of days as people write it: 2024年9月29日至10月8日.
func daysOf(s *notice.Span) string {
	to := s.To.Chinese()
	if s.From.Year() == s.To.Year() {
		_, to, _ = strings.Cut(to, "年")
	}
	if s.From == s.To {
		return s.From.Chinese()
	}
	return s.From.Chinese() + "至" + to
}
