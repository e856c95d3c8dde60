package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

// townOn is the town in a database of its own on the engine.
func townOn(t *testing.T, e storetest.Engine, day string) *desk {
	t.Helper()
	d := newDesk(t, day)
	d.env["DUBAN_DATABASE_DSN"] = urlOf(e.DSN(t))
	d.ok("migrate")
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	return d
}

// beside is the desk of another clerk at the same database, with files of his own.
func (d *desk) beside(day string) *desk {
	other := newDesk(d.t, day)
	other.env["DUBAN_DATABASE_DSN"] = d.env["DUBAN_DATABASE_DSN"]
	return other
}

const (
	laterUrging = "versions: [{ladder: {monthly: [{step: T-3, rung: reminder}, {step: T+3, rung: urging}]}}]\n"
	localDay    = `{"region":"示例","years":[{"year":2024,"days":[{"date":"2024-09-27","name":"肉孜节","off":true,"local":true}]}]}`
)

func TestTheFirstPlanningLoadsWhatItPlansBy(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	if out := d.ok("config", "versions"); !strings.Contains(out, "nothing matches") {
		t.Errorf("before the first planning:\n%s", out)
	}
	d.ok("run", "all")
	first := d.objects("config", "versions")
	if len(first) != 3 {
		t.Fatalf("%v", first)
	}
	for i, kind := range []string{"policy", "calendar", "template"} {
		if got := first[i].text("jurisdiction", "kind", "on", "by", "in_force", "here"); got != "town "+kind+" 2024-01-01 first use true true" || first[i]["body"] != nil {
			t.Errorf("%v", first[i])
		}
	}
	for range 2 {
		d.on("2024-09-27")
		d.ok("run", "all", "--again")
	}
	if again := d.objects("config", "versions"); !reflect.DeepEqual(again, first) {
		t.Errorf("the next day:\n%v\nwant\n%v", again, first)
	}
	if out := d.ok("config", "load", "--by", "李敏"); strings.Count(out, "is in force") != 3 || len(d.objects("config", "versions")) != 3 {
		t.Errorf("loading the same:\n%s", out)
	}
	// The letters' receipts name the same policy and calendar.
	shown := d.objects("outbox", "show", d.objects("outbox", "list")[0].text("id"))[0]
	v := shown["versions"].(map[string]any)
	if v["policy"] != first[0]["hash"] || v["calendar"] != first[1]["hash"] || v["template"] != first[2]["hash"] {
		t.Errorf("the letter was decided by %v, and loaded is %v", v, first)
	}
}

// TestTwoWorkersWithDifferentPolicies: the second plans nothing and says so, whichever of the two it is, until its files are
// loaded; then it is the first that waits.
func TestTwoWorkersWithDifferentPolicies(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			first := townOn(t, e, "2024-09-26")
			second := first.beside("2024-09-27")
			second.env["DUBAN_DEFAULTS_POLICY"] = second.file("policy.yaml", laterUrging)
			first.ok("run", "all")
			loaded := first.objects("config", "versions")
			letters := len(first.objects("outbox", "list"))

			refused := second.fails(exitUsage, []string{"run", "all"}, "nothing of town is planned", "this worker's policy is ", loaded[0].text("hash"),
				"was loaded on 2024-09-26 09:30; ", "config versions --jurisdiction town` says who", "duban config load --jurisdiction town --by NAME", "newest files")
			if strings.Contains(refused, "first use") {
				t.Errorf("it names who loaded them, and goes into the log: %s", refused)
			}
			if strings.Contains(refused, "calendar") || strings.Contains(refused, "template") {
				t.Errorf("it names what is the same: %s", refused)
			}
			if n := len(first.objects("outbox", "list")); n != letters {
				t.Errorf("%d letters, and there were %d", n, letters)
			}
			if rows := second.objects("config", "versions"); len(rows) != 3 || rows[0].text("here") != "false" || rows[1].text("here") != "true" {
				t.Errorf("%v", rows)
			}
			if _, out, _ := second.call("", "doctor"); !strings.Contains(out, "FAIL  versions       town: nothing is planned: this worker's policy is ") {
				t.Errorf("doctor says\n%s", out)
			}
			second.fails(exitUsage, []string{"config", "load"}, "by")
			second.fails(exitUsage, []string{"config", "load", "--by", "李敏", "--jurisdiction", "nowhere"}, "there is no jurisdiction")
			out := second.ok("config", "load", "--by", "李敏", "--why", "催办晚一天")
			for _, must := range []string{"loaded in the place of " + loaded[0].text("hash"), "policy from the beginning: ladder of monthly\n", "calendar", "is in force", "duban preview"} {
				if !strings.Contains(out, must) {
					t.Errorf("%q is not in\n%s", must, out)
				}
			}
			second.ok("run", "all")
			first.on("2024-09-28")
			first.ok("run", "all") // it was given no rules of its own, and goes on under those in force
			first.on("2024-09-29")
			first.env["DUBAN_DEFAULTS_REPORT_DAY"] = "10" // now it was
			first.fails(exitUsage, []string{"run", "all"}, "was loaded on 2024-09-27 09:30; ")
			if rows := first.objects("config", "versions"); len(rows) != 4 || rows[3].text("by", "why", "in_force", "here") != "李敏 催办晚一天 true false" ||
				rows[0].text("in_force", "here") != "false true" {
				t.Errorf("%v", rows)
			}
		})
	}
}

