package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// lived goes through the story's range day by day, as people and the worker would have: what happens is entered on its day,
// and the day's letters leave. Formal letters stay drafts.
func lived(t testing.TB, d *demo) {
	t.Helper()
	ctx := t.Context()
	for day := d.from; day <= d.to; day++ {
		for _, code := range d.codes {
			runner := d.runner(d.store, "test")
			for _, f := range []func() error{
				func() error { return d.prepare(ctx, d.store, code) },
				func() error { return d.trigger(ctx, code, day) },
				func() error { return d.occur(ctx, code, day) },
				func() error {
					results, err := runner.Run(ctx, "open", code, day, false)
					if err == nil && slices.ContainsFunc(results, func(r jobs.Result) bool { return r.Counts.Opened > 0 }) {
						err = d.invent(ctx, code)
					}
					return err
				},
				func() error { return d.happen(ctx, code, day) },
				func() error { _, err := runner.Run(ctx, "escalate", code, day, false); return err },
				func() error { _, err := d.deliver(ctx, d.store, code, day, true, true); return err },
			} {
				if err := f(); err != nil {
					t.Fatalf("%s %s: %v", code, day, err)
				}
			}
		}
	}
}

// unwritten is a copy of a database in which nothing was ever planned: it holds what was opened and all that was entered, and no
// letter.
func unwritten(t testing.TB, s *store.Store) *store.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	c, err := s.Scratch(t.Context(), path, store.Cut{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, q := range []string{
		"DELETE FROM documents", "DELETE FROM late_service", "DELETE FROM moves", "DELETE FROM attempts", "DELETE FROM notice_facts", "DELETE FROM holds",
		"DELETE FROM steps", "DELETE FROM notices", "DELETE FROM closings", "DELETE FROM runs WHERE job <> 'open'",
		"UPDATE obligations SET has_holds = 0", "UPDATE jurisdictions SET caches = ''",
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return storetest.Reopen(t, "sqlite:"+path)
}

// lettersSaid returns what the letters of a range say, by ID.
func lettersSaid(t testing.TB, s *store.Store, from, to civil.Date) map[string]string {
	t.Helper()
	letters, err := s.Notices(t.Context(), notice.Filter{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, n := range letters {
		if out[n.ID], err = factsHash(n.Facts); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// sameLetters compares two ways through one range.
func sameLetters(t testing.TB, what string, s *store.Store, want, got map[string]string) {
	t.Helper()
	if len(want) < 100 {
		t.Errorf("%s: only %d letters: that proves little", what, len(want))
	}
	bad := 0
	say := func(how, id string) {
		if bad++; bad > 5 {
			return
		}
		n, err := s.Notice(t.Context(), id)
		t.Errorf("%s: %s %s %s %s %s (%v)", what, how, n.Key.Date, n.Key.Jurisdiction, n.Key.Unit, n.Key.Kind, err)
	}
	for id, facts := range want {
		switch is, ok := got[id]; {
		case !ok:
			say("is missing", id)
		case is != facts:
			say("says something else", id)
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			bad++
			t.Errorf("%s: %s is too many", what, id)
		}
	}
}

// explainDifferences says of the first few letters that two databases hold otherwise where they differ.
func explainDifferences(t testing.TB, a, b *store.Store, want, got map[string]string) {
	t.Helper()
	said := 0
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] == "" || got[id] == want[id] || said == 4 {
			continue
		}
		said++
		values := [2]any{}
		for i, s := range []*store.Store{a, b} {
			n, err := s.Notice(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(n.Facts)
			if err == nil {
				err = json.Unmarshal(text, &values[i])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Log(id, differsAt("", values[0], values[1]))
	}
}

// differsAt is the path to where two JSON values differ first, with both.
func differsAt(path string, a, b any) string {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if ok && !reflect.DeepEqual(x[k], y[k]) {
				return differsAt(path+"."+k, x[k], y[k])
			}
		}
	case []any:
		y, ok := b.([]any)
		if ok && len(x) != len(y) {
			more := slices.DeleteFunc(slices.Clone(y), func(v any) bool { return slices.ContainsFunc(x, func(w any) bool { return reflect.DeepEqual(v, w) }) })
			less := slices.DeleteFunc(slices.Clone(x), func(v any) bool { return slices.ContainsFunc(y, func(w any) bool { return reflect.DeepEqual(v, w) }) })
			return fmt.Sprintf("%s: %d instead of %d; too many %.500v, missing %.500v", path, len(y), len(x), more, less)
		}
		for i := range x {
			if ok && i < len(y) && !reflect.DeepEqual(x[i], y[i]) {
				return differsAt(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])
			}
		}
	}
	return fmt.Sprintf("%s: %.300v instead of %.300v", path, b, a)
}

// A range says the same letters, whether its days were lived through one by one, are filled in by one call, or are only
// previewed.
func TestARangeSaysTheSameHoweverItIsGoneThrough(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		sameThreeWays(t, s, "2024-09-20", "2024-10-16")
	})
}

func sameThreeWays(t testing.TB, s *store.Store, from, to string) {
	t.Helper()
	ctx := t.Context()
	d := story(t, s, from, to)
	lived(t, d)
	want := lettersSaid(t, s, d.from, d.to)
	sp := span{job: jobs.AllJobs, codes: d.codes, from: d.from, to: d.to, mode: run.RecordOnly, reprocess: run.ReprocessNone}

	after, err := d.app.scratch(ctx, s, store.Cut{})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := d.app.rehearse(ctx, after, sp, nil)
	if err != nil {
		t.Fatal(err)
	}
	if seen.slots != 0 || seen.fresh() != 0 {
		t.Errorf("a range that was lived through: %d slots and %d letters are new", seen.slots, seen.fresh())
	}

	blank := unwritten(t, s)
	copied, err := d.app.scratch(ctx, blank, store.Cut{})
	if err != nil {
		t.Fatal(err)
	}
	saw, err := d.app.rehearse(ctx, copied, sp, nil)
	if err != nil {
		t.Fatal(err)
	}
	foretold := map[string]string{}
	for _, l := range saw.letters {
		foretold[l.ID] = l.Facts
	}
	sameLetters(t, "previewed", s, want, foretold)
	if n := len(lettersSaid(t, blank, d.from, d.to)); n > 0 {
		t.Errorf("the preview wrote %d letters", n)
	}

	if err := d.app.fill(ctx, blank, saw, backfillFlags{by: "李敏"}); err != nil {
		t.Fatal(err)
	}
	filled := lettersSaid(t, blank, d.from, d.to)
	sameLetters(t, "filled in", s, want, filled)
	explainDifferences(t, s, blank, want, filled)
	states, err := blank.LetterCounts(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	for state, n := range states {
		if state != notice.Recorded && state != notice.Held && state != notice.Cancelled && state != notice.Superseded {
			t.Errorf("%d letters of a backfill that records are %s", n, state)
		}
	}
	again, err := d.app.scratch(ctx, blank, store.Cut{})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := d.app.rehearse(ctx, again, sp, nil)
	if err != nil {
		t.Fatal(err)
	}
	if twice.hash != saw.hash || twice.slots != 0 || twice.fresh() != 0 {
		t.Errorf("filled in twice: plan %s after %s, %d slots, %d letters", twice.hash, saw.hash, twice.slots, twice.fresh())
	}
}

// A plan that was shown is carried out only as it was shown.
func TestABackfillIsRefusedWhereSomethingMoved(t *testing.T) {
	s := storetest.Reopen(t, "sqlite:"+filepath.Join(t.TempDir(), "duban.db"))
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := story(t, s, "2024-09-18", "2024-09-20")
	lived(t, d)
	ctx := t.Context()
	f := backfillFlags{rangeFlags: rangeFlags{from: "2024-09-21", to: "2024-09-24"}, mode: "record", reprocess: "none", by: "李敏"}
	d.clock = func() time.Time { return time.Date(2024, 9, 25, 3, 0, 0, 0, time.UTC) }
	shown := func() foresight {
		t.Helper()
		sp, err := d.backfillSpan(ctx, s, jobs.AllJobs, f)
		if err != nil {
			t.Fatal(err)
		}
		copied, err := d.app.scratch(ctx, s, store.Cut{})
		if err != nil {
			t.Fatal(err)
		}
		saw, err := d.app.rehearse(ctx, copied, sp, nil)
		if err != nil {
			t.Fatal(err)
		}
		return saw
	}
	first := shown()
	if again := shown(); again.hash != first.hash {
		t.Fatalf("nothing moved, and yet: %s after %s", again.hash, first.hash)
	}
	code := d.codes[0]
	recs, err := s.Records(ctx, code, task.RecordFilter{})
	if err != nil || len(recs) == 0 {
		t.Fatal(len(recs), err)
	}
	report := task.Event{Kind: task.Contacted, On: d.from + 5, Who: "李敏", Why: "电话"}
	if _, err := d.register(s).Record(ctx, recs[0].Obligation.Ref, report); err != nil {
		t.Fatal(err)
	}
	moved := shown()
	if moved.hash == first.hash {
		t.Error("a report was entered, and the plan is the same")
	}
	err = d.notThePlan(ctx, s, moved, backfillFlags{apply: first.hash})
	if err == nil || !strings.Contains(err.Error(), "entered") {
		t.Errorf("refusal: %v", err)
	}
	if err := d.app.fill(ctx, s, first, f); err == nil || !strings.Contains(err.Error(), "entered") {
		t.Errorf("a plan of before was carried out: %v", err)
	}
	if n := len(lettersSaid(t, s, d.from+3, d.to+4)); n > 0 {
		t.Errorf("%d letters were written all the same", n)
	}
	if err := d.app.fill(ctx, s, moved, f); err != nil {
		t.Error(err)
	}
}
