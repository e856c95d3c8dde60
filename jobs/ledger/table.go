package ledger

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// field is what a column holds, whatever its heading says.
type field string

// layout says how the tables of one kind of file look.
type layout struct {
	// headings are the columns by heading, in the form heading makes of them.
	headings map[string]field
	// isHeader decides whether a row with these columns is a header.
	isHeader func(map[field]int) bool
	// settle may rename columns where two headings claim the same field; it returns what is wrong with the header.
	settle func([]column) string
	// labels are the labelled rows above the header.
	labels map[string]field
	// wanted names the headings to look for, for the message that there is no header.
	wanted string
}

// column is one column of a header.
type column struct {
	field   field
	heading string // as written, on one line
	rank    int
	at      int
}

// record is one row below a header.
type record struct {
	sheet string
	row   int
	cells map[field]Cell
	heads map[field]string
	// alone is the text of a row that holds one text only, across one or all columns: a heading or a note.
	alone string
}

// table is a book read with a layout.
type table struct {
	file    string
	labels  map[field]Problem // the value of each labelled row, with its place
	title   string            // the text of a lone cell above the header
	records []record
	columns map[field]bool
	notes   []string
	probs   Problems
}

// read reads the sheets of a book. A sheet without a header continues the one before it.
func (lay layout) read(book Book) table {
	t := table{file: book.Name, labels: map[field]Problem{}, columns: map[field]bool{}, notes: slices.Clone(book.Notes)}
	var header []column
	for _, sh := range book.Sheets {
		header = lay.sheet(&t, sh, header)
	}
	if len(header) == 0 && len(t.probs) == 0 {
		t.probs = append(t.probs, Problem{File: book.Name, Reason: "no header row was found: a row with headings such as " + lay.wanted + " is needed"})
	}
	return t
}

// sheet reads one sheet and returns the header in force at its end.
func (lay layout) sheet(t *table, sh Sheet, header []column) []column {
	found, noted := false, false
	for i := 0; i < len(sh.Rows); i++ {
		row := sh.Rows[i]
		if emptyRow(row) {
			continue
		}
		cols := lay.header(row)
		if cols != nil {
			if i+1 < len(sh.Rows) {
				if lower := lay.lower(sh.Rows[i+1]); lower != nil {
					cols = combine(cols, lower)
					i++
				}
			}
			if wrong := lay.check(cols); wrong != "" {
				t.probs = append(t.probs, Problem{File: t.file, Sheet: sh.Name, Row: row.N, Reason: wrong})
			}
			t.unread(sh.Name, row, cols)
			header, found = cols, true
			for _, c := range cols {
				t.columns[c.field] = true
			}
			continue
		}
		if !found && lay.label(t, sh.Name, row) {
			continue
		}
		if len(header) == 0 || !found && !continues(row, header) {
			if text, ok := alone(row); ok && t.title == "" && len(header) == 0 {
				t.title = text
			} else {
				noted = true
				t.notes = append(t.notes, place(sh.Name, row.N)+"not read: 「"+short(rowText(row))+"」")
			}
			continue
		}
		found = true
		t.records = append(t.records, lay.record(sh.Name, row, header))
	}
	if !found && !noted && len(sh.Rows) > 0 {
		t.notes = append(t.notes, fmt.Sprintf("sheet %s has no header row and was not read", sh.Name))
	}
	return header
}

// unread notes the headings of a header row that name no column of the layout: a slip of the pen there would lose the
// column without a word.
func (t *table) unread(sheet string, row Row, cols []column) {
	for i, c := range row.Cells {
		if c.blank() || c.Merged || slices.ContainsFunc(cols, func(c column) bool { return c.at == i }) {
			continue
		}
		what := "column 「" + short(oneLine(c.Text)) + "」 " + unreadColumn
		if !slices.ContainsFunc(t.notes, func(n string) bool { return strings.HasSuffix(n, what) }) { // a header may be repeated
			t.notes = append(t.notes, place(sheet, row.N)+what)
		}
	}
}

// continues reports that a row of a sheet without a header can belong to the table of the sheet before: it has no
// more columns, and its first column is filled.
func continues(row Row, header []column) bool {
	last := header[len(header)-1].at
	n := 0
	for i, c := range row.Cells {
		if !c.blank() {
			if i > last {
				return false
			}
			n++
		}
	}
	return n > 1 && !row.at(header[0].at).blank()
}

func place(sheet string, row int) string {
	if sheet == "" {
		return fmt.Sprintf("row %d ", row)
	}
	return fmt.Sprintf("sheet %s, row %d ", sheet, row)
}

func emptyRow(row Row) bool {
	return !slices.ContainsFunc(row.Cells, func(c Cell) bool { return !c.blank() })
}

func rowText(row Row) string {
	var parts []string
	for _, c := range row.Cells {
		if !c.blank() && !c.Merged {
			parts = append(parts, oneLine(c.Text))
		}
	}
	return strings.Join(parts, " ")
}

// alone returns the only text of a row, which may stand in one cell or be merged over many.
func alone(row Row) (string, bool) {
	text, n := "", 0
	for _, c := range row.Cells {
		switch {
		case c.blank():
		case c.Merged && c.Text == text:
		default:
			text = c.Text
			n++
		}
	}
	return oneLine(text), n == 1
}

// header returns the columns of a header row, nil where the row is none.
func (lay layout) header(row Row) []column {
	cols := lay.columns(row)
	seen := map[field]int{}
	for _, c := range cols {
		seen[c.field]++
	}
	if len(seen) < 2 || !lay.isHeader(seen) {
		return nil
	}
	return cols
}

func (lay layout) columns(row Row) []column {
	var cols []column
	for i, c := range row.Cells {
		if f, rank, ok := lay.find(c.Text); ok {
			cols = append(cols, column{f, oneLine(c.Text), rank, i})
		}
	}
	return cols
}

