// Package closing closes periods as a bureau closes them: what the units returned is frozen as it stood on the day of
// closing and summed up for the bureau, and what is put right afterwards is restated beside the frozen figures.
//
// A return (报送) is what one unit owes of one instance of a duty. A period is closed a few working days of grace after
// its returns were due, so that a return that is a day late still counts as late, not as missing.
package closing

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/period"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// DefaultGrace is the number of working days after a return's due date on which its period is closed, where the settings
// name none.
const DefaultGrace = 3

// lookBack is how many calendar days back a duty that is closed regularly is searched for a period left open: a calendar
// that is published or mended may move a day of closing into the past.
const lookBack = 40

// Period is one period of a duty on its day of closing.
type Period struct {
	Task task.TaskID
	Kind task.ClosingKind
	// Key names the period: the instance, or of a weekly duty the month that its weeks' dates lie in.
	Key       string
	Instances []string
	Due       civil.Date // the last day on which a return of it was due
	On        civil.Date // the day of closing, a working day
}

// Ask is what has to be asked of the register to know what a day closes: the instances of these kinds that fell due in the
// days from From to To.
type Ask struct {
	Kinds    []task.Kind
	From, To civil.Date
}

// grace is the number of working days between the due date and the closing.
func grace(set planner.Settings) int {
	if set.Grace <= 0 {
		return DefaultGrace
	}
	return set.Grace
}

// after returns the day on which what was due on the day is closed: T+grace.
func after(due civil.Date, set planner.Settings) civil.Date { return set.Calendar.Add(due, grace(set)) }

// dueFor returns the first and the last due date that are closed on the working day d.
func dueFor(d civil.Date, set planner.Settings) (from, to civil.Date) {
	g := grace(set)
	return set.Calendar.Add(d, -g), set.Calendar.Add(d, 1-g) - 1
}

// AskMonthly returns what the monthly close of day d has to know; nothing on a day off.
//
// A weekly duty is closed once a month, with all weeks whose date lies in it, on the day that closes the month's last day.
func AskMonthly(set planner.Settings, d civil.Date) []Ask {
	if !set.Calendar.IsWorkday(d) {
		return nil
	}
	from, to := dueFor(d, set)
	from -= reach(set, d)
	asks := []Ask{{[]task.Kind{task.Monthly}, from, to}}
	for end := civil.MonthEnd(from.Year(), from.Month()); end <= to; end = nextMonthEnd(end) {
		asks = append(asks, Ask{[]task.Kind{task.Weekly}, monthStart(end), end})
	}
	return asks
}

// AskQuarterly returns what the quarterly close of day d has to know of duties; nothing on a day off.
//
// Quarterly and half-yearly duties are closed after their own dates (the report of a quarter falls due on a day after it).
// Yearly duties are closed together at the year's close, after 31 January: by then the statistics of the year are due too,
// and everything that fell due in the twelve months before belongs to it.
func AskQuarterly(set planner.Settings, d civil.Date) []Ask {
	if !set.Calendar.IsWorkday(d) {
		return nil
	}
	from, to := dueFor(d, set)
	from -= reach(set, d)
	asks := []Ask{{[]task.Kind{task.Quarterly, task.HalfYearly}, from, to}}
	for year := from.Year(); year <= to.Year(); year++ {
		if end := yearClose(year); from <= end && end <= to {
			asks = append(asks, Ask{[]task.Kind{task.Yearly, task.Quota}, end.AddMonths(-12) + 1, end})
		}
	}
	return asks
}

// reach is how many days further back the close of day d looks: on the first working day of a week, lookBack.
func reach(set planner.Settings, d civil.Date) civil.Date {
	if set.Calendar.WeekStart(d) == d {
		return lookBack
	}
	return 0
}

func monthStart(d civil.Date) civil.Date { return civil.Of(d.Year(), d.Month(), 1) }

func nextMonthEnd(end civil.Date) civil.Date {
	return civil.MonthEnd((end + 1).Year(), (end + 1).Month())
}

