package closing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// State is how a return stood when its period was closed.
type State string

// The states of a return. Each return has one, so that they add up to what was due.
const (
	OnTime    State = "on-time"
	Late      State = "late"      // reported after its date, within the grace
	Missing   State = "missing"   // neither reported nor excused
	Extended  State = "extended"  // given a date that had not passed
	Asking    State = "asking"    // an extension was asked for by its date, and the bureau had not answered
	Returned  State = "returned"  // given back, with a date that had not passed
	NotDue    State = "not-due"   // the date moved, and had not passed
	Waived    State = "waived"    // 不适用
	Withdrawn State = "withdrawn" // the row left the plan
	Moved     State = "moved"     // another unit took it over
	// Informed and ByHand take the place of missing and late where the unit is only told of the row, or never written to by
	// duban: nobody urged it.
	Informed State = "informed"
	ByHand   State = "by-hand"
)

// states lists the states in the order in which papers name them.
func states() []State {
	return []State{OnTime, Late, Missing, Extended, Asking, Returned, NotDue, Informed, ByHand, Waived, Withdrawn, Moved}
}

// speech are the words of a duty that is returned, or of one whose number is to be reached.
type speech struct{ owed, done, onTime, late, missing string }

func (f Frozen) speech() speech {
	if f.quota() {
		return speech{"应完成", "已完成", "按时完成", "逾期完成", "未完成"}
	}
	return speech{"应报", "已报", "按时报送", "迟报", "未报"}
}

// words is the state as papers write it.
func (w speech) words(s State) string {
	switch s {
	case OnTime:
		return w.onTime
	case Late:
		return w.late
	case Missing:
		return w.missing
	case Extended:
		return "经批准延期"
	case Asking:
		return "延期申请待答复"
	case Returned:
		return "退回补正"
	case NotDue:
		return "时限未到"
	case Informed:
		return "仅知会"
	case ByHand:
		return "由专人联系"
	case Waived:
		return "不适用"
	case Withdrawn:
		return "已撤销"
	case Moved:
		return "已转其他单位"
	}
	return string(s)
}

// reported reports whether a return in the state has been handed in.
func (s State) reported() bool { return s == OnTime || s == Late }

// Return is one unit's return of one instance.
type Return struct {
	Unit string `json:"unit"`
	// Name is the unit's at the time.
	Name     string     `json:"name"`
	Instance string     `json:"instance"`
	State    State      `json:"state"`
	Due      civil.Date `json:"due"` // with what was granted
	Reported civil.Date `json:"reported,omitzero"`
	// Late is the number of working days after the date on which it was reported; of a missing one those gone by.
	Late int `json:"late,omitempty"`
	// Unanswered: the bureau had the report and had not answered yet.
	Unanswered bool `json:"unanswered,omitempty"`
	// Asked is the day on which an extension was asked for that waits for the bureau's answer, AskedFor the date it asks for,
	// where it names one. What is asked for after the date does not take the miss away.
	Asked    civil.Date `json:"asked,omitzero"`
	AskedFor civil.Date `json:"asked_for,omitzero"`
	// Nil marks a nil return; its figures are noughts.
	Nil bool `json:"nil,omitempty"`
	// Figures are those handed in, by field. A field that was left out is not in it, and counts as nought.
	Figures map[string]int64 `json:"figures,omitempty"`
	// Quota and Count are the number due and the number counted, where the duty is one of numbers.
	Quota int `json:"quota,omitempty"`
	Count int `json:"count,omitempty"`
}

// onDayOff reports whether a return counts as in time although it came after its date: no working day had gone by, but days
// off, or days on which the bureau had it.
func (r Return) onDayOff() bool { return r.State == OnTime && r.Reported > r.Due }

// byWorkdays is what papers say of such a return, so that its two dates do not contradict its state.
const byWorkdays = "按工作日计未超期"

