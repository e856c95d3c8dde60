package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/compose"
	"duban/notify/file"
	"duban/notify/notice"
	"duban/store"
	"duban/testdata"
)

func (a *app) demoCmd() *cobra.Command {
	var dir, from, to string
	c := &cobra.Command{
		Use: "demo", Short: "Five real plans, a fortnight day by day, letters you can open",
		Long: `Create a fresh embedded database, import the five bundled plans with an invented history of reports, and run every
day of the range as the worker would have: reminders and urging, the bureau's digests, drafts of supervision forms that
are issued a few days later, closed months and quarters, the letters about people. The letters are written as .eml files
with an index.html that opens them, drafts of formal letters as .docx into documents.
Contacts, people, cases and reports are invented; plans, units and dates are real.`,
		Example: "  duban demo\n  duban demo --dir /tmp/winter --from 2024-12-20 --to 2025-01-20",
		RunE: func(c *cobra.Command, _ []string) error {
			first, last, err := a.days(from, to)
			if err != nil {
				return err
			}
			return a.demo(c.Context(), dir, first, last)
		},
	}
	f := c.Flags()
	f.StringVar(&dir, "dir", "./duban-demo", "folder to make; one that holds anything else is refused")
	f.StringVar(&from, "from", "2024-09-29", "first day")
	f.StringVar(&to, "to", "2024-10-15", "last day")
	return c
}

// longestDemo bounds the range of a demo in days.
const longestDemo = 1100

func (a *app) demo(ctx context.Context, dir string, from, to civil.Date) error {
	if from == 0 || to < from || to-from > longestDemo {
		return usagef("demo: --from %s --to %s: want a range of at most %d days", from, to, longestDemo)
	}
	if a.flags.config != "" || a.flags.db != "" {
		return usagef("demo: it makes a database of its own; leave --config and --db out")
	}
	if err := freshDir(dir); err != nil {
		return err
	}
	if err := a.configureDemo(dir); err != nil {
		return err
	}
	s, err := a.openDB(ctx, "sqlite:"+filepath.Join(dir, "duban.db"))
	if err != nil {
		return err
	}
	d := newDemo(a, s, dir, from, to)
	return d.run(ctx)
}

// configureDemo sets the defaults, whatever the environment says: the demo is the same everywhere.
func (a *app) configureDemo(dir string) error {
	a.env = func(string) (string, bool) { return "", false }
	if err := a.load(); err != nil {
		return err
	}
	a.cfg.Mail.Dir = filepath.Join(dir, "letters")
	a.cfg.Mail.FromName, a.cfg.Mail.FromAddress, a.cfg.Mail.MessageIDDomain = "", "duban@sfj.example", "sfj.example"
	a.policies.cfg, a.policies.bundled = a.cfg, bundledPolicy
	a.log = a.log.Level(zerolog.WarnLevel)
	return nil
}

func newDemo(a *app, s *store.Store, dir string, from, to civil.Date) *demo {
	return &demo{app: a, store: s, dir: dir, from: from, to: to, known: map[string]bool{}, story: map[string][]task.Event{}}
}

// marker names a folder that the demo made.
const marker = ".duban-demo"

// made lists what the demo puts into its folder.
var made = []string{marker, "duban.db", "duban.db-wal", "duban.db-shm", "index.html", "letters", "documents"}

// freshDir makes the folder, or empties one that an earlier demo made. A folder that holds anything else is refused.
func freshDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usagef("demo: --dir %s: %w", dir, err)
	}
	ours := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == marker })
	for _, e := range entries {
		if !ours || !slices.Contains(made, e.Name()) {
			return usagef("demo: --dir %s holds %s, which the demo did not make; name an empty folder", dir, e.Name())
		}
	}
	for _, name := range made {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("empty demo folder: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make demo folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, marker), []byte("made by duban demo; the next demo empties this folder\n"), 0o600); err != nil {
		return fmt.Errorf("mark demo folder: %w", err)
	}
	return nil
}

// demo is one run of the demo.
type demo struct {
	*app
	store    *store.Store
	dir      string
	from, to civil.Date
	codes    []string
	rowsRead map[string]int
	known    map[string]bool         // obligations whose story is written
	story    map[string][]task.Event // invented events that are still to come, by jurisdiction and day
}

func (d *demo) run(ctx context.Context) error {
	if err := d.importAll(ctx); err != nil {
		return err
	}
	for day := d.from; day <= d.to; day++ {
		for _, code := range d.codes {
			if err := d.day(ctx, code, day); err != nil {
				return fmt.Errorf("demo %s %s: %w", code, day, err)
			}
		}
		d.progress(day)
	}
	if err := d.writeDocuments(ctx); err != nil {
		return err
	}
	letters, err := d.writeIndex(ctx)
	if err != nil {
		return err
	}
	return d.summary(ctx, letters)
}

