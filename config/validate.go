package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate checks every value against its rule and against the others. The error joins one Problem for each.
func (c Config) Validate() error {
	v := &validator{c: c}
	v.enumerations(c.fields())
	v.database()
	v.zone("zone", c.Zone)
	v.mail()
	v.account("mail", v.c.Mail)
	v.schedule()
	v.worker()
	v.retention()
	v.ops()
	v.jurisdiction("defaults", c.Defaults)
	for _, code := range slices.Sorted(maps.Keys(c.Jurisdictions)) {
		j := c.Jurisdictions[code]
		v.enumerations(j.fields("jurisdictions." + code))
		v.jurisdiction("jurisdictions."+code, j)
	}
	for _, code := range slices.Sorted(maps.Keys(c.Accounts)) {
		m, prefix := c.MailOf(code), accountPrefix(code)
		v.enumerations(m.accountFields(prefix))
		v.account(prefix, m)
		v.lease(prefix, m)
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

// The worker looks once a minute as a rule, and needs minutes where there is much to plan.
const (
	leastGrace = 10 * time.Minute
	mostGrace  = 24 * time.Hour
)

func (v *validator) schedule() {
	s := v.c.Schedule
	for _, spec := range []keyed{
		{"schedule.open", s.Open}, {"schedule.monthly_close", s.MonthlyClose}, {"schedule.quarterly_close", s.QuarterlyClose},
		{"schedule.personnel", s.Personnel}, {"schedule.remind", s.Remind}, {"schedule.escalate", s.Escalate}, {"schedule.health", s.Health}, {"schedule.heartbeat", s.Heartbeat},
	} {
		v.must(spec.value == "" || len(strings.Fields(spec.value)) == 5 && !strings.Contains(spec.value, "="), spec.key,
			`%q is not a cron spec of five fields (minute hour day month weekday); write for example "0 9 * * *"`, spec.value)
	}
	v.must(s.Grace >= leastGrace && s.Grace <= mostGrace, "schedule.grace", "%s is not allowed; write %s to %s, for example 4h", duration(s.Grace), duration(leastGrace), duration(mostGrace))
}

// retention holds every span to what planning looks back to.
func (v *validator) retention() {
	r := v.c.Retention
	for _, span := range []struct {
		key  string
		days int
	}{{"runs", r.Runs}, {"attempts", r.Attempts}, {"facts", r.Facts}, {"archive", r.Archive}, {"backfills", r.Backfills}} {
		v.must(span.days == 0 || span.days >= LeastRetention && span.days <= longestRetention, "retention."+span.key,
			"%d is out of range; write %d or more, since planning and closing look back over a year and some weeks, or 0 to keep all", span.days, LeastRetention)
	}
}

// longestRetention keeps the day before which something is removed a date that can be.
const longestRetention = 36500

func (v *validator) worker() {
	w := v.c.Worker
	v.must(w.ShutdownTimeout > 0, "worker.shutdown_timeout", "must be longer than nothing; write for example 30s")
	v.lease("mail", v.c.Mail)
}

// ops checks where the worker's pages are, and who gets the operations letter.
func (v *validator) ops() {
	o := v.c.Ops
	v.must(o.Listen == "" || o.Listen == Off || listener(o.Listen), "ops.listen", "%q is no address to listen on; write for example %s, or %s", o.Listen, DefaultListen, Off)
	for i, to := range o.MailTo {
		v.must(address(to), "ops.mail_to", "%q is not one plain address", to)
		v.must(!slices.ContainsFunc(o.MailTo[:i], func(s string) bool { return strings.EqualFold(s, to) }), "ops.mail_to", "%q is there twice; keep one", to)
	}
}

// listener reports whether s is a host and a port; without a host, every address of the machine is meant.
func listener(s string) bool {
	h, port, err := net.SplitHostPort(s)
	_, perr := strconv.ParseUint(port, 10, 16)
	return err == nil && perr == nil && (h == "" || host(h))
}

func (v *validator) jurisdiction(prefix string, j JurisdictionConfig) {
	at := func(key string) string { return prefix + "." + key }
	if j.Zone != "" {
		v.zone(at("zone"), j.Zone)
	}
	v.must(j.ReportDay >= 1 && j.ReportDay <= 31, at("report_day"), "%d is not a day of a month; write 1 to 31", j.ReportDay)
	v.must(j.AcceptAfterWorkdays >= 1 && j.AcceptAfterWorkdays <= 250, at("accept_after_workdays"), "%d is out of range; write 1 to 250", j.AcceptAfterWorkdays)
	v.must(j.WeeklyCap >= 0 && j.WeeklyCap <= 50, at("weekly_cap"), "%d is out of range; write 0 (no limit) to 50", j.WeeklyCap)
	v.must(j.CloseGraceWorkdays >= 0 && j.CloseGraceWorkdays <= 60, at("close_grace_workdays"), "%d is out of range; write 0 to 60", j.CloseGraceWorkdays)
	v.lists(at, j)
	v.must(j.Window.From >= 0 && j.Window.From < j.Window.To && j.Window.To <= 24*60, at("window.to"), "%s is not after window.from (%s); letters could never leave", j.Window.To, j.Window.From)
	for _, word := range []keyed{{at("letter.reminder_word"), j.Letter.ReminderWord}, {at("letter.urging_word"), j.Letter.UrgingWord}} {
		v.must(word.value != "", word.key, "is empty; write for example 工作提示")
		// Both are instruments of the law; a letter of this program must not take their name.
		v.must(!strings.Contains(word.value, "意见书") && !strings.Contains(word.value, "决定书"), word.key, "%q names a statutory instrument; write for example 工作提示", word.value)
	}
	v.must(j.Letter.ContactEmail == "" || address(j.Letter.ContactEmail), at("letter.contact_email"), "%q is not one plain address", j.Letter.ContactEmail)
}

// lists checks the addresses of the digest and the domains that may have people's names.
func (v *validator) lists(at func(string) string, j JurisdictionConfig) {
	for i, to := range j.DigestTo {
		v.must(address(to), at("digest_to"), "%q is not one plain address", to)
		v.must(!slices.ContainsFunc(j.DigestTo[:i], func(s string) bool { return strings.EqualFold(s, to) }), at("digest_to"), "%q is there twice; keep one", to)
	}
	for _, d := range j.NameDomains {
		v.must(host(d) && strings.Contains(d, ".") && !strings.ContainsAny(d, "*:"), at("name_domains"), "%q is not a mail domain; write it without @ and *, as in laoshan.gov.cn", d)
	}
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
