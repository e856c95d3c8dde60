package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify"
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
  --mode record   fills the ledger and sends nothing; letters are recorded as if served on their days (default), but for
                  those that are held for a person, as one that names people and may not go where its reader is: they
                  stay held, and the end says how many, why and how to go on
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
	Held    []stays    `json:"held"` // letters of the range that wait, or will wait, for a person
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
		return brokenOff(ctx, err)
	}
	switch {
	case f.apply == "":
		return a.propose(ctx, copied, saw, f)
	case !strings.HasPrefix(saw.hash, strings.ToLower(f.apply)):
		return a.notThePlan(ctx, s, saw, f)
	}
	_, rest, err := a.toLeave(ctx, s, saw)
	if err != nil {
		return err
	}
	begun, err := a.begunDays(ctx, s, saw)
	switch {
	case err != nil:
		return err
	case saw.slots == 0 && rest == 0 && len(begun) == 0:
		return a.nothingToFill(ctx, s, saw)
	}
	if err := copied.Close(); err != nil { // what it remembers is not needed any more
		return fmt.Errorf("close the copy of the database: %w", err)
	}
	return a.fill(ctx, s, saw, f)
}

func (a *app) backfillSpan(ctx context.Context, s *store.Store, job string, f backfillFlags) (span, error) {
	sp, err := a.span(ctx, s, f.rangeFlags, job)
	if err != nil {
		return sp, err
	}
	sp.mode, sp.reprocess, sp.fills = run.Mode(f.mode), run.Reprocess(f.reprocess), true
	if err := errors.Join(oneOf("mode", f.mode, "record", "digest", "send"), oneOf("reprocess", f.reprocess, "none", "failed", "all")); err != nil {
		return sp, err
	}
	if f.apply != "" && len(f.apply) < digits {
		return sp, usagef("--apply %q: want the plan's hash, or its first %d digits", f.apply, digits)
	}
	if f.apply != "" {
		sp.applied, sp.bare = strings.ToLower(f.apply)[:digits], true
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
		if sp.mode == run.RecordOnly {
			continue
		}
		j, err := s.Jurisdiction(ctx, code)
		switch {
		case err != nil:
			return err
		case j.Paused != nil:
			return usagef("backfill in mode %s: sending is paused for %s by %s; let it go on with `duban resume`, or use --mode record", sp.mode, code, j.Paused.Who)
		case f.now:
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
func (a *app) propose(ctx context.Context, copied *store.Store, saw foresight, f backfillFlags) error {
	if err := a.printForesight(saw, f.letters); err != nil {
		return err
	}
	held, err := a.held(ctx, copied, saw.span)
	if err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(saw.plan(false, held))
	}
	if saw.slots == 0 {
		a.say("\nplan %s: nothing to do, every slot of the range is settled (--reprocess all goes through them once more)", saw.hash)
		return nil
	}
	a.say("\nplan %s: %d slots to go through, %d new letters; nothing was written. To carry it out:\n  duban backfill %s --from %s --to %s%s --apply %s --by NAME",
		saw.hash, saw.slots, saw.fresh, saw.job, saw.from, saw.to, f.repeat(), saw.hash[:16])
	a.sayStays(saw.span, held)
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

func (f foresight) plan(applied bool, held []stays) backfillPlan {
	return backfillPlan{f.hash, f.job, f.from, f.to, string(f.mode), f.slots, f.fresh, applied, held}
}

// notThePlan refuses a hash that the range does not come to.
func (a *app) notThePlan(ctx context.Context, s *store.Store, saw foresight, f backfillFlags) error {
	what := "since it was shown something was entered, a letter came to something else, the calendar, the policy or the templates are others, or the range and its flags are"
	old, err := s.Backfill(ctx, strings.ToLower(f.apply))
	switch {
	case errors.Is(err, task.ErrNotFound):
	case err != nil:
		return err
	case old.Job != saw.job || old.From != saw.from || old.To != saw.to || old.Mode != saw.mode || old.Reprocess != saw.reprocess:
		what = fmt.Sprintf("that plan was of %s from %s to %s in mode %s with --reprocess %s", old.Job, old.From, old.To, old.Mode, old.Reprocess)
	default:
		for _, was := range old.Days {
			if !slices.Contains(saw.days, was) {
				what = fmt.Sprintf("%s of %s comes to other letters than it did when %s began the plan", was.Date, was.Jurisdiction, old.By)
				break
			}
		}
	}
	return refusedError{fmt.Errorf("plan %s is not what %s comes to now: %s; look at it again without --apply (it is %s now)", f.apply, saw.bounds(), what, saw.hash[:16])}
}

// nothingToFill says when the range was gone through.
func (a *app) nothingToFill(ctx context.Context, s *store.Store, saw foresight) error {
	held, err := a.held(ctx, s, saw.span)
	if err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(saw.plan(true, held))
	}
	by := ""
	if old, err := s.Backfill(ctx, saw.hash); err == nil {
		by = fmt.Sprintf("; %s began it on %s", old.By, old.Started.In(a.policies.zone("")).Format("2006-01-02 15:04"))
	} else if !errors.Is(err, task.ErrNotFound) {
		return err
	}
	a.say("plan %s: nothing to do, every slot of the range is settled%s", saw.hash, by)
	a.sayStays(saw.span, held)
	return nil
}

// fill carries the plan out.
func (a *app) fill(ctx context.Context, s *store.Store, saw foresight, f backfillFlags) error {
	b := run.Backfill{
		Hash: saw.hash, Job: saw.job, Jurisdictions: saw.codes, From: saw.from, To: saw.to, Mode: saw.mode, Reprocess: saw.reprocess,
		Days: saw.days, By: f.by,
	}
	if err := s.SaveBackfill(ctx, b); err != nil {
		return err
	}
	bar := a.bar(saw.span, "filling in")
	w := filling{app: a, store: s, saw: saw, by: f.by, now: f.now, done: bar.tick}
	err := w.run(ctx)
	bar.done()
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("backfill %s was interrupted; what is done stays done, and the same command goes on", saw.hash[:16])
	case errors.Is(err, errElse), errors.As(err, &refusedError{}):
		return fmt.Errorf("backfill %s: %w", saw.hash[:16], err)
	case err != nil:
		return fmt.Errorf("backfill %s: %w; what is done stays done: the same command goes on, or says what to do about a slot that failed", saw.hash[:16], err)
	}
	if b.Finished, err = s.Now(ctx); err != nil {
		return err
	}
	if err := s.SaveBackfill(ctx, b); err != nil {
		return err
	}
	held, err := a.held(ctx, s, saw.span)
	if err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(saw.plan(true, held))
	}
	letters, what := w.letters-w.held, "recorded, none was sent"
	if saw.mode != run.RecordOnly {
		letters, what = w.letters, "planned; "+letterCounts(w.sum, task.Jurisdiction{})
	}
	a.say("plan %s is carried out: %d slots gone through, %d letters %s (`duban outbox list --from %s --to %s`)", saw.hash[:16], w.slots, letters, what, saw.from, saw.to)
	a.sayStays(saw.span, held)
	return nil
}

