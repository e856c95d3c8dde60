package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// draft returns a form to a unit with its letter, which is held.
func draft(unit string, d civil.Date) (notice.Document, notice.Notice) {
	n := letter(unit, d)
	n.Key.Role, n.Key.Kind, n.Key.Matter = "deputy", notice.SupervisionForm, notice.MatterOf(refOf("1", unit, "m1").String(), 0)
	n.ID, n.State, n.Reason = n.Key.ID(), notice.Held, "draft: a person releases it"
	n.Facts.Paper = &notice.Paper{Title: "督办通知单", Date: d}
	return notice.Document{ID: n.ID, Jurisdiction: j, Kind: n.Key.Kind, Matter: n.Key.Matter, Title: "督办通知单", Unit: unit, Drafted: d,
		Refs: []string{refOf("1", unit, "m1").String()}, State: notice.Drafted}, n
}

// drafted saves drafts as a day's plan, and returns them with their letters and the seq after it.
func drafted(t *testing.T, s *store.Store, seq int64, d civil.Date, units ...string) ([]notice.Document, []notice.Notice, int64) {
	t.Helper()
	var docs []notice.Document
	var letters []notice.Notice
	for _, unit := range units {
		doc, n := draft(unit, d)
		docs, letters = append(docs, doc), append(letters, n)
	}
	save(t, s, seq, d, run.DayPlan{Notices: letters, Documents: docs})
	for i := range docs {
		docs[i].Seq = seq + 1
	}
	return docs, letters, seq + 1
}

// save saves a plan of a day that has none yet.
func save(t *testing.T, s *store.Store, seq int64, d civil.Date, p run.DayPlan) {
	t.Helper()
	p.Run = claimed(t, s, fmt.Sprint("remind", seq), d)
	p.Run.State = run.Done
	if err := s.SavePlan(t.Context(), j, seq, p); err != nil {
		t.Fatal(err)
	}
}

// issued is the document as it goes out under a number of the program's register.
func issued(d notice.Document, n int, via notice.Channel) notice.Document {
	d.State, d.Year, d.N, d.Number = notice.Issued, 2024, n, notice.NumberOf("督办〔{year}〕{n}号", 2024, n)
	d.Date, d.By, d.Via = d.Drafted+2, "李敏", via
	return d
}

func TestDocumentsAreDraftedWithTheirLetters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		var full notice.Document
		fill(t, &full)
		bare, n := draft("b", day0)
		full.Jurisdiction, full.Kind, full.Drafted, full.State, full.N = j, notice.Report, day0+1, notice.Drafted, 0
		report := letter("sfj", day0+1)
		report.Key.Kind, report.Key.Matter, report.State = notice.Report, "2024Q3", notice.Held
		report.ID = report.Key.ID()
		full.ID, full.Matter = report.ID, report.Key.Matter
		bare.Refs = nil
		save(t, s, seq, day0, run.DayPlan{Notices: []notice.Notice{n, report}, Documents: []notice.Document{full, bare}})
		full.Seq, bare.Seq = seq+1, seq+1
		equal(t, "a document", got[notice.Document](t)(s.Document(ctx, full.ID)), full)
		equal(t, "one without refs", got[notice.Document](t)(s.Document(ctx, bare.ID)), bare)
		_, err := s.Document(ctx, "0")
		wantErr(t, "no document", err, store.ErrNotFound)
		for _, c := range []struct {
			f    notice.DocumentFilter
			want []notice.Document
		}{
			{notice.DocumentFilter{}, []notice.Document{bare, full}},
			{notice.DocumentFilter{Jurisdiction: j, State: notice.Drafted}, []notice.Document{bare, full}},
			{notice.DocumentFilter{Kind: notice.Report}, []notice.Document{full}},
			{notice.DocumentFilter{Unit: "b", To: day0}, []notice.Document{bare}},
			{notice.DocumentFilter{From: day0 + 1}, []notice.Document{full}},
			{notice.DocumentFilter{State: notice.Issued}, nil},
			{notice.DocumentFilter{Jurisdiction: "gangcheng"}, nil},
		} {
			equal(t, fmt.Sprintf("%+v", c.f), got[[]notice.Document](t)(s.Documents(ctx, c.f)), c.want)
		}
	})
}