// yearClose is the day after which the yearly duties of the twelve months up to it are closed.
func yearClose(year int) civil.Date { return civil.Of(year, time.January, 31) }

// Pick returns the periods that day d closes, those of earlier days first. A period of an earlier day is taken up only
// where its duty has been closed before: a duty that duban never closed has its first closing on its day, or none.
func Pick(due []task.PeriodDue, s Snapshot, set planner.Settings, d civil.Date) []Period {
	var out []Period
	for _, p := range group(due, set) {
		began := max(cmp.Or(set.LiveFrom, s.Jurisdiction.LiveFrom), issued(s.Plans, p.Task.Plan, d))
		if p.On <= d && p.On >= began && !closed(s.Closings, p) && (p.On == d || goesOn(s.Closings, p)) {
			out = append(out, p)
		}
	}
	return out
}

// group puts the instances that are closed together into periods, by day of closing, duty and due date.
func group(due []task.PeriodDue, set planner.Settings) []Period {
	type name struct {
		id   task.TaskID
		kind task.ClosingKind
		key  string
	}
	at := map[name]int{}
	var out []Period
	for _, d := range due {
		p := Period{Task: d.TaskID, Key: d.Instance, Due: d.Due}
		switch d.Kind {
		case task.Weekly:
			p.Kind, p.Key = task.MonthClose, string(period.Of(deadline.Month, d.Due))
			p.On = after(civil.MonthEnd(d.Due.Year(), d.Due.Month()), set)
		case task.Monthly:
			p.Kind, p.On = task.MonthClose, after(d.Due, set)
		case task.Quarterly:
			p.Kind, p.On = task.QuarterClose, after(d.Due, set)
		case task.HalfYearly:
			p.Kind, p.On = task.HalfClose, after(d.Due, set)
		case task.Yearly, task.Quota:
			end := yearClose(d.Due.Year())
			if d.Due > end {
				end = yearClose(d.Due.Year() + 1)
			}
			p.Kind, p.On = task.YearClose, after(end, set)
		case task.Milestone, task.Condition, task.Clock: // done once: there is no period to close
			continue
		default:
			continue
		}
		n := name{p.Task, p.Kind, p.Key}
		i, seen := at[n]
		if !seen {
			i, at[n] = len(out), len(out)
			out = append(out, p)
		}
		out[i].Instances = append(out[i].Instances, d.Instance)
		out[i].Due = max(out[i].Due, d.Due)
	}
	for i := range out {
		slices.Sort(out[i].Instances)
		out[i].Instances = slices.Compact(out[i].Instances)
	}
	slices.SortFunc(out, func(a, b Period) int {
		return cmp.Or(cmp.Compare(a.On, b.On), strings.Compare(a.Task.String(), b.Task.String()),
			cmp.Compare(a.Due, b.Due), strings.Compare(a.Key, b.Key))
	})
	return out
}

// duty names what is closed again and again: a row, or with an empty row the whole jurisdiction.
type duty struct {
	kind      task.ClosingKind
	plan, row string
}

func dutyOf(c task.Closing) duty { return duty{c.Kind, c.Plan, c.Row} }

func (p Period) duty() duty { return duty{p.Kind, p.Task.Plan, p.Task.Row} }

func closed(all []task.Closing, p Period) bool {
	return slices.ContainsFunc(all, func(c task.Closing) bool { return dutyOf(c) == p.duty() && c.Period == p.Key })
}

// goesOn reports whether the duty was closed on an earlier day than the period's.
func goesOn(all []task.Closing, p Period) bool {
	return slices.ContainsFunc(all, func(c task.Closing) bool { return dutyOf(c) == p.duty() && c.Version == 0 && c.On <= p.On })
}

func issued(plans []task.Plan, code string, d civil.Date) civil.Date {
	for _, p := range task.PlansAsOf(plans, d) {
		if p.Code == code {
			return p.Issued
		}
	}
	return civil.Never // not in force yet: nothing of it is closed
}
