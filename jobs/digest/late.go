package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// reached says whether a unit was told that an item is late.
type reached int

const (
	mute    reached = iota // it is not urged: only progress was asked for
	toUrge                 // it is urged yet
	served                 // it was urged in a letter that reached it, or told by other means
	unheard                // it was urged in letters that did not reach it
)

// told is what was said about an item in its present arm.
type told struct {
	reached  reached
	reminded []string // days, or what became of the letter
	urged    []string
	// lastUrged is the day of the last urging, firstServed that on which the first urging reached the unit.
	lastUrged, firstServed civil.Date
	urgings                int
	today                  bool   // urged in today's letter
	heard                  bool   // some letter about it reached the unit, or the unit was told by other means
	contact                string // 9月25日电话
}

// told reads what was said about an item up to the digest's day, and what became of it.
func (w *world) told(it *item) (t told) {
	steps := slices.Clone(it.Steps)
	slices.SortStableFunc(steps, func(a, b task.FiredStep) int { return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.N, b.N)) })
	lost := false
	for _, f := range steps {
		if f.Arm != it.now.Arm || f.On > w.d {
			continue
		}
		rung := planner.RungOf(&w.all, it.Obligation.Kind, f)
		if rung == ladder.Urging {
			t.urgings++
		}
		if f.Passed != "" || rung != ladder.Urging && rung != ladder.Reminder {
			continue
		}
		word, day, gone := w.fate(it, f)
		if word == "" {
			continue
		}
		t.heard = t.heard || day != 0
		if rung == ladder.Reminder {
			t.reminded = appendNew(t.reminded, word)
			continue
		}
		t.urged = appendNew(t.urged, word)
		t.lastUrged = max(t.lastUrged, f.On)
		t.today = t.today || f.On == w.d
		switch {
		case day != 0 && t.firstServed == 0:
			t.firstServed = day
		case gone && f.On < w.d:
			lost = true
		}
	}
	t.heard = t.heard || it.now.Contacted != 0
	if it.now.Contacted > it.due() && it.now.Contacted >= it.now.Since {
		t.contact = w.short(it.now.Contacted) + w.contactedBy(it)
		if t.firstServed == 0 {
			t.firstServed = it.now.Contacted
		}
	}
	switch {
	case t.firstServed != 0:
		t.reached = served
	case lost:
		t.reached = unheard
	case it.task.Deliverable == "":
		t.reached = mute
	default:
		t.reached = toUrge
	}
	return t
}

// fate is what became of the letter that said a step: the day it reached its reader, or why it did not; gone says that it
// will not reach him by itself any more. The word is empty where a later letter took it over.
func (w *world) fate(it *item, f task.FiredStep) (word string, day civil.Date, gone bool) {
	if day, ok := w.Served[f.Notice]; ok && day <= w.d {
		return w.dot(day), day, false
	}
	letter, known := w.Outcomes[f.Notice]
	switch {
	case known && (letter.State == notice.Superseded || letter.State == notice.Cancelled):
		return "", 0, false
	case known && letter.State == notice.Failed:
		return "退信", 0, true
	case known && letter.State == notice.Unknown:
		return w.dot(f.On) + "送达不明", 0, true
	case known && letter.State == notice.Held:
		return w.dot(f.On) + "未发出", 0, !reachable(it.unit)
	case f.On == w.d:
		return "今日", 0, false
	case known && (letter.State == notice.Sent || letter.State == notice.Recorded):
		return w.dot(f.On), f.On, false
	}
	return w.dot(f.On) + "待发", 0, false
}

// reachable reports whether the unit has a liaison with an address.
func reachable(u task.Unit) bool {
	c, ok := u.Contact(task.Liaison)
	return ok && c.Email != ""
}

func (w *world) contactedBy(it *item) string {
	by := ""
	for _, e := range task.InForce(it.Events, w.d) {
		if e.Kind == task.Contacted {
			by = how(e.Ref)
		}
	}
	return by
}

func appendNew(all []string, s string) []string {
	if slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}

