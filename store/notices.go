package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"duban/jobs/civil"
	"duban/notify/notice"
)

type noticeRow struct {
	ID           string       `db:"id"`
	Jurisdiction string       `db:"jurisdiction"`
	Date         day          `db:"logical_date"`
	Unit         string       `db:"unit"`
	Role         string       `db:"role"`
	Kind         string       `db:"kind"`
	Matter       string       `db:"matter"`
	Job          string       `db:"job"`
	State        notice.State `db:"state"`
	Tries        int          `db:"tries"`
	NextTry      stamp        `db:"next_try"`
	Token        string       `db:"token"`
	Lease        stamp        `db:"lease"`
	DataAt       stamp        `db:"data_at"`
	SupersededBy string       `db:"superseded_by"`
	Reason       string       `db:"reason"`
	MovedBy      string       `db:"moved_by"` // who made the last move by hand
	Seq          int64        `db:"seq"`
	Deadline     stamp        `db:"deadline"`
	Resent       bool         `db:"resent"`
	Settled      string       `db:"settled"` // the token of the claim that was settled last
}

func (noticeRow) table() string { return "notices" }

// dest are the places a row is read into, in the order of its columns.
func (r *noticeRow) dest() []any {
	return []any{
		&r.ID, &r.Jurisdiction, &r.Date, &r.Unit, &r.Role, &r.Kind, &r.Matter, &r.Job, (*string)(&r.State), &r.Tries, &r.NextTry, &r.Token, &r.Lease,
		&r.DataAt, &r.SupersededBy, &r.Reason, &r.MovedBy, &r.Seq, &r.Deadline, &r.Resent, &r.Settled,
	}
}

func noticeOf(n notice.Notice) noticeRow {
	return noticeRow{
		ID: n.ID, Jurisdiction: n.Key.Jurisdiction, Date: day(n.Key.Date), Unit: n.Key.Unit, Role: n.Key.Role, Kind: n.Key.Kind,
		Matter: n.Key.Matter, Job: n.Job, State: n.State, Tries: n.Tries, NextTry: at(n.NextTry), Token: n.Token, Lease: at(n.Lease),
		DataAt: at(n.DataAt), SupersededBy: n.SupersededBy, Reason: n.Reason, Seq: n.Seq, Deadline: at(n.Deadline), Resent: n.Resent,
	}
}

// noun returns the letter without its facts and receipts, which have tables of their own.
func (r noticeRow) noun() notice.Notice {
	return notice.Notice{
		ID: r.ID, Key: notice.Key{Jurisdiction: r.Jurisdiction, Date: civil.Date(r.Date), Unit: r.Unit, Role: r.Role, Kind: r.Kind, Matter: r.Matter},
		Job: r.Job, State: r.State, Tries: r.Tries, NextTry: r.NextTry.Time, Token: r.Token, Lease: r.Lease.Time, DataAt: r.DataAt.Time,
		SupersededBy: r.SupersededBy, Reason: r.Reason, Seq: r.Seq, Deadline: r.Deadline.Time, Resent: r.Resent,
	}
}

// factsRow is what a letter is made of. It is apart from the letter's row, which is updated on its way and has to be small.
type factsRow struct {
	Dated  day               `db:"dated"`
	Notice string            `db:"notice"`
	Facts  doc[notice.Facts] `db:"facts"`
}

func (factsRow) table() string { return "notice_facts" }

type attemptRow struct {
	Dated     day            `db:"dated"` // the letter's logical date
	Notice    string         `db:"notice"`
	N         int            `db:"n"` // from 1, per letter, in order of recording
	Recipient int            `db:"recipient"`
	Email     string         `db:"email"`
	Copy      bool           `db:"is_copy"`
	Outcome   notice.Outcome `db:"outcome"`
	Reply     string         `db:"reply"`
	SHA256    string         `db:"sha256"`
	At        stamp          `db:"answered_at"`
	Token     string         `db:"token"` // of the claim
	Phase     notice.Phase   `db:"phase"`
	Code      int            `db:"code"`
	Enhanced  string         `db:"enhanced"`
	Bytes     int            `db:"bytes"`
	TookMS    int64          `db:"took_ms"`
	Worker    string         `db:"worker"`
	Template  string         `db:"template"`
	Calendar  string         `db:"calendar"`
	Policy    string         `db:"policy"`
}

func (attemptRow) table() string { return "attempts" }

