// Package planner decides. Given a snapshot of a jurisdiction and a day it says which obligations open and which
// letters are to be written, and why; it reads no clock, no file and no database, so that the same snapshot and day
// give the same plan anywhere.
package planner

import (
	"cmp"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

// Roll says what becomes of a date that falls on a non-working day.
type Roll string

// The roll policies. No rule moves an internal plan's date, so Keep is the default there; clocks set by law end on the
// next working day (Civil Code art. 203).
const (
	Keep     Roll = "keep"
	Previous Roll = "previous"
	Next     Roll = "next"
)

// Settings is a jurisdiction's policy.
type Settings struct {
	Calendar *workday.Calendar
	Ladder   ladder.Ladder
	Terms    task.Terms
	// ReportDay is the day of the month after a quarter or half-year on which its report is due.
	ReportDay int
	// Roll applies to plan dates; clocks always roll to the next working day.
	Roll Roll
	// LiveFrom overrides the jurisdiction's own, where set.
	LiveFrom civil.Date
	// Issuer signs the letters; what it leaves empty is taken from the bureau's entry among the units. UrgingWord is
	// the word for a letter that urges.
	Issuer     notice.Issuer
	UrgingWord string
	// Rungs say who issues what on the rungs of the ladder; Rules which occurrences start which clocks; Staff what is asked of
	// the enforcement staff. Like Ladder they are in force until the first of Later.
	Rungs map[ladder.Rung]Office
	Rules []task.Rule
	Staff task.StaffRules
	// Later are the policies that follow, by the day each counts from.
	Later []Policy
	// Confirm makes the first urging wait until a person has checked the register.
	Confirm bool
	// WeeklyCap is how many letters a unit may have in a week besides that of its first working day; 0: no limit.
	WeeklyCap int
	// Grace is the number of working days after a period's due date on which it is closed.
	Grace int
	// Ranking lets bulletins rank the units.
	Ranking bool
	// Bureau are the readers of the digest; empty: the bureau's liaison. Government is the office that issues bulletins.
	Bureau     []notice.Recipient
	Government Office
	// NameDomains are the mail domains that letters with people's names may go to. Empty: none, unless NamesInFiles says
	// that letters are written into a folder of this house.
	NameDomains  []string
	NamesInFiles bool
	// Versions name the settings; they stand in the letters' receipts.
	Versions notice.Versions
}

// Policy is what a jurisdiction's policy sets from a day on.
type Policy struct {
	From   civil.Date
	Ladder ladder.Ladder
	Rungs  map[ladder.Rung]Office
	Rules  []task.Rule
	Staff  task.StaffRules
}

// Office is an office in whose name a rung speaks, with the word for the document and its number: the three are set
// together, since a mailed reminder without number and seal is no official document.
type Office struct {
	Name   string // 青岛市崂山区人民政府办公室
	Short  string // 区政府办
	Word   string // 督办通知单
	Number string // pattern, 督办〔{year}〕{n}号
	Email  string // of the office itself, where it is written to
	// To is the contact the rung is addressed through; Copies get a copy.
	To     task.Role
	Copies []task.Role
}

// On returns the settings in force on day d: those of the last policy that counts from d or before. What its rungs say of
// reminders and urgings goes before the issuer and the words that are configured.
func (s Settings) On(d civil.Date) Settings {
	for _, p := range s.Later {
		if p.From <= d {
			s.Ladder, s.Rungs, s.Rules, s.Staff = p.Ladder, p.Rungs, p.Rules, p.Staff
		}
	}
	if o, ok := s.Rungs[ladder.Reminder]; ok {
		s.Issuer.Name, s.Issuer.Short = cmp.Or(o.Name, s.Issuer.Name), cmp.Or(o.Short, s.Issuer.Short)
		s.Issuer.Word = cmp.Or(o.Word, s.Issuer.Word)
	}
	if o, ok := s.Rungs[ladder.Urging]; ok {
		s.UrgingWord = cmp.Or(o.Word, s.UrgingWord)
	}
	if o, ok := s.Rungs[ladder.Bulletin]; ok {
		s.Government = o
	}
	return s
}

func (s Settings) roll(d civil.Date) civil.Date {
	switch s.Roll {
	case Previous:
		return s.Calendar.OnOrBefore(d)
	case Next:
		return s.Calendar.OnOrAfter(d)
	default:
		return d
	}
}
