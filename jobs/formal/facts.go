package formal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// office is who issues a document of the kind, with the pattern of its number.
func office(kind string, set planner.Settings, j task.Jurisdiction) planner.Office {
	rung, number := ladder.Form, "督办〔{year}〕{n}号"
	switch kind {
	case notice.Bulletin:
		rung, number = ladder.Bulletin, "通报〔{year}〕{n}号"
	case notice.Report:
		rung, number = ladder.Report, "专报〔{year}〕{n}号"
	}
	o := set.Rungs[rung]
	o.Number = cmp.Or(o.Number, number)
	if kind != notice.Report { // the report itself is the bureau's
		o.Name = cmp.Or(o.Name, j.Name+"人民政府办公室")
	}
	return o
}

// facts are the letter's as of the day of issue, or a RefusedError where what the draft says does not hold any more.
func (d Desk) facts(ctx context.Context, j task.Jurisdiction, set planner.Settings, doc notice.Document, n notice.Notice, day civil.Date) (notice.Facts, error) {
	f := n.Facts
	if f.Paper == nil {
		return f, fmt.Errorf("letter %s has no paper", n.ID)
	}
	records, err := d.Store.RecordsOf(ctx, j.Code, doc.Refs)
	if err != nil {
		return f, err
	}
	if why := changed(records, set, day); len(why) > 0 {
		return f, RefusedError{fmt.Sprintf("the facts have changed since %s: %s; drop the draft with `duban documents void %s --by NAME --why WHY`, or leave it: the next run drops it by itself and makes what is due anew",
			doc.Drafted, strings.Join(why, "; "), doc.ID)}
	}
	if err := d.restated(ctx, j, doc); err != nil {
		return f, err
	}
	paper := *f.Paper
	paper.Number, paper.Date = doc.Number, doc.Date
	f.Date, f.Paper = doc.Date, &paper
	return f, nil
}

// changed names the obligations that are not what a draft about them says: open, with nothing waiting for the bureau.
func changed(records []task.Record, set planner.Settings, day civil.Date) []string {
	var why []string
	for _, rec := range records {
		st := task.Fold(rec.Obligation, rec.Events, day, set.Calendar, set.Terms)
		name := rec.Obligation.Ref.String()
		switch {
		case st.State != task.Waiting:
			why = append(why, fmt.Sprintf("%s is %s since %s", name, st.State, st.Since))
		case st.Asked != 0:
			why = append(why, fmt.Sprintf("%s: an extension was asked for on %s", name, st.Asked))
		case st.HeldUntil != 0:
			why = append(why, fmt.Sprintf("%s is held until %s: %s", name, st.HeldUntil, st.HeldWhy))
		case day <= max(st.Effective, st.Assess):
			why = append(why, fmt.Sprintf("%s is due on %s now", name, max(st.Effective, st.Assess)))
		}
	}
	slices.Sort(why)
	return why
}

// restated refuses a bulletin whose figures were restated after it was drafted.
func (d Desk) restated(ctx context.Context, j task.Jurisdiction, doc notice.Document) error {
	if doc.Kind != notice.Bulletin {
		return nil
	}
	closings, err := d.Store.Closings(ctx, j.Code, "")
	if err != nil {
		return err
	}
	for _, c := range closings {
		if c.Notice != doc.ID {
			continue
		}
		for _, later := range closings {
			if later.Kind == c.Kind && later.Plan == c.Plan && later.Row == c.Row && later.Period == c.Period && later.Version > c.Version {
				return RefusedError{fmt.Sprintf("its figures were restated on %s; void it, and issue the restated one", later.On)}
			}
		}
	}
	return nil
}
