package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// Whatever happens: nothing is said under a silence; nobody is urged before the day after the register's check, while the
// bureau holds the item or a request waits, nor without the check where it is wanted; no form is drafted without an urging
// that was served four workdays before; and no unit gets more letters a week than the cap allows.
func TestDueProcess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		left := map[string]int{} // letters that left, by unit and week, without the first working day's
		w.season(t, func(d civil.Date, before planner.World, p planner.Plan) {
			for _, f := range p.Steps {
				if f.Passed == "" {
					mayBeSaid(t, before, f)
				}
			}
			for _, n := range p.Notices {
				for _, it := range n.Facts.Items() {
					r := record(before, it.Ref)
					st := task.Fold(r.Obligation, r.Events, d, national, w.Set.Terms)
					if s, ok := task.Silenced(before.Silences, r.Obligation.Ref, d); ok {
						t.Fatalf("%s: %s stands in a letter under the silence %+v", d, it.Ref, s)
					}
					if it.Late > 0 && st.HeldUntil != 0 {
						t.Fatalf("%s: %s is called late while the bureau holds it", d, it.Ref)
					}
				}
				if first := national.WeekStart(d); n.Key.Kind == notice.UnitLetter && n.State == notice.Pending && d != first && !w.down {
					if left[n.Key.Unit+first.String()]++; w.Set.WeeklyCap > 0 && left[n.Key.Unit+first.String()] > w.Set.WeeklyCap {
						t.Fatalf("%s: letter %d of the week to %s, the cap is %d", d, left[n.Key.Unit+first.String()], n.Key.Unit, w.Set.WeeklyCap)
					}
				}
				if n.Key.Kind == notice.SupervisionForm && (n.State != notice.Held || !n.NextTry.IsZero() || n.Facts.Paper == nil) {
					t.Fatalf("%s: a form is no draft: %+v", d, n)
				}
			}
			for _, h := range p.Held {
				if h.Reason == "" || h.Step == "" {
					t.Fatalf("%s: held without a reason: %+v", d, h)
				}
			}
		})
	})
}

func mayBeSaid(t *rapid.T, w planner.World, f task.FiredStep) {
	r, d, cal := record(w, f.Obligation), f.On, national
	o := r.Obligation
	st := task.Fold(o, r.Events, d, cal, w.Set.Terms)
	due := max(st.Effective, st.Assess)
	if s, ok := task.Silenced(w.Silences, o.Ref, d); ok {
		t.Fatalf("%s: %s of %s under the silence %+v", d, f.Step, f.Obligation, s)
	}
	if !strings.HasPrefix(f.Step, "T+") {
		return
	}
	if _, ok := task.Silenced(w.Silences, o.Ref, cal.Add(d, -1)); ok || st.HeldUntil != 0 || st.Asked != 0 {
		t.Fatalf("%s: %s of %s while it is held (until %s), or asked for (%s), or not checked after a silence", d, f.Step, f.Obligation, st.HeldUntil, st.Asked)
	}
	after := 2
	if o.Kind == task.Clock {
		after = 1
	}
	if d < cal.T(due, after) {
		t.Fatalf("%s: %s of %s, due %s", d, f.Step, f.Obligation, due)
	}
	urgings := slices.DeleteFunc(slices.Clone(r.Steps), func(s task.FiredStep) bool {
		return s.Arm != st.Arm || s.Role != task.Liaison || !strings.HasPrefix(s.Step, "T+")
	})
	if f.Role == task.Liaison {
		if w.Set.Confirm && len(urgings) == 0 && st.Checked <= due && st.Contacted <= st.Effective {
			t.Fatalf("%s: %s of %s without a check", d, f.Step, f.Obligation)
		}
		return
	}
	told := st.Contacted > due && cal.Count(st.Contacted, d) >= 4 || slices.ContainsFunc(urgings, func(s task.FiredStep) bool {
		on := w.Served[s.Notice]
		return s.Passed == "" && on != 0 && cal.Count(on, d) >= 4
	})
	switch {
	case !told:
		t.Fatalf("%s: a form of %s without an urging that was served: %+v, contacted %s", d, f.Obligation, urgings, st.Contacted)
	case o.Ambiguous && st.Assess > st.Effective && !st.Returned && !st.Extended:
		t.Fatalf("%s: a form of %s, whose date has two readings", d, f.Obligation)
	case (o.Kind == task.Monthly || o.Kind == task.Weekly) && !slices.ContainsFunc(w.Records, func(h task.Record) bool {
		p := h.Obligation
		was := task.Fold(p, h.Events, d, cal, w.Set.Terms)
		return p.TaskID == o.TaskID && p.Unit == o.Unit && was.Assess < st.Assess && !was.Unconfirmed &&
			(was.State == task.Waiting || was.Reported > was.Assess)
	}):
		t.Fatalf("%s: a form of %s after one miss", d, f.Obligation)
	}
}

