package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/register"
	"duban/jobs/task"
	"duban/store"
)

// obligationRow is one obligation as `obligations list --output json` prints it, as of a day.
type obligationRow struct {
	ID          string     `json:"id"`
	Title       string     `json:"title"`
	Kind        task.Kind  `json:"kind"`
	Role        task.Role  `json:"role"`
	Owes        task.Owes  `json:"owes"`
	Unit        string     `json:"unit"`
	State       task.State `json:"state"`
	Nominal     civil.Date `json:"nominal"`
	Effective   civil.Date `json:"effective"`
	Assess      civil.Date `json:"assess"`
	Reported    civil.Date `json:"reported"`
	Accepted    civil.Date `json:"accepted"`
	ByDefault   bool       `json:"accepted_by_default,omitempty"`
	Late        int        `json:"late"` // workdays past the assess date, now or when it was reported
	Overdue     bool       `json:"overdue"`
	Quota       int        `json:"quota,omitempty"`
	Count       int        `json:"count,omitempty"`
	PastAtIssue bool       `json:"past_at_issue,omitempty"`
	Inherited   bool       `json:"inherited,omitempty"`
	Ambiguous   bool       `json:"ambiguous,omitempty"`
	Provisional bool       `json:"provisional,omitempty"`
	Arm         int        `json:"arm,omitempty"`
}

// obligationRow folds a record as of day d.
func (a *app) obligationRow(rec task.Record, title string, d civil.Date) (obligationRow, error) {
	o := rec.Obligation
	set, err := a.policies.settings(o.Jurisdiction)
	if err != nil {
		return obligationRow{}, err
	}
	st := task.Fold(o, rec.Events, d, set.Calendar, set.Terms)
	row := obligationRow{
		ID: o.Ref.String(), Title: title, Kind: o.Kind, Role: o.Role, Owes: o.Owes, Unit: o.Unit, State: st.State,
		Nominal: st.Nominal, Effective: st.Effective, Assess: st.Assess, Reported: st.Reported, Accepted: st.Accepted,
		ByDefault: st.ByDefault, Late: st.Late, Quota: o.Quota, Count: st.Count,
		PastAtIssue: o.PastAtIssue, Inherited: o.Inherited, Ambiguous: o.Ambiguous && st.Assess != st.Effective,
		Provisional: o.Provisional, Arm: st.Arm,
	}
	if due := max(st.Effective, st.Assess); st.Chased() && o.Owes == task.OwesDeliver && d > due {
		row.Overdue, row.Late = true, set.Calendar.Count(due, d)
	}
	return row, nil
}

func (r obligationRow) words() string {
	s := string(r.State)
	if r.State == task.Waiting && (r.PastAtIssue || r.Inherited) && !r.Overdue {
		s += " (to be confirmed)"
	}
	switch {
	case r.Overdue && r.Late == 0:
		s += ", overdue, no workday since"
	case r.Overdue:
		s += fmt.Sprintf(", overdue %d workdays", r.Late)
	case r.Late > 0:
		s += fmt.Sprintf(", %d workdays late", r.Late)
	}
	if r.Quota > 0 {
		s += fmt.Sprintf(", %d of %d", r.Count, r.Quota)
	}
	return s
}

func (a *app) obligationsCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "obligations", Aliases: []string{"obligation"}, Short: "List what is owed, and record what happened",
		Long: `An obligation is what one unit owes once. Its ID, JURISDICTION/PLAN/ROW/UNIT/INSTANCE, is the same on every engine.
Events are appended and never changed; every one carries who (--by) and, where it takes something back, why (--why).`,
	}
	c.AddCommand(a.obligationsListCmd(), a.obligationsShowCmd())
	c.AddCommand(a.eventCmds()...)
	c.AddCommand(a.triggerCmd(), a.correctLetterCmd())
	return c
}

