package ledger

import (
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"duban/jobs/civil"
	"duban/jobs/task"
)

const eventsTop = "行政区域代码,town\n事件类型,编号（案号/文号）,单位,发生日期,规定期限,人员编号,检查对象,检查起,检查止,任务编号,不适用原因\n"

func events(t *testing.T, name string, b []byte) (EventsDraft, Problems) {
	t.Helper()
	book, err := Read(name, b)
	must(t, err)
	return Events(book, town(), EventsOptions{Jurisdiction: "town", Today: civil.Of(2024, 9, 30)})
}

func TestEvents(t *testing.T) {
	day := civil.MustParse
	got, problems := events(t, "events.csv", []byte(eventsTop+
		"行政许可决定,区许可〔２０２４〕12号,区财政局,2024-09-18,,,,,,,\n"+
		" 监督意见 ,监 〔2024〕 1号,czj,2024年9月30日,2024/10/20,,,,,zf/18-1,\n"+
		"证件暂扣,扣1,区财政局,2024.9.2,,p1,,,,,\n"+
		"检查备案,J-1,区财政局,2024-09-18,,,某某（山东）有限公司,2024-10-08,2024-10-10,,\n"+
		"检查登记,J-1,区财政局,2024-09-18,,,,,,,\n"+
		"行政处罚决定,罚9,区财政局,2024-09-18,,,,,,8,涉及国家秘密\n"+
		"注：企业名称只供司法局使用,,,,,,,,,,\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []EventDraft{
		{Occurrence: task.Occurrence{Kind: "行政许可决定", Ref: "区许可〔2024〕12号", On: day("2024-09-18")}},
		{Occurrence: task.Occurrence{Kind: "监督意见", Ref: "监 〔2024〕 1号", On: day("2024-09-30"), Due: day("2024-10-20")}, Task: "zf/18-1"},
		{Occurrence: task.Occurrence{Kind: "证件暂扣", Ref: "扣1", On: day("2024-09-02"), Person: "p1"}},
		{Occurrence: task.Occurrence{Kind: "检查备案", Ref: "J-1", On: day("2024-09-18"), Party: "某某（山东）有限公司", From: day("2024-10-08"), To: day("2024-10-10")}},
		{Occurrence: task.Occurrence{Kind: "检查登记", Ref: "J-1", On: day("2024-09-18")}},
		{Occurrence: task.Occurrence{Kind: "行政处罚决定", Ref: "罚9", On: day("2024-09-18"), Exempt: "涉及国家秘密"}, Task: "8"},
	}
	if len(got.Rows) != len(want) {
		t.Fatalf("%d rows", len(got.Rows))
	}
	for i, w := range want {
		w.Jurisdiction, w.Unit = "town", "czj"
		w.Source = strings.TrimSpace("events.csv " + place("", i+3))
		w.Place = Problem{File: "events.csv", Row: i + 3}
		if got.Rows[i] != w {
			t.Errorf("row %d: %+v, want %+v", i, got.Rows[i], w)
		}
	}
}

func TestEventsRefused(t *testing.T) {
	long := strings.Repeat("案", 101)
	for _, c := range []struct{ row, column, reason string }{
		{",1,区财政局,2024-09-18,,,,,,,", "事件类型", "names no kind"},
		{"行政许可决定,,区财政局,2024-09-18,,,,,,,", "编号（案号/文号）", "has no number"},
		{"行政许可决定," + long + ",区财政局,2024-09-18,,,,,,,", "编号（案号/文号）", "at most 100"},
		{"行政许可决定,\"甲\n乙\",区财政局,2024-09-18,,,,,,,", "编号（案号/文号）", "line break"},
		{"行政许可决定,370831199001011234,区财政局,2024-09-18,,,,,,,", "编号（案号/文号）", "eighteen digits"},
		{"行政许可决定,37083119900101123X,区财政局,2024-09-18,,,,,,,", "编号（案号/文号）", "eighteen digits"},
		{"行政许可决定,3.70831E+17,区财政局,2024-09-18,,,,,,,", "编号（案号/文号）", "lost the last"},
		{"行政许可决定,1,,2024-09-18,,,,,,,", "单位", "has no unit"},
		{"行政许可决定,1,区某局,2024-09-18,,,,,,,", "单位", "no unit or group is called"},
		{"行政许可决定,1,各行政执法部门,2024-09-18,,,,,,,", "单位", "a group of units"},
		{"行政许可决定,1,区财政局,,,,,,,,", "发生日期", "has no date"},
		{"行政许可决定,1,区财政局,2024-02-30,,,,,,,", "发生日期", "no such day"},
		{"行政许可决定,1,区财政局,2024-10-01,,,,,,,", "发生日期", "has not come"},
		{"监督意见,1,区财政局,2024-09-18,2024-09-17,,,,,,", "规定期限", "before the event"},
		{"监督意见,1,区财政局,2024-09-18,近期,,,,,,", "规定期限", "want a date"},
		{"监督意见,1,区财政局,2024-09-18,,,某公司,,,,", "检查对象", "only an inspection"},
		{"检查备案,1,区财政局,2024-09-18,,,,2024-10-08,2024-10-09,,", "检查对象", "needs its 检查对象"},
		{"检查备案,1,区财政局,2024-09-18,,,某公司,2024-10-08,,,", "检查止", "needs its 检查止"},
		{"检查备案,1,区财政局,2024-09-18,,,某公司,2024-10-08,2024-10-07,,", "检查止", "ends before it begins"},
	} {
		_, problems := events(t, "events.csv", []byte(eventsTop+c.row+"\n"))
		if len(problems) != 1 || problems[0].Row != 3 || problems[0].Column != c.column || !strings.Contains(problems[0].Reason, c.reason) {
			t.Errorf("%s: %v", c.row, problems)
		}
	}
	_, problems := events(t, "events.csv", []byte(eventsTop+"行政许可决定,1,区财政局,2024-09-18,,,,,,,\n行政许可决定,１,czj,2024-09-19,,,,,,,\n行政许可决定,1,区人力资源社会保障局,2024-09-19,,,,,,,\n"))
	if len(problems) != 1 || problems[0].Row != 4 || !strings.Contains(problems[0].Reason, "row 3 as well") {
		t.Errorf("twice: %v", problems)
	}
	if _, problems = events(t, "events.csv", []byte("事件类型,编号,单位,发生日期\n行政许可决定,许〔2024〕1号,区财政局,2024-09-18\n行政许可决定,许[2024] 1号,区财政局,2024-09-18\n")); len(problems) != 1 {
		t.Errorf("twice in other brackets: %v", problems)
	}
	for _, day := range []string{"0024-09-18", "0924-09-18", "2924-09-18"} {
		if _, problems = events(t, "events.csv", []byte("事件类型,编号,单位,发生日期\n行政许可决定,1,区财政局,"+day+"\n")); len(problems) == 0 || !strings.Contains(problems[0].Reason, "want a year from 1900 to 2200") {
			t.Errorf("%s: %v", day, problems)
		}
	}
	for _, text := range []string{"行政区域代码,other\n事件类型,编号,单位,发生日期\n行政许可决定,1,区财政局,2024-09-18\n", "事件类型,编号,单位,发生日期\n", "甲,乙\n丙,丁\n"} {
		if _, problems := events(t, "events.csv", []byte(text)); len(problems) == 0 {
			t.Errorf("%q is taken", text)
		}
	}
}

// A spreadsheet keeps fifteen digits of a number: the case number's last ones are gone before anybody reads them.
func TestEventsOfASpreadsheet(t *testing.T) {
	head := []any{"事件类型", "编号", "单位", "发生日期", "人员编号"}
	_, problems := events(t, "events.xlsx", workbook(t, func(x *excelize.File) {
		fill(t, x, "Sheet1", head, []any{"行政许可决定", 370831199001011234, "区财政局", "2024-09-18", 370831199001011234})
	}))
	if len(problems) != 2 || !strings.Contains(problems[0].Reason, "lost the last") || !strings.Contains(problems[1].Reason, "lost the last") {
		t.Errorf("%v", problems)
	}
	got, problems := events(t, "events.xlsx", workbook(t, func(x *excelize.File) {
		fill(t, x, "Sheet1", head, []any{"行政许可决定", 12, "区财政局", "2024年9月18日", nil})
	}))
	if len(problems) > 0 || len(got.Rows) != 1 || got.Rows[0].Ref != "12" || got.Rows[0].On != civil.Of(2024, 9, 18) {
		t.Errorf("%v %v", got, problems)
	}
}
