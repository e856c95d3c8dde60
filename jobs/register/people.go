package register

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// TrainingStore reads the attendances that the register holds already.
type TrainingStore interface {
	Trainings(ctx context.Context, jurisdiction string) ([]task.Training, error)
}

// TrainingImport is a list of attendances that was read and found good.
type TrainingImport struct {
	Jurisdiction string
	Trainings    []task.Training
	// Complete says that the list holds every attendance of the calendar years it names: those it lacks are removed.
	// Otherwise it adds and corrects, as the sheet of one course does.
	Complete bool
	DryRun   bool
}

type attendance struct{ person, ref string }

// ImportTrainings brings the attendances to what the list says. The same person and reference replace what was there;
// importing the same list again changes nothing.
func (r Register) ImportTrainings(ctx context.Context, store TrainingStore, in TrainingImport) (Changes, error) {
	out := Changes{Changes: []Change{}}
	err := r.changeUnless(ctx, in.Jurisdiction, in.DryRun, func(task.Jurisdiction) (task.Batch, error) {
		out = Changes{Changes: []Change{}}
		every, err := store.Trainings(ctx, in.Jurisdiction)
		if err != nil {
			return task.Batch{}, err
		}
		return task.Batch{Trainings: trainings(every, in, &out)}, nil
	})
	return out, err
}

// trainings compares the list with what is stored and returns the entries to write, by day, person and reference.
func trainings(every []task.Training, in TrainingImport, out *Changes) []task.Training {
	known := map[attendance]task.Training{} // the last entry of each, removed ones included
	for _, t := range every {
		k := attendance{t.Person, t.Ref}
		if old, ok := known[k]; !ok || t.Seq >= old.Seq {
			known[k] = t
		}
	}
	var write []task.Training
	listed, years := map[attendance]bool{}, map[int]bool{}
	for _, t := range in.Trainings {
		t.Jurisdiction, t.Seq = in.Jurisdiction, 0
		k := attendance{t.Person, t.Ref}
		listed[k], years[t.On.Year()] = true, true
		was, ok := known[k]
		what := trainingDiffers(was, t)
		switch {
		case !ok:
			out.add(t.Person, "added", trainingText(t))
		case was.Removed:
			out.add(t.Person, "added", trainingText(t)+" (again)")
		case what == "":
			out.Unchanged++
			continue
		default:
			out.add(t.Person, "changed", t.Ref+": "+what)
		}
		write = append(write, t)
	}
	if in.Complete {
		write = append(write, gone(known, listed, years, out)...)
	}
	slices.SortFunc(write, func(a, b task.Training) int {
		return cmp.Or(cmp.Compare(a.On, b.On), strings.Compare(a.Person, b.Person), strings.Compare(a.Ref, b.Ref))
	})
	slices.SortStableFunc(out.Changes, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Did, b.Did), strings.Compare(a.Code, b.Code), strings.Compare(a.What, b.What))
	})
	return write
}

// gone returns the removals of what a complete list lacks. Each counts from the day of the attendance, as if it had never
// been entered.
func gone(known map[attendance]task.Training, listed map[attendance]bool, years map[int]bool, out *Changes) []task.Training {
	var removed []task.Training
	for k, t := range known {
		if listed[k] || t.Removed || !years[t.On.Year()] {
			continue
		}
		t.Removed, t.Seq = true, 0
		out.add(t.Person, "withdrawn", trainingText(t))
		removed = append(removed, t)
	}
	return removed
}

func trainingText(t task.Training) string { return fmt.Sprintf("%s %s %d hours", t.Ref, t.On, t.Hours) }

// trainingDiffers names the fields in which two entries of one attendance differ.
func trainingDiffers(was, is task.Training) string {
	var names []string
	differ := func(name string, a, b any) {
		if a != b {
			names = append(names, fmt.Sprintf("%s %v → %v", name, a, b))
		}
	}
	differ("day", was.On, is.On)
	differ("hours", was.Hours, is.Hours)
	differ("for", was.For, is.For)
	differ("assessed", was.Assessed, is.Assessed)
	differ("passed", was.Passed, is.Passed)
	if was.Course != is.Course {
		names = append(names, "course")
	}
	return strings.Join(names, ", ")
}

// firstRoster puts a version that counts from always before each row of a jurisdiction's first roster, so that days before
// the import can be looked at too. The hours of the row itself are those of the year it was imported in.
func firstRoster(people []task.Person) []task.Person {
	out := make([]task.Person, 0, 2*len(people))
	for _, p := range people {
		was := p
		was.On = always
		out = append(out, was)
	}
	return append(out, people...)
}

// keepHeld lets the suspensions stand that events entered and that last on day on, where the list calls the certificate valid
// and names no suspension: the same list, imported before the event and after it, says the same and lifts nothing. A row
// that gives the suspension's days itself, or calls the certificate 注销, is taken as it is.
func keepHeld(every, fresh []task.Person, events []task.Occurrence, on civil.Date) []task.Person {
	versions := map[string][]task.Person{}
	for _, p := range every {
		versions[p.Key] = append(versions[p.Key], p)
	}
	out := slices.Clone(fresh)
	for _, o := range task.OccurrencesAsOf(events, on) {
		if o.Person == "" || o.Exempt != "" {
			continue
		}
		held, ok := heldBy(versions[o.Person], o)
		if !ok || held.HeldTo < on || lifted(versions[o.Person], o) {
			continue
		}
		for i, p := range out {
			if p.Key == o.Person && (p.CertState == "" || p.CertState == validState) && p.HeldFrom == 0 && p.HeldTo == 0 {
				out[i].CertState, out[i].HeldFrom, out[i].HeldTo = heldState, o.On, held.HeldTo
			}
		}
	}
	return out
}

// heldBy is the last version that says what the event entered into the roster; false where there is none.
func heldBy(versions []task.Person, o task.Occurrence) (last task.Person, ok bool) {
	for _, v := range versions {
		if v.CertState == heldState && v.HeldFrom == o.On && (!ok || v.Seq > last.Seq) {
			last, ok = v, true
		}
	}
	return last, ok
}

// lifted reports whether the roster has said since that the event's suspension ended before its time.
func lifted(versions []task.Person, o task.Occurrence) bool {
	held, ok := heldBy(versions, o)
	return ok && slices.ContainsFunc(versions, func(v task.Person) bool {
		return v.Seq > held.Seq && v.CertState != heldState && held.On <= v.On && v.On <= held.HeldTo
	})
}