// progress writes a counting line, on a terminal only.
func (d *demo) progress(day civil.Date) {
	f, ok := d.err.(*os.File)
	if !ok || d.flags.quiet {
		return
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return
	}
	end := ""
	if day == d.to {
		end = "\r\x1b[K"
	}
	fmt.Fprintf(f, "\r%s  day %d of %d%s", day, day-d.from+1, d.to-d.from+1, end)
}

// importAll imports units, plan, people and their training of every bundled jurisdiction, as of the plan's issue.
func (d *demo) importAll(ctx context.Context) error {
	entries, err := fs.ReadDir(testdata.FS, "plans")
	if err != nil {
		return fmt.Errorf("read bundled plans: %w", err)
	}
	d.rowsRead = map[string]int{}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		code := e.Name()
		d.codes = append(d.codes, code)
		files, err := fs.ReadDir(testdata.FS, path.Join("plans", code))
		if err != nil {
			return fmt.Errorf("read bundled plans: %w", err)
		}
		for _, kind := range []string{"units", "plan", "people", "training"} {
			i := slices.IndexFunc(files, func(f fs.DirEntry) bool { return strings.HasPrefix(f.Name(), kind+".") })
			if i < 0 && kind == "training" { // a document that says nothing of hours has none
				continue
			}
			if i < 0 {
				return fmt.Errorf("read bundled plans: %s has no %s", code, kind)
			}
			name := path.Join("plans", code, files[i].Name())
			b, err := fs.ReadFile(testdata.FS, name)
			if err != nil {
				return fmt.Errorf("read bundled plans: %w", err)
			}
			sum, err := d.importBytes(ctx, d.store, kind, name, b, importOptions{jurisdiction: code, by: "duban demo", liveFrom: d.inUse()})
			if err != nil {
				return err
			}
			if kind == "plan" {
				d.rowsRead[code] = sum.Rows
			}
		}
	}
	return nil
}

// inUse is the day duban is taken into use in the demo: the first of the month before its first day. What was late long
// before is inherited, as it would be anywhere; a first day that urges everybody of the last two years shows nothing.
func (d *demo) inUse() civil.Date {
	first := d.from - civil.Date(d.from.Day()) + 1
	return first.AddMonths(-1)
}

// day runs one day of one jurisdiction: what opens, what happens, what is said.
func (d *demo) day(ctx context.Context, code string, day civil.Date) error {
	if err := d.prepare(ctx, d.store, code); err != nil {
		return err
	}
	if err := errors.Join(d.trigger(ctx, code, day), d.occur(ctx, code, day)); err != nil {
		return err
	}
	runner := d.runner(d.store, "demo")
	results, err := runner.Run(ctx, "open", code, day, false)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(results, func(r jobs.Result) bool { return r.Counts.Opened > 0 }) {
		if err := d.invent(ctx, code); err != nil {
			return err
		}
	}
	if err := d.happen(ctx, code, day); err != nil {
		return err
	}
	if err := d.issue(ctx, code, day); err != nil {
		return err
	}
	if _, err = runner.Run(ctx, "escalate", code, day, false); err != nil {
		return err
	}
	_, err = d.deliver(ctx, d.store, code, day, true, true) // a form that was issued bears the date of its draft
	return err
}

// writeDocuments writes the formal letters, issued or drafted, as .docx files.
func (d *demo) writeDocuments(ctx context.Context) error {
	docs, err := d.store.Documents(ctx, notice.DocumentFilter{})
	if err != nil || len(docs) == 0 {
		return err
	}
	dir := filepath.Join(d.dir, "documents")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make folder of documents: %w", err)
	}
	for _, doc := range docs {
		if doc.State != notice.Drafted && doc.State != notice.Issued {
			continue
		}
		if _, err := writeDocument(ctx, d.store, doc, dir); err != nil {
			return err
		}
	}
	return nil
}

// demoLetter is what the summary tells of a letter.
type demoLetter struct {
	key   notice.Key
	state notice.State
	rung  string // of a unit's letter
}

