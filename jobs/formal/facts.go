package formal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/closing"
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

// facts are the letter's as of the day of issue, or a RefusedError where what the draft says does not hold any more. A
// report goes without the items that were settled since, and its document without their refs.
func (d Desk) facts(ctx context.Context, j task.Jurisdiction, doc *notice.Document, n notice.Notice, day civil.Date) (notice.Facts, error) {
	if n.Facts.Paper == nil {
		return n.Facts, fmt.Errorf("letter %s has no paper", n.ID)
	}
	all, err := d.Settings(j.Code)
	if err != nil {
		return n.Facts, err
	}
	records, err := d.Store.RecordsOf(ctx, j.Code, doc.Refs)
	if err != nil {
		return n.Facts, err
	}
	if doc.Kind == notice.SupervisionForm && len(records) == 1 {
		return d.form(ctx, j, all, *doc, n, records[0], day)
	}
	if err := d.restated(ctx, j, *doc); err != nil {
		return n.Facts, err
	}
	f := n.Facts
	paper := *f.Paper
	if why := changed(records, all, day); len(why) > 0 {
		paper, doc.Refs = closing.Reduce(paper, doc.Refs, func(ref string) bool { return why[ref] != "" })
		if len(doc.Refs) == 0 {
			return n.Facts, stale(*doc, "nothing in it still stands: "+strings.Join(slices.Sorted(maps.Values(why)), "; "))
		}
	}
	paper.Number, paper.Date = doc.Number, doc.Date
	f.Date, f.Paper = doc.Date, &paper
	return f, nil
}

// stale refuses a draft that no longer holds.
func stale(doc notice.Document, why string) error {
	return RefusedError{fmt.Sprintf("the facts have changed since %s: %s; drop the draft with `duban documents void %s --by NAME --why WHY`; what becomes due again is drafted anew",
		doc.Drafted, why, doc.ID)}
}

// form writes a supervision form anew as of the day, by the rules that drafted it.
func (d Desk) form(ctx context.Context, j task.Jurisdiction, all planner.Settings, doc notice.Document, n notice.Notice, rec task.Record, day civil.Date) (notice.Facts, error) {
	c, err := d.caseOf(ctx, j, rec, day)
	if err != nil {
		return n.Facts, err
	}
	in, why := planner.FormAgain(c, all, day)
	switch {
	case why != "":
		return n.Facts, stale(doc, why)
	case in.Matter != doc.Matter:
		return n.Facts, stale(doc, "its date was given anew, which is a matter of its own")
	}
	f := n.Facts
	paper := planner.FormPaper(in, doc.Date, doc.Number)
	f.Date, f.Paper, f.Issuer, f.Reader, f.Recipients, f.Versions = doc.Date, &paper, in.Issuer, in.Unit, in.Recipients, in.Versions
	return f, nil
}

// caseOf reads what the decision on one obligation rests on, as of the day.
func (d Desk) caseOf(ctx context.Context, j task.Jurisdiction, rec task.Record, day civil.Date) (c planner.Case, err error) {
	id := rec.Obligation.TaskID
	c = planner.Case{Jurisdiction: j, Record: rec}
	versions, err := d.Store.TaskVersions(ctx, j.Code, []task.TaskID{id})
	if err != nil {
		return c, err
	}
	rows := task.TasksAsOf(versions, day)
	dir, err := d.Store.Directory(ctx, j.Code)
	if err != nil {
		return c, err
	}
	unit, known := dir.AsOf(day).Unit(rec.Obligation.Unit)
	if len(rows) == 0 || !known {
		return c, RefusedError{fmt.Sprintf("the row or the unit of %s is not there any more; drop the draft", rec.Obligation.Ref)}
	}
	c.Task, c.Unit = rows[0], unit
	c.Bureau, _ = dir.AsOf(day).Unit(j.Bureau)
	plans, err := d.Store.Plans(ctx, j.Code)
	if err != nil {
		return c, err
	}
	for _, p := range task.PlansAsOf(plans, day) {
		if p.Code == id.Plan {
			c.Plan = p
		}
	}
	silences, err := d.Store.Silences(ctx, j.Code)
	if err != nil {
		return c, err
	}
	c.Silences = task.SilencesAsOf(silences, day)
	var letters []string
	for _, f := range rec.Steps {
		if f.Notice != "" {
			letters = append(letters, f.Notice)
		}
	}
	c.Served, err = d.served(ctx, letters)
	return c, err
}

// served is when the letters reached their readers. One that was only recorded, for a day that was filled in afterwards, reached
// nobody: no form is issued on the strength of it.
func (d Desk) served(ctx context.Context, letters []string) (map[string]civil.Date, error) {
	served, err := d.Store.Served(ctx, letters)
	if err != nil || len(served) == 0 {
		return served, err
	}
	states, err := d.Store.Outcomes(ctx, slices.Sorted(maps.Keys(served)))
	for id, b := range states {
		if b.State == notice.Recorded {
			delete(served, id)
		}
	}
	return served, err
}

// changed says, by ref, of the obligations that are not what a draft about them says, what they are instead.
func changed(records []task.Record, all planner.Settings, day civil.Date) map[string]string {
	why := map[string]string{}
	for _, rec := range records {
		if s := planner.Stands(rec, all, day); s != "" {
			why[rec.Obligation.Ref.String()] = s
		}
	}
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
