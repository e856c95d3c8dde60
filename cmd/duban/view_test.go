package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// lookback is a town on an engine, and the seqs that its story came by.
type lookback struct {
	*desk
	t     *testing.T
	store *store.Store
}

func newLookback(t *testing.T, e storetest.Engine) *lookback {
	t.Helper()
	d := newDesk(t, "2024-07-02")
	dsn := e.DSN(t)
	d.env["DUBAN_DATABASE_DSN"] = urlOf(dsn)
	d.ok("migrate")
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	return &lookback{d, t, storetest.Reopen(t, dsn)}
}

// seq is the town's present seq.
func (l *lookback) seq() string {
	l.t.Helper()
	j, err := l.store.Jurisdiction(l.t.Context(), "town")
	if err != nil {
		l.t.Fatal(err)
	}
	return fmt.Sprint(j.Seq)
}

// one is the value of a key in the one object that a command prints.
func (l *lookback) one(key string, args ...string) string {
	l.t.Helper()
	all := l.objects(args...)
	if len(all) != 1 {
		l.t.Fatalf("duban %s: %d objects", strings.Join(args, " "), len(all))
	}
	return all[0].text(key)
}

// holds wants a text in what a command prints for people, and another not in it.
func (l *lookback) holds(want, not string, args ...string) {
	l.t.Helper()
	out := l.ok(args...)
	if !strings.Contains(out, want) || not != "" && strings.Contains(out, not) {
		l.t.Errorf("duban %s: want %q and not %q in\n%s", strings.Join(args, " "), want, not, out)
	}
}

// TestLookingBack tells of a month that was closed without a report which had come in time and was typed in late: as of
// that time it had been reported, but nobody knew. On both engines.
func TestLookingBack(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			l := newLookback(t, e)
			for _, day := range []string{"2024-07-02", "2024-07-22", "2024-07-29", "2024-07-30", "2024-07-31"} {
				l.on(day)
				l.ok("run", "all")
			}
			closed := l.seq()
			july := item("3/jtj/2024-07")
			l.on("2024-08-02")
			l.ok("obligations", "report", july, "--on", "2024-07-24", "--by", "李敏")
			typed := l.seq()
			for _, day := range []string{"2024-08-28", "2024-08-29", "2024-08-30"} {
				l.on(day)
				l.ok("run", "all")
			}
			l.typedInLate(july, closed, typed)
			l.restated(closed)
			l.refusesNonsense()
		})
	}
}

func (l *lookback) typedInLate(id, closed, typed string) {
	t := l.t
	t.Helper()
	at := func(k string) []string { return []string{"--as-of", "2024-07-26", "--known-at", k} }
	row := []string{"obligations", "list", "--jurisdiction", "town", "--row", "3", "--unit", "jtj", "--as-of", "2024-07-26"}
	for _, c := range []struct {
		known, state, reported string
	}{{"", "answered", "2024-07-24"}, {closed, "waiting", ""}, {typed, "answered", "2024-07-24"}} {
		args, show := row, []string{"obligations", "show", id, "--as-of", "2024-07-26"}
		why := []string{"explain", id, "--as-of", "2024-07-26"}
		if c.known != "" {
			args, show, why = append(args, "--known-at", c.known), append(show, "--known-at", c.known), append(why, "--known-at", c.known)
		}
		for _, o := range l.objects(args...) {
			if o["id"] == id && (o["state"] != c.state || strings.TrimPrefix(o.text("reported"), "<nil>") != c.reported && o.text("reported") != c.reported) {
				t.Errorf("listed as known at %q: %v", c.known, o)
			}
		}
		if got := l.one("state", show...); got != c.state {
			t.Errorf("shown as known at %q: %s, want %s", c.known, got, c.state)
		}
		if got := l.one("state", why...); got != c.state {
			t.Errorf("explained as known at %q: %s, want %s", c.known, got, c.state)
		}
	}
	l.holds("as of 2024-07-26, known at seq "+closed+" of town, recorded ", "reported", append([]string{"obligations", "show", id}, at(closed)...)...)
	if o := l.objects(append([]string{"obligations", "show", id}, at(closed)...)...)[0]; !strings.HasPrefix(fmt.Sprint(o["view"]), "map[as_of:2024-07-26 in_force:[map[hash:") ||
		!strings.HasSuffix(fmt.Sprint(o["view"]), " seq:"+closed+"]") {
		t.Errorf("%v", o["view"])
	}
	l.holds("reported", "", append([]string{"obligations", "show", id}, at(typed)...)...)
	// What is known at an instant is what was known at the last seq before it.
	typedSeq := int64(0)
	if _, err := fmt.Sscan(typed, &typedSeq); err != nil {
		t.Fatal(err)
	}
	when, err := l.store.Recorded(t.Context(), "town", typedSeq)
	if err != nil || when.IsZero() {
		t.Fatal(when, err)
	}
	for offset, want := range map[time.Duration]string{-time.Millisecond: "waiting", 0: "answered"} {
		if got := l.one("state", append([]string{"obligations", "show", id}, at(when.Add(offset).Format(time.RFC3339Nano))...)...); got != want {
			t.Errorf("%s after it was typed in: %s, want %s", offset, got, want)
		}
	}
	// status counts as the day did.
	if now, then := l.one("unconfirmed", "status"), l.one("today", append([]string{"status"}, at(closed)...)...); now == "" || then != "2024-07-26" {
		t.Errorf("status: %s, of %s", now, then)
	}
}

