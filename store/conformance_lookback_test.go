package store_test

import (
	"fmt"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// rest is a cache that waits for nothing, final from the day on.
func rest(o task.Obligation, state task.State, final civil.Date) task.Cache {
	return task.Cache{Ref: o.Ref.String(), State: state, Nominal: o.Nominal, Effective: o.Effective, Assess: o.Assess, NextLook: civil.Never,
		ClosedFrom: final, Raised: civil.Never, FinalFrom: final}
}

func TestWhatIsSettledAndWhatIsNotMakeTheWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var b task.Batch
		add := func(row, unit string, role task.Role, owes task.Owes, state task.State, final civil.Date) {
			o := obligation(refOf(row, unit, "m1"))
			o.Role, o.Owes = role, owes
			b.Obligations, b.Events, b.Caches = append(b.Obligations, o), append(b.Events, opened(o.Ref)), append(b.Caches, rest(o, state, final))
		}
		add("1", "a", task.Lead, task.OwesDeliver, task.Finished, day0-1)
		add("1", "b", task.Lead, task.OwesDeliver, task.Answered, day0) // nobody answered: accepted by then
		add("1", "c", task.Support, task.OwesSupport, task.Finished, day0)
		add("1", "d", task.Lead, task.OwesDeliver, task.Void, day0)
		add("1", "e", task.Lead, task.OwesDeliver, task.Answered, day0+1)
		add("2", "a", task.Lead, task.OwesDeliver, task.Waiting, civil.Never)
		add("2", "b", task.Lead, task.OwesDeliver, task.Finished, day0-40)
		add("2", "c", task.Lead, task.OwesDeliver, task.Finished, 0) // of an older program
		fresh := obligation(refOf("3", "a", "m1"))
		b.Obligations = append(b.Obligations, fresh)
		must(t, s, begin(t, s), b)
		unsettled := got[[]task.Record](t)(s.Unsettled(ctx, j, day0))
		equal(t, "not settled", refs(unsettled), "1e 2a 2c 3a")
		equal(t, "its events", len(unsettled[0].Events), 1)
		tally := func(row string, role task.Role, owes task.Owes, state task.State, n int) task.Tally {
			return task.Tally{TaskID: taskID(row), Role: role, Owes: owes, State: state, N: n}
		}
		equal(t, "settled", got[[]task.Tally](t)(s.Settled(ctx, j, day0)), []task.Tally{
			tally("1", task.Lead, task.OwesDeliver, task.Finished, 2), tally("1", task.Lead, task.OwesDeliver, task.Void, 1),
			tally("1", task.Support, task.OwesSupport, task.Finished, 1), tally("2", task.Lead, task.OwesDeliver, task.Finished, 1),
		})
		equal(t, "settled elsewhere", got[[]task.Tally](t)(s.Settled(ctx, "gangcheng", day0)), []task.Tally(nil))
		equal(t, "not settled elsewhere", refs(got[[]task.Record](t)(s.Unsettled(ctx, "gangcheng", day0))), "")
		for _, d := range []civil.Date{day0 - 50, day0 - 40, day0 - 1, day0, day0 + 1, civil.Never - 1, 0} {
			n := len(got[[]task.Record](t)(s.Unsettled(ctx, j, d)))
			for _, c := range got[[]task.Tally](t)(s.Settled(ctx, j, d)) {
				n += c.N
			}
			if n != len(b.Obligations) {
				t.Errorf("as of %s %d of %d are settled or not", d, n, len(b.Obligations))
			}
		}
	})
}

// periods opens instances of three duties and returns the seq.
func periods(t *testing.T, s *store.Store) int64 {
	t.Helper()
	var b task.Batch
	add := func(row, unit, instance string, kind task.Kind, due string, edit func(*task.Obligation)) {
		o := obligation(refOf(row, unit, instance))
		o.Kind, o.Nominal, o.Effective, o.Assess = kind, on(due), on(due), on(due)
		if edit != nil {
			edit(&o)
		}
		c := rest(o, task.Waiting, civil.Never)
		if o.Unit == "x" { // extended
			c.Effective = on("2024-09-20")
		}
		b.Obligations, b.Caches = append(b.Obligations, o), append(b.Caches, c)
	}
	add("1", "a", "2024-06", task.Monthly, "2024-06-30", nil)
	add("1", "b", "2024-06", task.Monthly, "2024-06-30", nil)
	add("1", "a", "2024-07", task.Monthly, "2024-07-31", nil)
	add("1", "b", "2024-07", task.Monthly, "2024-08-02", nil) // its own calendar
	add("2", "a", "2024Q2", task.Quarterly, "2024-07-10", nil)
	add("2", "s", "2024Q2", task.Quarterly, "2024-08-10", func(o *task.Obligation) { o.Owes = task.OwesSupport })
	add("3", "a", "m1", task.Milestone, "2024-06-30", func(o *task.Obligation) { o.PastAtIssue = true })
	add("3", "b", "m1", task.Milestone, "2024-06-30", func(o *task.Obligation) { o.Inherited = true })
	add("4", "x", "m1", task.Milestone, "2024-06-28", nil)
	return must(t, s, begin(t, s), b)
}

func TestWhatFallsDueBetweenTwoDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		periods(t, s)
		for _, c := range []struct {
			kinds    []task.Kind
			from, to string
			want     string
		}{
			{nil, "2024-06-30", "2024-06-30", "1a 1b 3a 3b"},
			{nil, "2024-06-29", "2024-07-09", "1a 1b 3a 3b"},
			{nil, "2024-06-01", "2024-06-29", "4x"},                         // as opened
			{nil, "2024-09-01", "2024-09-30", "4x"},                         // as extended
			{nil, "2024-06-28", "2024-09-20", "1a 1a 1b 1b 2a 2s 3a 3b 4x"}, // once
			{[]task.Kind{task.Monthly}, "2024-01-01", "2024-12-31", "1a 1a 1b 1b"},
			{[]task.Kind{task.Milestone, task.Quarterly}, "2024-07-01", "2024-12-31", "2a 2s 4x"},
			{[]task.Kind{task.Weekly}, "2024-01-01", "2024-12-31", ""},
			{nil, "2024-07-01", "2024-06-01", ""},
		} {
			found := refs(got[[]task.Record](t)(s.DueIn(ctx, j, c.kinds, on(c.from), on(c.to))))
			equal(t, fmt.Sprint("due of ", c.kinds, " from ", c.from, " to ", c.to), found, c.want)
		}
		equal(t, "due at any time", len(got[[]task.Record](t)(s.DueIn(ctx, j, nil, 0, 0))), 9)
		equal(t, "due elsewhere", refs(got[[]task.Record](t)(s.DueIn(ctx, "gangcheng", nil, 0, 0))), "")
		for _, c := range []struct {
			kinds    []task.Kind
			from, to string
			want     string
		}{
			{nil, "2024-06-30", "2024-06-30", "1 monthly 2024-06 2024-06-30;"},
			{nil, "2024-07-31", "2024-08-01", ""}, // another unit's is later
			{nil, "2024-08-02", "2024-08-02", "1 monthly 2024-07 2024-08-02;"},
			{nil, "2024-06-01", "2024-12-31", "4 milestone m1 2024-06-28;1 monthly 2024-06 2024-06-30;2 quarterly 2024Q2 2024-07-10;1 monthly 2024-07 2024-08-02;"},
			{[]task.Kind{task.Quarterly, task.HalfYearly}, "2024-06-01", "2024-12-31", "2 quarterly 2024Q2 2024-07-10;"},
			{[]task.Kind{task.Yearly}, "2024-06-01", "2024-12-31", ""},
			{nil, "2024-09-01", "2024-09-30", ""}, // an extension moves no period
		} {
			list := ""
			for _, p := range got[[]task.PeriodDue](t)(s.PeriodsDue(ctx, j, c.kinds, on(c.from), on(c.to))) {
				list += fmt.Sprintf("%s %s %s %s;", p.TaskID.Row, p.Kind, p.Instance, p.Due)
			}
			equal(t, fmt.Sprint("periods of ", c.kinds, " from ", c.from, " to ", c.to), list, c.want)
		}
	})
}

func TestStepsAndLettersOfSomeDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := aDay(t, s)
		digest := func(d civil.Date, state notice.State) notice.Notice {
			n := letter("sfj", d)
			n.Key.Kind, n.Key.Role, n.State = notice.BureauDigest, "bureau", state
			n.ID = n.Key.ID()
			return n
		}
		first, last, dead := digest(day0, notice.Superseded), digest(day0+1, notice.Sent), digest(day0+2, notice.Cancelled)
		dead.Reason = "无事项"
		kept, windowed := letter("a", day0+1), letter("b", day0+1)
		kept.State, windowed.State, windowed.NextTry = notice.Held, notice.Held, instant
		days := [][]notice.Notice{{letter("b", day0), first}, {kept, windowed, last}, {dead}, {letter("a", day0+3)}}
		step := func(ref task.Ref, arm int, name string, d civil.Date) task.FiredStep {
			return task.FiredStep{Obligation: ref.String(), Arm: arm, Step: name, Role: task.Liaison, On: d, Passed: "已过"}
		}
		a, b := refOf("1", "a", "m1"), refOf("2", "b", "m1")
		fired := [][]task.FiredStep{{step(b, 0, "T-10", day0)}, {step(b, 0, "T-3", day0+1), step(a, 1, "T-10", day0+1), step(a, 0, "T-3", day0+1)}, nil, {step(a, 1, "T-3", day0+3)}}
		for i, letters := range days {
			r := claimed(t, s, "remind", day0+civil.Date(i))
			r.State = run.Done
			if err := s.SavePlan(ctx, j, seq, run.DayPlan{Notices: letters, Steps: fired[i], Run: r}); err != nil {
				t.Fatal(err)
			}
			seq++
			for k := range fired[i] {
				fired[i][k].Seq = seq
			}
		}
		equal(t, "steps", got[[]task.FiredStep](t)(s.StepsBetween(ctx, j, day0+1, day0+2)), []task.FiredStep{fired[1][2], fired[1][1], fired[1][0]})
		equal(t, "all steps", len(got[[]task.FiredStep](t)(s.StepsBetween(ctx, j, 0, 0))), 5)
		equal(t, "steps elsewhere", got[[]task.FiredStep](t)(s.StepsBetween(ctx, "gangcheng", day0, day0+3)), []task.FiredStep(nil))
		brief := func(n notice.Notice) notice.Brief {
			return notice.Brief{ID: n.ID, Key: n.Key, State: n.State, Reason: n.Reason, Waits: n.State == notice.Held && n.NextTry.IsZero()}
		}
		equal(t, "briefs", got[[]notice.Brief](t)(s.Briefs(ctx, j, day0+1, day0+2)),
			[]notice.Brief{brief(days[1][0]), brief(days[1][1]), brief(last), brief(dead)})
		equal(t, "briefs of no day", got[[]notice.Brief](t)(s.Briefs(ctx, j, day0+4, day0+9)), []notice.Brief(nil))
		equal(t, "outcomes", got[map[string]notice.Brief](t)(s.Outcomes(ctx, []string{dead.ID, "0", first.ID, dead.ID})),
			map[string]notice.Brief{dead.ID: brief(dead), first.ID: brief(first)})
		equal(t, "outcomes of none", got[map[string]notice.Brief](t)(s.Outcomes(ctx, nil)), map[string]notice.Brief{})
		for _, c := range []struct {
			before civil.Date
			kind   string
			want   string
		}{
			{day0 + 9, notice.BureauDigest, last.ID}, {day0 + 1, notice.BureauDigest, first.ID}, {day0, notice.BureauDigest, ""},
			{day0 + 9, notice.Summary, ""}, {day0 + 9, notice.UnitLetter, days[3][0].ID},
		} {
			n, ok, err := s.LastLetter(ctx, j, c.kind, c.before)
			if err != nil || ok != (c.want != "") || n.ID != c.want || len(n.Facts.Recipients) > 0 {
				t.Errorf("the last %s before %s is %+v, %v, %v", c.kind, c.before, n, ok, err)
			}
		}
	})
}

