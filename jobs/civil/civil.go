// Package civil holds the civil date, the only notion of time the rules of duban know.
//
// A date here has no zone and no clock: it is a square on the wall calendar of the jurisdiction.
// Instants (when something was recorded, when a server answered) are time.Time in UTC and never meet a Date
// except at the edge, where the jurisdiction's zone turns "now" into "today".
package civil

import (
	"fmt"
	"time"
)

// Date is a day of the proleptic Gregorian calendar, counted in days from 0001-01-01 (which is 1).
// Dates compare with < and ==. The zero Date means "no date"; it prints as the empty string.
type Date int32

// Never is later than every date a plan can hold. Caches use it for "not in sight".
var Never = Of(9999, time.December, 31)

const unixDay1 = 719163 // 1970-01-01, counted from 0001-01-01 = 1

// Of returns the date of the given year, month and day, normalising overflow as time.Date does.
func Of(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()/86400 + unixDay1)
}

// Valid reports whether year, month and day name a day that exists: 2024-02-30 does not.
func Valid(year int, month time.Month, day int) bool {
	return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= DaysIn(year, month)
}

// DaysIn returns the number of days of the month.
func DaysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// MonthEnd returns the last day of the month.
func MonthEnd(year int, month time.Month) Date { return Of(year, month+1, 0) }

// In returns the day it is in the zone at the instant t.
func In(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return Of(y, m, d)
}

// Parse reads "2006-01-02" and nothing else. The empty string is the zero Date.
func Parse(s string) (Date, error) {
	if s == "" {
		return 0, nil
	}
	// By hand: letters hold dozens of dates, and time.Parse and fmt were most of what reading and writing one cost.
	y, ok1 := digits(s, 0, 4)
	m, ok2 := digits(s, 5, 2)
	d, ok3 := digits(s, 8, 2)
	if len(s) != 10 || s[4] != '-' || s[7] != '-' || !ok1 || !ok2 || !ok3 || !Valid(y, time.Month(m), d) {
		return 0, fmt.Errorf("parse date %q: want YYYY-MM-DD, a day that exists", s)
	}
	return Of(y, time.Month(m), d), nil
}

// digits reads n decimal digits of s from i.
func digits(s string, i, n int) (v int, ok bool) {
	if len(s) < i+n {
		return 0, false
	}
	for _, c := range []byte(s[i : i+n]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = 10*v + int(c-'0')
	}
	return v, true
}

// MustParse is Parse for constants in tests and tables; it panics on a bad date.
func MustParse(s string) Date {
	d, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Time returns midnight of the date in the zone.
func (d Date) Time(zone *time.Location) time.Time {
	y, m, day := d.YMD()
	return time.Date(y, m, day, 0, 0, 0, 0, zone)
}

// YMD returns the date's year, month and day.
func (d Date) YMD() (int, time.Month, int) {
	return time.Unix((int64(d)-unixDay1)*86400, 0).UTC().Date()
}

// Year returns the calendar year.
func (d Date) Year() int { y, _, _ := d.YMD(); return y }

// Month returns the month of the year.
func (d Date) Month() time.Month { _, m, _ := d.YMD(); return m }

// Day returns the day of the month, from 1.
func (d Date) Day() int { _, _, n := d.YMD(); return n }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday((int(d)%7 + 7) % 7) }

// AddMonths returns the corresponding day n months later, or that month's last day where there is none
// (Civil Code art. 202).
func (d Date) AddMonths(n int) Date {
	y, m, day := d.YMD()
	first := Of(y, m+time.Month(n), 1)
	fy, fm, _ := first.YMD()
	return first + Date(min(day, DaysIn(fy, fm))-1)
}

// IsZero reports whether d is "no date".
func (d Date) IsZero() bool { return d == 0 }

// String returns "2006-01-02", or "" for the zero Date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	y, m, day := d.YMD()
	if y < 0 || y > 9999 {
		return fmt.Sprintf("%04d-%02d-%02d", y, m, day)
	}
	b := [...]byte{
		'0' + byte(y/1000), '0' + byte(y/100%10), '0' + byte(y/10%10), '0' + byte(y%10), '-',
		'0' + byte(m)/10, '0' + byte(m)%10, '-', '0' + byte(day/10), '0' + byte(day%10),
	}
	return string(b[:])
}

// Chinese returns the date as official letters write it, without leading zeros: 2024年6月5日.
func (d Date) Chinese() string {
	if d == 0 {
		return ""
	}
	y, m, day := d.YMD()
	return fmt.Sprintf("%d年%d月%d日", y, int(m), day)
}

// MarshalText writes the form Parse reads, so that a Date is a string in JSON and YAML.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Date) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}
