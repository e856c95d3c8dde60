package ladder

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"duban/jobs/task"
)

// The furthest a step may lie from its date, in working days and in calendar days.
const (
	furthest      = 250
	furthestAhead = 366
)

// Kinds are the kinds of duty that have a ladder.
func Kinds() []task.Kind {
	return []task.Kind{
		task.Milestone, task.Weekly, task.Monthly, task.Quarterly, task.HalfYearly, task.Yearly, task.Quota, task.Condition, task.Clock,
	}
}

// Readers are the contacts a step may be addressed or copied to.
func Readers() []task.Role { return []task.Role{task.Liaison, task.Deputy, task.Head, task.Legal} }

// Named returns the rule with the day that its name says: T-3, T, T+5, A30 or BREAK. A day that is set already must be
// the same; the least length of a break may be set apart from the name.
func Named(r Rule) (Rule, error) {
	named := r
	named.Offset, named.Ahead, named.Break = 0, 0, 0
	var n int
	var err error
	switch {
	case r.Step == BreakStep:
		named.Break = cmp.Or(r.Break, LongBreak)
	case r.Step == "T":
	case strings.HasPrefix(r.Step, "T-"), strings.HasPrefix(r.Step, "T+"):
		n, err = days(r.Step[2:], furthest)
		named.Offset = n
		if r.Step[1] == '-' {
			named.Offset = -n
		}
	case strings.HasPrefix(r.Step, "A"):
		n, err = days(r.Step[1:], furthestAhead)
		named.Ahead = n
	default:
		err = errors.New("no day")
	}
	switch {
	case err != nil:
		return r, fmt.Errorf("step %q names no day; write T-3, T or T+5 (working days), A30 (calendar days ahead) or BREAK", r.Step)
	case r.Offset != 0 && r.Offset != named.Offset:
		return r, fmt.Errorf("step %s has offset %d, which its name denies; leave offset out", r.Step, r.Offset)
	case r.Ahead != 0 && r.Ahead != named.Ahead:
		return r, fmt.Errorf("step %s is said %d days ahead, which its name denies; leave ahead out", r.Step, r.Ahead)
	case r.Break != 0 && r.Break != named.Break:
		return r, fmt.Errorf("step %s has a length of break; only %s has", r.Step, BreakStep)
	}
	return named, nil
}

// days reads a positive whole number without sign and leading zero.
func days(s string, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("want 1 to %d", most)
	}
	return n, nil
}

// Arrange returns the rules in the order of their days, as Steps needs them.
func Arrange(rules []Rule) []Rule {
	out := slices.Clone(rules)
	slices.SortStableFunc(out, func(a, b Rule) int { return cmp.Compare(place(a), place(b)) })
	return out
}

// place is where a rule stands on the way to the date and beyond it, in fifths and sevenths of a week's days: five working
// days are seven calendar days. The eve of a break is T or the working day before it.
func place(r Rule) int {
	switch {
	case r.Ahead > 0:
		return -5 * r.Ahead
	case r.Break > 0:
		return -1
	}
	return 7 * r.Offset
}

// Check names every rule that cannot be. The error joins one for each, by kind and in the order of the rules.
func (l Ladder) Check() error {
	var errs []error
	for _, kind := range slices.Sorted(maps.Keys(l)) {
		if !slices.Contains(Kinds(), kind) {
			errs = append(errs, fmt.Errorf("kind %q is unknown; known are %s", kind, list(Kinds())))
			continue
		}
		seen := map[string]bool{}
		for i, r := range l[kind] {
			for _, err := range r.problems(kind) {
				errs = append(errs, fmt.Errorf("%s: %w", kind, err))
			}
			if seen[r.Step] {
				errs = append(errs, fmt.Errorf("%s: step %s is there twice; keep one", kind, r.Step))
			}
			seen[r.Step] = true
			if i > 0 && place(l[kind][i-1]) > place(r) {
				errs = append(errs, fmt.Errorf("%s: step %s stands after %s; list the steps in the order of their days", kind, r.Step, l[kind][i-1].Step))
			}
		}
	}
	return errors.Join(errs...)
}

// Check names everything that is wrong with the rule in the ladder of the kind, one per line.
func (r Rule) Check(kind task.Kind) error { return errors.Join(r.problems(kind)...) }

func (r Rule) problems(kind task.Kind) (errs []error) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	named, err := Named(r)
	if err != nil {
		return []error{err}
	}
	must(r.Offset == named.Offset && r.Ahead == named.Ahead && r.Break == named.Break, "step %s has not the day its name says", r.Step)
	must(r.Break >= 0 && r.Break <= furthestAhead, "step %s: a break of %d days is none; write 3 for three days or more", r.Step, r.Break)
	switch r.Rung {
	case Reminder:
		must(r.Offset <= 0, "step %s reminds after the date; its rung is urging", r.Step)
	case Urging, Form:
		must(r.Offset > 0, "step %s: the rung %s is before the date or on it; nobody is accused before he is late", r.Step, r.Rung)
		must(r.Rung != Form || kind != task.Clock && kind != task.Quota, "step %s: there is no supervision form for the kind %s", r.Step, kind)
	case Pace, Bulletin, Report:
		must(false, "step %s: the rung %s is worked out, not listed; leave the step out", r.Step, r.Rung)
	default:
		must(false, "step %s: rung %q is unknown; write reminder, urging or form", r.Step, r.Rung)
	}
	for _, role := range slices.Concat([]task.Role{r.Reader()}, r.Copy) {
		must(slices.Contains(Readers(), role), "step %s: role %q is unknown; known are %s", r.Step, role, list(Readers()))
	}
	must(r.OpenedAhead >= 0 && r.OpenedAhead <= furthestAhead, "step %s: opened_ahead %d is out of range; write 0 to %d", r.Step, r.OpenedAhead, furthestAhead)
	must(r.Rung == Reminder || !r.Monday && !r.OnlyLate && !r.Support && r.OpenedAhead == 0,
		"step %s: monday, opened_ahead, only_late and support are for reminders", r.Step)
	must(r.Break == 0 || !r.Monday && !r.Support && r.OpenedAhead == 0, "step %s: the eve of a break waits for no Monday and informs no supporting unit", r.Step)
	must(r.Rung == Form || !r.OnlyMisses, "step %s: only_misses is for forms", r.Step)
	return errs
}

func list[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
