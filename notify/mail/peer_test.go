package mail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
)

// tap records what a transport writes, by connection and by write.
type tap struct {
	mu     sync.Mutex
	writes [][]byte
}

func (p *tap) on(tr *Transport) {
	dial := tr.dial
	tr.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return tapped{c, p}, err
	}
}

func (p *tap) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.writes)
}

func (p *tap) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(bytes.Join(p.writes, nil))
}

type tapped struct {
	net.Conn
	p *tap
}

func (c tapped) Write(b []byte) (int, error) {
	c.p.mu.Lock()
	c.p.writes = append(c.p.writes, bytes.Clone(b))
	c.p.mu.Unlock()
	return c.Conn.Write(b)
}

func TestAStreamCostsOneWriteForEachLetter(t *testing.T) {
	b := &backend{}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	var p tap
	p.on(tr)
	ms := letters(20)
	if s := send(t, tr.Lane(), t.Context(), ms...); s.n != 20 || len(s.dots) != 20 {
		t.Fatalf("%+v", s)
	}
	// EHLO, the first envelope, then each body with the envelope after it.
	if p.count() != 2+20 {
		t.Errorf("%d writes", p.count())
	}
	checkMails(t, b, ms)
}

func checkMails(t *testing.T, b *backend, ms []compose.Message) {
	t.Helper()
	got := b.mails()
	if len(got) != len(ms) {
		t.Fatalf("%d mails, want %d", len(got), len(ms))
	}
	for i, d := range got {
		if want := (delivered{ms[i].From, ms[i].To, string(ms[i].Bytes) + "\r\n"}); d != want {
			t.Errorf("mail %d: %+v, want %+v", i, d, want)
		}
	}
}

func TestConnectionsAreReplacedAfterTheirShare(t *testing.T) {
	for _, perTurn := range []int{1, 3, 25} {
		b := &backend{}
		tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain, PerConnection: 10})
		var p tap
		p.on(tr)
		l := tr.Lane()
		ms := letters(25)
		for batch := range slices.Chunk(ms, perTurn) {
			if s := send(t, l, t.Context(), batch...); s.n != len(batch) {
				t.Fatalf("%+v", s)
			}
		}
		checkMails(t, b, ms)
		if b.sessions != 3 || strings.Count(p.all(), "QUIT\r\n") != 2 || strings.Contains(p.all(), "RSET") {
			t.Errorf("%d sessions, %d times QUIT", b.sessions, strings.Count(p.all(), "QUIT\r\n"))
		}
	}
}

func TestAConnectionThatRestedTooLongIsReplaced(t *testing.T) {
	f := &faulty{phase: notice.PhaseSender, fault: hang, at: -1, pipelined: true}
	tr := transport(t, Config{Port: f.start(t), Security: Plain})
	l := tr.Lane().(*lane)
	for i, rested := range []time.Duration{0, idle / 2, 2 * idle, 0} {
		if s := tr.pool.places[l]; s != nil {
			s.used = s.used.Add(-rested)
		}
		if s := send(t, l, t.Context(), letters(2)...); s.n != 2 || len(s.dots) != 2 {
			t.Fatalf("turn %d: %+v", i, s)
		}
	}
	if f.connections() != 2 || len(f.bodies()) != 8 {
		t.Errorf("%d connections, %d mails", f.connections(), len(f.bodies()))
	}
}

func TestLanesAreConnectionsOfTheirOwn(t *testing.T) {
	b := &backend{}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain, Lanes: 3})
	if tr.Lanes() != 3 {
		t.Errorf("%d lanes", tr.Lanes())
	}
	var wg sync.WaitGroup
	for range tr.Lanes() {
		l := tr.Lane()
		wg.Go(func() {
			for range 5 {
				if s := send(t, l, t.Context(), letters(4)...); s.n != 4 {
					t.Errorf("%+v", s)
				}
			}
		})
	}
	wg.Wait()
	if len(b.mails()) != 60 || b.sessions != 3 {
		t.Errorf("%d mails over %d sessions", len(b.mails()), b.sessions)
	}
	if err := tr.Close(); err != nil || len(tr.pool.places) != 0 {
		t.Errorf("%v, %d open", err, len(tr.pool.places))
	}
}

