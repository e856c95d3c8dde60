package personnel

import (
	"testing"

	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
)

func TestSuspensionsRecordedAsEvents(t *testing.T) {
	set := settings(func(s *planner.Settings) {
		s.Rules = []task.Rule{{Kind: "监督意见", N: 0}, {Kind: task.CertificateHeld, N: 3, Unit: "month", Roll: "keep"}}
	})
	event := func(change func(*task.Occurrence)) []task.Occurrence {
		o := task.Occurrence{Kind: task.CertificateHeld, Ref: "扣〔2024〕5号", Unit: "u", Person: "p", On: day("2024-08-30"), Seq: 9}
		if change != nil {
			change(&o)
		}
		return []task.Occurrence{o}
	}
	held := func(p *task.Person) { p.CertState, p.HeldFrom = suspended, day("2024-08-30") }
	for _, c := range []struct {
		name   string
		person task.Person
		events []task.Occurrence
		set    planner.Settings
		on     string
		want   string
	}{
		{"three months by the rule", person("p", nil), event(nil), set, "2024-10-08", "p 证件暂扣 暂扣期内，53日后期满 "},
		{"near its end", person("p", nil), event(nil), set, "2024-11-30", "p 证件暂扣 今日暂扣期满 yellow"},
		{"after it the roster's word stands", person("p", nil), event(nil), set, "2024-12-01", ""},
		{"before it", person("p", nil), event(nil), set, "2024-08-29", ""},
		{"the month's last day", person("p", nil), event(func(o *task.Occurrence) { o.On = day("2024-11-30") }), set, "2025-02-28", "p 证件暂扣 今日暂扣期满 yellow"},
		{"the date that the decision names", person("p", nil), event(func(o *task.Occurrence) { o.Due = day("2024-10-10") }), set, "2024-10-08", "p 证件暂扣 暂扣期内，2日后期满 yellow"},
		{"no rule and no date", person("p", nil), event(nil), settings(nil), "2024-10-08", ""},
		{"an end that the roster does not name", person("p", held), event(nil), set, "2024-12-02", "p 证件暂扣 暂扣期满2日，未登记恢复 red"},
		{"the roster's own end", person("p", func(p *task.Person) { held(p); p.HeldTo = day("2024-10-29") }), event(nil), set, "2024-10-08", "p 证件暂扣 暂扣期内，21日后期满 yellow"},
		{"a roster that is newer than the event", person("p", func(p *task.Person) { p.On, p.Seq = day("2024-09-20"), 12 }), event(nil), set, "2024-10-08", ""},
		{"another person", person("p", nil), event(func(o *task.Occurrence) { o.Person = "q" }), set, "2024-10-08", ""},
		{"nobody", person("p", nil), event(func(o *task.Occurrence) { o.Person = "" }), set, "2024-10-08", ""},
		{"not applied", person("p", nil), event(func(o *task.Occurrence) { o.Exempt = "撤销" }), set, "2024-10-08", ""},
		{"another event", person("p", nil), event(func(o *task.Occurrence) { o.Kind = "监督意见" }), set, "2024-10-08", ""},
		{"a cancelled certificate", person("p", func(p *task.Person) { p.CertState = cancelled }), event(nil), set, "2024-10-08", ""},
	} {
		people := withSuspensions([]task.Person{c.person}, c.events, c.set, day(c.on))
		r := Review(Input{People: people}, task.DefaultStaffRules(), workday.National(), day(c.on))
		if got := lines(r, Hours); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if r.Total.People != 1 {
			t.Errorf("%s: %d people", c.name, r.Total.People)
		}
	}
}
