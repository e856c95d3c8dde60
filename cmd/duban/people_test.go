package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duban/store/storetest"
)

// staffUnits are the town's with contacts for personnel and for legal matters.
func staffUnits(t testing.TB) string {
	return edited(t, townUnits,
		"分管负责人,分管负责人邮箱\n", "分管负责人,分管负责人邮箱,法制联系人,法制联系人邮箱,人事联系人,人事联系人邮箱\n",
		"单位组,zfdw,各行政执法单位,,执法单位,,,,,,\n", "单位组,zfdw,各行政执法单位,,执法单位,,,,,,,,,,\n",
		"申敏,shen@sfj.example,,\n", "申敏,shen@sfj.example,,,,,,\n",
		"zhang@jtj.example,赵六,zhao@jtj.example\n", "zhang@jtj.example,赵六,zhao@jtj.example,法甲,fa@jtj.example,人甲,ren@jtj.example\n",
		"wang@csj.example,,\n", "wang@csj.example,,,法乙,fa@csj.example,,\n",
		"li@wjj.example,,\n", "li@wjj.example,,,,,,\n",
		"qian@zzb.example,,\n", "qian@zzb.example,,,法丁,fa@zzb.example,,\n")
}

const roster = `行政区域代码,town
人员编号,姓名,单位,岗位,执法证号,证件有效期至,证件状态,暂扣起,暂扣止,在岗状态,本年学时
p01,欧阳一,市交通局,执法,ZF-2024-0001,2024-11-06,有效,,,在岗,20
p02,周二,市城管局,执法,ZF-2024-0002,2024-10-15,有效,,,在岗,60
p03,郑三,市城管局,执法,ZF-2024-0003,2026-09-30,暂扣,2024-07-15,2024-10-14,离岗,22
p04,冯四,市交通局,法制审核,ZF-2024-0004,2026-09-30,有效,,,在岗,60
p05,陈五,市委组织部,执法,ZF-2024-0005,2024-09-30,有效,,,在岗,60
p06,褚六,市卫生健康局,执法,ZF-2024-0006,2026-09-30,有效,,,在岗,30
p07,卫七,市交通局,执法,,,,,,新申领,10
`

// names are all that of a roster may stand in no log and no list.
func names() []string {
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(roster), "\n")[2:] {
		cells := strings.Split(line, ",")
		out = append(out, cells[1])
		if cells[4] != "" {
			out = append(out, cells[4])
		}
	}
	return out
}

// staffed is a town with a roster on the engine.
func staffed(t *testing.T, e storetest.Engine, day string) *desk {
	t.Helper()
	d := newDesk(t, day)
	d.env["DUBAN_DATABASE_DSN"] = urlOf(e.DSN(t))
	d.ok("migrate")
	d.ok("import", "units", d.file("units.csv", staffUnits(t)))
	d.ok("import", "people", d.file("people.csv", roster))
	return d
}

// told are the letters about people of the days, in the order of the outbox.
func (d *desk) told(from, to string) (out []string) {
	d.t.Helper()
	for _, o := range d.objects("outbox", "list", "--from", from, "--to", to) {
		if kind := o.text("kind"); strings.HasPrefix(kind, "personnel") {
			out = append(out, o.text("date", "kind", "unit", "role", "state"))
		}
	}
	slices.Sort(out)
	return out
}

func TestPeopleThroughTheHoliday(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d := staffed(t, e, "2024-09-27")
			d.ok("run", "personnel")
			d.on("2024-09-30")
			d.ok("run", "personnel")
			d.on("2024-10-08")
			d.ok("run", "personnel")
			want := []string{
				"2024-09-30 personnel-letter jtj personnel sent", // 30 days before 6 November is in the holiday
				"2024-10-08 personnel-letter csj legal sent",
				"2024-10-08 personnel-letter jtj personnel sent",
				"2024-10-08 personnel-letter wjj personnel held", // nobody there may be told of people
				"2024-10-08 personnel-totals sfj bureau sent",
			}
			// Seven days before 15 October is 8 October itself: the month's letter says it.
			if got := d.told("2024-09-01", "2024-10-31"); !slices.Equal(got, want) {
				t.Errorf("\n%s", strings.Join(got, "\n"))
			}
			d.unchanged(func() { d.ok("run", "personnel") })
			d.ownPeopleOnly(map[string][]string{
				"jtj": {"欧阳一", "卫七"}, "csj": {"周二", "郑三"}, "sfj": nil,
			})
			d.on("2024-10-09")
			d.ok("run", "personnel")
			if got := d.told("2024-10-09", "2024-10-31"); len(got) != 0 {
				t.Errorf("an ordinary day: %q", got)
			}
		})
	}
}

