package digest

import (
	"fmt"
	"maps"
	"slices"

	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// A change of an item since the last digest. Some follow from the passing of days, the others from what was recorded: an
// entry typed in late counts from its own day, and is a change all the same.
type change struct {
	word string
	is   func(w *world, it *item) bool
}

// changesOf are the changes, in the order in which they are told.
func changesOf() []change {
	return []change{
		{"新增超期", func(_ *world, it *item) bool { return it.delivers() && it.class == Overdue && it.was != Overdue }},
		{"办结", func(_ *world, it *item) bool {
			return it.now.State == task.Finished && !it.now.ByDefault && it.before.State != task.Finished
		}},
		{"未在期限内审核、视为认可", func(_ *world, it *item) bool {
			return it.now.State == task.Finished && it.now.ByDefault && it.before.State != task.Finished
		}},
		{"新报送", func(_ *world, it *item) bool {
			return it.now.State == task.Answered && (it.before.State != task.Answered || it.before.Reported != it.now.Reported)
		}},
		{"退回重报", recorded(task.Returned)},
		{"新申请延期", func(_ *world, it *item) bool { return it.now.Asked != 0 && it.before.Asked != it.now.Asked }},
		{"准予延期", recorded(task.ExtensionGranted)},
		{"未准延期", recorded(task.ExtensionRefused)},
		{"以其他方式告知", recorded(task.Contacted)},
		{"暂缓催办", recorded(task.HeldBack)},
		{"恢复催办", func(w *world, it *item) bool { return recorded(task.LetGo)(w, it) || recorded(task.Reopened)(w, it) }},
		{"调整时限", recorded(task.Redated)},
		{"确认", func(_ *world, it *item) bool { return it.now.State == task.Settled && it.before.State != task.Settled }},
		{"不适用", func(_ *world, it *item) bool { return it.now.State == task.Void && it.before.State != task.Void }},
		{"责任单位撤并", func(_ *world, it *item) bool { return it.class == Lost && it.was != Lost }},
		{"移交或撤销", func(_ *world, it *item) bool { return it.class == Gone && it.was != Gone }},
		{"更正登记", func(w *world, it *item) bool {
			return slices.ContainsFunc(it.Events, func(e task.Event) bool { return e.Kind == task.Corrected && w.fresh(e.On, e.Seq) })
		}},
		{"更正填报数据", recorded(task.Revised)},
		{"催办", func(w *world, it *item) bool {
			return slices.ContainsFunc(it.Steps, func(f task.FiredStep) bool {
				return f.Passed == "" && f.On > w.Last && f.On <= w.d && planner.RungOf(&w.all, it.Obligation.Kind, f) == ladder.Urging
			})
		}},
	}
}

// recorded reports whether such an event is new.
func recorded(kind task.EventKind) func(*world, *item) bool {
	return func(w *world, it *item) bool {
		is := func(e task.Event) bool { return e.Kind == kind && w.fresh(e.On, e.Seq) }
		return slices.ContainsFunc(it.Events, is) && slices.ContainsFunc(task.InForce(it.Events, w.d), is)
	}
}

// changes is 三、较上期变化. It fills b.changed. The first digest compares itself with nothing.
func (b *book) changes() notice.Section {
	s := notice.Section{Heading: "较上期（" + b.short(b.Last) + "）变化"}
	if b.Last == 0 {
		return notice.Section{}
	}
	for _, c := range changesOf() {
		var items []*item
		for _, it := range slices.Concat(b.items, b.named) {
			if it.delivers() && c.is(b.world, it) && (it.had || c.word != "移交或撤销") {
				items = append(items, it)
			}
		}
		if len(items) > 0 {
			b.change(&s, fmt.Sprintf("%s%d项次：%s", c.word, len(items), b.namesOf(items)))
		}
	}
	b.letterChanges(&s)
	b.formChanges(&s)
	b.sourceChanges(&s)
	if len(b.changed) == 0 {
		s.Paras = []string{"无变化。"}
	}
	return s
}

func (b *book) change(s *notice.Section, line string) {
	b.changed = append(b.changed, line)
	s.Lines = append(s.Lines, end(line))
}

// letterChanges tells of letters that came back. Those of the last digest's own day left after it was written.
func (b *book) letterChanges(s *notice.Section) {
	n := map[string]int{}
	total := 0
	for _, l := range b.letters() {
		if l.State == notice.Failed && l.Key.Date >= b.Last && l.Key.Date < b.d && l.Key.Kind != notice.BureauDigest {
			n[l.Key.Unit]++
			total++
		}
	}
	var units []string
	for _, u := range slices.Sorted(maps.Keys(n)) {
		units = append(units, b.unitName(u))
	}
	if total > 0 {
		b.change(s, fmt.Sprintf("退信%d封：%s", total, names(units, "家")))
	}
}

// formChanges tells of documents drafted, issued and voided since the last digest. One that was handed over on paper before
// it and recorded after it is told of; so is one that was drafted and issued since, once.
func (b *book) formChanges(s *notice.Section) {
	var drafted, issued, voided []string
	for _, doc := range b.Documents {
		name := b.aboutDocument(doc)
		switch {
		case doc.State == notice.Voided && b.LastSeq != 0 && doc.Seq > b.LastSeq:
			voided = append(voided, name+doc.Number)
		case doc.State == notice.Issued && b.fresh(doc.Date, doc.Seq):
			issued = append(issued, name+doc.Number)
		case doc.Drafted > b.Last && doc.Drafted <= b.d && (doc.State == notice.Drafted || doc.State == notice.Issued):
			drafted = append(drafted, name)
		}
	}
	if len(drafted) > 0 {
		b.change(s, fmt.Sprintf("新拟公文%d件：%s", len(drafted), names(drafted, "件")))
	}
	if len(issued) > 0 {
		b.change(s, fmt.Sprintf("印发公文%d件：%s", len(issued), names(issued, "件")))
	}
	if len(voided) > 0 {
		b.change(s, fmt.Sprintf("作废公文%d件：%s", len(voided), names(voided, "件")))
	}
}

// sourceChanges tells of new items, of rows that were entered or edited, of conditions that were met and of silences.
func (b *book) sourceChanges(s *notice.Section) {
	opened := 0
	for _, it := range b.items {
		if it.delivers() && !it.had {
			opened++
		}
	}
	if opened > 0 {
		b.change(s, fmt.Sprintf("新开立%d项次", opened))
	}
	if rows := b.rowsIn(func(t task.Task) bool { return b.fresh(t.On, t.Seq) }); len(rows) > 0 {
		b.change(s, fmt.Sprintf("台账新增或修改%d项：%s", len(rows), names(rows, "项")))
	}
	met := map[string]bool{}
	for _, e := range task.InForce(b.TaskEvents, b.d) {
		met[e.Subject] = met[e.Subject] || e.Kind == task.Triggered && b.fresh(e.On, e.Seq)
	}
	if rows := b.rowsIn(func(t task.Task) bool { return met[t.TaskID.String()] }); len(rows) > 0 {
		b.change(s, fmt.Sprintf("条件具备或新发生事件%d项：%s", len(rows), names(rows, "项")))
	}
	b.silenceChanges(s)
}

// silenceChanges tells of silences that began, and of those that were lifted or ran out.
func (b *book) silenceChanges(s *notice.Section) {
	var began, ended []string
	lifted := map[int64]bool{}
	for _, q := range b.Silences {
		lifted[q.Lifts] = lifted[q.Lifts] || q.Lifts != 0 && q.On <= b.d
	}
	for _, q := range b.Silences {
		switch {
		case q.Lifts != 0 && b.fresh(q.On, q.Seq), q.Lifts == 0 && !lifted[q.Seq] && q.Until >= b.Last && q.Until < b.d:
			ended = append(ended, b.aboutSilence(q))
		case q.Lifts == 0 && b.fresh(q.On, q.Seq):
			began = append(began, b.aboutSilence(q))
		}
	}
	if len(began) > 0 {
		b.change(s, fmt.Sprintf("暂停催办%d处：%s", len(began), names(began, "处")))
	}
	if len(ended) > 0 {
		b.change(s, fmt.Sprintf("暂停期满或解除%d处：%s", len(ended), names(ended, "处")))
	}
}
