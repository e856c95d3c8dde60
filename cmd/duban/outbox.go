package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
	"duban/store"
)

// letterRow is one letter as `outbox list --output json` prints it; addresses are masked.
type letterRow struct {
	ID           string     `json:"id"`
	Jurisdiction string     `json:"jurisdiction"`
	Date         civil.Date `json:"date"`
	Unit         string     `json:"unit"`
	Role         string     `json:"role"`
	Kind         string     `json:"kind"`
	Matter       string     `json:"matter,omitempty"`
	State        string     `json:"state"`
	Rung         string     `json:"rung"`
	Items        int        `json:"items"`
	To           []string   `json:"to"`
	Tries        int        `json:"tries"`
	NextTry      time.Time  `json:"next_try,omitzero"` // of a letter that may still leave; none: at once, or held for a person
	Deadline     time.Time  `json:"deadline,omitzero"` // trying ends then
	Resent       bool       `json:"resent,omitempty"`  // sent once more after an unknown outcome
	SupersededBy string     `json:"superseded_by,omitempty"`
	Reason       string     `json:"reason,omitempty"`
	Removed      string     `json:"removed,omitempty"` // what it said was, by the rule of retention: the day, or "day unknown"
}

func rowOfLetter(n notice.Notice) letterRow {
	r := letterRow{
		ID: n.ID, Jurisdiction: n.Key.Jurisdiction, Date: n.Key.Date, Unit: n.Key.Unit, Role: n.Key.Role, Kind: n.Key.Kind, Matter: n.Key.Matter,
		State: string(n.State), Rung: n.Facts.Rung(), Items: len(n.Facts.Items()), Tries: n.Tries, Deadline: n.Deadline, Resent: n.Resent,
		SupersededBy: n.SupersededBy, Reason: notify.MaskAll(n.Reason),
	}
	if n.State.Open() {
		r.NextTry = n.NextTry
	}
	for _, to := range n.Facts.Recipients {
		r.To = append(r.To, notify.Mask(to.Email))
	}
	r.Removed = removedOn(n)
	return r
}

// when says for people when the letter may leave.
func (r letterRow) when(zone *time.Location) string {
	switch state := notice.State(r.State); {
	case !state.Open():
		return ""
	case !r.NextTry.IsZero():
		return r.NextTry.In(zone).Format("2006-01-02 15:04")
	case state == notice.Held:
		return "when released"
	}
	return "at once"
}

func (a *app) outboxCmd() *cobra.Command {
	c := &cobra.Command{Use: "outbox", Short: "The letters: what became of them, and what a person decides about them"}
	var full bool
	var dir string
	var past lens
	show := &cobra.Command{
		Use: "show ID", Short: "One letter as text, with its whole history", Args: cobra.ExactArgs(1),
		Long: `One letter as text, with its whole history. The text is what was sent: where composing it anew does not give that, as
after a restore (outbox reconcile) or with newer templates, it is read from the archive, and where the archive is not at
hand that is said, with the name of the file. In a letter about a unit's people their names are masked unless --full asks
for them.`,
		Example: "  duban outbox show 6f0c1a\n  duban outbox show 6f0c1a --archive /srv/duban/archive",
		RunE: func(c *cobra.Command, args []string) error {
			past.of = func(ctx context.Context, s *store.Store) (string, error) {
				return jurisdictionOfLetter(ctx, s, args[0])
			}
			s, err := a.look(c.Context(), past, "")
			if err != nil {
				return err
			}
			return a.outboxShow(c.Context(), s, args[0], dir, full)
		},
	}
	past.flags(show)
	archiveFlag(show.Flags(), &dir)
	show.Flags().BoolVar(&full, "full", false, "names of staff in full: personal data, not for a log")
	c.AddCommand(a.outboxListCmd(), show, a.outboxResolveCmd(), a.outboxRetryCmd(), a.outboxCancelCmd(), a.outboxReleaseCmd(), a.outboxReconcileCmd())
	return c
}

