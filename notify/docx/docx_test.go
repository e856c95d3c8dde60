package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// form is a 督办通知单 as it is issued.
func form() notice.Paper {
	return notice.Paper{
		Title: "督办通知单", Number: "崂法督〔2024〕12号", Addressee: "区交通运输局",
		Form: []notice.FormRow{
			{Label: "督办事项", Text: "第56项 典型案例报送（需报案例1篇）"},
			{Label: "依据", Text: "《崂山区提升行政执法质量实施方案》（青崂政办字〔2024〕14号）第56项，完成时限2024年9月13日"},
			{Label: "办理单位", Text: "区交通运输局（牵头）"},
			{Label: "督办情况", Text: "9月10日工作提示、9月18日催办函已送达，截至9月27日登记未办结，超9个工作日。", Tall: true},
			{Label: "办理要求", Text: "请报送典型案例1篇；确需延期的，请说明原因和拟完成日期。", Tall: true},
			{Label: "反馈时限", Text: "2024年10月10日"},
			{Label: "反馈方式", Text: "加盖公章后送区司法局执法监督科，或经办公系统报送"},
			{Label: "联系人", Text: "执法监督科 示例甲，电话0000-5550100"},
			{Label: "办理结果反馈", Heading: true},
			{Label: "办理情况", Tall: true},
			{Label: "未办结原因及拟完成日期", Tall: true},
			{Label: "负责人签字", Text: ""},
			{Label: "签收", Text: "签收人：　　　　　　　　　　年　　月　　日"},
		},
		Contact: "联系人：执法监督科 示例甲，电话0000-5550100", Issuer: "青岛市崂山区司法局", Date: civil.MustParse("2024-09-27"), Copies: "区政府办公室",
	}
}

// bulletin is a 通报 with paragraphs, points, tables and notes.
func bulletin() notice.Paper {
	table := &notice.Table{
		Columns: []notice.Column{{Name: "序号", Numeric: true}, {Name: "单位"}, {Name: "应报", Numeric: true}, {Name: "按时", Numeric: true}, {Name: "按时率"}, {Name: "未报事项"}, {Name: "状态"}},
		Rows: [][]notice.Cell{
			{{N: 1}, {Text: "区交通运输局"}, {N: 12}, {N: 10}, {Text: "83.3%（10/12）"}, {Text: "第56项典型案例报送；第24项文书与装备标准自查"}, {Text: "超期", Tone: notice.Red}},
			{{N: 2}, {Text: "区文化和旅游局"}, {N: 9}, {N: 9}, {Text: "100%（9/9）"}, {Text: "—"}, {Text: "按序时推进", Tone: notice.Green}},
			{{Text: "—"}, {Text: "合计", Tone: notice.Strong}, {N: 21}, {N: 19}, {Text: "90.5%（19/21）"}, {}, {}},
		},
	}
	return notice.Paper{
		Mark: "内部资料", Issue: "第3期", Title: "关于2024年第三季度提升行政执法质量重点任务办理情况的通报", Sub: "数据截至2024年9月30日18时",
		Addressee: "各镇街，区政府各部门",
		Opening:   []string{"根据《崂山区提升行政执法质量实施方案》（青崂政办字〔2024〕14号），现将第三季度办理情况通报如下。"},
		Sections: []notice.Section{
			{Heading: "总体情况", Paras: []string{"截至9月30日，共66项（318项次），已办结41项、占62.1%，超期2项、占3.0%，其余23项按序时推进、占34.9%。"}, Lines: []string{"应于本季度完成的21项次中，按时19项次。", "经批准延期1项次。"}},
			{Heading: "各单位情况", Table: table, Notes: []string{"注：按时率为按时项次除以应报项次；未到期、已延期、未送达的不计入。"}},
			{Heading: "下一步要求", Paras: []string{"请未办结单位于10月15日前报送，并说明原因。"}},
		},
		Closing: []string{"特此通报。"},
		Sheets:  []notice.Sheet{{Name: "全表"}}, File: "全表", Drafts: []notice.Draft{{File: "代拟稿"}},
		Contact: "联系人：执法监督科 示例甲，电话：0000-5550100", Issuer: "中共青岛市崂山区委全面依法治区委员会办公室", Date: civil.MustParse("2024-10-08"), Copies: "区委办公室、区人大常委会办公室",
	}
}

