package store_test

import (
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/store/storetest"
)

// TestNewestVersions: of each kind what was loaded last, without its body, and of this jurisdiction alone.
func TestNewestVersions(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			s := e.Open(t)
			ctx := t.Context()
			seq := map[string]int64{}
			for _, code := range []string{"laoshan", "sishui"} {
				n, err := s.Write(ctx, code, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: code, Name: "崂山区"}})
				if err != nil {
					t.Fatal(err)
				}
				seq[code] = n
			}
			if got, err := s.NewestVersions(ctx, "laoshan"); err != nil || len(got) != 0 {
				t.Fatalf("%v %v", got, err)
			}
			day := civil.MustParse("2024-06-25")
			for i, v := range []run.Version{
				{Jurisdiction: "laoshan", Kind: run.PolicyVersion, Hash: "p1", By: "first use"},
				{Jurisdiction: "laoshan", Kind: run.CalendarVersion, Hash: "c1", By: "first use"},
				{Jurisdiction: "sishui", Kind: run.PolicyVersion, Hash: "other", By: "first use"},
				{Jurisdiction: "laoshan", Kind: run.PolicyVersion, Hash: "p2", By: "周科", Why: "催办晚一天"},
			} {
				v.On, v.At, v.Body = day, time.Date(2024, 6, 25, 1, i, 0, 0, time.UTC), []byte(`{"long":"body"}`)
				n, err := s.LoadVersions(ctx, v.Jurisdiction, seq[v.Jurisdiction], v)
				if err != nil {
					t.Fatal(err)
				}
				seq[v.Jurisdiction] = n
			}
			got, err := s.NewestVersions(ctx, "laoshan")
			if err != nil || len(got) != 2 {
				t.Fatalf("%+v %v", got, err)
			}
			c, p := got[0], got[1]
			if p.Hash != "p2" || p.By != "周科" || p.Why != "催办晚一天" || p.Seq != seq["laoshan"] || p.On != day || p.Body != nil || p.Kind != run.PolicyVersion ||
				!p.At.Equal(time.Date(2024, 6, 25, 1, 3, 0, 0, time.UTC)) {
				t.Errorf("%+v", p)
			}
			if c.Kind != run.CalendarVersion || c.Hash != "c1" || c.Jurisdiction != "laoshan" || c.Body != nil {
				t.Errorf("%+v", c)
			}
		})
	}
}
