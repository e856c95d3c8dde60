package testdata

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"net/mail"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/unicode/norm"
)

var jurisdictions = []string{"laoshan", "changji", "sishui", "jinan", "gangcheng"}

// sheet is a table read the plain way: labelled rows, a header, and the rows below it by column name.
type sheet struct {
	labels map[string]string
	header []string
	rows   []map[string]string
	merged map[string]string // first cell → range, xlsx only
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(FS, path.Join("plans", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parse splits raw rows at the header, which is the row that starts with first. Rows that start with 注 are notes.
func parse(t *testing.T, raw [][]string, first string) sheet {
	t.Helper()
	s := sheet{labels: map[string]string{}}
	for _, r := range raw {
		switch {
		case len(r) == 0 || strings.Join(r, "") == "" || strings.HasPrefix(r[0], "注"):
		case r[0] == first:
			s.header = r
		case s.header == nil:
			s.labels[r[0]] = ""
			if len(r) > 1 {
				s.labels[r[0]] = r[1]
			}
		default:
			row := map[string]string{}
			for i, v := range r {
				row[s.header[i]] = v
			}
			s.rows = append(s.rows, row)
		}
	}
	if s.header == nil {
		t.Fatalf("no header row starting with %s", first)
	}
	return s
}

func readCSV(t *testing.T, b []byte, first string) sheet {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = -1
	raw, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw, first)
}

func readTable(t *testing.T, name, first string) sheet {
	t.Helper()
	b := readFile(t, name)
	if !utf8.Valid(b) {
		t.Fatalf("%s is not UTF-8", name)
	}
	return readCSV(t, b, first)
}

func readPlan(t *testing.T, jurisdiction string) sheet {
	t.Helper()
	switch jurisdiction {
	case "laoshan":
		return readLaoshan(t)
	case "changji":
		b, ok := bytes.CutPrefix(readFile(t, "changji/plan.csv"), []byte("\xef\xbb\xbf"))
		if !ok {
			t.Fatal("changji/plan.csv has no BOM")
		}
		return readCSV(t, b, "序号")
	case "sishui":
		b := readFile(t, "sishui/plan.csv")
		if utf8.Valid(b) {
			t.Fatal("sishui/plan.csv is UTF-8, want GB18030")
		}
		b, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
		if err != nil || bytes.ContainsRune(b, utf8.RuneError) {
			t.Fatalf("sishui/plan.csv is not clean GB18030: %v", err)
		}
		return readCSV(t, b, "序号")
	}
	return readTable(t, jurisdiction+"/plan.csv", "序号")
}

func readLaoshan(t *testing.T) sheet {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(readFile(t, "laoshan/plan.xlsx")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := f.GetRows("台账")
	if err != nil {
		t.Fatal(err)
	}
	s := parse(t, raw, "序号")
	cells, err := f.GetMergeCells("台账")
	if err != nil {
		t.Fatal(err)
	}
	s.merged = map[string]string{}
	for _, c := range cells {
		s.merged[c.GetStartAxis()] = c.GetEndAxis()
	}
	return s
}

// row returns the row whose 编号, else 序号, is code.
func (s sheet) row(t *testing.T, code string) map[string]string {
	t.Helper()
	for _, r := range s.rows {
		if rowCode(r) == code {
			return r
		}
	}
	t.Fatalf("no row %s", code)
	return nil
}

func rowCode(r map[string]string) string {
	if c := r["编号"]; c != "" {
		return c
	}
	return r["序号"]
}

// pick returns the cell under the first of the headings that the table has.
func pick(r map[string]string, headings ...string) string {
	for _, h := range headings {
		if v, ok := r[h]; ok {
			return v
		}
	}
	return ""
}

func deadlineOf(r map[string]string) string { return pick(r, "完成时限", "时间节点") }

func titleOf(r map[string]string) string {
	return pick(r, "具体措施", "任务措施", "工作任务", "主要任务", "主要举措")
}

func split(cell string) []string {
	return strings.FieldsFunc(norm.NFKC.String(cell), func(r rune) bool { return strings.ContainsRune("、,;及", r) })
}

// names maps every unit, group and alias of a jurisdiction, width-folded, to its code.
func names(t *testing.T, units sheet) map[string]string {
	t.Helper()
	to := map[string]string{}
	for _, u := range units.rows {
		for _, n := range append(strings.Split(u["别名"], "、"), u["名称"], u["全称"]) {
			if n == "" {
				continue
			}
			n = norm.NFKC.String(n)
			if old, ok := to[n]; ok && old != u["编码"] {
				t.Errorf("%s names both %s and %s", n, old, u["编码"])
			}
			to[n] = u["编码"]
		}
	}
	return to
}

func TestPlansHaveTheirRows(t *testing.T) {
	for _, c := range []struct {
		jurisdiction, code, number, issued string
		first                              int // rows numbered 1..first, one each; 0 where 序号 numbers duties
		duties                             int
	}{
		{"laoshan", "zfzl2024", "青崂政办字〔2024〕14号", "2024-07-08", 66, 66},
		{"changji", "zfzl2024", "昌市政办发〔2024〕23号", "2024-06-05", 0, 18},
		{"sishui", "zfzl2023-2025", "", "2024-04-12", 0, 18},
		{"jinan", "zfzl2024", "", "2024-08-09", 15, 15},
		{"gangcheng", "zfjd2022", "钢城政发〔2022〕6号", "2022-11-18", 0, 24},
	} {
		t.Run(c.jurisdiction, func(t *testing.T) {
			s := readPlan(t, c.jurisdiction)
			if _, ok := s.labels["文号"]; !ok {
				t.Error("no row 文号")
			}
			for k, want := range map[string]string{"方案代码": c.code, "文号": c.number, "印发日期": c.issued} {
				if s.labels[k] != want {
					t.Errorf("%s is %q, want %q", k, s.labels[k], want)
				}
			}
			if s.labels["方案名称"] == "" {
				t.Error("no plan title")
			}
			if c.first > 0 && len(s.rows) != c.first {
				t.Fatalf("%d rows, want %d", len(s.rows), c.first)
			}
			duties := map[string]bool{}
			codes := map[string]bool{}
			for i, r := range s.rows {
				if c.first > 0 && r["序号"] != fmt.Sprint(i+1) {
					t.Errorf("row %d is numbered %s", i+1, r["序号"])
				}
				if codes[rowCode(r)] {
					t.Errorf("row code %s twice", rowCode(r))
				}
				codes[rowCode(r)] = true
				duties[r["序号"]] = true
			}
			for n := range c.duties {
				if !duties[fmt.Sprint(n+1)] {
					t.Errorf("duty %d is missing", n+1)
				}
			}
		})
	}
}

func TestPlanCells(t *testing.T) {
	categories := []string{"", "长期", "人员", "逐案", "检查"}
	for _, j := range jurisdictions {
		t.Run(j, func(t *testing.T) {
			s := readPlan(t, j)
			known := names(t, readTable(t, j+"/units.csv", "类型"))
			for _, r := range s.rows {
				code, title := rowCode(r), titleOf(r)
				if n := utf8.RuneCountInString(title); n < 8 || n > 24 {
					t.Errorf("row %s: title %q has %d characters", code, title, n)
				}
				if !slices.Contains(categories, r["事项类别"]) {
					t.Errorf("row %s: category %q", code, r["事项类别"])
				}
				if deadlineOf(r) == "" && r["事项类别"] == "" {
					t.Errorf("row %s: neither a deadline nor a category", code)
				}
				if j != "laoshan" && r["事项类别"] == "" && r["成果形式"] == "" {
					t.Errorf("row %s: dated, but names no deliverable", code)
				}
				parties := 0
				for _, h := range []string{"牵头单位", "责任单位", "配合单位"} {
					for _, n := range split(r[h]) {
						parties++
						n = strings.TrimSuffix(n, "等行政执法机关")
						if known[n] == "" {
							t.Errorf("row %s: %s names %q, which units.csv does not know", code, h, n)
						}
					}
				}
				if parties == 0 {
					t.Errorf("row %s: no unit", code)
				}
				for _, n := range split(r["应报单位"]) {
					if known[n] == "" && r[n] == "" {
						t.Errorf("row %s: 应报单位 %q is neither a unit nor a filled column", code, n)
					}
				}
			}
		})
	}
}

func TestVerbatimCells(t *testing.T) {
	for _, c := range []struct{ jurisdiction, row, column, want string }{
		{"laoshan", "1", "责任单位", "各行政执法机关"},
		{"laoshan", "3", "责任单位", "区城市管理局、区综合执法局、区交通运输局、区农业农村局、区文化和旅游局、区应急局、区市场监管局"},
		{"laoshan", "4", "完成时限", "2024年5月底前,长期坚持"},
		{"laoshan", "8", "完成时限", "2024年12月底前,长期坚持"},
		{"laoshan", "10", "完成时限", "机构改革完成后6个月内"},
		{"laoshan", "17", "成果形式", "突出问题清单；整改情况报告"},
		{"laoshan", "17", "报送对象", "区司法局"},
		{"laoshan", "18", "责任单位", "区司法局,各行政执法机关"},
		{"laoshan", "18", "应报单位", "区司法局"},
		{"laoshan", "25", "责任单位", "各司法局,各行政执法机关"},
		{"laoshan", "25", "完成时限", "2024年底前取得阶段性成效,长期坚持"},
		{"laoshan", "31", "完成时限", "按照国家和省、市要求时限,长期坚持"},
		{"laoshan", "35", "责任单位", "各行政执法机关、崂山公安分局"},
		{"laoshan", "38", "责任单位", "区交通运输局、崂山生态环境分局、区综合执法局、区农业农村局、区自然资源局等行政执法机关"},
		{"laoshan", "55", "责任单位", "区司法局,区行政执法机关"},
		{"laoshan", "56", "责任单位", "区司法局、各行政执法机关"},
		{"laoshan", "58", "一级任务", "五、健全\n监督体系,提升行政执法监督质效"},
		{"laoshan", "60", "责任单位", "区司法局,各相关成员单位"},
		{"laoshan", "66", "完成时限", "2025年10月底前"},
		{"changji", "1", "完成时限", "全年开展会前讲法不少于12次"},
		{"changji", "4", "完成时限", "不少于4次的专业法律和业务知识培训,确保2024年12月前全面完成"},
		{"changji", "5", "责任单位", "各行政执法单位"},
		{"changji", "5", "完成时限", "每年10月前"},
		{"changji", "8", "完成时限", "每年召开行政执法协调小组全体会议不少于1次"},
		{"changji", "9", "配合单位", "行政执法单位"},
		{"changji", "11-1", "责任单位", "市司法局及各行政执法单位、乡镇(街道)"},
		{"changji", "12", "完成时限", "力争2024年底前"},
		{"sishui", "3", "完成时限", "2024年6月前完成全员轮训"},
		{"sishui", "6", "牵头单位", "县司法局"},
		{"sishui", "6", "责任单位", "各镇街、各行政执法部门"},
		{"sishui", "6", "完成时限", "于每月25日前"},
		{"sishui", "6", "报送对象", "县司法局"},
		{"sishui", "8", "完成时限", "在作出之日起7个工作日内公示"},
		{"sishui", "9", "完成时限", "20个工作日内公示"},
		{"sishui", "16-1", "责任单位", "各镇（街道）、各行政执法部门"},
		{"gangcheng", "4", "完成时限", "2022年11月底前"},
		{"gangcheng", "9", "牵头单位", "区司法局、区纪委监委机关、区检察院、市公安局钢城区分局"},
		{"gangcheng", "21", "责任单位", "区财政局、区大数据局，各街道（功能区）、区级各行政执法部门"},
		{"gangcheng", "21", "完成时限", "2022年12月底前取得阶段性成果，2023年12月底前完成"},
		{"jinan", "3", "催办方式", "不发"},
		{"jinan", "1", "完成时限", ""},
	} {
		r := readPlan(t, c.jurisdiction).row(t, c.row)
		got := r[c.column]
		if c.column == "完成时限" {
			got = deadlineOf(r)
		}
		if got != c.want {
			t.Errorf("%s row %s %s is %q, want %q", c.jurisdiction, c.row, c.column, got, c.want)
		}
	}
}

func TestLaoshanHeadingsAreMerged(t *testing.T) {
	s := readLaoshan(t)
	for from, to := range map[string]string{"B6": "B8", "C6": "C8", "B22": "B25", "C22": "C24"} {
		if s.merged[from] != to {
			t.Errorf("merge from %s ends at %q, want %s", from, s.merged[from], to)
		}
	}
	blank, deliverables := 0, 0
	for _, r := range s.rows {
		if r["一级任务"] == "" {
			blank++
		}
		if r["成果形式"] != "" {
			deliverables++
		}
	}
	if blank != 47 {
		t.Errorf("%d rows leave the first heading to the one above, want 47", blank)
	}
	if deliverables < 25 {
		t.Errorf("%d rows name a deliverable, want at least 25", deliverables)
	}
}

func TestUnits(t *testing.T) {
	asciiCode := regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	for _, j := range jurisdictions {
		t.Run(j, func(t *testing.T) {
			s := readTable(t, j+"/units.csv", "类型")
			if s.labels["行政区域代码"] != j || s.labels["启用日期"] != "2024-01-01" {
				t.Errorf("labels are %v", s.labels)
			}
			if names(t, s)[s.labels["主管司法局"]] == "" {
				t.Errorf("the bureau %q is not a unit", s.labels["主管司法局"])
			}
			members, units, noDeputy, codes := map[string]int{}, 0, 0, map[string]bool{}
			for _, u := range s.rows {
				if !asciiCode.MatchString(u["编码"]) || codes[u["编码"]] {
					t.Errorf("%s: code %q is malformed or taken", u["名称"], u["编码"])
				}
				codes[u["编码"]] = true
				if u["类型"] == "单位组" {
					members[u["名称"]] += 0
				}
			}
			for _, u := range s.rows {
				if u["类型"] != "单位" {
					continue
				}
				units++
				for _, g := range strings.Split(u["所属单位组"], "、") {
					if g == "" {
						continue
					}
					if _, ok := members[g]; !ok {
						t.Errorf("%s belongs to %q, which is no group", u["名称"], g)
					}
					members[g]++
				}
				if u["分管负责人邮箱"] == "" {
					noDeputy++
				}
				checkUnit(t, u)
			}
			if units < 20 {
				t.Errorf("%d units, want at least 20", units)
			}
			if noDeputy > 1 {
				t.Errorf("%d units without a deputy, want at most one", noDeputy)
			}
			if len(members) == 0 {
				t.Error("no groups")
			}
			for g, n := range members {
				if n == 0 {
					t.Errorf("group %s has no members", g)
				}
			}
		})
	}
}

// checkUnit looks at what every unit row must carry.
func checkUnit(t *testing.T, u map[string]string) {
	t.Helper()
	if u["全称"] == "" || u["称谓"] == "" || u["联络员"] == "" || u["联络员邮箱"] == "" {
		t.Errorf("%s: a full name, honorific or liaison is missing", u["名称"])
	}
	if !slices.Contains([]string{"发函", "仅知悉", "人工", "不发"}, u["催办方式"]) {
		t.Errorf("%s: 催办方式 is %q", u["名称"], u["催办方式"])
	}
	if !strings.HasPrefix(u["联络员电话"], "0000-555") {
		t.Errorf("%s: telephone %q is not plainly fictitious", u["名称"], u["联络员电话"])
	}
	for _, h := range []string{"联络员邮箱", "分管负责人邮箱", "主要负责人邮箱", "法制联系人邮箱", "人事联系人邮箱"} {
		if v := u[h]; v != "" && !reserved(v) {
			t.Errorf("%s: %s %q is not at a reserved domain", u["名称"], h, v)
		}
	}
}

// reserved says whether an address is well formed and at a domain reserved for examples (RFC 2606).
func reserved(address string) bool {
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address {
		return false
	}
	domain := address[strings.LastIndexByte(address, '@')+1:]
	return strings.HasSuffix(domain, ".example") ||
		slices.Contains([]string{"example.com", "example.org", "example.net"}, domain)
}

func TestReserved(t *testing.T) {
	for address, want := range map[string]bool{
		"a@jtj.laoshan.example": true, "a@example.org": true,
		"a@example.cn": false, "a@notexample.com": false, "a@example.com.cn": false, "甲 <a@x.example>": false, "": false,
	} {
		if reserved(address) != want {
			t.Errorf("reserved(%q) is %t", address, !want)
		}
	}
}

func TestSharedLiaison(t *testing.T) {
	at := map[string][]string{}
	for _, u := range readTable(t, "laoshan/units.csv", "类型").rows {
		if u["类型"] == "单位" {
			at[u["联络员"]+u["联络员邮箱"]] = append(at[u["联络员"]+u["联络员邮箱"]], u["名称"])
		}
	}
	var shared [][]string
	for _, units := range at {
		if len(units) > 1 {
			shared = append(shared, units)
		}
	}
	if len(shared) != 1 || !slices.Equal(shared[0], []string{"区城市管理局", "区综合执法局"}) {
		t.Errorf("units with a shared liaison: %v", shared)
	}
}

func TestPeople(t *testing.T) {
	date := regexp.MustCompile(`^20\d\d-[01]\d-[0-3]\d$`)
	for _, j := range jurisdictions {
		t.Run(j, func(t *testing.T) {
			known := names(t, readTable(t, j+"/units.csv", "类型"))
			s := readTable(t, j+"/people.csv", "人员编号")
			if s.labels["行政区域代码"] != j {
				t.Errorf("行政区域代码 is %q", s.labels["行政区域代码"])
			}
			if n := len(s.rows); n < 15 || n > 40 {
				t.Errorf("%d people, want 15 to 40", n)
			}
			keys, duties, states := map[string]bool{}, map[string]bool{}, map[string]bool{}
			for _, p := range s.rows {
				if keys[p["人员编号"]] {
					t.Errorf("%s twice", p["人员编号"])
				}
				keys[p["人员编号"]], duties[p["在岗状态"]], states[p["证件状态"]] = true, true, true
				if known[norm.NFKC.String(p["单位"])] == "" {
					t.Errorf("%s: unknown unit %q", p["人员编号"], p["单位"])
				}
				applicant := p["在岗状态"] == "新申领"
				if applicant != (p["执法证号"] == "") || !applicant && !date.MatchString(p["证件有效期至"]) {
					t.Errorf("%s: certificate %q, valid to %q", p["人员编号"], p["执法证号"], p["证件有效期至"])
				}
				held := p["证件状态"] == "暂扣"
				if held && (!date.MatchString(p["暂扣起"]) || p["暂扣止"] <= p["暂扣起"]) || !held && p["暂扣起"]+p["暂扣止"] != "" {
					t.Errorf("%s: suspended from %q to %q", p["人员编号"], p["暂扣起"], p["暂扣止"])
				}
			}
			for _, want := range []string{"在岗", "离岗", "新申领"} {
				if !duties[want] {
					t.Errorf("nobody is %s", want)
				}
			}
			for _, want := range []string{"有效", "暂扣", "注销"} {
				if !states[want] {
					t.Errorf("no certificate is %s", want)
				}
			}
		})
	}
}

// Attendances are of people of the roster, under their names.
func TestTraining(t *testing.T) {
	date := regexp.MustCompile(`^2024-[01]\d-[0-3]\d$`)
	for _, j := range jurisdictions {
		t.Run(j, func(t *testing.T) {
			people, seen, exams, aims := map[string]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
			for _, p := range readTable(t, j+"/people.csv", "人员编号").rows {
				people[p["人员编号"]] = p["姓名"]
			}
			s := readTable(t, j+"/training.csv", "人员编号")
			if s.labels["行政区域代码"] != j {
				t.Errorf("行政区域代码 is %q", s.labels["行政区域代码"])
			}
			for _, k := range s.rows {
				if people[k["人员编号"]] == "" || people[k["人员编号"]] != k["姓名"] {
					t.Errorf("%s is not %s", k["人员编号"], k["姓名"])
				}
				once := k["人员编号"] + k["班次编号"]
				if k["班次编号"] == "" {
					once += k["课程"] + k["培训日期"]
				}
				if seen[once] || !date.MatchString(k["培训日期"]) || k["课程"] == "" {
					t.Errorf("%v", k)
				}
				seen[once], exams[k["考核"]], aims[k["培训对象"]] = true, true, true
			}
			if !exams["合格"] || !exams[""] || !aims["在岗"] || !aims["离岗"] || !aims["新申领"] {
				t.Errorf("assessments %v, aims %v", exams, aims)
			}
		})
	}
}

func TestReadme(t *testing.T) {
	if n := bytes.Count(readFile(t, "README.md"), []byte("\n")); n > 60 {
		t.Errorf("README.md has %d lines, want at most 60", n)
	}
}
