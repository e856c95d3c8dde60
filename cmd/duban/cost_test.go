package main

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// The stock whose days are timed: on each of costDays the same number of items is due, in units of that day alone, so
// that no day carries the letters of another. 2024-09-23 is a Monday, with the lists of the week.
var costDays = []civil.Date{
	civil.MustParse("2024-09-18"), civil.MustParse("2024-09-19"), civil.MustParse("2024-09-20"),
	civil.MustParse("2024-09-23"), civil.MustParse("2024-09-24"), civil.MustParse("2024-09-25"),
}

const (
	costCode    = "cost"
	unitsPerDay = 50
	rowsPerDay  = 10 // 500 items due a day; 3,000 in the small stock
	// tenfold is how many rows of a day's units are added to make ten times as many: half of their items lie in the
	// future, a quarter are overdue but answered, a quarter are done.
	tenfold = 9 * rowsPerDay
)

// stock is a jurisdiction in the making.
type stock struct {
	tb  testing.TB
	set planner.Settings
	// history says that what is added and closed belongs to the very rows that come due, month by month, and that its
	// units were reminded and urged of it.
	history bool
	// otherUnits says that what is added belongs to units of its own, nine times as many as before.
	otherUnits bool
	// settled says that all that is added of history was done long ago.
	settled bool

	tasks   []task.Task
	units   []task.Unit
	groups  []task.Group
	records []task.Record
	steps   []task.FiredStep
}

// costDay makes the units and rows of the i-th day and what is due on it: 3 milestones and 2 monthly reports to be
// reminded of, 2 monthly reports and 2 milestones to be urged, 1 milestone that supporting units are told of.
func (s *stock) costDay(i int, d civil.Date) {
	cal := s.set.Calendar
	group := s.group(fmt.Sprint(i))
	soon, late := cal.Add(d, 3), cal.T(d, -2)
	for r := range rowsPerDay {
		row := fmt.Sprintf("%d-%02d", i, r)
		switch {
		case r < 3:
			s.row(row, group, dated(soon), "m1", task.Milestone, soon, nil)
		case r < 5:
			s.row(row, group, fmt.Sprintf("每月%d日前", soon.Day()), soon.String()[:7], task.Monthly, soon, nil)
		case r < 7:
			s.row(row, group, fmt.Sprintf("每月%d日前", late.Day()), late.String()[:7], task.Monthly, late, nil)
		case r < 9:
			s.row(row, group, dated(late), "m1", task.Milestone, late, nil)
		default:
			s.row(row, group, dated(soon), "m1", task.Milestone, soon, nil, led)
		}
	}
	s.row(fmt.Sprintf("%d-standing", i), group, "长期坚持", "", "", 0, nil)
	s.row(fmt.Sprintf("%d-awaiting", i), group, "根据上级部署", "", "", 0, nil)
}

// group adds a group of units.
func (s *stock) group(name string) string {
	group := "g" + name
	s.groups = append(s.groups, task.Group{Code: group, Name: "第" + group + "组", On: costIssued})
	for u := range unitsPerDay {
		code := fmt.Sprintf("u%s%02d", name, u)
		s.units = append(s.units, task.Unit{
			Code: code, Name: "单位" + code, FullName: "某区单位" + code, Honorific: "贵单位", Chase: task.ChaseLetter, Groups: []string{group},
			Contacts: []task.Contact{
				{Role: task.Liaison, Name: "联络员", Email: code + "@unit.example", Phone: "0532-00000000"},
				{Role: task.Deputy, Name: "分管负责人", Email: code + ".deputy@unit.example"},
			},
			On: costIssued,
		})
	}
	return group
}

// led makes the first unit of the group the one that delivers; the others support it.
func led(t *task.Task) {
	group := t.Parties[0].Code
	t.Parties = []task.Party{
		{Code: "u" + group[1:] + "00", Role: task.Lead, Owes: task.OwesDeliver},
		{Code: group, Group: true, Role: task.Support, Owes: task.OwesSupport},
	}
}

