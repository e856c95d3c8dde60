package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
	"duban/store"
)

// statusRow is one jurisdiction as `status --output json` prints it, as of today.
type statusRow struct {
	Jurisdiction string         `json:"jurisdiction"`
	Name         string         `json:"name"`
	LiveFrom     civil.Date     `json:"live_from"`
	Paused       *task.Pause    `json:"paused,omitempty"`
	RedirectTo   string         `json:"redirect_to,omitempty"` // a trial run: where every letter goes instead, masked
	Plans        int            `json:"plans"`
	Rows         int            `json:"rows"`        // 项
	Obligations  int            `json:"obligations"` // 项次
	States       map[string]int `json:"states"`      // obligations by state
	Overdue      int            `json:"overdue"`     //
	Unconfirmed  int            `json:"unconfirmed"` // past at issue or inherited
	NeedPerson   int            `json:"need_person"` // rows unreadable, ambiguous or awaiting their trigger
	Letters      map[string]int `json:"letters"`     // by state
	LastRuns     []run.Run      `json:"last_runs"`   // of each job

	OldestWaiting *waitingLetter `json:"oldest_waiting,omitempty"` // of those that may still leave
	InHand        inHand         `json:"in_hand"`
	Brakes        []brakeRow     `json:"brakes"`        // those in force
	Held          []heldGroup    `json:"held"`          // by reason, of the first 200
	Unknown       []troubled     `json:"unknown"`       // wait for a person's word; the first 10
	FailedLately  []troubled     `json:"failed_lately"` // of the last 30 days; the first 10
	FailedMore    bool           `json:"failed_more"`   // there are more of them
	Addressees    []addressee    `json:"addressees"`    // units that cannot be reached; counted against nobody
}

// waitingLetter is a letter that has not left yet.
type waitingLetter struct {
	ID      string       `json:"id"`
	Date    civil.Date   `json:"date"`
	Unit    string       `json:"unit"`
	State   notice.State `json:"state"`
	NextTry time.Time    `json:"next_try,omitzero"`
}

// inHand is how many letters workers have claimed, and until when the first of the claims holds.
type inHand struct {
	Letters int       `json:"letters"`
	Until   time.Time `json:"until,omitzero"`
}

// brakeRow is a brake on the account of the jurisdiction's sender, or on one domain of its readers.
type brakeRow struct {
	Scope    string    `json:"scope"` // account or domain
	Account  string    `json:"account"`
	Domain   string    `json:"domain,omitempty"`
	Failures int       `json:"failures"` // in a row
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Reason   string    `json:"reason"`
	By       string    `json:"by"`
}

// heldGroup is letters held for the same reason.
type heldGroup struct {
	Reason  string    `json:"reason"`
	Letters int       `json:"letters"`
	Until   time.Time `json:"until,omitzero"` // none: a person has to release them
	First   string    `json:"first"`          // ID of the first
}

// troubled is a letter that waits for a person.
type troubled struct {
	ID     string     `json:"id"`
	Date   civil.Date `json:"date"`
	Unit   string     `json:"unit"`
	Reason string     `json:"reason"`
}

// The kinds of trouble with an addressee.
const (
	unreachable = "none" // no liaison with an address that mail can go to
	refusedHard = "hard" // a server said that there is no such mailbox
	refusedSoft = "soft" // several temporary refusals in a row
)

