package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"duban/jobs/party"
	"duban/jobs/task"
)

func monthOf(n int) time.Month { return time.Month(n) }

// directory finds units and groups by any of their names.
type directory struct {
	dir    task.Directory
	byName map[string][]found
}

type found struct {
	code  string
	group bool
}

func newDirectory(dir task.Directory) directory {
	d := directory{dir, map[string][]found{}}
	add := func(f found, names ...string) {
		for _, n := range names {
			if k := key(n); k != "" && !slices.Contains(d.byName[k], f) {
				d.byName[k] = append(d.byName[k], f)
			}
		}
	}
	for _, u := range dir.Units {
		add(found{code: u.Code}, append([]string{u.Code, u.Name, u.FullName}, u.Aliases...)...)
	}
	for _, g := range dir.Groups {
		add(found{g.Code, true}, append([]string{g.Code, g.Name}, g.Aliases...)...)
	}
	return d
}

// key brings a name into the form names are compared in: NFKC, one kind of bracket, no spaces.
func key(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
			return -1
		case strings.ContainsRune("〔[【〖", r):
			return '('
		case strings.ContainsRune("〕]】〗", r):
			return ')'
		}
		return r
	}, norm.NFKC.String(s))
}

// find returns the unit or group of the name. A name with a second one in brackets, 市城管局（综合执法局）, is looked for
// whole, then by what stands outside and inside, which must not be two different units.
func (d directory) find(name string) (found, error) {
	k := key(name)
	all := d.byName[k]
	if len(all) == 0 {
		if i := strings.IndexByte(k, '('); i > 0 && strings.HasSuffix(k, ")") {
			for _, part := range []string{k[:i], k[i+1 : len(k)-1]} {
				for _, f := range d.byName[part] {
					if !slices.Contains(all, f) {
						all = append(all, f)
					}
				}
			}
		}
	}
	switch len(all) {
	case 0:
		return found{}, fmt.Errorf("no unit or group is called 「%s」: add it to the table of units, or as an alias (别名) there", name)
	case 1:
		return all[0], nil
	}
	return found{}, fmt.Errorf("「%s」 may be %s or %s: give one of them another alias", name, all[0].code, all[1].code)
}

// parties reads the unit cells of a row and who of them owes the deliverable.
func (b *planBuilder) parties(r record, t *task.Task) {
	t.LeadText, t.ResponsibleText, t.SupportText = r.text(fLead), r.text(fResp), r.text(fSupport)
	n := len(b.probs)
	empty := true
	for _, col := range []struct {
		f    field
		role task.Role
	}{{fLead, task.Lead}, {fResp, task.Responsible}, {fSupport, task.Support}, {fGuide, task.Guide}} {
		if r.text(col.f) == "" {
			continue
		}
		empty = false
		for _, p := range b.cell(r, col.f, col.role) {
			i := slices.IndexFunc(t.Parties, func(q task.Party) bool { return q.Code == p.Code && q.Group == p.Group })
			switch {
			case i < 0:
				t.Parties = append(t.Parties, p)
			case p.Role.Rank() < t.Parties[i].Role.Rank():
				t.Parties[i].Role, t.Parties[i].Owes = p.Role, p.Owes
			}
		}
	}
	if len(t.Parties) == 0 && len(b.probs) == n {
		if empty {
			b.fail(r.problem(b.table.file, cmp.Or(b.unitColumn(), fResp), "the row names no unit"))
		} else {
			b.fail(r.problem(b.table.file, b.unitColumn(), "no unit could be read from the row"))
		}
	}
	if r.text(fOwes) != "" && len(b.probs) == n {
		b.owes(r, t)
	}
}

// unitColumn returns a column of units that the file has.
func (b *planBuilder) unitColumn() field {
	for _, f := range []field{fResp, fLead, fSupport} {
		if b.table.columns[f] {
			return f
		}
	}
	return ""
}

