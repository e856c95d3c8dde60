package closing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/period"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// Span is a period of the whole jurisdiction on its day of closing.
type Span struct {
	Kind     task.ClosingKind
	Key      period.Key
	From, To civil.Date
	On       civil.Date
}

// Spans returns the quarters and years of the jurisdiction whose day of closing is d or, on the first working day of a week,
// lies up to lookBack days before it, the earliest first. A quarter is closed after the day on which its reports are due, a
// year after 31 January.
func Spans(set planner.Settings, d civil.Date) []Span {
	if !set.Calendar.IsWorkday(d) {
		return nil
	}
	var out []Span
	add := func(kind task.ClosingKind, every deadline.Every, last, due civil.Date) {
		s := Span{Kind: kind, Key: period.Of(every, last), On: after(due, set)}
		var err error
		if s.From, s.To, err = s.Key.Bounds(); err == nil && s.On <= d && s.On >= d-reach(set, d) {
			out = append(out, s)
		}
	}
	for _, q := range quartersBefore(d) {
		add(task.QuarterClose, deadline.Quarter, q, reportDue(q, set))
	}
	for _, y := range []int{d.Year() - 1, d.Year()} {
		add(task.YearClose, deadline.Year, civil.Of(y-1, 12, 31), yearClose(y))
	}
	slices.SortFunc(out, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.On, b.On), strings.Compare(string(a.Key), string(b.Key)))
	})
	return out
}

// quartersBefore returns the last days of the two quarters that ended last before the day.
func quartersBefore(d civil.Date) []civil.Date {
	last := civil.Of(d.Year(), (d.Month()-1)/3*3+1, 1) - 1
	before := civil.Of(last.Year(), last.Month()-2, 1) - 1
	return []civil.Date{before, last}
}

// reportDue is the day on which the reports of a quarter are due: the jurisdiction's day of the month after it.
func reportDue(last civil.Date, set planner.Settings) civil.Date {
	due := last
	if set.ReportDay > 0 {
		first := last + 1
		due = first + civil.Date(min(set.ReportDay, civil.DaysIn(first.Year(), first.Month()))-1)
	}
	switch set.Roll {
	case planner.Previous:
		return set.Calendar.OnOrBefore(due)
	case planner.Next:
		return set.Calendar.OnOrAfter(due)
	case planner.Keep:
	}
	return due
}

// Standing is how an item stood when its quarter was closed.
type Standing string

// The standings. The first three are counted: they are the denominator of the rates. The others are left out, each with its
// reason, and together all of them are what fell due.
const (
	DoneOnTime Standing = "done-on-time"
	DoneLate   Standing = "done-late"
	Open       Standing = "open"

	ToCome      Standing = "not-due"
	Prolonged   Standing = "extended"
	NotServed   Standing = "not-served"  // no letter about it reached the unit, and nobody told it otherwise
	Uncertain   Standing = "uncertain"   // the date is ambiguous, or rests on a calendar not published yet
	WithBureau  Standing = "with-bureau" // a report or a request waits for the bureau
	Suspended   Standing = "suspended"   // the bureau holds it, or silenced it
	Unconfirmed Standing = "unconfirmed" // past at issue, or inherited
	NotApplied  Standing = "waived"
	TakenOut    Standing = "withdrawn"
	HandedOn    Standing = "transferred"
	OnlyTold    Standing = "informed" // the unit is only told of the row, and never urged
	Manual      Standing = "by-hand"  // the unit is never written to about the row: a person speaks to it
	OfBureau    Standing = "bureau"   // the bureau's own
)

// Counted reports whether items of the standing are in the denominator.
func (s Standing) Counted() bool { return s == DoneOnTime || s == DoneLate || s == Open }

// exclusions lists the reasons for which an item is not counted, in the order of papers.
func exclusions() []Standing {
	return []Standing{Prolonged, WithBureau, NotServed, Suspended, Uncertain, ToCome, Unconfirmed, NotApplied, TakenOut, HandedOn, OnlyTold, Manual, OfBureau}
}

func (s Standing) words() string {
	switch s {
	case DoneOnTime:
		return "按时办结"
	case DoneLate:
		return "逾期办结"
	case Open:
		return "未办结"
	case ToCome:
		return "时限未到"
	case Prolonged:
		return "经批准延期"
	case NotServed:
		return "催办未送达"
	case Uncertain:
		return "时限待核定"
	case WithBureau:
		return "待司法局审核或答复"
	case Suspended:
		return "暂缓催办"
	case Unconfirmed:
		return "印发或启用前到期、待确认"
	case NotApplied:
		return "不适用"
	case TakenOut:
		return "已撤销"
	case HandedOn:
		return "已转其他单位"
	case OnlyTold:
		return "仅知会、不催办"
	case Manual:
		return "由专人联系"
	case OfBureau:
		return "司法局自办"
	}
	return string(s)
}

