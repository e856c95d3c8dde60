package main

import (
	"context"
	"maps"
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
jurisdictions, states, modes. It asks the database that the command would use, where there is one, and changes nothing.

bash (with the package bash-completion), for all users or for oneself:
  duban completion bash > /etc/bash_completion.d/duban
  duban completion bash > ~/.local/share/bash-completion/completions/duban
zsh, into a folder of $fpath; ~/.zshrc has to hold "autoload -U compinit; compinit":
  duban completion zsh > "${fpath[1]}/_duban"
fish:
  duban completion fish > ~/.config/fish/completions/duban.fish

It holds from the next shell on. For the shell at hand alone: source <(duban completion bash)`,
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

// suggest completes the command's flags and arguments.
func (a *app) suggest(c *cobra.Command) {
	const quiet = cobra.ShellCompDirectiveNoFileComp
	switch {
	case c.ValidArgsFunction != nil || len(c.ValidArgs) > 0 || c.HasSubCommands() || strings.Contains(c.Use, "FILE"):
	case strings.Contains(c.Use, "JOB"):
		c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, quiet
			}
			return append(jobNames(), "all"), quiet
		}
	default:
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		complete := cobra.NoFileCompletions
		words := valuesOf(c, f.Name)
		switch {
		case words != nil:
			complete = cobra.FixedCompletions(words, quiet)
		case f.Value.Type() == dayType:
			complete = cobra.FixedCompletions([]string{"today", "yesterday"}, quiet)
		case f.Name == "jurisdiction":
			complete = func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
				return a.knownJurisdictions(c.Context()), quiet
			}
		case f.Name == "db":
			complete = cobra.FixedCompletions([]string{"sqlite:", "mysql://"}, quiet|cobra.ShellCompDirectiveNoSpace)
		case namesFolder(f.Name):
			complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
		case namesFile(f.Name):
			return
		}
		if _, ok := c.GetFlagCompletionFunc(f.Name); !ok && f.Value.Type() != "bool" {
			_ = c.RegisterFlagCompletionFunc(f.Name, complete) // it fails for a flag that is not there, and twice
		}
	})
}

// tabWait is how long the Tab key may wait for a database.
const tabWait = 500 * time.Millisecond

// knownJurisdictions are the codes in the configuration and in the database. Whatever is wrong with either, the Tab key
// is no place to say so; and it makes no database.
func (a *app) knownJurisdictions(ctx context.Context) []string {
	dsn, password := a.flags.db, ""
	known := map[string]bool{}
	if cfg, err := config.Load(a.flags.config, a.env); err == nil {
		if dsn == "" {
			dsn = cfg.Database.DSN
		}
		password = cfg.Database.Password.Reveal()
		for code := range cfg.Jurisdictions {
			known[code] = true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tabWait)
	defer cancel()
	if codes, err := store.Peek(ctx, dsn, password); err == nil {
		for _, code := range codes {
			known[code] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}
