package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/store/storetest"
)

// program is the built binary, built once for all tests of the process.
type program struct {
	once sync.Once
	path string
	err  error
}

var built program

// binary returns the path of the program, built as it is shipped: without cgo.
func binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "duban-test-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "duban")
		cmd := exec.Command("go", "build", "-o", built.path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build the program: %v", built.err)
	}
	return built.path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.path != "" {
		if err := os.RemoveAll(filepath.Dir(built.path)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// worker is a `duban serve` that runs as a process of its own.
type worker struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *bufio.Scanner
	seen []string
}

// patience is how long a test waits for a process to say or do what it must.
const patience = 30 * time.Second

// serve starts the worker in the folder with nothing but the given environment.
func serve(t *testing.T, dir string, env []string, args ...string) *worker {
	t.Helper()
	path := binary(t) // which may take its time
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &worker{t: t, cmd: exec.CommandContext(ctx, path, append(args, "serve")...)}
	w.cmd.Dir, w.cmd.Env = dir, env
	pipe, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.log = bufio.NewScanner(pipe)
	return w
}

// until reads the worker's log up to a line that holds all of the words.
func (w *worker) until(words ...string) {
	w.t.Helper()
	for w.log.Scan() {
		line := w.log.Text()
		w.seen = append(w.seen, line)
		found := true
		for _, word := range words {
			found = found && strings.Contains(line, word)
		}
		if found {
			return
		}
	}
	w.t.Fatalf("the worker ended, or was stopped after %s, without saying %q:\n%s", patience, words, strings.Join(w.seen, "\n"))
}

// stop sends SIGTERM and expects the worker to end by itself, with exit 0, soon.
func (w *worker) stop() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	began := time.Now()
	for w.log.Scan() {
		w.seen = append(w.seen, w.log.Text())
	}
	if err := errors.Join(w.log.Err(), w.cmd.Wait()); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		w.t.Errorf("after SIGTERM: %v\n%s", err, strings.Join(w.seen, "\n"))
	}
	if took := time.Since(began); took > 5*time.Second {
		w.t.Errorf("it took %s to stop", took)
	}
	if last := w.seen[len(w.seen)-1]; !strings.Contains(last, `"message":"stopped"`) {
		w.t.Errorf("the last word is %s", last)
	}
}

func TestServeInAnEmptyFolderRunsOnTheDefaultsAndEndsBySIGTERM(t *testing.T) {
	dir := t.TempDir()
	w := serve(t, dir, nil)
	w.until(`"message":"serving"`, `"database":"sqlite"`, `"transport":"file"`)
	w.until("no jurisdictions yet", "import units")
	w.stop()
	if _, err := os.Stat(filepath.Join(dir, "duban.db")); err != nil {
		t.Error(err)
	}
}

// today is the date of the worker's clock in the town's zone.
func today() civil.Date { return civil.In(time.Now(), time.FixedZone("UTC+8", 8*3600)) }

// liveTown is a desk whose town has work for today, whatever today is: a report of each of many units is long overdue,
// and a calendar of its own makes today and tomorrow workdays. It returns the configuration's path.
func liveTown(t *testing.T, dsn string) (*desk, string) {
	t.Helper()
	d := newDesk(t, today().String())
	d.now = time.Now()
	d.env["DUBAN_DATABASE_DSN"] = dsn
	var units strings.Builder
	units.WriteString(townUnits)
	for i := range 40 {
		fmt.Fprintf(&units, "单位,d%d,第%d管理局,,,各行政执法单位,发函,联络员,liaison@d%d.example,,\n", i, i, i)
	}
	issued, due := today()-60, today()-20
	plan := edited(t, townPlan, "印发日期,2024-07-01", "印发日期,"+issued.String(), "2024年9月30日前", due.String())
	d.ok("migrate")
	d.ok("import", "units", d.file("units.csv", units.String()))
	d.ok("import", "plan", d.file("plan.csv", plan))
	calendar := d.file("calendar.json", fmt.Sprintf(`{"years": [%s]}`, workdays(today(), today()+1)))
	return d, d.file("duban.yaml", fmt.Sprintf(`
database: {dsn: %q}
mail: {dir: %q}
schedule: {%s}
calendar: {overrides: [%q]}
defaults: {window: {from: "00:00", to: "24:00"}}
`, dsn, d.env["DUBAN_MAIL_DIR"], atMidnight, calendar))
}

// atMidnight is a schedule by which each job of the day is due, whenever the test runs.
const atMidnight = `open: "0 0 * * *", monthly_close: "0 0 * * *", quarterly_close: "0 0 * * *", personnel: "0 0 * * *", remind: "0 0 * * *", escalate: "0 0 * * *"`

// mails counts the files of letters that are mails: pages and what goes along with a letter lie beside them.
func mails(letters map[string]string) int {
	n := 0
	for name := range letters {
		if strings.HasSuffix(name, ".eml") {
			n++
		}
	}
	return n
}

