package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
	"duban/store"
)

// letterRow is one letter as `outbox list --output json` prints it; addresses are masked.
type letterRow struct {
	ID           string     `json:"id"`
	Jurisdiction string     `json:"jurisdiction"`
	Date         civil.Date `json:"date"`
	Unit         string     `json:"unit"`
	State        string     `json:"state"`
	Rung         string     `json:"rung"`
	Items        int        `json:"items"`
	To           []string   `json:"to"`
	Tries        int        `json:"tries"`
	SupersededBy string     `json:"superseded_by,omitempty"`
	Reason       string     `json:"reason,omitempty"`
}

func rowOfLetter(n notice.Notice) letterRow {
	r := letterRow{
		ID: n.ID, Jurisdiction: n.Key.Jurisdiction, Date: n.Key.Date, Unit: n.Key.Unit, State: string(n.State),
		Rung: n.Facts.Rung(), Items: len(n.Facts.Items()), Tries: n.Tries, SupersededBy: n.SupersededBy, Reason: notify.MaskAll(n.Reason),
	}
	for _, to := range n.Facts.Recipients {
		r.To = append(r.To, notify.Mask(to.Email))
	}
	return r
}

func (a *app) outboxCmd() *cobra.Command {
	c := &cobra.Command{Use: "outbox", Short: "List the letters and what became of them"}
	var f notice.Filter
	var state, from, to string
	ls := &cobra.Command{
		Use: "list", Short: "Letters by day", Example: "  duban outbox list --from 2024-09-26 --to 2024-09-26\n  duban outbox list --state failed",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			f.State = notice.State(state)
			if err := oneOf("state", state, "pending", "sending", "sent", "retry", "failed", "unknown", "held", "superseded", "cancelled"); err != nil {
				return err
			}
			if f.From, err = date("from", from, 0); err != nil {
				return err
			}
			if f.To, err = date("to", to, 0); err != nil {
				return err
			}
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			if _, err := jurisdictions(c.Context(), s, f.Jurisdiction); err != nil {
				return err
			}
			letters, err := s.Notices(c.Context(), f)
			if err != nil {
				return err
			}
			rows := make([]letterRow, 0, len(letters))
			for _, n := range letters {
				rows = append(rows, rowOfLetter(n))
			}
			return list(a, rows, []string{"id", "jurisdiction", "date", "unit", "state", "rung", "items", "reason"}, func(r letterRow) []string {
				why := r.Reason
				if r.SupersededBy != "" {
					why = strings.TrimSpace("taken over by " + r.SupersededBy + " " + why)
				}
				return []string{r.ID, r.Jurisdiction, r.Date.String(), r.Unit, r.State, r.Rung, fmt.Sprint(r.Items), why}
			})
		},
	}
	fl := ls.Flags()
	fl.StringVar(&f.Jurisdiction, "jurisdiction", "", "one jurisdiction")
	fl.StringVar(&f.Unit, "unit", "", "unit code")
	fl.StringVar(&state, "state", "", "pending, sending, sent, retry, failed, unknown, held, superseded or cancelled")
	fl.StringVar(&from, "from", "", "first logical date, YYYY-MM-DD")
	fl.StringVar(&to, "to", "", "last logical date, YYYY-MM-DD")
	show := &cobra.Command{
		Use: "show ID", Short: "One letter as text, with its receipts", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			return a.outboxShow(c.Context(), s, args[0])
		},
	}
	c.AddCommand(ls, show)
	return c
}

