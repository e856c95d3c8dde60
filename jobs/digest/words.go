package digest

import (
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/period"
	"duban/jobs/task"
	"duban/jobs/workday"
)

// How many are named one by one, in a line and in a table; above it they are counted, and the workbook names them.
const (
	fewNamed  = 6
	tableRows = 60
	lineCap   = 40
)

// short is the date without the year of the digest: 9月30日.
func (w *world) short(d civil.Date) string {
	if d == 0 {
		return ""
	}
	y, m, day := d.YMD()
	if y == w.d.Year() {
		return fmt.Sprintf("%d月%d日", int(m), day)
	}
	return d.Chinese()
}

// dot is the date in a narrow column: 9.30.
func (w *world) dot(d civil.Date) string {
	y, m, day := d.YMD()
	if y == w.d.Year() {
		return fmt.Sprintf("%d.%d", int(m), day)
	}
	return fmt.Sprintf("%d.%d.%d", y, int(m), day)
}

func weekday(d civil.Date) string {
	return "星期" + []string{"日", "一", "二", "三", "四", "五", "六"}[d.Weekday()]
}

// onDay is the date with its weekday and, where nobody works, the last working day before it.
func (w *world) onDay(d civil.Date) string {
	s := w.short(d) + "（" + weekday(d)
	switch day := w.set.Calendar.Day(d); {
	case !day.Workday:
		s += "，非工作日，最后工作日为" + w.short(w.set.Calendar.OnOrBefore(d))
	case day.Reason == workday.MakeUp:
		s += "，调休上班"
	}
	return s + "）"
}

// rowName is 第17项, with the plan's number where there are several plans.
func (w *world) rowName(id task.TaskID) string {
	if strings.HasPrefix(id.Row, "第") || strings.HasSuffix(id.Row, "项") {
		return w.planMark(id.Plan) + id.Row
	}
	return w.planMark(id.Plan) + "第" + id.Row + "项"
}

// rowMark is the row in a narrow column: 17, or 二-17.
func (w *world) rowMark(id task.TaskID) string {
	if len(w.plans) < 2 {
		return id.Row
	}
	no, ok := w.planNo[id.Plan]
	if !ok {
		return id.Plan + "-" + id.Row
	}
	return numeral(no+1) + "-" + id.Row
}

func (w *world) planMark(plan string) string {
	if len(w.plans) < 2 {
		return ""
	}
	no, ok := w.planNo[plan]
	if !ok {
		return plan
	}
	return "方案" + numeral(no+1)
}

// planTitle is 方案一《…》, or 《…》 where there is only one plan.
func (w *world) planTitle(i int) string {
	title := "《" + strings.Trim(w.plans[i].Title, "《》") + "》"
	if len(w.plans) < 2 {
		return title
	}
	return "方案" + numeral(i+1) + title
}

// numeral is a number up to 99 in Chinese.
func numeral(n int) string {
	digits := []string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	switch {
	case n < 1 || n > 99:
		return fmt.Sprint(n)
	case n < 10:
		return digits[n]
	case n < 20:
		return "十" + digits[n-10]
	}
	return digits[n/10] + "十" + digits[n%10]
}

// part says which instance of its row an item is, empty where the row has one alone: 2024年9月, 阶段性成效, a case number.
func (w *world) part(o task.Obligation) string {
	if ref, ok := strings.CutPrefix(o.Instance, "e:"); ok {
		return ref
	}
	if o.Period != "" {
		s := period.Key(o.Period).Chinese()
		if cut := strings.TrimPrefix(s, fmt.Sprintf("%d年", w.d.Year())); cut != "" {
			s = cut
		}
		if _, at, ok := strings.Cut(o.Instance, "/"); ok {
			s += at + "日"
		}
		return s
	}
	switch o.Label {
	case deadline.Stage:
		return "阶段性成效"
	case deadline.Final:
		return "完成"
	}
	if t, ok := w.row[o.TaskID]; ok && len(t.Reading.Milestones) > 1 {
		return "第" + strings.TrimPrefix(o.Instance, "m") + "阶段"
	}
	return ""
}

// what is the row and the instance: 第17项（9月）.
func (w *world) what(o task.Obligation) string { return w.rowName(o.TaskID) + inBrackets(w.part(o)) }

func (w *world) mark(o task.Obligation) string { return w.rowMark(o.TaskID) + inBrackets(w.part(o)) }

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return "（" + s + "）"
}

// who is the unit and what it owes: 区农业农村局第56项.
func (w *world) who(it *item) string { return it.unit.Name + w.what(it.Obligation) }

// names joins the first few and says how many there are in all.
func names(all []string, what string) string {
	if len(all) <= fewNamed {
		return strings.Join(all, "、")
	}
	return fmt.Sprintf("%s等%d%s", strings.Join(all[:fewNamed], "、"), len(all), what)
}

// namesOf lists what the items are: few by name; of many, how many units each row concerns, or where the rows are many too,
// how many items each unit has.
func (w *world) namesOf(items []*item) string {
	if len(items) <= fewNamed {
		var all []string
		for _, it := range items {
			all = append(all, w.who(it))
		}
		return strings.Join(all, "、")
	}
	whats, of := tallied(items, func(it *item) string { return w.what(it.Obligation) })
	if len(whats) <= fewNamed/2 {
		for i, s := range whats {
			whats[i] = fmt.Sprintf("%s%d家", s, of[s])
		}
		return strings.Join(whats, "、")
	}
	units, n := tallied(items, func(it *item) string { return it.unit.Name })
	for i, u := range units {
		units[i] = fmt.Sprintf("%s%d", u, n[u])
	}
	return names(units, "家")
}

// tallied counts the items by a name, the most numerous first.
func tallied(items []*item, name func(*item) string) (order []string, n map[string]int) {
	n = map[string]int{}
	for _, it := range items {
		s := name(it)
		if n[s]++; n[s] == 1 {
			order = append(order, s)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return n[b] - n[a] })
	return order, n
}

// how is how a unit was told by other means. Of what a person wrote there, no more than the way is shown.
func how(ref string) string {
	ref = strings.ToLower(ref)
	for _, way := range [][]string{
		{"电话", "phone", "call"}, {"OA", "oa"}, {"短信", "sms"}, {"微信", "wechat"}, {"传真", "fax"}, {"当面", "面", "会", "visit", "meeting"},
		{"书面", "书", "函", "paper", "letter"},
	} {
		if slices.ContainsFunc(way, func(s string) bool { return strings.Contains(ref, s) }) {
			return way[0]
		}
	}
	return "其他方式"
}

// end puts the full stop under a sentence.
func end(s string) string {
	if s == "" || strings.HasSuffix(s, "。") {
		return s
	}
	return s + "。"
}
