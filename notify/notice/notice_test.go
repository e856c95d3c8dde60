package notice

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
)

var (
	states = []State{Pending, Sending, Sent, Retry, Failed, Unknown, Held, Superseded, Cancelled, Recorded}
	causes = []Cause{
		Claim, PutBack, Deliver, Defer, Refuse, Break, Expire, Vanish, Resend, Resolve, Hold, Release, Hasten, Reopen, Supersede, Cancel, Record, Dispatch, Prove,
	}
	final = []State{Sent, Superseded, Cancelled}
)

// allowed is the whole table: from each state, what each cause makes of it. What is not here must be refused.
var allowed = map[State]map[Cause]State{
	Pending: {Claim: Sending, Hold: Held, Record: Recorded, Prove: Sent, Supersede: Superseded, Cancel: Cancelled},
	Retry:   {Claim: Sending, Hold: Held, Hasten: Retry, Prove: Sent, Supersede: Superseded, Cancel: Cancelled},
	Held:    {Release: Pending, Resolve: Sent, Prove: Sent, Supersede: Superseded, Cancel: Cancelled},
	Sending: {
		Deliver: Sent, Defer: Retry, Refuse: Failed, Break: Unknown, Expire: Retry, Vanish: Unknown, PutBack: Pending, Cancel: Cancelled,
	},
	Recorded: {Dispatch: Pending, Supersede: Superseded},
	Unknown:  {Resend: Retry, Resolve: Sent, Prove: Sent, Cancel: Cancelled},
	Failed:   {Reopen: Retry, Resolve: Sent, Prove: Sent, Supersede: Superseded, Cancel: Cancelled},
}

// The package's doc draws the machine; what it lists is what there is.
func TestTheDocListsEveryTransition(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(string(doc), "Every transition, by the state it leaves:\n//\n")
	if !ok {
		t.Fatal("the doc lists no transitions")
	}
	listed := 0
	for l := range strings.SplitSeq(list, "\n") {
		l, ok := strings.CutPrefix(l, "//\t")
		if !ok {
			break
		}
		from, moves, _ := strings.Cut(l, " ")
		for m := range strings.SplitSeq(strings.TrimSpace(moves), ", ") {
			cause, to, _ := strings.Cut(m, " → ")
			if got, err := Next(State(from), Cause(cause)); err != nil || got != State(to) {
				t.Errorf("the doc lists %q from %s: it is %s, %v", m, from, got, err)
			}
			listed++
		}
	}
	want := 0
	for _, by := range allowed {
		want += len(by)
	}
	if listed != want {
		t.Errorf("the doc lists %d transitions, there are %d", listed, want)
	}
}

func TestNextIsTheTableAndNothingElse(t *testing.T) {
	for _, s := range append(slices.Clone(states), "", "draft") {
		for _, c := range append(slices.Clone(causes), "", "send") {
			want, ok := allowed[s][c]
			got, err := Next(s, c)
			switch {
			case ok && (err != nil || got != want):
				t.Errorf("Next(%s, %s) = %s, %v; want %s", s, c, got, err, want)
			case !ok && (err == nil || got != s):
				t.Errorf("Next(%s, %s) = %s, %v; want a refusal that leaves the state", s, c, got, err)
			}
		}
	}
}

func TestEverySequenceFollowsTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(states).Draw(t, "state")
		for _, c := range rapid.SliceOf(rapid.SampledFrom(causes)).Draw(t, "causes") {
			to, err := Next(s, c)
			if err != nil {
				if to != s {
					t.Fatalf("%s refused %s and became %s", s, c, to)
				}
				continue
			}
			if slices.Contains(final, s) {
				t.Fatalf("%s is final and became %s by %s", s, to, c)
			}
			if to == Sending && c != Claim {
				t.Fatalf("%s was taken by %s", s, c)
			}
			if to == Sent && c != Deliver && c != Resolve && c != Prove {
				t.Fatalf("%s was sent by %s", s, c)
			}
			if s == Sending && (c == Supersede || c == Hold) {
				t.Fatalf("%s took a letter out of a worker's hand", c)
			}
			if !slices.Contains(states, to) {
				t.Fatalf("%s is no state", to)
			}
			s = to
		}
	})
}