func (a *app) obligationsListCmd() *cobra.Command {
	var code, state, kind string
	l := lens{folds: true}
	var overdue bool
	var f task.RecordFilter
	c := &cobra.Command{
		Use: "list", Short: "Obligations as of a day",
		Example: "  duban obligations list --jurisdiction sishui --state waiting --overdue\n  duban obligations list --plan zfzl2024 --row 17 --as-of 2024-09-30",
		RunE: func(c *cobra.Command, _ []string) error {
			f.Kind = task.Kind(kind)
			return a.obligationsList(c.Context(), code, l, task.State(state), overdue, f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	fl.StringVar(&f.Plan, "plan", "", "plan code")
	fl.StringVar(&f.Row, "row", "", "row code")
	fl.StringVar(&f.Unit, "unit", "", "unit code")
	fl.StringVar(&kind, "kind", "", "milestone, weekly, monthly, quarterly, half-yearly, yearly, quota, condition or clock")
	fl.StringVar(&state, "state", "", "waiting, answered, done, settled, waived, withdrawn or transferred")
	fl.BoolVar(&overdue, "overdue", false, "only what is past its date")
	l.flags(c)
	return c
}

func (a *app) obligationsList(ctx context.Context, code string, l lens, state task.State, overdue bool, f task.RecordFilter) error {
	if err := errors.Join(
		oneOf("state", string(state), "waiting", "answered", "done", "settled", "waived", "withdrawn", "transferred"),
		oneOf("kind", string(f.Kind), "milestone", "weekly", "monthly", "quarterly", "half-yearly", "yearly", "quota", "condition", "clock"),
		a.dateOrNone("as-of", l.asOf),
	); err != nil {
		return err
	}
	s, err := a.look(ctx, l, code)
	if err != nil {
		return err
	}
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return err
	}
	var rows []obligationRow
	for _, j := range all {
		d, err := a.date("as-of", l.asOf, a.today(j.Code))
		if err != nil {
			return err
		}
		recs, err := s.Records(ctx, j.Code, f)
		if err != nil {
			return err
		}
		titles, err := titlesOf(ctx, s, j.Code, d)
		if err != nil {
			return err
		}
		for _, rec := range recs {
			if rec.Obligation.Opened > d {
				continue
			}
			row, err := a.obligationRow(rec, titles[rec.Obligation.TaskID], d)
			if err != nil {
				return err
			}
			if (state == "" || row.State == state) && (!overdue || row.Overdue) {
				rows = append(rows, row)
			}
		}
	}
	return list(a, rows, []string{"id", "kind", "owes", "due", "state", "title"}, func(r obligationRow) []string {
		return []string{r.ID, string(r.Kind), string(r.Owes), r.Effective.String(), r.words(), r.Title}
	})
}

func titlesOf(ctx context.Context, s *store.Store, code string, d civil.Date) (map[task.TaskID]string, error) {
	versions, err := s.Tasks(ctx, code)
	if err != nil {
		return nil, err
	}
	titles := map[task.TaskID]string{}
	for _, t := range versions {
		titles[t.TaskID] = t.Title
	}
	for _, t := range task.TasksAsOf(versions, d) {
		titles[t.TaskID] = t.Title
	}
	return titles, nil
}

func (a *app) obligationsShowCmd() *cobra.Command {
	l := lens{folds: true}
	c := &cobra.Command{
		Use: "show ID", Short: "One obligation: its state, its events and what was said about it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := task.ParseRef(args[0])
			if err != nil {
				return usageError{err}
			}
			s, err := a.look(c.Context(), l, ref.Jurisdiction)
			if err != nil {
				return err
			}
			return l.known(a.obligationsShow(c.Context(), s, args[0], l.asOf))
		},
	}
	l.flags(c)
	return c
}

func (a *app) obligationsShow(ctx context.Context, s *store.Store, id, asOf string) error {
	ref, err := task.ParseRef(id)
	if err != nil {
		return usageError{err}
	}
	d, err := a.date("as-of", asOf, a.today(ref.Jurisdiction))
	if err != nil {
		return err
	}
	rec, err := s.Record(ctx, ref)
	if err != nil {
		return fmt.Errorf("show %s: %w; `duban obligations list` shows what there is", id, err)
	}
	if rec.Obligation.Opened > d {
		return fmt.Errorf("show %s as of %s: it was opened on %s", id, d, rec.Obligation.Opened)
	}
	rec.Events = slices.DeleteFunc(task.Sort(rec.Events), func(e task.Event) bool { return e.On > d })
	rec.Steps = slices.DeleteFunc(append([]task.FiredStep{}, rec.Steps...), func(f task.FiredStep) bool { return f.On > d })
	titles, err := titlesOf(ctx, s, ref.Jurisdiction, d)
	if err != nil {
		return err
	}
	row, err := a.obligationRow(rec, titles[ref.TaskID], d)
	if err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(struct {
			obligationRow
			Events []task.Event     `json:"events"`
			Steps  []task.FiredStep `json:"steps"`
		}{row, rec.Events, rec.Steps})
	}
	fmt.Fprintf(a.out, "%s  %s\n%s, %s, %s\n", row.ID, row.Title, row.Kind, row.Role, row.Owes)
	fmt.Fprintf(a.out, "as of %s: %s\nnominal %s  effective %s  assess %s\n\nevents\n", d, row.words(), row.Nominal, row.Effective, row.Assess)
	events := make([][]string, 0, len(rec.Events))
	voided := map[int64]string{}
	for _, e := range rec.Events {
		if e.Kind == task.Corrected {
			voided[e.Voids] = " (voided)"
		}
	}
	for _, e := range rec.Events {
		events = append(events, []string{fmt.Sprint(e.Seq), e.On.String(), string(e.Kind) + voided[e.Seq], e.Who, detail(e)})
	}
	table(a.out, []string{"seq", "on", "event", "who", "detail"}, events)
	if len(rec.Steps) > 0 {
		fmt.Fprintln(a.out, "\nsteps")
		steps := make([][]string, 0, len(rec.Steps))
		for _, f := range rec.Steps {
			what := "letter " + f.Notice
			if f.Passed != "" {
				what = "passed over: " + f.Passed
			}
			steps = append(steps, []string{f.On.String(), f.Step, fmt.Sprint(f.Arm), what})
		}
		table(a.out, []string{"on", "step", "arm", "what"}, steps)
	}
	return nil
}