func TestAPlanDraftsNothingHalf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		docs, _, seq := drafted(t, s, begin(t, s), day0, "a", "b", "c")
		ended, gone := docs[1], docs[2]
		ended.State = notice.Dropped
		if err := s.EndDocument(ctx, j, seq, ended.ID, notice.Dropped, "已办结"); err != nil {
			t.Fatal(err)
		}
		if err := s.Issue(ctx, j, seq+1, issued(gone, 1, notice.ByPaper), letterOf(t, s, gone.ID)); err != nil {
			t.Fatal(err)
		}
		seq += 2
		r := claimed(t, s, "remind", day0+1)
		r.State = run.Done
		for _, c := range []struct {
			name string
			edit func(*run.DayPlan)
			want error
		}{
			{"whose letter is not in the plan", func(p *run.DayPlan) { p.Notices = nil }, nil},
			{"whose letter may leave", func(p *run.DayPlan) { p.Notices[0].State = notice.Pending }, nil},
			{"whose letter leaves with its window", func(p *run.DayPlan) { p.Notices[0].NextTry = instant }, nil},
			{"of another kind than its letter", func(p *run.DayPlan) { p.Documents[0].Kind = notice.Report }, nil},
			{"of another matter", func(p *run.DayPlan) { p.Documents[0].Matter = "x" }, nil},
			{"of another jurisdiction", func(p *run.DayPlan) { p.Documents[0].Jurisdiction = "gangcheng" }, nil},
			{"issued already", func(p *run.DayPlan) { p.Documents[0].State = notice.Issued }, nil},
			{"with a number", func(p *run.DayPlan) { p.Documents[0].N = 9 }, nil},
			{"twice", func(p *run.DayPlan) { p.Documents = append(p.Documents, p.Documents[0]) }, store.ErrExists},
			{"and drops one that was dropped", func(p *run.DayPlan) { p.Drop = map[string]string{ended.ID: "x"} }, store.ErrMoved},
			{"and drops one that was issued", func(p *run.DayPlan) { p.Drop = map[string]string{gone.ID: "x"} }, store.ErrMoved},
			{"and drops one that is not there", func(p *run.DayPlan) { p.Drop = map[string]string{"0": "x"} }, store.ErrNotFound},
		} {
			doc, n := draft("d", day0+1)
			p := run.DayPlan{Notices: []notice.Notice{n}, Documents: []notice.Document{doc}, Drop: map[string]string{docs[0].ID: "情况已变"}, Run: r}
			c.edit(&p)
			err := s.SavePlan(ctx, j, seq, p)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("a draft %s: error %v, want %v", c.name, err, c.want)
			}
			all := got[[]notice.Document](t)(s.Documents(ctx, notice.DocumentFilter{}))
			letters := got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{}))
			if len(all) != 3 || len(letters) != 3 || got[notice.Document](t)(s.Document(ctx, docs[0].ID)).State != notice.Drafted {
				t.Fatalf("a draft %s left behind: %d documents, %d letters", c.name, len(all), len(letters))
			}
		}
		doc, n := draft("d", day0+1)
		p := run.DayPlan{Notices: []notice.Notice{n}, Documents: []notice.Document{doc}, Drop: map[string]string{docs[0].ID: "情况已变"}, Run: r}
		if err := s.SavePlan(ctx, j, seq, p); err != nil {
			t.Fatal(err)
		}
		dropped := docs[0]
		dropped.State, dropped.Why, dropped.Seq = notice.Dropped, "情况已变", seq+1
		equal(t, "the dropped draft", got[notice.Document](t)(s.Document(ctx, dropped.ID)), dropped)
		if n := letterOf(t, s, dropped.ID); n.State != notice.Cancelled || n.Reason != "情况已变" {
			t.Errorf("its letter: %+v", n)
		}
	})
}

