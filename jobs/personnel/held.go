package personnel

import (
	"slices"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// withSuspensions lays the suspensions that were recorded as events (证件暂扣) over the roster as of day d. An event ends on
// the day it names itself, else when the jurisdiction's rule for it runs out; one of neither changes nothing.
//
// Where the roster calls the certificate suspended and names no end, the event's is taken. Where the roster, as it was
// when the event was recorded, does not call it suspended, it is until that end and not after: the roster has said all
// along that it is valid.
func withSuspensions(people []task.Person, events []task.Occurrence, set planner.Settings, d civil.Date) []task.Person {
	out := slices.Clone(people)
	versions := map[string][]task.Person{}
	for _, p := range people {
		versions[p.Key] = append(versions[p.Key], p)
	}
	for _, o := range task.OccurrencesAsOf(events, d) {
		if o.Kind != task.CertificateHeld || o.Person == "" || o.Exempt != "" {
			continue
		}
		p, known := inForce(versions[o.Person], d)
		end := endOf(o, set)
		if !known || end.IsZero() {
			continue
		}
		switch {
		case p.CertState == cancelled || p.Duty == applicant:
			continue
		case p.CertState == suspended:
			if !p.HeldTo.IsZero() || p.HeldFrom > o.On {
				continue
			}
		case o.Seq < p.Seq || d > end:
			continue
		}
		p.CertState, p.HeldFrom, p.HeldTo = suspended, o.On, end
		out = append(out, p) // of the same day and number, it stands above the roster's own
		versions[p.Key] = append(versions[p.Key], p)
	}
	return out
}

// endOf is the last day of a suspension, zero where nothing says it.
func endOf(o task.Occurrence, set planner.Settings) civil.Date {
	if !o.Due.IsZero() {
		return o.Due
	}
	for _, r := range set.On(o.On).Rules {
		if r.Kind != o.Kind || r.N <= 0 {
			continue
		}
		end := planner.After(o.On, r.N, r.Unit, set)
		switch planner.Roll(r.Roll) {
		case planner.Previous:
			return set.Calendar.OnOrBefore(end)
		case planner.Next:
			return set.Calendar.OnOrAfter(end)
		case planner.Keep:
		}
		return end
	}
	return 0
}
