package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

// column is a column of a table as the server's engine knows it.
type column struct{ table, name, kind string }

var (
	tableLine  = regexp.MustCompile(`CREATE TABLE IF NOT EXISTS (\w+)`)
	columnLine = regexp.MustCompile(`^ {4}(\w+) (VARCHAR|MEDIUMTEXT|LONGTEXT|TEXT|DATETIME|DATE|BIGINT|INT|TINYINT|BOOLEAN)`)
	addLine    = regexp.MustCompile(`ALTER TABLE (\w+) (ADD COLUMN .*)'`)
	addedOne   = regexp.MustCompile(`ADD COLUMN (\w+) (\w+)`)
	dropLine   = regexp.MustCompile(`DROP TABLE (?:IF EXISTS )?(\w+)`)
)

// columns reads what the migrations of the server's engine make.
func columns(t *testing.T) (out []column) {
	t.Helper()
	files := got[[]string](t)(filepath.Glob("migrations/mysql/*.sql"))
	for _, name := range files {
		text := string(got[[]byte](t)(os.ReadFile(name)))
		table := ""
		for line := range strings.Lines(text) {
			if m := tableLine.FindStringSubmatch(line); m != nil {
				table = m[1]
			}
			if m := columnLine.FindStringSubmatch(line); m != nil && table != "" {
				out = append(out, column{table, m[1], m[2]})
			}
			if m := addLine.FindStringSubmatch(line); m != nil {
				for _, c := range addedOne.FindAllStringSubmatch(m[2], -1) {
					out = append(out, column{m[1], c[1], c[2]})
				}
			}
			if m := dropLine.FindStringSubmatch(line); m != nil {
				out = slices.DeleteFunc(out, func(c column) bool { return c.table == m[1] })
			}
		}
	}
	return out
}

// value is what the i-th row of a column is filled with, as the store would write it.
func (c column) value(n, i int) any {
	switch c.kind {
	case "DATE":
		return []string{"2024-02-29", "9999-12-31", "1987-06-05"}[i]
	case "DATETIME":
		return []string{"2024-02-29 23:59:59.999", "2024-06-05 00:00:00.000", "1987-06-05 01:02:03.040"}[i]
	case "BIGINT":
		return int64(i+1)<<40 + int64(n)
	case "INT", "TINYINT", "BOOLEAN":
		return int64(i)
	}
	return fmt.Sprintf("%d%s", i, awkward)
}

// TestAScratchCopyHoldsTheSameWhateverTheEngine fills every column of every table past the store, and wants the copy of
// either engine to hold it as the store writes it on SQLite: the type of a value, dates, milliseconds, trailing spaces.
func TestAScratchCopyHoldsTheSameWhateverTheEngine(t *testing.T) {
	all := columns(t)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		store.OneConnection(s)
		off := map[string]string{"sqlite": "PRAGMA foreign_keys = OFF", "mysql": "SET foreign_key_checks = 0"}
		if err := store.Exec(ctx, s, off[s.Dialect()]); err != nil {
			t.Fatal(err)
		}
		tables := map[string][]column{}
		for _, c := range all {
			tables[c.table] = append(tables[c.table], c)
		}
		for name, cols := range tables {
			for i := range 3 {
				var names []string
				var vals []any
				for n, c := range cols {
					names, vals = append(names, c.name), append(vals, c.value(n, i))
				}
				q := "INSERT INTO " + name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.TrimSuffix(strings.Repeat("?, ", len(vals)), ", ") + ")"
				if err := store.Exec(ctx, s, q, vals...); err != nil {
					t.Fatal(name, err)
				}
			}
		}
		path := filepath.Join(t.TempDir(), "odd ?%#'.db")
		copied := got[*store.Store](t)(s.Scratch(ctx, path, store.Cut{}))
		defer func() {
			if err := copied.Close(); err != nil {
				t.Error(err)
			}
		}()
		have, want, err := copied.SchemaVersion(ctx)
		if have != want || have == 0 || err != nil {
			t.Errorf("version %d of %d, %v", have, want, err)
		}
		if m := got[os.FileInfo](t)(os.Stat(path)).Mode(); m.Perm() != 0o600 {
			t.Errorf("the copy can be read by others: %v", m)
		}
		if n := len(got[[]string](t)(store.Strings(ctx, copied, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'"))); n != len(tables) {
			t.Errorf("%d tables were filled of %d", len(tables), n)
		}
		for name, cols := range tables {
			var quoted []string
			var want [3]string
			for n, c := range cols {
				quoted = append(quoted, "quote("+c.name+")")
				for i := range want {
					v := c.value(n, i)
					if text, ok := v.(string); ok {
						v = "'" + strings.ReplaceAll(text, "'", "''") + "'"
					}
					want[i] += fmt.Sprint("|", v)
				}
			}
			rows := got[[]string](t)(store.Strings(ctx, copied, "SELECT '|' || "+strings.Join(quoted, " || '|' || ")+" FROM "+name))
			slices.Sort(rows)
			slices.Sort(want[:])
			equal(t, name, rows, want[:])
		}
	})
}

