package task_test

import (
	"maps"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// TestTheBureausHand: what the bureau does beside accepting and returning.
func TestTheBureausHand(t *testing.T) {
	held := func(until string) func(task.Status) bool {
		return func(s task.Status) bool { return s.HeldUntil == date(until) && s.HeldWhy != "" }
	}
	free := func(s task.Status) bool { return s.HeldUntil == 0 && s.HeldWhy == "" }
	checked := func(on civil.Date) func(task.Status) bool {
		return func(s task.Status) bool { return s.Checked == on }
	}
	asked := func(on, for_ civil.Date) func(task.Status) bool {
		return func(s task.Status) bool { return s.Asked == on && s.AskedFor == for_ }
	}
	for _, c := range []struct {
		name  string
		lines []string
		asOf  string
		ok    func(task.Status) bool
	}{
		{"held back from its day", []string{"2024-07-02 held 2024-07-09"}, "2024-07-02", held("2024-07-09")},
		{"held back on the last day", []string{"2024-07-02 held 2024-07-09"}, "2024-07-09", held("2024-07-09")},
		{"the hold has run out", []string{"2024-07-02 held 2024-07-09"}, "2024-07-10", free},
		{"not yet held", []string{"2024-07-02 held 2024-07-09"}, "2024-07-01", free},
		{"let go", []string{"2024-07-02 held 2024-07-09", "2024-07-04 let-go"}, "2024-07-04", free},
		{"held anew, for shorter", []string{"2024-07-02 held 2024-07-20", "2024-07-03 held 2024-07-05"}, "2024-07-06", free},
		{"a hold entered wrongly", []string{"2024-07-02 held 2024-07-09", "2024-07-03 corrected !1"}, "2024-07-04", free},
		{"checked", []string{"2024-07-01 checked"}, "2024-07-05", checked(date("2024-07-01"))},
		{"checked twice: the last", []string{"2024-07-01 checked", "2024-07-03 checked"}, "2024-07-05", checked(date("2024-07-03"))},
		{"asked for a date", []string{"2024-06-20 extension-asked 2024-07-31"}, "2024-06-25", asked(date("2024-06-20"), date("2024-07-31"))},
		{"the answer ends it", []string{"2024-06-20 extension-asked 2024-07-31", "2024-06-24 extension-refused"}, "2024-06-25", asked(0, 0)},
		{"the grant ends it", []string{"2024-06-20 extension-asked 2024-07-31", "2024-06-24 extension-granted 2024-07-15"}, "2024-06-25", asked(0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := item()
			if st := task.Fold(o, story(t, c.lines...), date(c.asOf), national, terms); !c.ok(st) || st.State != task.Waiting {
				t.Errorf("as of %s: %+v", c.asOf, st)
			}
		})
	}
}

// TestFiguresFollowTheReportThatStands.
func TestFiguresFollowTheReportThatStands(t *testing.T) {
	o := item()
	events := story(t, "2024-06-20 reported", "2024-06-24 revised", "2024-06-26 accepted", "2024-07-02 revised")
	for i, n := range map[int]int64{0: 12, 1: 13, 3: 15} {
		events[i].Figures = map[string]int64{"发现问题数": n}
	}
	for asOf, want := range map[string]map[string]int64{
		"2024-06-19": nil, "2024-06-20": {"发现问题数": 12}, "2024-06-24": {"发现问题数": 13}, "2024-06-27": {"发现问题数": 13},
		"2024-07-02": {"发现问题数": 15},
	} {
		if got := task.Fold(o, events, date(asOf), national, terms).Figures; !maps.Equal(got, want) {
			t.Errorf("as of %s: %v, want %v", asOf, got, want)
		}
	}
	returned := story(t, "2024-06-20 reported", "2024-06-24 returned 2024-07-10")
	returned[0].Nil = true
	if st := task.Fold(o, returned, date("2024-06-21"), national, terms); !st.Nil {
		t.Error("a nil return is none")
	}
	if st := task.Fold(o, returned, date("2024-06-24"), national, terms); st.Nil || st.Figures != nil {
		t.Errorf("a returned report keeps its figures: %+v", st)
	}
}

func TestFinalFrom(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"it waits", nil, "Never"},
		{"accepted", []string{"2024-06-20 reported", "2024-06-24 accepted"}, "2024-06-24"},
		// The report of Thursday 20 June waits until the fifth workday after it, the 27th.
		{"left unanswered", []string{"2024-06-20 reported"}, "2024-06-28"},
		{"waived", []string{"2024-06-20 waived"}, "2024-06-20"},
		{"revised after it was accepted", []string{"2024-06-20 reported", "2024-06-24 accepted", "2024-07-30 revised"}, "2024-07-30"},
		{"reopened", []string{"2024-06-20 reported", "2024-06-24 accepted", "2024-07-30 reopened 2024-08-30"}, "Never"},
		{"accepted wrongly", []string{"2024-06-24 accepted", "2024-06-26 corrected !1"}, "Never"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := civil.Never
			if c.want != "Never" {
				want = date(c.want)
			}
			if got := task.FinalFrom(item(), story(t, c.lines...), national, terms); got != want {
				t.Errorf("final from %s, want %s", got, want)
			}
		})
	}
}

func TestCheckOfTheBureausHand(t *testing.T) {
	for _, c := range []struct {
		name, refused string
		o             task.Obligation
		lines         []string
		e             task.Event
	}{
		{"hold what waits", "", item(), nil, task.Event{Kind: task.HeldBack, Date: date("2024-07-09")}},
		{"hold what is done", "nothing is said", item(), []string{"2024-06-20 accepted"}, task.Event{Kind: task.HeldBack, Date: date("2024-07-09")}},
		{"hold until yesterday", "is before", item(), nil, task.Event{Kind: task.HeldBack, Date: date("2024-07-01")}},
		{"let go what is not held", "not held", item(), nil, task.Event{Kind: task.LetGo}},
		{"let go what is held", "", item(), []string{"2024-07-01 held 2024-07-09"}, task.Event{Kind: task.LetGo}},
		{"check what waits", "", item(), nil, task.Event{Kind: task.Checked}},
		{"check what is inherited", "reopen it", item(inherited), nil, task.Event{Kind: task.Checked}},
		{"check what was reported", "nothing to urge", item(), []string{"2024-06-28 reported"}, task.Event{Kind: task.Checked}},
		{"figures without a report", "no report", item(), nil, task.Event{Kind: task.Revised}},
		{"figures of a report", "", item(), []string{"2024-06-28 reported"}, task.Event{Kind: task.Revised}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.e.On = date("2024-07-02")
			st := task.Fold(c.o, story(t, c.lines...), c.e.On, national, terms)
			refusal(t, task.Check(c.o, st, c.e), c.refused)
		})
	}
}

// refusal wants an error that holds the words, or none where there are none.
func refusal(t *testing.T, err error, words string) {
	t.Helper()
	if (words == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want %q", err, words)
	}
}
