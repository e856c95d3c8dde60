package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const pin = "ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12"

// testKey is an Ed25519 key whose seed is all the letter h: it signs nothing but tests.
var testKey = pemOf("PRIVATE KEY", func() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed([]byte(strings.Repeat("h", 32))))
	if err != nil {
		panic(err)
	}
	return der
}())

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func keyFile(t *testing.T) string { t.Helper(); return write(t, "key.pem", testKey) }

// relay is a right top level with a login; %s stands where a jurisdiction's mail goes.
const relay = `
mail:
  transport: smtp
  archive_dir: kept
  from_address: city@example.org
  from_name: 市局
  reply_to: desk@example.org
  smtp:
    host: mx.example
    port: 465
    server_name: cert.example
    allow_plaintext: true
    allow_plain_auth: [10.0.0.1]
    username: city@example.org
    password_env: CITY
    connections: 2
  retry: {first: 5m}
jurisdictions:
  plain: {report_day: 7}
  own:
    mail: %s
`

func TestAJurisdictionsMailLiesOverTheTopLevel(t *testing.T) {
	top := mustParse(t, fmt.Sprintf(relay, "{}"), "CITY", "hunter-city").Mail
	pw := write(t, "pw", "hunter-file\n")
	for name, c := range map[string]struct {
		own  string
		env  []string
		want func(*Mail)
	}{
		"nothing of its own": {"{}", nil, func(*Mail) {}},
		"sender": {"{from_address: own@own.example, from_name: 县局, reply_to: \"\"}", nil, func(m *Mail) {
			m.FromAddress, m.FromName, m.ReplyTo = "own@own.example", "县局", ""
		}},
		"message ID's domain": {"{message_id_domain: own.example}", nil, func(m *Mail) { m.MessageIDDomain = "own.example" }},
		"and hello": {"{message_id_domain: own.example, smtp: {hello: h.example}}", nil, func(m *Mail) {
			m.MessageIDDomain, m.SMTP.Hello = "own.example", "h.example"
		}},
		"another account, by its variable": {"{smtp: {username: own@example.org}}", []string{"DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_PASSWORD", "hunter-own"}, func(m *Mail) {
			m.SMTP.Username, m.SMTP.Password, m.SMTP.PasswordEnv = "own@example.org", "hunter-own", ""
		}},
		"another account, by file": {"{smtp: {username: own@example.org, password_file: " + pw + "}}", nil, func(m *Mail) {
			m.SMTP.Username, m.SMTP.Password, m.SMTP.PasswordFile, m.SMTP.PasswordEnv = "own@example.org", "hunter-file", pw, ""
		}},
		"another account, by password_env": {"{smtp: {username: own@example.org, password_env: OWN}}", []string{"OWN", "hunter-env"}, func(m *Mail) {
			m.SMTP.Username, m.SMTP.Password, m.SMTP.PasswordEnv = "own@example.org", "hunter-env", "OWN"
		}},
		"a variable beats the file": {"{smtp: {username: o@example.org, password_file: " + pw + "}}", []string{"DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_PASSWORD", "hunter-own"}, func(m *Mail) {
			m.SMTP.Username, m.SMTP.Password, m.SMTP.PasswordFile, m.SMTP.PasswordEnv = "o@example.org", "hunter-own", pw, ""
		}},
		"only another password":  {"{}", []string{"DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_PASSWORD", "hunter-own"}, func(m *Mail) { m.SMTP.Password, m.SMTP.PasswordEnv = "hunter-own", "" }},
		"the same account again": {"{smtp: {host: MX.example, username: city@example.org}}", nil, func(m *Mail) { m.SMTP.Host = "MX.example" }},
		"variables": {"{}", []string{"DUBAN_JURISDICTIONS_OWN_MAIL_FROM_NAME", "县局", "DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_CONNECTIONS", "9"}, func(m *Mail) {
			m.FromName, m.SMTP.Connections = "县局", 9
		}},
		"another server": {"{smtp: {host: own.example, username: \"\"}}", nil, func(m *Mail) {
			m.SMTP.Host, m.SMTP.Username, m.SMTP.Password, m.SMTP.PasswordEnv = "own.example", "", "", ""
			m.SMTP.Port, m.SMTP.ServerName, m.SMTP.AllowPlaintext = 0, "", false // they describe the top level's server
		}},
		"another server, told all": {"{smtp: {host: 10.0.0.1, port: 25, tls: none, allow_plaintext: true, username: own@example.org, password_env: OWN, sender_is_login: true}}", []string{"OWN", "hunter-env"}, func(m *Mail) {
			s := &m.SMTP
			s.Host, s.Port, s.TLS, s.Username, s.Password, s.PasswordEnv, s.ServerName, s.SenderIsLogin = "10.0.0.1", 25, "none", "own@example.org", "hunter-env", "OWN", "", true
		}},
	} {
		c2 := mustParse(t, fmt.Sprintf(relay, c.own), append([]string{"CITY", "hunter-city"}, c.env...)...)
		want := top.clone()
		c.want(&want)
		if got := c2.MailOf("own"); !reflect.DeepEqual(got, want) || got.SMTP.Password.Reveal() != want.SMTP.Password.Reveal() {
			t.Errorf("%s:\n%+v, want\n%+v", name, got, want)
		}
		for _, code := range []string{"plain", "unnamed", ""} {
			if got := c2.MailOf(code); !reflect.DeepEqual(got, top) {
				t.Errorf("%s: %q has %+v, want the top level's", name, code, got)
			}
		}
		out := c2.Print()
		again := mustParse(t, out, append([]string{"CITY", "hunter-city"}, c.env...)...)
		if reprint(again) != reprint(c2) || !reflect.DeepEqual(again.MailOf("own"), c2.MailOf("own")) {
			t.Errorf("%s: reads back as\n%s", name, out)
		}
		if s := out + fmt.Sprintf("%v %+v %#v %s", c2, c2, c2, c2.Settings()); strings.Contains(s, "hunter") {
			t.Errorf("%s: a password shows in %s", name, s)
		}
	}
}

