package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

func TestAWorkerIsGoneOnlyWhereThatIsCertain(t *testing.T) {
	me := holder()
	if len(me) > 46 || strings.Count(me, "-") != 3 || strings.Contains(me, ".") {
		t.Fatalf("holder %q", me)
	}
	sleeper := exec.CommandContext(t.Context(), "sleep", "600")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(me, "-")
	start, _, err := startOf(sleeper.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	name := func(machine, space string, pid int, start string) string {
		return fmt.Sprintf("%s-%s-%d-%s.0123456789abcdef", machine, space, pid, start)
	}
	other := name(parts[0], parts[1], sleeper.Process.Pid, start)
	for token, want := range map[string]bool{
		me + ".0123456789abcdef": false, other: false,
		name(parts[0], parts[1], sleeper.Process.Pid, "1"): true,  // another process has its number
		name("00000000", parts[1], 1<<30, "1"):             false, // another machine
		name(parts[0], "1", 1<<30, "1"):                    false, // a container
		name(parts[0], parts[1], 1<<22+5, "1"):             true,
		"0123456789abcdef0123456789abcdef":                 false, "": false, "a-b-c-d.x": false, parts[0] + "-" + parts[1] + "--5.x": false,
		parts[0] + "-" + parts[1] + "-0-5.x": false,
	} {
		if got := gone(token); got != want {
			t.Errorf("gone(%q) = %v", token, got)
		}
	}
	if err := sleeper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 5000 { // killed, and not waited for: it holds nothing any more
		if gone(other) {
			break
		}
	}
	_ = sleeper.Wait()
	if !gone(other) {
		t.Error("a killed worker is not gone")
	}
}
