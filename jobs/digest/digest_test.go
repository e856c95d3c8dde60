package digest

import (
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"duban/jobs/deadline"
	"duban/jobs/task"
	"duban/notify/notice"
)

var update = flag.Bool("update", false, "write the golden digest anew")

// TestGolden is a whole digest, to be read.
func TestGolden(t *testing.T) {
	w := newTown(t).plan("zf", "提升行政执法质量实施方案", "2024-07-08", "2024-11-15").
		row("4", on("2024-06-30"), "a").
		row("17", on("2024-09-30"), "all sfj").
		row("20", or(on("2024-09-30"), "2024-10-31"), "c").
		row("24", on("2024-09-20"), "a b +c").
		row("30", unread(), "a").
		row("32", after("机构改革"), "a").
		row("40", on("2024-09-20"), "jw").
		row("41", quota(40, deadline.Year), "a").
		row("50", standing(on("2024-09-13")), "b").
		row("56", on("2024-09-13"), "a b c").
		row("60", standing(deadline.Reading{Text: "长期坚持"}), "all").
		row("64", on("2024-09-18"), "sfj")
	w.refused["c"] = true
	w.live("2024-07-08", "2024-09-20")
	w.event("2024-09-20", "50/b/m1", task.Reported).event("2024-09-23", "56/b/m1", task.ExtensionAsked, to("2024-10-15"))
	w.live("2024-09-21", "2024-09-25")
	w.event("2024-09-25", "56/a/m1", task.Contacted, by("phone")).event("2024-09-26", "17/b/m1", task.Reported).
		event("2024-09-26", "24/b/m1", task.Accepted).event("2024-09-25", "24/a/m1", task.HeldBack, to("2024-09-29"), why("已口头说明情况"))
	w.live("2024-09-26", "2024-09-26")
	got := w.text("2024-09-26") + "\n"
	if *update {
		if err := os.WriteFile("testdata/digest.txt", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/digest.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the digest differs from testdata/digest.txt:\n%s", got)
	}
}

func TestADigestGoesWhenSomethingChangedAndOnceAWeek(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-12-31"), "a").live("2024-05-06", "2024-05-31")
	for _, c := range []struct{ day, reason string }{
		{"2024-05-06", ""}, // the first
		{"2024-05-07", "nothing changed since 2024-05-06"},
		{"2024-05-11", "nothing changed since 2024-05-06"}, // a Saturday that is worked
		{"2024-05-13", ""}, // the week's first working day
		{"2024-05-14", "nothing changed since 2024-05-13"},
	} {
		if got := w.sums[date(c.day)].Reason; got != c.reason || (w.text(c.day) == "") != (c.reason != "") {
			t.Errorf("%s: %q, want %q", c.day, got, c.reason)
		}
	}
	w.has("2024-05-13", "较上期（5月6日）变化\n无变化。", "无待办；无超期")
	w.event("2024-05-31", "1/a/m1", task.Reported).live("2024-06-03", "2024-06-04")
	w.has("2024-06-03", "新报送1项次：区甲局第1项", "待审核1项次（区甲局第1项），最长1个工作日；报送后5个工作日内未审核的视为认可，最早一批6月7日截止")
	// After an outage over a week's first working day the digest of the next day makes up for it.
	w = newTown(t).row("1", on("2024-12-31"), "a").live("2024-05-06", "2024-05-09").live("2024-05-14", "2024-05-14")
	w.has("2024-05-14", "较上期（5月6日）变化\n无变化。")
}

func TestNationalDay2024(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-08-01", "").row("1", on("2024-09-30"), "a b").row("2", on("2024-10-06"), "a").live("2024-08-01", "2024-10-16")
	w.has("2024-09-23", "今后十个工作日到期（至10月11日）", "10月1日至10月7日放假，9月29日（星期日）调休上班",
		"1. 9月30日（星期一）：第1项2家应报，已报0家（未报：区甲局、区乙局）。", "2. 10月6日（星期日，非工作日，最后工作日为9月30日）：第2项区甲局应报，未报。")
	// Both are late on the first working day after the holidays, and are urged on the second.
	w.has("2024-10-08", "【督办日报10月8日】请处理1件；超期3项次、2家，2家待催办",
		"10月9日（星期三）拟催办3项次（区甲局第1项、第2项；区乙局第1项）", "区甲局｜1｜1｜", "区甲局｜2｜1｜", "新增超期3项次")
	w.lacks("2024-09-29", "超期1")
	w.has("2024-10-09", "今日催办；10月12日再次催办", "区乙局｜1｜2｜9.18、9.26｜")
	w.has("2024-10-11", "10月12日（星期六，调休上班）拟催办3项次", "区甲局｜1｜4｜", "｜10.9｜已送达｜10月12日再次催办")
	w.has("2024-10-14", "区甲局｜1｜6｜", "10.9、10.12", "10月18日拟督办通知单")
}

func TestWhatWasAnsweredLongAgoCountsAsReported(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-08-01", "").row("1", on("2024-09-30"), "a b c jw").live("2024-08-01", "2024-08-02")
	w.event("2024-08-05", "1/a/m1", task.Accepted).event("2024-08-05", "1/c/m1", task.Waived).live("2024-08-05", "2024-09-23")
	w.has("2024-09-23", "第1项3家应报，已报1家（未报：区乙局、区纪委监委机关）", "已办结1、按序时推进1、由专人联系1、不适用1，合计4项次")
	w.event("2024-09-23", "1/b/m1", task.Reported).event("2024-09-23", "1/jw/m1", task.Accepted).live("2024-09-24", "2024-09-24")
	w.lacks("2024-09-24", "今后十个工作日")
}

func TestASundayInJune(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-20", "").row("1", on("2024-06-30"), "a").live("2024-05-20", "2024-07-05")
	w.has("2024-06-17", "今后十个工作日到期（至7月1日）", "6月30日（星期日，非工作日，最后工作日为6月28日）")
	w.lacks("2024-06-24", "｜超")
	w.has("2024-07-01", "超期1项次、1家，1家待催办", "7月2日（星期二）拟催办1项次（区甲局第1项）", "区甲局｜1｜1｜6.17、6.25｜—｜待催办｜7月2日催办")
	w.has("2024-07-02", "｜今日", "今日催办；7月5日再次催办")
	if w.text("2024-06-30") != "" {
		t.Error("a digest on a Sunday")
	}
}

func TestBeforeAMakeUpSunday(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-12-02", "").row("1", on("2025-01-25"), "a").live("2024-12-02", "2025-02-10")
	w.has("2025-01-20", "1月25日（星期六，非工作日，最后工作日为1月24日）", "1月28日至2月4日放假", "1月26日（星期日）、2月8日（星期六）调休上班")
	w.has("2025-01-26", "超期1项次、1家，1家待催办", "1月27日（星期一）拟催办1项次", "区甲局｜1｜1｜")
	w.has("2025-01-27", "今日催办；2月7日再次催办")
	w.has("2025-02-05", "区甲局｜1｜3｜", "｜1.27｜已送达｜2月7日再次催办")
}

func TestTheYearsTurn(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-11-01", "").row("1", on("2024-12-31"), "a").live("2024-11-01", "2025-01-10")
	w.has("2024-12-30", "12月31日（星期二）：第1项区甲局应报，未报", "至2025年1月14日", "2025年1月1日放假")
	w.has("2025-01-02", "【督办日报1月2日】请处理1件；超期1项次、1家", "数据截至2025年1月2日", "较上期（2024年12月", "区甲局｜1｜1｜2024.12.23、2024.12.26｜—｜待催办｜1月3日催办")
}

func TestTheLeapDay(t *testing.T) {
	w := newTown(t).row("1", on("2024-02-29"), "a").row("2", every(deadline.Month, "end"), "b").live("2024-01-15", "2024-03-05")
	w.has("2024-02-26", "2月29日（星期四）：第1项区甲局应报，未报；第2项（2月）区乙局应报，未报。")
	w.has("2024-03-01", "拟催办2项次", "区甲局｜1｜1｜", "区乙局｜2（2月）｜1｜")
}

func TestAReportTypedInLate(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-08-01", "").row("1", on("2024-09-13"), "a b").live("2024-08-01", "2024-09-25")
	w.has("2024-09-23", "超期2项次、2家")
	// Both had come in on 10 September. One was answered; of the other nobody took notice for five working days.
	w.event("2024-09-10", "1/a/m1", task.Reported).event("2024-09-11", "1/a/m1", task.Accepted).event("2024-09-10", "1/b/m1", task.Reported)
	w.live("2024-09-26", "2024-09-26")
	w.has("2024-09-26", "无超期", "办结1项次：区甲局第1项", "未在期限内审核、视为认可1项次：区乙局第1项", "任务1项：已办结1，合计1项", "各单位应报2项次：已办结2，合计2项次")
	w.live("2024-09-27", "2024-09-27")
	if got := w.sums[date("2024-09-27")]; got.Reason == "" {
		t.Errorf("told twice: %+v", got)
	}
}

func TestWhatKeepsUrgingBack(t *testing.T) {
	late := func(days string) *town {
		return newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "a").live("2024-05-06", days)
	}
	// A request for more time: answered or not.
	w := late("2024-07-01").event("2024-07-01", "1/a/m1", task.ExtensionAsked, to("2024-07-15")).live("2024-07-02", "2024-07-03")
	w.has("2024-07-02", "区甲局第1项申请延期至7月15日：原时限6月28日，7月1日提出，已1个工作日，待答复，其间暂停催办", "延期待答复，暂停", "新申请延期1项次", "延期待答复1项次")
	w.lacks("2024-07-02", "拟催办")
	w.event("2024-07-04", "1/a/m1", task.ExtensionGranted, to("2024-07-15")).live("2024-07-04", "2024-07-04")
	w.has("2024-07-04", "准予延期1项次", "已延期（经批准）1", "无超期")
	// Held by the bureau, and silenced.
	w = late("2024-07-01").event("2024-07-01", "1/a/m1", task.HeldBack, to("2024-07-05"), why("正在核实")).live("2024-07-02", "2024-07-08")
	w.has("2024-07-02", "暂缓至7月5日（正在核实）", "本周到期的暂停、暂缓1处（区甲局第1项至7月5日）", "暂停或暂缓催办1项次", "暂缓催办1项次：区甲局第1项")
	w.has("2024-07-05", "7月8日（星期一）拟催办1项次")
	w = late("2024-07-01")
	w.silences = []task.Silence{{Jurisdiction: "ls", Seq: w.next(), On: date("2024-07-01"), Until: date("2024-07-03"), Scope: task.OverUnit, Subject: "a", Who: "王某", Why: "汛期"}}
	w.Silences = w.silences
	w.live("2024-07-02", "2024-07-08")
	w.has("2024-07-02", "暂停催办至7月3日（汛期）", "暂停催办1处：区甲局", "暂停、暂缓1处（区甲局至7月3日）")
	w.has("2024-07-04", "暂停期满或解除1处", "7月5日（星期五）拟催办1项次")
	// Told by other means: no first urging, and the second on its day.
	w = late("2024-07-01").event("2024-07-01", "1/a/m1", task.Contacted, by("oa")).live("2024-07-02", "2024-07-05")
	w.has("2024-07-02", "超期1项次、1家，1家已送达", "7月1日OA告知｜7月5日催办", "以其他方式告知1项次")
	// No deliverable was asked for.
	w = newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "a", func(r *task.Task) { r.Deliverable = "" }).live("2024-05-06", "2024-07-03")
	w.has("2024-07-01", "不催办｜只请报进展，不催办")
	w.lacks("2024-07-01", "拟催办")
}