// awkward is a paper of texts that XML and a word processor can get wrong.
func awkward() notice.Paper {
	bad := []string{`<w:t>&amp;"'`, "控制\x00\x07\x1b符", "坏\xff\xfe", "两\n行\t制表", "\ufffe\uffff", " 前后有空 ", "😀", "", "]]>", strings.Repeat("长", 2000)}
	table := &notice.Table{Columns: []notice.Column{{Name: bad[0]}, {Name: bad[1], Numeric: true}}}
	for _, s := range bad {
		table.Rows = append(table.Rows, []notice.Cell{{Text: s, Tone: notice.Tone(s)}, {N: -1 << 62}, {Text: s}})
	}
	table.Rows = append(table.Rows, nil)
	form := []notice.FormRow{{Heading: true}}
	for _, s := range bad {
		form = append(form, notice.FormRow{Label: s, Text: s, Tall: len(s)%2 == 0, Heading: s == ""})
	}
	return notice.Paper{
		Mark: bad[0], Issue: bad[1], Number: bad[2], Title: bad[3], Sub: bad[4], Addressee: bad[5], Opening: bad, Form: form,
		Sections: []notice.Section{{Heading: bad[0], Paras: bad, Lines: bad, Table: table, Notes: bad}, {Table: &notice.Table{}}, {}},
		Closing:  bad, File: bad[0], Sheets: []notice.Sheet{{}}, Contact: bad[1], Issuer: strings.Repeat("长", 60), Copies: bad[2],
	}
}

func render(t *testing.T, p notice.Paper) []byte {
	t.Helper()
	b, err := Render(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parts unpacks a document and fails where a part is not well-formed, has no type, or says when it was made.
func parts(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		if i == 0 && f.Name != "[Content_Types].xml" || !f.Modified.IsZero() && f.Modified.Year() > 1980 {
			t.Errorf("part %d is %s of %v", i, f.Name, f.Modified)
		}
		for d := xml.NewDecoder(bytes.NewReader(data)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
		out[f.Name] = string(data)
	}
	for name := range out {
		if !strings.HasSuffix(name, ".rels") && name != "[Content_Types].xml" && !strings.Contains(out["[Content_Types].xml"], `"/`+name+`"`) {
			t.Errorf("part %s has no type", name)
		}
	}
	for _, rel := range []string{"styles", "settings", "fontTable", "footer1", "footer2"} {
		if !strings.Contains(out["word/_rels/document.xml.rels"], `Target="`+rel+`.xml"`) || out["word/"+rel+".xml"] == "" {
			t.Errorf("no part %s", rel)
		}
	}
	return out
}

// read is a document as a program reads it that knows nothing of how it was written: paragraphs with their styles, and
// tables by rows and cells.
type read struct {
	paras [][2]string
	rows  [][]string
}

func readBack(t *testing.T, document string) read {
	t.Helper()
	var out read
	var text strings.Builder
	style, depth := "", 0
	for d := xml.NewDecoder(strings.NewReader(document)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "tbl":
				depth++
			case "tr":
				out.rows = append(out.rows, nil)
			case "p", "tc":
				text.Reset()
			case "pStyle":
				style = e.Attr[0].Value
			case "br":
				text.WriteByte('\n')
			}
		case xml.CharData:
			if s := string(e); strings.TrimSpace(s) != "" {
				text.WriteString(s)
			}
		case xml.EndElement:
			switch {
			case e.Name.Local == "tbl":
				depth--
			case e.Name.Local == "tc":
				out.rows[len(out.rows)-1] = append(out.rows[len(out.rows)-1], text.String())
			case e.Name.Local == "p" && depth == 0 && style != "Gap":
				out.paras = append(out.paras, [2]string{style, text.String()})
			}
		}
	}
}

