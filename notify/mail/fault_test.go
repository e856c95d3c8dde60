package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
)

// faulty is an SMTP server of its own that goes wrong at one place of one mail. It is strict: a client that sends
// commands together without being told that it may is an error of the test.
type faulty struct {
	t         *testing.T
	phase     notice.Phase // where it goes wrong
	fault     string       // a reply, or one of the words below
	at        int          // at which mail, counted over all connections
	pipelined bool
	lax       bool // answers DATA with 354 also where no recipient was taken
	offer     []string
	tls       *tls.Config
	reached   chan struct{} // closed once the fault is reached, where not nil

	mu       sync.Mutex
	heard    []string
	took     []string // bodies as they were sent, without the final dot
	conns    int
	begun    int
	listener net.Listener
}

// Faults besides replies.
const (
	hang    = "hang"         // says nothing more
	drop    = "drop"         // closes
	half    = "half"         // closes in the middle of a reply
	slow    = "slow bytes"   // a byte now and then
	garbage = "garbage"      // what is no reply
	endless = "endless"      // a reply of endless lines
	long    = "endless line" // a line without an end
	mixed   = "mixed codes"  // lines of one reply that disagree
	stray   = "stray"        // the right reply, and another that nobody asked for
)

func (f *faulty) start(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.t, f.listener = t, l
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 1000 {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns++
			f.mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				_ = c.(*net.TCPConn).SetReadBuffer(8 << 10)
				(&talk{faulty: f, c: c, r: bufio.NewReader(c)}).serve()
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).Port
}

func (f *faulty) lines() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard)
}

func (f *faulty) bodies() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.took)
}

func (f *faulty) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conns
}

// talk is one connection of a faulty server.
type talk struct {
	*faulty
	c    net.Conn
	r    *bufio.Reader
	mail int // the mail at hand
	rcpt bool
}

func (k *talk) serve() {
	k.mail = -1
	if !k.reply(notice.PhaseGreeting, "220 hi") {
		return
	}
	for range 10_000 {
		l, err := k.r.ReadString('\n')
		if err != nil {
			return
		}
		l = strings.TrimRight(l, "\r\n")
		k.mu.Lock()
		k.heard = append(k.heard, l)
		k.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(l), " ")
		if !k.pipelined && k.r.Buffered() > 0 {
			k.t.Errorf("%q came together with another command", l)
		}
		if !k.command(verb, l) {
			return
		}
	}
}

func (k *talk) command(verb, line string) bool {
	switch verb {
	case "EHLO", "HELO":
		lines := append([]string{"faulty.example"}, k.offer...)
		if k.pipelined {
			lines = append(lines, "PIPELINING")
		}
		for i := range lines {
			lines[i] = map[bool]string{true: "250 ", false: "250-"}[i == len(lines)-1] + lines[i]
		}
		return k.reply(notice.PhaseHello, strings.Join(lines, "\r\n"))
	case "STARTTLS":
		if !k.reply(notice.PhaseTLS, "220 go") {
			return false
		}
		k.c = tls.Server(k.c, k.tls)
		k.r = bufio.NewReader(k.c)
		return true
	case "AUTH":
		return k.reply(notice.PhaseLogin, "235 welcome")
	case "MAIL":
		k.mu.Lock()
		k.mail, k.rcpt = k.begun, false
		k.begun++
		k.mu.Unlock()
		return k.reply(notice.PhaseSender, "250 2.1.0 ok")
	case "RCPT":
		k.rcpt = !k.hit(notice.PhaseRecipient) && !k.hit(notice.PhaseSender)
		return k.reply(notice.PhaseRecipient, "250 2.1.5 ok")
	case "DATA":
		if !k.rcpt && !k.lax {
			return k.say("503 5.5.1 no recipient")
		}
		if !k.reply(notice.PhaseData, "354 go on") {
			return false
		}
		return k.hit(notice.PhaseData) && k.fault != stray || k.body()
	case "RSET":
		return k.say("250 2.0.0 reset")
	case "QUIT":
		k.say("221 2.0.0 bye")
		return false
	}
	k.t.Errorf("the client says %q", line)
	return false
}

// body reads a mail and answers it.
func (k *talk) body() bool {
	if k.hit(notice.PhaseBody) {
		return k.reply(notice.PhaseBody, "")
	}
	var b strings.Builder
	for {
		l, err := k.r.ReadString('\n')
		if err != nil {
			return false
		}
		if l == ".\r\n" {
			break
		}
		b.WriteString(l)
	}
	if !k.rcpt {
		return b.Len() == 0 && k.say("554 5.5.1 no valid recipients")
	}
	if !k.hit(notice.PhaseAnswer) || k.fault == stray {
		k.mu.Lock()
		k.took = append(k.took, b.String())
		k.mu.Unlock()
	}
	return k.reply(notice.PhaseAnswer, "250 2.0.0 queued")
}