func TestPrintShowsOfAJurisdictionsMailWhatIsItsOwn(t *testing.T) {
	c := mustParse(t, fmt.Sprintf(relay, "\n      smtp: {username: own@example.org}"), "CITY", "x", "DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_PASSWORD", "hunter")
	_, below, _ := strings.Cut(c.Print(), "\n  \"own\":\n")
	_, mail, _ := strings.Cut(below, "\n    mail:\n")
	mail, _, _ = strings.Cut(mail, "\n  \"plain\":")
	if want := "      smtp:\n        # password: [secret]\n        username: \"own@example.org\"  # duban.yaml:22"; mail != want {
		t.Errorf("%q, want %q", mail, want)
	}
	if strings.Count(c.Print(), "    mail:\n") != 1 {
		t.Errorf("a jurisdiction without mail of its own shows one:\n%s", c.Print())
	}
	i := slices.IndexFunc(c.Settings(), func(s Setting) bool { return s.Key == "jurisdictions.plain.mail.smtp.connections" })
	if i < 0 || c.Settings()[i].Source != "duban.yaml:16" || c.Settings()[i].Variable != "DUBAN_JURISDICTIONS_PLAIN_MAIL_SMTP_CONNECTIONS" {
		t.Errorf("the settings do not list what a jurisdiction may override: %d", i)
	}
	want := []string{"CITY", "DUBAN_DATABASE_PASSWORD", "DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_PASSWORD", "DUBAN_JURISDICTIONS_PLAIN_MAIL_SMTP_PASSWORD", "DUBAN_MAIL_SMTP_PASSWORD"}
	if got := c.SecretVariables(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTheMessageIDsDomainDoesNotFollowAnAccount(t *testing.T) {
	before := mustParse(t, fmt.Sprintf(relay, "{}"), "CITY", "x")
	after := mustParse(t, fmt.Sprintf(relay, "{from_address: own@own.example, smtp: {sender_is_login: true}}"), "CITY", "x")
	if a, b := before.MailOf("own").MessageIDDomain, after.MailOf("own").MessageIDDomain; a != "example.org" || b != a {
		t.Errorf("%s became %s", a, b)
	}
}

func TestMailOfSharesNothing(t *testing.T) {
	c := mustParse(t, fmt.Sprintf(relay, "{from_name: 县局}"), "CITY", "x")
	for _, code := range []string{"own", "plain"} {
		c.MailOf(code).SMTP.AllowPlainAuth[0] = "evil.example"
		if got := c.MailOf(code).SMTP.AllowPlainAuth[0]; got != "10.0.0.1" {
			t.Errorf("%s: %s", code, got)
		}
	}
	c.Mail.Dir, c.Mail.Transport = "elsewhere", "file"
	if m := c.MailOf("own"); m.Dir != "elsewhere" || m.Transport != "file" || m.FromName != "县局" {
		t.Errorf("what is one for all is not: %+v", m)
	}
}

func TestMailRefusals(t *testing.T) {
	own := func(s string) string { return fmt.Sprintf(relay, s) }
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalPKCS8PrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	dkim := func(file string) string { return "mail: {dkim: {domain: a.cn, selector: s, key_file: " + file + "}}\n" }
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"no such tls":               {"mail: {smtp: {tls: always}}\n", []string{`mail.smtp.tls: "always" is not allowed; write required or starttls or implicit or none`}},
		"no such version":           {"mail: {smtp: {tls_min: 1.4}}\n", []string{`mail.smtp.tls_min: "1.4" is not allowed`}},
		"short fingerprint":         {"mail: {smtp: {fingerprint: ab12}}\n", []string{`mail.smtp.fingerprint: "ab12" is not a SHA-256 fingerprint; write its 64 hex digits`}},
		"SHA-1 fingerprint":         {"mail: {smtp: {fingerprint: \"" + pin[:40] + "\"}}\n", []string{"mail.smtp.fingerprint:"}},
		"not hex":                   {"mail: {smtp: {fingerprint: " + strings.Replace(pin, "a", "g", 1) + "}}\n", []string{"mail.smtp.fingerprint:"}},
		"colons astray":             {"mail: {smtp: {fingerprint: \"a:b" + pin[2:] + "\"}}\n", []string{"mail.smtp.fingerprint:"}},
		"pinned without TLS":        {"mail: {smtp: {tls: none, fingerprint: " + pin + "}}\n", []string{"mail.smtp.fingerprint: pins a certificate, and with tls: none there is none"}},
		"server name":               {"mail: {smtp: {server_name: \"a b\"}}\n", []string{"mail.smtp.server_name:"}},
		"port in a plain host":      {"mail: {smtp: {allow_plain_auth: [\"a.example:25\"]}}\n", []string{"mail.smtp.allow_plain_auth:", "without a port"}},
		"no connections":            {"mail: {smtp: {connections: 0}}\n", []string{"mail.smtp.connections: 0 is out of range; write 1 to 64"}},
		"too many connections":      {"mail: {smtp: {connections: 65}}\n", []string{"mail.smtp.connections: 65"}},
		"no letters":                {"mail: {smtp: {letters_per_connection: 0}}\n", []string{"mail.smtp.letters_per_connection: 0"}},
		"megabytes":                 {"mail: {smtp: {max_size: 2}}\n", []string{"mail.smtp.max_size: 2 is out of range; write bytes"}},
		"less than no letters":      {"mail: {smtp: {messages_per_minute: -1}}\n", []string{"mail.smtp.messages_per_minute: -1"}},
		"no wait":                   {"mail: {retry: {first: 0s}}\n", []string{"mail.retry.first: must be longer"}},
		"wait backwards":            {"mail: {retry: {first: 2h}}\n", []string{"mail.retry.most: 1h is shorter than mail.retry.first (2h)"}},
		"gives up at once":          {"mail: {retry: {give_up: 30s}}\n", []string{"mail.retry.give_up: 30s is shorter"}},
		"no pause":                  {"mail: {brake: {first: 0s}}\n", []string{"mail.brake.first: must be longer"}},
		"pause backwards":           {"mail: {brake: {most: 1s}}\n", []string{"mail.brake.most: 1s is shorter"}},
		"brake after nothing":       {"mail: {brake: {after: 0}}\n", []string{"mail.brake.after: 0 is out of range"}},
		"unknown in retry":          {"mail: {retry: {frist: 1m}}\n", []string{"mail.retry.frist: unknown key; did you mean first?"}},
		"password in clear":         {smtp + "    username: u\n    password_env: CITY\n    tls: none\n    allow_plaintext: true\n", []string{"duban.yaml:6: mail.smtp.username: with tls: none its password would go in clear to mx.example", "mail.smtp.allow_plain_auth"}},
		"in clear to this machine":  {strings.Replace(smtp, "mx.example", "127.0.0.1", 1) + "    username: u\n    password_env: CITY\n    tls: none\n", []string{"mail.smtp.username: with tls: none its password would go in clear to 127.0.0.1"}},
		"in clear, another named":   {smtp + "    username: u\n    password_env: CITY\n    tls: none\n    allow_plaintext: true\n    allow_plain_auth: [x.mx.example, example]\n", []string{"mail.smtp.username: with tls: none"}},
		"in clear, letters not":     {smtp + "    username: u\n    password_env: CITY\n    tls: none\n    allow_plain_auth: [mx.example]\n", []string{"mail.smtp.tls: none sends letters readable"}},
		"login no address":          {smtp + "    sender_is_login: true\n    username: duban\n    password_env: CITY\n", []string{"duban.yaml:6: mail.smtp.sender_is_login: needs a username that is an address, \"duban\" is not"}},
		"sender without login":      {smtp + "    sender_is_login: true\n", []string{"mail.smtp.sender_is_login: needs a username"}},
		"DKIM without a key":        {"mail: {dkim: {domain: a.cn, selector: s}}\n", []string{"mail.dkim.key_file: is missing although mail.dkim.domain is set"}},
		"DKIM key alone":            {"mail: {dkim: {key_file: " + keyFile(t) + "}}\n", []string{"mail.dkim.domain: is missing although mail.dkim.key_file is set", "mail.dkim.selector: is missing"}},
		"no DKIM key":               {dkim("/nonexistent/key"), []string{"duban.yaml:1: mail.dkim.key_file: open /nonexistent/key", "working directory"}},
		"DKIM key no PEM":           {dkim(write(t, "k", "hunter")), []string{"mail.dkim.key_file:", "holds no key in PEM form"}},
		"DKIM public key":           {dkim(write(t, "k", pemOf("PUBLIC KEY", []byte("hunter")))), []string{`holds no private key of RSA or Ed25519 but a PEM block "PUBLIC KEY"`}},
		"DKIM key of an EC tool":    {dkim(write(t, "k", pemOf("EC PRIVATE KEY", []byte("hunter")))), []string{`but a PEM block "EC PRIVATE KEY"`}},
		"DKIM key cut short":        {dkim(write(t, "k", pemOf("PRIVATE KEY", []byte("hunter")))), []string{"holds a private key that cannot be read"}},
		"DKIM domain of one":        {strings.Replace(dkim(keyFile(t)), "domain: a.cn", "domain: localhost", 1), []string{"mail.dkim.domain:"}},
		"DKIM domain in Chinese":    {strings.Replace(dkim(keyFile(t)), "domain: a.cn", "domain: 司法局.cn", 1), []string{"mail.dkim.domain:", "xn--"}},
		"DKIM selector's hyphen":    {strings.Replace(dkim(keyFile(t)), "selector: s", "selector: s-", 1), []string{"mail.dkim.selector:"}},
		"DKIM key with passphrase":  {dkim(write(t, "k", pemOf("ENCRYPTED PRIVATE KEY", []byte("hunter")))), []string{"behind a passphrase"}},
		"DKIM key of a curve":       {dkim(write(t, "k", pemOf("PRIVATE KEY", ec))), []string{"neither RSA nor Ed25519"}},
		"DKIM selector":             {strings.Replace(dkim(keyFile(t)), "selector: s", "selector: \"a b\"", 1), []string{"mail.dkim.selector:"}},
		"DKIM domain":               {strings.Replace(dkim(keyFile(t)), "domain: a.cn", "domain: a@b.cn", 1), []string{"mail.dkim.domain:"}},
		"own transport":             {own("{transport: file}"), []string{"duban.yaml:21: jurisdictions.own.mail.transport: is one for all jurisdictions; set it as mail.transport"}},
		"own archive":               {own("{archive_dir: x}"), []string{"set it as mail.archive_dir"}},
		"own redirection":           {own("{redirect_to: a@b.cn}"), []string{"set it as mail.redirect_to"}},
		"own retry":                 {own("{retry: {first: 1m}}"), []string{"set it as mail.retry"}},
		"own brake":                 {own("{brake: {after: 1}}"), []string{"set it as mail.brake"}},
		"mail of defaults":          {"defaults: {mail: {from_name: x}}\n", []string{"duban.yaml:1: defaults.mail: unknown key; mail stands at the top level"}},
		"own slip of the pen":       {own("{smtp: {hots: x}}"), []string{"jurisdictions.own.mail.smtp.hots: unknown key; did you mean host?"}},
		"own password in the file":  {own("{smtp: {password: hunter}}"), []string{"a password must not stand in this file", "DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_PASSWORD"}},
		"own code like a section":   {"jurisdictions: {mail: {transport: file}}\n", []string{"jurisdictions.mail.transport: unknown key; known here: zone"}},
		"another host":              {own("{smtp: {host: own.example}}"), []string{"duban.yaml:14: jurisdictions.own.mail.smtp.username: has no password; set DUBAN_JURISDICTIONS_OWN_MAIL_SMTP_PASSWORD", "for its own host and username alone"}},
		"another user":              {own("{smtp: {username: own@example.org}}"), []string{"duban.yaml:21: jurisdictions.own.mail.smtp.username: has no password"}},
		"another host in clear":     {own("{smtp: {host: own.example, tls: none, username: \"\"}}"), []string{"jurisdictions.own.mail.smtp.tls: none sends letters readable to own.example", "jurisdictions.own.mail.smtp.allow_plaintext"}},
		"another host, TLS dropped": {own("{smtp: {tls: none}}"), []string{"jurisdictions.own.mail.smtp.username: with tls: none its password would go in clear to mx.example"}},
		"two own password places":   {own("{smtp: {username: o, password_env: CITY, password_file: " + keyFile(t) + "}}"), []string{"jurisdictions.own.mail.smtp.password_env: password_file is set too"}},
		"own placeholder":           {own("{from_address: duban@localhost}"), []string{"jurisdictions.own.mail.from_address: is still the placeholder"}},
		"own sender":                {own("{from_address: x}"), []string{"jurisdictions.own.mail.from_address:", "not one plain address"}},
		"own login no address":      {own("{smtp: {username: o, password_env: CITY, sender_is_login: true}}"), []string{"jurisdictions.own.mail.smtp.sender_is_login: needs a username"}},
		"own long phase":            {own("{smtp: {phase_timeout: 3m}}"), []string{"worker.lease: 5m must be more than twice jurisdictions.own.mail.smtp.phase_timeout (3m)"}},
		"own half a signature":      {own("{dkim: {selector: s}}"), []string{"jurisdictions.own.mail.dkim.domain: is missing", "jurisdictions.own.mail.dkim.key_file: is missing"}},
		"own certificates":          {own("{smtp: {ca_file: " + write(t, "ca", "hunter") + "}}"), []string{"jurisdictions.own.mail.smtp.ca_file:", "holds no certificate"}},
		"no own certificates":       {own("{smtp: {ca_file: /nonexistent/ca}}"), []string{"jurisdictions.own.mail.smtp.ca_file: open /nonexistent/ca"}},
	} {
		_, err := parse("duban.yaml", []byte(c.text), vars("CITY", "hunter-city"))
		var p Problem
		if !errors.As(err, &p) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v\n\twant %s", name, err, part)
			}
		}
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: a secret shows in %v", name, err)
		}
	}
}

