package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Named is a name that can be typed, and what bears it.
type Named struct {
	Name  string `db:"name"`
	About string `db:"about"`
}

// offered is how many names are offered at most.
const offered = 200

// Peek returns the codes of a database's jurisdictions, sorted, whatever version its tables are at. Like all that peeks, it
// is for suggesting words while a command is typed: it makes no database, migrates none, and leaves nothing beside one, not
// even the files that SQLite keeps while a database is open.
func Peek(ctx context.Context, dsn, password string) (codes []string, err error) {
	err = peeking(dsn, password, func(db *sqlx.DB) error {
		return db.SelectContext(ctx, &codes, "SELECT code FROM jurisdictions")
	})
	slices.Sort(codes)
	return codes, err
}

// PeekTasks returns the IDs of the tasks that begin with a prefix, cut behind their next slash: first the jurisdictions, then
// their plans, then the rows. Where there is but one way to go on, it is gone.
func PeekTasks(ctx context.Context, dsn, password, prefix string) (ids []string, err error) {
	err = peeking(dsn, password, func(db *sqlx.DB) error {
		ids, err = paths(ctx, db, path{column: "id", table: "tasks", slashes: 2}, prefix)
		return err
	})
	return ids, err
}

// PeekObligations does the same with the names of obligations, whose rows are followed by units and instances.
func PeekObligations(ctx context.Context, dsn, password, prefix string) (refs []string, err error) {
	err = peeking(dsn, password, func(db *sqlx.DB) error {
		refs, err = paths(ctx, db, path{column: "ref", table: "obligations", slashes: 4}, prefix)
		return err
	})
	return refs, err
}

// PeekLetters returns the newest letters in any of the states whose ID begins with a prefix.
func PeekLetters(ctx context.Context, dsn, password, prefix string, states ...string) ([]Named, error) {
	return named(ctx, dsn, password, `SELECT id AS name, CONCAT_WS(' ', logical_date, jurisdiction, unit, kind, state) AS about
		FROM notices WHERE id LIKE ? AND state IN (?) ORDER BY logical_date DESC, id`, prefix+"%", states)
}

// PeekDocuments returns the newest formal letters in any of the states whose ID begins with a prefix.
func PeekDocuments(ctx context.Context, dsn, password, prefix string, states ...string) ([]Named, error) {
	return named(ctx, dsn, password, `SELECT id AS name, CONCAT_WS(' ', drafted, jurisdiction, unit, title, state) AS about
		FROM documents WHERE id LIKE ? AND state IN (?) ORDER BY drafted DESC, id`, prefix+"%", states)
}

// PeekUnits returns the units of a jurisdiction, or of all, whose code begins with a prefix, with the name each bears now.
func PeekUnits(ctx context.Context, dsn, password, prefix, jurisdiction string) ([]Named, error) {
	return named(ctx, dsn, password, `SELECT u.code AS name, u.name AS about FROM units u
		WHERE u.code LIKE ? AND ? IN ('', u.jurisdiction) AND u.removed = 0
		AND u.seq = (SELECT MAX(v.seq) FROM units v WHERE v.jurisdiction = u.jurisdiction AND v.code = u.code)
		ORDER BY u.code, u.jurisdiction`, prefix+"%", jurisdiction)
}

// PeekPlans returns the plans of a jurisdiction, or of all, whose code begins with a prefix.
func PeekPlans(ctx context.Context, dsn, password, prefix, jurisdiction string) ([]Named, error) {
	return named(ctx, dsn, password, `SELECT DISTINCT plan AS name, jurisdiction AS about FROM tasks
		WHERE plan LIKE ? AND ? IN ('', jurisdiction) ORDER BY 1, 2`, prefix+"%", jurisdiction)
}

func named(ctx context.Context, dsn, password, query string, args ...any) (all []Named, err error) {
	query, args, err = sqlx.In(query+fmt.Sprintf(" LIMIT %d", offered), args...)
	if err != nil {
		return nil, fmt.Errorf("peek into database: %w", err)
	}
	err = peeking(dsn, password, func(db *sqlx.DB) error { return db.SelectContext(ctx, &all, query, args...) })
	return all, err
}

// path is a column of names that consist of parts with slashes between them; what follows the last of these may hold more.
type path struct {
	column, table string
	slashes       int
}

// paths looks up one name for each way to go on behind the prefix, so that it costs the same in a register of any size.
func paths(ctx context.Context, db *sqlx.DB, p path, prefix string) (out []string, err error) {
	query := "SELECT " + p.column + " FROM " + p.table + " WHERE " + p.column + " %s ? AND " + p.column + " < ? ORDER BY " + p.column + " LIMIT 1"
	const last = "\U0010ffff"
	from, whole := prefix, strings.Count(prefix, "/") >= p.slashes
	for compare := ">="; len(out) < offered; compare = ">" {
		var name string
		err := db.GetContext(ctx, &name, fmt.Sprintf(query, compare), from, prefix+last)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, err
		}
		from = name
		if i := strings.IndexByte(name[len(prefix):], '/'); i >= 0 && !whole {
			name = name[:len(prefix)+i+1]
			from = name + last
		}
		out = append(out, name)
	}
	if len(out) == 1 && !whole && strings.HasSuffix(out[0], "/") {
		return paths(ctx, db, p, out[0])
	}
	return out, nil
}

// peeking opens a database for a look.
func peeking(dsn, password string, look func(*sqlx.DB) error) error {
	db, err := peek(dsn, password)
	if err != nil {
		return fmt.Errorf("peek into database: %w", err)
	}
	if err := errors.Join(look(db), db.Close()); err != nil {
		return fmt.Errorf("peek into database: %w", err)
	}
	return nil
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
