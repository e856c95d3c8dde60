package party

import (
	"slices"
	"strings"
	"unicode"
)

// suffixes end the names of units. None of them is a bare character that common words end in; those are in tricky.
var suffixes = []string{
	"局", "委", "厅", "院", "署", "队", "馆", "政府", "中心", "公司", "集团", "厂",
	"办公室", "委员会", "管委会", "居委会", "村委会", "常委会", "办事处", "街道", "街道办", "协会", "学会", "商会", "工会", "联合会",
	"红十字会", "贸促会", "委会", "促进会", "研究会", "基金会", "理事会", "联席会议", "领导小组", "工作组", "协调小组", "专项小组", "小组",
	"协调组", "专班", "指挥部", "党组", "机关", "部门", "社会组织", "群团组织", "党组织", "团体",
	"银行", "分行", "支行", "农商行", "农发行", "人行", "联社", "供销社", "报社", "合作社", "通讯社", "出版社",
	"大学", "学校", "党校", "中学", "小学", "法庭", "人大", "政协", "科协", "作协", "律协", "记协", "海关", "机场", "监狱",
	"电视台", "气象台", "融媒体", "开发区", "园区", "新区", "示范区", "功能区", "管理区", "景区", "度假区", "保税区", "试验区", "社区",
	"兵团", "团场", "林场", "农场", "苏木", "嘎查", "军分区", "公证处", "管理处", "服务处",
}

// tricky suffixes are single characters that also end other words: those words are not units.
var tricky = map[rune][]string{
	'部': {"全部", "干部", "内部", "外部", "东部", "西部", "南部", "北部", "中部"},
	'办': {"举办", "承办", "主办", "协办", "开办", "查办", "代办", "催办", "申办", "会办", "督办", "交办", "经办", "转办", "批办"},
	'联': {"关联", "互联", "串联", "对联", "物联", "关联"},
	'所': {"场所", "住所", "处所"},
	'站': {"网站"},
	'处': {"好处", "查处", "到处", "各处", "何处", "惩处", "论处"},
	'室': {"教室", "科室", "处室"},
	'组': {"编组", "分组", "改组"},
	'镇': {"城镇"},
	'乡': {"城乡"},
	'村': {"农村", "乡村"},
	'区': {"辖区", "片区", "市区", "城区", "郊区", "小区", "禁区"},
	'县': {"市县"},
	'市': {"城市", "超市", "上市"},
	'旗': {"红旗"},
	'州': nil,
	'师': {"律师", "教师", "医师", "老师"},
}

// words that no unit's name holds: a piece with one of them is a sentence, not a name.
var prose = []string{"开展", "落实", "按照", "根据", "做好", "制定", "完成", "应当", "负责", "牵头", "配合", "协助", "参与", "职责", "的", "及其", "其所", "其下", "或",
	"所属", "下属", "建立", "严格", "对照", "实行", "责任人", "负责人", "局长", "主任", "部长", "书记", "组长", "处长", "科长",
	"指导", "督促", "会同", "统筹", "原则上", "以上", "以下", "除外", "不含", "包括", "情况", "报告", "报送", "上报", "抄送", "通知", "征求", "提请", "邀请", "汇总"}

// shortNames are the units of two characters that are written without their jurisdiction.
var shortNames = []string{"法院", "团委", "党委", "编办", "妇联", "残联", "文联", "科协", "侨联", "人大", "政协", "海关", "纪委", "监委", "党校", "工会", "作协",
	"律协", "农办", "台办", "外办", "侨办", "社联"}

// readsAsName reports whether the folded piece can be the name of a unit or of a group.
func readsAsName(s string) bool { return isGroup(s) || isUnit(s) }

