package store_test

import (
	"fmt"
	"slices"
	"testing"

	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

func TestALetterIsPostedOutsideAnyRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		n, other := letter("a", day0), letter("b", day0)
		n.Key.Kind, n.Key.Matter = notice.Correction, notice.MatterOf(refOf("1", "a", "m1").String(), 7)
		n.ID, n.Facts.Paper = n.Key.ID(), &notice.Paper{Title: "更正", Date: day0}
		if err := s.Post(ctx, j, seq, []notice.Notice{n}); err != nil {
			t.Fatal(err)
		}
		n.Seq = seq + 1
		equal(t, "the letter", letterOf(t, s, n.ID), n)
		for what, c := range map[string]struct {
			seq     int64
			letters []notice.Notice
			want    error
		}{
			"at an older seq":         {seq, []notice.Notice{other}, store.ErrMoved},
			"with one that is there":  {seq + 1, []notice.Notice{other, n}, store.ErrExists},
			"of another jurisdiction": {seq + 1, []notice.Notice{other, {Key: notice.Key{Jurisdiction: "x", Date: day0, Unit: "a"}}}, nil},
		} {
			if err := s.Post(ctx, j, c.seq, c.letters); err == nil {
				t.Errorf("%s: it was posted", what)
			} else if c.want != nil {
				wantErr(t, what, err, c.want)
			}
			_, err := s.Notice(ctx, other.ID)
			wantErr(t, what+": half of it", err, store.ErrNotFound)
		}
		equal(t, "the seq", got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)).Seq, seq+1)
	})
}

func TestALetterIsFoundByTheBeginningOfItsID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var all []notice.Notice
		var ids []string
		for i := range 40 {
			n := letter(fmt.Sprint("u", i), day0)
			all, ids = append(all, n), append(ids, n.ID)
		}
		planned(t, s, begin(t, s), day0, all...)
		slices.Sort(ids)
		find := func(digits string) []string { return got[[]string](t)(s.NoticeStarting(ctx, digits)) }
		for _, id := range ids {
			equal(t, "the whole ID", find(id), []string{id})
			equal(t, "most of it", find(id[:12]), []string{id})
		}
		equal(t, "nothing of it", find(""), ids[:2])
		for _, digits := range []string{"zz", "%", "A", "0123456789abcdef0123456789abcdef0", "é"} {
			equal(t, "by "+digits, find(digits), []string(nil))
		}
	})
}
