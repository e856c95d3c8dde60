package party

import (
	"slices"
	"strings"
)

// kinds are the words for several units of a kind. qualifiers stand before them.
var (
	kinds = []string{"部门单位", "部门和单位", "单位和部门", "部门及单位", "部门(单位)", "单位(部门)", "部门", "单位", "机关", "机构", "企业", "委办局", "工作部门",
		"社会组织", "群团组织", "党组织", "行业组织", "人民团体", "民主党派", "院校", "高校", "基层组织", "自治组织", "调解组织", "央企", "国企", "队伍", "科室", "处室", "股室"}
	qualifiers = []string{"有关", "相关", "各", "成员", "有关责任", "相关责任", "行政执法", "执法", "市直", "区直", "县直", "省直", "州直", "旗直", "直属", "直",
		"级", "属", "职能", "主管", "行业", "业务", "涉企", "垂管", "双管", "政府", "其他", "其它", "事业", "企事业", "国有",
		"党政", "涉及", "涉案", "涉事", "全部", "全体", "驻区", "驻市", "驻县", "工作", "所有", "以上", "上述", "金融", "党群", "群团", "审批监管",
		"属地", "涉改", "涉农", "涉海", "组成", "重点", "试点", "民营", "规上", "生产经营"}
	// areas are words for the kinds of area below a jurisdiction; bare, they mean all of them.
	areas = []string{"乡镇", "镇街", "街镇", "镇街道", "乡镇街道", "街道", "县区", "区县", "市县", "市县区", "县市区", "区市县", "市区县", "园区", "功能区", "开发区",
		"街道办事处", "街道办", "镇办", "乡镇办", "基层司法所", "社区", "村社区", "村居", "乡镇场", "乡街", "旗县区", "旗县", "苏木乡镇", "市州", "州市", "地州", "盟市"}
	bodies = []string{"", "人民政府", "政府", "党委", "党工委", "办事处", "管委会", "委", "司法局", "司法所", "居委会", "村委会"}
	// generic are names of a kind of body of which every place has many; bare, they mean all of them.
	generic = []string{"律师事务所", "村民委员会", "居民委员会", "村委会", "居委会", "社区居委会", "村(居)委会", "村(居)民委员会", "人民调解委员会", "驻村工作队", "中小学校", "基层党组织", "基层组织", "保险公司", "商业银行", "行业监管部门", "行业管理部门", "国有林场", "国有农场"}
	// some stand before a word for areas and say which.
	some = []string{"有关", "相关", "属地", "涉及", "所在", "所涉", "其他", "其它", "其余", "所有", "辖区", "沿线", "沿江", "试点", "省级", "国家级", "市级", "县级"}
)

// isGroup reports whether the folded piece stands for several units.
func isGroup(s string) bool {
	core := outside(s)
	if core == "" || len([]rune(core)) > 32 || strings.HasPrefix(s, "(") || strings.HasPrefix(s, "除") || !cleanName(strings.ReplaceAll(s, "、", "")) || driven(core) {
		return false
	}
	if first, rest, several := strings.Cut(core, "、"); several {
		return levels(first, rest) || isGroup(first) && carryOn(first, rest)
	}
	core = strings.Replace(strings.Replace(core, "设区的市", "设区市", 1), "地级以上市", "地级市", 1)
	if strings.Contains(strings.ReplaceAll(core, "无为", ""), "为") { // 市财政局为成员单位
		return false
	}
	for _, w := range prose {
		if strings.Contains(trimEnd(core, "牵头单位", "配合单位", "参与单位"), w) {
			return false
		}
	}
	if slices.Contains(generic, core) {
		return true
	}
	if zone(core) {
		return false
	}
	if n := afterEvery(core); n != "" {
		return plural(n) || isUnit(n) || hasSuffix(n) || slices.Contains([]string{"镇", "乡", "县", "区", "市", "旗", "村", "街", "州", "委", "办", "局"}, n)
	}
	return areaGroup(core, widens(s)) || kindOfAreas(core) || someAreas(core) || counted(core) || ofKind(core)
}

// carryOn reports that every part of rest, cut at 、, belongs to the group's name that first begins.
func carryOn(first, rest string) bool {
	for _, part := range strings.Split(rest, "、") {
		if !carriesOn(first, part) {
			return false
		}
	}
	return true
}

// zone reports 开发区 without a word that says which. Most counties have one, so that the word alone is its name.
func zone(core string) bool {
	return slices.Contains([]string{"开发区", "开发区管委会", "园区管委会"}, core)
}

// several reports that it stands for all bodies of its kind because of the item before it: 开发区 behind the counties of
// a city, 镇政府 behind 各街道办事处, 司法所 behind the bureau of a county or behind its towns. Alone the word is the one of a county, of a town.
func several(it, before item) bool {
	core, town := outside(before.folded), false
	for _, w := range []string{"乡", "镇", "街"} {
		town = town || strings.Contains(core, w)
	}
	every := before.group && strings.HasPrefix(core, "各")
	if every && town && slices.Contains([]string{"镇人民政府", "镇政府", "乡人民政府", "乡政府"}, it.folded) {
		return true
	}
	if every && slices.Contains([]string{"人民法院", "人民检察院", "法院", "检察院", "人民政府", "党委", "政府"}, it.folded) {
		return true
	}
	if zone(it.folded) {
		return every && !town && endsIn(core, "县", "区", "市", "旗", "政府")
	}
	if !slices.Contains([]string{"司法所", "派出所", "市场监管所"}, it.folded) {
		return false
	}
	return every || strings.ContainsRune("市县区旗", []rune(core)[0]) && endsIn(core, "局", "委")
}