func (l *lookback) restated(closed string) {
	t := l.t
	t.Helper()
	july := []string{"periods", "list", "--jurisdiction", "town", "--kind", "month", "--duty", "zl2024/3", "--period", "2024-07"}
	versions := func(more ...string) (out []string) {
		for _, o := range l.objects(append(july, more...)...) {
			out = append(out, o.text("version"))
		}
		return out
	}
	if now := versions(); strings.Join(now, " ") != "0 1" {
		t.Errorf("July now: versions %v, want it closed and restated", now)
	}
	for _, more := range [][]string{{"--known-at", closed}, {"--as-of", "2024-08-01"}} {
		if then := versions(more...); strings.Join(then, " ") != "0" {
			t.Errorf("July %v: versions %v, want it closed and not restated", more, then)
		}
	}
	l.holds("3 missing", "restatement", append([]string{"periods", "show", "--duty", "zl2024/3", "--period", "2024-07", "--known-at", closed}, "--jurisdiction", "town")...)
}

func (l *lookback) refusesNonsense() {
	for _, c := range []struct{ value, hint string }{
		{"whenever", "want a seq, a time as 2024-06-25 14:30"}, {"999999", "has come to seq"}, {"2024-13-01", "or a day"}, {"99999999999999999999", "larger than any seq"},
	} {
		l.fails(exitUsage, []string{"obligations", "list", "--known-at", c.value}, c.hint)
	}
	l.fails(exitUsage, []string{"units", "list", "--as-of", "soon"}, "--as-of", "want a day")
}

// TestAViewLeavesNothingBehind: the copy holds personal data.
func TestAViewLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	d := openTown(t)
	for _, args := range [][]string{
		{"status"}, {"people", "list"}, {"silence", "list"}, {"tasks", "list"}, {"tasks", "show", "town/zl2024/3"}, {"units", "list"}, {"outbox", "list"},
		{"runs", "list"}, {"documents", "list"}, {"periods", "list"}, {"obligations", "list"},
	} {
		d.ok(append(args, "--as-of", "2024-07-02", "--known-at", "2099-12-31")...)
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Fatalf("duban %s left %v (%v)", strings.Join(args, " "), left, err)
		}
	}
	if code, _, _ := d.call("", "obligations", "show", "town/zl2024/99/jtj/m1", "--known-at", "2099-12-31"); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("a failure left %v (%v)", left, err)
	}
}

