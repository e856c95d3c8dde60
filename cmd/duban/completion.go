package main

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"duban/config"
	"duban/jobs"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) completionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish", Short: "Print what makes a shell complete duban's commands with the Tab key", Args: cobra.ExactArgs(1),
		Long: `Print a script for the shell that is named. It completes commands and flags, and their values where they are known: jobs,
jurisdictions, plans, units, states, modes, and the IDs of tasks, obligations (part by part), letters and formal letters. It
asks the database that the command would use, where there is one, and changes nothing.

bash (with the package bash-completion), for all users as root, or for oneself:
  duban completion bash > /etc/bash_completion.d/duban
  mkdir -p ~/.local/share/bash-completion/completions
  duban completion bash > ~/.local/share/bash-completion/completions/duban
zsh, into a folder of $fpath, in zsh; ~/.zshrc has to hold "autoload -U compinit; compinit". As root, or into a folder of
one's own that ~/.zshrc adds before that line with "fpath=(~/.zfunc $fpath)":
  duban completion zsh > "${fpath[1]}/_duban"
  mkdir -p ~/.zfunc && duban completion zsh > ~/.zfunc/_duban
fish:
  mkdir -p ~/.config/fish/completions
  duban completion fish > ~/.config/fish/completions/duban.fish

It holds from the next shell on. For the shell at hand alone, in bash (which must have loaded bash-completion) and zsh
(after compinit) "source <(duban completion bash)" or "… zsh"; in fish "duban completion fish | source".`,
		Example:   "  duban completion bash > /etc/bash_completion.d/duban\n  duban completion fish > ~/.config/fish/completions/duban.fish",
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(a.out, true)
			case "zsh":
				return c.Root().GenZshCompletion(a.out)
			case "fish":
				return c.Root().GenFishCompletion(a.out, true)
			}
			return usagef("completion %q: want bash, zsh or fish", args[0])
		},
	}
}

// letterStates are the states of a letter, as `outbox list --state` takes them.
func letterStates() []string {
	var words []string
	for _, s := range []notice.State{
		notice.Pending, notice.Sending, notice.Sent, notice.Retry, notice.Failed, notice.Unknown, notice.Held, notice.Superseded, notice.Cancelled, notice.Recorded,
	} {
		words = append(words, string(s))
	}
	return words
}

// jobNames are the jobs in their order.
func jobNames() []string {
	var names []string
	for _, j := range (jobs.Day{
		Open: jobs.Open{}, MonthlyClose: jobs.MonthlyClose{}, QuarterlyClose: jobs.QuarterlyClose{},
		Personnel: jobs.Personnel{}, Remind: jobs.Remind{}, Escalate: jobs.Escalate{},
	}).All() {
		names = append(names, j.Name())
	}
	return names
}

// valuesOf are the words that a flag takes; nil where it is not one of a few.
func valuesOf(c *cobra.Command, flag string) []string {
	byCommand := map[string][]string{
		"outbox list state":         letterStates(),
		"outbox retry state":        {"failed", "retry"},
		"outbox release channel":    {"mail", "oa", "paper"},
		"documents list state":      {"draft", "issued", "dropped", "voided"},
		"documents list kind":       {notice.SupervisionForm, notice.Report, notice.Bulletin},
		"obligations list state":    {"waiting", "answered", "done", "settled", "waived", "withdrawn", "transferred"},
		"obligations list kind":     {"milestone", "weekly", "monthly", "quarterly", "half-yearly", "yearly", "quota", "condition", "clock"},
		"tasks list status":         {"dated", "recurring", "standing", "awaiting", "unreadable", "ambiguous", "per-case", "personnel", "inspection"},
		"runs list job":             append(jobNames(), jobs.Health{}.Name()),
		"runs list state":           {"planned", "running", "done", "failed", "skipped"},
		"periods list kind":         {"month", "quarter", "half", "year"},
		"periods show kind":         {"month", "quarter", "half", "year"},
		"obligations contacted how": {"phone", "oa", "paper"},
	}
	anywhere := map[string][]string{
		"output": {"table", "json"}, "mode": {"record", "digest", "send"}, "reprocess": {"none", "failed", "all"}, "job": jobNames(),
	}
	if words := byCommand[name(c)+" "+flag]; words != nil {
		return words
	}
	return anywhere[flag]
}

