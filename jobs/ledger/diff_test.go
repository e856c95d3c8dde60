package ledger

import (
	"strings"
	"testing"

	"duban/jobs/deadline"
	"duban/jobs/task"
)

func TestDiff(t *testing.T) {
	row := func(code, title string, order int) task.Task {
		return task.Task{TaskID: task.TaskID{Jurisdiction: "town", Plan: "p", Row: code}, Order: order, Title: title, DeadlineText: "年底前",
			Parties: []task.Party{{Code: "a", Role: task.Lead, Owes: task.OwesDeliver}, {Code: "b", Role: task.Support, Owes: task.OwesSupport}}}
	}
	old := []task.Task{row("1", "甲", 1), row("2", "乙", 2), row("3", "丙", 3), row("4", "丁", 4), row("5", "戊", 5), row("6", "己", 6)}
	old[0].Seq, old[0].Source, old[0].Parser = 9, "old", 1
	old[0].Reading, old[0].ClarifiedBy = deadline.Reading{Understood: true}, "某人"
	old[5].Withdrawn = true
	now := []task.Task{row("1", "甲", 1), row("2", "乙", 2), row("3", "别的", 3), row("7", "庚", 4), row("5", "戊", 5), row("6", "己", 6)}
	now[0].Parser, now[0].Parties[0], now[0].Parties[1] = 2, now[0].Parties[1], now[0].Parties[0]
	now[1].DeadlineText, now[1].Deliverable = "6月底前", "总结"
	now[4].Order = 8
	c := Diff(old, now)
	if len(c.Added) != 2 || c.Added[0].Row != "7" || c.Added[1].Row != "6" {
		t.Errorf("added %+v", c.Added)
	}
	if len(c.Changed) != 1 || c.Changed[0].New.Row != "2" || strings.Join(c.Changed[0].Fields, " ") != "deadline deliverable" {
		t.Errorf("changed %+v", c.Changed)
	}
	if len(c.Withdrawn) != 1 || c.Withdrawn[0].Row != "4" || c.Unchanged != 1 || len(c.Moved) != 1 || c.Moved[0].New.Row != "5" {
		t.Errorf("withdrawn %+v, unchanged %d, moved %+v", c.Withdrawn, c.Unchanged, c.Moved)
	}
	if len(c.Conflicts) != 1 || c.Conflicts[0].New.Row != "3" {
		t.Errorf("conflicts %+v", c.Conflicts)
	}
	if s := c.Same(); len(s.Conflicts) != 0 || len(s.Changed) != 2 || len(c.Conflicts) != 1 {
		t.Errorf("same %+v", s)
	}
	if r := c.Replace("3"); len(r.Conflicts) != 0 || len(r.Replaced) != 1 || len(c.Replace("4").Conflicts) != 1 {
		t.Errorf("replace %+v", r)
	}
	if c := Diff(old[:1], now[:1]); !c.Empty() {
		t.Errorf("order of parties, seq, source and parser do not count: %+v", c)
	}
	same := now[0]
	same.Deliverable = "总结"
	if c := Diff(old[:1], []task.Task{same}); len(c.Changed) != 1 || !c.Changed[0].New.Reading.Understood || c.Changed[0].New.ClarifiedBy != "某人" {
		t.Errorf("the reading of an unchanged deadline is frozen: %+v", c.Changed)
	}
}
