package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/ledger"
	"duban/jobs/register"
	"duban/jobs/task"
	"duban/store"
)

// importOptions is what the flags of an import say.
type importOptions struct {
	jurisdiction, by string
	on               string
	dryRun           bool
	same             bool
	replace          []string
	complete         bool
	plan             ledger.PlanOptions
	liveFrom         civil.Date // replaces the jurisdiction's live_from, where set: the demo's
}

// largestFile bounds what an import reads.
const largestFile = 64 << 20

func (a *app) importCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "import", Short: "Read a ledger, units and contacts, a roster or attendances (xlsx or csv)",
		Long: `Import units first, then plans; the roster before attendances. An import is all or nothing: every bad row is named with file, sheet, row, column
and reason, and nothing is written. Importing the same file again changes nothing; an edited one shows what it adds,
changes and withdraws, and the history of what exists is kept.`,
	}
	for _, k := range []struct{ kind, short string }{
		{"units", "Units, groups and contacts of a jurisdiction"},
		{"plan", "The ledger of a plan"},
		{"people", "The roster of enforcement staff"},
		{"training", "Attendances of training courses"},
		{"events", "What happened (decisions, opinions, suspensions, inspections); starts the clocks that the policy's rules name"},
	} {
		c.AddCommand(a.importKindCmd(k.kind, k.short))
	}
	return c
}

