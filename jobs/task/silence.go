package task

import (
	"cmp"
	"slices"

	"duban/jobs/civil"
)

// Scope says over what a silence lies.
type Scope string

// The scopes of a silence.
const (
	OverUnit       Scope = "unit"
	OverPlan       Scope = "plan"
	OverObligation Scope = "obligation"
)

// Silence (暂停催办) keeps everything that would be said about a unit, a plan or an obligation from being said, for a
// time. What is due is still evaluated; when the silence ends it is checked against the register once more before
// anybody is urged.
type Silence struct {
	Jurisdiction string `json:"jurisdiction"`
	Seq          int64  `json:"seq"`
	// On is the first day, Until the last.
	On      civil.Date `json:"on"`
	Until   civil.Date `json:"until"`
	Scope   Scope      `json:"scope"`
	Subject string     `json:"subject"` // a unit's code, a plan's code, or Ref.String()
	Who     string     `json:"who"`
	Why     string     `json:"why"`
	// Lifts is the seq of the silence that this entry ends: On is then the first day without it. Scope, Subject and Until
	// repeat the other's.
	Lifts int64 `json:"lifts,omitempty"`
}

// Covers reports whether the silence lies over the obligation.
func (s Silence) Covers(r Ref) bool {
	switch s.Scope {
	case OverUnit:
		return s.Subject == r.Unit
	case OverPlan:
		return s.Subject == r.Plan
	case OverObligation:
		return s.Subject == r.String()
	}
	return false
}

// SilencesAsOf returns the silences known on day d, as they are in force: one that was lifted by then ends on the day
// before it was lifted, and is left out where that is before its first day. Those that begin later or have ended stand in
// it too. They come in the order of recording.
func SilencesAsOf(all []Silence, d civil.Date) []Silence {
	lifted := map[int64]civil.Date{}
	for _, s := range all {
		if s.Lifts != 0 && s.On <= d {
			lifted[s.Lifts] = s.On
		}
	}
	var out []Silence
	for _, s := range all {
		if s.Lifts != 0 {
			continue
		}
		if on, ok := lifted[s.Seq]; ok {
			s.Until = min(s.Until, on-1)
		}
		if s.Until >= s.On {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Silence) int { return cmp.Compare(a.Seq, b.Seq) })
	return out
}

// Silenced returns the silence that lies over the obligation on day d and ends last. all is what SilencesAsOf returned.
func Silenced(all []Silence, r Ref, d civil.Date) (last Silence, ok bool) {
	for _, s := range all {
		if s.On <= d && d <= s.Until && s.Covers(r) && (!ok || s.Until > last.Until) {
			last, ok = s, true
		}
	}
	return last, ok
}