// TestWhatStopsAWorker: other settings of planning do, other settings do not.
func TestWhatStopsAWorker(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	d.ok("run", "all")
	for name, c := range map[string]struct {
		key, value string
		stops      string // the kind; empty: it plans
	}{
		"report day":         {"DUBAN_DEFAULTS_REPORT_DAY", "12", "policy"},
		"cap":                {"DUBAN_DEFAULTS_WEEKLY_CAP", "0", "policy"},
		"confirm":            {"DUBAN_DEFAULTS_CONFIRM", "required", "policy"},
		"in use from":        {"DUBAN_DEFAULTS_LIVE_FROM", "2024-01-01", "policy"},
		"policy file":        {"DUBAN_DEFAULTS_POLICY", d.file("later.yaml", laterUrging), "policy"},
		"calendar":           {"DUBAN_CALENDAR_OVERRIDES", d.file("local.json", localDay), "calendar"},
		"the same in a file": {"DUBAN_DEFAULTS_POLICY", d.file("same.yaml", "# as it is built in\nversions: []\n"), ""},
		"an empty override":  {"DUBAN_CALENDAR_OVERRIDES", d.file("empty.json", `{"years":[]}`), ""},
		"log level":          {"DUBAN_LOG_LEVEL", "error", ""},
		"mail host":          {"DUBAN_MAIL_SMTP_HOST", "mx.example", ""},
		"zone, the same day": {"DUBAN_ZONE", "Asia/Chongqing", ""},
		"window":             {"DUBAN_DEFAULTS_WINDOW_TO", "18:00", ""},
		"the contact":        {"DUBAN_DEFAULTS_LETTER_CONTACT_PHONE", "0532-88997777", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d.env[c.key] = c.value
			defer delete(d.env, c.key)
			code, out, errOut := d.call("", "run", "all", "--again")
			switch {
			case c.stops == "" && code != exitDone:
				t.Errorf("exit %d\n%s%s", code, out, errOut)
			case c.stops != "" && (code != exitUsage || !strings.Contains(errOut, "this worker's "+c.stops+" is ")):
				t.Errorf("exit %d, want %d\n%s%s", code, exitUsage, out, errOut)
			}
		})
	}
	if rows := d.objects("config", "versions"); len(rows) != 3 {
		t.Errorf("something was loaded on the way: %v", rows)
	}
}

