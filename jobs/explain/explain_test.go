package explain_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/explain"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

func date(s string) civil.Date { return civil.MustParse(s) }

// desk is one obligation with its row, on which a test writes what happened. Run days it as the planner would.
type desk struct {
	t   *testing.T
	in  explain.Input
	seq int64
}

// item is an obligation of a unit called 县交通运输局, which reports through its liaison; due as the text reads.
func item(t *testing.T, text, issued string, kind task.Kind, due string) *desk {
	t.Helper()
	id := task.TaskID{Jurisdiction: "sishui", Plan: "zf", Row: "6"}
	reading := deadline.Parse(text, date(issued))
	d := date(due)
	o := task.Obligation{
		Ref: task.Ref{TaskID: id, Unit: "jtj", Instance: "m1"}, Kind: kind, Role: task.Responsible, Owes: task.OwesDeliver,
		Opened: date(issued), Nominal: d, Effective: d, Assess: d,
	}
	return &desk{t: t, in: explain.Input{
		Case: planner.Case{
			Jurisdiction: task.Jurisdiction{Code: "sishui", Name: "泗水县", Bureau: "sfj"},
			Record:       task.Record{Obligation: o},
			Task:         task.Task{TaskID: id, Title: "专项整治月度报告", DeadlineText: text, Reading: reading, Parser: 1, Deliverable: "报告"},
			Unit: task.Unit{Code: "jtj", Name: "县交通运输局", Chase: task.ChaseLetter,
				Contacts: []task.Contact{{Role: task.Liaison, Name: "甲", Email: "a@b.example"}}},
			Plan: task.Plan{Code: "zf", Title: "实施方案", Issued: date(issued)}, LeadOpen: true, Served: map[string]civil.Date{},
		},
		Settings: planner.Settings{
			Calendar: workday.National(), Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: 5}, ReportDay: 10, Roll: planner.Keep, Grace: 3,
		},
		Letters: map[string]notice.Brief{},
	}}
}

func (d *desk) event(on string, kind task.EventKind, change ...func(*task.Event)) *desk {
	d.seq++
	e := task.Event{Jurisdiction: "sishui", Seq: d.seq, On: date(on), Kind: kind, Subject: d.in.Case.Record.Obligation.Ref.String(), Who: "李"}
	for _, f := range change {
		f(&e)
	}
	d.in.Case.Record.Events = append(d.in.Case.Record.Events, e)
	return d
}

func to(day string) func(*task.Event)   { return func(e *task.Event) { e.Date = date(day) } }
func why(text string) func(*task.Event) { return func(e *task.Event) { e.Why = text } }

// run plans the days from the first to the last, each letter served on its day.
func (d *desk) run(from, until string) *desk {
	for day := date(from); day <= date(until); day++ {
		decision := planner.Decide(d.in.Case, d.in.Settings, day)
		for _, s := range decision.Steps {
			f := task.FiredStep{Arm: s.Arm, Step: s.Step, N: 1, Role: s.Role, On: day}
			switch {
			case s.Arm != decision.Status.Arm || s.N > 0:
				continue
			case s.State == planner.StepToday:
				f.Notice = "letter-" + day.String()
				d.in.Case.Served[f.Notice] = day
			case s.State == planner.StepPassed:
				f.Passed = s.Reason
			case s.State == planner.StepHeld:
				d.in.Case.Record.Holds = append(d.in.Case.Record.Holds, task.Hold{Arm: s.Arm, Step: s.Step, On: day, Reason: s.Reason})
				continue
			default:
				continue
			}
			d.in.Case.Record.Steps = append(d.in.Case.Record.Steps, f)
		}
	}
	return d
}

func (d *desk) on(day string) explain.Explanation {
	d.in.Day = date(day)
	return explain.Explain(d.in)
}

