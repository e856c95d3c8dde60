package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"

	"duban/config"
	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/inspection"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/notice"
	"duban/store"
)

// slotLease is how long a job may hold its slot without settling it. Planning a day takes seconds; a plan saved later
// than this is refused by its fence, and made again.
const slotLease = 30 * time.Second

// jobStore is what the jobs read and write.
type jobStore interface {
	jobs.OpenStore
	jobs.QuarterlyStore
	jobs.PersonnelStore
	jobs.RemindStore
	jobs.EscalateStore
	Reading(ctx context.Context, f func(ctx context.Context) error) error
}

// runner wires the jobs to the database.
func (a *app) runner(s *store.Store, by string) jobs.Runner { return a.runnerOn(s, s, by) }

// runnerOn is runner with a store of its own for what the jobs read and write.
func (a *app) runnerOn(s *store.Store, work jobStore, by string) jobs.Runner {
	work = a.inStep(s, work)
	return jobs.Runner{
		Jobs: jobs.Day{
			Open:         jobs.Open{Store: work, Settings: a.policies.settings, Clock: a.clock},
			MonthlyClose: jobs.MonthlyClose{Store: work, Settings: a.policies.settings}, QuarterlyClose: jobs.QuarterlyClose{Store: work, Settings: a.policies.settings},
			Personnel: jobs.Personnel{Store: work, Settings: a.policies.settings},
			Remind:    jobs.Remind{Store: work, Settings: a.policies.settings},
			Escalate:  jobs.Escalate{Store: work, Settings: a.policies.settings, Extra: inspections(work)},
		}.All(),
		Slots: s.As(holder(), gone), Lease: slotLease, By: by, Clock: a.machineNow,
	}
}

// inspections adds to a digest what is to be settled about inspections of enterprises.
func inspections(s jobStore) func(context.Context, string, civil.Date, civil.Date, int64) ([]notice.Section, bool, error) {
	return func(ctx context.Context, code string, d, last civil.Date, seq int64) ([]notice.Section, bool, error) {
		occ, err := s.Occurrences(ctx, code, task.InspectionFiled, task.InspectionRegistered)
		if err != nil || len(occ) == 0 {
			return nil, false, err
		}
		dir, err := s.Directory(ctx, code)
		if err != nil {
			return nil, false, err
		}
		return inspection.Sections(occ, dir, d, last), inspection.New(occ, d, last, seq), nil
	}
}

// prepare takes back the letters of workers that died, for the day's planning to find, and rebuilds a jurisdiction's
// cached columns where the calendar or the ladder is another than they were computed with.
func (a *app) prepare(ctx context.Context, s *store.Store, code string) error {
	if err := (&notify.Dispatcher{Store: s, Gone: gone, By: a.worker(), Log: a.log}).Recover(ctx, code); err != nil {
		return err
	}
	return a.freshen(ctx, s, code)
}

// freshen refuses a jurisdiction whose policy, calendar or templates are not those loaded last, and rebuilds its cached columns
// where the calendar or the ladder is another than they were computed with.
func (a *app) freshen(ctx context.Context, s *store.Store, code string) error {
	if err := a.checkVersions(ctx, s, code); err != nil {
		return err
	}
	j, err := s.Jurisdiction(ctx, code)
	if err != nil {
		return err
	}
	hash, err := a.policies.hash(code)
	if err != nil || j.Caches == hash {
		return err
	}
	n, err := a.register(s).Rebuild(ctx, code, hash)
	if err == nil {
		a.log.Info().Str("jurisdiction", code).Int("obligations", n).Msg("cached columns rebuilt for a new calendar or ladder")
	}
	return err
}

// byHand are the flags of a run by hand.
type byHand struct {
	day, code, by string
	again         bool // evaluate a settled day once more
	now           bool // send outside the sending window too
	confirm       string
}

