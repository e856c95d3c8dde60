package register

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// Change is one thing that an import adds, changes or withdraws.
type Change struct {
	Code string `json:"code"`
	// Did is added, changed or withdrawn.
	Did string `json:"did"`
	// What names the fields that changed, or the title of what was added or withdrawn.
	What string `json:"what"`
}

// Changes is what an import comes to.
type Changes struct {
	Changes   []Change `json:"changes"`
	Unchanged int      `json:"unchanged"`
	// Items is the number of obligations that move, are withdrawn or are opened again with it.
	Items int `json:"items"`
	// Notes tell what was taken otherwise than it was written.
	Notes []string `json:"-"`
}

func (c *Changes) add(code, did, what string) { c.Changes = append(c.Changes, Change{code, did, what}) }

// PlanImport is a ledger that was read and found good.
type PlanImport struct {
	Plan  task.Plan
	Tasks []task.Task
	// On is the day an edit counts from; a plan that is new counts from its issue.
	On  civil.Date
	Who string
	// Same says that every row whose measure reads otherwise is the same task all the same; Replace names rows that are
	// other tasks now.
	Same    bool
	Replace []string
	DryRun  bool
}

// ImportPlan brings the register to what the ledger says. Importing the same ledger again changes nothing; an edited
// one adds versions, moves open items to their new dates and withdraws what it no longer holds. History is kept.
func (r Register) ImportPlan(ctx context.Context, in PlanImport) (Changes, error) {
	out := Changes{Changes: []Change{}}
	code := in.Plan.Jurisdiction
	set, err := r.Settings(code)
	if err != nil {
		return out, err
	}
	err = r.changeUnless(ctx, code, in.DryRun, func(j task.Jurisdiction) (task.Batch, error) {
		out = Changes{Changes: []Change{}}
		b, edited, err := r.planBatch(ctx, j, in, &out)
		if err != nil || len(edited) == 0 {
			return b, err
		}
		moved, err := r.reschedule(ctx, j, set, edit{tasks: edited, plans: b.Plans, replaced: in.Replace, on: in.On, who: in.Who, why: "plan edited"})
		b.Events, b.Caches = append(b.Events, moved.Events...), moved.Caches
		out.Items = len(moved.Events)
		return b, err
	})
	return out, err
}

