package jobs

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

func doorAt(now time.Time) Door {
	return Door{
		Settings: func(string) (planner.Settings, error) { return planner.Settings{Calendar: workday.National()}, nil },
		Zone:     func(string) *time.Location { return shanghai },
		Hours: func(code string) (Hours, bool) {
			return Hours{9 * time.Hour, 17*time.Hour + 30*time.Minute}, code != "always"
		},
		Clock: func() time.Time { return now },
	}
}

func TestLettersLeaveInTheirHoursOnWorkdays(t *testing.T) {
	at := func(s string) time.Time {
		got, err := time.ParseInLocation("2006-01-02 15:04", s, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for now, opens := range map[string]string{
		"2024-09-26 09:00": "", "2024-09-26 17:29": "", "2024-09-29 12:00": "", // a make-up Sunday
		"2024-09-26 00:00": "2024-09-26 09:00", "2024-09-26 08:59": "2024-09-26 09:00",
		"2024-09-26 17:30": "2024-09-27 09:00", "2024-09-27 23:00": "2024-09-29 09:00",
		"2024-09-28 12:00": "2024-09-29 09:00", // a Saturday
		"2024-10-01 12:00": "2024-10-08 09:00", "2024-09-30 18:00": "2024-10-08 09:00",
	} {
		got := doorAt(at(now)).Window("laoshan")
		if opens == "" && !got.IsZero() || opens != "" && !got.Equal(at(opens)) {
			t.Errorf("at %s the window opens %v, want %s", now, got, opens)
		}
		if got := doorAt(at(now).UTC()).Window("always"); !got.IsZero() {
			t.Errorf("at %s: no window is set, and it opens %v", now, got)
		}
	}
}

// registerOf is a DoorStore over records in memory.
type registerOf struct {
	records []task.Record
	forms   map[string]notice.Document
	asked   []string
	err     error
}

func (r *registerOf) Touched(_ context.Context, _ string, since int64, by civil.Date) ([]string, error) {
	var out []string
	for _, rec := range r.records {
		for _, e := range rec.Events {
			if e.Seq > since && e.On <= by {
				out = append(out, e.Subject)
			}
		}
	}
	return out, r.err
}

func (r *registerOf) Document(_ context.Context, id string) (notice.Document, error) {
	doc, ok := r.forms[id]
	if !ok {
		return doc, task.ErrNotFound
	}
	return doc, nil
}

func (r *registerOf) RecordsOf(_ context.Context, _ string, refs []string) ([]task.Record, error) {
	r.asked = append(r.asked, refs...)
	var out []task.Record
	for _, rec := range r.records {
		if slices.Contains(refs, rec.Obligation.Ref.String()) {
			out = append(out, rec)
		}
	}
	return out, r.err
}

func TestOnlyLettersWithNothingLeftAreClosed(t *testing.T) {
	day := civil.MustParse("2024-07-02")
	due := civil.MustParse("2024-06-28")
	var reg registerOf
	obligation := func(row string, events ...task.Event) notice.Item {
		ref := task.Ref{TaskID: task.TaskID{Jurisdiction: "ls", Plan: "zf", Row: row}, Unit: "a", Instance: "m1"}
		for i := range events {
			if events[i].Subject == "" {
				events[i].Subject = ref.String()
			}
		}
		reg.records = append(reg.records, task.Record{
			Obligation: task.Obligation{Ref: ref, Kind: task.Milestone, Owes: task.OwesDeliver, Nominal: due, Effective: due, Assess: due, Opened: civil.MustParse("2024-01-15")},
			Events:     events,
		})
		return notice.Item{Ref: ref.String(), Due: due}
	}
	letter := func(unit string, seq int64, items ...notice.Item) notice.Notice {
		k := notice.Key{Jurisdiction: "ls", Date: day, Unit: unit, Role: "liaison", Kind: notice.UnitLetter}
		return notice.Notice{ID: k.ID(), Key: k, Seq: seq, Facts: notice.Facts{Date: day, Overdue: items}}
	}
	reported := func(seq int64) task.Event { return task.Event{Seq: seq, On: day, Kind: task.Reported} }
	untouched := letter("u", 10, obligation("1"))
	closed := letter("c", 10, obligation("2", reported(11)))
	half := letter("h", 10, obligation("3", reported(12)), obligation("4"))
	before := letter("b", 10, obligation("5", task.Event{Seq: 9, On: day, Kind: task.Contacted}))
	later := letter("l", 10, obligation("6", task.Event{Seq: 13, On: day + 1, Kind: task.Reported}))
	door := doorAt(day.Time(shanghai))
	door.Store = &reg
	got, err := door.Closed(t.Context(), []notice.Notice{untouched, closed, half, before, later})
	if err != nil || len(got) != 1 || got[closed.ID] == "" {
		t.Errorf("%v %v", got, err)
	}
	tomorrow := doorAt((day + 1).Time(shanghai)) // a letter that goes once more, or that a person let go
	tomorrow.Store = &reg
	if got, err := tomorrow.Closed(t.Context(), []notice.Notice{later}); err != nil || len(got) != 1 {
		t.Errorf("reported the day after the letter's date: %v %v", got, err)
	}
	form := func(n notice.Notice) notice.Notice {
		n.Key.Kind, n.Key.Role, n.Key.Matter = notice.SupervisionForm, "deputy", n.Key.Unit
		doc := notice.Document{ID: n.Key.ID(), Refs: []string{n.Facts.Overdue[0].Ref}, State: notice.Issued}
		n.ID, n.Facts.Overdue = doc.ID, nil
		reg.forms[n.ID] = doc
		return n
	}
	reg.forms = map[string]notice.Document{}
	stands, answered := form(untouched), form(closed)
	if got, err := door.Closed(t.Context(), []notice.Notice{stands, answered}); err != nil || len(got) != 1 || !strings.Contains(got[answered.ID], "documents void "+answered.ID) {
		t.Errorf("of two forms, one of a unit that answered: %v %v", got, err)
	}
	reg.asked = slices.DeleteFunc(reg.asked, func(ref string) bool { return ref == reg.forms[stands.ID].Refs[0] }) // a form's own is read always
	for _, ref := range reg.asked {
		if ref == untouched.Facts.Overdue[0].Ref || ref == before.Facts.Overdue[0].Ref {
			t.Errorf("%s was read though nothing happened to it", ref)
		}
	}
	reg.err = context.DeadlineExceeded
	if _, err := door.Closed(t.Context(), []notice.Notice{closed}); err == nil {
		t.Error("an answer was made up")
	}
	for _, c := range []struct {
		subject string
		want    bool
	}{{"ls/zf/2/a/m1", true}, {"ls/zf/2", true}, {"ls/zf/2/a", true}, {"ls/zf", true}, {"ls/zf/22", false}, {"ls/zf/2/b", false}, {"s/zf/2", false}} {
		if got := concerns(map[string]bool{c.subject: true}, "ls/zf/2/a/m1"); got != c.want {
			t.Errorf("an event on %s concerns the item: %v", c.subject, got)
		}
	}
}
