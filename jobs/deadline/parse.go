package deadline

import (
	"strings"

	"duban/jobs/civil"
)

// Parse reads a deadline cell. issued is the plan's issue date, from which a missing year is taken; zero means
// unknown. It never panics. A text it does not account for to the last character is refused with a reason.
func Parse(text string, issued civil.Date) Reading {
	s, why := normalise(text)
	if why == "" && len(s) == 0 {
		why = "未写时限"
	}
	if why == "" && strings.Trim(string(s), "-/.、,;。()无") == "" {
		why = "未写时限"
	}
	if why == "" {
		s = namedYears(trimLabel(s), issued)
		why = hedge(string(s))
	}
	if why == "" && citesDocument(text) {
		why = "含文号或文件名，不是完成时限"
	}
	if why != "" {
		return refused(text, why)
	}
	if p, ok := clipped(s); ok {
		return p.reading(text)
	}
	items, why := itemise(s)
	if why != "" {
		return refused(text, why)
	}
	a := &assembly{items: nounTimes(items), issued: issued, mark: "，"}
	if why := a.run(); why != "" {
		return refused(text, why)
	}
	return a.reading(text)
}

// refused is the reading of a text that a person has to clarify.
func refused(text, why string) Reading {
	return Reading{
		Text: text, Reason: why,
		Milestones: []Milestone{}, Alternatives: []civil.Date{}, Recurrences: []Recurrence{},
	}
}

// trimLabel takes a heading such as 完成时限： off the front, and the full stop off the end.
func trimLabel(s []rune) []rune {
	t := []rune(strings.Trim(string(s), ",;。、"))
	const parts = "整改 完成 计划 目标 推进 落实 任务 工作 责任 要求 办理 办结 销号 截止 预期 预计 最终 总体 报送 上报 反馈 进度 安排 时限 时间 节点 期限 日期"
	i := 0
	if len(t) > 0 && t[0] == '(' {
		i = 1
	}
	first := i
	if strings.ContainsAny(string(t), "-至到") {
		i += startsWith(t, i, "起止") // of a range only
	}
	for n := startsWith(t, i, parts); n > 0; n = startsWith(t, i, parts) {
		i += n
	}
	if i < len(t) && t[i] == ':' && endsWith(t[first:i], "时限 时间 节点 期限 日期 要求 进度 安排") > 0 {
		return t[i+1:]
	}
	return t
}

// citesDocument reports whether the text holds a document number, 〔2024〕14号, or a document's title with a number
// in it: the dates of a title are not deadlines.
func citesDocument(text string) bool {
	if _, rest, ok := strings.Cut(text, "〔"); ok {
		if n := strings.Index(rest, "〕"); n > 0 && n <= 4 && strings.Contains(rest, "号") {
			return true
		}
	}
	return strings.Contains(text, "《") && strings.ContainsAny(text, "0123456789０１２３４５６７８９〇")
}

// twin is the cell 2024.1, which a spreadsheet may have made out of 2024.10.
type twin struct{ january, october civil.Date }

func clipped(s []rune) (twin, bool) {
	y, e, ok := number(s, 0)
	if !ok || e != 4 || y < 2000 || y > 2099 || string(s[e:]) != ".1" {
		return twin{}, false
	}
	return twin{civil.MonthEnd(y, 1), civil.MonthEnd(y, 10)}, true
}

func (w twin) reading(text string) Reading {
	r := refused(text, "「.1」可能是1月，也可能是表格丢了末尾0的10月")
	r.Understood, r.Ambiguous = true, true
	r.Milestones = append(r.Milestones, Milestone{Due: w.january})
	r.Alternatives = append(r.Alternatives, w.october)
	return r
}
