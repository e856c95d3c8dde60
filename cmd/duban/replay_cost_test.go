package main

import (
	"flag"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/store"
)

// whole asks for the year; without it a few weeks have to do.
var whole = flag.Bool("whole", false, "go through all of -year, and not only through the weeks around 国庆")

// mostPreview is how many times as much a preview of a range may cost as going through it day by day.
const mostPreview = 1.2

// With nothing reported everything goes late, is urged, drafted and told of. A year of the five jurisdictions says the same
// letters gone through day by day, previewed and filled in, and looking ahead costs little more than living through it.
func TestAYearSaysTheSameAndAPreviewCostsNoMore(t *testing.T) {
	skipUntimed(t)
	defer runtime.KeepAlive(make([]byte, reserve)) // as the program does
	first, last, _ := strings.Cut("2024-09-16..2024-10-16", "..")
	if *whole {
		first, last, _ = strings.Cut(*yearRange, "..")
	}
	fresh := func() (*demo, *store.Store) {
		a, _, _ := testApp(t)
		dir := t.TempDir()
		if err := a.configureDemo(dir); err != nil {
			t.Fatal(err)
		}
		s, err := a.openDB(t.Context(), "sqlite:"+filepath.Join(dir, "duban.db"))
		if err != nil {
			t.Fatal(err)
		}
		d := newDemo(a, s, dir, civil.MustParse(first), civil.MustParse(last))
		if err := d.importAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		return d, s
	}
	d, s := fresh()
	began := cpu()
	for day := d.from; day <= d.to; day++ {
		for _, code := range d.codes {
			d.bareDay(t, code, day)
		}
	}
	replayed := cpu() - began
	want := lettersSaid(t, s, d.from, d.to)

	e, blank := fresh()
	sp := span{job: jobs.AllJobs, codes: d.codes, from: d.from, to: d.to, mode: run.RecordOnly, reprocess: run.ReprocessNone}
	began = cpu()
	copied, err := e.app.scratch(t.Context(), blank, store.Cut{})
	if err != nil {
		t.Fatal(err)
	}
	saw, err := e.app.rehearse(t.Context(), copied, sp, nil)
	if err != nil {
		t.Fatal(err)
	}
	previewed := cpu() - began
	foretold := map[string]string{}
	for _, l := range saw.letters {
		foretold[l.ID] = l.Facts
	}
	sameLetters(t, "previewed", s, want, foretold)
	began = cpu()
	if err := e.app.fill(t.Context(), blank, saw, backfillFlags{by: "李敏"}); err != nil {
		t.Fatal(err)
	}
	filled := cpu() - began
	sameLetters(t, "filled in", s, want, lettersSaid(t, blank, d.from, d.to))

	ratio := previewed.Seconds() / replayed.Seconds()
	t.Logf("%s to %s, %d letters: day by day %.1f CPU s, previewed %.1f (%.2f), filled in %.1f", first, last, len(want),
		replayed.Seconds(), previewed.Seconds(), ratio, filled.Seconds())
	if ratio > mostPreview {
		t.Errorf("a preview costs %.2f times as much as going through the days, want at most %.1f", ratio, mostPreview)
	}
}