func TestLoadingSaysWhatChanges(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	d.env["DUBAN_DEFAULTS_POLICY"] = d.file("a.yaml", "versions: [{staff: {soft: 原则上}}, {from: 2024-12-01, ladder: {monthly: []}}, {from: 2025-01-01, ladder: {weekly: []}}]\n")
	d.ok("run", "all")
	d.env["DUBAN_DEFAULTS_POLICY"] = d.file("b.yaml", "versions: [{rungs: {form: {word: 督办函}}}, {from: 2024-12-01, ladder: {monthly: []}, rungs: {form: {word: 督办通知单}}, staff: {soft: 原则上}}, {from: 2025-02-01}]\n")
	d.env["DUBAN_DEFAULTS_REPORT_DAY"] = "12"
	d.env["DUBAN_DEFAULTS_LIVE_FROM"] = "2024-01-01"
	d.env["DUBAN_CALENDAR_OVERRIDES"] = d.file("local.json", localDay)
	rows := d.objects("config", "load", "--by", "李敏")
	got := ""
	for _, r := range rows {
		got += fmt.Sprintln(r.text("kind", "loaded", "changes"))
	}
	want := "policy true [report_day: 10 → 12 live_from: none → 2024-01-01 policy from the beginning: rung form policy from the beginning: staff " +
		"policy from 2025-01-01: taken out policy from 2025-02-01: added]\n" +
		"calendar true [2024-09-27: weekday → local holiday 肉孜节]\ntemplate false <nil>\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The cached columns are those of the new files at the next planning, and a copy planned before is refused by its seq.
	d.on("2024-09-29")
	d.ok("run", "all")
	delete(d.env, "DUBAN_CALENDAR_OVERRIDES")
	if out := d.ok("config", "load", "--by", "李敏"); !strings.Contains(out, "2024-09-27: local holiday 肉孜节 → weekday\n") {
		t.Errorf("back again:\n%s", out)
	}
}

// TestTemplatesAreLoadedByTheNewerProgram, and the older one stops.
func TestTemplatesAreLoadedByTheNewerProgram(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	d.ok("run", "all")
	d.change("UPDATE versions SET hash = 'ffffffffffff', body = '1' WHERE kind = 'template'")
	d.on("2024-09-27")
	d.ok("run", "all")
	rows := d.objects("config", "versions")
	if last := rows[len(rows)-1]; len(rows) != 4 || last.text("kind", "by", "here") != "template newer program true" {
		t.Fatalf("%v", rows)
	}
	d.change("UPDATE versions SET hash = 'eeeeeeeeeeee', body = '999' WHERE kind = 'template' AND loaded_by = 'newer program'")
	d.on("2024-09-28")
	for _, args := range [][]string{{"run", "all"}, {"config", "load", "--by", "李敏"}} {
		out := d.fails(exitUsage, args, "this worker's template is ", "eeeeeeeeeeee was loaded", "this program is older", "update it")
		if strings.Contains(out, "config load") {
			t.Errorf("%v: it advises what does not help: %s", args, out)
		}
	}
	d.change("UPDATE versions SET body = 'x' WHERE hash = 'eeeeeeeeeeee'")
	d.fails(exitFailed, []string{"run", "all"}, "layout", "no number")
}

// TestSettingsAreMadeOfTheRowsAsOfTheFiles: for the bundled jurisdictions with overrides, policy versions and keys of their
// own, what was loaded makes the settings that the files make.
func TestSettingsAreMadeOfTheRowsAsOfTheFiles(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			s := e.Open(t)
			d := story(t, s, "2024-09-26", "2024-09-26")
			desk := newDesk(t, "2024-09-26")
			d.policies = &policies{cfg: parsed(t, desk, "calendar: {overrides: ["+desk.file("local.json", localDay)+"]}\njurisdictions:\n"+
				"  jinan: {policy: "+desk.file("p.yaml", "versions: [{staff: {soft: 原则上}}, {from: 2024-12-01, ladder: {monthly: []}}]")+", report_day: 12, roll: next, ranking: true}\n"+
				"  laoshan: {confirm: required, weekly_cap: 0, live_from: 2024-01-01, accept_after_workdays: 7, close_grace_workdays: 2, name_domains: [laoshan.gov.cn]}\n"), bundled: bundledPolicy}
			for _, code := range d.codes {
				if err := d.prepare(t.Context(), s, code); err != nil {
					t.Fatal(err)
				}
			}
			// The rows count, whatever files there are now; what is no part of them is the present.
			files := d.policies
			plain := parsed(t, desk, "jurisdictions: {laoshan: {name_domains: [laoshan.gov.cn]}}\n")
			d.policies = &policies{cfg: plain}
			rows, err := d.policiesOf(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range d.codes {
				want, err := files.settings(code)
				if err != nil {
					t.Fatal(err)
				}
				got, err := rows.settings(code)
				if err != nil {
					t.Fatal(err)
				}
				hash, err := policyHash(got)
				if err != nil || hash != want.Versions.Policy || got.Versions != want.Versions || got.Calendar.Hash() != want.Calendar.Hash() {
					t.Errorf("%s: rows %s %+v, files %+v (%v)", code, hash, got.Versions, want.Versions, err)
				}
				caches, _ := rows.hash(code)
				if old, err := files.hash(code); err != nil || caches != old {
					t.Errorf("%s: the caches would be rebuilt (%v)", code, err)
				}
				got.Calendar, want.Calendar = nil, nil
				if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); a != b {
					t.Errorf("%s: rows\n%s\nfiles\n%s", code, a, b)
				}
			}
			if err := d.checkVersions(t.Context(), s, "jinan"); err == nil {
				t.Error("the plain files are not those loaded, and nothing is said")
			}
			d.policies = rows
			if err := d.checkVersions(t.Context(), s, "jinan"); err != nil {
				t.Errorf("what was loaded differs from itself: %v", err)
			}
		})
	}
}

