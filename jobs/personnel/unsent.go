package personnel

import (
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// The headings by which a letter that has not left tells what it spoke of.
const (
	hoursHeading = "年度培训学时"
	ratioHeading = "法制审核力量"
	listHeading  = "人员明细"
)

// waiting returns, by unit, the earlier letters of the kind that have not left and that a letter of today may take the
// place of.
func (w *writer) waiting(kind string) map[string][]notice.Notice {
	out := map[string][]notice.Notice{}
	for _, n := range w.Unsent {
		if n.Key.Kind == kind && n.Key.Date < w.d && !n.Delivered() && !n.Resent {
			out[n.Key.Unit] = append(out[n.Key.Unit], n)
		}
	}
	return out
}

// with is the agenda that also speaks of what stood in letters that have not left: of everything where one of them did,
// with the hours and the shares that it told.
func (a Agenda) with(waiting []notice.Notice) Agenda {
	for _, old := range waiting {
		full, hours, ratios := spokeOf(old)
		a.Full, a.Ratios = a.Full || full, a.Ratios || ratios
		if hours && !a.Hours {
			a.Hours, a.HoursOn = true, hoursBefore(old.Key.Date)
		}
	}
	return a
}

// spokeOf tells from a letter's headings what its agenda was. A letter between the months has the list alone.
func spokeOf(n notice.Notice) (full, hours, ratios bool) {
	if n.Facts.Paper == nil {
		return true, false, false
	}
	for _, s := range n.Facts.Paper.Sections {
		full = full || s.Heading != listHeading
		hours = hours || s.Heading == hoursHeading
		ratios = ratios || s.Heading == ratioHeading
	}
	return full, hours, ratios
}

// hoursBefore is the day up to which the last letter by day d that spoke of hours counted them.
func hoursBefore(d civil.Date) civil.Date {
	m := monthStart(d)
	for int(m.Month()) <= 9 && int(m.Month())%3 != 1 {
		m = m.AddMonths(-1)
	}
	return m - 1
}

// rowKey is how a person's matter stands in the list of a letter.
func rowKey(name, certificate, matter string) string {
	return name + "\t" + certificate + "\t" + matter
}

// named are the rows of the letters' lists.
func named(letters []notice.Notice) map[string]bool {
	out := map[string]bool{}
	for _, n := range letters {
		for _, row := range rows(n) {
			if len(row) > colMatter {
				out[rowKey(row[colName].Text, row[colCertificate].Text, row[colMatter].Text)] = true
			}
		}
	}
	return out
}

// The columns of the list.
const (
	colName        = 1
	colCertificate = 3
	colMatter      = 4
	colState       = 6
)

func rows(n notice.Notice) [][]notice.Cell {
	if n.Facts.Paper == nil {
		return nil
	}
	for _, s := range n.Facts.Paper.Sections {
		if s.Heading == listHeading && s.Table != nil {
			return s.Table.Rows
		}
	}
	return nil
}

// anew reports whether today's letter takes the place of those that wait. Where nobody could let it go, as there is nobody
// to read it, it is written again only once its facts or its obstacle are others; every other letter is of its day.
func (w *writer) anew(n notice.Notice, waiting []notice.Notice) bool {
	if n.State != notice.Held || w.base.Full || w.releasable(n) {
		return true
	}
	last := slices.MaxFunc(waiting, func(a, b notice.Notice) int { return int(a.Key.Date - b.Key.Date) })
	return last.State != notice.Held || last.Reason != n.Reason || facts(last) != facts(n)
}

func (w *writer) releasable(n notice.Notice) bool {
	return len(n.Facts.Recipients) > 0 && !slices.ContainsFunc(n.Facts.Recipients, func(r notice.Recipient) bool { return !MayName(w.set, r.Email) })
}

// facts are a letter's list without the days that pass by themselves.
func facts(n notice.Notice) string {
	var b strings.Builder
	for _, row := range rows(n) {
		for i, c := range row {
			text := c.Text
			if i == colState && strings.Contains(text, "日") {
				text = strings.Map(func(r rune) rune {
					if r >= '0' && r <= '9' {
						return -1
					}
					return r
				}, text)
			}
			fmt.Fprintf(&b, "%s\t%d\t", text, c.N)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// MaskNames returns a letter's paper with the names of its list masked.
func MaskNames(p notice.Paper, mask func(string) string) notice.Paper {
	p.Sections = slices.Clone(p.Sections)
	for i, s := range p.Sections {
		if s.Heading != listHeading || s.Table == nil {
			continue
		}
		t := *s.Table
		t.Rows = slices.Clone(t.Rows)
		for j, row := range t.Rows {
			if len(row) > colName {
				t.Rows[j] = slices.Clone(row)
				t.Rows[j][colName].Text = mask(row[colName].Text)
			}
		}
		p.Sections[i].Table = &t
	}
	return p
}
