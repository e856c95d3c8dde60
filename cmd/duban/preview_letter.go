package main

import (
	"fmt"
	"strings"

	"duban/jobs/civil"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
)

// foreseen is one letter of a range, as previews print it in JSON.
type foreseen struct {
	ID           string         `json:"id"`
	Jurisdiction string         `json:"jurisdiction"`
	Date         civil.Date     `json:"date"`
	Unit         string         `json:"unit"`
	UnitName     string         `json:"unit_name"`
	Role         string         `json:"role"`
	Kind         string         `json:"kind"`
	Matter       string         `json:"matter,omitempty"`
	Job          string         `json:"job"`
	State        string         `json:"state"` // new, held (a person releases it), or the state of a letter that is there already
	Subject      string         `json:"subject"`
	To           []string       `json:"to"` // masked
	Copies       []string       `json:"copies,omitempty"`
	Rung         string         `json:"rung,omitempty"`
	Items        []foreseenItem `json:"items,omitempty"`
	Reason       string         `json:"reason,omitempty"`
	Removed      string         `json:"removed,omitempty"` // what it said was, by the rule of retention: the day, or "day unknown"
	// Facts names what the letter says: two letters of one ID with the same facts are the same letter. Told is the same
	// without the versions that it was decided and written by.
	Facts string `json:"facts"`
	told  string
	own   bool // planned by this very plan, now or before it was interrupted
}

// foreseenItem is one line of a letter.
type foreseenItem struct {
	Ref    string     `json:"ref"`
	Title  string     `json:"title"`
	Due    civil.Date `json:"due,omitzero"`
	Step   string     `json:"step,omitempty"` // empty: said before, and repeated
	Rung   string     `json:"rung,omitempty"`
	Reason string     `json:"reason"`
}

// isNew is the state of a letter that is foreseen.
const isNew = "new"

// foresee makes the line of a letter. fresh says that it is not there yet; why is what the job said of the day.
func foresee(n notice.Notice, unit string, fresh bool, why, facts string) foreseen {
	f := foreseen{
		ID: n.ID, Jurisdiction: n.Key.Jurisdiction, Date: n.Key.Date, Unit: n.Key.Unit, UnitName: unit, Role: n.Key.Role, Kind: n.Key.Kind,
		Matter: n.Key.Matter, Job: n.Job, State: string(n.State), Subject: compose.Subject(n.Facts), Rung: n.Facts.Rung(), Facts: facts,
		own: fresh || strings.HasPrefix(n.Reason, toLeave),
	}
	if f.Removed = removedOn(n); f.Removed != "" {
		f.Subject, f.Reason = "", goneWords(n)
		return f
	}
	if fresh {
		f.State = isNew
		if n.State == notice.Held {
			f.State = string(notice.Held)
		}
	}
	for _, to := range n.Facts.Recipients {
		if to.Copy {
			f.Copies = append(f.Copies, notify.Mask(to.Email))
		} else {
			f.To = append(f.To, notify.Mask(to.Email))
		}
	}
	for _, it := range n.Facts.Items() {
		f.Items = append(f.Items, foreseenItem{it.Ref, it.Title, it.Due, it.Step, it.Rung, itemReason(it)})
	}
	switch {
	case n.State == notice.Held || !fresh && n.Reason != "":
		f.Reason = notify.MaskAll(n.Reason)
	case why != "":
		f.Reason = why
	case len(f.Items) > 0:
		f.Reason = f.Items[0].Reason
	}
	return f
}

// lettersGone counts the letters of which nothing but that they were is kept.
func lettersGone(letters []foreseen) (n int) {
	for _, l := range letters {
		if l.Removed != "" {
			n++
		}
	}
	return n
}

// itemReason says why a line stands in its letter.
func itemReason(it notice.Item) string {
	when := ""
	switch {
	case it.Due.IsZero():
	case it.Late > 0:
		when = fmt.Sprintf("due %s, %d workdays late", it.Due, it.Late)
	default:
		when = fmt.Sprintf("due %s, %d workdays left", it.Due, it.Left)
	}
	step := it.Step
	if step == "" {
		step = "said before"
	}
	if when == "" {
		return step
	}
	return step + ": " + when
}