// words is the column 送达.
func (t told) words() string {
	var s string
	switch {
	case t.reached == mute:
		s = "不催办"
	case t.reached == served && t.contact != "" && len(t.urged) == 0:
		return t.contact + "告知"
	case t.reached == served:
		s = "已送达"
	case t.reached == unheard:
		s = "未送达"
	case t.today:
		s = "今日发出"
	default:
		s = "待催办"
	}
	if t.contact != "" {
		s += "，" + t.contact
	}
	return s
}

// step is a day of the ladder to come.
type step struct {
	on   civil.Date
	rung ladder.Rung
}

// soon is what the next working day brings for an item if nothing is recorded until then.
type soon struct {
	rung ladder.Rung // Urging or Form; empty: nothing
	// unchecked: the urging waits for nothing but the check of the register.
	unchecked bool
}

// upNext decides about an item that will be late on the next working day as planning will.
func (w *world) upNext(it *item) soon {
	if it.soon != nil {
		return *it.soon
	}
	it.soon = &soon{}
	if !it.delivers() || !it.known || !it.inForce || it.Obligation.Unit == w.Jurisdiction.Bureau || !it.now.Chased() || w.next <= it.due() {
		return soon{}
	}
	c := planner.Case{
		Jurisdiction: w.Jurisdiction, Record: it.Record, Task: *it.task, Unit: it.unit, Bureau: w.unit[w.Jurisdiction.Bureau],
		Plan: w.plans[w.planNo[it.task.Plan]], Silences: w.silences, Served: w.Served,
		History: w.history[duty{it.Obligation.TaskID, it.Obligation.Unit}], Letters: w.letterCount[it.Obligation.Unit],
	}
	if w.set.Confirm {
		if st, _, ok := planner.Announce(c, w.all, w.d); ok && st.Rung == ladder.Urging && it.now.Checked <= it.due() && len(w.told(it).urged) == 0 {
			*it.soon = soon{ladder.Urging, true}
			return *it.soon
		}
	}
	for _, s := range planner.Decide(c, w.all, w.next).Steps {
		if s.State == planner.StepToday && (s.Rung == ladder.Urging || s.Rung == ladder.Form) {
			it.soon.rung = s.Rung
		}
	}
	return *it.soon
}

// coming is the next step of an item that is late, or why there is none for the time being. The first that holds counts.
func (w *world) coming(it *item, t told) string {
	today := ""
	if t.today {
		today = "今日催办；"
	}
	next := w.upNext(it)
	if why := w.waits(it, t); why != "" && next.rung == "" {
		return today + why
	}
	if next.unchecked {
		return "待核对登记，核对后催办"
	}
	st, ok := step{w.next, next.rung}, next.rung != ""
	if !ok {
		st, ok = w.unsaid(it, t)
	}
	if !ok {
		return today + w.after(it)
	}
	if st.on == w.next && next.rung == "" {
		return today + w.stays(it, st)
	}
	return today + w.stepWords(st, t)
}

// stays says what keeps back a step whose day the next working day would be.
func (w *world) stays(it *item, st step) string {
	switch limit := w.set.WeeklyCap; {
	case st.rung == ladder.Form && w.set.Calendar.Provisional(it.due(), w.d):
		return "放假安排未公布，暂不拟督办通知单"
	case st.rung == ladder.Form:
		return "催办送达满4个工作日后可拟督办通知单"
	case limit > 0 && w.letterCount[it.Obligation.Unit] >= limit:
		return "本周来信已达上限，下周催办"
	}
	return "待核实后催办"
}

// waits says in Chinese what keeps an item from being urged.
func (w *world) waits(it *item, t told) string {
	if it.now.Asked != 0 {
		return "延期待答复，暂停"
	}
	if s, ok := w.silenced(it); ok {
		return "暂停催办至" + w.short(s.Until) + inBrackets(s.Why)
	}
	if it.now.HeldUntil != 0 {
		return "暂缓至" + w.short(it.now.HeldUntil) + inBrackets(it.now.HeldWhy)
	}
	if s := w.formWords(it); s != "" {
		return s
	}
	if it.task.Deliverable == "" {
		return "只请报进展，不催办"
	}
	if t.reached == unheard && !t.today {
		return "不升级，核对联系人并转电话"
	}
	return ""
}

