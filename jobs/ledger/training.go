package ledger

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// TrainingOptions says which jurisdiction the attendances are imported for; a file that names another is refused. Today,
// where set, is the day of the import: what has not been attended yet is refused.
type TrainingOptions struct {
	Jurisdiction string
	Today        civil.Date
}

// TrainingDraft is what a list of attendances says. Seq of its values is not set.
type TrainingDraft struct {
	Trainings []task.Training
	// Notes names the columns that were not read. Rows are never quoted: they hold names.
	Notes []string
}

const (
	fAttended, fCourse, fCourseRef field = "attended", "course", "course_ref"
	fTrained, fAssessed            field = "trained_for", "assessed"
)

func trainingLayout() layout {
	return layout{
		headings: words(map[field]string{
			fPerson: "人员编号 编号", fPersonName: "姓名", fUnit: "单位 单位名称 所在单位",
			fAttended: "培训日期 日期 结束日期 培训时间 培训结束日期", fHours: "学时 培训学时",
			fCourse:    "课程 课程名称 培训课程 培训名称 培训内容 班次 班次名称 课程/班次 培训班 培训班次",
			fCourseRef: "班次编号 课程编号 培训编号 期次编号 课程/班次编号",
			fTrained:   "培训对象 对象 培训类别", fAssessed: "考核 考核结果 考试结果 考核情况",
		}),
		isHeader: func(s map[field]int) bool { return s[fPerson] > 0 && s[fAttended] > 0 && s[fHours] > 0 },
		labels:   words(map[field]string{fJuris: "行政区域代码"}),
		wanted:   "人员编号, 培训日期, 学时, 课程, 培训对象, 考核",
	}
}

// The words of 培训对象 and 考核.
var assessments = []string{"", "合格", "不合格", "通过", "未通过", "未考核"}

const (
	maxCourse  = 100  // characters of a course's name
	maxClasses = 1000 // class hours of one course
	maxRef     = 128  // characters of a reference, as the register keeps it
)

// Trainings turns a book into attendances. people is every version of the roster: an attendance of somebody it never held
// is a slip. An empty 培训对象 is taken from the person's duty in the roster on the day of the course.
func Trainings(book Book, people []task.Person, opt TrainingOptions) (TrainingDraft, Problems) {
	t := trainingLayout().read(book)
	b := trainingBuilder{file: book.Name, opt: opt, people: map[string][]task.Person{}, probs: t.probs, seen: map[[2]string]record{}}
	for _, p := range people {
		b.people[p.Key] = append(b.people[p.Key], p)
	}
	if p := t.labels[fJuris]; opt.Jurisdiction != "" && p.Value != "" && p.Value != opt.Jurisdiction {
		p.Reason = "the list is that of another jurisdiction than " + opt.Jurisdiction
		b.fail(p)
	}
	draft := TrainingDraft{Notes: headingNotes(t.notes)}
	for _, r := range t.records {
		if r.text(fPerson) == "" && r.alone != "" || isNote(r.text(fPerson)) || isNote(r.alone) {
			continue
		}
		draft.Trainings = append(draft.Trainings, b.training(r))
	}
	if len(draft.Trainings) == 0 && len(b.probs) == 0 {
		b.fail(Problem{File: book.Name, Reason: "the list holds no rows"})
	}
	return draft, b.probs
}

// unreadColumn ends the note about a column whose heading names none of the layout.
const unreadColumn = "was not read: its heading is none this table knows"

// headingNotes keeps the notes about columns; those that quote rows could quote people.
func headingNotes(notes []string) []string {
	return slices.DeleteFunc(slices.Clone(notes), func(n string) bool { return !strings.HasSuffix(n, unreadColumn) })
}

type trainingBuilder struct {
	file   string
	opt    TrainingOptions
	people map[string][]task.Person // every version, by key
	probs  Problems
	seen   map[[2]string]record // person and reference → row
}

func (b *trainingBuilder) fail(p Problem) { b.probs = append(b.probs, p) }

// training reads one row. Problems quote no name.
func (b *trainingBuilder) training(r record) task.Training {
	r.bad(b.file, &b.probs)
	t := task.Training{Jurisdiction: b.opt.Jurisdiction, Person: heading(r.text(fPerson)), Course: oneLine(r.text(fCourse)), Ref: heading(r.text(fCourseRef))}
	if c := r.cells[fPerson]; c.Lossy || c.Number && len(c.Text) >= 16 {
		b.fail(r.problem(b.file, fPerson, lostDigits))
	}
	versions := b.people[t.Person]
	switch {
	case t.Person == "":
		b.fail(r.problem(b.file, fPerson, "the row names no person"))
	case len(versions) == 0:
		b.fail(r.problem(b.file, fPerson, "the roster holds nobody of this number: import the roster first"))
	default:
		b.sameName(r, versions)
	}
	t.On = b.day(r)
	t.Hours = b.hours(r)
	b.course(r, &t)
	b.trainedFor(r, versions, &t)
	switch s := heading(r.text(fAssessed)); s {
	case "合格", "通过":
		t.Assessed, t.Passed = true, true
	case "不合格", "未通过":
		t.Assessed = true
	default:
		if !slices.Contains(assessments, s) {
			b.fail(r.problem(b.file, fAssessed, "want 合格, 不合格, or nothing where there was no assessment"))
		}
	}
	b.once(r, t)
	return t
}

