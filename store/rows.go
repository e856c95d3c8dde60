package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"duban/jobs/task"
)

// The limits of one statement. Rows × columns stays far below the engines' limits on placeholders, and the bytes below
// the packet a server takes by default.
const (
	maxRows  = 200
	maxBytes = 1 << 20
	maxIn    = 500
)

// row is a struct whose db tags name the columns of a table.
type row interface{ table() string }

func columns[T row]() []string {
	t := reflect.TypeFor[T]()
	cols := make([]string, t.NumField())
	for i := range cols {
		cols[i] = t.Field(i).Tag.Get("db")
	}
	return cols
}

// words reads a query of one column of text.
func (t *tx) words(ctx context.Context, q string, args ...any) (out []string, err error) {
	var word string
	return out, t.each(ctx, q, args, []any{&word}, func() { out = append(out, word) })
}

// insert writes the rows, many to a statement.
func insert[T row](ctx context.Context, t *tx, rows []T) error {
	return insertOr(ctx, t, rows, "")
}

// insertOr is insert with a tail that says what to do where a key is taken.
func insertOr[T row](ctx context.Context, t *tx, rows []T, tail string) error {
	if len(rows) == 0 {
		return nil
	}
	cols := columns[T]()
	head := "INSERT INTO " + rows[0].table() + " (" + strings.Join(cols, ", ") + ") VALUES "
	mark := "(" + marks(len(cols)) + ")"
	var args []any
	n, size := 0, 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		q := head + strings.TrimSuffix(strings.Repeat(mark+", ", n), ", ") + " " + tail
		_, err := t.ExecContext(ctx, q, args...)
		args, n, size = args[:0], 0, 0
		return err
	}
	for _, r := range rows {
		vals, bytes, err := values(r)
		if err != nil {
			return err
		}
		if n == maxRows || n > 0 && size+bytes > maxBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		args, n, size = append(args, vals...), n+1, size+bytes
	}
	return flush()
}

// quick is a row that tells its values itself: it is written once for every letter that leaves.
type quick interface {
	fields() ([]any, error)
}

// values returns what a row's fields are stored as, and about how many bytes that is.
func values(r row) (vals []any, size int, err error) {
	if q, ok := r.(quick); ok {
		vals, err = q.fields()
	} else {
		vals, err = reflected(r)
	}
	if err != nil {
		return nil, 0, err
	}
	for i, val := range vals {
		size += 12
		s, ok := val.(string)
		if !ok {
			continue
		}
		if !utf8.ValidString(s) { // one engine would take it and the other not
			return nil, 0, fmt.Errorf("%s: %q is not UTF-8: decode the text where it is read", columnOf(r, i), s)
		}
		size += len(s)
	}
	return vals, size, nil
}

// reflected returns the values of any row.
func reflected(r row) ([]any, error) {
	v := reflect.ValueOf(r)
	vals := make([]any, v.NumField())
	for i := range vals {
		f := v.Field(i)
		vals[i] = f.Interface()
		if valuer, ok := vals[i].(driver.Valuer); ok {
			val, err := valuer.Value()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", columnOf(r, i), err)
			}
			vals[i] = val
		} else if f.Kind() == reflect.String {
			vals[i] = f.String()
		}
	}
	return vals, nil
}

func columnOf(r row, i int) string {
	return "column " + reflect.TypeOf(r).Field(i).Tag.Get("db") + " of " + r.table()
}

// placed is a row that tells itself where its columns are read into, in their order: it is read by the thousand.
type placed interface {
	dest() []any
}

// query reads rows of T; the tail is all that follows FROM table.
func query[T row](ctx context.Context, t *tx, tail string, args ...any) ([]T, error) {
	var out []T
	var r T
	if p, ok := any(&r).(placed); ok {
		err := t.each(ctx, selecting[T](tail), args, p.dest(), func() { out = append(out, r) })
		return out, err
	}
	err := t.SelectContext(ctx, &out, selecting[T](tail), args...)
	return out, err
}

func selecting[T row](tail string) string {
	var r T
	return "SELECT " + strings.Join(columns[T](), ", ") + " FROM " + r.table() + " " + tail
}

// eachIn is queryIn that has each row taken as it is read, so that of thousands no list is made.
func eachIn[T row, P interface {
	*T
	placed
}](ctx context.Context, t *tx, tail string, args []any, list []string, take func(T)) error {
	var r T
	dest := P(&r).dest()
	for piece := range slices.Chunk(list, maxIn) {
		piece = filled(t, piece)
		q := selecting[T](fmt.Sprintf(tail, marks(len(piece))))
		if err := t.each(ctx, q, slices.Concat(args, anys(piece)), dest, func() { take(r) }); err != nil {
			return err
		}
	}
	return nil
}