// changeUnless is change, but for a dry run, and for a batch that holds nothing, it writes nothing.
func (r Register) changeUnless(ctx context.Context, code string, dry bool, f func(task.Jurisdiction) (task.Batch, error)) error {
	errNothing := errors.New("nothing to write")
	err := r.change(ctx, code, func(j task.Jurisdiction) (task.Batch, error) {
		b, err := f(j)
		if err == nil && (dry || reflect.DeepEqual(b, task.Batch{})) {
			err = errNothing
		}
		return b, err
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// planBatch compares the ledger with the register and returns the versions to write, and the rows among them that had
// versions before.
func (r Register) planBatch(ctx context.Context, j task.Jurisdiction, in PlanImport, out *Changes) (b task.Batch, edited []task.Task, err error) {
	plans, err := r.Store.Plans(ctx, j.Code)
	if err != nil {
		return b, nil, err
	}
	on, planOn := in.On, in.On
	i := slices.IndexFunc(task.PlansAsOf(plans, civil.Never), func(p task.Plan) bool { return p.Code == in.Plan.Code })
	if i < 0 {
		on = in.Plan.Issued
		planOn = on
		out.add(in.Plan.Code, "added", in.Plan.Title)
	} else {
		was := task.PlansAsOf(plans, civil.Never)[i]
		if what := differences(was, in.Plan); what != "" {
			out.add(in.Plan.Code, "changed", what)
			planOn = max(on, was.On) // an earlier day would leave the old version in force
		}
	}
	if len(out.Changes) > 0 {
		p := in.Plan
		p.On = planOn
		b.Plans = []task.Plan{p}
	}
	versions, err := r.Store.Tasks(ctx, j.Code)
	if err != nil {
		return b, nil, err
	}
	fresh, edited, err := compare(latest(versions, in.Plan.Code), in, on, out)
	if err != nil {
		return b, nil, err
	}
	b.Tasks = slices.Concat(fresh, edited)
	b.NextOpen = openAgain(b, versions, in.Plan.Code)
	return b, edited, nil
}

// openAgain says when the rows that the batch touches are to be opened: each from its own version on, and all of a plan
// whose issue or validity reads otherwise, since periods that it closed may open now.
func openAgain(b task.Batch, versions []task.Task, plan string) map[task.TaskID]civil.Date {
	if len(b.Plans)+len(b.Tasks) == 0 {
		return nil
	}
	next := map[task.TaskID]civil.Date{}
	for _, p := range b.Plans {
		for _, t := range versions {
			if t.Plan == plan {
				next[t.TaskID] = p.On
			}
		}
	}
	for _, t := range b.Tasks {
		next[t.TaskID] = t.On
	}
	return next
}

// latest returns the newest version of every row the plan ever held, withdrawn ones included, by code.
func latest(versions []task.Task, plan string) map[string]task.Task {
	out := map[string]task.Task{}
	for _, t := range versions {
		if was, ok := out[t.Row]; t.Plan == plan && (!ok || cmp.Or(cmp.Compare(t.On, was.On), cmp.Compare(t.Seq, was.Seq)) > 0) {
			out[t.Row] = t
		}
	}
	return out
}

// compare sorts the rows of a ledger into those that are new and those that were edited, withdrawn or are back. A row
// whose measure reads otherwise stops the import until the operator says whether it is the same task.
func compare(old map[string]task.Task, in PlanImport, on civil.Date, out *Changes) (fresh, edited []task.Task, err error) {
	var errs []error
	seen := map[string]bool{}
	reordered := 0
	for _, t := range in.Tasks {
		seen[t.Row] = true
		was, known := old[t.Row]
		t.On, t.Seq = on, 0
		if !known {
			out.add(t.Row, "added", t.Title)
			fresh = append(fresh, t)
			continue
		}
		if t.DeadlineText == was.DeadlineText { // the reading was frozen, or given by a person
			t.Reading, t.Parser, t.ClarifiedBy = was.Reading, was.Parser, was.ClarifiedBy
		}
		if t.Fields == nil { // the ledger has no column of figures
			t.Fields = was.Fields
		}
		t.On = max(on, was.On)
		what := differences(was, t)
		if what == "" {
			out.Unchanged++
			if t.Order != was.Order { // a row above it came or went
				reordered++
				edited = append(edited, t)
			}
			continue
		}
		if t.Title != was.Title && !in.Same && !slices.Contains(in.Replace, t.Row) {
			errs = append(errs, fmt.Errorf("row %s was %q and is %q now: say --same where it is the same task, or --replace %s where another task took its number",
				t.Row, was.Title, t.Title, t.Row))
			continue
		}
		if was.Withdrawn {
			out.add(t.Row, "added", t.Title+" (again)")
		} else {
			out.add(t.Row, "changed", what)
		}
		edited = append(edited, t)
	}
	if reordered > 0 {
		out.add(in.Plan.Code, "changed", fmt.Sprintf("place of %d more rows", reordered))
	}
	for row, was := range old {
		if !seen[row] && !was.Withdrawn {
			out.add(row, "withdrawn", was.Title)
			was.Withdrawn, was.On, was.Seq = true, max(on, was.On), 0
			edited = append(edited, was)
		}
	}
	slices.SortFunc(edited, func(a, b task.Task) int { return strings.Compare(a.Row, b.Row) })
	slices.SortStableFunc(out.Changes, func(a, b Change) int { return strings.Compare(a.Did, b.Did) })
	return fresh, edited, errors.Join(errs...)
}

// unmeant are the fields that say where and when a version was read, not what it says, and the reading, which follows
// from the deadline's text.
var unmeant = map[string]bool{
	"On": true, "Seq": true, "Source": true, "Parser": true, "Caches": true, "Paused": true, "Reading": true, "Order": true,
}

// fieldWords are the names of fields that do not read well in small letters. shown are those whose old and new values
// are printed; the others may hold personal data.
var (
	fieldWords = map[string]string{
		"DeadlineText": "deadline", "LeadText": "lead units", "ResponsibleText": "responsible units", "SupportText": "supporting units",
		"SendTo": "send to", "ReportDay": "report day", "ValidTo": "valid to", "DocNumber": "document number", "FullName": "full name",
		"LiveFrom": "live from", "Fields": "figures", "CertState": "certificate's state", "HeldFrom": "held from", "HeldTo": "held to", "Title": "measure",
	}
	shown = map[string]bool{
		"DeadlineText": true, "Title": true, "Deliverable": true, "Issued": true, "DocNumber": true, "LiveFrom": true, "ReportDay": true,
		"LeadText": true, "ResponsibleText": true, "SupportText": true, "Fields": true,
	}
)

// differences names the fields in which two versions differ in meaning; empty where they say the same.
func differences[T any](was, is T) string {
	var names []string
	a, b := reflect.ValueOf(was), reflect.ValueOf(is)
	for i := range a.NumField() {
		f := a.Type().Field(i)
		x, y := a.Field(i), b.Field(i)
		if unmeant[f.Name] || x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0 || reflect.DeepEqual(x.Interface(), y.Interface()) {
			continue
		}
		what := cmp.Or(fieldWords[f.Name], strings.ToLower(f.Name))
		if shown[f.Name] {
			what += fmt.Sprintf(" %s → %s", value(x), value(y))
		}
		names = append(names, what)
	}
	return strings.Join(names, ", ")
}

// value prints a field on one line.
func value(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return cmp.Or(strings.Join(list, "、"), "nothing")
	}
	s := strings.Join(strings.Fields(fmt.Sprint(v.Interface())), " ")
	return cmp.Or(s, "nothing")
}

// UnitsImport is a units file that was read and found good.
type UnitsImport struct {
	Jurisdiction task.Jurisdiction
	Units        []task.Unit
	Groups       []task.Group
	On           civil.Date // the day an edit counts from; the first import counts from always
	Who          string
	DryRun       bool
}

// always is the day from which the units of a first import count, before any plan was issued.
var always = civil.Of(2000, 1, 1)

// ImportUnits brings the directory to what the file says. A unit that is gone from the file is removed, unless it still
// owes something.
func (r Register) ImportUnits(ctx context.Context, in UnitsImport) (Changes, error) {
	out := Changes{Changes: []Change{}}
	code := in.Jurisdiction.Code
	old, err := r.Store.Jurisdiction(ctx, code)
	isNew := errors.Is(err, task.ErrNotFound)
	if err != nil && !isNew {
		return out, err
	}
	if isNew {
		in.On = always
	}
	batch := func(j task.Jurisdiction) (task.Batch, error) {
		out = Changes{Changes: []Change{}}
		return r.unitsBatch(ctx, j, isNew, in, &out)
	}
	if !isNew {
		return out, r.changeUnless(ctx, old.Code, in.DryRun, batch)
	}
	b, err := batch(in.Jurisdiction)
	if err != nil || in.DryRun {
		return out, err
	}
	b.At = r.Clock().UTC()
	_, err = r.Store.Write(ctx, code, 0, b)
	return out, err
}

func (r Register) unitsBatch(ctx context.Context, j task.Jurisdiction, isNew bool, in UnitsImport, out *Changes) (b task.Batch, err error) {
	var dir task.Directory
	if !isNew {
		if dir, err = r.Store.Directory(ctx, j.Code); err != nil {
			return b, err
		}
	}
	next := in.Jurisdiction
	next.Seq, next.Caches, next.Paused = j.Seq, j.Caches, j.Paused
	if what := differences(j, next); isNew || what != "" {
		out.add(j.Code, map[bool]string{true: "added", false: "changed"}[isNew], strings.TrimPrefix(what+" "+next.Name, " "))
		b.Jurisdiction = &next
	}
	now := dir.AsOf(civil.Never)
	b.Units = merge(dir.Units, now.Units, in.Units, in.On, out, func(u *task.Unit) (string, string, *civil.Date, *int64, *bool) {
		return u.Code, u.Name, &u.On, &u.Seq, &u.Removed
	})
	b.Groups = merge(dir.Groups, now.Groups, in.Groups, in.On, out, func(g *task.Group) (string, string, *civil.Date, *int64, *bool) {
		return g.Code, g.Name, &g.On, &g.Seq, &g.Removed
	})
	if isNew || len(b.Units) == 0 && len(b.Groups) == 0 {
		return b, nil
	}
	return b, r.followUnits(ctx, j, dir, &b, in.On, out)
}

// merge compares two lists by code and returns the versions to write.
//
// old are the versions in force, every all there ever were: what comes back after it was removed counts from the removal
// at the earliest, or the removal would stand above it.
func merge[T any](every, old, fresh []T, on civil.Date, out *Changes, of func(*T) (code, name string, day *civil.Date, seq *int64, removed *bool)) []T {
	byCode, last := map[string]T{}, map[string]civil.Date{}
	for _, v := range old {
		code, _, _, _, _ := of(&v)
		byCode[code] = v
	}
	for _, v := range every {
		code, _, day, _, _ := of(&v)
		last[code] = max(last[code], *day)
	}
	var write []T
	for _, v := range fresh {
		code, name, day, seq, _ := of(&v)
		*day, *seq = max(on, last[code]), 0
		was, known := byCode[code]
		delete(byCode, code)
		if !known {
			out.add(code, "added", name)
		} else {
			what := differences(was, v)
			if what == "" {
				out.Unchanged++
				continue
			}
			out.add(code, "changed", what)
		}
		write = append(write, v)
	}
	for _, v := range old {
		code, name, day, seq, removed := of(&v)
		if _, gone := byCode[code]; gone {
			*day, *seq, *removed = max(on, last[code]), 0, true
			out.add(code, "withdrawn", name)
			write = append(write, v)
		}
	}
	return write
}

// followUnits brings what depends on the units up to date: the open items of changed units are looked at anew, tasks of
// changed groups are opened for new members, and a unit that is removed may owe nothing.
func (r Register) followUnits(ctx context.Context, j task.Jurisdiction, dir task.Directory, b *task.Batch, on civil.Date, out *Changes) error {
	set, err := r.Settings(j.Code)
	if err != nil {
		return err
	}
	tasks, err := r.Store.Tasks(ctx, j.Code)
	if err != nil {
		return err
	}
	b.NextOpen = map[task.TaskID]civil.Date{}
	for _, t := range tasks {
		b.NextOpen[t.TaskID] = on
	}
	next := task.Directory{Units: slices.Concat(dir.Units, b.Units), Groups: slices.Concat(dir.Groups, b.Groups)}
	planned, err := r.planned(ctx, j.Code)
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range b.Units {
		recs, err := r.Store.Records(ctx, j.Code, task.RecordFilter{Unit: u.Code})
		if err != nil {
			return err
		}
		if u.Removed {
			errs = append(errs, owesNothing(u, recs, set))
		}
		b.Caches = append(b.Caches, cachesOf(recs, tasks, next, set, planned)...)
	}
	out.Items = len(b.Caches)
	return errors.Join(errs...)
}

func owesNothing(u task.Unit, recs []task.Record, set planner.Settings) error {
	open := 0
	for _, rec := range recs {
		if rec.Obligation.Owes == task.OwesDeliver && task.Fold(rec.Obligation, rec.Events, civil.Never-1, set.Calendar, set.Terms).Open() {
			open++
		}
	}
	if open == 0 {
		return nil
	}
	return fmt.Errorf("remove unit %s (%s): it still owes %d items; waive them, or keep the unit in the file with 催办方式 不发", u.Code, u.Name, open)
}

// ImportPeople brings the roster to what the file says. A suspension that an event entered, and that lasts, stays; see
// keepHeld.
func (r Register) ImportPeople(ctx context.Context, store OccurrenceStore, code string, people []task.Person, on civil.Date, dry bool) (Changes, error) {
	out := Changes{Changes: []Change{}}
	err := r.changeUnless(ctx, code, dry, func(task.Jurisdiction) (task.Batch, error) {
		out = Changes{Changes: []Change{}}
		old, err := r.Store.People(ctx, code)
		if err != nil {
			return task.Batch{}, err
		}
		held, err := store.Occurrences(ctx, code, task.CertificateHeld)
		if err != nil {
			return task.Batch{}, err
		}
		people := merge(old, task.PeopleAsOf(old, civil.Never), keepHeld(old, people, held, on), on, &out,
			func(p *task.Person) (string, string, *civil.Date, *int64, *bool) {
				return p.Key, p.Unit, &p.On, &p.Seq, &p.Removed
			})
		if len(old) == 0 {
			people = firstRoster(people)
		}
		return task.Batch{People: people}, nil
	})
	return out, err
}
