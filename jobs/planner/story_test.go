package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"duban/jobs/deadline"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

func TestAMilestoneFromOpeningToTheLastUrging(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-30")).live("2024-01-15", "2024-12-31").
		wrote(
			"06-03 a: upcoming 1/m1 A30",
			"06-17 a: upcoming 1/m1 T-10",
			"06-25 a: upcoming 1/m1 T-3",
			"07-02 a: overdue 1/m1 T+2",
			"07-05 a: overdue 1/m1 T+5; cc deputy",
		).passedOver()
	var last notice.Facts
	for _, p := range w.plans {
		for _, nt := range p.Notices {
			if nt.Key.Kind == notice.UnitLetter {
				last = nt.Facts
			}
		}
	}
	it := last.Overdue[0]
	if fmt.Sprint(it.Reminded) != "[2024-06-03 2024-06-17 2024-06-25]" || fmt.Sprint(it.Urged) != "[2024-07-02]" {
		t.Errorf("told on %v, urged on %v", it.Reminded, it.Urged)
	}
	if it.Late != 5 || it.Due != date("2024-06-30") || it.LastWorkday != date("2024-06-28") || it.Left != 0 {
		t.Errorf("late %d, due %s, last workday %s, left %d", it.Late, it.Due, it.LastWorkday, it.Left)
	}
	if last.Issuer.Word != "催办函" {
		t.Errorf("the urging is called %s", last.Issuer.Word)
	}
}

func TestAReportEndsTheChase(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-30"), by(lead("a"), lead("b"))).live("2024-01-15", "2024-06-20").
		wrote("06-03 a: upcoming 1/m1 A30", "06-03 b: upcoming 1/m1 A30", "06-17 a: upcoming 1/m1 T-10", "06-17 b: upcoming 1/m1 T-10")
	// Each unit answers for itself.
	w.event("2024-06-20", "1/a/m1", task.Reported).live("2024-06-21", "2024-07-31").
		wrote("06-25 b: upcoming 1/m1 T-3", "07-02 b: overdue 1/m1 T+2", "07-05 b: overdue 1/m1 T+5; cc deputy")
}

func TestReturnedGoesOnAtTheRungItHadLeft(t *testing.T) {
	newTown(t).row("1", on("2024-06-30")).live("2024-01-15", "2024-07-02").
		wrote("06-03 a: upcoming 1/m1 A30", "06-17 a: upcoming 1/m1 T-10", "06-25 a: upcoming 1/m1 T-3", "07-02 a: overdue 1/m1 T+2").
		event("2024-07-03", "1/a/m1", task.Reported).live("2024-07-03", "2024-07-08").wrote().
		event("2024-07-09", "1/a/m1", task.Returned, to("2024-07-19")).live("2024-07-09", "2024-08-30").
		wrote("07-26 a: overdue 1/m1 T+5; cc deputy")
}

// TestAReturnedItemIsNotRepeatedAsOverdue: it was urged by its old date; nothing accuses by the new one before its own
// urging.
func TestAReturnedItemIsNotRepeatedAsOverdue(t *testing.T) {
	newTown(t).row("1", on("2024-06-30")).row("2", on("2024-07-25")).live("2024-01-15", "2024-07-02").
		event("2024-07-03", "1/a/m1", task.Reported).
		event("2024-07-09", "1/a/m1", task.Returned, to("2024-07-19")).live("2024-07-03", "2024-07-25").
		wrote(
			"06-03 a: upcoming 1/m1 A30",
			"06-17 a: upcoming 1/m1 T-10",
			"06-25 a: upcoming 1/m1 T-3",
			"07-01 a: upcoming 2/m1 A30",
			"07-02 a: overdue 1/m1 T+2; upcoming 2/m1",
			"07-15 a: upcoming 1/m1 + 2/m1 T-10",
			"07-22 a: upcoming 2/m1 T-3",
		)
}

