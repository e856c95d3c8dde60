package period

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/deadline"
)

var kinds = []deadline.Every{deadline.Week, deadline.Month, deadline.Quarter, deadline.Half, deadline.Year}

func day(s string) civil.Date { return civil.MustParse(s) }

func TestOfBoundsAndChinese(t *testing.T) {
	for _, c := range []struct {
		every                         deadline.Every
		date                          string
		key                           Key
		start, end, next, prev, words string
	}{
		{deadline.Month, "2024-06-30", "2024-06", "2024-06-01", "2024-06-30", "2024-07", "2024-05", "2024年6月"},
		{deadline.Month, "2024-02-01", "2024-02", "2024-02-01", "2024-02-29", "2024-03", "2024-01", "2024年2月"},
		{deadline.Month, "2023-12-31", "2023-12", "2023-12-01", "2023-12-31", "2024-01", "2023-11", "2023年12月"},
		{deadline.Quarter, "2024-06-30", "2024Q2", "2024-04-01", "2024-06-30", "2024Q3", "2024Q1", "2024年第二季度"},
		{deadline.Quarter, "2024-12-31", "2024Q4", "2024-10-01", "2024-12-31", "2025Q1", "2024Q3", "2024年第四季度"},
		{deadline.Half, "2024-06-30", "2024H1", "2024-01-01", "2024-06-30", "2024H2", "2023H2", "2024年上半年"},
		{deadline.Half, "2024-07-01", "2024H2", "2024-07-01", "2024-12-31", "2025H1", "2024H1", "2024年下半年"},
		{deadline.Year, "2024-06-30", "2024", "2024-01-01", "2024-12-31", "2025", "2023", "2024年"},
		{deadline.Week, "2024-06-30", "2024-W26", "2024-06-24", "2024-06-30", "2024-W27", "2024-W25", "2024年第26周"},
		{deadline.Week, "2024-12-30", "2025-W01", "2024-12-30", "2025-01-05", "2025-W02", "2024-W52", "2025年第1周"},
		{deadline.Week, "2021-01-03", "2020-W53", "2020-12-28", "2021-01-03", "2021-W01", "2020-W52", "2020年第53周"},
		{deadline.Year, "2999-12-31", "2999", "2999-01-01", "2999-12-31", "", "2998", "2999年"},
		{deadline.Month, "1900-01-01", "1900-01", "1900-01-01", "1900-01-31", "1900-02", "", "1900年1月"},
	} {
		k := Of(c.every, day(c.date))
		start, end, err := k.Bounds()
		if k != c.key || err != nil || start.String() != c.start || end.String() != c.end {
			t.Errorf("%s %s: %q from %s to %s, %v", c.every, c.date, k, start, end, err)
		}
		if string(k.Next()) != c.next || string(k.Prev()) != c.prev || k.Chinese() != c.words || k.Every() != c.every {
			t.Errorf("%s: next %q prev %q words %q every %q", k, k.Next(), k.Prev(), k.Chinese(), k.Every())
		}
		if !k.Contains(start) || !k.Contains(end) || k.Contains(start-1) || k.Contains(end+1) {
			t.Errorf("%s: Contains", k)
		}
	}
}

func TestOfWithoutAPeriod(t *testing.T) {
	for _, k := range []Key{Of(deadline.Month, 0), Of("fortnight", day("2024-06-30")), Of("", day("2024-06-30")), Of(deadline.Year, civil.Never), Of(deadline.Week, 1), Key("x").Next(), Key("").Prev()} {
		if k != "" {
			t.Errorf("got %q", k)
		}
	}
	if k := Key("2024-13"); k.Every() != "" || k.Chinese() != "2024-13" || k.Contains(day("2024-12-31")) {
		t.Error("a key that is none answers as one")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "24", "2024-6", "2024-00", "2024-13", "2024-006", "2024Q0", "2024Q5", "2024Q", "2024q2", "2024Q02", "2024H3", "2024H0", "2024-W00", "2024-W53",
		"2023-W53", "2024-W1", "2024W26", "2024-W", "2024-", "20240", "2024-06-01", "2024-06/10", " 2024", "2024 ", "+202", "-024", "1899", "3000", "0024-06",
		"２０２４", "2024年", "2024-+6", "2024-W+1", "2024Q+", "2024-06\n",
	} {
		if k, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %q, want an error", s, k)
		}
		if _, _, err := Key(s).Bounds(); err == nil {
			t.Errorf("%q has bounds", s)
		}
	}
	for _, s := range []string{"2024-06", "2024Q2", "2024H1", "2024", "2024-W26", "2020-W53"} {
		if k, err := Parse(s); err != nil || string(k) != s {
			t.Errorf("Parse(%q) = %q, %v", s, k, err)
		}
	}
}

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		every    deadline.Every
		from, to string
		want     []Key
	}{
		{deadline.Month, "2024-01-31", "2024-03-01", []Key{"2024-01", "2024-02", "2024-03"}},
		{deadline.Quarter, "2023-12-31", "2024-01-01", []Key{"2023Q4", "2024Q1"}},
		{deadline.Week, "2024-12-29", "2025-01-06", []Key{"2024-W52", "2025-W01", "2025-W02"}},
		{deadline.Year, "2024-05-05", "2024-05-05", []Key{"2024"}},
		{deadline.Half, "2024-05-05", "2025-01-01", []Key{"2024H1", "2024H2", "2025H1"}},
		{deadline.Month, "2024-03-02", "2024-03-01", nil}, // backwards inside one month
		{deadline.Month, "2024-03-01", "2024-02-01", nil},
		{deadline.Month, "", "2024-02-01", nil},
		{deadline.Month, "2024-03-01", "", nil},
		{"", "2024-03-01", "2024-04-01", nil},
		{deadline.Year, "2998-03-01", "9999-12-31", []Key{"2998", "2999"}},
	} {
		if got := slices.Collect(Between(c.every, day(c.from), day(c.to))); !slices.Equal(got, c.want) {
			t.Errorf("%s from %s to %s: %v, want %v", c.every, c.from, c.to, got, c.want)
		}
	}
	for k := range Between(deadline.Month, day("2024-01-01"), day("2024-12-31")) {
		if k == "2024-02" {
			break // stopping early must not call the loop again
		}
	}
}

