package ledger

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// EventsOptions says which jurisdiction the events are imported for; a file that names another is refused. Today is the
// day of the import: what has not happened yet is refused.
type EventsOptions struct {
	Jurisdiction string
	Today        civil.Date
}

// EventsDraft is what a list of events says. Seq and Who of its values are not set.
type EventsDraft struct {
	Rows []EventDraft
	// Notes names the columns that were not read. Rows are never quoted: they may hold names.
	Notes []string
}

// EventDraft is one row of it, with the duty it names in place of the rules', and where it stands.
type EventDraft struct {
	task.Occurrence
	Task  string // PLAN/ROW or ROW, empty where the rules decide
	Place Problem
}

const (
	fEvent, fRef, fHappened, fLimit field = "event", "ref", "happened", "limit"
	fFirm, fFrom, fTo               field = "firm", "from", "to"
	fDutyOf, fExempt                field = "duty_of", "exempt"
)

func eventsLayout() layout {
	return layout{
		headings: words(map[field]string{
			fEvent: "事件类型 事件 事件类别 类型", fRef: "编号 案号 文号 案号/文号 文号/案号 案号文号 案件编号 文书编号 备案编号 事件编号",
			fUnit: "单位 单位名称 作出单位 执法单位 检查单位", fHappened: "发生日期 日期 作出日期 决定日期 发生时间 事件日期",
			fLimit: "规定期限 文书期限 限期 文书规定期限", fPerson: "人员编号", fFirm: "检查对象 企业 企业名称 被检查企业",
			fFrom: "检查起 检查开始 检查开始日期 检查起始日期", fTo: "检查止 检查结束 检查结束日期 检查截止日期",
			fDutyOf: "任务编号 任务", fExempt: "不适用原因 不公开原因 不公示原因 法律另有规定",
		}),
		isHeader: func(s map[field]int) bool { return s[fEvent] > 0 && s[fRef] > 0 && s[fHappened] > 0 },
		labels:   words(map[field]string{fJuris: "行政区域代码"}),
		wanted:   "事件类型, 编号, 单位, 发生日期",
	}
}

const (
	maxEventKind   = 20
	maxEventRef    = 100 // an obligation is named by it
	maxEventParty  = 100
	maxEventReason = 200
)

// identityNumber is the form of a person's identity number. A case number of that form is one whose last digits a
// spreadsheet may have lost, or a person's: neither has a place in a reference.
var (
	identityNumber = regexp.MustCompile(`^[0-9]{17}[0-9Xx]$`)
	scientific     = regexp.MustCompile(`^[0-9](\.[0-9]+)?[Ee]\+[0-9]+$`)
)

// Events turns a book into occurrences. The directory is that of the day it is imported for. Which clock an event
// starts is not asked here. Every bad row is listed; with problems the draft must not be used.
func Events(book Book, dir task.Directory, opt EventsOptions) (EventsDraft, Problems) {
	t := eventsLayout().read(book)
	b := eventsBuilder{file: book.Name, who: newDirectory(dir), opt: opt, probs: t.probs, seen: map[[3]string]record{}}
	if p := t.labels[fJuris]; opt.Jurisdiction != "" && p.Value != "" && p.Value != opt.Jurisdiction {
		p.Reason = "the list is that of another jurisdiction than " + opt.Jurisdiction
		b.fail(p)
	}
	draft := EventsDraft{Notes: headingNotes(t.notes)}
	for _, r := range t.records {
		if r.text(fEvent) == "" && r.alone != "" || isNote(r.text(fEvent)) || isNote(r.alone) {
			continue
		}
		draft.Rows = append(draft.Rows, b.event(r))
	}
	if len(draft.Rows) == 0 && len(b.probs) == 0 {
		b.fail(Problem{File: book.Name, Reason: "the list holds no rows"})
	}
	return draft, b.probs
}

type eventsBuilder struct {
	file  string
	who   directory
	opt   EventsOptions
	probs Problems
	seen  map[[3]string]record // kind, reference and unit → row
}

func (b *eventsBuilder) fail(p Problem) { b.probs = append(b.probs, p) }

