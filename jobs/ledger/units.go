package ledger

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"duban/jobs/task"
)

// UnitsOptions overrides the labelled rows above the header. Zero values leave the file's own.
type UnitsOptions struct {
	Jurisdiction string
}

// UnitsDraft is what a table of units says. On and Seq of its values are not set: they are the import's.
type UnitsDraft struct {
	Jurisdiction task.Jurisdiction
	Units        []task.Unit
	Groups       []task.Group
	Notes        []string
}

const (
	fKind, fUnitCode, fUnitName, fFull field = "kind", "unit_code", "unit_name", "full_name"
	fAliases, fGroups, fHonorific      field = "aliases", "groups", "honorific"
	fAddress, fBureau, fLive           field = "address", "bureau", "live_from"
	fLiaison, fLiaisonMail, fPhone     field = "liaison", "liaison_mail", "liaison_phone"
	fDeputy, fDeputyMail               field = "deputy", "deputy_mail"
	fHead, fHeadMail                   field = "head", "head_mail"
	fLegal, fLegalMail                 field = "legal", "legal_mail"
	fStaff, fStaffMail                 field = "personnel", "personnel_mail"
)

func unitsLayout() layout {
	return layout{
		headings: words(map[field]string{
			fKind: "类型 类别", fUnitCode: "编码 代码 单位编码 单位代码", fUnitName: "名称 单位名称 单位 简称 单位简称", fFull: "全称 单位全称",
			fAliases: "别名", fGroups: "所属单位组 单位组", fChase: "催办方式", fHonorific: "称谓", fAddress: "地址 单位地址",
			fLiaison: "联络员 联络员姓名", fLiaisonMail: "联络员邮箱", fPhone: "联络员电话 电话 联系电话",
			fDeputy: "分管负责人", fDeputyMail: "分管负责人邮箱", fHead: "主要负责人", fHeadMail: "主要负责人邮箱",
			fLegal: "法制联系人 法制审核联系人", fLegalMail: "法制联系人邮箱 法制审核联系人邮箱",
			fStaff: "人事联系人 人员管理联系人", fStaffMail: "人事联系人邮箱 人员管理联系人邮箱",
		}),
		isHeader: func(s map[field]int) bool { return s[fUnitCode] > 0 && s[fUnitName] > 0 },
		labels: words(map[field]string{
			fJuris: "行政区域代码", fName: "行政区域 行政区域名称", fBureau: "主管司法局 司法局", fLive: "启用日期",
		}),
		wanted: "类型, 编码, 名称, 联络员, 联络员邮箱",
	}
}

var identifier = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Units turns a book into the draft of a jurisdiction's units and groups. Every bad row is listed; with problems the
// draft must not be used.
func Units(book Book, opt UnitsOptions) (UnitsDraft, Problems) {
	t := unitsLayout().read(book)
	b := unitsBuilder{table: t, probs: t.probs, codes: map[string]record{}, names: map[string]named{}, groups: map[string]string{}}
	b.draft.Notes = t.notes
	for _, r := range t.records {
		if b.isGroup(r) {
			b.group(r)
		}
	}
	for _, r := range t.records {
		if !b.isGroup(r) {
			b.unit(r)
		}
	}
	b.jurisdiction(opt)
	if len(b.draft.Units) == 0 && len(b.probs) == 0 {
		b.probs = append(b.probs, Problem{File: book.Name, Reason: "the table holds no units"})
	}
	return b.draft, b.probs
}

type named struct {
	code string
	at   record
}

type unitsBuilder struct {
	table  table
	draft  UnitsDraft
	probs  Problems
	codes  map[string]record
	names  map[string]named
	groups map[string]string // any name of a group → code
}

func (b *unitsBuilder) fail(p Problem) { b.probs = append(b.probs, p) }

func (b *unitsBuilder) isGroup(r record) bool { return heading(r.text(fKind)) == "单位组" }