// cell reads one unit cell. An open list gives the units it names, and a note.
func (b *planBuilder) cell(r record, f field, role task.Role) []task.Party {
	text := r.text(f)
	reading := party.ParseAs(text, role)
	if !reading.Understood {
		b.fail(r.problem(b.table.file, f, "the units cannot be read: %s", reading.Reason))
		return nil
	}
	if reading.Open {
		b.draft.Notes = append(b.draft.Notes, fmt.Sprintf("%scolumn %s 「%s」 is an open list: only the units it names were taken", place(r.sheet, r.row), r.heads[f], short(text)))
	}
	var out []task.Party
	for _, p := range reading.Parties {
		who, err := b.who.find(p.Name)
		if err != nil {
			b.fail(r.problem(b.table.file, f, "%v", err))
			continue
		}
		out = append(out, task.Party{Code: who.code, Group: who.group, Role: p.Role, Owes: owes(p.Role)})
	}
	return out
}

// owes is what a role owes where nothing else is said.
func owes(r task.Role) task.Owes {
	if r == task.Lead || r == task.Responsible {
		return task.OwesDeliver
	}
	return task.OwesSupport
}

// owes reads 应报单位: roles or names. Those named deliver, all others of the row support.
func (b *planBuilder) owes(r record, t *task.Task) {
	deliver := map[int]bool{}
	for _, word := range strings.FieldsFunc(r.text(fOwes), func(c rune) bool { return strings.ContainsRune("、，,；;\n", c) }) {
		role, all := task.Role(""), false
		switch heading(word) {
		case "牵头单位", "牵头", "lead":
			role = task.Lead
		case "责任单位", "责任", "responsible":
			role = task.Responsible
		case "配合单位", "配合", "support":
			role = task.Support
		case "指导单位", "guide":
			role = task.Guide
		case "全部", "全部单位", "所有单位", "all":
			all = true
		default:
			b.owesNamed(r, t, deliver)
			b.applyOwes(t, deliver)
			return
		}
		hit := false
		for i, p := range t.Parties {
			if all || p.Role == role {
				deliver[i], hit = true, true
			}
		}
		if !hit {
			b.fail(r.problem(b.table.file, fOwes, "the row has no unit of the role 「%s」", heading(word)))
		}
	}
	b.applyOwes(t, deliver)
}

func (b *planBuilder) applyOwes(t *task.Task, deliver map[int]bool) {
	for i := range t.Parties {
		t.Parties[i].Owes = task.OwesSupport
		if deliver[i] {
			t.Parties[i].Owes = task.OwesDeliver
		}
	}
}

// owesNamed reads names. A member of a group of the row becomes a party of its own.
func (b *planBuilder) owesNamed(r record, t *task.Task, deliver map[int]bool) {
	reading := party.Parse(r.text(fOwes))
	if !reading.Understood || reading.Open {
		b.fail(r.problem(b.table.file, fOwes, "want names of units of the row, or 牵头单位, 责任单位, 全部: %s", reading.Reason))
		return
	}
	for _, p := range reading.Parties {
		who, err := b.who.find(p.Name)
		if err != nil {
			b.fail(r.problem(b.table.file, fOwes, "%v", err))
			continue
		}
		i := slices.IndexFunc(t.Parties, func(q task.Party) bool { return q.Code == who.code && q.Group == who.group })
		if i < 0 && !who.group {
			i = slices.IndexFunc(t.Parties, func(q task.Party) bool {
				return q.Group && slices.Contains(b.who.dir.Members(q.Code), who.code)
			})
			if i >= 0 {
				t.Parties = append(t.Parties, task.Party{Code: who.code, Role: t.Parties[i].Role})
				i = len(t.Parties) - 1
			}
		}
		if i < 0 {
			b.fail(r.problem(b.table.file, fOwes, "「%s」 is not among the units of the row", p.Name))
			continue
		}
		deliver[i] = true
	}
}
