package main

import (
	"regexp"
	"strings"
	"testing"
)

// applying finds the hash under which a plan that was shown is carried out.
var applying = regexp.MustCompile(`--apply ([0-9a-f]+)`)

// obey types the first command that doctor names for the run ledger, and reports whether there was one.
func (d *desk) obey() bool {
	d.t.Helper()
	_, out, _ := d.call("", "doctor", "--output", "json")
	for _, o := range lines(d.t, out) {
		if o["check"] != "ledger" || o["state"] != "fail" {
			continue
		}
		args := strings.Fields(o.text("do"))[1:]
		said := d.ok(args...)
		if args[0] != "backfill" {
			return true
		}
		hash := applying.FindStringSubmatch(said)
		if hash == nil {
			d.t.Fatalf("%s: %s\n%s", o["found"], o["do"], said)
		}
		d.ok(append(args, "--apply", hash[1], "--by", "李敏")...)
		return true
	}
	return false
}

// TestWhatDoctorSaysToTypeClosesTheGap: each command that it names is typed as it stands, and then no slot is missing.
func TestWhatDoctorSaysToTypeClosesTheGap(t *testing.T) {
	const yesterday = " AND logical_date = '2024-09-25'"
	for _, c := range []struct{ name, change, state string }{
		{"a reminder failed", "UPDATE runs SET state = 'failed', reason = 'disk full' WHERE job = 'remind'" + yesterday, "failed"},
		{"two failed", "UPDATE runs SET state = 'failed', reason = 'disk full' WHERE job IN ('personnel', 'escalate')" + yesterday, "failed"},
		{"opening failed", "UPDATE runs SET state = 'failed', reason = 'disk full' WHERE job = 'open'" + yesterday, "failed"},
		{"opening failed two days", "UPDATE runs SET state = 'failed' WHERE job = 'open' AND logical_date IN ('2024-09-24', '2024-09-25')", "failed"},
		{"a day without a record", "DELETE FROM runs WHERE logical_date = '2024-09-25'", "without a record"},
		{"a job without a record, and another that failed", "UPDATE runs SET state = CASE job WHEN 'remind' THEN 'failed' ELSE 'planned' END WHERE job IN ('personnel', 'remind', 'escalate')" + yesterday, "failed"},
		{"planned and not begun", "UPDATE runs SET state = 'planned' WHERE job = 'escalate'" + yesterday, "not begun"},
		{"given up", "UPDATE runs SET state = 'running', lease = '2024-09-25 00:00:00.000' WHERE job = 'remind'" + yesterday, "given up"},
		{"the last days have no record", "DELETE FROM runs WHERE logical_date >= '2024-09-24'", "without a record"},
		{"opening of the last day failed", "UPDATE runs SET state = 'failed' WHERE job = 'open' AND logical_date = '2024-09-26'", "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := town(t, "2024-09-23")
			for _, day := range []string{"2024-09-23", "2024-09-24", "2024-09-25", "2024-09-26"} {
				d.on(day)
				d.ok("run", "all")
			}
			d.env["DUBAN_SCHEDULE_GRACE"] = "15m"
			d.change(c.change)
			_, out, _ := d.call("", "doctor")
			if !strings.Contains(out, "FAIL  ledger") || !strings.Contains(out, c.state) {
				t.Fatalf("it misses nothing:\n%s", out)
			}
			n := 0
			for n < 6 && d.obey() {
				n++
			}
			if _, out, _ := d.call("", "doctor"); !strings.Contains(out, "every slot that was due is settled") {
				t.Errorf("after %d commands:\n%s", n, out)
			}
		})
	}
}

// TestWhatFailedIsCoveredByALaterDay: nobody has to type anything, and the ledger keeps that it had failed.
func TestWhatFailedIsCoveredByALaterDay(t *testing.T) {
	d := town(t, "2024-09-24")
	d.ok("run", "all")
	d.on("2024-09-25")
	d.ok("run", "all")
	d.change("UPDATE runs SET state = 'failed', reason = 'disk full' WHERE job = 'remind' AND logical_date = '2024-09-25'")
	d.on("2024-09-26")
	d.ok("run", "all")
	rows := d.objects("runs", "list", "--job", "remind", "--from", "2024-09-25", "--to", "2024-09-25")
	if len(rows) != 1 || rows[0].text("state", "reason") != "skipped covered by 2024-09-26; it had failed: disk full" {
		t.Errorf("%v", rows)
	}
}

// TestAQuietDoctorSaysWhatIsNotWell alone.
func TestAQuietDoctorSaysWhatIsNotWell(t *testing.T) {
	d := town(t, "2024-09-25")
	d.ok("run", "all")
	code, out, _ := d.call("", "doctor", "--quiet")
	if code != exitDone || !strings.Contains(out, "warn  operations") || strings.Contains(out, "ok ") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}
