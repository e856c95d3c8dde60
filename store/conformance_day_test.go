package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// refs returns the rows and units of the records, as "1a 2b".
func refs(records []task.Record) string {
	var out []string
	for _, r := range records {
		out = append(out, r.Obligation.Row+r.Obligation.Unit)
	}
	return strings.Join(out, " ")
}

// aDay writes obligations that differ in one cached column each and returns the seq.
func aDay(t *testing.T, s *store.Store) int64 {
	t.Helper()
	var b task.Batch
	add := func(row, unit string, owes task.Owes, look, closed, raised civil.Date) {
		o := obligation(refOf(row, unit, "m1"))
		o.Owes = owes
		b.Obligations = append(b.Obligations, o)
		b.Events = append(b.Events, opened(o.Ref))
		b.Caches = append(b.Caches, task.Cache{Ref: o.Ref.String(), State: task.Waiting, NextLook: look, ClosedFrom: closed, Raised: raised})
	}
	never := civil.Never
	add("1", "a", task.OwesDeliver, day0, never, never)
	add("1", "b", task.OwesSupport, day0-1, never, day0)
	add("2", "a", task.OwesDeliver, day0+1, never, day0-1) // looked at tomorrow
	add("2", "b", task.OwesDeliver, day0, day0, day0)      // closed today
	add("3", "a", task.OwesDeliver, day0, day0+1, day0+1)  // closes tomorrow
	add("3", "b", task.OwesDeliver, never, day0-1, day0-1) // closed long ago
	add("3", "c", task.OwesDeliver, 0, never, 0)           // columns dropped
	b.Tasks = []task.Task{{TaskID: taskID("1"), On: day0}, {TaskID: taskID("2"), On: day0}, {TaskID: taskID("3"), On: day0 + 1}, {TaskID: taskID("4"), On: day0}}
	b.NextOpen = map[task.TaskID]civil.Date{taskID("2"): never, taskID("4"): day0 - 5}
	b.Events = append(b.Events, task.Event{On: day0, Kind: task.Triggered, Subject: taskID("1").String(), Who: "甲"},
		task.Event{On: day0, Kind: task.Clarified, Subject: taskID("10").String(), Who: "甲"})
	return must(t, s, begin(t, s), b)
}

func TestWhatADayNeeds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := aDay(t, s)
		record := got[[]task.Record](t)
		equal(t, "due", refs(record(s.Due(ctx, j, day0, "", 0))), "1a 1b 3a")
		equal(t, "due, first page", refs(record(s.Due(ctx, j, day0, "", 2))), "1a 1b")
		equal(t, "due, next page", refs(record(s.Due(ctx, j, day0, refOf("1", "b", "m1").String(), 2))), "3a")
		equal(t, "due tomorrow", refs(record(s.Due(ctx, j, day0+1, "", 0))), "1a 1b 2a")
		equal(t, "due elsewhere", refs(record(s.Due(ctx, "gangcheng", day0, "", 0))), "")
		equal(t, "raised", refs(record(s.Raised(ctx, j, day0, []string{"b", "a", "a"}))), "1b 2a")
		equal(t, "raised of b", refs(record(s.Raised(ctx, j, day0-1, []string{"b"}))), "")
		equal(t, "raised of none", refs(record(s.Raised(ctx, j, day0, nil))), "")
		equal(t, "instances", refs(record(s.Instances(ctx, j, []task.TaskID{taskID("3"), taskID("1")}))), "1a 1b 3a 3b 3c")
		equal(t, "opened", got[[]string](t)(s.Opened(ctx, j, []task.TaskID{taskID("3"), taskID("1")}))[2], refOf("3", "a", "m1").String())
		equal(t, "instances of none", refs(record(s.Instances(ctx, j, nil))), "")
		equal(t, "waiting", got[[]task.Ref](t)(s.Waiting(ctx, j, day0, []task.TaskID{taskID("1"), taskID("2"), taskID("3")})),
			[]task.Ref{refOf("1", "a", "m1"), refOf("2", "a", "m1"), refOf("3", "a", "m1"), refOf("3", "c", "m1")})
		equal(t, "to open", got[[]task.TaskID](t)(s.TasksToOpen(ctx, j, day0)), []task.TaskID{taskID("1"), taskID("4")})
		equal(t, "to open tomorrow", len(got[[]task.TaskID](t)(s.TasksToOpen(ctx, j, day0+1))), 3)
		events := got[[]task.Event](t)(s.TaskEvents(ctx, j, []task.TaskID{taskID("10"), taskID("1"), taskID("1")}))
		if len(events) != 2 || events[0].Kind != task.Triggered || events[1].Kind != task.Clarified {
			t.Errorf("task events %+v", events)
		}
		// A new version makes the task looked at again; a later one never puts that off.
		seq = must(t, s, seq, task.Batch{Tasks: []task.Task{{TaskID: taskID("2"), On: day0}, {TaskID: taskID("4"), On: day0 + 9}, {TaskID: taskID("4"), On: day0 + 3}}})
		equal(t, "to open after an edit", got[[]task.TaskID](t)(s.TasksToOpen(ctx, j, day0)), []task.TaskID{taskID("1"), taskID("2"), taskID("4")})
		must(t, s, seq, task.Batch{NextOpen: map[task.TaskID]civil.Date{taskID("1"): civil.Never}})
		equal(t, "to open when opened", got[[]task.TaskID](t)(s.TasksToOpen(ctx, j, day0)), []task.TaskID{taskID("2"), taskID("4")})
	})
}

