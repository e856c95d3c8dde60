package ledger

import (
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/testdata"
)

// town is a directory with two groups; 财政局 belongs to 各执法部门.
func town() task.Directory {
	return task.Directory{
		Units: []task.Unit{
			{Code: "sfj", Name: "区司法局", FullName: "某市某区司法局", Aliases: []string{"各司法局"}},
			{Code: "czj", Name: "区财政局", Groups: []string{"zf"}},
			{Code: "rsj", Name: "区人力资源社会保障局", Aliases: []string{"区人社局"}, Groups: []string{"zf"}},
			{Code: "cgj", Name: "区城管局", Aliases: []string{"区综合执法局"}, Groups: []string{"zf"}},
		},
		Groups: []task.Group{{Code: "zf", Name: "各执法部门", Aliases: []string{"各行政执法部门"}}, {Code: "zj", Name: "各镇（街道）"}},
	}
}

const top = "方案代码,p1\n方案名称,某方案\n文号,某政办字〔2024〕1号\n印发日期,2024-07-08\n"

func plan(t *testing.T, csv string) (PlanDraft, Problems) {
	t.Helper()
	book, err := Read("plan.csv", []byte(csv))
	must(t, err)
	return Plan(book, town(), PlanOptions{Jurisdiction: "town"})
}

