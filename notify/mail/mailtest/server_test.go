package mailtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peer is a raw client.
type peer struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{t, c, bufio.NewReader(c)}
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.Conn, s); err != nil {
		p.t.Fatalf("send %.40q: %v", s, err)
	}
}

// want reads one reply, of several lines perhaps, and compares its beginning.
func (p *peer) want(begin string) string {
	p.t.Helper()
	var all strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			p.t.Fatalf("waiting for %q: got %q, %v", begin, all.String()+line, err)
		}
		all.WriteString(line)
		if len(line) < 4 || line[3] != '-' {
			break
		}
	}
	if !strings.HasPrefix(all.String(), begin) {
		p.t.Fatalf("want %q, got %q", begin, all.String())
	}
	return all.String()
}

// end wants the connection closed with nothing more said than rest.
func (p *peer) end(rest string) {
	p.t.Helper()
	b, err := io.ReadAll(p.r)
	if string(b) != rest {
		p.t.Fatalf("before the end: %q, want %q", b, rest)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		p.t.Fatal("the connection is still open")
	}
}

// silent wants an open connection on which nothing is said.
func (p *peer) silent() {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	b, err := p.r.Peek(1)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		p.t.Fatalf("got %q, %v; want silence", b, err)
	}
}

// ask sends and wants.
func (p *peer) ask(line, begin string) {
	p.t.Helper()
	p.send(line + "\r\n")
	p.want(begin)
}

// ready is a client that has the banner and EHLO behind it.
func ready(t *testing.T, addr string) *peer {
	t.Helper()
	p := dial(t, addr)
	p.want("220 ")
	p.ask("EHLO client.example", "250")
	return p
}

func (p *peer) begin() {
	p.t.Helper()
	p.ask("MAIL FROM:<a@a.example>", "250")
	p.ask("RCPT TO:<b@b.example>", "250")
	p.ask("DATA", "354")
}

