package store_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

func TestMigrateMayBeRunAgain(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			s := storetest.Reopen(t, e.DSN(t))
			have, want, err := s.SchemaVersion(ctx)
			if have != 0 || want == 0 || err != nil {
				t.Fatalf("new database: %d of %d, %v", have, want, err)
			}
			_, err = s.Jurisdictions(ctx)
			wantErr(t, "read before migrating", err, store.ErrNotMigrated)
			_, err = s.Write(ctx, j, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: j}})
			wantErr(t, "write before migrating", err, store.ErrNotMigrated)
			n, err := s.Migrate(ctx)
			if n != int(want) || err != nil {
				t.Fatalf("applied %d of %d, %v", n, want, err)
			}
			begin(t, s)
			if n, err = s.Migrate(ctx); n != 0 || err != nil {
				t.Errorf("again: applied %d, %v", n, err)
			}
			if jurs := got[[]task.Jurisdiction](t)(s.Jurisdictions(ctx)); len(jurs) != 1 {
				t.Errorf("after migrating again: %v", jurs)
			}
		})
	}
}

func TestWorkersMigrateAtOnce(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dsn := e.DSN(t)
			var wg sync.WaitGroup
			for range 3 {
				s := storetest.Reopen(t, dsn)
				wg.Go(func() {
					if _, err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
					if have, want, err := s.SchemaVersion(t.Context()); have != want || err != nil {
						t.Errorf("version %d of %d, %v", have, want, err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			dsn := e.DSN(t)
			s := storetest.Reopen(t, dsn)
			got[int](t)(s.Migrate(ctx))
			if err := store.Exec(ctx, s, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, ?)", 99999, true); err != nil {
				t.Fatal(err)
			}
			newer, err := store.Open(ctx, dsn, "")
			wantErr(t, "open", err, store.ErrNewer)
			if newer != nil {
				t.Error("the store was opened all the same")
			}
			_, err = s.Migrate(ctx)
			wantErr(t, "migrate", err, store.ErrNewer)
			_, err = s.Jurisdictions(ctx)
			wantErr(t, "read", err, store.ErrNewer)
		})
	}
}

func TestBothEnginesHaveTheSameTablesAndColumns(t *testing.T) {
	queries := map[string]string{
		"sqlite": "SELECT m.name || '.' || p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'",
		"mysql":  "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns WHERE table_schema = DATABASE()",
	}
	indexes := map[string]string{
		"sqlite": "SELECT m.name || '.' || i.seqno || '.' || i.name FROM sqlite_master m, pragma_index_info(m.name) i WHERE m.type = 'index' AND m.sql IS NOT NULL",
		"mysql": "SELECT CONCAT(index_name, '.', seq_in_index - 1, '.', column_name) FROM information_schema.statistics " +
			"WHERE table_schema = DATABASE() AND index_name LIKE CONCAT(table_name, '\\_%')",
	}
	columns, keys := map[string][]string{}, map[string][]string{}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ours := func(q string) []string {
			list := got[[]string](t)(store.Strings(t.Context(), s, q))
			list = slices.DeleteFunc(list, func(c string) bool { return strings.HasPrefix(c, "goose_") || strings.HasPrefix(c, "sqlite_") })
			slices.Sort(list)
			return list
		}
		columns[s.Dialect()], keys[s.Dialect()] = ours(queries[s.Dialect()]), ours(indexes[s.Dialect()])
		if len(columns[s.Dialect()]) < 150 || len(keys[s.Dialect()]) < 20 {
			t.Errorf("%d columns, %d index columns", len(columns[s.Dialect()]), len(keys[s.Dialect()]))
		}
	})
	if columns["mysql"] == nil {
		t.Skip("not compared: there is no MariaDB server")
	}
	equal(t, "columns", columns["sqlite"], columns["mysql"])
	equal(t, "indexes", keys["sqlite"], keys["mysql"])
}

// TestEachMySQLMigrationIsOneStatement, or one after a look at what is there, holds what makes a failed migration repeatable where DDL is not transactional.
func TestEachMySQLMigrationIsOneStatement(t *testing.T) {
	files, err := filepath.Glob("migrations/mysql/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		if strings.Contains(string(text), "information_schema") {
			want = 4 // what it does is prepared after a look at what is there
		}
		if n := strings.Count(string(text), ";"); n != want {
			t.Errorf("%s holds %d statements", name, n)
		}
		if _, err := os.Stat(strings.Replace(name, "mysql", "sqlite", 1)); errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s has no twin", name)
		}
	}
}

func TestATransactionThatLostIsTriedAgainWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		tries, err := store.FailThen(ctx, s, "tried", 2)
		if tries != 3 || err != nil {
			t.Errorf("%d tries, %v", tries, err)
		}
		equal(t, "what it wrote", got[string](t)(s.Meta(ctx, "tried")), "x")
		if err := s.SetMeta(ctx, "tried", "督办"); err != nil {
			t.Fatal(err)
		}
		equal(t, "meta", got[string](t)(s.Meta(ctx, "tried")), "督办")
		_, err = s.Meta(ctx, "Tried")
		wantErr(t, "no such name", err, store.ErrNotFound)
		tries, err = store.FailThen(ctx, s, "lost", 100)
		if err == nil || tries < 3 || tries > 10 {
			t.Errorf("a transaction that always loses: %d tries, %v", tries, err)
		}
		_, err = s.Meta(ctx, "lost")
		wantErr(t, "what it wrote", err, store.ErrNotFound)
	})
}