// Item is one obligation that fell due within a span.
type Item struct {
	Record   task.Record
	Task     task.Task
	Chase    task.Chase
	Standing Standing
	State    task.State
	// Late is the number of working days late: of an open one, those gone by.
	Late int
	// Asked is the day after the date on which an extension was asked for that waits for its answer, of an open one.
	Asked civil.Date
	Due   civil.Date
}

// UnitRates are the counts of one unit, or of all.
type UnitRates struct {
	Unit string `json:"unit,omitempty"`
	Name string `json:"name,omitempty"`
	// Items fell due; Counted of them are the denominator, and Items less Counted the sum of Left.
	Items   int              `json:"items"`
	Counted int              `json:"counted"`
	OnTime  int              `json:"on_time"`
	Late    int              `json:"late"`
	Open    int              `json:"open"`
	Left    map[Standing]int `json:"left,omitempty"`
	// Rank is the unit's place by on-time rate, ties sharing one; 0 where it is not ranked.
	Rank int `json:"rank,omitempty"`
}

// Done is how many of the counted are done.
func (u UnitRates) Done() int { return u.OnTime + u.Late }

func (u *UnitRates) add(s Standing) {
	u.Items++
	switch s {
	case DoneOnTime:
		u.OnTime++
	case DoneLate:
		u.Late++
	case Open:
		u.Open++
	default:
		if u.Left == nil {
			u.Left = map[Standing]int{}
		}
		u.Left[s]++
		return
	}
	u.Counted++
}

// Rates are the frozen figures of the whole jurisdiction in a span.
type Rates struct {
	From  civil.Date  `json:"from"`
	To    civil.Date  `json:"to"`
	AsOf  civil.Date  `json:"as_of"`
	Units []UnitRates `json:"units"` // by unit
	Total UnitRates   `json:"total"`
	// Tasks (项) are the rows with an item that fell due; TasksDone those of which every item to be delivered is done or does
	// not apply.
	Tasks     int `json:"tasks"`
	TasksDone int `json:"tasks_done"`
}

func (r Rates) encode() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("write the rates of %s: %w", r.To, err)
	}
	return string(b), nil
}

// DecodeRates reads the frozen figures of a closing of the whole jurisdiction.
func DecodeRates(s string) (Rates, error) {
	var r Rates
	if err := json.Unmarshal([]byte(s), &r); err != nil {
		return r, fmt.Errorf("read frozen rates: %w; the row of the closing was changed by hand, restore it from a backup", err)
	}
	return r, nil
}

// measure places every item that fell due in the span, as of its day of closing. Corrections up to day known are in force:
// a wrong entry that was voided after the day had no effect on it.
func (c *quarter) measure(s Span, known civil.Date) ([]Item, Rates) {
	set := c.set.On(s.On)
	names := namesAsOf(c.Directory, s.On)
	silences := task.SilencesAsOf(c.Silences, s.On)
	out := Rates{From: s.From, To: s.To, AsOf: s.On}
	units := map[string]*UnitRates{}
	var items []Item
	for _, r := range c.Items {
		t, ok := lastVersion(c.Tasks, r.Obligation.TaskID, s.On)
		if !ok || r.Obligation.Owes != task.OwesDeliver || r.Obligation.Opened > s.On {
			continue
		}
		r.Events = corrected(r.Events, known)
		it, ok := c.place(Item{Record: r, Task: t, Chase: planner.Chase(t, names[r.Obligation.Unit])}, s, set, silences)
		if !ok {
			continue
		}
		items = append(items, it)
		u := units[r.Obligation.Unit]
		if u == nil {
			u = &UnitRates{Unit: r.Obligation.Unit, Name: names.of(r.Obligation.Unit)}
			units[r.Obligation.Unit] = u
		}
		u.add(it.Standing)
		out.Total.add(it.Standing)
	}
	for _, u := range units {
		out.Units = append(out.Units, *u)
	}
	slices.SortFunc(out.Units, func(a, b UnitRates) int { return strings.Compare(a.Unit, b.Unit) })
	slices.SortFunc(items, byPlace)
	out.rank()
	out.tasks(items)
	return items, out
}

// byPlace orders items by unit, then as the ledger does.
func byPlace(a, b Item) int {
	x, y := a.Record.Obligation, b.Record.Obligation
	return cmp.Or(strings.Compare(x.Unit, y.Unit), strings.Compare(x.Plan, y.Plan), cmp.Compare(a.Task.Order, b.Task.Order),
		strings.Compare(x.Row, y.Row), cmp.Compare(a.Due, b.Due), strings.Compare(x.Instance, y.Instance))
}

// corrected leaves out the events that corrections up to the day have voided, and the corrections.
func corrected(events []task.Event, known civil.Date) []task.Event {
	voided := map[int64]bool{}
	for _, e := range events {
		if e.Kind == task.Corrected && e.On <= known {
			voided[e.Voids] = true
		}
	}
	var out []task.Event
	for _, e := range events {
		if e.Kind != task.Corrected && !voided[e.Seq] {
			out = append(out, e)
		}
	}
	return out
}

