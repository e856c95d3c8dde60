package mail

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"duban/notify/notice"
)

// steps writes checks down as "connect greeting tls! -login": ! warns, - failed.
func steps(checks []Check) string {
	var out []string
	for _, c := range checks {
		s := c.Step
		if c.Warn {
			s += "!"
		}
		if !c.OK {
			s = "-" + s
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func textOf(checks []Check, step string) string {
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Step == step })
	if i < 0 {
		return ""
	}
	return checks[i].Text
}

func TestProbe(t *testing.T) {
	long := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(100 * 24 * time.Hour) }
	soon := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(10*24*time.Hour + time.Hour) }
	over := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	for _, c := range []struct {
		name     string
		security Security
		cert     func(*x509.Certificate)
		cfg      Config
		from, to string
		want     string
		step     string
		say      string
	}{
		{"starttls", StartTLS, long, Config{}, "a@b.example", "c@d.example", "connect greeting tls hello login sender recipient reset quit", "tls", "CN=relay"},
		{"implicit", Implicit, long, Config{Username: "duban", Password: "secret"}, "a@b.example", "", "connect tls greeting hello login sender reset quit", "login", "duban"},
		{"extensions", StartTLS, long, Config{}, "a@b.example", "", "connect greeting tls hello login sender reset quit", "hello", "PIPELINING"},
		{"ends soon", StartTLS, soon, Config{}, "a@b.example", "", "connect greeting tls! hello login sender reset quit", "tls", "10 days"},
		{"has ended, pinned", StartTLS, over, Config{}, "a@b.example", "", "connect greeting tls! hello login sender reset quit", "tls", "EXPIRED"},
		{"in clear", Plain, long, Config{}, "a@b.example", "c@d.example", "connect greeting tls! hello login sender recipient reset quit", "tls", "NOT ENCRYPTED"},
		{"password in clear", Plain, long, Config{Username: "duban", Password: "secret", PlainAuthHosts: []string{"127.0.0.1"}}, "a@b.example", "", "connect greeting tls! hello login! sender reset quit", "login", "IN CLEAR"},
		{"password refused in clear", Plain, long, Config{Username: "duban", Password: "secret"}, "a@b.example", "", "connect greeting tls! hello -login", "login", "not sent"},
		{"wrong password", StartTLS, long, Config{Username: "duban", Password: "wrong"}, "a@b.example", "", "connect greeting tls hello -login", "login", "535"},
		{"recipient refused", StartTLS, long, Config{}, "a@b.example", "gone@d.example", "connect greeting tls hello login sender -recipient", "recipient", "550 5.1.1"},
		{"bad sender", StartTLS, long, Config{}, "a>@b.example", "", "connect greeting tls hello login -sender", "sender", "cannot be used"},
		{"another alphabet", StartTLS, long, Config{}, "a@b.example", "张三@d.example", "connect greeting tls hello login sender -recipient", "recipient", "SMTPUTF8"},
		{"bad settings", StartTLS, long, Config{TLSMin: "2"}, "a@b.example", "", "-connect", "connect", "tls_min"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, leaf := certificateOf(t, c.cert)
			b := &backend{mechs: []string{"PLAIN"}, rcpt: func(to string) error {
				if strings.HasPrefix(to, "gone") {
					return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
				}
				return nil
			}}
			if c.security == Plain {
				server = nil
			}
			cfg := c.cfg
			sum := sha256.Sum256(leaf.Raw)
			cfg.Host, cfg.Port, cfg.Security, cfg.Fingerprint = "127.0.0.1", listen(t, b, server, c.security == Implicit), c.security, hex.EncodeToString(sum[:])
			got := Probe(t.Context(), cfg, c.from, c.to)
			if steps(got) != c.want || !strings.Contains(textOf(got, c.step), c.say) {
				t.Errorf("%s, want %s\n%+v", steps(got), c.want, got)
			}
			for _, check := range got {
				if check.Text == "" || strings.Contains(check.Text, "secret") || strings.Contains(check.Text, "wrong") {
					t.Errorf("%+v", check)
				}
			}
			if len(b.mails()) != 0 {
				t.Error("a probe delivered a mail")
			}
		})
	}
}

func TestProbeAgainstFaults(t *testing.T) {
	server, client := certificate(t)
	for phase, want := range map[notice.Phase]string{
		notice.PhaseGreeting:  "connect -greeting",
		notice.PhaseHello:     "connect greeting -hello",
		notice.PhaseTLS:       "connect greeting -tls",
		notice.PhaseLogin:     "connect greeting tls hello -login",
		notice.PhaseSender:    "connect greeting tls hello login -sender",
		notice.PhaseRecipient: "connect greeting tls hello login sender -recipient",
	} {
		for _, fault := range []string{hang, drop, slow, garbage, "421 4.3.2 closing", "550 5.7.1 no"} {
			t.Run(fmt.Sprintf("%s/%.12s", phase, fault), func(t *testing.T) {
				t.Parallel()
				f := &faulty{phase: phase, fault: fault, tls: server, offer: []string{"STARTTLS", "AUTH PLAIN"}}
				cfg := Config{Host: "127.0.0.1", Port: f.start(t), TLS: client, Username: "duban", Password: "secret", Phase: 200 * time.Millisecond}
				got := Probe(t.Context(), cfg, "a@b.example", "c@d.example")
				// The first certificate of the test ends within the month.
				if s := strings.ReplaceAll(steps(got), "!", ""); s != want || got[len(got)-1].Text == "" {
					t.Errorf("%s, want %s: %+v", s, want, got)
				}
				if slices.Contains(f.lines(), "DATA") {
					t.Error("DATA was said")
				}
			})
		}
	}
	f := &faulty{}
	port := f.start(t)
	_ = f.listener.Close()
	if got := Probe(t.Context(), Config{Host: "127.0.0.1", Port: port, Phase: time.Second}, "a@b.example", ""); steps(got) != "-connect" {
		t.Errorf("%+v", got)
	}
}

func TestProbeTakesNoOffenceAtQUIT(t *testing.T) {
	for _, end := range [][]string{{"S: 500 what"}, nil, {"STALL"}} {
		s, port := serveScript(t, append([]string{
			"S: 220 hi", "C: EHLO", "S: 250 hi", "C: MAIL", "S: 250 ok", "C: RSET", "S: 250 ok", "C: QUIT",
		}, end...))
		got := Probe(t.Context(), Config{Host: "127.0.0.1", Port: port, Security: Plain, Phase: 200 * time.Millisecond}, "a@b.example", "")
		if steps(got) != "connect greeting tls! hello login sender reset quit!" {
			t.Errorf("%s, heard %q", steps(got), s.lines())
		}
	}
}
