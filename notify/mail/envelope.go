package mail

import (
	"encoding/binary"
	"errors"
	"os"
	"strconv"

	"duban/notify/compose"
	"duban/notify/notice"
)

// fit returns the mail as this server can take it: itself, or without its attachment where that makes it too large; or
// the verdict that it cannot.
func (s *session) fit(m *compose.Message) (*compose.Message, *verdict) {
	limit := s.t.cfg.MaxSize
	if s.ext.size > 0 {
		limit = min(limit, s.ext.size)
	}
	if size := int64(len(m.Bytes)); size > limit {
		if m.Light == nil {
			return nil, refuse(notice.PhaseSender, "the mail of %d bytes is over the limit of %d and has nothing to leave out", size, limit)
		}
		light, err := m.Light()
		if err != nil {
			return nil, refuse(notice.PhaseSender, "the mail of %d bytes is over the limit of %d and cannot be made without its attachment: %v", size, limit, err)
		}
		if len(light.Bytes) > int(limit) {
			return nil, refuse(notice.PhaseSender, "the mail is over the limit of %d bytes also without its attachment (%d)", limit, len(light.Bytes))
		}
		if v := unusable(&light); v != nil {
			return nil, v
		}
		m = &light
	}
	if s.ext.utf8 {
		return m, nil
	}
	switch {
	case !ascii(m.To):
		return nil, refuse(notice.PhaseRecipient, "the address is not plain ASCII and the server does not take such (no SMTPUTF8)")
	case !ascii(m.From):
		return nil, refuse(notice.PhaseSender, "the sender's address is not plain ASCII and the server does not take such (no SMTPUTF8)")
	case m.UTF8:
		return nil, refuse(notice.PhaseSender, "the mail's headers are not plain ASCII and the server does not take such (no SMTPUTF8)")
	}
	return m, nil
}

// refuse is a verdict of our own that is final for this mail and leaves the connection as it is.
func refuse(phase notice.Phase, format string, args ...any) *verdict {
	v := failed(phase, format, args...)
	v.lost, v.outcome = false, notice.OutcomePermanent
	return v
}

// envelopePhases are the commands that open a mail, in order.
var envelopePhases = [...]notice.Phase{notice.PhaseSender, notice.PhaseRecipient, notice.PhaseData}

// putCommand queues one command of an envelope.
func (s *session) putCommand(phase notice.Phase, m *compose.Message) {
	switch phase { //nolint:exhaustive // the others are no commands of an envelope
	case notice.PhaseSender:
		s.putString("MAIL FROM:<")
		s.putString(m.From)
		s.putString(">")
		if s.ext.sizes {
			s.putString(" SIZE=")
			s.putString(strconv.Itoa(len(m.Bytes)))
		}
		if s.ext.eightBit && eightBit(m.Bytes) {
			s.putString(" BODY=8BITMIME")
		}
		if s.ext.utf8 && (m.UTF8 || !ascii(m.From) || !ascii(m.To)) {
			s.putString(" SMTPUTF8")
		}
		s.putLine()
	case notice.PhaseRecipient:
		s.putLine("RCPT TO:<", m.To, ">")
	case notice.PhaseData:
		s.putLine("DATA")
	}
}

// putEnvelope queues all commands of an envelope (RFC 2920, 3.1: DATA is the last of a group).
func (s *session) putEnvelope(m *compose.Message) {
	s.mails++
	for _, phase := range envelopePhases {
		s.putCommand(phase, m)
	}
}

// envelope opens a mail: when it returns nothing, the server waits for the body. ahead says that the commands were sent
// together with the mail before.
func (s *session) envelope(m *compose.Message, ahead bool) *verdict {
	group := s.ext.pipelining
	reset := s.dirty && !ahead
	if reset {
		if v := s.reset(); v != nil {
			return v
		}
	}
	if group && !ahead {
		s.putEnvelope(m)
	}
	if !group {
		s.mails++
	}
	if err := s.flush(); err != nil {
		return s.brokeFirst(err)
	}
	return s.replies(m, group, reset)
}

// reset wipes what a refused mail may have left behind. It does not go together with the next envelope: were it refused,
// that would become part of the old one. An answer that is not good says nothing of the mail.
func (s *session) reset() *verdict {
	err := s.ask("RSET")
	switch {
	case err != nil:
		v := s.broke(notice.PhaseSender, err)
		v.early = earlyStop
		return v
	case s.rep.code/100 != 2:
		v := s.said(notice.PhaseSender)
		v.early, v.lost, v.outcome = earlyStop, true, notice.OutcomeTemporary
		return v
	}
	s.dirty = false
	return nil
}

