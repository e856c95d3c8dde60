// Package workday knows which days are working days in mainland China.
//
// The days come from the yearly arrangement (部分节假日安排) of the General Office of the State Council; each built-in
// year cites its notice. Every other Saturday and Sunday is off, every other weekday is worked. A year without a
// notice is a third state: its weekdays are assumed to be worked, and everything derived from it is provisional.
package workday

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"duban/jobs/civil"
)

// nationalJSON holds the arrangements for 2022–2026 in the form ParseOverride reads. It is a constant of the
// program; a test reads it.
//
//go:embed national.json
var nationalJSON string

// Reasons a day is or is not a working day. They are part of the command-line contract.
const (
	Weekday   = "weekday"
	Weekend   = "weekend"
	MakeUp    = "make-up workday"   // 调休上班
	Statutory = "statutory holiday" // 法定节假日, with the days off in lieu around it
	LocalOff  = "local holiday"     // 地方性假日, of one jurisdiction
)

// hashDigits is the length of a Hash.
const hashDigits = 16

// Calendar answers which days are worked. It is immutable and safe for concurrent use. The zero Date ("no date")
// is never a working day and comes back unchanged from every function that moves a date. The zero Calendar knows no
// arrangement: Monday to Friday are worked and every year is unpublished.
type Calendar struct {
	years map[int]yearInfo
	marks map[civil.Date]mark
	index index
}

// yearInfo is what is known about one year.
type yearInfo struct {
	published      bool
	notice, source string
}

// mark is a day whose state is set by a notice or an override.
type mark struct {
	name  string
	off   bool
	local bool
}

// Day is one day of the calendar. Its JSON is part of the command-line contract (`workday list`).
type Day struct {
	Date    civil.Date `json:"date"`
	Workday bool       `json:"workday"`
	// Reason is one of the constants of this package.
	Reason string `json:"reason"`
	// Published is false in a year whose arrangement is not known yet; Workday is then an assumption.
	Published bool `json:"published"`
	// Name is the festival that set the day, in Chinese; empty for ordinary days.
	Name string `json:"name,omitempty"`
}

// National returns the calendar of the State Council's arrangements for 2022–2026. Each call builds a new one; keep it.
func National() *Calendar {
	o, err := ParseOverride([]byte(nationalJSON))
	if err == nil {
		var c *Calendar
		if c, err = new(Calendar).With(o); err == nil {
			return c
		}
	}
	// Not reachable by any input: the data is compiled in and a test reads it.
	panic(fmt.Sprintf("workday: built-in calendar: %v", err))
}

// With returns a calendar in which the days of o replace those of c, and in which the years o marks are published.
// c is left as it was. Later overrides win over earlier ones, day by day.
func (c *Calendar) With(o Override) (*Calendar, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("apply calendar override: %w", err)
	}
	n := &Calendar{years: maps.Clone(c.years), marks: maps.Clone(c.marks)}
	if n.years == nil {
		n.years, n.marks = map[int]yearInfo{}, map[civil.Date]mark{}
	}
	for _, y := range o.Years {
		n.years[y.Year] = n.years[y.Year].with(y)
		for _, s := range y.Days {
			first, last, err := s.span()
			if err != nil {
				return nil, fmt.Errorf("apply calendar override: %w", err)
			}
			for d := first; d <= last; d++ {
				n.marks[d] = mark{name: s.Name, off: *s.Off, local: s.Local}
			}
		}
	}
	n.index = newIndex(n.marks)
	return n, nil
}

func (i yearInfo) with(y Year) yearInfo {
	i.published = i.published || y.Published
	if y.Published {
		i.notice, i.source = y.Notice, y.Source
	}
	return i
}

// Day describes the date.
func (c *Calendar) Day(d civil.Date) Day {
	day := Day{Date: d, Workday: c.IsWorkday(d), Published: c.Published(d)}
	if d.IsZero() {
		return day
	}
	m, marked := c.marks[d]
	day.Name, day.Reason = m.name, reason(m, marked, weekend(d))
	return day
}

func reason(m mark, marked, weekend bool) string {
	switch {
	case !marked && weekend:
		return Weekend
	case marked && m.off && m.local:
		return LocalOff
	case marked && m.off:
		return Statutory
	case marked && weekend:
		return MakeUp
	}
	return Weekday
}

