package closing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"duban/jobs/closing"
	"duban/jobs/deadline"
	"duban/jobs/task"
	"duban/notify/notice"
)

// monthly is a county whose units a, b, c report by the 25th of each month.
func monthly(t failer) *world {
	return newWorld(t, "a", "b", "c").row("6", every(deadline.Month, "25"), fields("发现问题", "完成整改"))
}

func TestTheDayOfClosing(t *testing.T) {
	for _, c := range []struct{ name, due, want string }{
		{"a Tuesday", "2024-06-25", "2024-06-28"},
		{"a Sunday", "2024-08-25", "2024-08-28"},
		{"a Saturday before a make-up Sunday, then the Spring Festival", "2025-01-25", "2025-02-05"},
		{"before the National Day, over the make-up Sunday", "2024-09-25", "2024-09-29"},
		{"28 February of a leap year", "2024-02-28", "2024-03-04"},
		{"25 December", "2024-12-25", "2024-12-30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := monthly(t)
			w.tasks[0].Reading.Recurrences[0].Dates = []string{strings.TrimLeft(c.due[8:], "0")}
			due := date(c.due)
			w.months((due - 1).String(), (date(c.want) - 1).String()).shut()
			w.month(date(c.want))
			w.shut(c.want + " 6 " + c.due[:7] + " #1: 3 = missing 3 发现问题=0 完成整改=0")
		})
	}
}

func TestTheTwentyNinthOfFebruaryClosesTheMonth(t *testing.T) {
	w := monthly(t)
	w.tasks[0].Reading.Recurrences[0].Dates = []string{"end"}
	w.months("2024-02-20", "2024-03-05").shut("2024-03-05 6 2024-02 #1: 3 = missing 3 发现问题=0 完成整改=0")
}

func TestAMonthAddsUp(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e", "f", "g", "h", "i").row("6", every(deadline.Month, "25"), fields("发现问题", "完成整改")).open("2024-06-01")
	w.report("2024-06-20", "6/a/2024-06", "发现问题", 5, "完成整改", 3)
	w.event("2024-06-25", "6/b/2024-06", task.Reported, nothing)
	w.report("2024-06-27", "6/c/2024-06", "发现问题", 2)
	w.event("2024-06-24", "6/e/2024-06", task.ExtensionAsked, to("2024-07-05")).event("2024-06-25", "6/e/2024-06", task.ExtensionGranted, to("2024-07-05"))
	w.event("2024-06-24", "6/f/2024-06", task.ExtensionAsked, to("2024-07-10"))
	w.event("2024-06-24", "6/g/2024-06", task.Waived)
	w.report("2024-06-24", "6/h/2024-06", "发现问题", 9).event("2024-06-26", "6/h/2024-06", task.Returned, to("2024-07-03"))
	w.event("2024-06-24", "6/i/2024-06", task.Transferred)
	w.report("2024-07-01", "6/d/2024-06", "发现问题", 100) // after the freeze
	w.months("2024-06-20", "2024-06-30").shut("2024-06-28 6 2024-06 #1: 9 = on-time 2 + late 1 + missing 1 + extended 1 + asking 1 + returned 1 + waived 1 + moved 1 发现问题=7 完成整改=3")

	n := w.diary[0]
	if n.Key.Kind != notice.Summary || n.Key.Unit != "sfj" || n.Key.Role != "bureau" || n.Key.Matter != "zf/6@2024-06" || n.State != notice.Pending ||
		n.Key.Date != date("2024-06-28") || w.closed[0].Notice != n.ID || n.ID != n.Key.ID() || len(n.Facts.Recipients) != 1 || n.Facts.Recipients[0].Email != "sfj@gov.example" {
		t.Errorf("the letter is %+v", n)
	}
	got := text(n.Facts.Paper)
	for _, want := range []string{
		"【县司法局】6月25日应报9家已报3家·2024年6月汇总第1期·突出问题整治月报6",
		"第1期｜突出问题整治月报6工作情况（第1期）",
		"按照《规范行政执法行动方案》（泗政办发〔2024〕3号）第6项，2024年6月突出问题整治月报6应于6月25日前报送。按我局登记，截至6月28日，应报9家，已报3家，占33.3%。",
		"应报9家中，按时报送2家、迟报1家、未报1家、经批准延期1家、延期申请待答复1家、退回补正1家、不适用1家、已转其他单位1家，合计9家。",
		"零报告1家，按已报送统计。", "待我局审核2家。",
		"# ｜填报数据汇总", "指标｜本期合计\n发现问题｜7\n完成整改｜3\n", "县c局未填“完成整改”，按0计，请核实。",
		"# ｜迟报1家、未报1家", "县c局：迟报2个工作日（6月27日报送）。", "县d局：未报，应于6月25日前报送，截至6月28日已超3个工作日。",
		"县e局：经批准延期至7月5日。", "县f局：申请延期至7月10日，待答复，不作未报统计。", "县h局：退回补正至7月3日。",
		"合计｜应报9｜｜已报3｜｜—｜7｜3", "｜县b局｜2024年6月25日｜按时报送（零报告）｜2024年6月25日｜—｜0｜0",
		"泗水县司法局｜2024年6月28日",
	} {
		if !strings.Contains(got, strings.ReplaceAll(want, "# ｜", "#｜")) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	for _, bad := range []string{"！", "您", "06月", "月月", "更正\n"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q stands in\n%s", bad, got)
		}
	}
}