// line writes a task as the tables below do.
func line(k task.Task) string {
	s := fmt.Sprintf("%s|%s|%s|%s|%s|", k.Row, k.Heading, k.Section, k.Title, k.DeadlineText)
	for i, p := range k.Parties {
		if i > 0 {
			s += " "
		}
		s += fmt.Sprintf("%s:%s:%s", p.Code, p.Role, p.Owes)
		if p.Group {
			s += "*"
		}
	}
	return s
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name, csv string
		want      []string
	}{
		{"plain", top + "序号,任务,责任单位,完成时限\n1,甲,区司法局,2024年底前\n2,乙,各执法部门,长期坚持\n",
			[]string{"1|||甲|2024年底前|sfj:responsible:deliver", "2|||乙|长期坚持|zf:responsible:deliver*"}},
		{"any order, spaced and bracketed headings", top + "完成 时限（截止）,配合单位,牵头单位,具体措施,编号\n2024年底前,区财政局,区司法局,甲,A-1\n",
			[]string{"A-1|||甲|2024年底前|sfj:lead:deliver czj:support:support"}},
		{"编号 before 序号", top + "序号,编号,任务,责任单位,完成时限\n1,1-1,甲,区司法局,\n1,1-2,乙,区司法局,\n,1-3,丙,区司法局,\n",
			[]string{"1-1|||甲||sfj:responsible:deliver", "1-2|||乙||sfj:responsible:deliver", "1-3|||丙||sfj:responsible:deliver"}},
		{"headings as above", top + "序号,一级任务,二级任务,措施,责任单位,时间节点\n1,一、甲,（一）子,a,区司法局,\n2,,,b,区司法局,\n3,,（二）丑,c,区司法局,\n4,二、乙,,d,区司法局,\n",
			[]string{"1|一、甲|（一）子|a||sfj:responsible:deliver", "2|一、甲|（一）子|b||sfj:responsible:deliver", "3|一、甲|（二）丑|c||sfj:responsible:deliver", "4|二、乙||d||sfj:responsible:deliver"}},
		{"重点任务 beside 具体措施", top + "序号,重点任务,具体措施,责任单位,完成时限\n1,大,小,区司法局,\n2,,小二,区司法局,\n",
			[]string{"1|大||小||sfj:responsible:deliver", "2|大||小二||sfj:responsible:deliver"}},
		{"heading rows", top + "序号,任务,责任单位,完成时限\n一、总体,,,\n1,甲,区司法局,\n（一）分项,,,\n2,乙,区司法局,\n",
			[]string{"1|一、总体||甲||sfj:responsible:deliver", "2|一、总体|（一）分项|乙||sfj:responsible:deliver"}},
		{"notes, empty rows and repeated headers", top + "序号,任务,责任单位,完成时限\n1,甲,区司法局,\n,,,\n序号,任务,责任单位,完成时限\n2,乙,区司法局,\n注：以上为暂定,,,\n备注,1.另行通知,,\n说明：无,,,\n",
			[]string{"1|||甲||sfj:responsible:deliver", "2|||乙||sfj:responsible:deliver"}},
		{"roles in the cell", top + "序号,任务,责任单位,完成时限\n1,甲,\"区司法局牵头，区财政局、区人社局配合\",\n2,乙,区司法局（牵头）、各行政执法部门,\n",
			[]string{"1|||甲||sfj:lead:deliver czj:support:support rsj:support:support", "2|||乙||sfj:lead:deliver zf:responsible:deliver*"}},
		{"aliases, brackets, width", top + "序号,任务,责任单位,完成时限\n1,甲,各司法局、各镇(街道),\n2,乙,区城管局（区综合执法局）、某市某区司法局,\n3,丙,区 人 社 局,\n",
			[]string{"1|||甲||sfj:responsible:deliver zj:responsible:deliver*", "2|||乙||cgj:responsible:deliver sfj:responsible:deliver", "3|||丙||rsj:responsible:deliver"}},
		{"named twice keeps the stronger role", top + "序号,任务,牵头单位,责任单位,完成时限\n1,甲,区司法局,区司法局、区财政局,\n",
			[]string{"1|||甲||sfj:lead:deliver czj:responsible:deliver"}},
		{"open list", top + "序号,任务,责任单位,完成时限\n1,甲,区司法局、区财政局等部门,\n", []string{"1|||甲||sfj:responsible:deliver czj:responsible:deliver"}},
		{"应报单位 by role and by name", top + "序号,任务,牵头单位,责任单位,应报单位,完成时限\n1,甲,区司法局,各执法部门,责任单位,\n2,乙,区司法局,各执法部门,区司法局,\n3,丙,区司法局,各执法部门,全部,\n4,丁,区司法局,各执法部门,区财政局,\n",
			[]string{"1|||甲||sfj:lead:support zf:responsible:deliver*", "2|||乙||sfj:lead:deliver zf:responsible:support*", "3|||丙||sfj:lead:deliver zf:responsible:deliver*", "4|||丁||sfj:lead:support zf:responsible:support* czj:responsible:deliver"}},
		{"an unreadable deadline is kept", top + "序号,任务,责任单位,完成时限\n1,甲,区司法局,2024-02-30\n2,乙,区司法局,尽快\n",
			[]string{"1|||甲|2024-02-30|sfj:responsible:deliver", "2|||乙|尽快|sfj:responsible:deliver"}},
		{"line breaks", top + "序号,一级任务,任务,责任单位,完成时限\n1,\"五、健全\n体系\",\"甲\n乙\",\"区司法\n局\",\"2024年\n底前\"\n",
			[]string{"1|五、健全体系||甲乙|2024年\n底前|sfj:responsible:deliver"}},
		{"numbers with a full stop", top + "序号,任务,责任单位,完成时限\n１．,甲,区司法局,\n2、,乙,区司法局,\n", []string{"1|||甲||sfj:responsible:deliver", "2|||乙||sfj:responsible:deliver"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, problems := plan(t, c.csv)
			if len(problems) > 0 {
				t.Fatal(problems.Error())
			}
			if len(d.Tasks) != len(c.want) {
				t.Fatalf("%d tasks, want %d: %v", len(d.Tasks), len(c.want), d.Notes)
			}
			for i, w := range c.want {
				if got := line(d.Tasks[i]); got != w {
					t.Errorf("row %d\n\tread %s\n\twant %s", i+1, got, w)
				}
				if k := d.Tasks[i]; k.Order != i+1 || k.Jurisdiction != "town" || k.Plan != "p1" || k.Source == "" || k.Parser == 0 {
					t.Errorf("particulars: %+v", k)
				}
			}
		})
	}
}

