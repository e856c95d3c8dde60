package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

const j = "laoshan"

var instant = time.Date(2024, 9, 14, 3, 4, 5, 678_901_234, time.FixedZone("CST", 8*3600))

func on(s string) civil.Date { return civil.MustParse(s) }

func taskID(row string) task.TaskID {
	return task.TaskID{Jurisdiction: j, Plan: "zfzl2024", Row: row}
}

func refOf(row, unit, instance string) task.Ref {
	return task.Ref{TaskID: taskID(row), Unit: unit, Instance: instance}
}

func obligation(ref task.Ref) task.Obligation {
	return task.Obligation{Ref: ref, Kind: task.Milestone, Role: task.Lead, Owes: task.OwesDeliver,
		Opened: day0, Nominal: day0 + 10, Effective: day0 + 10, Assess: day0 + 10}
}

func opened(ref task.Ref) task.Event {
	return task.Event{On: day0, Kind: task.Opened, Subject: ref.String(), Who: "duban"}
}

// begin makes the jurisdiction and returns its seq.
func begin(t *testing.T, s *store.Store) int64 {
	t.Helper()
	return must(t, s, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Name: "青岛市崂山区"}})
}

// must writes and returns the new seq.
func must(t *testing.T, s *store.Store, seq int64, b task.Batch) int64 {
	t.Helper()
	b.At = instant
	seq, err := s.Write(t.Context(), j, seq, b)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// got ends the test on an error and returns the value.
func got[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func TestSourcesComeBackWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var noun task.Jurisdiction
		fill(t, &noun)
		noun.Code = j
		var p task.Plan
		fill(t, &p)
		p.Jurisdiction, p.Code = j, "崂山2024"
		var v task.Task
		fill(t, &v)
		v.TaskID = taskID("一（1）")
		bare := task.Task{TaskID: taskID("2"), On: day0} // nil slices stay nil
		var u task.Unit
		fill(t, &u)
		u.Code, u.Groups = "QJTJ", []string{"各镇街", "law"}
		plain := task.Unit{Code: "qjtj", On: day0}
		var g task.Group
		fill(t, &g)
		g.Code = "各镇街"
		var person task.Person
		fill(t, &person)
		person.Key, person.Unit = "370212-7", "qjtj"
		seq := must(t, s, 0, task.Batch{Jurisdiction: &noun, Plans: []task.Plan{p}, Tasks: []task.Task{v, bare},
			Units: []task.Unit{u, plain}, Groups: []task.Group{g}, People: []task.Person{person}})
		if seq != 7 {
			t.Errorf("seven versions end at seq %d", seq)
		}
		noun.Seq, p.Seq, v.Seq, bare.Seq, u.Seq, plain.Seq, g.Seq, person.Seq = 7, 1, 2, 3, 4, 5, 6, 7
		equal(t, "jurisdiction", got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)), noun)
		equal(t, "jurisdictions", got[[]task.Jurisdiction](t)(s.Jurisdictions(ctx)), []task.Jurisdiction{noun})
		equal(t, "plans", got[[]task.Plan](t)(s.Plans(ctx, j)), []task.Plan{p})
		equal(t, "tasks", got[[]task.Task](t)(s.Tasks(ctx, j)), []task.Task{bare, v})
		equal(t, "task versions", got[[]task.Task](t)(s.TaskVersions(ctx, j, []task.TaskID{v.TaskID, v.TaskID})), []task.Task{v})
		equal(t, "directory", got[task.Directory](t)(s.Directory(ctx, j)),
			task.Directory{Units: []task.Unit{u, plain}, Groups: []task.Group{g}})
		equal(t, "unit versions", got[[]task.Unit](t)(s.UnitVersions(ctx, j, []string{u.Code, "unknown", u.Code})), []task.Unit{u})
		equal(t, "unit versions of none", got[[]task.Unit](t)(s.UnitVersions(ctx, j, nil)), []task.Unit(nil))
		equal(t, "people", got[[]task.Person](t)(s.People(ctx, j)), []task.Person{person})
		equal(t, "another's plans", got[[]task.Plan](t)(s.Plans(ctx, "Laoshan")), []task.Plan(nil))
	})
}