// ownPeopleOnly reads the letters of 8 October as they were sent.
func (d *desk) ownPeopleOnly(of map[string][]string) {
	d.t.Helper()
	for unit, own := range of {
		for _, o := range d.objects("outbox", "list", "--unit", unit, "--from", "2024-10-08", "--to", "2024-10-08") {
			if !strings.HasPrefix(o.text("kind"), "personnel") {
				continue
			}
			text := d.ok("outbox", "show", o.text("id"), "--full")
			masked := d.ok("outbox", "show", o.text("id")) + d.ok("outbox", "show", o.text("id"), "-o", "json")
			if slices.ContainsFunc(names(), func(n string) bool { return strings.Contains(masked, n) }) {
				d.t.Errorf("%s: a name, unasked:\n%s", unit, masked)
			}
			for _, n := range names() {
				if strings.Contains(text, n) != slices.Contains(own, n) {
					d.t.Errorf("%s: %s in the letter: %v\n%s", unit, n, !slices.Contains(own, n), text)
				}
			}
		}
	}
}

func TestAMissedMonthIsMadeUp(t *testing.T) {
	d := staffed(t, storetest.Engines(t)[0], "2024-09-27")
	d.ok("run", "personnel")
	d.on("2024-10-10")
	d.ok("run", "personnel")
	if got := d.told("2024-09-28", "2024-10-31"); len(got) != 4 || !strings.HasPrefix(got[3], "2024-10-10 personnel-totals") {
		t.Errorf("%q", got)
	}
	d.on("2024-10-11")
	d.ok("run", "personnel")
	if got := d.told("2024-10-11", "2024-10-31"); len(got) != 0 {
		t.Errorf("made up twice: %q", got)
	}
}

func TestLettersWithNamesGoToAllowedDomainsOnly(t *testing.T) {
	d := staffed(t, storetest.Engines(t)[0], "2024-10-08")
	d.env["DUBAN_DEFAULTS_NAME_DOMAINS"] = "csj.example"
	d.ok("run", "personnel")
	want := []string{
		"2024-10-08 personnel-letter csj legal sent", "2024-10-08 personnel-letter jtj personnel held",
		"2024-10-08 personnel-letter wjj personnel held", "2024-10-08 personnel-totals sfj bureau sent",
	}
	if got := d.told("2024-10-08", "2024-10-08"); !slices.Equal(got, want) {
		t.Fatalf("\n%s", strings.Join(got, "\n"))
	}
	o := d.objects("outbox", "list", "--unit", "jtj", "--from", "2024-10-08")[0]
	if reason := o.text("reason"); !strings.Contains(reason, "name_domains") || strings.Contains(reason, "jtj.example") || strings.Contains(reason, "ren@") {
		t.Errorf("%q", reason)
	}
	d.unchanged(func() {
		d.fails(exitFailed, []string{"outbox", "release", o.text("id"), "--by", "李敏"}, "name_domains")
	})
	d.env["DUBAN_DEFAULTS_NAME_DOMAINS"] = "csj.example,jtj.example"
	d.ok("outbox", "release", o.text("id"), "--by", "李敏")
	wjj := d.objects("outbox", "list", "--unit", "wjj", "--from", "2024-10-08")[0].text("id")
	if out := d.ok("outbox", "resolve", wjj, "--served-otherwise", "--by", "李敏", "--why", "当面交人事科"); !strings.Contains(out, "held → sent") {
		t.Error(out)
	}
	d.on("2024-10-09")
	d.ok("run", "personnel")
	if got := d.told("2024-10-09", "2024-10-09"); !slices.Equal(got, []string{"2024-10-09 personnel-letter jtj personnel sent"}) { // released, not yet sent
		t.Errorf("%q", got)
	}
}

