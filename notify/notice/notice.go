package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"duban/jobs/civil"
)

// Kinds of letter.
const (
	UnitLetter      = "unit-letter"      // everything one unit needs to know today
	BureauDigest    = "bureau-digest"    // 督办日报
	SupervisionForm = "supervision-form" // 督办通知单: a document
	Report          = "report"           // 专报, with a draft 通报: a document
	Summary         = "summary"          // 月汇总 and its like, of one duty and period
	Bulletin        = "bulletin"         // 季通报 and its like, of the whole jurisdiction: a document
	PersonnelLetter = "personnel-letter" // a unit's people
	PersonnelTotals = "personnel-totals" // the bureau's totals of them, without names
	Correction      = "correction"       // 更正: a letter left because of a wrong entry
	// Operations is 运行日报, to those who keep the program running. It says nothing to a unit: no window holds it and no pause
	// keeps it back, since its absence is the alarm; digests and limits know nothing of it.
	Operations = "operations"
)

// Key is a letter's identity. The reader is a unit and a role, never an address: two units that share a liaison get
// two letters. Matter is empty except on formal letters.
type Key struct {
	Jurisdiction string     `json:"jurisdiction"`
	Date         civil.Date `json:"date"`
	Unit         string     `json:"unit"`
	Role         string     `json:"role"`
	Kind         string     `json:"kind"`
	Matter       string     `json:"matter"`
}

// ID is the hash of the key: 32 hex digits, stable for ever. The Message-ID is made of it.
func (k Key) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		"duban-notice-1", k.Jurisdiction, k.Date.String(), k.Unit, k.Role, k.Kind, k.Matter,
	}, "\x1f")))
	return hex.EncodeToString(sum[:16])
}

// Formal reports whether the letter is a formal one, of a matter of its own, which no window holds and which is never sent
// again by itself. A summary and a correction have a matter only to be told apart on one day.
func (k Key) Formal() bool {
	return k.Matter != "" && k.Kind != Summary && k.Kind != Correction
}

// Notice is a letter: its key, what it says, and how far it got.
type Notice struct {
	ID    string
	Key   Key
	Job   string
	Facts Facts
	State State
	// Tries counts the attempts; NextTry is when the next may start (zero: at once). Of a held letter it is when its
	// window opens; zero there: a person has to release it.
	Tries   int
	NextTry time.Time
	// Deadline is when trying ends: a temporary failure after it is final. It is set by the first claim.
	Deadline time.Time
	// Resent says that the letter was sent once more after an unknown outcome. It is not a second time.
	Resent bool
	// Seq is the jurisdiction's seq after the letter was planned: an event of a later one may have closed an item.
	Seq int64
	// Token and Lease are the claim of the worker that is sending; DataAt is written before the first final dot.
	Token  string
	Lease  time.Time
	DataAt time.Time
	// SupersededBy is the ID of the letter that took over the open items.
	SupersededBy string
	// Reason says in words why the letter is in its state.
	Reason string
	// Receipts are one per recipient tried, in the order of Facts.Recipients: the accepted one where there is any, else
	// the latest.
	Receipts []Receipt
}