func TestVersionsAddUpAndNothingIsOverwritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		unit := task.Unit{Code: "qjtj", Name: "区交通局", Aliases: []string{"区交通运输局", "交通局"}, On: day0}
		seq = must(t, s, seq, task.Batch{Units: []task.Unit{unit}})
		renamed := task.Unit{Code: "qjtj", Name: "区交通运输局", Contacts: []task.Contact{{Role: task.Liaison, Name: "甲", Email: "a@example.com"}}, On: day0 + 1}
		must(t, s, seq, task.Batch{Units: []task.Unit{renamed}})
		unit.Seq, renamed.Seq = 2, 3
		equal(t, "units", got[task.Directory](t)(s.Directory(ctx, j)).Units, []task.Unit{unit, renamed})
		equal(t, "versions of the unit", got[[]task.Unit](t)(s.UnitVersions(ctx, j, []string{"qjtj"})), []task.Unit{unit, renamed})
	})
}

func TestObligationsAndEventsComeBackWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		var o task.Obligation
		fill(t, &o)
		o.Ref = refOf("17", "qjtj", "e:机构改革完成/10")
		var e task.Event
		fill(t, &e)
		e.Jurisdiction, e.Subject = j, o.Ref.String()
		var c task.Cache
		fill(t, &c)
		c.Ref = o.Ref.String()
		must(t, s, seq, task.Batch{Obligations: []task.Obligation{o}, Events: []task.Event{e}, Caches: []task.Cache{c}})
		e.Seq, e.At = seq+1, time.Date(2024, 9, 13, 19, 4, 5, 678_000_000, time.UTC)
		r := got[task.Record](t)(s.Record(ctx, o.Ref))
		equal(t, "record", r, task.Record{Obligation: o, Events: []task.Event{e}})
		equal(t, "caches", got[[]task.Cache](t)(s.Caches(ctx, j)), []task.Cache{c})
		_, err := s.Record(ctx, refOf("17", "QJTJ", "e:机构改革完成/10"))
		wantErr(t, "the unit's code in other letters", err, store.ErrNotFound)
	})
}

func TestKeysDifferByCaseAndDatesHaveNoZone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		var obligations []task.Obligation
		for i, unit := range []string{"a", "A", "ａ", "𠮷", "㐀"} {
			o := obligation(refOf("1", unit, "m1"))
			o.Nominal = []civil.Date{0, on("1000-01-01"), on("2024-02-29"), civil.Never, on("1949-10-01")}[i]
			obligations = append(obligations, o)
		}
		must(t, s, seq, task.Batch{Obligations: obligations})
		records := got[[]task.Record](t)(s.Records(ctx, j, task.RecordFilter{}))
		order := ""
		for _, r := range records {
			order += r.Obligation.Unit
			for _, o := range obligations {
				if o.Ref == r.Obligation.Ref {
					equal(t, "obligation", r.Obligation, o)
				}
			}
		}
		if order != "Aa㐀ａ𠮷" { // by code point on both engines
			t.Errorf("by ref: %s", order)
		}
		early := obligation(refOf("2", "a", "m1"))
		early.Nominal = on("0999-12-31")
		if _, err := s.Write(ctx, j, 2, task.Batch{Obligations: []task.Obligation{early}}); err == nil {
			t.Error("a date one engine cannot hold was stored")
		}
	})
}

