package workday

import (
	"time"

	"duban/jobs/civil"
)

// index answers "how many workdays up to d" and "which day is the r-th workday" without walking the calendar.
// Workdays are numbered from 0001-01-01. Between first and last the numbers come from a table; before and after it
// nothing but the weekday decides, so they come from a formula. Hence every search ends at once, however long a
// stretch an override takes off.
type index struct {
	first, last civil.Date
	counts      []int32      // counts[i]: workdays from first to first+i, both included
	workdays    []civil.Date // the workdays of the table, in order
}

// The table covers at least these years, and every marked day beyond them.
const (
	firstYear = 2020
	lastYear  = 2035
)

// newIndex builds the table.
func newIndex(marks map[civil.Date]mark) index {
	x := index{first: civil.Of(firstYear, time.January, 1), last: civil.Of(lastYear, time.December, 31)}
	for d := range marks {
		x.first, x.last = min(x.first, d), max(x.last, d)
	}
	n := int(x.last-x.first) + 1
	x.counts, x.workdays = make([]int32, 0, n), make([]civil.Date, 0, n)
	for d := x.first; d <= x.last; d++ {
		m, marked := marks[d]
		if (marked && !m.off) || (!marked && !weekend(d)) {
			x.workdays = append(x.workdays, d)
		}
		x.counts = append(x.counts, int32(len(x.workdays)))
	}
	return x
}

// count returns the number of workdays up to and including d.
func (x *index) count(d civil.Date) int64 {
	switch {
	case d < x.first:
		return weekdays(d)
	case d > x.last || len(x.counts) == 0:
		return weekdays(x.first-1) + int64(len(x.workdays)) + weekdays(d) - weekdays(x.last)
	}
	return weekdays(x.first-1) + int64(x.counts[d-x.first])
}

// workday returns the r-th workday: the inverse of count.
func (x *index) workday(r int64) civil.Date {
	before, inside := weekdays(x.first-1), int64(len(x.workdays))
	switch {
	case r <= before:
		return nthWeekday(r)
	case r <= before+inside:
		return x.workdays[r-before-1]
	}
	return nthWeekday(r - before - inside + weekdays(x.last))
}

// weekdays counts Mondays to Fridays up to and including d; 0001-01-01 is a Monday.
func weekdays(d civil.Date) int64 {
	weeks, rest := floorDiv(int64(d), 7)
	return 5*weeks + min(5, rest)
}

// nthWeekday is the inverse of weekdays, kept inside the dates a civil.Date can print.
func nthWeekday(r int64) civil.Date {
	weeks, rest := floorDiv(r-1, 5)
	return civil.Date(max(1, min(int64(civil.Never), 7*weeks+rest+1)))
}

func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		return quotient - 1, rest + b
	}
	return quotient, rest
}
