package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"duban/notify/archive"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
)

// soakRegister is what the database says, read around the store.
type soakRegister struct {
	letters  []soakRow
	attempts []soakAttempt
}

type soakRow struct {
	id, state, reason string
	resent            bool
	token             string
}

type soakAttempt struct{ notice, email, outcome, sum string }

// soakDB opens the database of a DSN without the store.
func soakDB(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	path, embedded := strings.CutPrefix(dsn, "sqlite:")
	driver, name := "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
	if !embedded {
		rest, ok := strings.CutPrefix(dsn, "mysql://root@unix(")
		if !ok {
			t.Fatalf("no way to open %s", dsn)
		}
		cfg := mysql.NewConfig()
		cfg.User, cfg.Net, cfg.Logger = "root", "unix", &mysql.NopLogger{}
		cfg.Addr, cfg.DBName, _ = strings.Cut(rest, ")/")
		driver, name = "mysql", cfg.FormatDSN()
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func readSoakRegister(ctx context.Context, db *sql.DB) (out soakRegister, err error) {
	err = eachRow(ctx, db, "SELECT id, state, reason, resent, token FROM notices", func(scan func(...any) error) error {
		var r soakRow
		err := scan(&r.id, &r.state, &r.reason, &r.resent, &r.token)
		out.letters = append(out.letters, r)
		return err
	})
	if err != nil {
		return out, err
	}
	err = eachRow(ctx, db, "SELECT notice, email, outcome, sha256 FROM attempts ORDER BY notice, n", func(scan func(...any) error) error {
		var a soakAttempt
		err := scan(&a.notice, &a.email, &a.outcome, &a.sum)
		out.attempts = append(out.attempts, a)
		return err
	})
	return out, err
}

func eachRow(ctx context.Context, db *sql.DB, query string, row func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// soakLetterPlan is what was planned of a letter: its addresses, the reader's first.
type soakLetterPlan []string

// keptMail is a copy of a letter's bytes: its Message-ID without domain, and its SHA-256.
type keptMail struct{ id, sum string }

// soakRecords is everything that is held against each other in the end.
type soakRecords struct {
	planned  map[string]soakLetterPlan // by the letter's ID
	mails    []mailtest.Mail           // the server's own record
	register soakRegister
	journal  []archive.Acceptance
	// archived reports whether the archive holds the bytes.
	archived func(keptMail) error
}

// reckoning counts what came of a soak.
type reckoning struct {
	letters, accepted, duplicates, sent, failed, unknown, resent, lost int
	neverTaken                                                         int // of the unknown ones
	wrong                                                              []string
}

func (r *reckoning) fault(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// address is one recipient's copy of a letter.
type address struct{ id, email string }

// reckon holds the mails that the server took against the rows of the database. Each sentence in wrong is a broken promise.
func reckon(in soakRecords) *reckoning {
	r := &reckoning{letters: len(in.planned), accepted: len(in.mails)}
	taken := map[address][]string{} // SHA-256 of each mail the server took
	for _, m := range in.mails {
		id, _, _ := strings.Cut(strings.Trim(m.MessageID, "<>"), "@")
		sum := hex.EncodeToString(m.SHA256[:])
		if len(m.To) != 1 || !slices.Contains(in.planned[id], m.To[0]) {
			r.fault("mail %d, %s to %v, is of no planned letter", m.Seq, m.MessageID, m.To)
			continue
		}
		taken[address{id, m.To[0]}] = append(taken[address{id, m.To[0]}], sum)
		if err := in.archived(keptMail{id, sum}); err != nil {
			r.fault("mail %d, %s, is not in the archive: %v", m.Seq, m.MessageID, err)
		}
	}
	attempts := map[address][]soakAttempt{}
	for _, a := range in.register.attempts {
		attempts[address{a.notice, a.email}] = append(attempts[address{a.notice, a.email}], a)
	}
	r.journal(in)
	seen := map[string]bool{}
	for _, row := range in.register.letters {
		emails, ok := in.planned[row.id]
		if !ok || seen[row.id] {
			r.fault("letter %s was never planned, or stands in the register twice", row.id)
			continue
		}
		seen[row.id] = true
		r.state(row)
		for i, email := range emails {
			k := address{row.id, email}
			r.recipient(row, i > 0, k, taken[k], attempts[k])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(in.planned)) {
		if !seen[id] {
			r.lost++
			r.fault("letter %s is gone from the register", id)
		}
	}
	return r
}

// journal checks that the archive knows of each receipt that the database has.
func (r *reckoning) journal(in soakRecords) {
	known := map[soakAttempt]bool{}
	for _, a := range in.journal {
		known[soakAttempt{a.Notice, a.To, string(notice.OutcomeAccepted), a.SHA256}] = true
	}
	for _, a := range in.register.attempts {
		if a.outcome == string(notice.OutcomeAccepted) && !known[a] {
			r.fault("letter %s to %s was accepted, and the archive's journal does not say so", a.notice, a.email)
		}
	}
}

// state checks that the letter came to an end that has a reason.
func (r *reckoning) state(row soakRow) {
	switch notice.State(row.state) {
	case notice.Sent:
		r.sent++
	case notice.Failed:
		r.failed++
	case notice.Unknown:
		r.unknown++
		if !row.resent {
			r.fault("letter %s is unknown without having been sent once more", row.id)
		}
	default:
		r.fault("letter %s is %s in the end", row.id, row.state)
	}
	if row.resent {
		r.resent++
	}
	if row.state != string(notice.Sent) && row.reason == "" {
		r.fault("letter %s is %s without a reason", row.id, row.state)
	}
	if row.token != "" {
		r.fault("letter %s is %s, and still claimed", row.id, row.state)
	}
}

// recipient holds what the server took for one address against the receipts.
func (r *reckoning) recipient(row soakRow, isCopy bool, k address, taken []string, attempts []soakAttempt) {
	receipts, ended, doubt := 0, false, row.resent || row.state == string(notice.Unknown)
	for _, a := range attempts {
		switch notice.Outcome(a.outcome) {
		case notice.OutcomeAccepted:
			if receipts++; !slices.Contains(taken, a.sum) {
				r.fault("letter %s to %s has a receipt for bytes that the server never took", k.id, k.email)
			}
		case notice.OutcomeUnknown:
			ended, doubt = true, true
		case notice.OutcomePermanent:
			ended = true
		case notice.OutcomeTemporary:
		}
	}
	if receipts > len(taken) {
		r.fault("letter %s to %s has %d receipts for %d mails", k.id, k.email, receipts, len(taken))
	}
	if len(taken) > receipts && !doubt {
		r.fault("letter %s to %s was taken %d times, has %d receipts, and was never in doubt", k.id, k.email, len(taken), receipts)
	}
	if len(taken) > 1 {
		r.duplicates += len(taken) - 1
		if len(taken) > 2 || !row.resent {
			r.fault("letter %s to %s was taken %d times (resent: %v)", k.id, k.email, len(taken), row.resent)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(taken)))) > 1 {
			r.fault("letter %s to %s was sent with different bytes", k.id, k.email)
		}
	}
	switch {
	case row.state == string(notice.Failed) && !isCopy && receipts > 0:
		r.fault("letter %s to %s failed, and its reader has it", k.id, k.email)
	case row.state != string(notice.Sent):
		if row.state == string(notice.Unknown) && !isCopy && len(taken) == 0 {
			r.neverTaken++
		}
	case !isCopy && len(taken) == 0:
		r.lost++
		r.fault("letter %s to %s is lost: it was never taken", k.id, k.email)
	case !isCopy && receipts == 0:
		r.fault("letter %s to %s is sent without a receipt", k.id, k.email)
	case isCopy && row.resent && strings.Contains(row.reason, "copy"): // in doubt twice, and it says so
	case isCopy && receipts == 0 && !ended:
		r.lost++
		r.fault("the copy of letter %s to %s is lost", k.id, k.email)
	}
}

// TestTheReckoningFindsWhatIsWrong shows that the reckoning is no formality: each breach of a promise is named.
func TestTheReckoningFindsWhatIsWrong(t *testing.T) {
	body := func(s string) ([32]byte, string) {
		sum := sha256.Sum256([]byte(s))
		return sum, hex.EncodeToString(sum[:])
	}
	bytes, sum := body("letter")
	other, otherSum := body("another")
	taken := func(to string, sum [32]byte) mailtest.Mail {
		return mailtest.Mail{MessageID: "<a@sfj.example>", To: []string{to}, SHA256: sum}
	}
	got := func(email, outcome, sum string) soakAttempt { return soakAttempt{"a", email, outcome, sum} }
	base := func() soakRecords {
		return soakRecords{
			planned:  map[string]soakLetterPlan{"a": {"u@x", "c@x"}},
			mails:    []mailtest.Mail{taken("u@x", bytes), taken("c@x", bytes)},
			register: soakRegister{[]soakRow{{id: "a", state: "sent"}}, []soakAttempt{got("u@x", "accepted", sum), got("c@x", "accepted", sum)}},
			journal:  []archive.Acceptance{{Notice: "a", To: "u@x", SHA256: sum}, {Notice: "a", To: "c@x", SHA256: sum}},
			archived: func(keptMail) error { return nil },
		}
	}
	for what, c := range map[string]struct {
		change func(*soakRecords)
		wrong  string // "": nothing is
	}{
		"all is well":    {func(*soakRecords) {}, ""},
		"resent":         {func(r *soakRecords) { r.mails = append(r.mails, r.mails[0]); r.register.letters[0].resent = true }, ""},
		"a refused copy": {func(r *soakRecords) { r.mails = r.mails[:1]; r.register.attempts[1].outcome = "permanent" }, ""},
		"refused":        {func(r *soakRecords) { *r = neverTaken(*r, "550 no") }, ""},
		"unknown": {func(r *soakRecords) {
			*r = neverTaken(*r, "gone")
			r.register.letters[0].state, r.register.letters[0].resent = "unknown", true
		}, ""},
		"lost":           {func(r *soakRecords) { r.mails = r.mails[1:] }, "is lost"},
		"a copy lost":    {func(r *soakRecords) { r.mails, r.register.attempts = r.mails[:1], r.register.attempts[:1] }, "copy of letter a to c@x is lost"},
		"gone":           {func(r *soakRecords) { r.register.letters = nil }, "gone from the register"},
		"not planned":    {func(r *soakRecords) { r.mails[1].MessageID = "<b@sfj.example>" }, "no planned letter"},
		"another's mail": {func(r *soakRecords) { r.mails[1].To = []string{"d@x"} }, "no planned letter"},
		"a duplicate":    {func(r *soakRecords) { r.mails = append(r.mails, r.mails[0]) }, "never in doubt"},
		"a known duplicate": {func(r *soakRecords) {
			r.mails = append(r.mails, r.mails[0])
			r.register.attempts = append(r.register.attempts, r.register.attempts[0])
		}, "taken 2 times"},
		"a second duplicate": {func(r *soakRecords) {
			r.mails = append(r.mails, r.mails[0], r.mails[0])
			r.register.letters[0].resent = true
		}, "taken 3 times"},
		"other bytes": {func(r *soakRecords) {
			r.mails = append(r.mails, taken("u@x", other))
			r.register.letters[0].resent = true
		}, "different bytes"},
		"a missing receipt":       {func(r *soakRecords) { r.register.attempts = r.register.attempts[1:] }, "without a receipt"},
		"a false receipt":         {func(r *soakRecords) { r.register.attempts[0].sum = otherSum }, "never took"},
		"too many receipts":       {func(r *soakRecords) { r.register.attempts = append(r.register.attempts, r.register.attempts[0]) }, "2 receipts for 1 mails"},
		"a copy in doubt twice":   {func(r *soakRecords) { copyInDoubt(r); r.register.letters[0].reason = "a copy may not have arrived" }, ""},
		"a copy in doubt, untold": {copyInDoubt, "copy of letter a to c@x is lost"},
		"failed and there":        {func(r *soakRecords) { r.register.letters[0].state, r.register.letters[0].reason = "failed", "late" }, "its reader has it"},
		"left in hand":            {func(r *soakRecords) { r.register.letters[0].state = "sending" }, "is sending in the end"},
		"left under a claim":      {func(r *soakRecords) { r.register.letters[0].token = "t" }, "still claimed"},
		"no reason":               {func(r *soakRecords) { *r = neverTaken(*r, "") }, "without a reason"},
		"unknown at once":         {func(r *soakRecords) { *r = neverTaken(*r, "gone"); r.register.letters[0].state = "unknown" }, "without having been sent once more"},
		"not archived":            {func(r *soakRecords) { r.archived = func(keptMail) error { return archive.ErrChanged } }, "not in the archive"},
		"not in the journal":      {func(r *soakRecords) { r.journal = r.journal[1:] }, "journal"},
	} {
		in := base()
		c.change(&in)
		r := reckon(in)
		if c.wrong == "" && len(r.wrong) > 0 || c.wrong != "" && !strings.Contains(strings.Join(r.wrong, "\n"), c.wrong) {
			t.Errorf("%s: %q, want %q", what, r.wrong, c.wrong)
		}
		if (what == "a copy in doubt, untold" || what == "lost" || what == "a copy lost" || what == "gone") != (r.lost > 0) {
			t.Errorf("%s: %d lost", what, r.lost)
		}
	}
}

// neverTaken makes of the letter one that was never taken.
func neverTaken(r soakRecords, reason string) soakRecords {
	r.mails, r.journal = nil, nil
	r.register.letters = []soakRow{{id: "a", state: "failed", reason: reason}}
	r.register.attempts = []soakAttempt{{"a", "u@x", "permanent", ""}}
	return r
}

// copyInDoubt leaves the copy without a receipt, after the letter was sent once more.
func copyInDoubt(r *soakRecords) {
	r.mails, r.register.attempts = r.mails[:1], r.register.attempts[:1]
	r.register.letters[0].resent = true
}
