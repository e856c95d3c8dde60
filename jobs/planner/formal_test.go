package planner_test

import (
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// june is a town with one milestone, due on Sunday 30 June 2024: T+2 is 2 July, T+5 the 5th, T+10 the 12th.
func june(t *testing.T) *town {
	w := newTown(t).row("1", on("2024-06-30")).live("2024-01-15", "2024-06-30")
	w.diary = nil
	return w
}

func TestAFormIsDraftedTenWorkdaysAfterTheDate(t *testing.T) {
	w := june(t).live("2024-07-01", "2024-08-30").
		wrote("07-02 a: overdue 1/m1 T+2", "07-05 a: overdue 1/m1 T+5; cc deputy").
		drafted("07-12 1/a/m1 T+10")
	doc := w.Documents[0]
	if doc.State != notice.Drafted || doc.Kind != notice.SupervisionForm || doc.Unit != "a" || doc.Matter != notice.MatterOf("ls/zf/1/a/m1", 0) ||
		strings.Join(doc.Refs, " ") != "ls/zf/1/a/m1" || doc.Drafted != date("2024-07-12") {
		t.Errorf("the document is %+v", doc)
	}
	for _, p := range w.plans {
		for _, n := range p.Notices {
			if n.Key.Kind != notice.SupervisionForm {
				continue
			}
			if n.ID != doc.ID || n.Key.Role != "deputy" || n.Key.Matter != doc.Matter || n.State != notice.Held || !n.NextTry.IsZero() ||
				n.Reason != "draft: a person releases it with `duban outbox release "+n.ID+" --by NAME`" {
				t.Errorf("the draft's letter is %+v: %s, %q", n.Key, n.State, n.Reason)
			}
			if len(n.Facts.Recipients) != 1 || n.Facts.Recipients[0].Email != "a-deputy@gov.example" || n.Facts.Recipients[0].Copy {
				t.Errorf("it goes to %+v", n.Facts.Recipients)
			}
		}
	}
}

func TestAFormWaitsForDueProcess(t *testing.T) {
	const item = "1/a/m1"
	for _, c := range []struct {
		name  string
		live  func(*town)
		want  string // drafted, in the end
		waits string // why it waited on 12 July
	}{
		{"neither urging arrived", func(w *town) { w.mail(false).live("2024-07-01", "2024-07-12") }, "", "goes first|was not served|urged on"},
		{"the first arrived late, and moved the second to the 10th", func(w *town) {
			w.mail(false).live("2024-07-01", "2024-07-04").mail(true).live("2024-07-05", "2024-07-16")
		}, "07-16 1/a/m1 T+10", "urged on 2024-07-10; the form leaves the unit 4 workdays"},
		{"only the second arrived", func(w *town) {
			w.mail(false).live("2024-07-01", "2024-07-02").bounced("550 no such user").mail(true).live("2024-07-03", "2024-07-12")
		}, "07-12 1/a/m1 T+10", ""},
		{"told by telephone, and urged four workdays before", func(w *town) {
			w.event("2024-07-01", item, task.Contacted, ref("phone")).mail(false).live("2024-07-01", "2024-07-05").mail(true).live("2024-07-06", "2024-07-12")
		}, "07-12 1/a/m1 T+10", ""},
		{"held by the bureau", func(w *town) {
			w.live("2024-07-01", "2024-07-10").event("2024-07-11", item, task.HeldBack, to("2024-07-16")).live("2024-07-11", "2024-07-17")
		}, "07-17 1/a/m1 T+10", "held by the bureau until 2024-07-16"},
		{"an extension is asked for and refused", func(w *town) {
			w.live("2024-07-01", "2024-07-10").event("2024-07-11", item, task.ExtensionAsked).live("2024-07-11", "2024-07-15").
				event("2024-07-16", item, task.ExtensionRefused).live("2024-07-16", "2024-07-16")
		}, "07-16 1/a/m1 T+10", "an extension request awaits an answer"},
		{"silenced, and checked for one workday", func(w *town) {
			w.live("2024-07-01", "2024-07-10").silence(date("2024-07-11"), date("2024-07-12"), task.OverUnit, "a").live("2024-07-11", "2024-07-16")
		}, "07-16 1/a/m1 T+10", "silenced by 王某 until 2024-07-12: 机构改革"},
		{"the worker was down over the second urging", func(w *town) {
			w.live("2024-07-01", "2024-07-04").off("2024-07-05", "2024-07-11").live("2024-07-12", "2024-07-18")
		}, "07-18 1/a/m1 T+10", "urged on 2024-07-12; the form leaves the unit 4 workdays"},
	} {
		w := june(t)
		c.live(w)
		if got := strings.Join(w.forms, "; "); got != c.want {
			t.Errorf("%s: drafted %q, want %q", c.name, got, c.want)
		}
		why := ""
		for _, p := range w.plans {
			for _, h := range p.Held {
				if h.Step == "T+10" && why == "" {
					why = h.Reason
				}
			}
		}
		found := false
		for _, want := range strings.Split(c.waits, "|") {
			found = found || want == "" && why == "" || want != "" && strings.Contains(why, want)
		}
		if !found {
			t.Errorf("%s: waited since %q, want %q", c.name, why, c.waits)
		}
	}
}

func TestABouncedUrgingHoldsTheForm(t *testing.T) {
	// The letters are refused for good: what they were to say waits for another address, and nobody is taken further.
	w := june(t).mail(false).live("2024-07-01", "2024-07-02").bounced("550 no such user").
		live("2024-07-03", "2024-07-05").bounced("550 no such user")
	w.mail(true).live("2024-07-06", "2024-07-12").drafted()
	if got := w.held(); !strings.Contains(got, "1/a/m1 T+10: the urging of 2024-07-05 was not served: 550 no such user; tell the unit by other means and record it: `duban obligations contacted ls/zf/1/a/m1`") {
		t.Errorf("held %q", got)
	}
	holds := 0
	for _, p := range w.plans {
		holds += len(p.Holds)
	}
	w.live("2024-07-13", "2024-07-16").drafted()
	for _, p := range w.plans[len(w.plans)-2:] {
		if len(p.Held) != 1 || len(p.Holds) != 0 {
			t.Errorf("a reason that did not change is stored again: %+v", p.Holds)
		}
	}
	if holds != 1 {
		t.Errorf("%d holds are stored, want 1", holds)
	}
	// Told by telephone on the 17th, it counts from the fourth workday after.
	w.event("2024-07-17", "1/a/m1", task.Contacted, ref("phone")).live("2024-07-17", "2024-07-31").drafted("07-23 1/a/m1 T+10")
}

func TestADraftThatNoLongerHoldsIsDropped(t *testing.T) {
	drafted := func() *town { return june(t).live("2024-07-01", "2024-07-12").drafted("07-12 1/a/m1 T+10") }
	// Reported on a Saturday, returned with a firm date: the form comes ten workdays after that.
	drafted().event("2024-07-13", "1/a/m1", task.Reported).live("2024-07-13", "2024-07-16").
		drafted("07-15 dropped: the unit reported on 2024-07-13").
		event("2024-07-17", "1/a/m1", task.Returned, to("2024-07-26")).live("2024-07-17", "2024-08-30").
		drafted("08-09 1/a/m1 T+10")
	// The report was entered by mistake: what it dropped is drafted again, on the day after the one that first sees the correction.
	w := drafted().event("2024-07-15", "1/a/m1", task.Reported)
	seq := w.seq
	w.live("2024-07-13", "2024-07-15").drafted("07-15 dropped: the unit reported on 2024-07-15").
		event("2024-07-16", "1/a/m1", task.Corrected, voids(seq)).live("2024-07-16", "2024-07-17").drafted("07-17 1/a/m1 T+10")
	drafted().event("2024-07-15", "1/a/m1", task.ExtensionGranted, to("2024-08-30")).live("2024-07-13", "2024-09-13").
		drafted("07-15 dropped: the date was given anew: it is 2024-08-30 now", "09-13 1/a/m1 T+10")
	drafted().event("2024-07-15", "1/a/m1", task.Waived).live("2024-07-13", "2024-07-31").
		drafted("07-15 dropped: the item is waived since 2024-07-15")
	drafted().row("1", on("2024-06-30"), from("2024-07-15"), gone).live("2024-07-13", "2024-07-31").
		drafted("07-15 dropped: the row has left the plan, or the unit is no longer there")
	// A request for more time does not drop it: it is refused at release for as long as it waits.
	drafted().event("2024-07-15", "1/a/m1", task.ExtensionAsked).live("2024-07-13", "2024-07-31").drafted()
	// What a person set aside is not drafted again, unless the date is given anew.
	w = drafted()
	w.Documents[0].State, w.Documents[0].Why = notice.Dropped, "已电话商定"
	w.live("2024-07-13", "2024-08-30").drafted().
		event("2024-09-02", "1/a/m1", task.Reported).event("2024-09-03", "1/a/m1", task.Returned, to("2024-09-10")).
		live("2024-08-31", "2024-09-30").drafted("09-25 1/a/m1 T+10")
	// One that was issued is drafted once.
	w = drafted()
	w.Documents[0].State = notice.Issued
	w.live("2024-07-13", "2024-12-31").drafted()
}

func TestAReleaseIsEvaluatedAgain(t *testing.T) {
	again := func(w *town, d string) (planner.FormFacts, string) {
		w.listen(date(d))
		c, ok := w.Case("ls/zf/1/a/m1", date(d))
		if !ok {
			t.Fatal("the item is not there")
		}
		return planner.FormAgain(c, w.Set, date(d))
	}
	w := june(t).live("2024-07-01", "2024-07-12")
	f, why := again(w, "2024-07-16")
	if why != "" || f.Matter != w.Documents[0].Matter || f.Late != 12 || f.Reply != date("2024-07-23") || len(f.Urged) != 2 || len(f.Reminded) != 3 {
		t.Errorf("%q %+v", why, f)
	}
	for _, c := range []struct {
		do   func(*town)
		want string
	}{
		{func(w *town) { w.event("2024-07-15", "1/a/m1", task.Reported) }, "the unit reported on 2024-07-15"},
		{func(w *town) { w.event("2024-07-15", "1/a/m1", task.ExtensionAsked) }, "an extension request awaits an answer"},
		{func(w *town) { w.event("2024-07-15", "1/a/m1", task.ExtensionGranted, to("2024-07-31")) }, "the date was given anew: it is 2024-07-31 now"},
		{func(w *town) { w.event("2024-07-15", "1/a/m1", task.HeldBack, to("2024-07-16")) }, "held by the bureau until 2024-07-16"},
		{func(w *town) { w.silence(date("2024-07-15"), date("2024-07-31"), task.OverPlan, "zf") }, "silenced by 王某 until 2024-07-31: 机构改革"},
		{func(w *town) { w.unit("a", "2024-07-15", chased(task.ChaseManual)) }, "the ladder has no form for it any more: the unit is not written to by machine (chase: manual)"},
	} {
		w := june(t).live("2024-07-01", "2024-07-12")
		c.do(w)
		if _, why := again(w, "2024-07-16"); why != c.want {
			t.Errorf("refused since %q, want %q", why, c.want)
		}
	}
	if _, why := again(june(t).live("2024-07-01", "2024-07-10"), "2024-07-10"); why == "" {
		t.Error("what was never drafted may be released")
	}
}

func TestReportsGetAFormAfterSeveralMisses(t *testing.T) {
	monthly := func(reported ...string) *town {
		w := newTown(t).issued("2024-01-02").row("1", every(deadline.Month, "25"))
		w.Set.Grace = 3
		for d := date("2024-01-02"); d <= date("2024-07-31"); d++ {
			for _, r := range reported {
				if month, day, _ := strings.Cut(r, " "); day == d.String()[5:] {
					w.event(d.String(), "1/a/2024-"+month, task.Accepted)
				}
			}
			w.day(d)
		}
		return w
	}
	monthly("01 01-25", "02 02-25", "03 03-25", "04 04-25", "05 05-24", "06 06-25", "07 07-25").drafted()
	monthly("01 01-25", "02 02-25", "03 03-25", "04 04-25", "06 06-25", "07 07-25").drafted() // one miss
	monthly("01 01-25", "02 02-25", "03 03-25", "04 04-25", "07 07-25").drafted("07-09 1/a/2024-06 T+10")
	// May's came within the grace: late, but not missed.
	monthly("01 01-25", "02 02-25", "03 03-25", "04 04-25", "05 05-29", "07 07-25").drafted()
	monthly("01 01-25", "02 02-25", "03 03-25", "04 04-25", "05 06-12", "07 07-25").drafted("07-09 1/a/2024-06 T+10")
	// January, March and May: the third within a year.
	monthly("02 02-25", "04 04-25", "06 06-25", "07 07-25").drafted("06-07 1/a/2024-05 T+10")
}

func TestAnAmbiguousDateGetsNoForm(t *testing.T) {
	w := newTown(t).issued("2024-08-01").row("1", or(on("2024-09-30"), "2024-10-31")).live("2024-08-01", "2024-11-29").drafted()
	if got := w.held(); !strings.Contains(got, "the date has two readings; `duban tasks clarify ls/zf/1` first") {
		t.Errorf("held %q", got)
	}
}

func TestWhatTheFormSays(t *testing.T) {
	w := newTown(t)
	w.Plans[0].Title, w.Plans[0].DocNumber = "崂山区提升行政执法质量实施方案", "青崂政办字〔2024〕14号"
	w.row("17", on("2024-06-30"), func(t *task.Task) {
		t.Title, t.DeadlineText, t.Deliverable, t.SupportText = "突出问题清单", "2024年6月底前", "问题清单；整改报告", "区司法局"
	}).live("2024-01-15", "2024-07-12")
	c, _ := w.Case("ls/zf/17/a/m1", date("2024-07-15"))
	f, why := planner.FormAgain(c, w.Set, date("2024-07-15"))
	if why != "" {
		t.Fatal(why)
	}
	p := planner.FormPaper(f, date("2024-07-15"), "督办〔2024〕12号")
	var got strings.Builder
	got.WriteString(p.Subject + "\n" + p.Number + "\n" + p.Title + "\n" + p.Issuer + " " + p.Date.Chinese() + "\n")
	for _, row := range p.Form {
		got.WriteString(row.Label + "｜" + row.Text + "\n")
	}
	const want = `【区政府办】7月22日前请反馈督办事项1项（已超期11个工作日）·督办通知单·区a局
督办〔2024〕12号
督办通知单
青岛市崂山区人民政府办公室 2024年7月15日
编号｜督办〔2024〕12号
督办事项｜第17项“突出问题清单”
督办依据｜《崂山区提升行政执法质量实施方案》（青崂政办字〔2024〕14号）第17项，完成时限原文“2024年6月底前”，时限6月30日。
责任单位｜青岛市崂山区a局（牵头单位）
配合单位｜区司法局
前期告知｜6月3日、6月17日、6月25日已提醒；7月2日、7月5日已催办（已送达）。
督办要求｜按青岛市崂山区sfj局登记，截至7月15日，该事项已超期11个工作日，尚未收到贵局报送的问题清单、整改报告。请贵局抓紧办理，于7月22日前报送问题清单、整改报告，并书面反馈办理情况。已通过其他渠道报送的，请告知报送时间和方式，即予更正；确实不能按期完成的，请说明原因和拟完成日期；认为不属于贵局职责的，请一并说明理由。
办理时限｜2024年7月22日（星期一）前反馈
反馈方式｜填写本单“办理情况反馈”，由负责人签字并加盖公章，随问题清单、整改报告报青岛市崂山区sfj局；可先发电子版，纸质件后补。
联系人｜联络员sfj，邮箱：sfj@gov.example
签收｜签收人：　　　　　　签收时间：　　年　　月　　日
办理情况反馈（由青岛市崂山区a局填写）｜
办理情况｜
未按期完成的原因及拟完成日期｜
负责人意见｜签字：　　　　　　（单位盖章）　　年　　月　　日
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if draft := planner.FormPaper(f, date("2024-07-15"), ""); draft.Number != "" {
		t.Errorf("a draft is numbered %s", draft.Number)
	}
}

func TestTheBureausHoldAndCheck(t *testing.T) {
	june(t).event("2024-07-01", "1/a/m1", task.HeldBack, to("2024-07-03")).live("2024-07-01", "2024-07-31").
		wrote("07-04 a: overdue 1/m1 T+2", "07-09 a: overdue 1/m1 T+5; cc deputy").drafted("07-15 1/a/m1 T+10")
	june(t).event("2024-07-01", "1/a/m1", task.HeldBack, to("2024-07-31")).event("2024-07-02", "1/a/m1", task.LetGo).live("2024-07-01", "2024-07-05").
		wrote("07-02 a: overdue 1/m1 T+2", "07-05 a: overdue 1/m1 T+5; cc deputy")
	// The register has to be checked after the date.
	w := june(t)
	w.Set.Confirm = true
	w.event("2024-06-28", "1/a/m1", task.Checked).live("2024-07-01", "2024-07-03").wrote()
	if got := w.held(); got != "1/a/m1 T+2: the register has not been checked since 2024-06-30: `duban obligations confirm ls/zf/1/a/m1`, or record what the unit sent" {
		t.Errorf("held %q", got)
	}
	w.event("2024-07-04", "1/a/m1", task.Checked).live("2024-07-04", "2024-07-31").
		wrote("07-04 a: overdue 1/m1 T+2", "07-09 a: overdue 1/m1 T+5; cc deputy")
}

func TestASilence(t *testing.T) {
	// Over the reminder and the first urging: the reminder's day passes, the urging is checked for a workday first.
	w := newTown(t).row("1", on("2024-06-30")).live("2024-01-15", "2024-06-24")
	w.diary, w.passed = nil, nil
	w.silence(date("2024-06-25"), date("2024-07-05"), task.OverUnit, "a").live("2024-06-25", "2024-07-05").wrote()
	if got := w.held(); got != "1/a/m1 T+5: silenced by 王某 until 2024-07-05: 机构改革" {
		t.Errorf("held %q", got)
	}
	announced := func(d string) string {
		w.listen(date(d))
		c, _ := w.Case("ls/zf/1/a/m1", date(d))
		step, why, ok := planner.Announce(c, w.Set, date(d))
		if !ok {
			return ""
		}
		return step.Step + ": " + why
	}
	if got := announced("2024-07-05"); got != "" {
		t.Errorf("under the silence %q is announced", got)
	}
	w.live("2024-07-06", "2024-07-08").wrote() // the 8th is the Monday of the check
	if got := w.held(); got != "1/a/m1 T+5: silenced until 2024-07-05; the register is checked once more before anybody is urged" {
		t.Errorf("held %q", got)
	}
	if got := announced("2024-07-08"); !strings.HasPrefix(got, "T+5: will be urged on 2024-07-09") {
		t.Errorf("announced %q", got)
	}
	w.live("2024-07-09", "2024-07-31").wrote("07-09 a: overdue 1/m1 T+5").
		passedOver("1/a/m1 T-3: its day is past", "1/a/m1 T+2: a later step is due").drafted("07-15 1/a/m1 T+10")
	// Lifted early, on the 3rd: the first day without it is that of the check.
	w = june(t).silence(date("2024-07-01"), date("2024-07-31"), task.OverObligation, "ls/zf/1/a/m1")
	w.lift(date("2024-07-03"), w.seq).live("2024-07-01", "2024-07-05").wrote("07-04 a: overdue 1/m1 T+2")
	// A silence that touches no working day is none, and one unit's is not another's.
	june(t).silence(date("2024-06-29"), date("2024-06-30"), task.OverPlan, "zf").silence(date("2024-07-01"), date("2024-07-31"), task.OverUnit, "b").
		live("2024-07-01", "2024-07-02").wrote("07-02 a: overdue 1/m1 T+2")
}

// Above the cap what may wait goes into the next week's first letter, and what may not is written and held for a person.
func TestTheWeeklyCap(t *testing.T) {
	// Of the week of 17 June: T-3 of the rows is Tuesday, Wednesday and Friday; that of row 4, due on Monday the 24th, is
	// Wednesday the 19th, and Monday's letter would come on its last day: a person may let it go before. That of row 3 can wait.
	w := newTown(t).row("1", on("2024-06-21")).row("2", on("2024-06-23")).row("3", on("2024-06-26")).row("4", on("2024-06-24")).row("5", on("2024-06-14"))
	w.Set.WeeklyCap = 1
	w.live("2024-01-15", "2024-06-16")
	w.diary = nil
	w.live("2024-06-17", "2024-06-24").wrote(
		"06-17 a: upcoming 1/m1 + 2/m1 + 4/m1 + 3/m1 T-10",
		"06-18 a: overdue 5/m1 T+2; upcoming 1/m1 T-3 + 2/m1 T-3 + 4/m1 + 3/m1",
		"06-19 a: overdue 5/m1; upcoming 1/m1 + 2/m1 + 4/m1 T-3 + 3/m1; held",
		"06-20 a: overdue 5/m1; upcoming 1/m1 + 2/m1 + 4/m1 T-3 + 3/m1; held",
		"06-21 a: overdue 5/m1; upcoming 1/m1 + 2/m1 + 4/m1 T-3 + 3/m1; held",
		"06-24 a: overdue 5/m1 T+5; upcoming 4/m1 T-3 + 3/m1 T-3; cc deputy",
	)
	var held []string
	for _, p := range w.plans {
		for _, h := range p.Holds {
			held = append(held, h.On.String()[5:]+" "+strings.TrimPrefix(h.Obligation, "ls/zf/")+" "+h.Step+": "+h.Reason)
		}
	}
	if got := strings.Join(held, "\n"); !strings.Contains(got, "06-21 3/a/m1 T-3: the unit has had its letters of this week (1 besides the first working day's); it waits for the letter of 2024-06-24") {
		t.Errorf("held\n%s", got)
	}
	// What dies before Monday is written and waits for a person; released or not, Monday's letter says what is left.
	w = newTown(t).row("1", on("2024-06-21")).row("2", on("2024-06-26")).row("3", on("2024-06-28"), from("2024-06-20"))
	w.Set.WeeklyCap = 1
	w.row("6", every(deadline.Week, "Friday"), from("2024-06-19"))
	w.live("2024-01-15", "2024-06-17")
	w.diary = nil
	w.live("2024-06-18", "2024-06-21")
	last := w.plans[len(w.plans)-1]
	for _, n := range last.Notices {
		if n.State != notice.Held || !strings.Contains(n.Reason, "`duban outbox release "+n.ID+" --by NAME`") || !strings.Contains(n.Reason, "the letter of 2024-06-24") {
			t.Errorf("%s: %s because %q", n.Key.Date, n.State, n.Reason)
		}
	}
	if len(w.diary) < 2 || !strings.HasSuffix(w.diary[1], "; held") {
		t.Errorf("wrote\n%s", strings.Join(w.diary, "\n"))
	}
	if len(w.Unsent) != 1 {
		t.Errorf("%d letters wait", len(w.Unsent))
	}
	w.live("2024-06-22", "2024-06-24")
	if len(w.Unsent) != 0 {
		t.Errorf("Monday's letter left %d behind", len(w.Unsent))
	}
}

// The last working day before a break of three days or more names what falls due in it or right after it.
func TestBeforeABreak(t *testing.T) {
	w := newTown(t).row("1", on("2024-10-03")).row("2", on("2024-10-08")).row("3", on("2024-10-09")).live("2024-08-01", "2024-09-26")
	w.diary = nil
	w.live("2024-09-27", "2024-10-10").wrote(
		"09-27 a: upcoming 1/m1 + 2/m1 T-3 + 3/m1",
		"09-29 a: upcoming 1/m1 + 2/m1 + 3/m1 T-3", // a make-up Sunday
		"09-30 a: upcoming 1/m1 BREAK + 2/m1 BREAK + 3/m1",
		"10-09 a: overdue 1/m1 T+2; upcoming 3/m1",
		"10-10 a: overdue 1/m1 + 2/m1 T+2",
	)
}

func TestAPolicyThatCountsFromADay(t *testing.T) {
	later := ladder.Default()
	later[task.Milestone] = []ladder.Rule{{Step: "T-1", Rung: ladder.Reminder, Offset: -1}, {Step: "T+3", Rung: ladder.Urging, Offset: 3}}
	w := newTown(t).row("1", on("2024-06-30")).row("2", on("2024-08-30"))
	w.Set.Later = []planner.Policy{{From: date("2024-07-01"), Ladder: later}}
	w.live("2024-01-15", "2024-09-30").wrote(
		"06-03 a: upcoming 1/m1 A30", "06-17 a: upcoming 1/m1 T-10", "06-25 a: upcoming 1/m1 T-3",
		"07-03 a: overdue 1/m1 T+3", "08-29 a: overdue 1/m1; upcoming 2/m1 T-1", "09-04 a: overdue 1/m1 + 2/m1 T+3",
	)
	var r task.Record
	for _, rec := range w.Records {
		if rec.Obligation.Row == "2" {
			r = rec
		}
	}
	r.Steps = nil
	u, _ := w.Directory.AsOf(civil.Never).Unit("a")
	if c := planner.CacheOf(r, w.Tasks[1], u, w.Set, date("2024-06-25")); c.NextLook != date("2024-08-29") {
		t.Errorf("the next look is on %s", c.NextLook)
	}
}

func TestExplaining(t *testing.T) {
	w := june(t).live("2024-07-01", "2024-07-02")
	explained := func(d string) planner.Decision {
		w.listen(date(d))
		c, _ := w.Case("ls/zf/1/a/m1", date(d))
		return planner.Decide(c, w.Set, date(d))
	}
	for _, c := range []struct{ day, today, next string }{
		{"2024-06-24", "no step's day has come", "T-3 waiting 2024-06-25"},
		{"2024-06-30", "2024-06-30 is no working day (weekend); letters go again on 2024-07-01", "T+2 waiting 2024-07-02"},
		{"2024-07-02", "T+2 is said today", "T+5 waiting 2024-07-05"},
		{"2024-07-05", "T+5 goes today", "T+10 waiting 2024-07-12"},
	} {
		got := explained(c.day)
		next := got.Next.Step + " " + string(got.Next.State) + " " + got.Next.On.String()
		if got.Today != c.today || next != c.next {
			t.Errorf("%s: %q, next %s; want %q, %s", c.day, got.Today, next, c.today, c.next)
		}
	}
	w.event("2024-07-03", "1/a/m1", task.ExtensionAsked)
	if got := explained("2024-07-05"); got.Today != "T+5 waits: an extension request awaits an answer" || got.Next.On != date("2024-07-08") {
		t.Errorf("%q, next %+v", got.Today, got.Next)
	}
	w.event("2024-07-05", "1/a/m1", task.Reported)
	if got := explained("2024-07-05"); got.Today != "it is answered since 2024-07-05: the ladder is silent" || got.Next.Step != "" {
		t.Errorf("%q, next %+v", got.Today, got.Next)
	}
}

func TestTheRegisterIsCheckedTheDayBefore(t *testing.T) {
	w := june(t).live("2024-07-01", "2024-07-01")
	u, _ := w.Directory.AsOf(date("2024-07-01")).Unit("a")
	step, _, ok := planner.Announced(record(w.World, "ls/zf/1/a/m1"), w.Tasks[0], u, w.Set, nil, date("2024-07-01"))
	if !ok || step.Step != "T+2" {
		t.Errorf("on T+1 %q is announced", step.Step)
	}
	for day, want := range map[string]string{"2024-06-28": "", "2024-07-02": "", "2024-07-04": "", "2024-07-11": "T+10"} {
		w := june(t).live("2024-07-01", day)
		step, _, _ := planner.Announced(record(w.World, "ls/zf/1/a/m1"), w.Tasks[0], u, w.Set, nil, date(day))
		if step.Step != want {
			t.Errorf("on %s %q is announced, want %q", day, step.Step, want)
		}
	}
}
