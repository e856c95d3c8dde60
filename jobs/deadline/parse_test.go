package deadline

import (
	"encoding/json"
	"strings"
	"testing"

	"duban/jobs/civil"
)

func TestYearFromTheIssueDate(t *testing.T) {
	for _, c := range []struct{ issued, cell, want string }{
		{"2024-04-12", "6月底前", "2024-06-30"},
		{"2024-06-30", "6月底前", "2024-06-30"},
		{"2024-07-08", "6月底前", "ambiguous 2024-06-30 or 2025-06-30"},
		{"2024-07-08", "12月底前", "2024-12-31"},
		{"2024-07-08", "12月底", "2024-12-31"},
		{"2024-11-20", "1月底前", "ambiguous 2024-01-31 or 2025-01-31"},
		{"2023-12-28", "年底前", "ambiguous 2023-12-31 or 2024-12-31"},
		{"2023-12-28", "今年底前", "2023-12-31"},
		{"2024-07-08", "6月前", "ambiguous 2024-05-31 or 2024-06-30 or 2025-05-31 or 2025-06-30"},
		{"2024-07-08", "6月底前制定，9月底前完成", "ambiguous 2024-06-30 制定; 2024-09-30 完成 or 2025-06-30 or 2025-09-30"},
		{"2024-07-08", "2024年6月底前", "2024-06-30"},
		{"2024-07-08", "2024年5月底前，长期坚持", "2024-05-31; standing"},
		{"2024-10-10", "每年10月前", "ambiguous year 09-30 → 2025-09-30 or 2024-10-31"},
		{"2024-06-25", "每月25日前", "month 25 → 2024-06-25"},
		{"2024-06-26", "每月25日前", "month 25 → 2024-07-25"},
		{"2025-02-01", "每月30日前", "month 30 → 2025-02-28"},
		{"2024-01-31", "自印发之日起1个月内", "2024-02-29"},
		{"2024-07-08", "自印发之日起30日内", "2024-08-07"},
		{"", "自印发之日起30日内", "on 印发 + 30 day"},
		{"", "2024年6月底前", "2024-06-30"},
		{"", "2024年6月底前制定，9月底前完成", "2024-06-30 制定; 2024-09-30 完成"},
		{"", "6月底前", "refused"},
		{"", "年底前", "refused"},
		{"", "今年6月底前", "refused"},
		{"", "明年6月底前", "refused"},
		{"", "次年6月底前", "refused"},
		{"", "每月25日前", "month 25"},
		{"", "全年不少于12次", "year end; at least 12 per year"},
		{"", "每年10月前", "ambiguous year 09-30"},
		{"", "1月15日和7月15日前", "half 01-15 07-15"},
		{"2024-06-05", "2024年起，每年12月底前", "year 12-31 → 2024-12-31"},
		{"2023-06-05", "2024年起，每年12月底前", "year 12-31 from 2024-01-01 → 2024-12-31"},
		{"", "2024年起，每年12月底前", "year 12-31 from 2024-01-01"},
		{"", "7月起，每月25日前", "refused"},
		{"", "24年6月底前", "refused"},
		{"2017-06-05", "24年6月底前", "refused"},
		{"", "2024年每季度末", "quarter end from 2024-01-01 until 2024-12-31"},
		{"2025-01-10", "2024年每季度末", "refused"},
		{"2023-11-10", "2024年每季度末", "quarter end from 2024-01-01 until 2024-12-31 → 2024-03-31"},
		{"2024-03-15", "11月至次年3月", "2025-03-31"},
		{"2024-12-20", "11月至次年3月", "ambiguous 2025-03-31 or 2026-03-31"},
	} {
		issued, err := civil.Parse(c.issued)
		if err != nil {
			t.Fatal(err)
		}
		r := Parse(c.cell, issued)
		checkSound(t, r, c.cell)
		if got := brief(r); got != c.want {
			t.Errorf("Parse(%q, %s)\n got %s %s\nwant %s", c.cell, c.issued, got, r.Reason, c.want)
		}
	}
}

