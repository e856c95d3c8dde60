package store_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// stock writes a jurisdiction of so many obligations with two events each, of which 500 are due on day0; of the others
// half lie in the future, a quarter are overdue but answered, a quarter are done.
func stock(b testing.TB, s *store.Store, obligations int) int64 {
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

// history puts so many letters that were sent long ago into a database, past the store: each with its facts and one
// attempt, a thousand to a day.
func history(b testing.TB, s *store.Store, letters int) {
	b.Helper()
	hash, unit, from := "substr(lower(hex(randomblob(16))), 1, 32)", "'old' || i", "n"
	count := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) ", letters)
	date := "date('2020-01-01', (i / 1000) || ' days')"
	if s.Dialect() == "mysql" {
		hash, unit, from, count = "MD5(CONCAT('old', seq))", "CONCAT('old', seq)", fmt.Sprintf("seq_0_to_%d", letters-1), ""
		date = "DATE('2020-01-01') + INTERVAL (seq DIV 1000) DAY"
	}
	facts := `{"jurisdiction":"` + strings.Repeat("督", 300) + `"}`
	for _, q := range []string{
		"INSERT INTO notices (id, jurisdiction, logical_date, unit, role, kind, matter, job, state, tries, token, superseded_by, reason, moved_by, seq, resent, settled) " +
			count + "SELECT " + hash + ", '" + j + "', " + date + ", " + unit + ", 'liaison', 'unit-letter', '', 'remind', 'sent', 1, '', '', '', '', 1, 0, '0123456789abcdef0123456789abcdef' FROM " + from,
		"INSERT INTO notice_facts (dated, notice, facts) SELECT logical_date, id, '" + facts + "' FROM notices",
		"INSERT INTO attempts (dated, notice, n, recipient, email, is_copy, outcome, reply, sha256, answered_at, token, phase, code, enhanced, bytes, took_ms, worker, template, calendar, policy) " +
			"SELECT logical_date, id, 1, 0, 'someone@example.com', 0, 'accepted', 'queued as 12345', '" + strings.Repeat("0", 64) + "', '2020-01-01 00:00:00.000', '0123456789abcdef0123456789abcdef', 'answer', 250, '2.0.0', 12345, 17, 'w', '', '', '' FROM notices",
	} {
		if letters == 0 {
			break
		}
		if err := store.Exec(b.Context(), s, q); err != nil {
			b.Fatal(err)
		}
	}
}

// waiting plans so many letters for the days from day0 on, each of about the size that letters have.
func waiting(b testing.TB, s *store.Store, seq int64, letters int) {
	b.Helper()
	const perDay = 10_000
	for d := range civil.Date((letters + perDay - 1) / perDay) {
		r, _, err := s.ClaimSlot(b.Context(), slotOf("remind", day0+d), "bench", time.Minute, false)
		if err != nil {
			b.Fatal(err)
		}
		r.State = "done"
		var day []notice.Notice
		for i := range min(perDay, letters-int(d)*perDay) {
			n := letter(fmt.Sprint("u", i), day0+d)
			for k := range 4 {
				n.Facts.Overdue = append(n.Facts.Overdue, notice.Item{Ref: fmt.Sprint(j, "/zfzl2024/", k, "/u/m1"), Row: "17", Title: "推进行政执法规范化建设，完成年度案卷评查并形成报告",
					Kind: "milestone", Label: "final", Due: day0, Nominal: day0, LastWorkday: day0, DeadlineText: "2024年9月底前", Late: 3, Deliverable: "案卷评查报告",
					Channel: "政务外网", Step: "T+3", Rung: "urging", Reminded: []civil.Date{day0 - 10, day0 - 3}})
			}
			day = append(day, n)
		}
		if err := s.SavePlan(b.Context(), j, seq, dayPlan(r, day...)); err != nil {
			b.Fatal(err)
		}
		seq++
	}
}

