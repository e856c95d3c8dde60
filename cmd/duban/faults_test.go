package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/mail"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// The tests of faults_*_test.go break one thing at a time on the whole way of a letter: a real database, the dispatcher,
// our own SMTP client and a real SMTP server. Each ends with the same reconciliation of what the server took against what
// the database says; see stand.check.

// outbox are the letters of one jurisdiction, which a test delivers.
type outbox struct {
	s       *store.Store
	code    string
	letters map[string]notice.Notice // as planned, by ID
	byMail  map[string]string        // the letters' IDs by Message-ID
	relays  []*mailtest.Server       // where letters of this outbox may have arrived
}

// faultDeadline bounds what a test waits for.
const faultDeadline = time.Minute

// plan writes n letters of a new jurisdiction into the database. Each goes to a domain of its own.
func plan(ctx context.Context, s *store.Store, code string, n int, change func(*notice.Notice)) (*outbox, error) {
	o := &outbox{s: s, code: code, letters: map[string]notice.Notice{}, byMail: map[string]string{}}
	composer, err := compose.New(speedMail)
	if err != nil {
		return nil, err
	}
	var list []notice.Notice
	for i := range n {
		l := speedLetter(i)
		l.Key.Jurisdiction = code
		l.Facts.Overdue = nil
		l.Facts.Upcoming = l.Facts.Upcoming[:2]
		l.Facts.Recipients[0].Email = fmt.Sprintf("liaison@u%06d.%s.example", i, code)
		if change != nil {
			change(&l)
		}
		l.ID = l.Key.ID()
		m, err := composer.Compose(l, 0)
		if err != nil {
			return nil, err
		}
		o.letters[l.ID], o.byMail[m.ID] = l, l.ID
		list = append(list, l)
	}
	seq, err := s.Write(ctx, code, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: code, Name: "崂山区", Bureau: "sfj"}})
	if err != nil {
		return nil, err
	}
	slot := run.Slot{Job: "remind", Jurisdiction: code, Date: civil.MustParse(speedDay)}
	claimed, ok, err := s.ClaimSlot(ctx, slot, "faults", time.Hour, false)
	if err != nil || !ok {
		return nil, fmt.Errorf("claim the day's run: %v %w", ok, err)
	}
	claimed.State = run.Done
	return o, s.SavePlan(ctx, code, seq, run.DayPlan{Notices: list, Run: claimed})
}

