package personnel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// Snapshot is what a day's letters are written from.
type Snapshot struct {
	Input
	Events   []task.Occurrence // suspensions of certificates, every entry
	Silences []task.Silence    // every entry
	// Unsent are earlier letters of the two kinds that may still leave.
	Unsent []notice.Notice
	// Written are the letters of the day that stand already, by ID.
	Written map[string]bool
}

// Plan is what the day's letters come to.
type Plan struct {
	Notices   []notice.Notice
	Supersede map[string]string // earlier letter → the one that says it anew
	Cancel    map[string]string // earlier letter → reason: nothing of it stands any more
	People    int               // looked at
}

// job is the name of the job that writes these letters.
const job = "personnel"

// Letters writes the letters of working day d: to each unit with something to say one about its own people, and on a full
// agenda one to the bureau, which counts everybody and names nobody.
//
// A letter with names goes to the unit's contact for personnel, else to that for legal matters; never to the liaison, and
// never as a copy. A unit that is not written to by machine stands in the counts alone.
func Letters(s Snapshot, set planner.Settings, a Agenda, d civil.Date) Plan {
	in := s.Input
	in.People = withSuspensions(in.People, s.Events, set, d)
	set = set.On(d)
	w := writer{Snapshot: s, in: in, set: set, base: a, d: d, units: map[string]task.Unit{}, silences: task.SilencesAsOf(s.Silences, d),
		results: map[civil.Date]Result{}, kept: map[string]string{}, plan: Plan{Supersede: map[string]string{}, Cancel: map[string]string{}}}
	for _, u := range s.Directory.AsOf(d).Units {
		w.units[u.Code] = u
	}
	w.issuer = issuer(set, w.units[s.Jurisdiction.Bureau], s.Jurisdiction)
	res := w.review(a)
	w.plan.People = res.Total.People
	waiting := w.waiting(notice.PersonnelLetter)
	spoken := map[string]bool{}
	for _, u := range res.Units {
		spoken[u.Code] = w.write(u, waiting[u.Code])
	}
	w.retire(waiting, spoken)
	w.writeTotals()
	return w.plan
}

// review looks at everybody, with the hours counted as the agenda says.
func (w *writer) review(a Agenda) Result {
	in := w.in
	if a.Hours {
		in.HoursOn = a.HoursOn
	}
	res, ok := w.results[in.HoursOn]
	if !ok {
		res = Review(in, w.set.Staff, w.set.Calendar, w.d)
		w.results[in.HoursOn] = res
	}
	return res
}

// write plans the letter to a unit, which says too what stood in those that wait; false where there is nothing to say.
func (w *writer) write(u Unit, waiting []notice.Notice) bool {
	w.a, w.again = w.base.with(waiting), named(waiting)
	if i := slices.IndexFunc(w.review(w.a).Units, func(r Unit) bool { return r.Code == u.Code }); i >= 0 {
		u = w.review(w.a).Units[i]
	}
	n, ok := w.unit(u)
	if !ok {
		return false
	}
	if n.State == notice.Held {
		w.kept[u.Code] = n.Reason
	}
	if len(waiting) == 0 || w.anew(n, waiting) {
		w.add(n, waiting)
	}
	return true
}

// writeTotals plans the bureau's letter: once a month, and on a day when one that waited for a reader may go.
func (w *writer) writeTotals() {
	waiting := w.waiting(notice.PersonnelTotals)[w.Jurisdiction.Bureau]
	w.a, w.again = w.base.with(waiting), nil
	if !w.a.Full {
		return
	}
	if n, ok := w.totals(w.review(w.a)); ok && (w.base.Full || w.anew(n, waiting)) {
		w.add(n, waiting)
	}
}

// writer writes the letters of one day.
type writer struct {
	Snapshot
	in       Input // with the suspensions of events
	set      planner.Settings
	base     Agenda                // the day's
	a        Agenda                // that of the letter at hand
	again    map[string]bool       // rows of the letters whose place it takes
	results  map[civil.Date]Result // by the day up to which hours are counted
	kept     map[string]string     // units whose letter may not leave by itself, and why
	d        civil.Date
	units    map[string]task.Unit
	issuer   notice.Issuer
	silences []task.Silence
	toBureau bool // the letter at hand is the bureau's
	plan     Plan
}

// add plans a letter, which takes the place of those to its reader that wait. A unit gets one a day, whoever reads it.
func (w *writer) add(n notice.Notice, waiting []notice.Notice) {
	for _, role := range []string{n.Key.Role, string(task.PersonnelContact), string(task.Legal)} {
		k := n.Key
		k.Role = role
		if w.Written[k.ID()] {
			return
		}
	}
	w.plan.Notices = append(w.plan.Notices, n)
	for _, old := range waiting {
		w.plan.Supersede[old.ID] = n.ID
	}
}