func (k *talk) hit(p notice.Phase) bool {
	return k.phase == p && (p.AboutServer() || k.mail == k.at)
}

func (k *talk) say(s string) bool {
	_, err := io.WriteString(k.c, s+"\r\n")
	return err == nil
}

// reply answers, rightly or wrongly; false: the connection is over.
func (k *talk) reply(p notice.Phase, right string) bool {
	if !k.hit(p) {
		return k.say(right)
	}
	if k.reached != nil {
		close(k.reached)
	}
	switch k.fault {
	case hang:
		if p == notice.PhaseBody {
			<-k.t.Context().Done()
			return false
		}
		_, _ = io.Copy(io.Discard, k.r)
	case drop:
	case half:
		_, _ = io.WriteString(k.c, right[:3]+"-and")
	case slow:
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range 500 {
			if _, err := io.WriteString(k.c, right[:1]); err != nil {
				return false
			}
			<-tick.C
		}
	case garbage:
		k.say("HTTP/1.1 400 Bad Request")
		_, _ = io.Copy(io.Discard, k.r)
	case endless:
		for range 100_000 {
			if !k.say(right[:3] + "-and so on") {
				return false
			}
		}
	case long:
		for range 100_000 {
			if _, err := io.WriteString(k.c, right[:3]+"-and so on"); err != nil {
				return false
			}
		}
	case mixed:
		k.say("250-yes\r\n550 no")
		_, _ = io.Copy(io.Discard, k.r)
	case stray:
		return k.say(right + "\r\n250 2.0.0 and thanks for the mail")
	default:
		return k.say(k.fault) && !strings.HasPrefix(k.fault, "421")
	}
	return false
}

// sent is what Send told of its mails.
type sent struct {
	n    int
	dots []int
	done []notice.Receipt
}

// send hands mails over on a lane and checks what holds always: Done came for exactly those dealt with, in order.
func send(t *testing.T, l notify.Lane, ctx context.Context, mails ...compose.Message) sent {
	t.Helper()
	var s sent
	s.n = l.Send(ctx, mails, notify.Each{
		BeforeDot: func(i int, m compose.Message) error {
			if i != len(s.done) || m.To != mails[i].To {
				t.Errorf("the dot of mail %d after %d were done", i, len(s.done))
			}
			s.dots = append(s.dots, i)
			return nil
		},
		Done: func(i int, r notice.Receipt) bool {
			if i != len(s.done) {
				t.Errorf("mail %d is done after %d", i, len(s.done))
			}
			if r.Outcome == notice.OutcomeAccepted && !slices.Contains(s.dots, i) {
				t.Errorf("mail %d was accepted without its dot", i)
			}
			if r.Took < 0 || len(r.Reply) > maxText || strings.ContainsAny(r.Reply, "\r\n") {
				t.Errorf("mail %d: %+v", i, r)
			}
			s.done = append(s.done, r)
			return true
		},
	})
	if s.n != len(s.done) {
		t.Errorf("Send says %d, Done was called for %d", s.n, len(s.done))
	}
	return s
}

func letters(n int) []compose.Message {
	ms := make([]compose.Message, n)
	for i := range ms {
		ms[i] = letter
		ms[i].To = fmt.Sprintf("r%d@qjtj.example", i)
		ms[i].Bytes = fmt.Appendf(nil, "Subject: %d\r\n\r\n.\r\n..dots\r\nbody %d\r\n.", i, i)
	}
	return ms
}

// onWire is a mail as it must stand between DATA and the final dot.
func onWire(i int) string {
	return fmt.Sprintf("Subject: %d\r\n\r\n..\r\n...dots\r\nbody %d\r\n..\r\n", i, i)
}

// expected is what the table of the issue makes of a fault, written down a second time.
func expected(p notice.Phase, fault string) notice.Outcome {
	code := fault[0]
	switch {
	case p.AboutServer():
		return notice.OutcomeTemporary
	case code == '5':
		return notice.OutcomePermanent
	case code != '4' && p == notice.PhaseAnswer:
		return notice.OutcomeUnknown
	}
	return notice.OutcomeTemporary
}

