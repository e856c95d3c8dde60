package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/workday"
)

// settled puts a settled run of each job into the ledger.
func (f *fakeSlots) settled(date string, jobs ...string) {
	for _, job := range jobs {
		s := run.Slot{Job: job, Jurisdiction: "a", Date: civil.MustParse(date)}
		f.runs[s] = run.Run{Slot: s, State: run.Done}
	}
}

func plain(string) (planner.Settings, error) {
	return planner.Settings{Calendar: workday.National()}, nil
}

// days lists the ledger of a job, a line for each day in order, without the days of one state and reason that follow each
// other: the first and the last of them stand for all.
func (f *fakeSlots) days(job string) []string {
	var slots []run.Slot
	for s := range maps.Keys(f.runs) {
		if s.Job == job {
			slots = append(slots, s)
		}
	}
	slices.SortFunc(slots, func(a, b run.Slot) int { return int(a.Date - b.Date) })
	var out []string
	first, words := "", ""
	for i, s := range slots {
		now := f.on(job, s.Jurisdiction, s.Date.String())
		if now != words {
			first, words = s.Date.String(), now
		}
		if i+1 < len(slots) && f.on(job, s.Jurisdiction, slots[i+1].Date.String()) == words {
			continue
		}
		if last := s.Date.String(); last != first {
			first += " to " + last
		}
		out = append(out, first+" "+words)
	}
	return out
}

func TestTheLedgerShowsWhatIsToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is eight in the morning of Saturday, 1 January 2000, in Shanghai
		w, _, _, slots := newWorker(t, "a")
		weekly := &fakeJob{name: "weekly", slots: slots}
		never := &fakeJob{name: "never", slots: slots}
		w.Runner.Jobs = append(w.Runner.Jobs, weekly, never)
		w.Specs["weekly"] = spec(t, "30 7 * * 1")
		serve(t, w, 30*time.Minute)
		want := map[string]string{
			"open": "2000-01-01 done; 2000-01-02 planned", "remind": "2000-01-01 to 2000-01-02 planned", "weekly": "2000-01-03 planned", "never": "",
		}
		for job, days := range want {
			if got := strings.Join(slots.days(job), "; "); got != days {
				t.Errorf("%s: %s, want %s", job, got, days)
			}
		}
		for _, c := range []struct{ job, date, due string }{
			{"open", "2000-01-01", "2000-01-01 00:05"}, {"open", "2000-01-02", "2000-01-02 00:05"},
			{"remind", "2000-01-01", "2000-01-01 09:00"}, {"weekly", "2000-01-03", "2000-01-03 07:30"},
		} {
			r := slots.runs[run.Slot{Job: c.job, Jurisdiction: "a", Date: civil.MustParse(c.date)}]
			if got := r.Due.In(shanghai).Format("2006-01-02 15:04"); got != c.due {
				t.Errorf("%s of %s is due %s, want %s", c.job, c.date, got, c.due)
			}
			if late, ok := r.Late(); c.job == "open" && c.date == "2000-01-01" && (!ok || late != 7*time.Hour+55*time.Minute) {
				t.Errorf("open started %s late (%v), want 7h55m", late, ok)
			}
		}
	})
}

