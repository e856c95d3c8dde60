package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// sheetRows bounds the sheet of items: the letter is kept for ever, and nobody reads more.
const sheetRows = 4000

func text(s string) notice.Cell { return notice.Cell{Text: s} }

func number(n int) notice.Cell { return notice.Cell{N: int64(n)} }

// tone is the colour that goes with a class; the word stands beside it.
func tone(c Class) notice.Tone {
	switch c {
	case Done, OnTrack, Extended:
		return notice.Green
	case Behind, Answered, Lost, Unreadable:
		return notice.Yellow
	case Overdue:
		return notice.Red
	case ByHand, Courtesy, Own, PastAtIssue, Inherited, Confirmed, Waived, Gone, Untriggered, Standing, PerCase, Staff,
		Inspections, NotStarted, Nothing:
	}
	return notice.Plain
}

// rowGroups are the columns of the sheet of rows that count 项次; they add up to the first.
func rowGroups() []struct {
	name    string
	classes []Class
} {
	return []struct {
		name    string
		classes []Class
	}{
		{"已办结", []Class{Done}}, {"待审核", []Class{Answered}}, {"超期", []Class{Overdue}}, {"滞后", []Class{Behind}},
		{"未到期", []Class{OnTrack, Extended}},
		{"其他", []Class{ByHand, Courtesy, Own, PastAtIssue, Inherited, Confirmed, Waived, Lost, Gone}},
	}
}

// rowSheet is the sheet 任务（项）: one line per row of the plans.
func (b *book) rowSheet() notice.Sheet {
	s := notice.Sheet{Name: "任务（项）", Title: fmt.Sprintf("%s督办任务表（截至%s，共%d项）", b.Jurisdiction.Name, b.d.Chinese(), len(b.rows))}
	if len(b.plans) > 1 {
		s.Columns = append(s.Columns, notice.Column{Name: "方案", Width: 20})
	}
	s.Columns = append(s.Columns,
		notice.Column{Name: "序号", Width: 8}, notice.Column{Name: "任务内容", Width: 36}, notice.Column{Name: "责任单位（牵头/配合）", Width: 30},
		notice.Column{Name: "完成时限", Width: 20}, notice.Column{Name: "当前进展", Width: 30}, notice.Column{Name: "剩余工作日", Width: 11, Numeric: true},
		notice.Column{Name: "状态", Width: 18}, notice.Column{Name: "应报项次", Width: 10, Numeric: true},
	)
	for _, g := range rowGroups() {
		s.Columns = append(s.Columns, notice.Column{Name: g.name, Width: 8, Numeric: true})
	}
	for _, t := range b.rows {
		s.Rows = append(s.Rows, b.rowLine(t))
	}
	return b.withoutRow(s)
}

// withoutRow adds a line for the items of rows that are no more, so that the columns add up to the whole.
func (b *book) withoutRow(s notice.Sheet) notice.Sheet {
	has := map[Class]int{}
	ids := map[task.TaskID]bool{}
	for id := range b.tallies {
		ids[id] = true
	}
	for id := range b.byRow {
		ids[id] = true
	}
	for id := range ids {
		if _, ok := b.row[id]; !ok {
			for c, n := range b.classesOf(id) {
				has[c] += n
			}
		}
	}
	progress, total := b.progress(has)
	if total == 0 {
		return s
	}
	line := make([]notice.Cell, len(s.Columns)-len(rowGroups())-1)
	for i := range line {
		line[i] = text("—")
	}
	line[len(line)-6], line[len(line)-3] = text("（已撤销的任务）"), text(progress)
	s.Rows = append(s.Rows, slices.Concat(line, []notice.Cell{number(total)}, groupCells(has)))
	return s
}

// progress lists the classes in words, and counts them.
func (b *book) progress(has map[Class]int) (string, int) {
	of, total := counts(has)
	var parts []string
	for _, c := range of {
		parts = append(parts, fmt.Sprintf("%s%d", c.Class, c.N))
	}
	return strings.Join(parts, "、"), total
}

// groupCells are the counts of the columns after the whole.
func groupCells(has map[Class]int) []notice.Cell {
	var out []notice.Cell
	for _, g := range rowGroups() {
		n := 0
		for _, c := range g.classes {
			n += has[c]
		}
		out = append(out, number(n))
	}
	return out
}

func (b *book) rowLine(t task.Task) []notice.Cell {
	class := b.counts.classOfRow[t.TaskID]
	has := b.classesOf(t.TaskID)
	var line []notice.Cell
	if len(b.plans) > 1 {
		line = append(line, text(b.plans[b.planNo[t.Plan]].Title))
	}
	progress, total := b.progress(has)
	line = append(line, text(t.Row), text(t.Title), text(b.parties(t)), text(t.DeadlineText), text(cmp.Or(progress, string(class))), b.left(t, class),
		notice.Cell{Text: string(class), Tone: tone(class)}, number(total))
	return append(line, groupCells(has)...)
}

// left is the number of working days to the row's next date; of a row that is late, 超8.
func (b *book) left(t task.Task, class Class) notice.Cell {
	late, next := 0, civil.Never
	for _, it := range b.byRow[t.TaskID] {
		if !it.delivers() || !it.now.Chased() {
			continue
		}
		if b.d > it.due() {
			late = max(late, b.daysLate(it))
		} else {
			next = min(next, it.now.Effective)
		}
	}
	switch {
	case class == Overdue:
		return notice.Cell{Text: fmt.Sprintf("超%d", late), Tone: notice.Red}
	case next == civil.Never:
		return text("—")
	}
	n := max(0, b.set.Calendar.Count(b.d, b.set.Calendar.OnOrBefore(next)))
	c := number(n)
	if n <= nearDays {
		c.Tone = notice.Yellow
	}
	return c
}

