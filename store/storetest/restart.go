package storetest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// Server is a MariaDB of one test, which the test may kill and start again. Unlike the one that all tests share, it keeps
// what was committed when its process is killed.
type Server struct {
	socket, log string
	command     []string
	leash       io.Writer // the watchdog's standard input
	cmd         *exec.Cmd // the watchdog; nil while the server is down
	dbs         atomic.Int64
}

// killable is a watchdog that ends the server at the first line it reads, and with the line "gone", or where its input
// just ends because the test binary did, removes the directory too.
const killable = `trap '' INT TERM
"$@" </dev/null & pid=$!
read -r word || word=gone
kill -9 $pid
wait $pid 2>/dev/null
[ "$word" != gone ] || rm -rf "$DIR"`

// Killable starts a MariaDB for this test alone, which is gone when the test is over. Where no server is installed the
// test is skipped, or fails, as with the engines.
func Killable(t testing.TB) *Server {
	t.Helper()
	daemon, install := find("mariadbd", "mysqld"), find("mariadb-install-db", "mysql_install_db")
	if daemon == "" || install == "" {
		if os.Getenv("DUBAN_REQUIRE_MYSQL") != "1" {
			t.Skipf("not run on mysql: %v", errNoServer)
		}
		t.Fatal(errNoServer)
	}
	// A socket's path may hold a hundred characters or so; a test's own directory can be longer.
	dir, err := os.MkdirTemp("/tmp", "duban-mariadb-")
	if err != nil {
		t.Fatal(err)
	}
	common := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--innodb-log-file-size=64M"}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root")
	}
	out, err := exec.Command(install, append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput()
	if err != nil {
		t.Fatal(errors.Join(fmt.Errorf("%s: %w: %s", install, err, out), os.RemoveAll(dir)))
	}
	s := &Server{socket: filepath.Join(dir, "s"), log: filepath.Join(dir, "log")}
	// With 2 the log is handed to the kernel at each commit: it outlives the process, if not a power cut.
	s.command = append(append([]string{"-c", killable, "sh", daemon}, common...), "--socket="+s.socket, "--pid-file="+filepath.Join(dir, "pid"),
		"--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M")
	t.Cleanup(func() {
		if err := errors.Join(s.end("gone"), os.RemoveAll(dir)); err != nil {
			t.Errorf("end MariaDB: %v", err)
		}
	})
	if err := s.Start(); err != nil {
		t.Fatalf("start MariaDB: %v", err)
	}
	return s
}

// Start starts the server again after Kill, and returns when it answers.
func (s *Server) Start() error {
	if s.cmd != nil {
		return nil
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("sh", s.command...)
	cmd.Env = append(os.Environ(), "DIR="+filepath.Dir(s.log))
	cmd.Stdout, cmd.Stderr = log, log
	if s.leash, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	return ready(s.socket, s.log)
}

// Kill ends the server with SIGKILL, whatever it is doing, and returns when it is gone.
func (s *Server) Kill() error { return s.end("stay") }

func (s *Server) end(word string) error {
	if s.cmd == nil {
		return nil
	}
	_, err := fmt.Fprintln(s.leash, word)
	err = errors.Join(err, s.cmd.Wait())
	s.cmd = nil
	return err
}

// DSN returns the name of a new, empty database on the server.
func (s *Server) DSN(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("duban_test_%d", s.dbs.Add(1))
	if err := admin(s.socket, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		t.Fatalf("make database %s: %v", name, err)
	}
	return "mysql://root@unix(" + s.socket + ")/" + name
}
