package main

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/archive"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store"
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

// tellsWhatIsMissing checks that status says how many letters of which days the archive alone knows, and what to type, for
// people and for machines, and that nothing advises what is refused until then.
func (d *desk) tellsWhatIsMissing(archived string) {
	d.t.Helper()
	reconcile := "duban outbox reconcile --archive " + archived + " --by NAME"
	o := d.objects("status")[0]
	if !strings.Contains(o.text("sending"), "state:archive") || !strings.Contains(o.text("needs"), reconcile) || strings.Contains(o.text("needs", "due"), "run all") {
		d.t.Errorf("status: %v", o.text("sending", "needs", "due"))
	}
	was := d.now
	for _, day := range []string{"2024-09-25", "2024-09-30"} { // days are due on the second
		d.on(day)
		out := d.ok("status")
		for _, want := range []string{
			"sending ARCHIVE, the archive knows ", " letters of 2024-09-25 that this database, restored, does not", "RESTORED: first of all → " + reconcile,
		} {
			if !strings.Contains(out, want) {
				d.t.Errorf("status of %s lacks %q:\n%s", day, want, out)
			}
		}
		if due := strings.Contains(out, "→ after what the archive knows is taken over, see RESTORED above"); due != (day == "2024-09-30") || strings.Contains(out, "duban run") {
			d.t.Errorf("status of %s:\n%s", day, out)
		}
		_, out, _ = d.call("", "doctor")
		for line := range strings.SplitSeq(out, "\n") {
			if strings.Contains(line, "ledger") && strings.Contains(line, "duban run") {
				d.t.Errorf("doctor: %s", line)
			}
		}
	}
	d.now = was
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
			d.tellsWhatIsMissing(archived)
			if _, out, _ := d.call("", "doctor"); !strings.Contains(out, "no letters leave") {
				t.Errorf("doctor: %s", out)
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
			if kept, lost := ofWhat(d.objects("outbox", "reconcile", "--list")); fmt.Sprint(kept, lost) != fmt.Sprint(found, enter) {
				t.Errorf("listed once more: %v %v, and it came to %v %v", kept, lost, found, enter)
			}
			d.fails(exitUsage, []string{"outbox", "reconcile", "--archive", t.TempDir(), "--by", "王主任"}, "holds no letters of town", "--archive DIR")
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

// TestARestoredRegisterOfFormsGoesOn: a form that was issued after the backup keeps its number and date, and the next one
// takes the number behind it.
func TestARestoredRegisterOfFormsGoesOn(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, s := posted(t, e)
			for _, day := range []string{"2024-09-25", "2024-10-10", "2024-10-15"} {
				d.on(day)
				d.ok("run", "all")
			}
			backup := d.backup(e, dsn)
			d.on("2024-10-16")
			drafts := d.objects("documents", "list", "--state", "draft", "--kind", "supervision-form", "--output", "json")
			var mailed []string
			for _, o := range drafts {
				if unit := o.text("unit"); unit == "jtj" {
					mailed = append(mailed, o.text("id"))
				}
			}
			if len(mailed) < 2 {
				t.Fatalf("drafts: %v", drafts)
			}
			d.ok("outbox", "release", mailed[0], "--by", "李敏")
			d.ok("run", "all")
			want := d.objects("documents", "list", "--state", "issued")
			was := taken(s)
			if len(want) != 1 || want[0].text("number") != "督办〔2024〕1号" {
				t.Fatalf("issued: %v", want)
			}

			d.env["DUBAN_DATABASE_DSN"] = urlOf(backup)
			if code, _, said := d.call("", "run", "all"); code != exitFailed || !strings.Contains(said, "2024-10-16 is not planned") {
				t.Errorf("exit %d: %s", code, said)
			}
			rows := d.objects("outbox", "reconcile", "--by", "王主任")
			n, enter := ofWhat(rows)
			if n[foundForm] != 1 || len(enter) != 0 {
				t.Errorf("found %v: %v", n, rows)
			}
			got := d.objects("documents", "list", "--state", "issued")
			if len(got) != 1 || got[0].text("id", "number", "date", "year", "n", "channel") != want[0].text("id", "number", "date", "year", "n", "channel") {
				t.Errorf("restored %v, it was %v", got, want)
			}
			d.ok("run", "all")
			if now := taken(s); !maps.Equal(now, was) {
				t.Errorf("taken %v, it was %v", now, was)
			}
			if out := d.ok("outbox", "release", mailed[1], "--by", "李敏"); !strings.Contains(out, "督办〔2024〕2号") {
				t.Errorf("the register goes on with %s", out)
			}
			d.ok("run", "all")
			for mail, n := range taken(s) {
				if n != 1 {
					t.Errorf("%s was taken %d times", mail, n)
				}
			}
		})
	}
}

