package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/formal"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) formalDesk(s *store.Store) formal.Desk {
	return formal.Desk{Store: s, Settings: a.policies.settings}
}

func (a *app) documentsCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "documents", Aliases: []string{"document"}, Short: "Formal letters: drafts, numbers, and files for seal and OA",
		Long: `Supervision forms (督办通知单), reports (专报) and bulletins (通报) are drafted by the jobs and issued by a person:
duban outbox release ID. A number comes from the office's own register (--number), or from the program's, gap-free per
jurisdiction, kind and year; a document that is voided keeps its number, marked 作废.`,
	}
	c.AddCommand(a.documentsListCmd(), a.documentsExportCmd(), a.documentsVoidCmd())
	return c
}

func (a *app) documentsListCmd() *cobra.Command {
	var f notice.DocumentFilter
	var state, from, to string
	var l lens
	c := &cobra.Command{
		Use: "list", Short: "The register of formal letters: drafts, issued, dropped and voided",
		Example: "  duban documents list --state draft\n  duban documents list --jurisdiction laoshan --kind supervision-form",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := errors.Join(
				oneOf("state", state, "draft", "issued", "dropped", "voided"),
				oneOf("kind", f.Kind, notice.SupervisionForm, notice.Report, notice.Bulletin),
			); err != nil {
				return err
			}
			var err error
			if f.From, f.To, err = a.days(from, to); err != nil {
				return err
			}
			f.State = notice.DocumentState(state)
			s, err := a.look(c.Context(), l, f.Jurisdiction)
			if err != nil {
				return err
			}
			docs, err := s.Documents(c.Context(), f)
			if err != nil {
				return err
			}
			return list(a, docs, []string{"id", "jurisdiction", "kind", "unit", "drafted", "state", "number", "date", "via", "title"}, func(d notice.Document) []string {
				return []string{d.ID, d.Jurisdiction, d.Kind, d.Unit, d.Drafted.String(), documentState(d), d.Number, dayOrNone(d.Date), string(d.Via), d.Title}
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.Jurisdiction, "jurisdiction", "", "one jurisdiction; default all")
	fl.StringVar(&f.Kind, "kind", "", "supervision-form, report or bulletin")
	fl.StringVar(&f.Unit, "unit", "", "unit code")
	fl.StringVar(&state, "state", "", "draft, issued, dropped or voided")
	fl.StringVar(&from, "from", "", "first day of drafting, YYYY-MM-DD")
	fl.StringVar(&to, "to", "", "last day of drafting, YYYY-MM-DD")
	l.flags(c)
	return c
}

func dayOrNone(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func documentState(d notice.Document) string {
	if d.State == notice.Voided {
		return "voided（作废）"
	}
	return string(d.State)
}

func noDocument(id string) error {
	return usagef("there is no document %q; `duban documents list --output json` prints the IDs, of 32 characters", id)
}

func (a *app) documentsVoidCmd() *cobra.Command {
	var by, why string
	c := &cobra.Command{
		Use: "void ID", Short: "Drop a draft, or void an issued document (作废): its number stays taken", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			return a.voidDocument(c.Context(), s, args[0], by, why)
		},
	}
	c.Flags().StringVar(&by, "by", "", "who says so (required)")
	c.Flags().StringVar(&why, "why", "", "why (required)")
	_ = c.MarkFlagRequired("by")
	_ = c.MarkFlagRequired("why")
	return c
}

func (a *app) voidDocument(ctx context.Context, s *store.Store, id, by, why string) error {
	id, err := wholeID(ctx, s, id)
	if err != nil {
		return err
	}
	doc, err := a.formalDesk(s).Void(ctx, id, by, why)
	if errors.Is(err, task.ErrNotFound) {
		return noDocument(id)
	}
	if err != nil {
		return err
	}
	return a.printDocument(doc)
}

func (a *app) printDocument(doc notice.Document) error {
	if a.asJSON() {
		return a.json(doc)
	}
	words := documentState(doc)
	if doc.Number != "" {
		words += " as " + doc.Number
	}
	if doc.State == notice.Issued {
		switch doc.Via {
		case notice.ByMail:
			words += "; it leaves with the next run"
		case notice.ByOA, notice.ByPaper:
			words += fmt.Sprintf(", handed over by %s on %s; `duban documents export %s` writes the file", doc.Via, doc.Served, doc.ID)
		}
	}
	a.say("%s  %s %s %s: %s", doc.ID, doc.Jurisdiction, doc.Kind, doc.Unit, words)
	return nil
}

// issue is what `outbox release` takes for a formal letter.
type issue struct{ number, channel, on string }

func (i issue) given() bool { return i.number != "" || i.channel != "" || i.on != "" }

// documentsOf parts the IDs of drafts of documents from those of other letters.
func (a *app) documentsOf(ctx context.Context, s *store.Store, ids []string) (drafts, others []string, err error) {
	for _, id := range ids {
		id, err := wholeID(ctx, s, id)
		if err != nil {
			return nil, nil, err
		}
		doc, err := s.Document(ctx, id)
		switch {
		case errors.Is(err, task.ErrNotFound) || err == nil && doc.State != notice.Drafted:
			others = append(others, id)
		case err != nil:
			return nil, nil, err
		case !slices.Contains(drafts, id):
			drafts = append(drafts, id)
		}
	}
	return drafts, others, nil
}

// issueDocuments issues drafts one by one. A draft whose facts have changed is refused, and stays.
func (a *app) issueDocuments(ctx context.Context, s *store.Store, ids []string, i issue, by string) error {
	if i.number != "" && len(ids) > 1 {
		return usagef("outbox release: --number %s is one number for %d documents; release them one by one, each with its own", i.number, len(ids))
	}
	via := notice.Channel(i.channel)
	if via == "" {
		via = notice.ByMail
	}
	if via == notice.ByMail && i.on != "" {
		return usagef("outbox release: --on is the day it was handed over, with --channel oa or paper; leave it out for a letter by mail")
	}
	var errs []error
	for _, id := range ids {
		doc, err := s.Document(ctx, id)
		if err != nil {
			return err
		}
		today := a.today(doc.Jurisdiction)
		on, err := a.date("on", i.on, today)
		if err != nil {
			return err
		}
		doc, err = a.formalDesk(s).Release(ctx, formal.Release{
			ID: id, By: by, Number: strings.TrimSpace(i.number), Via: via, On: on, Today: today,
		})
		var refused formal.RefusedError
		switch {
		case errors.As(err, &refused):
			errs = append(errs, refusedError{err})
		case err != nil:
			errs = append(errs, err)
		default:
			errs = append(errs, a.printDocument(doc))
		}
	}
	return errors.Join(errs...)
}
