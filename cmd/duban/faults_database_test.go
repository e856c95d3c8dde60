package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"duban/notify"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

const dbLetters = 3

// A worker's lease in these tests, and the step of the transport that it has to outlive twice. The transport itself has
// far more time, so that a slow machine makes no faults of its own.
const (
	shortLease = 1500 * time.Millisecond
	shortPhase = 100 * time.Millisecond
)

// dbWork are the three transactions of a delivery, by the words of its statements.
var dbWork = []struct{ name, words string }{
	{"claim", "SET state = 'sending'"}, {"mark", "SET data_at = COALESCE"}, {"settle", "lease = NULL, settled ="},
}

// committing matches the COMMIT of the transaction in which the words were said first.
func committing(words string, then func()) func([]byte) bool {
	armed := false
	return func(b []byte) bool {
		armed = armed || bytes.Contains(b, []byte(words))
		if !armed || !bytes.Contains(b, []byte("COMMIT")) {
			return false
		}
		armed = false
		if then != nil {
			then()
		}
		return true
	}
}

// proxied opens the database at the DSN once directly, with letters in it, and once through a proxy.
func proxied(t *testing.T, dsn string) (o *outbox, through *store.Store, proxy *mailtest.Proxy) {
	t.Helper()
	s := storetest.Reopen(t, dsn)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	o = mustPlan(t, s, "db", dbLetters)
	socket, name := socketOf(dsn)
	proxy, err := mailtest.StartProxy("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return o, storetest.Reopen(t, "mysql://root@"+proxy.Addr()+"/"+name+"?tls=false"), proxy
}

// shortly returns a worker with a short lease, which waits for the leases of others.
func (o *outbox) shortly(name string, s notify.Store, tr notify.Transport) *notify.Dispatcher {
	d := o.worker(name, s, tr)
	d.Lease, d.Phase, d.Wait = shortLease, shortPhase, 0
	return d
}

// TestTheConnectionIsLostOnCommit cuts the connection to the database server before a COMMIT reaches it, and after it was
// carried out but not answered, in each transaction of a delivery. Nothing of it may show at the relay.
func TestTheConnectionIsLostOnCommit(t *testing.T) {
	moments := map[string]mailtest.When{"before": mailtest.BeforeForward, "after": mailtest.BeforeAnswer}
	for _, work := range dbWork {
		for moment, when := range moments {
			t.Run(moment+" the commit of a "+work.name, func(t *testing.T) {
				t.Parallel()
				o, through, proxy := proxied(t, storetest.Engines(t)[1].DSN(t))
				d := o.shortly("worker", through, transport(t, client(o.serveMail(t))))
				proxy.CutOnMatch(when, 1, committing(work.words, nil))
				_, err := d.Run(t.Context(), o.filter())
				if proxy.Cuts() != 1 {
					t.Fatalf("%d cuts", proxy.Cuts())
				}
				if stops := work.name == "claim"; (err != nil) != stops {
					t.Errorf("the run ended with %v; it has to stop by a lost claim, and to go on after a lost mark or settlement", err)
				}
				if err := o.finish(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				if l := o.must(t, states(dbLetters, 0, 0)); l.mails() != dbLetters {
					t.Errorf("%d mails\n%s", l.mails(), l)
				}
			})
		}
	}
}

// TestTheDatabaseIsAwayWhileALetterIsSettled refuses all connections when what the relay took is to be written down. If
// the database comes back within the lease, nothing is repeated; if not, the letter was of unknown fate, and goes once
// more.
func TestTheDatabaseIsAwayWhileALetterIsSettled(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprintf("back within the lease: %v", back), func(t *testing.T) {
			t.Parallel()
			o, through, proxy := proxied(t, storetest.Engines(t)[1].DSN(t))
			away := false
			ws := &watched{Store: through, commit: func(_ []notice.Mark, ends []notice.Settlement, next func() (map[string]bool, error)) (map[string]bool, error) {
				if len(ends) > 0 && !away {
					away = true
					proxy.Refuse()
					proxy.Cut()
				}
				return next()
			}}
			d := o.shortly("worker", ws, transport(t, client(o.serveMail(t))))
			heard, log := listen("recording letters failed")
			if d.Log = log; back {
				d.Lease = faultDeadline
			}
			done := o.start(t.Context(), d)
			await(t, "the settlement is tried again", heard.heard)
			if back {
				if err := proxy.Admit(); err != nil {
					t.Fatal(err)
				}
			}
			if r := ended(t, done); (r.err == nil) != back {
				t.Errorf("%+v %v", r.sum, r.err)
			}
			if err := proxy.Admit(); err != nil {
				t.Fatal(err)
			}
			if err := o.finish(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			l := o.must(t, states(dbLetters, 0, 0))
			again := 0
			for _, e := range l.entries {
				if e.Resent {
					again++
				}
			}
			if n := l.mails(); back && n != dbLetters || !back && (again == 0 || n != dbLetters+again) {
				t.Errorf("%d mails, %d sent once more\n%s", n, again, l)
			}
		})
	}
}

// TestTheDatabaseServerIsKilled kills MariaDB in the middle of a claim and of a settlement, and starts it again.
func TestTheDatabaseServerIsKilled(t *testing.T) {
	t.Parallel()
	server := storetest.Killable(t)
	for _, work := range dbWork {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, committed %v", work.name, committed), func(t *testing.T) {
				o, through, proxy := proxied(t, server.DSN(t))
				d := o.shortly("worker", through, transport(t, client(o.serveMail(t))))
				if work.name == "settle" {
					d.Lease = faultDeadline // it has to outlast the server's start
				}
				var killed error
				if committed {
					proxy.CutOnMatch(mailtest.BeforeAnswer, 1, committing(work.words, nil))
				} else {
					proxy.CutOnMatch(mailtest.BeforeForward, 1, committing(work.words, func() { killed = server.Kill() }))
				}
				done := o.start(t.Context(), d)
				if err := proxy.WaitCuts(within(t), 1); err != nil {
					t.Fatal(err)
				}
				if committed {
					killed = server.Kill()
				}
				if err := errors.Join(killed, server.Start()); err != nil {
					t.Fatal(err)
				}
				if r := ended(t, done); (r.err == nil) != (work.name != "claim") && !committed {
					t.Errorf("%+v %v", r.sum, r.err)
				}
				if err := o.finish(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				if l := o.must(t, states(dbLetters, 0, 0)); l.mails() != dbLetters {
					t.Errorf("%d mails\n%s", l.mails(), l)
				}
			})
		}
	}
	t.Run("read-only", func(t *testing.T) { serverReadOnly(t, server) })
}

