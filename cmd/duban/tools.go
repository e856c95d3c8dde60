package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/party"
	"duban/jobs/policy"
	"duban/jobs/workday"
)

// version is set at build time by -ldflags "-X main.version=…".
var version = ""

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the program's version",
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Parser  int    `json:"parser"`
				Go      string `json:"go"`
			}{version, deadline.Version, ""}
			if info, ok := debug.ReadBuildInfo(); ok {
				v.Go = info.GoVersion
				if v.Version == "" {
					v.Version = info.Main.Version
				}
			}
			if a.asJSON() {
				return a.json(v)
			}
			fmt.Fprintf(a.out, "duban %s (deadline parser %d, %s)\n", v.Version, v.Parser, v.Go)
			return nil
		},
	}
}

// longestLine bounds in bytes what is kept of a line of standard input. No cell is as long; what is, is no reading.
const longestLine = 1 << 20

// eachLine calls f for every line of standard input, blank ones too. Of a line that is longer than any cell only the
// beginning is handed on, which cannot be read either: the answers stay in step with the lines.
func (a *app) eachLine(f func(string) error) error {
	in := bufio.NewReader(a.in)
	for n := 0; ; n++ {
		line, err := readLine(in)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read standard input: %w", err)
		}
		if errors.Is(err, io.EOF) && line == "" {
			return nil
		}
		if n == 0 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if ferr := f(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")); ferr != nil || err != nil {
			return ferr
		}
	}
}

// readLine reads up to and including the line's end and keeps at most longestLine bytes of it.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part[:min(len(part), longestLine-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return strings.ToValidUTF8(string(line), "\ufffd"), err
		}
	}
}

func (a *app) parseCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "parse", Short: "Read deadline or unit cells from standard input, one per line",
		Long: "Show how a cell of a ledger is read, without a database: one line in, one reading out.\nWith --output json each line is answered with one object.",
	}
	var issued string
	var trace bool
	d := &cobra.Command{
		Use: "deadline", Short: "Read 完成时限 cells", Example: "  echo 2024年底前，长期坚持 | duban parse deadline --issued 2024-07-08",
		RunE: func(*cobra.Command, []string) error {
			on, err := a.date("issued", issued, 0)
			if err != nil {
				return err
			}
			return a.eachLine(func(s string) error { return a.printReading(deadline.Parse(s, on), trace) })
		},
	}
	d.Flags().StringVar(&issued, "issued", "", "the plan's issue date, from which a missing year is taken")
	d.Flags().BoolVar(&trace, "trace", false, "also say which characters gave which reading")
	u := &cobra.Command{
		Use: "units", Short: "Read 责任单位 cells", Example: "  echo 市司法局牵头，市财政局配合 | duban parse units",
		RunE: func(*cobra.Command, []string) error {
			return a.eachLine(func(s string) error { return a.printParties(party.Parse(s)) })
		},
	}
	c.AddCommand(d, u)
	return c
}

func (a *app) printReading(r deadline.Reading, trace bool) error {
	if !trace {
		r.Trace = nil
	}
	if a.asJSON() {
		return a.json(r)
	}
	fmt.Fprintf(a.out, "%s\t%s\n", r.Text, describe(r))
	for _, s := range r.Trace {
		fmt.Fprintf(a.out, "\t%s → %s\n", s.Text, s.Read)
	}
	return nil
}

func (a *app) printParties(r party.Reading) error {
	if a.asJSON() {
		return a.json(r)
	}
	parts := make([]string, 0, len(r.Parties))
	for _, p := range r.Parties {
		s := p.Name + "(" + string(p.Role)
		if p.Group {
			s += ", group"
		}
		parts = append(parts, s+")")
	}
	line := strings.Join(parts, " ")
	if r.Reason != "" {
		line += "  " + r.Reason
	}
	fmt.Fprintf(a.out, "%s\t%s\n", r.Text, line)
	return nil
}

func (a *app) workdayCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "workday", Short: "Count with the State Council's working-day calendar",
		Long: "Working days with make-up workdays, statutory and local holidays. A year that is not published yet is\nmarked so: its weekdays are only assumed.",
	}
	var code string
	c.PersistentFlags().StringVar(&code, "jurisdiction", "", "with the local holidays of this jurisdiction")
	calendar := func() (*workday.Calendar, error) {
		if err := a.load(); err != nil {
			return nil, err
		}
		return a.policies.calendar(code)
	}
	c.AddCommand(
		&cobra.Command{
			Use: "add DATE N", Short: "The N-th working day after DATE (before it, if N is negative)", Args: cobra.ExactArgs(2),
			RunE: func(_ *cobra.Command, args []string) error { return a.workdayAdd(calendar, args) },
		},
		&cobra.Command{
			Use: "count FROM TO", Short: "Working days after FROM, up to and including TO", Args: cobra.ExactArgs(2),
			RunE: func(_ *cobra.Command, args []string) error { return a.workdayCount(calendar, args) },
		},
		&cobra.Command{
			Use: "list MONTH", Short: "Every day of a month, written 2024-06 or 202406", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return a.workdayList(calendar, args[0]) },
		},
	)
	return c
}

