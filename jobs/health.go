package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"duban/jobs/civil"
	"duban/jobs/moved"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// HealthStore is what the operations letter is written to. What it says comes from Health.Look.
type HealthStore interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	UnitVersions(ctx context.Context, jurisdiction string, codes []string) ([]task.Unit, error)
	Unsent(ctx context.Context, jurisdiction, kind string, before civil.Date) ([]notice.Notice, error)
	NoticeIDs(ctx context.Context, jurisdiction string, d civil.Date) ([]string, error)
	SavePlan(ctx context.Context, jurisdiction string, seq int64, p run.DayPlan) error
	FinishSlot(ctx context.Context, r run.Run) error
}

// Health writes the operations letter of the day (运行日报) to those who keep the program running. It is written every day, a
// day off or one without any letter too: where it does not come, the program or its mail has stopped. It is none of All: it
// says nothing of the register, and a day that failed before it must not keep it from being written.
type Health struct {
	Store    HealthStore
	Settings SettingsOf
	// To are the readers' addresses; none: the slot is skipped.
	To []string
	// Look tells how the program stands with the jurisdiction.
	Look func(ctx context.Context, jurisdiction string, d civil.Date) (Condition, error)
}

// Condition is how the program stands with a jurisdiction on a day. Instants are in its zone.
type Condition struct {
	Workday bool
	// Sent says that letters leave; else Needs say why not.
	Sending bool
	// Slots are those of the day that the clock starts, in their order; Next the ones that come next.
	Slots, Next []SlotStand
	// Letters of the day by state, Waiting those of any day that wait for something, each without the operations letters.
	Letters, Waiting map[notice.State]int
	Needs            []Need
	// HolidaysTo is the last year whose holidays are known.
	HolidaysTo int
	Version    string // of the program
	Health     string // when the letter is written every day, as in 17:30; empty: by hand
}

// SlotStand is a slot with what the ledger says of it.
type SlotStand struct {
	Job    string
	Due    time.Time
	State  run.State // empty: no record
	Reason string
	Counts run.Counts
	Late   time.Duration // past Due, of one that is not settled
}

// Need is one thing that waits for a person.
type Need struct {
	What NeedKind `json:"what"`
	N    int      `json:"n,omitempty"` // of slots, letters or units; of holidays the year
	// Text tells more in English: a reason, days, a brake's account. It holds no personal data.
	Text string `json:"text,omitempty"`
	Do   string `json:"do"` // the command to type, or what to set
	// Of slots: which jobs' of which days, and how the ledger has them. Of letters that the archive alone knows: their first
	// and last day.
	Jobs  []string   `json:"jobs,omitempty"`
	From  civil.Date `json:"from,omitzero"`
	To    civil.Date `json:"to,omitzero"`
	State run.State  `json:"state,omitempty"`
}

// NeedKind is what a need is about.
type NeedKind string

// What may wait for a person, the worst first.
const (
	NeedClock    NeedKind = "clock"     // the date is not believed: nothing is planned or sent
	NeedArchive  NeedKind = "archive"   // it knows letters that the database, restored, does not: nothing is sent
	NeedVersions NeedKind = "versions"  // policy, calendar or templates are not those loaded
	NeedSlots    NeedKind = "slots"     // due and not settled
	NeedPaused   NeedKind = "paused"    //
	NeedBrake    NeedKind = "brake"     // the mail server turns letters away; let go by itself
	NeedUnknown  NeedKind = "unknown"   // letters that may have arrived
	NeedFailed   NeedKind = "failed"    // letters refused of late
	NeedRelease  NeedKind = "release"   // letters and drafts that a person releases
	NeedAddress  NeedKind = "addresses" // units that mail does not reach
	NeedHolidays NeedKind = "holidays"  // of next year, or of this one
)

// Name is "health".
func (Health) Name() string { return "health" }

// EveryDay is false: a letter of yesterday that comes today would be no sign of life.
func (Health) EveryDay() bool { return false }

// Run writes the letter of the slot's day in one transaction.
func (j Health) Run(ctx context.Context, r run.Run) (run.Run, error) {
	if len(j.To) == 0 {
		r.State, r.Reason = run.Skipped, "ops.mail_to names nobody"
		return r, j.Store.FinishSlot(ctx, r)
	}
	settled := r
	err := moved.Retry(ctx, func() (err error) {
		settled, err = j.plan(ctx, r)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("write the operations letter of %s for %s: %w", r.Date, r.Jurisdiction, err)
	}
	return settled, nil
}

func (j Health) plan(ctx context.Context, r run.Run) (run.Run, error) {
	place, err := j.Store.Jurisdiction(ctx, r.Jurisdiction)
	if err != nil {
		return r, err
	}
	r.State, r.Reason, r.Counts = run.Done, "", run.Counts{}
	key := notice.Key{Jurisdiction: place.Code, Date: r.Date, Unit: place.Bureau, Role: operators, Kind: notice.Operations}
	written, err := j.Store.NoticeIDs(ctx, r.Jurisdiction, r.Date)
	if err != nil {
		return r, err
	}
	p := run.DayPlan{Run: r}
	if slices.Contains(written, key.ID()) {
		p.Run.Reason = "the letter of this day was written before"
		return p.Run, j.Store.SavePlan(ctx, r.Jurisdiction, place.Seq, p)
	}
	c, err := j.Look(ctx, r.Jurisdiction, r.Date)
	if err != nil {
		return r, err
	}
	facts, err := j.facts(ctx, place, r.Date, c)
	if err != nil {
		return r, err
	}
	p.Notices = []notice.Notice{{ID: key.ID(), Key: key, Job: j.Name(), Facts: facts, State: notice.Pending}}
	unsent, err := j.Store.Unsent(ctx, r.Jurisdiction, notice.Operations, r.Date)
	if err != nil {
		return r, err
	}
	p.Supersede = map[string]string{}
	for _, old := range unsent { // what it said is of yesterday
		if !old.Resent && !old.Delivered() {
			p.Supersede[old.ID] = key.ID()
			p.Unsent = append(p.Unsent, old)
		}
	}
	p.Run.Counts = run.Counts{Notices: 1, Superseded: len(p.Supersede)}
	return p.Run, j.Store.SavePlan(ctx, r.Jurisdiction, place.Seq, p)
}

// operators is the role in which the program's own people read.
const operators = "operations"

func (j Health) facts(ctx context.Context, place task.Jurisdiction, d civil.Date, c Condition) (notice.Facts, error) {
	set, err := j.Settings(place.Code)
	if err != nil {
		return notice.Facts{}, err
	}
	units, err := j.Store.UnitVersions(ctx, place.Code, []string{place.Bureau})
	if err != nil {
		return notice.Facts{}, err
	}
	bureau, _ := (task.Directory{Units: units}).AsOf(d).Unit(place.Bureau)
	issuer := bureauIssuer(set, bureau, place)
	paper := operationsPaper(issuer.Short, d, c)
	f := notice.Facts{
		Jurisdiction: place.Name, Date: d, Issuer: issuer, Versions: set.Versions, Paper: &paper,
		Reader: notice.Reader{Code: place.Bureau, Name: issuer.Short, FullName: issuer.Name, Honorific: "贵局"},
	}
	for _, to := range j.To {
		f.Recipients = append(f.Recipients, notice.Recipient{Role: operators, Email: to})
	}
	return f, nil
}
