package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// eachCommand calls f for every command there is, the hidden ones and cobra's own help apart.
func eachCommand(c *cobra.Command, f func(*cobra.Command)) {
	if c.Name() == "help" || c.Hidden {
		return
	}
	f(c)
	for _, sub := range c.Commands() {
		eachCommand(sub, f)
	}
}

// words splits a line as a shell does, as far as our examples go.
func words(line string) (out []string) {
	quote, word, in := rune(0), "", false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ':
			if in {
				out = append(out, word)
			}
			word, in = "", false
		default:
			word, in = word+string(r), true
		}
	}
	if in {
		out = append(out, word)
	}
	return out
}

// callIn returns the arguments of our program's call in an example's line.
func callIn(line string) ([]string, error) {
	line, _, _ = strings.Cut(line, "  #")
	line, _, _ = strings.Cut(line, " > ")
	all := words(strings.TrimSpace(line))
	i := slices.Index(all, "duban") // after a pipe, a variable or the hours of a crontab
	if i < 0 {
		return nil, fmt.Errorf("no call of duban in %q", line)
	}
	return all[i+1:], nil
}

// takes reports whether the program would take the call: its command is there, its flags are known and have values that
// can be, none that it needs is missing, and the arguments are as many as there are to be.
func takes(t *testing.T, args []string) (*cobra.Command, error) {
	t.Helper()
	a, _, _ := testApp(t)
	root := a.root()
	c, rest, err := root.Find(behindDashes(root, args))
	if err != nil {
		return nil, err
	}
	if err := c.ParseFlags(rest); err != nil {
		return c, err
	}
	if err := c.Args(c, c.Flags().Args()); err != nil {
		return c, err
	}
	if c.HasSubCommands() {
		return c, fmt.Errorf("%s is a group of commands", c.CommandPath())
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if known := valuesOf(c, f.Name); known != nil && !slices.Contains(known, f.Value.String()) {
			err = fmt.Errorf("--%s %s: want one of %v", f.Name, f.Value, known)
		}
	})
	return c, err
}

func TestEveryCommandShowsExamplesThatItTakes(t *testing.T) {
	a, _, _ := testApp(t)
	n := 0
	eachCommand(a.root(), func(group *cobra.Command) {
		if group.Example == "" {
			t.Errorf("%s --help shows no example", group.CommandPath())
		}
		for line := range strings.Lines(group.Example) {
			if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "   ") {
				t.Errorf("%s: an example stands two spaces in: %q", group.CommandPath(), line)
			}
			args, err := callIn(line)
			if err != nil {
				t.Errorf("%s: %v", group.CommandPath(), err)
				continue
			}
			c, err := takes(t, args)
			if err != nil {
				t.Errorf("%s: the example %q: %v", group.CommandPath(), strings.TrimSpace(line), err)
				continue
			}
			if !strings.HasPrefix(c.CommandPath()+" ", group.CommandPath()+" ") {
				t.Errorf("%s shows an example of %s", group.CommandPath(), c.CommandPath())
			}
			n++
		}
	})
	if n < 90 {
		t.Errorf("only %d examples", n)
	}
	for name := range examples() {
		c, _, err := a.root().Find(strings.Fields(name))
		if err != nil || strings.TrimSpace("duban "+name) != c.CommandPath() {
			t.Errorf("examples of %q, which is no command", name)
		}
	}
}

// inRegister finds the tasks and the obligations that an example names; dates, plans under other names and files are none.
var inRegister = regexp.MustCompile(`^(laoshan|sishui|changji)/[^/]+/[^/]+(/.+)?$`)

// What the examples name stands in the bundled registers, so that they can be tried in the demo as they stand.
func TestExamplesNameWhatThereIs(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	for _, code := range []string{"laoshan", "sishui", "changji"} {
		files := d.bundled(code)
		d.ok("import", "units", files["units"])
		d.ok("import", "plan", files["plan"], "--jurisdiction", code)
	}
	d.ok("run", "open")
	units := ""
	for _, u := range d.objects("units", "list") {
		units += " " + u.text("code") + " "
	}
	a, _, _ := testApp(t)
	n := 0
	eachCommand(a.root(), func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			args, _ := callIn(line)
			for i, arg := range args {
				switch m := inRegister.FindStringSubmatch(arg); {
				case i > 0 && (args[i-1] == "--unit" || args[i-1] == "--into" || args[i-1] == "merge"):
					if !strings.Contains(units, " "+arg+" ") {
						t.Errorf("%s: there is no unit %s", c.CommandPath(), arg)
					}
				case m == nil:
					continue
				case m[2] == "":
					d.ok("tasks", "show", arg)
				default:
					d.ok("obligations", "show", arg)
				}
				n++
			}
		}
	})
	if n < 40 {
		t.Errorf("only %d names", n)
	}
}

