package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

// backfillFlags are the flags of a backfill.
type backfillFlags struct {
	rangeFlags
	mode, reprocess string
	apply, by       string
	letters, now    bool
	confirm         string
}

func (a *app) backfillCmd() *cobra.Command {
	var f backfillFlags
	c := &cobra.Command{
		Use: "backfill JOB|all", Short: "Fill in days that were missed: first shown, then applied under the plan's hash", Args: cobra.ExactArgs(1),
		Long: `Go through the slots of a range of past days, one by one and in order. Without --apply nothing is written: the letters
are shown as ` + "`duban preview`" + ` shows them, and the hash of the plan. With --apply HASH it is worked out once more, and carried
out only where it still comes to the same: anything entered meanwhile, another calendar, policy or template, refuses it.
  --mode record   fills the ledger and sends nothing; letters are recorded as if served on their days (default)
  --mode digest   what opens and closes is made up day by day; each unit gets one letter (补发) for the whole range
  --mode send     the letters of every day leave now, each saying that it is late (补发); one whose moment has passed is
                  recorded as superseded
A range that was interrupted is gone on with under the same hash. The same range a second time adds nothing.
A formal letter is drafted and never released; none is released on the strength of an urging that was only recorded.`,
		Example: "  duban backfill all --from 2024-09-01 --to 2024-09-30\n  duban backfill all --from 2024-09-01 --to 2024-09-30 --apply 3f0c9a1e --by 李敏\n" +
			"  duban backfill all --from 2024-10-01 --to 2024-10-08 --mode digest --jurisdiction laoshan",
		RunE: func(c *cobra.Command, args []string) error { return a.backfill(c.Context(), args[0], f) },
	}
	f.add(c)
	fl := c.Flags()
	fl.StringVar(&f.mode, "mode", string(run.RecordOnly), "record, digest or send")
	fl.StringVar(&f.reprocess, "reprocess", string(run.ReprocessNone), "what is gone through that the ledger knows: none, failed or all")
	fl.StringVar(&f.apply, "apply", "", "carry out the plan of this hash, or of its first eight digits")
	fl.StringVar(&f.by, "by", "operator", "who does it, for the ledger")
	fl.BoolVar(&f.letters, "letters", false, "list every letter, however many")
	fl.BoolVar(&f.now, "send-now", false, "let letters leave outside the configured window too")
	confirmFlag(fl, &f.confirm)
	return c
}

// backfillPlan is the last line of a backfill's JSON.
type backfillPlan struct {
	Plan    string     `json:"plan"` // the hash
	Job     string     `json:"job"`
	From    civil.Date `json:"from"`
	To      civil.Date `json:"to"`
	Mode    string     `json:"mode"`
	Slots   int        `json:"slots"`   // to be gone through, or gone through
	Letters int        `json:"letters"` // new ones
	Applied bool       `json:"applied"`
}

func (a *app) backfill(ctx context.Context, job string, f backfillFlags) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	a.quieter()
	sp, err := a.backfillSpan(ctx, s, job, f)
	if err != nil {
		return err
	}
	if err := a.mayFill(ctx, s, sp, f); err != nil {
		return err
	}
	bar := a.bar(sp, "previewing")
	copied, err := a.scratch(ctx, s, store.Cut{})
	if err != nil {
		return err
	}
	saw, err := a.rehearse(ctx, copied, sp, bar.tick)
	bar.done()
	if err != nil {
		return err
	}
	switch {
	case f.apply == "":
		return a.propose(saw, f)
	case !strings.HasPrefix(saw.hash, strings.ToLower(f.apply)):
		return a.notThePlan(ctx, s, saw, f)
	case saw.slots == 0:
		return a.nothingToFill(ctx, s, saw)
	}
	return a.fill(ctx, s, saw, f)
}

func (a *app) backfillSpan(ctx context.Context, s *store.Store, job string, f backfillFlags) (span, error) {
	sp, err := a.span(ctx, s, f.rangeFlags, job)
	if err != nil {
		return sp, err
	}
	sp.mode, sp.reprocess = run.Mode(f.mode), run.Reprocess(f.reprocess)
	sp.spares = sp.mode == run.RecordOnly
	const digits = 8
	if err := errors.Join(oneOf("mode", f.mode, "record", "digest", "send"), oneOf("reprocess", f.reprocess, "none", "failed", "all")); err != nil {
		return sp, err
	}
	if f.apply != "" && len(f.apply) < digits {
		return sp, usagef("--apply %q: want the plan's hash, or its first %d digits", f.apply, digits)
	}
	for _, code := range sp.codes {
		if today := a.today(code); sp.to > today {
			return sp, usagef("backfill up to %s: in %s it is %s; what is still to come is shown by `duban preview --from %s --to %s`", sp.to, code, today, sp.from, sp.to)
		}
	}
	return sp, nil
}