func noViolations(t *testing.T, s *Server) {
	t.Helper()
	if v := s.Violations(); len(v) > 0 {
		t.Fatalf("violations: %+v", v)
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start serves with everything offered.
func start(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{Extensions: AllExtensions(), Keep: KeepBytes}
	if change != nil {
		change(&cfg)
	}
	return Serve(t, cfg)
}

func TestContent(t *testing.T) {
	for _, c := range []struct{ name, wire, content string }{
		{"plain", "Subject: x\r\n\r\nhello\r\n.\r\n", "Subject: x\r\n\r\nhello\r\n"},
		{"empty", ".\r\n", ""},
		{"stuffed dots", "..\r\n..a\r\n.b\r\na.b\r\n...\r\n.\r\n", ".\r\n.a\r\nb\r\na.b\r\n..\r\n"},
		{"LF dot LF is content", "a\n.\nMAIL FROM:<x@x.example>\r\n.\r\n", "a\n.\nMAIL FROM:<x@x.example>\r\n"},
		{"LF dot CRLF is content", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"},
		{"CRLF dot LF is content", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n"},
		{"CR dot CR is content", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n"},
		{"CRLF dot CR x", "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n"},
		{"CR CR LF dot", "a\r\r\n.\r\n", "a\r\r\n"},
		{"dots only", "....\r\n..\r\n.\r\n", "...\r\n.\r\n"},
	} {
		for _, step := range []int{1, 2, 3, 1 << 20} {
			t.Run(fmt.Sprintf("%s by %d", c.name, step), func(t *testing.T) {
				s := start(t, nil)
				p := ready(t, s.Addr())
				_ = p.Conn.(*net.TCPConn).SetNoDelay(true)
				p.begin()
				for b := c.wire; b != ""; {
					n := min(step, len(b))
					p.send(b[:n])
					b = b[n:]
				}
				p.want("250 2.0.0")
				p.ask("QUIT", "221")
				p.end("")
				m := s.Accepted()
				if len(m) != 1 || string(m[0].Data) != c.content || m[0].Size != len(c.content) || m[0].SHA256 != sha256.Sum256([]byte(c.content)) {
					t.Fatalf("got %+v, want content %q", m, c.content)
				}
				if !m[0].Answered || m[0].From != "a@a.example" || len(m[0].To) != 1 || m[0].To[0] != "b@b.example" {
					t.Fatalf("got %+v", m[0])
				}
				noViolations(t, s)
			})
		}
	}
}

func TestOrderAndSyntax(t *testing.T) {
	for _, c := range []struct {
		name     string
		pipeline bool
		talk     string // "command|reply" by line
		what     string // of the one violation; "": none
	}{
		{"MAIL before EHLO", false, "MAIL FROM:<a@a.example>|503", "MAIL before EHLO"},
		{"nested MAIL", false, "EHLO x|250\nMAIL FROM:<a@a.example>|250\nMAIL FROM:<a@a.example>|503", "nested MAIL"},
		{"RCPT without MAIL", true, "EHLO x|250\nRCPT TO:<a@a.example>|503", "RCPT without MAIL"},
		{"DATA without MAIL", true, "EHLO x|250\nDATA|503", "DATA without MAIL"},
		{"DATA without RCPT", true, "EHLO x|250\nMAIL FROM:<>|250\nDATA|503", "DATA without RCPT"},
		{"RSET opens a new turn", false, "EHLO x|250\nMAIL FROM:<a@a.example>|250\nRSET|250\nMAIL FROM:<b@a.example>|250", ""},
		{"a group after a refused MAIL", true, "EHLO x|250\nMAIL FROM:<refused@a.example>|451\nRCPT TO:<a@a.example>|503\nDATA|503", ""},
		{"the same one by one", false, "EHLO x|250\nMAIL FROM:<refused@a.example>|451\nRCPT TO:<a@a.example>|503", "RCPT without MAIL"},
		{"no recipient left", true, "EHLO x|250\nMAIL FROM:<a@a.example>|250\nRCPT TO:<refused@a.example>|550\nDATA|554", ""},
		{"space before the address", false, "EHLO x|250\nMAIL FROM: <a@a.example>|501", "MAIL is not written as RFC 5321 has it"},
		{"no brackets", false, "EHLO x|250\nMAIL FROM:a@a.example|501", "MAIL is not written as RFC 5321 has it"},
		{"no domain", false, "EHLO x|250\nMAIL FROM:<>|250\nRCPT TO:<a>|501", "RCPT is not written as RFC 5321 has it"},
		{"SIZE not offered", false, "EHLO x|250\nMAIL FROM:<a@a.example> SIZE=10|555", "SIZE is not offered or not a number"},
		{"SIZE offered", true, "EHLO x|250\nMAIL FROM:<a@a.example> SIZE=10 BODY=8BITMIME SMTPUTF8|250", ""},
		{"SIZE too large", true, "EHLO x|250\nMAIL FROM:<a@a.example> SIZE=99000000|552 5.3.4", ""},
		{"UTF-8 not declared", true, "EHLO x|250\nMAIL FROM:<a@a.example>|250\nRCPT TO:<张@a.example>|553 5.6.7", "non-ASCII address without SMTPUTF8"},
		{"UTF-8 declared", true, "EHLO x|250\nMAIL FROM:<a@a.example> SMTPUTF8|250\nRCPT TO:<张@a.example>|250", ""},
		{"unknown", false, "EHLO x|250\nFOO|500", "unknown command"},
		{"AUTH not offered", false, "EHLO x|250\nAUTH PLAIN AGEAYg==|502", "AUTH is not offered"},
		{"STARTTLS not offered", false, "EHLO x|250\nSTARTTLS|502", "STARTTLS is not offered"},
		{"EHLO without a name", false, "EHLO|501", "EHLO and HELO need a name"},
		{"long line", false, "EHLO x|250\nNOOP " + strings.Repeat("x", 600) + "|500", "line too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, func(cfg *Config) {
				if !c.pipeline {
					cfg.Extensions = Extensions{}
				}
				cfg.Faults = []Fault{
					{Phase: AtMail, From: "refused@a.example", Action: Refusal(451, "4.3.0 no")},
					{Phase: AtRcpt, To: "REFUSED@a.example", Action: Refusal(550, "5.1.1 no")},
				}
			})
			p := dial(t, s.Addr())
			p.want("220 relay.example")
			for line := range strings.SplitSeq(c.talk, "\n") {
				say, want, _ := strings.Cut(line, "|")
				p.ask(say, want)
			}
			p.ask("QUIT", "221")
			v := s.Violations()
			if c.what == "" && len(v) > 0 || c.what != "" && (len(v) != 1 || v[0].What != c.what) {
				t.Fatalf("violations %+v, want %q", v, c.what)
			}
		})
	}
}

func TestBareLFEndsTheSession(t *testing.T) {
	s := start(t, nil)
	p := ready(t, s.Addr())
	p.send("NOOP\nMAIL FROM:<a@a.example>\r\n")
	p.want("500")
	if len(s.Violations()) != 1 {
		t.Fatalf("%+v", s.Violations())
	}
}

func TestPipelinedGroups(t *testing.T) {
	s := start(t, nil)
	p := ready(t, s.Addr())
	group := "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n"
	p.send(group)
	for i := range 5 {
		p.want("250")
		p.want("250")
		p.want("250")
		p.want("354")
		next := group
		if i == 4 {
			next = "QUIT\r\n"
		}
		p.send(fmt.Sprintf("Message-ID:\r\n <%d@a.example>\r\n\r\nx\r\n.\r\n", i) + next)
		p.want("250 2.0.0 queued as " + fmt.Sprint(i+1))
	}
	p.want("221")
	p.end("")
	m := s.Accepted()
	if len(m) != 5 || m[4].MessageID != "<4@a.example>" || m[4].Nth != 5 || m[4].Seq != 5 || len(m[4].To) != 2 {
		t.Fatalf("%+v", m)
	}
	if c := s.Counts(); c.Mails != 5 || c.Answered != 5 || c.LastMinute != 5 || c.Connections != 1 || c.MaxOpen != 1 {
		t.Fatalf("%+v", c)
	}
	noViolations(t, s)
	if n := Busiest(m, time.Minute); n != 5 {
		t.Fatalf("busiest %d", n)
	}
}

func TestStrictSync(t *testing.T) {
	for _, c := range []struct {
		name     string
		pipeline bool
		before   func(*peer)
		send     string
		what     string // "": allowed
	}{
		{"a group where none is offered", false, nil, "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n", "did not wait for the answer"},
		{"a group where it is offered", true, nil, "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n", ""},
		{"something after NOOP", true, nil, "NOOP\r\nNOOP\r\n", "did not wait for the answer"},
		{"content before 354", true, func(p *peer) {
			p.ask("MAIL FROM:<a@a.example>", "250")
			p.ask("RCPT TO:<b@b.example>", "250")
		}, "DATA\r\nx\r\n.\r\n", "content before the answer to DATA"},
		{"something after the dot", false, (*peer).begin, "x\r\n.\r\nQUIT\r\n", "did not wait for the answer"},
		{"the same where it is offered", true, (*peer).begin, "x\r\n.\r\nMAIL FROM:<>\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, func(cfg *Config) { cfg.Pipelining, cfg.StrictSync = c.pipeline, true })
			p := ready(t, s.Addr())
			if c.before != nil {
				c.before(p)
			}
			p.send(c.send)
			if c.what == "" {
				p.want("250")
				p.want("250")
				noViolations(t, s)
				return
			}
			p.end("")
			if v := s.Violations(); len(v) != 1 || v[0].What != c.what {
				t.Fatalf("violations %+v, want %q", v, c.what)
			}
		})
	}
	t.Run("a client that talks before the banner", func(t *testing.T) {
		s := start(t, func(cfg *Config) { cfg.StrictSync, cfg.Quiet = true, 10*time.Second })
		p := dial(t, s.Addr())
		p.send("E")
		p.end("")
		if v := s.Violations(); len(v) != 1 || v[0].What != "octets before the banner" {
			t.Fatalf("%+v", v)
		}
	})
}

// TestFaults does every manner at every phase a plain session has and compares
// what the client sees, and what the server says it accepted.
func TestFaults(t *testing.T) {
	refusal := Refusal(451, "4.3.0 later")
	for _, c := range []struct {
		name     string
		at       Phase
		act      Action
		see      string // the reply's beginning, "" for an end, "..." for silence
		accepted int
		answered bool
	}{
		{"accept drop", AtAccept, Action{Do: Drop}, "", 0, false},
		{"accept hang", AtAccept, Action{Do: Hang}, "...", 0, false},
		{"ehlo reset", AtEhlo, Action{Do: Reset}, "", 0, false},
		{"banner 554", AtBanner, Refusal(554, "5.7.1 go away"), "554 5.7.1 go away\r\n", 0, false},
		{"banner hang", AtBanner, Action{Do: Hang}, "...", 0, false},
		{"banner garbage", AtBanner, Action{Do: Garbage}, "\x16\x03", 0, false},
		{"ehlo 421 closes", AtEhlo, Refusal(421, "4.3.2 stopping"), "421", 0, false},
		{"ehlo hang", AtEhlo, Action{Do: Hang}, "...", 0, false},
		{"mail 451", AtMail, refusal, "451 4.3.0 later\r\n", 0, false},
		{"mail drop", AtMail, Action{Do: Drop}, "", 0, false},
		{"rcpt 550 of two lines", AtRcpt, Refusal(550, "5.1.1 no\n5.1.1 such user"), "550-5.1.1 no\r\n550 5.1.1 such user\r\n", 0, false},
		{"rcpt hang", AtRcpt, Action{Do: Hang}, "...", 0, false},
		{"data 452", AtData, Refusal(452, "4.2.2 full"), "452", 0, false},
		{"data cut", AtData, Action{Do: Cut, Bytes: 2}, "", 0, false},
		{"body drop", AtBody, Action{Do: Drop, After: 3}, "", 0, false},
		{"body reset", AtBody, Action{Do: Reset, After: 3}, "", 0, false},
		{"body hang", AtBody, Action{Do: Hang}, "...", 0, false},
		{"body 421", AtBody, Refusal(421, "4.3.2 stopping"), "421", 0, false},
		{"body 552 in the middle", AtBody, Refusal(552, "5.3.4 large"), "552", 0, false},
		{"body slow", AtBody, Action{Do: Slow, Pause: time.Millisecond}, "250", 1, true},
		{"body fault after more than there is", AtBody, Action{Do: Drop, After: 1 << 20}, "", 0, false},
		{"dot 550", AtDot, Refusal(550, "5.7.1 spam"), "550", 0, false},
		{"dot drop before accept", AtDot, DropBeforeAccept(), "", 0, false},
		{"dot accept then drop", AtDot, AcceptThenDrop(), "", 1, false},
		{"dot accept then reset", AtDot, Action{Do: Reset, Accept: true}, "", 1, false},
		{"dot accept then hang", AtDot, Action{Do: Hang, Accept: true}, "...", 1, false},
		{"dot accept but say 451", AtDot, Action{Do: Answer, Code: 451, Text: "4.3.0 x", Accept: true}, "451", 1, false},
		{"dot accept then garbage", AtDot, Action{Do: Garbage, Accept: true}, "\x16\x03", 1, false},
		{"dot cut", AtDot, Action{Do: Cut, Bytes: 3}, "", 1, false},
		{"dot slow", AtDot, Action{Do: Slow, Pause: time.Microsecond}, "250 2.0.0 queued", 1, true},
		{"dot delay", AtDot, Action{Do: Delay, Pause: time.Millisecond}, "250 2.0.0 queued", 1, true},
		{"dot 250 in other words", AtDot, Action{Do: Answer, Code: 250, Text: "Ok"}, "250 Ok\r\n", 1, true},
		{"quit drop", AtQuit, Action{Do: Drop}, "", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, func(cfg *Config) { cfg.Faults = []Fault{{Phase: c.at, Action: c.act}} })
			p := dial(t, s.Addr())
			for _, step := range []struct {
				at         Phase
				send, want string
			}{
				{AtAccept, "", ""}, {AtBanner, "", "220"}, {AtEhlo, "EHLO x\r\n", "250"}, {AtMail, "MAIL FROM:<a@a.example>\r\n", "250"},
				{AtRcpt, "RCPT TO:<b@b.example>\r\n", "250"}, {AtData, "DATA\r\n", "354"}, {AtBody, "a: b\r\n\r\nhello\r\n.\r\n", "250"},
				{AtDot, "a: b\r\n\r\nhello\r\n.\r\n", "250"}, {AtQuit, "QUIT\r\n", "221"},
			} {
				if step.at == AtBody && c.at != AtBody {
					continue
				}
				p.send(step.send)
				if step.at != c.at {
					if step.want != "" {
						p.want(step.want)
					}
					continue
				}
				switch {
				case c.see == "":
					rest := ""
					if c.act.Do == Cut {
						rest = "354 "[:2]
						if c.at == AtDot {
							rest = "250"
						}
					}
					p.end(rest)
				case c.see == "...":
					p.silent()
				case c.act.Do == Garbage:
					if b, err := p.r.Peek(2); err != nil || string(b) != c.see {
						t.Fatalf("%q, %v", b, err)
					}
				default:
					if got := p.want(c.see[:3]); !strings.HasPrefix(got, c.see) {
						t.Fatalf("got %q, want %q", got, c.see)
					}
				}
				break
			}
			if err := s.WaitFaults(within(t), c.at, 1); err != nil {
				t.Fatal(err)
			}
			m := s.Accepted()
			if len(m) != c.accepted || len(m) > 0 && m[0].Answered != c.answered {
				t.Fatalf("accepted %+v, want %d answered %v", m, c.accepted, c.answered)
			}
			_ = p.Close()
			if c.at == AtBody && c.act.Do == Hang {
				s.DropConnections()
			}
			if err := s.WaitIdle(within(t)); err != nil {
				t.Fatal(err)
			}
			noViolations(t, s)
		})
	}
}

