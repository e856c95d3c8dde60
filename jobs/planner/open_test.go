package planner_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/planner"
	"duban/jobs/task"
)

func TestOpen(t *testing.T) {
	all := by(everybody("all"))
	tests := []struct {
		name string
		town func(w *town)
		on   string
		want []string
	}{
		{"a milestone at the plan's issue, its label kept apart from its identity",
			func(w *town) {
				w.row("1", deadline.Reading{Milestones: []deadline.Milestone{
					{Due: date("2022-12-31"), Label: deadline.Stage}, {Due: date("2024-12-31"), Label: deadline.Final}}})
			}, "2024-01-15",
			[]string{"1/a/m1 milestone 2022-12-31 past opened 01-15", "1/a/m2 milestone 2024-12-31 opened 01-15"}},
		{"nothing before the issue", func(w *town) { w.row("1", on("2024-06-30")) }, "2024-01-14", nil},
		{"a plan entered before its issue", func(w *town) { w.row("1", on("2024-06-30"), from("2024-01-02")); w.Plans[0].On = date("2024-01-02") }, "2024-01-14", nil},
		{"due on the day of issue is not past", func(w *town) { w.row("1", on("2024-01-15")) }, "2024-01-15", []string{"1/a/m1 milestone 2024-01-15 opened 01-15"}},
		{"ambiguous: past only by the later reading", func(w *town) {
			w.row("1", or(on("2024-01-10"), "2024-01-31")).row("2", or(on("2023-12-01"), "2023-12-31"))
		}, "2024-01-15", []string{
			"1/a/m1 milestone 2024-01-10 assess 2024-01-31 opened 01-15", "2/a/m1 milestone 2023-12-01 assess 2023-12-31 past opened 01-15"}},
		{"a row read late opens from its own day", func(w *town) { w.row("1", on("2024-06-30"), from("2024-03-01")) }, "2024-03-01",
			[]string{"1/a/m1 milestone 2024-06-30 opened 03-01"}},
		{"a provisional date", func(w *town) { w.row("1", on("2031-06-30")) }, "2024-01-15", []string{"1/a/m1 milestone 2031-06-30 provisional opened 01-15"}},
		{"what cannot be read, what is not chased, what goes on for ever", func(w *town) {
			w.row("1", deadline.Reading{Text: "长期坚持", Standing: true}).
				row("2", on("2024-06-30"), sorted(task.Personnel)).row("3", on("2024-06-30"), sorted(task.Inspection)).
				row("4", after("机构改革完成", 6, "month"))
			w.row("5", on("2024-06-30"))
			w.Tasks[4].Reading.Understood = false
		}, "2024-12-31", nil},
		{"roles: who owes nothing has no item", func(w *town) {
			w.row("1", on("2024-06-30"), by(lead("a"), support("b"), task.Party{Code: "c", Role: task.Guide, Owes: task.OwesNone}))
		}, "2024-01-15", []string{"1/a/m1 milestone 2024-06-30 opened 01-15", "1/b/m1 milestone 2024-06-30 opened 01-15"}},

		{"months: the first period is that of the issue, if its date is to come", func(w *town) {
			w.row("1", every(deadline.Month, "10")).row("2", every(deadline.Month, "25")).row("3", every(deadline.Month, "15"))
		}, "2024-02-29", []string{
			"1/a/2024-02 monthly 2024-02-10 opened 02-01",
			"2/a/2024-01 monthly 2024-01-25 opened 01-15", "2/a/2024-02 monthly 2024-02-25 opened 02-01",
			"3/a/2024-01 monthly 2024-01-15 opened 01-15", "3/a/2024-02 monthly 2024-02-15 opened 02-01"}},
		{"two dates in a month", func(w *town) { w.row("1", every(deadline.Month, "10", "25")) }, "2024-01-31",
			[]string{"1/a/2024-01/25 monthly 2024-01-25 opened 01-15"}},
		{"two duties of one month: neither takes the other's identity", func(w *town) {
			w.row("1", deadline.Reading{Recurrences: []deadline.Recurrence{
				{Every: deadline.Month, Dates: []string{"end"}}, {Every: deadline.Month, Dates: []string{"15"}}}})
		}, "2024-02-01", []string{
			"1/a/2024-01/15 monthly 2024-01-15 opened 01-15", "1/a/2024-01/31 monthly 2024-01-31 opened 01-15",
			"1/a/2024-02/15 monthly 2024-02-15 opened 02-01", "1/a/2024-02/29 monthly 2024-02-29 opened 02-01"}},
		{"two duties of one year and one of each quarter", func(w *town) {
			w.row("1", deadline.Reading{Recurrences: []deadline.Recurrence{
				{Every: deadline.Year, Dates: []string{"06-30"}}, {Every: deadline.Quarter, Dates: []string{"end"}}, {Every: deadline.Year, Dates: []string{"end"}}}})
		}, "2024-01-15", []string{
			"1/a/2024/06-30 yearly 2024-06-30 opened 01-15", "1/a/2024/12-31 yearly 2024-12-31 opened 01-15",
			"1/a/2024Q1 quarterly 2024-03-31 effective 2024-04-10 opened 01-15"}},
		{"the year's number is due at its last date, not at one before", func(w *town) {
			r := number(12, deadline.Year)
			r.Recurrences = []deadline.Recurrence{{Every: deadline.Year, Dates: []string{"06-30"}}, {Every: deadline.Year, Dates: []string{"end"}}}
			w.row("1", r)
		}, "2024-01-15", []string{
			"1/a/2024/06-30 yearly 2024-06-30 opened 01-15", "1/a/2024/12-31 quota 2024-12-31 quota 12 from 2024-01-15 opened 01-15"}},
		{"weeks", func(w *town) { w.row("1", every(deadline.Week, "Friday")) }, "2024-01-22",
			[]string{"1/a/2024-W03 weekly 2024-01-19 opened 01-15", "1/a/2024-W04 weekly 2024-01-26 opened 01-22"}},
		{"two days a week", func(w *town) { w.row("1", every(deadline.Week, "Tuesday", "Friday")) }, "2024-01-15",
			[]string{"1/a/2024-W03/01-16 weekly 2024-01-16 opened 01-15", "1/a/2024-W03/01-19 weekly 2024-01-19 opened 01-15"}},
		{"a quarter's report is due on the bureau's day after it", func(w *town) {
			w.row("1", every(deadline.Quarter, "end")).row("2", every(deadline.Quarter, "end"), func(t *task.Task) { t.ReportDay = 31 })
		}, "2024-04-01", []string{
			"1/a/2024Q1 quarterly 2024-03-31 effective 2024-04-10 opened 01-15", "1/a/2024Q2 quarterly 2024-06-30 effective 2024-07-10 opened 04-01",
			"2/a/2024Q1 quarterly 2024-03-31 effective 2024-04-30 opened 01-15", "2/a/2024Q2 quarterly 2024-06-30 effective 2024-07-31 opened 04-01"}},
		{"a quarter's own date is kept", func(w *town) { w.row("1", every(deadline.Quarter, "01-20")) }, "2024-04-01",
			[]string{"1/a/2024Q1 quarterly 2024-01-20 opened 01-15", "1/a/2024Q2 quarterly 2024-04-20 opened 04-01"}},
		{"half-years and years", func(w *town) { w.row("1", every(deadline.Half, "end")).row("2", every(deadline.Year, "end")) }, "2024-07-01", []string{
			"1/a/2024H1 half-yearly 2024-06-30 effective 2024-07-10 opened 01-15", "1/a/2024H2 half-yearly 2024-12-31 effective 2025-01-10 opened 07-01",
			"2/a/2024 yearly 2024-12-31 opened 01-15"}},
		{"an ambiguous year, several years running", func(w *town) { w.row("1", or(every(deadline.Year, "09-30"), "2024-10-31")) }, "2026-01-01", []string{
			"1/a/2024 yearly 2024-09-30 assess 2024-10-31 opened 01-15", "1/a/2025 yearly 2025-09-30 assess 2025-10-31 opened 01-01",
			"1/a/2026 yearly 2026-09-30 assess 2026-10-31 opened 01-01"}},
		{"the year's number counts from the issue", func(w *town) { w.row("1", number(12, deadline.Year)) }, "2025-01-01", []string{
			"1/a/2024 quota 2024-12-31 quota 12 from 2024-01-15 opened 01-15", "1/a/2025 quota 2025-12-31 quota 12 from 2025-01-01 opened 01-01"}},
		{"a number once hangs on its milestone", func(w *town) {
			r := on("2024-06-30", "2024-12-31")
			r.Quota = &deadline.Quota{Min: 20}
			w.row("1", r)
		}, "2024-01-15", []string{"1/a/m1 milestone 2024-06-30 opened 01-15", "1/a/m2 milestone 2024-12-31 quota 20 from 2024-01-15 opened 01-15"}},
		{"no period opens after the end of the plan, or of the row", func(w *town) {
			w.row("1", every(deadline.Month, "25")).row("2", every(deadline.Month, "25"), until("2024-02-01"))
			w.Plans[0].ValidTo = date("2024-03-20")
		}, "2024-12-31", []string{
			"1/a/2024-01 monthly 2024-01-25 opened 01-15", "1/a/2024-02 monthly 2024-02-25 opened 02-01", "1/a/2024-03 monthly 2024-03-25 opened 03-01",
			"2/a/2024-01 monthly 2024-01-25 opened 01-15", "2/a/2024-02 monthly 2024-02-25 opened 02-01"}},
		{"a plan that is prolonged late asks nothing of the time between", func(w *town) {
			w.row("1", every(deadline.Month, "25"))
			w.Plans[0].ValidTo = date("2024-02-29")
			p := w.Plans[0]
			p.On, p.ValidTo, p.Seq = date("2024-04-10"), date("2024-12-31"), w.next()
			w.Plans = append(w.Plans, p)
		}, "2024-05-01", []string{
			"1/a/2024-01 monthly 2024-01-25 opened 01-15", "1/a/2024-02 monthly 2024-02-25 opened 02-01",
			"1/a/2024-04 monthly 2024-04-25 opened 04-10", "1/a/2024-05 monthly 2024-05-25 opened 05-01"}},
		{"so does a row", func(w *town) {
			w.row("1", every(deadline.Month, "25"), until("2024-02-29")).row("1", every(deadline.Month, "25"), from("2024-04-10"))
		}, "2024-05-01", []string{
			"1/a/2024-01 monthly 2024-01-25 opened 01-15", "1/a/2024-02 monthly 2024-02-25 opened 02-01",
			"1/a/2024-04 monthly 2024-04-25 opened 04-10", "1/a/2024-05 monthly 2024-05-25 opened 05-01"}},

		{"a unit that joins later gets only later dates, and periods from the next one", func(w *town) {
			w.unit("a", "2024-01-01", in("all")).unit("b", "2024-04-10", in("all")).
				row("1", on("2024-03-31", "2024-09-30"), all).row("2", every(deadline.Quarter, "01-20"), all)
		}, "2024-07-01", []string{
			"1/a/m1 milestone 2024-03-31 opened 01-15", "1/a/m2 milestone 2024-09-30 opened 01-15", "1/b/m2 milestone 2024-09-30 opened 04-10",
			"2/a/2024Q1 quarterly 2024-01-20 opened 01-15", "2/a/2024Q2 quarterly 2024-04-20 opened 04-01", "2/a/2024Q3 quarterly 2024-07-20 opened 07-01",
			"2/b/2024Q3 quarterly 2024-07-20 opened 07-01"}},
		{"a unit that leaves keeps what it has and gets no more", func(w *town) {
			w.unit("a", "2024-01-01", in("all")).unit("b", "2024-01-01", in("all")).unit("b", "2024-02-10").
				row("1", every(deadline.Month, "25"), all)
		}, "2024-03-01", []string{
			"1/a/2024-01 monthly 2024-01-25 opened 01-15", "1/a/2024-02 monthly 2024-02-25 opened 02-01", "1/a/2024-03 monthly 2024-03-25 opened 03-01",
			"1/b/2024-01 monthly 2024-01-25 opened 01-15", "1/b/2024-02 monthly 2024-02-25 opened 02-01"}},
		{"an edited cadence opens nothing in the past", func(w *town) {
			w.row("1", every(deadline.Month, "25")).row("1", every(deadline.Month, "10"), from("2024-03-05"))
		}, "2024-04-01", []string{"1/a/2024-03 monthly 2024-03-10 opened 03-05", "1/a/2024-04 monthly 2024-04-10 opened 04-01"}},
		{"a party added by an edit", func(w *town) {
			w.row("1", on("2024-06-30")).row("1", on("2024-06-30"), from("2024-03-05"), by(lead("a"), lead("b")))
		}, "2024-04-01", []string{"1/a/m1 milestone 2024-06-30 opened 01-15", "1/b/m1 milestone 2024-06-30 opened 03-05"}},

		{"a clock rolls to the next workday, a plan's date stays", func(w *town) {
			w.row("1", after("收到复议决定", 10, "day")).row("2", after("机构改革完成", 1, "month")).row("3", after("强制措施", 24, "hour")).
				row("4", after("检查前", 3, "workday"))
			w.Tasks[3].Reading.Condition.Offset.Dir = "before"
			w.event("2024-09-25", "1", task.Triggered, ref("1")).event("2024-08-31", "2", task.Triggered).event("2024-09-30", "3", task.Triggered).
				event("2024-10-09", "4", task.Triggered)
		}, "2024-10-10", []string{
			"1/a/e:1 clock 2024-10-05 effective 2024-10-08 opened 09-25", "2/a/e:机构改革完成 condition 2024-09-30 opened 08-31",
			"3/a/e:强制措施 clock 2024-10-01 effective 2024-10-08 opened 09-30",
			"4/a/e:检查前 clock 2024-09-29 opened 10-09"}},
		{"a row that names no event waits for one with a date, where it is kept by case, person or inspection or goes on for ever", func(w *town) {
			no := deadline.Reading{}
			w.row("1", no, sorted(task.PerCase)).row("2", no, sorted(task.Personnel)).row("3", no, sorted(task.Inspection)).
				row("4", no, sorted(task.Standing)).row("5", deadline.Reading{Text: "长期坚持", Standing: true}).row("6", no, sorted(task.PerCase))
			w.Tasks[5].Reading.Understood = false // 20个工作日内公示
			for _, row := range []string{"1", "2", "3", "4", "5", "6"} {
				w.event("2024-09-18", row, task.Triggered, ref("甲"), unit("a"), due("2024-09-27"))
			}
		}, "2024-09-18", []string{
			"1/a/e:甲 clock 2024-09-27 opened 09-18", "2/a/e:甲 clock 2024-09-27 opened 09-18", "3/a/e:甲 clock 2024-09-27 opened 09-18",
			"4/a/e:甲 clock 2024-09-27 opened 09-18", "5/a/e:甲 clock 2024-09-27 opened 09-18", "6/a/e:甲 clock 2024-09-27 opened 09-18"}},
		{"a trigger opens nothing where it has no date, nor on a row with dates of its own or that a person has to read", func(w *town) {
			w.row("1", deadline.Reading{}, sorted(task.PerCase)).row("2", on("2024-06-30")).row("3", deadline.Reading{}).
				row("4", on("2024-06-30"), sorted(task.Personnel)).row("5", after("收到意见书", 3, "workday"), sorted(task.Inspection))
			w.Tasks[2].Reading.Understood = false
			w.event("2024-09-18", "1", task.Triggered, ref("甲"))
			for _, row := range []string{"2", "3", "4"} {
				w.event("2024-09-18", row, task.Triggered, ref("甲"), due("2024-09-27"))
			}
			w.event("2024-09-18", "5", task.Triggered, ref("甲"))
		}, "2024-09-18", []string{"2/a/m1 milestone 2024-06-30 opened 01-15", "5/a/e:甲 clock 2024-09-23 opened 09-18"}},
		{"a rule says how its date leaves a rest day", func(w *town) {
			w.row("1", deadline.Reading{}, sorted(task.PerCase)).row("2", after("机构改革完成", 3, "month"))
			for i, r := range []string{"甲", "乙", "丙", "丁"} {
				w.event("2024-05-30", "1", task.Triggered, ref(r), due("2024-06-30"), n(i))
				w.event("2024-03-30", "2", task.Triggered, ref(r), n(i))
			}
		}, "2024-05-30", []string{
			"1/a/e:甲 clock 2024-06-30 effective 2024-07-01 opened 05-30", "1/a/e:乙 clock 2024-06-30 opened 05-30",
			"1/a/e:丙 clock 2024-06-30 effective 2024-06-28 opened 05-30", "1/a/e:丁 clock 2024-06-30 effective 2024-07-01 opened 05-30",
			"2/a/e:甲 condition 2024-06-30 opened 03-30", "2/a/e:乙 condition 2024-06-30 opened 03-30",
			"2/a/e:丙 condition 2024-06-30 effective 2024-06-28 opened 03-30", "2/a/e:丁 condition 2024-06-30 effective 2024-07-01 opened 03-30"}},
		{"a trigger that was entered wrongly, and one to come", func(w *town) {
			w.row("1", after("机构改革完成", 1, "month"))
			w.event("2024-02-01", "1", task.Triggered, ref("误"))
			w.event("2024-02-02", "1", task.Corrected, voids(w.seq)).event("2024-12-01", "1", task.Triggered)
		}, "2024-03-01", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newTown(t)
			tt.town(w)
			w.World = w.OpenDay(date(tt.on))
			w.holds(tt.want...)
		})
	}
}