// TestAnOutageIsAccountedForAtTheStart: nothing of it waits for the hour at which the job of today is due.
func TestAnOutageIsAccountedForAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, remind, slots := newWorker(t, "a")
		slots.settled("1999-12-22", "open", "remind")
		slots.settled("1999-12-26", "remind") // by hand, and the days before it were never come to
		late := run.Slot{Job: "remind", Jurisdiction: "a", Date: civil.MustParse("1999-12-28")}
		slots.runs[late] = run.Run{Slot: late, State: run.Planned, Due: late.Date.Time(shanghai).Add(9 * time.Hour)}
		failed := run.Slot{Job: "remind", Jurisdiction: "a", Date: civil.MustParse("1999-12-30")}
		slots.runs[failed] = run.Run{Slot: failed, State: run.Failed, Reason: "disk full", Due: failed.Date.Time(shanghai).Add(9 * time.Hour)}
		serve(t, w, 30*time.Minute) // until half past eight
		want := []string{
			"1999-12-22 done", "1999-12-23 to 1999-12-25 skipped: covered by 1999-12-26", "1999-12-26 done",
			"1999-12-27 to 1999-12-29 skipped: covered by 2000-01-01", "1999-12-30 skipped: covered by 2000-01-01; it had failed: disk full",
			"1999-12-31 skipped: covered by 2000-01-01", "2000-01-01 to 2000-01-02 planned",
		}
		if got := slots.days("remind"); !slices.Equal(got, want) {
			t.Errorf("remind:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if got := strings.Join(slots.days("open"), "; "); got != "1999-12-22 to 2000-01-01 done; 2000-01-02 planned" || len(open.days()) != 10 {
			t.Errorf("open: %s; it ran %d times", got, len(open.days()))
		}
		if len(remind.days()) != 0 {
			t.Errorf("remind ran before its hour: %v", remind.days())
		}
		for s, r := range slots.runs {
			if r.Due.IsZero() && s.Date > civil.MustParse("1999-12-26") {
				t.Errorf("the ledger does not say when %s of %s was due", s.Job, s.Date)
			}
		}
	})
}

func TestAnOutageOfFiveHundredDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, remind, slots := newWorker(t, "a")
		today := civil.MustParse("2000-01-01")
		slots.settled((today - 500).String(), "open", "remind")
		time.Sleep(2 * time.Hour) // ten in the morning
		serve(t, w, 10*time.Minute)
		first, far := today-499, today-longestGap-1
		want := []string{
			(today - 500).String() + " done",
			fmt.Sprintf("%s to %s skipped: too long ago: an outage is made up for 400 days; fill them with "+
				"`duban backfill open --jurisdiction a --from %[1]s --to %[2]s --reprocess all`", first, far),
			fmt.Sprintf("%s to %s done", far+1, today), (today + 1).String() + " planned",
		}
		if got := slots.days("open"); !slices.Equal(got, want) {
			t.Errorf("open:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if n := len(open.days()); n != longestGap+1 {
			t.Errorf("open ran %d times", n)
		}
		want = []string{
			(today - 500).String() + " done", fmt.Sprintf("%s to %s skipped: covered by %s", first, today-1, today),
			today.String() + " done", (today + 1).String() + " planned",
		}
		if got := slots.days("remind"); !slices.Equal(got, want) || len(remind.days()) != 1 {
			t.Errorf("remind ran %v:\n%s\nwant\n%s", remind.days(), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if slots.skips > 2 {
			t.Errorf("it took %d transactions to skip them", slots.skips)
		}
	})
}

// TestDaysThatLaterOnesWereRunBefore: a person ran a day ahead; what lies before it is not made up behind their back.
func TestDaysThatLaterOnesWereRunBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, remind, slots := newWorker(t, "a")
		slots.settled("1999-12-20", "open")
		slots.settled("1999-12-31", "open", "remind")
		for _, job := range []string{"open", "remind"} {
			failed := run.Slot{Job: job, Jurisdiction: "a", Date: civil.MustParse("1999-12-19")}
			slots.runs[failed] = run.Run{Slot: failed, State: run.Failed, Reason: "disk full"}
		}
		serve(t, w, time.Minute)
		want := []string{
			"1999-12-19 failed: disk full", "1999-12-20 done", "1999-12-21 to 1999-12-30 skipped: later days were run before; fill them with " +
				"`duban backfill open --jurisdiction a --from 1999-12-21 --to 1999-12-30 --reprocess all`",
			"1999-12-31 to 2000-01-01 done", "2000-01-02 planned",
		}
		if got := slots.days("open"); !slices.Equal(got, want) || len(open.days()) != 1 {
			t.Errorf("open ran %v:\n%s", open.days(), strings.Join(got, "\n"))
		}
		want = []string{
			"1999-12-19 skipped: covered by 1999-12-31; it had failed: disk full", "1999-12-20 to 1999-12-30 skipped: covered by 1999-12-31",
			"1999-12-31 done", "2000-01-01 to 2000-01-02 planned",
		}
		if got := slots.days("remind"); !slices.Equal(got, want) || len(remind.days()) != 0 {
			t.Errorf("remind ran %v:\n%s", remind.days(), strings.Join(got, "\n"))
		}
	})
}

func TestAJobThatTheClockStartsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, slots := newWorker(t, "a")
		serve(t, w, 30*time.Minute)
		delete(w.Specs, "remind")
		serve(t, w, 3*24*time.Hour)
		want := "2000-01-01 to 2000-01-02 skipped: the schedule has no time for it any more"
		if got := strings.Join(slots.days("remind"), "; "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestGrace(t *testing.T) {
	for _, c := range []struct {
		name   string
		hours  float64 // the worker starts so long after eight in the morning of Saturday, 1 January 2000
		days   int
		grace  time.Duration
		want   string // of remind, due at nine
		before string // what the ledger held
	}{
		{"in time", 1.5, 2, time.Hour, "done", ""},
		{"at the last minute", 2, 2, time.Hour, "done", ""},
		{"a minute later", 2 + 1.0/60, 2, time.Hour, "skipped: missed: due 09:00, looked at 10:01, grace 1h; 2000-01-04's letter says what is still to be said", ""},
		{"before the weekend", 2.5, 6, time.Hour, "skipped: missed: due 09:00, looked at 10:30, grace 1h; 2000-01-10's letter says what is still to be said", ""},
		{"on a day off", 2.5, 0, time.Hour, "done", ""}, // the job itself says that it is one
		{"as late as the day lasts", 15.9, 2, 24 * time.Hour, "done", ""},
		{"planned the day before", 5, 2, time.Hour, "skipped: missed: due 09:00, looked at 13:00, grace 1h; 2000-01-04's letter says what is still to be said", "planned"},
		{"begun in time, and failed", 5, 2, time.Hour, "done", "failed"},
		{"settled in time", 5, 2, time.Hour, "done", "done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, open, remind, slots := newWorker(t, "a")
				w.Grace, w.Settings = c.grace, plain
				delete(w.Specs, "open")
				w.Specs["open"] = spec(t, "5 0 * * *") // every missed day of it is made up: it is never too late
				time.Sleep(time.Duration(c.days)*24*time.Hour + time.Duration(c.hours*float64(time.Hour)))
				day := civil.MustParse("2000-01-01") + civil.Date(c.days)
				s := run.Slot{Job: "remind", Jurisdiction: "a", Date: day}
				var log bytes.Buffer
				w.Log = zerolog.New(&log)
				if c.before != "" {
					slots.runs[s] = run.Run{Slot: s, State: run.State(c.before)}
				}
				asked := map[bool]int{}
				w.Deliver = func(_ context.Context, _ string, _ civil.Date, planned bool) error { asked[planned]++; return nil }
				serve(t, w, 5*time.Minute)
				if got := slots.on("remind", "a", day.String()); got != c.want {
					t.Errorf("remind of %s is %q, want %q", day, got, c.want)
				}
				missed := strings.Contains(c.want, "missed")
				if said := strings.Contains(log.String(), "job missed"); said != missed || (slots.skips > 0) != missed {
					t.Errorf("that it was missed is logged: %t; %d times slots were skipped", said, slots.skips)
				}
				if ran := len(remind.days()); ran != 0 && (missed || c.before == "done") {
					t.Errorf("it ran %d times", ran)
				}
				if len(open.days()) == 0 || asked[missed] != 0 || asked[!missed] == 0 {
					t.Errorf("open ran %v; letters were looked for as planned: %v", open.days(), asked)
				}
			})
		})
	}
}

