package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// list returns the objects of a field of the first object that status prints.
func (d *desk) statusList(field string) (out []object) {
	d.t.Helper()
	all, ok := d.objects("status", "--jurisdiction", "town")[0][field].([]any)
	if !ok {
		d.t.Fatalf("status has no list %s", field)
	}
	for _, v := range all {
		out = append(out, object(v.(map[string]any)))
	}
	return out
}

func TestStatusOfAnIdleTownHasEveryField(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		d.ok("run", "remind")
		o := d.objects("status")[0]
		for _, k := range []string{
			"jurisdiction", "name", "live_from", "plans", "rows", "obligations", "states", "overdue", "unconfirmed", "need_person", "letters", "last_runs",
			"in_hand", "brakes", "held", "unknown", "failed_lately", "failed_more", "addressees",
		} {
			if o[k] == nil {
				t.Errorf("the field %s is missing", k)
			}
		}
		for _, k := range []string{"brakes", "held", "unknown", "failed_lately", "addressees"} {
			if list, ok := o[k].([]any); !ok || len(list) != 0 {
				t.Errorf("%s: %v", k, o[k])
			}
		}
		if o["oldest_waiting"] != nil || o["failed_more"] != false || o.text("letters", "in_hand") != "map[sent:3] map[letters:0]" {
			t.Errorf("%v", o)
		}
		out := d.ok("status")
		for _, not := range []string{"BRAKE", "held", "UNKNOWN", "failed", "addressees", "hands", "waiting letter"} {
			if strings.Contains(out, not) {
				t.Errorf("an idle town speaks of %q:\n%s", not, out)
			}
		}
	})
}

func TestStatusNamesTheLettersThatWait(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		ids := settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": broken(""), "csj": bounced})
		until := time.Now().Add(2 * time.Hour).Truncate(time.Second)
		if _, err := s.HoldNotices(t.Context(), notice.ClaimFilter{}, until, "outside the sending window"); err != nil {
			t.Fatal(err)
		}
		o := d.objects("status")[0]
		if o.text("letters") != "map[failed:1 held:1 unknown:1]" {
			t.Error(o.text("letters"))
		}
		if w := object(o["oldest_waiting"].(map[string]any)); w.text("id", "date", "unit", "state") != ids["wjj"]+" 2024-09-25 wjj held" {
			t.Errorf("%v", w)
		}
		for field, want := range map[string]string{
			"unknown":       ids["jtj"] + " 2024-09-25 jtj reader unknown at answer",
			"failed_lately": ids["csj"] + " 2024-09-25 csj reader permanent: 550 5.1.1 <w***@csj.example>: no such user",
		} {
			if list := d.statusList(field); len(list) != 1 || list[0].text("id", "date", "unit", "reason") != want {
				t.Errorf("%s: %v", field, list)
			}
		}
		held := d.statusList("held")
		if len(held) != 1 || held[0].text("reason", "letters", "until", "first") != fmt.Sprintf("outside the sending window 1 %s %s", until.UTC().Format(time.RFC3339), ids["wjj"]) {
			t.Errorf("%v", held)
		}
		out := d.ok("status")
		for _, want := range []string{
			"letters: failed 1, held 1, unknown 1", "held until " + until.In(time.FixedZone("", 8*3600)).Format("2006-01-02 15:04") + ": 1: outside",
			"UNKNOWN whether they arrived: 1; ask, then type duban outbox resolve ID --sent|--resend|--served-otherwise --by NAME\n    " + ids["jtj"],
			"type duban outbox retry ID --by NAME\n    " + ids["csj"], "oldest waiting letter: " + ids["wjj"],
		} {
			if !strings.Contains(out, want) {
				t.Errorf("it lacks %q:\n%s", want, out)
			}
		}
		if strings.Contains(out, "wang@") {
			t.Errorf("an address stands open:\n%s", out)
		}
		d.on("2024-10-26") // 31 days on
		if list := d.statusList("failed_lately"); len(list) != 0 {
			t.Errorf("%v", list)
		}
		if list := d.statusList("unknown"); len(list) != 1 {
			t.Errorf("%v", list)
		}
	})
}

