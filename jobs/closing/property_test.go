package closing_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/deadline"
	"duban/jobs/task"
	"duban/notify/notice"
)

// The stretch random counties live through: it holds 国庆, the year's turn and the Spring Festival with its make-up Sunday.
const (
	begin = "2024-06-03"
	end   = "2025-02-28"
)

var happenings = []task.EventKind{
	task.Reported, task.Reported, task.Reported, task.Reported, task.Accepted, task.Returned, task.ExtensionAsked, task.ExtensionGranted,
	task.ExtensionRefused, task.Waived, task.Withdrawn, task.Transferred, task.Reopened, task.Revised, task.Corrected, task.Contacted,
	task.HeldBack, task.Redated,
}

func drawWorld(t *rapid.T) *world {
	w := newWorld(t, "a", "b", "c").issued(begin)
	w.jur.LiveFrom = date(begin) + civil.Date(rapid.IntRange(-20, 60).Draw(t, "live from"))
	w.set.Grace = rapid.IntRange(0, 5).Draw(t, "grace")
	w.set.Ranking = rapid.Bool().Draw(t, "ranking")
	for i := range rapid.IntRange(1, 3).Draw(t, "rows") {
		r := rapid.SampledFrom([]deadline.Reading{
			every(deadline.Month, "25"), every(deadline.Month, "15", "end"), every(deadline.Week, "Friday"), every(deadline.Quarter, "end"),
			every(deadline.Half, "end"), every(deadline.Year, "12-31"), on("2024-09-30"), on("2024-08-30", "2024-12-31"),
		}).Draw(t, "reading")
		w.row(fmt.Sprint(i+1), r, fields("甲", "乙"))
	}
	w.open(end)
	w.whole = true
	for range rapid.IntRange(0, 60).Draw(t, "events") {
		if len(w.opened) > 0 {
			w.happen(t)
		}
	}
	slices.SortStableFunc(w.events, func(a, b task.Event) int { return int(a.On - b.On) })
	return w
}

func (w *world) happen(t *rapid.T) {
	o := rapid.SampledFrom(w.opened).Draw(t, "item")
	day := o.Opened + civil.Date(rapid.IntRange(0, int(max(1, o.Effective+40-o.Opened))).Draw(t, "day"))
	kind := rapid.SampledFrom(happenings).Draw(t, "kind")
	item := o.Row + "/" + o.Unit + "/" + o.Instance
	w.event(day.String(), item, kind, func(e *task.Event) {
		e.Date = day + civil.Date(rapid.IntRange(1, 60).Draw(t, "until"))
		switch kind {
		case task.Reported, task.Revised, task.Accepted:
			if e.Nil = rapid.IntRange(0, 4).Draw(t, "nil") == 0; !e.Nil {
				with("甲", rapid.IntRange(0, 9).Draw(t, "甲"), "乙", rapid.IntRange(0, 9).Draw(t, "乙"))(e)
			}
		case task.Corrected:
			for _, old := range w.events {
				if old.Subject == e.Subject && old.On <= e.On {
					e.Voids = old.Seq
				}
			}
		}
	})
	if kind == task.Contacted || rapid.IntRange(0, 2).Draw(t, "letter") == 0 {
		w.said(day.String(), item, "T+2")
	}
}

// live runs both closes from begin to end, day by day; gradually hides what counts from later days.
func (w *world) live(gradually bool) *world {
	w.t.Helper()
	for d := date(begin); d <= date(end); d++ {
		if gradually {
			w.today = d
		}
		w.month(d)
		w.quarter(d)
	}
	return w
}

func (w *world) again() *world {
	v := *w
	v.closed, v.diary, v.formal, v.today = nil, nil, nil, 0
	v.steps = slices.DeleteFunc(slices.Clone(w.steps), func(f task.FiredStep) bool { return f.Role == closing.GovernmentRole })
	return &v
}

func TestPropertyCountsAddUpAndAreFrozen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		late := w.again().live(false)
		w.live(true)
		if !reflect.DeepEqual(w.closed, late.closed) {
			t.Fatalf("day by day it closes\n%v\n%v\nand made up later\n%v\n%v", w.closings(), w.rates(), late.closings(), late.rates())
		}
		if !reflect.DeepEqual(w.diary, late.diary) || !reflect.DeepEqual(w.formal, late.formal) {
			t.Fatalf("the letters differ")
		}
		w.addsUp(t)
		w.numbered(t)
		before := slices.Clone(w.closed)
		letters := len(w.diary)
		w.live(true)
		if !reflect.DeepEqual(before, w.closed) || len(w.diary) != letters {
			t.Fatalf("run again it closes %v", w.closings()[len(before):])
		}
	})
}

