package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/period"
	"duban/jobs/task"
	"duban/notify/notice"
)

// letter writes the facts of one unit's letter of the day.
func (r *reminder) letter(code string) {
	u := r.units[code]
	lines := r.lines[code]
	key := r.key(code)
	f := notice.Facts{
		Jurisdiction: r.Jurisdiction.Name, Date: r.day, Versions: r.set.Versions, Reader: reader(u),
		Issuer: issuer(r.set, r.units[r.Jurisdiction.Bureau], r.Jurisdiction),
	}
	plans := r.cite(lines, &f)
	slices.SortFunc(lines, r.worstFirst)
	for _, l := range lines {
		it := r.item(l, plans)
		switch {
		case l.Record.Obligation.Owes == task.OwesSupport:
			f.Support = append(f.Support, it)
		case l.step.Rung == ladder.Pace:
			f.Behind = append(f.Behind, it)
		case l.Record.Obligation.Kind == task.Clock:
			f.Clocks = append(f.Clocks, it)
		case r.overdue(l):
			f.Overdue = append(f.Overdue, it)
		default:
			f.Upcoming = append(f.Upcoming, it)
		}
	}
	if ladder.Monday(r.day, r.set.Calendar) {
		r.weekly(u, plans, &f)
	}
	if f.Rung() == string(ladder.Urging) {
		urging := r.set.Rungs[ladder.Urging]
		f.Issuer.Word = cmp.Or(r.set.UrgingWord, f.Issuer.Word)
		f.Issuer.Name, f.Issuer.Short = cmp.Or(urging.Name, f.Issuer.Name), cmp.Or(urging.Short, f.Issuer.Short)
	}
	f.Recipients = r.recipients(u, lines)
	n := notice.Notice{ID: key.ID(), Key: key, Job: "remind", Facts: f, State: notice.Pending}
	switch {
	case len(f.Recipients) == 0 || f.Recipients[0].Role != string(task.Liaison):
		n.State, n.Reason = notice.Held, "the unit has no liaison with an e-mail address; import one, or tell the unit by other means"
	case lines[0].capped():
		n.State = notice.Held
		n.Reason = fmt.Sprintf(hadItsLetters+" (%d besides the first working day's): a person releases this one with `duban outbox release %s --by NAME`; what is left to say then goes into the letter of %s",
			lines[0].Letters, n.ID, lines[0].nextLetter())
	}
	r.plan.Notices = append(r.plan.Notices, n)
}

// issuer is the office that signs: as configured, else as the bureau stands among the units.
func issuer(set Settings, bureau task.Unit, in task.Jurisdiction) notice.Issuer {
	i := set.Issuer
	c, _ := bureau.Contact(task.Liaison)
	i.Name = cmp.Or(i.Name, bureau.FullName, bureau.Name, in.Name)
	i.Short = cmp.Or(i.Short, bureau.Name, i.Name)
	i.Word = cmp.Or(i.Word, "工作提示")
	if i.Contact == "" {
		i.Contact, i.Phone, i.Email = c.Name, cmp.Or(i.Phone, c.Phone), cmp.Or(i.Email, c.Email)
	}
	i.Address = cmp.Or(i.Address, bureau.Address)
	return i
}

func (r *reminder) overdue(l line) bool {
	return r.day > l.due0()
}

