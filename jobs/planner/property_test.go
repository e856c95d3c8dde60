package planner_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// season is the stretch that random towns live through: it holds 中秋, 国庆 and their make-up days.
const (
	issue  = "2024-06-03"
	length = 150
)

// drawTown draws a plan of a few rows of every sort, for units that are written to in every way.
func drawTown(t *rapid.T) *town {
	w := newTown(t).issued(issue)
	w.Jurisdiction.LiveFrom = date(issue) + civil.Date(rapid.IntRange(-20, 20).Draw(t, "live from"))
	ways := []task.Chase{task.ChaseLetter, task.ChaseLetter, task.ChaseLetter, task.ChaseCourtesy, task.ChaseManual, task.ChaseNone}
	w.unit("a", "2024-01-01", in("all"))
	w.unit("b", "2024-01-01", in("all"), chased(rapid.SampledFrom(ways).Draw(t, "chase of b")))
	if rapid.Bool().Draw(t, "c joins later") {
		w.unit("c", (date(issue) + civil.Date(rapid.IntRange(1, 90).Draw(t, "c joins"))).String(), in("all"))
	}
	if rapid.Bool().Draw(t, "b has no liaison") {
		w.unit("b", "2024-01-01", in("all"), nobody)
	}
	w.Set.WeeklyCap = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "cap")
	w.Set.Confirm = rapid.IntRange(0, 4).Draw(t, "confirm") == 0
	w.Set.Grace = 3
	if rapid.IntRange(0, 4).Draw(t, "another policy") == 0 {
		later := ladder.Default()
		later[task.Milestone] = slices.DeleteFunc(slices.Clone(later[task.Milestone]), func(r ladder.Rule) bool { return r.Step == "T-10" || r.Step == "T+5" })
		w.Set.Later = []planner.Policy{{From: drawDay(t, 0, length), Ladder: later}}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "rows") {
		w.row(fmt.Sprint(i+1), drawReading(t), drawRow(t))
	}
	return w
}

func drawDay(t *rapid.T, from, to int) civil.Date {
	return date(issue) + civil.Date(rapid.IntRange(from, to).Draw(t, "day"))
}

func drawReading(t *rapid.T) deadline.Reading {
	switch rapid.IntRange(0, 9).Draw(t, "reading") {
	case 0, 1:
		return on(drawDay(t, -30, length).String())
	case 2:
		d := drawDay(t, 0, length-30)
		return on(d.String(), (d + 30).String())
	case 3:
		d := drawDay(t, 0, length-40)
		return or(on(d.String()), (d + 31).String())
	case 4:
		return every(deadline.Month, rapid.SampledFrom([]string{"5", "25", "end"}).Draw(t, "day of the month"))
	case 5:
		return every(deadline.Week, rapid.SampledFrom([]string{"Monday", "Friday"}).Draw(t, "day of the week"))
	case 6:
		return every(deadline.Quarter, "end")
	case 7:
		return number(rapid.IntRange(1, 30).Draw(t, "quota"), deadline.Quarter)
	case 8:
		return number(rapid.IntRange(1, 30).Draw(t, "quota"), deadline.Year)
	default:
		return after("决定", rapid.IntRange(1, 20).Draw(t, "offset"), rapid.SampledFrom([]string{"workday", "day", "month"}).Draw(t, "unit"))
	}
}

func drawRow(t *rapid.T) func(*task.Task) {
	return func(r *task.Task) {
		r.Parties = rapid.SampledFrom([][]task.Party{
			{lead("a")}, {everybody("all")}, {lead("a"), support("b")}, {lead("b"), support("a")}, {everybody("all"), support("c")},
		}).Draw(t, "parties")
		if rapid.IntRange(0, 4).Draw(t, "asks for progress") == 0 {
			r.Deliverable = ""
		}
	}
}

// whatHappens are the kinds of event a random town records, the usual ones oftener.
var whatHappens = []task.EventKind{
	task.Reported, task.Reported, task.Reported, task.Accepted, task.Returned, task.Returned, task.ExtensionAsked, task.ExtensionGranted,
	task.HeldBack, task.LetGo, task.Checked, task.Checked,
	task.ExtensionRefused, task.Counted, task.Counted, task.Contacted, task.Corrected, task.Waived, task.Withdrawn, task.Reopened, task.Redated, task.Confirmed,
}

