package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"duban/jobs"
)

// TestARangeUpsideDownIsRefused: by every command that has one, alike.
func TestARangeUpsideDownIsRefused(t *testing.T) {
	d := town(t, "2024-09-25")
	d.ok("run", "all")
	for _, args := range [][]string{
		{"runs", "list"}, {"outbox", "list"}, {"documents", "list"}, {"preview"}, {"backfill", "all"}, {"demo", "--dir", d.dir + "/demo"},
		{"export", "evidence", "--unit", "jtj", "--out", d.dir + "/e.zip"},
	} {
		said := d.fails(exitUsage, append(args, "--from", "2024-06-20", "--to", "2024-06-10"), "--from 2024-06-20 lies after --to 2024-06-10")
		if strings.Contains(said, "nothing matches") {
			t.Errorf("%s: %s", args, said)
		}
	}
	for _, args := range [][]string{{"--from", "2024-09-25"}, {"--to", "2024-09-25"}, {"--from", "2024-09-25", "--to", "2024-09-25"}} {
		if out := d.ok(append([]string{"runs", "list"}, args...)...); !strings.Contains(out, "remind") {
			t.Errorf("%s: %s", args, out)
		}
	}
}

// TestStatusNamesTheNextDayThatIsNotRun has all of a day run by hand at eight, before the clock would.
func TestStatusNamesTheNextDayThatIsNotRun(t *testing.T) {
	d := operated(town(t, "2024-09-25"))
	d.env["DUBAN_DEFAULTS_WINDOW_FROM"] = "08:00"
	d.now = d.now.Add(-90 * time.Minute)
	next := func() map[string]string {
		out := map[string]string{}
		for _, one := range d.objects("status")[0]["slots"].([]any) {
			s := object(one.(map[string]any))
			out[s.text("job")] = object(s["next"].(map[string]any)).text("date")
		}
		return out
	}
	before := next()
	d.ok("run", "all")
	d.ok("run", "health")
	after := next()
	for _, job := range []string{"open", "monthly-close", "quarterly-close", "personnel", "remind", "escalate", "health"} {
		today := job == "personnel" || job == "remind" || job == "escalate" || job == "health"
		if before[job] == "2024-09-25" != today || after[job] != "2024-09-26" {
			t.Errorf("%s: next %s, and after the run %s", job, before[job], after[job])
		}
	}
	if out := d.ok("status"); !strings.Contains(out, "2024-09-26 09:00  2024-09-25 done") || strings.Contains(out, "2024-09-25 09:00") {
		t.Error(out)
	}
	if text := d.operationsLetter("2024-09-25").text("text"); !strings.Contains(text, "下次运行：9月26日00:05") {
		t.Error(text)
	}
}

// TestWhatTheArchiveAloneKnowsStandsWhole: number, days and command, however narrow the screen and long the folder's name.
func TestWhatTheArchiveAloneKnowsStandsWhole(t *testing.T) {
	n := jobs.Need{
		What: jobs.NeedArchive, N: 39, Text: "39 letters of 2024-07-04 to 2024-07-11",
		Do: "duban outbox reconcile --archive /srv/" + strings.Repeat("duban", 20) + " --by NAME",
	}
	if got, want := needLine(n, screenWidth), "restored, no letters leave: the archive alone knows "+n.Text+": "+n.Do; got != want {
		t.Errorf("%s", got)
	}
	n.N, n.Text = 0, ""
	if got := needLine(n, screenWidth); got != "restored, no letters leave: taking over from the archive was interrupted: "+n.Do {
		t.Errorf("%s", got)
	}
}

func TestADatabaseThatIsNoneNamesTheFlag(t *testing.T) {
	d := newDesk(t, "2024-09-25")
	if said := d.fails(exitUsage, []string{"status", "--db", "foo:bar"}, "--db: neither sqlite: nor mysql://"); strings.Contains(said, "DUBAN_DATABASE_DSN") {
		t.Error(said)
	}
	d.env["DUBAN_DATABASE_DSN"] = "foo:bar"
	d.fails(exitUsage, []string{"status"}, "DUBAN_DATABASE_DSN")
}

func TestACalendarThatIsNoJSONIsNamedWithItsLine(t *testing.T) {
	d := town(t, "2024-09-25")
	file := d.file("holidays.yaml", "\n节假日: 2025\n")
	d.env["DUBAN_CALENDAR_OVERRIDES"] = file
	d.fails(exitUsage, []string{"workday", "list", "2024-10"}, file, "line 2: unexpected '节'", "not the JSON of a calendar")
}

func TestOneLetterIsALetter(t *testing.T) {
	var out bytes.Buffer
	r := evidenceReport{File: "e.zip", LeftOut: 1}
	r.Letters, r.Attempts, r.Accepted = 1, 1, 1
	if err := (&app{out: &out}).printEvidence(r); err != nil || !strings.Contains(out.String(), "\n1 letter, 1 attempt, 1 accepted, 0 without") ||
		!strings.Contains(out.String(), "left out: 1 letter about") {
		t.Errorf("%v %s", err, out.String())
	}
}

func TestKnownAtIsEchoedToTheSecond(t *testing.T) {
	zone := time.FixedZone("UTC+8", 8*3600)
	for text, want := range map[string]string{
		"2024-06-25 14:30": "2024-06-25 14:30", "2024-06-25 14:30:00": "2024-06-25 14:30", "2024-06-25 14:30:07": "2024-06-25 14:30:07",
		"2024-06-25T06:30:07Z": "2024-06-25 14:30:07", "2024-06-25": "2024-06-25 23:59", "2024-06-25 23:59:59": "2024-06-25 23:59:59",
	} {
		at, err := (&app{}).instant(text, zone)
		if got := moment(at, zone); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
	}
}
