// Package personnel looks after the people of an enforcement roster: certificates that expire, suspensions that end,
// training hours, the share of legal reviewers, and applicants who wait for their exam. It decides on which days a unit is
// told of its people, and writes the letters: each unit is told of its own people and of nobody else's, and the bureau gets
// counts without names.
package personnel

import (
	"cmp"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/jobs/workday"
)

// Input is what a review is made from.
type Input struct {
	Jurisdiction task.Jurisdiction
	Directory    task.Directory  // every version
	People       []task.Person   // every version
	Trainings    []task.Training // every entry
	// HoursOn is the day up to which the hours of the calendar year are counted; zero: the day of the review.
	HoursOn civil.Date
}

// The words of a roster, as it writes them.
const (
	inPost     = "在岗"
	offPost    = "离岗"
	applicant  = "新申领"
	suspended  = "暂扣"
	cancelled  = "注销"
	enforcer   = "执法"
	reviewer   = "法制审核"
	supervisor = "执法监督"
)

// dueBackWithin is how many days before its end a suspension is named as ending.
const dueBackWithin = 30

// Result is a jurisdiction's people as of a day.
type Result struct {
	On      civil.Date
	HoursOn civil.Date
	// Warn are the days before the expiry of a certificate, the shortest first.
	Warn  []int
	Units []Unit // those with anybody in the roster, by code
	// Total is the sum of the units'.
	Total Counts
}

// Unit is one unit's people.
type Unit struct {
	Code     string
	Counts   Counts
	Findings []Finding // by matter and urgency
}

// Matter is what is to be said about a person, in the order of a letter.
type Matter int

// The matters.
const (
	Certificate Matter = iota // expires, or has
	Unstated                  // a certificate without a date of expiry
	Suspension
	Return    // training off post, with an assessment, before the return
	Hours     // training hours of the year
	Applicant // training and exam before the first certificate
)

// Class is where a person stands in a matter.
type Class int

// The classes. Every person whom a matter concerns is in exactly one of its classes.
const (
	Expired  Class = iota // certificate: past its last day
	Expiring              // within the longest of the warnings
	NoExpiry              // certificate: no date is stored, and none is computed
	Running               // suspension: not near its end
	DueBack               // ends within dueBackWithin days
	Overdue               // has ended, and the certificate still counts as suspended
	NoEnd                 // has no end in the roster
	Short                 // hours: too few
	Unproved              // hours: enough, without a passed assessment
	Ready                 // hours and assessment
	Behind                // hours of the year: at the present pace too few by its end
	OnPace                // enough by its end
	Met                   // enough already
	TooNew                // too few days to tell a pace
	Unknown               // nothing is registered
)

// Finding is one matter of one person.
type Finding struct {
	Person task.Person
	Matter Matter
	Class  Class
	// Date is the expiry, or the last day of a suspension; LastWorkday the last working day on or before it; Left the days
	// from the day of the review to it, negative where it is past.
	Date, LastWorkday civil.Date
	Left              int
	// Within is the shortest warning that has been reached.
	Within int
	// Hours are those registered (Known: whether any are), Want those asked for, Forecast those at the end of the year at the
	// present pace; Final says that the year is over.
	Hours, Want, Forecast int
	Known, Final          bool
	Assessed, Passed      bool
}

