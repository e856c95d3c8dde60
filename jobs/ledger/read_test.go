package ledger

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// workbook builds an xlsx file.
func workbook(t testing.TB, build func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	build(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill writes rows of cells to a sheet, from A1.
func fill(t testing.TB, f *excelize.File, sheet string, rows ...[]any) {
	t.Helper()
	for i, row := range rows {
		must(t, f.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row))
	}
}

func ole(stream string) []byte {
	b := []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}
	b = append(b, make([]byte, 600)...)
	for _, u := range utf16.Encode([]rune(stream)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return append(b, make([]byte, 600)...)
}

func zipped(t testing.TB, names ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		w, err := z.Create(n)
		must(t, err)
		_, err = w.Write([]byte("<x/>"))
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

func gb(t testing.TB, s string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	must(t, err)
	return b
}

func TestReadRefuses(t *testing.T) {
	xlsx := workbook(t, func(f *excelize.File) { fill(t, f, "Sheet1", []any{"序号", "任务"}, []any{1, "甲"}) })
	for _, c := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"empty", nil, []string{"empty"}},
		{"blank", []byte(" \r\n\t"), []string{"empty"}},
		{"xls", ole("Workbook"), []string{".xls", "另存为", "Excel 工作簿 (*.xlsx)"}},
		{"et", ole("ET Workbook"), []string{".et", "另存为"}},
		{"doc", ole("WordDocument"), []string{".doc or .wps", "not a table"}},
		{"ppt", ole("PowerPoint Document"), []string{".ppt"}},
		{"locked", ole("EncryptedPackage"), []string{"password"}},
		{"docx", zipped(t, "word/document.xml"), []string{".docx"}},
		{"pptx", zipped(t, "ppt/presentation.xml"), []string{".ppt"}},
		{"ods", zipped(t, "content.xml"), []string{".ods", "另存为"}},
		{"zip", zipped(t, "readme.txt"), []string{"unpack"}},
		{"rar", []byte("Rar!\x1a\x07rest"), []string{"unpack"}},
		{"no sheets", zipped(t, "xl/workbook.xml"), []string{"damaged"}},
		{"truncated", xlsx[:len(xlsx)/2], []string{"truncated", "另存为"}},
		{"cut tail", xlsx[:len(xlsx)-30], []string{"truncated"}},
		{"four bytes", []byte("PK\x03\x04"), []string{"truncated"}},
		{"pdf", []byte("%PDF-1.7\n..."), []string{"PDF"}},
		{"rtf", []byte(`{\rtf1 abc}`), []string{"RTF"}},
		{"html", []byte("\n<html><table></table></html>"), []string{"web page"}},
		{"xml", []byte("\ufeff<?xml version=\"1.0\"?>"), []string{"web page"}},
		{"utf-16", []byte("\xff\xfe\x8f\x5e"), []string{"UTF-16"}},
		{"utf-16 bare", []byte("a\x00b\x00"), []string{"UTF-16"}},
		{"binary", []byte("abcdefgh\x00\x01"), []string{"neither"}},
		{"mixed", append([]byte("序号,任务\n1,制定方案\n"), gb(t, "2,案卷评查\n")...), []string{"line 3 is not UTF-8 and line 1 is", "two encodings"}},
		{"mixed the other way", append(gb(t, "序号,任务\n"), []byte("1,制定方案\n")...), []string{"line 1 is not UTF-8 and line 2 is"}},
		{"bom lies", append([]byte("\ufeff序号,任务\n"), gb(t, "1,制定\n")...), []string{"line 2", "says it is UTF-8"}},
		{"no encoding", []byte("序号\xff\xff,a\n"), []string{"neither UTF-8 nor GB18030"}},
		{"open quote", []byte("序号,任务\n1,\"甲\n2,乙\n"), []string{"line 2", "quotation mark"}},
		{"stray quote", []byte("序号,任务\n1,甲\"乙\"丙\n"), []string{"line 2", "quotation mark"}},
		{"1 MB cell", []byte("序号,任务\n1,甲\n2,\"" + strings.Repeat("长", 1<<18) + "\"\n"), []string{"plan.csv, row 3, column B", "262144 characters"}},
		{"columns", []byte(strings.Repeat(",", 20000)), []string{"row 1", "20001 columns"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read("plan.csv", c.b)
			if err == nil {
				t.Fatal("read without an error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
		})
	}
}

func texts(b Book) string {
	var rows []string
	for _, sh := range b.Sheets {
		for _, r := range sh.Rows {
			var cells []string
			for _, c := range r.Cells {
				cells = append(cells, c.Text)
			}
			rows = append(rows, fmt.Sprintf("%d:%s", r.N, strings.Join(cells, "|")))
		}
	}
	return strings.Join(rows, " / ")
}

func TestReadCSV(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"utf-8", []byte("序号,任务\n1,甲\n"), "1:序号|任务 / 2:1|甲"},
		{"bom", []byte("\ufeff序号,任务\r\n1,甲\r\n"), "1:序号|任务 / 2:1|甲"},
		{"gb18030", gb(t, "序号,任务\n1,㐀𠮷喆〔2024〕\n"), "1:序号|任务 / 2:1|㐀𠮷喆〔2024〕"},
		{"semicolon", []byte("序号;任务\n1;甲,乙\n"), "1:序号|任务 / 2:1|甲,乙"},
		{"tab", []byte("序号\t任务\n1\t甲;乙,丙\n"), "1:序号|任务 / 2:1|甲;乙,丙"},
		{"rows are counted as a spreadsheet counts them", []byte("序号,任务\n\n1,\"甲\n乙\"\n2,丙\n"), "1:序号|任务 / 3:1|甲\n乙 / 4:2|丙"},
		{"ragged", []byte("a\nb,c,d\n"), "1:a / 2:b|c|d"},
	} {
		b, err := Read("x.csv", c.b)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := texts(b); got != c.want {
			t.Errorf("%s: read %q, want %q", c.name, got, c.want)
		}
	}
}

