package jobs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

// deskStore is a jurisdiction in memory, as far as a digest asks for it.
type deskStore struct {
	EscalateStore // what is not here must not be asked for
	jurisdiction  task.Jurisdiction
	plans         []task.Plan
	tasks         []task.Task
	dir           task.Directory
	records       []task.Record
	terms         task.Terms
	letters       []notice.Notice
	// movedOnce makes the first plan meet a register that moved.
	movedOnce bool
	saved     []run.DayPlan
	finished  []run.Run
	asked     []string
}

func (s *deskStore) Jurisdiction(context.Context, string) (task.Jurisdiction, error) {
	return s.jurisdiction, nil
}
func (s *deskStore) Plans(context.Context, string) ([]task.Plan, error) { return s.plans, nil }
func (s *deskStore) Tasks(context.Context, string) ([]task.Task, error) { return s.tasks, nil }
func (s *deskStore) Directory(context.Context, string) (task.Directory, error) {
	return s.dir, nil
}
func (s *deskStore) Silences(context.Context, string) ([]task.Silence, error) { return nil, nil }
func (s *deskStore) Documents(context.Context, notice.DocumentFilter) ([]notice.Document, error) {
	return nil, nil
}
func (s *deskStore) Lately(context.Context, string, civil.Date, []task.TaskID) ([]task.Record, error) {
	return nil, nil
}

