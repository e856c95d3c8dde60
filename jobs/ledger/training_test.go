package ledger

import (
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// staff is a roster: p1 has been in post all year, p2 came as an applicant and is in post since June.
func staff() []task.Person {
	return []task.Person{
		{Key: "p1", Name: "张三", Unit: "czj", Post: "执法", Duty: "在岗", On: civil.Of(2024, 1, 1), Seq: 1},
		{Key: "p2", Name: "李四", Unit: "czj", Post: "执法", Duty: "新申领", On: civil.Of(2024, 3, 1), Seq: 2},
		{Key: "p2", Name: "李四", Unit: "rsj", Post: "执法", Duty: "在岗", On: civil.Of(2024, 6, 1), Seq: 3},
	}
}

const trainingTop = "行政区域代码,town\n人员编号,姓名,培训日期,学时,课程,班次编号,培训对象,考核\n"

func trainings(t *testing.T, csv string) (TrainingDraft, Problems) {
	t.Helper()
	book, err := Read("training.csv", []byte(csv))
	must(t, err)
	return Trainings(book, staff(), TrainingOptions{Jurisdiction: "town", Today: civil.Of(2024, 9, 30)})
}

func TestTrainings(t *testing.T) {
	got, problems := trainings(t, trainingTop+
		"p1,张三,2024-03-15,8,行政处罚法,PX-1,在岗,合格\n"+
		"p1,,2024年6月3日至2024年6月5日,16学时,执法实务,,在岗人员,\n"+
		"p2,李四,2024/4/9,30,公共法律知识,,,不合格\n"+
		"p2,李四,2024-06-20,4,执法文书,,,未考核\n"+
		"p1,,2024-09-30,０,离岗考核,LG-2,离岗,通过\n"+
		"注：学时按45分钟计,,,,,,,\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	day := civil.MustParse
	want := []task.Training{
		{Jurisdiction: "town", Person: "p1", Ref: "PX-1", On: day("2024-03-15"), Hours: 8, Course: "行政处罚法", For: "在岗", Assessed: true, Passed: true},
		{Jurisdiction: "town", Person: "p1", Ref: "执法实务@2024-06-05", On: day("2024-06-05"), Hours: 16, Course: "执法实务", For: "在岗"},
		{Jurisdiction: "town", Person: "p2", Ref: "公共法律知识@2024-04-09", On: day("2024-04-09"), Hours: 30, Course: "公共法律知识", For: "新申领", Assessed: true},
		{Jurisdiction: "town", Person: "p2", Ref: "执法文书@2024-06-20", On: day("2024-06-20"), Hours: 4, Course: "执法文书", For: "在岗"},
		{Jurisdiction: "town", Person: "p1", Ref: "LG-2", On: day("2024-09-30"), Course: "离岗考核", For: "离岗", Assessed: true, Passed: true},
	}
	if len(got.Trainings) != len(want) {
		t.Fatalf("%d rows", len(got.Trainings))
	}
	for i := range want {
		if got.Trainings[i] != want[i] {
			t.Errorf("row %d: %+v, want %+v", i, got.Trainings[i], want[i])
		}
	}
}

func TestTrainingsReadTheSameFromEveryKindOfFile(t *testing.T) {
	const text = trainingTop + "p1,张三,2024-03-15,8,行政处罚法,PX-1,在岗,合格\np2,李四,2024-04-09,30,公共法律知识,,新申领,\n"
	want, problems := trainings(t, text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	must(t, err)
	x := workbook(t, func(x *excelize.File) {
		fill(t, x, "Sheet1", []any{"行政区域代码", "town"}, []any{"人员编号", "姓名", "培训日期", "学时", "课程", "班次编号", "培训对象", "考核"},
			[]any{"p1", "张三", "2024-03-15", 8, "行政处罚法", "PX-1", "在岗", "合格"}, []any{"p2", "李四", "2024-04-09", 30, "公共法律知识", "", "新申领", ""})
	})
	for name, b := range map[string][]byte{"gb18030": []byte(gb), "xlsx": x} {
		book, err := Read(name, b)
		must(t, err)
		got, problems := Trainings(book, staff(), TrainingOptions{Jurisdiction: "town"})
		if len(problems) > 0 || len(got.Trainings) != 2 || got.Trainings[0] != want.Trainings[0] || got.Trainings[1] != want.Trainings[1] {
			t.Errorf("%s: %+v %v", name, got, problems)
		}
	}
}

func TestTrainingProblems(t *testing.T) {
	for _, c := range []struct {
		name, rows string
		want       []string
	}{
		{"unknown person", "p9,,2024-03-15,8,课,,在岗,", []string{"row 3, column 人员编号 「p9」", "import the roster first"}},
		{"no person", ",,2024-03-15,8,课,,在岗,", []string{"row 3, column 人员编号", "no person"}},
		{"another's name", "p1,李四,2024-03-15,8,课,,在岗,", []string{"row 3, column 姓名: the name is not that"}},
		{"no date", "p1,,,8,课,,在岗,", []string{"column 培训日期", "no date"}},
		{"no such day", "p1,,2023-02-29,8,课,,在岗,", []string{"column 培训日期 「2023-02-29」", "no such day"}},
		{"half a date", "p1,,3月15日,8,课,,在岗,", []string{"column 培训日期 「3月15日」", "want a date"}},
		{"ends first", "p1,,2024-06-05至2024-06-03,8,课,,在岗,", []string{"ends before it begins"}},
		{"to come", "p1,,2024-10-01,8,课,,在岗,", []string{"column 培训日期 「2024-10-01」", "not come"}},
		{"hours in words", "p1,,2024-03-15,八,课,,在岗,", []string{"column 学时 「八」"}},
		{"half hours", "p1,,2024-03-15,4.5,课,,在岗,", []string{"column 学时 「4.5」"}},
		{"less than none", "p1,,2024-03-15,-4,课,,在岗,", []string{"column 学时 「-4」"}},
		{"too many", "p1,,2024-03-15,1001,课,,在岗,", []string{"column 学时 「1001」"}},
		{"no hours", "p1,,2024-03-15,,课,,在岗,", []string{"column 学时"}},
		{"no course", "p1,,2024-03-15,8,,,在岗,", []string{"column 课程", "names no course"}},
		{"for whom", "p1,,2024-03-15,8,课,,退休,", []string{"column 培训对象 「退休」", "离岗"}},
		{"assessment", "p1,,2024-03-15,8,课,,在岗,良好", []string{"column 考核 「良好」"}},
		{"the same twice", "p1,,2024-03-15,8,课,PX-1,在岗,\np2,,2024-03-15,8,课,PX-1,在岗,\np1,,2024-03-16,4,课,PX-1,在岗,", []string{"row 5, column 人员编号 「p1」", "row 3 as well"}},
		{"a column of other widths is the same course", "p1,,2024-03-15,8,课(一),,在岗,\np1,,2024-03-15,8,课（一）,,在岗,", []string{"row 4, column 人员编号", "row 3 as well"}},
		{"nothing", "", []string{"holds no rows"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := trainings(t, trainingTop+c.rows+"\n")
			if len(problems) != 1 {
				t.Errorf("%d problems, want 1:\n%v", len(problems), problems)
			}
			for _, w := range c.want {
				if !strings.Contains(problems.Error(), w) {
					t.Errorf("%q is not in\n%s", w, problems.Error())
				}
			}
			for _, name := range []string{"张三", "李四"} {
				if strings.Contains(problems.Error(), name) {
					t.Errorf("a name stands in\n%s", problems.Error())
				}
			}
		})
	}
}

func TestEveryBadTrainingRowIsNamed(t *testing.T) {
	_, problems := trainings(t, trainingTop+"p9,,2024-03-15,8,课,,在岗,\np1,,2024-02-30,八,课,,在岗,\np1,,2024-03-15,8,课,,在岗,\n")
	if len(problems) != 3 {
		t.Errorf("%d problems, want 3:\n%v", len(problems), problems)
	}
}

func TestTrainingsOfAnotherJurisdiction(t *testing.T) {
	if _, problems := trainings(t, strings.Replace(trainingTop, "town", "laoshan", 1)+"p1,,2024-03-15,8,课,,在岗,\n"); !strings.Contains(problems.Error(), "another jurisdiction") {
		t.Error(problems)
	}
}

func TestNotesOfPeopleQuoteNoRow(t *testing.T) {
	const text = "张三,李四\n人员编号,姓名,培训日期,学时,课程,内部备注\np1,张三,2024-03-15,8,课,x\n"
	got, problems := trainings(t, text)
	if len(problems) > 0 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "内部备注") || strings.Contains(strings.Join(got.Notes, ""), "张三") {
		t.Errorf("%q %v", got.Notes, problems)
	}
	book, err := Read("people.csv", []byte("张三,李四\n人员编号,姓名,单位,岗位,在岗状态,政治面貌\np1,张三,区财政局,执法,在岗,x\n"))
	must(t, err)
	if notes := PeopleNotes(book); len(notes) != 1 || !strings.Contains(notes[0], "政治面貌") {
		t.Errorf("%q", notes)
	}
}

func FuzzTrainings(f *testing.F) {
	f.Add("p1", "张三", "2024-03-15", "8", "课程", "PX-1", "在岗", "合格")
	f.Add("p2", "", "2024年6月3日至2024年6月5日", "16学时", "㍿㋿", "", "", "")
	f.Add("", "~", "~", "９", "", "", "离岗人员", "未通过")
	f.Fuzz(func(t *testing.T, person, name, day, hours, course, ref, who, passed string) {
		row := Row{N: 2}
		for _, s := range []string{person, name, day, hours, course, ref, who, passed} {
			row.Cells = append(row.Cells, Cell{Text: s})
		}
		head := Row{N: 1}
		for _, s := range []string{"人员编号", "姓名", "培训日期", "学时", "课程", "班次编号", "培训对象", "考核"} {
			head.Cells = append(head.Cells, Cell{Text: s})
		}
		got, problems := Trainings(Book{Name: "f", Sheets: []Sheet{{Rows: []Row{head, row}}}}, staff(), TrainingOptions{})
		if len(problems) > 0 {
			return
		}
		for _, k := range got.Trainings {
			if k.Person == "" || k.Ref == "" || len([]rune(k.Ref)) > maxRef || k.On == 0 || k.Hours < 0 || k.Hours > maxClasses || k.For == "" || k.Passed && !k.Assessed {
				t.Errorf("%+v", k)
			}
		}
	})
}