// Facts is all a letter is composed from. Composing reads nothing else but the mail settings, so that the same
// notice renders to the same bytes on every engine and every day.
type Facts struct {
	Jurisdiction string      `json:"jurisdiction"` // 青岛市崂山区
	Date         civil.Date  `json:"date"`
	Issuer       Issuer      `json:"issuer"`
	Reader       Reader      `json:"reader"`
	Recipients   []Recipient `json:"recipients"`
	Plans        []Plan      `json:"plans"`

	Overdue  []Item `json:"overdue,omitempty"`  // 超期未报, worst first
	Upcoming []Item `json:"upcoming,omitempty"` // 即将到期, nearest first
	Behind   []Item `json:"behind,omitempty"`   // 滞后序时进度
	Clocks   []Item `json:"clocks,omitempty"`   // 逐案时限: one row per case
	Support  []Item `json:"support,omitempty"`  // 配合事项, for information
	// Standing and Awaiting are said once a week, in the letter of the week's first workday.
	Standing []Item `json:"standing,omitempty"` // 长期坚持
	Awaiting []Item `json:"awaiting,omitempty"` // 条件未具备
	// Paper is what any other letter than the unit's says; the fields above it are then empty, but for the plans.
	Paper *Paper `json:"paper,omitempty"`
	// LateIssue marks 补发: the letter says so.
	LateIssue bool `json:"late_issue,omitempty"`
	// LateFor is the range that a letter makes up for; nil where it is late for its own day alone.
	LateFor *Span `json:"late_for,omitempty"`
	// Versions are what the letter was decided by.
	Versions Versions `json:"versions,omitzero"`
	// Removed is the day on which the rule of retention removed all of the above; zero: it was not.
	Removed civil.Date `json:"removed,omitzero"`
}

// Gone reports whether what the letter said was removed. In a database of an earlier version that is known without its day.
func (n Notice) Gone() bool {
	settled := n.State == Sent || n.State == Recorded || n.State == Superseded || n.State == Cancelled
	return !n.Facts.Removed.IsZero() || settled && n.Facts.Date.IsZero() && n.Facts.Jurisdiction == "" && n.Facts.Paper == nil
}

// Span is a range of days, both included.
type Span struct {
	From civil.Date `json:"from"`
	To   civil.Date `json:"to"`
}

// Versions are hashes of what a letter was decided and written by; empty where it is not known.
type Versions struct {
	Template string `json:"template,omitempty"` // of the words and the layout, set when it is composed
	Calendar string `json:"calendar,omitempty"`
	Policy   string `json:"policy,omitempty"` // ladder and terms
}

