package closing

import (
	"fmt"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// summary is what one closed period of a duty says to the bureau (月汇总 and its like).
type summary struct {
	task     task.Task
	period   Period
	figures  Frozen
	issue    int
	office   office
	plan     notice.Plan
	previous *past
	restated []restatement
	day      civil.Date
}

// kindWord is what the summary of a period of this length is called.
func kindWord(k task.ClosingKind) string {
	switch k {
	case task.QuarterClose:
		return "季汇总"
	case task.HalfClose:
		return "半年汇总"
	case task.YearClose:
		return "年汇总"
	case task.MonthClose:
	}
	return "月汇总"
}

// afterPeriod is the word as it stands after the period's name, without what the two have in common: 2024年9月汇总.
func afterPeriod(period, word string) string {
	for _, both := range []string{"季度", "半年", "年", "月"} {
		if strings.HasSuffix(period, both) {
			return strings.TrimPrefix(word, strings.TrimSuffix(both, "度"))
		}
	}
	return word
}

// unitWord counts units, or where each owes several returns, returns of units.
func unitWord(f Frozen) string {
	if len(instances(f)) > 1 {
		return "家次"
	}
	return "家"
}

func (s summary) paper() notice.Paper {
	c, unit, w := s.figures.Counts, unitWord(s.figures), s.figures.speech()
	issue := fmt.Sprintf("第%d期", s.issue)
	done := c.OnTime + c.Late
	period := periodName(s.period.Key)
	word := afterPeriod(period, kindWord(s.period.Kind))
	p := notice.Paper{
		Subject: fmt.Sprintf("【%s】%s%s%d%s%s%d%s·%s%s%s·%s", s.office.issuer.Short, monthDay(s.period.Due), w.owed, c.Due, unit, w.done, done, unit,
			period, word, issue, s.task.Title),
		Issue: issue, Title: fmt.Sprintf("%s工作情况（%s）", strings.TrimSuffix(s.task.Title, "工作情况"), issue),
		Sub:       fmt.Sprintf("%s，%s，登记截至%s", s.office.issuer.Short, period, s.period.On.Chinese()),
		Addressee: s.office.bureau.FullName,
		Opening:   s.opening(done, unit),
		Contact:   s.office.issuer.ContactLine(),
		Issuer:    s.office.issuer.Name, Date: s.day,
		File: fmt.Sprintf("%s%s%s（%s）", period, s.task.Title, kindWord(s.period.Kind), issue),
	}
	table := s.returns()
	p.Sections = sections(
		s.sums(), s.behind(unit), s.nothing(unit), s.correction(), s.requests(),
		notice.Section{Heading: "各单位报送情况", Table: &table},
	)
	p.Sheets = []notice.Sheet{{Name: "报送情况", Title: p.Title, Table: table}}
	if t := s.changes(); len(t.Rows) > 0 {
		p.Sheets = append(p.Sheets, notice.Sheet{Name: "更正", Title: "更正", Table: t})
	}
	return p
}

// sections leaves out those that say nothing.
func sections(all ...notice.Section) []notice.Section {
	var out []notice.Section
	for _, s := range all {
		if len(s.Paras) > 0 || len(s.Lines) > 0 || s.Table != nil && len(s.Table.Rows) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (s summary) opening(done int, unit string) []string {
	c, w := s.figures.Counts, s.figures.speech()
	basis := quoted(s.plan.Title)
	if s.plan.DocNumber != "" {
		basis += "（" + s.plan.DocNumber + "）"
	}
	verb := "报送"
	if s.figures.quota() {
		verb = "完成"
	}
	due := "于" + monthDay(s.period.Due) + "前" + verb
	if len(instances(s.figures)) > 1 {
		due = "按期" + verb
	}
	first := fmt.Sprintf("按照%s第%s项，%s%s应%s。按我局登记，截至%s，%s%d%s，%s%d%s", basis, s.task.Row, periodName(s.period.Key), s.task.Title,
		due, monthDay(s.period.On), w.owed, c.Due, unit, w.done, done, unit)
	if pc := Percent(done, c.Due); pc != "" {
		first += "，占" + pc
	}
	second := fmt.Sprintf("%s%d%s中，%s，合计%d%s。", w.owed, c.Due, unit, tally(c, w, unit), c.Due, unit)
	if c.Nil > 0 {
		second += fmt.Sprintf("%s的%d%s中，零报告%d%s，按已报送统计。", w.done, done, unit, c.Nil, unit)
	}
	if c.Unanswered > 0 {
		second += fmt.Sprintf("%s的%d%s中，待我局审核%d%s。", w.done, done, unit, c.Unanswered, unit)
	}
	return []string{first + "。", second}
}

// sums are the figures summed, with those of the period before beside them.
func (s summary) sums() notice.Section {
	sec := notice.Section{Heading: "填报数据汇总"}
	if len(s.figures.Fields) == 0 && !s.figures.quota() {
		return sec
	}
	t := notice.Table{Columns: []notice.Column{{Name: "指标", Width: 24}, {Name: "本期合计", Width: 12, Numeric: true}}}
	if s.previous != nil {
		t.Columns = append(t.Columns, notice.Column{Name: "上期合计", Width: 12, Numeric: true}, notice.Column{Name: "增减", Width: 12, Numeric: true})
	}
	row := func(name string, now int64, before func(Frozen) (int64, bool)) {
		cells := []notice.Cell{{Text: name}, {N: now}}
		if s.previous != nil {
			if n, ok := before(s.previous.figures); ok {
				cells = append(cells, notice.Cell{N: n}, signed(now-n))
			} else {
				cells = append(cells, notice.Cell{Text: "—"}, notice.Cell{Text: "—"})
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, name := range s.figures.Fields {
		row(name, s.figures.Sums[name], func(f Frozen) (int64, bool) { n, ok := f.Sums[name]; return n, ok })
	}
	if s.figures.quota() {
		row("应完成数", s.figures.total(func(r Return) int { return r.Quota }), func(f Frozen) (int64, bool) {
			return f.total(func(r Return) int { return r.Quota }), f.quota()
		})
		row("已完成数", s.figures.total(func(r Return) int { return r.Count }), func(f Frozen) (int64, bool) {
			return f.total(func(r Return) int { return r.Count }), f.quota()
		})
	}
	sec.Table = &t
	sec.Paras = append(sec.Paras, fmt.Sprintf("%s各单位填报数据合计如下，未报单位不在其内，零报告按0计。", periodName(s.period.Key)))
	if s.previous != nil {
		note := fmt.Sprintf("上期为%s（第%d期）", periodName(s.previous.closing.Period), s.previous.closing.Issue)
		if s.previous.version > 0 {
			note += "，为更正后数据"
		}
		sec.Notes = append(sec.Notes, note+"。")
	}
	sec.Notes = append(sec.Notes, s.gaps()...)
	return sec
}

// signed prints a difference with its sign.
func signed(n int64) notice.Cell {
	if n > 0 {
		return notice.Cell{N: n, Text: fmt.Sprintf("+%d", n)}
	}
	return notice.Cell{N: n}
}

// gaps names the units whose returns left fields out.
func (s summary) gaps() []string {
	var out []string
	for _, r := range s.figures.Returns {
		var missing []string
		for _, name := range s.figures.Fields {
			if _, ok := r.Figures[name]; !ok && r.State.reported() {
				missing = append(missing, "“"+name+"”")
			}
		}
		if len(missing) > 0 {
			out = append(out, fmt.Sprintf("%s未填%s，按0计，请核实。", s.who(r), strings.Join(missing, "、")))
		}
	}
	return out
}

func (f Frozen) quota() bool { return f.total(func(r Return) int { return r.Quota }) > 0 }

func (f Frozen) total(of func(Return) int) (n int64) {
	for _, r := range f.Returns {
		n += int64(of(r))
	}
	return n
}

// who names a return: the unit, and where it owes several its instance.
func (s summary) who(r Return) string {
	if len(instances(s.figures)) > 1 {
		return r.Name + periodName(r.Instance)
	}
	return r.Name
}

// behind lists what was late, missing or excused. Units of which the same is to be said stand together.
func (s summary) behind(unit string) notice.Section {
	sec := notice.Section{Heading: "延期及其他情况"}
	if c := s.figures.Counts; c.Late+c.Missing > 0 {
		sec.Heading = tally(Counts{Late: c.Late, Missing: c.Missing}, s.figures.speech(), unit)
	}
	for _, state := range states() {
		who := map[string][]string{}
		var order []string
		for _, r := range s.figures.Returns {
			if r.State != state || state == OnTime {
				continue
			}
			l := s.line(r)
			if len(who[l]) == 0 {
				order = append(order, l)
			}
			who[l] = append(who[l], s.who(r))
		}
		for _, l := range order {
			sec.Lines = append(sec.Lines, together(who[l], unit)+"："+l+"。")
		}
	}
	return sec
}

func (s summary) line(r Return) string {
	switch r.State {
	case Missing:
		if r.Quota > 0 {
			return fmt.Sprintf("未完成，应于%s前完成%d次，已完成%d次，尚缺%d次%s", monthDay(r.Due), r.Quota, r.Count, max(0, r.Quota-r.Count), remark(r.Asked, r.AskedFor))
		}
		return fmt.Sprintf("未报，应于%s前报送，截至%s已超%d个工作日%s", monthDay(r.Due), monthDay(s.period.On), r.Late, remark(r.Asked, r.AskedFor))
	case Asking:
		if r.AskedFor != 0 {
			return "申请延期至" + monthDay(r.AskedFor) + "，待答复，不作未报统计"
		}
		return "申请延期，待答复，不作未报统计"
	case Informed, ByHand:
		about := "不作未报统计"
		if r.Reported != 0 {
			about = monthDay(r.Reported) + "报送，不作迟报统计"
		}
		return s.figures.speech().words(r.State) + "，" + about
	case OnTime, Late, Extended, Returned, NotDue, Waived, Withdrawn, Moved:
	}
	return s.figures.speech().stands(r, false)
}

// nothing tells the nil returns of a year from the others: where a duty asks once a year what was not done, the units that
// report a case of it are what its reader looks for.
func (s summary) nothing(unit string) notice.Section {
	if s.period.Kind != task.YearClose || !s.figures.Omissions {
		return notice.Section{}
	}
	var none, some []string
	for _, r := range s.figures.Returns {
		switch {
		case r.State.reported() && r.Nil:
			none = append(none, s.who(r))
		case r.State.reported():
			some = append(some, s.who(r))
		}
	}
	sec := notice.Section{Heading: "年度报告情况"}
	if len(some) > 0 {
		sec.Lines = append(sec.Lines, fmt.Sprintf("报告有相应情况的%d%s：%s。", len(some), unit, strings.Join(some, "、")))
	}
	if len(none) > 0 {
		sec.Lines = append(sec.Lines, fmt.Sprintf("零报告（无相应情况）的%d%s：%s。", len(none), unit, strings.Join(none, "、")))
	}
	if names := s.in(Missing); len(names) > 0 {
		sec.Lines = append(sec.Lines, fmt.Sprintf("未报告的%d%s：%s。", len(names), unit, strings.Join(names, "、")))
	}
	return sec
}

func (s summary) in(state State) []string {
	var out []string
	for _, r := range s.figures.Returns {
		if r.State == state {
			out = append(out, s.who(r))
		}
	}
	return out
}

func (s summary) requests() notice.Section {
	c := s.figures.Counts
	sec := notice.Section{Heading: "工作要求"}
	switch {
	case s.figures.quota() && c.Missing > 0:
		sec.Lines = append(sec.Lines, "未完成的单位请说明原因和下一步安排；已完成而未登记的，请告知时间和方式，即予更正。")
	case c.Missing > 0:
		sec.Lines = append(sec.Lines, "未报单位请尽快补报；确无相应情况的，请报送零报告；已通过其他渠道报送的，请告知时间和方式，即予更正。")
	}
	if c.Late > 0 {
		sec.Lines = append(sec.Lines, "迟报单位请于下一期按时报送；确需延期的，请在时限前说明原因和拟报送日期。")
	}
	asking := 0
	for _, r := range s.figures.Returns {
		if r.Asked != 0 {
			asking++
		}
	}
	if asking+c.Unanswered > 0 {
		var parts []string
		if asking > 0 {
			parts = append(parts, fmt.Sprintf("延期申请%d件", asking))
		}
		if c.Unanswered > 0 {
			parts = append(parts, fmt.Sprintf("待审核报告%d件", c.Unanswered))
		}
		sec.Lines = append(sec.Lines, "我局请及时答复"+strings.Join(parts, "、")+"。")
	}
	if c.Missing+c.Late+len(s.restated) > 0 {
		sec.Lines = append(sec.Lines, "本期数据自关账起不再改动，之后的补报和更正在下一期列明。")
	}
	return sec
}

// returns is the table of all units.
func (s summary) returns() notice.Table {
	several := len(instances(s.figures)) > 1
	t := notice.Table{Columns: []notice.Column{{Name: "序号", Width: 6, Numeric: true}, {Name: "责任单位", Width: 26}}}
	if several {
		t.Columns = append(t.Columns, notice.Column{Name: "期次", Width: 16})
	}
	t.Columns = append(t.Columns, notice.Column{Name: "完成时限", Width: 14}, notice.Column{Name: "办理情况", Width: 16},
		notice.Column{Name: "报送日期", Width: 14}, notice.Column{Name: "超期工作日", Width: 12, Numeric: true})
	if s.figures.quota() {
		t.Columns = append(t.Columns, notice.Column{Name: "应完成数", Width: 10, Numeric: true}, notice.Column{Name: "已完成数", Width: 10, Numeric: true})
	}
	for _, name := range s.figures.Fields {
		t.Columns = append(t.Columns, notice.Column{Name: name, Width: 12, Numeric: true})
	}
	for i, r := range s.figures.Returns {
		t.Rows = append(t.Rows, s.row(int64(i+1), r, several))
	}
	t.Rows = append(t.Rows, s.total(several))
	return t
}

func (s summary) row(n int64, r Return, several bool) []notice.Cell {
	row := []notice.Cell{{N: n}, {Text: r.Name}}
	if several {
		row = append(row, notice.Cell{Text: periodName(r.Instance)})
	}
	word := s.figures.speech().words(r.State)
	if r.Nil {
		word += "（零报告）"
	}
	if r.onDayOff() {
		word += "（" + byWorkdays + "）"
	}
	row = append(row, notice.Cell{Text: r.Due.Chinese()}, notice.Cell{Text: word, Tone: toneOf(r.State)}, notice.Cell{Text: r.Reported.Chinese()})
	late := notice.Cell{N: int64(r.Late)}
	if r.Late == 0 {
		late.Text = "—"
	}
	row = append(row, late)
	if s.figures.quota() {
		row = append(row, notice.Cell{N: int64(r.Quota)}, notice.Cell{N: int64(r.Count)})
	}
	for _, name := range s.figures.Fields {
		v, ok := r.Figures[name]
		cell := notice.Cell{N: v}
		if !ok {
			cell.Text = "—"
		}
		row = append(row, cell)
	}
	return row
}

// total is the table's last row.
func (s summary) total(several bool) []notice.Cell {
	strong := func(text string) notice.Cell { return notice.Cell{Text: text, Tone: notice.Strong} }
	w := s.figures.speech()
	row := []notice.Cell{strong("合计"), strong(fmt.Sprintf("%s%d", w.owed, s.figures.Counts.Due))}
	if several {
		row = append(row, strong(""))
	}
	row = append(row, strong(""), strong(fmt.Sprintf("%s%d", w.done, s.figures.Counts.OnTime+s.figures.Counts.Late)), strong(""), strong("—"))
	if s.figures.quota() {
		row = append(row, notice.Cell{N: s.figures.total(func(r Return) int { return r.Quota }), Tone: notice.Strong},
			notice.Cell{N: s.figures.total(func(r Return) int { return r.Count }), Tone: notice.Strong})
	}
	for _, name := range s.figures.Fields {
		row = append(row, notice.Cell{N: s.figures.Sums[name], Tone: notice.Strong})
	}
	return row
}

func toneOf(s State) notice.Tone {
	switch s {
	case OnTime:
		return notice.Green
	case Late:
		return notice.Yellow
	case Missing:
		return notice.Red
	case Extended, Asking, Returned, NotDue, Informed, ByHand, Waived, Withdrawn, Moved:
	}
	return notice.Plain
}