// fields are what a row's columns are stored as, in their order.
func (r attemptRow) fields() ([]any, error) {
	dated, err := r.Dated.Value()
	if err != nil {
		return nil, err
	}
	answered, err := r.At.Value()
	return []any{
		dated, r.Notice, int64(r.N), int64(r.Recipient), r.Email, r.Copy, string(r.Outcome), r.Reply, r.SHA256, answered, r.Token, string(r.Phase),
		int64(r.Code), r.Enhanced, int64(r.Bytes), r.TookMS, r.Worker, r.Template, r.Calendar, r.Policy,
	}, err
}

// attemptOf returns the row of a receipt. What servers say is taken as it comes: what is no text is marked, what is too
// long for its column is cut, so that no answer can keep a receipt out of the ledger.
func attemptOf(dated day, id string, n int, token string, r notice.Receipt) attemptRow {
	return attemptRow{
		Dated: dated, Notice: id, N: n, Recipient: r.Recipient, Email: clean(r.Email), Copy: r.Copy, Outcome: r.Outcome, Reply: clean(r.Reply),
		SHA256: clip(r.SHA256, 64), At: at(r.At), Token: token, Phase: r.Phase, Code: r.Code, Enhanced: clip(r.Enhanced, 32), Bytes: r.Bytes,
		TookMS: r.Took.Milliseconds(), Worker: clean(r.Worker), Template: clip(r.Template, 128), Calendar: clip(r.Calendar, 128), Policy: clip(r.Policy, 128),
	}
}

func (r attemptRow) noun() notice.Receipt {
	return notice.Receipt{
		Recipient: r.Recipient, Email: r.Email, Copy: r.Copy, Outcome: r.Outcome, Phase: r.Phase, Code: r.Code, Enhanced: r.Enhanced,
		Reply: r.Reply, SHA256: r.SHA256, Bytes: r.Bytes, Took: time.Duration(r.TookMS) * time.Millisecond, Worker: r.Worker, At: r.At.Time,
		Versions: notice.Versions{Template: r.Template, Calendar: r.Calendar, Policy: r.Policy},
	}
}

