package notice

import (
	"fmt"
	"time"
)

// State is how far a letter got.
type State string

// The states of a letter.
const (
	Pending    State = "pending"    // planned, may be claimed
	Sending    State = "sending"    // claimed by a worker under a lease
	Sent       State = "sent"       // every recipient is settled and the To reader's copy was accepted
	Retry      State = "retry"      // failed for the time being; may be claimed from NextTry
	Failed     State = "failed"     // refused for good
	Unknown    State = "unknown"    // broken after the final dot: it may have arrived
	Held       State = "held"       // awaits release or a window
	Superseded State = "superseded" // a later letter took over its open items
	Cancelled  State = "cancelled"  // every item closed before it left
)

// Open reports whether the letter may still leave.
func (s State) Open() bool { return s == Pending || s == Retry || s == Held }

// Cause is what moves a letter from one state to another.
type Cause string

// The causes of a transition.
const (
	Claim     Cause = "claim"     // a worker takes it
	Deliver   Cause = "deliver"   // all recipients settled, To accepted
	Defer     Cause = "defer"     // a temporary failure
	Refuse    Cause = "refuse"    // a permanent failure
	Break     Cause = "break"     // the connection broke after the final dot
	Expire    Cause = "expire"    // the lease ran out before any final dot
	Vanish    Cause = "vanish"    // the lease ran out after a final dot may have been sent
	Resend    Cause = "resend"    // an unknown ordinary letter is sent once more; or an operator says so
	Resolve   Cause = "resolve"   // an operator says it arrived, or was served otherwise
	Hold      Cause = "hold"      // kept back
	Release   Cause = "release"   // let go
	Supersede Cause = "supersede" // taken over by a later letter
	Cancel    Cause = "cancel"    // nothing left to say
)

// Next is the one transition function. It refuses what is not in the table.
func Next(s State, c Cause) (State, error) {
	type move struct {
		from State
		by   Cause
	}
	to, ok := map[move]State{
		{Pending, Claim}: Sending, {Retry, Claim}: Sending,
		{Sending, Deliver}: Sent, {Sending, Defer}: Retry, {Sending, Refuse}: Failed, {Sending, Break}: Unknown,
		{Sending, Expire}: Retry, {Sending, Vanish}: Unknown,
		{Unknown, Resend}: Retry, {Unknown, Resolve}: Sent, {Failed, Resend}: Retry, {Failed, Resolve}: Sent,
		{Pending, Hold}: Held, {Retry, Hold}: Held, {Held, Release}: Pending,
		{Pending, Supersede}: Superseded, {Retry, Supersede}: Superseded, {Held, Supersede}: Superseded,
		{Pending, Cancel}: Cancelled, {Retry, Cancel}: Cancelled, {Held, Cancel}: Cancelled,
	}[move{s, c}]
	if !ok {
		return s, fmt.Errorf("move a letter that is %s by %s: not a transition", s, c)
	}
	return to, nil
}

// Outcome is what one attempt at one recipient came to.
type Outcome string

// The outcomes of an attempt.
const (
	OutcomeAccepted  Outcome = "accepted"  // the server took responsibility after the final dot
	OutcomeTemporary Outcome = "temporary" // 4xx, or any failure before the final dot
	OutcomePermanent Outcome = "permanent" // 5xx, or an address that can never work
	OutcomeUnknown   Outcome = "unknown"   // broken after the final dot
)

// Receipt is what the mail server said to one recipient's copy.
type Receipt struct {
	Recipient int       `json:"recipient"` // index into Facts.Recipients
	Email     string    `json:"email"`     // where it really went: differs under mail.redirect_to
	Copy      bool      `json:"copy,omitempty"`
	Outcome   Outcome   `json:"outcome"`
	Reply     string    `json:"reply"`
	SHA256    string    `json:"sha256"` // of the bytes handed over
	At        time.Time `json:"at"`
}

// TrialRun stands in the reason of a letter that was sent while mail.redirect_to held: its reader never had it, so that no
// later letter may say that he was told.
const TrialRun = "(trial run: it went to mail.redirect_to)"

// Settle says what the receipts of one letter (the latest per recipient) make of it. The To reader decides: a copy that
// could not be delivered never makes a letter failed, and a copy that may still be delivered keeps it in retry only
// where the reader's own copy was accepted. A letter that has no reader is refused.
func Settle(receipts []Receipt) Cause {
	worst := []Cause{Refuse, Deliver, Defer, Break} // of several readers, in rising order; the first where there is none
	reader, copies := 0, false
	for _, r := range receipts {
		if r.Copy {
			copies = copies || r.Outcome == OutcomeTemporary
			continue
		}
		switch r.Outcome {
		case OutcomeAccepted:
			reader = max(reader, 1)
		case OutcomeTemporary:
			reader = max(reader, 2)
		case OutcomeUnknown:
			reader = max(reader, 3)
		case OutcomePermanent:
			return Refuse
		}
	}
	if worst[reader] == Deliver && copies {
		return Defer
	}
	return worst[reader]
}