// formWords says how far the form about an item got.
func (w *world) formWords(it *item) string {
	s := ""
	for _, doc := range w.forms[it.ref()] {
		if doc.Kind != notice.SupervisionForm || doc.Drafted > w.d || doc.Matter != "" && doc.Matter != notice.MatterOf(it.ref(), it.now.Arm) {
			continue
		}
		switch {
		case doc.State == notice.Issued && doc.Date <= w.d:
			s = "督办通知单已印发" + inBrackets(doc.Number)
		case doc.State == notice.Drafted || doc.State == notice.Issued:
			s = "督办通知单待签发"
		}
	}
	return s
}

// unsaid is the next urging or form of the item's ladder: the latest of those whose day has come by the next working day,
// else the first to come. A contact stands in for the first urging; a second leaves three working days after the one
// before, and a form four after an urging was served.
func (w *world) unsaid(it *item, t told) (step, bool) {
	var due, later ladder.Step
	first := true
	for _, st := range w.set.Ladder.Steps(w.subject(it), w.set.Calendar) {
		if st.Rung != ladder.Urging && st.Rung != ladder.Form || st.OnlyMisses {
			continue
		}
		skip := first && st.Rung == ladder.Urging && t.urgings == 0 && t.contact != ""
		first = first && st.Rung != ladder.Urging
		switch {
		case skip || w.said(it, st.Step) || it.twoDates() && st.Rung == ladder.Form:
		case st.On <= w.next:
			due = st
		case later.Step == "":
			later = st
		}
	}
	st := due
	if st.Step == "" {
		st = later
	}
	if st.Step == "" {
		return step{}, false
	}
	on := max(st.On, w.next)
	if st.Rung == ladder.Urging && t.lastUrged != 0 {
		on = max(on, w.set.Calendar.Add(t.lastUrged, urgingGap))
	}
	if st.Rung == ladder.Form {
		since := cmp.Or(t.firstServed, w.next)
		on = max(on, w.set.Calendar.Add(since, formGap))
	}
	return step{on, st.Rung}, true
}

// What due process asks for, in working days: between two urgings, and from an urging that was served to a form.
const (
	urgingGap = 3
	formGap   = 4
)

func (w *world) subject(it *item) ladder.Subject {
	return ladder.Subject{Obligation: it.Obligation, Status: it.now, Deliverable: it.task.Deliverable != "", Chase: it.chase}
}

func (w *world) said(it *item, code string) bool {
	return slices.ContainsFunc(it.Steps, func(f task.FiredStep) bool {
		return f.Arm == it.now.Arm && f.Step == code && f.On <= w.d
	})
}

func (w *world) stepWords(st step, t told) string {
	switch {
	case st.rung == ladder.Form:
		return w.short(st.on) + "拟督办通知单"
	case len(t.urged) > 0:
		return w.short(st.on) + "再次催办"
	}
	return w.short(st.on) + "催办"
}

// after is what becomes of an item that is late when everything was said about it.
func (w *world) after(it *item) string {
	switch it.Obligation.Kind {
	case task.Weekly, task.Monthly:
		return "列入月汇总未报"
	case task.Clock:
		return "电话核实"
	case task.Milestone, task.Condition, task.Quarterly, task.HalfYearly, task.Yearly, task.Quota:
	}
	return "列入季度通报稿"
}

// lates are the items that are late, by unit: the unit with the worst first, and within it the worst first.
func (w *world) lates() []*item {
	worst := map[string]int{}
	var late []*item
	for _, it := range w.items {
		if it.delivers() && it.class == Overdue {
			late = append(late, it)
			worst[it.unit.Code] = max(worst[it.unit.Code], w.daysLate(it))
		}
	}
	slices.SortStableFunc(late, func(a, b *item) int {
		return cmp.Or(
			cmp.Compare(worst[b.unit.Code], worst[a.unit.Code]), strings.Compare(a.unit.Code, b.unit.Code),
			cmp.Compare(w.daysLate(b), w.daysLate(a)),
		)
	})
	return late
}