func TestPlanColumns(t *testing.T) {
	d, problems := plan(t, top+"序号,任务,责任单位,完成时限,成果形式,佐证材料,报送方式,报送对象,催办方式,有效期至,报告日,事项类别\n"+
		"1,甲,区司法局,,总结,照片,书面,区司法局,仅知悉,2025年12月31日,10日,长期\n2,乙,区司法局,每月25日前,,,,,letter,2025/6/30,5,\n3,丙,区司法局,不少于60学时,,,,,不发,,,人员\n")
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	k := d.Tasks[0]
	if k.Deliverable != "总结" || k.Evidence != "照片" || k.Channel != "书面" || k.SendTo != "区司法局" || k.Chase != task.ChaseCourtesy ||
		k.ValidTo != civil.Of(2025, time.December, 31) || k.ReportDay != 10 || k.Category != task.Standing || !k.Reading.Understood || !k.Reading.Standing {
		t.Errorf("%+v", k)
	}
	if k := d.Tasks[1]; k.Chase != task.ChaseLetter || k.ValidTo != civil.Of(2025, time.June, 30) || k.Reading.Recurrence == nil {
		t.Errorf("%+v", k)
	}
	if k := d.Tasks[2]; k.Chase != task.ChaseNone || k.Category != task.Personnel {
		t.Errorf("%+v", k)
	}
	if p := d.Plan; p.Title != "某方案" || p.DocNumber != "某政办字〔2024〕1号" || p.Issued != civil.Of(2024, time.July, 8) {
		t.Errorf("%+v", p)
	}
}

// Each bad row is named with its row, column and a reason; the others are still checked.
func TestPlanProblems(t *testing.T) {
	head := "序号,任务,牵头单位,责任单位,完成时限\n"
	wide := "序号,任务,责任单位,完成时限,应报单位,催办方式,有效期至,报告日,事项类别\n"
	for _, c := range []struct {
		name, csv string
		want      []string
	}{
		{"unknown unit", top + head + "1,甲,区某某局,,\n", []string{"row 6, column 牵头单位 「区某某局」: no unit or group is called 「区某某局」"}},
		{"unknown group", top + head + "1,甲,,各派驻机构,\n", []string{"row 6, column 责任单位", "no unit or group is called 「各派驻机构」"}},
		{"unreadable units", top + head + "1,甲,,张三,\n", []string{"column 责任单位 「张三」", "cannot be read"}},
		{"no unit", top + head + "1,甲,,,2024年底前\n", []string{"row 6", "names no unit"}},
		{"a number alone", top + head + "1,甲,区司法局,,\n2,,,,\n", []string{"row 7, column 任务", "no task"}},
		{"a measure alone", top + head + "1,甲,区司法局,,\n,乙,,,\n", []string{"row 7, column 序号", "no 序号"}},
		{"no title", top + head + "1,,区司法局,,2024年底前\n", []string{"row 6, column 任务", "no task"}},
		{"no number", top + head + ",甲,区司法局,,2024年底前\n", []string{"row 6, column 序号", "no 序号"}},
		{"slash in the number", top + head + "1/2,甲,区司法局,,\n", []string{"row 6, column 序号", "no slash"}},
		{"same number twice", top + head + "1,甲,区司法局,,\n1,乙,区司法局,,\n", []string{"row 7, column 序号 「1」", "stands in row 6 as well", "甲"}},
		{"same row twice", top + head + "1,甲,区司法局,,2024年底前\n2,甲,区司法局,,2024年底前\n", []string{"row 7", "repeats row 6"}},
		{"all of them", top + head + "1,甲,区甲局,区乙局,\n2,,区司法局,,\n,丙,区司法局,,\n", []string{"区甲局", "区乙局", "row 7", "row 8"}},
		{"no issue date", "方案代码,p1\n方案名称,某\n" + head + "1,甲,区丙局,,2024年底前\n", []string{"印发日期", "no date of issue", "区丙局"}},
		{"no such issue date", "方案代码,p1\n方案名称,某\n印发日期,2024-02-30\n" + head + "1,甲,区司法局,,\n", []string{"row 3, column 印发日期 「2024-02-30」", "no such day"}},
		{"no code", "方案名称,某\n印发日期,2024-06-05\n" + head + "1,甲,区司法局,,\n", []string{"方案代码", "--code"}},
		{"no name", "方案代码,p1\n印发日期,2024-06-05\n" + head + "1,甲,区司法局,,\n", []string{"方案名称", "--title"}},
		{"bad code", "方案代码,方案/1\n方案名称,某\n印发日期,2024-06-05\n" + head + "1,甲,区司法局,,\n", []string{"row 1, column 方案代码 「方案/1」"}},
		{"no header", top + "甲,乙,丙\n", []string{"no header row"}},
		{"no rows", top + head, []string{"holds no rows"}},
		{"no number column", top + "任务,责任单位,完成时限\n甲,区司法局,\n", []string{"row 5", "no column 序号"}},
		{"two columns for one thing", top + "序号,任务,责任单位,责任部门,完成时限\n1,甲,区司法局,,\n", []string{"row 5", "责任单位", "责任部门", "mean the same"}},
		{"validity that is no day", top + wide + "1,甲,区司法局,,,,2024-02-30,,\n", []string{"row 6, column 有效期至 「2024-02-30」", "no such day"}},
		{"validity that is no date", top + wide + "1,甲,区司法局,,,,长期,,\n", []string{"column 有效期至", "want a date"}},
		{"chase", top + wide + "1,甲,区司法局,,,电话,,,\n", []string{"column 催办方式 「电话」", "发函"}},
		{"category", top + wide + "1,甲,区司法局,,,,,,其他\n", []string{"column 事项类别 「其他」"}},
		{"report day", top + wide + "1,甲,区司法局,,,,,32,\n", []string{"column 报告日 「32」"}},
		{"owes a stranger", top + wide + "1,甲,区司法局,,区财政局,,,,\n", []string{"column 应报单位 「区财政局」", "not among"}},
		{"owes a role nobody has", top + wide + "1,甲,区司法局,,牵头单位,,,,\n", []string{"column 应报单位", "牵头单位"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := plan(t, c.csv)
			if len(problems) == 0 {
				t.Fatal("no problem was found")
			}
			for _, w := range c.want {
				if !strings.Contains(problems.Error(), w) {
					t.Errorf("%q is not in\n%s", w, problems.Error())
				}
			}
			if strings.Contains(problems.Error(), "column :") {
				t.Error(problems.Error())
			}
		})
	}
}