// What is explained of a day is what is said on it, and what its eve announced is what is urged, if nothing happened in
// between.
func TestExplainedAndAnnouncedIsWhatIsSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		var announced map[string]string
		var asOf planner.World
		var eve civil.Date
		w.season(t, func(d civil.Date, before planner.World, p planner.Plan) {
			said := map[string]string{}
			first := map[string]string{}
			for _, f := range p.Steps {
				if f.Passed != "" {
					continue
				}
				said[f.Obligation+" "+f.Step] = "today"
				c, _ := before.Case(f.Obligation, d)
				if strings.HasPrefix(f.Step, "T+") && f.N == 1 && !urgedInArm(c, f.Arm) || f.Role == task.Deputy {
					first[f.Obligation] = f.Step
				}
			}
			held := map[string]string{}
			for _, h := range p.Held {
				held[h.Ref+" "+h.Step] = h.Reason
			}
			for _, r := range before.Records {
				ref := r.Obligation.Ref.String()
				c, ok := before.Case(ref, d)
				if !ok {
					continue
				}
				for _, s := range planner.Decide(c, w.Set, d).Steps {
					switch key := ref + " " + s.Step; {
					case s.State == planner.StepToday && said[key] == "":
						t.Fatalf("%s: %s is explained to go and does not", d, key)
					case s.State == planner.StepHeld && held[key] != s.Reason && !strings.Contains(s.Reason, "is due as well"):
						t.Fatalf("%s: %s is explained to wait for %q, and waits for %q", d, key, s.Reason, held[key])
					}
				}
			}
			if announced != nil && national.Add(eve, 1) == d && same(asOf, before) {
				for ref, step := range announced { // after a silence the second urging is announced as well
					if said[ref+" "+step] == "" && !counts(before, ref, eve, d) {
						t.Fatalf("%s: announced %s %s, said %v", d, ref, step, said)
					}
				}
				for ref, step := range first {
					if announced[ref] != step && !counts(before, ref, eve, d) {
						t.Fatalf("%s: %s %s was not announced: %v", d, ref, step, announced)
					}
				}
			}
			// The eve of the next working day, if nothing happens until then.
			asOf, announced, eve = before.Apply(p), map[string]string{}, d
			if w.down || len(before.Unsent) > 0 || w.Set.WeeklyCap > 0 || len(w.Set.Later) > 0 {
				announced = nil
				return
			}
			for _, r := range asOf.Records {
				if c, ok := asOf.Case(r.Obligation.Ref.String(), d); ok {
					if step, why, ok := planner.Announce(c, w.Set, d); ok && strings.Contains(why, "unless") {
						announced[r.Obligation.Ref.String()] = step.Step
					}
				}
			}
		})
	})
}

// urgedInArm reports whether an urging of the arm was said or passed over, and no silence ended since.
func urgedInArm(c planner.Case, arm int) bool {
	return slices.ContainsFunc(c.Record.Steps, func(s task.FiredStep) bool {
		return s.Arm == arm && s.Role == task.Liaison && strings.HasPrefix(s.Step, "T+")
	})
}

// counts reports whether something entered ahead of time about the row of an item begins to count after the eve.
func counts(w planner.World, ref string, eve, d civil.Date) bool {
	row := record(w, ref).Obligation.TaskID
	return slices.ContainsFunc(w.Records, func(r task.Record) bool {
		return r.Obligation.TaskID == row && slices.ContainsFunc(r.Events, func(e task.Event) bool { return e.On > eve && e.On <= d })
	})
}

// same reports whether nothing but the date has changed.
func same(a, b planner.World) bool {
	return fmt.Sprint(a.Records, a.Silences, a.Documents, a.TaskEvents, a.Unsent) == fmt.Sprint(b.Records, b.Silences, b.Documents, b.TaskEvents, b.Unsent)
}
