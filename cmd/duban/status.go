package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/jobs/workday"
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

	Today        civil.Date  `json:"today"`
	Workday      bool        `json:"workday"`
	Day          string      `json:"day"`      // why it is one, or is none
	Database     string      `json:"database"` // the engine
	Sending      sendingRow  `json:"sending"`
	Slots        []slotRow   `json:"slots"`         // the last and the next of each job
	Due          []gap       `json:"due"`           // past their time and not settled
	Holders      []holderRow `json:"holders"`       // slots in workers' hands
	Calendar     coverage    `json:"calendar"`      //
	Versions     string      `json:"versions"`      // what differs from the versions loaded; empty: nothing
	UnitsOverdue int         `json:"units_overdue"` // units with something overdue
	Needs        []jobs.Need `json:"needs"`         // what waits for a person, the worst first
	now          time.Time   // in the jurisdiction's zone
	never        bool        // nothing ever ran
}

// sendingRow says whether letters leave.
type sendingRow struct {
	// State is on, off (outside the window), paused, trial (everything goes to one address), brake, clock (the date is
	// not believed), or archive (it knows more than the database, which was restored).
	State string    `json:"state"`
	Until time.Time `json:"until,omitzero"` // when the window opens, or the brake is let go
	Why   string    `json:"why,omitempty"`
}

// The states of sending.
const (
	sendingOn     = "on"
	sendingOff    = "off"
	sendingPaused = "paused"
	sendingTrial  = "trial"
	sendingBrake  = "brake"
	sendingClock  = "clock"
	// sendingArchive: the database was restored, and the archive knows letters that it does not.
	sendingArchive = "archive"
)

// slotRow is a job with its last and its next slot.
type slotRow struct {
	Job  string    `json:"job"`
	Last *lastSlot `json:"last,omitempty"`
	Next *nextSlot `json:"next,omitempty"`
}

// lastSlot is the newest slot that was begun or skipped.
type lastSlot struct {
	run.Run
	LateSeconds int `json:"late_seconds"` // after it was due; 0 too where no clock was asked
}

// nextSlot is the next that the clock starts.
type nextSlot struct {
	Date    civil.Date `json:"date"`
	Due     time.Time  `json:"due"`
	Planned bool       `json:"planned"` // it is in the ledger already
}

