package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
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

// unseen are the columns that a view does not have as they were: claims and leases, words about a state, what is computed
// anew, and what a draft said before it was issued.
var unseen = map[string][]string{
	"notices":       {"next_try", "token", "lease", "data_at", "deadline", "settled", "reason", "moved_by"},
	"obligations":   {"state", "arm", "now_nominal", "now_effective", "now_assess", "next_look", "closed_from", "raised", "final_from"},
	"tasks":         {"next_open"},
	"jurisdictions": {"caches", "name", "bureau", "live_from"},
	"documents":     {"title", "refs", "unit"},
	"notice_facts":  {"facts"},
	"runs":          {"lease", "token", "finished"},
}

// dump returns the rows of a copy of the database, table by table, with what a view shows as it was; on which
// day an open letter is said to leave is written anew before it does. Unless it is of the present it leaves out what a view
// of a day has as it is today.
func dump(t *testing.T, s *store.Store, c store.Cut, present bool) map[string][]string {
	t.Helper()
	ctx := t.Context()
	copied := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "view.db"), c))
	defer func() {
		if err := copied.Close(); err != nil {
			t.Error(err)
		}
	}()
	equal(t, "keys that point nowhere", len(got[[]string](t)(store.Strings(ctx, copied, "SELECT \"table\" FROM pragma_foreign_key_check"))), 0)
	cols := map[string][]string{}
	for _, name := range got[[]string](t)(store.Strings(ctx, copied, "SELECT m.name || '.' || p.name FROM sqlite_master m, pragma_table_info(m.name) p "+
		"WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, p.cid")) {
		table, column, _ := strings.Cut(name, ".")
		if slices.Contains(unseen[table], column) || !present && (table == "notices" && slices.Contains([]string{"state", "tries", "seq", "resent", "superseded_by"}, column) ||
			table == "jurisdictions" && slices.Contains([]string{"seq", "paused"}, column)) {
			continue
		}
		cols[table] = append(cols[table], "quote("+column+")")
	}
	out := map[string][]string{}
	for table, list := range cols {
		if table == "late_service" || !present && slices.Contains([]string{"attempts", "moves", "journal", "documents"}, table) {
			continue
		}
		out[table] = got[[]string](t)(store.Strings(ctx, copied, "SELECT "+strings.Join(list, " || '|' || ")+" FROM "+table))
		slices.Sort(out[table])
	}
	return out
}

// tick waits for the database's clock to move on: what was known at an instant is told apart by milliseconds.
func tick(t *testing.T, s *store.Store) {
	t.Helper()
	before := got[time.Time](t)(s.Now(t.Context()))
	for !got[time.Time](t)(s.Now(t.Context())).After(before.Add(time.Millisecond)) {
	}
}

// tale writes a small history, of which every entry counts from the day it is made on, and calls back after each write that
// moves the seq and at the end of each day.
type tale struct {
	t   *testing.T
	s   *store.Store
	seq int64
	// snap is called after each write that moves the seq.
	snap func(seq int64)
}

func (w *tale) wrote(seq int64) {
	w.t.Helper()
	w.seq = seq
	tick(w.t, w.s)
	w.snap(seq)
	tick(w.t, w.s)
}

func (w *tale) write(b task.Batch) {
	w.t.Helper()
	w.wrote(must(w.t, w.s, w.seq, b))
}

func (w *tale) plan(job string, d civil.Date, p run.DayPlan) {
	w.t.Helper()
	p.Run = claimed(w.t, w.s, job, d)
	p.Run.State = run.Done
	if err := w.s.SavePlan(w.t.Context(), j, w.seq, p); err != nil {
		w.t.Fatal(err)
	}
	w.wrote(w.seq + 1)
}

// deliver settles every letter that may leave, each as its unit is told to.
func (w *tale) deliver(d civil.Date, causes map[string][]notice.Cause) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.s.LeaveOn(ctx, j, d); err != nil {
		w.t.Fatal(err)
	}
	now := got[time.Time](w.t)(w.s.Now(ctx))
	outcome := map[notice.Cause]notice.Outcome{notice.Deliver: notice.OutcomeAccepted, notice.Defer: notice.OutcomeTemporary, notice.Refuse: notice.OutcomePermanent, notice.Break: notice.OutcomeUnknown}
	for _, n := range takeAll(w.t, w.s, 100, time.Minute) {
		by := causes[n.Key.Unit]
		if by == nil {
			by = []notice.Cause{notice.Deliver}
		}
		r := notice.Receipt{Recipient: 0, Email: n.Key.Unit + "@example.com", Outcome: outcome[by[0]], Reply: "2xx", At: now}
		e := settled(n, by, r)
		e.Tries = n.Tries + 1
		if lost := commit(w.t, w.s, []notice.Mark{markOf(n)}, e); len(lost) > 0 {
			w.t.Fatal("lost", lost)
		}
	}
	tick(w.t, w.s)
}