// detail is what an event says beyond its kind: the date it sets, the number it counts, its reference, the event it
// voids, and why.
func detail(e task.Event) string {
	words := []string{e.Date.String()}
	if e.N != 0 {
		words = append(words, fmt.Sprintf("%d×", e.N))
	}
	words = append(words, e.Ref)
	if e.Voids != 0 {
		words = append(words, fmt.Sprintf("voids %d", e.Voids))
	}
	if e.Nil {
		words = append(words, "nil return")
	}
	for _, name := range sortedKeys(e.Figures) {
		words = append(words, fmt.Sprintf("%s=%d", name, e.Figures[name]))
	}
	return strings.Join(strings.Fields(strings.Join(append(words, e.Why), " ")), " ")
}

// eventSpec describes a command that records one kind of event.
type eventSpec struct {
	use, short string
	kind       task.EventKind
	why, due   bool // whether --why and --due are asked for
	mayDue     bool // --due may be given
	flags      func(*cobra.Command, *task.Event)
}

// figureFlags are what a return carries.
func figureFlags(c *cobra.Command, e *task.Event) {
	c.Flags().StringToInt64Var(&e.Figures, "figure", nil, "figures of the return, as in --figure 发现问题数=12,已整改数=9")
	c.Flags().BoolVar(&e.Nil, "nil", false, "a nil return (零报告): nothing to report, which counts as reported")
}

