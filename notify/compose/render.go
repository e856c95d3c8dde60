package compose

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Both alternatives are written by hand, not by templates, since a template spends several times as long on a letter as
// everything else together. The templates in testdata say the same in a form that is easier to read; tests hold the two
// to the same bytes.

// lineWidth is the number of characters a line of the text alternative is laid out for.
const lineWidth = 38

// indent is the two characters by which a paragraph begins further right.
const indent = "　　"

// width counts the columns of a line in full-width characters, ASCII taking half of one.
func width(s string) int {
	half := 0
	for _, r := range s {
		if r < 0x80 {
			half++
		} else {
			half += 2
		}
	}
	return (half + 1) / 2
}

// appendCentred and appendRight set a line by full-width spaces.
func appendCentred(b []byte, s string) []byte {
	return append(appendSpaces(b, max(0, lineWidth-utf8.RuneCountInString(s))/2), s...)
}

func appendRight(b []byte, s string) []byte {
	return append(appendSpaces(b, max(0, lineWidth-2-width(s))), s...)
}

func appendSpaces(b []byte, n int) []byte {
	for range n {
		b = append(b, "　"...)
	}
	return b
}

func appendPhraseText(b []byte, p phrase) []byte {
	for _, s := range p {
		b = append(b, s.Text...)
	}
	return b
}

func appendParaText(b []byte, p phrase) []byte {
	return append(appendPhraseText(append(b, indent...), p), '\n')
}

// appendText writes the text alternative of a letter, with line ends of one character.
func appendText(b []byte, c content) []byte {
	if c.Trial != "" {
		b = append(append(b, c.Trial...), "\n\n"...)
	}
	if c.Mark != "" {
		b = append(append(b, c.Mark...), "\n\n"...)
	}
	b = append(appendCentred(b, c.Title), '\n')
	for _, s := range c.Under {
		b = append(appendMiddle(b, s), '\n')
	}
	b = append(b, '\n')
	if c.Addressee != "" {
		b = append(append(b, c.Addressee...), '\n')
	}
	for _, p := range c.Opening {
		b = appendParaText(b, p)
	}
	b = appendFormText(b, c.Form)
	for _, s := range c.Sections {
		b = appendSectionText(b, s)
	}
	for _, p := range c.Closing {
		b = appendParaText(b, p)
	}
	b = append(b, '\n')
	b = appendFilesText(b, c.Files)
	if len(c.Contact) > 0 {
		b = appendParaText(b, c.Contact)
	}
	if c.Issuer != "" || c.Date != "" {
		b = append(appendRight(append(b, '\n'), c.Issuer), '\n')
		b = append(appendRight(b, c.Date), '\n')
	}
	if c.Copies != "" {
		b = append(append(append(b, '\n'), c.Copies...), '\n')
	}
	for len(b) > 0 && b[len(b)-1] == '\n' {
		b = b[:len(b)-1]
	}
	return append(b, '\n')
}

func appendSectionText(b []byte, s section) []byte {
	if len(s.Heading) > 0 {
		b = append(b, indent...)
		if s.Ordinal != "" {
			b = append(append(b, s.Ordinal...), "、"...)
		}
		b = append(appendPhraseText(b, s.Heading), '\n')
	}
	for _, p := range s.Before {
		b = appendParaText(b, p)
	}
	for i, p := range s.Points {
		b = append(strconv.AppendInt(append(b, indent...), int64(i+1), 10), ". "...)
		b = append(appendPhraseText(b, p), '\n')
	}
	if s.Grid != nil {
		b = appendGridText(b, *s.Grid)
	}
	for _, p := range s.Notes {
		b = appendParaText(b, p)
	}
	for _, g := range s.Groups {
		if g.Heading != "" {
			b = append(append(append(b, indent...), g.Heading...), '\n')
		}
		for _, l := range g.Lines {
			b = append(strconv.AppendInt(append(b, indent...), int64(l.No), 10), ". "...)
			b = append(appendPhraseText(b, l.Sentence()), '\n')
		}
	}
	for _, p := range s.Paras {
		b = appendParaText(b, p)
	}
	return b
}

// appendMiddle is appendCentred for a line in which figures and signs of half the width are many.
func appendMiddle(b []byte, s string) []byte {
	return append(appendSpaces(b, max(0, lineWidth-width(s))/2), s...)
}

// appendGridText writes a table in lines, its cells between upright bars: mail programs show texts in fonts of any
// width, in which no column would stand.
func appendGridText(b []byte, g grid) []byte {
	b = append(b, indent...)
	for i, c := range g.Columns {
		b = append(bar(b, i), c.Name...)
	}
	b = append(b, '\n')
	for _, row := range g.Rows {
		b = append(b, indent...)
		for i, c := range row {
			b = append(bar(b, i), c.Text...)
		}
		b = append(b, '\n')
	}
	return b
}

func bar(b []byte, column int) []byte {
	if column == 0 {
		return b
	}
	return append(b, "｜"...)
}

func appendFormText(b []byte, rows []formRow) []byte {
	for _, r := range rows {
		b = append(append(b, indent...), r.Label...)
		switch {
		case !r.Heading:
			b = append(append(b, "："...), r.Text...)
		case r.Text != "":
			b = append(append(b, "　"...), r.Text...)
		}
		b = append(b, '\n')
	}
	return b
}

// appendFilesText lists what goes along: after the body and before the signature (GB/T 9704-2012, 7.3.4).
func appendFilesText(b []byte, files []string) []byte {
	for i, name := range files {
		b = append(fileMark(append(b, indent...), i, len(files)), name...)
		b = append(b, '\n')
	}
	return b
}

// fileMark is what stands before the name of an attachment: a number where there are several.
func fileMark(b []byte, i, of int) []byte {
	if i == 0 {
		b = append(b, "附件："...)
	} else {
		b = append(b, "　　　"...)
	}
	if of > 1 {
		b = append(strconv.AppendInt(b, int64(i+1), 10), ". "...)
	}
	return b
}

// bare drops the word 时限 where the column says it.
func bare(p phrase) phrase {
	if len(p) == 0 || !strings.HasPrefix(p[0].Text, "时限") {
		return p
	}
	out := append(phrase(nil), p...)
	out[0].Text = strings.TrimPrefix(out[0].Text, "时限")
	return out
}
