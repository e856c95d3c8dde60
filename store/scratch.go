package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"duban/jobs/civil"
)

// Cut says which moment a scratch copy shows. The zero Cut is the present.
type Cut struct {
	// On is the last civil day that counts: what counts from a later one is not there. Zero: every day does.
	On civil.Date
	// Seq holds, by jurisdiction, the last seq that was known: what was recorded after it is not there, and letters are as they
	// were when it was recorded. A jurisdiction that is not named is known up to At.
	Seq map[string]int64
	// At is the last instant that was known, by the database's clock. Zero: the present or, of a jurisdiction whose seq is
	// given, when that was recorded.
	At time.Time
	// Zone is where a jurisdiction's days begin and end; nil: in UTC.
	Zone func(jurisdiction string) *time.Location
}

// zone is that of a jurisdiction.
func (c Cut) zone(code string) *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone(code)
}

// scratchSettings are those of a copy that nobody needs after a power cut, and nobody else opens: no write waits for the
// disk and no lock is taken twice. A transaction that fails is still undone, so the journal is kept, in memory.
const scratchSettings = "?_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(MEMORY)&_pragma=synchronous(OFF)" +
	"&_pragma=temp_store(FILE)&_pragma=cache_size(-8000)&_pragma=foreign_keys(1)&_txlock=immediate"

// Scratch copies the whole database as it is at one moment into a new SQLite file, cuts the copy back to the moment asked
// for, and returns it open. The file must not be there, and is made for its owner alone: it holds personal data. The caller
// closes the copy and removes the file. Nothing of the copy outlives a power cut, and only this process can open it.
//
// Dates, instants, numbers and texts are in the copy as this program writes them, whichever engine they come from. The
// obligations' cached columns of a copy that was cut are to be computed anew: its jurisdictions know of none.
func (s *Store) Scratch(ctx context.Context, path string, cut Cut) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	if err := s.current(); err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("copy the database into %s: %w", path, s.copyFault(ctx, path, err))
	}
	to, err := s.copyTo(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("copy the database into %s: %w", path, s.copyFault(ctx, path, err))
	}
	if err := to.cut(ctx, cut); err != nil {
		return nil, errors.Join(fmt.Errorf("cut the copy of the database back: %w", s.copyFault(ctx, path, err)), to.Close())
	}
	return to, nil
}

func (s *Store) copyTo(ctx context.Context, path string) (*Store, error) {
	if s.d.name == "sqlite" {
		if _, err := s.db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
			return nil, err
		}
		return openScratch(ctx, path)
	}
	to, err := openScratch(ctx, path)
	if err != nil {
		return nil, err
	}
	if _, err := to.Migrate(ctx); err != nil {
		return nil, errors.Join(err, to.Close())
	}
	if err := s.copyRows(ctx, to); err != nil {
		return nil, errors.Join(err, to.Close())
	}
	return to, nil
}