// TestOrdinaryWorkIsNotTakenForARestore: what a crash, a trial, another transport or another database leaves in the archive
// keeps no letter back.
func TestOrdinaryWorkIsNotTakenForARestore(t *testing.T) {
	archived := func(t *testing.T, d *desk) *archive.Archive {
		t.Helper()
		a, err := archive.Open(d.env["DUBAN_MAIL_ARCHIVE_DIR"])
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Run("a worker that died before its receipts were written", func(t *testing.T) {
				d, dsn, s := posted(t, e)
				d.on("2024-09-25")
				d.ok("pause", "--by", "李敏", "--why", "演练")
				d.ok("run", "all")
				d.ok("resume")
				st := storetest.Reopen(t, dsn)
				letters, err := st.ClaimNotices(t.Context(), notice.ClaimFilter{}, 9, time.Second, time.Hour)
				if err != nil || len(letters) == 0 {
					t.Fatal(err)
				}
				for _, n := range letters {
					if _, err := st.Commit(t.Context(), []notice.Mark{{ID: n.ID, Token: n.Token, Date: n.Key.Date}}, nil); err != nil {
						t.Fatal(err)
					}
					acc := archive.Acceptance{
						Jurisdiction: "town", Date: n.Key.Date, Notice: n.ID, MessageID: "<" + n.ID + "@sfj.example>", Unit: n.Key.Unit, To: n.Facts.Recipients[0].Email,
						SHA256: strings.Repeat("ab", 32), At: time.Now(),
					}
					if err := archived(t, d).Accepted(acc); err != nil {
						t.Fatal(err)
					}
				}
				alter(t, behind(t, dsn), "UPDATE notices SET lease = '2020-01-01 00:00:00.000' WHERE state = 'sending'")
				before := len(taken(s))
				if code, out, said := d.call("", "run", "all"); code != exitDone || len(taken(s)) != before+len(letters) {
					t.Errorf("exit %d, %d letters: %s%s", code, len(taken(s))-before, out, said)
				}
			})
			for name, c := range map[string]map[string]string{
				"a trial run":         {"DUBAN_MAIL_REDIRECT_TO": "trial@sfj.example"},
				"letters into a file": {"DUBAN_MAIL_TRANSPORT": "file", "DUBAN_MAIL_SMTP_HOST": ""},
			} {
				t.Run(name, func(t *testing.T) {
					d, dsn, _ := posted(t, e)
					backup := d.backup(e, dsn)
					d.on("2024-09-25")
					was := map[string]string{}
					for k, v := range c {
						was[k] = d.env[k]
						d.env[k] = v
					}
					d.ok("run", "all")
					d.env["DUBAN_DATABASE_DSN"] = urlOf(backup)
					if name == "a trial run" {
						for k, v := range was {
							d.env[k] = v
						}
					}
					d.ok("run", "all")
					d.on("2024-09-26")
					d.ok("run", "all")
				})
			}
			t.Run("another database's letters in the same archive", func(t *testing.T) {
				d, _, _ := posted(t, e)
				if err := archived(t, d).Accepted(archive.Acceptance{Jurisdiction: "elsewhere", Date: civil.MustParse("2024-09-25"), Notice: "n1", To: "a@b.example"}); err != nil {
					t.Fatal(err)
				}
				d.on("2024-09-25")
				d.ok("run", "all")
				if out := d.ok("outbox", "reconcile", "--by", "李敏"); !strings.Contains(out, "nothing to do") {
					t.Error(out)
				}
			})
		})
	}
}

