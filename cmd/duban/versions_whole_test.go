package main

import (
	"strings"
	"testing"

	"duban/store/storetest"
)

// TestLoadingThatStopsInTheMiddleLoadsNothing: the policy and the calendar change together, and the database gives out at the
// last of them. What was in force stays, whole, and a worker with the old files goes on.
func TestLoadingThatStopsInTheMiddleLoadsNothing(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, _ := posted(t, e)
			db := behind(t, dsn)
			refuse := "CREATE TRIGGER full BEFORE INSERT ON versions WHEN NEW.kind = 'policy' BEGIN SELECT RAISE(ABORT, 'disk full'); END"
			if e.Name == "mysql" {
				refuse = "CREATE TRIGGER full BEFORE INSERT ON versions FOR EACH ROW BEGIN IF NEW.kind = 'policy' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'disk full'; END IF; END"
			}
			const stands = "SELECT kind, hash, seq FROM versions ORDER BY seq, kind"
			const moment = "SELECT seq FROM jurisdictions"
			before, at := d.dumpOf(db, stands), d.dumpOf(db, moment)
			alter(t, db, refuse)
			d.env["DUBAN_DEFAULTS_REPORT_DAY"] = "12"
			d.env["DUBAN_CALENDAR_OVERRIDES"] = d.file("local.json", localDay)
			if code, _, said := d.call("", "config", "load", "--by", "李敏"); code != exitFailed || !strings.Contains(said, "disk full") {
				t.Fatalf("exit %d: %s", code, said)
			}
			if d.dumpOf(db, stands) != before || d.dumpOf(db, moment) != at {
				t.Errorf("half of it was loaded:\n%s", d.dumpOf(db, stands))
			}
			delete(d.env, "DUBAN_DEFAULTS_REPORT_DAY")
			delete(d.env, "DUBAN_CALENDAR_OVERRIDES")
			d.on("2024-09-25")
			d.ok("run", "all")
			// Without the fault it is all there, under one seq.
			alter(t, db, "DROP TRIGGER full")
			d.env["DUBAN_DEFAULTS_REPORT_DAY"] = "12"
			d.env["DUBAN_CALENDAR_OVERRIDES"] = d.file("local.json", localDay)
			d.ok("config", "load", "--by", "李敏")
			seqs := map[string]string{}
			for _, o := range d.objects("config", "versions") {
				if o.text("in_force", "here") != "true true" && o.text("in_force") == "true" {
					t.Errorf("not what this worker has: %v", o)
				}
				seqs[o.text("kind")] = o.text("seq")
			}
			if seqs["policy"] == "" || seqs["policy"] != seqs["calendar"] || seqs["policy"] == seqs["template"] {
				t.Errorf("loaded at %v", seqs)
			}
			d.on("2024-09-26")
			d.ok("run", "all")
		})
	}
}
