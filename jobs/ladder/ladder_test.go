package ladder_test

import (
	"fmt"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/task"
	"duban/jobs/workday"
)

var national = workday.National()

func date(s string) civil.Date {
	if s == "Never" {
		return civil.Never
	}
	return civil.MustParse(s)
}

// subject is an item of the kind that falls due on the day and was opened a year before, with everything there is to be
// urged about it.
func subject(kind task.Kind, due string, change ...func(*ladder.Subject)) ladder.Subject {
	d := date(due)
	s := ladder.Subject{
		Obligation:  task.Obligation{Kind: kind, Owes: task.OwesDeliver, Opened: d - 365, Nominal: d, Effective: d, Assess: d},
		Status:      task.Status{State: task.Waiting, Nominal: d, Effective: d, Assess: d},
		Deliverable: true, Chase: task.ChaseLetter,
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

func opened(day string) func(*ladder.Subject) {
	return func(s *ladder.Subject) { s.Obligation.Opened = date(day) }
}

func assessed(day string) func(*ladder.Subject) {
	return func(s *ladder.Subject) { s.Status.Assess = date(day) }
}

func armed(day string) func(*ladder.Subject) {
	return func(s *ladder.Subject) { s.Status.Armed = date(day) }
}

func owes(o task.Owes) func(*ladder.Subject) {
	return func(s *ladder.Subject) { s.Obligation.Owes = o }
}

func chase(c task.Chase) func(*ladder.Subject) {
	return func(s *ladder.Subject) { s.Chase = c }
}

func progressOnly(s *ladder.Subject) { s.Deliverable = false }

func days(steps []ladder.Step) string {
	var b []string
	for _, s := range steps {
		b = append(b, s.Step+" "+s.On.String()[5:])
	}
	return strings.Join(b, ", ")
}

func TestSteps(t *testing.T) {
	tests := []struct {
		name string
		s    ladder.Subject
		want string // the steps with month and day
	}{
		// A Sunday: T is Friday 28 June, T−3 is 25 June, T+1 is 1 July. 端午 is 10 June.
		{"a Sunday at the half-year's end", subject(task.Milestone, "2024-06-30"), "A30 06-03, T-10 06-17, T-3 06-25, T+2 07-02, T+5 07-05, T+10 07-12"},
		// T is 30 September; 29 September is a make-up Sunday; 1 to 7 October are off, 12 October is a make-up Saturday.
		{"the eve of 国庆", subject(task.Milestone, "2024-09-30"), "A30 09-02, T-10 09-18, T-3 09-26, T+2 10-09, T+5 10-12, T+10 10-18"},
		{"within 国庆", subject(task.Milestone, "2024-10-05"), "A30 09-09, T-10 09-18, T-3 09-26, BREAK 09-30, T+2 10-09, T+5 10-12, T+10 10-18"},
		{"the first workday after 国庆", subject(task.Milestone, "2024-10-08"), "A30 09-09, T-10 09-18, T-3 09-27, BREAK 09-30, T+2 10-10, T+5 10-14, T+10 10-21"},
		{"a make-up Saturday", subject(task.Milestone, "2024-10-12"), "A30 09-18, T-10 09-30, T-3 10-09, T+2 10-15, T+5 10-18, T+10 10-25"},
		// 春节 2024: 10 to 17 February off, Sundays 4 and 18 February worked.
		{"within 春节", subject(task.Milestone, "2024-02-12"), "A30 01-15, T-10 01-29, T-3 02-06, BREAK 02-09, T+2 02-19, T+5 02-22, T+10 02-29"},
		{"a make-up Sunday", subject(task.Milestone, "2024-02-04"), "A30 01-08, T-10 01-22, T-3 01-31, T+2 02-06, T+5 02-09, T+10 02-22"},
		{"just after 春节", subject(task.Milestone, "2024-02-20"), "A30 01-22, T-10 02-05, T-3 02-09, T+2 02-22, T+5 02-27, T+10 03-05"},
		// 中秋 2026 is Friday 25 September: T is Thursday the 24th. Sunday 20 September is worked, 1 to 7 October are off,
		// 10 October is a make-up Saturday.
		{"中秋 2026", subject(task.Milestone, "2026-09-25"), "A30 08-31, T-10 09-14, T-3 09-21, BREAK 09-24, T+2 09-29, T+5 10-09, T+10 10-15"},
		{"a year not published: weekdays are assumed", subject(task.Milestone, "2031-10-01"), "A30 09-01, T-10 09-22, T-3 09-26, T+2 10-03, T+5 10-08, T+10 10-15"},

		{"the month's report", subject(task.Monthly, "2024-09-25"), "T-3 09-20, T 09-25, T+2 09-27, T+5 10-08, T+10 10-14"},
		{"the month's report on a day off", subject(task.Monthly, "2024-08-25"), "T-3 08-20, T 08-23, T+2 08-27, T+5 08-30, T+10 09-06"},
		{"the week's report", subject(task.Weekly, "2024-09-13", opened("2024-09-09")), "T-3 09-10, T 09-13, T+2 09-18, T+5 09-23, T+10 09-29"},
		{"the quarter's report on 10 October", subject(task.Quarterly, "2024-10-10"), "T-5 09-27, T+2 10-12, T+5 10-16, T+10 10-23"},
		{"the half-year's report", subject(task.HalfYearly, "2024-07-10"), "T-5 07-03, T+2 07-12, T+5 07-17, T+10 07-24"},
		{"the year's report", subject(task.Yearly, "2024-12-31"), "A30 12-02, T-10 12-23, T-3 12-26, T+2 01-03, T+5 01-08, T+10 01-15"},
		{"a condition's own date", subject(task.Condition, "2024-06-30"), "A30 06-03, T-10 06-17, T-3 06-25, T+2 07-02, T+5 07-05, T+10 07-12"},
		{"an event clock", subject(task.Clock, "2024-09-30", opened("2024-09-18")), "T-2 09-27, T+1 10-08"},
		{"a clock of two days over 国庆", subject(task.Clock, "2024-10-08", opened("2024-09-30")), "T-2 09-30, BREAK 09-30, T+1 10-09"},
		{"the year's number", subject(task.Quota, "2024-12-31"), "T-30 11-19, T-10 12-17, T+2 01-03, T+5 01-08"},

		// 春节 2025: 28 January to 4 February off, Sunday 26 January and Saturday 8 February worked.
		{"25 January 2025, a Saturday before a make-up Sunday", subject(task.Monthly, "2025-01-25"), "T-3 01-21, T 01-24, T+2 01-27, T+5 02-07, T+10 02-13"},
		{"within 春节 2025", subject(task.Milestone, "2025-01-31"), "A30 01-06, T-10 01-20, T-3 01-23, BREAK 01-27, T+2 02-06, T+5 02-10, T+10 02-17"},
		{"the first workday after 春节 2025", subject(task.Milestone, "2025-02-05"), "A30 01-06, T-10 01-20, T-3 01-24, BREAK 01-27, T+2 02-07, T+5 02-11, T+10 02-18"},
		{"the second workday after 春节 2025", subject(task.Milestone, "2025-02-06"), "A30 01-13, T-10 01-20, T-3 01-26, T+2 02-08, T+5 02-12, T+10 02-19"},
		// A date within the break falls due on its eve at the latest: T and BREAK are the same day, and BREAK comes first.
		{"the month's report within 国庆", subject(task.Monthly, "2024-10-05"), "T-3 09-26, BREAK 09-30, T 09-30, T+2 10-09, T+5 10-12, T+10 10-18"},
		{"the last day of February in a leap year", subject(task.Monthly, "2024-02-29"), "T-3 02-26, T 02-29, T+2 03-04, T+5 03-07, T+10 03-14"},
		// 端午 2024: Saturday 8 to Monday 10 June; an ordinary weekend is no break.
		{"three days over 端午", subject(task.Milestone, "2024-06-11"), "A30 05-13, T-10 05-27, T-3 06-05, BREAK 06-07, T+2 06-13, T+5 06-18, T+10 06-25"},
		{"an ordinary Monday", subject(task.Clock, "2024-06-17", opened("2024-06-11")), "T-2 06-13, T+1 06-18"},
		{"opened on the eve of 国庆", subject(task.Milestone, "2024-10-08", opened("2024-09-30")), "T-3 09-30, BREAK 09-30, T+2 10-10, T+5 10-14, T+10 10-21"},
		{"opened within 国庆: its eve is past", subject(task.Milestone, "2024-10-08", opened("2024-10-03")), "T-3 10-08, T+2 10-10, T+5 10-14, T+10 10-21"},
		{"extended within 国庆", subject(task.Milestone, "2024-10-08", armed("2024-10-02")), "T-3 10-08, T+2 10-10, T+5 10-14, T+10 10-21"},
		{"supporting units hear nothing of a break", subject(task.Milestone, "2024-10-08", owes(task.OwesSupport)), "T-3 09-27"},
		{"what asks for progress is named before a break, and not urged", subject(task.Milestone, "2024-10-08", progressOnly), "A30 09-09, T-10 09-18, T-3 09-27, BREAK 09-30"},
		{"the year's number before a break", subject(task.Quota, "2023-12-31"), "T-30 11-17, T-10 12-15, BREAK 12-29, T+2 01-03, T+5 01-08"},

		// A30 only where the date was more than 60 days off when the item opened.
		{"61 days ahead", subject(task.Milestone, "2024-06-30", opened("2024-04-30")), "A30 06-03, T-10 06-17, T-3 06-25, T+2 07-02, T+5 07-05, T+10 07-12"},
		{"60 days ahead", subject(task.Milestone, "2024-06-30", opened("2024-05-01")), "T-10 06-17, T-3 06-25, T+2 07-02, T+5 07-05, T+10 07-12"},
		{"opened after Monday's letter: the next Monday", subject(task.Milestone, "2024-06-28", opened("2024-06-18")), "T-10 06-24, T-3 06-25, T+2 07-02, T+5 07-05, T+10 07-12"},
		{"opened when Monday comes after T-3", subject(task.Milestone, "2024-06-27", opened("2024-06-19")), "T-3 06-24, T+2 07-01, T+5 07-04, T+10 07-11"},
		{"opened on the eve", subject(task.Milestone, "2024-06-28", opened("2024-06-27")), "T-3 06-27, T+2 07-02, T+5 07-05, T+10 07-12"},
		{"opened on the day", subject(task.Milestone, "2024-06-28", opened("2024-06-28")), "T-3 06-28, T+2 07-02, T+5 07-05, T+10 07-12"},
		{"opened on a Sunday that is the day: no reminder left", subject(task.Milestone, "2024-06-30", opened("2024-06-30")), "T+2 07-02, T+5 07-05, T+10 07-12"},
		{"opened after the date", subject(task.Milestone, "2024-06-28", opened("2024-07-03")), "T+2 07-02, T+5 07-05, T+10 07-12"},

		// An extension, a reopening or a new date counts as an opening.
		{"extended ahead of time", subject(task.Milestone, "2024-08-30", armed("2024-06-20")), "A30 08-05, T-10 08-19, T-3 08-27, T+2 09-03, T+5 09-06, T+10 09-13"},
		{"extended by four weeks: the unit knows", subject(task.Milestone, "2024-07-31", armed("2024-07-03")), "T-10 07-22, T-3 07-26, T+2 08-02, T+5 08-07, T+10 08-14"},
		{"extended by a week, on a Wednesday", subject(task.Milestone, "2024-07-10", armed("2024-07-03")), "T-3 07-05, T+2 07-12, T+5 07-17, T+10 07-24"},

		// Ambiguous: reminded by the earlier reading, overdue only after the later.
		{"ambiguous", subject(task.Yearly, "2024-09-30", assessed("2024-10-31")), "A30 09-02, T-10 09-18, T-3 09-26, T+2 11-04, T+5 11-07, T+10 11-14"},
		{"extended too late: urged by the new date", subject(task.Milestone, "2024-07-31", assessed("2024-06-30")), "A30 07-01, T-10 07-22, T-3 07-26, T+2 08-02, T+5 08-07, T+10 08-14"},

		// A row that names no deliverable asks for progress and is never urged.
		{"no deliverable", subject(task.Milestone, "2024-06-30", progressOnly), "A30 06-03, T-10 06-17, T-3 06-25"},
		{"no deliverable, event clock", subject(task.Clock, "2024-09-30", progressOnly), "T-2 09-27"},
		// Supporting units are informed once, never urged.
		{"support", subject(task.Milestone, "2024-06-30", owes(task.OwesSupport)), "T-3 06-25"},
		{"support of a monthly report", subject(task.Monthly, "2024-09-25", owes(task.OwesSupport)), "T-3 09-20"},
		{"support of a review", subject(task.Quarterly, "2024-10-10", owes(task.OwesSupport)), "T-5 09-27"},
		{"support of a quota", subject(task.Quota, "2024-12-31", owes(task.OwesSupport)), "T-10 12-17"},
		{"support of an event clock", subject(task.Clock, "2024-09-30", owes(task.OwesSupport)), ""},
		{"owes nothing", subject(task.Milestone, "2024-06-30", owes(task.OwesNone)), ""},
		{"courtesy: informed, never urged", subject(task.Milestone, "2024-06-30", chase(task.ChaseCourtesy)), "A30 06-03, T-10 06-17, T-3 06-25"},
		{"manual: the bureau's digest only", subject(task.Milestone, "2024-06-30", chase(task.ChaseManual)), ""},
		{"not chased", subject(task.Milestone, "2024-06-30", chase(task.ChaseNone)), ""},
		{"an unknown kind", subject("biennial", "2024-06-30"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := days(ladder.Default().Steps(tt.s, national)); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestStepsAreSayable holds every kind to what makes a step sayable, over three years of dates: on a working day, in
// time, in order, and urging only after the later of the two dates.
func TestStepsAreSayable(t *testing.T) {
	l := ladder.Default()
	for kind := range l {
		for due := date("2024-01-01"); due < date("2027-01-01"); due++ {
			for _, ahead := range []civil.Date{0, 1, 5, 9, 12, 61, 200} {
				s := subject(kind, due.String(), assessed((due + ahead%7).String()))
				s.Obligation.Opened = due - ahead
				before := civil.Date(0)
				for _, st := range l.Steps(s, national) {
					what := fmt.Sprintf("%s due %s opened %s: %s on %s until %s", kind, due, s.Obligation.Opened, st.Step, st.On, st.Expires)
					if !national.IsWorkday(st.On) {
						t.Fatalf("%s: not a workday", what)
					}
					if st.On > st.Expires || st.On < before {
						t.Fatalf("%s: out of order", what)
					}
					before = st.On
					switch st.Rung {
					case ladder.Urging, ladder.Form:
						if st.On <= max(s.Status.Effective, s.Status.Assess) || st.Expires != civil.Never {
							t.Fatalf("%s: urges before it is overdue", what)
						}
					case ladder.Reminder:
						if st.On < s.Obligation.Opened || st.Expires > due {
							t.Fatalf("%s: reminds before it opened or after it fell due", what)
						}
						if st.Monday && !ladder.Monday(st.On, national) {
							t.Fatalf("%s: not the week's first letter", what)
						}
						if next := national.Add(st.On, 1); st.Break > 0 && (st.Expires != st.On || next-st.On <= 3 || due > next || due <= st.On) {
							t.Fatalf("%s: no break of three days lies between it and the date", what)
						}
					default:
						t.Fatalf("%s: %s", what, st.Rung)
					}
				}
			}
		}
	}
}

func TestCopies(t *testing.T) {
	for kind, rules := range ladder.Default() {
		for _, r := range rules {
			got := fmt.Sprint(r.Copy)
			want := "[]"
			switch {
			case kind == task.Clock:
				want = "[legal]"
			case r.Step == "T+5":
				want = "[deputy]"
			}
			if want := map[bool]task.Role{true: task.Deputy, false: task.Liaison}[r.Rung == ladder.Form]; r.Reader() != want {
				t.Errorf("%s %s: addressed to %s, want %s", kind, r.Step, r.Reader(), want)
			}
			if got != want {
				t.Errorf("%s %s: copies to %s, want %s", kind, r.Step, got, want)
			}
			if kind == task.Clock && strings.Contains(got, "deputy") {
				t.Errorf("%s %s: case numbers are none of the deputy's business", kind, r.Step)
			}
		}
	}
}

// counts says how much was done by when.
func counts(pairs ...any) func(*ladder.Subject) {
	return func(s *ladder.Subject) {
		s.CountAt = func(d civil.Date) int {
			n := 0
			for i := 0; i < len(pairs); i += 2 {
				if date(pairs[i].(string)) <= d {
					n = pairs[i+1].(int)
				}
			}
			return n
		}
	}
}

func yearsNumber(quota int, from string, more ...func(*ladder.Subject)) ladder.Subject {
	s := subject(task.Quota, "2024-12-31", opened(from))
	s.Obligation.Quota, s.Obligation.PaceFrom = quota, date(from)
	s.CountAt = func(civil.Date) int { return 0 }
	for _, f := range more {
		f(&s)
	}
	return s
}

func TestPaceLines(t *testing.T) {
	ends := ", T-30 11-19, T-10 12-17, T+2 01-03, T+5 01-08"
	tests := []struct {
		name string
		s    ladder.Subject
		want string
	}{
		// Twelve a year is one a month: behind at the end of January and of February, said on the next workday.
		{"nothing done: one line per quarter", yearsNumber(12, "2024-01-01"),
			"P-2024Q1 03-01, P-2024Q2 05-06, P-2024Q3 08-01, P-2024Q4 11-01" + ends},
		{"behind at one month's end only", yearsNumber(12, "2024-01-01", counts("2024-02-10", 2, "2024-03-30", 12)), ends[2:]},
		{"never behind", yearsNumber(12, "2024-01-01", counts("2024-01-05", 12)), ends[2:]},
		{"behind in January, not in February, behind in March and April: the line of the second quarter",
			yearsNumber(12, "2024-01-01", counts("2024-02-10", 2, "2024-05-10", 12)), "P-2024Q2 05-06" + ends},
		{"behind across two quarters is said in the second", yearsNumber(12, "2024-01-01", counts("2024-02-10", 2, "2024-04-10", 3, "2024-05-10", 12)),
			"P-2024Q2 05-06" + ends},
		// Four a year: floor(4·m/12) is 0 until the end of March, 1 until June.
		{"a small number grows by steps", yearsNumber(4, "2024-01-01"), "P-2024Q2 05-06, P-2024Q3 08-01, P-2024Q4 11-01" + ends},
		// The pace counts from the issue: nine whole months from 14 March to 31 December, the first ending on 13 April.
		{"from the issue of the plan", yearsNumber(9, "2024-03-14"), "P-2024Q2 06-03, P-2024Q3 08-01, P-2024Q4 11-01" + ends},
		{"a quota of one has no pace", yearsNumber(1, "2024-01-01"), ends[2:]},
		{"supporting units are not told of the pace", yearsNumber(12, "2024-01-01", owes(task.OwesSupport)), "T-10 12-17"},
		{"manual", yearsNumber(12, "2024-01-01", chase(task.ChaseManual)), ""},
		{"courtesy hears of the pace, and is not urged", yearsNumber(12, "2024-01-01", chase(task.ChaseCourtesy)),
			"P-2024Q1 03-01, P-2024Q2 05-06, P-2024Q3 08-01, P-2024Q4 11-01, T-30 11-19, T-10 12-17"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps := ladder.Default().Steps(tt.s, national)
			if got := days(steps); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			for _, st := range steps {
				if st.Rung != ladder.Pace {
					continue
				}
				if st.PaceAt != civil.MonthEnd(st.PaceAt.Year(), st.PaceAt.Month()) || st.PaceAt >= st.On || st.Expires > date("2024-12-31") {
					t.Errorf("%s looks at %s, says so on %s until %s", st.Step, st.PaceAt, st.On, st.Expires)
				}
			}
		})
	}
}

// TestUrgingOfAQuotaWaitsForTheYear: a number that is due at the year's end is not overdue within the year.
func TestUrgingOfAQuotaWaitsForTheYear(t *testing.T) {
	for _, st := range ladder.Default().Steps(yearsNumber(12, "2024-01-01"), national) {
		if st.Rung == ladder.Urging && st.On <= date("2024-12-31") {
			t.Errorf("%s urges on %s", st.Step, st.On)
		}
	}
}

func TestPaceAt(t *testing.T) {
	tests := []struct {
		quota         int
		from, end, on string
		want          int
	}{
		{12, "2024-01-01", "2024-12-31", "2024-01-30", 0},
		{12, "2024-01-01", "2024-12-31", "2024-01-31", 1},
		{12, "2024-01-01", "2024-12-31", "2024-09-30", 9},
		{12, "2024-01-01", "2024-12-31", "2024-12-31", 12},
		{12, "2024-01-01", "2024-12-31", "2025-06-30", 12}, // never more than the whole
		{12, "2024-01-01", "2024-12-31", "2023-12-31", 0},
		{5, "2024-01-01", "2024-12-31", "2024-06-30", 2},    // floor(5 × 6 ÷ 12)
		{100, "2024-03-14", "2024-12-31", "2024-06-30", 33}, // three whole months of nine
		{10, "2024-12-14", "2024-12-31", "2024-12-31", 0},   // not a whole month: no pace
		{10, "2024-12-31", "2024-01-01", "2024-12-31", 0},
		{0, "2024-01-01", "2024-12-31", "2024-12-31", 0},
	}
	for _, tt := range tests {
		if got := ladder.PaceAt(tt.quota, date(tt.from), date(tt.end), date(tt.on)); got != tt.want {
			t.Errorf("PaceAt(%d, %s, %s, %s) = %d, want %d", tt.quota, tt.from, tt.end, tt.on, got, tt.want)
		}
	}
}

func TestMonday(t *testing.T) {
	for day, want := range map[string]bool{
		"2024-09-02": true, "2024-09-03": false, "2024-09-14": false, // a make-up Saturday ends a week
		"2024-09-18": true, "2024-09-29": false, "2024-10-08": true, "2024-02-18": true, "2024-02-19": true, "2024-10-01": false,
	} {
		if got := ladder.Monday(date(day), national); got != want {
			t.Errorf("Monday(%s) = %t, want %t", day, got, want)
		}
	}
}

func TestEve(t *testing.T) {
	for _, tt := range []struct{ day, eve string }{
		{"2024-09-30", ""}, {"2024-10-01", "2024-09-30"}, {"2024-10-07", "2024-09-30"}, {"2024-10-08", "2024-09-30"}, {"2024-10-09", ""},
		{"2024-10-13", ""}, // the Sunday after a make-up Saturday: one day off
		{"2025-01-27", ""}, {"2025-01-28", "2025-01-27"}, {"2025-02-05", "2025-01-27"}, {"2025-01-25", ""},
		{"2024-01-01", "2023-12-29"}, {"2023-12-31", "2023-12-29"}, {"2024-01-02", "2023-12-29"}, {"2025-01-01", ""}, {"2024-06-30", ""},
	} {
		eve, ok := ladder.Eve(date(tt.day), 3, national)
		if ok != (tt.eve != "") || ok && eve != date(tt.eve) {
			t.Errorf("Eve(%s) = %s, %t, want %q", tt.day, eve, ok, tt.eve)
		}
	}
	if eve, ok := ladder.Eve(date("2024-10-01"), 8, national); ok {
		t.Errorf("seven days off count as a break of eight, from %s", eve)
	}
}

func TestCheckDay(t *testing.T) {
	tests := []struct {
		name string
		s    ladder.Subject
		want string
	}{
		{"the workday after the date", subject(task.Milestone, "2024-06-30"), "2024-07-01"},
		{"after 国庆", subject(task.Milestone, "2024-09-30"), "2024-10-08"},
		{"a make-up Sunday", subject(task.Monthly, "2025-01-25"), "2025-01-26"},
		{"a clock is urged at once: on its day", subject(task.Clock, "2024-09-30"), "2024-09-30"},
		{"ambiguous: after the later reading", subject(task.Yearly, "2024-09-30", assessed("2024-10-31")), "2024-11-01"},
		{"progress only", subject(task.Milestone, "2024-06-30", progressOnly), ""},
		{"support", subject(task.Milestone, "2024-06-30", owes(task.OwesSupport)), ""},
		{"manual", subject(task.Milestone, "2024-06-30", chase(task.ChaseManual)), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			day, ok := ladder.Default().CheckDay(tt.s, national)
			if ok != (tt.want != "") || ok && day != date(tt.want) {
				t.Errorf("got %s, %t, want %q", day, ok, tt.want)
			}
		})
	}
}

// TestFormsWaitForMisses: a report that recurs every week or month is followed by a form only after several misses.
func TestFormsWaitForMisses(t *testing.T) {
	for kind, rules := range ladder.Default() {
		forms := 0
		for _, r := range rules {
			if r.Rung == ladder.Form {
				forms++
				if recurs := kind == task.Weekly || kind == task.Monthly; r.OnlyMisses != recurs {
					t.Errorf("%s: a form after several misses only is %t, want %t", kind, r.OnlyMisses, recurs)
				}
			}
		}
		want := 1
		if kind == task.Clock || kind == task.Quota {
			want = 0
		}
		if forms != want {
			t.Errorf("%s has %d forms, want %d", kind, forms, want)
		}
	}
}