func letterOf(t *testing.T, s *store.Store, id string) notice.Notice {
	t.Helper()
	return got[notice.Notice](t)(s.Notice(t.Context(), id))
}

func TestADocumentIsIssuedByEachChannel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		docs, letters, seq := drafted(t, s, begin(t, s), day0, "a", "b", "c", "d")
		for i, via := range []notice.Channel{notice.ByMail, notice.ByOA, notice.ByPaper} {
			equal(t, "the next number", got[int](t)(s.NextNumber(ctx, j, notice.SupervisionForm, 2024)), i+1)
			d, n := issued(docs[i], i+1, via), letters[i]
			if via != notice.ByMail {
				d.Served = d.Date + 1
			}
			d.Title, d.Refs, d.Why = "督办通知单"+awkward, append(d.Refs, "x"), "依申请"
			n.Facts.Paper = &notice.Paper{Title: awkward, Number: d.Number, Date: d.Date}
			n.Reason = "issued by " + string(via)
			if err := s.Issue(ctx, j, seq, d, n); err != nil {
				t.Fatal(err)
			}
			seq++
			d.Seq, n.Seq, n.State = seq, seq, notice.Pending
			cause := notice.Release
			if via != notice.ByMail {
				n.State, cause = notice.Cancelled, notice.Cancel
			}
			equal(t, "the document", got[notice.Document](t)(s.Document(ctx, d.ID)), d)
			equal(t, "its letter", letterOf(t, s, d.ID), n)
			moves := got[[]notice.Move](t)(s.Moves(ctx, d.ID))
			if len(moves) != 1 || moves[0].From != notice.Held || moves[0].To != n.State || moves[0].Cause != cause || moves[0].By != "李敏" || moves[0].Reason != n.Reason {
				t.Errorf("moves %+v", moves)
			}
		}
		// One with a number of the office's own register takes none of the program's.
		d := issued(docs[3], 0, notice.ByMail)
		d.Year, d.Number = 0, "崂政督〔2024〕12号"
		late := letters[3]
		late.NextTry = instant.UTC().Truncate(time.Millisecond).AddDate(100, 0, 0)
		if err := s.Issue(ctx, j, seq, d, late); err != nil {
			t.Fatal(err)
		}
		d.Seq = seq + 1
		equal(t, "by the office's register", got[notice.Document](t)(s.Document(ctx, d.ID)), d)
		equal(t, "when it may leave", letterOf(t, s, d.ID).NextTry, late.NextTry)
		equal(t, "the next number", got[int](t)(s.NextNumber(ctx, j, notice.SupervisionForm, 2024)), 4)
		for what, n := range map[string]int{
			"of another kind":         got[int](t)(s.NextNumber(ctx, j, notice.Report, 2024)),
			"of another year":         got[int](t)(s.NextNumber(ctx, j, notice.SupervisionForm, 2025)),
			"of another jurisdiction": got[int](t)(s.NextNumber(ctx, "gangcheng", notice.SupervisionForm, 2024)),
		} {
			equal(t, "the next number "+what, n, 1)
		}
		// The one that went by mail leaves as any letter does.
		n, ok := claimOne(t, s, notice.ClaimFilter{}, time.Minute)
		if !ok || n.ID != docs[0].ID || n.Facts.Paper == nil || n.Facts.Paper.Number != "督办〔2024〕1号" {
			t.Errorf("claimed %+v", n)
		}
		if n, ok := claimOne(t, s, notice.ClaimFilter{}, time.Minute); ok {
			t.Errorf("claimed %+v too", n)
		}
	})
}

func everything(t *testing.T, s *store.Store) ([]notice.Document, []notice.Notice) {
	t.Helper()
	return got[[]notice.Document](t)(s.Documents(t.Context(), notice.DocumentFilter{})), got[[]notice.Notice](t)(s.Notices(t.Context(), notice.Filter{}))
}

func TestIssuingIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		docs, letters, seq := drafted(t, s, begin(t, s), day0, "a", "b", "c", "d", "e")
		if err := s.Issue(ctx, j, seq, issued(docs[1], 1, notice.ByMail), letters[1]); err != nil {
			t.Fatal(err)
		}
		if err := s.EndDocument(ctx, j, seq+1, docs[2].ID, notice.Dropped, "x"); err != nil {
			t.Fatal(err)
		}
		if err := s.Move(ctx, docs[3].ID, notice.Held, "x", "甲", notice.Cancel); err != nil {
			t.Fatal(err)
		}
		seq += 2
		absent, none := draft("z", day0)
		for _, c := range []struct {
			name string
			seq  int64
			d    notice.Document
			n    notice.Notice
			want error // nil: any
		}{
			{"an older seq", seq - 1, issued(docs[0], 2, notice.ByMail), letters[0], store.ErrMoved},
			{"one that is issued", seq, issued(docs[1], 2, notice.ByMail), letters[1], store.ErrMoved},
			{"one that is dropped", seq, issued(docs[2], 2, notice.ByMail), letters[2], store.ErrMoved},
			{"one whose letter was cancelled", seq, issued(docs[3], 2, notice.ByMail), letters[3], store.ErrMoved},
			{"one that is not there", seq, issued(absent, 2, notice.ByMail), none, store.ErrNotFound},
			{"a number that is taken", seq, issued(docs[0], 1, notice.ByMail), letters[0], store.ErrExists},
			{"no year", seq, func() notice.Document { d := issued(docs[0], 2, notice.ByMail); d.Year = 0; return d }(), letters[0], nil},
			{"no channel", seq, issued(docs[0], 2, ""), letters[0], nil},
			{"no day", seq, func() notice.Document { d := issued(docs[0], 2, notice.ByMail); d.Date = 0; return d }(), letters[0], nil},
			{"nobody", seq, func() notice.Document { d := issued(docs[0], 2, notice.ByMail); d.By = ""; return d }(), letters[0], nil},
			{"another's letter", seq, issued(docs[0], 2, notice.ByMail), letters[4], nil},
			{"another kind", seq, func() notice.Document { d := issued(docs[0], 2, notice.ByMail); d.Kind = notice.Report; return d }(), letters[0], nil},
			{"another jurisdiction", seq, func() notice.Document { d := issued(docs[0], 2, notice.ByMail); d.Jurisdiction = "x"; return d }(), letters[0], nil},
		} {
			docsBefore, lettersBefore := everything(t, s)
			err := s.Issue(ctx, j, c.seq, c.d, c.n)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: error %v, want %v", c.name, err, c.want)
			}
			docsAfter, lettersAfter := everything(t, s)
			equal(t, c.name+": documents", docsAfter, docsBefore)
			equal(t, c.name+": letters", lettersAfter, lettersBefore)
			if now := got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)).Seq; now != seq {
				t.Fatalf("%s moved the seq to %d", c.name, now)
			}
		}
		if err := s.Issue(ctx, j, seq, issued(docs[0], 2, notice.ByMail), letters[0]); err != nil {
			t.Error(err)
		}
	})
}

func TestAVoidedDocumentKeepsItsNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		names := []string{"pending", "retry", "failed", "sent", "unknown", "held", "oa"}
		docs, letters, seq := drafted(t, s, begin(t, s), day0, names...)
		for i := range docs {
			via := notice.ByMail
			if names[i] == "oa" {
				via = notice.ByOA
			}
			if err := s.Issue(ctx, j, seq, issued(docs[i], i+1, via), letters[i]); err != nil {
				t.Fatal(err)
			}
			seq++
		}
		end := map[string]notice.Cause{"retry": notice.Defer, "failed": notice.Refuse, "sent": notice.Deliver, "unknown": notice.Break, "pending": notice.PutBack, "held": notice.PutBack}
		batch := takeAll(t, s, 10, time.Hour)
		if len(batch) != 6 {
			t.Fatalf("%d letters left to be claimed", len(batch))
		}
		err := s.EndDocument(ctx, j, seq, docs[0].ID, notice.Voided, "x")
		wantErr(t, "while its letter is being sent", err, store.ErrMoved)
		for _, n := range batch {
			equal(t, "lost", commit(t, s, nil, settled(n, by(end[n.Key.Unit]))), []string(nil))
		}
		if err := s.Move(ctx, docs[5].ID, notice.Pending, "窗口", "", notice.Hold); err != nil {
			t.Fatal(err)
		}
		states := map[string]notice.State{"sent": notice.Sent, "unknown": notice.Unknown}
		for i, d := range docs {
			err := s.EndDocument(ctx, j, seq-1, d.ID, notice.Voided, "x")
			wantErr(t, "at an older seq", err, store.ErrMoved)
			err = s.EndDocument(ctx, j, seq, d.ID, notice.Dropped, "x")
			wantErr(t, "dropped though it was issued", err, store.ErrMoved)
			if err := s.EndDocument(ctx, j, seq, d.ID, notice.Voided, "李敏：发错单位"); err != nil {
				t.Fatal(err)
			}
			seq++
			d = issued(d, i+1, notice.ByMail)
			if names[i] == "oa" {
				d.Via = notice.ByOA
			}
			d.State, d.Why, d.Seq = notice.Voided, "李敏：发错单位", seq
			equal(t, "voided", got[notice.Document](t)(s.Document(ctx, d.ID)), d)
			want := states[names[i]]
			if want == "" {
				want = notice.Cancelled
			}
			n := letterOf(t, s, d.ID)
			if n.State != want || want == notice.Cancelled && names[i] != "oa" && n.Reason != d.Why {
				t.Errorf("the letter that was %s: %+v", names[i], n)
			}
			moves := got[[]notice.Move](t)(s.Moves(ctx, d.ID))
			if last := moves[len(moves)-1]; (last.Cause == notice.Cancel && last.Reason == d.Why) != (want == notice.Cancelled && names[i] != "oa") {
				t.Errorf("the moves of the letter that was %s: %+v", names[i], moves)
			}
			err = s.EndDocument(ctx, j, seq, d.ID, notice.Voided, "x")
			wantErr(t, "voided again", err, store.ErrMoved)
		}
		equal(t, "the next number", got[int](t)(s.NextNumber(ctx, j, notice.SupervisionForm, 2024)), len(docs)+1)
		err = s.EndDocument(ctx, j, seq, "0", notice.Voided, "x")
		wantErr(t, "none", err, store.ErrNotFound)
		if err := s.EndDocument(ctx, j, seq, docs[0].ID, notice.Issued, "x"); err == nil {
			t.Error("a document was ended by being issued")
		}
	})
}

