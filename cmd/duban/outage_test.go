package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store/storetest"
)

// tick lets a worker look once at the jurisdictions at the instant, as it does when it starts.
func tick(t testing.TB, w *jobs.Worker, at time.Time, codes []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	left := map[string]bool{}
	for _, code := range codes {
		left[code] = true
	}
	deliver := w.Deliver
	w.Deliver = func(ctx context.Context, code string, d civil.Date, planned bool) error {
		err := deliver(context.WithoutCancel(ctx), code, d, planned)
		mu.Lock()
		defer mu.Unlock()
		if delete(left, code); len(left) == 0 {
			cancel()
		}
		return err
	}
	w.Clock, w.Shutdown, w.Log = func() time.Time { return at }, time.Minute, zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.ErrorLevel)
	w.Trust = func(context.Context, time.Time) error { return nil } // the day is a story's
	if err := w.Serve(ctx); err != nil {
		t.Error(err)
	}
}

// morning lets the demo's worker look once at half past nine of the day.
func (d *demo) morning(t testing.TB, day civil.Date) {
	t.Helper()
	at := day.Time(time.FixedZone("UTC+8", 8*3600)).Add(9*time.Hour + 30*time.Minute)
	d.clock = func() time.Time { return at }
	specs, err := schedules(d.cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := d.newWorker(d.store, d.runner(d.store, "scheduler"), specs)
	w.Jurisdictions = func(ctx context.Context) (all []task.Jurisdiction, err error) {
		for _, code := range d.codes {
			j, err := d.store.Jurisdiction(ctx, code)
			if err != nil {
				return nil, err
			}
			all = append(all, j)
		}
		return all, nil
	}
	tick(t, w, at, d.codes)
}

// TestOutages stops the worker in the evening of a day and starts it again in the morning of another, and holds what it makes
// of that against one that never stopped: nothing that was owed goes unsaid, a unit is written to once, every period is
// closed, and the ledger accounts for every slot.
func TestOutages(t *testing.T) {
	t.Parallel()
	if !timed {
		t.Skip("the race detector makes minutes of it, and one worker alone is told of; the gate runs it without, on both engines")
	}
	for _, c := range []struct {
		name                   string
		from, stopped, started string
		closes                 bool // a period is closed meanwhile
	}{
		// The 29th is a make-up Sunday, 1 to 7 October are off; the days in between are the 30th and the break.
		{"National Day", "2024-09-24", "2024-09-29", "2024-10-08", false},
		{"over the 25th", "2024-09-18", "2024-09-24", "2024-09-30", true},
		{"over the quarter's end", "2024-09-24", "2024-09-27", "2024-10-18", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, e := range storetest.Engines(t) {
				t.Run(e.Name, func(t *testing.T) {
					t.Parallel()
					from, stopped, started := civil.MustParse(c.from), civil.MustParse(c.stopped), civil.MustParse(c.started)
					off, on := story(t, e.Open(t), c.from, c.started), story(t, e.Open(t), c.from, c.started)
					for _, d := range []*demo{off, on} {
						d.codes = []string{"laoshan", "sishui"}
						d.days(t, from, stopped-1)
						d.morning(t, stopped)
					}
					for day := stopped + 1; day <= started; day++ {
						on.morning(t, day)
					}
					off.morning(t, started)
					closed := 0
					for _, code := range off.codes {
						nothingUnsaid(t, on, off, code, stopped+1, started)
						closed += sameClosings(t, on, off, code, stopped+1, started)
						accounted(t, off, code, stopped+1, started)
					}
					if c.closes != (closed > 0) {
						t.Errorf("%d periods were closed", closed)
					}
					oneLetterEach(t, off, stopped+1, started)
				})
			}
		})
	}
}

// nothingUnsaid finds each step that the worker which never stopped said in the days, or passed over, in the other's
// register. A form alone is still to come: the urging has to be served first.
func nothingUnsaid(t *testing.T, on, off *demo, code string, from, to civil.Date) {
	t.Helper()
	type step struct {
		ref, step string
		arm       int
	}
	steps := func(d *demo, from civil.Date) map[step]bool {
		fired, err := d.store.StepsBetween(t.Context(), code, from, to)
		if err != nil {
			t.Fatal(err)
		}
		out := map[step]bool{}
		for _, f := range fired {
			out[step{f.Obligation, f.Step, f.Arm}] = true
		}
		return out
	}
	want, got := steps(on, from), steps(off, off.from)
	for s := range want {
		if !got[s] && s.step != "T+10" {
			t.Errorf("%s %s (arm %d) is neither said nor passed over", s.ref, s.step, s.arm)
		}
	}
	if len(want) == 0 {
		t.Errorf("%s: nothing was to be said", code)
	}
}

