package register_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"duban/jobs/register"
	"duban/jobs/task"
)

func (w *town) merge(on string) register.Changes {
	w.t.Helper()
	got, err := w.Merge(w.t.Context(), register.Merger{Jurisdiction: "ss", Old: "a", Into: "c", On: date(on), Who: "李敏", Why: "机构改革"})
	must(w.t, err)
	return got
}

// happens records an event on an item "6/a/2024-02".
func (w *town) happens(item, on string, kind task.EventKind, change ...func(*task.Event)) {
	w.t.Helper()
	ref, err := task.ParseRef("ss/zf/" + item)
	must(w.t, err)
	e := task.Event{Kind: kind, On: date(on), Who: "李敏", Why: "电话"}
	for _, f := range change {
		f(&e)
	}
	_, err = w.Record(w.t.Context(), ref, e)
	must(w.t, err)
}

func to(d string) func(*task.Event) { return func(e *task.Event) { e.Date = date(d) } }

// named makes rows of the town name the unit itself: 20, a milestone of the year's end; 21, twelve a year; 22, monthly.
func (w *town) named() {
	w.t.Helper()
	versions, err := w.s.Tasks(w.t.Context(), "ss")
	must(w.t, err)
	var rows []task.Task
	for code, text := range map[string]string{"20": "2024年底前", "21": "全年不少于12次", "22": "每月25日前", "23": "2024年3月底前"} {
		t := versions[0]
		t.Row, t.Order, t.Seq, t.Category = code, 20, 0, ""
		t.DeadlineText, t.Reading = text, parse(text)
		t.Parties = []task.Party{{Code: "a", Role: task.Lead, Owes: task.OwesDeliver}, {Code: "b", Role: task.Support, Owes: task.OwesSupport}}
		rows = append(rows, t)
	}
	slices.SortFunc(rows, func(a, b task.Task) int { return strings.Compare(a.Row, b.Row) })
	w.write(task.Batch{Tasks: rows})
}

func TestAUnitMergedAway(t *testing.T) {
	each(t, func(w *town) {
		w.named()
		w.open("2024-04-01")
		w.happens("22/a/2024-02", "2024-02-20", task.Reported)
		w.happens("22/a/2024-03", "2024-04-01", task.ExtensionAsked, to("2024-04-20"))
		w.happens("22/a/2024-03", "2024-04-02", task.ExtensionGranted, to("2024-04-20"))
		w.happens("21/a/2024", "2024-02-10", task.Counted, func(e *task.Event) { e.N, e.Ref = 3, "讲法1" })
		w.open("2024-04-08")
		got := w.merge("2024-04-09") // 13 workdays after 23's date; 22's of March is extended
		moved := map[string]string{}
		for _, c := range got.Changes {
			if c.Did == "transferred" {
				moved[c.Code] = c.What
			}
		}
		for item, what := range map[string]string{
			"20/a/m1": "c, due 2024-12-31", "21/a/2024": "c, due 2024-12-31", "22/a/2024-03": "c, due 2024-04-20", "22/a/2024-04": "c, due 2024-04-25", "23/a/m1": "c, due 2024-03-31",
		} {
			if moved["ss/zf/"+item] != what {
				w.t.Errorf("%s: %q, want %q", item, moved["ss/zf/"+item], what)
			}
		}
		if len(moved) != got.Items {
			w.t.Errorf("%d items, %d named", got.Items, len(moved))
		}
		w.same("after", w.items("2024-04-10", "20", "21", "22", "23"), strings.Join([]string{
			"20/a/m1 milestone 2024-12-31 transferred", "20/b/m1 milestone 2024-12-31 waiting owes support", "20/c/m1 milestone 2024-12-31 waiting",
			"21/a/2024 quota 2024-12-31 transferred", "21/b/2024 quota 2024-12-31 waiting owes support", "21/c/2024 quota 2024-12-31 waiting",
			"22/a/2024-01 monthly 2024-01-25 transferred", "22/a/2024-02 monthly 2024-02-25 done", "22/a/2024-03 monthly 2024-04-20 transferred nominal 2024-03-25",
			"22/a/2024-04 monthly 2024-04-25 transferred", "22/b/2024-01 monthly 2024-01-25 waiting owes support", "22/b/2024-02 monthly 2024-02-25 waiting owes support",
			"22/b/2024-03 monthly 2024-03-25 waiting owes support", "22/b/2024-04 monthly 2024-04-25 waiting owes support", "22/c/2024-01 monthly 2024-01-25 waiting",
			"22/c/2024-03 monthly 2024-04-20 waiting nominal 2024-03-25", "22/c/2024-04 monthly 2024-04-25 waiting",
			"23/a/m1 milestone 2024-03-31 transferred", "23/b/m1 milestone 2024-03-31 waiting owes support", "23/c/m1 milestone 2024-03-31 waiting"}, "\n"))
		w.same("the day before", fmt.Sprint(strings.Count(w.items("2024-04-08"), "transferred")), "0")
		w.heir()
		w.open("2024-05-01")
		if next := "22/c/2024-05 monthly 2024-05-25 waiting"; !strings.Contains(w.items("2024-05-01", "22"), next) {
			w.t.Errorf("the next period is not the new unit's: %s", w.items("2024-05-01", "22"))
		}
		if strings.Contains(w.items("2024-05-01", "22", "6"), "a/2024-05") {
			w.t.Error("a period opened for a unit that is gone")
		}
	})
}

