package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// Whatever moves a jurisdiction's seq is noted with the instant, once for each transaction.
func TestEveryMoveOfTheSeqIsNoted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		before := got[time.Time](t)(s.Now(ctx))
		seq := begin(t, s)
		seqs := []int64{seq}
		noted := func(to int64) {
			seq = to
			seqs = append(seqs, to)
		}
		noted(must(t, s, seq, task.Batch{Plans: []task.Plan{{Code: "p", On: day0}, {Code: "p", On: day0 + 1}}})) // two at once
		noted(must(t, s, seq, task.Batch{}))
		docs, letters, to := drafted(t, s, seq, day0, "a", "b")
		noted(to)
		if err := s.Issue(ctx, j, seq, issued(docs[0], 1, notice.ByMail), letters[0]); err != nil {
			t.Fatal(err)
		}
		noted(seq + 1)
		if err := s.EndDocument(ctx, j, seq, docs[1].ID, notice.Dropped, "不再督办"); err != nil {
			t.Fatal(err)
		}
		noted(seq + 1)
		if err := s.Post(ctx, j, seq, []notice.Notice{letter("p", day0)}); err != nil {
			t.Fatal(err)
		}
		noted(seq + 1)
		noted(got[int64](t)(s.LoadVersions(ctx, j, seq, run.Version{Kind: run.PolicyVersion, On: day0, Hash: "1"})))
		after := got[time.Time](t)(s.Now(ctx))
		// What is refused is not noted.
		_, err := s.Write(ctx, j, seq-1, task.Batch{})
		wantErr(t, "write", err, store.ErrMoved)
		wantErr(t, "post", s.Post(ctx, j, seq, []notice.Notice{letter("p", day0)}), store.ErrExists)
		equal(t, "the seq", got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)).Seq, seq)

		rows := got[[]string](t)(store.Strings(ctx, s, "SELECT seq FROM journal WHERE jurisdiction = ? ORDER BY seq", j))
		if len(rows) != len(seqs) {
			t.Errorf("noted %s, moved to %v", strings.Join(rows, " "), seqs)
		}
		last := before
		for _, to := range seqs {
			when := got[time.Time](t)(s.Recorded(ctx, j, to))
			if when.Before(last) || when.After(after) {
				t.Errorf("%d was recorded at %v, the last one at %v, and all before %v", to, when, last, after)
			}
			last = when
		}
		equal(t, "at the end", got[int64](t)(s.SeqAt(ctx, j, after)), seq)
		equal(t, "an hour before", got[int64](t)(s.SeqAt(ctx, j, before.Add(-time.Hour))), int64(0))
	})
}

func TestWhatWasKnownAtAnInstant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		for range 3 {
			seq = must(t, s, seq, task.Batch{Plans: []task.Plan{{Code: "p", On: day0}, {Code: "q", On: day0}}})
		} // 1, 3, 5, 7
		for seq, when := range map[int64]string{1: "09:00:00.000", 3: "09:00:00.500", 5: "09:00:00.500", 7: "10:00:00.000"} {
			if err := store.Exec(ctx, s, "UPDATE journal SET at = ? WHERE seq = ?", "2024-09-14 "+when, seq); err != nil {
				t.Fatal(err)
			}
		}
		at := func(clock string) time.Time {
			when, err := time.Parse("2006-01-02 15:04:05.999999999", "2024-09-14 "+clock)
			if err != nil {
				t.Fatal(err)
			}
			return when
		}
		for clock, want := range map[string]int64{
			"08:59:59.999": 0, "09:00:00": 1, "09:00:00.499": 1, "09:00:00.500": 5, "09:59:59.9999": 5, "10:00:00": 7, "23:00:00": 7,
		} {
			for _, zone := range []*time.Location{time.UTC, time.FixedZone("CST", 8*3600)} {
				equal(t, "at "+clock, got[int64](t)(s.SeqAt(ctx, j, at(clock).In(zone))), want)
			}
		}
		equal(t, "elsewhere", got[int64](t)(s.SeqAt(ctx, "gangcheng", at("23:00:00"))), int64(0))
		for seq, clock := range map[int64]string{1: "09:00:00", 2: "09:00:00", 3: "09:00:00.500", 4: "09:00:00.500", 6: "09:00:00.500", 7: "10:00:00", 99: "10:00:00"} {
			equal(t, "recorded", got[time.Time](t)(s.Recorded(ctx, j, seq)), at(clock))
		}
		for _, seq := range []int64{0, -1} {
			equal(t, "never recorded", got[time.Time](t)(s.Recorded(ctx, j, seq)), time.Time{})
		}
		equal(t, "recorded elsewhere", got[time.Time](t)(s.Recorded(ctx, "gangcheng", 7)), time.Time{})
	})
}

func TestVersionsComeBackWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		first := run.Version{
			Jurisdiction: j, Kind: run.PolicyVersion, Seq: 99, On: day0 + 1, At: instant.UTC().Truncate(time.Millisecond), Hash: strings.Repeat("a", 64),
			By: "甲" + awkward, Why: "换发" + awkward, Body: []byte(strings.Repeat(awkward, 50_000)),
		}
		second := run.Version{Jurisdiction: j, Kind: run.CalendarVersion, On: day0, Hash: "1"}
		third := run.Version{Jurisdiction: j, Kind: run.PolicyVersion, On: day0 - 1, Hash: "1", Body: []byte("{}\n")} // loaded for a day before
		before := got[time.Time](t)(s.Now(ctx))
		for _, v := range []*run.Version{&first, &second, &third} {
			next := got[int64](t)(s.LoadVersions(ctx, j, seq, *v))
			if next != seq+1 {
				t.Errorf("the seq moved from %d to %d", seq, next)
			}
			seq, v.Seq = next, next
		}
		all := got[[]run.Version](t)(s.Versions(ctx, j, ""))
		if len(all) != 3 || all[1].At.Before(before) || all[2].At.Before(all[1].At) {
			t.Fatalf("%d versions, the second of %v", len(all), all[1].At)
		}
		second.At, third.At = all[1].At, all[2].At
		equal(t, "all", all, []run.Version{first, second, third})
		equal(t, "policies", got[[]run.Version](t)(s.Versions(ctx, j, run.PolicyVersion)), []run.Version{first, third})
		equal(t, "templates", got[[]run.Version](t)(s.Versions(ctx, j, run.TemplateVersion)), []run.Version(nil))
		equal(t, "elsewhere", got[[]run.Version](t)(s.Versions(ctx, "gangcheng", "")), []run.Version(nil))
	})
}

func TestVersionsAreLoadedTogetherOrNotAtAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		policy := run.Version{Kind: run.PolicyVersion, On: day0, Hash: "p"}
		calendar := run.Version{Kind: run.CalendarVersion, On: day0, Hash: "c"}
		templates := run.Version{Kind: run.TemplateVersion, On: day0, Hash: "t"}
		loaded := func() string {
			var words []string
			for _, v := range got[[]run.Version](t)(s.Versions(ctx, j, "")) {
				words = append(words, fmt.Sprint(v.Kind, v.Hash, v.Seq-seq))
			}
			return strings.Join(words, " ")
		}
		torn := templates
		torn.Body = []byte{0xff} // only the database finds it out, and not the first of the rows
		undated := templates
		undated.On = 0
		for what, all := range map[string][]run.Version{
			"the last is no text": {policy, calendar, torn}, "the last has no day": {policy, calendar, undated}, "one twice": {policy, calendar, policy},
		} {
			if _, err := s.LoadVersions(ctx, j, seq, all...); err == nil || loaded() != "" {
				t.Errorf("%s: %v, loaded %q", what, err, loaded())
			}
		}
		_, err := s.LoadVersions(ctx, j, seq-1, policy, calendar, templates)
		wantErr(t, "at another seq", err, store.ErrMoved)
		equal(t, "none", got[int64](t)(s.LoadVersions(ctx, j, seq)), seq)
		equal(t, "the seq", got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)).Seq, seq)
		equal(t, "the new seq", got[int64](t)(s.LoadVersions(ctx, j, seq, policy, calendar, templates)), seq+1)
		equal(t, "loaded", loaded(), fmt.Sprintf("%sc1 %sp1 %st1", run.CalendarVersion, run.PolicyVersion, run.TemplateVersion))
		for _, v := range got[[]run.Version](t)(s.Versions(ctx, j, "")) {
			if v.At.IsZero() {
				t.Errorf("%s is of no instant", v.Kind)
			}
		}
	})
}

func TestAVersionThatIsNoneIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		good := run.Version{Kind: run.PolicyVersion, On: day0, Hash: "1"}
		for what, spoil := range map[string]func(*run.Version){
			"no kind":                 func(v *run.Version) { v.Kind = "" },
			"no day":                  func(v *run.Version) { v.On = 0 },
			"no hash":                 func(v *run.Version) { v.Hash = "" },
			"a hash too long":         func(v *run.Version) { v.Hash = strings.Repeat("a", 65) },
			"of another jurisdiction": func(v *run.Version) { v.Jurisdiction = "gangcheng" },
			"a body that is no text":  func(v *run.Version) { v.Body = []byte{0xff, 0xfe} },
		} {
			bad := good
			spoil(&bad)
			if _, err := s.LoadVersions(ctx, j, seq, bad); err == nil {
				t.Errorf("%s: loaded", what)
			}
		}
		for _, old := range []int64{seq - 1, seq + 1} {
			_, err := s.LoadVersions(ctx, j, old, good)
			wantErr(t, "at another seq", err, store.ErrMoved)
		}
		_, err := s.LoadVersions(ctx, "gangcheng", 0, good)
		wantErr(t, "of a jurisdiction that is not there", err, store.ErrMoved)
		equal(t, "loaded", got[[]run.Version](t)(s.Versions(ctx, j, "")), []run.Version(nil))
		equal(t, "the seq", got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j)).Seq, seq)
	})
}
