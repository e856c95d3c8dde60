package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/explain"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) explainCmd() *cobra.Command {
	l := lens{folds: true}
	c := &cobra.Command{
		Use: "explain OBLIGATION", Short: "Why a letter goes or does not go: text, reading, dates, state, steps, what comes next", Args: cobra.ExactArgs(1),
		Long: `Explain one obligation as of a day: what the deadline cell says and how it was read, where each of the three dates comes
from, how the obligation stands, what became of each step of its ladder and why, whether a letter goes on that day, and
what comes next and when. It decides as the planning of that day does, and writes nothing.`,
		Example: "  duban explain laoshan/zfzl2024/17/qjtj/m1\n  duban explain sishui/zfzl2023-2025/6/xjtj/2024-09 --as-of 2024-10-09\n  duban explain sishui/zfzl2023-2025/6/xjtj/2024-09 --as-of 2024-10-09 --known-at \"2024-10-08 17:00\"",
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := task.ParseRef(args[0])
			if err != nil {
				return usageError{err}
			}
			s, err := a.look(c.Context(), l, ref.Jurisdiction)
			if err != nil {
				return err
			}
			return l.known(a.explain(c.Context(), s, args[0], l.asOf))
		},
	}
	l.flags(c)
	return c
}

func (a *app) explain(ctx context.Context, s *store.Store, id, asOf string) error {
	ref, err := task.ParseRef(id)
	if err != nil {
		return usageError{err}
	}
	d, err := a.date("as-of", asOf, a.today(ref.Jurisdiction))
	if err != nil {
		return err
	}
	in, err := a.explainInput(ctx, s, ref, d)
	if err != nil {
		return err
	}
	e := explain.Explain(in)
	if a.asJSON() {
		return a.json(e)
	}
	a.printExplanation(e)
	return nil
}

// explainInput reads what planning the day would read about one obligation.
func (a *app) explainInput(ctx context.Context, s *store.Store, ref task.Ref, d civil.Date) (explain.Input, error) {
	in := explain.Input{Day: d}
	set, err := a.policies.settings(ref.Jurisdiction)
	if err != nil {
		return in, err
	}
	in.Settings = set
	rec, err := s.Record(ctx, ref)
	if err != nil {
		return in, fmt.Errorf("explain %s: %w; `duban obligations list` shows what there is", ref, err)
	}
	if rec.Obligation.Opened > d {
		return in, fmt.Errorf("explain %s as of %s: it was opened on %s", ref, d, rec.Obligation.Opened)
	}
	snap, err := a.explainSources(ctx, s, rec, set, d)
	if err != nil {
		return in, err
	}
	if snap.Known, snap.Planned, in.Planned, err = a.explainPlanned(ctx, s, snap.Jurisdiction, set, d); err != nil {
		return in, err
	}
	if err := a.explainLetters(ctx, s, &snap, set, d); err != nil {
		return in, err
	}
	in.Triggers = snap.TaskEvents
	in.Case, _ = snap.Case(ref.String(), set, d)
	in.Case.Task, in.Case.Unit = lastVersions(snap, ref, in.Case)
	var ids []string
	for _, f := range rec.Steps {
		if f.Notice != "" {
			ids = append(ids, f.Notice)
		}
	}
	if in.Letters, err = s.Outcomes(ctx, ids); err != nil {
		return in, err
	}
	docs, err := s.Documents(ctx, notice.DocumentFilter{Jurisdiction: ref.Jurisdiction, Kind: notice.SupervisionForm, Unit: ref.Unit})
	if err != nil {
		return in, err
	}
	in.Documents = slices.DeleteFunc(docs, func(doc notice.Document) bool { return !slices.Contains(ids, doc.ID) })
	return in, nil
}

// lastVersions returns the row and the unit in force, or, where they are so no more, as they were last.
func lastVersions(snap planner.Snapshot, ref task.Ref, c planner.Case) (task.Task, task.Unit) {
	t, u := c.Task, c.Unit
	if t.Row == "" {
		for _, v := range snap.Tasks {
			if v.TaskID == ref.TaskID && v.Seq >= t.Seq {
				t = v
			}
		}
	}
	if u.Code == "" {
		for _, v := range snap.Directory.Units {
			if v.Code == ref.Unit && v.Seq >= u.Seq {
				u = v
			}
		}
	}
	return t, u
}

// explainSources reads the obligation's row, unit, silences and the other instances of its duty.
func (a *app) explainSources(ctx context.Context, s *store.Store, rec task.Record, set planner.Settings, d civil.Date) (snap planner.Snapshot, err error) {
	o := rec.Obligation
	code, ids := o.Jurisdiction, []task.TaskID{o.TaskID}
	snap.Records = []task.Record{rec}
	if snap.Jurisdiction, err = s.Jurisdiction(ctx, code); err != nil {
		return snap, err
	}
	if snap.Plans, err = s.Plans(ctx, code); err != nil {
		return snap, err
	}
	if snap.Tasks, err = s.TaskVersions(ctx, code, ids); err != nil {
		return snap, err
	}
	if snap.TaskEvents, err = s.TaskEvents(ctx, code, ids); err != nil {
		return snap, err
	}
	if snap.Directory.Units, err = s.UnitVersions(ctx, code, []string{o.Unit, snap.Jurisdiction.Bureau}); err != nil {
		return snap, err
	}
	silences, err := s.Silences(ctx, code)
	if err != nil {
		return snap, err
	}
	snap.Silences = task.SilencesAsOf(silences, d)
	if snap.History, err = s.Lately(ctx, code, planner.LastYear(d), ids); err != nil {
		return snap, err
	}
	snap.LeadOpen, err = jobs.LeadOpen(ctx, s, snap.Records, set, d)
	return snap, err
}