// added makes the rows of the i-th day's units that have nothing to say on it.
func (s *stock) added(i int) {
	group := fmt.Sprintf("g%d", i)
	first := costDays[0]
	for r := range tenfold {
		row := fmt.Sprintf("%d+%03d", i, r)
		if s.otherUnits && r%rowsPerDay == 0 {
			group = s.group(row)
		}
		past := first - civil.Date(30+r%60)
		switch {
		case r%2 == 0 && !s.settled:
			due := first + civil.Date(90+r)
			s.row(row, group, dated(due), "m1", task.Milestone, due, nil)
		case s.history: // an earlier month of a row that comes due
			of := (rowsPerDay+2)*i + 3 + r%4
			month := civil.Of(2024, 9-time.Month(1+r/12), 20)
			events := closingEvent(r, month, first)
			if s.settled {
				events = closingEvent(0, month, first)
			}
			s.items(s.tasks[of], group, fmt.Sprintf("%s/%02d", month.String()[:7], r), task.Monthly, month, events)
		default:
			s.row(row, group, dated(past), "m1", task.Milestone, past, closingEvent(r, past, first))
		}
	}
}

// closingEvent is what happened to an item that was due: answered late, or done in time.
func closingEvent(r int, due, first civil.Date) []task.Event {
	if r%4 == 1 {
		return []task.Event{{On: first - 3, Kind: task.Reported, Who: "bench"}}
	}
	return []task.Event{{On: due - 5, Kind: task.Reported, Who: "bench"}, {On: due - 3, Kind: task.Accepted, Who: "bench"}}
}

var costIssued = civil.MustParse("2024-01-05")

func dated(d civil.Date) string {
	y, m, day := d.YMD()
	return fmt.Sprintf("%d年%d月%d日前完成，长期坚持", y, m, day)
}

// row adds one row and, where it is dated, an item of it for every unit of the group.
func (s *stock) row(row, group string, cell, instance string, kind task.Kind, due civil.Date, events []task.Event, change ...func(*task.Task)) {
	r := deadline.Parse(cell, costIssued)
	if !r.Understood || r.Ambiguous {
		s.tb.Fatalf("%q: %s", cell, r.Reason)
	}
	t := task.Task{
		TaskID: task.TaskID{Jurisdiction: costCode, Plan: "zf", Row: row}, Order: len(s.tasks) + 1, Title: "规范行政执法事项" + row,
		DeadlineText: cell, Reading: r, Parser: deadline.Version, Deliverable: "工作报告", Evidence: "佐证材料一份",
		Parties: []task.Party{{Code: group, Group: true, Role: task.Responsible, Owes: task.OwesDeliver}}, On: costIssued,
	}
	for _, f := range change {
		f(&t)
	}
	s.tasks = append(s.tasks, t)
	if kind != "" {
		s.items(t, group, instance, kind, due, events)
	}
}

func (s *stock) items(t task.Task, group, instance string, kind task.Kind, due civil.Date, events []task.Event) {
	dir := task.Directory{Units: s.units, Groups: s.groups}
	day := costDays[0]
	for i, d := range costDays {
		if group == fmt.Sprintf("g%d", i) {
			day = d
		}
	}
	for _, p := range dir.Expand(t.Parties) {
		o := task.Obligation{
			Ref:  task.Ref{TaskID: t.TaskID, Unit: p.Code, Instance: instance},
			Kind: kind, Role: p.Role, Owes: p.Owes, Opened: costIssued, Nominal: due, Effective: due, Assess: due,
		}
		if kind == task.Monthly {
			o.Opened, o.Period = due-civil.Date(due.Day())+1, due.String()[:7]
		}
		rec := task.Record{Obligation: o, Events: []task.Event{{On: o.Opened, Kind: task.Opened, Who: "bench"}}}
		for _, e := range events {
			e.On = max(e.On, o.Opened)
			rec.Events = append(rec.Events, e)
		}
		for i := range rec.Events {
			rec.Events[i].Jurisdiction, rec.Events[i].Subject = costCode, o.Ref.String()
		}
		unit, _ := dir.Unit(p.Code)
		rec.Steps = s.said(rec, t, unit, day)
		s.records = append(s.records, rec)
	}
}

