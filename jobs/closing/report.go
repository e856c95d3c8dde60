package closing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// formed is an item that stayed open after a supervision form about it was served.
type formed struct {
	record task.Record
	task   task.Task
	form   notice.Document
	served civil.Date
	arm    int
	due    civil.Date
	urged  []civil.Date // by letters that were served
	name   string       // of the unit
	// answered says that it had reported, and the report was given back.
	answered bool
}

// QuarterStep is the step of the ladder that a quarter's report is.
func QuarterStep(key string) string { return "Q-" + key }

// report drafts the report to the government office (专报) on what a supervision form did not bring about, with the draft of
// a bulletin. Where there is nothing of the kind there is no report.
func (c *quarter) report(s Span) {
	list := c.unanswered()
	key := c.key(notice.Report, s)
	step := QuarterStep(string(s.Key))
	list = slices.DeleteFunc(list, func(f formed) bool {
		return slices.ContainsFunc(f.record.Steps, func(x task.FiredStep) bool { return x.Arm == f.arm && x.Step == step })
	})
	if len(list) == 0 {
		return
	}
	var refs []string
	for _, f := range list {
		ref := f.record.Obligation.Ref.String()
		refs = append(refs, ref)
		c.out.Steps = append(c.out.Steps, task.FiredStep{
			Obligation: ref, Arm: f.arm, Step: step, N: 1, Role: GovernmentRole, On: c.day, Notice: key.ID(),
		})
	}
	slices.SortFunc(c.out.Steps, func(a, b task.FiredStep) int { return strings.Compare(a.Obligation, b.Obligation) })
	c.draft(key, c.reportPaper(s, list), refs)
}

// unanswered returns the items whose form was served at least formServed working days ago, and that are open with nothing
// asked, held or silenced.
func (c *quarter) unanswered() []formed {
	set := c.set.On(c.day)
	silences := task.SilencesAsOf(c.Silences, c.day)
	names := namesAsOf(c.Directory, c.day)
	var out []formed
	for _, r := range c.Formed {
		o := r.Obligation
		st := task.Fold(o, r.Events, c.day, set.Calendar, set.Terms)
		t, ok := lastVersion(c.Tasks, o.TaskID, c.day)
		due := max(st.Effective, st.Assess)
		if !ok || !st.Chased() || st.Asked != 0 || st.HeldUntil != 0 || silenced(silences, o.Ref, c.day) || due >= c.day {
			continue
		}
		form, served, ok := c.formOf(r, st)
		if !ok || set.Calendar.Count(served, c.day) < formServed {
			continue
		}
		out = append(out, formed{
			record: r, task: t, form: form, served: served, arm: st.Arm, due: due, urged: c.urged(r, st.Arm, due), name: names.of(o.Unit),
			answered: st.Returned,
		})
	}
	slices.SortFunc(out, func(a, b formed) int {
		x, y := a.record.Obligation, b.record.Obligation
		return cmp.Or(strings.Compare(x.Unit, y.Unit), strings.Compare(x.Plan, y.Plan), cmp.Compare(a.task.Order, b.task.Order),
			strings.Compare(x.Row, y.Row), strings.Compare(x.Instance, y.Instance))
	})
	return out
}

// formOf returns the form about the item in its present arm that was served first, with the day. A form of before the date
// that stands now, such as one whose report was given back with another date, does not say that it passed. The day is: of
// one handed over the day of it; of a mailed one its letter's, which does not lie before its issue; where that did not
// arrive, the day the unit was told by other means.
func (c *quarter) formOf(r task.Record, st task.Status) (form notice.Document, served civil.Date, ok bool) {
	ref := r.Obligation.Ref.String()
	for _, d := range c.Forms {
		if d.State != notice.Issued || d.Date > c.day || d.Date <= max(st.Effective, st.Assess) || !slices.Contains(d.Refs, ref) || !inArm(r, d, st.Arm) {
			continue
		}
		day := d.Served
		if on, arrived := c.Served[d.ID]; day == 0 && arrived {
			day = max(on, d.Date)
		}
		if day == 0 && st.Contacted >= d.Date {
			day = st.Contacted
		}
		if day != 0 && day <= c.day && (!ok || day < served) {
			form, served, ok = d, day, true
		}
	}
	return form, served, ok
}

