package main

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"
)

// readingKeys are the documented fields of a reading; every one is there, null or empty where the cell says nothing.
var readingKeys = []string{
	"text", "understood", "ambiguous", "provisional", "soft", "milestones", "standing", "alternatives", "recurrence", "recurrences",
	"quota", "condition", "reason",
}

func TestParseDeadlineAnswersEveryLineWithOneObject(t *testing.T) {
	cases := []struct{ in, want string }{ // want holds the documented fields as they stand in the line, in order
		{"2024年底前取得阶段性成效，长期坚持", `"understood":true,"ambiguous":false,"provisional":false,"soft":"","milestones":[{"due":"2024-12-31","label":"stage","text":"取得阶段性成效"}],"standing":true,"alternatives":[],"recurrence":null,"recurrences":[],"quota":null,"condition":null,"reason":""`},
		{"", `"understood":false,"ambiguous":false,"provisional":false,"soft":"","milestones":[],"standing":false,"alternatives":[],"recurrence":null,"recurrences":[],"quota":null,"condition":null,"reason":"未写时限"`},
		{"每月25日前", `"milestones":[],"standing":false,"alternatives":[],"recurrence":{"every":"month","dates":["25"],"next":"2024-07-25"},"recurrences":[{"every":"month","dates":["25"],"next":"2024-07-25"}]`},
		{"全年不少于12次", `"quota":{"min":12,"per":"year"},"condition":null`},
		{"   ", `"understood":false`},
		{"机构改革完成后6个月内", `"quota":null,"condition":{"event":"机构改革完成","offset":{"n":6,"unit":"month","dir":"after"}},"reason":""`},
		{"根据上级部署", `"condition":{"event":"上级部署","offset":null}`},
		{"每年10月前", `"understood":true,"ambiguous":true`},
		{"2024年9月31日前", `"understood":false`},
		{"2024-02-30", `"understood":false`},
		{"原则上2024年底前\r", `"soft":"原则上","milestones":[{"due":"2024-12-31"`},
		{strings.Repeat("2024年6月底前、", 120_000), `"understood":false`}, // more than a megabyte: longer than any cell
		{"长期坚持", `"milestones":[],"standing":true`},
	}
	var in strings.Builder
	in.WriteString("\ufeff")
	for _, c := range cases {
		in.WriteString(c.in + "\n")
	}
	d := newDesk(t, "2024-07-08")
	code, out, errOut := d.call(strings.TrimSuffix(in.String(), "\n"), "parse", "deadline", "--issued", "2024-07-08", "--output", "json")
	if code != exitDone || errOut != "" {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	answers := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d lines", len(answers), len(cases))
	}
	for i, c := range cases {
		if !strings.Contains(answers[i], c.want) {
			t.Errorf("%.40q: want %s in\n%.600s", c.in, c.want, answers[i])
		}
		o := lines(t, answers[i])[0]
		for _, k := range readingKeys {
			if _, there := o[k]; !there {
				t.Errorf("%.40q: the field %s is missing", c.in, k)
			}
		}
		if text := strings.TrimSuffix(c.in, "\r"); len(text) < longestLine && o["text"] != text {
			t.Errorf("%.40q: answered as %q", c.in, o["text"])
		}
		if o["understood"] == false && o["reason"] == "" {
			t.Errorf("%.40q is refused without a reason", c.in)
		}
	}
}

func TestParseDeadlineForPeople(t *testing.T) {
	for in, want := range map[string]string{
		"每月底":            "每月末日（首次2024-07-31）",
		"每季度首月10日前":      "每季度首月10日（首次2024-07-10）",
		"每季度末月25日前":      "每季度末月25日（首次2024-09-25）",
		"每周一、周四":         "每周一、四（首次2024-07-08）",
		"1月15日和7月15日":    "每半年1月15日、7月15日（首次2024-07-15）",
		"每年1月31日前":       "每年1月31日（首次2025-01-31）",
		"收到决定书后24小时内":    "条件未具备：收到决定书后24小时内",
		"2024年10月前":      "2024-09-30；有两种读法，另一种为2024-10-31",
		"2024年9月31日前":    "时限待核定：日期不存在",
		"原则上2024年底前":     "2024-12-31（原则上）",
		"2024年6月底前，长期坚持": "2024-06-30；长期坚持",
		"不少于4次的培训,确保2024年12月前全面完成": "不少于4次；有两种读法，另一种为2024-12-31",
	} {
		_, out, _ := newDesk(t, "2024-07-08").call(in+"\n", "parse", "deadline", "--issued", "2024-07-08")
		if !strings.HasPrefix(out, in+"\t") || !strings.Contains(out, want) {
			t.Errorf("%s: %s\nwant %s", in, out, want)
		}
	}
}