// TestAListedClockOwesNothing: the end of the time for which records are kept is known, and nobody is told of it.
func TestAListedClockOwesNothing(t *testing.T) {
	w := newTown(t).row("1", deadline.Reading{}, sorted(task.PerCase), by(lead("a"), support("b")))
	listed := func(e *task.Event) { e.Nil = true }
	w.event("2024-02-29", "1", task.Triggered, ref("甲"), due("2026-02-28"), listed)
	w.event("2024-02-29", "1", task.Triggered, ref("乙"), due("2024-03-11"))
	w.World = w.OpenDay(date("2024-02-29"))
	for _, r := range w.Records {
		o := r.Obligation
		want := task.OwesDeliver
		if o.Unit == "b" {
			want = task.OwesSupport
		}
		if o.Instance == "e:甲" {
			want = task.OwesNone
		}
		if o.Owes != want {
			t.Errorf("%s owes %s, want %s", o.Ref, o.Owes, want)
		}
		if look := planner.CacheOf(r, w.Tasks[0], w.Directory.Units[0], w.Set, 0).NextLook; (look == civil.Never) != (want != task.OwesDeliver) {
			t.Errorf("%s is looked at on %s", o.Ref, look)
		}
	}
	if len(w.Records) != 4 {
		t.Errorf("%d items", len(w.Records))
	}
}

