package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// openTown is a town whose register was opened on 2024-07-02.
func openTown(t testing.TB) *desk {
	t.Helper()
	d := town(t, "2024-07-02")
	d.ok("run", "all")
	return d
}

// record runs an `obligations` command on an item of the town.
func (d *desk) record(verb, id string, args ...string) string {
	d.t.Helper()
	return d.ok(append(append([]string{"obligations"}, strings.Fields(verb)...), append([]string{item(id), "--by", "李敏"}, args...)...)...)
}

func TestTheLifeOfAReport(t *testing.T) {
	d := openTown(t)
	const id = "1/jtj/m1"
	d.on("2024-10-10")
	if out := d.record("report", id, "--on", "2024-09-29"); out != item(id)+"  reported: now answered\n" { // typed in late, counts from its day
		t.Error(out)
	}
	d.expect(item(id), "2024-09-28", "waiting 2024-09-30")
	d.expect(item(id), "2024-09-29", "answered 2024-09-30")
	d.expect(item(id), "2024-10-10", "answered 2024-09-30") // the bureau has five workdays, and 1 to 7 October are none
	d.expect(item(id), "2024-10-14", "done 2024-09-30")     // nobody answered
	if o := d.objects("obligations", "show", item(id), "--as-of", "2024-10-14")[0]; o.text("accepted_by_default", "accepted") != "true 2024-10-11" {
		t.Errorf("%v", o)
	}
	out := d.record("return", id, "--due", "2024-10-18", "--why", "缺少附件")
	if out != item(id)+"  returned: now waiting, due 2024-10-18\n" {
		t.Error(out)
	}
	d.on("2024-10-21")
	d.expect(item(id), "2024-10-21", "waiting 2024-10-18 late 1 overdue")
	if out := d.record("accept", id, "--on", "2024-10-21"); out != item(id)+"  accepted: now done, 1 workdays late\n" {
		t.Error(out)
	}
	d.expect(item(id), "2024-12-31", "done 2024-10-18 late 1") // missed stays missed
	if out := d.ok("obligations", "show", item(id), "--as-of", "2024-10-09"); !strings.Contains(out, "reported") || strings.Contains(out, "returned") {
		t.Errorf("what was known on the 9th is not all that is told:\n%s", out)
	}
	d.fails(exitFailed, []string{"obligations", "show", item(id), "--as-of", "2024-06-30"}, "opened on 2024-07-01")
	out = d.ok("obligations", "show", item(id))
	for _, line := range []string{
		"as of 2024-10-21: done, 1 workdays late\n", "nominal 2024-09-30  effective 2024-10-18  assess 2024-10-18\n",
		"2024-09-29  reported  李敏\n", "2024-10-10  returned  李敏        2024-10-18 缺少附件\n", "2024-10-21  accepted  李敏\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not in\n%s", line, out)
		}
	}
}

