package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// dialect holds all in which the two engines differ. Every other statement is the same text on both.
type dialect struct {
	name  string
	goose goose.Dialect
	// clock is the engine's clock, UTC with milliseconds, the same throughout a statement.
	clock string
	// pairs is a list of n pairs of placeholders that a pair of columns is looked for in.
	pairs func(n int) string
	// hasTable counts the tables of a name.
	hasTable string
	// reading and writing are the options of a transaction.
	reading, writing *sql.TxOptions
	// upsert begins the tail of an INSERT that updates the row whose key is taken.
	upsert func(key string) string
	// incoming names, in that tail, the value the INSERT brought.
	incoming func(column string) string
	// by makes a query use the named index of its table, or fail.
	by func(index string) string
	// byKey makes an update find its rows by the table's primary key: by another index it would lock, on its way, rows that
	// are others'. Where there is one writer the planner may choose.
	byKey string
	// skipLocked ends a query for rows that nobody else is about to change, and keeps others from them.
	skipLocked string
	// fault sorts a driver's error by its code.
	fault func(error) fault
}

// fault is what a driver's error means to us.
type fault int

const (
	faultOther    fault = iota
	faultAgain          // deadlock, lock timeout, busy: the whole transaction may be tried again
	faultExists         // a key is taken
	faultMissing        // a row that a foreign key names is not there
	faultTable          // a table is not there
	faultFull           // there is no room
	faultReadOnly       // what is to be written can only be read
	faultDenied         // the user has no right to it
	faultLogin          // there is no such user, or the password is another
)

// translate is the one place where a driver's error becomes one of ours.
func (d *dialect) translate(err error) error {
	switch d.fault(err) {
	case faultExists:
		return fmt.Errorf("%w: %w", ErrExists, err)
	case faultMissing:
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case faultTable:
		return fmt.Errorf("%w: %w", ErrNotMigrated, err)
	case faultFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case faultReadOnly:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case faultDenied:
		return fmt.Errorf("%w: %w", ErrDenied, err)
	case faultLogin:
		return fmt.Errorf("%w: %w", ErrLogin, err)
	default:
		return err
	}
}

func sqliteDialect() *dialect {
	return &dialect{
		name:     "sqlite",
		goose:    goose.DialectSQLite3,
		clock:    "strftime('%Y-%m-%d %H:%M:%f', 'now')",
		pairs:    func(n int) string { return "(VALUES " + strings.TrimSuffix(strings.Repeat("(?, ?), ", n), ", ") + ")" },
		hasTable: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
		reading:  &sql.TxOptions{ReadOnly: true},
		writing:  &sql.TxOptions{},
		upsert:   func(key string) string { return "ON CONFLICT (" + key + ") DO UPDATE SET" },
		incoming: func(column string) string { return "excluded." + column },
		by:       func(index string) string { return "INDEXED BY " + index },
		fault:    sqliteFault,
	}
}

// sqliteFault reads SQLite's result codes; the low byte is the primary code.
func sqliteFault(err error) fault {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return faultOther
	}
	switch code := e.Code(); {
	case code&0xff == 5 || code&0xff == 6: // SQLITE_BUSY, SQLITE_LOCKED
		return faultAgain
	case code == 1555 || code == 2067: // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE
		return faultExists
	case code == 787: // SQLITE_CONSTRAINT_FOREIGNKEY
		return faultMissing
	case code&0xff == 13, code == 4874: // SQLITE_FULL, SQLITE_IOERR_SHMSIZE
		return faultFull
	case code&0xff == 8, code&0xff == 14: // SQLITE_READONLY, SQLITE_CANTOPEN: a file beside the database cannot be made
		return faultReadOnly
	default:
		return faultOther
	}
}

func mysqlDialect() *dialect {
	return &dialect{
		name:     "mysql",
		goose:    goose.DialectMySQL,
		clock:    "UTC_TIMESTAMP(3)",
		pairs:    func(n int) string { return "(" + strings.TrimSuffix(strings.Repeat("(?, ?), ", n), ", ") + ")" },
		hasTable: "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
		reading:  &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		// A fence reads the newest committed row, and no gap between rows is locked.
		writing:  &sql.TxOptions{Isolation: sql.LevelReadCommitted},
		upsert:   func(string) string { return "ON DUPLICATE KEY UPDATE" },
		incoming: func(column string) string { return "VALUES(" + column + ")" },
		by:       func(index string) string { return "FORCE INDEX (" + index + ")" },
		byKey:    "FORCE INDEX (PRIMARY)",
		// MariaDB 10.6, MySQL 8.0
		skipLocked: " FOR UPDATE SKIP LOCKED",
		fault:      mysqlFault,
	}
}

func mysqlFault(err error) fault {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return faultOther
	}
	switch e.Number {
	case 1213, 1205, 1020: // deadlock, lock wait timeout, record changed since last read
		return faultAgain
	case 1062:
		return faultExists
	case 1452:
		return faultMissing
	case 1146:
		return faultTable
	case 1021, 1114: // disk full, the table is full
		return faultFull
	case 1290, 1836: // --read-only, read-only mode
		return faultReadOnly
	case 1044, 1142, 1143, 1227: // of the database, a table, a column, the server
		return faultDenied
	case 1045, 1698: // with a password, without one
		return faultLogin
	default:
		return faultOther
	}
}
