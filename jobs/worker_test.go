package jobs

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
)

// fakeSlots is a run ledger in memory.
type fakeSlots struct {
	mu    sync.Mutex
	runs  map[run.Slot]run.Run
	skips int // how many transactions skipped slots
}

func (f *fakeSlots) ClaimSlot(_ context.Context, s run.Slot, by string, lease time.Duration, again bool) (run.Run, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, ok := f.runs[s]
	if ok && (old.Settled() && !again || old.State == run.Running && old.Lease.After(time.Now())) {
		return old, false, nil
	}
	r := run.Run{Slot: s, State: run.Running, By: by, Due: old.Due, Started: time.Now(), Lease: time.Now().Add(lease)}
	f.runs[s] = r
	return r, true, nil
}

func (f *fakeSlots) FinishSlot(_ context.Context, r run.Run) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs[r.Slot] = r
	return nil
}

func (f *fakeSlots) SkipAll(_ context.Context, runs []run.Run) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(runs) > 0 {
		f.skips++
	}
	for _, r := range runs {
		old, ok := f.runs[r.Slot]
		switch {
		case !ok:
		case old.State == run.Planned:
			r.Due = old.Due
		case old.State == run.Failed:
			r.Due, r.Reason = old.Due, r.Reason+"; it had failed: "+old.Reason
		case old.State == run.Running && !old.Lease.After(time.Now()):
			r.Due, r.Reason = old.Due, r.Reason+"; "+old.By+" had begun it"
		default:
			continue
		}
		r.State = run.Skipped
		f.runs[r.Slot] = r
	}
	return nil
}

func (f *fakeSlots) Reopen(_ context.Context, s run.Slot, reason string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.runs[s]; old.State == run.Skipped && old.Reason == reason {
		old.State, old.Reason = run.Planned, ""
		f.runs[s] = old
	}
	return nil
}

func (f *fakeSlots) PlanSlots(_ context.Context, slots []run.Run) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range slots {
		if _, ok := f.runs[r.Slot]; !ok {
			f.runs[r.Slot] = r
		}
	}
	return nil
}

func (f *fakeSlots) OpenSlots(_ context.Context, job, jurisdiction string, before civil.Date) ([]run.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := before
	for s := range f.runs {
		if s.Job == job && s.Jurisdiction == jurisdiction {
			first = min(first, s.Date)
		}
	}
	var open []run.Run
	for d := first; d < before; d++ {
		s := run.Slot{Job: job, Jurisdiction: jurisdiction, Date: d}
		if r := f.runs[s]; !r.Settled() {
			open = append(open, run.Run{Slot: s, State: r.State})
		}
	}
	return open, nil
}

// on is what the ledger says of the job's slots of one jurisdiction: the state, and the reason where there is one.
func (f *fakeSlots) on(job, jurisdiction, date string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.runs[run.Slot{Job: job, Jurisdiction: jurisdiction, Date: civil.MustParse(date)}]
	if r.Reason != "" {
		return string(r.State) + ": " + r.Reason
	}
	return string(r.State)
}

func (f *fakeSlots) LastSettled(_ context.Context, job, jurisdiction string) (civil.Date, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var last civil.Date
	for s, r := range f.runs {
		if s.Job == job && s.Jurisdiction == jurisdiction && r.Settled() {
			last = max(last, s.Date)
		}
	}
	return last, nil
}

func (f *fakeSlots) states(job string) map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := map[string]int{}
	for s, r := range f.runs {
		if s.Job == job {
			n[string(r.State)]++
		}
	}
	return n
}

// fakeJob notes when it ran.
type fakeJob struct {
	name  string
	every bool
	slots *fakeSlots
	run   func(run.Slot) error
	mu    sync.Mutex
	ran   []run.Slot
}

func (j *fakeJob) Name() string   { return j.name }
func (j *fakeJob) EveryDay() bool { return j.every }

func (j *fakeJob) Run(ctx context.Context, r run.Run) (run.Run, error) {
	j.mu.Lock()
	j.ran = append(j.ran, r.Slot)
	j.mu.Unlock()
	if j.run != nil {
		if err := j.run(r.Slot); err != nil {
			return r, err
		}
	}
	r.State = run.Done
	return r, j.slots.FinishSlot(ctx, r)
}