func TestANewObligationIsLookedAtUntilItsCacheIsKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		must(t, s, begin(t, s), task.Batch{Obligations: []task.Obligation{obligation(refOf("1", "a", "m1"))}})
		equal(t, "due", refs(got[[]task.Record](t)(s.Due(t.Context(), j, day0, "", 0))), "1a")
	})
}

func TestRecordsFilter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		aDay(t, s)
		for _, c := range []struct {
			f    task.RecordFilter
			want string
		}{
			{task.RecordFilter{}, "1a 1b 2a 2b 3a 3b 3c"},
			{task.RecordFilter{Limit: 2}, "1a 1b"},
			{task.RecordFilter{Limit: 2, After: refOf("1", "b", "m1").String()}, "2a 2b"},
			{task.RecordFilter{Plan: "zfzl2024", Row: "3"}, "3a 3b 3c"},
			{task.RecordFilter{Plan: "ZFZL2024"}, ""},
			{task.RecordFilter{Unit: "b", Kind: task.Milestone}, "1b 2b 3b"},
			{task.RecordFilter{Kind: task.Monthly}, ""},
			{task.RecordFilter{State: task.Waiting, Unit: "c"}, "3c"},
			{task.RecordFilter{State: task.Finished}, ""},
		} {
			equal(t, fmt.Sprintf("%+v", c.f), refs(got[[]task.Record](t)(s.Records(t.Context(), j, c.f))), c.want)
		}
	})
}

func TestLatelyGoesByWhatTheEventsHaveComeTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := task.Batch{Obligations: []task.Obligation{
			obligation(refOf("1", "a", "2024-06")), obligation(refOf("1", "b", "2024-07")), obligation(refOf("1", "a", "2024-08")),
			obligation(refOf("2", "a", "2024-08")),
		}}
		for i, o := range b.Obligations {
			b.Caches = append(b.Caches, task.Cache{Ref: o.Ref.String(), Assess: day0 + civil.Date(i), NextLook: civil.Never, ClosedFrom: civil.Never, Raised: civil.Never})
		}
		must(t, s, begin(t, s), b)
		of := func(since civil.Date, rows ...string) string {
			var ids []task.TaskID
			for _, r := range rows {
				ids = append(ids, taskID(r))
			}
			return refs(got[[]task.Record](t)(s.Lately(t.Context(), j, since, ids)))
		}
		equal(t, "since the first", of(day0, "1"), "1a 1a 1b")
		equal(t, "since the second", of(day0+1, "1", "2"), "1a 1b 2a")
		equal(t, "since later", of(day0+9, "1", "2"), "")
		equal(t, "of none", of(day0), "")
	})
}

