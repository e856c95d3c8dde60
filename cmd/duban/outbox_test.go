package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// waitingTown is a town with three letters of 25 September 2024 that wait, one each to csj, jtj and wjj, on an engine of
// the test's choice. Nothing was run after the reminding, so that the bureau has no digest, and no month was made up.
func waitingTown(t *testing.T, e storetest.Engine) (*desk, *store.Store) {
	t.Helper()
	d := newDesk(t, "2024-07-02")
	dsn := e.DSN(t)
	d.env["DUBAN_DATABASE_DSN"] = urlOf(dsn)
	d.ok("migrate")
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	d.ok("run", "open")
	d.on("2024-09-25")
	d.ok("pause", "--by", "李敏", "--why", "核对联系人")
	d.ok("run", "remind")
	d.ok("resume")
	return d, storetest.Reopen(t, dsn)
}

func eachTown(t *testing.T, f func(t *testing.T, d *desk, s *store.Store)) {
	t.Helper()
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, s := waitingTown(t, e)
			f(t, d, s)
		})
	}
}

// receipt is what a server said to the reader's copy of a letter.
func receipt(n notice.Notice, outcome notice.Outcome, phase notice.Phase, code int, enhanced, reply string) notice.Receipt {
	return notice.Receipt{
		Email: n.Facts.Recipients[0].Email, Outcome: outcome, Phase: phase, Code: code, Enhanced: enhanced, Reply: reply,
		SHA256: strings.Repeat("ab", 32), Bytes: 12345, Took: 1500 * time.Millisecond, Worker: "office/7",
		At:       time.Date(2024, 9, 25, 1, 30, 0, 0, time.UTC),
		Versions: notice.Versions{Template: "t1", Calendar: "c1", Policy: "p1"},
	}
}

