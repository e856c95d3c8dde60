package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// ofCounty is a letter of another jurisdiction than the tests' own.
func ofCounty(code string, n notice.Notice) notice.Notice {
	n.Key.Jurisdiction = code
	n.ID = n.Key.ID()
	return n
}

// planCounty makes a jurisdiction with three letters and a drafted form, and returns the form and their IDs.
func planCounty(t *testing.T, s *store.Store, code string) (notice.Document, []string) {
	t.Helper()
	ctx := t.Context()
	seq, err := s.Write(ctx, code, 0, task.Batch{At: instant, Jurisdiction: &task.Jurisdiction{Code: code, Name: "某区"}})
	if err != nil {
		t.Fatal(err)
	}
	doc, form := draft("d", day0)
	form = ofCounty(code, form)
	form.Reason = notice.DraftReason(form.ID)
	doc.ID, doc.Jurisdiction, doc.Refs = form.ID, code, nil
	form.Facts.Paper.Form = []notice.FormRow{{Label: "编号"}, {Label: "督办事项", Text: "第1项"}}
	letters := []notice.Notice{ofCounty(code, letter("a", day0)), ofCounty(code, letter("b", day0)), ofCounty(code, letter("c", day0)), form}
	r, ok, err := s.ClaimSlot(ctx, run.Slot{Job: "remind", Jurisdiction: code, Date: day0}, "test", time.Minute, false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	r.State = run.Done
	if err := s.SavePlan(ctx, code, seq, run.DayPlan{Notices: letters, Documents: []notice.Document{doc}, Run: r}); err != nil {
		t.Fatal(err)
	}
	return doc, []string{letters[0].ID, letters[1].ID, letters[2].ID, form.ID}
}

// answer settles every letter that may leave: the copy is taken, and the readers are answered as their units are told.
func answer(t *testing.T, s *store.Store, at time.Time, readers map[string]notice.Receipt) {
	t.Helper()
	cause := map[notice.Outcome]notice.Cause{notice.OutcomeAccepted: notice.Deliver, notice.OutcomeTemporary: notice.Defer, notice.OutcomePermanent: notice.Refuse}
	for _, n := range takeAll(t, s, 100, time.Minute) {
		r := readers[n.Key.Unit]
		r.Email, r.At = n.Key.Unit+"@example.com", at
		receipts := []notice.Receipt{r}
		if n.Tries == 0 {
			receipts = append(receipts, notice.Receipt{Recipient: 1, Copy: true, Email: "d@example.com", Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Reply: "taken", At: at})
		}
		e := settled(n, []notice.Cause{cause[r.Outcome]}, receipts...)
		e.Tries = n.Tries + 1
		if e.Reason = ""; r.Outcome != notice.OutcomeAccepted {
			e.Reason = "reader " + string(r.Outcome) + " at " + string(r.Phase) + ": " + r.String()
		}
		if lost := commit(t, s, []notice.Mark{markOf(n)}, e); len(lost) > 0 {
			t.Fatal("lost", lost)
		}
	}
}

// TestAViewOfSeveralJurisdictionsSaysWhatItsLettersSaid goes back in a register of two jurisdictions that both have letters
// that were moved later and documents that were issued later.
func TestAViewOfSeveralJurisdictionsSaysWhatItsLettersSaid(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		docs, ids := map[string]notice.Document{}, []string{}
		counties := []string{"gangcheng", j}
		for _, code := range counties {
			doc, own := planCounty(t, s, code)
			docs[code], ids = doc, append(ids, own...)
			if err := s.LeaveOn(ctx, code, day0); err != nil {
				t.Fatal(err)
			}
		}
		now := func() time.Time { return got[time.Time](t)(s.Now(ctx)) }
		answer(t, s, now(), map[string]notice.Receipt{
			"a": {Outcome: notice.OutcomeTemporary, Phase: notice.PhaseRecipient, Code: 451, Enhanced: "4.2.1", Reply: "try later"},
			"b": {Outcome: notice.OutcomePermanent, Phase: notice.PhaseRecipient, Code: 550, Enhanced: "5.1.1", Reply: "no such mailbox"},
			"c": {Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Reply: "ok"},
		})
		tick(t, s)
		held, when, seqs := map[string]notice.Notice{}, now(), map[string]int64{}
		for _, id := range ids {
			held[id] = letterOf(t, s, id)
		}
		troubles := got[[]notice.Health](t)(s.Troubles(ctx, nil))
		equal(t, "addresses with trouble", len(troubles), 2)
		for _, code := range counties {
			seqs[code] = got[task.Jurisdiction](t)(s.Jurisdiction(ctx, code)).Seq
		}
		tick(t, s)
		for i, code := range counties {
			failed := ids[4*i+1]
			if err := s.Move(ctx, failed, notice.Failed, "the address was mended", "李敏", notice.Reopen); err != nil {
				t.Fatal(err)
			}
			d := issued(docs[code], 1, notice.ByMail)
			n := letterOf(t, s, d.ID)
			paper := *n.Facts.Paper
			paper.Number, paper.Date, paper.Form = d.Number, d.Date, []notice.FormRow{{Label: "编号", Text: d.Number}, paper.Form[1]}
			n.Facts.Date, n.Facts.Paper, n.Reason = d.Date, &paper, "issued by 李敏"
			if err := s.Issue(ctx, code, seqs[code], d, n); err != nil {
				t.Fatal(err)
			}
		}
		answer(t, s, now(), map[string]notice.Receipt{
			"a": {Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Reply: "ok"},
			"b": {Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Reply: "ok"},
			"d": {Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Reply: "ok"},
		})
		tick(t, s)
		equal(t, "addresses with trouble in the end", len(got[[]notice.Health](t)(s.Troubles(ctx, nil))), 0)
		for name, c := range map[string]store.Cut{"an instant": {At: when}, "the instant of the seqs": {At: when, Seq: seqs}} {
			view := got[*store.Store](t)(s.Scratch(ctx, filepath.Join(t.TempDir(), "view.db"), c))
			for _, id := range ids {
				was, is := held[id], letterOf(t, view, id)
				equal(t, name+": state of "+was.Key.Unit, is.State, was.State)
				equal(t, name+": reason of "+was.Key.Unit, is.Reason, was.Reason)
				equal(t, name+": what is said to "+was.Key.Unit, is.Facts, was.Facts)
				equal(t, name+": receipts of "+was.Key.Unit, len(is.Receipts), len(was.Receipts))
			}
			equal(t, name+": the addresses with trouble", got[[]notice.Health](t)(view.Troubles(ctx, nil)), troubles)
			for _, code := range counties {
				d := got[notice.Document](t)(view.Document(ctx, docs[code].ID))
				equal(t, name+": the document", d.State, notice.Drafted)
				equal(t, name+": its number", d.Number, "")
			}
			if err := view.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
