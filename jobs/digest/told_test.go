package digest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/closing"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// brief is a letter of kind to the reader.
func brief(d, unit, kind string, s notice.State) notice.Brief {
	key := notice.Key{Jurisdiction: "ls", Date: date(d), Unit: unit, Role: "liaison", Kind: kind}
	return notice.Brief{ID: key.ID(), Key: key, State: s}
}

// quiet is the input of a Thursday on which nothing changed since the digest of Wednesday.
func quiet(t *testing.T) (*town, Input) {
	t.Helper()
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-09-30"), "a b").live("2024-05-06", "2024-06-12")
	if w.last == 0 {
		t.Fatal("no digest at all")
	}
	w.last, w.lastSeq = date("2024-06-12"), w.next()
	in := w.read(date("2024-06-13"))
	in.Week = nil
	return w, in
}

func TestADocumentIsToldOnce(t *testing.T) {
	_, in := quiet(t)
	for _, c := range []struct {
		name string
		doc  notice.Document
		want string // none: there is no digest
	}{
		{"issued before the last digest, on its day", notice.Document{State: notice.Issued, Drafted: date("2024-06-11"), Date: date("2024-06-12"), Seq: in.LastSeq - 1}, ""},
		{"issued after the last digest, on its day", notice.Document{State: notice.Issued, Drafted: date("2024-06-11"), Date: date("2024-06-12"), Seq: in.LastSeq + 1}, "印发公文1件：区甲局第1项督办〔2024〕1号。"},
		{"handed over before, recorded after", notice.Document{State: notice.Issued, Drafted: date("2024-06-03"), Date: date("2024-06-05"), Seq: in.LastSeq + 1}, "印发公文1件：区甲局第1项督办〔2024〕1号。"},
		{"issued for a day to come", notice.Document{State: notice.Issued, Drafted: date("2024-06-11"), Date: date("2024-06-14"), Seq: in.LastSeq + 1}, ""},
		{"issued before for today", notice.Document{State: notice.Issued, Drafted: date("2024-06-11"), Date: date("2024-06-13"), Seq: in.LastSeq - 1}, "印发公文1件：区甲局第1项督办〔2024〕1号。"},
		{"drafted and issued since", notice.Document{State: notice.Issued, Drafted: date("2024-06-13"), Date: date("2024-06-13"), Seq: in.LastSeq + 2}, "印发公文1件：区甲局第1项督办〔2024〕1号。"},
		{"drafted since", notice.Document{State: notice.Drafted, Drafted: date("2024-06-13"), Seq: in.LastSeq + 1}, "新拟公文1件：区甲局第1项。"},
		{"voided since", notice.Document{State: notice.Voided, Drafted: date("2024-06-03"), Date: date("2024-06-05"), Seq: in.LastSeq + 1}, "作废公文1件：区甲局第1项督办〔2024〕1号。"},
		{"voided before", notice.Document{State: notice.Voided, Drafted: date("2024-06-03"), Date: date("2024-06-05"), Seq: in.LastSeq}, ""},
		{"dropped since", notice.Document{State: notice.Dropped, Drafted: date("2024-06-03"), Seq: in.LastSeq + 1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, in := quiet(t)
			c.doc.ID, c.doc.Kind, c.doc.Unit, c.doc.Refs = "d", notice.SupervisionForm, "a", []string{"ls/zf/1/a/m1"}
			if c.doc.State != notice.Drafted {
				c.doc.Number = "督办〔2024〕1号"
			}
			in.Documents = []notice.Document{c.doc}
			p, sum, ok := Make(in, w.Set, date("2024-06-13"))
			if ok != (c.want != "") || !strings.Contains(printed(p), c.want) || ok && sum.Changes != 1 {
				t.Errorf("digest %t, %d changes, want %q:\n%s", ok, sum.Changes, c.want, printed(p))
			}
		})
	}
}

