package mail

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
)

// fates counts what a client was told of each mail.
type fates struct {
	mu sync.Mutex
	of map[string]map[notice.Outcome]int
}

func (f *fates) add(id string, o notice.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[id] == nil {
		f.of[id] = map[notice.Outcome]int{}
	}
	f.of[id][o]++
}

// TestEveryReceiptIsTrue sends through a server that goes wrong at every phase, again and again, and counts from outside:
// what was accepted is there, what was refused or put off is not, and only an unknown mail may be there or not.
func TestEveryReceiptIsTrue(t *testing.T) {
	for _, pipelining := range []bool{true, false} {
		for _, secured := range []bool{false, true} {
			t.Run(fmt.Sprintf("pipelining=%v/tls=%v", pipelining, secured), func(t *testing.T) {
				t.Parallel()
				id, err := mailtest.Certificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "127.0.0.1")
				if err != nil {
					t.Fatal(err)
				}
				offer := mailtest.AllExtensions()
				offer.Pipelining, offer.StartTLS, offer.Auth = pipelining, secured, []string{"LOGIN", "PLAIN"}
				srv := mailtest.Serve(t, mailtest.Config{
					Extensions: offer, TLS: id.Server(), User: "duban", Password: "s3cret-word", RequireAuth: secured, RequireTLS: secured,
					CheckContent: true, Keep: mailtest.KeepDigest, Faults: everywhere(), Seed: 7,
				})
				cfg := Config{Port: srv.Port(), Security: Plain, Phase: 100 * time.Millisecond, PerConnection: 20}
				if secured {
					cfg.Security, cfg.CA, cfg.Username, cfg.Password = StartTLS, id.CAPEM, "duban", "s3cret-word"
				}
				told := &fates{of: map[string]map[notice.Outcome]int{}}
				tr := transport(t, cfg)
				sums := map[string][32]byte{}
				var wg sync.WaitGroup
				for lane := range tr.Lanes() {
					ms := numbered(lane, 60)
					for _, m := range ms {
						sums[m.ID] = sha256.Sum256(m.Bytes)
					}
					l := tr.Lane()
					wg.Go(func() { deliver(t, l, ms, told) })
				}
				wg.Wait()
				reconcile(t, srv, told, sums)
				if srv.CrossedInClear("s3cret-word") {
					t.Error("the password crossed in clear")
				}
			})
		}
	}
}

// TestNothingIsSaidTooEarly has the server look for octets that came before the answer they should have waited for.
func TestNothingIsSaidTooEarly(t *testing.T) {
	for _, pipelining := range []bool{true, false} {
		offer := mailtest.AllExtensions()
		offer.Pipelining = pipelining
		srv := mailtest.Serve(t, mailtest.Config{Extensions: offer, StrictSync: true, Quiet: 2 * time.Millisecond, CheckContent: true, Faults: []mailtest.Fault{
			{Phase: mailtest.AtRcpt, Action: mailtest.Refusal(550, "5.1.1 unknown"), Skip: 2, Times: 1},
			{Phase: mailtest.AtDot, Action: mailtest.Refusal(451, "4.3.0 later"), Skip: 3, Times: 1},
		}})
		tr := transport(t, Config{Port: srv.Port(), Security: Plain, PerConnection: 4})
		s := send(t, tr.Lane(), t.Context(), numbered(0, 10)...)
		if s.n != 10 || len(srv.Accepted()) != 8 || len(srv.Violations()) > 0 {
			t.Errorf("%+v, %d accepted, %+v", s, len(srv.Accepted()), srv.Violations())
		}
	}
}

// everywhere is a share of faults at every phase.
func everywhere() []mailtest.Fault {
	var fs []mailtest.Fault
	for p := mailtest.AtAccept; p < mailtest.Phases; p++ {
		for _, do := range []mailtest.Do{mailtest.Drop, mailtest.Reset, mailtest.Garbage, mailtest.Cut, mailtest.Hang} {
			chance := 0.008
			if do == mailtest.Hang {
				chance = 0.001
			}
			fs = append(fs, mailtest.Fault{Phase: p, Action: mailtest.Action{Do: do, Bytes: 5, After: 100}, Chance: chance})
		}
		for _, code := range []int{421, 450, 552} {
			fs = append(fs, mailtest.Fault{Phase: p, Action: mailtest.Refusal(code, "no"), Chance: 0.008})
		}
	}
	return append(fs, mailtest.Fault{Phase: mailtest.AtDot, Action: mailtest.AcceptThenDrop(), Chance: 0.02})
}

func numbered(lane, n int) []compose.Message {
	ms := make([]compose.Message, n)
	for i := range ms {
		id := fmt.Sprintf("<%d-%d@sfj.example>", lane, i)
		ms[i] = compose.Message{
			ID: id, From: "duban@sfj.example", To: fmt.Sprintf("r%d@qjtj.example", i),
			Bytes: fmt.Appendf(nil, "Message-ID: %s\r\nSubject: x\r\n\r\n.\r\n..\r\n%s.\r\n", id, strings.Repeat("words and words\r\n", 100*(i%5))),
		}
	}
	return ms
}

// deliver sends the mails, and once more what was put off or is unknown, until all are settled or patience ends.
func deliver(t *testing.T, l notify.Lane, ms []compose.Message, told *fates) {
	for range 600 {
		if len(ms) == 0 {
			return
		}
		var again []compose.Message
		n := l.Send(t.Context(), ms, notify.Each{Done: func(i int, r notice.Receipt) bool {
			told.add(ms[i].ID, r.Outcome)
			if r.Outcome != notice.OutcomeAccepted && r.Outcome != notice.OutcomePermanent {
				again = append(again, ms[i])
			}
			return true
		}})
		if n == 0 {
			t.Error("no mail was dealt with")
			return
		}
		ms = append(ms[n:len(ms):len(ms)], again...)
	}
	t.Errorf("%d mails are left", len(ms))
}

func reconcile(t *testing.T, srv *mailtest.Server, told *fates, sums map[string][32]byte) {
	t.Helper()
	there := map[string]int{}
	for _, m := range srv.Accepted() {
		there[m.MessageID]++
		if m.SHA256 != sums[m.MessageID] {
			t.Errorf("%s arrived changed", m.MessageID)
		}
	}
	unknown := 0
	for id, f := range told.of {
		accepted := f[notice.OutcomeAccepted]
		unknown += f[notice.OutcomeUnknown]
		if n := there[id]; n < accepted || n > accepted+f[notice.OutcomeUnknown] {
			t.Errorf("%s is there %d times, and was told: %v", id, n, f)
		}
		if accepted+f[notice.OutcomePermanent] != 1 {
			t.Errorf("%s: %v", id, f)
		}
	}
	if len(told.of) != len(sums) {
		t.Errorf("%d mails of %d", len(told.of), len(sums))
	}
	if vs := srv.Violations(); len(vs) > 0 {
		t.Errorf("the client broke the protocol: %+v\n%v", vs[:min(len(vs), 5)], srv.Transcript(vs[0].Conn))
	}
	if c := srv.Counts(); c.FaultsGiven() < 50 || unknown == 0 {
		t.Errorf("%d faults, %d unknown: nothing was tried", c.FaultsGiven(), unknown)
	}
}
