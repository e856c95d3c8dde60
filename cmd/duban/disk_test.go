package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"modernc.org/sqlite"

	"duban/store"
	"duban/store/storetest"
)

// fullDisks are the SQLite files of tests that may not grow beyond a number of pages, as where their disk is full.
type fullDisks struct {
	mu     sync.Mutex
	byPath map[string]int
}

var disks = sync.OnceValue(func() *fullDisks {
	f := &fullDisks{byPath: map[string]int{}}
	sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, dsn string) error {
		path, _, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
		f.mu.Lock()
		pages := f.byPath[path]
		f.mu.Unlock()
		if pages == 0 {
			return nil
		}
		_, err := c.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil)
		return err
	})
	return f
})

// fill leaves a desk's database no more room than some pages; fewer than 0: there is room again.
func (d *desk) fill(pages int) {
	d.t.Helper()
	path := filepath.Join(d.dir, "duban.db")
	info, err := os.Stat(path)
	if err != nil {
		d.t.Fatal(err)
	}
	f := disks()
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.byPath, path); pages >= 0 {
		f.byPath[path] = int(info.Size()/4096) + pages
	}
}

// TestAFullDiskStopsABackfillAndTheSameCommandGoesOn: each that fails names the folder, and once there is room the rest is done.
func TestAFullDiskStopsABackfillAndTheSameCommandGoesOn(t *testing.T) {
	d := town(t, "2024-09-20")
	d.ok("run", "all")
	d.on("2024-10-20")
	plan := []string{"backfill", "all", "--from", "2024-09-21", "--to", "2024-10-19"}
	hash := applying.FindStringSubmatch(d.ok(plan...))
	if hash == nil {
		t.Fatal("no plan to apply")
	}
	apply := slices.Concat(plan, []string{"--apply", hash[1], "--by", "李敏"})
	for _, pages := range []int{0, 0} {
		d.fill(pages)
		code, _, errOut := d.call("", apply...)
		if code != exitFailed || !strings.Contains(errOut, "the disk is full") || !strings.Contains(errOut, "make room in "+d.dir) || !strings.Contains(errOut, onceMore) {
			t.Fatalf("%d pages: exit %d\n%s", pages, code, errOut)
		}
		if code, out, errOut := d.call("", "status"); code != exitDone || out == "" {
			t.Errorf("status: exit %d %s", code, errOut)
		}
	}
	d.fill(-1)
	if code, _, errOut := d.call("", apply...); code != exitDone {
		t.Fatalf("exit %d\n%s", code, errOut)
	}
	if rows := d.objects("runs", "list", "--job", "open", "--from", "2024-09-21", "--to", "2024-10-19"); len(rows) != 29 {
		t.Errorf("%d days of 29 are in the ledger", len(rows))
	}
}

// TestReadOnlyDatabaseIsLookedAt: where the files beside a database cannot be made, what looks at it works and says what is the
// matter, and what writes says what to do.
func TestReadOnlyDatabaseIsLookedAt(t *testing.T) {
	d := town(t, "2024-09-24")
	d.ok("run", "all")
	ref := d.objects("obligations", "list")[0].text("id")
	path := filepath.Join(d.dir, "duban.db")
	if err := os.Symlink(filepath.Join(d.dir, "none", "none"), path+"-wal"); err != nil { // no file can be made there, by whomever
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"status"}, {"outbox", "list"}, {"obligations", "list"}, {"tasks", "list"}, {"runs", "list"}, {"units", "list"}, {"documents", "list"},
		{"obligations", "show", ref}, {"explain", ref}, {"status", "--known-at", "2024-09-24"}, {"config", "versions"},
		{"preview", "--from", "2024-09-25", "--to", "2024-09-26"},
	} {
		code, out, errOut := d.call("", args...)
		if code != exitDone || out == "" || !strings.Contains(errOut, "nothing can be written") || !strings.Contains(errOut, path) {
			t.Errorf("%v: exit %d, %d bytes\n%s", args, code, len(out), errOut)
		}
		if code, _, errOut := d.call("", append(args, "--quiet")...); code != exitDone || errOut != "" {
			t.Errorf("quiet %v: exit %d\n%s", args, code, errOut)
		}
	}
	const advice = "let the account that runs duban write "
	for _, args := range [][]string{{"pause", "--by", "李敏", "--why", "盘点"}, {"run", "remind"}, {"serve"}} {
		code, _, errOut := d.call("", args...)
		if code != exitFailed || !strings.Contains(errOut, advice+path) || strings.Contains(errOut, "--db, and that") {
			t.Errorf("%v: exit %d\n%s", args, code, errOut)
		}
	}
	if _, out, _ := d.call("", "doctor"); !strings.Contains(out, advice+path) {
		t.Errorf("doctor:\n%s", out)
	}
}