func steps(e explain.Explanation) string {
	var out []string
	for _, s := range e.Steps {
		out = append(out, fmt.Sprintf("%s %s %s", s.On.String()[5:], s.Step, s.State))
	}
	return strings.Join(out, ", ")
}

func TestWhatComesNextIsWhatHappens(t *testing.T) {
	tests := []struct {
		name, text, due string
		kind            task.Kind
		days            map[string][3]string // the day asked → step, day and check day of what comes next
	}{
		{"over 国庆", "2024年9月底前", "2024-09-30", task.Milestone, map[string][3]string{
			"2024-08-30": {"A30", "2024-09-02", ""}, "2024-09-29": {"T+2", "2024-10-09", "2024-10-08"}, "2024-10-03": {"T+2", "2024-10-09", "2024-10-08"},
			"2024-10-09": {"T+5", "2024-10-12", ""}, "2024-10-12": {"T+10", "2024-10-18", "2024-10-17"}, "2024-10-18": {"", "", ""}}},
		{"within 国庆", "2024年10月5日前", "2024-10-05", task.Milestone, map[string][3]string{
			"2024-09-27": {"BREAK", "2024-09-30", ""}, "2024-09-30": {"T+2", "2024-10-09", "2024-10-08"}}},
		{"the half-year's end, a Sunday", "2024年6月底前", "2024-06-30", task.Milestone, map[string][3]string{
			"2024-06-24": {"T-3", "2024-06-25", ""}, "2024-06-28": {"T+2", "2024-07-02", "2024-07-01"}, "2024-06-30": {"T+2", "2024-07-02", "2024-07-01"}}},
		{"25 January 2025", "2025年1月25日前", "2025-01-25", task.Milestone, map[string][3]string{
			"2025-01-24": {"T+2", "2025-01-27", "2025-01-26"}, "2025-01-27": {"T+5", "2025-02-07", ""}}},
		{"a leap day", "2024年2月29日前", "2024-02-29", task.Milestone, map[string][3]string{
			"2024-02-25": {"T-3", "2024-02-26", ""}, "2024-02-29": {"T+2", "2024-03-04", "2024-03-01"}}},
		{"the year's turn", "2024年底前", "2024-12-31", task.Milestone, map[string][3]string{
			"2024-12-31": {"T+2", "2025-01-03", "2025-01-02"}}},
	}
	for _, tt := range tests {
		for _, day := range slices.Sorted(maps.Keys(tt.days)) {
			want := tt.days[day]
			t.Run(tt.name+" "+day, func(t *testing.T) {
				d := item(t, tt.text, "2024-01-15", tt.kind, tt.due).run("2024-01-15", day)
				next := d.on(day).Next
				if got := [3]string{next.Step, next.On.String(), next.Check.String()}; got != want {
					t.Fatalf("next %v, want %v: %s", got, want, next.What)
				}
				if want[0] == "" {
					return
				}
				// What was said to come comes: running the days says that step on that day, and none before.
				before := len(d.in.Case.Record.Steps)
				d.run((date(day) + 1).String(), want[1])
				var said []string
				for _, f := range d.in.Case.Record.Steps[before:] {
					if f.Passed == "" {
						said = append(said, f.Step+" "+f.On.String())
					}
				}
				if len(said) != 1 || said[0] != want[0]+" "+want[1] {
					t.Errorf("the days said %v, want %s on %s", said, want[0], want[1])
				}
			})
		}
	}
}