func TestMonthlyReports(t *testing.T) {
	w := newTown(t).issued("2024-05-01").row("1", every(deadline.Month, "25"), by(lead("a"), lead("b")))
	w.live("2024-05-01", "2024-05-20").holds(
		"1/a/2024-05 monthly 2024-05-25 opened 05-01", "1/b/2024-05 monthly 2024-05-25 opened 05-01").wrote()
	// May's 25th is a Saturday. Unit a reports on it, unit b on the Wednesday after, urged by then.
	w.event("2024-05-25", "1/a/2024-05", task.Reported).event("2024-05-29", "1/b/2024-05", task.Reported).live("2024-05-21", "2024-06-19").
		wrote("05-21 a: upcoming 1/2024-05 T-3", "05-21 b: upcoming 1/2024-05 T-3", "05-28 b: overdue 1/2024-05 T+2")
	// June: only b, late of late, hears again on the day.
	w.live("2024-06-20", "2024-06-25").
		wrote("06-20 a: upcoming 1/2024-06 T-3", "06-20 b: upcoming 1/2024-06 T-3", "06-25 b: upcoming 1/2024-06 T")
	w.event("2024-06-25", "1/a/2024-06", task.Accepted).event("2024-06-25", "1/b/2024-06", task.Accepted)
	// August's 25th is a Sunday: T is Friday 23 August, within three months of 25 May; September's is not.
	w.live("2024-06-26", "2024-07-25").event("2024-07-25", "1/a/2024-07", task.Accepted).event("2024-07-25", "1/b/2024-07", task.Accepted).
		live("2024-07-26", "2024-08-25").event("2024-08-25", "1/a/2024-08", task.Accepted).event("2024-08-25", "1/b/2024-08", task.Accepted).
		live("2024-08-26", "2024-09-25").
		wrote(
			"07-22 a: upcoming 1/2024-07 T-3", "07-22 b: upcoming 1/2024-07 T-3", "07-25 b: upcoming 1/2024-07 T",
			"08-20 a: upcoming 1/2024-08 T-3", "08-20 b: upcoming 1/2024-08 T-3", "08-23 b: upcoming 1/2024-08 T",
			"09-20 a: upcoming 1/2024-09 T-3", "09-20 b: upcoming 1/2024-09 T-3",
		).passedOver(
		"1/a/2024-05 T: not late in the last three months", "1/b/2024-05 T: not late in the last three months",
		"1/a/2024-06 T: not late in the last three months", "1/a/2024-07 T: not late in the last three months",
		"1/a/2024-08 T: not late in the last three months",
		"1/a/2024-09 T: not late in the last three months", "1/b/2024-09 T: not late in the last three months",
	)
}

func TestAfterAnOutageOnlyTheLatestPermittedStepGoes(t *testing.T) {
	opening := func() *town {
		return newTown(t).row("1", on("2024-06-30")).live("2024-01-15", "2024-06-14").wrote("06-03 a: upcoming 1/m1 A30")
	}
	opening().off("2024-06-15", "2024-06-24").live("2024-06-25", "2024-06-25").wrote("06-25 a: upcoming 1/m1 T-3").
		passedOver("1/a/m1 T-10: a later step is due")
	opening().off("2024-06-15", "2024-06-30").live("2024-07-01", "2024-07-02").wrote("07-02 a: overdue 1/m1 T+2").
		passedOver("1/a/m1 T-10: its day is past", "1/a/m1 T-3: its day is past")
	opening().off("2024-06-15", "2024-07-09").live("2024-07-10", "2024-08-30").wrote("07-10 a: overdue 1/m1 T+5"). // the first that urges: not taken to the deputy
															passedOver("1/a/m1 T+2: a later step is due", "1/a/m1 T-10: a later step is due", "1/a/m1 T-3: a later step is due")
}

func TestOneLetterPerUnitAndDay(t *testing.T) {
	w := newTown(t).
		row("1", on("2024-06-28")).row("2", on("2024-07-05")).row("3", on("2024-06-24")).row("4", on("2024-07-31")).
		row("5", every(deadline.Month, "28"), from("2024-06-01")).
		live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.live("2024-06-25", "2024-06-26").wrote(
		"06-25 a: upcoming 1/m1 T-3 + 5/2024-06 T-3 + 2/m1", // row 3 was due yesterday: nothing accuses on the morning after
		"06-26 a: overdue 3/m1 T+2; upcoming 1/m1 + 5/2024-06 + 2/m1",
	)
	// 28 June is overdue for row 1: neither of its days is said again before its own urging.
	w.live("2024-06-27", "2024-07-02").wrote(
		"07-01 a: overdue 3/m1 T+5; upcoming 2/m1 + 4/m1 A30; cc deputy",
		"07-02 a: overdue 3/m1 + 1/m1 T+2 + 5/2024-06 T+2; upcoming 2/m1 T-3 + 4/m1",
	)
	perDay := map[string]int{}
	for _, p := range w.plans {
		for _, nt := range p.Notices {
			if perDay[nt.Key.Unit+nt.Key.Date.String()]++; perDay[nt.Key.Unit+nt.Key.Date.String()] > 1 {
				t.Errorf("two letters to %s on %s", nt.Key.Unit, nt.Key.Date)
			}
		}
	}
}

