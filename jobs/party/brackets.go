package party

import (
	"slices"
	"strings"

	"duban/jobs/task"
)

// openingOf returns the index of the bracket that the last rune closes, or -1.
func openingOf(t text) int {
	depth := 0
	for i := t.len() - 1; i >= 0; i-- {
		switch t.f[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// keepsBracket reports a bracket that is part of the name: 各镇（街道）, 市城管局（综合执法局）. A section of the unit is not.
func keepsBracket(whole, inner string) bool {
	if endsIn(inner, "科", "股", "处", "室", "牵头", "配合", "单位") && !endsIn(inner, "办事处", "办公室", "管理处") || strings.Contains(inner, ":") {
		return endsIn(inner, "单位") && !strings.ContainsAny(inner, ":") && endsIn(outside(whole), "部门")
	}
	name, _, marked := stripTail(inner)
	if marked || isTime(inner) || name == "" {
		return false
	}
	if isGroup(outside(whole)) && kindWord(inner) || inner == "公司" {
		return true
	}
	for _, part := range strings.FieldsFunc(inner, func(r rune) bool { return r == '、' || r == ',' || r == '/' }) {
		if !readsAsName(part) && !areaWord(part) {
			return false
		}
	}
	return readsAsName(whole) && !strings.ContainsAny(inner, "、,") || isGroup(outside(whole)) && shortParts(inner)
}

// kindWord reports a bracket behind a group that widens it by another kind: 各学校（幼儿园）, 各级党委（党组）.
func kindWord(inner string) bool {
	for _, w := range prose {
		if strings.Contains(inner, w) {
			return false
		}
	}
	_, role, other := bracketRole(inner)
	return len([]rune(inner)) <= 4 && !role && !other && cleanName(inner) && !strings.ContainsAny(inner, "0123456789如若必须需除等略")
}

// shortParts reports a bracket that lists kinds of areas, not units: 各县（市、区）.
func shortParts(inner string) bool {
	for _, part := range strings.FieldsFunc(inner, func(r rune) bool { return r == '、' || r == ',' || r == '/' }) {
		if len([]rune(part)) > 3 && !isGroup(part) {
			return false
		}
	}
	return true
}

// bracket reads what stands in a bracket behind a name (of nil: on its own): a role, a section, a time, more units.
func (p *parser) bracket(t text, of *text) {
	s := t.String()
	if role, all, ok := bracketRole(s); ok {
		p.mark(t, role, all)
		return
	}
	switch {
	case strings.Contains(s, "牵头") && (strings.Contains(s, "第一") || strings.Contains(s, "首位") || strings.Contains(s, "排在前")):
		p.firstLeads = true
	case isTime(s):
		p.remark("时限「" + t.written() + "」未读取")
	case of != nil && endsIn(s, "科", "股", "处", "室", "科室") && len([]rune(s)) > 1 && !strings.ContainsAny(s, ":、,;"):
		p.remark("内设机构「" + t.written() + "」未读取")
	case strings.Contains(s, ":") || of == nil || hasTail(s):
		label := p.label
		p.readAll(t)
		p.label = label
	default:
		p.fail("括号里的「" + t.written() + "」读不出来")
	}
}

// mark gives the role of a bracket to the name before it or, where the bracket says so, to all names of its clause.
func (p *parser) mark(t text, role task.Role, all bool) {
	last := len(p.items) - 1
	if last < 0 {
		p.fail("「" + t.written() + "」前面没有单位")
		return
	}
	if role == "" {
		return
	}
	from := max(p.from, p.comma, p.line)
	bare := last > from && p.items[last-1].role == ""
	if bare && (role == task.Support || role == task.Guide) {
		p.fail("「（" + t.written() + "）」管到哪几个单位，写法不明")
		return
	}
	for i := from; all && i < last; i++ {
		if p.items[i].role == "" {
			p.items[i].role = role
		}
	}
	p.items[last].role = role
	p.led = p.led || role == task.Lead
}

// bracketRole reads a bracket that only says the role of the name before it; a weak one gives an empty role. all is set
// where it speaks of several names: （共同牵头）, （均为牵头单位）.
func bracketRole(s string) (role task.Role, all, ok bool) {
	if slices.Contains([]string{"按职责分工", "按职责分工负责", "分工负责", "按职责", "按职责负责"}, s) {
		return "", false, true
	}
	for _, w := range []string{"共同", "联合", "双", "均为"} {
		if rest, cut := strings.CutPrefix(s, w); cut {
			s, all = rest, true
			break
		}
	}
	for _, rw := range roleWords {
		for _, w := range rw.words {
			for _, end := range []string{"", "单位", "部门", "负责"} {
				if s == w+end {
					return rw.role, all, true
				}
			}
		}
	}
	return "", false, s == "" || s == "负责"
}

func hasTail(s string) bool { _, _, ok := stripTail(s); return ok }

// labelledBrackets returns the contents of the brackets that begin with a label of units.
func labelledBrackets(t text) []text {
	var out []text
	for i := 0; i < t.len(); i++ {
		if t.f[i] != '(' {
			continue
		}
		end := t.closing(i)
		if end < 0 {
			end = t.len()
		}
		in := t.sub(i+1, end)
		if c := in.index(':'); c > 0 {
			if role, ok := labelRole(string(in.f[:c])); ok && role != "" {
				out = append(out, in)
				i = end
			}
		}
	}
	return out
}
