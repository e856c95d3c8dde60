package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// released is the schema of the last release, of which a whole database is kept.
const released = 49

// The days of that database: its last planned one, and the one after.
var lastDay49, nextDay49 = civil.MustParse("2024-10-14"), civil.MustParse("2024-10-15")

// upgraded is a database of the last release, filled with what was kept of it and not yet migrated.
func upgraded(t *testing.T, e storetest.Engine) (*store.Store, string, map[string]storetest.Rows) {
	t.Helper()
	dsn := e.DSN(t)
	rows := e.Populated(t, dsn, ".", released)
	for _, table := range []string{"events", "notices", "notice_facts", "attempts", "steps", "runs", "documents", "closings", "silences", "troubles", "brakes", "moves", "holds"} {
		if len(rows[table].Values) == 0 {
			t.Fatalf("the database that was kept has no %s", table)
		}
	}
	return storetest.Reopen(t, dsn), dsn, rows
}

// kept holds every row of every table to what it was before, and what is new to what is said of it.
func kept(t *testing.T, dsn string, before map[string]storetest.Rows) {
	t.Helper()
	for table, want := range before {
		got := storetest.Select(t, dsn, table, want.Columns, "")
		equalLines(t, table, got.Lines(), want.Lines())
	}
	for what, q := range map[string][2]string{
		"runs with a due instant": {"runs", "WHERE due IS NOT NULL"}, "steps with a seq": {"steps", "WHERE seq <> 0"},
		"versions": {"versions", ""}, "backfills": {"backfills", ""}, "proofs": {"proofs", ""},
	} {
		if got := storetest.Select(t, dsn, q[0], []string{"1"}, q[1]); len(got.Values) > 0 {
			t.Errorf("%d %s", len(got.Values), what)
		}
	}
	journal := storetest.Select(t, dsn, "journal", []string{"jurisdiction", "seq", "at"}, "")
	events := before["events"].Only("jurisdiction", "seq", "recorded_at")
	events.Columns = journal.Columns
	equalLines(t, "the journal", journal.Lines(), events.Lines())
}

func equalLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s:\n got %s\nwant %s", what, got[i], want[i])
			return
		}
	}
}

// Everything that a county had entered and everything that was sent is there after the upgrade, to the last byte.
func TestADatabaseOfTheLastReleaseKeepsEveryRow(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			s, dsn, before := upgraded(t, e)
			have, want, err := s.SchemaVersion(ctx)
			if have != released || want <= released || err != nil {
				t.Fatalf("version %d of %d, %v", have, want, err)
			}
			_, err = s.Jurisdictions(ctx)
			wantErr(t, "before migrating", err, store.ErrNotMigrated)
			if n := got[int](t)(s.Migrate(ctx)); n != int(want-released) {
				t.Errorf("%d migrations from %d to %d", n, released, want)
			}
			kept(t, dsn, before)
			if n := got[int](t)(s.Migrate(ctx)); n != 0 {
				t.Errorf("%d migrations the second time", n)
			}
			answers(t, s)
			goesOn(t, s)
			if e.Name == "sqlite" {
				equal(t, "integrity", got[[]string](t)(store.Strings(ctx, s, "PRAGMA integrity_check")), []string{"ok"})
				equal(t, "foreign keys", len(got[[]string](t)(store.Strings(ctx, s, "SELECT \"table\" FROM pragma_foreign_key_check"))), 0)
			}
		})
	}
}

// A migration that breaks off half-way is made again, and loses nothing.
func TestAnUpgradeThatBrokeOffIsMadeAgain(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			s, dsn, before := upgraded(t, e)
			_, newest, err := s.SchemaVersion(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if e.Name == "sqlite" {
				// In the way of the third migration stands a table; what came before it stays.
				storetest.Statement(t, dsn, "CREATE TABLE journal (x)")
				if _, err := s.Migrate(ctx); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("to %d: ", newest)) {
					t.Errorf("migrated in spite of the table: %v", err)
				}
				if have, _, err := s.SchemaVersion(ctx); have != 51 || err != nil {
					t.Errorf("it stands at %d, %v", have, err)
				}
				_, err = s.Jurisdictions(ctx)
				wantErr(t, "half-way", err, store.ErrNotMigrated)
				storetest.Statement(t, dsn, "DROP TABLE journal")
			} else {
				// Where a statement is its own transaction, the note that it was made may be lost, or half of it.
				for v := int64(released + 1); v <= newest; v++ {
					if err := store.MigrateTo(ctx, s, v); err != nil {
						t.Fatal(err)
					}
					storetest.Statement(t, dsn, "DELETE FROM goose_db_version WHERE version_id = ?", v)
					if v == 53 {
						storetest.Statement(t, dsn, "DELETE FROM journal WHERE jurisdiction = 'laoshan' AND seq > 1000")
					}
				}
			}
			if n := got[int](t)(s.Migrate(ctx)); n == 0 {
				t.Error("nothing was made again")
			}
			kept(t, dsn, before)
			answers(t, s)
		})
	}
}

