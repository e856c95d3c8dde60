package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/register"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

// silenceRow is one silence as `silence list --output json` prints it, as of a day.
type silenceRow struct {
	task.Silence
	State string `json:"state"` // in force, to come, ended
}

func (a *app) silenceCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "silence", Aliases: []string{"silences"}, Short: "Keep everything unsaid about a unit, a plan or an obligation for a time",
		Long: `A silence (暂停催办) has an author, a reason and an end. What is due is still evaluated, stands in the bureau's digest and,
when the silence ends, is checked there for a working day before anybody is urged.`,
	}
	c.AddCommand(a.silenceAddCmd(), a.silenceListCmd(), a.silenceLiftCmd())
	return c
}

func (a *app) silenceAddCmd() *cobra.Command {
	var code, unit, plan, id, from, until string
	var sil task.Silence
	c := &cobra.Command{
		Use: "add", Short: "Begin a silence",
		Example: "  duban silence add --jurisdiction laoshan --unit qyjj --until 2024-10-15 --by 李敏 --why 防汛应急响应\n  duban silence add --obligation laoshan/zfzl2024/17/qjtj/m1 --until 2024-10-15 --by 李敏 --why 已电话沟通",
		RunE: func(c *cobra.Command, _ []string) error {
			given := 0
			for scope, subject := range map[task.Scope]string{task.OverUnit: unit, task.OverPlan: plan, task.OverObligation: id} {
				if subject != "" {
					sil.Scope, sil.Subject = scope, subject
					given++
				}
			}
			if given != 1 {
				return usagef("silence add: name one of --unit, --plan and --obligation")
			}
			if id != "" {
				ref, err := task.ParseRef(id)
				if err != nil {
					return usageError{err}
				}
				code = ref.Jurisdiction
			}
			var err error
			if sil.Until, err = a.date("until", until, 0); err != nil {
				return err
			}
			if err := a.dateOrNone("from", from); err != nil {
				return err
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			return a.silenceAdd(c.Context(), s, code, from, sil)
		},
	}
	f := c.Flags()
	f.StringVar(&code, "jurisdiction", "", "the jurisdiction (needed where there are several)")
	f.StringVar(&unit, "unit", "", "unit code")
	f.StringVar(&plan, "plan", "", "plan code")
	f.StringVar(&id, "obligation", "", "an obligation's ID")
	f.StringVar(&from, "from", "", "the first day, YYYY-MM-DD (default today)")
	f.StringVar(&until, "until", "", "the last day, YYYY-MM-DD (required)")
	f.StringVar(&sil.Who, "by", "", "who says so (required)")
	f.StringVar(&sil.Why, "why", "", "why (required)")
	for _, name := range []string{"until", "by", "why"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

// theJurisdiction is the one named, or the only one there is.
func theJurisdiction(ctx context.Context, s *store.Store, code string) (string, error) {
	all, err := jurisdictions(ctx, s, code)
	switch {
	case err != nil:
		return "", err
	case len(all) == 1:
		return all[0].Code, nil
	case len(all) == 0:
		return "", usagef("there is no jurisdiction yet; import its units first: duban import units FILE")
	}
	var codes []string
	for _, j := range all {
		codes = append(codes, j.Code)
	}
	return "", usagef("name the jurisdiction with --jurisdiction: there are %s", strings.Join(codes, ", "))
}

func (a *app) silenceAdd(ctx context.Context, s *store.Store, code, from string, sil task.Silence) error {
	code, err := theJurisdiction(ctx, s, code)
	if err != nil {
		return err
	}
	if sil.On, err = a.date("from", from, a.today(code)); err != nil {
		return err
	}
	seq, err := a.register(s).Silence(ctx, code, sil)
	if errors.Is(err, register.ErrSubject) || errors.Is(err, register.ErrPeriod) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if a.asJSON() {
		sil.Jurisdiction, sil.Seq = code, seq
		return a.json(sil)
	}
	a.say("silence %s/%d over %s %s from %s to %s", code, seq, sil.Scope, sil.Subject, sil.On, sil.Until)
	planned, err := s.LetterCounts(ctx, code, notice.Pending, notice.Retry)
	if err == nil && planned[notice.Pending]+planned[notice.Retry] > 0 {
		a.say("letters that are planned already leave all the same: duban outbox list --jurisdiction %s --state pending", code)
	}
	return err
}

func (a *app) silenceListCmd() *cobra.Command {
	var code string
	l := lens{folds: true}
	c := &cobra.Command{
		Use: "list", Short: "Silences as of a day",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.look(c.Context(), l, code)
			if err != nil {
				return err
			}
			all, err := jurisdictions(c.Context(), s, code)
			if err != nil {
				return err
			}
			var rows []silenceRow
			for _, j := range all {
				d, err := a.date("as-of", l.asOf, a.today(j.Code))
				if err != nil {
					return err
				}
				entries, err := s.Silences(c.Context(), j.Code)
				if err != nil {
					return err
				}
				for _, sil := range task.SilencesAsOf(entries, d) {
					rows = append(rows, silenceRow{sil, silenceState(sil, d)})
				}
			}
			return list(a, rows, []string{"id", "over", "subject", "from", "to", "state", "by", "why"}, func(r silenceRow) []string {
				return []string{fmt.Sprintf("%s/%d", r.Jurisdiction, r.Seq), string(r.Scope), r.Subject, r.On.String(), r.Until.String(), r.State, r.Who, r.Why}
			})
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	l.flags(c)
	return c
}

func silenceState(s task.Silence, d civil.Date) string {
	switch {
	case s.On > d:
		return "to come"
	case s.Until < d:
		return "ended"
	}
	return "in force"
}

func (a *app) silenceLiftCmd() *cobra.Command {
	var who, why, on string
	c := &cobra.Command{
		Use: "lift JURISDICTION/SEQ", Short: "End a silence early; --on is the first day without it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			code, number, ok := strings.Cut(args[0], "/")
			var seq int64
			if _, err := fmt.Sscanf(number, "%d", &seq); !ok || err != nil {
				return usagef("silence lift %s: want JURISDICTION/SEQ, as `duban silence list` prints it", args[0])
			}
			if err := a.dateOrNone("on", on); err != nil {
				return err
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			d, err := a.date("on", on, a.today(code))
			if err != nil {
				return err
			}
			sil, err := a.register(s).Lift(c.Context(), code, seq, d, who, why)
			if err != nil {
				return err
			}
			if a.asJSON() {
				return a.json(sil)
			}
			a.say("silence %s over %s %s ends on %s", args[0], sil.Scope, sil.Subject, d-1)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&on, "on", "", "the first day without it, YYYY-MM-DD (default today)")
	f.StringVar(&who, "by", "", "who says so (required)")
	f.StringVar(&why, "why", "", "why (required)")
	_ = c.MarkFlagRequired("by")
	_ = c.MarkFlagRequired("why")
	return c
}
