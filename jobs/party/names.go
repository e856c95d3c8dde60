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
	"红十字会", "红会", "总会", "联谊会", "慈善会", "贸促会", "委会", "促进会", "研究会", "基金会", "理事会", "联席会议", "领导小组", "工作组", "协调小组", "专项小组", "小组",
	"协调组", "专班", "指挥部", "党组", "机关", "部门", "社会组织", "群团组织", "党组织", "团体",
	"银行", "分行", "支行", "农商行", "农发行", "人行", "农行", "工行", "建行", "联社", "农信社", "信用社", "供销社", "报社", "合作社", "通讯社", "出版社", "书店",
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
	'镇': {"城镇", "小镇", "示范镇", "重点镇"},
	'乡': {"城乡"},
	'村': {"农村", "乡村", "示范村", "驻村"},
	'区': {"辖区", "片区", "市区", "城区", "郊区", "小区", "禁区", "农村地区", "重点地区", "边远地区", "其他地区", "灾区", "全区", "各区"},
	'县': {"市县", "示范县", "全县", "本县"},
	'市': {"城市", "超市", "上市", "全市", "本市"},
	'旗': {"红旗"},
	'州': nil,
	'师': {"律师", "教师", "医师", "老师"},
}

// innocent takes out of a name the words of prose that names do hold: 市就业指导中心, 市督查落实办.
var innocent = strings.NewReplacer("指导中心", "", "指导服务", "", "指导站", "", "指导委员会", "", "指导办", "", "督促检查", "", "督查落实", "", "落实办", "", "情况中心", "",
	"统筹办", "", "统筹委", "", "报告厅", "")

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
	if endsIn(core, "部门", "机关") && !department(core) {
		return false
	}
	plain := innocent.Replace(core)
	for _, w := range prose {
		if strings.Contains(plain, w) {
			return false
		}
	}
	if len(r) == 2 && !strings.ContainsRune("省市区县州旗镇", r[0]) && !slices.Contains(shortNames, core) {
		return false
	}
	if strings.Contains(core, "各") || runOn(r) || driven(core) {
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
	for j := 4; j+2 < len(r); j++ { // 市司法局报市政府
		before := strings.TrimRight(string(r[:j]), "商报对向请送征函邀同联协给由为督经会")
		if r[j] == r[0] && before != string(r[:j]) && endsIn(before, "局", "委", "办", "部", "院") && hasSuffix(string(r[j:])) {
			return true
		}
	}
	for i := 2; i+2 < len(r); i++ {
		if oneBody(string(r[:i]), string(r[i+1:])) {
			continue
		}
		if r[i] == r[0] && strings.ContainsRune("局委办部院联心", r[i-1]) && (!strings.ContainsRune("北南中场政域", r[i+1]) || r[i+2] == '府') && hasSuffix(string(r[i:])) {
			return true
		}
	}
	return false
}

// office reports an office whose name ends as a verb does: 县政协办, 市委财经办, 市督查办. The verb stands behind a whole
// name: 市司法局承办.
func office(r []rune) bool {
	n := len(r)
	if n < 3 || r[n-1] == '处' && r[n-2] != '查' {
		return false
	}
	if strings.ContainsRune("省市区县州旗镇乡", r[0]) {
		return n > 3 && !readsAsName(string(r[:n-2]))
	}
	return endsIn(string(r), "政协办", "科协办", "财经办", "公开办", "审批办", "督查办", "巡查办", "普查办", "检查办", "委会办")
}

// oneBody reports two names that together name one body: 县委县政府督查室, 市纪委市监委.
func oneBody(before, after string) bool {
	if endsIn(before, "纪委") && strings.HasPrefix(after, "监委") {
		return true
	}
	for _, gov := range []string{"政府", "人民政府"} {
		if office, ok := strings.CutPrefix(after, gov); ok && len([]rune(before)) == 2 && office != "" && office != "办公室" && office != "办" {
			return true
		}
	}
	return false
}

