package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// tone colours a word. The word itself always says the same, so that nothing rests on colour alone.
type tone string

const (
	plain  tone = ""
	strong tone = "strong"
	red    tone = "red"    // 超期
	yellow tone = "yellow" // 临近: three working days or fewer, or behind pace
	green  tone = "green"  // in time
)

// near is the number of working days from which on a date counts as near.
const near = 3

// span is a piece of a line with its tone; a phrase is a line.
type span struct {
	Text string
	Tone tone
}

type phrase []span

// say is a phrase without any tone.
func say(s string) phrase {
	if s == "" {
		return nil
	}
	return phrase{{Text: s}}
}

func (p phrase) String() string {
	var b strings.Builder
	for _, s := range p {
		b.WriteString(s.Text)
	}
	return b.String()
}

// joined strings the phrases that are not empty together.
func joined(sep string, ps ...phrase) phrase {
	n := 0
	for _, p := range ps {
		n += len(p) + 1
	}
	out := make(phrase, 0, n)
	for _, p := range ps {
		if len(p) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, span{Text: sep})
		}
		out = append(out, p...)
	}
	return out
}

// line is one numbered item of a letter, in pieces: the running text joins them, a table sets them in columns.
type line struct {
	No   int
	Name phrase // 第56项 典型案例报送
	Due  phrase // 时限9月13日（原文“……”）
	Days phrase // 超8个工作日
	Owed phrase // 需报案例1篇
	Past phrase // 9月10日已提醒
	// Under is set where a heading above says the date: running text then leaves it out, and puts Notes, what else there
	// is to say about the date, behind what is owed.
	Under bool
	Notes string
}

// Sentence is the line as running text, after its number.
func (l line) Sentence() phrase {
	if l.Under {
		l.Due, l.Days = nil, nil
		l.Owed = append(slices.Clip(l.Owed), say(l.Notes)...)
	}
	return append(joined("：", l.Name, joined("；", joined("，", l.Due, l.Days), l.Owed, l.Past)), span{Text: "。"})
}

// Remaining is what a table says of the days: the number, and the make-up days where no heading above names them.
func (l line) Remaining() phrase {
	if l.Under && len(l.Days) > 1 {
		return l.Days[:1]
	}
	return l.Days
}

// writer turns items into lines. It holds what every line of one letter shares.
type writer struct {
	facts notice.Facts
	// next is the number of the next line; numbering runs through the sections.
	next int
}

func (w *writer) short(d civil.Date) string    { return short(d, w.facts.Date) }
func (w *writer) shortDay(d civil.Date) string { return shortDay(d, w.facts.Date) }

// number hands out the next running number.
func (w *writer) number() int {
	w.next++
	return w.next
}

// row names the ledger row; where the letter rests on several plans, with the plan's name.
func (w *writer) row(it notice.Item) string {
	s := "第" + it.Row + "项"
	if len(w.facts.Plans) > 1 && it.Plan >= 0 && it.Plan < len(w.facts.Plans) {
		p := w.facts.Plans[it.Plan]
		name := topic(p.Title, w.facts.Jurisdiction)
		for i, other := range w.facts.Plans {
			if i != it.Plan && topic(other.Title, w.facts.Jurisdiction) == name {
				name = ""
			}
		}
		if name == "" {
			return quoted(p.Title) + s
		}
		return "“" + name + "”" + s
	}
	return s
}

// name is the row, the title in our words, and which stage or period of it is meant.
func (w *writer) name(it notice.Item) phrase {
	p := phrase{{Text: w.row(it) + " "}, {Text: strings.TrimRight(it.Title, "。；;"), Tone: strong}}
	var which []string
	if it.Period != "" {
		which = append(which, it.Period)
	}
	switch it.Label {
	case "stage":
		which = append(which, "阶段性成果")
	case "final":
		which = append(which, "全部完成")
	}
	if len(which) > 0 {
		p = append(p, span{Text: "（" + strings.Join(which, "，") + "）"})
	}
	return p
}

// due is the date the unit acts on, and where it comes from.
func (w *writer) due(it notice.Item) phrase {
	if it.Due.IsZero() {
		return nil
	}
	notes := w.notes(it)
	if !it.LastWorkday.IsZero() && it.LastWorkday < it.Due && it.Due >= w.facts.Date {
		return say("时限" + w.shortDay(it.Due) + "前，最后工作日" + w.short(it.LastWorkday) + bracketed(notes))
	}
	return say("时限" + w.short(it.Due) + bracketed(append([]string{weekday(it.Due)}, notes...)))
}