// retire cancels the letters that wait for units of which there is nothing left to say.
func (w *writer) retire(waiting map[string][]notice.Notice, spoken map[string]bool) {
	for code, letters := range waiting {
		for _, old := range letters {
			if !spoken[code] {
				w.plan.Cancel[old.ID] = "nothing of it stands any more on " + w.d.String()
			}
		}
	}
}

// issuer is the office that signs: as configured, else as the bureau stands among the units.
func issuer(set planner.Settings, bureau task.Unit, j task.Jurisdiction) notice.Issuer {
	i := set.Issuer
	c, _ := bureau.Contact(task.Liaison)
	i.Name = cmp.Or(i.Name, bureau.FullName, bureau.Name, j.Name)
	i.Short = cmp.Or(i.Short, bureau.Name, i.Name)
	i.Word = cmp.Or(i.Word, "工作提示")
	if i.Contact == "" {
		i.Contact, i.Phone, i.Email = c.Name, cmp.Or(i.Phone, c.Phone), cmp.Or(i.Email, c.Email)
	}
	i.Address = cmp.Or(i.Address, bureau.Address)
	return i
}

// unit writes the letter to a unit about its own people; false where there is none.
func (w *writer) unit(u Unit) (notice.Notice, bool) {
	to, ok := w.units[u.Code]
	if !ok || !written(to) || u.Code == w.Jurisdiction.Bureau {
		return notice.Notice{}, false
	}
	said := w.said(u)
	if len(said) == 0 && !w.countsTell(u.Counts) {
		return notice.Notice{}, false
	}
	contact, role := reader(to)
	key := notice.Key{Jurisdiction: w.Jurisdiction.Code, Date: w.d, Unit: u.Code, Role: string(role), Kind: notice.PersonnelLetter}
	paper := w.paper(u, to, said)
	f := notice.Facts{
		Jurisdiction: w.Jurisdiction.Name, Date: w.d, Issuer: w.issuer, Versions: w.set.Versions, Paper: &paper,
		Reader: notice.Reader{Code: to.Code, Name: to.Name, FullName: cmp.Or(to.FullName, to.Name), Honorific: cmp.Or(to.Honorific, "贵单位")},
	}
	if contact.Email != "" {
		f.Recipients = []notice.Recipient{{Role: string(role), Name: contact.Name, Email: contact.Email}}
	}
	n := notice.Notice{ID: key.ID(), Key: key, Job: job, Facts: f, State: notice.Pending}
	if n.Reason = w.held(to, contact); n.Reason != "" {
		n.State = notice.Held
	}
	return n, true
}

// written reports whether a unit is written to by machine.
func written(u task.Unit) bool { return u.Chase != task.ChaseManual && u.Chase != task.ChaseNone }

// reader is the contact who may be told of a unit's people.
func reader(u task.Unit) (task.Contact, task.Role) {
	for _, role := range []task.Role{task.PersonnelContact, task.Legal} {
		if c, ok := u.Contact(role); ok && c.Email != "" {
			return c, role
		}
	}
	return task.Contact{}, task.PersonnelContact
}

// held says why a letter with names may not leave by itself, without naming anybody; empty where it may.
func (w *writer) held(u task.Unit, c task.Contact) string {
	if c.Email == "" {
		return "the unit has no contact for personnel (人事联系人) or legal matters (法制联系人) with an e-mail address; import one, or hand the letter over by other means"
	}
	if !MayName(w.set, c.Email) {
		return "the letter names people, and the mail domain of its reader is not among name_domains; add it there, or hand the letter over by other means"
	}
	ref := task.Ref{TaskID: task.TaskID{Jurisdiction: w.Jurisdiction.Code}, Unit: u.Code}
	if s, ok := task.Silenced(w.silences, ref, w.d); ok {
		return silencedUntil + s.Until.String() + "; a person may release the letter"
	}
	return ""
}

// silencedUntil begins the reason of a letter to a unit that nothing is sent to for a while.
const silencedUntil = "the unit is silenced until "