// fields are the branches of government whose department or organ goes by the branch: 财政部门, 公安机关.
var fields = []string{"财政", "教育", "教体", "公安", "司法", "民政", "人社", "人力资源社会保障", "人力资源和社会保障", "税务", "审计", "统计", "发改", "发展改革",
	"发展和改革", "工信", "工业和信息化", "经信", "科技", "科学技术", "商务", "文旅", "文化和旅游", "文化旅游", "卫健", "卫生健康", "卫生", "医保", "医疗保障",
	"应急", "应急管理", "消防", "消防救援", "住建", "住房城乡建设", "住房和城乡建设", "建设", "城管", "城市管理", "交通", "交通运输", "水利", "水务", "农业", "农业农村",
	"林业", "林草", "园林", "自然资源", "自然资源和规划", "规划", "国土", "生态环境", "环保", "市场监管", "市场监督", "药监", "执法监督", "行政执法监督", "审批", "行政审批", "政务服务", "大数据", "数据",
	"网信", "宣传", "组织", "统战", "编制", "机构编制", "纪检监察", "监察", "检察", "审判", "信访", "退役军人", "退役军人事务", "乡村振兴", "粮食", "能源", "国资", "金融",
	"地方金融", "气象", "地震", "邮政", "通信", "烟草", "民族宗教", "民宗", "外事", "人防", "体育", "广电", "新闻出版", "档案", "保密", "国安", "国家安全", "综合", "公积金",
	"知识产权", "海事", "渔业", "畜牧", "畜牧兽医", "农机", "水产", "铁路", "民航", "电力"}

// department reports 市财政部门, 司法行政机关, 自然资源主管部门, 区纪委监委机关: a word for one body, by its branch or its own name. 涉改部门
// and 本部门 are none.
func department(core string) bool {
	for _, noun := range []string{"部门", "机关"} {
		x, ok := strings.CutSuffix(core, noun)
		if !ok {
			continue
		}
		if noun == "机关" && x != "" && (isUnit(x) || endsIn(x, "党委", "纪委", "监委")) {
			return true
		}
		for _, place := range []string{"市级", "县级", "区级", "省级", "市", "县", "区", "省", "州", "旗", ""} {
			field, here := strings.CutPrefix(x, place)
			for here && field != "" {
				if slices.Contains(fields, field) {
					return true
				}
				field, here = trimBranch(field)
			}
		}
	}
	return false
}

// trimBranch takes one of the words off the end of a field that say what its department does.
func trimBranch(field string) (string, bool) {
	for _, w := range []string{"行政", "主管", "监管", "管理", "执法", "监督"} {
		if rest, ok := strings.CutSuffix(field, w); ok {
			return rest, true
		}
	}
	return field, false
}

func trimEnd(s string, ends ...string) string {
	for _, e := range ends {
		s = strings.TrimSuffix(s, e)
	}
	return s
}

// hasSuffix reports whether the name ends in a unit's suffix.
func hasSuffix(core string) bool {
	for _, x := range suffixes {
		if strings.HasSuffix(core, x) {
			return !endsIn(core, "格局", "布局", "结局", "大局", "全局", "城镇街道", "原单位", "两院")
		}
	}
	r := []rune(core)
	last := r[len(r)-1]
	if (last == '办' || last == '处') && office(r) {
		return true
	}
	if not, ok := tricky[last]; ok {
		return (len(r) > 2 || last == '办' || last == '部' || last == '联') && !endsIn(core, not...)
	}
	if endsIn(core, "科", "股") {
		return len(r) > 2 && !endsIn(core, "学科", "本科", "专科", "全科", "内科", "外科", "百科", "文科", "理科", "工科", "控股", "参股", "持股", "入股")
	}
	if strings.HasSuffix(core, "中央") {
		return len(r) >= 4 && endsIn(core, "团中央", "民革中央", "民盟中央", "民建中央")
	}
	return strings.HasPrefix(core, "中国") && endsIn(core, "移动", "联通", "电信", "铁塔", "石油", "石化", "邮政")
}

func endsIn(s string, ends ...string) bool {
	return slices.ContainsFunc(ends, func(e string) bool { return strings.HasSuffix(s, e) })
}

// cleanName reports whether the piece is made of characters that names are made of, with brackets in pairs.
func cleanName(s string) bool {
	depth := 0
	i := -1
	for _, r := range s {
		i++
		switch {
		case r == '(':
			depth++
		case r == ')':
			if depth--; depth < 0 {
				return false
			}
		case unicode.Is(unicode.Han, r), r == '“', r == '”', r >= '0' && r <= '9',
			r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r == '×', r == '╳', r == '○': // ××县: the name is left out
		case r == '·' && !hasSuffix("某"+outside(string([]rune(s)[:i]))): // 区司法局·区财政局 is no name
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