// holderRow is a slot in a worker's hands.
type holderRow struct {
	run.Slot
	By    string    `json:"by"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// coverage is how far the holidays are known.
type coverage struct {
	LastPublished int    `json:"last_published"`    // year
	Missing       int    `json:"missing,omitempty"` // the year that should be known and is not
	Warning       string `json:"warning,omitempty"`
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
	Do      string    `json:"do,omitempty"`   // what a person types; none: the reason says it, or its time comes
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
	l := lens{own: true}
	c := &cobra.Command{
		Use: "status", Short: "What runs, what left, what waits for a person: one screen",
		Long: `Show whether letters leave, what ran last and runs next, what is due and has no record, the letters by state, and what
waits for a person, with the command to type. Several jurisdictions get a line each, and what needs a person.`,
		Example: "  duban status\n  duban status --jurisdiction laoshan",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.look(c.Context(), l, code)
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
			var rows []statusRow
			var errs []error
			for _, j := range all {
				look := a.status
				if l.asOf != "" || l.knownAt != "" {
					look = a.statusThen
				}
				row, err := look(c.Context(), s, j)
				if err != nil { // one whose files cannot be read does not hide the others
					errs = append(errs, fmt.Errorf("status of %s: %w", j.Code, err))
					continue
				}
				switch {
				case a.asJSON():
					if err := a.json(row); err != nil {
						return err
					}
				case len(all) > 1:
					rows = append(rows, row)
				default:
					a.printStatus(row)
				}
			}
			if len(rows) > 0 {
				a.printStatusAll(rows)
			}
			return errors.Join(errs...)
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	l.flags(c)
	return c
}

// status is how a jurisdiction stands now.
func (a *app) status(ctx context.Context, s *store.Store, j task.Jurisdiction) (statusRow, error) {
	row, err := a.statusThen(ctx, s, j)
	if err == nil {
		err = a.lookAtArchive(ctx, s, &row)
	}
	return row, err
}

// statusThen is how a jurisdiction stands by a view of the database at another time, with which the archive is not compared.
func (a *app) statusThen(ctx context.Context, s *store.Store, j task.Jurisdiction) (statusRow, error) {
	row := statusRow{
		Jurisdiction: j.Code, Name: j.Name, LiveFrom: j.LiveFrom, Paused: shownPause(j.Paused), States: map[string]int{}, Letters: map[string]int{},
		Today: a.today(j.Code), now: a.clock().In(a.policies.zone(j.Code)), Database: a.engine(),
	}
	if to := a.cfg.MailOf(j.Code).RedirectTo; to != "" {
		row.RedirectTo = notify.Mask(to)
	}
	for _, look := range []func(context.Context, *store.Store, *statusRow) error{
		a.lookAtDay, a.countRegister, a.lookAtDelivery, a.lookAtSlots,
	} {
		if err := look(ctx, s, &row); err != nil {
			return row, err
		}
	}
	var err error
	if row.Addressees, err = a.addressees(ctx, s, j.Code); err != nil {
		return row, err
	}
	if row.Versions, err = a.versionsDiffer(ctx, s, j.Code); err != nil {
		return row, err
	}
	doubt, err := a.doubt(ctx, s)
	if err != nil {
		return row, err
	}
	row.Sending = a.sending(s, row, doubt)
	row.Needs = row.needs(doubt)
	return row, nil
}

// shownPause is a pause as it is shown: who and why stand there for the operator, numbers and addresses in the words do not.
func shownPause(p *task.Pause) *task.Pause {
	if p == nil {
		return nil
	}
	shown := *p
	shown.Why = notify.MaskFree(p.Why)
	return &shown
}

// engine is that of the register, also where a copy of it is looked at.
func (a *app) engine() string {
	engine, _, _ := strings.Cut(a.cfg.Database.DSN, ":")
	return engine
}

// lookAtDay says what day it is, and how far the holidays are known.
func (a *app) lookAtDay(_ context.Context, _ *store.Store, row *statusRow) error {
	set, err := a.policies.settings(row.Jurisdiction)
	if err != nil {
		return err
	}
	day := set.Calendar.Day(row.Today)
	row.Workday, row.Day = day.Workday, strings.TrimSpace(day.Reason+" "+day.Name)
	row.Calendar = coverageOf(set.Calendar, row.Today)
	return nil
}

// autumn is the month from which on the next year's holidays should be known: the State Council publishes them in
// October or November.
const autumn = time.October

func coverageOf(cal *workday.Calendar, today civil.Date) coverage {
	year := today.Year()
	c := coverage{}
	const ahead, oldest = 10, 2000 // overrides may give more years than the next
	for y := year + ahead; y >= oldest && c.LastPublished == 0; y-- {
		if cal.Published(civil.Of(y, time.January, 1)) {
			c.LastPublished = y
		}
	}
	switch {
	case c.LastPublished < year:
		c.Missing = year
		c.Warning = fmt.Sprintf("the holidays of %d are not known: letters would leave on days off and count wrongly", year)
	case c.LastPublished == year && today.Month() >= autumn:
		c.Missing = year + 1
		c.Warning = fmt.Sprintf("the holidays of %d are not known: its weekdays count as workdays and letters say 暂定", year+1)
	}
	return c
}

// countRegister counts what the register holds. What is settled is counted from an index; what may still change is folded.
func (a *app) countRegister(ctx context.Context, s *store.Store, row *statusRow) error {
	code, today := row.Jurisdiction, row.Today
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
	return a.census(ctx, s, row)
}

// census counts obligations by state, and what is overdue.
func (a *app) census(ctx context.Context, s *store.Store, row *statusRow) error {
	settled, err := s.Settled(ctx, row.Jurisdiction, row.Today)
	if err != nil {
		return err
	}
	for _, t := range settled {
		row.Obligations += t.N
		row.States[string(t.State)] += t.N
	}
	recs, err := s.Unsettled(ctx, row.Jurisdiction, row.Today)
	if err != nil {
		return err
	}
	late := map[string]bool{}
	for _, rec := range recs {
		o, err := a.obligationRow(rec, "", row.Today)
		if err != nil {
			return err
		}
		row.Obligations++
		row.States[string(o.State)]++
		if o.Overdue {
			row.Overdue++
			late[o.Unit] = true
		}
		if o.State == task.Waiting && (o.PastAtIssue || o.Inherited) && !o.Overdue {
			row.Unconfirmed++
		}
	}
	row.UnitsOverdue = len(late)
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
		row.Held = groupHeld(held, a.today(code))
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
func groupHeld(letters []notice.Notice, today civil.Date) []heldGroup {
	out := make([]heldGroup, 0, 2)
	for _, n := range letters {
		l := heldOf(n)
		reason, do := l.said(), ""
		if n.NextTry.IsZero() {
			do = l.do(today)
		}
		i := slices.IndexFunc(out, func(g heldGroup) bool { return g.Reason == reason && g.Do == do && g.Until.Equal(n.NextTry) })
		if i < 0 {
			i = len(out)
			out = append(out, heldGroup{Reason: reason, Until: n.NextTry, First: n.ID, Do: do})
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
