package notice

import "duban/jobs/civil"

// ClaimFilter narrows what a delivery worker takes. The zero filter takes every letter that is due.
type ClaimFilter struct {
	Jurisdiction string     // "": any
	Date         civil.Date // the logical date; zero: any
	Before       civil.Date // logical dates before this one; zero: any
	// Kind is one kind of letter; "": any. Letters of the kind Operations alone are taken of a paused jurisdiction too.
	Kind string
}

// Matches reports whether a letter with this key falls under the filter.
func (f ClaimFilter) Matches(k Key) bool {
	return (f.Jurisdiction == "" || f.Jurisdiction == k.Jurisdiction) && (f.Date.IsZero() || f.Date == k.Date) &&
		(f.Before.IsZero() || k.Date < f.Before) && (f.Kind == "" || f.Kind == k.Kind)
}

// Filter selects letters; what is empty does not narrow. Letters come by date, jurisdiction, unit and role, after After.
type Filter struct {
	Jurisdiction, Unit string
	State              State
	From, To           civil.Date // logical dates, both included
	After              string     // the ID of the last letter of the page before
	Limit              int        // 0: all
	// Bare leaves out the facts and the receipts, which are most of what is read of a letter.
	Bare bool
}