func TestTheRegisterIsCheckedFirst(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "a")
	w.Set.Confirm = true
	w.live("2024-05-06", "2024-07-03")
	for _, d := range []string{"2024-07-01", "2024-07-02", "2024-07-03"} {
		w.has(d, "拟首次催办1项次（区甲局第1项）。请逐项与实际情况核对并登记核对结果；未经核对的不发出", "待核对登记，核对后催办")
	}
	w.event("2024-07-03", "1/a/m1", task.Checked).live("2024-07-04", "2024-07-04")
	w.has("2024-07-04", "今日催办", "催办1项次：区甲局第1项")
}

func TestAddressesThatBounce(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "a b c")
	w.refused["a"] = true
	w.unit("b", "区乙局", func(u *task.Unit) { u.Contacts = nil })
	w.live("2024-05-06", "2024-07-12")
	w.has("2024-07-03", "区甲局退信3封，请核对联系人；可先电话告知并登记", "区甲局｜1｜3｜退信｜退信｜未送达｜不升级，核对联系人并转电话", "尚无来信送达1项次：区甲局第1项")
	w.lacks("2024-07-03", "gov.example", "联络员a")
}

func TestFormsWaitForRelease(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "a").live("2024-05-06", "2024-07-17")
	w.has("2024-07-11", "7月12日（星期五）拟起草督办通知单1项次（区甲局第1项）。请确定发通知单、电话督促或延期")
	w.has("2024-07-12", "督办通知单待签发1件，最长0个工作日：区甲局第1项", "新拟公文1件：区甲局第1项", "督办通知单待签发")
	w.has("2024-07-15", "督办通知单待签发1件，最长1个工作日")
	w.docs[0].State, w.docs[0].Date, w.docs[0].Number = notice.Issued, date("2024-07-17"), "督办〔2024〕1号"
	w.live("2024-07-18", "2024-07-18")
	w.has("2024-07-18", "督办通知单已印发（督办〔2024〕1号）", "印发公文1件：区甲局第1项督办〔2024〕1号")
	w.lacks("2024-07-18", "待签发")
}