func TestWhatTheArchiveHasOfAnUnknownLetterIsKept(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, s := posted(t, e)
			backup := d.backup(e, dsn)
			d.on("2024-09-25")
			d.ok("run", "all")
			was := taken(s)
			dir := d.env["DUBAN_MAIL_ARCHIVE_DIR"]
			a, err := archive.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			// A letter that nothing here would plan; one whose bytes were lost; a line that a crash cut off.
			key := notice.Key{Jurisdiction: "town", Date: civil.MustParse("2024-09-25"), Unit: "zzb", Role: "liaison", Kind: notice.UnitLetter}
			if err := a.Accepted(archive.Acceptance{Jurisdiction: "town", Date: key.Date, Notice: key.ID(), MessageID: "<" + key.ID() + "@x>", Unit: "zzb", To: "qian@zzb.example", SHA256: strings.Repeat("cd", 32)}); err != nil {
				t.Fatal(err)
			}
			day := filepath.Join(dir, "town", "2024-09-25")
			files, err := a.Files("town", key.Date)
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			if err := os.WriteFile(filepath.Join(day, files[0].Name), []byte("lost"), 0o600); err != nil {
				t.Fatal(err)
			}
			journal, err := os.OpenFile(filepath.Join(day, "accepted.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := journal.WriteString(`{"notice":"torn`); err != nil {
				t.Fatal(err)
			}
			if err := journal.Close(); err != nil {
				t.Fatal(err)
			}
			d.env["DUBAN_DATABASE_DSN"] = urlOf(backup)
			d.fails(exitUsage, []string{"outbox", "reconcile"}, "--by")
			d.fails(exitUsage, []string{"outbox", "reconcile", "--by", "王主任", "--archive", filepath.Join(dir, "nowhere")}, "--archive DIR")
			rows := d.objects("outbox", "reconcile", "--by", "王主任")
			n, _ := ofWhat(rows)
			if n[foundKept] != 1 || n[foundTorn] != 1 || n[foundDamaged] != 2 || n[foundProven] != len(was)-2 && n[foundProven] == 0 {
				t.Errorf("%v: %v", n, rows)
			}
			for _, o := range rows {
				if strings.Contains(fmt.Sprint(o), "@zzb.example") {
					t.Errorf("an address stands open: %v", o)
				}
			}
			d.ok("run", "all")
			if now := taken(s); !maps.Equal(now, was) {
				t.Errorf("taken %v, it was %v", now, was)
			}
			// Interrupted, it keeps letters back until it is gone through.
			st := storetest.Reopen(t, backup)
			if err := st.SetMeta(t.Context(), "reconciling_town", `{"by":"王主任","days":["2024-09-25"]}`); err != nil {
				t.Fatal(err)
			}
			if code, _, said := d.call("", "run", "all"); code != exitFailed || !strings.Contains(said, "was interrupted") {
				t.Errorf("exit %d: %s", code, said)
			}
			d.ok("outbox", "reconcile", "--by", "王主任")
			d.ok("run", "all")
			if now := taken(s); !maps.Equal(now, was) {
				t.Errorf("taken %v, it was %v", now, was)
			}
		})
	}
}

func TestDocumentMarks(t *testing.T) {
	for text, want := range map[string]marks{
		"　　编号：崂法督〔2024〕12号\n督办依据：《方案》（青崂政办字〔2024〕14号）\n　　　　青岛市崂山区司法局\n　　2024年9月27日\n": {"崂法督〔2024〕12号", 12, civil.MustParse("2024-09-27")},
		"　　　　　通报〔2025〕3号\n　　2025年1月6日":   {"通报〔2025〕3号", 3, civil.MustParse("2025-01-06")},
		"根据（青崂政办字〔2024〕14号），2024年9月27日前": {},
		"编号：\n2024年13月40日\n":             {},
		"":                               {},
	} {
		if got := documentMarks(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

func TestWhatADigestSaysWasEntered(t *testing.T) {
	const text = "　　一、请今日处理\n　　1. 新报送9项次：不在此节。\n　　三、较上期（9月24日）变化\n　　1. 新增超期2项次：区甲局第1项、区甲局第2项。\n" +
		"　　2. 新报送2项次：区甲局第3项（9月）、区乙局第4项。\n　　3. 新开立5项次。\n　　4. 暂停催办1处：区乙局。\n　　四、今后十个工作日\n　　1. 办结1项次：不在此节。\n"
	want := []string{"新报送2项次：区甲局第3项（9月）、区乙局第4项", "暂停催办1处：区乙局"}
	if got := changeLines(text); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	units := []task.Unit{{Code: "a", Name: "区甲局"}, {Code: "long", Name: "区甲局一分局"}}
	for name, want := range map[string]string{
		"区甲局第3项（9月）": "a|3|9月", "区甲局一分局第56项": "long|56|", "区甲局方案二第1-2项": "a|1-2|", "区丙局第1项": "||", "区甲局": "||", "": "||",
	} {
		unit, row, part := namedItem(name, units)
		if got := unit + "|" + row + "|" + part; got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func FuzzArchivedText(f *testing.F) {
	f.Add("　　编号：崂法督〔2024〕12号\n　　三、较上期（9月24日）变化\n　　1. 新报送1项次：区甲局第3项（9月）。\n2024年9月27日")
	f.Fuzz(func(t *testing.T, text string) {
		m := documentMarks(text)
		if m.number != "" && (!strings.Contains(text, m.number) || m.n <= 0) {
			t.Errorf("%+v", m)
		}
		for _, line := range changeLines(text) {
			if strings.Contains(line, "\n") {
				t.Errorf("%q", line)
			}
			for _, name := range changed(line) {
				namedItem(name, []task.Unit{{Code: "a", Name: "区甲局"}})
			}
		}
		itemsApart(notice.Notice{Facts: notice.Facts{Overdue: []notice.Item{{Row: "1", Title: text}}}}, text)
	})
}

// TestTheOperationsLetterTellsThatTheArchiveKnowsMore: it leaves where no other letter does, but not a second time.
func TestTheOperationsLetterTellsThatTheArchiveKnowsMore(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, relay := posted(t, e)
			operated(d)
			backup := d.backup(e, dsn)
			d.on("2024-09-25")
			d.ok("run", "all")
			d.ok("run", "health")
			was := taken(relay)
			d.env["DUBAN_DATABASE_DSN"] = urlOf(backup)
			if code, _, said := d.call("", "run", "health"); code != exitFailed || !strings.Contains(said, "no letters leave") {
				t.Errorf("the letter of a day on which it left: exit %d: %s", code, said)
			}
			d.on("2024-09-26")
			d.ok("run", "health")
			text := d.operationsLetter("2024-09-26").text("state", "subject", "text")
			if !strings.HasPrefix(text, "sent") || !strings.Contains(text, "数据库恢复后，档案中有") || !strings.Contains(text, "duban outbox reconcile --archive") {
				t.Errorf("%s", text)
			}
			fresh := 0
			for mail, n := range taken(relay) {
				if was[mail] == 0 {
					fresh++
				}
				if n != 1 {
					t.Errorf("%s was taken %d times", mail, n)
				}
			}
			if fresh != 2 { // both readers of the operations letter
				t.Errorf("%d mails left", fresh)
			}
			s, err := store.Open(t.Context(), urlOf(backup), "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			_, _, url := watchedPages(t, d, s)
			if code, body, _ := fetch(t, "GET", url+"/readyz"); code != 503 || !strings.Contains(body, "FAIL archive of town: no letters leave") {
				t.Errorf("%d\n%s", code, body)
			}
			if _, body, _ := fetch(t, "GET", url+"/metrics"); !strings.Contains(body, `duban_sending{jurisdiction="town",state="archive"} 1`) {
				t.Errorf("%s", body)
			}
		})
	}
}

func TestIsPart(t *testing.T) {
	for _, c := range []struct {
		instance, part string
		want           bool
	}{
		{"2024-09", "9月", true}, {"2024-09", "2024年9月", true}, {"2024-12", "2月", false}, {"2023-09", "2024年9月", false},
		{"2024Q2", "第二季度", true}, {"2024Q2", "2024年第二季度", true}, {"2024Q3", "第二季度", false}, {"2023Q2", "2024年第二季度", false},
		{"2024H1", "上半年", true}, {"2024H2", "上半年", false}, {"2024", "2024年", true}, {"2024", "2023年", false}, {"2024Q2", "上半年", false},
		{"m1", "第二季度", false}, {"2024Q2", "另案", false},
	} {
		if got := isPart(c.instance, c.part); got != c.want {
			t.Errorf("%s, named %s: %t", c.instance, c.part, got)
		}
	}
}
