package personnel

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/notify/notice"
)

// outbox plans day after day and keeps what has not left.
type outbox struct {
	t    *testing.T
	s    Snapshot
	set  planner.Settings
	last string
	all  []notice.Notice
}

// plan plans a day and says what became of the letters to cgj.
func (o *outbox) plan(on string) Plan {
	o.t.Helper()
	o.s.Unsent = slices.DeleteFunc(slices.Clone(o.all), func(n notice.Notice) bool { return !n.State.Open() })
	p := lettersOf(o.s, o.set, o.last, on)
	o.last = on
	for i, n := range o.all {
		if p.Supersede[n.ID] != "" {
			o.all[i].State = notice.Superseded
		}
		if p.Cancel[n.ID] != "" {
			o.all[i].State = notice.Cancelled
		}
	}
	o.all = append(o.all, p.Notices...)
	return p
}

// leave lets everything leave that may.
func (o *outbox) leave() {
	for i, n := range o.all {
		if n.State == notice.Pending {
			o.all[i].State = notice.Sent
		}
	}
}

// letters are those to the unit, with their states.
func (o *outbox) letters(unit string) string {
	var out []string
	for _, n := range o.all {
		if n.Key.Unit == unit {
			out = append(out, fmt.Sprint(n.Key.Date, " ", n.State))
		}
	}
	return strings.Join(out, ", ")
}

func (o *outbox) same(what, got, want string) {
	o.t.Helper()
	if got != want {
		o.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func (o *outbox) reads(unit string, want ...string) {
	o.t.Helper()
	last := o.all[len(o.all)-1]
	for _, n := range o.all {
		if n.Key.Unit == unit {
			last = n
		}
	}
	said := text(*last.Facts.Paper)
	for _, w := range want {
		w, not := strings.CutPrefix(w, "not ")
		if strings.Contains(said, w) == not {
			o.t.Errorf("%s of %s: %q: %s", unit, last.Key.Date, w, said)
		}
	}
}

// A letter that waits for its unit's reader is of the month, whatever the day on which it can leave, and of that day's facts.
func TestAHeldMonthsLetterIsSaidOnceItCanBe(t *testing.T) {
	o := &outbox{t: t, s: place(), set: settings(nil), last: "2024-09-30"}
	contacts := o.s.Directory.Units[1].Contacts
	o.s.Directory.Units[1].Contacts = contacts[:1]
	o.plan("2024-10-08")
	o.leave()
	o.plan("2024-10-09")
	o.plan("2024-10-10")
	o.same("nothing to be gained by another", o.letters("cgj"), "2024-10-08 held")
	i := slices.IndexFunc(o.s.People, func(p task.Person) bool { return p.Key == "c1" })
	o.s.People[i].ValidTo = day("2029-10-19") // renewed
	o.plan("2024-10-11")
	o.same("another fact", o.letters("cgj"), "2024-10-08 superseded, 2024-10-11 held")
	o.reads("cgj", "not 某c1", "某c4", "年度培训学时", "法制审核力量", "截至9月30日")
	o.s.Directory.Units[1].Contacts = contacts
	p := o.plan("2024-10-14")
	o.same("the contact is known", o.letters("cgj"), "2024-10-08 superseded, 2024-10-11 superseded, 2024-10-14 pending")
	o.reads("cgj", "not 某c1", "某c4", "年度培训学时", "法制审核力量", "截至2024年10月14日", "21日后期满")
	if len(p.Notices) != 1 {
		t.Errorf("%d letters", len(p.Notices))
	}
	o.leave()
	if p := o.plan("2024-10-15"); len(p.Notices)+len(p.Cancel) != 0 {
		t.Errorf("said twice: %v", p)
	}
}

// The hours and the shares of October, held by a silence, are in November's letter, and those of January in February's.
func TestTheQuartersSharesAreNotForgotten(t *testing.T) {
	o := &outbox{t: t, s: place(), set: settings(nil), last: "2024-12-31"}
	o.s.Silences = []task.Silence{{Jurisdiction: "town", Seq: 3, On: day("2025-01-01"), Until: day("2025-02-06"), Scope: task.OverUnit, Subject: "cgj", Who: "周某", Why: "班子调整"}}
	o.plan("2025-01-02")
	o.leave()
	o.plan("2025-01-03")
	o.same("one of the day for a person to release", o.letters("cgj"), "2025-01-02 superseded, 2025-01-03 held")
	o.plan("2025-02-05") // the first working day of February
	o.reads("cgj", "2024年度应各完成", "截至2024年12月31日", "法制审核力量")
	o.plan("2025-02-06")
	o.reads("cgj", "2024年度应各完成", "法制审核力量")
	o.plan("2025-02-07")
	o.reads("cgj", "2024年度应各完成", "截至2024年12月31日", "法制审核力量")
	if got := o.all[len(o.all)-1]; got.State != notice.Pending || strings.Count(o.letters("cgj"), "held") != 0 {
		t.Errorf("%s", o.letters("cgj"))
	}
	o.reads("sfj", "不自动发函")
}

// A certificate's mark that was held on its day is told later, with a mark of the later day, and not where it has no
// ground any more.
func TestAHeldMarkIsToldLater(t *testing.T) {
	o := &outbox{t: t, s: place(), set: settings(func(s *planner.Settings) { s.NamesInFiles = false }), last: "2024-09-18"}
	o.plan("2024-09-19") // 30 days before c1's last
	o.same("held", o.letters("cgj"), "2024-09-19 held")
	o.plan("2024-09-20")
	o.same("nobody could let it go", o.letters("cgj"), "2024-09-19 held")
	o.set.NamesInFiles = true
	o.plan("2024-09-23")
	o.same("the reader may read it", o.letters("cgj"), "2024-09-19 superseded, 2024-09-23 pending")
	o.reads("cgj", "某c1", "26日后到期")
	if n := o.all[len(o.all)-1]; len(n.Facts.Paper.Sections) != 1 {
		t.Error("a letter of one mark tells of more")
	}
	o.s.People = slices.DeleteFunc(o.s.People, func(p task.Person) bool { return p.Key == "c1" })
	o.plan("2024-09-24")
	o.same("nothing of it stands", o.letters("cgj"), "2024-09-19 superseded, 2024-09-23 cancelled")
}

// The bureau's totals say which letters wait, and for what.
func TestTheTotalsSayWhyALetterWaits(t *testing.T) {
	o := &outbox{t: t, s: place(), set: settings(nil), last: "2024-09-30"}
	o.s.Silences = []task.Silence{{Jurisdiction: "town", Seq: 3, On: day("2024-10-01"), Until: day("2024-10-31"), Scope: task.OverUnit, Subject: "cgj", Who: "周某", Why: "班子调整"}}
	o.s.Directory.Units[2].Contacts = o.s.Directory.Units[2].Contacts[:1]
	o.plan("2024-10-08")
	o.reads("sfj", "提示暂未发出的单位1家（联系人、邮箱或设置待核）：区交通局。", "提示暂未发出的单位1家（单位在暂停期内，可由专人放行）：区城管局。")
}