func TestWriteComparesAndSetsTheSeq(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		_, err := s.Write(ctx, j, 0, task.Batch{Plans: []task.Plan{{Code: "p", On: day0}}})
		wantErr(t, "write to an unknown jurisdiction", err, store.ErrNotFound)
		seq := begin(t, s)
		_, err = s.Write(ctx, j, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
		wantErr(t, "make it twice", err, store.ErrMoved)
		plan := task.Batch{Plans: []task.Plan{{Code: "p", On: day0}, {Code: "p", On: day0 + 1}}}
		next := must(t, s, seq, plan)
		if next != seq+2 {
			t.Errorf("two versions moved the seq from %d to %d", seq, next)
		}
		for _, old := range []int64{seq, next + 1} {
			_, err = s.Write(ctx, j, old, plan)
			wantErr(t, fmt.Sprintf("write at seq %d", old), err, store.ErrMoved)
		}
		if n := len(got[[]task.Plan](t)(s.Plans(ctx, j))); n != 2 {
			t.Errorf("%d versions stand, want 2", n)
		}
		paused := &task.Jurisdiction{Code: j, Name: "新名", Paused: &task.Pause{At: instant, Who: "甲", Why: "试运行"}}
		last := must(t, s, next, task.Batch{Jurisdiction: paused})
		jur := got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j))
		if last != next+1 || jur.Seq != last || jur.Name != "新名" || jur.Paused == nil || jur.Paused.Why != "试运行" {
			t.Errorf("after the pause: seq %d, %+v", last, jur)
		}
		must(t, s, last, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
		if jur := got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)); jur.Paused != nil {
			t.Errorf("still paused: %+v", jur)
		}
		_, err = s.Jurisdiction(ctx, "Laoshan")
		wantErr(t, "another's code", err, store.ErrNotFound)
	})
}

func TestWritersTakeTurns(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dsn := e.DSN(t)
			a, b := storetest.Reopen(t, dsn), storetest.Reopen(t, dsn)
			got[int](t)(a.Migrate(t.Context()))
			got[int](t)(b.Migrate(t.Context()))
			begin(t, a)
			const writers, writes = 4, 10
			errs := make(chan error, writers)
			for i := range writers {
				s := []*store.Store{a, b}[i%2]
				go func() { errs <- writeTimes(t.Context(), s, writes) }()
			}
			for range writers {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			if seq := got[task.Jurisdiction](t)(a.Jurisdiction(t.Context(), j)).Seq; seq != 1+writers*writes {
				t.Errorf("seq %d after %d writes", seq, writers*writes)
			}
			if n := len(got[[]task.Plan](t)(a.Plans(t.Context(), j))); n != writers*writes {
				t.Errorf("%d versions after %d writes", n, writers*writes)
			}
		})
	}
}

// writeTimes writes n plans, reading again whenever another writer was first.
func writeTimes(ctx context.Context, s *store.Store, n int) error {
	for n > 0 {
		jur, err := s.Jurisdiction(ctx, j)
		if err != nil {
			return err
		}
		_, err = s.Write(ctx, j, jur.Seq, task.Batch{Plans: []task.Plan{{Code: "p", On: day0}}})
		switch {
		case err == nil:
			n--
		case !errors.Is(err, store.ErrMoved):
			return err
		}
	}
	return nil
}

