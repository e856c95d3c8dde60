package config

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// complete fills the settings whose default follows from another one.
func (c *Config) complete() {
	m := &c.Mail
	if _, domain, ok := strings.Cut(m.FromAddress, "@"); ok {
		m.MessageIDDomain = cmp.Or(m.MessageIDDomain, domain)
	}
	m.SMTP.Hello = cmp.Or(m.SMTP.Hello, m.MessageIDDomain)
}

// Validate checks every value against its rule and against the others. The error joins one Problem for each.
func (c Config) Validate() error {
	v := &validator{c: c}
	v.enumerations(c.fields())
	v.database()
	v.zone("zone", c.Zone)
	v.mail()
	v.smtp()
	v.schedule()
	v.worker()
	v.jurisdiction("defaults", c.Defaults)
	for _, code := range slices.Sorted(maps.Keys(c.Jurisdictions)) {
		j := c.Jurisdictions[code]
		v.enumerations(j.fields("jurisdictions." + code))
		v.jurisdiction("jurisdictions."+code, j)
	}
	return errors.Join(v.problems...)
}

type validator struct {
	c        Config
	problems []error
}

// keyed is a value with the key it is set by.
type keyed struct{ key, value string }

// must records a problem of the key unless ok.
func (v *validator) must(ok bool, key, format string, args ...any) {
	if !ok {
		v.problems = append(v.problems, v.c.problem(key, fmt.Sprintf(format, args...)))
	}
}

// enumerations repeats for a Config made in code what reading checks for one from a file.
func (v *validator) enumerations(fields []field) {
	for _, f := range fields {
		v.must(f.oneOf == nil || slices.Contains(f.oneOf, f.text()), f.path, "%q is not allowed; write %s", f.text(), strings.Join(f.oneOf, " or "))
	}
}

func (v *validator) database() {
	dsn, err := ParseDSN(v.c.Database.DSN)
	v.must(err == nil, "database.dsn", "%v", err)
	v.must(dsn.Password == "", "database.dsn", "holds a password; move it to database.password_file or DUBAN_DATABASE_PASSWORD")
}

func (v *validator) zone(key, name string) {
	_, err := time.LoadLocation(name)
	v.must(err == nil && name != "" && name != "Local", key, "%q is not a time zone; write its IANA name, for example Asia/Shanghai", name)
}

func (v *validator) mail() {
	m := v.c.Mail
	v.must(m.Transport != "file" || m.Dir != "", "mail.dir", "is empty; name the folder letters are written to")
	v.must(address(m.FromAddress), "mail.from_address", "%q is not one plain address; write for example duban@example.gov.cn", m.FromAddress)
	for _, a := range []keyed{{"mail.reply_to", m.ReplyTo}, {"mail.redirect_to", m.RedirectTo}} {
		v.must(a.value == "" || address(a.value), a.key, "%q is not one plain address; write for example duban@example.gov.cn, or leave it empty", a.value)
	}
	v.must(m.MessageIDDomain == "" || host(m.MessageIDDomain), "mail.message_id_domain", "%q is not a domain; write for example example.gov.cn", m.MessageIDDomain)
}

