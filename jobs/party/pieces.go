package party

import (
	"cmp"
	"slices"
	"strings"

	"duban/jobs/task"
)

// piece is a run between two separators. sep is the one before it: '、' inside a list, 'c' a conjunction, ',' and '\n'
// between clauses, ';' and '。' between sentences.
type piece struct {
	text
	sep rune
}

// split cuts the text at separators outside brackets, and at conjunctions that stand between two names.
func split(t text) []piece {
	var out []piece
	sep, from, depth := ';', 0, 0
	emit := func(to int, next rune) {
		if to > from {
			out = append(out, conjunctions(piece{t.sub(from, to), sep})...)
		}
		if to > from || strength(next) > strength(sep) {
			sep = next
		}
		from = to + 1
	}
	for i, r := range t.f {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(0, depth-1)
		case depth == 0 && strings.ContainsRune("、,;。|/\n", r) && !(r == '、' && inEnumeration(t, from, i)):
			if r == '/' {
				r = '、'
			}
			emit(i, r)
		}
	}
	emit(t.len(), ';')
	return out
}

// strength orders separators: of several in a row the strongest counts.
func strength(sep rune) int {
	switch sep {
	case ';', '。', '|':
		return 3
	case ',', '\n':
		return 2
	}
	return 1
}

// inEnumeration reports a 、 that belongs to the name: 各县、区, 各委、办、局, 1、.
func inEnumeration(t text, from, at int) bool {
	left := t.sub(from, at).core()
	right := firstPiece(t.f[at+1:])
	for i, r := range right { // 各县、区人民政府和市直部门
		if i > 0 && strings.ContainsRune("和及与", r) {
			right = right[:i]
			break
		}
	}
	right, _, _ = stripTail(right)
	right = outside(right)
	if numbered(string(t.f[from:at+1])) == at+1-from {
		return true
	}
	if at > from && t.f[at-1] == ')' { // 各县（区）、市直各部门: the bracket has said all kinds of areas
		return false
	}
	if levels(left, string(t.f[at+1:])) {
		return true
	}
	return isGroup(left) && carriesOn(strings.SplitN(left, "、", 2)[0], right)
}

// conjunctions cuts a piece at 和, 与, 及, 以及 where both sides are names; elsewhere the word belongs to a name, as in
// 文化和旅游局.
func conjunctions(pc piece) []piece {
	if pc.len() > 200 { // no name is that long
		return []piece{pc}
	}
	depth := 0
	for i := 1; i < pc.len(); i++ {
		switch pc.f[i] {
		case '(':
			depth++
		case ')':
			depth = max(0, depth-1)
		}
		if depth > 0 {
			continue
		}
		n := conjunction(pc.f[i:])
		if n == 0 || i+n >= pc.len() || pc.f[i] == '和' && pc.f[i+1] == '县' && pc.f[i-1] == '市' {
			continue
		}
		if !endsName(string(pc.f[:i])) || !leadsName(string(pc.f[i+n:])) && n == 1 {
			continue
		}
		return append([]piece{{pc.sub(0, i), pc.sep}}, conjunctions(piece{pc.cut(i + n), 'c'})...)
	}
	return []piece{pc}
}

// endsName reports that the text is a name with or without role words and 等部门.
func endsName(s string) bool {
	name, _, _ := stripTail(s)
	if head, _, etc := cutEtc(fold(name)); etc {
		name = head.String()
	}
	return readsAsName(name)
}

// conjunction returns the length of the conjunction at the start of f, 0 for none. 和 that begins a place is none.
func conjunction(f []rune) int {
	s := string(f[:min(len(f), 6)])
	switch {
	case strings.HasPrefix(s, "以及"):
		return 2
	case f[0] == '暨', f[0] == '与', f[0] == '及':
		return 1
	case f[0] == '和':
		for _, place := range []string{"和平区", "和平分", "和平街", "和平路", "和平镇", "和平乡", "和平县", "和平大", "和田", "和顺", "和静", "和硕", "和林格", "和政县", "和龙", "和布克"} {
			if strings.HasPrefix(s, place) {
				return 0
			}
		}
		return 1
	}
	return 0
}

// leadsName reports whether the text up to its next conjunction, or one further, is a name with or without role words.
func leadsName(s string) bool {
	if slices.Contains([]string{"单位", "部门", "机关", "机构", "企业"}, outside(s)) {
		return false
	}
	r := []rune(s)
	for i := 1; i <= len(r); i++ {
		if i < len(r) && conjunction(r[i:]) == 0 && r[i] != '等' && !strings.HasPrefix(string(r[i:]), "会同") && !strings.HasPrefix(string(r[i:]), "联合") {
			continue
		}
		if name, _, _ := stripTail(string(r[:i])); readsAsName(name) {
			return true
		}
	}
	return false
}

