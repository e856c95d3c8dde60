package testdata

import (
	"regexp"
	"slices"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// Events are of units and people that are known, told apart by kind, number and unit, with a window where an inspection was
// filed. Each jurisdiction has an inspection or a clock; one event is exempt, and an inspection overlaps another.
func TestEvents(t *testing.T) {
	date := regexp.MustCompile(`^2024-(09|10)-[0-3]\d$|^2024-08-30$`)
	kinds, exempt := map[string]bool{}, 0
	for _, j := range jurisdictions {
		t.Run(j, func(t *testing.T) {
			known := names(t, readTable(t, j+"/units.csv", "类型"))
			var people []string
			for _, p := range readTable(t, j+"/people.csv", "人员编号").rows {
				people = append(people, p["人员编号"])
			}
			s := readTable(t, j+"/events.csv", "事件类型")
			if s.labels["行政区域代码"] != j {
				t.Errorf("行政区域代码 is %q", s.labels["行政区域代码"])
			}
			seen := map[string]bool{}
			for _, e := range s.rows {
				once := e["事件类型"] + e["编号"] + e["单位"]
				if seen[once] || e["编号"] == "" || !date.MatchString(e["发生日期"]) || known[norm.NFKC.String(e["单位"])] == "" {
					t.Errorf("%v", e)
				}
				if e["人员编号"] != "" && !slices.Contains(people, e["人员编号"]) {
					t.Errorf("nobody is %s", e["人员编号"])
				}
				if filed := e["事件类型"] == "检查备案"; filed != (e["检查对象"] != "" && e["检查起"] <= e["检查止"] && date.MatchString(e["检查起"])) {
					t.Errorf("%s: %s from %s to %s", e["编号"], e["检查对象"], e["检查起"], e["检查止"])
				}
				seen[once], kinds[e["事件类型"]] = true, true
				if e["不适用原因"] != "" {
					exempt++
				}
			}
		})
	}
	for _, k := range []string{"行政许可决定", "行政处罚决定", "其他执法决定", "音视频记录", "拟返岗", "监督意见", "案件纠错", "证件暂扣", "检查备案", "检查登记", "事后评价"} {
		if !kinds[k] {
			t.Errorf("no %s", k)
		}
	}
	if exempt != 1 {
		t.Errorf("%d events are exempt", exempt)
	}
}

// The figures of a return stand in the ledgers of the two plans that ask units for returns.
func TestFigures(t *testing.T) {
	for j, want := range map[string]map[string]string{
		"sishui":  {"6": "发现问题数、已整改数、检查次数", "15-1": "行政许可件数、行政处罚件数、行政强制件数、行政检查次数"},
		"changji": {"13": "自评案卷数、发现问题数、已整改数", "15-1": "行政诉讼案件数、败诉案件数、负责人出庭数"},
	} {
		for _, r := range readPlan(t, j).rows {
			if w := want[rowCode(r)]; w != "" && r["填报指标"] != w {
				t.Errorf("%s row %s: %q, want %q", j, rowCode(r), r["填报指标"], w)
			}
		}
	}
}