func TestLettersThatWaitOrFailedAreFoundByKind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		of := func(kind, matter string, state notice.State) notice.Notice {
			n := letter("sfj", day0)
			n.Key.Kind, n.Key.Matter, n.State = kind, matter, state
			n.ID = n.Key.ID()
			return n
		}
		planned(t, s, begin(t, s), day0, of(notice.UnitLetter, "", notice.Pending), of(notice.BureauDigest, "", notice.Held),
			of(notice.Summary, "p/1@2024-08", notice.Retry), of(notice.PersonnelLetter, "", notice.Failed), of(notice.Summary, "p/2@2024-08", notice.Failed),
			of(notice.SupervisionForm, "m1", notice.Held), of(notice.SupervisionForm, "m2", notice.Failed))
		kinds := func(letters []notice.Notice) string {
			out := ""
			for _, n := range letters {
				out += n.Key.Kind + " "
			}
			return out
		}
		for kind, want := range map[string][2]string{
			"":                     {"bureau-digest summary unit-letter ", "summary personnel-letter "}, // no form
			notice.SupervisionForm: {"supervision-form ", "supervision-form "},
			notice.UnitLetter:      {"unit-letter ", ""},
			notice.BureauDigest:    {"bureau-digest ", ""},
			notice.Summary:         {"summary ", "summary "},
			notice.PersonnelLetter: {"", "personnel-letter "},
		} {
			waiting := strings.Fields(kinds(got[[]notice.Notice](t)(s.Unsent(ctx, j, kind, day0+1))))
			equal(t, "unsent of "+kind, len(waiting), len(strings.Fields(want[0])))
			for _, k := range strings.Fields(want[0]) {
				if !strings.Contains(strings.Join(waiting, " "), k) {
					t.Errorf("unsent of %q: %v", kind, waiting)
				}
			}
			equal(t, "failed of "+kind, kinds(got[[]notice.Notice](t)(s.FailedSince(ctx, j, kind, day0, day0+1))), want[1])
		}
	})
}

func TestHoldsComeWithTheirObligationHoweverItIsRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := aDay(t, s)
		ref := refOf("1", "b", "m1")
		hold := func(step, reason string, arm int, d civil.Date) task.Hold {
			return task.Hold{Obligation: ref.String(), Arm: arm, Step: step, On: d, Reason: reason}
		}
		plans := [][]task.Hold{
			{hold("T+2", "登记未核对", 0, day0), {Obligation: refOf("3", "a", "m1").String(), Step: "T+2", On: day0, Reason: "x"}},
			{hold("T+5", "延期待答复", 0, day0+1), hold("T+2", "延期待答复", 1, day0+1)},
			{hold("T+2", "再核对", 0, day0)}, // the first day once more
		}
		for i, holds := range plans {
			r := claimed(t, s, fmt.Sprint("remind", i), day0)
			r.State = run.Done
			if err := s.SavePlan(ctx, j, seq, run.DayPlan{Holds: holds, Run: r}); err != nil {
				t.Fatal(err)
			}
			seq++
		}
		want := []task.Hold{plans[0][0], plans[2][0], plans[1][0], plans[1][1]}
		record := got[[]task.Record](t)
		for what, found := range map[string][]task.Record{
			"record":    {got[task.Record](t)(s.Record(ctx, ref))},
			"records":   record(s.Records(ctx, j, task.RecordFilter{Unit: "b"})),
			"of refs":   record(s.RecordsOf(ctx, j, []string{ref.String()})),
			"instances": record(s.Instances(ctx, j, []task.TaskID{ref.TaskID})),
			"due":       record(s.Due(ctx, j, day0, "", 0)),
			"raised":    record(s.Raised(ctx, j, day0, []string{"b"})),
			"lately":    record(s.Lately(ctx, j, day0-400, []task.TaskID{ref.TaskID})),
			"unsettled": record(s.Unsettled(ctx, j, day0)),
			"due in":    record(s.DueIn(ctx, j, nil, day0, day0+10)),
		} {
			if what == "lately" && len(found) == 0 {
				continue // aDay's caches have no dates
			}
			seen := false
			for _, r := range found {
				switch r.Obligation.Ref {
				case ref:
					seen = true
					equal(t, what, r.Holds, want)
				case refOf("3", "a", "m1"):
					equal(t, what+", another", r.Holds, plans[0][1:])
				default:
					equal(t, what+", one without", r.Holds, []task.Hold(nil))
				}
			}
			if !seen {
				t.Errorf("%s: it is not among %s", what, refs(found))
			}
		}
		for name, h := range map[string]task.Hold{
			"of no obligation": {Obligation: j + "/zfzl2024/9/a/m1", Step: "T+2", On: day0},
			"of another's":     {Obligation: "gangcheng/p/1/a/m1", Step: "T+2", On: day0},
			"of no day":        {Obligation: ref.String(), Step: "T+2"},
		} {
			r := claimed(t, s, "bad "+name, day0)
			r.State = run.Done
			if err := s.SavePlan(ctx, j, seq, run.DayPlan{Holds: []task.Hold{hold("T+9", "x", 0, day0), h}, Run: r}); err == nil {
				t.Errorf("a hold %s was stored", name)
			}
			equal(t, name, len(got[task.Record](t)(s.Record(ctx, ref)).Holds), len(want))
		}
	})
}