// What is told of people is of the day it leaves: a held letter is written anew, not released late.
func TestAHeldLetterAboutPeopleIsNotReleasedLate(t *testing.T) {
	d := staffed(t, storetest.Engines(t)[0], "2024-10-08")
	d.env["DUBAN_DEFAULTS_NAME_DOMAINS"] = "csj.example"
	d.ok("run", "personnel")
	old := d.objects("outbox", "list", "--unit", "jtj", "--from", "2024-10-08")[0].text("id")
	if out := d.ok("doctor"); !strings.Contains(out, "town: 2 letters held for a person: ") || strings.Contains(out, "none waits for a person") {
		t.Error(out)
	}
	d.on("2024-10-09")
	d.ok("run", "personnel")
	d.ok("import", "people", d.file("people.csv", edited(t, roster, "2024-11-06", "2029-11-06")))
	d.env["DUBAN_DEFAULTS_NAME_DOMAINS"] = "csj.example,jtj.example"
	d.unchanged(func() {
		d.fails(exitFailed, []string{"outbox", "release", old, "--by", "李敏"}, "as of 2024-10-08", "duban run personnel --again --jurisdiction town")
	})
	d.ok("run", "personnel", "--again")
	if got := d.told("2024-10-01", "2024-10-31"); !slices.Contains(got, "2024-10-08 personnel-letter jtj personnel superseded") || !slices.Contains(got, "2024-10-09 personnel-letter jtj personnel sent") {
		t.Errorf("%q", got)
	}
	now := d.objects("outbox", "list", "--unit", "jtj", "--from", "2024-10-09")[0].text("id")
	if text := d.ok("outbox", "show", now, "--full"); strings.Contains(text, "欧阳一｜执法｜****0001｜证件有效期") || !strings.Contains(text, "截至2024年10月9日") {
		t.Error(text)
	}
}

func TestTheRosterIsListedMasked(t *testing.T) {
	d := staffed(t, storetest.Engines(t)[0], "2024-09-02")
	d.unchanged(func() { d.ok("import", "people", d.file("people.csv", roster)) })
	for _, out := range []string{d.ok("people", "list"), d.ok("people", "list", "--output", "json")} {
		for _, n := range names() {
			if strings.Contains(out, n) {
				t.Errorf("%s stands in\n%s", n, out)
			}
		}
	}
	rows := d.objects("people", "list")
	if o := rows[0]; o.text("key", "name", "unit", "certificate", "valid_to", "hours") != "p01 欧** jtj ****0001 2024-11-06 20" {
		t.Errorf("%v", o)
	}
	if o := rows[1]; o.text("key", "name") != "p02 周*" {
		t.Errorf("%v", o)
	}
	full := d.objects("people", "list", "--full", "--unit", "csj")
	if len(full) != 2 || full[0].text("name", "certificate") != "周二 ZF-2024-0002" {
		t.Errorf("%v", full)
	}
	d.on("2024-10-08")
	sum := d.objects("import", "people", d.file("people.csv", edited(t, roster, "在岗,20", "在岗,45")))[0]
	if changes := fmt.Sprint(sum["changes"]); changes != "[map[code:p01 did:changed what:hours]]" {
		t.Error(changes)
	}
}

const attended = `行政区域代码,town
人员编号,姓名,培训日期,学时,课程,班次编号,培训对象,考核
p01,欧阳一,2024-03-15,8,行政处罚法,PX-1,在岗,合格
p01,欧阳一,2024-06-05,16,执法实务,PX-2,在岗,
p03,郑三,2024-08-30,40,离岗培训,LG-1,离岗,合格
`

func TestImportTraining(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d := staffed(t, e, "2024-09-30")
			path := d.file("training.csv", attended)
			d.unchanged(func() {
				if out := d.ok("import", "training", path, "--dry-run"); !strings.Contains(out, "would import (dry run, nothing written) training for town: 3 rows, 3 changes") {
					t.Error(out)
				}
			})
			if out := d.ok("import", "training", path); !strings.Contains(out, "imported training for town: 3 rows, 3 changes, 0 unchanged") {
				t.Error(out)
			}
			d.unchanged(func() { d.ok("import", "training", path) })
			// One more course adds; a number mended replaces; what the list leaves out stays.
			sum := d.objects("import", "training", d.file("training.csv", edited(t, attended, "06-05,16,", "06-05,18,", "p01,欧阳一,2024-03-15,8,行政处罚法,PX-1,在岗,合格\n", "")))[0]
			if sum.text("rows", "unchanged") != "2 1" || fmt.Sprint(sum["changes"]) != "[map[code:p01 did:changed what:PX-2: hours 16 → 18]]" {
				t.Errorf("%v", sum)
			}
			sum = d.objects("import", "training", d.file("training.csv", edited(t, attended, "p01,欧阳一,2024-03-15,8,行政处罚法,PX-1,在岗,合格\n", "")), "--complete")[0]
			if fmt.Sprint(sum["changes"]) != "[map[code:p01 did:changed what:PX-2: hours 18 → 16] map[code:p01 did:withdrawn what:PX-1 2024-03-15 8 hours]]" {
				t.Errorf("%v", sum)
			}
			d.ok("import", "training", d.file("training.csv", attended))
			d.on("2024-10-08")
			d.ok("run", "personnel")
			var jtj, csj string
			for _, o := range d.objects("outbox", "list", "--from", "2024-10-08") {
				switch o.text("unit") {
				case "jtj":
					jtj = d.ok("outbox", "show", o.text("id"), "--full")
				case "csj":
					csj = d.ok("outbox", "show", o.text("id"), "--full")
				}
			}
			// 24 hours in 274 of 366 days; the roster's 20 does not count beside attendances.
			if !strings.Contains(jtj, "24学时，差36学时，按目前进度年底预计32学时") {
				t.Error(jtj)
			}
			if !strings.Contains(csj, "学时已满且考核合格1人") {
				t.Error(csj)
			}
		})
	}
}

