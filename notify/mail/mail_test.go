package mail

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"duban/notify/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func transport(t *testing.T, cfg Config) *Transport {
	t.Helper()
	cfg.Host = "127.0.0.1"
	tr, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

func TestSendOverEveryKindOfConnection(t *testing.T) {
	server, client := certificate(t)
	for _, c := range []struct {
		name     string
		security Security
		mechs    []string
	}{
		{"starttls and plain", StartTLS, []string{"PLAIN", "LOGIN"}},
		{"starttls and login", "", []string{"LOGIN"}},
		{"implicit tls", Implicit, []string{"PLAIN"}},
		{"in clear", Plain, []string{"LOGIN"}},
		{"tls as the port says", Required, []string{"PLAIN"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &backend{needAuth: true, mechs: c.mechs}
			port := listen(t, b, server, c.security == Implicit)
			tr := transport(t, Config{Port: port, Security: c.security, TLS: client, Username: "duban", Password: "secret", Hello: "worker.example", PlainAuthHosts: []string{"127.0.0.1"}})
			for i := range 3 {
				dots := 0
				r := tr.Send(t.Context(), letter, func() error {
					dots++
					if n := len(b.mails()); n != i {
						t.Errorf("%d mails taken before the final dot", n)
					}
					return nil
				})
				if r.Outcome != notice.OutcomeAccepted || dots != 1 || r.Code != 250 || r.Enhanced != "2.0.0" || r.Bytes != len(letter.Bytes) {
					t.Fatalf("letter %d: %+v, %d dots", i, r, dots)
				}
			}
			got := b.mails()
			if len(got) != 3 || got[2] != (delivered{letter.From, letter.To, string(letter.Bytes)}) {
				t.Errorf("delivered %+v", got)
			}
			// The session before STARTTLS counts as one on its own.
			if b.sessions > 2 {
				t.Errorf("%d sessions for three letters", b.sessions)
			}
		})
	}
}

func TestRefusalsTouchOneLetterOnly(t *testing.T) {
	b := &backend{rcpt: func(to string) error {
		switch to {
		case "gone@qjtj.example":
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		case "full@qjtj.example":
			return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
		}
		return nil
	}}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	for _, c := range []struct {
		to   string
		want notice.Outcome
		say  string
	}{
		{"lianluo@qjtj.example", notice.OutcomeAccepted, "250"},
		{"gone@qjtj.example", notice.OutcomePermanent, "550 5.1.1 no such user"},
		{"lianluo@qjtj.example", notice.OutcomeAccepted, "250"},
		{"full@qjtj.example", notice.OutcomeTemporary, "452 4.2.2 mailbox full"},
		{"lianluo@qjtj.example", notice.OutcomeAccepted, "250"},
	} {
		m := letter
		m.To = c.to
		if r := tr.Send(t.Context(), m, nil); r.Outcome != c.want || !strings.HasPrefix(r.String(), c.say) {
			t.Errorf("%s: %+v", c.to, r)
		}
	}
	if n := len(b.mails()); n != 3 || b.sessions != 1 {
		t.Errorf("%d mails over %d sessions", n, b.sessions)
	}
}

func TestAddressesThatCannotWork(t *testing.T) {
	b := &backend{}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	for _, to := range []string{"张三@qjtj.example", "a@b.example>\r\nRCPT TO:<evil@c.example", "", "a b@c.example", "<a@b.example>"} {
		m := letter
		m.To = to
		if r := tr.Send(t.Context(), m, nil); r.Outcome != notice.OutcomePermanent {
			t.Errorf("%q: %+v", to, r)
		}
	}
	if r := tr.Send(t.Context(), letter, nil); r.Outcome != notice.OutcomeAccepted || len(b.mails()) != 1 {
		t.Errorf("%+v, %d mails", r, len(b.mails()))
	}
}

func TestLogins(t *testing.T) {
	server, client := certificate(t)
	for _, c := range []struct {
		name string
		b    *backend
		cfg  Config
	}{
		{"wrong password", &backend{needAuth: true, mechs: []string{"PLAIN"}}, Config{Username: "duban", Password: "wrong"}},
		{"wrong password by LOGIN", &backend{needAuth: true, mechs: []string{"LOGIN"}}, Config{Username: "duban", Password: "wrong"}},
		{"no user where one is needed", &backend{needAuth: true, mechs: []string{"PLAIN"}}, Config{}},
		{"no known mechanism", &backend{mechs: []string{"CRAM-MD5"}}, Config{Username: "duban", Password: "secret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Port, c.cfg.TLS = listen(t, c.b, server, false), client
			r := transport(t, c.cfg).Send(t.Context(), letter, func() error { t.Error("a final dot"); return nil })
			if r.Outcome != notice.OutcomeTemporary || strings.Contains(r.Reply, "secret") || strings.Contains(r.Reply, "wrong") {
				t.Errorf("%+v", r)
			}
			if len(c.b.mails()) != 0 {
				t.Error("a mail was delivered")
			}
		})
	}
}