// explainPlanned returns the seq that the last planning before the day was made on and its day, or will be where a working day
// to come lies between, and the seq of the day's own planning, 0 where there was none.
func (a *app) explainPlanned(ctx context.Context, s *store.Store, j task.Jurisdiction, set planner.Settings, d civil.Date) (known int64, day civil.Date, own int64, err error) {
	last, err := jobs.Planned(ctx, s, j.Code, d)
	if err != nil {
		return 0, 0, 0, err
	}
	if last.Date == d {
		own = last.Counts.Seq
		if last, err = jobs.Planned(ctx, s, j.Code, d-1); err != nil {
			return 0, 0, 0, err
		}
	}
	if set.Calendar.OnOrAfter(max(a.today(j.Code), last.Date+1)) < d {
		return j.Seq, set.Calendar.Add(d, -1), own, nil
	}
	return last.Counts.Seq, last.Date, own, nil
}

// refusedFor is how many days back the letters that were refused are looked for.
const refusedFor = 30

// explainLetters reads what became of the unit's letters by the day.
func (a *app) explainLetters(ctx context.Context, s *store.Store, snap *planner.Snapshot, set planner.Settings, d civil.Date) (err error) {
	rec := snap.Records[0]
	code := rec.Obligation.Jurisdiction
	var ids []string
	for _, f := range rec.Steps {
		if f.Notice != "" && f.On <= d {
			ids = append(ids, f.Notice)
		}
	}
	if snap.Served, err = s.Served(ctx, ids); err != nil {
		return err
	}
	for id, day := range snap.Served {
		if day > d { // taken over by a letter of a later day
			delete(snap.Served, id)
		}
	}
	if snap.Unsent, err = s.Unsent(ctx, code, notice.UnitLetter, d); err != nil {
		return err
	}
	if snap.Failed, err = s.FailedSince(ctx, code, notice.UnitLetter, d-refusedFor, d); err != nil {
		return err
	}
	written, err := s.NoticeIDs(ctx, code, d)
	if err != nil {
		return err
	}
	snap.Written = map[string]bool{}
	for _, id := range written {
		snap.Written[id] = true
	}
	if first := set.Calendar.WeekStart(d); set.WeeklyCap > 0 && first < d {
		snap.Week, err = s.Briefs(ctx, code, first, d-1)
	}
	return err
}

// printExplanation writes an explanation on one screen.
func (a *app) printExplanation(e explain.Explanation) {
	say := func(label, text string) { fmt.Fprintf(a.out, "%-10s%s\n", label, text) }
	day := "a working day"
	if !e.Workday {
		day = "a day off"
	}
	fmt.Fprintf(a.out, "%s  %s\n", e.ID, e.Title)
	say("as of", fmt.Sprintf("%s, %s", e.AsOf, day))
	say("text", fmt.Sprintf("%s, %s row %s", quoted(e.Deadline), citedPlan(e), e.Row))
	read := make([]string, 0, len(e.Read))
	for _, r := range e.Read {
		read = append(read, quoted(r.Text)+" → "+r.Read)
	}
	say("reading", strings.Join(append(read, e.ReadBy), "; "))
	if e.Soft != "" {
		say("", "softened by "+quoted(e.Soft)+"; the date stands all the same")
	}
	if e.Doubt != "" {
		say("", "in doubt: "+e.Doubt)
	}
	say("instance", fmt.Sprintf("%s (%s) of %s, %s, owes %s, opened on %s", e.Instance, e.Kind, e.Unit, e.Role, e.Owes, e.Opened))
	for _, dt := range []struct {
		name string
		d    explain.Date
	}{{"nominal", e.Nominal}, {"effective", e.Effective}, {"assess", e.Assess}} {
		note := ""
		if dt.d.Provisional {
			note = " (provisional: the year's holidays are not published)"
		}
		say(dt.name, fmt.Sprintf("%s  %s%s", dt.d.On, dt.d.From[0], note))
		for _, change := range dt.d.From[1:] {
			say("", "            "+change)
		}
	}
	if e.T != e.Effective.On {
		say("T", fmt.Sprintf("%s  the last working day on or before the effective date", e.T))
	}
	say("state", e.Standing)
	for _, n := range e.Notes {
		say("", n)
	}
	a.printSteps(e)
	say("today", e.Today)
	say("next", e.Next.What)
}

// citedPlan is the plan as it is cited.
func citedPlan(e explain.Explanation) string {
	if e.DocNumber != "" {
		return e.DocNumber
	}
	return "《" + e.Plan + "》"
}

func quoted(s string) string {
	if s == "" {
		return "an empty cell"
	}
	return "“" + s + "”"
}

func (a *app) printSteps(e explain.Explanation) {
	rows := make([][]string, 0, len(e.Steps))
	for _, s := range e.Steps {
		rows = append(rows, []string{s.On.String(), fmt.Sprint(s.Arm), s.Step, string(s.Rung), string(s.Role), s.What})
	}
	fmt.Fprintln(a.out)
	if len(rows) == 0 {
		fmt.Fprintln(a.out, "the ladder has no step for it")
	} else {
		table(a.out, []string{"day", "arm", "step", "rung", "to", "what"}, rows)
	}
	fmt.Fprintln(a.out)
}
