package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

func TestMigrateMayBeRunAgain(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			s := storetest.Reopen(t, e.DSN(t))
			have, want, err := s.SchemaVersion(ctx)
			if have != 0 || want == 0 || err != nil {
				t.Fatalf("new database: %d of %d, %v", have, want, err)
			}
			_, err = s.Jurisdictions(ctx)
			wantErr(t, "read before migrating", err, store.ErrNotMigrated)
			_, err = s.Write(ctx, j, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
			wantErr(t, "write before migrating", err, store.ErrNotMigrated)
			n, err := s.Migrate(ctx)
			if n != int(want) || err != nil {
				t.Fatalf("applied %d of %d, %v", n, want, err)
			}
			begin(t, s)
			if n, err = s.Migrate(ctx); n != 0 || err != nil {
				t.Errorf("again: applied %d, %v", n, err)
			}
			if jurs := got[[]task.Jurisdiction](t)(s.Jurisdictions(ctx)); len(jurs) != 1 {
				t.Errorf("after migrating again: %v", jurs)
			}
		})
	}
}

func TestWorkersMigrateAtOnce(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dsn := e.DSN(t)
			var wg sync.WaitGroup
			for range 3 {
				s := storetest.Reopen(t, dsn)
				wg.Go(func() {
					if _, err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
					if have, want, err := s.SchemaVersion(t.Context()); have != want || err != nil {
						t.Errorf("version %d of %d, %v", have, want, err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			dsn := e.DSN(t)
			s := storetest.Reopen(t, dsn)
			got[int](t)(s.Migrate(ctx))
			if err := store.Exec(ctx, s, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, ?)", 99999, true); err != nil {
				t.Fatal(err)
			}
			newer, err := store.Open(ctx, dsn, "")
			wantErr(t, "open", err, store.ErrNewer)
			if newer != nil {
				t.Error("the store was opened all the same")
			}
			_, err = s.Migrate(ctx)
			wantErr(t, "migrate", err, store.ErrNewer)
			_, err = s.Jurisdictions(ctx)
			wantErr(t, "read", err, store.ErrNewer)
		})
	}
}

func TestBothEnginesHaveTheSameTablesAndColumns(t *testing.T) {
	queries := map[string]string{
		"sqlite": "SELECT m.name || '.' || p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'",
		"mysql":  "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns WHERE table_schema = DATABASE()",
	}
	indexes := map[string]string{
		"sqlite": "SELECT m.name || '.' || i.seqno || '.' || i.name FROM sqlite_master m, pragma_index_info(m.name) i WHERE m.type = 'index' AND m.sql IS NOT NULL",
		"mysql": "SELECT CONCAT(index_name, '.', seq_in_index - 1, '.', column_name) FROM information_schema.statistics " +
			"WHERE table_schema = DATABASE() AND index_name LIKE CONCAT(table_name, '\\_%')",
	}
	columns, keys := map[string][]string{}, map[string][]string{}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ours := func(q string) []string {
			list := got[[]string](t)(store.Strings(t.Context(), s, q))
			list = slices.DeleteFunc(list, func(c string) bool { return strings.HasPrefix(c, "goose_") || strings.HasPrefix(c, "sqlite_") })
			slices.Sort(list)
			return list
		}
		columns[s.Dialect()], keys[s.Dialect()] = ours(queries[s.Dialect()]), ours(indexes[s.Dialect()])
		if len(columns[s.Dialect()]) < 150 || len(keys[s.Dialect()]) < 20 {
			t.Errorf("%d columns, %d index columns", len(columns[s.Dialect()]), len(keys[s.Dialect()]))
		}
	})
	if columns["mysql"] == nil {
		t.Skip("not compared: there is no MariaDB server")
	}
	equal(t, "columns", columns["sqlite"], columns["mysql"])
	equal(t, "indexes", keys["sqlite"], keys["mysql"])
}

// TestEachMySQLMigrationIsOneStatement holds what makes a failed migration repeatable where DDL is not transactional.
func TestEachMySQLMigrationIsOneStatement(t *testing.T) {
	files, err := filepath.Glob("migrations/mysql/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), ";"); n != 1 {
			t.Errorf("%s holds %d statements", name, n)
		}
		if _, err := os.Stat(strings.Replace(name, "mysql", "sqlite", 1)); errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s has no twin", name)
		}
	}
}

func TestATransactionThatLostIsTriedAgainWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		tries, err := store.FailThen(ctx, s, "tried", 2)
		if tries != 3 || err != nil {
			t.Errorf("%d tries, %v", tries, err)
		}
		equal(t, "what it wrote", got[string](t)(s.Meta(ctx, "tried")), "x")
		if err := s.SetMeta(ctx, "tried", "督办"); err != nil {
			t.Fatal(err)
		}
		equal(t, "meta", got[string](t)(s.Meta(ctx, "tried")), "督办")
		_, err = s.Meta(ctx, "Tried")
		wantErr(t, "no such name", err, store.ErrNotFound)
		tries, err = store.FailThen(ctx, s, "lost", 100)
		if err == nil || tries < 3 || tries > 10 {
			t.Errorf("a transaction that always loses: %d tries, %v", tries, err)
		}
		_, err = s.Meta(ctx, "lost")
		wantErr(t, "what it wrote", err, store.ErrNotFound)
	})
}