// happen draws what is recorded on the day d: on items, counting from that day, from an earlier or from a later one; and
// triggers of rows that wait for an event. It returns the refs of the items.
func (w *town) happen(t *rapid.T, d civil.Date) []string {
	var touched []string
	for range rapid.IntRange(0, 2).Draw(t, "events") {
		if len(w.Records) == 0 {
			break
		}
		r := rapid.SampledFrom(w.Records).Draw(t, "item")
		o := r.Obligation
		kind := rapid.SampledFrom(whatHappens).Draw(t, "kind")
		when := d
		switch rapid.IntRange(0, 5).Draw(t, "counts from") {
		case 0:
			when = max(o.Opened, d-civil.Date(rapid.IntRange(0, 15).Draw(t, "days ago")))
		case 1: // dated ahead; but nobody opens again ahead of time what is closed now
			if kind != task.Reopened && kind != task.Returned && kind != task.Corrected {
				when = d + civil.Date(rapid.IntRange(0, 15).Draw(t, "days ahead"))
			}
		}
		var until civil.Date
		if days := rapid.IntRange(-3, 60).Draw(t, "until"); days > 0 {
			until = when + civil.Date(days)
		}
		w.event(when.String(), strings.TrimPrefix(o.Ref.String(), "ls/zf/"), kind, func(e *task.Event) {
			e.Date, e.N, e.Ref = until, rapid.IntRange(1, 4).Draw(t, "n"), fmt.Sprint(e.Seq)
			if kind == task.Corrected && len(r.Events) > 0 {
				e.Voids = rapid.SampledFrom(r.Events).Draw(t, "voided").Seq
			}
		})
		touched = append(touched, o.Ref.String())
	}
	switch rapid.IntRange(0, 9).Draw(t, "a silence") {
	case 0:
		w.silence(d, d+civil.Date(rapid.IntRange(0, 15).Draw(t, "silent for")), task.OverUnit, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "silent unit"))
	case 1:
		if len(w.Records) > 0 {
			r := rapid.SampledFrom(w.Records).Draw(t, "silent item")
			w.silence(d, d+civil.Date(rapid.IntRange(0, 15).Draw(t, "silent for")), task.OverObligation, r.Obligation.Ref.String())
		}
	case 2:
		if len(w.silences) > 0 {
			w.lift(d, rapid.SampledFrom(w.silences).Draw(t, "lifted").Seq)
		}
	}
	if len(w.Documents) > 0 && rapid.IntRange(0, 3).Draw(t, "a person decides") == 0 {
		w.Documents = slices.Clone(w.Documents)
		i := rapid.IntRange(0, len(w.Documents)-1).Draw(t, "document")
		if w.Documents[i].State == notice.Drafted {
			w.Documents[i].State = rapid.SampledFrom([]notice.DocumentState{notice.Issued, notice.Dropped}).Draw(t, "becomes")
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "a trigger") == 0 {
		for _, r := range w.Tasks {
			if r.Reading.Condition != nil {
				w.event(d.String(), r.Row, task.Triggered, func(e *task.Event) { e.Ref = fmt.Sprint(e.Seq) })
			}
		}
	}
	return touched
}

// season lives a random stretch, with outages of the worker and of the mail, and calls each on every day that is planned.
func (w *town) season(t *rapid.T, each func(d civil.Date, before planner.World, p planner.Plan)) {
	off := 0
	for d := date(issue); d < date(issue)+length; d++ {
		w.World = w.OpenDay(d)
		w.recordOpenings()
		if rapid.IntRange(0, 3).Draw(t, "something happens") == 0 {
			w.happen(t, d)
		}
		if off--; off < 0 && rapid.IntRange(0, 24).Draw(t, "outage") == 0 {
			off = rapid.IntRange(1, 12).Draw(t, "days off")
		}
		w.down = rapid.IntRange(0, 7).Draw(t, "mail is down") == 0
		if off <= 0 && national.IsWorkday(d) {
			w.listen(d)
			before, p := w.World, w.RemindDay(d)
			each(d, before, p)
			w.carryOut(d, p)
		}
	}
}