// isUnit reports whether the folded piece ends as a unit's name does and holds nothing that a name does not.
func isUnit(s string) bool {
	core := outside(s)
	r := []rune(core)
	if len(r) < 2 || len(r) > 32 || strings.HasPrefix(s, "(") || !cleanName(s) {
		return false
	}
	if slices.Contains([]string{"街道", "部门", "单位", "机关", "机构", "中心", "公司", "集团", "企业", "委员会", "管委会", "办事处", "园区", "功能区",
		"领导小组", "小组", "专班", "协会", "社区", "景区", "新区", "团体", "支队", "大队", "中队", "分局", "政府", "学校", "银行", "商会", "学会"}, core) {
		return false
	}
	if _, label := labelRole(core); label {
		return false
	}
	for _, w := range prose {
		if strings.Contains(core, w) {
			return false
		}
	}
	if len(r) == 2 && !strings.ContainsRune("省市区县州旗镇", r[0]) && !slices.Contains(shortNames, core) {
		return false
	}
	if strings.Contains(core, "各") || runOn(r) {
		return false
	}
	if strings.ContainsRune("报送向经将把让被从至到", r[0]) && ownPrefix(string(r[1:])) {
		return false
	}
	return hasSuffix(core)
}

// runOn reports two names written without a separator: 市司法局市财政局.
func runOn(r []rune) bool {
	if !strings.ContainsRune("省市区县州旗", r[0]) {
		return false
	}
	for i := 2; i+2 < len(r); i++ {
		if r[i] == r[0] && strings.ContainsRune("局委办部院联心", r[i-1]) && (!strings.ContainsRune("北南中场政域", r[i+1]) || r[i+2] == '府') && hasSuffix(string(r[i:])) {
			return true
		}
	}
	return false
}

// hasSuffix reports whether the name ends in a unit's suffix.
func hasSuffix(core string) bool {
	for _, x := range suffixes {
		if strings.HasSuffix(core, x) {
			return !endsIn(core, "格局", "布局", "结局", "大局", "全局", "城镇街道", "原单位")
		}
	}
	r := []rune(core)
	last := r[len(r)-1]
	if not, ok := tricky[last]; ok {
		return (len(r) > 2 || last == '办' || last == '部' || last == '联') && !endsIn(core, not...)
	}
	if endsIn(core, "科", "股") { // a section is a unit's name only behind the unit
		return strings.ContainsAny(string(r[1:len(r)-1]), "局委办部院厅府")
	}
	return strings.HasPrefix(core, "中国") && endsIn(core, "移动", "联通", "电信", "铁塔", "石油", "石化", "邮政")
}

func endsIn(s string, ends ...string) bool {
	return slices.ContainsFunc(ends, func(e string) bool { return strings.HasSuffix(s, e) })
}

// cleanName reports whether the piece is made of characters that names are made of, with brackets in pairs.
func cleanName(s string) bool {
	depth := 0
	for _, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			if depth--; depth < 0 {
				return false
			}
		case unicode.Is(unicode.Han, r), r == '“', r == '”', r == '·', r >= '0' && r <= '9',
			r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z':
		case depth > 0 && (r == '、' || r == ',' || r == '/'):
		default:
			return false
		}
	}
	return depth == 0
}

// strictSuffix reports an ending that a name does not run on after, save where continues says so.
func strictSuffix(core string) bool {
	return endsIn(core, "局", "委", "办", "部", "厅", "院", "联", "中心", "公司", "街道", "镇", "办公室", "委员会", "管委会", "办事处") || isGroup(core)
}

// within reports a name that may be a part of the unit written before it: 交警支队 after 市公安局.
func within(s string) bool {
	return endsIn(outside(s), "队", "分局", "所", "站", "科", "股", "处", "室", "组", "中心", "专班", "机关", "分中心", "工作部")
}

