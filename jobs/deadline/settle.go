package deadline

import (
	"slices"
	"strings"

	"duban/jobs/civil"
)

// settle refuses what does not fit together once all items are read.
func (a *assembly) settle() string {
	n := len(a.miles) + len(a.cycles)
	switch {
	case a.on == aStart && !a.standing:
		return "只有起始时间，没有完成时间"
	case a.cond != nil && n > 0:
		return "既写条件又写日期，关系不明"
	case a.quota != nil && a.quota.Per == nil && len(a.miles) != 1:
		return "写了次数，没有写时间"
	case a.units && n > 1:
		return "不同单位时限不同，请分行登记"
	case len(a.miles) > 1 && len(a.soft) > 0 && a.deadlineInReserve():
		return "先后写了两个期限，不知以哪个为准"
	case n == 0 && a.cond == nil && !a.standing:
		return "没有写明时间"
	case n == 0 && (a.count != nil || a.lead != "" && a.cond != nil):
		return "没有读懂"
	}
	for i, t := range a.texts {
		if unclearRoutine(a.cycles[i], t, a.count != nil) || containsAny(t, "不少于 不低于 至少 最少") != "" && a.quota == nil {
			return notRead(t)
		}
	}
	for i, m := range a.miles {
		switch {
		case n > 1 && namesUnits(m.text):
			return "不同单位时限不同，请分行登记"
		case len(a.cycles) > 0 && m.text == "" && (m.late || len(a.miles) > 1):
			return "既有周期又有日期，关系不明"
		case len(a.cycles) > 0 && m.text == "" && a.from == 0:
			a.reasons = append(a.reasons, "先写日期后写周期，没有说明周期到何时为止")
		case i > 0 && m.dates[0] == a.miles[i-1].dates[0] && (m.text == "" || m.text == a.miles[i-1].text):
			return "同一日期写了两次"
		}
	}
	for _, t := range a.texts {
		if n > 1 && namesUnits(t) {
			return "不同单位时限不同，请分行登记"
		}
	}
	return ""
}

// unclearRoutine reports whether the words of a cycle name a system (通报制度), or, where no date and no number of
// times is told, anything but an action: 每年安全生产月 is not due at the year's end.
func unclearRoutine(c cycle, t string, times bool) bool {
	if endsWith([]rune(t), "制度 机制") > 0 {
		return true
	}
	return !c.dated && t != "" && (containsAny(t, campaigns) != "" || !times && !c.rhythm && containsAny(t, routines) == "")
}

// deadlineInReserve reports whether a later date is named for the case that a softened one is missed.
func (a *assembly) deadlineInReserve() bool {
	for _, it := range a.items {
		if it.kind == kText && containsAny(it.raw, "最迟 最晚 至迟 确保 务必 不迟于 不晚于 保证") != "" {
			return true
		}
	}
	return false
}

// reading puts the result into the contract's form.
func (a *assembly) reading(text string) Reading {
	r := refused(text, "")
	r.Understood, r.Standing, r.Condition, r.Quota, r.Trace = true, a.standing, a.cond, a.quota, a.trace
	r.Soft = strings.Join(a.soft, "、")
	staged := false
	for _, m := range a.miles {
		out := Milestone{Due: m.dates[0], Text: closed(m.text)}
		switch {
		case strings.Contains(m.text, "阶段性") || strings.Contains(m.text, "阶段成"):
			out.Label, staged = Stage, true
		case staged && strings.Contains(m.text, "完成"):
			out.Label = Final
		}
		r.Milestones = append(r.Milestones, out)
		r.Alternatives = append(r.Alternatives, m.dates[1:]...)
	}
	a.unclearPair(&r)
	a.oneDuty()
	for _, c := range a.cycles {
		rec := c.recurrence(a.issued)
		r.Recurrences = append(r.Recurrences, rec)
		if len(c.later) == 0 {
			continue
		}
		for _, date := range c.later {
			other := Recurrence{Every: c.every, Dates: []string{date}}
			if d := other.FirstFrom(a.issued); d > 0 {
				r.Alternatives = append(r.Alternatives, d)
			}
		}
		a.reasons = append(a.reasons, "「前」可能不含当月，也可能到月底")
	}
	if len(r.Recurrences) > 0 {
		first := r.Recurrences[0]
		r.Recurrence = &first
	}
	slices.Sort(r.Alternatives)
	r.Alternatives = slices.Compact(r.Alternatives)
	if len(a.reasons) > 0 {
		r.Ambiguous, r.Reason = true, strings.Join(a.reasons, "；")
	}
	return r
}

// oneDuty joins a bare date with the bare rhythm beside it: 每月25日前，每月报送一次 is one report a month, not two.
func (a *assembly) oneDuty() {
	for i := 1; i < len(a.cycles); i++ {
		dated, bare := i-1, i
		if !a.cycles[dated].dated {
			dated, bare = i, i-1
		}
		d, b := a.cycles[dated], a.cycles[bare]
		if d.dated && !b.dated && !b.whole && d.every == b.every && d.from == b.from && d.until == b.until && a.texts[dated] == "" {
			a.cycles, a.texts = slices.Delete(a.cycles, bare, bare+1), slices.Delete(a.texts, bare, bare+1)
			i--
		}
	}
}

// closed adds the bracket that the text of a clause has lost to the next.
func closed(t string) string {
	if strings.Count(t, "（") > strings.Count(t, "）") {
		return t + "）"
	}
	return t
}

// unclearPair marks several dates of which the text does not say what is due on each.
func (a *assembly) unclearPair(r *Reading) {
	if len(a.miles) < 2 {
		return
	}
	for _, m := range a.miles {
		last := a.miles[len(a.miles)-1].text
		if m.text != "" || m.span && last != "" {
			continue
		}
		if a.explicit && (startsWith([]rune(last), 0, "各 分别") > 0 || m.pair && startsWith([]rune(last), 0, "报送 上报 提交 报告 召开 通报") > 0) {
			continue
		}
		for _, later := range r.Milestones[1:] {
			r.Alternatives = append(r.Alternatives, later.Due)
		}
		a.reasons = append(a.reasons, "写了几个日期，没有说明各完成什么")
		return
	}
}

// LaterThan returns the date by which the other reading of an ambiguous recurrence falls, for a due date of the
// reading kept in Recurrences: 31 October for 30 September where the text is 每年10月前. It returns due itself where
// the reading is not ambiguous.
func (r Reading) LaterThan(due civil.Date) civil.Date {
	if !r.Ambiguous || len(r.Recurrences) == 0 || due <= 0 {
		return due
	}
	best := due
	for _, alt := range r.Alternatives {
		_, m, d := alt.YMD()
		same := Recurrence{Every: Year, Dates: []string{md(int(m), d)}}
		if next := same.FirstFrom(due + 1); next > 0 && (best == due || next < best) {
			best = next
		}
	}
	return best
}
