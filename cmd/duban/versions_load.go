package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/workday"
	"duban/store"
)

func (a *app) configLoadCmd() *cobra.Command {
	var by, why, code string
	c := &cobra.Command{
		Use: "load", Short: "Put this worker's policy, calendar and templates in force",
		Long: `Load the policy, the working-day calendar and the templates of this program and its files into the database, for each
jurisdiction where they differ from what was loaded last, and say what changed. From then on they count: a worker with
other files plans nothing until it is given these. The first planning of a jurisdiction loads them by itself.
What letters would change can be seen before: duban preview --policy FILE or --calendar FILE.`,
		Example: "  duban config load --by 周科 --why 国务院办公厅公布2025年节假日安排\n  duban config load --jurisdiction laoshan --by 周科",
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
				return usagef("there is no jurisdiction yet; the first planning loads what it is planned by")
			}
			var errs []error
			for _, j := range all {
				errs = append(errs, a.configLoad(c.Context(), s, j.Code, by, why))
			}
			return errors.Join(errs...)
		},
	}
	f := c.Flags()
	f.StringVar(&by, "by", "", "who says that these are in force (required)")
	f.StringVar(&why, "why", "", "why, as the notice or the decision it rests on")
	f.StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	_ = c.MarkFlagRequired("by") // the flag is there
	return c
}

// loadedLine is one line of `config load`.
type loadedLine struct {
	Jurisdiction string   `json:"jurisdiction"`
	Kind         string   `json:"kind"`
	Hash         string   `json:"hash"`
	Was          string   `json:"was,omitempty"` // empty: nothing was loaded before
	Loaded       bool     `json:"loaded"`        // false: it was in force already
	Changes      []string `json:"changes,omitempty"`
}

// configLoad loads what differs for one jurisdiction, all of it or, where this program is outdated, nothing.
func (a *app) configLoad(ctx context.Context, s *store.Store, code, by, why string) error {
	var lines []loadedLine
	err := fenced(ctx, s, code, func(seq int64) error {
		before, err := s.Versions(ctx, code, "")
		if err != nil {
			return err
		}
		if lines, err = a.differences(ctx, s, code, before); err != nil {
			return err
		}
		var load []run.Version
		for _, l := range lines {
			if l.Loaded {
				load = append(load, run.Version{Jurisdiction: code, Kind: l.Kind, Hash: l.Hash, By: by, Why: why})
			}
		}
		return a.loadVersions(ctx, s, code, seq, load)
	})
	if err != nil {
		return err
	}
	return a.printLoaded(lines)
}