func TestLettersThatWaitForAPerson(t *testing.T) {
	waits := func(d, unit, kind string) notice.Brief {
		l := brief(d, unit, kind, notice.Held)
		l.Waits = true
		return l
	}
	// The 10th was a day off, so that the letter of the 11th was the week's first.
	capped := []notice.Brief{
		brief("2024-06-11", "a", notice.UnitLetter, notice.Sent), brief("2024-06-12", "a", notice.UnitLetter, notice.Sent), waits("2024-06-13", "a", notice.UnitLetter),
	}
	cancelled := slices.Clone(capped)
	cancelled[1].State = notice.Cancelled
	form := waits("2024-06-13", "a", notice.SupervisionForm)
	for _, c := range []struct {
		name   string
		week   []notice.Brief
		docs   []notice.Document
		digest bool
		want   string // among what is to be done; none: nothing is
	}{
		{"over the cap", capped, nil, true, "超出每周来信上限、待放行1封（区甲局）。请逐封放行，或电话告知后登记；未放行的，仍须告知的事项并入下周首个工作日来信。"},
		{"for another reason", cancelled, nil, true, "来信待放行1封（区甲局）。请核对后放行，或以其他方式告知后登记。"},
		{"told by the last digest", []notice.Brief{waits("2024-06-12", "a", notice.UnitLetter)}, nil, false, ""},
		{"for its window", []notice.Brief{brief("2024-06-13", "a", notice.UnitLetter, notice.Held)}, nil, false, ""},
		{"released", []notice.Brief{brief("2024-06-13", "a", notice.UnitLetter, notice.Sent)}, nil, false, ""},
		{"to a unit without an address", []notice.Brief{waits("2024-06-13", "c", notice.UnitLetter)}, nil, false, ""},
		{"about people", []notice.Brief{waits("2024-06-13", "a", notice.PersonnelLetter), waits("2024-06-13", "b", notice.PersonnelLetter)}, nil, true,
			"人员管理提示待放行2封（区甲局、区乙局）。请核对收件人后放行，或当面送交。"},
		{"a digest", []notice.Brief{waits("2024-06-13", "sfj", notice.BureauDigest)}, nil, false, ""},
		{"a form in draft", []notice.Brief{form}, []notice.Document{{ID: form.ID, Kind: notice.SupervisionForm, State: notice.Drafted, Drafted: date("2024-06-11"), Unit: "a", Seq: 1}}, false, ""},
		{"a form that was issued", []notice.Brief{form}, []notice.Document{{ID: form.ID, Kind: notice.SupervisionForm, State: notice.Issued, Drafted: date("2024-06-11"), Date: date("2024-06-12"), Unit: "a", Seq: 1}}, true,
			"已编号公文待放行1封（区甲局）。请核对所述情况后放行，或作废。"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, in := quiet(t)
			w.Set.WeeklyCap = 1
			in.Week, in.Documents = c.week, c.docs
			in.Directory.Units = slices.Clone(in.Directory.Units)
			for i, u := range in.Directory.Units {
				if u.Code == "c" {
					in.Directory.Units[i].Contacts = nil
				}
			}
			d := date("2024-06-13")
			if _, sum, ok := Make(in, w.Set, d); ok != c.digest {
				t.Fatalf("digest %t: %+v", ok, sum)
			}
			in.Last, in.LastSeq = 0, 0 // the first digest is written in any case
			p, _, _ := Make(in, w.Set, d)
			got := p.Sections[0]
			if c.want != "" && (got.Heading != "请今日处理" || !slices.Contains(got.Lines, c.want) || strings.Contains(p.Subject, "无待办")) {
				t.Errorf("lacks %q:\n%s", c.want, printed(p))
			}
			if c.want == "" && c.name != "told by the last digest" && strings.Contains(strings.Join(got.Lines, ""), "放行") {
				t.Errorf("asks to release:\n%s", printed(p))
			}
		})
	}
}

