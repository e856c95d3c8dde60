package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"duban/jobs/formal"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) corrector(s *store.Store) formal.Corrector {
	return formal.Corrector{Store: s, Settings: a.policies.settings}
}

// offerCorrection says which letters left because of the entry that e voided and, where asked, writes the unit a
// correction of them.
func (a *app) offerCorrection(ctx context.Context, s *store.Store, ref task.Ref, e task.Event, write bool) error {
	rec, err := s.Record(ctx, ref)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rec.Events, func(old task.Event) bool { return old.Seq == e.Voids })
	if i < 0 {
		return nil
	}
	v := slices.IndexFunc(rec.Events, func(x task.Event) bool { return x.Kind == task.Corrected && x.Voids == e.Voids })
	if v < 0 {
		return nil
	}
	left, err := a.corrector(s).Rested(ctx, ref, rec.Events[i], rec.Events[v])
	if err != nil {
		return err
	}
	for _, d := range left.Forms {
		if d.State == notice.Issued {
			a.say("a formal letter to %s rested on it, %s of %s: duban documents void %s --by %q --why %q", ref.Unit, d.Number, d.Date, d.ID, e.Who, e.Why)
		}
	}
	switch {
	case len(left.Letters) == 0 && write:
		a.say("no letter of the day left because of entry %d: there is nothing to correct", e.Voids)
		return nil
	case len(left.Letters) == 0:
		return nil
	case !write && left.Corrected != 0:
		return nil
	case !write:
		for _, n := range left.Letters {
			a.say("a letter to %s of %s rested on it (%s)", ref.Unit, n.Key.Date, n.ID)
		}
		a.say("write the unit a correction: duban obligations correct-letter %s --seq %d --by %q --why %q", ref, e.Voids, e.Who, e.Why)
		return nil
	}
	n, err := a.corrector(s).Correct(ctx, ref, left, rec.Events[i], e.Why, a.today(ref.Jurisdiction))
	if err != nil {
		return err
	}
	if a.asJSON() {
		return a.json(struct {
			Letter string `json:"letter"`
		}{n.ID})
	}
	a.say("%s", fmt.Sprintf("correction %s to %s is written; it leaves with the next run", n.ID, ref.Unit))
	return nil
}

func (a *app) correctLetterCmd() *cobra.Command {
	e := task.Event{Kind: task.Corrected}
	c := &cobra.Command{
		Use: "correct-letter ID", Short: "Write the unit a correction of the letters that left because of an entry that was voided", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := task.ParseRef(args[0])
			if err != nil {
				return usageError{err}
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			rec, err := s.Record(c.Context(), ref)
			if err != nil {
				return a.notThere(err)
			}
			if !slices.ContainsFunc(rec.Events, func(old task.Event) bool { return old.Kind == task.Corrected && old.Voids == e.Voids }) {
				return usagef("correct-letter %s: entry %d was not voided; `duban obligations correct` voids it first", ref, e.Voids)
			}
			return a.offerCorrection(c.Context(), s, ref, e, true)
		},
	}
	f := c.Flags()
	f.Int64Var(&e.Voids, "seq", 0, "the voided event's seq (required)")
	f.StringVar(&e.Who, "by", "", "who says so (required)")
	f.StringVar(&e.Why, "why", "", "why, in words the unit may read (required)")
	for _, name := range []string{"seq", "by", "why"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}
