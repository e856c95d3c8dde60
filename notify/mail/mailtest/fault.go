package mailtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Phase is a point of a session at which the server may misbehave.
type Phase int

// The phases in the order of a session.
const (
	AtAccept   Phase = iota // the connection is made; before TLS and the banner
	AtTLS                   // instead of the handshake: after STARTTLS's 220, or at once when implicit
	AtBanner                // the 220
	AtEhlo                  // the answer to EHLO or HELO
	AtStartTLS              // the answer to STARTTLS
	AtAuth                  // the last answer of AUTH
	AtMail                  // the answer to MAIL
	AtRcpt                  // the answer to RCPT
	AtData                  // the answer to DATA
	AtBody                  // while the content comes, after Action.After octets of it
	AtDot                   // the answer to the final dot
	AtRset                  // the answer to RSET
	AtNoop                  // the answer to NOOP
	AtQuit                  // the answer to QUIT
	Phases                  // how many there are
)

func (p Phase) String() string {
	names := [Phases]string{"accept", "tls", "banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "noop", "quit"}
	if p < 0 || p >= Phases {
		return fmt.Sprintf("phase %d", int(p))
	}
	return names[p]
}

// Do is a manner of answering.
type Do int

// The manners of answering. Where Action.Code is set it replaces the answer the
// server would have given.
const (
	Pass    Do = iota // as if there were no fault
	Answer            // Code and Text; a 421 closes the connection after it
	Hang              // no answer, ever, until the other side closes; AtBody stops reading, so only DropConnections and Stop end it
	Drop              // close without an answer
	Reset             // close with a TCP reset
	Slow              // the answer octet by octet, Pause before each; at AtBody: read 512 octets at a time
	Delay             // the answer after Pause
	Garbage           // octets that are no SMTP answer; the session goes on
	Cut               // the first Bytes octets of the answer, then close
)

// Action is what the server does at one phase.
//
// A command answered with a Code of 400 and more, with Hang, Drop, Reset or
// Garbage is not carried out: at AtDot the mail is not recorded. Accept carries
// it out all the same, which makes the mail's fate unknown to the client.
type Action struct {
	Do     Do
	Code   int
	Text   string // may hold \n: a reply of several lines
	Pause  time.Duration
	Bytes  int  // of Cut
	After  int  // of AtBody: octets of content to receive before; at the latest at its end
	Accept bool // take responsibility for the mail before misbehaving
}

// Refusal answers with a code and a text, such as "5.1.1 no such user".
func Refusal(code int, text string) Action { return Action{Do: Answer, Code: code, Text: text} }

// AcceptThenDrop takes the mail and closes without a word: the unknown outcome.
func AcceptThenDrop() Action { return Action{Do: Drop, Accept: true} }

// DropBeforeAccept closes without having taken the mail.
func DropBeforeAccept() Action { return Action{Do: Drop} }

// refuses says whether the command is not carried out.
func (a Action) refuses() bool {
	if a.Accept {
		return false
	}
	return a.Code >= 400 || a.Do == Hang || a.Do == Drop || a.Do == Reset || a.Do == Garbage
}

// Event is what is known at a phase. Slices are valid during the call only.
type Event struct {
	Phase     Phase
	Conn      int      // number of the connection on this server, from 1
	Mail      int      // number of the mail on this connection, from 1; 0 before the first MAIL
	From      string   // envelope sender
	To        []string // recipients taken so far
	Rcpt      string   // at AtRcpt: the recipient asked for
	User      string   // who logged in; at AtAuth: who tries to
	TLS       bool
	Size      int    // at AtDot: octets of content
	MessageID string // at AtDot, with its angle brackets
}

// Fault misbehaves at a phase, for some of the events there.
type Fault struct {
	Phase Phase
	Action
	Skip   int     // let the first Skip matching events pass
	Every  int     // then only every Every-th, beginning with the first; 0 and 1: each
	Chance float64 // of those, this share, from the seeded generator; 0: all
	Times  int     // at most so often; 0: no limit
	To     string  // only for this recipient ("a@b.example") or domain ("@b.example"), in any case of letters
	From   string  // only for this envelope sender or domain
	Conn   int     // only on the connection of this number
}

// matches says whether the fault is meant for the event at all.
func (f *Fault) matches(e *Event) bool {
	if f.Phase != e.Phase || f.Conn != 0 && f.Conn != e.Conn || f.From != "" && !addressIs(e.From, f.From) {
		return false
	}
	if f.To == "" {
		return true
	}
	if e.Phase == AtRcpt {
		return addressIs(e.Rcpt, f.To)
	}
	for _, to := range e.To {
		if addressIs(to, f.To) {
			return true
		}
	}
	return false
}

// addressIs compares an address with an address or a domain written @domain.
func addressIs(address, want string) bool {
	if strings.HasPrefix(want, "@") {
		at := strings.LastIndexByte(address, '@')
		return at >= 0 && strings.EqualFold(address[at:], want)
	}
	return strings.EqualFold(address, want)
}

// plan is the set of faults in force with its counters.
type plan struct {
	decide func(Event) Action
	covers [Phases]bool

	mu     sync.Mutex
	faults []faultState
	rng    *rand.Rand
}

type faultState struct {
	Fault
	seen, given int
}

func newPlan(decide func(Event) Action, faults []Fault, seed uint64) *plan {
	p := &plan{decide: decide, rng: rand.New(rand.NewPCG(seed, 0x6d61696c))}
	for _, f := range faults {
		if f.Phase < 0 || f.Phase >= Phases {
			continue
		}
		p.covers[f.Phase] = true
		p.faults = append(p.faults, faultState{Fault: f})
	}
	return p
}

// asks says whether anything could happen at the phase.
func (p *plan) asks(at Phase) bool { return p.decide != nil || p.covers[at] }

// choose takes the first fault that applies, else Pass.
func (p *plan) choose(e *Event) Action {
	if p.decide != nil {
		if a := p.decide(*e); a.Do != Pass {
			return a
		}
	}
	if !p.covers[e.Phase] {
		return Action{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.faults {
		if f := &p.faults[i]; f.matches(e) && f.fires(p.rng) {
			return f.Action
		}
	}
	return Action{}
}

// fires counts one matching event and says whether the fault happens.
func (f *faultState) fires(rng *rand.Rand) bool {
	n := f.seen
	f.seen++
	if n < f.Skip || f.Times > 0 && f.given >= f.Times {
		return false
	}
	if f.Every > 1 && (n-f.Skip)%f.Every != 0 {
		return false
	}
	if f.Chance > 0 && rng.Float64() >= f.Chance {
		return false
	}
	f.given++
	return true
}
