package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"duban/notify"
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

const accounts = `
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
  host: {mail: {smtp: {host: host.example}}}
`

func accountsEnv() map[string]string {
	return map[string]string{"DUBAN_JURISDICTIONS_LOGIN_MAIL_SMTP_PASSWORD": "one", "AGAIN": "one", "OTHER": "two"}
}

func TestJurisdictionsShareATransportOnlyWithTheirAccount(t *testing.T) {
	a := accountsApp(t, accounts, accountsEnv())
	of := map[string]notify.Single{}
	for _, code := range []string{"", "unnamed", "plain", "named", "login", "again", "other", "host"} {
		tr, err := a.transportOf(code)
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		of[code] = tr
	}
	for _, same := range [][2]string{{"", "plain"}, {"", "unnamed"}, {"plain", "named"}, {"login", "again"}} {
		if of[same[0]] != of[same[1]] {
			t.Errorf("%q and %q have one account and two transports", same[0], same[1])
		}
	}
	for _, different := range [][2]string{{"plain", "login"}, {"login", "other"}, {"plain", "host"}, {"host", "login"}} {
		if of[different[0]] == of[different[1]] {
			t.Errorf("%q and %q have two accounts and one transport", different[0], different[1])
		}
	}
	if stray := a.strayVariables(); len(stray) > 0 {
		t.Errorf("variables of accounts count as stray: %v", stray)
	}
}

func TestFileTransportIsOneForAll(t *testing.T) {
	a := accountsApp(t, "jurisdictions: {a: {mail: {from_name: x}}}\n", map[string]string{"DUBAN_JURISDICTIONS_A_MAIL_FROM_NAEM": "slip", "DUBAN_JURISDICTIONS_A_MAIL_REPLY_TO": "a@b.cn"})
	one, err := a.transportOf("a")
	two, err2 := a.transportOf("b")
	if err != nil || err2 != nil || one != two || one.Name() != "file" {
		t.Errorf("%v %v %v %v", one, two, err, err2)
	}
	if stray := a.strayVariables(); !slices.Equal(stray, []string{"DUBAN_JURISDICTIONS_A_MAIL_FROM_NAEM"}) {
		t.Errorf("stray: %v", stray)
	}
}

func TestLettersCarryTheirJurisdictionsSender(t *testing.T) {
	a := accountsApp(t, accounts, accountsEnv())
	for code, want := range map[string][3]string{
		"":      {"督办", "city@example.org", ""},
		"plain": {"督办", "city@example.org", ""},
		"named": {"县局", "city@example.org", "named@example.org"},
		"again": {"督办", "again@example.org", ""},
	} {
		m := a.mailOf(code)
		if got := [3]string{m.FromName, m.FromAddress, m.ReplyTo}; got != want || m.Domain != "example.org" {
			t.Errorf("%q: %v at %s, want %v", code, got, m.Domain, want)
		}
	}
}
