package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// A day begins and ends where the jurisdiction is: 06:30 in Shanghai is still the day before in UTC.
func TestAViewCutsAtTheDaysOfTheJurisdiction(t *testing.T) {
	shanghai := time.FixedZone("UTC+8", 8*3600)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		view := func(c store.Cut) *store.Store {
			t.Helper()
			v := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "view.db"), c))
			t.Cleanup(func() {
				if err := v.Close(); err != nil {
					t.Error(err)
				}
			})
			return v
		}
		at := func(d civil.Date, hour int) time.Time { return d.Time(shanghai).Add(time.Duration(hour) * time.Hour) }
		for _, c := range []struct {
			hour   int // of day0 in Shanghai
			on     civil.Date
			paused bool
		}{
			{6, day0 - 1, false}, {6, day0, true}, {23, day0, true}, {24, day0, false}, {30, day0, false}, {24, day0 + 1, true},
		} {
			seq = must(t, s, seq, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j, Name: "崂山区", Paused: &task.Pause{At: at(day0, c.hour), Who: "李敏"}}})
			v := view(store.Cut{On: c.on, Zone: func(string) *time.Location { return shanghai }})
			if is := got[task.Jurisdiction](t)(v.Jurisdiction(ctx, j)).Paused != nil; is != c.paused {
				t.Errorf("paused at %s, as of %s: %v", at(day0, c.hour), c.on, is)
			}
		}
	})
}

// What has no instant but a day is known at an instant of that day, wherever the jurisdiction is.
func TestAViewKnowsTheDayThatAnInstantIsOf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		now := got[time.Time](t)(s.Now(ctx))
		ahead := time.FixedZone("a day ahead of UTC", 24*3600) // so that the hour of the test is no matter
		today := civil.In(now, ahead)
		served, tomorrow := letter("a", today-3), letter("b", today-3)
		planned(t, s, seq, today-3, served, tomorrow)
		for id, d := range map[string]civil.Date{served.ID: today, tomorrow.ID: today + 1} {
			if err := s.ServedOn(ctx, id, d); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range got[[]notice.Notice](t)(s.ClaimNotices(ctx, notice.ClaimFilter{}, 9, time.Minute, time.Hour)) {
			commit(t, s, nil, settled(n, by(notice.Deliver), accepted(n, 0).Receipt))
		}
		tick(t, s)
		ids := []string{served.ID, tomorrow.ID}
		for name, c := range map[string]struct {
			zone func(string) *time.Location
			want map[string]civil.Date
		}{
			"there":  {func(string) *time.Location { return ahead }, map[string]civil.Date{served.ID: today, tomorrow.ID: today - 3}},
			"in UTC": {nil, map[string]civil.Date{served.ID: today - 3, tomorrow.ID: today - 3}},
		} {
			v := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "view.db"), store.Cut{At: got[time.Time](t)(s.Now(ctx)), Zone: c.zone}))
			equal(t, name, got[map[string]civil.Date](t)(v.Served(ctx, ids)), c.want)
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