func unitOf(code string, d civil.Date) task.Unit {
	return task.Unit{Code: code, Name: code + "局", On: d, Aliases: []string{code}, Groups: []string{"all"},
		Contacts: []task.Contact{{Role: task.Liaison, Name: "张三", Email: code + "@example.com"}}}
}

func step(unit, name string, d civil.Date, letter string) task.FiredStep {
	return task.FiredStep{Obligation: refOf("1", unit, "m1").String(), Step: name, N: 1, Role: task.Liaison, On: d, Notice: letter}
}

// tell runs the tale; endOfDay is called with each of its days when all of it was written.
func (w *tale) tell(endOfDay func(civil.Date)) {
	t, s, ctx := w.t, w.s, w.t.Context()
	units := []string{"a", "b", "c", "d", "e", "f"}
	var batch task.Batch
	batch.Jurisdiction = &task.Jurisdiction{Code: j, Name: "青岛市崂山区"}
	for _, u := range units {
		batch.Units = append(batch.Units, unitOf(u, day0))
	}
	batch.Groups = []task.Group{{Code: "all", Name: "各单位", On: day0}}
	w.write(batch)
	row := task.Task{TaskID: taskID("1"), On: day0, Title: "开展案卷评查"}
	w.write(task.Batch{Plans: []task.Plan{{Code: row.Plan, Title: "方案", On: day0}}, Tasks: []task.Task{row}, People: []task.Person{{Key: "p1", Name: "李四", Unit: "a", On: day0}}})
	batch = task.Batch{}
	for _, u := range units {
		batch.Obligations, batch.Events = append(batch.Obligations, obligation(refOf("1", u, "m1"))), append(batch.Events, opened(refOf("1", u, "m1")))
	}
	w.write(batch)
	la, lb, lc, le := letter("a", day0), letter("b", day0), letter("c", day0), letter("e", day0)
	doc, form := draft("d", day0)
	w.plan("remind", day0, run.DayPlan{Notices: []notice.Notice{la, lb, lc, le, form}, Documents: []notice.Document{doc},
		Steps: []task.FiredStep{step("a", "T-3", day0, la.ID), step("b", "T-3", day0, lb.ID), step("c", "T-3", day0, lc.ID), step("d", "T+10", day0, form.ID)},
		Holds: []task.Hold{{Obligation: refOf("1", "f", "m1").String(), Step: "T-3", On: day0, Reason: "held"}}})
	w.deliver(day0, map[string][]notice.Cause{"b": {notice.Defer}, "c": {notice.Break}, "e": {notice.Defer}})
	endOfDay(day0)

	d := day0 + 1
	w.write(task.Batch{Events: []task.Event{{On: d, Kind: task.Reported, Subject: refOf("1", "a", "m1").String(), Who: "李敏"}},
		Silences: []task.Silence{{On: d, Scope: task.OverUnit, Subject: "f", Who: "李敏"}}, Occurrences: []task.Occurrence{{On: d, Kind: "case", Ref: "1", Unit: "a"}},
		Trainings: []task.Training{{On: d, Person: "p1", Ref: "1", Hours: 8}}})
	if err := s.Move(ctx, lc.ID, notice.Unknown, "arrived", "李敏", notice.Resolve); err != nil {
		t.Fatal(err)
	}
	tick(t, s)
	lb2 := letter("b", d)
	doc2, form2 := draft("e", d)
	w.plan("remind", d, run.DayPlan{Notices: []notice.Notice{lb2, form2}, Supersede: map[string]string{lb.ID: lb2.ID}, Cancel: map[string]string{le.ID: "nothing left"},
		Documents: []notice.Document{doc2}, Steps: []task.FiredStep{step("b", "T-1", d, lb2.ID), step("e", "T+10", d, form2.ID)}})
	w.deliver(d, map[string][]notice.Cause{"b": {notice.Break, notice.Resend}})
	endOfDay(d)

	d++
	if err := s.Issue(ctx, j, w.seq, issued(doc, 1, notice.ByMail), letterOf(t, s, doc.ID)); err != nil {
		t.Fatal(err)
	}
	w.wrote(w.seq + 1)
	w.deliver(d, nil)
	if err := s.Issue(ctx, j, w.seq, issued(doc2, 2, notice.ByOA), letterOf(t, s, doc2.ID)); err != nil {
		t.Fatal(err)
	}
	w.wrote(w.seq + 1)
	if err := s.EndDocument(ctx, j, w.seq, doc2.ID, notice.Voided, "误发"); err != nil {
		t.Fatal(err)
	}
	w.wrote(w.seq + 1)
	moved := unitOf("a", d)
	moved.Contacts[0].Email = "new@example.com"
	row.On, row.Title = d, "开展案卷评查（修订）"
	w.write(task.Batch{Units: []task.Unit{moved}, Tasks: []task.Task{row}, Events: []task.Event{{On: d, Kind: task.Corrected, Subject: refOf("1", "a", "m1").String(), Voids: 10, Who: "李敏"}}})
	w.plan("monthly-close", d, run.DayPlan{Closings: []task.Closing{{Jurisdiction: j, Kind: task.MonthClose, Plan: row.Plan, Row: "1", Period: "2024-08", On: d, Seq: w.seq, Issue: 1, Frozen: "{}"}}})
	endOfDay(d)

	d++
	doc3, form3 := draft("f", d)
	w.plan("remind", d, run.DayPlan{Notices: []notice.Notice{form3}, Documents: []notice.Document{doc3}, Steps: []task.FiredStep{step("f", "T+10", d, form3.ID)}})
	w.write(task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Name: "青岛市崂山区", Paused: &task.Pause{At: got[time.Time](t)(s.Now(ctx)), Who: "李敏"}}})
	w.plan("remind", d+1, run.DayPlan{Drop: map[string]string{doc3.ID: "done"}, Holds: []task.Hold{{Obligation: refOf("1", "f", "m1").String(), Step: "T+10", On: d, Reason: "held"}}})
	endOfDay(d + 1)
}

