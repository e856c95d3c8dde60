package notice

import (
	"cmp"
	"slices"
	"strings"

	"duban/jobs/civil"
)

// Proof is an acceptance that the archive proves: a mail server took a recipient's copy of a letter, of which a database
// that was restored from a backup may know nothing.
type Proof struct {
	Notice       string // the letter's ID
	Jurisdiction string
	Date         civil.Date // the letter's logical date
	// Receipt is what was written down of it; its Recipient is a place among the letter's proofs, which tell apart whose copy
	// it was by address alone.
	Receipt
}

// ProvenBefore is the reason of a letter that was planned after the archive proved it, in a database that was restored: what
// it says here was worked out anew, and the archive has what was sent.
const ProvenBefore = "the archive proves that it left before it was planned here"

// PlannedAnew reports whether a letter with these moves is such a one.
func PlannedAnew(moves []Move) bool {
	return slices.ContainsFunc(moves, func(m Move) bool { return m.Cause == Prove && m.Reason == ProvenBefore })
}

// Match returns the proofs of a letter as receipts of its recipients. A reader is known by the address; where that has
// changed since, the one reader of a letter is the one its reader's copy went to. What fits nobody is left out.
func Match(recipients []Recipient, proofs []Proof) []Receipt {
	var out []Receipt
	for _, p := range proofs {
		r := p.Receipt
		r.Outcome, r.Phase = OutcomeAccepted, cmp.Or(r.Phase, PhaseAnswer)
		if r.Recipient = whose(recipients, p); r.Recipient < 0 {
			continue
		}
		r.Copy = recipients[r.Recipient].Copy
		if !slices.ContainsFunc(out, func(o Receipt) bool { return o.Recipient == r.Recipient }) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Receipt) int { return a.Recipient - b.Recipient })
	return out
}

func whose(recipients []Recipient, p Proof) int {
	only, readers := -1, 0
	for i, to := range recipients {
		if strings.EqualFold(to.Email, p.Email) && to.Copy == p.Copy {
			return i
		}
		if !to.Copy {
			only, readers = i, readers+1
		}
	}
	if !p.Copy && readers == 1 {
		return only
	}
	return -1
}