// Whatever version an empty database was left at, the next program takes it on, one version after another.
func TestEveryVersionLeadsToTheNext(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			s := storetest.Reopen(t, e.DSN(t))
			_, newest, err := s.SchemaVersion(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for v := int64(1); v <= newest; v++ {
				if err := store.MigrateTo(ctx, s, v); err != nil {
					t.Fatal(err)
				}
				have, _, err := s.SchemaVersion(ctx)
				if have != v || err != nil {
					t.Fatalf("version %d: %d, %v", v, have, err)
				}
				if _, err := s.Jurisdictions(ctx); errors.Is(err, store.ErrNotMigrated) == (v == newest) {
					t.Errorf("version %d: %v", v, err)
				}
			}
			if n := got[int](t)(s.Migrate(ctx)); n != 0 {
				t.Errorf("%d migrations were left", n)
			}
			begin(t, s)
		})
	}
}

// answers asks the store everything it can be asked about the upgraded database, and looks at what matters in it.
func answers(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	codes := []string{}
	for _, jur := range got[[]task.Jurisdiction](t)(s.Jurisdictions(ctx)) {
		codes = append(codes, jur.Code)
		register(t, s, jur)
		ledger(t, s, jur.Code)
	}
	equal(t, "jurisdictions", codes, []string{"jinan", "laoshan"})
	letters(t, s)
	if n := len(got[[]run.Run](t)(s.Runs(ctx, run.Filter{}))); n < 60 {
		t.Errorf("%d runs", n)
	}
	for _, r := range got[[]run.Run](t)(s.Runs(ctx, run.Filter{})) {
		if !r.Due.IsZero() || !r.Settled() {
			t.Errorf("%+v", r)
		}
	}
	if got[[]notice.Brake](t)(s.Brakes(ctx)) == nil {
		t.Error("no brakes")
	}
	sick := got[[]notice.Health](t)(s.Troubles(ctx, []string{"lianluo@qwjj.laoshan.example", "lianluo@qspj.laoshan.example", "lianluo@qsfj.laoshan.example"}))
	equal(t, "addresses in trouble", len(sick), 2)
	equal(t, "backfills", len(got[[]run.Backfill](t)(s.Backfills(ctx, 10))), 0)
	_, err := s.Meta(ctx, "none")
	wantErr(t, "meta", err, store.ErrNotFound)
}

// register asks for what is kept of sources and obligations.
func register(t *testing.T, s *store.Store, jur task.Jurisdiction) {
	t.Helper()
	ctx, j := t.Context(), jur.Code
	recs := got[[]task.Record](t)(s.Records(ctx, j, task.RecordFilter{}))
	caches := got[[]task.Cache](t)(s.Caches(ctx, j))
	if len(recs) != len(caches) || (len(recs) == 0) != (j == "jinan") {
		t.Errorf("%s: %d obligations, %d caches", j, len(recs), len(caches))
	}
	for _, r := range recs {
		one := got[task.Record](t)(s.Record(ctx, r.Obligation.Ref))
		equal(t, "a record alone", len(one.Events), len(r.Events))
		break
	}
	if tasks := got[[]task.Task](t)(s.Tasks(ctx, j)); len(tasks) < 10 {
		t.Errorf("%s: %d tasks", j, len(tasks))
	}
	for what, n := range map[string]int{
		"plans": len(got[[]task.Plan](t)(s.Plans(ctx, j))), "people": len(got[[]task.Person](t)(s.People(ctx, j))),
		"training": len(got[[]task.Training](t)(s.Trainings(ctx, j))), "occurrences": len(got[[]task.Occurrence](t)(s.Occurrences(ctx, j))),
		"units": len(got[task.Directory](t)(s.Directory(ctx, j)).Units),
	} {
		if n == 0 {
			t.Errorf("%s has no %s", j, what)
		}
	}
	equal(t, "silences of "+j, len(got[[]task.Silence](t)(s.Silences(ctx, j))), map[string]int{"laoshan": 2}[j])
	got[[]task.Record](t)(s.Due(ctx, j, nextDay49, "", 100))
	got[[]task.Record](t)(s.DueIn(ctx, j, nil, lastDay49, nextDay49))
	got[[]task.PeriodDue](t)(s.PeriodsDue(ctx, j, nil, lastDay49, nextDay49))
	got[[]task.Record](t)(s.Unsettled(ctx, j, nextDay49))
	got[[]task.Tally](t)(s.Settled(ctx, j, nextDay49))
	got[[]task.TaskID](t)(s.TasksToOpen(ctx, j, nextDay49))
	got[[]task.Task](t)(s.WeeklyTasks(ctx, j))
	got[[]string](t)(s.Touched(ctx, j, 0, civil.Never))
	equal(t, "the seq of "+j, got[int64](t)(s.DataSeq(ctx, j)) <= jur.Seq, true)
}