func TestADaysQueriesUseTheirIndexes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		aDay(t, s)
		d, never := day0.String(), civil.Never.String()
		for _, c := range []struct {
			query, index, search string
			args                 []any
		}{
			{store.QueryDue(s), "obligations_look", "(jurisdiction=? AND next_look<?)", []any{j, d, d, ""}},
			{store.QueryRaised(s), "obligations_unit", "(jurisdiction=? AND unit=? AND closed_from=? AND raised<?)", []any{j, "a", "b", never, d, j, "a", "b", d, never, d}},
			{store.QueryRaised(s), "obligations_unit", "(jurisdiction=? AND unit=? AND closed_from>? AND closed_from<?)", []any{j, "a", "b", never, d, j, "a", "b", d, never, d}},
			{store.QueryLately(s), "obligations_recent", "(jurisdiction=? AND plan=? AND row_code=? AND now_assess>?)", []any{j, "zfzl2024", "1", "2", d}},
			{store.QueryWaiting(s), "obligations_task", "(jurisdiction=? AND plan=? AND row_code=? AND closed_from>?)", []any{j, "zfzl2024", "1", "2", d, "deliver"}},
			{store.QueryUnsent(s), "notices_state", "(state=? AND logical_date<?)", []any{j, d, notice.UnitLetter, "pending", "retry", "held"}},
			{store.QueryWeekly(s), "task_versions_weekly", "(jurisdiction=? AND weekly=?)", []any{j, j, true}},
			{store.QueryEvents(s), "events_subject", "(jurisdiction=? AND subject=?)", []any{j, refOf("1", "a", "m1").String(), refOf("1", "b", "m1").String()}},
		} {
			plan := strings.ReplaceAll(got[string](t)(store.Explain(t.Context(), s, c.query, c.args...)), "UNION ALL", "")
			search := c.search
			if s.Dialect() == "mysql" {
				search = "range"
				if c.index == "task_versions_weekly" {
					search = "ref"
				}
			}
			if !strings.Contains(plan, c.index) || !strings.Contains(plan, search) || strings.Contains(plan, "SCAN ") || strings.Contains(plan, "ALL") {
				t.Errorf("%s\nis not searched by %s:\n%s", c.query, c.index, plan)
			}
		}
	})
}

// TestAPageIsAConstantNumberOfQueries counts the server's SELECTs, which this test binary alone asks.
func TestAPageIsAConstantNumberOfQueries(t *testing.T) {
	e := storetest.Engines(t)[1]
	s := e.Open(t)
	ctx := t.Context()
	var b task.Batch
	for i := range 400 {
		ref := refOf(fmt.Sprintf("%03d", i), "a", "m1")
		b.Obligations = append(b.Obligations, obligation(ref))
		b.Events = append(b.Events, opened(ref))
	}
	seq := must(t, s, begin(t, s), b)
	selects := func() int {
		row := got[[]string](t)(store.Strings(ctx, s, "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'COM_SELECT'"))
		return got[int](t)(strconv.Atoi(row[0]))
	}
	cost := func(limit int) int {
		before := selects()
		if page := got[[]task.Record](t)(s.Due(ctx, j, day0, "", limit)); len(page) != limit {
			t.Fatalf("a page of %d holds %d", limit, len(page))
		}
		return selects() - before
	}
	few, all := cost(4), cost(400)
	if few != all || all > 6 {
		t.Errorf("a page of 4 takes %d queries, a page of 400 %d", few, all)
	}
	var holds []task.Hold
	for _, o := range b.Obligations[:200] {
		holds = append(holds, task.Hold{Obligation: o.Ref.String(), Step: "T+2", On: day0, Reason: "登记未核对"})
	}
	save(t, s, seq, day0, run.DayPlan{Holds: holds})
	if few, held := cost(4), cost(400); few != held || held != all+1 {
		t.Errorf("with holds a page of 4 takes %d queries, a page of 400 %d, without holds %d", few, held, all)
	}
}

func claimed(t *testing.T, s *store.Store, job string, d civil.Date) run.Run {
	t.Helper()
	r, ok, err := s.ClaimSlot(t.Context(), run.Slot{Job: job, Jurisdiction: j, Date: d}, "test", 60e9, false)
	if err != nil || !ok {
		t.Fatalf("claim %s %s: %v %v", job, d, ok, err)
	}
	return r
}

func letter(unit string, d civil.Date) notice.Notice {
	k := notice.Key{Jurisdiction: j, Date: d, Unit: unit, Role: "liaison", Kind: notice.UnitLetter}
	return notice.Notice{ID: k.ID(), Key: k, Job: "remind", State: notice.Pending, Facts: notice.Facts{Date: d,
		Recipients: []notice.Recipient{{Role: "liaison", Email: unit + "@example.com"}, {Role: "deputy", Email: "d@example.com", Copy: true}}}}
}

// planned saves letters as a day's plan, and returns the seq after it.
func planned(t *testing.T, s *store.Store, seq int64, d civil.Date, letters ...notice.Notice) int64 {
	t.Helper()
	r := claimed(t, s, "remind", d)
	r.State = run.Done
	if err := s.SavePlan(t.Context(), j, seq, run.DayPlan{Notices: letters, Run: r}); err != nil {
		t.Fatal(err)
	}
	return seq + 1
}

func TestSavePlanWritesAllOfIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := aDay(t, s)
		old, idle := letter("a", day0-1), letter("c", day0-1)
		seq = planned(t, s, seq, day0-1, old, idle)
		var n notice.Notice
		fill(t, &n)
		n.Key = notice.Key{Jurisdiction: j, Date: day0, Unit: "a", Role: "liaison", Kind: notice.UnitLetter, Matter: "督〔2024〕1号"}
		n.ID, n.State = n.Key.ID(), notice.Held
		ref := refOf("1", "a", "m1")
		step := task.FiredStep{Obligation: ref.String(), Arm: 1, Step: "T-3", N: 2, Role: "liaison", On: day0, Notice: n.ID}
		passed := task.FiredStep{Obligation: ref.String(), Arm: 1, Step: "T-10", Role: "liaison", On: day0, Passed: "已过"}
		cache := task.Cache{Ref: ref.String(), State: task.Answered, Arm: 1, Nominal: day0, Effective: day0 + 1, Assess: day0 + 2,
			NextLook: day0 + 3, ClosedFrom: day0 + 4, Raised: day0 + 5}
		r := claimed(t, s, "remind", day0)
		r.State, r.Reason, r.Counts = run.Done, "三件", run.Counts{Looked: 3, Steps: 1, Superseded: 1}
		plan := run.DayPlan{Notices: []notice.Notice{n}, Steps: []task.FiredStep{step, passed}, Caches: []task.Cache{cache},
			Supersede: map[string]string{old.ID: n.ID}, Cancel: map[string]string{idle.ID: "已办结"}, Run: r}
		if err := s.SavePlan(ctx, j, seq, plan); err != nil {
			t.Fatal(err)
		}
		n.Seq, step.Seq, passed.Seq = seq+1, seq+1, seq+1
		equal(t, "the letter", got[notice.Notice](t)(s.Notice(ctx, n.ID)), n)
		equal(t, "the steps", got[task.Record](t)(s.Record(ctx, ref)).Steps, []task.FiredStep{passed, step})
		equal(t, "the steps with what is due", got[[]task.Record](t)(s.Instances(ctx, j, []task.TaskID{taskID("1")}))[0].Steps, []task.FiredStep{passed, step})
		equal(t, "the cache", got[[]task.Cache](t)(s.Caches(ctx, j))[0], cache)
		was := got[notice.Notice](t)(s.Notice(ctx, old.ID))
		if was.State != notice.Superseded || was.SupersededBy != n.ID {
			t.Errorf("the old letter: %+v", was)
		}
		was = got[notice.Notice](t)(s.Notice(ctx, idle.ID))
		if was.State != notice.Cancelled || was.Reason != "已办结" {
			t.Errorf("the idle letter: %+v", was)
		}
		ledger := got[[]run.Run](t)(s.Runs(ctx, run.Filter{Job: "remind", From: day0}))
		if len(ledger) != 1 || ledger[0].State != run.Done || ledger[0].Counts != r.Counts || ledger[0].Finished.IsZero() {
			t.Errorf("the ledger: %+v", ledger)
		}
		if jur := got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)); jur.Seq != seq+1 {
			t.Errorf("planning moved the seq from %d to %d", seq, jur.Seq)
		}
		// What was decided before the plan may not put back what the plan changed.
		_, err := s.Write(ctx, j, seq, task.Batch{Caches: []task.Cache{cache}})
		wantErr(t, "a write decided before the plan", err, store.ErrMoved)
		seq++
		// Letters and steps are there, so the same plan cannot be saved again.
		r = claimed(t, s, "again", day0)
		r.State = run.Done
		err = s.SavePlan(ctx, j, seq, run.DayPlan{Notices: []notice.Notice{n}, Run: r})
		wantErr(t, "the letter again", err, store.ErrExists)
		err = s.SavePlan(ctx, j, seq, run.DayPlan{Steps: []task.FiredStep{step}, Run: r})
		wantErr(t, "the step again", err, store.ErrExists)
	})
}