func (j *fakeJob) days() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for _, s := range j.ran {
		out = append(out, s.Jurisdiction+" "+s.Date.String())
	}
	return out
}

func spec(t *testing.T, s string) cron.Schedule {
	t.Helper()
	sched, err := cron.ParseStandard(s)
	if err != nil {
		t.Fatal(err)
	}
	return sched
}

var shanghai = time.FixedZone("CST", 8*3600)

// newWorker is a worker over fakes whose day begins when the bubble's clock says so.
func newWorker(t *testing.T, codes ...string) (*Worker, *fakeJob, *fakeJob, *fakeSlots) {
	slots := &fakeSlots{runs: map[run.Slot]run.Run{}}
	open := &fakeJob{name: "open", every: true, slots: slots}
	remind := &fakeJob{name: "remind", slots: slots}
	return &Worker{
		Runner: Runner{Jobs: []Job{open, remind}, Slots: slots, Lease: time.Minute, By: "scheduler"},
		Jurisdictions: func(context.Context) ([]task.Jurisdiction, error) {
			var js []task.Jurisdiction
			for _, c := range codes {
				js = append(js, task.Jurisdiction{Code: c})
			}
			return js, nil
		},
		Zone:      func(string) *time.Location { return shanghai },
		Trust:     func(context.Context, time.Time) error { return nil },
		Prepare:   func(context.Context, string) error { return nil },
		Deliver:   func(context.Context, string, civil.Date, bool) error { return nil },
		Slots:     slots,
		Specs:     map[string]cron.Schedule{"open": spec(t, "5 0 * * *"), "remind": spec(t, "0 9 * * *")},
		Heartbeat: spec(t, "* * * * *"), Shutdown: 30 * time.Second, Clock: time.Now, Log: zerolog.Nop(),
	}, open, remind, slots
}

// serve runs the worker for d of the bubble's time and stops it.
func serve(t *testing.T, w *Worker, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Serve(ctx) }()
	time.Sleep(d)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestThirtyDaysOfServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The bubble begins at midnight UTC on 1 January 2000: eight in the morning in Shanghai.
		w, open, remind, slots := newWorker(t, "changji", "sishui")
		var asked atomic.Int64
		w.Deliver = func(_ context.Context, _ string, d civil.Date, planned bool) error {
			if today := civil.In(w.Clock(), shanghai); d != today {
				t.Errorf("the letters of %s were asked for on %s", d, today)
			}
			if now := w.Clock().In(shanghai); planned != (now.Hour() >= 9) {
				t.Errorf("planned is %v at %s", planned, now.Format("15:04"))
			}
			asked.Add(1)
			return nil
		}
		serve(t, w, 30*24*time.Hour)
		if n := len(open.days()); n != 2*31 {
			t.Errorf("open ran %d times, want 31 days in two jurisdictions", n)
		}
		if n := len(remind.days()); n != 2*30 {
			t.Errorf("remind ran %d times, want 30 mornings in two jurisdictions", n)
		}
		if got := slots.states("remind"); got["done"] != 60 || got["planned"] != 4 || len(got) != 2 { // the 31st day's and the next
			t.Errorf("slots of remind: %v", got)
		}
		if n := asked.Load(); n < 2*30*24*60 {
			t.Errorf("letters were looked for %d times in thirty days", n)
		}
		seen := map[string]bool{}
		for _, d := range remind.days() {
			if seen[d] {
				t.Errorf("remind ran twice for %s", d)
			}
			seen[d] = true
		}
	})
	goleak.VerifyNone(t)
}

// TestEarlierLettersWaitForTheJobsThatTheClockStarts: those that have no schedule are not waited for.
func TestEarlierLettersWaitForTheJobsThatTheClockStarts(t *testing.T) {
	for unscheduled, from := range map[string]int{"": 9, "remind": 0, "open remind": 0, "open": 9} {
		synctest.Test(t, func(t *testing.T) {
			w, _, _, _ := newWorker(t, "changji")
			for _, name := range strings.Fields(unscheduled) {
				delete(w.Specs, name)
			}
			var asked atomic.Int64
			w.Deliver = func(_ context.Context, _ string, _ civil.Date, planned bool) error {
				asked.Add(1)
				if now := w.Clock().In(shanghai); planned != (now.Hour() >= from) {
					t.Errorf("without %q: planned is %v at %s", unscheduled, planned, now.Format("15:04"))
				}
				return nil
			}
			serve(t, w, 15*time.Hour) // from eight in the morning to eleven at night
			if asked.Load() == 0 {
				t.Error("no letters were looked for")
			}
		})
	}
}

