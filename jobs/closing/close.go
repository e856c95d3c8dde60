package closing

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

// BureauRole is the role under which the bureau reads summaries and digests.
const BureauRole = "bureau"

// Snapshot is what closing is decided on.
type Snapshot struct {
	Jurisdiction task.Jurisdiction
	Plans        []task.Plan    // every version
	Tasks        []task.Task    // every version of the rows that are closed
	Directory    task.Directory // every version
	Closings     []task.Closing // of all kinds that the day may close
	// Records are the obligations of the rows that are closed, at least those of the instances that Instances names.
	Records []task.Record
}

// Result is what closing a day comes to.
type Result struct {
	Notices   []notice.Notice
	Documents []notice.Document
	Closings  []task.Closing
	Steps     []task.FiredStep
}

// Duties closes periods of duties on day d, in their order, each as it stood on its own day of closing, and writes a summary
// of each to the bureau. Earlier periods of the same duty that come to other figures by then are restated in it.
//
// An error means that frozen figures cannot be read.
func Duties(s Snapshot, set planner.Settings, job string, periods []Period, d civil.Date) (Result, error) {
	c := closer{Snapshot: s, set: set, job: job, day: d, past: map[duty][]past{}}
	c.office = officeOf(s, set, d)
	for _, p := range periods {
		if err := c.duty(p); err != nil {
			return Result{}, err
		}
	}
	return c.out, nil
}

type closer struct {
	Snapshot
	set    planner.Settings
	job    string
	day    civil.Date
	office office
	past   map[duty][]past // read once
	out    Result
}

// past is a closed period with its figures as they stand: frozen, or restated last.
type past struct {
	closing task.Closing // of version 0
	version int          // the last
	figures Frozen
}

// duty closes one period.
func (c *closer) duty(p Period) error {
	t, ok := lastVersion(c.Tasks, p.Task, p.On)
	if !ok {
		return nil
	}
	names := namesAsOf(c.Directory, p.On)
	set := c.set.On(p.On)
	f := freeze(t, p, c.Records, names, c.Jurisdiction.Bureau, set, p.On)
	if f.Counts.Due == f.Counts.Withdrawn+f.Counts.Moved { // nobody owes it any more
		return nil
	}
	history, err := c.history(p.duty())
	if err != nil {
		return err
	}
	key := notice.Key{
		Jurisdiction: c.Jurisdiction.Code, Date: c.day, Unit: c.Jurisdiction.Bureau, Role: BureauRole,
		Kind: notice.Summary, Matter: matter(p.Task.Plan, p.Task.Row, p.Key),
	}
	restated, err := c.restate(history, t, p, names, set, key.ID())
	if err != nil {
		return err
	}
	cl := task.Closing{
		Jurisdiction: c.Jurisdiction.Code, Kind: p.Kind, Plan: p.Task.Plan, Row: p.Task.Row, Period: p.Key,
		On: p.On, Seq: c.Jurisdiction.Seq, Issue: nextIssue(history, p.Key), Notice: key.ID(),
	}
	if cl.Frozen, err = f.Encode(); err != nil {
		return err
	}
	c.out.Closings = append(c.out.Closings, cl)
	sum := summary{
		task: t, period: p, figures: f, issue: cl.Issue, office: c.office, plan: c.plan(t.Plan, p.On),
		previous: previous(c.past[p.duty()], f.Due), restated: restated, day: c.day,
	}
	c.past[p.duty()] = append(c.past[p.duty()], past{closing: cl, figures: f})
	c.letter(key, sum.paper(), sum.plan)
	return nil
}

// letter adds an ordinary letter to the bureau.
func (c *closer) letter(key notice.Key, paper notice.Paper, plan notice.Plan) {
	n := notice.Notice{ID: key.ID(), Key: key, Job: c.job, State: notice.Pending, Facts: notice.Facts{
		Jurisdiction: c.Jurisdiction.Name, Date: c.day, Issuer: c.office.issuer, Reader: c.office.bureau,
		Recipients: c.office.readers, Plans: []notice.Plan{plan}, Paper: &paper, Versions: c.set.Versions,
	}}
	if len(n.Facts.Recipients) == 0 {
		n.State, n.Reason = notice.Held, "the bureau has no liaison with an e-mail address; import one, or configure the readers of its digest"
	}
	c.out.Notices = append(c.out.Notices, n)
}

// history is what was closed of a duty before, the earliest due first.
func (c *closer) history(of duty) ([]past, error) {
	if known, ok := c.past[of]; ok {
		return known, nil
	}
	last := map[string]*past{}
	for _, cl := range c.Closings {
		if dutyOf(cl) != of {
			continue
		}
		p := last[cl.Period]
		if p == nil {
			p = &past{version: -1}
			last[cl.Period] = p
		}
		if cl.Version == 0 {
			p.closing = cl
		}
		if cl.Version > p.version {
			f, err := Decode(cl.Frozen)
			if err != nil {
				return nil, fmt.Errorf("closing %s %s/%s %s: %w", cl.Kind, cl.Plan, cl.Row, cl.Period, err)
			}
			p.version, p.figures = cl.Version, f
		}
	}
	var out []past
	for _, p := range last {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b past) int {
		return cmp.Or(cmp.Compare(a.figures.Due, b.figures.Due), strings.Compare(a.closing.Period, b.closing.Period))
	})
	c.past[of] = out
	return out, nil
}

