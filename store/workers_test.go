package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

func TestLeasesOfAWorkerThatIsGoneEndAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		day := day0
		var all []notice.Notice
		for i := range 6 {
			all = append(all, letter(fmt.Sprint("u", i), day))
		}
		planned(t, s, begin(t, s), day, all...)
		f := notice.ClaimFilter{Date: day}
		claim := func(worker string) []notice.Notice {
			t.Helper()
			got, err := s.As(worker, nil).ClaimNotices(ctx, f, 2, time.Hour, time.Hour)
			if err != nil || len(got) != 2 {
				t.Fatalf("%d letters, %v", len(got), err)
			}
			return got
		}
		dead, alive, nobody := claim("m-1-2-3"), claim("m-1-2-4"), claim(strings.Repeat("x", 60))
		if !strings.HasPrefix(dead[0].Token, "m-1-2-3.") || len(dead[0].Token) > 64 || strings.Contains(nobody[0].Token, ".") || dead[0].Token == claimedTwice(dead) {
			t.Errorf("tokens %s, %s", dead[0].Token, nobody[0].Token)
		}
		tokens, err := s.Claims(ctx, f)
		want := []string{dead[0].Token, alive[0].Token, nobody[0].Token}
		slices.Sort(want)
		if err != nil || !slices.Equal(tokens, want) {
			t.Errorf("claims %v, want %v: %v", tokens, want, err)
		}
		if n, err := s.EndLeases(ctx, notice.ClaimFilter{Date: day + 1}, []string{dead[0].Token}); err != nil || n != 0 {
			t.Errorf("another day's: %d %v", n, err)
		}
		if n, err := s.EndLeases(ctx, f, nil); err != nil || n != 0 {
			t.Errorf("nobody's: %d %v", n, err)
		}
		if n, err := s.EndLeases(ctx, f, []string{dead[0].Token}); err != nil || n != 2 {
			t.Errorf("ended %d, %v", n, err)
		}
		expired, err := s.ExpiredNotices(ctx, f, 10)
		if err != nil || len(expired) != 2 || expired[0].Token != dead[0].Token || expired[1].Token != dead[0].Token {
			t.Errorf("expired %v, %v", expired, err)
		}
		if n, err := s.EndLeases(ctx, f, []string{dead[0].Token}); err != nil || n != 0 {
			t.Errorf("ended again: %d, %v", n, err)
		}
	})
}

// claimedTwice is the token of the letters' claim where they do not share it.
func claimedTwice(ns []notice.Notice) string {
	if ns[0].Token != ns[1].Token {
		return ns[0].Token
	}
	return ""
}

func TestWhatIsDatedEarlierIsClaimedApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		planned(t, s, begin(t, s), day0, letter("a", day0-2), letter("b", day0-1), letter("c", day0), letter("d", day0+1))
		for _, c := range []struct {
			f    notice.ClaimFilter
			want int
		}{
			{notice.ClaimFilter{Before: day0 - 2}, 0}, {notice.ClaimFilter{Before: day0, Date: day0}, 0}, {notice.ClaimFilter{Before: day0}, 2},
			{notice.ClaimFilter{Date: day0}, 1}, {notice.ClaimFilter{}, 1},
		} {
			got, err := s.ClaimNotices(t.Context(), c.f, 9, time.Minute, time.Hour)
			if err != nil || len(got) != c.want {
				t.Errorf("%+v: %d letters, want %d: %v", c.f, len(got), c.want, err)
			}
		}
	})
}

func TestALetterThatWaitsForACopyIsServed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		waits, neither, trial := letter("a", day0), letter("b", day0), letter("c", day0)
		planned(t, s, begin(t, s), day0, waits, neither, trial)
		for _, n := range takeAll(t, s, 3, time.Minute) {
			end := settled(n, by(notice.Defer), sentTo(0, "a@example.com"), refused(1, "d@example.com", notice.OutcomeTemporary, 450, "later"))
			switch n.ID {
			case neither.ID:
				end.Receipts = []notice.Receipt{refused(0, "a@example.com", notice.OutcomeTemporary, 450, "later"), sentTo(1, "d@example.com")}
			case trial.ID:
				end.Reason = notice.TrialRun
			}
			equal(t, "lost", commit(t, s, nil, end), []string(nil))
		}
		equal(t, "served", got[map[string]civil.Date](t)(s.Served(t.Context(), []string{waits.ID, neither.ID, trial.ID})), map[string]civil.Date{waits.ID: day0})
	})
}

func TestASlotOfAWorkerThatIsGoneIsFree(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		begin(t, s)
		slot := run.Slot{Job: "remind", Jurisdiction: j, Date: day0 + 7}
		dead := s.As("m-1-2-3", nil)
		if _, ok, err := dead.ClaimSlot(ctx, slot, "dead", time.Hour, false); err != nil || !ok {
			t.Fatal(ok, err)
		}
		for _, c := range []struct {
			gone func(string) bool
			want bool
		}{{nil, false}, {func(string) bool { return false }, false}, {func(token string) bool { return strings.HasPrefix(token, "m-1-2-3.") }, true}, {func(token string) bool { return strings.HasPrefix(token, "m-1-2-3.") }, false}} {
			r, ok, err := s.As("m-1-2-4", c.gone).ClaimSlot(ctx, slot, "next", time.Hour, false)
			if err != nil || ok != c.want || !ok && r.Token != "" {
				t.Errorf("claimed %v, want %v: %+v %v", ok, c.want, r, err)
			}
		}
	})
}
