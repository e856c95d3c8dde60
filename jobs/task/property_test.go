package task_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/task"
)

var everyKind = []task.EventKind{
	task.Opened, task.Confirmed, task.Reported, task.Accepted, task.Returned, task.ExtensionAsked, task.ExtensionGranted,
	task.ExtensionRefused, task.Counted, task.Contacted, task.Corrected, task.Waived, task.Withdrawn, task.Transferred,
	task.Reopened, task.Redated, task.Triggered, task.Clarified,
}

// drawItem draws an obligation of 2024.
func drawItem(t *rapid.T) task.Obligation {
	o := item()
	o.Nominal = o.Opened + civil.Date(rapid.IntRange(-20, 200).Draw(t, "nominal"))
	o.Effective, o.Assess = o.Nominal, o.Nominal
	switch rapid.IntRange(0, 5).Draw(t, "sort") {
	case 0:
		o.PastAtIssue = true
	case 1:
		o.Inherited = true
	case 2:
		o.Ambiguous, o.Assess = true, o.Effective+31
	case 3:
		quota(rapid.IntRange(1, 5).Draw(t, "quota"))(&o)
	}
	return o
}

// drawEvents draws a history with distinct numbers, in fold order of neither kind: anything may follow anything.
func drawEvents(t *rapid.T, o task.Obligation) []task.Event {
	n := rapid.IntRange(0, 14).Draw(t, "events")
	out := make([]task.Event, 0, n)
	for i := range n {
		on := o.Opened + civil.Date(rapid.IntRange(0, 260).Draw(t, "on"))
		e := task.Event{Seq: int64(i + 1), On: on, Kind: rapid.SampledFrom(everyKind).Draw(t, "kind"), N: rapid.IntRange(0, 2).Draw(t, "n")}
		if days := rapid.IntRange(-5, 60).Draw(t, "days"); days >= -2 {
			e.Date = on + civil.Date(days)
		}
		if e.Kind == task.Counted {
			e.Ref = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "ref")
		}
		if e.Kind == task.Corrected {
			e.Voids = int64(rapid.IntRange(0, n).Draw(t, "voids"))
		}
		out = append(out, e)
	}
	return out
}

func drawDay(t *rapid.T, o task.Obligation) civil.Date {
	return o.Opened + civil.Date(rapid.IntRange(-5, 330).Draw(t, "day"))
}

func TestFoldIgnoresTheOrderOfTheSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawItem(t)
		events := drawEvents(t, o)
		d := drawDay(t, o)
		shuffled := rapid.Permutation(events).Draw(t, "shuffled")
		a, b := task.Fold(o, events, d, national, terms), task.Fold(o, shuffled, d, national, terms)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("as of %s:\n%+v\n%+v", d, a, b)
		}
		if a, b := task.ClosedFrom(o, events, national, terms), task.ClosedFrom(o, shuffled, national, terms); a != b {
			t.Errorf("closed from %s or %s", a, b)
		}
	})
}

func TestFoldKnowsNothingOfTheFuture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawItem(t)
		events := drawEvents(t, o)
		d := drawDay(t, o)
		known := slices.DeleteFunc(slices.Clone(events), func(e task.Event) bool { return e.On > d })
		if a, b := task.Fold(o, events, d, national, terms), task.Fold(o, known, d, national, terms); !reflect.DeepEqual(a, b) {
			t.Errorf("as of %s:\n%+v with what comes\n%+v without", d, a, b)
		}
	})
}

// TestWhatIsClosedStaysClosed walks day by day: an item leaves a closed state for waiting only by returned or reopened,
// or by the correction of what closed it.
func TestWhatIsClosedStaysClosed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawItem(t)
		events := drawEvents(t, o)
		before := task.Fold(o, events, o.Opened-1, national, terms)
		for d := o.Opened; d < o.Opened+280; d++ {
			now := task.Fold(o, events, d, national, terms)
			opens := slices.ContainsFunc(events, func(e task.Event) bool {
				return e.On == d && (e.Kind == task.Returned || e.Kind == task.Reopened || e.Kind == task.Corrected)
			})
			if !before.Open() && now.Open() && !opens {
				t.Errorf("%s on %s, waiting on %s without an event that opens it", before.State, d-1, d)
			}
			if before.State == task.Finished && now.State != task.Finished && now.State != task.Waiting && !opens {
				t.Errorf("done on %s, %s on %s", d-1, now.State, d)
			}
			before = now
		}
	})
}

func TestACorrectionUndoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawItem(t)
		events := slices.DeleteFunc(drawEvents(t, o), func(e task.Event) bool { return e.Kind == task.Corrected })
		if len(events) == 0 {
			return
		}
		wrong := rapid.SampledFrom(events).Draw(t, "wrong")
		on := o.Opened + civil.Date(rapid.IntRange(0, 260).Draw(t, "corrected on"))
		corrected := append(slices.Clone(events), task.Event{Seq: 100, On: on, Kind: task.Corrected, Voids: wrong.Seq})
		never := slices.DeleteFunc(slices.Clone(events), func(e task.Event) bool { return e.Seq == wrong.Seq })
		for _, d := range []civil.Date{on, max(on, drawDay(t, o)), on + 400} {
			if a, b := task.Fold(o, corrected, d, national, terms), task.Fold(o, never, d, national, terms); !reflect.DeepEqual(a, b) {
				t.Errorf("as of %s:\n%+v with %s corrected\n%+v had it not been recorded", d, a, wrong.Kind, b)
			}
		}
		if d := drawDay(t, o); d < on {
			if a, b := task.Fold(o, corrected, d, national, terms), task.Fold(o, events, d, national, terms); !reflect.DeepEqual(a, b) {
				t.Errorf("as of %s, before the correction of %s:\n%+v\n%+v", d, on, a, b)
			}
		}
	})
}

// TestMissedStaysMissed: once an item is done, how late it was changes only by opening it again, by a correction, or by
// the discovery of something that counts from an earlier day.
func TestMissedStaysMissed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawItem(t)
		events := drawEvents(t, o)
		d := drawDay(t, o)
		done := task.Fold(o, events, d, national, terms)
		if done.State != task.Finished {
			return
		}
		for later := d; later < d+60; later++ {
			for _, e := range events {
				if e.On == later+1 && (e.Kind == task.Returned || e.Kind == task.Reopened || e.Kind == task.Corrected) {
					return
				}
			}
			if s := task.Fold(o, events, later+1, national, terms); s.Late != done.Late || s.State != task.Finished || s.Reported != done.Reported {
				t.Fatalf("done %d late on %s, %s %d late on %s", done.Late, d, s.State, s.Late, later+1)
			}
		}
	})
}

// TestClosedFromIsWhatTheDaysSay: the cached day is the first after which no fold is open.
func TestClosedFromIsWhatTheDaysSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawItem(t)
		events := drawEvents(t, o)
		from := task.ClosedFrom(o, events, national, terms)
		want := civil.Never
		for d := o.Opened + 300; d >= o.Opened && !task.Fold(o, events, d, national, terms).Open(); d-- {
			want = d
		}
		if from != want {
			t.Errorf("closed from %s, but by the days from %s", from, want)
		}
	})
}

// TestStatusHoldsTogether: what must be true of any status, whatever was recorded.
func TestStatusHoldsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawItem(t)
		events := drawEvents(t, o)
		d := drawDay(t, o)
		s := task.Fold(o, events, d, national, terms)
		holds := func(what string, ok bool) {
			if !ok {
				t.Errorf("as of %s: %s: %+v", d, what, s)
			}
		}
		holds("every date is a date", s.Nominal > 0 && s.Effective > 0 && s.Assess > 0 && s.Since > 0)
		holds("only what is done is late", s.State == task.Finished || s.Late == 0)
		holds("late is not negative", s.Late >= 0 && s.Waited >= 0)
		holds("what is done was reported and accepted", s.State != task.Finished || s.Reported != 0 && s.Accepted >= s.Reported)
		holds("what waits has no report standing", s.State != task.Waiting || s.Reported == 0 && s.Accepted == 0)
		holds("default acceptance is of what is done", !s.ByDefault || s.State == task.Finished)
		holds("only unconfirmed items are settled", s.State != task.Settled || s.Unconfirmed)
		holds("the arm began by then", s.Armed >= o.Opened && s.Armed <= max(d, o.Opened) && (s.Arm > 0) == (s.Armed > o.Opened || s.Arm > 0))
		holds("nothing is since the future", s.Since <= max(d, o.Opened))
		holds("chased is open", !s.Chased() || s.Open())
		arms := 0
		for _, e := range task.InForce(events, d) {
			if slices.Contains([]task.EventKind{task.ExtensionGranted, task.Reopened, task.Redated}, e.Kind) {
				arms++
			}
		}
		holds(fmt.Sprintf("the arm rises only by extension, reopening and a new date, of which there were %d", arms), s.Arm <= arms)
		if s.Count < 0 || o.Quota > 0 && s.State == task.Waiting && s.Count >= o.Quota && s.Arm == 0 && !s.Returned {
			t.Errorf("as of %s: waiting with %d of %d", d, s.Count, o.Quota)
		}
		for _, e := range events { // whatever it says, it says without panic
			_ = task.Check(o, s, e)
		}
	})
}
