package mailtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Mail is one mail the server took responsibility for.
type Mail struct {
	Seq       int // order of acceptance on this server, from 1
	Conn      int // number of the connection, from 1
	Nth       int // number of the mail on its connection, from 1
	From      string
	To        []string
	MessageID string // with its angle brackets; "" when the header has none
	SHA256    [32]byte
	Size      int // octets of the content, dots unstuffed, the last CRLF counted
	At        time.Time
	Answered  bool // the whole 2xx was handed to the kernel, which is not yet that the client read it
	TLS       bool
	User      string
	Data      []byte // with KeepBytes: what Size and SHA256 are of
}

// Violation is something a correct client never does.
type Violation struct {
	Conn int
	What string
	Line string // the client's line, where there is one
}

// Counts is what has happened so far.
type Counts struct {
	Connections    int // accepted since Start
	Open, MaxOpen  int // now, and the most at one time
	Dots           int // contents received to their final dot
	Mails          int // of them accepted
	Answered       int // of them told so to the end
	LastMinute     int // accepted in the last 60 seconds
	Handshakes     int // TLS handshakes that succeeded
	TLSFailed      int // and that did not
	Logins         int // AUTH that succeeded
	AuthFailed     int // AUTH refused with 535, faults included
	Violations     int
	ClearPasswords int         // client lines that showed Config.Password without TLS
	Faults         [Phases]int // given, by phase
}

// FaultsGiven is the sum over all phases.
func (c Counts) FaultsGiven() int {
	n := 0
	for _, f := range c.Faults {
		n += f
	}
	return n
}

// maxViolations bounds the list; the count goes on.
const maxViolations = 1000

// waiter is somebody waiting for the counts to satisfy a condition.
type waiter struct {
	cond func(*Counts) bool
	done chan struct{}
}

// change updates the counts and wakes those whose condition now holds.
func (s *Server) change(f func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.counts)
	s.wake()
}

// wake needs s.mu.
func (s *Server) wake() {
	for i := 0; i < len(s.waiters); {
		if !s.waiters[i].cond(&s.counts) {
			i++
			continue
		}
		close(s.waiters[i].done)
		s.waiters = append(s.waiters[:i], s.waiters[i+1:]...)
	}
}

// Wait blocks until the condition holds. It is asked after every event with the
// lock held (LastMinute is not filled in) and must not call the server.
func (s *Server) Wait(ctx context.Context, cond func(*Counts) bool) error {
	s.mu.Lock()
	if cond(&s.counts) {
		s.mu.Unlock()
		return nil
	}
	w := &waiter{cond: cond, done: make(chan struct{})}
	s.waiters = append(s.waiters, w)
	s.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.waiters {
		if s.waiters[i] == w {
			s.waiters = append(s.waiters[:i], s.waiters[i+1:]...)
			return fmt.Errorf("wait on the SMTP server (counts now %+v): %w", s.counts, ctx.Err())
		}
	}
	return nil
}

// WaitAccepted blocks until n mails were accepted since Start or Forget.
func (s *Server) WaitAccepted(ctx context.Context, n int) error {
	return s.Wait(ctx, func(c *Counts) bool { return c.Mails >= n })
}

// WaitFaults blocks until n faults were given at the phase.
func (s *Server) WaitFaults(ctx context.Context, at Phase, n int) error {
	return s.Wait(ctx, func(c *Counts) bool { return c.Faults[at] >= n })
}

// WaitConnections blocks until n connections were accepted since Start.
func (s *Server) WaitConnections(ctx context.Context, n int) error {
	return s.Wait(ctx, func(c *Counts) bool { return c.Connections >= n })
}

// WaitIdle blocks until no connection is open.
func (s *Server) WaitIdle(ctx context.Context) error {
	return s.Wait(ctx, func(c *Counts) bool { return c.Open == 0 })
}

// Counts returns what has happened so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	from := time.Since(s.start) - time.Minute
	c.LastMinute = len(s.times) - sort.Search(len(s.times), func(i int) bool { return s.times[i] >= from })
	return c
}

// Accepted returns every mail the server took responsibility for, in order. The
// slices inside are shared and must not be written to.
func (s *Server) Accepted() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Forget clears the mails and their counts, such as between rounds of a benchmark.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails, s.times, s.forgot = nil, nil, s.forgot+len(s.mails)
	s.counts.Dots, s.counts.Mails, s.counts.Answered = 0, 0, 0
}

// Violations returns the first of what clients did wrong; Counts has their number.
func (s *Server) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Violation(nil), s.violations...)
}

// accept records a mail and returns its number.
func (s *Server) accept(m *Mail) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.At = time.Now()
	s.seq++
	m.Seq = s.seq
	s.times = append(s.times, m.At.Sub(s.start))
	s.counts.Mails++
	if s.cfg.Keep == KeepCount {
		s.forgot++
	} else {
		s.mails = append(s.mails, *m)
	}
	s.wake()
	return m.Seq
}

// answered marks, or unmarks, mails whose acceptance is being written out.
func (s *Server) answered(seqs []int, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seq := range seqs {
		if yes {
			s.counts.Answered++
		} else {
			s.counts.Answered--
		}
		if i := seq - 1 - s.forgot; i >= 0 && i < len(s.mails) {
			s.mails[i].Answered = yes
		}
	}
	s.wake()
}

func (s *Server) violation(v Violation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Violations++
	if len(s.violations) < maxViolations {
		s.violations = append(s.violations, v)
	}
	s.wake()
}

// Busiest is the most mails accepted within any span of the given length, for
// checking a client's limit per minute. The mails are in order of acceptance.
func Busiest(mails []Mail, span time.Duration) int {
	most, from := 0, 0
	for i := range mails {
		for mails[i].At.Sub(mails[from].At) >= span {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// Line is one line of a transcript.
type Line struct {
	Client bool // said by the client, else by the server
	TLS    bool
	Text   string // without CRLF; content is a line like "(24576 octets of content)"
}

func (l Line) String() string {
	who, how := "S", " "
	if l.Client {
		who = "C"
	}
	if l.TLS {
		how = "*"
	}
	return who + how + " " + l.Text
}

// maxTranscripts is how many connections' transcripts are kept, the latest.
const maxTranscripts = 1024

// Transcript returns the first lines of a connection, up to Config.Transcript of
// them, or nil for an unknown one and for one long past.
func (s *Server) Transcript(conn int) []Line {
	s.mu.Lock()
	t := s.transcripts[conn]
	s.mu.Unlock()
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Line(nil), t.lines...)
}

// CrossedInClear says whether a secret crossed without TLS, as it is or within
// base64, in the transcripts kept. The content of mails is not looked at.
func (s *Server) CrossedInClear(secret string) bool {
	s.mu.Lock()
	last := s.counts.Connections
	s.mu.Unlock()
	for n := max(1, last-maxTranscripts); n <= last; n++ {
		for _, l := range s.Transcript(n) {
			if l.Client && !l.TLS && shows(l.Text, secret) {
				return true
			}
		}
	}
	return false
}

// shows says whether a line holds the secret, as it is or within base64.
func shows(line, secret string) bool {
	if strings.Contains(line, secret) {
		return true
	}
	for _, word := range strings.Fields(line) {
		if b, err := base64.StdEncoding.DecodeString(word); err == nil && strings.Contains(string(b), secret) {
			return true
		}
	}
	return false
}
