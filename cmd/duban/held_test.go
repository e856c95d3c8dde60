package main

import (
	"slices"
	"strings"
	"testing"

	"duban/store/storetest"
)

// TestABackfillNamesWhatStaysHeld: what is ordinary is recorded; a letter that names people and has nobody it may go to waits
// for a person as on its own day, and whoever fills in is told how many, why, and how to go on.
func TestABackfillNamesWhatStaysHeld(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d := staffed(t, e, "2024-09-27")
			d.env["DUBAN_DEFAULTS_NAME_DOMAINS"] = "csj.example"
			d.on("2024-10-21")
			call := []string{"backfill", "all", "--from", "2024-09-27", "--to", "2024-10-18"}
			check := func(rows []object, applied string) object {
				t.Helper()
				plan := rows[len(rows)-1]
				if plan.text("applied") != applied {
					t.Fatalf("%v", plan)
				}
				var got []string
				for _, h := range plan["held"].([]any) {
					o := object(h.(map[string]any))
					got = append(got, o.text("jurisdiction", "kind", "letters"))
					if !strings.Contains(o.text("do"), "outbox resolve ID --served-otherwise") || !strings.Contains(o.text("do"), "run personnel --again --jurisdiction town") ||
						strings.Contains(o.text("reason"), "@") {
						t.Errorf("%v", o)
					}
				}
				if slices.Sort(got); !slices.Equal(got, []string{"town personnel-letter 1", "town personnel-letter 1"}) {
					t.Errorf("held: %q", got)
				}
				return plan
			}
			plan := check(d.objects(call...), "false")
			if out := d.ok(call...); !strings.Contains(out, "2 letters of the range held for a person: not recorded") {
				t.Errorf("proposed as\n%s", out)
			}
			apply := append(slices.Clone(call), "--apply", plan.text("plan"), "--by", "李敏")
			out := d.ok(apply...)
			for _, want := range []string{
				" 6 letters recorded, none was sent ", "2 letters of the range held for a person: not recorded, not sent, and served on nobody",
				"not among name_domains", "has no contact for personnel", "duban outbox list --state held --from 2024-09-27 --to 2024-10-18 --jurisdiction town",
			} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			states := map[string]int{}
			for _, o := range d.objects("outbox", "list") {
				states[o.text("state")]++
				if o.text("state") == "held" && o.text("kind") != "personnel-letter" {
					t.Errorf("held: %v", o)
				}
			}
			if states["held"] != 2 || states["recorded"] == 0 || len(states) > 3 {
				t.Errorf("%v", states)
			}
			check(d.objects(apply...), "true") // a second time
			status := d.ok("status")
			for _, want := range []string{"held for a person: 1, the first ", "duban outbox resolve ID --served-otherwise"} {
				if !strings.Contains(status, want) {
					t.Errorf("%q is not in\n%s", want, status)
				}
			}
			// What is typed goes on.
			for _, o := range d.objects("outbox", "list", "--state", "held") {
				d.ok("outbox", "resolve", o.text("id"), "--served-otherwise", "--by", "李敏", "--why", "当面交人事科")
			}
			if out := d.ok(apply...); strings.Contains(out, "held for a person") {
				t.Error(out)
			}
			if out := d.ok("status"); strings.Contains(out, "held for a person") {
				t.Error(out)
			}
		})
	}
}