func TestNothingIsSentInClearUnasked(t *testing.T) {
	s, port := serveScript(t, []string{"S: 220 hi", "C: EHLO worker.example", "S: 250-hi", "S: 250 AUTH PLAIN LOGIN", "SWALLOW"})
	tr := transport(t, Config{Port: port, Username: "duban", Password: "secret", Hello: "worker.example"})
	if r := tr.Send(t.Context(), letter, nil); r.Outcome != notice.OutcomeTemporary || !strings.Contains(r.Reply, "STARTTLS") {
		t.Errorf("%+v", r)
	}
	if got := s.lines(); !slices.Equal(got, []string{"EHLO worker.example"}) {
		t.Errorf("said in clear: %q", got)
	}
	_, port = serveScript(t, []string{"S: 220 hi", "C: EHLO", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go\r\n250 injected", "SWALLOW"})
	tr = transport(t, Config{Port: port})
	if r := tr.Send(t.Context(), letter, nil); r.Outcome != notice.OutcomeTemporary {
		t.Errorf("injected: %+v", r)
	}
	server, _ := certificate(t)
	b := &backend{}
	tr = transport(t, Config{Port: listen(t, b, server, false)})
	if r := tr.Send(t.Context(), letter, nil); r.Outcome != notice.OutcomeTemporary || !strings.Contains(r.Reply, "certificate") || len(b.mails()) != 0 {
		t.Errorf("an unknown certificate: %+v", r)
	}
}

// hello is the beginning of every script in clear.
var hello = []string{"S: 220 hi", "C: EHLO", "S: 250 hi"}

func dialogue(steps ...string) []string { return append(slices.Clone(hello), steps...) }

func TestScriptedServers(t *testing.T) {
	mail, rcpt, data := []string{"C: MAIL", "S: 250 ok"}, []string{"C: RCPT", "S: 250 ok"}, []string{"C: DATA", "S: 354 go", "DATA"}
	until := func(parts ...[]string) []string { return dialogue(slices.Concat(parts...)...) }
	for _, c := range []struct {
		name  string
		steps []string
		want  notice.Outcome
		dot   bool // the final dot was announced
	}{
		{"closed before the greeting", nil, notice.OutcomeTemporary, false},
		{"no service", []string{"S: 554 go away"}, notice.OutcomeTemporary, false},
		{"not a mail server", []string{"S: HTTP/1.1 400 Bad Request"}, notice.OutcomeTemporary, false},
		{"stall at the greeting", []string{"STALL"}, notice.OutcomeTemporary, false},
		{"stall at EHLO", []string{"S: 220 hi", "C: EHLO", "STALL"}, notice.OutcomeTemporary, false},
		{"closed at MAIL", dialogue("C: MAIL"), notice.OutcomeTemporary, false},
		{"stall at MAIL", dialogue("C: MAIL", "STALL"), notice.OutcomeTemporary, false},
		{"sender refused", dialogue("C: MAIL", "S: 550 not you"), notice.OutcomePermanent, false},
		{"no place for MAIL", dialogue("C: MAIL", "S: 503 EHLO first"), notice.OutcomeTemporary, false},
		{"sender refused for now", dialogue("C: MAIL", "S: 451 later"), notice.OutcomeTemporary, false},
		{"login wanted", dialogue("C: MAIL", "S: 530 log in"), notice.OutcomeTemporary, false},
		{"service ends", dialogue("C: MAIL", "S: 421 bye"), notice.OutcomeTemporary, false},
		{"recipient refused", until(mail, []string{"C: RCPT", "S: 550 5.1.1 no such user"}), notice.OutcomePermanent, false},
		{"recipient refused for now", until(mail, []string{"C: RCPT", "S: 450 greylisted"}), notice.OutcomeTemporary, false},
		{"recipient forwarded", until(mail, []string{"C: RCPT", "S: 251 will forward"}, data, []string{"S: 250 ok", "SWALLOW"}), notice.OutcomeAccepted, true},
		{"stall at RCPT", until(mail, []string{"C: RCPT", "STALL"}), notice.OutcomeTemporary, false},
		{"data refused", until(mail, rcpt, []string{"C: DATA", "S: 554 no"}), notice.OutcomePermanent, false},
		{"data refused for now", until(mail, rcpt, []string{"C: DATA", "S: 451 no"}), notice.OutcomeTemporary, false},
		{"stall at DATA", until(mail, rcpt, []string{"C: DATA", "STALL"}), notice.OutcomeTemporary, false},
		{"refused after the dot", until(mail, rcpt, data, []string{"S: 554 spam"}), notice.OutcomePermanent, true},
		{"refused for now after the dot", until(mail, rcpt, data, []string{"S: 451 4.7.1 try later"}), notice.OutcomeTemporary, true},
		{"closed after the dot", until(mail, rcpt, data), notice.OutcomeUnknown, true},
		{"stall after the dot", until(mail, rcpt, data, []string{"STALL"}), notice.OutcomeUnknown, true},
		{"nonsense after the dot", until(mail, rcpt, data, []string{"S: what"}), notice.OutcomeUnknown, true},
		{"half an answer after the dot", until(mail, rcpt, data, []string{"S: 250-almost"}), notice.OutcomeUnknown, true},
		{"accepted and closed", until(mail, rcpt, data, []string{"S: 250 queued as 42"}), notice.OutcomeAccepted, true},
		{"accepted, QUIT refused", until(mail, rcpt, data, []string{"S: 250 queued", "C: QUIT", "S: 500 what"}), notice.OutcomeAccepted, true},
		{"accepted, QUIT unanswered", until(mail, rcpt, data, []string{"S: 250 queued", "C: QUIT", "STALL"}), notice.OutcomeAccepted, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, port := serveScript(t, c.steps)
			tr := transport(t, Config{Port: port, Security: Plain, Phase: 150 * time.Millisecond})
			dot := false
			begun := time.Now()
			r := tr.Send(t.Context(), letter, func() error { dot = true; return nil })
			if r.Outcome != c.want || dot != c.dot || r.Reply == "" || strings.Contains(r.Reply, "\n") {
				t.Errorf("%+v, dot %v; want %s, dot %v", r, dot, c.want, c.dot)
			}
			if d := time.Since(begun); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
			if n := s.count(); n != 1 {
				t.Errorf("%d connections: the transport tried again by itself", n)
			}
		})
	}
}

func TestStallWhileTheBodyIsWritten(t *testing.T) {
	tr := transport(t, Config{Port: 25, Security: Plain, Phase: 150 * time.Millisecond})
	// A pipe has no buffer: a peer that does not read stops the writer at once.
	tr.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			s := &script{t: t}
			s.play(theirs, dialogue("C: MAIL", "S: 250 ok", "C: RCPT", "S: 250 ok", "C: DATA", "S: 354 go", "STUCK"))
		}()
		return ours, nil
	}
	m := letter
	m.Bytes = bytes.Repeat([]byte("0123456789\r\n"), 100_000)
	begun := time.Now()
	r := tr.Send(t.Context(), m, nil)
	if r.Outcome != notice.OutcomeTemporary || r.Phase != notice.PhaseBody || time.Since(begun) > 5*time.Second {
		t.Errorf("%+v after %v", r, time.Since(begun))
	}
}

