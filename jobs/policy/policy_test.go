package policy_test

import (
	"reflect"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/policy"
	"duban/jobs/task"
)

func parse(t *testing.T, text string) policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNothingWrittenIsTheDefault(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "BOM": "\ufeff", "comment": "# nothing\n", "null": "~\n", "no versions": "versions:\n", "none": "versions: []\n",
		"a version that says nothing": "versions:\n  - {}\n", "empty keys": "versions:\n  - from:\n    ladder:\n    rungs: {form: }\n    events:\n    staff: {warn: }\n",
		"sample": policy.Sample(),
	} {
		got := parse(t, text)
		for i := range got.Versions { // no rules and an empty list of rules are the same
			if len(got.Versions[i].Rules) == 0 {
				got.Versions[i].Rules = nil
			}
		}
		if want := policy.Default(""); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestDefaultSpeaksInTheNameOfTheGovernmentOffice(t *testing.T) {
	for name, want := range map[string][2]string{
		"青岛市崂山区": {"青岛市崂山区人民政府办公室", "区政府办"}, "泗水县": {"泗水县人民政府办公室", "县政府办"},
		"昌吉市": {"昌吉市人民政府办公室", "市政府办"}, "开发": {"开发人民政府办公室", "政府办"}, "": {"", ""},
	} {
		p := policy.Default(name).Versions[0]
		for rung, word := range map[ladder.Rung][2]string{
			ladder.Form: {"督办通知单", "督办〔{year}〕{n}号"}, ladder.Bulletin: {"通报", "通报〔{year}〕{n}号"},
		} {
			o := p.Rungs[rung]
			if got := [2]string{o.Name, o.Short}; got != want || o.Word != word[0] || o.Number != word[1] {
				t.Errorf("%s %s: %+v", name, rung, o)
			}
		}
		if !reflect.DeepEqual(p.Staff, task.DefaultStaffRules()) || p.Rules != nil || p.From != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

const three = `
versions:
  - rungs:
      form: {name: 区委依法治区办, short: 依法治区办, number: "依法督〔{year}〕{n}号", to: head, copies: [deputy]}
      urging: {word: 催办函}
    staff: {soft: 原则上, warn: [60, 30]}
  - from: 2024-07-01
    ladder:
      monthly:
        - {step: T+4, rung: urging, copy: [deputy, head]}
        - {step: T-1, rung: reminder, only_late: true}
        - {step: BREAK, rung: reminder, break: 5}
        - {step: A7, rung: reminder, monday: true, opened_ahead: 20, support: true}
        - {step: T+20, rung: form, to: head, only_misses: true}
      weekly: []
    events:
      - {kind: 行政处罚决定, plan: zfzl2024, row: 8, n: 7, unit: workday, basis: 依据}
      - {kind: 监督意见, plan: zfzl2024, row: 18-1, roll: keep, chase: none}
    staff: {reviewer_percent: 6}
  - from: 2025-01-01
    rungs: {form: {word: 督办单}}
    events: []
`

func TestVersionsSayWhatTheyChange(t *testing.T) {
	p := parse(t, three)
	if len(p.Versions) != 3 {
		t.Fatalf("%d versions", len(p.Versions))
	}
	set := p.Apply(planner.Settings{})
	day := func(s string) planner.Settings { return set.On(civil.MustParse(s)) }
	first, second, third := day("2024-06-30"), day("2024-07-01"), day("2025-01-01")

	steps := func(s planner.Settings, k task.Kind) (out []string) {
		for _, r := range s.Ladder[k] {
			out = append(out, r.Step)
		}
		return out
	}
	if got := strings.Join(steps(first, task.Monthly), " "); got != "T-3 BREAK T T+2 T+5 T+10" {
		t.Errorf("before the change: %s", got)
	}
	want := []ladder.Rule{
		{Step: "A7", Rung: ladder.Reminder, Ahead: 7, Monday: true, OpenedAhead: 20, Support: true},
		{Step: "T-1", Rung: ladder.Reminder, Offset: -1, OnlyLate: true},
		{Step: "BREAK", Rung: ladder.Reminder, Break: 5},
		{Step: "T+4", Rung: ladder.Urging, Offset: 4, Copy: []task.Role{task.Deputy, task.Head}},
		{Step: "T+20", Rung: ladder.Form, Offset: 20, To: task.Head, OnlyMisses: true},
	}
	for _, s := range []planner.Settings{second, third} {
		if !reflect.DeepEqual(s.Ladder[task.Monthly], want) {
			t.Errorf("the month's steps are %+v", s.Ladder[task.Monthly])
		}
		if len(s.Ladder[task.Weekly]) != 0 || !reflect.DeepEqual(s.Ladder[task.Milestone], ladder.Default()[task.Milestone]) {
			t.Errorf("weekly %v, milestone %v", s.Ladder[task.Weekly], s.Ladder[task.Milestone])
		}
	}
	form := planner.Office{Name: "区委依法治区办", Short: "依法治区办", Word: "督办通知单", Number: "依法督〔{year}〕{n}号", To: task.Head, Copies: []task.Role{task.Deputy}}
	if !reflect.DeepEqual(first.Rungs[ladder.Form], form) || !reflect.DeepEqual(second.Rungs[ladder.Form], form) || first.Rungs[ladder.Urging].Word != "催办函" {
		t.Errorf("%+v", first.Rungs)
	}
	if form.Word = "督办单"; !reflect.DeepEqual(third.Rungs[ladder.Form], form) || third.Rungs[ladder.Bulletin].Word != "通报" {
		t.Errorf("%+v", third.Rungs)
	}
	rules := []task.Rule{
		{Kind: "行政处罚决定", Plan: "zfzl2024", Row: "8", N: 7, Unit: "workday", Basis: "依据"},
		{Kind: "监督意见", Plan: "zfzl2024", Row: "18-1", Roll: "keep", Chase: task.ChaseNone},
	}
	if len(first.Rules) != 0 || !reflect.DeepEqual(second.Rules, rules) || len(third.Rules) != 0 {
		t.Errorf("rules %v, %v, %v", first.Rules, second.Rules, third.Rules)
	}
	if s := first.Staff; s.Soft != "原则上" || !reflect.DeepEqual(s.Warn, []int{60, 30}) || s.ReviewerPercent != 5 || s.HoursInPost != 60 {
		t.Errorf("staff %+v", s)
	}
	if s := third.Staff; s.Soft != "原则上" || s.ReviewerPercent != 6 {
		t.Errorf("staff %+v", s)
	}
}

// TestAFirstVersionWithADayFollowsTheDefault: a policy that begins in July leaves June as it was.
func TestAFirstVersionWithADayFollowsTheDefault(t *testing.T) {
	p := parse(t, "versions:\n  - from: 2024-07-01\n    ladder: {monthly: []}\n")
	set := p.Apply(planner.Settings{})
	if len(p.Versions) != 2 || len(set.Ladder[task.Monthly]) == 0 || len(set.On(civil.MustParse("2024-07-01")).Ladder[task.Monthly]) != 0 {
		t.Errorf("%+v", p.Versions)
	}
}

// TestApplyKeepsThePolicy: who changes the settings does not change the policy they came from.
func TestApplyKeepsThePolicy(t *testing.T) {
	p := parse(t, three)
	set := p.Apply(planner.Settings{})
	set.Ladder[task.Monthly] = nil
	set.Rungs[ladder.Form] = planner.Office{}
	set.Later[0].Rules[0].N = 99
	if !reflect.DeepEqual(p, parse(t, three)) {
		t.Error("the policy changed with the settings")
	}
	if set := p.Apply(planner.Settings{Later: []planner.Policy{{From: 1}}}); len(set.Later) != 2 {
		t.Errorf("%d later versions, want 2", len(set.Later))
	}
}

// Each refusal names its line and key; want holds parts of the message.
var refusals = map[string]struct {
	text string
	want []string
}{
	"unknown key":        {"verisons: []\n", []string{"line 1: verisons: unknown key; known here: versions"}},
	"unknown below":      {"versions:\n  - form: 2024-01-01\n", []string{"line 2: versions[1].form: unknown key; known here: events, from, ladder, rungs, staff"}},
	"given twice":        {"versions: []\nversions: []\n", []string{"versions: is given twice, first on line 1"}},
	"two documents":      {"versions: []\n---\nversions: []\n", []string{"line 2: a second document begins here"}},
	"broken":             {"versions: [\n", []string{"not valid YAML"}},
	"not UTF-8":          {"versions: \xd6\xd0\n", []string{"is not UTF-8"}},
	"a list as root":     {"- a\n", []string{"line 1: holds a list; write keys below it"}},
	"keys as list":       {"versions: {from: 2024-01-01}\n", []string{"line 1: versions: holds keys; write a list"}},
	"text as version":    {"versions: [a]\n", []string{"versions[1]: holds a single value; write keys below it"}},
	"alias":              {"versions:\n  - &x {}\n  - *x\n", []string{"line 3: versions[2]: holds an alias"}},
	"merge":              {"versions:\n  - {<<: {}}\n", []string{"versions[1]: a key must be plain text"}},
	"no day":             {"versions:\n  - {}\n  - {}\n", []string{"line 3: versions[2]: has no from"}},
	"days in disorder":   {"versions:\n  - from: 2024-07-01\n  - from: 2024-06-01\n", []string{"line 3: versions[2]: counts from 2024-06-01, not after the version before it (2024-07-01)"}},
	"no such day":        {"versions:\n  - from: 2024-02-30\n", []string{`versions[1].from: "2024-02-30" cannot be read`}},
	"kind":               {"versions:\n  - ladder: {daily: []}\n", []string{"versions[1].ladder.daily: unknown key; known here: clock, condition, half-yearly"}},
	"step without a day": {"versions:\n  - ladder:\n      monthly:\n        - {step: soon, rung: reminder}\n", []string{`line 4: versions[1].ladder.monthly[1]: step "soon" names no day`}},
	"no step":            {"versions:\n  - ladder: {monthly: [{rung: reminder}]}\n", []string{`versions[1].ladder.monthly[1]: step "" names no day`}},
	"rung":               {"versions:\n  - ladder: {monthly: [{step: T+2, rung: pace}]}\n", []string{`versions[1].ladder.monthly[1].rung: "pace" is not allowed; write reminder or urging or form`}},
	"no rung":            {"versions:\n  - ladder: {monthly: [{step: T+2}]}\n", []string{`versions[1].ladder.monthly[1]: step T+2: rung "" is unknown`}},
	"urges too early":    {"versions:\n  - ladder: {monthly: [{step: T, rung: urging}]}\n", []string{"nobody is accused before he is late"}},
	"reminds too late":   {"versions:\n  - ladder: {monthly: [{step: T+1, rung: reminder}]}\n", []string{"step T+1 reminds after the date"}},
	"form for a case":    {"versions:\n  - ladder: {clock: [{step: T+9, rung: form}]}\n", []string{"there is no supervision form for the kind clock"}},
	"step twice":         {"versions:\n  - ladder: {monthly: [{step: T, rung: reminder}, {step: T, rung: reminder}]}\n", []string{"versions[1].ladder.monthly[2]: step T is there twice"}},
	"offset denied":      {"versions:\n  - ladder: {monthly: [{step: T-3, rung: reminder, offset: -4}]}\n", []string{"step T-3 has offset -4, which its name denies"}},
	"role":               {"versions:\n  - ladder: {monthly: [{step: T, rung: reminder, to: mayor}]}\n", []string{`versions[1].ladder.monthly[1].to: "mayor" is not allowed; write liaison or deputy or head or legal`}},
	"copy twice":         {"versions:\n  - ladder: {monthly: [{step: T, rung: reminder, copy: [head, head]}]}\n", []string{"copy[2]: head is there twice"}},
	"not a bool":         {"versions:\n  - ladder: {monthly: [{step: T, rung: reminder, support: yes}]}\n", []string{`"yes" cannot be read; write true or false`}},
	"number of an urge":  {"versions:\n  - rungs: {urging: {number: x}}\n", []string{"versions[1].rungs.urging.number: unknown key; known here: name, short, word"}},
	"pace has no office": {"versions:\n  - rungs: {pace: {word: x}}\n", []string{"versions[1].rungs.pace: unknown key; known here: bulletin, form, reminder, report, urging"}},
	"statutory word":     {"versions:\n  - rungs: {form: {word: 行政执法监督意见书}}\n", []string{"versions[1].rungs.form.word:", "statutory instrument"}},
	"empty word":         {"versions:\n  - rungs: {form: {word: \"\"}}\n", []string{"versions[1].rungs.form.word: is empty"}},
	"square brackets":    {"versions:\n  - rungs: {form: {number: \"督办[{year}]{n}号\"}}\n", []string{"has not the form of a document number"}},
	"ordinal":            {"versions:\n  - rungs: {form: {number: \"督办〔{year}〕第{n}号\"}}\n", []string{"has not the form of a document number"}},
	"no count":           {"versions:\n  - rungs: {form: {number: \"督办〔{year}〕号\"}}\n", []string{"needs {year} and {n} once each"}},
	"address":            {"versions:\n  - rungs: {bulletin: {email: 办公室 <a@b.cn>}}\n", []string{"versions[1].rungs.bulletin.email: is not one plain address"}},
	"address of a form":  {"versions:\n  - rungs: {form: {email: a@b.cn}}\n", []string{"versions[1].rungs.form.email: unknown key; known here: copies, name, number, short, to, word"}},
	"line break":         {"versions:\n  - rungs: {form: {name: \"a\\r\\nBcc: x\"}}\n", []string{"versions[1].rungs.form.name: holds a line break"}},
	"event of nothing":   {"versions:\n  - events: [{kind: x}]\n", []string{"versions[1].events[1]: says not which duty"}},
	"event twice":        {"versions:\n  - events: [{kind: x, plan: p, row: 1}, {kind: x, plan: p, row: 1}]\n", []string{"versions[1].events[2]: x starts row 1 of p already"}},
	"days of what":       {"versions:\n  - events: [{kind: x, plan: p, row: 1, n: 7}]\n", []string{"says not what the 7 are"}},
	"how many days":      {"versions:\n  - events: [{kind: x, plan: p, row: 1, unit: day}]\n", []string{"has a unit and no number"}},
	"hours have no roll": {"versions:\n  - events: [{kind: x, plan: p, row: 1, n: 7, unit: hour}]\n", []string{`"hour" is not allowed; write day or workday or month or year`}},
	"a rating":           {"versions:\n  - events: [{kind: 事后评价, plan: p, row: 1, n: 7, unit: day}]\n", []string{"事后评价 starts no clock"}},
	"chased otherwise":   {"versions:\n  - events: [{kind: x, plan: p, row: 1, chase: manual}]\n", []string{`chase: "manual" is not allowed; write none`}},
	"a path as row":      {"versions:\n  - events: [{kind: x, plan: p, row: 1/2}]\n", []string{"has a / in plan or row"}},
	"percent":            {"versions:\n  - staff: {reviewer_percent: 101}\n", []string{`versions[1].staff.reviewer_percent: "101" cannot be; write a whole number from 0 to 100`}},
	"fraction":           {"versions:\n  - staff: {hours_in_post: 60.5}\n", []string{`"60.5" cannot be`}},
	"warnings rising":    {"versions:\n  - staff: {warn: [7, 30]}\n", []string{"versions[1].staff.warn[2]: 30 is not before 7; list the longest first"}},
	"two at once":        {"versions:\n  - staff: {hours: 1}\n    events: {}\n", []string{"line 2: versions[1].staff.hours", "line 3: versions[1].events: holds keys"}},
}

func TestRefusals(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			p, err := policy.Parse([]byte(c.text))
			if err == nil {
				t.Fatalf("accepted: %+v", p)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

func TestSampleIsDocumented(t *testing.T) {
	sample := policy.Sample()
	for _, key := range []string{
		"versions", "from", "ladder", "rungs", "events", "staff", "step", "rung", "to", "copy", "break", "monday", "opened_ahead", "only_late", "only_misses", "support",
		"name", "short", "word", "number", "email", "copies", "reminder", "urging", "form", "bulletin", "kind", "plan", "row", "n", "unit", "roll", "chase", "basis",
		"hours_in_post", "hours_applicant", "hours_off_post", "warn", "reviewer_percent", "soft", "reviewers_and_supervisors",
	} {
		if !strings.Contains(sample, key) {
			t.Errorf("the sample does not name %s", key)
		}
	}
	for _, k := range ladder.Kinds() {
		if !strings.Contains(sample, "\n      "+string(k)+": # ") {
			t.Errorf("the sample does not name %s", k)
		}
	}
	for _, line := range strings.Split(sample, "\n") {
		if len([]rune(line)) > 140 {
			t.Errorf("too long for a terminal: %s", line)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(policy.Sample()))
	f.Add([]byte(three))
	for _, c := range refusals {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policy.Parse(data)
		if err != nil {
			return
		}
		last := civil.Date(0)
		for i, v := range p.Versions {
			if err := v.Ladder.Check(); err != nil {
				t.Fatalf("a ladder was let in that does not hold: %v", err)
			}
			if i > 0 && v.From <= last {
				t.Fatalf("version %d counts from %s, the one before from %s", i, v.From, last)
			}
			last = v.From
			for _, rung := range []ladder.Rung{ladder.Form, ladder.Bulletin} {
				o := v.Rungs[rung]
				if o.Word == "" || !strings.Contains(o.Number, "〔{year}〕{n}号") {
					t.Fatalf("%s: %+v", rung, o)
				}
			}
		}
		if set := p.Apply(planner.Settings{}); len(set.Later) != len(p.Versions)-1 {
			t.Fatalf("%d later versions of %d", len(set.Later), len(p.Versions))
		}
	})
}