func TestThePaperReadsBack(t *testing.T) {
	got := readBack(t, parts(t, render(t, bulletin()))["word/document.xml"])
	want := [][2]string{
		{"Mark", "内部资料"},
		{"Title", "关于2024年第三季度提升行政执法质量重点任务办理情况的通报"},
		{"Under", "（第3期）"},
		{"Under", "数据截至2024年9月30日18时"},
		{"Addressee", "各镇街，区政府各部门："},
		{"BodyText", "根据《崂山区提升行政执法质量实施方案》（青崂政办字〔2024〕14号），现将第三季度办理情况通报如下。"},
		{"Heading1", "一、总体情况"},
		{"BodyText", "截至9月30日，共66项（318项次），已办结41项、占62.1%，超期2项、占3.0%，其余23项按序时推进、占34.9%。"},
		{"BodyText", "1. 应于本季度完成的21项次中，按时19项次。"},
		{"BodyText", "2. 经批准延期1项次。"},
		{"Heading1", "二、各单位情况"},
		{"Note", "注：按时率为按时项次除以应报项次；未到期、已延期、未送达的不计入。"},
		{"Heading1", "三、下一步要求"},
		{"BodyText", "请未办结单位于10月15日前报送，并说明原因。"},
		{"BodyText", "特此通报。"},
		{"FirstFile", "附件：1. 全表"},
		{"File", "2. 代拟稿"},
		{"Issuer", "中共青岛市崂山区委全面依法治区委员会办公室"},
		{"Date", "2024年10月8日"},
		{"Contact", "（联系人：执法监督科 示例甲，电话：0000-5550100）"},
		{"Copies", "抄送：区委办公室、区人大常委会办公室"},
	}
	if !slices.Equal(got.paras, want) {
		t.Errorf("paragraphs %q, want %q", got.paras, want)
	}
	table := bulletin().Sections[1].Table
	if len(got.rows) != len(table.Rows)+1 {
		t.Fatalf("%d rows", len(got.rows))
	}
	for j, c := range table.Columns {
		if got.rows[0][j] != c.Name {
			t.Errorf("heading %q, want %q", got.rows[0][j], c.Name)
		}
		for i := range table.Rows {
			if w := table.Words(i, j); got.rows[i+1][j] != w {
				t.Errorf("row %d: %q, want %q", i, got.rows[i+1][j], w)
			}
		}
	}
}

func TestTheFormReadsBack(t *testing.T) {
	p := form()
	document := parts(t, render(t, p))["word/document.xml"]
	got := readBack(t, document)
	want := [][2]string{
		{"Title", "督办通知单"},
		{"Under", "崂法督〔2024〕12号"},
		{"Addressee", "区交通运输局："},
		{"FormIssuer", "青岛市崂山区司法局"},
		{"Date", "2024年9月27日"},
		{"Copies", "抄送：区政府办公室"},
	}
	if !slices.Equal(got.paras, want) {
		t.Errorf("paragraphs %q, want %q", got.paras, want)
	}
	if len(got.rows) != len(p.Form) {
		t.Fatalf("%d rows, want %d", len(got.rows), len(p.Form))
	}
	for i, r := range p.Form {
		cells := []string{r.Label, r.Text}
		if r.Heading {
			cells = cells[:1]
		}
		if !slices.Equal(got.rows[i], cells) {
			t.Errorf("row %d: %q, want %q", i, got.rows[i], cells)
		}
	}
	// What is asked is signed above the answer's half.
	signed, answer := strings.Index(document, "青岛市崂山区司法局"), strings.Index(document, "办理结果反馈")
	if signed < 0 || answer < signed || strings.Count(document, "<w:tbl>") != 2 {
		t.Errorf("the signature stands at %d, the answer at %d", signed, answer)
	}
}

