package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheFiveBundledPlansAreImportedAndImportedAgainWithoutAChange(t *testing.T) {
	d := newDesk(t, "2024-09-14")
	rows := map[string]int{"laoshan": 66, "gangcheng": 24, "changji": 40, "sishui": 51, "jinan": 15}
	for _, code := range sortedKeys(rows) {
		files := d.bundled(code)
		for _, kind := range []string{"units", "plan", "people"} {
			sum := d.objects("import", kind, files[kind], "--jurisdiction", code)[0]
			if sum.text("kind", "jurisdiction", "unchanged", "items") != kind+" "+code+" 0 0" {
				t.Errorf("%s %s: %v", code, kind, sum)
			}
			if kind == "plan" && sum["rows"] != float64(rows[code]) {
				t.Errorf("%s: %v rows, want %d", code, sum["rows"], rows[code])
			}
		}
		d.unchanged(func() {
			for _, kind := range []string{"units", "plan", "people"} {
				sum := d.objects("import", kind, files[kind], "--jurisdiction", code)[0]
				if changes, ok := sum["changes"].([]any); !ok || len(changes) > 0 || sum["unchanged"] != sum["rows"] {
					t.Errorf("%s %s again: %v", code, kind, sum)
				}
			}
		})
	}
	all := d.objects("status")
	if len(all) != 5 {
		t.Fatalf("%d jurisdictions", len(all))
	}
	for _, o := range all {
		if o["rows"] != float64(rows[o.text("jurisdiction")]) || o["plans"] != 1.0 {
			t.Errorf("%v", o)
		}
	}
}

// edit is the plan as it was issued anew in September: row 2 has a later date, row 1 is gone, row 11 is new.
func editedTown(t testing.TB) string {
	lines := strings.Split(townPlan, "\n")
	text := strings.Join(append(lines[:5], lines[6:]...), "\n")
	return edited(t, text, "2024年10月31日前", "2024年11月30日前") + "11,专项督查,,市卫生健康局,2024年12月15日前,督查报告\n"
}

func TestAnEditedPlanMovesOpenItemsAndKeepsHistory(t *testing.T) {
	d := town(t, "2024-07-02")
	d.ok("run", "all")
	d.on("2024-08-30")
	d.ok("run", "all")
	d.ok("obligations", "accept", item("1/jtj/m1"), "--by", "李敏")
	d.ok("obligations", "report", item("2/csj/m1"), "--by", "王五")
	d.on("2024-09-02")
	before := d.objects("obligations", "show", item("2/jtj/m1"))[0]
	path := d.file("plan.csv", editedTown(t))

	d.unchanged(func() {
		out := d.ok("import", "plan", path, "--dry-run")
		for _, line := range []string{
			"added      11      专项督查\n", "changed    2       deadline 2024年10月31日前 → 2024年11月30日前\n", "withdrawn  1       执法事项目录编制\n",
			"nothing written", "4 changes, 8 unchanged, 4 items follow\n",
		} {
			if !strings.Contains(out, line) {
				t.Errorf("the dry run lacks %q:\n%s", line, out)
			}
		}
	})
	sum := d.objects("import", "plan", path, "--by", "李敏")[0]
	if sum.text("unchanged", "items") != "8 4" { // sfj, csj and wjj lose row 1; jtj moves in row 2
		t.Errorf("%v", sum)
	}
	d.ok("run", "all")

	for _, c := range []struct{ id, day, want string }{
		{"2/jtj/m1", "2024-09-01", "waiting 2024-10-31"},
		{"2/jtj/m1", "2024-09-02", "waiting 2024-11-30 arm 1"},
		{"2/csj/m1", "2024-09-02", "answered 2024-10-31"}, // reported by the old date: nothing is left to move
		{"1/csj/m1", "2024-09-01", "waiting 2024-09-30"},
		{"1/csj/m1", "2024-09-02", "withdrawn 2024-09-30"},
		{"1/sfj/m1", "2024-09-02", "withdrawn 2024-09-30"},
		{"1/jtj/m1", "2024-09-02", "done 2024-09-30"},
		{"11/wjj/m1", "2024-09-02", "waiting 2024-12-15"},
		{"3/jtj/2024-09", "2024-09-02", "waiting 2024-09-25"},
	} {
		d.expect(item(c.id), c.day, c.want)
	}
	after := d.objects("obligations", "show", item("2/jtj/m1"))[0]
	old, events := before["events"].([]any), after["events"].([]any)
	if len(events) != len(old)+1 {
		t.Fatalf("%d events, then %d", len(old), len(events))
	}
	if e := object(events[len(old)].(map[string]any)); e.text("kind", "on", "date", "who", "why") != "redated 2024-09-02 2024-11-30 李敏 plan edited" {
		t.Errorf("%v", e)
	}
	if versions := d.objects("tasks", "show", "town/zl2024/1"); len(versions) != 2 || versions[1]["withdrawn"] != true {
		t.Errorf("%v", versions)
	}
	d.unchanged(func() { d.ok("import", "plan", path) })

	// A row that comes back is the same task: what was done stays done, and what was withdrawn is owed again.
	d.on("2024-09-03")
	if out := d.ok("import", "plan", d.file("plan.csv", townPlan)); !strings.Contains(out, "added      1       执法事项目录编制 (again)\n") {
		t.Error(out)
	}
	d.expect(item("1/jtj/m1"), "2024-09-03", "done 2024-09-30")
	d.expect(item("1/csj/m1"), "2024-09-02", "withdrawn 2024-09-30")
	d.expect(item("1/csj/m1"), "2024-09-03", "waiting 2024-09-30 arm 1")
	d.expect(item("2/jtj/m1"), "2024-09-03", "waiting 2024-10-31 arm 2")
	d.expect(item("11/wjj/m1"), "2024-09-03", "withdrawn 2024-12-15")
}

