package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a minimal image has no zone files

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/ledger"
	"duban/jobs/register"
	"duban/jobs/task"
	"duban/store"
)

// Exit codes, part of the command line's contract.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2 // wrong usage or configuration
	exitRefused = 3 // input refused, every bad row named
)

// usageError is a mistake in the call or the configuration.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// refusedError is input that was refused whole.
type refusedError struct{ error }

// reserve is memory, in bytes, that is set aside and never touched, and so costs none. Memory is tidied up when as much was left
// to waste as is in use, and this counts as used: a register of a few megabytes would be tidied up after every few megabytes
// otherwise, a thousand times in a year that is gone through, for a fifth of the time.
const reserve = 16 << 20

func runMain() int {
	defer runtime.KeepAlive(make([]byte, reserve))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a reader that goes first ends the command by an error, after what it opened is closed
	a := &app{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, environ: os.Environ, clock: time.Now,
	}
	return a.main(ctx, os.Args[1:])
}

// app is one call of the program: where it reads and writes, and what it has opened.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	environ  func() []string // every variable, as NAME=VALUE; nil: none
	clock    func() time.Time
	machine  func() time.Time // what the date is trusted by; nil: time.Now, whatever day the clock above is set to

	flags struct {
		config, db, output string
		quiet, noColor     bool
	}
	cfg      config.Config
	log      zerolog.Logger
	policies *policies
	posts    posts
	meter    *metrics // of a worker; nil: nothing is counted
	closers  []closer
	// asks says that the command makes no embedded database that is not there; looks, that it writes nothing to one.
	asks, looks bool
	// works says that the command stays and writes time and again: a database that can only be read is of no use to it.
	works bool
	// unwritable is why nothing can be written to the database that was opened; nil: it can be.
	unwritable error
	// typing says that the shell asks for the words that may come next. Only then are they looked up and registered: the library
	// keeps what is registered for as long as the process lives.
	typing bool
}

// closer is a resource that was opened, with its name.
type closer struct {
	name  string
	close func() error
}

// main runs one command line and returns its exit code.
func (a *app) main(ctx context.Context, args []string) int {
	a.typing = len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
	root := a.root()
	root.SetArgs(behindDashes(root, args))
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	err = errors.Join(err, a.close())
	if err == nil {
		a.sayUnwritable()
		return exitDone
	}
	var usage usageError
	var refused refusedError
	var problems ledger.Problems
	switch {
	case errors.Is(err, syscall.EPIPE): // who read the output has seen enough
		return exitFailed
	case errors.As(err, &problems):
		return a.refuse(problems)
	case errors.As(err, &usage):
		fmt.Fprintln(a.err, "duban:", a.hints(err.Error()))
		return exitUsage
	case errors.As(err, &refused):
		fmt.Fprintln(a.err, "duban: refused, nothing was written:", a.hints(err.Error()+a.next(refused.error)))
		return exitRefused
	}
	fmt.Fprintln(a.err, "duban:", a.hints(err.Error()+a.next(err)))
	return exitFailed
}

// refuse names every bad row, one per line; in JSON each is an object on standard output.
func (a *app) refuse(problems ledger.Problems) int {
	count := "1 problem"
	if n := len(problems); n > 1 {
		count = fmt.Sprintf("%d problems", n)
	}
	fmt.Fprintf(a.err, "duban: refused, nothing was written; %s in the file\n", count)
	for _, p := range problems {
		if !a.asJSON() {
			fmt.Fprintln(a.err, p)
		} else if err := a.json(p); err != nil {
			fmt.Fprintln(a.err, "duban:", err)
		}
	}
	return exitRefused
}

// close closes what was opened, the last first.
func (a *app) close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		if err := a.closers[i].close(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", a.closers[i].name, err))
		}
	}
	a.closers = nil
	return errors.Join(errs...)
}

func (a *app) closeLater(name string, f func() error) { a.closers = append(a.closers, closer{name, f}) }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "duban",
		Short: "Deadlines of enforcement improvement: who owes what by when, and the letters that say so",
		Long: `duban (督办) reads a register of enforcement-improvement tasks and units, works out upcoming and missed
deadlines, and writes the reminder letters of a justice bureau.

Try it first:  duban demo
Then see what it holds:  duban status
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 input refused.`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			a.asks = !makesDatabase(c)
			return oneOf("output", cmp.Or(a.flags.output, "nothing"), "table", "json")
		},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.flags.config, "config", "", "configuration file (YAML); without it the embedded defaults hold")
	f.StringVar(&a.flags.db, "db", "", "database, overrides database.dsn: sqlite:PATH or mysql://USER@HOST:3306/NAME")
	f.StringVarP(&a.flags.output, "output", "o", "table", "table, or json (one object per line)")
	f.BoolVar(&a.flags.quiet, "quiet", false, "print results only")
	f.BoolVar(&a.flags.noColor, "no-color", false, "no colours on a terminal")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, c.CommandPath())
	})
	root.AddCommand(
		a.demoCmd(), a.serveCmd(), a.runCmd(), a.runsCmd(), a.previewCmd(), a.backfillCmd(), a.importCmd(), a.unitsCmd(), a.tasksCmd(), a.obligationsCmd(), a.peopleCmd(), a.outboxCmd(), a.exportCmd(),
		a.pauseCmd(), a.resumeCmd(), a.statusCmd(), a.rebuildCmd(), a.migrateCmd(), a.configCmd(), a.versionCmd(), a.parseCmd(), a.workdayCmd(),
		a.doctorCmd(), a.mailCmd(), a.silenceCmd(), a.documentsCmd(), a.explainCmd(), a.periodsCmd(), a.completionCmd(), a.housekeepingCmd(),
	)
	strict(root)
	a.comfort(root)
	return root
}

