package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duban/notify/mail/mailtest"
	"duban/store/storetest"
)

// identity is a certificate for 127.0.0.1 that ends so much later.
func identity(t *testing.T, left time.Duration) *mailtest.Identity {
	t.Helper()
	id, err := mailtest.Certificate(time.Now().Add(-24*time.Hour), time.Now().Add(left), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// server is a relay with TLS and a login.
func server(t *testing.T, id *mailtest.Identity, change func(*mailtest.Config)) *mailtest.Server {
	t.Helper()
	c := mailtest.Config{Extensions: mailtest.AllExtensions(), TLS: id.Server(), User: "duban@sfj.example", Password: "secret", RequireAuth: true, Keep: mailtest.KeepBytes}
	c.StartTLS, c.Auth = true, []string{"PLAIN"}
	if change != nil {
		change(&c)
	}
	return mailtest.Serve(t, c)
}

// relay configures a desk for the server; more are settings in the place of the usual ones.
func (d *desk) relay(s *mailtest.Server, id *mailtest.Identity, more map[string]string) {
	d.t.Helper()
	for k, v := range map[string]string{
		"TRANSPORT": "smtp", "FROM_ADDRESS": "duban@sfj.example", "SMTP_HOST": s.Host(), "SMTP_PORT": fmt.Sprint(s.Port()), "SMTP_USERNAME": "duban@sfj.example",
		"SMTP_PASSWORD": "secret", "SMTP_CA_FILE": d.file("ca.pem", string(id.CAPEM)), "SMTP_PHASE_TIMEOUT": "2s",
		"ARCHIVE_DIR": filepath.Join(d.dir, "archive"),
	} {
		d.env["DUBAN_MAIL_"+k] = v
	}
	for k, v := range more {
		d.env["DUBAN_MAIL_"+k] = v
	}
}

// diagnosis is what doctor says, by check and state.
func (d *desk) diagnosis(code int, args ...string) map[string]string {
	d.t.Helper()
	got, out, errOut := d.call("", append([]string{"doctor", "--output", "json"}, args...)...)
	if got != code {
		d.t.Fatalf("exit %d, want %d\n%s%s", got, code, out, errOut)
	}
	all := map[string]string{}
	for _, o := range lines(d.t, out) {
		all[o.text("check", "state")] += o.text("found") + "\n"
		if o["do"] != nil {
			all[o.text("check", "state")] += o.text("do") + "\n"
		}
		if o["state"] != "ok" && o["do"] == nil && o["check"] == "mail server" {
			d.t.Errorf("it does not say what to do: %v", o)
		}
	}
	for _, secret := range []string{"secret", "zhang@jtj.example", "duban@sfj.example"} {
		if strings.Contains(out+errOut, secret) {
			d.t.Errorf("%q is said:\n%s%s", secret, out, errOut)
		}
	}
	return all
}

func TestDoctorAsksTheMailServer(t *testing.T) {
	good, over, soon := identity(t, 100*24*time.Hour), identity(t, -time.Hour), identity(t, 10*24*time.Hour+time.Hour)
	inClear := map[string]string{"SMTP_TLS": "none", "SMTP_CA_FILE": "", "SMTP_ALLOW_PLAIN_AUTH": "127.0.0.1"}
	refusing := func(at mailtest.Phase, code int, text string) func(*mailtest.Config) {
		return func(c *mailtest.Config) {
			c.Faults = []mailtest.Fault{{Phase: at, Action: mailtest.Refusal(code, text)}}
		}
	}
	for _, c := range []struct {
		name   string
		id     *mailtest.Identity
		server func(*mailtest.Config)
		with   map[string]string
		args   string
		code   int
		state  string
		say    []string
		never  []string
	}{
		{"ok", good, nil, nil, "--to someone@unit.example", exitDone, "ok", []string{"TLS 1.3", "logged in", "recipient: 250", "quit"}, []string{"someone@"}},
		{"nobody to ask for", good, nil, nil, "", exitDone, "ok", []string{"--to ADDRESS"}, []string{"recipient: 250"}},
		{"refused login", good, nil, map[string]string{"SMTP_PASSWORD": "wrong-one"}, "", exitFailed, "fail", []string{"login: 535"}, []string{"wrong-one"}},
		{"expired certificate", over, nil, nil, "", exitFailed, "fail", []string{"tls:", "expired"}, nil},
		{"expired and pinned", over, nil, map[string]string{"SMTP_FINGERPRINT": over.Fingerprint}, "", exitDone, "warn", []string{"IT HAS EXPIRED"}, nil},
		{"ends soon", soon, nil, nil, "", exitDone, "warn", []string{"it ends in 10 days", "renew its certificate"}, []string{"smtp.tls: required"}},
		{"turned away", good, refusing(mailtest.AtBanner, 554, "5.7.1 your address is blocked"), nil, "", exitFailed, "fail", []string{"greeting: 554", "turns this machine away"}, []string{"smtp.tls: implicit"}},
		{"too busy", good, refusing(mailtest.AtBanner, 421, "4.3.2 busy"), nil, "", exitFailed, "fail", []string{"greeting: 421", "try again later"}, []string{"smtp.tls: implicit"}},
		{"greylisted", good, refusing(mailtest.AtRcpt, 450, "4.2.0 greylisted"), nil, "--to someone@unit.example", exitDone, "warn", []string{"recipient: 450", "greylisting"}, []string{"check the address"}},
		{"no login we know", good, func(c *mailtest.Config) { c.Auth = []string{"CRAM-MD5"} }, nil, "", exitFailed, "fail", []string{"CRAM-MD5", "offer AUTH PLAIN or LOGIN"}, []string{"check smtp.username"}},
		{"another authority", good, func(c *mailtest.Config) { c.TLS = over.Server() }, nil, "", exitFailed, "fail", []string{"tls:"}, nil},
		{"RCPT 550", good, refusing(mailtest.AtRcpt, 550, "5.1.1 no such user gone@unit.example"), nil, "--to gone@unit.example", exitFailed, "fail",
			[]string{"recipient: 550 5.1.1", "check the address"}, []string{"gone@"}},
		{"MAIL 553", good, refusing(mailtest.AtMail, 553, "5.7.1 not yours"), nil, "", exitFailed, "fail", []string{"sender: 553"}, nil},
		{"in clear", good, func(c *mailtest.Config) { c.TLS, c.StartTLS, c.AuthInClear = nil, false, true }, inClear, "", exitDone, "warn",
			[]string{"NOT ENCRYPTED", "THE PASSWORD WENT IN CLEAR"}, nil},
		{"no TLS to be had", good, func(c *mailtest.Config) { c.TLS, c.StartTLS, c.AuthInClear = nil, false, true }, nil, "", exitFailed, "fail", []string{"tls:"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := town(t, "2024-09-26")
			s := server(t, c.id, c.server)
			d.relay(s, c.id, c.with)
			got := d.diagnosis(c.code, strings.Fields(c.args)...)
			said := got["mail server "+c.state]
			for _, word := range c.say {
				if !strings.Contains(said, word) {
					t.Errorf("%q is not said:\n%v", word, got)
				}
			}
			for _, word := range c.never {
				if strings.Contains(fmt.Sprint(got), word) {
					t.Errorf("%q is said:\n%v", word, got)
				}
			}
			for _, other := range []string{"configuration ok", "database ok", "templates ok", "folders ok", "contacts ok", "letters ok", "brakes ok"} {
				if got[other] == "" {
					t.Errorf("no %s:\n%v", other, got)
				}
			}
			if counts := s.Counts(); counts.Mails != 0 || counts.Connections != 1 {
				t.Errorf("%+v", counts)
			}
		})
	}
}

func TestDoctorFindsNoServer(t *testing.T) {
	id := identity(t, time.Hour)
	d := newDesk(t, "2024-09-26")
	d.ok("migrate")
	s := server(t, id, nil)
	d.relay(s, id, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := d.diagnosis(exitFailed)["mail server fail"]; !strings.Contains(got, "connect") || !strings.Contains(got, "refused") {
		t.Error(got)
	}
}

func TestDoctorAsksEachAccountOnce(t *testing.T) {
	id := identity(t, 100*24*time.Hour)
	d := newDesk(t, "2024-09-26")
	d.ok("migrate")
	s := server(t, id, nil)
	d.relay(s, id, nil)
	config := d.file("duban.yaml", `
jurisdictions:
  one:
  two: {mail: {from_name: 乙}}
  three: {mail: {from_address: three@sfj.example}}
`)
	got := d.diagnosis(exitDone, "--config", config)
	if n := s.Counts().Connections; n != 2 {
		t.Errorf("%d connections", n)
	}
	for _, who := range []string{"for one, two:", "for three:"} {
		if !strings.Contains(got["mail server ok"], who) {
			t.Errorf("%q is not said:\n%s", who, got["mail server ok"])
		}
	}
	if !strings.Contains(got["sender warn"], "three: ") {
		t.Errorf("nothing is said of a sender that is not the login: %v", got)
	}
	if got := d.diagnosis(exitDone, "--config", config, "--jurisdiction", "two"); strings.Contains(fmt.Sprint(got), "three") {
		t.Errorf("%v", got)
	}
	if code, _, errOut := d.call("", "--config", config, "doctor", "--jurisdiction", "for"); code != exitUsage || !strings.Contains(errOut, "no jurisdiction") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

func TestDoctorLooksAtTheRest(t *testing.T) {
	full := func(d *desk) {}
	for _, c := range []struct {
		name  string
		day   string
		with  func(d *desk)
		code  int
		check string
		say   string
	}{
		{"healthy", "2024-09-26", full, exitDone, "calendar ok", "2024 and 2025"},
		{"a day that cannot be right", "2024-09-26", func(d *desk) { d.ok("run", "all"); d.days(40) }, exitFailed, "clock fail", "40 days after"},
		{"a day after the last run", "2024-09-26", func(d *desk) { d.ok("run", "all"); d.days(3) }, exitDone, "clock ok", "the last run"},
		{"next year unknown in autumn", "2026-10-01", full, exitDone, "calendar warn", "2027"},
		{"next year unknown in summer", "2026-09-30", full, exitDone, "calendar ok", "2027"},
		{"this year unknown", "2027-01-04", full, exitFailed, "calendar fail", "2027"},
		{"a calendar that cannot be read", "2024-09-26", func(d *desk) { d.env["DUBAN_CALENDAR_OVERRIDES"] = d.file("cal.json", "{") }, exitFailed, "calendar fail", "cal.json"},
		{"a spec that never fires", "2024-09-26", func(d *desk) { d.env["DUBAN_SCHEDULE_REMIND"] = "0 9 31 2 *" }, exitFailed, "", "31 2"},
		{"a spec that fires rarely", "2024-09-26", func(d *desk) { d.env["DUBAN_SCHEDULE_REMIND"] = "0 9 1 * *" }, exitDone, "schedule warn", "remind"},
		{"a stray variable", "2024-09-26", func(d *desk) { d.env["DUBAN_MAIL_REDIRECT_TOO"] = "a@b.example" }, exitDone, "configuration warn", "REDIRECT_TOO"},
		{"a trial run", "2024-09-26", func(d *desk) { d.env["DUBAN_MAIL_REDIRECT_TO"] = "trial@b.example" }, exitDone, "configuration warn", "t***@b.example"},
		{"a folder that is a file", "2024-09-26", func(d *desk) { d.env["DUBAN_MAIL_DIR"] = d.file("block", "") }, exitFailed, "folders fail", "not a folder"},
		{"a folder below a file", "2024-09-26", func(d *desk) { d.env["DUBAN_MAIL_DIR"] = filepath.Join(d.file("block", ""), "letters") }, exitFailed, "folders fail", "not a folder"},
		{"a unit without an address", "2024-09-26", func(d *desk) {
			d.change("UPDATE contacts SET email = 'wang at csj' WHERE email = 'wang@csj.example'")
		}, exitDone, "contacts warn", "市城市管理局"},
		{"a bad address", "2024-09-26", func(d *desk) {
			d.change("INSERT INTO troubles (address, hard, soft, since, last_at, reply) VALUES ('wang@csj.example', 1, 0, '2024-09-01 00:00:00.000', '2024-09-01 00:00:00.000', '550 5.1.1 no wang@csj.example')")
		}, exitDone, "contacts warn", "w***@csj.example"},
		{"nothing ever ran", "2024-09-26", full, exitDone, "ledger warn", "nothing ever ran"},
		{"all that was due ran", "2024-09-26", func(d *desk) { d.ok("run", "all") }, exitDone, "ledger ok", "every slot that was due is settled"},
		{"late within the grace", "2024-09-26", func(d *desk) { d.ok("run", "all"); d.on("2024-09-27") }, exitDone, "ledger warn",
			"late: all jobs: 2024-09-27 due and without a record\nduban run all --jurisdiction town, or"},
		{"a night and a morning", "2024-09-26", func(d *desk) { d.ok("run", "all"); d.on("2024-09-28") }, exitFailed, "ledger fail",
			"all jobs: 2024-09-27 due and without a record\nduban run all --jurisdiction town\n"},
		{"days without a record", "2024-09-26", func(d *desk) { d.ok("run", "all"); d.on("2024-10-01") }, exitFailed, "ledger fail",
			"all jobs: 2024-09-27 to 2024-09-30 (4 days) due and without a record"},
		{"a shorter grace", "2024-09-26", func(d *desk) {
			d.ok("run", "all")
			d.on("2024-09-27")
			d.env["DUBAN_SCHEDULE_GRACE"] = "8h"
		}, exitFailed, "ledger fail", "open, monthly-close, quarterly-close: 2024-09-27 due"},
		{"a hole that later days left", "2024-09-26", func(d *desk) {
			d.ok("run", "all")
			d.change("DELETE FROM runs")
			d.ok("run", "all")
			d.ok("run", "all", "--date", "2024-09-20")
			d.change("DELETE FROM runs WHERE logical_date = '2024-09-23'")
		}, exitFailed, "ledger fail", "duban backfill all --jurisdiction town --from 2024-09-21 --to 2024-09-25"},
		{"a failed slot", "2024-09-26", func(d *desk) {
			d.ok("run", "all")
			d.change("UPDATE runs SET state = 'failed' WHERE job = 'remind'")
			d.on("2024-09-27")
			d.now = d.now.Add(-35 * time.Minute)
		}, exitDone, "ledger warn", "late: open, monthly-close"},
		{"a slot that its worker gave up", "2024-09-26", func(d *desk) {
			d.ok("run", "all")
			d.change("UPDATE runs SET state = 'running', lease = '2024-09-26 00:00:00.000' WHERE job = 'escalate'")
			d.on("2024-09-27")
			d.now = d.now.Add(time.Hour)
		}, exitFailed, "ledger fail", "escalate: 2024-09-26 begun and given up by its worker\nduban run escalate --jurisdiction town\n"},
		{"a slot that a worker has", "2024-09-26", func(d *desk) {
			d.ok("run", "all")
			d.change("UPDATE runs SET state = 'running', lease = '2099-01-01 00:00:00.000' WHERE job = 'escalate'")
			d.now = d.now.Add(time.Hour)
		}, exitDone, "ledger ok", "every slot"},
		{"nobody hears of it", "2024-09-26", full, exitDone, "operations warn", "nobody gets the daily operations letter"},
		{"somebody does", "2024-09-26", func(d *desk) { d.env["DUBAN_OPS_MAIL_TO"] = "ops@sfj.example,on-call@sfj.example" }, exitDone, "operations ok", "2 addresses"},
		{"pages for everybody", "2024-09-26", func(d *desk) { d.env["DUBAN_OPS_LISTEN"] = "0.0.0.0:9464" }, exitDone, "operations warn", "0.0.0.0:9464 can be reached"},
		{"no pages", "2024-09-26", func(d *desk) { d.env["DUBAN_OPS_LISTEN"] = "off" }, exitDone, "operations warn", "ops.listen is off"},
		{"paused", "2024-09-26", func(d *desk) { d.ok("pause", "--by", "周科", "--why", "核对") }, exitDone, "letters warn", "PAUSED"},
		{"a letter of unknown fate", "2024-09-26", func(d *desk) { d.ok("run", "all"); d.change("UPDATE notices SET state = 'unknown'") }, exitDone, "letters warn", "nobody knows"},
		{"a letter that failed", "2024-09-26", func(d *desk) { d.ok("run", "all"); d.change("UPDATE notices SET state = 'failed'") }, exitDone, "letters warn", "refused for good"},
		{"a brake", "2024-09-26", func(d *desk) {
			d.change("INSERT INTO brakes (scope, failures, since, closed_until, reason, seen_by) VALUES ('account:x/y', 3, '2024-09-01 00:00:00.000', '2099-01-01 00:00:00.000', '421', 'w')")
		}, exitDone, "brakes warn", "3 failures"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := town(t, c.day)
			c.with(d)
			if c.check == "" { // the configuration is refused as a whole
				if got := fmt.Sprint(d.diagnosis(c.code)); !strings.Contains(got, c.say) {
					t.Error(got)
				}
				return
			}
			got := d.diagnosis(c.code)
			if !strings.Contains(got[c.check], c.say) {
				t.Errorf("%q is not under %q:\n%v", c.say, c.check, got)
			}
			for k := range got {
				if strings.HasSuffix(k, " fail") && k != c.check {
					t.Errorf("%s: %s", k, got[k])
				}
			}
		})
	}
}

func TestDoctorForPeople(t *testing.T) {
	d := town(t, "2024-09-26")
	out := d.ok("doctor")
	for _, must := range []string{"ok    configuration  ", "ok    database       sqlite 3.", "ok    templates      town: ", " 0 failed\n"} {
		if !strings.Contains(out, must) {
			t.Errorf("%q is not in\n%s", must, out)
		}
	}
	d.env["DUBAN_MAIL_TRANSPORT"] = "pigeon"
	code, out, errOut := d.call("", "doctor")
	if code != exitFailed || !strings.HasPrefix(out, "FAIL  configuration  ") || !strings.Contains(out, "nothing else") || !strings.Contains(errOut, "2 of 2") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
}

func TestDoctorOnADatabaseServer(t *testing.T) {
	d := newDesk(t, "2024-09-26")
	d.env["DUBAN_DATABASE_DSN"] = urlOf(storetest.Engines(t)[1].DSN(t))
	if got := d.diagnosis(exitFailed); !strings.Contains(got["database fail"], "duban migrate") || got["templates ok"] == "" {
		t.Errorf("%v", got)
	}
	d.ok("migrate")
	for _, c := range []struct {
		off  time.Duration
		code int
		want string
	}{{0, exitDone, "clock ok"}, {4 * time.Minute, exitDone, "clock ok"}, {6 * time.Minute, exitFailed, "clock fail"}, {-6 * time.Minute, exitFailed, "clock fail"}} {
		d.machine = func() time.Time { return time.Now().Add(c.off) }
		if got := d.diagnosis(c.code); !strings.Contains(got[c.want], "the database's") || !strings.Contains(got["database ok"], "a write took") {
			t.Errorf("%s: %v", c.off, got)
		}
	}
	d.env["DUBAN_DATABASE_DSN"] = "mysql://root@127.0.0.1:1/nothing"
	if got := d.diagnosis(exitFailed); got["database fail"] == "" || got["templates ok"] == "" || got["mail server ok"] == "" || got["clock warn"] == "" {
		t.Errorf("%v", got)
	}
}

func TestACheckThatPanicsHidesNoOther(t *testing.T) {
	d := &doctor{codes: []string{"a", "b", "c"}}
	got := d.each(func(code string) []finding {
		if code == "b" {
			panic("nil map")
		}
		return []finding{good("well")}
	})
	if len(got) != 2 || got[0].Found != "a, c: well" || got[1].State != failing || !strings.Contains(got[1].Found, "b: panic: nil map") {
		t.Errorf("%+v", got)
	}
}

func TestMailTest(t *testing.T) {
	id := identity(t, 100*24*time.Hour)
	big := strings.Repeat("0123456789", 5000)
	for _, c := range []struct {
		name   string
		server func(*mailtest.Config)
		with   map[string]string
		args   string
		code   int
		say    []string
		never  []string
		to     string
		has    string
	}{
		{"ok", nil, nil, "--to a@b.example", exitDone, []string{"accepted", "250", "TLS 1.3", "phase       answer"}, []string{"WITHOUT"}, "a@b.example", ""},
		{"with a file", nil, nil, "--to a@b.example --attach FILE", exitDone, []string{"accepted"}, []string{"WITHOUT"}, "a@b.example", "filename*"},
		{"too large for us", nil, map[string]string{"SMTP_MAX_SIZE": "20000"}, "--to a@b.example --attach FILE", exitDone, []string{"accepted", "WITHOUT its attachment"}, nil, "a@b.example", ""},
		{"too large for the server", func(c *mailtest.Config) { c.Size = 20000 }, nil, "--to a@b.example --attach FILE", exitDone, []string{"accepted", "WITHOUT its attachment"}, nil, "a@b.example", ""},
		{"redirected", nil, map[string]string{"REDIRECT_TO": "trial@b.example"}, "--to a@b.example", exitDone, []string{"to          trial@b.example (mail.redirect_to holds)"}, nil, "trial@b.example", ""},
		{"pinned", nil, map[string]string{"SMTP_FINGERPRINT": id.Fingerprint, "SMTP_CA_FILE": ""}, "--to a@b.example", exitDone, []string{"by its fingerprint"}, []string{"in clear"}, "a@b.example", ""},
		{"in clear", func(c *mailtest.Config) { c.TLS, c.StartTLS, c.AuthInClear = nil, false, true },
			map[string]string{"SMTP_TLS": "none", "SMTP_CA_FILE": "", "SMTP_ALLOW_PLAIN_AUTH": "127.0.0.1"}, "--to a@b.example", exitDone, []string{"went in clear"}, []string{"TLS 1"}, "a@b.example", ""},
		{"refused", func(c *mailtest.Config) {
			c.Faults = []mailtest.Fault{{Phase: mailtest.AtRcpt, Action: mailtest.Refusal(550, "5.1.1 no such user")}}
		}, nil, "--to a@b.example", exitFailed, []string{"outcome     permanent", "phase       recipient", "550 5.1.1 no such user"}, nil, "", ""},
		{"not for now", func(c *mailtest.Config) {
			c.Faults = []mailtest.Fault{{Phase: mailtest.AtDot, Action: mailtest.Refusal(451, "4.3.0 later")}}
		}, nil, "--to a@b.example", exitFailed, []string{"temporary", "451"}, nil, "", ""},
		{"lost after the dot", func(c *mailtest.Config) {
			c.Faults = []mailtest.Fault{{Phase: mailtest.AtDot, Action: mailtest.DropBeforeAccept()}}
		}, nil, "--to a@b.example", exitFailed, []string{"unknown", "answer"}, nil, "", ""},
		{"refused login", nil, map[string]string{"SMTP_PASSWORD": "wrong-one"}, "--to a@b.example", exitFailed, []string{"login", "535"}, []string{"wrong-one"}, "", ""},
		{"untrusted", func(c *mailtest.Config) { c.TLS = identity(t, time.Hour).Server() }, nil, "--to a@b.example", exitFailed, []string{"phase       tls"}, []string{"TLS 1.3"}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, "2024-09-28") // a Saturday, outside every window
			s := server(t, id, c.server)
			d.relay(s, id, c.with)
			args := strings.Fields(strings.ReplaceAll(c.args, "FILE", d.file("反馈表.xlsx", big)))
			code, out, errOut := d.call("", append([]string{"mail", "test"}, args...)...)
			if code != c.code {
				t.Fatalf("exit %d, want %d\n%s%s", code, c.code, out, errOut)
			}
			for _, word := range c.say {
				if !strings.Contains(out, word) {
					t.Errorf("%q is not said:\n%s", word, out)
				}
			}
			for _, word := range append(c.never, "secret") {
				if strings.Contains(out+errOut, word) {
					t.Errorf("%q is said:\n%s%s", word, out, errOut)
				}
			}
			mails := s.Accepted()
			if c.to == "" {
				if len(mails) != 0 {
					t.Errorf("%d mails were taken", len(mails))
				}
				return
			}
			if len(mails) != 1 || strings.Join(mails[0].To, " ") != c.to || !strings.Contains(string(mails[0].Data), c.has) {
				t.Fatalf("%d mails: %+v", len(mails), mails)
			}
			if left := strings.Contains(out, "WITHOUT"); left == strings.Contains(string(mails[0].Data), "filename*") && strings.Contains(c.args, "FILE") {
				t.Errorf("that the attachment was left out is said: %t", left)
			}
			if !strings.Contains(out, fmt.Sprintf("bytes       %d\n", len(mails[0].Data))) {
				t.Errorf("%d bytes arrived:\n%s", len(mails[0].Data), out)
			}
			if _, err := os.Stat(filepath.Join(d.dir, "duban.db")); err == nil {
				t.Error("a register was made")
			}
			if _, err := os.Stat(filepath.Join(d.dir, "archive")); err == nil {
				t.Error("something was archived")
			}
		})
	}
}

func TestMailTestWithTheFileTransport(t *testing.T) {
	d := newDesk(t, "2024-09-28")
	out := d.ok("mail", "test", "--to", "a@b.example")
	letters := d.letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters\n%s", len(letters), out)
	}
	for name, text := range letters {
		if !strings.Contains(out, "written: "+d.env["DUBAN_MAIL_DIR"]+name) || !strings.Contains(text, "To: a@b.example") {
			t.Errorf("%s\n%s", out, text)
		}
	}
	if o := d.objects("mail", "test", "--to", "a@b.example")[0]; o.text("outcome", "to", "tls") != "accepted a@b.example " || len(d.letters()) != 2 {
		t.Errorf("%v", o)
	}
	for _, c := range []struct{ args, hint string }{
		{"mail test", "to"}, {"mail test --to nobody", "nobody"}, {"mail test --to a@b.example --attach nothing", "nothing"},
		{"mail test --to a@b.example --attach " + d.dir, "not a file"}, {"mail tset", "test"},
	} {
		d.fails(exitUsage, strings.Fields(c.args), c.hint)
	}
	d.env["DUBAN_MAIL_DIR"] = d.file("block", "")
	code, out, errOut := d.call("", "mail", "test", "--to", "a@b.example")
	if code != exitFailed || !strings.Contains(out, "temporary") || !strings.Contains(errOut, "not accepted") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
}
