package main

import (
	"bytes"
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/store/storetest"
)

// countedJob counts how often a job runs for a slot.
type countedJob struct {
	jobs.Job
	mu  *sync.Mutex
	ran map[run.Slot]int
}

func (j countedJob) Run(ctx context.Context, r run.Run) (run.Run, error) {
	j.mu.Lock()
	j.ran[r.Slot]++
	j.mu.Unlock()
	return j.Job.Run(ctx, r)
}

// process is the program as another process on the desk's database: with a store of its own.
func (d *desk) process() (*app, func()) {
	d.t.Helper()
	var out, errOut bytes.Buffer
	now := d.now
	a := &app{
		in: strings.NewReader(""), out: &out, err: &errOut, clock: func() time.Time { return now },
		env: func(k string) (string, bool) { v, ok := d.env[k]; return v, ok },
	}
	return a, func() {
		if err := a.close(); err != nil {
			d.t.Error(err)
		}
	}
}

// TestASlotRunsOnceWhoeverComes lets two workers and a person loose on the slots of the same days, each with a store of its
// own: every slot runs once, every letter leaves once, and the person is told what others have done.
func TestASlotRunsOnceWhoeverComes(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d := newDesk(t, "2024-09-18")
			d.env["DUBAN_DATABASE_DSN"] = urlOf(e.DSN(t))
			d.env["DUBAN_LOG_LEVEL"] = "error"
			d.ok("migrate")
			d.ok("import", "units", d.file("units.csv", townUnits))
			d.ok("import", "plan", d.file("plan.csv", townPlan))
			var mu sync.Mutex
			ran := map[run.Slot]int{}
			days := []string{"2024-09-18", "2024-09-20", "2024-09-25", "2024-09-27", "2024-09-29"} // what lies between is made up
			for _, day := range days {
				d.on(day)
				told := d.rush(&mu, ran)
				for _, o := range told {
					slot := run.Slot{Job: o.text("job"), Jurisdiction: "town", Date: civil.MustParse(o.text("date"))}
					switch {
					case o["already"] == false && o.text("by") == "李敏":
						ran[slot]++
					case o["already"] != true || o.text("by") != "scheduler" || o["error"] != nil:
						t.Errorf("the person is told %v", o)
					}
				}
				if len(told) < 6 {
					t.Errorf("%s: the person is told of %d slots", day, len(told))
				}
			}
			first, last := civil.MustParse(days[0]), civil.MustParse(days[len(days)-1])
			slots := d.objects("runs", "list", "--jurisdiction", "town", "--to", last.String(), "--limit", "0")
			if len(slots) != 6*int(last-first+1) {
				t.Errorf("%d slots in the ledger", len(slots))
			}
			for _, o := range slots {
				slot := run.Slot{Job: o.text("job"), Jurisdiction: "town", Date: civil.MustParse(o.text("date"))}
				n := ran[slot]
				delete(ran, slot)
				covered := strings.HasPrefix(o.text("reason"), "covered by")
				if o.text("state") != "done" && o.text("state") != "skipped" || covered && n != 0 || !covered && n != 1 {
					t.Errorf("%s ran %d times and is %s", o.text("job", "date"), n, o.text("state", "reason"))
				}
			}
			if len(ran) > 0 {
				t.Errorf("ran without a record: %v", ran)
			}
			left := map[string]int{}
			for _, o := range d.objects("outbox", "list") {
				left[o.text("state")]++
			}
			if left["sent"] == 0 || mails(d.letters()) != left["sent"] || left["sent"]+left["superseded"]+left["held"] != sum(left) {
				t.Errorf("%v, and %d mails", left, mails(d.letters()))
			}
		})
	}
}

func sum(counts map[string]int) (n int) {
	for v := range maps.Values(counts) {
		n += v
	}
	return n
}

// rush starts two workers and a person at once, and returns what the person is told of each slot.
func (d *desk) rush(mu *sync.Mutex, ran map[run.Slot]int) []object {
	d.t.Helper()
	var all sync.WaitGroup
	for range 2 {
		a, end := d.process()
		s, err := a.open(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		specs, err := schedules(a.cfg)
		if err != nil {
			d.t.Fatal(err)
		}
		runner := a.runner(s, "scheduler")
		for i, j := range runner.Jobs {
			runner.Jobs[i] = countedJob{j, mu, ran}
		}
		w := a.newWorker(s, runner, specs)
		all.Go(func() {
			defer end()
			tick(d.t, w, d.now, []string{"town"})
		})
	}
	var told []object
	all.Go(func() {
		code, out, errOut := d.call("", "run", "all", "--by", "李敏", "--output", "json")
		if code != exitDone {
			d.t.Errorf("the person: exit %d\n%s%s", code, out, errOut)
		}
		told = lines(d.t, out)
	})
	all.Wait()
	return told
}

// TestAPersonIsToldWhoHasTheSlot and waits for it: here until its lease has passed.
func TestAPersonIsToldWhoHasTheSlot(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "2024-09-26")
			dsn := e.DSN(t)
			d.env["DUBAN_DATABASE_DSN"] = urlOf(dsn)
			d.ok("migrate")
			d.ok("import", "units", d.file("units.csv", townUnits))
			slot := run.Slot{Job: "open", Jurisdiction: "town", Date: civil.MustParse("2024-09-26")}
			if _, ok, err := storetest.Reopen(t, dsn).ClaimSlot(t.Context(), slot, "scheduler", 1500*time.Millisecond, false); !ok || err != nil {
				t.Fatal(ok, err)
			}
			code, out, errOut := d.call("", "run", "open", "--by", "李敏")
			if code != exitDone || !strings.Contains(out, "done: 0 obligations opened") || strings.Count(errOut, "\n") != 1 ||
				!strings.Contains(errOut, "open town 2024-09-26: scheduler has it since ") || !strings.Contains(errOut, "waiting for it to be settled, 30s at most") {
				t.Errorf("exit %d\n%s%s", code, out, errOut)
			}
			if again := d.ok("run", "open"); !strings.Contains(again, "settled before (done by 李敏)") {
				t.Error(again)
			}
		})
	}
}