func TestTheLettersDeadlineEndsEveryPhase(t *testing.T) {
	_, port := serveScript(t, dialogue("C: MAIL", "STALL"))
	tr := transport(t, Config{Port: port, Security: Plain, Phase: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if r := tr.Send(ctx, letter, nil); r.Outcome != notice.OutcomeTemporary {
		t.Errorf("%+v", r)
	}
	s, port := serveScript(t, dialogue("C: MAIL", "S: 250 ok", "C: RCPT", "S: 250 ok", "C: DATA", "S: 354 go", "DATA", "STALL"))
	tr = transport(t, Config{Port: port, Security: Plain, Phase: time.Hour})
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if r := tr.Send(ctx, letter, nil); r.Outcome != notice.OutcomeUnknown {
		t.Errorf("cancelled after the dot: %+v, heard %q", r, s.lines())
	}
}

func TestWithoutTheDotNothingIsDelivered(t *testing.T) {
	b := &backend{}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	if r := tr.Send(t.Context(), letter, func() error { return errors.New("the lease is lost") }); r.Outcome != notice.OutcomeTemporary || !strings.Contains(r.Reply, "the lease is lost") {
		t.Errorf("%+v", r)
	}
	if r := tr.Send(t.Context(), letter, nil); r.Outcome != notice.OutcomeAccepted {
		t.Errorf("the next letter: %+v", r)
	}
	if got := b.mails(); len(got) != 1 {
		t.Errorf("%d mails", len(got))
	}
}

func TestAKeptConnectionThatWentStaleIsReplaced(t *testing.T) {
	whole := dialogue("C: MAIL", "S: 250 ok", "C: RCPT", "S: 250 ok", "C: DATA", "S: 354 go", "DATA", "S: 250 ok")
	for _, c := range []struct {
		name string
		end  []string
	}{
		{"closed", nil},
		{"421 at MAIL", []string{"C: MAIL", "S: 421 idle too long"}},
		{"closed at MAIL", []string{"C: MAIL"}},
		{"out of step", []string{"C: MAIL", "S: 503 nested"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, port := serveScript(t, slices.Concat(whole, c.end), slices.Concat(whole, []string{"SWALLOW"}))
			tr := transport(t, Config{Port: port, Security: Plain, Phase: 300 * time.Millisecond})
			for i := range 2 {
				if r := tr.Send(t.Context(), letter, nil); r.Outcome != notice.OutcomeAccepted {
					t.Fatalf("letter %d: %+v", i, r)
				}
			}
			if s.count() != 2 {
				t.Errorf("%d connections", s.count())
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []Config{
		{}, {Host: "h"}, {Host: "h", Port: 70000}, {Host: "h", Port: 25, Security: "ssl"}, {Host: "h", Port: 25, Hello: "a\r\nb"},
		{Host: "h", Port: 25, Hello: "a b"}, {Host: "h", Port: 25, Username: "u\n"}, {Port: 25},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}