func TestTheProgramIsNamedAsItWasCalled(t *testing.T) {
	for program, want := range map[string]string{
		"duban": "duban", "./duban": "./duban", "/opt/my tools/duban": "'/opt/my tools/duban'", "/tmp/go-build42/b001/exe/duban": "go run ./cmd/duban",
	} {
		if got := typed(program); got != want {
			t.Errorf("%s: %s, want %s", program, got, want)
		}
	}
}

// A silence that ends before it begins is refused for that, and not as though its unit were unknown.
func TestASilenceIsRefusedForWhatIsWrongWithIt(t *testing.T) {
	d := town(t, "2024-09-26")
	add := func(unit, until string) []string {
		return []string{"silence", "add", "--unit", unit, "--until", until, "--by", "李敏", "--why", "防汛应急响应"}
	}
	for _, c := range []struct{ unit, until, want, not string }{
		{"jtj", "2024-09-25", "want an end within 366 days", "no such subject"},
		{"jtj", "2026-09-26", "want an end within 366 days", "no such subject"},
		{"nobody", "2024-10-15", "no such subject", "366"},
	} {
		if said := d.fails(exitUsage, add(c.unit, c.until), c.want); strings.Contains(said, c.not) {
			t.Errorf("%s until %s: %s", c.unit, c.until, said)
		}
	}
	d.ok(add("jtj", "2024-10-15")...)
}

// Who asks for a moment before an item was recorded is told that it may be there since.
func TestWhatWasNotKnownYetMayBeThere(t *testing.T) {
	d := town(t, "2024-09-26")
	d.ok("run", "open")
	id := item("1/jtj/m1")
	for _, args := range [][]string{{"explain", id}, {"obligations", "show", id}, {"tasks", "show", "town/zl2024/1"}} {
		d.ok(args...)
		d.fails(exitFailed, append(args, "--known-at", "1"), "not found", "leave --known-at out")
	}
	if said := d.fails(exitFailed, []string{"explain", item("99/jtj/m1")}, "not found"); strings.Contains(said, "known-at") {
		t.Error(said)
	}
}

func TestWhatIsNoExample(t *testing.T) {
	for _, line := range []string{
		"duban obligatory list", "duban run", "duban run all today", "duban run all --dat today", "duban run all --date tomorrow", "duban obligations waive ID",
		"duban outbox list --state lost", "duban status --output yaml", "duban outbox", "duban", "echo x", "duban pause --by '' --why x",
	} {
		args, err := callIn(line)
		if err == nil {
			_, err = takes(t, args)
		}
		if err == nil {
			t.Errorf("%q was taken", line)
		}
	}
}

// What the README says to type can be typed.
func TestTheReadmesCommandsAreTaken(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		for _, from := range []string{"go run ./cmd/duban", "./duban "} {
			line = strings.ReplaceAll(line, from, strings.Repeat("duban ", 1))
		}
		if !strings.HasPrefix(line, "duban ") && !strings.Contains(line, "| duban ") || strings.HasPrefix(line, "duban is") || strings.HasPrefix(line, "|") {
			continue
		}
		line = strings.NewReplacer("ask|grant|refuse", "grant", "list|show", "list").Replace(line)
		args, err := callIn(strings.ReplaceAll(line, " # ", "  # "))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if _, err := takes(t, args); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		n++
	}
	if n < 35 {
		t.Errorf("only %d commands", n)
	}
}

// completed is what the Tab key offers after the words.
func completed(t *testing.T, d *desk, args ...string) []string {
	t.Helper()
	code, out, _ := d.call("", append([]string{"__complete"}, args...)...)
	if code != exitDone {
		t.Errorf("complete %q: exit %d", args, code)
	}
	var all []string
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if !strings.HasPrefix(word, ":") && word != "" {
			all = append(all, word)
		}
	}
	return all
}