// deliverSome claims, marks and settles so many letters, which have to be there.
func deliverSome(b testing.TB, s *store.Store, many int) {
	b.Helper()
	letters, err := s.ClaimNotices(b.Context(), notice.ClaimFilter{}, many, time.Minute, time.Hour)
	if err != nil || len(letters) != many {
		b.Fatal(len(letters), err)
	}
	var marks []notice.Mark
	var ends []notice.Settlement
	for _, n := range letters {
		marks = append(marks, markOf(n))
		ends = append(ends, settled(n, by(notice.Deliver), sentTo(0, n.Facts.Recipients[0].Email)))
	}
	for _, f := range []func() (map[string]bool, error){
		func() (map[string]bool, error) { return s.Commit(b.Context(), marks, nil) },
		func() (map[string]bool, error) { return s.Commit(b.Context(), nil, ends) },
	} {
		if lost, err := f(); err != nil || len(lost) > 0 {
			b.Fatal(lost, err)
		}
	}
}

// TestALetterCostsTheSameBehindALongHistory compares what a letter costs behind a thousand letters that left long ago, and
// behind a hundred times as many: by what the engine reads for it (pages on SQLite, of which a deeper tree wants a few
// more; rows on MySQL) and, where the engine is in this process, by processor time, the best of some rounds.
// BenchmarkDelivery does the same behind a million.
func TestALetterCostsTheSameBehindALongHistory(t *testing.T) {
	const batch, batches, enough, rounds = 32, 5, 5, 30
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			past, reads := []int{1000, 100_000}, 1.2
			if testing.Short() || e.Name == "mysql" {
				past[1] = 20_000
			}
			if e.Name == "sqlite" {
				reads = 2
			}
			stores := make([]*store.Store, len(past))
			for i, n := range past {
				stores[i] = e.Open(t)
				store.OneConnection(stores[i])
				seq := stock(t, stores[i], 0)
				history(t, stores[i], n)
				waiting(t, stores[i], seq, batch*batches*(rounds+2))
			}
			var read [2]int
			var best [2]time.Duration
			ratio := func() float64 { return float64(best[1]) / float64(best[0]) }
			for round := range rounds + 1 {
				for i, s := range stores {
					before, spent := got[int](t)(store.Effort(t.Context(), s)), processor()
					for range batches {
						deliverSome(t, s, batch)
					}
					took := processor() - spent
					if round == 0 {
						continue // statements are being compiled
					}
					read[i] += got[int](t)(store.Effort(t.Context(), s)) - before
					if best[i] == 0 || took < best[i] {
						best[i] = took
					}
				}
				if round >= enough && ratio() <= 1.2 {
					break
				}
			}
			t.Logf("behind %d letters: read %.2f, processor %.2f times what it is behind %d", past[1], float64(read[1])/float64(read[0]), ratio(), past[0])
			if read[0] <= 0 || float64(read[1]) > reads*float64(read[0]) {
				t.Errorf("read %d behind %d letters and %d behind %d", read[1], past[1], read[0], past[0])
			}
			if e.Name == "sqlite" && ratio() > 1.2 {
				t.Errorf("took %v of processor behind %d letters and %v behind %d", best[1], past[1], best[0], past[0])
			}
		})
	}
}

// processor is the processor time this process has used: unlike the clock it does not mind what else the machine does.
// On MySQL the server's is not in it.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDelivery claims, marks and settles 32 letters at a time, behind no history and behind a long one: the two
// should cost the same. With -short the long one is short.
func BenchmarkDelivery(b *testing.B) {
	const batch = 32
	long := 1_000_000
	if testing.Short() {
		long = 20_000
	}
	for _, e := range storetest.Engines(b) {
		for _, past := range []int{1000, long} {
			b.Run(fmt.Sprintf("%s/past=%d", e.Name, past), func(b *testing.B) {
				s := e.Open(b)
				seq := stock(b, s, 0)
				history(b, s, past)
				waiting(b, s, seq, 100_000)
				for range 20 {
					deliverSome(b, s, batch)
				}
				spent := processor()
				for b.Loop() {
					deliverSome(b, s, batch)
				}
				b.ReportMetric(float64((processor()-spent).Microseconds())/float64(b.N*batch), "cpu-µs/letter")
				b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "letters/s")
			})
		}
	}
}
