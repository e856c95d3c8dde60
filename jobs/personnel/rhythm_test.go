package personnel

import (
	"testing"

	"duban/jobs/civil"
	"duban/jobs/workday"
)

func TestAgendaOf(t *testing.T) {
	for _, c := range []struct {
		name, last, on string
		want           Agenda
	}{
		{"first working day after the holiday", "2024-09-30", "2024-10-08", Agenda{Full: true, Hours: true, Ratios: true, HoursOn: day("2024-09-30"), After: day("2024-09-30")}},
		{"1 September is a Sunday", "2024-08-30", "2024-09-02", Agenda{Full: true, HoursOn: day("2024-08-31"), After: day("2024-08-30")}},
		{"July: hours of the half year", "2024-06-28", "2024-07-01", Agenda{Full: true, Hours: true, Ratios: true, HoursOn: day("2024-06-30"), After: day("2024-06-28")}},
		{"November and December: hours every month", "2024-10-31", "2024-11-01", Agenda{Full: true, Hours: true, HoursOn: day("2024-10-31"), After: day("2024-10-31")}},
		{"December", "2024-11-29", "2024-12-02", Agenda{Full: true, Hours: true, HoursOn: day("2024-11-30"), After: day("2024-11-29")}},
		{"January: the year that ended", "2024-12-31", "2025-01-02", Agenda{Full: true, Hours: true, Ratios: true, HoursOn: day("2024-12-31"), After: day("2024-12-31")}},
		{"February", "2025-01-27", "2025-02-05", Agenda{Full: true, HoursOn: day("2025-01-31"), After: day("2025-01-27")}},
		{"February has begun: the make-up Saturday is no first day", "2025-02-07", "2025-02-08", Agenda{HoursOn: day("2025-01-31"), After: day("2025-02-07")}},
		{"an ordinary day", "2024-09-25", "2024-09-26", Agenda{HoursOn: day("2024-08-31"), After: day("2024-09-25")}},
		{"never planned, on an ordinary day", "", "2024-09-26", Agenda{HoursOn: day("2024-08-31"), After: day("2024-09-25")}},
		{"never planned, on a first one", "", "2024-09-02", Agenda{Full: true, HoursOn: day("2024-08-31"), After: day("2024-08-30")}},
		{"the first day was missed", "2024-09-27", "2024-10-10", Agenda{Full: true, Hours: true, Ratios: true, HoursOn: day("2024-09-30"), After: day("2024-09-27")}},
		{"and is made up once", "2024-10-10", "2024-10-11", Agenda{HoursOn: day("2024-09-30"), After: day("2024-10-10")}},
		{"July was missed whole: its hours are told in August, as they stand then", "2024-06-28", "2024-08-01",
			Agenda{Full: true, Hours: true, Ratios: true, HoursOn: day("2024-07-31"), After: day("2024-06-28")}},
		{"planned later already", "2024-10-11", "2024-10-10", Agenda{HoursOn: day("2024-09-30"), After: day("2024-10-09")}},
		{"leap day", "2024-02-28", "2024-02-29", Agenda{HoursOn: day("2024-01-31"), After: day("2024-02-28")}},
		{"away for years", "2020-01-02", "2024-05-20", Agenda{Full: true, Hours: true, Ratios: true, HoursOn: day("2024-04-30"), After: day("2020-01-02")}},
	} {
		var last civil.Date
		if c.last != "" {
			last = day(c.last)
		}
		if got := AgendaOf(workday.National(), last, day(c.on)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestCrossed(t *testing.T) {
	cal := workday.National()
	for _, c := range []struct {
		validTo, last, on string
		want              bool
	}{
		{"2024-10-26", "2024-09-25", "2024-09-26", true},  // 30 days before
		{"2024-10-27", "2024-09-25", "2024-09-26", false}, // tomorrow
		{"2024-10-25", "2024-09-25", "2024-09-26", false}, // yesterday
		{"2024-10-03", "2024-09-25", "2024-09-26", true},  // 7 days before
		{"2024-12-25", "2024-09-25", "2024-09-26", false}, // 90 days before: the month's letter's
		{"2024-10-08", "2024-09-29", "2024-09-30", true},  // the mark is 1 October, in the holiday: the working day before it
		{"2024-11-06", "2024-09-29", "2024-09-30", true},  // 7 October
		{"2024-11-07", "2024-09-29", "2024-09-30", false}, // 8 October, a working day
		{"2024-11-07", "2024-09-30", "2024-10-08", true},
		{"2025-02-25", "2025-01-24", "2025-01-26", true},  // 26 January 2025, a make-up Sunday
		{"2025-02-24", "2025-01-23", "2025-01-24", true},  // Saturday 25 January: the Friday before
		{"2025-02-24", "2025-01-24", "2025-01-26", false}, // which has been told
		{"2024-07-07", "2024-06-27", "2024-06-28", true},  // Sunday 30 June: Friday
		{"2024-03-07", "2024-02-28", "2024-02-29", true},  // a leap day is a mark
		{"2025-01-31", "2024-12-31", "2025-01-02", false}, // the mark is 1 January, told on 31 December
		{"2025-01-30", "2024-12-30", "2024-12-31", true},
		{"2024-10-10", "2024-09-10", "2024-09-20", false}, // after an outage: the mark of 10 September was told on it
		{"2024-10-11", "2024-09-10", "2024-09-20", true},  // and those since are told now
	} {
		a := AgendaOf(cal, day(c.last), day(c.on))
		got := a.Crossed(rulesOf(nil), cal, day(c.validTo), day(c.on))
		if got != c.want {
			t.Errorf("to %s on %s after %s: %v", c.validTo, c.on, c.last, got)
		}
	}
}
