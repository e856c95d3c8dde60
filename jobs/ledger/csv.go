package ledger

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// readCSV reads text with commas, semicolons or tabs between cells.
func readCSV(name string, b []byte) (Book, error) {
	s, err := decode(b)
	if err != nil {
		return Book{}, fmt.Errorf("read %s: %w", name, err)
	}
	r := csv.NewReader(strings.NewReader(s))
	r.Comma, r.FieldsPerRecord = delimiter(s), -1
	var sh Sheet
	var bad Problems
	inside := 0 // line breaks inside cells so far: a row of the sheet may take several lines
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			return Book{}, fmt.Errorf("read %s: line %d: a quotation mark is missing or misplaced: put a cell that holds a quotation mark in quotation marks and double those inside, or %s", name, pe.StartLine, saveAs)
		}
		if err != nil {
			return Book{}, fmt.Errorf("read %s: %w", name, err)
		}
		line, _ := r.FieldPos(0)
		row := Row{N: line - inside}
		if len(rec) > maxColumns {
			return Book{}, Problems{{File: name, Row: row.N, Reason: fmt.Sprintf("the row has %d columns, more than a spreadsheet holds: is this the right file?", len(rec))}}
		}
		for i, text := range rec {
			inside += strings.Count(text, "\n")
			if p, ok := tooLong(name, "", row.N, i, text); ok {
				bad = append(bad, p)
			}
			row.Cells = append(row.Cells, Cell{Text: text})
		}
		sh.Rows = append(sh.Rows, row)
	}
	if len(bad) > 0 {
		return Book{}, bad
	}
	return Book{Name: name, Sheets: []Sheet{sh}}, nil
}

func tooLong(file, sheet string, row, col int, text string) (Problem, bool) {
	if len(text) <= maxCell {
		return Problem{}, false
	}
	n := utf8.RuneCountInString(text)
	return Problem{File: file, Sheet: sheet, Row: row, Column: letter(col), Value: short(text[:200]),
		Reason: fmt.Sprintf("the cell holds %d characters; a spreadsheet cell holds 32767: look for a quotation mark that was never closed, or cut the text", n)}, n > maxCell
}

// decode turns bytes into text: a byte order mark decides, then valid UTF-8, then GB18030. GB18030 accepts almost any
// bytes, so a file that mixes it with UTF-8 is looked for line by line.
func decode(b []byte) (string, error) {
	marked := bytes.HasPrefix(b, []byte("\ufeff"))
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if utf8.Valid(b) {
		return string(b), nil
	}
	first, other := 0, 0 // the first lines that are not, and that are, UTF-8 beyond ASCII
	for i, line := range bytes.Split(b, []byte("\n")) {
		switch {
		case !utf8.Valid(line):
			if first == 0 {
				first = i + 1
			}
		case other == 0 && hanCount(line) >= 2:
			other = i + 1
		}
	}
	if marked {
		return "", fmt.Errorf("line %d: the file says it is UTF-8, and this line is not: save it anew as CSV UTF-8", first)
	}
	if other > 0 {
		return "", fmt.Errorf("line %d is not UTF-8 and line %d is: the file mixes two encodings: open it in Excel or WPS, look for garbled cells, and save it as .xlsx", first, other)
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil {
		return "", fmt.Errorf("decode GB18030: %w", err)
	}
	s := string(out)
	if i := strings.IndexRune(s, utf8.RuneError); i >= 0 {
		return "", fmt.Errorf("line %d: the text is neither UTF-8 nor GB18030: %s", 1+strings.Count(s[:i], "\n"), saveAs)
	}
	return s, nil
}

func hanCount(line []byte) int {
	n := 0
	for _, r := range string(line) {
		if unicode.Is(unicode.Han, r) {
			n++
		}
	}
	return n
}

// delimiter returns the mark that stands between the cells of the first lines.
func delimiter(s string) rune {
	counts := map[rune]int{}
	quoted, lines := false, 0
	for _, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '\n' && !quoted:
			lines++
		case !quoted && (r == ',' || r == ';' || r == '\t'):
			counts[r]++
		}
		if lines >= 30 {
			break
		}
	}
	best := ','
	for _, r := range []rune{'\t', ';'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}
