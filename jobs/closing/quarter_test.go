package closing_test

import (
	"slices"
	"strings"
	"testing"

	"duban/jobs/closing"
	"duban/jobs/deadline"
	"duban/jobs/task"
	"duban/notify/notice"
)

func by(units ...string) func(*task.Task) {
	return func(t *task.Task) {
		t.Parties = nil
		for _, u := range units {
			t.Parties = append(t.Parties, task.Party{Code: u, Role: task.Responsible, Owes: task.OwesDeliver})
		}
	}
}

func TestPeriodsOfAQuarterCloseAfterTheReportDay(t *testing.T) {
	w := newWorld(t, "a", "b").issued("2024-04-12").
		row("13", every(deadline.Quarter, "end")).
		row("14", every(deadline.Quarter, "end"), by("a"), func(t *task.Task) { t.ReportDay = 15 }).
		row("9", every(deadline.Half, "end"), by("a", "sfj")).open("2024-06-30")
	w.report("2024-07-09", "13/a/2024Q2").report("2024-07-12", "13/b/2024Q2").report("2024-07-10", "9/a/2024H1")
	w.quarters("2024-06-25", "2024-07-14").shut()
	// 10 July 2024 is a Wednesday; 15 July a Monday.
	w.quarters("2024-07-15", "2024-07-31").shut(
		"2024-07-15 13 2024Q2 #1: 2 = on-time 1 + late 1",
		"2024-07-15 9 2024H1 #1: 1 = on-time 1",
		"2024-07-18 14 2024Q2 #1: 1 = missing 1",
	)
	if got := w.papers(notice.Summary)[0]; !strings.Contains(got, "2024年第二季度汇总第1期") || !strings.Contains(got, "县b局：迟报2个工作日（7月12日报送）") {
		t.Errorf("the summary says\n%s", got)
	}
	if got := w.papers(notice.Summary)[1]; !strings.Contains(got, "2024年上半年汇总第1期") {
		t.Errorf("the half-year's summary says\n%s", got)
	}
}

func TestTheBureauGetsNoSummaryOfWhatItAloneOwes(t *testing.T) {
	w := newWorld(t, "a").issued("2024-01-02").row("13", every(deadline.Quarter, "end"), by("sfj")).row("9", every(deadline.Half, "end"), by("sfj")).
		row("14", every(deadline.Year, "12-31"), by("sfj")).row("6", every(deadline.Month, "25"), by("sfj"))
	w.quarters("2024-06-25", "2025-02-10").months("2024-06-25", "2025-02-10").shut()
	if got := w.papers(notice.Summary); len(got) > 0 {
		t.Errorf("a summary says\n%s", got[0])
	}
}

func TestTheFourthQuarterClosesInTheNewYear(t *testing.T) {
	w := newWorld(t, "a").issued("2024-10-08").row("13", every(deadline.Quarter, "end"))
	// 10 January 2025 is a Friday.
	w.quarters("2024-12-25", "2025-01-31").shut("2025-01-15 13 2024Q4 #1: 1 = missing 1")
}

