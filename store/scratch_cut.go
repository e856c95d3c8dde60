package store

import (
	"context"
	"fmt"
	"os"
	"time"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// create makes a new, empty file for its owner alone.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// moment is the last that was known of a jurisdiction.
type moment struct {
	code string
	seq  int64
	// at is the instant of that, and next that of what was written after it, as they are stored; empty: not known. Of a moment
	// that was asked for by its instant they are both that.
	at, next string
	// day is the civil day of that instant where the jurisdiction is; empty: not known.
	day string
}

// cut takes a copy back to an earlier moment. A copy that it failed on is of no use.
func (s *Store) cut(ctx context.Context, c Cut) error {
	if c.On.IsZero() && c.At.IsZero() && len(c.Seq) == 0 {
		return nil
	}
	return s.unguarded(ctx, func() error {
		return s.write(ctx, "cut", func(t *tx) error {
			moments, err := t.moments(ctx, c)
			if err != nil {
				return err
			}
			if err := t.run(ctx, stmt("CREATE TEMP TABLE back (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, unsure INTEGER NOT NULL DEFAULT FALSE)")); err != nil {
				return err
			}
			for _, m := range moments {
				if err := t.forget(ctx, m); err != nil {
					return fmt.Errorf("jurisdiction %s at seq %d: %w", m.code, m.seq, err)
				}
			}
			if err := t.forgetShared(ctx, c, moments); err != nil {
				return err
			}
			if !c.On.IsZero() {
				if err := t.until(ctx, c); err != nil {
					return fmt.Errorf("as of %s: %w", c.On, err)
				}
			}
			return t.sweep(ctx)
		})
	})
}

// unguarded does something on a copy that is thrown away where it fails: no foreign key is looked at, and nothing is kept to
// undo it by.
func (s *Store) unguarded(ctx context.Context, f func() error) error {
	if _, err := s.db.ExecContext(ctx, "PRAGMA journal_mode = OFF"); err != nil {
		return err
	}
	if err := s.unkeyed(ctx, f); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, "PRAGMA journal_mode = MEMORY")
	return err
}

// sentence is one SQL statement with its arguments.
type sentence struct {
	q    string
	args []any
}

func stmt(q string, args ...any) sentence { return sentence{q, args} }