// heir looks at what the new unit got: the state, the count, the extension, and five working days of grace for what was
// overdue on 9 April already.
func (w *town) heir() {
	w.t.Helper()
	for item, want := range map[string]string{
		"23/c/m1": "armed 2024-04-09 held 2024-04-15 自2024年4月9日起承接县a局事项，5个工作日内不催办", "22/c/2024-04": "armed 2024-04-09",
		"22/c/2024-03": "armed 2024-04-09 extended", "21/c/2024": "armed 2024-04-09 counted 3",
	} {
		ref, err := task.ParseRef("ss/zf/" + item)
		must(w.t, err)
		rec, err := w.s.Record(w.t.Context(), ref)
		must(w.t, err)
		st, err := w.Status(rec, date("2024-04-10"))
		must(w.t, err)
		got := "armed " + st.Armed.String()
		if st.Count > 0 {
			got += fmt.Sprintf(" counted %d", st.Count)
		}
		if st.Extended {
			got += " extended"
		}
		if st.HeldUntil != 0 {
			got += " held " + st.HeldUntil.String() + " " + st.HeldWhy
		}
		w.same(item, got, want)
	}
	dir, err := w.s.Directory(w.t.Context(), "ss")
	must(w.t, err)
	if _, there := dir.AsOf(date("2024-04-08")).Unit("a"); !there {
		w.t.Error("the old unit was there on the day before")
	}
	if _, there := dir.AsOf(date("2024-04-09")).Unit("a"); there {
		w.t.Error("the old unit is still there")
	}
	u, _ := dir.AsOf(date("2024-04-09")).Unit("c")
	if !slices.Equal(u.Aliases, []string{"县a局", "某县a局"}) || len(u.Groups) != 0 || len(u.Contacts) != 1 {
		w.t.Errorf("the new unit: %+v", u)
	}
	people, err := w.s.People(w.t.Context(), "ss")
	must(w.t, err)
	for d, want := range map[string]string{"2024-04-08": "a", "2024-04-09": "c", "2024-10-01": "c"} {
		for _, p := range task.PeopleAsOf(people, date(d)) {
			if p.Key == "p1" && p.Unit != want {
				w.t.Errorf("on %s p1 belongs to %s, want %s", d, p.Unit, want)
			}
		}
	}
}

// A unit that has an item itself does not get the other's of the same instance: what both owed is owed once.
func TestBothUnitsOfAMergerOwedTheSame(t *testing.T) {
	each(t, func(w *town) {
		w.open("2024-02-01")
		w.happens("6/b/2024-01", "2024-01-24", task.Reported)
		w.happens("6/a/2024-02", "2024-02-05", task.Reported)
		got, err := w.Merge(w.t.Context(), register.Merger{Jurisdiction: "ss", Old: "a", Into: "b", On: date("2024-02-06"), Who: "李敏", Why: "机构改革"})
		must(w.t, err)
		w.same("after", w.items("2024-02-06", "1", "6"), strings.Join([]string{
			"1/a/m1 milestone 2024-06-30 transferred", "1/b/m1 milestone 2024-06-30 waiting", "6/a/2024-01 monthly 2024-01-25 transferred", "6/a/2024-02 monthly 2024-02-25 answered",
			"6/b/2024-01 monthly 2024-01-25 done", "6/b/2024-02 monthly 2024-02-25 waiting"}, "\n"))
		if got.Items != 2 {
			w.t.Errorf("%+v", got)
		}
	})
}

