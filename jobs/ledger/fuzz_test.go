package ledger

import (
	"errors"
	"testing"

	"github.com/xuri/excelize/v2"
)

// use drives a book through every reader; none may panic, and a draft without problems holds rows.
func use(t *testing.T, book Book) {
	if d, problems := Plan(book, town(), PlanOptions{Jurisdiction: "town"}); len(problems) == 0 && len(d.Tasks) == 0 {
		t.Fatal("a plan without rows and without a problem")
	}
	if d, problems := Units(book, UnitsOptions{}); len(problems) == 0 && len(d.Units) == 0 {
		t.Fatal("no units and no problem")
	}
	if p, problems := People(book, town(), PeopleOptions{}); len(problems) == 0 && len(p) == 0 {
		t.Fatal("no people and no problem")
	}
	if d, problems := Trainings(book, staff(), TrainingOptions{}); len(problems) == 0 && len(d.Trainings) == 0 {
		t.Fatal("no trainings and no problem")
	}
	if d, problems := Events(book, town(), EventsOptions{}); len(problems) == 0 && len(d.Rows) == 0 {
		t.Fatal("no events and no problem")
	}
	book.Label("方案代码")
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte(top + "序号,任务,责任单位,完成时限\n1,甲,区司法局,2024年底前\n"))
	f.Add([]byte(unitsTop + unitsHead + bureau))
	f.Add([]byte(peopleTop + "p1,张三,区财政局,执法,,,,,,在岗,\n"))
	f.Add([]byte(eventsTop + "检查备案,J-1,区财政局,2024-09-18,,,某公司,2024-10-08,2024-10-10,,\n行政许可决定,370831199001011234,区财政局,2024-09-18,,p1,,,,8,\n"))
	f.Add([]byte("\xef\xbb\xbfa;b\n\"c\nd\";e\n"))
	f.Add([]byte("\xd0\xf2\xba\xc5,\xc8\xce\xce\xf1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		book, err := Read("f.csv", b)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without a text")
			}
			return
		}
		use(t, book)
	})
}

func FuzzReadXLSX(f *testing.F) {
	f.Add(workbook(f, func(x *excelize.File) {
		fill(f, x, "Sheet1", []any{"方案代码", "p1"}, []any{"序号", "任务", "责任单位", "完成时限"}, []any{1, "甲", "区司法局", "年底前"})
		must(f, x.MergeCell("Sheet1", "A3", "B9"))
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		book, err := Read("f.xlsx", append([]byte("PK\x03\x04"), b[min(4, len(b)):]...))
		var ps Problems
		if err != nil && !errors.As(err, &ps) && err.Error() == "" {
			t.Fatal("an error without a text")
		}
		if err == nil {
			use(t, book)
		}
	})
}

// FuzzHeader throws headings at the search for a header.
func FuzzHeader(f *testing.F) {
	f.Add("序号", "重点任务", "具体措施", "责任单位", "完成时限", true)
	f.Add("编号", "任务", "任务", "牵头单位（责任）", "", false)
	f.Fuzz(func(t *testing.T, a, b, c, d, e string, merged bool) {
		row := Row{N: 1}
		for _, s := range []string{a, b, c, d, e} {
			row.Cells = append(row.Cells, Cell{Text: s, Merged: merged && s == a})
		}
		lower := row
		lower.N = 2
		use(t, Book{Name: "f", Sheets: []Sheet{{Rows: []Row{row, lower, row, {N: 9, Cells: []Cell{{Text: "1"}, {Text: a}, {Text: d}, {Text: e}}}}}, {Name: "二", Rows: []Row{row}}}})
	})
}
