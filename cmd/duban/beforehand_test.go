package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store/storetest"
)

// What was entered counts from its day, whenever it was entered: a stretch whose events are all in the register before its first
// day is planned gives the letters that it gave day by day.
func TestEventsEnteredBeforehandGiveTheLettersOfTheirDays(t *testing.T) {
	t.Parallel()
	from, to := civil.MustParse("2024-09-18"), civil.MustParse("2024-10-18")
	lived := story(t, storetest.Engines(t)[0].Open(t), from.String(), to.String())
	lived.codes = []string{"laoshan", "sishui"}
	lived.quietDays(t, from, to, func(code string, day civil.Date) {
		if err := lived.invent(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		if err := lived.happen(t.Context(), code, day); err != nil {
			t.Fatal(err)
		}
		lived.meddle(t, code, day)
	})
	known := story(t, storetest.Engines(t)[0].Open(t), from.String(), to.String())
	known.codes = lived.codes
	for day := from; day <= to; day++ {
		for _, code := range known.codes {
			if err := known.trigger(t.Context(), code, day); err != nil {
				t.Fatal(err)
			}
			if _, err := known.runner(known.store, "demo").Run(t.Context(), "open", code, day, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	entered := 0
	for _, code := range known.codes {
		known.enter(t, lived, code)
		recs, err := known.store.Records(t.Context(), code, task.RecordFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			entered += len(r.Events) - 1
		}
	}
	if entered < 200 {
		t.Fatalf("only %d events were entered", entered)
	}
	known.quietDays(t, from, to, nil)
	want, got := lived.said(t), known.said(t)
	if len(want) < 100 {
		t.Fatalf("only %d letters", len(want))
	}
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("letter %d\n%s\nday by day, and with everything entered beforehand\n%s", i, want[i], got[i])
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d letters day by day, %d with everything entered beforehand", len(want), len(got))
	}
}

// meddle has the bureau change its mind about some items: what was done is open again, what is late is given time, kept back, let
// go, or told by telephone.
func (d *demo) meddle(t *testing.T, code string, day civil.Date) {
	t.Helper()
	recs, err := d.store.Records(t.Context(), code, task.RecordFilter{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := d.policies.settings(code)
	if err != nil {
		t.Fatal(err)
	}
	var events []task.Event
	for _, r := range recs {
		o, name := r.Obligation, r.Obligation.Ref.String()
		if o.Owes != task.OwesDeliver || o.Quota > 0 || o.Effective > day || o.Opened >= day {
			continue
		}
		e := task.Event{On: day, Subject: name, Who: "demo", Why: "invented"}
		st := task.Fold(o, r.Events, day, set.Calendar, set.Terms)
		switch n := fate(name+day.String(), "meddle", 60); {
		case st.State == task.Finished && n < 3:
			e.Kind = task.Reopened
		case st.Chased() && st.HeldUntil != 0 && n < 20:
			e.Kind = task.LetGo
		case st.Chased() && n < 2:
			e.Kind, e.Date = task.ExtensionGranted, max(day, st.Effective)+civil.Date(n+1)
		case st.Chased() && n < 4:
			e.Kind, e.Date = task.HeldBack, day+5
		case st.Chased() && n < 5:
			e.Kind, e.Ref = task.Contacted, "phone"
		default:
			continue
		}
		events = append(events, e)
	}
	if err := d.register(d.store).RecordAll(t.Context(), code, events); err != nil {
		t.Fatal(err)
	}
}

// enter records in one go what happened in another life of the jurisdiction.
func (d *demo) enter(t *testing.T, lived *demo, code string) {
	t.Helper()
	recs, err := lived.store.Records(t.Context(), code, task.RecordFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var events []task.Event
	for _, r := range recs {
		for _, e := range r.Events {
			if e.Kind != task.Opened {
				events = append(events, e)
			}
		}
	}
	slices.SortFunc(events, func(a, b task.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	if err := d.register(d.store).RecordAll(t.Context(), code, events); err != nil {
		t.Fatal(err)
	}
}

// said are the letters with what they say, one text each.
func (d *demo) said(t *testing.T) []string {
	t.Helper()
	letters, err := d.store.Notices(t.Context(), notice.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(letters))
	for i, n := range letters {
		b, err := json.Marshal([]any{n.Key, n.State, n.Facts})
		if err != nil {
			t.Fatal(err)
		}
		out[i] = string(b)
	}
	return out
}

// quietDays runs each day of each jurisdiction; happens is called once the day's items are open.
func (d *demo) quietDays(t *testing.T, from, to civil.Date, happens func(code string, day civil.Date)) {
	t.Helper()
	ctx := t.Context()
	for day := from; day <= to; day++ {
		for _, code := range d.codes {
			if err := d.prepare(ctx, d.store, code); err != nil {
				t.Fatal(err)
			}
			if err := d.trigger(ctx, code, day); happens != nil && err != nil {
				t.Fatal(err)
			}
			if happens != nil {
				if _, err := d.runner(d.store, "demo").Run(ctx, "open", code, day, false); err != nil {
					t.Fatal(err)
				}
				happens(code, day)
			}
			results, err := d.runner(d.store, "demo").Run(ctx, "escalate", code, day, false)
			if err != nil {
				t.Fatalf("%s %s: %v", code, day, err)
			}
			planned := false
			for _, r := range results {
				planned = planned || r.Job == "remind" && r.State == run.Done
			}
			if _, err := d.deliver(ctx, d.store, code, day, planned, true); err != nil {
				t.Fatal(err)
			}
		}
	}
}