// compactDay is the date for headings: 9月15日（星期日，最后工作日9月14日）.
func (w *writer) compactDay(it notice.Item) string {
	if it.Due.IsZero() || it.LastWorkday.IsZero() || it.LastWorkday >= it.Due {
		return w.shortDay(it.Due)
	}
	return w.short(it.Due) + "（" + weekday(it.Due) + "，最后工作日" + w.short(it.LastWorkday) + "）"
}

// notes say where the date comes from and what is open about it.
func (w *writer) notes(it notice.Item) []string {
	var notes []string
	moved := !it.Nominal.IsZero() && it.Nominal != it.Due
	switch {
	case it.Extended && moved:
		notes = append(notes, "经同意由"+w.short(it.Nominal)+"延期")
	case it.Extended:
		notes = append(notes, "经同意延期")
	case it.Returned && moved:
		notes = append(notes, "退回后重新报送的时限，原时限"+w.short(it.Nominal))
	case it.Returned:
		notes = append(notes, "退回后重新报送的时限")
	case moved && it.Period != "":
		// The activity belongs to the period; its report is due on a day the bureau set after it.
		notes = append(notes, "期末"+w.short(it.Nominal))
	case moved:
		notes = append(notes, "台账时限"+w.short(it.Nominal))
	}
	if it.DeadlineText != "" {
		notes = append(notes, "台账原文“"+it.DeadlineText+"”")
	}
	if !it.Later.IsZero() && it.Later != it.Nominal {
		first := it.Nominal
		if first.IsZero() {
			first = it.Due
		}
		readings := "可理解为" + w.short(first) + "前或" + w.short(it.Later) + "前"
		if it.Late == 0 {
			readings += "，核定前按前者提醒，过后者方计超期"
		}
		notes = append(notes, readings)
	}
	if it.Soft != "" {
		notes = append(notes, "原文注明“"+it.Soft+"”")
	}
	if it.Standing && !strings.Contains(it.DeadlineText, "长期") {
		notes = append(notes, "报送后转入长期坚持")
	}
	if it.Provisional {
		notes = append(notes, "暂定，国务院办公厅尚未公布该年节假日安排")
	}
	return notes
}

func bracketed(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	return "（" + strings.Join(notes, "；") + "）"
}

// late is the number of working days past the date.
// Where the date has two readings they are counted from the later.
func late(it notice.Item) phrase {
	by := ""
	if !it.Later.IsZero() && it.Later > it.Due {
		by = "按较晚时限"
	}
	if it.Late <= 0 {
		return phrase{{Text: by + "已过时限", Tone: red}}
	}
	return phrase{{Text: by + "已超" + strconv.Itoa(it.Late) + "个工作日", Tone: red}}
}

// between reports whether the day lies between the two readings of an ambiguous date: past the earlier one, of which
// nothing follows, and not past the later.
func (w *writer) between(it notice.Item) bool { return between(it, w.facts.Date) }

func between(it notice.Item, day civil.Date) bool {
	return !it.Due.IsZero() && it.Due < day && day <= it.Later
}

// actBy is the date that counts towards the letter's nearest or oldest one.
func actBy(it notice.Item, day civil.Date) civil.Date {
	if it.Later > it.Due && it.Due < day {
		return it.Later
	}
	return it.Due
}

// left is the number of working days remaining, with the make-up days a reader would not expect.
func (w *writer) left(it notice.Item) phrase {
	if it.Due.IsZero() {
		return nil
	}
	var p phrase
	switch {
	case w.between(it):
		return phrase{{Text: "较早时限已过，较晚时限" + w.short(it.Later), Tone: yellow}}
	case it.Due < w.facts.Date:
		return late(it)
	case it.Left > 0 && it.Left <= near:
		p = phrase{{Text: "剩余" + strconv.Itoa(it.Left) + "个工作日", Tone: yellow}}
	case it.Left > 0:
		p = phrase{{Text: "剩余" + strconv.Itoa(it.Left) + "个工作日", Tone: green}}
	case it.LastWorkday == it.Due || it.LastWorkday.IsZero():
		p = phrase{{Text: "今日到期", Tone: yellow}}
	default:
		p = phrase{{Text: "今日为最后工作日", Tone: yellow}}
	}
	if len(it.MakeUp) > 0 {
		days := make([]string, len(it.MakeUp))
		for i, d := range it.MakeUp {
			days[i] = w.short(d)
		}
		p = append(p, span{Text: "，" + strings.Join(days, "、") + "为调休上班日"})
	}
	return p
}