func TestReadXLSX(t *testing.T) {
	b := workbook(t, func(f *excelize.File) {
		fill(t, f, "Sheet1", []any{"序号", "任务", "时限", "证号"})
		style := func(s excelize.Style) int { id, err := f.NewStyle(&s); must(t, err); return id }
		set := func(cell string, v any, id int) {
			must(t, f.SetCellValue("Sheet1", cell, v))
			if id > 0 {
				must(t, f.SetCellStyle("Sheet1", cell, cell, id))
			}
		}
		set("A2", 1, 0)
		must(t, f.MergeCell("Sheet1", "B2", "B3"))
		set("B2", "甲", 0)
		set("C2", time.Date(2024, 6, 30, 0, 30, 0, 0, time.UTC), style(excelize.Style{NumFmt: 14}))
		set("D2", "440101199001011234", 0)
		set("A3", 2.0, 0)
		set("C3", 45473, style(excelize.Style{NumFmt: 31}))
		set("D3", 440101199001011234.0, 0)
		custom := `yyyy"年"m"月"d"日";@`
		set("A4", 1.5, 0)
		set("C4", 45473, style(excelize.Style{CustomNumFmt: &custom}))
		money := `"¥"#,##0.00`
		set("D4", 45473, style(excelize.Style{CustomNumFmt: &money}))
		set("C5", 45473, 0)
		must(t, f.SetCellFormula("Sheet1", "D5", "A2+1"))
		_, err := f.NewSheet("隐藏")
		must(t, err)
		must(t, f.SetSheetVisible("隐藏", false))
	})
	book, err := Read("x.xlsx", b)
	must(t, err)
	want := "1:序号|任务|时限|证号 / 2:1|甲|2024-06-30|440101199001011234 / 3:2|甲|2024-06-30|440101199001011200 / 4:1.5||2024-06-30|45473 / 5:||45473|"
	got := texts(book)
	if i := strings.Index(got, "4.4"); i >= 0 || !strings.HasPrefix(got, want[:60]) {
		t.Errorf("read %q,\nwant %q", got, want)
	}
	rows := book.Sheets[0].Rows
	if !rows[2].Cells[1].Merged || rows[1].Cells[1].Merged {
		t.Error("the second cell of a merged range must be marked, the first not")
	}
	if c := rows[2].Cells[3]; !c.Lossy || !c.Number {
		t.Errorf("a number of 18 digits must be marked as having lost some: %+v", c)
	}
	if c := rows[1].Cells[3]; c.Number || c.Lossy {
		t.Errorf("digits kept as text are no number: %+v", c)
	}
	if c := rows[3].Cells[2]; c.Text != "2024-06-30" || c.Number {
		t.Errorf("a custom date format: %+v", c)
	}
	if c := rows[3].Cells[3]; c.Text != "45473" || !c.Number {
		t.Errorf("money is no date: %+v", c)
	}
	if c := rows[4].Cells[2]; !c.Number {
		t.Errorf("a date that lost its format is a number: %+v", c)
	}
	if c := rows[4].Cells[3]; !strings.Contains(c.Bad, "formula") {
		t.Errorf("a formula without a stored value: %+v", c)
	}
	if len(book.Sheets) != 1 || len(book.Notes) != 1 || !strings.Contains(book.Notes[0], "隐藏") {
		t.Errorf("a hidden sheet is listed and not read: %v", book.Notes)
	}
}

