package notice

import (
	"slices"
	"strconv"
	"strings"

	"duban/jobs/civil"
)

// Paper is what a letter says that is not a unit's letter of the day: a digest, a form, a summary, a table of people.
// Its text is written where it is decided; how it looks, as text, HTML, docx or xlsx, is left to composing. Texts are plain,
// one paragraph each, without indents and numbers of sections.
type Paper struct {
	// Subject is the mail's. Its first twenty characters hold the issuer, the nearest date and counts.
	Subject string `json:"subject"`
	// Mark stands above everything, as 内部资料 does; Issue is 第3期; Number is 〔2024〕12号 with its word, empty on a draft.
	Mark   string `json:"mark,omitempty"`
	Issue  string `json:"issue,omitempty"`
	Number string `json:"number,omitempty"`
	Title  string `json:"title"`
	// Sub stands under the title: who keeps the figures, and until when.
	Sub       string   `json:"sub,omitempty"`
	Addressee string   `json:"addressee,omitempty"` // 区交通运输局, without the colon
	Opening   []string `json:"opening,omitempty"`
	// Form, where set, is set as a bordered form (督办通知单) instead of sections.
	Form     []FormRow `json:"form,omitempty"`
	Sections []Section `json:"sections,omitempty"`
	Closing  []string  `json:"closing,omitempty"`
	// Sheets go along as one workbook, File as its name without the ending.
	Sheets []Sheet `json:"sheets,omitempty"`
	File   string  `json:"file,omitempty"`
	// Drafts go along as .docx files, as the bulletin does with a report.
	Drafts []Draft `json:"drafts,omitempty"`
	// AsFile, where set, is the name without ending under which the paper itself goes along as .docx, for seal and OA.
	AsFile  string     `json:"as_file,omitempty"`
	Contact string     `json:"contact,omitempty"`
	Issuer  string     `json:"issuer,omitempty"` // at the right, above the date
	Date    civil.Date `json:"date"`
	Copies  string     `json:"copies,omitempty"` // 抄送
}

// Under is what stands under the title, one line each: the issue unless the title says it, the number unless a row of the
// form does, and who keeps the figures.
func (p Paper) Under() []string {
	issue := p.Issue
	switch {
	case issue == "" || strings.Contains(p.Title, issue):
		issue = ""
	case !strings.HasPrefix(issue, "（"):
		issue = "（" + issue + "）"
	}
	number := p.Number
	if slices.ContainsFunc(p.Form, func(r FormRow) bool { return r.Text == number }) {
		number = ""
	}
	var out []string
	for _, s := range []string{issue, number, p.Sub} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Whom is whom to ask, empty where a row of the form says so already.
func (p Paper) Whom() string {
	if slices.ContainsFunc(p.Form, func(r FormRow) bool { return r.Text != "" && strings.TrimPrefix(p.Contact, r.Label+"：") == r.Text }) {
		return ""
	}
	return p.Contact
}

// Ordinals are the numbers of the sections, 一 and so on, one for each: empty for a section without a heading, and where
// only one has a heading (GB/T 9704-2012, 7.3.3).
func (p Paper) Ordinals() []string {
	out := make([]string, len(p.Sections))
	headed := 0
	for i, s := range p.Sections {
		if s.Heading != "" {
			headed++
			out[i] = ordinal(headed)
		}
	}
	if headed == 1 {
		clear(out)
	}
	return out
}

// ordinal is a number in Chinese, up to 99.
func ordinal(n int) string {
	digits := [...]string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	switch {
	case n <= 0 || n > 99:
		return strconv.Itoa(n)
	case n < 10:
		return digits[n]
	case n < 20:
		return "十" + digits[n-10]
	}
	return digits[n/10] + "十" + digits[n%10]
}

// Section is one numbered part of a paper; a part with nothing to say is not made at all.
type Section struct {
	Heading string   `json:"heading"`
	Paras   []string `json:"paras,omitempty"`
	// Lines are numbered 1. 2. 3. by composing.
	Lines []string `json:"lines,omitempty"`
	Table *Table   `json:"table,omitempty"`
	Notes []string `json:"notes,omitempty"` // under the table
}

// Tone colours a cell. The word in it always says the same, so that nothing rests on colour alone.
type Tone string

// The tones.
const (
	Plain  Tone = ""
	Strong Tone = "strong"
	Red    Tone = "red"    // 超期
	Yellow Tone = "yellow" // 临近、滞后
	Green  Tone = "green"  // 按序时、已办结
)

// Table is a table with one row of headings.
type Table struct {
	Columns []Column `json:"columns"`
	Rows    [][]Cell `json:"rows"`
}

// Column is a column with its heading. Width is in characters of a sheet; 0: composing chooses.
type Column struct {
	Name    string  `json:"name"`
	Width   float64 `json:"width,omitempty"`
	Numeric bool    `json:"numeric,omitempty"` // its cells hold whole numbers in N
}

// Cell is one cell: a text, or a whole number in a numeric column.
type Cell struct {
	Text string `json:"t,omitempty"`
	N    int64  `json:"n,omitempty"`
	Tone Tone   `json:"c,omitempty"`
}

// Words is what stands in a cell, wherever it is printed: its text, or in a numeric column without one its number. A
// cell that a row does not have is empty.
func (t Table) Words(row, column int) string {
	if row < 0 || row >= len(t.Rows) || column < 0 || column >= len(t.Rows[row]) {
		return ""
	}
	c := t.Rows[row][column]
	if c.Text == "" && column < len(t.Columns) && t.Columns[column].Numeric {
		return strconv.FormatInt(c.N, 10)
	}
	return c.Text
}

// Sheet is a sheet of the workbook that goes along.
type Sheet struct {
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	Table
}

// FormRow is one row of a form: a label and what stands beside it. An empty text leaves room to write.
type FormRow struct {
	Label string `json:"label"`
	Text  string `json:"text,omitempty"`
	// Tall leaves room for several lines; Heading spans the form.
	Tall    bool `json:"tall,omitempty"`
	Heading bool `json:"heading,omitempty"`
}

// Room is how many lines a row leaves to write in.
func (r FormRow) Room() int {
	switch {
	case r.Heading:
		return 0
	case r.Tall && r.Text == "":
		return 5
	case r.Tall:
		return 3
	case r.Text == "":
		return 1
	}
	return 0
}

// Draft is a document that goes along for somebody else to issue.
type Draft struct {
	File  string `json:"file"` // without the ending
	Paper Paper  `json:"paper"`
}
