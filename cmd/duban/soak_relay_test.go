package main

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"duban/notify/mail/mailtest"
)

// relayPlan is how the mail server misbehaves: by chance, at every phase. It also ends workers at a chosen moment of a
// session, which no timer would meet.
type relayPlan struct {
	well   atomic.Bool  // only refuses what it always refuses
	taken  atomic.Int64 // mails that came to their final dot
	budget func() int64 // how many mails may have come by now: letters are to last until the last kill

	mu       sync.Mutex
	random   *rand.Rand
	triggers []trigger
}

// trigger ends a process at the n-th event of a phase from now.
type trigger struct {
	phase   mailtest.Phase
	n       int
	process *os.Process
}

// badReader says that mail to the address is refused for good. It is so for one in a hundred.
func badReader(email string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(email))
	return h.Sum32()%100 == 7
}

// The faults by phase. Those of the first line concern a connection, the others a mail.
var soakFaults = map[mailtest.Phase][]mailtest.Action{
	mailtest.AtAccept: {{Do: mailtest.Drop}, {Do: mailtest.Reset}},
	mailtest.AtBanner: {
		{Do: mailtest.Hang}, {Do: mailtest.Drop}, {Do: mailtest.Garbage}, {Do: mailtest.Slow, Pause: time.Millisecond},
		mailtest.Refusal(421, "4.3.2 too busy"), mailtest.Refusal(554, "5.3.2 no mail today"),
	},
	mailtest.AtEhlo: {{Do: mailtest.Hang}, {Do: mailtest.Drop}, {Do: mailtest.Cut, Bytes: 9}, mailtest.Refusal(421, "4.3.2 too busy"), {Do: mailtest.Slow, Pause: time.Millisecond}},
	mailtest.AtMail: {
		{Do: mailtest.Hang}, {Do: mailtest.Drop}, {Do: mailtest.Reset}, {Do: mailtest.Garbage}, {Do: mailtest.Slow, Pause: time.Millisecond},
		mailtest.Refusal(421, "4.3.2 going down"), mailtest.Refusal(451, "4.3.0 later"), mailtest.Refusal(452, "4.3.1 disk full"), mailtest.Refusal(552, "5.2.2 too much"),
	},
	mailtest.AtRcpt: {
		{Do: mailtest.Hang}, {Do: mailtest.Drop}, {Do: mailtest.Slow, Pause: time.Millisecond},
		mailtest.Refusal(421, "4.3.2 going down"), mailtest.Refusal(450, "4.2.1 mailbox busy"), mailtest.Refusal(452, "4.2.2 mailbox full"), mailtest.Refusal(550, "5.7.1 not for you"),
	},
	mailtest.AtData: {{Do: mailtest.Hang}, {Do: mailtest.Drop}, mailtest.Refusal(421, "4.3.2 going down"), mailtest.Refusal(451, "4.3.0 later")},
	mailtest.AtBody: {
		{Do: mailtest.Hang, After: 2000}, {Do: mailtest.Drop, After: 100}, {Do: mailtest.Reset, After: 4000},
		{Do: mailtest.Slow, Pause: 2 * time.Millisecond}, {Do: mailtest.Answer, Code: 451, Text: "4.3.0 failed on the way", After: 1000},
	},
	mailtest.AtDot: {
		{Do: mailtest.Hang}, {Do: mailtest.Hang, Accept: true}, mailtest.DropBeforeAccept(), mailtest.AcceptThenDrop(), mailtest.AcceptThenDrop(),
		{Do: mailtest.Reset, Accept: true}, {Do: mailtest.Garbage}, {Do: mailtest.Garbage, Accept: true}, {Do: mailtest.Cut, Bytes: 5},
		{Do: mailtest.Slow, Pause: time.Millisecond}, {Do: mailtest.Delay, Pause: 50 * time.Millisecond},
		mailtest.Refusal(421, "4.3.2 going down"), mailtest.Refusal(451, "4.3.0 later"), mailtest.Refusal(452, "4.3.1 disk full"), mailtest.Refusal(552, "5.3.4 too large"),
	},
	mailtest.AtRset: {{Do: mailtest.Drop}, {Do: mailtest.Hang}, mailtest.Refusal(421, "4.3.2 going down")},
	mailtest.AtQuit: {{Do: mailtest.Drop}, {Do: mailtest.Hang}},
}

