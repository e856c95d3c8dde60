// Package config holds every setting of duban in one value, read from one YAML file and the environment.
//
// A table of fields (fields.go) is the only place that names the keys: reading, environment overrides, the documented
// sample and printing all walk it. Besides cmd this is the only package that reads files or the environment.
package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"duban/jobs/civil"
)

// Config is the whole configuration. Load fills it; its zero value is not usable, Default is.
type Config struct {
	Database      Database
	Log           Log
	Zone          string // IANA name; where a day begins
	Mail          Mail
	Schedule      Schedule
	Calendar      Calendar
	Defaults      JurisdictionConfig
	Jurisdictions map[string]JurisdictionConfig // by code; complete: the defaults are already underneath
	Accounts      map[string]Mail               // by code, of jurisdictions with mail settings of their own; read by MailOf
	Worker        Worker
	Retention     Retention
	Ops           Ops

	name    string            // of the file, for messages; empty where there is none
	origins map[string]origin // where a key's value comes from; absent for a default
	files   map[string][]byte // content of the files the configuration names
}

// Database says where the tables are.
type Database struct {
	DSN          string // without a password, see ParseDSN
	PasswordFile string
	PasswordEnv  string
	Password     Secret // from DUBAN_DATABASE_PASSWORD, PasswordEnv, PasswordFile, or a DSN given by the environment
}

// Log says what is written to standard error, and how.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // json, console
}

// Schedule holds a cron spec of five fields per job; an empty one means the clock never starts the job.
type Schedule struct {
	Open           string
	MonthlyClose   string
	QuarterlyClose string
	Personnel      string
	Remind         string
	Escalate       string
	Health         string
	Heartbeat      string
	Grace          time.Duration // how late the clock may come to a slot of the day
}

// Calendar names the files of calendar overrides that count everywhere.
type Calendar struct {
	Overrides []string
}

// JurisdictionConfig holds what may differ from one jurisdiction to the next.
type JurisdictionConfig struct {
	Zone                string // empty in Defaults: the top-level zone
	CalendarOverrides   []string
	Policy              string // file of the ladder, the issuers, the event rules and the staff rules; empty: what is built in
	ReportDay           int    // of the month after the period
	Confirm             string
	Roll                string
	AcceptAfterWorkdays int
	WeeklyCap           int // of letters to a unit besides that of the week's first workday; 0: no limit
	CloseGraceWorkdays  int
	Ranking             bool
	DigestTo            []string // addresses; empty: the bureau's liaison
	NameDomains         []string // mail domains that letters with people's names may go to
	Window              Window
	Letter              Letter
	LiveFrom            civil.Date // zero: none
}

// Window is the part of a working day in which letters may leave: From ≤ time < To.
type Window struct {
	From, To Clock
}

// Letter holds the words and the sender of a jurisdiction's letters.
type Letter struct {
	ReminderWord   string
	UrgingWord     string
	Issuer         string
	ContactName    string
	ContactPhone   string
	ContactEmail   string
	ContactAddress string
}

// Retention says after how many days `duban housekeeping` removes what nothing needs any more; 0: never.
type Retention struct {
	Runs      int // of the run ledger
	Attempts  int // attempts at settled letters, and moves of them
	Facts     int // what settled letters said
	Archive   int // the files of the archive
	Backfills int
}

// LeastRetention is the fewest days that anything is kept: planning and closing look back over a year and some weeks.
const LeastRetention = 400

// Worker holds the limits of the running worker.
type Worker struct {
	Lease           time.Duration
	ShutdownTimeout time.Duration
}

// Ops holds what people who keep the program running are told by.
type Ops struct {
	// Listen is the address of the worker's health and metrics pages; empty: DefaultListen, Off: none.
	Listen string
	MailTo []string // addresses of the daily operations letter
}

// Where the worker's pages are by default, and the word that switches them off.
const (
	DefaultListen = "127.0.0.1:9464"
	Off           = "off"
)