func TestUnsentLettersAreAbsorbed(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).row("2", on("2024-06-28")).live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.mail(false).live("2024-06-25", "2024-06-26").wrote(
		"06-25 a: upcoming 1/m1 T-3 + 2/m1 T-3", "06-26 a: upcoming 1/m1 T-3 + 2/m1 T-3")
	if len(w.Unsent) != 1 || w.Unsent[0].Key.Date != date("2024-06-26") {
		t.Fatalf("the letter of the 25th was not taken over: %d unsent", len(w.Unsent))
	}
	p := w.plans[len(w.plans)-1]
	for _, f := range p.Steps {
		if f.N != 2 || f.Step != "T-3" || f.Notice != p.Notices[0].ID {
			t.Errorf("said again: %+v", f)
		}
	}
	// One of the two is reported: only the other goes on.
	w.event("2024-06-27", "1/a/m1", task.Reported).live("2024-06-27", "2024-06-27").wrote("06-27 a: upcoming 2/m1 T-3")
	// The other as well: the letter has nothing left to say.
	w.event("2024-06-28", "2/a/m1", task.Reported).live("2024-06-28", "2024-06-28").wrote("06-28 a letter is cancelled: nothing in it was left to say")
	if len(w.Unsent) != 0 {
		t.Errorf("%d letters still wait", len(w.Unsent))
	}
	w.mail(true).live("2024-06-29", "2024-07-31").wrote()
}

func TestAnUnsentReminderDiesWithItsDate(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.mail(false).live("2024-06-25", "2024-06-30").mail(true).live("2024-07-01", "2024-07-02").wrote(
		"06-25 a: upcoming 1/m1 T-3", "06-26 a: upcoming 1/m1 T-3", "06-27 a: upcoming 1/m1 T-3", "06-28 a: upcoming 1/m1 T-3",
		"07-01 a letter is cancelled: nothing in it was left to say",
		"07-02 a: overdue 1/m1 T+2",
	)
	// What never arrived is not held against the unit.
	for _, nt := range w.plans[len(w.plans)-1].Notices {
		if got := fmt.Sprint(nt.Facts.Overdue[0].Reminded); got != "[2024-06-03 2024-06-17]" {
			t.Errorf("reminded on %s", got)
		}
	}
}

func TestAnUnsentUrgingIsPermittedAnew(t *testing.T) {
	unsent := func() *town {
		w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-07-01")
		w.mail(false).live("2024-07-02", "2024-07-02")
		w.diary = nil
		return w.mail(true)
	}
	unsent().live("2024-07-03", "2024-07-31").wrote("07-03 a: overdue 1/m1 T+2", "07-08 a: overdue 1/m1 T+5; cc deputy") // three workdays after the first
	// A request waits: the letter waits with it, and goes when it is refused.
	w := unsent().event("2024-07-03", "1/a/m1", task.ExtensionAsked).live("2024-07-03", "2024-07-03").wrote()
	if len(w.Unsent) != 1 || w.held() != "1/a/m1 T+2: an extension request awaits an answer" {
		t.Errorf("%d unsent, held %q", len(w.Unsent), w.held())
	}
	if got := w.plans[len(w.plans)-1].Hold; len(got) != 1 || !strings.Contains(got[w.Unsent[0].ID], "awaits an answer") {
		t.Errorf("the letter may still leave: %v", got)
	}
	w.event("2024-07-04", "1/a/m1", task.ExtensionRefused).live("2024-07-04", "2024-07-31").
		wrote("07-04 a: overdue 1/m1 T+2", "07-09 a: overdue 1/m1 T+5; cc deputy")
	// Told by telephone meanwhile.
	unsent().event("2024-07-03", "1/a/m1", task.Contacted, ref("phone")).live("2024-07-03", "2024-07-31").
		wrote("07-03 a letter is cancelled: nothing in it was left to say", "07-05 a: overdue 1/m1 T+5")
	// The next step has come.
	w = unsent().off("2024-07-03", "2024-07-04").live("2024-07-05", "2024-07-31").wrote("07-05 a: overdue 1/m1 T+5")
	if len(w.Unsent) != 0 {
		t.Errorf("%d letters still wait", len(w.Unsent))
	}
	// The unit is not written to any more.
	unsent().unit("a", "2024-07-03", chased(task.ChaseManual)).live("2024-07-03", "2024-07-31").
		wrote("07-03 a letter is cancelled: nothing in it was left to say")
	// Reported and returned meanwhile: it is not urged before its new date.
	unsent().event("2024-07-02", "1/a/m1", task.Reported).event("2024-07-03", "1/a/m1", task.Returned, to("2024-07-12")).live("2024-07-03", "2024-07-31").
		wrote("07-03 a letter is cancelled: nothing in it was left to say", "07-19 a: overdue 1/m1 T+5")
	// A new date: the old step is of no account.
	unsent().event("2024-07-03", "1/a/m1", task.ExtensionGranted, to("2024-07-31")).live("2024-07-03", "2024-07-16").
		wrote("07-03 a letter is cancelled: nothing in it was left to say")
}