// The share of events that meet a fault: of a connection and of a mail's phase.
const (
	badConnections = 0.08
	badMails       = 0.01
)

// decide is the server's manner, asked at every phase.
func (p *relayPlan) decide(e mailtest.Event) mailtest.Action {
	if e.Phase == mailtest.AtRcpt && badReader(e.Rcpt) {
		return mailtest.Refusal(550, "5.1.1 no such mailbox")
	}
	if p.well.Load() {
		return mailtest.Action{}
	}
	act := p.draw(e.Phase)
	if e.Phase != mailtest.AtDot {
		return act
	}
	if over := p.taken.Add(1) - p.budget(); over > 0 && act.Do == mailtest.Pass {
		return mailtest.Action{Do: mailtest.Delay, Pause: min(time.Duration(20+over/4)*time.Millisecond, soakPhase/3)}
	}
	return act
}

// draw fires the triggers of a phase and draws its fault.
func (p *relayPlan) draw(phase mailtest.Phase) mailtest.Action {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := 0; i < len(p.triggers); i++ {
		if p.triggers[i].phase != phase {
			continue
		}
		if p.triggers[i].n--; p.triggers[i].n <= 0 {
			_ = p.triggers[i].process.Kill() // it may have ended by itself, and is not counted then
			p.triggers = append(p.triggers[:i], p.triggers[i+1:]...)
			i--
		}
	}
	share := badMails
	if phase <= mailtest.AtEhlo {
		share = badConnections
	}
	faults := soakFaults[phase]
	if len(faults) == 0 || p.random.Float64() >= share {
		return mailtest.Action{}
	}
	return faults[p.random.IntN(len(faults))]
}

func (p *relayPlan) arm(t trigger) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.triggers = append(p.triggers, t)
}

func (p *relayPlan) disarm(process *os.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.triggers[:0]
	for _, t := range p.triggers {
		if t.process != process {
			kept = append(kept, t)
		}
	}
	p.triggers = kept
}

// outages stops the relay now and then, and cuts its connections, until ctx ends.
func (s *soak) outages(ctx context.Context, random *rand.Rand) {
	for pause(ctx, between(random, 500*time.Millisecond, 4*time.Second)) {
		if random.IntN(3) == 0 {
			s.relay.DropConnections()
			continue
		}
		if err := s.relay.Stop(); err != nil {
			s.t.Error(err)
		}
		pause(ctx, between(random, 50*time.Millisecond, 600*time.Millisecond))
		if err := s.relay.Resume(); err != nil {
			s.t.Error(err)
		}
		s.stops.Add(1)
	}
}

// crashes kills the database server at even distances of kills, and starts it again.
func (s *soak) crashes(ctx context.Context, random *rand.Rand) {
	for n := 1; n <= s.crashCount; n++ {
		for s.kills.Load() < int64(s.killCount*n/(s.crashCount+1)) {
			if !pause(ctx, between(random, 5*time.Millisecond, 50*time.Millisecond)) {
				return
			}
		}
		if err := s.database.Kill(); err != nil {
			s.t.Error(err)
		}
		pause(ctx, between(random, 0, 500*time.Millisecond))
		if err := s.database.Start(); err != nil {
			s.t.Error(err)
			return
		}
		s.crashed.Add(1)
	}
}

func between(random *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(random.Int64N(int64(to-from)))
}

// pause waits; it reports whether ctx lasted. What it waits for is chance.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
