// Package period names the periods (期次) recurring duties are counted in: weeks, months, quarters, half-years, years.
package period

import (
	"fmt"
	"iter"
	"strconv"
	"time"

	"duban/jobs/civil"
	"duban/jobs/deadline"
)

// Key names one period: "2024-06", "2024Q2", "2024H1", "2024" or, for an ISO 8601 week, "2024-W26". It is part of an
// obligation's identity, so its spelling never changes. The empty Key is "no period".
type Key string

// Keys name years from 1900 to 2999; anything else in a ledger is a slip of the pen.
const (
	minYear = 1900
	maxYear = 2999
)

// parts is a Key taken apart: the n-th period of its kind in the year, from 1. For a week the year is the ISO year.
type parts struct {
	every deadline.Every
	year  int
	n     int
}

// Of returns the period of that kind the date lies in. It is empty for the zero date, an unknown kind, and a year
// that keys do not name. A week belongs to the year of its Thursday (ISO 8601): 2024-12-30 lies in "2025-W01".
func Of(every deadline.Every, d civil.Date) Key {
	if d.IsZero() {
		return ""
	}
	year, month, _ := d.YMD()
	p := parts{every: every, year: year, n: 1}
	switch every {
	case deadline.Week:
		p.year, p.n = d.Time(time.UTC).ISOWeek()
	case deadline.Month, deadline.Quarter, deadline.Half:
		p.n = (int(month)-1)/months(every) + 1
	}
	return p.key()
}

// Parse reads the spelling of a Key and nothing else; "2023-W53" is refused because 2023 has 52 weeks.
func Parse(s string) (Key, error) {
	if _, err := Key(s).parts(); err != nil {
		return "", err
	}
	return Key(s), nil
}

// Every returns the kind of period; it is empty where the Key is not one.
func (k Key) Every() deadline.Every {
	p, err := k.parts()
	if err != nil {
		return ""
	}
	return p.every
}

// Bounds returns the first and the last day of the period.
func (k Key) Bounds() (start, end civil.Date, err error) {
	p, err := k.parts()
	if err != nil {
		return 0, 0, err
	}
	if p.every == deadline.Week {
		start = firstMonday(p.year) + civil.Date(7*(p.n-1))
		return start, start + 6, nil
	}
	length := time.Month(months(p.every))
	first := time.Month(p.n-1)*length + 1
	return civil.Of(p.year, first, 1), civil.MonthEnd(p.year, first+length-1), nil
}

// Next returns the period of the same kind that follows; it is empty after the last one that can be named.
func (k Key) Next() Key {
	_, end, err := k.Bounds()
	if err != nil {
		return ""
	}
	return Of(k.Every(), end+1)
}

// Prev returns the period of the same kind that comes before; it is empty before the first one that can be named.
func (k Key) Prev() Key {
	start, _, err := k.Bounds()
	if err != nil {
		return ""
	}
	return Of(k.Every(), start-1)
}

// Contains reports whether the date lies in the period.
func (k Key) Contains(d civil.Date) bool {
	start, end, err := k.Bounds()
	return err == nil && start <= d && d <= end
}

// Chinese returns the period as letters write it: 2024年6月, 2024年第二季度, 2024年上半年, 2024年, 2024年第26周. A Key that
// is not one comes back as it is.
func (k Key) Chinese() string {
	p, err := k.parts()
	if err != nil {
		return string(k)
	}
	switch p.every {
	case deadline.Week:
		return fmt.Sprintf("%d年第%d周", p.year, p.n)
	case deadline.Month:
		return fmt.Sprintf("%d年%d月", p.year, p.n)
	case deadline.Quarter:
		return fmt.Sprintf("%d年第%s季度", p.year, []string{"一", "二", "三", "四"}[p.n-1])
	case deadline.Half:
		return fmt.Sprintf("%d年%s半年", p.year, []string{"上", "下"}[p.n-1])
	}
	return fmt.Sprintf("%d年", p.year)
}

// Between yields, in order, every period of that kind that has a day from from to to, both included. It yields none
// where to is before from or either date is zero.
func Between(every deadline.Every, from, to civil.Date) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		if from.IsZero() || to.IsZero() {
			return
		}
		for k := Of(every, from); k != ""; k = k.Next() {
			if start, _, err := k.Bounds(); err != nil || start > to || from > to || !yield(k) {
				return
			}
		}
	}
}