// settle has a worker claim what waits and end each claim as the table says, by unit; what is not in it is put back. It
// returns the letters' IDs by unit.
func settle(t *testing.T, s *store.Store, ends map[string]func(notice.Notice) notice.Settlement) map[string]string {
	t.Helper()
	ctx := context.Background()
	claimed, err := s.ClaimNotices(ctx, notice.ClaimFilter{}, 100, time.Minute, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	var all []notice.Settlement
	for _, n := range claimed {
		ids[n.Key.Unit] = n.ID
		e := notice.Settlement{Causes: []notice.Cause{notice.PutBack}, Tries: n.Tries}
		if end := ends[n.Key.Unit]; end != nil {
			e = end(n)
		}
		e.ID, e.Token = n.ID, n.Token
		all = append(all, e)
	}
	if lost, err := s.Commit(ctx, nil, all); err != nil || len(lost) > 0 {
		t.Fatal(lost, err)
	}
	return ids
}

// broken ends a claim with the connection broken after the final dot of a letter to the address; "": to its reader.
func broken(address string) func(notice.Notice) notice.Settlement {
	return func(n notice.Notice) notice.Settlement {
		r := receipt(n, notice.OutcomeUnknown, notice.PhaseAnswer, 0, "", "connection reset")
		if address != "" {
			r.Email = address
		}
		return notice.Settlement{Causes: []notice.Cause{notice.Break}, Tries: 1, Reason: "reader unknown at answer", Receipts: []notice.Receipt{r}}
	}
}

func bounced(n notice.Notice) notice.Settlement {
	r := receipt(n, notice.OutcomePermanent, notice.PhaseRecipient, 550, "5.1.1", "<"+n.Facts.Recipients[0].Email+">: no such user")
	return notice.Settlement{Causes: []notice.Cause{notice.Refuse}, Tries: 1, Reason: "reader permanent: " + r.String(), Receipts: []notice.Receipt{r}}
}

func deferred(n notice.Notice) notice.Settlement {
	r := receipt(n, notice.OutcomeTemporary, notice.PhaseRecipient, 450, "4.2.1", "mailbox busy")
	return notice.Settlement{
		Causes: []notice.Cause{notice.Defer}, Tries: 1, NextTry: time.Now().Add(time.Hour), Reason: "reader temporary", Receipts: []notice.Receipt{r},
	}
}

func (d *desk) letter(id string) object {
	d.t.Helper()
	return d.objects("outbox", "show", id)[0]
}

// deeds are the calls of a person, with the states they can be done in and what comes of it.
var deeds = map[string]struct {
	args string // %s is the ID
	to   map[string]string
}{
	"sent":      {"resolve %s --sent --by 李敏", map[string]string{"unknown": "sent resolve"}},
	"resend":    {"resolve %s --resend --by 李敏", map[string]string{"unknown": "retry resend"}},
	"otherwise": {"resolve %s --served-otherwise --by 李敏 --why 电话告知", map[string]string{"unknown": "sent resolve", "failed": "sent resolve"}},
	"retry":     {"retry %s --by 李敏", map[string]string{"failed": "retry reopen", "retry": "retry hasten"}},
	"cancel": {"cancel %s --by 李敏 --why 已当面说明", map[string]string{
		"pending": "cancelled cancel", "retry": "cancelled cancel", "held": "cancelled cancel", "failed": "cancelled cancel", "unknown": "cancelled cancel",
	}},
	"release": {"release %s --by 李敏", map[string]string{"held": "pending release"}},
}

func TestWhatAPersonMayDoWithALetterInEachState(t *testing.T) {
	d, _ := waitingTown(t, storetest.Engines(t)[0])
	id := d.objects("outbox", "list", "--unit", "jtj", "--from", "2024-09-25")[0].text("id")
	d.dir = strings.TrimSuffix(strings.TrimPrefix(d.env["DUBAN_DATABASE_DSN"], "sqlite:"), "/duban.db") // for what looks behind the program's back
	hint := map[string]string{
		"pending": "leaves at the next run", "held": "`duban outbox release`", "sending": "a worker has it", "retry": "`duban outbox retry`",
		"unknown": "--sent, --resend or --served-otherwise", "failed": "`duban outbox retry`", "sent": "final", "cancelled": "final",
		"superseded": "letter feed took its items over",
	}
	for _, state := range notice.States() {
		for _, name := range slices.Sorted(maps.Keys(deeds)) {
			deed := deeds[name]
			d.change(fmt.Sprintf("UPDATE notices SET state = '%s', reason = 'why to zhang@jtj.example', superseded_by = 'feed' WHERE id = '%s'", state, id))
			args := append([]string{"outbox"}, strings.Fields(fmt.Sprintf(deed.args, id))...)
			want, can := deed.to[string(state)]
			if !can {
				d.unchanged(func() {
					errOut := d.fails(exitFailed, args, "it is "+string(state)+" (why to z***@jtj.example)", hint[string(state)], id)
					if strings.Contains(errOut, "zhang@") {
						t.Errorf("%s of a letter that is %s: %s", name, state, errOut)
					}
				})
				continue
			}
			o := d.objects(args...)[0]
			if got := o.text("id", "jurisdiction", "date", "unit", "from", "state", "cause", "by"); got != fmt.Sprintf("%s town 2024-09-25 jtj %s %s 李敏", id, state, want) {
				t.Errorf("%s of a letter that is %s: %s", name, state, got)
			}
			moves := d.letter(id)["moves"].([]any)
			last := object(moves[len(moves)-1].(map[string]any))
			if got := last.text("from", "to", "cause", "by", "reason"); got != fmt.Sprintf("%s %s 李敏 %s", state, want, o.text("reason")) {
				t.Errorf("%s of a letter that is %s was written down as %s", name, state, got)
			}
		}
	}
}

func TestCallsOfTheOutboxThatAreRefused(t *testing.T) {
	d, s := waitingTown(t, storetest.Engines(t)[0])
	ids := settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": broken(""), "csj": bounced})
	for _, c := range []struct {
		args string
		code int
		hint string
	}{
		{"resolve " + ids["jtj"] + " --by 李敏", exitUsage, "exactly one of --sent, --resend and --served-otherwise"},
		{"resolve " + ids["jtj"] + " --sent --resend --by 李敏", exitUsage, "exactly one"},
		{"resolve " + ids["jtj"] + " --sent=false --by 李敏", exitUsage, "exactly one"},
		{"resolve " + ids["jtj"] + " --sent", exitUsage, `"by"`},
		{"resolve " + ids["jtj"] + " --sent --by=", exitUsage, "--by is empty"},
		{"resolve --sent --by 李敏", exitUsage, "usage: duban outbox resolve ID"},
		{"resolve nothing --sent --by 李敏", exitUsage, `there is no letter "nothing"`},
		{"cancel " + ids["jtj"] + " --by 李敏", exitUsage, `"why"`},
		{"cancel " + ids["jtj"] + " nothing --by 李敏 --why x", exitUsage, `"nothing"`},
		{"release --by 李敏", exitUsage, "usage: duban outbox release ID"},
		{"retry --by 李敏", exitUsage, "--state failed or retry"},
		{"retry " + ids["csj"] + " --state failed --by 李敏", exitUsage, "--state failed or retry"},
		{"retry --state unknown --by 李敏", exitUsage, "want failed or retry"},
		{"retry --state failed --jurisdiction nowhere --by 李敏", exitUsage, "nowhere"},
		{"retry " + ids["csj"] + " --jurisdiction town --by 李敏", exitUsage, "--jurisdiction goes with --state"},
		// One that does not fit keeps back all.
		{"retry " + ids["csj"] + " " + ids["jtj"] + " --by 李敏", exitFailed, "nothing was done: retry letter " + ids["jtj"] + ": it is unknown"},
	} {
		d.fails(c.code, append([]string{"outbox"}, strings.Fields(c.args)...), c.hint)
	}
	for unit, want := range map[string]string{"jtj": "unknown", "csj": "failed", "wjj": "pending"} {
		if o := d.letter(ids[unit]); o.text("state") != want || len(o["moves"].([]any)) != 0 {
			t.Errorf("%s is %s, moves %v", unit, o.text("state"), o["moves"])
		}
	}
}

func TestALetterThatMovedMeanwhileIsLeftAlone(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		ids := settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": broken(""), "csj": broken("")})
		a, out, _ := testApp(t)
		a.env = func(k string) (string, bool) { v, ok := d.env[k]; return v, ok }
		if err := a.load(); err != nil {
			t.Fatal(err)
		}
		seen := func(unit string) target {
			n, err := s.Notice(t.Context(), ids[unit])
			if err != nil {
				t.Fatal(err)
			}
			return targetOf(n, false)
		}
		targets := []target{seen("jtj"), seen("csj")}
		d.ok("outbox", "resolve", ids["jtj"], "--resend", "--by", "王芳")
		cancel := deed{verb: "cancel", says: "cancelled", by: "李敏", causes: map[notice.State]notice.Cause{notice.Unknown: notice.Cancel}}
		err := a.do(t.Context(), s, cancel, targets)
		if err == nil || !strings.Contains(err.Error(), "it was unknown and moved meanwhile; now it is retry (to be sent once more, by 王芳)") {
			t.Error(err)
		}
		if strings.Contains(out.String(), ids["jtj"]) || !strings.Contains(out.String(), ids["csj"]) {
			t.Errorf("told: %s", out)
		}
		if got := d.letter(ids["jtj"]).text("state") + " " + d.letter(ids["csj"]).text("state"); got != "retry cancelled" {
			t.Error(got)
		}
	})
}