// jurisdiction settles the labelled rows.
func (b *unitsBuilder) jurisdiction(opt UnitsOptions) {
	j, lab, file := &b.draft.Jurisdiction, b.table.labels, b.table.file
	j.Code, j.Name = oneLine(lab[fJuris].Value), oneLine(lab[fName].Value)
	if opt.Jurisdiction != "" {
		j.Code = opt.Jurisdiction
	}
	if !identifier.MatchString(j.Code) {
		b.fail(Problem{File: file, Row: lab[fJuris].Row, Column: "行政区域代码", Value: short(j.Code),
			Reason: "want a code of lower-case letters, digits and hyphens in a row 行政区域代码 above the header, or --jurisdiction"})
	}
	if j.Name == "" {
		b.fail(Problem{File: file, Column: "行政区域", Reason: "the jurisdiction has no name: add a row 行政区域 above the header"})
	}
	bureau := oneLine(lab[fBureau].Value)
	who, known := b.names[key(bureau)]
	switch {
	case bureau == "":
		b.fail(Problem{File: file, Column: "主管司法局", Reason: "the justice bureau is not named: add a row 主管司法局 above the header, with a unit of the table"})
	case !known || b.isGroup(who.at):
		b.fail(Problem{File: file, Row: lab[fBureau].Row, Column: "主管司法局", Value: short(bureau), Reason: "the bureau is not a unit of the table"})
	default:
		j.Bureau = who.code
	}
	live := lab[fLive]
	if live.Value == "" {
		b.fail(Problem{File: file, Column: "启用日期", Reason: "the day of taking into use is missing: add a row 启用日期 above the header; what fell due before it is neither chased nor counted"})
		return
	}
	d, err := date(live.Value)
	if err != nil {
		live.Value, live.Reason = short(live.Value), err.Error()
		b.fail(live)
	}
	j.LiveFrom = d
}

// begin checks what units and groups have in common; ok is false for rows that are neither.
func (b *unitsBuilder) begin(r record) (code, name string, ok bool) {
	file := b.table.file
	code, name = heading(r.text(fUnitCode)), oneLine(r.text(fUnitName))
	if first := oneLine(rFirst(r)); isNote(first) || code == "" && name == "" && r.alone != "" && !anyBad(r) {
		b.draft.Notes = append(b.draft.Notes, place(r.sheet, r.row)+"not read as a unit: 「"+short(first)+"」")
		return "", "", false
	}
	r.bad(file, &b.probs)
	b.controls(r)
	switch kind := heading(r.text(fKind)); kind {
	case "单位", "单位组", "":
	default:
		b.fail(r.problem(file, fKind, "want 单位 or 单位组"))
	}
	if name == "" {
		b.fail(r.problem(file, fUnitName, "the row has no name"))
	}
	if !identifier.MatchString(code) {
		b.fail(r.problem(file, fUnitCode, "want a code of at most 32 lower-case letters, digits and hyphens"))
	} else if old, twice := b.codes[code]; twice {
		b.fail(r.problem(file, fUnitCode, "the code %s is that of 「%s」 in %stoo", code, oneLine(old.text(fUnitName)), strings.TrimSpace(place(old.sheet, old.row))+" "))
	} else {
		b.codes[code] = r
	}
	return code, name, true
}

func rFirst(r record) string {
	for _, f := range []field{fKind, fUnitCode, fUnitName} {
		if s := r.text(f); s != "" {
			return s
		}
	}
	return r.alone
}

// controls refuses line breaks and other control characters in every cell: what stands here is written into the
// heads of letters.
func (b *unitsBuilder) controls(r record) {
	for _, f := range []field{fUnitCode, fUnitName, fFull, fAliases, fHonorific, fAddress, fLiaison, fLiaisonMail, fPhone, fDeputy, fDeputyMail, fHead, fHeadMail, fLegal, fLegalMail, fStaff, fStaffMail} {
		if strings.ContainsFunc(r.cells[f].Text, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }) {
			b.fail(r.problem(b.table.file, f, "the cell holds a line break or another control character: write it on one line"))
		}
	}
}

// name claims the names of a unit or group.
func (b *unitsBuilder) name(r record, code string, f field, names ...string) {
	for _, n := range names {
		k := key(n)
		if k == "" {
			continue
		}
		if old, taken := b.names[k]; taken && old.at.row != r.row || taken && old.at.sheet != r.sheet {
			b.fail(r.problem(b.table.file, f, "「%s」 is a name of 「%s」 in %stoo: a name belongs to one unit or group", n, oneLine(old.at.text(fUnitName)), place(old.at.sheet, old.at.row)))
			continue
		}
		b.names[k] = named{code, r}
	}
}