func TestParseUnitsAnswersEveryLineWithOneObject(t *testing.T) {
	cases := []struct{ in, want string }{
		{"市司法局牵头，市财政局配合", `"parties":[{"name":"市司法局","role":"lead","group":false},{"name":"市财政局","role":"support","group":false}]`},
		{"", `"parties":[]`},
		{"各行政执法机关", `"parties":[{"name":"各行政执法机关","role":"responsible","group":true}]`},
		{"???", `"parties":[],"open":false,"understood":false,"reason":"`},
	}
	in := ""
	for _, c := range cases {
		in += c.in + "\n"
	}
	_, out, _ := newDesk(t, "2024-07-08").call(in, "parse", "units", "--output", "json")
	answers := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d lines", len(answers), len(cases))
	}
	for i, c := range cases {
		if want := `{"text":"` + c.in + `",` + c.want; !strings.HasPrefix(answers[i], want) {
			t.Errorf("want %s\ngot  %s", want, answers[i])
		}
	}
}

func TestWorkday(t *testing.T) {
	for _, c := range []struct{ call, want string }{
		{"add 2024-02-02 1", "2024-02-04\n"}, // a Sunday, made up for
		{"add 2024-02-02 1 --output json", `{"from":"2024-02-02","workdays":1,"date":"2024-02-04","provisional":false}` + "\n"},
		{"add 2024-09-26 -3", "2024-09-23\n"},
		{"add 2024-09-26 -3 --output json", `{"from":"2024-09-26","workdays":-3,"date":"2024-09-23","provisional":false}` + "\n"},
		{"add -o json -- 2024-09-26 -3", `{"from":"2024-09-26","workdays":-3,"date":"2024-09-23","provisional":false}` + "\n"},
		{"add 2024-09-30 1", "2024-10-08\n"},
		{"add 2024-06-30 0", "2024-06-30\n"},
		{"add 2026-12-31 3", "2027-01-05  provisional: the holidays of that year are not published\n"},
		{"count 2024-09-13 2024-09-30", "11\n"}, // 14 and 29 are made up for, 15 to 17 is the Mid-Autumn holiday
		{"count 2024-09-13 2024-09-30 -o json", `{"from":"2024-09-13","to":"2024-09-30","workdays":11,"provisional":false}` + "\n"},
		{"count 2026-12-31 2027-01-31 -o json", `{"from":"2026-12-31","to":"2027-01-31","workdays":21,"provisional":true}` + "\n"},
	} {
		d := newDesk(t, "2024-07-08")
		if out := d.ok(append([]string{"workday"}, strings.Fields(c.call)...)...); out != c.want {
			t.Errorf("workday %s: %q, want %q", c.call, out, c.want)
		}
	}
}

func TestWorkdayListAnswersADayPerLine(t *testing.T) {
	d := newDesk(t, "2024-07-08")
	for _, c := range []struct {
		month, line string
		days        int
	}{
		{"2024-02", `{"date":"2024-02-04","workday":true,"reason":"make-up workday","published":true,"name":"春节"}`, 29},
		{"2024-10", `{"date":"2024-10-01","workday":false,"reason":"statutory holiday","published":true,"name":"国庆节"}`, 31},
		{"2024-10", `{"date":"2024-10-19","workday":false,"reason":"weekend","published":true}`, 31},
		{"2027-01", `{"date":"2027-01-01","workday":true,"reason":"weekday","published":false}`, 31},
	} {
		out := d.ok("workday", "list", c.month, "--output", "json")
		if n := strings.Count(out, "\n"); n != c.days || !strings.Contains(out, c.line+"\n") {
			t.Errorf("%s: %d days, want %d with %s\n%s", c.month, n, c.days, c.line, out)
		}
	}
	if out := d.ok("workday", "list", "2024-02"); !strings.Contains(out, "2024-02-04  Sun      yes      make-up workday 春节    yes\n") {
		t.Error(out)
	}
}