func TestMailAllowed(t *testing.T) {
	colons := strings.ToUpper(strings.TrimSuffix(strings.Join(slices.Collect(func(yield func(string) bool) {
		for i := 0; i < len(pin); i += 2 {
			if !yield(pin[i : i+2]) {
				return
			}
		}
	}), ":"), ":"))
	login := "    username: u\n    password_env: CITY\n    tls: none\n"
	for name, text := range map[string]string{
		"no archive":                "mail: {archive_dir: \"\"}\n",
		"no quota":                  "mail: {smtp: {messages_per_minute: 0, connections: 64}}\n",
		"brake at the first":        "mail: {brake: {after: 1}}\n",
		"fingerprint":               smtp + "    fingerprint: " + pin + "\n",
		"fingerprint with colons":   smtp + "    fingerprint: \"" + colons + "\"\n",
		"in clear, named":           smtp + login + "    allow_plaintext: true\n    allow_plain_auth: [MX.Example]\n",
		"in clear to this machine":  strings.Replace(smtp, "mx.example", "127.0.0.1", 1) + login + "    allow_plain_auth: [127.0.0.1]\n",
		"in clear to an address":    strings.Replace(smtp, "mx.example", "\"::1\"", 1) + login + "    allow_plain_auth: [\"0:0:0:0:0:0:0:1\"]\n",
		"sender is login":           smtp + "    sender_is_login: true\n    username: u@example.org\n    password_env: CITY\n",
		"DKIM":                      "mail: {dkim: {domain: a.cn, selector: s1.mail, key_file: " + keyFile(t) + "}}\n",
		"own DKIM, none above":      fmt.Sprintf(relay, "{dkim: {domain: a.cn, selector: s, key_file: "+keyFile(t)+"}}"),
		"another host, no login":    fmt.Sprintf(relay, "{smtp: {host: own.example, username: \"\"}}"),
		"null is nothing":           fmt.Sprintf(relay, "\n      smtp:\n        host:\n        username: ~"),
		"an account without a file": fmt.Sprintf(relay, "~"),
	} {
		if _, err := parse("duban.yaml", []byte(text), vars("CITY", "x")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := (SMTP{Fingerprint: colons}).Pin(); got != pin {
		t.Errorf("%s", got)
	}
}

func TestPrivateKeys(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	pkcs1 := func(bits int) string {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k))
	}
	for name, text := range map[string]string{"PKCS #8": testKey, "text before": "a comment\n" + testKey, "PKCS #1": pkcs1(1024)} {
		if err := privateKey(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := privateKey(pkcs1(768)); err == nil || !strings.Contains(err.Error(), "RSA key of 768 bits") {
		t.Errorf("a weak key: %v", err)
	}
	c := mustParse(t, "mail: {dkim: {domain: a.cn, selector: s, key_file: "+keyFile(t)+"}}\n")
	body := strings.Split(testKey, "\n")[1]
	if c.Mail.DKIM.Key.Reveal() != testKey {
		t.Error("the key was not read")
	}
	if s := c.Print() + fmt.Sprintf("%v %+v %#v %s", c, c, c, c.Settings()); strings.Contains(s, body) {
		t.Errorf("the key shows in %s", s)
	}
}

func TestWindowSet(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		env  []string
		want [2]bool // of jurisdiction a, and of one that is not named
	}{
		"built in":               {"jurisdictions: {a: {report_day: 7}}", nil, [2]bool{}},
		"nothing":                {"", nil, [2]bool{}},
		"empty":                  {"defaults: {window: {from: }}\njurisdictions: {a: {window: }}", nil, [2]bool{}},
		"defaults":               {"defaults: {window: {to: \"18:00\"}}\njurisdictions: {a: }", nil, [2]bool{true, true}},
		"as built in":            {"defaults: {window: {from: \"09:00\"}}", nil, [2]bool{true, true}},
		"its own":                {"jurisdictions: {a: {window: {from: \"10:00\"}}, b: }", nil, [2]bool{true, false}},
		"another's":              {"jurisdictions: {a: , b: {window: {from: \"10:00\"}}}", nil, [2]bool{}},
		"variable of defaults":   {"", []string{"DUBAN_DEFAULTS_WINDOW_FROM", "08:00"}, [2]bool{true, true}},
		"its own variable":       {"jurisdictions: {a: }", []string{"DUBAN_JURISDICTIONS_A_WINDOW_TO", "20:00"}, [2]bool{true, false}},
		"a variable that is not": {"jurisdictions: {a: }", []string{"DUBAN_JURISDICTIONS_A_WINDOW_TO", ""}, [2]bool{}},
	} {
		got := mustParse(t, c.text, c.env...)
		if set := [2]bool{got.WindowSet("a"), got.WindowSet("unnamed")}; set != c.want {
			t.Errorf("%s: %v, want %v", name, set, c.want)
		}
	}
	if Default().WindowSet("a") {
		t.Error("the defaults count as set")
	}
}

func TestMailDefaults(t *testing.T) {
	m := completed().MailOf("any")
	want := Mail{
		Transport: "file", Dir: "./letters", ArchiveDir: "./archive", FromAddress: "duban@localhost", FromName: "督办", MessageIDDomain: "localhost",
		SMTP: SMTP{TLS: "required", TLSMin: "1.2", Hello: "localhost", ConnectTimeout: 10 * time.Second, PhaseTimeout: time.Minute,
			Connections: 4, LettersPerConnection: 100, MaxSize: 1_400_000},
		Retry: Retry{First: time.Minute, Most: time.Hour, GiveUp: 24 * time.Hour},
		Brake: Brake{First: time.Minute, Most: 30 * time.Minute, After: 3},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%+v", m)
	}
}
