package digest

import (
	"fmt"
	"slices"
	"strings"

	"duban/jobs/closing"
	"duban/jobs/task"
	"duban/notify/notice"
)

// whole is 五、总体: 项 and 项次 apart, each list of counts adding up to what it says in all.
func (b *book) whole() notice.Section {
	b.counts = b.census()
	b.sum.Rows, b.sum.RowTotal = counts(b.counts.rows)
	b.sum.Items, b.sum.ItemTotal = counts(b.counts.items)
	b.sum.Support = b.counts.support
	s := notice.Section{Heading: "总体", Paras: []string{
		listCounts("任务", "项", b.sum.Rows, b.sum.RowTotal), listCounts("各单位应报", "项次", b.sum.Items, b.sum.ItemTotal),
	}}
	if b.sum.Support > 0 {
		s.Paras = append(s.Paras, fmt.Sprintf("另有配合单位%d项次，只知会、不催办，不计入上列项次。", b.sum.Support))
	}
	if len(b.plans) > 1 {
		for i, p := range b.plans {
			rows, n := counts(b.counts.planRows[p.Code])
			items, m := counts(b.counts.planItems[p.Code])
			s.Lines = append(s.Lines, fmt.Sprintf("%s：%s%s", b.planTitle(i), listCounts("任务", "项", rows, n), listCounts("应报", "项次", items, m)))
		}
	}
	return s
}

// listCounts is 任务3项：已办结1、超期2，合计3项。
func listCounts(what, unit string, of []Count, total int) string {
	s := fmt.Sprintf("%s%d%s", what, total, unit)
	if total == 0 {
		return s + "。"
	}
	var parts []string
	for _, c := range of {
		parts = append(parts, fmt.Sprintf("%s%d", c.Class, c.N))
	}
	return fmt.Sprintf("%s：%s，合计%d%s。", s, strings.Join(parts, "、"), total, unit)
}

// uncounted is 六、不计入考核: what is open and would not be held against its unit if it were judged today. Each stands under
// the first reason that holds.
func (b *book) uncounted() notice.Section {
	s := notice.Section{Heading: "不计入考核"}
	of := map[string][]*item{}
	total := 0
	for _, it := range b.items {
		if why := b.excused(it); why != "" {
			of[why] = append(of[why], it)
			total++
		}
	}
	for _, why := range excuses() {
		if items := of[why]; len(items) > 0 {
			s.Lines = append(s.Lines, end(fmt.Sprintf("%s%d项次：%s", why, len(items), b.namesOf(items))))
		}
	}
	if total > 0 {
		s.Paras = []string{fmt.Sprintf("合计%d项次，原因如下。", total)}
	}
	return s
}

// Why an item is not counted, in the order in which the reasons hold.
const (
	byIssue       = "印发时已过时限"
	byInheritance = "系统启用前已到期"
	byAmbiguity   = "时限有两种读法待核定"
	byCalendar    = "放假安排未公布、时限为暂定"
	byBureau      = "待本局审核"
	byRequest     = "延期待答复"
	bySilence     = "暂停或暂缓催办"
	byDelivery    = "尚无来信送达"
)

func excuses() []string {
	return []string{byIssue, byInheritance, byAmbiguity, byCalendar, byBureau, byRequest, bySilence, byDelivery}
}

func (w *world) excused(it *item) string {
	st := it.now
	late := it.class == Overdue
	_, silenced := w.silenced(it)
	switch {
	case !it.delivers():
		return ""
	case it.class == PastAtIssue:
		return byIssue
	case it.class == Inherited:
		return byInheritance
	case !slices.Contains([]Class{Overdue, Behind, OnTrack, Extended, Answered}, it.class):
		return ""
	case it.twoDates() && w.d > st.Effective:
		return byAmbiguity
	case late && w.set.Calendar.Provisional(st.Effective, it.due()):
		return byCalendar
	case it.class == Answered:
		return byBureau
	case st.Asked != 0:
		return byRequest
	case late && (silenced || st.HeldUntil != 0):
		return bySilence
	case late && !w.told(it).heard:
		return byDelivery
	}
	return ""
}

// burden is 八、工作负担: the letters of the week to units, and what was asked for in those that left.
func (b *book) burden() notice.Section {
	letters, offCycle := map[string]int{}, map[string]int{}
	first := b.set.Calendar.WeekStart(b.d)
	from := monday(b.d)
	left := map[string]bool{}
	for _, l := range b.Week {
		left[l.ID] = l.Key.Kind == notice.UnitLetter && goes(l.State)
		if l.Key.Date < from || l.Key.Date > b.d || l.Key.Unit == b.Jurisdiction.Bureau || l.Key.Unit == closing.GovernmentRole || !goes(l.State) {
			continue
		}
		letters[l.Key.Unit]++
		if l.Key.Date != first {
			offCycle[l.Key.Unit]++
		}
	}
	demands := map[string]int{}
	for _, f := range b.Steps {
		if f.Passed != "" || f.On < from || f.On > b.d || !left[f.Notice] && b.Served[f.Notice] == 0 {
			continue
		}
		if ref, err := task.ParseRef(f.Obligation); err == nil {
			demands[ref.Unit]++
		}
	}
	s := notice.Section{Heading: "工作负担（本周）"}
	var units []string
	nl, nd := 0, 0
	for u, n := range letters {
		units = append(units, u)
		nl += n
		nd += demands[u]
	}
	if nl == 0 {
		return s
	}
	slices.SortFunc(units, func(x, y string) int {
		if letters[x] != letters[y] {
			return letters[y] - letters[x]
		}
		if demands[x] != demands[y] {
			return demands[y] - demands[x]
		}
		return strings.Compare(x, y)
	})
	s.Paras = []string{fmt.Sprintf("本周（%s起）向%d家发信%d封，提出要求%d项次。", b.short(from), len(units), nl, nd)}
	var top []string
	for _, u := range units[:min(len(units), fewNamed)] {
		top = append(top, fmt.Sprintf("%s%d封%d项次", b.unitName(u), letters[u], demands[u]))
	}
	s.Lines = append(s.Lines, end("较多的单位："+strings.Join(top, "、")))
	if limit := b.set.WeeklyCap; limit > 0 {
		var over []string
		for _, u := range units {
			if offCycle[u] > limit {
				over = append(over, fmt.Sprintf("%s%d封", b.unitName(u), offCycle[u]))
			}
		}
		if len(over) > 0 {
			s.Lines = append(s.Lines, end(fmt.Sprintf("每周首个工作日以外超过%d封的%d家：%s", limit, len(over), names(over, "家"))))
		}
	}
	return s
}

// goes reports whether a letter in the state reaches its reader, or is on its way to.
func goes(s notice.State) bool {
	switch s {
	case notice.Pending, notice.Sending, notice.Retry, notice.Sent, notice.Recorded, notice.Unknown:
		return true
	case notice.Held, notice.Failed, notice.Superseded, notice.Cancelled:
	}
	return false
}
