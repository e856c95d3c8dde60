package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/notify"
	"duban/notify/mail"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// relayFault is one way in which a relay goes wrong, what the first attempt at a letter must have come to under it, and
// how the letters end when it is over.
type relayFault struct {
	name   string
	fault  mailtest.Fault
	server mailtest.Config        // its extensions are all or none, by turns, unless it is about them
	client func(cfg *mail.Config) // besides where the server is
	down   bool                   // the server does not listen while the fault lasts
	// brief is a fault that takes time: the client's patience is short while it lasts.
	brief bool

	outcome notice.Outcome
	phase   notice.Phase
	code    int
	// hit is how many of the letters met it; the others were accepted at once.
	hit int
	// ends is the state of the letters that met it, when it is over; mails how often each is at the server then.
	ends  notice.State
	mails int
}

const (
	relayLetters = 3
	briefPhase   = 300 * time.Millisecond
	// crawl is how long a slow server takes for one octet: a whole reply takes longer than briefPhase.
	crawl = 40 * time.Millisecond
)

// relayPhases are the steps of a conversation that a fault can be at, under both names.
var relayPhases = []struct {
	at   mailtest.Phase
	name notice.Phase
}{
	{mailtest.AtBanner, notice.PhaseGreeting}, {mailtest.AtEhlo, notice.PhaseHello}, {mailtest.AtMail, notice.PhaseSender},
	{mailtest.AtRcpt, notice.PhaseRecipient}, {mailtest.AtData, notice.PhaseData}, {mailtest.AtDot, notice.PhaseAnswer},
}

// brokenPhases are the ways in which a conversation breaks, at each step of it. What breaks after the final dot is of
// unknown fate: it goes once more at once, breaks again, and waits for a person.
func brokenPhases() (list []relayFault) {
	for _, p := range relayPhases {
		for _, act := range []struct {
			name string
			mailtest.Action
			brief bool
		}{
			{"hangs", mailtest.Action{Do: mailtest.Hang}, true},
			{"drops", mailtest.DropBeforeAccept(), false},
			{"resets", mailtest.Action{Do: mailtest.Reset}, false},
			{"answers octet by octet", mailtest.Action{Do: mailtest.Slow, Pause: crawl}, true},
			{"answers with garbage", mailtest.Action{Do: mailtest.Garbage}, false},
			{"drops within its answer", mailtest.Action{Do: mailtest.Cut, Bytes: 2}, false},
			{"says 421", mailtest.Refusal(421, "4.3.2 closing"), false},
		} {
			f := relayFault{
				name: act.name + " at " + p.at.String(), fault: mailtest.Fault{Phase: p.at, Action: act.Action}, brief: act.brief,
				outcome: notice.OutcomeTemporary, phase: p.name, code: act.Code, hit: relayLetters, ends: notice.Sent, mails: 1,
			}
			if p.at == mailtest.AtDot && act.Code == 0 {
				f.outcome, f.ends, f.mails = notice.OutcomeUnknown, notice.Unknown, 0
				if act.Do == mailtest.Slow || act.Do == mailtest.Cut { // the server did take it
					f.mails = 2
				}
			}
			list = append(list, f)
		}
	}
	return list
}

// unknownOnce are faults after the final dot that each letter meets once: it is sent once more, and that is all.
func unknownOnce() (list []relayFault) {
	for _, act := range []struct {
		name string
		mailtest.Action
		mails int
	}{
		{"takes each letter and drops", mailtest.AcceptThenDrop(), 2},
		{"takes each letter and hangs", mailtest.Action{Do: mailtest.Hang, Accept: true}, 2},
		{"takes each letter and answers with garbage", mailtest.Action{Do: mailtest.Garbage, Accept: true}, 2},
		{"takes each letter and answers octet by octet", mailtest.Action{Do: mailtest.Slow, Pause: crawl}, 2},
		{"drops each letter", mailtest.DropBeforeAccept(), 1},
		{"hangs after each letter", mailtest.Action{Do: mailtest.Hang}, 1},
	} {
		var mu sync.Mutex
		seen := map[string]bool{}
		list = append(list, relayFault{
			name: act.name + " once", brief: act.Do == mailtest.Hang || act.Do == mailtest.Slow,
			server: mailtest.Config{Decide: func(e mailtest.Event) mailtest.Action {
				mu.Lock()
				defer mu.Unlock()
				if e.Phase != mailtest.AtDot || seen[e.MessageID] {
					return mailtest.Action{}
				}
				seen[e.MessageID] = true
				return act.Action
			}},
			outcome: notice.OutcomeUnknown, phase: notice.PhaseAnswer, hit: relayLetters, ends: notice.Sent, mails: act.mails,
		})
	}
	return list
}

