package digest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/task"
	"duban/notify/notice"
)

const issue = "2024-08-12"

// drawTown draws rows of every sort for units that are written to in every way.
func drawTown(t *rapid.T) *town {
	w := newTown(t).plan("zf", "提升行政执法质量实施方案", issue, rapid.SampledFrom([]string{"", "2024-10-31"}).Draw(t, "valid to"))
	w.Jurisdiction.LiveFrom = date(issue) + civil.Date(rapid.IntRange(-20, 20).Draw(t, "live from"))
	ways := []task.Chase{task.ChaseLetter, task.ChaseLetter, task.ChaseCourtesy, task.ChaseManual, task.ChaseNone}
	w.unit("b", "区乙局", func(u *task.Unit) { u.Chase = rapid.SampledFrom(ways).Draw(t, "chase of b") })
	w.refused["c"] = rapid.Bool().Draw(t, "c refuses")
	w.Set.Confirm = rapid.Bool().Draw(t, "confirm")
	if rapid.Bool().Draw(t, "c is dissolved") {
		w.unit("c", "区丙局", func(u *task.Unit) { u.Removed, u.On = true, date(issue)+30 })
	}
	for i := range rapid.IntRange(1, 6).Draw(t, "rows") {
		units := rapid.SampledFrom([]string{"a", "all", "b +a", "jw", "sfj", "all sfj jw", "c", ""}).Draw(t, "units")
		w.row(fmt.Sprint(i+1), drawReading(t), units, func(r *task.Task) {
			r.On = date(issue)
			if rapid.IntRange(0, 5).Draw(t, "progress only") == 0 {
				r.Deliverable = ""
			}
			if rapid.IntRange(0, 6).Draw(t, "taken out") == 0 {
				out := *r
				out.Withdrawn, out.On, out.Seq = true, date(issue)+25, w.next()
				w.Tasks = append(w.Tasks, out)
			}
			r.Category = rapid.SampledFrom([]task.Category{"", "", "", "", task.PerCase, task.Personnel, task.Standing}).Draw(t, "category")
		})
	}
	return w
}

func drawReading(t *rapid.T) deadline.Reading {
	day := func() string { return (date(issue) + civil.Date(rapid.IntRange(-20, 60).Draw(t, "due"))).String() }
	switch rapid.IntRange(0, 9).Draw(t, "reading") {
	case 0, 1:
		return on(day())
	case 2:
		return standing(on(day()))
	case 3:
		d := day()
		return or(on(d), (date(d) + 15).String())
	case 4:
		return every(deadline.Month, "10", "25")
	case 5:
		return every(deadline.Week, "Friday")
	case 6:
		return quota(rapid.IntRange(2, 30).Draw(t, "quota"), deadline.Quarter)
	case 7:
		return after("机构改革")
	case 8:
		return unread()
	default:
		return standing(deadline.Reading{Text: "长期坚持"})
	}
}

var happenings = []task.EventKind{
	task.Reported, task.Reported, task.Accepted, task.Returned, task.ExtensionAsked, task.ExtensionGranted, task.ExtensionRefused,
	task.Counted, task.Contacted, task.Corrected, task.Waived, task.Withdrawn, task.Transferred, task.Reopened, task.Redated,
	task.Confirmed, task.HeldBack, task.LetGo, task.Checked, task.Revised,
}

// happen records what a drawn day brings, some of it counting from earlier days.
func (w *town) happen(t *rapid.T, d civil.Date) {
	for range rapid.IntRange(0, 3).Draw(t, "events") {
		if len(w.Records) == 0 {
			return
		}
		r := rapid.SampledFrom(w.Records).Draw(t, "item")
		when := max(r.Obligation.Opened, d-civil.Date(rapid.SampledFrom([]int{0, 0, 0, 4, 12}).Draw(t, "days ago")))
		kind := rapid.SampledFrom(happenings).Draw(t, "kind")
		w.event(when.String(), strings.TrimPrefix(r.Obligation.Ref.String(), "ls/zf/"), kind, func(e *task.Event) {
			e.Date, e.N, e.Ref = when+civil.Date(rapid.IntRange(1, 25).Draw(t, "until")), 3, fmt.Sprint(e.Seq)
			if kind == task.Corrected && len(r.Events) > 0 {
				e.Voids = rapid.SampledFrom(r.Events).Draw(t, "voided").Seq
			}
		})
	}
	if rapid.IntRange(0, 9).Draw(t, "silence") == 0 {
		w.silences = append(w.silences, task.Silence{
			Jurisdiction: "ls", Seq: w.next(), On: d, Until: d + 5, Scope: task.OverUnit, Subject: "a", Who: "王某", Why: "机构调整",
		})
	}
}

func TestCountsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		days := rapid.IntRange(5, 45).Draw(t, "days")
		for i := range civil.Date(days) {
			d := date(issue) + i
			if i%3 == 1 {
				w.happen(t, d)
			}
			w.live(d.String(), d.String())
			if _, ok := w.papers[d]; ok {
				w.check(t, d)
			}
		}
	})
}

// check recounts a digest from the world itself.
func (w *town) check(t *rapid.T, d civil.Date) {
	sum, p := w.sums[d], w.papers[d]
	delivers, late, lateUnits, wantOpen := 0, 0, map[string]bool{}, 0
	dir := w.Directory.AsOf(d)
	rows := task.TasksAsOf(w.Tasks, d)
	for _, r := range w.Records {
		o := r.Obligation
		if o.Owes != task.OwesDeliver {
			continue
		}
		delivers++
		u, known := dir.Unit(o.Unit)
		st := task.Fold(o, r.Events, d, national, w.Set.Terms)
		inForce := slices.ContainsFunc(rows, func(r task.Task) bool { return r.TaskID == o.TaskID })
		if st.Chased() && inForce && known && u.Chase == task.ChaseLetter && u.Code != "sfj" {
			wantOpen++
			if d > max(st.Effective, st.Assess) {
				late++
				lateUnits[u.Code] = true
			}
		}
	}
	open := 0
	for _, c := range sum.Items {
		if slices.Contains([]Class{Overdue, Behind, OnTrack, Extended}, c.Class) {
			open += c.N
		}
	}
	if total(sum.Items) != delivers || sum.ItemTotal != delivers {
		t.Fatalf("%s: %d items in classes %v, %d stated; there are %d", d, total(sum.Items), sum.Items, sum.ItemTotal, delivers)
	}
	if open != wantOpen || sum.Overdue != late || sum.Units != len(lateUnits) || sum.Told+sum.Untold+sum.Due+sum.Mute != sum.Units {
		t.Fatalf("%s: open %d, want %d; late %+v, want %d of %d units", d, open, wantOpen, sum, late, len(lateUnits))
	}
	if total(sum.Rows) != len(rows) || sum.RowTotal != len(rows) {
		t.Fatalf("%s: rows %v, %d stated; there are %d", d, sum.Rows, sum.RowTotal, len(rows))
	}
	checkText(t, p)
	w.checkSheets(t, d)
	w.checkSame(t, d)
}

func total(of []Count) (n int) {
	for _, c := range of {
		n += c.N
	}
	return n
}

var (
	sums    = regexp.MustCompile(`(\d+)(?:项次|项)：([^，。]*?)，合计(\d+)(?:项次|项)。`)
	numbers = regexp.MustCompile(`(\d+)(?:、|$)`)
)

// checkText adds up every list of counts that the text states the sum of.
func checkText(t *rapid.T, p notice.Paper) {
	text := printed(p)
	lists := sums.FindAllStringSubmatch(text, -1)
	if len(lists) < 1 && !strings.Contains(text, "任务0项。\n各单位应报0项次。") {
		t.Fatalf("no list of counts in\n%s", text)
	}
	for _, m := range lists {
		n := 0
		for _, c := range numbers.FindAllStringSubmatch(m[2], -1) {
			k, _ := strconv.Atoi(c[1])
			n += k
		}
		if fmt.Sprint(n) != m[3] || m[1] != m[3] {
			t.Fatalf("%s adds up to %d", m[0], n)
		}
	}
	for _, s := range p.Sections {
		for _, l := range slices.Concat(s.Paras, s.Lines) {
			if !strings.HasSuffix(l, "。") || strings.Contains(l, "。。") || strings.ContainsAny(l, "!！\n") || strings.Contains(l, "  ") {
				t.Fatalf("%q is no sentence", l)
			}
		}
		if s.Heading == "" {
			t.Fatalf("a part without a heading: %+v", s)
		}
	}
}