// urged returns the days of the letters that urged the item in the arm after its date, and were served.
func (c *quarter) urged(r task.Record, arm int, due civil.Date) []civil.Date {
	var days []civil.Date
	for _, f := range r.Steps {
		on, served := c.Served[f.Notice]
		urging := planner.RungOf(&c.set, r.Obligation.Kind, f) == ladder.Urging
		if urging && served && f.Passed == "" && f.Arm == arm && f.On > due && f.Role != BureauRole {
			days = append(days, on)
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// inArm reports whether the form was drafted in the item's present arm.
func inArm(r task.Record, d notice.Document, arm int) bool {
	return d.Matter == notice.MatterOf(r.Obligation.Ref.String(), arm) ||
		slices.ContainsFunc(r.Steps, func(f task.FiredStep) bool { return f.Notice == d.ID && f.Arm == arm })
}

func (c *quarter) reportPaper(s Span, list []formed) notice.Paper {
	o, i := c.issuing(), c.office.issuer
	name := s.Key.Chinese()
	units := map[string]bool{}
	for _, f := range list {
		units[f.record.Obligation.Unit] = true
	}
	draft := c.reproof(s, list, len(units))
	table := c.formedTable(list)
	return notice.Paper{
		Subject: fmt.Sprintf("【%s】截至%s督办后仍%s·%s专报", i.Short, monthDay(c.day), openItems(len(list)), name),
		Mark:    "专报",
		Title:   fmt.Sprintf("关于%s督办事项逾期未办结情况的专报", name),
		Sub:     fmt.Sprintf("%s登记，截至%s", i.Short, c.day.Chinese()), Addressee: o.Name,
		Opening: []string{fmt.Sprintf("截至%s，%s在督办通知单送达%d个工作日以上后仍未办结，也未提出延期申请。现将有关情况报告如下。", monthDay(c.day), extent(len(units), len(list)), formServed)},
		Sections: sections(
			notice.Section{Heading: "逾期未办结事项", Lines: c.formedLines(list)},
			notice.Section{Heading: "有关建议", Paras: []string{"建议由贵办对上述单位予以通报，通报代拟稿附后，请审定。有关单位在通报印发前办结的，我局将及时报告，请在印发时予以核减。"}},
		),
		Sheets: []notice.Sheet{{Name: "未办结事项", Title: "督办后仍未办结事项", Table: table}}, File: name + "督办未办结事项",
		Drafts: []notice.Draft{{File: name + "督办事项通报（代拟稿）", Paper: draft}},
		AsFile: name + "督办事项专报", Contact: i.ContactLine(), Issuer: i.Name, Date: c.day,
	}
}

// formedLines states each item: its date, what was said when, and that nothing came.
func (c *quarter) formedLines(list []formed) []string {
	var out []string
	for _, f := range list {
		number := ""
		if f.form.Number != "" {
			number = "（" + f.form.Number + "）"
		}
		still := "至今未办结、未反馈"
		if f.answered {
			still = "报告退回后至今未办结"
		}
		out = append(out, fmt.Sprintf("%s：%s，时限%s，已超%d个工作日；%s督办通知单%s%s送达，%s。", f.name, f.title(), f.due.Chinese(),
			c.set.Calendar.Count(f.due, c.day), f.told(), number, monthDay(f.served), still))
	}
	return out
}

// told names the days on which the unit was urged.
func (f formed) told() string {
	var days []string
	for _, d := range f.urged {
		days = append(days, monthDay(d))
	}
	if len(days) == 0 {
		return ""
	}
	return strings.Join(days, "、") + "催办，"
}

func (f formed) title() string {
	return named(Item{Record: f.record, Task: f.task})
}

func (c *quarter) formedTable(list []formed) notice.Table {
	t := notice.Table{Columns: []notice.Column{
		{Name: "序号", Width: 6, Numeric: true}, {Name: "责任单位", Width: 26}, {Name: "任务内容", Width: 36}, {Name: "完成时限", Width: 14},
		{Name: "超期工作日", Width: 12, Numeric: true}, {Name: "督办通知单", Width: 20}, {Name: "送达日期", Width: 14}, {Name: "状态", Width: 10},
	}}
	for i, f := range list {
		t.Rows = append(t.Rows, []notice.Cell{
			{N: int64(i + 1)}, {Text: f.name}, {Text: f.title()}, {Text: f.due.Chinese()}, {N: int64(c.set.Calendar.Count(f.due, c.day))},
			{Text: f.form.Number}, {Text: f.served.Chinese()}, {Text: "超期", Tone: notice.Red},
		})
	}
	return t
}

// reproof is the draft of the bulletin, in the name of the office that would issue it.
func (c *quarter) reproof(s Span, list []formed, units int) notice.Paper {
	o := c.issuing()
	name := s.Key.Chinese()
	var lines []string
	for _, f := range list {
		lines = append(lines, fmt.Sprintf("%s：%s，时限%s，已超%d个工作日。", f.name, f.title(), f.due.Chinese(), c.set.Calendar.Count(f.due, c.day)))
	}
	return notice.Paper{
		Mark: "代拟稿", Title: fmt.Sprintf("关于%s督办事项逾期未办结情况的通报", name), Addressee: "各有关单位",
		Opening: []string{fmt.Sprintf("截至%s，%s经督办后仍未办结。现通报如下。", c.day.Chinese(), extent(units, len(list)))},
		Sections: sections(
			notice.Section{Heading: "逾期未办结事项", Lines: lines},
			notice.Section{Heading: "工作要求", Lines: []string{
				"有关单位请在收到本通报后5个工作日内办结，并将办理结果报" + c.office.issuer.Short + "。",
				"确有困难不能办结的，请书面说明原因和拟完成日期。",
			}},
		),
		Issuer: o.Name, Date: c.day,
	}
}

// extent and openItems are the counts of a report, as its texts have them.
func extent(units, items int) string {
	return fmt.Sprintf("%d家单位的%d项次任务", units, items)
}
func openItems(n int) string { return fmt.Sprintf("未办结%d项次", n) }

// Reduce takes out of a report's paper, and of the bulletin drafted with it, what no longer belongs there: the items of
// refs, which are in the order of its lines, that gone says so of. It returns the refs that are left.
func Reduce(p notice.Paper, refs []string, gone func(ref string) bool) (notice.Paper, []string) {
	var left []string
	keep := map[int]bool{}
	before, after := map[string]bool{}, map[string]bool{}
	for i, ref := range refs {
		unit := ref
		if r, err := task.ParseRef(ref); err == nil {
			unit = r.Unit
		}
		before[unit] = true
		if !gone(ref) {
			left, keep[i], after[unit] = append(left, ref), true, true
		}
	}
	words := strings.NewReplacer(extent(len(before), len(refs)), extent(len(after), len(left)), openItems(len(refs)), openItems(len(left)))
	p = reduced(p, len(refs), keep, words)
	p.Drafts = slices.Clone(p.Drafts)
	for i, d := range p.Drafts {
		p.Drafts[i].Paper = reduced(d.Paper, len(refs), keep, words)
	}
	return p, left
}

// reduced is one paper with the lines of its first list and the rows of its sheets that are kept, and other counts.
func reduced(p notice.Paper, items int, keep map[int]bool, words *strings.Replacer) notice.Paper {
	p.Subject = words.Replace(p.Subject)
	p.Opening = slices.Clone(p.Opening)
	for i, text := range p.Opening {
		p.Opening[i] = words.Replace(text)
	}
	p.Sections, p.Sheets = slices.Clone(p.Sections), slices.Clone(p.Sheets)
	if len(p.Sections) > 0 && len(p.Sections[0].Lines) == items {
		p.Sections[0].Lines = kept(p.Sections[0].Lines, keep)
	}
	for i, sheet := range p.Sheets {
		if len(sheet.Rows) != items {
			continue
		}
		sheet.Rows = kept(sheet.Rows, keep)
		for n, row := range sheet.Rows {
			row = slices.Clone(row)
			row[0].N = int64(n + 1)
			sheet.Rows[n] = row
		}
		p.Sheets[i] = sheet
	}
	return p
}

func kept[T any](list []T, keep map[int]bool) []T {
	var out []T
	for i, v := range list {
		if keep[i] {
			out = append(out, v)
		}
	}
	return out
}
