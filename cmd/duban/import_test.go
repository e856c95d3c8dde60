package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestTheFiveBundledPlansAreImportedAndImportedAgainWithoutAChange(t *testing.T) {
	d := newDesk(t, "2024-09-14")
	rows := map[string]int{"laoshan": 66, "gangcheng": 25, "changji": 40, "sishui": 51, "jinan": 15}
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

// editedTown is the plan as it was issued anew in September: row 2 has a later date, row 1 is gone, row 11 is new.
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
		d.ok("import", "plan", d.file("plan.csv", edited(t, townPlan, "成果形式\n", "成果形式,配合单位\n", "调整方案\n", "调整方案,\n", ",事项目录\n", ",事项目录,市委组织部\n")))
		d.ok("run", "all")
		if rows := d.objects("obligations", "list", "--unit", "zzb"); len(rows) != 1 || rows[0]["owes"] != "support" {
			t.Fatalf("%v", rows)
		}
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

// badInput is a file that is refused whole, and what the answer must name.
type badInput struct {
	name, kind, file string
	data             []byte
	want             []string
}

func csvOf(kind, text string) badInput {
	return badInput{kind: kind, file: kind + ".csv", data: []byte(text)}
}

func named(name string, b badInput, want ...string) badInput {
	b.name, b.want = name, want
	return b
}

// planWith is the town's plan with rows added to its end; they stand from line 16 on.
func planWith(rows ...string) badInput { return csvOf("plan", townPlan+strings.Join(rows, "\n")+"\n") }

// workbookPlan is a small plan as a workbook; change works on its only sheet before it is saved.
func workbookPlan(t testing.TB, change func(f *excelize.File)) badInput {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range [][]any{
		{"方案代码", "zl2025"}, {"方案名称", "二号方案"}, {"印发日期", "2024-07-01"},
		{"序号", "任务措施", "责任单位", "完成时限"},
		{1, "甲", "市交通运输局", "2024年底前"}, {2, "乙", "市交通运输局", "2024年底前"},
	} {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	change(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return badInput{kind: "plan", file: "plan.xlsx", data: b.Bytes()}
}

func cellOf(t testing.TB, f *excelize.File, cell string, value any) {
	t.Helper()
	if err := f.SetCellValue("Sheet1", cell, value); err != nil {
		t.Fatal(err)
	}
}

// ole is the beginning of a file of the old binary formats that holds the stream.
func ole(stream string) []byte {
	b := append([]byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}, make([]byte, 600)...)
	for _, u := range utf16.Encode([]rune(stream)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return append(b, make([]byte, 600)...)
}

func gb18030(t testing.TB, s string) []byte {
	t.Helper()
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func badInputs(t testing.TB) []badInput {
	t.Helper()
	whole := workbookPlan(t, func(*excelize.File) {})
	truncated, old, doc := whole, whole, whole
	truncated.data = whole.data[:len(whole.data)/2]
	old.data, doc.data = ole("Workbook"), ole("WordDocument")
	formula := workbookPlan(t, func(f *excelize.File) {
		cellOf(t, f, "D5", nil)
		if err := f.SetCellFormula("Sheet1", "D5", "TODAY()"); err != nil {
			t.Fatal(err)
		}
	})
	number := workbookPlan(t, func(f *excelize.File) { cellOf(t, f, "D6", 45473) })
	mixed := csvOf("plan", "")
	mixed.data = append([]byte(townPlan), gb18030(t, "11,专项督查,,市卫生健康局,2024年底前,\n")...)
	unit := func(row string) badInput { return csvOf("units", townUnits+row+"\n") }
	return []badInput{
		named("a truncated workbook", truncated, "plan.xlsx", "truncated or damaged", "另存为"),
		named("an .xls workbook", old, "plan.xlsx", ".xls", "另存为 → Excel 工作簿 (*.xlsx)"),
		named("a .doc document", doc, "plan.xlsx", ".doc", "not a table"),
		named("a formula", formula, "plan.xlsx, sheet Sheet1, row 5, column 完成时限", "formula"),
		named("a date that Excel turned into a number", number, "plan.xlsx, sheet Sheet1, row 6, column 完成时限 「45473」", "2024-06-30"),
		named("60 columns and no header", csvOf("plan", "方案代码,zl2025\n方案名称,某\n印发日期,2024-07-01\n"+strings.Repeat("列,", 59)+"列\n"), "plan.csv", "no header row"),
		named("two encodings in one file", mixed, "plan.csv", "line 16", "UTF-8"),
		named("a cell of a megabyte", planWith("11,专项督查,,市卫生健康局,\""+strings.Repeat("长", 1<<19)+"\","), "plan.csv, row 16, column E", "524288 characters"),
		named("a row number twice", planWith("2,专项督查,,市卫生健康局,2024年底前,"), "plan.csv, row 16, column 序号 「2」", "row 7"),
		named("a row twice under two numbers", planWith("12,案卷评查,,市交通运输局、市城市管理局,2024年10月31日前,评查报告"), "plan.csv, row 16", "row 7"),
		named("a unit named twice", unit("单位,swj,市城管局,,,,不发,,,,"), "units.csv, row 12, column 名称 「市城管局」", "row 9"),
		named("a unit's code twice", unit("单位,csj,市水务局,,,,不发,,,,"), "units.csv, row 12, column 编码 「csj」", "row 9"),
		named("a line feed in an address", unit("单位,swj,市水务局,,,,发函,孙八,\"sun@swj.example\nBcc: all@evil.example\",,"), "units.csv, row 12, column 联络员邮箱", "control character"),
		named("a carriage return in an address", unit("单位,swj,市水务局,,,,发函,孙八,\"sun@swj.example\r\nBcc: all@evil.example\",,"), "units.csv, row 12, column 联络员邮箱", "control character"),
		named("an unknown group in units", unit("单位,swj,市水务局,,,各派出机构,不发,,,,"), "units.csv, row 12, column 所属单位组 「各派出机构」", "单位组"),
		named("an unknown group in a plan", planWith("11,专项督查,,各镇街,2024年底前,"), "plan.csv, row 16, column 责任单位 「各镇街」", "别名"),
		named("an unknown unit", planWith("11,专项督查,,市水务局,2024年底前,"), "plan.csv, row 16, column 责任单位 「市水务局」", "别名"),
		named("no date of issue", csvOf("plan", strings.Replace(townPlan, "印发日期,2024-07-01\n", "", 1)), "plan.csv, column 印发日期", "--issued"),
		named("a date of issue that does not exist", csvOf("plan", strings.Replace(townPlan, "2024-07-01", "2024-02-30", 1)), "plan.csv, row 4, column 印发日期 「2024-02-30」"),
		named("a day of use that does not exist", csvOf("units", strings.Replace(townUnits, "2024-01-01", "2024-02-30", 1)), "units.csv, row 4, column 启用日期 「2024-02-30」"),
		named("a certificate's end that does not exist", csvOf("people", "人员编号,姓名,单位,岗位,证件有效期至,在岗状态\np1,周一,市交通局,执法,2024-02-30,在岗\n"), "people.csv, row 2, column 证件有效期至 「2024-02-30」"),
		named("a roster with an unknown unit", csvOf("people", "人员编号,姓名,单位,岗位,在岗状态\np1,周一,市水务局,执法,在岗\n"), "people.csv, row 2, column 单位 「市水务局」"),
		named("an empty file", csvOf("plan", ""), "plan.csv", "empty"),
		named("all bad rows at once", planWith("11,,,市卫生健康局,2024年底前,", "12,某事,,,2024年底前,", ",某事,,市卫生健康局,2024年底前,", "13,某事,,市水务局、市粮食局,2024年底前,"),
			"row 16, column 任务措施", "row 17, column 责任单位", "row 18, column 序号", "row 19, column 责任单位 「市水务局、市粮食局」: no unit or group is called 「市水务局」", "「市粮食局」"),
	}
}

func TestBadInputIsRefusedWholeAndEveryBadRowIsNamed(t *testing.T) {
	d := town(t, "2024-09-02")
	d.ok("run", "all")
	for _, c := range badInputs(t) {
		t.Run(c.name, func(t *testing.T) {
			d.t = t
			path := d.file(c.file, string(c.data))
			d.unchanged(func() {
				answer := d.fails(exitRefused, []string{"import", c.kind, path, "--jurisdiction", "town"}, c.want...)
				for _, line := range strings.Split(strings.TrimSpace(answer), "\n") {
					if len(line) > 600 || strings.ContainsAny(line, "\r\x00") {
						t.Errorf("an answer of %d bytes, or with control characters: %.200q", len(line), line)
					}
				}
				if c.name != "an empty file" && strings.Contains(answer, d.dir) {
					t.Errorf("the answer names the folder: %s", answer)
				}
				d.refusedAsJSON(path, c)
			})
		})
	}
}

// refusedAsJSON holds the machine's answer to the same file: every bad row is an object.
func (d *desk) refusedAsJSON(path string, c badInput) {
	d.t.Helper()
	code, out, errOut := d.call("", "import", c.kind, path, "--jurisdiction", "town", "--dry-run", "--output", "json")
	if code != exitRefused || !strings.Contains(errOut, "nothing was written") {
		d.t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	for _, o := range lines(d.t, out) {
		if o["file"] != c.file || o.text("reason") == "" || o["row"] == nil && o["column"] == nil && c.name != "60 columns and no header" {
			d.t.Errorf("%v", o)
		}
	}
}

func TestDeadlinesThatCannotBeReadAreImportedForAPersonToDecide(t *testing.T) {
	d := town(t, "2024-09-02")
	out := d.ok("import", "plan", d.file("plan.csv", townPlan+"11,专项督查,,市卫生健康局,2024-02-30,\n12,清单公布,,市卫生健康局,2024年9月31日前,\n"))
	if !strings.Contains(out, "3 deadlines could not be read (时限待核定): duban tasks list --jurisdiction town --status unreadable") {
		t.Error(out)
	}
	var got []string
	for _, o := range d.objects("tasks", "list", "--status", "unreadable") {
		got = append(got, o.text("id"))
	}
	if want := "[town/zl2024/7 town/zl2024/11 town/zl2024/12]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	d.ok("run", "all")
	for _, row := range []string{"7", "11", "12"} {
		if rows := d.objects("obligations", "list", "--row", row); len(rows) != 0 {
			t.Errorf("row %s opened %v", row, rows)
		}
	}
	d.ok("tasks", "clarify", "town/zl2024/11", "--deadline", "2024年12月底前", "--by", "李敏", "--why", "电话请示")
	again := townPlan + "11,专项督查,,市卫生健康局,2024-02-30,\n12,清单公布,,市卫生健康局,2024年9月32日前,\n"
	if out := d.ok("import", "plan", d.file("plan.csv", again)); !strings.Contains(out, "2 deadlines could not be read") {
		t.Errorf("what a person gave the reading of is counted again:\n%s", out)
	}
}

func TestWideSheetsAndGB18030AreRead(t *testing.T) {
	d := town(t, "2024-09-02")
	var wide strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(townPlan, "\n"), "\n") {
		if i >= 4 { // the table stands in columns 55 to 60
			line = strings.Repeat(",", 54) + line
		}
		wide.WriteString(line + "\n")
	}
	d.unchanged(func() {
		for name, data := range map[string]string{"wide.csv": wide.String(), "gb.csv": string(gb18030(t, townPlan)), "bom.csv": "\ufeff" + townPlan} {
			if sum := d.objects("import", "plan", d.file(name, data))[0]; sum.text("rows", "unchanged") != "10 10" {
				t.Errorf("%s: %v", name, sum)
			}
		}
	})
}

func TestAFileOfAnotherJurisdictionIsRefused(t *testing.T) {
	d := town(t, "2024-09-02")
	d.unchanged(func() {
		d.fails(exitRefused, []string{"import", "units", d.bundled("laoshan")["units"], "--jurisdiction", "town"}, "laoshan", "--jurisdiction says town")
	})
}

func TestADryRunOnAFreshRegisterWritesNothing(t *testing.T) {
	d := newDesk(t, "2024-09-02")
	d.ok("migrate")
	d.unchanged(func() {
		if out := d.ok("import", "units", d.file("units.csv", townUnits), "--dry-run"); !strings.Contains(out, "would import (dry run, nothing written) units for town: 6 rows, 7 changes") {
			t.Error(out)
		}
	})
}

func TestFlagsStandInForLabelledRows(t *testing.T) {
	d := town(t, "2024-09-02")
	_, rest, _ := strings.Cut(townPlan, "序号")
	bare := "序号" + rest
	path := d.file("plan.csv", bare)
	d.fails(exitRefused, []string{"import", "plan", path}, "--code", "--title", "--issued")
	d.ok("import", "plan", path, "--code", "other", "--title", "二号方案", "--number", "示政〔2024〕2号", "--issued", "2024-08-01", "--valid-to", "2025-12-31")
	if rows := d.objects("tasks", "list", "--plan", "other"); len(rows) != 10 || rows[0].text("id") != "town/other/1" {
		t.Errorf("%v", rows)
	}
	d.fails(exitUsage, []string{"import", "plan", path, "--issued", "2024-02-30"}, "--issued")
	d.fails(exitUsage, []string{"import", "plan", path, "--on", "soon"}, "--on")
}

// TestAPlanThatIsProlongedOpensItsNextPeriods: no row changed, only the day the plan ends. The
// month that passed meanwhile was owed by nobody.
func TestAPlanThatIsProlongedOpensItsNextPeriods(t *testing.T) {
	d := town(t, "2024-09-02")
	labels := func(validTo string) string {
		return "方案代码,monthly\n方案名称,逐月报送方案\n印发日期,2024-08-01\n有效期至," + validTo + "\n序号,任务措施,责任单位,完成时限,成果形式\n1,报送行政执法情况,市交通运输局,每月25日前,统计表\n"
	}
	d.ok("import", "plan", d.file("plan.csv", labels("2024-09-30")))
	periods := func() string {
		var out []string
		for _, o := range d.objects("obligations", "list", "--plan", "monthly") {
			out = append(out, o.text("id"))
		}
		return strings.Join(out, " ")
	}
	d.ok("run", "all")
	d.on("2024-11-04")
	d.ok("run", "all")
	if got := periods(); got != "town/monthly/1/jtj/2024-08 town/monthly/1/jtj/2024-09" {
		t.Fatalf("before: %s", got)
	}
	d.ok("import", "plan", d.file("plan.csv", labels("2025-12-31")))
	d.on("2024-11-05")
	d.ok("run", "all")
	if got := periods(); !strings.HasSuffix(got, "2024-09 town/monthly/1/jtj/2024-11") {
		t.Errorf("after: %s", got)
	}
	d.unchanged(func() { d.ok("import", "plan", d.file("plan.csv", labels("2025-12-31"))) })
}
