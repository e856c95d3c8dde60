package jobs_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

// closeStore keeps a county in memory: units a and b, a monthly row 6 and a quarterly row 13.
type closeStore struct {
	jur      task.Jurisdiction
	tasks    []task.Task
	dir      task.Directory
	records  []task.Record
	closings []task.Closing
	saved    []run.DayPlan
	settled  []run.Run
	asked    []string // what was read
	moved    int      // how often a write finds the register moved
	broken   error
}

func closeDate(s string) civil.Date { return civil.MustParse(s) }

func newCloseStore() *closeStore {
	s := &closeStore{jur: task.Jurisdiction{Code: "ss", Name: "泗水县", Bureau: "sfj", LiveFrom: closeDate("2024-01-01"), Seq: 9}}
	for _, u := range []string{"a", "b", "sfj"} {
		s.dir.Units = append(s.dir.Units, task.Unit{
			Code: u, Name: "县" + u + "局", On: closeDate("2024-01-01"),
			Contacts: []task.Contact{{Role: task.Liaison, Name: "联络员", Email: u + "@gov.example"}},
		})
	}
	for _, row := range []struct {
		code  string
		every deadline.Every
		date  string
	}{{"6", deadline.Month, "25"}, {"13", deadline.Quarter, "end"}} {
		r := deadline.Recurrence{Every: row.every, Dates: []string{row.date}}
		s.tasks = append(s.tasks, task.Task{
			TaskID: task.TaskID{Jurisdiction: "ss", Plan: "zf", Row: row.code}, Title: "报告" + row.code, On: closeDate("2024-01-02"),
			Reading: deadline.Reading{Understood: true, Recurrence: &r, Recurrences: []deadline.Recurrence{r}}, Fields: []string{"发现问题"},
			Parties: []task.Party{{Code: "a", Role: task.Lead, Owes: task.OwesDeliver}, {Code: "b", Role: task.Lead, Owes: task.OwesDeliver}},
		})
	}
	set, _ := closeSettings("ss")
	plans, _ := s.Plans(context.Background(), "ss")
	src := planner.Sources{Jurisdiction: s.jur, Plans: plans, Tasks: s.tasks, Directory: s.dir}
	for _, o := range planner.Open(src, set, closeDate("2024-07-31")).Obligations {
		s.records = append(s.records, task.Record{Obligation: o})
	}
	s.asked = nil
	return s
}

func closeSettings(string) (planner.Settings, error) {
	return planner.Settings{
		Calendar: workday.National(), Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: 5}, ReportDay: 10, Roll: planner.Keep, Grace: 3,
	}, nil
}

func (s *closeStore) read(what string) error { s.asked = append(s.asked, what); return s.broken }

func (s *closeStore) Jurisdiction(context.Context, string) (task.Jurisdiction, error) {
	return s.jur, s.read("jurisdiction")
}

func (s *closeStore) Plans(context.Context, string) ([]task.Plan, error) {
	return []task.Plan{{Jurisdiction: "ss", Code: "zf", Title: "方案", Issued: closeDate("2024-01-02"), On: closeDate("2024-01-02")}}, s.read("plans")
}

func (s *closeStore) TaskVersions(_ context.Context, _ string, ids []task.TaskID) ([]task.Task, error) {
	return slices.DeleteFunc(slices.Clone(s.tasks), func(t task.Task) bool { return !slices.Contains(ids, t.TaskID) }), s.read("tasks")
}

func (s *closeStore) Directory(context.Context, string) (task.Directory, error) {
	return s.dir, s.read("directory")
}