// TestStatusGroupsTheDraftsThatWaitForAPerson: digests and summaries have left with the units' letters, and drafts of forms
// and of the quarter's bulletin wait, whose reasons differ by their own names alone.
func TestStatusGroupsTheDraftsThatWaitForAPerson(t *testing.T) {
	d := openTown(t)
	for _, day := range []string{"2024-09-25", "2024-10-10", "2024-10-15"} {
		d.on(day)
		d.ok("run", "all")
	}
	want := map[string]int{
		"2024-07-02 bureau-digest sent": 1, "2024-09-25 bureau-digest sent": 1, "2024-10-10 bureau-digest sent": 1, "2024-10-15 bureau-digest sent": 1,
		"2024-07-30 summary sent": 1, "2024-08-28 summary sent": 1, "2024-09-29 summary sent": 1,
		"2024-09-25 unit-letter sent": 3, "2024-10-10 unit-letter sent": 3, "2024-10-15 unit-letter sent": 3,
		"2024-10-14 bulletin held": 1, "2024-10-15 supervision-form held": 6,
	}
	if n := d.tally(); !maps.Equal(n, want) {
		t.Errorf("%v", n)
	}
	if o := d.objects("status")[0]; o.text("letters") != "map[held:7 sent:16]" {
		t.Error(o.text("letters"))
	}
	first := d.objects("outbox", "list", "--state", "held")[0].text("id")
	held := d.statusList("held")
	if len(held) != 1 || held[0].text("reason", "letters", "first") != "draft: a person releases it with `duban outbox release ID --by NAME` 7 "+first || held[0]["until"] != nil {
		t.Errorf("%v", held)
	}
	if out := d.ok("status"); !strings.Contains(out, "held for a person: 7, the first "+first+": draft: a person releases it with `duban outbox release ID --by NAME`\n") {
		t.Error(out)
	}
}

func TestStatusShowsWhatWorkersHold(t *testing.T) {
	d, s := waitingTown(t, storetest.Engines(t)[0])
	if _, err := s.ClaimNotices(t.Context(), notice.ClaimFilter{}, 2, time.Minute, time.Hour); err != nil {
		t.Fatal(err)
	}
	hand := object(d.objects("status")[0]["in_hand"].(map[string]any))
	if hand["letters"] != 2.0 || hand["until"] == nil {
		t.Errorf("%v", hand)
	}
	if out := d.ok("status"); !strings.Contains(out, "in workers' hands: 2, the first claim holds until ") {
		t.Error(out)
	}
}

// TestStatusShortensLongLists: ten letters are named, and the command that lists the rest.
func TestStatusShortensLongLists(t *testing.T) {
	d, s := waitingTown(t, storetest.Engines(t)[0])
	d.dir = strings.TrimSuffix(strings.TrimPrefix(d.env["DUBAN_DATABASE_DSN"], "sqlite:"), "/duban.db")
	settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": broken(""), "csj": bounced})
	const columns = "jurisdiction, logical_date, unit, role, kind, job, state, tries, token, superseded_by, reason, moved_by, seq, resent, settled"
	for i := range 15 {
		for _, state := range []string{"unknown", "failed"} {
			d.change(fmt.Sprintf("INSERT INTO notices (id, matter, %s) SELECT '%s%d', '%s%d', %s FROM notices WHERE state = '%s' LIMIT 1", columns, state, i, state, i, columns, state))
		}
	}
	if n, m := len(d.statusList("unknown")), len(d.statusList("failed_lately")); n != 10 || m != 10 {
		t.Errorf("%d unknown, %d failed", n, m)
	}
	o := d.objects("status")[0]
	if o["failed_more"] != true || o.text("letters") != "map[failed:16 pending:1 unknown:16]" {
		t.Errorf("%v", o)
	}
	if out := d.ok("status"); !strings.Contains(out, "duban outbox list --jurisdiction town --state failed") || !strings.Contains(out, "UNKNOWN whether they arrived: 16") {
		t.Error(out)
	}
}