func TestSavePlanIsFencedAndLeavesNothingHalfWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := aDay(t, s)
		old, taken := letter("a", day0-1), letter("b", day0-1)
		seq = planned(t, s, seq, day0-1, taken, old)
		for {
			n := take(t, s, time.Minute)
			if n.ID == taken.ID {
				break
			}
			equal(t, "lost", commit(t, s, nil, settled(n, by(notice.Defer))), []string(nil))
		}
		ref := refOf("1", "a", "m1").String()
		r := claimed(t, s, "remind", day0)
		r.State = run.Done
		forged := r
		forged.Token = "0"
		for _, c := range []struct {
			name string
			seq  int64
			edit func(*run.DayPlan)
			want error
		}{
			{"an older seq", seq - 1, func(*run.DayPlan) {}, store.ErrMoved},
			{"another's slot", seq, func(p *run.DayPlan) { p.Run = forged }, store.ErrLost},
			{"a letter that is leaving, superseded", seq, func(p *run.DayPlan) { p.Supersede[taken.ID] = old.ID }, store.ErrMoved},
			{"a letter that is leaving, cancelled", seq, func(p *run.DayPlan) { p.Cancel = map[string]string{taken.ID: "x"} }, store.ErrMoved},
			{"a letter that is leaving, held", seq, func(p *run.DayPlan) { p.Hold = map[string]string{taken.ID: "x"} }, store.ErrMoved},
			{"a letter that is not there", seq, func(p *run.DayPlan) { p.Supersede["no"] = old.ID }, store.ErrNotFound},
			{"a step of no obligation", seq, func(p *run.DayPlan) { p.Steps[0].Obligation += "0" }, store.ErrNotFound},
			{"a cache of no obligation", seq, func(p *run.DayPlan) { p.Caches[0].Ref += "0" }, store.ErrNotFound},
			{"a letter of another ID", seq, func(p *run.DayPlan) { p.Notices[0].ID = old.ID }, nil},
			{"a run still running", seq, func(p *run.DayPlan) { p.Run.State = run.Running }, nil},
		} {
			p := run.DayPlan{Notices: []notice.Notice{letter("a", day0)}, Run: r, Supersede: map[string]string{old.ID: letter("a", day0).ID},
				Steps: []task.FiredStep{{Obligation: ref, Step: "T-3", Role: "liaison", On: day0}}, Caches: []task.Cache{{Ref: ref, State: task.Void}}}
			c.edit(&p)
			err := s.SavePlan(ctx, j, c.seq, p)
			if err == nil || c.want != nil {
				wantErr(t, c.name, err, c.want)
			}
			letters := got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{}))
			steps := got[task.Record](t)(s.Record(ctx, refOf("1", "a", "m1"))).Steps
			open := slices.ContainsFunc(letters, func(n notice.Notice) bool { return n.ID == old.ID && n.State.Open() })
			last := got[civil.Date](t)(s.LastSettled(ctx, "remind", j))
			if len(letters) != 2 || len(steps) != 0 || !open || last != day0-1 {
				t.Fatalf("%s left behind: %d letters, %d steps, settled %s", c.name, len(letters), len(steps), last)
			}
		}
	})
}

