// Package docx writes a paper as a .docx file in the form of GB/T 9704-2012, to be sealed, sent by the office's own
// system, or edited by whoever issues it. The same paper gives the same bytes on every machine and every day.
package docx

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"duban/notify/notice"
)

// Type is the media type of a document, and Ending its file's.
const (
	Type   = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	Ending = ".docx"
)

// Render writes the paper. What goes along with it is named after its body and not in it.
func Render(p notice.Paper) ([]byte, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, part := range [...]struct{ name, text string }{
		{"[Content_Types].xml", contentTypes},
		{"_rels/.rels", packageRels},
		{"docProps/core.xml", core(p.Title)},
		{"word/document.xml", document(p)},
		{"word/_rels/document.xml.rels", documentRels},
		{"word/styles.xml", styles()},
		{"word/settings.xml", settings},
		{"word/fontTable.xml", fontTable},
		{"word/footer1.xml", footer("right", "rightChars")},
		{"word/footer2.xml", footer("left", "leftChars")},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate})
		if err != nil {
			return nil, fmt.Errorf("write document: part %s: %w", part.name, err)
		}
		if _, err := w.Write([]byte(part.text)); err != nil {
			return nil, fmt.Errorf("write document: part %s: %w", part.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("write document: %w", err)
	}
	return buf.Bytes(), nil
}

// document is the text of the paper, from its mark to the line of copies.
func document(p notice.Paper) string {
	b := &body{}
	b.put(documentHead)
	if p.Mark != "" {
		b.para("Mark", p.Mark)
	}
	b.para("Title", p.Title)
	for _, s := range p.Under() {
		b.para("Under", s)
	}
	if p.Addressee != "" {
		b.para("Addressee", strings.TrimSuffix(p.Addressee, "：")+"：")
	}
	b.paras("BodyText", p.Opening)
	upper, lower := halves(p.Form)
	b.form(upper, false, p.Issuer != "")
	for i, ordinal := range p.Ordinals() {
		b.section(ordinal, p.Sections[i])
	}
	b.paras("BodyText", p.Closing)
	b.attachments(p)
	b.signature(p)
	b.form(lower, true, false)
	if p.Copies != "" {
		b.para("Copies", "抄送："+strings.TrimPrefix(p.Copies, "抄送："))
	}
	b.put(documentEnd)
	return b.out.String()
}

// halves parts a form at its first heading but the one it may begin with: what is asked is signed and sealed, what stands
// below is for the answer.
func halves(rows []notice.FormRow) (upper, lower []notice.FormRow) {
	for i, r := range rows {
		if i > 0 && r.Heading {
			return rows[:i], rows[i:]
		}
	}
	return rows, nil
}

func (b *body) section(ordinal string, s notice.Section) {
	if s.Heading != "" {
		if ordinal != "" {
			ordinal += "、"
		}
		b.para("Heading1", ordinal+s.Heading)
	}
	b.paras("BodyText", s.Paras)
	for i, line := range s.Lines {
		b.para("BodyText", strconv.Itoa(i+1)+". "+line)
	}
	if s.Table != nil {
		b.table(*s.Table)
	}
	b.paras("Note", s.Notes)
}

// attachments names what goes along, below the body, without the endings of files (GB/T 9704-2012, 7.3.4).
func (b *body) attachments(p notice.Paper) {
	var names []string
	if len(p.Sheets) > 0 {
		names = append(names, p.File)
	}
	for _, d := range p.Drafts {
		names = append(names, d.File)
	}
	for i, name := range names {
		if len(names) > 1 {
			name = strconv.Itoa(i+1) + ". " + name
		}
		if i == 0 {
			b.para("FirstFile", "附件："+name)
		} else {
			b.para("File", name)
		}
	}
}

// sealed is how many characters a date to be sealed stands from the right edge (GB/T 9704-2012, 7.3.5.1).
const sealed = 4

// signature is the issuer, centred above the date, and below them in brackets whom to ask (7.3.5 and 7.3.6).
func (b *body) signature(p notice.Paper) {
	if p.Issuer != "" {
		date := ""
		if !p.Date.IsZero() {
			date = p.Date.Chinese()
		}
		dateRight := float64(sealed)
		issuerRight := dateRight + (width(date, half)-width(p.Issuer, half))/2
		if issuerRight < 2 { // a long name: the date moves in with it
			dateRight, issuerRight = dateRight+2-issuerRight, 2
		}
		style := "Issuer"
		if len(p.Form) > 0 {
			style = "FormIssuer"
		}
		b.shifted(style, issuerRight, p.Issuer)
		if date != "" {
			b.shifted("Date", dateRight, date)
		}
	}
	switch c := p.Whom(); {
	case c == "":
	case p.Issuer == "" || strings.HasPrefix(c, "（"):
		b.para("Contact", c)
	default:
		b.para("Contact", "（"+c+"）")
	}
}

// half is the width of a Latin letter or figure in the fonts of official papers, broad that in many others.
const (
	half  = 0.5
	broad = 0.62
)

// width counts a text's characters, with what one of ASCII takes.
func width(s string, ascii float64) float64 {
	n := 0.0
	for _, r := range s {
		if r < 0x80 {
			n += ascii
		} else {
			n++
		}
	}
	return n
}
