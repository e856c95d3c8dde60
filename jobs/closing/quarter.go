package closing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/period"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// GovernmentRole is the role, and the code, under which the government office reads reports and gets drafts of bulletins.
const GovernmentRole = "government"

// formServed is the number of working days that must have passed since a supervision form was served before its matter is
// reported to the government office.
const formServed = 5

// Quarter is what closing the whole jurisdiction is decided on. Its Snapshot holds the versions of the rows of Items and
// Formed, and all closings.
type Quarter struct {
	Snapshot
	// Items are the obligations that fell due from ItemsFrom to the day.
	Items []task.Record
	// Forms are the supervision forms that were issued, Formed the obligations they are about.
	Forms  []notice.Document
	Formed []task.Record
	// Served maps a letter's ID to the logical date of the letter that carried its items to the reader.
	Served   map[string]civil.Date
	Silences []task.Silence
}

// restatedFor is how many earlier periods of the jurisdiction are looked at again for a restatement.
const restatedFor = 4

// ItemsFrom returns the first day of which the items must be at hand to close the spans, and to restate those before.
func ItemsFrom(spans []Span, all []task.Closing) civil.Date {
	first := civil.Never
	for _, s := range spans {
		first = min(first, s.From)
		for _, h := range earlier(all, s) {
			first = min(first, h.From)
		}
	}
	return first
}

// ItemsTo returns the last day of which the items must be at hand to close a span on day d: a report that belongs to a quarter
// may fall due within the month after.
func ItemsTo(d civil.Date) civil.Date { return d + 31 }