func (a *app) eventCmds() []*cobra.Command {
	extend := &cobra.Command{Use: "extend", Short: "Ask, grant or refuse an extension"}
	for _, s := range []eventSpec{
		{use: "ask", kind: task.ExtensionAsked, short: "The unit asks for more time; urging waits for the answer", why: true, mayDue: true},
		{use: "grant", kind: task.ExtensionGranted, short: "Grant a new date", why: true, due: true, flags: func(c *cobra.Command, _ *task.Event) {
			c.Flags().String("asked", "", "the day the unit asked, where that is not recorded yet; asked in time, the unit is judged by the new date")
		}},
		{use: "refuse", kind: task.ExtensionRefused, short: "Refuse; the date stands", why: true},
	} {
		extend.AddCommand(a.eventCmd(s))
	}
	cmds := []*cobra.Command{extend}
	for _, s := range []eventSpec{
		{use: "report", kind: task.Reported, short: "The unit has reported; the ladder stops", flags: figureFlags},
		{use: "figures", kind: task.Revised, short: "Other figures for the report that stands; a period that is closed is restated", why: true, flags: figureFlags},
		{use: "accept", kind: task.Accepted, short: "The bureau accepts: done, on time or late by the day of the report", flags: figureFlags},
		{use: "return", kind: task.Returned, short: "The bureau returns the report, with a new firm date", why: true, due: true},
		{use: "waive", kind: task.Waived, short: "Not applicable to this unit (不适用)", why: true},
		{use: "reopen", kind: task.Reopened, short: "Open it again, also to chase an inherited item; --due sets a new date", why: true},
		{use: "confirm", kind: task.Confirmed, short: "Settle an item past at issue or inherited; or say that the register was checked, and what is open may be urged"},
		{use: "hold", kind: task.HeldBack, short: "Keep urging and forms back until a day, or --lift that", why: true, flags: func(c *cobra.Command, _ *task.Event) {
			c.Flags().String("until", "", "the last day it holds, YYYY-MM-DD (default: five working days)")
			c.Flags().Bool("lift", false, "end it now")
		}},
		{use: "count", kind: task.Counted, short: "Count towards a quota, once per reference", flags: func(c *cobra.Command, e *task.Event) {
			c.Flags().IntVar(&e.N, "n", 1, "how many")
			c.Flags().StringVar(&e.Ref, "ref", "", "reference of what is counted; the same one counts once")
		}},
		{use: "contacted", kind: task.Contacted, short: "The unit was told by other means; stands in for one urging", flags: func(c *cobra.Command, e *task.Event) {
			c.Flags().StringVar(&e.Ref, "how", "phone", "by phone, oa, paper …")
		}},
		{use: "correct", kind: task.Corrected, short: "Void an event that was entered wrongly; both stay visible", why: true, flags: func(c *cobra.Command, e *task.Event) {
			c.Flags().Int64Var(&e.Voids, "seq", 0, "the event's seq, as obligations show prints it (required)")
			c.Flags().Bool("letter", false, "write a correction to the unit, where a letter left because of it")
			_ = c.MarkFlagRequired("seq")
		}},
	} {
		cmds = append(cmds, a.eventCmd(s))
	}
	return cmds
}

func (a *app) eventCmd(spec eventSpec) *cobra.Command {
	var on, due string
	e := task.Event{Kind: spec.kind}
	c := &cobra.Command{
		Use: spec.use + " ID...", Short: spec.short, Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			if e.Date, err = a.date("due", due, 0); err != nil {
				return err
			}
			if err := a.dateOrNone("on", on); err != nil {
				return err
			}
			x, err := a.moreOf(c)
			if err != nil {
				return err
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			var errs []error
			for _, ref := range refs {
				errs = append(errs, a.recordEvent(c.Context(), s, ref, on, e, x))
			}
			return errors.Join(errs...)
		},
	}
	f := c.Flags()
	f.StringVar(&on, "on", "", "the day it counts from, YYYY-MM-DD (default today)")
	f.StringVar(&e.Who, "by", "", "who says so (required)")
	f.StringVar(&e.Why, "why", "", "why"+map[bool]string{true: " (required)"}[spec.why])
	_ = c.MarkFlagRequired("by")
	if spec.why {
		_ = c.MarkFlagRequired("why")
	}
	if spec.due || spec.mayDue || spec.kind == task.Reopened {
		f.StringVar(&due, "due", "", "the new date, YYYY-MM-DD"+map[bool]string{true: " (required)"}[spec.due])
	}
	if spec.due {
		_ = c.MarkFlagRequired("due")
	}
	if spec.flags != nil {
		spec.flags(c, &e)
	}
	return c
}

// parseRefs reads the IDs of a call, so that a slip in the last one is found before the first is recorded.
func parseRefs(ids []string) ([]task.Ref, error) {
	refs := make([]task.Ref, 0, len(ids))
	var errs []error
	for _, id := range ids {
		ref, err := task.ParseRef(id)
		refs, errs = append(refs, ref), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, usageError{err}
	}
	return refs, nil
}

// more is what single verbs take besides.
type more struct {
	asked, until civil.Date
	lift, letter bool
}

