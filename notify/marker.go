package notify

import (
	"time"

	"duban/notify/notice"
)

// marker writes the data_at of a lane's letters before they leave. While they follow each other fast it does so for
// several at a time and ahead of their turn, so that no letter waits for the database; these are in doubt if the worker
// dies, like the one at hand. While they are slow it marks one at a time, and none is in doubt but the one at hand.
type marker struct {
	books  *committer
	window int       // how many letters are marked at a time
	last   time.Time // when a letter was last asked for
	asked  *asking   // what has not been answered; nil: nothing
}

// asking is a request for marks.
type asking struct {
	hands []*hand
	lost  map[string]bool
	err   error
	done  chan struct{}
}

const (
	widest = 32                    // the most letters marked at a time
	fast   = 20 * time.Millisecond // letters that take longer are marked one by one
)

// ensure returns once the letter of the first item is marked, or is known to be lost.
func (m *marker) ensure(items []item) error {
	h := items[0].of
	now := time.Now()
	slow := now.Sub(m.last) > fast
	m.last = now
	if slow {
		m.window = 1
	}
	for !h.marked && !h.dropped {
		if m.asked == nil {
			m.ask(items, true)
		}
		<-m.asked.done
		if err := m.answer(); err != nil {
			return err
		}
		if !slow {
			m.window = min(2*m.window, widest)
		}
		m.last = time.Now() // the wait was ours, not the server's
	}
	if !slow && m.window > 1 {
		m.ahead(items)
	}
	return nil
}

// ahead asks for the next marks when half of the window is used up.
func (m *marker) ahead(items []item) {
	if m.asked != nil {
		select {
		case <-m.asked.done:
			if m.answer() != nil {
				return // the letter that needs the mark asks for it again, and says so
			}
		default:
			return
		}
	}
	for i, it := range items {
		if !it.of.marked && !it.of.dropped {
			m.ask(items[i:], false)
			return
		}
		if i >= m.window/2 {
			return
		}
	}
}

// ask asks for the marks of the next letters that have none. One that was sent once more already is never marked ahead of
// its turn: a second doubt about it waits for a person, so that there must be one.
func (m *marker) ask(items []item, urgent bool) {
	a := &asking{done: make(chan struct{})}
	var marks []notice.Mark
	for _, it := range items {
		h := it.of
		if len(marks) == max(m.window, 1) {
			break
		}
		if !h.marked && !h.dropped && (len(a.hands) == 0 || a.hands[len(a.hands)-1] != h) {
			if h.n.Resent && (len(a.hands) > 0 || !urgent) {
				break
			}
			a.hands = append(a.hands, h)
			marks = append(marks, notice.Mark{ID: h.n.ID, Token: h.n.Token, Date: h.n.Key.Date})
		}
	}
	if len(marks) == 0 {
		return
	}
	m.asked = a
	m.books.mark(marks, urgent, func(lost map[string]bool, err error) {
		a.lost, a.err = lost, err
		close(a.done)
	})
}

// answer takes the answer to what was asked.
func (m *marker) answer() error {
	a := m.asked
	m.asked = nil
	if a.err != nil {
		return a.err
	}
	for _, h := range a.hands {
		h.marked, h.dropped = !a.lost[h.n.ID], a.lost[h.n.ID]
	}
	return nil
}

// rest waits for what was asked: after it, none of these letters is in the writer's hands.
func (m *marker) rest() {
	if m.asked != nil {
		<-m.asked.done
		_ = m.answer() // the letters are put back whatever it says
	}
}
