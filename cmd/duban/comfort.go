package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"duban/jobs/civil"
)

// comfort gives every command its examples, says of every flag that wants a day how days are written, and completes what
// is typed.
func (a *app) comfort(root *cobra.Command) {
	root.CompletionOptions.DisableDefaultCmd = true // ours says how to install it
	known := examples()
	var ease func(c *cobra.Command)
	ease = func(c *cobra.Command) {
		if c.Example == "" {
			c.Example = known[name(c)]
		}
		a.takesDays(c)
		if a.typing {
			a.suggest(c)
		}
		for _, sub := range c.Commands() {
			ease(sub)
		}
	}
	ease(root)
}

// dayType is what a flag's value is called in the help where it is a day.
const dayType = "DAY"

// dayValue is a flag's value that is a day. A flag that is given must give one: an empty variable of a script is not to
// be taken for today.
type dayValue struct {
	pflag.Value
	read func(string) (civil.Date, error)
}

// Set refuses what is no day.
func (d dayValue) Set(s string) error {
	if _, err := d.read(s); err != nil {
		return errors.New(wantDay)
	}
	return d.Value.Set(s)
}

// Type names it in the help.
func (dayValue) Type() string { return dayType }

// daysHelp says how a day is written.
const daysHelp = "A DAY is written 2024-06-25 or 20240625, or is today or yesterday."

// takesDays marks the flags that take a day, and says how it is written.
func (a *app) takesDays(c *cobra.Command) {
	names := []string{"as-of", "asked", "confirm-date", "date", "due", "from", "issued", "on", "to", "until", "valid-to"}
	days := strings.Contains(c.Use, "DATE") || strings.Contains(c.Use, "FROM TO")
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		said := strings.Contains(f.Usage, "YYYY-MM-DD")
		address := f.Name == "to" && strings.Contains(f.Usage, "address")
		if f.Value.Type() != "string" || !said && (!slices.Contains(names, f.Name) || address) {
			return
		}
		days = true
		f.Usage = strings.ReplaceAll(strings.ReplaceAll(f.Usage, ", YYYY-MM-DD", ""), "YYYY-MM-DD", dayType)
		f.Value = dayValue{f.Value, a.parseDate}
	})
	if !days {
		return
	}
	if c.Long == "" {
		c.Long = c.Short + "."
	}
	c.Long += "\n" + daysHelp
}

// hint is a command as it is to be typed next: with the configuration and the database that this call was given.
func (a *app) hint(command string) string {
	words := "duban "
	if a.flags.config != "" {
		words += "--config " + shellQuoted(a.flags.config) + " "
	}
	if a.flags.db != "" {
		words += "--db " + shellQuoted(a.flags.db) + " "
	}
	return words + command
}

// typed is how the program was called, as it is to be typed again.
func typed(program string) string {
	if strings.Contains(filepath.ToSlash(program), "/go-build") { // where the Go command has put what it runs
		return "go run ./cmd/duban"
	}
	return shellQuoted(program)
}

// hinted is a command of ours in a text.
var hinted = regexp.MustCompile(`\bduban ((?:backfill|config check|config load|config print|config versions|doctor|documents|explain|export|housekeeping|` +
	`import|mail|migrate|obligations|outbox|pause|people|periods|preview|rebuild|resume|runs?|serve|silence|status|tasks|units)\b)`)

// hints makes the commands in a text such as can be typed as they stand.
func (a *app) hints(text string) string {
	if a.flags.config == "" && a.flags.db == "" {
		return text
	}
	return hinted.ReplaceAllStringFunc(text, func(s string) string { return a.hint(strings.TrimPrefix(s, "duban ")) })
}

// plainWord is what a shell takes as it stands.
var plainWord = regexp.MustCompile(`^[\w@%+=:,./~-]+$`)

func shellQuoted(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// makesDatabase reports whether a command may make an embedded database that is not there: those that a new county begins
// with. Any other in the wrong folder would leave an empty one behind, and answer that there is nothing.
func makesDatabase(c *cobra.Command) bool {
	first, _, _ := strings.Cut(name(c), " ")
	return slices.Contains([]string{"demo", "import", "migrate", "serve"}, first)
}

// noDatabase refuses a command that would make a database by merely asking for one.
func (a *app) noDatabase(dsn string) error {
	if path, ok := missing(dsn); ok && a.asks {
		return usagef("there is no database at %s; name the one that is meant with --db or --config, or run this where it is; `%s` or `%s` makes one here",
			path, a.hint("import units FILE"), a.hint("migrate"))
	}
	return nil
}

// missing returns the path of an embedded database that is not there.
func missing(dsn string) (path string, ok bool) {
	path, ok = strings.CutPrefix(dsn, "sqlite:")
	if !ok || path == "" || path == ":memory:" {
		return "", false
	}
	_, err := os.Stat(path)
	return path, errors.Is(err, fs.ErrNotExist)
}