func (a *app) moreOf(c *cobra.Command) (x more, err error) {
	for name, to := range map[string]*civil.Date{"asked": &x.asked, "until": &x.until} {
		if f := c.Flag(name); f != nil {
			if *to, err = a.date(name, f.Value.String(), 0); err != nil {
				return x, err
			}
		}
	}
	for name, to := range map[string]*bool{"lift": &x.lift, "letter": &x.letter} {
		if f := c.Flag(name); f != nil {
			*to = f.Value.String() == "true"
		}
	}
	return x, nil
}

func (a *app) recordEvent(ctx context.Context, s *store.Store, ref task.Ref, on string, e task.Event, x more) (err error) {
	id, today := ref.String(), a.today(ref.Jurisdiction)
	if e.On, err = a.date("on", on, today); err != nil {
		return err
	}
	if e.On > today {
		return usagef("record %s on %s: %s has not come yet; record it on that day, or leave --on out for today", e.Kind, id, e.On)
	}
	r := a.register(s)
	if e, err = a.complete(ctx, s, ref, e, x); err != nil {
		return a.notThere(err)
	}
	st, err := a.recordBoth(ctx, r, ref, e, x)
	if err != nil {
		return a.notThere(err)
	}
	if a.asJSON() {
		err = a.json(struct {
			ID    string     `json:"id"`
			State task.State `json:"state"`
			Since civil.Date `json:"since"`
		}{id, st.State, st.Since})
	} else {
		a.say("%s  %s: now %s", id, e.Kind, outcome(st, e.Kind))
	}
	if err == nil && st.Asked != 0 && e.Kind == task.Corrected {
		a.say("the extension that was asked for on %s waits for an answer, and urging with it; refuse it, or correct its entry too", st.Asked)
	}
	if err == nil && e.Kind == task.Corrected {
		err = a.offerCorrection(ctx, s, ref, e, x.letter)
	}
	return err
}

func (a *app) notThere(err error) error {
	if errors.Is(err, task.ErrNotFound) {
		return fmt.Errorf("%w; `duban obligations list` shows what there is", err)
	}
	return err
}

// holdFor is how many working days a hold lasts where no end is given.
const holdFor = 5

// complete turns what was typed into the event that is meant: a hold has an end, confirming an open item says that the
// register was checked, and the figures are those that the duty asks for.
func (a *app) complete(ctx context.Context, s *store.Store, ref task.Ref, e task.Event, x more) (task.Event, error) {
	set, err := a.policies.settings(ref.Jurisdiction)
	if err != nil {
		return e, err
	}
	switch {
	case e.Kind == task.HeldBack && x.lift:
		e.Kind = task.LetGo
	case e.Kind == task.HeldBack:
		if e.Date = x.until; e.Date == 0 {
			e.Date = set.Calendar.Add(e.On, holdFor)
		}
	case e.Kind == task.Confirmed:
		rec, err := s.Record(ctx, ref)
		if err != nil {
			return e, fmt.Errorf("confirm %s: %w", ref, err)
		}
		if st := task.Fold(rec.Obligation, rec.Events, e.On, set.Calendar, set.Terms); !st.Unconfirmed {
			e.Kind = task.Checked
		}
	case e.Nil || len(e.Figures) > 0:
		return e, a.checkFigures(ctx, s, ref, e)
	case e.Kind == task.Revised:
		return e, usagef("figures %s: give --figure NAME=N or --nil", ref)
	}
	return e, nil
}

// checkFigures refuses figures that the duty does not ask for, negative ones, and a nil return that counts something.
func (a *app) checkFigures(ctx context.Context, s *store.Store, ref task.Ref, e task.Event) error {
	versions, err := s.TaskVersions(ctx, ref.Jurisdiction, []task.TaskID{ref.TaskID})
	if err != nil {
		return err
	}
	var fields []string
	for _, t := range task.TasksAsOf(versions, e.On) {
		fields = t.Fields
	}
	for _, name := range sortedKeys(e.Figures) {
		switch n := e.Figures[name]; {
		case !slices.Contains(fields, name) && len(fields) == 0:
			return usagef("record %s on %s: its row asks for no figures; the ledger's column 填报指标 names those of a return", e.Kind, ref)
		case !slices.Contains(fields, name):
			return usagef("record %s on %s: there is no figure %q; the row asks for %s", e.Kind, ref, name, strings.Join(fields, "、"))
		case n < 0:
			return usagef("record %s on %s: %s=%d is below zero; give 0 or more", e.Kind, ref, name, n)
		case n > 0 && e.Nil:
			return usagef("record %s on %s: a nil return has no figures, and %s=%d; leave out --nil or the figure", e.Kind, ref, name, n)
		}
	}
	return nil
}

