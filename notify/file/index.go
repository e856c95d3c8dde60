package file

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"duban/jobs/civil"
	"duban/notify/compose"
	"duban/notify/notice"
)

// IndexEntry is one letter in the index.
type IndexEntry struct {
	Date         civil.Date
	Jurisdiction string // as people read it
	Unit         string
	Subject      string
	Recipient    string // the role and the address
	Copy         bool
	Kind         string // of the letter
	Rung         string // reminder, urging, pace or "", of a unit's letter
	Path         string // of the .eml, relative to the index, with forward slashes
	// HTML is the letter's page. It is written beside the .eml; empty where it is there already.
	HTML string
	// Files go along with the letter. They are written beside the .eml and can be opened from the index. One without Data is
	// there already.
	Files []compose.Attachment
}

// Entry returns the index entry of a composed letter. The HTML is left out where the transport wrote it (Pages).
func Entry(n notice.Notice, m compose.Message) IndexEntry {
	return IndexEntry{
		Date: n.Facts.Date, Jurisdiction: n.Facts.Jurisdiction, Unit: n.Facts.Reader.Name, Subject: m.Subject,
		Recipient: m.To, Copy: m.Copy, Kind: n.Key.Kind, Rung: n.Facts.Rung(), Path: Path(m), HTML: m.HTML, Files: m.Files,
	}
}

//go:embed index.html.tmpl
var indexSource string

var indexTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("index").Funcs(template.FuncMap{"word": word}).Parse(indexSource)
})

// word is the word beside the colour of a letter's badge: its kind, or the rung of a unit's letter.
func word(e indexLetter) string {
	switch e.Kind {
	case notice.BureauDigest:
		return "日报"
	case notice.SupervisionForm:
		return "督办通知单"
	case notice.Report:
		return "专报"
	case notice.Summary:
		return "汇总"
	case notice.Bulletin:
		return "通报"
	case notice.PersonnelLetter:
		return "人员"
	case notice.PersonnelTotals:
		return "人员汇总"
	case notice.Correction:
		return "更正"
	}
	switch e.Rung {
	case "urging":
		return "催办"
	case "reminder":
		return "提醒"
	case "pace":
		return "序时"
	}
	return "知悉"
}

type indexDay struct {
	Date   civil.Date
	Title  string
	Places []indexPlace
	Count  int
	Open   bool
}

type indexPlace struct {
	Name    string
	Letters []indexLetter
}

type indexLetter struct {
	IndexEntry
	Page  string
	Links []indexFile
}

// indexFile is a link to what goes along with a letter.
type indexFile struct{ Name, Path string }

// WriteIndex writes dir/index.html, which lists the letters by day and opens them, and the page of each letter beside
// its .eml. It works from the disk, without a network and without any other program. The note stands in its head.
func WriteIndex(dir, note string, letters []IndexEntry) error {
	sorted := slices.Clone(letters)
	// Without its ending, a letter's path comes before that of its copies.
	slices.SortStableFunc(sorted, func(a, b IndexEntry) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(first(a.Path), first(b.Path)), cmp.Compare(strings.TrimSuffix(a.Path, ".eml"), strings.TrimSuffix(b.Path, ".eml")))
	})
	var days []indexDay
	copies := 0
	for _, e := range sorted {
		if e.Copy {
			copies++
		}
		page := pageOf(e.Path)
		e, err := WritePage(dir, e)
		if err != nil {
			return err
		}
		links, err := writeFiles(dir, e.Path, e.Files)
		if err != nil {
			return fmt.Errorf("write index: %w", err)
		}
		e.Files = nil
		days = place(days, indexLetter{e, page, links})
	}
	if len(days) > 0 {
		days[0].Open = true
	}
	t, err := indexTemplate()
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Days": days, "Letters": len(sorted) - copies, "Copies": copies, "Note": note}); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	if err := write(filepath.Join(dir, "index.html"), b.Bytes()); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

// WritePage writes the page of a letter and what goes along with it ahead of the index, and returns the letter's entry without
// them: an index of many letters need not hold all of them.
func WritePage(dir string, e IndexEntry) (IndexEntry, error) {
	if !filepath.IsLocal(filepath.FromSlash(e.Path)) || !strings.HasSuffix(e.Path, ".eml") {
		return e, fmt.Errorf("write index: letter path %q: want a path of an .eml below the folder", e.Path)
	}
	if e.HTML != "" {
		if err := write(filepath.Join(dir, filepath.FromSlash(pageOf(e.Path))), []byte(e.HTML)); err != nil {
			return e, fmt.Errorf("write index: %w", err)
		}
		e.HTML = ""
	}
	if _, err := writeFiles(dir, e.Path, e.Files); err != nil {
		return e, fmt.Errorf("write index: %w", err)
	}
	e.Files = slices.Clone(e.Files)
	for i := range e.Files {
		e.Files[i].Data = nil
	}
	return e, nil
}

func pageOf(path string) string { return strings.TrimSuffix(path, ".eml") + ".html" }

// first is the first folder of a path: the jurisdiction's code.
func first(path string) string {
	s, _, _ := strings.Cut(path, "/")
	return s
}

// writeFiles writes what goes along with a letter beside it, under numbers, and returns the links. The names that readers
// see stand in the links alone.
func writeFiles(dir, letter string, files []compose.Attachment) ([]indexFile, error) {
	var out []indexFile
	for i, f := range files {
		path := attachmentPath(letter, i, f)
		if f.Data != nil {
			if err := write(filepath.Join(dir, filepath.FromSlash(path)), f.Data); err != nil {
				return nil, err
			}
		}
		out = append(out, indexFile{f.Name, path})
	}
	return out, nil
}

// attachmentPath is where the attachment of a letter stands, beside it: its number, and the ending by which a program is
// found to open it.
func attachmentPath(letter string, i int, f compose.Attachment) string {
	ending := path.Ext(f.Name)
	if strings.Trim(ending, ".abcdefghijklmnopqrstuvwxyz") != "" || len(ending) > 8 {
		ending = ""
	}
	return strings.TrimSuffix(letter, ".eml") + "." + strconv.Itoa(i+1) + ending
}

// place adds a letter to the last day and jurisdiction, or begins a new one; the letters come sorted.
func place(days []indexDay, e indexLetter) []indexDay {
	if n := len(days); n == 0 || days[n-1].Date != e.Date {
		days = append(days, indexDay{
			Date:  e.Date,
			Title: e.Date.Chinese() + " 星期" + [...]string{"日", "一", "二", "三", "四", "五", "六"}[e.Date.Weekday()],
		})
	}
	d := &days[len(days)-1]
	if n := len(d.Places); n == 0 || d.Places[n-1].Name != e.Jurisdiction {
		d.Places = append(d.Places, indexPlace{Name: e.Jurisdiction})
	}
	p := &d.Places[len(d.Places)-1]
	p.Letters = append(p.Letters, e)
	d.Count++
	return days
}
