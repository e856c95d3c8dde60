package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

func TestPeekReadsTheCodesAndLeavesNoTrace(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			dsn := e.DSN(t)
			s := storetest.Reopen(t, dsn)
			got[int](t)(s.Migrate(ctx))
			for _, code := range []string{"sishui", "changji"} {
				if _, err := s.Write(ctx, code, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: code}}); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{"changji", "sishui"}
			equal(t, "while it is open", got[[]string](t)(store.Peek(ctx, dsn, "")), want)
			path, ok := strings.CutPrefix(dsn, "sqlite:")
			if !ok {
				return
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			before := files(t, path)
			equal(t, "while it is closed", got[[]string](t)(store.Peek(ctx, dsn, "")), want)
			equal(t, "the files", files(t, path), before)
		})
	}
}

func TestPeekMakesNothing(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := files(t, empty)
	for _, dsn := range []string{"sqlite:" + filepath.Join(dir, "none.db"), "sqlite:" + empty, "sqlite:" + dir, "sqlite:", "mysql://nobody@127.0.0.1:1/none", "other:x", ""} {
		if codes, err := store.Peek(t.Context(), dsn, ""); err == nil {
			t.Errorf("%s: %v", dsn, codes)
		}
	}
	equal(t, "the files", files(t, empty), before)
}

// files are the names and sizes of what stands beside a file.
func files(t *testing.T, path string) (out []string) {
	t.Helper()
	entries := got[[]os.DirEntry](t)(os.ReadDir(filepath.Dir(path)))
	for _, e := range entries {
		info := got[os.FileInfo](t)(e.Info())
		out = append(out, e.Name()+" "+info.Mode().String()+" "+info.ModTime().String()+" "+strings.Repeat("x", int(info.Size()%97)))
	}
	return out
}