// (a) Opening day by day and opening once on the last day give the same.
func TestOpeningIsCumulative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		for _, r := range w.Tasks {
			if r.Reading.Condition != nil {
				w.event(drawDay(t, 0, length).String(), r.Row, task.Triggered, ref("一"))
			}
		}
		last := drawDay(t, 0, length)
		daily := w.World
		next := map[task.TaskID]civil.Date{}
		needed := w.World // opens a task only on the days it asked for
		for d := date(issue) - 3; d <= last; d++ {
			daily = daily.OpenDay(d)
			due := slices.DeleteFunc(slices.Clone(w.Tasks), func(r task.Task) bool { return next[r.TaskID] > d })
			src := planner.Sources{
				Jurisdiction: w.Jurisdiction, Plans: w.Plans, Tasks: due, Directory: w.Directory, TaskEvents: w.TaskEvents, Existing: map[string]bool{},
			}
			for _, r := range needed.Records {
				src.Existing[r.Obligation.Ref.String()] = true
			}
			out := planner.Open(src, w.Set, d)
			for _, o := range out.Obligations {
				if o.Opened > d {
					t.Errorf("%s is opened on %s as of %s", o.Ref, d, o.Opened)
				}
				needed.Records = append(needed.Records, task.Record{Obligation: o})
			}
			for id, on := range out.NextOpen {
				if on <= d {
					t.Errorf("%s asks on %s for %s", id, d, on)
				}
				next[id] = on
			}
		}
		once := w.OpenDay(last)
		if a, b := obligations(daily), obligations(once); !slices.Equal(a, b) {
			t.Errorf("day by day\n%s\nonce\n%s", show(a), show(b))
		}
		if a, b := obligations(daily), obligations(needed); !slices.Equal(a, b) {
			t.Errorf("every day\n%s\non the days asked for\n%s", show(a), show(b))
		}
	})
}

func obligations(w planner.World) []task.Obligation {
	var out []task.Obligation
	for _, r := range w.Records {
		out = append(out, r.Obligation)
	}
	slices.SortFunc(out, func(a, b task.Obligation) int { return strings.Compare(a.Ref.String(), b.Ref.String()) })
	return out
}

func show(all []task.Obligation) string {
	var out []string
	for _, o := range all {
		out = append(out, "  "+describe(o))
	}
	return strings.Join(out, "\n")
}

// (b) The same snapshot gives the same plan, and planning the same day again says nothing new.
func TestPlanningAgainSaysNothingNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		w.season(t, func(d civil.Date, before planner.World, p planner.Plan) {
			if len(p.Steps) == 0 && d%5 != 0 {
				return
			}
			if again := before.RemindDay(d); !reflect.DeepEqual(again, p) {
				t.Fatalf("%s: the same snapshot gave another plan", d)
			}
			after := before.Apply(p)
			after.Known, after.Planned = before.Known, before.Planned // the rule holds with the planning of an earlier day
			after.Unsent = slices.DeleteFunc(slices.Clone(before.Unsent), func(n notice.Notice) bool {
				return p.Supersede[n.ID] != "" || p.Cancel[n.ID] != ""
			})
			for _, knowing := range []bool{true, false} {
				after.Written = map[string]bool{}
				for _, n := range p.Notices {
					after.Written[n.ID] = knowing
				}
				again := after.RemindDay(d)
				if len(again.Steps)+len(again.Notices)+len(again.Supersede)+len(again.Cancel) > 0 {
					t.Fatalf("%s: planning again gives %d notices, %+v", d, len(again.Notices), again.Steps)
				}
			}
		})
	})
}

