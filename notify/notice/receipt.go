package notice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"duban/jobs/civil"
)

// Outcome is what one attempt at one recipient came to.
type Outcome string

// The outcomes of an attempt.
const (
	OutcomeAccepted  Outcome = "accepted"  // the server took responsibility after the final dot
	OutcomeTemporary Outcome = "temporary" // 4xx, or any failure before the final dot
	OutcomePermanent Outcome = "permanent" // 5xx, or an address that can never work
	OutcomeUnknown   Outcome = "unknown"   // broken after the final dot
)

// Phase is how far an attempt had got when it ended.
type Phase string

// The phases of an attempt, in order. Those up to PhaseLogin concern the server and not the letter.
const (
	PhaseCompose   Phase = "compose"   // writing the letter and its copy for the archive
	PhaseConnect   Phase = "connect"   // name, TCP
	PhaseGreeting  Phase = "greeting"  // the server's first line
	PhaseHello     Phase = "hello"     // EHLO
	PhaseTLS       Phase = "tls"       // STARTTLS, the handshake, the certificate
	PhaseLogin     Phase = "login"     // AUTH
	PhaseSender    Phase = "sender"    // MAIL FROM
	PhaseRecipient Phase = "recipient" // RCPT TO
	PhaseData      Phase = "data"      // DATA
	PhaseBody      Phase = "body"      // the letter itself
	PhaseAnswer    Phase = "answer"    // after the final dot
)

// AboutServer reports whether a failure in this phase says something of the server only.
func (p Phase) AboutServer() bool {
	switch p {
	case PhaseConnect, PhaseGreeting, PhaseHello, PhaseTLS, PhaseLogin:
		return true
	case PhaseCompose, PhaseSender, PhaseRecipient, PhaseData, PhaseBody, PhaseAnswer:
	}
	return false
}

// Classify decides what a reply in a phase means. Code is the three digits of the reply, 0 where none came; enhanced is
// as in "5.1.1", empty where none came.
//
//   - before a letter is begun nothing is final: what is wrong with the server is temporary whatever its code
//   - the final dot answered with 2xx is accepted; answered with nothing, or with what is no answer, unknown
//   - 4xx, and any failure before the final dot, is temporary; so is 5xx where its enhanced code says 4 (RFC 3463)
//   - 5xx is permanent
func Classify(phase Phase, code int, enhanced string) Outcome {
	switch {
	case phase.AboutServer():
		return OutcomeTemporary
	case phase == PhaseAnswer && code/100 == 2:
		return OutcomeAccepted
	case code/100 == 4:
		return OutcomeTemporary
	case code/100 == 5 && strings.HasPrefix(enhanced, "4."):
		return OutcomeTemporary
	case code/100 == 5:
		return OutcomePermanent
	case phase == PhaseAnswer:
		return OutcomeUnknown
	}
	return OutcomeTemporary
}

// Receipt is what became of one attempt at one recipient's copy.
type Receipt struct {
	Recipient int     `json:"recipient"` // index into Facts.Recipients
	Email     string  `json:"email"`     // where it really went: differs under mail.redirect_to
	Copy      bool    `json:"copy,omitempty"`
	Outcome   Outcome `json:"outcome"`
	Phase     Phase   `json:"phase,omitempty"`
	Code      int     `json:"code,omitempty"`     // of the reply; 0: none came
	Enhanced  string  `json:"enhanced,omitempty"` // 5.1.1
	Reply     string  `json:"reply"`              // the server's words, or the error's
	// SHA256 and Bytes are of what was handed over, in hex and as it stands in the archive.
	SHA256 string        `json:"sha256,omitempty"`
	Bytes  int           `json:"bytes,omitempty"`
	Took   time.Duration `json:"took"` // kept to the millisecond
	Worker string        `json:"worker,omitempty"`
	At     time.Time     `json:"at"`
	Versions
}

