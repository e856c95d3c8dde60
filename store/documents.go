package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/notice"
)

type documentRow struct {
	ID           string               `db:"id"`
	Jurisdiction string               `db:"jurisdiction"`
	Kind         string               `db:"kind"`
	Matter       string               `db:"matter"`
	Title        string               `db:"title"`
	Unit         string               `db:"unit"`
	Drafted      day                  `db:"drafted"`
	Refs         maybe[[]string]      `db:"refs"`
	State        notice.DocumentState `db:"state"`
	Number       string               `db:"doc_number"`
	Year         int                  `db:"number_year"`
	N            sql.Null[int64]      `db:"n"` // NULL, which is unlike any other: not of the program's register
	Date         day                  `db:"issued_on"`
	By           string               `db:"issued_by"`
	Via          notice.Channel       `db:"channel"`
	Served       day                  `db:"served"`
	Why          string               `db:"why"`
	Seq          int64                `db:"seq"`
}

func (documentRow) table() string { return "documents" }

func (r *documentRow) dest() []any {
	return []any{
		&r.ID, &r.Jurisdiction, &r.Kind, &r.Matter, &r.Title, &r.Unit, &r.Drafted, &r.Refs, (*string)(&r.State), &r.Number, &r.Year,
		&r.N, &r.Date, &r.By, (*string)(&r.Via), &r.Served, &r.Why, &r.Seq,
	}
}

func (r documentRow) noun() notice.Document {
	return notice.Document{
		ID: r.ID, Jurisdiction: r.Jurisdiction, Kind: r.Kind, Matter: r.Matter, Title: r.Title, Unit: r.Unit, Drafted: civil.Date(r.Drafted),
		Refs: r.Refs.V, State: r.State, Number: r.Number, Year: r.Year, N: int(r.N.V), Date: civil.Date(r.Date), By: r.By, Via: r.Via,
		Served: civil.Date(r.Served), Why: r.Why, Seq: r.Seq,
	}
}

func documentOf(d notice.Document) documentRow {
	return documentRow{
		ID: d.ID, Jurisdiction: d.Jurisdiction, Kind: d.Kind, Matter: d.Matter, Title: d.Title, Unit: d.Unit, Drafted: day(d.Drafted),
		Refs: maybe[[]string]{d.Refs}, State: d.State, Number: d.Number, Year: d.Year, N: sql.Null[int64]{V: int64(d.N), Valid: d.N > 0},
		Date: day(d.Date), By: clean(d.By), Via: d.Via, Served: day(d.Served), Why: clean(d.Why), Seq: d.Seq,
	}
}

// draftRows checks the drafts of a plan, which keep the seq: each belongs to a letter of the plan that is held until a person releases it.
func draftRows(j string, seq int64, drafts []notice.Document, letters []notice.Notice) ([]documentRow, error) {
	held := map[string]notice.Notice{}
	for _, n := range letters {
		if n.State == notice.Held && n.NextTry.IsZero() {
			held[n.Key.ID()] = n
		}
	}
	rows := make([]documentRow, len(drafts))
	for i, d := range drafts {
		n, ok := held[d.ID]
		if !ok {
			return nil, fmt.Errorf("document %s: its letter is not among the plan's, held for a person", d.ID)
		}
		if d.Jurisdiction != j || d.Kind != n.Key.Kind || d.Matter != n.Key.Matter {
			return nil, fmt.Errorf("document %s: jurisdiction %s, kind %s and matter %q are not those of its letter", d.ID, d.Jurisdiction, d.Kind, d.Matter)
		}
		if d.State != notice.Drafted || d.N != 0 {
			return nil, fmt.Errorf("document %s: a new one is a draft without a number", d.ID)
		}
		rows[i] = documentOf(d)
		rows[i].Seq = seq
	}
	return rows, nil
}

// Documents returns the documents the filter lets through, by day of drafting and ID.
func (s *Store) Documents(ctx context.Context, f notice.DocumentFilter) (out []notice.Document, err error) {
	err = s.read(ctx, "read documents", func(t *tx) error {
		w := documentsWhere(f)
		rows, err := query[documentRow](ctx, t, w.String()+" ORDER BY drafted, id", w.args...)
		out = nouns(rows)
		return err
	})
	return out, err
}

func documentsWhere(f notice.DocumentFilter) (w where) {
	w.equal("jurisdiction", f.Jurisdiction)
	w.equal("kind", f.Kind)
	w.equal("unit", f.Unit)
	w.equal("state", string(f.State))
	w.between("drafted", f.From, f.To)
	return w
}

// Document returns one document, or ErrNotFound.
func (s *Store) Document(ctx context.Context, id string) (out notice.Document, err error) {
	err = s.read(ctx, "read document "+id, func(t *tx) error {
		out, err = t.document(ctx, id)
		return err
	})
	return out, err
}

func (t *tx) document(ctx context.Context, id string) (notice.Document, error) {
	rows, err := query[documentRow](ctx, t, "WHERE id = ?", id)
	if err != nil {
		return notice.Document{}, err
	}
	if len(rows) == 0 || rows[0].ID != id {
		return notice.Document{}, ErrNotFound
	}
	return rows[0].noun(), nil
}