// A stray cell in the last corner of a sheet must not make the reader hold the whole sheet.
func TestReadXLSXCorner(t *testing.T) {
	b := workbook(t, func(f *excelize.File) {
		fill(t, f, "Sheet1", []any{"序号", "任务"}, []any{1, "甲"})
		must(t, f.SetCellValue("Sheet1", "XFD3000", "x"))
		must(t, f.MergeCell("Sheet1", "A4", "B5"))
	})
	book, err := Read("x.xlsx", b)
	must(t, err)
	if n := len(book.Sheets[0].Rows[9].Cells); n != 0 {
		t.Errorf("an empty row holds %d cells", n)
	}
	wide := workbook(t, func(f *excelize.File) {
		for i := 1; i < 200; i++ {
			must(t, f.SetCellValue("Sheet1", fmt.Sprintf("XFD%d", i), "x"))
		}
	})
	if _, err := Read("x.xlsx", wide); err == nil || !strings.Contains(err.Error(), "sheet Sheet1") {
		t.Errorf("a sheet of three million cells: %v", err)
	}
}

// No heading may stand for two fields of one layout.
func TestHeadings(t *testing.T) {
	for name, lay := range map[string]layout{"plan": planLayout(), "units": unitsLayout(), "people": peopleLayout()} {
		for h, f := range lay.headings {
			if f == "" {
				t.Errorf("%s: two fields claim the heading %q", name, h)
			}
			if heading(h) != h || unbracket(h) != h {
				t.Errorf("%s: the heading %q is not in the form headings are compared in", name, h)
			}
		}
	}
	if words(map[field]string{"a": "甲 乙", "b": "乙"})["乙"] != "" {
		t.Error("a heading that two fields claim belongs to neither")
	}
}

func TestDateFormats(t *testing.T) {
	for format, want := range map[string]bool{
		"yyyy-mm-dd": true, `yyyy"年"m"月"d"日"`: true, `[$-804]yyyy"年"m"月";@`: true, "m/d": true, "General": false, "0.00": false,
		`"day" 0`: false, "[Red]0": false, "h:mm:ss": false, `\d0`: false, "#,##0": false, "": false,
	} {
		if dateFormat(format) != want {
			t.Errorf("%q: want %v", format, want)
		}
	}
}

func TestProblem(t *testing.T) {
	p := Problem{File: "a.xlsx", Sheet: "台账", Row: 7, Column: "责任单位", Value: short("区司法局\n" + strings.Repeat("长", 100)), Reason: "no"}
	s := p.String()
	if !strings.HasPrefix(s, "a.xlsx, sheet 台账, row 7, column 责任单位 「区司法局 长") || !strings.HasSuffix(s, "…」: no") || len([]rune(p.Value)) != 60 {
		t.Error(s)
	}
	if Problems(nil).Err() != nil {
		t.Error("no problems are no error")
	}
	var ps Problems
	if !errors.As(Problems{p, p}.Err(), &ps) || strings.Count(ps.Error(), "\n") != 1 {
		t.Error("problems are an error of one line each")
	}
	if letter(0)+letter(25)+letter(26)+letter(16383) != "AZAAXFD" {
		t.Error("column letters")
	}
}