func TestWhichEventsAFaultTakes(t *testing.T) {
	event := func(to string) *Event { return &Event{Phase: AtRcpt, Rcpt: to, From: "s@s.example", Conn: 2} }
	draw := func(f Fault, n int) string {
		f.Phase, f.Action = AtRcpt, Action{Do: Drop}
		p := newPlan(nil, []Fault{f}, 7)
		var b strings.Builder
		for i := range n {
			to := "x@one.example"
			if i%2 == 1 {
				to = "y@two.example"
			}
			b.WriteByte(".D"[min(int(p.choose(event(to)).Do), 1)])
		}
		return b.String()
	}
	for _, c := range []struct {
		name, want string
		f          Fault
	}{
		{"always", "DDDDDD", Fault{}},
		{"every third", "D..D..", Fault{Every: 3}},
		{"every second after one", ".D.D.D", Fault{Every: 2, Skip: 1}},
		{"first two", "DD....", Fault{Times: 2}},
		{"after four", "....DD", Fault{Skip: 4}},
		{"a recipient", ".D.D.D", Fault{To: "Y@TWO.example"}},
		{"a domain", "D.D.D.", Fault{To: "@One.example"}},
		{"not half a domain", "......", Fault{To: "@ne.example"}},
		{"every second of a domain", "D...D.", Fault{To: "@one.example", Every: 2}},
		{"a sender", "DDDDDD", Fault{From: "@s.example"}},
		{"another sender", "......", Fault{From: "t@s.example"}},
		{"another connection", "......", Fault{Conn: 1}},
	} {
		if got := draw(c.f, 6); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	a, b := draw(Fault{Chance: 0.3}, 1000), draw(Fault{Chance: 0.3}, 1000)
	if n := strings.Count(a, "D"); a != b || n < 250 || n > 350 {
		t.Errorf("chance 0.3 of 1000: %d, the same again: %v", n, a == b)
	}
}

func TestDecideAndSetFaults(t *testing.T) {
	s := start(t, func(cfg *Config) {
		cfg.Decide = func(e Event) Action {
			if e.Phase == AtMail && e.Mail > 1 {
				return Refusal(421, "4.7.0 enough on this connection")
			}
			if e.Phase == AtDot && e.MessageID == "<poison@a.example>" && e.To[0] == "b@b.example" {
				return Refusal(554, "5.6.0 no")
			}
			return Action{}
		}
	})
	p := ready(t, s.Addr())
	p.begin()
	p.send("Message-Id: <poison@a.example>\r\n\r\nx\r\n.\r\n")
	p.want("554 5.6.0 no")
	p.ask("MAIL FROM:<a@a.example>", "421 4.7.0")
	p.end("")
	s.SetDecide(nil)
	s.SetFaults(Fault{Phase: AtRcpt, To: "b@b.example", Action: Refusal(550, "5.1.1 no")})
	p = ready(t, s.Addr())
	p.ask("MAIL FROM:<a@a.example>", "250")
	p.ask("RCPT TO:<b@b.example>", "550")
	s.SetFaults()
	p.ask("RCPT TO:<b@b.example>", "250")
	if c := s.Counts(); c.Faults[AtMail] != 1 || c.Faults[AtDot] != 1 || c.Faults[AtRcpt] != 1 || c.FaultsGiven() != 3 || c.Dots != 1 || c.Mails != 0 {
		t.Fatalf("%+v", c)
	}
}

func TestLimits(t *testing.T) {
	s := start(t, func(cfg *Config) { cfg.Size, cfg.MaxRcpts, cfg.MaxConns = 1000, 1, 1 })
	p := ready(t, s.Addr())
	p.ask("MAIL FROM:<a@a.example>", "250")
	p.ask("RCPT TO:<b@b.example>", "250")
	p.ask("RCPT TO:<c@b.example>", "452 4.5.3")
	p.ask("DATA", "354")
	p.send(strings.Repeat("0123456789\r\n", 100) + ".\r\n")
	p.want("552 5.3.4")
	p.begin()
	p.send("small\r\n.\r\n")
	p.want("250")
	q := dial(t, s.Addr())
	q.want("421")
	q.end("")
	if m := s.Accepted(); len(m) != 1 || m[0].Size != 7 {
		t.Fatalf("%+v", m)
	}
}

func TestCheckContent(t *testing.T) {
	for _, c := range []struct{ name, mail, content, what string }{
		{"clean", "", "a: b\r\n\r\nc\r\n", ""},
		{"bare LF", "", "a\nb\r\n", "bare LF"},
		{"bare CR", "", "a\rb\r\n", "bare CR"},
		{"NUL", "", "a\x00b\r\n", "NUL"},
		{"998", "", strings.Repeat("x", 998) + "\r\n", ""},
		{"999", "", "a\r\n" + strings.Repeat("x", 999) + "\r\n", "line over 998"},
		{"8-bit", "", "督办\r\n", "8-bit"},
		{"8-bit declared", " BODY=8BITMIME", "督办\r\n", ""},
	} {
		s := start(t, func(cfg *Config) { cfg.CheckContent = true })
		p := ready(t, s.Addr())
		p.ask("MAIL FROM:<a@a.example>"+c.mail, "250")
		p.ask("RCPT TO:<b@b.example>", "250")
		p.ask("DATA", "354")
		p.send(c.content + ".\r\n")
		p.want("250")
		v := s.Violations()
		if c.what == "" && len(v) > 0 || c.what != "" && (len(v) != 1 || !strings.HasPrefix(v[0].What, c.what)) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

func identity(t *testing.T) *Identity {
	t.Helper()
	id, err := Certificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "127.0.0.1", "relay.example")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestStandardClient(t *testing.T) {
	id := identity(t)
	for _, implicit := range []bool{false, true} {
		s := start(t, func(cfg *Config) {
			cfg.TLS, cfg.StartTLS, cfg.Implicit, cfg.Auth = id.Server(), !implicit, implicit, []string{"LOGIN", "PLAIN"}
			cfg.User, cfg.Password, cfg.RequireAuth, cfg.StrictSync = "duban", "s3cret-pass", true, true
		})
		client := &tls.Config{RootCAs: id.Pool(), ServerName: "relay.example", MinVersion: tls.VersionTLS12}
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if implicit {
			conn = tls.Client(conn, client)
		}
		c, err := smtp.NewClient(conn, "relay.example")
		if err != nil {
			t.Fatal(err)
		}
		if !implicit {
			if ok, _ := c.Extension("AUTH"); ok {
				t.Fatal("AUTH is offered in the clear")
			}
			if err := c.StartTLS(client); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Mail("a@a.example"); err == nil || !strings.HasPrefix(err.Error(), "530") {
			t.Fatalf("MAIL before AUTH: %v", err)
		}
		if err := c.Auth(smtp.PlainAuth("", "duban", "wrong", "relay.example")); err == nil || !strings.HasPrefix(err.Error(), "535") {
			t.Fatalf("wrong password: %v", err)
		}
		_ = c.Close()
		if implicit {
			conn, err = tls.Dial("tcp", s.Addr(), client)
		} else {
			conn, err = net.Dial("tcp", s.Addr())
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, err = smtp.NewClient(conn, "relay.example"); err != nil {
			t.Fatal(err)
		}
		if !implicit {
			if err := c.StartTLS(client); err != nil {
				t.Fatal(err)
			}
		}
		sendOne(t, c, smtp.PlainAuth("", "duban", "s3cret-pass", "relay.example"))
		m := s.Accepted()
		if len(m) != 1 || !m[0].TLS || m[0].User != "duban" || string(m[0].Data) != "Message-ID: <1@a.example>\r\n\r\n.dot\r\n" || m[0].MessageID != "<1@a.example>" {
			t.Fatalf("%+v", m)
		}
		// net/smtp gives up a refused AUTH with "*", which no command is.
		if v := s.Violations(); len(v) != 1 || v[0].Conn != 1 || v[0].Line != "*" {
			t.Fatalf("%+v", v)
		}
		counts := s.Counts()
		if s.CrossedInClear("s3cret-pass") || counts.ClearPasswords != 0 || counts.Logins != 1 || counts.AuthFailed != 1 || counts.Handshakes != 2 {
			t.Fatalf("%+v", counts)
		}
		if len(s.Transcript(2)) < 8 {
			t.Fatalf("%v", s.Transcript(2))
		}
	}
}

func sendOne(t *testing.T, c *smtp.Client, auth smtp.Auth) {
	t.Helper()
	if auth != nil {
		if err := c.Auth(auth); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.Mail("a@a.example"), c.Rcpt("b@b.example")); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "Message-ID: <1@a.example>\r\n\r\n.dot\r\n")
	if err := errors.Join(w.Close(), c.Quit()); err != nil {
		t.Fatal(err)
	}
}

func TestPasswordInClearIsSeen(t *testing.T) {
	for _, talk := range []string{
		"AUTH PLAIN AGR1YmFuAHMzY3JldC1wYXNz|235",
		"AUTH PLAIN|334 \nAGR1YmFuAHMzY3JldC1wYXNz|235",
		"AUTH LOGIN|334 VXNlcm5hbWU6\nZHViYW4=|334 UGFzc3dvcmQ6\nczNjcmV0LXBhc3M=|235",
		"AUTH LOGIN ZHViYW4=|334 UGFzc3dvcmQ6\nczNjcmV0LXBhc3M=|235",
	} {
		s := start(t, func(cfg *Config) {
			cfg.User, cfg.Password, cfg.Auth, cfg.AuthInClear = "duban", "s3cret-pass", []string{"PLAIN", "LOGIN"}, true
		})
		p := ready(t, s.Addr())
		for line := range strings.SplitSeq(talk, "\n") {
			say, want, _ := strings.Cut(line, "|")
			p.ask(say, want)
		}
		if !s.CrossedInClear("s3cret-pass") || s.Counts().ClearPasswords != 1 || s.CrossedInClear("another") {
			t.Errorf("%q was not seen: %v", talk, s.Transcript(1))
		}
		p.ask("AUTH PLAIN AAAA", "503")
	}
}

func TestTLSFaults(t *testing.T) {
	id := identity(t)
	expired, err := Certificate(time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		id     *Identity
		server string
		fault  *Fault
		want   string // in the error; "" none
	}{
		{"good", id, "127.0.0.1", nil, ""},
		{"other name", id, "mail.example", nil, "not mail.example"},
		{"expired", expired, "127.0.0.1", nil, "expired"},
		{"refused", id, "127.0.0.1", &Fault{Phase: AtStartTLS, Action: Refusal(454, "4.7.0 not now")}, "454"},
		{"dropped in the handshake", id, "127.0.0.1", &Fault{Phase: AtTLS, Action: Action{Do: Drop}}, "EOF"},
		{"garbage in the handshake", id, "127.0.0.1", &Fault{Phase: AtTLS, Action: Action{Do: Garbage}}, "tls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, func(cfg *Config) {
				cfg.TLS, cfg.StartTLS = c.id.Server(), true
				if c.fault != nil {
					cfg.Faults = []Fault{*c.fault}
				}
			})
			client, err := smtp.Dial(s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			defer context.AfterFunc(within(t), func() { _ = client.Close() })()
			err = client.StartTLS(&tls.Config{RootCAs: c.id.Pool(), ServerName: c.server, MinVersion: tls.VersionTLS12})
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				state, _ := client.TLSConnectionState()
				if got := fmt.Sprintf("%x", sha256.Sum256(state.PeerCertificates[0].Raw)); got != c.id.Fingerprint {
					t.Fatalf("fingerprint %s, want %s", got, c.id.Fingerprint)
				}
				return
			}
			// A reset may overtake what was said before it.
			if err == nil || !strings.Contains(err.Error(), c.want) && !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
		})
	}
	t.Run("commands behind STARTTLS are never run", func(t *testing.T) {
		s := start(t, func(cfg *Config) { cfg.TLS, cfg.StartTLS = id.Server(), true })
		p := ready(t, s.Addr())
		p.send("STARTTLS\r\nMAIL FROM:<a@a.example>\r\n")
		p.want("220")
		p.end("")
		if len(s.Violations()) != 1 {
			t.Fatalf("%+v", s.Violations())
		}
	})
}

func TestRelayGoesAwayAndComesBack(t *testing.T) {
	s := start(t, nil)
	p := ready(t, s.Addr())
	addr := s.Addr()
	for range 5 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		p.end("")
		if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("while stopped: %v", err)
		}
		if err := s.Resume(); err != nil || s.Addr() != addr {
			t.Fatalf("%s, %v", s.Addr(), err)
		}
		p = ready(t, addr)
		p.begin()
		p.send("x\r\n.\r\n")
		p.want("250")
	}
	s.DropConnections()
	p.end("")
	ready(t, addr)
	if c := s.Counts(); c.Mails != 5 || c.Connections != 7 {
		t.Fatalf("%+v", c)
	}
}