func TestWriteRefusesAndLeavesNothingHalfWritten(t *testing.T) {
	known := obligation(refOf("1", "a", "m1"))
	fresh := obligation(refOf("2", "a", "m1"))
	whole := func(b task.Batch) task.Batch {
		b.At = instant
		b.Jurisdiction = &task.Jurisdiction{Code: j, Name: "half"}
		b.Plans = append(b.Plans, task.Plan{Code: "half", On: day0})
		b.Tasks = append(b.Tasks, task.Task{TaskID: taskID("half"), On: day0})
		b.Units = append(b.Units, task.Unit{Code: "half", Aliases: []string{"x"}, On: day0})
		b.Obligations = append(b.Obligations, fresh)
		b.Events = append(b.Events, opened(fresh.Ref))
		return b
	}
	cases := []struct {
		name  string
		batch task.Batch
		want  error // nil: any
	}{
		{"a ref that is taken", task.Batch{Obligations: []task.Obligation{known}}, store.ErrExists},
		{"a ref twice in the batch", task.Batch{Obligations: []task.Obligation{fresh}}, store.ErrExists},
		{"caches of no obligation", task.Batch{Caches: []task.Cache{{Ref: refOf("9", "a", "m1").String()}}}, store.ErrNotFound},
		{"next open of no task", task.Batch{NextOpen: map[task.TaskID]civil.Date{taskID("9"): day0}}, store.ErrNotFound},
		{"caches of another jurisdiction", task.Batch{Caches: []task.Cache{{Ref: "gangcheng/p/1/a/m1"}}}, nil},
		{"text that is not UTF-8", task.Batch{People: []task.Person{{Key: "p", Name: "a\xff", On: day0}}}, nil},
		{"an event on no day", task.Batch{Events: []task.Event{{Kind: task.Reported, Subject: known.Ref.String()}}}, nil},
		{"an event on nothing", task.Batch{Events: []task.Event{{Kind: task.Reported, Subject: "laoshan", On: day0}}}, nil},
		{"an event of another jurisdiction", task.Batch{Events: []task.Event{{Subject: "gangcheng/p/1/a/m1", On: day0}}}, nil},
		{"a version from no day", task.Batch{Groups: []task.Group{{Code: "g"}}}, nil},
		{"a key with a space at its end", task.Batch{Plans: []task.Plan{{Code: "p ", On: day0}}}, nil},
		{"a key with a slash", task.Batch{Units: []task.Unit{{Code: "a/b", On: day0}}}, nil},
		{"a key with a line break", task.Batch{Units: []task.Unit{{Code: "a\nb", On: day0}}}, nil},
		{"a key that is too long", task.Batch{Units: []task.Unit{{Code: strings.Repeat("单", 65), On: day0}}}, nil},
		{"an empty key", task.Batch{Groups: []task.Group{{On: day0}}}, nil},
		{"another jurisdiction's task", task.Batch{Tasks: []task.Task{{TaskID: task.TaskID{Jurisdiction: "x", Plan: "p", Row: "1"}, On: day0}}}, nil},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := must(t, s, begin(t, s), task.Batch{Obligations: []task.Obligation{known}, Events: []task.Event{opened(known.Ref)}})
		for _, c := range cases {
			_, err := s.Write(ctx, j, seq, whole(c.batch))
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: error %v, want %v", c.name, err, c.want)
			}
			jur := got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j))
			left := len(got[[]task.Plan](t)(s.Plans(ctx, j))) + len(got[[]task.Task](t)(s.Tasks(ctx, j))) +
				len(got[task.Directory](t)(s.Directory(ctx, j)).Units) + len(got[[]task.TaskID](t)(s.TasksToOpen(ctx, j, civil.Never)))
			records := got[[]task.Record](t)(s.Records(ctx, j, task.RecordFilter{}))
			if jur.Seq != seq || jur.Name == "half" || left != 0 || len(records) != 1 || len(records[0].Events) != 1 {
				t.Fatalf("%s: left behind: %+v, %d sources, %d records", c.name, jur, left, len(records))
			}
		}
	})
}

func TestManyObligationsAndEvents(t *testing.T) {
	const many = 5000
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var b task.Batch
		for i := range many {
			ref := refOf(fmt.Sprint(i%66), fmt.Sprintf("u%03d", i/66), "m1")
			b.Obligations = append(b.Obligations, obligation(ref))
			b.Events = append(b.Events, opened(ref))
			b.Caches = append(b.Caches, task.Cache{Ref: ref.String(), State: task.Waiting, NextLook: day0, ClosedFrom: civil.Never, Raised: civil.Never})
		}
		seq := must(t, s, begin(t, s), b)
		if seq != 1+many {
			t.Errorf("seq %d after %d events", seq, many)
		}
		seen, after := 0, ""
		for {
			page := got[[]task.Record](t)(s.Due(ctx, j, day0, after, 700))
			for _, r := range page {
				ref := r.Obligation.Ref.String()
				if ref <= after || len(r.Events) != 1 || r.Events[0].Subject != ref {
					t.Fatalf("after %s comes %s with events %+v", after, ref, r.Events)
				}
				after = ref
			}
			seen += len(page)
			if len(page) < 700 {
				break
			}
		}
		if seen != many {
			t.Errorf("pages held %d of %d", seen, many)
		}
	})
}

func TestALongTextAndManyLongTexts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var b task.Batch
		text := strings.Repeat("督办𠮷", 100_000) // 1 MB
		for i := range 20 {
			b.Tasks = append(b.Tasks, task.Task{TaskID: taskID(fmt.Sprint(i)), DeadlineText: text, On: day0})
		}
		must(t, s, begin(t, s), b)
		for _, v := range got[[]task.Task](t)(s.Tasks(t.Context(), j)) {
			if v.DeadlineText != text {
				t.Fatalf("row %s came back with %d bytes of %d", v.Row, len(v.DeadlineText), len(text))
			}
		}
	})
}
