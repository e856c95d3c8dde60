package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/task"
	"duban/store"
)

// taskRow is one row of a plan as `tasks list --output json` prints it.
type taskRow struct {
	ID string `json:"id"`
	// Status is dated, recurring, standing, awaiting (条件未具备), unreadable (时限待核定), ambiguous, per-case, personnel or inspection.
	Status   string       `json:"status"`
	Title    string       `json:"title"`
	Deadline string       `json:"deadline"`
	Reading  string       `json:"reading"`
	Parties  []task.Party `json:"parties"`
}

// statusOf says what a row is for the person who keeps the list.
func statusOf(t task.Task, triggered bool) string {
	r := t.Reading
	switch {
	case t.Category == task.Personnel:
		return "personnel"
	case t.Category == task.Inspection:
		return "inspection"
	case t.Category == task.Standing:
		return "standing"
	case !r.Understood:
		return "unreadable"
	case t.Category == task.PerCase:
		return "per-case"
	case r.Ambiguous:
		return "ambiguous"
	case r.Condition != nil && !triggered:
		return "awaiting"
	case len(r.Recurrences) > 0:
		return "recurring"
	case len(r.Milestones) > 0 || r.Condition != nil:
		return "dated"
	}
	return "standing"
}

func (a *app) tasksCmd() *cobra.Command {
	c := &cobra.Command{Use: "tasks", Aliases: []string{"task"}, Short: "List the rows of the plans, and clarify what could not be read"}
	var code, plan, status string
	l, past := lens{folds: true}, lens{}
	ls := &cobra.Command{
		Use: "list", Short: "Rows of the plans, with how their deadline was read",
		Example: "  duban tasks list --status unreadable\n  duban tasks list --jurisdiction laoshan --status awaiting",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.look(c.Context(), l, code)
			if err != nil {
				return err
			}
			rows, err := a.taskRows(c.Context(), s, code, plan, status, l.asOf)
			if err != nil {
				return err
			}
			return list(a, rows, []string{"id", "status", "deadline", "reading", "title"}, func(r taskRow) []string {
				return []string{r.ID, r.Status, r.Deadline, r.Reading, r.Title}
			})
		},
	}
	f := ls.Flags()
	f.StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	f.StringVar(&plan, "plan", "", "plan code")
	f.StringVar(&status, "status", "", "dated, recurring, standing, awaiting, unreadable, ambiguous, per-case, personnel or inspection")
	l.flags(ls)
	show := &cobra.Command{
		Use: "show ID", Short: "One row with all its versions", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.taskShow(c.Context(), args[0], past) },
	}
	past.flags(show)
	c.AddCommand(ls, show, a.clarifyCmd())
	return c
}