// TestAPersonTakesWhatTheClockMissed without being told to run it again, once, while no later day covers it.
func TestAPersonTakesWhatTheClockMissed(t *testing.T) {
	day := civil.MustParse("2024-09-26")
	reason := run.MissedReason(day.Time(shanghai).Add(9*time.Hour), day.Time(shanghai).Add(11*time.Hour), time.Hour, day+1)
	for _, c := range []struct {
		name   string
		reason string
		hand   bool
		later  bool
		taken  bool
	}{
		{"a person", reason, true, false, true},
		{"the scheduler", reason, false, false, false},
		{"when it is covered", reason, true, true, false},
		{"a day off", "not a workday: weekend", true, false, false},
		{"a covered day", "covered by 2024-09-27", true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _, remind, slots := newWorker(t, "a")
			s := run.Slot{Job: "remind", Jurisdiction: "a", Date: day}
			slots.runs[s] = run.Run{Slot: s, State: run.Skipped, Reason: c.reason}
			if c.later {
				slots.settled("2024-09-27", "remind")
			}
			w.Runner.ByHand = c.hand
			for range 2 {
				if _, err := w.Runner.Run(t.Context(), "remind", "a", day, false); err != nil {
					t.Fatal(err)
				}
			}
			if taken := len(remind.days()) == 1; taken != c.taken || len(remind.days()) > 1 {
				t.Errorf("it ran %d times; the ledger says %s", len(remind.days()), slots.on("remind", "a", day.String()))
			}
		})
	}
}

// TestTwoWorkersAndAPerson share a ledger for ten days, each looking when the others do, and a slot never runs twice.
func TestTwoWorkersAndAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, open, remind, slots := newWorker(t, "a", "b")
		second, _, _, _ := newWorker(t, "a", "b")
		second.Runner, second.Slots = first.Runner, first.Slots
		slots.settled("1999-12-25", "open", "remind")
		for _, j := range []*fakeJob{open, remind} {
			j.run = func(run.Slot) error { time.Sleep(20 * time.Second); return nil } // the others come while it runs
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for _, w := range []*Worker{first, second} {
			go func() { ended <- w.Serve(ctx) }()
		}
		hand := first.Runner
		hand.By, hand.ByHand = "李敏", true
		var told []string
		hand.Waits = func(held run.Run) { told = append(told, held.Job+" "+held.By) }
		for range 10 {
			day := civil.In(time.Now(), shanghai)
			time.Sleep(time.Until(day.Time(shanghai).Add(9*time.Hour + 10*time.Second))) // ten seconds into the run of nine o'clock
			results, err := hand.Run(ctx, "remind", "a", day, false)
			if err != nil || len(results) == 0 || results[len(results)-1].By != "scheduler" || !results[len(results)-1].Already {
				t.Errorf("%s: %+v, %v", day, results, err)
			}
			time.Sleep(time.Until((day + 1).Time(shanghai).Add(8 * time.Hour)))
		}
		cancel()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
		if len(told) != 10 || told[0] != "remind scheduler" {
			t.Errorf("who has it was told %d times: %q", len(told), told)
		}
		ran := map[string]int{}
		for _, j := range []*fakeJob{open, remind} {
			for _, d := range j.days() {
				ran[j.name+" "+d]++
			}
		}
		for s, r := range slots.runs {
			key := s.Job + " " + s.Jurisdiction + " " + s.Date.String()
			if n := ran[key]; r.State == run.Done && n != 1 && s.Date != civil.MustParse("1999-12-25") || r.State == run.Skipped && n != 0 {
				t.Errorf("%s is %s and ran %d times", key, r.State, n)
			}
		}
		if slots.on("remind", "a", "1999-12-31") != "skipped: covered by 2000-01-01" || len(ran) < 2*10+2*10+6 {
			t.Errorf("%d slots ran; the ledger:\n%s", len(ran), strings.Join(slots.days("remind"), "\n"))
		}
	})
}

// TestAccountingThatFailsIsTriedAgain and keeps no letter from leaving meanwhile.
func TestAccountingThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, _, slots := newWorker(t, "a")
		slots.settled("1999-12-28", "open")
		tries, letters := 0, 0
		w.Prepare = func(context.Context, string) error {
			if tries++; tries <= 2 {
				return errors.New("the disk is full")
			}
			return nil
		}
		w.Deliver = func(context.Context, string, civil.Date, bool) error { letters++; return nil }
		serve(t, w, 30*time.Minute)
		if got := strings.Join(slots.days("open"), "; "); got != "1999-12-28 to 2000-01-01 done; 2000-01-02 planned" || len(open.days()) != 4 {
			t.Errorf("open ran %v: %s", open.days(), got)
		}
		if letters < 25 {
			t.Errorf("letters were looked for %d times in half an hour", letters)
		}
	})
}
