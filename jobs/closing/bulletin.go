package closing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// bulletin is what the close of a quarter or year says of the whole jurisdiction (季通报, 年通报), in the name of the
// government office. It is a draft.
type bulletin struct {
	span     Span
	items    []Item
	rates    Rates
	issue    int
	restated []rerate
	years    []Frozen
	sums     []fieldSum
	day      civil.Date
	office   planner.Office
	bureau   office
	ranking  bool
}

func (b bulletin) paper() notice.Paper {
	t, issue := b.rates.Total, fmt.Sprintf("第%d期", b.issue)
	name := b.span.Key.Chinese()
	p := notice.Paper{
		Subject: fmt.Sprintf("【%s】%s计入%d项次未办结%d项次·%s通报%s（代拟稿）", b.bureau.issuer.Short, monthDay(b.span.On), t.Counted, t.Open, name, issue),
		Title:   fmt.Sprintf("%s行政执法工作任务办理情况通报", name),
		Issue:   issue,
		Sub:     fmt.Sprintf("%s登记，截至%s", b.bureau.issuer.Short, b.span.On.Chinese()),
		// A bulletin is for all units; who they are is the issuing office's to say.
		Addressee: "各有关单位", Opening: b.opening(), Contact: b.bureau.issuer.ContactLine(), Issuer: b.office.Name, Date: b.day,
		AsFile: fmt.Sprintf("%s通报（%s，代拟稿）", name, issue), File: name + "办理情况表",
	}
	table := b.table()
	p.Sections = sections(
		notice.Section{Heading: "各单位办理情况", Table: &table, Notes: b.notes()},
		b.returned(), b.behind(), b.monthly(), b.excluded(), b.yearly(), b.correction(), b.requests(),
	)
	p.Sheets = []notice.Sheet{{Name: "各单位", Title: p.Title, Table: table}, {Name: "项次", Title: "到期项次明细", Table: b.details()}}
	return p
}

func (b bulletin) opening() []string {
	r, t := b.rates, b.rates.Total
	first := fmt.Sprintf("按%s登记，截至%s，%s到期任务共%d项（%d项次），已办结%d项", b.bureau.issuer.Short, monthDay(b.span.On),
		b.span.Key.Chinese(), r.Tasks, t.Items, r.TasksDone)
	if pc := Percent(r.TasksDone, r.Tasks); pc != "" {
		first += "，占" + pc
	}
	first += fmt.Sprintf("。%d项次中，计入%d项次，不计入%d项次。", t.Items, t.Counted, t.Items-t.Counted)
	if t.Counted == 0 {
		return []string{first}
	}
	share := Shares([]int{t.OnTime, t.Late, t.Open})
	second := fmt.Sprintf("计入的%d项次中，按时办结%d项次、占%s，逾期办结%d项次、占%s，未办结%d项次、占%s。按时办结率%s，办结率%s。",
		t.Counted, t.OnTime, share[0], t.Late, share[1], t.Open, share[2], Rate(t.OnTime, t.Counted), Rate(t.Done(), t.Counted))
	return []string{first, second}
}

// apart reports whether a unit is none of those the bulletin speaks to: the bureau, and those of which everything is only told
// or said by a person. They have no row of their own.
func (u UnitRates) apart() bool { return u.Left[OfBureau]+u.Left[OnlyTold]+u.Left[Manual] == u.Items }

// order lists the units: by rank where bulletins rank, else by code.
func (b bulletin) order() []UnitRates {
	units := slices.DeleteFunc(slices.Clone(b.rates.Units), UnitRates.apart)
	if b.ranking {
		slices.SortStableFunc(units, func(x, y UnitRates) int {
			return cmp.Or(cmp.Compare(min(x.Rank, 1), min(y.Rank, 1))*-1, cmp.Compare(x.Rank, y.Rank))
		})
	}
	return units
}

