package compose

import (
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// A letter that makes up for a range says which.
func TestALateLetterSaysWhatItMakesUpFor(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"2024-09-29", "2024-10-08", "本件为2024年9月29日至10月8日应发信件的补发，"},
		{"2024-12-25", "2025-01-03", "本件为2024年12月25日至2025年1月3日应发信件的补发，"},
		{"2024-09-29", "2024-09-29", "本件为2024年9月29日应发信件的补发，"},
		{"", "", "本件为补发，"},
	} {
		n := goldenLetters()["late-issue"]
		if c.from != "" {
			n.Facts.LateFor = &notice.Span{From: civil.MustParse(c.from), To: civil.MustParse(c.to)}
		}
		msg, err := Compose(n, 0, testMail)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(msg.Text, c.want) {
			t.Errorf("%s to %s: %q is not in:\n%s", c.from, c.to, c.want, msg.Text)
		}
	}
}
