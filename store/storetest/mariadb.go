package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// server is the one MariaDB of this test binary.
var server struct {
	once   sync.Once
	socket string
	err    error
	leash  io.Closer // the watchdog's standard input: held here, or the collector would close it
	dbs    atomic.Int64
}

// errNoServer says by name what is missing.
var errNoServer = errors.New("no MariaDB server: neither mariadbd nor mysqld with mariadb-install-db is on PATH or in /usr/sbin")

func mysqlDSN(t testing.TB) string {
	t.Helper()
	server.once.Do(func() { server.socket, server.err = start() })
	if errors.Is(server.err, errNoServer) && os.Getenv("DUBAN_REQUIRE_MYSQL") != "1" {
		t.Skipf("not run on mysql: %v", server.err)
	}
	if server.err != nil {
		t.Fatalf("start MariaDB: %v", server.err)
	}
	name := fmt.Sprintf("duban_test_%d", server.dbs.Add(1))
	if err := admin(server.socket, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		t.Fatalf("make database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := admin(server.socket, "DROP DATABASE "+name); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return "mysql://root@unix(" + server.socket + ")/" + name
}

func connect(socket string) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.Logger = "root", "unix", socket, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func admin(socket, statement string) error {
	db, err := connect(socket)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(context.Background(), statement)
	return errors.Join(err, db.Close())
}

// watchdog runs the server until its own standard input ends, which it does when the test binary ends, in whatever way:
// returning, panicking, timing out or killed. Then it ends the server and removes its directory.
const watchdog = `trap '' INT TERM
"$@" </dev/null & pid=$!
cat >/dev/null
kill -9 $pid
wait $pid 2>/dev/null
rm -rf "$DIR"`

func start() (socket string, err error) {
	daemon, install := find("mariadbd", "mysqld"), find("mariadb-install-db", "mysql_install_db")
	if daemon == "" || install == "" {
		return "", errNoServer
	}
	// A socket's path may hold a hundred characters or so; a test's own directory can be longer.
	dir, err := os.MkdirTemp("/tmp", "duban-mariadb-")
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	common := []string{"--no-defaults", "--datadir=" + data, "--innodb-log-file-size=16M"}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root")
	}
	out, err := exec.Command(install, append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput()
	if err != nil {
		return "", errors.Join(fmt.Errorf("%s: %w: %s", install, err, out), os.RemoveAll(dir))
	}
	socket = filepath.Join(dir, "s")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	args := append([]string{"-c", watchdog, "sh", daemon}, common...)
	cmd := exec.Command("sh", append(args, "--socket="+socket, "--pid-file="+filepath.Join(dir, "pid"), "--skip-networking",
		"--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=64M")...)
	cmd.Env = append(os.Environ(), "DIR="+dir)
	cmd.Stdout, cmd.Stderr = log, log
	if server.leash, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	return socket, ready(socket, log.Name())
}

func find(names ...string) string {
	for _, name := range names {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin"} {
			if p := filepath.Join(dir, name); executable(p) {
				return p
			}
		}
	}
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// ready waits until the server answers.
func ready(socket, log string) error {
	deadline := time.Now().Add(time.Minute)
	for {
		err := admin(socket, "SELECT 1")
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log)
			return fmt.Errorf("the server does not answer: %w: %s", err, text)
		}
		time.Sleep(20 * time.Millisecond) // a server on its way up can only be asked again
	}
}

// Spent is the processor time that the engine's server has used for what it was asked since the first call; none where the engine
// runs in the process of the test. What a server does by itself is left out: it comes late, after whatever was written before.
func (e Engine) Spent(t testing.TB) time.Duration {
	t.Helper()
	if server.socket == "" || e.Name == "sqlite" {
		return 0
	}
	db, err := connect(server.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "SET GLOBAL userstat = 1"); err != nil {
		t.Fatal(err)
	}
	var name string
	var seconds float64
	if err := db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Cpu_time'").Scan(&name, &seconds); err != nil {
		t.Fatalf("ask the server for its processor time: %v", err)
	}
	return time.Duration(seconds * float64(time.Second))
}