// (c) Nothing is fired twice, a repeat is numbered, and no letter speaks of what is closed.
func TestAStepFiresOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		fired := map[string]civil.Date{}
		w.season(t, func(d civil.Date, before planner.World, p planner.Plan) {
			gone := map[string]bool{} // steps whose letter never left
			for _, n := range before.Unsent {
				gone[n.ID] = true
			}
			letters := map[string]bool{}
			for _, n := range p.Notices {
				if n.Key.Kind != notice.UnitLetter {
					continue
				}
				if n.Key.Date != d || letters[n.Key.Unit] {
					t.Fatalf("%s: a second letter to %s", d, n.Key.Unit)
				}
				letters[n.Key.Unit] = true
			}
			for _, f := range p.Steps {
				key := fmt.Sprintf("%s arm %d %s %d", f.Obligation, f.Arm, f.Step, f.N)
				if was, twice := fired[key]; twice {
					t.Fatalf("%s: %s was fired on %s already", d, key, was)
				}
				fired[key] = d
				if f.N > 1 && f.Role == task.Liaison && !gone[fired1(before, f)] {
					t.Fatalf("%s: %s is repeated although its letter is not unsent", d, key)
				}
				if (f.Passed == "") != (f.Notice != "") || f.On != d {
					t.Fatalf("%s: %+v", d, f)
				}
				if strings.HasPrefix(f.Passed, "the draft was ") {
					continue
				}
				r := record(before, f.Obligation)
				if !task.Fold(r.Obligation, r.Events, d, national, w.Set.Terms).Chased() {
					t.Fatalf("%s: %s of what is not chased", d, key)
				}
			}
		})
	})
}

// fired1 is the letter that said the step before.
func fired1(w planner.World, f task.FiredStep) string {
	for _, was := range record(w, f.Obligation).Steps {
		if was.Arm == f.Arm && was.Step == f.Step && was.N == f.N-1 {
			return was.Notice
		}
	}
	return ""
}

func record(w planner.World, ref string) task.Record {
	for _, r := range w.Records {
		if r.Obligation.Ref.String() == ref {
			return r
		}
	}
	return task.Record{}
}

// (e) What stands in a letter is open on its day, and what stands in it as overdue is past the later of its dates and was
// urged, by that date, then or before.
func TestLettersSayWhatIsSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		w.season(t, func(d civil.Date, before planner.World, p planner.Plan) {
			after := before.Apply(p)
			for _, n := range p.Notices {
				if n.Key.Kind != notice.UnitLetter {
					continue
				}
				if len(n.Facts.Items()) == 0 || n.Facts.Rung() == "" {
					t.Fatalf("%s: a letter to %s that says nothing new", d, n.Key.Unit)
				}
				for _, it := range n.Facts.Items() {
					r := record(after, it.Ref)
					st := task.Fold(r.Obligation, r.Events, d, national, w.Set.Terms)
					if !st.Chased() || r.Obligation.Unit != n.Key.Unit {
						t.Fatalf("%s: %s is %s", d, it.Ref, st.State)
					}
					if it.Late > 0 && d <= max(st.Effective, st.Assess) {
						t.Fatalf("%s: %s is called %d late", d, it.Ref, it.Late)
					}
					if r.Obligation.Owes == task.OwesSupport && (it.Rung == "urging" || it.Late > 0) {
						t.Fatalf("%s: %s urges a supporting unit", d, it.Ref)
					}
					if strings.HasPrefix(it.Step, "T+") != (it.Rung == string(ladder.Urging)) {
						t.Fatalf("%s: %s %s is of rung %q", d, it.Ref, it.Step, it.Rung)
					}
				}
				for _, it := range n.Facts.Overdue {
					r := record(after, it.Ref)
					st := task.Fold(r.Obligation, r.Events, d, national, w.Set.Terms)
					due := max(st.Effective, st.Assess)
					if d <= due || !slices.ContainsFunc(r.Steps, func(f task.FiredStep) bool {
						return strings.HasPrefix(f.Step, "T+") && f.Passed == "" && f.Arm == st.Arm && f.On > due
					}) {
						t.Fatalf("%s: %s due %s stands as overdue without an urging: %+v", d, it.Ref, due, r.Steps)
					}
				}
				for _, it := range n.Facts.Upcoming {
					r := record(after, it.Ref)
					if st := task.Fold(r.Obligation, r.Events, d, national, w.Set.Terms); d > max(st.Effective, st.Assess) {
						t.Fatalf("%s: %s is called upcoming", d, it.Ref)
					}
				}
			}
		})
	})
}