// daysLate is the number of working days since the item was due. On the first days off after it, it is 0.
func (w *world) daysLate(it *item) int { return w.set.Calendar.Count(it.due(), w.d) }

// late is 二、谁超期、是否已告知.
func (b *book) late() notice.Section {
	late := b.lates()
	b.sum.Overdue = len(late)
	units := map[string][]reached{}
	t := &notice.Table{Columns: []notice.Column{
		{Name: "单位"}, {Name: "项"}, {Name: "超期工作日", Numeric: true}, {Name: "提醒"}, {Name: "催办"}, {Name: "送达"}, {Name: "下一步"},
	}}
	for i, it := range late {
		said := b.told(it)
		units[it.unit.Code] = append(units[it.unit.Code], said.reached)
		if i < tableRows {
			t.Rows = append(t.Rows, b.lateRow(it, said))
		}
	}
	b.sum.Units = len(units)
	for _, all := range units {
		switch {
		case slices.Contains(all, unheard):
			b.sum.Untold++
		case slices.Contains(all, served):
			b.sum.Told++
		case slices.Contains(all, toUrge):
			b.sum.Due++
		default:
			b.sum.Mute++
		}
	}
	s := notice.Section{Heading: "谁超期、是否已告知"}
	if len(late) > 0 {
		s.Paras = []string{end(fmt.Sprintf("超期%d项次，涉及%d家：%s", len(late), len(units), b.reachedWords()))}
		s.Table = t
	}
	if n := len(late) - tableRows; n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("其余%d项次见附件“项次”表。", n))
	}
	if len(b.plans) > 1 && len(late) > 0 {
		s.Notes = append(s.Notes, "项号前的数字为方案序号，见“总体”。")
	}
	return s
}

func (b *book) lateRow(it *item, t told) []notice.Cell {
	heard := notice.Cell{Text: t.words()}
	if t.reached == unheard {
		heard.Tone = notice.Red
	}
	return []notice.Cell{
		{Text: it.unit.Name, Tone: notice.Strong}, {Text: b.mark(it.Obligation)}, {N: int64(b.daysLate(it)), Tone: notice.Red},
		{Text: lastTwo(t.reminded)}, {Text: lastTwo(t.urged)}, heard, {Text: b.coming(it, t)},
	}
}

// lastTwo keeps a column of the text narrow; the workbook has all.
func lastTwo(words []string) string { return dash(strings.Join(words[max(0, len(words)-2):], "、")) }

func dash(s string) string { return cmp.Or(s, "—") }

// reachedWords counts the units that were told and those that were not.
func (b *book) reachedWords() string {
	var out []string
	for _, c := range []struct {
		n    int
		word string
	}{{b.sum.Told, "已送达"}, {b.sum.Untold, "未送达"}, {b.sum.Due, "待催办"}, {b.sum.Mute, "不催办"}} {
		if c.n > 0 {
			out = append(out, fmt.Sprintf("%d家%s", c.n, c.word))
		}
	}
	return strings.Join(out, "，")
}

// subject is the mail's: what to do and who is late, within its first twenty characters.
func (b *book) subject() string {
	s := "【督办日报" + b.short(b.d) + "】"
	if b.sum.Todo > 0 {
		s += fmt.Sprintf("请处理%d件；", b.sum.Todo)
	} else {
		s += "无待办；"
	}
	if b.sum.Overdue == 0 {
		return s + "无超期"
	}
	return s + fmt.Sprintf("超期%d项次、%d家，%s", b.sum.Overdue, b.sum.Units, b.reachedWords())
}

// sub says who keeps the figures, and until when.
func (b *book) sub() string {
	office := b.unit[b.Jurisdiction.Bureau].Name + b.set.Issuer.Office
	if office != "" {
		office += "，"
	}
	return office + "数据截至" + b.d.Chinese()
}
