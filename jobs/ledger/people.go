package ledger

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// PeopleOptions says which jurisdiction the roster is imported for; a file that names another is refused. The empty
// code takes the file as it is.
type PeopleOptions struct {
	Jurisdiction string
}

const (
	fPerson, fPersonName, fUnit   field = "person", "person_name", "unit"
	fPost, fCert, fCertTo, fState field = "post", "certificate", "certificate_to", "cert_state"
	fHeldFrom, fHeldTo            field = "held_from", "held_to"
	fDuty, fHours                 field = "duty", "hours"
)

const lostDigits = "the cell is a number of so many digits that the spreadsheet has lost the last of them: format the column as text and enter it again"

func peopleLayout() layout {
	return layout{
		headings: words(map[field]string{
			fPerson: "人员编号 编号", fPersonName: "姓名", fUnit: "单位 单位名称 所在单位", fPost: "岗位", fCert: "执法证号 执法证件号 证号 证件编号 执法证编号",
			fCertTo: "证件有效期至 有效期至 证件有效期 有效期 证件到期日", fState: "证件状态", fHeldFrom: "暂扣起 暂扣日期", fHeldTo: "暂扣止 暂扣期满",
			fDuty: "在岗状态", fHours: "本年学时 学时 本年度学时",
		}),
		isHeader: func(s map[field]int) bool { return s[fPerson] > 0 && s[fPersonName] > 0 && s[fUnit] > 0 },
		labels:   words(map[field]string{fJuris: "行政区域代码"}),
		wanted:   "人员编号, 姓名, 单位, 岗位, 执法证号",
	}
}

// The words of a roster.
var (
	posts      = []string{"执法", "法制审核", "执法监督"}
	certStates = []string{"", "有效", "暂扣", "注销"}
	duties     = []string{"在岗", "离岗", "新申领"}
)

// People turns a book into a roster. The directory is that of the day it is imported for. On and Seq are not set.
func People(book Book, dir task.Directory, opt PeopleOptions) ([]task.Person, Problems) {
	t := peopleLayout().read(book)
	b := peopleBuilder{file: book.Name, who: newDirectory(dir), probs: t.probs, keys: map[string]record{}, certs: map[string]record{}}
	if p := t.labels[fJuris]; opt.Jurisdiction != "" && p.Value != "" && p.Value != opt.Jurisdiction {
		p.Reason = "the roster is that of another jurisdiction than " + opt.Jurisdiction
		b.fail(p)
	}
	var out []task.Person
	for _, r := range t.records {
		if r.text(fPerson) == "" && r.alone != "" || isNote(r.text(fPerson)) || isNote(r.alone) {
			continue
		}
		out = append(out, b.person(r))
	}
	if len(out) == 0 && len(b.probs) == 0 {
		b.fail(Problem{File: book.Name, Reason: "the roster holds no rows"})
	}
	return out, b.probs
}

// PeopleNotes names the columns of a roster that People does not read. No row is quoted: rows hold names.
func PeopleNotes(book Book) []string { return headingNotes(peopleLayout().read(book).notes) }

type peopleBuilder struct {
	file        string
	who         directory
	probs       Problems
	keys, certs map[string]record
}

func (b *peopleBuilder) fail(p Problem) { b.probs = append(b.probs, p) }

// personal are the columns whose cells no problem quotes: a problem may be logged.
var personal = []field{fPersonName, fCert}

// problem names a cell of the row; of a name or a certificate's number its place alone.
func (b *peopleBuilder) problem(r record, f field, format string, args ...any) Problem {
	p := r.problem(b.file, f, format, args...)
	if slices.Contains(personal, f) {
		p.Value = ""
	}
	return p
}

// person reads one row. Problems of a roster quote no name and no certificate: they are personal data.
func (b *peopleBuilder) person(r record) task.Person {
	r.bad(b.file, &b.probs)
	p := task.Person{Key: heading(r.text(fPerson)), Name: oneLine(r.text(fPersonName)), Post: heading(r.text(fPost)),
		Certificate: oneLine(r.text(fCert)), CertState: heading(r.text(fState)), Duty: heading(r.text(fDuty))}
	for _, f := range []field{fPerson, fCert} {
		if c := r.cells[f]; c.Lossy || c.Number && len(c.Text) >= 16 {
			b.fail(b.problem(r, f, lostDigits))
		}
	}
	if p.Key == "" || len(p.Key) > 64 || strings.ContainsFunc(p.Key, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) || c == '/' }) {
		b.fail(b.problem(r, fPerson, "want a number for the person, without spaces and slashes"))
	} else {
		b.once(r, fPerson, b.keys, p.Key)
	}
	if p.Certificate != "" {
		b.once(r, fCert, b.certs, p.Certificate)
	}
	if p.Name == "" {
		b.fail(b.problem(r, fPersonName, "the row has no name"))
	}
	switch who, err := b.who.find(r.text(fUnit)); {
	case r.text(fUnit) == "":
		b.fail(b.problem(r, fUnit, "the row has no unit"))
	case err != nil:
		b.fail(b.problem(r, fUnit, "%v", err))
	case who.group:
		b.fail(b.problem(r, fUnit, "this is a group of units, not a unit"))
	default:
		p.Unit = who.code
	}
	b.oneOf(r, fPost, p.Post, posts)
	b.oneOf(r, fState, p.CertState, certStates)
	b.oneOf(r, fDuty, p.Duty, duties)
	p.ValidTo, p.HeldFrom, p.HeldTo = b.date(r, fCertTo), b.date(r, fHeldFrom), b.date(r, fHeldTo)
	if !p.HeldFrom.IsZero() && !p.HeldTo.IsZero() && p.HeldTo < p.HeldFrom {
		b.fail(b.problem(r, fHeldTo, "the suspension ends before it begins"))
	}
	if s := heading(r.text(fHours)); s != "" {
		n, err := strconv.Atoi(strings.TrimSuffix(s, "学时"))
		if err != nil || n < 0 || n > 5000 {
			b.fail(b.problem(r, fHours, "want a whole number of class hours"))
		}
		p.Hours = n
	}
	return p
}

func (b *peopleBuilder) once(r record, f field, seen map[string]record, k string) {
	if old, twice := seen[k]; twice {
		b.fail(b.problem(r, f, "the number stands in %sas well", place(old.sheet, old.row)))
		return
	}
	seen[k] = r
}

func (b *peopleBuilder) oneOf(r record, f field, s string, allowed []string) {
	if !slices.Contains(allowed, s) {
		b.fail(b.problem(r, f, "want one of %s", strings.Join(slices.DeleteFunc(slices.Clone(allowed), func(w string) bool { return w == "" }), ", ")))
	}
}

func (b *peopleBuilder) date(r record, f field) civil.Date {
	if r.text(f) == "" {
		return 0
	}
	d, err := date(r.text(f))
	if err != nil {
		b.fail(b.problem(r, f, "%v", err))
	}
	return d
}