// Issuer is the office in whose name the letter goes out. The word (工作提示, 催办函) is configured together with it.
type Issuer struct {
	Name    string `json:"name"`  // 青岛市崂山区司法局
	Short   string `json:"short"` // 区司法局
	Word    string `json:"word"`  // 工作提示
	Office  string `json:"office,omitempty"`
	Contact string `json:"contact,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Email   string `json:"email,omitempty"`
	Address string `json:"address,omitempty"`
}

// Reach says whom to turn to, and how: 执法监督科 张晨曦，电话：…，邮箱：…，地址：….
func (i Issuer) Reach() string {
	var parts []string
	if who := strings.TrimSpace(i.Office + " " + i.Contact); who != "" {
		parts = append(parts, who)
	}
	for _, p := range [][2]string{{"电话：", i.Phone}, {"邮箱：", i.Email}, {"地址：", i.Address}} {
		if p[1] != "" {
			parts = append(parts, p[0]+p[1])
		}
	}
	return strings.Join(parts, "，")
}

// ContactLine is the line of a letter that says whom to turn to.
func (i Issuer) ContactLine() string {
	if strings.TrimSpace(i.Office+i.Contact) == "" {
		return i.Reach()
	}
	return "联系人：" + i.Reach()
}

// Reader is the addressee, a unit and never a person.
type Reader struct {
	Code      string `json:"code"`
	Name      string `json:"name"`      // 区交通运输局
	FullName  string `json:"full_name"` // 青岛市崂山区交通运输局
	Honorific string `json:"honorific"` // 贵局
}

// Recipient is one address with its place in the letter.
type Recipient struct {
	Role  string `json:"role"` // liaison, deputy, legal
	Name  string `json:"name"`
	Email string `json:"email"`
	Copy  bool   `json:"copy,omitempty"`
}

// Plan is a document the items rest on; items name it by index.
type Plan struct {
	Code      string     `json:"code"`
	Title     string     `json:"title"`
	DocNumber string     `json:"doc_number,omitempty"`
	Issued    civil.Date `json:"issued"`
}

// Item is one line of a letter.
type Item struct {
	Ref   string `json:"ref"`
	Plan  int    `json:"plan"`
	Row   string `json:"row"`
	Title string `json:"title"`
	// Kind is the obligation's kind; Label is stage or final; Period is the period in Chinese (2024年9月).
	Kind   string `json:"kind"`
	Label  string `json:"label,omitempty"`
	Period string `json:"period,omitempty"`
	Case   string `json:"case,omitempty"`
	// Due is the date the unit acts on (after extension); Nominal what the document says; Extended marks a granted extension.
	Due      civil.Date `json:"due,omitzero"`
	Nominal  civil.Date `json:"nominal,omitzero"`
	Extended bool       `json:"extended,omitempty"`
	Returned bool       `json:"returned,omitempty"`
	// LastWorkday is the last working day on or before Due.
	LastWorkday  civil.Date `json:"last_workday,omitzero"`
	DeadlineText string     `json:"deadline_text,omitempty"` // the cell as written: where the date comes from
	// Later is the other reading of an ambiguous date.
	Later       civil.Date   `json:"later,omitzero"`
	Soft        string       `json:"soft,omitempty"`
	Standing    bool         `json:"standing,omitempty"` // goes on after the date (长期坚持)
	Provisional bool         `json:"provisional,omitempty"`
	Late        int          `json:"late,omitempty"`        // workdays past Due
	Left        int          `json:"left,omitempty"`        // workdays from the letter's day (not counted) to LastWorkday
	MakeUp      []civil.Date `json:"make_up,omitempty"`     // make-up workdays between, named in the letter
	Deliverable string       `json:"deliverable,omitempty"` // empty: asks for progress
	Evidence    string       `json:"evidence,omitempty"`
	Channel     string       `json:"channel,omitempty"`
	SendTo      string       `json:"send_to,omitempty"`
	Quota       int          `json:"quota,omitempty"`
	Count       int          `json:"count,omitempty"`
	Pace        int          `json:"pace,omitempty"`
	PaceAt      civil.Date   `json:"pace_at,omitzero"` // the month end the pace was looked at
	// Step is what is said today ("" on a line repeated from earlier letters); Rung is reminder or urging.
	Step     string       `json:"step,omitempty"`
	Rung     string       `json:"rung,omitempty"`
	Reminded []civil.Date `json:"reminded,omitempty"` // days of earlier letters, as served
	Urged    []civil.Date `json:"urged,omitempty"`
	// Condition is the event awaited.
	Condition string `json:"condition,omitempty"`
}

// Items returns the lines that belong to an obligation, in the order of the letter.
func (f Facts) Items() []Item {
	return slices.Concat(f.Overdue, f.Clocks, f.Upcoming, f.Behind, f.Support)
}

// Delivered reports whether every reader's own copy was accepted: what the letter says has been said, whatever becomes of
// the copies.
func (n Notice) Delivered() bool {
	readers := 0
	for i, to := range n.Facts.Recipients {
		if to.Copy {
			continue
		}
		readers++
		if !slices.ContainsFunc(n.Receipts, func(r Receipt) bool { return r.Recipient == i && r.Outcome == OutcomeAccepted }) {
			return false
		}
	}
	return readers > 0
}

// Rung returns the highest rung said today: urging over reminder over pace.
func (f Facts) Rung() string {
	rung := ""
	for _, it := range f.Items() {
		if it.Step == "" {
			continue
		}
		if it.Rung == "urging" {
			return "urging"
		}
		if rung == "" || it.Rung == "reminder" {
			rung = it.Rung
		}
	}
	return rung
}

// Brief is a letter without what it says.
type Brief struct {
	ID     string
	Key    Key
	State  State
	Reason string
	// Waits says that it is held until a person releases it, and not for its window.
	Waits bool
	// TakenOver says that a later letter says what it said. Served is the day it reached its reader by itself; 0: it did not.
	// They are known of what became of a letter, and not in a list of the days' letters.
	TakenOver bool
	Served    civil.Date
}