// Counts are how many returns stood in each state. Due is their sum.
type Counts struct {
	Due       int `json:"due"`
	OnTime    int `json:"on_time"`
	Late      int `json:"late"`
	Missing   int `json:"missing"`
	Extended  int `json:"extended"`
	Asking    int `json:"asking"`
	Returned  int `json:"returned"`
	NotDue    int `json:"not_due"`
	Informed  int `json:"informed,omitempty"`
	ByHand    int `json:"by_hand,omitempty"`
	Waived    int `json:"waived"`
	Withdrawn int `json:"withdrawn"`
	Moved     int `json:"moved"`
	// Nil and Unanswered are of those reported.
	Nil        int `json:"nil"`
	Unanswered int `json:"unanswered"`
}

// Of returns how many returns stood in the state.
func (c Counts) Of(s State) int {
	if p := c.of(s); p != nil {
		return *p
	}
	return 0
}

func (c *Counts) of(s State) *int {
	switch s {
	case OnTime:
		return &c.OnTime
	case Late:
		return &c.Late
	case Missing:
		return &c.Missing
	case Extended:
		return &c.Extended
	case Asking:
		return &c.Asking
	case Returned:
		return &c.Returned
	case NotDue:
		return &c.NotDue
	case Informed:
		return &c.Informed
	case ByHand:
		return &c.ByHand
	case Waived:
		return &c.Waived
	case Withdrawn:
		return &c.Withdrawn
	case Moved:
		return &c.Moved
	}
	return nil
}

// Frozen are the figures of a closed period as they stood on the day. They are kept as JSON and never changed.
type Frozen struct {
	Title  string     `json:"title"` // of the row at the time
	Due    civil.Date `json:"due"`   // the last day on which a return was due
	AsOf   civil.Date `json:"as_of"` // the day of closing, or of the restatement
	Fields []string   `json:"fields,omitempty"`
	// Omissions: the duty asks what a unit did not do (未履职情况), so that a nil return says that there was no case.
	Omissions bool             `json:"omissions,omitempty"`
	Counts    Counts           `json:"counts"`
	Sums      map[string]int64 `json:"sums,omitempty"` // by field
	Returns   []Return         `json:"returns"`        // by unit and instance
}

// Encode writes the figures as JSON, the same figures always as the same text.
func (f Frozen) Encode() (string, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("write the figures of %s: %w", f.Title, err)
	}
	return string(b), nil
}

// Decode reads what Encode wrote.
func Decode(s string) (Frozen, error) {
	var f Frozen
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		return Frozen{}, fmt.Errorf("read frozen figures: %w; the row of the closing was changed by hand, restore it from a backup", err)
	}
	return f, nil
}

// freeze folds the returns of a period as of day d. Those that were past at issue or inherited are not among them, nor is
// the bureau's own: it does not write to itself what it owes (it reads it in its digest), nor return to itself what it gathers.
func freeze(t task.Task, p Period, records []task.Record, names names, bureau string, set planner.Settings, d civil.Date) Frozen {
	f := Frozen{Title: t.Title, Due: p.Due, AsOf: d, Fields: slices.Clone(t.Fields), Omissions: asksOmissions(t)}
	for _, r := range records {
		o := r.Obligation
		if o.TaskID != p.Task || !slices.Contains(p.Instances, o.Instance) || !owed(o, d) {
			continue
		}
		if o.Unit != bureau {
			f.Returns = append(f.Returns, returned(r, t, names, set, d))
		}
	}
	slices.SortFunc(f.Returns, func(a, b Return) int {
		return cmp.Or(strings.Compare(a.Unit, b.Unit), strings.Compare(a.Instance, b.Instance))
	})
	f.sum()
	return f
}

// asksOmissions reports whether a row's own words ask for what was not done: its title, deliverable or evidence.
func asksOmissions(t task.Task) bool {
	words := t.Title + "\n" + t.Deliverable + "\n" + t.Evidence
	return slices.ContainsFunc([]string{"未履职", "未履行", "未行使", "零报告"}, func(w string) bool { return strings.Contains(words, w) })
}

// owed reports whether an obligation is a return that was owed.
func owed(o task.Obligation, d civil.Date) bool {
	return o.Owes == task.OwesDeliver && !o.PastAtIssue && !o.Inherited && o.Opened <= d
}

