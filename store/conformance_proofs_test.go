package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// accepted is what the archive proves of a copy of a letter.
func accepted(n notice.Notice, i int) notice.Proof {
	to := n.Facts.Recipients[i]
	return notice.Proof{Notice: n.ID, Jurisdiction: j, Date: n.Key.Date, Receipt: notice.Receipt{
		Recipient: i, Email: to.Email, Copy: to.Copy, Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Enhanced: "2.0.0", Reply: "好的 ok",
		SHA256: strings.Repeat("ab", 32), Bytes: 9, Worker: "office/7", At: instant.UTC().Truncate(time.Millisecond),
	}}
}

func TestALetterIsProven(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		whole, part, gone := letter("a", day0), letter("b", day0), letter("c", day0)
		seq = planned(t, s, seq, day0, whole, part, gone)
		receipt := func(n notice.Notice, i int) notice.Receipt { return accepted(n, i).Receipt }
		for range 2 { // the second time it is done
			if err := s.Prove(ctx, whole.ID, []notice.Receipt{receipt(whole, 0), receipt(whole, 1)}, "档案证明", "李敏"); err != nil {
				t.Fatal(err)
			}
			if err := s.Prove(ctx, part.ID, []notice.Receipt{receipt(part, 1)}, "档案证明", "李敏"); err != nil {
				t.Fatal(err)
			}
		}
		n := letterOf(t, s, whole.ID)
		if n.State != notice.Sent || n.Reason != "档案证明" || n.Tries != 1 {
			t.Errorf("it came to be %s: %q after %d tries", n.State, n.Reason, n.Tries)
		}
		equal(t, "its receipts", n.Receipts, []notice.Receipt{receipt(whole, 0), receipt(whole, 1)})
		equal(t, "its attempts", len(got[[]notice.Receipt](t)(s.Attempts(ctx, whole.ID))), 2)
		moves := got[[]notice.Move](t)(s.Moves(ctx, whole.ID))
		if len(moves) != 1 || moves[0].From != notice.Pending || moves[0].To != notice.Sent || moves[0].Cause != notice.Prove || moves[0].By != "李敏" {
			t.Errorf("its moves: %+v", moves)
		}
		equal(t, "served", got[map[string]civil.Date](t)(s.Served(ctx, []string{whole.ID, part.ID})), map[string]civil.Date{whole.ID: day0})
		if n := letterOf(t, s, part.ID); n.State != notice.Pending || len(n.Receipts) != 1 || !n.Receipts[0].Copy {
			t.Errorf("of which a copy was accepted: %s %+v", n.State, n.Receipts)
		}
		// It goes on as if the copy had been sent here.
		m, ok := claimOne(t, s, notice.ClaimFilter{}, time.Minute)
		for ok && m.ID != part.ID {
			m, ok = claimOne(t, s, notice.ClaimFilter{}, time.Minute)
		}
		if !ok || len(m.Receipts) != 1 {
			t.Fatalf("it is not claimed with its receipt: %+v", m)
		}
		wantErr(t, "in a worker's hands", s.Prove(ctx, part.ID, []notice.Receipt{receipt(part, 0)}, "x", "y"), store.ErrLost)
		end := settled(m, by(notice.Deliver), receipt(part, 0))
		equal(t, "lost", commit(t, s, nil, end), []string(nil))
		equal(t, "both attempts", len(got[[]notice.Receipt](t)(s.Attempts(ctx, part.ID))), 2)

		wantErr(t, "no letter", s.Prove(ctx, "0", nil, "x", "y"), store.ErrNotFound)
		bad := receipt(gone, 0)
		bad.Outcome = notice.OutcomeTemporary
		if s.Prove(ctx, gone.ID, []notice.Receipt{bad}, "x", "y") == nil {
			t.Error("a refusal proved something")
		}
		far := receipt(gone, 0)
		far.Recipient = 7
		if s.Prove(ctx, gone.ID, []notice.Receipt{far}, "x", "y") == nil {
			t.Error("a recipient that is none")
		}
		_ = seq
	})
}

