package main

import (
	"strings"
	"testing"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/store/storetest"
)

// policiesOf reads a configuration from text, with the files it names.
func policiesOf(t *testing.T, text string) *policies {
	t.Helper()
	d := newDesk(t, "2024-09-26")
	cfg, err := config.Load(d.file("duban.yaml", text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &policies{cfg: cfg}
}

func TestSettingsCarryTheConfigurationAndThePolicy(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "2024-09-26")
	file := d.file("town.yaml", `
versions:
  - from: 2024-07-01
    ladder: {monthly: [{step: T-1, rung: reminder}, {step: T+3, rung: urging}]}
    rungs: {bulletin: {name: 依法治市办, email: a@b.example}, reminder: {name: 市司法局}, urging: {word: 催办函}}
    events: [{kind: 行政处罚决定, plan: zl2024, row: 3, n: 7, unit: workday}]
    staff: {reviewers_and_supervisors: 2}
`)
	p := policiesOf(t, `
defaults: {confirm: required, weekly_cap: 3}
jurisdictions:
  town:
    policy: `+file+`
    weekly_cap: 0
    close_grace_workdays: 5
    ranking: true
    digest_to: [a@sfj.example, b@sfj.example]
    name_domains: [sfj.example]
`)
	town, err := p.settings("town")
	if err != nil {
		t.Fatal(err)
	}
	if !town.Confirm || town.WeeklyCap != 0 || town.Grace != 5 || !town.Ranking || len(town.NameDomains) != 1 || !town.NamesInFiles ||
		len(town.Bureau) != 2 || town.Bureau[1].Email != "b@sfj.example" || town.Bureau[1].Role != "bureau" || town.Bureau[1].Copy {
		t.Errorf("%+v", town)
	}
	before, after := town.On(civil.MustParse("2024-06-30")), town.On(civil.MustParse("2024-07-01"))
	if len(before.Ladder[task.Monthly]) != 6 || len(after.Ladder[task.Monthly]) != 2 || len(before.Rules) != 0 || len(after.Rules) != 1 ||
		before.Staff.ReviewersAndSupervisors != 0 || after.Staff.ReviewersAndSupervisors != 2 {
		t.Errorf("before %+v\nafter %+v", before.Ladder[task.Monthly], after.Ladder[task.Monthly])
	}
	in := task.Jurisdiction{Name: "示例市"}
	if form, bulletin := after.Office(ladder.Form, in), after.Office(ladder.Bulletin, in); form.Name != "示例市人民政府办公室" || form.Short != "市政府办" ||
		form.Number != "督办〔{year}〕{n}号" || bulletin.Name != "依法治市办" || bulletin.Word != "通报" {
		t.Errorf("form %+v, bulletin %+v", form, bulletin)
	}
	if w := before.Issuer.Word + before.UrgingWord + before.Government.Name; w != "工作提示工作提示" {
		t.Errorf("before July: %s", w)
	}
	if w := after.Issuer.Name + after.Issuer.Word + after.UrgingWord + after.Government.Name; w != "市司法局工作提示催办函依法治市办" {
		t.Errorf("from July on: %s", w)
	}
	other, err := p.settings("elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	if !other.Confirm || other.WeeklyCap != 3 || other.Grace != 3 || other.Ranking || other.Bureau != nil || len(other.Later) != 0 {
		t.Errorf("%+v", other)
	}
}

// TestHashesCoverThePolicy: the caches and the receipts know one policy from another, also where it only begins later.
func TestHashesCoverThePolicy(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "2024-09-26")
	files := map[string]string{
		"none": "", "ladder": "versions: [{ladder: {monthly: []}}]", "later": "versions: [{from: 2025-01-01, ladder: {monthly: []}}]",
		"still later": "versions: [{from: 2026-01-01, ladder: {monthly: []}}]", "staff": "versions: [{staff: {soft: 原则上}}]", "word": "versions: [{rungs: {form: {word: 督办函}}}]",
	}
	caches, receipts := map[string]string{}, map[string]string{}
	for name, text := range files {
		p := policiesOf(t, "jurisdictions: {town: {policy: "+d.file("p.yaml", text)+"}}\n")
		hash, err := p.hash("town")
		if err != nil {
			t.Fatal(err)
		}
		set, err := p.settings("town")
		if err != nil {
			t.Fatal(err)
		}
		caches[name], receipts[name] = hash, set.Versions.Policy
	}
	for name := range files {
		for other := range files {
			if name < other && receipts[name] == receipts[other] {
				t.Errorf("receipts cannot tell %s from %s", name, other)
			}
		}
	}
	// The cached columns depend on the ladders alone.
	if caches["staff"] != caches["none"] || caches["word"] != caches["none"] {
		t.Error("the caches are rebuilt for what they do not depend on")
	}
	if caches["ladder"] == caches["none"] || caches["later"] == caches["none"] || caches["later"] == caches["ladder"] || caches["later"] == caches["still later"] {
		t.Errorf("the caches cannot tell ladders apart: %v", caches)
	}
	// What the configuration sets for planning counts too.
	plain, capped := policiesOf(t, ""), policiesOf(t, "defaults: {weekly_cap: 1}\n")
	a, err := plain.settings("town")
	if err != nil {
		t.Fatal(err)
	}
	b, err := capped.settings("town")
	if err != nil {
		t.Fatal(err)
	}
	if a.Versions.Policy == b.Versions.Policy || a.Versions.Policy != receipts["none"] {
		t.Errorf("%s and %s; no policy file: %s", a.Versions.Policy, b.Versions.Policy, receipts["none"])
	}
}

func TestABadPolicyStopsBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "2024-09-26")
	bad := d.file("bad.yaml", "versions:\n  - ladder:\n      monthly:\n        - {step: T+1, rung: reminder}\n    staff: {hours: 3}\n")
	cfg := d.file("duban.yaml", "jurisdictions: {town: {policy: "+bad+"}}\n")
	d.fails(exitUsage, []string{"config", "check", "--config", cfg}, bad, "line 4: versions[1].ladder.monthly[1]: step T+1 reminds after the date", "line 5: versions[1].staff.hours: unknown key")
	d.fails(exitUsage, []string{"config", "check", "--config", d.file("duban.yaml", "defaults: {policy: "+bad+"}\n")}, bad, "line 4")
	sample := d.file("sample.yaml", d.ok("config", "policy-sample"))
	if out := d.ok("config", "check", "--config", d.file("duban.yaml", "defaults: {policy: "+sample+"}\njurisdictions: {town: {}}\n")); !strings.Contains(out, "good") {
		t.Errorf("the sample is not good: %s", out)
	}
}

// TestBundledPoliciesFitTheirPlans: each is read, and its rules name rows that an event may start a clock on.
func TestBundledPoliciesFitTheirPlans(t *testing.T) {
	t.Parallel()
	d := story(t, storetest.Engines(t)[0].Open(t), "2024-09-26", "2024-09-26")
	d.policies = &policies{cfg: d.cfg, bundled: bundledPolicy}
	rules := map[string]int{}
	for _, code := range d.codes {
		if _, ok := bundledPolicy(code); !ok {
			t.Errorf("%s has no policy", code)
			continue
		}
		set, err := d.policies.settings(code)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		tasks, err := d.store.Tasks(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		rows := map[task.TaskID]task.Task{}
		for _, tk := range tasks {
			rows[tk.TaskID] = tk
		}
		for _, r := range set.Rules {
			tk, ok := rows[task.TaskID{Jurisdiction: code, Plan: r.Plan, Row: r.Row}]
			if !ok || !planner.StartsClock(tk) {
				t.Errorf("%s: the rule for %s names row %s of %s, on which no event starts a clock", code, r.Kind, r.Row, r.Plan)
			}
			rules[code]++
		}
		for _, rung := range []ladder.Rung{ladder.Form, ladder.Bulletin} {
			if o := set.Rungs[rung]; o.Name == "" || o.Short == "" || o.Word == "" || !strings.Contains(o.Number, "〔{year}〕{n}号") {
				t.Errorf("%s %s: %+v", code, rung, o)
			}
		}
	}
	if rules["sishui"] != 6 || rules["changji"] != 3 || rules["laoshan"] != 1 || rules["jinan"] != 0 {
		t.Errorf("rules %v", rules)
	}
	for code, want := range map[string]struct {
		soft string
		both int
	}{"sishui": {"原则上", 0}, "changji": {"", 2}, "laoshan": {"", 0}} {
		set, err := d.policies.settings(code)
		if err != nil {
			t.Fatal(err)
		}
		if s := set.Staff; s.ReviewerPercent != 5 || s.Soft != want.soft || s.ReviewersAndSupervisors != want.both {
			t.Errorf("%s: %+v", code, s)
		}
	}
}

// TestALadderChangesOnItsDay: what was said under the old ladder stays said; from its day on the new one decides, also of
// items that were opened before.
func TestALadderChangesOnItsDay(t *testing.T) {
	t.Parallel()
	d := town(t, "2024-09-19")
	d.env["DUBAN_DEFAULTS_WEEKLY_CAP"] = "0"
	d.env["DUBAN_DEFAULTS_POLICY"] = d.file("policy.yaml", `
versions:
  - from: 2024-09-26
    ladder: {monthly: [{step: T-3, rung: reminder}, {step: T+3, rung: urging, copy: [deputy]}]}
    rungs: {urging: {word: 催办函}}
`)
	for day := civil.MustParse("2024-09-19"); day <= civil.MustParse("2024-09-30"); day++ {
		d.on(day.String())
		d.ok("run", "all", "--date", day.String())
	}
	id := item("3/jtj/2024-09")
	var steps []string
	for _, l := range lines(t, d.ok("obligations", "show", id, "--output", "json")) {
		for _, s := range l["steps"].([]any) {
			step := s.(map[string]any)
			if step["passed"] == nil {
				steps = append(steps, step["on"].(string)+" "+step["step"].(string))
			}
		}
	}
	// 25 September: T−3 is the 20th, and T is said as August's report is late; T+2 would be the 27th, T+3 is Sunday the
	// 29th, a make-up workday.
	if got := strings.Join(steps, ", "); got != "2024-09-20 T-3, 2024-09-25 T, 2024-09-29 T+3" {
		t.Errorf("said %s", got)
	}
	if out := d.ok("explain", id, "--as-of", "2024-09-25"); !strings.Contains(out, "next      T+3 (urging) on 2024-09-29") {
		t.Errorf("the evening before the change:\n%s", out)
	}
	if out := d.ok("explain", id, "--as-of", "2024-09-30"); strings.Contains(out, "T+10") || !strings.Contains(out, "next      nothing by the ladder") {
		t.Errorf("after the change:\n%s", out)
	}
	urged := 0
	for _, l := range lines(t, d.ok("outbox", "list", "--output", "json")) {
		if l["date"] == "2024-09-29" && l["unit"] == "jtj" && strings.Contains(d.ok("outbox", "show", l["id"].(string)), "催办函") {
			urged++
		}
	}
	if urged != 1 {
		t.Errorf("%d letters of 29 September are called 催办函", urged)
	}
}
