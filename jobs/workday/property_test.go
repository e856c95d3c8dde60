package workday

import (
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
)

// anyCalendar is the national calendar under a random override, on any year it may touch.
func anyCalendar(t *rapid.T) *Calendar {
	var o Override
	years := rapid.SliceOfNDistinct(rapid.IntRange(minOverrideYear, maxOverrideYear), 0, 4, rapid.ID[int]).Draw(t, "years")
	for _, y := range years {
		first := civil.Of(y, 1, 1)
		offsets := rapid.SliceOfNDistinct(rapid.IntRange(0, 364), 0, 60, rapid.ID[int]).Draw(t, "offsets")
		year := Year{Year: y, Published: rapid.Bool().Draw(t, "published")}
		for _, n := range offsets {
			off := rapid.Bool().Draw(t, "off")
			year.Days = append(year.Days, Span{Date: (first + civil.Date(n)).String(), Off: &off})
		}
		o.Years = append(o.Years, year)
	}
	c, err := National().With(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func anyDate(t *rapid.T, label string) civil.Date {
	return civil.Date(rapid.Int32Range(int32(civil.Of(1985, 1, 1)), int32(civil.Of(2115, 12, 31))).Draw(t, label))
}

func TestSearchesAgreeWithWalking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := anyCalendar(t), anyDate(t, "d")
		n := rapid.IntRange(-60, 60).Draw(t, "n")
		want, step := d, civil.Date(1)
		if n < 0 {
			step = -1
		}
		for left := n; left != 0; {
			want += step
			if c.Day(want).Workday {
				left -= int(step)
			}
		}
		if got := c.Add(d, n); got != want {
			t.Fatalf("%s + %d = %s, walking gives %s", d, n, got, want)
		}
		for want = d; !c.IsWorkday(want); want-- {
		}
		if got := c.OnOrBefore(d); got != want {
			t.Fatalf("OnOrBefore(%s) = %s, walking gives %s", d, got, want)
		}
		for want = d; !c.IsWorkday(want); want++ {
		}
		if got := c.OnOrAfter(d); got != want {
			t.Fatalf("OnOrAfter(%s) = %s, walking gives %s", d, got, want)
		}
	})
}

func TestMarksDecideTheDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := anyCalendar(t), anyDate(t, "d")
		m, marked := c.marks[d]
		if want := (marked && !m.off) || (!marked && !weekend(d)); c.IsWorkday(d) != want {
			t.Fatalf("%s: %+v", d, c.Day(d))
		}
	})
}

func TestAddAndCountAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d, e := anyCalendar(t), anyDate(t, "d"), anyDate(t, "e")
		n := rapid.IntRange(-5000, 5000).Draw(t, "n")
		if n > 0 {
			if got := c.Count(d, c.Add(d, n)); got != n {
				t.Fatalf("Count(%s, %[1]s + %d) = %d", d, n, got)
			}
		}
		if w := c.OnOrAfter(d); c.Count(w, c.Add(w, n)) != n || c.Add(c.Add(w, n), -n) != w {
			t.Fatalf("from workday %s by %d: %s", w, n, c.Add(w, n))
		}
		if c.Count(d, e) != -c.Count(e, d) {
			t.Fatalf("Count(%s, %s) = %d, the other way %d", d, e, c.Count(d, e), c.Count(e, d))
		}
		if w := c.OnOrBefore(e); c.Count(d, e) > 0 && c.Add(d, c.Count(d, e)) != w {
			t.Fatalf("%s + Count is not the last workday up to %s", d, e)
		}
	})
}

func TestHashFollowsContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := anyCalendar(t), civil.Of(2024, 1, 1)+civil.Date(rapid.IntRange(0, 365).Draw(t, "n"))
		off := !c.marks[d].off
		changed, err := c.With(Override{Years: []Year{{Year: 2024, Days: []Span{{Date: d.String(), Off: &off}}}}})
		if err != nil {
			t.Fatal(err)
		}
		again, err := changed.With(Override{})
		if err != nil {
			t.Fatal(err)
		}
		if changed.Hash() == c.Hash() || changed.Hash() != again.Hash() {
			t.Fatalf("hashes %s %s %s", c.Hash(), changed.Hash(), again.Hash())
		}
	})
}

func FuzzParseOverride(f *testing.F) {
	f.Add([]byte(nationalJSON))
	f.Add([]byte(`{"region":"新疆维吾尔自治区","years":[{"year":2025,"days":[{"date":"2025-06-09","to":"2025-06-10","name":"古尔邦节","off":true,"local":true}]}]}`))
	f.Add([]byte(`{"years":[{"year":2027,"published":true,"days":[{"date":"2027-02-30","off":false}]}]}`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := ParseOverride(b)
		if err != nil {
			return
		}
		c, err := National().With(o)
		if err != nil {
			t.Fatalf("parsed but not applied: %v", err)
		}
		for _, y := range o.Years {
			for _, s := range y.Days {
				d := civil.MustParse(s.Date)
				if c.IsWorkday(d) == *s.Off || (y.Published && !c.Published(d)) {
					t.Fatalf("%s off %v: %+v", d, *s.Off, c.Day(d))
				}
				if !c.IsWorkday(c.Add(d, 1)) || c.OnOrBefore(d) > d {
					t.Fatalf("searches around %s", d)
				}
			}
		}
	})
}
