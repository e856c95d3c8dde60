package personnel

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/jobs/workday"
)

func day(s string) civil.Date { return civil.MustParse(s) }

// person is a member of the roster of unit u who is in post as an enforcer with a valid certificate.
func person(key string, change func(*task.Person)) task.Person {
	p := task.Person{Key: key, Name: "某" + key, Unit: "u", Post: enforcer, Certificate: "ZF-" + key + "-0001", ValidTo: day("2027-12-31"), CertState: "有效",
		Duty: inPost, Hours: 60, On: fromAlways(), Seq: 1}
	if change != nil {
		change(&p)
	}
	return p
}

func rulesOf(change func(*task.StaffRules)) task.StaffRules {
	r := task.DefaultStaffRules()
	if change != nil {
		change(&r)
	}
	return r
}

// line writes a finding as the tables below do.
func line(f Finding) string {
	s := fmt.Sprintf("%s %s", f.Person.Key, matterWord(f.Matter))
	text, tone := standing(f)
	if f.Matter == Hours {
		s += fmt.Sprintf(" %d>%d", f.Hours, f.Forecast)
	}
	return fmt.Sprintf("%s %s %s", s, text, tone)
}

func lines(r Result, drop ...Matter) string {
	var out []string
	for _, u := range r.Units {
		for _, f := range u.Findings {
			if !slices.Contains(drop, f.Matter) {
				out = append(out, line(f))
			}
		}
	}
	return strings.Join(out, "\n")
}

func TestCertificates(t *testing.T) {
	for _, c := range []struct{ validTo, on, want string }{
		{"2024-09-25", "2024-09-26", "p 证件有效期 已过期1日 red"},
		{"2024-09-26", "2024-09-26", "p 证件有效期 今日到期 yellow"}, // valid on its last day
		{"2024-10-03", "2024-09-26", "p 证件有效期 7日后到期 yellow"},
		{"2024-10-26", "2024-09-26", "p 证件有效期 30日后到期 yellow"},
		{"2024-10-27", "2024-09-26", "p 证件有效期 31日后到期 "},
		{"2024-12-25", "2024-09-26", "p 证件有效期 90日后到期 "},
		{"2024-12-26", "2024-09-26", ""},
		{"2024-02-29", "2024-01-30", "p 证件有效期 30日后到期 yellow"},
		{"2025-01-05", "2024-12-30", "p 证件有效期 6日后到期 yellow"},
		{"", "2024-09-26", "p 证件有效期 有效期未登记 "},
	} {
		p := person("p", func(p *task.Person) {
			p.ValidTo = 0
			if c.validTo != "" {
				p.ValidTo = day(c.validTo)
			}
		})
		got := Review(Input{People: []task.Person{p}}, rulesOf(nil), workday.National(), day(c.on))
		if lines(got, Hours) != c.want {
			t.Errorf("to %s on %s: %q, want %q", c.validTo, c.on, lines(got, Hours), c.want)
		}
	}
}

// The bands exclude each other, so that they add up; the date is the stored one, and its last working day is told beside.
func TestBandsAddUp(t *testing.T) {
	var people []task.Person
	for i, validTo := range []string{"2024-09-01", "2024-09-26", "2024-10-02", "2024-10-08", "2024-12-01", "2025-03-01"} {
		people = append(people, person(fmt.Sprint("p", i), func(p *task.Person) { p.ValidTo = day(validTo) }))
	}
	people = append(people,
		person("q", func(p *task.Person) { p.ValidTo, p.CertState = day("2024-09-01"), cancelled }),
		person("a", func(p *task.Person) { p.ValidTo, p.Duty = 0, applicant }))
	got := Review(Input{People: people}, rulesOf(nil), workday.National(), day("2024-09-26"))
	if c := got.Total; c.Expired != 1 || fmt.Sprint(c.Within) != "[2 1 1]" || c.Expiring() != 4 || c.NoExpiry != 0 {
		t.Errorf("%+v", c)
	}
	for _, f := range got.Units[0].Findings {
		if f.Person.Key == "p2" && f.Matter == Certificate && f.LastWorkday != day("2024-09-30") { // 2 October is a holiday
			t.Errorf("%+v", f)
		}
	}
}