// WholeMonths returns how many whole months lie within the days from from to to, both included. The n-th month ends
// on the day before the corresponding day, or on the last day of a month that has no corresponding day (Civil Code
// art. 202): from 1 January the ninth month ends on 30 September; from 31 January the first ends on the last of
// February and the second on 30 March. It is 0 where to is before from or either date is zero.
//
// A quota's pace is floor(quota × WholeMonths(start, today) ÷ WholeMonths(start, period end)), start being the later
// of the period's start and the plan's issue; the divisor may be 0 where less than a month is left.
func WholeMonths(from, to civil.Date) int {
	if from.IsZero() || to < from {
		return 0
	}
	fy, fm, _ := from.YMD()
	ty, tm, _ := to.YMD()
	n := (ty-fy)*12 + int(tm-fm)
	for n >= 0 && monthsEnd(from, n+1) <= to {
		n++
	}
	for n > 0 && monthsEnd(from, n) > to {
		n--
	}
	return max(0, n)
}

// monthsEnd returns the last day of the n-th month counted from from, which is its first day.
func monthsEnd(from civil.Date, n int) civil.Date {
	year, month, day := from.YMD()
	first := civil.Of(year, month+time.Month(n), 1)
	y, m, _ := first.YMD()
	if day > civil.DaysIn(y, m) {
		return civil.MonthEnd(y, m)
	}
	return first + civil.Date(day) - 2
}

// months is the length of a period; a year's for what has no length in months.
func months(every deadline.Every) int {
	switch every {
	case deadline.Month:
		return 1
	case deadline.Quarter:
		return 3
	case deadline.Half:
		return 6
	}
	return 12
}

// key spells the parts; it is empty where they name no period.
func (p parts) key() Key {
	if p.year < minYear || p.year > maxYear {
		return ""
	}
	switch p.every {
	case deadline.Week:
		return Key(fmt.Sprintf("%04d-W%02d", p.year, p.n))
	case deadline.Month:
		return Key(fmt.Sprintf("%04d-%02d", p.year, p.n))
	case deadline.Quarter:
		return Key(fmt.Sprintf("%04dQ%d", p.year, p.n))
	case deadline.Half:
		return Key(fmt.Sprintf("%04dH%d", p.year, p.n))
	case deadline.Year:
		return Key(fmt.Sprintf("%04d", p.year))
	}
	return ""
}

// parts takes the Key apart. What it accepts is exactly what key spells.
func (k Key) parts() (parts, error) {
	s := string(k)
	bad := fmt.Errorf("parse period %q: want YYYY-MM, YYYYQ1–4, YYYYH1–2, YYYY or YYYY-Wnn, a year from %d to %d", s, minYear, maxYear)
	if len(s) < 4 {
		return parts{}, bad
	}
	year, err := strconv.Atoi(s[:4])
	if err != nil {
		return parts{}, bad
	}
	p := parts{year: year, n: 1}
	rest, digits := s[4:], ""
	switch {
	case rest == "":
		p.every = deadline.Year
	case rest[0] == 'Q':
		p.every, digits = deadline.Quarter, rest[1:]
	case rest[0] == 'H':
		p.every, digits = deadline.Half, rest[1:]
	case len(rest) > 1 && rest[:2] == "-W":
		p.every, digits = deadline.Week, rest[2:]
	case rest[0] == '-':
		p.every, digits = deadline.Month, rest[1:]
	}
	if digits != "" {
		if p.n, err = strconv.Atoi(digits); err != nil {
			return parts{}, bad
		}
	}
	if p.n < 1 || p.n > perYear(p.every, year) || p.key() != k {
		return parts{}, bad
	}
	return p, nil
}

// perYear is the number of periods of a kind in the year.
func perYear(every deadline.Every, year int) int {
	if every == deadline.Week {
		return int(firstMonday(year+1)-firstMonday(year)) / 7
	}
	return 12 / months(every)
}

// firstMonday is the Monday of the ISO year's first week, the one that holds 4 January.
func firstMonday(year int) civil.Date {
	fourth := civil.Of(year, time.January, 4)
	return fourth - civil.Date((int(fourth.Weekday())+6)%7)
}
