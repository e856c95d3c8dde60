package ledger

import (
	"cmp"
	"slices"

	"duban/jobs/task"
)

// Change is a row of which a new version differs from the old. Fields names what differs, in the order of the ledger.
type Change struct {
	Old, New task.Task
	Fields   []string
}

// Changes is what an edited ledger does to the rows in force.
type Changes struct {
	Added     []task.Task
	Changed   []Change
	Withdrawn []task.Task
	// Moved rows differ in nothing but their place in the ledger.
	Moved     []Change
	Unchanged int
	// Conflicts are rows whose number stands for another measure now. They stop an import until a person says which:
	// see Same and Replace.
	Conflicts []Change
	// Replaced are rows whose old task ends and whose number goes to a new one.
	Replaced []Change
}

// Empty reports that the ledger changes nothing.
func (c Changes) Empty() bool {
	return len(c.Added)+len(c.Changed)+len(c.Withdrawn)+len(c.Moved)+len(c.Conflicts)+len(c.Replaced) == 0
}

// Diff compares the rows in force with those of a ledger, by row code. On, Seq, Source and Parser do not count, nor
// does the reading of a deadline whose text has not changed: it is frozen, and New carries the old one.
func Diff(old, new []task.Task) Changes {
	var c Changes
	before := map[string]task.Task{}
	for _, t := range old {
		if !t.Withdrawn {
			before[t.Row] = t
		}
	}
	seen := map[string]bool{}
	for _, n := range new {
		seen[n.Row] = true
		o, known := before[n.Row]
		if !known {
			c.Added = append(c.Added, n)
			continue
		}
		if n.DeadlineText == o.DeadlineText {
			n.Reading, n.Parser, n.ClarifiedBy = o.Reading, o.Parser, o.ClarifiedBy
		}
		ch := Change{o, n, differ(o, n)}
		switch {
		case key(o.Title) != key(n.Title):
			c.Conflicts = append(c.Conflicts, ch)
		case len(ch.Fields) > 0:
			c.Changed = append(c.Changed, ch)
		case o.Order != n.Order:
			c.Moved = append(c.Moved, ch)
		default:
			c.Unchanged++
		}
	}
	for _, t := range old {
		if !t.Withdrawn && !seen[t.Row] {
			c.Withdrawn = append(c.Withdrawn, t)
			seen[t.Row] = true
		}
	}
	slices.SortFunc(c.Withdrawn, func(a, b task.Task) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Row, b.Row)) })
	return c
}

// Same settles every conflict as a new wording of the same measure.
func (c Changes) Same() Changes {
	c.Changed = append(slices.Clone(c.Changed), c.Conflicts...)
	c.Conflicts = nil
	return c
}

// Replace settles the conflicts of the given row codes as new tasks under old numbers.
func (c Changes) Replace(codes ...string) Changes {
	left := c.Conflicts
	c.Conflicts, c.Replaced = nil, slices.Clone(c.Replaced)
	for _, ch := range left {
		if slices.Contains(codes, ch.New.Row) {
			c.Replaced = append(c.Replaced, ch)
		} else {
			c.Conflicts = append(c.Conflicts, ch)
		}
	}
	return c
}

// differ names the fields in which two versions of a row differ.
func differ(a, b task.Task) []string {
	var out []string
	add := func(name string, same bool) {
		if !same {
			out = append(out, name)
		}
	}
	add("heading", a.Heading == b.Heading)
	add("section", a.Section == b.Section)
	add("title", a.Title == b.Title)
	add("deadline", a.DeadlineText == b.DeadlineText)
	add("units", sameParties(a.Parties, b.Parties) && a.LeadText == b.LeadText && a.ResponsibleText == b.ResponsibleText && a.SupportText == b.SupportText)
	add("deliverable", a.Deliverable == b.Deliverable)
	add("evidence", a.Evidence == b.Evidence)
	add("channel", a.Channel == b.Channel)
	add("send_to", a.SendTo == b.SendTo)
	add("chase", a.Chase == b.Chase)
	add("valid_to", a.ValidTo == b.ValidTo)
	add("report_day", a.ReportDay == b.ReportDay)
	add("category", a.Category == b.Category)
	return out
}

func sameParties(a, b []task.Party) bool {
	if len(a) != len(b) {
		return false
	}
	return !slices.ContainsFunc(a, func(p task.Party) bool { return !slices.Contains(b, p) })
}