// parties are the units as the ledger writes them, those who lead before those who support.
func (b *book) parties(t task.Task) string {
	var lead, support []string
	for _, p := range t.Parties {
		name := b.unitName(p.Code)
		if p.Group {
			name = p.Code
			for _, g := range b.dir.Groups {
				if g.Code == p.Code {
					name = g.Name
				}
			}
		}
		if p.Role == task.Support || p.Role == task.Guide {
			support = append(support, name)
		} else {
			lead = append(lead, name)
		}
	}
	s := cmp.Or(strings.Join(lead, "、"), t.LeadText, t.ResponsibleText, "—")
	if len(support) > 0 {
		s += "/" + strings.Join(support, "、")
	}
	return s
}

// itemSheet is the sheet 项次: what is open, and what was closed since the last digest; worst first.
func (b *book) itemSheet() notice.Sheet {
	s := notice.Sheet{Name: "项次", Table: notice.Table{Columns: []notice.Column{
		{Name: "序号", Width: 10}, {Name: "任务", Width: 34}, {Name: "单位", Width: 20}, {Name: "期次/阶段", Width: 14},
		{Name: "完成时限", Width: 13}, {Name: "状态", Width: 18}, {Name: "剩余/超期工作日", Width: 14, Numeric: true}, {Name: "提醒", Width: 14},
		{Name: "催办", Width: 14}, {Name: "送达", Width: 16}, {Name: "延期", Width: 20}, {Name: "备注", Width: 30},
	}}}
	var items []*item
	for _, it := range b.items {
		if it.delivers() {
			items = append(items, it)
		}
	}
	order := slices.Concat([]Class{Overdue, Behind, Answered}, listed())
	slices.SortStableFunc(items, func(x, y *item) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.class), slices.Index(order, y.class)), cmp.Compare(x.due(), y.due()))
	})
	s.Title = fmt.Sprintf("未办结及新近办结%d项次，此前办结等%d项次不列，合计%d项次", b.counts.shown, b.sum.ItemTotal-b.counts.shown, b.sum.ItemTotal)
	if len(items) > sheetRows {
		s.Title += fmt.Sprintf("；本表列前%d项次", sheetRows)
		items = items[:sheetRows]
	}
	for _, it := range items {
		s.Rows = append(s.Rows, b.itemLine(it))
	}
	return s
}

func (b *book) itemLine(it *item) []notice.Cell {
	t := b.told(it)
	days := text("—")
	heard, note := "—", ""
	switch {
	case it.now.Chased() && b.d > it.due():
		days = notice.Cell{Text: fmt.Sprintf("超%d", b.daysLate(it)), Tone: tone(it.class)}
		if it.class == Overdue {
			heard = t.words()
			note = b.coming(it, t)
		}
	case it.now.Chased():
		n := max(0, b.set.Calendar.Count(b.d, b.set.Calendar.OnOrBefore(it.now.Effective)))
		if days = number(n); n <= nearDays {
			days.Tone = notice.Yellow
		}
	case it.now.State == task.Finished && it.now.Late > 0:
		note = fmt.Sprintf("逾期%d个工作日办结", it.now.Late)
	case it.now.State == task.Finished:
		note = "按期办结"
	case it.now.State == task.Answered:
		note = b.short(it.now.Reported) + "报送"
	}
	if it.class == Behind {
		note = fmt.Sprintf("应达%d，已达%d，全部%d", it.pace, it.count, it.Obligation.Quota)
	}
	return []notice.Cell{
		text(b.mark(task.Obligation{Ref: task.Ref{TaskID: it.Obligation.TaskID}})), text(cmp.Or(it.task.Title, "（已撤销的任务）")), text(it.unit.Name),
		text(b.part(it.Obligation)), text(it.due().String()), {Text: string(it.class), Tone: tone(it.class)}, days,
		text(dash(strings.Join(t.reminded, "、"))), text(dash(strings.Join(t.urged, "、"))), text(heard), text(b.extensionWords(it)), text(note),
	}
}

// extensionWords say what became of requests for more time.
func (b *book) extensionWords(it *item) string {
	var out []string
	if it.now.Extended {
		out = append(out, "已批准至"+b.short(it.now.Effective))
	}
	if it.now.Asked != 0 {
		s := "申请待答复"
		if it.now.AskedFor != 0 {
			s = "申请至" + b.short(it.now.AskedFor) + "，待答复"
		}
		out = append(out, s)
	}
	return dash(strings.Join(out, "；"))
}

// sumSheet is the sheet 汇总: the counts of 总体.
func (b *book) sumSheet() notice.Sheet {
	s := notice.Sheet{Name: "汇总", Title: "总体（截至" + b.d.Chinese() + "）", Table: notice.Table{Columns: []notice.Column{
		{Name: "范围", Width: 36}, {Name: "类别", Width: 24}, {Name: "项", Width: 10, Numeric: true}, {Name: "项次", Width: 10, Numeric: true},
	}}}
	add := func(scope string, rows, items map[Class]int) {
		n, m := 0, 0
		for _, c := range listed() {
			if rows[c]+items[c] == 0 {
				continue
			}
			n, m = n+rows[c], m+items[c]
			s.Rows = append(s.Rows, []notice.Cell{text(scope), {Text: string(c), Tone: tone(c)}, number(rows[c]), number(items[c])})
		}
		s.Rows = append(s.Rows, []notice.Cell{text(scope), {Text: "合计", Tone: notice.Strong}, number(n), number(m)})
	}
	add("全部", b.counts.rows, b.counts.items)
	if len(b.plans) > 1 {
		for i, p := range b.plans {
			add(b.planTitle(i), b.counts.planRows[p.Code], b.counts.planItems[p.Code])
		}
	}
	return s
}
