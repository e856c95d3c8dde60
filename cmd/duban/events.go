package main

import (
	"context"
	"errors"

	"duban/jobs/civil"
	"duban/jobs/ledger"
	"duban/jobs/register"
	"duban/store"
)

// importEvents reads a list of what happened and starts the clocks that the policy's rules name.
func (a *app) importEvents(ctx context.Context, s *store.Store, book ledger.Book, on civil.Date, o importOptions, out *imported) error {
	dir, err := directory(ctx, s, out.Jurisdiction)
	if err != nil {
		return err
	}
	draft, problems := ledger.Events(book, dir, ledger.EventsOptions{Jurisdiction: out.Jurisdiction, Today: on})
	if len(problems) > 0 {
		return problems
	}
	out.Rows, out.Notes = len(draft.Rows), draft.Notes
	in := register.EventsImport{Jurisdiction: out.Jurisdiction, On: on, Who: o.by, DryRun: o.dryRun}
	for _, r := range draft.Rows {
		in.Rows = append(in.Rows, register.EventRow{Occurrence: r.Occurrence, Task: r.Task})
	}
	out.Changes, err = a.register(s).ImportEvents(ctx, s, in)
	var bad register.RowErrors
	if !errors.As(err, &bad) {
		return refused(err)
	}
	for _, b := range bad {
		p := draft.Rows[b.Row].Place
		p.Column, p.Reason = b.Column, b.Reason
		problems = append(problems, p)
	}
	return problems
}
