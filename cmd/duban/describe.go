package main

import (
	"fmt"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/deadline"
)

// describe puts a reading into one line of Chinese, as an official would check it.
func describe(r deadline.Reading) string {
	if !r.Understood {
		return "时限待核定：" + r.Reason
	}
	var parts []string
	for _, m := range r.Milestones {
		parts = append(parts, m.Due.String()+map[string]string{deadline.Stage: "（阶段性成果）", deadline.Final: "（完成）"}[m.Label])
	}
	for _, rec := range r.Recurrences {
		parts = append(parts, describeRecurrence(rec))
	}
	if q := r.Quota; q != nil {
		per := ""
		if q.Per != nil {
			per = everyWord(*q.Per)
		}
		parts = append(parts, fmt.Sprintf("%s不少于%d次", per, q.Min))
	}
	if r.Condition != nil {
		parts = append(parts, "条件未具备："+describeCondition(*r.Condition))
	}
	if r.Standing {
		parts = append(parts, "长期坚持")
	}
	s := strings.Join(parts, "；")
	if r.Soft != "" {
		s += "（" + r.Soft + "）"
	}
	if r.Ambiguous {
		s += "；有两种读法" + orNot("，另一种为", joinDates(r.Alternatives)) + orNot("：", r.Reason)
	}
	return s
}

// orNot is the text behind its lead, or nothing where there is no text.
func orNot(lead, text string) string {
	if text == "" {
		return ""
	}
	return lead + text
}

func joinDates(ds []civil.Date) string {
	out := make([]string, 0, len(ds))
	for _, d := range ds {
		out = append(out, d.String())
	}
	return strings.Join(out, "、")
}

func everyWord(e deadline.Every) string {
	return map[deadline.Every]string{
		deadline.Week: "每周", deadline.Month: "每月", deadline.Quarter: "每季度", deadline.Half: "每半年", deadline.Year: "每年",
	}[e]
}

func describeRecurrence(rec deadline.Recurrence) string {
	dates := make([]string, 0, len(rec.Dates))
	for _, d := range rec.Dates {
		dates = append(dates, describeDay(rec.Every, d))
	}
	s := everyWord(rec.Every) + strings.Join(dates, "、")
	var notes []string
	if rec.From != 0 {
		notes = append(notes, rec.From.String()+"起")
	}
	if rec.Until != 0 {
		notes = append(notes, "至"+rec.Until.String())
	}
	if rec.Next != 0 {
		notes = append(notes, "首次"+rec.Next.String())
	}
	if len(notes) > 0 {
		s += "（" + strings.Join(notes, "，") + "）"
	}
	return s
}

// describeDay puts one date of a recurrence into words: a weekday, a day of the month, of the quarter or of the year.
func describeDay(every deadline.Every, d string) string {
	if d == "end" {
		return map[deadline.Every]string{
			deadline.Week: "末", deadline.Month: "末日", deadline.Quarter: "末", deadline.Half: "末", deadline.Year: "底",
		}[every]
	}
	if every == deadline.Week {
		return map[string]string{
			"Monday": "一", "Tuesday": "二", "Wednesday": "三", "Thursday": "四", "Friday": "五", "Saturday": "六", "Sunday": "日",
		}[d]
	}
	month, day, dated := strings.Cut(d, "-")
	switch {
	case !dated:
		return d + "日"
	case every == deadline.Quarter:
		return map[string]string{"01": "首月", "02": "次月", "03": "末月"}[month] + dayWord(day)
	}
	return strings.TrimPrefix(month, "0") + "月" + dayWord(day)
}

func dayWord(day string) string {
	if day == "end" {
		return "末日"
	}
	return strings.TrimPrefix(day, "0") + "日"
}

func describeCondition(c deadline.Condition) string {
	o := c.Offset
	if o == nil {
		return c.Event
	}
	unit := map[string]string{"hour": "小时", "day": "日", "workday": "个工作日", "month": "个月", "year": "年"}[o.Unit]
	if o.Dir == "before" {
		return fmt.Sprintf("%s前%d%s", c.Event, o.N, unit)
	}
	return fmt.Sprintf("%s后%d%s内", c.Event, o.N, unit)
}
