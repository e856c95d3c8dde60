package run

import (
	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// DayPlan is what planning a day writes, all of it or nothing, together with the slot that it settles.
type DayPlan struct {
	Notices   []notice.Notice
	Steps     []task.FiredStep
	Caches    []task.Cache
	Supersede map[string]string // old notice → new notice
	Cancel    map[string]string // notice → reason
	// Hold are letters that planning keeps back, with the reason: an item of theirs may not be spoken of for the time
	// being. They wait for a later plan, or for a person.
	Hold map[string]string
	// Documents are the drafts that planning makes; the letter of each is among the notices, held.
	Documents []notice.Document
	// Drop are drafts of documents that no longer hold, with the reason; their letters are cancelled.
	Drop     map[string]string
	Closings []task.Closing
	Holds    []task.Hold
	// Unsent are the letters of earlier days as planning read them. What it decided holds for no others: one that a worker
	// took or tried meanwhile may have reached its reader.
	Unsent []notice.Notice
	Run    Run
}

// Filter selects runs; empty fields select all. The newest come first.
type Filter struct {
	Job, Jurisdiction string
	From, To          civil.Date
	States            []State
	Limit             int
}