// serverReadOnly makes the server read-only for all but its administrators, as before a switch to another one.
func serverReadOnly(t *testing.T, server *storetest.Server) {
	root := server.DSN(t)
	_, name := socketOf(root)
	db := behind(t, root)
	alter(t, db, "CREATE USER duban@localhost", "GRANT ALL ON "+name+".* TO duban@localhost")
	s := storetest.Reopen(t, strings.Replace(root, "root@", "duban@", 1))
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	readOnly(t, s, "--read-only", func(on bool) error {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf("SET GLOBAL read_only = %v", on))
		return err
	})
}

// opened are the connections of SQLite databases that a test wants to reach from within, by the name of their file.
type opened struct {
	mu     sync.Mutex
	byPath map[string][]sqlite.ExecQuerierContext
}

var openedConns = sync.OnceValue(func() *opened {
	o := &opened{byPath: map[string][]sqlite.ExecQuerierContext{}}
	sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, dsn string) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		path, _, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
		if list, ok := o.byPath[path]; ok {
			o.byPath[path] = append(list, c)
		}
		return nil
	})
	return o
})

// sqliteFrom opens a new SQLite database and returns what says a PRAGMA on each connection of it. It may be said where
// no connection is at work.
func sqliteFrom(t *testing.T) (s *store.Store, dsn string, pragma func(string) error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "duban.db")
	o := openedConns()
	o.mu.Lock()
	o.byPath[path] = []sqlite.ExecQuerierContext{}
	o.mu.Unlock()
	s = storetest.Reopen(t, "sqlite:"+path)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, "sqlite:" + path, func(words string) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		var all []error
		for _, c := range o.byPath[path] {
			_, err := c.ExecContext(context.Background(), "PRAGMA "+words, nil)
			all = append(all, err)
		}
		return errors.Join(all...)
	}
}

// TestSQLiteIsReadOnly makes the connections to a file read-only while letters are claimed, marked and settled.
func TestSQLiteIsReadOnly(t *testing.T) {
	t.Parallel()
	s, _, pragma := sqliteFrom(t)
	readOnly(t, s, "readonly database", func(on bool) error { return pragma(fmt.Sprintf("query_only = %v", on)) })
}