// mayFill refuses to begin where letters would have to leave and may not.
func (a *app) mayFill(ctx context.Context, s *store.Store, sp span, f backfillFlags) error {
	if f.apply == "" {
		return nil
	}
	if err := a.trusted(ctx, s, f.confirm); err != nil {
		return err
	}
	for _, code := range sp.codes {
		if err := errors.Join(a.prepare(ctx, s, code), a.mayPlan(ctx, s, code, sp.from)); err != nil {
			return err
		}
		if sp.mode == run.RecordOnly || f.now {
			continue
		}
		if at := a.door(s, true).Window(code); !at.IsZero() {
			return usagef("backfill in mode %s: letters of %s may leave from %s; wait until then, or let them leave now with --send-now",
				sp.mode, code, at.Format("2006-01-02 15:04"))
		}
	}
	return nil
}

// propose prints what the plan comes to, and how to carry it out.
func (a *app) propose(saw foresight, f backfillFlags) error {
	if err := a.printForesight(saw, f.letters); err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(saw.plan(false))
	}
	if saw.slots == 0 {
		a.say("\nplan %s: nothing to do, every slot of the range is settled (--reprocess all goes through them once more)", saw.hash)
		return nil
	}
	a.say("\nplan %s: %d slots to go through, %d new letters; nothing was written. To carry it out:\n  duban backfill %s --from %s --to %s%s --apply %s --by NAME",
		saw.hash, saw.slots, saw.fresh(), saw.job, saw.from, saw.to, f.repeat(), saw.hash[:16])
	return nil
}

// repeat is the flags, other than the range, that make the same plan.
func (f backfillFlags) repeat() string {
	var b strings.Builder
	for _, flag := range [][3]string{{"jurisdiction", f.code, ""}, {"mode", f.mode, string(run.RecordOnly)}, {"reprocess", f.reprocess, string(run.ReprocessNone)}} {
		if flag[1] != flag[2] {
			fmt.Fprintf(&b, " --%s %s", flag[0], flag[1])
		}
	}
	return b.String()
}

// fresh counts the letters that are not there yet.
func (f foresight) fresh() int {
	n := 0
	for _, l := range f.letters {
		if l.fresh {
			n++
		}
	}
	return n
}

func (f foresight) plan(applied bool) backfillPlan {
	return backfillPlan{f.hash, f.job, f.from, f.to, string(f.mode), f.slots, f.fresh(), applied}
}

// notThePlan refuses a hash that the range does not come to.
func (a *app) notThePlan(ctx context.Context, s *store.Store, saw foresight, f backfillFlags) error {
	what := "something was entered since it was shown, or the calendar, the policy or the templates are others, or the range and its flags are"
	if old, err := s.Backfill(ctx, strings.ToLower(f.apply)); err == nil {
		if old.Job != saw.job || old.From != saw.from || old.To != saw.to || old.Mode != saw.mode || old.Reprocess != saw.reprocess {
			what = fmt.Sprintf("that plan was of %s from %s to %s in mode %s with --reprocess %s", old.Job, old.From, old.To, old.Mode, old.Reprocess)
		}
	} else if !errors.Is(err, task.ErrNotFound) {
		return err
	}
	return refusedError{fmt.Errorf("plan %s is not what %s comes to now: %s; look at it again without --apply (it is %s now)", f.apply, saw.bounds(), what, saw.hash[:16])}
}

// nothingToFill says when the range was gone through.
func (a *app) nothingToFill(ctx context.Context, s *store.Store, saw foresight) error {
	if a.asJSON() {
		return a.json(saw.plan(true))
	}
	by := ""
	if old, err := s.Backfill(ctx, saw.hash); err == nil {
		by = fmt.Sprintf("; %s began it on %s", old.By, old.Started.In(a.policies.zone("")).Format("2006-01-02 15:04"))
	} else if !errors.Is(err, task.ErrNotFound) {
		return err
	}
	a.say("plan %s: nothing to do, every slot of the range is settled%s", saw.hash, by)
	return nil
}

// fill carries the plan out.
func (a *app) fill(ctx context.Context, s *store.Store, saw foresight, f backfillFlags) error {
	b := run.Backfill{
		Hash: saw.hash, Job: saw.job, Jurisdictions: saw.codes, From: saw.from, To: saw.to, Mode: saw.mode, Reprocess: saw.reprocess,
		Days: saw.days, By: f.by, Started: a.machineNow(),
	}
	if err := s.SaveBackfill(ctx, b); err != nil {
		return err
	}
	bar := a.bar(saw.span, "filling in")
	w := filling{app: a, store: s, saw: saw, now: f.now, done: bar.tick}
	err := w.run(ctx, f.by+filledBy+saw.hash[:8])
	bar.done()
	if err != nil {
		return fmt.Errorf("backfill %s: %w", saw.hash[:16], err)
	}
	b.Finished = a.machineNow()
	if err := s.SaveBackfill(ctx, b); err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(saw.plan(true))
	}
	what := map[run.Mode]string{run.RecordOnly: "recorded, none was sent", run.OneLetter: "planned and sent", run.SendAll: "planned and sent"}[saw.mode]
	a.say("plan %s is carried out: %d slots gone through, %d letters %s (`duban outbox list --from %s --to %s`)", saw.hash[:16], w.slots, w.letters, what, saw.from, saw.to)
	return nil
}

