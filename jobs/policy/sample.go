package policy

import (
	"fmt"
	"strings"

	"duban/jobs/ladder"
	"duban/jobs/task"
)

// Sample returns a policy that documents every key and says what holds where there is no policy.
func Sample() string {
	v := Default("").Versions[0]
	var b strings.Builder
	b.WriteString(sampleHead)
	for _, kind := range ladder.Kinds() {
		fmt.Fprintf(&b, "      %s: # %s\n", kind, kindDoc(kind))
		for _, r := range v.Ladder[kind] {
			b.WriteString("        - {" + strings.Join(ruleKeys(r), ", ") + "}\n")
		}
	}
	b.WriteString(sampleRungs)
	for _, rung := range []ladder.Rung{ladder.Form, ladder.Bulletin, ladder.Report} {
		o := v.Rungs[rung]
		fmt.Fprintf(&b, "      %s: # %s\n        name: \"\"\n        short: \"\"\n        word: %s\n        number: %q\n", rung, rungDoc(rung), o.Word, o.Number)
		if rung == ladder.Bulletin {
			b.WriteString("        email: \"\"\n")
		}
	}
	b.WriteString(sampleEvents)
	s := v.Staff
	fmt.Fprintf(&b, sampleStaff, s.HoursInPost, s.HoursApplicant, s.HoursOffPost, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.Warn)), ", "), "[]"),
		s.ReviewerPercent, s.ReviewersAndSupervisors)
	return b.String()
}

// ruleKeys are the keys of a rule that are set, in the order of the documentation.
func ruleKeys(r ladder.Rule) []string {
	keys := []string{"step: " + r.Step, "rung: " + string(r.Rung)}
	if r.To != "" {
		keys = append(keys, "to: "+string(r.To))
	}
	if len(r.Copy) > 0 {
		roles := make([]string, len(r.Copy))
		for i, c := range r.Copy {
			roles[i] = string(c)
		}
		keys = append(keys, "copy: ["+strings.Join(roles, ", ")+"]")
	}
	if r.Break > 0 {
		keys = append(keys, fmt.Sprintf("break: %d", r.Break))
	}
	if r.OpenedAhead > 0 {
		keys = append(keys, fmt.Sprintf("opened_ahead: %d", r.OpenedAhead))
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"monday", r.Monday}, {"only_late", r.OnlyLate}, {"only_misses", r.OnlyMisses}, {"support", r.Support}} {
		if flag.set {
			keys = append(keys, flag.name+": true")
		}
	}
	return keys
}

func kindDoc(k task.Kind) string {
	return map[task.Kind]string{
		task.Milestone: "a dated result", task.Weekly: "the week's report", task.Monthly: "the month's report",
		task.Quarterly: "the quarter's review", task.HalfYearly: "the half-year's review", task.Yearly: "the year's report",
		task.Quota: "a number within the year; a line per quarter when behind is worked out", task.Condition: "a result whose clock an event started",
		task.Clock: "a clock of days or working days that a case starts; never a form",
	}[k]
}

func rungDoc(r ladder.Rung) string {
	switch r {
	case ladder.Form:
		return "督办通知单; besides these, to: the contact it is addressed through, and copies: a list of contacts"
	case ladder.Report:
		return "专报, of the bureau to the office that issues bulletins; an empty name is the bureau's"
	}
	return "通报, drafted with a report to this office; email: where the report is sent"
}

const sampleHead = `# Policy of a jurisdiction: its ladder, issuers, event clocks and staff rules, by the day they count from.
# Everything here is what holds without a policy. Keep what you change and remove the rest: a version has from the one before it what
# it leaves out (a kind's steps, the events and the days of warning as a whole; of rungs and staff each key).
versions:
  # The first version counts from the beginning unless it has a from; each further one has "from: YYYY-MM-DD".
  -
    # The steps of each kind of duty. A step's name is its day: T-3 and T+5 are working days from the date (T is the last working day on
    # or before it), A30 is thirty calendar days ahead, BREAK is the last working day before a break of so many days off (break: 3) and
    # names what falls due within it or right after. The rung is reminder (up to the date), urging or form (after it).
    #   to: liaison (default), deputy, head or legal; copy: a list of them
    #   monday: true         only in the letter of the week's first working day
    #   opened_ahead: 60     only where the date was more than so many days off when the item opened
    #   only_late: true      only to units late with this duty in the last three months
    #   only_misses: true    a form only after two misses running, or three within a year
    #   support: true        supporting units are informed too
    ladder:
`

const sampleRungs = `    # Who issues what: the office, its short name, the word for the document and its number belong together. An empty name is the
    # government office of the jurisdiction unless said otherwise; {year} and {n} stand for the numbers. A reminder and an urging are
    # issued as the configuration says under letter, unless the keys reminder and urging (name, short, word) say otherwise here.
    rungs:
`

const sampleEvents = `    # Which occurrence starts which duty's clock: n units after it (unit: day, workday, month, year; leave both out where the occurrence
    # sets the date itself). A date on a day off is moved as the duty's own dates are, or as said here (roll: keep, previous or next).
    # chase: none only lists the clock's end. For example
    #   - {kind: 行政处罚决定, plan: zfzl2024, row: "8", n: 7, unit: workday, basis: 国办发〔2018〕118号}
    events: []
`

const sampleStaff = `    # What is asked of the enforcement staff; 0: not asked. Hours are class hours of 45 minutes.
    staff:
      hours_in_post: %d # within the calendar year
      hours_applicant: %d # before a first certificate
      hours_off_post: %d # with a passed assessment, before a return
      warn: [%s] # days before a certificate expires, the longest first
      reviewer_percent: %d # legal reviewers among a unit's enforcement staff
      soft: "" # the softening word of that ratio's source, as 原则上
      reviewers_and_supervisors: %d # both together in a unit
      basis: "" # the documents it rests on
`
