// Package sheet writes the tables that go along with a letter as a workbook (.xlsx): a frozen and filtered header, widths
// that fit, the colours of the status words, and a page set up for printing. The same tables give the same bytes on
// every machine and every day, so that a letter with a workbook is as repeatable as one without.
package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/xuri/excelize/v2"

	"duban/notify/notice"
)

// Type is the media type of a workbook, and Ending its file's.
const (
	Type   = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	Ending = ".xlsx"
)

// Workbook writes the sheets, in their order, and returns the file. A text is a text, whatever it begins with: no cell
// can become a formula, and a date or a number that came as a text stays one. Numbers are numbers in numeric columns
// alone. Cells that a row does not have stay empty. It is an error to write no sheet, more than 256 columns, or more rows
// than a sheet can hold.
func Workbook(sheets []notice.Sheet) (out []byte, err error) {
	if len(sheets) == 0 {
		return nil, errors.New("write workbook: it has no sheets")
	}
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := newBook(f)
	if err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	for i, name := range names(sheets) {
		if err := b.add(i, name, sheets[i]); err != nil {
			return nil, fmt.Errorf("write workbook: sheet %d (%s): %w", i+1, name, err)
		}
	}
	var buf bytes.Buffer
	if err := f.SetZipWriter(b.archive).Write(&buf); err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	return buf.Bytes(), nil
}

// book is a workbook with the styles its cells share.
type book struct {
	*excelize.File
	title, head int
	// mark is a text in a column of numbers, such as the dash of one that is not there.
	text, number, mark map[notice.Tone]int
	// rows are those of sheets that the library does not write, by the name of their part.
	rows map[string][]byte
}

// add writes one sheet: a title across it where there is one, the header, and the rows.
func (b *book) add(i int, name string, s notice.Sheet) error {
	if i == 0 {
		if err := b.SetSheetName("Sheet1", name); err != nil {
			return fmt.Errorf("name sheet: %w", err)
		}
	} else if _, err := b.NewSheet(name); err != nil {
		return fmt.Errorf("add sheet: %w", err)
	}
	columns := columnsOf(s.Table)
	if columns > mostColumns {
		return fmt.Errorf("it has %d columns, want %d at most", columns, mostColumns)
	}
	g := grid{columns: max(1, columns), head: 1}
	if s.Title != "" {
		g.head = 2
	}
	g.rows = g.head + len(s.Rows)
	g.sorted = g.rows - totals(s.Table)
	if err := b.setUp(name, g); err != nil {
		return err
	}
	w, err := b.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("begin sheet: %w", err)
	}
	wide := widths(s.Table)
	if err := b.frame(w, s, g, wide); err != nil {
		return err
	}
	own, ok := b.plainRows(s.Table, g, wide)
	if ok && len(own) > 0 {
		b.rows[fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)] = own
	}
	row := make([]any, columns)
	for i := 0; !ok && i < len(s.Rows); i++ {
		lines := 1
		for j := range row {
			row[j] = b.cell(s.Table, i, j)
			lines = max(lines, linesIn(s.Words(i, j), wide[j]))
		}
		if err := w.SetRow("A"+strconv.Itoa(g.head+1+i), row, excelize.RowOpts{Height: height(lines)}); err != nil {
			return fmt.Errorf("write row %d: %w", i+1, err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("end sheet: %w", err)
	}
	return nil
}

// totals counts the rows at the end that sum up those above: they begin with a strong cell. A filter leaves them where they
// are.
func totals(t notice.Table) int {
	n := 0
	for _, row := range slices.Backward(t.Rows) {
		if len(row) == 0 || row[0].Tone != notice.Strong {
			break
		}
		n++
	}
	if n == len(t.Rows) {
		return 0
	}
	return n
}

// frame sets the widths and writes what stands above the rows.
func (b *book) frame(w *excelize.StreamWriter, s notice.Sheet, g grid, wide []float64) error {
	for j, width := range slices.Backward(wide) { // the last said stands first in the file, and readers want them in order
		if err := w.SetColWidth(j+1, j+1, width); err != nil {
			return fmt.Errorf("set width of column %d: %w", j+1, err)
		}
	}
	if err := w.SetPanes(&excelize.Panes{
		Freeze: true, YSplit: g.head, TopLeftCell: "A" + strconv.Itoa(g.head+1), ActivePane: "bottomLeft",
	}); err != nil {
		return fmt.Errorf("freeze header: %w", err)
	}
	if s.Title != "" {
		if err := w.SetRow("A1", []any{excelize.Cell{StyleID: b.title, Value: s.Title}}, excelize.RowOpts{Height: 30}); err != nil {
			return fmt.Errorf("write title: %w", err)
		}
		if g.columns > 1 {
			if err := w.MergeCell("A1", g.at(1, g.columns)); err != nil {
				return fmt.Errorf("write title: %w", err)
			}
		}
	}
	head, lines := make([]any, len(wide)), 1
	for j := range head {
		c := excelize.Cell{StyleID: b.head, Value: ""}
		if j < len(s.Columns) {
			c.Value = s.Columns[j].Name
			lines = max(lines, linesIn(s.Columns[j].Name, wide[j]-filterWidth))
		}
		head[j] = c
	}
	if err := w.SetRow("A"+strconv.Itoa(g.head), head, excelize.RowOpts{Height: min(height(lines)+6, highest)}); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	return nil
}

// cell is a cell's value and style. A number is written as one, a text always as a text.
func (b *book) cell(t notice.Table, row, column int) excelize.Cell {
	if column >= len(t.Rows[row]) {
		return excelize.Cell{StyleID: b.text[notice.Plain]}
	}
	c := t.Rows[row][column]
	if column < len(t.Columns) && t.Columns[column].Numeric {
		if c.Text != "" || c.N >= mostDigits || c.N <= -mostDigits {
			return excelize.Cell{StyleID: styleOf(b.mark, c.Tone), Value: t.Words(row, column)}
		}
		return excelize.Cell{StyleID: styleOf(b.number, c.Tone), Value: c.N}
	}
	if c.Text == "" {
		return excelize.Cell{StyleID: styleOf(b.text, c.Tone)}
	}
	return excelize.Cell{StyleID: styleOf(b.text, c.Tone), Value: c.Text}
}

// styleOf is the style of a tone; one that is not known is plain.
func styleOf(styles map[notice.Tone]int, t notice.Tone) int {
	if id, ok := styles[t]; ok {
		return id
	}
	return styles[notice.Plain]
}

// mostDigits is the first number of sixteen digits: programs round those, so they stand as texts.
const mostDigits = 1_000_000_000_000_000

// mostColumns is far more than a letter's table has, and what every program can read.
const mostColumns = 256

// columnsOf counts the columns of a table, those included that only rows have.
func columnsOf(t notice.Table) int {
	n := len(t.Columns)
	for _, row := range t.Rows {
		n = max(n, len(row))
	}
	return n
}
