package planner_test

import (
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

const entered = "entered since the last planning; the bureau checks the register first"

// Row 1 was due on Friday 28 June 2024: T+2 is Tuesday 2 July, T+5 Friday the 5th. What is entered is seen first by the planning of
// Monday 8 July, and urged by that of Tuesday; what changes nothing of how the item stands does not make it wait.
func TestNobodyIsUrgedByWhatTheBureauCouldNotCheck(t *testing.T) {
	lived := func(happened ...func(*town)) *town {
		w := newTown(t).row("1", on("2024-06-28"))
		w.live("2024-01-15", "2024-06-27")
		for _, f := range happened {
			f(w)
		}
		w.live("2024-06-28", "2024-07-05")
		w.diary = nil
		return w
	}
	accepted := func(w *town) { w.event("2024-06-28", "1/a/m1", task.Accepted) }
	held := func(w *town) { w.event("2024-06-28", "1/a/m1", task.HeldBack, to("2024-07-31")) }
	reported := func(w *town) { w.event("2024-07-05", "1/a/m1", task.Reported) }
	for _, c := range []struct {
		name  string
		was   []func(*town)
		enter func(w *town)
		waits bool
	}{
		{"reopened without a new date", []func(*town){accepted}, func(w *town) { w.event("2024-07-08", "1/a/m1", task.Reopened) }, true},
		{"reopened, entered late", []func(*town){accepted}, func(w *town) { w.event("2024-07-01", "1/a/m1", task.Reopened) }, true},
		{"an accepted report that was none", []func(*town){accepted}, func(w *town) { w.event("2024-07-08", "1/a/m1", task.Corrected, voids(w.seq)) }, true},
		{"an extension to a day that is past by now", []func(*town){held}, func(w *town) {
			w.event("2024-07-08", "1/a/m1", task.LetGo).event("2024-07-01", "1/a/m1", task.ExtensionGranted, to("2024-07-03"))
		}, true},
		{"a new date in an edited plan, past by now", []func(*town){held}, func(w *town) {
			w.event("2024-07-08", "1/a/m1", task.LetGo).event("2024-07-08", "1/a/m1", task.Redated, to("2024-06-27"))
		}, true},
		{"returned, with a day that is past by now", []func(*town){held, reported}, func(w *town) {
			w.event("2024-07-08", "1/a/m1", task.LetGo).event("2024-07-05", "1/a/m1", task.Returned, to("2024-07-03"))
		}, true},
		{"an extension that was entered for another item", []func(*town){func(w *town) { w.event("2024-06-28", "1/a/m1", task.ExtensionGranted, to("2024-08-30")) }}, func(w *town) {
			w.event("2024-07-08", "1/a/m1", task.Corrected, voids(w.seq))
		}, true},
		{"let go by the bureau itself", []func(*town){held}, func(w *town) { w.event("2024-07-08", "1/a/m1", task.LetGo) }, false},
		{"checked", []func(*town){held}, func(w *town) {
			w.event("2024-07-08", "1/a/m1", task.LetGo).event("2024-07-08", "1/a/m1", task.Checked)
		}, false},
	} {
		w := lived(c.was...)
		c.enter(w)
		again := w.World
		w.live("2024-07-08", "2024-07-08")
		wrote := strings.Contains(strings.Join(w.diary, "\n"), "1/m1 T+")
		if wrote == c.waits || strings.Contains(w.held(), entered) != c.waits {
			t.Errorf("%s: on the day that first sees it wrote %q, held %q", c.name, w.diary, w.held())
		}
		if !c.waits {
			continue
		}
		// The same day planned once more waits as well, and stores no second hold.
		r := record(w.World, "ls/zf/1/a/m1")
		if n := holdsOf(r, entered); n != 1 {
			t.Errorf("%s: %d holds are stored", c.name, n)
		}
		again.Records = w.Records
		if p := again.RemindDay(date("2024-07-08")); len(p.Notices)+len(p.Holds) > 0 {
			t.Errorf("%s: planned again, it says %s", c.name, letters(w, p))
		}
		// The digest of the day lists it, and the next working day urges.
		if step, _, ok := planner.Announced(r, w.Tasks[0], w.Directory.Units[0], w.Set, nil, date("2024-07-08")); !ok || !strings.HasPrefix(step.Step, "T+") {
			t.Errorf("%s: the digest of the day asks for no check: %+v", c.name, step)
		}
		w.diary = nil
		if w.live("2024-07-09", "2024-07-09"); !strings.Contains(strings.Join(w.diary, "\n"), "1/m1 T+") {
			t.Errorf("%s: on the next working day wrote %q, held %q", c.name, w.diary, w.held())
		}
	}
}

// What was entered beforehand is read on its own day first: on 8 July it is as new as if it had been entered then, and on the 9th
// the planning of the 8th has seen it. What counted from a day that was planned is not new, and the digest of 5 July does not
// announce by what counts from the 8th.
func TestWhatCountsFromALaterDayIsNewOnThatDay(t *testing.T) {
	for _, c := range []struct {
		name, on string
		waits    bool
	}{
		{"from the day itself", "2024-07-08", true},
		{"from the days off before it", "2024-07-06", true},
		{"from the day planned last", "2024-07-05", false},
		{"from a day planned before", "2024-07-02", false},
	} {
		w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-06-27")
		w.event("2024-06-28", "1/a/m1", task.Accepted).event(c.on, "1/a/m1", task.Reopened)
		w.live("2024-06-28", "2024-07-05")
		w.diary = nil
		rec, digest := record(w.World, "ls/zf/1/a/m1"), date("2024-07-05")
		_, _, announced := planner.Announced(rec, w.Tasks[0], w.Directory.Units[0], w.Set, nil, digest)
		if early := date(c.on) > digest; early && announced {
			t.Errorf("%s: the digest of %s announces by it", c.name, digest)
		}
		w.live("2024-07-08", "2024-07-08")
		if waits := strings.Contains(w.held(), entered); waits != c.waits {
			t.Errorf("%s: wrote %q, held %q", c.name, w.diary, w.held())
		}
		if w.live("2024-07-09", "2024-07-09"); c.waits && !strings.Contains(strings.Join(w.diary, "\n"), "1/m1 T+") {
			t.Errorf("%s: on the next working day wrote %q, held %q", c.name, w.diary, w.held())
		}
	}
}

func holdsOf(r task.Record, why string) (n int) {
	for _, h := range r.Holds {
		if h.Reason == why {
			n++
		}
	}
	return n
}

// What is opened late waits for one planning, and what was opened before an outage does not wait after it.
func TestWhatIsOpenedLateWaits(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28"))
	w.live("2024-01-15", "2024-07-05")
	w.diary = nil
	w.row("2", on("2024-06-28"))
	w.World = w.OpenDay(date("2024-07-08"))
	late := slices.IndexFunc(w.Records, func(r task.Record) bool { return r.Obligation.Row == "2" })
	w.Records[late].Events = []task.Event{{Seq: w.next(), On: date("2024-07-08"), Kind: task.Opened, Subject: "ls/zf/2/a/m1"}}
	w.live("2024-07-08", "2024-07-09").wrote("07-09 a: overdue 1/m1 + 2/m1 T+5")

	w = newTown(t).row("1", on("2024-06-28"))
	w.live("2024-01-15", "2024-06-17")
	w.recordOpenings()
	w.live("2024-06-18", "2024-06-18").off("2024-06-19", "2024-07-07")
	w.diary = nil
	w.live("2024-07-08", "2024-07-08").wrote("07-08 a: overdue 1/m1 T+5")
}

// A form, too, is drafted only by what was seen: the report that closed the item was entered by mistake, and that is entered on
// the day of the form.
func TestAFormWaitsForWhatWasNotSeen(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28"))
	w.live("2024-01-15", "2024-07-08").event("2024-07-09", "1/a/m1", task.Accepted)
	wrong := w.seq
	w.live("2024-07-09", "2024-07-11").event("2024-07-12", "1/a/m1", task.Corrected, voids(wrong)).live("2024-07-12", "2024-07-12").drafted()
	if got := w.held(); got != "1/a/m1 T+10: "+entered {
		t.Errorf("held %q", got)
	}
	w.live("2024-07-13", "2024-07-15").drafted("07-15 1/a/m1 T+10")
}

// On a day whose letter is written, what the cap left out still waits for the cap.
func TestTheCapIsTheReasonAfterTheLetterToo(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-21")).row("3", on("2024-06-26")).row("5", on("2024-06-30"))
	w.Set.WeeklyCap = 1
	w.live("2024-01-15", "2024-06-20")
	before := w.World
	w.live("2024-06-21", "2024-06-21")
	capped := "waits for the letter of 2024-06-24"
	if got := w.held(); !strings.Contains(got, "3/a/m1 T-3") || !strings.Contains(got, capped) {
		t.Fatalf("held %q", got)
	}
	after := before
	after.Records = w.Records
	after.Written = map[string]bool{}
	for _, n := range w.Week {
		after.Written[n.ID] = true
	}
	reminder := w.plans[len(w.plans)-1]
	if len(reminder.Notices) != 0 {
		t.Fatalf("wrote %s", letters(w, reminder))
	}
	after.Written[key(before, "a", date("2024-06-21"))] = true
	c, ok := after.Case("ls/zf/3/a/m1", date("2024-06-21"))
	if !ok || !c.Written {
		t.Fatal("there is no case, or no letter")
	}
	if d := planner.Decide(c, w.Set, date("2024-06-21")); !strings.Contains(d.Today, capped) {
		t.Errorf("today: %s", d.Today)
	}
}

func key(w planner.World, unit string, d civil.Date) string {
	return notice.Key{Jurisdiction: w.Jurisdiction.Code, Date: d, Unit: unit, Role: string(task.Liaison), Kind: notice.UnitLetter}.ID()
}