func parsed(t *testing.T, d *desk, text string) config.Config {
	t.Helper()
	cfg, err := config.Load(d.file("duban.yaml", text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestNothingSecretIsLoaded: no password, address or contact of the configuration stands in what is kept.
func TestNothingSecretIsLoaded(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	for key, value := range map[string]string{
		"DUBAN_MAIL_SMTP_PASSWORD": "hunter2secret", "DUBAN_MAIL_SMTP_USERNAME": "clerk@sfj.example", "DUBAN_DEFAULTS_DIGEST_TO": "chief@sfj.example",
		"DUBAN_DEFAULTS_LETTER_CONTACT_NAME": "王秘书", "DUBAN_DEFAULTS_LETTER_CONTACT_PHONE": "0532-88997777", "DUBAN_MAIL_REDIRECT_TO": "trial@sfj.example",
	} {
		d.env[key] = value
	}
	d.ok("run", "open")
	s := storetest.Reopen(t, d.env["DUBAN_DATABASE_DSN"])
	all, err := s.Versions(t.Context(), "town", "")
	if err != nil || len(all) != 3 {
		t.Fatalf("%v %v", all, err)
	}
	for _, v := range all {
		if len(v.Body) == 0 {
			t.Errorf("%s has no body", v.Kind)
		}
		for _, secret := range []string{"hunter2secret", "sfj.example", "王秘书", "88997777", d.dir} {
			if bytes.Contains(v.Body, []byte(secret)) {
				t.Errorf("%s holds %q", v.Kind, secret)
			}
		}
	}
}

// TestAPlanThatLoadingOvertookIsNotMadeAgain: the worker has planned by its files when others are loaded; its seq is refused,
// and what it tries then is refused for its files.
func TestAPlanThatLoadingOvertookIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	d.ok("run", "all")
	a, s := d.opened()
	j, err := s.Jurisdiction(t.Context(), "town")
	if err != nil {
		t.Fatal(err)
	}
	work := a.inStep(s, s)
	if _, err := work.Write(t.Context(), "town", j.Seq, task.Batch{}); err != nil {
		t.Fatalf("in step: %v", err)
	}
	other := d.beside("2024-09-26")
	other.env["DUBAN_DEFAULTS_WEEKLY_CAP"] = "0"
	other.ok("config", "load", "--by", "李敏")
	var stale staleError
	if _, err := work.Write(t.Context(), "town", j.Seq+2, task.Batch{}); !errors.As(err, &stale) {
		t.Errorf("opened by old files: %v", err)
	}
	if err := work.SavePlan(t.Context(), "town", j.Seq+2, run.DayPlan{}); !errors.As(err, &stale) {
		t.Errorf("planned by old files: %v", err)
	}
	var usage usageError
	if !errors.As(error(stale), &usage) || usage.Error() != stale.Error() {
		t.Errorf("it is no mistake in the configuration: %v", usage)
	}
}

// opened is the program at the desk with its database open, in mid-command.
func (d *desk) opened() (*app, *store.Store) {
	d.t.Helper()
	a := &app{
		in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}, clock: func() time.Time { return d.now },
		env: func(k string) (string, bool) { v, ok := d.env[k]; return v, ok },
	}
	s, err := a.open(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = a.close() })
	return a, s
}

