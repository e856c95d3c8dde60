package planner

import (
	"cmp"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/period"
	"duban/jobs/task"
	"duban/notify/notice"
)

// replyDays is how many working days a form gives the unit to answer at the least.
const replyDays = 5

// FormFacts is all that a supervision form says, as of the day it is drafted or released. The document's own number and
// date are not among them.
type FormFacts struct {
	Ref          string
	Arm          int
	Matter       string // notice.MatterOf(Ref, Arm): that of its draft, unless the date was given anew since
	Jurisdiction string
	Plan         notice.Plan
	Row, Title   string
	Period       string // 2024年6月
	Label        string // stage, final
	DeadlineText string
	Soft         string
	Deliverable  string
	Evidence     string
	SendTo       string
	Unit         notice.Reader
	Role         task.Role
	Leads        string // 牵头单位 as the ledger names them, where the unit itself is another
	Support      string // 配合单位 as the ledger names them
	Due, Nominal civil.Date
	Extended     bool
	Returned     bool
	Late         int // working days past the date
	Reminded     []civil.Date
	Urged        []civil.Date // urging that was served
	Contacted    civil.Date   // told by other means after the date
	// Reply is the working day by which the unit answers.
	Reply civil.Date
	// Issuer is the office in whose name the form goes out, with the bureau's contact; Bureau keeps the register.
	Issuer notice.Issuer
	Bureau string
	// Recipients are the contact it is addressed through, and the copies; none has an address: it goes by OA or on paper.
	Recipients []notice.Recipient
	Versions   notice.Versions
}

// mayDraft returns why the form may not be drafted today, given what the day's letter says and holds; wait means that it
// may be later. An urging that stands open goes first.
func (j *judge) mayDraft(step ladder.Step, v verdict) (why string, wait bool) {
	if step.OnlyMisses && !j.misses() {
		return "neither the second miss running nor the third within a year", false
	}
	if urging(v.say) {
		return urgedOn(j.day), true
	}
	for _, open := range j.due(false) {
		over := slices.ContainsFunc(v.passed, func(p passed) bool { return p.step.Step == open.Step })
		if urging(open) && !over {
			return cmp.Or(j.silenced(), j.kept(), j.unchecked(), fmt.Sprintf("the urging of %s goes first", open.Step)), true
		}
	}
	why = cmp.Or(j.dueProcess(), j.unchecked())
	return why, why != ""
}

// dueProcess returns what stands against a form for the time being: nothing may wait for the bureau or be open about the
// date, and the unit must have been urged, and the urging served, at least formGap workdays ago.
func (j *judge) dueProcess() string {
	if why := cmp.Or(j.silenced(), j.kept()); why != "" {
		return why
	}
	switch {
	case j.ambiguous():
		return fmt.Sprintf("the date has two readings; `duban tasks clarify %s` first", j.Task.TaskID)
	case j.set.Calendar.Provisional(j.due0(), j.day):
		return "the working days since the date are provisional: the year's holidays are not published yet"
	}
	for _, f := range j.saidOf(ladder.Urging) {
		if j.set.Calendar.Count(f.On, j.day) < formGap {
			return urgedOn(f.On)
		}
	}
	if j.servedFor(formGap) {
		return ""
	}
	return j.notServed()
}

func urgedOn(on civil.Date) string {
	return fmt.Sprintf("urged on %s; the form leaves the unit %d workdays", on, formGap)
}

// servedFor reports whether the unit was told so many workdays ago or earlier, by an urging that was served, or by other means.
func (j *judge) servedFor(days int) bool {
	long := func(on civil.Date) bool { return on != 0 && j.set.Calendar.Count(on, j.day) >= days }
	if c := j.toldOtherwise(); long(c) {
		return true
	}
	return slices.ContainsFunc(j.saidOf(ladder.Urging), func(f task.FiredStep) bool { return long(j.Served[f.Notice]) })
}

// toldOtherwise is the day the unit was told by other means, after the later of its dates; 0 where it was not.
func (j *judge) toldOtherwise() civil.Date {
	if j.contacted() && j.status.Contacted > j.due0() {
		return j.status.Contacted
	}
	return 0
}

// notServed says why nothing that was told counts.
func (j *judge) notServed() string {
	ref := j.Record.Obligation.Ref
	told := fmt.Sprintf("tell the unit by other means and record it: `duban obligations contacted %s`", ref)
	recent := j.toldOtherwise()
	var last task.FiredStep
	for _, f := range j.saidOf(ladder.Urging) {
		recent = max(recent, j.Served[f.Notice])
		if f.On >= last.On {
			last = f
		}
	}
	switch why := j.Refused[last.Notice]; {
	case recent != 0:
		return fmt.Sprintf("told on %s; the form leaves the unit %d workdays", recent, formGap)
	case last.Notice == "":
		return "no urging was said by this date; " + told
	case why != "":
		return fmt.Sprintf("the urging of %s was not served: %s; %s", last.On, why, told)
	default:
		return fmt.Sprintf("the urging of %s was not served; %s", last.On, told)
	}
}