// (f) Nobody is urged, and no form is drafted, before the bureau could check: the item stood open by the date it has, in the
// register as an earlier planning saw it.
func TestNobodyIsUrgedBeforeTheBureauCouldCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		seen := map[string]task.Record{}
		w.season(t, func(d civil.Date, before planner.World, p planner.Plan) {
			for _, f := range p.Steps {
				if f.Passed != "" || !strings.HasPrefix(f.Step, "T+") {
					continue
				}
				was, known := seen[f.Obligation]
				now := record(before, f.Obligation)
				then := task.Fold(was.Obligation, was.Events, d, national, w.Set.Terms)
				st := task.Fold(now.Obligation, now.Events, d, national, w.Set.Terms)
				if due := max(st.Effective, st.Assess); !known || !then.Chased() || max(then.Effective, then.Assess) != due || then.Arm != st.Arm {
					t.Fatalf("%s: %s of %s, due %s, was not to be seen before: %+v", d, f.Step, f.Obligation, due, was)
				}
			}
			for _, r := range before.Records {
				seen[r.Obligation.Ref.String()] = r
			}
		})
	})
}

// indexed is a town that looks only where its cached columns send it, as a database does.
type indexed struct {
	planner.World
	caches  map[string]task.Cache
	planned civil.Date
}

// latest caches an item as the register does: against the latest versions, looking from the day after the last planned.
func (x *indexed) latest(ref string, after civil.Date) {
	r := record(x.World, ref)
	var row task.Task
	for _, t := range task.TasksAsOf(x.Tasks, civil.Never) {
		if t.TaskID == r.Obligation.TaskID {
			row = t
		}
	}
	u, _ := x.Directory.AsOf(civil.Never).Unit(r.Obligation.Unit)
	x.caches[ref] = planner.CacheOf(r, row, u, x.Set, after)
}

// plan selects as the reminding job does, and plans.
func (x *indexed) plan(d civil.Date) planner.Plan {
	s := x.Snapshot
	s.Records, s.History, s.LeadOpen, s.Weekly = nil, nil, map[string]bool{}, nil
	units := map[string]bool{}
	for _, n := range s.Unsent {
		units[n.Key.Unit] = true
	}
	seen := map[string]bool{}
	pick := func(want func(task.Cache, task.Obligation) bool) {
		for _, r := range x.Records {
			ref := r.Obligation.Ref.String()
			if c := x.caches[ref]; c.ClosedFrom > d && want(c, r.Obligation) && !seen[ref] {
				seen[ref] = true
				s.Records = append(s.Records, r)
			}
		}
	}
	for _, r := range x.Records { // those of the forms
		ref := r.Obligation.Ref.String()
		if slices.ContainsFunc(x.Documents, func(doc notice.Document) bool { return doc.State != notice.Issued && slices.Contains(doc.Refs, ref) }) {
			seen[ref] = true
			s.Records = append(s.Records, r)
		}
	}
	pick(func(c task.Cache, _ task.Obligation) bool { return c.NextLook <= d })
	for _, r := range s.Records {
		if x.caches[r.Obligation.Ref.String()].NextLook <= d {
			units[r.Obligation.Unit] = true
		}
	}
	pick(func(c task.Cache, o task.Obligation) bool { return c.Raised <= d && units[o.Unit] })
	ids := map[task.TaskID]bool{}
	reports := map[task.TaskID]bool{}
	for _, r := range s.Records {
		o := r.Obligation
		ids[o.TaskID] = true
		if planner.HistorySince(r, x.Set, d) != 0 {
			reports[o.TaskID] = true
		}
	}
	s.Tasks = slices.DeleteFunc(slices.Clone(x.Tasks), func(t task.Task) bool { return !ids[t.TaskID] })
	for _, r := range x.Records {
		o := r.Obligation
		if reports[o.TaskID] && x.caches[o.Ref.String()].Assess >= planner.LastYear(d) {
			s.History = append(s.History, r)
		}
		if o.Owes == task.OwesDeliver && x.caches[o.Ref.String()].ClosedFrom > d {
			s.LeadOpen[o.TaskID.String()+"/"+o.Instance] = true
		}
	}
	if ladder.Monday(d, national) {
		s.Weekly = x.Tasks
	}
	p := planner.Remind(s, x.Set, d)
	for _, c := range p.Caches {
		x.caches[c.Ref] = c
	}
	x.planned = d
	return p
}