func (a *app) outboxShow(ctx context.Context, s *store.Store, id string) error {
	n, err := s.Notice(ctx, id)
	if err != nil {
		return fmt.Errorf("show letter %s: %w; `duban outbox list` names them", id, err)
	}
	var subject, text string
	if len(n.Facts.Recipients) > 0 {
		m, err := a.mailOf(n.Key.Jurisdiction)
		if err != nil {
			return err
		}
		msg, err := compose.Compose(n, 0, m)
		if err != nil {
			return fmt.Errorf("show letter %s: %w", id, err)
		}
		subject, text = msg.Subject, msg.Text
	}
	if a.asJSON() {
		return a.json(struct {
			letterRow
			Subject  string           `json:"subject"`
			Text     string           `json:"text"`
			Receipts []notice.Receipt `json:"receipts"`
		}{rowOfLetter(n), subject, text, maskReceipts(n.Receipts)})
	}
	fmt.Fprintf(a.out, "%s  %s %s %s  %s\n", n.ID, n.Key.Jurisdiction, n.Key.Date, n.Key.Unit, n.State)
	if n.Reason != "" {
		fmt.Fprintln(a.out, notify.MaskAll(n.Reason))
	}
	for _, r := range maskReceipts(n.Receipts) {
		fmt.Fprintf(a.out, "%s  %s  %s  %s\n", r.At.UTC().Format(time.RFC3339), r.Email, r.Outcome, r.Reply)
	}
	fmt.Fprintf(a.out, "\n%s\n\n%s\n", subject, text)
	return nil
}

func maskReceipts(rs []notice.Receipt) []notice.Receipt {
	out := make([]notice.Receipt, 0, len(rs))
	for _, r := range rs {
		r.Email, r.Reply = notify.Mask(r.Email), notify.MaskAll(r.Reply) // a server's answer often repeats the address
		out = append(out, r)
	}
	return out
}

func (a *app) pauseCmd() *cobra.Command {
	var code, by, why string
	c := &cobra.Command{
		Use: "pause", Short: "Stop letters from leaving; everything is still evaluated",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.setPause(c.Context(), code, &task.Pause{At: a.clock().UTC(), Who: by, Why: why})
		},
	}
	f := c.Flags()
	f.StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	f.StringVar(&by, "by", "", "who says so (required)")
	f.StringVar(&why, "why", "", "why (required)")
	_ = c.MarkFlagRequired("by")
	_ = c.MarkFlagRequired("why")
	return c
}

func (a *app) resumeCmd() *cobra.Command {
	var code string
	c := &cobra.Command{
		Use: "resume", Short: "Let letters leave again",
		RunE: func(c *cobra.Command, _ []string) error { return a.setPause(c.Context(), code, nil) },
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	return c
}

func (a *app) setPause(ctx context.Context, code string, p *task.Pause) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return err
	}
	for _, j := range all {
		already := (j.Paused != nil) == (p != nil)
		if !already {
			if err := a.register(s).Pause(ctx, j.Code, p); err != nil {
				return err
			}
		}
		if err := a.printPause(j.Code, p != nil, already); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printPause(code string, paused, already bool) error {
	if a.asJSON() {
		return a.json(struct {
			Jurisdiction string `json:"jurisdiction"`
			Paused       bool   `json:"paused"`
			Already      bool   `json:"already"`
		}{code, paused, already})
	}
	words := map[[2]bool]string{
		{true, false}: "paused", {false, false}: "letters may leave", {true, true}: "was paused already", {false, true}: "was not paused",
	}
	a.say("%s  %s", code, words[[2]bool{paused, already}])
	return nil
}

func (a *app) rebuildCmd() *cobra.Command {
	return &cobra.Command{
		Use: "rebuild", Short: "Compute every cached column anew from the events",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			all, err := s.Jurisdictions(c.Context())
			if err != nil {
				return err
			}
			for _, j := range all {
				hash, err := a.policies.hash(j.Code)
				if err != nil {
					return err
				}
				n, err := a.register(s).Rebuild(c.Context(), j.Code, hash)
				if err != nil {
					return err
				}
				a.say("%s  %d obligations", j.Code, n)
			}
			return nil
		},
	}
}

// migrate opens the database without asking for its version and brings its tables up to date.
func (a *app) migrate(ctx context.Context) (int, error) {
	s, err := store.Open(ctx, a.cfg.Database.DSN, a.cfg.Database.Password.Reveal())
	if err != nil {
		return 0, err
	}
	a.closeLater("database", s.Close)
	n, err := s.Migrate(ctx)
	if err != nil {
		return n, fmt.Errorf("migrate database: %w", err)
	}
	return n, nil
}
