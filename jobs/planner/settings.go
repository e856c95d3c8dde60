// Package planner decides. Given a snapshot of a jurisdiction and a day it says which obligations open and which
// letters are to be written, and why; it reads no clock, no file and no database, so that the same snapshot and day
// give the same plan anywhere.
package planner

import (
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
	// Versions name the settings; they stand in the letters' receipts.
	Versions notice.Versions
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
