package digest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/ladder"
	"duban/jobs/task"
	"duban/notify/notice"
)

// planNotice is how many days before a plan's end the bureau is told.
const planNotice = 60

// todo is 一、请今日处理.
func (b *book) todo() notice.Section {
	s := notice.Section{Heading: "请今日处理"}
	for _, lines := range [][]string{
		b.register(), b.review(), b.extensions(), b.drafts(), b.held(), b.addresses(), b.unreadable(), b.ambiguous(), b.confirmations(),
		b.conditions(), b.lost(), b.byHand(), b.ending(), b.plansEnding(),
	} {
		s.Lines = append(s.Lines, lines...)
	}
	b.sum.Todo = len(s.Lines)
	return s
}

// open are the items that a unit has to hand in and that are in one of the classes.
func (w *world) open(classes ...Class) []*item {
	var out []*item
	for _, it := range w.items {
		if it.delivers() && slices.Contains(classes, it.class) {
			out = append(out, it)
		}
	}
	return out
}

// register asks for the check of the register before what is urged, and drafted, on the next working day.
func (b *book) register() []string {
	var urged, unchecked, forms []*item
	for _, it := range b.items {
		switch soon := b.upNext(it); {
		case soon.unchecked:
			unchecked = append(unchecked, it)
		case soon.rung == ladder.Urging:
			urged = append(urged, it)
		case soon.rung == ladder.Form:
			forms = append(forms, it)
		}
	}
	b.announced = len(urged) + len(unchecked) + len(forms)
	var out []string
	for _, c := range []struct {
		items      []*item
		what, rest string
	}{
		{urged, "拟催办", "已通过其他渠道报送、已电话告知或需暂缓的，请在发出前登记；未登记的按期发出"},
		{unchecked, "拟首次催办", "请逐项与实际情况核对并登记核对结果；未经核对的不发出"},
		{forms, "拟起草督办通知单", "请确定发通知单、电话督促或延期；需暂缓的，请在起草前登记"},
	} {
		if len(c.items) > 0 {
			out = append(out, end(fmt.Sprintf("核对登记：%s%s%d项次（%s）。%s", b.onDay(b.next), c.what, len(c.items), b.byUnit(c.items), c.rest)))
		}
	}
	return out
}

// byUnit names the items of each unit together: 区甲局第1项、第2项；区乙局第1项.
func (b *book) byUnit(items []*item) string {
	var units []string
	of := map[string][]string{}
	for _, it := range items {
		name := it.unit.Name
		if of[name] == nil {
			units = append(units, name)
		}
		of[name] = append(of[name], b.what(it.Obligation))
	}
	for i, u := range units {
		units[i] = u + names(of[u], "项次")
	}
	if n := len(units) - lineCap; n > 0 {
		units = append(units[:lineCap], fmt.Sprintf("其余%d家见附件", n))
	}
	return strings.Join(units, "；")
}

// review asks for an answer to the reports that wait.
func (b *book) review() []string {
	items := b.open(Answered)
	if len(items) == 0 {
		return nil
	}
	longest, last := 0, civil.Never
	for _, it := range items {
		longest = max(longest, b.set.Calendar.Count(it.now.Reported, b.d))
		last = min(last, b.set.Calendar.Add(it.now.Reported, max(b.set.Terms.AcceptAfter, 0)))
	}
	s := fmt.Sprintf("待审核%d项次（%s），最长%d个工作日", len(items), b.namesOf(items), longest)
	if n := b.set.Terms.AcceptAfter; n > 0 {
		s += fmt.Sprintf("；报送后%d个工作日内未审核的视为认可，最早一批%s截止", n, b.short(last))
	}
	return []string{end(s)}
}

// extensions asks for an answer to each request.
func (b *book) extensions() []string {
	var out []string
	n := 0
	for _, it := range b.items {
		if it.now.Asked == 0 || it.now.State != task.Waiting || !it.delivers() {
			continue
		}
		if n++; n > lineCap {
			continue
		}
		to := "（未写明日期）"
		if it.now.AskedFor != 0 {
			to = "至" + b.short(it.now.AskedFor)
		}
		waited := "今日提出"
		if n := b.set.Calendar.Count(it.now.Asked, b.d); n > 0 {
			waited = fmt.Sprintf("%s提出，已%d个工作日", b.short(it.now.Asked), n)
		}
		out = append(out, fmt.Sprintf("%s申请延期%s：原时限%s，%s，待答复，其间暂停催办。", b.who(it), to, b.short(it.due()), waited))
	}
	if n > lineCap {
		out = append(out, fmt.Sprintf("另有延期申请%d项次待答复，见附件。", n-lineCap))
	}
	return out
}

