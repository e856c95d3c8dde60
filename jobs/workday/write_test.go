package workday

import (
	"bytes"
	"fmt"
	"testing"

	"duban/jobs/civil"
)

// with lays an override, given as JSON, over the national calendar.
func with(t testing.TB, text string) *Calendar {
	t.Helper()
	o, err := ParseOverride([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := National().With(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sameCalendar compares two calendars day by day over the years an override may name, and notice by notice.
func sameCalendar(t testing.TB, a, b *Calendar) {
	t.Helper()
	if a.Hash() != b.Hash() {
		t.Errorf("hash %s became %s", a.Hash(), b.Hash())
	}
	for d := civil.Of(minOverrideYear, 1, 1); d.Year() <= maxOverrideYear; d++ {
		if a.Day(d) != b.Day(d) {
			t.Fatalf("%+v became %+v", a.Day(d), b.Day(d))
		}
	}
	for y := minOverrideYear; y <= maxOverrideYear; y++ {
		n, s, ok := a.Notice(y)
		if gn, gs, gok := b.Notice(y); gn != n || gs != s || gok != ok {
			t.Errorf("notice of %d: %q %q %t became %q %q %t", y, n, s, ok, gn, gs, gok)
		}
	}
}

func TestACalendarIsWrittenAndReadAgain(t *testing.T) {
	xj, err := National().With(xinjiang(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Calendar{
		"nothing known": new(Calendar), "national": National(), "Xinjiang": xj,
		"a day of its own inside a holiday": with(t, `{"years":[{"year":2024,"days":[{"date":"2024-10-03","off":false},{"date":"2024-10-04","name":"国庆节","off":true,"local":true}]}]}`),
		"off over a year's end":             with(t, `{"years":[{"year":2030,"days":[{"date":"2030-12-30","to":"2030-12-31","name":"元旦","off":true}]},{"year":2031,"days":[{"date":"2031-01-01","name":"元旦","off":true}]}]}`),
		"published, no day":                 with(t, `{"years":[{"year":2027,"published":true,"notice":"国办发明电〔2026〕1号","source":"https://www.gov.cn/a?b=c&d=<e>","days":[]}]}`),
		"a name in quotes":                  with(t, `{"years":[{"year":2100,"days":[{"date":"2100-12-31","name":"\"<>&\u2028","off":true}]}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			text, err := c.JSON()
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(text)
			if err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			sameCalendar(t, c, got)
			if again, err := got.JSON(); err != nil || !bytes.Equal(text, again) {
				t.Errorf("%v; written again it is\n%s\nnot\n%s", err, again, text)
			}
		})
	}
}

func TestDaysOfOneKindAreOneSpan(t *testing.T) {
	for _, y := range National().Override().Years {
		if y.Notice == "" || !y.Published || len(y.Days) < 7 {
			t.Errorf("%+v", y)
		}
		for _, s := range y.Days {
			if s.Date == "2024-10-01" && s.To != "2024-10-07" {
				t.Errorf("the National Day's rest is %s", s)
			}
		}
	}
}

func TestParseRefusesWhatAnOverrideIsRefusedFor(t *testing.T) {
	for _, text := range []string{"", "{}", `{"years":[{"year":1999,"days":[]}]}`, `{"years":[]} {}`} {
		if c, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was read: %s", text, c.Hash())
		}
	}
}

func TestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		days []string
		year []int
	}{
		"nothing":           {`{"years":[]}`, nil, nil},
		"the same again":    {`{"years":[{"year":2024,"days":[{"date":"2024-10-01","name":"国庆节","off":true}]}]}`, nil, nil},
		"a day off":         {`{"years":[{"year":2024,"days":[{"date":"2024-09-20","name":"肉孜节","off":true,"local":true}]}]}`, []string{"2024-09-20 true false"}, nil},
		"worked after all":  {`{"years":[{"year":2024,"days":[{"date":"2024-10-07","name":"国庆节","off":false}]}]}`, []string{"2024-10-07 false true"}, nil},
		"another name":      {`{"years":[{"year":2024,"days":[{"date":"2024-10-07","name":"重阳节","off":true}]}]}`, []string{"2024-10-07 false false"}, nil},
		"a year without it": {`{"years":[{"year":2027,"published":true,"days":[{"date":"2027-01-01","name":"元旦","off":true}]}]}`, []string{"2027-01-01 true false"}, []int{2027}},
	} {
		t.Run(name, func(t *testing.T) {
			after := with(t, c.text)
			days, years := Changes(National(), after)
			var got []string
			for _, d := range days {
				got = append(got, fmt.Sprintf("%s %t %t", d.After.Date, d.Before.Workday, d.After.Workday))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.days) || fmt.Sprint(years) != fmt.Sprint(c.year) {
				t.Errorf("%v %v, want %v %v", got, years, c.days, c.year)
			}
			if back, more := Changes(after, National()); len(back) != len(days) || len(more) != len(years) {
				t.Errorf("the other way round: %v %v", back, more)
			}
		})
	}
	if days, years := Changes(new(Calendar), National()); len(days) < 100 || len(years) != 5 {
		t.Errorf("from nothing: %d days, years %v", len(days), years)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		nationalJSON, `{"years":[{"year":2024,"published":true,"days":[{"date":"2024-01-01","to":"2024-01-02","name":"元旦","off":true},{"date":"2024-01-03","off":false,"local":true}]}]}`, `{"years":[]}`, "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		text, err := c.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(text)
		if err != nil || got.Hash() != c.Hash() {
			t.Fatalf("%v: %s was written as %s", err, data, text)
		}
	})
}