// TestDiskOfCopies: a folder for copies that is not there, or has no room, is named with the variable that names another.
func TestDiskOfCopies(t *testing.T) {
	d := town(t, "2024-09-24")
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	for _, args := range [][]string{{"preview", "--from", "2024-09-25", "--to", "2024-09-26"}, {"status", "--known-at", "2024-09-24"}} {
		d.fails(exitFailed, args, "TMPDIR names the folder")
	}
}

// TestAdviceForDisksAndRights: what each error is answered with, and that no other is.
func TestAdviceForDisksAndRights(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	file := func(path string, copied bool, needs int64, err error) error {
		return fmt.Errorf("write meta: %w", &store.FileError{Path: path, Copy: copied, Needs: needs, Err: fmt.Errorf("%w: (13)", err)})
	}
	at := func(path string, err error) error { return &fs.PathError{Op: "write", Path: path, Err: err} }
	for _, c := range []struct {
		err  error
		want []string
	}{
		{file(dir+"/duban.db", false, 0, store.ErrFull), []string{"make room in " + dir, onceMore, "free)"}},
		{file(dir+"/copy.db", true, 12<<20, store.ErrFull), []string{"takes about 12 MB", "made in " + dir, "TMPDIR", "free)"}},
		{file(dir+"/copy.db", true, 0, store.ErrFull), []string{"it is made in " + dir, "TMPDIR"}},
		{file(dir+"/duban.db", false, 0, store.ErrReadOnly), []string{dir + "/duban.db", "duban.db-wal", "mount"}},
		{fmt.Errorf("claim: %w", store.ErrFull), []string{"on the database's server", onceMore}},
		{fmt.Errorf("claim: %w", store.ErrReadOnly), []string{"takes writes in database.dsn"}},
		{at("/letters/a.eml", syscall.ENOSPC), []string{"the disk of /letters is full", onceMore}},
		{at("/letters/a.eml", syscall.EROFS), []string{"the file system of /letters", "mount"}},
		{at(dir+"/"+copies+"1", syscall.ENOSPC), []string{"TMPDIR"}},
		{at(dir, syscall.ENOENT), []string{"TMPDIR"}},
	} {
		got := (&app{env: func(string) (string, bool) { return "", false }}).next(c.err)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%v: %q lacks %q", c.err, got, want)
			}
		}
	}
	if got := (&app{}).next(errors.Join(errors.New("else"), at("/x", syscall.ENOENT))); got != "" {
		t.Errorf("%q", got)
	}
}

// TestAdviceForTheServersUser: the statement that gives the rights is printed, and where the password came from, and never it.
func TestAdviceForTheServersUser(t *testing.T) {
	root := storetest.Engines(t)[1].DSN(t)
	s := storetest.Reopen(t, root)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, name := socketOf(root)
	storetest.Statement(t, root, "CREATE USER looker@localhost IDENTIFIED BY 's3cret'")
	defer storetest.Statement(t, root, "DROP USER looker@localhost")
	storetest.Statement(t, root, "GRANT SELECT ON "+name+".* TO looker@localhost")
	d := newDesk(t, "2024-09-24")
	d.env["DUBAN_DATABASE_DSN"] = strings.Replace(urlOf(root), "root@", "looker@", 1)
	d.env["DUBAN_DATABASE_PASSWORD"] = "s3cret"
	d.fails(exitRefused, []string{"import", "units", d.file("units.csv", townUnits)}, "GRANT SELECT, INSERT, UPDATE", "ON "+name+".* TO 'looker'@")
	d.env["DUBAN_DATABASE_PASSWORD"] = "wr0ng"
	said := d.fails(exitFailed, []string{"status"}, "refused the user or the password", "the variable DUBAN_DATABASE_PASSWORD")
	if strings.Contains(said, "wr0ng") || strings.Contains(said, "reached") {
		t.Errorf("%s", said)
	}
	delete(d.env, "DUBAN_DATABASE_PASSWORD")
	d.fails(exitFailed, []string{"status"}, "no password was given: set DUBAN_DATABASE_PASSWORD")
}
