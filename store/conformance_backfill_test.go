package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"duban/jobs/run"
	"duban/store"
	"duban/store/storetest"
)

// backfill is one of a range of three days.
func backfill(hash string, started time.Time) run.Backfill {
	return run.Backfill{
		Hash: hash, Job: "all", Jurisdictions: []string{j, "gangcheng"}, From: day0, To: day0 + 2, Mode: run.OneLetter,
		Reprocess: run.ReprocessNone, By: "甲", Started: started,
		Days: []run.DayHash{{Jurisdiction: j, Date: day0, Letters: 3, Hash: "ab"}, {Jurisdiction: "gangcheng", Date: day0 + 2, Hash: "cd"}},
	}
}

func TestBackfillsComeBackWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		whole := instant.UTC().Truncate(time.Millisecond)
		a := backfill(strings.Repeat("0123456789abcdef", 2), whole)
		b := backfill("0123456799"+strings.Repeat("f", 22), whole.Add(time.Hour))
		b.Mode, b.Reprocess, b.Jurisdictions, b.Days, b.Finished = run.RecordOnly, run.ReprocessAll, nil, nil, whole.Add(2*time.Hour)
		for _, v := range []run.Backfill{a, b} {
			if err := s.SaveBackfill(ctx, v); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "all", got[[]run.Backfill](t)(s.Backfills(ctx, 0)), []run.Backfill{b, a})
		equal(t, "the last", got[[]run.Backfill](t)(s.Backfills(ctx, 1)), []run.Backfill{b})

		later := backfill(a.Hash, whole.Add(3*time.Hour)) // goes on, by another
		later.By, later.Job, later.Days = "乙", "remind", nil
		later.Finished = whole.Add(4 * time.Hour)
		if err := s.SaveBackfill(ctx, later); err != nil {
			t.Fatal(err)
		}
		a.By, a.Started, a.Finished = later.By, later.Started, later.Finished
		equal(t, "gone on with", got[run.Backfill](t)(s.Backfill(ctx, a.Hash)), a)
		again := a
		again.Finished, again.Started = time.Time{}, time.Time{}
		if err := s.SaveBackfill(ctx, again); err != nil {
			t.Fatal(err)
		}
		is := got[run.Backfill](t)(s.Backfill(ctx, a.Hash))
		if is.Started.Before(a.Started) || !is.Finished.IsZero() {
			t.Errorf("begun again: %v to %v", is.Started, is.Finished)
		}
	})
}

func TestABackfillIsFoundByTheBeginningOfItsHash(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		hashes := []string{"0123456789abcdef" + strings.Repeat("0", 16), "0123456789abcdee" + strings.Repeat("f", 16), strings.Repeat("f", 32)}
		for i, h := range hashes {
			if err := s.SaveBackfill(ctx, backfill(h, instant.Add(time.Duration(i)*time.Second))); err != nil {
				t.Fatal(err)
			}
		}
		for digits, want := range map[string]string{
			hashes[0]: hashes[0], hashes[1]: hashes[1], "0123456789abcdef": hashes[0], "0123456789abcdee": hashes[1], "ffffffff": hashes[2],
			"fffffffff": hashes[2],
		} {
			equal(t, "by "+digits, got[run.Backfill](t)(s.Backfill(ctx, digits)).Hash, want)
		}
		for _, digits := range []string{"01234567f", "0123456%", "FFFFFFFF", "ffffffff ", "督办督办督办", strings.Repeat("f", 33), strings.Repeat("f", 99)} {
			_, err := s.Backfill(ctx, digits)
			wantErr(t, "by "+digits, err, store.ErrNotFound)
		}
		for _, digits := range []string{"", "fffffff", "0123456789abcde"} {
			if b, err := s.Backfill(ctx, digits); err == nil {
				t.Errorf("by %q: %s", digits, b.Hash)
			}
		}
		if _, err := s.Backfill(ctx, "01234567"); err == nil || !strings.Contains(err.Error(), hashes[0]) || !strings.Contains(err.Error(), hashes[1]) {
			t.Errorf("two begin so, and it says: %v", err)
		}
	})
}

func TestABackfillThatIsNoneIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, spoil := range []func(*run.Backfill){
			func(b *run.Backfill) { b.Hash = "" },
			func(b *run.Backfill) { b.Hash = "0123456" },
			func(b *run.Backfill) { b.Hash = strings.Repeat("A", 32) },
			func(b *run.Backfill) { b.Hash = strings.Repeat("a", 65) },
			func(b *run.Backfill) { b.From = 0 },
			func(b *run.Backfill) { b.To = b.From - 1 },
			func(b *run.Backfill) { b.Mode = "" },
			func(b *run.Backfill) { b.Reprocess = "" },
			func(b *run.Backfill) { b.Job = "" },
		} {
			b := backfill(fmt.Sprintf("%032x", i+1), instant)
			spoil(&b)
			if err := s.SaveBackfill(t.Context(), b); err == nil {
				t.Errorf("%d was saved: %+v", i, b)
			}
		}
		equal(t, "saved", got[[]run.Backfill](t)(s.Backfills(t.Context(), 0)), []run.Backfill(nil))
	})
}
