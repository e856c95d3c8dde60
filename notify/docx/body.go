package docx

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"

	"duban/notify/notice"
)

// body is a document as it grows. Texts come in by text alone, which escapes them; put takes only our own pieces.
type body struct{ out strings.Builder }

func (b *body) put(s string) { _, _ = b.out.WriteString(s) } // a strings.Builder takes everything

// text writes a text into a run: lines by breaks, and what no XML can hold as a replacement.
func (b *body) text(s string) {
	for i, line := range strings.Split(strings.ReplaceAll(s, "\t", " "), "\n") {
		if i > 0 {
			b.put("<w:br/>")
		}
		b.put(`<w:t xml:space="preserve">`)
		_ = xml.EscapeText(&b.out, []byte(line))
		b.put("</w:t>")
	}
}

// para writes a paragraph of a style.
func (b *body) para(style, s string) {
	b.put(`<w:p><w:pPr><w:pStyle w:val="` + style + `"/></w:pPr><w:r>`)
	b.text(s)
	b.put("</w:r></w:p>\n")
}

func (b *body) paras(style string, list []string) {
	for _, s := range list {
		b.para(style, s)
	}
}

// shifted is a paragraph at the right, so many characters from the edge.
func (b *body) shifted(style string, right float64, s string) {
	b.put(`<w:p><w:pPr><w:pStyle w:val="` + style + `"/><w:ind w:rightChars="` + strconv.Itoa(int(right*100)) +
		`" w:right="` + strconv.Itoa(int(right*320)) + `"/></w:pPr><w:r>`)
	b.text(s)
	b.put("</w:r></w:p>\n")
}

// textWidth is the width of the text on a page in twentieths of a point: 210 mm without the margins of 28 and 26 mm.
const textWidth = 8845

func (b *body) openTable(widths []int, border, margin int) {
	line := `w:val="single" w:sz="` + strconv.Itoa(border) + `" w:space="0" w:color="000000"/>`
	b.put(gap + `<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>`)
	for _, side := range [...]string{"top", "left", "bottom", "right", "insideH", "insideV"} {
		b.put("<w:" + side + " " + line)
	}
	m := strconv.Itoa(margin)
	b.put(`</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="` + m + `" w:type="dxa"/><w:right w:w="` + m +
		`" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid>`)
	for _, w := range widths {
		b.put(`<w:gridCol w:w="` + strconv.Itoa(w) + `"/>`)
	}
	b.put("</w:tblGrid>\n")
}

// look is how a cell stands. Size is in half points.
type look struct {
	style  string
	width  int
	span   int
	shade  string
	colour string
	bold   bool
	top    bool
	left   bool
	size   int
	next   bool // on the page of the row below
}

func (b *body) cell(l look, s string) {
	b.put(`<w:tc><w:tcPr><w:tcW w:w="` + strconv.Itoa(l.width) + `" w:type="dxa"/>`)
	if l.span > 1 {
		b.put(`<w:gridSpan w:val="` + strconv.Itoa(l.span) + `"/>`)
	}
	if l.shade != "" {
		b.put(`<w:shd w:val="clear" w:color="auto" w:fill="` + l.shade + `"/>`)
	}
	if !l.top {
		b.put(`<w:vAlign w:val="center"/>`)
	}
	b.put(`</w:tcPr><w:p><w:pPr><w:pStyle w:val="` + l.style + `"/>`)
	if l.next {
		b.put("<w:keepNext/>")
	}
	if l.left {
		b.put(`<w:jc w:val="left"/>`)
	}
	b.put("</w:pPr>")
	if s != "" {
		b.put("<w:r><w:rPr>")
		if l.bold {
			b.put("<w:b/>")
		}
		if l.colour != "" {
			b.put(`<w:color w:val="` + l.colour + `"/>`)
		}
		if l.size > 0 {
			b.put(`<w:sz w:val="` + strconv.Itoa(l.size) + `"/><w:szCs w:val="` + strconv.Itoa(l.size) + `"/>`)
		}
		b.put("</w:rPr>")
		b.text(s)
		b.put("</w:r>")
	}
	b.put("</w:p></w:tc>")
}

func (b *body) closeTable() { b.put("</w:tbl>\n" + gap) }

// gap is the thin line above and below a table: two tables without one between them would be one.
const gap = `<w:p><w:pPr><w:pStyle w:val="Gap"/></w:pPr></w:p>` + "\n"

// cellMargin is what a cell of a table leaves empty at each side.
const cellMargin = 60

