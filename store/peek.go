package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Peek returns the codes of a database's jurisdictions, sorted, whatever version its tables are at. It is for suggesting
// them while a command is typed: it makes no database, migrates none, and leaves nothing beside one, not even the files
// that SQLite keeps while a database is open.
func Peek(ctx context.Context, dsn, password string) (codes []string, err error) {
	db, err := peek(dsn, password)
	if err != nil {
		return nil, fmt.Errorf("peek into database: %w", err)
	}
	err = db.SelectContext(ctx, &codes, "SELECT code FROM jurisdictions")
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("peek into database: %w", err)
	}
	slices.Sort(codes)
	return codes, nil
}

func peek(dsn, password string) (*sqlx.DB, error) {
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok {
		s, err := open(dsn, password)
		if err != nil {
			return nil, err
		}
		return s.db, nil
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	// A database that nobody has open is read as a file that does not change; one that a worker has open has its two files
	// beside it already.
	how := "?immutable=1"
	if _, err := os.Stat(path + "-shm"); err == nil {
		how = "?mode=ro&_pragma=busy_timeout(100)"
	}
	return sqlx.Open("sqlite", fileName(path)+how)
}