// kinds are the words for several units of a kind. qualifiers stand before them.
var (
	kinds = []string{"部门单位", "部门和单位", "单位和部门", "部门及单位", "部门(单位)", "单位(部门)", "部门", "单位", "机关", "机构", "企业", "委办局", "工作部门",
		"社会组织", "群团组织", "党组织", "行业组织", "人民团体", "民主党派", "院校", "高校"}
	qualifiers = []string{"有关", "相关", "各", "成员", "有关责任", "相关责任", "行政执法", "执法", "市直", "区直", "县直", "省直", "州直", "旗直", "直属", "直",
		"级", "属", "职能", "主管", "行业", "业务", "涉企", "垂管", "双管", "政府", "其他", "其它", "事业", "企事业", "国有",
		"党政", "涉及", "涉案", "涉事", "全部", "全体", "驻区", "驻市", "驻县", "工作", "所有", "以上", "上述", "金融", "党群", "群团", "审批监管"}
	// areas are words for the kinds of area below a jurisdiction; bare, they mean all of them.
	areas = []string{"乡镇", "镇街", "街镇", "镇街道", "乡镇街道", "街道", "县区", "区县", "市县", "市县区", "县市区", "区市县", "市区县", "园区", "功能区", "开发区",
		"街道办事处", "街道办", "镇办", "乡镇办", "司法所", "基层司法所", "派出所", "社区", "村社区", "村居", "乡镇场", "乡街", "旗县区", "旗县", "苏木乡镇"}
	bodies = []string{"", "人民政府", "政府", "党委", "党工委", "办事处", "管委会", "委", "司法局", "司法所", "居委会", "村委会"}
)

// isGroup reports whether the folded piece stands for several units.
func isGroup(s string) bool {
	core := outside(s)
	if parts := strings.Split(core, "、"); len(parts) > 1 {
		for _, part := range parts[1:] {
			if !carriesOn(parts[0], part) {
				return false
			}
		}
		return isGroup(parts[0])
	}
	if core == "" || len([]rune(core)) > 32 || strings.HasPrefix(s, "(") || strings.HasPrefix(s, "除") || !cleanName(s) {
		return false
	}
	core = strings.Replace(core, "设区的市", "设区市", 1)
	for _, w := range prose {
		if strings.Contains(strings.TrimSuffix(strings.TrimSuffix(core, "牵头单位"), "配合单位"), w) {
			return false
		}
	}
	if n := afterEvery(core); n != "" {
		return plural(n) || isUnit(n) || hasSuffix(n) || slices.Contains([]string{"镇", "乡", "县", "区", "市", "旗", "村", "街", "州", "委", "办", "局"}, n)
	}
	if areaGroup(core, widens(s)) {
		return true
	}
	for _, k := range kinds {
		m, ok := strings.CutSuffix(core, k)
		if !ok {
			continue
		}
		if m == "" {
			return k != "企业"
		}
		if endsIn(m, "综合执法", "综合行政执法") {
			continue
		}
		if m == "行政" || endsIn(m, qualifiers...) || strings.Contains(m, "两级") || strings.Contains(m, "三级") || strings.Contains(m, "各级") {
			return true
		}
	}
	return false
}

// carriesOn reports that part, behind a 、, belongs to the group's name that first begins: 各县、区, 各委、办、局, 各乡镇党委、政府.
func carriesOn(first, part string) bool {
	r, l := []rune(part), []rune(first)
	if len(r) == 0 || !strings.Contains(first, "各") && !strings.Contains(first, "有关") && !strings.Contains(first, "相关") {
		return false
	}
	if len(r) == 1 {
		return strings.ContainsRune("县区市旗州乡镇街场委办局部厅", r[0])
	}
	if (part == "单位" || part == "机构") && endsIn(first, "部门") {
		return true
	}
	if slices.Contains([]string{"政府", "人民政府", "县级市", "自治州", "办事处", "管委会"}, part) {
		return true
	}
	short := l[max(0, len(l)-2):]
	return len(short) == 2 && short[0] == '各' && hasSuffix("某"+part) &&
		(strings.ContainsRune("县市区旗州", short[1]) && strings.ContainsRune("县市区旗州", r[0]) || short[1] == '乡' && r[0] == '镇')
}

