// Package store keeps duban's nouns in a relational database: SQLite, embedded and without cgo, or MySQL and MariaDB.
//
// Every public method is one transaction. Methods that change the sources or the events of a jurisdiction compare
// and set its seq; methods that move a run or a letter are fenced on the state and the token they were read with.
// Dates are stored as YYYY-MM-DD, instants as UTC with milliseconds, and the database's clock is read for leases, and for when
// something was recorded.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"

	"duban/jobs/task"
)

// The refusals a caller can expect. Each is wrapped with what happened to which row.
var (
	// ErrMoved: the jurisdiction's seq moved since it was read; read again and retry.
	ErrMoved = task.ErrMoved
	// ErrLost: a fence failed; the lease or the state changed under the caller, who must drop what it holds.
	ErrLost = task.ErrLost
	// ErrNotFound: there is no such row.
	ErrNotFound = task.ErrNotFound
	// ErrExists: a row with this identity exists already.
	ErrExists = task.ErrExists
	// ErrNewer: the database was migrated by a newer program.
	ErrNewer = errors.New("the database is newer than this program: install the newer version")
	// ErrNotMigrated: the database lacks tables this program needs.
	ErrNotMigrated = errors.New("the database is not migrated: run `duban migrate`")
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	db *sqlx.DB
	d  *dialect
	// writer holds one token on an engine with a single writer, so that writers of this process queue instead of
	// polling the file's lock; nil elsewhere.
	writer chan struct{}
	// hot keeps statements compiled, where that is a gain; nil elsewhere.
	hot *prepared
	// mem keeps what was read for as long as nothing changes, where the database is in this process; nil elsewhere.
	mem *memory
	// version is what Open or Migrate found; methods other than Migrate need it to be current.
	version *versions
	// worker names who uses this Store in the tokens of claims; empty: nobody in particular.
	worker string
	gone   func(token string) bool // see As; nil: nobody knows
	// scratch says that the database is a copy made by Scratch, from which things may be removed.
	scratch bool
	// path is the file of a database of this machine; "": there is none.
	path string
	// unwritable is why nothing can be written, see OpenReading; nil: it can be.
	unwritable error
}

// tx is a transaction with the dialect it speaks.
type tx struct {
	*sqlx.Tx
	d *dialect
	// hot is where its statements may be found compiled; nil: nowhere. compile are those that are worth it from now on.
	hot     *prepared
	compile []string
	// mem is what is remembered, in a transaction that reads; nil elsewhere.
	mem *memory
	// seqs are those of jurisdictions that were read in it, where it only reads.
	seqs map[string]int64
}

// Open opens the database named by the DSN, checks that it answers, and refuses one newer than this program with
// ErrNewer. It does not migrate. A DSN is one of
//
//	sqlite:PATH
//	sqlite::memory:
//	mysql://USER@HOST:3306/DATABASE?tls=true|preferred|skip-verify|false&ca=FILE
//	mysql://USER@/DATABASE?socket=/path/to/socket
//	mysql://USER@unix(/path/to/socket)/DATABASE
//
// The password is never part of it. Over TCP to another host TLS is on and verified unless tls says otherwise.
func Open(ctx context.Context, dsn, password string) (*Store, error) {
	s, err := open(dsn, password)
	if err != nil {
		return nil, err
	}
	if err := s.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", s.translate(err)), s.Close())
	}
	if _, _, err := s.SchemaVersion(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	return s, nil
}

// Close closes the database. It may be called twice.
func (s *Store) Close() error { return s.db.Close() }

// Dialect returns "sqlite" or "mysql".
func (s *Store) Dialect() string { return s.d.name }

// Now returns the database's clock in UTC. Leases are measured by it, and the journal is kept by it.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	err = s.read(ctx, "read the database's clock", func(t *tx) error {
		now, err = t.now(ctx)
		return err
	})
	return now, err
}

func (t *tx) now(ctx context.Context) (time.Time, error) {
	var now stamp
	err := t.GetContext(ctx, &now, "SELECT "+t.d.clock)
	return now.Time, err
}

// Meta returns a named value kept with the database, or ErrNotFound.
func (s *Store) Meta(ctx context.Context, name string) (value string, err error) {
	err = s.read(ctx, "read meta "+name, func(t *tx) error {
		return one(t.GetContext(ctx, &value, "SELECT value FROM meta WHERE name = ?", name))
	})
	return value, err
}

// SetMeta keeps a named value with the database.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	return s.write(ctx, "write meta "+name, func(t *tx) error {
		_, err := t.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES (?, ?) "+
			t.d.upsert("name")+" value = "+t.d.incoming("value"), name, value)
		return err
	})
}

// reading is the key of the transaction that Reading has begun, in its context.
type reading struct{ db *sqlx.DB }

// Reading runs f, in whose context all that is read of this database is of one moment. f writes nothing, reads one thing
// after the other, and may run more than once.
func (s *Store) Reading(ctx context.Context, f func(ctx context.Context) error) error {
	if ctx.Value(reading{s.db}) != nil {
		return f(ctx)
	}
	var failed error
	err := s.read(ctx, "read", func(t *tx) error {
		failed = f(context.WithValue(ctx, reading{s.db}, t))
		return failed
	})
	if failed != nil && s.d.fault(failed) != faultAgain {
		return failed // which says already what was being read
	}
	return err
}

// read runs f in a read-only transaction: what f sees is of one moment. f may run more than once.
func (s *Store) read(ctx context.Context, op string, f func(*tx) error) error {
	if t, ok := ctx.Value(reading{s.db}).(*tx); ok {
		if err := f(t); err != nil {
			return fmt.Errorf("%s: %w", op, s.translate(err))
		}
		return nil
	}
	return s.transact(ctx, op, s.d.reading, func(t *tx) error {
		t.mem = s.mem
		return f(t)
	})
}

// write runs f in a transaction and commits it, all or nothing. f may run more than once, so it must set what it
// returns anew each time.
func (s *Store) write(ctx context.Context, op string, f func(*tx) error) error {
	if s.writer != nil {
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", op, context.Cause(ctx))
		}
	}
	return s.transact(ctx, op, s.d.writing, f)
}

// attempts is how often a transaction is tried that lost to another one.
const attempts = 6

// errAgain asks transact for another go at the whole transaction.
var errAgain = errors.New("another transaction came first")

func (s *Store) transact(ctx context.Context, op string, opts *sql.TxOptions, f func(*tx) error) error {
	if err := s.current(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if s.unwritable != nil && opts == s.d.writing {
		return fmt.Errorf("%s: %w", op, s.unwritable)
	}
	for try := 1; ; try++ {
		err := s.once(ctx, opts, f)
		if err == nil {
			return nil
		}
		again := errors.Is(err, errAgain) || s.d.fault(err) == faultAgain
		if !again || try == attempts || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", op, s.translate(err))
		}
		if err := pause(ctx, try); err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
	}
}

func (s *Store) once(ctx context.Context, opts *sql.TxOptions, f func(*tx) error) (err error) {
	t, err := s.db.BeginTxx(ctx, opts)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first error tells what happened; a rollback that fails as well adds nothing to act on.
			_ = t.Rollback()
		}
	}()
	within := &tx{Tx: t, d: s.d, hot: s.hot}
	if err := f(within); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return err
	}
	if len(within.compile) > 0 {
		s.hot.add(ctx, s.db, within.compile)
	}
	return nil
}

// pause waits a little longer after each lost try, unevenly so that two losers part.
func pause(ctx context.Context, try int) error {
	d := 5 * time.Millisecond << try
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// one turns "no rows" into ErrNotFound.
func one(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
