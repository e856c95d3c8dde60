package mailtest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Server is an SMTP server on a port of 127.0.0.1.
type Server struct {
	cfg     Config
	addr    *net.TCPAddr
	start   time.Time
	plan    atomic.Pointer[plan]
	readers sync.Pool // *bufio.Reader of readSize

	turn sync.Mutex // one Stop, Resume or Close at a time
	wg   sync.WaitGroup

	mu          sync.Mutex
	ln          *net.TCPListener // nil while stopped
	sessions    map[*session]struct{}
	counts      Counts
	seq, forgot int
	mails       []Mail
	times       []time.Duration // of acceptance, since start
	violations  []Violation
	transcripts map[int]*transcript
	waiters     []*waiter
}

// readSize lets a mail of a usual size come in by one read.
const readSize = 128 << 10

// Start listens on a free port of 127.0.0.1.
func Start(cfg Config) (*Server, error) {
	if cfg.TLS == nil && (cfg.StartTLS || cfg.Implicit) {
		return nil, errors.New("start SMTP server: TLS is offered but Config.TLS is not set")
	}
	s := &Server{
		cfg: cfg.withDefaults(), start: time.Now(),
		sessions: map[*session]struct{}{}, transcripts: map[int]*transcript{},
	}
	s.readers.New = func() any { return bufio.NewReaderSize(nil, readSize) }
	s.plan.Store(newPlan(cfg.Decide, cfg.Faults, cfg.Seed))
	if err := s.Resume(); err != nil {
		return nil, fmt.Errorf("start SMTP server: %w", err)
	}
	return s, nil
}

// TB is what Serve needs of a test.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Serve starts a server that is closed at the end of the test.
func Serve(tb TB, cfg Config) *Server {
	tb.Helper()
	s, err := Start(cfg)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// Addr is host:port, the same over Stop and Resume.
func (s *Server) Addr() string { return s.addr.String() }

// Host is 127.0.0.1.
func (s *Server) Host() string { return s.addr.IP.String() }

// Port is the port alone.
func (s *Server) Port() int { return s.addr.Port }

// SetFaults replaces the faults, their counters and the generator's state. A
// fault under way, such as a hang, is not ended by it; DropConnections does that.
func (s *Server) SetFaults(faults ...Fault) {
	s.plan.Store(newPlan(s.plan.Load().decide, faults, s.cfg.Seed))
}

// SetDecide replaces Config.Decide, with counters as SetFaults; nil takes it away.
func (s *Server) SetDecide(decide func(Event) Action) {
	old := s.plan.Load()
	faults := make([]Fault, 0, len(old.faults))
	for i := range old.faults {
		faults = append(faults, old.faults[i].Fault)
	}
	s.plan.Store(newPlan(decide, faults, s.cfg.Seed))
}

// Stop is the relay going away: the port refuses connections and those that
// exist are cut. It returns when nothing of the server runs any more.
func (s *Server) Stop() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	ln := s.ln
	s.ln = nil
	s.mu.Unlock()
	if ln == nil {
		return nil
	}
	err := ln.Close()
	s.DropConnections()
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("stop SMTP server: %w", err)
	}
	return nil
}

// Resume listens again on the same port after Stop.
func (s *Server) Resume() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln != nil {
		return nil
	}
	port := 0
	if s.addr != nil {
		port = s.addr.Port
	}
	ln, err := listen(port)
	if err != nil {
		return err
	}
	if s.addr == nil {
		s.addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: ln.Addr().(*net.TCPAddr).Port}
	}
	s.ln = ln
	s.wg.Go(func() { s.serve(ln) })
	return nil
}

// Close stops the server for good. What it recorded can still be read.
func (s *Server) Close() error { return s.Stop() }

// DropConnections cuts every connection; the server goes on listening.
func (s *Server) DropConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		c.cut()
	}
}

// serve accepts connections until the listener closes.
func (s *Server) serve(ln *net.TCPListener) {
	for {
		conn, err := ln.AcceptTCP()
		if err != nil {
			return // the listener was closed; a loopback listener has no other end
		}
		s.admit(ln, conn)
	}
}

// admit registers a connection and runs it, unless the server stopped meanwhile.
func (s *Server) admit(ln *net.TCPListener, conn *net.TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln != ln {
		_ = conn.Close()
		return
	}
	if s.cfg.ReadBuffer > 0 {
		_ = conn.SetReadBuffer(s.cfg.ReadBuffer) // a hint to the kernel
	}
	s.counts.Connections++
	s.counts.Open++
	s.counts.MaxOpen = max(s.counts.MaxOpen, s.counts.Open)
	c := newSession(s, conn, s.counts.Connections)
	c.crowded = s.cfg.MaxConns > 0 && s.counts.Open > s.cfg.MaxConns
	s.sessions[c] = struct{}{}
	if s.cfg.Transcript > 0 {
		s.transcripts[c.number] = c.script
		delete(s.transcripts, c.number-maxTranscripts)
	}
	s.wake()
	s.wg.Go(func() {
		c.run()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sessions, c)
		s.counts.Open--
		s.wake()
	})
}