// workdays writes the years of a calendar in which the days are workdays.
func workdays(days ...civil.Date) string {
	var years []string
	for i, day := range days {
		one := fmt.Sprintf(`{"date": %q, "name": "", "off": false}`, day)
		if i > 0 && days[i-1].Year() == day.Year() {
			years[len(years)-1] = strings.TrimSuffix(years[len(years)-1], "]}") + ", " + one + "]}"
			continue
		}
		years = append(years, fmt.Sprintf(`{"year": %d, "days": [%s]}`, day.Year(), one))
	}
	return strings.Join(years, ", ")
}

func TestServeSendsTheDaysLettersAndIsStoppedBetweenTwoOfThem(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, config := liveTown(t, urlOf(e.DSN(t)))
			w := serve(t, d.dir, nil, "--config", config)
			w.until("serving")
			w.until("job settled", `"job":"open"`, `"state":"done"`)
			w.until("job settled", `"job":"remind"`, `"state":"done"`)
			w.until("job settled", `"job":"escalate"`, `"state":"done"`)
			w.until("letter settled", `"state":"sent"`)
			w.stop()

			for _, r := range d.objects("--config", config, "status")[0]["last_runs"].([]any) {
				if run := object(r.(map[string]any)); run.text("state", "by") != "done scheduler" {
					t.Errorf("%v", run)
				}
			}
			// Beside a letter to each unit there is the bureau's digest and, where this is a month's or a year's closing day, what
			// the close writes to the bureau.
			const units, digests = 43, 1
			byKind := func() (kinds, states map[string]int) {
				kinds, states = map[string]int{}, map[string]int{}
				for _, o := range d.objects("--config", config, "outbox", "list") {
					kinds[o.text("kind")]++
					states[o.text("state")]++
				}
				return kinds, states
			}
			kinds, left := byKind()
			if kinds["unit-letter"] != units || kinds["bureau-digest"] != digests {
				t.Errorf("planned: %v", kinds)
			}
			for kind, n := range kinds {
				if kind != "unit-letter" && kind != "bureau-digest" && (n > 1 || kind != "summary" && kind != "bulletin") {
					t.Errorf("%d letters of the kind %s", n, kind)
				}
			}
			drafts := kinds["bulletin"]
			if left["sent"] == 0 || left["sent"]+left["pending"] != units+digests+kinds["summary"] || left["held"] != drafts {
				t.Fatalf("%v of %v", left, kinds)
			}
			before := d.letters()
			if mails(before) != left["sent"] {
				t.Fatalf("%v, and %d files", left, mails(before))
			}
			d.ok("--config", config, "run", "all") // goes on where the worker stopped
			after := d.letters()
			for name, text := range before {
				if after[name] != text {
					t.Errorf("%s was written again", name)
				}
			}
			again, left := byKind()
			if !maps.Equal(again, kinds) || left["sent"] != units+digests+kinds["summary"] || left["held"] != drafts || mails(after) != left["sent"] {
				t.Errorf("%d mails, %v of %v; before that %v", mails(after), left, again, kinds)
			}
			w = serve(t, d.dir, nil, "--config", config) // a worker that starts again has nothing to add
			w.until("serving")
			w.stop()
			same(t, "after serving again", after, d.letters())
		})
	}
}

// urlOf writes the name of a database as the configuration wants it: a socket is a parameter there.
func urlOf(dsn string) string {
	rest, ok := strings.CutPrefix(dsn, "mysql://root@unix(")
	if !ok {
		return dsn
	}
	socket, name, _ := strings.Cut(rest, ")/")
	return "mysql://root@/" + name + "?socket=" + socket
}

func TestADatabaseServerIsMigratedOnlyWhenTold(t *testing.T) {
	d := newDesk(t, "2024-09-26")
	d.env["DUBAN_DATABASE_DSN"] = urlOf(storetest.Engines(t)[1].DSN(t))
	d.fails(exitUsage, []string{"status"}, "duban migrate")
	d.fails(exitUsage, []string{"serve"}, "duban migrate")
	if out := d.ok("migrate"); !strings.HasSuffix(out, "migrations applied\n") || strings.HasPrefix(out, "0 ") {
		t.Error(out)
	}
	if out := d.ok("migrate"); out != "0 migrations applied\n" {
		t.Error(out)
	}
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	d.ok("run", "all")
	d.expect(item("1/jtj/m1"), "2024-09-26", "waiting 2024-09-30")
}

func TestServeRefusesABadConfiguration(t *testing.T) {
	d := newDesk(t, "2024-09-26")
	for text, hint := range map[string]string{
		"mial: {}\n":                                       "did you mean mail?",
		"schedule: {heartbeat: \"\"}\n":                    "heartbeat",
		"schedule: {remind: \"0 25 * * *\"}\n":             "schedule.remind",
		"schedule: {heartbeat: \"0 * * * *\", grace: 30m}": "every slot would be missed",
		"mail: {transport: smtp}\n":                        "mail.smtp.host",
		"mail: {transport: pigeon}\n":                      "file",
		"worker: {lease: soon}\n":                          "worker.lease",
		"defaults: {window: {from: late}}\n":               "window",
		"jurisdictions: {town: {live_from: 2024-02-30}}":   "2024-02-30",
	} {
		d.fails(exitUsage, []string{"--config", d.file("bad.yaml", text), "serve"}, hint)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "duban.db")); err == nil {
		t.Error("a database was made for a worker that never began")
	}
}
