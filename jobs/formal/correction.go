package formal

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// CorrectorStore is the part of the database that corrections need.
type CorrectorStore interface {
	Jurisdiction(ctx context.Context, code string) (task.Jurisdiction, error)
	RecordsOf(ctx context.Context, jurisdiction string, refs []string) ([]task.Record, error)
	Notices(ctx context.Context, f notice.Filter) ([]notice.Notice, error)
	Post(ctx context.Context, jurisdiction string, seq int64, letters []notice.Notice) error
}

// Corrector writes corrections.
type Corrector struct {
	Store    CorrectorStore
	Settings func(jurisdiction string) (planner.Settings, error)
}

// Rested returns the letters that left because of an entry: to the obligation's unit, planned after the entry was
// recorded, delivered, and with the obligation among their items.
func (c Corrector) Rested(ctx context.Context, ref task.Ref, wrong task.Event) ([]notice.Notice, error) {
	letters, err := c.Store.Notices(ctx, notice.Filter{Jurisdiction: ref.Jurisdiction, Unit: ref.Unit, From: wrong.On})
	if err != nil {
		return nil, fmt.Errorf("find letters that rest on an entry: %w", err)
	}
	id := ref.String()
	var out []notice.Notice
	for _, n := range letters {
		says := slices.ContainsFunc(n.Facts.Items(), func(it notice.Item) bool { return it.Ref == id })
		if n.Seq > wrong.Seq && n.Key.Kind == notice.UnitLetter && n.Delivered() && says {
			out = append(out, n)
		}
	}
	return out, nil
}

// Correct writes the unit a letter that takes back what the letters said of the obligation.
func (c Corrector) Correct(ctx context.Context, ref task.Ref, letters []notice.Notice, wrong task.Event, why string, today civil.Date) (n notice.Notice, err error) {
	if len(letters) == 0 {
		return n, fmt.Errorf("correct %s: no letter left because of entry %d", ref, wrong.Seq)
	}
	err = retry(func() error {
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
		n = correction(letters, ref, wrong, why, st, today)
		return c.Store.Post(ctx, ref.Jurisdiction, j.Seq, []notice.Notice{n})
	})
	if err != nil {
		return n, fmt.Errorf("write the correction of %s: %w", ref, err)
	}
	return n, nil
}

// correction is the letter. It goes to the readers of the last letter that was wrong, and to nobody else.
func correction(letters []notice.Notice, ref task.Ref, wrong task.Event, why string, st task.Status, today civil.Date) notice.Notice {
	last := letters[len(letters)-1]
	f := last.Facts
	items := f.Items()
	it := items[slices.IndexFunc(items, func(it notice.Item) bool { return it.Ref == ref.String() })]
	key := notice.Key{
		Jurisdiction: ref.Jurisdiction, Date: today, Unit: ref.Unit, Role: last.Key.Role, Kind: notice.Correction,
		Matter: notice.MatterOf(ref.String(), int(wrong.Seq)),
	}
	days := ""
	for i, l := range letters {
		if i > 0 {
			days += "、"
		}
		days += l.Key.Date.Chinese()
	}
	what := fmt.Sprintf("第%s项“%s”", it.Row, it.Title)
	paper := notice.Paper{
		Subject:   fmt.Sprintf("【%s】更正：第%s项·%s", f.Issuer.Short, it.Row, f.Reader.Name),
		Title:     "关于更正有关事项的函",
		Addressee: cmp.Or(f.Reader.FullName, f.Reader.Name),
		Opening: []string{
			fmt.Sprintf("我局%s发送的%s中关于%s的内容，因登记有误（%s），现予更正。", days, cmp.Or(f.Issuer.Word, "工作提示"), what, why),
			standing(st, f.Reader.Honorific),
			"由此造成的不便，敬请谅解。",
		},
		Contact: contactOf(f.Issuer), Issuer: f.Issuer.Name, Date: today,
	}
	facts := notice.Facts{
		Jurisdiction: f.Jurisdiction, Date: today, Issuer: f.Issuer, Reader: f.Reader, Recipients: f.Recipients, Plans: f.Plans,
		Versions: f.Versions, Paper: &paper,
	}
	return notice.Notice{ID: key.ID(), Key: key, Job: "correct", Facts: facts, State: notice.Pending}
}

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

func contactOf(i notice.Issuer) string {
	out := ""
	for _, s := range []string{i.Office, i.Contact, i.Phone, i.Email} {
		switch {
		case s == "":
		case out == "":
			out = s
		default:
			out += "，" + s
		}
	}
	return out
}