// said is every step of the item before the day, as if each had been in a letter when its time came.
func (s *stock) said(rec task.Record, t task.Task, u task.Unit, day civil.Date) []task.FiredStep {
	var out []task.FiredStep
	bare := rec
	bare.Events = nil
	for {
		c := planner.CacheOf(bare, t, u, s.set, 0)
		if c.NextLook >= day {
			return out
		}
		st := task.Fold(rec.Obligation, rec.Events, c.NextLook, s.set.Calendar, s.set.Terms)
		for _, step := range s.set.Ladder.Steps(ladder.Subject{Obligation: rec.Obligation, Status: st, Deliverable: true, Chase: u.Chase}, s.set.Calendar) {
			if step.On != c.NextLook {
				continue
			}
			f := task.FiredStep{
				Obligation: rec.Obligation.Ref.String(), Step: step.Step, N: 1, Role: task.Liaison, On: min(step.On, costDays[0]-1),
				Notice: "earlier-" + u.Code,
			}
			bare.Steps = append(bare.Steps, f)
			if st.Chased() {
				out = append(out, f)
			}
		}
	}
}

// write puts the stock into a database as the product would: versions, items, events, fired steps, and cached columns
// by the planner's own rule.
func (s *stock) write(st *store.Store, caches string) {
	ctx, tb := s.tb.Context(), s.tb
	before := costDays[0] - 1
	b := task.Batch{
		At: time.Unix(0, 0),
		Jurisdiction: &task.Jurisdiction{
			Code: costCode, Name: "某区", Bureau: "sfj", LiveFrom: costIssued, Caches: caches,
		},
		Plans:  []task.Plan{{Code: "zf", Title: "行政执法质量提升方案", DocNumber: "某政办字〔2024〕1号", Issued: costIssued, On: costIssued}},
		Groups: s.groups, Tasks: s.tasks, NextOpen: map[task.TaskID]civil.Date{},
		Units: append([]task.Unit{{
			Code: "sfj", Name: "区司法局", FullName: "某区司法局", Chase: task.ChaseNone, On: costIssued,
			Contacts: []task.Contact{{Role: task.Liaison, Name: "联系人", Email: "sfj@unit.example", Phone: "0532-00000001"}},
		}}, s.units...),
	}
	for _, t := range s.tasks {
		if b.NextOpen[t.TaskID] = civil.Never; len(t.Reading.Recurrences) > 0 {
			b.NextOpen[t.TaskID] = civil.Of(2024, time.October, 1)
		}
	}
	seq, err := st.Write(ctx, costCode, 0, b)
	if err != nil {
		tb.Fatal(err)
	}
	units := map[string]task.Unit{}
	for _, u := range s.units {
		units[u.Code] = u
	}
	tasks := map[task.TaskID]task.Task{}
	for _, t := range s.tasks {
		tasks[t.TaskID] = t
	}
	var all []task.Cache
	for piece := range slices.Chunk(s.records, 3000) {
		b := task.Batch{At: time.Unix(0, 0)}
		for _, r := range piece {
			b.Obligations = append(b.Obligations, r.Obligation)
			b.Events = append(b.Events, r.Events...)
			s.steps = append(s.steps, r.Steps...)
			all = append(all, planner.CacheOf(r, tasks[r.Obligation.TaskID], units[r.Obligation.Unit], s.set, before))
		}
		if seq, err = st.Write(ctx, costCode, seq, b); err != nil {
			tb.Fatal(err)
		}
	}
	r, _, err := st.ClaimSlot(ctx, run.Slot{Job: "remind", Jurisdiction: costCode, Date: before}, "bench", time.Minute, false)
	if err != nil {
		tb.Fatal(err)
	}
	r.State, r.Counts.Seq = run.Done, seq
	if err := st.SavePlan(ctx, costCode, seq, run.DayPlan{Steps: s.steps, Caches: all, Run: r}); err != nil {
		tb.Fatal(err)
	}
}

// costShape is a way in which a stock grows tenfold.
type costShape struct {
	name                    string
	history, units, settled bool
}

var costShapes = []costShape{{name: "other rows"}, {name: "rows of other units", units: true}, {name: "history of the same rows", history: true}}

// digestShapes are those of which the digest is timed: it looks at what is open, by its meaning, and counts the rest.
var digestShapes = []costShape{{name: "other rows"}, {name: "settled history of the same rows", history: true, settled: true}}