// formStep is the form's step that was drafted in the present arm; ok is false where none was, or it stands open again.
func (j *judge) formStep() (step ladder.Step, draft task.FiredStep, ok bool) {
	for _, step := range j.steps {
		if !isForm(step) {
			continue
		}
		if last, found := lastOf(j.Record.Steps, j.status.Arm, step.Step); found && last.Passed == "" {
			return step, last, true
		}
	}
	return ladder.Step{}, task.FiredStep{}, false
}

// FormAgain evaluates a form that was drafted once more, for release on day d. The reason says why it may not go: empty,
// it may. Whether the unit missed often enough was decided when it was drafted.
func FormAgain(c Case, all Settings, d civil.Date) (facts FormFacts, reason string) {
	j := newJudge(c, all, d)
	if why := j.ended(); why != "" {
		return FormFacts{}, why
	}
	step, _, _ := j.formStep()
	if why := j.dueProcess(); why != "" {
		return FormFacts{}, why
	}
	return j.formFacts(step), ""
}

// ended says why the draft of a form no longer holds, whatever else may come: the unit has answered, the item is closed, or
// its date was given anew. What waits only for the time being does not end it.
func (j *judge) ended() string {
	st := j.status
	switch {
	case st.State == task.Answered || st.State == task.Finished && st.Reported != 0:
		return fmt.Sprintf("the unit reported on %s", st.Reported)
	case !st.Open():
		return fmt.Sprintf("the item is %s since %s", st.State, st.Since)
	case st.Unconfirmed:
		return "the item is past at issue or inherited, and not chased"
	}
	step, draft, ok := j.formStep()
	switch {
	case ok && step.On <= j.day && step.On <= draft.On:
		return ""
	case ok, len(j.steps) > 0:
		return fmt.Sprintf("the date was given anew: it is %s now", j.due0())
	}
	return "the ladder has no form for it any more: " + j.mute()
}

// formFacts states what the form says today.
func (j *judge) formFacts(step ladder.Step) FormFacts {
	o, st, t, u := j.Record.Obligation, j.status, j.Task, j.Unit
	f := FormFacts{
		Ref: o.Ref.String(), Arm: st.Arm, Matter: notice.MatterOf(o.Ref.String(), st.Arm), Jurisdiction: j.Jurisdiction.Name,
		Plan: notice.Plan{Code: j.Plan.Code, Title: j.Plan.Title, DocNumber: j.Plan.DocNumber, Issued: j.Plan.Issued},
		Row:  t.Row, Title: t.Title, Period: period.Key(o.Period).Chinese(), Label: o.Label,
		DeadlineText: t.DeadlineText, Soft: t.Reading.Soft, Deliverable: t.Deliverable, Evidence: t.Evidence, SendTo: t.SendTo,
		Unit: reader(u), Role: o.Role, Support: t.SupportText,
		Due: j.due0(), Nominal: st.Nominal, Extended: st.Extended, Returned: st.Returned,
		Late: j.set.Calendar.Count(j.due0(), j.day), Contacted: j.toldOtherwise(),
		Reply: j.set.Calendar.Add(j.day, replyDays), Versions: j.set.Versions,
	}
	if o.Role != task.Lead {
		f.Leads = t.LeadText
	}
	f.Reminded, f.Urged = j.told(st.Arm)
	bureau := issuer(*j.set, j.Bureau, j.Jurisdiction)
	f.Bureau = bureau.Name
	office := j.set.Office(ladder.Form, j.Jurisdiction)
	f.Issuer = notice.Issuer{
		Name: office.Name, Short: office.Short, Word: office.Word,
		Office: bureau.Office, Contact: bureau.Contact, Phone: bureau.Phone, Email: bureau.Email, Address: bureau.Address,
	}
	f.Recipients = addresses(u, []task.Role{cmp.Or(office.To, step.Reader())}, slices.Concat(office.Copies, step.Copy))
	return f
}

// Office is the office that speaks on an upper rung, with what is not configured filled in: forms and bulletins go out in
// the name of the government office, not of the bureau, since a bureau writes to its fellows as an equal.
func (s Settings) Office(rung ladder.Rung, in task.Jurisdiction) Office {
	o := s.Rungs[rung]
	word := "督办通知单"
	if rung == ladder.Bulletin {
		word = "通报"
	}
	o.Word = cmp.Or(o.Word, word)
	o.Short = cmp.Or(o.Short, o.Name, shortOffice(in.Name))
	o.Name = cmp.Or(o.Name, in.Name+"人民政府办公室")
	return o
}