func TestDatesSayWhereTheyComeFrom(t *testing.T) {
	d := item(t, "2024年9月底前", "2024-07-08", task.Milestone, "2024-09-30")
	d.event("2024-09-20", task.ExtensionAsked, to("2024-10-15"), why("等上级批复")).
		event("2024-09-25", task.ExtensionGranted, to("2024-10-15"), why("同意")).
		event("2024-10-20", task.ExtensionGranted, to("2024-10-31"), why("再延"))
	e := d.on("2024-10-21")
	for _, c := range []struct {
		name string
		got  explain.Date
		on   string
		want []string
	}{
		{"nominal", e.Nominal, "2024-09-30", []string{"“2024年9月底前” reads so"}},
		{"effective", e.Effective, "2024-10-31", []string{
			"first 2024-09-30, as the document has it",
			"2024-09-30 → 2024-10-15: an extension was granted on 2024-09-25 by 李: 同意",
			"2024-10-15 → 2024-10-31: an extension was granted on 2024-10-20 by 李: 再延"}},
		{"assess", e.Assess, "2024-10-15", []string{
			"first 2024-09-30, as the effective date",
			"2024-09-30 → 2024-10-15: an extension was granted on 2024-09-25 by 李: 同意",
			"the extension of 2024-10-20 leaves it: it was not asked by then"}},
	} {
		if c.got.On != date(c.on) || !slices.Equal(c.got.From, c.want) {
			t.Errorf("%s: %s\n%s\nwant %s\n%s", c.name, c.got.On, strings.Join(c.got.From, "\n"), c.on, strings.Join(c.want, "\n"))
		}
	}
	if e.Arm != 2 {
		t.Errorf("arm %d, want 2", e.Arm)
	}
	// As of a day before, nothing of it is known.
	if e := d.on("2024-09-24"); e.Effective.On != date("2024-09-30") || len(e.Effective.From) != 1 || e.Arm != 0 {
		t.Errorf("known too early: %+v", e.Effective)
	}
}

func TestOrigins(t *testing.T) {
	tests := []struct {
		name                       string
		d                          *desk
		change                     func(*desk)
		nominal, effective, assess string
	}{
		{"a review is due on a day after its period", item(t, "每季度", "2024-04-12", task.Quarterly, "2024-09-30"), func(d *desk) {
			o := &d.in.Case.Record.Obligation
			o.Period, o.Instance, o.Effective, o.Assess = "2024Q3", "2024Q3", date("2024-10-10"), date("2024-10-10")
		}, "the last day of 2024年第三季度", "the report is due on day 10 of the month after the period, as the jurisdiction says", "as the effective date"},
		{"a monthly report", item(t, "每月25日前", "2024-04-12", task.Monthly, "2024-06-25"), func(d *desk) {
			o := &d.in.Case.Record.Obligation
			o.Period, o.Instance = "2024-06", "2024-06"
		}, "the date of 2024年6月", "as the document has it", "as the effective date"},
		{"two readings", item(t, "2024年10月前", "2024-04-12", task.Milestone, "2024-09-30"), func(d *desk) {
			o := &d.in.Case.Record.Obligation
			o.Ambiguous, o.Assess = true, date("2024-10-31")
		}, "“2024年10月前” reads so", "as the document has it", "the later of two readings"},
		{"a date on a day off, rolled back", item(t, "2024年6月底前", "2024-04-12", task.Milestone, "2024-06-30"), func(d *desk) {
			o := &d.in.Case.Record.Obligation
			o.Effective, o.Assess = date("2024-06-28"), date("2024-06-28")
		}, "reads so", "rolled to the working day before", "as the effective date"},
		{"a person read the cell", item(t, "适时", "2024-04-12", task.Milestone, "2024-06-30"), func(d *desk) {
			d.in.Case.Task.ClarifiedBy = "王"
		}, "the reading given by 王", "as the document has it", "as the effective date"},
		{"a case's clock, by a rule", item(t, "", "2024-04-12", task.Clock, "2024-09-29"), func(d *desk) {
			o := &d.in.Case.Record.Obligation
			o.Instance = "e:〔2024〕7号"
			o.Nominal, o.Effective, o.Assess = date("2024-09-29"), date("2024-09-29"), date("2024-09-29")
			d.in.Case.Task.Category = task.PerCase
			d.in.Settings.Rules = []task.Rule{{Kind: "行政处罚决定", Plan: "zf", Row: "6", N: 7, Unit: "workday", Basis: "国办发〔2018〕118号"}}
			d.in.Triggers = []task.Event{{Seq: 9, On: date("2024-09-19"), Kind: task.Triggered, Subject: o.TaskID.String(), Ref: "〔2024〕7号", Unit: "jtj", Date: date("2024-09-29")}}
		}, "7 workdays after the event of 2024-09-19, by the rule for 行政处罚决定: 国办发〔2018〕118号", "as the document has it", "as the effective date"},
		{"months after an event, as the text reads", item(t, "机构改革完成后6个月内", "2024-04-12", task.Condition, "2025-01-15"), func(d *desk) {
			o := &d.in.Case.Record.Obligation
			o.Instance = "e:机构改革完成"
			d.in.Triggers = []task.Event{{Seq: 9, On: date("2024-07-15"), Kind: task.Triggered, Subject: o.TaskID.String(), Date: date("2025-01-15")}}
		}, "6 months after the event of 2024-07-15, as “机构改革完成后6个月内” reads", "as the document has it", "as the effective date"},
		{"a case's clock that ends on a day off", item(t, "", "2024-04-12", task.Clock, "2024-10-05"), func(d *desk) {
			o := &d.in.Case.Record.Obligation
			o.Instance, o.Effective, o.Assess = "e:1", date("2024-10-08"), date("2024-10-08")
		}, "the event 1 set it", "rolled: a clock ends on the next working day (Civil Code art. 203)", "as the effective date"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.change(tt.d)
			e := tt.d.on("2024-09-26")
			for _, c := range []struct {
				name, got, want string
			}{{"nominal", e.Nominal.From[0], tt.nominal}, {"effective", e.Effective.From[0], tt.effective}, {"assess", e.Assess.From[0], tt.assess}} {
				if !strings.HasSuffix(c.got, c.want) {
					t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
				}
			}
		})
	}
}

