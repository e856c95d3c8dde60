package ledger

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// readXLSX reads every visible sheet. Whatever the library stumbles over, panics included, is a damaged file.
func readXLSX(name string, b []byte) (book Book, err error) {
	defer func() {
		if r := recover(); r != nil {
			book, err = Book{}, fmt.Errorf("read %s: the xlsx file is damaged: %s", name, saveAs)
		}
	}()
	opts := excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnzip, UnzipXMLSizeLimit: maxUnzip}
	f, err := excelize.OpenReader(bytes.NewReader(b), opts)
	if err != nil {
		return Book{}, fmt.Errorf("read %s: the xlsx file is truncated, damaged or too large unpacked (%w): get a complete copy, or %s", name, err, saveAs)
	}
	defer f.Close()
	x := sheetReader{f: f, book: name, dates: map[int]bool{}}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		x.date1904 = *props.Date1904
	}
	book = Book{Name: name}
	for _, sheet := range f.GetSheetList() {
		if visible, err := f.GetSheetVisible(sheet); err == nil && !visible {
			book.Notes = append(book.Notes, fmt.Sprintf("sheet %s is hidden and was not read", sheet))
			continue
		}
		sh, err := x.sheet(sheet)
		if err != nil {
			return Book{}, err
		}
		book.Sheets = append(book.Sheets, sh)
	}
	if len(x.bad) > 0 {
		return Book{}, x.bad
	}
	return book, nil
}

type sheetReader struct {
	f        *excelize.File
	book     string
	date1904 bool
	dates    map[int]bool // style → is a date
	bad      Problems
}

func (x *sheetReader) sheet(name string) (Sheet, error) {
	sh := Sheet{Name: name}
	rows, err := x.f.Rows(name)
	if err != nil {
		return sh, fmt.Errorf("read %s, sheet %s: %w", x.book, name, err)
	}
	defer rows.Close()
	width := 0
	for n := 1; rows.Next(); n++ {
		texts, err := rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return sh, fmt.Errorf("read %s, sheet %s, row %d: the sheet is damaged: %w", x.book, name, n, err)
		}
		row := Row{N: n, Cells: make([]Cell, len(texts))}
		for i, text := range texts {
			if p, ok := tooLong(x.book, name, n, i, text); ok {
				x.bad = append(x.bad, p)
			}
			row.Cells[i].Text = text
		}
		width = max(width, len(texts))
		sh.Rows = append(sh.Rows, row)
	}
	if err := rows.Error(); err != nil {
		return sh, fmt.Errorf("read %s, sheet %s: the sheet is damaged: %w", x.book, name, err)
	}
	if width > maxColumns {
		return sh, Problems{{File: x.book, Sheet: name, Reason: fmt.Sprintf("the sheet has %d columns, more than a spreadsheet holds", width)}}
	}
	filled := 0
	for _, row := range sh.Rows {
		if len(row.Cells) > 0 {
			filled++
		}
	}
	if filled*width > maxCells {
		return sh, Problems{{File: x.book, Sheet: name, Reason: fmt.Sprintf("the sheet spans %d filled rows and %d columns: delete the columns and rows beyond the table and save it again", filled, width)}}
	}
	for i := range sh.Rows {
		x.settle(name, &sh.Rows[i], width)
	}
	return sh, x.merge(&sh, width)
}