func TestAProvenLetterIsSentBeforeItIsPlanned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		a, b, posted, never := letter("a", day0), letter("b", day0), letter("p", day0+1), letter("never", day0)
		proofs := []notice.Proof{accepted(a, 0), accepted(a, 1), accepted(b, 1), accepted(posted, 0), accepted(never, 0)}
		for range 2 {
			if err := s.KeepProofs(ctx, proofs, "李敏"); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "kept", len(got[[]notice.Proof](t)(s.Proofs(ctx, j))), len(proofs))
		seq = planned(t, s, seq, day0, a, b)
		if err := s.Post(ctx, j, seq, []notice.Notice{posted}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			n    notice.Notice
			want notice.State
		}{{a, notice.Sent}, {b, notice.Pending}, {posted, notice.Sent}} {
			n := letterOf(t, s, c.n.ID)
			if n.State != c.want || n.State == notice.Sent && (len(n.Receipts) == 0 || !n.Receipts[0].At.Equal(instant.Truncate(time.Millisecond))) {
				t.Errorf("the letter to %s is %s: %+v", c.n.Key.Unit, n.State, n.Receipts)
			}
		}
		if n, ok := claimOne(t, s, notice.ClaimFilter{}, time.Minute); !ok || n.ID != b.ID {
			t.Errorf("claimed %+v", n.Key)
		}
		if n, ok := claimOne(t, s, notice.ClaimFilter{}, time.Minute); ok {
			t.Errorf("claimed %+v", n.Key)
		}
		for what, p := range map[string]notice.Proof{"no letter": {Jurisdiction: j, Date: day0}, "no address": {Notice: "x", Jurisdiction: j, Date: day0}} {
			if s.KeepProofs(ctx, []notice.Proof{p}, "x") == nil {
				t.Errorf("%s was kept", what)
			}
		}
	})
}

func TestAProvenFormIsSentOnceItIsIssued(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		doc, n := draft("a", day0)
		if err := s.KeepProofs(ctx, []notice.Proof{accepted(n, 0), accepted(n, 1)}, "李敏"); err != nil {
			t.Fatal(err)
		}
		_, _, seq = drafted(t, s, seq, day0, "a")
		if is := letterOf(t, s, n.ID); is.State != notice.Held {
			t.Fatalf("the draft is %s", is.State)
		}
		if err := s.Issue(ctx, j, seq, issued(doc, 1, notice.ByMail), letterOf(t, s, n.ID)); err != nil {
			t.Fatal(err)
		}
		if is := letterOf(t, s, n.ID); is.State != notice.Sent || len(is.Receipts) != 2 {
			t.Errorf("issued, it is %s with %d receipts", is.State, len(is.Receipts))
		}
		equal(t, "the next number", got[int](t)(s.NextNumber(ctx, j, doc.Kind, 2024)), 2)
	})
}

func TestWhatTheDatabaseKnowsOfAcceptances(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		all := map[string]notice.Notice{}
		var letters []notice.Notice
		for _, unit := range []string{"waits", "claimed", "marked", "vanished", "sent", "copied", "cancelled", "held", "kept", "once-more"} {
			n := letter(unit, day0)
			if unit == "held" {
				n.State, n.Reason = notice.Held, "no address"
			}
			all[unit] = n
			if unit != "kept" {
				letters = append(letters, n)
			}
		}
		planned(t, s, seq, day0, letters...)
		deal := map[string]func(n notice.Notice){
			"claimed": func(notice.Notice) {},
			"marked":  func(n notice.Notice) { commit(t, s, []notice.Mark{markOf(n)}) },
			"vanished": func(n notice.Notice) {
				commit(t, s, nil, settled(n, by(notice.Break)))
			},
			"once-more": func(n notice.Notice) { commit(t, s, nil, settled(n, by(notice.Break, notice.Resend))) },
			"sent":      func(n notice.Notice) { commit(t, s, nil, settled(n, by(notice.Deliver))) },
			"copied": func(n notice.Notice) {
				r := accepted(n, 1).Receipt
				commit(t, s, nil, settled(n, by(notice.Defer), r))
			},
			"cancelled": func(n notice.Notice) { commit(t, s, nil, settled(n, by(notice.Cancel))) },
			"waits":     func(n notice.Notice) { commit(t, s, nil, settled(n, by(notice.PutBack))) },
		}
		for _, n := range got[[]notice.Notice](t)(s.ClaimNotices(ctx, notice.ClaimFilter{}, 99, time.Minute, time.Hour)) {
			deal[n.Key.Unit](n)
		}
		if err := s.KeepProofs(ctx, []notice.Proof{accepted(all["kept"], 0)}, "李敏"); err != nil {
			t.Fatal(err)
		}
		known := map[string]string{ // reader's copy, other copy
			"waits": "no no", "claimed": "no no", "marked": "yes yes", "vanished": "yes yes", "once-more": "yes yes", "sent": "yes yes", "copied": "no yes",
			"cancelled": "yes yes", "held": "no no", "kept": "yes no",
		}
		for unit, want := range known {
			var is []string
			for i := range 2 {
				unknown := got[[]notice.Proof](t)(s.Unknown(ctx, []notice.Proof{accepted(all[unit], i)}))
				is = append(is, map[bool]string{true: "no", false: "yes"}[len(unknown) > 0])
			}
			if fmt.Sprint(is) != "["+want+"]" {
				t.Errorf("%s: known %v, want %s", unit, is, want)
			}
		}
		stranger := accepted(letter("stranger", day0), 0)
		equal(t, "a letter that is not here", got[[]notice.Proof](t)(s.Unknown(ctx, []notice.Proof{stranger})), []notice.Proof{stranger})
		equal(t, "nothing", got[[]notice.Proof](t)(s.Unknown(ctx, nil)), []notice.Proof(nil))
	})
}
