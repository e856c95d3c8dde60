package task

import (
	"cmp"
	"slices"

	"duban/jobs/civil"
)

// PersonnelContact (人事联系人) is the contact who may be told of a unit's people.
const PersonnelContact Role = "personnel"

// Training (培训) is one attendance. It is identified by the person and the reference; a later one of both replaces it.
type Training struct {
	Jurisdiction string     `json:"jurisdiction"`
	Seq          int64      `json:"seq"`
	Person       string     `json:"person"` // Person.Key
	Ref          string     `json:"ref"`    // 班次编号, else course and day
	On           civil.Date `json:"on"`     // the last day of the course
	Hours        int        `json:"hours"`  // class hours of 45 minutes
	Course       string     `json:"course,omitempty"`
	// For is the requirement it counts towards: 在岗, 新申领, 离岗.
	For string `json:"for"`
	// Assessed says that the course ended with an assessment; Passed that it was passed.
	Assessed bool `json:"assessed,omitempty"`
	Passed   bool `json:"passed,omitempty"`
	Removed  bool `json:"removed,omitempty"`
}

// TrainingsAsOf returns the attendances known on day d, by person, day and reference.
func TrainingsAsOf(all []Training, d civil.Date) []Training {
	type key struct{ person, ref string }
	last := map[key]Training{}
	for _, t := range all {
		k := key{t.Person, t.Ref}
		if old, ok := last[k]; t.On <= d && (!ok || t.Seq >= old.Seq) {
			last[k] = t
		}
	}
	var out []Training
	for _, t := range last {
		if !t.Removed {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Training) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.On, b.On), cmp.Compare(a.Ref, b.Ref))
	})
	return out
}

// StaffRules are what a jurisdiction asks of its enforcement staff.
type StaffRules struct {
	// HoursInPost are due within the calendar year; HoursApplicant before a first certificate; HoursOffPost, with a passed
	// assessment, before a return. 0: not asked.
	HoursInPost    int `json:"hours_in_post" yaml:"hours_in_post"`
	HoursApplicant int `json:"hours_applicant" yaml:"hours_applicant"`
	HoursOffPost   int `json:"hours_off_post" yaml:"hours_off_post"`
	// Warn are the days before a certificate's expiry on which it is named, the longest first.
	Warn []int `json:"warn" yaml:"warn"`
	// ReviewerPercent is the least share of legal reviewers among the enforcement staff; 0: not asked.
	ReviewerPercent int `json:"reviewer_percent" yaml:"reviewer_percent"`
	// Soft is the softening word of the ratio's source (原则上); empty: none.
	Soft string `json:"soft" yaml:"soft"`
	// ReviewersAndSupervisors is the least number of both together in a unit; 0: not asked.
	ReviewersAndSupervisors int `json:"reviewers_and_supervisors" yaml:"reviewers_and_supervisors"`
	// Basis names the documents.
	Basis string `json:"basis" yaml:"basis"`
}

// DefaultStaffRules are asked where a jurisdiction says nothing else: 60, 30 and 40 hours, 90, 30 and 7 days, 5 %.
func DefaultStaffRules() StaffRules {
	return StaffRules{HoursInPost: 60, HoursApplicant: 30, HoursOffPost: 40, Warn: []int{90, 30, 7}, ReviewerPercent: 5}
}