// populate17 fills a database of version 17, and returns its letters as the store of today should give them back.
func populate17(t *testing.T, run func(q string, args ...any)) []notice.Notice {
	t.Helper()
	run("INSERT INTO jurisdictions (code, name, bureau, live_from, seq, caches, paused) VALUES (?, '', '', NULL, 7, 'of the calendar and the ladder', 'null')", j)
	ref := refOf("1", "a", "2024-08").String()
	run("INSERT INTO task_versions (jurisdiction, plan, row_code, seq, on_date, row_order, heading, section, title, deadline_text, reading, parser, clarified_by, lead_text, "+
		"responsible_text, support_text, parties, deliverable, evidence, channel, send_to, chase, valid_to, report_day, category, withdrawn, weekly, source) "+
		"VALUES (?, 'zfzl2024', '1', 1, '2024-09-14', 1, '', '', '开展案卷评查', '', '{}', 1, '', '', '', '', 'null', '', '', '', '', '', NULL, 0, '', 0, 0, '')", j)
	run("INSERT INTO obligations (ref, jurisdiction, plan, row_code, unit, instance, kind, role, owes, label, period, opened, nominal, effective, assess, quota, pace_from, "+
		"past_at_issue, inherited, ambiguous, provisional, state, arm, now_nominal, now_effective, now_assess, next_look, closed_from, raised) "+
		"VALUES (?, ?, 'zfzl2024', '1', 'a', '2024-08', 'monthly', 'lead', 'deliver', '', '', '2024-09-14', '2024-09-20', '2024-09-20', '2024-09-20', 0, NULL, "+
		"0, 0, 0, 0, 'done', 0, '2024-09-20', '2024-09-20', '2024-09-20', '9999-12-31', '2024-09-15', '9999-12-31')", ref, j)
	run("INSERT INTO events (jurisdiction, seq, on_date, recorded_at, kind, subject, who, why, new_date, n, ref, unit, voids) "+
		"VALUES (?, 2, '2024-09-15', '2024-09-15 00:00:00.000', 'accepted', ?, '甲', '', NULL, 0, '', '', 0)", j, ref)
	run("INSERT INTO runs (job, jurisdiction, logical_date, state, reason, run_by, started, token, counts) VALUES ('remind', ?, '2024-09-14', 'done', '', '', '2024-09-14 00:00:00.123', '', '{}')", j)
	state := []notice.State{notice.Pending, notice.Retry, notice.Sending, notice.Sent, notice.Failed, notice.Unknown, notice.Held, notice.Superseded, notice.Cancelled}
	moment := instant.UTC().Truncate(time.Millisecond)
	var want []notice.Notice
	for i := range 700 { // more than one piece of any list
		n := letter(fmt.Sprintf("u%03d", i), day0+civil.Date(i%5))
		n.State, n.Tries, n.Reason, n.SupersededBy = state[i%len(state)], i, "因"+awkward, fmt.Sprint(i)
		n.Facts.Issuer.Name = awkward
		if n.Resent = i%4 == 1; n.Resent {
			n.Reason = "sent once more after an unknown outcome; 421 bye"
		}
		if i%2 == 0 {
			n.NextTry, n.Lease, n.DataAt, n.Token = moment, moment, moment, fmt.Sprint("t", i)
		}
		facts := got[[]byte](t)(json.Marshal(n.Facts))
		var when any
		if i%2 == 0 {
			when = moment.Format("2006-01-02 15:04:05.000")
		}
		run("INSERT INTO notices (id, jurisdiction, logical_date, unit, role, kind, matter, job, facts, state, tries, next_try, token, lease, data_at, superseded_by, reason, moved_by) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '李四')", n.ID, j, n.Key.Date.String(), n.Key.Unit, n.Key.Role, n.Key.Kind, "", n.Job,
			string(facts), string(n.State), n.Tries, when, n.Token, when, when, n.SupersededBy, n.Reason)
		for k := range i % 3 {
			r := notice.Receipt{Recipient: k, Email: n.Key.Unit + "@example.com", Copy: k > 0, Outcome: notice.OutcomePermanent, Reply: "550 5.1.1 无此用户", SHA256: "00", At: moment}
			run("INSERT INTO attempts (notice, n, recipient, email, is_copy, outcome, reply, sha256, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
				n.ID, k+1, k, r.Email, r.Copy, string(r.Outcome), r.Reply, r.SHA256, moment.Format("2006-01-02 15:04:05.000"))
			n.Receipts = append(n.Receipts, r)
		}
		want = append(want, n)
	}
	slices.SortFunc(want, func(a, b notice.Notice) int {
		return cmp.Or(cmp.Compare(a.Key.Date, b.Key.Date), cmp.Compare(a.Key.Unit, b.Key.Unit))
	})
	return want
}