func TestWhatIfPolicies(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	d.ok("run", "all")
	a, s := d.opened()
	policyFile, calendarFile := d.file("later.yaml", laterUrging), d.file("local.json", localDay)
	friday := civil.MustParse("2024-09-27")
	for name, c := range map[string]struct {
		policy, calendar, code string
		steps                  int // of a monthly duty
		workday                bool
	}{
		"nothing":           {"", "", "", 6, true},
		"a policy":          {policyFile, "", "", 2, true},
		"a calendar":        {"", calendarFile, "town", 6, false},
		"both":              {policyFile, calendarFile, "town", 2, false},
		"of another county": {policyFile, calendarFile, "elsewhere", 6, true},
	} {
		p, err := a.policiesWith(c.policy, c.calendar, c.code)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		set, err := p.settings("town")
		if err != nil || len(set.Ladder[task.Monthly]) != c.steps || set.Calendar.IsWorkday(friday) != c.workday {
			t.Errorf("%s: %d steps, workday %t, %v", name, len(set.Ladder[task.Monthly]), set.Calendar.IsWorkday(friday), err)
		}
		if err := a.under(p).checkVersions(t.Context(), s, "town"); err != nil {
			t.Errorf("%s: a question is refused: %v", name, err)
		}
	}
	if set, err := a.policies.settings("town"); err != nil || len(set.Ladder[task.Monthly]) != 6 || !set.Calendar.IsWorkday(friday) {
		t.Errorf("the question changed what is in force: %v", err)
	}
	for _, c := range [][2]string{
		{filepath.Join(d.dir, "none.yaml"), ""}, {"", filepath.Join(d.dir, "none.json")}, {calendarFile + "x", ""},
		{d.file("bad.yaml", "versions: 3"), ""}, {"", d.file("bad.json", "{}")},
	} {
		var usage usageError
		if _, err := a.policiesWith(c[0], c[1], ""); !errors.As(err, &usage) || !strings.Contains(err.Error(), c[0]+c[1]) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func FuzzReadVersions(f *testing.F) {
	for _, s := range []string{`{"report_day":10,"roll":"keep","live_from":"2024-01-01","versions":[{"From":"","Ladder":{"monthly":[{"step":"T","rung":"reminder"}]}}]}`, `{}`, `null`, `[`, `{"versions":[{}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := readVersions([]run.Version{{Kind: run.PolicyVersion, Seq: 1, Hash: "h", Body: body}})
		if err != nil {
			return
		}
		p := &policies{cfg: config.Default(), loaded: map[string]loadedRules{"town": in}}
		set, err := p.settings("town")
		if err != nil || set.Versions.Policy != "h" || len(set.Later) != len(in.policy.Versions)-1 {
			t.Fatalf("%v: %+v", err, set)
		}
	})
}

// TestLoadingSaysWhatCountsFromThePast loads versions of the policy from a day ahead, from today, and from days past.
func TestLoadingSaysWhatCountsFromThePast(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-26")
	d.ok("run", "all")
	for from, past := range map[string]bool{"2024-09-25": true, "2024-01-02": true, "2024-09-26": false, "2024-10-08": false} {
		d.env["DUBAN_DEFAULTS_POLICY"] = d.file("policy.yaml", "versions: [{ladder: {}}, {from: "+from+", ladder: {monthly: [{step: T-3, rung: reminder}, {step: T+4, rung: urging}]}}]\n")
		out := d.ok("config", "load", "--by", "李敏")
		if !strings.Contains(out, "policy from "+from+": added") || strings.Contains(out, "policy from "+from+": that day is past: ") != past {
			t.Errorf("from %s:\n%s", from, out)
		}
	}
}