func TestEveryStateCanBeLeftOrIsFinal(t *testing.T) {
	for _, s := range states {
		ways := 0
		for _, c := range causes {
			if _, err := Next(s, c); err == nil {
				ways++
			}
		}
		if (ways == 0) != slices.Contains(final, s) {
			t.Errorf("%s has %d ways out", s, ways)
		}
		if s.Open() != slices.Contains([]State{Pending, Retry, Held}, s) {
			t.Errorf("%s open: %v", s, s.Open())
		}
	}
}

func TestSettle(t *testing.T) {
	const acc, tmp, per, unk = OutcomeAccepted, OutcomeTemporary, OutcomePermanent, OutcomeUnknown
	type copies []Outcome
	for _, c := range []struct {
		to     Outcome
		copies copies
		want   Cause
	}{
		{acc, nil, Deliver},
		{tmp, nil, Defer},
		{per, nil, Refuse},
		{unk, nil, Break},
		{acc, copies{acc, acc}, Deliver},
		{acc, copies{per}, Deliver}, // a copy never makes a letter failed
		{acc, copies{unk}, Deliver},
		{acc, copies{tmp}, Defer}, // one that may still be delivered keeps it in retry
		{acc, copies{per, tmp}, Defer},
		{tmp, copies{acc}, Defer},
		{tmp, copies{per}, Defer},
		{per, copies{acc}, Refuse}, // the reader decides
		{per, copies{tmp}, Refuse},
		{unk, copies{acc}, Break},
		{unk, copies{per}, Break},
		{unk, copies{tmp}, Break}, // the reader is not sent the letter again for the sake of a copy
	} {
		rs := []Receipt{{Recipient: 0, Outcome: c.to}}
		for i, o := range c.copies {
			rs = append(rs, Receipt{Recipient: i + 1, Copy: true, Outcome: o})
		}
		for range 2 {
			if got := Settle(rs); got != c.want {
				t.Errorf("Settle(%s, %v) = %s, want %s", c.to, c.copies, got, c.want)
			}
			slices.Reverse(rs)
		}
	}
}

func TestSettleAlwaysEndsAnAttempt(t *testing.T) {
	outcomes := []Outcome{OutcomeAccepted, OutcomeTemporary, OutcomePermanent, OutcomeUnknown}
	rapid.Check(t, func(t *rapid.T) {
		rs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Receipt {
			return Receipt{Outcome: rapid.SampledFrom(outcomes).Draw(t, "outcome"), Copy: rapid.Bool().Draw(t, "copy")}
		}), 1, 6).Draw(t, "receipts")
		cause := Settle(rs)
		if _, err := Next(Sending, cause); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(rs)
		if again := Settle(rs); again != cause {
			t.Fatalf("%s one way round, %s the other: %+v", again, cause, rs)
		}
		if cause == Deliver && slices.ContainsFunc(rs, func(r Receipt) bool { return !r.Copy && r.Outcome != OutcomeAccepted }) {
			t.Fatalf("delivered: %+v", rs)
		}
	})
}

func TestKeysTellLettersApart(t *testing.T) {
	k := Key{Jurisdiction: "laoshan", Date: civil.MustParse("2024-09-26"), Unit: "qjtj", Role: "liaison", Kind: UnitLetter}
	if got := k.ID(); got != "56b7a34ce455b9e7a491046f371ec705" {
		t.Errorf("the ID of a stored letter changed to %s", got)
	}
	seen := map[string]Key{}
	for _, v := range []Key{
		k,
		{"changji", k.Date, k.Unit, k.Role, k.Kind, ""}, {k.Jurisdiction, k.Date + 1, k.Unit, k.Role, k.Kind, ""},
		{k.Jurisdiction, k.Date, "qyjj", k.Role, k.Kind, ""}, {k.Jurisdiction, k.Date, k.Unit, "deputy", k.Kind, ""},
		{k.Jurisdiction, k.Date, k.Unit, k.Role, "form", ""}, {k.Jurisdiction, k.Date, k.Unit, k.Role, k.Kind, "m"},
		{k.Jurisdiction, k.Date, k.Unit + k.Role, "", k.Kind, ""},
	} {
		id := v.ID()
		if other, ok := seen[id]; ok {
			t.Errorf("%+v and %+v share an ID", v, other)
		}
		if seen[id] = v; len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || id != v.ID() {
			t.Errorf("ID %q of %+v", id, v)
		}
	}
}