// TestALetterSentSinceIsPendingThen: what left after a moment had not left at it.
func TestALetterSentSinceIsPendingThen(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			l := newLookback(t, e)
			l.ok("run", "all")
			l.on("2024-07-22")
			l.ok("run", "all")
			letters := l.objects("outbox", "list", "--from", "2024-07-22", "--state", "sent", "--jurisdiction", "town")
			if len(letters) == 0 {
				t.Fatal("no letter left")
			}
			id := letters[0].text("id")
			n, err := l.store.Notice(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			known := fmt.Sprint(n.Seq)
			if got := l.one("state", "outbox", "show", id, "--known-at", known); got != string(notice.Pending) {
				t.Errorf("shown as %s at the seq it was planned at", got)
			}
			for _, o := range l.objects("outbox", "list", "--jurisdiction", "town", "--known-at", known) {
				if o["id"] == id && o["state"] != string(notice.Pending) {
					t.Errorf("listed as %v", o["state"])
				}
			}
			l.fails(exitUsage, []string{"outbox", "show", id, "--known-at", fmt.Sprint(n.Seq - 1)}, "there is no letter")
			file := filepath.Join(l.dir, "then.zip")
			l.ok("export", "evidence", "--unit", n.Key.Unit, "--from", "2024-07-01", "--to", "2024-07-31", "--known-at", known, "--out", file)
			l.ok("export", "evidence", "--verify", file)
			l.holds("known at seq "+known+" of town", "", "documents", "list", "--known-at", known)
			if got := l.one("state", "outbox", "show", id); got != string(notice.Sent) {
				t.Errorf("now it is %s", got)
			}
		})
	}
}

// TestTheRulesOfThen: a view goes by the policy that was in force, and says which.
func TestTheRulesOfThen(t *testing.T) {
	t.Parallel()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			l := newLookback(t, e)
			l.ok("run", "all")
			before := l.seq()
			policy := l.file("policy.yaml", "versions:\n  - ladder:\n      monthly:\n        - {step: T-3, rung: reminder}\n        - {step: T+4, rung: urging}\n")
			cfg := l.file("duban.yaml", "jurisdictions: {town: {policy: "+policy+"}}\n")
			l.on("2024-07-10")
			if code, out, errOut := l.call("", "--config", cfg, "config", "load", "--by", "李敏"); code != exitDone {
				t.Fatal(out, errOut)
			}
			old, err := l.store.Versions(t.Context(), "town", run.PolicyVersion)
			if err != nil || len(old) != 2 {
				t.Fatal(len(old), err)
			}
			id := item("3/jtj/2024-07")
			steps := func(more ...string) string {
				out := l.ok(append([]string{"--config", cfg, "explain", id}, more...)...)
				return strings.Join([]string{fmt.Sprint(strings.Contains(out, "T+4")), fmt.Sprint(strings.Contains(out, "T+2"))}, " ")
			}
			for _, c := range []struct {
				args []string
				want string
			}{
				{nil, "true false"}, {[]string{"--as-of", "2024-07-10"}, "true false"}, {[]string{"--as-of", "2024-07-09"}, "false true"},
				{[]string{"--as-of", "2024-07-10", "--known-at", before}, "false true"},
			} {
				if got := steps(c.args...); got != c.want {
					t.Errorf("explain %v: T+4 and T+2 on the ladder: %s, want %s", c.args, got, c.want)
				}
			}
			first, second := "policy "+old[0].Hash[:8]+" of 2024-01-01", "policy "+old[1].Hash[:8]+" of 2024-07-10"
			if view := fmt.Sprint(l.objects("--config", cfg, "units", "list", "--as-of", "2024-07-09")[0]["view"]); !strings.Contains(view, old[0].Hash) || strings.Contains(view, old[1].Hash) {
				t.Error(view)
			}
			l.holds(first, second, "--config", cfg, "units", "list", "--as-of", "2024-07-09")
			l.holds(second, first, "--config", cfg, "units", "list", "--as-of", "2024-07-10")
			l.holds(first, second, "--config", cfg, "units", "list", "--as-of", "2024-07-01") // nothing else was ever in force
			l.holds("no policy, calendar or template was loaded by then", first, "--config", cfg, "units", "list", "--as-of", "2023-12-31")
		})
	}
}