func TestPlanFlags(t *testing.T) {
	book, err := Read("p.csv", []byte("序号,任务,责任单位,完成时限\n1,甲,区司法局,6月底前\n"))
	must(t, err)
	opt := PlanOptions{Jurisdiction: "town", Code: "p9", Title: "某", DocNumber: "某号", Issued: civil.Of(2024, 1, 5), ValidTo: civil.Of(2025, 12, 31)}
	d, problems := Plan(book, town(), opt)
	if len(problems) > 0 || d.Plan.Code != "p9" || d.Plan.Issued != opt.Issued || d.Plan.ValidTo != opt.ValidTo || d.Tasks[0].Reading.Milestones[0].Due != civil.Of(2024, 6, 30) {
		t.Errorf("%+v %v", d, problems)
	}
	if _, problems = Plan(book, town(), PlanOptions{Code: "p9", Title: "某", Issued: opt.Issued}); !strings.Contains(problems.Error(), "--jurisdiction") {
		t.Error(problems)
	}
}

func TestPlanWorkbook(t *testing.T) {
	b := workbook(t, func(f *excelize.File) {
		fill(t, f, "Sheet1",
			[]any{"某区任务台账"},
			[]any{"方案代码：p1", "", "印发日期", time.Date(2024, 7, 8, 0, 0, 0, 0, time.UTC)},
			[]any{"序号", "任务措施", "责任分工", "", "完成时限"},
			[]any{"", "", "牵头单位", "配合单位", ""},
			[]any{1, "甲", "区司法局", "区财政局", time.Date(2024, 9, 30, 0, 0, 0, 0, time.UTC)},
			[]any{2, "乙", "区司法局", "", "2024年底前"},
			[]any{3, "丙", "", "", ""},
		)
		must(t, f.MergeCell("Sheet1", "C3", "D3"))
		for _, col := range []string{"A", "B", "E"} {
			must(t, f.MergeCell("Sheet1", col+"3", col+"4"))
		}
		must(t, f.MergeCell("Sheet1", "C6", "C7"))
		must(t, f.MergeCell("Sheet1", "E6", "E7"))
		_, err := f.NewSheet("续表")
		must(t, err)
		fill(t, f, "续表", []any{4, "丁", "区财政局", "", "长期坚持"}, []any{"注：完"})
		_, err = f.NewSheet("另表")
		must(t, err)
		fill(t, f, "另表", []any{"完成时限", "责任单位", "任务", "序号"}, []any{"2025年6月底前", "各执法部门", "戊", 5})
	})
	book, err := Read("p.xlsx", b)
	must(t, err)
	d, problems := Plan(book, town(), PlanOptions{Jurisdiction: "town"})
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	want := []string{"1|||甲|2024-09-30|sfj:lead:deliver czj:support:support", "2|||乙|2024年底前|sfj:lead:deliver", "3|||丙|2024年底前|sfj:lead:deliver",
		"4|||丁|长期坚持|czj:lead:deliver", "5|||戊|2025年6月底前|zf:responsible:deliver*"}
	var got []string
	for _, k := range d.Tasks {
		got = append(got, line(k))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("read\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d.Plan.Title != "某区任务台账" || d.Plan.Code != "p1" || d.Plan.Issued != civil.Of(2024, 7, 8) {
		t.Errorf("%+v", d.Plan)
	}
}

func TestPlanWorkbookProblems(t *testing.T) {
	b := workbook(t, func(f *excelize.File) {
		fill(t, f, "Sheet1", []any{"方案代码", "p1"}, []any{"方案名称", "某"}, []any{"印发日期", "2024-07-08"},
			[]any{"序号", "任务", "责任单位", "完成时限"}, []any{1, "甲", "区司法局", 45473}, []any{2, "乙", "区司法局", nil}, []any{3, nil, "区司法局", "长期坚持"})
		must(t, f.SetCellFormula("Sheet1", "D6", "TODAY()"))
		must(t, f.SetCellFormula("Sheet1", "B7", `A1&"x"`))
	})
	book, err := Read("p.xlsx", b)
	must(t, err)
	_, problems := Plan(book, town(), PlanOptions{Jurisdiction: "town"})
	for _, w := range []string{"sheet Sheet1, row 5, column 完成时限 「45473」", "2024-06-30", "row 6, column 完成时限", "row 7, column 任务", "formula"} {
		if !strings.Contains(problems.Error(), w) {
			t.Errorf("%q is not in\n%s", w, problems.Error())
		}
	}
	if len(problems) != 3 {
		t.Errorf("%d problems, want 3:\n%s", len(problems), problems.Error())
	}
}

// A sheet of 60 columns is read where its header is found, and refused with a reason where it is not.
func TestSixtyColumns(t *testing.T) {
	wide := func(cells ...string) string { return strings.Repeat(",", 56) + strings.Join(cells, ",") + "\n" }
	d, problems := plan(t, top+wide("序号", "任务", "责任单位", "完成时限")+wide("1", "甲", "区司法局", "2024年底前"))
	if len(problems) > 0 || len(d.Tasks) != 1 {
		t.Errorf("%v %v", d.Tasks, problems)
	}
	if _, problems = plan(t, top+strings.Repeat("列,", 60)+"\n"); len(problems) == 0 {
		t.Error("no header, and no problem")
	}
}

func TestBundledPlans(t *testing.T) {
	for _, c := range []struct {
		code, file  string
		rows, units int
		open        int // notes of open lists
	}{
		{"laoshan", "plan.xlsx", 66, 20, 1}, {"changji", "plan.csv", 40, 20, 0}, {"sishui", "plan.csv", 51, 20, 0}, {"jinan", "plan.csv", 15, 20, 0}, {"gangcheng", "plan.csv", 25, 20, 0},
	} {
		t.Run(c.code, func(t *testing.T) {
			read := func(name string) Book {
				b, err := fs.ReadFile(testdata.FS, "plans/"+c.code+"/"+name)
				must(t, err)
				book, err := Read(name, b)
				must(t, err)
				return book
			}
			u, problems := Units(read("units.csv"), UnitsOptions{})
			if len(problems) > 0 || u.Jurisdiction.Code != c.code || u.Jurisdiction.Bureau == "" || len(u.Units) < c.units {
				t.Fatalf("units: %+v %v", u.Jurisdiction, problems)
			}
			dir := task.Directory{Units: u.Units, Groups: u.Groups}
			for _, g := range u.Groups {
				if len(dir.Members(g.Code)) == 0 {
					t.Errorf("the group %s has no members", g.Name)
				}
			}
			d, problems := Plan(read(c.file), dir, PlanOptions{Jurisdiction: c.code})
			if len(problems) > 0 {
				t.Fatal(problems.Error())
			}
			if len(d.Tasks) != c.rows {
				t.Errorf("%d rows, want %d", len(d.Tasks), c.rows)
			}
			open := 0
			for _, n := range d.Notes {
				if strings.Contains(n, "open list") {
					open++
				}
			}
			if open != c.open {
				t.Errorf("%d open lists, want %d: %v", open, c.open, d.Notes)
			}
			again, _ := Plan(read(c.file), dir, PlanOptions{Jurisdiction: c.code})
			if !reflect.DeepEqual(d.Tasks, again.Tasks) {
				t.Error("the same file reads otherwise the second time")
			}
			people, problems := People(read("people.csv"), dir, PeopleOptions{Jurisdiction: c.code})
			if len(problems) > 0 || len(people) < 20 {
				t.Errorf("%d people: %v", len(people), problems)
			}
		})
	}
}

// The figures of a return are named in the order of the summary. A ledger without the column says nothing of them.
func TestFiguresOfAReturn(t *testing.T) {
	const head = top + "序号,任务,责任单位,完成时限,填报指标\n"
	read := func(csv string) (PlanDraft, Problems) {
		book, err := Read("p.csv", []byte(csv))
		must(t, err)
		return Plan(book, town(), PlanOptions{Jurisdiction: "town"})
	}
	d, problems := read(head + "1,甲,区司法局,每月25日前,发现问题数、已整改数， 检查 次数；ＡＢ率\n2,乙,区司法局,每月25日前,\n")
	if len(problems) > 0 || fmt.Sprint(d.Tasks[0].Fields) != "[发现问题数 已整改数 检查 次数 AB率]" || len(d.Tasks[0].Fields) != 4 || d.Tasks[1].Fields == nil || len(d.Tasks[1].Fields) != 0 {
		t.Errorf("%q %v", d.Tasks[0].Fields, problems)
	}
	if d, problems := read(top + "序号,任务,责任单位,完成时限\n1,甲,区司法局,每月25日前\n"); len(problems) > 0 || d.Tasks[0].Fields != nil {
		t.Errorf("%v %v", d, problems)
	}
	for cell, reason := range map[string]string{
		"发现问题数、发现问题数": "named twice", "甲=乙": "without =", strings.Repeat("数", 31): "at most 30 characters", manyFigures(31): "at most 30 figures",
	} {
		if _, problems := read(head + "1,甲,区司法局,每月25日前," + cell + "\n"); len(problems) != 1 || problems[0].Column != "填报指标" || !strings.Contains(problems[0].Reason, reason) {
			t.Errorf("%s: %v", cell, problems)
		}
	}
}

func manyFigures(n int) string {
	names := make([]string, 0, n)
	for i := range n {
		names = append(names, fmt.Sprintf("指标%d", i))
	}
	return strings.Join(names, "、")
}