func (b *unitsBuilder) group(r record) {
	code, name, ok := b.begin(r)
	if !ok {
		return
	}
	aliases := list(r.text(fAliases))
	b.name(r, code, fUnitName, name)
	b.name(r, code, fAliases, aliases...)
	for _, n := range append([]string{code, name}, aliases...) {
		b.groups[key(n)] = code
	}
	b.draft.Groups = append(b.draft.Groups, task.Group{Code: code, Name: name, Aliases: aliases})
}

func (b *unitsBuilder) unit(r record) {
	code, name, ok := b.begin(r)
	if !ok {
		return
	}
	file := b.table.file
	u := task.Unit{Code: code, Name: name, FullName: oneLine(r.text(fFull)), Honorific: oneLine(r.text(fHonorific)),
		Address: oneLine(r.text(fAddress)), Chase: task.ChaseLetter, Aliases: list(r.text(fAliases))}
	if u.FullName == "" {
		u.FullName = name
	}
	if u.Honorific == "" {
		u.Honorific = "贵单位"
	}
	b.name(r, code, fUnitName, name)
	b.name(r, code, fFull, u.FullName)
	b.name(r, code, fAliases, u.Aliases...)
	for _, g := range list(r.text(fGroups)) {
		gc, known := b.groups[key(g)]
		if !known {
			b.fail(r.problem(file, fGroups, "no group of the table is called 「%s」: add a row with 单位组 as its 类型", g))
			continue
		}
		if !slices.Contains(u.Groups, gc) {
			u.Groups = append(u.Groups, gc)
		}
	}
	if s := heading(r.text(fChase)); s != "" {
		c, known := chases[s]
		if !known {
			b.fail(r.problem(file, fChase, "%s", chaseWords))
		}
		u.Chase = c
	}
	b.contacts(r, &u)
	b.draft.Units = append(b.draft.Units, u)
}

// contacts reads the five contacts. A name without an address is kept for the letter's salutation only where there
// is an address: a contact who cannot be written to is none.
func (b *unitsBuilder) contacts(r record, u *task.Unit) {
	for _, c := range []struct {
		role       task.Role
		name, mail field
	}{
		{task.Liaison, fLiaison, fLiaisonMail}, {task.Deputy, fDeputy, fDeputyMail}, {task.Head, fHead, fHeadMail},
		{task.Legal, fLegal, fLegalMail}, {task.PersonnelContact, fStaff, fStaffMail},
	} {
		name, address := oneLine(r.text(c.name)), r.text(c.mail)
		if address == "" {
			if c.role == task.Liaison && u.Chase == task.ChaseLetter {
				b.fail(r.problem(b.table.file, c.mail, "the unit 「%s」 is to receive letters and its liaison has no e-mail address: fill 联络员邮箱, or set 催办方式 to 人工 or 不发", u.Name))
			}
			continue
		}
		if err := checkAddress(address); err != nil {
			b.fail(r.problem(b.table.file, c.mail, "%v", err))
			continue
		}
		contact := task.Contact{Role: c.role, Name: name, Email: address}
		if c.role == task.Liaison {
			contact.Phone = oneLine(r.text(fPhone))
		}
		u.Contacts = append(u.Contacts, contact)
	}
}

// checkAddress takes a bare ASCII address and nothing else.
func checkAddress(s string) error {
	for _, c := range s {
		switch {
		case c >= 0x80:
			return fmt.Errorf("the e-mail address holds the character 「%c」: want ASCII only", c)
		case c <= ' ' || c == 0x7F || strings.ContainsRune(",;<>()[]\\\"", c):
			return fmt.Errorf("the e-mail address holds a space, a comma or another character that no address holds: give one bare address")
		}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return fmt.Errorf("this is no e-mail address: want one such as name@example.gov.cn")
	}
	return nil
}

// list splits a cell of names at 、, commas, semicolons and line breaks outside brackets.
func list(s string) []string {
	var out []string
	var b strings.Builder
	depth := 0
	flush := func() {
		if w := oneLine(b.String()); w != "" {
			out = append(out, w)
		}
		b.Reset()
	}
	for _, r := range s {
		switch {
		case strings.ContainsRune("(（〔[【", r):
			depth++
		case strings.ContainsRune(")）〕]】", r):
			depth = max(0, depth-1)
		case depth == 0 && strings.ContainsRune("、，,；;\n", r):
			flush()
			continue
		}
		b.WriteRune(r)
	}
	flush()
	return out
}