// TestWhatAVerdictCountsFor: a letter that its reader has, or whose reader was told otherwise, was served; what went to the
// trial address was not, whoever says that it arrived.
func TestWhatAVerdictCountsFor(t *testing.T) {
	const trial = "trial@sfj.example"
	for _, c := range []struct {
		name, flag string
		end        func(notice.Notice) notice.Settlement
		redirect   string // while the verdict is given
		served     bool
	}{
		{"its reader's address", "--sent", broken(""), "", true},
		{"its reader's address, now in a trial", "--sent", broken(""), trial, true},
		{"the trial's address", "--sent", broken(trial), trial, false},
		{"the trial's address, the trial over", "--sent", broken(trial), "", false},
		{"the trial's address, told by telephone", "--served-otherwise", broken(trial), trial, true},
		{"nobody, told by telephone", "--served-otherwise", bounced, "", true},
		{"a worker that died", "--sent", vanished, "", true},
		{"a worker that died in a trial", "--sent", vanished, trial, false},
		{"sent once more", "--resend", broken(""), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, s := waitingTown(t, storetest.Engines(t)[0])
			id := settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": c.end})["jtj"]
			d.env["DUBAN_MAIL_REDIRECT_TO"] = c.redirect
			o := d.objects("outbox", "resolve", id, c.flag, "--by", "李敏", "--why", "电话核实")[0]
			served, err := s.Served(t.Context(), []string{id})
			if err != nil {
				t.Fatal(err)
			}
			day, ok := served[id]
			if ok != c.served || ok && day != civil.MustParse("2024-09-25") {
				t.Errorf("served %v on %s, want %v: %v", ok, day, c.served, o)
			}
			if want := c.flag == "--sent" && !c.served; (o["trial"] == true) != want {
				t.Errorf("trial %v, want %v", o["trial"], want)
			}
			if !strings.Contains(d.letter(id).text("reason"), "by 李敏: 电话核实") {
				t.Error(d.letter(id).text("reason"))
			}
		})
	}
}

