package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/testdata"
)

// desk is a clerk's desk: a folder with one embedded database, a calendar on the wall, and the program, which is called
// anew for every command, as a process would be.
type desk struct {
	t   testing.TB
	dir string
	now time.Time
	env map[string]string
	// machine is what the program's machine takes for the present; nil: the test's own does.
	machine func() time.Time
}

// newDesk opens a desk at half past nine of the day.
func newDesk(t testing.TB, day string) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{t: t, dir: dir, env: map[string]string{
		"DUBAN_DATABASE_DSN": "sqlite:" + filepath.Join(dir, "duban.db"), "DUBAN_MAIL_DIR": filepath.Join(dir, "letters"),
	}}
	d.on(day)
	return d
}

// on turns the calendar to another day.
func (d *desk) on(day string) {
	d.now = civil.MustParse(day).Time(time.FixedZone("UTC+8", 8*3600)).Add(9*time.Hour + 30*time.Minute)
}

// call runs one command line with in on standard input.
func (d *desk) call(in string, args ...string) (code int, out, errOut string) {
	d.t.Helper()
	var o, e bytes.Buffer
	a := &app{
		in: strings.NewReader(in), out: &o, err: &e, clock: func() time.Time { return d.now }, machine: d.machine,
		env: func(k string) (string, bool) { v, ok := d.env[k]; return v, ok },
		environ: func() []string {
			var all []string
			for k, v := range d.env {
				all = append(all, k+"="+v)
			}
			return all
		},
	}
	code = a.main(d.t.Context(), args)
	return code, o.String(), e.String()
}