func (a *app) workdayAdd(calendar func() (*workday.Calendar, error), args []string) error {
	d, err := a.parseDate(args[0])
	if err != nil {
		return usagef("workday add: %w", err)
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || d == 0 || n < -10000 || n > 10000 {
		return usagef("workday add %s %s: want a day and a whole number from -10000 to 10000", args[0], args[1])
	}
	cal, err := calendar()
	if err != nil {
		return err
	}
	to := cal.Add(d, n)
	provisional := cal.Provisional(min(d, to), max(d, to))
	if a.asJSON() {
		return a.json(struct {
			From        civil.Date `json:"from"`
			Workdays    int        `json:"workdays"`
			Date        civil.Date `json:"date"`
			Provisional bool       `json:"provisional"`
		}{d, n, to, provisional})
	}
	fmt.Fprintln(a.out, to.String()+provisionally(provisional))
	return nil
}

func provisionally(yes bool) string {
	if yes {
		return "  provisional: the holidays of that year are not published"
	}
	return ""
}

func (a *app) workdayCount(calendar func() (*workday.Calendar, error), args []string) error {
	from, err := a.parseDate(args[0])
	if err != nil {
		return usagef("workday count: %w", err)
	}
	to, err := a.parseDate(args[1])
	if err != nil {
		return usagef("workday count: %w", err)
	}
	cal, err := calendar()
	if err != nil {
		return err
	}
	n, provisional := cal.Count(from, to), cal.Provisional(min(from, to), max(from, to))
	if a.asJSON() {
		return a.json(struct {
			From        civil.Date `json:"from"`
			To          civil.Date `json:"to"`
			Workdays    int        `json:"workdays"`
			Provisional bool       `json:"provisional"`
		}{from, to, n, provisional})
	}
	fmt.Fprintf(a.out, "%d%s\n", n, provisionally(provisional))
	return nil
}

func (a *app) workdayList(calendar func() (*workday.Calendar, error), month string) error {
	first, err := parseMonth(month)
	if err != nil {
		return usagef("workday list %w", err)
	}
	cal, err := calendar()
	if err != nil {
		return err
	}
	var days []workday.Day
	for d := first; d <= civil.MonthEnd(first.Year(), first.Month()); d++ {
		days = append(days, cal.Day(d))
	}
	return list(a, days, []string{"date", "weekday", "workday", "reason", "published"}, func(d workday.Day) []string {
		return []string{d.Date.String(), d.Date.Weekday().String()[:3], yes(d.Workday), strings.TrimSpace(d.Reason + " " + d.Name), yes(d.Published)}
	})
}

// parseMonth reads a month as people type it: 2024-06 or 202406. It returns the first day.
func parseMonth(value string) (civil.Date, error) {
	text := value
	if compactMonth.MatchString(value) {
		text = value[:4] + "-" + value[4:]
	}
	first, err := civil.Parse(text + "-01")
	if err != nil || len(text) != len("2024-06") {
		return 0, fmt.Errorf("%q: want a month as 2024-06 or 202406", value)
	}
	return first, nil
}

// compactMonth is a month without a hyphen.
var compactMonth = regexp.MustCompile(`^[0-9]{6}$`)

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (a *app) configCmd() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Check, print or load the configuration"}
	c.AddCommand(
		a.configLoadCmd(), a.configVersionsCmd(),
		&cobra.Command{
			Use: "check", Short: "Read the configuration and say what is wrong with it",
			RunE: func(*cobra.Command, []string) error {
				if err := a.load(); err != nil {
					return err
				}
				codes := slices.Sorted(maps.Keys(a.cfg.Jurisdictions))
				for _, code := range append(codes, "") { // and those that have the defaults alone
					if _, err := a.policies.settings(code); err != nil {
						return err
					}
				}
				if _, err := schedules(a.cfg); err != nil {
					return err
				}
				if a.asJSON() {
					return a.json(map[string]bool{"good": true})
				}
				a.say("configuration is good")
				return nil
			},
		},
		&cobra.Command{
			Use: "print", Short: "Print what is in force, secrets hidden",
			RunE: func(*cobra.Command, []string) error {
				if err := a.load(); err != nil {
					return err
				}
				fmt.Fprint(a.out, a.cfg.Print())
				return nil
			},
		},
		&cobra.Command{
			Use: "policy-sample", Short: "Print a policy file with every key documented: ladder, issuers, event clocks, staff rules",
			RunE: func(*cobra.Command, []string) error {
				fmt.Fprint(a.out, policy.Sample())
				return nil
			},
		},
		&cobra.Command{
			Use: "sample", Short: "Print a configuration file with every key documented",
			RunE: func(*cobra.Command, []string) error {
				fmt.Fprint(a.out, config.Sample())
				return nil
			},
		},
	)
	return c
}

func (a *app) migrateCmd() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database's tables up to this program's version",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.load(); err != nil {
				return err
			}
			n, err := a.migrate(c.Context())
			if err != nil {
				return err
			}
			if a.asJSON() {
				return a.json(map[string]int{"applied": n})
			}
			a.say("%d migrations applied", n)
			return nil
		},
	}
}