// numbered returns the length of a list number or bullet at the start: 1. 2、 (3) ① 一、 -.
func numbered(s string) int {
	r := []rune(s)
	i := 0
	bracket := i < len(r) && r[i] == '('
	if bracket {
		i++
	}
	start := i
	for i < len(r) && i < start+3 && (r[i] >= '0' && r[i] <= '9' || strings.ContainsRune("一二三四五六七八九十", r[i])) {
		i++
	}
	switch {
	case i == start && !bracket && len(r) > 0 && (r[0] >= '①' && r[0] <= '⑳' || strings.ContainsRune("-•●○■·", r[0])):
		return 1
	case i == start || i >= len(r):
		return 0
	case bracket && r[i] == ')':
		return i + 1
	case !bracket && strings.ContainsRune(".、)", r[i]):
		return i + 1
	}
	return 0
}

// piece reads one piece: a label, a time that is left out, or names with the words about their role.
func (p *parser) piece(t text) {
	if n := numbered(t.String()); n > 0 {
		t = t.cut(n)
	}
	t, done := p.takeLabel(t)
	if done || t.len() == 0 {
		return
	}
	if n := numbered(t.String()); n > 0 {
		t = t.cut(n)
	}
	if t.hasPrefix("(") && t.closing(0) == t.len()-1 {
		p.bracket(t.sub(1, t.len()-1), nil)
		return
	}
	if t.blank() {
		return
	}
	if isTime(t.String()) {
		p.remark("时限「" + t.written() + "」未读取")
		return
	}
	if slices.Contains(manner, t.String()) {
		return
	}
	t = p.leadingWords(t)
	if left, right, word, ok := together(t); ok {
		p.names(left)
		if base := cmp.Or(p.label, p.def); base != task.Support && base != task.Guide {
			if word != "联合" {
				p.assign(task.Lead, true)
				p.pair = true
			}
			p.joint(word)
		}
		t = right
	}
	p.names(t)
}

func (p *parser) remark(s string) {
	if p.note == "" {
		p.note = s
	}
}

// manner are clauses that say how units act and name nobody.
var manner = []string{"按职责分工", "按照职责分工", "根据职责分工", "各司其职", "各负其责", "齐抓共管", "密切配合", "协同配合", "形成合力", "共同推进", "分工负责"}

// leadingWords takes off the words that introduce names: 由, 和, 会同.
func (p *parser) leadingWords(t text) text {
	for _, w := range manner {
		if rest := strings.TrimPrefix(t.String(), w); rest != t.String() && leadsName(strings.TrimPrefix(rest, "由")) {
			t = t.cut(len([]rune(w)))
			break
		}
	}
	for _, w := range []string{"以及", "及", "与", "由", "请", "在", "并由", "同时"} {
		if t.hasPrefix(w) && leadsName(string(t.f[len([]rune(w)):])) {
			t = t.cut(len([]rune(w)))
			break
		}
	}
	if len(p.items) > 0 && t.hasPrefix("和") && conjunction(t.f) == 1 && leadsName(string(t.f[1:])) {
		t = t.cut(1)
	}
	for _, w := range jointly {
		if len(p.items) > 0 && t.hasPrefix(w) && leadsName(string(t.f[len([]rune(w)):])) {
			p.joint(w)
			return t.cut(len([]rune(w)))
		}
	}
	return t
}

// jointly are the words between the one who does a thing and those it is done with. Who stands before 会同 leads, who
// stands behind it takes part (参与); who stands behind 商 is consulted (立法技术规范（试行）（二）). Taking part is
// support here as in 参与单位, so that a unit has the same role however the cell puts it. 联合 names no lead: it says
// the same as 会同 only where a lead was named before it.
var jointly = []string{"会同", "联合", "商请", "商"}

// joint gives the names that follow the word their role.
func (p *parser) joint(word string) {
	if word == "联合" && !p.led {
		p.fail("「联合」没有说由谁牵头")
	}
	p.head = task.Support
}

// together cuts 甲会同乙 in two.
func together(t text) (left, right text, word string, ok bool) {
	for _, w := range jointly {
		n := len([]rune(w))
		for i := 1; i+n < t.len(); i++ {
			if string(t.f[i:i+n]) != w {
				continue
			}
			if endsName(string(t.f[:i])) && leadsName(string(t.f[i+n:])) {
				return t.sub(0, i), t.cut(i + n), w, true
			}
		}
	}
	return text{}, text{}, "", false
}