// refusals are replies of 4xx and 5xx. 4xx is for the time being. 5xx is final for one letter; for three readers in a row
// it is about none of them, and the letters go when it is over.
func refusals() (list []relayFault) {
	for _, p := range relayPhases[2:] {
		for _, r := range []struct {
			code int
			text string
		}{
			{450, "4.2.1 mailbox busy"}, {451, "4.3.0 local error"}, {452, "4.3.1 no space"},
			{550, "5.7.1 quota exceeded"}, {552, "5.3.4 too much"}, {554, "5.7.0 no"},
		} {
			all := relayFault{
				name: fmt.Sprintf("says %d at %s to all", r.code, p.at), fault: mailtest.Fault{Phase: p.at, Action: mailtest.Refusal(r.code, r.text)},
				outcome: notice.OutcomeTemporary, phase: p.name, code: r.code, hit: relayLetters, ends: notice.Sent, mails: 1,
			}
			one := all
			one.name, one.fault.Times, one.hit = fmt.Sprintf("says %d at %s to one", r.code, p.at), 1, 1
			if r.code >= 500 {
				one.outcome, one.ends, one.mails = notice.OutcomePermanent, notice.Failed, 0
			}
			list = append(list, all, one)
		}
	}
	return list
}

// connections are faults before any letter is begun. Whatever the server says there, the letters wait.
func connections(t *testing.T) []relayFault {
	t.Helper()
	identity := func(notAfter time.Time, names ...string) *mailtest.Identity {
		id, err := mailtest.Certificate(time.Now().Add(-48*time.Hour), notAfter, names...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	good := identity(time.Now().Add(time.Hour), "127.0.0.1")
	secured := func(id *mailtest.Identity, s mail.Security) (mailtest.Config, func(*mail.Config)) {
		cfg := mailtest.Config{TLS: id.Server(), Implicit: s == mail.Implicit}
		cfg.StartTLS = s == mail.StartTLS
		return cfg, func(c *mail.Config) { c.Security, c.CA = s, id.CAPEM }
	}
	at := func(p mailtest.Phase, a mailtest.Action) mailtest.Fault { return mailtest.Fault{Phase: p, Action: a} }
	var list []relayFault
	add := func(name string, f mailtest.Fault, phase notice.Phase, code int, server mailtest.Config, client func(*mail.Config)) {
		list = append(list, relayFault{
			name: name, fault: f, server: server, client: client, brief: f.Do == mailtest.Hang || f.Do == mailtest.Slow,
			outcome: notice.OutcomeTemporary, phase: phase, code: code, hit: relayLetters, ends: notice.Sent, mails: 1,
		})
	}
	none := mailtest.Fault{}
	for _, s := range []mail.Security{mail.StartTLS, mail.Implicit} {
		for _, a := range []struct {
			name string
			do   mailtest.Do
		}{{"hangs", mailtest.Hang}, {"drops", mailtest.Drop}, {"says garbage", mailtest.Garbage}} {
			srv, cl := secured(good, s)
			add(fmt.Sprintf("%s in the handshake (%s)", a.name, s), at(mailtest.AtTLS, mailtest.Action{Do: a.do}), notice.PhaseTLS, 0, srv, cl)
		}
		srv, cl := secured(identity(time.Now().Add(-time.Hour), "127.0.0.1"), s)
		add(fmt.Sprintf("shows an expired certificate (%s)", s), none, notice.PhaseTLS, 0, srv, cl)
		srv, cl = secured(identity(time.Now().Add(time.Hour), "other.example"), s)
		add(fmt.Sprintf("shows a certificate of another name (%s)", s), none, notice.PhaseTLS, 0, srv, cl)
		srv, _ = secured(identity(time.Now().Add(time.Hour), "127.0.0.1"), s)
		add(fmt.Sprintf("shows a certificate of an unknown signer (%s)", s), none, notice.PhaseTLS, 0, srv, cl)
	}
	srv, cl := secured(good, mail.StartTLS)
	add("refuses STARTTLS", at(mailtest.AtStartTLS, mailtest.Refusal(454, "4.7.0 not now")), notice.PhaseTLS, 454, srv, cl)
	add("does not offer STARTTLS", none, notice.PhaseTLS, 0, mailtest.Config{}, cl)

	login := func(c *mail.Config) {
		cl(c)
		c.Username, c.Password = "duban", "secret"
	}
	for _, mech := range []string{"PLAIN", "LOGIN"} {
		srv, _ := secured(good, mail.StartTLS)
		srv.Auth, srv.User, srv.Password = []string{mech}, "duban", "secret"
		refused := srv
		refused.Password = "another"
		add("refuses the login by "+mech, none, notice.PhaseLogin, 535, refused, login)
		add("is not able to log in by "+mech+" now", at(mailtest.AtAuth, mailtest.Refusal(454, "4.7.0 later")), notice.PhaseLogin, 454, srv, login)
		add("hangs in the login by "+mech, at(mailtest.AtAuth, mailtest.Action{Do: mailtest.Hang}), notice.PhaseLogin, 0, srv, login)
	}
	add("does not offer AUTH", none, notice.PhaseLogin, 0, srv, login)
	add("wants a login nobody configured", none, notice.PhaseLogin, 530, mailtest.Config{RequireAuth: true}, nil)
	add("refuses at the door", at(mailtest.AtAccept, mailtest.Refusal(421, "too many")), notice.PhaseGreeting, 421, mailtest.Config{}, nil)
	add("accepts and drops", at(mailtest.AtAccept, mailtest.Action{Do: mailtest.Drop}), notice.PhaseGreeting, 0, mailtest.Config{}, nil)
	add("says 554 in its banner", at(mailtest.AtBanner, mailtest.Refusal(554, "no service")), notice.PhaseGreeting, 554, mailtest.Config{}, nil)
	add("refuses EHLO", at(mailtest.AtEhlo, mailtest.Refusal(550, "go away")), notice.PhaseHello, 550, mailtest.Config{}, nil)
	list = append(list, relayFault{
		name: "refuses connections", down: true,
		outcome: notice.OutcomeTemporary, phase: notice.PhaseConnect, hit: relayLetters, ends: notice.Sent, mails: 1,
	})
	return list
}

// TestRelayFaults breaks the relay in every way at every step, on both engines, and lets it heal. All faults of an engine
// have one database, a jurisdiction and an account each, and go on at the same time.
func TestRelayFaults(t *testing.T) {
	faults := append(append(append(connections(t), brokenPhases()...), unknownOnce()...), refusals()...)
	for e, engine := range storetest.Engines(t) {
		if slowEngine(engine) {
			continue
		}
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			s := engine.Open(t)
			// Decide has a memory, so each engine has its own.
			faults := append(append(append(connections(t), brokenPhases()...), unknownOnce()...), refusals()...)
			errs := make([]error, len(faults))
			begun := make([]chan struct{}, len(faults))
			room := make(chan struct{}, 12)
			for i := range faults {
				begun[i] = make(chan struct{})
				go func() {
					defer close(begun[i])
					room <- struct{}{}
					defer func() { <-room }()
					errs[i] = faults[i].try(t.Context(), s, fmt.Sprintf("r%03d", i), (i+e)%2 == 0)
				}()
			}
			for i, f := range faults {
				t.Run(f.name, func(t *testing.T) {
					<-begun[i]
					if errs[i] != nil {
						t.Error(errs[i])
					}
				})
			}
		})
	}
	if len(faults) < 100 {
		t.Errorf("only %d faults", len(faults))
	}
}

