package notice

import (
	"fmt"
	"testing"
)

func TestProofsAreMatchedToRecipients(t *testing.T) {
	one := []Recipient{{Role: "liaison", Email: "A@x.example"}, {Role: "deputy", Email: "d@x.example", Copy: true}}
	two := []Recipient{{Email: "a@x.example"}, {Email: "b@x.example"}}
	proof := func(email string, isCopy bool) Proof {
		return Proof{Receipt: Receipt{Recipient: 7, Email: email, Copy: isCopy}}
	}
	for _, c := range []struct {
		name   string
		to     []Recipient
		proofs []Proof
		want   string
	}{
		{"by address", one, []Proof{proof("d@x.example", true), proof("a@x.example", false)}, "[0 1]"},
		{"twice", one, []Proof{proof("a@x.example", false), proof("a@X.example", false)}, "[0]"},
		{"the one reader at an older address", one, []Proof{proof("old@x.example", false)}, "[0]"},
		{"a copy at an older address", one, []Proof{proof("old@x.example", true)}, "[]"},
		{"one of several readers at an older address", two, []Proof{proof("old@x.example", false), proof("b@x.example", false)}, "[1]"},
		{"a reader's address that got a copy", one, []Proof{proof("a@x.example", true)}, "[]"},
		{"nobody", nil, []Proof{proof("a@x.example", false)}, "[]"},
	} {
		got := []int{}
		for _, r := range Match(c.to, c.proofs) {
			if got = append(got, r.Recipient); r.Outcome != OutcomeAccepted || r.Phase != PhaseAnswer || r.Copy != c.to[r.Recipient].Copy {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}