func TestSuspensions(t *testing.T) {
	for _, c := range []struct{ from, to, on, want string }{
		{"2024-08-05", "2024-11-04", "2024-09-26", "p 证件暂扣 暂扣期内，39日后期满 "},
		{"2024-08-05", "2024-11-04", "2024-10-05", "p 证件暂扣 暂扣期内，30日后期满 yellow"},
		{"2024-08-05", "2024-11-04", "2024-11-04", "p 证件暂扣 今日暂扣期满 yellow"},
		{"2024-08-05", "2024-11-04", "2024-11-05", "p 证件暂扣 暂扣期满1日，未登记恢复 red"},
		{"2024-08-05", "", "2024-11-05", "p 证件暂扣 暂扣期满日未登记 "}, // three months are the event's doing, not ours
		{"2024-10-01", "2024-12-31", "2024-09-26", ""},
	} {
		p := person("p", func(p *task.Person) {
			p.CertState, p.HeldFrom = suspended, day(c.from)
			if c.to != "" {
				p.HeldTo = day(c.to)
			}
		})
		got := Review(Input{People: []task.Person{p}}, rulesOf(nil), workday.National(), day(c.on))
		if lines(got, Hours) != c.want {
			t.Errorf("%s to %s on %s: %q, want %q", c.from, c.to, c.on, lines(got, Hours), c.want)
		}
	}
}

func train(person, on string, hours int, what, exam string) task.Training {
	return task.Training{Person: person, Ref: "r" + on, On: day(on), Hours: hours, For: what, Assessed: exam != "", Passed: exam == "合格"}
}