func TestTheTabKeyOffersWhatFits(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	files := d.bundled("sishui")
	d.ok("import", "units", files["units"])
	config := d.file("duban.yaml", "jurisdictions:\n  changji:\n    report_day: 12\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", ""}, "open monthly-close quarterly-close personnel remind escalate all health"},
		{[]string{"run", "open", ""}, ""},
		{[]string{"backfill", ""}, "open monthly-close quarterly-close personnel remind escalate all"},
		{[]string{"run", "all", "--date", ""}, "today yesterday"},
		{[]string{"run", "all", "--jurisdiction", ""}, "sishui"},
		{[]string{"--config", config, "run", "all", "--jurisdiction", ""}, "changji sishui"},
		{[]string{"outbox", "list", "--state", ""}, "pending sending sent retry failed unknown held superseded cancelled recorded"},
		{[]string{"outbox", "retry", "--state", ""}, "failed retry"},
		{[]string{"documents", "list", "--state", ""}, "draft issued dropped voided"},
		{[]string{"periods", "list", "--kind", ""}, "month quarter half year"},
		{[]string{"backfill", "all", "--mode", ""}, "record digest send"},
		{[]string{"backfill", "all", "--reprocess", ""}, "none failed all"},
		{[]string{"status", "--output", ""}, "table json"},
		{[]string{"completion", ""}, "bash zsh fish"},
		{[]string{"obligations", "acc"}, "accept"},
		{[]string{"obligations", "show", ""}, ""}, // none is open
		{[]string{"obligations", "extend", "grant", "sishui/"}, ""},
		{[]string{"outbox", "cancel", "--why", ""}, ""},
		{[]string{"--db", ""}, "sqlite: mysql://"},
		{[]string{"nonsense", ""}, ""},
	} {
		got := strings.Join(completed(t, d, c.args...), " ")
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.args, got, c.want)
		}
	}
}

// Every word that is offered for a list's flag is one the command takes.
func TestWhatTheTabKeyOffersIsTaken(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	d.ok("import", "units", d.bundled("sishui")["units"])
	a, _, _ := testApp(t)
	n := 0
	eachCommand(a.root(), func(c *cobra.Command) {
		if c.Name() != "list" {
			return
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			for _, word := range valuesOf(c, f.Name) {
				if code, _, errOut := d.call("", append(strings.Fields(name(c)), "--"+f.Name, word)...); code != exitDone {
					t.Errorf("%s --%s %s: exit %d\n%s", name(c), f.Name, word, code, errOut)
				}
				n++
			}
		})
	})
	if n < 30 {
		t.Errorf("only %d words", n)
	}
}

func TestTheTabKeyChangesNothingAndIsSilent(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	bad := d.file("bad.yaml", "mail: [\n")
	for _, args := range [][]string{
		{"run", "all", "--jurisdiction", ""}, {"--config", bad, "run", "all", "--jurisdiction", ""}, {"--config", "none.yaml", "status", "--jurisdiction", ""},
		{"--db", "sqlite:" + filepath.Join(d.dir, "none.db"), "status", "--jurisdiction", ""}, {"--db", "mysql://nobody@127.0.0.1:1/none", "status", "--jurisdiction", ""},
		{"--db", "nonsense", "status", "--jurisdiction", ""},
	} {
		d.env["DUBAN_MAIL_STRAY"] = "x" // which a command would warn of
		code, out, errOut := d.call("", append([]string{"__complete"}, args...)...)
		if code != exitDone || strings.TrimSpace(out) != ":4" || strings.Count(errOut, "\n") > 1 {
			t.Errorf("%q: exit %d\n%s%s", args, code, out, errOut)
		}
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("it made %v, %v", entries, err)
	}
}

func TestCompletionScripts(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	for shell, want := range map[string]string{"bash": "__start_duban", "zsh": "#compdef duban", "fish": "complete -c duban"} {
		if out := d.ok("completion", shell); !strings.Contains(out, want) {
			t.Errorf("%s: no %q in %d bytes", shell, want, len(out))
		}
		if help := d.ok("completion", "--help"); !strings.Contains(help, "duban completion "+shell+" > ") {
			t.Errorf("the help does not say how to install it for %s", shell)
		}
	}
	d.fails(exitUsage, []string{"completion"}, "duban completion bash|zsh|fish")
	d.fails(exitUsage, []string{"completion", "tcsh"}, "want bash, zsh or fish")
}

