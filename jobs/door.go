package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// DoorStore is what is read of letters whose turn has come.
type DoorStore interface {
	// Touched returns the subjects (an obligation's or a task's reference) of the events recorded after the seq that
	// count from day by or an earlier one.
	Touched(ctx context.Context, jurisdiction string, since int64, by civil.Date) ([]string, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
	// Document returns a formal letter's document.
	Document(ctx context.Context, id string) (notice.Document, error)
}

// Hours are the hours of a working day in which letters may leave, in time since midnight: From ≤ now < To.
type Hours struct{ From, To time.Duration }

// Door looks at letters once more before they leave: whether the hour is right, and whether there is anything left to say.
type Door struct {
	Store    DoorStore
	Settings SettingsOf
	Zone     func(jurisdiction string) *time.Location
	// Hours returns the jurisdiction's window; false: letters may leave at any time.
	Hours func(jurisdiction string) (Hours, bool)
	Clock func() time.Time
}

// Window returns when letters may leave next; the zero time: now. They leave on working days only.
func (d Door) Window(jurisdiction string) time.Time {
	hours, limited := d.Hours(jurisdiction)
	set, err := d.Settings(jurisdiction)
	if !limited || err != nil { // without settings nothing was planned either
		return time.Time{}
	}
	now := d.Clock().In(d.Zone(jurisdiction))
	today := civil.In(now, now.Location())
	if set.Calendar.Day(today).Workday {
		midnight := today.Time(now.Location())
		switch since := now.Sub(midnight); {
		case since < hours.From:
			return midnight.Add(hours.From)
		case since < hours.To:
			return time.Time{}
		}
	}
	return set.Calendar.Add(today, 1).Time(now.Location()).Add(hours.From)
}

// Closed returns, by ID, those of the letters whose every item has been closed since they were planned: reported, done,
// withdrawn, or given more time. Only obligations that something happened to are read.
func (d Door) Closed(ctx context.Context, letters []notice.Notice) (map[string]string, error) {
	closed := map[string]string{}
	byPlace := map[string][]notice.Notice{}
	for _, n := range letters {
		byPlace[n.Key.Jurisdiction] = append(byPlace[n.Key.Jurisdiction], n)
	}
	for code, list := range byPlace {
		since := list[0].Seq
		for _, n := range list {
			since = min(since, n.Seq)
		}
		subjects, err := d.Store.Touched(ctx, code, since, civil.In(d.Clock(), d.Zone(code)))
		if err != nil {
			return nil, err
		}
		if len(subjects) == 0 {
			continue
		}
		if err := d.closed(ctx, code, list, subjects, closed); err != nil {
			return nil, err
		}
	}
	return closed, nil
}

func (d Door) closed(ctx context.Context, code string, letters []notice.Notice, subjects []string, closed map[string]string) error {
	touched := make(map[string]bool, len(subjects))
	for _, s := range subjects {
		touched[s] = true
	}
	var refs []string
	about := map[string][]string{} // what the formal letters are about
	for _, n := range letters {
		for _, it := range n.Facts.Items() {
			if concerns(touched, it.Ref) {
				refs = append(refs, it.Ref)
			}
		}
		if !n.Key.Formal() {
			continue
		}
		doc, err := d.Store.Document(ctx, n.ID)
		if err != nil && !errors.Is(err, task.ErrNotFound) {
			return err
		}
		about[n.ID] = doc.Refs
		refs = append(refs, doc.Refs...)
	}
	if len(refs) == 0 {
		return nil
	}
	set, err := d.Settings(code)
	if err != nil {
		return err
	}
	records, err := d.Store.RecordsOf(ctx, code, refs)
	if err != nil {
		return err
	}
	now := make(map[string]task.Record, len(records))
	for _, r := range records {
		now[r.Obligation.Ref.String()] = r
	}
	today := civil.In(d.Clock(), d.Zone(code))
	for _, n := range letters {
		for _, ref := range about[n.ID] {
			if why := planner.Stands(now[ref], set, max(n.Facts.Date, today)); why != "" && now[ref].Obligation.Unit != "" {
				closed[n.ID] = fmt.Sprintf("what it says was no longer so before it left: %s; void its document with `duban documents void %s`", why, n.ID)
			}
		}
		if planner.NothingLeft(n, now, set, today) {
			closed[n.ID] = fmt.Sprintf("every item in it was closed before it left (%d)", len(n.Facts.Items()))
		}
	}
	return nil
}

// concerns reports whether the reference, or the task it belongs to, is in the set. A reference is its task's with the
// unit and the instance behind.
func concerns(touched map[string]bool, ref string) bool {
	if touched[ref] {
		return true
	}
	for i := strings.LastIndexByte(ref, '/'); i > 0; i = strings.LastIndexByte(ref[:i], '/') {
		if touched[ref[:i]] {
			return true
		}
	}
	return false
}
