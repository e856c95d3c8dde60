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
	b = append(appendCentred(b, c.Title), "\n\n"...)
	if c.Addressee != "" {
		b = append(append(b, c.Addressee...), '\n')
	}
	for _, p := range c.Opening {
		b = appendParaText(b, p)
	}
	for _, s := range c.Sections {
		b = appendSectionText(b, s)
	}
	for _, p := range c.Closing {
		b = appendParaText(b, p)
	}
	b = append(b, '\n')
	if len(c.Contact) > 0 {
		b = appendParaText(b, c.Contact)
	}
	b = append(appendRight(append(b, '\n'), c.Issuer), '\n')
	b = append(appendRight(b, c.Date), '\n')
	if c.Copies != "" {
		b = append(append(append(b, '\n'), c.Copies...), '\n')
	}
	for len(b) > 0 && b[len(b)-1] == '\n' {
		b = b[:len(b)-1]
	}
	return append(b, '\n')
}

func appendSectionText(b []byte, s section) []byte {
	b = append(append(append(b, indent...), s.Ordinal...), "、"...)
	b = append(appendPhraseText(b, s.Heading), '\n')
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

// bare drops the word 时限 where the column says it.
func bare(p phrase) phrase {
	if len(p) == 0 || !strings.HasPrefix(p[0].Text, "时限") {
		return p
	}
	out := append(phrase(nil), p...)
	out[0].Text = strings.TrimPrefix(out[0].Text, "时限")
	return out
}