// What the old unit had done is not asked of the new one because its rows name it now; a report that waits goes along.
func TestWhatIsSettledIsNotAskedAgain(t *testing.T) {
	each(t, func(w *town) {
		w.named()
		w.open("2024-02-01")
		w.happens("20/a/m1", "2024-02-01", task.Accepted)
		w.happens("22/a/2024-02", "2024-02-05", task.Reported, func(e *task.Event) { e.Figures = map[string]int64{"检查次数": 3} })
		w.merge("2024-02-06")
		w.open("2024-02-06")
		w.same("after", w.items("2024-02-06", "20", "22"), strings.Join([]string{
			"20/a/m1 milestone 2024-12-31 done", "20/b/m1 milestone 2024-12-31 waiting owes support", "20/c/m1 milestone 2024-12-31 waived",
			"22/a/2024-01 monthly 2024-01-25 transferred", "22/a/2024-02 monthly 2024-02-25 transferred", "22/b/2024-01 monthly 2024-01-25 waiting owes support",
			"22/b/2024-02 monthly 2024-02-25 waiting owes support", "22/c/2024-01 monthly 2024-01-25 waiting", "22/c/2024-02 monthly 2024-02-25 answered"}, "\n"))
		rec, err := w.s.Record(w.t.Context(), task.Ref{TaskID: task.TaskID{Jurisdiction: "ss", Plan: "zf", Row: "22"}, Unit: "c", Instance: "2024-02"})
		must(w.t, err)
		st, err := w.Status(rec, date("2024-02-06"))
		if err != nil || st.Figures["检查次数"] != 3 || st.Reported != date("2024-02-05") {
			w.t.Errorf("%+v, %v", st, err)
		}
	})
}

// A merger that is entered while the worker is behind loses nothing of what the days before it would have opened.
func TestAMergerBeforeTheWorkerHasCaughtUp(t *testing.T) {
	each(t, func(w *town) {
		w.named()
		w.merge("2024-02-06")
		w.open("2024-02-06")
		want := "22/a/2024-01 monthly 2024-01-25 transferred\n22/a/2024-02 monthly 2024-02-25 transferred\n22/b/2024-01 monthly 2024-01-25 waiting owes support\n" +
			"22/b/2024-02 monthly 2024-02-25 waiting owes support\n22/c/2024-01 monthly 2024-01-25 waiting\n22/c/2024-02 monthly 2024-02-25 waiting"
		w.same("after", w.items("2024-02-06", "22"), want)
	})
}

func TestMergersRefused(t *testing.T) {
	each(t, func(w *town) {
		for _, c := range []struct{ old, into, on, why string }{
			{"a", "a", "2024-02-06", "from itself"}, {"c", "a", "2024-02-06", "the justice bureau"}, {"x", "a", "2024-02-06", "no unit x"},
			{"a", "x", "2024-02-06", "no unit x"}, {"a", "b", "1999-02-06", "no unit a on 1999-02-06"},
		} {
			_, err := w.Merge(w.t.Context(), register.Merger{Jurisdiction: "ss", Old: c.old, Into: c.into, On: date(c.on), Who: "李敏", Why: "机构改革"})
			if err == nil || !strings.Contains(err.Error(), c.why) {
				w.t.Errorf("%+v: %v", c, err)
			}
		}
		before, err := w.s.Jurisdiction(w.t.Context(), "ss")
		must(w.t, err)
		got, err := w.Merge(w.t.Context(), register.Merger{Jurisdiction: "ss", Old: "a", Into: "b", On: date("2024-02-06"), Who: "李敏", Why: "机构改革", DryRun: true})
		must(w.t, err)
		if after, err := w.s.Jurisdiction(w.t.Context(), "ss"); err != nil || after.Seq != before.Seq || len(got.Changes) == 0 {
			w.t.Errorf("a dry run: %+v, seq %d, was %d, %v", got, after.Seq, before.Seq, err)
		}
		w.merge("2024-02-06")
		if _, err := w.Merge(w.t.Context(), register.Merger{Jurisdiction: "ss", Old: "a", Into: "b", On: date("2024-03-06"), Who: "李敏", Why: "机构改革"}); err == nil {
			w.t.Error("a unit is merged twice")
		}
	})
}