func TestWaiting(t *testing.T) {
	s := start(t, nil)
	got := make(chan error)
	go func() { got <- s.WaitAccepted(within(t), 2) }()
	p := ready(t, s.Addr())
	for range 2 {
		p.begin()
		p.send("x\r\n.\r\n")
		p.want("250")
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WaitAccepted(ctx, 3); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	s.Forget()
	p.begin()
	p.send("y\r\n.\r\n")
	p.want("250")
	if m := s.Accepted(); len(m) != 1 || !m[0].Answered || m[0].Seq != 3 || s.Counts().Answered != 1 {
		t.Fatalf("%+v", m)
	}
}

func TestHELOOnly(t *testing.T) {
	s := start(t, func(cfg *Config) { cfg.NoEHLO = true })
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	sendOne(t, c, nil) // net/smtp falls back to HELO
	if len(s.Accepted()) != 1 {
		t.Fatal("not accepted")
	}
	noViolations(t, s)
}

// reference reads content octet by octet.
func reference(wire []byte) (content, rest []byte, ok bool) {
	last := []byte("\r\n")
	for i := 0; i < len(wire); i++ {
		if bytes.HasSuffix(last, []byte("\r\n")) && wire[i] == '.' {
			if bytes.HasPrefix(wire[i:], []byte(".\r\n")) {
				return content, wire[i+3:], true
			}
			last = append(last, '.')
			continue
		}
		content, last = append(content, wire[i]), append(last, wire[i])
	}
	return nil, nil, false
}

func FuzzContent(f *testing.F) {
	f.Add([]byte("a\r\n.\r\n"), uint8(1))
	f.Add([]byte("a\r\n..b\r\n.\rx\n.\r\n\r\n.\r\nrest"), uint8(2))
	f.Fuzz(func(t *testing.T, wire []byte, step uint8) {
		s := &Server{cfg: Config{Transcript: -1}.withDefaults()}
		s.plan.Store(newPlan(nil, nil, 0))
		c := &session{s: s, r: bufio.NewReaderSize(&steps{wire, max(int(step), 1)}, 16), script: &transcript{}}
		size, _, err := c.receive()
		content, rest, ok := reference(wire)
		if ok != (err == nil) {
			t.Fatalf("ended %v, want %v", err, ok)
		}
		if !ok {
			return
		}
		left, _ := io.ReadAll(c.r)
		if size != len(content) || !bytes.Equal(c.body, content) || !bytes.Equal(left, rest) {
			t.Fatalf("content %q and %q, want %q and %q", c.body, left, content, rest)
		}
	})
}

// steps reads n octets at a time.
type steps struct {
	b []byte
	n int
}

func (s *steps) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.b[:min(s.n, len(s.b))])
	s.b = s.b[n:]
	return n, nil
}