// strict makes every command without an argument rule of its own refuse arguments, and report misuse as such.
func strict(c *cobra.Command) {
	rule := c.Args
	switch {
	case rule == nil && c.HasSubCommands():
		c.Args = noSuchCommand
		if c.RunE == nil && c.Run == nil {
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	default:
		if rule == nil {
			rule = cobra.NoArgs
		}
		c.Args = func(c *cobra.Command, args []string) error {
			if rule(c, args) != nil {
				return usagef("%s: %s; usage: %s", name(c), given(args), c.UseLine())
			}
			return required(c)
		}
	}
	for _, sub := range c.Commands() {
		strict(sub)
	}
}

func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	c.SuggestionsMinimumDistance = 2
	if s := c.SuggestionsFor(args[0]); len(s) > 0 {
		hint = fmt.Sprintf("did you mean %s? ", strings.Join(s, " or "))
	}
	return usagef("there is no command %q; %s`%s --help` lists them", strings.TrimSpace(name(c)+" "+args[0]), hint, c.CommandPath())
}

// name is the command without the program's name.
func name(c *cobra.Command) string {
	_, rest, _ := strings.Cut(c.CommandPath(), " ")
	return rest
}

// given says which arguments a call came with that were too few or too many.
func given(args []string) string {
	if len(args) == 0 {
		return "an argument is missing"
	}
	return fmt.Sprintf("%q is too little or too much", strings.Join(args, " "))
}

// required refuses a call that leaves out a flag it must give, or gives a blank one. It runs with the arguments' check:
// cobra's own check comes later, and its error could not be told from a failure.
func required(c *cobra.Command) error {
	if err := c.ValidateRequiredFlags(); err != nil {
		return usagef("%s: %w; see `%s --help`", name(c), err, c.CommandPath())
	}
	for _, flag := range []string{"by", "why"} { // who and why stand in the register for good
		if f := c.Flag(flag); f != nil && f.Changed && strings.TrimSpace(f.Value.String()) == "" {
			return usagef("%s: --%s is empty; who and why stand in the register for good", name(c), flag)
		}
	}
	return nil
}

// negative is a number below zero where an argument stands.
var negative = regexp.MustCompile(`^-[0-9]+$`)

// behindDashes lets `workday add DATE -3` say what it means: there -3 is an argument, not a flag.
func behindDashes(root *cobra.Command, args []string) []string {
	c, _, err := root.Find(args)
	if err != nil || c.CommandPath() != "duban workday add" || slices.Contains(args, "--") {
		return args
	}
	var flags, numbers []string
	for _, s := range args {
		if negative.MatchString(s) {
			numbers = append(numbers, s)
		} else {
			flags = append(flags, s)
		}
	}
	if len(numbers) == 0 {
		return args
	}
	return slices.Concat(flags, []string{"--"}, numbers)
}

// oneOf refuses a flag's value that is not one of the words; an empty one is none.
func oneOf(flag, value string, words ...string) error {
	if value == "" || slices.Contains(words, value) {
		return nil
	}
	last := len(words) - 1
	return usagef("--%s %q: want %s or %s", flag, value, strings.Join(words[:last], ", "), words[last])
}

// load reads the configuration and sets up the log.
func (a *app) load() error {
	env := a.env
	if a.flags.db != "" {
		if _, err := config.ParseDSN(a.flags.db); err != nil {
			return usagef("--db: %w", err)
		}
		env = func(k string) (string, bool) {
			if k == "DUBAN_DATABASE_DSN" {
				return a.flags.db, true
			}
			return a.env(k)
		}
	}
	cfg, err := config.Load(a.flags.config, env)
	if err != nil {
		return usageError{err}
	}
	a.cfg = cfg
	a.policies = &policies{cfg: cfg}
	a.log = a.logger()
	for _, name := range a.strayVariables() {
		a.log.Warn().Str("variable", name).Msg("this variable overrides no key; `duban config sample` shows the keys")
	}
	return nil
}