// assign gives a role to the names a role word reaches. Weak words only end the reach of later ones.
func (p *parser) assign(role task.Role, joint bool) {
	from := p.from
	if role != "" && p.pair {
		p.fail("单位的职责前后写法不一致")
		return
	}
	if role != "" && !p.led && p.line > p.from {
		p.fail("职责写在分行的单位后面，不能确定管到哪一行")
		return
	}
	if role != "" && !p.led && p.comma > p.from && (role == task.Lead || !p.told) {
		if role == task.Lead {
			p.fail("「牵头」前面有用逗号隔开的单位，不能确定是谁牵头")
			return
		}
		from = p.comma
	}
	for i := from; i < len(p.items); i++ {
		if role == "" && p.items[i].role == "" && p.beside(i) {
			p.items[i].role = task.Responsible
		}
		if role == "" || p.items[i].role == role {
			continue
		}
		if p.items[i].role != "" {
			if joint || p.head != "" {
				p.fail("单位的职责前后写法不一致")
			}
			continue
		}
		p.items[i].role = role
	}
	p.led, p.told = p.led || role == task.Lead, true
	p.from, p.comma, p.line = len(p.items), len(p.items), len(p.items)
}

// beside reports that name i acts beside those the label in force names: 牵头单位：市司法局；各镇街落实.
func (p *parser) beside(i int) bool {
	if p.label == "" || p.label == task.Responsible {
		return false
	}
	first := slices.IndexFunc(p.items, func(it item) bool { return it.from == p.items[i].from })
	clause := max(p.from, p.comma)
	return first >= 0 && first < clause && i >= clause
}

// names reads a run that is one name, with or without role words, 等, and brackets behind it.
func (p *parser) names(t text) {
	var own []text
	for t.len() > 0 && t.f[t.len()-1] == ')' {
		open := openingOf(t)
		if open <= 0 || keepsBracket(t.String(), string(t.f[open+1:t.len()-1])) {
			break
		}
		own = append(own, t.sub(open+1, t.len()-1))
		t = t.sub(0, open)
	}
	name, role, marked := stripTail(t.String())
	if name != t.String() && !marked && readsAsName(name) {
		p.fail("「" + t.written() + "」里的职责读不出来")
		return
	}
	t = t.sub(0, len([]rune(name)))
	head, kind, etc := cutEtc(t)
	if etc {
		t = head
	}
	if t.len() > 0 || !etc {
		if !p.add(t) {
			return
		}
	}
	if etc {
		p.etc(kind)
	}
	if marked {
		p.assign(role, false)
	}
	for _, b := range slices.Backward(own) {
		p.bracket(b, &t)
	}
}

// add takes t as a name.
func (p *parser) add(t text) bool {
	s := t.String()
	group := isGroup(s)
	if !group && !isUnit(s) {
		p.fail("「" + t.written() + "」不像单位名称")
		return false
	}
	p.items = append(p.items, item{name: t.written(), folded: s, group: group, role: p.head, label: p.label, from: p.labels})
	return true
}

// etc marks the list as open, unless it says how many it names and names as many.
func (p *parser) etc(kind string) {
	n, ok := kindAfterEtc(kind)
	if !ok {
		p.fail("「等" + kind + "」读不出来")
		return
	}
	if n == 0 || n != len(p.items)-p.from {
		p.open = true
	}
}

// cutEtc cuts a run at the 等 that ends a list.
func cutEtc(t text) (head text, kind string, ok bool) {
	depth := 0
	for i, r := range t.f {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(0, depth-1)
		}
		if r != '等' || depth > 0 || i > 0 && strings.ContainsRune("高中初平优同", t.f[i-1]) || i+1 < t.len() && t.f[i+1] == '级' {
			continue
		}
		return t.sub(0, i), string(t.f[i+1:]), true
	}
	return t, "", false
}

// isTime reports a piece that says when, and names nobody.
func isTime(s string) bool {
	if readsAsName(s) {
		return false
	}
	starts := false
	s = strings.TrimPrefix(s, "并")
	for _, w := range []string{"长期", "持续", "每年", "每月", "每季", "每半年", "每周", "全年", "年底", "月底", "立即", "即日", "常态化", "上半年", "下半年", "今年", "明年", "本年", "适时"} {
		starts = starts || strings.HasPrefix(s, w)
	}
	digit := false
	for _, r := range s {
		if r >= '0' && r <= '9' {
			digit = true
		}
		if digit && (r == '年' || r == '月' || r == '日') {
			starts = true
		}
	}
	if !starts {
		return false
	}
	for _, w := range []string{"局", "委", "部", "院", "政府", "单位", "部门", "机关", "街道", "镇", "各", "中心", "公司", "会同", "牵头", "配合"} {
		if strings.Contains(s, w) {
			return false
		}
	}
	return true
}