func TestStandingAndNotes(t *testing.T) {
	due := func() *desk { return item(t, "2024年9月底前", "2024-07-08", task.Milestone, "2024-09-30") }
	tests := []struct {
		name  string
		d     *desk
		on    string
		state string
		notes []string
		today string
		next  string
	}{
		{"ahead", due(), "2024-09-26", "waiting, 3 workdays left", nil, "T-3 goes today", "T+2 (urging) on 2024-10-09"},
		{"on the day", due().run("2024-07-08", "2024-09-27"), "2024-09-30", "waiting, due by the end of 2024-09-30", nil, "no step's day has come", "T+2 (urging) on 2024-10-09"},
		{"a day off after it", due().run("2024-07-08", "2024-09-30"), "2024-10-04", "waiting, overdue, no workday since", nil, "no working day (statutory holiday)", "T+2 (urging) on 2024-10-09"},
		{"late", due().run("2024-07-08", "2024-10-09"), "2024-10-10", "waiting, overdue by 3 workdays", nil, "", "T+5 (urging) on 2024-10-12"},
		{"reported", due().event("2024-10-09", task.Reported), "2024-10-10", "reported on 2024-10-09; without the bureau's answer it counts as accepted from the end of 2024-10-15", nil,
			"it is answered since 2024-10-09: the ladder is silent", "nothing to the unit: the bureau accepts or returns the report"},
		{"accepted by default", due().event("2024-10-09", task.Reported), "2024-10-16", "done: reported on 2024-10-09, accepted on 2024-10-15 by default, as the bureau did not answer, 2 workdays late", nil,
			"it is done", "nothing: it is closed"},
		{"waived", due().event("2024-08-01", task.Waived, why("不承担")), "2024-08-02", "waived since 2024-08-01", nil, "it is waived", "nothing: it is closed"},
		{"asked for more time", due().run("2024-07-08", "2024-09-30").event("2024-09-30", task.ExtensionAsked, to("2024-10-31")), "2024-10-10", "waiting, overdue by 3 workdays",
			[]string{"an extension was asked on 2024-09-30 for 2024-10-31 and is not answered: urging and forms wait"}, "T+2 waits: an extension request awaits an answer", "nothing until a person acts: an extension request awaits an answer"},
		{"held by the bureau", due().run("2024-07-08", "2024-09-30").event("2024-10-08", task.HeldBack, to("2024-10-18"), why("正在核对")), "2024-10-10", "waiting, overdue by 3 workdays",
			[]string{"the bureau holds urging and forms back until 2024-10-18: 正在核对"}, "T+2 waits: held by the bureau until 2024-10-18: 正在核对", " on 2024-10-21 as things stand"},
		{"told by telephone", due().run("2024-07-08", "2024-10-08").event("2024-10-08", task.Contacted), "2024-10-09", "waiting, overdue by 2 workdays",
			[]string{"the unit was contacted by other means on 2024-10-08"}, "T+2 is passed over: contacted by other means on 2024-10-08", "T+5 (urging) on 2024-10-12"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.d.on(tt.on)
			if !strings.HasPrefix(e.Standing, tt.state) {
				t.Errorf("standing %q, want %q", e.Standing, tt.state)
			}
			if !slices.Equal(e.Notes, tt.notes) {
				t.Errorf("notes %q, want %q", e.Notes, tt.notes)
			}
			if !strings.Contains(e.Today, tt.today) {
				t.Errorf("today %q, want %q", e.Today, tt.today)
			}
			if !strings.Contains(e.Next.What, tt.next) {
				t.Errorf("next %q, want %q", e.Next.What, tt.next)
			}
		})
	}
}