func TestAChangedMeasureStopsTheImport(t *testing.T) {
	text := edited(t, townPlan, "2,案卷评查,", "2,行政执法案卷评查,")
	start := func(t *testing.T) (*desk, string) {
		d := town(t, "2024-07-02")
		d.ok("run", "all")
		return d, d.file("plan.csv", text)
	}
	t.Run("unless somebody says what it is", func(t *testing.T) {
		d, path := start(t)
		d.unchanged(func() {
			d.fails(exitRefused, []string{"import", "plan", path}, "案卷评查", "--same", "--replace 2")
		})
		d.unchanged(func() { d.fails(exitRefused, []string{"import", "plan", path, "--replace", "3"}, "row 2") })
	})
	t.Run("the same task in other words", func(t *testing.T) {
		d, path := start(t)
		if sum := d.objects("import", "plan", path, "--same")[0]; sum["items"] != 0.0 {
			t.Errorf("%v", sum)
		}
		d.expect(item("2/jtj/m1"), "2024-07-02", "waiting 2024-10-31")
		if o := d.objects("obligations", "show", item("2/jtj/m1"))[0]; o["title"] != "行政执法案卷评查" {
			t.Errorf("%v", o["title"])
		}
	})
	t.Run("another task that took its number", func(t *testing.T) {
		d, path := start(t)
		d.ok("obligations", "accept", item("2/csj/m1"), "--by", "李敏")
		d.ok("import", "plan", path, "--replace", "2")
		d.expect(item("2/csj/m1"), "2024-07-02", "waiting 2024-10-31 arm 1") // what was done was another task
		d.expect(item("2/jtj/m1"), "2024-07-02", "waiting 2024-10-31 arm 1")
		if o := d.objects("tasks", "list", "--status", "dated")[1]; o.text("id", "title") != "town/zl2024/2 行政执法案卷评查" {
			t.Errorf("%v", o)
		}
	})
}

func TestARowThatComesBackIsOwedAgainButNotForTheTimeItWasAway(t *testing.T) {
	d := town(t, "2024-07-02")
	d.ok("run", "all")
	d.on("2024-08-30")
	d.ok("run", "all")
	row := "3,执法数据报送,,各行政执法单位,每月25日前,数据月报\n"
	without := edited(t, townPlan, row, "")
	d.on("2024-09-02")
	d.ok("run", "all") // opens September
	d.ok("import", "plan", d.file("plan.csv", without))
	for id, want := range map[string]string{
		"3/jtj/2024-08": "withdrawn 2024-08-25", "3/jtj/2024-09": "withdrawn 2024-09-25", "3/jtj/2024-07": "withdrawn 2024-07-25",
	} {
		d.expect(item(id), "2024-09-02", want)
	}
	d.on("2024-10-08")
	d.ok("run", "all")
	d.unchanged(func() {
		d.fails(exitRefused, []string{"import", "plan", d.file("plan.csv", without+"3,公文报送,,各行政执法单位,每月25日前,月报\n")}, "row 3", "执法数据报送")
	})
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	d.ok("run", "all", "--again")
	for id, want := range map[string]string{
		"3/jtj/2024-08": "waiting 2024-08-25 late 27 overdue arm 1", // late when the row left, and late again
		"3/jtj/2024-09": "withdrawn 2024-09-25",                     // fell due while nobody owed it
	} {
		d.expect(item(id), "2024-10-08", want)
	}
	d.on("2024-11-01")
	d.ok("run", "all")
	d.expect(item("3/jtj/2024-11"), "2024-11-01", "waiting 2024-11-25")
}

