package closing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
)

// Change is one difference between the frozen figures of a period and those of a later day.
type Change struct {
	Unit, Name string
	// Instance tells the returns of one unit apart, where it owed several.
	Instance string
	// Field is the figure that changed, with its values; empty: the state did, with its words.
	Field    string
	Old, New int64
	From, To string
	// LateIssue: what was missing when the period was frozen has been handed in since (补报).
	LateIssue bool
	// First: there was no return when the period was frozen, so that Old is no figure of it. Gone: there is none any more,
	// and New is no figure of it.
	First, Gone bool
}

// Compare lists what differs between two states of the same period, by unit, instance and field. That the bureau has
// answered a report since, or that a missing one is missing for longer, is no difference.
func Compare(before, now Frozen) []Change {
	type key struct{ unit, instance string }
	old := map[key]Return{}
	for _, r := range before.Returns {
		old[key{r.Unit, r.Instance}] = r
	}
	var out []Change
	for _, r := range now.Returns {
		k := key{r.Unit, r.Instance}
		was, ok := old[k]
		delete(old, k)
		if !ok {
			was = Return{Unit: r.Unit, Name: r.Name, Instance: r.Instance}
		}
		out = append(out, difference(was, r, before.AsOf, now)...)
	}
	for _, was := range old { // sorted below
		gone := Return{Unit: was.Unit, Name: was.Name, Instance: was.Instance}
		out = append(out, difference(was, gone, before.AsOf, now)...)
	}
	slices.SortStableFunc(out, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Unit, b.Unit), strings.Compare(a.Instance, b.Instance),
			cmp.Compare(slices.Index(now.Fields, a.Field), slices.Index(now.Fields, b.Field)))
	})
	return out
}

// difference compares one return with what it was when the period was frozen.
func difference(was, now Return, frozen civil.Date, of Frozen) []Change {
	w := of.speech()
	base := Change{Unit: now.Unit, Name: now.Name, Instance: now.Instance}
	base.First, base.Gone = now.State.reported() && !was.State.reported(), was.State.reported() && !now.State.reported()
	base.LateIssue = base.First && now.Reported > frozen
	var out []Change
	if was.State != now.State || now.State == Late && was.Late != now.Late || now.Nil != was.Nil {
		c := base
		c.From, c.To = w.stands(was, false), w.stands(now, base.LateIssue)
		out = append(out, c)
	}
	if was.Count != now.Count {
		c := base
		c.Field, c.Old, c.New = counted, int64(was.Count), int64(now.Count)
		out = append(out, c)
	}
	for _, name := range of.Fields {
		_, told := now.Figures[name]
		if news := base.First && told && !now.Nil; was.Figures[name] == now.Figures[name] && !news {
			continue
		}
		c := base
		c.Field, c.Old, c.New = name, was.Figures[name], now.Figures[name]
		out = append(out, c)
	}
	return out
}

// stands is a return's state in words: 迟报2个工作日（6月27日报送）.
func (w speech) stands(r Return, lateIssue bool) string {
	switch {
	case r.State == "":
		return "未列入"
	case r.State.reported():
		word := w.words(r.State)
		if r.Late > 0 {
			word = fmt.Sprintf("%s%d个工作日", w.late, r.Late)
		}
		if lateIssue {
			word = "补报，" + word
		}
		about := monthDay(r.Reported)
		if w.owed == "应报" {
			about += "报送"
		}
		if r.Nil {
			about += "，零报告"
		}
		if r.onDayOff() {
			about += "，" + byWorkdays
		}
		return word + "（" + about + "）"
	case r.State == Extended || r.State == Returned || r.State == NotDue:
		return w.words(r.State) + "至" + monthDay(r.Due)
	}
	return w.words(r.State)
}
