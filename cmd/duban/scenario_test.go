package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// testApp is the program with its output in memory and its clock set.
func testApp(t testing.TB) (*app, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	var out, errOut bytes.Buffer
	a := &app{
		in: strings.NewReader(""), out: &out, err: &errOut, env: func(string) (string, bool) { return "", false },
		clock: func() time.Time { return time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC) },
	}
	a.flags.output = "table"
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return a, &out, &errOut
}

// story is the demo on a store of the test's choice.
func story(t testing.TB, s *store.Store, from, to string) *demo {
	t.Helper()
	a, _, _ := testApp(t)
	dir := t.TempDir()
	if err := a.configureDemo(dir); err != nil {
		t.Fatal(err)
	}
	d := newDemo(a, s, dir, civil.MustParse(from), civil.MustParse(to))
	if err := d.importAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *demo) days(t testing.TB, from, to civil.Date) {
	t.Helper()
	for day := from; day <= to; day++ {
		for _, code := range d.codes {
			if err := d.day(t.Context(), code, day); err != nil {
				t.Fatalf("%s %s: %v", code, day, err)
			}
		}
	}
}

// letters reads the folder of letters.
func (d *demo) letters(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	root := filepath.Join(d.dir, "letters")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// same compares two folders of letters.
func same(t testing.TB, what string, a, b map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(a)) {
		switch other, ok := b[name]; {
		case !ok:
			t.Errorf("%s: %s is missing", what, name)
		case other != a[name]:
			t.Errorf("%s: %s differs", what, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s: %s is one too many", what, name)
		}
	}
}

func TestBothEnginesGiveTheSameLettersByteForByte(t *testing.T) {
	t.Parallel()
	engines := storetest.Engines(t)
	var first map[string]string
	for _, e := range engines {
		t.Run(e.Name, func(t *testing.T) {
			d := story(t, e.Open(t), "2024-09-14", "2024-09-30")
			d.days(t, d.from, d.to)
			got := d.letters(t)
			if len(got) < 100 {
				t.Fatalf("only %d letters", len(got))
			}
			if first == nil {
				first = got
				return
			}
			same(t, e.Name, first, got)
		})
	}
}

// A reader is a role of a unit: its liaison has the letter of the day, its personnel or legal contact the one about people,
// and nobody has two. A formal letter is of one matter, so that a deputy may have several; the bureau reads one of a kind.
func TestEachReaderGetsOneLetterADayAndOnWorkingDaysOnly(t *testing.T) {
	t.Parallel()
	d := story(t, storetest.Engines(t)[0].Open(t), "2024-08-27", "2024-09-05")
	d.days(t, d.from, d.to)
	letters, err := d.store.Notices(t.Context(), notice.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	bureaus, kinds, states := map[string]string{}, map[string]int{}, map[string]int{}
	for _, code := range d.codes {
		j, err := d.store.Jurisdiction(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		bureaus[code] = j.Bureau
	}
	seen := map[string]string{}
	for _, n := range letters {
		reader := strings.Join([]string{n.Key.Jurisdiction, n.Key.Date.String(), n.Key.Unit, n.Key.Role}, " ")
		kinds[n.Key.Kind]++
		states[n.Key.Kind+" "+string(n.State)]++
		switch {
		case n.Key.Formal():
			reader += " " + n.Key.Matter
		case n.Key.Unit == bureaus[n.Key.Jurisdiction] && n.Key.Role == "bureau":
			reader += " " + n.Key.Kind + " " + n.Key.Matter
		case n.Key.Kind != notice.UnitLetter && n.Key.Kind != notice.PersonnelLetter:
			t.Errorf("%s: a %s to a unit", reader, n.Key.Kind)
		case (n.Key.Kind == notice.UnitLetter) != (n.Key.Role == string(task.Liaison)):
			t.Errorf("%s: a %s", reader, n.Key.Kind)
		}
		if seen[reader] != "" {
			t.Errorf("%s got two letters: %s and %s", reader, seen[reader], n.Key.Kind)
		}
		seen[reader] = n.Key.Kind
		set, err := d.policies.settings(n.Key.Jurisdiction)
		if err != nil {
			t.Fatal(err)
		}
		if !set.Calendar.IsWorkday(n.Key.Date) {
			t.Errorf("a %s of %s, which is no workday", n.Key.Kind, n.Key.Date)
		}
		if n.State == notice.Sent || n.Key.Formal() {
			continue
		}
		// One above the week's cap waits for a person, until the next week's first letter says what is left of it.
		waits := n.State == notice.Held || n.State == notice.Superseded || n.State == notice.Cancelled
		if n.Key.Kind != notice.UnitLetter || !waits || offCycle(letters, n.Key, set.Calendar) < set.WeeklyCap {
			t.Errorf("%s %s is %s: %s", n.Key.Kind, n.ID, n.State, n.Reason)
		}
	}
	for _, kind := range []string{notice.UnitLetter, notice.PersonnelLetter, notice.BureauDigest, notice.SupervisionForm} {
		if kinds[kind] == 0 {
			t.Errorf("no %s in that fortnight: %v", kind, kinds)
		}
	}
	if states["supervision-form sent"] == 0 || states["supervision-form pending"] > 0 { // what a person issues by mail leaves
		t.Errorf("%v", states)
	}
}

// offCycle counts the letters that left to the reader in the key's week before its day, but for that of the first workday.
func offCycle(letters []notice.Notice, k notice.Key, cal *workday.Calendar) int {
	monday, count := k.Date-civil.Date((int(k.Date.Weekday())+6)%7), 0
	for _, n := range letters {
		d := n.Key.Date
		if n.Key.Jurisdiction == k.Jurisdiction && n.Key.Unit == k.Unit && n.Key.Role == k.Role && n.State == notice.Sent &&
			d >= monday && d < k.Date && d != cal.WeekStart(d) {
			count++
		}
	}
	return count
}

func TestRunTwiceSaysNothingTwice(t *testing.T) {
	t.Parallel()
	d := story(t, storetest.Engines(t)[0].Open(t), "2024-09-25", "2024-09-26")
	d.days(t, d.from, d.to)
	before := d.letters(t)
	runner := d.runner(d.store, "operator")
	for _, code := range d.codes {
		for _, again := range []bool{false, true} {
			if _, err := runner.Run(t.Context(), "remind", code, d.to, again); err != nil {
				t.Fatal(err)
			}
			if _, err := d.deliver(t.Context(), d.store, code, d.to, true, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	same(t, "after running the day twice more", before, d.letters(t))
}

func TestStoppedBetweenLettersAndRunAgainLosesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		whole := story(t, storetest.Engines(t)[0].Open(t), "2024-09-26", "2024-09-26")
		whole.days(t, whole.from, whole.to)
		want := whole.letters(t)

		d := story(t, s, "2024-09-26", "2024-09-26")
		for _, code := range d.codes {
			stopped(t, d, code)
		}
		same(t, "after stops", want, d.letters(t))
	})
}

// stopped runs the day of one jurisdiction with a stop after every second letter.
func stopped(t *testing.T, d *demo, code string) {
	t.Helper()
	send := func() (more bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		dispatcher, err := d.dispatcher(d.store, code)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		dispatcher.OnSettled = func(notice.Notice) {
			if n++; n == 2 {
				cancel()
			}
		}
		_, err = dispatcher.Run(ctx, notice.ClaimFilter{Jurisdiction: code, Date: d.from})
		if err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		return n > 0
	}
	if err := errors.Join(d.trigger(t.Context(), code, d.from), d.occur(t.Context(), code, d.from)); err != nil {
		t.Fatal(err)
	}
	if err := d.prepare(t.Context(), d.store, code); err != nil {
		t.Fatal(err)
	}
	runner := d.runner(d.store, "demo")
	if _, err := runner.Run(t.Context(), "open", code, d.from, false); err != nil {
		t.Fatal(err)
	}
	if err := d.invent(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if err := d.happen(t.Context(), code, d.from); err != nil {
		t.Fatal(err)
	}
	if err := d.issue(t.Context(), code, d.from); err != nil {
		t.Fatal(err)
	}
	if _, err := runner.Run(t.Context(), "escalate", code, d.from, false); err != nil {
		t.Fatal(err)
	}
	for send() {
	}
}

// world loads everything of a jurisdiction into memory.
func world(t testing.TB, d *demo, code string) planner.World {
	t.Helper()
	ctx, s := t.Context(), d.store
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var w planner.World
	var err error
	w.Set, err = d.policies.settings(code)
	must(err)
	w.Jurisdiction, err = s.Jurisdiction(ctx, code)
	must(err)
	w.Plans, err = s.Plans(ctx, code)
	must(err)
	w.Tasks, err = s.Tasks(ctx, code)
	must(err)
	w.Directory, err = s.Directory(ctx, code)
	must(err)
	var ids []task.TaskID
	for _, tk := range w.Tasks {
		if !slices.Contains(ids, tk.TaskID) {
			ids = append(ids, tk.TaskID)
		}
	}
	w.TaskEvents, err = s.TaskEvents(ctx, code, ids)
	must(err)
	w.Records, err = s.Records(ctx, code, task.RecordFilter{})
	must(err)
	w.Documents, err = s.Documents(ctx, notice.DocumentFilter{Jurisdiction: code, Kind: notice.SupervisionForm})
	must(err)
	w.Week, err = s.Briefs(ctx, code, 0, civil.Never)
	must(err)
	w.Unsent, err = s.Unsent(ctx, code, notice.UnitLetter, civil.Never)
	must(err)
	last, err := jobs.Planned(ctx, s, code, civil.Never)
	must(err)
	w.Known, w.Planned = last.Counts.Seq, last.Date
	return w
}

// The store selects what a day needs by its indexes; the world looks at everything. Both must come to the same letters.
func TestStoredDaysAndDaysInMemoryGiveTheSameLetters(t *testing.T) {
	t.Parallel()
	d := story(t, storetest.Engines(t)[0].Open(t), "2024-09-23", "2024-09-30")
	for day := d.from; day <= d.to; day++ {
		for _, code := range d.codes {
			before := world(t, d, code)
			before.Served = served(t, d, code)
			if err := d.day(t.Context(), code, day); err != nil {
				t.Fatal(err)
			}
			after := world(t, d, code)
			before.TaskEvents = after.TaskEvents // triggers of the day
			before = before.OpenDay(day)
			compareOpened(t, code, day, before.Records, after.Records)
			if !before.Set.Calendar.IsWorkday(day) {
				continue
			}
			events := map[string][]task.Event{}
			for _, r := range after.Records {
				events[r.Obligation.Ref.String()] = r.Events
			}
			for i, r := range before.Records {
				before.Records[i].Events = events[r.Obligation.Ref.String()]
			}
			compareLetters(t, d, code, day, before.RemindDay(day))
		}
	}
}

func served(t testing.TB, d *demo, code string) map[string]civil.Date {
	t.Helper()
	letters, err := d.store.Notices(t.Context(), notice.Filter{Jurisdiction: code})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]civil.Date{}
	for _, n := range letters {
		if n.State == notice.Sent {
			out[n.ID] = n.Key.Date
		}
	}
	return out
}

func compareOpened(t *testing.T, code string, day civil.Date, memory, stored []task.Record) {
	t.Helper()
	facts := func(recs []task.Record) map[string]task.Obligation {
		out := map[string]task.Obligation{}
		for _, r := range recs {
			out[r.Obligation.Ref.String()] = r.Obligation
		}
		return out
	}
	if m, s := facts(memory), facts(stored); !maps.Equal(m, s) {
		t.Fatalf("%s %s: memory holds %d obligations, the store %d, or they differ", code, day, len(m), len(s))
	}
}

func compareLetters(t *testing.T, d *demo, code string, day civil.Date, plan planner.Plan) {
	t.Helper()
	stored, err := d.store.Notices(t.Context(), notice.Filter{Jurisdiction: code, From: day, To: day})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	said := func(n notice.Notice) string {
		facts, err := json.Marshal(n.Facts)
		if err != nil {
			t.Fatal(err)
		}
		return string(facts)
	}
	for _, n := range plan.Notices {
		want[n.ID] = said(n)
	}
	got := map[string]string{}
	for _, n := range stored {
		if n.Job == "remind" {
			got[n.ID] = said(n)
		}
	}
	for id, facts := range want {
		if got[id] != facts {
			t.Errorf("%s %s: memory says\n%s\nthe store\n%s", code, day, facts, got[id])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s %s: %d letters in memory, %d in the store", code, day, len(want), len(got))
	}
}

func TestCachesRebuiltFromTheEventsAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := story(t, s, "2024-09-24", "2024-09-27")
		d.days(t, d.from, d.to)
		for _, code := range d.codes {
			before, err := s.Caches(t.Context(), code)
			if err != nil {
				t.Fatal(err)
			}
			j, err := s.Jurisdiction(t.Context(), code)
			if err != nil {
				t.Fatal(err)
			}
			dropped := make([]task.Cache, 0, len(before))
			for _, c := range before {
				dropped = append(dropped, task.Cache{Ref: c.Ref, State: task.Waiting, NextLook: civil.Never, ClosedFrom: civil.Never, Raised: civil.Never,
					Nominal: civil.Never, Effective: civil.Never, Assess: civil.Never})
			}
			if _, err := s.Write(t.Context(), code, j.Seq, task.Batch{At: time.Unix(0, 0), Caches: dropped}); err != nil {
				t.Fatal(err)
			}
			if n, err := d.register(s).Rebuild(t.Context(), code, "rebuilt"); err != nil || n != len(before) {
				t.Fatalf("rebuilt %d of %d: %v", n, len(before), err)
			}
			after, err := s.Caches(t.Context(), code)
			if err != nil {
				t.Fatal(err)
			}
			for i := range before {
				// An item that was closed when its day to look came is never found again, whatever that day: a cache
				// written before the day was planned still names it, a rebuilt one has forgotten it.
				if c := &before[i]; c.NextLook <= d.to && c.ClosedFrom <= d.to {
					c.NextLook = civil.Never
				}
				if before[i] != after[i] {
					t.Errorf("%s\n was %+v\n is  %+v", before[i].Ref, before[i], after[i])
				}
			}
		}
	})
}