// String is the reply in one line: "550 5.1.1 no such mailbox".
func (r Receipt) String() string {
	var words []string
	if r.Code != 0 {
		words = append(words, strconv.Itoa(r.Code))
	}
	for _, w := range []string{r.Enhanced, r.Reply} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// How the reasons of letters begin that were sent a second time, or were given up.
const (
	OnceMore = "sent once more after an unknown outcome"
	GivenUp  = "given up at its deadline; the last: "
)

// NotBegun returns a receipt of each recipient, readers first, of whom there is none: its mail has yet to be tried.
func NotBegun(recipients []Recipient, receipts []Receipt) []Receipt {
	var readers, copies []Receipt
	for i, rcpt := range recipients {
		if slices.ContainsFunc(receipts, func(r Receipt) bool { return r.Recipient == i && r.Outcome != "" }) {
			continue
		}
		r := Receipt{Recipient: i, Copy: rcpt.Copy, Outcome: OutcomeTemporary, Reply: "not begun"}
		if rcpt.Copy {
			copies = append(copies, r)
		} else {
			readers = append(readers, r)
		}
	}
	return append(readers, copies...)
}

// Words says of each recipient whose mail was not accepted what became of it.
func Words(receipts []Receipt) string {
	var why []string
	for _, r := range receipts {
		if r.Outcome != OutcomeAccepted {
			who := "reader"
			if r.Copy {
				who = "copy"
			}
			why = append(why, fmt.Sprintf("%s %s at %s: %s", who, r.Outcome, r.Phase, r))
		}
	}
	return strings.Join(why, "; ")
}

// Trouble is what a receipt says of its address.
type Trouble string

// The kinds of trouble. A receipt that concerns the server, the sender or the letter says nothing of the address.
const (
	NoTrouble   Trouble = ""
	TroubleOver Trouble = "over" // it was accepted
	TroubleSoft Trouble = "soft" // 4xx to RCPT: not for the time being
	TroubleHard Trouble = "hard" // refused by a reply about this recipient
)

// Trouble says what the receipt means for its address: it is bad only by a reply about that recipient, to RCPT or with
// an enhanced code 5.1.x (RFC 3463: bad destination), or where no mail can be addressed to it at all.
func (r Receipt) Trouble() Trouble {
	about := r.Phase == PhaseRecipient || strings.HasPrefix(r.Enhanced, "5.1.") && r.Phase != PhaseSender
	switch r.Outcome {
	case OutcomeAccepted:
		return TroubleOver
	case OutcomePermanent:
		switch {
		case about && (r.Code == 552 || strings.HasPrefix(r.Enhanced, "5.2.2")): // the mailbox is full: it is the right one
			return TroubleSoft
		case about:
			return TroubleHard
		}
	case OutcomeTemporary:
		if r.Phase == PhaseRecipient && r.Code/100 == 4 && r.Code != 421 {
			return TroubleSoft
		}
	case OutcomeUnknown:
	}
	return NoTrouble
}

// Mark asks for a letter's data_at: a final dot of it may be sent from now on.
type Mark struct {
	ID, Token string
	// Date is the letter's logical date, which says where it lies; where it is zero the letter is looked for.
	Date civil.Date
}

// Settlement ends a claim.
type Settlement struct {
	ID, Token string
	Date      civil.Date // as in Mark
	// Causes are applied one after the other, from Sending.
	Causes []Cause
	// Tries, NextTry and Reason are what the letter keeps.
	Tries   int
	NextTry time.Time
	Reason  string
	// Receipts are of this attempt. They are recorded even where the claim was lost: what a server said is a fact.
	Receipts []Receipt
}

// Move is one entry of a letter's history besides its attempts: what a person, the door or a recovery did with it.
type Move struct {
	Notice string    `json:"notice"`
	N      int       `json:"n"` // from 1
	At     time.Time `json:"at"`
	From   State     `json:"from"`
	To     State     `json:"to"`
	Cause  Cause     `json:"cause"` // the last one where there were several
	Reason string    `json:"reason"`
	By     string    `json:"by"`
}

// Brake keeps letters back for a while.
type Brake struct {
	// Scope is "account:HOST/LOGIN" (all letters of an account) or "domain:HOST/LOGIN:DOMAIN" (those to one domain).
	Scope    string    `json:"scope"`
	Failures int       `json:"failures"` // in a row
	Since    time.Time `json:"since"`    // the first of them
	Until    time.Time `json:"until"`    // closed until then; after it one letter is let through to see
	Reason   string    `json:"reason"`
	By       string    `json:"by"` // the worker that saw it
}

// Health is an address with trouble.
type Health struct {
	Address string    `json:"address"` // lower case
	Hard    bool      `json:"hard"`
	Soft    int       `json:"soft"`  // temporary refusals in a row
	Since   time.Time `json:"since"` // the first
	Last    time.Time `json:"last"`
	Reply   string    `json:"reply"` // the latest
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