// NextNumber returns the number that the program's own register gives next to a document of the kind in the year: one more
// than the highest, those of voided documents included. It takes nothing.
func (s *Store) NextNumber(ctx context.Context, j, kind string, year int) (n int, err error) {
	err = s.read(ctx, "read the register of "+j, func(t *tx) error {
		n, err = t.nextNumber(ctx, j, kind, year)
		return err
	})
	return n, err
}

const numberQuery = "SELECT COALESCE(MAX(n), 0) + 1 FROM documents WHERE jurisdiction = ? AND kind = ? AND number_year = ?"

func (t *tx) nextNumber(ctx context.Context, j, kind string, year int) (n int, err error) {
	err = t.GetContext(ctx, &n, numberQuery, j, kind, year)
	return n, err
}

// Issue makes a draft an issued document, and n the letter it goes out with: what n says takes the place of what the draft
// said. Sent by mail, the letter may leave from its NextTry on; otherwise it is cancelled, with n.Reason. A number of
// the program's own register has to be the next one.
//
// It returns ErrMoved where the jurisdiction's seq is not the one given, the document is not a draft, or its letter is not
// held; ErrNotFound where there is no such document; ErrExists where the number is taken. The seq moves on by one, and
// document and letter keep it.
func (s *Store) Issue(ctx context.Context, j string, seq int64, d notice.Document, n notice.Notice) error {
	op := "issue document " + d.ID
	if err := checkIssue(j, d, n); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	d.State, d.Seq = notice.Issued, seq+1
	n.Seq = d.Seq
	return s.write(ctx, op, func(t *tx) error {
		if err := t.step(ctx, j, seq); err != nil {
			return err
		}
		if err := t.issue(ctx, d); err != nil {
			return err
		}
		if err := t.letOut(ctx, d, n); err != nil || d.Via != notice.ByMail {
			return err
		}
		n.State = notice.Pending
		return t.proven(ctx, []notice.Notice{n})
	})
}

func checkIssue(j string, d notice.Document, n notice.Notice) error {
	switch {
	case d.Jurisdiction != j:
		return fmt.Errorf("it is of %q and not of %s", d.Jurisdiction, j)
	case n.ID != d.ID || n.Key.ID() != d.ID || n.Key.Kind != d.Kind:
		return fmt.Errorf("letter %s is not its own", n.ID)
	case d.Via != notice.ByMail && d.Via != notice.ByOA && d.Via != notice.ByPaper:
		return fmt.Errorf("there is no channel %q", d.Via)
	case d.Date.IsZero() || d.By == "":
		return errors.New("it wants the day of issue and who issues it")
	case d.N < 0 || d.N > 0 && d.Year <= 0:
		return fmt.Errorf("number %d of year %d is none of the register", d.N, d.Year)
	}
	return nil
}

// issue writes an issued document over its draft.
func (t *tx) issue(ctx context.Context, d notice.Document) error {
	was, err := t.document(ctx, d.ID)
	if err != nil {
		return err
	}
	if was.State != notice.Drafted || was.Jurisdiction != d.Jurisdiction || was.Kind != d.Kind {
		return fmt.Errorf("%w: it is a %s of %s that is %s, no draft of a %s of %s", ErrMoved, was.Kind, was.Jurisdiction, was.State, d.Kind, d.Jurisdiction)
	}
	if d.N > 0 {
		next, err := t.nextNumber(ctx, d.Jurisdiction, d.Kind, d.Year)
		if err != nil {
			return err
		}
		if d.N < next { // one ahead is the office's own doing: the register follows it
			return fmt.Errorf("number %d of %d: %w; %d is the next", d.N, d.Year, ErrExists, next)
		}
	}
	if err := t.numberFree(ctx, d); err != nil {
		return err
	}
	r := documentOf(d)
	_, err = t.exec(ctx, "UPDATE documents SET title = ?, unit = ?, refs = ?, state = ?, doc_number = ?, number_year = ?, n = ?, issued_on = ?, "+
		"issued_by = ?, channel = ?, served = ?, why = ?, seq = ? WHERE id = ?",
		r.Title, r.Unit, r.Refs, string(r.State), r.Number, r.Year, r.N, r.Date, r.By, string(r.Via), r.Served, r.Why, r.Seq, r.ID)
	return err
}

// numberFree refuses a number that another document of the kind bears, voided ones too: two letters under one number cannot
// be told apart.
func (t *tx) numberFree(ctx context.Context, d notice.Document) error {
	var other []string
	err := t.SelectContext(ctx, &other, "SELECT id FROM documents WHERE jurisdiction = ? AND kind = ? AND doc_number = ? AND id <> ?",
		d.Jurisdiction, d.Kind, d.Number, d.ID)
	if err == nil && d.Number != "" && len(other) > 0 {
		return fmt.Errorf("number %s: %w: document %s bears it; give another with --number", d.Number, ErrExists, other[0])
	}
	return err
}