// drafts asks for the release of the documents that are drafted.
func (b *book) drafts() []string {
	var out []string
	for _, kind := range []struct{ kind, word string }{
		{notice.SupervisionForm, "督办通知单"}, {notice.Report, "专报"}, {notice.Bulletin, "通报稿"},
	} {
		var about []string
		first := civil.Never
		for _, doc := range b.Documents {
			if doc.Kind != kind.kind || doc.Drafted > b.d || doc.State != notice.Drafted && (doc.State != notice.Issued || doc.Date <= b.d) {
				continue
			}
			first = min(first, doc.Drafted)
			about = append(about, b.aboutDocument(doc))
		}
		if len(about) > 0 {
			out = append(out, end(fmt.Sprintf("%s待签发%d件，最长%d个工作日：%s", kind.word, len(about), b.set.Calendar.Count(first, b.d), names(about, "件"))))
		}
	}
	return out
}

func (b *book) aboutDocument(doc notice.Document) string {
	name := b.unit[doc.Unit].Name
	if len(doc.Refs) == 1 {
		if ref, err := task.ParseRef(doc.Refs[0]); err == nil {
			for _, it := range b.byRow[ref.TaskID] {
				if it.Obligation.Ref == ref {
					return b.who(it)
				}
			}
			return cmp.Or(b.unit[ref.Unit].Name, name) + b.rowName(ref.TaskID)
		}
	}
	return cmp.Or(doc.Title, name)
}

// held asks for the letters that a person is to let go. What is drafted and not issued stands for itself, and so does a unit
// without an address.
func (b *book) held() []string {
	over, other, staff, formal := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	issued := map[string]bool{}
	for _, doc := range b.Documents {
		issued[doc.ID] = doc.State == notice.Issued && doc.Date <= b.d
	}
	for _, l := range b.letters() {
		if !l.Waits || l.State != notice.Held || l.Key.Date > b.d {
			continue
		}
		of := other
		switch l.Key.Kind {
		case notice.UnitLetter:
			if !reachable(b.unit[l.Key.Unit]) {
				continue
			}
			if limit := b.set.WeeklyCap; limit > 0 && b.lettersBefore(l) >= limit {
				of = over
			}
		case notice.PersonnelLetter, notice.PersonnelTotals:
			of = staff
		case notice.SupervisionForm, notice.Report, notice.Bulletin:
			if !issued[l.ID] {
				continue
			}
			of = formal
		case notice.BureauDigest:
			continue
		}
		of[l.Key.Unit]++
		if l.Key.Date > b.Last {
			b.waiting++
		}
	}
	return b.heldLines([]heldKind{
		{over, "超出每周来信上限、待放行", "请逐封放行，或电话告知后登记；未放行的，仍须告知的事项并入下周首个工作日来信"},
		{other, "来信待放行", "请核对后放行，或以其他方式告知后登记"},
		{staff, "人员管理提示待放行", "请核对收件人后放行，或当面送交"},
		{formal, "已编号公文待放行", "请核对所述情况后放行，或作废"},
	})
}

// heldKind are letters that wait for one reason, by reader, and what is asked about them.
type heldKind struct {
	of         map[string]int
	what, rest string
}

func (b *book) heldLines(kinds []heldKind) []string {
	var out []string
	for _, c := range kinds {
		n := 0
		var units []string
		for _, u := range slices.Sorted(maps.Keys(c.of)) {
			n += c.of[u]
			units = append(units, b.unitName(u))
		}
		if n > 0 {
			out = append(out, end(fmt.Sprintf("%s%d封（%s）。%s", c.what, n, names(units, "家"), c.rest)))
		}
	}
	return out
}

// lettersBefore is how many letters left for the unit in the letter's week before it, besides that of its first working day.
func (b *book) lettersBefore(held notice.Brief) int {
	n, first := 0, b.set.Calendar.WeekStart(held.Key.Date)
	for _, l := range b.letters() {
		if l.Key.Kind == notice.UnitLetter && l.Key.Unit == held.Key.Unit && l.Key.Date > first && l.Key.Date < held.Key.Date && goes(l.State) {
			n++
		}
	}
	return n
}

