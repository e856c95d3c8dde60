package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// versions is the schema as last read: what the database has, and what this program wants.
type versions struct{ have, want atomic.Int64 }

// SchemaVersion returns the version the database has and the one this program wants. It returns ErrNewer with them
// where the database is ahead. It writes nothing.
func (s *Store) SchemaVersion(ctx context.Context) (have, want int64, err error) {
	sources, err := s.sources()
	if err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", err)
	}
	entries, err := fs.Glob(sources, "*.sql")
	if err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", err)
	}
	for _, name := range entries {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, 0, fmt.Errorf("read schema version: %w", err)
		}
		want = max(want, v)
	}
	var tables int
	if err := s.db.GetContext(ctx, &tables, s.d.hasTable, goose.DefaultTablename); err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", s.translate(err))
	}
	if tables > 0 {
		q := "SELECT COALESCE(MAX(version_id), 0) FROM " + goose.DefaultTablename
		if err := s.db.GetContext(ctx, &have, q); err != nil {
			return 0, 0, fmt.Errorf("read schema version: %w", s.translate(err))
		}
	}
	s.version.have.Store(have)
	s.version.want.Store(want)
	if have > want {
		return have, want, fmt.Errorf("%w (database %d, program %d)", ErrNewer, have, want)
	}
	return have, want, nil
}

// current refuses work on a database whose tables are not this program's.
func (s *Store) current() error {
	have, want := s.version.have.Load(), s.version.want.Load()
	switch {
	case have < want:
		return fmt.Errorf("%w (database %d, program %d)", ErrNotMigrated, have, want)
	case have > want:
		return fmt.Errorf("%w (database %d, program %d)", ErrNewer, have, want)
	}
	return nil
}

// Migrate brings the database to this program's version and returns the number of migrations applied. It may be run
// again, and by several workers at once. Where it fails it may be run again too: on an engine whose DDL is not
// transactional each migration is one statement that minds what is there, or that is made after a look at it.
func (s *Store) Migrate(ctx context.Context) (applied int, err error) {
	for try := 1; ; try++ {
		have, want, err := s.SchemaVersion(ctx)
		if err != nil || have == want {
			return applied, err
		}
		n, err := s.up(ctx)
		applied += n
		if err == nil {
			continue
		}
		// Another worker may have been migrating too: then the version moved on, and the rest is tried anew.
		now, _, verr := s.SchemaVersion(ctx)
		if verr != nil || now <= have || try == attempts {
			return applied, fmt.Errorf("migrate database from version %d to %d: %w", have, want, s.translate(err))
		}
	}
}

func (s *Store) sources() (fs.FS, error) { return fs.Sub(migrations, "migrations/"+s.d.name) }

func (s *Store) up(ctx context.Context) (int, error) {
	if s.unwritable != nil {
		return 0, s.unwritable
	}
	p, err := s.provider()
	if err != nil {
		return 0, err
	}
	results, err := p.Up(ctx)
	return len(results), err
}

func (s *Store) provider() (*goose.Provider, error) {
	sources, err := s.sources()
	if err != nil {
		return nil, err
	}
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.d.goose == goose.DialectMySQL {
		l, err := lock.NewMySQLTableLocker(lock.WithTableLockTimeout(time.Second, 60))
		if err != nil {
			return nil, err
		}
		opts = append(opts, goose.WithLocker(l))
	}
	return goose.NewProvider(s.d.goose, s.db.DB, sources, opts...)
}