// In a folder without a database, asking makes none, and says what to do; what begins a register makes one.
func TestAskingMakesNoDatabase(t *testing.T) {
	d := newDesk(t, "2024-10-14")
	files := d.bundled("sishui")
	config := d.file("duban.yaml", "log:\n  level: info\n")
	path := filepath.Join(d.dir, "duban.db")
	a, _, _ := testApp(t)
	n := 0
	eachCommand(a.root(), func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			args, err := callIn(line)
			if err != nil || c.HasSubCommands() || makesDatabase(c) {
				continue
			}
			switch name(c) {
			case "completion", "config check", "config print", "config sample", "config policy-sample", "housekeeping", "mail test", "parse deadline", "parse units", "version",
				"workday add", "workday count", "workday list":
				continue // they need no database
			}
			var call []string
			for i := 0; i < len(args); i++ {
				if args[i] == "--config" || args[i] == "--db" {
					i++
					continue
				}
				call = append(call, args[i])
			}
			code, _, errOut := d.call("", append([]string{"--config", config}, call...)...)
			if code != exitUsage || !strings.Contains(errOut, "there is no database at "+path) && !strings.Contains(errOut, "--verify") &&
				!strings.Contains(errOut, "--archive") && !strings.Contains(errOut, "policy") && !strings.Contains(errOut, "duban is") {
				t.Errorf("%v: exit %d\n%s", call, code, errOut)
			}
			if strings.Contains(errOut, "there is no database") {
				n++
				if !strings.Contains(errOut, "`duban --config "+config+" import units FILE`") {
					t.Errorf("%v does not say what to type:\n%s", call, errOut)
				}
			}
			if _, err := os.Stat(path); err == nil {
				t.Fatalf("%v made a database", call)
			}
		}
	})
	if n < 50 {
		t.Errorf("only %d calls were refused", n)
	}
	if out := d.ok("import", "units", files["units"], "--dry-run"); !strings.Contains(out, "nothing written") {
		t.Error(out)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a first look made a database")
	}
	d.ok("migrate")
	d.ok("status")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	d.ok("import", "units", files["units"])
	d.ok("status")
}

func TestHintsNameTheDatabaseThatWasGiven(t *testing.T) {
	for _, c := range []struct{ config, db, text, want string }{
		{"", "", "run `duban status`", "run `duban status`"},
		{"a.yaml", "", "run `duban status`", "run `duban --config a.yaml status`"},
		{"", "sqlite:x.db", "first: duban import units FILE, duban import plan FILE", "first: duban --db sqlite:x.db import units FILE, duban --db sqlite:x.db import plan FILE"},
		{"my file.yaml", "mysql://u@h:3306/d", "`duban outbox list`", "`duban --config 'my file.yaml' --db mysql://u@h:3306/d outbox list`"},
		{"it's.yaml", "", "duban doctor", `duban --config 'it'\''s.yaml' doctor`},
		{"a.yaml", "", "`duban --config a.yaml status`", "`duban --config a.yaml status`"},
		{"a.yaml", "", "`duban config sample` shows the keys; duban demo; duban is a worker; duban statuses", "`duban config sample` shows the keys; duban demo; duban is a worker; duban statuses"},
	} {
		a := &app{}
		a.flags.config, a.flags.db = c.config, c.db
		if got := a.hints(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// Every command that asks a database is one that a hint may name with it.
func TestHintsKnowEveryCommand(t *testing.T) {
	a, _, _ := testApp(t)
	commands := a.root().Commands()
	a.flags.config = "a.yaml"
	for _, c := range commands {
		none := slices.Contains([]string{"completion", "config", "demo", "help", "parse", "version", "workday"}, c.Name())
		if got := a.hints("`duban " + c.Name() + "`"); (got == "`duban --config a.yaml "+c.Name()+"`") == none {
			t.Errorf("%s: %s", c.Name(), got)
		}
	}
}

// Where a database was named, what status and doctor tell to type next names it too.
func TestStatusAndDoctorNameTheDatabaseThatWasGiven(t *testing.T) {
	d := town(t, "2024-10-14")
	db := d.env["DUBAN_DATABASE_DSN"]
	for _, args := range [][]string{{"status"}, {"status", "--jurisdiction", "town"}, {"doctor"}} {
		_, out, errOut := d.call("", append([]string{"--db", db}, args...)...)
		if !strings.Contains(out, "duban --db "+db+" ") {
			t.Errorf("%v names no command with the database:\n%s%s", args, out, errOut)
		}
		for line := range strings.Lines(out) {
			if strings.Contains(line, "duban run") || strings.Contains(line, "duban outbox") || strings.Contains(line, "duban tasks") {
				t.Errorf("%v: %s", args, line)
			}
		}
	}
}