func TestEveryFaultInEveryPhase(t *testing.T) {
	server, client := certificate(t)
	phases := []notice.Phase{
		notice.PhaseGreeting, notice.PhaseHello, notice.PhaseTLS, notice.PhaseLogin, notice.PhaseSender, notice.PhaseRecipient,
		notice.PhaseData, notice.PhaseAnswer,
	}
	faults := []string{
		hang, drop, half, slow, garbage, endless, long, mixed, "421 4.3.2 closing", "450 4.2.1 busy", "451 4.7.1 greylisted",
		"452 4.2.2 full", "550 5.1.1 unknown", "552 5.3.4 too big", "554 5.7.1 spam",
	}
	for _, phase := range phases {
		for _, fault := range faults {
			for _, pipelined := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%.12s/pipelined=%v", phase, fault, pipelined), func(t *testing.T) {
					t.Parallel()
					f := &faulty{phase: phase, fault: fault, pipelined: pipelined, tls: server, offer: []string{"AUTH PLAIN"}}
					cfg := Config{Security: Plain, Phase: 200 * time.Millisecond, PlainAuthHosts: []string{"127.0.0.1"}, TLS: client}
					switch phase {
					case notice.PhaseTLS:
						cfg.Security = StartTLS
						f.offer = []string{"STARTTLS"}
					case notice.PhaseLogin:
						cfg.Username, cfg.Password = "duban", "secret"
					}
					cfg.Port = f.start(t)
					tr := transport(t, cfg)
					l := tr.Lane()
					begun := time.Now()
					s := send(t, l, t.Context(), letters(3)...)
					checkFault(t, f, s)
					if d := time.Since(begun); d > 3*time.Second {
						t.Errorf("took %v", d)
					}
					if f.connections() != 1 {
						t.Errorf("%d connections: the lane tried again by itself", f.connections())
					}
				})
			}
		}
	}
}

// checkFault holds what Send told against what the fault asks for.
func checkFault(t *testing.T, f *faulty, s sent) {
	t.Helper()
	first := s.done[0]
	if want := expected(f.phase, f.fault); first.Outcome != want || first.Phase != f.phase {
		t.Errorf("%+v; want %s in %s", first, want, f.phase)
	}
	reply := f.fault[0] == '4' || f.fault[0] == '5'
	if reply && (first.String() != f.fault || first.Code == 0 || first.Enhanced == "") || !reply && first.Code != 0 || first.Reply == "" {
		t.Errorf("%q: %+v", f.fault, first)
	}
	asked := f.phase == notice.PhaseAnswer
	if got := len(s.dots) > 0 && s.dots[0] == 0; got != asked {
		t.Errorf("the final dot was announced: %v", got)
	}
	if asked != (first.Bytes > 0) {
		t.Errorf("%d bytes", first.Bytes)
	}
	goesOn := reply && !f.phase.AboutServer() && !strings.HasPrefix(f.fault, "421")
	if !goesOn {
		if s.n != 1 || len(f.bodies()) != 0 {
			t.Errorf("%d dealt with, %d taken", s.n, len(f.bodies()))
		}
		return
	}
	if s.n != 3 || s.done[1].Outcome != notice.OutcomeAccepted || s.done[2].Outcome != notice.OutcomeAccepted {
		t.Errorf("after the refusal: %+v", s.done[1:])
	}
	if got := f.bodies(); !slices.Equal(got, []string{onWire(1), onWire(2)}) {
		t.Errorf("taken: %q", got)
	}
	if resets := slices.Contains(f.lines(), "RSET"); !resets && !(f.pipelined && asked) {
		t.Errorf("no RSET after the refusal: %q", f.lines())
	}
}

func TestFaultsInTheMiddleOfAStream(t *testing.T) {
	for _, c := range []struct {
		phase    notice.Phase
		fault    string
		lax      bool
		outcomes string // the first letters of each mail's outcome
		took     []int
		conns    int
	}{
		{notice.PhaseRecipient, "421 4.3.2 closing", false, "aat", []int{0, 1}, 1},
		{notice.PhaseData, "421 4.3.2 closing", false, "aat", []int{0, 1}, 1},
		{notice.PhaseAnswer, "421 4.3.2 closing", false, "aat", []int{0, 1}, 1},
		{notice.PhaseRecipient, "550 5.1.1 unknown", false, "aapaa", []int{0, 1, 3, 4}, 1},
		{notice.PhaseRecipient, "550 5.1.1 unknown", true, "aapaa", []int{0, 1, 3, 4}, 1},
		{notice.PhaseSender, "451 4.3.0 not now", true, "aataa", []int{0, 1, 3, 4}, 1},
		{notice.PhaseData, "451 4.3.0 not now", false, "aataa", []int{0, 1, 3, 4}, 1},
		{notice.PhaseAnswer, "554 5.7.1 spam", false, "aapaa", []int{0, 1, 3, 4}, 1},
		{notice.PhaseAnswer, drop, false, "aau", []int{0, 1}, 1},
		{notice.PhaseRecipient, drop, false, "aat", []int{0, 1}, 1},
		// Closed before a word about the mail: nothing of it was begun, and another connection is made.
		{notice.PhaseSender, drop, false, "aaaaa", []int{0, 1, 2, 3, 4}, 2},
		{notice.PhaseSender, "421 4.3.2 closing", false, "aaaaa", []int{0, 1, 2, 3, 4}, 2},
		// A server that answers before it was asked is not believed.
		{notice.PhaseData, stray, false, "aat", []int{0, 1}, 1},
		{notice.PhaseRecipient, "530 5.7.0 log in", false, "aat", []int{0, 1}, 1},
		{notice.PhaseSender, "503 5.5.1 nested", false, "aaaaa", []int{0, 1, 2, 3, 4}, 2},
	} {
		for _, pipelined := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%s/lax=%v/pipelined=%v", c.phase, c.fault, c.lax, pipelined), func(t *testing.T) {
				t.Parallel()
				f := &faulty{phase: c.phase, fault: c.fault, at: 2, lax: c.lax, pipelined: pipelined}
				tr := transport(t, Config{Port: f.start(t), Security: Plain, Phase: 2 * time.Second})
				s := send(t, tr.Lane(), t.Context(), letters(5)...)
				got := ""
				for _, r := range s.done {
					got += string(r.Outcome[:1])
				}
				var want []string
				for _, i := range c.took {
					want = append(want, onWire(i))
				}
				if got != c.outcomes || !slices.Equal(f.bodies(), want) || f.connections() != c.conns {
					t.Errorf("%s, want %s; %d connections; taken %q\n%+v", got, c.outcomes, f.connections(), f.bodies(), s.done)
				}
			})
		}
	}
}

