package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"duban/notify/compose"
	"duban/notify/notice"
)

// verdict is how a step ended, or a whole mail. A step that went well has none.
type verdict struct {
	phase    notice.Phase
	code     int
	enhanced string
	text     string
	outcome  notice.Outcome // where it is not the phase's and the code's to decide
	bytes    int            // of the mail, once any of it was written
	lost     bool           // the connection is of no more use
	broken   bool           // no reply came: the connection failed
	// early: this ended the connection before anything was answered to the mail's own commands.
	early early
}

// early says how a connection ended before it said anything of the mail. Whether another one is made then depends on what
// it was used for before.
type early int

// The ways.
const (
	_         early = iota
	earlyLost       // it was closed
	earlyBye        // 421 to the first command
	earlyMess       // 503 to the first command: the server is at another place than we are
	earlyStop       // RSET was refused or not answered
)

// again reports whether the mail may be begun on another connection: used means that this one was not made for it, kept
// that it has rested since its last mail.
func (v *verdict) again(used, kept bool) bool {
	switch v.early {
	case earlyLost, earlyMess:
		return used
	case earlyBye: // a limit of letters for each connection, or of its age: another one may well be served
		return used || kept
	case earlyStop:
		return true
	}
	return false
}

// said is a verdict by the latest reply.
func (w *wire) said(phase notice.Phase) *verdict {
	v := &verdict{phase: phase, code: w.rep.code}
	v.enhanced, v.text = w.rep.said()
	switch v.code {
	case 421: // the server is closing the connection (RFC 5321, 3.8)
		v.lost = true
		v.outcome = notice.OutcomeTemporary
	case 530, 534, 535, 538: // of the login, whatever command is answered with it (RFC 4954, 6)
		v.phase, v.lost = notice.PhaseLogin, true
	case 503: // of the order of the commands: nothing about this mail
		if phase != notice.PhaseAnswer {
			v.outcome, v.lost = notice.OutcomeTemporary, true
		}
	default:
		v.lost = v.code < 400 // an answer to something else: the two sides are out of step
	}
	return v
}

// broke is a verdict by an error of reading or writing, or by words that are no reply.
func (w *wire) broke(phase notice.Phase, err error) *verdict {
	return &verdict{phase: phase, text: words(err, w.phase), lost: true, broken: true}
}

// failed is a verdict by what we found ourselves.
func failed(phase notice.Phase, format string, args ...any) *verdict {
	return &verdict{phase: phase, text: fmt.Sprintf(format, args...), lost: true}
}

// words says in plain language what happened to a connection.
func words(err error, phase time.Duration) string {
	var said protocolError
	switch {
	case errors.As(err, &said):
		return "the server does not keep to SMTP: " + err.Error()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("the server did not answer in time (%v)", phase)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection in the middle of a reply"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the server closed the connection"
	case errors.Is(err, net.ErrClosed):
		return "the connection was closed"
	}
	return strings.TrimPrefix(err.Error(), "tls: ") // the phase says so
}

// receipt is the verdict as it is kept.
func (v *verdict) receipt(ctx context.Context, took time.Duration) notice.Receipt {
	r := notice.Receipt{
		Outcome: v.outcome, Phase: v.phase, Code: v.code, Enhanced: v.enhanced, Reply: v.text, Bytes: v.bytes, Took: took,
	}
	if r.Outcome == "" {
		r.Outcome = notice.Classify(v.phase, v.code, v.enhanced)
	}
	if v.broken && ctx.Err() != nil {
		r.Reply = fmt.Sprintf("%v: %s", context.Cause(ctx), r.Reply)
	}
	r.Reply = oneLine(r.Reply)
	return r
}

// unusable refuses addresses that must not meet the wire.
func unusable(m *compose.Message) *verdict {
	for _, a := range [...]struct {
		phase   notice.Phase
		address string
	}{{notice.PhaseSender, m.From}, {notice.PhaseRecipient, m.To}} {
		if badAddress(a.address) {
			return &verdict{phase: a.phase, outcome: notice.OutcomePermanent, text: fmt.Sprintf("address %q cannot be used", a.address)}
		}
	}
	return nil
}

// badAddress reports whether an address could be read as more than an address: by control characters, spaces or angle
// brackets. It is longer than any path may be over 256 octets (RFC 5321, 4.5.3.1.3).
func badAddress(a string) bool {
	for i := range len(a) {
		if c := a[i]; c <= ' ' || c == '<' || c == '>' || c == 0x7f {
			return true
		}
	}
	return a == "" || len(a) > 256
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