func TestAfter(t *testing.T) {
	for _, c := range []struct {
		on, unit, want string
		n              int
	}{
		{"2024-09-18", "workday", "2024-09-27", 7}, // 20 and 23–27 September: the 14th was made up
		{"2024-09-29", "workday", "2024-10-14", 7}, // across 国庆, with 12 October made up
		{"2025-01-25", "workday", "2025-02-10", 7}, // 26 January is a make-up Sunday, 春节, 8 February made up
		{"2024-12-30", "workday", "2025-01-09", 7}, // the year's turn
		{"2024-11-30", "month", "2025-02-28", 3},   // the month's last day
		{"2023-11-29", "month", "2024-02-29", 3},   //
		{"2024-02-29", "year", "2026-02-28", 2},    //
		{"2024-05-31", "day", "2024-06-30", 30},    // a Sunday: rolling is not counting
		{"2024-05-31", "hour", "2024-06-02", 25},   //
		{"2024-05-31", "fortnight", "", 1},         //
	} {
		if got := planner.After(date(c.on), c.n, c.unit, policy()).String(); got != c.want {
			t.Errorf("%d %s after %s: %s, want %s", c.n, c.unit, c.on, got, c.want)
		}
	}
	for roll, want := range map[string]int{"": 0, "keep": 1, "previous": 2, "next": 3, "sideways": 0} {
		if got := planner.RollNumber(roll); got != want {
			t.Errorf("roll %q: %d, want %d", roll, got, want)
		}
	}
}