// vanished is a letter without a receipt whose fate nobody knows.
func vanished(notice.Notice) notice.Settlement {
	return notice.Settlement{Causes: []notice.Cause{notice.Break}, Reason: "its worker died"}
}

func TestRetryAndReleaseHaveLettersLeave(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		ids := settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": bounced, "csj": deferred, "wjj": deferred})
		if o := d.letter(ids["csj"]); o["next_try"] == nil || o["deadline"] == nil {
			t.Errorf("no next try or deadline: %v", o)
		}
		if rows := d.objects("outbox", "retry", "--state", "retry", "--jurisdiction", "town", "--by", "李敏"); len(rows) != 2 || rows[0].text("unit", "cause") != "csj hasten" {
			t.Errorf("%v", rows)
		}
		if rows := d.objects("outbox", "retry", ids["jtj"], ids["jtj"], "--by", "李敏"); len(rows) != 1 {
			t.Errorf("named twice: %v", rows)
		}
		if rows := d.objects("outbox", "retry", "--state", "failed", "--by", "李敏"); len(rows) != 0 {
			t.Errorf("%v", rows)
		}
		if o := d.letter(ids["jtj"]); o["next_try"] != nil || o["deadline"] != nil || o.text("state") != "retry" {
			t.Errorf("%v", o)
		}
		if _, err := s.HoldNotices(t.Context(), notice.ClaimFilter{}, time.Now().Add(time.Hour), "outside the sending window"); err != nil {
			t.Fatal(err)
		}
		if out := d.ok("outbox", "list", "--state", "held"); strings.Count(out, "outside the sending window") != 3 {
			t.Error(out)
		}
		d.ok("pause", "--by", "李敏", "--why", "x")
		if out := d.ok("outbox", "release", ids["wjj"], "--by", "李敏"); !strings.Contains(out, "held → pending") || !strings.Contains(out, "duban resume --jurisdiction town") {
			t.Error(out)
		}
		d.ok("resume")
		out := d.ok("outbox", "release", ids["jtj"], ids["csj"], "--by", "李敏")
		if strings.Count(out, "held → pending  it leaves at the next run\n") != 2 {
			t.Error(out)
		}
		d.ok("run", "remind")
		for unit, id := range ids {
			if o := d.letter(id); o.text("state") != "sent" {
				t.Errorf("%s: %s", unit, o.text("state", "reason"))
			}
		}
	})
}

// TestALetterOfAnEarlierDayLeavesAsItIsSaid lets letters of the day before go, before and after the day is planned.
func TestALetterOfAnEarlierDayLeavesAsItIsSaid(t *testing.T) {
	const leaves, taken = "at the next heartbeat of `duban serve`, or with `duban run remind --jurisdiction town`", "today's letter to the unit takes its items over"
	for _, c := range []struct {
		name    string
		end     func(notice.Notice) notice.Settlement
		deed    string
		planned bool // today, before a person lets it go
		taken   bool // that it may be taken over is said
		state   string
	}{
		{"sent once more", broken(""), "resolve %s --resend --by 李敏", false, false, "sent"},
		{"sent once more on a planned day", broken(""), "resolve %s --resend --by 李敏", true, false, "sent"},
		{"tried again", bounced, "retry %s --by 李敏", false, true, "superseded"},
		{"tried again on a planned day", bounced, "retry %s --by 李敏", true, true, "sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, s := waitingTown(t, storetest.Engines(t)[0])
			id := settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": c.end})["jtj"]
			d.on("2024-09-26")
			if c.planned {
				d.ok("run", "all")
			}
			out := d.ok(append([]string{"outbox"}, strings.Fields(fmt.Sprintf(c.deed, id))...)...)
			if !strings.Contains(out, leaves) || strings.Contains(out, taken) != c.taken {
				t.Error(out)
			}
			d.ok("run", "all")
			d.ok("run", "remind", "--jurisdiction", "town")
			if o := d.letter(id); o.text("state") != c.state {
				t.Errorf("%s", o.text("state", "reason"))
			}
		})
	}
}

