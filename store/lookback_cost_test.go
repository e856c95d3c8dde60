package store_test

import (
	"fmt"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// longSettled writes so many obligations that fell due and were settled long ago, each with two events and a step, and with
// the holds of one in ten; and 40 that are open around day0, spoken of on it.
func longSettled(t *testing.T, s *store.Store, many int) {
	t.Helper()
	const most = 5000
	seq := begin(t, s)
	write := func(o task.Obligation, c task.Cache, b *task.Batch, p *run.DayPlan, d civil.Date) {
		b.Obligations, b.Events, b.Caches = append(b.Obligations, o), append(b.Events, opened(o.Ref), opened(o.Ref)), append(b.Caches, c)
		p.Steps = append(p.Steps, task.FiredStep{Obligation: c.Ref, Step: "T-3", Role: task.Liaison, On: d, Notice: "x"})
		if len(p.Steps)%10 == 0 {
			p.Holds = append(p.Holds, task.Hold{Obligation: c.Ref, Step: "T+2", On: d, Reason: "登记未核对"})
		}
	}
	put := func(b task.Batch, p run.DayPlan) {
		seq = must(t, s, seq, b)
		save(t, s, seq, day0, p)
		seq++
	}
	for from := 0; from < many; from += most {
		var b task.Batch
		var p run.DayPlan
		for i := from; i < min(from+most, many); i++ {
			d := day0 - 400 - civil.Date(i%300)
			o := obligation(refOf(fmt.Sprint(i%66), fmt.Sprintf("old%05d", i/66), d.String()))
			o.Kind, o.Opened, o.Nominal, o.Effective, o.Assess = task.Monthly, d-30, d, d, d
			write(o, rest(o, task.Finished, d), &b, &p, d)
		}
		put(b, p)
	}
	var b task.Batch
	var p run.DayPlan
	for i := range 40 {
		o := obligation(refOf(fmt.Sprint(i), "a", "2024-09"))
		o.Kind = task.Monthly
		write(o, rest(o, task.Waiting, civil.Never), &b, &p, day0)
	}
	put(b, p)
}

// TestLookingBackCostsTheSameBehindALongHistory counts what each engine reads (pages, rows) for what a digest asks of a
// window of days, behind a short history and behind one that is forty times as long. The digest's own letters are few among
// many, or there is none.
func TestLookingBackCostsTheSameBehindALongHistory(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			past := []int{250, 10_000}
			stores := make([]*store.Store, len(past))
			for i, n := range past {
				s := e.Open(t)
				store.OneConnection(s)
				longSettled(t, s, n)
				history(t, s, 2*n)
				stores[i] = s
			}
			kinds := []task.Kind{task.Monthly}
			for name, ask := range map[string]func(*store.Store) (int, error){
				"unsettled": func(s *store.Store) (int, error) { out, err := s.Unsettled(ctx, j, day0); return len(out), err },
				"due in": func(s *store.Store) (int, error) {
					out, err := s.DueIn(ctx, j, nil, day0, day0+30)
					return len(out), err
				},
				"due in, of a kind": func(s *store.Store) (int, error) {
					out, err := s.DueIn(ctx, j, kinds, day0, day0+30)
					return len(out), err
				},
				"periods": func(s *store.Store) (int, error) {
					out, err := s.PeriodsDue(ctx, j, kinds, day0, day0+30)
					return len(out), err
				},
				"steps": func(s *store.Store) (int, error) {
					out, err := s.StepsBetween(ctx, j, day0-7, day0)
					return len(out), err
				},
				"briefs": func(s *store.Store) (int, error) {
					out, err := s.Briefs(ctx, j, day0-7, day0)
					return len(out) + 40, err
				},
				"the last digest, where there is none": func(s *store.Store) (int, error) {
					_, ok, err := s.LastLetter(ctx, j, notice.BureauDigest, day0)
					if ok {
						return 0, err
					}
					return 40, err
				},
				"unsent": func(s *store.Store) (int, error) {
					out, err := s.Unsent(ctx, j, notice.BureauDigest, day0)
					return len(out) + 40, err
				},
				"drafts": func(s *store.Store) (int, error) {
					out, err := s.Documents(ctx, notice.DocumentFilter{Jurisdiction: j, State: notice.Drafted})
					return len(out) + 40, err
				},
			} {
				var read [2]int
				for i, s := range stores {
					for range 2 { // the first goes warm
						before := got[int](t)(store.Effort(ctx, s))
						if n := got[int](t)(ask(s)); n != 40 {
							t.Errorf("%s: %d of 40", name, n)
						}
						read[i] = got[int](t)(store.Effort(ctx, s)) - before
					}
				}
				t.Logf("%s: read %d behind %d, %d behind %d", name, read[0], past[0], read[1], past[1])
				if read[0] <= 0 || read[1] > 3*read[0]+20 {
					t.Errorf("%s: read %d behind %d, %d behind %d", name, read[0], past[0], read[1], past[1])
				}
			}
		})
	}
}