func TestLookingBackUsesItsIndexes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		periods(t, s)
		d, e := day0.String(), (day0 + 1).String()
		kinds := []task.Kind{task.Monthly, task.Quarterly}
		due, dueArgs := store.QueryDueIn(s, j, kinds, day0, day0+1)
		dueAll, dueAllArgs := store.QueryDueIn(s, j, nil, day0, day0+1)
		periods, periodArgs := store.QueryPeriods(s, j, kinds, day0, day0+1)
		anyPeriod, anyPeriodArgs := store.QueryAnyPeriod(s, j, kinds, day0, day0+1)
		for _, c := range []struct {
			query, index, search string
			args                 []any
		}{
			{store.QueryUnsettled(s), "obligations_final", "(jurisdiction=? AND final_from>?)", []any{j, d, j}},
			{store.QueryUnsettled(s), "obligations_final", "(jurisdiction=? AND final_from=?)", []any{j, d, j}},
			{store.QuerySettled(s), "obligations_final", "COVERING INDEX obligations_final (jurisdiction=? AND final_from>? AND final_from<?)", []any{j, d}},
			{store.QueryKnown(), "PRIMARY", "(ref=?)", []any{j + "/a", j + "/b"}},
			{due, "obligations_due", "(jurisdiction=? AND effective>? AND effective<?)", dueArgs},
			{due, "obligations_due_now", "(jurisdiction=? AND now_effective>? AND now_effective<?)", dueArgs},
			{dueAll, "obligations_due_now", "(jurisdiction=? AND now_effective>? AND now_effective<?)", dueAllArgs},
			{periods, "obligations_due", "(jurisdiction=? AND effective>?)", periodArgs},
			{anyPeriod, "obligations_due", "(jurisdiction=? AND effective>? AND effective<?)", anyPeriodArgs},
			{store.QuerySteps(s), "steps_on", "(jurisdiction=? AND on_date>? AND on_date<?)", []any{j, d, e}},
			{store.QueryBriefs(s), "notices_key", "(jurisdiction=? AND logical_date>? AND logical_date<?)", []any{j, d, e}},
			{store.QueryLast(s), "notices_kind", "(jurisdiction=? AND kind=? AND logical_date<?)", []any{j, notice.BureauDigest, d, "cancelled"}},
			{store.QueryOccurrences(s), "occurrences_kind", "(jurisdiction=? AND kind=?)", []any{j, "行政处罚决定"}},
			{store.QueryNumber, "documents_number", "COVERING INDEX documents_number (jurisdiction=? AND kind=? AND number_year=?)", []any{j, notice.Report, 2024}},
			{store.QueryDrafts(s), "documents_state", "(jurisdiction=? AND state=?)", []any{j, "draft"}},
		} {
			plan := got[string](t)(store.Explain(t.Context(), s, c.query, c.args...))
			search := strings.NewReplacer("final_from>? AND final_from<?", "final_from<?").Replace(c.search)
			if s.Dialect() == "mysql" {
				search = c.index
				if c.query == store.QueryNumber { // answered while the plan is made, or from the index
					search = ""
				}
			}
			plain := strings.ReplaceAll(strings.ReplaceAll(plan, "UNION ALL", ""), "<union", "")
			if s.Dialect() == "mysql" {
				plain = strings.ReplaceAll(plain, "UNION RESULT", "")
			}
			scan := strings.Contains(plain, "SCAN ") || s.Dialect() == "mysql" && scansATable(plain)
			sorts := (strings.HasPrefix(c.index, "notices_") || c.query == store.QuerySettled(s)) && (strings.Contains(plain, "filesort") || strings.Contains(plain, "TEMP B-TREE"))
			if !strings.Contains(plan, search) || scan || sorts {
				t.Errorf("%s\nis not searched by %s:\n%s", c.query, search, plan)
			}
		}
	})
}

// scansATable reports whether MariaDB's plan reads a whole table of ours; what a UNION has gathered it always does.
func scansATable(plan string) bool {
	for line := range strings.Lines(plan) {
		if strings.Contains(line, " ALL ") && !strings.Contains(line, "RESULT") && !strings.Contains(line, "1,2") {
			return true
		}
	}
	return false
}