// run executes statements one after the other.
func (t *tx) run(ctx context.Context, list ...sentence) error {
	for _, s := range list {
		if _, err := t.exec(ctx, s.q, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// moments returns what was known of each jurisdiction that is cut by what was recorded.
func (t *tx) moments(ctx context.Context, c Cut) ([]moment, error) {
	var known []struct {
		Code string `db:"code"`
		Seq  int64  `db:"seq"`
	}
	if err := t.SelectContext(ctx, &known, "SELECT code, seq FROM jurisdictions ORDER BY code"); err != nil {
		return nil, err
	}
	left := len(c.Seq)
	var out []moment
	for _, k := range known {
		seq, named := c.Seq[k.Code]
		if named {
			left--
		} else if c.At.IsZero() {
			continue
		}
		m, err := t.moment(ctx, k.Code, seq, named, c.At)
		if err != nil {
			return nil, err
		}
		if m.at != "" {
			var instant stamp
			if err := instant.Scan(m.at); err != nil {
				return nil, err
			}
			m.day = civil.In(instant.Time, c.zone(k.Code)).String()
		}
		m.seq = min(m.seq, k.Seq)
		out = append(out, m)
	}
	if left > 0 {
		return nil, fmt.Errorf("a jurisdiction that is named: %w", ErrNotFound)
	}
	return out, nil
}

// moment dates a seq by the journal, or finds the seq of an instant.
func (t *tx) moment(ctx context.Context, code string, seq int64, named bool, when time.Time) (m moment, err error) {
	if seq < 0 {
		return m, fmt.Errorf("seq %d of %s: want 0 or more", seq, code)
	}
	m = moment{code: code, seq: seq}
	if !when.IsZero() {
		m.at = at(when).Format(stampLayout)
	}
	if !named {
		if err := t.GetContext(ctx, &m.seq, "SELECT COALESCE(MAX(seq), 0) FROM journal WHERE jurisdiction = ? AND at <= ?", code, m.at); err != nil {
			return m, err
		}
	}
	if m.at == "" {
		if err := t.GetContext(ctx, &m.at, "SELECT COALESCE(MAX(at), '') FROM journal WHERE jurisdiction = ? AND seq <= ?", code, m.seq); err != nil {
			return m, err
		}
	}
	if m.next = m.at; !when.IsZero() {
		return m, nil
	}
	if err := t.GetContext(ctx, &m.next, "SELECT COALESCE(MIN(at), '') FROM journal WHERE jurisdiction = ? AND seq > ?", code, m.seq); err != nil {
		return m, err
	}
	if m.at == "" && m.next != "" { // of what the journal does not reach back to, it is known that it was before
		var next stamp
		if err := next.Scan(m.next); err != nil {
			return m, err
		}
		m.at = next.Add(-time.Millisecond).Format(stampLayout)
	}
	return m, nil
}

// recordedTables are those whose every row keeps the seq it was recorded at.
var recordedTables = [...]string{
	"plan_versions", "task_versions", "units", "unit_names", "group_members", "contacts", "unit_groups", "people", "events", "silences", "occurrences",
	"training", "holds", "steps", "versions", "journal",
}

// forget removes what was recorded of a jurisdiction after a moment.
func (t *tx) forget(ctx context.Context, m moment) error {
	if err := t.forgetDocuments(ctx, m); err != nil {
		return err
	}
	list := []sentence{
		stmt("DELETE FROM obligations WHERE jurisdiction = ? AND ref IN (SELECT subject FROM events WHERE jurisdiction = ? AND kind = ? AND seq > ?)",
			m.code, m.code, string(task.Opened), m.seq),
		stmt("DELETE FROM closings WHERE jurisdiction = ? AND seq >= ?", m.code, m.seq), // it keeps the seq that its figures were read at
		// A letter of a document has the seq of its issue, and stands or falls with the document.
		stmt("DELETE FROM notices WHERE jurisdiction = ? AND seq > ? AND id NOT IN (SELECT id FROM documents)", m.code, m.seq),
	}
	for _, table := range recordedTables {
		list = append(list, stmt("DELETE FROM "+table+" WHERE jurisdiction = ? AND seq > ?", m.code, m.seq))
	}
	list = append(list, stmt("UPDATE jurisdictions SET seq = ? WHERE code = ?", m.seq, m.code))
	if m.at != "" {
		list = append(list, m.dated()...)
	}
	if err := t.run(ctx, list...); err != nil {
		return err
	}
	return t.takeBack(ctx, m)
}

// dated removes what has no seq but an instant, or, of a database that is older than the seq, a day.
func (m moment) dated() []sentence {
	later, today := "jurisdiction = ? AND seq = 0 AND ", m.day
	list := []sentence{
		stmt("DELETE FROM notices WHERE "+later+"logical_date > ? AND id NOT IN (SELECT id FROM documents)", m.code, today),
		stmt("DELETE FROM steps WHERE "+later+"on_date > ?", m.code, today),
		stmt("DELETE FROM late_service WHERE on_date > ? AND notice IN (SELECT id FROM notices WHERE jurisdiction = ?)", today, m.code),
		stmt("DELETE FROM proofs WHERE jurisdiction = ? AND entered_at > ?", m.code, m.at),
		stmt("UPDATE jurisdictions SET paused = 'null' WHERE code = ? AND julianday(json_extract(paused, '$.at')) > julianday(?)", m.code, m.at),
		stmt("DELETE FROM runs WHERE jurisdiction = ? AND (due IS NULL OR due > ?) AND COALESCE(started, due) > ?", m.code, m.at, m.at),
		stmt("UPDATE runs SET state = 'planned', reason = '', run_by = '', started = NULL, finished = NULL, lease = NULL, token = '', counts = '{}' "+
			"WHERE jurisdiction = ? AND started > ?", m.code, m.at),
	}
	if m.next != "" { // a run is finished in the very write that it makes: what it finished before the next one was known
		list = append(list, stmt("UPDATE runs SET state = 'running', reason = '', finished = NULL, lease = NULL, counts = '{}' "+
			"WHERE jurisdiction = ? AND finished > ? AND finished >= ?", m.code, m.at, m.next))
	}
	return list
}

// forgetShared removes what belongs to no jurisdiction, where all of them are cut.
func (t *tx) forgetShared(ctx context.Context, c Cut, moments []moment) error {
	var latest string
	for _, m := range moments {
		latest = max(latest, m.at)
	}
	var others int
	err := t.GetContext(ctx, &others, "SELECT count(*) FROM jurisdictions")
	if err != nil || latest == "" || c.At.IsZero() && len(moments) < others {
		return err
	}
	if err := t.troubledAgain(ctx, latest); err != nil {
		return fmt.Errorf("addresses with trouble: %w", err)
	}
	return t.run(ctx,
		stmt("DELETE FROM backfills WHERE started > ?", latest),
		stmt("UPDATE backfills SET finished = NULL WHERE finished > ?", latest),
		stmt("DELETE FROM brakes WHERE since > ?", latest),
		stmt("DELETE FROM runs WHERE jurisdiction = '' AND COALESCE(started, due) > ?", latest),
	)
}

// refsOf are the obligations a document names.
const refsOf = "json_each(CASE documents.refs WHEN '' THEN '[]' ELSE documents.refs END)"

// born is the seq that a document was drafted at, which its row keeps as long as it is a draft: that of its step, or of the
// closing that it reports on.
const born = "COALESCE((SELECT MIN(s.seq) FROM " + refsOf + " r JOIN steps s ON s.obligation = r.value WHERE s.notice = documents.id AND s.seq > 0), " +
	"(SELECT MIN(c.seq) + 1 FROM closings c WHERE c.jurisdiction = documents.jurisdiction AND c.notice = documents.id))"

// draftAgain is what a document is before it is issued.
const draftAgain = "UPDATE documents SET state = 'draft', doc_number = '', number_year = 0, n = NULL, issued_on = NULL, issued_by = '', channel = '', " +
	"served = NULL, why = ''"

// forgetDocuments takes documents back: what was drafted later goes, what was issued, dropped or voided later is what it was.
// What a draft said that was changed when it was issued is not known any more.
func (t *tx) forgetDocuments(ctx context.Context, m moment) error {
	// Where neither step nor closing tells, the run that wrote the letter does, or the day.
	ran := "(SELECT MIN(r.started) <= ? FROM notices l JOIN runs r ON r.job = l.job AND r.jurisdiction = l.jurisdiction AND r.logical_date = l.logical_date WHERE l.id = documents.id)"
	there := "state <> 'draft' AND COALESCE(" + born + " <= ?, " + ran + ", drafted <= ?)"
	later := " WHERE jurisdiction = ? AND seq > ?"
	issued := "EXISTS (SELECT 1 FROM moves v WHERE v.notice = documents.id AND v.from_state = 'held' AND v.cause IN ('release', 'cancel') AND v.moved_at <= ?)"
	gone := "SELECT id FROM documents" + later + " AND NOT (" + there + ")"
	goneArgs := []any{m.code, m.seq, m.seq, m.at, m.day}
	return t.run(ctx,
		sentence{"DELETE FROM notices WHERE id IN (" + gone + ")", goneArgs},
		stmt("DELETE FROM documents"+later+" AND id NOT IN (SELECT id FROM notices)", m.code, m.seq),
		stmt("UPDATE documents SET state = 'issued', why = '', seq = (SELECT l.seq FROM notices l WHERE l.id = documents.id)"+later+" AND state = 'voided' AND "+issued, m.code, m.seq, m.at),
		stmt("INSERT INTO back (id, state) SELECT id, 'held' FROM documents"+later, m.code, m.seq),
		stmt(draftAgain+", seq = COALESCE("+born+", 0)"+later, m.code, m.seq),
		stmt("UPDATE notices SET seq = (SELECT d.seq FROM documents d WHERE d.id = notices.id) WHERE jurisdiction = ? AND id IN (SELECT id FROM back)", m.code),
	)
}

// answered is the instant of an attempt a of a letter called notices: when its worker had the answer or, of the last claim, when
// the database was told that the answer might come. Clocks of workers may be wrong.
const answered = "max(COALESCE(a.answered_at, ''), CASE WHEN a.token <> '' AND a.token = notices.settled THEN COALESCE(notices.data_at, '') ELSE '' END)"

// The conditions of a letter, called notices, that something is known of after an instant.
const (
	laterMove    = "EXISTS (SELECT 1 FROM moves v WHERE v.notice = notices.id AND v.moved_at > ?)"
	laterAttempt = "EXISTS (SELECT 1 FROM attempts a WHERE a.dated = notices.logical_date AND a.notice = notices.id AND " + answered + " > ?)"
	// dangling: it was taken over by a letter that is not there.
	dangling = "notices.superseded_by <> '' AND notices.superseded_by NOT IN (SELECT id FROM notices)"
	// dropped: a plan found nothing left to say in it, which older versions did not write down; the first planning after it may
	// have.
	dropped = "notices.state = 'cancelled' AND NOT EXISTS (SELECT 1 FROM moves v WHERE v.notice = notices.id AND v.to_state = 'cancelled') " +
		"AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.id = notices.id) " +
		"AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.job = notices.job AND r.jurisdiction = notices.jurisdiction AND r.logical_date > notices.logical_date AND r.state = 'done' AND r.started <= ?)"
	// unsure: what a letter that was dropped had been was not written down either: it was held, or about to leave. It was held
	// where another of its day was attempted, which it never was.
	unsure = dropped + " AND NOT EXISTS (SELECT 1 FROM moves v WHERE v.notice = notices.id) " +
		"AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.dated = notices.logical_date AND a.notice = notices.id)"
	passedBy = "EXISTS (SELECT 1 FROM attempts a JOIN notices o ON o.logical_date = a.dated AND o.id = a.notice " +
		"WHERE a.dated = notices.logical_date AND o.jurisdiction = notices.jurisdiction)"
	// before is the state that the first later move left, if no attempt came before it.
	before = "COALESCE((SELECT v.from_state FROM moves v WHERE v.notice = notices.id AND v.moved_at > ? AND NOT EXISTS (SELECT 1 FROM attempts a " +
		"WHERE a.dated = notices.logical_date AND a.notice = notices.id AND " + answered + " > ? AND " + answered + " < v.moved_at) ORDER BY v.n LIMIT 1), '')"
)

// takeBack takes the letters of a jurisdiction back to how they stood at a moment.
func (t *tx) takeBack(ctx context.Context, m moment) error {
	if m.at == "" {
		return t.run(ctx, stmt("INSERT OR IGNORE INTO back (id, state) SELECT id, '' FROM notices WHERE jurisdiction = ? AND "+dangling, m.code))
	}
	of := "notice IN (SELECT id FROM notices WHERE jurisdiction = ?)"
	return t.run(ctx,
		stmt("INSERT OR IGNORE INTO back SELECT id, CASE WHEN "+passedBy+" THEN 'held' ELSE 'pending' END, TRUE FROM notices WHERE jurisdiction = ? AND "+unsure,
			m.code, m.at),
		stmt("INSERT OR IGNORE INTO back (id, state) SELECT id, "+before+" FROM notices WHERE jurisdiction = ? AND (state = 'sending' OR "+laterMove+" OR "+laterAttempt+
			" OR "+dangling+" OR "+dropped+")", m.at, m.at, m.code, m.at, m.at, m.at),
		stmt("DELETE FROM moves WHERE moved_at > ? AND "+of, m.at, m.code),
		stmt("DELETE FROM attempts AS a WHERE EXISTS (SELECT 1 FROM notices WHERE notices.logical_date = a.dated AND notices.id = a.notice AND notices.jurisdiction = ? AND "+
			answered+" > ?)", m.code, m.at),
	)
}

// untilTables are those whose every row counts from a day.
var untilTables = [...]string{
	"plan_versions", "task_versions", "units", "unit_groups", "people", "events", "silences", "occurrences", "training", "holds", "steps", "closings", "versions",
}

// until removes what counts from a later day. What became of the letters of the days that are left stays, but for what a
// later letter took over of them, and for documents that were issued later.
func (t *tx) until(ctx context.Context, c Cut) error {
	d := c.On
	list := []sentence{
		stmt("DELETE FROM obligations WHERE opened > ?", day(d)),
		stmt("DELETE FROM notices WHERE logical_date > ?", day(d)),
		stmt("DELETE FROM documents WHERE drafted > ?", day(d)),
		stmt("DELETE FROM proofs WHERE dated > ?", day(d)),
		stmt("DELETE FROM runs WHERE logical_date > ?", day(d)),
		stmt("INSERT OR REPLACE INTO back (id, state) SELECT id, 'held' FROM documents WHERE issued_on > ?", day(d)),
		stmt(draftAgain+" WHERE issued_on > ?", day(d)),
		stmt("UPDATE documents SET served = NULL WHERE served > ?", day(d)),
		stmt("DELETE FROM moves WHERE notice IN (SELECT id FROM back WHERE state = 'held')"),
		stmt("DELETE FROM attempts WHERE notice IN (SELECT id FROM back WHERE state = 'held')"),
		stmt("INSERT OR IGNORE INTO back (id, state) SELECT id, '' FROM notices WHERE " + dangling),
	}
	for _, table := range untilTables {
		list = append(list, stmt("DELETE FROM "+table+" WHERE on_date > ?", day(d)))
	}
	var codes []string
	if err := t.SelectContext(ctx, &codes, "SELECT code FROM jurisdictions ORDER BY code"); err != nil {
		return err
	}
	for _, code := range codes {
		list = append(list, stmt("UPDATE jurisdictions SET paused = 'null' WHERE code = ? AND julianday(json_extract(paused, '$.at')) >= julianday(?)",
			code, at((d+1).Time(c.zone(code)))))
	}
	return t.run(ctx, list...)
}

// last is a column of the last move, or attempt, that is left of a letter called notices.
func last(column, table string) string {
	if table == "moves" {
		return "(SELECT " + column + " FROM moves WHERE moves.notice = notices.id ORDER BY n DESC LIMIT 1)"
	}
	return "(SELECT " + column + " FROM attempts WHERE attempts.dated = notices.logical_date AND attempts.notice = notices.id ORDER BY n DESC LIMIT 1)"
}

// lastMoved says that what became of a letter last is a move, and no attempt.
func lastMoved() string {
	return last("moved_at", "moves") + " >= COALESCE(" + last("answered_at", "attempts") + ", '')"
}

// stood is the state of a letter by what is left of it: its last move, else its last attempts at its reader, else how it was planned,
// which is held where it had a reason from the first.
func stood() string {
	outcome := func(o string) string {
		return "EXISTS (SELECT 1 FROM attempts a WHERE a.dated = notices.logical_date AND a.notice = notices.id AND NOT a.is_copy AND a.outcome = '" + o +
			"' AND a.token = " + last("token", "attempts") + ")"
	}
	return "CASE WHEN EXISTS (SELECT 1 FROM documents d WHERE d.id = notices.id AND d.state = 'draft') THEN 'held' " +
		"WHEN " + lastMoved() + " THEN " + last("to_state", "moves") + " " +
		"WHEN " + outcome("permanent") + " THEN 'failed' WHEN " + outcome("unknown") + " THEN 'unknown' " +
		"WHEN " + last("n", "attempts") + " IS NOT NULL THEN 'retry' " +
		"WHEN superseded_by <> '' AND reason <> '' AND next_try IS NULL THEN 'held' ELSE 'pending' END"
}

// takenOver says that the last move left of a letter in back is one to a later letter. Such a letter is in back because that
// one is not there, or the move was later.
const takenOver = "(SELECT v.to_state FROM moves v WHERE v.notice = back.id ORDER BY v.n DESC LIMIT 1) = 'superseded'"

// notKept is the reason of a letter of which it is not known why, nor whether, it waited.
const notKept = "cancelled later by a version that did not write down whether it was held until then, or about to leave"

// sweep puts in order what the cut left: letters that are not what they are now, rows whose owner is gone, and what repeats
// something else.
func (t *tx) sweep(ctx context.Context) error {
	orphaned := func(table, owner, ofOwner string) sentence {
		return stmt("DELETE FROM " + table + " WHERE NOT EXISTS (SELECT 1 FROM " + owner + " o WHERE " + ofOwner + ")")
	}
	list := []sentence{
		stmt("DELETE FROM back WHERE id NOT IN (SELECT id FROM notices)"),
		stmt("UPDATE back SET state = (SELECT " + last("from_state", "moves") + " FROM notices WHERE notices.id = back.id) WHERE state IN ('', 'sending') AND " + takenOver),
		stmt("DELETE FROM moves WHERE to_state = 'superseded' AND notice IN (SELECT id FROM back)"),
		stmt("UPDATE back SET state = (SELECT " + stood() + " FROM notices WHERE notices.id = back.id) WHERE state IN ('', 'sending')"),
		stmt("UPDATE notices SET state = (SELECT back.state FROM back WHERE back.id = notices.id), next_try = NULL, token = '', lease = NULL, data_at = NULL, "+
			"deadline = NULL, settled = '', resent = EXISTS (SELECT 1 FROM moves v WHERE v.notice = notices.id AND v.cause = 'resend'), "+
			"tries = (SELECT COUNT(DISTINCT token) FROM attempts WHERE attempts.dated = notices.logical_date AND attempts.notice = notices.id), "+
			"reason = CASE WHEN "+lastMoved()+" THEN "+last("reason", "moves")+" WHEN "+last("n", "attempts")+" IS NOT NULL THEN '' "+ // said anew below
			"WHEN superseded_by <> '' THEN reason WHEN id IN (SELECT id FROM back WHERE unsure) THEN ? ELSE '' END, "+
			"moved_by = COALESCE("+last("moved_by", "moves")+", ''), superseded_by = '' WHERE id IN (SELECT id FROM back)", notKept),
		stmt("DELETE FROM late_service WHERE notice IN (SELECT id FROM back WHERE state IN ('pending', 'held'))"), // it is said anew before it leaves
		orphaned("documents", "notices", "o.id = documents.id"),
	}
	for _, table := range [...]string{"attempts", "notice_facts"} {
		list = append(list, orphaned(table, "notices", "o.logical_date = dated AND o.id = notice"))
	}
	for _, table := range [...]string{"moves", "late_service"} {
		list = append(list, orphaned(table, "notices", "o.id = notice"))
	}
	for _, table := range [...]string{"unit_names", "group_members", "contacts"} {
		list = append(list, orphaned(table, "units", "o.jurisdiction = "+table+".jurisdiction AND o.code = unit AND o.seq = "+table+".seq"))
	}
	ofTask := "o.jurisdiction = tasks.jurisdiction AND o.plan = tasks.plan AND o.row_code = tasks.row_code"
	list = append(list,
		orphaned("steps", "obligations", "o.ref = obligation"),
		orphaned("holds", "obligations", "o.ref = obligation"),
		orphaned("tasks", "task_versions", ofTask),
		stmt("UPDATE tasks SET next_open = (SELECT MIN(o.on_date) FROM task_versions o WHERE "+ofTask+")"),
		stmt("UPDATE obligations SET has_holds = EXISTS (SELECT 1 FROM holds WHERE holds.obligation = ref) WHERE has_holds"),
		stmt("UPDATE jurisdictions SET caches = ''"),
	)
	if err := t.run(ctx, list...); err != nil {
		return err
	}
	if err := t.sayAgain(ctx); err != nil {
		return err
	}
	return t.run(ctx, stmt("DROP TABLE back"))
}