func TestTriggerInstance(t *testing.T) {
	waits := task.Task{Reading: after("机构改革\n完成/批复 ", 6, "month")}
	for _, c := range []struct{ ref, want string }{
		{"2024-017", "e:2024-017"}, {"2024/017", "e:2024-017"}, {"", "e:机构改革 完成-批复"}, {" 甲\t乙 ", "e:甲 乙"},
		{strings.Repeat("案", 99) + " 卷", "e:" + strings.Repeat("案", 99)}, {"坏\xff字", "e:坏-字"},
	} {
		if got := planner.TriggerInstance(waits, task.Event{Ref: c.ref}); got != c.want {
			t.Errorf("%q opens %q, want %q", c.ref, got, c.want)
		}
	}
}

func TestRollOfAPlansDate(t *testing.T) {
	for roll, want := range map[planner.Roll]string{
		planner.Keep: "2024-06-30", planner.Previous: "2024-06-28", planner.Next: "2024-07-01", "": "2024-06-30",
	} {
		w := newTown(t).row("1", on("2024-06-30"))
		w.Set.Roll = roll
		o := w.OpenDay(date("2024-01-15")).Records[0].Obligation
		if o.Effective.String() != want || o.Assess != o.Effective || o.Nominal != date("2024-06-30") {
			t.Errorf("%s: nominal %s, effective %s, assess %s, want %s", roll, o.Nominal, o.Effective, o.Assess, want)
		}
	}
}

