package party

import (
	"strings"
	"unicode"
)

// text is a run of the cell in two forms of the same length: f folded for matching, o as written.
type text struct{ f, o []rune }

func (t text) sub(a, b int) text { return text{t.f[a:b], t.o[a:b]} }
func (t text) len() int          { return len(t.f) }
func (t text) String() string    { return string(t.f) }

// written returns the run as the cell has it, without the spaces and line breaks that are no separators.
func (t text) written() string { return string(t.o) }

func (t text) hasPrefix(s string) bool { return strings.HasPrefix(string(t.f), s) }

// cut removes the first n runes, cutEnd the last.
func (t text) cut(n int) text    { return t.sub(n, t.len()) }
func (t text) cutEnd(n int) text { return t.sub(0, t.len()-n) }

// blank reports whether the run holds nothing to read: empty, or a mark that says there is no unit.
func (t text) blank() bool {
	switch strings.Trim(t.String(), " \n。.") {
	case "", "-", "--", "—", "——", "/", "无", "、", "(无)":
		return true
	}
	return false
}

// fold maps each rune of the cell to the one it is matched by. Every kind of bracket becomes a round one, full-width
// forms become half-width, and marks without width are dropped.
func fold(s string) text {
	var t text
	for _, r := range s {
		f := foldRune(r)
		if f == 0 {
			continue
		}
		t.f, t.o = append(t.f, f), append(t.o, r)
	}
	return t
}

func foldRune(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return foldRune(r - '！' + '!')
	case r == '\n', r == '\r', r == '\v', r == '\f', r == '\u2028', r == '\u2029':
		return '\n'
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
		return 0
	}
	switch r {
	case '〔', '【', '[', '{', '〖', '﹙':
		return '('
	case '〕', '】', ']', '}', '〗', '﹚':
		return ')'
	case '∶', '﹕', '︰':
		return ':'
	case '﹑', '､':
		return '、'
	case '﹐':
		return ','
	case '﹔':
		return ';'
	case '｡':
		return '。'
	case '│', '┃':
		return '|'
	}
	return r
}

// unwrap takes off brackets that hold the whole run, whatever kinds they are: 〔…], and one that was never closed.
func (t text) unwrap() text {
	for {
		for t.len() > 0 && strings.ContainsRune(" \n。", t.f[0]) {
			t = t.cut(1)
		}
		for t.len() > 0 && strings.ContainsRune(" \n。.", t.f[t.len()-1]) {
			t = t.cutEnd(1)
		}
		if t.len() == 0 || t.f[0] != '(' {
			return t
		}
		switch end := t.closing(0); {
		case end == t.len()-1:
			t = t.sub(1, end)
		case end < 0:
			t = t.cut(1)
		default:
			return t
		}
	}
}

// closing returns the index of the bracket that closes the one at i, or -1.
func (t text) closing(i int) int {
	depth := 0
	for j := i; j < t.len(); j++ {
		switch t.f[j] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return j
			}
		}
	}
	return -1
}

// index returns the first place of r outside brackets, or -1.
func (t text) index(r rune) int {
	depth := 0
	for i, c := range t.f {
		switch {
		case c == r && depth == 0:
			return i
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		}
	}
	return -1
}

// core returns the folded run without what stands in brackets.
func (t text) core() string { return outside(t.String()) }

