package closing_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/deadline"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

var national = workday.National()

func date(s string) civil.Date { return civil.MustParse(s) }

// world is a county with one plan "zf", units a, b, c … in the group "all", and the bureau "sfj".
type world struct {
	t        failer
	set      planner.Settings
	jur      task.Jurisdiction
	plans    []task.Plan
	tasks    []task.Task
	dir      task.Directory
	opened   []task.Obligation
	events   []task.Event
	steps    []task.FiredStep
	docs     []notice.Document
	silences []task.Silence
	served   map[string]civil.Date
	closed   []task.Closing
	diary    []notice.Notice
	formal   []notice.Document
	seq      int64
	// today, where set, hides what counts from later days; whole says that everything is opened already.
	today civil.Date
	whole bool
}

type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func newWorld(t failer, units ...string) *world {
	w := &world{t: t, served: map[string]civil.Date{}}
	w.set = planner.Settings{
		Calendar: national, Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: 5}, ReportDay: 10, Roll: planner.Keep, Grace: 3,
		Rungs: map[ladder.Rung]planner.Office{ladder.Bulletin: {
			Name: "泗水县人民政府办公室", Short: "县政府办", Word: "通报", Email: "zfb@gov.example",
		}},
	}
	w.jur = task.Jurisdiction{Code: "ss", Name: "济宁市泗水县", Bureau: "sfj", LiveFrom: date("2024-01-01")}
	w.plans = []task.Plan{{Jurisdiction: "ss", Code: "zf", Title: "规范行政执法行动方案", DocNumber: "泗政办发〔2024〕3号", Issued: date("2024-01-02"), On: date("2024-01-02")}}
	for _, u := range append([]string{"sfj"}, units...) {
		w.unit(u, "2024-01-01")
	}
	return w
}

func (w *world) issued(d string) *world {
	w.plans[0].Issued, w.plans[0].On = date(d), date(d)
	return w
}

func (w *world) next() int64 { w.seq++; w.jur.Seq = w.seq; return w.seq }

func (w *world) unit(code, on string) *world {
	u := task.Unit{
		Code: code, Name: "县" + code + "局", FullName: "泗水县" + code + "局", Honorific: "贵局", Chase: task.ChaseLetter, On: date(on), Seq: w.next(),
		Contacts: []task.Contact{{Role: task.Liaison, Name: "联络员" + code, Email: code + "@gov.example", Phone: "0000-1"}},
	}
	if code != "sfj" {
		u.Groups = []string{"all"}
	} else {
		u.Name, u.FullName = "县司法局", "泗水县司法局"
	}
	w.dir.Units = append(w.dir.Units, u)
	return w
}

func every(e deadline.Every, dates ...string) deadline.Reading {
	return deadline.Reading{Text: fmt.Sprint(e, dates), Recurrences: []deadline.Recurrence{{Every: e, Dates: dates}}}
}

func on(days ...string) deadline.Reading {
	r := deadline.Reading{Text: strings.Join(days, "、") + "前"}
	for _, d := range days {
		r.Milestones = append(r.Milestones, deadline.Milestone{Due: date(d)})
	}
	return r
}

func (w *world) row(code string, r deadline.Reading, change ...func(*task.Task)) *world {
	r.Understood = true
	if len(r.Recurrences) > 0 {
		r.Recurrence = &r.Recurrences[0]
	}
	t := task.Task{
		TaskID: task.TaskID{Jurisdiction: "ss", Plan: "zf", Row: code}, Order: len(w.tasks) + 1, Title: "突出问题整治月报" + code,
		DeadlineText: r.Text, Reading: r, Deliverable: "报告", On: w.plans[0].Issued, Seq: w.next(),
		Parties: []task.Party{{Code: "all", Group: true, Role: task.Responsible, Owes: task.OwesDeliver}, {Code: "sfj", Role: task.Lead, Owes: task.OwesDeliver}},
	}
	for _, f := range change {
		f(&t)
	}
	w.tasks = append(w.tasks, t)
	return w
}

