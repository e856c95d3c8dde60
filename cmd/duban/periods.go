package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/period"
	"duban/jobs/task"
	"duban/store"
)

// periodRow is one closing as `periods list --output json` prints it. Frozen is as it was written on the day.
type periodRow struct {
	Jurisdiction string           `json:"jurisdiction"`
	Kind         task.ClosingKind `json:"kind"`
	Duty         string           `json:"duty,omitempty"` // PLAN/ROW; none: the whole jurisdiction
	Period       string           `json:"period"`
	Closed       civil.Date       `json:"closed"`
	Issue        int              `json:"issue,omitempty"`
	Version      int              `json:"version"` // 0: the closing; else the restatement's number
	Seq          int64            `json:"seq"`
	Letter       string           `json:"letter,omitempty"`
	Frozen       json.RawMessage  `json:"frozen"`
}

func rowOfClosing(c task.Closing) periodRow {
	r := periodRow{
		Jurisdiction: c.Jurisdiction, Kind: c.Kind, Period: c.Period, Closed: c.On, Issue: c.Issue, Version: c.Version, Seq: c.Seq,
		Letter: c.Notice, Frozen: json.RawMessage(c.Frozen),
	}
	if c.Row != "" {
		r.Duty = c.Plan + "/" + c.Row
	}
	return r
}

// words sums the frozen figures up.
func (r periodRow) words() string {
	if r.Duty == "" {
		f, err := closing.DecodeRates(string(r.Frozen))
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%d items, %d counted: %d on time, %d late, %d open", f.Total.Items, f.Total.Counted, f.Total.OnTime, f.Total.Late, f.Total.Open)
	}
	f, err := closing.Decode(string(r.Frozen))
	if err != nil {
		return err.Error()
	}
	words := fmt.Sprintf("%d due: %d on time, %d late, %d missing", f.Counts.Due, f.Counts.OnTime, f.Counts.Late, f.Counts.Missing)
	if rest := f.Counts.Due - f.Counts.OnTime - f.Counts.Late - f.Counts.Missing; rest > 0 {
		words += fmt.Sprintf(", %d otherwise", rest)
	}
	for _, name := range f.Fields {
		words += fmt.Sprintf("; %s %d", name, f.Sums[name])
	}
	return words
}

func (a *app) periodsCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "periods", Aliases: []string{"period"}, Short: "Closed periods: the frozen figures, and their restatements",
		Long: `A period that is closed keeps its figures for good. What was corrected afterwards is a restatement: another version of the
same period, with its own figures; the first stays.`,
	}
	c.AddCommand(a.periodsListCmd(), a.periodsShowCmd())
	return c
}

// whichPeriods selects closings.
type whichPeriods struct {
	code, kind, period, duty string
	lens                     lens
}

// read checks the flags, and writes the period as it is kept.
func (w *whichPeriods) read() error {
	if err := oneOf("kind", w.kind, "month", "quarter", "half", "year"); err != nil || w.period == "" {
		return err
	}
	key, rest, part := strings.Cut(w.period, "/")
	if compactMonth.MatchString(key) {
		key = key[:4] + "-" + key[4:]
	}
	if _, err := period.Parse(key); err != nil {
		return usagef("--period %q: want a month as 2024-09 or 202409, a quarter as 2024Q3, a half-year as 2024H1, or a year as 2024", w.period)
	}
	if w.period = key; part {
		w.period += "/" + rest
	}
	return nil
}

func (w *whichPeriods) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&w.code, "jurisdiction", "", "one jurisdiction; default all")
	f.StringVar(&w.kind, "kind", "", "month, quarter, half or year")
	f.StringVar(&w.period, "period", "", "a period, as 2024-09 or 202409, 2024Q3, 2024H1 or 2024")
	f.StringVar(&w.duty, "duty", "", "a duty, PLAN/ROW")
	w.lens.flags(c)
}

func (a *app) closings(ctx context.Context, s *store.Store, w whichPeriods) ([]periodRow, error) {
	all, err := jurisdictions(ctx, s, w.code)
	if err != nil {
		return nil, err
	}
	var rows []periodRow
	for _, j := range all {
		closed, err := s.Closings(ctx, j.Code, task.ClosingKind(w.kind))
		if err != nil {
			return nil, err
		}
		for _, c := range closed {
			r := rowOfClosing(c)
			if (w.period == "" || r.Period == w.period || strings.HasPrefix(r.Period, w.period+"/")) && (w.duty == "" || r.Duty == w.duty) {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

func (a *app) periodsListCmd() *cobra.Command {
	var w whichPeriods
	c := &cobra.Command{
		Use: "list", Short: "Closings and restatements, by day",
		Example: "  duban periods list --jurisdiction sishui --kind month",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := w.read(); err != nil {
				return err
			}
			s, err := a.look(c.Context(), w.lens, w.code)
			if err != nil {
				return err
			}
			rows, err := a.closings(c.Context(), s, w)
			if err != nil {
				return err
			}
			return list(a, rows, []string{"jurisdiction", "kind", "duty", "period", "closed", "issue", "version", "figures"}, func(r periodRow) []string {
				issue := ""
				if r.Issue > 0 {
					issue = fmt.Sprint(r.Issue)
				}
				return []string{r.Jurisdiction, string(r.Kind), r.Duty, r.Period, r.Closed.String(), issue, fmt.Sprint(r.Version), r.words()}
			})
		},
	}
	w.flags(c)
	return c
}

func (a *app) periodsShowCmd() *cobra.Command {
	var w whichPeriods
	c := &cobra.Command{
		Use: "show --period KEY [--duty PLAN/ROW]", Short: "One closed period unit by unit, frozen and as restated last",
		Example: "  duban periods show --jurisdiction sishui --duty zfzl2023-2025/6 --period 2024-09",
		RunE: func(c *cobra.Command, _ []string) error {
			if w.period == "" {
				return usagef("periods show: name the period with --period; `duban periods list` shows what there is")
			}
			if err := w.read(); err != nil {
				return err
			}
			s, err := a.look(c.Context(), w.lens, w.code)
			if err != nil {
				return err
			}
			rows, err := a.closings(c.Context(), s, w)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return fmt.Errorf("show period %s: %w; `duban periods list` shows what there is", w.period, task.ErrNotFound)
			}
			for _, r := range rows {
				if err := a.printPeriod(r); err != nil {
					return err
				}
			}
			return nil
		},
	}
	w.flags(c)
	return c
}

func (a *app) printPeriod(r periodRow) error {
	if a.asJSON() {
		return a.json(r)
	}
	what := "closed"
	if r.Version > 0 {
		what = fmt.Sprintf("restatement %d", r.Version)
	}
	a.say("%s %s %s %s  %s on %s: %s", r.Jurisdiction, r.Kind, r.Duty, r.Period, what, r.Closed, r.words())
	if r.Duty == "" {
		return nil
	}
	f, err := closing.Decode(string(r.Frozen))
	if err != nil {
		return err
	}
	rows := make([][]string, 0, len(f.Returns))
	for _, u := range f.Returns {
		row := []string{u.Unit, u.Name, string(u.State), dayOrNone(u.Reported), fmt.Sprint(u.Late)}
		for _, name := range f.Fields {
			n, given := u.Figures[name]
			switch {
			case given || u.Nil:
				row = append(row, fmt.Sprint(n))
			default:
				row = append(row, "")
			}
		}
		rows = append(rows, row)
	}
	table(a.out, slices.Concat([]string{"unit", "name", "state", "reported", "late"}, f.Fields), rows)
	return nil
}