func TestBadAddressesInAStream(t *testing.T) {
	b := &backend{}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	ms := letters(6)
	ms[0].To, ms[3].To, ms[5].From = "a b@c.example", "x@y.example>\r\nRCPT TO:<evil@z.example", ""
	s := send(t, tr.Lane(), t.Context(), ms...)
	if s.n != 6 || !slices.Equal(s.dots, []int{1, 2, 4}) {
		t.Fatalf("%+v", s)
	}
	for i, phase := range map[int]notice.Phase{0: notice.PhaseRecipient, 3: notice.PhaseRecipient, 5: notice.PhaseSender} {
		if r := s.done[i]; r.Outcome != notice.OutcomePermanent || r.Phase != phase || r.Code != 0 {
			t.Errorf("mail %d: %+v", i, r)
		}
	}
	checkMails(t, b, []compose.Message{ms[1], ms[2], ms[4]})
}

func TestABodyWaitsForItsOwnDot(t *testing.T) {
	b := &backend{}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	var p tap
	p.on(tr)
	ms, done := letters(3), 0
	l := tr.Lane()
	n := l.Send(t.Context(), ms, notify.Each{
		BeforeDot: func(i int, _ compose.Message) error {
			if strings.Contains(p.all(), fmt.Sprintf("body %d", i)) {
				t.Errorf("the body of mail %d was written before its dot was allowed", i)
			}
			if i == 1 {
				return errors.New("the lease is lost")
			}
			return nil
		},
		Done: func(int, notice.Receipt) bool { done++; return true },
	})
	if n != 1 || done != 1 || strings.Contains(p.all(), "body 1") {
		t.Errorf("%d dealt with, %d done", n, done)
	}
	if s := send(t, l, t.Context(), ms[1:]...); s.n != 2 {
		t.Errorf("the lane is of no more use: %+v", s)
	}
	checkMails(t, b, ms)
}

func TestDoneEndsTheTurn(t *testing.T) {
	b := &backend{}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	l, ms := tr.Lane(), letters(6)
	for i := 0; i < 6; i += 2 {
		n := l.Send(t.Context(), ms[i:], notify.Each{Done: func(i int, _ notice.Receipt) bool { return i < 1 }})
		if n != 2 {
			t.Fatalf("%d dealt with", n)
		}
	}
	checkMails(t, b, ms)
}

func TestRefusalsInAStreamOfAnotherServer(t *testing.T) {
	b := &backend{rcpt: func(to string) error {
		switch to {
		case "r1@qjtj.example", "r2@qjtj.example":
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		case "r4@qjtj.example":
			return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
		}
		return nil
	}}
	tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
	ms := letters(7)
	s := send(t, tr.Lane(), t.Context(), ms...)
	if s.n != 7 || !slices.Equal(s.dots, []int{0, 3, 5, 6}) || b.sessions != 1 {
		t.Fatalf("%+v, %d sessions", s, b.sessions)
	}
	if r := s.done[1]; r.Outcome != notice.OutcomePermanent || r.Code != 550 || r.Enhanced != "5.1.1" || r.Reply != "no such user" || r.Trouble() != notice.TroubleHard {
		t.Errorf("%+v", r)
	}
	if r := s.done[4]; r.Outcome != notice.OutcomeTemporary || r.Code != 452 || r.Enhanced != "4.2.2" || r.Trouble() != notice.TroubleSoft {
		t.Errorf("%+v", r)
	}
	checkMails(t, b, []compose.Message{ms[0], ms[3], ms[5], ms[6]})
}

