package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/notice"
	"duban/store"
)

// rangeFlags are the flags of previews and backfills.
type rangeFlags struct {
	from, to, code string
}

func (r *rangeFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&r.from, "from", "", "first logical date: 2024-06-25, 20240625, today or yesterday")
	f.StringVar(&r.to, "to", "", "last logical date")
	f.StringVar(&r.code, "jurisdiction", "", "one jurisdiction; default all")
}

// span reads the flags.
func (a *app) span(ctx context.Context, s *store.Store, r rangeFlags, job string) (sp span, err error) {
	sp = span{job: job, mode: run.RecordOnly, reprocess: run.ReprocessFailed}
	if sp.from, err = a.date("from", r.from, 0); err != nil {
		return sp, err
	}
	if sp.to, err = a.date("to", r.to, sp.from); err != nil {
		return sp, err
	}
	if err := jobs.CheckRange(sp.from, sp.to); err != nil {
		return sp, usageError{err}
	}
	if job != jobs.AllJobs {
		if _, err := a.runner(s, "").Find(job); err != nil {
			return sp, usagef("%w, or all", err)
		}
	}
	all, err := jurisdictions(ctx, s, r.code)
	for _, j := range all {
		sp.codes = append(sp.codes, j.Code)
	}
	if err == nil && len(all) == 0 {
		err = usagef("there is no jurisdiction yet; import its units and a plan first: duban import units FILE, duban import plan FILE")
	}
	return sp, err
}

// previewFlags are what a preview may be asked besides its range.
type previewFlags struct {
	rangeFlags
	job, html             string
	policy, calendar      string
	withoutPlan           string
	letters, assumeLeaves bool
}

func (f previewFlags) whatIf() bool { return f.policy != "" || f.calendar != "" || f.withoutPlan != "" }

func (a *app) previewCmd() *cobra.Command {
	var f previewFlags
	c := &cobra.Command{
		Use: "preview", Short: "The exact letters of a range of days, with nothing written and nothing sent",
		Long: `Go through a range of days on a private copy of the database, step by step: what opens, what closes, what is said, each
day knowing what the days before it said. Ordinary letters count as served on their day; formal letters are drafted, and
never released unless --assume-released says so. Days that have been gone through show the letters they have.
A range that begins today or later begins with what the worker will catch up with. One that began earlier shows what its
days would be if they were run now, one by one, as ` + "`duban run all --date`" + ` would.
With --policy, --calendar or --without-plan it shows which letters that change would add, take away and alter.`,
		Example: "  duban preview --from today --to 2024-10-31\n  duban preview --from 2024-10-01 --to 2024-10-31 --jurisdiction laoshan --html ./october\n" +
			"  duban preview --from today --to 2024-12-31 --policy new-policy.yaml --jurisdiction laoshan",
		RunE: func(c *cobra.Command, _ []string) error { return a.preview(c.Context(), f) },
	}
	f.add(c)
	fl := c.Flags()
	fl.StringVar(&f.job, "job", "", "the letters of one job; default all")
	fl.StringVar(&f.html, "html", "", "folder to make: the letters as .eml with an index.html that opens them")
	fl.BoolVar(&f.letters, "letters", false, "list every letter, however many")
	fl.BoolVar(&f.assumeLeaves, "assume-released", false, "suppose that every form leaves on the day it is drafted")
	fl.StringVar(&f.policy, "policy", "", "what if: a policy file in place of the one in force")
	fl.StringVar(&f.calendar, "calendar", "", "what if: a calendar override laid over the calendar in force")
	fl.StringVar(&f.withoutPlan, "without-plan", "", "what if: as though the plan of this code had never been imported")
	return c
}

func (a *app) preview(ctx context.Context, f previewFlags) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	a.quieter()
	sp, err := a.span(ctx, s, f.rangeFlags, cmp.Or(f.job, jobs.AllJobs))
	if err != nil {
		return err
	}
	if f.html != "" && f.whatIf() {
		return usagef("preview: --html shows one future; leave out --policy, --calendar and --without-plan, or --html")
	}
	if f.policy != "" && f.code == "" && len(sp.codes) > 1 {
		return usagef("preview --policy %s: there are %d jurisdictions, and a policy is one's own: name it with --jurisdiction (%s)", f.policy, len(sp.codes), strings.Join(sp.codes, ", "))
	}
	sp.released, sp.compared = f.assumeLeaves, f.whatIf()
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
	if err := a.sayBarred(ctx, s, sp.codes); err != nil {
		return err
	}
	if f.whatIf() {
		return a.whatIf(ctx, s, sp, f, saw)
	}
	if f.job != "" {
		saw.letters = slices.DeleteFunc(saw.letters, func(l foreseen) bool { return l.Job != f.job })
	}
	if err := a.printForesight(saw, f.letters); err != nil {
		return err
	}
	if f.html == "" {
		return nil
	}
	return a.mailbox(ctx, copied, saw, f.html)
}

// brokenOff says of a rehearsal that a person stopped it, whatever it was about.
func brokenOff(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted while the days were gone through in a copy; nothing was written")
	}
	return err
}