func TestAnExtensionRequestHoldsTheUrging(t *testing.T) {
	asked := func() *town {
		w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-06-24")
		w.diary = nil
		return w.event("2024-06-25", "1/a/m1", task.ExtensionAsked).live("2024-06-25", "2024-07-02").
			wrote("06-25 a: upcoming 1/m1 T-3") // reminders go on
	}
	w := asked()
	if got := w.held(); got != "1/a/m1 T+2: an extension request awaits an answer" {
		t.Errorf("held %q", got)
	}
	w.live("2024-07-03", "2024-07-31").wrote()
	asked().event("2024-07-03", "1/a/m1", task.ExtensionRefused).live("2024-07-03", "2024-07-31").
		wrote("07-03 a: overdue 1/m1 T+2", "07-08 a: overdue 1/m1 T+5; cc deputy") // three workdays after the first
	// Granted: the ladder climbs anew from the new date.
	w = asked().event("2024-07-03", "1/a/m1", task.ExtensionGranted, to("2024-08-30")).live("2024-07-03", "2024-09-30").wrote(
		"08-19 a: upcoming 1/m1 T-10", "08-27 a: upcoming 1/m1 T-3",
		"09-03 a: overdue 1/m1 T+2", "09-06 a: overdue 1/m1 T+5; cc deputy")
	for _, r := range w.Records {
		for _, f := range r.Steps {
			if f.On >= date("2024-08-01") && f.Arm != 1 {
				t.Errorf("%s on %s is of arm %d", f.Step, f.On, f.Arm)
			}
		}
	}
}

func TestAContactStandsInForOneUrging(t *testing.T) {
	opening := func() *town {
		w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-06-28")
		w.diary = nil
		return w
	}
	opening().event("2024-07-01", "1/a/m1", task.Contacted, ref("phone")).live("2024-07-01", "2024-07-31").
		wrote("07-05 a: overdue 1/m1 T+5").passedOver("1/a/m1 T+2: contacted by other means on 2024-07-01")
	// Before the date it is a reminder, not an urging.
	opening().event("2024-06-28", "1/a/m1", task.Contacted, ref("oa")).live("2024-07-01", "2024-07-31").
		wrote("07-02 a: overdue 1/m1 T+2", "07-05 a: overdue 1/m1 T+5; cc deputy")
	// After the first urging it stands in for nothing.
	opening().live("2024-07-01", "2024-07-02").event("2024-07-03", "1/a/m1", task.Contacted, ref("phone")).live("2024-07-03", "2024-07-31").
		wrote("07-02 a: overdue 1/m1 T+2", "07-05 a: overdue 1/m1 T+5; cc deputy")
	// After an outage over both, it stands in for the first; the last one goes.
	opening().event("2024-07-01", "1/a/m1", task.Contacted, ref("phone")).off("2024-06-29", "2024-07-09").live("2024-07-10", "2024-07-31").
		wrote("07-10 a: overdue 1/m1 T+5").passedOver("1/a/m1 T+2: a later step is due")
	// A contact before the item was reopened says nothing about what is owed now; what reopens it is read on its own day first.
	opening().event("2024-07-01", "1/a/m1", task.Contacted, ref("phone")).event("2024-07-01", "1/a/m1", task.Accepted).
		event("2024-07-02", "1/a/m1", task.Reopened).live("2024-07-01", "2024-07-31").
		wrote("07-03 a: overdue 1/m1 T+2", "07-08 a: overdue 1/m1 T+5; cc deputy")
}

func TestPastAndInheritedAreListedNotChased(t *testing.T) {
	w := newTown(t).row("1", on("2023-12-31")).row("2", on("2024-06-28")).row("3", on("2024-09-30"))
	w.Jurisdiction.LiveFrom = date("2024-09-01")
	w.live("2024-01-15", "2024-09-13").holds(
		"1/a/m1 milestone 2023-12-31 past opened 01-15",
		"2/a/m1 milestone 2024-06-28 inherited opened 01-15",
		"3/a/m1 milestone 2024-09-30 opened 01-15",
	).wrote("09-02 a: upcoming 3/m1 A30")
	w.event("2024-09-14", "1/a/m1", task.Reopened, to("2024-10-31")).event("2024-09-14", "2/a/m1", task.Confirmed).
		live("2024-09-14", "2024-10-31").
		wrote(
			"09-18 a: upcoming 3/m1 T-10", "09-26 a: upcoming 3/m1 T-3",
			"10-09 a: overdue 3/m1 T+2", "10-12 a: overdue 3/m1 T+5; cc deputy",
			"10-21 a: overdue 3/m1; upcoming 1/m1 T-10", "10-28 a: overdue 3/m1; upcoming 1/m1 T-3",
		)
}

func TestThePolicysLiveFromGoesFirst(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28"))
	w.Jurisdiction.LiveFrom, w.Set.LiveFrom = date("2024-01-01"), date("2024-07-01")
	w.live("2024-01-15", "2024-12-31").holds("1/a/m1 milestone 2024-06-28 inherited opened 01-15").wrote()
}

