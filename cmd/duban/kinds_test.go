package main

import (
	"maps"
	"slices"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store/storetest"
)

// spoken names what the letters of a demo speak of: the kind of each item, and the part of the letter for what is not
// a dated result to be handed in.
func spoken(t *testing.T, d *demo) map[string]int {
	t.Helper()
	letters, err := d.store.Notices(t.Context(), notice.Filter{State: notice.Sent})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for _, n := range letters {
		f := n.Facts
		for _, it := range slices.Concat(f.Overdue, f.Upcoming, f.Clocks) {
			said[it.Kind]++
			if it.Later != 0 {
				said["ambiguous date"]++
			}
		}
		for _, it := range f.Behind {
			said[it.Kind+" behind pace"]++
		}
		for _, it := range f.Support {
			said[it.Kind+" to support"]++
			said["support"]++
		}
		said["standing"] += len(f.Standing)
		said["condition awaited"] += len(f.Awaiting)
	}
	return said
}

// The letters of 2024 speak of every kind of obligation that the plans hold. The days are those on which each kind comes
// up first: the half-year's end; August's reports and the first pace lines; the reports of September and of a quarter.
func TestEveryKindOfObligationIsInSomeLetterOf2024(t *testing.T) {
	said, opened := map[string]int{}, map[task.Kind]bool{}
	for _, weeks := range [][][2]string{
		{{"2024-07-03", "2024-07-03"}},
		{{"2024-08-27", "2024-08-27"}, {"2024-09-02", "2024-09-03"}, {"2024-09-18", "2024-09-26"}},
	} {
		d := story(t, storetest.Engines(t)[0].Open(t), weeks[0][0], weeks[len(weeks)-1][1])
		if len(weeks) == 1 {
			d.codes = []string{"changji"} // the one whose half-years concern other units
		}
		for _, w := range weeks {
			d.days(t, civil.MustParse(w[0]), civil.MustParse(w[1]))
		}
		for what, n := range spoken(t, d) {
			said[what] += n
		}
		for _, code := range d.codes {
			recs, err := d.store.Records(t.Context(), code, task.RecordFilter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range recs {
				opened[r.Obligation.Kind] = true
			}
		}
	}
	for _, what := range []string{
		"milestone", "monthly", "monthly to support", "quarterly", "half-yearly to support", "yearly", "quota behind pace", "condition",
		"clock", "support", "standing", "condition awaited", "ambiguous date",
	} {
		if said[what] == 0 {
			t.Errorf("no letter speaks of: %s", what)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(opened)) {
		if said[string(k)]+said[string(k)+" to support"]+said[string(k)+" behind pace"] == 0 {
			t.Errorf("the plans open %s obligations, and no letter speaks of one", k)
		}
	}
	if t.Failed() {
		t.Logf("the letters speak of %v", said)
	}
}

// A demo is taken into use shortly before its first day, whenever that is: nobody is urged of what was due long before,
// and what lies in a year without a calendar says so.
func TestADemoOfAnyYearBlamesNobodyForWhatWasLongBefore(t *testing.T) {
	t.Parallel()
	for _, days := range [][3]string{{"2022-11-30", "2022-12-02", "gangcheng"}, {"2026-12-28", "2027-01-04", "changji"}} {
		d := story(t, storetest.Engines(t)[0].Open(t), days[0], days[1])
		d.codes = days[2:]
		d.days(t, d.from, d.to)
		letters, err := d.store.Notices(t.Context(), notice.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range letters {
			set, err := d.policies.settings(n.Key.Jurisdiction)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range slices.Concat(n.Facts.Overdue, n.Facts.Upcoming, n.Facts.Clocks, n.Facts.Behind, n.Facts.Support) {
				due := max(it.Due, it.Later)
				if due < d.inUse() {
					t.Errorf("%s %s: %s was due on %s, before duban was in use", n.Key.Date, n.Key.Unit, it.Ref, due)
				}
				if it.Late == 1 && it.Kind != string(task.Clock) {
					t.Errorf("%s: %s is blamed on the morning after", n.Key.Date, it.Ref)
				}
				if !set.Calendar.Published(it.Due) && !it.Provisional {
					t.Errorf("%s: %s of %s does not say that its date is provisional", n.Key.Date, it.Ref, it.Due)
				}
				if it.Provisional && set.Calendar.Published(due) && set.Calendar.Published(n.Key.Date) {
					t.Errorf("%s: %s of %s is called provisional", n.Key.Date, it.Ref, it.Due)
				}
			}
			if n.Key.Date < civil.MustParse(days[0]) {
				t.Errorf("a letter of %s, before the first day", n.Key.Date)
			}
		}
	}
}