// readOnly switches the database to read-only before each transaction of a delivery in turn. words are in its error.
func readOnly(t *testing.T, s *store.Store, words string, set func(on bool) error) {
	for _, work := range dbWork {
		t.Run(work.name, func(t *testing.T) {
			o := mustPlan(t, s, "ro-"+work.name, dbLetters)
			breakAt(t, o, work.name, words, func() error { return set(true) }, func() error { return set(false) })
		})
	}
}

// breakAt lets the database fail from one transaction of a delivery on. A claim or a mark that cannot be written stops
// the run and sends nothing; a settlement is tried until it can be. Then all goes on, and nothing was repeated.
func breakAt(t *testing.T, o *outbox, at, words string, begin, end func() error) {
	t.Helper()
	const failures = 2 // of a settlement, before all is well again
	var failed []error
	switchOver := func(change func() error) {
		if err := change(); err != nil {
			t.Error(err)
		}
	}
	ws := &watched{Store: o.s}
	ws.claim = func(next func() ([]notice.Notice, error)) ([]notice.Notice, error) {
		if at == "claim" && len(failed) == 0 {
			switchOver(begin)
		}
		list, err := next()
		if err != nil {
			failed = append(failed, err)
		}
		return list, err
	}
	ws.commit = func(marks []notice.Mark, ends []notice.Settlement, next func() (map[string]bool, error)) (map[string]bool, error) {
		switch {
		case at == "mark" && len(marks) > 0 && len(failed) == 0, at == "settle" && len(ends) > 0 && len(failed) == 0:
			switchOver(begin)
		case at == "settle" && len(failed) == failures:
			switchOver(end)
		}
		lost, err := next()
		if err != nil {
			failed = append(failed, err)
		}
		return lost, err
	}
	d := o.shortly("worker", ws, transport(t, client(o.serveMail(t))))
	if at == "settle" {
		d.Lease = faultDeadline
	}
	done := o.start(t.Context(), d)
	if r := ended(t, done); (r.err == nil) != (at == "settle") {
		t.Errorf("%+v %v", r.sum, r.err)
	}
	switchOver(end)
	if len(failed) == 0 || !strings.Contains(failed[0].Error(), words) || at == "settle" && len(failed) != failures {
		t.Errorf("the database failed with %v; this test is about %q", failed, words)
	}
	ws.claim, ws.commit = nil, nil
	if err := o.finish(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if l := o.must(t, states(dbLetters, 0, 0)); l.mails() != dbLetters {
		t.Errorf("%d mails\n%s", l.mails(), l)
	}
}

// TestTheDiskIsFull lets a SQLite database grow no more when a claim, a mark or a settlement wants another page. A trigger makes
// each of them want one: what fits into the pages there are is no fault.
func TestTheDiskIsFull(t *testing.T) {
	t.Parallel()
	for at, columns := range map[string]string{
		"claim": "deadline ON notices", "mark": "data_at ON notices WHEN new.data_at IS NOT NULL", "settle": "settled ON notices",
	} {
		t.Run(at, func(t *testing.T) {
			s, dsn, pragma := sqliteFrom(t)
			o := mustPlan(t, s, "full", dbLetters)
			alter(t, behind(t, dsn), "CREATE TABLE filler (x BLOB)",
				"CREATE TRIGGER fill AFTER UPDATE OF "+columns+" BEGIN INSERT INTO filler VALUES (zeroblob(20000)); END")
			breakAt(t, o, at, "disk is full", func() error { return pragma("max_page_count = 1") }, func() error { return pragma("max_page_count = 1000000") })
		})
	}
}

// TestADeadlock has another transaction lock two letters in the order contrary to a settlement's. The server ends the
// lighter of the two, which is the settlement, and it is tried again.
func TestADeadlock(t *testing.T) {
	t.Parallel()
	dsn := storetest.Engines(t)[1].DSN(t)
	s := storetest.Reopen(t, dsn)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := mustPlan(t, s, "deadlock", 2)
	ids := make([]string, 0, len(o.letters))
	for id := range o.letters {
		ids = append(ids, id)
	}
	low, high := min(ids[0], ids[1]), max(ids[0], ids[1])
	db := behind(t, dsn)
	alter(t, db, "CREATE TABLE ballast (x INT) ENGINE=InnoDB")
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	say := func(q string, args ...any) {
		t.Helper()
		if _, err := tx.ExecContext(within(t), q, args...); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
	say("INSERT INTO ballast SELECT seq FROM seq_1_to_2000")
	ws := &watched{Store: s}
	locked := make(chan struct{})
	var once sync.Once
	ws.commit = func(_ []notice.Mark, ends []notice.Settlement, next func() (map[string]bool, error)) (map[string]bool, error) {
		if len(ends) == 2 {
			once.Do(func() {
				say("SELECT id FROM notices WHERE id = ? FOR UPDATE", high)
				close(locked)
			})
		}
		return next()
	}
	// Both letters are put back by one transaction: the server takes no mail while it hangs up.
	srv := o.serveMail(t)
	srv.SetFaults(mailtest.Fault{Phase: mailtest.AtAccept, Action: mailtest.Action{Do: mailtest.Drop}})
	d := o.worker("worker", ws, transport(t, client(srv)))
	d.Chunk = 2
	var cancel context.CancelCauseFunc
	ws.claim = func(next func() ([]notice.Notice, error)) ([]notice.Notice, error) {
		list, err := next()
		cancel(errors.New("the worker is told to stop")) // so that both go back at once
		return list, err
	}
	var done <-chan ending
	for both := false; !both; { // unless they were settled one by one
		ctx, stop := context.WithCancelCause(within(t))
		defer stop(nil)
		cancel = stop // before the worker that calls it starts
		done = o.start(ctx, d)
		select {
		case <-locked:
			both = true
		case r := <-done:
			if r.sum.Back != 2 {
				t.Fatalf("%+v %v", r.sum, r.err)
			}
		}
	}
	waiting := within(t)
	fresh := time.NewTicker(150 * time.Millisecond) // the server answers out of a cache until it was left alone for 100 ms
	defer fresh.Stop()
	for n := 0; n == 0; <-fresh.C {
		if err := db.QueryRowContext(waiting, "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ?", "%"+low+"%").Scan(&n); err != nil {
			t.Fatalf("the settlement does not wait for the lock: %v", err)
		}
	}
	say("UPDATE notices SET moved_by = moved_by WHERE id = ?", low) // now each waits for the other
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if r := ended(t, done); r.sum.Back != 2 {
		t.Errorf("%+v %v", r.sum, r.err)
	}
	var kind, about, status string
	if err := db.QueryRowContext(t.Context(), "SHOW ENGINE INNODB STATUS").Scan(&kind, &about, &status); err != nil {
		t.Fatal(err)
	}
	if _, latest, _ := strings.Cut(status, "LATEST DETECTED DEADLOCK"); !strings.Contains(latest, low) {
		t.Error("the server met no deadlock")
	}
	ws.claim = nil
	srv.SetFaults()
	if err := o.finish(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if l := o.must(t, states(2, 0, 0)); l.mails() != 2 {
		t.Errorf("%d mails\n%s", l.mails(), l)
	}
}

// jump sets the database's clock, as far as leases know: an hour forward is as if they had passed an hour earlier.
func jump(t *testing.T, db *sql.DB, engine string, hours int) {
	t.Helper()
	set := fmt.Sprintf("lease - INTERVAL %d HOUR", hours)
	if engine == "sqlite" {
		set = fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f', lease, '%+d hours')", -hours)
	}
	alter(t, db, "UPDATE notices SET lease = "+set+" WHERE lease IS NOT NULL")
}

// TestTheDatabasesClockJumps sets the clock an hour forward and back between a claim and its settlement.
func TestTheDatabasesClockJumps(t *testing.T) {
	type jumping struct {
		o      *outbox
		a, b   *notify.Dispatcher
		ws     *watched // of a
		change func(hours int)
	}
	for _, c := range []struct {
		name   string
		doubts int // letters that are sent once more
		run    func(t *testing.T, j jumping)
	}{
		{"forward after the claim: nothing is sent under a lease that is over", 0, func(t *testing.T, j jumping) {
			j.ws.claim = func(next func() ([]notice.Notice, error)) ([]notice.Notice, error) {
				list, err := next()
				j.change(1)
				return list, err
			}
			if r := ended(t, j.o.start(t.Context(), j.a)); r.err != nil || r.sum.Lost != dbLetters || r.sum.Sent != 0 {
				t.Errorf("%+v %v", r.sum, r.err)
			}
		}},
		{"forward after the mark: a receipt counts as long as nobody acted on the lease", 0, func(t *testing.T, j jumping) {
			j.ws.commit = func(marks []notice.Mark, _ []notice.Settlement, next func() (map[string]bool, error)) (map[string]bool, error) {
				lost, err := next()
				if len(marks) > 0 {
					j.change(1)
				}
				return lost, err
			}
			if r := ended(t, j.o.start(t.Context(), j.a)); r.err != nil || r.sum.Sent != 1 || r.sum.Lost != dbLetters-1 {
				t.Errorf("%+v %v", r.sum, r.err)
			}
		}},
		{"forward after the mark, and another worker acts on it", 1, func(t *testing.T, j jumping) {
			acted := false
			j.ws.commit = func(marks []notice.Mark, _ []notice.Settlement, next func() (map[string]bool, error)) (map[string]bool, error) {
				lost, err := next()
				if len(marks) > 0 && !acted {
					acted = true
					j.change(1)
					if err := j.o.finish(t.Context(), j.b); err != nil {
						t.Error(err)
					}
				}
				return lost, err
			}
			if r := ended(t, j.o.start(t.Context(), j.a)); r.err != nil || r.sum.Lost != dbLetters || r.sum.Sent != 0 {
				t.Errorf("%+v %v", r.sum, r.err)
			}
		}},
		{"back after the claim: the lease only lasts longer", 0, func(t *testing.T, j jumping) {
			j.ws.claim = func(next func() ([]notice.Notice, error)) ([]notice.Notice, error) {
				list, err := next()
				j.change(-1)
				return list, err
			}
			if r := ended(t, j.o.start(t.Context(), j.a)); r.err != nil || r.sum.Sent != dbLetters {
				t.Errorf("%+v %v", r.sum, r.err)
			}
		}},
		{"back after the claim of a worker that dies, and forward again", 0, func(t *testing.T, j jumping) {
			if _, err := j.o.s.ClaimNotices(t.Context(), j.o.filter(), dbLetters, time.Minute, time.Hour); err != nil {
				t.Fatal(err)
			}
			j.change(-1)
			if sum, err := j.b.Run(t.Context(), j.o.filter()); err != nil || sum.Leased != dbLetters || sum.Claimed != 0 {
				t.Errorf("%+v %v", sum, err)
			}
			j.change(2)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, engine := range storetest.Engines(t) {
				if slowEngine(engine) {
					continue
				}
				t.Run(engine.Name, func(t *testing.T) {
					dsn := engine.DSN(t)
					s := storetest.Reopen(t, dsn)
					if _, err := s.Migrate(t.Context()); err != nil {
						t.Fatal(err)
					}
					o := mustPlan(t, s, "jump", dbLetters)
					srv := o.serveMail(t)
					db := behind(t, dsn)
					j := jumping{o: o, ws: &watched{Store: s}, change: func(hours int) { jump(t, db, engine.Name, hours) }}
					j.a, j.b = o.worker("a", j.ws, transport(t, client(srv))), o.worker("b", s, transport(t, client(srv)))
					j.a.Chunk = dbLetters
					c.run(t, j)
					if err := o.finish(t.Context(), j.b); err != nil {
						t.Fatal(err)
					}
					if l := o.must(t, states(dbLetters, 0, 0)); l.mails() != dbLetters+c.doubts {
						t.Errorf("%d mails\n%s", l.mails(), l)
					}
				})
			}
		})
	}
}

// ahead is a store whose clock is an hour ahead of this machine's.
type ahead struct{ notify.Store }

func (a ahead) Now(ctx context.Context) (time.Time, error) {
	now, err := a.Store.Now(ctx)
	return now.Add(time.Hour), err
}

// TestTheMachinesClockDoesNotMatter runs a worker on a machine whose clock is an hour behind the database's: all that is
// written down is by the database's. Between two looks at that one a worker counts by the monotonic clock, which nobody
// can set.
func TestTheMachinesClockDoesNotMatter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := mustPlan(t, s, "machine", 1)
		srv := o.serveMail(t)
		srv.SetFaults(mailtest.Fault{Phase: mailtest.AtRcpt, Action: mailtest.Refusal(450, "4.2.1 busy")})
		d := o.worker("worker", ahead{s}, transport(t, client(srv)))
		before, err := s.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Run(t.Context(), o.filter()); err != nil {
			t.Fatal(err)
		}
		l, err := o.read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for id, e := range l.entries {
			after := e.NextTry.Sub(before.Add(time.Hour))
			if wait := soon.Backoff(id, 1); e.State != notice.Retry || after < wait || after > wait+faultDeadline {
				t.Errorf("the next try is %v after the database's time, want %v\n%s", after, wait, l)
			}
			if e.attempts[0].At.Before(before.Add(time.Hour)) {
				t.Errorf("the receipt is of %v, and the database's clock was past %v", e.attempts[0].At, before.Add(24*time.Hour))
			}
		}
	})
}