func TestASlowMailServerKeepsNobodyElseWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, _, _ := newWorker(t, "changji", "sishui")
		var mu sync.Mutex
		asked := map[string]int{}
		w.Deliver = func(ctx context.Context, code string, _ civil.Date, _ bool) error {
			mu.Lock()
			asked[code]++
			mu.Unlock()
			if code == "changji" {
				<-ctx.Done() // it takes days
			}
			return nil
		}
		serve(t, w, 3*24*time.Hour)
		if asked["changji"] != 1 || asked["sishui"] < 3*24*60-1 {
			t.Errorf("asked %v", asked)
		}
		if n := len(open.days()); n != 2*4 {
			t.Errorf("open ran %d times, want four days in two jurisdictions", n)
		}
	})
}

func TestNothingHappensOnADayThatCannotBeRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, remind, _ := newWorker(t, "changji")
		begun := time.Now()
		var log bytes.Buffer
		w.Log = zerolog.New(&log)
		w.Trust = func(_ context.Context, now time.Time) error {
			if now.Sub(begun) < 36*time.Hour {
				return errors.New("the clock is wrong")
			}
			return nil
		}
		w.Deliver = func(context.Context, string, civil.Date, bool) error {
			if time.Since(begun) < 36*time.Hour {
				t.Error("letters were looked for")
			}
			return nil
		}
		serve(t, w, 35*time.Hour)
		if len(open.days())+len(remind.days()) != 0 {
			t.Errorf("%v %v", open.days(), remind.days())
		}
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "the clock is wrong") {
			t.Errorf("it was said %d times:\n%s", n, log.String())
		}
		log.Reset()
		serve(t, w, 10*time.Hour)
		if n := strings.Count(log.String(), "the date is good again"); n != 1 {
			t.Errorf("that it is good again was said %d times:\n%s", n, log.String())
		}
		if len(open.days()) == 0 || len(remind.days()) == 0 {
			t.Error("the clock was set right, and nothing went on")
		}
	})
}

func TestServingStartedLateMakesUpWhatWasMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, remind, slots := newWorker(t, "laoshan")
		for _, job := range []string{"open", "remind"} {
			s := run.Slot{Job: job, Jurisdiction: "laoshan", Date: civil.MustParse("1999-12-28")}
			slots.runs[s] = run.Run{Slot: s, State: run.Done}
		}
		time.Sleep(7 * time.Hour) // 15:00 in Shanghai: both alarms of the day have rung unheard
		serve(t, w, 10*time.Minute)
		if got := strings.Join(open.days(), ", "); got != "laoshan 1999-12-29, laoshan 1999-12-30, laoshan 1999-12-31, laoshan 2000-01-01" {
			t.Errorf("open made up %s", got)
		}
		if got := strings.Join(remind.days(), ", "); got != "laoshan 2000-01-01" {
			t.Errorf("remind ran for %s, want the last day only", got)
		}
		s := slots.runs[run.Slot{Job: "remind", Jurisdiction: "laoshan", Date: civil.MustParse("1999-12-30")}]
		if s.State != run.Skipped || s.Reason != "covered by 2000-01-01" {
			t.Errorf("the missed slot is %s (%s)", s.State, s.Reason)
		}
	})
}

func TestAPanicIsRecordedAndTriedAgainAndStopsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, remind, slots := newWorker(t, "a", "b")
		failures := 0
		remind.run = func(s run.Slot) error {
			if s.Jurisdiction == "a" && failures < 2 {
				failures++
				panic("nil map")
			}
			return nil
		}
		serve(t, w, 3*time.Hour)
		a := run.Slot{Job: "remind", Jurisdiction: "a", Date: civil.MustParse("2000-01-01")}
		b := a
		b.Jurisdiction = "b"
		if slots.runs[a].State != run.Done || slots.runs[b].State != run.Done || failures != 2 {
			t.Errorf("a is %s after %d panics, b is %s", slots.runs[a].State, failures, slots.runs[b].State)
		}
		if n := len(remind.days()); n != 4 {
			t.Errorf("remind ran %d times: %v", n, remind.days())
		}
	})
}

