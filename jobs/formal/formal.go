// Package formal is the bureau's hand on formal letters: it evaluates a draft once more, numbers and issues it, voids it,
// and writes the correction of a letter that left because of a wrong entry.
package formal

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"duban/jobs/civil"
	"duban/jobs/moved"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// Store is the part of the database that documents live in.
type Store interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	Plans(ctx context.Context, jurisdiction string) ([]task.Plan, error)
	TaskVersions(ctx context.Context, jurisdiction string, ids []task.TaskID) ([]task.Task, error)
	Directory(ctx context.Context, jurisdiction string) (task.Directory, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
	Silences(ctx context.Context, jurisdiction string) ([]task.Silence, error)
	Closings(ctx context.Context, jurisdiction string, kind task.ClosingKind) ([]task.Closing, error)
	Served(ctx context.Context, ids []string) (map[string]civil.Date, error)
	Outcomes(ctx context.Context, ids []string) (map[string]notice.Brief, error)
	Document(ctx context.Context, id string) (notice.Document, error)
	Notice(ctx context.Context, id string) (notice.Notice, error)
	NextNumber(ctx context.Context, jurisdiction, kind string, year int) (int, error)
	Issue(ctx context.Context, jurisdiction string, seq int64, d notice.Document, n notice.Notice) error
	EndDocument(ctx context.Context, jurisdiction string, seq int64, id string, to notice.DocumentState, why string) error
}

// Desk issues and voids the documents of one database.
type Desk struct {
	Store    Store
	Settings func(jurisdiction string) (planner.Settings, error)
}

// RefusedError says why a draft is not issued: its facts are not what they were.
type RefusedError struct{ Reason string }

func (e RefusedError) Error() string { return e.Reason }

// ErrNoDraft says that the document is not a draft (any more).
var ErrNoDraft = errors.New("not a draft")

// Release issues a draft.
type Release struct {
	ID, By string
	// Number is the office's own, as printed; empty: the program's register gives the next.
	Number string
	Via    notice.Channel
	// On is the day it was handed over by OA or on paper; Today is the day of release in the jurisdiction's zone.
	On, Today civil.Date
}

// Release evaluates the draft once more and, where it holds, gives it its number, date and bytes and lets it go: by mail
// with the next run, or recorded as handed over. A draft that does not hold is refused with a RefusedError and stays.
func (d Desk) Release(ctx context.Context, r Release) (doc notice.Document, err error) {
	err = moved.Retry(ctx, func() error { doc, err = d.release(ctx, r); return err })
	if err != nil {
		return doc, fmt.Errorf("release %s: %w", r.ID, err)
	}
	return doc, nil
}

func (d Desk) release(ctx context.Context, r Release) (notice.Document, error) {
	doc, err := d.Store.Document(ctx, r.ID)
	if err != nil {
		return doc, err
	}
	if doc.State != notice.Drafted {
		return doc, fmt.Errorf("%w: it is %s", ErrNoDraft, doc.State)
	}
	j, err := d.Store.Jurisdiction(ctx, doc.Jurisdiction)
	if err != nil {
		return doc, err
	}
	set, err := d.Settings(doc.Jurisdiction)
	if err != nil {
		return doc, err
	}
	n, err := d.Store.Notice(ctx, doc.ID)
	if err != nil {
		return doc, err
	}
	if err := fits(doc, r); err != nil {
		return doc, err
	}
	// A letter leaves on a working day, and is dated when it leaves.
	doc.State, doc.By, doc.Via, doc.Date = notice.Issued, r.By, r.Via, set.Calendar.OnOrAfter(r.Today)
	if r.Via != notice.ByMail {
		doc.Date, doc.Served = r.On, r.On
	}
	if doc, err = d.number(ctx, doc, office(doc.Kind, set.On(doc.Date), j), r); err != nil {
		return doc, err
	}
	if n.Facts, err = d.facts(ctx, j, &doc, n, doc.Date); err != nil {
		return doc, err
	}
	if r.Via == notice.ByMail && len(n.Facts.Recipients) == 0 {
		return doc, fmt.Errorf("nobody to mail it to: %s has no contact of role %s with an e-mail address; import one, or issue it with --channel oa or paper", doc.Unit, n.Key.Role)
	}
	n.Reason = fmt.Sprintf("issued by %s as %s", r.By, doc.Number)
	if r.Via != notice.ByMail {
		n.Reason += fmt.Sprintf(" and handed over by %s on %s", r.Via, r.On)
	}
	return doc, d.Store.Issue(ctx, doc.Jurisdiction, j.Seq, doc, n)
}

// fits refuses days that cannot be.
func fits(doc notice.Document, r Release) error {
	if r.Via != notice.ByMail && (r.On < doc.Drafted || r.On > r.Today) {
		return fmt.Errorf("handed over on %s: want a day from %s, when it was drafted, to %s", r.On, doc.Drafted, r.Today)
	}
	return nil
}

// printed is the form of a document's number (GB/T 9704).
var printed = regexp.MustCompile(`^[^〔〕\s]+〔[12][0-9]{3}〕[1-9][0-9]*号$`)

// number takes the number given, or the next of the program's own register. One that is given and of the same series moves
// the register on, so that the program never gives it again.
func (d Desk) number(ctx context.Context, doc notice.Document, o planner.Office, r Release) (notice.Document, error) {
	doc.Year = doc.Date.Year()
	n, err := d.Store.NextNumber(ctx, doc.Jurisdiction, doc.Kind, doc.Year)
	if err != nil {
		return doc, err
	}
	doc.N, doc.Number = n, notice.NumberOf(o.Number, doc.Year, n)
	if r.Number == "" {
		return doc, nil
	}
	if !printed.MatchString(r.Number) {
		return doc, fmt.Errorf("number %q is not as numbers are printed: the office's word, the year in 〔〕, the number without a leading zero and 号, as in 崂政督〔%d〕12号", r.Number, doc.Year)
	}
	doc.Number = r.Number
	if own, ok := notice.NumberIn(o.Number, doc.Year, r.Number); ok && own >= n {
		doc.N = own // the office has gone ahead in the same series: the register follows it
	} else {
		doc.N = 0
	}
	return doc, nil
}

// Void takes a document back: a draft is dropped, an issued one is voided (作废) and keeps its number.
func (d Desk) Void(ctx context.Context, id, by, why string) (doc notice.Document, err error) {
	err = moved.Retry(ctx, func() error {
		if doc, err = d.Store.Document(ctx, id); err != nil {
			return err
		}
		switch doc.State {
		case notice.Drafted:
			doc.State = notice.Dropped
		case notice.Issued:
			doc.State = notice.Voided
		default:
			return fmt.Errorf("it is %s already", doc.State)
		}
		doc.Why = fmt.Sprintf("%s: %s", by, why)
		j, err := d.Store.Jurisdiction(ctx, doc.Jurisdiction)
		if err != nil {
			return err
		}
		return d.Store.EndDocument(ctx, doc.Jurisdiction, j.Seq, id, doc.State, doc.Why)
	})
	if err != nil {
		return doc, fmt.Errorf("void %s: %w", id, err)
	}
	return doc, nil
}