// costApp fills a database and returns the program on it.
func costApp(tb testing.TB, s *store.Store, shape costShape, large bool) *demo {
	tb.Helper()
	a, _, _ := testApp(tb)
	dir := tb.TempDir()
	if err := a.configureDemo(dir); err != nil {
		tb.Fatal(err)
	}
	set, err := a.policies.settings(costCode)
	if err != nil {
		tb.Fatal(err)
	}
	hash, err := a.policies.hash(costCode)
	if err != nil {
		tb.Fatal(err)
	}
	made := stock{tb: tb, set: set, history: shape.history, otherUnits: shape.units, settled: shape.settled}
	for i, d := range costDays {
		made.costDay(i, d)
	}
	if large {
		for i := range costDays {
			made.added(i)
		}
	}
	want := len(costDays) * unitsPerDay * rowsPerDay
	if large {
		want *= 10
	}
	if len(made.records) != want {
		tb.Fatalf("the stock holds %d items, not %d", len(made.records), want)
	}
	made.write(s, hash)
	return newDemo(a, s, dir, costDays[0], costDays[len(costDays)-1])
}

// costed is a stock whose days are timed.
type costed struct {
	*demo
	engine storetest.Engine
}

// took runs what `run JOB` runs on a day up to the letters' leaving, and returns what it took of the processor. What leaves is the
// same number of letters either way, at the price of a disk or a mail server.
func (d costed) took(tb testing.TB, job string, day civil.Date) (time.Duration, run.Run) {
	tb.Helper()
	runtime.GC() // what was left by the day before, or by the other stock, is not this day's to tidy up
	began := d.spent(tb)
	if err := d.prepare(tb.Context(), d.store, costCode); err != nil {
		tb.Fatal(err)
	}
	results, err := d.runner(d.store, "bench").Run(tb.Context(), job, costCode, day, false)
	took := d.spent(tb) - began
	if err != nil {
		tb.Fatal(err)
	}
	return took, results[len(results)-1].Run
}

// spent is the processor time, user's and system's, of this process, in which SQLite runs, and of the server's where there is one.
// A clock on the wall would count whatever else runs on the machine. What is left out is waiting for the disk, and either stock
// commits as often.
func (d costed) spent(tb testing.TB) time.Duration {
	tb.Helper()
	return cpu() + d.engine.Spent(tb)
}

// remindTook times a day up to the units' letters: what opens, closes and is reminded of.
func (d costed) remindTook(tb testing.TB, day civil.Date) time.Duration {
	tb.Helper()
	took, last := d.took(tb, "remind", day)
	if c := last.Counts; last.State != run.Done || c.Notices != unitsPerDay || c.Steps != unitsPerDay*rowsPerDay {
		tb.Fatalf("%s: %+v; want %d letters with a step for each of %d items", day, last, unitsPerDay, unitsPerDay*rowsPerDay)
	}
	d.costEvening(tb, day)
	return took
}

// digestTook times the bureau's digest of a day, which comes after the units' letters. It is the same on either stock but for
// what it counts.
func (d costed) digestTook(tb testing.TB, day civil.Date) time.Duration {
	tb.Helper()
	d.took(tb, "remind", day)
	took, last := d.took(tb, "escalate", day)
	if last.State != run.Done || last.Counts.Notices != 1 {
		tb.Fatalf("%s: %+v; want a digest", day, last)
	}
	d.costEvening(tb, day)
	return took
}

// costEvening ends a day: its letters leave and are answered, so that the days that follow are as long as this one.
func (d costed) costEvening(tb testing.TB, day civil.Date) {
	tb.Helper()
	if _, err := d.deliver(tb.Context(), d.store, costCode, day, false, true); err != nil {
		tb.Fatal(err)
	}
	letters, err := d.store.Notices(tb.Context(), notice.Filter{Jurisdiction: costCode, From: day, To: day})
	if err != nil {
		tb.Fatal(err)
	}
	var answers []task.Event
	for _, n := range letters {
		for _, it := range slices.Concat(n.Facts.Overdue, n.Facts.Upcoming, n.Facts.Support) {
			answers = append(answers, task.Event{On: day, Kind: task.Reported, Subject: it.Ref, Who: "bench"})
		}
	}
	if err := d.register(d.store).RecordAll(tb.Context(), costCode, answers); err != nil {
		tb.Fatal(err)
	}
}

