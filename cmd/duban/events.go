package main

import (
	"context"
	"errors"

	"duban/jobs/civil"
	"duban/jobs/ledger"
	"duban/jobs/register"
	"duban/store"
)

const eventsHelp = `Columns: 事件类型, 编号 (案号/文号, no names of parties), 单位, 发生日期; where they apply 规定期限 (the date the document sets),
人员编号, 检查对象, 检查起, 检查止, 任务编号 (PLAN/ROW or ROW, in place of the policy's rule) and 不适用原因 (unless law says otherwise).

The rules of the policy say which duty's clock an event starts and how long it runs; a rule without a length takes the date
the document sets, else the row's own. The end is worked out here, once. Kept without a clock: 检查备案, 检查登记, 事后评价.
A suspension (证件暂扣) with 人员编号 is written into the roster; its end is listed, and told in letters about people alone.
With 规定期限 as well it needs no rule. A roster that calls the certificate 有效 does not lift it before its end, unless it
gives 暂扣起 and 暂扣止 as they came to be; or correct the event.

An event is told by kind, number and unit; kinds of brackets, widths and spaces of a number make no other of it. Importing it again changes nothing; with another date it is a correction, and its
open item moves. Where that item is done already the row is refused: reopen it first.`

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
	out.Notes = append(out.Notes, out.Changes.Notes...)
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
