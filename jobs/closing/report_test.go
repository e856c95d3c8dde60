package closing

import (
	"strings"
	"testing"

	"duban/notify/notice"
)

// TestReduceTakesOutWhatWasSettled: a unit that answered between draft and issue is named neither in the report nor in the
// bulletin drafted with it, and every count follows.
func TestReduceTakesOutWhatWasSettled(t *testing.T) {
	refs := []string{"town/zl/1/csj/m1", "town/zl/1/jtj/m1", "town/zl/2/jtj/m1"}
	lines := []string{"城管局：第1项", "交通局：第1项", "交通局：第2项"}
	paper := notice.Paper{
		Subject: "督办后仍" + openItems(3), Opening: []string{"截至1月15日，" + extent(2, 3) + "仍未办结。"},
		Sections: []notice.Section{{Heading: "逾期未办结事项", Lines: lines}, {Heading: "有关建议", Paras: []string{"建议。"}}},
		Sheets: []notice.Sheet{{Table: notice.Table{Rows: [][]notice.Cell{
			{{N: 1}, {Text: "城管局"}}, {{N: 2}, {Text: "交通局"}}, {{N: 3}, {Text: "交通局"}},
		}}}},
		Drafts: []notice.Draft{{Paper: notice.Paper{Opening: []string{extent(2, 3) + "经督办后仍未办结。"}, Sections: []notice.Section{{Lines: lines}}}}},
	}
	got, left := Reduce(paper, refs, func(ref string) bool { return ref == refs[0] })
	if strings.Join(left, " ") != refs[1]+" "+refs[2] {
		t.Errorf("left: %v", left)
	}
	all := got.Subject + got.Opening[0] + strings.Join(got.Sections[0].Lines, "") + got.Drafts[0].Paper.Opening[0] + strings.Join(got.Drafts[0].Paper.Sections[0].Lines, "")
	for _, want := range []string{"督办后仍未办结2项次", "截至1月15日，1家单位的2项次任务仍未办结", "1家单位的2项次任务经督办后仍未办结", "交通局：第1项交通局：第2项"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %q", want, all)
		}
	}
	if strings.Contains(all, "城管局") {
		t.Errorf("the unit that answered is named: %q", all)
	}
	if rows := got.Sheets[0].Rows; len(rows) != 2 || rows[0][0].N != 1 || rows[1][0].N != 2 || rows[0][1].Text != "交通局" {
		t.Errorf("the sheet: %+v", rows)
	}
	if len(paper.Sections[0].Lines) != 3 || paper.Sheets[0].Rows[1][0].N != 2 || paper.Drafts[0].Paper.Opening[0] != extent(2, 3)+"经督办后仍未办结。" {
		t.Error("the draft itself was changed")
	}
	if _, left := Reduce(paper, refs, func(string) bool { return true }); len(left) != 0 {
		t.Errorf("left of nothing: %v", left)
	}
}
