package closing

import (
	"fmt"
	"slices"
	"strings"

	"duban/notify/notice"
)

// label names the period that is restated.
func (r restatement) label() string {
	return fmt.Sprintf("%s（第%d期）", periodName(r.closing.Period), r.closing.Issue)
}

// who names whose return changed; several says that a unit owed several of the period.
func (r restatement) who(c Change) string {
	if len(instances(r.now)) > 1 || strings.Contains(r.closing.Period, "W") {
		return c.Name + periodName(c.Instance)
	}
	return c.Name
}

// correction lists what earlier periods come to by now: a line for each return, and one of the sums. Their frozen figures
// stay.
func (s summary) correction() notice.Section {
	sec := notice.Section{Heading: "更正"}
	for _, r := range s.restated {
		for rest := r.changes; len(rest) > 0; {
			first := rest[0]
			n := slices.IndexFunc(rest, func(c Change) bool { return c.Unit != first.Unit || c.Instance != first.Instance })
			if n < 0 {
				n = len(rest)
			}
			sec.Lines = append(sec.Lines, r.label()+r.who(first)+"："+restated(rest[:n])+"。")
			rest = rest[n:]
		}
		if sums := r.sums(); len(sums) > 0 {
			var parts []string
			for _, t := range sums {
				parts = append(parts, fmt.Sprintf("%s由%d%s更正为%d%s，%s%s", t.label, t.old, t.unit, t.now, t.unit, difference10(t.now-t.old), t.unit))
			}
			sec.Lines = append(sec.Lines, r.label()+"合计："+strings.Join(parts, "；")+"。")
		}
	}
	if len(sec.Lines) > 0 {
		sec.Paras = []string{fmt.Sprintf("截至%s，以前各期有下列补报和更正。原期数据按关账时保留，不作改动。", monthDay(s.period.On))}
	}
	return sec
}

// restated is what became of one return. Figures of one that had not come, or that is taken back, have nothing to be
// compared with: nought would be a nil return.
func restated(of []Change) string {
	var parts, figures []string
	for _, c := range of {
		switch {
		case c.Field == "" && c.LateIssue:
			parts = append(parts, c.To)
		case c.Field == "":
			parts = append(parts, fmt.Sprintf("报送情况由“%s”更正为“%s”", c.From, c.To))
		case c.newly():
			figures = append(figures, fmt.Sprintf("“%s”%d", c.Field, c.New))
		case c.taken():
			figures = append(figures, fmt.Sprintf("“%s”%d", c.Field, c.Old))
		default:
			parts = append(parts, fmt.Sprintf("“%s”由%d更正为%d，%s", c.Field, c.Old, c.New, difference10(c.New-c.Old)))
		}
	}
	text := strings.Join(parts, "；")
	switch {
	case len(figures) == 0:
	case of[0].Gone:
		text += "，原报" + strings.Join(figures, "、") + "不再计入"
	default:
		text += "，" + strings.Join(figures, "、")
	}
	return text
}

// counted is the field of a number that is to be reached; it is counted all along, whether or not it was reached.
const counted = "完成数"

func (c Change) newly() bool { return c.First && c.Field != counted }
func (c Change) taken() bool { return c.Gone && c.Field != counted }

// restatedSum is a sum of a period that changed.
type restatedSum struct {
	label, unit string
	old, now    int64
}

// sums are the sums that changed: of the figures, of the numbers counted, and how many returns stand in each state.
func (r restatement) sums() []restatedSum {
	var out []restatedSum
	add := func(label, unit string, old, now int64) {
		if old != now {
			out = append(out, restatedSum{label, unit, old, now})
		}
	}
	for _, name := range r.now.Fields {
		add("“"+name+"”", "", r.before.Sums[name], r.now.Sums[name])
	}
	done := func(x Return) int { return x.Count }
	add("“"+counted+"”", "", r.before.total(done), r.now.total(done))
	w, unit, a, b := r.now.speech(), unitWord(r.now), r.before.Counts, r.now.Counts
	add(w.owed, unit, int64(a.Due), int64(b.Due))
	for _, s := range states() {
		add(w.words(s), unit, int64(a.Of(s)), int64(b.Of(s)))
	}
	return out
}

// difference10 is a difference in words.
func difference10(n int64) string {
	if n < 0 {
		return fmt.Sprintf("减少%d", -n)
	}
	return fmt.Sprintf("增加%d", n)
}

// changes is the same as a table.
func (s summary) changes() notice.Table {
	t := notice.Table{Columns: []notice.Column{
		{Name: "期次", Width: 20}, {Name: "单位", Width: 22}, {Name: "项目", Width: 18}, {Name: "原数", Width: 20}, {Name: "更正后", Width: 26}, {Name: "差额", Width: 8},
	}}
	row := func(tone notice.Tone, texts ...string) {
		var cells []notice.Cell
		for _, text := range texts {
			cells = append(cells, notice.Cell{Text: text, Tone: tone})
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, r := range s.restated {
		for _, c := range r.changes {
			old, now := fmt.Sprint(c.Old), fmt.Sprint(c.New)
			switch {
			case c.Field == "":
				row(notice.Plain, r.label(), r.who(c), "报送情况", c.From, c.To, "")
				continue
			case c.newly():
				old = "（未报）"
			case c.taken():
				now = "（未报）"
			}
			row(notice.Plain, r.label(), r.who(c), c.Field, old, now, fmt.Sprintf("%+d", c.New-c.Old))
		}
		for _, x := range r.sums() {
			row(notice.Strong, r.label(), "合计", strings.Trim(x.label, "“”"), fmt.Sprint(x.old)+x.unit, fmt.Sprint(x.now)+x.unit, fmt.Sprintf("%+d", x.now-x.old))
		}
	}
	return t
}
