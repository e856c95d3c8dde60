package formal_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"duban/jobs/civil"
	"duban/jobs/formal"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

func date(s string) civil.Date { return civil.MustParse(s) }

// office is a database with one document, its letter and what it is about. moves is how many writes come too late.
type office struct {
	doc      notice.Document
	letter   notice.Notice
	record   task.Record
	closings []task.Closing
	next     int
	moves    int
	issued   notice.Notice
	recorded bool // its urgings were recorded for days that were filled in afterwards, and never sent
}

func (o *office) Jurisdiction(context.Context, string) (task.Jurisdiction, error) {
	return task.Jurisdiction{Code: "town", Name: "示例市", Bureau: "sfj", Seq: 7}, nil
}
func (o *office) Plans(context.Context, string) ([]task.Plan, error) {
	return []task.Plan{{Jurisdiction: "town", Code: "zl", Title: "方案", Issued: date("2024-01-02"), On: date("2024-01-02")}}, nil
}
func (o *office) TaskVersions(context.Context, string, []task.TaskID) ([]task.Task, error) {
	return []task.Task{{TaskID: o.record.Obligation.TaskID, Order: 1, Title: "案卷评查", Deliverable: "评查报告", On: date("2024-01-02")}}, nil
}
func (o *office) Directory(context.Context, string) (task.Directory, error) {
	return task.Directory{Units: []task.Unit{
		{Code: "sfj", Name: "市司法局", Chase: task.ChaseNone, On: date("2024-01-02")},
		{Code: "jtj", Name: "市交通运输局", Chase: task.ChaseLetter, On: date("2024-01-02"), Contacts: []task.Contact{
			{Role: task.Liaison, Name: "张三", Email: "zhang@jtj.example"}, {Role: task.Deputy, Name: "赵六", Email: "zhao@jtj.example"},
		}},
	}}, nil
}
func (o *office) RecordsOf(_ context.Context, _ string, refs []string) ([]task.Record, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	return []task.Record{o.record}, nil
}
func (o *office) Silences(context.Context, string) ([]task.Silence, error) { return nil, nil }
func (o *office) Closings(context.Context, string, task.ClosingKind) ([]task.Closing, error) {
	return o.closings, nil
}
func (o *office) Served(context.Context, []string) (map[string]civil.Date, error) {
	return map[string]civil.Date{"first": date("2024-10-09"), "second": date("2024-10-12")}, nil
}
func (o *office) Outcomes(_ context.Context, ids []string) (map[string]notice.Brief, error) {
	state, out := notice.Sent, map[string]notice.Brief{}
	if o.recorded {
		state = notice.Recorded
	}
	for _, id := range ids {
		out[id] = notice.Brief{ID: id, State: state}
	}
	return out, nil
}
func (o *office) Document(context.Context, string) (notice.Document, error) { return o.doc, nil }
func (o *office) Notice(context.Context, string) (notice.Notice, error)     { return o.letter, nil }
func (o *office) NextNumber(_ context.Context, _, _ string, year int) (int, error) {
	if year != 2024 {
		return 1, nil
	}
	return o.next, nil
}
func (o *office) Issue(_ context.Context, _ string, _ int64, d notice.Document, n notice.Notice) error {
	if o.moves > 0 {
		o.moves--
		o.next++ // whoever came first took a number
		return task.ErrMoved
	}
	o.doc, o.issued = d, n
	return nil
}
func (o *office) EndDocument(_ context.Context, _ string, _ int64, _ string, to notice.DocumentState, why string) error {
	o.doc.State, o.doc.Why = to, why
	return nil
}

// drafted is an office with the draft of a form: due on 30 September 2024, urged on 9 and 12 October, drafted on the 18th.
func drafted(change ...func(*office)) *office {
	ref := task.Ref{TaskID: task.TaskID{Jurisdiction: "town", Plan: "zl", Row: "1"}, Unit: "jtj", Instance: "m1"}
	due := date("2024-09-30")
	key := notice.Key{Jurisdiction: "town", Date: date("2024-10-18"), Unit: "jtj", Role: "deputy", Kind: notice.SupervisionForm, Matter: notice.MatterOf(ref.String(), 0)}
	o := &office{
		next: 3,
		doc: notice.Document{
			ID: key.ID(), Jurisdiction: "town", Kind: key.Kind, Matter: key.Matter, Unit: "jtj", Drafted: key.Date,
			Refs: []string{ref.String()}, State: notice.Drafted,
		},
		letter: notice.Notice{ID: key.ID(), Key: key, State: notice.Held, Facts: notice.Facts{Paper: &notice.Paper{Title: "督办通知单", Date: key.Date}}},
		record: task.Record{
			Obligation: task.Obligation{
				Ref: ref, Kind: task.Milestone, Role: task.Responsible, Owes: task.OwesDeliver, Opened: date("2024-07-01"),
				Nominal: due, Effective: due, Assess: due,
			},
			Steps: []task.FiredStep{
				{Obligation: ref.String(), Step: "T+2", N: 1, Role: task.Liaison, On: date("2024-10-09"), Notice: "first"},
				{Obligation: ref.String(), Step: "T+5", N: 1, Role: task.Liaison, On: date("2024-10-12"), Notice: "second"},
				{Obligation: ref.String(), Step: "T+10", N: 1, Role: task.Deputy, On: key.Date, Notice: key.ID()},
			},
		},
	}
	for _, f := range change {
		f(o)
	}
	return o
}