func TestHoursOfTheYear(t *testing.T) {
	for _, c := range []struct {
		name   string
		people []task.Person
		train  []task.Training
		on     string
		want   string
	}{
		{"on pace at half year", []task.Person{person("p", func(p *task.Person) { p.Hours = 30 })}, nil, "2024-06-30", "p 年度学时 30>60 30学时，差30学时 "},
		{"behind at the end of August", []task.Person{person("p", func(p *task.Person) { p.Hours = 31 })}, nil, "2024-08-31", "p 年度学时 31>46 31学时，差29学时，按目前进度年底预计46学时 yellow"},
		{"three quarters", []task.Person{person("p", func(p *task.Person) { p.Hours = 41 })}, nil, "2024-09-30", "p 年度学时 41>54 41学时，差19学时，按目前进度年底预计54学时 yellow"},
		{"met", []task.Person{person("p", nil)}, nil, "2024-06-30", "p 年度学时 60>120 60学时 "},
		{"year's end", []task.Person{person("p", func(p *task.Person) { p.Hours = 59 })}, nil, "2024-12-31", "p 年度学时 59>59 59学时，差1学时 red"},
		{"attendances before the roster's number", []task.Person{person("p", func(p *task.Person) { p.Hours = 55 })},
			[]task.Training{train("p", "2024-03-01", 8, inPost, ""), train("p", "2024-09-30", 12, inPost, ""), train("p", "2024-10-01", 40, inPost, "")}, "2024-09-30",
			"p 年度学时 20>26 20学时，差40学时，按目前进度年底预计26学时 yellow"},
		{"attendances of another year or requirement are none", []task.Person{person("p", func(p *task.Person) { p.Hours = 45 })},
			[]task.Training{train("p", "2023-12-31", 8, inPost, ""), train("p", "2024-02-01", 30, applicant, "合格")}, "2024-09-30", "p 年度学时 45>60 45学时，差15学时 "},
		{"roster of last year says nothing of this one", []task.Person{person("p", func(p *task.Person) { p.On = day("2024-05-01") })}, nil, "2025-03-31",
			"p 年度学时 0>0 学时未登记 "},
		{"joined in July, by his own span", []task.Person{person("p", func(p *task.Person) { p.On, p.Hours = day("2024-07-01"), 30 })}, nil, "2024-09-30",
			"p 年度学时 30>60 30学时，差30学时 "},
		{"in post since June, an applicant before", []task.Person{
			person("p", func(p *task.Person) { p.Duty, p.Hours = applicant, 30 }),
			person("p", func(p *task.Person) { p.On, p.Hours, p.Seq = day("2024-06-03"), 20, 2 })}, nil, "2024-09-30",
			"p 年度学时 20>35 20学时，差40学时，按目前进度年底预计35学时 yellow"},
		{"away for three months and back: the year's span", []task.Person{
			person("p", func(p *task.Person) { p.Hours = 20 }),
			person("p", func(p *task.Person) { p.On, p.Duty, p.Seq = day("2024-03-04"), offPost, 2 }),
			person("p", func(p *task.Person) { p.On, p.Hours, p.Seq = day("2024-06-04"), 40, 3 })}, nil, "2024-09-30",
			"p 年度学时 40>53 40学时，差20学时，按目前进度年底预计53学时 yellow"},
		{"three weeks tell no pace", []task.Person{person("p", func(p *task.Person) { p.On, p.Hours = day("2024-09-09"), 8 })}, nil, "2024-09-30",
			"p 年度学时 8>41 8学时，差52学时 "},
		{"leap day", []task.Person{person("p", func(p *task.Person) { p.Hours = 10 })}, nil, "2024-02-29", "p 年度学时 10>61 10学时，差50学时 "},
		{"not in post", []task.Person{person("p", func(p *task.Person) { p.CertState = cancelled })}, nil, "2024-09-30", ""},
	} {
		got := lines(Review(Input{People: c.people, Trainings: c.train}, rulesOf(nil), workday.National(), day(c.on)))
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// In January the hours are those of the year that has ended, as the roster had them then.
func TestHoursOfTheYearThatEnded(t *testing.T) {
	people := []task.Person{
		person("p", func(p *task.Person) { p.On, p.Hours = day("2024-03-01"), 58 }),
		person("p", func(p *task.Person) { p.On, p.Hours, p.Seq = day("2025-01-02"), 0, 2 }),
		person("n", func(p *task.Person) { p.On, p.Hours, p.Seq = day("2025-01-02"), 0, 3 }),
	}
	got := lines(Review(Input{People: people, HoursOn: day("2024-12-31")}, rulesOf(nil), workday.National(), day("2025-01-02")))
	if want := "p 年度学时 58>58 58学时，差2学时 red"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOffPostAndApplicants(t *testing.T) {
	off := func(p *task.Person) { p.Duty, p.HeldFrom, p.Hours = offPost, day("2024-08-05"), 24 }
	apply := func(p *task.Person) { p.Duty, p.Hours, p.Certificate, p.ValidTo = applicant, 22, "", 0 }
	for _, c := range []struct {
		name   string
		person task.Person
		train  []task.Training
		on     string
		want   string
		class  Class
	}{
		{"off post by the roster", person("p", off), nil, "2024-09-30", "p 离岗培训 24学时，差16学时，考核未登记 yellow", Short},
		{"hours without an assessment", person("p", off), []task.Training{train("p", "2024-09-01", 40, offPost, "")}, "2024-09-30", "p 离岗培训 40学时，考核未登记 yellow", Unproved},
		{"failed", person("p", off), []task.Training{train("p", "2024-09-01", 40, offPost, "不合格")}, "2024-09-30", "p 离岗培训 40学时，考核不合格 yellow", Unproved},
		{"failed, then passed", person("p", off), []task.Training{train("p", "2024-09-01", 40, offPost, "不合格"), train("p", "2024-09-20", 0, offPost, "合格")}, "2024-09-30", "p 离岗培训 40学时，考核合格 green", Ready},
		{"passed with too few hours", person("p", off), []task.Training{train("p", "2024-09-01", 39, offPost, "合格")}, "2024-09-30", "p 离岗培训 39学时，差1学时，考核合格 yellow", Short},
		{"before the suspension", person("p", off), []task.Training{train("p", "2024-08-04", 40, offPost, "合格")}, "2024-09-30", "p 离岗培训 24学时，差16学时，考核未登记 yellow", Short},
		{"over the year's turn", person("p", off), []task.Training{train("p", "2024-12-20", 20, offPost, ""), train("p", "2025-01-10", 20, offPost, "合格")}, "2025-01-13", "p 离岗培训 40学时，考核合格 green", Ready},
		{"not yet", person("p", off), []task.Training{train("p", "2024-10-01", 40, offPost, "合格")}, "2024-09-30", "p 离岗培训 24学时，差16学时，考核未登记 yellow", Short},
		{"applicant short of hours", person("p", apply), nil, "2024-09-30", "p 新申领 22学时，差8学时，考核未登记 yellow", Short},
		{"an applicant's hours are of no year", person("p", func(p *task.Person) { apply(p); p.Hours, p.On = 30, day("2024-09-20") }), nil, "2025-01-02", "p 新申领 30学时，待考试 yellow", Unproved},
		{"applicant awaiting the exam", person("p", apply), []task.Training{train("p", "2023-11-01", 30, applicant, "")}, "2024-09-30", "p 新申领 30学时，待考试 yellow", Unproved},
		{"applicant who failed", person("p", apply), []task.Training{train("p", "2024-03-01", 30, applicant, "不合格")}, "2024-09-30", "p 新申领 30学时，考核不合格 yellow", Unproved},
		{"applicant who passed", person("p", apply), []task.Training{train("p", "2024-03-01", 30, applicant, "合格")}, "2024-09-30", "p 新申领 30学时，考核合格 green", Ready},
	} {
		got := Review(Input{People: []task.Person{c.person}, Trainings: c.train}, rulesOf(nil), workday.National(), day(c.on))
		if l := lines(got, Certificate, Unstated); l != c.want {
			t.Errorf("%s: %q, want %q", c.name, l, c.want)
		}
		if f := got.Units[0].Findings; f[len(f)-1].Class != c.class {
			t.Errorf("%s: class %d, want %d", c.name, f[len(f)-1].Class, c.class)
		}
	}
}

func TestReviewers(t *testing.T) {
	staff := func(enforcers, reviewers, supervisors int) []task.Person {
		var out []task.Person
		for post, n := range map[string]int{enforcer: enforcers, reviewer: reviewers, supervisor: supervisors} {
			for i := range n {
				out = append(out, person(fmt.Sprint(post, i), func(p *task.Person) { p.Post = post }))
			}
		}
		return out
	}
	two := rulesOf(func(r *task.StaffRules) { r.ReviewersAndSupervisors = 2 })
	for _, c := range []struct {
		name                    string
		people                  []task.Person
		rules                   task.StaffRules
		needed, short, pairsLow int
	}{
		{"nobody enforces", staff(0, 0, 3), two, 0, 0, 0},
		{"one of one", staff(0, 1, 0), rulesOf(nil), 1, 0, 0},
		{"none of one", staff(1, 0, 0), rulesOf(nil), 1, 1, 0},
		{"one of twenty", staff(19, 1, 0), rulesOf(nil), 1, 0, 0},
		{"one of twenty-one is rounded up", staff(20, 1, 0), rulesOf(nil), 2, 1, 0},
		{"two of forty", staff(38, 2, 5), rulesOf(nil), 2, 0, 0},
		{"two of forty-one", staff(39, 2, 0), rulesOf(nil), 3, 1, 0},
		{"Changji: one reviewer alone", staff(5, 1, 0), two, 1, 0, 1},
		{"Changji: a reviewer and a supervisor", staff(5, 1, 1), two, 1, 0, 0},
		{"Changji: two supervisors and no reviewer", staff(5, 0, 2), two, 1, 1, 0},
		{"no share is asked", staff(5, 0, 0), rulesOf(func(r *task.StaffRules) { r.ReviewerPercent = 0 }), 0, 0, 0},
		{"a suspended reviewer is none", append(staff(3, 0, 0), person("s", func(p *task.Person) { p.Post, p.CertState = reviewer, suspended })), rulesOf(nil), 1, 1, 0},
		{"nor is one off post", append(staff(3, 0, 0), person("s", func(p *task.Person) { p.Post, p.Duty = reviewer, offPost })), rulesOf(nil), 1, 1, 0},
	} {
		got := Review(Input{People: c.people}, c.rules, workday.National(), day("2024-10-08")).Total
		if got.ReviewersNeeded != c.needed || got.RatioShort != c.short || got.PairShort != c.pairsLow {
			t.Errorf("%s: %d needed, %d and %d short; want %d, %d, %d", c.name, got.ReviewersNeeded, got.RatioShort, got.PairShort, c.needed, c.short, c.pairsLow)
		}
	}
}

// Units are rounded up each for itself, so what is needed is the sum and not the share of the sum.
func TestWhatIsNeededIsSummedByUnit(t *testing.T) {
	var people []task.Person
	for i := range 4 {
		people = append(people, person(fmt.Sprint("p", i), func(p *task.Person) { p.Unit = fmt.Sprint("u", i) }))
	}
	if c := Review(Input{People: people}, rulesOf(nil), workday.National(), day("2024-10-08")).Total; c.ReviewersNeeded != 4 || c.RatioShort != 4 || c.RatioAsked != 4 || c.Units != 4 {
		t.Errorf("%+v", c)
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want string
	}{{1, 20, "5%"}, {1, 21, "4.8%"}, {0, 7, "0%"}, {1, 3, "33.3%"}, {2, 3, "66.7%"}, {0, 0, "0%"}, {7, 7, "100%"}, {1, 16, "6.3%"}} {
		if got := percent(c.a, c.b); got != c.want {
			t.Errorf("%d/%d: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestMaskCertificate(t *testing.T) {
	for in, want := range map[string]string{"": "", "0001": "****", "A": "****", "ZF-2024-0001": "****0001", "鲁执字第12号": "****第12号", "370212199001011234": "****1234"} {
		if got := MaskCertificate(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// anyPeople draws a roster of several units with several versions of some people.
func anyPeople(t *rapid.T) Input {
	var in Input
	units := []string{"a", "b", "c", "d"}
	dates := rapid.Custom(func(t *rapid.T) civil.Date {
		return day("2024-01-01") + civil.Date(rapid.IntRange(0, 420).Draw(t, "day"))
	})
	for i := range rapid.IntRange(0, 14).Draw(t, "people") {
		for v := range rapid.IntRange(1, 2).Draw(t, "versions") {
			p := task.Person{
				Key: fmt.Sprintf("k%02d", i), Name: fmt.Sprintf("人%02d", i), Unit: rapid.SampledFrom(units).Draw(t, "unit"),
				Post:        rapid.SampledFrom([]string{enforcer, reviewer, supervisor}).Draw(t, "post"),
				Certificate: fmt.Sprintf("C%06d", i), CertState: rapid.SampledFrom([]string{"", "有效", suspended, cancelled}).Draw(t, "state"),
				Duty: rapid.SampledFrom([]string{inPost, offPost, applicant}).Draw(t, "duty"), Hours: rapid.IntRange(0, 70).Draw(t, "hours"),
				Removed: v > 0 && rapid.IntRange(0, 4).Draw(t, "gone") == 0, On: fromAlways(), Seq: int64(10*i + v + 1),
			}
			if v > 0 || rapid.Bool().Draw(t, "joined") {
				p.On = dates.Draw(t, "on")
			}
			if rapid.Bool().Draw(t, "dated") {
				p.ValidTo = dates.Draw(t, "valid")
			}
			if rapid.Bool().Draw(t, "held") {
				p.HeldFrom = dates.Draw(t, "from")
				p.HeldTo = p.HeldFrom + 91
			}
			in.People = append(in.People, p)
		}
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "trainings") {
		in.Trainings = append(in.Trainings, task.Training{
			Person: fmt.Sprintf("k%02d", rapid.IntRange(0, 14).Draw(t, "who")), Ref: fmt.Sprint("r", i%5), On: dates.Draw(t, "at"), Seq: int64(1000 + i),
			Hours: rapid.IntRange(0, 40).Draw(t, "h"), For: rapid.SampledFrom([]string{inPost, offPost, applicant}).Draw(t, "for"),
			Assessed: rapid.Bool().Draw(t, "assessed"), Passed: rapid.Bool().Draw(t, "passed"), Removed: rapid.IntRange(0, 5).Draw(t, "removed") == 0,
		})
	}
	return in
}

func TestCountsAddUp(t *testing.T) {
	cal := workday.National()
	rules := rulesOf(func(r *task.StaffRules) { r.ReviewersAndSupervisors = 2 })
	rapid.Check(t, func(t *rapid.T) {
		in := anyPeople(t)
		d := day("2024-01-01") + civil.Date(rapid.IntRange(0, 420).Draw(t, "today"))
		r := Review(in, rules, cal, d)
		sum := Counts{Within: make([]int, 3)}
		for _, u := range r.Units {
			sum.add(u.Counts)
			if !slices.ContainsFunc(task.PeopleAsOf(in.People, d), func(p task.Person) bool { return p.Unit == u.Code }) {
				t.Fatalf("unit %s has nobody", u.Code)
			}
			for _, f := range u.Findings {
				if f.Person.Unit != u.Code {
					t.Fatalf("%s of %s stands with %s", f.Person.Key, f.Person.Unit, u.Code)
				}
			}
		}
		if fmt.Sprint(sum) != fmt.Sprint(r.Total) {
			t.Fatalf("the units come to\n%+v, the total is\n%+v", sum, r.Total)
		}
		c := r.Total
		for what, both := range map[string][2]int{
			"people":     {c.People, c.InPost + c.OffPost + c.Applicants + c.Cancelled},
			"roster":     {c.People, len(task.PeopleAsOf(in.People, d))},
			"suspended":  {c.Suspended, c.Running + c.DueBack + c.BackOverdue + c.NoEnd},
			"off post":   {c.Off, c.OffShort + c.OffUnproved + c.OffReady},
			"all off":    {c.Off, c.OffPost},
			"hours":      {c.Asked, c.Met + c.OnPace + c.Behind + c.Short + c.TooNew + c.Unknown},
			"applicants": {c.Applying, c.ApplyShort + c.Awaiting + c.ApplyReady},
			"applying":   {c.Applying, c.Applicants},
		} {
			if both[0] != both[1] {
				t.Fatalf("%s: %d and %d: %+v", what, both[0], both[1], c)
			}
		}
		if again := Review(in, rules, cal, d); fmt.Sprint(again) != fmt.Sprint(r) {
			t.Fatal("the same input gave another result")
		}
	})
}

// Any date and any number in the roster may be nonsense; nothing panics.
func FuzzReview(f *testing.F) {
	f.Add(int64(738000), int64(738001), int64(0), int64(0), 60, 60, 5, uint8(3))
	f.Add(int64(0), int64(-5), int64(1<<40), int64(-1<<40), -1, 1<<30, -3, uint8(255))
	f.Fuzz(func(t *testing.T, d, valid, from, to int64, hours, want, percent int, kind uint8) {
		p := task.Person{Key: "p", Unit: "u", Post: []string{enforcer, reviewer, supervisor, "?"}[kind%4], Duty: []string{inPost, offPost, applicant, ""}[kind/4%4],
			CertState: []string{"", suspended, cancelled, "?"}[kind/16%4], ValidTo: civil.Date(valid), HeldFrom: civil.Date(from), HeldTo: civil.Date(to), Hours: hours}
		r := Review(Input{People: []task.Person{p}}, task.StaffRules{HoursInPost: want, HoursOffPost: want, HoursApplicant: want, Warn: []int{want, percent}, ReviewerPercent: percent},
			workday.National(), civil.Date(d))
		if r.Total.People > 1 {
			t.Errorf("%+v", r.Total)
		}
	})
}