func TestStatusShowsTheBrakesInForceOfItsAccount(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		config := d.file("duban.yaml", "mail: {transport: smtp, from_address: duban@sfj.example, smtp: {host: mx.example, username: duban@sfj.example}}\n")
		d.env["DUBAN_MAIL_SMTP_PASSWORD"] = "hush"
		const account = "mx.example:587/duban@sfj.example"
		now := time.Now()
		for scope, until := range map[string]time.Time{
			"account:" + account: now.Add(time.Hour), "domain:" + account + ":jtj.example": now.Add(time.Hour),
			"domain:" + account + ":over.example": now.Add(-time.Minute), "account:other.example:587/duban@sfj.example": now.Add(time.Hour),
		} {
			b := notice.Brake{Scope: scope, Failures: 2, Since: now.Add(-time.Hour), Until: until, Reason: "sender: 550 <duban@sfj.example> over quota", By: "office/7"}
			if err := s.SaveBrake(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, v := range d.objects("--config", config, "status")[0]["brakes"].([]any) {
			b := object(v.(map[string]any))
			got = append(got, b.text("scope", "account", "domain", "failures", "reason", "by"))
			if b["since"] == nil || b["until"] == nil {
				t.Errorf("%v", b)
			}
		}
		want := []string{
			"account mx.example:587/d***@sfj.example <nil> 2 sender: 550 <d***@sfj.example> over quota office/7",
			"domain mx.example:587/d***@sfj.example jtj.example 2 sender: 550 <d***@sfj.example> over quota office/7",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		out := d.ok("--config", config, "status")
		if !strings.Contains(out, "BRAKE on all letters of account mx.example:587/d***@sfj.example until ") || !strings.Contains(out, "BRAKE on letters to jtj.example until ") ||
			strings.Contains(out, "duban@") || strings.Contains(out, "over.example") || strings.Contains(out, "other.example") {
			t.Error(out)
		}
	})
}

func TestStatusListsTheAddresseesThatMailDoesNotReach(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		soft := func(n notice.Notice) notice.Settlement {
			e := deferred(n)
			e.NextTry = time.Time{}
			return e
		}
		settle(t, s, map[string]func(notice.Notice) notice.Settlement{"jtj": bounced, "csj": soft, "wjj": soft})
		settle(t, s, map[string]func(notice.Notice) notice.Settlement{"csj": soft, "wjj": soft})
		settle(t, s, map[string]func(notice.Notice) notice.Settlement{"csj": soft}) // the third in a row
		const fields = "unit name role trouble address failures reply"
		var got []string
		for _, o := range d.statusList("addressees") {
			got = append(got, o.text(strings.Fields(fields)...))
			if o["since"] != "2024-09-25T01:30:00Z" || o["last"] == nil || !strings.Contains(o.text("advice"), "duban import units FILE") {
				t.Errorf("%v", o)
			}
		}
		want := []string{
			"csj 市城市管理局 liaison soft w***@csj.example 3 450 4.2.1 mailbox busy",
			"jtj 市交通运输局 liaison hard z***@jtj.example <nil> 550 5.1.1 <z***@jtj.example>: no such user",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		out := d.ok("status")
		for _, line := range []string{
			"addressees that mail does not reach; none of this is counted against the unit:",
			"jtj 市交通运输局, liaison z***@jtj.example: refused since 2024-09-25 09:30: 550 5.1.1 <z***@jtj.example>: no such user",
			"csj 市城市管理局, liaison w***@csj.example: put off 3 times in a row since 2024-09-25 09:30: 450 4.2.1 mailbox busy",
			"duban import units FILE",
		} {
			if !strings.Contains(out, line) {
				t.Errorf("it lacks %q:\n%s", line, out)
			}
		}
		if strings.Contains(out, "zhang@") || strings.Contains(out, "市卫生健康局") {
			t.Errorf("an address stands open, or two refusals are trouble:\n%s", out)
		}
		// What was said against the old address says nothing of the new one.
		d.ok("import", "units", d.file("units.csv", edited(t, townUnits, "zhang@jtj.example", "new@jtj.example")))
		if list := d.statusList("addressees"); len(list) != 1 || list[0].text("unit") != "csj" {
			t.Errorf("%v", list)
		}
		// A mailbox that took a letter is over its trouble.
		d.ok("import", "units", d.file("units.csv", edited(t, townUnits, "wang@csj.example", "Wang@CSJ.example")))
		if list := d.statusList("addressees"); len(list) != 2 {
			t.Errorf("the same mailbox in other letters: %v", list)
		}
		settle(t, s, map[string]func(notice.Notice) notice.Settlement{"csj": func(n notice.Notice) notice.Settlement {
			return notice.Settlement{Causes: []notice.Cause{notice.Deliver}, Receipts: []notice.Receipt{receipt(n, notice.OutcomeAccepted, notice.PhaseAnswer, 250, "", "queued")}}
		}})
		if list := d.statusList("addressees"); len(list) != 1 || list[0].text("unit") != "jtj" {
			t.Errorf("%v", list)
		}
	})
}

func TestStatusListsUnitsWithoutAnAddress(t *testing.T) {
	d := newDesk(t, "2024-07-02")
	d.ok("import", "units", d.file("units.csv", edited(t, townUnits, "执法单位,发函,李四", "执法单位,仅知悉,李四")))
	d.ok("import", "plan", d.file("plan.csv", townPlan))
	for unit, email := range map[string]string{"jtj": "", "wjj": "li@wjj..example", "sfj": "", "zzb": ""} {
		d.change(fmt.Sprintf("UPDATE contacts SET email = '%s' WHERE unit = '%s' AND role = 'liaison'", email, unit))
	}
	d.change("DELETE FROM contacts WHERE unit = 'csj'")
	var got []string
	for _, o := range d.statusList("addressees") {
		got = append(got, o.text("unit", "role", "trouble", "address"))
		if !strings.Contains(o.text("advice"), "duban import units FILE") || o["since"] != nil {
			t.Errorf("%v", o)
		}
	}
	// Who gets no letters (the bureau, a party organ) needs no address.
	want := []string{"csj liaison none <nil>", "jtj liaison none <nil>", "wjj liaison none l***@wjj..example"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if out := d.ok("status"); strings.Count(out, "has no address that mail can go to") != 3 || strings.Count(out, "duban import units FILE") != 1 || !strings.Contains(out, "counted against the unit") {
		t.Error(out)
	}
}