// ofKind reports 有关部门, 市直单位, 行业主管部门.
func ofKind(core string) bool {
	for _, k := range kinds {
		m, ok := strings.CutSuffix(core, k)
		if !ok {
			continue
		}
		if m == "" {
			return !slices.Contains([]string{"企业", "队伍", "科室", "处室", "股室"}, k)
		}
		if endsIn(m, "综合执法", "综合行政执法") || slices.Contains([]string{"上级", "下级", "本级", "同级"}, m) {
			continue
		}
		if field, of := strings.CutSuffix(m, "主管"); of && field != "" && !endsIn(field, qualifiers...) {
			continue // 市自然资源主管部门 is one
		}
		if m == "行政" || stationed(m) || endsIn(m, qualifiers...) || strings.Contains(m, "两级") || strings.Contains(m, "三级") || strings.Contains(m, "各级") {
			return true
		}
	}
	return false
}

// stationed reports 驻临, 中央驻临, 中央在临: units of a higher level in a place that is called by one character.
func stationed(m string) bool {
	r := []rune(m)
	n := len(r)
	if n >= 2 && n <= 6 && r[n-2] == '驻' {
		return true
	}
	return n >= 4 && n <= 6 && r[n-2] == '在' && (r[0] == '中' || r[0] == '省' || r[0] == '部')
}

// levels reports names that run over levels of government: 市、县两级执法部门, 中央、省驻市单位. first is what stands before the first
// 、 and rest what follows it.
func levels(first, rest string) bool {
	level := []string{"省", "市", "州", "县", "区", "旗", "镇", "乡", "中央", "部"}
	if !slices.Contains(level, first) {
		return false
	}
	part, more, several := strings.Cut(rest, "、")
	for several && slices.Contains(level, part) {
		part, more, several = strings.Cut(more, "、")
	}
	if i := strings.IndexAny(part, ",;。|\n和及与"); i >= 0 {
		part = part[:i]
	}
	part = outside(part)
	for _, w := range []string{"两级", "三级", "四级"} {
		if strings.Contains(part, w) {
			name, _, _ := stripTail(part)
			return isGroup(name)
		}
	}
	r := []rune(part)
	if len(r) < 4 || !strings.ContainsRune("属驻直", r[1]) {
		return false
	}
	name, _, _ := stripTail(part)
	return endsIn(name, "单位", "企业", "部门", "机构") && (isGroup(name) || r[1] == '驻')
}

// carriesOn reports that part, behind a 、, belongs to the group's name that first begins: 各县、区, 各委、办、局, 各乡镇党委、政府.
func carriesOn(first, part string) bool {
	r, l := []rune(part), []rune(first)
	if len(r) == 0 || !strings.Contains(first, "各") && !strings.Contains(first, "有关") && !strings.Contains(first, "相关") {
		return false
	}
	if len(r) == 1 {
		return strings.ContainsRune("县区市旗州乡镇街村场委办局部厅", r[0])
	}
	if (part == "单位" || part == "机构") && endsIn(first, "部门") {
		return true
	}
	if slices.Contains([]string{"政府", "人民政府", "县级市", "自治州", "办事处", "管委会"}, part) {
		return true
	}
	for _, w := range []string{"各", "有关", "相关", "直", "级", "属"} {
		if strings.Contains(part, w) {
			return false
		}
	}
	for _, every := range []string{"各辖", "各设区", "各地级以上", "各地级"} {
		if area, ok := strings.CutPrefix(first, every); ok {
			l = []rune("各" + area)
			break
		}
	}
	short := l[max(0, len(l)-2):]
	for _, area := range []string{"自治州", "自治县", "自治旗", "县级市", "林区", "盟"} {
		if organ, ok := strings.CutPrefix(part, area); ok && len(short) == 2 && short[0] == '各' {
			return endsIn(organ, "政府", "公署", "管委会")
		}
	}
	if len(short) != 2 || short[0] != '各' || !hasSuffix("某"+part) {
		return false
	}
	if r[0] == '市' && !endsIn(part, "政府", "管委会", "管委", "党委") { // 各县、市司法局: the city's own bureau, or one of each
		return false
	}
	return strings.ContainsRune("县市区旗州", short[1]) && strings.ContainsRune("县市区旗州", r[0]) || short[1] == '乡' && r[0] == '镇'
}

// afterEvery returns what follows 各 where the name starts with it, or with a word for whose units they are.
func afterEvery(core string) string {
	before, rest, ok := strings.Cut(core, "各")
	if !ok || rest == "" || len([]rune(before)) > 16 {
		return ""
	}
	if !whose(before) && !(isUnit(before) && slices.Contains([]string{"分局", "科室", "处室", "股室", "支队", "大队", "直属单位"}, rest)) {
		return ""
	}
	return rest
}

