package register_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/register"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/store"
	"duban/store/storetest"
)

func date(s string) civil.Date { return civil.MustParse(s) }

func parse(text string) deadline.Reading { return deadline.Parse(text, date("2024-01-15")) }

// town is a register with units a, b and c, of which a and b form the group "all", and a plan "zf" of 2024-01-15.
type town struct {
	register.Register
	t   *testing.T
	s   *store.Store
	set planner.Settings
}

// each runs a story on both engines.
func each(t *testing.T, story func(w *town)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := &town{t: t, s: s, set: planner.Settings{
			Calendar: workday.National(), Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: 5}, ReportDay: 10, Roll: planner.Keep, Rules: rules(),
		}}
		w.Register = register.Register{
			Store: s, Settings: func(string) (planner.Settings, error) { return w.set, nil },
			Clock: func() time.Time { return time.Date(2024, 12, 31, 1, 0, 0, 0, time.UTC) },
		}
		w.found()
		story(w)
	})
}

func rules() []task.Rule {
	return []task.Rule{
		{Kind: "行政处罚决定", Plan: "zf", Row: "8", N: 7, Unit: "workday", Roll: "next"},
		{Kind: "行政处罚决定", Plan: "zf", Row: "10", N: 2, Unit: "year", Roll: "keep", Chase: task.ChaseNone},
		{Kind: "行政许可决定", Plan: "zf", Row: "8", N: 7, Unit: "workday", Roll: "next"},
		{Kind: "其他执法决定", Plan: "zf", Row: "9", N: 20, Unit: "workday", Roll: "next"},
		{Kind: "监督意见", Plan: "zf", Row: "18", Roll: "next"},
		{Kind: "证件暂扣", Plan: "zf", Row: "17", N: 3, Unit: "month", Roll: "keep"},
		{Kind: "机构改革完成", Plan: "zf", Row: "12"},
		{Kind: "写错的规则", Plan: "zf", Row: "99", N: 7, Unit: "day"},
		{Kind: "有期限的事项", Plan: "zf", Row: "1", N: 7, Unit: "day"},
	}
}

func (w *town) found() {
	w.t.Helper()
	unit := func(code string, groups ...string) task.Unit {
		return task.Unit{Code: code, Name: "县" + code + "局", FullName: "某县" + code + "局", Honorific: "贵局", Chase: task.ChaseLetter, Groups: groups, On: date("2000-01-01"),
			Contacts: []task.Contact{{Role: task.Liaison, Name: "甲", Email: code + "@gov.example"}}}
	}
	all := []task.Party{{Code: "all", Group: true, Role: task.Responsible, Owes: task.OwesDeliver}}
	row := func(code, text string, category task.Category, parties ...task.Party) task.Task {
		t := task.Task{TaskID: task.TaskID{Jurisdiction: "ss", Plan: "zf", Row: code}, Title: "任务" + code, DeadlineText: text, Category: category,
			Reading: deadline.Parse(text, date("2024-01-15")), Deliverable: "材料", Parties: parties, On: date("2024-01-15")}
		if len(parties) == 0 {
			t.Parties = all
		}
		return t
	}
	w.write(task.Batch{
		Jurisdiction: &task.Jurisdiction{Code: "ss", Name: "某县", Bureau: "c"},
		Plans:        []task.Plan{{Code: "zf", Title: "方案", Issued: date("2024-01-15"), On: date("2024-01-15")}, {Code: "zf2", Title: "又一方案", Issued: date("2024-01-15"), On: date("2024-01-15")}},
		Units:        []task.Unit{unit("a", "all"), unit("b", "all"), unit("c")},
		Groups:       []task.Group{{Code: "all", Name: "各部门", On: date("2000-01-01")}},
		People: []task.Person{
			{Key: "p1", Name: "金某", Unit: "a", Post: "执法", CertState: "有效", Duty: "在岗", On: date("2000-01-01")},
			{Key: "p1", Name: "金某", Unit: "a", Post: "执法", CertState: "有效", Duty: "在岗", Hours: 8, On: date("2024-10-01")},
			{Key: "p2", Name: "史某", Unit: "b", Post: "执法", CertState: "有效", Duty: "在岗", On: date("2000-01-01")},
		},
		Tasks: []task.Task{
			row("1", "2024年6月底前", ""), row("6", "每月25日前", ""), row("8", "在作出之日起7个工作日内公示", task.PerCase), row("9", "20个工作日内公示", task.PerCase),
			row("10", "保存期限不少于2年", task.PerCase), row("12", "机构改革完成后6个月内", ""), row("17", "暂扣行政执法证3个月", task.Personnel), row("18", "", task.PerCase),
		},
	})
}

