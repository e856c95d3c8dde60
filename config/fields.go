package config

import "strings"

// field is one row of the table of keys: a section (no value) or a setting.
type field struct {
	path  string   // as in mail.smtp.host
	doc   string   // English, shown in the sample; never empty
	value any      // pointer into the Config; nil for a section
	oneOf []string // the values allowed; nil for any
}

// fields is the table of every key of the configuration but those below jurisdictions.
func (c *Config) fields() []field {
	var all []field
	for _, part := range [][]field{
		c.databaseFields(), c.Mail.sharedFields(), c.Mail.accountFields("mail"), c.Mail.effortFields(), c.workFields(),
		{{path: "defaults", doc: "What every jurisdiction has unless it says otherwise below."}},
		c.Defaults.fields("defaults"),
		{{path: "jurisdictions", doc: jurisdictionsDoc}},
	} {
		all = append(all, part...)
	}
	return all
}

const jurisdictionsDoc = "Settings of single jurisdictions, by code, with the keys of defaults. For example\n" +
	"  jurisdictions:\n" +
	"    changji:\n" +
	"      calendar_overrides: [xinjiang-2025.json]\n" +
	"      window:\n" +
	"        from: \"10:30\"\n" +
	"        to: \"19:00\"\n" +
	"      mail:\n" +
	"        from_address: duban@changji.example.gov.cn\n" +
	"        smtp: {username: duban@changji.example.gov.cn, password_env: CHANGJI_PASSWORD}\n" +
	"The code is the one plans and units are imported under. In variables: DUBAN_JURISDICTIONS_CHANGJI_REPORT_DAY, and\n" +
	"DUBAN_JURISDICTIONS_CHANGJI_MAIL_SMTP_PASSWORD for the password of its account.\n" +
	"Below mail stands a sender or a mail account of its own: from_address, from_name, reply_to, message_id_domain, and the keys of\n" +
	"smtp and dkim; what is left out is as in the top-level mail. Another host is another server: port, server_name, fingerprint and\n" +
	"allow_plaintext of the top level do not hold for it; and neither another host nor another username is given the top level's password."

func (c *Config) databaseFields() []field {
	d, l := &c.Database, &c.Log
	return []field{
		{path: "database", doc: "Where tasks, obligations and letters are kept."},
		{path: "database.dsn", value: &d.DSN, doc: "sqlite:PATH, or mysql://USER@HOST:3306/DATABASE, or mysql://USER@/DATABASE?socket=PATH.\n" +
			"MySQL takes ?tls=true|skip-verify|preferred|false; without it preferred to another host, false to this one.\nNo password here."},
		{path: "database.password_file", value: &d.PasswordFile, doc: "File that holds the MySQL password on one line."},
		{path: "database.password_env", value: &d.PasswordEnv, doc: "Name of the variable that holds the MySQL password. DUBAN_DATABASE_PASSWORD needs no entry and wins."},
		{path: "log", doc: "What the worker writes to standard error."},
		{path: "log.level", value: &l.Level, oneOf: []string{"debug", "info", "warn", "error"}, doc: "The least important level written: debug, info, warn or error."},
		{path: "log.format", value: &l.Format, oneOf: []string{"json", "console"}, doc: "json: one object per line, for machines. console: for a terminal. Where nobody chose, a terminal gets console."},
		{path: "zone", value: &c.Zone, doc: "IANA name of the time zone in which days begin and the schedule is read."},
	}
}

func (c *Config) workFields() []field {
	s, w, o := &c.Schedule, &c.Worker, &c.Ops
	return []field{
		{path: "schedule", doc: "When the worker starts its jobs: cron specs of five fields in the jurisdiction's zone. Empty: never by the clock."},
		{path: "schedule.open", value: &s.Open, doc: "Opens the obligations of the day."},
		{path: "schedule.monthly_close", value: &s.MonthlyClose, doc: "Closes the monthly and weekly duties whose grace has passed, and writes their summaries."},
		{path: "schedule.quarterly_close", value: &s.QuarterlyClose, doc: "Closes quarters, half-years and years, and drafts their bulletins."},
		{path: "schedule.personnel", value: &s.Personnel, doc: "Writes the monthly letters on certificates, training hours and legal reviewers."},
		{path: "schedule.remind", value: &s.Remind, doc: "Makes the day's letters. They wait for their jurisdiction's window."},
		{path: "schedule.escalate", value: &s.Escalate, doc: "Writes the bureau's digest of the day."},
		{path: "schedule.health", value: &s.Health, doc: "Writes the daily operations letter to ops.mail_to, on days off too: its absence is the alarm."},
		{path: "schedule.heartbeat", value: &s.Heartbeat, doc: "Looks for work that was missed and for letters that wait."},
		{path: "schedule.grace", value: &s.Grace, doc: "How late the clock may come to the letters of a day, counted from when they were due; 24h: as late as the day lasts.\n" +
			"Later they are recorded as missed, and the next working day's say what is still to be said. Not asked of open and the closes."},
		{path: "calendar", doc: "The State Council's arrangements for 2022 to 2026 are built in."},
		{path: "calendar.overrides", value: &c.Calendar.Overrides, doc: "Files that correct or extend them everywhere, in order: {\"years\": [{\"year\": 2027, \"published\": true,\n" +
			"\"days\": [{\"date\": \"2027-01-01\", \"to\": \"2027-01-03\", \"name\": \"元旦\", \"off\": true}]}]}."},
		{path: "retention", doc: "After how many days `duban housekeeping` removes what no open item and no open period needs: 400 or more, or 0 for never."},
		{path: "retention.runs", value: &c.Retention.Runs, doc: "Days of the run ledger."},
		{path: "retention.attempts", value: &c.Retention.Attempts, doc: "Attempts at settled letters, and what else was done with those. That a reader has a letter stays known."},
		{path: "retention.facts", value: &c.Retention.Facts, doc: "What settled letters said. They are known by date and reader afterwards, and cannot be shown."},
		{path: "retention.archive", value: &c.Retention.Archive, doc: "Files of the archive; the journal of acceptances stays. Never those of formal letters."},
		{path: "retention.backfills", value: &c.Retention.Backfills, doc: "Finished backfills."},
		{path: "worker", doc: "Limits of the running worker."},
		{path: "worker.lease", value: &w.Lease, doc: "How long a worker may hold a letter or a job before another takes over. More than twice mail.smtp.phase_timeout."},
		{path: "worker.shutdown_timeout", value: &w.ShutdownTimeout, doc: "How long a stopping worker may take to finish what it holds."},
		{path: "ops", doc: "For the people who keep the program running."},
		{path: "ops.listen", value: &o.Listen, doc: "Address of the worker's pages /healthz, /readyz and /metrics, as in 127.0.0.1:9464. They have no login: name no address that\n" +
			"others reach. Empty: 127.0.0.1:9464 where that is free. off: none."},
		{path: "ops.mail_to", value: &o.MailTo, doc: "Addresses of the daily operations letter. It leaves outside the window and on days off too. Empty: none is written."},
	}
}