// mustPlan is plan for a test's own goroutine.
func mustPlan(t *testing.T, s *store.Store, code string, n int) *outbox {
	t.Helper()
	o, err := plan(t.Context(), s, code, n, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *outbox) filter() notice.ClaimFilter {
	return notice.ClaimFilter{Jurisdiction: o.code, Date: civil.MustParse(speedDay)}
}

// soon are waits so short that they are over when the next run begins, and a retry that comes only when it is hastened:
// each run tries a letter once, however long the fault lasts.
var soon = notify.Patience{RetryFirst: time.Hour, RetryMost: time.Hour, BrakeFirst: time.Millisecond, BrakeMost: time.Millisecond}

// worker returns a dispatcher of this outbox. Its account is its own, so that no brake of another test reaches it.
func (o *outbox) worker(name string, s notify.Store, tr notify.Transport) *notify.Dispatcher {
	return &notify.Dispatcher{
		Store: s, Transport: tr, Mail: speedMail, Account: "relay/" + o.code, By: name, Patience: soon, Chunk: 1, Wait: -1, Log: zerolog.Nop(),
	}
}

// slowEngine reports whether the engine would take minutes for a table of faults: the embedded one under the race detector,
// which slows it fifty times. The other engine meets the same goroutines there, and without the detector both are tested.
func slowEngine(e storetest.Engine) bool { return !timed && e.Name == "sqlite" }

// client returns settings for the server, with time enough for every step.
func client(srv *mailtest.Server) mail.Config {
	return mail.Config{Host: srv.Host(), Port: srv.Port(), Security: mail.Plain, Hello: "bench.example", Phase: 20 * time.Second, Lanes: 1}
}

// serveMail starts a server that keeps what it takes for the reconciliation.
func (o *outbox) serveMail(t *testing.T) *mailtest.Server {
	t.Helper()
	srv := mailtest.Serve(t, mailtest.Config{Extensions: mailtest.AllExtensions(), CheckContent: true})
	o.relays = append(o.relays, srv)
	return srv
}

// transport returns a transport that is closed when the test is over.
func transport(t *testing.T, cfg mail.Config) *mail.Transport {
	t.Helper()
	tr, err := mail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

// hasten makes every letter in retry due at once, as a person can.
func (o *outbox) hasten(ctx context.Context) error {
	list, err := o.s.Notices(ctx, notice.Filter{Jurisdiction: o.code, State: notice.Retry})
	for _, n := range list {
		if moved := o.s.Move(ctx, n.ID, notice.Retry, "the test does not wait", "test", notice.Hasten); !errors.Is(moved, task.ErrLost) {
			err = errors.Join(err, moved)
		}
	}
	return err
}

// finish runs the worker, whose fault is over, until no letter may leave any more.
func (o *outbox) finish(ctx context.Context, d *notify.Dispatcher) error {
	ctx, cancel := context.WithTimeout(ctx, faultDeadline)
	defer cancel()
	var sum notify.Summary
	for range 20 {
		err := o.hasten(ctx)
		if err == nil {
			sum, err = d.Run(ctx, o.filter())
		}
		if err != nil {
			return fmt.Errorf("run after the fault is over: %w", err)
		}
		counts, err := o.s.LetterCounts(ctx, o.code)
		if err != nil {
			return err
		}
		if counts[notice.Pending]+counts[notice.Retry]+counts[notice.Sending] == 0 {
			return nil
		}
	}
	return fmt.Errorf("letters do not come to an end; the last run: %+v", sum)
}

// stand is one moment of an outbox: each letter's row, attempts and moves, and what the servers took of it.
type stand struct {
	entries map[string]*entry
	states  map[notice.State]int
	strange []string // mails that belong to no planned letter
}

type entry struct {
	notice.Notice
	planned  bool
	attempts []notice.Receipt
	moves    []notice.Move
	mails    []mailtest.Mail
}

// read takes stock.
func (o *outbox) read(ctx context.Context) (*stand, error) {
	l := &stand{entries: map[string]*entry{}, states: map[notice.State]int{}}
	list, err := o.s.Notices(ctx, notice.Filter{Jurisdiction: o.code})
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		e := &entry{Notice: n}
		if l.entries[n.ID] != nil {
			return nil, fmt.Errorf("letter %s is there twice", n.ID)
		}
		l.entries[n.ID] = e
		l.states[n.State]++
		_, e.planned = o.letters[n.ID]
		if e.attempts, err = o.s.Attempts(ctx, n.ID); err != nil {
			return nil, err
		}
		if e.moves, err = o.s.Moves(ctx, n.ID); err != nil {
			return nil, err
		}
	}
	for _, srv := range o.relays {
		for _, m := range srv.Accepted() {
			e := l.entries[o.byMail[m.MessageID]]
			if e == nil {
				l.strange = append(l.strange, m.MessageID)
				continue
			}
			e.mails = append(e.mails, m)
		}
		for _, v := range srv.Violations() {
			l.strange = append(l.strange, fmt.Sprintf("violation of SMTP: %+v", v))
		}
	}
	return l, nil
}

// reconcile takes stock and checks it. want are the states the letters must be in; those that are not named have none.
func (o *outbox) reconcile(ctx context.Context, want map[notice.State]int) (*stand, error) {
	l, err := o.read(ctx)
	if err != nil {
		return nil, err
	}
	err = l.check(o.letters)
	for _, state := range notice.States() {
		if l.states[state] != want[state] {
			err = errors.Join(err, fmt.Errorf("%d letters are %s, want %d", l.states[state], state, want[state]))
		}
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, l)
	}
	return l, err
}