func TestCertificates(t *testing.T) {
	pemOf := func(c *x509.Certificate) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	sumOf := func(c *x509.Certificate) string {
		sum := sha256.Sum256(c.Raw)
		return hex.EncodeToString(sum[:])
	}
	colons := func(s string) string {
		var parts []string
		for i := 0; i < len(s); i += 2 {
			parts = append(parts, strings.ToUpper(s[i:i+2]))
		}
		return strings.Join(parts, ":")
	}
	good := func(*x509.Certificate) {}
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	named := func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"relay.example"} }
	for _, c := range []struct {
		name   string
		cert   func(*x509.Certificate)
		server func(*tls.Config)
		client func(cfg *Config, leaf *x509.Certificate)
		say    string // of the refusal; empty: it is taken
	}{
		{"of a known authority", good, nil, func(cfg *Config, l *x509.Certificate) { cfg.CA = pemOf(l) }, ""},
		{"of nobody known", good, nil, func(*Config, *x509.Certificate) {}, "certificate"},
		{"expired", expired, nil, func(cfg *Config, l *x509.Certificate) { cfg.CA = pemOf(l) }, "expired"},
		{"of another name", named, nil, func(cfg *Config, l *x509.Certificate) { cfg.CA = pemOf(l) }, "127.0.0.1"},
		{"of the name that is configured", named, nil, func(cfg *Config, l *x509.Certificate) { cfg.CA, cfg.ServerName = pemOf(l), "relay.example" }, ""},
		{"not of the name that is configured", named, nil, func(cfg *Config, l *x509.Certificate) { cfg.CA, cfg.ServerName = pemOf(l), "other.example" }, "other.example"},
		{"pinned", good, nil, func(cfg *Config, l *x509.Certificate) { cfg.Fingerprint = sumOf(l) }, ""},
		{"pinned with colons", good, nil, func(cfg *Config, l *x509.Certificate) { cfg.Fingerprint = colons(sumOf(l)) }, ""},
		{"pinned, expired and of another name", func(c *x509.Certificate) { expired(c); named(c) }, nil, func(cfg *Config, l *x509.Certificate) { cfg.Fingerprint = sumOf(l) }, ""},
		{"another one is pinned", good, nil, func(cfg *Config, l *x509.Certificate) {
			cfg.CA, cfg.Fingerprint = pemOf(l), strings.Repeat("00", 32)
		}, "fingerprint"},
		{"TLS too old", good, func(s *tls.Config) { s.MinVersion, s.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, func(cfg *Config, l *x509.Certificate) { cfg.CA = pemOf(l) }, "protocol version"},
		{"TLS older than asked for", good, func(s *tls.Config) { s.MaxVersion = tls.VersionTLS12 }, func(cfg *Config, l *x509.Certificate) { cfg.CA, cfg.TLSMin = pemOf(l), "1.3" }, "protocol version"},
		{"old TLS, on purpose", good, func(s *tls.Config) { s.MinVersion, s.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }, func(cfg *Config, l *x509.Certificate) { cfg.CA, cfg.TLSMin = pemOf(l), "1.0" }, ""},
	} {
		for _, security := range []Security{StartTLS, Implicit} {
			t.Run(fmt.Sprintf("%s/%s", c.name, security), func(t *testing.T) {
				server, leaf := certificateOf(t, c.cert)
				if c.server != nil {
					c.server(server)
				}
				b := &backend{}
				cfg := Config{Port: listen(t, b, server, security == Implicit), Security: security, Username: "duban", Password: "secret"}
				b.mechs = []string{"PLAIN"}
				c.client(&cfg, leaf)
				tr := transport(t, cfg)
				var p tap
				p.on(tr)
				s := send(t, tr.Lane(), t.Context(), letters(2)...)
				if strings.Contains(p.all(), "AUTH") || strings.Contains(p.all(), "MAIL") {
					t.Errorf("said in clear: %q", p.all())
				}
				if c.say == "" {
					if s.n != 2 || len(b.mails()) != 2 {
						t.Errorf("%+v", s)
					}
					return
				}
				if s.n != 1 || s.done[0].Phase != notice.PhaseTLS || s.done[0].Outcome != notice.OutcomeTemporary || !strings.Contains(s.done[0].Reply, c.say) || len(b.mails()) != 0 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// TestNoPasswordInClear looks at the very bytes that went out, to a server on this machine, which offers to take them.
func TestNoPasswordInClear(t *testing.T) {
	secrets := []string{"secret", "duban@", base64.StdEncoding.EncodeToString([]byte("secret")), base64.StdEncoding.EncodeToString([]byte("\x00duban\x00secret"))}
	for _, c := range []struct {
		name    string
		mechs   []string
		allowed []string
		goes    bool
	}{
		{"PLAIN", []string{"PLAIN"}, nil, false},
		{"LOGIN", []string{"LOGIN"}, nil, false},
		{"another host is named", []string{"PLAIN", "LOGIN"}, []string{"localhost", "127.0.0.2", "", "127.0.0"}, false},
		{"PLAIN, named", []string{"PLAIN"}, []string{"10.0.0.1", "127.0.0.1"}, true},
		{"LOGIN, named", []string{"LOGIN"}, []string{"127.0.0.1"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &backend{needAuth: true, mechs: c.mechs}
			tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain, Username: "duban", Password: "secret", PlainAuthHosts: c.allowed})
			var p tap
			p.on(tr)
			s := send(t, tr.Lane(), t.Context(), letters(2)...)
			if c.goes {
				if s.n != 2 || len(b.mails()) != 2 {
					t.Errorf("%+v", s)
				}
				return
			}
			if s.n != 1 || s.done[0].Phase != notice.PhaseLogin || s.done[0].Outcome != notice.OutcomeTemporary || len(b.mails()) != 0 {
				t.Errorf("%+v", s)
			}
			for _, secret := range append(secrets, "AUTH", "MAIL") {
				if strings.Contains(p.all(), secret) {
					t.Errorf("%q went in clear: %q", secret, p.all())
				}
			}
		})
	}
}

func TestAServerWithoutLoginGetsNothing(t *testing.T) {
	server, client := certificate(t)
	f := &faulty{tls: server, offer: []string{"STARTTLS"}}
	s := send(t, transport(t, Config{Port: f.start(t), TLS: client, Username: "duban", Password: "secret"}).Lane(), t.Context(), letters(2)...)
	if s.n != 1 || s.done[0].Phase != notice.PhaseLogin || !strings.Contains(s.done[0].Reply, "no login") {
		t.Errorf("%+v", s)
	}
	if got := f.lines(); slices.ContainsFunc(got, func(l string) bool { return strings.HasPrefix(l, "MAIL") || strings.HasPrefix(l, "AUTH") }) {
		t.Errorf("heard %q", got)
	}
}

func TestOldServersAndOddLogins(t *testing.T) {
	body := []string{"C: MAIL", "S: 250 ok", "C: RCPT", "S: 250 ok", "C: DATA", "S: 354 go", "DATA", "S: 250 ok", "SWALLOW"}
	dbu, sec := encode("duban"), encode("secret")
	for _, c := range []struct {
		name  string
		steps []string
		user  string
		want  notice.Outcome
	}{
		{"knows no EHLO", slices.Concat([]string{"S: 220 hi", "C: EHLO", "S: 502 what", "C: HELO localhost", "S: 250 hi"}, body), "", notice.OutcomeAccepted},
		{"knows no EHLO, and a login is wanted", []string{"S: 220 hi", "C: EHLO", "S: 500 what", "C: HELO", "S: 250 hi", "SWALLOW"}, "duban", notice.OutcomeTemporary},
		{"AUTH=LOGIN with odd prompts", slices.Concat([]string{
			"S: 220 hi", "C: EHLO", "S: 250-hi", "S: 250 AUTH=LOGIN", "C: AUTH LOGIN", "S: 334 ????", "C: " + dbu, "S: 334", "C: " + sec, "S: 235 ok",
		}, body), "duban", notice.OutcomeAccepted},
		{"LOGIN that never ends", []string{
			"S: 220 hi", "C: EHLO", "S: 250-hi", "S: 250 AUTH LOGIN", "C: AUTH LOGIN", "S: 334 a", "C: " + dbu, "S: 334 b", "C: " + sec, "S: 334 c", "SWALLOW",
		}, "duban", notice.OutcomeTemporary},
		{"LOGIN refused at the name", []string{
			"S: 220 hi", "C: EHLO", "S: 250-hi", "S: 250 AUTH LOGIN", "C: AUTH LOGIN", "S: 334 a", "C: " + dbu, "S: 535 5.7.8 who", "SWALLOW",
		}, "duban", notice.OutcomeTemporary},
		{"PLAIN that asks again", slices.Concat([]string{
			"S: 220 hi", "C: EHLO", "S: 250-hi", "S: 250 AUTH CRAM-MD5 PLAIN", "C: AUTH PLAIN " + plainAnswer("duban", "secret"), "S: 334", "C: " + plainAnswer("duban", "secret"), "S: 235 ok",
		}, body), "duban", notice.OutcomeAccepted},
		{"tells the password", []string{
			"S: 220 hi", "C: EHLO", "S: 250-hi", "S: 250 AUTH PLAIN", "C: AUTH PLAIN", "S: 535 secret is wrong, " + plainAnswer("duban", "secret"), "SWALLOW",
		}, "duban", notice.OutcomeTemporary},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, port := serveScript(t, c.steps)
			cfg := Config{Port: port, Security: Plain, Phase: 300 * time.Millisecond, PlainAuthHosts: []string{"127.0.0.1"}, Username: c.user}
			if c.user != "" {
				cfg.Password = "secret"
			}
			s := send(t, transport(t, cfg).Lane(), t.Context(), letter)
			if s.n != 1 || s.done[0].Outcome != c.want || c.want != notice.OutcomeAccepted && s.done[0].Phase != notice.PhaseLogin {
				t.Errorf("%+v", s)
			}
			if r := s.done[0].Reply; strings.Contains(r, "secret") || strings.Contains(r, plainAnswer("duban", "secret")) {
				t.Errorf("the receipt tells the password: %q", r)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	small := letter
	small.Bytes = []byte("Subject: small\r\n\r\nwhere it is\r\n")
	big := letter
	big.Bytes = []byte("Subject: big\r\n\r\n" + strings.Repeat("x\r\n", 400))
	with := func(light func() (compose.Message, error)) compose.Message {
		m := big
		m.Light = light
		return m
	}
	light := func() (compose.Message, error) { return small, nil }
	for _, c := range []struct {
		name   string
		limit  int64 // of the server
		max    int64 // of ours
		m      compose.Message
		want   notice.Outcome
		took   []byte
		inMail int64 // SIZE= of MAIL
	}{
		{"fits", 0, 0, big, notice.OutcomeAccepted, big.Bytes, int64(len(big.Bytes))},
		{"just fits ours", 5000, int64(len(big.Bytes)), big, notice.OutcomeAccepted, big.Bytes, int64(len(big.Bytes))},
		{"over the server's", int64(len(big.Bytes)) - 1, 0, with(light), notice.OutcomeAccepted, small.Bytes, int64(len(small.Bytes))},
		{"over ours", 0, 100, with(light), notice.OutcomeAccepted, small.Bytes, int64(len(small.Bytes))},
		{"ours is smaller", 5000, 100, with(light), notice.OutcomeAccepted, small.Bytes, int64(len(small.Bytes))},
		{"nothing to leave out", 100, 0, big, notice.OutcomePermanent, nil, 0},
		{"still too large", 0, 100, with(func() (compose.Message, error) { return big, nil }), notice.OutcomePermanent, nil, 0},
		{"cannot be made", 0, 100, with(func() (compose.Message, error) { return compose.Message{}, errors.New("no template") }), notice.OutcomePermanent, nil, 0},
		{"of a bad address", 0, 100, with(func() (compose.Message, error) { m := small; m.To = "a>b"; return m, nil }), notice.OutcomePermanent, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var size int64
			b := &backend{setup: func(s *smtp.Server) { s.MaxMessageBytes = c.limit }, options: func(o *smtp.MailOptions) { size = o.Size }}
			tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain, MaxSize: c.max})
			n := tr.Lane().Send(t.Context(), []compose.Message{c.m, small}, notify.Each{
				BeforeDot: func(i int, m compose.Message) error {
					if i == 0 && !bytes.Equal(m.Bytes, c.took) {
						t.Errorf("the dot of %q", m.Bytes)
					}
					if i == 0 && size != c.inMail {
						t.Errorf("SIZE=%d", size)
					}
					return nil
				},
				Done: func(i int, r notice.Receipt) bool {
					if i == 0 && (r.Outcome != c.want || r.Bytes != len(c.took) || c.took == nil && !strings.Contains(r.Reply, "limit") && !strings.Contains(r.Reply, "cannot be used")) {
						t.Errorf("%+v", r)
					}
					return true
				},
			})
			got := b.mails()
			if n != 2 || c.took != nil && (len(got) != 2 || got[0].data != string(c.took)) || c.took == nil && len(got) != 1 {
				t.Errorf("%d dealt with, %+v", n, got)
			}
		})
	}
}

func TestAlphabets(t *testing.T) {
	eight, foreign, sender, headers := letter, letter, letter, letter
	eight.Bytes = []byte("Subject: x\r\n\r\n督办\r\n")
	foreign.To, sender.From, headers.UTF8 = "张三@qjtj.example", "督办@sfj.example", true
	for _, c := range []struct {
		name  string
		utf8  bool
		m     compose.Message
		want  notice.Outcome
		phase notice.Phase
		opts  smtp.MailOptions
	}{
		{"plain", true, letter, notice.OutcomeAccepted, notice.PhaseAnswer, smtp.MailOptions{}},
		{"eight bits", true, eight, notice.OutcomeAccepted, notice.PhaseAnswer, smtp.MailOptions{Body: smtp.Body8BitMIME}},
		{"recipient", true, foreign, notice.OutcomeAccepted, notice.PhaseAnswer, smtp.MailOptions{UTF8: true}},
		{"sender", true, sender, notice.OutcomeAccepted, notice.PhaseAnswer, smtp.MailOptions{UTF8: true}},
		{"headers", true, headers, notice.OutcomeAccepted, notice.PhaseAnswer, smtp.MailOptions{UTF8: true}},
		{"recipient where it is not taken", false, foreign, notice.OutcomePermanent, notice.PhaseRecipient, smtp.MailOptions{}},
		{"sender where it is not taken", false, sender, notice.OutcomePermanent, notice.PhaseSender, smtp.MailOptions{}},
		{"headers where they are not taken", false, headers, notice.OutcomePermanent, notice.PhaseSender, smtp.MailOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var opts smtp.MailOptions
			b := &backend{setup: func(s *smtp.Server) { s.EnableSMTPUTF8 = c.utf8 }, options: func(o *smtp.MailOptions) { opts = *o }}
			tr := transport(t, Config{Port: listen(t, b, nil, false), Security: Plain})
			s := send(t, tr.Lane(), t.Context(), c.m)
			if r := s.done[0]; r.Outcome != c.want || r.Phase != c.phase || c.want == notice.OutcomePermanent && !strings.Contains(r.Reply, "SMTPUTF8") {
				t.Errorf("%+v", r)
			}
			if opts.UTF8 != c.opts.UTF8 || opts.Body != c.opts.Body || len(b.mails()) == 0 != (c.want != notice.OutcomeAccepted) {
				t.Errorf("%+v, %d mails", opts, len(b.mails()))
			}
		})
	}
}

func TestSecondBytesAfterSTARTTLSEndTheConnection(t *testing.T) {
	_, client := certificate(t)
	for _, after := range []string{"S: 220 go\r\n250 injected", "S: 220 go\r\n250-PIPELINING\r\n250 AUTH PLAIN"} {
		s, port := serveScript(t, []string{"S: 220 hi", "C: EHLO", "S: 250-hi", "S: 250 STARTTLS", "C: STARTTLS", after, "SWALLOW"})
		r := send(t, transport(t, Config{Port: port, TLS: client, Phase: time.Second}).Lane(), t.Context(), letters(2)...)
		if r.n != 1 || r.done[0].Phase != notice.PhaseTLS || r.done[0].Outcome != notice.OutcomeTemporary {
			t.Errorf("%+v", r)
		}
		if got := s.lines(); len(got) != 2 {
			t.Errorf("heard %q", got)
		}
	}
}