// IsWorkday reports whether the date is worked.
func (c *Calendar) IsWorkday(d civil.Date) bool {
	return !d.IsZero() && c.index.count(d) != c.index.count(d-1)
}

// Published reports whether the arrangement of the date's year is known.
func (c *Calendar) Published(d civil.Date) bool { return !d.IsZero() && c.years[d.Year()].published }

// Notice returns the document number and the address of the notice that set the year; ok is false where none is known.
func (c *Calendar) Notice(year int) (number, source string, ok bool) {
	y := c.years[year]
	return y.notice, y.source, y.published
}

// Provisional reports whether any day from from to to, both included and in either order, lies in a year whose
// arrangement is not published. It is false where either date is zero.
func (c *Calendar) Provisional(from, to civil.Date) bool {
	if from.IsZero() || to.IsZero() {
		return false
	}
	for y := min(from, to).Year(); y <= max(from, to).Year(); y++ {
		if !c.years[y].published {
			return true
		}
	}
	return false
}

// OnOrBefore returns the last workday on or before the date.
func (c *Calendar) OnOrBefore(d civil.Date) civil.Date {
	if d.IsZero() {
		return d
	}
	return c.index.workday(c.index.count(d))
}

// OnOrAfter returns the first workday on or after the date.
func (c *Calendar) OnOrAfter(d civil.Date) civil.Date {
	if d.IsZero() {
		return d
	}
	return c.index.workday(c.index.count(d-1) + 1)
}

// Add returns the n-th workday after the date; the day itself is not counted (Civil Code art. 201). A negative n
// counts back from the day before, and 0 returns the date itself, worked or not. It stops at 0001-01-01 and at civil.Never.
func (c *Calendar) Add(d civil.Date, n int) civil.Date {
	switch {
	case d.IsZero() || n == 0:
		return d
	case n > 0:
		return c.index.workday(c.index.count(d) + clamp(n))
	}
	return c.index.workday(c.index.count(d-1) + 1 + clamp(n))
}

// Count returns the number of workdays after from, up to and including to; where to is before from it is the negative
// of the number after to, up to and including from. It is 0 where either date is zero.
func (c *Calendar) Count(from, to civil.Date) int {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return int(c.index.count(to) - c.index.count(from))
}

// T returns the day a step of the ladder falls on. T(0) is the last workday on or before the effective date and
// T(−k) counts back from it; T(+k) counts forward from the effective date itself. So for Sunday 2024-06-30,
// T is Friday 28 June, T−3 is 25 June and T+1 is Monday 1 July.
func (c *Calendar) T(effective civil.Date, k int) civil.Date {
	if k > 0 {
		return c.Add(effective, k)
	}
	return c.Add(c.OnOrBefore(effective), k)
}

// WeekStart returns the first workday of the date's ISO week (Monday to Sunday), the day of "Monday's letter". It is
// zero where the whole week is off.
func (c *Calendar) WeekStart(d civil.Date) civil.Date {
	if d.IsZero() {
		return d
	}
	monday := d - civil.Date((int(d.Weekday())+6)%7)
	if first := c.OnOrAfter(monday); first < monday+7 {
		return first
	}
	return 0
}

// Hash names the content of the calendar: which years are published and what every marked day is. It is the first 16
// hexadecimal digits of a SHA-256. Notices and their addresses are not part of it, for they move no date.
func (c *Calendar) Hash() string {
	var b strings.Builder
	for _, y := range slices.Sorted(maps.Keys(c.years)) {
		fmt.Fprintf(&b, "year\t%d\t%t\n", y, c.years[y].published)
	}
	for _, d := range slices.Sorted(maps.Keys(c.marks)) {
		m := c.marks[d]
		fmt.Fprintf(&b, "day\t%s\t%t\t%t\t%q\n", d, m.off, m.local, m.name)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])[:hashDigits]
}

func weekend(d civil.Date) bool { w := d.Weekday(); return w == time.Saturday || w == time.Sunday }

// clamp keeps a count of workdays inside what the calendar can hold, so that sums cannot overflow.
func clamp(n int) int64 { return int64(max(-1<<32, min(1<<32, n))) }