// afterEvery returns what follows 各 where the name starts with it, or with a word for whose units they are.
func afterEvery(core string) string {
	before, rest, ok := strings.Cut(core, "各")
	if !ok || rest == "" || strings.HasPrefix(core, "除") || len([]rune(before)) > 16 {
		return ""
	}
	if isUnit(before) && !endsIn(before, "政府", "委", "小组", "委员会", "街道", "乡镇", "区", "县", "市", "州") {
		return "" // 区司法局各镇街: two names without a separator
	}
	return rest
}

// plural reports a word for units of a kind, or for areas of a kind.
func plural(s string) bool {
	return endsIn(s, kinds...) || areaGroup(s, true) || endsIn(s, areas...) || endsIn(s, "乡", "镇", "县", "市", "区", "街", "村", "场", "委办局", "办局")
}

// areaGroup reports 乡镇, 街道办事处, 县区政府, and, where a bracket widens it, 镇（街道）, 县（市、区）人民政府.
func areaGroup(core string, widened bool) bool {
	for _, b := range bodies {
		m, ok := strings.CutSuffix(core, b)
		if !ok {
			continue
		}
		if slices.Contains(areas, m) {
			return true
		}
		if widened && slices.Contains([]string{"镇", "乡", "县", "区", "市", "旗", "街", "村"}, m) {
			return true
		}
	}
	return false
}

// widens reports a bracket that lists kinds of areas: 县（市、区）, 镇（街道）.
func widens(s string) bool {
	_, in, ok := strings.Cut(s, "(")
	in, _, closed := strings.Cut(in, ")")
	if !ok || !closed || in == "" {
		return false
	}
	for _, part := range strings.FieldsFunc(in, func(r rune) bool { return r == '、' || r == ',' || r == '/' }) {
		if !areaWord(part) {
			return false
		}
	}
	return true
}

// areaWord reports a word for a kind of area or its office.
func areaWord(s string) bool {
	return slices.Contains(areas, s) || slices.Contains([]string{"市", "区", "县", "旗", "镇", "乡", "街", "办", "场", "村", "居", "局", "委", "州", "管委会", "办事处"}, s)
}

// kindAfterEtc reports whether what follows 等 only says what kind of units the list is of, and how many: 等10个部门.
func kindAfterEtc(s string) (n int, ok bool) {
	s = strings.Map(func(r rune) rune {
		if r == '(' || r == ')' {
			return -1
		}
		return r
	}, s)
	n, s = leadingNumber(s)
	for _, w := range []string{"余个", "多个", "余家", "个", "家"} {
		if rest, cut := strings.CutPrefix(s, w); cut {
			if w != "个" && w != "家" {
				n = 0
			}
			s = rest
			break
		}
	}
	if s == "" {
		return n, n == 0
	}
	noun := false
	for s != "" {
		before := s
		for _, k := range append(kinds, areas...) {
			if rest, cut := strings.CutPrefix(s, k); cut {
				s, noun = rest, true
				break
			}
		}
		if s != before {
			continue
		}
		for _, q := range append([]string{"和", "及", "责任", "、", "市", "区", "县", "省", "州", "旗", "地", "多", "中央", "驻"}, qualifiers...) {
			if rest, cut := strings.CutPrefix(s, q); cut {
				s = rest
				break
			}
		}
		if s == before {
			return 0, false
		}
	}
	return n, noun
}

// leadingNumber takes a number below a hundred off the front, in digits or Chinese numerals.
func leadingNumber(s string) (int, string) {
	n, i := 0, 0
	for i < len(s) && i < 3 && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if i > 0 {
		return n, s[i:]
	}
	r := []rune(s)
	j, unit, tens := 0, 0, 0
	for ; j < len(r) && j < 3; j++ {
		if r[j] == '十' {
			tens = max(unit, 1) * 10
			unit = 0
			continue
		}
		d := strings.IndexRune("一二三四五六七八九", r[j])
		if d < 0 {
			break
		}
		unit = d/3 + 1
	}
	return tens + unit, string(r[j:])
}