// try delivers the letters of a jurisdiction to a relay that has the fault, and then to one that has not.
func (f *relayFault) try(ctx context.Context, s *store.Store, code string, extended bool) (err error) {
	o, err := plan(ctx, s, code, relayLetters, nil)
	if err != nil {
		return err
	}
	cfg := f.server
	if extended {
		cfg.Extensions = mailtest.AllExtensions()
		cfg.StartTLS, cfg.Auth = f.server.StartTLS, f.server.Auth
	}
	cfg.CheckContent = true
	if f.fault.Do != mailtest.Pass {
		cfg.Faults = []mailtest.Fault{f.fault}
	}
	sick, err := mailtest.Start(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sick.Close()) }()
	healthy, err := mailtest.Start(mailtest.Config{Extensions: mailtest.AllExtensions(), CheckContent: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, healthy.Close()) }()
	o.relays = []*mailtest.Server{sick, healthy}
	if f.down {
		if err := sick.Stop(); err != nil {
			return err
		}
	}
	if err := f.suffer(ctx, o, client(sick)); err != nil {
		return err
	}
	return f.heal(ctx, o, client(healthy))
}

// suffer runs until every letter has met the fault as far as it will.
func (f *relayFault) suffer(ctx context.Context, o *outbox, cfg mail.Config) error {
	if f.client != nil {
		f.client(&cfg)
	}
	if cfg.Lanes = relayLetters; f.brief {
		cfg.Phase = briefPhase
	}
	tr, err := mail.New(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = tr.Close() }()
	d := o.worker("sick", o.s, tr)
	for range 12 {
		if err := o.hasten(ctx); err != nil {
			return err
		}
		if _, err := d.Run(ctx, o.filter()); err != nil {
			return fmt.Errorf("run under the fault: %w", err)
		}
		l, err := o.read(ctx)
		if err != nil {
			return err
		}
		met := 0
		for _, e := range l.entries {
			if len(e.attempts) > 0 && (f.ends != notice.Unknown || e.State == notice.Unknown) {
				met++
			}
		}
		if met == relayLetters {
			return f.met(l)
		}
	}
	l, err := o.read(ctx)
	return errors.Join(errors.New("not every letter meets the fault"), err, errors.New(l.String()))
}