// namesFile and namesFolder say of which flags the shell is to complete the value by itself.
func namesFile(flag string) bool {
	return slices.Contains([]string{"config", "attach", "verify", "out", "policy", "calendar"}, flag)
}

func namesFolder(flag string) bool { return slices.Contains([]string{"dir", "html", "archive"}, flag) }

// completer is what cobra calls for the words that may come next.
type completer = func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

const (
	noFiles  = cobra.ShellCompDirectiveNoFileComp
	goesOn   = noFiles | cobra.ShellCompDirectiveNoSpace   // a word that is not at its end
	asListed = noFiles | cobra.ShellCompDirectiveKeepOrder // the newest first
)

// suggest completes the command's flags and arguments.
func (a *app) suggest(c *cobra.Command) {
	if c.ValidArgsFunction == nil && len(c.ValidArgs) == 0 && !c.HasSubCommands() && !strings.Contains(c.Use, "FILE") {
		c.ValidArgsFunction = a.argumentsOf(c)
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if namesFile(f.Name) || f.Value.Type() == "bool" {
			return
		}
		if _, ok := c.GetFlagCompletionFunc(f.Name); !ok {
			_ = c.RegisterFlagCompletionFunc(f.Name, a.flagOf(c, f)) // it fails for a flag that is not there, and twice
		}
	})
}

// flagOf completes the values of a flag.
func (a *app) flagOf(c *cobra.Command, f *pflag.Flag) completer {
	words := valuesOf(c, f.Name)
	switch {
	case words != nil:
		return cobra.FixedCompletions(words, noFiles)
	case f.Value.Type() == dayType:
		return cobra.FixedCompletions([]string{"today", "yesterday"}, noFiles)
	case f.Name == "jurisdiction":
		return func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return a.knownJurisdictions(c.Context()), noFiles
		}
	case f.Name == "unit", f.Name == "into":
		return a.units
	case f.Name == "plan", f.Name == "without-plan":
		return a.offer(func(p peeking, c *cobra.Command, typed string) ([]store.Named, error) {
			return store.PeekPlans(p.ctx, p.dsn, p.password, typed, jurisdictionGiven(c))
		}, noFiles)
	case f.Name == "obligation":
		return a.paths(store.PeekObligations)
	case f.Name == "db":
		return databases
	case namesFolder(f.Name):
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	}
	return cobra.NoFileCompletions
}

// argumentsOf completes the arguments of a command.
func (a *app) argumentsOf(c *cobra.Command) completer {
	group, _, _ := strings.Cut(name(c), " ")
	several := strings.Contains(c.Use, "ID...")
	var complete completer
	switch {
	case strings.Contains(c.Use, "JOB"):
		words := append(jobNames(), "all")
		if c.Name() == "run" {
			words = append(words, jobs.Health{}.Name())
		}
		complete = cobra.FixedCompletions(words, noFiles)
	case group == "tasks", strings.Contains(c.Use, "JURISDICTION/PLAN/ROW"):
		complete = a.paths(store.PeekTasks)
	case group == "obligations", strings.Contains(c.Use, "OBLIGATION"):
		complete = a.paths(store.PeekObligations)
	case group == "outbox":
		complete = a.offer(func(p peeking, c *cobra.Command, typed string) ([]store.Named, error) {
			return store.PeekLetters(p.ctx, p.dsn, p.password, typed, lettersFor(c)...)
		}, asListed)
	case group == "documents":
		complete = a.offer(func(p peeking, _ *cobra.Command, typed string) ([]store.Named, error) {
			return store.PeekDocuments(p.ctx, p.dsn, p.password, typed, "draft", "issued")
		}, asListed)
	case group == "units":
		complete = a.units
	}
	if complete == nil || !takesArguments(c) {
		return cobra.NoFileCompletions
	}
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && !several {
			return nil, noFiles
		}
		words, how := complete(c, args, typed)
		return slices.DeleteFunc(words, func(w string) bool {
			word, _, _ := strings.Cut(w, "\t")
			return slices.Contains(args, word)
		}), how
	}
}