func TestAWithdrawnRowIsSilent(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).row("1", on("2024-06-28"), from("2024-06-20"), gone).
		row("2", every(deadline.Month, "25"), from("2024-06-01")).row("2", every(deadline.Month, "25"), from("2024-07-01"), gone)
	w.live("2024-01-15", "2024-06-19")
	w.diary = nil
	w.live("2024-06-20", "2024-12-31").wrote("06-20 a: upcoming 2/2024-06 T-3", "06-27 a: overdue 2/2024-06 T+2")
}

func TestEventClocksAndConditions(t *testing.T) {
	w := newTown(t).issued("2024-09-02").
		row("1", after("机构改革完成", 6, "month"), by(lead("a"), lead("b"))).
		row("2", after("作出行政处罚决定", 7, "workday"), by(lead("a"), lead("b"))).
		row("3", after("根据上级部署", 0, ""))
	w.live("2024-09-02", "2024-09-13").wrote().holds()
	w.event("2024-09-14", "1", task.Triggered).
		event("2024-09-14", "2", task.Triggered, unit("b"), ref("崂罚2024/18号")).
		event("2024-09-18", "3", task.Triggered, to("2024-09-27")).
		live("2024-09-14", "2024-09-30").
		holds(
			"1/a/e:机构改革完成 condition 2025-03-14 opened 09-14",
			"1/b/e:机构改革完成 condition 2025-03-14 opened 09-14",
			// 14 September is a make-up Saturday, 15 to 17 are off: the seventh workday is the 26th.
			"2/b/e:崂罚2024-18号 clock 2024-09-26 opened 09-14",
			"3/a/e:根据上级部署 condition 2024-09-27 opened 09-18",
		).wrote(
		"09-18 a: upcoming 3/e:根据上级部署 T-10", "09-24 a: upcoming 3/e:根据上级部署 T-3",
		"09-24 b: clocks 2/e:崂罚2024-18号 T-2; cc legal",
		"09-27 b: clocks 2/e:崂罚2024-18号 T+1; cc legal",
		"09-30 a: overdue 3/e:根据上级部署 T+2", // 29 September is a make-up Sunday
	)
}

func TestSupportingUnitsAreInformedOnce(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28"), by(lead("a"), support("b"))).row("2", on("2024-06-28"), by(lead("c"), support("b")))
	w.live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.event("2024-06-24", "2/c/m1", task.Reported).live("2024-06-25", "2024-07-31").wrote(
		"06-25 a: upcoming 1/m1 T-3", "06-25 b: support 1/m1 T-3",
		"07-02 a: overdue 1/m1 T+2", "07-05 a: overdue 1/m1 T+5; cc deputy",
	).passedOver("2/b/m1 T-3: the result was delivered")
}

func TestUnitsThatAreWrittenToOtherwise(t *testing.T) {
	w := newTown(t).
		unit("b", "2024-01-01", chased(task.ChaseManual)).unit("c", "2024-01-01", chased(task.ChaseCourtesy)).
		row("1", on("2024-06-28"), by(lead("a"), lead("b"), lead("c"))).
		row("2", on("2024-06-28"), progressOnly).
		row("3", on("2024-06-28"), kept(task.ChaseNone))
	w.live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.live("2024-06-25", "2024-07-31").wrote(
		"06-25 a: upcoming 1/m1 T-3 + 2/m1 T-3", "06-25 c: upcoming 1/m1 T-3",
		"07-02 a: overdue 1/m1 T+2", "07-05 a: overdue 1/m1 T+5; cc deputy",
	)
}