// met checks what the first attempts came to.
func (f *relayFault) met(l *stand) error {
	hit := 0
	for id, e := range l.entries {
		r := e.attempts[0]
		switch {
		case r.Outcome == f.outcome && f.at(r.Phase) && r.Code == f.code && r.Reply != "":
			hit++
		case r.Outcome != notice.OutcomeAccepted || f.hit == relayLetters:
			return fmt.Errorf("letter %s is %s at %s: %s; want %s at %s with the code %d\n%s", id, r.Outcome, r.Phase, r, f.outcome, f.phase, f.code, l)
		}
		if e.State == notice.Sending || e.State == notice.Failed && f.ends != notice.Failed {
			return fmt.Errorf("letter %s is %s\n%s", id, e.State, l)
		}
	}
	if hit != f.hit {
		return fmt.Errorf("%d letters met the fault, want %d\n%s", hit, f.hit, l)
	}
	return nil
}

// at reports whether a receipt's phase is the fault's. A reset may come before the connection is told to be made.
func (f *relayFault) at(p notice.Phase) bool {
	return p == f.phase || p == notice.PhaseConnect && f.phase == notice.PhaseGreeting && f.fault.Do == mailtest.Reset
}

// heal runs with a relay that has no fault, twice as often as it would need, and checks how the letters ended.
func (f *relayFault) heal(ctx context.Context, o *outbox, cfg mail.Config) error {
	tr, err := mail.New(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = tr.Close() }()
	d := o.worker("well", o.s, tr)
	if err := errors.Join(o.finish(ctx, d), o.finish(ctx, d)); err != nil {
		return err
	}
	want := map[notice.State]int{notice.Sent: relayLetters - f.hit}
	want[f.ends] += f.hit
	l, err := o.reconcile(ctx, want)
	if err != nil {
		return err
	}
	if n := l.mails(); n != relayLetters-f.hit+f.hit*f.mails {
		return fmt.Errorf("%d mails, want %d\n%s", n, relayLetters-f.hit+f.hit*f.mails, l)
	}
	return f.blamed(ctx, o, l)
}

// blamed checks that an address is bad only by a reply about it. A full mailbox (552) need not make it so.
func (f *relayFault) blamed(ctx context.Context, o *outbox, l *stand) error {
	for _, e := range l.entries {
		trouble, err := o.s.Troubles(ctx, []string{e.Facts.Recipients[0].Email})
		if err != nil {
			return err
		}
		hard := len(trouble) > 0 && trouble[0].Hard
		if want := e.State == notice.Failed && f.phase == notice.PhaseRecipient; hard != want && (hard || f.code != 552) {
			return fmt.Errorf("the address of letter %s (%s) is held for bad: %v; want %v", e.ID, e.State, hard, want)
		}
	}
	return nil
}

// TestABodyThatTheRelayDoesNotRead breaks the connection while the letter itself is written, which is larger than all
// buffers between: no final dot has left, so the letter simply goes again.
func TestABodyThatTheRelayDoesNotRead(t *testing.T) {
	for _, c := range []struct {
		name string
		mailtest.Action
	}{
		{"hangs", mailtest.Action{Do: mailtest.Hang, After: 4096}},
		{"drops", mailtest.Action{Do: mailtest.Drop, After: 4096}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				o, err := plan(t.Context(), s, "body", 1, func(n *notice.Notice) {
					n.Facts.Upcoming = slices.Repeat(n.Facts.Upcoming, 4000)
				})
				if err != nil {
					t.Fatal(err)
				}
				srv := mailtest.Serve(t, mailtest.Config{ReadBuffer: 4096, Faults: []mailtest.Fault{{Phase: mailtest.AtBody, Action: c.Action}}})
				o.relays = append(o.relays, srv)
				cfg := client(srv)
				cfg.MaxSize, cfg.Phase = 1<<30, briefPhase
				if _, err := o.worker("sick", s, transport(t, cfg)).Run(t.Context(), o.filter()); err != nil {
					t.Fatal(err)
				}
				l, err := o.read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range l.entries {
					if e.State != notice.Retry || len(e.attempts) != 1 || e.attempts[0].Phase != notice.PhaseBody || e.attempts[0].Outcome != notice.OutcomeTemporary {
						t.Errorf("the letter is %s\n%s", e.State, l)
					}
				}
				well := client(o.serveMail(t))
				well.MaxSize = cfg.MaxSize
				if err := o.finish(t.Context(), o.worker("well", s, transport(t, well))); err != nil {
					t.Fatal(err)
				}
				if l := o.must(t, states(1, 0, 0)); l.mails() != 1 {
					t.Errorf("%s", l)
				}
			})
		})
	}
}

