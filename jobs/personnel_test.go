package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

// people is a register with a roster, that keeps what is planned.
type people struct {
	runs   []run.Run // the newest first
	plans  []run.DayPlan
	moved  int // writes that find the register moved
	unsent []notice.Notice
	empty  bool
}

func (*people) Jurisdiction(context.Context, string) (task.Jurisdiction, error) {
	return task.Jurisdiction{Code: "town", Name: "某市某区", Bureau: "sfj", Seq: 5}, nil
}

func (*people) Directory(context.Context, string) (task.Directory, error) {
	of := func(code, name string, roles ...task.Role) task.Unit {
		u := task.Unit{Code: code, Name: name, Chase: task.ChaseLetter, On: civil.Of(2000, 1, 1)}
		for _, r := range roles {
			u.Contacts = append(u.Contacts, task.Contact{Role: r, Name: "联", Email: string(r) + "@" + code + ".example"})
		}
		return u
	}
	return task.Directory{Units: []task.Unit{of("sfj", "区司法局", task.Liaison), of("cgj", "区城管局", task.Liaison, task.Legal)}}, nil
}

func (p *people) People(context.Context, string) ([]task.Person, error) {
	if p.empty {
		return nil, nil
	}
	return []task.Person{
		{Key: "p1", Name: "秦若兰", Unit: "cgj", Post: "执法", Certificate: "ZF-1234567", ValidTo: civil.Of(2024, 11, 6), Duty: "在岗", Hours: 60, On: civil.Of(2000, 1, 1), Seq: 1},
		{Key: "p2", Name: "何启明", Unit: "cgj", Post: "法制审核", Certificate: "ZF-7654321", ValidTo: civil.Of(2027, 5, 31), Duty: "在岗", Hours: 60, On: civil.Of(2000, 1, 1), Seq: 2},
	}, nil
}

func (*people) Trainings(context.Context, string) ([]task.Training, error) { return nil, nil }
func (*people) Occurrences(context.Context, string, ...string) ([]task.Occurrence, error) {
	return nil, nil
}
func (*people) Silences(context.Context, string) ([]task.Silence, error) { return nil, nil }
func (p *people) Runs(_ context.Context, f run.Filter) ([]run.Run, error) {
	return slices.DeleteFunc(slices.Clone(p.runs), func(r run.Run) bool { return r.Date < f.From || r.Date > f.To }), nil
}

func (p *people) NoticeIDs(context.Context, string, civil.Date) ([]string, error) {
	var ids []string
	for _, plan := range p.plans {
		for _, n := range plan.Notices {
			ids = append(ids, n.ID)
		}
	}
	return ids, nil
}

func (p *people) Unsent(_ context.Context, _, kind string, before civil.Date) ([]notice.Notice, error) {
	return slices.DeleteFunc(slices.Clone(p.unsent), func(n notice.Notice) bool { return n.Key.Kind != kind || n.Key.Date >= before }), nil
}

func (p *people) SavePlan(_ context.Context, _ string, seq int64, d run.DayPlan) error {
	if p.moved > 0 {
		p.moved--
		return task.ErrMoved
	}
	if seq != 5 {
		return errors.New("planned on another seq than it read")
	}
	p.plans = append(p.plans, d)
	return p.FinishSlot(context.Background(), d.Run)
}

func (p *people) FinishSlot(_ context.Context, r run.Run) error {
	p.runs = append([]run.Run{r}, p.runs...)
	return nil
}

func (p *people) job(domains ...string) Personnel {
	return Personnel{Store: p, Settings: func(string) (planner.Settings, error) {
		return planner.Settings{Calendar: workday.National(), Staff: task.DefaultStaffRules(), NameDomains: domains, NamesInFiles: len(domains) == 0}, nil
	}}
}