func (a *app) runCmd() *cobra.Command {
	var h byHand
	c := &cobra.Command{
		Use: "run JOB|all", Short: "Run a job of a day by hand, or all of them", Args: cobra.ExactArgs(1),
		Long: `Run a job as the worker would, for the day given (default today, in the jurisdiction's zone). The jobs of a day, in
order: open, monthly-close, quarterly-close, personnel, remind, escalate. Jobs that come before the one named run first;
health, the operations letter, runs by itself and is not among all. A slot that has settled is not run again, and no step
and no letter is made twice; letters that were planned and have not left are sent. --again evaluates a settled day once
more, for what came in since.
With mail.transport: file a day ahead may be run too; its letters count as said, so do that in a copy of the database.`,
		Example: "  duban run all --date 2024-09-26\n  duban run remind --jurisdiction laoshan",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			a.quieter() // the outcome is printed, and the outbox lists the letters
			if args[0] == (jobs.Health{}).Name() {
				return a.runHealth(c.Context(), s, h)
			}
			return a.runJobs(c.Context(), s, args[0], h)
		},
	}
	f := c.Flags()
	f.StringVar(&h.day, "date", "", "the logical date, YYYY-MM-DD")
	f.StringVar(&h.code, "jurisdiction", "", "one jurisdiction; default all")
	f.StringVar(&h.by, "by", "operator", "who runs it, for the ledger")
	f.BoolVar(&h.again, "again", false, "evaluate a settled day once more")
	f.BoolVar(&h.now, "send-now", false, "let letters leave outside the configured window too")
	confirmFlag(f, &h.confirm)
	return c
}

// ranSlot is one line of `run`'s JSON.
type ranSlot struct {
	ledgerRow
	Already bool   `json:"already"` // it had settled before, and did not run again
	Error   string `json:"error,omitempty"`
}

func (a *app) runJobs(ctx context.Context, s *store.Store, name string, h byHand) error {
	runner := a.runner(s, h.by)
	runner.ByHand, runner.Waits = true, a.sayWho
	names := []string{name}
	if name == "all" {
		names = nil
		for _, j := range runner.Jobs {
			names = append(names, j.Name())
		}
	} else if _, err := runner.Find(name); err != nil {
		return usagef("%w, or all; %s writes the operations letter", err, jobs.Health{}.Name())
	}
	all, err := jurisdictions(ctx, s, h.code)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return usagef("there is no jurisdiction yet; import its units and a plan first: duban import units FILE, duban import plan FILE")
	}
	if err := a.trusted(ctx, s, h.confirm); err != nil {
		return err
	}
	var errs []error
	for _, j := range all {
		errs = append(errs, a.runJurisdiction(ctx, s, runner, names, j, h))
	}
	return errors.Join(slices.CompactFunc(errs, sameWords)...) // several jurisdictions share one account, and its brake
}

// sayWho says who has a slot that is waited for.
func (a *app) sayWho(held run.Run) {
	if a.flags.quiet {
		return
	}
	zone := a.policies.zone(held.Jurisdiction)
	fmt.Fprintf(a.err, "%s %s %s: %s has it since %s; waiting for it to be settled, %s at most\n",
		held.Job, held.Jurisdiction, held.Date, held.By, held.Started.In(zone).Format("15:04:05"), run.Length(slotLease))
}

func sameWords(a, b error) bool { return a != nil && b != nil && a.Error() == b.Error() }