// filling is a plan being carried out.
type filling struct {
	*app
	store          *store.Store
	saw            foresight
	by             string
	now            bool
	done           func() // after each day of a jurisdiction
	slots, letters int
	held           int              // of the letters
	seqs           map[string]int64 // the jurisdictions', after the last day
	sum            notify.Summary
}

// toLeave begins the reason of letters that are recorded only until all days of their plan are filled in.
const toLeave = "to leave when its range is filled in"

// reason stands on the letters of the plan while its days are filled in.
func (f foresight) reason(by string) string {
	if f.mode == run.RecordOnly {
		return "recorded, never sent (" + by + filledBy + f.hash[:digits] + ")"
	}
	return toLeave + " (backfill " + f.hash[:digits] + ")"
}

// run goes through the days, and lets the letters leave that are to: a worker or a day in between could not tell them from
// others, so nothing leaves before.
func (w *filling) run(ctx context.Context) error {
	if err := w.goThrough(ctx); err != nil || w.saw.mode == run.RecordOnly {
		return err
	}
	return w.leave(ctx)
}

func (w *filling) goThrough(ctx context.Context) error {
	sp := w.saw.span
	sp.applied = w.saw.hash[:digits]
	walked := walk{
		app: w.app, store: w.store, span: sp, by: w.by + filledBy + sp.applied, reason: w.saw.reason(w.by),
		before: w.unmoved, seen: w.seen,
	}
	for _, code := range sp.codes {
		if err := walked.jurisdiction(ctx, code); err != nil {
			return err
		}
	}
	return nil
}

