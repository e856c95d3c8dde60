package policy

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// The widest ranges of what a policy sets.
const (
	maxDays    = 3660 // ten years
	maxHours   = 2000
	maxWarn    = 730
	maxPercent = 100
	maxStaff   = 1000
)

// versions reads the list of versions, each over a copy of the one before. have holds the default.
func (r *reader) versions(n *yaml.Node, path string, have []planner.Policy) []planner.Policy {
	r.each(n, path, func(i int, n *yaml.Node, path string) {
		before := have[len(have)-1]
		v := clone(before)
		v.From = 0
		r.keys(n, path, map[string]func(*yaml.Node, string){
			"from":   r.day(&v.From),
			"ladder": func(n *yaml.Node, path string) { r.ladder(n, path, v.Ladder) },
			"rungs":  func(n *yaml.Node, path string) { r.rungs(n, path, v.Rungs) },
			"events": func(n *yaml.Node, path string) { v.Rules = r.events(n, path) },
			"staff":  func(n *yaml.Node, path string) { r.staff(n, path, &v.Staff) },
		})
		switch {
		case i == 0 && v.From == 0:
			have[0] = v
			return
		case v.From == 0:
			r.problem(n, path, "has no from; every version but the first says the day it counts from")
		case v.From <= before.From:
			r.problem(n, path, "counts from %s, not after the version before it (%s); list versions in the order of their days", v.From, before.From)
		}
		have = append(have, v)
	})
	return have
}

// ladder reads the rules of each kind of duty that the version changes into l.
func (r *reader) ladder(n *yaml.Node, path string, l ladder.Ladder) {
	kinds := map[string]func(*yaml.Node, string){}
	for _, k := range ladder.Kinds() {
		kinds[string(k)] = func(n *yaml.Node, path string) { l[k] = r.rules(n, path, k) }
	}
	r.keys(n, path, kinds)
}

// rules reads the steps of one kind, and puts them in the order of their days.
func (r *reader) rules(n *yaml.Node, path string, k task.Kind) []ladder.Rule {
	rules := []ladder.Rule{}
	r.each(n, path, func(_ int, n *yaml.Node, path string) {
		found := len(r.problems)
		rule := r.rule(n, path)
		if len(r.problems) > found {
			return
		}
		rule, err := ladder.Named(rule)
		if err == nil {
			err = rule.Check(k)
		}
		switch {
		case err != nil:
			for line := range strings.SplitSeq(err.Error(), "\n") {
				r.problem(n, path, "%s", line)
			}
		case slices.ContainsFunc(rules, func(other ladder.Rule) bool { return other.Step == rule.Step }):
			r.problem(n, path, "step %s is there twice; keep one", rule.Step)
		default:
			rules = append(rules, rule)
		}
	})
	return ladder.Arrange(rules)
}

func (r *reader) rule(n *yaml.Node, path string) (rule ladder.Rule) {
	r.keys(n, path, map[string]func(*yaml.Node, string){
		"step":         r.text(&rule.Step),
		"rung":         word(r, &rule.Rung, ladder.Reminder, ladder.Urging, ladder.Form),
		"to":           word(r, &rule.To, ladder.Readers()...),
		"copy":         func(n *yaml.Node, path string) { rule.Copy = r.roles(n, path) },
		"offset":       r.number(&rule.Offset, -maxDays, maxDays),
		"ahead":        r.number(&rule.Ahead, 0, maxDays),
		"break":        r.number(&rule.Break, 0, maxDays),
		"monday":       r.flag(&rule.Monday),
		"opened_ahead": r.number(&rule.OpenedAhead, 0, maxDays),
		"only_late":    r.flag(&rule.OnlyLate),
		"only_misses":  r.flag(&rule.OnlyMisses),
		"support":      r.flag(&rule.Support),
	})
	return rule
}

func (r *reader) roles(n *yaml.Node, path string) (roles []task.Role) {
	r.each(n, path, func(_ int, n *yaml.Node, path string) {
		var role task.Role
		if word(r, &role, ladder.Readers()...)(n, path); role == "" {
			return
		}
		if slices.Contains(roles, role) {
			r.problem(n, path, "%s is there twice; keep one", role)
			return
		}
		roles = append(roles, role)
	})
	return roles
}

// rungs reads who issues what, each key of a rung over what it had.
func (r *reader) rungs(n *yaml.Node, path string, rungs map[ladder.Rung]planner.Office) {
	read := map[string]func(*yaml.Node, string){}
	for _, rung := range []ladder.Rung{ladder.Reminder, ladder.Urging, ladder.Form, ladder.Bulletin, ladder.Report} {
		read[string(rung)] = func(n *yaml.Node, path string) { rungs[rung] = r.office(n, path, rung, rungs[rung]) }
	}
	r.keys(n, path, read)
}

// office reads one rung. A letter that is mailed without a seal has no number, and its readers are those of its steps.
func (r *reader) office(n *yaml.Node, path string, rung ladder.Rung, o planner.Office) planner.Office {
	read := map[string]func(*yaml.Node, string){
		"name":  r.text(&o.Name),
		"short": r.text(&o.Short),
		"word": func(n *yaml.Node, path string) {
			r.text(&o.Word)(n, path)
			r.title(n, path, o.Word)
		},
	}
	if rung == ladder.Bulletin {
		read["email"] = func(n *yaml.Node, path string) {
			if r.text(&o.Email)(n, path); o.Email != "" && !mailbox(o.Email) {
				r.problem(n, path, "is not one plain address")
			}
		}
	}
	if rung != ladder.Reminder && rung != ladder.Urging {
		read["number"] = func(n *yaml.Node, path string) {
			r.text(&o.Number)(n, path)
			r.pattern(n, path, o.Number)
		}
	}
	if rung == ladder.Form {
		read["to"] = word(r, &o.To, ladder.Readers()...)
		read["copies"] = func(n *yaml.Node, path string) { o.Copies = r.roles(n, path) }
	}
	r.keys(n, path, read)
	return o
}

