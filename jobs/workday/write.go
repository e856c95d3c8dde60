package workday

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"duban/jobs/civil"
)

// Override returns everything the calendar knows as one override: the zero Calendar with it laid over has the same Hash,
// the same notices and the same days. Years and days are in order, and neighbouring days of one kind are one span.
func (c *Calendar) Override() Override {
	o := Override{Years: []Year{}}
	days := map[int][]Span{}
	for first, last := range c.stretches() {
		m := c.marks[first]
		s := Span{Date: first.String(), Name: m.name, Off: &m.off, Local: m.local}
		if last > first {
			s.To = last.String()
		}
		days[first.Year()] = append(days[first.Year()], s)
	}
	for _, y := range slices.Sorted(maps.Keys(c.years)) {
		info := c.years[y]
		year := Year{Year: y, Published: info.published, Notice: info.notice, Source: info.source, Days: days[y]}
		if year.Days == nil {
			year.Days = []Span{}
		}
		o.Years = append(o.Years, year)
	}
	return o
}

// stretches yields the first and the last of each run of days that are marked alike, none of them over a year's end.
func (c *Calendar) stretches() func(yield func(first, last civil.Date) bool) {
	return func(yield func(first, last civil.Date) bool) {
		all := slices.Sorted(maps.Keys(c.marks))
		for i := 0; i < len(all); {
			first, last := all[i], all[i]
			for i++; i < len(all) && all[i] == last+1 && all[i].Year() == first.Year() && c.marks[all[i]] == c.marks[first]; i++ {
				last = all[i]
			}
			if !yield(first, last) {
				return
			}
		}
	}
}

// JSON is the calendar in the form that ParseOverride reads.
func (c *Calendar) JSON() ([]byte, error) {
	b, err := json.Marshal(c.Override())
	if err != nil {
		return nil, fmt.Errorf("write calendar: %w", err)
	}
	return b, nil
}

// Parse reads a whole calendar as JSON wrote it: an override that stands on no other calendar.
func Parse(b []byte) (*Calendar, error) {
	o, err := ParseOverride(b)
	if err != nil {
		return nil, err
	}
	return new(Calendar).With(o)
}

// Change is a day that two calendars do not have alike.
type Change struct {
	Before Day `json:"before"`
	After  Day `json:"after"`
}

// Changes lists the days, in order, that are worked in one of the calendars and not in the other, or bear another name or
// reason, and the years that are published in one of them alone.
func Changes(before, after *Calendar) (days []Change, years []int) {
	all := maps.Clone(before.marks)
	if all == nil {
		all = map[civil.Date]mark{}
	}
	maps.Copy(all, after.marks)
	for _, d := range slices.Sorted(maps.Keys(all)) {
		was, is := before.Day(d), after.Day(d)
		if was.Workday != is.Workday || was.Reason != is.Reason || was.Name != is.Name {
			days = append(days, Change{Before: was, After: is})
		}
	}
	known := maps.Clone(before.years)
	if known == nil {
		known = map[int]yearInfo{}
	}
	maps.Copy(known, after.years)
	for _, y := range slices.Sorted(maps.Keys(known)) {
		if before.years[y].published != after.years[y].published {
			years = append(years, y)
		}
	}
	return days, years
}