func (a *app) outboxListCmd() *cobra.Command {
	var f notice.Filter
	var state, from, to string
	var l lens
	c := &cobra.Command{
		Use: "list", Short: "Letters by day", Example: "  duban outbox list --from 2024-09-30 --to 2024-09-30\n  duban outbox list --state failed",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			f.State = notice.State(state)
			if err := oneOf("state", state, letterStates()...); err != nil {
				return err
			}
			if f.From, f.To, err = a.days(from, to); err != nil {
				return err
			}
			s, err := a.look(c.Context(), l, f.Jurisdiction)
			if err != nil {
				return err
			}
			if _, err := jurisdictions(c.Context(), s, f.Jurisdiction); err != nil {
				return err
			}
			return a.outboxList(c.Context(), s, f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.Jurisdiction, "jurisdiction", "", "one jurisdiction")
	fl.StringVar(&f.Unit, "unit", "", "unit code")
	fl.StringVar(&state, "state", "", "pending, sending, sent, retry, failed, unknown, held, superseded or cancelled")
	fl.StringVar(&from, "from", "", "first logical date, YYYY-MM-DD")
	fl.StringVar(&to, "to", "", "last logical date, YYYY-MM-DD")
	l.flags(c)
	return c
}

// jurisdictionOfLetter finds where a letter belongs.
func jurisdictionOfLetter(ctx context.Context, s *store.Store, id string) (string, error) {
	id, err := wholeID(ctx, s, id)
	if err != nil {
		return "", err
	}
	n, err := s.Notice(ctx, id)
	if err != nil {
		return "", fmt.Errorf("show letter %s: %w; `duban outbox list` names them", id, err)
	}
	return n.Key.Jurisdiction, nil
}

// outboxList prints letters as they are read: of a long history only a page is held at a time, and for a table its cells.
func (a *app) outboxList(ctx context.Context, s *store.Store, f notice.Filter) error {
	var rows []letterRow
	err := a.eachLetter(ctx, s, f, func(n notice.Notice) error {
		if a.asJSON() {
			return a.json(rowOfLetter(n))
		}
		rows = append(rows, rowOfLetter(n))
		return nil
	})
	if err != nil || a.asJSON() {
		return err
	}
	return list(a, rows, []string{"id", "jurisdiction", "date", "kind", "unit", "state", "next_try", "rung", "items", "reason"}, func(r letterRow) []string {
		why := r.Reason
		if r.SupersededBy != "" {
			why = strings.TrimSpace("taken over by " + r.SupersededBy + " " + why)
		}
		if r.Removed != "" {
			why = strings.TrimPrefix(why+"; what it said was removed by retention.facts, "+r.Removed, "; ")
		}
		return []string{
			r.ID, r.Jurisdiction, r.Date.String(), r.Kind, r.Unit, r.State, r.when(a.policies.zone(r.Jurisdiction)), r.Rung, fmt.Sprint(r.Items), why,
		}
	})
}

// letterPage is how many letters are read at a time, with their facts and receipts.
const letterPage = 500

// eachLetter calls f for every letter the filter lets through, in the order of the store. The days up to today are read
// one by one, so that no page is sorted out of a whole history.
func (a *app) eachLetter(ctx context.Context, s *store.Store, f notice.Filter, do func(notice.Notice) error) error {
	first := f
	first.Limit = 1
	found, err := s.Notices(ctx, first)
	if err != nil || len(found) == 0 {
		return err
	}
	today := civil.In(a.clock(), time.UTC)
	for day := found[0].Key.Date; ; day++ {
		if !f.To.IsZero() && day > f.To {
			return nil
		}
		span := f
		span.From, span.Limit = day, letterPage
		if day <= today {
			span.To = day
		}
		if err := eachPage(ctx, s, span, do); err != nil || day > today {
			return err
		}
	}
}

// eachPage reads as many letters at a time as the filter's limit says.
func eachPage(ctx context.Context, s *store.Store, f notice.Filter, do func(notice.Notice) error) error {
	for {
		page, err := s.Notices(ctx, f)
		if err != nil {
			return err
		}
		for _, n := range page {
			if err := do(n); err != nil {
				return err
			}
		}
		if len(page) < f.Limit {
			return nil
		}
		last := page[len(page)-1]
		f.From, f.After = last.Key.Date, last.ID
	}
}

// attemptLine is one attempt as `outbox show --output json` prints it; the address is masked, also in the reply.
type attemptLine struct {
	At        time.Time      `json:"at"`
	Worker    string         `json:"worker"`
	Recipient int            `json:"recipient"` // index into the letter's recipients
	Email     string         `json:"email"`
	Copy      bool           `json:"copy"`
	Phase     notice.Phase   `json:"phase"`
	Code      int            `json:"code"` // 0: no answer came
	Enhanced  string         `json:"enhanced"`
	Reply     string         `json:"reply"`
	Bytes     int            `json:"bytes"`
	TookMS    int64          `json:"took_ms"`
	Outcome   notice.Outcome `json:"outcome"`
	SHA256    string         `json:"sha256"`
	Template  string         `json:"template"`
	Calendar  string         `json:"calendar"`
	Policy    string         `json:"policy"`
}

func lineOfAttempt(r notice.Receipt) attemptLine {
	return attemptLine{
		At: r.At, Worker: r.Worker, Recipient: r.Recipient, Email: notify.Mask(r.Email), Copy: r.Copy, Phase: r.Phase, Code: r.Code,
		Enhanced: r.Enhanced, Reply: notify.MaskAll(r.Reply), Bytes: r.Bytes, TookMS: r.Took.Milliseconds(), Outcome: r.Outcome,
		SHA256: r.SHA256, Template: r.Template, Calendar: r.Calendar, Policy: r.Policy,
	}
}

func linesOfAttempts(rs []notice.Receipt) []attemptLine {
	out := make([]attemptLine, 0, len(rs))
	for _, r := range rs {
		out = append(out, lineOfAttempt(r))
	}
	return out
}

// String is the attempt for people, without its time.
func (l attemptLine) String() string {
	to := l.Email
	if l.Copy {
		to += " (copy)"
	}
	said := notice.Receipt{Code: l.Code, Enhanced: l.Enhanced, Reply: l.Reply}.String()
	line := fmt.Sprintf("%s to %s, %s: %s", l.Outcome, to, cmp.Or(string(l.Phase), "no phase"), cmp.Or(said, "no answer"))
	var more []string
	if l.Bytes > 0 {
		more = append(more, fmt.Sprintf("%d bytes", l.Bytes))
	}
	more = append(more, fmt.Sprintf("%d ms", l.TookMS))
	if l.Worker != "" {
		more = append(more, "by "+l.Worker)
	}
	return line + "  (" + strings.Join(more, ", ") + ")"
}

// letterDetail is what `outbox show --output json` prints.
type letterDetail struct {
	letterRow
	Document *notice.Document `json:"document,omitempty"` // of a formal letter
	Versions notice.Versions  `json:"versions"`           // template: of the last attempt
	wording
	Receipts []attemptLine `json:"receipts"` // one of each recipient
	Attempts []attemptLine `json:"attempts"` // all, in order
	Moves    []moveLine    `json:"moves"`    // what else was done with it, in order
}

// moveLine is one move as `outbox show --output json` prints it.
type moveLine struct {
	N      int          `json:"n"` // from 1
	At     time.Time    `json:"at"`
	From   notice.State `json:"from"`
	To     notice.State `json:"to"`
	Cause  notice.Cause `json:"cause"`
	Reason string       `json:"reason"`
	By     string       `json:"by"`
}

// history reads all that is known of one letter; names of staff are masked unless full asks for them, and what was sent is
// read from the archive in the folder named, or else the configured one.
func (a *app) history(ctx context.Context, s *store.Store, id, dir string, full bool) (d letterDetail, err error) {
	n, err := s.Notice(ctx, id)
	if err != nil {
		return d, fmt.Errorf("show letter %s: %w; `duban outbox list` names them", id, err)
	}
	attempts, err := s.Attempts(ctx, n.ID)
	if err != nil {
		return d, err
	}
	moves, err := s.Moves(ctx, n.ID)
	if err != nil {
		return d, err
	}
	d = letterDetail{
		letterRow: rowOfLetter(n), Versions: n.Facts.Versions, Receipts: linesOfAttempts(n.Receipts), Attempts: linesOfAttempts(attempts),
		Moves: make([]moveLine, 0, len(moves)),
	}
	for _, r := range attempts {
		d.Versions.Template = cmp.Or(r.Template, d.Versions.Template)
	}
	for _, m := range moves {
		d.Moves = append(d.Moves, moveLine{N: m.N, At: m.At, From: m.From, To: m.To, Cause: m.Cause, Reason: notify.MaskAll(m.Reason), By: m.By})
	}
	kept, err := a.sentBytes(n.Key.Jurisdiction, dir)
	if err != nil {
		return d, err
	}
	if d.Document, err = documentOf(ctx, s, &n); err != nil {
		return d, err
	}
	d.wording, err = a.wording(shown{Notice: n, attempts: attempts, anew: notice.PlannedAnew(moves), full: full}, kept)
	return d, err
}

func (a *app) outboxShow(ctx context.Context, s *store.Store, id, dir string, full bool) error {
	id, err := wholeID(ctx, s, id)
	if err != nil {
		return err
	}
	d, err := a.history(ctx, s, id, dir, full)
	if err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(d)
	}
	zone := a.policies.zone(d.Jurisdiction)
	stamp := func(t time.Time) string { return t.In(zone).Format(time.RFC3339) }
	fmt.Fprintf(a.out, "%s  %s %s %s  %s\n", d.ID, d.Jurisdiction, d.Date, d.Unit, d.State)
	if d.Reason != "" {
		fmt.Fprintln(a.out, d.Reason)
	}
	if d.Document != nil {
		fmt.Fprintln(a.out, strings.TrimSpace(fmt.Sprintf("document: %s %s %s", documentState(*d.Document), d.Document.Number, d.Document.Why)))
	}
	if d.SupersededBy != "" {
		fmt.Fprintln(a.out, "taken over by", d.SupersededBy)
	}
	if when := d.when(zone); when != "" {
		fmt.Fprintln(a.out, "next try:", when)
	}
	if !d.Deadline.IsZero() {
		fmt.Fprintln(a.out, "tried until:", stamp(d.Deadline))
	}
	if v := d.Versions; v != (notice.Versions{}) {
		fmt.Fprintf(a.out, "template %s, calendar %s, policy %s\n", cmp.Or(v.Template, "unknown"), cmp.Or(v.Calendar, "unknown"), cmp.Or(v.Policy, "unknown"))
	}
	for _, line := range d.told() {
		fmt.Fprintf(a.out, "%s  %s\n", stamp(line.at), line.text)
	}
	if d.Note != "" {
		fmt.Fprintf(a.out, "\n%s\n", d.Note)
	}
	if d.Fault != "" {
		fmt.Fprintf(a.out, "\nit cannot be composed: %s\n", d.Fault)
		return nil
	}
	if d.Source != asRemoved {
		fmt.Fprintf(a.out, "\n%s\n\n%s\n", d.Subject, d.Text)
	}
	return nil
}