func TestIllegalEventsSayWhatToDo(t *testing.T) {
	d := openTown(t)
	d.on("2024-09-02")
	d.record("report", "1/jtj/m1")
	d.record("accept", "1/csj/m1")
	d.record("waive", "1/wjj/m1", "--why", "机构撤并")
	by := " --by 李敏"
	for _, c := range []struct {
		call string
		code int
		hint string
	}{
		{"report " + item("2/jtj/m1"), exitUsage, `"by"`},
		{"report --by 李敏", exitUsage, "an argument is missing"},
		{"return " + item("1/jtj/m1") + by, exitUsage, `"due", "why"`},
		{"return " + item("1/jtj/m1") + by + " --due 2024-10-10", exitUsage, `"why"`},
		{"waive " + item("2/jtj/m1") + by, exitUsage, `"why"`},
		{"reopen " + item("1/csj/m1") + by, exitUsage, `"why"`},
		{"extend ask " + item("2/jtj/m1") + by, exitUsage, `"why"`},
		{"extend grant " + item("2/jtj/m1") + by + " --why x", exitUsage, `"due"`},
		{"extend " + item("2/jtj/m1") + by, exitUsage, "unknown flag"},
		{"correct " + item("1/jtj/m1") + by + " --why x", exitUsage, `"seq"`},
		{"report " + item("2/jtj/m1") + by + " --on 2024-02-30", exitUsage, "--on"},
		{"report " + item("2/jtj/m1") + by + " --on 2024-09-03", exitUsage, "has not come yet"},
		{"report " + item("2/jtj/m1") + " nonsense" + by, exitUsage, "JURISDICTION/PLAN/ROW/UNIT/INSTANCE"},
		{"report " + item("2/zzb/m1") + by, exitFailed, "`duban obligations list`"},
		{"report nowhere/a/b/c/d" + by, exitFailed, "not found"},
		{"report " + item("2/jtj/m1") + by + " --on 2024-06-03", exitFailed, "before it was opened on 2024-07-01"},
		{"report " + item("1/jtj/m1") + by, exitFailed, "accept or return that report first"},
		{"report " + item("1/csj/m1") + by, exitFailed, "reopen it first"},
		{"accept " + item("1/csj/m1") + by, exitFailed, "nothing to accept"},
		{"return " + item("2/jtj/m1") + by + " --due 2024-10-10 --why x", exitFailed, "no unanswered report"},
		{"return " + item("1/jtj/m1") + by + " --due 2024-09-02 --why x", exitFailed, "must be after 2024-09-02"},
		{"return " + item("1/jtj/m1") + by + " --due 2024-09-10 --why x", exitFailed, "before 2024-09-30"},
		{"waive " + item("1/wjj/m1") + by + " --why x", exitFailed, "closed already"},
		{"reopen " + item("2/jtj/m1") + by + " --why x", exitFailed, "nothing to reopen"},
		{"confirm " + item("1/jtj/m1") + by, exitFailed, "there is nothing to urge"}, // reported
		{"confirm " + item("1/csj/m1") + by, exitFailed, "there is nothing to urge"}, // done
		{"count " + item("2/jtj/m1") + by + " --ref a", exitFailed, "use report"},
		{"count " + item("4/jtj/2024") + by + " --ref a --n 0", exitFailed, "positive"},
		{"contacted " + item("1/csj/m1") + by, exitFailed, "owes nothing"},
		{"correct " + item("2/jtj/m1") + by + " --why x --seq 99999", exitFailed, "`obligations show`"},
		{"extend grant " + item("2/jtj/m1") + by + " --why x --due 2024-10-01", exitFailed, "not after 2024-10-31"},
		{"extend refuse " + item("2/jtj/m1") + by + " --why x", exitFailed, "no extension was asked"},
		{"extend ask " + item("1/csj/m1") + by + " --why x", exitFailed, "only an open item"},
	} {
		d.unchanged(func() { d.fails(c.code, append([]string{"obligations"}, strings.Fields(c.call)...), c.hint) })
	}
}