func (v *validator) smtp() {
	s := v.c.Mail.SMTP
	v.must(s.Port >= 0 && s.Port <= 65535, "mail.smtp.port", "%d is not a port; write a number from 1 to 65535, or 0 for the usual one", s.Port)
	v.must(s.ConnectTimeout > 0, "mail.smtp.connect_timeout", "must be longer than nothing; write for example 10s")
	v.must(s.PhaseTimeout > 0, "mail.smtp.phase_timeout", "must be longer than nothing; write for example 1m")
	v.must(s.Hello == "" || host(s.Hello), "mail.smtp.hello", "%q is not a host name; write for example mail.example.gov.cn", s.Hello)
	v.must(s.CAFile == "" || x509.NewCertPool().AppendCertsFromPEM(v.c.files[s.CAFile]), "mail.smtp.ca_file", "%s holds no certificate in PEM form", s.CAFile)
	if v.c.Mail.Transport != "smtp" {
		return
	}
	v.must(s.Host != "", "mail.smtp.host", "is missing; name the mail server, or set mail.transport: file")
	v.must(s.Host == "" || host(s.Host), "mail.smtp.host", "%q is not a host name; the port goes into mail.smtp.port", s.Host)
	v.must(v.c.Mail.FromAddress != placeholderFrom, "mail.from_address", "is still the placeholder; set the address letters come from")
	v.must(s.TLS != "none" || s.AllowPlaintext || loopback(s.Host), "mail.smtp.tls",
		"none sends letters and passwords readable to %s; set starttls or implicit, or accept it with mail.smtp.allow_plaintext: true", s.Host)
	v.must(s.Username == "" || s.Password != "", "mail.smtp.username", "has no password; set DUBAN_MAIL_SMTP_PASSWORD or mail.smtp.password_file")
	v.must(s.Username != "" || s.Password == "", "mail.smtp.username", "is missing although there is a password; set it, or remove the password")
}

func (v *validator) schedule() {
	s := v.c.Schedule
	for _, spec := range []keyed{{"schedule.open", s.Open}, {"schedule.remind", s.Remind}, {"schedule.heartbeat", s.Heartbeat}} {
		v.must(spec.value == "" || len(strings.Fields(spec.value)) == 5 && !strings.Contains(spec.value, "="), spec.key,
			`%q is not a cron spec of five fields (minute hour day month weekday); write for example "0 9 * * *"`, spec.value)
	}
}

func (v *validator) worker() {
	w, phase := v.c.Worker, v.c.Mail.SMTP.PhaseTimeout
	v.must(w.Lease > 2*phase, "worker.lease", "%s must be more than twice mail.smtp.phase_timeout (%s), or a letter could be sent twice", duration(w.Lease), duration(phase))
	v.must(w.ShutdownTimeout > 0, "worker.shutdown_timeout", "must be longer than nothing; write for example 30s")
}

func (v *validator) jurisdiction(prefix string, j JurisdictionConfig) {
	at := func(key string) string { return prefix + "." + key }
	if j.Zone != "" {
		v.zone(at("zone"), j.Zone)
	}
	v.must(j.ReportDay >= 1 && j.ReportDay <= 31, at("report_day"), "%d is not a day of a month; write 1 to 31", j.ReportDay)
	v.must(j.AcceptAfterWorkdays >= 1 && j.AcceptAfterWorkdays <= 250, at("accept_after_workdays"), "%d is out of range; write 1 to 250", j.AcceptAfterWorkdays)
	v.must(j.Window.From >= 0 && j.Window.From < j.Window.To && j.Window.To <= 24*60, at("window.to"), "%s is not after window.from (%s); letters could never leave", j.Window.To, j.Window.From)
	for _, word := range []keyed{{at("letter.reminder_word"), j.Letter.ReminderWord}, {at("letter.urging_word"), j.Letter.UrgingWord}} {
		v.must(word.value != "", word.key, "is empty; write for example 工作提示")
		// Both are instruments of the law; a letter of this program must not take their name.
		v.must(!strings.Contains(word.value, "意见书") && !strings.Contains(word.value, "决定书"), word.key, "%q names a statutory instrument; write for example 工作提示", word.value)
	}
	v.must(j.Letter.ContactEmail == "" || address(j.Letter.ContactEmail), at("letter.contact_email"), "%q is not one plain address", j.Letter.ContactEmail)
}

// address reports whether s is one bare mail address, without a display name.
func address(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && !strings.ContainsAny(s, " \t\r\n\"<>")
}

// host reports whether s can be a host name or an IP address; names in Chinese are allowed.
func host(s string) bool {
	return len(s) <= 253 && !strings.ContainsAny(s, " \t\r\n/@\"'<>()[],;\\") && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".") &&
		(!strings.Contains(s, ":") || strings.Count(s, ":") > 1)
}