func (f *Frozen) sum() {
	f.Counts, f.Sums = Counts{}, nil
	if len(f.Fields) > 0 {
		f.Sums = map[string]int64{}
	}
	for _, name := range f.Fields {
		f.Sums[name] = 0
	}
	for _, r := range f.Returns {
		f.Counts.Due++
		*f.Counts.of(r.State)++
		if r.Nil && r.State.reported() {
			f.Counts.Nil++
		}
		if r.Unanswered && r.State.reported() {
			f.Counts.Unanswered++
		}
		for name, n := range r.Figures {
			f.Sums[name] += n
		}
	}
}

// returned is one return as of day d.
func returned(r task.Record, t task.Task, names names, set planner.Settings, d civil.Date) Return {
	o := r.Obligation
	st := task.Fold(o, r.Events, d, set.Calendar, set.Terms)
	out := Return{
		Unit: o.Unit, Name: names.of(o.Unit), Instance: o.Instance, Due: max(st.Effective, st.Assess),
		Quota: o.Quota, Count: st.Count,
	}
	out.State = stateOf(st, d)
	switch out.State {
	case OnTime, Late:
		out.Reported, out.Unanswered, out.Nil = st.Reported, st.State == task.Answered, st.Nil
		out.Late = lateness(st, set)
		out.Figures = figures(st, t.Fields)
		if out.Late > 0 {
			out.State = Late
		}
	case Missing:
		out.Late = set.Calendar.Count(out.Due, d)
		out.Asked, out.AskedFor = st.Asked, st.AskedFor
	case Asking:
		out.Asked, out.AskedFor = st.Asked, st.AskedFor
	case Extended, Returned, NotDue, Informed, ByHand, Waived, Withdrawn, Moved:
	}
	if out.State == Late || out.State == Missing {
		switch planner.Chase(t, names[o.Unit]) {
		case task.ChaseCourtesy:
			out.State, out.Late = Informed, 0
		case task.ChaseManual, task.ChaseNone:
			out.State, out.Late = ByHand, 0
		case task.ChaseLetter:
		}
	}
	return out
}

// stateOf places a status; whether what was reported was late is left to lateness.
func stateOf(st task.Status, d civil.Date) State {
	switch st.State {
	case task.Answered, task.Finished:
		return OnTime
	case task.Void, task.Settled:
		return Waived
	case task.Dropped:
		return Withdrawn
	case task.Moved:
		return Moved
	case task.Waiting:
	}
	switch ahead := max(st.Effective, st.Assess) >= d; {
	case st.Extended && ahead:
		return Extended
	case askedInTime(st):
		return Asking
	case st.Returned && ahead:
		return Returned
	case ahead:
		return NotDue
	}
	return Missing
}

// askedInTime reports whether an extension waits for its answer that was asked for by the date. One asked for later is judged
// by the date that stands.
func askedInTime(st task.Status) bool {
	return st.Asked != 0 && st.Asked <= max(st.Effective, st.Assess)
}

// lateness is the number of working days from the assess date to the report, less those the bureau had it: the fold's rule,
// for a report that waits for its answer as well.
func lateness(st task.Status, set planner.Settings) int {
	return max(0, set.Calendar.Count(st.Assess, st.Reported)-st.Waited)
}

// figures are the fields that the report filled in; a nil return fills in all of them with nought.
func figures(st task.Status, fields []string) map[string]int64 {
	if len(fields) == 0 {
		return nil
	}
	out := map[string]int64{}
	for _, name := range fields {
		n, ok := st.Figures[name]
		if st.Nil {
			n, ok = 0, true
		}
		if ok {
			out[name] = n
		}
	}
	return out
}

// names are the units as they stood on a day; one that is gone stands as it did last.
type names map[string]task.Unit

func namesAsOf(dir task.Directory, d civil.Date) names {
	out := names{}
	for _, u := range dir.Units {
		old, ok := out[u.Code]
		if u.On <= d && (!ok || u.On > old.On || u.On == old.On && u.Seq > old.Seq) {
			out[u.Code] = u
		}
	}
	return out
}

func (n names) of(code string) string { return cmp.Or(n[code].Name, code) }
