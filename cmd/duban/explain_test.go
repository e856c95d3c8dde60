package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/explain"
	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

// explained is what explain says of an obligation as of a day, and as of which it writes nothing.
func explained(t *testing.T, d *demo, ref task.Ref, day civil.Date) explain.Explanation {
	t.Helper()
	in, err := d.explainInput(t.Context(), d.store, ref, day)
	if err != nil {
		t.Fatal(err)
	}
	return explain.Explain(in)
}

// TestExplainSaysWhatTheDayThenDoes: asked the evening before, explain names each item's next step and its day; the run of
// that day says it, and nothing else of items that were said to come later. On both engines.
func TestExplainSaysWhatTheDayThenDoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := story(t, s, "2024-09-24", "2024-10-10")
		d.codes = []string{"sishui"}
		d.days(t, d.from, civil.MustParse("2024-09-29"))
		eve, day := civil.MustParse("2024-09-29"), civil.MustParse("2024-09-30")
		recs, err := s.Records(t.Context(), "sishui", task.RecordFilter{})
		if err != nil {
			t.Fatal(err)
		}
		before := map[string]explain.Next{}
		for _, r := range recs {
			if e := explained(t, d, r.Obligation.Ref, eve); e.State == task.Waiting && r.Obligation.Owes == task.OwesDeliver {
				before[e.ID] = e.Next
			}
		}
		d.days(t, day, day)
		checked := 0
		for id, next := range before {
			ref, err := task.ParseRef(id)
			if err != nil {
				t.Fatal(err)
			}
			rec, err := s.Record(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			touched := false
			for _, e := range rec.Events {
				touched = touched || e.On == day
			}
			if touched { // the day brought something that nobody knew the evening before
				continue
			}
			said := ""
			for _, f := range rec.Steps {
				if f.On == day && f.Passed == "" {
					said = f.Step
				}
			}
			want := ""
			if next.On == day {
				want = next.Step
			}
			if said != want {
				t.Errorf("%s: said %q on %s, explain had %+v", id, said, day, next)
			}
			if said != "" {
				checked++
				if e := explained(t, d, ref, day); !e.Goes || !strings.Contains(e.Today, said+" is said today") {
					t.Errorf("%s: goes %t, today %q", id, e.Goes, e.Today)
				}
			}
		}
		if checked < 3 {
			t.Errorf("only %d items were said on %s", checked, day)
		}
	})
}

func TestExplainPrintsOneScreen(t *testing.T) {
	t.Parallel()
	s := storetest.Engines(t)[0].Open(t)
	d := story(t, s, "2024-09-24", "2024-10-09")
	d.codes = []string{"changji"}
	d.days(t, d.from, d.to)
	recs, err := s.Records(t.Context(), "changji", task.RecordFilter{Row: "13", State: task.Waiting})
	if err != nil || len(recs) == 0 {
		t.Fatal(err)
	}
	recs = slices.DeleteFunc(recs, func(r task.Record) bool { return r.Obligation.Instance != "2024Q3" })
	id := recs[0].Obligation.Ref.String()
	asks := func(output string) string {
		var b strings.Builder
		d.out, d.flags.output = &b, output
		if err := d.explain(t.Context(), s, id, "2024-10-09"); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := asks("table")
	for _, want := range []string{id, "as of     2024-10-09, a working day", "text      “每季度开展一次”, 昌市政办发〔2024〕23号 row 13", "reading   “每季度” → every quarter end",
		"nominal   2024-09-30  the last day of 2024年第三季度", "effective 2024-10-10", "state     ", "today     ", "next      "} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\n"); n > 40 {
		t.Errorf("%d lines are more than a screen:\n%s", n, text)
	}
	var e explain.Explanation
	if err := json.Unmarshal([]byte(asks("json")), &e); err != nil || e.ID != id || e.AsOf.String() != "2024-10-09" || e.Next.What == "" {
		t.Errorf("%v: %+v", err, e)
	}
	for ref, want := range map[string]string{"changji/zfzl2024/13": "parse obligation", "changji/zfzl2024/13/nobody/2024Q3": "obligations list"} {
		if err := d.explain(t.Context(), s, ref, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("explain %s: %v, want %q", ref, err, want)
		}
	}
	if err := d.explain(t.Context(), s, id, "2024-01-01"); err == nil || !strings.Contains(err.Error(), "it was opened on") {
		t.Errorf("explained before it was opened: %v", err)
	}
}