func (b bulletin) table() notice.Table {
	num := func(name string) notice.Column { return notice.Column{Name: name, Width: 10, Numeric: true} }
	t := notice.Table{Columns: []notice.Column{
		{Name: "责任单位", Width: 26}, num("到期项次"), num("不计入"), num("计入"), num("按时办结"), num("逾期办结"), num("未办结"),
		{Name: "按时办结率", Width: 18}, {Name: "办结率", Width: 18},
	}}
	if b.ranking {
		t.Columns = append(t.Columns, notice.Column{Name: "排名", Width: 8, Numeric: true})
	}
	row := func(name string, u UnitRates, tone notice.Tone) {
		cells := []notice.Cell{{Text: name, Tone: tone}}
		for _, n := range []int{u.Items, u.Items - u.Counted, u.Counted, u.OnTime, u.Late, u.Open} {
			cells = append(cells, notice.Cell{N: int64(n), Tone: tone})
		}
		cells = append(cells, notice.Cell{Text: Rate(u.OnTime, u.Counted), Tone: tone}, notice.Cell{Text: Rate(u.Done(), u.Counted), Tone: tone})
		if b.ranking {
			rank := notice.Cell{N: int64(u.Rank), Tone: tone}
			if u.Rank == 0 {
				rank.Text = "—"
			}
			cells = append(cells, rank)
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, u := range b.order() {
		row(u.Name, u, notice.Plain)
	}
	others := UnitRates{}
	for _, u := range b.rates.Units {
		switch {
		case !u.apart():
		case u.Left[OfBureau] == u.Items:
			row(u.Name+"（自办，不计入）", u, notice.Plain)
		default:
			others.Items += u.Items
		}
	}
	if others.Items > 0 {
		row(notUrged+"（不计入）", others, notice.Plain)
	}
	row("合计", b.rates.Total, notice.Strong)
	return t
}

// notUrged stands for the units that a bulletin does not name.
const notUrged = "仅知会或由专人联系的单位"

func (b bulletin) notes() []string {
	out := []string{fmt.Sprintf("统计范围为时限在%s至%s的项次，季度和半年报告按所属期计。按时办结率、办结率的分母为计入的项次。", b.span.From.Chinese(), b.span.To.Chinese())}
	if b.ranking {
		out = append(out, "排名以按时办结率为序，相同的并列；没有计入项次的单位不参加排名。")
	}
	return out
}

// returned are the figures that the units returned, summed.
func (b bulletin) returned() notice.Section {
	t := notice.Table{Columns: []notice.Column{{Name: "事项", Width: 28}, {Name: "指标", Width: 20}, {Name: "期数", Width: 8, Numeric: true}, {Name: "合计", Width: 12, Numeric: true}}}
	for _, s := range b.sums {
		t.Rows = append(t.Rows, []notice.Cell{{Text: s.title}, {Text: s.field}, {N: int64(s.periods)}, {N: s.sum}})
	}
	return notice.Section{Heading: "填报数据汇总", Table: &t, Notes: []string{"各期数据以关账数为准，已更正的用更正后数据。"}}
}

// recurring reports whether the item is one of those that fall due every month or week.
func recurring(it Item) bool {
	k := it.Record.Obligation.Kind
	return k == task.Monthly || k == task.Weekly
}

// behind lists by unit what is open and what was done late, the monthly returns apart.
func (b bulletin) behind() notice.Section {
	return notice.Section{Heading: "未办结和逾期办结事项", Lines: b.byUnit(func(items []Item) (parts []string) {
		for _, it := range items {
			if !recurring(it) {
				parts = append(parts, named(it)+"，"+outcome(it))
			}
		}
		return parts
	})}
}

// monthly lists by unit the returns that were missed: by row, with the periods.
func (b bulletin) monthly() notice.Section {
	return notice.Section{Heading: "月度报送未报和迟报情况", Lines: b.byUnit(func(items []Item) (parts []string) {
		for len(items) > 0 {
			row := items[0].Record.Obligation.TaskID
			var missing, late []string
			title := ""
			rest := items[:0:0]
			for _, it := range items {
				o := it.Record.Obligation
				switch {
				case o.TaskID != row:
					rest = append(rest, it)
				case !recurring(it):
				case it.Standing == Open:
					missing = append(missing, periodName(o.Instance)+remark(it.Asked, 0))
				default:
					late = append(late, fmt.Sprintf("%s迟报%d个工作日", periodName(o.Instance), it.Late))
				}
				if o.TaskID == row {
					title = fmt.Sprintf("第%s项%s", o.Row, it.Task.Title)
				}
			}
			if items = rest; len(missing) > 0 {
				late = append([]string{strings.Join(missing, "、") + "未报"}, late...)
			}
			if len(late) > 0 {
				parts = append(parts, title+"："+strings.Join(late, "，"))
			}
		}
		return parts
	})}
}

// byUnit says of each unit what say makes of its items that are open or were done late. Units of which the same is to be said
// stand together.
func (b bulletin) byUnit(say func([]Item) []string) []string {
	who := map[string][]string{}
	var order []string
	for _, u := range b.rates.Units {
		var items []Item
		for _, it := range b.items {
			if it.Record.Obligation.Unit == u.Unit && (it.Standing == Open || it.Standing == DoneLate) {
				items = append(items, it)
			}
		}
		text := strings.Join(say(items), "；")
		if text == "" {
			continue
		}
		if len(who[text]) == 0 {
			order = append(order, text)
		}
		who[text] = append(who[text], u.Name)
	}
	var out []string
	for _, text := range order {
		out = append(out, together(who[text], "家")+"："+text+"。")
	}
	return out
}

// together names several of which the same is said: 甲、乙、丙等3家.
func together(names []string, unit string) string {
	if len(names) < 2 {
		return strings.Join(names, "、")
	}
	return fmt.Sprintf("%s等%d%s", strings.Join(names, "、"), len(names), unit)
}

func outcome(it Item) string {
	if it.Standing == DoneLate {
		return fmt.Sprintf("逾期%d个工作日办结", it.Late)
	}
	return fmt.Sprintf("未办结，已超%d个工作日%s", it.Late, remark(it.Asked, 0))
}

// named is the row with its title, and the period where it recurs.
func named(it Item) string {
	s := fmt.Sprintf("第%s项%s", it.Record.Obligation.Row, it.Task.Title)
	if it.Record.Obligation.Period != "" {
		s += "（" + periodName(it.Record.Obligation.Instance) + "）"
	}
	return s
}

// excluded lists what is not counted, by reason; the numbers add up.
func (b bulletin) excluded() notice.Section {
	t := b.rates.Total
	sec := notice.Section{Heading: fmt.Sprintf("不计入%d项次", t.Items-t.Counted)}
	for _, s := range exclusions() {
		if n := t.Left[s]; n > 0 {
			sec.Lines = append(sec.Lines, fmt.Sprintf("%s%d项次%s。", s.words(), n, b.whose(s)))
		}
	}
	return sec
}

// whose names the units with items left out for the reason.
func (b bulletin) whose(s Standing) string {
	if s == OfBureau || s == OnlyTold || s == Manual {
		return ""
	}
	who := map[int][]string{}
	for _, u := range b.rates.Units {
		if n := u.Left[s]; n > 0 {
			who[n] = append(who[n], u.Name)
		}
	}
	var parts []string
	for _, n := range slices.Sorted(maps.Keys(who)) {
		part := together(who[n], "家")
		if len(who[n]) > 1 {
			part += "各"
		}
		parts = append(parts, fmt.Sprintf("%s%d项次", part, n))
	}
	return "（" + strings.Join(parts, "、") + "）"
}

// yearly are the reports that fall due once a year: who did not report, and of a duty that asks what was not done (powers not
// exercised) who reported a case, and who none.
func (b bulletin) yearly() notice.Section {
	sec := notice.Section{Heading: "年度报告情况"}
	for _, f := range b.years {
		var none, some, missing []string
		for _, r := range f.Returns {
			switch {
			case r.State.reported() && !f.Omissions: // an ordinary report says nothing by being there
			case r.State.reported() && r.Nil:
				none = append(none, r.Name)
			case r.State.reported():
				some = append(some, r.Name)
			case r.State == Missing:
				missing = append(missing, r.Name)
			}
		}
		line := f.Title
		for _, part := range []struct {
			word  string
			names []string
		}{{"报告有相应情况的", some}, {"零报告的", none}, {"未报告的", missing}} {
			if len(part.names) > 0 {
				line += fmt.Sprintf("；%s%d家：%s", part.word, len(part.names), strings.Join(part.names, "、"))
			}
		}
		sec.Lines = append(sec.Lines, line+fmt.Sprintf("；应报%d家，已报%d家。", f.Counts.Due, f.Counts.OnTime+f.Counts.Late))
	}
	return sec
}

func (b bulletin) correction() notice.Section {
	sec := notice.Section{Heading: "更正"}
	for _, r := range b.restated {
		for _, l := range r.lines {
			sec.Lines = append(sec.Lines, fmt.Sprintf("%s通报（第%d期）%s。", r.span.Key.Chinese(), r.issue, l))
		}
	}
	if len(sec.Lines) > 0 {
		sec.Paras = []string{"因登记更正，以前各期有下列数据变动。原期数据按关账时保留，不作改动。"}
	}
	return sec
}

func (b bulletin) requests() notice.Section {
	sec := notice.Section{Heading: "工作要求"}
	if b.rates.Total.Open > 0 {
		sec.Lines = append(sec.Lines, "未办结的单位请抓紧办理并反馈结果；确需延期的，请说明原因和拟完成日期。")
	}
	if b.rates.Total.Open+b.rates.Total.Late > 0 {
		sec.Lines = append(sec.Lines, "对上述数据有异议的，请与"+b.bureau.issuer.Short+"核对登记，确有差错的在下期更正。")
	}
	return sec
}

// details are all items, one a row.
func (b bulletin) details() notice.Table {
	t := notice.Table{Columns: []notice.Column{
		{Name: "序号", Width: 6, Numeric: true}, {Name: "责任单位", Width: 26}, {Name: "项", Width: 10}, {Name: "任务内容", Width: 32},
		{Name: "期次", Width: 16}, {Name: "完成时限", Width: 14}, {Name: "统计归类", Width: 22}, {Name: "超期工作日", Width: 12, Numeric: true},
	}}
	names := map[string]string{}
	for _, u := range b.rates.Units {
		if names[u.Unit] = u.Name; u.apart() && u.Left[OfBureau] < u.Items {
			names[u.Unit] = notUrged
		}
	}
	for i, it := range b.items {
		o := it.Record.Obligation
		per := ""
		if o.Period != "" {
			per = periodName(o.Instance)
		}
		late := notice.Cell{N: int64(it.Late)}
		if it.Late == 0 {
			late.Text = "—"
		}
		t.Rows = append(t.Rows, []notice.Cell{
			{N: int64(i + 1)}, {Text: names[o.Unit]}, {Text: o.Row}, {Text: it.Task.Title}, {Text: per}, {Text: it.Due.Chinese()},
			{Text: it.Standing.words(), Tone: it.Standing.tone()}, late,
		})
	}
	return t
}

func (s Standing) tone() notice.Tone {
	switch s {
	case DoneOnTime:
		return notice.Green
	case DoneLate:
		return notice.Yellow
	case Open:
		return notice.Red
	default:
		return notice.Plain
	}
}