func (s *closeStore) PeriodsDue(_ context.Context, _ string, kinds []task.Kind, from, to civil.Date) (out []task.PeriodDue, err error) {
	for _, r := range s.records {
		o := r.Obligation
		p := task.PeriodDue{TaskID: o.TaskID, Kind: o.Kind, Instance: o.Instance, Due: o.Effective}
		if slices.Contains(kinds, o.Kind) && from <= o.Effective && o.Effective <= to && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, s.read("periods")
}

func (s *closeStore) Closings(_ context.Context, _ string, kind task.ClosingKind) ([]task.Closing, error) {
	return slices.DeleteFunc(slices.Clone(s.closings), func(c task.Closing) bool { return kind != "" && c.Kind != kind }), s.read("closings")
}

func (s *closeStore) UnitVersions(_ context.Context, _ string, codes []string) ([]task.Unit, error) {
	return slices.DeleteFunc(slices.Clone(s.dir.Units), func(u task.Unit) bool { return !slices.Contains(codes, u.Code) }), s.read("units")
}

func (s *closeStore) Opened(_ context.Context, _ string, ids []task.TaskID) (refs []string, err error) {
	for _, r := range s.records {
		if slices.Contains(ids, r.Obligation.TaskID) {
			refs = append(refs, r.Obligation.Ref.String())
		}
	}
	return refs, s.read("refs")
}

func (s *closeStore) DueIn(_ context.Context, _ string, _ []task.Kind, from, to civil.Date) ([]task.Record, error) {
	return slices.DeleteFunc(slices.Clone(s.records), func(r task.Record) bool { return r.Obligation.Effective < from || r.Obligation.Effective > to }), s.read("records")
}

func (s *closeStore) RecordsOf(_ context.Context, _ string, refs []string) ([]task.Record, error) {
	return slices.DeleteFunc(slices.Clone(s.records), func(r task.Record) bool { return !slices.Contains(refs, r.Obligation.Ref.String()) }), s.read("records")
}

func (s *closeStore) Documents(_ context.Context, f notice.DocumentFilter) ([]notice.Document, error) {
	if f.Jurisdiction != "ss" || f.Kind != notice.SupervisionForm || f.State != notice.Issued {
		return nil, errors.New("asked for other documents than issued forms")
	}
	return nil, s.read("documents")
}

func (s *closeStore) Served(context.Context, []string) (map[string]civil.Date, error) {
	return map[string]civil.Date{}, s.read("served")
}

func (s *closeStore) Silences(context.Context, string) ([]task.Silence, error) {
	return nil, s.read("silences")
}

func (s *closeStore) SavePlan(_ context.Context, _ string, seq int64, p run.DayPlan) error {
	if s.moved > 0 {
		s.moved--
		s.jur.Seq++
		return task.ErrMoved
	}
	if seq != s.jur.Seq {
		return task.ErrMoved
	}
	s.jur.Seq++
	s.saved, s.settled, s.closings = append(s.saved, p), append(s.settled, p.Run), append(s.closings, p.Closings...)
	return nil
}

func (s *closeStore) FinishSlot(_ context.Context, r run.Run) error {
	s.settled = append(s.settled, r)
	return nil
}

func slotOf(j jobs.Job, d string) run.Run {
	return run.Run{Slot: run.Slot{Job: j.Name(), Jurisdiction: "ss", Date: closeDate(d)}, State: run.Running}
}

func TestADayThatClosesNothingReadsNoObligation(t *testing.T) {
	for _, c := range []struct{ job, day, state, reason string }{
		{"monthly-close", "2024-06-27", "done", ""},
		{"quarterly-close", "2024-07-12", "done", ""},
		{"monthly-close", "2024-06-30", "skipped", "not a workday"},
		{"quarterly-close", "2024-10-01", "skipped", "not a workday"},
	} {
		t.Run(c.job+" "+c.day, func(t *testing.T) {
			s := newCloseStore()
			var j jobs.Job = jobs.MonthlyClose{Store: s, Settings: closeSettings}
			if c.job == "quarterly-close" {
				j = jobs.QuarterlyClose{Store: s, Settings: closeSettings}
			}
			r, err := j.Run(context.Background(), slotOf(j, c.day))
			if err != nil || string(r.State) != c.state || !strings.HasPrefix(r.Reason, c.reason) || len(s.settled) != 1 || len(s.saved) != 0 {
				t.Errorf("the run is %+v, %v; settled %d, saved %d", r, err, len(s.settled), len(s.saved))
			}
			for _, dear := range []string{"records", "refs", "closings", "tasks", "units", "directory"} {
				if slices.Contains(s.asked, dear) {
					t.Errorf("it reads %v", s.asked)
				}
			}
			if !j.EveryDay() || j.Name() != c.job {
				t.Errorf("it is %s, every day %t", j.Name(), j.EveryDay())
			}
		})
	}
}

func TestClosingIsOneWriteAndIsNotRepeated(t *testing.T) {
	for _, c := range []struct {
		job, day           string
		closings, letters  int
		documents, periods []string
	}{
		{"monthly-close", "2024-06-28", 1, 1, nil, []string{"2024-06"}},
		{"quarterly-close", "2024-07-15", 2, 2, []string{"2024Q2"}, []string{"2024Q2", "2024Q2"}},
	} {
		t.Run(c.job, func(t *testing.T) {
			s := newCloseStore()
			var j jobs.Job = jobs.MonthlyClose{Store: s, Settings: closeSettings}
			if c.job == "quarterly-close" {
				j = jobs.QuarterlyClose{Store: s, Settings: closeSettings}
			}
			s.moved = 1
			r, err := j.Run(context.Background(), slotOf(j, c.day))
			if err != nil || r.State != run.Done || r.Counts.Notices != c.letters || len(s.saved) != 1 {
				t.Fatalf("the run is %+v, %v; saved %d", r, err, len(s.saved))
			}
			p := s.saved[0]
			var periods, matters []string
			for _, cl := range p.Closings {
				periods = append(periods, cl.Period)
				if cl.Seq != 10 {
					t.Errorf("%s %s was read at seq %d, want the one after the register moved", cl.Row, cl.Period, cl.Seq)
				}
			}
			for _, d := range p.Documents {
				matters = append(matters, d.Matter)
			}
			if !slices.Equal(periods, c.periods) || !slices.Equal(matters, c.documents) || len(p.Notices) != c.letters || p.Run.State != run.Done {
				t.Errorf("it closes %v, drafts %v, writes %d letters", periods, matters, len(p.Notices))
			}
			if _, err := j.Run(context.Background(), slotOf(j, c.day)); err != nil || len(s.saved) != 1 || len(s.settled) != 2 {
				t.Errorf("run again it saves %d plans, %v", len(s.saved), err)
			}
		})
	}
}

func TestAReturnOfTheRegisterIsSummedUp(t *testing.T) {
	s := newCloseStore()
	for i, r := range s.records {
		if o := r.Obligation; o.Unit == "a" && o.Instance == "2024-06" {
			s.records[i].Events = []task.Event{{Seq: 3, On: closeDate("2024-06-20"), Kind: task.Reported, Figures: map[string]int64{"发现问题": 7}}}
		}
	}
	j := jobs.MonthlyClose{Store: s, Settings: closeSettings}
	if _, err := j.Run(context.Background(), slotOf(j, "2024-06-28")); err != nil {
		t.Fatal(err)
	}
	f, err := closing.Decode(s.closings[0].Frozen)
	if err != nil || f.Counts.Due != 2 || f.Counts.OnTime != 1 || f.Counts.Missing != 1 || f.Sums["发现问题"] != 7 {
		t.Errorf("frozen is %+v, %v", f, err)
	}
}

func TestACloseThatFailsSaysWhichDay(t *testing.T) {
	s := newCloseStore()
	s.broken = errors.New("the database is gone")
	for _, j := range []jobs.Job{jobs.MonthlyClose{Store: s, Settings: closeSettings}, jobs.QuarterlyClose{Store: s, Settings: closeSettings}} {
		_, err := j.Run(context.Background(), slotOf(j, "2024-06-28"))
		if !errors.Is(err, s.broken) || !strings.Contains(err.Error(), "close the periods of 2024-06-28 for ss") {
			t.Errorf("%s fails with %v", j.Name(), err)
		}
	}
}