func TestWholeMonths(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     int
	}{
		{"2024-01-01", "2024-09-30", 9}, {"2024-01-01", "2024-09-29", 8}, {"2024-01-01", "2024-12-31", 12}, {"2024-01-01", "2024-01-30", 0},
		{"2024-01-01", "2024-02-28", 1}, {"2024-01-01", "2024-02-29", 2}, {"2024-03-01", "2024-03-30", 0}, {"2024-03-01", "2024-03-31", 1},
		{"2024-03-20", "2024-04-18", 0}, {"2024-03-20", "2024-04-19", 1}, {"2024-03-20", "2024-06-30", 3}, {"2024-03-20", "2024-12-31", 9},
		{"2024-01-31", "2024-02-28", 0}, {"2024-01-31", "2024-02-29", 1}, {"2024-01-31", "2024-03-29", 1}, {"2024-01-31", "2024-03-30", 2},
		{"2023-01-29", "2023-02-28", 1}, {"2023-01-29", "2023-02-27", 0}, {"2024-01-29", "2024-02-28", 1}, {"2024-01-30", "2024-02-28", 0},
		{"2024-12-15", "2024-12-31", 0}, {"2024-05-05", "2024-05-05", 0}, {"2024-05-05", "2024-05-04", 0}, {"", "2024-05-04", 0}, {"2024-05-05", "", 0},
		{"2022-07-01", "2025-06-30", 36},
	} {
		if got := WholeMonths(day(c.from), day(c.to)); got != c.want {
			t.Errorf("from %s to %s: %d whole months, want %d", c.from, c.to, got, c.want)
		}
	}
}

func anyDate(t *rapid.T, label string) civil.Date {
	return civil.Date(rapid.Int32Range(int32(day("1901-01-10")), int32(day("2998-12-20"))).Draw(t, label))
}

func TestKeysTileTheCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every, d := rapid.SampledFrom(kinds).Draw(t, "every"), anyDate(t, "d")
		k := Of(every, d)
		start, end, err := k.Bounds()
		if err != nil || !k.Contains(d) || Of(every, start) != k || Of(every, end) != k {
			t.Fatalf("%s %s: %q from %s to %s, %v", every, d, k, start, end, err)
		}
		if k.Next().Prev() != k || k.Prev().Next() != k || k.Every() != every {
			t.Fatalf("%q: next %q, prev %q", k, k.Next(), k.Prev())
		}
		if next, _, err := k.Next().Bounds(); err != nil || next != end+1 {
			t.Fatalf("%q ends on %s, the next begins on %s (%v)", k, end, next, err)
		}
		if p, err := Parse(string(k)); err != nil || p != k {
			t.Fatalf("Parse(%q) = %q, %v", k, p, err)
		}
	})
}

func TestWholeMonthsIsTheLargestThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := anyDate(t, "from")
		to := from + civil.Date(rapid.IntRange(0, 2000).Draw(t, "days"))
		n := WholeMonths(from, to)
		if (n > 0 && monthsEnd(from, n) > to) || monthsEnd(from, n+1) <= to {
			t.Fatalf("from %s to %s: %d", from, to, n)
		}
		if WholeMonths(from, to+1) < n || WholeMonths(from+1, to) > n {
			t.Fatalf("a longer span from %s to %s has fewer months", from, to)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2024-06", "2024Q2", "2024H1", "2024", "2024-W26", "2024-W53", "2024-06/10", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := Parse(s)
		if err != nil {
			return
		}
		start, end, err := k.Bounds()
		if err != nil || start > end || Of(k.Every(), start) != k || Of(k.Every(), end) != k || k.Chinese() == s {
			t.Fatalf("%q: %s to %s, %v", s, start, end, err)
		}
	})
}