// ok runs a command that must succeed and say nothing on standard error.
func (d *desk) ok(args ...string) string {
	d.t.Helper()
	code, out, errOut := d.call("", args...)
	if code != exitDone || errOut != "" {
		d.t.Fatalf("duban %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

// fails runs a command that must end with the code and answer with every one of the hints, and print no result.
func (d *desk) fails(code int, args []string, hints ...string) string {
	d.t.Helper()
	got, out, errOut := d.call("", args...)
	if got != code || out != "" {
		d.t.Errorf("duban %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, errOut)
	}
	for _, hint := range hints {
		if !strings.Contains(errOut, hint) {
			d.t.Errorf("duban %s: the answer lacks %q:\n%s", strings.Join(args, " "), hint, errOut)
		}
	}
	return errOut
}

// object is a line of JSON.
type object map[string]any

// text returns the values of the keys, as they print, parted by spaces.
func (o object) text(keys ...string) string {
	words := make([]string, 0, len(keys))
	for _, k := range keys {
		words = append(words, fmt.Sprint(o[k]))
	}
	return strings.Join(words, " ")
}

// objects runs a command with --output json and reads one object per line.
func (d *desk) objects(args ...string) []object {
	d.t.Helper()
	return lines(d.t, d.ok(append(args, "--output", "json")...))
}

func lines(t testing.TB, out string) []object {
	t.Helper()
	var all []object
	for line := range strings.Lines(out) {
		var o object
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v in line %q", err, line)
		}
		all = append(all, o)
	}
	return all
}

// file writes a file on the desk and returns its path.
func (d *desk) file(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// state is what an obligation stands at on a day: its state with the marks, its date, its arm.
func (d *desk) state(id, day string) string {
	d.t.Helper()
	o := d.objects("obligations", "show", id, "--as-of", day)[0]
	s := o.text("state", "effective")
	if o["late"] != 0.0 {
		s += fmt.Sprintf(" late %v", o["late"])
	}
	if o["overdue"] == true {
		s += " overdue"
	}
	if o["arm"] != nil {
		s += fmt.Sprintf(" arm %v", o["arm"])
	}
	return s
}

// expect compares what an obligation stands at.
func (d *desk) expect(id, day, want string) {
	d.t.Helper()
	if got := d.state(id, day); got != want {
		d.t.Errorf("%s as of %s: %s, want %s", id, day, got, want)
	}
}

// letters returns the letters that left as files of the folder, by name.
func (d *desk) letters() map[string]string {
	d.t.Helper()
	out := map[string]string{}
	root := d.env["DUBAN_MAIL_DIR"]
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		out[strings.TrimPrefix(p, root)] = string(b)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		d.t.Fatal(err)
	}
	return out
}

// tally counts the letters of the outbox that the arguments of its list select, by date, kind and state: "2024-09-25
// unit-letter sent".
func (d *desk) tally(args ...string) map[string]int {
	d.t.Helper()
	n := map[string]int{}
	for _, o := range d.objects(append([]string{"outbox", "list"}, args...)...) {
		n[o.text("date", "kind", "state")]++
	}
	return n
}

// change runs one statement on the desk's database, behind the program's back.
func (d *desk) change(statement string) {
	d.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(d.dir, "duban.db"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(d.t.Context(), statement); err != nil {
		d.t.Fatal(err)
	}
}

// dump is every row of every table of the desk's database.
func (d *desk) dump() string {
	d.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(d.dir, "duban.db"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	for _, name := range query(d.t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		rows := query(d.t, db, "SELECT * FROM "+name)
		slices.Sort(rows)
		fmt.Fprintf(&b, "%s\n%s\n", name, strings.Join(rows, "\n"))
	}
	return b.String()
}

// query returns the rows of a statement, each on one line.
func query(t testing.TB, db *sql.DB, statement string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		words := make([]string, 0, len(values))
		for _, v := range values {
			words = append(words, fmt.Sprintf("%s", v))
		}
		out = append(out, strings.Join(words, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// unchanged runs f and holds the database to what it was.
func (d *desk) unchanged(f func()) {
	d.t.Helper()
	before := d.dump()
	f()
	if after := d.dump(); after != before {
		d.t.Errorf("the database was written to:\n%s", firstDifference(before, after))
	}
}

func firstDifference(a, b string) string {
	old := map[string]bool{}
	for line := range strings.Lines(a) {
		old[line] = true
	}
	for line := range strings.Lines(b) {
		if !old[line] {
			return line
		}
	}
	return "something is gone"
}

// bundled writes the files of a bundled jurisdiction to the desk and returns their paths by kind.
func (d *desk) bundled(code string) map[string]string {
	d.t.Helper()
	files, err := fs.ReadDir(testdata.FS, path.Join("plans", code))
	if err != nil {
		d.t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		b, err := fs.ReadFile(testdata.FS, path.Join("plans", code, f.Name()))
		if err != nil {
			d.t.Fatal(err)
		}
		kind, _, _ := strings.Cut(f.Name(), ".")
		out[kind] = d.file(code+"-"+f.Name(), string(b))
	}
	for _, kind := range []string{"people", "plan", "training", "units"} {
		if out[kind] == "" {
			d.t.Fatalf("%s holds %v, and no %s", code, slices.Sorted(maps.Keys(out)), kind)
		}
	}
	return out
}

// edited replaces pieces of a ledger's text; each must stand there exactly once.
func edited(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			t.Fatalf("%q stands %d times in the ledger", pairs[i], strings.Count(text, pairs[i]))
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// The town is small enough to be read: a bureau, three bodies of law enforcement, a party organ, one plan.
const townUnits = `行政区域代码,town
行政区域,示例市
主管司法局,市司法局
启用日期,2024-01-01
类型,编码,名称,全称,别名,所属单位组,催办方式,联络员,联络员邮箱,分管负责人,分管负责人邮箱
单位组,zfdw,各行政执法单位,,执法单位,,,,,,
单位,sfj,市司法局,示例市司法局,,,不发,申敏,shen@sfj.example,,
单位,jtj,市交通运输局,示例市交通运输局,市交通局,各行政执法单位,发函,张三,zhang@jtj.example,赵六,zhao@jtj.example
单位,csj,市城市管理局,示例市城市管理局,市城管局,各行政执法单位,发函,王五,wang@csj.example,,
单位,wjj,市卫生健康局,示例市卫生健康局,,各行政执法单位,发函,李四,li@wjj.example,,
单位,zzb,市委组织部,中共示例市委组织部,,,人工,钱七,qian@zzb.example,,
`

const townPlan = `方案代码,zl2024
方案名称,示例市行政执法质量提升方案
文号,示政发〔2024〕1号
印发日期,2024-07-01
序号,任务措施,牵头单位,责任单位,完成时限,成果形式
1,执法事项目录编制,市司法局,各行政执法单位,2024年9月30日前,事项目录
2,案卷评查,,市交通运输局、市城市管理局,2024年10月31日前,评查报告
3,执法数据报送,,各行政执法单位,每月25日前,数据月报
4,会前学法,,市交通运输局,全年不少于4次,学法记录
5,改革后职责调整,,市交通运输局,机构改革完成后6个月内,调整方案
6,专项整治,,各行政执法单位,根据上级部署,整治总结
7,经费保障,,市卫生健康局,适时,落实情况
8,年度报告,,市卫生健康局,每年10月前,年度报告
9,持证上岗,,各行政执法单位,长期坚持,
10,培训计划,,市城市管理局,2024年5月底前,培训计划
`

// town is a desk with the town in its register.
func town(t testing.TB, day string) *desk {
	t.Helper()
	d := newDesk(t, day)
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	return d
}

// item names an obligation of the town: row, unit, instance.
func item(s string) string { return "town/zl2024/" + s }