func TestReadersAreUnitsNotAddresses(t *testing.T) {
	w := newTown(t).
		unit("a", "2024-01-01", liaison("shared@gov.example")).unit("b", "2024-01-01", liaison("Shared@gov.example")).
		unit("c", "2024-01-01", nobody).
		row("1", on("2024-06-28"), by(lead("a"), lead("b"), lead("c"))).live("2024-01-15", "2024-06-02").
		live("2024-06-03", "2024-06-04").wrote(
		"06-03 a: upcoming 1/m1 A30", "06-03 b: upcoming 1/m1 A30", "06-03 c: upcoming 1/m1 A30; held",
		"06-04 c: upcoming 1/m1 A30; held", // absorbed by the next day's, so that it goes as soon as there is a liaison
	)
	var ids []string
	for _, p := range w.plans {
		for _, nt := range p.Notices {
			ids = append(ids, nt.ID)
			if nt.Key.Unit == "c" && (nt.State != notice.Held || !strings.Contains(nt.Reason, "no liaison")) {
				t.Errorf("%s because %q", nt.State, nt.Reason)
			}
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 {
		t.Errorf("%d different letters, want 4", len(slices.Compact(ids)))
	}
	w.unit("c", "2024-06-05").live("2024-06-05", "2024-06-06").wrote("06-05 c: upcoming 1/m1 A30")
}

func TestADeputyWhoIsTheLiaisonGetsOneLetter(t *testing.T) {
	w := newTown(t).unit("a", "2024-01-01", func(u *task.Unit) { u.Contacts[1].Email = "A@gov.example" }).row("1", on("2024-06-28"))
	w.off("2024-01-15", "2024-07-01").live("2024-07-02", "2024-07-05").wrote("07-02 a: overdue 1/m1 T+2", "07-05 a: overdue 1/m1 T+5")
}

func TestWeeklyLists(t *testing.T) {
	standing := deadline.Reading{Text: "长期坚持", Standing: true}
	w := newTown(t).issued("2024-08-19").
		row("1", every(deadline.Week, "Friday")).
		row("2", standing).row("3", standing, by(lead("b"))).
		row("4", after("机构改革完成", 6, "month")).
		row("5", standing, by(support("a"))).
		row("6", func() deadline.Reading { r := on("2024-12-31"); r.Standing = true; return r }())
	w.live("2024-08-19", "2024-08-22").event("2024-08-22", "1/a/2024-W34", task.Accepted).live("2024-08-23", "2024-08-26")
	w.diary = nil
	// 16 and 17 September are off: the week's first letter may be that of the 18th. Nothing new on a Monday, no letter.
	w.event("2024-08-26", "1/a/2024-W35", task.Accepted).live("2024-08-27", "2024-09-02").wrote()
	w.row("7", on("2024-09-30"), from("2024-09-02"))
	w.live("2024-09-03", "2024-09-18").wrote(
		"09-03 a: upcoming 1/2024-W36 T-3",
		"09-10 a: overdue 1/2024-W36 T+2; upcoming 1/2024-W37 T-3",
		"09-13 a: overdue 1/2024-W36 T+5; upcoming 1/2024-W37 T; cc deputy",
		"09-18 a: overdue 1/2024-W36 + 1/2024-W37 T+2; upcoming 1/2024-W38 T-3 + 7/m1 T-10; standing 2; awaiting 4",
	)
	// Once its condition is met, it is awaited no more.
	w.event("2024-09-20", "4", task.Triggered)
	w.event("2024-09-20", "1/a/2024-W36", task.Accepted).event("2024-09-20", "1/a/2024-W37", task.Accepted).event("2024-09-20", "1/a/2024-W38", task.Accepted)
	w.row("8", on("2024-10-11"), from("2024-09-02"))
	w.live("2024-09-19", "2024-09-23").wrote("09-23 a: upcoming 7/m1 + 8/m1 T-10; standing 2")
}

func TestTheYearsNumber(t *testing.T) {
	w := newTown(t).issued("2024-01-01").row("1", number(12, deadline.Year))
	w.live("2024-01-01", "2024-01-31").holds("1/a/2024 quota 2024-12-31 quota 12 from 2024-01-01 opened 01-01")
	w.event("2024-02-10", "1/a/2024", task.Counted, n(1), ref("一")).live("2024-02-01", "2024-03-31").
		wrote("03-01 a: behind 1/2024 P-2024Q1")
	facts := w.plans[len(w.plans)-1]
	for _, p := range w.plans {
		if len(p.Notices) > 0 {
			facts = p
		}
	}
	it := facts.Notices[0].Facts.Behind[0]
	if it.Quota != 12 || it.Count != 1 || it.Pace != 2 || it.PaceAt != date("2024-02-29") {
		t.Errorf("%d of %d, pace %d at %s", it.Count, it.Quota, it.Pace, it.PaceAt)
	}
	w.event("2024-03-20", "1/a/2024", task.Counted, n(8), ref("二")).live("2024-04-01", "2024-10-31").wrote().
		event("2024-11-05", "1/a/2024", task.Counted, n(2), ref("三")).live("2024-11-01", "2025-02-28").
		wrote("11-19 a: upcoming 1/2024 T-30", "12-17 a: upcoming 1/2024 T-10", "01-03 a: overdue 1/2024 T+2", "01-08 a: overdue 1/2024 T+5; cc deputy")
}

func TestReviewsAreReportedAfterThePeriod(t *testing.T) {
	w := newTown(t).issued("2024-07-01").
		row("1", every(deadline.Quarter, "end")).row("2", every(deadline.Half, "end"), by(lead("b"))).row("3", every(deadline.Year, "end"), by(lead("c")))
	w.live("2024-07-01", "2025-01-31").wrote(
		"09-27 a: upcoming 1/2024Q3 T-5", // due on 10 October, and 国庆 lies between
		"10-12 a: overdue 1/2024Q3 T+2",
		"10-16 a: overdue 1/2024Q3 T+5; cc deputy",
		"12-02 c: upcoming 3/2024 A30",
		"12-23 c: upcoming 3/2024 T-10",
		"12-26 c: upcoming 3/2024 T-3",
		"01-03 a: overdue 1/2024Q3; upcoming 1/2024Q4 T-5", // 1 January is off
		"01-03 b: upcoming 2/2024H2 T-5",
		"01-03 c: overdue 3/2024 T+2",
		"01-08 c: overdue 3/2024 T+5; cc deputy",
		"01-14 a: overdue 1/2024Q3 + 1/2024Q4 T+2",
		"01-14 b: overdue 2/2024H2 T+2",
		"01-17 a: overdue 1/2024Q3 + 1/2024Q4 T+5; cc deputy",
		"01-17 b: overdue 2/2024H2 T+5; cc deputy",
	)
}

func TestAnAmbiguousDateIsUrgedByItsLaterReading(t *testing.T) {
	w := newTown(t).issued("2024-08-01").row("1", or(every(deadline.Year, "09-30"), "2024-10-31")).row("2", on("2024-10-18"))
	w.live("2024-08-01", "2024-12-31").wrote(
		"09-18 a: upcoming 1/2024 T-10 + 2/m1 A30",
		"09-26 a: upcoming 1/2024 T-3 + 2/m1",
		"09-30 a: upcoming 1/2024 + 2/m1 T-10",
		"10-15 a: upcoming 1/2024 + 2/m1 T-3", // between the readings it is not called overdue
		"10-22 a: overdue 2/m1 T+2; upcoming 1/2024",
		"10-25 a: overdue 2/m1 T+5; upcoming 1/2024; cc deputy",
		"11-04 a: overdue 1/2024 T+2 + 2/m1",
		"11-07 a: overdue 1/2024 T+5 + 2/m1; cc deputy",
	)
	for _, p := range w.plans {
		for _, nt := range p.Notices {
			for _, it := range nt.Facts.Items() {
				if strings.HasPrefix(it.Ref, "ls/zf/1/") && (it.Due != date("2024-09-30") || it.Later != date("2024-10-31")) {
					t.Errorf("%s: due %s, or by %s", nt.Key.Date, it.Due, it.Later)
				}
			}
		}
	}
}

// TestASecondRunWritesNoSecondLetter: a letter of yesterday was on its way while today's was planned, and came back. Its
// items wait for tomorrow, for the unit has had its letter of today.
func TestASecondRunWritesNoSecondLetter(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).row("2", on("2024-07-01")).live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.mail(false).live("2024-06-25", "2024-06-25").wrote("06-25 a: upcoming 1/m1 T-3 + 2/m1")
	back := w.Unsent
	w.Unsent = nil
	w.mail(true).live("2024-06-26", "2024-06-26").wrote("06-26 a: upcoming 1/m1 + 2/m1 T-3")
	w.Unsent, w.Written = back, map[string]bool{w.plans[len(w.plans)-1].Notices[0].ID: true}
	if p := w.RemindDay(date("2024-06-26")); len(p.Notices)+len(p.Steps)+len(p.Supersede)+len(p.Cancel) > 0 {
		t.Errorf("the second run wrote %d letters, fired %+v, took over %v, cancelled %v", len(p.Notices), p.Steps, p.Supersede, p.Cancel)
	}
	w.Written = nil
	w.live("2024-06-27", "2024-06-27").wrote("06-27 a: upcoming 1/m1 T-3 + 2/m1")
}

// TestWhatIsNotWrittenAboutIsNotRepeated: a row that is taken off the letters is not carried along by another's.
func TestWhatIsNotWrittenAboutIsNotRepeated(t *testing.T) {
	for _, c := range []task.Chase{task.ChaseManual, task.ChaseNone} {
		w := newTown(t).row("1", on("2024-07-01")).row("2", on("2024-07-02")).row("1", on("2024-07-01"), from("2024-06-20"), kept(c)).
			live("2024-01-15", "2024-06-24")
		w.diary = nil
		w.live("2024-06-25", "2024-07-31").wrote("06-27 a: upcoming 2/m1 T-3", "07-04 a: overdue 2/m1 T+2", "07-09 a: overdue 2/m1 T+5; cc deputy")
	}
}

func TestWhatABadAddressRefusedIsSaidAgainOnceItIsMended(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).row("2", on("2024-06-28")).live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.mail(false).live("2024-06-25", "2024-06-25").mail(true).wrote("06-25 a: upcoming 1/m1 T-3 + 2/m1 T-3")
	w.Failed, w.Unsent = w.Unsent, nil
	w.Failed[0].State = notice.Failed
	w.Failed[0].Receipts = []notice.Receipt{{Outcome: notice.OutcomePermanent}}
	// As long as the address is the same, a letter a day to it helps nobody.
	w.live("2024-06-26", "2024-06-26").wrote()
	w.event("2024-06-27", "2/a/m1", task.Reported).unit("a", "2024-06-27", liaison("new@gov.example"))
	w.live("2024-06-27", "2024-06-27").wrote("06-27 a: upcoming 1/m1 T-3")
	p := w.plans[len(w.plans)-1]
	if p.Supersede[w.Failed[0].ID] != p.Notices[0].ID || p.Notices[0].Facts.Recipients[0].Email != "new@gov.example" {
		t.Errorf("%+v", p.Supersede)
	}
	// Nothing left to say: the refused letter stays as it is, for the record.
	w.Failed[0].ID = "another"
	w.event("2024-06-28", "1/a/m1", task.Reported).live("2024-06-28", "2024-06-28").wrote()
	if p := w.plans[len(w.plans)-1]; len(p.Cancel) != 0 {
		t.Errorf("%v", p.Cancel)
	}
}

