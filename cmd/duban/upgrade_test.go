package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"duban/store/storetest"
)

// upgradeDesk is a desk on a database of the last release, as it was left on 2024-10-14, and with its configuration.
func upgradeDesk(t *testing.T, e storetest.Engine) (d *desk, dsn string, before map[string]storetest.Rows) {
	t.Helper()
	d = newDesk(t, "2024-10-15")
	dsn = e.DSN(t)
	before = e.Populated(t, dsn, "../../store", 49)
	d.env["DUBAN_DATABASE_DSN"] = urlOf(dsn)
	config := "mail:\n  from_address: duban@sfj.example\n  message_id_domain: sfj.example\njurisdictions:\n"
	for _, code := range []string{"laoshan", "jinan"} {
		config += "  " + code + ":\n    policy: " + d.bundled(code)["policy"] + "\n"
	}
	d.env["CONFIG"] = d.file("duban.yaml", config)
	return d, dsn, before
}

// configured is a call of the program with the desk's configuration.
func (d *desk) configured(args ...string) []string {
	return append([]string{"--config", d.env["CONFIG"]}, args...)
}

// After the upgrade the days go on as the release before would have gone on: the same letters to the same readers in the
// same states, the same steps, the same drafts; what was sent before is not sent again.
func TestTheDaysGoOnAfterAnUpgrade(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, _ := upgradeDesk(t, e)
			if e.Name == "mysql" { // a server's database is migrated on command alone
				d.fails(exitUsage, d.configured("run", "all", "--date", "2024-10-15", "--confirm-date"), "its tables are at version 49", "duban", "migrate")
				d.ok(d.configured("migrate")...)
			}
			for _, day := range []string{"2024-10-15", "2024-10-16", "2024-10-17", "2024-10-18"} {
				d.on(day)
				if code, out, errOut := d.call("", d.configured("run", "all", "--date", day, "--confirm-date")...); code != exitDone {
					t.Fatalf("%s: exit %d\n%s%s", day, code, out, errOut)
				}
			}
			sameRows(t, dsn, "notices", "WHERE logical_date >= '2024-10-12'", "logical_date", "jurisdiction", "unit", "role", "kind", "matter", "id", "state", "tries", "resent", "superseded_by", "reason")
			sameRows(t, dsn, "steps", "WHERE on_date >= '2024-10-15'", "on_date", "obligation", "arm", "step", "n", "role", "notice", "passed")
			sameRows(t, dsn, "documents", "", "id", "kind", "matter", "title", "unit", "drafted", "refs", "state", "doc_number", "n", "issued_on", "why")
			// Nothing of the days before is among them: only the letter that was put off has left at last, with its copy.
			left := slices.Sorted(maps.Keys(d.letters()))
			want := []string{"/laoshan/2024-10-15/qsfj-bureau-bureau-digest-_.eml", "/laoshan/2024-10-16/qsfj-bureau-bureau-digest-_.eml",
				"/laoshan/2024-10-17/qsfj-bureau-bureau-digest-_.eml", "/laoshan/2024-10-18/qsfj-bureau-bureau-digest-_.eml",
				"/laoshan/2024-10-18/qwlj-liaison-copy-deputy.eml", "/laoshan/2024-10-18/qwlj-liaison.eml"}
			if !slices.Equal(left, want) {
				t.Errorf("letters that left: %q", left)
			}
			for _, args := range [][]string{
				{"status"}, {"obligations", "list", "--jurisdiction", "laoshan", "--overdue"}, {"outbox", "list"}, {"tasks", "list"}, {"units", "list"},
				{"people", "list"}, {"documents", "list"}, {"periods", "list"}, {"silence", "list"}, {"explain", "laoshan/zfzl2024/17/qwlj/m1"},
				{"obligations", "show", "laoshan/zfzl2024/17/qwlj/m1"},
			} {
				if out := d.objects(d.configured(args...)...); len(out) == 0 {
					t.Errorf("%v answers nothing", args)
				}
			}
		})
	}
}

// TestWhoeverOpensAnOlderFileIsToldThatItWasBroughtUp: the release before opens it no more, and a look is enough for that.
func TestWhoeverOpensAnOlderFileIsToldThatItWasBroughtUp(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		if e.Name == "mysql" { // which only `migrate` brings up
			continue
		}
		d, _, _ := upgradeDesk(t, e)
		for i, want := range []bool{true, false} {
			code, out, errOut := d.call("", d.configured("obligations", "list")...)
			if code != exitDone || strings.Contains(errOut, "the database was brought from version 49 to ") != want {
				t.Errorf("look %d: exit %d, %s%s", i+1, code, out[:min(len(out), 200)], errOut)
			}
		}
	}
}

// sameRows holds a table to what the release before made of the same days.
func sameRows(t *testing.T, dsn, table, where string, columns ...string) {
	t.Helper()
	want := storetest.ReadRows(t, "../../store/testdata/v49/next/"+table+".jsonl.gz").Only(columns...).Lines()
	got := storetest.Select(t, dsn, table, columns, where).Lines()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: missing\n%s", table, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: one too many\n%s", table, line)
		}
	}
}

// A program that is older than the database refuses to touch it, whatever it was asked to do, and says what to do.
func TestAnOlderProgramRefusesTheDatabase(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, before := upgradeDesk(t, e)
			d.ok(d.configured("migrate")...)
			storetest.Statement(t, dsn, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
			tables := []string{"meta", "jurisdictions", "events", "obligations", "steps", "runs", "notices", "attempts", "documents"}
			look := func() (all []string) {
				for _, table := range tables {
					all = append(all, storetest.Select(t, dsn, table, before[table].Columns, "").Lines()...)
				}
				return append(all, storetest.Select(t, dsn, "goose_db_version", []string{"version_id"}, "").Lines()...)
			}
			was := look()
			for _, args := range [][]string{
				{"run", "all", "--confirm-date"}, {"serve"}, {"status"}, {"migrate"}, {"doctor"}, {"rebuild"}, {"outbox", "list"},
				{"obligations", "list"}, {"pause", "--by", "李敏", "--why", "演练"}, {"import", "units", d.bundled("sishui")["units"]},
			} {
				code, out, errOut := d.call("", d.configured(args...)...)
				if code != exitFailed && code != exitUsage {
					t.Errorf("%v: exit %d\n%s%s", args, code, out, errOut)
				}
				if !strings.Contains(out+errOut, "install the newer version") {
					t.Errorf("%v does not say what to do:\n%s%s", args, out, errOut)
				}
			}
			if now := look(); !slices.Equal(was, now) {
				t.Error("the database was written to")
			}
			if left := d.letters(); len(left) > 0 {
				t.Errorf("letters left: %v", left)
			}
		})
	}
}