func TestBadTrainingIsRefusedWhole(t *testing.T) {
	d := staffed(t, storetest.Engines(t)[0], "2024-09-30")
	d.unchanged(func() {
		out := d.fails(exitRefused, []string{"import", "training", d.file("training.csv", attended+"p99,,2024-03-15,8,课,,在岗,\np01,周二,2024-10-01,八,课,,退休,良好\n")},
			"training.csv, row 6, column 人员编号 「p99」", "row 7, column 姓名:", "row 7, column 培训日期", "row 7, column 学时", "row 7, column 培训对象", "row 7, column 考核")
		for _, n := range names() {
			if strings.Contains(out, n) {
				t.Errorf("%s stands in\n%s", n, out)
			}
		}
	})
	d.fails(exitUsage, []string{"import", "training", d.file("training.csv", strings.Replace(attended, "town", "nowhere", 1))}, "no jurisdiction")
}

// The rosters and attendances that are bundled fit each other, in any order of words.
func TestBundledTrainingIsImported(t *testing.T) {
	d := newDesk(t, "2024-09-26")
	for _, code := range []string{"laoshan", "changji", "sishui", "jinan", "gangcheng"} {
		files := d.bundled(code)
		d.ok("import", "units", files["units"], "--jurisdiction", code)
		d.ok("import", "people", files["people"])
		d.ok("import", "training", files["training"])
		d.unchanged(func() { d.ok("import", "training", files["training"], "--complete") })
	}
}

// Everything the program writes besides the letters themselves: what it prints, its log, and the reasons it keeps.
func TestNoNamesOutsideTheLetters(t *testing.T) {
	d := staffed(t, storetest.Engines(t)[0], "2024-10-08")
	d.env["DUBAN_LOG_LEVEL"] = "debug"
	secrets := append(names(), "ren@jtj.example", "fa@csj.example", "0001", "0002")
	var all strings.Builder
	for _, args := range [][]string{
		{"import", "training", d.file("training.csv", attended)},
		{"import", "people", d.file("people.csv", strings.ReplaceAll(roster, "在岗,60", "在岗,61"))},
		{"import", "people", d.file("bad.csv", roster+"p08,周二,市水务局,科员,ZF-2024-0002,x,吊销,,,退休,很多\n")},
		{"run", "personnel"}, {"run", "personnel", "--output", "json"}, {"run", "all"}, {"outbox", "list"}, {"outbox", "list", "--output", "json"}, {"status"}, {"status", "--output", "json"},
	} {
		_, out, errOut := d.call("", args...)
		all.WriteString(out + errOut)
	}
	_ = filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, ".log") {
			b, rerr := os.ReadFile(path)
			all.Write(b)
			return rerr
		}
		return err
	})
	if !strings.Contains(all.String(), "bad.csv, row 10") {
		t.Errorf("the bad roster was not named:\n%s", all.String())
	}
	for _, s := range secrets {
		if strings.Contains(all.String(), s) {
			at := strings.Index(all.String(), s)
			t.Errorf("%q stands in …%s…", s, all.String()[max(0, at-120):min(all.Len(), at+60)])
		}
	}
}

func TestEvidenceLeavesLettersAboutPeopleOut(t *testing.T) {
	d := staffed(t, storetest.Engines(t)[0], "2024-10-08")
	d.ok("run", "personnel")
	t.Chdir(d.dir)
	args := []string{"export", "evidence", "--unit", "jtj", "--from", "2024-10-01", "--to", "2024-10-31"}
	if o := d.objects(append(args, "--out", "bare.zip")...)[0]; o.text("letters", "left_out") != "0 1" {
		t.Errorf("%v", o)
	}
	if o := d.objects(append(args, "--out", "full.zip", "--full")...)[0]; o.text("letters", "accepted") != "1 1" || o["left_out"] != nil {
		t.Errorf("%v", o)
	}
}
