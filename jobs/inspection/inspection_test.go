package inspection_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/inspection"
	"duban/jobs/task"
)

func date(s string) civil.Date { return civil.MustParse(s) }

var seq int64

func entry(kind, ref, unit, on string) task.Occurrence {
	seq++
	return task.Occurrence{Seq: seq, Kind: kind, Ref: ref, Unit: unit, On: date(on)}
}

// filed is a filing of the day for a window.
func filed(ref, unit, on, firm, from, to string) task.Occurrence {
	o := entry(task.InspectionFiled, ref, unit, on)
	o.Party, o.From, o.To = firm, date(from), date(to)
	return o
}

func registered(ref, unit, on string) task.Occurrence {
	return entry(task.InspectionRegistered, ref, unit, on)
}

func calledOff(o task.Occurrence) task.Occurrence {
	seq++
	o.Seq, o.Exempt = seq, "企业停产，检查取消"
	return o
}

func town() task.Directory {
	return task.Directory{Units: []task.Unit{
		{Code: "sjj", Name: "市市场监管局", On: date("2024-01-01")}, {Code: "yjj", Name: "市应急局", On: date("2024-01-01")},
		{Code: "hbj", Name: "市生态环境局", On: date("2024-01-01")}, {Code: "hbj", Removed: true, On: date("2024-10-01"), Seq: 2},
	}}
}

func TestSections(t *testing.T) {
	first := filed("A1", "sjj", "2024-09-18", "甲公司", "2024-10-09", "2024-10-11")
	for _, c := range []struct {
		name     string
		occ      []task.Occurrence
		d, since string
		want     []string
	}{
		{"nothing", nil, "2024-09-20", "2024-09-19", nil},
		{"a filing to come", []task.Occurrence{first}, "2024-09-20", "2024-09-19", nil},
		{"two units at once, the last day of one the first of the other", []task.Occurrence{first, filed("B1", "yjj", "2024-09-20", "甲公司", "2024-10-11", "2024-10-12")}, "2024-09-20", "2024-09-19",
			[]string{"（新增）备案时间重叠：甲公司，市市场监管局A1（10月9日至10月11日）与市应急局B1（10月11日至10月12日）在10月11日重叠，请协调合并或错开检查。"}},
		{"known from the digest before", []task.Occurrence{first, filed("B1", "yjj", "2024-09-18", "甲公司", "2024-10-10", "2024-10-10")}, "2024-09-20", "2024-09-19",
			[]string{"备案时间重叠：甲公司，市市场监管局A1（10月9日至10月11日）与市应急局B1（10月10日）在10月10日重叠，请协调合并或错开检查。"}},
		{"the day after is no overlap", []task.Occurrence{first, filed("B1", "yjj", "2024-09-20", "甲公司", "2024-10-12", "2024-10-12")}, "2024-09-20", "2024-09-19", nil},
		{"another enterprise", []task.Occurrence{first, filed("B1", "yjj", "2024-09-20", "甲公司二厂", "2024-10-10", "2024-10-10")}, "2024-09-20", "2024-09-19", nil},
		{"an enterprise written otherwise", []task.Occurrence{filed("A1", "sjj", "2024-09-18", "甲（山东）公司", "2024-10-09", "2024-10-11"), filed("A2", "sjj", "2024-09-18", "甲 (山东)公司", "2024-10-10", "2024-10-11")}, "2024-09-20", "",
			[]string{"备案时间重叠：甲（山东）公司，市市场监管局A1（10月9日至10月11日）与A2（10月10日至10月11日）在10月10日至10月11日重叠，请协调合并或错开检查。"}},
		{"one was called off", []task.Occurrence{first, filed("B1", "yjj", "2024-09-20", "甲公司", "2024-10-10", "2024-10-10"), calledOff(first)}, "2024-09-20", "2024-09-19", nil},
		{"one was moved", []task.Occurrence{first, filed("B1", "yjj", "2024-09-20", "甲公司", "2024-10-10", "2024-10-10"), filed("A1", "sjj", "2024-09-18", "甲公司", "2024-10-11", "2024-10-12")}, "2024-09-20", "2024-09-19", nil},
		{"not filed yet on the day", []task.Occurrence{first, filed("B1", "yjj", "2024-09-23", "甲公司", "2024-10-10", "2024-10-10")}, "2024-09-20", "2024-09-19", nil},
		{"registered in time, on the last day, or late", []task.Occurrence{first, registered("A1", "sjj", "2024-10-14")}, "2024-10-14", "2024-10-12", nil},
		{"its last day is not past", []task.Occurrence{first}, "2024-10-11", "2024-10-10", nil},
		{"its last day is past", []task.Occurrence{first}, "2024-10-12", "2024-10-11",
			[]string{"检查期已过未登记：市市场监管局1件，其中新增1件（A1，10月9日至10月11日），请核实是否开展：已开展的补登记，未开展的注明原因。"}},
		{"one line for a unit, and nothing new", []task.Occurrence{first, filed("A0", "sjj", "2024-09-18", "乙公司", "2024-09-20", "2024-09-20"), filed("C1", "yjj", "2024-09-18", "丙公司", "2024-09-20", "2024-09-20"), registered("A1", "yjj", "2024-10-10")}, "2024-10-15", "2024-10-14",
			[]string{"检查期已过未登记：市市场监管局2件（A0，9月20日；A1，10月9日至10月11日），请核实是否开展：已开展的补登记，未开展的注明原因。",
				"检查期已过未登记：市应急局1件（C1，9月20日），请核实是否开展：已开展的补登记，未开展的注明原因。",
				"已登记未见备案：市应急局1件（A1，10月10日登记），请核实备案情况。"}},
		{"both are past", []task.Occurrence{first, filed("B1", "yjj", "2024-09-20", "甲公司", "2024-10-10", "2024-10-10"), registered("A1", "sjj", "2024-10-09"), registered("B1", "yjj", "2024-10-10")}, "2024-10-17", "2024-10-16",
			[]string{"备案时间重叠：甲公司，市市场监管局A1（10月9日至10月11日）与市应急局B1（10月10日）在10月10日重叠，检查期已过，请核实是否重复检查。"}},
		{"long past", []task.Occurrence{first, filed("B1", "yjj", "2024-09-20", "甲公司", "2024-10-10", "2024-10-10"), registered("A1", "sjj", "2024-10-09"), registered("B1", "yjj", "2024-10-10")}, "2024-10-18", "2024-10-17", nil},
		{"over the year's turn, of a unit that is gone", []task.Occurrence{filed("H1", "hbj", "2024-09-18", "甲公司", "2024-12-30", "2025-01-02")}, "2025-01-03", "2025-01-02",
			[]string{"检查期已过未登记：市生态环境局1件，其中新增1件（H1，2024年12月30日至1月2日），请核实是否开展：已开展的补登记，未开展的注明原因。"}},
		{"a rating is never spoken of", []task.Occurrence{entry(task.InspectionRated, "A1", "sjj", "2024-09-20")}, "2024-09-20", "2024-09-19", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.occ)
			since := civil.Date(0)
			if c.since != "" {
				since = date(c.since)
			}
			got := inspection.Sections(c.occ, town(), date(c.d), since)
			var lines []string
			for _, s := range got {
				if s.Heading == "" || len(s.Lines) == 0 {
					t.Errorf("an empty part: %+v", s)
				}
				lines = append(lines, s.Lines...)
			}
			if strings.Join(lines, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(c.want, "\n"))
			}
			if isNew := inspection.New(c.occ, date(c.d), since, 0); since != 0 && isNew != strings.Contains(strings.Join(lines, ""), "新增") {
				t.Errorf("new %t:\n%s", isNew, strings.Join(lines, "\n"))
			}
			if !slices.Equal(before, c.occ) {
				t.Error("the input was changed")
			}
			reversed := slices.Clone(c.occ)
			slices.Reverse(reversed)
			if fmt.Sprint(inspection.Sections(reversed, town(), date(c.d), since)) != fmt.Sprint(got) {
				t.Error("the order of the entries decides")
			}
		})
	}
}

