package personnel

import (
	"cmp"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/task"
)

// fromAlways is the day that the first roster of a jurisdiction counts from, so that the days before its import can be looked
// at. Its hours are then those of the year that is asked about, whichever that is.
func fromAlways() civil.Date { return civil.Of(2000, 1, 1) }

// paceAfter is how many days somebody has to be in post before a pace is told from them.
const paceAfter = 30

// hoursOfYear counts the training hours of a person in post, in the calendar year of the day the hours are counted up to.
//
// At the present pace means: the hours so far, divided by the days from the start up to that day, both counted, times the days
// from the start to the year's end, rounded down. The start is 1 January, for whoever came into post in the year the day of
// it. What is asked is the whole year's number all the same: the rule knows no shares of it.
func (r *review) hoursOfYear(p task.Person) (Finding, bool) {
	then, ok := inForce(r.versions[p.Key], r.hoursOn)
	if r.rules.HoursInPost <= 0 || p.Duty != inPost || !ok || then.Duty != inPost || then.CertState == cancelled {
		return Finding{}, false
	}
	year := r.hoursOn.Year()
	first, last := civil.Of(year, 1, 1), civil.Of(year, 12, 31)
	f := Finding{Person: p, Matter: Hours, Want: r.rules.HoursInPost, Final: r.hoursOn == last}
	f.Hours, f.Known = r.count(p.Key, inPost, then, first, r.hoursOn)
	start := max(first, since(r.versions[p.Key], r.hoursOn, func(v task.Person) bool { return v.Duty != applicant }))
	elapsed, span := int(r.hoursOn-start)+1, int(last-start)+1
	f.Forecast = f.Hours * span / max(1, elapsed)
	switch {
	case !f.Known:
		f.Class = Unknown
	case f.Hours >= f.Want:
		f.Class = Met
	case f.Final:
		f.Class = Short
	case elapsed < paceAfter:
		f.Class = TooNew
	case f.Forecast >= f.Want:
		f.Class = OnPace
	default:
		f.Class = Behind
	}
	return f, true
}

// offPost counts what somebody off post has to do before the return: hours since the post was left, and an assessment, of
// which the last one counts.
func (r *review) offPost(p task.Person) (Finding, bool) {
	if r.rules.HoursOffPost <= 0 || p.Duty != offPost {
		return Finding{}, false
	}
	from := p.HeldFrom
	if from.IsZero() {
		from = since(r.versions[p.Key], r.d, func(v task.Person) bool { return v.Duty == offPost })
	}
	return r.required(Finding{Person: p, Matter: Return, Want: r.rules.HoursOffPost}, offPost, from), true
}

// applicant counts the hours before a first certificate, whenever they were, and the exam.
func (r *review) applicant(p task.Person) (Finding, bool) {
	if p.Duty != applicant {
		return Finding{}, false
	}
	return r.required(Finding{Person: p, Matter: Applicant, Want: r.rules.HoursApplicant}, applicant, 0), true
}

// required settles a requirement of hours and an assessment.
func (r *review) required(f Finding, what string, from civil.Date) Finding {
	f.Hours, f.Known = r.count(f.Person.Key, what, f.Person, from, r.d)
	for _, t := range r.attended[f.Person.Key] { // by day: the last one counts
		if t.For == what && t.On >= from && t.On <= r.d && t.Assessed {
			f.Assessed, f.Passed = true, t.Passed
		}
	}
	switch {
	case f.Hours < f.Want:
		f.Class = Short
	case !f.Passed:
		f.Class = Unproved
	default:
		f.Class = Ready
	}
	return f
}

// count returns a person's hours towards a requirement from a day to another, both included: those of the attendances, and
// where there are none the roster's 本年学时 of the version v: for the hours of a year, if it is of the last day's year; those
// before a certificate or a return are of no year. known is false where neither says anything. The two are never added: the roster's number is usually the sum of the same courses.
func (r *review) count(person, what string, v task.Person, from, to civil.Date) (hours int, known bool) {
	for _, t := range r.attended[person] {
		if t.For == what && t.On >= from && t.On <= to {
			hours += t.Hours
			known = true
		}
	}
	if known {
		return hours, true
	}
	if what != inPost || v.On <= fromAlways() || v.On.Year() == to.Year() {
		return v.Hours, true
	}
	return 0, false
}

// inForce returns the version of a person on day d; false where there is none or the person had left.
func inForce(versions []task.Person, d civil.Date) (task.Person, bool) {
	now := task.PeopleAsOf(versions, d)
	if len(now) == 0 {
		return task.Person{}, false
	}
	return now[0], true
}

// since returns the first day of the unbroken stretch of versions up to day d that are so, zero where it reaches back to
// always or the last version is not so.
func since(versions []task.Person, d civil.Date, so func(task.Person) bool) civil.Date {
	sorted := slices.Clone(versions)
	slices.SortStableFunc(sorted, func(a, b task.Person) int { return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Seq, b.Seq)) })
	start, within := civil.Date(0), false
	for i, v := range sorted {
		if v.On > d {
			break
		}
		if i+1 < len(sorted) && sorted[i+1].On == v.On { // replaced on the same day
			continue
		}
		holds := !v.Removed && so(v)
		if holds && !within {
			start = v.On
		}
		within = holds
	}
	if !within || start <= fromAlways() {
		return 0
	}
	return start
}
