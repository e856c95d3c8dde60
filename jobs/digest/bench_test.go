package digest

import (
	"fmt"
	"testing"

	"duban/jobs/task"
)

// BenchmarkMake writes the digest of a jurisdiction with 100 units and 60 rows of all: 6000 items, a tenth of them late.
func BenchmarkMake(b *testing.B) {
	w := newTown(b).plan("zf", "方案", "2024-05-06", "")
	for i := range 100 {
		w.unit(fmt.Sprintf("u%d", i), fmt.Sprintf("区%d局", i))
	}
	for i := range 60 {
		due := "2024-12-31"
		if i%10 == 0 {
			due = "2024-06-28"
		}
		w.row(fmt.Sprint(i), on(due), "all")
	}
	w.World = w.OpenDay(date("2024-05-06"))
	for i, r := range w.Records {
		w.Records[i].Events = []task.Event{{Seq: 1, On: r.Obligation.Opened, Kind: task.Opened, Subject: r.Obligation.Ref.String()}}
	}
	in := w.read(date("2024-07-01"))
	in.Last, in.LastSeq = date("2024-06-28"), w.seq
	b.ResetTimer()
	for b.Loop() {
		if _, sum, ok := Make(in, w.Set, date("2024-07-01")); !ok || sum.Overdue != 618 {
			b.Fatalf("%v %+v", ok, sum)
		}
	}
}
