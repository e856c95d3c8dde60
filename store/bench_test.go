package store_test

import (
	"fmt"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// stock writes a jurisdiction of so many obligations with two events each, of which 500 are due on day0; of the others
// half lie in the future, a quarter are overdue but answered, a quarter are done.
func stock(b *testing.B, s *store.Store, obligations int) int64 {
	b.Helper()
	seq, err := s.Write(b.Context(), j, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
	for from := 0; from < obligations && err == nil; from += 5000 {
		var batch task.Batch
		for i := from; i < min(from+5000, obligations); i++ {
			ref := refOf(fmt.Sprint(i%66), fmt.Sprintf("u%05d", i/66), "m1")
			c := task.Cache{Ref: ref.String(), State: task.Waiting, NextLook: day0 + 30, ClosedFrom: civil.Never, Raised: civil.Never}
			switch {
			case i < 500:
				c.NextLook = day0
			case i%4 == 0:
				c.State, c.NextLook, c.ClosedFrom = task.Answered, day0+3, day0-2
			case i%4 == 1:
				c.State, c.NextLook, c.ClosedFrom = task.Finished, civil.Never, day0-9
			}
			batch.Obligations = append(batch.Obligations, obligation(ref))
			batch.Events = append(batch.Events, opened(ref), opened(ref))
			batch.Caches = append(batch.Caches, c)
		}
		batch.At = instant
		seq, err = s.Write(b.Context(), j, seq, batch)
	}
	if err != nil {
		b.Fatal(err)
	}
	return seq
}

// BenchmarkDue reads 500 due obligations out of a small and a ten times larger stock: the two should cost the same.
func BenchmarkDue(b *testing.B) {
	for _, e := range storetest.Engines(b) {
		for _, size := range []int{2000, 20000} {
			b.Run(fmt.Sprintf("%s/of=%d", e.Name, size), func(b *testing.B) {
				s := e.Open(b)
				stock(b, s, size)
				for b.Loop() {
					page, err := s.Due(b.Context(), j, day0, "", 500)
					if err != nil || len(page) != 500 {
						b.Fatal(len(page), err)
					}
				}
			})
		}
	}
}

// BenchmarkWrite writes 5,000 obligations, 10,000 events and 5,000 caches in one transaction.
func BenchmarkWrite(b *testing.B) {
	for _, e := range storetest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := e.Open(b)
				b.StartTimer()
				stock(b, s, 5000)
			}
		})
	}
}

// BenchmarkClaim takes letters from among 5,000 that wait.
func BenchmarkClaim(b *testing.B) {
	for _, e := range storetest.Engines(b) {
		b.Run(e.Name, func(b *testing.B) {
			s := e.Open(b)
			seq := stock(b, s, 0)
			r, _, err := s.ClaimSlot(b.Context(), slotOf("remind", day0), "bench", 60e9, false)
			if err != nil {
				b.Fatal(err)
			}
			r.State = "done"
			var letters []notice.Notice
			for i := range 5000 {
				letters = append(letters, letter(fmt.Sprint("u", i), day0))
			}
			if err := s.SavePlan(b.Context(), j, seq, dayPlan(r, letters...)); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				n, ok, err := s.ClaimNotice(b.Context(), notice.ClaimFilter{}, 60e9)
				if err != nil || !ok {
					b.Fatal(ok, err)
				}
				if err := s.SettleNotice(b.Context(), n, notice.Defer, n.Receipts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
