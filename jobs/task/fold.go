package task

import (
	"cmp"
	"fmt"
	"slices"

	"duban/jobs/civil"
)

// State is what the fold of an obligation's events comes to.
type State string

// The states of an obligation. Everything but waiting is closed to the ladder.
const (
	Waiting  State = "waiting"     // 未报
	Answered State = "answered"    // reported, the bureau has not answered yet
	Finished State = "done"        // 已办结
	Settled  State = "settled"     // a past or inherited item, confirmed without being counted
	Void     State = "waived"      // 不适用
	Dropped  State = "withdrawn"   // the row left the plan
	Moved    State = "transferred" // another unit took it over
)

// Workdays is what the fold asks of a calendar.
type Workdays interface {
	// Add returns the n-th workday after d.
	Add(d civil.Date, n int) civil.Date
	// Count returns the number of workdays after from up to and including to.
	Count(from, to civil.Date) int
}

// Terms are the settings the fold depends on.
type Terms struct {
	// AcceptAfter is the number of workdays the bureau has to answer a report before it counts as accepted.
	AcceptAfter int
}

// Status is an obligation as of a day.
type Status struct {
	State State
	// Arm counts the times the ladder was armed anew: by a granted extension, a reopening, an edit of the date.
	Arm int
	// Armed is the day the present arm began; that of the first is the day of opening.
	Armed                      civil.Date
	Nominal, Effective, Assess civil.Date
	// Since is the day the state has stood since.
	Since civil.Date
	// Reported is the day of the report that stands; Accepted the day it was accepted, ByDefault where nobody answered.
	Reported, Accepted civil.Date
	ByDefault          bool
	// Late is the number of workdays from Assess to the report that was accepted, less those Waited; 0 is on time.
	// Missed stays missed.
	Late int
	// Waited is the number of workdays after Assess on which a report lay with the bureau, or the item was closed, until
	// it was returned or reopened: time that never counts against the unit.
	Waited    int
	Count     int
	Contacted civil.Date // the last time the unit was told by other means
	Asked     civil.Date // an extension request waiting for an answer
	AskedFor  civil.Date // the date it asks for; 0: none named
	Returned  bool
	Extended  bool
	// Unconfirmed: past at issue or inherited, not settled and not reopened. Listed, neither chased nor counted.
	Unconfirmed bool
	// HeldUntil is the last day on which the bureau keeps urging and forms back, 0 where it does not; HeldWhy its reason.
	HeldUntil civil.Date
	HeldWhy   string
	// Checked is the day a person last compared the register with the facts.
	Checked civil.Date
	// Figures are those of the report that stands; Nil says that it is a nil return.
	Figures map[string]int64
	Nil     bool
}

// Open reports whether the obligation waits for the unit.
func (s Status) Open() bool { return s.State == Waiting }

// Chased reports whether the ladder may speak: the obligation waits, and is not merely listed for confirmation.
func (s Status) Chased() bool { return s.State == Waiting && !s.Unconfirmed }

// Sort orders events as the fold reads them: by the date they count from, then as they were recorded.
func Sort(events []Event) []Event {
	out := slices.Clone(events)
	slices.SortStableFunc(out, foldOrder)
	return out
}

func foldOrder(a, b Event) int { return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Seq, b.Seq)) }

// InForce returns the events with On ≤ d that no correction (itself with On ≤ d) has voided, in fold order. They may be those
// that were given, which is what most items have: a few in their order, none voided.
func InForce(events []Event, d civil.Date) []Event {
	if plain(events, d) {
		return events[:len(events):len(events)]
	}
	voided := map[int64]bool{}
	for _, e := range events {
		if e.Kind == Corrected && e.On <= d {
			voided[e.Voids] = true
		}
	}
	var out []Event
	for _, e := range Sort(events) {
		if e.On <= d && e.Kind != Corrected && !voided[e.Seq] {
			out = append(out, e)
		}
	}
	return out
}

// plain reports whether all events are in force on day d and stand in fold order.
func plain(events []Event, d civil.Date) bool {
	for i, e := range events {
		if e.On > d || e.Kind == Corrected || i > 0 && foldOrder(events[i-1], e) > 0 {
			return false
		}
	}
	return true
}

