package sheet

import (
	"archive/zip"
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"duban/notify/notice"
)

// byLibrary writes a sheet's part by the library alone.
func byLibrary(t *testing.T, s notice.Sheet) string {
	t.Helper()
	f := excelize.NewFile()
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	b, err := newBook(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetSheetName("Sheet1", s.Name); err != nil {
		t.Fatal(err)
	}
	g := grid{columns: max(1, columnsOf(s.Table)), head: 1}
	if s.Title != "" {
		g.head = 2
	}
	g.rows = g.head + len(s.Rows)
	g.sorted = g.rows - totals(s.Table)
	if err := b.setUp(s.Name, g); err != nil {
		t.Fatal(err)
	}
	w, err := f.NewStreamWriter(s.Name)
	if err != nil {
		t.Fatal(err)
	}
	wide := widths(s.Table)
	if err := b.frame(w, s, g, wide); err != nil {
		t.Fatal(err)
	}
	for i := range s.Rows {
		row, lines := make([]any, len(wide)), 1
		for j := range row {
			row[j] = b.cell(s.Table, i, j)
			lines = max(lines, linesIn(s.Words(i, j), wide[j]))
		}
		if err := w.SetRow("A"+strconv.Itoa(g.head+1+i), row, excelize.RowOpts{Height: height(lines)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.SetZipWriter(b.archive).Write(&out); err != nil {
		t.Fatal(err)
	}
	return firstSheet(t, out.Bytes())
}

func firstSheet(t *testing.T, book []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func sameAsTheLibrary(t *testing.T, s notice.Sheet) {
	t.Helper()
	got, err := Workbook([]notice.Sheet{s})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := firstSheet(t, got), byLibrary(t, s); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRowsAreWrittenAsTheLibraryWritesThem(t *testing.T) {
	sameAsTheLibrary(t, everything(60))
	odd := awkward()
	odd.Name = "怪"
	sameAsTheLibrary(t, odd)
	sameAsTheLibrary(t, notice.Sheet{Name: "空", Table: notice.Table{Columns: []notice.Column{{Name: "甲"}}}})
	for _, row := range odd.Rows { // one at a time: one that is not plain hides the others
		sameAsTheLibrary(t, notice.Sheet{Name: "行", Title: "题", Table: notice.Table{Columns: odd.Columns, Rows: [][]notice.Cell{row, {}}}})
	}
}

func TestPlainTexts(t *testing.T) {
	for s, want := range map[string]bool{
		"区甲局": true, "两\n行": true, "a b": true, "😀": true, "5%；3/4": true, "": false, " a": false, "a\n": false, "a&b": false, "<": false,
		"它's": false, "\"": false, "a\tb": false, "a\rb": false, "_x0041_": false, "\uFFFD": false, "\uFFFE": false, "\xff": false, "a\x00": false,
		strings.Repeat("长", 6000): false,
	} {
		if got := isPlain(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func FuzzRowsAreWrittenAsTheLibraryWritesThem(f *testing.F) {
	for i, row := range awkward().Rows {
		if len(row) > 0 {
			f.Add(row[0].Text, int64(i)-5, "Title")
		}
	}
	f.Fuzz(func(t *testing.T, text string, n int64, title string) {
		if !utf8.ValidString(title) || len(title) > 100 || len(text) > 20000 {
			return
		}
		sameAsTheLibrary(t, notice.Sheet{Name: "表", Title: title, Table: notice.Table{
			Columns: []notice.Column{{Name: "内容"}, {Name: "数", Numeric: true}},
			Rows:    [][]notice.Cell{{{Text: text}, {N: n, Tone: notice.Red}}, {{Text: text + "项"}}, {}},
		}})
	})
}