// costRatio times the days on both stocks in turn, and returns how many times as much the larger takes: the sum of its fastest half
// of the days over that of the smaller's. Nothing makes a day take less than it must, and much makes it take more, even of the
// processor: what else runs shares its caches, and memory is tidied up on one day and not on the next. So the fast days are
// nearest to the truth, and several of them are surer than the one that had the best of luck. What grows with the stock
// makes all its days slower, the fastest as well.
func costRatio(
	tb testing.TB, e storetest.Engine, shape costShape, days []civil.Date, took func(costed, testing.TB, civil.Date) time.Duration,
) float64 {
	tb.Helper()
	base, ten := costed{costApp(tb, e.Open(tb), shape, false), e}, costed{costApp(tb, e.Open(tb), shape, true), e}
	var small, large []time.Duration
	for i, day := range days {
		var a, b time.Duration
		if i%2 == 0 {
			a = took(base, tb, day)
			b = took(ten, tb, day)
		} else {
			b = took(ten, tb, day)
			a = took(base, tb, day)
		}
		small, large = append(small, a), append(large, b)
	}
	ratio := float64(fastestHalf(large)) / float64(fastestHalf(small))
	tb.Logf("%s, %s: of %d items %v, of ten times as many %v; ratio %.2f",
		e.Name, shape.name, len(costDays)*unitsPerDay*rowsPerDay, small, large, ratio)
	return ratio
}

// fastestHalf is what the fastest half of the days took together.
func fastestHalf(days []time.Duration) (sum time.Duration) {
	for _, d := range slices.Sorted(slices.Values(days))[:(len(days)+1)/2] {
		sum += d
	}
	return sum
}

// skipUntimed skips a test that measures time where that tells nothing.
func skipUntimed(t *testing.T) {
	t.Helper()
	if !timed {
		t.Skip("the race detector changes what is timed; `go test ./cmd/duban` without -race measures it, and so does the gate")
	}
}

// With ten times as many obligations and the same number due, a day takes at most 1.3 times as much of the processor: what opens, what closes
// and the letters to the units.
func TestADaysCostDoesNotGrowWithWhatIsNotDue(t *testing.T) {
	skipUntimed(t)
	for _, e := range storetest.Engines(t) {
		for _, shape := range costShapes {
			t.Run(e.Name+"/"+shape.name, func(t *testing.T) {
				if ratio := costRatio(t, e, shape, costDays, costed.remindTook); ratio > 1.3 {
					t.Errorf("ten times the items, as many due: %.2f times as long", ratio)
				}
			})
		}
	}
}

// openTimes is how many times as much is open where "other rows" grow tenfold: three quarters of what is added is not done.
const openTimes = 1 + 9*3/4.0

// countingTimes is how many times as long a digest may take where nine times as much as is open was done long ago: that is
// counted by an index, and the late of the last year are read by name. To read all of it would take five times as long and more.
const countingTimes = 1.6

// The bureau's digest looks at all that is open, and so takes as many times as long as there is more of it, and no more; what
// is done for good costs it the counting alone.
func TestADaysCostOfTheDigestGrowsWithWhatIsOpenAlone(t *testing.T) {
	skipUntimed(t)
	for _, e := range storetest.Engines(t) {
		for _, shape := range digestShapes {
			t.Run(e.Name+"/"+shape.name, func(t *testing.T) {
				most := 1.3 * openTimes
				if shape.settled {
					most = countingTimes
				}
				if ratio := costRatio(t, e, shape, costDays, costed.digestTook); ratio > most {
					t.Errorf("ten times the items: %.2f times as long, want at most %.2f", ratio, most)
				}
			})
		}
	}
}

// BenchmarkRemind times one day's run of 3,000 and of 30,000 items with 500 due; ratio is against the smaller stock on
// the same days of the same run.
func BenchmarkRemind(b *testing.B) {
	for _, e := range storetest.Engines(b) {
		for _, shape := range costShapes {
			b.Run(e.Name+"/"+shape.name, func(b *testing.B) {
				var sum float64
				for b.Loop() {
					sum += costRatio(b, e, shape, costDays, costed.remindTook)
				}
				b.ReportMetric(sum/float64(b.N), "ratio")
			})
		}
	}
}