// Fold returns the state of an obligation as of day d: a pure function of what was opened and what happened since.
func Fold(o Obligation, events []Event, d civil.Date, w Workdays, terms Terms) Status {
	s := Status{
		State: Waiting, Since: o.Opened, Armed: o.Opened, Nominal: o.Nominal, Effective: o.Effective, Assess: o.Assess,
		Unconfirmed: o.PastAtIssue || o.Inherited,
	}
	counted := map[string]bool{}
	for _, e := range InForce(events, d) {
		s.acceptByDefault(e.On-1, w, terms)
		s.apply(o, e, counted, w)
	}
	s.acceptByDefault(d, w, terms)
	if s.State == Finished {
		s.Late = max(0, w.Count(s.Assess, s.Reported)-s.Waited)
	}
	if d > s.HeldUntil {
		s.HeldUntil, s.HeldWhy = 0, ""
	}
	return s
}

// Latest returns the state of an obligation after all its events, whatever their date: as of the day of the last of
// them, so that a report still waits for the bureau's answer although one day it counts as accepted.
func Latest(o Obligation, events []Event, w Workdays, terms Terms) Status {
	last := o.Opened
	for _, e := range events {
		last = max(last, e.On)
	}
	return Fold(o, events, last, w, terms)
}

// acceptByDefault settles a report that the bureau left unanswered for AcceptAfter workdays, as of the end of day d.
func (s *Status) acceptByDefault(d civil.Date, w Workdays, terms Terms) {
	if s.State != Answered || terms.AcceptAfter <= 0 {
		return
	}
	if last := w.Add(s.Reported, terms.AcceptAfter); d > last {
		s.set(Finished, last)
		s.Accepted, s.ByDefault = last, true
	}
}

func (s *Status) set(to State, on civil.Date) {
	if s.State != to {
		s.State, s.Since = to, on
	}
}

// arm lets the ladder climb anew from day on.
func (s *Status) arm(on civil.Date) { s.Arm, s.Armed = s.Arm+1, on }

// apply is the effect of one event. An event that does not fit the state is without effect: commands refuse it
// beforehand (Check), and an import of history must not make the fold fail.
func (s *Status) apply(o Obligation, e Event, counted map[string]bool, w Workdays) {
	switch e.Kind {
	case Opened, Corrected, Triggered, Clarified: // without effect on the state
	case Confirmed:
		if s.Unconfirmed && s.State == Waiting {
			s.set(Settled, e.On)
		}
	case Reported:
		if s.State == Waiting {
			s.set(Answered, e.On)
			s.Reported, s.Figures, s.Nil = e.On, e.Figures, e.Nil
		}
	case Revised:
		if s.State == Answered || s.State == Finished {
			s.Figures, s.Nil = e.Figures, e.Nil
		}
	case HeldBack:
		s.HeldUntil, s.HeldWhy = e.Date, e.Why
	case LetGo:
		s.HeldUntil, s.HeldWhy = 0, ""
	case Checked:
		s.Checked = e.On
	case Accepted:
		if s.State == Waiting {
			s.Reported, s.Figures, s.Nil = e.On, e.Figures, e.Nil
		}
		if s.State == Waiting || s.State == Answered {
			s.set(Finished, e.On)
			s.Accepted, s.ByDefault, s.Asked, s.AskedFor = e.On, false, 0, 0
		}
	case Returned:
		if s.State == Answered || s.State == Finished && s.ByDefault {
			s.giveBack(e, w)
		}
	case ExtensionAsked:
		if s.State == Waiting && s.Asked == 0 { // asked again while the first request waits: the first one counts
			s.Asked, s.AskedFor = e.On, e.Date
		}
	case ExtensionRefused:
		s.Asked, s.AskedFor = 0, 0
	case ExtensionGranted:
		if s.State == Waiting && e.Date != 0 {
			if s.Asked != 0 && s.Asked <= s.Assess {
				s.judgeOn(max(s.Assess, e.Date))
			}
			s.Effective, s.Asked, s.AskedFor, s.Extended = e.Date, 0, 0, true
			s.arm(e.On)
		}
	case Counted:
		s.count(o, e, counted)
	case Contacted:
		s.Contacted = e.On
	case Waived:
		s.close(Void, e.On)
	case Withdrawn:
		s.close(Dropped, e.On)
	case Transferred:
		s.close(Moved, e.On)
	case Reopened:
		s.reopen(e, w)
	case Redated:
		s.redate(e)
	}
}