func TestStoppingFinishesWhatIsHeldAndTakesNothingNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, remind, slots := newWorker(t, "a", "b")
		open.run = func(run.Slot) error { time.Sleep(20 * time.Second); return nil }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Serve(ctx) }()
		time.Sleep(5 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := slots.states("open"); got["done"] != 1 || got["planned"] != 1 || len(slots.runs) != 4 {
			t.Errorf("slots after stopping: %v", slots.runs)
		}
		if len(remind.days()) != 0 {
			t.Errorf("remind was taken after the stop: %v", remind.days())
		}
	})
}

func TestStoppingBreaksOffWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, _, _ := newWorker(t, "a")
		stuck := make(chan struct{})
		open.run = func(run.Slot) error { <-stuck; return nil }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Serve(ctx) }()
		time.Sleep(time.Second)
		cancel()
		time.Sleep(31 * time.Second)
		close(stuck)
		if err := <-done; err == nil || !strings.Contains(err.Error(), "broken off") {
			t.Errorf("Serve returned %v", err)
		}
	})
}

func TestRunner(t *testing.T) {
	day := civil.MustParse("2024-09-26")
	ctx := t.Context()
	w, open, remind, slots := newWorker(t, "a")
	if _, err := w.Runner.Run(ctx, "escalate", "a", day, false); err == nil || !strings.Contains(err.Error(), "open remind") {
		t.Errorf("an unknown job: %v", err)
	}
	boom := errors.New("disk full")
	open.run = func(run.Slot) error { return boom }
	if _, err := w.Runner.Run(ctx, "remind", "a", day, false); !errors.Is(err, boom) {
		t.Errorf("a predecessor that fails: %v", err)
	}
	if len(remind.days()) != 0 || slots.states("open")["failed"] != 1 {
		t.Errorf("remind ran %v after open failed, ledger %v", remind.days(), slots.runs)
	}
	open.run = nil
	for i := range 2 {
		results, err := w.Runner.Run(ctx, "remind", "a", day, false)
		if err != nil || len(results) != 2 || results[1].Already != (i == 1) {
			t.Errorf("run %d: %+v, %v", i, results, err)
		}
	}
	if _, err := w.Runner.Run(ctx, "remind", "a", day, true); err != nil || len(remind.days()) != 2 {
		t.Errorf("again: ran %v, %v", remind.days(), err)
	}
}

func TestASlotThatAnotherHoldsIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, remind, slots := newWorker(t, "b")
		s := run.Slot{Job: "remind", Jurisdiction: "b", Date: civil.MustParse("2024-09-26")}
		held := run.Run{Slot: s, State: run.Running, By: "another", Lease: time.Now().Add(time.Hour)}
		slots.runs[s] = held
		if _, err := w.Runner.Run(t.Context(), "remind", "b", s.Date, false); err == nil || !strings.Contains(err.Error(), "another worker has it") {
			t.Errorf("a slot that another worker never lets go: %v", err)
		}
		w.Runner.ByHand = true // who it is, is for the person who asks, and not for the log
		if _, err := w.Runner.Run(t.Context(), "remind", "b", s.Date, false); err == nil || !strings.Contains(err.Error(), "another worker (another) has it") {
			t.Errorf("a slot that another worker never lets go: %v", err)
		}
		w.Runner.ByHand = false
		go func() {
			time.Sleep(10 * time.Second)
			held.State = run.Done
			if err := slots.FinishSlot(t.Context(), held); err != nil {
				t.Error(err)
			}
		}()
		results, err := w.Runner.Run(t.Context(), "remind", "b", s.Date, false)
		if err != nil || !results[1].Already || len(remind.days()) != 0 {
			t.Errorf("a slot that another worker settles meanwhile: %+v, %v", results, err)
		}
	})
}