func outside(s string) string {
	if !strings.ContainsAny(s, "()") {
		return s
	}
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(0, depth-1)
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// settleSpaces decides for each run of spaces and line breaks whether it parts two units or breaks one in two. The
// former become a line feed, the latter vanish. Afterwards the text holds no other space.
func settleSpaces(t text) text {
	var out text
	for i := 0; i < t.len(); i++ {
		if !isSpace(t.f[i]) {
			out.f, out.o = append(out.f, t.f[i]), append(out.o, t.o[i])
			continue
		}
		j := i
		for j < t.len() && isSpace(t.f[j]) {
			j++
		}
		left := lastPiece(out.f)
		right := firstPiece(t.f[j:])
		sep := spaceMeans(left, right)
		if bareLabel(right) && left != "" && !bareLabel(left) { // 牵头单位 甲 配合单位 乙; of 甲 牵头单位 nobody can say
			if sep = unsure; bareLabel(firstPiece(t.f)) {
				sep = ';'
			}
		}
		if left != "" && numbered(string(t.f[j:min(j+6, t.len())])) > 0 {
			sep = '\n'
		}
		if sep != 0 {
			out.f, out.o = append(out.f, sep), append(out.o, t.o[i])
		}
		i = j - 1
	}
	return out
}

// bareLabel reports a label of units without a colon: 牵头单位.
func bareLabel(s string) bool {
	role, _ := labelRole(s)
	return role != "" && labelNoun(s) && endsIn(s, "单位", "部门", "主体")
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' }

// edge reports a rune that ends a name.
func edge(r rune) bool { return strings.ContainsRune("、,;。|/\n\uE000", r) }

// lastPiece returns the end of the run since its last separator outside brackets, or since an open bracket.
func lastPiece(f []rune) string {
	depth := 0
	for i := len(f) - 1; i >= 0; i-- {
		switch {
		case f[i] == ')':
			depth++
		case f[i] == '(' && depth == 0:
			return string(f[i+1:])
		case f[i] == '(':
			depth--
		case depth == 0 && (edge(f[i]) || f[i] == ':'):
			return string(f[i+1:])
		}
	}
	return string(f)
}

// firstPiece returns the start of the run up to its first separator or space; a label keeps its colon.
func firstPiece(f []rune) string {
	depth := 0
	for i, r := range f {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			depth--
		case edge(r) && depth == 0, isSpace(r), r == ')':
			return string(f[:i])
		}
		if r == ':' {
			return string(f[:i+1])
		}
	}
	return string(f)
}

// unsure stands for a space of which nobody can say whether it parts two units. No name may hold it.
const unsure = '\uE000'

// spaceMeans returns '\n' where the space parts two units, ':' after a label, 0 where it means nothing.
func spaceMeans(left, right string) rune {
	if left == "" || right == "" {
		return 0
	}
	if label, cut := strings.CutSuffix(right, ":"); cut {
		if _, whole := labelRole(left + label); whole && !readsAsName(left) {
			return 0
		}
		if _, ok := labelRole(label); ok {
			return ';'
		}
		return 0
	}
	if role, _ := labelRole(left); role != "" && labelNoun(left) {
		return ':'
	}
	name, _, _ := stripTail(left)
	if !readsAsName(name) {
		return 0
	}
	l, r := outside(name), right
	if name != left { // a role word stands between
		return '\n'
	}
	if isTime(right) {
		return '\n'
	}
	if continues(l, r) {
		return 0
	}
	if ownPrefix(r) {
		return '\n'
	}
	rn, _, _ := stripTail(r)
	if !readsAsName(rn) || !strictSuffix(l) {
		return 0
	}
	if part(l, rn) || endsIn(l, "国家税务总局", "金融监督管理总局", "金融监管总局") && endsIn(rn, "税务局", "监管局", "分局", "支局") {
		return 0
	}
	if within(rn) {
		return unsure
	}
	return '\n'
}

// part reports a name that can only be a part of the unit before it: 市公安局 交警支队, 区司法局 法治科.
func part(of, s string) bool {
	s = outside(s)
	if endsIn(s, "科", "股") {
		return !ownPrefix(s) && endsIn(of, "局", "委", "办", "部", "厅", "院", "中心")
	}
	if !endsIn(of, "公安局", "公安厅") || !endsIn(s, "总队", "支队", "大队", "中队") {
		return false
	}
	for _, police := range []string{"交警", "交通警察", "交通管理", "治安", "刑侦", "刑警", "网安", "特警", "巡特警", "巡警", "禁毒", "经侦", "法制"} {
		if strings.HasPrefix(s, police) {
			return true
		}
	}
	return false
}

// continues reports that right carries on the name that left began, though left could stand alone.
func continues(left, right string) bool {
	l := []rune(left)
	last := l[len(l)-1]
	if strings.HasPrefix(right, "(") {
		return true
	}
	for _, s := range []string{"员会", "公室", "办公室", "办事处", "管委会", "管理委员会", "党工委", "人民政府", "机关", "会", "局", "室", "处"} {
		if right == s || strings.HasPrefix(right, s) && len([]rune(s)) > 1 {
			return true
		}
	}
	if strings.ContainsRune("市省州", last) {
		return true
	}
	if ownPrefix(right) {
		return false
	}
	if strings.ContainsRune("区县旗", last) {
		return true
	}
	return len(l) <= 3 && last == '委' || strings.HasSuffix(left, "政府") || strings.HasSuffix(left, "党委")
}

// ownPrefix reports that a name starts with its jurisdiction or with 各, so that it begins anew.
func ownPrefix(s string) bool {
	for _, p := range []string{"各", "全区", "全市", "全县", "团市委", "团区委", "团县委", "国家", "中国", "有关", "相关"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	r := []rune(s)
	return len(r) > 2 && strings.ContainsRune("省市区县州旗", r[0])
}