// event reads one row.
func (b *eventsBuilder) event(r record) EventDraft {
	r.bad(b.file, &b.probs)
	e := EventDraft{Place: Problem{File: b.file, Sheet: r.sheet, Row: r.row}, Task: b.line(r, fDutyOf, maxEventRef)}
	e.Jurisdiction, e.Source = b.opt.Jurisdiction, strings.TrimSpace(b.file+" "+place(r.sheet, r.row))
	e.Kind = heading(b.line(r, fEvent, maxEventKind))
	if e.Kind == "" {
		b.fail(r.problem(b.file, fEvent, "the row names no kind of event"))
	}
	e.Ref = b.reference(r)
	switch who, err := b.who.find(r.text(fUnit)); {
	case r.text(fUnit) == "":
		b.fail(r.problem(b.file, fUnit, "the row has no unit"))
	case err != nil:
		b.fail(r.problem(b.file, fUnit, "%v", err))
	case who.group:
		b.fail(r.problem(b.file, fUnit, "this is a group of units, not a unit: give each its own row"))
	default:
		e.Unit = who.code
	}
	b.dates(r, &e)
	if e.Person = heading(r.text(fPerson)); e.Person != "" {
		if c := r.cells[fPerson]; c.Lossy || c.Number && len(c.Text) >= 16 || scientific.MatchString(c.Text) {
			p := r.problem(b.file, fPerson, lostDigits)
			p.Value = ""
			b.fail(p)
		}
	}
	b.line(r, fFirm, maxEventParty)
	b.line(r, fExempt, maxEventReason)
	e.Party, e.Exempt = oneLine(r.text(fFirm)), oneLine(r.text(fExempt)) // as written: letters quote them
	b.inspection(r, e)
	b.once(r, e)
	return e
}

// reference reads the case's number, which names the obligation.
func (b *eventsBuilder) reference(r record) string {
	ref := b.line(r, fRef, maxEventRef)
	c := r.cells[fRef]
	switch digits := strings.ReplaceAll(ref, " ", ""); {
	case ref == "":
		if strings.TrimSpace(c.Text) == "" && c.Bad == "" {
			b.fail(r.problem(b.file, fRef, "the row has no number: an event is told from others by it"))
		}
	case c.Lossy, c.Number && len(c.Text) >= 16, scientific.MatchString(digits):
		b.fail(r.problem(b.file, fRef, lostDigits))
	case identityNumber.MatchString(digits):
		p := r.problem(b.file, fRef, "eighteen digits are an identity number, or a number whose last digits a spreadsheet has lost: give the number of the case or document as text")
		p.Value = ""
		b.fail(p)
	}
	return ref
}

// line reads a cell of one line and at most n characters.
func (b *eventsBuilder) line(r record, f field, n int) string {
	raw := r.text(f)
	s := strings.Join(strings.Fields(norm.NFKC.String(raw)), " ")
	switch {
	case !utf8.ValidString(raw), strings.ContainsFunc(raw, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }):
		b.fail(r.problem(b.file, f, "the cell holds a line break or characters that do not print: write it on one line"))
	case utf8.RuneCountInString(s) > n:
		b.fail(r.problem(b.file, f, "want at most %d characters", n))
	default:
		return s
	}
	return ""
}

func (b *eventsBuilder) dates(r record, e *EventDraft) {
	e.On, e.Due, e.From, e.To = b.date(r, fHappened), b.date(r, fLimit), b.date(r, fFrom), b.date(r, fTo)
	switch {
	case r.text(fHappened) == "":
		b.fail(r.problem(b.file, fHappened, "the row has no date"))
	case e.On == 0:
	case b.opt.Today != 0 && e.On > b.opt.Today:
		b.fail(r.problem(b.file, fHappened, "the day has not come: enter an event once it has happened"))
	case e.Due != 0 && e.Due < e.On:
		b.fail(r.problem(b.file, fLimit, "the date is before the event itself, of %s", e.On))
	}
}

func (b *eventsBuilder) date(r record, f field) civil.Date {
	if r.text(f) == "" {
		return 0
	}
	d, err := date(r.text(f))
	if err != nil {
		b.fail(r.problem(b.file, f, "%v", err))
	}
	return d
}

// inspection checks what only inspections have: an enterprise and a window.
func (b *eventsBuilder) inspection(r record, e EventDraft) {
	switch {
	case !slices.Contains([]string{task.InspectionFiled, task.InspectionRegistered, task.InspectionRated}, e.Kind):
		for _, f := range []field{fFirm, fFrom, fTo} {
			if r.text(f) != "" && e.Kind != "" {
				b.fail(r.problem(b.file, f, "only an inspection has one: 事件类型 says %s", e.Kind))
			}
		}
	case e.Kind == task.InspectionFiled && (e.Party == "" || e.From == 0 || e.To == 0):
		for _, f := range []field{fFirm, fFrom, fTo} {
			if r.text(f) == "" {
				b.fail(r.problem(b.file, f, "a filing needs its %s", map[field]string{fFirm: "检查对象", fFrom: "检查起", fTo: "检查止"}[f]))
			}
		}
	case e.From != 0 && e.To != 0 && e.To < e.From:
		b.fail(r.problem(b.file, fTo, "the inspection ends before it begins"))
	}
}

func (b *eventsBuilder) once(r record, e EventDraft) {
	k := [3]string{e.Kind, key(e.Ref), e.Unit} // however the number is written
	if slices.Contains(k[:], "") {
		return
	}
	if old, twice := b.seen[k]; twice {
		b.fail(r.problem(b.file, fRef, "the same event of the same unit stands in %sas well", place(old.sheet, old.row)))
		return
	}
	b.seen[k] = r
}
