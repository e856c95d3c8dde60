package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"duban/notify/notice"
)

// everything is the table that a digest sends along, with so many rows.
func everything(rows int) notice.Sheet {
	t := notice.Table{Columns: []notice.Column{
		{Name: "序号", Numeric: true},
		{Name: "任务内容", Width: 40},
		{Name: "责任单位"},
		{Name: "角色"},
		{Name: "完成时限"},
		{Name: "依据"},
		{Name: "状态"},
		{Name: "剩余工作日", Numeric: true},
		{Name: "提醒"},
		{Name: "催办"},
		{Name: "送达"},
		{Name: "下一步"},
	}}
	states := []notice.Cell{{Text: "未启动"}, {Text: "超期", Tone: notice.Red}, {Text: "滞后序时进度", Tone: notice.Yellow}, {Text: "已办结", Tone: notice.Green}, {Text: "合计", Tone: notice.Strong}}
	for i := range rows {
		t.Rows = append(t.Rows, []notice.Cell{
			{N: int64(i + 1)}, {Text: fmt.Sprintf("组织开展行政执法案卷评查和突出问题专项整治第%d项", i+1)}, {Text: "区综合行政执法局"}, {Text: "牵头"},
			{Text: "2024年9月30日"}, {Text: "2024年9月底前取得阶段性成效，长期坚持"}, states[i%len(states)], {N: int64(3 - i)},
			{Text: "9月10日、9月14日"}, {Text: "9月18日"}, {Text: "已送达，未回复"}, {Text: "今日催办"},
		})
	}
	return notice.Sheet{Name: "全表", Title: "崂山区提升行政执法质量事项全表", Table: t}
}

// awkward is a table of what a register can hold and a workbook can get wrong.
func awkward() notice.Sheet {
	t := notice.Table{Columns: []notice.Column{{Name: "内容"}, {Name: "数", Numeric: true}, {Name: "=A1"}}}
	for _, s := range []string{
		"=SUM(A1:A9)", "+1", "-1", "@A1", "=cmd|' /C calc'!A0", "\t=1", "'=1", "2024-09-30", "9/30", "1e5", "00123", "370211198001010011", "TRUE", "<b>&amp;\"'", "_x0041_",
		" 前后有空 ", "两\n行", "😀", "%n", "{{.}}", "", strings.Repeat("长", 900),
	} {
		t.Rows = append(t.Rows, []notice.Cell{{Text: s}, {N: int64(len(t.Rows)) - 5}, {Text: "—", Tone: notice.Tone("unknown")}})
	}
	t.Rows = append(t.Rows, []notice.Cell{{Text: "短"}}, nil, []notice.Cell{{Text: "长"}, {Text: "未报"}, {Text: "c"}, {Text: "多"}}, []notice.Cell{{}, {N: 1 << 53}, {}}, []notice.Cell{{}, {N: -mostDigits + 1}, {}})
	return notice.Sheet{Name: "a/b:c*d?e[f]'g'\\很长的名称很长的名称很长的名称很长的名称", Table: t}
}