func TestAnExtensionAskedAfterTheDateLeavesTheMiss(t *testing.T) {
	w := monthly(t).open("2024-06-01")
	w.event("2024-06-25", "6/a/2024-06", task.ExtensionAsked, to("2024-07-05")).event("2024-06-26", "6/b/2024-06", task.ExtensionAsked, to("2024-07-08"))
	w.months("2024-06-20", "2024-06-30").shut("2024-06-28 6 2024-06 #1: 3 = missing 2 + asking 1 发现问题=0 完成整改=0")
	got := text(w.diary[0].Facts.Paper)
	for _, want := range []string{
		"未报2家、延期申请待答复1家，合计3家", "县a局：申请延期至7月5日，待答复，不作未报统计。",
		"县b局：未报，应于6月25日前报送，截至6月28日已超3个工作日（6月26日逾期申请延期至7月8日，待答复）。", "我局请及时答复延期申请2件。",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	if strings.Contains(got, "县b局：申请延期") {
		t.Errorf("the request takes the miss away in\n%s", got)
	}
}

func TestAReturnOnTheSaturdayAfterItsDateSaysWhyItIsInTime(t *testing.T) {
	w := newWorld(t, "a", "b", "c").issued("2024-10-08").row("6", every(deadline.Month, "25")).open("2024-10-08")
	w.report("2024-10-26", "6/a/2024-10").report("2024-10-28", "6/b/2024-10").report("2024-10-25", "6/c/2024-10") // a Saturday, Monday, Friday
	w.months("2024-10-20", "2024-10-31").shut("2024-10-30 6 2024-10 #1: 3 = on-time 2 + late 1")
	got := text(w.diary[0].Facts.Paper)
	for _, want := range []string{
		"县a局｜2024年10月25日｜按时报送（按工作日计未超期）｜2024年10月26日｜—", "县b局｜2024年10月25日｜迟报｜2024年10月28日｜1", "县c局｜2024年10月25日｜按时报送｜2024年10月25日｜—",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
}

func TestWhoIsNotUrgedIsNeitherLateNorMissing(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e").row("6", every(deadline.Month, "25"), fields("发现问题")).open("2024-06-01")
	for i, c := range []task.Chase{task.ChaseCourtesy, task.ChaseManual, task.ChaseManual, task.ChaseNone} {
		w.dir.Units[2+i].Chase = c
	}
	w.report("2024-06-27", "6/c/2024-06", "发现问题", 4).event("2024-06-25", "6/d/2024-06", task.Reported, nothing)
	w.months("2024-06-20", "2024-06-30").shut("2024-06-28 6 2024-06 #1: 5 = on-time 1 + missing 1 + informed 1 + by-hand 2 发现问题=4")
	got := text(w.diary[0].Facts.Paper)
	for _, want := range []string{
		"应报5家中，按时报送1家、未报1家、仅知会1家、由专人联系2家，合计5家。已报的1家中，零报告1家，按已报送统计。", "#｜未报1家\n",
		"县b局：仅知会，不作未报统计。", "县c局：由专人联系，6月27日报送，不作迟报统计。", "县e局：由专人联系，不作未报统计。",
		"县c局｜2024年6月25日｜由专人联系｜2024年6月27日｜—｜4",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	for _, bad := range []string{"迟报1家", "县b局：未报", "县c局：迟报", "县e局：未报"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q stands in\n%s", bad, got)
		}
	}
	w = monthly(t)
	w.tasks[0].Chase = task.ChaseCourtesy
	w.months("2024-06-20", "2024-06-30").shut("2024-06-28 6 2024-06 #1: 3 = informed 3 发现问题=0 完成整改=0")
}

func TestLateReturnsAndCorrectionsAreRestatedOnceAtTheNextClose(t *testing.T) {
	w := monthly(t).open("2024-06-01")
	w.report("2024-06-20", "6/a/2024-06", "发现问题", 5, "完成整改", 3).report("2024-06-21", "6/b/2024-06", "发现问题", 1, "完成整改", 1)
	w.months("2024-06-20", "2024-06-30")
	frozen := w.closed[0]
	w.report("2024-07-03", "6/c/2024-06", "发现问题", 4, "完成整改", 0)
	w.event("2024-07-04", "6/a/2024-06", task.Revised, with("发现问题", 8, "完成整改", 2))
	w.open("2024-07-05").report("2024-07-25", "6/a/2024-07", "发现问题", 6, "完成整改", 6)
	w.months("2024-07-01", "2024-08-05")
	w.shut(
		"2024-06-28 6 2024-06 #1: 3 = on-time 2 + missing 1 发现问题=6 完成整改=4",
		"2024-07-30 6 2024-06 v1: 3 = on-time 2 + late 1 发现问题=13 完成整改=3",
		"2024-07-30 6 2024-07 #2: 3 = on-time 1 + missing 2 发现问题=6 完成整改=6",
	)
	if w.closed[0] != frozen {
		t.Errorf("the frozen figures changed from %+v to %+v", frozen, w.closed[0])
	}
	if v1 := w.closed[1]; v1.Issue != 0 || v1.Notice != w.diary[1].ID || v1.Seq != w.jur.Seq {
		t.Errorf("the restatement is %+v", v1)
	}
	got := text(w.diary[1].Facts.Paper)
	for _, want := range []string{
		"更正\n截至7月30日，以前各期有下列补报和更正。原期数据按关账时保留，不作改动。",
		"2024年6月（第1期）县a局：“发现问题”由5更正为8，增加3；“完成整改”由3更正为2，减少1。\n",
		"2024年6月（第1期）县c局：补报，迟报6个工作日（7月3日报送），“发现问题”4、“完成整改”0。\n",
		"2024年6月（第1期）合计：“发现问题”由6更正为13，增加7；“完成整改”由4更正为3，减少1；迟报由0家更正为1家，增加1家；未报由1家更正为0家，减少1家。\n",
		"指标｜本期合计｜上期合计｜增减\n发现问题｜6｜13｜-7\n完成整改｜6｜3｜+3\n上期为2024年6月（第1期），为更正后数据。",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	before := len(w.closed)
	w.month(date("2024-07-30"))
	if len(w.closed) != before || len(w.diary) != 2 {
		t.Errorf("the day run again closed %s", w.closings()[before:])
	}
	w.months("2024-08-06", "2024-08-28")
	if got := w.closings()[before:]; len(got) != 1 || strings.Contains(text(w.diary[2].Facts.Paper), "更正\n") {
		t.Errorf("August restates again: %s", got)
	}
}

func TestAReturnThatIsTakenBackHasNoFigureAnyMore(t *testing.T) {
	w := monthly(t).open("2024-06-01").report("2024-06-20", "6/a/2024-06", "发现问题", 5).months("2024-06-20", "2024-06-30")
	w.event("2024-07-10", "6/a/2024-06", task.Corrected, voids(w.last("6/a/2024-06"))).event("2024-07-11", "6/b/2024-06", task.Reported, nothing)
	w.months("2024-07-01", "2024-07-30")
	got := text(w.diary[1].Facts.Paper)
	for _, want := range []string{
		"县a局：报送情况由“按时报送（6月20日报送）”更正为“未报”，原报“发现问题”5不再计入。", "县b局：补报，迟报12个工作日（7月11日报送，零报告）。",
		"合计：“发现问题”由5更正为0，减少5；按时报送由1家更正为0家，减少1家；迟报由0家更正为1家，增加1家。",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	var sheet string
	for _, sh := range w.diary[1].Facts.Paper.Sheets[1:] {
		for i := range sh.Rows {
			for j := range sh.Columns {
				sheet += sh.Words(i, j) + "｜"
			}
			sheet += "\n"
		}
	}
	if !strings.Contains(sheet, "县a局｜发现问题｜5｜（未报）｜-5｜") || !strings.Contains(sheet, "｜合计｜发现问题｜5｜0｜-5｜") {
		t.Errorf("the sheet says\n%s", sheet)
	}
}

func TestAReturnTypedInLateIsRestatedByTheDayItCountsFrom(t *testing.T) {
	w := monthly(t).open("2024-06-01").months("2024-06-20", "2024-06-30")
	w.report("2024-06-25", "6/a/2024-06", "发现问题", 2).report("2024-06-26", "6/b/2024-06").report("2024-06-24", "6/c/2024-06")
	w.event("2024-07-10", "6/c/2024-06", task.Corrected, voids(w.last("6/c/2024-06")))
	w.months("2024-07-01", "2024-07-30")
	if got, want := w.closings()[1], "2024-07-30 6 2024-06 v1: 3 = on-time 1 + late 1 + missing 1 发现问题=2 完成整改=0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got := text(w.diary[1].Facts.Paper)
	for _, want := range []string{
		"县a局：报送情况由“未报”更正为“按时报送（6月25日报送）”，“发现问题”2。\n", "县b局：报送情况由“未报”更正为“迟报1个工作日（6月26日报送）”。",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	if strings.Contains(got, "由0更正为") && !strings.Contains(got, "合计：“发现问题”由0更正为2") || strings.Contains(got, "补报，") {
		t.Errorf("what was reported before the freeze is called 补报 in\n%s", got)
	}
}

func TestWhatIsNotClosed(t *testing.T) {
	for _, c := range []struct {
		name string
		give func(w *world)
	}{
		{"inherited", func(w *world) { w.jur.LiveFrom = date("2024-06-26") }},
		{"before the plan's issue", func(w *world) {
			w.plans[0].Issued, w.plans[0].On, w.tasks[0].On = date("2024-06-26"), date("2024-06-26"), date("2024-06-26")
		}},
		{"the bureau's own", func(w *world) { w.tasks[0].Parties = w.tasks[0].Parties[1:] }},
		{"support only", func(w *world) {
			w.tasks[0].Parties = []task.Party{{Code: "a", Role: task.Support, Owes: task.OwesSupport}}
		}},
		{"the plan ended", func(w *world) { w.plans[0].ValidTo = date("2024-05-31") }},
		{"everything withdrawn", func(w *world) {
			w.open("2024-06-01")
			for _, u := range []string{"a", "b", "c"} {
				w.event("2024-06-10", "6/"+u+"/2024-06", task.Withdrawn)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := monthly(t)
			c.give(w)
			w.months("2024-06-20", "2024-07-05").shut()
			if len(w.diary) > 0 {
				t.Errorf("a letter says %s", text(w.diary[0].Facts.Paper))
			}
		})
	}
}

func TestSeveralDatesOfAMonthCloseEach(t *testing.T) {
	w := newWorld(t, "a").issued("2024-06-01").row("6", every(deadline.Month, "15", "end"))
	w.months("2024-06-01", "2024-07-10").shut(
		"2024-06-19 6 2024-06/15 #1: 1 = missing 1",
		"2024-07-03 6 2024-06/30 #2: 1 = missing 1",
	)
	if got := text(w.diary[1].Facts.Paper); !strings.Contains(got, "2024年6月（30日）") {
		t.Errorf("the date is missing from\n%s", got)
	}
}

func TestAWeeklyDutyClosesWithItsMonth(t *testing.T) {
	w := newWorld(t, "a", "b").issued("2024-06-01").row("6", every(deadline.Week, "Friday"), fields("检查次数")).open("2024-06-30")
	for _, week := range []string{"2024-W23", "2024-W24", "2024-W25", "2024-W26"} {
		w.report("2024-06-07", "6/a/"+week, "检查次数", 2)
	}
	w.months("2024-06-05", "2024-07-04").shut("2024-07-03 6 2024-06 #1: 8 = on-time 4 + missing 4 检查次数=8")
	if got := text(w.diary[0].Facts.Paper); !strings.Contains(got, "应报8家次，已报4家次，占50%") || !strings.Contains(got, "县b局2024年第26周：未报，应于6月28日前报送，截至7月3日已超3个工作日。") {
		t.Errorf("the weeks are missing from\n%s", got)
	}
}

func TestTheNumberBeginsAnewWithTheYearOfThePeriod(t *testing.T) {
	w := newWorld(t, "a").issued("2024-10-15").row("6", every(deadline.Month, "end"))
	w.months("2024-11-01", "2025-02-10").shut(
		"2024-11-05 6 2024-10 #1: 1 = missing 1",
		"2024-12-04 6 2024-11 #2: 1 = missing 1",
		"2025-01-06 6 2024-12 #3: 1 = missing 1",
		"2025-02-07 6 2025-01 #1: 1 = missing 1",
	)
}

func TestABureauWithoutAnAddressHasItsSummaryHeld(t *testing.T) {
	w := monthly(t)
	w.dir.Units[0].Contacts = nil
	w.months("2024-06-25", "2024-06-28")
	if n := w.diary[0]; n.State != notice.Held || !strings.Contains(n.Reason, "import one") {
		t.Errorf("the letter is %s: %s", n.State, n.Reason)
	}
	w.set.Bureau = []notice.Recipient{{Role: "bureau", Name: "执法监督科", Email: "jd@gov.example"}}
	w.closed, w.diary = nil, nil
	w.month(date("2024-06-28"))
	if n := w.diary[0]; n.State != notice.Pending || !slices.Equal(n.Facts.Recipients, w.set.Bureau) {
		t.Errorf("the letter is %s to %v", n.State, n.Facts.Recipients)
	}
}

func TestADayOfClosingThatMovedIntoThePastIsMadeUpForADutyInUse(t *testing.T) {
	w := monthly(t).months("2024-06-20", "2024-06-28").months("2024-08-05", "2024-08-05")
	w.shut("2024-06-28 6 2024-06 #1: 3 = missing 3 发现问题=0 完成整改=0", "2024-07-30 6 2024-07 #2: 3 = missing 3 发现问题=0 完成整改=0")
	if w.diary[1].Key.Date != date("2024-08-05") {
		t.Errorf("the letter is of %s", w.diary[1].Key.Date)
	}
	fresh := monthly(t).months("2024-08-05", "2024-08-05")
	fresh.shut()
}

func TestFrozenFiguresThatCannotBeReadStopTheClose(t *testing.T) {
	w := monthly(t).months("2024-06-20", "2024-06-28")
	w.closed[0].Frozen = "{"
	w.open("2024-07-30")
	s := w.snapshot()
	s.Records = w.records()
	d := date("2024-07-30")
	_, err := closing.Duties(s, w.set, "monthly-close", closing.Pick(w.due(closing.AskMonthly(w.set, d)), s, w.set, d), d)
	if err == nil || !strings.Contains(err.Error(), "zf/6 2024-06") {
		t.Errorf("the error is %v", err)
	}
}

func TestCompareNamesWhatDiffers(t *testing.T) {
	ret := func(unit string, s closing.State, reported string, n int64) closing.Return {
		r := closing.Return{Unit: unit, Name: "县" + unit + "局", Instance: "2024-06", State: s, Due: date("2024-06-25")}
		if reported != "" {
			r.Reported, r.Figures = date(reported), map[string]int64{"甲": n}
		}
		return r
	}
	missing := ret("a", closing.Missing, "", 0)
	longer := missing
	longer.Late = 9
	waiting := ret("a", closing.OnTime, "2024-06-25", 3)
	waiting.Unanswered = true
	none := ret("a", closing.OnTime, "2024-06-25", 0)
	none.Nil = true
	for _, c := range []struct {
		name        string
		before, now []closing.Return
		want        []string
	}{
		{"the same", []closing.Return{missing}, []closing.Return{missing}, nil},
		{"missing for longer", []closing.Return{missing}, []closing.Return{longer}, nil},
		{"answered since", []closing.Return{waiting}, []closing.Return{ret("a", closing.OnTime, "2024-06-25", 3)}, nil},
		{"handed in after the freeze", []closing.Return{missing}, []closing.Return{ret("a", closing.OnTime, "2024-06-30", 3)}, []string{"a state 未报→补报，按时报送（6月30日报送，按工作日计未超期） late issue", "a 甲 0→3 late issue"}},
		{"typed in after the freeze", []closing.Return{missing}, []closing.Return{ret("a", closing.OnTime, "2024-06-20", 0)}, []string{"a state 未报→按时报送（6月20日报送）", "a 甲 0→0"}},
		{"a nil return it was not", []closing.Return{none}, []closing.Return{ret("a", closing.OnTime, "2024-06-25", 2)}, []string{"a state 按时报送（6月25日报送，零报告）→按时报送（6月25日报送）", "a 甲 0→2"}},
		{"a unit more, a unit less", []closing.Return{missing}, []closing.Return{ret("b", closing.Missing, "", 0)}, []string{"a state 未报→未列入", "b state 未列入→未报"}},
		{"figures only", []closing.Return{ret("a", closing.OnTime, "2024-06-25", 5)}, []closing.Return{ret("a", closing.OnTime, "2024-06-25", 2)}, []string{"a 甲 5→2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range closing.Compare(
				closing.Frozen{AsOf: date("2024-06-28"), Fields: []string{"甲"}, Returns: c.before},
				closing.Frozen{AsOf: date("2024-07-30"), Fields: []string{"甲"}, Returns: c.now},
			) {
				line := fmt.Sprintf("%s %s %d→%d", d.Unit, d.Field, d.Old, d.New)
				if d.Field == "" {
					line = fmt.Sprintf("%s state %s→%s", d.Unit, d.From, d.To)
				}
				if d.LateIssue {
					line += " late issue"
				}
				got = append(got, line)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
