package task

import (
	"cmp"
	"slices"

	"duban/jobs/civil"
)

// The kinds of occurrence that mean something by themselves, whatever the rules say. Those of inspections start no clock:
// filings that overlap and filings nobody registered are told to the bureau, and an enterprise's rating is its own affair.
const (
	InspectionFiled      = "检查备案" // before the inspection, by the unit
	InspectionRegistered = "检查登记" // during it, with the filing's reference
	InspectionRated      = "事后评价" // after it, by the enterprise: never asked for
	CertificateHeld      = "证件暂扣" // of the person it names
)

// StartsNoClock reports whether occurrences of the kind are kept and never start a clock.
func StartsNoClock(kind string) bool {
	return kind == InspectionFiled || kind == InspectionRegistered || kind == InspectionRated
}

// Occurrence (事件) is something that happened outside the plan and may start a clock: a decision taken, an opinion
// issued, a certificate suspended, an inspection filed. It is identified by its kind, reference and unit.
type Occurrence struct {
	Jurisdiction string     `json:"jurisdiction"`
	Seq          int64      `json:"seq"`
	On           civil.Date `json:"on"`   // the day it happened
	Kind         string     `json:"kind"` // 行政处罚决定, 监督意见, 证件暂扣, 检查备案 …: what rules name
	Ref          string     `json:"ref"`  // case number; no names of parties
	Unit         string     `json:"unit"`
	Person       string     `json:"person,omitempty"` // 人员编号
	// Party is the enterprise of an inspection. It never leaves for anybody but the unit and the bureau.
	Party string `json:"party,omitempty"`
	// From and To are the window of an inspection; Due is a date that the document itself sets.
	From civil.Date `json:"from,omitzero"`
	To   civil.Date `json:"to,omitzero"`
	Due  civil.Date `json:"due,omitzero"`
	// Unless law says otherwise: the clock does not apply to this one, for the reason given.
	Exempt string `json:"exempt,omitempty"`
	Source string `json:"source,omitempty"` // file, sheet and row it was read from
	Who    string `json:"who"`
}

// OccurrencesAsOf returns what is known to have happened by day d: of each kind, reference and unit the entry recorded
// last, where its day is d or before. They come in the order of their days, then of recording.
func OccurrencesAsOf(all []Occurrence, d civil.Date) []Occurrence {
	type key struct{ kind, ref, unit string }
	last := map[key]Occurrence{}
	for _, o := range all {
		k := key{o.Kind, o.Ref, o.Unit}
		if old, ok := last[k]; !ok || o.Seq >= old.Seq {
			last[k] = o
		}
	}
	var out []Occurrence
	for _, o := range last {
		if o.On <= d {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Occurrence) int { return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Seq, b.Seq)) })
	return out
}

// Rule says which duty an occurrence starts a clock for, and how long. It is data: a jurisdiction's policy lists them.
type Rule struct {
	Kind string `json:"kind" yaml:"kind"` // of the occurrence
	// Plan and Row name the duty.
	Plan string `json:"plan" yaml:"plan"`
	Row  string `json:"row" yaml:"row"`
	// N units after the occurrence the duty falls due; 0: on the date that the occurrence itself sets, or as the row's own
	// text reads.
	N    int    `json:"n" yaml:"n"`
	Unit string `json:"unit" yaml:"unit"` // day, workday, month, year
	// Roll is keep, previous or next; clocks set by law end on the next working day (Civil Code art. 203).
	Roll string `json:"roll" yaml:"roll"`
	// Chase, where it is none, says that the end of the clock is only listed: nobody is told of it, as with the end of the
	// time for which records are kept.
	Chase Chase `json:"chase,omitempty" yaml:"chase"`
	// Basis is the article or document the rule rests on.
	Basis string `json:"basis" yaml:"basis"`
}
