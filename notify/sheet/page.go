package sheet

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"duban/notify/notice"
)

// grid is the extent of a sheet: the header stands in row head, the last row is rows, and the last that a filter may sort away
// or hide is sorted.
type grid struct{ columns, head, rows, sorted int }

func (g grid) at(row, column int) string {
	name, err := excelize.ColumnNumberToName(column)
	if err != nil { // more columns than a sheet has: the writer says so
		name = "XFD"
	}
	return name + strconv.Itoa(row)
}

// setUp is what is said of a sheet before its rows: the extent, the filter, and how it is printed: landscape on A4, as wide
// as the paper, the header on every page.
func (b *book) setUp(name string, g grid) error {
	if err := b.SetSheetDimension(name, "A1:"+g.at(g.rows, g.columns)); err != nil {
		return fmt.Errorf("set extent: %w", err)
	}
	if err := b.AutoFilter(name, "A"+strconv.Itoa(g.head)+":"+g.at(g.sorted, g.columns), nil); err != nil {
		return fmt.Errorf("set filter: %w", err)
	}
	a4, wide, one, free, yes := 9, "landscape", 1, 0, true
	if err := b.SetPageLayout(name, &excelize.PageLayoutOptions{Size: &a4, Orientation: &wide, FitToWidth: &one, FitToHeight: &free}); err != nil {
		return fmt.Errorf("set page: %w", err)
	}
	if err := b.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &yes}); err != nil {
		return fmt.Errorf("set page: %w", err)
	}
	side, top, edge := 0.5, 0.7, 0.3 // inches
	if err := b.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{Left: &side, Right: &side, Top: &top, Bottom: &top, Header: &edge, Footer: &edge, Horizontally: &yes}); err != nil {
		return fmt.Errorf("set margins: %w", err)
	}
	if err := b.SetHeaderFooter(name, &excelize.HeaderFooterOptions{OddFooter: "&C第&P页，共&N页"}); err != nil {
		return fmt.Errorf("set footer: %w", err)
	}
	if err := b.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$%d:$%d", name, g.head, g.head), Scope: name,
	}); err != nil {
		return fmt.Errorf("repeat header: %w", err)
	}
	return nil
}

// Widths of columns in characters of half the width of a Chinese one.
const (
	leastWidth = 6
	mostWidth  = 60
	// filterWidth is what the button of a filter takes of its header.
	filterWidth = 3
)

// widths are the columns' own, or those of their longest cell, between bounds.
func widths(t notice.Table) []float64 {
	out := make([]float64, columnsOf(t))
	for j := range out {
		if j < len(t.Columns) {
			if w := t.Columns[j].Width; w > 0 {
				out[j] = min(w, 255) // the most a column can have
				continue
			}
			out[j] = float64(min(halves(t.Columns[j].Name)+filterWidth, 24))
		}
		for i := range t.Rows {
			if out[j] >= mostWidth {
				break
			}
			out[j] = max(out[j], float64(halves(t.Words(i, j))+2))
		}
		out[j] = min(max(out[j], leastWidth), mostWidth)
	}
	return out
}

// linesIn is how many lines a text takes in a column. Not every program sees to the height of its rows when it opens a
// workbook, so that a row says it.
func linesIn(s string, width float64) int {
	inner := max(int(width)-1, 2)
	if len(s) <= inner { // no text is wider than its bytes
		return 1 + strings.Count(s, "\n")
	}
	n := 0
	for line := range strings.SplitSeq(s, "\n") {
		n += max(1, (halves(line)+inner-1)/inner)
	}
	return n
}

// highest is the most that a row can be high, in points.
const highest = 409

// height is that of a row of so many lines.
func height(lines int) float64 { return min(float64(lines)*14.5+3, highest) }

// halves counts the half-width columns of a text, of its longest line where it has several.
func halves(s string) int {
	most, n := 0, 0
	for _, r := range s {
		switch {
		case r == '\n':
			most, n = max(most, n), 0
		case r < utf8.RuneSelf:
			n++
		default:
			n += 2
		}
	}
	return max(most, n)
}

// names makes the sheets' names legal and different: at most 31 UTF-16 units, none of the signs that references use, and
// not twice the same, small and capital letters being one.
func names(sheets []notice.Sheet) []string {
	out := make([]string, len(sheets))
	taken := map[string]bool{"history": true} // which Excel keeps for itself
	for i, s := range sheets {
		base := legal(s.Name)
		if base == "" {
			base = "表" + strconv.Itoa(i+1)
		}
		name := base
		for n := 2; taken[strings.ToLower(name)]; n++ {
			mark := "（" + strconv.Itoa(n) + "）"
			name = short(base, longest-len(utf16.Encode([]rune(mark)))) + mark
		}
		taken[strings.ToLower(name)] = true
		out[i] = name
	}
	return out
}

// longest is how many UTF-16 units the name of a sheet may have.
const longest = 31

func legal(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`:\/?*[]`, r):
			return '_'
		case r == '\'':
			return '’'
		case r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0xfffe || r == 0xffff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	return short(strings.TrimSpace(name), longest)
}

// short cuts a text to so many UTF-16 units.
func short(s string, most int) string {
	n := 0
	for i, r := range s {
		if n += len(utf16.Encode([]rune{r})); n > most {
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}
