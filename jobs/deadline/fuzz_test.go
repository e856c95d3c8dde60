package deadline

import (
	"testing"

	"duban/jobs/civil"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2024年6月底前", "每年10月前", "每月10日和25日", "二〇二四年十二月底前取得阶段性成果，长期坚持", "机构改革完成后6个月内", "2024-06-30 00:00:00", "每季度首月10日前", "", "——", "1月15日、7月15日前", "\xff年6月"} {
		f.Add(s, int32(civil.MustParse("2024-06-05")))
	}
	f.Fuzz(func(t *testing.T, text string, issued int32) {
		r := Parse(text, civil.Date(issued))
		checkSound(t, r, text)
	})
}

// checkSound holds what is true of every reading, whatever the text.
func checkSound(t *testing.T, r Reading, text string) {
	t.Helper()
	if r.Text != text {
		t.Fatalf("Parse(%q) has text %q", text, r.Text)
	}
	if r.Milestones == nil || r.Alternatives == nil || r.Recurrences == nil {
		t.Fatalf("Parse(%q) has a null list: %+v", text, r)
	}
	says := len(r.Milestones) > 0 || len(r.Recurrences) > 0 || r.Standing || r.Condition != nil
	if r.Understood != says {
		t.Fatalf("Parse(%q): understood %v, but says something %v: %+v", text, r.Understood, says, r)
	}
	if (r.Reason != "") != (!r.Understood || r.Ambiguous) {
		t.Fatalf("Parse(%q): reason %q, understood %v, ambiguous %v", text, r.Reason, r.Understood, r.Ambiguous)
	}
	if (r.Recurrence != nil) != (len(r.Recurrences) > 0) {
		t.Fatalf("Parse(%q): recurrence and recurrences differ: %+v", text, r)
	}
	for i, m := range r.Milestones {
		if m.Due <= 0 || i > 0 && m.Due < r.Milestones[i-1].Due {
			t.Fatalf("Parse(%q): milestones out of order: %+v", text, r.Milestones)
		}
	}
	for _, c := range r.Recurrences {
		year := civil.Of(2024, 1, 1)
		if c.From > 0 {
			year = c.From
		} else if c.Until > 0 {
			year = c.Until.AddMonths(-12)
		}
		if !c.Every.Holds() || len(c.Dates) == 0 || len(c.DueIn(year, year.AddMonths(13))) == 0 {
			t.Fatalf("Parse(%q): recurrence is never due: %+v", text, c)
		}
	}
	if r.Quota != nil && (r.Quota.Min < 1 || r.Quota.Per == nil && len(r.Milestones) == 0) {
		t.Fatalf("Parse(%q): quota hangs on nothing: %+v", text, r.Quota)
	}
	if c := r.Condition; c != nil && (c.Event == "" || c.Offset != nil && c.Offset.N < 1) {
		t.Fatalf("Parse(%q): empty condition: %+v", text, c)
	}
}
