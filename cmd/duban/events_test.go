package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"duban/store/storetest"
)

// eventsDesk is a desk on each engine with the bundled register of a jurisdiction, under its own policy, and the bundled
// events in a file.
func eventsDesk(t *testing.T, code, day string, story func(d *desk, events string)) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d := newDesk(t, day)
			d.env["DUBAN_DATABASE_DSN"] = urlOf(e.DSN(t))
			d.ok("migrate")
			files := d.bundled(code)
			d.env["DUBAN_CONFIG"] = d.file("duban.yaml", "jurisdictions:\n  "+code+":\n    policy: "+files["policy"]+"\n")
			for _, kind := range []string{"units", "plan", "people"} {
				d.ok("--config", d.env["DUBAN_CONFIG"], "import", kind, files[kind], "--jurisdiction", code)
			}
			story(d, files["events"])
		})
	}
}

// with runs a command under the desk's configuration.
func (d *desk) with(args ...string) string {
	d.t.Helper()
	return d.ok(append([]string{"--config", d.env["DUBAN_CONFIG"]}, args...)...)
}

func TestTheBundledEventsStartTheirClocks(t *testing.T) {
	for code, want := range map[string][]string{
		"sishui": {
			"10/xjtj/e:泗交罚〔2024〕31号 2026-09-18 none", "4-1/xjtj/e:泗交返〔2024〕1号 2024-10-08 deliver", "4-2/xjtj/e:泗交返〔2024〕1号 2024-10-08 deliver",
			"8/quanlin/e:泗泉罚〔2024〕6号 2024-10-15 deliver", "8/xjtj/e:泗交罚〔2024〕31号 2024-09-27 deliver", "8/xscjgj/e:泗市监许〔2024〕203号 2024-09-25 deliver",
			"8/xspj/e:泗审批许〔2024〕77号 2024-09-30 deliver", "8/xspj/e:泗审批许〔2024〕81号 2024-10-14 deliver", "8/xzhzfj/e:泗综执罚〔2024〕112号 2024-10-12 deliver",
			"9/xswj/e:泗水强〔2024〕2号 2024-10-12 deliver", "9/xzrj/e:泗自然责停〔2024〕5号 2024-10-25 deliver"},
		"changji": {
			"16-2/sjtj/e:昌市复纠〔2024〕2号 2024-10-10 deliver", "17/sangong/e:昌市司扣〔2024〕5号 2024-11-30 none",
			"18-1/scgj/e:昌市司监意〔2024〕3号 2024-09-30 deliver", "18-1/snyj/e:昌市司监意〔2024〕4号 2024-10-18 deliver"},
		"jinan": nil,
	} {
		t.Run(code, func(t *testing.T) {
			eventsDesk(t, code, "2024-09-30", func(d *desk, events string) {
				d.with("import", "events", events)
				d.unchanged(func() {
					if out := d.with("import", "events", events); !strings.Contains(out, ", 0 changes, ") {
						d.t.Error(out)
					}
				})
				d.with("run", "open", "--jurisdiction", code)
				var got []string
				for _, o := range d.clocks(code) {
					_, item, _ := strings.Cut(strings.TrimPrefix(o.text("id"), code+"/"), "/")
					got = append(got, item+" "+o.text("effective", "owes"))
				}
				if !slices.Equal(got, want) {
					d.t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		})
	}
}

func (d *desk) clocks(code string) []object {
	d.t.Helper()
	return lines(d.t, d.with("obligations", "list", "--jurisdiction", code, "--kind", "clock", "--output", "json"))
}

func TestAListOfEventsIsRefusedWhole(t *testing.T) {
	eventsDesk(t, "sishui", "2024-09-30", func(d *desk, _ string) {
		const head = "事件类型,编号,单位,发生日期,人员编号\n"
		bad := d.file("bad.csv", head+"行政许可决定,1,县市场监管局,2024-09-18,\n约谈,2,县市场监管局,2024-09-18,\n行政处罚决定,3,县工商联,2024-09-18,\n行政处罚决定,4,县水务局,2024-09-18,nobody\n")
		d.unchanged(func() {
			d.fails(exitRefused, []string{"--config", d.env["DUBAN_CONFIG"], "import", "events", bad}, "3 problems",
				"bad.csv, row 3, column 事件类型", "kinds known: ", "其他执法决定", "bad.csv, row 4, column 单位: unit xgsl had no part", "bad.csv, row 5, column 人员编号: the roster holds nobody")
			d.fails(exitRefused, []string{"--config", d.env["DUBAN_CONFIG"], "import", "events", d.file("late.csv", head+"行政许可决定,1,县市场监管局,2024-10-01,\n")}, "the day has not come")
			d.with("import", "events", d.file("good.csv", head+"行政许可决定,1,县市场监管局,2024-09-18,\n"), "--dry-run")
		})
	})
}

// The letters of a clock: two working days before and one after its day, with the number of the case and nobody's name.
func TestAClockIsToldOfAndTheListedOnesAreNot(t *testing.T) {
	eventsDesk(t, "changji", "2024-09-19", func(d *desk, events string) {
		d.with("import", "events", events)
		for _, day := range []string{"2024-09-19", "2024-09-23", "2024-09-27", "2024-10-08"} {
			d.on(day)
			d.with("run", "all", "--jurisdiction", "changji")
		}
		text, told := "", map[string]string{}
		for _, o := range lines(d.t, d.with("outbox", "list", "--jurisdiction", "changji", "--output", "json")) {
			letter := d.with("outbox", "show", o.text("id"), "--full")
			if text += letter; strings.Contains(letter, "昌市司监意〔2024〕3号") && o.text("kind") == "unit-letter" {
				told[o.text("date")] = o.text("unit")
			}
		}
		if got := fmt.Sprint(told); got != "map[2024-09-27:scgj 2024-10-08:scgj]" {
			d.t.Errorf("the opinion that falls due on 30 September is told of in %s", got)
		}
		for _, never := range []string{"昌市司扣", "cj021"} {
			if strings.Contains(text, never) {
				d.t.Errorf("a letter speaks of the suspension: %s", never)
			}
		}
	})
}

func TestUnitsAreListedAndMerged(t *testing.T) {
	eventsDesk(t, "sishui", "2024-07-14", func(d *desk, _ string) {
		d.with("run", "open", "--jurisdiction", "sishui")
		d.on("2024-07-15")
		merge := []string{"units", "merge", "县农业农村局", "--into", "县工商联", "--on", "2024-07-15", "--by", "李敏", "--why", "机构改革"}
		d.unchanged(func() {
			if out := d.with(append(merge, "--dry-run")...); !strings.Contains(out, "would merge (dry run, nothing written) xnyj into xgsl") {
				d.t.Error(out)
			}
			d.fails(exitUsage, []string{"units", "merge", "xnyj", "--into", "xgsl", "--on", "2024-07-16", "--by", "李敏", "--why", "机构改革"}, "has not come yet")
			d.fails(exitRefused, []string{"units", "merge", "xxx", "--into", "xgsl", "--on", "2024-07-15", "--by", "李敏", "--why", "机构改革"}, "no unit xxx")
			d.fails(exitRefused, []string{"units", "merge", "xsfj", "--into", "xgsl", "--on", "2024-07-15", "--by", "李敏", "--why", "机构改革"}, "the justice bureau")
		})
		out := d.with(merge...)
		if !strings.Contains(out, "merged xnyj into xgsl from 2024-07-15 on: ") || !strings.Contains(out, "sishui/zfzl2023-2025/6/xnyj/2024-07") {
			d.t.Error(out)
		}
		units := map[string]string{}
		for _, u := range lines(d.t, d.with("units", "list", "--output", "json")) {
			units[u.text("code")] = u.text("aliases")
		}
		if _, there := units["xnyj"]; there || units["xgsl"] != "[县农业农村局 泗水县农业农村局]" || len(units) < 40 {
			d.t.Errorf("%d units, %q", len(units), units["xgsl"])
		}
		if before := d.with("units", "list", "--as-of", "2024-07-14"); !strings.Contains(before, "xnyj") {
			d.t.Error("the unit was there on the day before")
		}
		const item = "sishui/zfzl2023-2025/6/%s/2024-07"
		for unit, want := range map[string]string{"xnyj": "transferred 2024-07-25", "xgsl": "waiting 2024-07-25"} {
			o := lines(d.t, d.with("obligations", "show", fmt.Sprintf(item, unit), "--output", "json"))[0]
			if o.text("state", "effective") != want {
				d.t.Errorf("%s: %v", unit, o)
			}
		}
		files := d.bundled("sishui")
		d.unchanged(func() { // the ledger still says 农业农村局 in no cell of its own; a roster does, and means the new unit
			if out := d.with("import", "plan", files["plan"], "--jurisdiction", "sishui"); !strings.Contains(out, ", 0 changes, ") {
				d.t.Error(out)
			}
		})
	})
}
