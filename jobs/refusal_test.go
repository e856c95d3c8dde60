package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"duban/jobs/civil"
)

type refusing string

func (r refusing) Error() string   { return string(r) + " on " + time.Now().Format("15:04") } // another text each time
func (r refusing) Refused() string { return string(r) }

// TestARefusalIsSaidOnce: a worker whose files are old does not fill the log with it, goes on with the other jurisdictions,
// and goes on with this one by itself once its files are loaded.
func TestARefusalIsSaidOnce(t *testing.T) {
	for name, c := range map[string]struct {
		refuse func(hour int) error // by the hour of the day in Shanghai
		lines  []string             // of the log, in order: each holds these words
	}{
		"the same for hours": {func(h int) error {
			if h < 12 {
				return refusing("older policy")
			}
			return nil
		}, []string{"older policy", "planning goes on"}},
		"another": {func(h int) error {
			switch {
			case h < 10:
				return refusing("older policy")
			case h < 12:
				return fmt.Errorf("prepare: %w", errors.Join(refusing("older calendar"), nil))
			}
			return nil
		}, []string{"older policy", "older calendar", "planning goes on"}},
		"never": {func(int) error { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _, remind, _ := newWorker(t, "changji", "sishui") // it is eight in the morning in Shanghai
				var log bytes.Buffer
				w.Log = zerolog.New(&log)
				w.Prepare = func(_ context.Context, code string) error {
					if code == "sishui" {
						return nil
					}
					return c.refuse(w.Clock().In(shanghai).Hour())
				}
				serve(t, w, 6*time.Hour)
				if n := len(remind.days()); n != 2 {
					t.Errorf("remind ran %d times, want once in each of two jurisdictions", n)
				}
				var said []string
				for line := range strings.Lines(log.String()) {
					if !strings.Contains(line, "job settled") {
						said = append(said, line)
					}
				}
				if len(said) != len(c.lines) {
					t.Fatalf("the log says\n%s", strings.Join(said, ""))
				}
				for i, words := range c.lines {
					if !strings.Contains(said[i], words) || !strings.Contains(said[i], `"jurisdiction":"changji"`) {
						t.Errorf("line %d lacks %q: %s", i+1, words, said[i])
					}
				}
			})
		})
	}
}

// TestARefusalAfterAnOutageIsSaidOnce, where it keeps the days before from being accounted for and letters from leaving.
func TestARefusalAfterAnOutageIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open, _, slots := newWorker(t, "a")
		slots.settled("1999-12-28", "open", "remind")
		var log bytes.Buffer
		w.Log = zerolog.New(&log)
		refuse := func() error {
			if w.Clock().In(shanghai).Hour() < 10 {
				return refusing("the archive knows more")
			}
			return nil
		}
		w.Prepare = func(context.Context, string) error { return refuse() }
		w.Deliver = func(context.Context, string, civil.Date, bool) error { return refuse() }
		serve(t, w, 3*time.Hour)
		var said []string
		for line := range strings.Lines(log.String()) {
			if !strings.Contains(line, "job settled") && !strings.Contains(line, "no worker was there") {
				said = append(said, line)
			}
		}
		if len(said) != 3 || !strings.Contains(said[0], "account for the days before") || !strings.Contains(log.String(), "deliver letters") ||
			!strings.Contains(said[2], "planning goes on") {
			t.Errorf("the log says\n%s", strings.Join(said, ""))
		}
		if len(open.days()) != 4 {
			t.Errorf("open ran %v", open.days())
		}
	})
}

// TestAFailureIsSaidEachTime: what no person has to settle is logged whenever it happens.
func TestAFailureIsSaidEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, _ := newWorker(t, "changji")
		var log bytes.Buffer
		w.Log = zerolog.New(&log)
		w.Prepare = func(context.Context, string) error { return errors.New("no connection") }
		serve(t, w, 21*time.Minute)
		if n := strings.Count(log.String(), "no connection"); n != 5 {
			t.Errorf("said %d times in 21 minutes, want every five:\n%s", n, log.String())
		}
	})
}