// takesArguments reports whether anything but flags follows the command.
func takesArguments(c *cobra.Command) bool { return strings.Contains(c.Use, " ") }

// lettersFor are the states of the letters to which a command does something.
func lettersFor(c *cobra.Command) []string {
	states := map[string][]notice.State{
		"cancel":  {notice.Pending, notice.Held, notice.Retry, notice.Unknown, notice.Failed},
		"resolve": {notice.Unknown, notice.Failed, notice.Held},
		"retry":   {notice.Failed, notice.Retry},
		"release": {notice.Held},
	}[c.Name()]
	if states == nil {
		return letterStates()
	}
	var words []string
	for _, s := range states {
		words = append(words, string(s))
	}
	return words
}

func jurisdictionGiven(c *cobra.Command) string {
	if f := c.Flag("jurisdiction"); f != nil {
		return f.Value.String()
	}
	return ""
}

// units completes the codes of units, of the jurisdiction that is named where one is.
func (a *app) units(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return a.offer(func(p peeking, c *cobra.Command, typed string) ([]store.Named, error) {
		return store.PeekUnits(p.ctx, p.dsn, p.password, typed, jurisdictionGiven(c))
	}, noFiles)(c, args, typed)
}

// offer completes with what a look into the database finds.
func (a *app) offer(look func(p peeking, c *cobra.Command, typed string) ([]store.Named, error), how cobra.ShellCompDirective) completer {
	return func(c *cobra.Command, _ []string, typed string) (words []string, _ cobra.ShellCompDirective) {
		p, done := a.peek(c.Context())
		defer done()
		found, _ := look(p, c, typed) // whatever is wrong, the Tab key is no place to say so
		for _, n := range found {
			words = append(words, cobra.CompletionWithDesc(n.Name, n.About))
		}
		return words, how
	}
}

// paths completes names part by part; what ends in a slash goes on.
func (a *app) paths(look func(ctx context.Context, dsn, password, prefix string) ([]string, error)) completer {
	return func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		p, done := a.peek(c.Context())
		defer done()
		words, err := look(p.ctx, p.dsn, p.password, typed)
		if err == nil && len(words) > 0 && strings.HasSuffix(words[0], "/") {
			return words, goesOn
		}
		return words, noFiles
	}
}

// databases completes what a database is named by; of an embedded one, its file.
func databases(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	const embedded = "sqlite:"
	path, ok := strings.CutPrefix(typed, embedded)
	if !ok {
		return []string{embedded, "mysql://"}, goesOn
	}
	folder, _ := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(folder, "."))
	if err != nil {
		return nil, noFiles
	}
	var words []string
	how := noFiles
	for _, e := range entries {
		switch file := embedded + folder + e.Name(); {
		case e.IsDir() && strings.HasPrefix(file, typed):
			words, how = append(words, file+"/"), goesOn
		case strings.HasSuffix(e.Name(), ".db"):
			words = append(words, file)
		}
	}
	return words, how
}

// tabWait is how long the Tab key may wait for a database.
const tabWait = 500 * time.Millisecond

// peeking is what it takes to look into the database that a command would use.
type peeking struct {
	ctx           context.Context
	dsn, password string
	cfg           config.Config
}

// peek reads the configuration as far as it can be read.
func (a *app) peek(ctx context.Context) (p peeking, done func()) {
	p.dsn = a.flags.db
	if cfg, err := config.Load(a.flags.config, a.env); err == nil {
		p.dsn, p.password, p.cfg = cmp.Or(p.dsn, cfg.Database.DSN), cfg.Database.Password.Reveal(), cfg
	}
	p.ctx, done = context.WithTimeout(ctx, tabWait)
	return p, done
}

// knownJurisdictions are the codes in the configuration and in the database. Whatever is wrong with either, the Tab key
// is no place to say so; and it makes no database.
func (a *app) knownJurisdictions(ctx context.Context) []string {
	p, done := a.peek(ctx)
	defer done()
	known := map[string]bool{}
	for code := range p.cfg.Jurisdictions {
		known[code] = true
	}
	if codes, err := store.Peek(p.ctx, p.dsn, p.password); err == nil {
		for _, code := range codes {
			known[code] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}
