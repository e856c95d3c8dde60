package task_test

import (
	"slices"
	"strings"
	"testing"

	"duban/jobs/task"
)

func TestDirectoryAsOf(t *testing.T) {
	dir := task.Directory{
		Units: []task.Unit{
			{Code: "qjtj", Name: "区交通局", On: date("2024-01-01"), Seq: 1},
			{Code: "qjtj", Name: "区交通运输局", On: date("2024-06-01"), Seq: 7},
			{Code: "qjtj", Name: "区交运局", On: date("2024-06-01"), Seq: 5},
			{Code: "qcgj", Name: "区城管局", On: date("2024-01-01"), Seq: 2},
			{Code: "qcgj", Removed: true, On: date("2024-09-01"), Seq: 9},
			{Code: "anj", Name: "区安监局", On: date("2024-03-01"), Seq: 3},
		},
		Groups: []task.Group{
			{Code: "zfjg", Name: "各行政执法机关", On: date("2024-01-01"), Seq: 1},
			{Code: "zfjg", Name: "各行政执法单位", On: date("2024-05-01"), Seq: 2},
			{Code: "gzj", Name: "各镇街", Removed: true, On: date("2024-01-01"), Seq: 3},
		},
	}
	tests := []struct{ on, units, groups string }{
		{"2023-12-31", "", ""},
		{"2024-01-01", "区城管局 区交通局", "各行政执法机关"},
		{"2024-03-01", "区安监局 区城管局 区交通局", "各行政执法机关"},
		{"2024-05-31", "区安监局 区城管局 区交通局", "各行政执法单位"},
		{"2024-06-01", "区安监局 区城管局 区交通运输局", "各行政执法单位"}, // the greater seq of the same day
		{"2024-09-01", "区安监局 区交通运输局", "各行政执法单位"},      // removed
	}
	for _, tt := range tests {
		for _, reversed := range []bool{false, true} {
			d := task.Directory{Units: slices.Clone(dir.Units), Groups: slices.Clone(dir.Groups)}
			if reversed {
				slices.Reverse(d.Units)
				slices.Reverse(d.Groups)
			}
			d = d.AsOf(date(tt.on))
			var units, groups []string
			for _, u := range d.Units {
				units = append(units, u.Name)
			}
			for _, g := range d.Groups {
				groups = append(groups, g.Name)
			}
			if got := strings.Join(units, " "); got != tt.units {
				t.Errorf("units on %s: got %q, want %q", tt.on, got, tt.units)
			}
			if got := strings.Join(groups, " "); got != tt.groups {
				t.Errorf("groups on %s: got %q, want %q", tt.on, got, tt.groups)
			}
		}
	}
}