// shortOffice is 区政府办, 县政府办, 市政府办.
func shortOffice(jurisdiction string) string {
	if r := []rune(jurisdiction); len(r) > 0 && slices.Contains([]rune("区县市旗"), r[len(r)-1]) {
		return string(r[len(r)-1]) + "政府办"
	}
	return "政府办"
}

func reader(u task.Unit) notice.Reader {
	return notice.Reader{Code: u.Code, Name: u.Name, FullName: cmp.Or(u.FullName, u.Name), Honorific: cmp.Or(u.Honorific, "贵单位")}
}

// draft makes the form's letter, held for a person, its document and its step; it reports false where the matter had a
// draft of this day already.
func (r *reminder) draft(l *line, step ladder.Step) bool {
	f := l.formFacts(step)
	key := notice.Key{
		Jurisdiction: r.Jurisdiction.Code, Date: r.day, Unit: l.Unit.Code, Role: string(task.Deputy),
		Kind: notice.SupervisionForm, Matter: f.Matter,
	}
	id := key.ID()
	if slices.ContainsFunc(r.documents[f.Ref], func(doc notice.Document) bool { return doc.ID == id }) {
		return false
	}
	paper := FormPaper(f, r.day, "")
	r.plan.Notices = append(r.plan.Notices, notice.Notice{
		ID: id, Key: key, Job: "remind", State: notice.Held,
		Reason: notice.DraftReason(id),
		Facts: notice.Facts{
			Jurisdiction: f.Jurisdiction, Date: r.day, Issuer: f.Issuer, Reader: f.Unit, Recipients: f.Recipients,
			Plans: []notice.Plan{f.Plan}, Paper: &paper, Versions: f.Versions,
		},
	})
	r.plan.Documents = append(r.plan.Documents, notice.Document{
		ID: id, Jurisdiction: r.Jurisdiction.Code, Kind: notice.SupervisionForm, Matter: f.Matter, Title: matterName(f),
		Unit: l.Unit.Code, Drafted: r.day, Refs: []string{f.Ref}, State: notice.Drafted,
	})
	r.record(l, step, task.FiredStep{Role: task.Deputy, Notice: id})
	return true
}

// settleDrafts drops the draft of a form that no longer holds, and notes what a person set aside, so that the step stands
// open again when there is cause.
func (r *reminder) settleDrafts(l *line) {
	for _, doc := range r.documents[l.Record.Obligation.Ref.String()] {
		was, ok := draftOf(l.Record.Steps, doc.ID)
		if !ok {
			continue
		}
		switch doc.State {
		case notice.Drafted:
			why := l.ended()
			if why == "" && was.Arm != l.status.Arm {
				why = fmt.Sprintf("the date was given anew: it is %s now", l.due0())
			}
			if why != "" {
				r.drop(l, doc, was, why)
			}
		case notice.Dropped:
			r.recordIn(l, was.Arm, was.Step, task.FiredStep{Role: task.Deputy, Passed: draftSetAside + cmp.Or(doc.Why, "no reason is given")})
		case notice.Voided: // withdrawn under its number: what it was about may need another
			r.recordIn(l, was.Arm, was.Step, task.FiredStep{Role: task.Deputy, Passed: draftDropped + "the form was voided: " + cmp.Or(doc.Why, "no reason is given")})
		case notice.Issued:
		}
	}
}

func (r *reminder) drop(l *line, doc notice.Document, was task.FiredStep, why string) {
	r.plan.Drop[doc.ID] = why
	r.recordIn(l, was.Arm, was.Step, task.FiredStep{Role: task.Deputy, Passed: draftDropped + why})
}

// orphaned drops the drafts of an obligation whose row or unit is no longer there.
func (r *reminder) orphaned(rec task.Record) {
	for _, doc := range r.documents[rec.Obligation.Ref.String()] {
		if was, ok := draftOf(rec.Steps, doc.ID); ok && doc.State == notice.Drafted {
			l := line{judge: &judge{Case: Case{Record: rec}}}
			r.drop(&l, doc, was, "the row has left the plan, or the unit is no longer there")
		}
	}
}

// draftOf finds the step that made the draft; ok is false where it is not there, or was settled before.
func draftOf(steps []task.FiredStep, id string) (was task.FiredStep, ok bool) {
	i := slices.IndexFunc(steps, func(f task.FiredStep) bool { return f.Notice == id })
	if i < 0 {
		return was, false
	}
	last, _ := lastOf(steps, steps[i].Arm, steps[i].Step)
	return steps[i], last.N == steps[i].N
}