func TestRung(t *testing.T) {
	said := func(rung string) []Item { return []Item{{Step: "T", Rung: rung}} }
	silent := []Item{{Rung: "urging"}}
	for _, c := range []struct {
		f    Facts
		want string
	}{
		{Facts{}, ""},
		{Facts{Overdue: silent}, ""}, // repeated from an earlier letter, not said today
		{Facts{Upcoming: said("reminder")}, "reminder"},
		{Facts{Behind: said("pace")}, "pace"},
		{Facts{Behind: said("pace"), Support: said("reminder")}, "reminder"},
		{Facts{Overdue: silent, Clocks: said("reminder")}, "reminder"},
		{Facts{Overdue: said("urging"), Upcoming: said("reminder")}, "urging"},
		{Facts{Clocks: said("urging")}, "urging"},
		{Facts{Standing: said("urging"), Awaiting: said("urging")}, ""},
	} {
		if got := c.f.Rung(); got != c.want {
			t.Errorf("Rung(%+v) = %q, want %q", c.f, got, c.want)
		}
	}
}

func TestClaimFilter(t *testing.T) {
	k := Key{Jurisdiction: "laoshan", Date: civil.MustParse("2024-09-26"), Kind: UnitLetter}
	for _, c := range []struct {
		f    ClaimFilter
		want bool
	}{
		{ClaimFilter{}, true}, {ClaimFilter{Jurisdiction: "laoshan"}, true}, {ClaimFilter{Date: k.Date}, true}, {ClaimFilter{Jurisdiction: "laoshan", Date: k.Date}, true}, {ClaimFilter{Kind: UnitLetter}, true}, {ClaimFilter{Before: k.Date + 1}, true},
		{ClaimFilter{Jurisdiction: "changji"}, false}, {ClaimFilter{Date: k.Date - 1}, false}, {ClaimFilter{Jurisdiction: "laoshan", Date: k.Date + 1}, false}, {ClaimFilter{Kind: Operations}, false}, {ClaimFilter{Before: k.Date}, false},
	} {
		if got := c.f.Matches(k); got != c.want {
			t.Errorf("%+v matches: %v", c.f, got)
		}
	}
}

func TestFactsSurviveJSON(t *testing.T) {
	f := Facts{
		Jurisdiction: "青岛市崂山区", Date: civil.MustParse("2024-09-26"), Recipients: []Recipient{{Role: "liaison", Email: "a@b.example"}},
		Overdue: []Item{{Row: "17", Title: "<清单> & \"表\"", Due: civil.MustParse("2024-09-20"), Urged: []civil.Date{civil.MustParse("2024-09-24")}}},
	}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back Facts
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(b) {
		t.Errorf("%s\n%s %v", b, again, err)
	}
}

func TestFormalLettersAreToldByTheirKind(t *testing.T) {
	for key, want := range map[Key]bool{
		{Kind: UnitLetter}:                                  false,
		{Kind: BureauDigest}:                                false,
		{Kind: Summary, Matter: "zl/6@2024-09"}:             false,
		{Kind: Correction, Matter: "m"}:                     false,
		{Kind: SupervisionForm, Matter: "m"}:                true,
		{Kind: Bulletin, Matter: "2024Q3"}:                  true,
		{Kind: Report, Matter: "2024Q3"}:                    true,
		{Kind: "a kind that is not known yet", Matter: "m"}: true,
		{Kind: "a kind that is not known yet", Matter: ""}:  false,
	} {
		if got := key.Formal(); got != want {
			t.Errorf("%+v: %t", key, got)
		}
	}
}

func TestContactLine(t *testing.T) {
	for want, i := range map[string]Issuer{
		"":        {},
		"联系人：张晨曦": {Contact: "张晨曦"},
		"联系人：执法监督科 张晨曦，电话：0000-1，邮箱：a@b.example，地址：示例路1号": {
			Office: "执法监督科", Contact: "张晨曦", Phone: "0000-1", Email: "a@b.example", Address: "示例路1号",
		},
		"电话：0000-1": {Phone: "0000-1"},
	} {
		if got := i.ContactLine(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
