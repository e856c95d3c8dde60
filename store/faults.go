package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jmoiron/sqlx"
)

// What stands in the way of a database and is for a person to mend.
var (
	// ErrFull: there is no room where the database is kept. A *FileError tells where that is, if it is on this machine.
	ErrFull = errors.New("the disk is full")
	// ErrReadOnly: the database can be read and not written. A *FileError tells which file it is, if it is on this machine.
	ErrReadOnly = errors.New("the database cannot be written")
	// ErrDenied: the database's user lacks a right to what was asked for.
	ErrDenied = errors.New("the database's user lacks a right")
	// ErrLogin: the server knows no such user, or the password is not theirs.
	ErrLogin = errors.New("the database server refused the user or the password")
)

// FileError tells of a file of this machine that it cannot be written: because of ErrFull or ErrReadOnly.
type FileError struct {
	Path string // of the database, or of the copy
	// Copy says that it is a copy made by Scratch; Needs is then how many bytes it takes about, 0: not known.
	Copy  bool
	Needs int64
	Err   error
}

// Error implements error.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns what happened.
func (e *FileError) Unwrap() error { return e.Err }

// translate makes a driver's error ours, and says which file of this machine it is about.
func (s *Store) translate(err error) error {
	if err == nil {
		return nil
	}
	var told *FileError
	err = s.d.translate(err)
	if s.path == "" || errors.As(err, &told) || !mends(err) {
		return err
	}
	return &FileError{Path: s.path, Copy: s.scratch, Err: err}
}

// mends reports whether a file's disk or rights are to be mended.
func mends(err error) bool { return errors.Is(err, ErrFull) || errors.Is(err, ErrReadOnly) }

// fileFault makes an error of a file of ours one that says what is to be mended.
func fileFault(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &FileError{Path: path, Err: fmt.Errorf("%w: %w", ErrFull, err)}
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return &FileError{Path: path, Err: fmt.Errorf("%w: %w", ErrReadOnly, err)}
	}
	return err
}

// OpenReading opens a database as Open does. An embedded one whose disk is full, or that this account cannot write, is
// opened to be read alone, as far as that is safe: then Unwritable tells why, and so does every method that writes.
func OpenReading(ctx context.Context, dsn, password string) (*Store, error) {
	s, err := Open(ctx, dsn, password)
	path, embedded := strings.CutPrefix(dsn, "sqlite:")
	var why *FileError
	if err == nil || !embedded || !errors.As(err, &why) {
		return s, err
	}
	return readAlone(ctx, path, why, err)
}

// readAlone opens the file of a database to be read, which was not to be opened otherwise, why being the reason and err what was
// said of it.
func readAlone(ctx context.Context, path string, why *FileError, err error) (*Store, error) {
	if !hasBytes(path) {
		return nil, err
	}
	for _, how := range readings(path, errors.Is(why, ErrFull)) {
		if s, readErr := openReading(ctx, path, how, why); readErr == nil {
			return s, nil
		} else if errors.Is(readErr, ErrNewer) {
			return nil, readErr
		}
	}
	if hasBytes(path + "-wal") {
		return nil, fmt.Errorf("%w; it cannot be read either: what was written last is in %s alone, and to read that a file beside it has to be written",
			err, path+"-wal")
	}
	return nil, err
}

// Unwritable tells why nothing can be written to a database that was opened to be read alone; nil: it can be.
func (s *Store) Unwritable() error { return s.unwritable }

// manner is a way to read a database file, and by how many connections.
type manner struct {
	settings string
	conns    int
}

// readings are the ways to read a database that was not to be opened as usual, the best first. What all have in common is that
// they need no file that is not there, and pass nothing over that has been committed.
func readings(path string, full bool) (all []manner) {
	if _, err := os.Stat(path + "-shm"); err == nil { // somebody has it open, or was killed
		all = append(all, manner{"?mode=ro&_pragma=busy_timeout(5000)&_pragma=cache_size(-6000)", 4})
	}
	switch {
	case full:
		// Whoever keeps the file's lock keeps the index of what was written last in memory.
		all = append(all, manner{"?mode=rw&_pragma=busy_timeout(5000)&_pragma=locking_mode(EXCLUSIVE)", 1})
	case !hasBytes(path + "-wal"):
		all = append(all, manner{"?mode=ro&immutable=1&_pragma=cache_size(-6000)", 4})
	}
	return all
}

// hasBytes reports whether a file is there and holds something.
func hasBytes(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

func openReading(ctx context.Context, path string, how manner, why *FileError) (*Store, error) {
	db, err := sqlx.Open("sqlite", fileName(path)+how.settings)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(how.conns)
	db.SetMaxIdleConns(how.conns)
	s := embedded(db, path)
	s.unwritable = why
	if _, _, err := s.SchemaVersion(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// size is about how many bytes a copy of the database takes; 0: not known.
func (s *Store) size(ctx context.Context) (n int64) {
	q := "SELECT COALESCE(SUM(data_length), 0) FROM information_schema.tables WHERE table_schema = DATABASE()"
	if s.d.name == "sqlite" {
		q = "SELECT (p.page_count - f.freelist_count) * s.page_size FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s"
	}
	if err := s.db.GetContext(ctx, &n, q); err != nil {
		return 0
	}
	return n
}

// copyFault says of an error of a copy on its way where it was made and how much it takes, where there was no room.
func (s *Store) copyFault(ctx context.Context, path string, err error) error {
	err = fileFault(path, s.d.translate(err))
	var at *FileError
	switch {
	case !mends(err):
		return err
	case errors.As(err, &at):
		err = at.Err
	}
	return &FileError{Path: filepath.Clean(path), Copy: true, Needs: s.size(context.WithoutCancel(ctx)), Err: err}
}