func TestWorkdayWithALocalHoliday(t *testing.T) {
	d := newDesk(t, "2024-07-08")
	override := d.file("local.json", `{"years": [{"year": 2024, "days": [{"date": "2024-04-10", "name": "肉孜节", "off": true, "local": true}]}]}`)
	config := d.file("duban.yaml", "jurisdictions: {changji: {calendar_overrides: ["+override+"]}}\n")
	code, out, errOut := d.call("", "--config", config, "workday", "add", "2024-04-09", "1", "--jurisdiction", "changji")
	if code != exitDone || out != "2024-04-11\n" {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if out := d.ok("--config", config, "workday", "add", "2024-04-09", "1"); out != "2024-04-10\n" {
		t.Errorf("a local holiday holds elsewhere: %s", out)
	}
}

func TestVersion(t *testing.T) {
	d := newDesk(t, "2024-07-08")
	if o := d.objects("version")[0]; o["parser"] != 1.0 || o["version"] == nil || !strings.HasPrefix(o.text("go"), "go1.") {
		t.Errorf("%v", o)
	}
	if out := d.ok("version"); !strings.HasPrefix(out, "duban ") || strings.Count(out, "\n") != 1 {
		t.Errorf("%q", out)
	}
}

func TestConfigCheckPrintAndSample(t *testing.T) {
	d := newDesk(t, "2024-07-08")
	if out := d.ok("config", "check"); out != "configuration is good\n" {
		t.Errorf("%q", out)
	}
	sample := d.file("sample.yaml", d.ok("config", "sample"))
	d.ok("--config", sample, "config", "check")
	d.env["DUBAN_DATABASE_DSN"] = "mysql://duban:one-hush@db.example:3306/duban"
	d.env["DUBAN_MAIL_SMTP_PASSWORD"] = "another-hush"
	if out := d.ok("config", "print"); strings.Contains(out, "hush") || !strings.Contains(out, "db.example") {
		t.Errorf("secrets, or no database:\n%s", out)
	}
	printed := d.file("printed.yaml", d.ok("config", "print"))
	d.ok("--config", printed, "config", "check")
	delete(d.env, "DUBAN_DATABASE_DSN")
	for text, hint := range map[string]string{
		"mial: {}\n":                                      "did you mean mail?",
		"schedule: {remind: \"61 9 * * *\"}\n":            "schedule.remind",
		"schedule: {remind: \"0 9 30 2 *\"}\n":            "never fires",
		"schedule: {heartbeat: \"\"}\n":                   "heartbeat",
		"database: {dsn: \"mysql://u:pw@host/db\"}\n":     "password",
		"calendar: {overrides: [/nowhere/calendar.json]}": "/nowhere/calendar.json",
		"zone: Mars/Olympus\n":                            "zone",
	} {
		errOut := d.fails(exitUsage, []string{"--config", d.file("bad.yaml", text), "config", "check"}, hint)
		if strings.Contains(errOut, "pw@") {
			t.Errorf("a password was printed: %s", errOut)
		}
	}
	d.fails(exitUsage, []string{"--config", d.dir + "/none.yaml", "config", "check"}, "none.yaml", "--config")
}

func TestWrongCallsAreAnsweredWithWhatToDo(t *testing.T) {
	d := town(t, "2024-09-26")
	for _, c := range []struct{ call, hint string }{
		{"bogus", "`duban --help` lists them"},
		{"statsu", "did you mean status?"},
		{"parse deadlines", "did you mean deadline?"},
		{"tasks lst", "did you mean list?"},
		{"status extra", "usage: duban status"},
		{"version x", "usage: duban version"},
		{"workday add 2024-09-26", "usage: duban workday add DATE N"},
		{"workday add 2024-09-26 3 4", "usage: duban workday add DATE N"},
		{"workday add 2024-02-30 3", "2024-02-30"},
		{"workday add 2024-09-26 three", "whole number"},
		{"workday add 2024-09-26 99999", "10000"},
		{"workday count 2024-09-26 2024-9-30", "want a day as 2024-06-25"},
		{"workday list 2024-13", "want a month as 2024-06 or 202406"},
		{"workday list 2024", "want a month"},
		{"status --bogus", "see `duban status --help`"},
		{"status --output xml", "want table or json"},
		{"--output xml version", "want table or json"},
		{"version --output=", "want table or json"},
		{"parse deadline --issued 2024-02-30", "--issued"},
		{"obligations list --as-of 2024-02-30", "--as-of"},
		{"obligations list --state late", "waiting, answered"},
		{"obligations list --kind daily", "milestone, weekly"},
		{"obligations list --jurisdiction nowhere", "`duban status` lists them"},
		{"obligations show town/zl2024", "JURISDICTION/PLAN/ROW/UNIT/INSTANCE"},
		{"tasks list --as-of tomorrow", "--as-of"},
		{"tasks list --status odd", "unreadable"},
		{"tasks show town/1", "JURISDICTION/PLAN/ROW"},
		{"outbox list --state lost", "pending, sending"},
		{"outbox list --from 2024-02-30", "--from"},
		{"outbox list --jurisdiction nowhere", "nowhere"},
		{"run bogus", "open monthly-close quarterly-close personnel remind escalate"},
		{"run", "usage: duban run JOB|all"},
		{"run all --date 2024-02-30", "--date"},
		{"run all --jurisdiction nowhere", "nowhere"},
		{"import plan", "usage: duban import plan FILE"},
		{"import plan nowhere.csv", "no such file"},
		{"import plan .", "folder"},
		{"import tasks plan.csv", "there is no command"},
		{"pause --by 李敏", `"why"`},
		{"pause --by= --why x", "--by is empty"},
		{"demo --from 2024-09-30 --to 2024-09-01", "lies after --to 2024-09-01"},
		{"demo --from 2024-02-30", "--from"},
		{"serve now", "usage: duban serve"},
	} {
		d.unchanged(func() { d.fails(exitUsage, strings.Fields(c.call), c.hint) })
	}
}

func TestAFreshRegisterSaysWhatToDoNext(t *testing.T) {
	d := newDesk(t, "2024-09-26")
	d.fails(exitUsage, []string{"status"}, "there is no database at", "duban import units FILE")
	d.ok("migrate")
	if out := d.ok("status"); !strings.Contains(out, "duban import units FILE") {
		t.Error(out)
	}
	d.fails(exitUsage, []string{"run", "all"}, "duban import units FILE")
	d.fails(exitUsage, []string{"import", "plan", d.file("plan.csv", townPlan)}, "--jurisdiction")
	d.fails(exitUsage, []string{"import", "plan", d.file("plan.csv", townPlan), "--jurisdiction", "town"}, "import its units first")
	if rows := d.objects("obligations", "list"); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}

func TestDemoMakesAFolderOfLettersAndMakesItAnew(t *testing.T) {
	d := newDesk(t, "2026-11-20")
	dir := d.dir + "/demo"
	call := []string{"demo", "--dir", dir, "--from", "2024-09-25", "--to", "2024-09-26"}
	first := d.objects(call...)[0]
	if letters, _ := first["letters"].(float64); letters < 50 || first["index"] != dir+"/index.html" || first["need_person"] == 0.0 {
		t.Errorf("%v", first)
	}
	d.env["DUBAN_MAIL_DIR"] = dir + "/letters"
	before := d.letters()
	if again := d.objects(call...)[0]; fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("%v, then %v", first, again)
	}
	same(t, "made anew", before, d.letters())
	index, err := os.ReadFile(dir + "/index.html")
	if err != nil {
		t.Fatal(err)
	}
	sheets := 0
	for name := range before { // each letter is there as mail, and as a page that the index opens, with what goes along with it
		opened := name
		switch path.Ext(name) {
		case ".eml":
			opened = strings.TrimSuffix(name, ".eml") + ".html"
		case ".xlsx":
			sheets++
			if before[strings.TrimSuffix(name, ".1.xlsx")+".eml"] == "" {
				t.Errorf("%s goes along with no letter", name)
			}
		}
		if before[opened] == "" || strings.Count(string(index), `href="letters`+opened+`"`) != 1 {
			t.Errorf("the index does not open %s", name)
		}
	}
	if sheets < 5 { // each bureau's digest brings the full table
		t.Errorf("%d sheets go along with the letters of five bureaus", sheets)
	}
	if rows := d.objects("--db", "sqlite:"+dir+"/duban.db", "outbox", "list", "--from", "2024-09-26"); len(rows) == 0 {
		t.Error("the database the demo names holds no letters")
	}
}

