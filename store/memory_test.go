package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

// What a store remembers is what a store that remembers nothing reads, whoever wrote in between: this process, another one, or one
// that was refused.
func TestWhatIsRememberedIsNeverStale(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "duban.db")
	here := storetest.Reopen(t, dsn)
	if _, err := here.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	there := storetest.Reopen(t, dsn)
	store.RememberAtMost(there, 5) // of some thirty, so that most of them make room for others
	must(t, here, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Name: "青岛市崂山区"}})
	chance := rand.New(rand.NewPCG(2024, 6))
	var items []task.Ref
	for i := range 250 {
		by := here
		if chance.IntN(4) == 0 {
			by = there
		}
		seq := got[task.Jurisdiction](t)(by.Jurisdiction(t.Context(), j)).Seq
		kind := chance.IntN(8)
		if len(items) == 0 {
			kind = 0
		}
		switch kind {
		case 0:
			ref := refOf(strconv.Itoa(i), "a", "m1")
			items = append(items, ref)
			must(t, by, seq, task.Batch{Obligations: []task.Obligation{obligation(ref)}, Events: []task.Event{opened(ref)}})
		case 1, 2:
			e := task.Event{On: day0, Kind: task.Checked, Subject: items[chance.IntN(len(items))].String(), Who: "甲"}
			must(t, by, seq, task.Batch{Events: []task.Event{e}})
		case 3, 4:
			speak(t, by, seq, day0+civil.Date(i), items[chance.IntN(len(items))].String())
		case 5:
			must(t, by, seq, source(chance.IntN(6), i))
		case 6: // refused
			if _, err := by.Write(t.Context(), j, seq-1, source(0, i)); !errors.Is(err, store.ErrMoved) {
				t.Fatal(err)
			}
		case 7: // what was given out is the reader's to append to
			for _, r := range got[[]task.Record](t)(here.Records(t.Context(), j, task.RecordFilter{})) {
				_ = append(r.Events, task.Event{Who: "nobody"})
				_ = append(r.Steps, task.FiredStep{Step: "none"})
			}
			units := got[task.Directory](t)(here.Directory(t.Context(), j)).Units
			for n := range units {
				units[n] = task.Unit{Code: "none"}
			}
		}
		fresh, err := store.Open(t.Context(), dsn, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*store.Store{here, there} {
			equal(t, fmt.Sprintf("after %d writes, the last of kind %d", i+1, kind), remembered(t, s), remembered(t, fresh))
		}
		if err := fresh.Close(); err != nil || t.Failed() {
			t.FailNow()
		}
	}
}

// source is a new version of something.
func source(kind, i int) task.Batch {
	n := strconv.Itoa(i)
	switch kind {
	case 0:
		return task.Batch{Units: []task.Unit{{Code: "u" + n, Name: "单位" + n, On: day0, Contacts: []task.Contact{{Role: task.Liaison, Name: "甲"}}}}}
	case 1:
		return task.Batch{Groups: []task.Group{{Code: "g" + n, Name: "组" + n, On: day0}}}
	case 2:
		return task.Batch{Tasks: []task.Task{{TaskID: taskID(n), Title: "任务" + n, On: day0}}}
	case 3:
		return task.Batch{Plans: []task.Plan{{Code: "p" + n, Title: "方案" + n, On: day0}}}
	case 4:
		return task.Batch{People: []task.Person{{Key: "k" + n, Name: "乙", Unit: "a", On: day0}}}
	}
	return task.Batch{Silences: []task.Silence{{Jurisdiction: j, On: day0, Until: day0 + 9, Scope: task.OverUnit, Subject: "a", Who: "甲", Why: "机构改革"}}}
}

// speak plans a day on which something is said of the item, and something held.
func speak(t *testing.T, s *store.Store, seq int64, d civil.Date, ref string) {
	t.Helper()
	r := claimed(t, s, "remind", d)
	r.State = run.Done
	p := run.DayPlan{
		Run:   r,
		Steps: []task.FiredStep{{Obligation: ref, Step: "T-3", N: int(d), Role: task.Liaison, On: d}},
		Holds: []task.Hold{{Obligation: ref, Step: "T+2", On: d, Reason: "held"}},
	}
	if err := s.SavePlan(t.Context(), j, seq, p); err != nil {
		t.Fatal(err)
	}
}

// remembered is what is remembered, as the store gives it out.
func remembered(t *testing.T, s *store.Store) []any {
	t.Helper()
	ctx := t.Context()
	return []any{
		got[[]task.Record](t)(s.Records(ctx, j, task.RecordFilter{})), got[task.Directory](t)(s.Directory(ctx, j)),
		got[[]task.Task](t)(s.Tasks(ctx, j)), got[[]task.Plan](t)(s.Plans(ctx, j)), got[[]task.Person](t)(s.People(ctx, j)),
		got[[]task.Silence](t)(s.Silences(ctx, j)), got[[]task.Training](t)(s.Trainings(ctx, j)),
	}
}

// What is asked for every day stays where there is no room for all; what nobody asks for any more makes room in the end.
func TestWhatIsAskedForIsRemembered(t *testing.T) {
	s := storetest.Engines(t)[0].Open(t)
	store.RememberAtMost(s, 2)
	var refs []string
	b := task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Name: "青岛市崂山区"}}
	for _, unit := range []string{"a", "b", "c"} {
		ref := refOf("1", unit, "m1")
		refs, b.Obligations = append(refs, ref.String()), append(b.Obligations, obligation(ref))
	}
	must(t, s, 0, b)
	ask := func(refs []string) {
		t.Helper()
		equal(t, "records", len(got[[]task.Record](t)(s.RecordsOf(t.Context(), j, refs))), len(refs))
	}
	ask(refs)
	equal(t, "remembered of three", store.Remembered(s, j), refs[:2])
	ask(refs[2:])
	equal(t, "remembered still", store.Remembered(s, j), refs[:2])
	for range 1500 {
		ask(refs[1:])
	}
	equal(t, "remembered of the two that are asked for", store.Remembered(s, j), refs[1:])
}