func TestALetterThatMayBeAtItsReaderIsNotSaidAgain(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.mail(false).live("2024-06-25", "2024-06-25").mail(true).wrote("06-25 a: upcoming 1/m1 T-3")
	w.Unsent[0].State, w.Unsent[0].Resent = notice.Retry, true // its answer was lost
	w.live("2024-06-26", "2024-06-26").wrote()
	if p := w.plans[len(w.plans)-1]; len(p.Supersede)+len(p.Cancel) != 0 {
		t.Errorf("%v %v", p.Supersede, p.Cancel)
	}
}

func TestALetterThatWaitsForACopyOnlyIsNotSaidAgain(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.mail(false).live("2024-06-25", "2024-06-25").mail(true).wrote("06-25 a: upcoming 1/m1 T-3")
	w.Unsent[0].State = notice.Retry
	w.Unsent[0].Receipts = []notice.Receipt{{Outcome: notice.OutcomeAccepted}}
	w.live("2024-06-26", "2024-06-26").wrote()
	if p := w.plans[len(w.plans)-1]; len(p.Supersede)+len(p.Cancel) != 0 {
		t.Errorf("%v %v", p.Supersede, p.Cancel)
	}
}

func TestWhatTryingWasGivenUpOfIsSaidAgain(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).live("2024-01-15", "2024-06-24")
	w.diary = nil
	w.mail(false).live("2024-06-25", "2024-06-25").mail(true).wrote("06-25 a: upcoming 1/m1 T-3")
	w.Failed, w.Unsent = w.Unsent, nil
	w.Failed[0].State, w.Failed[0].Receipts = notice.Failed, []notice.Receipt{{Outcome: notice.OutcomeTemporary}}
	w.live("2024-06-26", "2024-06-26").wrote("06-26 a: upcoming 1/m1 T-3")
}