// seen stops where a day came to something else than was shown.
func (w *filling) seen(ctx context.Context, code string, d civil.Date, results []jobs.Result, planned []notice.Notice) error {
	for _, r := range results {
		if !r.Already {
			w.slots++
		}
	}
	w.letters += len(planned)
	for _, n := range planned {
		if n.State == notice.Held {
			w.held++
		}
	}
	letters, err := dayLetters(ctx, w.store, code, d, planned)
	if err != nil {
		return err
	}
	day, _, err := hashDay(code, d, letters)
	if err != nil {
		return err
	}
	if !slices.Contains(w.saw.days, day) {
		return fmt.Errorf("%s %s came to other letters than were shown: %w; the days up to it are filled in, look at the rest without --apply", code, d, errElse)
	}
	j, err := w.store.Jurisdiction(ctx, code)
	if err != nil {
		return err
	}
	if w.seqs == nil {
		w.seqs = map[string]int64{}
	}
	w.seqs[code] = j.Seq
	w.done()
	return nil
}

// errElse says that the plan does not hold any more: the same command cannot go on.
var errElse = errors.New("something moved meanwhile")

// unmoved stops where something was entered since the plan was worked out.
func (w *filling) unmoved(ctx context.Context, code string, d civil.Date) error {
	j, err := w.store.Jurisdiction(ctx, code)
	if err != nil || j.Seq == w.seqs[code] { // nobody wrote since the day before
		return err
	}
	seq, err := w.store.DataSeq(ctx, code)
	if err != nil || seq == w.saw.data[code] {
		return err
	}
	err = fmt.Errorf("%w: entry %d was entered into %s since the plan was worked out; the days before %s are filled in, look at the rest without --apply", errElse, seq, code, d)
	if d == w.saw.from && code == w.saw.codes[0] {
		return refusedError{err}
	}
	return err
}

// toLeave returns the letters of the plan that are recorded and are to leave, by jurisdiction, and how many they are.
func (a *app) toLeave(ctx context.Context, s *store.Store, saw foresight) (map[string][]foreseen, int, error) {
	out, n := map[string][]foreseen{}, 0
	if saw.mode == run.RecordOnly {
		return out, 0, nil
	}
	for _, code := range saw.codes {
		letters, err := s.Notices(ctx, notice.Filter{Jurisdiction: code, State: notice.Recorded, To: saw.to})
		if err != nil {
			return nil, 0, err
		}
		for _, l := range letters {
			if l.Reason == saw.reason("") {
				out[code] = append(out[code], foresee(l, "", false, "", ""))
				n++
			}
		}
	}
	return out, n, nil
}

// begunDays are the days, by jurisdiction, whose letters began to leave under the plan and have not all left: it was interrupted
// meanwhile, or the mail server was.
func (a *app) begunDays(ctx context.Context, s *store.Store, saw foresight) (map[string][]civil.Date, error) {
	out := map[string][]civil.Date{}
	if saw.mode == run.RecordOnly {
		return out, nil
	}
	sp := saw.span
	sp.applied = saw.hash[:digits]
	for _, code := range sp.codes {
		own, err := ownSlots(ctx, s, sp, code)
		if err != nil {
			return nil, err
		}
		unsent, err := s.Unsent(ctx, code, "", sp.to+1)
		if err != nil {
			return nil, err
		}
		for _, n := range unsent {
			if n.State != notice.Held && own[slotOf(n)] && !slices.Contains(out[code], n.Key.Date) {
				out[code] = append(out[code], n.Key.Date)
			}
		}
	}
	return out, nil
}

