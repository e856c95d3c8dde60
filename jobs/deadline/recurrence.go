package deadline

import (
	"slices"
	"strconv"
	"time"

	"duban/jobs/civil"
)

// periodEnd names the last day of a period in Recurrence.Dates.
const periodEnd = "end"

// Holds reports whether e is one of the periods a duty can recur in.
func (e Every) Holds() bool {
	switch e {
	case Week, Month, Quarter, Half, Year:
		return true
	}
	return false
}

// DueIn returns the due dates from start to end, both included, in order and without repeats. A day that its month
// does not have (the 31st of June, 02-29 in a common year) is that month's last day. Weeks end on Sunday.
// Nothing is due before From or after Until. A date that does not parse gives nothing.
func (r Recurrence) DueIn(start, end civil.Date) []civil.Date {
	start = max(start, r.From)
	if r.Until > 0 {
		end = min(end, r.Until)
	}
	if end < start || start <= 0 {
		return nil
	}
	var out []civil.Date
	keep := func(d civil.Date) {
		if d >= start && d <= end {
			out = append(out, d)
		}
	}
	if r.Every == Week {
		r.weeks(start, end, keep)
	} else {
		for y := start.Year(); y <= end.Year(); y++ {
			r.year(y, keep)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// FirstFrom returns the first due date on or after the day, or zero where there is none or the day is zero.
func (r Recurrence) FirstFrom(day civil.Date) civil.Date {
	if day <= 0 {
		return 0
	}
	day = max(day, r.From)
	if due := r.DueIn(day, day.AddMonths(13)); len(due) > 0 {
		return due[0]
	}
	return 0
}

func (r Recurrence) weeks(start, end civil.Date, keep func(civil.Date)) {
	for _, name := range r.Dates {
		for d := start; d <= end && d < start+7; d++ {
			if d.Weekday().String() != name && (name != periodEnd || d.Weekday() != time.Sunday) {
				continue
			}
			for ; d <= end; d += 7 {
				keep(d)
			}
		}
	}
}

func (r Recurrence) year(y int, keep func(civil.Date)) {
	step := r.months()
	for m := 1; step > 0 && m <= 12; m += step {
		for _, date := range r.Dates {
			if date == periodEnd {
				keep(civil.MonthEnd(y, time.Month(m+step-1)))
				continue
			}
			if r.Every == Month {
				if day, err := strconv.Atoi(date); err == nil && day >= 1 && day <= 31 {
					keep(clamped(y, m, day))
				}
				continue
			}
			dm, day, ok := monthDay(date)
			switch {
			case !ok:
			case r.Every == Quarter && dm <= 3:
				keep(clamped(y, m+dm-1, day))
			case r.Every != Quarter && dm >= m && dm < m+step:
				keep(clamped(y, dm, day))
			}
		}
	}
}

func (r Recurrence) months() int {
	switch r.Every {
	case Month:
		return 1
	case Quarter:
		return 3
	case Half:
		return 6
	case Year:
		return 12
	}
	return 0
}

// monthDay reads "MM-DD".
func monthDay(s string) (m, d int, ok bool) {
	if len(s) != 5 || s[2] != '-' {
		return 0, 0, false
	}
	m, err1 := strconv.Atoi(s[:2])
	d, err2 := strconv.Atoi(s[3:])
	return m, d, err1 == nil && err2 == nil && m >= 1 && m <= 12 && d >= 1 && d <= 31
}

func clamped(y, m, d int) civil.Date {
	return civil.Of(y, time.Month(m), min(d, civil.DaysIn(y, time.Month(m))))
}
