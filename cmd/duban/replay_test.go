package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
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
	if seen.slots != 0 || seen.fresh != 0 {
		t.Errorf("a range that was lived through: %d slots and %d letters are new", seen.slots, seen.fresh)
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
	if twice.hash != saw.hash || twice.slots != 0 || twice.fresh != 0 {
		t.Errorf("filled in twice: plan %s after %s, %d slots, %d letters", twice.hash, saw.hash, twice.slots, twice.fresh)
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
	shown := func() foresight { t.Helper(); return proposed(t, d, s, f) }
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

// livedUntil lives through the days up to the last, and then it is noon of a later day.
func livedUntil(t *testing.T, from, last, today string) (*demo, *store.Store) {
	t.Helper()
	s := storetest.Reopen(t, "sqlite:"+filepath.Join(t.TempDir(), "duban.db"))
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := story(t, s, from, last)
	lived(t, d)
	d.clock = func() time.Time { return civil.MustParse(today).Time(time.UTC).Add(4 * time.Hour) }
	return d, s
}

// proposed is what a backfill of all jobs comes to, as its first call shows it.
func proposed(t *testing.T, d *demo, s *store.Store, f backfillFlags) foresight {
	t.Helper()
	sp, err := d.backfillSpan(t.Context(), s, jobs.AllJobs, f)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := d.app.scratch(t.Context(), s, store.Cut{})
	if err != nil {
		t.Fatal(err)
	}
	saw, err := d.app.rehearse(t.Context(), copied, sp, nil)
	if err != nil {
		t.Fatal(err)
	}
	return saw
}

// filled carries out a backfill of all jobs, and returns its plan.
func filled(t *testing.T, d *demo, s *store.Store, f backfillFlags) foresight {
	t.Helper()
	ctx := t.Context()
	f.reprocess, f.by, f.now = cmp.Or(f.reprocess, "none"), "李敏", true
	saw := proposed(t, d, s, f)
	if err := d.app.fill(ctx, s, saw, f); err != nil {
		t.Fatal(err)
	}
	return saw
}

// A worker was off over 国庆 2024. In mode digest each unit gets one letter for the days that were missed, which says so.
func TestOneLetterMakesUpForARange(t *testing.T) {
	d, s := livedUntil(t, "2024-09-20", "2024-09-27", "2024-10-09")
	from, to := civil.MustParse("2024-09-28"), civil.MustParse("2024-10-08")
	saw := filled(t, d, s, backfillFlags{rangeFlags: rangeFlags{from: "2024-09-28", to: "2024-10-08"}, mode: "digest"})
	letters, err := s.Notices(t.Context(), notice.Filter{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	foretold := map[string]string{}
	for _, l := range saw.letters {
		foretold[l.ID] = l.Facts
	}
	sameLetters(t, "digest", s, foretold, lettersSaid(t, s, from, to))
	units := map[string]int{}
	for _, n := range letters {
		if n.Key.Kind != notice.UnitLetter {
			continue
		}
		units[n.Key.Jurisdiction+"/"+n.Key.Unit]++
		if n.Key.Date != to {
			t.Errorf("a letter of %s", n.Key.Date)
		}
		if !n.Facts.LateIssue || n.Facts.LateFor == nil || n.Facts.LateFor.From != from || n.Facts.LateFor.To != to {
			t.Errorf("%s does not say what it makes up for", n.Key.Unit)
		}
		if n.State != notice.Sent {
			t.Errorf("the letter to %s is %s: %s", n.Key.Unit, n.State, n.Reason)
		}
		served, err := s.Served(t.Context(), []string{n.ID})
		if err != nil || served[n.ID] != civil.MustParse("2024-10-09") {
			t.Errorf("%s: served %v, %v: it left on 9 October", n.Key.Unit, served, err)
		}
	}
	if len(units) < 20 {
		t.Errorf("only %d units had a letter", len(units))
	}
	for unit, n := range units {
		if n != 1 {
			t.Errorf("%s had %d letters", unit, n)
		}
	}
	runs, err := s.Runs(t.Context(), run.Filter{Job: "remind", Jurisdiction: "laoshan", From: from, To: to})
	if err != nil || len(runs) != int(to-from)+1 {
		t.Fatalf("%d slots of %d, %v", len(runs), to-from+1, err)
	}
	for _, r := range runs {
		if want := run.Skipped; r.Date == to && r.State != run.Done || r.Date < to && (r.State != want || r.Reason != "covered by 2024-10-08") {
			t.Errorf("%s: %s, %q", r.Date, r.State, r.Reason)
		}
	}
}

// In mode send the letters of every day leave today, but those whose moment has passed.
func TestLettersOfMissedDaysAreSentUnlessTheirMomentHasPassed(t *testing.T) {
	d, s := livedUntil(t, "2024-09-18", "2024-09-20", "2024-10-09")
	from, to := civil.MustParse("2024-09-21"), civil.MustParse("2024-10-08")
	filled(t, d, s, backfillFlags{rangeFlags: rangeFlags{from: "2024-09-21", to: "2024-10-08"}, mode: "send"})
	letters, err := s.Notices(t.Context(), notice.Filter{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	n := map[notice.State]int{}
	for _, l := range letters {
		if l.Key.Kind != notice.UnitLetter {
			continue
		}
		n[l.State]++
		if l.State == notice.Pending || l.State == notice.Retry || l.State == notice.Recorded {
			t.Errorf("%s of %s is %s", l.Key.Unit, l.Key.Date, l.State)
		}
		if l.State == notice.Superseded && l.SupersededBy == "" {
			for _, it := range l.Facts.Items() {
				if it.Rung == "urging" || it.Due >= civil.MustParse("2024-10-09") {
					t.Errorf("%s of %s was let drop: %s", l.Key.Unit, l.Key.Date, sketch(l))
				}
			}
		}
		if by := l.SupersededBy; by != "" {
			taker, err := s.Notice(t.Context(), by)
			for err == nil && taker.SupersededBy != "" { // one that was held was taken over by planning first
				taker, err = s.Notice(t.Context(), taker.SupersededBy)
			}
			if err != nil || taker.State != notice.Sent && taker.State != notice.Held {
				t.Errorf("%s of %s was taken over by a letter that is %s, %v", l.Key.Unit, l.Key.Date, taker.State, err)
			}
			for _, it := range l.Facts.Items() {
				if !strings.Contains(sketch(taker), it.Ref+" ") {
					t.Errorf("%s of %s: what takes it over says nothing of %s", l.Key.Unit, l.Key.Date, it.Ref)
				}
			}
		}
		if !l.Facts.LateIssue {
			t.Errorf("%s of %s does not say that it is late", l.Key.Unit, l.Key.Date)
		}
	}
	if n[notice.Sent] < 20 || n[notice.Superseded] < 20 {
		t.Errorf("that proves little: %v", n)
	}
}

// sketch is what a letter says, for messages.
func sketch(n notice.Notice) string {
	out := ""
	for _, it := range n.Facts.Items() {
		out += fmt.Sprintf("%s %s %s due %s; ", it.Ref, it.Step, it.Rung, it.Due)
	}
	return out
}

// A backfill that was interrupted goes on under the hash of its plan, whatever becomes of its letters, and they come to what
// they would have come to.
func TestAnInterruptedBackfillGoesOn(t *testing.T) {
	for _, mode := range []string{"record", "digest", "send"} {
		t.Run(mode, func(t *testing.T) {
			d, s := livedUntil(t, "2024-09-18", "2024-09-20", "2024-10-09")
			d.codes = []string{"laoshan", "sishui"}
			ctx, cancel := context.WithCancel(t.Context())
			f := backfillFlags{rangeFlags: rangeFlags{from: "2024-09-21", to: "2024-09-30"}, mode: mode, reprocess: "none", by: "李敏", now: true}
			plan := func() foresight {
				t.Helper()
				sp, err := d.backfillSpan(t.Context(), s, jobs.AllJobs, f)
				if err != nil {
					t.Fatal(err)
				}
				sp.codes = d.codes
				copied, err := d.app.scratch(t.Context(), s, store.Cut{})
				if err != nil {
					t.Fatal(err)
				}
				saw, err := d.app.rehearse(t.Context(), copied, sp, nil)
				if err != nil {
					t.Fatal(err)
				}
				return saw
			}
			first := plan()
			f.apply = first.hash
			days := 0
			w := filling{app: d.app, store: s, saw: first, by: f.by, now: true, done: func() {
				if days++; days == 13 {
					cancel()
				}
			}}
			if err := w.run(ctx); err == nil {
				t.Fatal("it was not interrupted")
			}
			// The next day was begun as well: its letters to the units are planned, and its digest is not.
			begun := walk{app: d.app, store: s, span: first.span, by: f.by + filledBy + first.hash[:digits], reason: first.reason(f.by),
				seen: func(context.Context, string, civil.Date, []jobs.Result, []notice.Notice) error { return nil }}
			begun.codes, begun.job, begun.from, begun.to = []string{"sishui"}, "remind", first.from+3, first.from+3
			if mode == "digest" { // whose letters are of the last day
				begun.from, begun.to, begun.mode = first.from+3, first.from+3, run.RecordOnly
				begun.job = "monthly-close"
			}
			if err := begun.jurisdiction(t.Context(), "sishui"); err != nil {
				t.Fatal(err)
			}
			rest := plan()
			if rest.hash != first.hash {
				t.Errorf("what is left is plan %s and not %s", rest.hash, first.hash)
			}
			if rest.slots == 0 || rest.slots >= first.slots || mode != "digest" && rest.fresh >= first.fresh {
				t.Errorf("%d of %d slots and %d of %d letters are left", rest.slots, first.slots, rest.fresh, first.fresh)
			}
			stopWhileLettersLeave(t, d.app, s, rest, f.by)
			if err := d.app.fill(t.Context(), s, plan(), f); err != nil {
				t.Fatal(err)
			}
			if left, err := d.begunDays(t.Context(), s, first); err != nil || len(left) > 0 {
				t.Errorf("letters of %v have not left, %v", left, err)
			}
			foretold := map[string]string{}
			for _, l := range first.letters {
				foretold[l.ID] = l.Facts
			}
			got := lettersSaid(t, s, first.from, first.to)
			for id, facts := range foretold {
				if got[id] != facts {
					t.Errorf("letter %s says %s, foretold %s", id, got[id], facts)
				}
			}
			if len(got) != len(foretold) || len(got) < 20 {
				t.Errorf("%d letters, foretold %d", len(got), len(foretold))
			}
			if _, n, err := d.toLeave(t.Context(), s, first); err != nil || n != 0 {
				t.Errorf("%d letters have not left, %v", n, err)
			}
			for _, l := range first.letters {
				n, err := s.Notice(t.Context(), l.ID)
				if err != nil {
					t.Fatal(err)
				}
				want := notice.Sent
				switch {
				case l.State == string(notice.Held):
					want = notice.Held
				case mode == "record":
					want = notice.Recorded
				case l.State == string(notice.Superseded):
					want = notice.Superseded
				}
				if n.State != want && n.State != notice.Superseded {
					t.Errorf("%s %s %s is %s (%s), want %s", l.Date, l.Unit, l.Kind, n.State, n.Reason, want)
				}
			}
		})
	}
}

// stopWhileLettersLeave goes through the rest of a plan, and stops when its letters may leave and none has.
func stopWhileLettersLeave(t *testing.T, a *app, s *store.Store, rest foresight, by string) {
	t.Helper()
	w := filling{app: a, store: s, saw: rest, by: by, now: true, done: func() {}}
	if err := w.goThrough(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting, n, err := w.toLeave(t.Context(), s, rest)
	if err != nil || n == 0 != (rest.mode == run.RecordOnly) {
		t.Fatalf("%d letters are to leave, %v", n, err)
	}
	for _, code := range rest.codes {
		over := map[string]string{}
		if rest.mode == run.SendAll {
			over = overtake(waiting[code], a.today)
		}
		var ids []string
		for _, l := range waiting[code] {
			if _, ok := over[l.ID]; !ok {
				ids = append(ids, l.ID)
			}
		}
		if _, err := s.Dispatch(t.Context(), ids, over, "filled in afterwards"); err != nil {
			t.Fatal(err)
		}
	}
	if begun, err := w.begunDays(t.Context(), s, rest); err != nil || len(begun) == 0 != (rest.mode == run.RecordOnly) {
		t.Fatalf("the letters of %v have begun to leave, %v", begun, err)
	}
}

// What may overtake what, of letters that are sent afterwards.
func TestOvertake(t *testing.T) {
	item := func(ref, rung, due string) foreseenItem {
		return foreseenItem{Ref: ref, Rung: rung, Due: civil.MustParse(due)}
	}
	letter := func(id, date string, own bool, items ...foreseenItem) foreseen {
		return foreseen{ID: id, Date: civil.MustParse(date), Unit: "a", Role: "liaison", Kind: notice.UnitLetter, Items: items, own: own}
	}
	today := func(string) civil.Date { return civil.MustParse("2024-10-09") }
	for _, c := range []struct {
		name    string
		letters []foreseen
		want    map[string]string
	}{
		{"said again", []foreseen{letter("x", "2024-09-20", true, item("1", "urging", "2024-09-18")), letter("y", "2024-09-23", true, item("1", "urging", "2024-09-18"))},
			map[string]string{"x": "y"}},
		{"said again twice", []foreseen{
			letter("x", "2024-09-20", true, item("1", "urging", "2024-09-18")), letter("y", "2024-09-23", true, item("1", "urging", "2024-09-18")),
			letter("z", "2024-09-26", true, item("1", "urging", "2024-09-18"), item("2", "urging", "2024-09-20"))},
			map[string]string{"x": "z", "y": "z"}},
		{"said again in part", []foreseen{
			letter("x", "2024-09-20", true, item("1", "urging", "2024-09-18"), item("2", "urging", "2024-09-18")),
			letter("y", "2024-09-23", true, item("1", "urging", "2024-09-18"))}, map[string]string{}},
		{"a reminder of a day that is over", []foreseen{letter("x", "2024-09-20", true, item("1", "reminder", "2024-09-25"))}, map[string]string{"x": ""}},
		{"a reminder of a day to come", []foreseen{letter("x", "2024-09-20", true, item("1", "reminder", "2024-10-25"))}, map[string]string{}},
		{"an urging is not taken over by what says nothing", []foreseen{
			letter("x", "2024-09-20", true, item("1", "urging", "2024-09-18")), letter("y", "2024-09-23", true, item("1", "reminder", "2024-10-08"))},
			map[string]string{"y": ""}},
		{"a letter of before takes nothing over", []foreseen{
			letter("x", "2024-09-20", true, item("1", "urging", "2024-09-18")), letter("y", "2024-09-23", false, item("1", "urging", "2024-09-18"))},
			map[string]string{}},
		{"and is not taken over", []foreseen{
			letter("x", "2024-09-20", false, item("1", "urging", "2024-09-18")), letter("y", "2024-09-23", true, item("1", "urging", "2024-09-18"))},
			map[string]string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := overtake(c.letters, today); !maps.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// A copy that a killed process left is removed when the next is made; one that is in use is not.
func TestOldCopiesAreSwept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	now := time.Now()
	for name, age := range map[string]time.Duration{copies + "old": 30 * time.Hour, copies + "new": time.Hour, "else": 90 * time.Hour} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, name), now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	sweepCopies(now)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 || left[0].Name() != copies+"new" || left[1].Name() != "else" {
		t.Errorf("%v, %v", left, err)
	}
}

// What the demo left is gone on with under the demo's rules, without a configuration; one that says other rules is refused.
func TestADatabaseIsGoneOnWithUnderItsRules(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	call := func(args ...string) (int, string) {
		t.Helper()
		a, out, errs := testApp(t)
		code := a.main(t.Context(), args)
		return code, out.String() + errs.String()
	}
	if code, said := call("demo", "--dir", dir, "--from", "2024-09-29", "--to", "2024-09-30", "--quiet"); code != exitDone {
		t.Fatal(code, said)
	}
	db := "sqlite:" + filepath.Join(dir, "duban.db")
	code, said := call("--db", db, "preview", "--from", "2024-10-08", "--to", "2024-10-09", "--jurisdiction", "laoshan")
	if code != exitDone || !strings.Contains(said, " new") {
		t.Errorf("preview: %d, %s", code, said)
	}
	other := filepath.Join(dir, "other.yaml")
	if err := os.WriteFile(other, []byte("defaults:\n  report_day: 12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, said = call("--config", other, "--db", db, "preview", "--from", "2024-10-08", "--to", "2024-10-09", "--jurisdiction", "laoshan")
	if code != exitUsage || !strings.Contains(said, "config load") {
		t.Errorf("preview under other rules: %d, %s", code, said)
	}
}

// A preview shows the letters as they come once they may leave, and says beside them from where none leaves now.
func TestAPreviewSaysFromWhereNothingLeaves(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	files := d.bundled("sishui")
	d.ok("import", "units", files["units"])
	d.ok("import", "plan", files["plan"])
	call := []string{"preview", "--from", "2024-10-14", "--to", "2024-10-16"}
	_, before, said := d.call("", call...)
	if said != "" {
		t.Errorf("of a jurisdiction whose letters leave: %s", said)
	}
	d.ok("pause", "--by", "李敏", "--why", "邮箱维护", "--jurisdiction", "sishui")
	_, after, said := d.call("", call...)
	if !strings.Contains(said, "sishui: nothing leaves now: sending is paused since 2024-10-14") || strings.Contains(said, "李敏") {
		t.Errorf("%q", said)
	}
	if before != after {
		t.Errorf("the letters are others:\n%s\n%s", before, after)
	}
}
