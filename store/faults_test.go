package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duban/store"
	"duban/store/storetest"
)

// TestErrorOfAFullDisk: a file that may not grow stands for a disk without room. What was there can still be read.
func TestErrorOfAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "duban.db")
	s := storetest.Reopen(t, "sqlite:"+path)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.SetMeta(t.Context(), "before", "there"); err != nil {
		t.Fatal(err)
	}
	store.OneConnection(s)
	if err := store.Exec(t.Context(), s, "PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	for _, as := range []*store.Store{s, s.As("worker", nil)} {
		err := as.SetMeta(t.Context(), "much", strings.Repeat("x", 60000))
		var at *store.FileError
		if !errors.Is(err, store.ErrFull) || !errors.As(err, &at) || at.Path != path || at.Copy {
			t.Errorf("%v, %+v", err, at)
		}
	}
	if v, err := s.Meta(t.Context(), "before"); v != "there" || err != nil {
		t.Errorf("%q %v", v, err)
	}
}

// TestReadOnlyOpensWhatIsCommitted: what stands in the write-ahead log alone is read where that is possible, and where it is not,
// nothing is.
func TestReadOnlyOpensWhatIsCommitted(t *testing.T) {
	for _, c := range []struct {
		name     string
		why      error
		log, shm bool
		readable bool
	}{
		{"full, somebody was killed", store.ErrFull, true, true, true},
		{"full, a log without its index", store.ErrFull, true, false, true},
		{"full, closed well", store.ErrFull, false, false, true},
		{"read-only, somebody was killed", store.ErrReadOnly, true, true, true},
		{"read-only, closed well", store.ErrReadOnly, false, false, true},
		{"read-only, a log without its index", store.ErrReadOnly, true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := left(t, c.log, c.shm)
			s, err := store.ReadAlone(t.Context(), path, c.why)
			if !c.readable {
				if s != nil || !errors.Is(err, c.why) || !strings.Contains(err.Error(), path+"-wal") {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if v, err := s.Meta(t.Context(), "last"); v != "committed" || err != nil {
				t.Errorf("%q %v", v, err)
			}
			if err := s.SetMeta(t.Context(), "more", "no"); !errors.Is(err, c.why) || !errors.Is(s.Unwritable(), c.why) {
				t.Errorf("written: %v", err)
			}
			view, err := s.Scratch(t.Context(), filepath.Join(t.TempDir(), "copy.db"), store.Cut{})
			if err != nil {
				t.Fatal(err)
			}
			if v, err := view.Meta(t.Context(), "last"); v != "committed" || err != nil {
				t.Errorf("in the copy: %q %v", v, err)
			}
			if err := errors.Join(view.SetMeta(t.Context(), "more", "yes"), view.Close()); err != nil {
				t.Errorf("a copy is not to be written: %v", err)
			}
		})
	}
}

// left is a database as somebody left it: closed well, or with its log, and the log's index.
func left(t *testing.T, log, shm bool) string {
	t.Helper()
	from := filepath.Join(t.TempDir(), "duban.db")
	s := storetest.Reopen(t, "sqlite:"+from)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.SetMeta(t.Context(), "last", "committed"); err != nil {
		t.Fatal(err)
	}
	if !log {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "duban.db")
	for end, there := range map[string]bool{"": true, "-wal": log, "-shm": shm} {
		if !there {
			continue
		}
		data, err := os.ReadFile(from + end)
		if err == nil {
			err = os.WriteFile(to+end, data, 0o600)
		}
		if err != nil || end == "-wal" && len(data) == 0 {
			t.Fatalf("%s: %d bytes, %v", end, len(data), err)
		}
	}
	return to
}

// TestOpenReadingIsOpening where nothing is in the way, and refuses what is no database.
func TestOpenReadingIsOpening(t *testing.T) {
	dir := t.TempDir()
	s, err := store.OpenReading(t.Context(), "sqlite:"+filepath.Join(dir, "duban.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); err != nil || s.Unwritable() != nil {
		t.Errorf("%v %v", err, s.Unwritable())
	}
	if err := errors.Join(s.SetMeta(t.Context(), "a", "b"), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := store.OpenReading(t.Context(), "sqlite:"+dir, ""); err == nil {
		t.Error("a folder was opened")
	}
}

// TestErrorOfRights: a user without rights, one with a wrong password, and one that there is not are told apart from a server that
// cannot be reached.
func TestErrorOfRights(t *testing.T) {
	dsn := storetest.Engines(t)[1].DSN(t)
	root := storetest.Reopen(t, dsn)
	if _, err := root.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	name := dsn[strings.LastIndex(dsn, "/duban")+1:]
	name, _, _ = strings.Cut(name, "?")
	storetest.Statement(t, dsn, "CREATE USER reader@localhost IDENTIFIED BY 's3cret'")
	storetest.Statement(t, dsn, "GRANT SELECT ON "+name+".* TO reader@localhost")
	defer storetest.Statement(t, dsn, "DROP USER reader@localhost")
	as := strings.Replace(dsn, "root@", "reader@", 1)
	s, err := store.Open(t.Context(), as, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.SetMeta(t.Context(), "a", "b"); !errors.Is(err, store.ErrDenied) || errors.Is(err, store.ErrLogin) {
		t.Errorf("no right: %v", err)
	}
	for _, c := range []struct{ dsn, password string }{{as, "wr0ng"}, {strings.Replace(dsn, "root@", "nobody@", 1), "s3cret"}} {
		_, err := store.Open(t.Context(), c.dsn, c.password)
		if !errors.Is(err, store.ErrLogin) || strings.Contains(err.Error(), c.password) {
			t.Errorf("login: %v", err)
		}
	}
}