func write(t *testing.T, sheets ...notice.Sheet) []byte {
	t.Helper()
	out, err := Workbook(sheets)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func open(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestEveryCellReadsBack(t *testing.T) {
	sheets := []notice.Sheet{everything(37), awkward(), {Name: "空", Table: notice.Table{Columns: []notice.Column{{Name: "甲"}, {Name: "乙"}}}}, {}}
	f := open(t, write(t, sheets...))
	if got := f.GetSheetList(); len(got) != len(sheets) {
		t.Fatalf("sheets %q", got)
	}
	for i, name := range f.GetSheetList() {
		s, head := sheets[i], 1
		if s.Title != "" {
			head = 2
			if got := cellOf(t, f, name, 1, 1); got != s.Title {
				t.Errorf("%s: title %q", name, got)
			}
		}
		for j, c := range s.Columns {
			if got := cellOf(t, f, name, head, j+1); got != c.Name {
				t.Errorf("%s: heading %d is %q, want %q", name, j+1, got, c.Name)
			}
		}
		for r, row := range s.Rows {
			for j := range row {
				at, err := excelize.CoordinatesToCellName(j+1, head+1+r)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := cellOf(t, f, name, head+1+r, j+1), s.Words(r, j); got != want {
					t.Errorf("%s %s: %q, want %q", name, at, got, want)
				}
				if formula := formulaOf(t, f, name, at); formula != "" {
					t.Errorf("%s %s holds the formula %q", name, at, formula)
				}
				kind, err := f.GetCellType(name, at)
				if err != nil {
					t.Fatal(err)
				}
				number := j < len(s.Columns) && s.Columns[j].Numeric && row[j].Text == "" && row[j].N < mostDigits
				if number != (kind == excelize.CellTypeUnset) && (number || row[j].Text != "") {
					t.Errorf("%s %s is of type %d, a number: %v", name, at, kind, number)
				}
			}
		}
	}
}

func formulaOf(t *testing.T, f *excelize.File, sheet, at string) string {
	t.Helper()
	s, err := f.GetCellFormula(sheet, at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cellOf(t *testing.T, f *excelize.File, sheet string, row, column int) string {
	t.Helper()
	at, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.GetCellValue(sheet, at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parts unpacks a workbook and fails where a part is not well-formed, or says when it was made.
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
		d := xml.NewDecoder(bytes.NewReader(data))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
		out[f.Name] = string(data)
	}
	return out
}

func TestSheetsAreSetUp(t *testing.T) {
	p := parts(t, write(t, everything(12), notice.Sheet{Name: "次", Table: everything(1).Table}))
	for part, must := range map[string][]string{
		"xl/worksheets/sheet1.xml": {
			`<dimension ref="A1:L14">`, `<pane activePane="bottomLeft" state="frozen" topLeftCell="A3" ySplit="2">`, `<autoFilter ref="$A$2:$L$14">`,
			`<mergeCell ref="A1:L1"/>`, `fitToWidth="1"`, `fitToHeight="0"`, `orientation="landscape"`, `paperSize="9"`, `fitToPage="true"`, "&amp;P",
			`<col min="2" max="2" width="40" customWidth="1"/>`, `<col min="3" max="3" width="18" customWidth="1"/>`, `<col min="1" max="1" width="7" customWidth="1"/>`,
			`<c r="H3" s="`, `<v>3</v>`, `<c r="E3" s="`, `<is><t>2024年9月30日</t></is>`,
		},
		"xl/worksheets/sheet2.xml": {`ySplit="1"`, `<autoFilter ref="$A$1:$L$2">`},
		"xl/workbook.xml":          {"!$2:$2", "!$1:$1", "_xlnm.Print_Titles", "_xlnm._FilterDatabase"},
		"xl/styles.xml":            {`wrapText="true"`, "FBE0DD", "FFF2CC", "E2F0D9", "DCE6F1", "宋体"},
		"docProps/core.xml":        {"<dc:creator>duban</dc:creator>"},
	} {
		for _, s := range must {
			if !strings.Contains(p[part], s) {
				t.Errorf("%s lacks %s", part, s)
			}
		}
	}
	for _, never := range []string{"dcterms:created", "xuri"} {
		if strings.Contains(p["docProps/core.xml"], never) {
			t.Errorf("the properties hold %s", never)
		}
	}
}

// TestSortingLeavesTheTotal: the filter ends above the rows that sum up, and columns stand in their order in the file.
func TestSortingLeavesTheTotal(t *testing.T) {
	strong := func(text string) notice.Cell { return notice.Cell{Text: text, Tone: notice.Strong} }
	s := notice.Sheet{Name: "表", Table: notice.Table{
		Columns: []notice.Column{{Name: "单位", Width: 26}, {Name: "应报", Width: 10, Numeric: true}, {Name: "已报", Width: 12, Numeric: true}},
		Rows: [][]notice.Cell{
			{{Text: "区交通运输局"}, {N: 3}, {N: 2}}, {strong("小计"), {N: 3}, {N: 2}}, {{Text: "区水务局"}, {N: 1}, {N: 1}}, {strong("合计"), {N: 4}, {N: 3}},
		},
	}}
	only := notice.Sheet{Name: "合计", Table: notice.Table{Columns: s.Columns, Rows: s.Rows[3:]}}
	p := parts(t, write(t, s, only))
	for part, must := range map[string][]string{
		"xl/worksheets/sheet1.xml": {`<autoFilter ref="$A$1:$C$4">`, `<dimension ref="A1:C5">`},
		"xl/worksheets/sheet2.xml": {`<autoFilter ref="$A$1:$C$2">`},
	} {
		for _, s := range must {
			if !strings.Contains(p[part], s) {
				t.Errorf("%s lacks %s", part, s)
			}
		}
	}
	var at []int
	for _, column := range []string{`<col min="1"`, `<col min="2"`, `<col min="3"`} {
		at = append(at, strings.Index(p["xl/worksheets/sheet1.xml"], column))
	}
	if at[0] < 0 || !slices.IsSorted(at) {
		t.Errorf("the columns stand at %v", at)
	}
}

func TestTonesColourTheirWords(t *testing.T) {
	f := open(t, write(t, everything(5)))
	want := []string{"", "FBE0DD", "FFF2CC", "E2F0D9", ""}
	for i, fill := range want {
		id, err := f.GetCellStyle("全表", "G"+strconv.Itoa(i+3))
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.Fill.Color, ""); got != fill || s.Font.Bold != (i > 0) || s.NumFmt != textFormat {
			t.Errorf("row %d: fill %q, font %+v, format %d", i, got, s.Font, s.NumFmt)
		}
	}
}

func TestSheetNames(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"全表", "全表", "全表"}, []string{"全表", "全表（2）", "全表（3）"}},
		{[]string{"", " ", "\x00"}, []string{"表1", "表2", "表3"}},
		{[]string{"a", "A"}, []string{"a", "A（2）"}},
		{[]string{"a/b:c*d?e[f]\\g"}, []string{"a_b_c_d_e_f__g"}},
		{[]string{"'引'"}, []string{"’引’"}},
		{[]string{"History"}, []string{"History（2）"}},
		{[]string{strings.Repeat("长", 40), strings.Repeat("长", 41)}, []string{strings.Repeat("长", 31), strings.Repeat("长", 28) + "（2）"}},
		{[]string{strings.Repeat("😀", 20)}, []string{strings.Repeat("😀", 15)}},
		{[]string{"\xff坏"}, []string{"坏"}},
	} {
		var sheets []notice.Sheet
		for _, n := range c.in {
			sheets = append(sheets, notice.Sheet{Name: n, Table: notice.Table{Columns: []notice.Column{{Name: "甲"}}}})
		}
		if got := names(sheets); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
		if got := open(t, write(t, sheets...)).GetSheetList(); !slices.Equal(got, c.want) {
			t.Errorf("%q are read as %q", c.in, got)
		}
	}
}

