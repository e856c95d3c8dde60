package storetest

import (
	"bufio"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
)

// Rows are rows of a table, each with a value for each column: nil, a number or text. Dates and instants are text, as
// SQLite keeps them.
type Rows struct {
	Columns []string
	Values  [][]any
}

// ReadRows reads rows that were written as gzipped JSON lines, the first of which names the columns.
func ReadRows(t testing.TB, path string) (out Rows) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if out.Columns == nil {
			err = json.Unmarshal(lines.Bytes(), &out.Columns)
		} else {
			var row []any
			d := json.NewDecoder(strings.NewReader(lines.Text()))
			d.UseNumber()
			err = d.Decode(&row)
			out.Values = append(out.Values, row)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// Populated makes an empty database one of an earlier version and fills it with the rows that are kept of it. storeDir is
// where the package store is. It returns the rows by table.
func (e Engine) Populated(t testing.TB, dsn, storeDir string, version int64) map[string]Rows {
	t.Helper()
	migrateTo(t, e.Name, dsn, filepath.Join(storeDir, "migrations", e.Name), version)
	files, err := filepath.Glob(filepath.Join(storeDir, "testdata", fmt.Sprintf("v%d", version), "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("rows of version %d: %v, %v", version, files, err)
	}
	db := raw(t, dsn, false)
	ctx := t.Context()
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	word := "SET foreign_key_checks = 0"
	if e.Name == "sqlite" {
		word = "PRAGMA foreign_keys = 0"
	}
	if _, err := conn.ExecContext(ctx, word); err != nil {
		t.Fatal(err)
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Rows{}
	for _, name := range files {
		table := strings.TrimSuffix(filepath.Base(name), ".jsonl.gz")
		out[table] = ReadRows(t, name)
		if err := fill(tx, table, out[table]); err != nil {
			t.Fatalf("fill %s: %v", table, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return out
}

func fill(tx *sql.Tx, table string, rows Rows) error {
	q := "INSERT INTO " + table + " (" + strings.Join(rows.Columns, ", ") + ") VALUES (" +
		strings.TrimSuffix(strings.Repeat("?, ", len(rows.Columns)), ", ") + ")"
	for _, row := range rows.Values {
		args := make([]any, len(row))
		for i, v := range row {
			if args[i] = v; v == nil {
				continue
			}
			if n, ok := v.(json.Number); ok {
				i64, err := n.Int64()
				if err != nil {
					return err
				}
				args[i] = i64
			}
		}
		if _, err := tx.Exec(q, args...); err != nil {
			return err
		}
	}
	return nil
}

// Lines are the rows as text, one line each with the columns' names in it, sorted.
func (r Rows) Lines() []string {
	var out []string
	for _, row := range r.Values {
		var line strings.Builder
		for i, v := range row {
			if v == nil {
				v = "NULL"
			}
			fmt.Fprintf(&line, "%s=%v ", r.Columns[i], v)
		}
		out = append(out, line.String())
	}
	slices.Sort(out)
	return out
}

// Only returns the rows with these columns alone.
func (r Rows) Only(columns ...string) (out Rows) {
	out.Columns = columns
	for _, row := range r.Values {
		var some []any
		for _, c := range columns {
			some = append(some, row[slices.Index(r.Columns, c)])
		}
		out.Values = append(out.Values, some)
	}
	return out
}

// Select reads columns of a table past the store. where is empty or a whole clause.
func Select(t testing.TB, dsn, table string, columns []string, where string) (out Rows) {
	t.Helper()
	out.Columns = columns
	q := "SELECT " + strings.Join(columns, ", ") + " FROM " + table + " " + where
	rows, err := raw(t, dsn, false).QueryContext(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]any, len(columns))
		to := make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		for i, v := range row {
			switch v := v.(type) {
			case []byte:
				row[i] = string(v)
			case int64:
				row[i] = json.Number(fmt.Sprint(v))
			}
		}
		out.Values = append(out.Values, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return out
}

// Statement runs a statement past the store.
func Statement(t testing.TB, dsn, q string, args ...any) {
	t.Helper()
	if _, err := raw(t, dsn, false).ExecContext(t.Context(), q, args...); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

// migrateTo brings an empty database to a version, without the store.
func migrateTo(t testing.TB, engine, dsn, dir string, version int64) {
	t.Helper()
	dialect := map[string]goose.Dialect{"sqlite": goose.DialectSQLite3, "mysql": goose.DialectMySQL}[engine]
	p, err := goose.NewProvider(dialect, raw(t, dsn, true), os.DirFS(dir), goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = p.UpTo(t.Context(), version)
	}
	if err != nil {
		t.Fatalf("migrate to %d: %v", version, err)
	}
}

// raw opens a database of Engine.DSN past the store. times says whether MySQL's instants are to be read as such or as text.
func raw(t testing.TB, dsn string, times bool) *sql.DB {
	t.Helper()
	var db *sql.DB
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		var err error
		if db, err = sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"); err != nil {
			t.Fatal(err)
		}
	} else {
		socket, name, ok := strings.Cut(strings.TrimPrefix(dsn, "mysql://root@unix("), ")/")
		if !ok {
			t.Fatalf("%s is not of these engines", dsn)
		}
		cfg := mysql.NewConfig()
		cfg.User, cfg.Net, cfg.Addr, cfg.DBName, cfg.ParseTime = "root", "unix", socket, name, times
		cfg.Params = map[string]string{"sql_mode": "'STRICT_ALL_TABLES'", "time_zone": "'+00:00'"}
		cfg.InterpolateParams = true
		if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
			t.Fatal(err)
		}
		connector, err := mysql.NewConnector(cfg)
		if err != nil {
			t.Fatal(err)
		}
		db = sql.OpenDB(connector)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}
