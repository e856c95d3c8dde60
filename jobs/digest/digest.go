// Package digest writes the justice bureau's daily digest (督办日报): what the bureau has to do today, who is late and was
// told, what changed since the last digest, what falls due, and the whole in counts that add up. It decides and words; it
// reads no clock and no database, and the same input gives the same paper.
//
// 项 are rows of the plans, 项次 are rows × units (and, of what recurs, × periods); the two are never added together.
package digest

import (
	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// Input is what a digest is written from. Everything is read as of the digest's day and, to know what changed, as of the
// day and the seq of the last digest.
type Input struct {
	Jurisdiction task.Jurisdiction
	Plans        []task.Plan    // every version
	Tasks        []task.Task    // every version
	TaskEvents   []task.Event   // on the rows that wait for an event
	Directory    task.Directory // every version
	// Records are the obligations that were not final on the day Since; Settled counts all others. Together they are every
	// obligation of the jurisdiction, each once.
	Records []task.Record
	Settled []task.Tally
	// Final are some of those that Settled counts: what was recorded late about them, or falls due soon. They are named
	// and never counted again.
	Final []task.Record
	// History are other instances of recurring duties, as far back as planner.HistorySince asks for.
	History []task.Record
	// Since is the day of Settled: that of the last digest, or another where there was none.
	Since    civil.Date
	Silences []task.Silence // every entry
	// Documents are those that are drafts, and those issued or voided that are about an obligation of Records.
	Documents []notice.Document
	// Outcomes are the letters that the steps of Records name and those of Week, by ID; Served the day each, or the one that took
	// it over, reached its reader.
	Outcomes map[string]notice.Brief
	Served   map[string]civil.Date
	// Week are the letters and Steps what was said in them, from the Monday of the digest's week up to its day.
	Week  []notice.Brief
	Steps []task.FiredStep
	// Last is the day of the last digest that reached the bureau, 0 for none; LastSeq is the jurisdiction's seq after it.
	Last    civil.Date
	LastSeq int64
	// Extra are parts that other rules write; ExtraNew says that what they tell is worth a digest by itself.
	Extra    []notice.Section
	ExtraNew bool
}

// Count is how many fall into a class.
type Count struct {
	Class Class
	N     int
}

// Summary are the figures of a digest; where there is none, Reason, Todo and Changes alone.
type Summary struct {
	Todo    int // things to do today
	Changes int // what changed since the last digest
	// Overdue are 项次 of Units units, of which Told were told, Untold could not be told, Due are urged yet, and Mute are not
	// urged at all, since nothing was asked of them but progress. The four add up to Units.
	Overdue, Units, Told, Untold, Due, Mute int
	// Rows are the classes of 项, Items those of 项次 that a unit has to hand in; each class stands once, none is empty, and
	// they add up to RowTotal and ItemTotal.
	Rows, Items         []Count
	RowTotal, ItemTotal int
	// Support are 项次 of supporting units, who are informed only.
	Support int
	// Reason says why there is no digest; empty where there is one.
	Reason string
}

// Make writes the digest of day d. There is none where nothing has changed since the last one, which was in the same week, and
// nothing is urged on the next working day, no letter has come to wait for a person and nothing is new in the parts of other rules: a digest goes on every week's first working day, and the first one after it in any case.
func Make(in Input, set planner.Settings, d civil.Date) (notice.Paper, Summary, bool) {
	w := survey(in, set, d)
	b := &book{world: w}
	todo, changes := b.todo(), b.changes()
	b.sum.Changes = len(b.changed)
	if !b.due() {
		b.sum.Reason = "nothing changed since " + in.Last.String()
		return notice.Paper{}, b.sum, false
	}
	sections := []notice.Section{todo, b.late(), changes, b.ahead(), b.whole(), b.uncounted(), b.own(), b.burden()}
	p := notice.Paper{
		Mark: "内部资料", Title: in.Jurisdiction.Name + "行政执法工作督办日报", Sub: b.sub(), Date: d,
		File: "督办日报全表" + d.String(), Subject: b.subject(),
	}
	for _, s := range append(sections, in.Extra...) {
		if len(s.Paras)+len(s.Lines)+len(s.Notes) > 0 || s.Table != nil && len(s.Table.Rows) > 0 {
			p.Sections = append(p.Sections, s)
		}
	}
	p.Sheets = []notice.Sheet{b.rowSheet(), b.itemSheet(), b.sumSheet()}
	return p, b.sum, true
}

// book is a digest in the making.
type book struct {
	*world
	sum     Summary
	changed []string // one line per change
	// announced is how many urgings and forms the next working day brings, so that the register is to be checked.
	announced int
	// waiting is how many letters were held for a person since the last digest.
	waiting int
	counts  census
}

// due reports whether a digest goes today.
func (b *book) due() bool {
	return b.Last == 0 || len(b.changed) > 0 || b.announced > 0 || b.waiting > 0 || b.ExtraNew || b.set.Calendar.WeekStart(b.d) == b.d || monday(b.Last) < monday(b.d)
}

// monday is the Monday of the date's ISO week.
func monday(d civil.Date) civil.Date { return d - civil.Date((int(d.Weekday())+6)%7) }
