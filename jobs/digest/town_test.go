package digest

import (
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

var national = workday.National()

func date(s string) civil.Date { return civil.MustParse(s) }

type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// town is a jurisdiction that is lived day by day, and gets its digest on every workday.
type town struct {
	planner.World
	t        failer
	seq      int64
	docs     []notice.Document
	silences []task.Silence
	letters  []notice.Brief
	// refused are the units whose letters come back.
	refused map[string]bool
	last    civil.Date
	lastSeq int64
	papers  map[civil.Date]notice.Paper
	sums    map[civil.Date]Summary
	input   Input
}

func newTown(t failer) *town {
	set := planner.Settings{
		Calendar: national, Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: 5}, ReportDay: 10, Roll: planner.Keep, WeeklyCap: 2,
		Issuer: notice.Issuer{Office: "执法监督科"},
	}
	w := &town{
		t: t, World: planner.World{Set: set}, refused: map[string]bool{}, papers: map[civil.Date]notice.Paper{}, sums: map[civil.Date]Summary{},
	}
	w.Jurisdiction = task.Jurisdiction{Code: "ls", Name: "青岛市崂山区", Bureau: "sfj"}
	w.plan("zf", "提升行政执法质量实施方案", "2024-01-15", "")
	for code, name := range map[string]string{"sfj": "区司法局", "a": "区甲局", "b": "区乙局", "c": "区丙局", "jw": "区纪委监委机关"} {
		w.unit(code, name)
	}
	return w
}

func (w *town) next() int64 { w.seq++; return w.seq }

func (w *town) plan(code, title, issued, validTo string) *town {
	p := task.Plan{Jurisdiction: "ls", Code: code, Title: title, Issued: date(issued), On: date(issued), Seq: w.next()}
	if validTo != "" {
		p.ValidTo = date(validTo)
	}
	w.Plans = append(slices.DeleteFunc(w.Plans, func(old task.Plan) bool { return old.Code == code }), p)
	return w
}

func (w *town) unit(code, name string, change ...func(*task.Unit)) *town {
	u := task.Unit{
		Code: code, Name: name, FullName: "青岛市崂山" + name, Chase: task.ChaseLetter, Groups: []string{"all"}, On: date("2024-01-01"), Seq: w.next(),
		Contacts: []task.Contact{{Role: task.Liaison, Name: "联络员" + code, Email: code + "@gov.example"}},
	}
	if code == "sfj" || code == "jw" {
		u.Groups = nil
	}
	if code == "jw" {
		u.Chase = task.ChaseManual
	}
	for _, f := range change {
		f(&u)
	}
	w.Directory.Units = append(w.Directory.Units, u)
	return w
}

// row adds a row of plan "zf" for the units named; "all" is the group of a, b and c.
func (w *town) row(code string, r deadline.Reading, units string, change ...func(*task.Task)) *town {
	r.Understood = r.Reason == ""
	t := task.Task{
		TaskID: task.TaskID{Jurisdiction: "ls", Plan: "zf", Row: code}, Order: len(w.Tasks) + 1, Title: "任务" + code, DeadlineText: r.Text,
		Reading: r, Deliverable: "工作报告", On: w.Plans[0].Issued, Seq: w.next(),
	}
	for u := range strings.SplitSeq(units, " ") {
		p := task.Party{Code: u, Group: u == "all", Role: task.Responsible, Owes: task.OwesDeliver}
		if rest, ok := strings.CutPrefix(u, "+"); ok {
			p = task.Party{Code: rest, Role: task.Support, Owes: task.OwesSupport}
		}
		if u != "" {
			t.Parties = append(t.Parties, p)
		}
	}
	for _, f := range change {
		f(&t)
	}
	w.Tasks = append(w.Tasks, t)
	return w
}

func of(plan, issued string) func(*task.Task) {
	return func(t *task.Task) { t.Plan, t.On = plan, date(issued) }
}

func sorted(c task.Category) func(*task.Task) { return func(t *task.Task) { t.Category = c } }

func on(days ...string) deadline.Reading {
	r := deadline.Reading{Text: strings.Join(days, "、") + "前"}
	for _, d := range days {
		r.Milestones = append(r.Milestones, deadline.Milestone{Due: date(d)})
	}
	return r
}

func every(e deadline.Every, dates ...string) deadline.Reading {
	return deadline.Reading{Text: fmt.Sprint(e, dates), Recurrences: []deadline.Recurrence{{Every: e, Dates: dates}}}
}

func quota(n int, per deadline.Every) deadline.Reading {
	r := every(per, "end")
	r.Quota = &deadline.Quota{Min: n, Per: &per}
	return r
}

func standing(r deadline.Reading) deadline.Reading { r.Standing = true; return r }

func unread() deadline.Reading { return deadline.Reading{Text: "尽快", Reason: "no date"} }

func after(event string) deadline.Reading {
	return deadline.Reading{Text: event, Condition: &deadline.Condition{Event: event, Offset: &deadline.Offset{N: 1, Unit: "month", Dir: "after"}}}
}

func or(r deadline.Reading, later string) deadline.Reading {
	r.Ambiguous, r.Alternatives = true, []civil.Date{date(later)}
	return r
}