// Default returns the configuration of an empty file: embedded SQLite, letters into a folder.
func Default() Config {
	return Config{
		Database: Database{DSN: "sqlite:./duban.db"},
		Log:      Log{Level: "info", Format: "json"},
		Zone:     "Asia/Shanghai",
		Mail:     defaultMail(),
		Schedule: Schedule{
			Open: "5 0 * * *", MonthlyClose: "20 0 * * *", QuarterlyClose: "20 0 * * *", Personnel: "40 8 * * *",
			Remind: "0 9 * * *", Escalate: "10 9 * * *", Health: "30 17 * * *", Heartbeat: "* * * * *", Grace: 24 * time.Hour,
		},
		Defaults: JurisdictionConfig{
			ReportDay: 10, Confirm: "auto", Roll: "keep", AcceptAfterWorkdays: 5, WeeklyCap: 2, CloseGraceWorkdays: 3,
			Window: Window{From: 9 * 60, To: 17*60 + 30},
			Letter: Letter{ReminderWord: "工作提示", UrgingWord: "工作提示"},
		},
		Retention: Retention{Runs: 1095, Attempts: 1095, Backfills: 1095},
		Worker:    Worker{Lease: 5 * time.Minute, ShutdownTimeout: 30 * time.Second},
	}
}

// Jurisdiction returns the settings of the jurisdiction: its own laid over the defaults, and the defaults alone for a
// code the configuration does not name. Its Zone is never empty.
func (c Config) Jurisdiction(code string) JurisdictionConfig {
	j, ok := c.Jurisdictions[code]
	if !ok {
		j = c.Defaults
	}
	j.Zone = cmp.Or(j.Zone, c.Zone)
	return j.clone()
}

// clone copies the lists, so that no two jurisdictions share one.
func (j JurisdictionConfig) clone() JurisdictionConfig {
	j.CalendarOverrides = slices.Clone(j.CalendarOverrides)
	j.DigestTo = slices.Clone(j.DigestTo)
	j.NameDomains = slices.Clone(j.NameDomains)
	return j
}

// File is the content of a file the configuration names.
type File struct {
	Path string
	Data []byte
}

// CalendarFiles returns the calendar overrides of the jurisdiction in the order they apply: those that count
// everywhere first.
func (c Config) CalendarFiles(code string) []File {
	var files []File
	for _, path := range slices.Concat(c.Calendar.Overrides, c.Jurisdiction(code).CalendarOverrides) {
		files = append(files, File{Path: path, Data: slices.Clone(c.files[path])})
	}
	return files
}

// PolicyFile returns the policy of the jurisdiction; ok is false where none is named, and what is built in holds.
func (c Config) PolicyFile(code string) (f File, ok bool) {
	path := c.Jurisdiction(code).Policy
	if path == "" {
		return File{}, false
	}
	return File{Path: path, Data: slices.Clone(c.files[path])}, true
}

// rules are the keys of a jurisdiction that its letters are decided by, besides the calendar.
var rules = [...]string{
	"policy", "accept_after_workdays", "report_day", "roll", "live_from", "confirm", "weekly_cap", "close_grace_workdays", "ranking",
}

// Rules reports whether somebody chose any of the rules that the jurisdiction's letters are decided by, in the jurisdiction or
// in defaults, by the file or a variable, rather than leaving all of them at what is built in.
func (c Config) Rules(code string) bool {
	for _, section := range []string{"defaults", "jurisdictions." + code} {
		for _, key := range rules {
			if c.Set(section + "." + key) {
				return true
			}
		}
	}
	return false
}

// WindowSet reports whether somebody chose the jurisdiction's window, in the jurisdiction or in defaults, by the file or
// a variable, rather than leaving it at what is built in.
func (c Config) WindowSet(code string) bool {
	for _, section := range []string{"defaults", "jurisdictions." + code} {
		for _, end := range []string{".window.from", ".window.to"} {
			if _, set := c.origins[section+end]; set {
				return true
			}
		}
	}
	return false
}

// Set reports whether somebody gave the key a value, by the file or a variable, rather than leaving it at its default.
func (c Config) Set(key string) bool {
	_, set := c.origins[key]
	return set
}

// Clock is a time of day in minutes after midnight, up to 24:00.
type Clock int

// ParseClock reads "09:00".
func ParseClock(s string) (Clock, error) {
	if len(s) == 5 && s[2] == ':' {
		h, herr := strconv.ParseUint(s[:2], 10, 8)
		m, merr := strconv.ParseUint(s[3:], 10, 8)
		if c := Clock(h*60 + m); herr == nil && merr == nil && m < 60 && c <= 24*60 {
			return c, nil
		}
	}
	return 0, fmt.Errorf("parse time of day %q: want HH:MM from 00:00 to 24:00", s)
}

// String returns "09:00".
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// Secret is a password. It prints as a word that says so, in every verb and encoding.
type Secret string

const redacted = "[secret]"

// Reveal returns the password itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the password; it is empty where there is none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the password from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the password from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