// clean marks the bytes that are no UTF-8: one engine would take them and the other not.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// clip cleans a text and cuts it to so many characters.
func clip(s string, most int) string {
	s = clean(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

func attemptRows(dated day, id string, after int, token string, receipts []notice.Receipt) []attemptRow {
	rows := make([]attemptRow, len(receipts))
	for i, r := range receipts {
		rows[i] = attemptOf(dated, id, after+i+1, token, r)
	}
	return rows
}

// newLetters are letters in the shape of rows.
type newLetters struct {
	rows     []noticeRow
	facts    []factsRow
	receipts []attemptRow
}

// noticeRows turns new letters into rows by ID, with the receipts they may bring. They are claimed in that order, so that
// what one claim takes lies together.
func noticeRows(j string, seq int64, letters []notice.Notice) (out newLetters, err error) {
	for _, n := range letters {
		if n.Key.Jurisdiction != j || n.Key.Date.IsZero() {
			return newLetters{}, fmt.Errorf("letter to %s: its key wants jurisdiction %s and a date", n.Key.Unit, j)
		}
		if err := checkPart("unit code", n.Key.Unit, maxCode); err != nil {
			return newLetters{}, fmt.Errorf("letter of %s: %w", n.Key.Date, err)
		}
		n.ID = cmp.Or(n.ID, n.Key.ID())
		n.State = cmp.Or(n.State, notice.Pending)
		n.Seq = seq
		if n.ID != n.Key.ID() {
			return newLetters{}, fmt.Errorf("letter to %s of %s: its ID is not its key's", n.Key.Unit, n.Key.Date)
		}
		out.rows = append(out.rows, noticeOf(n))
		out.facts = append(out.facts, factsRow{day(n.Key.Date), n.ID, doc[notice.Facts]{n.Facts}})
		out.receipts = append(out.receipts, attemptRows(day(n.Key.Date), n.ID, 0, "", n.Receipts)...)
	}
	slices.SortFunc(out.rows, func(a, b noticeRow) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(out.facts, func(a, b factsRow) int { return cmp.Compare(a.Notice, b.Notice) })
	return out, nil
}

// ofLetters joins a table whose rows lie by the letters' dates to the letters asked for by their IDs.
const ofLetters = " JOIN notices ON logical_date = dated AND id = notice WHERE id IN ("

// letters reads letters with their facts and, of each recipient, the accepted receipt or the latest.
func letters(ctx context.Context, t *tx, tail string, args ...any) ([]notice.Notice, error) {
	rows, err := query[noticeRow](ctx, t, tail, args...)
	if err != nil {
		return nil, err
	}
	out := nouns(rows)
	ids, place := make([]string, len(out)), make(map[string]int, len(out))
	for i, n := range out {
		ids[i], place[n.ID] = n.ID, i
	}
	for piece := range slices.Chunk(ids, maxIn) {
		if err := t.factsOf(ctx, piece, func(id string) *notice.Facts { return &out[place[id]].Facts }); err != nil {
			return nil, err
		}
		tried, err := attemptsOf(ctx, t, piece)
		if err != nil {
			return nil, err
		}
		addReceipts(out, place, tried)
	}
	return out, nil
}

// factsOf reads the facts of letters to where their IDs tell. The library reads them: whoever keeps a name does not keep the
// whole text for it.
func (t *tx) factsOf(ctx context.Context, ids []string, where func(id string) *notice.Facts) error {
	ids = filled(t, ids)
	var id string
	var text []byte
	var bad error
	err := t.each(ctx, "SELECT notice, facts FROM notice_facts"+ofLetters+marks(len(ids))+")", anys(ids), []any{&id, &text}, func() {
		if err := json.Unmarshal(text, where(id)); err != nil && bad == nil {
			bad = fmt.Errorf("facts of letter %s: %w", id, err)
		}
	})
	return cmp.Or(err, bad)
}

// attemptsOf reads the attempts of letters, each letter's in order.
func attemptsOf(ctx context.Context, t *tx, ids []string) (out []attemptRow, err error) {
	ids = filled(t, ids)
	cols := "attempts." + strings.Join(columns[attemptRow](), ", attempts.")
	q := "SELECT " + cols + " FROM attempts" + ofLetters + marks(len(ids)) + ") ORDER BY dated, notice, n"
	return out, t.SelectContext(ctx, &out, q, anys(ids)...)
}

// addReceipts gives letters, found by their IDs, their receipts: one for each recipient, by recipient.
func addReceipts(out []notice.Notice, place map[string]int, tried []attemptRow) {
	for _, a := range tried {
		n, r := &out[place[a.Notice]], a.noun()
		i, known := slices.BinarySearchFunc(n.Receipts, r, func(a, b notice.Receipt) int { return cmp.Compare(a.Recipient, b.Recipient) })
		switch {
		case !known:
			n.Receipts = slices.Insert(n.Receipts, i, r)
		case n.Receipts[i].Outcome != notice.OutcomeAccepted || r.Outcome == notice.OutcomeAccepted:
			n.Receipts[i] = r
		}
	}
}

func (s *Store) letters(ctx context.Context, op, tail string, args ...any) (out []notice.Notice, err error) {
	err = s.read(ctx, op, func(t *tx) error {
		out, err = letters(ctx, t, tail, args...)
		return err
	})
	return out, err
}

// ordinary leaves out formal letters, as notice.Key.Formal tells them.
func (w *where) ordinary() {
	w.and("(matter = '' OR kind IN (?, ?)) AND kind <> ?", notice.Summary, notice.Correction, notice.Operations)
}

// ofKind narrows a query to the letters of a kind; without one, to ordinary ones.
func (w *where) ofKind(kind string) {
	if kind == "" {
		w.ordinary()
		return
	}
	w.and("kind = ?", kind)
}

func unsentWhere(j, kind string, before civil.Date) (w where) {
	w.and("jurisdiction = ?", j)
	w.and("logical_date < ?", day(before))
	w.ofKind(kind)
	w.and("state IN (?, ?, ?)", string(notice.Pending), string(notice.Retry), string(notice.Held))
	return w
}

const byReader = " ORDER BY logical_date, unit, role, id"

// Unsent returns the jurisdiction's letters of the kind dated before the day that may still leave: pending, retry or held.
// Without a kind it returns all ordinary ones.
func (s *Store) Unsent(ctx context.Context, j, kind string, before civil.Date) ([]notice.Notice, error) {
	w := unsentWhere(j, kind, before)
	return s.letters(ctx, "read unsent letters of "+j, s.d.by("notices_state")+" "+w.String()+byReader, w.args...)
}

// Notices returns the letters the filter lets through with the latest receipt of each recipient, by date, jurisdiction,
// unit, role and ID; where it says so, without facts and receipts. It returns ErrNotFound where After names no letter.
func (s *Store) Notices(ctx context.Context, f notice.Filter) (out []notice.Notice, err error) {
	err = s.read(ctx, "read letters", func(t *tx) error {
		var w where
		w.equal("jurisdiction", f.Jurisdiction)
		w.equal("unit", f.Unit)
		w.equal("state", string(f.State))
		w.between("logical_date", f.From, f.To)
		if f.After != "" {
			after, err := query[noticeRow](ctx, t, "WHERE id = ?", f.After)
			if err != nil {
				return err
			}
			if len(after) == 0 {
				return fmt.Errorf("letter %s: %w", f.After, ErrNotFound)
			}
			a := after[0]
			w.and("(logical_date, jurisdiction, unit, role, id) > (?, ?, ?, ?, ?)", a.Date, a.Jurisdiction, a.Unit, a.Role, a.ID)
		}
		tail := w.String() + " ORDER BY logical_date, jurisdiction, unit, role, id" + limited(f.Limit)
		if !f.Bare {
			out, err = letters(ctx, t, tail, w.args...)
			return err
		}
		rows, err := query[noticeRow](ctx, t, tail, w.args...)
		out = nouns(rows)
		return err
	})
	return out, err
}

// Notice returns one letter, or ErrNotFound.
func (s *Store) Notice(ctx context.Context, id string) (notice.Notice, error) {
	op := "read letter " + id
	out, err := s.letters(ctx, op, "WHERE id = ?", id)
	if err != nil {
		return notice.Notice{}, err
	}
	if len(out) == 0 || out[0].ID != id {
		return notice.Notice{}, fmt.Errorf("%s: %w", op, ErrNotFound)
	}
	return out[0], nil
}

// fateRow is a letter that was sent, or taken over by another.
type fateRow struct {
	ID   string
	On   day
	Late day // on which it is served, where that is another
	Sent bool
	By   string
}

// fates reads which of the letters were sent or taken over.
func (t *tx) fates(ctx context.Context, ids []string) (rows []fateRow, err error) {
	var r fateRow
	ids = filled(t, ids)
	q := "SELECT id, logical_date, late_service.on_date, superseded_by = '' AS sent, superseded_by " + fatesFrom +
		"WHERE (superseded_by <> '' OR " + arrived + ") AND id IN (" + marks(len(ids)) + ")"
	dest := []any{&r.ID, &r.On, &r.Late, &r.Sent, &r.By}
	return rows, t.each(ctx, q, slices.Concat(arrivedArgs(), anys(ids)), dest, func() { rows = append(rows, r) })
}

// What holds of a letter that reached its reader: it was sent or is recorded, or a server accepted the reader's own copy. What
// was sent in a trial run reached nobody.
const (
	fatesFrom = "FROM notices LEFT JOIN late_service ON late_service.notice = notices.id "
	arrived   = "(reason NOT LIKE ? AND (state IN (?, ?) OR " +
		"EXISTS (SELECT 1 FROM attempts WHERE dated = logical_date AND attempts.notice = notices.id AND outcome = ? AND NOT is_copy)))"
)

func arrivedArgs() []any {
	return []any{"%" + notice.TrialRun + "%", string(notice.Sent), string(notice.Recorded), string(notice.OutcomeAccepted)}
}

// Served returns, for each letter that reached its reader, or was taken over by one that did, the day of that one, which
// is its logical date unless it left or was said to have arrived later: it is sent, or a server accepted the reader's own copy and only another's is outstanding. What was sent in a trial
// run reached nobody. A letter is taken over at most once a day, so the chain is short.
func (s *Store) Served(ctx context.Context, ids []string) (map[string]civil.Date, error) {
	out := map[string]civil.Date{}
	err := s.read(ctx, "read served letters", func(t *tx) error {
		clear(out)
		ask := map[string][]string{} // the letter asked about now → the letters it stands for
		for _, id := range ids {
			ask[id] = []string{id}
		}
		for len(ask) > 0 {
			next := map[string][]string{}
			for piece := range slices.Chunk(slices.Sorted(maps.Keys(ask)), maxIn) {
				rows, err := t.fates(ctx, piece)
				if err != nil {
					return err
				}
				for _, r := range rows {
					for _, id := range ask[r.ID] {
						if r.Sent {
							out[id] = max(civil.Date(r.On), civil.Date(r.Late))
						} else {
							next[r.By] = append(next[r.By], id)
						}
					}
				}
			}
			ask = next
		}
		return nil
	})
	return out, err
}

// NoticeIDs returns the letters of the day, whatever became of them: a key is used once, so that a reader whose letter was
// taken over or cancelled gets no other one under the same date.
func (s *Store) NoticeIDs(ctx context.Context, j string, d civil.Date) (out []string, err error) {
	err = s.read(ctx, "read letters of the day", func(t *tx) error {
		out = nil
		return t.SelectContext(ctx, &out, "SELECT id FROM notices WHERE jurisdiction = ? AND logical_date = ? ORDER BY id", j, day(d))
	})
	return out, err
}
