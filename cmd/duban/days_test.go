package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"duban/jobs/civil"
)

// noDays are what people might type, and what is not taken.
func noDays() []string {
	return []string{
		"", " ", "2024-6-5", "2024-06-5", "24-06-25", "2024/06/25", "2024.06.25", "2024-06", "202406", "20241345", "2024-02-30", "20230229", "0000-00-00", "2024-06-25 ",
		" 2024-06-25", "２０２４-06-25", "2024年6月25日", "6月25日", "20240625T00", "2024-06-25T00:00:00Z", "tomorrow", "Today", "now", "今天", "-1", "1719273600",
	}
}

func TestDaysAsPeopleTypeThem(t *testing.T) {
	a, _, _ := testApp(t)
	// Half past four in the afternoon of the 30th, UTC: in Shanghai it is the 1st.
	a.clock = func() time.Time { return time.Date(2024, 9, 30, 16, 30, 0, 0, time.UTC) }
	for text, want := range map[string]string{
		"2024-06-25": "2024-06-25", "20240625": "2024-06-25", "2024-02-29": "2024-02-29", "20240229": "2024-02-29", "today": "2024-10-01", "yesterday": "2024-09-30",
	} {
		if d, err := a.parseDate(text); err != nil || d != civil.MustParse(want) {
			t.Errorf("%q: %s, %v", text, d, err)
		}
	}
	for _, text := range noDays() {
		if d, err := a.parseDate(text); err == nil || !strings.Contains(err.Error(), "want a day as 2024-06-25, 20240625, today or yesterday") {
			t.Errorf("%q: %s, %v", text, d, err)
		}
	}
	for text, want := range map[string]string{"2024-06": "2024-06-01", "202402": "2024-02-01"} {
		if d, err := parseMonth(text); err != nil || d != civil.MustParse(want) {
			t.Errorf("%q: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "2024", "2024-6", "2024-13", "202413", "202400", "2024-06-25", "20240625", "2024/06", "June", "today", "2024年6月", "-01"} {
		if d, err := parseMonth(text); err == nil || !strings.Contains(err.Error(), "want a month as 2024-06 or 202406") {
			t.Errorf("%q: %s, %v", text, d, err)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range append(noDays(), "2024-06-25", "20240625", "today", "2024-06") {
		f.Add(s)
	}
	a := &app{clock: func() time.Time { return time.Date(2024, 9, 30, 16, 30, 0, 0, time.UTC) }}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := a.parseDate(s); err == nil && s != "today" && s != "yesterday" && strings.ReplaceAll(d.String(), "-", "") != strings.ReplaceAll(s, "-", "") {
			t.Errorf("%q is read as %s", s, d)
		}
		if d, err := parseMonth(s); err == nil && !strings.HasPrefix(strings.ReplaceAll(d.String(), "-", ""), strings.ReplaceAll(s, "-", "")) {
			t.Errorf("the month %q is read as %s", s, d)
		}
	})
}

// Whichever flag wants a day takes it in each of its forms, says so in its help, and refuses anything else before
// anything is done.
func TestEveryFlagForADayTakesTheSameWords(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	a, _, _ := testApp(t)
	names := map[string]bool{}
	eachCommand(a.root(), func(c *cobra.Command) {
		days := false
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() != dayType {
				if f.Name != "known-at" && strings.Contains(f.Usage, "YYYY") || f.Name != "known-at" && strings.Contains(f.Usage, "2024-06-25") {
					t.Errorf("%s --%s takes a day, and does not say so", c.CommandPath(), f.Name)
				}
				return
			}
			days, names[f.Name] = true, true
			for _, text := range []string{"2024-06-25", "20240625", "today", "yesterday"} {
				if err := f.Value.Set(text); err != nil {
					t.Errorf("%s --%s %s: %v", c.CommandPath(), f.Name, text, err)
				}
			}
			for _, text := range []string{"", "2024-6-5", "20241345", "tomorrow"} {
				d.fails(exitUsage, append(strings.Fields(name(c)), "--"+f.Name+"="+text), "--"+f.Name, "want a day as 2024-06-25, 20240625, today or yesterday", "--help")
			}
		})
		if days && strings.Count(c.Long, daysHelp) != 1 {
			t.Errorf("%s: the help says %d times how a day is written", c.CommandPath(), strings.Count(c.Long, daysHelp))
		}
	})
	for _, name := range []string{"as-of", "asked", "confirm-date", "date", "due", "from", "issued", "on", "to", "until", "valid-to"} {
		if !names[name] {
			t.Errorf("no --%s takes a day", name)
		}
	}
	for _, args := range [][]string{
		{"workday", "add", "2024-6-5", "3"}, {"workday", "add", "", "3"}, {"workday", "count", "20241345", "today"}, {"workday", "count", "today", "tomorrow"}, {"workday", "count", "", ""},
	} {
		d.fails(exitUsage, args, strings.Join(args[:2], " "), "want a day as 2024-06-25, 20240625, today or yesterday")
	}
	for _, args := range [][]string{{"workday", "list", "2024-6"}, {"workday", "list", "today"}} {
		d.fails(exitUsage, args, "want a month as 2024-06 or 202406")
	}
	for call, want := range map[string]string{
		"workday add 20240926 3": "2024-09-30\n", "workday add yesterday 1": "2024-10-14\n", "workday count 20241008 today": "5\n",
	} {
		if out := d.ok(strings.Fields(call)...); out != want {
			t.Errorf("%s: %q, want %q", call, out, want)
		}
	}
	if a, b := d.ok("workday", "list", "2024-10"), d.ok("workday", "list", "202410"); a != b || strings.Count(a, "\n") != 32 {
		t.Errorf("%s\n%s", a, b)
	}
}

// TestAPeriodIsReadAsPeopleTypeIt wants one key of each way to write a period, and how it is written where it is none.
func TestAPeriodIsReadAsPeopleTypeIt(t *testing.T) {
	for typed, want := range map[string]string{
		"": "", "2024-09": "2024-09", "202409": "2024-09", "2024Q3": "2024Q3", "2024H1": "2024H1", "2024": "2024", "2024-W26": "2024-W26", "202409/2": "2024-09/2",
	} {
		w := whichPeriods{period: typed}
		if err := w.read(); err != nil || w.period != want {
			t.Errorf("%q: %q, %v; want %q", typed, w.period, err, want)
		}
	}
	for _, typed := range []string{"rubbish", "2024-13", "202413", "2024Q5", "20240901", "2024-9", "/", "九月", " 2024"} {
		w := whichPeriods{period: typed}
		if err := w.read(); err == nil || !strings.Contains(err.Error(), "want a month as 2024-09 or 202409, a quarter as 2024Q3") {
			t.Errorf("%q: %v", typed, err)
		}
	}
}