// redate moves an item that is not closed to the date of an edited plan. What is done keeps its dates: done late stays
// done late. A past item that gets a date to come is no longer one to be merely confirmed.
func (s *Status) redate(e Event) {
	if e.Date == 0 || s.State != Waiting && s.State != Answered {
		return
	}
	s.Nominal, s.Effective = e.Date, e.Date
	s.judgeOn(e.Date)
	s.Extended = false
	s.Unconfirmed = s.Unconfirmed && e.Date < e.On
	s.arm(e.On)
}

// judgeOn sets the assess date. What was waited after an earlier one is of no account then.
func (s *Status) judgeOn(d civil.Date) {
	if d != s.Assess {
		s.Assess, s.Waited = d, 0
	}
}

// rest settles how an item that was closed since day closed is judged when it opens again: one that was in time by the
// new date, if there is one; one that was late stays late, but the time it was closed does not count.
func (s *Status) rest(closed civil.Date, e Event, w Workdays) {
	if closed <= s.Assess && e.Date > s.Assess {
		s.judgeOn(e.Date)
		return
	}
	s.Waited += max(0, w.Count(max(closed, s.Assess), e.On))
}

// giveBack opens a returned report again, at the rung it had left and with a new firm date.
func (s *Status) giveBack(e Event, w Workdays) {
	s.rest(s.Reported, e, w)
	if e.Date != 0 {
		s.Effective = e.Date
	}
	s.set(Waiting, e.On)
	s.Reported, s.Accepted, s.ByDefault, s.Returned = 0, 0, false, true
	s.Figures, s.Nil = nil, false
}

func (s *Status) count(o Obligation, e Event, counted map[string]bool) {
	if e.Ref != "" {
		if counted[e.Ref] {
			return
		}
		counted[e.Ref] = true
	}
	s.Count += e.N
	if o.Quota > 0 && s.Count >= o.Quota && s.State == Waiting {
		s.set(Finished, e.On)
		s.Reported, s.Accepted = e.On, e.On
	}
}

func (s *Status) close(to State, on civil.Date) {
	if s.State == Waiting || s.State == Answered {
		s.set(to, on)
		s.Asked, s.AskedFor = 0, 0
	}
}

func (s *Status) reopen(e Event, w Workdays) {
	if s.State == Waiting && !s.Unconfirmed || s.State == Answered {
		return
	}
	switch {
	case s.Unconfirmed && e.Date != 0:
		s.judgeOn(e.Date)
	case s.Unconfirmed:
	case s.State == Finished:
		s.rest(s.Reported, e, w)
	default:
		s.rest(s.Since, e, w)
	}
	if e.Date != 0 {
		s.Effective = e.Date
	}
	s.State, s.Since = Waiting, e.On
	s.Reported, s.Accepted, s.ByDefault, s.Unconfirmed = 0, 0, false, false
	s.Figures, s.Nil = nil, false
	s.arm(e.On)
}

