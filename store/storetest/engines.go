// Package storetest gives tests a fresh database on each engine that duban speaks.
//
// SQLite is always there. For MySQL a throw-away MariaDB is started from the installed server binary, once per test
// binary, with its own data directory and socket and no port. Where no server is installed the test is skipped, and
// says so by the server's name; with DUBAN_REQUIRE_MYSQL=1 it fails instead.
package storetest

import (
	"context"
	"path/filepath"
	"testing"

	"duban/store"
)

// Engine is one database engine to test on.
type Engine struct {
	// Name is "sqlite" or "mysql".
	Name string
	dsn  func(t testing.TB) string
}

// Engines returns both engines. Whether a server is there is asked when a database is wanted, so that each test says
// for itself that it could not run.
func Engines(testing.TB) []Engine {
	return []Engine{{"sqlite", sqliteDSN}, {"mysql", mysqlDSN}}
}

// DSN returns the name of a new, empty database, which wants no password and is gone when the test is over.
func (e Engine) DSN(t testing.TB) string {
	t.Helper()
	return e.dsn(t)
}

// Open returns a store on a new database, migrated, and closes it when the test is over.
func (e Engine) Open(t testing.TB) *store.Store {
	t.Helper()
	s := Reopen(t, e.DSN(t))
	if _, err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Reopen opens a store on a database that is there, and closes it when the test is over.
func Reopen(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), dsn, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// Each runs the test on each engine, as subtests "sqlite" and "mysql".
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	for _, e := range Engines(t) {
		t.Run(e.Name, func(t *testing.T) { f(t, e.Open(t)) })
	}
}

func sqliteDSN(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "duban.db") }