func fields(names ...string) func(*task.Task) { return func(t *task.Task) { t.Fields = names } }

// open opens what is open by the day.
func (w *world) open(d string) *world {
	if w.whole {
		return w
	}
	existing := map[string]bool{}
	for _, o := range w.opened {
		existing[o.Ref.String()] = true
	}
	src := planner.Sources{Jurisdiction: w.jur, Plans: w.plans, Tasks: w.tasks, Directory: w.dir, Existing: existing}
	w.opened = append(w.opened, planner.Open(src, w.set, date(d)).Obligations...)
	return w
}

// event records what happened to "ROW/UNIT/INSTANCE".
func (w *world) event(d, item string, kind task.EventKind, change ...func(*task.Event)) *world {
	w.t.Helper()
	if !slices.ContainsFunc(w.opened, func(o task.Obligation) bool { return o.Ref.String() == "ss/zf/"+item }) {
		w.t.Fatalf("there is no item %s", item)
	}
	e := task.Event{Jurisdiction: "ss", Seq: w.next(), On: date(d), Kind: kind, Subject: "ss/zf/" + item, Who: "王某"}
	for _, f := range change {
		f(&e)
	}
	w.events = append(w.events, e)
	return w
}

// report records a return with its figures, in the order name, number, name, number.
func (w *world) report(d, item string, figures ...any) *world {
	w.t.Helper()
	return w.event(d, item, task.Reported, with(figures...))
}

func with(figures ...any) func(*task.Event) {
	return func(e *task.Event) {
		for i := 0; i+1 < len(figures); i += 2 {
			if e.Figures == nil {
				e.Figures = map[string]int64{}
			}
			e.Figures[figures[i].(string)] = int64(figures[i+1].(int))
		}
	}
}

func nothing(e *task.Event)             { e.Nil = true }
func to(d string) func(*task.Event)     { return func(e *task.Event) { e.Date = date(d) } }
func voids(seq int64) func(*task.Event) { return func(e *task.Event) { e.Voids = seq } }

// last is the seq of the last event on the item.
func (w *world) last(item string) int64 {
	for _, e := range slices.Backward(w.events) {
		if e.Subject == "ss/zf/"+item {
			return e.Seq
		}
	}
	w.t.Fatalf("nothing happened to %s", item)
	return 0
}

func (w *world) records() []task.Record {
	var out []task.Record
	for _, o := range w.opened {
		r := task.Record{Obligation: o}
		for _, e := range w.events {
			if e.Subject == o.Ref.String() && (w.today == 0 || e.On <= w.today) {
				r.Events = append(r.Events, e)
			}
		}
		for _, f := range w.steps {
			if f.Obligation == o.Ref.String() {
				r.Steps = append(r.Steps, f)
			}
		}
		out = append(out, r)
	}
	return out
}

// due answers as the register does.
func (w *world) due(asks []closing.Ask) []task.PeriodDue {
	if len(asks) == 0 {
		return nil
	}
	type key struct {
		id       task.TaskID
		instance string
	}
	found := map[key]task.PeriodDue{}
	for _, a := range asks {
		for _, o := range w.opened {
			if o.Owes != task.OwesDeliver || o.PastAtIssue || o.Inherited || !slices.Contains(a.Kinds, o.Kind) {
				continue
			}
			k := key{o.TaskID, o.Instance}
			p := found[k]
			found[k] = task.PeriodDue{TaskID: o.TaskID, Kind: o.Kind, Instance: o.Instance, Due: max(p.Due, o.Effective)}
		}
	}
	var out []task.PeriodDue
	for _, p := range found {
		if slices.ContainsFunc(asks, func(a closing.Ask) bool { return slices.Contains(a.Kinds, p.Kind) && a.From <= p.Due && p.Due <= a.To }) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b task.PeriodDue) int {
		return cmp.Or(strings.Compare(a.TaskID.String(), b.TaskID.String()), strings.Compare(a.Instance, b.Instance))
	})
	return out
}