// replies reads the answers to an envelope, after sending each command where they were not sent together. The first
// refusal is the mail's; the rest of a group is read and dropped.
func (s *session) replies(m *compose.Message, group, answered bool) *verdict {
	var refused *verdict
	for _, phase := range envelopePhases {
		err := error(nil)
		if !group {
			s.putCommand(phase, m)
			err = s.flush()
		}
		if err == nil {
			err = s.read()
		}
		first := phase == notice.PhaseSender && !answered
		switch {
		case err != nil && refused != nil:
			refused.lost = true
			return refused
		case err != nil && first:
			return s.brokeFirst(err)
		case err != nil:
			return s.broke(phase, err)
		case phase == notice.PhaseData && s.rep.code == 354:
			return s.agreed(refused)
		case phase != notice.PhaseData && s.rep.code/100 == 2:
			s.dirty = s.dirty && phase != notice.PhaseSender // the server is ready for it
			continue
		}
		now := s.said(phase)
		if refused == nil {
			refused = now
			refused.early = earlyCode(phase == notice.PhaseSender, now.code, answered)
		}
		refused.lost = refused.lost || now.code == 421 || now.code < 400
		if s.dirty = true; refused.lost || !group {
			return refused
		}
	}
	return refused
}

// earlyCode is for the code of a refusal: first says that it is the answer to the first command of an envelope, answered
// that RSET was answered before, so that the server is where we are.
func earlyCode(first bool, code int, answered bool) early {
	switch {
	case first && code == 421:
		return earlyBye
	case first && code == 503 && !answered:
		return earlyMess
	}
	return 0
}

// agreed ends an envelope that DATA was answered to with 354. Where the mail was refused before, a lone dot ends it (RFC
// 2920, 3.1). A server that has said more than it was asked is out of step with us: its next words would be taken for
// the answer to the final dot.
func (s *session) agreed(refused *verdict) *verdict {
	if refused != nil {
		if err := s.ask("."); err != nil || s.rep.code == 421 {
			refused.lost = true
		}
		return refused
	}
	if s.in.Buffered() == 0 {
		return nil
	}
	if err := s.read(); err == nil && s.rep.code >= 400 {
		v := s.said(notice.PhaseData)
		v.lost = true
		return v
	}
	return failed(notice.PhaseData, "the server says more than it was asked; the connection is given up")
}

// brokeFirst is a connection that fails before any answer: nothing of the mail was begun. Where the server only does not
// answer, another connection would make it wait as long once more.
func (s *session) brokeFirst(err error) *verdict {
	v := s.broke(notice.PhaseSender, err)
	var said protocolError
	if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.As(err, &said) {
		v.early = earlyLost
	}
	return v
}

// body writes the mail and its final dot, with the envelope of the next one where there is one, and waits for the
// answer. The verdict is never nil.
func (s *session) body(m, next *compose.Message) *verdict {
	dot := s.putBody(m.Bytes)
	if next != nil {
		s.putEnvelope(next)
	}
	if err := s.flush(); err != nil && s.sent <= dot {
		// Not one byte of the dot has left: the server cannot take the mail for whole.
		return s.cutShort(err, len(m.Bytes))
	}
	v := &verdict{phase: notice.PhaseAnswer}
	if err := s.read(); err != nil {
		v = s.broke(notice.PhaseAnswer, err)
	} else {
		s.saidOfMail(v)
	}
	v.bytes = len(m.Bytes)
	return v
}

// saidOfMail is the verdict by the answer to the final dot.
func (s *session) saidOfMail(v *verdict) {
	if s.rep.code/100 != 2 {
		*v = *s.said(notice.PhaseAnswer)
		s.dirty = true
		return
	}
	v.code = s.rep.code
	v.enhanced, v.text = s.rep.said()
}

// cutShort is a connection that failed while the body was written. What the server said before it closed is why.
func (s *session) cutShort(err error, size int) *verdict {
	v := s.broke(notice.PhaseBody, err)
	if !errors.Is(err, os.ErrDeadlineExceeded) && s.read() == nil && s.rep.code >= 400 {
		v = s.said(notice.PhaseBody)
	}
	v.lost, v.bytes = true, size
	return v
}

// eightBit reports whether any octet is outside ASCII (RFC 6152).
func eightBit(b []byte) bool {
	const high = 0x8080808080808080
	word := binary.LittleEndian.Uint64
	for ; len(b) >= 32; b = b[32:] {
		if (word(b)|word(b[8:])|word(b[16:])|word(b[24:]))&high != 0 {
			return true
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}