// addresses asks to mend what letters could not be delivered to: a unit whose last letters came back, or that has no
// address at all. The address itself stands in no digest.
func (b *book) addresses() []string {
	back, unsure := map[string]int{}, map[string]int{}
	nowhere := map[string]bool{}
	heard := b.lastServed()
	for _, l := range b.letters() {
		u := l.Key.Unit
		if l.Key.Date > b.d || l.Key.Kind == notice.BureauDigest || l.Key.Date <= heard[u] {
			continue
		}
		switch l.State {
		case notice.Failed:
			back[u]++
		case notice.Unknown:
			unsure[u]++
		case notice.Held:
			nowhere[u] = nowhere[u] || l.Key.Kind == notice.UnitLetter && !reachable(b.unit[u])
		case notice.Pending, notice.Sending, notice.Sent, notice.Recorded, notice.Retry, notice.Superseded, notice.Cancelled:
		}
	}
	var out []string
	for _, u := range slices.Sorted(maps.Keys(back)) {
		out = append(out, fmt.Sprintf("%s退信%d封，请核对联系人；可先电话告知并登记。", b.unitName(u), back[u]))
	}
	for _, u := range slices.Sorted(maps.Keys(unsure)) {
		out = append(out, fmt.Sprintf("%s有%d封来信是否送达不明，请电话核实并登记。", b.unitName(u), unsure[u]))
	}
	for _, u := range slices.Sorted(maps.Keys(nowhere)) {
		if nowhere[u] {
			out = append(out, fmt.Sprintf("%s尚无联络员邮箱，来信未能发出；请补登联络员，或电话告知后登记。", b.unitName(u)))
		}
	}
	return out
}

// letters are those that the steps at hand name and those of the week, each once, by day and ID.
func (w *world) letters() []notice.Brief {
	if w.sorted != nil {
		return w.sorted
	}
	all := maps.Clone(w.Outcomes)
	if all == nil {
		all = map[string]notice.Brief{}
	}
	for _, l := range w.Week {
		all[l.ID] = l
	}
	w.sorted = slices.SortedFunc(maps.Values(all), func(a, b notice.Brief) int {
		return cmp.Or(cmp.Compare(a.Key.Date, b.Key.Date), strings.Compare(a.ID, b.ID))
	})
	return w.sorted
}

// lastServed is the day of each unit's last letter that reached it.
func (w *world) lastServed() map[string]civil.Date {
	heard := map[string]civil.Date{}
	for _, l := range w.letters() {
		if _, ok := w.Served[l.ID]; ok || l.State == notice.Sent || l.State == notice.Recorded {
			heard[l.Key.Unit] = max(heard[l.Key.Unit], l.Key.Date)
		}
	}
	return heard
}

// unitName is what a reader is called: a unit, or the office that issues bulletins.
func (w *world) unitName(code string) string {
	if code == closing.GovernmentRole {
		return cmp.Or(w.set.Government.Short, w.set.Government.Name, "政府办公室")
	}
	return cmp.Or(w.unit[code].Name, lastVersion(w.Directory.Units, code, w.d).Name, code)
}

// rowsIn are the names of the rows for which f holds.
func (b *book) rowsIn(f func(task.Task) bool) []string {
	var out []string
	for _, t := range b.rows {
		if f(t) {
			out = append(out, b.rowName(t.TaskID))
		}
	}
	return out
}

func (b *book) classOfTask(c Class) func(task.Task) bool {
	return func(t task.Task) bool { return b.classOfRow(t) == c }
}

func (b *book) unreadable() []string {
	rows := b.rowsIn(b.classOfTask(Unreadable))
	if len(rows) == 0 {
		return nil
	}
	return []string{end(fmt.Sprintf("时限待核定%d项（%s），请核定完成时限；核定前不开立、不催办", len(rows), names(rows, "项")))}
}

// ambiguous asks for the reading of rows whose open items have two dates.
func (b *book) ambiguous() []string {
	open := map[task.TaskID]bool{}
	for _, it := range b.items {
		if it.twoDates() && it.now.Chased() && it.delivers() && it.inForce {
			open[it.Obligation.TaskID] = true
		}
	}
	rows := b.rowsIn(func(t task.Task) bool { return open[t.TaskID] })
	if len(rows) == 0 {
		return nil
	}
	return []string{end(fmt.Sprintf("时限有两种读法%d项（%s），请核定；核定前按较早的一种提醒，过较晚的一种才算超期，不拟督办通知单", len(rows), names(rows, "项")))}
}

