package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify"
	"duban/store"
)

// health is how a check came out.
type health string

const (
	healthy health = "ok"
	warned  health = "warn" // it works and should not stay so, or a person should look
	failing health = "fail" // FAIL, to people
)

// finding is one line of `doctor`.
type finding struct {
	Check string `json:"check"`
	State health `json:"state"`
	Found string `json:"found"`
	Do    string `json:"do,omitempty"` // what to do about it
}

func good(format string, args ...any) finding {
	return finding{State: healthy, Found: fmt.Sprintf(format, args...)}
}

func warn(do, format string, args ...any) finding {
	return finding{State: warned, Found: fmt.Sprintf(format, args...), Do: do}
}

func fail(do, format string, args ...any) finding {
	return finding{State: failing, Found: fmt.Sprintf(format, args...), Do: do}
}

// doctor looks at everything that letters depend on. It writes nothing but one row of its own.
type doctor struct {
	*app
	to, code string
	store    *store.Store // nil: it could not be opened
	codes    []string     // of the jurisdictions looked at; "" alone: the top-level settings
	known    []task.Jurisdiction
	counts   map[health]int
	err      error // of the output
}

func (a *app) doctorCmd() *cobra.Command {
	d := &doctor{app: a, counts: map[health]int{}}
	c := &cobra.Command{
		Use: "doctor", Short: "Check configuration, database, dates, templates, mail server and contacts",
		Long: `Check what letters depend on and print a line for each finding: ok, warn or FAIL, what was found, and what to do. The
mail server of every account is asked for all that a letter needs, up to the recipient where --to names one; no letter is
sent. A slot that was due longer ago than schedule.grace and is not settled FAILs, with the command that settles it.
Exit 0 where nothing FAILs, else 1: cron or a monitor may call it, with --quiet, which prints no line that is ok.`,
		Example: "  duban doctor --to admin@sfj.example.com\n  duban doctor --output json --quiet",
		RunE:    func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	c.Flags().StringVar(&d.to, "to", "", "an address the mail server is asked for; it gets no letter")
	c.Flags().StringVar(&d.code, "jurisdiction", "", "one jurisdiction; default all")
	return c
}

func (d *doctor) run(ctx context.Context) error {
	d.check("configuration", d.configuration)
	if d.policies == nil {
		d.say("the rest", fail("", "nothing else can be checked without the configuration"))
		return d.end()
	}
	if err := d.noDatabase(d.cfg.Database.DSN); err != nil {
		return err
	}
	d.check("database", func() []finding { return d.database(ctx) })
	if err := d.choose(ctx); err != nil {
		return err
	}
	d.check("clock", func() []finding { return d.clock(ctx) })
	d.check("schedule", d.schedule)
	if d.store != nil {
		d.check("ledger", func() []finding { return d.ledger(ctx) })
		d.check("versions", func() []finding { return d.versions(ctx) })
	}
	d.check("operations", d.operations)
	d.check("calendar", func() []finding { return d.each(d.calendar) })
	d.check("templates", func() []finding { return d.each(d.templates) })
	d.check("sender", func() []finding { return d.each(d.sender) })
	d.check("folders", d.folders)
	d.check("mail server", func() []finding { return d.servers(ctx) })
	if d.store != nil {
		d.check("contacts", func() []finding { return d.contacts(ctx) })
		d.check("letters", func() []finding { return d.letters(ctx) })
		d.check("brakes", func() []finding { return d.brakes(ctx) })
		d.check("archive", func() []finding { return d.archiveCheck(ctx) })
	}
	return d.end()
}

// check runs one check. A panic of it is a finding, and keeps no other from being run.
func (d *doctor) check(name string, f func() []finding) {
	for _, one := range contained(f) {
		d.say(name, one)
	}
}

func contained(f func() []finding) (out []finding) {
	defer func() {
		if p := recover(); p != nil {
			out = append(out, fail("report this as a fault of the program", "panic: %v", p))
		}
	}()
	return f()
}

// say prints a finding. Addresses are masked: what doctor says is copied into tickets.
func (d *doctor) say(check string, f finding) {
	d.counts[f.State]++
	f.Check, f.Found, f.Do = check, notify.MaskAll(oneLine(f.Found)), notify.MaskAll(oneLine(f.Do))
	if d.asJSON() {
		d.err = errors.Join(d.err, d.json(f))
		return
	}
	if d.flags.quiet && f.State == healthy { // cron mails what is printed
		return
	}
	state := string(f.State)
	if f.State == failing {
		state = "FAIL"
	}
	line := fmt.Sprintf("%-4s  %-13s  %s", state, f.Check, f.Found)
	if f.Do != "" {
		line += " → " + f.Do
	}
	fmt.Fprintln(d.out, d.hints(line))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (d *doctor) end() error {
	d.app.say("%d ok, %d to look at, %d failed", d.counts[healthy], d.counts[warned], d.counts[failing])
	if n := d.counts[failing]; n > 0 {
		d.err = errors.Join(d.err, fmt.Errorf("doctor: %d of %d findings failed", n, n+d.counts[warned]+d.counts[healthy]))
	}
	return d.err
}

// choose settles which jurisdictions are looked at: those of the register and of the configuration.
func (d *doctor) choose(ctx context.Context) error {
	codes := map[string]bool{}
	for code := range d.cfg.Jurisdictions {
		codes[code] = true
	}
	if d.store != nil {
		all, err := d.store.Jurisdictions(ctx)
		if err != nil {
			d.say("database", fail("", "%v", err))
			d.store = nil
		}
		for _, j := range all {
			codes[j.Code] = true
			if d.code == "" || d.code == j.Code {
				d.known = append(d.known, j)
			}
		}
	}
	switch {
	case d.code != "" && d.store != nil && !codes[d.code]:
		return usagef("there is no jurisdiction %q; `duban status` lists them", d.code)
	case d.code != "":
		d.codes = []string{d.code}
	case len(codes) == 0:
		d.codes = []string{""}
	default:
		d.codes = slices.Sorted(maps.Keys(codes))
	}
	return nil
}

// each runs a check for every jurisdiction and says once what holds for several.
func (d *doctor) each(f func(code string) []finding) []finding {
	var order []finding
	of := map[finding][]string{}
	for _, code := range d.codes {
		for _, one := range contained(func() []finding { return f(code) }) {
			if of[one] == nil {
				order = append(order, one)
			}
			of[one] = append(of[one], code)
		}
	}
	for i, one := range order {
		if list := of[one]; list[0] != "" {
			order[i].Found = few(list) + ": " + one.Found
		}
	}
	return order
}

// few names the first of a list.
func few(list []string) string {
	const most = 6
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

func (d *doctor) configuration() []finding {
	if err := d.load(); err != nil {
		var out []finding
		for line := range strings.Lines(strings.TrimPrefix(err.Error(), "load config: ")) {
			out = append(out, fail("", "%s", line))
		}
		return out
	}
	out := []finding{good("%s, transport %s", cmp.Or(d.flags.config, "no file, the defaults hold"), d.cfg.Mail.Transport)}
	for _, name := range d.strayVariables() {
		out = append(out, warn("mend its name or take it away; `duban config sample` shows the keys", "the variable %s overrides no key", name))
	}
	if to := d.cfg.Mail.RedirectTo; to != "" {
		out = append(out, warn("take mail.redirect_to out when the trial is over", "a trial run: every letter goes to %s", to))
	}
	return out
}

func (d *doctor) database(ctx context.Context) []finding {
	s, err := d.openDB(ctx, d.cfg.Database.DSN)
	if err != nil {
		return []finding{fail(d.mendOr(err, "check database.dsn, the password and that the server runs"), "%v", err)}
	}
	d.store = s
	e, err := s.Engine(ctx)
	if err != nil {
		return []finding{fail("", "%v", err)}
	}
	var out []finding
	begun := time.Now()
	switch err := s.SetMeta(ctx, "doctor", d.machineNow().UTC().Format(time.RFC3339)); {
	case err != nil && e.ReadOnly:
		out = append(out, fail("name the server that takes writes in database.dsn", "%s %s is read-only: %v", s.Dialect(), e.Version, err))
	case err != nil:
		out = append(out, fail(d.mendOr(err, "look at the rights of its user and at the space on its disk"), "%s %s cannot be written: %v", s.Dialect(), e.Version, err))
	default:
		out = append(out, good("%s %s, tables up to date, a write took %s", s.Dialect(), e.Version, time.Since(begun).Round(time.Millisecond)))
	}
	if e.Flush != 1 {
		out = append(out, warn("set innodb_flush_log_at_trx_commit = 1", "a power cut may lose the last second of receipts, and letters be sent twice: innodb_flush_log_at_trx_commit is %d", e.Flush))
	}
	return out
}

// clock compares the machine's clock with the database's and with the last run's.
func (d *doctor) clock(ctx context.Context) []finding {
	if d.store == nil {
		return []finding{warn("", "not checked: there is no database to compare with")}
	}
	c, err := d.readClocks(ctx, d.store)
	if err != nil {
		return []finding{fail("", "%v", err)}
	}
	var out []finding
	local := c.now.In(c.zone).Format("2006-01-02 15:04:05 -0700")
	switch {
	case d.store.Dialect() == "sqlite":
		out = append(out, good("%s; the embedded database has this machine's clock", local))
	case c.off.Abs() > run.ClockOff:
		out = append(out, fail("set the clocks right, best by NTP", "%s, %s", local, run.Apart(c.off.Round(time.Second))))
	default:
		out = append(out, good("%s, %s", local, run.Apart(c.off.Round(time.Millisecond))))
	}
	switch err := c.doubt(); {
	case err != nil:
		out = append(out, fail("until then nothing is planned or sent", "%v", err))
	case c.last.IsZero():
		out = append(out, good("no run yet"))
	default:
		out = append(out, good("the last run was started %s", c.last.In(c.zone).Format("2006-01-02 15:04:05")))
	}
	return out
}

// rarely is how far apart runs may lie before their date needs a person's word.
const rarely = 15 * 24 * time.Hour

func (d *doctor) schedule() []finding {
	var out []finding
	now := d.present()
	for _, spec := range [][2]string{
		{"open", d.cfg.Schedule.Open}, {"monthly_close", d.cfg.Schedule.MonthlyClose}, {"quarterly_close", d.cfg.Schedule.QuarterlyClose},
		{"personnel", d.cfg.Schedule.Personnel}, {"remind", d.cfg.Schedule.Remind}, {"escalate", d.cfg.Schedule.Escalate}, {"health", d.cfg.Schedule.Health},
		{"heartbeat", d.cfg.Schedule.Heartbeat},
	} {
		name, text := spec[0], spec[1]
		if text == "" && name == "heartbeat" {
			out = append(out, fail("set schedule.heartbeat, for example \"* * * * *\"", "heartbeat is empty: the worker would never wake"))
			continue
		}
		if text == "" {
			out = append(out, warn("set schedule."+name+", unless it is run by hand", "%s is empty: the clock never starts it", name))
			continue
		}
		sched, err := parseSpec(text)
		if err != nil {
			out = append(out, fail("write five fields that meet: minute hour day-of-month month day-of-week", "%s %q: %v", name, text, err))
			continue
		}
		next := sched.Next(now)
		if after := sched.Next(next); after.Sub(next) > rarely || next.Sub(now) > rarely {
			out = append(out, warn("let it run daily: what is not due costs nothing", "%s %q comes so rarely (next %s, then %s) that each run's date would be doubted",
				name, text, next.Format(time.DateOnly), after.Format(time.DateOnly)))
			continue
		}
		out = append(out, good("%s %q, next %s", name, text, next.Format("2006-01-02 15:04")))
	}
	return out
}

// present is the present in the zone of the top level.
func (d *doctor) present() time.Time { return d.app.clock().In(d.policies.zone("")) }

func (d *doctor) calendar(code string) []finding {
	cal, err := d.policies.calendar(code)
	if err != nil {
		return []finding{fail("mend the file; see calendar.overrides", "%v", err)}
	}
	today := d.today(code)
	year := today.Year()
	const give = giveHolidays
	next := civil.Of(year+1, time.January, 1)
	switch {
	case !cal.Published(today):
		return []finding{fail(give, "the holidays of %d are not known: letters would leave on days off and count wrongly", year)}
	case cal.Published(next):
		return []finding{good("holidays known for %d and %d", year, year+1)}
	case today.Month() >= autumn:
		return []finding{warn(give, "holidays known for %d; those of %d are not: its weekdays count as workdays and letters say 暂定", year, year+1)}
	}
	return []finding{good("holidays known for %d; those of %d are published in the autumn", year, year+1)}
}

// folders checks where letters and their copies are written.
func (d *doctor) folders() []finding {
	var out []finding
	m := d.cfg.Mail
	dirs := [][2]string{{"mail.archive_dir", m.ArchiveDir}}
	if m.Transport == "file" {
		dirs = [][2]string{{"mail.dir", m.Dir}}
	}
	if path, ok := strings.CutPrefix(d.cfg.Database.DSN, "sqlite:"); ok && path != ":memory:" {
		dirs = append(dirs, [2]string{"database.dsn", filepath.Dir(path)})
	}
	for _, dir := range dirs {
		if dir[1] == "" {
			out = append(out, warn("set mail.archive_dir", "no copy is kept of what leaves: %s is empty", dir[0]))
			continue
		}
		out = append(out, folder(dir[0], dir[1]))
	}
	return out
}

// scarce and short are bytes left on a disk: a letter is some 20 KB.
const (
	scarce = 1 << 30
	short  = 50 << 20
)

// folder tries to write into a folder, or where it would be made.
func folder(key, dir string) finding {
	at := dir
	for {
		if info, err := os.Stat(at); err == nil && !info.IsDir() {
			return fail("name a folder in "+key, "%s %s: %s is not a folder", key, dir, at)
		} else if err == nil {
			break
		}
		up := filepath.Dir(at)
		if up == at {
			break
		}
		at = up
	}
	f, err := os.CreateTemp(at, ".doctor-*")
	if err == nil {
		_, err = f.WriteString("duban doctor")
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return fail("give the program the right to write there, or name another folder in "+key, "%s %s cannot be written: %v", key, dir, err)
	}
	left, known := space(at)
	size := fmt.Sprintf("%.1f GB free", float64(left)/(1<<30))
	switch {
	case !known:
		return good("%s %s can be written", key, dir)
	case left < short:
		return fail("make space", "%s %s: the disk is full, %s", key, dir, size)
	case left < scarce:
		return warn("make space", "%s %s can be written, %s", key, dir, size)
	}
	return good("%s %s can be written, %s", key, dir, size)
}