func TestWaiveReopenConfirm(t *testing.T) {
	d := openTown(t)
	d.on("2024-09-02")
	d.record("waive", "1/wjj/m1", "--why", "机构撤并")
	d.expect(item("1/wjj/m1"), "2024-09-02", "waived 2024-09-30")
	d.on("2024-09-05")
	if out := d.record("reopen", "1/wjj/m1", "--why", "仍有职责", "--due", "2024-10-31"); !strings.Contains(out, "now waiting, due 2024-10-31") {
		t.Error(out)
	}
	d.expect(item("1/wjj/m1"), "2024-09-04", "waived 2024-09-30")
	d.expect(item("1/wjj/m1"), "2024-09-05", "waiting 2024-10-31 arm 1")

	past := item("10/csj/m1") // May, and the plan is of July
	if o := d.objects("obligations", "show", past)[0]; o.text("past_at_issue", "overdue") != "true false" {
		t.Errorf("%v", o)
	}
	if out := d.ok("obligations", "list", "--row", "10"); !strings.Contains(out, "waiting (to be confirmed)") {
		t.Error(out)
	}
	if out := d.record("confirm", "10/csj/m1"); strings.Contains(out, "checked") {
		t.Error(out)
	}
	if out := d.record("confirm", "2/jtj/m1"); out != item("2/jtj/m1")+"  checked: now waiting, checked: what is due may be urged, due 2024-10-31\n" {
		t.Error(out) // it is not past: a person says that the register is right, and it stays open
	}
	d.expect(item("2/jtj/m1"), "2024-09-05", "waiting 2024-10-31")
	d.expect(past, "2024-09-05", "settled 2024-05-31")
	d.record("reopen", "10/csj/m1", "--why", "未完成", "--due", "2024-11-29")
	d.expect(past, "2024-09-05", "waiting 2024-11-29 arm 1")
}

func TestCountFeedsAQuotaOncePerReference(t *testing.T) {
	d := openTown(t)
	d.on("2024-09-02")
	const id = "4/jtj/2024"
	if out := d.record("count", id, "--ref", "7月"); !strings.Contains(out, "now waiting, 1 counted") {
		t.Error(out)
	}
	d.unchanged(func() {
		d.fails(exitFailed, []string{"obligations", "count", item(id), "--by", "李敏", "--ref", "7月"}, "counted on 2024-09-02 already")
	})
	d.record("count", id, "--ref", "8月", "--n", "2")
	if o := d.objects("obligations", "show", item(id))[0]; o.text("count", "quota", "state") != "3 4 waiting" {
		t.Errorf("%v", o)
	}
	if out := d.ok("obligations", "list", "--kind", "quota"); !strings.Contains(out, "waiting, 3 of 4") {
		t.Error(out)
	}
	d.record("count", id, "--ref", "9月")
	d.expect(item(id), "2024-09-02", "done 2024-12-31")
}

func TestExtensions(t *testing.T) {
	d := openTown(t)
	const id = "2/jtj/m1"
	d.on("2024-10-15")
	d.record("extend ask", id, "--why", "人手不足")
	d.record("extend refuse", id, "--why", "不影响")
	d.expect(item(id), "2024-10-15", "waiting 2024-10-31")
	d.record("extend ask", id, "--why", "系统升级")
	if out := d.record("extend grant", id, "--due", "2024-11-15", "--why", "同意"); !strings.Contains(out, "now waiting, due 2024-11-15") {
		t.Error(out)
	}
	d.expect(item(id), "2024-10-15", "waiting 2024-11-15 arm 1")
	if o := d.objects("obligations", "show", item(id))[0]; o.text("nominal", "effective", "assess") != "2024-10-31 2024-11-15 2024-11-15" {
		t.Errorf("asked in time, judged by: %v", o)
	}
	// Granted unasked after the date: the ladder starts anew, the judgement does not.
	d.on("2024-11-04")
	d.record("extend grant", "2/csj/m1", "--due", "2024-11-29", "--why", "领导批示")
	if o := d.objects("obligations", "show", item("2/csj/m1"))[0]; o.text("effective", "assess") != "2024-11-29 2024-10-31" {
		t.Errorf("%v", o)
	}
}

func TestCorrectVoidsAnEventAndKeepsBothVisible(t *testing.T) {
	d := openTown(t)
	d.on("2024-09-02")
	const id = "1/jtj/m1"
	d.record("report", id)
	events := d.objects("obligations", "show", item(id))[0]["events"].([]any)
	seq := fmt.Sprint(object(events[len(events)-1].(map[string]any))["seq"])
	d.on("2024-09-03")
	d.record("correct", id, "--seq", seq, "--why", "报错单位")
	d.expect(item(id), "2024-09-02", "answered 2024-09-30") // what was known on that day
	d.expect(item(id), "2024-09-03", "waiting 2024-09-30")
	out := d.ok("obligations", "show", item(id))
	if !strings.Contains(out, "reported (voided)  李敏") || !strings.Contains(out, "corrected          李敏        voids "+seq+" 报错单位") {
		t.Error(out)
	}
	d.record("report", id)
	d.expect(item(id), "2024-09-03", "answered 2024-09-30")
}

