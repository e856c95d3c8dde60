package deadline

import (
	"fmt"
	"testing"

	"duban/jobs/civil"
)

func TestDueIn(t *testing.T) {
	for _, c := range []struct {
		every      Every
		dates      []string
		start, end string
		want       string
	}{
		{Month, []string{"25"}, "2024-06-01", "2024-06-30", "[2024-06-25]"},
		{Month, []string{"10", "25"}, "2024-06-11", "2024-07-25", "[2024-06-25 2024-07-10 2024-07-25]"},
		{Month, []string{"end"}, "2024-01-15", "2024-03-31", "[2024-01-31 2024-02-29 2024-03-31]"},
		{Month, []string{"30", "31"}, "2025-02-01", "2025-02-28", "[2025-02-28]"},
		{Quarter, []string{"end"}, "2024-01-01", "2024-12-31", "[2024-03-31 2024-06-30 2024-09-30 2024-12-31]"},
		{Quarter, []string{"01-10"}, "2024-04-01", "2024-06-30", "[2024-04-10]"},
		{Quarter, []string{"03-25"}, "2024-04-01", "2024-06-30", "[2024-06-25]"},
		{Quarter, []string{"02-31"}, "2024-01-01", "2024-06-30", "[2024-02-29 2024-05-31]"},
		{Half, []string{"end"}, "2024-01-01", "2024-12-31", "[2024-06-30 2024-12-31]"},
		{Half, []string{"01-15", "07-15"}, "2024-01-01", "2024-06-30", "[2024-01-15]"},
		{Half, []string{"01-15", "07-15"}, "2024-07-01", "2025-01-15", "[2024-07-15 2025-01-15]"},
		{Year, []string{"end"}, "2024-01-01", "2025-12-31", "[2024-12-31 2025-12-31]"},
		{Year, []string{"12-31", "01-31"}, "2024-01-01", "2024-12-31", "[2024-01-31 2024-12-31]"},
		{Year, []string{"02-29"}, "2023-01-01", "2024-12-31", "[2023-02-28 2024-02-29]"},
		{Week, []string{"Friday"}, "2024-06-03", "2024-06-14", "[2024-06-07 2024-06-14]"},
		{Week, []string{"Monday", "Friday"}, "2024-06-05", "2024-06-10", "[2024-06-07 2024-06-10]"},
		{Week, []string{"Sunday"}, "2024-06-03", "2024-06-09", "[2024-06-09]"},
		{Month, []string{"25"}, "2024-06-26", "2024-06-30", "[]"},
		{Month, []string{"0", "32", "x", ""}, "2024-06-01", "2024-06-30", "[]"},
		{Year, []string{"13-01", "00-00", "1-1"}, "2024-01-01", "2024-12-31", "[]"},
		{Quarter, []string{"04-10"}, "2024-01-01", "2024-12-31", "[]"},
		{Every("day"), []string{"end"}, "2024-01-01", "2024-12-31", "[]"},
		{Month, []string{"25"}, "2024-07-01", "2024-06-01", "[]"},
	} {
		got := Recurrence{Every: c.every, Dates: c.dates}.DueIn(civil.MustParse(c.start), civil.MustParse(c.end))
		if fmt.Sprint(got) != c.want {
			t.Errorf("every %s %v from %s to %s = %v, want %s", c.every, c.dates, c.start, c.end, got, c.want)
		}
	}
}

func TestFirstFromIsTheFirstOnOrAfter(t *testing.T) {
	for _, every := range []Recurrence{
		{Every: Month, Dates: []string{"31"}}, {Every: Quarter, Dates: []string{"01-10"}}, {Every: Half, Dates: []string{"end"}},
		{Every: Year, Dates: []string{"02-29"}}, {Every: Week, Dates: []string{"Wednesday"}},
	} {
		due := every.DueIn(civil.Of(2022, 1, 1), civil.Of(2030, 12, 31))
		i := 0
		for d := civil.Of(2022, 1, 1); d < civil.Of(2029, 12, 1); d++ {
			for due[i] < d {
				i++
			}
			if got := every.FirstFrom(d); got != due[i] {
				t.Fatalf("%v from %v = %v, want %v", every, d, got, due[i])
			}
		}
		if got := every.FirstFrom(0); got != 0 {
			t.Errorf("%v from no date = %v", every, got)
		}
	}
}

func TestLaterThan(t *testing.T) {
	r := Parse("每年10月前", issue)
	for due, want := range map[string]string{"2024-09-30": "2024-10-31", "2026-09-30": "2026-10-31"} {
		if got := r.LaterThan(civil.MustParse(due)); got.String() != want {
			t.Errorf("the other reading of %s is %v, want %s", due, got, want)
		}
	}
	if d := civil.MustParse("2024-09-25"); Parse("每月25日前", issue).LaterThan(d) != d {
		t.Error("a certain reading has another date")
	}
}

// TestABareRhythmBesideADateIsTheSameDuty: a date without an action belongs to the rhythm beside it, and only then.
func TestABareRhythmBesideADateIsTheSameDuty(t *testing.T) {
	for text, want := range map[string]string{
		"每月25日前，每月报送一次":        "[{month [25]}]",
		"每月报送一次，每月25日前":        "[{month [25]}]",
		"每季度首月10日前，每季度报送一次情况":  "[{quarter [01-10]}]",
		"每月5日前报送上月情况，每月开展一次":   "[{month [5]} {month [end]}]",
		"每月15日和每月底":            "[{month [15]} {month [end]}]",
		"每季度末月25日前，每半年报送一次":    "[{quarter [03-25]} {half [end]}]",
		"每年6月底前报送，全年不少于12次":    "[{year [06-30]} {year [end]}]",
		"每年6月底前开展自查，每年12月底前总结": "[{year [06-30]} {year [12-31]}]",
	} {
		type due struct {
			Every Every
			Dates []string
		}
		var got []due
		r := Parse(text, civil.MustParse("2024-07-08"))
		for _, rec := range r.Recurrences {
			got = append(got, due{rec.Every, rec.Dates})
		}
		if s := fmt.Sprint(got); s != want || !r.Understood || r.Recurrence == nil {
			t.Errorf("%s: %s, want %s", text, s, want)
		}
	}
}