// settle turns numbers with a date's format into dates and finds formulas without a value.
func (x *sheetReader) settle(sheet string, row *Row, width int) {
	if len(row.Cells) == 0 {
		return
	}
	for len(row.Cells) < width {
		row.Cells = append(row.Cells, Cell{})
	}
	for i := range row.Cells {
		c := &row.Cells[i]
		ref, err := excelize.CoordinatesToCellName(i+1, row.N)
		if err != nil {
			continue
		}
		if c.Text == "" {
			if formula, err := x.f.GetCellFormula(sheet, ref); err == nil && formula != "" {
				c.Bad = "the cell holds a formula (" + short(formula) + ") without a stored value: open the file in Excel or WPS, save it, and import it again"
			}
			continue
		}
		if strings.HasPrefix(c.Text, "#") {
			if t, err := x.f.GetCellType(sheet, ref); err == nil && t == excelize.CellTypeError {
				c.Bad = "the cell holds an error value: mend its formula and save the file again"
			}
			continue
		}
		v, err := strconv.ParseFloat(c.Text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		switch t, err := x.f.GetCellType(sheet, ref); {
		case err != nil, t == excelize.CellTypeSharedString, t == excelize.CellTypeInlineString:
			continue
		}
		x.number(c, v, sheet, ref)
	}
}

func (x *sheetReader) number(c *Cell, v float64, sheet, ref string) {
	if style, err := x.f.GetCellStyle(sheet, ref); err == nil && x.isDate(style) {
		if t, err := excelize.ExcelDateToTime(v, x.date1904); err == nil && v >= 1 && t.Year() < 3000 {
			c.Text = t.Format(time.DateOnly)
			return
		}
	}
	c.Number = true
	switch {
	case math.Abs(v) >= 1e15:
		c.Lossy = true
	case v == math.Trunc(v):
		c.Text = strconv.FormatInt(int64(v), 10)
	default:
		c.Text = strconv.FormatFloat(v, 'f', -1, 64)
	}
}

// isDate reports whether a style shows numbers as dates. The numbers 27–36 and 50–58 are the dates of Chinese and
// other East Asian formats, which the library leaves unformatted.
func (x *sheetReader) isDate(style int) bool {
	if known, ok := x.dates[style]; ok {
		return known
	}
	is := false
	if s, err := x.f.GetStyle(style); err == nil && s != nil {
		n := s.NumFmt
		is = n >= 14 && n <= 17 || n == 22 || n >= 27 && n <= 31 || n == 36 || n >= 50 && n <= 54 || n == 57 || n == 58
		if s.CustomNumFmt != nil {
			is = dateFormat(*s.CustomNumFmt)
		}
	}
	x.dates[style] = is
	return is
}

// dateFormat reports whether a custom number format shows a date: it has a year, or a month and a day, outside
// quotation marks and brackets.
func dateFormat(format string) bool {
	var b strings.Builder
	quoted, bracket, escaped := false, false, false
	for _, r := range strings.ToLower(format) {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '[':
			bracket = true
		case r == ']':
			bracket = false
		case !bracket:
			b.WriteRune(r)
		}
	}
	s := strings.ReplaceAll(b.String(), "general", "")
	return strings.Contains(s, "y") || strings.Contains(s, "m") && strings.Contains(s, "d")
}

// merge gives every cell of a merged range the value of its first.
func (x *sheetReader) merge(sh *Sheet, width int) error {
	merges, err := x.f.GetMergeCells(sh.Name, true)
	if err != nil {
		return fmt.Errorf("read %s, sheet %s: the merged cells are damaged: %w", x.book, sh.Name, err)
	}
	for _, m := range merges {
		c1, r1, err1 := excelize.CellNameToCoordinates(m.GetStartAxis())
		c2, r2, err2 := excelize.CellNameToCoordinates(m.GetEndAxis())
		if err1 != nil || err2 != nil || r1 > len(sh.Rows) || c1 > width {
			continue
		}
		if area := (min(r2, len(sh.Rows)) - r1 + 1) * (min(c2, width) - c1 + 1); area > maxCells {
			return Problems{{File: x.book, Sheet: sh.Name, Row: r1, Column: letter(c1 - 1), Reason: "the merged range " + m.GetStartAxis() + ":" + m.GetEndAxis() + " is larger than any table: unmerge it"}}
		}
		from := sh.Rows[r1-1].at(c1 - 1)
		for r := r1; r <= min(r2, len(sh.Rows)); r++ {
			for c := c1; c <= min(c2, width); c++ {
				if r == r1 && c == c1 {
					continue
				}
				for row := &sh.Rows[r-1]; len(row.Cells) < c; {
					row.Cells = append(row.Cells, Cell{})
				}
				cell := from
				cell.Merged = true
				sh.Rows[r-1].Cells[c-1] = cell
			}
		}
	}
	return nil
}