func column(s notice.Sheet, name string) int {
	return slices.IndexFunc(s.Columns, func(c notice.Column) bool { return c.Name == name })
}

// checkSheets compares the workbook with the text.
func (w *town) checkSheets(t *rapid.T, d civil.Date) {
	p, sum := w.papers[d], w.sums[d]
	byClass := func(s notice.Sheet, col string) map[string]int {
		of := map[string]int{}
		for r := range s.Rows {
			of[s.Words(r, column(s, col))]++
		}
		return of
	}
	rows, items, whole := p.Sheets[0], p.Sheets[1], p.Sheets[2]
	for _, c := range sum.Rows {
		if got := byClass(rows, "状态")[string(c.Class)]; got != c.N {
			t.Fatalf("%s: %d rows are %s in the sheet, %d in the text", d, got, c.Class, c.N)
		}
	}
	final := map[string]int{}
	for _, k := range w.input.Settled {
		if k.Owes == task.OwesDeliver {
			final["all"] += k.N
		}
	}
	if len(items.Rows)+final["all"] != sum.ItemTotal {
		t.Fatalf("%s: %d lines and %d settled before make %d", d, len(items.Rows), final["all"], sum.ItemTotal)
	}
	for _, c := range sum.Items {
		got := byClass(items, "状态")[string(c.Class)]
		if c.Class != Done && c.Class != Waived && c.Class != Confirmed && c.Class != Gone && got != c.N {
			t.Fatalf("%s: %d items are %s in the sheet, %d in the text", d, got, c.Class, c.N)
		}
	}
	whatIsOwed := int64(0)
	for _, line := range rows.Rows {
		parts := int64(0)
		whatIsOwed += line[column(rows, "应报项次")].N
		for i := column(rows, "应报项次") + 1; i < len(line); i++ {
			parts += line[i].N
		}
		if all := line[column(rows, "应报项次")].N; parts != all {
			t.Fatalf("%s: row %s: the columns add up to %d, not %d", d, line[0].Text, parts, all)
		}
	}
	if whatIsOwed != int64(sum.ItemTotal) {
		t.Fatalf("%s: the rows of the sheet owe %d, not %d", d, whatIsOwed, sum.ItemTotal)
	}
	for _, s := range p.Sheets {
		for r, line := range s.Rows {
			if len(line) != len(s.Columns) {
				t.Fatalf("%s: sheet %s, line %d has %d cells for %d columns", d, s.Name, r, len(line), len(s.Columns))
			}
		}
	}
	last := whole.Rows[len(whole.Rows)-1]
	if last[2].N != int64(sum.RowTotal) || last[3].N != int64(sum.ItemTotal) {
		t.Fatalf("%s: the sums are %v", d, last)
	}
}

// checkSame gives the same world in another order, and without anything settled before: the paper, and the counts, are the
// same.
func (w *town) checkSame(t *rapid.T, d civil.Date) {
	in := w.input
	in.Records, in.Settled = slices.Clone(in.Records), slices.Clone(in.Settled)
	slices.Reverse(in.Records)
	slices.Reverse(in.Settled)
	in.Documents = slices.Clone(in.Documents)
	slices.Reverse(in.Documents)
	again, _, _ := Make(in, w.Set, d)
	a, _ := json.Marshal(again)
	b, _ := json.Marshal(w.papers[d])
	if string(a) != string(b) {
		t.Fatalf("%s: another order gives another paper:\n%s\n%s", d, printed(again), printed(w.papers[d]))
	}
	in.Records, in.Settled, in.Final = w.Records, nil, nil
	_, sum, _ := Make(in, w.Set, d)
	if got := w.sums[d]; !maps.Equal(classes(sum.Items), classes(got.Items)) || !maps.Equal(classes(sum.Rows), classes(got.Rows)) || sum.Changes != got.Changes {
		t.Fatalf("%s: with everything at hand %+v, with tallies %+v", d, sum, got)
	}
}

func classes(of []Count) map[Class]int {
	out := map[Class]int{}
	for _, c := range of {
		out[c.Class] = c.N
	}
	return out
}
