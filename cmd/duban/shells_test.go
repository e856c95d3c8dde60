package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// bashCompletion is where the package bash-completion has what our script is called by.
const bashCompletion = "/usr/share/bash-completion/bash_completion"

// needed finds what a shell's test needs. Without it the test is skipped, unless DUBAN_REQUIRE_SHELLS=1 says that it has to be
// there.
func needed(t *testing.T, things ...string) {
	t.Helper()
	for _, thing := range things {
		var err error
		if strings.HasPrefix(thing, "/") {
			_, err = os.Stat(thing)
		} else {
			_, err = exec.LookPath(thing)
		}
		switch {
		case err == nil:
		case os.Getenv("DUBAN_REQUIRE_SHELLS") == "1":
			t.Fatalf("DUBAN_REQUIRE_SHELLS is set and there is no %s: %v", thing, err)
		default:
			t.Skipf("NOT TESTED: no %s to complete commands with (DUBAN_REQUIRE_SHELLS=1 makes this a failure): %v", thing, err)
		}
	}
}

// typing is what is typed before the Tab key, and what the shell makes of it.
type typing struct {
	line string
	want string // the words that it offers, with a space between them; none: it knows none
}

// typings ask for every sort of word that is completed, in the words of the register at hand.
func typings(database string) []typing {
	const part = "laoshan/zfzl2024/56/qrsj/e:2024年"
	const case56 = part + "第三季度案例"
	return []typing{
		{"duban ru", "run runs"},
		{"duban obligations ext", "extend"},
		{"duban obligations extend ", "ask grant refuse"},
		{"duban run ", "all escalate health monthly-close open personnel quarterly-close remind"},
		{"duban run m", "monthly-close"},
		{"duban run all --da", "--date"},
		{"duban run all --date ", "today yesterday"},
		{"duban run all --jurisdiction ", "laoshan"},
		{"duban --db " + database + " runs list --jurisdiction ", "laoshan"},
		{"duban status --output ", "json table"},
		{"duban backfill all --mode d", "digest"},
		{"duban backfill all --reprocess ", "all failed none"},
		{"duban completion ", "bash fish zsh"},
		{"duban obligations show laoshan/zfzl2024/56", part + "第三季度案例 laoshan/zfzl2024/56/qrsj/e:2024-4"}, // there is but one unit
		{"duban obligations show laoshan/zfzl2024/1", "laoshan/zfzl2024/1/ laoshan/zfzl2024/13/ laoshan/zfzl2024/17/ laoshan/zfzl2024/18/ laoshan/zfzl2024/19/"},
		{"duban explain laoshan/zfzl2024/56/qrsj/", "laoshan/zfzl2024/56/qrsj/e:2024年第三季度案例 laoshan/zfzl2024/56/qrsj/e:2024-4"},
		{"duban explain laoshan/zfzl2024/56/qrsj/e:2024年", case56},
		{"duban obligations waive " + part, case56},
		{"duban obligations waive --by x " + case56 + " " + part, ""},
		{"duban tasks show laoshan/zfzl2024/56", "laoshan/zfzl2024/56"},
		{"duban obligations list --unit qrs", "qrsj"},
		{"duban obligations list --plan ", "zfzl2024"},
		{"duban config pol", "policy-sample"},
	}
}

// tabbed is a folder with the program's script where a shell looks for it, a register, and the environment of who types.
func tabbed(t *testing.T, shell, file string) (home string, env []string) {
	t.Helper()
	path := binary(t)
	d := newDesk(t, "2024-09-26")
	files := d.bundled("laoshan")
	d.ok("import", "units", files["units"])
	d.ok("import", "plan", files["plan"], "--jurisdiction", "laoshan")
	d.ok("run", "open")
	for _, ref := range []string{"2024年第三季度案例", "2024-4"} {
		d.ok("obligations", "trigger", "laoshan/zfzl2024/56", "--unit", "qrsj", "--ref", ref, "--due", "2024-10-31", "--by", "李敏")
	}
	d.ok("run", "open", "--again")
	script := filepath.Join(d.dir, file)
	if err := os.MkdirAll(filepath.Dir(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, []byte(d.ok("completion", shell)), 0o600); err != nil {
		t.Fatal(err)
	}
	return d.dir, []string{
		"HOME=" + d.dir, "ZDOTDIR=" + d.dir, "PATH=" + filepath.Dir(path) + ":" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TERM=xterm",
		"DUBAN_DATABASE_DSN=sqlite:duban.db",
	}
}

// offers compares what a shell offers, whatever the order.
func (c typing) offers(t *testing.T, got []string) {
	t.Helper()
	slices.Sort(got)
	want := strings.Fields(c.want)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q: %q, want %q", c.line, got, want)
	}
}