// addressee is a unit that cannot be reached by mail as its contacts stand now.
type addressee struct {
	Unit     string    `json:"unit"`
	Name     string    `json:"name"`
	Role     task.Role `json:"role"`
	Trouble  string    `json:"trouble"`            // none, hard or soft
	Address  string    `json:"address,omitempty"`  // masked
	Failures int       `json:"failures,omitempty"` // temporary ones in a row
	Since    time.Time `json:"since,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	Reply    string    `json:"reply,omitempty"` // the server's latest
	Advice   string    `json:"advice"`
}

func (a *app) statusCmd() *cobra.Command {
	var code string
	c := &cobra.Command{
		Use: "status", Short: "What the register holds, what ran last, what waits for a person",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			all, err := jurisdictions(c.Context(), s, code)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				a.say("The register (%s) is empty. Import units and a plan:\n  duban import units FILE\n  duban import plan FILE", a.cfg.Database.DSN)
			}
			for _, j := range all {
				row, err := a.status(c.Context(), s, j)
				if err != nil {
					return err
				}
				if a.asJSON() {
					err = a.json(row)
				} else {
					a.printStatus(row)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	return c
}

func (a *app) status(ctx context.Context, s *store.Store, j task.Jurisdiction) (statusRow, error) {
	row := statusRow{
		Jurisdiction: j.Code, Name: j.Name, LiveFrom: j.LiveFrom, Paused: j.Paused, States: map[string]int{}, Letters: map[string]int{},
	}
	if to := a.cfg.MailOf(j.Code).RedirectTo; to != "" {
		row.RedirectTo = notify.Mask(to)
	}
	if err := a.countRegister(ctx, s, &row); err != nil {
		return row, err
	}
	if err := a.lookAtDelivery(ctx, s, &row); err != nil {
		return row, err
	}
	var err error
	if row.Addressees, err = a.addressees(ctx, s, j.Code); err != nil {
		return row, err
	}
	for _, job := range a.runner(s, "").Jobs {
		last, err := s.Runs(ctx, run.Filter{
			Job: job.Name(), Jurisdiction: j.Code, States: []run.State{run.Running, run.Done, run.Failed, run.Skipped}, Limit: 1,
		})
		if err != nil {
			return row, err
		}
		row.LastRuns = append(row.LastRuns, last...)
	}
	return row, nil
}

// countRegister counts what the register holds.
func (a *app) countRegister(ctx context.Context, s *store.Store, row *statusRow) error {
	code := row.Jurisdiction
	today := a.today(code)
	plans, err := s.Plans(ctx, code)
	if err != nil {
		return err
	}
	row.Plans = len(task.PlansAsOf(plans, today))
	rows, err := a.taskRows(ctx, s, code, "", "", "")
	if err != nil {
		return err
	}
	row.Rows = len(rows)
	for _, t := range rows {
		if t.Status == "unreadable" || t.Status == "awaiting" || t.Status == "ambiguous" {
			row.NeedPerson++
		}
	}
	recs, err := s.Records(ctx, code, task.RecordFilter{})
	if err != nil {
		return err
	}
	for _, rec := range recs {
		o, err := a.obligationRow(rec, "", today)
		if err != nil {
			return err
		}
		row.Obligations++
		row.States[string(o.State)]++
		if o.Overdue {
			row.Overdue++
		}
		if o.State == task.Waiting && (o.PastAtIssue || o.Inherited) && !o.Overdue {
			row.Unconfirmed++
		}
	}
	return nil
}

// How much of a long list status reads and shows.
const (
	statusIDs   = 10
	statusUnits = 20 // of the addressees, for people
	statusHeld  = 200
	statusDays  = 30
	softAtLeast = 3 // temporary refusals in a row before an address is listed
)

// lookAtDelivery asks what left, what waits and for what. It reads indexes and a few letters, however long the history.
func (a *app) lookAtDelivery(ctx context.Context, s *store.Store, row *statusRow) error {
	code := row.Jurisdiction
	n, err := s.LetterCounts(ctx, code)
	if err != nil {
		return err
	}
	for state, many := range n {
		row.Letters[string(state)] = many
	}
	oldest, ok, err := s.OldestOpen(ctx, code)
	if err != nil {
		return err
	}
	if ok {
		row.OldestWaiting = &waitingLetter{oldest.ID, oldest.Key.Date, oldest.Key.Unit, oldest.State, oldest.NextTry}
	}
	if row.InHand.Letters, row.InHand.Until, err = s.SendingLeases(ctx, notice.ClaimFilter{Jurisdiction: code}); err != nil {
		return err
	}
	if row.Brakes, err = a.brakes(ctx, s, code); err != nil {
		return err
	}
	row.Held = make([]heldGroup, 0)
	if n[notice.Held] > 0 { // the oldest open letter's date keeps the history out
		held, err := s.Notices(ctx, notice.Filter{Jurisdiction: code, State: notice.Held, From: oldest.Key.Date, Limit: statusHeld})
		if err != nil {
			return err
		}
		row.Held = groupHeld(held)
	}
	unknown, err := unknownLetters(ctx, s, code, min(n[notice.Unknown], statusIDs))
	if err != nil {
		return err
	}
	row.Unknown = troubledOf(unknown)
	return a.failedLately(ctx, s, row)
}

// unknownLetters returns the first few letters of the jurisdiction that wait for a person's word. They are few in all, and
// those of all jurisdictions are found without going through the history of one.
func unknownLetters(ctx context.Context, s *store.Store, code string, want int) ([]notice.Notice, error) {
	if want == 0 {
		return nil, nil
	}
	all, err := s.Notices(ctx, notice.Filter{State: notice.Unknown, Limit: statusHeld})
	if err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(all, func(n notice.Notice) bool { return n.Key.Jurisdiction != code })
	if len(own) >= want {
		return own[:want], nil
	}
	return s.Notices(ctx, notice.Filter{Jurisdiction: code, State: notice.Unknown, Limit: want})
}

// failedLately reads the first few letters that failed and are dated in the last days.
func (a *app) failedLately(ctx context.Context, s *store.Store, row *statusRow) error {
	row.FailedLately = make([]troubled, 0)
	if row.Letters[string(notice.Failed)] == 0 {
		return nil
	}
	failed, err := s.Notices(ctx, notice.Filter{
		Jurisdiction: row.Jurisdiction, State: notice.Failed, From: a.today(row.Jurisdiction) - statusDays, Limit: statusIDs + 1,
	})
	if err != nil {
		return err
	}
	row.FailedMore = len(failed) > statusIDs
	row.FailedLately = troubledOf(failed[:min(len(failed), statusIDs)])
	return nil
}

func troubledOf(letters []notice.Notice) []troubled {
	out := make([]troubled, 0, len(letters))
	for _, n := range letters {
		out = append(out, troubled{n.ID, n.Key.Date, n.Key.Unit, notify.MaskAll(n.Reason)})
	}
	return out
}

// groupHeld puts letters together that wait for the same, in the order of the first of each. A reason that names its letter,
// as a draft's does, is the same for all.
func groupHeld(letters []notice.Notice) []heldGroup {
	out := make([]heldGroup, 0, 2)
	for _, n := range letters {
		reason := strings.ReplaceAll(notify.MaskAll(n.Reason), n.ID, "ID")
		i := slices.IndexFunc(out, func(g heldGroup) bool { return g.Reason == reason && g.Until.Equal(n.NextTry) })
		if i < 0 {
			i = len(out)
			out = append(out, heldGroup{Reason: reason, Until: n.NextTry, First: n.ID})
		}
		out[i].Letters++
	}
	return out
}

// brakes returns those that hold back letters of the jurisdiction now, by the database's clock.
func (a *app) brakes(ctx context.Context, s *store.Store, code string) ([]brakeRow, error) {
	out := make([]brakeRow, 0)
	kept, err := s.Brakes(ctx)
	if err != nil || len(kept) == 0 {
		return out, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return out, err
	}
	account := a.postSettings(code).account()
	for _, b := range kept {
		row := brakeRow{
			Account: maskAccount(account), Failures: b.Failures, Since: b.Since, Until: b.Until, Reason: notify.MaskAll(b.Reason), By: b.By,
		}
		domain, ofDomain := strings.CutPrefix(b.Scope, "domain:"+account+":")
		switch {
		case !b.Until.After(now):
			continue
		case b.Scope == "account:"+account:
			row.Scope = "account"
		case ofDomain:
			row.Scope, row.Domain = "domain", domain
		default: // of another account
			continue
		}
		out = append(out, row)
	}
	return out, nil
}

// maskAccount hides a login that is an address.
func maskAccount(account string) string {
	i := strings.LastIndexByte(account, '/')
	if host, login := account[:i+1], account[i+1:]; strings.Contains(login, "@") {
		return host + notify.Mask(login)
	}
	return account
}

// addressees lists the units that get letters and cannot be reached by mail as their contacts stand today. What was said
// against an address they have no more is of no interest.
func (a *app) addressees(ctx context.Context, s *store.Store, code string) ([]addressee, error) {
	out := make([]addressee, 0)
	dir, err := s.Directory(ctx, code)
	if err != nil {
		return out, err
	}
	var units []task.Unit
	var addresses []string
	for _, u := range dir.AsOf(a.today(code)).Units {
		if u.Chase != task.ChaseLetter && u.Chase != task.ChaseCourtesy {
			continue
		}
		units = append(units, u)
		for _, c := range u.Contacts {
			if to, err := compose.Address(c.Email); err == nil {
				addresses = append(addresses, to)
			}
		}
	}
	known := map[string]notice.Health{}
	if len(addresses) > 0 { // none would ask for all
		list, err := s.Troubles(ctx, addresses)
		if err != nil {
			return out, err
		}
		for _, h := range list {
			known[h.Address] = h
		}
	}
	for _, u := range units {
		out = append(out, troubleOf(u, known)...)
	}
	return out, nil
}

// troubleOf says what is wrong with the contacts of a unit. known is by address in lower case.
func troubleOf(u task.Unit, known map[string]notice.Health) []addressee {
	const mend = "import the unit with the mended address: duban import units FILE"
	var out []addressee
	liaison, _ := u.Contact(task.Liaison)
	if _, err := compose.Address(liaison.Email); err != nil {
		one := addressee{Unit: u.Code, Name: u.Name, Role: task.Liaison, Trouble: unreachable, Advice: mend}
		if liaison.Email != "" {
			one.Address = notify.Mask(liaison.Email)
		}
		out = append(out, one)
	}
	for _, c := range u.Contacts {
		to, err := compose.Address(c.Email)
		if err != nil {
			continue
		}
		h, ok := known[strings.ToLower(to)]
		if !ok || !h.Hard && h.Soft < softAtLeast {
			continue
		}
		one := addressee{
			Unit: u.Code, Name: u.Name, Role: c.Role, Trouble: refusedSoft, Address: notify.Mask(c.Email), Failures: h.Soft,
			Since: h.Since, Last: h.Last, Reply: notify.MaskAll(h.Reply), Advice: "ask the unit whether the mailbox is full or gone; if so, " + mend,
		}
		if h.Hard {
			one.Trouble, one.Advice = refusedHard, mend
		}
		out = append(out, one)
	}
	return out
}

func (a *app) printStatus(r statusRow) {
	fmt.Fprintf(a.out, "%s  %s  live from %s\n", r.Jurisdiction, r.Name, r.LiveFrom)
	if r.Paused != nil {
		fmt.Fprintf(a.out, "  PAUSED by %s: %s\n", r.Paused.Who, r.Paused.Why)
	}
	if r.RedirectTo != "" {
		fmt.Fprintf(a.out, "  TRIAL RUN: every letter goes to %s (mail.redirect_to), and counts as said\n", r.RedirectTo)
	}
	fmt.Fprintf(a.out, "  plans %d, rows %d (%d need a person), obligations %d (%d overdue, %d to be confirmed)\n",
		r.Plans, r.Rows, r.NeedPerson, r.Obligations, r.Overdue, r.Unconfirmed)
	if r.NeedPerson > 0 {
		fmt.Fprintf(a.out, "  rows that need a person: duban tasks list --jurisdiction %s --status unreadable, ambiguous or awaiting\n", r.Jurisdiction)
	}
	fmt.Fprintf(a.out, "  states: %s\n  letters: %s\n", counts(r.States), counts(r.Letters))
	zone := a.policies.zone(r.Jurisdiction)
	for _, line := range slices.Concat(r.delivery(zone), r.waiting(zone), r.reach(zone)) {
		fmt.Fprintln(a.out, "  "+line)
	}
	for _, run := range r.LastRuns {
		fmt.Fprintln(a.out, strings.TrimRight(fmt.Sprintf("  last %s: %s %s %s", run.Job, run.Date, run.State, run.Reason), " "))
	}
}

// minutes is an instant for people.
func minutes(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04") }

// delivery says how the letters are leaving.
func (r statusRow) delivery(zone *time.Location) (lines []string) {
	for _, b := range r.Brakes {
		what := "all letters of account " + b.Account
		if b.Domain != "" {
			what = "letters to " + b.Domain
		}
		lines = append(lines, fmt.Sprintf("BRAKE on %s until %s, let go by itself: %s", what, b.Until.In(zone).Format("2006-01-02 15:04:05"), b.Reason))
	}
	if w := r.OldestWaiting; w != nil {
		line := fmt.Sprintf("oldest waiting letter: %s %s %s %s", w.ID, w.Date, w.Unit, w.State)
		if !w.NextTry.IsZero() {
			line += " until " + minutes(w.NextTry, zone)
		}
		lines = append(lines, line)
	}
	if r.InHand.Letters > 0 {
		lines = append(lines, fmt.Sprintf("in workers' hands: %d, the first claim holds until %s", r.InHand.Letters, r.InHand.Until.In(zone).Format("2006-01-02 15:04:05")))
	}
	return lines
}

// waiting says which letters wait for a person or a window, and what to type.
func (r statusRow) waiting(zone *time.Location) (lines []string) {
	shown := 0
	for _, g := range r.Held {
		shown += g.Letters
		if g.Until.IsZero() {
			lines = append(lines, fmt.Sprintf("held for a person: %d, the first %s: %s", g.Letters, g.First, g.Reason))
			continue
		}
		lines = append(lines, fmt.Sprintf("held until %s: %d: %s", minutes(g.Until, zone), g.Letters, g.Reason))
	}
	if all := r.Letters[string(notice.Held)]; all > shown {
		lines = append(lines, fmt.Sprintf("and %d more held: duban outbox list --jurisdiction %s --state held", all-shown, r.Jurisdiction))
	}
	if n := r.Letters[string(notice.Unknown)]; n > 0 {
		lines = append(lines, fmt.Sprintf("UNKNOWN whether they arrived: %d; ask, then type duban outbox resolve ID --sent|--resend|--served-otherwise --by NAME", n))
		lines = append(lines, linesOf(r.Unknown)...)
	}
	if len(r.FailedLately) > 0 {
		lines = append(lines, fmt.Sprintf("failed in the last %d days; mend the address, or type duban outbox retry ID --by NAME", statusDays))
		lines = append(lines, linesOf(r.FailedLately)...)
	}
	if r.FailedMore {
		lines = append(lines, fmt.Sprintf("  and more: duban outbox list --jurisdiction %s --state failed", r.Jurisdiction))
	}
	return lines
}

func linesOf(letters []troubled) (lines []string) {
	for _, l := range letters {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %s %s %s  %s", l.ID, l.Date, l.Unit, l.Reason), " "))
	}
	return lines
}

// reach says which units cannot be reached.
func (r statusRow) reach(zone *time.Location) (lines []string) {
	if len(r.Addressees) == 0 {
		return nil
	}
	lines = []string{"addressees that mail does not reach; none of this is counted against the unit:"}
	for i, u := range r.Addressees {
		if i == statusUnits {
			lines = append(lines, fmt.Sprintf("  and %d more: duban status --jurisdiction %s --output json", len(r.Addressees)-i, r.Jurisdiction))
			break
		}
		line := fmt.Sprintf("  %s %s, %s", u.Unit, u.Name, u.Role)
		switch u.Trouble {
		case unreachable:
			line += " has no address that mail can go to"
			if u.Address != "" {
				line += " (" + u.Address + ")"
			}
		case refusedHard:
			line += fmt.Sprintf(" %s: refused since %s: %s", u.Address, minutes(u.Since, zone), u.Reply)
		default:
			line += fmt.Sprintf(" %s: put off %d times in a row since %s: %s", u.Address, u.Failures, minutes(u.Since, zone), u.Reply)
		}
		lines = append(lines, line)
		if i+1 == min(len(r.Addressees), statusUnits) || r.Addressees[i+1].Advice != u.Advice {
			lines = append(lines, "    "+u.Advice)
		}
	}
	return lines
}

func counts(m map[string]int) string {
	words := make([]string, 0, len(m))
	for _, k := range sortedKeys(m) {
		words = append(words, fmt.Sprintf("%s %d", k, m[k]))
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}