// strayVariables lists the variables that look like overrides of a key, and are none: a slip of the pen in
// DUBAN_MAIL_REDIRECT_TO would send a trial's letters to the units.
func (a *app) strayVariables() []string {
	if a.environ == nil {
		return nil
	}
	known := a.cfg.SecretVariables()
	sections := []string{"DUBAN_JURISDICTIONS_"}
	for _, s := range a.cfg.Settings() {
		known = append(known, s.Variable)
		if section, _, below := strings.Cut(s.Key, "."); below {
			sections = append(sections, "DUBAN_"+strings.ToUpper(section)+"_")
		}
	}
	var stray []string
	for _, v := range a.environ() {
		name, value, _ := strings.Cut(v, "=")
		if value != "" && !slices.Contains(known, name) && slices.ContainsFunc(sections, func(s string) bool { return strings.HasPrefix(name, s) }) {
			stray = append(stray, name)
		}
	}
	slices.Sort(stray)
	return stray
}

// isTerminal reports whether somebody reads along.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// logger writes JSON to standard error, or lines for people where one reads along, or somebody asks for them.
func (a *app) logger() zerolog.Logger {
	var w io.Writer = a.err
	if a.cfg.Log.Format == "console" || !a.cfg.Set("log.format") && isTerminal(a.err) {
		w = zerolog.ConsoleWriter{Out: a.err, NoColor: a.flags.noColor || !isTerminal(a.err), TimeFormat: time.DateTime}
	}
	level, err := zerolog.ParseLevel(a.cfg.Log.Level)
	if err != nil || level == zerolog.NoLevel {
		level = zerolog.InfoLevel
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// open loads the configuration and opens the database, bringing an embedded one up to date. A database of a server is
// migrated only by `duban migrate`.
func (a *app) open(ctx context.Context) (*store.Store, error) {
	if err := a.load(); err != nil {
		return nil, err
	}
	dsn := a.cfg.Database.DSN
	if _, none := missing(dsn); none && a.looks {
		dsn = "sqlite::memory:" // a first look at a file, before there is a database
	}
	return a.openDB(ctx, dsn)
}

func (a *app) openDB(ctx context.Context, dsn string) (*store.Store, error) {
	if err := a.noDatabase(dsn); err != nil {
		return nil, err
	}
	s, err := a.openStore(ctx, dsn)
	if err != nil {
		return nil, err
	}
	have, want, err := s.SchemaVersion(ctx)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if have < want {
		if s.Dialect() != "sqlite" {
			return nil, usagef("open database: its tables are at version %d, this program needs %d; run `duban migrate`", have, want)
		}
		if _, err := s.Migrate(ctx); err != nil {
			return nil, fmt.Errorf("migrate database: %w", err)
		}
		if have > 0 {
			fmt.Fprintf(a.err, "duban: the database was brought from version %d to %d; a program older than this one opens it no more\n", have, want)
		}
	}
	return s, a.adopt(ctx, s)
}

func (a *app) register(s *store.Store) register.Register {
	return register.Register{Store: s, Settings: a.policies.settings, Clock: a.clock}
}

// today is the civil date in the jurisdiction's zone.
func (a *app) today(jurisdiction string) civil.Date {
	p := a.policies
	if p == nil { // no configuration was read
		p = &policies{cfg: config.Default()}
	}
	return civil.In(a.clock(), p.zone(jurisdiction))
}

// jurisdictions returns the one named, or all.
func jurisdictions(ctx context.Context, s *store.Store, code string) ([]task.Jurisdiction, error) {
	if code != "" {
		j, err := s.Jurisdiction(ctx, code)
		if errors.Is(err, task.ErrNotFound) {
			return nil, usagef("there is no jurisdiction %q; `duban status` lists them", code)
		}
		return []task.Jurisdiction{j}, err
	}
	return s.Jurisdictions(ctx)
}

// dateOrNone refuses a flag's value that is no date; an empty one is none.
func (a *app) dateOrNone(flag, value string) error {
	_, err := a.date(flag, value, 0)
	return err
}

// date parses a flag's date; an empty one gives the fallback.
func (a *app) date(flag, value string, fallback civil.Date) (civil.Date, error) {
	if value == "" {
		return fallback, nil
	}
	d, err := a.parseDate(value)
	if err != nil {
		return 0, usagef("--%s %w", flag, err)
	}
	return d, nil
}

// compactDate is a day without hyphens.
var compactDate = regexp.MustCompile(`^[0-9]{8}$`)

// wantDay says which words are a day.
const wantDay = "want a day as 2024-06-25, 20240625, today or yesterday"

// parseDate reads a day as people type it: 2024-06-25, 20240625, or today and yesterday in the top-level zone.
func (a *app) parseDate(value string) (civil.Date, error) {
	text := value
	switch {
	case value == "": // which the package civil takes for no day
		text = "-"
	case value == "today":
		return a.today(""), nil
	case value == "yesterday":
		return a.today("") - 1, nil
	case compactDate.MatchString(value):
		text = value[:4] + "-" + value[4:6] + "-" + value[6:]
	}
	d, err := civil.Parse(text)
	if err != nil {
		return 0, fmt.Errorf("%q: %s", value, wantDay)
	}
	return d, nil
}
