package notice

import (
	"fmt"
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
	Unknown    State = "unknown"    // broken after the final dot: it may have arrived, and a person decides
	Held       State = "held"       // awaits release or a window
	Superseded State = "superseded" // a later letter took over its open items
	Cancelled  State = "cancelled"  // every item closed before it left, or a person says so
	Recorded   State = "recorded"   // of a day that was filled in afterwards: planned, never sent, and taken as served on its day
)

// States lists every state, in the order of a letter's life.
func States() []State {
	return []State{Pending, Held, Sending, Retry, Unknown, Sent, Recorded, Failed, Superseded, Cancelled}
}

// Open reports whether the letter may still leave.
func (s State) Open() bool { return s == Pending || s == Retry || s == Held }

// Cause is what moves a letter from one state to another.
type Cause string

// The causes of a transition.
const (
	Claim     Cause = "claim"     // a worker takes it
	PutBack   Cause = "put-back"  // the worker did not begin it
	Deliver   Cause = "deliver"   // all recipients settled, To accepted
	Defer     Cause = "defer"     // a temporary failure
	Refuse    Cause = "refuse"    // a permanent failure, or the deadline has passed
	Break     Cause = "break"     // the connection broke after the final dot
	Expire    Cause = "expire"    // the lease ran out before any final dot
	Vanish    Cause = "vanish"    // the lease ran out after a final dot may have been sent
	Resend    Cause = "resend"    // an unknown ordinary letter is sent once more; or an operator says so
	Resolve   Cause = "resolve"   // an operator says it arrived, or was served otherwise
	Hold      Cause = "hold"      // kept back
	Release   Cause = "release"   // let go
	Hasten    Cause = "hasten"    // an operator wants the next try at once
	Reopen    Cause = "reopen"    // an operator wants a letter that was refused tried again
	Supersede Cause = "supersede" // taken over by a later letter
	Cancel    Cause = "cancel"    // nothing left to say, or a person says so
	Record    Cause = "record"    // its day is filled in afterwards; it is not to be sent
	Dispatch  Cause = "dispatch"  // the days it was planned among are all filled in, and it is to leave after all
	Prove     Cause = "prove"     // the archive proves that it left, though the database, restored, did not know
)

// Next is the one transition function. It refuses what is not in the table; the diagram in the package's doc shows it.
func Next(s State, c Cause) (State, error) {
	switch s {
	case Pending:
		switch c {
		case Claim:
			return Sending, nil
		case Hold:
			return Held, nil
		case Record:
			return Recorded, nil
		}
	case Retry:
		switch c {
		case Claim:
			return Sending, nil
		case Hold:
			return Held, nil
		case Hasten:
			return Retry, nil
		}
	case Held:
		switch c {
		case Release:
			return Pending, nil
		case Resolve:
			return Sent, nil
		}
	case Sending:
		switch c {
		case Deliver:
			return Sent, nil
		case Defer, Expire:
			return Retry, nil
		case Refuse:
			return Failed, nil
		case Break, Vanish:
			return Unknown, nil
		case PutBack:
			return Pending, nil
		}
	case Unknown:
		switch c {
		case Resend:
			return Retry, nil
		case Resolve:
			return Sent, nil
		}
	case Failed:
		switch c {
		case Reopen:
			return Retry, nil
		case Resolve:
			return Sent, nil
		}
	}
	switch {
	case c == Dispatch && s == Recorded:
		return Pending, nil
	case c == Supersede && s == Recorded:
		return Superseded, nil
	case c == Prove && (s.Open() || s == Failed || s == Unknown):
		return Sent, nil
	case c == Supersede && (s.Open() || s == Failed):
		return Superseded, nil
	case c == Cancel && (s.Open() || s == Sending || s == Failed || s == Unknown):
		return Cancelled, nil
	}
	return s, fmt.Errorf("move a letter that is %s by %s: not a transition", s, c)
}

// Then applies several causes one after the other, as one step.
func Then(s State, causes ...Cause) (State, error) {
	for _, c := range causes {
		to, err := Next(s, c)
		if err != nil {
			return s, err
		}
		s = to
	}
	return s, nil
}

// Lost returns the causes of a letter whose fate is unknown: an ordinary one is sent once more under the same Message-ID,
// so that a mailbox that has it already can tell; after that, and a formal one at once, it waits for a person. c is
// Break or Vanish.
func (n Notice) Lost(c Cause) []Cause {
	if !n.Key.Formal() && !n.Resent {
		return []Cause{c, Resend}
	}
	return []Cause{c}
}
