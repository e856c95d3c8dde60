package task_test

import (
	"fmt"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/jobs/workday"
)

var (
	national = workday.National()
	terms    = task.Terms{AcceptAfter: 5}
)

func date(s string) civil.Date { return civil.MustParse(s) }

// item is an obligation that fell due on Sunday 2024-06-30 and was opened on the day of issue.
func item(change ...func(*task.Obligation)) task.Obligation {
	id := task.TaskID{Jurisdiction: "laoshan", Plan: "zf2024", Row: "7"}
	o := task.Obligation{
		Ref: task.Ref{TaskID: id, Unit: "qjtj", Instance: "m1"}, Kind: task.Milestone, Role: task.Responsible, Owes: task.OwesDeliver,
		Opened: date("2024-01-15"), Nominal: date("2024-06-30"), Effective: date("2024-06-30"), Assess: date("2024-06-30"),
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

func past(o *task.Obligation)      { o.PastAtIssue = true }
func inherited(o *task.Obligation) { o.Inherited = true }
func quota(n int) func(*task.Obligation) {
	return func(o *task.Obligation) { o.Kind, o.Quota, o.PaceFrom = task.Quota, n, o.Opened }
}

// story reads events written as "2024-06-28 reported", "2024-07-09 returned 2024-07-20", "2024-05-01 counted 2 #case-1",
// "2024-07-03 corrected !2"; they are numbered from 1 in the order of recording.
func story(t testing.TB, lines ...string) []task.Event {
	t.Helper()
	var out []task.Event
	for i, line := range lines {
		f := strings.Fields(line)
		e := task.Event{Seq: int64(i + 1), On: date(f[0]), Kind: task.EventKind(f[1]), Who: "王某", Why: "据来函"}
		for _, w := range f[2:] {
			switch {
			case w[0] == '#':
				e.Ref = w[1:]
			case w[0] == '!':
				if _, err := fmt.Sscan(w[1:], &e.Voids); err != nil {
					t.Fatalf("story %q: %v", line, err)
				}
			case len(w) == len("2024-01-01"):
				e.Date = date(w)
			default:
				if _, err := fmt.Sscan(w, &e.N); err != nil {
					t.Fatalf("story %q: %v", line, err)
				}
			}
		}
		out = append(out, e)
	}
	return out
}

// brief writes what a table compares of a status; what is at its usual value is left out.
func brief(o task.Obligation, s task.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s since %s", s.State, s.Since)
	add := func(show bool, format string, args ...any) {
		if show {
			fmt.Fprintf(&b, " "+format, args...)
		}
	}
	add(s.Arm != 0, "arm %d", s.Arm)
	add(s.Nominal != o.Nominal, "nominal %s", s.Nominal)
	add(s.Effective != o.Effective, "effective %s", s.Effective)
	add(s.Assess != o.Assess, "assess %s", s.Assess)
	add(s.Reported != 0, "reported %s", s.Reported)
	add(s.Accepted != 0, "accepted %s", s.Accepted)
	add(s.ByDefault, "by default")
	add(s.Late != 0, "late %d", s.Late)
	add(s.Count != 0, "count %d", s.Count)
	add(s.Contacted != 0, "contacted %s", s.Contacted)
	add(s.Asked != 0, "asked %s", s.Asked)
	add(s.Returned, "returned")
	add(s.Extended, "extended")
	add(s.Unconfirmed, "unconfirmed")
	return b.String()
}

func TestFold(t *testing.T) {
	ambiguous := func(o *task.Obligation) { o.Ambiguous, o.Assess = true, date("2024-07-31") }
	tests := []struct {
		name   string
		o      task.Obligation
		events []string
		asOf   string
		want   string
	}{
		{"nothing happened", item(), nil, "2024-06-01", "waiting since 2024-01-15"},
		{"overdue is still waiting", item(), nil, "2024-12-31", "waiting since 2024-01-15"},
		{"the opening itself", item(), []string{"2024-01-15 opened"}, "2024-06-01", "waiting since 2024-01-15"},
		{"events to come are not known", item(), []string{"2024-06-28 reported"}, "2024-06-27", "waiting since 2024-01-15"},

		{"reported", item(), []string{"2024-06-28 reported"}, "2024-06-28", "answered since 2024-06-28 reported 2024-06-28"},
		{"a report twice stands from the first", item(), []string{"2024-06-27 reported", "2024-06-28 reported"}, "2024-06-28",
			"answered since 2024-06-27 reported 2024-06-27"},
		{"accepted in time", item(), []string{"2024-06-28 reported", "2024-07-02 accepted"}, "2024-07-02",
			"done since 2024-07-02 reported 2024-06-28 accepted 2024-07-02"},
		{"late by the report, not by the acceptance", item(), []string{"2024-07-03 reported", "2024-07-05 accepted"}, "2024-07-05",
			"done since 2024-07-05 reported 2024-07-03 accepted 2024-07-05 late 3"},
		{"a report typed in late counts from its on", item(), []string{"2024-07-15 contacted", "2024-06-28 reported", "2024-07-15 accepted"}, "2024-07-15",
			"done since 2024-07-05 reported 2024-06-28 accepted 2024-07-05 by default contacted 2024-07-15"},
		{"a Sunday's date reported on the Monday is one day late", item(), []string{"2024-07-01 reported", "2024-07-01 accepted"}, "2024-07-01",
			"done since 2024-07-01 reported 2024-07-01 accepted 2024-07-01 late 1"},
		{"accepted without a report", item(), []string{"2024-06-20 accepted"}, "2024-06-20",
			"done since 2024-06-20 reported 2024-06-20 accepted 2024-06-20"},
		{"accepted twice", item(), []string{"2024-06-20 accepted", "2024-07-10 accepted"}, "2024-07-10",
			"done since 2024-06-20 reported 2024-06-20 accepted 2024-06-20"},

		{"five workdays are the bureau's", item(), []string{"2024-06-28 reported"}, "2024-07-05", "answered since 2024-06-28 reported 2024-06-28"},
		{"then the report counts as accepted", item(), []string{"2024-06-28 reported"}, "2024-07-06",
			"done since 2024-07-05 reported 2024-06-28 accepted 2024-07-05 by default"},
		{"the holiday is no time to answer", item(), []string{"2024-09-29 reported"}, "2024-10-11",
			"answered since 2024-09-29 reported 2024-09-29"},
		{"nor is it counted", item(), []string{"2024-09-29 reported"}, "2024-10-12",
			"done since 2024-10-11 reported 2024-09-29 accepted 2024-10-11 by default late 65"},
		{"reported again after it was accepted by default", item(), []string{"2024-06-28 reported", "2024-07-20 reported"}, "2024-08-30",
			"done since 2024-07-05 reported 2024-06-28 accepted 2024-07-05 by default"},

		{"returned, reported in time: judged by the new date", item(),
			[]string{"2024-06-28 reported", "2024-07-03 returned 2024-07-12", "2024-07-15 reported", "2024-07-16 accepted"}, "2024-07-16",
			"done since 2024-07-16 effective 2024-07-12 assess 2024-07-12 reported 2024-07-15 accepted 2024-07-16 late 1 returned"},
		{"returned, waiting again on the same arm", item(), []string{"2024-06-28 reported", "2024-07-03 returned 2024-07-12"}, "2024-07-03",
			"waiting since 2024-07-03 effective 2024-07-12 assess 2024-07-12 returned"},
		{"returned, reported late: late stays late, but not while it lay with the bureau", item(),
			[]string{"2024-07-03 reported", "2024-07-09 returned 2024-07-19", "2024-07-12 reported", "2024-07-12 accepted"}, "2024-07-12",
			"done since 2024-07-12 effective 2024-07-19 reported 2024-07-12 accepted 2024-07-12 late 6 returned"},
		{"returned early with an earlier firm date: still judged by its own", item(),
			[]string{"2024-05-06 reported", "2024-05-09 returned 2024-05-20", "2024-06-25 reported", "2024-06-26 accepted"}, "2024-06-26",
			"done since 2024-06-26 effective 2024-05-20 reported 2024-06-25 accepted 2024-06-26 returned"},
		{"returned without a date in an old register", item(),
			[]string{"2024-06-28 reported", "2024-07-03 returned", "2024-07-05 reported", "2024-07-08 accepted"}, "2024-07-08",
			"done since 2024-07-08 reported 2024-07-05 accepted 2024-07-08 late 2 returned"},
		{"returned after acceptance by default", item(), []string{"2024-06-28 reported", "2024-07-22 returned 2024-07-31"}, "2024-07-22",
			"waiting since 2024-07-22 effective 2024-07-31 assess 2024-07-31 returned"},
		{"not returned after the bureau accepted", item(), []string{"2024-06-28 reported", "2024-07-01 accepted", "2024-07-22 returned 2024-07-31"}, "2024-07-22",
			"done since 2024-07-01 reported 2024-06-28 accepted 2024-07-01"},
		{"nothing to return", item(), []string{"2024-06-03 returned 2024-07-31"}, "2024-06-03", "waiting since 2024-01-15"},

		{"extension asked", item(), []string{"2024-06-20 extension-asked 2024-07-31"}, "2024-06-21", "waiting since 2024-01-15 asked 2024-06-20"},
		{"asked in time and granted", item(), []string{"2024-06-20 extension-asked", "2024-07-03 extension-granted 2024-07-31"}, "2024-07-03",
			"waiting since 2024-01-15 arm 1 effective 2024-07-31 assess 2024-07-31 extended"},
		{"asked on the day itself", item(), []string{"2024-06-30 extension-asked", "2024-07-03 extension-granted 2024-07-31"}, "2024-07-03",
			"waiting since 2024-01-15 arm 1 effective 2024-07-31 assess 2024-07-31 extended"},
		{"asked too late: a new date to climb from, the old one to be judged by", item(),
			[]string{"2024-07-01 extension-asked", "2024-07-03 extension-granted 2024-07-31", "2024-07-31 reported", "2024-07-31 accepted"}, "2024-07-31",
			"done since 2024-07-31 arm 1 effective 2024-07-31 reported 2024-07-31 accepted 2024-07-31 late 23 extended"},
		{"granted unasked", item(), []string{"2024-06-20 extension-granted 2024-07-31"}, "2024-06-20",
			"waiting since 2024-01-15 arm 1 effective 2024-07-31 extended"},
		{"asked in time and again later: the first counts", item(),
			[]string{"2024-06-20 extension-asked", "2024-07-02 extension-asked", "2024-07-03 extension-granted 2024-07-31"}, "2024-07-03",
			"waiting since 2024-01-15 arm 1 effective 2024-07-31 assess 2024-07-31 extended"},
		{"refused", item(), []string{"2024-06-20 extension-asked", "2024-06-24 extension-refused"}, "2024-06-24", "waiting since 2024-01-15"},
		{"refused, asked again late", item(),
			[]string{"2024-06-20 extension-asked", "2024-06-24 extension-refused", "2024-07-02 extension-asked", "2024-07-03 extension-granted 2024-07-31"}, "2024-07-03",
			"waiting since 2024-01-15 arm 1 effective 2024-07-31 extended"},
		{"granted twice", item(),
			[]string{"2024-06-20 extension-asked", "2024-06-21 extension-granted 2024-07-31", "2024-07-30 extension-asked", "2024-08-01 extension-granted 2024-08-31"}, "2024-08-01",
			"waiting since 2024-01-15 arm 2 effective 2024-08-31 assess 2024-08-31 extended"},
		{"granted after it was done", item(), []string{"2024-06-20 accepted", "2024-06-21 extension-granted 2024-07-31"}, "2024-06-21",
			"done since 2024-06-20 reported 2024-06-20 accepted 2024-06-20"},
		{"granted without a date", item(), []string{"2024-06-20 extension-asked", "2024-06-21 extension-granted"}, "2024-06-21",
			"waiting since 2024-01-15 asked 2024-06-20"},
		{"an extension of an ambiguous date never takes from the later reading", item(ambiguous),
			[]string{"2024-06-20 extension-asked", "2024-06-21 extension-granted 2024-07-15"}, "2024-06-21",
			"waiting since 2024-01-15 arm 1 effective 2024-07-15 extended"},

		{"counted", item(quota(3)), []string{"2024-03-01 counted 1 #a", "2024-04-01 counted 1 #b"}, "2024-04-01", "waiting since 2024-01-15 count 2"},
		{"one reference counts once", item(quota(3)), []string{"2024-03-01 counted 1 #a", "2024-04-01 counted 1 #a"}, "2024-04-01", "waiting since 2024-01-15 count 1"},
		{"counts without a reference add up", item(quota(9)), []string{"2024-03-01 counted 2", "2024-04-01 counted 3"}, "2024-04-01", "waiting since 2024-01-15 count 5"},
		{"the number reached", item(quota(3)), []string{"2024-03-01 counted 2 #a", "2024-04-01 counted 1 #b"}, "2024-04-01",
			"done since 2024-04-01 reported 2024-04-01 accepted 2024-04-01 count 3"},
		{"counted on after it", item(quota(3)), []string{"2024-03-01 counted 3 #a", "2024-08-01 counted 1 #b"}, "2024-08-01",
			"done since 2024-03-01 reported 2024-03-01 accepted 2024-03-01 count 4"},
		{"a count that was voided", item(quota(3)), []string{"2024-03-01 counted 3 #a", "2024-03-05 corrected !1", "2024-03-06 counted 1 #a"}, "2024-03-06",
			"waiting since 2024-01-15 count 1"},
		{"a number on an item without a quota settles nothing", item(), []string{"2024-03-01 counted 3 #a"}, "2024-03-01", "waiting since 2024-01-15 count 3"},

		{"contacted by other means", item(), []string{"2024-07-01 contacted #phone"}, "2024-07-01", "waiting since 2024-01-15 contacted 2024-07-01"},
		{"corrected: as if never recorded", item(), []string{"2024-06-20 reported", "2024-06-24 corrected !1"}, "2024-06-24", "waiting since 2024-01-15"},
		{"corrected, and not yet", item(), []string{"2024-06-20 reported", "2024-06-24 corrected !1"}, "2024-06-23", "answered since 2024-06-20 reported 2024-06-20"},
		{"a correction of something else", item(), []string{"2024-06-20 reported", "2024-06-24 corrected !9"}, "2024-06-24", "answered since 2024-06-20 reported 2024-06-20"},

		{"waived", item(), []string{"2024-05-06 waived"}, "2024-05-06", "waived since 2024-05-06"},
		{"withdrawn", item(), []string{"2024-05-06 withdrawn"}, "2024-05-06", "withdrawn since 2024-05-06"},
		{"transferred", item(), []string{"2024-05-06 transferred"}, "2024-05-06", "transferred since 2024-05-06"},
		{"waived while a report waits", item(), []string{"2024-05-06 reported", "2024-05-07 waived"}, "2024-05-30", "waived since 2024-05-07 reported 2024-05-06"},
		{"history is never lost: what is done is not withdrawn", item(), []string{"2024-05-06 accepted", "2024-05-07 withdrawn"}, "2024-05-30",
			"done since 2024-05-06 reported 2024-05-06 accepted 2024-05-06"},
		{"waived, then reported", item(), []string{"2024-05-06 waived", "2024-05-07 reported"}, "2024-05-07", "waived since 2024-05-06"},

		{"reopened", item(), []string{"2024-05-06 waived", "2024-05-08 reopened"}, "2024-05-08", "waiting since 2024-05-08 arm 1"},
		{"reopened with a date, closed in time: judged by the new one", item(), []string{"2024-06-20 accepted", "2024-08-01 reopened 2024-08-30", "2024-08-30 reported"}, "2024-09-30",
			"done since 2024-09-06 arm 1 effective 2024-08-30 assess 2024-08-30 reported 2024-08-30 accepted 2024-09-06 by default"},
		{"reopened, done late: missed stays missed, the time it was done does not count", item(),
			[]string{"2024-07-03 accepted", "2024-08-01 reopened 2024-08-30", "2024-08-02 accepted"}, "2024-08-02",
			"done since 2024-08-02 arm 1 effective 2024-08-30 reported 2024-08-02 accepted 2024-08-02 late 4"},
		{"reopened after acceptance by default", item(), []string{"2024-06-28 reported", "2024-08-01 reopened 2024-08-30"}, "2024-08-01",
			"waiting since 2024-08-01 arm 1 effective 2024-08-30 assess 2024-08-30"},
		{"an open item is not reopened", item(), []string{"2024-05-06 reopened 2024-08-30"}, "2024-05-06", "waiting since 2024-01-15"},
		{"nor one that waits for the bureau", item(), []string{"2024-05-06 reported", "2024-05-07 reopened 2024-08-30"}, "2024-05-07",
			"answered since 2024-05-06 reported 2024-05-06"},

		{"an edited plan", item(), []string{"2024-05-06 redated 2024-09-30"}, "2024-05-06",
			"waiting since 2024-01-15 arm 1 nominal 2024-09-30 effective 2024-09-30 assess 2024-09-30"},
		{"an edited plan after an extension", item(), []string{"2024-05-06 extension-granted 2024-07-31", "2024-05-07 redated 2024-09-30"}, "2024-05-07",
			"waiting since 2024-01-15 arm 2 nominal 2024-09-30 effective 2024-09-30 assess 2024-09-30"},
		{"an edited plan does not undo what was late", item(), []string{"2024-07-03 accepted", "2024-07-08 redated 2024-09-30"}, "2024-07-08",
			"done since 2024-07-03 reported 2024-07-03 accepted 2024-07-03 late 3"},
		{"redated to no date", item(), []string{"2024-05-06 redated"}, "2024-05-06", "waiting since 2024-01-15"},

		{"past at issue", item(past), nil, "2024-09-30", "waiting since 2024-01-15 unconfirmed"},
		{"past at issue, confirmed", item(past), []string{"2024-09-14 confirmed"}, "2024-09-14", "settled since 2024-09-14 unconfirmed"},
		{"past at issue, not done after all", item(past), []string{"2024-09-14 reopened 2024-10-31"}, "2024-09-14",
			"waiting since 2024-09-14 arm 1 effective 2024-10-31 assess 2024-10-31"},
		{"confirmed, then reopened", item(past), []string{"2024-09-14 confirmed", "2024-09-20 reopened 2024-10-31"}, "2024-09-20",
			"waiting since 2024-09-20 arm 1 effective 2024-10-31 assess 2024-10-31"},
		{"inherited", item(inherited), []string{"2024-09-14 confirmed"}, "2024-09-14", "settled since 2024-09-14 unconfirmed"},
		{"inherited, reported all the same", item(inherited), []string{"2024-09-14 reported"}, "2024-09-14",
			"answered since 2024-09-14 reported 2024-09-14 unconfirmed"},
		{"an ordinary item is not confirmed away", item(), []string{"2024-05-14 confirmed"}, "2024-05-14", "waiting since 2024-01-15"},
		{"past at issue by a slip of the pen: the edited plan names a day to come", item(past), []string{"2024-09-14 redated 2024-12-31"}, "2024-09-14",
			"waiting since 2024-01-15 arm 1 nominal 2024-12-31 effective 2024-12-31 assess 2024-12-31"},
		{"still past by the edited plan", item(past), []string{"2024-09-14 redated 2024-05-31"}, "2024-09-14",
			"waiting since 2024-01-15 arm 1 nominal 2024-05-31 effective 2024-05-31 assess 2024-05-31 unconfirmed"},

		{"what is said of a row does nothing to an item", item(), []string{"2024-05-14 triggered 2024-08-31", "2024-05-14 clarified 2024-09-30"}, "2024-05-14", "waiting since 2024-01-15"},
		{"an unknown kind does nothing", item(), []string{"2024-05-14 forgotten 2024-08-31"}, "2024-05-14", "waiting since 2024-01-15"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := brief(tt.o, task.Fold(tt.o, story(t, tt.events...), date(tt.asOf), national, terms))
			if got != tt.want {
				t.Errorf("as of %s\n got %s\nwant %s", tt.asOf, got, tt.want)
			}
		})
	}
}

func TestStatusWords(t *testing.T) {
	tests := []struct {
		name         string
		o            task.Obligation
		events       []string
		open, chased bool
	}{
		{"waiting", item(), nil, true, true},
		{"past at issue", item(past), nil, true, false},
		{"inherited", item(inherited), nil, true, false},
		{"inherited and reopened", item(inherited), []string{"2024-09-14 reopened 2024-10-31"}, true, true},
		{"answered", item(), []string{"2024-06-28 reported"}, false, false},
		{"done", item(), []string{"2024-06-28 accepted"}, false, false},
		{"returned", item(), []string{"2024-06-28 reported", "2024-07-01 returned 2024-07-09"}, true, true},
		{"settled", item(past), []string{"2024-06-28 confirmed"}, false, false},
		{"waived", item(), []string{"2024-06-28 waived"}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := task.Fold(tt.o, story(t, tt.events...), date("2024-12-31"), national, terms)
			if len(tt.events) > 0 {
				s = task.Latest(tt.o, story(t, tt.events...), national, terms)
			}
			if s.Open() != tt.open || s.Chased() != tt.chased {
				t.Errorf("got open %t chased %t, want %t %t", s.Open(), s.Chased(), tt.open, tt.chased)
			}
		})
	}
}

