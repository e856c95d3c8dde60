package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"duban/jobs/civil"
)

// DocumentState is how far a formal document got.
type DocumentState string

// The states of a document. A draft whose facts changed is dropped; a document that was issued and withdrawn is voided and
// keeps its number.
const (
	Drafted DocumentState = "draft"
	Issued  DocumentState = "issued"
	Dropped DocumentState = "dropped"
	Voided  DocumentState = "voided" // 作废
)

// Channel is the way a document goes out.
type Channel string

// The channels.
const (
	ByMail  Channel = "mail"
	ByOA    Channel = "oa"
	ByPaper Channel = "paper"
)

// Document (公文) is a formal letter: its matter, number and state. It owns the letter of the same ID, which is held while
// the document is a draft.
type Document struct {
	ID           string     `json:"id"` // of its letter
	Jurisdiction string     `json:"jurisdiction"`
	Kind         string     `json:"kind"`   // of its letter: SupervisionForm, Report, Bulletin
	Matter       string     `json:"matter"` // one matter per form
	Title        string     `json:"title"`
	Unit         string     `json:"unit"` // whom it is written to
	Drafted      civil.Date `json:"drafted"`
	// Refs are the obligations it is about.
	Refs  []string      `json:"refs,omitempty"`
	State DocumentState `json:"state"`
	// Number is the whole number as printed. Year and N are set where the program's own register gave it: gap-free per
	// jurisdiction, kind and year; N is 0 where the number came from the office's register.
	Number string     `json:"number,omitempty"`
	Year   int        `json:"year,omitempty"`
	N      int        `json:"n,omitempty"`
	Date   civil.Date `json:"date,omitzero"` // of issue
	By     string     `json:"by,omitempty"`
	Via    Channel    `json:"channel,omitempty"`
	// Served is the day it was handed over where it went by OA or on paper; a mailed one is served as its letter is.
	Served civil.Date `json:"served,omitzero"`
	// Why says why it was dropped or voided, and by whom.
	Why string `json:"why,omitempty"`
	// Seq is the jurisdiction's after the document last changed its state. The store sets it.
	Seq int64 `json:"seq,omitempty"`
}

// DocumentFilter selects documents; empty fields select all. They come by day of drafting and ID.
type DocumentFilter struct {
	Jurisdiction, Kind, Unit string
	State                    DocumentState
	From, To                 civil.Date // drafted
}

// MatterOf names the matter of a form about an obligation in an arm of its ladder: stable, and short enough for a key.
func MatterOf(ref string, arm int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "duban-matter-1\x1f%s\x1f%d", ref, arm))
	return hex.EncodeToString(sum[:12])
}

// NumberIn reads the number out of a printed one of the pattern's series and year; ok is false where it is of another.
func NumberIn(pattern string, year int, printed string) (n int, ok bool) {
	before, after, found := strings.Cut(strings.ReplaceAll(pattern, "{year}", fmt.Sprint(year)), "{n}")
	rest, has := strings.CutPrefix(printed, before)
	digits, ends := strings.CutSuffix(rest, after)
	n, err := strconv.Atoi(digits)
	return n, found && has && ends && err == nil && n > 0
}

// NumberOf prints a document's number by its pattern, in which {year} and {n} stand for the numbers: 督办〔{year}〕{n}号.
// The hexagonal brackets, and no leading zero, are the form of GB/T 9704.
func NumberOf(pattern string, year, n int) string {
	return strings.NewReplacer("{year}", fmt.Sprint(year), "{n}", fmt.Sprint(n)).Replace(pattern)
}

// DraftReason is why the letter of a draft is held.
func DraftReason(id string) string {
	return fmt.Sprintf("draft: a person releases it with `duban outbox release %s --by NAME`", id)
}

// AsDraft is what a document's letter says as long as it is a draft of the day: it has no number, and no date of issue.
func (f Facts) AsDraft(d civil.Date) Facts {
	f.Date = d
	if f.Paper == nil {
		return f
	}
	p := *f.Paper
	p.Form = slices.Clone(p.Form)
	for i, row := range p.Form {
		if p.Number != "" && row.Text == p.Number {
			p.Form[i].Text = ""
		}
	}
	p.Number, p.Date, f.Paper = "", d, &p
	return f
}
