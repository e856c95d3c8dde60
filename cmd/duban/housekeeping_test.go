package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/notify/archive"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// pruned removes all that may ever be removed, as if nothing were kept but for a day.
func pruned(t *testing.T, s *store.Store, code string, before civil.Date) store.Pruned {
	t.Helper()
	ctx := t.Context()
	var sum store.Pruned
	for n := -1; n != 0; sum.Runs += n {
		var err error
		if n, err = s.PruneRuns(ctx, code, civil.Of(2199, time.January, 1), false); err != nil {
			t.Fatal(err)
		}
		sum.Runs = max(sum.Runs, 0)
	}
	need, err := s.Needed(ctx, code, before)
	if err != nil {
		t.Fatal(err)
	}
	for cursor := (store.LetterCursor{}); ; {
		p, next, err := s.PruneLetters(ctx, code, need, store.Retention{On: before, Attempts: before, Facts: before}, cursor, false)
		if err != nil {
			t.Fatal(err)
		}
		sum = sum.Add(p)
		if cursor = next; next == (store.LetterCursor{}) {
			return sum
		}
	}
}

// saidFrom plans and sends each day, and returns what was said, by letter.
func saidFrom(t *testing.T, d *demo, s *store.Store, from, to civil.Date) map[string]string {
	t.Helper()
	runner := d.runner(s, "demo")
	for day := from; day <= to; day++ {
		for _, code := range d.codes {
			if _, err := runner.Run(t.Context(), "escalate", code, day, false); err != nil {
				t.Fatal(err)
			}
			if _, err := d.deliver(t.Context(), s, code, day, true, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	letters, err := s.Notices(t.Context(), notice.Filter{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, n := range letters {
		text, err := json.Marshal(n.Facts)
		if err != nil {
			t.Fatal(err)
		}
		out[n.ID] = fmt.Sprint(n.Key, n.State, string(text))
	}
	return out
}

// TestThePlansToComeAreTheSameWithoutWhatIsOld removes far more than any retention allows, all up to yesterday.
func TestThePlansToComeAreTheSameWithoutWhatIsOld(t *testing.T) {
	t.Parallel()
	const today, days = "2024-10-14", 60
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			s := e.Open(t)
			d := story(t, s, "2024-09-23", "2024-12-31")
			d.codes = []string{"laoshan"}
			first := civil.MustParse(today)
			d.days(t, d.from, first-1)
			scratch := func(name string) *store.Store {
				t.Helper()
				c, err := s.Scratch(t.Context(), filepath.Join(t.TempDir(), name), store.Cut{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				return c
			}
			whole := scratch("whole.db")
			var sum store.Pruned
			for _, code := range d.codes {
				sum = sum.Add(pruned(t, s, code, first-1))
			}
			if sum.Runs == 0 || sum.Facts == 0 || sum.Attempts == 0 {
				t.Errorf("nothing was removed: %+v", sum)
			}
			with, without := saidFrom(t, d, whole, first, first+days), saidFrom(t, d, scratch("less.db"), first, first+days)
			if len(with) < days {
				t.Errorf("%d letters in %d days", len(with), days)
			}
			same(t, "after the housekeeping", with, without)
		})
	}
}

func TestHousekeepingRemovesWhatTheConfigurationAllows(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, _ := posted(t, e)
			d.on("2024-09-25")
			d.ok("run", "all")
			db := behind(t, dsn)
			// As if it had been run on its day, but for the last run: this machine's clock says another year.
			alter(t, db, "UPDATE runs SET started = '2024-09-25 01:30:00.000', finished = '2024-09-25 01:30:01.000' WHERE job <> 'open' OR logical_date <> '2024-09-25'")
			d.env["DUBAN_RETENTION_FACTS"], d.env["DUBAN_RETENTION_ARCHIVE"] = "400", "400"
			count := func() string {
				return strings.Join(query(t, db, "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM attempts), (SELECT count(*) FROM notice_facts), (SELECT count(*) FROM moves)"), "")
			}
			kinds := func(args ...string) map[string]int {
				n := map[string]int{}
				for _, o := range d.objects(append([]string{"housekeeping"}, args...)...) {
					n[fmt.Sprint(o["kind"])] += int(o["removed"].(float64)) //nolint:forcetypeassert // documented
				}
				return n
			}
			before := count()
			for kind, n := range kinds() {
				if n != 0 {
					t.Errorf("%d %s of today were removed", n, kind)
				}
			}
			d.fails(exitUsage, []string{"housekeeping", "--jurisdiction", "nowhere"}, "nowhere")
			d.on("2029-09-25")
			d.machine = func() time.Time { return d.now }
			if said := d.fails(exitUsage, []string{"housekeeping"}, "nothing was removed", "--confirm-date"); count() != before {
				t.Errorf("a clock that is years ahead removed something: %s", said)
			}
			d.machine = nil
			look := kinds("--dry-run")
			if count() != before {
				t.Error("a look removed something")
			}
			if look["runs"] == 0 || look["facts"] == 0 || look["archive"] == 0 {
				t.Errorf("a look finds nothing: %v", look)
			}
			done := kinds()
			if fmt.Sprint(done) != fmt.Sprint(look) {
				t.Errorf("removed %v, and the look said %v", done, look)
			}
			for kind, n := range kinds() {
				if n != 0 {
					t.Errorf("a second time %d %s", n, kind)
				}
			}
			if out := d.ok("housekeeping", "--dry-run"); !strings.Contains(out, "housekeeping: last on 2") {
				t.Errorf("it does not say when it ran: %s", out)
			}
			// The journal says of every letter that it was accepted, and the archive knows no more than the database.
			arch, err := archive.Open(d.env["DUBAN_MAIL_ARCHIVE_DIR"])
			if err != nil {
				t.Fatal(err)
			}
			list, _, err := arch.Read("town", 0, 0)
			if err != nil || len(list) == 0 {
				t.Error(list, err)
			}
			left, err := arch.Files("town", civil.MustParse("2024-09-25"))
			if err != nil {
				t.Fatal(err)
			}
			// The letters about what is still open stay.
			if len(left) == 0 || slices.ContainsFunc(left, func(f archive.File) bool { return strings.Contains(f.Name, "accepted") }) {
				t.Errorf("left %v", left)
			}
			if _, err := os.Stat(filepath.Join(d.env["DUBAN_MAIL_ARCHIVE_DIR"], "town", "2024-09-25", "accepted.jsonl")); err != nil {
				t.Error(err)
			}
			if rows := d.objects("outbox", "list", "--from", "2024-09-25"); len(rows) == 0 {
				t.Error("the letters are not listed any more")
			}
		})
	}
}