func TestStepsSayWhatBecameOfThem(t *testing.T) {
	d := item(t, "2024年9月底前", "2024-07-08", task.Milestone, "2024-09-30").run("2024-09-14", "2024-10-08")
	// The letter of T+2 bounced; T+5 goes all the same; the form waits for an urging that was served.
	d.run("2024-10-09", "2024-10-12")
	for _, id := range []string{"letter-2024-10-09", "letter-2024-10-12"} {
		delete(d.in.Case.Served, id)
		d.in.Letters[id] = notice.Brief{ID: id, State: notice.Failed, Reason: "550 5.1.1 no such user"}
	}
	d.in.Case.Refused = map[string]string{"letter-2024-10-12": "550 5.1.1 no such user"}
	d.run("2024-10-13", "2024-10-18")
	e := d.on("2024-10-21")
	if got, want := steps(e), "09-14 A30 passed, 09-18 T-10 fired, 09-26 T-3 fired, 10-09 T+2 fired, 10-12 T+5 fired, 10-18 T+10 held"; got != want {
		t.Errorf("steps\n got %s\nwant %s", got, want)
	}
	for i, want := range []string{
		"passed over: its day is past", "said in letter letter-2, served (letter of 2024-09-18)", "said in letter letter-2, served (letter of 2024-09-26)",
		"said in letter letter-2, which is failed: 550 5.1.1 no such user", "said in letter letter-2, which is failed: 550 5.1.1 no such user",
		"held since 2024-10-18: the urging of 2024-10-12 was not served: 550 5.1.1 no such user; tell the unit by other means",
	} {
		if !strings.HasPrefix(e.Steps[i].What, want) {
			t.Errorf("step %d: %q, want %q", i, e.Steps[i].What, want)
		}
	}
	if e.Goes || !strings.HasPrefix(e.Today, "T+10 waits: the urging of 2024-10-12 was not served") || !strings.HasPrefix(e.Next.What, "nothing until a person acts: the urging") {
		t.Errorf("goes %t, today %q, next %q", e.Goes, e.Today, e.Next.What)
	}
	// Told by telephone, four workdays later the form is drafted.
	e = d.event("2024-10-21", task.Contacted).on("2024-10-21")
	if e.Next.Step != "T+10" || e.Next.On != date("2024-10-25") {
		t.Errorf("next %+v", e.Next)
	}
}

