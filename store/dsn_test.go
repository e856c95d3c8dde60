package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duban/store"
)

func TestMySQLNames(t *testing.T) {
	for _, c := range []struct{ dsn, net, addr, db, tls string }{
		{"u@db.example.com:3307/duban", "tcp", "db.example.com:3307", "duban", "true"},
		{"u@db.example.com/duban", "tcp", "db.example.com:3306", "duban", "true"},
		{"u@10.0.0.7:3306/duban?tls=preferred", "tcp", "10.0.0.7:3306", "duban", "preferred"},
		{"u@10.0.0.7/duban?tls=skip-verify", "tcp", "10.0.0.7:3306", "duban", "skip-verify"},
		{"u@10.0.0.7/duban?tls=false", "tcp", "10.0.0.7:3306", "duban", "false"},
		{"u@127.0.0.1/duban", "tcp", "127.0.0.1:3306", "duban", "false"},
		{"u@127.0.0.1/duban?tls=true", "tcp", "127.0.0.1:3306", "duban", "true"},
		{"u@localhost:3306/duban", "tcp", "localhost:3306", "duban", "false"},
		{"u@[::1]:3306/duban", "tcp", "[::1]:3306", "duban", "false"},
		{"u@[2001:db8::1]/duban", "tcp", "[2001:db8::1]:3306", "duban", "true"},
		{"u@unix(/run/mysqld/mysqld.sock)/duban", "unix", "/run/mysqld/mysqld.sock", "duban", "false"},
		{"u@/duban?socket=%2Frun%2Fmysqld%2Fmysqld.sock&tls=false", "unix", "/run/mysqld/mysqld.sock", "duban", "false"},
		{"u@/duban?socket=/run/mysqld/mysqld.sock", "unix", "/run/mysqld/mysqld.sock", "duban", "false"},
		{"a%40b@db.example.com/%E7%9D%A3%E5%8A%9E", "tcp", "db.example.com:3306", "督办", "true"},
		{"a@b@db.example.com/duban", "tcp", "db.example.com:3306", "duban", "true"},
	} {
		net, addr, db, tls, err := store.MySQLConfig(c.dsn, "pw")
		if err != nil || net != c.net || addr != c.addr || db != c.db || tls != c.tls {
			t.Errorf("%s: %s %s %s tls=%s, %v", c.dsn, net, addr, db, tls, err)
		}
	}
}

func TestBadNamesAreRefusedWithoutRepeatingAPassword(t *testing.T) {
	const secret = "s3cr3t"
	for _, dsn := range []string{
		"", "duban.db", "postgres://u:" + secret + "@h/db", "sqlite:", "sqlite:" + filepath.Join(t.TempDir(), "no", "such", "dir.db"),
		"mysql://", "mysql://h/db", "mysql://u@h", "mysql://u@h/", "mysql://u@/db", "mysql://u@h/a/b",
		"mysql://u:" + secret + "@h/db", "mysql://u@unix(/sock/db", "mysql://u@unix()/db",
		"mysql://u@/db?socket=", "mysql://u@h/db?socket=/sock", "mysql://u@/?socket=/sock", "mysql://u%4@h/db",
		"mysql://u@h/db?tls=maybe", "mysql://u@h/db?multiStatements=true", "mysql://u@h/db?tls=%zz", "mysql://u@h/db?ca=/no/such/file",
	} {
		s, err := store.Open(t.Context(), dsn, secret)
		if err == nil {
			t.Errorf("%q was opened", dsn)
			s.Close()
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
	if _, err := store.Open(t.Context(), "mysql://u@127.0.0.1:1/db", secret); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a server that is not there: %v", err)
	}
}

func TestSQLiteFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "督办 100%#?.db")
	for range 2 {
		s, err := store.Open(t.Context(), "sqlite:"+path, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("the file: %v %v", info, err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(t.Context(), "sqlite:"+text, ""); err == nil {
		s.Close()
		t.Error("a text file was opened")
	}
}

func TestAMemoryDatabase(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite::memory:", "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	seq := begin(t, s)
	must(t, s, seq, dayBatch())
	if due := got[[]string](t)(store.Strings(t.Context(), s, "SELECT ref FROM obligations")); len(due) != 1 {
		t.Errorf("obligations: %v", due)
	}
}
