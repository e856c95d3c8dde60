package deadline

import (
	"fmt"
	"strings"

	"duban/jobs/civil"
)

// issue is the issue date of the tables unless they say otherwise: a Wednesday before the end of the first half.
var issue = civil.MustParse("2024-06-05")

// brief writes a reading in one line, everything that a letter would rest on:
//
//	2024-12-31 stage 取得阶段性成效; standing
//	month 10 25 → 2024-06-10; at least 2 per month
//	on 机构改革完成 + 6 month
//	ambiguous 2024-05-31 or 2024-06-30
//	refused
func brief(r Reading) string {
	if !r.Understood {
		return "refused"
	}
	var parts []string
	add := func(format string, a ...any) { parts = append(parts, strings.TrimSpace(fmt.Sprintf(format, a...))) }
	if r.Soft != "" {
		add("soft %s", r.Soft)
	}
	for _, m := range r.Milestones {
		add("%s", strings.Join(strings.Fields(fmt.Sprint(m.Due, " ", m.Label, " ", m.Text)), " "))
	}
	for _, c := range r.Recurrences {
		s := fmt.Sprintf("%s %s", c.Every, strings.Join(c.Dates, " "))
		if c.From > 0 {
			s += " from " + c.From.String()
		}
		if c.Until > 0 {
			s += " until " + c.Until.String()
		}
		if c.Next > 0 {
			s += " → " + c.Next.String()
		}
		add("%s", s)
	}
	if q := r.Quota; q != nil {
		if q.Per != nil {
			add("at least %d per %s", q.Min, *q.Per)
		} else {
			add("at least %d", q.Min)
		}
	}
	if c := r.Condition; c != nil {
		switch {
		case c.Offset == nil:
			add("on %s", c.Event)
		case c.Offset.Dir == "before":
			add("on %s - %d %s", c.Event, c.Offset.N, c.Offset.Unit)
		default:
			add("on %s + %d %s", c.Event, c.Offset.N, c.Offset.Unit)
		}
	}
	if r.Standing {
		add("standing")
	}
	s := strings.Join(parts, "; ")
	if r.Ambiguous {
		s = "ambiguous " + s
	}
	for _, d := range r.Alternatives {
		s += " or " + d.String()
	}
	return s
}