// openScratch opens a copy by one connection, which keeps the file's lock.
func openScratch(ctx context.Context, path string) (*Store, error) {
	db, err := sqlx.Open("sqlite", fileName(path)+scratchSettings)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	s := embedded(db, path)
	s.scratch = true
	if _, _, err := s.SchemaVersion(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// copyRows copies every table from one read transaction into the empty tables of another store. What the engine held to its
// foreign keys once need not be held to them again.
func (s *Store) copyRows(ctx context.Context, to *Store) error {
	tables, err := to.tables(ctx)
	if err != nil {
		return err
	}
	return to.unguarded(ctx, func() error {
		// One try: a snapshot waits for nobody, and what was copied before a failure would be in the way of the next.
		return s.once(ctx, s.d.reading, func(from *tx) error {
			return to.write(ctx, "copy rows", func(into *tx) error {
				for _, t := range tables {
					if err := copyTable(ctx, from, into, t); err != nil {
						return fmt.Errorf("table %s: %w", t.name, err)
					}
				}
				return nil
			})
		})
	})
}

// unkeyed does something on a store of one connection while its foreign keys are not looked at.
func (s *Store) unkeyed(ctx context.Context, f func() error) (err error) {
	if _, err := s.db.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
		return err
	}
	defer func() {
		_, on := s.db.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = ON")
		err = errors.Join(err, on)
	}()
	return f()
}

// table is a table as SQLite keeps it.
type table struct {
	name    string
	columns []string
	numbers []bool // of each column, whether it holds integers; all others hold text
}

// tables returns this program's tables in the order they were made.
func (s *Store) tables(ctx context.Context) ([]table, error) {
	var columns []struct {
		Table  string `db:"t"`
		Column string `db:"c"`
		Type   string `db:"k"`
	}
	err := s.db.SelectContext(ctx, &columns, "SELECT m.name AS t, p.name AS c, p.type AS k FROM sqlite_master m, pragma_table_info(m.name) p "+
		"WHERE m.type = 'table' AND m.name NOT LIKE 'goose\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.rowid, p.cid")
	if err != nil {
		return nil, fmt.Errorf("read the tables: %w", err)
	}
	var out []table
	for _, c := range columns {
		if len(out) == 0 || out[len(out)-1].name != c.Table {
			out = append(out, table{name: c.Table})
		}
		t := &out[len(out)-1]
		t.columns, t.numbers = append(t.columns, c.Column), append(t.numbers, c.Type == "INTEGER")
	}
	return out, nil
}

// copyTable copies the rows of a table as they come, never more of them in memory than go into one statement.
func copyTable(ctx context.Context, from, into *tx, t table) error {
	list := strings.Join(t.columns, ", ")
	rows, err := from.Tx.QueryContext(ctx, "SELECT "+list+" FROM "+t.name)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what failed is in rows.Err
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	vals, dest := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range dest {
		dest[i] = &vals[i]
	}
	b := batch{head: "INSERT INTO " + t.name + " (" + list + ") VALUES ", columns: len(t.columns)}
	if b.whole, err = into.Tx.PrepareContext(ctx, b.statement(scratchRows)); err != nil {
		return err
	}
	defer func() { _ = b.whole.Close() }() // a statement that is not closed does no harm
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i := range vals {
			if err := b.add(vals[i], t.numbers[i], types[i].DatabaseTypeName() == "DATE"); err != nil {
				return fmt.Errorf("column %s: %w", t.columns[i], err)
			}
		}
		if b.full() {
			if err := b.flush(ctx, into); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return b.flush(ctx, into)
}

// batch is rows on their way into a table.
type batch struct {
	head    string
	columns int
	args    []any
	size    int       // about how many bytes the values are
	whole   *sql.Stmt // writes scratchRows of them
}

// add takes a value as this program would have written it: a date or an instant as text, a number as a number.
func (b *batch) add(v any, number, date bool) error {
	switch w := v.(type) {
	case time.Time:
		v = w.UTC().Format(stampLayout)
		if date {
			v = civil.Of(w.Date()).String()
		}
	case []byte:
		s := string(w)
		if !utf8.ValidString(s) {
			return errors.New("a text that is not UTF-8")
		}
		v = s
	}
	if s, ok := v.(string); ok {
		b.size += len(s)
		if number {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return fmt.Errorf("a text in a column of numbers: %w", err)
			}
			v = n
		}
	}
	b.size += 12
	b.args = append(b.args, v)
	return nil
}

// scratchRows is how many rows a statement copies: more of them are hardly faster, and take more memory.
const scratchRows = 64

func (b *batch) full() bool { return len(b.args) == scratchRows*b.columns || b.size > maxBytes }

func (b *batch) flush(ctx context.Context, t *tx) error {
	n := len(b.args) / b.columns
	var err error
	switch n {
	case 0:
		return nil
	case scratchRows:
		_, err = b.whole.ExecContext(ctx, b.args...)
	default:
		_, err = t.Tx.ExecContext(ctx, b.statement(n), b.args...)
	}
	b.args, b.size = b.args[:0], 0
	return err
}

// statement writes n rows.
func (b *batch) statement(n int) string {
	mark := "(" + marks(b.columns) + ")"
	return b.head + strings.TrimSuffix(strings.Repeat(mark+", ", n), ", ")
}

// WithoutPlan removes a plan from a scratch copy, with its tasks, obligations, what happened to them, the closings of its
// duties and its drafts that nobody released: planning goes on as if it had never been imported. Letters that left stay,
// and so do those that were made of several plans.
func (s *Store) WithoutPlan(ctx context.Context, j, plan string) error {
	op := "remove plan " + plan + " of " + j
	if !s.scratch {
		return fmt.Errorf("%s: only a scratch copy can do without a plan", op)
	}
	return s.write(ctx, op, func(t *tx) error {
		var known int
		if err := t.GetContext(ctx, &known, "SELECT count(*) FROM plan_versions WHERE jurisdiction = ? AND code = ?", j, plan); err != nil {
			return err
		}
		if known == 0 {
			return ErrNotFound
		}
		s.mem.forget(j)
		return t.removePlan(ctx, j, plan)
	})
}

func (t *tx) removePlan(ctx context.Context, j, plan string) error {
	prefix := j + "/" + plan + "/"
	of := "obligation IN (SELECT ref FROM obligations WHERE jurisdiction = ? AND plan = ?)"
	drafts := "SELECT d.id FROM documents d WHERE d.jurisdiction = ? AND d.state = 'draft' AND d.refs <> '' AND NOT EXISTS " +
		"(SELECT 1 FROM json_each(d.refs) r WHERE substr(r.value, 1, length(?)) <> ?)"
	for _, s := range []struct {
		q    string
		args []any
	}{
		{"DELETE FROM holds WHERE " + of, []any{j, plan}},
		{"DELETE FROM steps WHERE " + of, []any{j, plan}},
		{"DELETE FROM events WHERE jurisdiction = ? AND substr(subject, 1, length(?)) = ?", []any{j, prefix, prefix}},
		{"DELETE FROM silences WHERE jurisdiction = ? AND (substr(subject, 1, length(?)) = ? OR scope = 'plan' AND subject = ?)", []any{j, prefix, prefix, plan}},
		{"DELETE FROM closings WHERE jurisdiction = ? AND plan = ?", []any{j, plan}},
		{"UPDATE notices SET state = 'cancelled', reason = 'its plan is left out' WHERE state = 'held' AND id IN (" + drafts + ")", []any{j, prefix, prefix}},
		{"DELETE FROM documents WHERE id IN (" + drafts + ")", []any{j, prefix, prefix}},
		{"DELETE FROM obligations WHERE jurisdiction = ? AND plan = ?", []any{j, plan}},
		{"DELETE FROM tasks WHERE jurisdiction = ? AND plan = ?", []any{j, plan}},
		{"DELETE FROM task_versions WHERE jurisdiction = ? AND plan = ?", []any{j, plan}},
		{"DELETE FROM plan_versions WHERE jurisdiction = ? AND code = ?", []any{j, plan}},
	} {
		if _, err := t.exec(ctx, s.q, s.args...); err != nil {
			return err
		}
	}
	return nil
}
