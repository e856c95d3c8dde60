package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/register"
	"duban/jobs/task"
	"duban/store"
)

// unitRow is one unit as `units list --output json` prints it. Contacts are named by their role alone.
type unitRow struct {
	Jurisdiction string      `json:"jurisdiction"`
	Code         string      `json:"code"`
	Name         string      `json:"name"`
	FullName     string      `json:"full_name"`
	Chase        task.Chase  `json:"chase"`
	Groups       []string    `json:"groups"`
	Contacts     []task.Role `json:"contacts"`
	Aliases      []string    `json:"aliases"`
	Since        civil.Date  `json:"since"` // the day the version in force counts from
}

func (a *app) unitsCmd() *cobra.Command {
	c := &cobra.Command{Use: "units", Aliases: []string{"unit"}, Short: "List the units, and merge one into another"}
	c.AddCommand(a.unitsListCmd(), a.unitsMergeCmd())
	return c
}

func (a *app) unitsListCmd() *cobra.Command {
	var code string
	l := lens{folds: true}
	c := &cobra.Command{
		Use: "list", Short: "Units as of a day, with their groups and the roles of their contacts",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.look(c.Context(), l, code)
			if err != nil {
				return err
			}
			rows, err := a.unitRows(c.Context(), s, code, l.asOf)
			if err != nil {
				return err
			}
			return list(a, rows, []string{"jurisdiction", "code", "name", "chase", "groups", "contacts", "aliases"}, func(u unitRow) []string {
				roles := make([]string, 0, len(u.Contacts))
				for _, r := range u.Contacts {
					roles = append(roles, string(r))
				}
				return []string{u.Jurisdiction, u.Code, u.Name, string(u.Chase), strings.Join(u.Groups, " "), strings.Join(roles, " "), strings.Join(u.Aliases, " ")}
			})
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	l.flags(c)
	return c
}

func (a *app) unitRows(ctx context.Context, s *store.Store, code, asOf string) ([]unitRow, error) {
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return nil, err
	}
	rows := []unitRow{}
	for _, j := range all {
		d, err := a.date("as-of", asOf, a.today(j.Code))
		if err != nil {
			return nil, err
		}
		dir, err := s.Directory(ctx, j.Code)
		if err != nil {
			return nil, err
		}
		for _, u := range dir.AsOf(d).Units {
			row := unitRow{
				Jurisdiction: j.Code, Code: u.Code, Name: u.Name, FullName: u.FullName, Chase: u.Chase, Since: u.On,
				Groups: append([]string{}, u.Groups...), Contacts: []task.Role{}, Aliases: append([]string{}, u.Aliases...),
			}
			for _, c := range u.Contacts {
				row.Contacts = append(row.Contacts, c.Role)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (a *app) unitsMergeCmd() *cobra.Command {
	var code, on string
	var m register.Merger
	c := &cobra.Command{
		Use: "merge OLD --into NEW", Short: "A unit ceases to be, and another takes over what it owes", Args: cobra.ExactArgs(1),
		Long: `The old unit is removed from the day on; its open items are transferred, and opened for the new one with the same dates,
kind, quota and role, unless that one has the same item itself. Rows that name the old unit name the new one from then on,
its people belong to the new one, and its names are read as the new one's. What is closed stays where it was. The new unit's
contacts and groups stay as they are.

The items are fresh to the new unit: reminders go by the time that is left, and what is overdue already is urged no earlier
than five working days after the day. Take the old unit out of the units file too, or the next import brings it back.`,
		Example: "  duban units merge xnyj --jurisdiction sishui --into xzhzfj --on 2024-07-15 --by 李敏 --why 机构改革 --dry-run",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			return a.mergeUnits(c.Context(), s, code, on, args[0], m)
		},
	}
	f := c.Flags()
	f.StringVar(&m.Into, "into", "", "the unit that takes over: its code or name (required)")
	f.StringVar(&on, "on", "", "the first day without the old unit, YYYY-MM-DD (required)")
	f.StringVar(&m.Who, "by", "", "who says so (required)")
	f.StringVar(&m.Why, "why", "", "why (required)")
	f.StringVar(&code, "jurisdiction", "", "jurisdiction code; needed where there are several")
	f.BoolVar(&m.DryRun, "dry-run", false, "show what would change and write nothing")
	for _, name := range []string{"into", "on", "by", "why"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

func (a *app) mergeUnits(ctx context.Context, s *store.Store, code, on, old string, m register.Merger) error {
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return err
	}
	if len(all) != 1 {
		return usagef("merge unit %s: the register holds %d jurisdictions; say which with --jurisdiction", old, len(all))
	}
	m.Jurisdiction = all[0].Code
	if m.On, err = a.date("on", on, 0); err != nil {
		return err
	}
	if today := a.today(m.Jurisdiction); m.On > today {
		return usagef("merge unit %s: --on %s has not come yet; say it on that day", old, m.On)
	}
	dir, err := s.Directory(ctx, m.Jurisdiction)
	if err != nil {
		return err
	}
	m.Old, m.Into = unitCode(dir.AsOf(m.On), old), unitCode(dir.AsOf(m.On), m.Into)
	got, err := a.register(s).Merge(ctx, m)
	if err != nil {
		return refused(err)
	}
	if a.asJSON() {
		return a.json(struct {
			Jurisdiction string     `json:"jurisdiction"`
			Old          string     `json:"old"`
			Into         string     `json:"into"`
			On           civil.Date `json:"on"`
			DryRun       bool       `json:"dry_run"`
			register.Changes
		}{m.Jurisdiction, m.Old, m.Into, m.On, m.DryRun, got})
	}
	rows := make([][]string, 0, len(got.Changes))
	for _, c := range got.Changes {
		rows = append(rows, []string{c.Did, c.Code, c.What})
	}
	if !a.flags.quiet {
		table(a.out, []string{"did", "code", "what"}, rows)
	}
	verb := "merged"
	if m.DryRun {
		verb = "would merge (dry run, nothing written)"
	}
	a.say("%s %s into %s from %s on: %d items transferred", verb, m.Old, m.Into, m.On, got.Items)
	return nil
}

// unitCode returns the code of the unit that has the code or the name; what is found nowhere stays as it was given.
func unitCode(dir task.Directory, given string) string {
	if _, ok := dir.Unit(given); ok {
		return given
	}
	i := slices.IndexFunc(dir.Units, func(u task.Unit) bool {
		return u.Name == given || u.FullName == given || slices.Contains(u.Aliases, given)
	})
	if i < 0 {
		return given
	}
	return dir.Units[i].Code
}
