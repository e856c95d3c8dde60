package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/notify"
	"duban/notify/mail"
)

// accountsApp is a program whose configuration has accounts of their own for some jurisdictions.
func accountsApp(t *testing.T, text string, env map[string]string) *app {
	t.Helper()
	path := filepath.Join(t.TempDir(), "duban.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{out: t.Output(), err: t.Output(), env: func(k string) (string, bool) { s, ok := env[k]; return s, ok }}
	for k, v := range env {
		old := a.environ
		a.environ = func() []string {
			if old == nil {
				return []string{k + "=" + v}
			}
			return append(old(), k+"="+v)
		}
	}
	a.flags.config = path
	if err := a.load(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

var accounts = fmt.Sprintf(`
mail:
  transport: smtp
  from_address: city@example.org
  smtp: {host: mx.example}
jurisdictions:
  plain:
  named: {mail: {from_name: 县局, reply_to: named@example.org}}
  login: {mail: {smtp: {username: login@example.org}}}
  again: {mail: {from_address: again@example.org, smtp: {username: login@example.org, password_env: AGAIN}}}
  other: {mail: {smtp: {username: login@example.org, password_env: OTHER}}}
  host: {mail: {smtp: {host: host.example, tls: implicit}}}
  quota: {mail: {smtp: {messages_per_minute: 30, tls: starttls}}}
  clear: {mail: {reply_to: c@b.cn, smtp: {host: "::1", tls: none, username: clear@example.org, password_env: OTHER, allow_plain_auth: ["0::1"], sender_is_login: true}}}
  pinned: {mail: {smtp: {host: 10.0.0.9, port: 465, tls_min: 1.3, fingerprint: "%s", server_name: p.example, connections: 9, letters_per_connection: 7, max_size: 20000, hello: h.example, phase_timeout: 7s, connect_timeout: 3s}}}
`, strings.TrimSuffix(strings.Repeat("AB:", 32), ":"))

func accountsEnv() map[string]string {
	return map[string]string{"DUBAN_JURISDICTIONS_LOGIN_MAIL_SMTP_PASSWORD": "one", "AGAIN": "one", "OTHER": "two"}
}

func TestJurisdictionsShareATransportOnlyWithTheirAccount(t *testing.T) {
	a := accountsApp(t, accounts, accountsEnv())
	of := map[string]notify.Transport{}
	for _, code := range []string{"", "unnamed", "plain", "named", "login", "again", "other", "host", "quota", "clear", "pinned"} {
		p, err := a.postOf(code)
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		of[code] = p.transport
	}
	for _, same := range [][2]string{{"", "plain"}, {"", "unnamed"}, {"plain", "named"}, {"login", "again"}} {
		if of[same[0]] != of[same[1]] {
			t.Errorf("%q and %q have one account and two transports", same[0], same[1])
		}
	}
	for _, different := range [][2]string{{"plain", "login"}, {"login", "other"}, {"plain", "host"}, {"host", "login"}, {"plain", "quota"}} {
		if of[different[0]] == of[different[1]] {
			t.Errorf("%q and %q have two accounts and one transport", different[0], different[1])
		}
	}
	if stray := a.strayVariables(); len(stray) > 0 {
		t.Errorf("variables of accounts count as stray: %v", stray)
	}
}

func TestATransportIsToldEverySetting(t *testing.T) {
	a := accountsApp(t, accounts, accountsEnv())
	base := mail.Config{
		Security: "required", TLSMin: "1.2", Hello: "example.org", Connect: 10 * time.Second, Phase: time.Minute,
		Lanes: 4, PerConnection: 100, MaxSize: 1_400_000,
	}
	for code, change := range map[string]func(*mail.Config){
		"plain": func(c *mail.Config) { c.Host, c.Port = "mx.example", 587 },
		"login": func(c *mail.Config) {
			c.Host, c.Port, c.Username, c.Password = "mx.example", 587, "login@example.org", "one"
		},
		"clear": func(c *mail.Config) {
			c.Host, c.Port, c.Security, c.Username, c.Password, c.PlainAuthHosts = "::1", 25, mail.Plain, "clear@example.org", "two", []string{"::1"}
		},
		"host":  func(c *mail.Config) { c.Host, c.Port, c.Security = "host.example", 465, mail.Implicit },
		"quota": func(c *mail.Config) { c.Host, c.Port, c.Security = "mx.example", 587, mail.StartTLS },
		"pinned": func(c *mail.Config) {
			c.Host, c.Port, c.TLSMin, c.Fingerprint, c.ServerName, c.Hello = "10.0.0.9", 465, "1.3", strings.Repeat("ab", 32), "p.example", "h.example"
			c.Lanes, c.PerConnection, c.MaxSize, c.Phase, c.Connect = 9, 7, 20000, 7*time.Second, 3*time.Second
		},
	} {
		want := base
		change(&want)
		if got := a.postSettings(code).smtp; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", code, got, want)
		}
	}
	if n := a.postSettings("quota").perMinute; n != 30 {
		t.Errorf("quota %d", n)
	}
}

func TestFileTransportIsOneForAll(t *testing.T) {
	a := accountsApp(t, "jurisdictions: {a: {mail: {from_name: x}}}\n", map[string]string{"DUBAN_JURISDICTIONS_A_MAIL_FROM_NAEM": "slip", "DUBAN_JURISDICTIONS_A_MAIL_REPLY_TO": "a@b.cn"})
	one, err := a.postOf("a")
	two, err2 := a.postOf("b")
	if err != nil || err2 != nil || one.transport != two.transport || one.transport.Name() != "file" {
		t.Errorf("%v %v %v %v", one, two, err, err2)
	}
	if stray := a.strayVariables(); !slices.Equal(stray, []string{"DUBAN_JURISDICTIONS_A_MAIL_FROM_NAEM"}) {
		t.Errorf("stray: %v", stray)
	}
}

func TestLettersCarryTheirJurisdictionsSender(t *testing.T) {
	a := accountsApp(t, accounts, accountsEnv())
	for code, want := range map[string][4]string{
		"":      {"督办", "city@example.org", "", ""},
		"plain": {"督办", "city@example.org", "", ""},
		"named": {"县局", "city@example.org", "named@example.org", ""},
		"again": {"督办", "again@example.org", "", ""},
		"clear": {"督办", "city@example.org", "c@b.cn", "clear@example.org"},
	} {
		m, err := a.mailOf(code)
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		if got := [4]string{m.FromName, m.FromAddress, m.ReplyTo, m.SenderAddress}; got != want || m.Domain != "example.org" {
			t.Errorf("%q: %v at %s, want %v", code, got, m.Domain, want)
		}
	}
}

func TestLettersAreSignedWhereTheirJurisdictionHasAKey(t *testing.T) {
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	a := accountsApp(t, "jurisdictions: {plain: , signed: {mail: {dkim: {domain: a.example, selector: s1, key_file: "+key+"}}}}\n", nil)
	plain, err := a.mailOf("plain")
	if err != nil || plain.Seal != nil {
		t.Errorf("a jurisdiction without a key signs, or cannot write: %v", err)
	}
	own, err := a.mailOf("signed")
	if err != nil || own.Seal == nil {
		t.Fatalf("a jurisdiction with a key does not sign: %v", err)
	}
	in := "From: a@a.example\r\nSubject: x\r\n\r\nx\r\n"
	out, err := own.Seal([]byte(in))
	if err != nil || !strings.HasPrefix(string(out), "DKIM-Signature: ") || !strings.Contains(string(out), "d=a.example") || !strings.HasSuffix(string(out), in) {
		t.Errorf("%s %v", out, err)
	}
	d := a.cfg.Accounts["signed"]
	d.DKIM.Key = "no key"
	a.cfg.Accounts["signed"] = d
	if m, err := a.mailOf("signed"); err == nil || m.FromAddress != "" {
		t.Errorf("a bad key lets letters go unsigned: %v", err)
	}
}
