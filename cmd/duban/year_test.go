package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/notice"
	"duban/store"
)

// yearRange is the range BenchmarkYear replays.
var yearRange = flag.String("year", "2024-01-01..2024-12-31", "the range BenchmarkYear replays")

// BenchmarkYear replays a year of the five bundled plans day by day: what is planned and what leaves, into files; with the
// demo's story of what happens meanwhile, and without, so that everything is late, urged, formed and told of. It logs the
// fingerprint of what was written, which only a change of a rule or of a wording may change. Where the time goes:
//
//	go test ./cmd/duban -run '^$' -bench BenchmarkYear/story -benchtime 1x -v -cpuprofile cpu.prof
func BenchmarkYear(b *testing.B) {
	first, last, _ := strings.Cut(*yearRange, "..")
	from, to := civil.MustParse(first), civil.MustParse(last)
	for _, v := range []struct {
		name string
		day  func(*demo, testing.TB, string, civil.Date)
	}{{"story", (*demo).storyDay}, {"silence", (*demo).bareDay}} {
		b.Run(v.name, func(b *testing.B) {
			defer runtime.KeepAlive(make([]byte, reserve)) // as the program does
			for b.Loop() {
				a, _, _ := testApp(b)
				dir := b.TempDir()
				if err := a.configureDemo(dir); err != nil {
					b.Fatal(err)
				}
				s, err := a.openDB(b.Context(), "sqlite:"+filepath.Join(dir, "duban.db"))
				if err != nil {
					b.Fatal(err)
				}
				d := newDemo(a, s, dir, from, to)
				began := cpu()
				if err := d.importAll(b.Context()); err != nil {
					b.Fatal(err)
				}
				for day := d.from; day <= d.to; day++ {
					for _, code := range d.codes {
						v.day(d, b, code, day)
					}
				}
				b.ReportMetric((cpu() - began).Seconds(), "cpu-s/year")
				b.Log(fingerprint(b, s))
			}
		})
	}
}

func (d *demo) storyDay(t testing.TB, code string, day civil.Date) {
	t.Helper()
	if err := d.day(t.Context(), code, day); err != nil {
		t.Fatalf("%s %s: %v", code, day, err)
	}
}

// bareDay is `duban run all --date D` of one jurisdiction.
func (d *demo) bareDay(t testing.TB, code string, day civil.Date) {
	t.Helper()
	ctx := t.Context()
	if err := d.prepare(ctx, d.store, code); err != nil {
		t.Fatal(err)
	}
	runner := d.runner(d.store, "operator")
	var names []string
	for _, j := range runner.Jobs {
		names = append(names, j.Name())
	}
	results, err := runSlots(ctx, runner, names, code, day, false)
	if err != nil {
		t.Fatalf("%s %s: %v", code, day, err)
	}
	planned := false
	for _, r := range results {
		planned = planned || r.Job == "remind" && r.Date == day && r.State == run.Done
	}
	if _, err := d.deliver(ctx, d.store, code, day, planned, true); err != nil {
		t.Fatalf("%s %s: %v", code, day, err)
	}
}

// imprint is a fingerprint of what a database holds: hashes of the letters with their facts and what became of them, of the
// bytes that left, and of the slots with their states, reasons and counts.
type imprint struct {
	Letters              int
	Facts, Mails, Ledger string
}

func (p imprint) String() string {
	return fmt.Sprintf("%d letters, facts %.16s, mails %.16s, ledger %.16s", p.Letters, p.Facts, p.Mails, p.Ledger)
}

// fingerprint reads page by page: a year's letters with their facts are many.
func fingerprint(t testing.TB, s *store.Store) imprint {
	t.Helper()
	const page = 500
	facts, mails, ledger := sha256.New(), sha256.New(), sha256.New()
	line := func(to interface{ Write([]byte) (int, error) }, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = to.Write(append(b, '\n'))
	}
	var p imprint
	for after := ""; ; {
		letters, err := s.Notices(t.Context(), notice.Filter{After: after, Limit: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range letters {
			line(facts, []any{n.ID, n.Key, n.State, n.Reason, n.SupersededBy, n.Facts})
			for _, r := range n.Receipts {
				line(mails, []any{n.ID, r.Email, r.Outcome, r.Bytes, r.SHA256})
			}
			after = n.ID
		}
		if p.Letters += len(letters); len(letters) < page {
			break
		}
	}
	runs, err := s.Runs(t.Context(), run.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(runs, func(a, b run.Run) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Jurisdiction, b.Jurisdiction), cmp.Compare(a.Job, b.Job))
	})
	for _, r := range runs {
		r.Counts.Seq = 0
		line(ledger, []any{r.Slot, r.State, r.Reason, r.Counts})
	}
	p.Facts, p.Mails, p.Ledger = hex.EncodeToString(facts.Sum(nil)), hex.EncodeToString(mails.Sum(nil)), hex.EncodeToString(ledger.Sum(nil))
	return p
}
