package store

import "context"

// Engine is what a database says of itself.
type Engine struct {
	Version string
	// Flush is MySQL's innodb_flush_log_at_trx_commit: with anything but 1 a power cut may lose the last second of what was
	// committed. 1 where nothing can be said, and for SQLite, whose every connection is opened so that nothing is lost.
	Flush int
	// ReadOnly says that the server takes no writes, as a replica does.
	ReadOnly bool
}

// Engine asks the database for its version and for the settings that delivery depends on.
func (s *Store) Engine(ctx context.Context) (e Engine, err error) {
	err = s.read(ctx, "read the database's settings", func(t *tx) error {
		e = Engine{Flush: 1}
		if t.d.name == "sqlite" {
			return t.GetContext(ctx, &e.Version, "SELECT sqlite_version()")
		}
		row := t.QueryRowxContext(ctx, "SELECT VERSION(), @@GLOBAL.innodb_flush_log_at_trx_commit, @@GLOBAL.read_only")
		return row.Scan(&e.Version, &e.Flush, &e.ReadOnly)
	})
	return e, err
}