func TestAcceptAfterZeroNeverAccepts(t *testing.T) {
	s := task.Fold(item(), story(t, "2024-06-28 reported"), date("2030-01-01"), national, task.Terms{})
	if s.State != task.Answered || s.ByDefault {
		t.Errorf("got %s, want answered", s.State)
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		o      task.Obligation
		before []string
		event  string
		want   string // part of the refusal; empty: allowed
	}{
		{"report what is waited for", item(), nil, "2024-06-28 reported", ""},
		{"report before it was opened", item(), nil, "2024-01-14 reported", "before it was opened on 2024-01-15"},
		{"report twice", item(), []string{"2024-06-27 reported"}, "2024-06-28 reported", "answered since 2024-06-27; accept or return that report first"},
		{"report what is done", item(), []string{"2024-06-27 accepted"}, "2024-06-28 reported", "reopen it first"},
		{"accept a report", item(), []string{"2024-06-27 reported"}, "2024-06-28 accepted", ""},
		{"accept without a report", item(), nil, "2024-06-28 accepted", ""},
		{"accept twice", item(), []string{"2024-06-27 accepted"}, "2024-06-28 accepted", "nothing to accept"},
		{"accept what was waived", item(), []string{"2024-06-27 waived"}, "2024-06-28 accepted", "nothing to accept"},
		{"return a report", item(), []string{"2024-06-27 reported"}, "2024-06-28 returned 2024-07-05", ""},
		{"return what was accepted by default", item(), []string{"2024-06-03 reported"}, "2024-06-28 returned 2024-07-05", ""},
		{"return without a firm date", item(), []string{"2024-06-27 reported"}, "2024-06-28 returned", "needs a new firm date"},
		{"return with a date gone by", item(), []string{"2024-06-27 reported"}, "2024-06-28 returned 2024-06-28", "must be after 2024-06-28"},
		{"return nothing", item(), nil, "2024-06-28 returned 2024-07-05", "no unanswered report"},
		{"return what the bureau accepted", item(), []string{"2024-06-03 accepted"}, "2024-06-28 returned 2024-07-05", "no unanswered report"},
		{"waive", item(), nil, "2024-06-28 waived", ""},
		{"waive what is answered", item(), []string{"2024-06-27 reported"}, "2024-06-28 waived", ""},
		{"waive what is done", item(), []string{"2024-06-27 accepted"}, "2024-06-28 waived", "closed already"},
		{"withdraw what is waived", item(), []string{"2024-06-27 waived"}, "2024-06-28 withdrawn", "closed already"},
		{"transfer", item(), nil, "2024-06-28 transferred", ""},
		{"reopen what is open", item(), nil, "2024-06-28 reopened", "it is not closed"},
		{"reopen what waits for the bureau", item(), []string{"2024-06-27 reported"}, "2024-06-28 reopened", "it is not closed"},
		{"reopen what is done", item(), []string{"2024-06-27 accepted"}, "2024-06-28 reopened 2024-07-31", ""},
		{"reopen what is past at issue", item(past), nil, "2024-09-28 reopened 2024-10-31", ""},
		{"confirm what is past at issue", item(past), nil, "2024-09-28 confirmed", ""},
		{"confirm what is inherited", item(inherited), nil, "2024-09-28 confirmed", ""},
		{"confirm an ordinary item", item(), nil, "2024-06-28 confirmed", "only an item past at issue or inherited"},
		{"confirm twice", item(past), []string{"2024-09-27 confirmed"}, "2024-09-28 confirmed", "only an item past at issue or inherited"},
		{"count towards a quota", item(quota(3)), nil, "2024-06-28 counted 1 #a", ""},
		{"count where there is none", item(), nil, "2024-06-28 counted 1 #a", "use report"},
		{"count nothing", item(quota(3)), nil, "2024-06-28 counted", "must be positive"},
		{"count backwards", item(quota(3)), nil, "2024-06-28 counted -1", "must be positive"},
		{"ask for an extension", item(), nil, "2024-06-28 extension-asked", ""},
		{"ask when it is done", item(), []string{"2024-06-27 accepted"}, "2024-06-28 extension-asked", "only an open item"},
		{"grant", item(), nil, "2024-06-28 extension-granted 2024-07-31", ""},
		{"grant the date it has", item(), nil, "2024-06-28 extension-granted 2024-06-30", "is not after 2024-06-30"},
		{"grant no date", item(), nil, "2024-06-28 extension-granted", "is not after 2024-06-30"},
		{"refuse what was asked", item(), []string{"2024-06-27 extension-asked"}, "2024-06-28 extension-refused", ""},
		{"refuse what was not", item(), nil, "2024-06-28 extension-refused", "no extension was asked"},
		{"contact about what is owed", item(), nil, "2024-06-28 contacted", ""},
		{"contact about what is done", item(), []string{"2024-06-27 accepted"}, "2024-06-28 contacted", "owes nothing"},
		{"open", item(), nil, "2024-01-10 opened", ""},
		{"redate", item(), nil, "2024-06-28 redated 2024-09-30", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := story(t, tt.event)[0]
			s := task.Fold(tt.o, story(t, tt.before...), e.On, national, terms)
			err := task.Check(tt.o, s, e)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && err == nil:
				t.Errorf("allowed, want a refusal with %q", tt.want)
			case err != nil && !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %q, want %q in it", err, tt.want)
			case err != nil && !strings.Contains(err.Error(), "laoshan/zf2024/7/qjtj/m1"):
				t.Errorf("the refusal does not name the item: %v", err)
			}
		})
	}
}

