package evidence

import (
	"time"

	"duban/jobs/civil"
	"duban/notify/compose"
	"duban/notify/notice"
)

// letterRow is one line of letters.jsonl.
type letterRow struct {
	ID           string       `json:"id"`
	Key          notice.Key   `json:"key"`
	Job          string       `json:"job"`
	State        notice.State `json:"state"`
	Reason       string       `json:"reason"`
	SupersededBy string       `json:"superseded_by,omitempty"`
	Resent       bool         `json:"resent"`
	LateIssue    bool         `json:"late_issue"`
	Tries        int          `json:"tries"`
	Subject      string       `json:"subject"`
	// Anew says that the letter left before a database was restored and was planned anew afterwards: its items are those of
	// that planning, and its mail has what was sent.
	Anew bool `json:"planned_anew,omitempty"`
	// Gone says that the items are not there because the rule of retention removed them; Removed is the day, where it is known.
	Gone    bool       `json:"gone,omitempty"`
	Removed civil.Date `json:"removed,omitzero"`
	Items   []itemRow  `json:"items"`
}

// itemRow is one line of a letter, with the part of the letter it stands in.
type itemRow struct {
	Ref   string     `json:"ref"`
	Part  string     `json:"part"`
	Row   string     `json:"row"`
	Title string     `json:"title"`
	Due   civil.Date `json:"due"`
	Late  int        `json:"late"`
	Step  string     `json:"step"`
	Rung  string     `json:"rung"`
}

func rowOfLetter(l Letter) letterRow {
	n := l.Notice
	row := letterRow{
		ID: n.ID, Key: n.Key, Job: n.Job, State: n.State, Reason: n.Reason, SupersededBy: n.SupersededBy, Resent: n.Resent,
		LateIssue: n.Facts.LateIssue, Tries: n.Tries, Subject: l.Subject, Anew: notice.PlannedAnew(l.Moves),
		Gone: n.Gone(), Removed: n.Facts.Removed, Items: []itemRow{},
	}
	for _, part := range []struct {
		name  string
		items []notice.Item
	}{
		{"overdue", n.Facts.Overdue}, {"clocks", n.Facts.Clocks}, {"upcoming", n.Facts.Upcoming}, {"behind", n.Facts.Behind},
		{"support", n.Facts.Support}, {"standing", n.Facts.Standing}, {"awaiting", n.Facts.Awaiting},
	} {
		for _, it := range part.items {
			row.Items = append(row.Items, itemRow{it.Ref, part.name, it.Row, it.Title, it.Due, it.Late, it.Step, it.Rung})
		}
	}
	return row
}

// attemptRow is one line of receipts.jsonl.
type attemptRow struct {
	Notice    string         `json:"notice"`
	Date      civil.Date     `json:"date"`
	N         int            `json:"n"`         // the attempt's number within the letter, from 1
	Recipient int            `json:"recipient"` // its place in the letter, from 0
	Role      string         `json:"role"`
	Copy      bool           `json:"copy"`
	To        string         `json:"to"`    // where it really went
	Trial     bool           `json:"trial"` // which is not this recipient's address: a trial run, of which he had nothing
	Outcome   notice.Outcome `json:"outcome"`
	Phase     notice.Phase   `json:"phase"`
	Code      int            `json:"code"`
	Enhanced  string         `json:"enhanced"`
	Reply     string         `json:"reply"`
	SHA256    string         `json:"sha256"`
	Bytes     int            `json:"bytes"`
	TookMS    int64          `json:"took_ms"`
	Worker    string         `json:"worker"`
	At        time.Time      `json:"at"` // UTC
	Template  string         `json:"template"`
	Calendar  string         `json:"calendar"`
	Policy    string         `json:"policy"`
	File      string         `json:"file"`   // what was handed over; empty: nothing was, or see Absent
	Absent    string         `json:"absent"` // why it is not in the package
}

func rowOfAttempt(n notice.Notice, number int, r notice.Receipt) attemptRow {
	row := attemptRow{
		Notice: n.ID, Date: n.Key.Date, N: number, Recipient: r.Recipient, Copy: r.Copy, To: r.Email,
		Outcome: r.Outcome, Phase: r.Phase, Code: r.Code, Enhanced: r.Enhanced, Reply: r.Reply,
		SHA256: r.SHA256, Bytes: r.Bytes, TookMS: r.Took.Milliseconds(), Worker: r.Worker, At: r.At.UTC(),
		Template: r.Template, Calendar: r.Calendar, Policy: r.Policy,
	}
	if r.Recipient >= 0 && r.Recipient < len(n.Facts.Recipients) {
		to := n.Facts.Recipients[r.Recipient]
		envelope, _ := compose.Address(to.Email) // the domain in ASCII
		row.Role, row.Trial = to.Role, r.Email != to.Email && r.Email != envelope
	}
	return row
}