// differences says of each kind whether it is to be loaded, and what changes with it. It refuses an outdated program.
func (a *app) differences(ctx context.Context, s *store.Store, code string, before []run.Version) ([]loadedLine, error) {
	_, err := a.compareVersions(ctx, s, code)
	var stale staleError
	if err != nil && (!errors.As(err, &stale) || stale.outdated()) {
		return nil, err
	}
	here, err := a.versionsHere(code)
	if err != nil {
		return nil, err
	}
	in, err := readVersions(before)
	if err != nil {
		return nil, fmt.Errorf("read what is loaded for %s: %w", code, err)
	}
	lines := make([]loadedLine, 0, len(here))
	for _, v := range here {
		last, _ := newest(before, v.Kind)
		l := loadedLine{Jurisdiction: code, Kind: v.Kind, Hash: v.Hash, Was: last.Hash, Loaded: last.Hash != v.Hash}
		if l.Loaded && l.Was != "" {
			if l.Changes, err = a.changes(code, v.Kind, in, string(last.Body)); err != nil {
				return nil, err
			}
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// changes says in words what this program and its files have otherwise than what is loaded.
func (a *app) changes(code, kind string, in loadedRules, layout string) ([]string, error) {
	switch kind {
	case run.PolicyVersion:
		r, err := a.policies.rules(code)
		if err != nil {
			return nil, err
		}
		return policyChanges(*in.policy, r, a.today(code))
	case run.CalendarVersion:
		cal, err := a.policies.calendar(code)
		if err != nil {
			return nil, err
		}
		return calendarChanges(in.calendar, cal), nil
	default:
		body, err := a.versionBody(code, kind)
		return []string{fmt.Sprintf("layout: %s → %s", layout, body)}, err
	}
}

func (a *app) printLoaded(lines []loadedLine) error {
	loaded := false
	for _, l := range lines {
		if a.asJSON() {
			if err := a.json(l); err != nil {
				return err
			}
			continue
		}
		switch loaded = loaded || l.Loaded; {
		case !l.Loaded:
			a.say("%-10s %-9s %s  is in force", l.Jurisdiction, l.Kind, l.Hash)
		case l.Was == "":
			a.say("%-10s %-9s %s  loaded, the first", l.Jurisdiction, l.Kind, l.Hash)
		default:
			a.say("%-10s %-9s %s  loaded in the place of %s", l.Jurisdiction, l.Kind, l.Hash, l.Was)
		}
		for _, c := range l.Changes {
			a.say("  %s", c)
		}
	}
	if loaded {
		a.say("workers with other files plan nothing from now on; `duban preview` shows the letters to come")
	}
	return nil
}

// policyChanges says which keys differ, and which parts of which version of the policy; and of a version that counts from a
// day before today, that it does.
func policyChanges(before, after policyRules, today civil.Date) ([]string, error) {
	var out []string
	for _, k := range []struct {
		key     string
		was, is any
	}{
		{"accept_after_workdays", before.AcceptAfterWorkdays, after.AcceptAfterWorkdays},
		{"report_day", before.ReportDay, after.ReportDay},
		{"roll", before.Roll, after.Roll},
		{"live_from", orNone(before.LiveFrom), orNone(after.LiveFrom)},
		{"confirm", before.Confirm, after.Confirm},
		{"weekly_cap", before.WeeklyCap, after.WeeklyCap},
		{"close_grace_workdays", before.CloseGraceWorkdays, after.CloseGraceWorkdays},
		{"ranking", before.Ranking, after.Ranking},
	} {
		if k.was != k.is {
			out = append(out, fmt.Sprintf("%s: %v → %v", k.key, k.was, k.is))
		}
	}
	was, is := byDay(before.Versions), byDay(after.Versions)
	for _, from := range slices.Sorted(maps.Keys(merged(was, is))) {
		name := "policy from " + from.String()
		if from == 0 {
			name = "policy from the beginning"
		}
		old, had := was[from]
		now, has := is[from]
		said := len(out)
		switch {
		case !had:
			out = append(out, name+": added")
		case !has:
			out = append(out, name+": taken out")
		default:
			parts, err := partChanges(old, now)
			if err != nil {
				return nil, err
			}
			for _, p := range parts {
				out = append(out, name+": "+p)
			}
		}
		if len(out) > said && from != 0 && from < today {
			out = append(out, name+": "+backdated)
		}
	}
	return out, nil
}

// backdated is what is said of a change that counts from a day of the past.
const backdated = "that day is past: explain tells the steps of the days since by this; the letters that left stay as they are"

func orNone(d civil.Date) string { return cmp.Or(d.String(), "none") }

func byDay(versions []planner.Policy) map[civil.Date]planner.Policy {
	out := map[civil.Date]planner.Policy{}
	for _, v := range versions {
		out[v.From] = v
	}
	return out
}

// merged holds the keys of both maps.
func merged[K comparable, V any](a, b map[K]V) map[K]V {
	out := map[K]V{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// partChanges names the parts of a version that differ: ladders by the kind of duty, offices by rung.
func partChanges(before, after planner.Policy) ([]string, error) {
	var out []string
	note := func(name string, was, is any) error {
		same, err := alike(was, is)
		if err == nil && !same {
			out = append(out, name)
		}
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(merged(before.Ladder, after.Ladder))) {
		if err := note("ladder of "+string(kind), before.Ladder[kind], after.Ladder[kind]); err != nil {
			return nil, err
		}
	}
	for _, rung := range slices.Sorted(maps.Keys(merged(before.Rungs, after.Rungs))) {
		if err := note("rung "+string(rung), before.Rungs[rung], after.Rungs[rung]); err != nil {
			return nil, err
		}
	}
	err := errors.Join(note("events", before.Rules, after.Rules), note("staff", before.Staff, after.Staff))
	return out, err
}

// alike compares two values as the hash of a policy does.
func alike(a, b any) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("compare policies: %w", err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("compare policies: %w", err)
	}
	return bytes.Equal(x, y), nil
}

// calendarChanges says which days are another than before.
func calendarChanges(before, after *workday.Calendar) []string {
	days, years := workday.Changes(before, after)
	out := make([]string, 0, len(days)+len(years))
	for _, d := range days {
		out = append(out, fmt.Sprintf("%s: %s → %s", d.After.Date, dayWords(d.Before), dayWords(d.After)))
	}
	for _, y := range years {
		words := "published"
		if !after.Published(civil.Of(y, 1, 1)) {
			words = "no longer published"
		}
		out = append(out, fmt.Sprintf("%d: %s", y, words))
	}
	return out
}

func dayWords(d workday.Day) string {
	words := d.Reason
	if d.Name != "" {
		words += " " + d.Name
	}
	return words
}

func (a *app) configVersionsCmd() *cobra.Command {
	var code string
	c := &cobra.Command{
		Use: "versions", Short: "List the policies, calendars and templates that were loaded",
		Long: `List the policies, calendars and templates as they were loaded, the oldest first: when, by whom, why, under which hash.
The hash stands in the receipts of the letters it decided. The last of each kind is in force; "here" says whether this
program and its files are the same.`,
		Example: "  duban config versions\n  duban config versions --jurisdiction laoshan --output json",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			rows, err := a.versionRows(c.Context(), s, code)
			if err != nil {
				return err
			}
			return list(a, rows, []string{"jurisdiction", "kind", "hash", "loaded", "seq", "in force", "here", "by", "why"}, func(r versionRow) []string {
				at := r.At.In(a.policies.zone(r.Jurisdiction)).Format("2006-01-02 15:04")
				return []string{r.Jurisdiction, r.Kind, r.Hash, at, fmt.Sprint(r.Seq), yes(r.InForce), yes(r.Here), r.By, r.Why}
			})
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	return c
}

// versionRow is one line of `config versions`.
type versionRow struct {
	run.Version
	InForce bool `json:"in_force"`
	Here    bool `json:"here"` // this program and its files have the same
}

func (a *app) versionRows(ctx context.Context, s *store.Store, code string) ([]versionRow, error) {
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return nil, err
	}
	var rows []versionRow
	for _, j := range all {
		versions, err := s.Versions(ctx, j.Code, "")
		if err != nil {
			return nil, err
		}
		here, err := a.versionsHere(j.Code)
		if err != nil {
			return nil, err
		}
		place := func(v run.Version) int {
			return slices.IndexFunc(here, func(w run.Version) bool { return w.Kind == v.Kind })
		}
		slices.SortStableFunc(versions, func(v, w run.Version) int { // those that were loaded together, as they are named
			return cmp.Or(cmp.Compare(v.Seq, w.Seq), place(v)-place(w))
		})
		for _, v := range versions {
			last, _ := newest(versions, v.Kind)
			mine, _ := newest(here, v.Kind)
			rows = append(rows, versionRow{Version: v, InForce: v.Seq == last.Seq, Here: v.Hash == mine.Hash})
		}
	}
	return rows, nil
}
