package ladder_test

import (
	"reflect"
	"strings"
	"testing"

	"duban/jobs/ladder"
	"duban/jobs/task"
)

func TestNamed(t *testing.T) {
	tests := []struct {
		rule ladder.Rule
		want ladder.Rule
	}{
		{ladder.Rule{Step: "T"}, ladder.Rule{Step: "T"}},
		{ladder.Rule{Step: "T-3"}, ladder.Rule{Step: "T-3", Offset: -3}},
		{ladder.Rule{Step: "T+10", Offset: 10}, ladder.Rule{Step: "T+10", Offset: 10}},
		{ladder.Rule{Step: "A30"}, ladder.Rule{Step: "A30", Ahead: 30}},
		{ladder.Rule{Step: "BREAK"}, ladder.Rule{Step: "BREAK", Break: 3}},
		{ladder.Rule{Step: "BREAK", Break: 5}, ladder.Rule{Step: "BREAK", Break: 5}},
	}
	for _, tt := range tests {
		if got, err := ladder.Named(tt.rule); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Named(%+v) = %+v, %v, want %+v", tt.rule, got, err, tt.want)
		}
	}
	for _, step := range []string{"", "t-3", "T-", "T+0", "T+05", "T+-3", "T3", "A", "A0", "A367", "T+251", "T−3", "T-3 ", "break", "P-2024Q1", "X"} {
		if got, err := ladder.Named(ladder.Rule{Step: step}); err == nil {
			t.Errorf("Named(%q) = %+v, want an error", step, got)
		}
	}
	for _, r := range []ladder.Rule{{Step: "T-3", Offset: 3}, {Step: "T", Offset: 1}, {Step: "A30", Ahead: 31}, {Step: "T-3", Ahead: 3}, {Step: "T+2", Break: 3}} {
		if got, err := ladder.Named(r); err == nil {
			t.Errorf("Named(%+v) = %+v, want an error: the name says another day", r, got)
		}
	}
}

func TestDefaultLadderHolds(t *testing.T) {
	l := ladder.Default()
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	for kind, rules := range l {
		if !reflect.DeepEqual(ladder.Arrange(rules), rules) {
			t.Errorf("%s: arranging the steps changes them", kind)
		}
	}
	for _, kind := range ladder.Kinds() {
		if len(l[kind]) == 0 {
			t.Errorf("%s has no ladder", kind)
		}
	}
}

func TestCheckNamesEveryBadRule(t *testing.T) {
	bad := ladder.Ladder{
		"biennial": {{Step: "T-3", Rung: ladder.Reminder, Offset: -3}},
		task.Milestone: {
			{Step: "T-3", Rung: ladder.Urging, Offset: -3},
			{Step: "T", Rung: ladder.Form},
			{Step: "T+1", Rung: ladder.Reminder, Offset: 1},
			{Step: "T+2", Rung: "shouting", Offset: 2},
			{Step: "T+2", Rung: ladder.Urging, Offset: 2, Copy: []task.Role{"mayor"}},
			{Step: "T+5", Rung: ladder.Urging, Offset: 4},
			{Step: "later", Rung: ladder.Urging, Offset: 6},
			{Step: "T+7", Rung: ladder.Urging, Offset: 7, Monday: true, To: "nobody"},
			{Step: "T+6", Rung: ladder.Form, Offset: 6, OnlyLate: true},
		},
		task.Clock: {{Step: "T+10", Rung: ladder.Form, Offset: 10}},
		task.Quota: {{Step: "T+3", Rung: ladder.Bulletin, Offset: 3}, {Step: "T+9", Rung: ladder.Pace, Offset: 9}},
		task.Monthly: {
			{Step: "BREAK", Rung: ladder.Reminder, Break: 3, Monday: true},
			{Step: "T-1", Rung: ladder.Reminder, Offset: -1, OnlyMisses: true},
		},
	}
	err := bad.Check()
	if err == nil {
		t.Fatal("no problem found")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		`kind "biennial" is unknown`,
		"milestone: step T-3: the rung urging is before the date",
		"milestone: step T: the rung form is before the date or on it",
		"milestone: step T+1 reminds after the date",
		`milestone: step T+2: rung "shouting" is unknown`,
		"milestone: step T+2 is there twice",
		`milestone: step T+2: role "mayor" is unknown`,
		"milestone: step T+5 has offset 4, which its name denies",
		`milestone: step "later" names no day`,
		"milestone: step T+7: monday, opened_ahead, only_late and support are for reminders",
		`milestone: step T+7: role "nobody" is unknown`,
		"milestone: step T+6 stands after T+7",
		"milestone: step T+6: monday, opened_ahead, only_late and support are for reminders",
		"clock: step T+10: there is no supervision form",
		"quota: step T+3: the rung bulletin is worked out",
		"quota: step T+9: the rung pace is worked out",
		"monthly: step BREAK: the eve of a break waits for no Monday",
		"monthly: step T-1: only_misses is for forms",
		"monthly: step T-1 stands after BREAK",
	} {
		n := 0
		for _, line := range lines {
			if strings.Contains(line, want) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%q is said %d times in\n%s", want, n, err)
		}
	}
	if len(lines) != 19 {
		t.Errorf("%d problems, want 19:\n%s", len(lines), err)
	}
}

func TestArrange(t *testing.T) {
	names := []string{"T+5", "T", "BREAK", "T-1", "T-30", "A30", "T-10", "T-3", "A60"}
	var rules []ladder.Rule
	for _, n := range names {
		r, err := ladder.Named(ladder.Rule{Step: n, Rung: ladder.Reminder})
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	var got []string
	for _, r := range ladder.Arrange(rules) {
		got = append(got, r.Step)
	}
	if want := "A60 T-30 A30 T-10 T-3 T-1 BREAK T T+5"; strings.Join(got, " ") != want {
		t.Errorf("arranged %v, want %s", got, want)
	}
}