// check holds the letters against the mails. Lost is none; each planned letter is in exactly one state, final or
// waiting; what was accepted has its receipt; and nothing was accepted twice but a letter whose fate was unknown, once
// more, under the same Message-ID and byte for byte.
func (l *stand) check(planned map[string]notice.Notice) error {
	var bad []error
	for id := range planned {
		if l.entries[id] == nil {
			bad = append(bad, fmt.Errorf("letter %s is lost", id))
		}
	}
	for _, id := range l.strange {
		bad = append(bad, fmt.Errorf("the server has what nobody planned: %s", id))
	}
	for id, e := range l.entries {
		for _, err := range e.check() {
			bad = append(bad, fmt.Errorf("letter %s: %w", id, err))
		}
	}
	return errors.Join(bad...)
}

// outcomes counts the attempts that came to something.
func (e *entry) outcomes(want notice.Outcome) (n int) {
	for _, r := range e.attempts {
		if r.Outcome == want {
			n++
		}
	}
	return n
}

// doubts counts how often the letter's fate was unknown: by an attempt, or by a worker that was gone.
func (e *entry) doubts() int {
	n := e.outcomes(notice.OutcomeUnknown)
	for _, m := range e.moves {
		if m.From == notice.Sending && (m.Cause == notice.Vanish || m.Cause == notice.Resend) && strings.Contains(m.Reason, "gone") {
			n++
		}
	}
	return n
}

func (e *entry) check() (bad []error) {
	wrong := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if !e.planned {
		wrong("nobody planned it")
	}
	switch e.State {
	case notice.Sent:
		if e.outcomes(notice.OutcomeAccepted) == 0 {
			wrong("it is sent and has no receipt")
		}
	case notice.Failed:
		if len(e.attempts) == 0 || e.attempts[len(e.attempts)-1].Outcome != notice.OutcomePermanent || len(e.mails) > 0 {
			wrong("it failed after %d mails and %d attempts", len(e.mails), len(e.attempts))
		}
	case notice.Unknown:
		if e.doubts() == 0 || e.Resent == (e.Key.Matter != "") {
			wrong("it waits for a person without a doubt, or before it was sent once more, as only a formal letter does")
		}
	case notice.Pending, notice.Retry, notice.Held:
		if len(e.mails) > 0 && e.doubts() == 0 && e.outcomes(notice.OutcomeAccepted) == 0 {
			wrong("it waits to be sent although the server has it")
		}
	case notice.Sending, notice.Superseded, notice.Cancelled:
		wrong("it is %s", e.State)
	}
	if len(e.mails) > 1 && (!e.Resent || e.doubts() == 0) || len(e.mails) > 2 {
		wrong("it was accepted %d times, resent: %v, doubts: %d", len(e.mails), e.Resent, e.doubts())
	}
	if n := e.outcomes(notice.OutcomeAccepted); n > len(e.mails) || len(e.mails) > n+e.doubts() {
		wrong("%d mails, but %d receipts and %d doubts", len(e.mails), n, e.doubts())
	}
	to := e.Facts.Recipients[0].Email
	for _, m := range e.mails {
		if m.SHA256 != e.mails[0].SHA256 || !slices.Equal(m.To, []string{to}) {
			wrong("mail %d of it differs, or went to %v", m.Seq, m.To)
		}
	}
	for _, r := range e.attempts {
		if r.Outcome == notice.OutcomeAccepted && (len(e.mails) == 0 || r.SHA256 != hex.EncodeToString(e.mails[0].SHA256[:]) || r.Bytes != e.mails[0].Size) {
			wrong("its receipt is of %d bytes with the hash %s, and not of what the server has", r.Bytes, r.SHA256)
		}
		if r.Worker == "" || r.At.IsZero() || r.Phase == "" || r.Recipient != 0 || r.Email != to {
			wrong("a receipt is not complete: %+v", r)
		}
	}
	return bad
}

