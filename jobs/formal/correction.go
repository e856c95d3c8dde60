package formal

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/moved"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// CorrectorStore is the part of the database that corrections need.
type CorrectorStore interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
	Notices(ctx context.Context, f notice.Filter) ([]notice.Notice, error)
	Documents(ctx context.Context, f notice.DocumentFilter) ([]notice.Document, error)
	Post(ctx context.Context, jurisdiction string, seq int64, letters []notice.Notice) error
}

// Corrector writes corrections.
type Corrector struct {
	Store    CorrectorStore
	Settings func(jurisdiction string) (planner.Settings, error)
}

// Rested is what left because of an entry that was wrong.
type Rested struct {
	// Letters are those of the day, with the obligation among their items; Forms the documents about it that were issued,
	// which only a person can void.
	Letters []notice.Notice
	Forms   []notice.Document
	// Corrected is the day on which the unit was written a correction, 0 where it was not.
	Corrected civil.Date
}

// matterOf tells the corrections of an obligation's entries apart.
func matterOf(ref task.Ref, wrong task.Event) string {
	return notice.MatterOf(ref.String(), int(wrong.Seq))
}

// Rested finds what left to the obligation's unit because of an entry: planned after the entry was recorded and before it
// was voided, and delivered or issued.
func (c Corrector) Rested(ctx context.Context, ref task.Ref, wrong, voided task.Event) (r Rested, err error) {
	letters, err := c.Store.Notices(ctx, notice.Filter{Jurisdiction: ref.Jurisdiction, Unit: ref.Unit, From: wrong.On})
	if err != nil {
		return r, fmt.Errorf("find letters that rest on an entry: %w", err)
	}
	docs, err := c.Store.Documents(ctx, notice.DocumentFilter{Jurisdiction: ref.Jurisdiction, Unit: ref.Unit, From: wrong.On})
	if err != nil {
		return r, fmt.Errorf("find documents that rest on an entry: %w", err)
	}
	id := ref.String()
	rests := map[string]bool{}
	for _, n := range letters {
		if n.Key.Kind == notice.Correction && n.Key.Matter == matterOf(ref, wrong) {
			r.Corrected = n.Key.Date
		}
		// A document's letter takes the seq of its issue; what it says was decided on its day.
		rests[n.ID] = n.Seq > wrong.Seq && n.Key.Date <= voided.On && (n.Seq <= voided.Seq || n.Key.Formal())
		says := slices.ContainsFunc(n.Facts.Items(), func(it notice.Item) bool { return it.Ref == id })
		if rests[n.ID] && n.Key.Kind == notice.UnitLetter && n.Delivered() && says {
			r.Letters = append(r.Letters, n)
		}
	}
	for _, d := range docs {
		issued := d.State == notice.Issued || d.State == notice.Voided
		if issued && rests[d.ID] && slices.Contains(d.Refs, id) {
			r.Forms = append(r.Forms, d)
		}
	}
	return r, nil
}

// Correct writes the unit a letter that takes back what the letters said of the obligation.
func (c Corrector) Correct(ctx context.Context, ref task.Ref, left Rested, wrong task.Event, why string, today civil.Date) (n notice.Notice, err error) {
	if len(left.Letters) == 0 {
		return n, fmt.Errorf("correct %s: no letter left because of entry %d", ref, wrong.Seq)
	}
	if left.Corrected != 0 {
		return n, fmt.Errorf("correct %s: the unit was written the correction of entry %d on %s", ref, wrong.Seq, left.Corrected)
	}
	err = moved.Retry(ctx, func() error {
		j, err := c.Store.Jurisdiction(ctx, ref.Jurisdiction)
		if err != nil {
			return err
		}
		recs, err := c.Store.RecordsOf(ctx, ref.Jurisdiction, []string{ref.String()})
		if err != nil || len(recs) == 0 {
			return cmp.Or(err, task.ErrNotFound)
		}
		set, err := c.Settings(ref.Jurisdiction)
		if err != nil {
			return err
		}
		st := task.Fold(recs[0].Obligation, recs[0].Events, today, set.Calendar, set.Terms)
		n = correction(left, ref, wrong, why, st, today)
		return c.Store.Post(ctx, ref.Jurisdiction, j.Seq, []notice.Notice{n})
	})
	if err != nil {
		return n, fmt.Errorf("write the correction of %s: %w", ref, err)
	}
	return n, nil
}

// correction is the letter. It goes to the readers of the last letter that was wrong, and to nobody else.
func correction(left Rested, ref task.Ref, wrong task.Event, why string, st task.Status, today civil.Date) notice.Notice {
	last := left.Letters[len(left.Letters)-1]
	f := last.Facts
	items := f.Items()
	it := items[slices.IndexFunc(items, func(it notice.Item) bool { return it.Ref == ref.String() })]
	key := notice.Key{
		Jurisdiction: ref.Jurisdiction, Date: today, Unit: ref.Unit, Role: last.Key.Role, Kind: notice.Correction,
		Matter: matterOf(ref, wrong),
	}
	days := ""
	for i, l := range left.Letters {
		if i > 0 {
			days += "、"
		}
		days += l.Key.Date.Chinese()
	}
	word := cmp.Or(f.Issuer.Word, "工作提示")
	opening := []string{
		fmt.Sprintf("我局%s发送的%s中关于第%s项“%s”的内容，因登记有误（%s），现予更正。", days, word, it.Row, it.Title, why),
		standing(st, f.Reader.Honorific),
	}
	for _, d := range left.Forms {
		if d.State == notice.Voided {
			opening = append(opening, fmt.Sprintf("据同一登记印发的%s（%s）已作废。", formWord, d.Number))
		} else {
			opening = append(opening, fmt.Sprintf("据同一登记印发的%s（%s）一并更正，处理结果另行告知。", formWord, d.Number))
		}
	}
	paper := notice.Paper{
		Subject:   fmt.Sprintf("【%s】更正：第%s项·%s", f.Issuer.Short, it.Row, f.Reader.Name),
		Title:     "关于更正有关事项的" + word,
		Addressee: cmp.Or(f.Reader.FullName, f.Reader.Name),
		Opening:   append(opening, "由此造成的不便，敬请谅解。"),
		Contact:   f.Issuer.ContactLine(), Issuer: f.Issuer.Name, Date: today,
	}
	facts := notice.Facts{
		Jurisdiction: f.Jurisdiction, Date: today, Issuer: f.Issuer, Reader: f.Reader, Recipients: f.Recipients, Plans: f.Plans,
		Versions: f.Versions, Paper: &paper,
	}
	return notice.Notice{ID: key.ID(), Key: key, Job: "correct", Facts: facts, State: notice.Pending}
}

// formWord is what a supervision form is called.
const formWord = "督办通知单"

// standing says how the item stands now.
func standing(st task.Status, you string) string {
	switch st.State {
	case task.Waiting:
		return fmt.Sprintf("更正后，该事项按我局登记尚待%s反馈，时限为%s。", cmp.Or(you, "贵单位"), st.Effective.Chinese())
	case task.Answered:
		return fmt.Sprintf("更正后，该事项%s已于%s报送，无需再次报送。", cmp.Or(you, "贵单位"), st.Reported.Chinese())
	case task.Finished:
		return fmt.Sprintf("更正后，该事项已于%s办结，无需再次报送。", st.Since.Chinese())
	case task.Settled, task.Void, task.Dropped, task.Moved:
	}
	return fmt.Sprintf("更正后，该事项%s无需再办理。", cmp.Or(you, "贵单位"))
}