// queryIn is query for a condition on a list, however long: it is asked in pieces, each in its place of the tail's
// last IN (%s). The list's own order is kept piece by piece.
func queryIn[T row](ctx context.Context, t *tx, tail string, args []any, list []string) ([]T, error) {
	var out []T
	for piece := range slices.Chunk(list, maxIn) {
		piece = filled(t, piece)
		got, err := query[T](ctx, t, fmt.Sprintf(tail, marks(len(piece))), slices.Concat(args, anys(piece))...)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

// each reads rows into the destinations, one after the other, and has each taken.
func (t *tx) each(ctx context.Context, q string, args, dest []any, take func()) error {
	rows, err := t.QueryContext(ctx, q, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what failed is in rows.Err
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		take()
	}
	return rows.Err()
}

// marks returns n placeholders.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// change is new values of some columns of the row with the key.
type change struct {
	key  string
	vals []any
}

// update sets the columns of many rows, many to a statement, and fails with ErrNotFound where a row is missing. No
// key may come twice.
func update(ctx context.Context, t *tx, table, key string, cols []string, changes []change) error {
	if t.hot != nil { // compiled once, a row at a time is a tenth of the work
		return updateEach(ctx, t, table, key, cols, changes)
	}
	const most = 100
	for piece := range slices.Chunk(changes, most) {
		var sets []string
		var args, keys []any
		for i, col := range cols {
			sets = append(sets, col+" = CASE "+key+strings.Repeat(" WHEN ? THEN ?", len(piece))+" END")
			for _, c := range piece {
				args = append(args, c.key, c.vals[i])
			}
		}
		for _, c := range piece {
			keys = append(keys, c.key)
		}
		q := "UPDATE " + table + " SET " + strings.Join(sets, ", ") + " WHERE " + key + " IN (" + marks(len(piece)) + ")"
		n, err := t.exec(ctx, q, append(args, keys...)...)
		if err != nil {
			return err
		}
		if n != int64(len(piece)) {
			return fmt.Errorf("%w: %d of the %d rows of %s from %s to %s", ErrNotFound,
				int64(len(piece))-n, len(piece), table, piece[0].key, piece[len(piece)-1].key)
		}
	}
	return nil
}

func updateEach(ctx context.Context, t *tx, table, key string, cols []string, changes []change) error {
	q := "UPDATE " + table + " SET " + strings.Join(cols, " = ?, ") + " = ? WHERE " + key + " = ?"
	for _, c := range changes {
		n, err := t.exec(ctx, q, append(slices.Clip(c.vals), c.key)...)
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("%w: row %s of %s", ErrNotFound, c.key, table)
		}
	}
	return nil
}

// exec returns the number of rows the statement found.
func (t *tx) exec(ctx context.Context, q string, args ...any) (int64, error) {
	res, err := t.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// checkKey holds the engines to the same keys: one pads keys with spaces when it compares, and only one minds their
// length. Keys are normalised before they come here.
func checkKey(what, key string, most int) error {
	switch {
	case key == "":
		return fmt.Errorf("%s is empty", what)
	case !utf8.ValidString(key):
		return fmt.Errorf("%s %q is not UTF-8", what, key)
	case strings.TrimSpace(key) != key:
		return fmt.Errorf("%s %q begins or ends with a space: trim it where it is read", what, key)
	case strings.ContainsFunc(key, unicode.IsControl):
		return fmt.Errorf("%s %q holds a control character", what, key)
	case utf8.RuneCountInString(key) > most:
		return fmt.Errorf("%s %q is longer than %d characters", what, key, most)
	}
	return nil
}

// The longest keys, in characters.
const (
	maxJurisdiction = 32
	maxCode         = 64
	maxInstance     = 128
)

// checkPart is checkKey for what stands between the slashes of a reference.
func checkPart(what, key string, most int) error {
	if strings.Contains(key, "/") {
		return fmt.Errorf("%s %q holds a slash, which parts references", what, key)
	}
	return checkKey(what, key, most)
}

func checkTask(j string, id task.TaskID) error {
	if id.Jurisdiction != j {
		return fmt.Errorf("task %s is not of %s", id, j)
	}
	if err := checkPart("plan code", id.Plan, maxCode); err != nil {
		return err
	}
	return checkPart("row code", id.Row, maxCode)
}

func checkRef(j string, ref task.Ref) error {
	if err := checkTask(j, ref.TaskID); err != nil {
		return err
	}
	if err := checkPart("unit code", ref.Unit, maxCode); err != nil {
		return err
	}
	return checkKey("instance", ref.Instance, maxInstance)
}
