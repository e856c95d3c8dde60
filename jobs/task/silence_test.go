package task_test

import (
	"fmt"
	"testing"

	"duban/jobs/task"
)

func TestSilenced(t *testing.T) {
	ref, err := task.ParseRef("laoshan/zfzl2024/17/qjtj/m1")
	if err != nil {
		t.Fatal(err)
	}
	over := func(seq int64, scope task.Scope, subject, on, until string) task.Silence {
		return task.Silence{Seq: seq, Scope: scope, Subject: subject, On: date(on), Until: date(until), Who: "李敏", Why: "防汛"}
	}
	lift := func(seq, of int64, on string) task.Silence { return task.Silence{Seq: seq, Lifts: of, On: date(on)} }
	unit := over(3, task.OverUnit, "qjtj", "2024-09-20", "2024-10-10")
	for _, c := range []struct {
		name string
		all  []task.Silence
		on   string
		want int64 // the seq of the silence, 0: none
	}{
		{"its first day", []task.Silence{unit}, "2024-09-20", 3},
		{"its last day", []task.Silence{unit}, "2024-10-10", 3},
		{"the day before", []task.Silence{unit}, "2024-09-19", 0},
		{"the day after", []task.Silence{unit}, "2024-10-11", 0},
		{"another unit", []task.Silence{over(3, task.OverUnit, "yjj", "2024-09-20", "2024-10-10")}, "2024-09-25", 0},
		{"the plan", []task.Silence{over(3, task.OverPlan, "zfzl2024", "2024-09-20", "2024-10-10")}, "2024-09-25", 3},
		{"a plan is no unit", []task.Silence{over(3, task.OverPlan, "qjtj", "2024-09-20", "2024-10-10")}, "2024-09-25", 0},
		{"the obligation", []task.Silence{over(3, task.OverObligation, ref.String(), "2024-09-20", "2024-10-10")}, "2024-09-25", 3},
		{"another instance", []task.Silence{over(3, task.OverObligation, "laoshan/zfzl2024/17/qjtj/m2", "2024-09-20", "2024-10-10")}, "2024-09-25", 0},
		{"of two the one that ends last", []task.Silence{unit, over(5, task.OverPlan, "zfzl2024", "2024-09-01", "2024-10-11")}, "2024-09-25", 5},
		{"lifted that day", []task.Silence{unit, lift(7, 3, "2024-09-25")}, "2024-09-25", 0},
		{"lifted the day after", []task.Silence{unit, lift(7, 3, "2024-09-26")}, "2024-09-25", 3},
		{"lifted on its first day", []task.Silence{unit, lift(7, 3, "2024-09-20")}, "2024-09-20", 0},
		{"another is lifted", []task.Silence{unit, lift(7, 4, "2024-09-25")}, "2024-09-25", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := task.Silenced(task.SilencesAsOf(c.all, date(c.on)), ref, date(c.on))
			if ok != (c.want != 0) || got.Seq != c.want {
				t.Errorf("silence %d (%t), want %d", got.Seq, ok, c.want)
			}
		})
	}
}

// TestALiftIsKnownFromItsDay: as of a day before it was lifted, a silence still has the end it was given.
func TestALiftIsKnownFromItsDay(t *testing.T) {
	all := []task.Silence{
		{Seq: 3, Scope: task.OverUnit, Subject: "qjtj", On: date("2024-09-20"), Until: date("2024-10-10")},
		{Seq: 7, Lifts: 3, On: date("2024-09-25")},
	}
	for on, want := range map[string]string{"2024-09-24": "2024-10-10", "2024-09-25": "2024-09-24", "2024-10-30": "2024-09-24"} {
		if got := task.SilencesAsOf(all, date(on)); len(got) != 1 || got[0].Until != date(want) {
			t.Errorf("as of %s: %v, want the end %s", on, got, want)
		}
	}
}

func TestTrainingsAsOf(t *testing.T) {
	course := func(seq int64, person, ref, on string, hours int) task.Training {
		return task.Training{Seq: seq, Person: person, Ref: ref, On: date(on), Hours: hours}
	}
	removed := course(9, "p2", "b", "2024-05-10", 0)
	removed.Removed = true
	all := []task.Training{
		course(1, "p2", "b", "2024-05-10", 8), course(2, "p1", "b", "2024-05-10", 8), course(3, "p1", "a", "2024-03-01", 4),
		course(4, "p1", "b", "2024-05-11", 12), course(5, "p1", "c", "2024-06-02", 6), removed,
	}
	for on, want := range map[string]string{
		"2024-02-29": "", "2024-03-01": "p1 a 4;", "2024-05-10": "p1 a 4;p1 b 8;", "2024-05-11": "p1 a 4;p1 b 12;", "2024-12-31": "p1 a 4;p1 b 12;p1 c 6;",
	} {
		got := ""
		for _, x := range task.TrainingsAsOf(all, date(on)) {
			got += fmt.Sprintf("%s %s %d;", x.Person, x.Ref, x.Hours)
		}
		if got != want {
			t.Errorf("as of %s: %q, want %q", on, got, want)
		}
	}
}