func (a *app) runJurisdiction(ctx context.Context, s *store.Store, runner jobs.Runner, names []string, j task.Jurisdiction, h byHand) error {
	today := a.today(j.Code)
	d, err := a.date("date", h.day, today)
	if err != nil {
		return err
	}
	if d > today && a.cfg.Mail.Transport != "file" {
		return usagef("run %s for %s: the day has not come, and letters would leave; look ahead in a copy of the database with mail.transport: file: what it writes counts as said", strings.Join(names, " and "), d)
	}
	if err := a.mayPlan(ctx, s, j.Code, d); err != nil {
		return err
	}
	if err := a.prepare(ctx, s, j.Code); err != nil {
		return err
	}
	results, err := runSlots(ctx, runner, names, j.Code, d, h.again)
	if perr := a.printSlots(results, d); perr != nil {
		return errors.Join(err, perr)
	}
	if err != nil || slices.Equal(names, []string{"open"}) {
		return err
	}
	planned := slices.ContainsFunc(results, func(r jobs.Result) bool { return r.Job == "remind" && r.Date == d && r.State == run.Done })
	sum, err := a.deliver(ctx, s, j.Code, d, planned, h.now)
	if err != nil {
		return err
	}
	if err := a.printLetters(ctx, s, j, d, sum); err != nil {
		return err
	}
	if b := sum.Brake; b != nil {
		return fmt.Errorf("the brake is on until %s, no letters leave: %s; it is let go by itself, then run again, or let `duban serve` do it",
			b.Until.In(a.policies.zone(j.Code)).Format("15:04:05"), notify.MaskAll(b.Reason))
	}
	if sum.Failed > 0 {
		return fmt.Errorf("%d letters of %s for %s were refused for good; `duban outbox list --state failed` names them", sum.Failed, d, j.Code)
	}
	return nil
}

// printLetters prints what became of the letters and, where some wait, how many: nobody is to believe that all is done.
func (a *app) printLetters(ctx context.Context, s *store.Store, j task.Jurisdiction, d civil.Date, sum notify.Summary) error {
	states := []notice.State{notice.Pending, notice.Retry, notice.Held, notice.Unknown}
	counts, err := s.LetterCounts(ctx, j.Code, states...)
	if err != nil {
		return err
	}
	var wait []string
	for _, state := range states {
		if n := counts[state]; n > 0 {
			wait = append(wait, fmt.Sprintf("%d %s", n, state))
		}
	}
	if sum == (notify.Summary{}) && len(wait) == 0 && j.Paused == nil {
		return nil
	}
	words := letterCounts(sum, j)
	if len(wait) > 0 {
		words += "; waiting now: " + strings.Join(wait, ", ") + " (`duban outbox list --state STATE` says for what)"
	}
	a.say("%-15s %-10s %s  %s", "letters", j.Code, d, words)
	return nil
}