func TestClosedFrom(t *testing.T) {
	tests := []struct {
		name   string
		o      task.Obligation
		events []string
		want   string // empty: never
	}{
		{"waiting", item(), nil, ""},
		{"past at issue waits for confirmation", item(past), nil, ""},
		{"closed since the report, not since the answer", item(), []string{"2024-06-28 reported", "2024-07-02 accepted"}, "2024-06-28"},
		{"a report alone closes", item(), []string{"2024-06-28 reported"}, "2024-06-28"},
		{"waived while the report waited", item(), []string{"2024-06-28 reported", "2024-07-02 waived"}, "2024-06-28"},
		{"returned", item(), []string{"2024-06-28 reported", "2024-07-02 returned 2024-07-09"}, ""},
		{"returned and reported", item(), []string{"2024-06-28 reported", "2024-07-02 returned 2024-07-09", "2024-07-08 reported"}, "2024-07-08"},
		{"reopened", item(), []string{"2024-06-28 accepted", "2024-07-02 reopened 2024-07-31"}, ""},
		{"reopened and done again", item(), []string{"2024-06-28 accepted", "2024-07-02 reopened 2024-07-31", "2024-07-30 accepted"}, "2024-07-30"},
		{"reopened after acceptance by default", item(), []string{"2024-06-28 reported", "2024-08-01 reopened 2024-08-30"}, ""},
		{"returned after acceptance by default", item(), []string{"2024-06-28 reported", "2024-08-01 returned 2024-08-30"}, ""},
		{"contacted after it was done", item(), []string{"2024-06-28 reported", "2024-08-01 contacted"}, "2024-06-28"},
		{"the report was entered wrongly", item(), []string{"2024-06-28 reported", "2024-07-01 corrected !1"}, ""},
		{"and another came", item(), []string{"2024-06-28 reported", "2024-07-01 corrected !1", "2024-07-03 reported"}, "2024-07-03"},
		{"confirmed", item(past), []string{"2024-09-14 confirmed"}, "2024-09-14"},
		{"the number reached", item(quota(2)), []string{"2024-03-01 counted 1 #a", "2024-05-06 counted 1 #b"}, "2024-05-06"},
		{"two things on one day", item(), []string{"2024-06-28 reported", "2024-06-28 returned 2024-07-09", "2024-06-28 reported"}, "2024-06-28"},
		{"withdrawn from a day to come", item(), []string{"2030-01-01 withdrawn"}, "2030-01-01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := civil.Never
			if tt.want != "" {
				want = date(tt.want)
			}
			if got := task.ClosedFrom(tt.o, story(t, tt.events...), national, terms); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestInForce(t *testing.T) {
	events := story(t, "2024-06-03 reported", "2024-06-02 contacted", "2024-06-02 extension-asked", "2024-06-10 corrected !3")
	show := func(d string) string {
		var b []string
		for _, e := range task.InForce(events, date(d)) {
			b = append(b, fmt.Sprint(e.Seq))
		}
		return strings.Join(b, " ")
	}
	for d, want := range map[string]string{"2024-06-01": "", "2024-06-02": "2 3", "2024-06-09": "2 3 1", "2024-06-10": "2 1"} {
		if got := show(d); got != want {
			t.Errorf("in force on %s: got %q, want %q", d, got, want)
		}
	}
	if events[0].Seq != 1 || events[1].Seq != 2 {
		t.Error("the caller's events were reordered")
	}
}