// toldLine is one entry of a letter's history.
type toldLine struct {
	at   time.Time
	text string
}

// told is the letter's history by time.
func (d letterDetail) told() []toldLine {
	var out []toldLine
	for _, l := range d.Attempts {
		out = append(out, toldLine{l.At, l.String()})
	}
	for _, m := range d.Moves {
		text := fmt.Sprintf("%s → %s: %s by %s", m.From, m.To, m.Cause, cmp.Or(m.By, "nobody named"))
		if m.Reason != "" {
			text += "; " + m.Reason
		}
		out = append(out, toldLine{m.At, text})
	}
	slices.SortStableFunc(out, func(a, b toldLine) int { return a.at.Compare(b.at) })
	return out
}

// deed is what a person does with letters.
type deed struct {
	// verb names it in errors; says begins the reason the letters keep.
	verb, says string
	by, why    string
	causes     map[notice.State]notice.Cause // what it is for a letter in each state it can be done to
	leaves     bool                          // the letters may leave after it
	arrived    bool                          // it says that the reader has what was sent
}

// reason is what the letter keeps. What was sent in a trial run reached nobody, whoever says that it arrived.
func (d deed) reason(trial bool) string {
	reason := d.says + " by " + d.by
	if d.why != "" {
		reason += ": " + d.why
	}
	if trial {
		reason += " " + notice.TrialRun
	}
	return reason
}

