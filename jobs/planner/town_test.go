package planner_test

import (
	"fmt"
	"maps"
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

func policy() planner.Settings {
	return planner.Settings{
		Calendar: national, Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: 5}, ReportDay: 10, Roll: planner.Keep,
		UrgingWord: "催办函",
	}
}

// town is a jurisdiction with one plan "zf", lived day by day. Units a, b, c are 区甲局, 区乙局, 区丙局; group "all" holds
// those that a test puts into it.
type town struct {
	planner.World
	t      failer
	seq    int64
	down   bool // the mail server refuses everything
	diary  []string
	plans  []planner.Plan
	passed []task.FiredStep
	forms  []string // drafted and dropped
	// silences are all entries; what is known of them on a day is put into the world that day.
	silences []task.Silence
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func newTown(t failer) *town {
	w := &town{t: t, World: planner.World{Set: policy()}}
	w.Jurisdiction = task.Jurisdiction{Code: "ls", Name: "青岛市崂山区", Bureau: "sfj"}
	w.Plans = []task.Plan{{Jurisdiction: "ls", Code: "zf", Title: "提升行政执法质量", Issued: date("2024-01-15"), On: date("2024-01-15")}}
	for _, code := range []string{"a", "b", "c", "sfj"} {
		w.unit(code, "2024-01-01")
	}
	return w
}

func (w *town) issued(d string) *town {
	w.Plans[0].Issued, w.Plans[0].On = date(d), date(d)
	return w
}

func (w *town) next() int64 { w.seq++; return w.seq }

// unit adds a version of a unit that counts from the day, with a liaison and a deputy.
func (w *town) unit(code, on string, change ...func(*task.Unit)) *town {
	u := task.Unit{
		Code: code, Name: "区" + code + "局", FullName: "青岛市崂山区" + code + "局", Honorific: "贵局", Chase: task.ChaseLetter,
		Contacts: []task.Contact{
			{Role: task.Liaison, Name: "联络员" + code, Email: code + "@gov.example"},
			{Role: task.Deputy, Name: "分管" + code, Email: code + "-deputy@gov.example"},
			{Role: task.Legal, Name: "法制" + code, Email: code + "-legal@gov.example"},
		},
		On: date(on), Seq: w.next(),
	}
	for _, f := range change {
		f(&u)
	}
	w.Directory.Units = append(w.Directory.Units, u)
	return w
}

func in(groups ...string) func(*task.Unit) { return func(u *task.Unit) { u.Groups = groups } }
func chased(c task.Chase) func(*task.Unit) { return func(u *task.Unit) { u.Chase = c } }
func liaison(mail string) func(*task.Unit) {
	return func(u *task.Unit) { u.Contacts[0].Email = mail }
}
func nobody(u *task.Unit) { u.Contacts = nil }

// row adds a version of a row that counts from the plan's issue, for unit a, with a deliverable.
func (w *town) row(code string, r deadline.Reading, change ...func(*task.Task)) *town {
	r.Understood = true
	if len(r.Recurrences) > 0 {
		r.Recurrence = &r.Recurrences[0]
	}
	t := task.Task{
		TaskID: task.TaskID{Jurisdiction: "ls", Plan: "zf", Row: code}, Order: len(w.Tasks) + 1, Title: "任务" + code,
		DeadlineText: r.Text, Reading: r, Deliverable: "工作报告", Parties: []task.Party{lead("a")},
		On: w.Plans[0].Issued, Seq: w.next(),
	}
	for _, f := range change {
		f(&t)
	}
	w.Tasks = append(w.Tasks, t)
	return w
}

func lead(u string) task.Party { return task.Party{Code: u, Role: task.Lead, Owes: task.OwesDeliver} }
func support(u string) task.Party {
	return task.Party{Code: u, Role: task.Support, Owes: task.OwesSupport}
}
func everybody(group string) task.Party {
	return task.Party{Code: group, Group: true, Role: task.Responsible, Owes: task.OwesDeliver}
}
func by(p ...task.Party) func(*task.Task) { return func(t *task.Task) { t.Parties = p } }
func from(d string) func(*task.Task)      { return func(t *task.Task) { t.On = date(d) } }
func until(d string) func(*task.Task)     { return func(t *task.Task) { t.ValidTo = date(d) } }
func kept(c task.Chase) func(*task.Task)  { return func(t *task.Task) { t.Chase = c } }
func progressOnly(t *task.Task)           { t.Deliverable = "" }
func gone(t *task.Task)                   { t.Withdrawn = true }
func sorted(c task.Category) func(*task.Task) {
	return func(t *task.Task) { t.Category = c }
}

// The readings of deadline cells.
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

func number(n int, per deadline.Every) deadline.Reading {
	r := every(per, "end")
	r.Quota = &deadline.Quota{Min: n, Per: &per}
	return r
}

func after(event string, n int, unit string) deadline.Reading {
	c := &deadline.Condition{Event: event}
	if unit != "" {
		c.Offset = &deadline.Offset{N: n, Unit: unit, Dir: "after"}
	}
	return deadline.Reading{Text: event, Condition: c}
}

func or(r deadline.Reading, later ...string) deadline.Reading {
	r.Ambiguous = true
	for _, d := range later {
		r.Alternatives = append(r.Alternatives, date(d))
	}
	return r
}

// event records that something happened to an item, written "1/a/m1", on the day.
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
	w.t.Fatalf("there is no item %s to record %s on; there are %s", item, kind, w.items())
	return w
}