// TestNumbersHaveNoGapsWhoeverIssues lets some people issue at once, each reading again when another was first.
func TestNumbersHaveNoGapsWhoeverIssues(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dsn := e.DSN(t)
			a, b := storetest.Reopen(t, dsn), storetest.Reopen(t, dsn)
			got[int](t)(a.Migrate(t.Context()))
			got[int](t)(b.Migrate(t.Context()))
			var units []string
			for i := range 12 {
				units = append(units, fmt.Sprint("u", i))
			}
			docs, letters, _ := drafted(t, a, begin(t, a), day0, units...)
			var wg sync.WaitGroup
			for i := range 4 {
				s := []*store.Store{a, b}[i%2]
				wg.Go(func() {
					for k := i; k < len(docs); k += 4 {
						if err := issueSoon(t.Context(), s, docs[k], letters[k]); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			var numbers []int
			for _, d := range got[[]notice.Document](t)(a.Documents(t.Context(), notice.DocumentFilter{State: notice.Issued})) {
				numbers = append(numbers, d.N)
			}
			slices.Sort(numbers)
			equal(t, "numbers", numbers, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
		})
	}
}

func issueSoon(ctx context.Context, s *store.Store, d notice.Document, n notice.Notice) error {
	for {
		jur, err := s.Jurisdiction(ctx, j)
		if err != nil {
			return err
		}
		next, err := s.NextNumber(ctx, j, d.Kind, 2024)
		if err != nil {
			return err
		}
		// A number read after the seq may be newer than the seq; one that is older than it is not.
		if err := s.Issue(ctx, j, jur.Seq, issued(d, next, notice.ByMail), n); !errors.Is(err, store.ErrMoved) {
			return err
		}
	}
}

func TestAClosingIsFrozenAndRestated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		var full task.Closing
		fill(t, &full)
		full.Jurisdiction, full.Kind, full.Plan, full.Row, full.Period, full.Version, full.Issue = j, task.MonthClose, "zf", "1", "2024-08", 0, 1
		full.On, full.Frozen = day0, `{"a":"`+strings.Repeat("数", 1_000_000)+`"}`
		of := func(kind task.ClosingKind, row, period string, version, issue int, d civil.Date) task.Closing {
			return task.Closing{Jurisdiction: j, Kind: kind, Plan: "zf", Row: row, Period: period, On: d, Seq: seq, Issue: issue, Version: version, Frozen: "{}"}
		}
		whole := of(task.QuarterClose, "", "2024Q3", 0, 1, day0+1)
		whole.Plan = ""
		restated := of(task.MonthClose, "1", "2024-08", 1, 0, day0+1)
		again := of(task.MonthClose, "1", "2024-08", 2, 0, day0+1)
		other := of(task.MonthClose, "2", "2024-08", 0, 1, day0)
		save(t, s, seq, day0, run.DayPlan{Closings: []task.Closing{other, full}})
		save(t, s, seq+1, day0+1, run.DayPlan{Closings: []task.Closing{again, whole, restated}})
		equal(t, "closings", got[[]task.Closing](t)(s.Closings(ctx, j, "")), []task.Closing{full, other, whole, restated, again})
		equal(t, "of a quarter", got[[]task.Closing](t)(s.Closings(ctx, j, task.QuarterClose)), []task.Closing{whole})
		equal(t, "elsewhere", got[[]task.Closing](t)(s.Closings(ctx, "gangcheng", "")), []task.Closing(nil))
		seq += 2
		r := claimed(t, s, "monthly-close", day0+2)
		r.State = run.Done
		jan := on("2025-01-08")
		for _, c := range []struct {
			name string
			c    task.Closing
			want error
		}{
			{"the same period again", of(task.MonthClose, "1", "2024-08", 0, 9, day0+2), store.ErrExists},
			{"the same restatement again", of(task.MonthClose, "1", "2024-08", 2, 0, day0+2), store.ErrExists},
			{"an issue that is taken", of(task.MonthClose, "1", "2024-09", 0, 1, day0+2), store.ErrExists},
			{"an issue that is taken, closed in the next year", of(task.MonthClose, "1", "2024-12", 0, 1, jan), store.ErrExists},
			{"an issue of no year", of(task.MonthClose, "1", "第九期", 0, 2, day0+2), nil},
			{"of no day", of(task.MonthClose, "1", "2024-09", 0, 2, 0), nil},
			{"of no period", of(task.MonthClose, "1", "", 0, 2, day0+2), nil},
			{"of no kind", of("", "1", "2024-09", 0, 2, day0+2), nil},
			{"of a negative issue", of(task.MonthClose, "1", "2024-09", 0, -2, day0+2), nil},
			{"of another jurisdiction", func() task.Closing {
				c := of(task.MonthClose, "1", "2024-09", 0, 2, day0+2)
				c.Jurisdiction = "x"
				return c
			}(), nil},
		} {
			err := s.SavePlan(ctx, j, seq, run.DayPlan{Closings: []task.Closing{of(task.YearClose, "", "2024", 0, 0, day0), c.c}, Run: r})
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: error %v, want %v", c.name, err, c.want)
			}
			equal(t, c.name+" left behind", len(got[[]task.Closing](t)(s.Closings(ctx, j, ""))), 5)
		}
		// A December's is counted in its own year.
		fine := []task.Closing{of(task.MonthClose, "1", "2024-09", 0, 2, day0+2), of(task.MonthClose, "1", "2024-12", 0, 3, jan), of(task.MonthClose, "1", "2025-01", 0, 1, jan+30)}
		if err := s.SavePlan(ctx, j, seq, run.DayPlan{Closings: fine, Run: r}); err != nil {
			t.Error(err)
		}
	})
}