func TestTheInstantsPeopleType(t *testing.T) {
	a := &app{clock: func() time.Time { return civil.MustParse("2024-06-25").Time(time.UTC) }}
	zone := time.FixedZone("UTC+8", 8*3600)
	for _, c := range []struct{ text, want string }{
		{"2024-06-25T14:30:00+08:00", "2024-06-25T06:30:00Z"}, {"2024-06-25T06:30:00Z", "2024-06-25T06:30:00Z"},
		{"2024-06-25 14:30", "2024-06-25T06:30:00Z"}, {"2024-06-25T14:30", "2024-06-25T06:30:00Z"}, {"2024-06-25 14:30:05", "2024-06-25T06:30:05Z"},
		{"2024-06-25", "2024-06-25T15:59:59.999Z"}, {"20240625", "2024-06-25T15:59:59.999Z"}, {"today", "2024-06-25T15:59:59.999Z"},
		{"2024-12-31", "2024-12-31T15:59:59.999Z"},
		{"412", ""}, {"2024-06-31", ""}, {"14:30", ""}, {"", ""}, {"2024-06-25 25:00", ""}, {"20241301", ""},
	} {
		got, err := a.instant(c.text, zone)
		if c.want == "" {
			if err == nil {
				t.Errorf("%q was read as %s", c.text, got)
			}
			continue
		}
		if s := got.UTC().Format(time.RFC3339Nano); s != c.want || err != nil {
			t.Errorf("%q: %s, want %s (%v)", c.text, s, c.want, err)
		}
	}
}

// FuzzInstant wants every text to be an instant or a refusal.
func FuzzInstant(f *testing.F) {
	for _, s := range []string{"2024-06-25 14:30", "2024-06-25", "today", "412", "2024-06-25T14:30:00+08:00", "0000-00-00", "99999999"} {
		f.Add(s)
	}
	a := &app{clock: func() time.Time { return civil.MustParse("2024-06-25").Time(time.UTC) }}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := a.instant(text, time.UTC)
		again, errAgain := a.instant(text, time.UTC)
		if !got.Equal(again) || (err == nil) != (errAgain == nil) || err != nil && !got.IsZero() {
			t.Errorf("%q: %s (%v), then %s (%v)", text, got, err, again, errAgain)
		}
	})
}

// TestReadingGoesByWhatIsLoaded changes this machine's policy and loads it only later: what is read goes by the one in force, with
// a flag of time and without, and a line says that this machine's is another.
func TestReadingGoesByWhatIsLoaded(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-07-02")
	d.ok("run", "all")
	id := item("3/jtj/2024-07")
	steps := func(line bool, more ...string) string {
		t.Helper()
		code, out, errOut := d.call("", append([]string{"explain", id}, more...)...)
		if code != exitDone || strings.Contains(errOut, "is not the one in force for town") != line || strings.Count(errOut, "\n") > 1 {
			t.Errorf("explain %v: %d, %s", more, code, errOut)
		}
		return fmt.Sprint(strings.Contains(out, "T+4"), strings.Contains(out, "T+2"))
	}
	if got := steps(false); got != "false true" {
		t.Errorf("before: %s", got)
	}
	for name, file := range map[string]string{
		"another": "versions:\n  - ladder:\n      monthly:\n        - {step: T-3, rung: reminder}\n        - {step: T+4, rung: urging}\n", "unreadable": "versions: 3\n",
	} {
		d.env["DUBAN_DEFAULTS_POLICY"] = d.file(name+".yaml", file)
		for _, more := range [][]string{nil, {"--as-of", "2024-07-02"}, {"--as-of", "2024-07-02", "--known-at", time.Now().Add(time.Hour).Format(time.RFC3339)}} {
			if got := steps(true, more...); got != "false true" {
				t.Errorf("%s policy, %v: T+4 and T+2 on the ladder: %s", name, more, got)
			}
		}
	}
	d.env["DUBAN_DEFAULTS_POLICY"] = filepath.Join(d.dir, "another.yaml")
	d.ok("config", "load", "--by", "李敏")
	if got := steps(false); got != "true false" {
		t.Errorf("after loading: %s", got)
	}
}