func (p *people) run(t *testing.T, j Personnel, on string) run.Run {
	t.Helper()
	r, err := j.Run(t.Context(), run.Run{Slot: run.Slot{Job: "personnel", Jurisdiction: "town", Date: civil.MustParse(on)}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said writes the letters of the plans after the n-th.
func (p *people) said(n int) string {
	var out []string
	for _, plan := range p.plans[min(n, len(p.plans)):] {
		for _, l := range plan.Notices {
			out = append(out, fmt.Sprintf("%s %s %s %s", l.Key.Date, l.Key.Kind, l.Key.Unit, l.State))
		}
	}
	return strings.Join(out, ", ")
}

func TestPersonnelThroughTheHoliday(t *testing.T) {
	p := &people{}
	j := p.job()
	for _, on := range []string{"2024-09-27", "2024-09-28", "2024-09-29", "2024-09-30", "2024-10-01", "2024-10-06"} {
		p.run(t, j, on)
	}
	if p.said(0) != "2024-09-30 personnel-letter cgj pending" { // 30 days before 6 November is 7 October, a day off
		t.Errorf("%q", p.said(0))
	}
	if r := p.runs[0]; r.State != run.Skipped || !strings.HasPrefix(r.Reason, "not a workday") {
		t.Errorf("%+v", r)
	}
	before := len(p.plans)
	r := p.run(t, j, "2024-10-08")
	if p.said(before) != "2024-10-08 personnel-letter cgj pending, 2024-10-08 personnel-totals sfj pending" || r.Counts.Notices != 2 || r.Counts.Looked != 2 {
		t.Errorf("%q %+v", p.said(before), r.Counts)
	}
	if again := p.run(t, j, "2024-10-08"); again.Counts.Notices != 0 {
		t.Errorf("%d letters the second time", again.Counts.Notices)
	}
}

// The worker was away from 27 September; the days between are marked as covered, and the month's letter is made up.
func TestPersonnelMakesUpTheFirstDayOfTheMonth(t *testing.T) {
	p := &people{}
	j := p.job()
	p.run(t, j, "2024-09-27")
	for d := civil.MustParse("2024-09-28"); d < civil.MustParse("2024-10-10"); d++ {
		p.runs = append([]run.Run{{Slot: run.Slot{Job: "personnel", Jurisdiction: "town", Date: d}, State: run.Skipped, Reason: "covered by 2024-10-10"}}, p.runs...)
	}
	before := len(p.plans)
	p.run(t, j, "2024-10-10")
	if p.said(before) != "2024-10-10 personnel-letter cgj pending, 2024-10-10 personnel-totals sfj pending" {
		t.Errorf("%q", p.said(before))
	}
	before = len(p.plans)
	p.run(t, j, "2024-10-11")
	if p.said(before) != "" {
		t.Errorf("made up twice: %q", p.said(before))
	}
}

func TestPersonnelPlansAgainWhereTheRegisterMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses between the tries cost nothing
		p := &people{moved: 2}
		if r := p.run(t, p.job(), "2024-10-08"); r.State != run.Done || len(p.plans) != 1 {
			t.Errorf("%+v, %d plans", r, len(p.plans))
		}
		p = &people{moved: 99}
		if _, err := p.job().Run(t.Context(), run.Run{Slot: run.Slot{Jurisdiction: "town", Date: civil.MustParse("2024-10-08")}}); !errors.Is(err, task.ErrMoved) {
			t.Errorf("%v", err)
		}
	})
}

func TestPersonnelWithoutARosterSettlesTheDay(t *testing.T) {
	p := &people{empty: true}
	if r := p.run(t, p.job(), "2024-10-08"); r.State != run.Done || r.Counts != (run.Counts{}) || p.said(0) != "" {
		t.Errorf("%+v %q", r, p.said(0))
	}
}

// What the ledger and the letter's own record say in words holds no name, no certificate and no address.
func TestPersonnelLeavesNoNamesInTheLedger(t *testing.T) {
	p := &people{}
	r := p.run(t, p.job("elsewhere.example"), "2024-10-08")
	if r.Counts.Held != 1 {
		t.Errorf("%+v", r.Counts)
	}
	words := fmt.Sprintf("%+v", r)
	for _, n := range p.plans[0].Notices {
		words += n.Reason + fmt.Sprintf("%+v", n.Key)
	}
	for _, secret := range []string{"秦若兰", "何启明", "ZF-", "1234567", "@", "cgj.example"} {
		if strings.Contains(words, secret) {
			t.Errorf("%q stands in %s", secret, words)
		}
	}
}