// TestAViewIsWhatWasKnown writes a history, keeps what the database held after each of its writes, and wants a view at each
// of those seqs, made when all was written, to hold the same.
func TestAViewIsWhatWasKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var order []int64
		held := map[int64]map[string][]string{}
		instants := map[int64]time.Time{}
		w := tale{t: t, s: s, snap: func(seq int64) {
			order = append(order, seq)
			held[seq] = dump(t, s, store.Cut{}, true)
			instants[seq] = got[time.Time](t)(s.Now(t.Context()))
		}}
		w.tell(func(civil.Date) {})
		if len(order) < 12 {
			t.Fatalf("the tale is of %d writes", len(order))
		}
		for _, seq := range order {
			t.Run(fmt.Sprint(seq), func(t *testing.T) {
				same(t, dump(t, s, store.Cut{Seq: map[string]int64{j: seq}}, true), held[seq])
				if seq == order[len(order)/2] {
					same(t, dump(t, s, store.Cut{At: instants[seq]}, true), held[seq])
				}
			})
		}
		same(t, dump(t, s, store.Cut{Seq: map[string]int64{j: 1 << 40}}, true), held[order[len(order)-1]])
		// Both cuts at once leave what counts from the day and was known: all of the first day was known by the seq of its plan.
		first := order[3]
		same(t, dump(t, s, store.Cut{On: day0, Seq: map[string]int64{j: first}}, true), held[first])
		later := dump(t, s, store.Cut{On: day0, Seq: map[string]int64{j: order[len(order)-2]}}, false)
		same(t, later, dump(t, s, store.Cut{On: day0}, false))
		nothing := dump(t, s, store.Cut{Seq: map[string]int64{j: 0}}, true)
		for table, rows := range nothing {
			if len(rows) > 0 && table != "jurisdictions" {
				t.Errorf("%s at seq 0: %q", table, rows)
			}
		}
		_, err := s.Scratch(t.Context(), filepath.Join(t.TempDir(), "view.db"), store.Cut{Seq: map[string]int64{"elsewhere": 1}})
		wantErr(t, "another jurisdiction", err, store.ErrNotFound)
	})
}

// TestAViewOfADayIsWhatCountedThen wants the same of the days of a history in which everything counts from the day it was
// entered on. What became of a day's letters stays known.
func TestAViewOfADayIsWhatCountedThen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var days []civil.Date
		held := map[civil.Date]map[string][]string{}
		w := tale{t: t, s: s, snap: func(int64) {}}
		w.tell(func(d civil.Date) {
			days, held[d] = append(days, d), dump(t, s, store.Cut{}, false)
		})
		for _, d := range days {
			t.Run(d.String(), func(t *testing.T) {
				same(t, dump(t, s, store.Cut{On: d}, false), held[d])
			})
		}
	})
}

func same(t *testing.T, got, want map[string][]string) {
	t.Helper()
	for table := range want {
		if a, b := strings.Join(got[table], "\n"), strings.Join(want[table], "\n"); a != b {
			t.Errorf("%s\n got %s\nwant %s", table, a, b)
		}
	}
}