// sameClosings returns how many periods were closed in the days.
func sameClosings(t *testing.T, on, off *demo, code string, from, to civil.Date) int {
	t.Helper()
	closed := func(d *demo) []string {
		all, err := d.store.Closings(t.Context(), code, "")
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, c := range all {
			if c.On >= from && c.On <= to {
				out = append(out, fmt.Sprint(c.On, c.Kind, " ", c.Plan, c.Row, " ", c.Period, c.Version))
			}
		}
		slices.Sort(out)
		return out
	}
	want, got := closed(on), closed(off)
	if !slices.Equal(got, want) {
		t.Errorf("%s: closed were\n%s\nwant\n%s", code, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return len(want)
}

// accounted holds that the ledger has every slot of the days, settled, and of the skipped ones why.
func accounted(t *testing.T, d *demo, code string, from, to civil.Date) {
	t.Helper()
	for _, job := range d.runner(d.store, "").Jobs {
		runs, err := d.store.Runs(t.Context(), run.Filter{Job: job.Name(), Jurisdiction: code, From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		if len(runs) != int(to-from+1) {
			t.Errorf("%s %s has %d slots from %s to %s", job.Name(), code, len(runs), from, to)
		}
		for _, r := range runs {
			off := strings.HasPrefix(r.Reason, "not a workday")
			covered := r.Reason == "covered by "+to.String()
			switch {
			case !r.Settled() || r.State == run.Skipped && !off && !covered, r.State == run.Skipped && covered && (job.EveryDay() || r.Date == to):
				t.Errorf("%s %s %s is %s (%s)", job.Name(), code, r.Date, r.State, r.Reason)
			case r.Due.IsZero():
				t.Errorf("%s %s %s: the ledger does not say when it was due", job.Name(), code, r.Date)
			}
		}
		next, err := d.store.Runs(t.Context(), run.Filter{Job: job.Name(), Jurisdiction: code, From: to + 1})
		if err != nil || len(next) != 1 || next[0].State != run.Planned || next[0].Date != to+1 {
			t.Errorf("%s %s: to come is %+v, %v", job.Name(), code, next, err)
		}
	}
}

// oneLetterEach holds that a unit has one letter at most of all of the days, of the last of them, and that somebody has one.
func oneLetterEach(t *testing.T, d *demo, from, to civil.Date) {
	t.Helper()
	letters, err := d.store.Notices(t.Context(), notice.Filter{From: from, To: to, Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, n := range letters {
		if n.Key.Kind == notice.UnitLetter || n.Key.Kind == notice.BureauDigest {
			if n.Key.Date != to {
				t.Errorf("a letter of %s to %s/%s", n.Key.Date, n.Key.Jurisdiction, n.Key.Unit)
			}
			seen[n.Key.Kind+" "+n.Key.Jurisdiction+"/"+n.Key.Unit]++
		}
	}
	for reader, n := range seen {
		if n > 1 {
			t.Errorf("%s: %d letters", reader, n)
		}
	}
	if len(seen) < 5 {
		t.Errorf("%d readers were written to", len(seen))
	}
}

// TestAnOutageOfFiveHundredDays is accounted for at once: what is made up, what is covered, and what nobody makes up. What it
// finds is checked before it is urged, as anything that the register comes to know late.
func TestAnOutageOfFiveHundredDays(t *testing.T) {
	t.Parallel()
	if !timed {
		t.Skip("the race detector makes minutes of it, and one worker alone is told of; the gate runs it without, on both engines")
	}
	const code = "laoshan"
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			d := story(t, e.Open(t), "2024-05-30", "2024-05-31")
			d.codes = []string{code}
			d.morning(t, d.from)
			d.morning(t, d.to)
			set, err := d.policies.settings(code)
			if err != nil {
				t.Fatal(err)
			}
			started := set.Calendar.OnOrAfter(d.to + 501)
			d.morning(t, started)
			for _, job := range d.runner(d.store, "").Jobs {
				runs, err := d.store.Runs(t.Context(), run.Filter{Job: job.Name(), Jurisdiction: code, From: d.to + 1, To: started})
				if err != nil || len(runs) != int(started-d.to) {
					t.Fatalf("%s has %d slots, want %d; %v", job.Name(), len(runs), started-d.to, err)
				}
				for _, r := range runs {
					want := ""
					switch far := r.Date < started-400; {
					case job.EveryDay() && far:
						want = fmt.Sprintf("too long ago: an outage is made up for 400 days; fill them with `duban backfill %s --jurisdiction %s --from %s --to %s --reprocess all`",
							job.Name(), code, d.to+1, started-401)
					case !job.EveryDay() && r.Date < started:
						want = "covered by " + started.String()
					}
					if !r.Settled() || want != "" && r.Reason != want || want == "" && r.Reason != "" && !strings.HasPrefix(r.Reason, "not a workday") && r.Job != "escalate" {
						t.Fatalf("%s of %s is %s: %s", r.Job, r.Date, r.State, r.Reason)
					}
				}
			}
			next := set.Calendar.Add(started, 1)
			d.morning(t, next)
			letters, err := d.store.Notices(t.Context(), notice.Filter{Jurisdiction: code, From: d.to + 1, Bare: true})
			if err != nil {
				t.Fatal(err)
			}
			to := map[string]int{}
			for _, n := range letters {
				if n.Key.Kind == notice.UnitLetter {
					to[n.Key.Unit+" "+n.Key.Date.String()]++
				}
			}
			for unit, n := range to {
				if n != 1 || !strings.HasSuffix(unit, started.String()) && !strings.HasSuffix(unit, next.String()) {
					t.Errorf("%d letters to %s", n, unit)
				}
			}
			if len(to) == 0 {
				t.Error("nobody was written to")
			}
		})
	}
}