// addsUp recomputes every sum of what was closed.
func (w *world) addsUp(t *rapid.T) {
	for _, c := range w.closed {
		if c.Row == "" {
			r, err := closing.DecodeRates(c.Frozen)
			if err != nil {
				t.Fatal(err)
			}
			sum := closing.UnitRates{Left: map[closing.Standing]int{}}
			for _, u := range slices.Concat(r.Units, []closing.UnitRates{r.Total}) {
				left := 0
				for _, n := range u.Left {
					left += n
				}
				if u.Counted != u.OnTime+u.Late+u.Open || u.Items != u.Counted+left {
					t.Fatalf("%s %s does not add up: %+v", c.Period, u.Unit, u)
				}
			}
			for _, u := range r.Units {
				sum.Items, sum.Counted, sum.OnTime, sum.Late, sum.Open = sum.Items+u.Items, sum.Counted+u.Counted, sum.OnTime+u.OnTime, sum.Late+u.Late, sum.Open+u.Open
				for s, n := range u.Left {
					sum.Left[s] += n
				}
			}
			if len(sum.Left) == 0 {
				sum.Left = nil
			}
			if !reflect.DeepEqual(sum, r.Total) || r.TasksDone > r.Tasks || r.Tasks > r.Total.Items {
				t.Fatalf("%s: the units come to %+v, the total is %+v", c.Period, sum, r.Total)
			}
			continue
		}
		f, err := closing.Decode(c.Frozen)
		if err != nil {
			t.Fatal(err)
		}
		states := map[closing.State]int{}
		sums := map[string]int64{"甲": 0, "乙": 0}
		for _, r := range f.Returns {
			states[r.State]++
			for name, n := range r.Figures {
				sums[name] += n
			}
			if r.Unit == "sfj" && c.Kind == task.MonthClose {
				t.Fatalf("%s %s: the bureau's own return is in it", c.Row, c.Period)
			}
		}
		k := f.Counts
		if k.Due != len(f.Returns) || k.Due != k.OnTime+k.Late+k.Missing+k.Extended+k.Asking+k.Returned+k.NotDue+k.Waived+k.Withdrawn+k.Moved {
			t.Fatalf("%s %s: the counts %+v of %d returns", c.Row, c.Period, k, len(f.Returns))
		}
		for s, n := range states {
			if k.Of(s) != n {
				t.Fatalf("%s %s: %d are %s, the count is %d", c.Row, c.Period, n, s, k.Of(s))
			}
		}
		if !reflect.DeepEqual(sums, f.Sums) {
			t.Fatalf("%s %s: the sums are %v, want %v", c.Row, c.Period, f.Sums, sums)
		}
	}
}

// numbered checks that issues and versions have no gaps and that every closing stands in a letter of its own day.
func (w *world) numbered(t *rapid.T) {
	letters := map[string]notice.Notice{}
	for _, n := range w.diary {
		if _, twice := letters[n.ID]; twice || n.ID != n.Key.ID() {
			t.Fatalf("letter %s of %+v is there twice", n.ID, n.Key)
		}
		letters[n.ID] = n
		wellWritten(t, n)
	}
	issues, versions := map[string]int{}, map[string]int{}
	for _, c := range w.closed {
		duty := fmt.Sprint(c.Kind, c.Plan, c.Row)
		if c.Version == 0 {
			issues[duty+c.Period[:4]]++
			if c.Issue != issues[duty+c.Period[:4]] {
				t.Fatalf("%+v has issue %d, want %d", c, c.Issue, issues[duty+c.Period[:4]])
			}
		}
		if c.Version != versions[duty+c.Period] {
			t.Fatalf("%s %s has version %d, want %d", duty, c.Period, c.Version, versions[duty+c.Period])
		}
		versions[duty+c.Period]++
		if n, ok := letters[c.Notice]; !ok || n.Key.Date != c.On || !national.IsWorkday(c.On) {
			t.Fatalf("%s %s of %s stands in no letter of its day", duty, c.Period, c.On)
		}
	}
}

// wellWritten checks what binds every paper: the words, the dates without leading zeros, a subject that begins with who
// writes, and tables whose rows are as long as their heads.
func wellWritten(t *rapid.T, n notice.Notice) {
	p := n.Facts.Paper
	all := text(p)
	for _, bad := range []string{"！", "您", "亲爱", "意见书", "决定书", "年0", "月0", "%!", "，。", "、。", "：。", "（）"} {
		if strings.Contains(all, bad) {
			t.Fatalf("%q stands in\n%s", bad, all)
		}
	}
	if !strings.HasPrefix(p.Subject, "【县司法局】") || p.Date != n.Key.Date || p.Title == "" || p.Issuer == "" || p.Addressee == "" {
		t.Fatalf("the head of the paper is\n%s", all)
	}
	tables := []notice.Table{}
	for _, s := range p.Sections {
		if s.Heading == "" {
			t.Fatalf("a section has no heading in\n%s", all)
		}
		if s.Table != nil {
			tables = append(tables, *s.Table)
		}
	}
	for _, s := range p.Sheets {
		tables = append(tables, s.Table)
	}
	for _, table := range tables {
		for _, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Fatalf("a row has %d cells of %d in\n%s", len(row), len(table.Columns), all)
			}
		}
	}
}