// recordBoth records the event, and before it the request that an extension answers, where that was not recorded.
func (a *app) recordBoth(ctx context.Context, r register.Register, ref task.Ref, e task.Event, x more) (task.Status, error) {
	if x.asked == 0 {
		return r.Record(ctx, ref, e)
	}
	if x.asked > e.On {
		return task.Status{}, usagef("grant %s: the unit cannot have asked on %s, after the answer of %s; give --asked the day of its request", ref, x.asked, e.On)
	}
	ask := task.Event{Kind: task.ExtensionAsked, On: x.asked, Date: e.Date, Who: e.Who, Why: e.Why, Subject: ref.String()}
	e.Subject = ref.String()
	if err := r.RecordAll(ctx, ref.Jurisdiction, []task.Event{ask, e}); err != nil {
		return task.Status{}, err
	}
	rec, err := r.Store.Record(ctx, ref)
	if err != nil {
		return task.Status{}, err
	}
	return r.Status(rec, e.On)
}

// outcome says what an item stands at after an event.
func outcome(st task.Status, did task.EventKind) string {
	s := string(st.State)
	switch {
	case did == task.Counted:
		s += fmt.Sprintf(", %d counted", st.Count)
	case did == task.HeldBack:
		s += ", no urging until " + st.HeldUntil.String()
	case did == task.Checked:
		s += ", checked: what is due may be urged"
	}
	switch {
	case st.State == task.Waiting:
		s += ", due " + st.Effective.String()
	case st.State == task.Finished && st.Late > 0:
		s += fmt.Sprintf(", %d workdays late", st.Late)
	case st.State == task.Finished:
		s += ", on time"
	}
	return s
}

func (a *app) triggerCmd() *cobra.Command {
	var on, due string
	var e task.Event
	c := &cobra.Command{
		Use: "trigger JURISDICTION/PLAN/ROW", Short: "A condition is met, or an event starts a clock; the items open with the next `run open`",
		Args: cobra.ExactArgs(1), Example: "  duban obligations trigger laoshan/zfzl2024/10 --on 2024-08-20 --by 李敏\n  duban obligations trigger sishui/zfzl2023-2025/8 --unit xscjgj --ref 2024-017 --on 2024-09-18 --by 李敏",
		RunE: func(c *cobra.Command, args []string) error {
			id, err := task.ParseTaskID(args[0])
			if err != nil {
				return usageError{err}
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			today := a.today(id.Jurisdiction)
			if e.On, err = a.date("on", on, today); err != nil {
				return err
			}
			if e.On > today {
				return usagef("trigger %s on %s: that day has not come yet; record it on that day", id, e.On)
			}
			if e.Date, err = a.date("due", due, 0); err != nil {
				return err
			}
			to, err := a.register(s).Trigger(c.Context(), id, e)
			if err != nil {
				return err
			}
			if a.asJSON() {
				return a.json(struct {
					Task string     `json:"task"`
					Due  civil.Date `json:"due"`
				}{id.String(), to})
			}
			a.say("%s  triggered on %s, due %s\nIt opens with the next day's jobs, or now: duban run all --again --jurisdiction %s", id, e.On, to, id.Jurisdiction)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&on, "on", "", "the day of the event, YYYY-MM-DD (default today)")
	f.StringVar(&due, "due", "", "the due date, where the text names no length of time")
	f.StringVar(&e.Unit, "unit", "", "the unit concerned; default every party of the row")
	f.StringVar(&e.Ref, "ref", "", "reference, such as a case number (no names of parties)")
	f.StringVar(&e.Who, "by", "", "who says so (required)")
	f.StringVar(&e.Why, "why", "", "why")
	_ = c.MarkFlagRequired("by")
	return c
}