func TestExpand(t *testing.T) {
	dir := task.Directory{Units: []task.Unit{
		{Code: "a", Groups: []string{"zf"}}, {Code: "b", Groups: []string{"zf", "zj"}}, {Code: "c", Groups: []string{"zj"}}, {Code: "d"},
	}}
	group := func(code string, r task.Role, o task.Owes) task.Party {
		return task.Party{Code: code, Group: true, Role: r, Owes: o}
	}
	unit := func(code string, r task.Role, o task.Owes) task.Party {
		return task.Party{Code: code, Role: r, Owes: o}
	}
	tests := []struct {
		name    string
		parties []task.Party
		want    string
	}{
		{"nobody", nil, ""},
		{"units, sorted", []task.Party{unit("d", task.Lead, task.OwesDeliver), unit("a", task.Support, task.OwesSupport)}, "a support support, d lead deliver"},
		{"a group", []task.Party{group("zf", task.Responsible, task.OwesDeliver)}, "a responsible deliver, b responsible deliver"},
		{"a unit of two groups counts once", []task.Party{group("zf", task.Responsible, task.OwesDeliver), group("zj", task.Support, task.OwesSupport)},
			"a responsible deliver, b responsible deliver, c support support"},
		{"the strongest role wins, in either order", []task.Party{group("zj", task.Support, task.OwesSupport), group("zf", task.Responsible, task.OwesDeliver)},
			"a responsible deliver, b responsible deliver, c support support"},
		{"a lead that is also a member leads", []task.Party{unit("a", task.Lead, task.OwesDeliver), group("zf", task.Responsible, task.OwesDeliver)},
			"a lead deliver, b responsible deliver"},
		{"and owes the most of what it is named for", []task.Party{unit("a", task.Guide, task.OwesNone), group("zf", task.Support, task.OwesSupport)},
			"a support support, b support support"},
		{"a lead by name that owes nothing, responsible in a group", []task.Party{unit("a", task.Lead, task.OwesNone), group("zf", task.Responsible, task.OwesDeliver)},
			"a lead deliver, b responsible deliver"},
		{"a unit and a group of the same code are two things", []task.Party{unit("zf", task.Lead, task.OwesDeliver), group("a", task.Lead, task.OwesDeliver)}, ""},
		{"a unit that is not there, an empty group", []task.Party{unit("x", task.Lead, task.OwesDeliver), group("none", task.Lead, task.OwesDeliver)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range dir.Expand(tt.parties) {
				got = append(got, p.Code+" "+string(p.Role)+" "+string(p.Owes))
				if p.Group {
					t.Errorf("%s is still a group", p.Code)
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestTasksAsOf(t *testing.T) {
	row := func(plan, code string, order int, on string, seq int64, withdrawn bool) task.Task {
		return task.Task{TaskID: task.TaskID{Jurisdiction: "j", Plan: plan, Row: code}, Order: order, On: date(on), Seq: seq, Withdrawn: withdrawn}
	}
	all := []task.Task{
		row("b", "1", 1, "2024-01-01", 1, false),
		row("a", "10", 2, "2024-01-01", 2, false),
		row("a", "9", 1, "2024-01-01", 3, false),
		row("a", "9", 3, "2024-06-01", 4, false), // moved down the ledger
		row("a", "10", 2, "2024-07-01", 5, true),
		row("a", "10", 2, "2024-09-01", 6, false), // taken in again
	}
	for on, want := range map[string]string{
		"2023-12-31": "", "2024-01-01": "a/9 a/10 b/1", "2024-06-01": "a/10 a/9 b/1", "2024-07-01": "a/9 b/1", "2024-09-01": "a/10 a/9 b/1",
	} {
		var got []string
		for _, r := range task.TasksAsOf(all, date(on)) {
			got = append(got, r.Plan+"/"+r.Row)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("on %s: got %q, want %q", on, s, want)
		}
	}
}

func TestContact(t *testing.T) {
	u := task.Unit{Contacts: []task.Contact{{Role: task.Deputy, Name: "乙"}, {Role: task.Liaison, Name: "甲"}}}
	if c, ok := u.Contact(task.Liaison); !ok || c.Name != "甲" {
		t.Errorf("liaison: got %v, %t", c, ok)
	}
	if c, ok := u.Contact(task.Head); ok {
		t.Errorf("there is no head, got %v", c)
	}
}

func TestParseRef(t *testing.T) {
	for _, s := range []string{"laoshan/zf2024/17/qjtj/m1", "laoshan/zf2024/17/qjtj/2024-06/10", "laoshan/zf2024/（一）1/qjtj/e:机构改革完成"} {
		r, err := task.ParseRef(s)
		if err != nil || r.String() != s {
			t.Errorf("ParseRef(%q) = %q, %v", s, r, err)
		}
	}
	for _, s := range []string{"", "laoshan", "laoshan/zf2024/17", "laoshan/zf2024/17/qjtj", "laoshan/zf2024/17/qjtj/", "/zf2024/17/qjtj/m1", "laoshan//17/qjtj/m1"} {
		if r, err := task.ParseRef(s); err == nil {
			t.Errorf("ParseRef(%q) = %q, want an error", s, r)
		}
	}
	if id, err := task.ParseTaskID("laoshan/zf2024/17"); err != nil || id.String() != "laoshan/zf2024/17" {
		t.Errorf("got %q, %v", id, err)
	}
	for _, s := range []string{"", "laoshan/zf2024", "laoshan/zf2024/17/qjtj", "laoshan//17"} {
		if id, err := task.ParseTaskID(s); err == nil {
			t.Errorf("ParseTaskID(%q) = %q, want an error", s, id)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"laoshan/zf2024/17/qjtj/m1", "a/b/c/d/2024-06/10", "////", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := task.ParseRef(s); err == nil && r.String() != s {
			t.Errorf("ParseRef(%q) prints as %q", s, r)
		}
		if id, err := task.ParseTaskID(s); err == nil && id.String() != s {
			t.Errorf("ParseTaskID(%q) prints as %q", s, id)
		}
	})
}