// worstFirst orders a letter: overdue before upcoming, the longest overdue and the nearest date first, then by row.
func (r *reminder) worstFirst(a, b line) int {
	late := func(l line) int {
		if r.overdue(l) {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(late(a), late(b)),
		cmp.Compare(a.status.Effective, b.status.Effective),
		cmp.Compare(a.Task.Plan, b.Task.Plan),
		cmp.Compare(a.Task.Order, b.Task.Order),
		strings.Compare(a.Task.Row, b.Task.Row),
		strings.Compare(a.Record.Obligation.Instance, b.Record.Obligation.Instance),
	)
}

// cite lists the plans the letter rests on and returns the index of each.
func (r *reminder) cite(lines []line, f *notice.Facts) map[string]int {
	var codes []string
	for _, l := range lines {
		if !slices.Contains(codes, l.Task.Plan) {
			codes = append(codes, l.Task.Plan)
		}
	}
	slices.Sort(codes)
	index := map[string]int{}
	for i, code := range codes {
		p := r.plans[code]
		index[code] = i
		f.Plans = append(f.Plans, notice.Plan{Code: p.Code, Title: p.Title, DocNumber: p.DocNumber, Issued: p.Issued})
	}
	return index
}

// item states one line's facts as of the letter's day.
func (r *reminder) item(l line, plans map[string]int) notice.Item {
	o, st, t, cal := l.Record.Obligation, l.status, l.Task, r.set.Calendar
	it := notice.Item{
		Ref: o.Ref.String(), Plan: plans[t.Plan], Row: t.Row, Title: t.Title,
		Kind: string(o.Kind), Label: o.Label, Period: period.Key(o.Period).Chinese(),
		Due: st.Effective, Nominal: st.Nominal, Extended: st.Extended, Returned: st.Returned,
		LastWorkday: cal.OnOrBefore(st.Effective), DeadlineText: t.DeadlineText,
		Soft: t.Reading.Soft, Standing: t.Reading.Standing,
		Deliverable: t.Deliverable, Evidence: t.Evidence, Channel: t.Channel, SendTo: t.SendTo,
		Step: l.step.Step, Rung: string(l.step.Rung),
	}
	switch {
	case st.Returned || st.Extended: // a person gave the date: there is one reading now
		it.Due = max(st.Effective, st.Assess)
		it.LastWorkday = cal.OnOrBefore(it.Due)
	case o.Ambiguous && st.Assess > st.Effective:
		it.Later = st.Assess
	}
	if ref, ok := strings.CutPrefix(o.Instance, "e:"); ok {
		it.Case = ref
	}
	due := max(st.Effective, st.Assess)
	if r.day > due { // what may yet move is the date, not the days gone by since
		it.Provisional = cal.Provisional(st.Effective, due)
		it.Late = cal.Count(due, r.day)
	} else {
		it.Provisional = cal.Provisional(r.day, max(st.Effective, it.LastWorkday))
		it.Left = max(0, cal.Count(r.day, it.LastWorkday))
		for d := r.day + 1; d <= it.LastWorkday && d < r.day+60; d++ {
			if day := cal.Day(d); day.Reason == "make-up workday" {
				it.MakeUp = append(it.MakeUp, d)
			}
		}
	}
	if o.Quota > 0 {
		it.Quota, it.Count = o.Quota, st.Count
		it.PaceAt = l.step.PaceAt
		if it.PaceAt != 0 {
			it.Count = task.Fold(o, l.Record.Events, it.PaceAt, cal, r.set.Terms).Count
			it.Pace = ladder.PaceAt(o.Quota, o.PaceFrom, st.Effective, it.PaceAt)
		}
	}
	it.Reminded, it.Urged = l.told(anyArm)
	return it
}

// told returns the days before this one on which served letters reminded and urged the unit of this item, in the arm or in
// any.
func (j *judge) told(arm int) (reminded, urged []civil.Date) {
	for _, f := range j.Record.Steps {
		day, served := j.Served[f.Notice]
		if !served || f.On >= j.day || f.Passed != "" || arm != anyArm && f.Arm != arm {
			continue
		}
		switch RungOf(j.all, j.Record.Obligation.Kind, f) {
		case ladder.Reminder:
			reminded = append(reminded, day)
		case ladder.Urging:
			urged = append(urged, day)
		case ladder.Pace, ladder.Form, ladder.Bulletin:
		}
	}
	slices.Sort(reminded)
	slices.Sort(urged)
	return slices.Compact(reminded), slices.Compact(urged)
}

// weekly adds what is said once a week: rows that go on for ever, and rows whose condition is not met yet.
func (r *reminder) weekly(u task.Unit, plans map[string]int, f *notice.Facts) {
	for _, t := range r.standing {
		i, cited := plans[t.Plan]
		if !cited || !t.Weekly() || !concerns(t, u) {
			continue
		}
		it := notice.Item{Ref: t.TaskID.String(), Plan: i, Row: t.Row, Title: t.Title, Kind: "task", DeadlineText: t.DeadlineText, Standing: t.Reading.Standing}
		switch {
		case t.Reading.Condition == nil:
			f.Standing = append(f.Standing, it)
		case !r.triggered(t):
			it.Condition = t.Reading.Condition.Event
			f.Awaiting = append(f.Awaiting, it)
		}
	}
}

// concerns reports whether the row asks something of the unit, by name or as a member of a group: what Directory.Expand
// would say of it, without the other units.
func concerns(t task.Task, u task.Unit) bool {
	return slices.ContainsFunc(t.Parties, func(p task.Party) bool {
		return p.Owes == task.OwesDeliver && (p.Group && slices.Contains(u.Groups, p.Code) || !p.Group && p.Code == u.Code)
	})
}

func (r *reminder) triggered(t task.Task) bool {
	id := t.TaskID.String()
	return slices.ContainsFunc(task.InForce(r.TaskEvents, r.day), func(e task.Event) bool {
		return e.Subject == id && e.Kind == task.Triggered
	})
}

// urgedBefore reports whether an earlier letter that was served urged the unit of this item. Nobody is taken to the deputy in
// charge by the first letter that urges him, even where an outage made it the second urging's day.
func (l line) urgedBefore() bool {
	_, urged := l.told(anyArm)
	return len(urged) > 0
}

// recipients are the liaison, any other contact that a step said today is addressed to, and a copy to each that it names.
func (r *reminder) recipients(u task.Unit, lines []line) []notice.Recipient {
	var readers, copies []task.Role
	add := func(to []task.Role, role task.Role, l line) []task.Role {
		above := role == task.Deputy || role == task.Head
		if role == task.Liaison || slices.Contains(to, role) || above && !l.urgedBefore() {
			return to
		}
		return append(to, role)
	}
	for _, l := range lines {
		if l.step.Step != "" {
			readers = add(readers, l.step.Reader(), l)
		}
		for _, role := range l.step.Copy {
			copies = add(copies, role, l)
		}
	}
	rank := func(a, b task.Role) int { return cmp.Or(cmp.Compare(copyRank(a), copyRank(b)), cmp.Compare(a, b)) }
	slices.SortFunc(readers, rank)
	slices.SortFunc(copies, rank)
	return addresses(u, slices.Concat([]task.Role{task.Liaison}, readers), copies)
}

// copyRank orders the copies.
func copyRank(r task.Role) int {
	i := slices.Index([]task.Role{task.Deputy, task.Head, task.Legal, task.PersonnelContact}, r)
	if i < 0 {
		return 4
	}
	return i
}

// addresses are the contacts a letter is written to, and the copies; each address is named once.
func addresses(u task.Unit, to, copies []task.Role) []notice.Recipient {
	var out []notice.Recipient
	for i, role := range slices.Concat(to, copies) {
		c, ok := u.Contact(role)
		if !ok || c.Email == "" || slices.ContainsFunc(out, func(to notice.Recipient) bool { return strings.EqualFold(to.Email, c.Email) }) {
			continue
		}
		out = append(out, notice.Recipient{Role: string(role), Name: c.Name, Email: c.Email, Copy: i >= len(to)})
	}
	return out
}