// writeIndex composes every letter that left once more, for the index that opens them, and returns what is told of all of them:
// a year's letters are more than there is room for.
func (d *demo) writeIndex(ctx context.Context) ([]demoLetter, error) {
	sender, err := d.mailOf("")
	if err != nil {
		return nil, err
	}
	composer, err := compose.New(sender)
	if err != nil {
		return nil, err
	}
	const page = 50
	var letters []demoLetter
	var entries []file.IndexEntry
	err = eachPage(ctx, d.store, notice.Filter{Limit: page}, func(n notice.Notice) error {
		if n.State == notice.Sent {
			if entries, err = d.addPages(entries, composer, n); err != nil {
				return err
			}
		}
		letters = append(letters, demoLetter{n.Key, n.State, n.Facts.Rung()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return letters, file.WriteIndex(d.dir, "", entries)
}

// addPages writes the pages of a letter's copies and adds their entries.
func (d *demo) addPages(entries []file.IndexEntry, composer *compose.Composer, n notice.Notice) ([]file.IndexEntry, error) {
	mails, errs := composer.All(n)
	for i, msg := range mails {
		if errs[i] != nil {
			return nil, fmt.Errorf("compose letter %s: %w", n.ID, errs[i])
		}
		e := file.Entry(n, msg)
		e.Path = path.Join("letters", e.Path)
		e, err := file.WritePage(d.dir, e)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (d *demo) summary(ctx context.Context, letters []demoLetter) error {
	kinds, perKind := map[string]int{}, [][]string{}
	var plans, people [][]string
	for _, code := range d.codes {
		versions, err := d.store.Plans(ctx, code)
		if err != nil {
			return err
		}
		for _, p := range task.PlansAsOf(versions, civil.Never) {
			plans = append(plans, []string{code, p.Code, p.DocNumber, p.Issued.String(), fmt.Sprint(d.rowsRead[code]), p.Title})
		}
		recs, err := d.store.Records(ctx, code, task.RecordFilter{})
		if err != nil {
			return err
		}
		for _, r := range recs {
			kinds[string(r.Obligation.Kind)]++
		}
		rows, err := d.taskRows(ctx, d.store, code, "", "", d.to.String())
		if err != nil {
			return err
		}
		for _, r := range rows {
			if word := map[string]string{"unreadable": "时限待核定", "ambiguous": "时限待核定（两种读法）", "awaiting": "条件未具备"}[r.Status]; word != "" {
				people = append(people, []string{r.ID, word, r.Deadline, r.Title})
			}
		}
	}
	for _, k := range sortedKeys(kinds) {
		perKind = append(perKind, []string{k, fmt.Sprint(kinds[k])})
	}
	if a := d.app; a.asJSON() {
		return a.json(demoSummary(d, kinds, letters, people))
	}
	if d.flags.quiet {
		return nil
	}
	d.say("plans")
	table(d.out, []string{"jurisdiction", "code", "number", "issued", "rows", "title"}, plans)
	d.say("\nobligations by kind")
	table(d.out, []string{"kind", "obligations"}, perKind)
	d.say("\nletters by day, jurisdiction and rung")
	table(d.out, []string{"day", "jurisdiction", "rung or kind", "letters"}, letterTable(letters))
	d.say("\nrows that need a person")
	table(d.out, []string{"row", "why", "deadline", "title"}, people)
	db := filepath.Join(d.dir, "duban.db")
	try := "\n  " + typed(os.Args[0]) + " --db " + shellQuoted("sqlite:"+db) + " "
	d.say("\n%s: open %s\nTry next:%sstatus%sobligations list --overdue --as-of %s%stasks list --status unreadable%soutbox list --from %s",
		many(countSent(letters), "letter"), filepath.Join(d.dir, "index.html"), try, try, d.to, try, try, d.to)
	return nil
}

func countSent(letters []demoLetter) int {
	n := 0
	for _, l := range letters {
		if l.state == notice.Sent {
			n++
		}
	}
	return n
}

// letterTable counts letters by day, jurisdiction and highest rung.
func letterTable(letters []demoLetter) [][]string {
	byKey := map[string]int{}
	for _, n := range letters {
		rung := cmp.Or(n.rung, n.key.Kind)
		if n.state != notice.Sent {
			rung += " (" + string(n.state) + ")"
		}
		byKey[n.key.Date.String()+"|"+n.key.Jurisdiction+"|"+rung]++
	}
	var rows [][]string
	for _, k := range sortedKeys(byKey) {
		rows = append(rows, append(strings.Split(k, "|"), fmt.Sprint(byKey[k])))
	}
	return rows
}

// demoSummary is the summary as JSON.
func demoSummary(d *demo, kinds map[string]int, letters []demoLetter, people [][]string) any {
	type letterCount struct {
		Day, Jurisdiction, Rung, Letters string
	}
	out := struct {
		RowsRead    map[string]int `json:"rows_read"`
		Obligations map[string]int `json:"obligations"`
		Letters     int            `json:"letters"`
		ByDay       []letterCount  `json:"by_day"`
		NeedPerson  int            `json:"need_person"`
		Index       string         `json:"index"`
	}{RowsRead: d.rowsRead, Obligations: kinds, Letters: countSent(letters), NeedPerson: len(people), Index: filepath.Join(d.dir, "index.html")}
	for _, r := range letterTable(letters) {
		out.ByDay = append(out.ByDay, letterCount{r[0], r[1], r[2], r[3]})
	}
	return out
}
