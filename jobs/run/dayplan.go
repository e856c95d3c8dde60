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
	Run       Run
}

// Filter selects runs; empty fields select all. The newest come first.
type Filter struct {
	Job, Jurisdiction string
	From, To          civil.Date
	Limit             int
}
