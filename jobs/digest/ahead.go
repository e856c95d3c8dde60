package digest

import (
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

// aheadDays is how many working days the digest looks ahead.
const aheadDays = 10

// horizon is the last day that the digest looks ahead to: the eve of the eleventh working day, so that what falls on the
// days off after the tenth is named while there is time.
func (w *world) horizon() civil.Date { return Horizon(w.set.Calendar, w.d) }

// Horizon is the last day on which something falls due that the digest of day d names as coming.
func Horizon(cal *workday.Calendar, d civil.Date) civil.Date { return cal.Add(d, aheadDays+1) - 1 }

// arrival is one instance of one row that falls due on one day.
type arrival struct {
	task.TaskID
	instance string
	due      civil.Date
	items    []*item
}

// arrivals are the instances that fall due within the window and that some unit still owes, by day and row.
func (w *world) arrivals() []arrival {
	var out []arrival
	for _, it := range slices.Concat(w.items, w.named) {
		due := it.now.Effective
		if !it.delivers() || it.now.Unconfirmed || due < w.d || due > w.horizon() || !it.inForce ||
			it.now.State != task.Waiting && it.now.State != task.Answered && it.now.State != task.Finished {
			continue
		}
		i := slices.IndexFunc(out, func(a arrival) bool {
			return a.due == due && a.TaskID == it.Obligation.TaskID && a.instance == it.Obligation.Instance
		})
		if i < 0 {
			i = len(out)
			out = append(out, arrival{TaskID: it.Obligation.TaskID, instance: it.Obligation.Instance, due: due})
		}
		out[i].items = append(out[i].items, it)
	}
	out = slices.DeleteFunc(out, func(a arrival) bool {
		return !slices.ContainsFunc(a.items, func(it *item) bool { return it.now.Open() })
	})
	slices.SortStableFunc(out, func(a, b arrival) int { return w.inOrder(a.items[0], b.items[0]) })
	slices.SortStableFunc(out, func(a, b arrival) int { return int(a.due) - int(b.due) })
	return out
}

// ahead is 四、今后十个工作日到期.
func (b *book) ahead() notice.Section {
	s := notice.Section{Heading: fmt.Sprintf("今后十个工作日到期（至%s）", b.short(b.horizon()))}
	all := b.arrivals()
	for i := 0; i < len(all); {
		day := all[i].due
		var words []string
		for ; i < len(all) && all[i].due == day; i++ {
			words = append(words, b.arrivalWords(all[i]))
		}
		s.Lines = append(s.Lines, b.onDay(day)+"："+strings.Join(words, "；")+"。")
	}
	if off := b.daysOff(); len(s.Lines) > 0 && off != "" {
		s.Paras = []string{off}
	}
	return s
}

// arrivalWords says how many of how many have reported, and which single units have not.
func (b *book) arrivalWords(a arrival) string {
	name := b.what(a.items[0].Obligation)
	total, reported, own := 0, 0, ""
	var missing []string
	for _, it := range a.items {
		if it.Obligation.Unit == b.Jurisdiction.Bureau {
			if own = "本局承办，未办结"; !it.now.Open() {
				own = "本局承办，已办结"
			}
			continue
		}
		total++
		if it.now.Open() {
			missing = append(missing, it.unit.Name)
		} else {
			reported++
		}
	}
	var s string
	switch {
	case total == 1 && reported == 0:
		s = missing[0] + "应报，未报"
	case total > 0:
		s = fmt.Sprintf("%d家应报，已报%d家", total, reported)
		if n := len(missing); n > 0 && n <= fewNamed/2 {
			s += inBrackets("未报：" + strings.Join(missing, "、"))
		}
	}
	if s != "" && own != "" {
		s += "，"
	}
	return name + s + own
}

// daysOff names the make-up days and the holidays on the way.
func (w *world) daysOff() string {
	var worked, off []string
	for d := w.d + 1; d <= w.horizon(); d++ {
		switch day := w.set.Calendar.Day(d); day.Reason {
		case workday.MakeUp:
			worked = append(worked, w.short(d)+inBrackets(weekday(d)))
		case workday.Statutory, workday.LocalOff:
			last := d
			for w.set.Calendar.Day(last+1).Reason == day.Reason {
				last++
			}
			span := w.short(d)
			if last > d {
				span += "至" + w.short(last)
			}
			off = append(off, span)
			d = last
		}
	}
	var parts []string
	if len(off) > 0 {
		parts = append(parts, strings.Join(off, "、")+"放假")
	}
	if len(worked) > 0 {
		parts = append(parts, strings.Join(worked, "、")+"调休上班")
	}
	if len(parts) == 0 {
		return ""
	}
	return "期间" + strings.Join(parts, "，") + "。"
}

// own is 七、本局承办事项.
func (b *book) own() notice.Section {
	s := notice.Section{Heading: "本局承办事项"}
	items := b.open(Own)
	slices.SortStableFunc(items, func(x, y *item) int { return int(x.due()) - int(y.due()) })
	late, later := 0, 0
	for _, it := range items {
		if !it.now.Open() {
			later++
			continue
		}
		due := it.due()
		left := b.set.Calendar.Count(b.d, b.set.Calendar.OnOrBefore(due))
		line := b.what(it.Obligation) + "（" + it.task.Title + "）：时限" + b.short(due)
		switch {
		case b.d > due:
			late++
			line += fmt.Sprintf("，已超%d个工作日，未办结", b.daysLate(it))
		case due <= b.horizon():
			line += fmt.Sprintf("，剩余%d个工作日", max(0, left))
		default:
			later++
			continue
		}
		if len(s.Lines) < lineCap {
			s.Lines = append(s.Lines, end(line))
		}
	}
	if len(items) > 0 {
		s.Paras = []string{fmt.Sprintf("未办结%d项次：已过时限%d，十个工作日内到期%d，其余%d。", len(items), late, len(items)-late-later, later)}
	}
	return s
}