// MayName reports whether a letter that names people may go to the address: its mail domain is one of those allowed, or
// none is and letters are written into a folder of this house.
func MayName(set planner.Settings, address string) bool {
	if len(set.NameDomains) == 0 {
		return set.NamesInFiles
	}
	_, domain, _ := strings.Cut(address, "@")
	return slices.ContainsFunc(set.NameDomains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// said are the findings that the letter speaks of.
func (w *writer) said(u Unit) []Finding {
	return slices.DeleteFunc(slices.Clone(u.Findings), func(f Finding) bool {
		if !w.a.Full {
			again := w.again[rowKey(f.Person.Name, shown(f.Person), matterWord(f.Matter))]
			return f.Matter != Certificate || !again && (f.Class == Expired || !w.a.Crossed(w.set.Staff, w.set.Calendar, f.Date, w.d))
		}
		switch f.Matter {
		case Hours:
			return !w.a.Hours || f.Class != Behind && f.Class != Short
		case Return, Applicant:
			return f.Class == Ready
		case Certificate, Unstated, Suspension:
		}
		return false
	})
}

// countsTell reports whether there is something to say of a unit of which nobody is to be named.
func (w *writer) countsTell(c Counts) bool {
	return w.a.Full && (w.a.Ratios && c.RatioShort+c.PairShort > 0 || w.a.Hours && c.Unknown > 0)
}

// paper writes what the letter says. Names stand in its last table and nowhere else.
func (w *writer) paper(u Unit, to task.Unit, said []Finding) notice.Paper {
	p := notice.Paper{
		Subject: w.subject(to, said), Title: "关于行政执法人员管理有关事项的" + w.issuer.Word, Addressee: to.Name, Date: w.d,
		Issuer: w.issuer.Name, Contact: w.issuer.ContactLine(),
	}
	you := cmp.Or(to.Honorific, "贵单位")
	if w.a.Full {
		p.Opening = []string{fmt.Sprintf("%s按我局登记，截至%s，%s列入行政执法人员名册%d人（%s）。现将需办理的事项提示如下。",
			basis(w.set.Staff), w.d.Chinese(), you, u.Counts.People, roll(u.Counts))}
		p.Sections = w.sections(u.Counts)
	} else {
		p.Opening = []string{fmt.Sprintf("按我局登记，截至%s，%s有%d人的行政执法证件临近到期。名单见下表，其他事项见每月的提示。", w.d.Chinese(), you, len(said))}
	}
	if len(said) > 0 {
		p.Sections = append(p.Sections, notice.Section{Heading: listHeading, Table: w.table(said)})
	}
	p.Closing = append([]string{
		"请核对上述情况并及时办理。已办理或已通过其他渠道报送的，请告知时间和结果，我局即予更正；登记与实际不符的，请一并说明。",
		"本件含人员信息，请专人接收，勿转发。",
	}, regards(w.issuer.Word)...)
	return p
}

// basis is what the letter rests on, with a comma behind.
func basis(rules task.StaffRules) string {
	if rules.Basis == "" {
		return ""
	}
	return "根据" + rules.Basis + "，"
}

func roll(c Counts) string {
	var parts clauses
	parts.add(c.InPost, "在岗%d人", c.InPost)
	parts.add(c.OffPost, "离岗%d人", c.OffPost)
	parts.add(c.Applicants, "新申领%d人", c.Applicants)
	parts.add(c.Cancelled, "证件已注销%d人", c.Cancelled)
	return parts.String()
}

// subject names the nearest day and how many people are concerned.
func (w *writer) subject(to task.Unit, said []Finding) string {
	var who []string
	var near civil.Date
	expired := 0
	for _, f := range said {
		if !slices.Contains(who, f.Person.Key) {
			who = append(who, f.Person.Key)
		}
		if f.Class == Expired {
			expired++
		}
		if f.Date >= w.d && (near == 0 || f.Date < near) {
			near = f.Date
		}
	}
	what := fmt.Sprintf("请办理%d人事项", len(who))
	if near != 0 {
		what = monthDay(near, w.d) + "前" + what
	}
	if expired > 0 {
		what += fmt.Sprintf("（%d人证件已过期）", expired)
	}
	if len(said) == 0 {
		what = "请核对人员登记"
	}
	return "【" + w.issuer.Short + "】" + what + "·行政执法人员管理·" + to.Name
}

// table is the only place where people stand by name.
func (w *writer) table(said []Finding) *notice.Table {
	t := &notice.Table{Columns: []notice.Column{
		{Name: "序号", Width: 6, Numeric: true}, {Name: "姓名", Width: 12}, {Name: "岗位", Width: 10}, {Name: "执法证号", Width: 12},
		{Name: "事项", Width: 12}, {Name: "期限", Width: 16}, {Name: "情况", Width: 30},
	}}
	for i, f := range said {
		state, tone := standing(f)
		t.Rows = append(t.Rows, []notice.Cell{
			{N: int64(i + 1)}, {Text: f.Person.Name}, {Text: f.Person.Post}, {Text: shown(f.Person)},
			{Text: matterWord(f.Matter)}, {Text: w.limit(f)}, {Text: state, Tone: tone},
		})
	}
	return t
}

// shown is a certificate's number as the letters show it.
func shown(p task.Person) string { return cmp.Or(MaskCertificate(p.Certificate), "—") }

// limit is the date a matter has, with the last working day before it where it is a day off and still to come.
func (w *writer) limit(f Finding) string {
	switch {
	case f.Date == 0 && f.Matter == Hours:
		return civil.Of(w.a.HoursOn.Year(), 12, 31).Chinese()
	case f.Date == 0:
		return "—"
	case f.LastWorkday != f.Date && f.LastWorkday >= w.d:
		return f.Date.Chinese() + "（最后工作日" + monthDay(f.LastWorkday, f.Date) + "）"
	}
	return f.Date.Chinese()
}