func TestEditedUnits(t *testing.T) {
	start := func(t *testing.T) *desk {
		d := town(t, "2024-07-02")
		d.ok("run", "all")
		d.on("2024-09-02")
		return d
	}
	t.Run("an alias and a contact", func(t *testing.T) {
		d := start(t)
		path := d.file("units.csv", edited(t, townUnits, "市城管局", "市城管局、市综合执法局", "张三,zhang@jtj.example", "张四,zhang4@jtj.example"))
		out := d.ok("import", "units", path)
		for _, line := range []string{"changed  csj   aliases\n", "changed  jtj   contacts\n", "2 changes"} {
			if !strings.Contains(out, line) {
				t.Errorf("%q is missing:\n%s", line, out)
			}
		}
		d.unchanged(func() { d.ok("import", "units", path) })
		d.ok("import", "plan", d.file("plan.csv", edited(t, townPlan, "市交通运输局、市城市管理局", "市交通局、市综合执法局")))
		d.on("2024-09-20")
		d.ok("run", "all")
		found := false
		for _, text := range d.letters() {
			found = found || strings.Contains(text, "zhang4@jtj.example")
			if strings.Contains(text, "zhang@jtj.example") {
				t.Error("a letter still goes to the old liaison")
			}
		}
		if !found {
			t.Error("no letter to the new liaison")
		}
	})
	t.Run("a unit that still owes is not removed", func(t *testing.T) {
		d := start(t)
		path := d.file("units.csv", edited(t, townUnits, "单位,wjj,市卫生健康局,示例市卫生健康局,,各行政执法单位,发函,李四,li@wjj.example,,\n", ""))
		d.unchanged(func() {
			d.fails(exitRefused, []string{"import", "units", path}, "wjj", "市卫生健康局", "still owes", "waive")
			d.fails(exitRefused, []string{"import", "units", path, "--dry-run"}, "still owes")
		})
	})
	t.Run("a unit that owes nothing is", func(t *testing.T) {
		d := start(t)
		d.ok("import", "units", d.file("units.csv", edited(t, townUnits, "单位,zzb,市委组织部,中共示例市委组织部,,,人工,钱七,qian@zzb.example,,\n", "")))
	})
	t.Run("a unit that joins a group gets later dates only", func(t *testing.T) {
		d := start(t)
		d.ok("import", "units", d.file("units.csv", townUnits+"单位,swj,市水务局,,,各行政执法单位,发函,孙八,sun@swj.example,,\n"))
		d.ok("run", "all")
		var got []string
		for _, o := range d.objects("obligations", "list", "--unit", "swj") {
			got = append(got, o.text("id", "effective"))
		}
		if want := []string{item("1/swj/m1") + " 2024-09-30"}; fmt.Sprint(got) != fmt.Sprint(want) { // September's report belongs to who was there
			t.Errorf("%v, want %v", got, want)
		}
		d.on("2024-10-08")
		d.ok("run", "all")
		d.expect(item("3/swj/2024-10"), "2024-10-08", "waiting 2024-10-25")
	})
}

func TestTwoJurisdictionsInOneDatabase(t *testing.T) {
	d := town(t, "2024-07-02")
	d.on("2024-09-26")
	files := d.bundled("gangcheng")
	d.ok("import", "units", files["units"])
	d.ok("import", "plan", files["plan"], "--jurisdiction", "gangcheng")
	d.ok("import", "people", files["people"], "--jurisdiction", "gangcheng")
	d.fails(exitUsage, []string{"import", "plan", d.file("plan.csv", townPlan)}, "--jurisdiction")
	d.ok("import", "plan", d.file("plan.csv", townPlan), "--jurisdiction", "town")
	d.ok("run", "all", "--jurisdiction", "town")
	if rows := d.objects("obligations", "list", "--jurisdiction", "gangcheng"); len(rows) != 0 {
		t.Errorf("running the town opened %d items of gangcheng", len(rows))
	}
	d.ok("run", "all")
	count := func(args ...string) map[string]int {
		n := map[string]int{}
		for _, o := range d.objects(args...) {
			code, ok := o["jurisdiction"].(string)
			if !ok {
				code, _, _ = strings.Cut(o.text("id"), "/")
			}
			n[code]++
		}
		return n
	}
	for _, cmd := range []string{"obligations list", "tasks list", "outbox list", "status"} {
		args := strings.Fields(cmd)
		both, one := count(args...), count(append(args, "--jurisdiction", "town")...)
		if one["town"] == 0 || one["town"] != both["town"] || len(one) != 1 {
			t.Errorf("%s: %v of %v", cmd, one, both)
		}
		if cmd != "outbox list" && both["gangcheng"] == 0 { // its plan of 2022 is inherited: no letters
			t.Errorf("%s: %v", cmd, both)
		}
	}
	if n := count("people", "list"); n["gangcheng"] != 20 {
		t.Errorf("people: %v", n)
	}
	d.ok("pause", "--jurisdiction", "town", "--by", "李敏", "--why", "核对名单")
	for _, o := range d.objects("status") {
		if paused := o["paused"] != nil; paused != (o["jurisdiction"] == "town") {
			t.Errorf("%v paused: %v", o["jurisdiction"], paused)
		}
	}
}
