// Package party reads the text of a unit cell (牵头单位, 责任单位, 配合单位 …) into the units and groups it names.
//
// It is a pure function of the text. A name is always a piece of the cell as written; nothing is completed, and no
// directory is consulted. What the cell leaves open is said so: a list that ends in 等 is open, and a cell with a part
// that does not read as a unit is refused whole, so that nobody is made to answer for a guess.
package party

import (
	"slices"
	"strings"

	"duban/jobs/task"
)

// Party is a unit or a group of units named in a cell, with the role the cell gives it.
type Party struct {
	Name string    `json:"name"` // as written, without spaces and line breaks
	Role task.Role `json:"role"`
	// Group is set where the name stands for several units: 各行政执法机关, 有关部门.
	Group bool `json:"group"`
}

// Reading is what a unit cell says. Its JSON is part of the command-line contract (`parse units`).
type Reading struct {
	Text    string  `json:"text"`
	Parties []Party `json:"parties"` // in the order of the cell, each name once; empty where not understood
	// Open is set where the cell says that there are more units than it names (等, 等相关部门).
	Open bool `json:"open"`
	// Understood is false where a part of the cell could not be read. Reason then says which.
	Understood bool `json:"understood"`
	// Reason is Chinese. On an understood cell it says what was left out: a responsible person, a deadline.
	Reason string `json:"reason"`
}

// Parse reads a cell whose column says nothing about roles: a bare list is responsible.
func Parse(cell string) Reading { return ParseAs(cell, task.Responsible) }

// ParseAs reads a cell of a column of the given role. What the cell itself says about roles goes first. Where the cell
// names a lead of its own, units without a mark in a column of leads are responsible.
func ParseAs(cell string, role task.Role) Reading {
	p := parser{def: role, text: fold(cell)}
	if p.text.len() > longest {
		return Reading{Text: cell, Parties: []Party{}, Reason: "单元格过长，不像单位名单"}
	}
	p.text = settleSpaces(p.text)
	p.run()
	return p.reading(cell)
}

// longest is the length in characters beyond which a cell is not read: the longest lists in use hold some five hundred.
const longest = 3000

// parser holds one reading in the making.
type parser struct {
	text text
	def  task.Role

	items []item
	// label is the role of the label in force (责任单位：), empty before the first. skip is set while the label is one
	// whose value names no units (完成时限：, 责任人：).
	label  task.Role
	skip   bool
	labels int // how many labels there were
	// head is the role that a word before the names gives them (会同).
	head task.Role
	pair bool // 甲会同乙: who leads is said
	// from is the first item a role word after the names may reach back to; comma and line are the first since the
	// last comma and the last space or line break that parts names.
	from, comma, line int
	led               bool // a unit was marked as the lead
	told              bool // a role word stood behind names
	firstLeads        bool // the cell says that the first named unit leads
	open              bool
	bad               string
	note              string
	depth             int
}

// item is a name on its way to becoming a Party. An empty role is filled in at the end.
type item struct {
	name, folded string
	group        bool
	role, label  task.Role
	from         int // the number of the label it stands behind
}

func (p *parser) fail(reason string) {
	if p.bad == "" {
		p.bad = reason
	}
}

// run reads the cell. Where the cell is prose with the units in a labelled bracket, only the bracket is read.
func (p *parser) run() {
	p.text = p.text.unwrap()
	if p.text.blank() {
		return
	}
	whole := *p
	p.readAll(p.text)
	if p.bad == "" {
		return
	}
	if inner := labelledBrackets(whole.text); len(inner) > 0 {
		*p = whole
		p.note = "只读取了括号里写明的单位"
		for _, t := range inner {
			p.readAll(t)
			p.hardBreak()
		}
	}
}

// readAll reads a run of text piece by piece.
func (p *parser) readAll(t text) {
	if p.depth++; p.depth > 8 {
		p.fail("括号嵌套过多")
		return
	}
	for _, pc := range split(t) {
		switch pc.sep {
		case ';', '。', '|':
			p.hardBreak()
		case ',':
			p.comma, p.head, p.pair = len(p.items), "", false
		case '\n':
			p.line, p.head, p.pair = len(p.items), "", false
		}
		p.piece(pc.text)
	}
	p.depth--
}

// hardBreak ends the reach of role words: what comes after belongs to another clause.
func (p *parser) hardBreak() {
	p.from, p.comma, p.line = len(p.items), len(p.items), len(p.items)
	p.head, p.pair = "", false
}

// reading settles the roles and returns the result.
func (p *parser) reading(cell string) Reading {
	r := Reading{Text: cell, Parties: []Party{}, Reason: p.note}
	if p.bad == "" && len(p.items) == 0 && !p.text.blank() {
		p.fail("没有读到单位名称")
	}
	if p.bad == "" && p.split() {
		p.fail("「市委、市政府某室」是一个单位还是两个，写法不明")
	}
	if p.bad == "" && p.distributed() {
		p.fail("「各县、市某局」是各市还是本市，写法不明")
	}
	if p.bad != "" {
		r.Reason = p.bad
		return r
	}
	r.Understood, r.Open = true, p.open
	for i, it := range p.items {
		pt := Party{Name: it.name, Role: p.settle(i, it), Group: it.group || i > 0 && several(it, p.items[i-1])}
		if at := slices.IndexFunc(r.Parties, func(q Party) bool { return q.Name == pt.Name }); at >= 0 {
			if pt.Role.Rank() < r.Parties[at].Role.Rank() {
				r.Parties[at].Role = pt.Role
			}
			continue
		}
		r.Parties = append(r.Parties, pt)
	}
	return r
}

// settle returns the role of item i: its own mark, else its label's, else the column's.
func (p *parser) settle(i int, it item) task.Role {
	switch {
	case it.role != "":
		return it.role
	case p.firstLeads && i == 0:
		return task.Lead
	case it.label != "":
		return it.label
	case p.def == task.Lead && (p.led || p.firstLeads):
		return task.Responsible
	}
	return p.def
}

// split reports a party committee followed by an office of its government, which may be one joint office.
func (p *parser) split() bool {
	for i := 1; i < len(p.items); i++ {
		a, b := []rune(p.items[i-1].folded), []rune(p.items[i].folded)
		if len(a) == 2 && a[1] == '委' && len(b) > 3 && b[0] == a[0] && string(b[1:3]) == "政府" {
			return true
		}
	}
	return false
}

// distributed reports 各盟行政公署、市人民政府 and 各县、市司法局: whether 各 reaches the second name cannot be told.
func (p *parser) distributed() bool {
	for i := 1; i < len(p.items); i++ {
		a, b := p.items[i-1], []rune(p.items[i].folded)
		if slices.Contains([]string{"各县", "各区", "各旗"}, a.folded) && b[0] == '市' && !p.items[i].group && hasSuffix(string(b)) {
			return true // 各县、市司法局
		}
		if a.group && strings.Contains(a.folded, "各") && endsIn(a.folded, "政府", "公署") &&
			strings.ContainsRune("市县区旗镇乡", b[0]) && slices.Contains([]string{"人民政府", "政府"}, string(b[1:])) {
			return true
		}
	}
	return false
}