func TestATrialRunStandsInOneBracket(t *testing.T) {
	for reason, want := range map[string]string{
		"":              "sent",
		"by hand":       "sent (by hand)",
		notice.TrialRun: "sent (trial run: it went to mail.redirect_to)",
		"resolved as sent by 李敏 " + notice.TrialRun: "sent (resolved as sent by 李敏; trial run: it went to mail.redirect_to)",
	} {
		if got := (target{state: notice.Sent, reason: reason}).standing(); got != want {
			t.Errorf("%q: %q", reason, got)
		}
	}
}

func TestALetterWithoutAnAddressIsNotReleased(t *testing.T) {
	d := newDesk(t, "2024-07-02")
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	d.ok("run", "all")
	d.change("UPDATE contacts SET email = '' WHERE unit = 'jtj'")
	d.on("2024-09-25")
	d.ok("run", "all")
	held := d.objects("outbox", "list", "--state", "held")
	if len(held) != 1 || held[0].text("unit") != "jtj" || held[0]["next_try"] != nil {
		t.Fatalf("%v", held)
	}
	d.unchanged(func() {
		d.fails(exitFailed, []string{"outbox", "release", held[0].text("id"), "--by", "李敏"}, "no address to go to", "duban import units FILE")
	})
	if out := d.ok("outbox", "list", "--state", "held"); !strings.Contains(out, "when released") {
		t.Error(out)
	}
	d.change("UPDATE notices SET state = 'failed' WHERE state IN ('held', 'sent') AND unit IN ('jtj', 'csj')")
	code, out, errOut := d.call("", "outbox", "retry", "--state", "failed", "--by", "李敏")
	if code != exitFailed || strings.Count(out, "failed → retry") != 1 || !strings.Contains(errOut, held[0].text("id")+": it has no address to go to") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	d.ok("outbox", "cancel", held[0].text("id"), "--by", "李敏", "--why", "已电话告知")
}

func TestShowTellsTheWholeHistory(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		id := settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": bounced})["jtj"]
		d.ok("outbox", "retry", id, "--by", "李敏", "--why", "已核对 zhang@jtj.example")
		settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": deferred})
		d.ok("outbox", "retry", id, "--by", "李敏")
		o := d.letter(id)
		attempts, moves := o["attempts"].([]any), o["moves"].([]any)
		if len(attempts) != 2 || len(moves) != 2 || len(o["receipts"].([]any)) != 1 {
			t.Fatalf("%d attempts, %d moves, receipts %v", len(attempts), len(moves), o["receipts"])
		}
		first := object(attempts[0].(map[string]any))
		got := first.text("at", "worker", "recipient", "email", "copy", "phase", "code", "enhanced", "reply", "bytes", "took_ms", "outcome", "template", "calendar", "policy")
		if got != "2024-09-25T01:30:00Z office/7 0 z***@jtj.example false recipient 550 5.1.1 <z***@jtj.example>: no such user 12345 1500 permanent t1 c1 p1" {
			t.Error(got)
		}
		if got := object(attempts[1].(map[string]any)).text("outcome", "code"); got != "temporary 450" {
			t.Error(got)
		}
		counts := object(o["receipts"].([]any)[0].(map[string]any))
		if got := counts.text("outcome", "code", "copy", "took_ms", "email"); got != "temporary 450 false 1500 z***@jtj.example" || counts["took"] != nil {
			t.Error(got, counts)
		}
		if got := slices.Sorted(maps.Keys(moves[0].(map[string]any))); !slices.Equal(got, []string{"at", "by", "cause", "from", "n", "reason", "to"}) {
			t.Error(got)
		}
		if got := object(moves[0].(map[string]any)).text("n", "from", "to", "cause", "by", "reason"); got != "1 failed retry reopen 李敏 to be tried again, by 李敏: 已核对 z***@jtj.example" {
			t.Error(got)
		}
		if v := object(o["versions"].(map[string]any)); v.text("template") != "t1" || v["calendar"] == nil || v["policy"] == nil {
			t.Errorf("%v", v)
		}
		for _, k := range []string{"id", "jurisdiction", "date", "unit", "role", "kind", "state", "rung", "items", "to", "tries", "subject", "text", "reason"} {
			if o[k] == nil {
				t.Errorf("the field %s is missing", k)
			}
		}
		head, _, _ := strings.Cut(d.ok("outbox", "show", id), "\n\n")
		for _, want := range []string{
			"template t1, calendar ", "next try: at once",
			"permanent to z***@jtj.example, recipient: 550 5.1.1 <z***@jtj.example>: no such user  (12345 bytes, 1500 ms, by office/7)",
			"failed → retry: reopen by 李敏", "retry → retry: hasten by 李敏", "2024-09-25T09:30:00+08:00",
		} {
			if !strings.Contains(head, want) {
				t.Errorf("it lacks %q:\n%s", want, head)
			}
		}
		if strings.Contains(head, "zhang@") {
			t.Errorf("an address stands open:\n%s", head)
		}
	})
}