// confirmations asks to confirm what was past when the plan was issued, or when the program was taken into use.
func (b *book) confirmations() []string {
	var out []string
	for _, c := range []struct {
		class Class
		word  string
	}{{PastAtIssue, "印发时已过时限"}, {Inherited, "系统启用前已到期"}} {
		items := b.open(c.class)
		if len(items) == 0 {
			continue
		}
		rows := map[task.TaskID]bool{}
		for _, it := range items {
			rows[it.Obligation.TaskID] = true
		}
		out = append(out, end(fmt.Sprintf("%s待确认%d项次（%d项：%s），请确认是否已办结；确认前不催办、不计超期",
			c.word, len(items), len(rows), names(b.rowsIn(func(t task.Task) bool { return rows[t.TaskID] }), "项"))))
	}
	return out
}

func (b *book) conditions() []string {
	rows := b.rowsIn(func(t task.Task) bool {
		return t.Reading.Understood && t.Reading.Condition != nil && !b.triggered[t.TaskID.String()] && t.Category != task.PerCase &&
			t.Category != task.Personnel && t.Category != task.Inspection
	})
	if len(rows) == 0 {
		return nil
	}
	return []string{end(fmt.Sprintf("条件未具备%d项（%s），条件具备后请登记日期，自登记之日起计时", len(rows), names(rows, "项")))}
}

// lost asks who answers now for what a unit owed that is no more.
func (b *book) lost() []string {
	items := b.open(Lost)
	if len(items) == 0 {
		return nil
	}
	return []string{end(fmt.Sprintf("责任单位已不在名册%d项次（%s），请登记移交或不适用", len(items), b.namesOf(items)))}
}

// byHand names what a person has to take up with organs that are not written to by machine.
func (b *book) byHand() []string {
	var late, near []*item
	for _, it := range b.open(ByHand) {
		switch {
		case b.d > it.due():
			late = append(late, it)
		case b.set.Calendar.Count(b.d, b.set.Calendar.OnOrBefore(it.due())) <= nearDays:
			near = append(near, it)
		}
	}
	var out []string
	if len(late) > 0 {
		out = append(out, end(fmt.Sprintf("由专人联系，已过时限%d项次：%s", len(late), names(b.withDates(late), "项次"))))
	}
	if len(near) > 0 {
		out = append(out, end(fmt.Sprintf("由专人联系，%d个工作日内到期%d项次：%s", nearDays, len(near), names(b.withDates(near), "项次"))))
	}
	return out
}

// nearDays is within how many working days something is near (黄).
const nearDays = 3

func (b *book) withDates(items []*item) []string {
	var out []string
	for _, it := range items {
		s := b.who(it) + "（" + b.short(it.due())
		if n := b.daysLate(it); b.d > it.due() {
			s += fmt.Sprintf("，已超%d个工作日", n)
		}
		out = append(out, s+"）")
	}
	return out
}

// ending names the silences and holds that end within the week.
func (b *book) ending() []string {
	sunday := monday(b.d) + 6
	var about []string
	for _, s := range b.silences {
		if s.On <= b.d && s.Until >= b.d && s.Until <= sunday {
			about = append(about, b.aboutSilence(s)+"至"+b.short(s.Until))
		}
	}
	for _, it := range b.items {
		if u := it.now.HeldUntil; it.now.Chased() && u >= b.d && u <= sunday {
			about = append(about, b.who(it)+"至"+b.short(u))
		}
	}
	if len(about) == 0 {
		return nil
	}
	return []string{end(fmt.Sprintf("本周到期的暂停、暂缓%d处（%s），期满后按登记恢复催办，请先核对", len(about), names(about, "处")))}
}

func (b *book) aboutSilence(s task.Silence) string {
	switch s.Scope {
	case task.OverUnit:
		return b.unitName(s.Subject)
	case task.OverPlan:
		if i, ok := b.planNo[s.Subject]; ok {
			return b.planTitle(i)
		}
	case task.OverObligation:
		if ref, err := task.ParseRef(s.Subject); err == nil {
			return b.unitName(ref.Unit) + b.rowName(ref.TaskID)
		}
	}
	return s.Subject
}

// plansEnding names the plans that end within sixty days.
func (b *book) plansEnding() []string {
	var out []string
	for i, p := range b.plans {
		if p.ValidTo >= b.d && p.ValidTo <= b.d+planNotice {
			out = append(out, fmt.Sprintf("%s有效期至%s，还有%d天；期满后不再开立新的期次，如需延续请登记。", b.planTitle(i), b.short(p.ValidTo), p.ValidTo-b.d))
		}
	}
	return out
}
