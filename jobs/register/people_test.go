package register

import (
	"fmt"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/task"
)

func TestTrainingsAreBroughtToTheList(t *testing.T) {
	day := civil.MustParse
	at := func(person, ref, on string, hours int) task.Training {
		return task.Training{Person: person, Ref: ref, On: day(on), Hours: hours, For: "在岗", Course: "课"}
	}
	entered := func(seq int64, k task.Training, removed bool) task.Training {
		k.Jurisdiction, k.Seq, k.Removed = "town", seq, removed
		return k
	}
	a, b, last := at("p1", "PX-1", "2024-03-01", 8), at("p1", "PX-2", "2024-06-05", 16), at("p1", "PX-0", "2023-06-05", 30)
	mended, moved := b, b
	mended.Hours, mended.Assessed, mended.Passed = 18, true, true
	moved.On = day("2024-06-07")
	known := []task.Training{entered(1, last, false), entered(2, a, false), entered(3, b, false)}
	for _, c := range []struct {
		name      string
		every     []task.Training
		list      []task.Training
		complete  bool
		write     string
		unchanged int
	}{
		{"the first list", nil, []task.Training{b, a}, false, "p1 PX-1 2024-03-01 8 false, p1 PX-2 2024-06-05 16 false", 0},
		{"the same list again", known, []task.Training{a, b}, false, "", 2},
		{"another name of the course alone", known, []task.Training{func() task.Training { k := a; k.Course = "课程"; return k }()}, false, "p1 PX-1 2024-03-01 8 false", 0},
		{"other hours, and an assessment", known, []task.Training{mended}, false, "p1 PX-2 2024-06-05 18 false", 0},
		{"another day", known, []task.Training{moved}, false, "p1 PX-2 2024-06-07 16 false", 0},
		{"the sheet of one course leaves the others", known, []task.Training{b}, false, "", 1},
		{"a complete list removes what it lacks of its years", known, []task.Training{b}, true, "p1 PX-1 2024-03-01 8 true", 1},
		{"and what was removed comes back", append(known, entered(4, a, true)), []task.Training{a, b}, true, "p1 PX-1 2024-03-01 8 false", 1},
		{"what is removed is removed once", append(known, entered(4, a, true)), []task.Training{b}, true, "", 1},
		{"the same course, another person", known, []task.Training{at("p2", "PX-1", "2024-03-01", 8)}, false, "p2 PX-1 2024-03-01 8 false", 0},
	} {
		out := Changes{}
		got := ""
		for i, k := range trainings(c.every, TrainingImport{Jurisdiction: "town", Trainings: c.list, Complete: c.complete}, &out) {
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprintf("%s %s %s %d %v", k.Person, k.Ref, k.On, k.Hours, k.Removed)
			if k.Seq != 0 || k.Jurisdiction != "town" {
				t.Errorf("%s: %+v", c.name, k)
			}
		}
		if got != c.write || out.Unchanged != c.unchanged {
			t.Errorf("%s: %q, %d unchanged", c.name, got, out.Unchanged)
		}
	}
}

// A removal counts from the day of the attendance, so that no day knows of it any more.
func TestARemovedAttendanceCountsOnNoDay(t *testing.T) {
	k := task.Training{Jurisdiction: "town", Person: "p1", Ref: "PX-1", On: civil.MustParse("2024-03-01"), Hours: 8, Seq: 1}
	other := task.Training{Person: "p1", Ref: "PX-2", On: civil.MustParse("2024-09-01"), Hours: 4}
	out := Changes{}
	all := []task.Training{k}
	for i, w := range trainings(all, TrainingImport{Jurisdiction: "town", Trainings: []task.Training{other}, Complete: true}, &out) {
		w.Seq = int64(2 + i)
		all = append(all, w)
	}
	for _, d := range []string{"2024-03-01", "2024-08-31"} {
		if now := task.TrainingsAsOf(all, civil.MustParse(d)); len(now) != 0 {
			t.Errorf("%s: %+v", d, now)
		}
	}
}

// The days before a first import know everybody; the hours of the day of the import itself are of its year.
func TestAFirstRosterIsSeenBeforeItsImport(t *testing.T) {
	on := civil.MustParse("2024-09-12")
	all := firstRoster([]task.Person{{Key: "p1", Name: "张三", Hours: 45, On: on}, {Key: "p2", Name: "李四", On: on}})
	for i := range all {
		all[i].Seq = int64(i + 1)
	}
	if len(all) != 4 || len(task.PeopleAsOf(all, on-1)) != 2 {
		t.Fatalf("%+v", all)
	}
	if before, now := task.PeopleAsOf(all, on-1)[0], task.PeopleAsOf(all, on)[0]; before.On != always || now.On != on || before.Hours != 45 || now.Hours != 45 {
		t.Errorf("%+v %+v", before, now)
	}
}