func (w *town) write(b task.Batch) {
	w.t.Helper()
	seq := int64(0)
	if j, err := w.s.Jurisdiction(w.t.Context(), "ss"); err == nil {
		seq = j.Seq
	} else if !errors.Is(err, task.ErrNotFound) {
		w.t.Fatal(err)
	}
	b.At = w.Clock()
	if _, err := w.s.Write(w.t.Context(), "ss", seq, b); err != nil {
		w.t.Fatal(err)
	}
}

// open opens what day d opens.
func (w *town) open(d string) {
	w.t.Helper()
	ctx := w.t.Context()
	j, err := w.s.Jurisdiction(ctx, "ss")
	must(w.t, err)
	src := planner.Sources{Jurisdiction: j, Existing: map[string]bool{}}
	src.Plans, err = w.s.Plans(ctx, "ss")
	must(w.t, err)
	ids, err := w.s.TasksToOpen(ctx, "ss", date(d))
	must(w.t, err)
	if len(ids) == 0 {
		return
	}
	src.Tasks, err = w.s.TaskVersions(ctx, "ss", ids)
	must(w.t, err)
	src.Directory, err = w.s.Directory(ctx, "ss")
	must(w.t, err)
	src.TaskEvents, err = w.s.TaskEvents(ctx, "ss", ids)
	must(w.t, err)
	refs, err := w.s.Opened(ctx, "ss", ids)
	must(w.t, err)
	for _, r := range refs {
		src.Existing[r] = true
	}
	out := planner.Open(src, w.set, date(d))
	b := task.Batch{Obligations: out.Obligations, NextOpen: out.NextOpen}
	for _, o := range out.Obligations {
		b.Caches = append(b.Caches, planner.CacheOf(task.Record{Obligation: o}, task.Task{}, task.Unit{}, w.set, 0))
		b.Events = append(b.Events, task.Event{Jurisdiction: "ss", On: o.Opened, Kind: task.Opened, Subject: o.Ref.String(), Who: "duban open"})
	}
	w.write(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// happened is one row: kind, reference, unit and day, then whatever else.
func happened(kind, ref, unit, on string, change ...func(*register.EventRow)) register.EventRow {
	r := register.EventRow{Occurrence: task.Occurrence{Kind: kind, Ref: ref, Unit: unit, On: date(on)}}
	for _, f := range change {
		f(&r)
	}
	return r
}

func due(d string) func(*register.EventRow) { return func(r *register.EventRow) { r.Due = date(d) } }
func of(person string) func(*register.EventRow) {
	return func(r *register.EventRow) { r.Person = person }
}
func under(row string) func(*register.EventRow) { return func(r *register.EventRow) { r.Task = row } }
func exempt(why string) func(*register.EventRow) {
	return func(r *register.EventRow) { r.Exempt = why }
}

func (w *town) events(on string, rows ...register.EventRow) (register.Changes, error) {
	return w.ImportEvents(w.t.Context(), w.s, register.EventsImport{Jurisdiction: "ss", Rows: rows, On: date(on), Who: "李敏"})
}

// takes imports the rows and tells what it comes to.
func (w *town) takes(on string, rows ...register.EventRow) string {
	w.t.Helper()
	got, err := w.events(on, rows...)
	must(w.t, err)
	lines := make([]string, 0, len(got.Changes))
	for _, c := range got.Changes {
		lines = append(lines, c.Did+" "+c.Code+": "+c.What)
	}
	return strings.Join(append(lines, fmt.Sprintf("%d unchanged, %d items", got.Unchanged, got.Items)), "\n")
}

func (w *town) refuses(on string, want map[int]string, rows ...register.EventRow) {
	w.t.Helper()
	before, err := w.s.Jurisdiction(w.t.Context(), "ss")
	must(w.t, err)
	_, err = w.events(on, rows...)
	var bad register.RowErrors
	if !errors.As(err, &bad) {
		w.t.Errorf("not refused: %v", err)
		return
	}
	got := map[int]string{}
	for _, b := range bad {
		got[b.Row] += b.Column + ": " + b.Reason
	}
	for row, words := range want {
		for _, word := range strings.Split(words, "…") {
			if !strings.Contains(got[row], word) {
				w.t.Errorf("row %d: %q, want %q", row, got[row], word)
			}
		}
		delete(got, row)
	}
	for row, why := range got {
		w.t.Errorf("row %d is refused: %s", row, why)
	}
	if after, err := w.s.Jurisdiction(w.t.Context(), "ss"); err != nil || after.Seq != before.Seq {
		w.t.Errorf("a refused import wrote something: seq %d, was %d", after.Seq, before.Seq)
	}
}

// items lists the items with events of their own kinds, as of a day: "8/a/e:1 clock nominal effective state".
func (w *town) items(d string, rows ...string) string {
	w.t.Helper()
	recs, err := w.s.Records(w.t.Context(), "ss", task.RecordFilter{})
	must(w.t, err)
	var out []string
	for _, rec := range recs {
		o := rec.Obligation
		if o.Opened > date(d) || len(rows) > 0 && !slices.Contains(rows, o.Row) {
			continue
		}
		st, err := w.Status(rec, date(d))
		must(w.t, err)
		line := fmt.Sprintf("%s/%s/%s %s %s %s", o.Row, o.Unit, o.Instance, o.Kind, st.Effective, st.State)
		if st.Nominal != st.Effective {
			line += " nominal " + st.Nominal.String()
		}
		if o.Owes != task.OwesDeliver {
			line += " owes " + string(o.Owes)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func (w *town) same(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

// The decisions of row 8 are published within 7 working days, others of row 9 within 20: the first day is not counted,
// and 国庆 is none.
func TestDecisionsStartTheirClocks(t *testing.T) {
	each(t, func(w *town) {
		list := []register.EventRow{
			happened("行政许可决定", "泗许可〔2024〕12号", "a", "2024-09-18"), happened("行政许可决定", "泗许可〔2024〕13号", "b", "2024-09-29"),
			happened("其他执法决定", "泗强〔2024〕3号", "a", "2024-09-18"),
		}
		w.same("first", w.takes("2024-09-30", list...), strings.Join([]string{
			"added 泗许可〔2024〕12号: 行政许可决定 a, zf/8 due 2024-09-27", "added 泗许可〔2024〕13号: 行政许可决定 b, zf/8 due 2024-10-14",
			"added 泗强〔2024〕3号: 其他执法决定 a, zf/9 due 2024-10-21", "0 unchanged, 3 items"}, "\n"))
		w.open("2024-09-30")
		want := "8/a/e:泗许可〔2024〕12号 clock 2024-09-27 waiting\n8/b/e:泗许可〔2024〕13号 clock 2024-10-14 waiting\n9/a/e:泗强〔2024〕3号 clock 2024-10-21 waiting"
		w.same("opened", w.items("2024-09-30", "8", "9", "10"), want)
		w.same("again", w.takes("2024-10-08", list...), "3 unchanged, 0 items")
		w.open("2024-10-08")
		w.same("opened again", w.items("2024-10-08", "8", "9", "10"), want)
		happened, err := w.s.Occurrences(w.t.Context(), "ss")
		if err != nil || len(happened) != 3 || happened[0].Who != "李敏" {
			w.t.Errorf("%v, %v", happened, err)
		}
	})
}

// A number is told by what it says: kinds of brackets, widths and spaces start no second clock. It stays as first written.
func TestOneCaseStartsOneClockHoweverItIsWritten(t *testing.T) {
	each(t, func(w *town) {
		w.takes("2024-09-18", happened("行政处罚决定", "示交罚〔2024〕17号", "a", "2024-09-18"))
		w.open("2024-09-18")
		for _, ref := range []string{"示交罚[2024]17号", "示交罚（2024）17号", "示交罚(2024)17号", "示交罚【2024】17号", "示交罚〔2024〕 17号", "示交罚﹝２０２４﹞17号"} {
			w.same(ref, w.takes("2024-09-19", happened("行政处罚决定", ref, "a", "2024-09-18")), "1 unchanged, 0 items")
		}
		w.same("a correction in another writing", w.takes("2024-09-19", happened("行政处罚决定", "示交罚[2024]17号", "a", "2024-09-19")), "changed 示交罚〔2024〕17号: 行政处罚决定 a, "+
			"zf/8 due 2024-09-29 (was 2024-09-27), the open item moves, zf/10 due 2026-09-19 (was 2026-09-18), the open item moves, day 2024-09-18 → 2024-09-19\n0 unchanged, 2 items")
		w.open("2024-09-19")
		w.same("one clock of each rule", w.items("2024-09-19", "8", "10"), "10/a/e:示交罚〔2024〕17号 clock 2026-09-19 waiting owes none\n8/a/e:示交罚〔2024〕17号 clock 2024-09-29 waiting")
		for _, other := range []string{"示交罚〔2024〕18号", "示交罚〔2024〕117号", "示交罚〔2023〕17号", "示交〔2024〕17号"} {
			if got := w.takes("2024-09-20", happened("行政许可决定", other, "a", "2024-09-18")); !strings.HasPrefix(got, "added "+other) {
				w.t.Error(got)
			}
		}
		if got := w.takes("2024-09-20", happened("行政处罚决定", "示交罚[2024]17号", "b", "2024-09-18")); !strings.HasPrefix(got, "added 示交罚[2024]17号") {
			w.t.Errorf("another unit's: %s", got)
		}
		_, err := w.Trigger(w.t.Context(), task.TaskID{Jurisdiction: "ss", Plan: "zf", Row: "8"}, task.Event{On: date("2024-09-18"), Unit: "a", Ref: "示交罚[2024]17号", Who: "李敏"})
		if err == nil || !strings.Contains(err.Error(), "already") {
			w.t.Errorf("triggered twice: %v", err)
		}
	})
}

func TestEachRuleOfAKindStartsAClockAndRetentionIsListed(t *testing.T) {
	each(t, func(w *town) {
		w.takes("2024-03-01", happened("行政处罚决定", "1", "a", "2024-02-29"))
		w.open("2024-03-01")
		w.same("opened", w.items("2024-03-01", "8", "10"), "10/a/e:1 clock 2026-02-28 waiting owes none\n8/a/e:1 clock 2024-03-11 waiting")
	})
}

func TestTheDateOfTheDocumentAndOfTheRow(t *testing.T) {
	each(t, func(w *town) {
		w.same("taken", w.takes("2024-09-30",
			happened("监督意见", "监〔2024〕1号", "a", "2024-05-31", due("2024-06-30")), // a Sunday
			happened("机构改革完成", "批复1", "b", "2024-08-29"),
			happened("约谈", "谈1", "a", "2024-09-02", due("2024-09-12"), under("18")),
			happened("约谈", "谈2", "a", "2024-09-02", under("zf/8")),
			happened("其他执法决定", "强1", "a", "2024-09-02", due("2024-09-20")),
		), strings.Join([]string{
			"added 监〔2024〕1号: 监督意见 a, zf/18 due 2024-07-01", "added 批复1: 机构改革完成 b, zf/12 due 2025-02-28",
			"added 谈1: 约谈 a, zf/18 due 2024-09-12", "added 谈2: 约谈 a, zf/8 due 2024-09-11",
			"added 强1: 其他执法决定 a, zf/9 due 2024-09-30 by the rule, whatever the document says (2024-09-20)", "0 unchanged, 5 items"}, "\n"))
		w.open("2024-09-30")
		w.same("opened", w.items("2024-09-30", "8", "12", "18"), strings.Join([]string{
			"12/b/e:批复1 condition 2025-02-28 waiting", "18/a/e:监〔2024〕1号 clock 2024-07-01 waiting nominal 2024-06-30",
			"18/a/e:谈1 clock 2024-09-12 waiting", "8/a/e:谈2 clock 2024-09-11 waiting"}, "\n"))
	})
}

func TestBadRowsAreAllNamedAndNothingIsWritten(t *testing.T) {
	each(t, func(w *town) {
		w.refuses("2024-09-30", map[int]string{
			1: "事件类型: no rule…任务编号…kinds known: 事后评价, 其他执法决定", 2: "单位: unit c had no part in the row zf/8", 3: "规定期限: neither the rule nor the row zf/18",
			4: "事件类型: the rule for 写错的规则 names the row zf/99", 5: "事件类型: the row zf/1 has the deadline \"2024年6月底前\" and waits for no event", 6: "任务编号: no plan in force on 2024-09-18 has a row 77",
			7: "发生日期: the row zf/8 was not in force on 2024-01-02", 8: "人员编号: the roster holds nobody", 9: "人员编号: the person of this number belongs to b", 10: "任务编号: 检查备案 starts no clock",
			11: "编号: entry 1 opens an item of the same number",
		},
			happened("行政许可决定", "1", "a", "2024-09-18"), happened("约谈", "2", "a", "2024-09-18"), happened("行政许可决定", "3", "c", "2024-09-18"),
			happened("监督意见", "4", "a", "2024-09-18"), happened("写错的规则", "5", "a", "2024-09-18"), happened("有期限的事项", "6", "a", "2024-09-18"),
			happened("行政许可决定", "7", "a", "2024-09-18", under("77")), happened("行政许可决定", "8", "a", "2024-01-02"),
			happened("证件暂扣", "9", "a", "2024-09-18", of("p9")), happened("证件暂扣", "10", "a", "2024-09-18", of("p2")),
			happened("检查备案", "11", "a", "2024-09-18", under("8")), happened("约谈", "1", "a", "2024-09-18", under("8")),
		)
	})
}

// A date that was entered wrongly moves the open item, whether it is open already or not, and never a second one opens.
func TestACorrectedDateMovesTheItem(t *testing.T) {
	each(t, func(w *town) {
		w.takes("2024-09-19", happened("行政许可决定", "1", "a", "2024-09-18"), happened("行政许可决定", "2", "a", "2024-09-18"))
		w.same("before it opened", w.takes("2024-09-19", happened("行政许可决定", "1", "a", "2024-09-19")),
			"changed 1: 行政许可决定 a, zf/8 due 2024-09-29 (was 2024-09-27), day 2024-09-18 → 2024-09-19\n0 unchanged, 1 items")
		w.open("2024-09-20")
		w.same("opened", w.items("2024-09-20", "8"), "8/a/e:1 clock 2024-09-29 waiting\n8/a/e:2 clock 2024-09-27 waiting")
		w.same("after it opened", w.takes("2024-09-24", happened("行政许可决定", "2", "a", "2024-09-14")),
			"changed 2: 行政许可决定 a, zf/8 due 2024-09-26 (was 2024-09-27), the open item moves, day 2024-09-18 → 2024-09-14\n0 unchanged, 1 items")
		w.open("2024-09-24")
		w.same("moved", w.items("2024-09-24", "8"), "8/a/e:1 clock 2024-09-29 waiting\n8/a/e:2 clock 2024-09-26 waiting")
		w.same("what was known", w.items("2024-09-23", "8"), "8/a/e:1 clock 2024-09-29 waiting\n8/a/e:2 clock 2024-09-27 waiting")
		ref := task.Ref{TaskID: task.TaskID{Jurisdiction: "ss", Plan: "zf", Row: "8"}, Unit: "a", Instance: "e:2"}
		_, err := w.Record(w.t.Context(), ref, task.Event{Kind: task.Reported, On: date("2024-09-26"), Who: "李敏"})
		must(w.t, err)
		w.refuses("2024-10-31", map[int]string{0: "发生日期: ss/zf/8/a/e:2 is done…reopen it first"}, happened("行政许可决定", "2", "a", "2024-09-18"))
		w.same("while the bureau looks at it", w.takes("2024-09-27", happened("行政许可决定", "2", "a", "2024-09-18")),
			"changed 2: 行政许可决定 a, zf/8 due 2024-09-27 (was 2024-09-26), the open item moves, day 2024-09-14 → 2024-09-18\n0 unchanged, 1 items")
	})
}

func TestWhatDoesNotApply(t *testing.T) {
	each(t, func(w *town) {
		w.same("exempt", w.takes("2024-09-19", happened("行政许可决定", "1", "a", "2024-09-18", exempt("涉及国家秘密"))),
			"added 1: 行政许可决定 a, not applicable: 涉及国家秘密\n0 unchanged, 0 items")
		w.takes("2024-09-19", happened("行政许可决定", "2", "a", "2024-09-18"))
		w.open("2024-09-19")
		w.same("opened", w.items("2024-09-19", "8"), "8/a/e:2 clock 2024-09-27 waiting")
		w.same("found out later", w.takes("2024-09-24", happened("行政许可决定", "2", "a", "2024-09-18", exempt("涉及国家秘密"))),
			"changed 2: 行政许可决定 a, zf/8 no longer runs, the item is waived, not applicable nothing → 涉及国家秘密\n0 unchanged, 1 items")
		w.same("waived", w.items("2024-09-24", "8"), "8/a/e:2 clock 2024-09-27 waived")
		w.same("it applies after all", w.takes("2024-09-25", happened("行政许可决定", "2", "a", "2024-09-18")),
			"changed 2: 行政许可决定 a, zf/8 due 2024-09-27, the item opens again, not applicable 涉及国家秘密 → nothing\n0 unchanged, 1 items")
		w.open("2024-09-25")
		w.same("open", w.items("2024-09-25", "8"), "8/a/e:2 clock 2024-09-27 waiting")
		w.same("another row", w.takes("2024-09-26", happened("行政许可决定", "2", "a", "2024-09-18", under("9"), due("2024-10-08"))),
			"changed 2: 行政许可决定 a, zf/9 due 2024-10-08, zf/8 no longer runs, the item is withdrawn, date in the document nothing → 2024-10-08\n0 unchanged, 2 items")
		w.open("2024-09-26")
		w.same("moved", w.items("2024-09-26", "8", "9"), "8/a/e:2 clock 2024-09-27 withdrawn\n9/a/e:2 clock 2024-10-08 waiting")
	})
}

func TestASuspensionIsWrittenIntoTheRoster(t *testing.T) {
	each(t, func(w *town) {
		roster := func(d string) string {
			people, err := w.s.People(w.t.Context(), "ss")
			must(w.t, err)
			for _, p := range task.PeopleAsOf(people, date(d)) {
				if p.Key == "p1" {
					return strings.TrimSpace(fmt.Sprint(p.CertState, " ", p.HeldFrom, " ", p.HeldTo, " ", p.Hours))
				}
			}
			return ""
		}
		list := []register.EventRow{happened("证件暂扣", "扣1", "a", "2024-08-31", of("p1")), happened("证件暂扣", "扣2", "b", "2024-08-30")}
		w.same("taken", w.takes("2024-11-01", list...), "added 扣1: 证件暂扣 a, zf/17 due 2024-11-30, the certificate is held until 2024-11-30\n"+
			"added 扣2: 证件暂扣 b, zf/17 due 2024-11-30\n0 unchanged, 2 items")
		w.open("2024-11-01")
		w.same("listed, and told to nobody", w.items("2024-11-01", "17"), "17/a/e:扣1 clock 2024-11-30 waiting owes none\n17/b/e:扣2 clock 2024-11-30 waiting owes none")
		for d, want := range map[string]string{"2024-08-30": "有效   0", "2024-08-31": "暂扣 2024-08-31 2024-11-30 0", "2024-10-01": "暂扣 2024-08-31 2024-11-30 8"} {
			w.same(d, roster(d), want)
		}
		w.same("again", w.takes("2024-11-02", list...), "2 unchanged, 0 items")
		w.takes("2024-11-02", happened("证件暂扣", "扣1", "a", "2024-09-02", of("p1")))
		for d, want := range map[string]string{"2024-08-31": "有效   0", "2024-09-02": "暂扣 2024-09-02 2024-12-02 0", "2024-10-01": "暂扣 2024-09-02 2024-12-02 8"} {
			w.same("corrected "+d, roster(d), want)
		}
		w.refuses("2024-11-03", map[int]string{0: "人员编号: the same document held the certificate of somebody else"}, happened("证件暂扣", "扣1", "a", "2024-09-02"))
		w.takes("2024-11-04", happened("证件暂扣", "扣1", "a", "2024-09-02", of("p1"), exempt("误录")))
		for _, d := range []string{"2024-09-02", "2024-10-01"} {
			w.same("taken back "+d, strings.Fields(roster(d))[0], "有效")
		}
	})
}

// A suspension that says whose certificate is held and until when needs no rule; one that does not is refused as before.
func TestASuspensionNeedsNoRule(t *testing.T) {
	each(t, func(w *town) {
		w.set.Rules = slices.DeleteFunc(w.set.Rules, func(r task.Rule) bool { return r.Kind == task.CertificateHeld })
		list := []register.EventRow{happened("证件暂扣", "扣1", "a", "2024-08-31", of("p1"), due("2024-11-29"))}
		w.refuses("2024-11-01", map[int]string{0: "事件类型: no rule says", 1: "事件类型: no rule says"},
			happened("证件暂扣", "扣1", "a", "2024-08-31", of("p1")), happened("证件暂扣", "扣2", "b", "2024-08-30", due("2024-11-29")))
		w.same("taken", w.takes("2024-11-01", list...), "added 扣1: 证件暂扣 a, the certificate is held until 2024-11-29\n0 unchanged, 0 items")
		w.same("again", w.takes("2024-11-02", list...), "1 unchanged, 0 items")
		people, err := w.s.People(w.t.Context(), "ss")
		must(w.t, err)
		if p := task.PeopleAsOf(people, date("2024-11-01"))[0]; p.CertState != "暂扣" || p.HeldFrom != date("2024-08-31") || p.HeldTo != date("2024-11-29") {
			w.t.Errorf("%+v", p)
		}
		w.same("not held after all", w.takes("2024-11-03", happened("证件暂扣", "扣1", "a", "2024-08-31", of("p1"), due("2024-11-29"), exempt("误录"))),
			"changed 扣1: 证件暂扣 a, the certificate is not held, not applicable nothing → 误录\n0 unchanged, 0 items")
	})
}

// The roster of every month calls everybody 有效. It and the list of events do not undo each other; days that the roster gives
// itself do end the suspension, and so does a correction of the event.
func TestARosterDoesNotLiftASuspensionThatLasts(t *testing.T) {
	each(t, func(w *town) {
		p1 := task.Person{Key: "p1", Name: "金某", Unit: "a", Post: "执法", CertState: "有效", Duty: "在岗", Hours: 8}
		p2 := task.Person{Key: "p2", Name: "史某", Unit: "b", Post: "执法", CertState: "有效", Duty: "在岗"}
		imports := func(on string, list ...task.Person) string {
			out, err := w.ImportPeople(w.t.Context(), w.s, "ss", list, date(on), false)
			must(w.t, err)
			return fmt.Sprint(len(out.Changes), " changed, ", out.Unchanged, " unchanged")
		}
		state := func(on string) string {
			people, err := w.s.People(w.t.Context(), "ss")
			must(w.t, err)
			p := task.PeopleAsOf(people, date(on))[0]
			return strings.TrimSpace(fmt.Sprint(p.CertState, " ", p.HeldFrom, " ", p.HeldTo))
		}
		event := happened("证件暂扣", "扣1", "a", "2024-08-31", of("p1"))
		w.takes("2024-10-08", event)
		for range 2 {
			w.same("the roster again", imports("2024-10-08", p1, p2), "0 changed, 2 unchanged")
			w.same("the event again", w.takes("2024-10-08", event), "1 unchanged, 0 items")
		}
		more := p1
		more.Hours = 20
		w.same("something else changes", imports("2024-11-01", more, p2), "1 changed, 1 unchanged")
		w.same("held", state("2024-11-01"), "暂扣 2024-08-31 2024-11-30")
		early := more
		early.HeldFrom, early.HeldTo = date("2024-08-31"), date("2024-11-10")
		w.same("its own days", imports("2024-11-11", early, p2), "1 changed, 1 unchanged")
		w.same("lifted", state("2024-11-11"), "有效 2024-08-31 2024-11-10")
		w.same("the event changes nothing", w.takes("2024-11-12", event), "1 unchanged, 0 items")
		w.same("nor the days left out", imports("2024-11-13", more, p2), "1 changed, 1 unchanged")
		w.same("and again", imports("2024-11-14", more, p2), "0 changed, 2 unchanged")
		w.same("still lifted", strings.Fields(state("2024-11-13"))[0], "有效")
	})
	each(t, func(w *town) {
		p1 := task.Person{Key: "p1", Name: "金某", Unit: "a", Post: "执法", CertState: "有效", Duty: "在岗", Hours: 8}
		w.takes("2024-10-08", happened("证件暂扣", "扣1", "a", "2024-08-31", of("p1")))
		out, err := w.ImportPeople(w.t.Context(), w.s, "ss", []task.Person{p1}, date("2024-12-02"), false)
		must(w.t, err)
		if len(out.Changes) == 0 || !strings.Contains(fmt.Sprint(out.Changes), "changed") { // after its end the list is taken as it is
			w.t.Errorf("%+v", out)
		}
	})
}

func TestInspectionsStartNoClock(t *testing.T) {
	each(t, func(w *town) {
		w.same("taken", w.takes("2024-09-30", happened("检查备案", "J1", "a", "2024-09-18"), happened("检查登记", "J1", "a", "2024-09-20"), happened("事后评价", "J1", "a", "2024-09-21")),
			"added J1: 检查备案 a\nadded J1: 检查登记 a\nadded J1: 事后评价 a\n0 unchanged, 0 items")
		w.open("2024-09-30")
		w.same("nothing opens", w.items("2024-09-30", "8", "9", "10", "18"), "")
	})
}

func TestADryRunWritesNothing(t *testing.T) {
	each(t, func(w *town) {
		before, err := w.s.Jurisdiction(w.t.Context(), "ss")
		must(w.t, err)
		got, err := w.ImportEvents(w.t.Context(), w.s, register.EventsImport{
			Jurisdiction: "ss", Rows: []register.EventRow{happened("行政许可决定", "1", "a", "2024-09-18")}, On: date("2024-09-19"), Who: "李敏", DryRun: true,
		})
		must(w.t, err)
		after, err := w.s.Jurisdiction(w.t.Context(), "ss")
		if err != nil || len(got.Changes) != 1 || after.Seq != before.Seq {
			w.t.Errorf("%v, seq %d, was %d, %v", got, after.Seq, before.Seq, err)
		}
	})
}

// What a rule allows may be said by hand too, and an import of the same event later finds it there.
func TestTriggersByHandFollowTheRules(t *testing.T) {
	each(t, func(w *town) {
		trigger := func(row, ref, due string) (civil.Date, error) {
			e := task.Event{On: date("2024-09-18"), Unit: "a", Ref: ref, Who: "李敏"}
			if due != "" {
				e.Date = date(due)
			}
			return w.Trigger(w.t.Context(), task.TaskID{Jurisdiction: "ss", Plan: "zf", Row: row}, e)
		}
		for _, c := range []struct{ row, due, want, fails string }{
			{"8", "", "2024-09-27", ""}, {"9", "", "2024-10-21", ""}, {"10", "", "2026-09-18", ""}, {"17", "", "2024-12-18", ""}, {"18", "2024-10-08", "2024-10-08", ""},
			{"18", "", "", "give the due date with --due"}, {"18", "2024-09-17", "", "before the event itself, of 2024-09-18"}, {"8", "2024-09-01", "", "before the event itself"}, {"1", "2024-10-08", "", "nothing waits for a trigger"},
		} {
			got, err := trigger(c.row, "1"+c.due, c.due)
			if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) || c.fails == "" && (err != nil || got != date(c.want)) {
				w.t.Errorf("row %s: %s, %v; want %s%s", c.row, got, err, c.want, c.fails)
			}
		}
		w.set.Rules = append(w.set.Rules, task.Rule{Kind: "当场处罚", Plan: "zf", Row: "9", N: 7, Unit: "workday"})
		if _, err := trigger("9", "2", ""); err == nil || !strings.Contains(err.Error(), "differ in length") {
			w.t.Errorf("two rules of a row: %v", err)
		}
		w.open("2024-09-18")
		w.same("opened", w.items("2024-09-18", "8", "9", "10", "17", "18"), strings.Join([]string{
			"10/a/e:1 clock 2026-09-18 waiting owes none", "17/a/e:1 clock 2024-12-18 waiting owes none", "18/a/e:12024-10-08 clock 2024-10-08 waiting", "8/a/e:1 clock 2024-09-27 waiting", "9/a/e:1 clock 2024-10-21 waiting"}, "\n"))
		w.same("the import finds it", w.takes("2024-09-19", happened("行政许可决定", "1", "a", "2024-09-18")), "added 1: 行政许可决定 a\n0 unchanged, 0 items")
		w.open("2024-09-19")
		if got := strings.Count(w.items("2024-09-19", "8"), "\n"); got != 0 {
			w.t.Errorf("it opened twice: %s", cmp.Or(w.items("2024-09-19", "8")))
		}
	})
}