// whoFlags are the flags of every deed.
func (d *deed) whoFlags(c *cobra.Command, why bool) {
	c.Flags().StringVar(&d.by, "by", "", "who says so (required)")
	_ = c.MarkFlagRequired("by")
	if why {
		c.Flags().StringVar(&d.why, "why", "", "why (required)")
		_ = c.MarkFlagRequired("why")
		return
	}
	c.Flags().StringVar(&d.why, "why", "", "why")
}

func (a *app) outboxResolveCmd() *cobra.Command {
	var who deed
	deeds := map[string]deed{
		"sent": {
			says: "resolved as sent", arrived: true, causes: map[notice.State]notice.Cause{notice.Unknown: notice.Resolve},
		},
		"resend": {
			says: "to be sent once more,", leaves: true, causes: map[notice.State]notice.Cause{notice.Unknown: notice.Resend},
		},
		"served-otherwise": {
			says: "served otherwise, told", causes: map[notice.State]notice.Cause{
				notice.Unknown: notice.Resolve, notice.Failed: notice.Resolve, notice.Held: notice.Resolve,
			},
		},
	}
	c := &cobra.Command{
		Use: "resolve ID --sent|--resend|--served-otherwise", Short: "Say what became of a letter whose fate is unknown", Args: cobra.ExactArgs(1),
		Long: `The connection broke after a letter had been handed over whole: its server may have it, or not. Ask the unit, or look
into the mail server's log, and say what became of it:

  --sent              its reader has it: it counts as served. One that went to mail.redirect_to in a trial run does not.
  --resend            it did not arrive: it is sent again, under the same Message-ID
  --served-otherwise  its reader was told by other means, which --why names: it counts as served. A failed letter can be
                      resolved so as well, and a held one about a unit's people, which may name them to few.`,
		Example: "  duban outbox resolve 6f0c… --sent --by 李敏 --why 电话确认收到",
		RunE: func(c *cobra.Command, args []string) error {
			var chosen []string
			for _, name := range sortedKeys(deeds) {
				if on, err := c.Flags().GetBool(name); err == nil && on {
					chosen = append(chosen, name)
				}
			}
			if len(chosen) != 1 {
				return usagef("outbox resolve: want exactly one of --sent, --resend and --served-otherwise")
			}
			d := deeds[chosen[0]]
			d.verb, d.by, d.why = "resolve", who.by, who.why
			return a.openAndDo(c.Context(), d, args)
		},
	}
	c.Flags().Bool("sent", false, "its reader has it")
	c.Flags().Bool("resend", false, "it did not arrive; send it again")
	c.Flags().Bool("served-otherwise", false, "its reader was told by other means")
	who.whoFlags(c, false)
	return c
}