// sayBarred tells, beside a preview, of jurisdictions from which nothing leaves at present: the letters are shown as they come once
// it does.
func (a *app) sayBarred(ctx context.Context, s *store.Store, codes []string) error {
	for _, code := range codes {
		j, err := s.Jurisdiction(ctx, code)
		if err != nil {
			return err
		}
		gap, err := a.archiveGapOf(ctx, s, code, false)
		if err != nil {
			return err
		}
		var why string
		switch {
		case j.Paused != nil:
			why = fmt.Sprintf("sending is paused since %s; `duban resume --jurisdiction %s` lets it go on", j.Paused.At.In(a.policies.zone(code)).Format("2006-01-02 15:04"), code)
		case !gap.Empty():
			why = gap.String()
		default:
			continue
		}
		fmt.Fprintf(a.err, "duban: %s: nothing leaves now: %s. The letters are shown as if those of each day left on it.\n", code, a.hints(why))
	}
	return nil
}

// quieter leaves out of the log what a command prints itself.
func (a *app) quieter() {
	if a.log.GetLevel() == zerolog.InfoLevel {
		a.log = a.log.Level(zerolog.WarnLevel)
	}
}

// whatIf rehearses the span once more under the change, and prints the difference.
func (a *app) whatIf(ctx context.Context, s *store.Store, sp span, f previewFlags, was foresight) error {
	changed, err := a.scratch(ctx, s, store.Cut{})
	if err != nil {
		return err
	}
	other := a
	if f.policy != "" || f.calendar != "" {
		p, err := a.policiesWith(f.policy, f.calendar, f.code)
		if err != nil {
			return err
		}
		other = a.under(p)
	}
	if f.withoutPlan != "" {
		if err := withoutPlan(ctx, changed, sp.codes, f.withoutPlan); err != nil {
			return err
		}
	}
	bar := a.bar(sp, "previewing the change")
	would, err := other.rehearse(ctx, changed, sp, bar.tick)
	bar.done()
	if err != nil {
		return err
	}
	return a.printDifference(differ(was.letters, would.letters))
}

// withoutPlan takes a plan out of a copy, wherever it is.
func withoutPlan(ctx context.Context, copied *store.Store, codes []string, plan string) error {
	found := false
	for _, code := range codes {
		plans, err := copied.Plans(ctx, code)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if p.Code != plan {
				continue
			}
			found = true
			if err := copied.WithoutPlan(ctx, code, plan); err != nil {
				return err
			}
			break
		}
	}
	if !found {
		return usagef("there is no plan %q in %s; `duban tasks list` names the plans", plan, strings.Join(codes, ", "))
	}
	return nil
}

// altered is a letter that a change adds, takes away or alters.
type altered struct {
	Change string `json:"change"` // added, removed or changed
	foreseen
	Was string `json:"was,omitempty"` // the subject before, of one that is changed
}

// differ compares two futures of one range.
func differ(was, would []foreseen) []altered {
	before := make(map[string]foreseen, len(was))
	for _, l := range was {
		before[l.ID] = l
	}
	var out []altered
	for _, l := range would {
		old, ok := before[l.ID]
		delete(before, l.ID)
		switch {
		case !ok:
			out = append(out, altered{Change: "added", foreseen: l})
		case old.told != l.told || (old.State == string(notice.Held)) != (l.State == string(notice.Held)):
			out = append(out, altered{Change: "changed", foreseen: l, Was: old.Subject})
		}
	}
	for _, l := range was {
		if _, gone := before[l.ID]; gone {
			out = append(out, altered{Change: "removed", foreseen: l})
		}
	}
	slices.SortStableFunc(out, func(a, b altered) int { return byLetter(a.foreseen, b.foreseen) })
	return out
}

// byLetter orders letters by day, jurisdiction, unit, kind and ID.
func byLetter(a, b foreseen) int {
	return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Jurisdiction, b.Jurisdiction), cmp.Compare(a.Unit, b.Unit),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

func (a *app) printDifference(diff []altered) error {
	if !a.asJSON() {
		n := map[string]int{}
		for _, d := range diff {
			n[d.Change]++
		}
		a.say("the change adds %d letters, takes away %d and alters %d\n", n["added"], n["removed"], n["changed"])
	}
	return list(a, diff, []string{"change", "date", "jurisdiction", "unit", "kind", "subject"}, func(d altered) []string {
		subject := d.Subject
		if d.Was != "" && d.Was != d.Subject {
			subject = d.Was + " → " + d.Subject
		}
		return []string{d.Change, d.Date.String(), d.Jurisdiction, d.Unit, d.Kind, subject}
	})
}

// mailbox writes the letters into a folder that a browser opens.
func (a *app) mailbox(ctx context.Context, copied *store.Store, saw foresight, dir string) error {
	if err := freshFolder("preview", "html", dir); err != nil {
		return err
	}
	n, err := a.writeMailbox(ctx, copied, saw, dir)
	if err == nil {
		a.say("\n%d letters: open %s", n, filepath.Join(dir, "index.html"))
		if gone := lettersGone(saw.letters); gone > 0 {
			a.say("%d letters are not in it: what they said was removed by the rule of retention (retention.facts); --letters says where the archive has each", gone)
		}
	}
	return err
}

// firstOf returns the first day of the month that d lies in.
func firstOf(d civil.Date) civil.Date { return d - civil.Date(d.Day()) + 1 }