func TestAQuartersRatesAddUp(t *testing.T) {
	w := newWorld(t, "a", "b", "c").issued("2024-04-12").
		row("1", on("2024-05-31")).row("2", on("2024-06-20")).row("3", every(deadline.Quarter, "end"), by("a")).
		row("4", on("2024-06-28"), by("sfj")).row("5", on("2024-04-20", "2024-07-20"), by("a", "b")).
		row("6", every(deadline.Month, "25"), by("c"), fields("发现问题")).open("2024-07-01")
	w.report("2024-05-30", "1/a/m1").report("2024-06-05", "1/b/m1").said("2024-06-04", "1/b/m1", "T+2").said("2024-06-04", "1/c/m1", "T+2")
	w.event("2024-06-18", "2/a/m1", task.ExtensionAsked, to("2024-07-31")).event("2024-06-19", "2/a/m1", task.ExtensionGranted, to("2024-07-31"))
	w.event("2024-06-20", "2/c/m1", task.ExtensionAsked, to("2024-07-31")).event("2024-06-05", "1/c/m1", task.ExtensionAsked, to("2024-08-31"))
	w.report("2024-07-09", "3/a/2024Q2")
	w.event("2024-04-18", "5/b/m1", task.Waived).report("2024-04-15", "5/a/m1")
	w.report("2024-04-25", "6/c/2024-04", "发现问题", 4).said("2024-05-28", "6/c/2024-05", "T+2").report("2024-06-25", "6/c/2024-06", "发现问题", 3)
	w.months("2024-04-12", "2024-07-05").quarters("2024-07-01", "2024-07-15")
	w.rated("2024-07-15 2024Q2 #1: 15 = 4 on time + 1 late + 2 open + 3 bureau + 1 extended + 1 not-served + 1 waived + 2 with-bureau; 1/6 rows")

	if len(w.formal) != 1 || w.formal[0].Kind != notice.Bulletin || w.formal[0].Matter != "2024Q2" || w.formal[0].State != notice.Drafted || len(w.formal[0].Refs) != 0 {
		t.Fatalf("the documents are %+v", w.formal)
	}
	n := w.diary[len(w.diary)-1]
	if n.ID != w.formal[0].ID || n.State != notice.Held || !n.NextTry.IsZero() || !strings.Contains(n.Reason, "duban outbox release") ||
		n.Facts.Reader.Code != "government" || n.Facts.Recipients[0].Email != "zfb@gov.example" || n.Facts.Paper.Issuer != "泗水县人民政府办公室" {
		t.Errorf("the letter is %+v", n)
	}
	got := text(n.Facts.Paper)
	for _, want := range []string{
		"按县司法局登记，截至7月15日，2024年第二季度到期任务共6项（15项次），已办结1项，占16.7%。15项次中，计入7项次，不计入8项次。",
		"计入的7项次中，按时办结4项次、占57.1%，逾期办结1项次、占14.3%，未办结2项次、占28.6%。按时办结率4/7（57.1%），办结率5/7（71.4%）。",
		"县a局｜4｜2｜2｜2｜0｜0｜2/2（100%）｜2/2（100%）",
		"县b局｜3｜2｜1｜0｜1｜0｜0/1（0%）｜1/1（100%）",
		"县c局｜5｜1｜4｜2｜0｜2｜2/4（50%）｜2/4（50%）",
		"县司法局（自办，不计入）｜3｜3｜0｜0｜0｜0｜0/0（—）｜0/0（—）",
		"合计｜15｜8｜7｜4｜1｜2｜4/7（57.1%）｜5/7（71.4%）",
		"突出问题整治月报6｜发现问题｜3｜7",
		"县b局：第1项突出问题整治月报1，逾期3个工作日办结。", "县c局：第1项突出问题整治月报1，未办结，已超30个工作日（6月5日逾期申请延期，待答复）。",
		"县c局：第6项突出问题整治月报6：2024年5月未报。",
		"经批准延期1项次（县a局1项次）。", "待司法局审核或答复2项次（县a局、县c局等2家各1项次）。", "催办未送达1项次（县b局1项次）。", "不适用1项次（县b局1项次）。", "司法局自办3项次。",
		"泗水县人民政府办公室｜2024年7月15日",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	if strings.Contains(got, "排名") {
		t.Errorf("units are ranked in\n%s", got)
	}
	before := len(w.closed)
	w.quarter(date("2024-07-15"))
	if len(w.closed) != before || len(w.formal) != 1 {
		t.Errorf("the day run again closes once more: %s", w.rates())
	}
}

func TestRanksAreSharedAndUnitsWithoutItemsHaveNone(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e").issued("2024-04-12").row("1", on("2024-05-31")).row("2", on("2024-06-14"))
	w.set.Ranking = true
	w.open("2024-07-01")
	for _, u := range []string{"a", "b", "c", "d"} {
		w.report("2024-05-30", "1/"+u+"/m1").said("2024-06-18", "2/"+u+"/m1", "T+2")
	}
	w.report("2024-06-14", "2/a/m1")
	w.event("2024-05-01", "2/d/m1", task.Waived).event("2024-06-03", "1/d/m1", task.Returned, to("2024-07-08")).said("2024-07-10", "1/d/m1", "T+2")
	w.event("2024-05-01", "1/e/m1", task.Waived).event("2024-05-01", "2/e/m1", task.Waived)
	w.quarters("2024-07-10", "2024-07-15")
	got := w.papers(notice.Bulletin)[0]
	for _, want := range []string{"县a局｜2｜0｜2｜2｜0｜0｜2/2（100%）｜2/2（100%）｜1", "1/2（50%）｜2\n县c局", "县c局｜2｜0｜2｜1｜0｜1｜1/2（50%）｜1/2（50%）｜2", "县e局｜2｜2｜0｜0｜0｜0｜0/0（—）｜0/0（—）｜—"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
}

func TestSharesAddUpToAHundred(t *testing.T) {
	for _, c := range []struct {
		parts []int
		want  []string
	}{
		{[]int{1, 1, 1}, []string{"33.4%", "33.3%", "33.3%"}},
		{[]int{2, 0, 0}, []string{"100%", "0%", "0%"}},
		{[]int{1, 6}, []string{"14.3%", "85.7%"}},
		{[]int{0, 0}, []string{"", ""}},
		{[]int{999, 1}, []string{"99.9%", "0.1%"}},
		{[]int{1, 1, 1, 1, 1, 1}, []string{"16.7%", "16.7%", "16.7%", "16.7%", "16.6%", "16.6%"}},
	} {
		if got := closing.Shares(c.parts); !slices.Equal(got, c.want) {
			t.Errorf("Shares(%v) = %v, want %v", c.parts, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b int
		want string
	}{{0, 0, "0/0（—）"}, {2, 3, "2/3（66.7%）"}, {1, 2, "1/2（50%）"}, {1, 3, "1/3（33.3%）"}, {5, 5, "5/5（100%）"}} {
		if got := closing.Rate(c.a, c.b); got != c.want {
			t.Errorf("Rate(%d, %d) = %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestAQuarterIsRestatedByWhatWasCorrected(t *testing.T) {
	w := newWorld(t, "a", "b").issued("2024-04-12").row("1", on("2024-05-31")).row("2", on("2024-08-30")).open("2024-07-01")
	w.report("2024-05-30", "1/a/m1").said("2024-06-04", "1/b/m1", "T+2").quarters("2024-07-10", "2024-07-15")
	frozen := w.closed[0]
	// b had reported in time: it was typed in after the close. a's report was another's. What b does later is no correction.
	w.report("2024-05-31", "1/b/m1").event("2024-08-01", "1/a/m1", task.Corrected, voids(w.last("1/a/m1"))).said("2024-06-04", "1/a/m1", "T+2")
	w.report("2024-08-20", "1/a/m1").report("2024-08-20", "2/a/m1").report("2024-08-20", "2/b/m1")
	w.quarters("2024-07-16", "2024-10-31").rated(
		"2024-07-15 2024Q2 #1: 3 = 1 on time + 0 late + 1 open + 1 bureau; 0/1 rows",
		"2024-10-14 2024Q2 v1: 3 = 1 on time + 0 late + 1 open + 1 bureau; 0/1 rows",
		"2024-10-14 2024Q3 #2: 3 = 2 on time + 0 late + 0 open + 1 bureau; 0/1 rows",
	)
	if w.closed[0] != frozen {
		t.Errorf("the frozen rates changed to %+v", w.closed[0])
	}
	got := w.papers(notice.Bulletin)[1]
	for _, want := range []string{"2024年第二季度通报（第1期）县a局：按时办结率由1/1（100%）更正为0/1（0%）。", "2024年第二季度通报（第1期）县b局：办结率由0/1（0%）更正为1/1（100%）。"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
}

func TestTheReportNamesWhatStayedOpenAfterAForm(t *testing.T) {
	for _, c := range []struct {
		name   string
		give   func(w *world)
		listed bool
	}{
		{"handed over long ago", func(w *world) { w.form("2024-09-13", "1/a/m1", "2024-09-14") }, true},
		{"handed over five workdays before", func(w *world) { w.form("2024-09-30", "1/a/m1", "2024-10-08") }, true},
		{"handed over four workdays before", func(w *world) { w.form("2024-09-30", "1/a/m1", "2024-10-09") }, false},
		{"mailed and served", func(w *world) { w.form("2024-09-13", "1/a/m1", ""); w.served["form-1/a/m1"] = date("2024-09-13") }, true},
		{"mailed, bounced", func(w *world) { w.form("2024-09-13", "1/a/m1", "") }, false},
		{"mailed, bounced, told by telephone", func(w *world) {
			w.form("2024-09-13", "1/a/m1", "").event("2024-09-20", "1/a/m1", task.Contacted)
		}, true},
		{"reported since", func(w *world) { w.form("2024-09-13", "1/a/m1", "2024-09-14").report("2024-10-12", "1/a/m1") }, false},
		{"an extension is asked", func(w *world) {
			w.form("2024-09-13", "1/a/m1", "2024-09-14").event("2024-10-12", "1/a/m1", task.ExtensionAsked, to("2024-11-30"))
		}, false},
		{"an extension was granted", func(w *world) {
			w.form("2024-09-13", "1/a/m1", "2024-09-14").event("2024-10-12", "1/a/m1", task.ExtensionGranted, to("2024-11-14"))
		}, false},
		{"held", func(w *world) {
			w.form("2024-09-13", "1/a/m1", "2024-09-14").event("2024-10-12", "1/a/m1", task.HeldBack, to("2024-10-31"))
		}, false},
		{"silenced", func(w *world) {
			w.form("2024-09-13", "1/a/m1", "2024-09-14")
			w.silences = []task.Silence{{Seq: 1, On: date("2024-10-14"), Until: date("2024-10-14"), Scope: task.OverUnit, Subject: "a"}}
		}, false},
		{"voided", func(w *world) { w.form("2024-09-13", "1/a/m1", "2024-09-14"); w.docs[0].State = notice.Voided }, false},
		{"no form", func(*world) {}, false},
		{"reported after the form, and returned with another date", func(w *world) {
			w.form("2024-09-13", "1/a/m1", "2024-09-14").report("2024-09-18", "1/a/m1").event("2024-09-20", "1/a/m1", task.Returned, to("2024-09-27"))
		}, false},
		{"the form is of the date's own day", func(w *world) { w.form("2024-08-30", "1/a/m1", "2024-09-14") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "a", "b").issued("2024-04-12").row("1", on("2024-08-30")).open("2024-10-08")
			w.said("2024-09-03", "1/a/m1", "T+2").said("2024-09-06", "1/a/m1", "T+5")
			c.give(w)
			w.quarters("2024-10-08", "2024-10-31")
			got := w.papers(notice.Report)
			if !c.listed {
				if len(got) > 0 {
					t.Fatalf("there is a report\n%s", got[0])
				}
				return
			}
			if len(got) != 1 || len(w.formal) != 2 {
				t.Fatalf("there are %d reports and %d documents", len(got), len(w.formal))
			}
			doc := w.formal[1]
			f := w.steps[len(w.steps)-1]
			if doc.Kind != notice.Report || !slices.Equal(doc.Refs, []string{"ss/zf/1/a/m1"}) || doc.Matter != "2024Q3" || doc.State != notice.Drafted ||
				f.Step != "Q-2024Q3" || f.Role != "government" || f.Notice != doc.ID || f.On != date("2024-10-14") || f.N != 1 {
				t.Errorf("the document is %+v, its step %+v", doc, f)
			}
			for _, want := range []string{"截至10月14日，1家单位的1项次任务", "县a局：第1项突出问题整治月报1，时限2024年8月30日，已超27个工作日；9月3日、9月6日催办，督办通知单（督办〔2024〕1号）", "draft｜2024年第三季度督办事项通报（代拟稿）", "代拟稿｜｜关于2024年第三季度督办事项逾期未办结情况的通报"} {
				if !strings.Contains(got[0], want) {
					t.Errorf("%q is missing from\n%s", want, got[0])
				}
			}
		})
	}
}

func TestTheReportSaysNotOfAReturnedReportThatNothingCame(t *testing.T) {
	w := newWorld(t, "a").issued("2024-04-12").row("1", on("2024-08-30")).open("2024-10-08").said("2024-09-03", "1/a/m1", "T+2")
	w.report("2024-09-05", "1/a/m1").event("2024-09-06", "1/a/m1", task.Returned, to("2024-09-12")).said("2024-09-19", "1/a/m1", "T+5")
	w.form("2024-09-29", "1/a/m1", "2024-09-30").quarters("2024-10-08", "2024-10-31")
	got := w.papers(notice.Report)
	if len(got) != 1 || !strings.Contains(got[0], "时限2024年9月12日，已超") || !strings.Contains(got[0], "；9月19日催办，督办通知单") || !strings.Contains(got[0], "送达，报告退回后至今未办结。") {
		t.Errorf("the reports are %q", got)
	}
	if strings.Contains(strings.Join(got, ""), "未反馈") || strings.Contains(strings.Join(got, ""), "9月3日") {
		t.Errorf("what lies before the date is held against it in\n%s", got)
	}
}

func TestAYearClosesAfterJanuary(t *testing.T) {
	w := newWorld(t, "a", "b", "c").issued("2024-04-12").row("18", every(deadline.Year, "12-31"), func(t *task.Task) { t.Title = "一年未履职情况年末报告" }).
		row("14", every(deadline.Year, "01-31")).open("2025-02-01")
	w.event("2024-12-20", "18/a/2024", task.Reported, nothing).report("2024-12-25", "18/b/2024").said("2025-01-03", "18/c/2024", "T+2")
	w.report("2025-01-20", "14/a/2025")
	w.quarters("2025-02-01", "2025-03-31").shut(
		"2025-02-07 14 2025 #1: 3 = on-time 1 + missing 2",
		"2025-02-07 18 2024 #1: 3 = on-time 2 + missing 1",
	)
	if got := w.papers(notice.Summary)[1]; !strings.Contains(got, "零报告（无相应情况）的1家：县a局。") || !strings.Contains(got, "报告有相应情况的1家：县b局。") || !strings.Contains(got, "未报告的1家：县c局。") {
		t.Errorf("the summary says\n%s", got)
	}
	w.rated("2025-02-07 2024 #1: 4 = 2 on time + 0 late + 1 open + 1 bureau; 0/1 rows")
	if got := w.papers(notice.Bulletin)[0]; !strings.Contains(got, "一年未履职情况年末报告；报告有相应情况的1家：县b局；零报告的1家：县a局；未报告的1家：县c局；应报3家，已报2家。") {
		t.Errorf("the year's bulletin says\n%s", got)
	}
}

func TestAnOrdinaryReportOfTheYearIsNoCase(t *testing.T) {
	w := newWorld(t, "a", "b", "c").issued("2024-04-12").row("11", every(deadline.Year, "12-31"), func(t *task.Task) { t.Title = "年度监督计划制定" }).
		row("12", every(deadline.Year, "12-31"), func(t *task.Task) { t.Deliverable = "未履职情况报告" }).open("2025-02-01")
	for _, row := range []string{"11", "12"} {
		w.report("2024-12-25", row+"/a/2024").event("2024-12-25", row+"/b/2024", task.Reported, nothing).said("2025-01-03", row+"/c/2024", "T+2")
	}
	w.quarters("2025-02-01", "2025-03-31")
	got := w.papers(notice.Summary)
	if len(got) != 2 || strings.Contains(got[0], "报告有相应情况") || strings.Contains(got[0], "年度报告情况") || !strings.Contains(got[0], "县c局：未报") {
		t.Errorf("the plan's summary says\n%s", got[0])
	}
	if !strings.Contains(got[0], "·2024年汇总第1期·") || !strings.Contains(got[1], "报告有相应情况的1家：县a局。") {
		t.Errorf("the summaries say\n%s", strings.Join(got, "\n"))
	}
	bulletin := w.papers(notice.Bulletin)[0]
	if !strings.Contains(bulletin, "年度监督计划制定；未报告的1家：县c局；应报3家，已报2家。") || strings.Count(bulletin, "报告有相应情况的") != 1 || strings.Count(bulletin, "零报告的") != 1 {
		t.Errorf("the bulletin says\n%s", bulletin)
	}
}

func TestNothingIsSaidOfAQuarterInWhichNothingFellDue(t *testing.T) {
	w := newWorld(t, "a").issued("2024-04-12").row("1", on("2024-08-30")).row("2", on("2024-05-31"), by("sfj")).quarters("2024-07-01", "2024-07-31").rated()
	if len(w.formal)+len(w.diary) > 0 {
		t.Errorf("there are %d documents and %d letters", len(w.formal), len(w.diary))
	}
	w = newWorld(t, "a").issued("2024-04-12").row("1", on("2024-05-31"))
	w.jur.LiveFrom = date("2024-07-20")
	w.quarters("2024-07-01", "2024-07-31").rated()
}

func TestEachReasonNotToCount(t *testing.T) {
	told := func(w *world) *world { return w.said("2024-06-04", "1/a/m1", "T+2") }
	for _, c := range []struct {
		name string
		give func(w *world)
		want closing.Standing
	}{
		{"open and urged", func(w *world) { told(w) }, closing.Open},
		{"open, told by telephone", func(w *world) { w.event("2024-06-05", "1/a/m1", task.Contacted) }, closing.Open},
		{"open, nobody told it", func(*world) {}, closing.NotServed},
		{"open, the letter to the bureau says it", func(w *world) { told(w).steps[0].Role = closing.BureauRole }, closing.NotServed},
		{"open, the letter did not arrive", func(w *world) { told(w); clear(w.served) }, closing.NotServed},
		{"late, nobody told it", func(w *world) { w.event("2024-06-11", "1/a/m1", task.Accepted) }, closing.NotServed},
		{"late and urged", func(w *world) { told(w).event("2024-06-11", "1/a/m1", task.Accepted) }, closing.DoneLate},
		{"in time", func(w *world) { w.event("2024-05-31", "1/a/m1", task.Accepted) }, closing.DoneOnTime},
		{"in time, accepted by default", func(w *world) { w.report("2024-05-31", "1/a/m1") }, closing.DoneOnTime},
		{"reported, not answered", func(w *world) { told(w).report("2024-07-12", "1/a/m1") }, closing.WithBureau},
		{"an extension is asked in time", func(w *world) { told(w).event("2024-05-31", "1/a/m1", task.ExtensionAsked, to("2024-08-30")) }, closing.WithBureau},
		{"an extension is asked after the date", func(w *world) { told(w).event("2024-06-03", "1/a/m1", task.ExtensionAsked, to("2024-08-30")) }, closing.Open},
		{"an extension is asked after the date, nobody told it", func(w *world) { w.event("2024-06-03", "1/a/m1", task.ExtensionAsked, to("2024-08-30")) }, closing.NotServed},
		{"an extension is refused", func(w *world) {
			told(w).event("2024-06-12", "1/a/m1", task.ExtensionAsked, to("2024-08-30")).event("2024-06-13", "1/a/m1", task.ExtensionRefused)
		}, closing.Open},
		{"extended out of the quarter", func(w *world) { told(w).event("2024-06-12", "1/a/m1", task.ExtensionGranted, to("2024-07-05")) }, closing.Prolonged},
		{"extended within the quarter", func(w *world) { told(w).event("2024-06-05", "1/a/m1", task.ExtensionGranted, to("2024-06-28")) }, closing.Open},
		{"returned with a date that has not passed", func(w *world) {
			told(w).report("2024-05-30", "1/a/m1").event("2024-06-03", "1/a/m1", task.Returned, to("2024-07-31"))
		}, closing.ToCome},
		{"the plan moved its date", func(w *world) { told(w).event("2024-06-05", "1/a/m1", task.Redated, to("2024-09-30")) }, closing.ToCome},
		{"held", func(w *world) { told(w).event("2024-07-10", "1/a/m1", task.HeldBack, to("2024-07-15")) }, closing.Suspended},
		{"held until the day before", func(w *world) { told(w).event("2024-07-10", "1/a/m1", task.HeldBack, to("2024-07-14")) }, closing.Open},
		{"silenced", func(w *world) {
			told(w).silences = []task.Silence{{Seq: 1, On: date("2024-07-01"), Until: date("2024-07-20"), Scope: task.OverPlan, Subject: "zf"}}
		}, closing.Suspended},
		{"silenced, and lifted", func(w *world) {
			told(w).silences = []task.Silence{
				{Seq: 1, On: date("2024-07-01"), Until: date("2024-07-20"), Scope: task.OverPlan, Subject: "zf"},
				{Seq: 2, On: date("2024-07-15"), Until: date("2024-07-20"), Scope: task.OverPlan, Subject: "zf", Lifts: 1},
			}
		}, closing.Open},
		{"ambiguous", func(w *world) {
			told(w).opened[0].Ambiguous, w.opened[0].Assess, w.tasks[0].Reading.Ambiguous = true, date("2024-06-30"), true
		}, closing.Uncertain},
		{"ambiguous, and clarified", func(w *world) { told(w).opened[0].Ambiguous, w.opened[0].Assess = true, date("2024-06-30") }, closing.Open},
		{"ambiguous, and extended", func(w *world) {
			told(w).opened[0].Ambiguous, w.opened[0].Assess, w.tasks[0].Reading.Ambiguous = true, date("2024-06-10"), true
			w.event("2024-06-05", "1/a/m1", task.ExtensionGranted, to("2024-06-20"))
		}, closing.Open},
		{"past at issue", func(w *world) { told(w).opened[0].PastAtIssue = true }, closing.Unconfirmed},
		{"inherited and confirmed", func(w *world) { w.opened[0].Inherited = true; w.event("2024-07-01", "1/a/m1", task.Confirmed) }, closing.Unconfirmed},
		{"inherited, reopened with a date in the quarter", func(w *world) {
			told(w).opened[0].Inherited = true
			w.event("2024-06-05", "1/a/m1", task.Reopened, to("2024-06-20"))
		}, closing.Open},
		{"waived", func(w *world) { told(w).event("2024-07-01", "1/a/m1", task.Waived) }, closing.NotApplied},
		{"withdrawn", func(w *world) { told(w).event("2024-07-01", "1/a/m1", task.Withdrawn) }, closing.TakenOut},
		{"handed on", func(w *world) { told(w).event("2024-07-01", "1/a/m1", task.Transferred) }, closing.HandedOn},
		{"only told", func(w *world) { told(w).dir.Units[1].Chase = task.ChaseCourtesy }, closing.OnlyTold},
		{"only told, done late", func(w *world) {
			told(w).event("2024-06-11", "1/a/m1", task.Accepted).dir.Units[1].Chase = task.ChaseCourtesy
		}, closing.OnlyTold},
		{"only told, in time", func(w *world) { w.event("2024-05-31", "1/a/m1", task.Accepted).dir.Units[1].Chase = task.ChaseCourtesy }, closing.OnlyTold},
		{"never written to", func(w *world) { w.dir.Units[1].Chase = task.ChaseManual }, closing.Manual},
		{"no letters", func(w *world) { w.dir.Units[1].Chase = task.ChaseNone }, closing.Manual},
		{"a row that a person speaks of", func(w *world) { told(w).tasks[0].Chase = task.ChaseManual }, closing.Manual},
		{"the row only told, the unit never written to", func(w *world) {
			w.tasks[0].Chase, w.dir.Units[1].Chase = task.ChaseCourtesy, task.ChaseManual
		}, closing.Manual},
		{"never written to, waived", func(w *world) {
			w.event("2024-07-01", "1/a/m1", task.Waived).dir.Units[1].Chase = task.ChaseManual
		}, closing.NotApplied},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "a", "b").issued("2024-04-12").row("1", on("2024-05-31"), by("a")).row("2", on("2024-05-31"), by("b")).open("2024-07-01")
			w.report("2024-05-31", "2/b/m1")
			c.give(w)
			w.quarters("2024-07-15", "2024-07-15")
			r, err := closing.DecodeRates(w.closed[0].Frozen)
			if err != nil || len(r.Units) != 2 || r.Total.Items != 2 {
				t.Fatalf("the rates are %+v, %v", r, err)
			}
			a := r.Units[0]
			got := map[closing.Standing]int{closing.DoneOnTime: a.OnTime, closing.DoneLate: a.Late, closing.Open: a.Open}[c.want] + a.Left[c.want]
			if got != 1 {
				t.Errorf("it stands at %+v, want %s", a, c.want)
			}
		})
	}
}

func TestABulletinNamesNobodyWhoIsNotUrged(t *testing.T) {
	w := newWorld(t, "a", "b", "c").issued("2024-04-12").row("1", on("2024-05-31")).row("6", every(deadline.Month, "25"), fields("发现问题")).
		row("7", on("2024-05-30"), by("a"), func(t *task.Task) { t.Chase = task.ChaseManual }).open("2024-07-01")
	w.dir.Units[2].Chase, w.dir.Units[3].Chase = task.ChaseCourtesy, task.ChaseManual
	for _, u := range []string{"a", "b"} {
		w.said("2024-05-28", "1/"+u+"/m1", "T-3").said("2024-05-22", "6/"+u+"/2024-05", "T-3")
	}
	w.report("2024-05-31", "1/a/m1").quarters("2024-07-15", "2024-07-15")
	w.rated("2024-07-15 2024Q2 #1: 17 = 1 on time + 0 late + 1 open + 4 bureau + 5 by-hand + 4 informed + 2 not-served; 0/3 rows")
	got := w.papers(notice.Bulletin)[0]
	for _, want := range []string{
		"县a局｜5｜3｜2｜1｜0｜1｜1/2（50%）｜1/2（50%）", "仅知会或由专人联系的单位（不计入）｜8｜8｜0｜0｜0｜0｜0/0（—）｜0/0（—）", "合计｜17｜15｜2｜1｜0｜1｜",
		"仅知会、不催办4项次。", "由专人联系5项次。", "催办未送达2项次（县a局2项次）。",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	for _, sheet := range w.diary[len(w.diary)-1].Facts.Paper.Sheets {
		for i := range sheet.Rows {
			for j := range sheet.Columns {
				got += "\n" + sheet.Words(i, j)
			}
		}
	}
	for _, bad := range []string{"县b局", "县c局"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s is named in\n%s", bad, got)
		}
	}
}

func TestThereIsNoBulletinOnThoseWhoAreNotUrged(t *testing.T) {
	w := newWorld(t, "a", "b").issued("2024-04-12").row("1", on("2024-05-31"))
	w.dir.Units[1].Chase, w.dir.Units[2].Chase = task.ChaseCourtesy, task.ChaseManual
	w.quarters("2024-07-15", "2024-07-15").rated()
}

func TestANumberToBeReachedIsClosedWithTheYear(t *testing.T) {
	year := deadline.Year
	r := every(deadline.Year, "end")
	r.Quota = &deadline.Quota{Min: 12, Per: &year}
	w := newWorld(t, "a", "b").issued("2024-01-02").row("1", r, by("a", "b")).open("2024-12-31")
	n := func(n int) func(*task.Event) { return func(e *task.Event) { e.N = n } }
	w.event("2024-11-20", "1/a/2024", task.Counted, n(12)).event("2024-11-20", "1/b/2024", task.Counted, n(7))
	w.quarters("2025-02-05", "2025-02-07").shut("2025-02-07 1 2024 #1: 2 = on-time 1 + missing 1")
	got := w.papers(notice.Summary)[0]
	for _, want := range []string{"应完成2家已完成1家", "按时完成1家、未完成1家，合计2家", "应完成数｜24\n已完成数｜19", "县b局：未完成，应于12月31日前完成12次，已完成7次，尚缺5次。"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing from\n%s", want, got)
		}
	}
	if strings.Contains(got, "报送2家") || strings.Contains(got, "年度报告情况") {
		t.Errorf("a number is called a report in\n%s", got)
	}
}

func TestAHalfYearDueOnASundayClosesOnItsOwnDate(t *testing.T) {
	w := newWorld(t, "a").issued("2024-04-12").row("9", every(deadline.Half, "06-30", "12-31"), by("a"))
	w.quarters("2024-06-25", "2024-07-31").shut("2024-07-03 9 2024H1 #1: 1 = missing 1")
}