func (a *app) outboxRetryCmd() *cobra.Command {
	d := deed{
		verb: "retry", says: "to be tried again,", leaves: true,
		causes: map[notice.State]notice.Cause{notice.Failed: notice.Reopen, notice.Retry: notice.Hasten},
	}
	var state, code string
	c := &cobra.Command{
		Use: "retry ID... | --state failed|retry", Short: "Try letters again that were refused, or at once those that wait for their next try", Args: cobra.ArbitraryArgs,
		Long: `A letter that failed is tried again, until a new deadline; one that waits for its next try, also because mail to its
domain is held back, is due at once. A brake that is on holds all the same: status shows it.

A letter goes to the address it was written for. Where the unit's address has been mended since it failed, leave it: the
next working day's letter takes its items over, to the new address.`,
		Example: "  duban outbox retry 6f0c… --by 李敏 --why 对方已清理邮箱\n  duban outbox retry --state failed --jurisdiction laoshan --by 李敏",
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("state", state, "failed", "retry"); err != nil {
				return err
			}
			if (len(args) > 0) == (state != "") {
				return usagef("outbox retry: want IDs of letters, or --state failed or retry; `duban outbox list` prints the IDs")
			}
			if state == "" && code != "" {
				return usagef("outbox retry: --jurisdiction goes with --state")
			}
			if state == "" {
				return a.openAndDo(c.Context(), d, args)
			}
			return a.doToAll(c.Context(), d, notice.Filter{State: notice.State(state), Jurisdiction: code})
		},
	}
	c.Flags().StringVar(&state, "state", "", "all letters in this state: failed or retry")
	c.Flags().StringVar(&code, "jurisdiction", "", "with --state: of one jurisdiction; default all")
	d.whoFlags(c, false)
	return c
}

func (a *app) outboxCancelCmd() *cobra.Command {
	d := deed{verb: "cancel", says: "cancelled", causes: map[notice.State]notice.Cause{
		notice.Pending: notice.Cancel, notice.Retry: notice.Cancel, notice.Held: notice.Cancel, notice.Failed: notice.Cancel, notice.Unknown: notice.Cancel,
	}}
	c := &cobra.Command{
		Use: "cancel ID...", Short: "Let letters never leave; what they said counts as not served", Args: cobra.MinimumNArgs(1),
		Long: `A letter that has not left never will. The steps it was to say are not said again; later ones are said in their turn.
A letter in a worker's hands cannot be cancelled.`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			drafts, others, err := a.documentsOf(c.Context(), s, args)
			if err != nil {
				return err
			}
			for _, id := range drafts { // a draft whose letter is cancelled is dropped with it
				if err := a.voidDocument(c.Context(), s, id, d.by, d.why); err != nil {
					return err
				}
			}
			if len(others) == 0 {
				return nil
			}
			return a.doTo(c.Context(), s, d, others)
		},
	}
	d.whoFlags(c, true)
	return c
}