// owed is what is to be sent, how and to whom; an item without a deliverable asks how far it is.
func (w *writer) owed(it notice.Item) phrase {
	var parts []string
	if it.Quota > 0 {
		parts = append(parts, fmt.Sprintf("应完成%d%[3]s，已登记%[2]d%[3]s", it.Quota, it.Count, measure(it)))
	}
	if it.Deliverable == "" {
		parts = append(parts, "请告知进展情况")
	} else {
		parts = append(parts, "需报"+list(it.Deliverable))
	}
	if it.Evidence != "" {
		parts = append(parts, "佐证材料："+list(it.Evidence))
	}
	if it.Channel != "" {
		parts = append(parts, "报送方式："+it.Channel)
	}
	if w.elsewhere(it) {
		parts = append(parts, "报送对象："+it.SendTo)
	}
	return say(strings.Join(parts, "，"))
}

// measure is the measure word that the deadline's text has behind the number (不少于12次), or none.
func measure(it notice.Item) string {
	for _, word := range [...]string{"学时", "次", "篇", "场", "期", "件", "个"} {
		if strings.Contains(it.DeadlineText, strconv.Itoa(it.Quota)+word) {
			return word
		}
	}
	return ""
}

// list joins what a cell lists by semicolons, which would end a clause of the letter, by 、.
func list(s string) string {
	s = strings.TrimRight(s, "；;。 ")
	for _, sep := range [...]string{"；", "; ", ";"} {
		s = strings.ReplaceAll(s, sep, "、")
	}
	return s
}

// elsewhere reports whether the item goes to somebody other than the office that writes.
func (w *writer) elsewhere(it notice.Item) bool {
	return it.SendTo != "" && it.SendTo != w.facts.Issuer.Short && it.SendTo != w.facts.Issuer.Name
}

// past names the day of every earlier letter, and which urging this one is.
func (w *writer) past(it notice.Item) phrase {
	var parts []string
	if s := w.days(it.Reminded); s != "" {
		parts = append(parts, s+"已提醒")
	}
	if s := w.days(it.Urged); s != "" {
		parts = append(parts, s+"已催办")
	}
	if it.Step != "" && it.Rung == "urging" {
		if len(it.Urged) == 0 {
			parts = append(parts, "本次为首次催办")
		} else {
			parts = append(parts, fmt.Sprintf("本次为第%d次催办", len(it.Urged)+1))
		}
	}
	return say(strings.Join(parts, "，"))
}

func (w *writer) days(ds []civil.Date) string {
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = w.short(d)
	}
	return strings.Join(out, "、")
}

func (w *writer) overdueLine(it notice.Item) line {
	return line{No: w.number(), Name: w.name(it), Due: w.due(it), Days: late(it), Owed: w.owed(it), Past: w.past(it)}
}

// upcomingLine stands under a heading that says its date, or says it itself.
func (w *writer) upcomingLine(it notice.Item, under bool) line {
	l := line{No: w.number(), Name: w.name(it), Due: w.due(it), Days: w.left(it), Owed: w.owed(it), Past: w.past(it), Under: under}
	if under {
		l.Notes = bracketed(w.notes(it))
	}
	return l
}

// behindLine says what should have been reached by the month end looked at, and what the register holds.
func (w *writer) behindLine(it notice.Item) line {
	at := ""
	if !it.PaceAt.IsZero() {
		at = "截至" + w.short(it.PaceAt)
	}
	p := phrase{{Text: fmt.Sprintf("%s序时应为%d%[4]s，已登记%[3]d%[4]s，", at, it.Pace, it.Count, measure(it))}}
	if gap := it.Pace - it.Count; gap > 0 {
		p = append(p, span{Text: fmt.Sprintf("滞后序时进度%d%s", gap, measure(it)), Tone: yellow})
	} else {
		p = append(p, span{Text: "滞后序时进度", Tone: yellow})
	}
	goal := ""
	if it.Quota > 0 {
		goal = fmt.Sprintf("目标%d%s，", it.Quota, measure(it))
	}
	due := p
	if !it.Due.IsZero() {
		due = append(due, span{Text: "；" + goal + w.due(it).String()})
	}
	return line{No: w.number(), Name: w.name(it), Due: due, Owed: say("请填报后续安排，目前不要求补齐"), Past: w.past(it)}
}

func (w *writer) clockLine(it notice.Item) line {
	days := w.left(it)
	if it.Late > 0 || !it.Due.IsZero() && it.Due < w.facts.Date {
		days = late(it)
	}
	name := w.name(it)
	if it.Case != "" {
		name = append(phrase{{Text: it.Case, Tone: strong}, {Text: "，"}}, name...)
	}
	return line{No: w.number(), Name: name, Due: w.due(it), Days: days, Owed: w.owed(it), Past: w.past(it)}
}

func (w *writer) supportLine(it notice.Item) line {
	return line{No: w.number(), Name: w.name(it), Due: w.due(it)}
}