func TestFishCompletes(t *testing.T) {
	needed(t, "fish")
	home, env := tabbed(t, "fish", ".config/fish/completions/duban.fish")
	for _, c := range typings("sqlite:duban.db") {
		cmd := exec.CommandContext(t.Context(), "fish", "-c", "complete -C '"+c.line+"'")
		cmd.Dir, cmd.Env = home, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", c.line, err, out)
		}
		var got []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			got = append(got, word)
		}
		c.offers(t, got)
	}
}

// bashStart lets Ctrl-T put all words that fit into the line, and Ctrl-G say what stands in it and empty it.
const bashStart = `source ` + bashCompletion + `
PS1=
bind '"\C-t": insert-completions'
bind -x '"\C-g": printf "\nLINE<%s>\n" "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0'
printf 'READY\n'
`

// zshStart does the same; the two lines of compinit are the ones that our help asks for.
const zshStart = `fpath=($HOME/functions $fpath)
autoload -U compinit
compinit -D
PROMPT= RPROMPT=
unsetopt prompt_sp prompt_cr
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert yes
bindkey '^T' all-matches
say() { printf '\nLINE<%s>\n' "$BUFFER"; BUFFER= }
zle -N say
bindkey '^G' say
zle-line-init() { print READY; zle -D zle-line-init }
zle -N zle-line-init
`

func TestBashCompletes(t *testing.T) {
	needed(t, "bash", "script", bashCompletion)
	home, env := tabbed(t, "bash", ".local/share/bash-completion/completions/duban")
	typeInto(t, home, env, ".bashrc", bashStart, "bash --rcfile .bashrc -i")
}

func TestZshCompletes(t *testing.T) {
	needed(t, "zsh", "script")
	home, env := tabbed(t, "zsh", "functions/_duban")
	typeInto(t, home, env, ".zshrc", zshStart, "zsh -d -i")
}

// typeInto types into a shell at a terminal, and reads what becomes of the line.
func typeInto(t *testing.T, home string, env []string, name, start, shell string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, name), []byte(start), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "script", "-qec", shell, "/dev/null")
	cmd.Dir, cmd.Env = home, slices.Concat(env, []string{"SHELL=/bin/sh"})
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	screen, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(2*patience, func() { _ = cmd.Process.Kill() }) // and what is read then ends
	t.Cleanup(func() {
		late.Stop()
		_ = keys.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, and says so
	})
	lines := bufio.NewScanner(screen)
	shows(t, lines, "READY", "")
	for _, c := range typings("sqlite:duban.db") {
		if _, err := io.WriteString(keys, c.line+"\x14\x07"); err != nil {
			t.Fatal(err)
		}
		before := c.line[:strings.LastIndex(c.line, " ")+1]
		after, ok := strings.CutPrefix(shows(t, lines, "LINE<", ">"), before)
		if !ok {
			t.Errorf("%q: the line became %q", c.line, before+after)
		}
		got := strings.Fields(after)
		if c.want == "" && len(got) == 1 && strings.HasSuffix(c.line, got[0]) {
			got = nil // what was typed stands as it was
		}
		c.offers(t, got)
	}
}

// shows reads what a terminal shows up to a line in which the head stands before the tail at its end, and returns what is between.
func shows(t *testing.T, lines *bufio.Scanner, head, tail string) string {
	t.Helper()
	var seen strings.Builder
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if _, rest, ok := strings.Cut(line, head); ok && strings.HasSuffix(rest, tail) {
			return strings.TrimSuffix(rest, tail)
		}
		fmt.Fprintf(&seen, "%q\n", line)
	}
	t.Fatalf("the shell did not show %s…%s:\n%s", head, tail, seen.String())
	return ""
}