// earlier returns the spans of the same kind closed before that a closing looks at again, the earliest first.
func earlier(all []task.Closing, s Span) []Span {
	var out []Span
	for _, c := range all {
		if dutyOf(c) != s.duty() || c.Version != 0 || c.Period >= string(s.Key) {
			continue
		}
		q := Span{Kind: c.Kind, Key: period.Key(c.Period), On: c.On}
		var err error
		if q.From, q.To, err = q.Key.Bounds(); err == nil {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return out[max(0, len(out)-restatedFor):]
}

func (s Span) duty() duty { return duty{kind: s.Kind} }

// Open returns the spans that are not closed yet. One of an earlier day is taken up only where one of its kind has been
// closed before; one whose day was before the jurisdiction went live makes nothing.
func (s Snapshot) Open(spans []Span, set planner.Settings, d civil.Date) []Span {
	var out []Span
	for _, p := range spans {
		q := Period{Kind: p.Kind, Key: string(p.Key), On: p.On}
		live := cmp.Or(set.LiveFrom, s.Jurisdiction.LiveFrom)
		if p.On >= live && !closed(s.Closings, q) && (p.On == d || goesOn(s.Closings, q)) {
			out = append(out, p)
		}
	}
	return out
}

// Jurisdictionwide closes quarters and years of the whole jurisdiction: it freezes their rates, drafts the bulletin in the name
// of the office that issues it, and at a quarter's close drafts the report on what stayed open after a supervision form.
func Jurisdictionwide(q Quarter, set planner.Settings, job string, spans []Span, d civil.Date) (Result, error) {
	c := quarter{Quarter: q, set: set, job: job, day: d}
	c.office = officeOf(q.Snapshot, set, d)
	for _, s := range spans {
		if err := c.close(s); err != nil {
			return Result{}, err
		}
	}
	return c.out, nil
}

type quarter struct {
	Quarter
	set    planner.Settings
	job    string
	day    civil.Date
	office office
	out    Result
}

// close closes one span. Where nothing of the units fell due there is nothing to say.
func (c *quarter) close(s Span) error {
	items, rates := c.measure(s, s.On)
	key := c.key(notice.Bulletin, s)
	if left := rates.Total.Left; rates.Total.Items > left[OfBureau]+left[Unconfirmed]+left[OnlyTold]+left[Manual] {
		again, err := c.restate(s, key.ID())
		if err != nil {
			return err
		}
		cl := task.Closing{
			Jurisdiction: c.Jurisdiction.Code, Kind: s.Kind, Period: string(s.Key), On: s.On, Seq: c.Jurisdiction.Seq,
			Issue: c.issue(s), Notice: key.ID(),
		}
		if cl.Frozen, err = rates.encode(); err != nil {
			return err
		}
		b := bulletin{
			span: s, items: items, rates: rates, issue: cl.Issue, restated: again, day: c.day, office: c.issuing(),
			bureau: c.office, ranking: c.set.Ranking,
		}
		if b.sums, err = c.sums(s); err != nil {
			return err
		}
		if b.years, err = c.years(s); err != nil {
			return err
		}
		c.Closings = append(slices.Clone(c.Closings), cl)
		c.out.Closings = append(c.out.Closings, cl)
		c.draft(key, b.paper(), nil)
	}
	if s.Kind == task.QuarterClose {
		c.report(s)
	}
	return nil
}

func (c *quarter) key(kind string, s Span) notice.Key {
	return notice.Key{
		Jurisdiction: c.Jurisdiction.Code, Date: c.day, Unit: GovernmentRole, Role: GovernmentRole, Kind: kind, Matter: string(s.Key),
	}
}

// issue is the number of the bulletin within the year of its span.
func (c *quarter) issue(s Span) int {
	n := 0
	for _, cl := range c.Closings {
		if dutyOf(cl) == s.duty() && cl.Version == 0 && year(cl.Period) == year(string(s.Key)) {
			n = max(n, cl.Issue)
		}
	}
	return n + 1
}

// issuing is the office in whose name bulletins go out.
func (c *quarter) issuing() planner.Office {
	set := c.set.On(c.day)
	o, g := set.Rungs[ladder.Bulletin], set.Government
	o.Name = cmp.Or(o.Name, g.Name, c.Jurisdiction.Name+"人民政府办公室")
	o.Short = cmp.Or(o.Short, g.Short, o.Name)
	o.Email = cmp.Or(o.Email, g.Email)
	o.Word = cmp.Or(o.Word, "通报")
	return o
}

// draft adds a document that a person releases, about these obligations.
func (c *quarter) draft(key notice.Key, paper notice.Paper, refs []string) {
	o := c.issuing()
	n := notice.Notice{
		ID: key.ID(), Key: key, Job: c.job, State: notice.Held,
		Reason: notice.DraftReason(key.ID()),
		Facts: notice.Facts{
			Jurisdiction: c.Jurisdiction.Name, Date: c.day, Issuer: c.office.issuer,
			Reader: notice.Reader{Code: GovernmentRole, Name: o.Short, FullName: o.Name, Honorific: "贵办"},
			Paper:  &paper, Versions: c.set.Versions,
		},
	}
	if o.Email != "" {
		n.Facts.Recipients = []notice.Recipient{{Role: GovernmentRole, Name: o.Short, Email: o.Email}}
	}
	c.out.Notices = append(c.out.Notices, n)
	c.out.Documents = append(c.out.Documents, notice.Document{
		ID: n.ID, Jurisdiction: c.Jurisdiction.Code, Kind: key.Kind, Matter: key.Matter, Title: paper.Title, Unit: key.Unit,
		Drafted: c.day, Refs: refs, State: notice.Drafted,
	})
}

// rerate is an earlier span that comes to other rates.
type rerate struct {
	span  Span
	issue int
	lines []string
}

// restate measures the spans closed before once more, as of their own days, by what is known now.
func (c *quarter) restate(s Span, letter string) ([]rerate, error) {
	var out []rerate
	for _, e := range earlier(c.Closings, s) {
		first, last := c.versions(e)
		before, err := DecodeRates(last.Frozen)
		if err != nil {
			return nil, fmt.Errorf("closing %s %s: %w", e.Kind, e.Key, err)
		}
		_, now := c.measure(e, s.On)
		lines := compareRates(before, now)
		if len(lines) == 0 {
			continue
		}
		cl := first
		cl.On, cl.Seq, cl.Issue, cl.Version, cl.Notice = s.On, c.Jurisdiction.Seq, 0, last.Version+1, letter
		if cl.Frozen, err = now.encode(); err != nil {
			return nil, err
		}
		c.Closings = append(slices.Clone(c.Closings), cl)
		c.out.Closings = append(c.out.Closings, cl)
		out = append(out, rerate{e, first.Issue, lines})
	}
	return out, nil
}

// versions returns the closing of a span and its last restatement.
func (c *quarter) versions(s Span) (first, last task.Closing) {
	for _, cl := range c.Closings {
		if dutyOf(cl) != s.duty() || cl.Period != string(s.Key) {
			continue
		}
		if cl.Version == 0 {
			first = cl
		}
		if last.Period == "" || cl.Version > last.Version {
			last = cl
		}
	}
	return first, last
}

// compareRates lists, by unit, what differs.
func compareRates(before, now Rates) []string {
	old := map[string]UnitRates{}
	for _, u := range before.Units {
		old[u.Unit] = u
	}
	var out []string
	say := func(a, b UnitRates, name string) {
		if a.OnTime != b.OnTime || a.Counted != b.Counted {
			out = append(out, fmt.Sprintf("%s：按时办结率由%s更正为%s", name, Rate(a.OnTime, a.Counted), Rate(b.OnTime, b.Counted)))
		}
		if a.Done() != b.Done() || a.Counted != b.Counted {
			out = append(out, fmt.Sprintf("%s：办结率由%s更正为%s", name, Rate(a.Done(), a.Counted), Rate(b.Done(), b.Counted)))
		}
	}
	for _, u := range now.Units {
		say(old[u.Unit], u, u.Name)
		delete(old, u.Unit)
	}
	for _, u := range before.Units {
		if _, gone := old[u.Unit]; gone {
			say(u, UnitRates{}, u.Name)
		}
	}
	say(before.Total, now.Total, "合计")
	return out
}

// fieldSum is a figure summed over the periods of a duty that lie in a span.
type fieldSum struct {
	title, field string
	periods      int
	sum          int64
}

// sums adds up what the units returned in the span, as frozen or restated last: of monthly and quarterly duties in a quarter,
// and of a year's as well in a year.
func (c *quarter) sums(s Span) ([]fieldSum, error) {
	last := map[[4]string]task.Closing{}
	for _, cl := range c.Closings {
		if cl.Row == "" || !within(cl, s) {
			continue
		}
		k := [4]string{string(cl.Kind), cl.Plan, cl.Row, cl.Period}
		if old, ok := last[k]; !ok || cl.Version > old.Version {
			last[k] = cl
		}
	}
	type key struct{ plan, row, field string }
	at := map[key]*fieldSum{}
	var order []key
	for _, k := range sortedKeys(last) {
		f, err := Decode(last[k].Frozen)
		if err != nil {
			return nil, fmt.Errorf("closing %s %s/%s %s: %w", k[0], k[1], k[2], k[3], err)
		}
		for _, field := range f.Fields {
			n := key{k[1], k[2], field}
			if at[n] == nil {
				at[n] = &fieldSum{title: f.Title, field: field}
				order = append(order, n)
			}
			at[n].periods++
			at[n].sum += f.Sums[field]
		}
	}
	out := make([]fieldSum, 0, len(order))
	for _, n := range order {
		out = append(out, *at[n])
	}
	return out, nil
}

func sortedKeys(m map[[4]string]task.Closing) [][4]string {
	var keys [][4]string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [4]string) int { return slices.Compare(a[1:], b[1:]) })
	return keys
}

// within reports whether a duty's closed period lies in the span.
func within(c task.Closing, s Span) bool {
	name, _, _ := strings.Cut(c.Period, "/")
	from, to, err := period.Key(name).Bounds()
	return err == nil && s.From <= from && to <= s.To
}

// years are the yearly duties that the close of a year summed up, with their returns.
func (c *quarter) years(s Span) ([]Frozen, error) {
	if s.Kind != task.YearClose {
		return nil, nil
	}
	var out []Frozen
	for _, cl := range c.Closings {
		if cl.Kind != task.YearClose || cl.Row == "" || cl.Version != 0 || cl.On != s.On {
			continue
		}
		f, err := Decode(cl.Frozen)
		if err != nil {
			return nil, fmt.Errorf("closing %s %s/%s %s: %w", cl.Kind, cl.Plan, cl.Row, cl.Period, err)
		}
		if !f.quota() {
			out = append(out, f)
		}
	}
	return out, nil
}
