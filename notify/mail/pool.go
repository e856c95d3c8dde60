package mail

import (
	"context"
	"slices"
	"sync"
)

// pool keeps the connections of an account to its limit, whoever asks for lanes. A lane needs a place to have a
// connection. It keeps both between two turns; where others wait for a place, what it keeps goes to the first of them.
// While anybody waits, every place is therefore in use by a turn.
type pool struct {
	mu     sync.Mutex
	limit  int
	places map[*lane]*session // the lanes that have a place, and the connection that rests there; nil: a turn has it
	queue  []*waiter          // in the order of coming
}

type waiter struct {
	lane *lane
	give chan *session // holds one
}

// enter gives the lane a place, and a connection where one rests; false: the context ended before there was one.
func (p *pool) enter(ctx context.Context, l *lane) (*session, bool) {
	p.mu.Lock()
	if s, ok := p.place(l); ok {
		p.mu.Unlock()
		return s, true
	}
	w := &waiter{lane: l, give: make(chan *session, 1)}
	p.queue = append(p.queue, w)
	p.mu.Unlock()
	select {
	case s := <-w.give:
		return s, true
	case <-ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.queue, w)
	if i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 { // it came at the same time
		p.leave(l, <-w.give)
	}
	return nil, false
}

// place is a place that can be had at once: the lane's own, a free one, or one where a connection rests.
func (p *pool) place(l *lane) (*session, bool) {
	if s, ok := p.places[l]; ok {
		p.places[l] = nil
		return s, true
	}
	if len(p.places) < p.limit {
		p.places[l] = nil
		return nil, true
	}
	for other, s := range p.places {
		if s != nil {
			delete(p.places, other)
			p.places[l] = nil
			return s, true
		}
	}
	return nil, false
}

// leave ends a lane's turn. Its place stays its own as long as nobody waits and it has a connection to keep there.
func (p *pool) leave(l *lane, s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.queue) > 0:
		w := p.queue[0]
		p.queue = p.queue[1:]
		delete(p.places, l)
		p.places[w.lane] = nil
		w.give <- s
	case s != nil:
		p.places[l] = s
	default:
		delete(p.places, l)
	}
}

// rested takes the connection that rests at the lane's place, which stays taken until leave; nil: there is none.
func (p *pool) rested(l *lane) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.places[l]
	if s != nil {
		p.places[l] = nil
	}
	return s
}

// lanes are those that have a place or wait for one.
func (p *pool) lanes() []*lane {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*lane
	for l := range p.places {
		all = append(all, l)
	}
	for _, w := range p.queue {
		all = append(all, w.lane)
	}
	return all
}
