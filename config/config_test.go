package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duban/jobs/civil"
)

// vars is an environment.
func vars(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) { s, ok := m[name]; return s, ok }
}

func mustParse(t *testing.T, text string, env ...string) Config {
	t.Helper()
	c, err := parse("duban.yaml", []byte(text), vars(env...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// values strips what only messages need, so that two configurations can be compared.
func values(c Config) Config {
	c.name, c.origins, c.files = "", nil, nil
	return c
}

// completed is Default as Load returns it.
func completed() Config {
	c := Default()
	c.complete()
	return c
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingWrittenMeansTheDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "BOM only": "\ufeff", "a comment": "# nothing\n", "null": "~\n", "empty sections": "mail:\nlog: ~\njurisdictions:\ndefaults:\n  letter:\n",
		"empty values": "zone:\nmail:\n  smtp:\n    port:\n", "a marker": "---\n", "empty map": "{}\n",
	} {
		c, err := parse("duban.yaml", []byte(text), nil)
		if err != nil || !reflect.DeepEqual(values(c), completed()) {
			t.Errorf("%s: %v\n%s", name, err, c.Print())
		}
	}
	if c, err := Load("", nil); err != nil || !reflect.DeepEqual(values(c), completed()) {
		t.Errorf("no file: %v", err)
	}
}

func TestEverySettingIsRead(t *testing.T) {
	dir := t.TempDir()
	local, ca := filepath.Join(dir, "local.json"), filepath.Join(dir, "password")
	policy := write(t, "policy.yaml", "versions: []\n")
	for _, path := range []string{local, ca} {
		if err := os.WriteFile(path, []byte("s3cret 密\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := mustParse(t, "\ufeff"+fmt.Sprintf(`
database: {dsn: "mysql://app@db.example:3307/duban?tls=true", password_file: %[2]q}
log: {level: debug, format: console}
zone: Asia/Urumqi
mail:
  transport: smtp
  dir: out
  from_address: duban@example.gov.cn
  from_name: 司法局
  reply_to: desk@example.gov.cn
  message_id_domain: id.example.gov.cn
  redirect_to: trial@example.gov.cn
  archive_dir: kept
  smtp: {host: mx.example, port: "2525", tls: implicit, tls_min: 1.3, fingerprint: "%[3]s", server_name: cert.example, allow_plaintext: true,
    username: u@example.gov.cn, password_env: PW, allow_plain_auth: [10.1.1.1, old.example], sender_is_login: true, hello: me.example, connect_timeout: 3s, phase_timeout: 1m30s,
    connections: 8, letters_per_connection: 50, max_size: 2000000, messages_per_minute: 30}
  dkim: {domain: example.gov.cn, selector: s1, key_file: %[4]q}
  retry: {first: 2m, most: 2h, give_up: 48h}
  brake: {first: 3m, most: 1h, after: 5}
schedule: {open: "", monthly_close: "1 1 * * *", quarterly_close: "2 1 * * *", personnel: "3 1 * * *", remind: "30 8 * * 1-5", escalate: "40 8 * * 1-5", health: "50 16 * * *", heartbeat: "*/5 * * * *", grace: 3h}
calendar: {overrides: [%[1]q]}
defaults: {report_day: 5, calendar_overrides: [%[1]q], letter: {issuer: 局}}
jurisdictions:
  "370212": {live_from: 2024-06-01, roll: next, window: {to: "24:00"}, calendar_overrides: []}
  changji:
    zone: Asia/Shanghai
    confirm: required
    accept_after_workdays: 7
    policy: %[5]q
    weekly_cap: 0
    close_grace_workdays: 5
    ranking: true
    digest_to: [a@example.org, b@example.org]
    name_domains: [example.org]
    letter: {reminder_word: 提醒函, urging_word: 催办函, issuer: "", contact_name: 张三, contact_phone: "010", contact_email: a@example.org, contact_address: 楼}
  bare:
worker: {lease: 4m, shutdown_timeout: 1h}
ops: {listen: ":9000", mail_to: [ops@example.org]}
retention: {runs: 400, attempts: 0, facts: 3650, archive: 1825, backfills: 36500}
`, local, ca, pin, keyFile(t), policy), "PW", "smtp-pw")
	base := JurisdictionConfig{ReportDay: 5, Confirm: "auto", Roll: "keep", AcceptAfterWorkdays: 5, CalendarOverrides: []string{local}, WeeklyCap: 2, CloseGraceWorkdays: 3,
		Window: Window{From: 540, To: 1050}, Letter: Letter{ReminderWord: "工作提示", UrgingWord: "工作提示", Issuer: "局"}}
	laoshan, changji := base, base
	laoshan.LiveFrom, laoshan.Roll, laoshan.Window.To, laoshan.CalendarOverrides = civil.MustParse("2024-06-01"), "next", 1440, []string{}
	changji.Zone, changji.Confirm, changji.AcceptAfterWorkdays = "Asia/Shanghai", "required", 7
	changji.Policy, changji.WeeklyCap, changji.CloseGraceWorkdays, changji.Ranking = policy, 0, 5, true
	changji.DigestTo, changji.NameDomains = []string{"a@example.org", "b@example.org"}, []string{"example.org"}
	changji.Letter = Letter{"提醒函", "催办函", "", "张三", "010", "a@example.org", "楼"}
	want := Config{
		Database: Database{DSN: "mysql://app@db.example:3307/duban?tls=true", PasswordFile: ca, Password: "s3cret 密"},
		Log:      Log{"debug", "console"}, Zone: "Asia/Urumqi",
		Mail: Mail{
			Transport: "smtp", Dir: "out", ArchiveDir: "kept", FromAddress: "duban@example.gov.cn", FromName: "司法局", ReplyTo: "desk@example.gov.cn",
			MessageIDDomain: "id.example.gov.cn", RedirectTo: "trial@example.gov.cn",
			SMTP: SMTP{
				Host: "mx.example", Port: 2525, TLS: "implicit", TLSMin: "1.3", Fingerprint: pin, ServerName: "cert.example", AllowPlaintext: true,
				AllowPlainAuth: []string{"10.1.1.1", "old.example"}, Username: "u@example.gov.cn", PasswordEnv: "PW", Password: "smtp-pw", SenderIsLogin: true,
				Hello: "me.example", ConnectTimeout: 3 * time.Second, PhaseTimeout: 90 * time.Second,
				Connections: 8, LettersPerConnection: 50, MaxSize: 2_000_000, MessagesPerMinute: 30,
			},
			DKIM:  DKIM{"example.gov.cn", "s1", c.Mail.DKIM.KeyFile, Secret(testKey)},
			Retry: Retry{2 * time.Minute, 2 * time.Hour, 48 * time.Hour}, Brake: Brake{3 * time.Minute, time.Hour, 5},
		},
		Schedule: Schedule{
			MonthlyClose: "1 1 * * *", QuarterlyClose: "2 1 * * *", Personnel: "3 1 * * *", Remind: "30 8 * * 1-5", Escalate: "40 8 * * 1-5",
			Health: "50 16 * * *", Heartbeat: "*/5 * * * *", Grace: 3 * time.Hour,
		}, Calendar: Calendar{[]string{local}}, Defaults: base,
		Jurisdictions: map[string]JurisdictionConfig{"370212": laoshan, "changji": changji, "bare": base},
		Worker:        Worker{4 * time.Minute, time.Hour},
		Retention:     Retention{400, 0, 3650, 1825, 36500},
		Ops:           Ops{":9000", []string{"ops@example.org"}},
	}
	if !reflect.DeepEqual(values(c), want) {
		t.Errorf("got\n%s", c.Print())
	}
	if f := c.CalendarFiles("changji"); len(f) != 2 || f[1].Path != local || string(f[1].Data) != "s3cret 密\n" {
		t.Errorf("calendar files %v", f)
	}
	if f := c.CalendarFiles("370212"); len(f) != 1 {
		t.Errorf("a jurisdiction's empty list does not replace that of defaults: %v", f)
	}
	if f, ok := c.PolicyFile("changji"); !ok || f.Path != policy || string(f.Data) != "versions: []\n" {
		t.Errorf("policy file %v, %t", f, ok)
	}
	if f, ok := c.PolicyFile("370212"); ok {
		t.Errorf("a jurisdiction that names no policy has %v", f)
	}
	if d, err := c.Database.Parsed(); err != nil || d.Password.Reveal() != "s3cret 密" || d.TLS != "true" || d.Port != 3307 {
		t.Errorf("%+v %v", d, err)
	}
}

func TestJurisdiction(t *testing.T) {
	c := mustParse(t, "zone: Asia/Urumqi\ndefaults: {report_day: 25}\njurisdictions: {a: {roll: next}, b: {zone: Asia/Shanghai}}\n")
	for code, want := range map[string][3]string{"a": {"Asia/Urumqi", "next", "25"}, "b": {"Asia/Shanghai", "keep", "25"}, "unnamed": {"Asia/Urumqi", "keep", "25"}} {
		j := c.Jurisdiction(code)
		if got := [3]string{j.Zone, j.Roll, fmt.Sprint(j.ReportDay)}; got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
}

// TestTheTableIsComplete holds the table against the structs: no setting without a key, no key without a comment.
func TestTheTableIsComplete(t *testing.T) {
	c := Default()
	known, paths, variables := map[any]bool{}, map[string]bool{}, map[string]string{}
	for _, f := range c.fields() {
		if strings.TrimSpace(f.doc) == "" {
			t.Errorf("%s has no comment", f.path)
		}
		for _, o := range f.oneOf {
			if !strings.Contains(f.doc, o) {
				t.Errorf("%s: the comment does not name %s", f.path, o)
			}
		}
		parent, _, nested := cutLast(f.path)
		if paths[f.path] || (nested && !paths[parent]) {
			t.Errorf("%s is there twice, or before its section", f.path)
		}
		paths[f.path] = true
		if f.value == nil {
			continue
		}
		known[f.value] = true
		if v := variable(f.path); variables[v] != "" {
			t.Errorf("%s and %s share %s", f.path, variables[v], v)
		} else {
			variables[v] = f.path
		}
	}
	for _, secret := range []string{"DUBAN_DATABASE_PASSWORD", "DUBAN_MAIL_SMTP_PASSWORD"} {
		if variables[secret] != "" {
			t.Errorf("%s is the variable of %s", secret, variables[secret])
		}
	}
	leaves(reflect.ValueOf(&c).Elem(), func(name string, leaf reflect.Value) {
		if !known[leaf.Addr().Interface()] {
			t.Errorf("field %s of the configuration has no key", name)
		}
	})
}

func cutLast(path string) (parent, key string, ok bool) {
	i := strings.LastIndex(path, ".")
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// leaves visits the exported fields that are no structs, maps or secrets.
func leaves(v reflect.Value, visit func(string, reflect.Value)) {
	for i := range v.NumField() {
		f, sf := v.Field(i), v.Type().Field(i)
		switch {
		case !sf.IsExported() || f.Kind() == reflect.Map || f.Type() == reflect.TypeFor[Secret]():
		case f.Kind() == reflect.Struct:
			leaves(f, visit)
		default:
			visit(v.Type().Name()+"."+sf.Name, f)
		}
	}
}

func TestSampleLoadsToTheDefaultsAndCommentsEveryKey(t *testing.T) {
	sample := Sample()
	c, err := parse("sample", []byte(sample), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Jurisdictions = nil; !reflect.DeepEqual(reprint(c), reprint(completed())) {
		t.Errorf("the sample is not the defaults:\n%s", c.Print())
	}
	lines, keys := strings.Split(sample, "\n"), 0
	for i, s := range lines {
		if s = strings.TrimSpace(s); s == "" || strings.HasPrefix(s, "#") {
			continue
		}
		keys++
		if !strings.HasPrefix(strings.TrimSpace(lines[i-1]), "# ") {
			t.Errorf("line %d has no comment above it: %s", i+1, s)
		}
	}
	d := Default()
	if keys != len(d.fields()) {
		t.Errorf("the sample has %d keys, the table %d", keys, len(d.fields()))
	}
	for _, s := range lines {
		if len([]rune(s)) > 140 {
			t.Errorf("too long for a terminal: %s", s)
		}
	}
}

// reprint is what a configuration says, without where it says it.
func reprint(c Config) string { return sourceComment.ReplaceAllString(c.Print(), "") }

var sourceComment = regexp.MustCompile(`(?m)  # .*$`)

func TestPrintHidesSecretsNamesSourcesAndReadsBack(t *testing.T) {
	text := "log:\n  level: warn\nmail:\n  from_name: '局 \"甲\" \\ # x'\ndefaults:\n  report_day: 7\njurisdictions:\n  \"010\":\n    roll: next\n    live_from: 2024-06-01\n"
	env := []string{"DUBAN_DATABASE_DSN", "mysql://app:hunter2%40@db.example/duban", "DUBAN_MAIL_SMTP_PASSWORD", "hunter3", "DUBAN_JURISDICTIONS_010_REPORT_DAY", "9", "DUBAN_LOG_FORMAT", "console"}
	c := mustParse(t, text, env...)
	out := c.Print()
	for _, want := range []string{
		"  level: \"warn\"  # duban.yaml:2\n", "  format: \"console\"  # DUBAN_LOG_FORMAT\n", "dsn: \"mysql://app@db.example:3306/duban?tls=preferred\"  # DUBAN_DATABASE_DSN\n",
		"  \"010\":\n", "    report_day: 9  # DUBAN_JURISDICTIONS_010_REPORT_DAY\n", "    roll: \"next\"  # duban.yaml:9\n", "  report_day: 7  # duban.yaml:6\n", "# password: [secret]\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the print lacks %q", want)
		}
	}
	for _, s := range []string{out, fmt.Sprintf("%v %+v %#v %s", c, c, c, c.Settings())} {
		if strings.Contains(s, "hunter") {
			t.Errorf("a password shows in %s", s)
		}
	}
	if c.Database.Password.Reveal() != "hunter2@" || c.Mail.SMTP.Password.Reveal() != "hunter3" {
		t.Errorf("the passwords were not read: %q %q", c.Database.Password.Reveal(), c.Mail.SMTP.Password.Reveal())
	}
	again := mustParse(t, out)
	again.Database.Password, again.Mail.SMTP.Password = c.Database.Password, c.Mail.SMTP.Password
	if reprint(again) != reprint(c) {
		t.Errorf("read back:\n%s", reprint(again))
	}
	if i := slices.IndexFunc(c.Settings(), func(s Setting) bool { return s.Key == "jurisdictions.010.accept_after_workdays" }); i < 0 || c.Settings()[i].Source != "default" || c.Settings()[i].Value != "5" {
		t.Errorf("settings lack a jurisdiction's default: %v", c.Settings())
	}
}

func TestEnvironmentOverridesEveryScalar(t *testing.T) {
	other := map[string]string{"database.dsn": "sqlite:x", "zone": "UTC", "mail.from_address": "x@example.org", "mail.reply_to": "y@example.org", "mail.redirect_to": "z@example.org",
		"mail.smtp.tls": "implicit", "mail.transport": "file", "log.level": "error", "log.format": "console", "schedule.open": "1 1 * * *", "schedule.remind": "2 1 * * *", "schedule.heartbeat": "3 1 * * *",
		"schedule.monthly_close": "4 1 * * *", "schedule.quarterly_close": "5 1 * * *", "schedule.personnel": "6 1 * * *", "schedule.escalate": "7 1 * * *", "schedule.health": "8 1 * * *", "schedule.grace": "1h30m", "ops.listen": "off", "ops.mail_to": "x@example.org,y@example.org",
		"defaults.digest_to": "x@example.org,y@example.org", "defaults.name_domains": "example.org,a.example",
		"defaults.zone": "Asia/Urumqi", "defaults.confirm": "required", "defaults.roll": "previous", "defaults.letter.contact_email": "w@example.org", "mail.smtp.hello": "h.example", "mail.message_id_domain": "m.example"}
	path := write(t, "f", "secret")
	other["calendar.overrides"], other["defaults.calendar_overrides"], other["defaults.policy"] = path+","+path, path, path
	other["database.password_file"], other["mail.smtp.password_file"] = path, path
	other["mail.smtp.tls_min"], other["mail.smtp.fingerprint"], other["mail.smtp.allow_plain_auth"], other["mail.smtp.max_size"] = "1.0", pin, "a.example,10.1.1.1", "20000"
	other["mail.retry.most"], other["mail.retry.give_up"], other["mail.brake.most"] = "3h", "5h", "7h"
	c := Default()
	for _, f := range c.fields() {
		if f.value == nil || strings.HasSuffix(f.path, "password_env") || f.path == "mail.smtp.ca_file" || strings.HasPrefix(f.path, "mail.dkim.") {
			continue
		}
		value := other[f.path]
		if value == "" {
			switch f.value.(type) {
			case *string:
				value = "another"
			case *int:
				value = "12"
				if strings.HasPrefix(f.path, "retention.") {
					value = "412"
				}
			case *bool:
				value = "true"
			case *time.Duration:
				value = "2m1s"
			case *Clock:
				value = "10:10"
			case *civil.Date:
				value = "2024-06-30"
			}
		}
		got, err := parse("", nil, vars(variable(f.path), value))
		if err != nil {
			t.Errorf("%s=%s: %v", variable(f.path), value, err)
			continue
		}
		i := slices.IndexFunc(got.Settings(), func(s Setting) bool { return s.Key == f.path })
		if s := got.Settings()[i]; s.Value != value || s.Source != variable(f.path) {
			t.Errorf("%s=%s: %+v", variable(f.path), value, s)
		}
	}
	if c := mustParse(t, "log: {level: warn}", "DUBAN_LOG_LEVEL", ""); c.Log.Level != "warn" {
		t.Errorf("an empty variable set the level to %q", c.Log.Level)
	}
	if c := mustParse(t, "jurisdictions: {a-b: }", "DUBAN_JURISDICTIONS_A_B_LETTER_ISSUER", "局", "DUBAN_DEFAULTS_ROLL", "next"); c.Jurisdiction("a-b").Letter.Issuer != "局" || c.Jurisdiction("a-b").Roll != "next" {
		t.Errorf("%+v", c.Jurisdiction("a-b"))
	}
}

// smtp is a file that is right but for what a case adds to it.
const smtp = "mail:\n  transport: smtp\n  from_address: a@example.org\n  smtp:\n    host: mx.example\n"

// Each refusal must name its place and key and say what to do; want holds parts of the message.
var refusals = map[string]struct {
	text string
	env  []string
	want []string
}{
	"unknown key":          {"log:\n  levle: info\n", nil, []string{"duban.yaml:2: log.levle: unknown key; did you mean level?"}},
	"unknown section":      {"\n\nsmtpp: 1\n", nil, []string{"duban.yaml:3: smtpp: unknown key; known here: database, log, zone"}},
	"unknown in a letter":  {"jurisdictions:\n  a:\n    letter: {issuer_: x}\n", nil, []string{"duban.yaml:3: jurisdictions.a.letter.issuer_: unknown key; did you mean issuer?"}},
	"dotted key":           {"log.level: info\n", nil, []string{"duban.yaml:1: log.level: keys are not joined with dots"}},
	"merge key":            {"log: {<<: {level: info}}\n", nil, []string{"duban.yaml:1: log: a key must be plain text"}},
	"alias":                {"log: &x {level: info}\nworker: *x\n", nil, []string{"duban.yaml:2: worker: holds an alias"}},
	"duplicate key":        {"zone: UTC\nlog: {}\nzone: UTC\n", nil, []string{"duban.yaml:3: zone: is given twice, first on line 1"}},
	"duplicate code":       {"jurisdictions:\n  a: {}\n  a: {}\n", nil, []string{"duban.yaml:3: jurisdictions.a: is given twice"}},
	"codes of one name":    {"jurisdictions:\n  a-b: {}\n  a_b: {}\n", nil, []string{"duban.yaml:3: jurisdictions.a_b: its variables would be those of a-b"}},
	"bad code":             {"jurisdictions:\n  崂山: {}\n", nil, []string{"duban.yaml:2: jurisdictions.崂山: a code is"}},
	"second document":      {"zone: UTC\n---\nlog: {}\n", nil, []string{"duban.yaml:2: a second document begins here"}},
	"broken YAML":          {"log: [\n", nil, []string{"duban.yaml:2: not valid YAML"}},
	"tab":                  {"log:\n\tlevel: info\n", nil, []string{"duban.yaml:2: not valid YAML"}},
	"not UTF-8":            {"zone: \xd6\xd0\n", nil, []string{"duban.yaml: is not UTF-8; save it as UTF-8"}},
	"a list as root":       {"- a\n", nil, []string{"duban.yaml:1: holds a list; write keys below it"}},
	"text as section":      {"mail: smtp\n", nil, []string{"duban.yaml:1: mail: holds a single value; write keys below it"}},
	"keys as value":        {"zone: {a: b}\n", nil, []string{"duban.yaml:1: zone: holds keys; write a single value"}},
	"text as list":         {"calendar:\n  overrides: a.json\n", nil, []string{"duban.yaml:2: calendar.overrides: holds a single value; write a list"}},
	"list in list":         {"calendar: {overrides: [[a]]}\n", nil, []string{"calendar.overrides: holds a list in its list"}},
	"empty entry":          {"", []string{"DUBAN_CALENDAR_OVERRIDES", "a,,b"}, []string{"DUBAN_CALENDAR_OVERRIDES: calendar.overrides: holds an empty entry"}},
	"text as code list":    {"jurisdictions: [a]\n", nil, []string{"duban.yaml:1: jurisdictions: holds a list"}},
	"fraction":             {"defaults: {report_day: 25.9}\n", nil, []string{`duban.yaml:1: defaults.report_day: "25.9" cannot be read; write a whole number`}},
	"not a bool":           {"mail: {smtp: {allow_plaintext: yes}}\n", nil, []string{`"yes" cannot be read; write true or false`}},
	"no unit":              {"worker: {lease: 30}\n", nil, []string{`worker.lease: "30" cannot be read; write a length of time with its unit`}},
	"no such day":          {"defaults: {live_from: 2024-02-30}\n", nil, []string{`defaults.live_from: "2024-02-30" cannot be read; write a day that exists`}},
	"no such time":         {"defaults: {window: {from: \"24:01\"}}\n", nil, []string{`defaults.window.from: "24:01" cannot be read`}},
	"not of the list":      {"log:\n  level: loud\n", nil, []string{`duban.yaml:2: log.level: "loud" is not allowed; write debug or info or warn or error`}},
	"line break":           {"mail: {from_name: \"a\\r\\nBcc: x\"}\n", nil, []string{"mail.from_name: holds a line break"}},
	"variable":             {"", []string{"DUBAN_MAIL_SMTP_PORT", "x"}, []string{`DUBAN_MAIL_SMTP_PORT: mail.smtp.port: "x" cannot be read`}},
	"bytes in a variable":  {"", []string{"DUBAN_MAIL_FROM_NAME", "\xff"}, []string{"DUBAN_MAIL_FROM_NAME: mail.from_name: holds"}},
	"variable, validated":  {"", []string{"DUBAN_MAIL_SMTP_PORT", "70000"}, []string{"DUBAN_MAIL_SMTP_PORT: mail.smtp.port: 70000 is not a port"}},
	"literal password":     {"database:\n  password: hunter2\n", nil, []string{"duban.yaml:2: database.password: a password must not stand in this file", "DUBAN_DATABASE_PASSWORD", "password_file"}},
	"smtp password":        {"mail: {smtp: {password: hunter2}}\n", nil, []string{"mail.smtp.password: a password must not", "DUBAN_MAIL_SMTP_PASSWORD"}},
	"password elsewhere":   {"PassWord: hunter2\n", nil, []string{"duban.yaml:1: PassWord: a password must not"}},
	"password in the DSN":  {"database:\n  dsn: mysql://u:hunter2@h/d\n", nil, []string{"duban.yaml:2: database.dsn: holds a password", "DUBAN_DATABASE_PASSWORD"}},
	"driver's DSN":         {"database: {dsn: \"u:hunter2@tcp(h:3306)/d\"}\n", nil, []string{"database.dsn: this is the MySQL driver's own form; write sqlite:PATH or mysql://"}},
	"broken DSN":           {"database: {dsn: \"mysql://u:hunter2%zz@h/d\"}\n", nil, []string{"database.dsn: not a URL"}},
	"two password places":  {"database: {password_file: a, password_env: B}\n", nil, []string{"duban.yaml:1: database.password_env: password_file is set too; keep one"}},
	"unset password_env":   {"database: {password_env: NOPE}\n", nil, []string{"duban.yaml:1: database.password_env: the variable NOPE is not set"}},
	"no password file":     {"mail: {smtp: {password_file: /nonexistent/pw}}\n", nil, []string{"mail.smtp.password_file: open /nonexistent/pw", "working directory"}},
	"no calendar file":     {"jurisdictions: {a: {calendar_overrides: [/nonexistent/c]}}\n", nil, []string{"duban.yaml:1: jurisdictions.a.calendar_overrides: open /nonexistent/c"}},
	"zone":                 {"zone: Mars/Olympus\n", nil, []string{`duban.yaml:1: zone: "Mars/Olympus" is not a time zone; write its IANA name`}},
	"local zone":           {"jurisdictions: {a: {zone: Local}}\n", nil, []string{"duban.yaml:1: jurisdictions.a.zone:"}},
	"sender":               {"mail: {from_address: 局 <a@b.cn>}\n", nil, []string{"mail.from_address:", "not one plain address"}},
	"two addresses":        {"mail: {redirect_to: \"a@b.cn, c@d.cn\"}\n", nil, []string{"mail.redirect_to:", "not one plain address"}},
	"no sender for smtp":   {"mail: {transport: smtp, smtp: {host: mx.example}}\n", nil, []string{"duban.yaml: mail.from_address: is still the placeholder"}},
	"no host for smtp":     {"mail: {transport: smtp, from_address: a@b.cn}\n", nil, []string{"mail.smtp.host: is missing"}},
	"port in the host":     {"mail: {transport: smtp, from_address: a@b.cn, smtp: {host: \"mx.example:25\"}}\n", nil, []string{"mail.smtp.host:", "the port goes into mail.smtp.port"}},
	"plain text":           {smtp + "    tls: none\n", nil, []string{"duban.yaml:6: mail.smtp.tls: none sends letters readable to mx.example", "mail.smtp.allow_plaintext: true"}},
	"user, no password":    {smtp + "    username: u\n", nil, []string{"duban.yaml:6: mail.smtp.username: has no password"}},
	"password, no user":    {smtp, []string{"DUBAN_MAIL_SMTP_PASSWORD", "hunter2"}, []string{"mail.smtp.username: is missing although there is a password"}},
	"four cron fields":     {"schedule: {open: \"5 0 * *\"}\n", nil, []string{"schedule.open:", "not a cron spec of five fields"}},
	"cron with a zone":     {"schedule: {open: \"TZ=UTC 0 * * *\"}\n", nil, []string{"schedule.open:", "not a cron spec of five fields"}},
	"short retention":      {"retention: {runs: 399, archive: -1}\n", nil, []string{"duban.yaml:1: retention.runs: 399 is out of range; write 400 or more", "look back over a year", "retention.archive: -1 is out of range"}},
	"short lease":          {"worker: {lease: 2m}\n", nil, []string{"duban.yaml:1: worker.lease: 2m must be more than twice mail.smtp.phase_timeout (1m)"}},
	"no timeout":           {"mail: {smtp: {connect_timeout: 0s}}\n", nil, []string{"mail.smtp.connect_timeout: must be longer"}},
	"window backwards":     {"defaults: {window: {from: \"18:00\"}}\n", nil, []string{"defaults.window.to: 17:30 is not after window.from (18:00)"}},
	"report day":           {"jurisdictions:\n  a:\n    report_day: 32\n", nil, []string{"duban.yaml:3: jurisdictions.a.report_day: 32 is not a day of a month"}},
	"inherited, but wrong": {"defaults:\n  report_day: 0\njurisdictions: {a: }\n", nil, []string{"duban.yaml:2: defaults.report_day: 0", "duban.yaml:2: jurisdictions.a.report_day: 0"}},
	"statutory word":       {"defaults: {letter: {urging_word: 行政执法监督意见书}}\n", nil, []string{"defaults.letter.urging_word:", "statutory instrument"}},
	"no policy file":       {"jurisdictions: {a: {policy: /nonexistent/p}}\n", nil, []string{"duban.yaml:1: jurisdictions.a.policy: open /nonexistent/p"}},
	"confirm":              {"defaults: {confirm: always}\n", nil, []string{`defaults.confirm: "always" is not allowed; write auto or required`}},
	"weekly cap":           {"defaults: {weekly_cap: -1}\n", nil, []string{"duban.yaml:1: defaults.weekly_cap: -1 is out of range"}},
	"grace":                {"defaults: {close_grace_workdays: 61}\n", nil, []string{"defaults.close_grace_workdays: 61 is out of range"}},
	"digest address":       {"defaults: {digest_to: [局 <a@b.cn>]}\n", nil, []string{"defaults.digest_to:", "not one plain address"}},
	"digest twice":         {"jurisdictions: {a: {digest_to: [a@b.cn, A@b.cn]}}\n", nil, []string{`jurisdictions.a.digest_to: "A@b.cn" is there twice`}},
	"domain with an @":     {"defaults: {name_domains: [\"@b.cn\"]}\n", nil, []string{"defaults.name_domains:", "not a mail domain"}},
	"any domain":           {"defaults: {name_domains: [\"*.cn\"]}\n", nil, []string{"defaults.name_domains:", "not a mail domain"}},
	"whole country":        {"defaults: {name_domains: [cn]}\n", nil, []string{"defaults.name_domains:", "not a mail domain"}},
	"cron of a close":      {"schedule: {monthly_close: daily}\n", nil, []string{"schedule.monthly_close:", "not a cron spec of five fields"}},
	"hasty clock":          {"schedule: {grace: 9m59s}\n", nil, []string{"duban.yaml:1: schedule.grace: 9m59s is not allowed; write 10m to 24h"}},
	"tomorrow's clock":     {"schedule: {grace: 25h}\n", nil, []string{"schedule.grace: 25h is not allowed"}},
	"a page's address":     {"ops: {listen: localhost}\n", nil, []string{"ops.listen:", "127.0.0.1:9464"}},
	"a page's port":        {"ops: {listen: \"localhost:http\"}\n", nil, []string{"ops.listen:", "no address to listen on"}},
	"operations address":   {"ops: {mail_to: [nobody]}\n", nil, []string{"ops.mail_to:", "not one plain address"}},
	"operations twice":     {"ops: {mail_to: [a@b.cn, A@b.cn]}\n", nil, []string{`ops.mail_to: "A@b.cn" is there twice`}},
	"two at once":          {"log: {levle: x}\nzonee: y\n", nil, []string{"log.levle", "zonee"}},
}

func TestRefusals(t *testing.T) {
	for name, c := range refusals {
		_, err := parse("duban.yaml", []byte(c.text), vars(c.env...))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v\n\twant %s", name, err, part)
			}
		}
		var p Problem
		if strings.Contains(err.Error(), "hunter") || !errors.As(err, &p) {
			t.Errorf("%s: a password in, or no Problem behind: %v", name, err)
		}
	}
}

func TestAllowed(t *testing.T) {
	pem := write(t, "pw", "one\r\n")
	for name, text := range map[string]string{
		"none to this machine":   strings.Replace(smtp, "mx.example", "127.0.0.1", 1) + "    tls: none\n",
		"none to localhost":      strings.Replace(smtp, "mx.example", "localhost", 1) + "    tls: none\n",
		"none to ::1":            strings.Replace(smtp, "mx.example", `"::1"`, 1) + "    tls: none\n",
		"none, on purpose":       smtp + "    tls: none\n    allow_plaintext: true\n",
		"user and password file": smtp + "    username: u\n    password_file: " + pem + "\n",
		"socket":                 "database: {dsn: \"mysql://u@/d?socket=/run/mysqld.sock\"}\n",
		"numeric code":           "jurisdictions: {010: {}}\n",
		"code of a section":      "jurisdictions: {mail: {mail: {from_name: a}}, defaults: {mail: {from_name: b}}}\n",
	} {
		if _, err := parse("duban.yaml", []byte(text), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPasswordPrecedence(t *testing.T) {
	file := write(t, "pw", "from-file\n")
	for _, c := range []struct {
		text string
		env  []string
		want Secret
	}{
		{"database: {password_file: " + file + "}", nil, "from-file"},
		{"database: {password_env: X}", []string{"X", "from-x"}, "from-x"},
		{"database: {password_file: " + file + "}", []string{"DUBAN_DATABASE_PASSWORD", "direct"}, "direct"},
		{"database: {password_env: X}", []string{"DUBAN_DATABASE_PASSWORD", "direct"}, "direct"},
		{"", []string{"DUBAN_DATABASE_DSN", "mysql://u:inside@h/d"}, "inside"},
		{"database: {password_file: " + file + "}", []string{"DUBAN_DATABASE_DSN", "mysql://u:inside@h/d"}, "from-file"},
		{"", nil, ""},
	} {
		if got := mustParse(t, c.text, c.env...).Database.Password; got.Reveal() != c.want.Reveal() {
			t.Errorf("%q %v: %q, want %q", c.text, c.env, got.Reveal(), c.want.Reveal())
		}
	}
	for _, text := range []string{"", "\n", "a\nb\n", "a\x00"} {
		if _, err := parse("", nil, vars("DUBAN_DATABASE_PASSWORD_FILE", write(t, "pw", text))); err == nil || !strings.Contains(err.Error(), "one line") {
			t.Errorf("password file %q: %v", text, err)
		}
	}
}

func TestLoadFromDisk(t *testing.T) {
	path := write(t, "duban.yaml", "log: {level: debug}\n")
	if c, err := Load(path, nil); err != nil || c.Log.Level != "debug" || c.source("log.level") != path+":1" {
		t.Errorf("%v %v", c.Log, err)
	}
	for _, bad := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		if _, err := Load(bad, nil); err == nil || !strings.Contains(err.Error(), bad) || !strings.Contains(err.Error(), "--config") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := Load(write(t, "big.yaml", strings.Repeat("#\n", maxFile)), nil); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
	ca := write(t, "ca.pem", "no certificate")
	if _, err := Load(write(t, "duban.yaml", "mail: {smtp: {ca_file: "+ca+"}}\n"), nil); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("ca_file: %v", err)
	}
}

func TestParseDSN(t *testing.T) {
	for s, want := range map[string]DSN{
		"sqlite:./duban.db":                 {Engine: SQLite, Path: "./duban.db"},
		"sqlite:/var/lib/督办/d.db":           {Engine: SQLite, Path: "/var/lib/督办/d.db"},
		"sqlite::memory:":                   {Engine: SQLite, Path: ":memory:"},
		"mysql://u@db.example/d":            {Engine: MySQL, User: "u", Host: "db.example", Port: 3306, Name: "d", TLS: "preferred"},
		"mysql://u@10.1.2.3:3307/d":         {Engine: MySQL, User: "u", Host: "10.1.2.3", Port: 3307, Name: "d", TLS: "preferred"},
		"mysql://u@127.0.0.1/d":             {Engine: MySQL, User: "u", Host: "127.0.0.1", Port: 3306, Name: "d", TLS: "false"},
		"mysql://u@localhost/d?tls=true":    {Engine: MySQL, User: "u", Host: "localhost", Port: 3306, Name: "d", TLS: "true"},
		"mysql://u@[::1]:3306/d":            {Engine: MySQL, User: "u", Host: "::1", Port: 3306, Name: "d", TLS: "false"},
		"mysql://u:p%40%2F@h/d?tls=false":   {Engine: MySQL, User: "u", Password: "p@/", Host: "h", Port: 3306, Name: "d", TLS: "false"},
		"mysql://u@/d?socket=/run/a b.sock": {Engine: MySQL, User: "u", Socket: "/run/a b.sock", Name: "d", TLS: "false"},
	} {
		got, err := ParseDSN(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v %v", s, got, err)
			continue
		}
		want.Password = ""
		if again, err := ParseDSN(got.String()); err != nil || again != want {
			t.Errorf("%s prints as %s: %+v %v", s, got, again, err)
		}
	}
	for _, s := range []string{
		"", "duban.db", "sqlite:", "sqlite://duban.db", "sqlite:file:x", "sqlite:x?mode=ro", "postgres://u@h/d", "u@tcp(h)/d", "u@unix(/s)/d", "mysql:u@h/d", "mysql://h/d", "mysql://u@h",
		"mysql://u@h/", "mysql://u@h/a/b", "mysql://u@/d", "mysql://u@h/d?socket=/s", "mysql://u@h/d?tls=maybe", "mysql://u@h/d?tls=", "mysql://u@h/d?charset=utf8", "mysql://u@h/d?tls=true&tls=false",
		"mysql://u@h:0/d", "mysql://u@h:70000/d", "mysql://u@h:x/d", "mysql://u@h/d#f", "mysql://u:pa@ss:w@h:1:2/d",
	} {
		if d, err := ParseDSN(s); err == nil {
			t.Errorf("%q was read as %+v", s, d)
		}
	}
}

func TestAddress(t *testing.T) {
	for tls, want := range map[string]int{"required": 587, "starttls": 587, "implicit": 465, "none": 25} {
		if _, port := (SMTP{Host: "h", TLS: tls}).Address(); port != want {
			t.Errorf("%s: %d", tls, port)
		}
	}
	if host, port := (SMTP{Host: "h", TLS: "none", Port: 2525}).Address(); host != "h" || port != 2525 {
		t.Errorf("%s:%d", host, port)
	}
}

func TestStringsSurvivePrinting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := completed()
		name := rapid.String().Draw(t, "name")
		if (field{value: new(string)}).set(name) != nil {
			return // refused on the way in, so it never has to be printed
		}
		c.Mail.FromName, c.Defaults.Letter.Issuer = name, name
		again, err := parse("", []byte(c.Print()), nil)
		if err != nil || again.Mail.FromName != name || again.Defaults.Letter.Issuer != name {
			t.Fatalf("%q: %q %v", name, again.Mail.FromName, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(Sample()))
	f.Add([]byte(smtp + "  dkim:\n  retry: {first: 2m}\njurisdictions:\n  a: {mail: {reply_to: b@c.cn, smtp: {host: \"::1\", tls: none, port: 25, allow_plain_auth: [x.example]}}}\n  b:\n"))
	for _, c := range refusals {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if strings.Contains(strings.ToLower(string(b)), "_file") || strings.Contains(string(b), "overrides") {
			return // would read files named by the fuzzer
		}
		c, err := parse("fuzz", b, nil)
		if err != nil {
			return
		}
		again, err := parse("fuzz", []byte(c.Print()), nil)
		if err != nil || reprint(again) != reprint(c) {
			t.Fatalf("does not read back: %v\n%s", err, c.Print())
		}
	})
}

func FuzzParseDSN(f *testing.F) {
	for _, s := range []string{"sqlite:./duban.db", "mysql://u:p@h:3306/d?tls=true", "mysql://u@/d?socket=/s", "u@tcp(h)/d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDSN(s)
		if err != nil {
			return
		}
		d.Password = ""
		if again, err := ParseDSN(d.String()); err != nil || again != d {
			t.Fatalf("%q prints as %q: %+v %v", s, d.String(), again, err)
		}
	})
}
