package notice

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var phases = []Phase{
	PhaseCompose, PhaseConnect, PhaseGreeting, PhaseHello, PhaseTLS, PhaseLogin, PhaseSender, PhaseRecipient, PhaseData, PhaseBody, PhaseAnswer,
}

func TestClassify(t *testing.T) {
	const acc, tmp, per, unk = OutcomeAccepted, OutcomeTemporary, OutcomePermanent, OutcomeUnknown
	for _, c := range []struct {
		phase    Phase
		code     int
		enhanced string
		want     Outcome
	}{
		{PhaseAnswer, 250, "2.0.0", acc}, {PhaseAnswer, 251, "", acc}, {PhaseAnswer, 200, "", acc},
		{PhaseConnect, 0, "", tmp}, {PhaseGreeting, 0, "", tmp}, {PhaseTLS, 0, "", tmp}, {PhaseBody, 0, "", tmp}, {PhaseRecipient, 0, "", tmp},
		{PhaseGreeting, 554, "", tmp}, {PhaseHello, 502, "", tmp}, {PhaseTLS, 554, "", tmp}, {PhaseLogin, 535, "5.7.8", tmp}, // the server, not the letter
		{PhaseSender, 451, "", tmp}, {PhaseRecipient, 450, "4.2.1", tmp}, {PhaseRecipient, 452, "", tmp}, {PhaseData, 421, "", tmp}, {PhaseAnswer, 452, "4.3.1", tmp},
		{PhaseRecipient, 421, "4.3.2", tmp}, {PhaseAnswer, 421, "", tmp},
		{PhaseSender, 550, "", per}, {PhaseSender, 552, "5.3.4", per}, {PhaseRecipient, 550, "5.1.1", per}, {PhaseRecipient, 552, "5.2.2", per}, {PhaseData, 554, "", per},
		{PhaseAnswer, 550, "5.7.1", per}, {PhaseAnswer, 552, "", per},
		{PhaseRecipient, 550, "4.2.2", tmp}, {PhaseAnswer, 552, "4.2.2", tmp}, // the enhanced code knows better
		{PhaseRecipient, 450, "5.1.1", tmp}, // in doubt, once more
		{PhaseAnswer, 0, "", unk}, {PhaseAnswer, 354, "", unk}, {PhaseAnswer, 999, "", unk}, {PhaseAnswer, 100, "", unk},
		{PhaseRecipient, 354, "", tmp}, {PhaseSender, 700, "", tmp}, {PhaseCompose, 0, "", tmp},
	} {
		if got := Classify(c.phase, c.code, c.enhanced); got != c.want {
			t.Errorf("Classify(%s, %d, %q) = %s, want %s", c.phase, c.code, c.enhanced, got, c.want)
		}
	}
}

func TestNothingIsFinalBeforeALetterIsBegunNorUnknownBeforeTheDot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phase := rapid.SampledFrom(phases).Draw(t, "phase")
		code := rapid.IntRange(0, 999).Draw(t, "code")
		got := Classify(phase, code, rapid.SampledFrom([]string{"", "2.0.0", "4.2.2", "5.1.1"}).Draw(t, "enhanced"))
		if phase.AboutServer() && got != OutcomeTemporary {
			t.Fatalf("%s %d is %s", phase, code, got)
		}
		if phase != PhaseAnswer && (got == OutcomeUnknown || got == OutcomeAccepted) {
			t.Fatalf("%s %d is %s", phase, code, got)
		}
		if got == OutcomePermanent && code/100 != 5 || got == OutcomeAccepted && code/100 != 2 {
			t.Fatalf("%s %d is %s", phase, code, got)
		}
	})
}

func TestAnAddressIsBadOnlyByAReplyAboutIt(t *testing.T) {
	for _, c := range []struct {
		r    Receipt
		want Trouble
	}{
		{Receipt{Outcome: OutcomeAccepted, Phase: PhaseAnswer, Code: 250}, TroubleOver},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseRecipient, Code: 550}, TroubleHard},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseAnswer, Code: 550, Enhanced: "5.1.1"}, TroubleHard},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseRecipient, Reply: "not an address"}, TroubleHard},
		{Receipt{Outcome: OutcomeTemporary, Phase: PhaseCompose, Reply: "template"}, NoTrouble},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseAnswer, Code: 550, Enhanced: "5.7.1"}, NoTrouble},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseAnswer, Code: 552}, NoTrouble},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseRecipient, Code: 552, Enhanced: "5.2.2"}, TroubleSoft}, // full, but the right one
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseRecipient, Code: 550, Enhanced: "5.2.2"}, TroubleSoft},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseRecipient, Code: 550, Enhanced: "5.2.1"}, TroubleHard}, // closed
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseData, Code: 554}, NoTrouble},
		{Receipt{Outcome: OutcomePermanent, Phase: PhaseSender, Code: 550, Enhanced: "5.1.8"}, NoTrouble}, // the sender's address
		{Receipt{Outcome: OutcomeTemporary, Phase: PhaseRecipient, Code: 450}, TroubleSoft},
		{Receipt{Outcome: OutcomeTemporary, Phase: PhaseRecipient, Code: 421}, NoTrouble}, // the server is closing
		{Receipt{Outcome: OutcomeTemporary, Phase: PhaseRecipient}, NoTrouble},            // the line broke
		{Receipt{Outcome: OutcomeTemporary, Phase: PhaseRecipient, Code: 550}, NoTrouble}, // judged the server's doing
		{Receipt{Outcome: OutcomeTemporary, Phase: PhaseConnect}, NoTrouble},
		{Receipt{Outcome: OutcomeUnknown, Phase: PhaseAnswer}, NoTrouble},
	} {
		if got := c.r.Trouble(); got != c.want {
			t.Errorf("%s %s %s: trouble %q, want %q", c.r.Outcome, c.r.Phase, c.r, got, c.want)
		}
	}
}

func TestALetterOfUnknownFateGoesOnceMore(t *testing.T) {
	for _, c := range []struct {
		matter string
		resent bool
		want   State
	}{{"", false, Retry}, {"", true, Unknown}, {"督1", false, Unknown}, {"督1", true, Unknown}} {
		for _, cause := range []Cause{Break, Vanish} {
			n := Notice{Key: Key{Matter: c.matter}, Resent: c.resent}
			causes := n.Lost(cause)
			if got, err := Then(Sending, causes...); err != nil || got != c.want || slices.Contains(causes, Resend) != (c.want == Retry) {
				t.Errorf("%+v by %s is %s, %v", c, cause, got, err)
			}
		}
	}
}

func TestReceiptInWords(t *testing.T) {
	for want, r := range map[string]Receipt{
		"550 5.1.1 no such mailbox": {Code: 550, Enhanced: "5.1.1", Reply: "no such mailbox"}, "450 later": {Code: 450, Reply: "later"}, "broken pipe": {Reply: "broken pipe"}, "": {},
	} {
		if got := r.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
