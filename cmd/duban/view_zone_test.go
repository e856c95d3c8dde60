package main

import (
	"strings"
	"testing"
	"time"

	"duban/store/storetest"
)

// TestAViewOfADayEndsAtItsMidnight: what was done early in the morning, which in UTC is the evening before, was not there the
// day before.
func TestAViewOfADayEndsAtItsMidnight(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, _, _ := posted(t, e)
			d.now = time.Date(2024, 9, 25, 6, 30, 0, 0, time.FixedZone("UTC+8", 8*3600))
			d.ok("pause", "--by", "李敏", "--why", "演练")
			for day, want := range map[string]bool{"2024-09-24": false, "2024-09-25": true} {
				o := d.objects("status", "--as-of", day)[0]
				if got := strings.Contains(o.text("sending"), "state:paused"); got != want {
					t.Errorf("as of %s: %v", day, o.text("sending"))
				}
			}
			// The other way round: late in the evening is not the next day.
			d.ok("resume")
			d.now = time.Date(2024, 9, 25, 23, 30, 0, 0, time.FixedZone("UTC+8", 8*3600))
			d.ok("pause", "--by", "李敏", "--why", "演练")
			for day, want := range map[string]bool{"2024-09-24": false, "2024-09-25": true} {
				o := d.objects("status", "--as-of", day)[0]
				if got := strings.Contains(o.text("sending"), "state:paused"); got != want {
					t.Errorf("paused late, as of %s: %v", day, o.text("sending"))
				}
			}
		})
	}
}
