package mailtest

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// When says at which moment CutOnMatch cuts.
type When int

// The moments relative to the octets that matched.
const (
	// BeforeForward keeps the octets back: the server never sees them.
	BeforeForward When = iota
	// BeforeAnswer forwards them, waits until the server begins to answer, and
	// cuts without forwarding the answer: the server has done what it was asked.
	BeforeAnswer
)

// Proxy stands between clients, on a port of 127.0.0.1, and a TCP or unix server.
type Proxy struct {
	network, target string
	addr            *net.TCPAddr
	turn            sync.Mutex // one Refuse, Admit or Close at a time
	wg              sync.WaitGroup

	mu      sync.Mutex
	ln      *net.TCPListener // nil while refusing
	links   map[*link]struct{}
	changed chan struct{} // closed and replaced at every change
	stalled bool
	rule    *cutRule
	cuts    int // by a rule
	total   int // connections made through
}

type cutRule struct {
	when  When
	match func([]byte) bool
	left  int // -1: no limit
}

// link is one client with its own connection to the server.
type link struct {
	client, server net.Conn
	once           sync.Once
	gone           chan struct{}
	cutting        bool // a rule matched with BeforeAnswer; guarded by Proxy.mu
}

func (l *link) cut() {
	l.once.Do(func() {
		close(l.gone)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// StartProxy forwards to a target such as ("tcp", "127.0.0.1:3306") or ("unix", path).
func StartProxy(network, target string) (*Proxy, error) {
	p := &Proxy{network: network, target: target, links: map[*link]struct{}{}, changed: make(chan struct{})}
	if err := p.Admit(); err != nil {
		return nil, fmt.Errorf("start proxy to %s: %w", target, err)
	}
	return p, nil
}

// Addr is host:port, the same over Refuse and Admit.
func (p *Proxy) Addr() string { return p.addr.String() }

// Refuse closes the port; connections that exist go on.
func (p *Proxy) Refuse() {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln != nil {
		_ = p.ln.Close()
		p.ln = nil
	}
}

// Admit opens the port again after Refuse.
func (p *Proxy) Admit() error {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln != nil {
		return nil
	}
	port := 0
	if p.addr != nil {
		port = p.addr.Port
	}
	ln, err := listen(port)
	if err != nil {
		return err
	}
	if p.addr == nil {
		p.addr = ln.Addr().(*net.TCPAddr)
	}
	p.ln = ln
	p.wg.Go(func() { p.serve(ln) })
	return nil
}

// Cut closes every connection on both sides; new ones are welcome.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Stall stops forwarding in both directions, without closing, until Continue.
func (p *Proxy) Stall() { p.stall(true) }

// Continue forwards again after Stall.
func (p *Proxy) Continue() { p.stall(false) }

func (p *Proxy) stall(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = on
	p.wake()
}

// CutOnMatch cuts the next `times` connections (0: every one) whose client sends
// octets for which match holds. match sees each piece as it was read, one at a
// time over all connections, and must not call the proxy. A later call replaces
// the rule; a nil match takes it away.
func (p *Proxy) CutOnMatch(when When, times int, match func(client []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rule = nil
	if match == nil {
		return
	}
	if times <= 0 {
		times = -1
	}
	p.rule = &cutRule{when: when, match: match, left: times}
}

// Cuts is how many connections CutOnMatch has cut.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Connections is how many connections were forwarded so far.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// WaitCuts blocks until CutOnMatch has cut n connections.
func (p *Proxy) WaitCuts(ctx context.Context, n int) error {
	for {
		p.mu.Lock()
		cuts, changed := p.cuts, p.changed
		p.mu.Unlock()
		if cuts >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %d cuts of the proxy, %d so far: %w", n, cuts, ctx.Err())
		}
	}
}

// Close ends everything.
func (p *Proxy) Close() error {
	p.Refuse()
	p.Cut()
	p.wg.Wait()
	return nil
}

// wake needs p.mu.
func (p *Proxy) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) serve(ln *net.TCPListener) {
	for {
		client, err := ln.AcceptTCP()
		if err != nil {
			return
		}
		var d net.Dialer
		server, err := d.Dial(p.network, p.target)
		if err != nil {
			_ = client.Close() // the client sees what it would see of a dying server
			continue
		}
		p.join(ln, &link{client: client, server: server, gone: make(chan struct{})})
	}
}

// join forwards between the two sides, unless the proxy refuses meanwhile.
func (p *Proxy) join(ln *net.TCPListener, l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln != ln {
		l.cut()
		return
	}
	p.links[l] = struct{}{}
	p.total++
	p.wake()
	p.wg.Go(func() {
		var answers sync.WaitGroup
		answers.Go(func() { p.forward(l, l.client, l.server, p.answer) })
		p.forward(l, l.server, l.client, p.ask)
		answers.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, l)
	})
}

// forward copies one direction while pass allows; the end of one is the end of both.
func (p *Proxy) forward(l *link, to, from net.Conn, pass func(*link, []byte) bool) {
	defer l.cut()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.gate(l) || !pass(l, buf[:n]) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// gate waits while the proxy is stalled; false: the link is gone.
func (p *Proxy) gate(l *link) bool {
	for {
		p.mu.Lock()
		stalled, changed := p.stalled, p.changed
		p.mu.Unlock()
		if !stalled {
			return true
		}
		select {
		case <-changed:
		case <-l.gone:
			return false
		}
	}
}

// ask judges the client's octets; false: cut instead of forwarding them.
func (p *Proxy) ask(l *link, b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rule
	if r == nil || r.left == 0 || l.cutting || !r.match(b) {
		return true
	}
	if r.left > 0 {
		r.left--
	}
	if r.when == BeforeAnswer {
		l.cutting = true
		return true
	}
	p.cuts++
	p.wake()
	return false
}

// answer judges the server's octets; false: cut instead of forwarding them.
func (p *Proxy) answer(l *link, _ []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.cutting {
		return true
	}
	p.cuts++
	p.wake()
	return false
}