func TestTheLookIsThatOfOfficialPapers(t *testing.T) {
	p := parts(t, render(t, bulletin()))
	for part, must := range map[string][]string{
		"word/document.xml": {
			`<w:pgSz w:w="11906" w:h="16838"/>`, `w:top="2098" w:right="1474" w:bottom="1984" w:left="1587"`, "<w:tblHeader/>", `w:val="B3261E"`, `w:val="1B6E3C"`,
		},
		"word/styles.xml": {
			`w:eastAsia="方正小标宋简体"`, `w:eastAsia="仿宋_GB2312"`, `w:eastAsia="黑体"`, `<w:sz w:val="44"/>`, `<w:sz w:val="32"/>`, `w:line="560" w:lineRule="exact"`, `w:firstLineChars="200"`,
		},
		"word/fontTable.xml": {`<w:altName w:val="华文中宋"/>`, `<w:altName w:val="仿宋"/>`},
		"word/settings.xml":  {"<w:evenAndOddHeaders/>"},
		"word/footer1.xml":   {"－", " PAGE ", `<w:jc w:val="right"/>`},
		"word/footer2.xml":   {`<w:jc w:val="left"/>`},
		"docProps/core.xml":  {"<dc:creator>duban</dc:creator>"},
	} {
		for _, s := range must {
			if !strings.Contains(p[part], s) {
				t.Errorf("%s lacks %s", part, s)
			}
		}
	}
	if strings.Contains(p["docProps/core.xml"], "dcterms") {
		t.Error("the properties name a time")
	}
}

func TestAwkwardTextsStayTexts(t *testing.T) {
	document := parts(t, render(t, awkward()))["word/document.xml"]
	if got := readBack(t, document); !slices.Contains(got.paras, [2]string{"BodyText", `<w:t>&amp;"'`}) || !slices.Contains(got.paras, [2]string{"BodyText", "两\n行 制表"}) {
		t.Errorf("paragraphs %q", got.paras)
	}
	parts(t, render(t, notice.Paper{}))
}

func TestTheSamePaperGivesTheSameBytes(t *testing.T) {
	for _, p := range []notice.Paper{form(), bulletin(), awkward()} {
		first := render(t, p)
		for i := range 20 {
			if !bytes.Equal(render(t, p), first) {
				t.Fatalf("%s: written again %d times, other bytes", p.Title, i+1)
			}
		}
	}
}

func TestColumnsFillThePage(t *testing.T) {
	long := strings.Repeat("字", 80)
	for _, c := range []struct {
		cells []string
		check func(w []int) bool
	}{
		{[]string{"1", "区交通运输局", long}, func(w []int) bool { return w[1] >= 6*240 && w[2] > 3*w[1] }},
		{[]string{"1"}, func(w []int) bool { return w[0] == textWidth }},
		{slices.Repeat([]string{long}, 12), func(w []int) bool { return w[0] > 600 }},
		{slices.Repeat([]string{"1"}, 60), func(w []int) bool { return w[0] > 100 }},
	} {
		row := make([]notice.Cell, len(c.cells))
		for i, s := range c.cells {
			row[i].Text = s
		}
		w := columnWidths(notice.Table{Rows: [][]notice.Cell{row}}, len(row), 240, 140)
		sum := 0
		for _, x := range w {
			sum += x
		}
		if sum != textWidth || !c.check(w) {
			t.Errorf("%d cells: %v make %d", len(row), w, sum)
		}
	}
}

