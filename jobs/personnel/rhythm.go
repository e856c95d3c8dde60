package personnel

import (
	"slices"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/jobs/workday"
)

// Agenda is what a day's letters are about.
type Agenda struct {
	// Full says that everything is looked at: on the first working day of a month, or on the first day worked after it was
	// missed. Otherwise only marks that certificates crossed are spoken of.
	Full bool
	// Hours says that the hours of the year are: after the third, sixth and ninth month, and from then on every month. They
	// are counted up to HoursOn, the last day of the month before.
	Hours   bool
	HoursOn civil.Date
	// Ratios says that the share of reviewers is: in the first month of a quarter.
	Ratios bool
	// After is the last day whose marks have been spoken of.
	After civil.Date
}

// mostMonths bounds how far back missed months are looked for.
const mostMonths = 12

// AgendaOf decides what the letters of working day d are about. last is the last day on which the letters were planned, zero
// where they never were: then nothing has been missed.
//
// What a missed month would have spoken of is spoken of in the letter that makes it up, with the figures of its own day.
func AgendaOf(cal *workday.Calendar, last, d civil.Date) Agenda {
	a := Agenda{HoursOn: monthStart(d) - 1, After: cal.Add(d, -1)}
	if last != 0 && last < d {
		a.After = last
	}
	for m, i := monthStart(d), 0; i < mostMonths; m, i = m.AddMonths(-1), i+1 {
		first := cal.OnOrAfter(m)
		made := first == d || last != 0 && last < first && first < d
		if !made {
			break
		}
		a.Full = true
		month := int(m.Month())
		a.Ratios = a.Ratios || month%3 == 1
		a.Hours = a.Hours || month%3 == 1 || month > 9
	}
	return a
}

func monthStart(d civil.Date) civil.Date { return d - civil.Date(d.Day()-1) }

// Crossed reports whether a certificate that expires on the day crosses one of its marks between After and d: a mark is the
// day that lies a warning before the expiry, and one on a day off counts on the working day before it. The longest warning is
// the month's letter's and has no mark.
func (a Agenda) Crossed(rules task.StaffRules, cal *workday.Calendar, expiry, d civil.Date) bool {
	w := warnings(rules)
	if len(w) == 0 {
		return false
	}
	return slices.ContainsFunc(w[:len(w)-1], func(n int) bool {
		mark := cal.OnOrBefore(expiry - civil.Date(n))
		return a.After < mark && mark <= d
	})
}