func TestWhatWaitsForThePersonAtTheDesk(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "2024-07-31").
		row("1", unread(), "a").row("2", after("机构改革"), "a").row("3", or(on("2024-06-14"), "2024-06-30"), "a").row("4", on("2024-04-30"), "a b").
		row("5", on("2024-06-07"), "jw").row("6", every(deadline.Month, "25"), "c").row("7", standing(deadline.Reading{Text: "长期坚持"}), "a").
		row("8", deadline.Reading{Text: "每案"}, "a", sorted(task.PerCase)).row("9", on("2024-06-28"), "+b").row("10", on("2024-06-28"), "")
	w.live("2024-05-06", "2024-06-17")
	w.has("2024-06-17", "时限待核定1项（第1项）", "条件未具备1项（第2项）", "时限有两种读法1项（第3项）", "印发时已过时限待确认2项次（1项：第4项）",
		"由专人联系，已过时限1项次：区纪委监委机关第5项（6月7日，已超5个工作日）", "《方案》有效期至7月31日，还有44天", "时限有两种读法待核定1项次：区甲局第3项",
		"任务10项：按序时推进1、超期1、由专人联系1、印发时已过时限待确认1、长期坚持1、条件未具备1、时限待核定1、逐案办理1、无须报送2，合计10项", "另有配合单位1项次")
	// The unit is gone, and what it owed is nobody's.
	w.unit("c", "区丙局", func(u *task.Unit) { u.Removed, u.On = true, date("2024-06-18") }).live("2024-06-18", "2024-06-24")
	w.has("2024-06-18", "责任单位已不在名册2项次（区丙局第6项（5月）、区丙局第6项（6月）），请登记移交或不适用", "责任单位撤并2项次", "责任单位待核2，合计6项次")
}