func (a *app) importKindCmd(kind, short string) *cobra.Command {
	var o importOptions
	var issued, validTo string
	c := &cobra.Command{
		Use: kind + " FILE", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.plan.Issued, err = a.date("issued", issued, 0); err != nil {
				return err
			}
			if o.plan.ValidTo, err = a.date("valid-to", validTo, 0); err != nil {
				return err
			}
			b, err := readFile(args[0])
			if err != nil {
				return err
			}
			a.looks = o.dryRun
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			sum, err := a.importBytes(c.Context(), s, kind, filepath.Base(args[0]), b, o)
			if err != nil {
				return err
			}
			return a.printImport(sum, o.dryRun)
		},
	}
	f := c.Flags()
	f.StringVar(&o.jurisdiction, "jurisdiction", "", "jurisdiction code; needed where the file names none")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change and write nothing")
	f.StringVar(&o.on, "on", "", "the day from which an edit counts, YYYY-MM-DD (default today; what is new counts from its issue)")
	f.StringVar(&o.by, "by", "operator", "who imports it")
	if kind == "events" {
		c.Long = eventsHelp
	}
	if kind == "training" {
		f.BoolVar(&o.complete, "complete", false, "the file holds every attendance of the calendar years it names: those it lacks are removed")
	}
	if kind == "plan" {
		f.StringVar(&o.plan.Code, "code", "", "plan code, in lower-case letters and digits")
		f.StringVar(&o.plan.Title, "title", "", "title of the plan")
		f.StringVar(&o.plan.DocNumber, "number", "", "document number (文号)")
		f.StringVar(&issued, "issued", "", "issue date, YYYY-MM-DD")
		f.StringVar(&validTo, "valid-to", "", "last day of the plan, YYYY-MM-DD")
		f.BoolVar(&o.same, "same", false, "rows whose measure reads otherwise are the same tasks")
		f.StringSliceVar(&o.replace, "replace", nil, "rows whose number another task took")
	}
	return c
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usagef("read %s: %w; give the path of a file", name, errors.Unwrap(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if info, serr := f.Stat(); serr == nil && info.IsDir() {
		return nil, usagef("read %s: it is a folder; give the file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > largestFile {
		return nil, refusedError{fmt.Errorf("read %s: it is larger than %d MB; a ledger is not: save its sheet alone as .xlsx or .csv", name, largestFile>>20)}
	}
	return b, nil
}

// imported is the outcome of one import.
type imported struct {
	Kind         string   `json:"kind"`
	Jurisdiction string   `json:"jurisdiction"`
	Rows         int      `json:"rows"`
	Notes        []string `json:"notes,omitempty"`
	Unreadable   int      `json:"unreadable,omitempty"`
	register.Changes
}

// importBytes reads a file and brings the register to what it says.
func (a *app) importBytes(ctx context.Context, s *store.Store, kind, name string, b []byte, o importOptions) (imported, error) {
	out := imported{Kind: kind, Jurisdiction: o.jurisdiction}
	book, err := ledger.Read(name, b)
	if err != nil {
		return out, refusedError{err}
	}
	if label := book.Label("行政区域代码"); label != "" && o.jurisdiction != "" && label != o.jurisdiction {
		return out, refusedError{fmt.Errorf("import %s: the file is that of 行政区域代码 %s, and --jurisdiction says %s", name, label, o.jurisdiction)}
	}
	if out.Jurisdiction == "" && kind != "units" {
		if out.Jurisdiction, err = a.whichJurisdiction(ctx, s, book); err != nil {
			return out, err
		}
	}
	today := a.today(out.Jurisdiction)
	on, err := a.date("on", o.on, today)
	if err != nil {
		return out, err
	}
	if on > today {
		return out, usagef("import: --on %s has not come yet; import the file on that day", on)
	}
	switch kind {
	case "units":
		return out, a.importUnits(ctx, s, book, on, o, &out)
	case "plan":
		return out, a.importPlan(ctx, s, book, on, o, &out)
	case "events":
		return out, a.importEvents(ctx, s, book, on, o, &out)
	case "training":
		return out, a.importTraining(ctx, s, book, o, &out)
	}
	return out, a.importPeople(ctx, s, book, on, o, &out)
}

// whichJurisdiction takes the code from the file, or from the register where it knows only one.
func (a *app) whichJurisdiction(ctx context.Context, s *store.Store, book ledger.Book) (string, error) {
	if code := book.Label("行政区域代码"); code != "" {
		return code, nil
	}
	all, err := s.Jurisdictions(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 1 {
		return all[0].Code, nil
	}
	return "", usagef("import: the file names no 行政区域代码; say which with --jurisdiction")
}

func (a *app) importUnits(ctx context.Context, s *store.Store, book ledger.Book, on civil.Date, o importOptions, out *imported) (err error) {
	draft, problems := ledger.Units(book, ledger.UnitsOptions{Jurisdiction: out.Jurisdiction})
	if len(problems) > 0 {
		return problems
	}
	if o.liveFrom != 0 {
		draft.Jurisdiction.LiveFrom = o.liveFrom
	}
	out.Jurisdiction, out.Rows, out.Notes = draft.Jurisdiction.Code, len(draft.Units)+len(draft.Groups), draft.Notes
	out.Changes, err = a.register(s).ImportUnits(ctx, register.UnitsImport{
		Jurisdiction: draft.Jurisdiction, Units: draft.Units, Groups: draft.Groups, On: on, Who: o.by, DryRun: o.dryRun,
	})
	return refused(err)
}

func (a *app) importPlan(ctx context.Context, s *store.Store, book ledger.Book, on civil.Date, o importOptions, out *imported) error {
	dir, err := directory(ctx, s, out.Jurisdiction)
	if err != nil {
		return err
	}
	o.plan.Jurisdiction = out.Jurisdiction
	draft, problems := ledger.Plan(book, dir, o.plan)
	if len(problems) > 0 {
		return problems
	}
	out.Rows, out.Notes = len(draft.Tasks), draft.Notes
	stored, err := s.Tasks(ctx, out.Jurisdiction)
	if err != nil {
		return err
	}
	clarified := map[task.TaskID]string{} // the cell a person gave the reading of
	for _, t := range task.TasksAsOf(stored, civil.Never) {
		if t.ClarifiedBy != "" {
			clarified[t.TaskID] = t.DeadlineText
		}
	}
	for _, t := range draft.Tasks {
		if text, ok := clarified[t.TaskID]; statusOf(t, false) == "unreadable" && !(ok && text == t.DeadlineText) {
			out.Unreadable++
		}
	}
	out.Changes, err = a.register(s).ImportPlan(ctx, register.PlanImport{
		Plan: draft.Plan, Tasks: draft.Tasks, On: on, Who: o.by, Same: o.same, Replace: o.replace, DryRun: o.dryRun,
	})
	return refused(err)
}

func (a *app) importPeople(ctx context.Context, s *store.Store, book ledger.Book, on civil.Date, o importOptions, out *imported) error {
	dir, err := directory(ctx, s, out.Jurisdiction)
	if err != nil {
		return err
	}
	people, problems := ledger.People(book, dir, ledger.PeopleOptions{Jurisdiction: out.Jurisdiction})
	if len(problems) > 0 {
		return problems
	}
	out.Rows, out.Notes = len(people), ledger.PeopleNotes(book)
	out.Changes, err = a.register(s).ImportPeople(ctx, s, out.Jurisdiction, people, on, o.dryRun)
	return refused(err)
}

func (a *app) importTraining(ctx context.Context, s *store.Store, book ledger.Book, o importOptions, out *imported) error {
	if _, err := directory(ctx, s, out.Jurisdiction); err != nil {
		return err
	}
	people, err := s.People(ctx, out.Jurisdiction)
	if err != nil {
		return err
	}
	draft, problems := ledger.Trainings(book, people, ledger.TrainingOptions{Jurisdiction: out.Jurisdiction, Today: a.today(out.Jurisdiction)})
	if len(problems) > 0 {
		return problems
	}
	out.Rows, out.Notes = len(draft.Trainings), draft.Notes
	out.Changes, err = a.register(s).ImportTrainings(ctx, s, register.TrainingImport{
		Jurisdiction: out.Jurisdiction, Trainings: draft.Trainings, Complete: o.complete, DryRun: o.dryRun,
	})
	return refused(err)
}

// refused marks what an import found wrong with its input.
func refused(err error) error {
	if err == nil || errors.Is(err, task.ErrMoved) {
		return err
	}
	return refusedError{err}
}

// directory returns the units of the jurisdiction as they stand.
func directory(ctx context.Context, s *store.Store, code string) (task.Directory, error) {
	if _, err := s.Jurisdiction(ctx, code); err != nil {
		if errors.Is(err, task.ErrNotFound) {
			return task.Directory{}, usagef("there is no jurisdiction %q yet; import its units first: duban import units FILE", code)
		}
		return task.Directory{}, err
	}
	dir, err := s.Directory(ctx, code)
	return dir.AsOf(civil.Never), err
}

func (a *app) printImport(sum imported, dry bool) error {
	if a.asJSON() {
		return a.json(sum)
	}
	for _, n := range sum.Notes {
		a.say("note: %s", n)
	}
	rows := make([][]string, 0, len(sum.Changes.Changes))
	for _, c := range sum.Changes.Changes {
		rows = append(rows, []string{c.Did, c.Code, c.What})
	}
	if len(rows) > 0 && !a.flags.quiet {
		table(a.out, []string{"did", "code", "what"}, rows)
	}
	verb := "imported"
	if dry {
		verb = "would import (dry run, nothing written)"
	}
	a.say("%s %s for %s: %d rows, %d changes, %d unchanged%s", verb, sum.Kind, sum.Jurisdiction, sum.Rows, len(sum.Changes.Changes), sum.Unchanged,
		map[bool]string{true: fmt.Sprintf(", %d items follow", sum.Items)}[sum.Items > 0])
	if sum.Unreadable > 0 {
		a.say("%d deadlines could not be read (时限待核定): duban tasks list --jurisdiction %s --status unreadable", sum.Unreadable, sum.Jurisdiction)
	}
	return nil
}