func TestAScratchCopyIsApartFromItsSource(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		begin(t, s)
		path := filepath.Join(t.TempDir(), "scratch.db")
		copied := got[*store.Store](t)(s.Scratch(ctx, path, store.Cut{}))
		_, err := s.Scratch(ctx, path, store.Cut{})
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("a copy over another: %v", err)
		}
		seq := got[task.Jurisdiction](t)(copied.Jurisdiction(ctx, j)).Seq
		must(t, copied, seq, task.Batch{Plans: []task.Plan{{Code: "only-here", On: day0}}})
		if n := len(got[[]task.Plan](t)(s.Plans(ctx, j))); n != 0 {
			t.Errorf("%d plans of the copy are in its source", n)
		}
		// A transaction that fails is undone here as well.
		_, err = copied.Write(ctx, j, seq, task.Batch{Plans: []task.Plan{{Code: "moved", On: day0}}})
		wantErr(t, "a write at an old seq", err, store.ErrMoved)
		r := refOf("1", "a", "m1")
		_, err = copied.Write(ctx, j, seq+1, task.Batch{Obligations: []task.Obligation{obligation(r), obligation(r)}})
		wantErr(t, "the same twice", err, store.ErrExists)
		equal(t, "left of it", len(got[[]task.Cache](t)(copied.Caches(ctx, j))), 0)
		if err := errors.Join(copied.Close(), copied.Close()); err != nil {
			t.Error(err)
		}
	})
}

func TestWithoutPlanLeavesNothingOfThePlanAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		other := func(r task.Ref) task.Ref { r.Plan = "other"; return r }
		one, two := refOf("1", "a", "m1"), other(refOf("1", "a", "m1"))
		version := func(id task.TaskID) task.Task { return task.Task{TaskID: id, On: day0, Title: "开展案卷评查"} }
		must(t, s, seq, task.Batch{At: instant, Plans: []task.Plan{{Code: one.Plan, On: day0}, {Code: "other", On: day0}},
			Tasks: []task.Task{version(one.TaskID), version(two.TaskID)}, Obligations: []task.Obligation{obligation(one), obligation(two)},
			Events: []task.Event{opened(one), opened(two)}, Silences: []task.Silence{
				{On: day0, Scope: task.OverPlan, Subject: one.Plan, Who: "甲"}, {On: day0, Scope: task.OverUnit, Subject: "a", Who: "甲"},
				{On: day0, Scope: task.OverObligation, Subject: one.String(), Who: "甲"}}})
		if err := s.WithoutPlan(ctx, j, one.Plan); err == nil {
			t.Fatal("a plan was removed from the database itself")
		}
		copied := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "scratch.db"), store.Cut{}))
		defer func() { _ = copied.Close() }()
		if err := copied.WithoutPlan(ctx, j, one.Plan); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "again", copied.WithoutPlan(ctx, j, one.Plan), store.ErrNotFound)
		for _, table := range []string{"plan_versions", "task_versions", "tasks", "obligations", "events", "silences"} {
			rows := got[[]string](t)(store.Strings(ctx, copied, "SELECT 'x' FROM "+table))
			equal(t, "left in "+table, len(rows), 1)
		}
		equal(t, "left", got[[]task.Record](t)(copied.Records(ctx, j, task.RecordFilter{}))[0].Obligation.Ref, two)
		equal(t, "keys that point nowhere", len(got[[]string](t)(store.Strings(ctx, copied, "SELECT \"table\" FROM pragma_foreign_key_check"))), 0)
	})
}