// (d) A town that looks only at what its caches name says the same as one that looks at everything, every day: next_look
// and closed_from pass by nothing. And looking where they do not send one finds nothing to say or to note.
func TestTheIndexPassesByNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		x := indexed{caches: map[string]task.Cache{}}
		off := 0
		for d := date(issue); d < date(issue)+length; d++ {
			w.World = w.OpenDay(d)
			var touched []string
			if rapid.IntRange(0, 3).Draw(t, "something happens") == 0 {
				touched = w.happen(t, d)
			}
			x.World = w.World
			for _, r := range w.Records {
				ref := r.Obligation.Ref.String()
				if _, known := x.caches[ref]; !known {
					x.latest(ref, 0)
				}
			}
			for _, ref := range touched {
				x.latest(ref, x.planned)
			}
			if off--; off < 0 && rapid.IntRange(0, 24).Draw(t, "outage") == 0 {
				off = rapid.IntRange(1, 12).Draw(t, "days off")
			}
			w.down = rapid.IntRange(0, 7).Draw(t, "mail is down") == 0
			if off > 0 || !national.IsWorkday(d) {
				continue
			}
			w.listen(d)
			x.World = w.World
			all, some := w.RemindDay(d), x.plan(d)
			if !slices.EqualFunc(all.Notices, some.Notices, func(a, b notice.Notice) bool { return reflect.DeepEqual(a, b) }) {
				t.Fatalf("%s: looking at all\n%s\nby the index\n%s", d, letters(w, all), letters(w, some))
			}
			if !slices.Equal(all.Steps, some.Steps) {
				t.Fatalf("%s: looking at all fires\n%+v\nby the index\n%+v", d, all.Steps, some.Steps)
			}
			if !reflect.DeepEqual(all.Supersede, some.Supersede) || !reflect.DeepEqual(all.Cancel, some.Cancel) || !sameHeld(all.Held, some.Held) {
				t.Fatalf("%s: %v %v %v\nby the index %v %v %v", d, all.Supersede, all.Cancel, all.Held, some.Supersede, some.Cancel, some.Held)
			}
			if !reflect.DeepEqual(all.Documents, some.Documents) || !reflect.DeepEqual(all.Drop, some.Drop) || !slices.Equal(all.Holds, some.Holds) {
				t.Fatalf("%s: %v %v %v\nby the index %v %v %v", d, all.Documents, all.Drop, all.Holds, some.Documents, some.Drop, some.Holds)
			}
			if some.Looked > all.Looked {
				t.Fatalf("%s: the index looked at %d of %d", d, some.Looked, all.Looked)
			}
			w.carryOut(d, all)
			x.World = w.World
			for _, c := range some.Caches { // a rebuild computes the same, but that what is held is looked at every day
				x.latest(c.Ref, d)
				again := x.caches[c.Ref]
				if again.NextLook < c.NextLook || again.NextLook > c.NextLook && c.NextLook != d+1 {
					t.Fatalf("%s: %+v, rebuilt %+v", d, c, again)
				}
				again.NextLook = c.NextLook
				if again != c {
					t.Fatalf("%s: %+v, rebuilt %+v", d, c, again)
				}
				x.caches[c.Ref] = c
			}
		}
	})
}

func sameHeld(a, b []planner.Held) bool {
	sorted := func(h []planner.Held) []planner.Held {
		h = slices.Clone(h)
		slices.SortFunc(h, func(a, b planner.Held) int { return strings.Compare(a.Ref+a.Step, b.Ref+b.Step) })
		return h
	}
	return slices.Equal(sorted(a), sorted(b))
}

func letters(w *town, p planner.Plan) string {
	var out []string
	for _, n := range p.Notices {
		out = append(out, "  "+w.letter(n))
	}
	return strings.Join(out, "\n")
}
