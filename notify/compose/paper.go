package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"duban/notify/notice"
)

// Bounds of a paper's texts in characters. They are wider than a unit letter's, since a paragraph of a bulletin is
// written, not taken from one cell of a register.
const (
	maxParagraph = 4000
	maxCell      = 1000
	// maxSheetCell is less than the 32,767 characters that a cell of a workbook can hold.
	maxSheetCell = 4000
)

// cleanedPaper returns the paper with every text cleaned and every row of a table as long as its columns; the caller's is
// left alone.
func cleanedPaper(p notice.Paper) notice.Paper {
	for _, s := range []*string{&p.Subject, &p.Mark, &p.Issue, &p.Number, &p.Title, &p.Addressee, &p.File, &p.AsFile, &p.Issuer} {
		*s = clean(*s)
	}
	for _, s := range []*string{&p.Sub, &p.Contact, &p.Copies} {
		*s = cleanTo(*s, maxCell)
	}
	p.Opening, p.Closing = paragraphs(p.Opening), paragraphs(p.Closing)
	p.Form = append([]notice.FormRow(nil), p.Form...)
	for i := range p.Form {
		p.Form[i].Label, p.Form[i].Text = clean(p.Form[i].Label), roomyText(p.Form[i].Text)
	}
	p.Sections = append([]notice.Section(nil), p.Sections...)
	for i := range p.Sections {
		s := &p.Sections[i]
		s.Heading = clean(s.Heading)
		s.Paras, s.Lines, s.Notes = paragraphs(s.Paras), paragraphs(s.Lines), paragraphs(s.Notes)
		if s.Table != nil {
			t := cleanedTable(*s.Table, maxCell)
			s.Table = &t
		}
	}
	p.Sheets = append([]notice.Sheet(nil), p.Sheets...)
	for i := range p.Sheets {
		s := &p.Sheets[i]
		s.Name, s.Title, s.Table = clean(s.Name), clean(s.Title), cleanedTable(s.Table, maxSheetCell)
	}
	p.Drafts = append([]notice.Draft(nil), p.Drafts...)
	for i := range p.Drafts {
		p.Drafts[i] = notice.Draft{File: clean(p.Drafts[i].File), Paper: cleanedPaper(p.Drafts[i].Paper)}
	}
	return p
}

// roomyText is clean for a form, in which full-width spaces are room to write in.
func roomyText(s string) string {
	pieces := strings.Split(s[:cut(s, 4*maxParagraph)], "　")
	for i := range pieces {
		pieces[i] = cleanTo(pieces[i], maxParagraph)
	}
	return strings.TrimRight(strings.Join(pieces, "　"), "　")
}

// paragraphs cleans a list of texts; a text of several lines is several paragraphs, and an empty one is none.
func paragraphs(list []string) []string {
	var out []string
	for _, s := range list {
		for line := range strings.Lines(s[:cut(s, 16*maxParagraph)]) {
			if line = cleanTo(line, maxParagraph); line != "" {
				out = append(out, line)
			}
		}
	}
	return out
}

func cleanedTable(t notice.Table, most int) notice.Table {
	t.Columns = append([]notice.Column(nil), t.Columns...)
	for i := range t.Columns {
		t.Columns[i].Name = clean(t.Columns[i].Name)
	}
	n := len(t.Columns)
	for _, row := range t.Rows {
		n = max(n, len(row))
	}
	for len(t.Columns) < n { // a cell too many is shown, not dropped
		t.Columns = append(t.Columns, notice.Column{})
	}
	cells := make([]notice.Cell, n*len(t.Rows))
	rows := make([][]notice.Cell, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = cells[i*n : (i+1)*n : (i+1)*n]
		copy(rows[i], row)
		for j := range rows[i] {
			c := &rows[i][j]
			c.Text = cleanTo(c.Text, most)
			if j >= len(row) && t.Columns[j].Numeric {
				c.Text = "—" // a number that is not there is not nought
			}
		}
	}
	t.Rows = rows
	return t
}

// lateIssue marks a paper that a backfill sends (补发), as a unit's letter is marked.
func lateIssue(p *notice.Paper, f notice.Facts) {
	const mark = "（补发）"
	p.Title += mark
	if end := strings.Index(p.Subject, "】"); end >= 0 {
		p.Subject = p.Subject[:end+len("】")] + mark + p.Subject[end+len("】"):]
	} else {
		p.Subject = mark + p.Subject
	}
	p.Opening = append([]string{"本件为补发，所列情况以" + f.Date.Chinese() + "登记为准。"}, p.Opening...)
}