// TestAFormalLetterOfUnknownFateWaits has the relay take letters and drop the connection: formal letters are not sent once
// more, but wait for a person at once, who has one of them resolved and the other sent again.
func TestAFormalLetterOfUnknownFateWaits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o, err := plan(t.Context(), s, "formal", 2, func(n *notice.Notice) { n.Key.Matter = "matter" })
		if err != nil {
			t.Fatal(err)
		}
		srv := o.serveMail(t)
		srv.SetFaults(mailtest.Fault{Phase: mailtest.AtDot, Action: mailtest.AcceptThenDrop()})
		d := o.worker("worker", s, transport(t, client(srv)))
		if err := o.finish(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		l := o.must(t, states(0, 2, 0))
		if l.mails() != 2 {
			t.Errorf("%d mails\n%s", l.mails(), l)
		}
		srv.SetFaults()
		causes := []notice.Cause{notice.Resolve, notice.Resend}
		for id := range l.entries {
			if err := s.Move(t.Context(), id, notice.Unknown, "a person says so", "person", causes[0]); err != nil {
				t.Fatal(err)
			}
			causes = causes[1:]
		}
		if err := o.finish(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if l, err = o.read(t.Context()); err != nil || l.states[notice.Sent] != 2 || l.mails() != 3 {
			t.Errorf("%v %v\n%s", l.states, err, l)
		}
	})
}

// TestABrakeOverTheWholeWay lets a relay refuse everything. After a few letters no more connections are made, by this worker
// and by the next; when the brake's time is over one letter tries, and then all go.
func TestABrakeOverTheWholeWay(t *testing.T) {
	t.Parallel()
	const n = 20
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := mustPlan(t, s, "brake", n)
		srv := o.serveMail(t)
		srv.SetFaults(mailtest.Fault{Phase: mailtest.AtBanner, Action: mailtest.Refusal(554, "not for you")})
		worker := func(name string) *notify.Dispatcher {
			d := o.worker(name, s, transport(t, client(srv)))
			d.Patience.BrakeFirst, d.Patience.BrakeMost = time.Hour, time.Hour
			return d
		}
		for _, name := range []string{"first", "second"} {
			sum, err := worker(name).Run(t.Context(), o.filter())
			if err != nil || sum.Brake == nil || !strings.Contains(sum.Brake.Reason, "554") {
				t.Fatalf("%+v %v", sum, err)
			}
			if c := srv.Counts().Connections; c != 3 {
				t.Errorf("%d connections after the %s worker, want those of three letters", c, name)
			}
		}
		if l := o.must(t, map[notice.State]int{notice.Pending: n - 3, notice.Retry: 3}); l.mails() != 0 {
			t.Errorf("%s", l)
		}
		srv.SetFaults()
		kept, err := s.Brakes(t.Context())
		if err != nil || len(kept) != 1 {
			t.Fatalf("%v %v", kept, err)
		}
		kept[0].Until = kept[0].Until.Add(-2 * time.Hour)
		if err := s.SaveBrake(t.Context(), kept[0]); err != nil {
			t.Fatal(err)
		}
		if err := o.finish(t.Context(), worker("third")); err != nil {
			t.Fatal(err)
		}
		if l := o.must(t, states(n, 0, 0)); l.mails() != n {
			t.Errorf("%d mails", l.mails())
		}
		left, err := s.Brakes(t.Context())
		left = slices.DeleteFunc(left, func(b notice.Brake) bool { return strings.HasPrefix(b.Scope, "accepted:") }) // no brake
		if err != nil || len(left) != 0 {
			t.Errorf("%v %v", left, err)
		}
	})
}