// ledger asks for what was planned, closed and issued.
func ledger(t *testing.T, s *store.Store, j string) {
	t.Helper()
	ctx := t.Context()
	steps := got[[]task.FiredStep](t)(s.StepsBetween(ctx, j, civil.MustParse("2024-09-01"), lastDay49))
	closed := got[[]task.Closing](t)(s.Closings(ctx, j, task.QuarterClose))
	docs := got[[]notice.Document](t)(s.Documents(ctx, notice.DocumentFilter{Jurisdiction: j}))
	if laoshan := j == "laoshan"; len(steps) > 0 != laoshan || len(closed) > 0 != laoshan || len(docs) > 0 != laoshan {
		t.Errorf("%s: %d steps, %d closings, %d documents", j, len(steps), len(closed), len(docs))
	}
	var states []string
	for _, d := range docs {
		states = append(states, string(d.State)+" "+d.Number)
		equal(t, "a document alone", got[notice.Document](t)(s.Document(ctx, d.ID)), d)
	}
	if slices.Sort(states); j == "laoshan" {
		equal(t, "documents", states, []string{"draft ", "dropped ", "issued 崂政督〔2024〕3号"})
		equal(t, "the next number", got[int](t)(s.NextNumber(ctx, j, notice.SupervisionForm, 2024)), 4)
	}
	for _, job := range []string{"open", "monthly-close", "quarterly-close", "personnel", "remind", "escalate"} {
		equal(t, job+" last settled", got[civil.Date](t)(s.LastSettled(ctx, job, j)), lastDay49)
	}
	got[[]notice.Brief](t)(s.Briefs(ctx, j, lastDay49-7, nextDay49))
	got[map[notice.State]int](t)(s.LetterCounts(ctx, j))
	got[[]notice.Notice](t)(s.FailedSince(ctx, j, notice.UnitLetter, lastDay49-7, nextDay49))
	if _, _, err := s.LastLetter(ctx, j, notice.BureauDigest, nextDay49); err != nil {
		t.Error(err)
	}
	if _, _, err := s.OldestOpen(ctx, j); err != nil {
		t.Error(err)
	}
}

// letters reads every letter whole, with its attempts and moves.
func letters(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	states, attempts, moves := map[notice.State]int{}, 0, 0
	for _, n := range got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{})) {
		states[n.State]++
		equal(t, "a letter alone", got[notice.Notice](t)(s.Notice(ctx, n.ID)), n)
		attempts += len(got[[]notice.Receipt](t)(s.Attempts(ctx, n.ID)))
		moves += len(got[[]notice.Move](t)(s.Moves(ctx, n.ID)))
		if len(n.Facts.Recipients) == 0 {
			t.Errorf("%s has no recipients in its facts", n.ID)
		}
	}
	for _, state := range []notice.State{notice.Sent, notice.Retry, notice.Failed, notice.Unknown, notice.Held, notice.Superseded, notice.Cancelled} {
		if states[state] == 0 {
			t.Errorf("no letter is %s: %v", state, states)
		}
	}
	if attempts < 70 || moves < 5 {
		t.Errorf("%d attempts, %d moves", attempts, moves)
	}
}

// goesOn writes to the upgraded database as the next day would.
func goesOn(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, j := t.Context(), "laoshan"
	jur := got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j))
	slot := run.Slot{Job: "open", Jurisdiction: j, Date: nextDay49}
	if _, claimed, err := s.ClaimSlot(ctx, slot, "test", time.Minute, false); !claimed || err != nil {
		t.Errorf("claim %+v: %t, %v", slot, claimed, err)
	}
	slot.Date = lastDay49
	if _, claimed, err := s.ClaimSlot(ctx, slot, "test", time.Minute, false); claimed || err != nil {
		t.Errorf("claimed %+v once more: %t, %v", slot, claimed, err)
	}
	rec := got[[]task.Record](t)(s.Unsettled(ctx, j, nextDay49))[0]
	ref := rec.Obligation.Ref.String()
	seq, err := s.Write(ctx, j, jur.Seq, task.Batch{At: instant, Events: []task.Event{{On: nextDay49, Kind: task.Contacted, Subject: ref, Who: "李敏"}}})
	if err != nil || seq <= jur.Seq {
		t.Fatalf("write: %d, %v", seq, err)
	}
	equal(t, "the event", len(got[task.Record](t)(s.Record(ctx, rec.Obligation.Ref)).Events), len(rec.Events)+1)
}
