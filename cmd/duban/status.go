package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

// statusRow is one jurisdiction as `status --output json` prints it, as of today.
type statusRow struct {
	Jurisdiction string         `json:"jurisdiction"`
	Name         string         `json:"name"`
	LiveFrom     civil.Date     `json:"live_from"`
	Paused       *task.Pause    `json:"paused,omitempty"`
	Plans        int            `json:"plans"`
	Rows         int            `json:"rows"`        // 项
	Obligations  int            `json:"obligations"` // 项次
	States       map[string]int `json:"states"`      // obligations by state
	Overdue      int            `json:"overdue"`     //
	Unconfirmed  int            `json:"unconfirmed"` // past at issue or inherited
	NeedPerson   int            `json:"need_person"` // rows unreadable, ambiguous or awaiting their trigger
	Letters      map[string]int `json:"letters"`     // by state
	LastRuns     []run.Run      `json:"last_runs"`   // of each job
}

func (a *app) statusCmd() *cobra.Command {
	var code string
	c := &cobra.Command{
		Use: "status", Short: "What the register holds, what ran last, what waits for a person",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			all, err := jurisdictions(c.Context(), s, code)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				a.say("The register (%s) is empty. Import units and a plan:\n  duban import units FILE\n  duban import plan FILE", a.cfg.Database.DSN)
			}
			for _, j := range all {
				row, err := a.status(c.Context(), s, j)
				if err != nil {
					return err
				}
				if a.asJSON() {
					err = a.json(row)
				} else {
					a.printStatus(row)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	return c
}

func (a *app) status(ctx context.Context, s *store.Store, j task.Jurisdiction) (statusRow, error) {
	row := statusRow{
		Jurisdiction: j.Code, Name: j.Name, LiveFrom: j.LiveFrom, Paused: j.Paused, States: map[string]int{}, Letters: map[string]int{},
	}
	today := a.today(j.Code)
	plans, err := s.Plans(ctx, j.Code)
	if err != nil {
		return row, err
	}
	row.Plans = len(task.PlansAsOf(plans, today))
	rows, err := a.taskRows(ctx, s, j.Code, "", "", "")
	if err != nil {
		return row, err
	}
	row.Rows = len(rows)
	for _, t := range rows {
		if t.Status == "unreadable" || t.Status == "awaiting" || t.Status == "ambiguous" {
			row.NeedPerson++
		}
	}
	recs, err := s.Records(ctx, j.Code, task.RecordFilter{})
	if err != nil {
		return row, err
	}
	for _, rec := range recs {
		o, err := a.obligationRow(rec, "", today)
		if err != nil {
			return row, err
		}
		row.Obligations++
		row.States[string(o.State)]++
		if o.Overdue {
			row.Overdue++
		}
		if o.State == task.Waiting && (o.PastAtIssue || o.Inherited) && !o.Overdue {
			row.Unconfirmed++
		}
	}
	letters, err := s.Notices(ctx, notice.Filter{Jurisdiction: j.Code})
	if err != nil {
		return row, err
	}
	for _, n := range letters {
		row.Letters[string(n.State)]++
	}
	for _, job := range a.runner(s, "").Jobs {
		last, err := s.Runs(ctx, run.Filter{Job: job.Name(), Jurisdiction: j.Code, Limit: 1})
		if err != nil {
			return row, err
		}
		row.LastRuns = append(row.LastRuns, last...)
	}
	return row, nil
}

func (a *app) printStatus(r statusRow) {
	fmt.Fprintf(a.out, "%s  %s  live from %s\n", r.Jurisdiction, r.Name, r.LiveFrom)
	if r.Paused != nil {
		fmt.Fprintf(a.out, "  PAUSED by %s: %s\n", r.Paused.Who, r.Paused.Why)
	}
	fmt.Fprintf(a.out, "  plans %d, rows %d (%d need a person), obligations %d (%d overdue, %d to be confirmed)\n",
		r.Plans, r.Rows, r.NeedPerson, r.Obligations, r.Overdue, r.Unconfirmed)
	fmt.Fprintf(a.out, "  states: %s\n  letters: %s\n", counts(r.States), counts(r.Letters))
	for _, run := range r.LastRuns {
		fmt.Fprintln(a.out, strings.TrimRight(fmt.Sprintf("  last %s: %s %s %s", run.Job, run.Date, run.State, run.Reason), " "))
	}
}

func counts(m map[string]int) string {
	words := make([]string, 0, len(m))
	for _, k := range sortedKeys(m) {
		words = append(words, fmt.Sprintf("%s %d", k, m[k]))
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}