// sameName compares a name that stands beside the number with the roster: a row moved by one would otherwise credit
// somebody else. The problem does not quote either.
func (b *trainingBuilder) sameName(r record, versions []task.Person) {
	name := oneLine(r.text(fPersonName))
	if name != "" && !slices.ContainsFunc(versions, func(p task.Person) bool { return key(p.Name) == key(name) }) {
		p := r.problem(b.file, fPersonName, "the name is not that of the number in the roster: one of the two is wrong")
		p.Value = ""
		b.fail(p)
	}
}

// day reads the day of the course; of a span such as 2024年6月3日至2024年6月5日 the last.
func (b *trainingBuilder) day(r record) civil.Date {
	text := r.text(fAttended)
	if text == "" {
		b.fail(r.problem(b.file, fAttended, "the row has no date"))
		return 0
	}
	first, last, span := cutSpan(text)
	d, err := date(last)
	if err == nil && span {
		var from civil.Date
		if from, err = date(first); err == nil && from > d {
			b.fail(r.problem(b.file, fAttended, "the course ends before it begins"))
		}
	}
	switch {
	case err != nil:
		b.fail(r.problem(b.file, fAttended, "%v", err))
	case b.opt.Today != 0 && d > b.opt.Today:
		b.fail(r.problem(b.file, fAttended, "the day has not come: enter a course once it has been attended"))
	}
	return d
}

// cutSpan cuts a span of days in two; a single day is both.
func cutSpan(s string) (first, last string, span bool) {
	for _, sep := range []string{"至", "到", "—", "–", "～", "~"} {
		if a, z, ok := strings.Cut(s, sep); ok {
			return a, strings.TrimLeft(z, sep), true
		}
	}
	return s, s, false
}

func (b *trainingBuilder) hours(r record) int {
	n, err := strconv.Atoi(strings.TrimSuffix(heading(r.text(fHours)), "学时"))
	if err != nil || n < 0 || n > maxClasses {
		b.fail(r.problem(b.file, fHours, "want a whole number of class hours"))
		return 0
	}
	return n
}

// course settles the reference: 班次编号, else the course and its day.
func (b *trainingBuilder) course(r record, t *task.Training) {
	if utf8.RuneCountInString(t.Course) > maxCourse || strings.ContainsFunc(t.Course, unicode.IsControl) {
		b.fail(r.problem(b.file, fCourse, "want the name of the course in at most %d characters on one line", maxCourse))
		return
	}
	if utf8.RuneCountInString(t.Ref) > maxRef || strings.ContainsFunc(t.Ref, unicode.IsControl) {
		b.fail(r.problem(b.file, fCourseRef, "want a number of at most %d characters", maxRef))
		return
	}
	if t.Ref != "" {
		return
	}
	name := key(t.Course) // as names are compared: an import of the same list typed a little otherwise counts once
	if name == "" {
		b.fail(r.problem(b.file, fCourse, "the row names no course: give 课程, or 班次编号"))
		return
	}
	if r := []rune(name); len(r) > maxRef-11 { // NFKC may make a name longer
		name = string(r[:maxRef-11])
	}
	t.Ref = name + "@" + t.On.String()
}

// trainedFor reads 培训对象: 在岗人员 is 在岗.
func (b *trainingBuilder) trainedFor(r record, versions []task.Person, t *task.Training) {
	t.For = strings.TrimSuffix(heading(r.text(fTrained)), "人员")
	if t.For == "" && len(versions) > 0 && t.On != 0 {
		t.For = dutyOn(versions, t.On)
		return
	}
	if t.For != "" && !slices.Contains(duties, t.For) {
		b.fail(r.problem(b.file, fTrained, "want one of %s, or nothing: the roster's 在岗状态", strings.Join(duties, ", ")))
	}
}

// dutyOn is the person's duty in the version in force on the day, or in the first one after it.
func dutyOn(versions []task.Person, d civil.Date) string {
	if now := task.PeopleAsOf(versions, d); len(now) > 0 {
		return now[0].Duty
	}
	first := versions[0]
	for _, v := range versions {
		if v.On < first.On || v.On == first.On && v.Seq < first.Seq {
			first = v
		}
	}
	return first.Duty
}

func (b *trainingBuilder) once(r record, t task.Training) {
	k := [2]string{t.Person, t.Ref}
	if t.Person == "" || t.Ref == "" || t.On == 0 {
		return
	}
	if old, twice := b.seen[k]; twice {
		b.fail(r.problem(b.file, fPerson, "the person attended the same course in %sas well", place(old.sheet, old.row)))
		return
	}
	b.seen[k] = r
}
