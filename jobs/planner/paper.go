package planner

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// FormPaper lays out a 督办通知单 that is dated day and carries the number, which is empty on a draft: one matter, what it
// rests on, what the unit was told and when, what is asked and until when; the lower half is the unit's answer.
func FormPaper(f FormFacts, day civil.Date, number string) notice.Paper {
	us := f.Unit.Honorific
	word := cmp.Or(f.Issuer.Word, "督办通知单")
	name := cmp.Or(f.Unit.FullName, f.Unit.Name)
	rows := []notice.FormRow{
		{Label: "编号", Text: number},
		{Label: "督办事项", Text: matterName(f)},
		{Label: "督办依据", Text: basis(f, day)},
		{Label: "责任单位", Text: name + roleWord(f.Role)},
	}
	if f.Leads != "" {
		rows = append(rows, notice.FormRow{Label: "牵头单位", Text: oneLine(f.Leads)})
	}
	if f.Support != "" {
		rows = append(rows, notice.FormRow{Label: "配合单位", Text: oneLine(f.Support)})
	}
	rows = append(rows,
		notice.FormRow{Label: "前期告知", Text: toldBefore(f, day)},
		notice.FormRow{Label: "督办要求", Text: demand(f, day, us), Tall: true},
		notice.FormRow{Label: "办理时限", Text: dayAnd(f.Reply, 0) + "前反馈"},
		notice.FormRow{Label: "反馈方式", Text: "填写本单“办理情况反馈”，由负责人签字并加盖公章，随" + materials(f) + "报" + cmp.Or(f.SendTo, f.Bureau) + "；可先发电子版，纸质件后补。"},
		notice.FormRow{Label: "联系人", Text: f.Issuer.Reach()},
		notice.FormRow{Label: "签收", Text: "签收人：　　　　　　签收时间：　　年　　月　　日"},
		notice.FormRow{Label: "办理情况反馈（由" + name + "填写）", Heading: true},
		notice.FormRow{Label: "办理情况", Tall: true},
		notice.FormRow{Label: "未按期完成的原因及拟完成日期", Tall: true},
		notice.FormRow{Label: "负责人意见", Text: "签字：　　　　　　（单位盖章）　　年　　月　　日", Tall: true},
	)
	return notice.Paper{
		Subject: fmt.Sprintf("【%s】%s前请反馈督办事项1项（%s）·%s·%s", f.Issuer.Short, dayIn(f.Reply, day), lateWords(f), word, f.Unit.Name),
		Number:  number, Title: word, Addressee: name, Form: rows, AsFile: word + "（" + f.Unit.Name + "，" + rowName(f.Row) + "）",
		Contact: f.Issuer.Reach(), Issuer: f.Issuer.Name, Date: day,
	}
}

// matterName is 第17项“突出问题清单”（2024年6月）.
func matterName(f FormFacts) string {
	s := rowName(f.Row) + "“" + oneLine(f.Title) + "”"
	var which []string
	if f.Period != "" {
		which = append(which, f.Period)
	}
	switch f.Label {
	case "stage":
		which = append(which, "阶段性成果")
	case "final":
		which = append(which, "全部完成")
	}
	if len(which) > 0 {
		s += "（" + strings.Join(which, "，") + "）"
	}
	return s
}

func rowName(row string) string {
	if strings.HasPrefix(row, "第") {
		return row
	}
	return "第" + row + "项"
}

// basis names the plan, the row and what its ledger says of the date.
func basis(f FormFacts, day civil.Date) string {
	title := strings.TrimSuffix(strings.TrimPrefix(f.Plan.Title, "《"), "》")
	s := "《" + title + "》"
	if f.Plan.DocNumber != "" {
		s += "（" + f.Plan.DocNumber + "）"
	}
	s += rowName(f.Row)
	if f.DeadlineText != "" {
		s += "，完成时限原文“" + oneLine(f.DeadlineText) + "”"
	}
	s += "，时限" + dayIn(f.Due, day)
	switch moved := f.Nominal != 0 && f.Nominal != f.Due; {
	case f.Extended && moved:
		s += "（经同意由" + dayIn(f.Nominal, day) + "延期）"
	case f.Extended:
		s += "（经同意延期）"
	case f.Returned:
		s += "（退回后重新报送的时限）"
	}
	if f.Soft != "" {
		s += "，原文注明“" + f.Soft + "”"
	}
	return s + "。"
}

// toldBefore names the day of every earlier letter that was served, and the last word by other means.
func toldBefore(f FormFacts, day civil.Date) string {
	var parts []string
	if s := daysIn(f.Reminded, day); s != "" {
		parts = append(parts, s+"已提醒")
	}
	if s := daysIn(f.Urged, day); s != "" {
		parts = append(parts, s+"已催办")
	}
	if len(parts) > 0 {
		parts[len(parts)-1] += "（已送达）"
	}
	if f.Contacted != 0 {
		parts = append(parts, dayIn(f.Contacted, day)+"已通过其他方式告知")
	}
	return strings.Join(parts, "；") + "。"
}

// demand is the one request, with the ways out of it.
func demand(f FormFacts, day civil.Date, us string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "按%s登记，截至%s，该事项%s，尚未收到%s报送的%s。", f.Bureau, dayIn(day, day), lateWords(f), us, materials(f))
	fmt.Fprintf(&b, "请%s抓紧办理，于%s前报送%s，并书面反馈办理情况。", us, dayIn(f.Reply, day), materials(f))
	if f.Evidence != "" {
		b.WriteString("佐证材料：" + joinedList(f.Evidence) + "。")
	}
	b.WriteString("已通过其他渠道报送的，请告知报送时间和方式，即予更正；确实不能按期完成的，请说明原因和拟完成日期；认为不属于" + us + "职责的，请一并说明理由。")
	return b.String()
}

func lateWords(f FormFacts) string {
	if f.Late <= 0 {
		return "已过时限"
	}
	return fmt.Sprintf("已超期%d个工作日", f.Late)
}

func materials(f FormFacts) string {
	if f.Deliverable == "" {
		return "办理结果"
	}
	return joinedList(f.Deliverable)
}

// joinedList joins what a cell lists by semicolons, which would end a clause, by 、.
func joinedList(s string) string {
	s = strings.TrimRight(oneLine(s), "；;。 ")
	return strings.NewReplacer("；", "、", "; ", "、", ";", "、").Replace(s)
}

// oneLine is a cell of the ledger on one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func roleWord(r task.Role) string {
	switch r {
	case task.Lead:
		return "（牵头单位）"
	case task.Responsible:
		return "（责任单位）"
	case task.Support:
		return "（配合单位）"
	}
	return ""
}

// dayIn is 6月5日, with the year where it is another than the paper's.
func dayIn(d, paper civil.Date) string {
	if d == 0 {
		return ""
	}
	if y, m, day := d.YMD(); paper != 0 && y == paper.Year() {
		return fmt.Sprintf("%d月%d日", int(m), day)
	}
	return d.Chinese()
}

func daysIn(ds []civil.Date, paper civil.Date) string {
	out := make([]string, 0, len(ds))
	for _, d := range ds {
		out = append(out, dayIn(d, paper))
	}
	return strings.Join(out, "、")
}

// dayAnd is 2024年7月19日（星期五）.
func dayAnd(d, paper civil.Date) string {
	week := map[time.Weekday]string{
		time.Sunday: "日", time.Monday: "一", time.Tuesday: "二", time.Wednesday: "三", time.Thursday: "四", time.Friday: "五", time.Saturday: "六",
	}
	return dayIn(d, paper) + "（星期" + week[d.Weekday()] + "）"
}
