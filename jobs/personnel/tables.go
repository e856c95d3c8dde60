package personnel

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/notify/notice"
)

// figure is one column of the bureau's tables.
type figure struct {
	name  string
	of    func(Counts) int
	brief bool // stands in the letter too, not in the workbook alone
	when  func(*writer) bool
}

func always(*writer) bool { return true }

func (w *writer) figures() []figure {
	hours := func(w *writer) bool { return w.a.Hours }
	ratios := func(w *writer) bool { return w.a.Ratios && w.set.Staff.ReviewerPercent > 0 }
	pairs := func(w *writer) bool { return w.a.Ratios && w.set.Staff.ReviewersAndSupervisors > 0 }
	all := []figure{
		{"人数", func(c Counts) int { return c.People }, true, always},
		{"在岗", func(c Counts) int { return c.InPost }, false, always},
		{"离岗", func(c Counts) int { return c.OffPost }, false, always},
		{"新申领", func(c Counts) int { return c.Applicants }, false, always},
		{"已注销", func(c Counts) int { return c.Cancelled }, false, always},
		{"证件已过期", func(c Counts) int { return c.Expired }, true, always},
	}
	from := 0
	for i, n := range w.warn() {
		name := fmt.Sprintf("%d日内到期", n)
		if from > 0 {
			name = fmt.Sprintf("%d至%d日内到期", from+1, n)
		}
		all = append(all, figure{name, func(c Counts) int { return c.Within[i] }, false, always})
		from = n
	}
	if from > 0 {
		all = append(all, figure{"临近到期", Counts.Expiring, true, always})
	}
	return append(all,
		figure{"有效期未登记", func(c Counts) int { return c.NoExpiry }, false, always},
		figure{"暂扣", func(c Counts) int { return c.Suspended }, true, always},
		figure{"暂扣30日内期满", func(c Counts) int { return c.DueBack }, false, always},
		figure{"期满未恢复", func(c Counts) int { return c.BackOverdue }, true, always},
		figure{"离岗培训未完成", func(c Counts) int { return c.OffShort + c.OffUnproved }, false, always},
		figure{"应完成学时", func(c Counts) int { return c.Asked }, false, hours},
		figure{"学时已完成", func(c Counts) int { return c.Met }, false, hours},
		figure{"预计能完成", func(c Counts) int { return c.OnPace }, false, hours},
		figure{"学时不足", func(c Counts) int { return c.Behind + c.Short }, true, hours},
		figure{"到岗不足30日", func(c Counts) int { return c.TooNew }, false, hours},
		figure{"学时未登记", func(c Counts) int { return c.Unknown }, true, hours},
		figure{"执法人员", Counts.Staff, false, ratios},
		figure{"法制审核人员", func(c Counts) int { return c.Reviewers }, false, ratios},
		figure{"应配法制审核", func(c Counts) int { return c.ReviewersNeeded }, false, ratios},
		figure{"法制审核不足（家）", func(c Counts) int { return c.RatioShort }, true, ratios},
		figure{"执法监督人员", func(c Counts) int { return c.Supervisors }, false, pairs},
		figure{"审核加监督不足（家）", func(c Counts) int { return c.PairShort }, true, pairs},
		figure{"待考试", func(c Counts) int { return c.Awaiting }, true, always},
		figure{"新申领学时不足", func(c Counts) int { return c.ApplyShort }, false, always},
	)
}

// brief is the table in the letter.
func (w *writer) brief(res Result) *notice.Table {
	t := w.rowsOf(res, func(f figure) bool { return f.brief })
	return &t
}

// byUnit is the sheet that goes along, with every figure.
func (w *writer) byUnit(res Result) notice.Sheet {
	return notice.Sheet{Name: "各单位人数", Title: w.Jurisdiction.Name + "行政执法人员管理情况（截至" + w.d.Chinese() + "，只列人数）",
		Table: w.rowsOf(res, func(figure) bool { return true })}
}

// rowsOf has a row for each unit and one for all of them.
func (w *writer) rowsOf(res Result, pick func(figure) bool) notice.Table {
	t := notice.Table{Columns: []notice.Column{{Name: "单位", Width: 22}}}
	var figures []figure
	for _, f := range w.figures() {
		if pick(f) && f.when(w) {
			figures = append(figures, f)
			t.Columns = append(t.Columns, notice.Column{Name: f.name, Width: 12, Numeric: true})
		}
	}
	row := func(name string, c Counts, tone notice.Tone) {
		cells := []notice.Cell{{Text: name, Tone: tone}}
		for _, f := range figures {
			cells = append(cells, notice.Cell{N: int64(f.of(c)), Tone: tone})
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, u := range res.Units {
		row(w.name(u.Code), u.Counts, notice.Plain)
	}
	row("合计", res.Total, notice.Strong)
	return t
}

// name is a unit as the letters call it; one that has left the directory keeps its code.
func (w *writer) name(code string) string {
	if u, ok := w.units[code]; ok {
		return u.Name
	}
	return code + "（已撤销）"
}

// notes says which units got no letter, and whose letter waits.
func (w *writer) notes(res Result) []string {
	var manual, held, silenced clauses
	for _, u := range res.Units {
		to, ok := w.units[u.Code]
		switch {
		case !ok, u.Code == w.Jurisdiction.Bureau:
		case !written(to):
			manual.add(1, "%s", to.Name)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(w.kept)) {
		if strings.HasPrefix(w.kept[code], silencedUntil) {
			silenced.add(1, "%s", w.name(code))
		} else {
			held.add(1, "%s", w.name(code))
		}
	}
	var out []string
	if len(manual) > 0 {
		out = append(out, fmt.Sprintf("不自动发函的单位%d家，请另行告知：%s。", len(manual), manual))
	}
	if len(held) > 0 {
		out = append(out, fmt.Sprintf("提示暂未发出的单位%d家（联系人、邮箱或设置待核）：%s。", len(held), held))
	}
	if len(silenced) > 0 {
		out = append(out, fmt.Sprintf("提示暂未发出的单位%d家（单位在暂停期内，可由专人放行）：%s。", len(silenced), silenced))
	}
	return out
}