// TestARateIsNotBroken: the rates of a bulletin stand on two lines each, in columns that hold them, and a column has one look.
func TestARateIsNotBroken(t *testing.T) {
	columns := []notice.Column{{Name: "责任单位"}, {Name: "到期项次"}, {Name: "不计入"}, {Name: "计入"}, {Name: "按时办结"}, {Name: "逾期办结"}, {Name: "未办结"}, {Name: "按时办结率"}, {Name: "办结率"}}
	row := func(name, onTime, done string) []notice.Cell {
		cells := []notice.Cell{{Text: name}}
		for range 6 {
			cells = append(cells, notice.Cell{Text: "132"})
		}
		return append(cells, notice.Cell{Text: onTime}, notice.Cell{Text: done})
	}
	table := notice.Table{Columns: columns, Rows: [][]notice.Cell{
		row("示例市交通运输和港航管理局", "30/43（69.8%）", "100/132（75.8%）"), row("市水务局", "0/0（—）", "12/12（100%）"),
	}}
	w := columnWidths(table, len(columns), 180, 140)
	for _, j := range []int{7, 8} {
		if need := int(widest("（69.8%）", broad) * 180); w[j] < need+2*cellMargin {
			t.Errorf("column %d is %d wide, a share %d", j, w[j], need)
		}
	}
	if d := w[7] - w[8]; d < -180 || d > 180 {
		t.Errorf("the rates are %d and %d wide", w[7], w[8])
	}
	p := notice.Paper{Title: "通报", Sections: []notice.Section{{Table: &table}}}
	document := parts(t, render(t, p))["word/document.xml"]
	if !strings.Contains(document, `30/43</w:t><w:br/><w:t xml:space="preserve">（69.8%）`) {
		t.Error("the share does not stand below its fraction")
	}
	if n := strings.Count(document, `<w:jc w:val="left"/>`); n != 2 {
		t.Errorf("%d cells begin at the left, want both names", n)
	}
	for _, s := range []string{"83.3%（10/12）", "区局（3家）", "3/4", "（69.8%）", "2024年6月（15日）"} {
		if got := shown(notice.Table{Rows: [][]notice.Cell{{{Text: s}}}}, 0, 0); got != s {
			t.Errorf("%q is shown as %q", s, got)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("标题", "一\n二", true)
	f.Add("<&>", "\x00\xff", false)
	f.Fuzz(func(t *testing.T, a, b string, flag bool) {
		p := notice.Paper{
			Title: a, Issuer: b, Date: civil.MustParse("2024-09-27"), Copies: a, Opening: []string{a, b},
			Form:     []notice.FormRow{{Label: a, Text: b, Tall: flag}, {Label: b, Heading: flag}},
			Sections: []notice.Section{{Heading: a, Lines: []string{b}, Table: &notice.Table{Columns: []notice.Column{{Name: a, Numeric: flag}}, Rows: [][]notice.Cell{{{Text: b}, {Text: a}}}}}},
		}
		readBack(t, parts(t, render(t, p))["word/document.xml"])
	})
}

// office finds LibreOffice. Without it the test is skipped, unless DUBAN_REQUIRE_LIBREOFFICE=1 says that it has to be there.
func office(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("soffice")
	if err != nil {
		if os.Getenv("DUBAN_REQUIRE_LIBREOFFICE") == "1" {
			t.Fatalf("DUBAN_REQUIRE_LIBREOFFICE is set and there is no soffice: %v", err)
		}
		t.Skipf("NOT TESTED: no soffice to open the document with (DUBAN_REQUIRE_LIBREOFFICE=1 makes this a failure): %v", err)
	}
	return path
}

func TestLibreOfficeReadsThePaper(t *testing.T) {
	soffice, dir := office(t), t.TempDir()
	path := filepath.Join(dir, "paper.docx")
	if err := os.WriteFile(path, render(t, bulletin()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless",
		"--convert-to", "txt:Text (encoded):UTF8", "--outdir", dir, path)
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "paper.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"（第3期）", "一、总体情况", "1. 应于本季度完成的21项次中，按时19项次。", "83.3%（10/12）", "附件：1. 全表", "2024年10月8日", "抄送：区委办公室"} {
		if !strings.Contains(string(text), must) {
			t.Errorf("LibreOffice does not show %s", must)
		}
	}
}