// TestReasonSaysWhy checks what an official reads of a cell that was refused or left open.
func TestReasonSaysWhy(t *testing.T) {
	for _, c := range []struct{ cell, part string }{
		{"", "未写时限"},
		{"——", "未写时限"},
		{"2024年9月31日前", "不存在"},
		{"13月底前", "13月"},
		{"20 24年6月底前", "空格"},
		{"2024年6月左右", "左右"},
		{"压缩至5个工作日以内", "压缩"},
		{"自2024年起", "起始时间"},
		{"到2025年", "目标年份"},
		{"春节前", "春节"},
		{"3日内", "从何时起算"},
		{"次月5日前", "哪个月"},
		{"各镇街6月底前，区司法局9月底前", "不同单位"},
		{"2024年6月前", "2024年5月31日，也可能是2024年6月30日"},
		{"5月底前", "2024年，也可能是2025年"},
		{"2024年6月30日（星期五）", "星期"},
		{strings.Repeat("长期坚持", 300), "过长"},
		{strings.Repeat("2024年6月底前", 1<<17), "过长"},
	} {
		if r := Parse(c.cell, issue); !strings.Contains(r.Reason, c.part) {
			t.Errorf("Parse(%.60q) says %q, want something with %q", c.cell, r.Reason, c.part)
		}
	}
}

// TestContract holds the JSON that scripts rely on.
func TestContract(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"2024年底前取得阶段性成效，长期坚持",
			`{"text":"2024年底前取得阶段性成效，长期坚持","understood":true,"ambiguous":false,"provisional":false,"soft":"",` +
				`"milestones":[{"due":"2024-12-31","label":"stage","text":"取得阶段性成效"}],"standing":true,"alternatives":[],` +
				`"recurrence":null,"recurrences":[],"quota":null,"condition":null,"reason":""}`},
		{"每月25日前",
			`{"text":"每月25日前","understood":true,"ambiguous":false,"provisional":false,"soft":"","milestones":[],"standing":false,"alternatives":[],` +
				`"recurrence":{"every":"month","dates":["25"],"next":"2024-06-25"},"recurrences":[{"every":"month","dates":["25"],"next":"2024-06-25"}],` +
				`"quota":null,"condition":null,"reason":""}`},
		{"全年不少于12次",
			`{"text":"全年不少于12次","understood":true,"ambiguous":false,"provisional":false,"soft":"","milestones":[],"standing":false,"alternatives":[],` +
				`"recurrence":{"every":"year","dates":["end"],"next":"2024-12-31"},"recurrences":[{"every":"year","dates":["end"],"next":"2024-12-31"}],` +
				`"quota":{"min":12,"per":"year"},"condition":null,"reason":""}`},
		{"机构改革完成后6个月内",
			`{"text":"机构改革完成后6个月内","understood":true,"ambiguous":false,"provisional":false,"soft":"","milestones":[],"standing":false,"alternatives":[],` +
				`"recurrence":null,"recurrences":[],"quota":null,"condition":{"event":"机构改革完成","offset":{"n":6,"unit":"month","dir":"after"}},"reason":""}`},
		{"",
			`{"text":"","understood":false,"ambiguous":false,"provisional":false,"soft":"","milestones":[],"standing":false,"alternatives":[],` +
				`"recurrence":null,"recurrences":[],"quota":null,"condition":null,"reason":"未写时限"}`},
	} {
		r := Parse(c.cell, issue)
		r.Trace = nil
		got, err := json.Marshal(r)
		if err != nil || string(got) != c.want {
			t.Errorf("Parse(%q) in JSON (%v)\n got %s\nwant %s", c.cell, err, got, c.want)
		}
	}
}

func TestTraceNamesWhatGaveTheReading(t *testing.T) {
	r := Parse("2024年10月底前完成，每月25日前报送，长期坚持", issue)
	want := []Span{{"2024年10月底前", "2024-10-31"}, {"每月25日前", "every month 25"}, {"长期坚持", "standing"}}
	if len(r.Trace) != len(want) {
		t.Fatalf("trace %v, want %v", r.Trace, want)
	}
	for i := range want {
		if r.Trace[i] != want[i] {
			t.Errorf("trace %d is %v, want %v", i, r.Trace[i], want[i])
		}
	}
}