// fields is the table of a jurisdiction's keys below prefix.
func (j *JurisdictionConfig) fields(prefix string) []field {
	l, w := &j.Letter, &j.Window
	rows := []field{
		{path: "zone", value: &j.Zone, doc: "Time zone. Empty: the top-level zone."},
		{path: "calendar_overrides", value: &j.CalendarOverrides, doc: "Files of local holidays, applied after calendar.overrides. A jurisdiction's list replaces that of defaults."},
		{path: "policy", value: &j.Policy, doc: "File that says from which day on which ladder, issuers, event rules and staff rules hold. Empty: those built in."},
		{path: "report_day", value: &j.ReportDay, doc: "Day of the following month on which reports on a period are due where the plan names none; in a shorter month its last day."},
		{path: "confirm", value: &j.Confirm, oneOf: []string{"auto", "required"}, doc: "auto: urging goes out two working days after the date unless the unit reported, was contacted, or asked for more time.\nrequired: it also waits until a person has checked the register, which the bureau's digest asks for the day before."},
		{path: "roll", value: &j.Roll, oneOf: []string{"keep", "previous", "next"}, doc: "What becomes of a plan's date on a day off. keep: it stays. previous, next: the workday before or after it."},
		{path: "accept_after_workdays", value: &j.AcceptAfterWorkdays, doc: "A report the bureau has not answered within so many workdays counts as accepted."},
		{path: "weekly_cap", value: &j.WeeklyCap, doc: "Letters a unit may have in a week besides that of its first working day; more wait for a person. 0: no limit."},
		{path: "close_grace_workdays", value: &j.CloseGraceWorkdays, doc: "A period is closed so many working days after its reports were due."},
		{path: "ranking", value: &j.Ranking, doc: "true: the quarterly bulletins rank the units, ties sharing a place."},
		{path: "digest_to", value: &j.DigestTo, doc: "Addresses that the bureau's digest goes to. Empty: the bureau's liaison as imported."},
		{path: "name_domains", value: &j.NameDomains, doc: "Mail domains that letters with people's names may go to, as in laoshan.gov.cn.\n" +
			"Empty: none; such letters are held, unless mail.transport is file."},
		{path: "window", doc: "The hours in which letters may leave on a working day."},
		{path: "window.from", value: &w.From, doc: "First minute, HH:MM."},
		{path: "window.to", value: &w.To, doc: "First minute after it, HH:MM, up to 24:00."},
		{path: "letter", doc: "Words and sender of the letters."},
		{path: "letter.reminder_word", value: &l.ReminderWord, doc: "What a reminder is called. 提醒函 only where the bureau numbers and seals it."},
		{path: "letter.urging_word", value: &l.UrgingWord, doc: "What an urging is called. 催办函 only where the bureau numbers and seals it."},
		{path: "letter.issuer", value: &l.Issuer, doc: "The office that signs, as in 崂山区司法局. Empty: the jurisdiction's bureau as imported."},
		{path: "letter.contact_name", value: &l.ContactName, doc: "Whom units ask."},
		{path: "letter.contact_phone", value: &l.ContactPhone, doc: "The contact's telephone."},
		{path: "letter.contact_email", value: &l.ContactEmail, doc: "Where units send what they owe."},
		{path: "letter.contact_address", value: &l.ContactAddress, doc: "The contact's office, for paper."},
		{path: "live_from", value: &j.LiveFrom, doc: "YYYY-MM-DD. What fell due before it is listed to the bureau and not chased. Empty: no such day."},
	}
	for i := range rows {
		rows[i].path = prefix + "." + rows[i].path
	}
	return rows
}

// variable returns the environment variable that overrides the key: DUBAN_MAIL_SMTP_HOST for mail.smtp.host.
func variable(path string) string {
	return "DUBAN_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9'):
			return r
		}
		return '_'
	}, path)
}