// TestShowLaysOutWhatNobodyCanBeMailed: csj has no deputy in charge, to whom a form goes; it can be read all the same before
// it is handed over.
func TestShowLaysOutWhatNobodyCanBeMailed(t *testing.T) {
	d := openTown(t)
	for _, day := range []string{"2024-09-25", "2024-10-10", "2024-10-15"} {
		d.on(day)
		d.ok("run", "all")
	}
	for unit, want := range map[string]string{"csj": "<nil>", "jtj": "[z***@jtj.example]"} {
		drafts := d.objects("outbox", "list", "--unit", unit, "--state", "held")
		if len(drafts) != 2 || drafts[0].text("kind", "to") != "supervision-form "+want {
			t.Fatalf("%s: %v", unit, drafts)
		}
		name := map[string]string{"csj": "示例市城市管理局：", "jtj": "示例市交通运输局："}[unit]
		o := d.letter(drafts[0].text("id"))
		if !strings.Contains(o.text("subject"), "督办") || !strings.Contains(o.text("text"), name) || o["fault"] != nil || o.text("to") != want {
			t.Errorf("%s: %v", unit, o)
		}
		if out := d.ok("outbox", "show", drafts[0].text("id")); !strings.Contains(out, name) {
			t.Error(out)
		}
	}
}

func TestShowTellsTheHistoryOfALetterThatCannotBeComposed(t *testing.T) {
	d := newDesk(t, "2024-07-02")
	d.ok("import", "units", d.file("units.csv", townUnits))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	d.ok("run", "all")
	d.change("UPDATE contacts SET email = 'zhang@jtj@example..' WHERE email = 'zhang@jtj.example'")
	d.on("2024-09-25")
	d.call("", "run", "all")
	o := d.objects("outbox", "list", "--unit", "jtj")[0]
	shown := d.letter(o.text("id"))
	if shown.text("state") != "failed" || shown["fault"] == nil || len(shown["attempts"].([]any)) != 1 {
		t.Errorf("%v", shown)
	}
	if out := d.ok("outbox", "show", o.text("id")); !strings.Contains(out, "it cannot be composed: ") || strings.Contains(out, "zhang@") {
		t.Error(out)
	}
}

func TestTheListIsReadInPagesAndKeepsItsOrder(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		for _, day := range []string{"2024-09-26", "2024-10-10", "2024-10-14"} {
			d.on(day)
			d.ok("run", "all")
		}
		d.on("2024-10-10") // the last letters are ahead of the calendar on the wall
		for _, f := range []notice.Filter{
			{}, {Unit: "jtj"}, {State: notice.Superseded}, {From: civil.MustParse("2024-09-26"), To: civil.MustParse("2024-10-10")},
			{From: civil.MustParse("2024-10-11")}, {To: civil.MustParse("2024-09-25")}, {From: civil.MustParse("2030-01-01")},
		} {
			want, err := s.Notices(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"outbox", "list"}
			for name, v := range map[string]string{"--unit": f.Unit, "--state": string(f.State)} {
				if v != "" {
					args = append(args, name, v)
				}
			}
			for name, v := range map[string]civil.Date{"--from": f.From, "--to": f.To} {
				if v != 0 {
					args = append(args, name, v.String())
				}
			}
			var got, all, pages []string
			for _, o := range d.objects(args...) {
				got = append(got, o.text("id"))
			}
			for _, n := range want {
				all = append(all, n.ID)
			}
			f.Limit = 2
			err = eachPage(t.Context(), s, f, func(n notice.Notice) error { pages = append(pages, n.ID); return nil })
			if err != nil || !slices.Equal(got, all) || !slices.Equal(pages, all) {
				t.Errorf("%v: %d letters, by pages of two %d, want %d: %v", args, len(got), len(pages), len(all), err)
			}
		}
	})
}