func (w *world) snapshot() closing.Snapshot {
	return closing.Snapshot{
		Jurisdiction: w.jur, Plans: w.plans, Tasks: w.tasks, Directory: w.dir, Closings: w.closed,
	}
}

func (w *world) take(out closing.Result, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	w.closed = append(w.closed, out.Closings...)
	w.diary = append(w.diary, out.Notices...)
	w.formal = append(w.formal, out.Documents...)
	w.steps = append(w.steps, out.Steps...)
}

// month runs the monthly close of one day.
func (w *world) month(d civil.Date) {
	w.t.Helper()
	w.open(d.String())
	w.duties("monthly-close", closing.AskMonthly(w.set, d), d)
}

// duties closes the duties of a day, and reads as little as the job does.
func (w *world) duties(job string, asks []closing.Ask, d civil.Date) {
	w.t.Helper()
	s := w.snapshot()
	periods := closing.Pick(w.due(asks), s, w.set, d)
	if len(periods) > 0 {
		s.Records = w.records()
		w.take(closing.Duties(s, w.set, job, periods, d))
	}
}

// months runs the monthly close day by day.
func (w *world) months(from, until string) *world {
	w.t.Helper()
	for d := date(from); d <= date(until); d++ {
		w.month(d)
	}
	return w
}

// quarters runs the quarterly close day by day.
func (w *world) quarters(from, until string) *world {
	w.t.Helper()
	for d := date(from); d <= date(until); d++ {
		w.quarter(d)
	}
	return w
}

func (w *world) quarter(d civil.Date) {
	w.t.Helper()
	w.open(d.String())
	w.duties("quarterly-close", closing.AskQuarterly(w.set, d), d)
	s := w.snapshot()
	spans := s.Open(closing.Spans(w.set, d), w.set, d)
	if len(spans) == 0 {
		return
	}
	q := closing.Quarter{Snapshot: s, Items: w.records(), Served: w.served, Silences: w.silences}
	for _, doc := range w.docs {
		if doc.State == notice.Issued {
			q.Forms = append(q.Forms, doc)
			for _, r := range q.Items {
				if slices.Contains(doc.Refs, r.Obligation.Ref.String()) {
					q.Formed = append(q.Formed, r)
				}
			}
		}
	}
	w.take(closing.Jurisdictionwide(q, w.set, "quarterly-close", spans, d))
}

// said notes that a letter of the day said a step of the item, and that it was served.
func (w *world) said(d, item, step string) *world {
	id := "letter-" + d + "-" + item
	w.steps = append(w.steps, task.FiredStep{Obligation: "ss/zf/" + item, Step: step, N: 1, Role: task.Liaison, On: date(d), Notice: id})
	w.served[id] = date(d)
	return w
}

// form notes that a supervision form about the item was issued on the day and handed over on another; an empty one: by mail.
func (w *world) form(d, item string, handed string) *world {
	doc := notice.Document{
		ID: "form-" + item, Jurisdiction: "ss", Kind: notice.SupervisionForm, Matter: notice.MatterOf("ss/zf/"+item, 0), Refs: []string{"ss/zf/" + item},
		State: notice.Issued, Drafted: date(d), Date: date(d), Number: "督办〔2024〕1号", Via: notice.ByMail,
	}
	if handed != "" {
		doc.Via, doc.Served = notice.ByPaper, date(handed)
	}
	w.docs = append(w.docs, doc)
	return w
}

