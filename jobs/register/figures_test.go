package register_test

import (
	"fmt"
	"slices"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/register"
	"duban/jobs/task"
)

// The figures of a return are the ledger's: an edited ledger changes them, one without the column leaves them, and one whose
// cell is empty takes them away.
func TestFiguresAreKeptThroughImports(t *testing.T) {
	each(t, func(w *town) {
		for _, c := range []struct {
			on     string
			fields []string
			want   string
			change string
		}{
			{"2024-02-01", []string{"发现问题数", "已整改数"}, "[发现问题数 已整改数]", "figures nothing → 发现问题数、已整改数"},
			{"2024-02-02", []string{"发现问题数", "已整改数"}, "[发现问题数 已整改数]", ""},
			{"2024-02-03", nil, "[发现问题数 已整改数]", ""},
			{"2024-02-04", []string{"发现问题数", "已整改数", "检查次数"}, "[发现问题数 已整改数 检查次数]", "figures 发现问题数、已整改数 → 发现问题数、已整改数、检查次数"},
			{"2024-02-05", []string{}, "[]", "figures 发现问题数、已整改数、检查次数 → nothing"},
		} {
			versions, err := w.s.Tasks(w.t.Context(), "ss")
			must(w.t, err)
			in := register.PlanImport{Plan: task.Plan{Jurisdiction: "ss", Code: "zf", Title: "方案", Issued: date("2024-01-15")}, On: date(c.on), Who: "李敏"}
			for _, t := range task.TasksAsOf(versions, civil.Never) {
				if t.Fields = []string{}; t.Row == "6" {
					t.Fields = slices.Clone(c.fields)
				}
				in.Tasks = append(in.Tasks, t)
			}
			got, err := w.ImportPlan(w.t.Context(), in)
			must(w.t, err)
			change := ""
			for _, ch := range got.Changes {
				if ch.Code == "6" {
					change = ch.What
				}
			}
			w.same(c.on, change, c.change)
			versions, err = w.s.Tasks(w.t.Context(), "ss")
			must(w.t, err)
			for _, t := range task.TasksAsOf(versions, civil.Never) {
				if t.Row == "6" {
					w.same(c.on, fmt.Sprint(t.Fields), c.want)
				}
			}
		}
	})
}