// String tells the whole story, for a test that failed.
func (l *stand) String() string {
	var b strings.Builder
	ids := make([]string, 0, len(l.entries))
	for id := range l.entries {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids[:min(len(ids), 8)] {
		e := l.entries[id]
		fmt.Fprintf(&b, "%s %s (resent %v, tries %d, next %v) %q\n", id, e.State, e.Resent, e.Tries, e.NextTry, e.Reason)
		for _, r := range e.attempts {
			fmt.Fprintf(&b, "   %s at %s by %s, %d bytes: %s\n", r.Outcome, r.Phase, r.Worker, r.Bytes, r)
		}
		for _, m := range e.moves {
			fmt.Fprintf(&b, "   moved to %s by %s: %s\n", m.To, m.Cause, m.Reason)
		}
		for _, m := range e.mails {
			fmt.Fprintf(&b, "   mail %d on connection %d, answered %v, %x\n", m.Seq, m.Conn, m.Answered, m.SHA256[:4])
		}
	}
	return b.String()
}

// must fails the test where the reconciliation does.
func (o *outbox) must(t *testing.T, want map[notice.State]int) *stand {
	t.Helper()
	l, err := o.reconcile(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// mails counts what the servers took, over all letters.
func (l *stand) mails() (n int) {
	for _, e := range l.entries {
		n += len(e.mails)
	}
	return n
}

// watched is a store in whose calls a test may take part.
type watched struct {
	notify.Store
	claim  func(next func() ([]notice.Notice, error)) ([]notice.Notice, error)
	commit func(marks []notice.Mark, ends []notice.Settlement, next func() (map[string]bool, error)) (map[string]bool, error)
}

func (w *watched) ClaimNotices(ctx context.Context, f notice.ClaimFilter, limit int, lease, giveUp time.Duration) ([]notice.Notice, error) {
	next := func() ([]notice.Notice, error) { return w.Store.ClaimNotices(ctx, f, limit, lease, giveUp) }
	if w.claim == nil {
		return next()
	}
	return w.claim(next)
}

func (w *watched) Commit(ctx context.Context, marks []notice.Mark, ends []notice.Settlement) (map[string]bool, error) {
	next := func() (map[string]bool, error) { return w.Store.Commit(ctx, marks, ends) }
	if w.commit == nil {
		return next()
	}
	return w.commit(marks, ends, next)
}

// said is a log that tells when some words are written for the first time.
type said struct {
	words string
	once  sync.Once
	heard chan struct{}
}

func listen(words string) (*said, zerolog.Logger) {
	s := &said{words: words, heard: make(chan struct{})}
	return s, zerolog.New(s)
}

func (s *said) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(s.words)) {
		s.once.Do(func() { close(s.heard) })
	}
	return len(b), nil
}

// await waits for an event of the test.
func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(faultDeadline):
		t.Fatalf("%s: it did not happen within %v", what, faultDeadline)
	}
}

// within is a context for what a test waits for.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), faultDeadline)
	t.Cleanup(cancel)
	return ctx
}

// ending is what a run came to.
type ending struct {
	sum notify.Summary
	err error
}

// start runs the worker beside the test.
func (o *outbox) start(ctx context.Context, d *notify.Dispatcher) <-chan ending {
	done := make(chan ending, 1)
	go func() {
		sum, err := d.Run(ctx, o.filter())
		done <- ending{sum, err}
	}()
	return done
}

// ended waits for the end of a run that was started.
func ended(t *testing.T, done <-chan ending) ending {
	t.Helper()
	select {
	case r := <-done:
		return r
	case <-time.After(faultDeadline):
		t.Fatalf("the run does not end within %v", faultDeadline)
		return ending{}
	}
}

// behind opens the database of a store beside it, to do to it what duban would not.
func behind(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	var db *sql.DB
	var err error
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		db, err = sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	} else {
		socket, name := socketOf(dsn)
		cfg := mysql.NewConfig()
		cfg.User, cfg.Net, cfg.Addr, cfg.DBName, cfg.Logger = "root", "unix", socket, name, &mysql.NopLogger{}
		db, err = sql.Open("mysql", cfg.FormatDSN())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// socketOf returns the socket and the database's name of a DSN like mysql://root@unix(/path)/name.
func socketOf(dsn string) (socket, name string) {
	_, rest, _ := strings.Cut(dsn, "unix(")
	socket, name, _ = strings.Cut(rest, ")/")
	return socket, name
}

func alter(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// states is a count of letters by state.
func states(sent, unknown, failed int) map[notice.State]int {
	return map[notice.State]int{notice.Sent: sent, notice.Unknown: unknown, notice.Failed: failed}
}
