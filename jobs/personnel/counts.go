package personnel

import "duban/jobs/task"

// Counts are what a unit's people come to. Those of several units add up to the counts of all of them.
type Counts struct {
	Units int // with anybody in the roster
	// People is everybody: in post, off post, applicants, and those whose certificate was cancelled.
	People, InPost, OffPost, Applicants, Cancelled int

	// Expired are certificates past their last day. Within counts those within the i-th warning and none shorter. NoExpiry are
	// those without a date.
	Expired  int
	Within   []int
	NoExpiry int

	// Suspended is the sum of Running, DueBack, BackOverdue and NoEnd.
	Suspended, Running, DueBack, BackOverdue, NoEnd int

	// Off is the sum of OffShort, OffUnproved and OffReady.
	Off, OffShort, OffUnproved, OffReady int

	// Asked are those in post whose hours are asked for: the sum of Met, OnPace, Behind, Short, TooNew and Unknown. Hours are
	// theirs together, as far as they are known.
	Asked, Met, OnPace, Behind, Short, TooNew, Unknown, Hours int

	// Applying is the sum of ApplyShort, Awaiting and ApplyReady.
	Applying, ApplyShort, Awaiting, ApplyReady int

	// Reviewers, Supervisors and Enforcers are those in post with a certificate that is neither suspended nor cancelled.
	// ReviewersNeeded is the least number of reviewers, and PairNeeded that of reviewers and supervisors together.
	Reviewers, Supervisors, Enforcers int
	ReviewersNeeded, PairNeeded       int
	// RatioAsked are the units of which a share of reviewers is asked, RatioShort those that lack any; PairAsked and PairShort
	// likewise.
	RatioAsked, RatioShort, PairAsked, PairShort int
}

// Staff are the enforcement staff that the share of reviewers is reckoned from: those in post as enforcers or reviewers.
// Supervisors enforce nothing.
func (c Counts) Staff() int { return c.Enforcers + c.Reviewers }

// Expiring is how many certificates expire within the longest warning.
func (c Counts) Expiring() int {
	n := 0
	for _, w := range c.Within {
		n += w
	}
	return n
}

// person counts a member of the roster.
func (c *Counts) person(p task.Person) {
	c.People++
	switch {
	case p.CertState == cancelled:
		c.Cancelled++
		return
	case p.Duty == offPost:
		c.OffPost++
		return
	case p.Duty == applicant:
		c.Applicants++
		return
	}
	c.InPost++
	if p.CertState == suspended {
		return
	}
	switch p.Post {
	case reviewer:
		c.Reviewers++
	case supervisor:
		c.Supervisors++
	case enforcer:
		c.Enforcers++
	}
}

// finding counts a matter of a person.
func (c *Counts) finding(f Finding, warn []int) {
	type place struct {
		all *int
		by  map[Class]*int
	}
	switch f.Matter {
	case Certificate:
		if f.Class == Expired {
			c.Expired++
			return
		}
		for i, w := range warn {
			if w == f.Within {
				c.Within[i]++
			}
		}
		return
	case Unstated:
		c.NoExpiry++
		return
	case Suspension, Return, Hours, Applicant:
	}
	p := map[Matter]place{
		Suspension: {&c.Suspended, map[Class]*int{Running: &c.Running, DueBack: &c.DueBack, Overdue: &c.BackOverdue, NoEnd: &c.NoEnd}},
		Return:     {&c.Off, map[Class]*int{Short: &c.OffShort, Unproved: &c.OffUnproved, Ready: &c.OffReady}},
		Hours: {&c.Asked, map[Class]*int{
			Met: &c.Met, OnPace: &c.OnPace, Behind: &c.Behind, Short: &c.Short, TooNew: &c.TooNew, Unknown: &c.Unknown,
		}},
		Applicant: {&c.Applying, map[Class]*int{Short: &c.ApplyShort, Unproved: &c.Awaiting, Ready: &c.ApplyReady}},
	}[f.Matter]
	*p.all++
	*p.by[f.Class]++
	if f.Matter == Hours {
		c.Hours += f.Hours
	}
}

// staffing settles what the rule asks of one unit: a share of reviewers, rounded up to whole people, and a least number of
// reviewers and supervisors together wherever anybody enforces.
func (c *Counts) staffing(rules task.StaffRules) {
	if c.Staff() == 0 {
		return
	}
	if rules.ReviewerPercent > 0 {
		c.RatioAsked = 1
		c.ReviewersNeeded = (c.Staff()*rules.ReviewerPercent + 99) / 100
		if c.Reviewers < c.ReviewersNeeded {
			c.RatioShort = 1
		}
	}
	if rules.ReviewersAndSupervisors > 0 {
		c.PairAsked, c.PairNeeded = 1, rules.ReviewersAndSupervisors
		if c.Reviewers+c.Supervisors < c.PairNeeded {
			c.PairShort = 1
		}
	}
}

// add adds the counts of a unit.
func (c *Counts) add(u Counts) {
	for i, n := range u.Within {
		c.Within[i] += n
	}
	for _, f := range []struct {
		sum *int
		n   int
	}{
		{&c.Units, u.Units}, {&c.People, u.People}, {&c.InPost, u.InPost}, {&c.OffPost, u.OffPost}, {&c.Applicants, u.Applicants},
		{&c.Cancelled, u.Cancelled}, {&c.Expired, u.Expired}, {&c.NoExpiry, u.NoExpiry}, {&c.Suspended, u.Suspended},
		{&c.Running, u.Running}, {&c.DueBack, u.DueBack}, {&c.BackOverdue, u.BackOverdue}, {&c.NoEnd, u.NoEnd}, {&c.Off, u.Off},
		{&c.OffShort, u.OffShort}, {&c.OffUnproved, u.OffUnproved}, {&c.OffReady, u.OffReady}, {&c.Asked, u.Asked},
		{&c.Met, u.Met}, {&c.OnPace, u.OnPace}, {&c.Behind, u.Behind}, {&c.Short, u.Short}, {&c.TooNew, u.TooNew},
		{&c.Unknown, u.Unknown}, {&c.Hours, u.Hours}, {&c.Applying, u.Applying}, {&c.ApplyShort, u.ApplyShort},
		{&c.Awaiting, u.Awaiting}, {&c.ApplyReady, u.ApplyReady}, {&c.Reviewers, u.Reviewers}, {&c.Supervisors, u.Supervisors},
		{&c.Enforcers, u.Enforcers}, {&c.ReviewersNeeded, u.ReviewersNeeded}, {&c.PairNeeded, u.PairNeeded},
		{&c.RatioAsked, u.RatioAsked}, {&c.RatioShort, u.RatioShort}, {&c.PairAsked, u.PairAsked}, {&c.PairShort, u.PairShort},
	} {
		*f.sum += f.n
	}
}
