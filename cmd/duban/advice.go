package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"duban/jobs/task"
	"duban/store"
)

// next says what to do about a failure that does not say so itself.
func (a *app) next(err error) string {
	switch {
	case errors.Is(err, task.ErrMoved):
		return "; somebody else wrote at the same time: run the command again"
	case errors.Is(err, task.ErrLost):
		return "; it is in the other's hands, `duban status` shows what becomes of it"
	case mendable(err):
		return "; " + a.mend(err)
	case forCopies(err):
		return "; " + elsewhere
	case errors.Is(err, fs.ErrPermission):
		return "; let the account that runs duban read and write it"
	case errors.Is(err, context.DeadlineExceeded):
		return "; run it again, and `duban doctor` where that does not help"
	}
	return ""
}

// mendable reports whether a disk or the database's rights are in the way.
func mendable(err error) bool {
	for _, of := range []error{store.ErrFull, store.ErrReadOnly, store.ErrDenied, store.ErrLogin, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// onceMore says how to go on once the cause is mended.
const onceMore = "and run the same command again: what was done stays done"

// mend says what to do about a disk or rights that are in the way.
func (a *app) mend(err error) string {
	var of *store.FileError
	var file *fs.PathError
	switch {
	case errors.Is(err, store.ErrLogin):
		return "the server runs and took neither the user nor the password: the user is in database.dsn, " + a.passwordSource()
	case errors.Is(err, store.ErrDenied):
		return "let an administrator of the server run: " + a.grant()
	case errors.As(err, &of):
		return mendFile(of)
	case errors.Is(err, store.ErrFull):
		return "there is no room on the database's server: make some there, " + onceMore
	case errors.Is(err, store.ErrReadOnly):
		return "name the server that takes writes in database.dsn, or let this one take them"
	case forCopies(err):
		return elsewhere
	case errors.As(err, &file) && errors.Is(err, syscall.EROFS):
		return fmt.Sprintf("the file system of %s is mounted to be read alone: mount it to be written, or name another folder", folderOf(file.Path))
	case errors.As(err, &file):
		return fmt.Sprintf("the disk of %s is full%s: make room there, %s", folderOf(file.Path), left(file.Path), onceMore)
	}
	return "make room on the disk that it is written to, or let it be written, " + onceMore
}

// elsewhere says where else copies can be made.
const elsewhere = "the variable TMPDIR names the folder in which the copy is made: let it name one that is there, can be written and has room"

// forCopies reports whether an error is of the folder in which copies of the database are made.
func forCopies(err error) bool {
	var file *fs.PathError
	return errors.As(err, &file) && (filepath.Clean(file.Path) == filepath.Clean(os.TempDir()) || strings.HasPrefix(filepath.Base(file.Path), copies))
}

// roomForReading is how many bytes a disk has at least that is not the one that was full.
const roomForReading = 1 << 20

// mendFile says what to do about a database on this machine, or a copy of one.
func mendFile(of *store.FileError) string {
	free, known := space(folderOf(of.Path))
	switch {
	case of.Copy:
		needs := ""
		if of.Needs > 0 {
			needs = fmt.Sprintf("the copy takes about %s, and more where a long span is gone through; ", bytesWords(uint64(of.Needs)))
		}
		return fmt.Sprintf("%sit is made in %s%s: make room there, or let the variable TMPDIR name a folder on another disk; nothing was written to the database",
			needs, os.TempDir(), left(os.TempDir()))
	case errors.Is(of.Err, store.ErrFull) && known && free > roomForReading: // what does not fit into memory is sorted there
		return fmt.Sprintf("make room in %s, where the database lies%s, or in %s%s, %s", folderOf(of.Path), left(of.Path), os.TempDir(), left(os.TempDir()), onceMore)
	case errors.Is(of.Err, store.ErrFull):
		return fmt.Sprintf("make room in %s, where the database lies%s, %s", folderOf(of.Path), left(of.Path), onceMore)
	}
	return fmt.Sprintf("let the account that runs duban write %s and into its folder, where %s and %s are made, or mount that file system to be written; "+
		"until then commands that only look at it work", absolute(of.Path), filepath.Base(of.Path)+"-wal", filepath.Base(of.Path)+"-shm")
}

// mendOr says what to do about a disk or rights, and otherwise what is given.
func (a *app) mendOr(err error, otherwise string) string {
	if mendable(err) {
		return a.mend(err)
	}
	return otherwise
}

// passwordSource says where the password came from, and nothing of it.
func (a *app) passwordSource() string {
	const variable = "DUBAN_DATABASE_PASSWORD"
	db := a.cfg.Database
	given, _ := a.env(variable)
	switch {
	case given != "":
		return "the password came from the variable " + variable
	case db.PasswordEnv != "":
		return "the password came from the variable " + db.PasswordEnv + ", which database.password_env names"
	case db.PasswordFile != "":
		return "the password came from the file " + db.PasswordFile + ", which database.password_file names"
	case db.Password != "":
		return "the password came with the DSN, by --db or the variable DUBAN_DATABASE_DSN"
	}
	return "and no password was given: set " + variable + ", or database.password_env or database.password_file"
}

// grant is the statement that gives the database's user the rights that are needed.
func (a *app) grant() string {
	user, name := "duban", "duban"
	if dsn, err := a.cfg.Database.Parsed(); err == nil {
		user, name = cmp.Or(dsn.User, user), cmp.Or(dsn.Name, name)
	}
	return fmt.Sprintf("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES ON %s.* TO '%s'@'%%' (for %% the host that the user was created with)",
		name, user)
}

// folderOf is where a file lies, to be found from anywhere.
func folderOf(path string) string { return filepath.Dir(absolute(path)) }

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// left says how much room there is on the disk of a file, where that can be told.
func left(path string) string {
	for _, at := range []string{path, folderOf(path)} { // the file may be gone, or never have been
		if n, known := space(at); known {
			return fmt.Sprintf(" (%s free)", bytesWords(n))
		}
	}
	return ""
}

// bytesWords is a size for people.
func bytesWords(n uint64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// openStore opens a database, to be closed at the end. One of this machine that cannot be written is opened to be read, but for a
// worker.
func (a *app) openStore(ctx context.Context, dsn string) (*store.Store, error) {
	open := store.OpenReading
	if a.works {
		open = store.Open
	}
	s, err := open(ctx, dsn, a.cfg.Database.Password.Reveal())
	switch {
	case errors.Is(err, store.ErrNewer), err != nil && mendable(err):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w; check database.dsn or --db, and that it can be reached from here: `duban config print` shows what is in force", err)
	}
	a.closeLater("database", s.Close)
	a.unwritable = s.Unwritable()
	return s, nil
}

// sayUnwritable says of a command that went well that the next one may not.
func (a *app) sayUnwritable() {
	if a.unwritable != nil && !a.flags.quiet {
		fmt.Fprintln(a.err, "duban: this was read, but nothing can be written:", strings.TrimSuffix(a.unwritable.Error()+a.next(a.unwritable), ", "+onceMore))
	}
}