// TestAPlanMovesOnlyWhatIsAsItWasRead plans on letters of the day before that go on meanwhile.
func TestAPlanMovesOnlyWhatIsAsItWasRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		names := []string{"a", "b", "c", "d", "e"}
		var letters []notice.Notice
		for _, unit := range names {
			letters = append(letters, letter(unit, day0-1))
		}
		seq = planned(t, s, seq, day0-1, letters...)
		unsent := got[[]notice.Notice](t)(s.Unsent(ctx, j, notice.UnitLetter, day0))
		of := map[string]notice.Notice{}
		for _, n := range unsent {
			of[n.Key.Unit] = n
		}
		// Meanwhile: a is being sent, b broke after its dot, c's copy was put off, d was held back by a window.
		for range names {
			n := take(t, s, time.Hour)
			end := settled(n, by(notice.PutBack))
			end.Tries = 0
			switch n.Key.Unit {
			case "a":
				continue
			case "b":
				end = settled(n, n.Lost(notice.Break), refused(0, "b@example.com", notice.OutcomeUnknown, 0, "broken"))
			case "c":
				end = settled(n, by(notice.Defer), sentTo(0, "c@example.com"), refused(1, "d@example.com", notice.OutcomeTemporary, 450, "later"))
				end.Tries = 1
			}
			end.NextTry = instant.AddDate(100, 0, 0) // none is taken twice
			equal(t, "lost", commit(t, s, nil, end), []string(nil))
		}
		if err := s.Move(ctx, of["d"].ID, notice.Pending, "窗口已过", "", notice.Hold); err != nil {
			t.Fatal(err)
		}
		r := claimed(t, s, "remind", day0)
		r.State = run.Done
		before := got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{}))
		for _, unit := range []string{"a", "b", "c", "d"} {
			id, next := of[unit].ID, letter(unit, day0)
			for name, p := range map[string]run.DayPlan{
				"superseded": {Notices: []notice.Notice{next}, Supersede: map[string]string{id: next.ID}},
				"cancelled":  {Cancel: map[string]string{id: "已办结"}},
				"held":       {Hold: map[string]string{id: "申请延期"}},
			} {
				p.Unsent, p.Run = unsent, r
				err := s.SavePlan(ctx, j, seq, p)
				wantErr(t, unit+" "+name, err, store.ErrMoved)
				if errors.Is(err, store.ErrLost) {
					t.Errorf("%s %s: %v is the slot's error too", unit, name, err)
				}
				equal(t, unit+" "+name+" left behind", got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{})), before)
			}
		}
		// Planned anew, on what is there now.
		next := letter("c", day0)
		p := run.DayPlan{Notices: []notice.Notice{next}, Supersede: map[string]string{of["c"].ID: next.ID}, Cancel: map[string]string{of["d"].ID: "已办结"},
			Hold: map[string]string{of["b"].ID: "申请延期", of["e"].ID: "申请延期"}, Unsent: got[[]notice.Notice](t)(s.Unsent(ctx, j, notice.UnitLetter, day0)), Run: r}
		if err := s.SavePlan(ctx, j, seq, p); err != nil {
			t.Fatal(err)
		}
		for unit, want := range map[string]notice.State{"a": notice.Sending, "b": notice.Held, "c": notice.Superseded, "d": notice.Cancelled, "e": notice.Held} {
			if n := got[notice.Notice](t)(s.Notice(ctx, of[unit].ID)); n.State != want || want == notice.Held && (n.Reason != "申请延期" || !n.NextTry.IsZero()) {
				t.Errorf("%s in the end: %+v", unit, n)
			}
		}
	})
}

func TestWhatAPlanHoldsWaitsForAPlan(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		old := letter("a", day0-1)
		seq = planned(t, s, seq, day0-1, old)
		f := notice.ClaimFilter{Jurisdiction: j}
		equal(t, "held by the window", got[int](t)(s.HoldNotices(ctx, f, instant.AddDate(100, 0, 0), "窗口已过")), 1)
		save := func(d civil.Date, edit func(*run.DayPlan)) {
			t.Helper()
			r := claimed(t, s, "remind", d)
			r.State = run.Done
			p := run.DayPlan{Unsent: got[[]notice.Notice](t)(s.Unsent(ctx, j, notice.UnitLetter, d)), Run: r}
			edit(&p)
			if err := s.SavePlan(ctx, j, seq, p); err != nil {
				t.Fatal(err)
			}
			seq++
		}
		for i, why := range []string{"申请延期待答复", "距上次督办不满三日"} {
			save(day0+civil.Date(i), func(p *run.DayPlan) { p.Hold = map[string]string{old.ID: why} })
			equal(t, "released with the window", got[int](t)(s.ReleaseHeld(ctx, f, "窗口已开")), 0)
			if n, ok := claimOne(t, s, f, time.Minute); ok {
				t.Errorf("claimed: %+v", n)
			}
			if n := got[notice.Notice](t)(s.Notice(ctx, old.ID)); n.State != notice.Held || n.Reason != why || !n.NextTry.IsZero() {
				t.Errorf("held: %+v", n)
			}
		}
		next := letter("a", day0+2)
		save(day0+2, func(p *run.DayPlan) {
			if len(p.Unsent) != 1 || p.Unsent[0].ID != old.ID {
				t.Errorf("unsent: %v", p.Unsent)
			}
			p.Notices, p.Supersede = []notice.Notice{next}, map[string]string{old.ID: next.ID}
		})
		if n, ok := claimOne(t, s, f, time.Minute); !ok || n.ID != next.ID {
			t.Errorf("claimed in the end: %+v", n)
		}
	})
}

func dayPlan(r run.Run, letters ...notice.Notice) run.DayPlan {
	return run.DayPlan{Notices: letters, Run: r}
}

func dayBatch() task.Batch {
	return task.Batch{Obligations: []task.Obligation{obligation(refOf("1", "a", "m1"))}}
}

func slotOf(job string, d civil.Date) run.Slot {
	return run.Slot{Job: job, Jurisdiction: j, Date: d}
}