func TestFormsSayHowFarTheyGot(t *testing.T) {
	d := item(t, "2024年9月底前", "2024-07-08", task.Milestone, "2024-09-30").run("2024-07-08", "2024-10-18")
	id := "letter-2024-10-18"
	for name, c := range map[string]struct {
		doc  notice.Document
		want string
		next string
	}{
		"drafted": {notice.Document{State: notice.Drafted}, "drafted; a person releases it: duban outbox release " + id, "nothing by itself: the draft waits for a person"},
		"issued": {notice.Document{State: notice.Issued, Number: "泗政督〔2024〕3号", Date: date("2024-10-21"), By: "王", Via: notice.ByOA, Served: date("2024-10-21")},
			"issued as 泗政督〔2024〕3号 on 2024-10-21 by 王, oa, served on 2024-10-21", "nothing by the ladder"},
		"issued later": {notice.Document{State: notice.Issued, Number: "x", Date: date("2024-10-23")}, "drafted; a person releases it", ""},
		"voided":       {notice.Document{State: notice.Voided, Number: "泗政督〔2024〕3号", Why: "误发"}, "voided, number 泗政督〔2024〕3号: 误发", ""},
	} {
		c.doc.ID = id
		d.in.Documents = []notice.Document{c.doc}
		e := d.on("2024-10-22")
		last := e.Steps[len(e.Steps)-1]
		if last.Step != "T+10" || !strings.HasPrefix(last.What, c.want) || !strings.HasPrefix(e.Next.What, c.next) {
			t.Errorf("%s: %s %q, next %q", name, last.Step, last.What, e.Next.What)
		}
	}
}

// TestExplainingChangesNothing: the same input gives the same bytes, and is left as it was.
func TestExplainingChangesNothing(t *testing.T) {
	d := item(t, "2024年9月底前", "2024-07-08", task.Milestone, "2024-09-30").run("2024-07-08", "2024-10-09").
		event("2024-12-01", task.Reported) // later than the day: not known yet
	before := fmt.Sprintf("%+v", d.in.Case)
	first, err := json.Marshal(d.on("2024-10-10"))
	if err != nil {
		t.Fatal(err)
	}
	second, _ := json.Marshal(d.on("2024-10-10"))
	if string(first) != string(second) {
		t.Errorf("two explanations differ:\n%s\n%s", first, second)
	}
	if after := fmt.Sprintf("%+v", d.in.Case); after != before {
		t.Errorf("the case changed:\n%s\n%s", before, after)
	}
	for _, key := range []string{`"id":`, `"as_of":"2024-10-10"`, `"workday":true`, `"nominal":{"on":"2024-09-30","from":[`, `"steps":[{"arm":0,"step":"A30"`, `"what":"`, `"goes":false`, `"next":{"step":"T+5"`} {
		if !strings.Contains(string(first), key) {
			t.Errorf("the JSON lacks %s:\n%s", key, first)
		}
	}
}

// TestStepsOfDaysPastAreNotToCome looks at an item that was answered before its register was ever run.
func TestStepsOfDaysPastAreNotToCome(t *testing.T) {
	d := item(t, "2024年9月底前", "2024-07-08", task.Milestone, "2024-09-30")
	d.event("2024-09-25", task.Reported)
	past, ahead := 0, 0
	for _, s := range d.on("2024-09-26").Steps {
		want := "was not said"
		if s.On > date("2024-09-26") {
			want = "not to be said as the item stands"
			ahead++
		} else {
			past++
		}
		if s.What != want {
			t.Errorf("%s %s: %q, want %q", s.On, s.Step, s.What, want)
		}
	}
	if past == 0 || ahead == 0 {
		t.Errorf("%d steps of days past and %d ahead", past, ahead)
	}
}