func TestALetterHasNothingLeftToSay(t *testing.T) {
	w := newTown(t).row("1", on("2024-06-28")).row("2", on("2024-06-28")).live("2024-01-15", "2024-07-01")
	w.live("2024-07-02", "2024-07-02")
	nt := w.plans[len(w.plans)-1].Notices[0]
	today := date("2024-07-02")
	left := func(refs ...string) bool {
		some := map[string]task.Record{}
		for _, r := range w.Records {
			if slices.Contains(refs, r.Obligation.Ref.String()) {
				some[r.Obligation.Ref.String()] = r
			}
		}
		return !planner.NothingLeft(nt, some, w.Set, today)
	}
	both := []string{"ls/zf/1/a/m1", "ls/zf/2/a/m1"}
	if !left() || !left(both...) {
		t.Error("nothing happened")
	}
	for _, e := range []struct {
		kind task.EventKind
		n    string
	}{{task.HeldBack, "2024-07-05"}, {task.ExtensionAsked, "2024-07-31"}, {task.Contacted, "2024-07-02"}} {
		before := w.World
		w.event("2024-07-02", "1/a/m1", e.kind, to(e.n))
		if !left(both...) {
			t.Errorf("%s takes out one of two only", e.kind)
		}
		w.event("2024-07-02", "2/a/m1", e.kind, to(e.n))
		if left(both...) {
			t.Errorf("%s takes out both", e.kind)
		}
		w.World = before
	}
	w.event("2024-07-01", "1/a/m1", task.Reported)
	if !left(both...) {
		t.Error("one of two still waits")
	}
	w.event("2024-07-03", "2/a/m1", task.ExtensionGranted, to("2024-07-31"))
	if !left(both...) {
		t.Error("the grant counts from tomorrow")
	}
	if today++; left(both...) {
		t.Error("it is tomorrow")
	}
	today--
	w.event("2024-07-02", "2/a/m1", task.ExtensionGranted, to("2024-07-31"))
	if left(both...) {
		t.Error("one is reported, the other has more time")
	}
	if !left(both[0]) {
		t.Error("what nothing happened to is as the letter has it")
	}
}