func to(d string) func(*task.Event)     { return func(e *task.Event) { e.Date = date(d) } }
func ref(r string) func(*task.Event)    { return func(e *task.Event) { e.Ref = r } }
func unit(u string) func(*task.Event)   { return func(e *task.Event) { e.Unit = u } }
func n(number int) func(*task.Event)    { return func(e *task.Event) { e.N = number } }
func due(d string) func(*task.Event)    { return func(e *task.Event) { e.Date = date(d) } }
func voids(seq int64) func(*task.Event) { return func(e *task.Event) { e.Voids = seq } }

// silence keeps everything that would be said about a unit, a plan or an item from being said.
func (w *town) silence(from, until civil.Date, over task.Scope, subject string) *town {
	w.silences = append(w.silences, task.Silence{
		Jurisdiction: "ls", Seq: w.next(), On: from, Until: until, Scope: over, Subject: subject, Who: "王某", Why: "机构改革",
	})
	return w
}

// lift ends a silence: the day is the first without it.
func (w *town) lift(on civil.Date, seq int64) *town {
	for _, s := range w.silences {
		if s.Seq == seq && s.Lifts == 0 {
			s.Seq, s.On, s.Lifts = w.next(), on, seq
			w.silences = append(w.silences, s)
			break
		}
	}
	return w
}

// listen puts what is known of the silences on the day into the world.
func (w *town) listen(d civil.Date) {
	w.Silences = task.SilencesAsOf(w.silences, d)
}

// day lives one day: it opens, and on a workday it writes.
func (w *town) day(d civil.Date) {
	w.World = w.OpenDay(d)
	w.listen(d)
	if national.IsWorkday(d) {
		w.carryOut(d, w.RemindDay(d))
	}
}

// recordOpenings numbers what was opened on the day among what is entered, as the register does. What a story's town opens is
// known to it from the start.
func (w *town) recordOpenings() {
	w.Records = slices.Clone(w.Records)
	for i, r := range w.Records {
		if !slices.ContainsFunc(r.Events, func(e task.Event) bool { return e.Kind == task.Opened }) {
			e := task.Event{Jurisdiction: "ls", Seq: w.next(), On: r.Obligation.Opened, Kind: task.Opened, Subject: r.Obligation.Ref.String(), Who: "duban open"}
			w.Records[i].Events = append(slices.Clone(r.Events), e)
		}
	}
}

// carryOut does what the plan of a day says, and notes its letters.
func (w *town) carryOut(d civil.Date, p planner.Plan) {
	w.plans = append(w.plans, p)
	w.World = w.Apply(p)
	w.Unsent = slices.DeleteFunc(slices.Clone(w.Unsent), func(n notice.Notice) bool {
		return p.Supersede[n.ID] != "" || p.Cancel[n.ID] != ""
	})
	for _, id := range slices.Sorted(maps.Keys(p.Cancel)) {
		w.diary = append(w.diary, fmt.Sprintf("%s a letter is cancelled: %s", d.String()[5:], p.Cancel[id]))
	}
	for _, nt := range p.Notices {
		if nt.Key.Kind == notice.SupervisionForm {
			continue
		}
		w.diary = append(w.diary, w.letter(nt))
		if w.down || nt.State == notice.Held {
			delete(w.Served, nt.ID)
			w.Week[slices.IndexFunc(w.Week, func(b notice.Brief) bool { return b.ID == nt.ID })].State = nt.State
			w.Unsent = append(w.Unsent, nt)
		}
	}
	w.file(d, p)
	for _, f := range p.Steps {
		if f.Passed != "" && f.Role == task.Liaison {
			w.passed = append(w.passed, f)
		}
	}
}

// file notes the forms drafted and dropped: "07-12 1/a/m1 T+10", "07-15 dropped: the unit reported on 2024-07-13".
func (w *town) file(d civil.Date, p planner.Plan) {
	for _, f := range p.Steps {
		item := strings.TrimPrefix(f.Obligation, "ls/zf/")
		if f.Role == task.Deputy && f.Passed == "" {
			w.forms = append(w.forms, fmt.Sprintf("%s %s %s", d.String()[5:], item, f.Step))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.Drop)) {
		w.forms = append(w.forms, fmt.Sprintf("%s dropped: %s", d.String()[5:], p.Drop[id]))
	}
}

// drafted compares the forms drafted and dropped with what is wanted.
func (w *town) drafted(want ...string) *town {
	w.t.Helper()
	if !slices.Equal(w.forms, want) {
		w.t.Errorf("drafted\n  %s\nwant\n  %s", strings.Join(w.forms, "\n  "), strings.Join(want, "\n  "))
	}
	w.forms = nil
	return w
}

