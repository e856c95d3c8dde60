// Package inspection looks at the inspections of enterprises (涉企检查) that units file before and register during them, and
// says what the justice bureau has to settle: filings for the same enterprise whose times overlap, inspections whose last day
// has passed without a registration, and registrations nobody filed.
//
// All of it goes to the bureau, in its digest. No unit is written to: whether an inspection took place is the bureau's question,
// one line for each unit. What an enterprise says afterwards (事后评价) is its own affair; nothing here ever speaks of it.
package inspection

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// Overlap is two filings for the same enterprise whose times meet, From and To both included. A is the earlier one.
type Overlap struct {
	A, B     task.Occurrence
	From, To civil.Date
}

// Findings are what is to be settled as of a day.
type Findings struct {
	Overlaps []Overlap
	// Missed are filings whose last day has passed without a registration; Unfiled registrations without a filing.
	Missed, Unfiled []task.Occurrence
}

// shownAfter is for how many days after its last day an overlap is still named: the bureau has a digest every week, so that
// one that was entered late is read once.
const shownAfter = 7

// Find looks at what is known on day d, whatever kinds of occurrences there are. What does not apply (不适用原因), as a filing
// that was called off, is left out.
func Find(all []task.Occurrence, d civil.Date) Findings {
	type key struct{ ref, unit string }
	filed, registered := map[key]bool{}, map[key]bool{}
	var filings, registrations []task.Occurrence
	for _, o := range task.OccurrencesAsOf(all, d) {
		switch o.Kind {
		case task.InspectionFiled:
			filed[key{o.Ref, o.Unit}] = true // called off or not: it was filed
			if o.Exempt == "" {
				filings = append(filings, o)
			}
		case task.InspectionRegistered:
			registered[key{o.Ref, o.Unit}] = true
			if o.Exempt == "" {
				registrations = append(registrations, o)
			}
		}
	}
	f := Findings{Overlaps: overlaps(filings, d)}
	for _, o := range filings {
		if o.To != 0 && o.To < d && !registered[key{o.Ref, o.Unit}] {
			f.Missed = append(f.Missed, o)
		}
	}
	for _, o := range registrations {
		if !filed[key{o.Ref, o.Unit}] {
			f.Unfiled = append(f.Unfiled, o)
		}
	}
	slices.SortStableFunc(f.Missed, func(a, b task.Occurrence) int {
		return cmp.Or(cmp.Compare(a.To, b.To), strings.Compare(a.Unit, b.Unit), strings.Compare(a.Ref, b.Ref))
	})
	slices.SortStableFunc(f.Unfiled, func(a, b task.Occurrence) int {
		return cmp.Or(cmp.Compare(a.On, b.On), strings.Compare(a.Unit, b.Unit), strings.Compare(a.Ref, b.Ref))
	})
	return f
}

// overlaps finds the pairs of filings that meet, sweeping over each enterprise's filings in the order of their first days.
func overlaps(filings []task.Occurrence, d civil.Date) []Overlap {
	byFirm := map[string][]task.Occurrence{}
	for _, o := range filings {
		if k := firm(o.Party); k != "" && o.From != 0 && o.To >= o.From {
			byFirm[k] = append(byFirm[k], o)
		}
	}
	var out []Overlap
	for _, same := range byFirm {
		slices.SortFunc(same, func(a, b task.Occurrence) int {
			return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), strings.Compare(a.Unit, b.Unit), strings.Compare(a.Ref, b.Ref))
		})
		for i, a := range same {
			for _, b := range same[i+1:] {
				if b.From > a.To {
					break
				}
				if v := (Overlap{a, b, b.From, min(a.To, b.To)}); v.To+shownAfter >= d {
					out = append(out, v)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Overlap) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), strings.Compare(a.A.Unit, b.A.Unit), strings.Compare(a.A.Ref, b.A.Ref),
			strings.Compare(a.B.Unit, b.B.Unit), strings.Compare(a.B.Ref, b.B.Ref))
	})
	return out
}

// firm brings an enterprise's name into the form names are compared in: no spaces, one width of brackets.
func firm(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
			return -1
		case r == '（':
			return '('
		case r == '）':
			return ')'
		}
		return unicode.ToUpper(r)
	}, name)
}

// Sections returns the part of the bureau's digest of day d, none where there is nothing to settle. What has come up after
// day since, that of the digest before (0: none), is named first and marked 新增.
func Sections(occ []task.Occurrence, dir task.Directory, d, since civil.Date) []notice.Section {
	w := writer{dir: dir, day: d, since: since}
	f := Find(occ, d)
	s := notice.Section{Heading: "涉企检查备案与登记"}
	s.Lines = slices.Concat(w.overlaps(f.Overlaps), w.missed(f.Missed), w.unfiled(f.Unfiled))
	if len(s.Lines) == 0 {
		return nil
	}
	return []notice.Section{s}
}