func (a *app) taskRows(ctx context.Context, s *store.Store, code, plan, status, asOf string) ([]taskRow, error) {
	if err := errors.Join(
		oneOf("status", status, "dated", "recurring", "standing", "awaiting", "unreadable", "ambiguous", "per-case", "personnel", "inspection"),
		a.dateOrNone("as-of", asOf),
	); err != nil {
		return nil, err
	}
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return nil, err
	}
	rows := []taskRow{}
	for _, j := range all {
		d, err := a.date("as-of", asOf, a.today(j.Code))
		if err != nil {
			return nil, err
		}
		versions, err := s.Tasks(ctx, j.Code)
		if err != nil {
			return nil, err
		}
		now := task.TasksAsOf(versions, d)
		triggered, err := triggeredTasks(ctx, s, j.Code, now, d)
		if err != nil {
			return nil, err
		}
		for _, t := range now {
			row := taskRow{
				ID: t.TaskID.String(), Status: statusOf(t, triggered[t.TaskID.String()]), Title: t.Title,
				Deadline: t.DeadlineText, Reading: describe(t.Reading), Parties: t.Parties,
			}
			if (plan == "" || plan == t.Plan) && (status == "" || status == row.Status) {
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

func triggeredTasks(ctx context.Context, s *store.Store, code string, tasks []task.Task, d civil.Date) (map[string]bool, error) {
	var ids []task.TaskID
	for _, t := range tasks {
		if t.Reading.Condition != nil {
			ids = append(ids, t.TaskID)
		}
	}
	out := map[string]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	events, err := s.TaskEvents(ctx, code, ids)
	for _, e := range task.InForce(events, d) {
		if e.Kind == task.Triggered {
			out[e.Subject] = true
		}
	}
	return out, err
}

func (a *app) taskShow(ctx context.Context, id string, l lens) error {
	tid, err := task.ParseTaskID(id)
	if err != nil {
		return usageError{err}
	}
	s, err := a.look(ctx, l, tid.Jurisdiction)
	if err != nil {
		return err
	}
	versions, err := s.TaskVersions(ctx, tid.Jurisdiction, []task.TaskID{tid})
	if err != nil {
		return err
	}
	if len(versions) == 0 {
		return l.known(fmt.Errorf("show %s: %w; `duban tasks list` shows what there is", id, task.ErrNotFound))
	}
	for _, t := range versions {
		if a.asJSON() {
			if err := a.json(t); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.out, "%s  version %d, counts from %s%s\n", t.TaskID, t.Seq, t.On, map[bool]string{true: ", withdrawn"}[t.Withdrawn])
		fmt.Fprintf(a.out, "  %s\n  %s → %s\n", t.Title, t.DeadlineText, describe(t.Reading))
		if t.ClarifiedBy != "" {
			fmt.Fprintf(a.out, "  clarified by %s\n", t.ClarifiedBy)
		}
		parties := make([]string, 0, len(t.Parties))
		for _, p := range t.Parties {
			parties = append(parties, fmt.Sprintf("%s (%s, %s)", p.Code, p.Role, p.Owes))
		}
		fmt.Fprintf(a.out, "  %s\n", strings.Join(parties, ", "))
		if len(t.Fields) > 0 {
			fmt.Fprintf(a.out, "  figures of a return: %s\n", strings.Join(t.Fields, "、"))
		}
		fmt.Fprintf(a.out, "  from %s\n", t.Source)
	}
	return nil
}

func (a *app) clarifyCmd() *cobra.Command {
	var text, on, by, why string
	c := &cobra.Command{
		Use: "clarify ID", Short: "Give the reading of a deadline that could not be read, or that has two readings", Args: cobra.ExactArgs(1),
		Example: "  duban tasks clarify changji/zfzl2024/4 --deadline 2024年12月31日前 --by 李敏 --why 电话请示市政府办",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			id, err := task.ParseTaskID(args[0])
			if err != nil {
				return usageError{err}
			}
			today := a.today(id.Jurisdiction)
			day, err := a.date("on", on, today)
			if err != nil {
				return err
			}
			if day > today {
				return usagef("clarify %s: --on %s has not come yet; say it on that day, or leave --on out for today", id, day)
			}
			issued, err := issuedOn(c.Context(), s, id, day)
			if err != nil {
				return err
			}
			r := deadline.Parse(text, issued)
			if !r.Understood || r.Ambiguous {
				return refusedError{fmt.Errorf("clarify %s: --deadline %q: %s; write it with one meaning, such as 2024年12月31日前", id, text, describe(r))}
			}
			if err := a.register(s).Clarify(c.Context(), id, r, day, by, why); err != nil {
				return err
			}
			if a.asJSON() {
				return a.json(struct {
					Task    string           `json:"task"`
					On      civil.Date       `json:"on"`
					Reading deadline.Reading `json:"reading"`
				}{id.String(), day, r})
			}
			a.say("%s  %s, from %s on", id, describe(r), day)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&text, "deadline", "", "the deadline in words that can be read one way (required)")
	f.StringVar(&on, "on", "", "the day from which it counts, YYYY-MM-DD (default today)")
	f.StringVar(&by, "by", "", "who says so (required)")
	f.StringVar(&why, "why", "", "why (required)")
	for _, name := range []string{"deadline", "by", "why"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

func issuedOn(ctx context.Context, s *store.Store, id task.TaskID, d civil.Date) (civil.Date, error) {
	plans, err := s.Plans(ctx, id.Jurisdiction)
	if err != nil {
		return 0, err
	}
	for _, p := range task.PlansAsOf(plans, d) {
		if p.Code == id.Plan {
			return p.Issued, nil
		}
	}
	return 0, fmt.Errorf("find plan of %s as of %s: %w", id, d, task.ErrNotFound)
}
