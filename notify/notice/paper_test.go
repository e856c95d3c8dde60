package notice

import (
	"slices"
	"testing"
)

func TestWordsOfACell(t *testing.T) {
	table := Table{
		Columns: []Column{{Name: "单位"}, {Name: "数", Numeric: true}},
		Rows:    [][]Cell{{{Text: "甲"}, {N: -3}}, {{N: 7}, {Text: "—", N: 9}, {Text: "多"}}, {{}, {}}, nil},
	}
	for _, c := range []struct {
		row, column int
		want        string
	}{
		{0, 0, "甲"}, {0, 1, "-3"}, {1, 0, ""}, {1, 1, "—"}, {1, 2, "多"}, {2, 0, ""}, {2, 1, "0"}, {3, 0, ""}, {3, 1, ""}, {4, 0, ""}, {-1, 0, ""}, {0, -1, ""}, {0, 9, ""},
	} {
		if got := table.Words(c.row, c.column); got != c.want {
			t.Errorf("row %d, column %d: %q, want %q", c.row, c.column, got, c.want)
		}
	}
}

func TestWhatStandsUnderATitle(t *testing.T) {
	for _, c := range []struct {
		p    Paper
		want []string
	}{
		{Paper{}, nil},
		{Paper{Issue: "第3期", Number: "督〔2024〕1号", Sub: "截至"}, []string{"（第3期）", "督〔2024〕1号", "截至"}},
		{Paper{Title: "情况（第3期）", Issue: "第3期"}, nil},
		{Paper{Issue: "（总第9期）"}, []string{"（总第9期）"}},
		{Paper{Number: "督〔2024〕1号", Form: []FormRow{{Label: "编号", Text: "督〔2024〕1号"}}}, nil},
		{Paper{Number: "督〔2024〕1号", Form: []FormRow{{Label: "编号"}}}, []string{"督〔2024〕1号"}},
	} {
		if got := c.p.Under(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
}

func TestOrdinalsOfSections(t *testing.T) {
	of := func(headings ...string) []string {
		var p Paper
		for _, h := range headings {
			p.Sections = append(p.Sections, Section{Heading: h})
		}
		return p.Ordinals()
	}
	for _, c := range []struct{ got, want []string }{
		{of(), []string{}},
		{of("甲"), []string{""}},
		{of("甲", "", "乙"), []string{"一", "", "二"}},
		{of("", "甲"), []string{"", ""}},
		{of(slices.Repeat([]string{"甲"}, 12)...)[9:], []string{"十", "十一", "十二"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for n, want := range map[int]string{19: "十九", 20: "二十", 21: "二十一", 99: "九十九", 100: "100"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestRoomInAForm(t *testing.T) {
	for _, c := range []struct {
		r    FormRow
		want int
	}{
		{FormRow{}, 1}, {FormRow{Text: "有"}, 0}, {FormRow{Tall: true}, 5}, {FormRow{Tall: true, Text: "有"}, 3}, {FormRow{Heading: true, Tall: true}, 0},
	} {
		if got := c.r.Room(); got != c.want {
			t.Errorf("%+v: %d lines, want %d", c.r, got, c.want)
		}
	}
}

func TestWhomToAsk(t *testing.T) {
	row := []FormRow{{Label: "联系人", Text: "示例甲，电话：1"}}
	for _, c := range []struct {
		p    Paper
		want string
	}{
		{Paper{Contact: "联系人：示例甲"}, "联系人：示例甲"}, {Paper{Contact: "联系人：示例甲，电话：1", Form: row}, ""}, {Paper{Contact: "示例甲，电话：1", Form: row}, ""},
		{Paper{Contact: "联系人：示例乙", Form: row}, "联系人：示例乙"}, {Paper{Form: []FormRow{{Label: "联系人"}}}, ""},
	} {
		if got := c.p.Whom(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
}