func TestABodyThatIsNotTaken(t *testing.T) {
	for _, fault := range []string{hang, drop} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			f := &faulty{phase: notice.PhaseBody, fault: fault, pipelined: true}
			tr := transport(t, Config{Port: f.start(t), Security: Plain, Phase: 300 * time.Millisecond, MaxSize: 1 << 30})
			ms := letters(2)
			ms[0].Bytes = []byte(strings.Repeat(strings.Repeat("x", 70)+"\r\n", 400_000)) // more than any socket holds
			s := send(t, tr.Lane(), t.Context(), ms...)
			if s.n != 1 || s.done[0].Outcome != notice.OutcomeTemporary || s.done[0].Phase != notice.PhaseBody || len(f.bodies()) != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestCancellingInEveryPhase(t *testing.T) {
	server, client := certificate(t)
	for _, c := range []struct {
		phase notice.Phase
		dealt int
		want  notice.Outcome
	}{
		{notice.PhaseGreeting, 0, ""},
		{notice.PhaseHello, 0, ""},
		{notice.PhaseTLS, 0, ""},
		{notice.PhaseLogin, 0, ""},
		{notice.PhaseSender, 1, notice.OutcomeTemporary},
		{notice.PhaseRecipient, 1, notice.OutcomeTemporary},
		{notice.PhaseData, 1, notice.OutcomeTemporary},
		{notice.PhaseBody, 1, notice.OutcomeTemporary},
		{notice.PhaseAnswer, 1, notice.OutcomeUnknown},
	} {
		t.Run(string(c.phase), func(t *testing.T) {
			t.Parallel()
			f := &faulty{phase: c.phase, fault: hang, tls: server, offer: []string{"STARTTLS", "AUTH LOGIN"}, reached: make(chan struct{})}
			cfg := Config{Port: f.start(t), Phase: time.Hour, TLS: client, Username: "duban", Password: "secret", MaxSize: 1 << 30}
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				<-f.reached
				cancel(errors.New("the program ends"))
			}()
			ms := letters(2)
			if c.phase == notice.PhaseBody {
				ms[0].Bytes = []byte(strings.Repeat(strings.Repeat("x", 70)+"\r\n", 400_000))
			}
			s := send(t, transport(t, cfg).Lane(), ctx, ms...)
			if c.phase == notice.PhaseBody && s.n == 1 && s.done[0].Phase == notice.PhaseData {
				s.done[0].Phase = notice.PhaseBody // the end came before the client had read 354
			}
			if s.n != c.dealt || s.n == 1 && (s.done[0].Outcome != c.want || s.done[0].Phase != c.phase || !strings.Contains(s.done[0].Reply, "the program ends")) {
				t.Errorf("%+v", s)
			}
			if len(f.bodies()) != 0 {
				t.Error("a mail was taken")
			}
		})
	}
}

func TestADeadlineWhileTheServerHangsSaysSomethingOfIt(t *testing.T) {
	f := &faulty{phase: notice.PhaseHello, fault: hang}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s := send(t, transport(t, Config{Port: f.start(t), Security: Plain, Phase: time.Hour}).Lane(), ctx, letters(2)...)
	if s.n != 1 || s.done[0].Phase != notice.PhaseHello || s.done[0].Outcome != notice.OutcomeTemporary {
		t.Errorf("%+v", s)
	}
}
