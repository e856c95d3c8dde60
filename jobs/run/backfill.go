package run

import (
	"time"

	"duban/jobs/civil"
)

// Mode says what becomes of the letters of days that are filled in afterwards.
type Mode string

// The modes of a backfill.
const (
	// RecordOnly fills the ledger and sends nothing: each letter is recorded, as if it had been served on its day.
	RecordOnly Mode = "record"
	// OneLetter (补发) covers the whole range: what opens and closes is made up day by day, and each reader gets one letter,
	// dated the range's last working day, that says what it makes up for.
	OneLetter Mode = "digest"
	// SendAll sends every letter of every day.
	SendAll Mode = "send"
)

// Reprocess says which slots of a range are gone through that the ledger knows already.
type Reprocess string

// What is gone through again.
const (
	ReprocessNone   Reprocess = "none"   // slots without a settled run that have not failed
	ReprocessFailed Reprocess = "failed" // and those that failed
	ReprocessAll    Reprocess = "all"    // every slot; letters and steps keep their keys, so nothing is said twice
)

// Backfill is a range of slots that was previewed, and then applied under the hash of what it would do.
type Backfill struct {
	Hash          string // 32 hex digits over the range, what it was decided by, and every letter
	Job           string // of a job, or "all"
	Jurisdictions []string
	From, To      civil.Date
	Mode          Mode
	Reprocess     Reprocess
	// Days holds, in the order of work, what each day of a jurisdiction was to do. A range that was interrupted goes on only
	// where the days that are left would still do the same.
	Days     []DayHash
	By       string
	Started  time.Time
	Finished time.Time // zero: interrupted, or under way
}

// DayHash is what a day of a jurisdiction comes to.
type DayHash struct {
	Jurisdiction string     `json:"j"`
	Date         civil.Date `json:"d"`
	Letters      int        `json:"n"`
	Hash         string     `json:"h"` // over the keys and the facts of the letters planned on the day
}

// The kinds of what planning is decided and written by.
const (
	PolicyVersion   = "policy"   // the jurisdiction's settings and its policy file
	CalendarVersion = "calendar" // the national calendar with the jurisdiction's overrides
	TemplateVersion = "template" // words and layout of the letters, part of the program
)

// Version is a policy, a calendar or a set of templates as it was loaded. The newest row of a kind is in force: a worker
// whose files differ from it plans nothing.
type Version struct {
	Jurisdiction string     `json:"jurisdiction"`
	Kind         string     `json:"kind"`
	Seq          int64      `json:"seq"` // the jurisdiction's, which loading moves
	On           civil.Date `json:"on"`  // the day it was loaded on
	At           time.Time  `json:"at"`
	Hash         string     `json:"hash"`
	By           string     `json:"by"`
	Why          string     `json:"why,omitempty"`
	// Body is what the settings can be made of again.
	Body []byte `json:"-"`
}