// BenchmarkSink is the most four pipelined connections can hand over: prebuilt
// mails of 24 KB, the next group behind each final dot.
func BenchmarkSink(b *testing.B) {
	for _, keep := range []struct {
		name string
		keep Keep
	}{{"digest", KeepDigest}, {"id", KeepID}} {
		b.Run(keep.name, func(b *testing.B) {
			s, err := Start(Config{Extensions: AllExtensions(), Keep: keep.keep})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			line := strings.Repeat("QUJD", 19) + "\r\n"
			group := "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n"
			mail := []byte("Message-ID: <1@a.example>\r\nSubject: x\r\n\r\n" + strings.Repeat(line, 24_000/len(line)) + ".\r\n" + group)
			const conns = 4
			done := make(chan error, conns)
			b.SetBytes(int64(len(mail)))
			b.ResetTimer()
			for i := range conns {
				n := b.N / conns
				if i < b.N%conns {
					n++
				}
				go func() { done <- pump(s.Addr(), group, mail, n) }()
			}
			for range conns {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			if c := s.Counts(); c.Mails != b.N || c.Violations != 0 {
				b.Fatalf("%d mails: %+v", b.N, c)
			}
		})
	}
}

// pump hands over n mails, then leaves the last group open.
func pump(addr, group string, mail []byte, n int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	until := func(code string) error {
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return err
			}
			if string(line[:4]) == code+" " {
				return nil
			}
			if line[0] > '3' {
				return fmt.Errorf("%s", line)
			}
		}
	}
	if err := until("220"); err != nil {
		return err
	}
	_, _ = io.WriteString(conn, "EHLO x\r\n")
	if err := until("250"); err != nil {
		return err
	}
	_, _ = io.WriteString(conn, group)
	for range n {
		if err := until("354"); err != nil {
			return err
		}
		if _, err := conn.Write(mail); err != nil {
			return err
		}
	}
	return until("354")
}