func TestSeveralPlansAreToldApart(t *testing.T) {
	w := newTown(t).plan("zf", "方案甲", "2024-05-06", "").row("1", on("2024-06-28"), "a").
		plan("zz", "《方案乙》", "2024-05-06", "").row("1", on("2024-06-28"), "b", of("zz", "2024-05-06")).live("2024-05-06", "2024-07-03")
	w.has("2024-07-01", "拟催办2项次（区甲局方案一第1项；区乙局方案二第1项）", "区甲局｜一-1｜", "区乙局｜二-1｜",
		"1. 方案一《方案甲》：任务1项：超期1，合计1项。应报1项次：超期1，合计1项次。", "2. 方案二《方案乙》：任务1项：超期1")
}

func TestTheBureausOwnItemsStandApart(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "sfj").row("2", on("2024-07-12"), "sfj a").
		row("3", on("2024-12-31"), "sfj").live("2024-05-06", "2024-07-03")
	w.has("2024-07-01", "未办结3项次：已过时限1，十个工作日内到期1，其余1。", "第1项（任务1）：时限6月28日，已超1个工作日，未办结", "剩余9个工作日", "无超期",
		"第2项区甲局应报，未报，本局承办，未办结", "任务3项：按序时推进1、本局承办2，合计3项")
}

