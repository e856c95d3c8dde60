package civil

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDateAgreesWithTime(t *testing.T) {
	for d := Of(1899, 12, 1); d < Of(2101, 1, 1); d++ {
		want := d.Time(time.UTC)
		if d.Weekday() != want.Weekday() || d.String() != want.Format(time.DateOnly) {
			t.Fatalf("%v: weekday %v, time says %v %v", d, d.Weekday(), want.Weekday(), want)
		}
		if got, err := Parse(d.String()); err != nil || got != d {
			t.Fatalf("Parse(%v) = %v, %v", d, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"2024-02-30", "2023-02-29", "2024-13-01", "2024-1-1", "2024/01/01", " 2024-01-01", "2024-01-01T00:00:00Z", "0000-01-01", "明天"} {
		if d, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, d)
		}
	}
}

func TestAddMonthsKeepsTheDayOrTakesTheMonthsLast(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2024-01-31", 1, "2024-02-29"}, {"2023-01-31", 1, "2023-02-28"}, {"2024-03-15", 6, "2024-09-15"},
		{"2024-08-31", 6, "2025-02-28"}, {"2024-01-31", -2, "2023-11-30"}, {"2024-12-31", 12, "2025-12-31"},
	} {
		if got := MustParse(c.from).AddMonths(c.n).String(); got != c.want {
			t.Errorf("%s + %d months = %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

func TestInUsesTheZone(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	at := time.Date(2024, 9, 30, 16, 30, 0, 0, time.UTC)
	if got := In(at, shanghai); got != MustParse("2024-10-01") {
		t.Errorf("00:30 in Shanghai is %v", got)
	}
}

func TestZeroDateIsEmptyInJSON(t *testing.T) {
	b, err := json.Marshal(struct{ D Date }{})
	if err != nil || string(b) != `{"D":""}` {
		t.Fatalf("%s %v", b, err)
	}
	var v struct{ D Date }
	if err := json.Unmarshal([]byte(`{"D":"2024-02-29"}`), &v); err != nil || v.D.Chinese() != "2024年2月29日" {
		t.Fatalf("%v %v", v.D.Chinese(), err)
	}
	if err := json.Unmarshal([]byte(`{"D":"2023-02-29"}`), &v); err == nil {
		t.Error("2023-02-29 was read")
	}
}

func TestStringAndParseAgreeWithTheLibrary(t *testing.T) {
	for d := Of(1, 1, 1); d <= Never; d += 97 {
		y, m, day := d.YMD()
		want := time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		if got := d.String(); got != want {
			t.Fatalf("%d prints as %s, want %s", d, got, want)
		}
		if back, err := Parse(want); err != nil || back != d {
			t.Fatalf("Parse(%s) = %v, %v", want, back, err)
		}
	}
	for _, bad := range []string{"2024-2-03", "2024-02-30", "2024-13-01", "2024-00-10", "2024-01-00", "0000-01-01", "2024/01/01", "2024-01-011", "2024-01-0x", "+024-01-01", " 2024-01-1", "２024-01-01", "2023-02-29"} {
		if d, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %v", bad, d)
		}
	}
}