// Check says whether an event may be recorded on an obligation that stands at s on the event's day. The error says
// what to do instead.
func Check(o Obligation, s Status, e Event) error {
	refuse := func(do string) error {
		return fmt.Errorf("record %s on %s: it is %s since %s; %s", e.Kind, o.Ref, s.State, s.Since, do)
	}
	if e.On < o.Opened && e.Kind != Opened {
		return fmt.Errorf("record %s on %s: %s is before it was opened on %s", e.Kind, o.Ref, e.On, o.Opened)
	}
	switch e.Kind {
	case Confirmed:
		if !s.Unconfirmed || s.State != Waiting {
			return refuse("only an item past at issue or inherited is confirmed")
		}
	case Reported:
		if s.State == Answered {
			return refuse("accept or return that report first")
		}
		if s.State != Waiting {
			return refuse("no report is awaited; reopen it first")
		}
	case Accepted:
		if s.State != Waiting && s.State != Answered {
			return refuse("there is nothing to accept")
		}
	case Returned:
		if s.State != Answered && !(s.State == Finished && s.ByDefault) {
			return refuse("there is no unanswered report to return; to ask for more, reopen it with a new date")
		}
		if e.Date == 0 {
			return fmt.Errorf("record returned on %s: a returned report needs a new firm date", o.Ref)
		}
		if e.Date <= e.On {
			return fmt.Errorf("record returned on %s: the new date %s must be after %s", o.Ref, e.Date, e.On)
		}
		if e.Date < s.Effective {
			return fmt.Errorf("record returned on %s: the new date %s is before %s, which the unit has anyway", o.Ref, e.Date, s.Effective)
		}
	case Waived, Withdrawn, Transferred:
		if s.State != Waiting && s.State != Answered {
			return refuse("it is closed already; reopen it first")
		}
	case Reopened:
		if s.State == Answered || s.State == Waiting && !s.Unconfirmed {
			return refuse("it is not closed, so there is nothing to reopen")
		}
		if e.Date != 0 && e.Date < s.Effective {
			return fmt.Errorf("record reopened on %s: the new date %s is before %s, which the unit has anyway", o.Ref, e.Date, s.Effective)
		}
	case Counted:
		if o.Quota == 0 {
			return fmt.Errorf("record counted on %s: it has no quota; use report", o.Ref)
		}
		if e.N <= 0 {
			return fmt.Errorf("record counted on %s: the number must be positive", o.Ref)
		}
	case ExtensionAsked, ExtensionGranted:
		if s.State != Waiting {
			return refuse("only an open item can be extended")
		}
		if e.Kind == ExtensionGranted && e.Date <= s.Effective {
			return fmt.Errorf("record %s on %s: the new date %s is not after %s", e.Kind, o.Ref, e.Date, s.Effective)
		}
	case ExtensionRefused:
		if s.Asked == 0 {
			return fmt.Errorf("record %s on %s: no extension was asked", e.Kind, o.Ref)
		}
	case Contacted:
		if s.State != Waiting {
			return refuse("the unit owes nothing now")
		}
	case HeldBack, LetGo, Checked, Revised:
		return checkHand(o, s, e, refuse)
	case Opened, Corrected, Triggered, Clarified, Redated:
	}
	return nil
}

// checkHand is Check for what the bureau does beside answering.
func checkHand(o Obligation, s Status, e Event, refuse func(do string) error) error {
	switch e.Kind {
	case HeldBack:
		if s.State != Waiting {
			return refuse("nothing is said about it anyway")
		}
		if e.Date < e.On {
			return fmt.Errorf("record held on %s: its last day %s is before %s", o.Ref, e.Date, e.On)
		}
	case LetGo:
		if s.HeldUntil == 0 {
			return fmt.Errorf("record let-go on %s: it is not held", o.Ref)
		}
	case Checked:
		if s.State != Waiting {
			return refuse("there is nothing to urge")
		}
		if s.Unconfirmed {
			return fmt.Errorf("record checked on %s: it is past at issue or inherited; confirm it, or reopen it to have it chased", o.Ref)
		}
	case Revised:
		if s.State != Answered && s.State != Finished {
			return refuse("there is no report whose figures could be revised")
		}
	}
	return nil
}

// FinalFrom returns the day since which the fold comes to what it comes to now and for ever, if no event is added:
// civil.Never while the obligation waits, or its report waits for the bureau's answer; of a report that is left unanswered,
// the workday after it is accepted by default.
func FinalFrom(o Obligation, events []Event, w Workdays, terms Terms) civil.Date {
	last := o.Opened
	for _, e := range events {
		last = max(last, e.On)
	}
	switch st := Fold(o, events, last, w, terms); {
	case st.State == Waiting, st.State == Answered && terms.AcceptAfter <= 0:
		return civil.Never
	case st.State == Answered:
		return max(last, w.Add(st.Reported, terms.AcceptAfter)+1)
	}
	return last
}

// ClosedFrom returns the day since which the obligation is closed for good, as far as its events say, and civil.Never
// while it waits. It looks at all events, whatever their date, and asks each of their days: a state's Since is no help,
// since a correction may have closed again what was open meanwhile, and a report that is accepted closed it before.
func ClosedFrom(o Obligation, events []Event, w Workdays, terms Terms) civil.Date {
	days := make([]civil.Date, 0, len(events))
	for _, e := range events {
		days = append(days, e.On)
	}
	slices.Sort(days)
	from := civil.Never
	for _, d := range slices.Backward(slices.Compact(days)) {
		if Fold(o, events, d, w, terms).Open() {
			break
		}
		from = d
	}
	return from
}
