package store

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

// open makes the handle a DSN asks for. It does not connect.
func open(dsn, password string) (*Store, error) {
	switch {
	case strings.HasPrefix(dsn, "sqlite:"):
		return openSQLite(strings.TrimPrefix(dsn, "sqlite:"))
	case strings.HasPrefix(dsn, "mysql://"):
		return openMySQL(strings.TrimPrefix(dsn, "mysql://"), password)
	default:
		return nil, errors.New("open database: the DSN must begin with sqlite: or mysql://")
	}
}

// sqliteSettings hold per connection, so they ride in the DSN. A settled receipt must outlive a power cut: synchronous
// is FULL. A transaction that writes takes the lock at its start, so it never fails half-way for having read first.
const sqliteSettings = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-6000)" +
	"&_pragma=foreign_keys(1)&_txlock=immediate"

func openSQLite(path string) (*Store, error) {
	conns := 4
	name := fileName(path)
	switch path {
	case "":
		return nil, errors.New("open database: the DSN names no file: want sqlite:PATH")
	case ":memory:":
		conns = 1 // each connection would have a database of its own
	default:
		if err := touch(path); err != nil {
			return nil, fmt.Errorf("open database: %w", fileFault(path, err))
		}
	}
	db, err := sqlx.Open("sqlite", name+sqliteSettings)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if path == ":memory:" {
		path = ""
	}
	return embedded(db, path), nil
}

// embedded is a store in the SQLite file of a path; "": in memory.
func embedded(db *sqlx.DB, path string) *Store {
	return &Store{
		version: &versions{}, db: db, d: sqliteDialect(), writer: make(chan struct{}, 1), hot: newPrepared(), mem: newMemory(), path: path,
	}
}

// fileName is a path as SQLite takes it before settings.
func fileName(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(path)
}

// touch creates the file for its owner alone: it will hold personal data.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func openMySQL(rest, password string) (*Store, error) {
	cfg, err := mysqlConfig(rest, password)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("open database at %s: %w", cfg.Addr, err)
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "mysql")
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(4)
	db.SetConnMaxLifetime(3 * time.Minute)
	return &Store{version: &versions{}, db: db, d: mysqlDialect()}, nil
}

// mysqlConfig reads USER@HOST:PORT/DATABASE?…, USER@/DATABASE?socket=PATH or USER@unix(PATH)/DATABASE. In a user's or a
// database's name a percent sign begins an escape, as in any URL. No error of it repeats the DSN, which might hold a
// password where none belongs.
func mysqlConfig(rest, password string) (*mysql.Config, error) {
	rest, query, _ := strings.Cut(rest, "?")
	at := strings.LastIndex(rest, "@")
	if at <= 0 {
		return nil, errors.New("the DSN names no user: want mysql://USER@HOST:3306/DATABASE")
	}
	user, err := url.PathUnescape(rest[:at])
	if err != nil {
		return nil, errors.New("the DSN's user cannot be read: write a percent sign as %25")
	}
	place := rest[at+1:]
	if strings.Contains(user, ":") {
		return nil, errors.New("the DSN holds a password: give it in the environment or a file, not in the DSN")
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd = user, password
	if sock, ok := strings.CutPrefix(place, "unix("); ok {
		cfg.Net = "unix"
		cfg.Addr, cfg.DBName, ok = strings.Cut(sock, ")/")
		if !ok || cfg.Addr == "" {
			return nil, errors.New("the DSN's socket cannot be read: want mysql://USER@unix(/path)/DATABASE")
		}
	} else {
		cfg.Net = "tcp"
		cfg.Addr, cfg.DBName, _ = strings.Cut(place, "/")
	}
	if cfg.Addr == "" {
		if q, err := url.ParseQuery(query); err == nil && q.Get("socket") != "" {
			cfg.Net, cfg.Addr = "unix", q.Get("socket")
		}
	}
	if cfg.DBName, err = url.PathUnescape(cfg.DBName); err != nil {
		return nil, errors.New("the DSN's database cannot be read: write a percent sign as %25")
	}
	if cfg.Addr == "" || cfg.DBName == "" || strings.Contains(cfg.DBName, "/") {
		return nil, errors.New("the DSN names no server or no database: want mysql://USER@HOST:3306/DATABASE")
	}
	if cfg.Net == "tcp" {
		cfg.Addr = withPort(cfg.Addr)
	}
	if err := secure(cfg, query); err != nil {
		return nil, err
	}
	if err := settle(cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

func withPort(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), "3306")
}

// secure sets TLS: verified by default, except over a socket or to this very machine.
func secure(cfg *mysql.Config, query string) error {
	q, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the DSN's settings after ? cannot be read")
	}
	for k := range q {
		if k != "tls" && k != "ca" && (k != "socket" || cfg.Net != "unix") {
			return fmt.Errorf("the DSN has an unknown setting %q: tls and ca are known, and socket where there is no host", k)
		}
	}
	host, _, _ := net.SplitHostPort(cfg.Addr)
	cfg.TLSConfig = q.Get("tls")
	if !slices.Contains([]string{"", "true", "preferred", "skip-verify", "false"}, cfg.TLSConfig) {
		return fmt.Errorf("the DSN asks for tls=%q: want true, preferred, skip-verify or false", cfg.TLSConfig)
	}
	if cfg.TLSConfig == "" {
		cfg.TLSConfig = "true"
		if cfg.Net == "unix" || loopback(host) {
			cfg.TLSConfig = "false"
		}
	}
	if ca := q.Get("ca"); ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("read the certificate authority: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("read the certificate authority %s: no PEM certificate in it", ca)
		}
		cfg.TLS = &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// settle fixes how a session behaves, whatever the server's defaults: bytes compare as bytes, what does not fit is an
// error, an update counts the rows it found, and no wait is endless.
func settle(cfg *mysql.Config) error {
	cfg.Params = map[string]string{
		"sql_mode":                 "'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'",
		"time_zone":                "'+00:00'",
		"innodb_lock_wait_timeout": "10",
	}
	cfg.ClientFoundRows = true
	cfg.ParseTime = true // the migrations' own tables want it; ours read dates by their civil fields either way
	cfg.Loc = time.UTC
	cfg.InterpolateParams = true
	cfg.MaxAllowedPacket = 0
	cfg.Timeout = 5 * time.Second
	cfg.ReadTimeout = time.Minute
	cfg.WriteTimeout = time.Minute
	cfg.Logger = &mysql.NopLogger{} // its errors come back to us as well
	return cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin"))
}