// filling is a plan being carried out.
type filling struct {
	*app
	store          *store.Store
	saw            foresight
	now            bool
	done           func() // after each day of a jurisdiction
	slots, letters int
}

func (w *filling) run(ctx context.Context, by string) error {
	o := &oracle{Store: w.store, late: w.saw.late(), planned: func(l []notice.Notice) { w.letters += len(l) }}
	switch w.saw.mode {
	case run.RecordOnly:
		o.reason = "recorded, never sent (" + by + ")"
	case run.SendAll:
		o.today = w.app.today(w.saw.codes[0])
		o.overtaken, o.passed = w.saw.overtaken, w.saw.passedBy
	case run.OneLetter:
	}
	replay := w.replay(w.store, o, w.saw.span, by)
	before := replay.Before
	replay.Before = func(ctx context.Context, code string, d civil.Date) (err error) {
		if d == w.saw.from {
			if err := w.freshen(ctx, w.store, code); err != nil {
				return err
			}
		}
		if d == w.saw.from && w.saw.spares {
			if o.spare, err = spared(ctx, w.store, w.saw.span, code); err != nil {
				return err
			}
		}
		return errors.Join(before(ctx, code, d), w.unmoved(ctx, code, d))
	}
	replay.Settle = w.settle
	replay.Done = func(_ context.Context, _ string, _ civil.Date, results []jobs.Result) error {
		for _, r := range results {
			if !r.Already {
				w.slots++
			}
		}
		w.done()
		return nil
	}
	return replay.Run(ctx, w.saw.codes)
}

// unmoved stops where something was entered since the plan was worked out.
func (w *filling) unmoved(ctx context.Context, code string, d civil.Date) error {
	seq, err := w.store.DataSeq(ctx, code)
	if err != nil {
		return err
	}
	if was := w.saw.data[code]; seq != was {
		return refusedError{fmt.Errorf("something was entered into %s (entry %d) while it was carried out; the days before %s are done, look at the rest again without --apply", code, seq, d)}
	}
	return nil
}

// settle sends the letters of the day, where they are to be sent.
func (w *filling) settle(ctx context.Context, code string, d civil.Date) error {
	if w.saw.mode == run.RecordOnly {
		return nil
	}
	today := w.app.today(code)
	if d < today {
		if err := w.store.LeaveOn(ctx, code, today); err != nil {
			return err
		}
	}
	dispatcher, err := w.dispatcher(w.store, code)
	if err != nil {
		return err
	}
	door := w.door(w.store, true)
	if w.now {
		door.Hours = func(string) (jobs.Hours, bool) { return jobs.Hours{}, false }
	}
	dispatcher.Door = door
	sum, err := dispatcher.Run(ctx, notice.ClaimFilter{Jurisdiction: code, Date: d})
	if err == nil && sum.Brake != nil {
		err = fmt.Errorf("the brake is on until %s, no letters leave; the same command goes on from %s once it is let go", sum.Brake.Until.Format(time.RFC3339), d)
	}
	return err
}

// overtake finds the letters of a range that are sent now whose moment has passed: everything in them stands in a later
// letter of the same reader, whose ID it returns, or was a reminder of a day that is over, for which it returns "".
func overtake(letters []foreseen, today func(code string) civil.Date) (overtaken map[string]string, passed map[string]bool) {
	overtaken, passed = map[string]string{}, map[string]bool{}
	later := map[reader]map[string]string{} // the reader's items → the first letter after this one that holds it
	sorted := slices.SortedFunc(slices.Values(letters), func(a, b foreseen) int { return cmp.Or(cmp.Compare(b.Date, a.Date), cmp.Compare(a.ID, b.ID)) })
	for _, l := range sorted { // the last first
		if l.Kind != notice.UnitLetter || len(l.Items) == 0 {
			continue
		}
		r := reader{l.Jurisdiction, l.Unit, l.Role}
		if later[r] == nil {
			later[r] = map[string]string{}
		}
		by, all, over := "", true, true
		for _, it := range l.Items {
			in, again := later[r][it.Ref]
			over = over && it.Rung != "urging" && !it.Due.IsZero() && it.Due < today(l.Jurisdiction)
			all = all && again
			by = cmp.Or(by, in)
		}
		switch {
		case !l.fresh:
		case all:
			overtaken[l.ID] = by
		case over:
			passed[l.ID] = true
		}
		for _, it := range l.Items {
			later[r][it.Ref] = l.ID
		}
	}
	return overtaken, passed
}