// belongs returns the day by which an obligation belongs to a span: the activity of a quarter or half-year belongs to it
// although its report is due after it.
func belongs(o task.Obligation, effective civil.Date) civil.Date {
	if (o.Kind == task.Quarterly || o.Kind == task.HalfYearly) && effective == o.Effective {
		return o.Nominal
	}
	return effective
}

// place says how an item stood on the span's day of closing; ok is false where it does not belong to the span.
func (c *quarter) place(it Item, s Span, set planner.Settings, silences []task.Silence) (Item, bool) {
	o := it.Record.Obligation
	st := task.Fold(o, it.Record.Events, s.On, set.Calendar, set.Terms)
	it.State, it.Due = st.State, max(st.Effective, st.Assess)
	was, is := belongs(o, o.Effective), belongs(o, st.Effective)
	in := func(d civil.Date) bool { return s.From <= d && d <= s.To }
	if !in(was) && !in(is) {
		return it, false
	}
	it.Standing = c.standing(it, st, s, set, silences, !in(is))
	if it.Standing == DoneLate {
		it.Late = st.Late
	}
	if it.Standing == Open {
		it.Late, it.Asked = set.Calendar.Count(it.Due, s.On), st.Asked
	}
	return it, true
}

// standing names the one reason that comes first; gone says that the date moved out of the span.
func (c *quarter) standing(it Item, st task.Status, s Span, set planner.Settings, silences []task.Silence, gone bool) Standing {
	o := it.Record.Obligation
	switch {
	case o.Unit == c.Jurisdiction.Bureau:
		return OfBureau
	case st.Unconfirmed || st.State == task.Settled:
		return Unconfirmed
	case st.State == task.Void:
		return NotApplied
	case st.State == task.Dropped:
		return TakenOut
	case st.State == task.Moved:
		return HandedOn
	case it.Chase == task.ChaseCourtesy:
		return OnlyTold
	case it.Chase != task.ChaseLetter:
		return Manual
	case gone && st.Extended:
		return Prolonged
	case gone:
		return ToCome
	case o.Ambiguous && it.Task.Reading.Ambiguous && !st.Returned && !st.Extended && st.Assess > st.Effective,
		set.Calendar.Provisional(min(st.Effective, st.Assess), max(st.Effective, st.Assess)):
		return Uncertain
	case st.State == task.Answered, st.State == task.Waiting && askedInTime(st):
		return WithBureau
	case st.State == task.Finished && st.Late == 0:
		return DoneOnTime
	case st.State == task.Waiting && it.Due >= s.On && st.Extended:
		return Prolonged
	case st.State == task.Waiting && it.Due >= s.On:
		return ToCome
	case st.State == task.Waiting && (st.HeldUntil != 0 || silenced(silences, o.Ref, s.On)):
		return Suspended
	case !c.told(it.Record, st, s.On):
		return NotServed
	case st.State == task.Finished:
		return DoneLate
	}
	return Open
}

func silenced(silences []task.Silence, r task.Ref, d civil.Date) bool {
	_, ok := task.Silenced(silences, r, d)
	return ok
}

// told reports whether a letter about the item reached the unit by the day, or it was told by other means.
func (c *quarter) told(r task.Record, st task.Status, d civil.Date) bool {
	if st.Contacted != 0 {
		return true
	}
	return slices.ContainsFunc(r.Steps, func(f task.FiredStep) bool {
		on, served := c.Served[f.Notice]
		return f.Passed == "" && f.Role != BureauRole && f.Role != GovernmentRole && served && on <= d
	})
}

// rank gives the units their places by on-time rate; equal rates share one, and the next is as far down as there are units
// before it (1, 2, 2, 4). A unit of which nothing is counted has no place.
func (r *Rates) rank() {
	for i := range r.Units {
		u := &r.Units[i]
		if u.Rank = 0; u.Counted == 0 {
			continue
		}
		u.Rank = 1
		for _, v := range r.Units {
			if v.Counted > 0 && v.OnTime*u.Counted > u.OnTime*v.Counted {
				u.Rank++
			}
		}
	}
}

// tasks counts rows (项): one is done where every item of it in the span, the bureau's among them, is done or does not apply.
func (r *Rates) tasks(items []Item) {
	open, done, seen := map[task.TaskID]bool{}, map[task.TaskID]bool{}, map[task.TaskID]bool{}
	for _, it := range items {
		id := it.Record.Obligation.TaskID
		seen[id] = true
		switch it.State {
		case task.Finished:
			done[id] = true
		case task.Waiting, task.Answered:
			open[id] = true
		case task.Settled, task.Void, task.Dropped, task.Moved: // nothing of it is owed
		}
	}
	r.Tasks = len(seen)
	for id := range done {
		if !open[id] {
			r.TasksDone++
		}
	}
}