// What was typed in after the last digest for a day before it is new, and only that.
func TestNewByEntry(t *testing.T) {
	a := filed("A1", "sjj", "2024-09-18", "甲公司", "2024-10-09", "2024-10-11")
	b := filed("B1", "yjj", "2024-09-18", "甲公司", "2024-10-11", "2024-10-12")
	r := registered("C1", "yjj", "2024-09-18")
	for _, c := range []struct {
		name string
		occ  []task.Occurrence
		d    string
		seq  int64
		want bool
	}{
		{"the overlap's second filing", []task.Occurrence{a, b}, "2024-09-20", b.Seq - 1, true},
		{"both known", []task.Occurrence{a, b}, "2024-09-20", b.Seq, false},
		{"no digest yet", []task.Occurrence{a, b}, "2024-09-20", 0, false},
		{"a filing that meets none", []task.Occurrence{a}, "2024-09-20", a.Seq - 1, false},
		{"a registration nobody filed", []task.Occurrence{r}, "2024-09-20", r.Seq - 1, true},
		{"one that is known", []task.Occurrence{r}, "2024-09-20", r.Seq, false},
		{"one whose days have passed", []task.Occurrence{a}, "2024-10-20", a.Seq - 1, true},
		{"one that was known", []task.Occurrence{a}, "2024-10-20", a.Seq, false},
	} {
		if got := inspection.New(c.occ, date(c.d), date(c.d)-1, c.seq); got != c.want {
			t.Errorf("%s: new %t", c.name, got)
		}
	}
}

// Every pair of filings that meet is found, and none that do not: compared with looking at all pairs.
func TestOverlapsAreAllFound(t *testing.T) {
	var occ []task.Occurrence
	start := date("2025-01-01")
	for i := range 40 {
		o := entry(task.InspectionFiled, fmt.Sprint(i), []string{"sjj", "yjj"}[i%2], "2024-12-20")
		o.Party, o.From = fmt.Sprint("公司", i%3), start+civil.Date(i*7%23)
		o.To = o.From + civil.Date(i*5%6)
		occ = append(occ, o)
	}
	want := 0
	for i, a := range occ {
		for _, b := range occ[i+1:] {
			if a.Party == b.Party && a.From <= b.To && b.From <= a.To {
				want++
			}
		}
	}
	found := inspection.Find(occ, start).Overlaps
	for _, v := range found {
		if v.From < v.A.From || v.From < v.B.From || v.To > v.A.To || v.To > v.B.To || v.From > v.To {
			t.Errorf("%+v", v)
		}
	}
	if len(found) != want || want == 0 {
		t.Errorf("%d overlaps, want %d", len(found), want)
	}
}

// A line names so many references and counts them all.
func TestManyOfOneUnit(t *testing.T) {
	var occ []task.Occurrence
	for i := range 12 {
		occ = append(occ, filed(fmt.Sprintf("N%02d", i), "sjj", "2024-09-01", fmt.Sprint("公司", i), "2024-09-10", "2024-09-10"))
	}
	got := inspection.Sections(occ, town(), date("2024-09-20"), date("2024-09-19"))
	if len(got) != 1 || len(got[0].Lines) != 1 || !strings.Contains(got[0].Lines[0], "市市场监管局12件（N00，") || strings.Count(got[0].Lines[0], "N") != 8 || !strings.Contains(got[0].Lines[0], "N07，9月10日等）") {
		t.Errorf("%v", got)
	}
}
