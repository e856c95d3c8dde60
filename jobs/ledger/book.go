// Package ledger reads the files a justice bureau keeps — plan ledgers, tables of units and contacts, rosters of
// enforcement staff — into drafts, and names every row it cannot take, with file, sheet, row, column and reason.
//
// It reads xlsx and csv from bytes and touches neither disk nor database. Nothing is imported by halves: a draft that
// comes with problems is not to be used.
package ledger

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of what is read. A cell of Excel holds 32,767 characters and a sheet 16,384 columns; more is damage.
const (
	maxCell    = 32767
	maxColumns = 16384
	maxCells   = 2_000_000 // of one sheet, empty ones beside filled ones included
	maxUnzip   = 64 << 20
)

// Book is a file as sheets of cells.
type Book struct {
	Name   string
	Sheets []Sheet
	// Notes says what of the file was not read, and why: hidden sheets.
	Notes []string
}

// Sheet is one table. A csv file has one, without a name.
type Sheet struct {
	Name string
	Rows []Row
}

// Row is one row with its number as a spreadsheet shows it, from 1.
type Row struct {
	N     int
	Cells []Cell
}

// Cell is one cell. A date stands as 2006-01-02, whatever its format in the file.
type Cell struct {
	Text string
	// Merged is set on the cells of a merged range but its first; they carry the text of the first.
	Merged bool
	// Number is set where the file holds a number that is no date; Lossy where it has more digits than a number keeps.
	Number, Lossy bool
	// Bad says why the cell cannot be used; a problem where the cell is needed.
	Bad string
}

// blank reports a cell with nothing in it.
func (c Cell) blank() bool { return strings.TrimSpace(c.Text) == "" && c.Bad == "" }

// at returns the cell of the column, from 0; an empty one beyond the row's end.
func (r Row) at(col int) Cell {
	if col < 0 || col >= len(r.Cells) {
		return Cell{}
	}
	return r.Cells[col]
}

// Label returns the value of a labelled row near the top of a sheet (行政区域代码, 方案代码 …), empty where there is none.
func (b Book) Label(name string) string {
	lay := layout{labels: map[string]field{heading(name): "label"}}
	t := table{labels: map[field]Problem{}}
	for _, sh := range b.Sheets {
		for _, row := range sh.Rows[:min(len(sh.Rows), 20)] {
			if lay.label(&t, sh.Name, row); t.labels["label"].Value != "" {
				return t.labels["label"].Value
			}
		}
	}
	return ""
}

// Problem is one thing wrong with a file. Reason is English and quotes the cell's Chinese.
type Problem struct {
	File   string `json:"file"`
	Sheet  string `json:"sheet,omitempty"`
	Row    int    `json:"row,omitempty"`    // as the spreadsheet shows it; 0 for the whole file or sheet
	Column string `json:"column,omitempty"` // the heading, or the letter where there is none
	Value  string `json:"value,omitempty"`  // the cell, cut to 60 characters
	Reason string `json:"reason"`
}

// String returns the problem on one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Sheet != "" {
		fmt.Fprintf(&b, ", sheet %s", p.Sheet)
	}
	if p.Row > 0 {
		fmt.Fprintf(&b, ", row %d", p.Row)
	}
	if p.Column != "" {
		fmt.Fprintf(&b, ", column %s", p.Column)
	}
	if p.Value != "" {
		fmt.Fprintf(&b, " 「%s」", p.Value)
	}
	return b.String() + ": " + p.Reason
}

// Problems is all that is wrong with a file. It is an error where it is not empty; see Err.
type Problems []Problem

// Error lists the problems, one per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems as an error, nil where there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// short cuts a cell's text for a message, on one line.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)), " ")
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// letter returns the letter of a column, from 0: A, Z, AA.
func letter(col int) string {
	s := ""
	for col++; col > 0; col = (col - 1) / 26 {
		s = string(rune('A'+(col-1)%26)) + s
	}
	return s
}