// title refuses a word for a document that is none, or that is a statutory instrument of supervision.
func (r *reader) title(n *yaml.Node, path, s string) {
	switch {
	case s == "":
		r.problem(n, path, "is empty; write for example 督办通知单")
	case strings.Contains(s, "意见书") || strings.Contains(s, "决定书"):
		r.problem(n, path, "%q names a statutory instrument; write for example 督办通知单", s)
	}
}

// pattern refuses a pattern of numbers that would not name each document apart, or not in the form of GB/T 9704.
func (r *reader) pattern(n *yaml.Node, path, s string) {
	rest := strings.NewReplacer("{year}", "", "{n}", "").Replace(s)
	switch {
	case strings.Count(s, "{year}") != 1 || strings.Count(s, "{n}") != 1:
		r.problem(n, path, "%q needs {year} and {n} once each, as in 督办〔{year}〕{n}号", s)
	case strings.Contains(s, "第") || !strings.Contains(s, "〔{year}〕{n}号") || strings.ContainsAny(rest, "{}"):
		r.problem(n, path, "%q has not the form of a document number; write it as in 督办〔{year}〕{n}号", s)
	}
}

// mailbox reports whether s looks like one bare address.
func mailbox(s string) bool {
	user, domain, ok := strings.Cut(s, "@")
	return ok && user != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " \t<>,;:\"()[]\\") && !strings.Contains(domain, "@")
}

// events reads the rules of event clocks.
func (r *reader) events(n *yaml.Node, path string) []task.Rule {
	rules := []task.Rule{}
	r.each(n, path, func(_ int, n *yaml.Node, path string) {
		var rule task.Rule // without a roll its date rolls as the duty's does: clocks set by law end on the next working day
		r.keys(n, path, map[string]func(*yaml.Node, string){
			"kind":  r.text(&rule.Kind),
			"plan":  r.text(&rule.Plan),
			"row":   r.text(&rule.Row),
			"n":     r.number(&rule.N, 0, maxDays),
			"unit":  word(r, &rule.Unit, "day", "workday", "month", "year"),
			"roll":  word(r, &rule.Roll, string(planner.Keep), string(planner.Previous), string(planner.Next)),
			"chase": word(r, &rule.Chase, task.ChaseNone),
			"basis": r.text(&rule.Basis),
		})
		switch {
		case task.StartsNoClock(rule.Kind):
			r.problem(n, path, "%s starts no clock: filings, registrations and ratings are kept, and nobody is pressed for one", rule.Kind)
		case rule.Kind == "" || rule.Plan == "" || rule.Row == "":
			r.problem(n, path, "says not which duty which occurrence starts; give kind, plan and row")
		case strings.Contains(rule.Plan+rule.Row, "/"):
			r.problem(n, path, "has a / in plan or row; write them as the ledger does")
		case rule.N > 0 && rule.Unit == "":
			r.problem(n, path, "says not what the %d are; write unit: day, workday, month or year", rule.N)
		case rule.N == 0 && rule.Unit != "":
			r.problem(n, path, "has a unit and no number; give n, or leave both out where the occurrence sets the date itself")
		case slices.ContainsFunc(rules, func(o task.Rule) bool { return o.Kind == rule.Kind && o.Plan == rule.Plan && o.Row == rule.Row }):
			r.problem(n, path, "%s starts row %s of %s already; keep one", rule.Kind, rule.Row, rule.Plan)
		}
		rules = append(rules, rule)
	})
	return rules
}

// staff reads what is asked of the staff, each key over what it was.
func (r *reader) staff(n *yaml.Node, path string, s *task.StaffRules) {
	r.keys(n, path, map[string]func(*yaml.Node, string){
		"hours_in_post":             r.number(&s.HoursInPost, 0, maxHours),
		"hours_applicant":           r.number(&s.HoursApplicant, 0, maxHours),
		"hours_off_post":            r.number(&s.HoursOffPost, 0, maxHours),
		"warn":                      func(n *yaml.Node, path string) { s.Warn = r.warn(n, path) },
		"reviewer_percent":          r.number(&s.ReviewerPercent, 0, maxPercent),
		"soft":                      r.text(&s.Soft),
		"reviewers_and_supervisors": r.number(&s.ReviewersAndSupervisors, 0, maxStaff),
		"basis":                     r.text(&s.Basis),
	})
}

// warn reads the days before an expiry, the longest first.
func (r *reader) warn(n *yaml.Node, path string) []int {
	days := []int{}
	r.each(n, path, func(_ int, n *yaml.Node, path string) {
		d := 0
		if r.number(&d, 1, maxWarn)(n, path); d == 0 {
			return
		}
		if len(days) > 0 && d >= days[len(days)-1] {
			r.problem(n, path, "%d is not before %d; list the longest first", d, days[len(days)-1])
			return
		}
		days = append(days, d)
	})
	return days
}