func desk(o *office) formal.Desk {
	return formal.Desk{Store: o, Settings: func(string) (planner.Settings, error) {
		return planner.Settings{Calendar: workday.National(), Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: 5}}, nil
	}}
}

func numbered(n string) formal.Release {
	r := mail("2024-10-22")
	r.Number = n
	return r
}

func mail(day string) formal.Release {
	return formal.Release{By: "申敏", Via: notice.ByMail, On: date(day), Today: date(day)}
}

// An urging that was only recorded reached nobody.
func TestNoFormRestsOnAnUrgingThatWasNeverSent(t *testing.T) {
	o := drafted(func(o *office) { o.recorded = true })
	_, err := desk(o).Release(t.Context(), mail("2024-10-22"))
	var refused formal.RefusedError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "urging") {
		t.Errorf("issued all the same, or for another reason: %v", err)
	}
}

// TestReleaseWritesTheFormAnew: number, date, days late and time for the answer are those of the day of issue.
func TestReleaseWritesTheFormAnew(t *testing.T) {
	o := drafted()
	doc, err := desk(o).Release(t.Context(), mail("2024-10-22"))
	if err != nil {
		t.Fatal(err)
	}
	if doc.Number != "督办〔2024〕3号" || doc.N != 3 || doc.Year != 2024 || doc.State != notice.Issued || doc.Date != date("2024-10-22") || doc.Served != 0 {
		t.Errorf("%+v", doc)
	}
	text := ""
	for _, r := range o.issued.Facts.Paper.Form {
		text += r.Label + r.Text + "\n"
	}
	for _, want := range []string{"督办〔2024〕3号", "已超期12个工作日", "10月29日"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the form:\n%s", want, text)
		}
	}
	if to := o.issued.Facts.Recipients; len(to) != 1 || to[0].Email != "zhao@jtj.example" || to[0].Copy {
		t.Errorf("it goes to %+v", to)
	}
}

func TestReleaseByOtherMeans(t *testing.T) {
	o := drafted()
	r := mail("2024-10-22")
	r.Via, r.On, r.Number = notice.ByPaper, date("2024-10-21"), "示政督〔2024〕7号"
	doc, err := desk(o).Release(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Number != r.Number || doc.N != 0 || doc.Served != r.On || doc.Date != r.On || !strings.Contains(o.issued.Reason, "paper") {
		t.Errorf("%+v, %q", doc, o.issued.Reason)
	}
}

// TestTheRegisterFollowsTheOffice: a number of its own series that is given by hand moves the register on; one of another
// does not, and none that lies behind.
func TestTheRegisterFollowsTheOffice(t *testing.T) {
	for given, want := range map[string]int{"督办〔2024〕3号": 3, "督办〔2024〕12号": 12, "督办〔2024〕2号": 0, "督办〔2023〕12号": 0, "示政督〔2024〕12号": 0} {
		if doc, err := desk(drafted()).Release(t.Context(), numbered(given)); err != nil || doc.Number != given || doc.N != want {
			t.Errorf("%s: %s is number %d of the register (%v), want %d", given, doc.Number, doc.N, err, want)
		}
	}
}

// TestALetterIsDatedOnAWorkingDay: released on a Saturday it leaves on Monday, and gives five working days from then.
func TestALetterIsDatedOnAWorkingDay(t *testing.T) {
	o := drafted()
	doc, err := desk(o).Release(t.Context(), mail("2024-10-19"))
	if err != nil || doc.Date != date("2024-10-21") || o.issued.Facts.Date != doc.Date {
		t.Errorf("%s, %v", doc.Date, err)
	}
}

// TestANumberIsTakenWithTheDocument: where another write came first, the number is asked for again.
func TestANumberIsTakenWithTheDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses between the tries cost nothing
		o := drafted(func(o *office) { o.moves = 2 })
		if doc, err := desk(o).Release(t.Context(), mail("2024-10-22")); err != nil || doc.N != 5 {
			t.Errorf("number %d, %v; want 5", doc.N, err)
		}
		o = drafted(func(o *office) { o.moves = 99 })
		if _, err := desk(o).Release(t.Context(), mail("2024-10-22")); !errors.Is(err, task.ErrMoved) {
			t.Errorf("%v, want that it moved", err)
		}
	})
}