func TestDemoLeavesForeignFoldersAlone(t *testing.T) {
	d := newDesk(t, "2024-09-26")
	d.file("letter.txt", "mine")
	d.fails(exitUsage, []string{"demo", "--dir", d.dir}, "letter.txt", "empty folder")
	d.fails(exitUsage, []string{"--db", "sqlite:x.db", "demo", "--dir", d.dir + "/new"}, "--db")
}

func TestAVariableThatOverridesNothingIsNamed(t *testing.T) {
	d := town(t, "2024-09-02")
	d.env["DUBAN_SMTP_PASSWORD"], d.env["DUBAN_MAIL_REDIRECT_TO"] = "x", "trial@sfj.example"
	if _, _, errOut := d.call("", "config", "check"); strings.Contains(errOut, "overrides no key") {
		t.Error(errOut)
	}
	d.env["DUBAN_MAIL_REDIRECT"], d.env["DUBAN_JURISDICTIONS_NOWHERE_REPORT_DAY"] = "trial@sfj.example", "5"
	code, _, errOut := d.call("", "config", "check")
	for _, name := range []string{`"DUBAN_MAIL_REDIRECT"`, `"DUBAN_JURISDICTIONS_NOWHERE_REPORT_DAY"`} {
		if code != exitDone || !strings.Contains(errOut, name) {
			t.Errorf("exit %d, want %s named: %s", code, name, errOut)
		}
	}
	if strings.Count(errOut, "overrides no key") != 2 {
		t.Error(errOut)
	}
}