func TestTheGovernmentOfficeIsNoUnit(t *testing.T) {
	w, in := quiet(t)
	sent, back := brief("2024-06-12", closing.GovernmentRole, notice.Bulletin, notice.Sent), brief("2024-06-13", closing.GovernmentRole, notice.Report, notice.Failed)
	back.Key.Date--
	in.Week = []notice.Brief{sent, back, brief("2024-06-12", "a", notice.UnitLetter, notice.Sent)}
	for _, c := range []struct{ office, want string }{{"", "政府办公室退信1封，请核对"}, {"区政府办", "区政府办退信1封，请核对"}} {
		w.Set.Government.Short = c.office
		in.Week[0].Key.Date = date("2024-06-11")
		p, _, ok := Make(in, w.Set, date("2024-06-13"))
		got := printed(p)
		if !ok || !strings.Contains(got, c.want) || !strings.Contains(got, "向1家发信1封") || strings.Contains(got, "government") {
			t.Errorf("want %q:\n%s", c.want, got)
		}
	}
}

// What was asked for in letters that did not leave is no burden yet.
func TestABurdenIsWhatLeft(t *testing.T) {
	w, in := quiet(t)
	in.Last, in.Served = 0, map[string]civil.Date{}
	in.Steps = nil
	for i, l := range []notice.Brief{
		brief("2024-06-11", "a", notice.UnitLetter, notice.Sent), brief("2024-06-12", "a", notice.UnitLetter, notice.Superseded),
		brief("2024-06-13", "a", notice.UnitLetter, notice.Held), brief("2024-06-13", "b", notice.SupervisionForm, notice.Held),
		brief("2024-06-12", "b", notice.UnitLetter, notice.Superseded),
	} {
		in.Week = append(in.Week, l)
		in.Steps = append(in.Steps, task.FiredStep{Obligation: "ls/zf/1/" + l.Key.Unit + "/m1", Step: "T-3", N: i + 1, On: l.Key.Date, Notice: l.ID})
	}
	in.Served[in.Week[1].ID] = date("2024-06-13") // taken over by a letter that arrived
	p, _, _ := Make(in, w.Set, date("2024-06-13"))
	if got := printed(p); !strings.Contains(got, "向1家发信1封，提出要求2项次。") || !strings.Contains(got, "区甲局1封2项次。") {
		t.Error(got)
	}
}

// An urging said under an earlier policy is one still.
func TestUrgingsOfAnEarlierPolicy(t *testing.T) {
	w := newTown(t).plan("zf", "方案", "2024-05-06", "").row("1", on("2024-06-28"), "a b").live("2024-05-06", "2024-07-03")
	rules := maps.Clone(ladder.Default())
	var later []ladder.Rule
	for _, r := range rules[task.Milestone] {
		if r.Rung != ladder.Urging {
			later = append(later, r)
		}
	}
	for _, name := range []string{"T+7", "T+9"} {
		r, err := ladder.Named(ladder.Rule{Step: name, Rung: ladder.Urging})
		if err != nil {
			t.Fatal(err)
		}
		later = append(later, r)
	}
	rules[task.Milestone] = later
	w.Set.Later = append(w.Set.Later, planner.Policy{From: date("2024-07-04"), Ladder: rules})
	w.live("2024-07-04", "2024-07-05")
	w.event("2024-07-05", "1/b/m1", task.Contacted, by("电话")).live("2024-07-08", "2024-07-08")
	w.has("2024-07-08", "超期2项次，涉及2家：2家已送达", "区甲局｜1｜6｜", "｜7.2｜已送达｜")
	w.lacks("2024-07-08", "家待催办", "尚无来信送达")
}

func TestAPartOfOtherRulesIsWorthADigest(t *testing.T) {
	w, in := quiet(t)
	in.Extra = []notice.Section{{Heading: "涉企检查备案与登记", Lines: []string{"重叠1件。"}}}
	if _, sum, ok := Make(in, w.Set, date("2024-06-13")); ok || sum.Reason == "" {
		t.Errorf("a digest for what the last one told: %+v", sum)
	}
	in.ExtraNew = true
	if p, sum, ok := Make(in, w.Set, date("2024-06-13")); !ok || sum.Reason != "" || !strings.Contains(printed(p), "重叠1件。") {
		t.Errorf("no digest for what is new: %+v", sum)
	}
}