func TestOneBadIDOfSeveralIsNamedAndTheOthersAreRecorded(t *testing.T) {
	d := openTown(t)
	code, out, errOut := d.call("", "obligations", "accept", item("1/jtj/m1"), item("1/zzb/m1"), item("1/csj/m1"), "--by", "李敏")
	if code != exitFailed || strings.Count(out, "now done") != 2 || !strings.Contains(errOut, item("1/zzb/m1")) {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
}

func TestTriggersOpenWhatWaitedForThem(t *testing.T) {
	d := openTown(t)
	d.on("2024-09-02")
	trigger := func(row string, args ...string) []string {
		return append([]string{"obligations", "trigger", "town/zl2024/" + row, "--by", "李敏"}, args...)
	}
	d.unchanged(func() {
		d.fails(exitFailed, trigger("6"), "根据上级部署", "--due")
		d.fails(exitFailed, trigger("1"), "names no event")
		d.fails(exitFailed, trigger("77"), "`tasks list`")
		d.fails(exitFailed, trigger("6", "--due", "2024-10-31", "--unit", "zzb"), "has no part", "tasks show town/zl2024/6")
		d.fails(exitFailed, trigger("5", "--ref", strings.Repeat("案", 101)), "at most 100 characters")
		d.fails(exitFailed, trigger("5", "--ref", "2024\n017"), "one line")
		d.fails(exitUsage, trigger("5", "--on", "2024-09-03"), "has not come yet")
		d.fails(exitUsage, trigger("5", "--due", "soon"), "--due")
		d.fails(exitUsage, []string{"obligations", "trigger", "town/zl2024/5"}, `"by"`)
		d.fails(exitUsage, []string{"obligations", "trigger", item("5/jtj/m1"), "--by", "李敏"}, "JURISDICTION/PLAN/ROW")
	})
	d.ok("run", "all")
	if out := d.ok(trigger("5", "--on", "2024-08-20")...); !strings.Contains(out, "due 2025-02-20\n") || !strings.Contains(out, "duban run all --again") {
		t.Error(out)
	}
	d.ok(trigger("6", "--due", "2024-10-31", "--unit", "csj")...) // one unit
	d.fails(exitFailed, trigger("6", "--due", "2024-10-31"), "without a reference", "--ref")
	d.ok("run", "all", "--again")
	list := func(row string) string {
		var got []string
		for _, o := range d.objects("obligations", "list", "--row", row) {
			got = append(got, strings.TrimPrefix(o.text("id", "kind", "effective"), "town/zl2024/"))
		}
		return strings.Join(got, ", ")
	}
	if got := list("5"); got != "5/jtj/e:机构改革完成 condition 2025-02-20" {
		t.Error(got)
	}
	if got := list("6"); got != "6/csj/e:上级部署 condition 2024-10-31" {
		t.Error(got)
	}
	d.ok(trigger("6", "--due", "2024-11-29", "--ref", "第二批")...) // every party
	d.ok(trigger("6", "--due", "2024-11-29", "--ref", "3/4", "--unit", "jtj")...)
	d.fails(exitFailed, trigger("6", "--due", "2024-11-29", "--ref", "3-4", "--unit", "jtj"), "already") // the same name for an item
	d.ok("tasks", "clarify", "town/zl2024/7", "--deadline", "开庭前3个工作日内", "--by", "李敏", "--why", "电话确认")
	d.fails(exitFailed, trigger("7"), "counts back", "2024-08-28", "--due")
	d.ok(trigger("7", "--due", "2024-09-20")...)
	d.on("2024-09-03")
	d.ok("run", "all")
	if got := list("7"); got != "7/wjj/e:开庭 clock 2024-09-20" {
		t.Error(got)
	}
	if got, want := list("6"), "6/csj/e:上级部署 condition 2024-10-31, 6/csj/e:第二批 condition 2024-11-29, 6/jtj/e:3-4 condition 2024-11-29, 6/jtj/e:第二批 condition 2024-11-29, 6/wjj/e:第二批 condition 2024-11-29"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if rows := d.objects("tasks", "list", "--status", "awaiting"); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}

func TestTheOutboxMasksAddressesAlsoInWhatAServerSaid(t *testing.T) {
	d := openTown(t)
	d.on("2024-09-25")
	d.ok("run", "all")
	d.change("UPDATE notices SET reason = 'reader permanent: 550 5.1.1 <zhang@jtj.example>: no such user' WHERE unit = 'jtj'")
	d.change("UPDATE attempts SET reply = '250 queued for zhang@jtj.example' WHERE email = 'zhang@jtj.example'")
	id := d.objects("outbox", "list", "--unit", "jtj", "--from", "2024-09-25")[0].text("id")
	for _, args := range [][]string{{"outbox", "list"}, {"outbox", "show", id}, {"outbox", "list", "-o", "json"}, {"outbox", "show", id, "-o", "json"}} {
		if out := d.ok(args...); strings.Contains(out, "zhang@") || !strings.Contains(out, "z***@jtj.example") {
			t.Errorf("%v: %s", args, out)
		}
	}
}

func TestTasksListByStatusAndClarify(t *testing.T) {
	d := openTown(t)
	d.fails(exitUsage, []string{"tasks", "clarify", "town/zl2024/7", "--deadline", "2024年12月31日前", "--on", "2026-01-01", "--by", "李敏", "--why", "x"}, "has not come yet")
	for status, want := range map[string]string{
		"dated": "1 2 10", "recurring": "3 4", "standing": "9", "awaiting": "5 6", "unreadable": "7", "ambiguous": "8", "per-case": "", "personnel": "",
	} {
		var got []string
		for _, o := range d.objects("tasks", "list", "--status", status) {
			got = append(got, strings.TrimPrefix(o.text("id"), "town/zl2024/"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", status, got, want)
		}
	}
	d.on("2024-09-02")
	clarify := func(row, text string, more ...string) []string {
		return append([]string{"tasks", "clarify", "town/zl2024/" + row, "--deadline", text, "--by", "李敏", "--why", "电话请示"}, more...)
	}
	d.unchanged(func() {
		d.fails(exitRefused, clarify("7", "尽快"), "尽快", "one meaning")
		d.fails(exitRefused, clarify("7", "2024年10月前"), "有两种读法")
		d.fails(exitRefused, clarify("7", ""), "one meaning")
		d.fails(exitFailed, clarify("77", "2024年底前"), "`tasks list`")
		d.fails(exitUsage, clarify("7", "2024年底前", "--on", "2024-02-30"), "--on")
		d.fails(exitFailed, clarify("7", "2024年底前", "--on", "2024-06-01"), "as of 2024-06-01")
		d.fails(exitUsage, []string{"tasks", "clarify", "town/zl2024/7", "--deadline", "2024年底前", "--by", "李敏"}, `"why"`)
	})
	// What could not be read opens.
	d.ok(clarify("7", "2024年12月20日前")...)
	d.ok("run", "all")
	d.expect(item("7/wjj/m1"), "2024-09-02", "waiting 2024-12-20")
	// What had two readings moves to the one meant: the earlier date was watched, the later judged.
	before := d.objects("obligations", "show", item("8/wjj/2024"))[0]
	if before.text("effective", "assess", "ambiguous") != "2024-09-30 2024-10-31 true" {
		t.Errorf("%v", before)
	}
	d.ok(clarify("8", "每年10月底前")...)
	after := d.objects("obligations", "show", item("8/wjj/2024"))[0]
	if after.text("effective", "assess", "arm") != "2024-10-31 2024-10-31 1" || after["ambiguous"] != nil {
		t.Errorf("%v", after)
	}
	if rows := d.objects("tasks", "list", "--status", "ambiguous"); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
	d.fails(exitFailed, clarify("7", "2024年11月底前", "--on", "2024-08-01"), "edited from 2024-09-02 on", "--on")
	if out := d.ok("tasks", "show", "town/zl2024/7"); !strings.Contains(out, "适时 → 2024-12-20\n  clarified by 李敏") {
		t.Error(out)
	}
	// Importing the plan again does not undo what a person decided.
	d.unchanged(func() { d.ok("import", "plan", d.file("plan.csv", townPlan)) })
}

func TestPausedLettersAreTakenOverByTheNextWorkdaysAndGoAfterResume(t *testing.T) {
	d := openTown(t)
	left := d.letters()
	d.on("2024-09-25") // T-3 of 30 September
	d.fails(exitUsage, []string{"pause", "--by", "李敏"}, `"why"`)
	if out := d.ok("pause", "--by", "李敏", "--why", "核对联系人"); out != "town  paused\n" {
		t.Error(out)
	}
	if out := d.ok("pause", "--by", "李敏", "--why", "又一次"); out != "town  was paused already\n" {
		t.Error(out)
	}
	if out := d.ok("status"); !strings.Contains(out, "PAUSED by 李敏: 核对联系人") {
		t.Error(out)
	}
	if out := d.ok("run", "all"); !strings.Contains(out, "kept back: paused by 李敏 (核对联系人)") {
		t.Error(out)
	}
	// Beside the letters of the units there are the bureau's: a digest of the day, and the monthly duty's summaries, which were
	// due in July and August and are made up now that somebody runs the days again.
	kept := map[string]int{
		"2024-07-30 summary pending": 1, "2024-08-28 summary pending": 1, "2024-09-25 unit-letter pending": 3, "2024-09-25 bureau-digest pending": 1,
	}
	if n := d.tally("--from", "2024-07-03"); !maps.Equal(n, kept) || !maps.Equal(d.letters(), left) {
		t.Fatalf("%v, %d letters left", n, len(d.letters())-len(left))
	}
	d.on("2024-09-26")
	d.ok("run", "all")
	kept = map[string]int{ // a summary is nobody's list of the day, and is taken over by none
		"2024-07-30 summary pending": 1, "2024-08-28 summary pending": 1, "2024-09-25 unit-letter superseded": 3, "2024-09-25 bureau-digest superseded": 1,
		"2024-09-26 unit-letter pending": 3, "2024-09-26 bureau-digest pending": 1,
	}
	if n := d.tally("--from", "2024-07-03"); !maps.Equal(n, kept) || !maps.Equal(d.letters(), left) {
		t.Fatalf("%v, %d letters left", n, len(d.letters())-len(left))
	}
	if out := d.ok("outbox", "list", "--state", "superseded"); strings.Count(out, "taken over by ") != 4 {
		t.Error(out)
	}
	if out := d.ok("resume"); out != "town  letters may leave\n" {
		t.Error(out)
	}
	if out := d.ok("resume"); out != "town  was not paused\n" {
		t.Error(out)
	}
	d.ok("run", "all") // the day is settled; its letters go
	kept = map[string]int{
		"2024-07-30 summary sent": 1, "2024-08-28 summary sent": 1, "2024-09-25 unit-letter superseded": 3, "2024-09-25 bureau-digest superseded": 1,
		"2024-09-26 unit-letter sent": 3, "2024-09-26 bureau-digest sent": 1,
	}
	if n := d.tally("--from", "2024-07-03"); !maps.Equal(n, kept) {
		t.Errorf("%v", n)
	}
	units := 0
	for name, text := range d.letters() {
		switch {
		case left[name] != "" || strings.HasSuffix(name, ".xlsx"): // the digest of the first day, what goes along with one
		case strings.Contains(name, "-summary-"):
		case !strings.Contains(name, "/2024-09-26/") || !strings.Contains(text, "Date: Thu, 26 Sep 2024"):
			t.Errorf("%s is not the letter of the day it was taken over on:\n%.400s", name, text)
		case !strings.Contains(name, "-bureau-digest-"):
			units++
		}
	}
	if units != 3 {
		t.Errorf("%d letters to units", units)
	}
	before := d.letters()
	d.ok("run", "all", "--again")
	same(t, "after running the day again", before, d.letters())
	// A reader whose letter of an earlier day was taken over gets no other one of that day, whatever came in since.
	bare := edited(t, townPlan, "方案代码,zl2024", "方案代码,zl2025", "示例市行政执法质量提升方案", "示例市另一方案")
	d.ok("import", "plan", d.file("late.csv", bare))
	d.ok("run", "open", "--again")
	d.ok("run", "remind", "--date", "2024-09-25", "--again")
	same(t, "after running the day before again", before, d.letters())
}

// TestALetterOfADeadWorkerIsTakenOverByTheNextWorkdays: it was claimed, its worker was killed, and nothing ran again that
// day.
func TestALetterOfADeadWorkerIsTakenOverByTheNextWorkdays(t *testing.T) {
	d := openTown(t)
	d.on("2024-09-25")
	d.ok("pause", "--by", "李敏", "--why", "核对联系人")
	d.ok("run", "all")
	d.ok("resume")
	d.change("UPDATE notices SET state = 'sending', token = 'dead', lease = '2024-09-25 02:00:00.000' WHERE state = 'pending'")
	d.on("2024-09-26")
	if code, out, errOut := d.call("", "run", "all"); code != exitDone {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	want := map[string]int{
		"2024-09-25 unit-letter superseded": 3, "2024-09-25 bureau-digest superseded": 1, "2024-09-26 unit-letter sent": 3, "2024-09-26 bureau-digest sent": 1,
		"2024-07-30 summary sent": 1, "2024-08-28 summary sent": 1, // taken over by none, and sent once more
	}
	if n := d.tally("--from", "2024-07-03"); !maps.Equal(n, want) {
		t.Errorf("%v", n)
	}
	for name := range d.letters() {
		if strings.Contains(name, "/2024-09-25/") {
			t.Errorf("%s left, and was taken over", name)
		}
	}
}

func TestATrialRunSendsEverythingToOneAddressMarked(t *testing.T) {
	d := openTown(t)
	before := d.letters() // the bureau's digest of the first day, which was no trial
	d.env["DUBAN_MAIL_REDIRECT_TO"] = "trial@sfj.example"
	d.on("2024-10-10")
	d.ok("run", "all")
	kinds := map[string]int{}
	for _, o := range d.objects("outbox", "list", "--state", "sent", "--from", "2024-07-03") {
		kinds[o.text("kind")]++
		if letter := d.letter(o.text("id")); !strings.Contains(letter.text("subject"), "试") {
			t.Errorf("a trial letter is not marked: %s", letter.text("subject"))
		}
	}
	if kinds["unit-letter"] != 3 || kinds["bureau-digest"] != 1 || kinds["summary"] != 3 {
		t.Fatalf("%v", kinds)
	}
	for name, text := range d.letters() {
		if before[name] == text || !strings.HasSuffix(name, ".eml") { // what goes along with a letter lies beside it
			continue
		}
		head, _, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
		if !strings.Contains(head, "trial@sfj.example") {
			t.Errorf("%s does not go to the trial address:\n%s", name, head)
		}
		for _, real := range []string{"zhang@jtj.example", "wang@csj.example", "li@wjj.example", "zhao@jtj.example", "shen@sfj.example"} {
			if strings.Contains(head, real) {
				t.Errorf("%s: %s in the head:\n%s", name, real, head)
			}
		}
	}
}

// TestNobodyIsSaidToHaveBeenToldByATrialRun: what went to the trial address reached no unit.
func TestNobodyIsSaidToHaveBeenToldByATrialRun(t *testing.T) {
	told := map[string]string{}
	for _, trial := range []string{"", "trial@sfj.example"} {
		d := openTown(t)
		d.env["DUBAN_MAIL_REDIRECT_TO"] = trial
		d.on("2024-09-25")
		d.ok("run", "all")
		d.env["DUBAN_MAIL_REDIRECT_TO"] = ""
		d.on("2024-10-10")
		d.ok("run", "all")
		for _, o := range d.objects("outbox", "list", "--unit", "csj", "--from", "2024-10-10") {
			if o.text("kind") == "unit-letter" {
				told[trial] += d.ok("outbox", "show", o.text("id"))
			}
		}
	}
	if !strings.Contains(told[""], "9月25日已提醒") || strings.Contains(told["trial@sfj.example"], "9月25日已") {
		t.Errorf("served:\n%s\nin a trial:\n%s", told[""], told["trial@sfj.example"])
	}
}

// TestNoFormFollowsAnUrgingThatOnlyATrialSaid: a form needs an urging that was served some days before.
func TestNoFormFollowsAnUrgingThatOnlyATrialSaid(t *testing.T) {
	for trial, want := range map[string]int{"": 6, "trial@sfj.example": 0} {
		d := openTown(t)
		d.on("2024-09-25")
		d.ok("run", "all")
		d.env["DUBAN_MAIL_REDIRECT_TO"] = trial
		d.on("2024-10-10")
		d.ok("run", "all")
		d.env["DUBAN_MAIL_REDIRECT_TO"] = ""
		d.on("2024-10-15")
		d.ok("run", "all")
		if n := d.tally("--from", "2024-10-15"); n["2024-10-15 supervision-form held"] != want || n["2024-10-15 unit-letter sent"] != 3 {
			t.Errorf("with the urging sent to %q: %v", trial, n)
		}
	}
}

func TestListsShowAndOutboxForPeopleMaskAddresses(t *testing.T) {
	d := openTown(t)
	d.on("2024-10-10")
	d.ok("run", "all")
	rows := d.objects("outbox", "list", "--unit", "csj")
	if len(rows) != 1 || rows[0].text("to", "state") != "[w***@csj.example] sent" {
		t.Fatalf("%v", rows)
	}
	out := d.ok("outbox", "show", rows[0].text("id"))
	if strings.Contains(strings.SplitN(out, "\n\n", 2)[0], "wang@csj.example") || !strings.Contains(out, "示例市城市管理局：") {
		t.Error(out)
	}
	d.fails(exitUsage, []string{"outbox", "show", "nothing"}, "`duban outbox list`")
	d.fails(exitFailed, []string{"tasks", "show", "town/zl2024/77"}, "`duban tasks list`")
	for _, c := range []struct {
		args string
		want int
	}{
		{"--overdue", 13}, {"--unit jtj --state waiting", 7}, {"--kind monthly", 12}, {"--row 1", 4}, {"--as-of 2024-07-01", 12}, {"--as-of 2024-06-30", 0}, {"--plan other", 0},
	} {
		if rows := d.objects(append([]string{"obligations", "list"}, strings.Fields(c.args)...)...); len(rows) != c.want {
			t.Errorf("obligations list %s: %d items, want %d", c.args, len(rows), c.want)
		}
	}
	head, _, _ := strings.Cut(d.ok("obligations", "list"), "\n")
	if strings.Join(strings.Fields(head), " ") != "id kind owes due state title" {
		t.Error(head)
	}
}
