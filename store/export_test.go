package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// The queries a day is made of, with the tails the store itself uses.
func QueryDue(s *Store) string     { return "SELECT ref FROM obligations " + dueTail(s.d, 500) }
func QueryRaised(s *Store) string  { return raisedQuery(s.d, 2) }
func QueryLately(s *Store) string  { return ofTasks(s.d, 2, ofLate) }
func QueryWaiting(s *Store) string { return ofTasks(s.d, 2, toDeliver) }
func QueryUnsent(s *Store) string {
	w := unsentWhere("", notice.UnitLetter, 0)
	return "SELECT id FROM notices " + s.d.by("notices_state") + " " + w.String() + byReader
}
func QueryWeekly(s *Store) string { return "SELECT seq FROM task_versions " + weeklyTail(s.d) }
func QueryEvents(s *Store) string {
	return "SELECT subject FROM events " + strings.Replace(eventsTail(s.d), "%s", marks(2), 1)
}

// The queries of delivery, with the text the store itself uses, each for letters of one state.
func QueryClaim(s *Store) string {
	w := dueWhere(notice.Pending, notice.ClaimFilter{}, nil, time.Time{})
	if s.d.skipLocked == "" {
		return firstQuery(s.d, w, 32)
	}
	return "SELECT id, jurisdiction, logical_date, state FROM notices " + claimTail(s.d, w, 32)
}
func QueryExpired(s *Store) string {
	w := sendingWhere(notice.ClaimFilter{})
	return "SELECT id, lease FROM notices " + s.d.by("notices_state") + " " + w.String()
}
func QueryHolds(s *Store) string {
	return "SELECT id FROM notices " + fmt.Sprintf(sendingByID(s.d), marks(3))
}
func QueryFenced(s *Store) string {
	return "UPDATE notices " + s.d.byKey + " SET tries = 1" + ours(s.d, 2)
}
func QueryCounts(s *Store) string {
	var w where
	w.equal("jurisdiction", "x")
	return countQuery(s.d, w)
}
func QueryRelease(s *Store) string {
	return releaseSet(s.d) + "WHERE state = ? AND next_try <= ?"
}
func QueryFailed(s *Store) string {
	w := failedWhere("", notice.UnitLetter, 0, 0)
	return "SELECT id FROM notices " + s.d.by("notices_state") + " " + w.String() + byReader
}

// MigrateTo brings a database to an earlier version.
func MigrateTo(ctx context.Context, s *Store, version int64) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}

// Explain returns the engine's plan for a query.
func Explain(ctx context.Context, s *Store, q string, args ...any) (string, error) {
	word := "EXPLAIN "
	if s.Dialect() == "sqlite" {
		word = "EXPLAIN QUERY PLAN "
	}
	rows, err := s.db.QueryxContext(ctx, word+q, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		cols, err := rows.SliceScan()
		if err != nil {
			return "", err
		}
		for _, c := range cols {
			if b, ok := c.([]byte); ok {
				c = string(b)
			}
			if s, ok := c.(string); ok {
				out.WriteString(s + " ")
			}
		}
		out.WriteString("\n")
	}
	return out.String(), rows.Err()
}

// Exec runs a statement past the store.
func Exec(ctx context.Context, s *Store, q string, args ...any) error {
	_, err := s.db.ExecContext(ctx, q, args...)
	return err
}

// Strings reads one column of text past the store.
func Strings(ctx context.Context, s *Store, q string, args ...any) (out []string, err error) {
	err = s.db.SelectContext(ctx, &out, q, args...)
	return out, err
}

// FailThen runs a write whose first tries write a value and then fail as a transaction does that lost a deadlock, and
// returns how often it was tried.
func FailThen(ctx context.Context, s *Store, name string, losses int) (tries int, err error) {
	lost := error(&mysql.MySQLError{Number: 1213})
	if s.Dialect() == "sqlite" {
		lost = errAgain // its driver's error cannot be made outside it
	}
	err = s.write(ctx, "test", func(t *tx) error {
		tries++
		if _, err := t.exec(ctx, "INSERT INTO meta (name, value) VALUES (?, 'x')", name); err != nil {
			return err
		}
		if tries <= losses {
			return errors.Join(errors.New("lost"), lost)
		}
		return nil
	})
	return tries, err
}

// MySQLConfig returns what a DSN comes to: network, address, database, and whether TLS is on and how.
func MySQLConfig(rest, password string) (net, addr, db, tls string, err error) {
	cfg, err := mysqlConfig(rest, password)
	if err != nil {
		return "", "", "", "", err
	}
	return cfg.Net, cfg.Addr, cfg.DBName, cfg.TLSConfig, nil
}