// runSlots runs the jobs in order, each of them again where that is asked, and returns what each slot came to, once.
func runSlots(ctx context.Context, runner jobs.Runner, names []string, code string, d civil.Date, again bool) ([]jobs.Result, error) {
	var all []jobs.Result
	seen := map[run.Slot]bool{}
	if n := len(names); !again && n == len(runner.Jobs) && n > 0 && runner.Jobs[n-1].Name() == names[n-1] {
		names = names[n-1:] // a job runs those before it: the last runs them all, and nothing is asked about twice
	}
	for _, name := range names {
		results, err := runner.Run(ctx, name, code, d, again)
		for _, r := range results {
			if !seen[r.Slot] {
				seen[r.Slot], all = true, append(all, r)
			}
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func letterCounts(sum notify.Summary, j task.Jurisdiction) string {
	if j.Paused != nil {
		return fmt.Sprintf("kept back: paused by %s (%s)", j.Paused.Who, notify.MaskFree(j.Paused.Why))
	}
	words := fmt.Sprintf("%d sent, %d to be tried again, %d failed, %d unknown", sum.Sent, sum.Retry, sum.Failed, sum.Unknown)
	for _, more := range []struct {
		n    int
		what string
	}{
		{sum.Held, "held until the window opens (--send-now lets them go)"}, {sum.Cancelled, "cancelled: nothing was left to say"},
		{sum.Back, "not begun"}, {sum.Leased, "in another worker's hands"},
	} {
		if more.n > 0 {
			words += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	return words
}

// printSlots prints the slots of the day asked for, and counts for people the missed days that were made up before it.
func (a *app) printSlots(results []jobs.Result, d civil.Date) error {
	days, opened := 0, 0
	for _, r := range results {
		if !a.asJSON() && r.Date < d && r.Err == nil {
			days++
			opened += r.Counts.Opened
			continue
		}
		if days > 0 {
			a.say("%-15s %-10s %d missed days made up: %d obligations opened", r.Job, r.Jurisdiction, days, opened)
			days = 0
		}
		if err := a.printSlot(r); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printSlot(r jobs.Result) error {
	if a.asJSON() {
		line := ranSlot{ledgerRow: rowOfRun(r.Run), Already: r.Already}
		if line.Took == nil && r.Took > 0 {
			line.Took = seconds(r.Took)
		}
		if r.Err != nil {
			line.Error = r.Err.Error()
		}
		return a.json(line)
	}
	what := string(r.State)
	switch {
	case r.Already && r.Settled():
		what = "settled before (" + string(r.State) + " by " + r.By + ")"
		if r.Reason != "" {
			what = "settled before (" + string(r.State) + " by " + r.By + ": " + r.Reason + ")"
		}
	case r.Reason != "":
		what += ": " + r.Reason
	default:
		what += ": " + cameTo(r.Run)
	}
	a.say("%-15s %-10s %s  %s%s", r.Job, r.Jurisdiction, r.Date, what, a.timing(r))
	return nil
}

// timing says when a slot that ran now was due, how late it was and how long it took; nothing where no clock was asked.
func (a *app) timing(r jobs.Result) string {
	late, ok := r.Late()
	if !ok || r.Already {
		return ""
	}
	words := "late"
	if late < 0 {
		late, words = -late, "early"
	}
	return fmt.Sprintf(" (due %s, %s %s, took %s)", dayTime(r.Run, r.Due, a.policies.zone(r.Jurisdiction)), run.Length(late), words, brief(r.Took))
}

// deliver sends the letters of one day that wait and, where the day is planned, what is dated earlier and was not taken
// over: it was in doubt, or a person let it go. now lets them leave outside the hours that were chosen.
func (a *app) deliver(ctx context.Context, s *store.Store, code string, d civil.Date, planned, now bool) (notify.Summary, error) {
	dispatcher, err := a.dispatcher(s, code)
	if err != nil {
		return notify.Summary{}, err
	}
	door := a.door(s, true)
	if now {
		door.Hours = func(string) (jobs.Hours, bool) { return jobs.Hours{}, false }
	}
	dispatcher.Door = door
	return leave(ctx, s, dispatcher, code, d, planned)
}

// leave has a dispatcher send the letters of one day that wait and, where the day is planned, what is dated earlier and was not
// taken over.
func leave(ctx context.Context, s *store.Store, dispatcher *notify.Dispatcher, code string, d civil.Date, planned bool) (notify.Summary, error) {
	sum, err := dispatcher.Run(ctx, notice.ClaimFilter{Jurisdiction: code, Date: d})
	if err != nil || sum.Brake != nil || !planned {
		return sum, err
	}
	if err := s.LeaveOn(ctx, code, d); err != nil {
		return sum, err
	}
	before, err := dispatcher.Run(ctx, notice.ClaimFilter{Jurisdiction: code, Before: d})
	return sum.Add(before), err
}

// schedules parses the cron specs of the jobs. A spec that never fires is an error.
func schedules(cfg config.Config) (map[string]cron.Schedule, error) {
	out := map[string]cron.Schedule{}
	for name, spec := range map[string]string{
		"open": cfg.Schedule.Open, "monthly-close": cfg.Schedule.MonthlyClose, "quarterly-close": cfg.Schedule.QuarterlyClose,
		"personnel": cfg.Schedule.Personnel, "remind": cfg.Schedule.Remind, "escalate": cfg.Schedule.Escalate, "heartbeat": cfg.Schedule.Heartbeat,
	} {
		if spec == "" {
			continue
		}
		sched, err := parseSpec(spec)
		if err != nil {
			return nil, usagef("schedule.%s %q: %w; want five fields: minute hour day-of-month month day-of-week", strings.ReplaceAll(name, "-", "_"), spec, err)
		}
		out[name] = sched
	}
	if out["heartbeat"] == nil {
		return nil, usagef("schedule.heartbeat is empty: the worker would never wake")
	}
	first := out["heartbeat"].Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	if apart := out["heartbeat"].Next(first).Sub(first); apart > cfg.Schedule.Grace {
		return nil, usagef("schedule.heartbeat %q wakes the worker every %s, and schedule.grace is %s: every slot would be missed; let it wake more often",
			cfg.Schedule.Heartbeat, run.Length(apart), run.Length(cfg.Schedule.Grace))
	}
	return out, nil
}

func parseSpec(spec string) (s cron.Schedule, err error) {
	defer func() { // cron.ParseStandard panics on some malformed zones
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed: %v", p)
		}
	}()
	if s, err = cron.ParseStandard(spec); err != nil {
		return nil, err
	}
	if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("it never fires")
	}
	return s, nil
}

func (a *app) serveCmd() *cobra.Command {
	var confirm string
	c := &cobra.Command{
		Use: "serve", Short: "Run the jobs by the clock until stopped",
		Long: `Open what each day opens, plan each day's letters and send them within the jurisdiction's window. Stop it with SIGTERM
or Ctrl-C: no new work is taken, and the letter in hand is finished.
While the machine's date lies before the last run's day or more than 15 days after it, or its clock is more than 12 hours
from the database's, nothing is planned or sent; set the clock right and it goes on by itself.`,
		RunE: func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), confirm) },
	}
	confirmFlag(c.Flags(), &confirm)
	return c
}

func (a *app) serve(ctx context.Context, confirm string) error {
	if err := a.load(); err != nil {
		return err
	}
	specs, err := schedules(a.cfg)
	if err != nil {
		return err
	}
	a.works = true
	s, err := a.openDB(ctx, a.cfg.Database.DSN)
	if err != nil {
		return err
	}
	if _, err := a.dispatcher(s, ""); err != nil { // what is wrong with the settings is said at once
		return err
	}
	if err := errors.Join(a.confirm(ctx, s, confirm), a.warnOfClock(ctx, s)); err != nil {
		return err
	}
	if err := a.watch(ctx, s, specs["heartbeat"]); err != nil {
		return err
	}
	runner := a.runner(s, "scheduler")
	a.meter.watch(&runner, s.As(holder(), gone))
	w := a.newWorker(s, runner, specs)
	health, err := a.healthWorker(s)
	if err != nil {
		return err
	}
	a.log.Info().Str("database", s.Dialect()).Str("transport", a.cfg.Mail.Transport).Str("worker", a.worker()).Msg("serving")
	err = serveAll(ctx, w, health)
	a.log.Info().Msg("stopped")
	return err
}

// newWorker wires the worker of `serve`.
func (a *app) newWorker(s *store.Store, runner jobs.Runner, specs map[string]cron.Schedule) *jobs.Worker {
	return &jobs.Worker{
		Runner: runner, Jurisdictions: s.Jurisdictions, Zone: a.policies.zone,
		Trust: func(ctx context.Context, _ time.Time) error {
			a.meter.tick()
			return a.trust(ctx, s)
		},
		Prepare: func(ctx context.Context, code string) error {
			if err := a.mayPlan(ctx, s, code, a.today(code)); err != nil { // before anything is written
				return err
			}
			return a.prepare(ctx, s, code)
		},
		Deliver: a.postOffice(s, func(d *notify.Dispatcher) { d.Door = a.door(s, false) }).deliver,
		Slots:   s, Settings: a.policies.settings, Grace: a.cfg.Schedule.Grace,
		Specs: specs, Heartbeat: specs["heartbeat"], Shutdown: a.cfg.Worker.ShutdownTimeout, Clock: a.clock, Log: a.log,
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