// rates prints a closing of the whole jurisdiction: "2024-07-15 2024Q2 #1: 4 = 1 on time + 1 late + 1 open + 1 extended; 1/2 rows".
func (w *world) rates() []string {
	var out []string
	for _, c := range w.closed {
		if c.Row != "" {
			continue
		}
		r, err := closing.DecodeRates(c.Frozen)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		line := fmt.Sprintf("%s %s #%d", c.On, c.Period, c.Issue)
		if c.Version > 0 {
			line = fmt.Sprintf("%s %s v%d", c.On, c.Period, c.Version)
		}
		line += fmt.Sprintf(": %d = %d on time + %d late + %d open", r.Total.Items, r.Total.OnTime, r.Total.Late, r.Total.Open)
		for _, s := range slices.Sorted(maps.Keys(r.Total.Left)) {
			line += fmt.Sprintf(" + %d %s", r.Total.Left[s], s)
		}
		out = append(out, fmt.Sprintf("%s; %d/%d rows", line, r.TasksDone, r.Tasks))
	}
	return out
}

func (w *world) rated(want ...string) *world {
	w.t.Helper()
	if got := w.rates(); !slices.Equal(got, want) {
		w.t.Errorf("rated\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	return w
}

// papers returns what the letters of a kind say.
func (w *world) papers(kind string) []string {
	var out []string
	for _, n := range w.diary {
		if n.Key.Kind == kind {
			out = append(out, text(n.Facts.Paper))
		}
	}
	return out
}

// closings prints what was closed: "2024-06-28 zf/1 2024-06 v0 #1: due 3 = on-time 1 + late 1 + missing 1".
func (w *world) closings() []string {
	var out []string
	for _, c := range w.closed {
		if c.Row == "" {
			continue
		}
		f, err := closing.Decode(c.Frozen)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		line := fmt.Sprintf("%s %s %s", c.On, c.Row, c.Period)
		if c.Version > 0 {
			line += fmt.Sprintf(" v%d", c.Version)
		} else {
			line += fmt.Sprintf(" #%d", c.Issue)
		}
		var parts []string
		for _, s := range []closing.State{
			closing.OnTime, closing.Late, closing.Missing, closing.Extended, closing.Asking, closing.Returned, closing.NotDue,
			closing.Informed, closing.ByHand, closing.Waived, closing.Withdrawn, closing.Moved,
		} {
			if n := f.Counts.Of(s); n > 0 {
				parts = append(parts, fmt.Sprintf("%s %d", s, n))
			}
		}
		line += fmt.Sprintf(": %d = %s", f.Counts.Due, strings.Join(parts, " + "))
		for _, name := range f.Fields {
			line += fmt.Sprintf(" %s=%d", name, f.Sums[name])
		}
		out = append(out, line)
	}
	return out
}

func (w *world) shut(want ...string) *world {
	w.t.Helper()
	if got := w.closings(); !slices.Equal(got, want) {
		w.t.Errorf("closed\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	return w
}

// text is everything a paper says, for a test to look into.
func text(p *notice.Paper) string {
	var b strings.Builder
	line := func(parts ...string) { fmt.Fprintln(&b, strings.Join(parts, "｜")) }
	line(p.Subject)
	line(p.Mark, p.Issue, p.Title, p.Sub, p.Addressee)
	for _, s := range p.Opening {
		line(s)
	}
	for _, s := range p.Sections {
		line("#", s.Heading)
		for _, x := range slices.Concat(s.Paras, s.Lines) {
			line(x)
		}
		if s.Table != nil {
			var head []string
			for _, c := range s.Table.Columns {
				head = append(head, c.Name)
			}
			line(head...)
			for i := range s.Table.Rows {
				var cells []string
				for j := range s.Table.Columns {
					cells = append(cells, s.Table.Words(i, j))
				}
				line(cells...)
			}
		}
		for _, x := range s.Notes {
			line(x)
		}
	}
	for _, x := range p.Closing {
		line(x)
	}
	line(p.Contact, p.Issuer, p.Date.Chinese(), p.Copies)
	for _, d := range p.Drafts {
		line("draft", d.File)
		b.WriteString(text(&d.Paper))
	}
	return b.String()
}
