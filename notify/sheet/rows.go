package sheet

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"duban/notify/notice"
)

// The limits of a sheet and of a cell.
const (
	mostRows  = 1 << 20
	mostUnits = 32767 / 2 // characters, each of one UTF-16 unit or two
)

// plainRows writes the rows under the header just as the library would, at a fraction of its cost. It does so where every text
// stands for itself in XML; ok is false where one does not, and the library has to write them all.
func (b *book) plainRows(t notice.Table, g grid, wide []float64) (out []byte, ok bool) {
	if g.rows > mostRows {
		return nil, false
	}
	columns := make([]string, len(wide))
	for j := range columns {
		columns[j] = strings.TrimSuffix(g.at(1, j+1), "1")
	}
	for i := range t.Rows {
		no, lines := strconv.Itoa(g.head+1+i), 1
		for j := range columns {
			lines = max(lines, linesIn(t.Words(i, j), wide[j]))
		}
		out = append(append(out, `<row r="`...), no...)
		out = append(out, `" ht="`...)
		out = append(strconv.AppendFloat(out, height(lines), 'f', -1, 64), `" customHeight="1">`...)
		for j, name := range columns {
			c := b.cell(t, i, j)
			if c.StyleID <= 0 {
				return nil, false
			}
			out = append(append(append(out, `<c r="`...), name...), no...)
			out = append(strconv.AppendInt(append(out, `" s="`...), int64(c.StyleID), 10), '"')
			switch v := c.Value.(type) {
			case nil:
				out = append(out, '>')
			case int64:
				out = append(strconv.AppendInt(append(out, `><v>`...), v, 10), `</v>`...)
			case string:
				if !isPlain(v) {
					return nil, false
				}
				out = append(append(append(out, ` t="inlineStr"><is><t>`...), v...), `</t></is>`...)
			default:
				return nil, false
			}
			out = append(out, `</c>`...)
		}
		out = append(out, `</row>`...)
	}
	return out, true
}

// isPlain reports whether a text stands in XML as it is: it has no sign of XML's or of the library's own escapes, nothing XML
// cannot hold, no space at an end, and is not cut for its length.
func isPlain(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' || s[0] == '\n' || s[len(s)-1] == '\n' || len(s) > mostUnits {
		return false
	}
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' && c != '\n' || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' || c == '_' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return false
		}
		i += n
	}
	return true
}