// OneConnection makes the store use one connection, which has counters of its own.
func OneConnection(s *Store) { s.db.SetMaxOpenConns(1) }

// Effort returns how much has been read since the database was opened: on SQLite the pages its one connection asked for,
// on MySQL the rows of the whole server.
func Effort(ctx context.Context, s *Store) (n int, err error) {
	if s.Dialect() == "mysql" {
		var rows []struct {
			Name  string `db:"Variable_name"`
			Value int    `db:"Value"`
		}
		err := s.db.SelectContext(ctx, &rows, "SHOW GLOBAL STATUS LIKE 'Handler_read%'")
		for _, r := range rows {
			n += r.Value
		}
		return n, err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = conn.Raw(func(c any) error {
		for _, op := range []sqlite.DBStatusOp{sqlite.DBStatusCacheHit, sqlite.DBStatusCacheMiss} {
			now, _, err := c.(sqlite.DBStatus).Status(op, false)
			if err != nil {
				return err
			}
			n += now
		}
		return nil
	})
	return n, err
}

// The queries that look back, with the text the store itself uses.
const QueryNumber = numberQuery

func QueryUnsettled(s *Store) string { return unsettledQuery(s.d) }
func QuerySettled(s *Store) string   { return dailyQuery(s.d) }
func QueryKnown() string             { return knownQuery(2) }
func QuerySteps(s *Store) string     { return "SELECT step FROM steps " + stepsTail(s.d) }
func QueryBriefs(s *Store) string    { return "SELECT id, reason FROM notices " + briefsTail(s.d) }
func QueryLast(s *Store) string      { return "SELECT id, reason FROM notices " + lastTail(s.d) }
func QueryOccurrences(s *Store) string {
	w := occurrencesWhere("", []string{""})
	return "SELECT ref FROM occurrences " + w.String() + " ORDER BY seq"
}
func QueryDrafts(s *Store) string {
	w := documentsWhere(notice.DocumentFilter{Jurisdiction: "x", State: notice.Drafted})
	return "SELECT title FROM documents " + w.String() + " ORDER BY drafted, id"
}
func QueryDueIn(s *Store, j string, kinds []task.Kind, from, to civil.Date) (string, []any) {
	return dueInQuery(s.d, j, kinds, from, to)
}
func QueryPeriods(s *Store, j string, kinds []task.Kind, from, to civil.Date) (string, []any) {
	return periodsQuery(s.d, j, kinds, from, to)
}
func QueryAnyPeriod(s *Store, j string, kinds []task.Kind, from, to civil.Date) (string, []any) {
	return anyPeriodQuery(s.d, j, kinds, from, to)
}

// SeqAt returns the jurisdiction's last seq that was recorded at or before the instant; 0 where none is known to be.
func (s *Store) SeqAt(ctx context.Context, jurisdiction string, t time.Time) (seq int64, err error) {
	err = s.read(ctx, "read what was known of "+jurisdiction, func(tx *tx) error {
		var found []int64 // the newest first: as a rule a late instant is asked for
		err := tx.SelectContext(ctx, &found, "SELECT seq FROM journal WHERE jurisdiction = ? AND at <= ? ORDER BY seq DESC LIMIT 1", jurisdiction, at(t))
		seq = 0
		if len(found) > 0 {
			seq = found[0]
		}
		return err
	})
	return seq, err
}

// Backfills returns what was filled in afterwards, the last started first. A limit of 0 means all.
func (s *Store) Backfills(ctx context.Context, limit int) (out []run.Backfill, err error) {
	err = s.read(ctx, "read backfills", func(t *tx) error {
		rows, err := query[backfillRow](ctx, t, "ORDER BY started DESC, hash"+limited(limit))
		out = nouns(rows)
		return err
	})
	return out, err
}

// RememberAtMost has a store remember so many records.
func RememberAtMost(s *Store, n int) { s.mem.most = n }

// Remembered returns the refs of the jurisdiction's obligations that a store remembers, in order.
func Remembered(s *Store, j string) []string {
	s.mem.mu.Lock()
	defer s.mem.mu.Unlock()
	if s.mem.of[j] == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.mem.of[j].records))
}

// ReadAlone opens a file as OpenReading does where it cannot be opened otherwise, the disk being full or the file not to be
// written.
func ReadAlone(ctx context.Context, path string, why error) (*Store, error) {
	told := &FileError{Path: path, Err: why}
	return readAlone(ctx, path, told, fmt.Errorf("open database: %w", told))
}