// compilePaper lays a paper out. The facts are cleaned already.
func compilePaper(f notice.Facts) content {
	p := *f.Paper
	l := content{
		Mark: p.Mark, Title: p.Title, Under: p.Under(), Opening: said(p.Opening), Sections: parts(p), Closing: said(p.Closing),
		Contact: say(p.Whom()), Issuer: p.Issuer, Copies: copies(f), Files: fileNames(p),
	}
	if p.Addressee != "" {
		l.Addressee = strings.TrimSuffix(p.Addressee, "：") + "："
	}
	if p.Issuer != "" && !p.Date.IsZero() {
		l.Date = p.Date.Chinese()
	}
	if p.Copies != "" {
		l.Copies = "抄送：" + strings.TrimPrefix(p.Copies, "抄送：")
	}
	for _, r := range p.Form {
		l.Form = append(l.Form, formRow{Label: r.Label, Text: r.Text, Heading: r.Heading, Room: r.Room()})
	}
	return l
}

func said(list []string) []phrase {
	out := make([]phrase, len(list))
	for i, s := range list {
		out[i] = say(s)
	}
	return out
}

func parts(p notice.Paper) []section {
	out := make([]section, len(p.Sections))
	for i, ordinal := range p.Ordinals() {
		s := p.Sections[i]
		out[i] = section{
			Ordinal: ordinal, Heading: say(s.Heading), Before: said(s.Paras), Points: said(s.Lines), Notes: said(s.Notes),
		}
		if s.Table != nil && len(s.Table.Columns) > 0 {
			out[i].Grid = gridOf(*s.Table)
		}
	}
	return out
}

// The widths of columns, in characters, by which a page sets them.
const (
	tightWidth = 7  // cells up to this stand on one line
	pageWidth  = 44 // of a table's text on a page of the width that letters have
	wideWidth  = 6  // the least that is left to a column of longer cells
)

// gridOf sets a table. Columns of short cells keep them on one line, as long as that leaves room for the others.
func gridOf(t notice.Table) *grid {
	g := &grid{Columns: make([]column, len(t.Columns)), Rows: make([][]span, len(t.Rows))}
	widest := make([]int, len(t.Columns))
	for i := range t.Rows {
		g.Rows[i] = make([]span, len(t.Columns))
		for j := range t.Columns {
			s := span{Text: t.Words(i, j), Tone: toneOf(t.Rows[i][j].Tone)}
			g.Rows[i][j], widest[j] = s, max(widest[j], width(s.Text))
		}
	}
	sum := 0
	for j, c := range t.Columns {
		g.Columns[j] = column{Name: c.Name, Numeric: c.Numeric, Tight: widest[j] <= tightWidth}
		if g.Columns[j].Tight {
			sum += max(widest[j], 2) + 1
		} else {
			sum += wideWidth
		}
	}
	if sum > pageWidth {
		for j := range g.Columns {
			g.Columns[j].Tight = g.Columns[j].Numeric
		}
	}
	return g
}

// toneOf is how a paper's tone is called here; one that is not known is plain.
func toneOf(t notice.Tone) tone {
	switch t {
	case notice.Strong:
		return strong
	case notice.Red:
		return red
	case notice.Yellow:
		return yellow
	case notice.Green:
		return green
	case notice.Plain:
	}
	return plain
}

// paperSubject is the paper's own, or where it has none who writes and what.
func paperSubject(f notice.Facts) string {
	if f.Paper.Subject != "" {
		return f.Paper.Subject
	}
	issuer := f.Issuer.Short
	if issuer == "" {
		issuer = f.Issuer.Name
	}
	return "【" + issuer + "】" + f.Paper.Title
}

// paperThread is the Message-ID to which all papers of one kind to one unit answer: those of one matter, or where there
// is none those of one month.
func paperThread(k notice.Key, f notice.Facts, domain string) string {
	about := k.Matter
	if about == "" {
		about = f.Date.String()[:len("2006-01")]
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{"duban-thread-1", k.Jurisdiction, k.Unit, k.Kind, about}, "\x1f")))
	return "<thread-" + hex.EncodeToString(sum[:12]) + "@" + domain + ">"
}