func event(on string, kind task.EventKind, change ...func(*task.Event)) func(*office) {
	return func(o *office) {
		e := task.Event{Seq: int64(len(o.record.Events) + 1), On: date(on), Kind: kind, Who: "李敏", Why: "来函"}
		for _, f := range change {
			f(&e)
		}
		o.record.Events = append(o.record.Events, e)
	}
}

func until(day string) func(*task.Event) { return func(e *task.Event) { e.Date = date(day) } }

func TestWhatIsNotReleased(t *testing.T) {
	bulletin := func(o *office) {
		o.doc.Kind, o.doc.Refs = notice.Bulletin, nil
		o.closings = []task.Closing{
			{Kind: task.QuarterClose, Period: "2024Q3", Notice: o.doc.ID, On: date("2024-10-14")},
			{Kind: task.QuarterClose, Period: "2024Q3", Version: 1, On: date("2024-10-20")},
		}
	}
	for _, c := range []struct {
		name, words string
		refused     bool // for its facts: RefusedError
		o           *office
		r           formal.Release
	}{
		{"reported meanwhile", "reported on 2024-10-21", true, drafted(event("2024-10-21", task.Reported)), mail("2024-10-22")},
		{"an extension is asked for", "extension", true, drafted(event("2024-10-21", task.ExtensionAsked, until("2024-11-15"))), mail("2024-10-22")},
		{"held by the bureau", "来函", true, drafted(event("2024-10-21", task.HeldBack, until("2024-10-30"))), mail("2024-10-22")},
		{"given a new date", "anew", true, drafted(event("2024-10-21", task.ExtensionGranted, until("2024-11-15"))), mail("2024-10-22")},
		{"restated", "restated on 2024-10-20", true, drafted(bulletin), mail("2024-10-22")},
		{"issued before", "not a draft", false, drafted(func(o *office) { o.doc.State = notice.Issued }), mail("2024-10-22")},
		{"voided before", "not a draft", false, drafted(func(o *office) { o.doc.State = notice.Voided }), mail("2024-10-22")},
		{"handed over before it was drafted", "handed over on 2024-10-17", false, drafted(),
			formal.Release{By: "申敏", Via: notice.ByOA, On: date("2024-10-17"), Today: date("2024-10-22")}},
		{"a number that is none", "as numbers are printed", false, drafted(), numbered("第12号")},
		{"a number with a leading zero", "as numbers are printed", false, drafted(), numbered("督办〔2024〕012号")},
		{"square brackets", "as numbers are printed", false, drafted(), numbered("督办[2024]12号")},
		{"handed over tomorrow", "handed over on 2024-10-23", false, drafted(),
			formal.Release{By: "申敏", Via: notice.ByOA, On: date("2024-10-23"), Today: date("2024-10-22")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.o.doc
			_, err := desk(c.o).Release(t.Context(), c.r)
			var refused formal.RefusedError
			if err == nil || !strings.Contains(err.Error(), c.words) || errors.As(err, &refused) != c.refused {
				t.Errorf("%v, want %q", err, c.words)
			}
			if c.o.doc.State != before.State || c.o.doc.N != 0 {
				t.Errorf("and yet it is %+v", c.o.doc)
			}
		})
	}
}

func TestVoid(t *testing.T) {
	for from, want := range map[notice.DocumentState]notice.DocumentState{
		notice.Drafted: notice.Dropped, notice.Issued: notice.Voided, notice.Dropped: "", notice.Voided: "",
	} {
		o := drafted(func(o *office) { o.doc.State, o.doc.N = from, 3 })
		doc, err := desk(o).Void(t.Context(), o.doc.ID, "申敏", "误发")
		switch {
		case want == "" && err == nil:
			t.Errorf("a document that is %s was voided", from)
		case want != "" && (err != nil || doc.State != want || o.doc.State != want || doc.N != 3 || doc.Why != "申敏: 误发"):
			t.Errorf("%s: %+v, %v", from, doc, err)
		}
	}
}