// event records something about an item, "1/a/m1", or a row, "1".
func (w *town) event(d, item string, kind task.EventKind, change ...func(*task.Event)) *town {
	w.t.Helper()
	e := task.Event{Jurisdiction: "ls", Seq: w.next(), On: date(d), Kind: kind, Subject: "ls/zf/" + item, Who: "王某"}
	for _, f := range change {
		f(&e)
	}
	if strings.Count(item, "/") == 0 {
		w.TaskEvents = append(w.TaskEvents, e)
		return w
	}
	w.Records = slices.Clone(w.Records)
	for i, r := range w.Records {
		if r.Obligation.Ref.String() == e.Subject {
			w.Records[i].Events = append(slices.Clone(r.Events), e)
			return w
		}
	}
	w.t.Fatalf("there is no item %s", item)
	return w
}

func to(d string) func(*task.Event)  { return func(e *task.Event) { e.Date = date(d) } }
func why(s string) func(*task.Event) { return func(e *task.Event) { e.Why = s } }
func by(s string) func(*task.Event)  { return func(e *task.Event) { e.Ref = s } }
func n(k int) func(*task.Event)      { return func(e *task.Event) { e.N = k } }

// live lives the days from one to another, both included.
func (w *town) live(from, to string) *town {
	for d := date(from); d <= date(to); d++ {
		before := len(w.Records)
		w.World = w.OpenDay(d)
		if len(w.Records) != before {
			w.next()
		}
		if national.IsWorkday(d) {
			w.write(d)
			w.digest(d)
		}
	}
	return w
}

// write plans the letters of the day. Those to units that are refused come back.
func (w *town) write(d civil.Date) {
	p := w.RemindDay(d)
	w.World = w.Apply(p)
	w.next()
	for _, nt := range p.Notices {
		l := notice.Brief{ID: nt.ID, Key: nt.Key, State: notice.Sent}
		if nt.Key.Kind != notice.UnitLetter {
			l.State = notice.Held
		} else if w.refused[nt.Key.Unit] {
			l.State = notice.Failed
			delete(w.Served, nt.ID)
		}
		w.letters = append(w.letters, l)
	}
	w.docs = append(w.docs, p.Documents...)
}

// digest makes the digest of the day as the store would give it: what was final on the day of the last one is counted.
func (w *town) digest(d civil.Date) {
	w.input = w.read(d)
	paper, sum, ok := Make(w.input, w.Set, d)
	w.sums[d] = sum
	if !ok {
		return
	}
	w.papers[d] = paper
	w.last, w.lastSeq = d, w.next()
}

func (w *town) read(d civil.Date) Input {
	in := Input{
		Jurisdiction: w.Jurisdiction, Plans: w.Plans, Tasks: w.Tasks, TaskEvents: w.TaskEvents, Directory: w.Directory, Since: w.last,
		Silences: w.silences, Documents: w.docs, Outcomes: map[string]notice.Brief{}, Served: w.Served, Last: w.last, LastSeq: w.lastSeq,
	}
	if in.Since == 0 {
		in.Since = d - 1
	}
	tally := map[task.Tally]int{}
	horizon := Horizon(w.Set.Calendar, d)
	for _, r := range w.Records {
		o := r.Obligation
		if task.FinalFrom(o, r.Events, national, w.Set.Terms) > in.Since {
			in.Records = append(in.Records, r)
			continue
		}
		st := task.Latest(o, r.Events, national, w.Set.Terms)
		tally[task.Tally{TaskID: o.TaskID, Role: o.Role, Owes: o.Owes, State: st.State}]++
		touched := slices.ContainsFunc(r.Events, func(e task.Event) bool { return e.Seq > w.lastSeq })
		if touched || st.Effective >= d && st.Effective <= horizon {
			in.Final = append(in.Final, r)
		}
	}
	for k, n := range tally {
		k.N = n
		in.Settled = append(in.Settled, k)
	}
	for _, l := range w.letters {
		in.Outcomes[l.ID] = l
		if l.Key.Date >= monday(d) {
			in.Week = append(in.Week, l)
		}
	}
	for _, r := range w.Records {
		for _, f := range r.Steps {
			if f.On >= monday(d) {
				in.Steps = append(in.Steps, f)
			}
		}
	}
	return in
}

// text is the digest of the day, one paragraph a line.
func (w *town) text(d string) string {
	p, ok := w.papers[date(d)]
	if !ok {
		return ""
	}
	return printed(p)
}

func printed(p notice.Paper) string {
	lines := []string{p.Subject, p.Title, p.Sub}
	for i, s := range p.Sections {
		lines = append(lines, numeral(i+1)+"、"+s.Heading)
		lines = append(lines, s.Paras...)
		for k, l := range s.Lines {
			lines = append(lines, fmt.Sprintf("%d. %s", k+1, l))
		}
		if s.Table != nil {
			for r := range s.Table.Rows {
				var cells []string
				for c := range s.Table.Columns {
					cells = append(cells, s.Table.Words(r, c))
				}
				lines = append(lines, strings.Join(cells, "｜"))
			}
		}
		lines = append(lines, s.Notes...)
	}
	return strings.Join(lines, "\n")
}

// has fails unless the digest of the day holds every piece.
func (w *town) has(d string, pieces ...string) {
	w.t.Helper()
	got := w.text(d)
	for _, p := range pieces {
		if !strings.Contains(got, p) {
			w.t.Errorf("the digest of %s lacks %q:\n%s", d, p, got)
		}
	}
}

func (w *town) lacks(d string, pieces ...string) {
	w.t.Helper()
	for _, p := range pieces {
		if got := w.text(d); strings.Contains(got, p) {
			w.t.Errorf("the digest of %s must not say %q:\n%s", d, p, got)
		}
	}
}