// leave lets the letters of the plan leave, but for those whose moment has passed. It may be repeated.
func (w *filling) leave(ctx context.Context) error {
	waiting, _, err := w.toLeave(ctx, w.store, w.saw)
	if err != nil {
		return err
	}
	begun, err := w.begunDays(ctx, w.store, w.saw)
	if err != nil {
		return err
	}
	for _, code := range w.saw.codes {
		today := w.app.today(code)
		over := map[string]string{}
		if w.saw.mode == run.SendAll {
			over = overtake(waiting[code], w.app.today)
		}
		var ids []string
		days := map[civil.Date]bool{}
		for _, d := range begun[code] {
			days[d] = true
		}
		for _, l := range waiting[code] {
			if _, ok := over[l.ID]; !ok {
				ids = append(ids, l.ID)
				days[l.Date] = true
			}
		}
		if _, err := w.store.Dispatch(ctx, ids, over, "filled in afterwards (backfill "+w.saw.hash[:digits]+")"); err != nil {
			return err
		}
		if err := w.store.LeaveOn(ctx, code, today); err != nil {
			return err
		}
		if err := w.send(ctx, code, slices.Sorted(maps.Keys(days))); err != nil {
			return err
		}
	}
	return nil
}

// send sends the letters of the days.
func (w *filling) send(ctx context.Context, code string, days []civil.Date) error {
	dispatcher, err := w.dispatcher(w.store, code)
	if err != nil {
		return err
	}
	door := w.door(w.store, true)
	if w.now {
		door.Hours = func(string) (jobs.Hours, bool) { return jobs.Hours{}, false }
	}
	dispatcher.Door = door
	for _, d := range days {
		sum, err := dispatcher.Run(ctx, notice.ClaimFilter{Jurisdiction: code, Date: d})
		w.sum = w.sum.Add(sum)
		if err == nil && sum.Brake != nil {
			err = fmt.Errorf("the brake is on until %s; what has not left waits in the outbox, and leaves with the next `duban run` or by `duban serve`", sum.Brake.Until.Format(time.RFC3339))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// overtake finds, among the letters of a plan that are sent now, those whose moment has passed: those that only reminded of days
// that are over, for which it returns "", and those of which everything stands in one later letter of the plan to the same
// reader that leaves, whose ID it returns.
func overtake(letters []foreseen, today func(code string) civil.Date) map[string]string {
	over := map[string]string{}
	later := map[reader][]foreseen{} // what leaves after this one, the next first
	sorted := slices.SortedFunc(slices.Values(letters), func(a, b foreseen) int { return cmp.Or(cmp.Compare(b.Date, a.Date), cmp.Compare(a.ID, b.ID)) })
	for _, l := range sorted { // the last first
		if !l.own || l.Kind != notice.UnitLetter || len(l.Items) == 0 || l.State == string(notice.Held) {
			continue
		}
		r := reader{l.Jurisdiction, l.Unit, l.Role}
		by := slices.IndexFunc(later[r], func(next foreseen) bool { return next.repeats(l) })
		switch {
		case by >= 0:
			over[l.ID] = later[r][by].ID
		case !slices.ContainsFunc(l.Items, func(it foreseenItem) bool {
			return it.Rung == "urging" || it.Due.IsZero() || it.Due >= today(l.Jurisdiction)
		}):
			over[l.ID] = ""
		default:
			later[r] = slices.Insert(later[r], 0, l)
		}
	}
	return over
}

// repeats reports whether everything in the other letter stands in this one too.
func (f foreseen) repeats(other foreseen) bool {
	return !slices.ContainsFunc(other.Items, func(it foreseenItem) bool {
		return !slices.ContainsFunc(f.Items, func(own foreseenItem) bool { return own.Ref == it.Ref })
	})
}