func TestWhatIsBehindPace(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-01-02", "").row("1", quota(12, deadline.Year), "a b").live("2024-01-02", "2024-06-03")
	w.event("2024-06-04", "1/a/2024", task.Counted, n(6), by("x")).live("2024-06-04", "2024-07-01")
	w.has("2024-07-01", "滞后序时进度1", "按序时推进1")
	if items := w.papers[date("2024-07-01")].Sheets[1]; items.Rows[0][11].Text != "应达5，已达0，全部12" {
		t.Errorf("the sheet says %q", items.Rows[0][11].Text)
	}
}

func TestTheWeeksBurden(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-07-05"), "a").row("2", on("2024-07-08"), "a").row("3", on("2024-07-09"), "a")
	w.Set.WeeklyCap = 1
	w.live("2024-05-06", "2024-06-28")
	in := w.read(date("2024-07-05"))
	for _, d := range []string{"2024-07-01", "2024-07-02", "2024-07-03"} {
		key := notice.Key{Jurisdiction: "ls", Date: date(d), Unit: "a", Role: "liaison", Kind: notice.UnitLetter}
		in.Week = append(in.Week, notice.Brief{ID: key.ID(), Key: key, State: notice.Sent})
		in.Steps = append(in.Steps, task.FiredStep{Obligation: "ls/zf/1/a/m1", Step: "T-3", N: 1, On: date(d), Notice: key.ID()})
	}
	p, _, _ := Make(in, w.Set, date("2024-07-05"))
	for _, want := range []string{"本周（7月1日起）向1家发信3封，提出要求3项次。", "较多的单位：区甲局3封3项次。", "每周首个工作日以外超过1封的1家：区甲局2封。"} {
		if !strings.Contains(printed(p), want) {
			t.Errorf("lacks %q:\n%s", want, printed(p))
		}
	}
}

func TestTheSubjectSaysItInTwentyCharacters(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "a b").live("2024-05-06", "2024-07-01")
	subject := w.papers[date("2024-07-01")].Subject
	if subject != "【督办日报7月1日】请处理1件；超期2项次、2家，2家待催办" {
		t.Error(subject)
	}
	first := string([]rune(subject)[:20])
	if !strings.Contains(first, "请处理1件") || !strings.Contains(first, "超期2") || utf8.RuneCountInString(first) != 20 {
		t.Errorf("the first twenty characters are %s", first)
	}
}

func TestNothingIsThere(t *testing.T) {
	w := newTown(t)
	p, sum, ok := Make(Input{Jurisdiction: w.Jurisdiction}, w.Set, date("2024-07-01"))
	if !ok || sum.RowTotal != 0 || !strings.Contains(printed(p), "任务0项。") {
		t.Errorf("%v %+v\n%s", ok, sum, printed(p))
	}
	extra := notice.Section{Heading: "检查备案", Lines: []string{"重叠1件。"}}
	p, _, _ = Make(Input{Jurisdiction: w.Jurisdiction, Extra: []notice.Section{extra, {Heading: "空"}}}, w.Set, date("2024-07-01"))
	if got := printed(p); !strings.Contains(got, "检查备案") || strings.Contains(got, "空") {
		t.Error(got)
	}
}