// checkMigrated looks at what populate17 has put beside the letters. The cached columns are to be computed anew, since one of
// them is new: until then nothing is settled for good.
func checkMigrated(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	jur := got[task.Jurisdiction](t)(s.Jurisdiction(ctx, j))
	equal(t, "the hash of the cached columns", jur.Caches, "")
	equal(t, "the task's fields", got[[]task.Task](t)(s.Tasks(ctx, j))[0].Fields, []string(nil))
	for what, found := range map[string][]task.Record{
		"not settled": got[[]task.Record](t)(s.Unsettled(ctx, j, civil.Never)), "due": got[[]task.Record](t)(s.DueIn(ctx, j, nil, day0, day0+6)),
	} {
		if len(found) != 1 || len(found[0].Events) != 1 || found[0].Events[0].Figures != nil || found[0].Events[0].Nil || found[0].Holds != nil {
			t.Fatalf("%s: %+v", what, found)
		}
	}
	equal(t, "settled", got[[]task.Tally](t)(s.Settled(ctx, j, civil.Never)), []task.Tally(nil))
	equal(t, "periods", len(got[[]task.PeriodDue](t)(s.PeriodsDue(ctx, j, []task.Kind{task.Monthly}, day0, day0+6))), 1)
	cache := got[[]task.Cache](t)(s.Caches(ctx, j))[0]
	equal(t, "final from", cache.FinalFrom, civil.Date(0))
	cache.FinalFrom = day0 + 1
	must(t, s, jur.Seq, task.Batch{Caches: []task.Cache{cache}})
	equal(t, "not settled after a rebuild", refs(got[[]task.Record](t)(s.Unsettled(ctx, j, day0+1))), "")
	equal(t, "settled after a rebuild", got[[]task.Tally](t)(s.Settled(ctx, j, day0+1)),
		[]task.Tally{{TaskID: taskID("1"), Role: task.Lead, Owes: task.OwesDeliver, State: task.Finished, N: 1}})
}

// TestAPopulatedDatabaseMigratesForward fills a database as the version before the wide delivery left it, letter for
// letter by its own columns, and wants everything back through the store of today.
func TestAPopulatedDatabaseMigratesForward(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			s := storetest.Reopen(t, e.DSN(t))
			if err := store.MigrateTo(ctx, s, 17); err != nil {
				t.Fatal(err)
			}
			run := func(q string, args ...any) {
				t.Helper()
				if err := store.Exec(ctx, s, q, args...); err != nil {
					t.Fatal(err)
				}
			}
			want := populate17(t, run)
			_, err := s.Jurisdictions(ctx)
			wantErr(t, "before migrating", err, store.ErrNotMigrated)
			_, newest, err := s.SchemaVersion(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if s.Dialect() == "mysql" { // each step again, as after a crash between the statement and the note that it was done
				for v := int64(18); v <= newest; v++ {
					if err := store.MigrateTo(ctx, s, v); err != nil {
						t.Fatal(err)
					}
					run("DELETE FROM goose_db_version WHERE version_id = ?", v)
				}
			}
			if n := got[int](t)(s.Migrate(ctx)); n == 0 {
				t.Error("nothing was left to migrate")
			}
			if have, _, err := s.SchemaVersion(ctx); have != newest || err != nil {
				t.Fatalf("version %d of %d, %v", have, newest, err)
			}
			letters := got[[]notice.Notice](t)(s.Notices(ctx, notice.Filter{}))
			if len(letters) != len(want) {
				t.Fatalf("%d letters of %d", len(letters), len(want))
			}
			for i := range want {
				equal(t, "a letter", letters[i], want[i]) // of no known seq, 0, so that the door looks at every event
			}
			equal(t, "who moved them", len(got[[]string](t)(store.Strings(ctx, s, "SELECT id FROM notices WHERE moved_by = '李四'"))), len(want))
			equal(t, "last start", got[time.Time](t)(s.LastStarted(ctx)), time.Date(2024, 9, 14, 0, 0, 0, 123e6, time.UTC))
			checkMigrated(t, s)
			// The letters go on: those that were due are claimed, and settled after their earlier attempts.
			batch := got[[]notice.Notice](t)(s.ClaimNotices(ctx, notice.ClaimFilter{}, 500, time.Minute, time.Hour))
			if len(batch) != 156 {
				t.Errorf("%d letters were due", len(batch))
			}
			var ends []notice.Settlement
			for _, n := range batch {
				ends = append(ends, settled(n, by(notice.Deliver), sentTo(0, "a@example.com")))
			}
			equal(t, "lost", commit(t, s, nil, ends...), []string(nil))
			for _, n := range batch {
				if tried := got[[]notice.Receipt](t)(s.Attempts(ctx, n.ID)); len(tried) != len(n.Receipts)+1 || tried[len(n.Receipts)].Outcome != notice.OutcomeAccepted {
					t.Errorf("%d attempts after %d", len(tried), len(n.Receipts))
				}
			}
		})
	}
}