// restatement is a closed period that came to other figures.
type restatement struct {
	closing     task.Closing
	changes     []Change
	before, now Frozen
}

// restate folds the earlier periods of the duty anew as of the period's day of closing, and adds a closing for each that
// comes to something else. The letter that says it is the period's summary.
func (c *closer) restate(history []past, t task.Task, p Period, names names, set planner.Settings, letter string) ([]restatement, error) {
	var out []restatement
	for i := range history {
		h := &history[i]
		then := t
		then.Title, then.Fields = h.figures.Title, h.figures.Fields
		q := Period{Task: p.Task, Kind: p.Kind, Key: h.closing.Period, Instances: instances(h.figures), Due: h.figures.Due, On: p.On}
		now := freeze(then, q, c.Records, names, c.Jurisdiction.Bureau, set, p.On)
		changes := Compare(h.figures, now)
		if len(changes) == 0 {
			continue
		}
		cl := h.closing
		cl.On, cl.Seq, cl.Issue, cl.Version, cl.Notice = p.On, c.Jurisdiction.Seq, 0, h.version+1, letter
		var err error
		if cl.Frozen, err = now.Encode(); err != nil {
			return nil, err
		}
		out = append(out, restatement{h.closing, changes, h.figures, now})
		h.version, h.figures = cl.Version, now
		c.out.Closings = append(c.out.Closings, cl)
	}
	return out, nil
}

// Instances names the instances, by row, whose obligations Duties looks at: those of the periods, and those of the periods
// of the same duties that were closed before. An error means that frozen figures cannot be read.
func Instances(s Snapshot, periods []Period) (map[task.TaskID]map[string]bool, error) {
	c := closer{Snapshot: s, past: map[duty][]past{}}
	out := map[task.TaskID]map[string]bool{}
	for _, p := range periods {
		if out[p.Task] == nil {
			out[p.Task] = map[string]bool{}
		}
		for _, name := range p.Instances {
			out[p.Task][name] = true
		}
		history, err := c.history(p.duty())
		if err != nil {
			return nil, err
		}
		for _, h := range history {
			for _, name := range instances(h.figures) {
				out[p.Task][name] = true
			}
		}
	}
	return out, nil
}

// instances lists those that a closed period holds returns of.
func instances(f Frozen) []string {
	var out []string
	for _, r := range f.Returns {
		out = append(out, r.Instance)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// nextIssue is the number of a summary (第N期): one more than the last of the duty within the year its period belongs to.
func nextIssue(history []past, key string) int {
	n := 0
	for _, h := range history {
		if year(h.closing.Period) == year(key) {
			n = max(n, h.closing.Issue)
		}
	}
	return n + 1
}

func year(key string) string { return key[:min(4, len(key))] }

// previous is the closed period whose returns were due last before the day.
func previous(history []past, due civil.Date) *past {
	var last *past
	for i, h := range history {
		if h.figures.Due < due && (last == nil || h.figures.Due > last.figures.Due) {
			last = &history[i]
		}
	}
	return last
}

// lastVersion returns the row as it stood on day d; of one that was withdrawn, as it stood last.
func lastVersion(all []task.Task, id task.TaskID, d civil.Date) (best task.Task, ok bool) {
	for _, t := range all {
		if t.TaskID == id && t.On <= d && !t.Withdrawn && (!ok || t.On > best.On || t.On == best.On && t.Seq > best.Seq) {
			best, ok = t, true
		}
	}
	return best, ok
}

func (c *closer) plan(code string, d civil.Date) notice.Plan {
	for _, p := range task.PlansAsOf(c.Plans, d) {
		if p.Code == code {
			return notice.Plan{Code: p.Code, Title: p.Title, DocNumber: p.DocNumber, Issued: p.Issued}
		}
	}
	return notice.Plan{Code: code, Title: code}
}

// office is the bureau as letters of the day name it.
type office struct {
	issuer  notice.Issuer
	bureau  notice.Reader
	readers []notice.Recipient
}

// officeOf reads the bureau's entry among the units; what the settings name goes before it.
func officeOf(s Snapshot, set planner.Settings, d civil.Date) office {
	u, _ := s.Directory.AsOf(d).Unit(s.Jurisdiction.Bureau)
	c, _ := u.Contact(task.Liaison)
	i := set.Issuer
	i.Name = cmp.Or(i.Name, u.FullName, u.Name, s.Jurisdiction.Name)
	i.Short = cmp.Or(i.Short, u.Name, i.Name)
	i.Word = cmp.Or(i.Word, "工作提示")
	if i.Contact == "" {
		i.Contact, i.Phone, i.Email = c.Name, cmp.Or(i.Phone, c.Phone), cmp.Or(i.Email, c.Email)
	}
	i.Address = cmp.Or(i.Address, u.Address)
	o := office{issuer: i, readers: slices.Clone(set.Bureau), bureau: notice.Reader{
		Code: s.Jurisdiction.Bureau, Name: cmp.Or(u.Name, i.Short), FullName: cmp.Or(u.FullName, u.Name, i.Name), Honorific: cmp.Or(u.Honorific, "贵局"),
	}}
	if len(o.readers) == 0 && c.Email != "" {
		o.readers = []notice.Recipient{{Role: string(task.Liaison), Name: c.Name, Email: c.Email}}
	}
	return o
}
