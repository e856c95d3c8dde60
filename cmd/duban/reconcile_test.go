package main

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/notify/mail/mailtest"
	"duban/store/storetest"
)

// backup copies the desk's database, and returns where the copy is.
func (d *desk) backup(e storetest.Engine, dsn string) string {
	d.t.Helper()
	t, ok := d.t.(*testing.T)
	if !ok {
		d.t.Fatal("no test")
	}
	db, to := behind(t, dsn), e.DSN(t)
	if path, ok := strings.CutPrefix(to, "sqlite:"); ok {
		alter(t, db, "VACUUM INTO '"+path+"'")
		return to
	}
	_, name := socketOf(to)
	var tables []string
	for _, line := range query(t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()") {
		tables = append(tables, strings.Trim(line, "|\n "))
	}
	for _, table := range tables {
		alter(t, db, fmt.Sprintf("CREATE TABLE %s.%s LIKE %s", name, table, table), fmt.Sprintf("INSERT INTO %s.%s SELECT * FROM %s", name, table, table))
	}
	return to
}

// posted is a town on an engine whose letters go to a relay and through an archive, on the day before the story begins.
func posted(t *testing.T, e storetest.Engine) (*desk, string, *mailtest.Server) {
	t.Helper()
	d := newDesk(t, "2024-07-02")
	dsn := e.DSN(t)
	d.env["DUBAN_DATABASE_DSN"] = urlOf(dsn)
	id := identity(t, 100*24*time.Hour)
	s := server(t, id, nil)
	d.relay(s, id, nil)
	d.ok("migrate")
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	d.ok("run", "open")
	d.on("2024-09-24")
	d.ok("run", "all")
	return d, dsn, s
}

// taken counts how often each recipient got each mail.
func taken(s *mailtest.Server) map[string]int {
	n := map[string]int{}
	for _, m := range s.Accepted() {
		for _, to := range m.To {
			n[m.MessageID+" "+to]++
		}
	}
	return n
}

// ofWhat counts what a reconciliation found, and lists what is to be entered again.
func ofWhat(rows []object) (n map[string]int, enter []string) {
	n = map[string]int{}
	for _, o := range rows {
		what := fmt.Sprint(o["what"])
		n[what]++
		if what == foundEnter {
			enter = append(enter, o.text("unit", "ref", "says"))
		}
	}
	return n, enter
}

func (d *desk) dumpOf(db *sql.DB, statement string) string {
	d.t.Helper()
	return strings.Join(query(d.t, db, statement), "\n")
}

func TestARestoredDatabaseSendsNothingTwice(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, s := posted(t, e)
			backup := d.backup(e, dsn)
			// The second day: a report comes in, letters leave, one is put off.
			d.on("2024-09-25")
			d.ok("obligations", "report", item("1/csj/m1"), "--by", "李敏")
			s.SetFaults(mailtest.Fault{Phase: mailtest.AtRcpt, Action: mailtest.Refusal(450, "4.2.0 greylisted"), To: "li@wjj.example"})
			if code, out, said := d.call("", "run", "all"); code != exitDone || !strings.Contains(out, "1 to be tried again") {
				t.Fatalf("exit %d: %s%s", code, out, said)
			}
			was := taken(s)
			if len(was) == 0 || d.tally("--from", "2024-09-25")["2024-09-25 unit-letter sent"] == 0 || d.tally("--from", "2024-09-25")["2024-09-25 unit-letter retry"] != 1 {
				t.Fatalf("the day is not as the story wants it: %v %v", was, d.tally("--from", "2024-09-25"))
			}
			s.SetFaults()

			// The disk fails; the backup of the first day is put back.
			d.env["DUBAN_DATABASE_DSN"] = urlOf(backup)
			code, _, said := d.call("", "run", "all")
			archived := d.env["DUBAN_MAIL_ARCHIVE_DIR"]
			for _, word := range []string{"no letters leave", "town dated 2024-09-25", "duban outbox reconcile --archive " + archived + " --by NAME"} {
				if code != exitFailed || !strings.Contains(said, word) {
					t.Errorf("exit %d, without %q: %s", code, word, said)
				}
			}
			d.on("2024-09-26")
			if code, _, said := d.call("", "run", "all"); code != exitFailed || !strings.Contains(said, "2024-09-26 is not planned") {
				t.Errorf("a later day was planned: exit %d %s", code, said)
			}
			if now := taken(s); len(now) != len(was) {
				t.Fatalf("letters left: %v", now)
			}

			// A look changes nothing.
			db := behind(t, backup)
			const stands = "SELECT id, state FROM notices ORDER BY id"
			before := d.dumpOf(db, stands)
			look, lost := ofWhat(d.objects("outbox", "reconcile", "--dry-run"))
			if d.dumpOf(db, stands) != before {
				t.Error("a look wrote")
			}
			if look[foundProven] == 0 || len(lost) == 0 {
				t.Errorf("a look shows nothing: %v %v", look, lost)
			}
			found, enter := ofWhat(d.objects("outbox", "reconcile", "--archive", archived, "--by", "王主任"))
			if fmt.Sprint(found, enter) != fmt.Sprint(look, lost) {
				t.Errorf("the look showed %v %v, and it came to %v %v", look, lost, found, enter)
			}
			if !slices.ContainsFunc(enter, func(s string) bool {
				return strings.HasPrefix(s, "csj "+item("1/csj/m1")) && strings.Contains(s, "新报送")
			}) {
				t.Errorf("the report that was lost is not named: %q", enter)
			}
			for _, line := range enter {
				if strings.Contains(line, "wjj") || strings.Contains(line, "jtj") {
					t.Errorf("nothing was lost there: %s", line)
				}
			}
			if again, _ := ofWhat(d.objects("outbox", "reconcile", "--by", "王主任")); len(again) != 0 {
				t.Errorf("a second time there is more to do: %v", again)
			}

			// What had not left goes, and nothing a second time.
			d.on("2024-09-25")
			d.ok("run", "all")
			now := taken(s)
			fresh := 0
			for mail, n := range now {
				if n != 1 {
					t.Errorf("%s was taken %d times", mail, n)
				}
				if was[mail] == 0 {
					fresh++
					if !strings.Contains(mail, "li@wjj.example") {
						t.Errorf("%s had not left before, and nobody planned it", mail)
					}
				}
			}
			if fresh != 1 || len(now) != len(was)+1 {
				t.Errorf("%d letters went that had not left, of %d: %v", fresh, len(now), now)
			}
			for state, n := range d.tally("--from", "2024-09-25") {
				if !strings.HasSuffix(state, "sent") || n == 0 {
					t.Errorf("%d letters are %s", n, state)
				}
			}
			d.on("2024-09-26")
			d.ok("run", "all")
		})
	}
}
