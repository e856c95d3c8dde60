package run

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
)

var shanghai = time.FixedZone("CST", 8*3600)

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCheckDate(t *testing.T) {
	urumqi := time.FixedZone("XJT", 6*3600)
	for _, c := range []struct {
		name, now, last string
		zone            *time.Location
		doubt           string
	}{
		{"same instant", "2026-11-22T09:00:00+08:00", "2026-11-22T09:00:00+08:00", shanghai, ""},
		{"same day, an hour back", "2026-11-22T08:00:00+08:00", "2026-11-22T09:00:00+08:00", shanghai, ""},
		{"the day's two ends", "2026-11-22T00:00:00+08:00", "2026-11-22T23:59:59+08:00", shanghai, ""},
		{"the next day", "2026-11-23T00:00:00+08:00", "2026-11-22T23:59:59+08:00", shanghai, ""},
		{"the day before, a second", "2026-11-21T23:59:59+08:00", "2026-11-22T00:00:00+08:00", shanghai, "2026-11-21 before 2026-11-22"},
		{"years before", "1970-01-01T00:00:00Z", "2026-11-22T00:00:00+08:00", shanghai, "1970-01-01 before 2026-11-22"},
		{"15 days after", "2026-12-07T23:59:59+08:00", "2026-11-22T00:00:00+08:00", shanghai, ""},
		{"16 days after", "2026-12-08T00:00:00+08:00", "2026-11-22T23:59:59+08:00", shanghai, "2026-12-08 16 days after 2026-11-22"},
		{"over the year's end", "2027-01-05T12:00:00+08:00", "2026-12-21T12:00:00+08:00", shanghai, ""},
		{"years after", "2037-01-01T00:00:00Z", "2026-11-22T00:00:00Z", time.UTC, "2037-01-01 3693 days after 2026-11-22"},
		{"another day in the zone alone", "2026-11-21T15:59:59Z", "2026-11-21T16:00:00Z", shanghai, "2026-11-21 before 2026-11-22"},
		{"the same instants further west", "2026-11-21T15:59:59Z", "2026-11-21T16:00:00Z", urumqi, ""},
		{"16 days in the zone alone", "2026-12-07T16:00:00Z", "2026-11-21T16:00:00Z", shanghai, "2026-12-08 16 days after 2026-11-22"},
		{"15 and a half days, 15 dates", "2026-12-07T15:59:59Z", "2026-11-21T16:00:00Z", shanghai, ""},
		{"no zone is UTC", "2026-11-21T15:59:59Z", "2026-11-21T16:00:00Z", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckDate(instant(t, c.now), instant(t, c.last), c.zone)
			var doubt DoubtError
			if (c.doubt == "") != (err == nil) || err != nil && !errors.As(err, &doubt) {
				t.Fatalf("%v, want %q", err, c.doubt)
			}
			for word := range strings.FieldsSeq(c.doubt) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q is not in: %v", word, err)
				}
			}
			if err != nil && !strings.Contains(err.Error(), "--confirm-date="+doubt.Today.String()) {
				t.Errorf("it does not say what to do: %v", err)
			}
		})
	}
	if err := CheckDate(instant(t, "1970-01-01T00:00:00Z"), time.Time{}, shanghai); err != nil {
		t.Errorf("there was no run, and yet: %v", err)
	}
}

func TestCheckClocks(t *testing.T) {
	now := instant(t, "2026-11-22T09:00:00+08:00")
	for off, want := range map[time.Duration]string{
		0: "", ClockOff: "", -ClockOff: "", ClockWrong: "", -ClockWrong: "",
		ClockWrong + time.Hour: "13h0m0s ahead", -30 * time.Hour: "30h0m0s behind", math.MinInt64: "behind",
	} {
		err := CheckClocks(now, off, shanghai)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", off, err, want)
		}
		var doubt DoubtError
		if errors.As(err, &doubt) && (doubt.Today != civil.MustParse("2026-11-22") || !strings.Contains(err.Error(), "--confirm-date=2026-11-22")) {
			t.Errorf("%s: %v", off, err)
		}
	}
}
