package notify

import (
	"context"
	"sync"
	"time"
)

// Pace spreads the mails of one account over time, for servers that take so many a minute. A nil Pace knows no limit.
type Pace struct {
	every time.Duration

	mu   sync.Mutex
	next time.Time
}

// NewPace returns a pace of so many mails a minute; nil where that is not positive.
func NewPace(perMinute int) *Pace {
	if perMinute <= 0 {
		return nil
	}
	return &Pace{every: time.Minute / time.Duration(perMinute)}
}

func (p *Pace) limits() bool { return p != nil }

// lanes is how many of so many lanes the pace can keep busy: a mail takes a second or so.
func (p *Pace) lanes(most int) int {
	if p == nil {
		return most
	}
	return max(1, min(most, int(time.Second/p.every)))
}

// giveBack takes back the last turn, which was not used.
func (p *Pace) giveBack() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = p.next.Add(-p.every)
}

// take waits until the next mail may leave; an error is that of ctx.
func (p *Pace) take(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