// whose reports a word that may stand before 各: 市直各部门, 区安委会各成员单位, 其他各镇街.
func whose(before string) bool {
	if before == "" || slices.Contains(some, before) || before == "含" || before == "局机关" || before == "机关" {
		return true
	}
	if isUnit(before) { // 区司法局各镇街: two names without a separator
		return endsIn(before, "政府", "委", "小组", "委员会", "联席会议", "指挥部", "专班", "街道", "乡镇", "区", "县", "市", "州", "会", "市局", "机关")
	}
	for _, w := range []string{"全区", "全市", "全县", "全省", "全旗", "全州", "全镇"} {
		if strings.HasPrefix(before, w) {
			return true
		}
	}
	return endsIn(before, "省", "市", "区", "县", "州", "旗", "镇", "乡", "街道", "直", "属", "级", "辖", "政府", "委", "会", "驻区", "驻市", "驻县", "系统",
		"小组", "专班", "指挥部", "联席会议", "其他", "其它", "其余", "政府直属", "市局")
}

// driven reports a verb before names that others act on: 协调各部门, 组织市司法局. Such a piece is a clause.
func driven(core string) bool {
	for _, verb := range []string{"组织", "协调", "推动", "推进", "引导", "动员", "压实", "强化", "加强", "要求", "确保", "联合", "安排", "部署", "支持", "帮助", "对接", "联系",
		"建议", "督办", "监督", "检查", "发动", "指挥", "鼓励", "配套", "依托", "明确", "通报", "反馈", "并", "将", "对", "向", "为", "让", "使", "同", "经", "送", "抄", "请"} {
		if rest, cut := strings.CutPrefix(core, verb); cut && ownPrefix(rest) {
			return true
		}
	}
	return false
}

// plural reports a word for units of a kind, or for areas of a kind.
func plural(s string) bool {
	return s == "地" || endsIn(s, kinds...) || areaGroup(s, true) || endsIn(s, areas...) || endsIn(s, "乡", "镇", "县", "市", "区", "街", "村", "场", "委办局", "办局")
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

// someAreas reports 相关镇街, 有关县（市、区）人民政府, 属地政府.
func someAreas(core string) bool {
	for _, w := range some {
		if rest, ok := strings.CutPrefix(core, w); ok && (areaGroup(rest, true) || rest == "政府" || rest == "党委政府" || rest == "人民政府") {
			return true
		}
	}
	return false
}

// kindOfAreas reports 赋权乡镇, 建制镇街: a word before several kinds of area at once. 三乡镇 is a place.
func kindOfAreas(core string) bool {
	r := []rune(core)
	return len(r) >= 4 && endsIn(core, "乡镇", "镇街", "街镇", "县区", "区县", "镇街道") && !strings.ContainsAny(string(r[:len(r)-2]), "省市区县州旗局委办")
}

// counted reports a number of areas or units: 16个区人民政府, 12个镇街, 全市20个部门. Chinese numerals need a measure word,
// because places have them in their names: 三乡镇.
func counted(core string) bool {
	i := strings.IndexAny(core, "0123456789")
	for _, w := range []string{"个", "家"} {
		if before, _, ok := strings.Cut(core, w); ok {
			r := []rune(before)
			for len(r) > 0 && strings.ContainsRune("一二三四五六七八九十两", r[len(r)-1]) {
				r = r[:len(r)-1]
				i = len(string(r))
			}
		}
	}
	if i < 0 {
		return false
	}
	before := core[:i]
	rest := strings.TrimLeft(core[i:], "0123456789一二三四五六七八九十两")
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "个"), "家")
	if before != "" && !whose(before) {
		return false
	}
	return areaGroup(rest, true) || slices.Contains(kinds, rest) || ofKind(rest)
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
	return slices.Contains(areas, s) || slices.Contains([]string{"市", "区", "县", "旗", "镇", "乡", "街", "办", "场", "村", "居", "局", "委", "州", "管委会", "办事处",
		"新区", "高新区", "经开区", "自治县", "自治旗", "林区", "特区", "农场", "林场", "管理区"}, s)
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
	if describes(s) {
		return n, true
	}
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
	if slices.Contains([]string{"镇", "乡", "县", "区", "市", "旗", "村"}, s) {
		return n, true
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

// describes reports words after 等 that only say what kind of units they are: 等综合行政执法部门, 等重点行业领域主管部门.
func describes(s string) bool {
	field := trimEnd(s, "部门", "单位", "机构", "企业")
	if field == s || len([]rune(field)) > 12 || !cleanName(s) {
		return false
	}
	for _, w := range append([]string{"各", "和", "及", "与", "以", "局", "委", "厅", "镇", "街道", "县", "区", "市", "由", "在", "除"}, prose...) {
		if strings.Contains(field, w) {
			return false
		}
	}
	return field != "" && !strings.ContainsAny(field, "0123456789一二三四五六七八九十两多余家个")
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