func (s *deskStore) Unsettled(_ context.Context, _ string, since civil.Date) (out []task.Record, err error) {
	s.asked = append(s.asked, "unsettled since "+since.String())
	for _, r := range s.records {
		if task.FinalFrom(r.Obligation, r.Events, workday.National(), s.terms) > since {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *deskStore) Settled(_ context.Context, _ string, by civil.Date) (out []task.Tally, err error) {
	s.asked = append(s.asked, "settled by "+by.String())
	for _, r := range s.records {
		if o := r.Obligation; task.FinalFrom(o, r.Events, workday.National(), s.terms) <= by {
			st := task.Latest(o, r.Events, workday.National(), s.terms)
			out = append(out, task.Tally{TaskID: o.TaskID, Role: o.Role, Owes: o.Owes, State: st.State, N: 1})
		}
	}
	return out, nil
}

func (s *deskStore) DueIn(context.Context, string, []task.Kind, civil.Date, civil.Date) ([]task.Record, error) {
	return slices.Clone(s.records), nil
}

func (s *deskStore) Touched(_ context.Context, _ string, since int64, by civil.Date) (out []string, err error) {
	out = append(out, "ls/zf/1") // a row
	for _, r := range s.records {
		for _, e := range r.Events {
			if e.Seq > since && e.On <= by {
				out = append(out, e.Subject)
			}
		}
	}
	return out, nil
}

func (s *deskStore) RecordsOf(_ context.Context, _ string, refs []string) (out []task.Record, err error) {
	s.asked = append(s.asked, "records of "+strings.Join(refs, ", "))
	for _, r := range s.records {
		for _, ref := range refs {
			if r.Obligation.Ref.String() == ref {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (s *deskStore) StepsBetween(context.Context, string, civil.Date, civil.Date) ([]task.FiredStep, error) {
	return nil, nil
}
func (s *deskStore) Briefs(context.Context, string, civil.Date, civil.Date) ([]notice.Brief, error) {
	return nil, nil
}
func (s *deskStore) Outcomes(context.Context, []string) (map[string]notice.Brief, error) {
	return nil, nil
}
func (s *deskStore) Served(context.Context, []string) (map[string]civil.Date, error) { return nil, nil }

func (s *deskStore) LastLetter(_ context.Context, _, kind string, before civil.Date) (last notice.Notice, ok bool, err error) {
	for _, n := range s.letters {
		if n.Key.Kind == kind && n.Key.Date < before && n.Key.Date > last.Key.Date && n.State != notice.Cancelled {
			last, ok = n, true
		}
	}
	return last, ok, nil
}

func (s *deskStore) Unsent(_ context.Context, _, kind string, before civil.Date) (out []notice.Notice, err error) {
	for _, n := range s.letters {
		if n.Key.Kind == kind && n.Key.Date < before && n.State.Open() {
			out = append(out, n)
		}
	}
	return out, nil
}

func (s *deskStore) NoticeIDs(_ context.Context, _ string, d civil.Date) (out []string, err error) {
	for _, n := range s.letters {
		if n.Key.Date == d {
			out = append(out, n.ID)
		}
	}
	return out, nil
}

func (s *deskStore) SavePlan(_ context.Context, _ string, seq int64, p run.DayPlan) error {
	if s.movedOnce {
		s.movedOnce = false
		s.jurisdiction.Seq++
		return task.ErrMoved
	}
	if seq != s.jurisdiction.Seq {
		return errors.New("planned on another seq")
	}
	s.jurisdiction.Seq++
	for i := range s.letters {
		if by := p.Supersede[s.letters[i].ID]; by != "" {
			s.letters[i].State = notice.Superseded
		}
	}
	for _, n := range p.Notices {
		n.Seq = s.jurisdiction.Seq
		s.letters = append(s.letters, n)
	}
	s.saved = append(s.saved, p)
	return nil
}

func (s *deskStore) FinishSlot(_ context.Context, r run.Run) error {
	s.finished = append(s.finished, r)
	return nil
}

// desk is a bureau with one item of one unit, due on Friday 28 June 2024.
func desk(mail string) (*deskStore, Escalate) {
	id := task.TaskID{Jurisdiction: "ls", Plan: "zf", Row: "1"}
	day := civil.MustParse("2024-05-06")
	due := civil.MustParse("2024-06-28")
	s := &deskStore{
		terms:        task.Terms{AcceptAfter: 5},
		jurisdiction: task.Jurisdiction{Code: "ls", Name: "青岛市崂山区", Bureau: "sfj", Seq: 7},
		plans:        []task.Plan{{Jurisdiction: "ls", Code: "zf", Title: "方案", Issued: day, On: day}},
		tasks: []task.Task{{
			TaskID: id, Order: 1, Title: "报告", Deliverable: "报告", On: day, Parties: []task.Party{{Code: "a", Role: task.Lead, Owes: task.OwesDeliver}},
			Reading: deadline.Reading{Understood: true, Milestones: []deadline.Milestone{{Due: due}}},
		}},
		dir: task.Directory{Units: []task.Unit{
			{Code: "a", Name: "区甲局", Chase: task.ChaseLetter, On: day},
			{Code: "sfj", Name: "区司法局", On: day, Contacts: []task.Contact{{Role: task.Liaison, Name: "王某", Email: mail}}},
		}},
		records: []task.Record{{Obligation: task.Obligation{
			Ref: task.Ref{TaskID: id, Unit: "a", Instance: "m1"}, Kind: task.Milestone, Role: task.Lead, Owes: task.OwesDeliver, Opened: day,
			Nominal: due, Effective: due, Assess: due,
		}}},
	}
	set := planner.Settings{Calendar: workday.National(), Ladder: ladder.Default(), Terms: s.terms}
	return s, Escalate{Store: s, Settings: func(string) (planner.Settings, error) { return set, nil }}
}

func digestOf(t *testing.T, j Escalate, day string) run.Run {
	t.Helper()
	r, err := j.Run(t.Context(), run.Run{Slot: run.Slot{Job: j.Name(), Jurisdiction: "ls", Date: civil.MustParse(day)}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEscalateWritesOneDigest(t *testing.T) {
	s, j := desk("sfj@gov.example")
	s.movedOnce = true
	r := digestOf(t, j, "2024-07-01")
	if r.State != run.Done || r.Counts.Notices != 1 || r.Counts.Held != 0 || r.Reason != "" || len(s.saved) != 1 || s.saved[0].Run.State != run.Done {
		t.Fatalf("%+v %+v", r, s.saved)
	}
	n := s.letters[0]
	if n.State != notice.Pending || n.Key.Kind != notice.BureauDigest || n.Key.Unit != "sfj" || n.Key.Role != "bureau" || n.Job != "escalate" ||
		len(n.Facts.Recipients) != 1 || n.Facts.Recipients[0].Email != "sfj@gov.example" || n.Facts.Reader.Name != "区司法局" || n.Facts.Issuer.Short != "区司法局" ||
		n.Facts.Paper == nil || n.Facts.Paper.Subject != "【督办日报7月1日】请处理1件；超期1项次、1家，1家待催办" || len(n.Facts.Paper.Sheets) != 3 {
		t.Errorf("%+v\n%+v", n, *n.Facts.Paper)
	}
	if again := digestOf(t, j, "2024-07-01"); len(s.letters) != 1 || again.Reason == "" {
		t.Errorf("a second digest of the day: %+v", again)
	}
}

func TestEscalateOnADayOffAndWhereNothingChanged(t *testing.T) {
	s, j := desk("sfj@gov.example")
	if r := digestOf(t, j, "2024-06-30"); r.State != run.Skipped || !strings.HasPrefix(r.Reason, "not a workday") || len(s.finished) != 1 || len(s.saved) != 0 {
		t.Errorf("%+v", r)
	}
	digestOf(t, j, "2024-06-17")
	s.letters[0].State = notice.Sent
	s.asked = nil
	if r := digestOf(t, j, "2024-06-18"); r.State != run.Done || r.Reason != "nothing changed since 2024-06-17" || len(s.letters) != 1 || r.Counts.Notices != 0 {
		t.Errorf("%+v", r)
	}
	if got := strings.Join(s.asked, "; "); got != "unsettled since 2024-06-17; settled by 2024-06-17" {
		t.Errorf("history is read: %s", got)
	}
}

func TestEscalateForWhatOtherRulesTell(t *testing.T) {
	s, j := desk("sfj@gov.example")
	isNew := false
	var last civil.Date
	var seq int64
	j.Extra = func(_ context.Context, _ string, _, day civil.Date, after int64) ([]notice.Section, bool, error) {
		last, seq = day, after
		return []notice.Section{{Heading: "检查备案", Lines: []string{"重叠1件。"}}}, isNew, nil
	}
	digestOf(t, j, "2024-06-17")
	if last != 0 || seq != 0 {
		t.Errorf("before the first digest: %s, %d", last, seq)
	}
	s.letters[0].State = notice.Sent
	if r := digestOf(t, j, "2024-06-18"); r.Counts.Notices != 0 {
		t.Errorf("nothing is new: %+v", r)
	}
	isNew = true
	r := digestOf(t, j, "2024-06-18")
	if last != civil.MustParse("2024-06-17") || seq != s.letters[0].Seq {
		t.Errorf("since the last digest: %s, %d", last, seq)
	}
	if r.Counts.Notices != 1 || len(s.letters) != 2 {
		t.Errorf("no digest for what is new: %+v", r)
	}
}

func TestEscalateTellsAgainWhatNeverLeft(t *testing.T) {
	s, j := desk("sfj@gov.example")
	digestOf(t, j, "2024-06-28")
	s.letters[0].State = notice.Sent
	digestOf(t, j, "2024-07-01") // new: late
	s.records[0].Events = []task.Event{{Jurisdiction: "ls", Seq: s.jurisdiction.Seq + 1, On: civil.MustParse("2024-07-02"), Kind: task.Contacted, Subject: "ls/zf/1/a/m1"}}
	s.jurisdiction.Seq++
	r := digestOf(t, j, "2024-07-02")
	if r.Counts.Superseded != 1 || s.letters[1].State != notice.Superseded {
		t.Fatalf("%+v", r)
	}
	var lines []string
	for _, sec := range s.letters[2].Facts.Paper.Sections {
		if strings.HasPrefix(sec.Heading, "较上期") {
			lines = append(append(lines, sec.Heading), sec.Lines...)
		}
	}
	if got := strings.Join(lines, "\n"); !strings.Contains(got, "6月28日") || !strings.Contains(got, "新增超期1项次") || !strings.Contains(got, "告知1项次") {
		t.Error(got)
	}
}

func TestEscalateNamesWhatWasRecordedLate(t *testing.T) {
	s, j := desk("sfj@gov.example")
	digestOf(t, j, "2024-07-10")
	s.letters[0].State = notice.Sent
	for i, kind := range []task.EventKind{task.Reported, task.Accepted} {
		s.records[0].Events = append(s.records[0].Events, task.Event{
			Jurisdiction: "ls", Seq: s.jurisdiction.Seq + int64(i) + 1, On: civil.MustParse("2024-06-27"), Kind: kind, Subject: "ls/zf/1/a/m1",
		})
	}
	s.jurisdiction.Seq += 2
	digestOf(t, j, "2024-07-11")
	paper := s.letters[1].Facts.Paper
	if !strings.HasSuffix(paper.Subject, "无超期") {
		t.Error(paper.Subject)
	}
	found := false
	for _, sec := range paper.Sections {
		for _, l := range sec.Lines {
			found = found || l == "办结1项次：区甲局第1项。"
		}
	}
	if !found {
		t.Errorf("%+v", paper.Sections)
	}
}

func TestEscalateWithoutAnAddress(t *testing.T) {
	s, j := desk("")
	if r := digestOf(t, j, "2024-07-01"); r.Counts.Held != 1 || s.letters[0].State != notice.Held || !s.letters[0].NextTry.IsZero() || s.letters[0].Reason == "" {
		t.Errorf("%+v", r)
	}
	s, j = desk("")
	set, _ := j.Settings("ls")
	set.Bureau = []notice.Recipient{{Name: "甲", Email: "x@gov.example"}, {Name: "乙", Email: "X@gov.example"}, {Role: "head", Name: "丙", Email: "y@gov.example", Copy: true}, {Name: "丁"}}
	j.Settings = func(string) (planner.Settings, error) { return set, nil }
	digestOf(t, j, "2024-07-01")
	if to := s.letters[0].Facts.Recipients; len(to) != 2 || to[0].Role != "bureau" || to[1].Role != "head" || s.letters[0].State != notice.Pending {
		t.Errorf("%+v", to)
	}
}
