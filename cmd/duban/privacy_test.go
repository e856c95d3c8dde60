package main

import (
	"strings"
	"testing"
)

// TestWhoPausedAndWhy: status is the operator's own screen and names who paused; what goes into tickets, letters and logs does
// not. Numbers and addresses in the reason stand nowhere.
func TestWhoPausedAndWhy(t *testing.T) {
	d := operated(town(t, "2024-09-25"))
	hidden := []string{"13812345678", "37021219900101123X", "zhang@b.example"}
	if _, out, said := d.call("", "pause", "--by", "王小明", "--why", "张三请假13812345678，证号37021219900101123X，zhang@b.example，2024-10-08回"); said != "" {
		t.Errorf("pause says on standard error %q after %q", said, out)
	}
	_, run, runSaid := d.call("", "run", "all")
	_, doctor, doctorSaid := d.call("", "doctor")
	_, doctorJSON, _ := d.call("", "doctor", "--output", "json")
	d.ok("run", "health")
	letter := d.operationsLetter("2024-09-25").text("subject", "text")
	said := map[string]string{
		"status": d.ok("status"), "status as JSON": d.ok("status", "--output", "json"), "run": run, "run's log": runSaid,
		"doctor": doctor + doctorSaid, "doctor as JSON": doctorJSON, "the operations letter": letter,
	}
	for where, text := range said {
		for _, never := range hidden {
			if strings.Contains(text, never) {
				t.Errorf("%s says %q:\n%s", where, never, text)
			}
		}
		own := where == "run" || strings.HasPrefix(where, "status")
		if named := strings.Contains(text, "王小明"); named != own {
			t.Errorf("%s names who paused: %v, want %v:\n%s", where, named, own, text)
		}
		if told := strings.Contains(text, "张三请假***，证号***，z***@b.example，2024-10-08回"); told != (where != "run's log") {
			t.Errorf("%s tells why: %v:\n%s", where, told, text)
		}
	}
	if !strings.Contains(doctor, "town: PAUSED by a person since 2024-09-25 09:30: ") {
		t.Error(doctor)
	}
	if _, out, said := d.call("", "resume", "--by", "王小明", "--why", "张三回13812345678"); out != "town  letters may leave\n" || said != "" {
		t.Errorf("resume: %q, and on standard error %q", out, said)
	}
}