func TestWidths(t *testing.T) {
	table := notice.Table{
		Columns: []notice.Column{{Name: "序号"}, {Name: "任务内容"}, {Name: "x", Width: 12.5}, {Name: "y", Width: 999}, {Name: "很长很长很长很长很长很长的表头"}, {Name: "数", Numeric: true}},
		Rows:    [][]notice.Cell{{{Text: "1"}, {Text: strings.Repeat("字", 80)}, {Text: strings.Repeat("字", 80)}, {}, {Text: "甲\n乙丙丁戊己庚辛壬癸子丑寅卯"}, {N: -123456789}, {Text: "多"}}},
	}
	if got, want := widths(table), []float64{7, 60, 12.5, 255, 28, 12, 6}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRowsAreHighEnough(t *testing.T) {
	for _, c := range []struct {
		s     string
		width float64
		want  int
	}{
		{"", 10, 1}, {"短", 10, 1}, {"一二三四", 10, 1}, {"一二三四五", 10, 2}, {"一二三四五", 11, 1}, {"甲\n乙", 60, 2}, {strings.Repeat("长", 100), 60, 4}, {"abcdefgh", 10, 1}, {"abcdefghi", 10, 1}, {"abcdefghij", 10, 2}, {"字", 0, 1},
	} {
		if got := linesIn(c.s, c.width); got != c.want {
			t.Errorf("%q in %v: %d lines, want %d", c.s, c.width, got, c.want)
		}
	}
	f := open(t, write(t, notice.Sheet{Name: "表", Table: notice.Table{
		Columns: []notice.Column{{Name: "内容", Width: 20}},
		Rows:    [][]notice.Cell{{{Text: "短"}}, {{Text: strings.Repeat("长", 30)}}, {{Text: strings.Repeat("长", 3000)}}},
	}}))
	for row, want := range map[int]float64{2: height(1), 3: height(4), 4: 409} {
		if got, err := f.GetRowHeight("表", row); err != nil || got != want {
			t.Errorf("row %d is %v high, want %v (%v)", row, got, want, err)
		}
	}
}

func TestTheSameSheetsGiveTheSameBytes(t *testing.T) {
	sheets := []notice.Sheet{everything(50), awkward(), {Name: "三"}, {Name: "四"}, {Name: "五"}}
	first := write(t, sheets...)
	for i := range 30 {
		if !bytes.Equal(write(t, sheets...), first) {
			t.Fatalf("written again %d times, other bytes", i+1)
		}
	}
}

func TestWorkbookRefuses(t *testing.T) {
	if _, err := Workbook(nil); err == nil {
		t.Error("a workbook without sheets was written")
	}
	wide := notice.Sheet{Name: "宽", Table: notice.Table{Rows: [][]notice.Cell{make([]notice.Cell, 257)}}}
	if _, err := Workbook([]notice.Sheet{wide}); err == nil || !strings.Contains(err.Error(), "宽") {
		t.Errorf("too many columns: %v", err)
	}
}

func FuzzWorkbook(f *testing.F) {
	for _, r := range awkward().Rows {
		if len(r) > 0 {
			f.Add(r[0].Text, "表", int64(1))
		}
	}
	f.Fuzz(func(t *testing.T, text, name string, n int64) {
		s := notice.Sheet{Name: name, Title: text, Table: notice.Table{
			Columns: []notice.Column{{Name: name}, {Name: text, Numeric: true}}, Rows: [][]notice.Cell{{{Text: text}, {N: n}}, {{Text: "=" + text}, {Text: text}}},
		}}
		out := write(t, s, s)
		parts(t, out)
		book := open(t, out)
		list := book.GetSheetList()
		if len(list) != 2 || list[0] == list[1] {
			t.Fatalf("sheets %q", list)
		}
		head := 1
		if text != "" {
			head = 2
		}
		if got := cellOf(t, book, list[0], head+1, 2); got != strconv.FormatInt(n, 10) {
			t.Fatalf("%d is read as %s", n, got)
		}
		if got := formulaOf(t, book, list[0], "A"+strconv.Itoa(head+2)); got != "" {
			t.Fatalf("formula %q", got)
		}
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
		t.Skipf("NOT TESTED: no soffice to open the workbook with (DUBAN_REQUIRE_LIBREOFFICE=1 makes this a failure): %v", err)
	}
	return path
}

func TestLibreOfficeReadsTheSheet(t *testing.T) {
	soffice, dir := office(t), t.TempDir()
	s := awkward()
	s.Rows = slices.DeleteFunc(s.Rows, func(r []notice.Cell) bool {
		return len(r) != 3 || strings.ContainsAny(r[0].Text, "\n\t") || r[0].Text == ""
	})
	path := filepath.Join(dir, "book.xlsx")
	if err := os.WriteFile(path, write(t, s), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless",
		"--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", dir, path)
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file, err := os.ReadFile(filepath.Join(dir, "book.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil || len(rows) != len(s.Rows)+1 {
		t.Fatalf("%d rows, want %d: %v", len(rows), len(s.Rows)+1, err)
	}
	for i := range s.Rows {
		for j := range s.Columns {
			if got, want := rows[i+1][j], s.Words(i, j); got != want {
				t.Errorf("row %d, column %d: %q, want %q", i+1, j+1, got, want)
			}
		}
	}
}

func BenchmarkWorkbook(b *testing.B) {
	sheets := []notice.Sheet{everything(1100)}
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		out, err := Workbook(sheets)
		if err != nil {
			b.Fatal(err)
		}
		size = len(out)
	}
	b.ReportMetric(float64(size), "bytes")
}