// find looks a heading up. A heading may be followed by a remark in brackets. The rank, a digit behind the field's
// name in the table, tells the more particular of two headings for the same field.
func (lay layout) find(text string) (field, int, bool) {
	if len(text) > 90 {
		return "", 0, false
	}
	h := heading(text)
	f, ok := lay.headings[h]
	if !ok {
		f, ok = lay.headings[unbracket(h)]
	}
	if !ok || f == "" {
		return "", 0, false
	}
	if name, rank, ranked := strings.Cut(string(f), "#"); ranked {
		return field(name), int(rank[0] - '0'), true
	}
	return f, 0, true
}

// lower returns the columns of the second row of a header: every cell is a heading, and some are not copies of the
// row above.
func (lay layout) lower(row Row) []column {
	own := false
	for _, c := range row.Cells {
		if c.blank() {
			continue
		}
		if _, _, ok := lay.find(c.Text); !ok && !c.Merged {
			return nil
		}
		own = own || !c.Merged
	}
	cols := lay.columns(row)
	if len(cols) < 2 || !own {
		return nil
	}
	return cols
}

// combine lays the second row of a header over the first.
func combine(upper, lower []column) []column {
	out := slices.Clone(upper)
	for _, c := range lower {
		i := slices.IndexFunc(out, func(o column) bool { return o.at == c.at })
		if i >= 0 {
			out[i] = c
		} else {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b column) int { return a.at - b.at })
	return out
}

// check settles headings that claim the same field and reports what stays in doubt.
func (lay layout) check(cols []column) string {
	if lay.settle != nil {
		if wrong := lay.settle(cols); wrong != "" {
			return wrong
		}
	}
	for i, c := range cols {
		for _, d := range cols[:i] {
			if c.field == d.field {
				return fmt.Sprintf("the headings 「%s」 (column %s) and 「%s」 (column %s) mean the same: rename or remove one", d.heading, letter(d.at), c.heading, letter(c.at))
			}
		}
	}
	return ""
}

// label reads a labelled row: a label and its value in the next filled cell, or behind a colon.
func (lay layout) label(t *table, sheet string, row Row) bool {
	found := false
	for i := 0; i < len(row.Cells); i++ {
		c := row.Cells[i]
		if c.Merged || c.blank() {
			continue
		}
		name, value, colon := strings.Cut(strings.ReplaceAll(c.Text, "：", ":"), ":")
		f, ok := lay.labels[heading(name)]
		if !ok {
			continue
		}
		found = true
		p := Problem{File: t.file, Sheet: sheet, Row: row.N, Column: oneLine(name)}
		if colon && strings.TrimSpace(value) != "" {
			p.Value = strings.TrimSpace(value)
		} else {
			for j := i + 1; j < len(row.Cells); j++ {
				if v := row.Cells[j]; !v.blank() && !(v.Merged && v.Text == c.Text) {
					if _, another := lay.labels[heading(strings.TrimRight(v.Text, ":："))]; !another {
						p.Value = strings.TrimSpace(v.Text)
						i = j
					}
					break
				}
			}
		}
		if _, seen := t.labels[f]; !seen || t.labels[f].Value == "" {
			t.labels[f] = p
		}
	}
	return found
}

func (lay layout) record(sheet string, row Row, header []column) record {
	r := record{sheet: sheet, row: row.N, cells: map[field]Cell{}, heads: map[field]string{}}
	for _, c := range header {
		r.cells[c.field], r.heads[c.field] = row.at(c.at), c.heading
	}
	if text, ok := alone(row); ok {
		r.alone = text
	}
	return r
}

// text returns the cell of the field, trimmed.
func (r record) text(f field) string { return strings.TrimSpace(r.cells[f].Text) }

// problem names a cell of the record.
func (r record) problem(file string, f field, format string, args ...any) Problem {
	return Problem{File: file, Sheet: r.sheet, Row: r.row, Column: r.heads[f], Value: short(r.text(f)), Reason: fmt.Sprintf(format, args...)}
}

// bad appends the problems of the record's cells that cannot be used.
func (r record) bad(file string, probs *Problems) {
	var fields []field
	for f, c := range r.cells {
		if c.Bad != "" {
			fields = append(fields, f)
		}
	}
	slices.Sort(fields)
	for _, f := range fields {
		*probs = append(*probs, r.problem(file, f, "%s", r.cells[f].Bad))
	}
}

// heading brings a heading or label into the form the tables hold: NFKC, no spaces, no colon behind.
func heading(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	return strings.Trim(s, ":*★")
}

// unbracket drops what stands in brackets.
func unbracket(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch r {
		case '(', '〔', '[', '【':
			depth++
		case ')', '〕', ']', '】':
			depth = max(0, depth-1)
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// oneLine joins the lines of a cell: a break inside Chinese text was made by the width of a column and vanishes, any
// other becomes a space.
func oneLine(s string) string {
	r := []rune(strings.TrimSpace(s))
	var b strings.Builder
	for i := 0; i < len(r); i++ {
		if !unicode.IsSpace(r[i]) {
			b.WriteRune(r[i])
			continue
		}
		j := i
		for j < len(r) && unicode.IsSpace(r[j]) {
			j++
		}
		if r[i-1] < 0x2E80 && j < len(r) && r[j] < 0x2E80 {
			b.WriteByte(' ')
		}
		i = j - 1
	}
	return b.String()
}

var noteStart = regexp.MustCompile(`^(注|备注|说明|附注|注释|填表说明|备 注)\s*([:：0-9１-９一二三（(、]|$)|^[*＊※]`)

// isNote reports the text of a note below the table.
func isNote(s string) bool { return noteStart.MatchString(s) }