// TestOpenLeavesItsInputAlone: values in, values out.
func TestOpenLeavesItsInputAlone(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-30"))
	existing := map[string]bool{"ls/zf/9/a/m1": true}
	src := planner.Sources{Jurisdiction: w.Jurisdiction, Plans: w.Plans, Tasks: w.Tasks, Directory: w.Directory, Existing: existing}
	if got := len(planner.Open(src, w.Set, date("2024-01-15")).Obligations); got != 1 || len(existing) != 1 {
		t.Errorf("%d opened, %d existing", got, len(existing))
	}
	src.Existing = nil
	if got := len(planner.Open(src, w.Set, date("2024-01-15")).Obligations); got != 1 {
		t.Errorf("%d opened with nothing existing", got)
	}
}

func TestNextOpen(t *testing.T) {
	tests := []struct {
		name string
		town func(w *town)
		on   string
		want civil.Date
	}{
		{"a milestone is opened once", func(w *town) { w.row("1", on("2024-06-30")) }, "2024-01-15", civil.Never},
		{"the issue to come", func(w *town) { w.row("1", on("2024-06-30"), from("2024-01-01")); w.Plans[0].On = date("2024-01-01") }, "2024-01-10", date("2024-01-15")},
		{"the next period", func(w *town) { w.row("1", every(deadline.Month, "25")) }, "2024-01-31", date("2024-02-01")},
		{"the next version", func(w *town) {
			w.row("1", every(deadline.Year, "end")).row("1", every(deadline.Year, "end"), from("2024-05-06"))
		}, "2024-01-31", date("2024-05-06")},
		{"the plan's next version", func(w *town) {
			w.row("1", every(deadline.Year, "end"))
			p := w.Plans[0]
			p.On, p.ValidTo = date("2024-05-06"), date("2026-12-31")
			w.Plans = append(w.Plans, p)
		}, "2024-01-31", date("2024-05-06")},
		{"a unit to come", func(w *town) { w.row("1", on("2024-06-30")).unit("d", "2024-05-06") }, "2024-01-31", date("2024-05-06")},
		{"a unit to come after the date", func(w *town) { w.row("1", on("2024-06-30")).unit("d", "2024-07-06") }, "2024-01-31", civil.Never},
		{"a trigger to come", func(w *town) {
			w.row("1", after("机构改革完成", 6, "month")).event("2024-05-06", "1", task.Triggered)
		}, "2024-01-31", date("2024-05-06")},
		{"the last period is open", func(w *town) { w.row("1", every(deadline.Month, "25"), until("2024-02-10")) }, "2024-02-01", civil.Never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newTown(t)
			tt.town(w)
			out := planner.Open(planner.Sources{
				Jurisdiction: w.Jurisdiction, Plans: w.Plans, Tasks: w.Tasks, Directory: w.Directory, TaskEvents: w.TaskEvents,
			}, w.Set, date(tt.on))
			if got := slices.Collect(maps.Values(out.NextOpen)); len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