// TestTheLedgerIsPrinted: what was missed, what a person made up for, what is to come.
func TestTheLedgerIsPrinted(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "2024-09-26") // half past nine on a Thursday; the 28th is off, the 29th a make-up Sunday
			d.env["DUBAN_DATABASE_DSN"], d.env["DUBAN_SCHEDULE_GRACE"], d.env["DUBAN_LOG_LEVEL"] = urlOf(e.DSN(t)), "25m", "error"
			d.ok("migrate")
			d.ok("import", "units", d.file("units.csv", townUnits))
			d.ok("import", "plan", d.file("plan.csv", townPlan))
			d.serveOnce()
			const reason = "missed: due 09:00, looked at 09:30, grace 25m; 2024-09-27's letter says what is still to be said"
			remind := d.objects("runs", "list", "--job", "remind")
			if len(remind) != 2 || remind[0].text("date", "state", "due") != "2024-09-27 planned 2024-09-27T01:00:00Z" ||
				remind[1].text("date", "state", "reason", "due", "by") != "2024-09-26 skipped "+reason+" 2024-09-26T01:00:00Z scheduler" ||
				remind[0]["late_seconds"] != nil || remind[1]["took_seconds"] != nil {
				t.Errorf("%v", remind)
			}
			for job, state := range map[string]string{"open": "done", "monthly-close": "done", "personnel": "skipped", "escalate": "done"} {
				o := d.objects("runs", "list", "--job", job, "--to", "20240926")[0]
				if o.text("state") != state || state == "done" && (o["took_seconds"] == nil || o["late_seconds"] == nil) {
					t.Errorf("%v", o)
				}
			}
			if n := len(d.objects("runs", "list", "--state", "planned")); n != 6 {
				t.Errorf("%d slots are to come", n)
			}
			table := d.ok("runs", "list", "--job", "remind", "--state", "skipped")
			if !strings.HasPrefix(table, "DATE ") || !strings.Contains(table, "2024-09-26  remind  town          skipped  09:00                       scheduler  "+reason) {
				t.Errorf("the table:\n%s", table)
			}
			for _, bad := range [][]string{
				{"--state", "lost"}, {"--job", "mend"}, {"--jurisdiction", "atlantis"}, {"--from", "26.9."}, {"--limit", "-1"},
			} {
				d.fails(exitUsage, append([]string{"runs", "list"}, bad...), strings.TrimPrefix(bad[0], "--"))
			}
			if newest := d.ok("runs", "list", "--limit", "3"); strings.Count(newest, "\n") != 5 || !strings.HasSuffix(newest, "the newest 3; --limit 0 shows all\n") {
				t.Error(newest)
			}

			if made := d.ok("run", "remind", "--by", "李敏"); !strings.Contains(made, "looked at") || !strings.Contains(made, "(due 09:00, ") {
				t.Errorf("a person takes what the clock missed:\n%s", made)
			}
			for _, o := range d.objects("run", "remind") {
				if o["already"] != true || o.text("job") == "remind" && (o.text("state", "by") != "done 李敏" || o["late_seconds"] == nil || o["took_seconds"] == nil) {
					t.Errorf("%v", o)
				}
			}
			d.on("2024-09-27")
			d.env["DUBAN_SCHEDULE_GRACE"] = "24h"
			d.serveOnce()
			want := "2024-09-28 planned, 2024-09-27 done, 2024-09-26 done"
			if got := slotStates(d.objects("runs", "list", "--job", "remind")); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			d.on("2024-09-29")
			d.serveOnce()
			want = "2024-09-30 planned, 2024-09-29 done, 2024-09-28 skipped covered by 2024-09-29, 2024-09-27 done, 2024-09-26 done"
			if got := slotStates(d.objects("runs", "list", "--job", "remind")); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func slotStates(rows []object) string {
	var out []string
	for _, o := range rows {
		words := o.text("date", "state")
		if o["reason"] != nil {
			words += " " + o.text("reason")
		}
		out = append(out, words)
	}
	return strings.Join(out, ", ")
}

// serveOnce lets a worker of its own process look once.
func (d *desk) serveOnce() {
	d.t.Helper()
	a, end := d.process()
	defer end()
	s, err := a.open(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	specs, err := schedules(a.cfg)
	if err != nil {
		d.t.Fatal(err)
	}
	tick(d.t, a.newWorker(s, a.runner(s, "scheduler"), specs), d.now, []string{"town"})
}
