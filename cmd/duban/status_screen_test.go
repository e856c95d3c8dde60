package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

// TestStatusCountsWhatTheListShows: what is settled is counted from an index, the rest folded; together they are the list.
func TestStatusCountsWhatTheListShows(t *testing.T) {
	d := town(t, "2024-09-25")
	d.ok("run", "all")
	d.ok("obligations", "report", item("1/jtj/m1"), "--by", "李敏")
	d.ok("obligations", "report", item("1/csj/m1"), "--by", "李敏")
	d.ok("obligations", "accept", item("1/csj/m1"), "--by", "李敏")
	d.ok("obligations", "waive", item("2/csj/m1"), "--by", "李敏", "--why", "不适用")
	for _, day := range []string{"2024-09-25", "2024-10-08", "2024-10-30", "2025-03-03"} {
		d.on(day)
		if day != "2024-09-25" {
			d.ok("run", "open")
		}
		states, overdue, units := map[string]int{}, 0, map[string]bool{}
		list := d.objects("obligations", "list")
		for _, o := range list {
			states[o.text("state")]++
			if o["overdue"] == true {
				overdue++
				units[o.text("unit")] = true
			}
		}
		got := map[string]int{}
		row := d.objects("status")[0]
		for state, n := range row["states"].(map[string]any) {
			got[state] = int(n.(float64))
		}
		if !maps.Equal(got, states) || row.text("obligations", "overdue", "units_overdue") != fmt.Sprint(len(list), overdue, len(units)) {
			t.Errorf("%s: %v %s, want %v %d %d %d", day, got, row.text("obligations", "overdue", "units_overdue"), states, len(list), overdue, len(units))
		}
	}
}

func TestStatusFitsOneScreen(t *testing.T) {
	d := town(t, "2024-09-25")
	d.ok("run", "all")
	out := d.ok("status")
	if n := strings.Count(out, "\n"); n > 40 {
		t.Errorf("%d lines:\n%s", n, out)
	}
	for _, want := range []string{
		"town  示例市  2024-09-25 Wednesday, weekday", "sending ON, the window is 09:00 to 17:30", "2024-09-26 09:00  2024-09-25 done", "holidays known up to 2026",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "DUE") || strings.Contains(out, "late:") {
		t.Errorf("all that was due ran:\n%s", out)
	}
	d.on("2024-09-28")
	out = d.ok("status")
	for _, want := range []string{
		"sending OFF, a day off until 2024-09-29 09:00", // a make-up workday
		"DUE: all jobs: 2024-09-26 to 2024-09-27 (2 days) due and without a record → duban run all --jurisdiction town",
		"late: all jobs: 2024-09-28 due and without a record",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if row := d.objects("status")[0]; len(row["due"].([]any)) == 0 || row.text("workday", "database") != "false sqlite" {
		t.Errorf("%v", row)
	}
}

func TestSeveralJurisdictionsGetALineEach(t *testing.T) {
	d := town(t, "2024-09-25")
	d.ok("import", "units", d.file("other.csv", edited(t, townUnits, "行政区域代码,town", "行政区域代码,other", "行政区域,示例市", "行政区域,另一市")))
	d.ok("run", "all", "--jurisdiction", "town")
	d.ok("pause", "--jurisdiction", "other", "--by", "周科", "--why", "核对")
	out := strings.Split(d.ok("status"), "\n")
	if len(out) != 4 || !strings.HasPrefix(out[0], "other  另一市  PAUSED; 0 overdue; letters none; nothing ran yet") || out[1] != "    paused (核对): duban resume --jurisdiction other" ||
		!strings.HasPrefix(out[2], "town  示例市  ON; ") || !strings.HasSuffix(out[2], " overdue; letters sent 4; remind 2024-09-25 done") {
		t.Errorf("%s", strings.Join(out, "\n"))
	}
	if one := d.ok("status", "--jurisdiction", "town"); !strings.Contains(one, "quarterly-close") {
		t.Error(one)
	}
}

// TestFiveJurisdictionsFitOneScreen has five jurisdictions behind with the same, one of them paused, on 80 columns of 40 lines.
func TestFiveJurisdictionsFitOneScreen(t *testing.T) {
	d := town(t, "2024-09-25")
	for _, code := range []string{"aa", "bb", "cc", "dd"} {
		d.ok("import", "units", d.file(code+".csv", edited(t, townUnits, "行政区域代码,town", "行政区域代码,"+code, "行政区域,示例市", "行政区域,名称很长很长的一个自治州"+code)))
	}
	d.ok("run", "all")
	d.ok("pause", "--jurisdiction", "bb", "--by", "周科", "--why", strings.Repeat("核对名单", 30))
	d.on("2024-10-15")
	db := d.env["DUBAN_DATABASE_DSN"]
	_, out, errOut := d.call("", "--db", db, "status")
	rows, lines := 0, strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for _, line := range lines {
		rows += max(1, (runewidth.StringWidth(line)+screenWidth-1)/screenWidth)
	}
	if rows > 40 {
		t.Errorf("%d rows", rows)
	}
	for want, times := range map[string]int{
		"all: slots (all jobs: 2024-09-26 to 2024-10-15 (20 days) due an": 1, ": duban run all\n": 1, "type duban as: duban --db " + db: 1,
		"    paused (核对名单": 1, "…: duban resume --jurisdiction bb\n": 1, "bb  名称很长很长": 1, "PAUSED": 1,
	} {
		if n := strings.Count(out, want); n != times {
			t.Errorf("%q stands there %d times, want %d", want, n, times)
		}
	}
	if t.Failed() {
		t.Logf("%s%s", out, errOut)
	}
}