// letOut gives the letter of an issued document its final facts and lets it go, or ends it where it goes by other means.
func (t *tx) letOut(ctx context.Context, d notice.Document, n notice.Notice) error {
	cause := notice.Release
	if d.Via != notice.ByMail {
		cause, n.NextTry = notice.Cancel, time.Time{}
	}
	to, err := notice.Next(notice.Held, cause)
	if err != nil {
		return err
	}
	by, reason := clean(d.By), clean(n.Reason)
	found, err := t.exec(ctx, "UPDATE notices SET state = ?, next_try = ?, deadline = NULL, reason = ?, moved_by = ?, seq = ? WHERE id = ? AND state = ?",
		string(to), at(n.NextTry), reason, by, n.Seq, n.ID, string(notice.Held))
	if err == nil && found == 0 {
		err = fmt.Errorf("%w: its letter is held no more", ErrMoved)
	}
	if err != nil {
		return err
	}
	found, err = t.exec(ctx, "UPDATE notice_facts SET facts = ? WHERE dated = ? AND notice = ?", doc[notice.Facts]{n.Facts}, day(n.Key.Date), n.ID)
	if err == nil && found == 0 {
		err = fmt.Errorf("what its letter says: %w", ErrNotFound)
	}
	if err != nil {
		return err
	}
	now, err := t.noted(ctx, d.Jurisdiction, d.Seq)
	if err != nil {
		return err
	}
	return t.addMove(ctx, notice.Move{Notice: n.ID, At: now, From: notice.Held, To: to, Cause: cause, Reason: reason, By: by})
}

// noted returns the instant that this transaction wrote down for its seq: what it does to a letter is of the same instant, so
// that who looks back sees both or neither.
func (t *tx) noted(ctx context.Context, j string, seq int64) (time.Time, error) {
	var when stamp
	err := one(t.GetContext(ctx, &when, "SELECT at FROM journal WHERE jurisdiction = ? AND seq = ?", j, seq))
	return when.Time, err
}

// EndDocument drops a draft, or voids an issued document, which keeps its number. A letter of it that did not leave is
// cancelled; one of which nobody knows whether it arrived stays as it is. It returns ErrMoved where the jurisdiction's seq
// is not the one given, the document is in another state, or a worker is sending the letter, and ErrNotFound where there
// is no such document. The seq moves on by one, and the document keeps it.
func (s *Store) EndDocument(ctx context.Context, j string, seq int64, id string, to notice.DocumentState, why string) error {
	op := "end document " + id
	from := map[notice.DocumentState]notice.DocumentState{notice.Dropped: notice.Drafted, notice.Voided: notice.Issued}[to]
	if from == "" {
		return fmt.Errorf("%s: no document comes to be %s so", op, to)
	}
	return s.write(ctx, op, func(t *tx) error {
		if err := t.step(ctx, j, seq); err != nil {
			return err
		}
		before, err := t.endDocument(ctx, j, seq+1, id, from, to, clean(why))
		if err != nil || before == "" {
			return err
		}
		now, err := t.noted(ctx, j, seq+1)
		if err != nil {
			return err
		}
		return t.addMove(ctx, notice.Move{Notice: id, At: now, From: before, To: notice.Cancelled, Cause: notice.Cancel, Reason: why})
	})
}

// endDocument returns the state that the letter was cancelled from, or none.
func (t *tx) endDocument(ctx context.Context, j string, seq int64, id string, from, to notice.DocumentState, why string) (notice.State, error) {
	was, err := t.document(ctx, id)
	if err == nil && was.Jurisdiction != j {
		err = fmt.Errorf("%w in %s", ErrNotFound, j)
	}
	if err != nil {
		return "", fmt.Errorf("document %s: %w", id, err)
	}
	if was.State != from {
		return "", fmt.Errorf("document %s: %w: it is %s and not %s", id, ErrMoved, was.State, from)
	}
	if _, err := t.exec(ctx, "UPDATE documents SET state = ?, why = ?, seq = ? WHERE id = ?", string(to), why, seq, id); err != nil {
		return "", err
	}
	var state notice.State
	if err := one(t.GetContext(ctx, &state, "SELECT state FROM notices WHERE id = ?", id)); err != nil {
		return "", fmt.Errorf("letter %s: %w", id, err)
	}
	switch {
	case state == notice.Sending:
		return "", fmt.Errorf("letter %s: %w: a worker holds it", id, ErrMoved)
	case !state.Open() && state != notice.Failed:
		return "", nil
	}
	n, err := t.exec(ctx, "UPDATE notices SET state = ?, reason = ?, next_try = NULL WHERE id = ? AND state = ?", string(notice.Cancelled), why, id, string(state))
	if err == nil && n == 0 {
		err = fmt.Errorf("letter %s: %w", id, ErrMoved)
	}
	return state, err
}

// drop ends the drafts that a plan finds to hold no longer.
func (t *tx) drop(ctx context.Context, j string, seq int64, p run.DayPlan) error {
	for _, id := range slices.Sorted(maps.Keys(p.Drop)) {
		if _, err := t.endDocument(ctx, j, seq, id, notice.Drafted, notice.Dropped, clean(p.Drop[id])); err != nil {
			return err
		}
	}
	return nil
}