func (a *app) outboxReleaseCmd() *cobra.Command {
	d := deed{verb: "release", says: "released", leaves: true, causes: map[notice.State]notice.Cause{notice.Held: notice.Release}}
	var i issue
	c := &cobra.Command{
		Use: "release ID...", Short: "Let held letters leave at the next run; issue the draft of a formal letter", Args: cobra.MinimumNArgs(1),
		Long: `The draft of a formal letter (督办通知单, 专报, 通报) is evaluated once more and, where it still holds, takes its number and
date; one whose facts have changed is refused. By OA or on paper it is recorded as handed over, and not mailed.

A letter that is held, for a person or until the sending window opens, leaves at the next run. A run outside the window
holds it again: to have it leave at once, release it and send with ` + "`duban run remind --date DATE --send-now`" + `.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("channel", i.channel, "mail", "oa", "paper"); err != nil {
				return err
			}
			if err := a.dateOrNone("on", i.on); err != nil {
				return err
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			drafts, others, err := a.documentsOf(c.Context(), s, args)
			if err != nil {
				return err
			}
			if i.given() && len(others) > 0 {
				return usagef("outbox release: %s is no draft of a formal letter; --number, --channel and --on are for those alone", others[0])
			}
			if len(drafts) > 0 {
				if err := a.issueDocuments(c.Context(), s, drafts, i, d.by); err != nil || len(others) == 0 {
					return err
				}
			}
			return a.doTo(c.Context(), s, d, others)
		},
	}
	f := c.Flags()
	f.StringVar(&i.number, "number", "", "a formal letter's number from the office's own register, as in 崂政督〔2024〕12号; default: the program's next")
	f.StringVar(&i.channel, "channel", "", "how a formal letter goes out: mail (default), oa or paper")
	f.StringVar(&i.on, "on", "", "the day it was handed over by OA or on paper, YYYY-MM-DD (default today)")
	d.whoFlags(c, false)
	return c
}

// shortID is the fewest digits a letter may be named by.
const shortID = 6

// wholeID completes the beginning of a letter's ID, where it is that of one letter only.
func wholeID(ctx context.Context, s *store.Store, id string) (string, error) {
	var found []string
	if len(id) >= shortID {
		var err error
		if found, err = s.NoticeStarting(ctx, strings.ToLower(id)); err != nil {
			return "", err
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", usagef("there is no letter %q; `duban outbox list` prints the IDs; %d digits or more name one", id, shortID)
	}
	return "", usagef("%q is the beginning of several letters' IDs; give more digits", id)
}

// target is what of a letter decides what can be done to it.
type target struct {
	id     string
	key    notice.Key
	state  notice.State
	reason string
	by     string // the letter that took it over
	mute   bool   // it has no reader to go to
	resent bool   // it was sent once more: later letters do not take it over
	trial  bool   // what was sent went to mail.redirect_to
}

// targetOf looks at a letter; redirected says that mail.redirect_to is set.
func targetOf(n notice.Notice, redirected bool) target {
	return target{
		id: n.ID, key: n.Key, state: n.State, reason: n.Reason, by: n.SupersededBy, mute: len(n.Facts.Recipients) == 0,
		resent: n.Resent, trial: wentAstray(n, redirected),
	}
}

// wentAstray reports whether what may have arrived of the letter went to another address than its readers': that of a
// trial run. A worker that died leaves no receipt; then the settings of now decide.
func wentAstray(n notice.Notice, redirected bool) bool {
	trial := redirected
	for _, r := range n.Receipts {
		if r.Copy || r.Outcome != notice.OutcomeAccepted && r.Outcome != notice.OutcomeUnknown || r.Recipient < 0 || r.Recipient >= len(n.Facts.Recipients) {
			continue
		}
		own := n.Facts.Recipients[r.Recipient].Email
		if ascii, err := compose.Address(own); err == nil {
			own = ascii
		}
		if strings.EqualFold(own, r.Email) {
			return false
		}
		trial = true
	}
	return trial
}

func (a *app) openAndDo(ctx context.Context, d deed, ids []string) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return a.doTo(ctx, s, d, ids)
}

// doTo does it to the letters named, or to none of them where it cannot be done to one.
func (a *app) doTo(ctx context.Context, s *store.Store, d deed, ids []string) error {
	var targets []target
	var errs []error
	seen := map[string]bool{}
	for _, id := range ids {
		id, err := wholeID(ctx, s, id)
		if err != nil {
			return fmt.Errorf("outbox %s: %w", d.verb, err)
		}
		n, err := s.Notice(ctx, id)
		if err != nil {
			return err
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		t := targetOf(n, a.cfg.MailOf(n.Key.Jurisdiction).RedirectTo != "")
		targets = append(targets, t)
		errs = append(errs, d.fits(t))
		if d.leaves {
			errs = append(errs, a.namesMayGo(n))
		}
		if d.verb == "release" {
			errs = append(errs, a.ofToday(n))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("nothing was done: %w", err)
	}
	return a.do(ctx, s, d, targets)
}

// doToAll does it to every letter the filter lets through, as it stands now, and names those it cannot be done to.
func (a *app) doToAll(ctx context.Context, d deed, f notice.Filter) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	if _, err := jurisdictions(ctx, s, f.Jurisdiction); err != nil {
		return err
	}
	var targets []target
	var misfits []error
	err = a.eachLetter(ctx, s, f, func(n notice.Notice) error {
		t := targetOf(n, false)
		if err := d.fits(t); err != nil {
			misfits = append(misfits, err)
		} else {
			targets = append(targets, t)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(targets)+len(misfits) == 0 {
		a.say("nothing matches")
	}
	return errors.Join(append(misfits, a.do(ctx, s, d, targets))...)
}

// fits refuses what cannot be done to a letter as it stands, and says what can.
func (d deed) fits(t target) error {
	cause, can := d.causes[t.state]
	if t.state == notice.Held && cause == notice.Resolve && t.key.Kind != notice.PersonnelLetter {
		can = false // what others say was never sent, is told by a later letter
	}
	switch {
	case !can:
		return fmt.Errorf("%s letter %s: it is %s; %s", d.verb, t.id, t.standing(), t.instead())
	case d.leaves && t.mute:
		return fmt.Errorf("%s letter %s: it has no address to go to; import the unit's with `duban import units FILE`, and the next working day's letter takes its items over", d.verb, t.id)
	}
	return nil
}

// standing is the state with the reason.
func (t target) standing() string {
	if t.reason == "" {
		return string(t.state)
	}
	reason := t.reason
	if strings.Contains(reason, notice.TrialRun) { // it has brackets of its own
		reason = strings.TrimSpace(strings.ReplaceAll(reason, notice.TrialRun, ""))
		reason = strings.TrimPrefix(reason+"; "+strings.Trim(notice.TrialRun, "()"), "; ")
	}
	return fmt.Sprintf("%s (%s)", t.state, notify.MaskAll(reason))
}

// instead says what can be done to a letter in its state.
func (t target) instead() string {
	switch t.state {
	case notice.Pending:
		return "it leaves at the next run; `duban outbox cancel` stops it"
	case notice.Held:
		if t.key.Kind == notice.PersonnelLetter {
			return "`duban outbox release` lets it go, `duban outbox resolve --served-otherwise` says that it was handed over, `duban outbox cancel` stops it"
		}
		return "`duban outbox release` lets it go, `duban outbox cancel` stops it"
	case notice.Sending:
		return "a worker has it in hand: wait until it is settled"
	case notice.Retry:
		return "`duban outbox retry` makes its next try due at once, `duban outbox cancel` stops it"
	case notice.Unknown:
		return "`duban outbox resolve` with --sent, --resend or --served-otherwise says what became of it"
	case notice.Failed:
		return "`duban outbox retry` tries it again, `duban outbox resolve --served-otherwise` says that its reader was told by other means"
	case notice.Superseded:
		return "letter " + t.by + " took its items over"
	case notice.Recorded:
		return "its day was filled in afterwards, and it was never sent; where its reader has to be told, do it by other means and record it with `duban obligations contacted`"
	case notice.Sent, notice.Cancelled:
	}
	return "that is final"
}

// movedRow is one letter as the commands of a person print it in JSON.
type movedRow struct {
	ID           string       `json:"id"`
	Jurisdiction string       `json:"jurisdiction"`
	Date         civil.Date   `json:"date"`
	Unit         string       `json:"unit"`
	From         notice.State `json:"from"`
	State        notice.State `json:"state"`
	Cause        notice.Cause `json:"cause"`
	Reason       string       `json:"reason"`
	By           string       `json:"by"`
	Trial        bool         `json:"trial,omitempty"` // sent in a trial run: it does not count as served
}

// do moves the letters one by one. One that moved meanwhile is named, and does not keep back the others.
func (a *app) do(ctx context.Context, s *store.Store, d deed, targets []target) error {
	paused := map[string]bool{}
	all, err := s.Jurisdictions(ctx)
	if err != nil {
		return err
	}
	for _, j := range all {
		paused[j.Code] = j.Paused != nil
	}
	var errs []error
	for _, t := range targets {
		cause := d.causes[t.state]
		to, err := notice.Next(t.state, cause)
		if err != nil {
			return fmt.Errorf("%s letter %s: %w", d.verb, t.id, err)
		}
		trial := d.arrived && t.trial
		reason := d.reason(trial)
		if today := a.today(t.key.Jurisdiction); cause == notice.Resolve && !d.arrived && today > t.key.Date {
			// Told by other means today: it was not served on the day of the letter.
			if err := s.ServedOn(ctx, t.id, today); err != nil {
				return errors.Join(append(errs, err)...)
			}
		}
		err = s.Move(ctx, t.id, t.state, reason, d.by, cause)
		if errors.Is(err, task.ErrLost) {
			errs = append(errs, d.lost(ctx, s, t))
			continue
		}
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		row := movedRow{
			ID: t.id, Jurisdiction: t.key.Jurisdiction, Date: t.key.Date, Unit: t.key.Unit, From: t.state, State: to, Cause: cause,
			Reason: notify.MaskAll(reason), By: d.by, Trial: trial,
		}
		if err := a.printMoved(row, d, paused[t.key.Jurisdiction], t.resent || cause == notice.Resend); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	return errors.Join(errs...)
}

// lost says how a letter stands that another moved first.
func (d deed) lost(ctx context.Context, s *store.Store, t target) error {
	n, err := s.Notice(ctx, t.id)
	if err != nil {
		return err
	}
	now := targetOf(n, false)
	return fmt.Errorf("%s letter %s: it was %s and moved meanwhile; now it is %s; %s", d.verb, t.id, t.state, now.standing(), now.instead())
}

// printMoved tells of a move and of what follows; resent says that the letter goes once more.
func (a *app) printMoved(r movedRow, d deed, paused, resent bool) error {
	if a.asJSON() {
		return a.json(r)
	}
	next := ""
	switch {
	case r.Trial:
		next = "it went to mail.redirect_to in a trial run, and does not count as served"
	case !d.leaves:
	case paused:
		next = "nothing leaves while the jurisdiction is paused: duban resume --jurisdiction " + r.Jurisdiction
	case r.Date < a.today(r.Jurisdiction):
		next = fmt.Sprintf("it leaves once today is planned: at the next heartbeat of `duban serve`, or with `duban run remind --jurisdiction %s`", r.Jurisdiction)
		if !resent {
			next += "; where today is not planned yet, today's letter to the unit takes its items over"
		}
	default:
		next = "it leaves at the next run"
	}
	a.say("%s", strings.TrimSpace(fmt.Sprintf("%s  %s %s %s  %s → %s  %s", r.ID, r.Jurisdiction, r.Date, r.Unit, r.From, r.State, next)))
	return nil
}

func (a *app) pauseCmd() *cobra.Command {
	var code, by, why string
	c := &cobra.Command{
		Use: "pause", Short: "Stop letters from leaving; everything is still evaluated",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.setPause(c.Context(), code, &task.Pause{At: a.clock().UTC(), Who: by, Why: why})
		},
	}
	f := c.Flags()
	f.StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	f.StringVar(&by, "by", "", "who says so (required)")
	f.StringVar(&why, "why", "", "why (required)")
	_ = c.MarkFlagRequired("by")
	_ = c.MarkFlagRequired("why")
	return c
}

func (a *app) resumeCmd() *cobra.Command {
	var code, by, why string
	c := &cobra.Command{
		Use: "resume", Short: "Let letters leave again",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.setPause(c.Context(), code, nil)
		},
	}
	f := c.Flags()
	f.StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	f.StringVar(&by, "by", "", "who says so; it may be given as to pause, and is not kept: the register keeps who paused, as long as that lasts")
	f.StringVar(&why, "why", "", "why; as --by")
	return c
}

func (a *app) setPause(ctx context.Context, code string, p *task.Pause) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return err
	}
	for _, j := range all {
		already := (j.Paused != nil) == (p != nil)
		if !already {
			if err := a.register(s).Pause(ctx, j.Code, p); err != nil {
				return err
			}
		}
		if err := a.printPause(j.Code, p != nil, already); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printPause(code string, paused, already bool) error {
	if a.asJSON() {
		return a.json(struct {
			Jurisdiction string `json:"jurisdiction"`
			Paused       bool   `json:"paused"`
			Already      bool   `json:"already"`
		}{code, paused, already})
	}
	words := map[[2]bool]string{
		{true, false}: "paused", {false, false}: "letters may leave", {true, true}: "was paused already", {false, true}: "was not paused",
	}
	a.say("%s  %s", code, words[[2]bool{paused, already}])
	return nil
}

func (a *app) rebuildCmd() *cobra.Command {
	return &cobra.Command{
		Use: "rebuild", Short: "Compute every cached column anew from the events",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			all, err := s.Jurisdictions(c.Context())
			if err != nil {
				return err
			}
			for _, j := range all {
				hash, err := a.policies.hash(j.Code)
				if err != nil {
					return err
				}
				n, err := a.register(s).Rebuild(c.Context(), j.Code, hash)
				if err != nil {
					return err
				}
				a.say("%s  %d obligations", j.Code, n)
			}
			return nil
		},
	}
}

// migrate opens the database without asking for its version and brings its tables up to date.
func (a *app) migrate(ctx context.Context) (int, error) {
	s, err := a.openStore(ctx, a.cfg.Database.DSN)
	if err != nil {
		return 0, err
	}
	n, err := s.Migrate(ctx)
	if err != nil {
		return n, fmt.Errorf("migrate database: %w", err)
	}
	return n, nil
}