// live lives from one day to another, both included.
func (w *town) live(from, to string) *town {
	for d := date(from); d <= date(to); d++ {
		w.day(d)
	}
	return w
}

// off is a time in which the worker does not run; what opens is made up when it is back.
func (w *town) off(from, to string) *town {
	for d := date(from); d <= date(to); d++ {
		w.World = w.OpenDay(d)
	}
	return w
}

func (w *town) mail(up bool) *town { w.down = !up; return w }

// bounced says that the mail server refused the letters that have not left, for good.
func (w *town) bounced(why string) *town {
	w.Failed = slices.Clone(w.Failed)
	for _, n := range w.Unsent {
		n.State, n.Reason, n.Receipts = notice.Failed, why, []notice.Receipt{{Outcome: notice.OutcomePermanent}}
		w.Failed = append(w.Failed, n)
	}
	w.Unsent = nil
	return w
}

// letter writes what a diary says of a letter: "06-25 a: upcoming 1/m1 T-3 + 2/m1; overdue 3/m1 T+2; cc deputy".
func (w *town) letter(nt notice.Notice) string {
	var parts []string
	for _, s := range []struct {
		name  string
		items []notice.Item
	}{
		{"overdue", nt.Facts.Overdue}, {"upcoming", nt.Facts.Upcoming}, {"behind", nt.Facts.Behind}, {"clocks", nt.Facts.Clocks},
		{"support", nt.Facts.Support}, {"standing", nt.Facts.Standing}, {"awaiting", nt.Facts.Awaiting},
	} {
		var items []string
		for _, it := range s.items {
			name := strings.TrimPrefix(it.Ref, "ls/zf/")
			name = strings.Replace(name, "/"+nt.Key.Unit+"/", "/", 1)
			items = append(items, strings.TrimSpace(name+" "+it.Step))
		}
		if len(items) > 0 {
			parts = append(parts, s.name+" "+strings.Join(items, " + "))
		}
	}
	for _, r := range nt.Facts.Recipients {
		if r.Copy {
			parts = append(parts, "cc "+r.Role)
		}
	}
	if nt.Reason != "" {
		parts = append(parts, string(nt.State))
	}
	return fmt.Sprintf("%s %s: %s", nt.Key.Date.String()[5:], nt.Key.Unit, strings.Join(parts, "; "))
}

// wrote compares the diary with what is wanted and starts a new one.
func (w *town) wrote(want ...string) *town {
	w.t.Helper()
	if got := strings.Join(w.diary, "\n"); got != strings.Join(want, "\n") {
		w.t.Errorf("got\n  %s\nwant\n  %s", strings.ReplaceAll(got, "\n", "\n  "), strings.Join(want, "\n  "))
	}
	w.diary = nil
	return w
}

// passedOver compares the steps that were recorded as passed over, "1/a/m1 T+2: reason".
func (w *town) passedOver(want ...string) *town {
	w.t.Helper()
	var got []string
	for _, f := range w.passed {
		got = append(got, fmt.Sprintf("%s %s: %s", strings.TrimPrefix(f.Obligation, "ls/zf/"), f.Step, f.Passed))
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("passed over\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	w.passed = nil
	return w
}

// items lists what is open in the register: "1/a/m1 milestone 2024-06-30".
func (w *town) items() string {
	var out []string
	for _, r := range w.Records {
		out = append(out, describe(r.Obligation))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func describe(o task.Obligation) string {
	s := fmt.Sprintf("%s %s %s", strings.TrimPrefix(o.Ref.String(), "ls/zf/"), o.Kind, o.Nominal)
	if o.Effective != o.Nominal {
		s += " effective " + o.Effective.String()
	}
	if o.Assess != o.Effective {
		s += " assess " + o.Assess.String()
	}
	for word, set := range map[string]bool{" past": o.PastAtIssue, " inherited": o.Inherited, " provisional": o.Provisional} {
		if set {
			s += word
		}
	}
	if o.Quota > 0 {
		s += fmt.Sprintf(" quota %d from %s", o.Quota, o.PaceFrom)
	}
	return s + " opened " + o.Opened.String()[5:]
}

func (w *town) holds(want ...string) *town {
	w.t.Helper()
	slices.Sort(want)
	if got := w.items(); got != strings.Join(want, "\n") {
		w.t.Errorf("got\n  %s\nwant\n  %s", strings.ReplaceAll(got, "\n", "\n  "), strings.Join(want, "\n  "))
	}
	return w
}

// held lists what the last planned day held back.
func (w *town) held() string {
	var out []string
	for _, h := range w.plans[len(w.plans)-1].Held {
		out = append(out, fmt.Sprintf("%s %s: %s", strings.TrimPrefix(h.Ref, "ls/zf/"), h.Step, h.Reason))
	}
	return strings.Join(out, "; ")
}