// table writes a table with a header that is repeated on every page.
func (b *body) table(t notice.Table) {
	n := len(t.Columns)
	for _, row := range t.Rows {
		n = max(n, len(row))
	}
	if n == 0 {
		return
	}
	size := 24 // 小四
	switch {
	case n > 8:
		size = 18 // 小五
	case n > 5:
		size = 21 // 五号
	}
	widths := columnWidths(t, n, size*10, 2*cellMargin+20)
	left := make([]bool, n) // one look for a column: short cells in the middle, or all from the left
	for j := range left {
		for i := range t.Rows {
			left[j] = left[j] || widest(shown(t, i, j), half) > 8
		}
	}
	b.openTable(widths, 4, cellMargin)
	b.put("<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>")
	for j := range n {
		name := ""
		if j < len(t.Columns) {
			name = t.Columns[j].Name
		}
		b.cell(look{style: "TableHead", width: widths[j], shade: "F2F2F2", size: size}, name)
	}
	b.put("</w:tr>\n")
	for i := range t.Rows {
		b.put("<w:tr><w:trPr><w:cantSplit/></w:trPr>")
		for j := range n {
			l := look{style: "TableText", width: widths[j], size: size}
			if j < len(t.Rows[i]) {
				l.bold, l.colour = toned(t.Rows[i][j].Tone)
			}
			l.left = left[j]
			b.cell(l, shown(t, i, j))
		}
		b.put("</w:tr>\n")
	}
	b.closeTable()
}

// toned is how a tone looks on paper. The word itself says the same.
func toned(t notice.Tone) (bold bool, colour string) {
	switch t {
	case notice.Strong:
		return true, ""
	case notice.Red:
		return true, "B3261E"
	case notice.Yellow:
		return true, "8A5A00"
	case notice.Green:
		return true, "1B6E3C"
	case notice.Plain:
	}
	return false, ""
}

// shown is the text of a cell. A share stands below its fraction, so that neither is broken: 30/43, and below it （69.8%）.
func shown(t notice.Table, row, column int) string {
	s := t.Words(row, column)
	fraction, share, ok := strings.Cut(s, "（")
	if ok && strings.HasSuffix(share, "）") && strings.Contains(fraction, "/") && strings.Trim(fraction, "0123456789/") == "" {
		return fraction + "\n（" + share
	}
	return s
}

// widest is the width of the longest line of a text.
func widest(s string, ascii float64) float64 {
	n := 0.0
	for line := range strings.SplitSeq(s, "\n") {
		n = max(n, width(line, ascii))
	}
	return n
}

// The widths of columns in characters: cells up to tight stand on one line where the page allows it, a column of longer
// ones has at least wide.
const (
	tight = 9
	wide  = 6
)

// columnWidths shares the page among columns by what their cells hold. Columns of short cells get what they need first;
// the others share the rest by the length of their longest cell. char is the width of a character, margin what a cell
// leaves empty, both in twentieths of a point.
func columnWidths(t notice.Table, n, char, margin int) []int {
	need, taken, long := make([]float64, n), 0.0, 0.0
	for j := range need {
		need[j] = 2
		if j < len(t.Columns) {
			need[j] = max(need[j], min(width(t.Columns[j].Name, broad), 4)) // a heading may take two lines
		}
		for i := range t.Rows {
			need[j] = max(need[j], widest(shown(t, i, j), broad))
		}
		need[j] = min(need[j]+0.2, 30) // which no program then breaks for want of a hair
		if need[j] <= tight+1 {
			taken += need[j]*float64(char) + float64(margin)
		} else {
			taken += float64(wide*char + margin)
			long += need[j]
		}
	}
	out, rest := make([]int, n), textWidth
	for j := range out {
		w := need[j]*float64(char) + float64(margin)
		switch {
		case taken > textWidth: // too many to care for each
			w *= textWidth / (taken + long*float64(char))
		case long == 0:
			w *= textWidth / taken
		case need[j] > tight+1:
			w = float64(wide*char+margin) + (textWidth-taken)*need[j]/long
		}
		out[j] = int(math.Floor(w))
		rest -= out[j]
	}
	widest := 0
	for j := range out {
		if out[j] > out[widest] {
			widest = j
		}
	}
	out[widest] += rest
	return out
}

// labelWidth is the width of a form's labels.
const labelWidth = 1900

// form writes a bordered form, with room to write where a row wants it. One that is whole stands on one page;
// one that is signed keeps its last row with the signature below.
func (b *body) form(rows []notice.FormRow, whole, signed bool) {
	if len(rows) == 0 {
		return
	}
	b.openTable([]int{labelWidth, textWidth - labelWidth}, 8, 110)
	for i, r := range rows {
		next := whole && i < len(rows)-1 || signed && i == len(rows)-1
		lines := max(r.Room(), 1)
		b.put(`<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="` + strconv.Itoa(lines*400+120) + `" w:hRule="atLeast"/></w:trPr>`)
		if r.Heading {
			s := r.Label
			if r.Text != "" {
				s += "　" + r.Text
			}
			b.cell(look{style: "FormHead", width: textWidth, span: 2, shade: "F2F2F2", next: next}, s)
		} else {
			b.cell(look{style: "FormLabel", width: labelWidth, next: next}, r.Label)
			b.cell(look{style: "FormText", width: textWidth - labelWidth, top: r.Tall, next: next}, r.Text)
		}
		b.put("</w:tr>\n")
	}
	b.closeTable()
}
