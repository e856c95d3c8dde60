package party

import (
	"slices"
	"strings"

	"duban/jobs/task"
)

// roleWords name a role, in labels and after names. The first that a label holds decides, in this order.
var roleWords = []struct {
	role  task.Role
	words []string
}{
	{task.Lead, []string{"牵头", "主办", "主责", "第一责任", "主要责任", "首要责任"}},
	{task.Support, []string{"配合", "协办", "协助", "协同", "参与", "参加", "支持", "协作", "保障", "会办"}},
	{task.Guide, []string{"指导", "督导", "监督", "督办", "督查"}}, // they see to it that others act
	{task.Responsible, []string{"责任", "承办", "落实", "实施", "负责", "执行", "完成"}},
}

// labelRole reads a label. ok is false where the text is no label at all; an empty role with ok set is a label whose
// value holds no units.
func labelRole(s string) (role task.Role, ok bool) {
	if len([]rune(s)) > 16 {
		return "", false
	}
	core := outside(s)
	if endsIn(core, "领导", "责任人", "负责人", "联系人", "电话", "时限", "时间", "节点", "期限", "科室", "处室", "人员", "成果", "形式", "备注",
		"进度", "要求", "目标", "措施", "任务", "内容", "责任领导", "方式", "依据") {
		return "", true
	}
	if !labelNoun(core) {
		return "", false
	}
	var found []task.Role
	for _, rw := range roleWords {
		if slices.ContainsFunc(rw.words, func(w string) bool { return strings.Contains(s, w) }) {
			found = append(found, rw.role)
		}
	}
	switch {
	case len(found) == 0:
		return "", false
	case len(found) == 1:
		return found[0], true
	case len(found) == 2 && found[1] == task.Responsible && !strings.ContainsAny(s, "和及、与/("): // 牵头责任单位, 配合责任单位
		return found[0], true
	}
	return "", false
}

// labelNoun reports that the text ends as a label of units does.
func labelNoun(s string) bool {
	core := outside(s)
	if endsIn(core, "单位", "部门", "主体") {
		for _, p := range []string{"各", "有关", "相关"} {
			if strings.HasPrefix(core, p) {
				return false
			}
		}
		return true
	}
	return slices.Contains([]string{"牵头", "责任", "配合", "协办", "主办", "参与", "指导", "负责", "承办", "协助", "参加"}, core)
}

// label takes a label off the front of a piece: with a colon, or a noun that only labels have (牵头单位为…).
func (p *parser) takeLabel(t text) (rest text, done bool) {
	for {
		i := t.index(':')
		if i < 0 {
			break
		}
		role, ok := labelRole(string(t.f[:i]))
		if !ok {
			p.fail("「" + t.sub(0, i+1).written() + "」不是能识别的标签")
			return t, true
		}
		p.hardBreak()
		p.label, p.skip, p.labels = role, role == "", p.labels+1
		if p.skip {
			p.remark("「" + t.sub(0, i).written() + "」不是单位，未读取")
		}
		t = t.cut(i + 1)
	}
	if p.skip {
		return t, true
	}
	for _, rw := range roleWords {
		for _, w := range rw.words {
			for _, noun := range []string{"单位", "部门"} {
				rest, ok := strings.CutPrefix(string(t.f), w+noun)
				if !ok || rest == "" {
					continue
				}
				n := len([]rune(w + noun))
				if strings.HasPrefix(rest, "为") || strings.HasPrefix(rest, "是") {
					n++
				} else if !ownPrefix(rest) {
					continue
				}
				p.hardBreak()
				p.label, p.labels = rw.role, p.labels+1
				return t.cut(n), false
			}
		}
	}
	return t, false
}

// byDuty are the words for "each as its duties say": a preposition, a possessive and one of these.
var byDuty = []string{"职责分工", "职能分工", "任务分工", "职能职责", "职责职能", "职责权限", "职责范围内", "职责范围", "职责", "职能", "分工", "权限"}

// tailRoles are the words that may stand after names. Responsible stands for a weak word: it says no more than that
// the units act.
var tailRoles = []struct {
	role  task.Role
	words []string
}{
	{task.Lead, []string{"牵头单位", "牵头部门", "主责单位", "牵头", "主办"}},
	{task.Support, []string{"配合单位", "配合部门", "参与单位", "协办单位", "配合", "协助", "协办", "参与", "参加", "协同", "支持", "协作", "会办"}},
	{task.Guide, []string{"业务指导", "督促指导", "监督指导", "工作指导", "指导监督", "指导督促", "指导下", "指导", "督导"}},
	{task.Responsible, []string{"为责任单位", "为承办单位", "负责", "落实", "实施", "承办", "承担", "执行", "推进", "完成", "办理"}},
}

// asides go with a role word and say nothing about the role by themselves.
var asides = []string{"分别", "共同", "具体", "组织", "各自", "主要", "积极", "密切", "做好", "抓好", "抓总", "结合实际", "总", "双", "全力", "认真", "分工", "协调", "依法",
	"联合", "给予", "予以", "统一", "共", "为", "内"}

// lastTail finds the role word at the end of a folded piece. An empty role is an aside.
func lastTail(s string) (rest string, role task.Role, ok bool) {
	for _, what := range byDuty {
		if before, cut := strings.CutSuffix(s, what); cut {
			for _, own := range []string{"各自", "自身", "工作", "各自工作", ""} {
				if b, cut := strings.CutSuffix(before, own); cut {
					for _, by := range []string{"按照", "依照", "根据", "依据", "结合", "按", "依", "在"} {
						if name, cut := strings.CutSuffix(b, by); cut {
							return name, task.Responsible, true
						}
					}
				}
			}
		}
	}
	for _, t := range tailRoles {
		for _, w := range t.words {
			if before, cut := strings.CutSuffix(s, w); cut {
				return before, t.role, true
			}
		}
	}
	for _, w := range asides {
		if before, cut := strings.CutSuffix(s, w); cut {
			return before, "", true
		}
	}
	return s, "", false
}

// stripTail takes the role words off the end of a folded piece and returns what is left. The role is empty for weak
// words. marked is false where the words contradict each other, or there are none but asides.
func stripTail(s string) (name string, role task.Role, marked bool) {
	for !readsAsName(s) {
		rest, r, ok := lastTail(s)
		if !ok || rest == "" {
			break
		}
		s = rest
		switch {
		case r == "":
			continue
		case r == task.Responsible:
		case role != "" && role != r:
			return s, "", false
		default:
			role = r
		}
		marked = true
	}
	return s, role, marked
}
