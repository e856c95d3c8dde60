package workday

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
)

func day(s string) civil.Date { return civil.MustParse(s) }

func xinjiang(t *testing.T) Override {
	t.Helper()
	b, err := os.ReadFile("testdata/xinjiang_2025.json")
	if err != nil {
		t.Fatal(err)
	}
	o, err := ParseOverride(b)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// The published numbers of each year: working days, days off by the notice (weekends inside a holiday included), and
// every weekend day that is worked instead.
var published = []struct {
	year, workdays, holidays int
	notice                   string
	makeUp                   []string
}{
	{2022, 249, 32, "国办发明电〔2021〕11号", []string{"01-29", "01-30", "04-02", "04-24", "05-07", "10-08", "10-09"}},
	{2023, 249, 26, "国办发明电〔2022〕16号", []string{"01-28", "01-29", "04-23", "05-06", "06-25", "10-07", "10-08"}},
	{2024, 251, 28, "国办发明电〔2023〕7号", []string{"02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"}},
	{2025, 248, 28, "国办发明电〔2024〕12号", []string{"01-26", "02-08", "04-27", "09-28", "10-11"}},
	{2026, 248, 33, "国办发明电〔2025〕7号", []string{"01-04", "02-14", "02-28", "05-09", "09-20", "10-10"}},
}

func TestEveryPublishedYearDayByDay(t *testing.T) {
	c := National()
	for _, y := range published {
		workdays, holidays, makeUp := 0, 0, []string(nil)
		for d := civil.Of(y.year, 1, 1); d.Year() == y.year; d++ {
			got := c.Day(d)
			if got.Workday != c.IsWorkday(d) || !got.Published || got.Date != d {
				t.Fatalf("%s: %+v", d, got)
			}
			onWeekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
			if (got.Reason == MakeUp) != (got.Workday && onWeekend) || (got.Reason == Weekday) != (got.Workday && !onWeekend) ||
				(got.Reason == Weekend || got.Reason == Statutory) == got.Workday || (got.Name == "") != (got.Reason == Weekday || got.Reason == Weekend) {
				t.Errorf("%s: %+v", d, got)
			}
			if got.Workday {
				workdays++
			}
			if got.Reason == Statutory {
				holidays++
			}
			if got.Reason == MakeUp {
				makeUp = append(makeUp, d.String()[5:])
			}
		}
		if workdays != y.workdays || holidays != y.holidays || !slices.Equal(makeUp, y.makeUp) {
			t.Errorf("%d: %d workdays, %d holidays, make-up %v; want %d, %d, %v", y.year, workdays, holidays, makeUp, y.workdays, y.holidays, y.makeUp)
		}
		if got := c.Count(civil.Of(y.year-1, 12, 31), civil.Of(y.year, 12, 31)); got != y.workdays {
			t.Errorf("%d: Count says %d", y.year, got)
		}
		notice, source, ok := c.Notice(y.year)
		if !ok || notice != y.notice || !strings.Contains(source, "://www.gov.cn/zhengce/content/") {
			t.Errorf("%d: notice %q %q %v", y.year, notice, source, ok)
		}
	}
}

func TestDay(t *testing.T) {
	c := National()
	local, err := c.With(xinjiang(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		c    *Calendar
		want Day
	}{
		{c, Day{day("2024-02-04"), true, MakeUp, true, "春节"}},
		{c, Day{day("2024-10-01"), false, Statutory, true, "国庆节"}},
		{c, Day{day("2024-10-05"), false, Statutory, true, "国庆节"}},
		{c, Day{day("2024-02-09"), true, Weekday, true, ""}}, // New Year's Eve was left to employers that year
		{c, Day{day("2024-06-30"), false, Weekend, true, ""}},
		{c, Day{day("2022-12-31"), false, Statutory, true, "元旦"}},
		{c, Day{day("2026-12-31"), true, Weekday, true, ""}},
		{c, Day{day("2027-01-01"), true, Weekday, false, ""}}, // assumed: the notice is not out
		{c, Day{day("2027-01-02"), false, Weekend, false, ""}},
		{c, Day{day("2021-12-31"), true, Weekday, false, ""}},
		{c, Day{}},
		{c, Day{day("2025-03-31"), true, Weekday, true, ""}},
		{local, Day{day("2025-03-31"), false, LocalOff, true, "肉孜节"}},
		{local, Day{day("2025-06-08"), false, Weekend, true, ""}},
		{local, Day{day("2025-06-10"), false, LocalOff, true, "古尔邦节"}},
		{local, Day{day("2025-06-11"), true, Weekday, true, ""}},
	} {
		if got := k.c.Day(k.want.Date); got != k.want {
			t.Errorf("got %+v, want %+v", got, k.want)
		}
	}
}

func TestDayJSON(t *testing.T) {
	for d, want := range map[string]string{
		"2024-02-04": `{"date":"2024-02-04","workday":true,"reason":"make-up workday","published":true,"name":"春节"}`,
		"2027-01-01": `{"date":"2027-01-01","workday":true,"reason":"weekday","published":false}`,
	} {
		if b, err := json.Marshal(National().Day(day(d))); err != nil || string(b) != want {
			t.Errorf("%s %v, want %s", b, err, want)
		}
	}
}

func TestT(t *testing.T) {
	c := National()
	for _, k := range []struct {
		effective string
		k         int
		want      string
	}{
		{"2024-06-30", 0, "2024-06-28"},
		{"2024-06-30", -3, "2024-06-25"},
		{"2024-06-30", 1, "2024-07-01"},
		{"2024-06-30", 2, "2024-07-02"},
		{"2026-09-25", 0, "2026-09-24"},
		{"2026-09-25", 1, "2026-09-28"},
		{"2024-06-28", 0, "2024-06-28"},
		{"2024-06-28", 1, "2024-07-01"},
		{"2024-06-28", -1, "2024-06-27"},
		{"2024-09-14", 0, "2024-09-14"},   // a Saturday that is worked
		{"2024-09-30", -10, "2024-09-14"}, // across 中秋 and the make-up Sunday
		{"2024-09-30", 2, "2024-10-09"},
	} {
		if got := c.T(day(k.effective), k.k).String(); got != k.want {
			t.Errorf("T%+d of %s = %s, want %s", k.k, k.effective, got, k.want)
		}
	}
}

func TestAddAndCount(t *testing.T) {
	c := National()
	for _, k := range []struct {
		from  string
		n     int
		want  string
		count int // workdays in (from, want]
	}{
		{"2024-09-30", 1, "2024-10-08", 1},
		{"2024-09-30", 7, "2024-10-15", 7}, // 8–12 October are five workdays, the 12th a Saturday
		{"2024-09-28", 0, "2024-09-28", 0},
		{"2024-09-28", 1, "2024-09-29", 1}, // a make-up Sunday
		{"2024-10-08", -1, "2024-09-30", -1},
		{"2024-10-05", -1, "2024-09-30", 0}, // from a day off, the day before is the first one back
		{"2026-12-31", 1, "2027-01-01", 1},
		{"2019-12-31", 262, "2020-12-31", 262}, // no notice: every weekday
		{"2036-01-01", 1, "2036-01-02", 1},
	} {
		got := c.Add(day(k.from), k.n)
		if got.String() != k.want {
			t.Errorf("%s + %d = %s, want %s", k.from, k.n, got, k.want)
		}
		if n := c.Count(day(k.from), day(k.want)); n != k.count {
			t.Errorf("Count(%s, %s) = %d, want %d", k.from, k.want, n, k.count)
		}
	}
}

func TestEdges(t *testing.T) {
	c := National()
	for _, c := range []*Calendar{c, new(Calendar)} {
		for _, d := range []civil.Date{c.Add(0, 5), c.Add(0, -5), c.OnOrBefore(0), c.OnOrAfter(0), c.T(0, 3), c.T(0, -3), c.WeekStart(0)} {
			if !d.IsZero() {
				t.Errorf("no date became %s", d)
			}
		}
		if c.IsWorkday(0) || c.Published(0) || c.Provisional(0, day("2030-01-01")) || c.Count(0, 5) != 0 || c.Count(5, 0) != 0 {
			t.Error("the zero date is a day")
		}
		if !c.IsWorkday(1) || c.OnOrBefore(1) != 1 {
			t.Error("0001-01-01 is a Monday")
		}
		const huge = int(^uint(0) >> 1)
		if got := c.Add(day("2024-01-01"), huge); got != civil.Never {
			t.Errorf("a huge n gives %s", got)
		}
		if got := c.Add(day("2024-01-01"), -huge-1); got != 1 {
			t.Errorf("a huge negative n gives %s", got)
		}
	}
	if n := new(Calendar).Count(day("2024-01-01"), day("2024-12-31")); n != 261 {
		t.Errorf("the zero calendar counts %d", n)
	}
}

func TestProvisional(t *testing.T) {
	for _, k := range []struct {
		from, to string
		want     bool
	}{
		{"2024-01-01", "2026-12-31", false}, {"2026-12-31", "2027-01-01", true}, {"2027-01-01", "2026-12-31", true},
		{"2021-12-31", "2022-01-01", true}, {"2022-01-01", "2022-01-01", false}, {"2030-05-01", "2030-05-01", true},
	} {
		if got := National().Provisional(day(k.from), day(k.to)); got != k.want {
			t.Errorf("%s to %s: %v", k.from, k.to, got)
		}
	}
}

func TestWeekStart(t *testing.T) {
	c := National()
	for d, want := range map[string]string{
		"2024-06-26": "2024-06-24", "2024-06-24": "2024-06-24", "2024-06-30": "2024-06-24",
		"2024-06-12": "2024-06-11", // Monday was 端午
		"2024-10-03": "2024-09-30", "2024-10-13": "2024-10-08",
		"2024-02-14": "2024-02-18", // only the make-up Sunday is worked
		"2025-02-04": "2025-02-05",
		"2026-02-17": "", // 15–23 February are off, a whole week
	} {
		if k := c.WeekStart(day(d)); k.String() != want {
			t.Errorf("WeekStart(%s) = %q, want %q", d, k, want)
		}
	}
}

func TestLocalHolidaysMoveDates(t *testing.T) {
	national := National()
	local, err := national.With(xinjiang(t))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := national.Add(day("2025-06-05"), 1), local.Add(day("2025-06-05"), 1); a != day("2025-06-06") || b != day("2025-06-11") {
		t.Errorf("5 June + 1: national %s, Xinjiang %s", a, b)
	}
	year := func(c *Calendar) int { return c.Count(day("2024-12-31"), day("2025-12-31")) }
	if year(national) != 248 || year(local) != 244 {
		t.Errorf("workdays of 2025: national %d, Xinjiang %d", year(national), year(local))
	}
	if !local.Published(day("2025-01-01")) || local.Published(day("2027-01-01")) {
		t.Error("local holidays changed what is published")
	}
}

func TestOverrideExtendsAndCorrects(t *testing.T) {
	o, err := ParseOverride([]byte("\xef\xbb\xbf" + `{"years":[
		{"year":2027,"published":true,"notice":"文","source":"u","days":[{"date":"2027-01-01","to":"2027-01-03","name":"元旦","off":true},{"date":"2027-01-09","name":"元旦","off":false}]},
		{"year":2024,"days":[{"date":"2024-02-09","name":"春节","off":true},{"date":"2024-02-18","off":true},{"date":"2024-02-12","off":false}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	before := National()
	c, err := before.With(o)
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[string]Day{
		"2027-01-01": {Reason: Statutory, Published: true, Name: "元旦"},
		"2027-01-09": {Workday: true, Reason: MakeUp, Published: true, Name: "元旦"},
		"2024-02-09": {Reason: Statutory, Published: true, Name: "春节"},
		"2024-02-18": {Reason: Statutory, Published: true},
		"2024-02-12": {Workday: true, Reason: Weekday, Published: true},
		"2024-02-13": {Reason: Statutory, Published: true, Name: "春节"},
	} {
		want.Date = day(d)
		if got := c.Day(day(d)); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if n, _, ok := c.Notice(2027); n != "文" || !ok {
		t.Errorf("notice of 2027 %q", n)
	}
	if n, _, ok := c.Notice(2024); n != "国办发明电〔2023〕7号" || !ok {
		t.Errorf("notice of 2024 %q", n)
	}
	if before.Published(day("2027-01-01")) || !before.IsWorkday(day("2024-02-09")) || before.Hash() != National().Hash() {
		t.Error("With changed the calendar it was called on")
	}
	if c.Hash() == before.Hash() || len(c.Hash()) != 16 {
		t.Errorf("hash %s", c.Hash())
	}
}

func TestAStretchOfYearsOffEnds(t *testing.T) {
	off := true
	var o Override
	for y := 2030; y <= 2060; y++ {
		o.Years = append(o.Years, Year{Year: y, Days: []Span{{Date: civil.Of(y, 1, 1).String(), To: civil.Of(y, 12, 31).String(), Off: &off}}})
	}
	c, err := National().With(o)
	if err != nil {
		t.Fatal(err)
	}
	mid := day("2045-06-15")
	if a, b, n := c.OnOrBefore(mid), c.OnOrAfter(mid), c.Add(mid, 2); a != day("2029-12-31") || b != day("2061-01-03") || n != day("2061-01-04") || c.WeekStart(mid) != 0 {
		t.Errorf("%s %s %s", a, b, n)
	}
}

// TestNoJSONIsSaidWithItsLine: the character is the one in the file, and not its first byte as if it were Latin-1.
func TestNoJSONIsSaidWithItsLine(t *testing.T) {
	for in, want := range map[string]string{
		"节假日":                      "line 1: unexpected '节' looking for beginning of value",
		"\xef\xbb\xbf\n节假日":        "line 2: unexpected '节' looking for beginning of value",
		"{\"years\":[\n ,]}":       "line 2: unexpected ',' looking for beginning of value",
		"{\"years\":[] 'x'}":       "line 1: unexpected '\\'' after object key:value pair",
		"{\"years\":\n tru\x80":    "line 2: a byte that is no UTF-8: save the file as UTF-8",
		"":                         "line 1: the file is empty",
		"{\n\"years\":[\n":         "line 3: it ends before its closing brace",
		"{\n\"years\": \"2027\"}":  "line 2: years: no place for a JSON string",
		"[]":                       "line 1: no place for a JSON array",
		"{\"years\":[],\n\"y\":1}": `line 2: unknown field "y"`,
	} {
		_, err := ParseOverride([]byte(in))
		if !errors.Is(err, ErrSyntax) || !strings.HasSuffix(err.Error(), ": "+want) || !strings.Contains(err.Error(), "not the JSON of a calendar") {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

func TestOverrideRefusals(t *testing.T) {
	one := func(year, days string) string { return `{"years":[{"year":` + year + `,"days":[` + days + `]}]}` }
	for name, k := range map[string]struct {
		in   string
		want error
	}{
		"empty":          {"", ErrSyntax},
		"not json":       {"years:\n- 2027", ErrSyntax},
		"no years":       {`{}`, ErrSyntax},
		"null":           {`null`, ErrSyntax},
		"unknown key":    {`{"years":[],"yeers":[]}`, ErrSyntax},
		"two values":     {`{"years":[]}{}`, ErrSyntax},
		"off as text":    {one("2027", `{"date":"2027-01-01","off":"yes"}`), ErrSyntax},
		"year too early": {one("1999", ``), ErrYear},
		"year missing":   {`{"years":[{"days":[]}]}`, ErrYear},
		"year twice":     {`{"years":[{"year":2027,"days":[]},{"year":2027,"days":[]}]}`, ErrDuplicateYear},
		"no such day":    {one("2027", `{"date":"2027-02-29","off":true}`), ErrDate},
		"no date":        {one("2027", `{"off":true}`), ErrDate},
		"bad to":         {one("2027", `{"date":"2027-01-01","to":"2027-1-3","off":true}`), ErrDate},
		"backwards":      {one("2027", `{"date":"2027-01-03","to":"2027-01-01","off":true}`), ErrSpan},
		"other year":     {one("2027", `{"date":"2026-12-31","off":true}`), ErrOutsideYear},
		"into next year": {one("2027", `{"date":"2027-12-31","to":"2028-01-01","off":true}`), ErrOutsideYear},
		"day twice":      {one("2027", `{"date":"2027-01-01","to":"2027-01-03","off":true},{"date":"2027-01-02","off":false}`), ErrDuplicateDay},
		"no state":       {one("2027", `{"date":"2027-01-01","name":"元旦"}`), ErrNoState},
	} {
		if _, err := ParseOverride([]byte(k.in)); !errors.Is(err, k.want) {
			t.Errorf("%s: error %v, want %v", name, err, k.want)
		}
	}
	if _, err := ParseOverride([]byte(one("2027", `{"date":"2027-01-01","off":true},{"date":"2027-02-30","off":true}`))); err == nil ||
		!strings.Contains(err.Error(), "year 2027: day 2") || !strings.Contains(err.Error(), "2027-02-30") {
		t.Errorf("the error does not say where: %v", err)
	}
	if _, err := National().With(Override{Years: []Year{{Year: 2027, Days: []Span{{Date: "2027-01-01"}}}}}); !errors.Is(err, ErrNoState) {
		t.Errorf("With took an override that ParseOverride refuses: %v", err)
	}
}

func BenchmarkAdd(b *testing.B) {
	c, d := National(), day("2024-06-30")
	for b.Loop() {
		c.Add(d, 10)
	}
}

func BenchmarkNational(b *testing.B) {
	for b.Loop() {
		National()
	}
}