// Review looks at everybody in the roster as of day d. It is a function of its arguments alone.
//
// The expiry of a certificate is as stored; how long one is valid differs by province and has changed. A suspension ends on the
// day the roster says. Hours are counted from attendances where a person has any for the requirement, else they are the
// roster's 本年学时; see hours.go.
func Review(in Input, rules task.StaffRules, cal *workday.Calendar, d civil.Date) Result {
	r := review{
		in: in, rules: rules, cal: cal, d: d, hoursOn: cmp.Or(in.HoursOn, d), warn: warnings(rules),
		versions: map[string][]task.Person{}, attended: map[string][]task.Training{},
	}
	for _, p := range in.People {
		r.versions[p.Key] = append(r.versions[p.Key], p)
	}
	for _, t := range task.TrainingsAsOf(in.Trainings, max(d, r.hoursOn)) {
		r.attended[t.Person] = append(r.attended[t.Person], t)
	}
	byUnit := map[string][]task.Person{}
	var codes []string
	for _, p := range task.PeopleAsOf(in.People, d) {
		if _, ok := byUnit[p.Unit]; !ok {
			codes = append(codes, p.Unit)
		}
		byUnit[p.Unit] = append(byUnit[p.Unit], p)
	}
	slices.Sort(codes)
	res := Result{On: d, HoursOn: r.hoursOn, Warn: r.warn, Total: Counts{Within: make([]int, len(r.warn))}}
	for _, code := range codes {
		u := r.unit(code, byUnit[code])
		res.Units = append(res.Units, u)
		res.Total.add(u.Counts)
	}
	return res
}

// warnings are the days of the rule, the shortest first, each once.
func warnings(rules task.StaffRules) []int {
	w := slices.DeleteFunc(slices.Clone(rules.Warn), func(n int) bool { return n <= 0 })
	slices.Sort(w)
	return slices.Compact(w)
}

// review is a review in the making.
type review struct {
	in         Input
	rules      task.StaffRules
	cal        *workday.Calendar
	d, hoursOn civil.Date
	warn       []int
	versions   map[string][]task.Person
	attended   map[string][]task.Training // known by the later of d and hoursOn, by day
}

func (r *review) unit(code string, people []task.Person) Unit {
	u := Unit{Code: code, Counts: Counts{Units: 1, Within: make([]int, len(r.warn))}}
	for _, p := range people {
		u.Counts.person(p)
		if p.CertState == cancelled {
			continue
		}
		for _, look := range []func(task.Person) (Finding, bool){r.certificate, r.suspension, r.offPost, r.hoursOfYear, r.applicant} {
			if f, ok := look(p); ok {
				u.Counts.finding(f, r.warn)
				u.Findings = append(u.Findings, f)
			}
		}
	}
	u.Counts.staffing(r.rules)
	slices.SortFunc(u.Findings, byUrgency)
	return u
}

func byUrgency(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Matter, b.Matter), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Date, b.Date),
		cmp.Compare(a.Hours, b.Hours), cmp.Compare(a.Person.Key, b.Person.Key),
	)
}

// certificate finds the certificates of staff, suspended ones too, that have expired, do so within the longest warning,
// or have no date. On its last day a certificate is valid.
func (r *review) certificate(p task.Person) (Finding, bool) {
	if p.Duty == applicant {
		return Finding{}, false
	}
	if p.ValidTo.IsZero() {
		return Finding{Person: p, Matter: Unstated, Class: NoExpiry}, true
	}
	f := r.dated(p, Certificate, p.ValidTo)
	if f.Left < 0 {
		f.Class = Expired
		return f, true
	}
	f.Class = Expiring
	for _, w := range r.warn {
		if f.Left <= w {
			f.Within = w
			return f, true
		}
	}
	return f, false
}

// suspension finds the certificates that the roster calls suspended from now or before.
func (r *review) suspension(p task.Person) (Finding, bool) {
	if p.CertState != suspended || p.HeldFrom > r.d {
		return Finding{}, false
	}
	if p.HeldTo.IsZero() {
		return Finding{Person: p, Matter: Suspension, Class: NoEnd}, true
	}
	f := r.dated(p, Suspension, p.HeldTo)
	switch {
	case f.Left < 0:
		f.Class = Overdue
	case f.Left <= dueBackWithin:
		f.Class = DueBack
	default:
		f.Class = Running
	}
	return f, true
}

func (r *review) dated(p task.Person, m Matter, on civil.Date) Finding {
	return Finding{Person: p, Matter: m, Date: on, LastWorkday: r.cal.OnOrBefore(on), Left: int(on - r.d)}
}