// New reports whether anything to settle came up after day since and by day d, or was recorded after the seq (0: none): what
// a digest is worth writing for.
func New(occ []task.Occurrence, d, since civil.Date, seq int64) bool {
	late := func(o task.Occurrence) bool { return seq != 0 && o.Seq > seq }
	f := Find(occ, d)
	return slices.ContainsFunc(f.Overlaps, func(o Overlap) bool { return max(o.A.On, o.B.On) > since || late(o.A) || late(o.B) }) ||
		slices.ContainsFunc(f.Missed, func(o task.Occurrence) bool { return missedOn(o) > since || late(o) }) ||
		slices.ContainsFunc(f.Unfiled, func(o task.Occurrence) bool { return o.On > since || late(o) })
}

// missedOn is the first day on which a filing's last day has passed.
func missedOn(o task.Occurrence) civil.Date { return max(o.To+1, o.On) }

type writer struct {
	dir        task.Directory
	day, since civil.Date
}

// name returns what a unit is called on the day, or was called last.
func (w writer) name(code string) string {
	if u, ok := w.dir.AsOf(w.day).Unit(code); ok {
		return u.Name
	}
	name, on, seq := code, civil.Date(0), int64(0)
	for _, u := range w.dir.Units {
		if u.Code == code && u.Name != "" && cmp.Or(cmp.Compare(u.On, on), cmp.Compare(u.Seq, seq)) >= 0 {
			name, on, seq = u.Name, u.On, u.Seq
		}
	}
	return name
}

// mark is set before what is new since the digest before.
func (w writer) mark(fresh bool) string {
	if fresh && w.since != 0 {
		return "（新增）"
	}
	return ""
}

func (w writer) overlaps(all []Overlap) []string {
	var fresh, known []string
	for _, v := range all {
		isNew := max(v.A.On, v.B.On) > w.since
		a, b := w.name(v.A.Unit), w.name(v.B.Unit)
		if v.A.Unit == v.B.Unit {
			b = ""
		}
		ask := "请协调合并或错开检查"
		if v.To < w.day {
			ask = "检查期已过，请核实是否重复检查"
		}
		line := fmt.Sprintf("%s备案时间重叠：%s，%s%s（%s）与%s%s（%s）在%s重叠，%s。", w.mark(isNew), v.A.Party,
			a, v.A.Ref, w.span(v.A.From, v.A.To), b, v.B.Ref, w.span(v.B.From, v.B.To), w.span(v.From, v.To), ask)
		if isNew {
			fresh = append(fresh, line)
		} else {
			known = append(known, line)
		}
	}
	return append(fresh, known...)
}

// refsShown is how many references a line names; the register has them all.
const refsShown = 8

// missed asks about what was filed and not registered, one line for each unit.
func (w writer) missed(all []task.Occurrence) []string {
	return w.perUnit(all, missedOn, func(o task.Occurrence) string { return o.Ref + "，" + w.span(o.From, o.To) },
		"检查期已过未登记", "请核实是否开展：已开展的补登记，未开展的注明原因")
}

func (w writer) unfiled(all []task.Occurrence) []string {
	return w.perUnit(all, func(o task.Occurrence) civil.Date { return o.On }, func(o task.Occurrence) string { return o.Ref + "，" + w.on(o.On) + "登记" },
		"已登记未见备案", "请核实备案情况")
}

// perUnit writes one line for each unit, in the order of their codes.
func (w writer) perUnit(all []task.Occurrence, since func(task.Occurrence) civil.Date, say func(task.Occurrence) string, what, ask string) []string {
	of := map[string][]task.Occurrence{}
	var units []string
	for _, o := range all {
		if of[o.Unit] == nil {
			units = append(units, o.Unit)
		}
		of[o.Unit] = append(of[o.Unit], o)
	}
	slices.Sort(units)
	lines := make([]string, 0, len(units))
	for _, u := range units {
		var refs []string
		fresh := 0
		for _, o := range of[u] {
			if len(refs) < refsShown {
				refs = append(refs, say(o))
			}
			if since(o) > w.since {
				fresh++
			}
		}
		rest, added := "", ""
		if len(of[u]) > len(refs) {
			rest = "等"
		}
		if w.since != 0 && fresh > 0 {
			added = fmt.Sprintf("，其中新增%d件", fresh)
		}
		lines = append(lines, fmt.Sprintf("%s：%s%d件%s（%s%s），%s。", what, w.name(u), len(of[u]), added, strings.Join(refs, "；"), rest, ask))
	}
	return lines
}

// on writes a day without the year where it is the letter's own.
func (w writer) on(d civil.Date) string {
	if d.Year() != w.day.Year() {
		return d.Chinese()
	}
	return fmt.Sprintf("%d月%d日", int(d.Month()), d.Day())
}

func (w writer) span(from, to civil.Date) string {
	if from == to || from == 0 {
		return w.on(to)
	}
	return w.on(from) + "至" + w.on(to)
}
