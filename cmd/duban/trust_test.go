package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/store/storetest"
)

// days sets the machine's clock so many days off.
func (d *desk) days(off int) civil.Date {
	at := time.Now().AddDate(0, 0, off)
	d.machine = func() time.Time { return at }
	return civil.In(at, time.FixedZone("UTC+8", 8*3600))
}

func TestARunOfEarlierAndLaterDatesIsNotAboutTheClock(t *testing.T) {
	d := town(t, "2024-12-02")
	d.ok("run", "all", "--date", "2024-06-25")
	d.ok("run", "all", "--date", "2024-09-26")
	d.ok("run", "all", "--date", "2024-07-25")
	d.ok("run", "all", "--date", "2024-12-02")
}

func TestRunRefusesADateThatCannotBeRight(t *testing.T) {
	for _, c := range []struct {
		off   int
		doubt string
	}{
		{0, ""}, {1, ""}, {15, ""}, {16, "16 days after"}, {400, "400 days after"}, {-1, "before"}, {-4000, "before"},
	} {
		t.Run(fmt.Sprint(c.off), func(t *testing.T) {
			d := town(t, "2024-09-25")
			d.days(c.off)
			d.ok("run", "all") // no run came before: there is nothing to compare
			last, today := d.days(0), d.days(c.off)
			d.on("2024-09-26")
			if c.doubt == "" {
				d.ok("run", "all")
				d.ok("run", "all", "--confirm-date", "--date", "2024-09-26")
				return
			}
			wrong := "--confirm-date=" + (today + 1).String()
			d.unchanged(func() {
				d.fails(exitUsage, []string{"run", "all"}, "nothing was planned or sent", c.doubt, last.String(), today.String(), "--confirm-date="+today.String())
				d.fails(exitUsage, []string{"run", "remind", "--date", "2024-09-26"}, c.doubt)
				d.fails(exitUsage, []string{"run", "all", wrong}, today.String(), (today + 1).String())
				d.fails(exitUsage, []string{"run", "all", "--confirm-date=soon"}, "soon")
			})
			before := len(d.letters())
			d.ok("run", "all", "--confirm-date")
			if len(d.letters()) == before {
				t.Error("the date is confirmed, and no letter left")
			}
			d.ok("run", "all") // it is remembered for that day, and no other
			if d.days(c.off+1) == last {
				return
			}
			d.fails(exitUsage, []string{"run", "all"}, "--confirm-date")
		})
	}
}

func TestAConfirmedDateOutlivesALedgerOfTheFuture(t *testing.T) {
	d := town(t, "2024-09-26")
	d.ok("run", "all")
	d.change("UPDATE runs SET started = '2099-01-01 00:00:00.000'")
	today := d.days(0)
	d.fails(exitUsage, []string{"run", "all"}, "before 2099-01-01")
	d.ok("run", "all", "--confirm-date="+today.String())
	for _, off := range []int{1, 10, 20, 35} { // each within fifteen days of the one before
		d.days(off)
		d.ok("run", "all", "--again")
	}
	d.days(34)
	d.fails(exitUsage, []string{"run", "all"}, "before")
	d.days(51)
	d.fails(exitUsage, []string{"run", "all"}, "16 days after")
	d.change("UPDATE runs SET started = '2099-01-02 00:00:00.000'") // a run nobody has confirmed anything against
	d.days(35)
	d.fails(exitUsage, []string{"run", "all"}, "before 2099-01-02")
}

func TestTheDatabasesClockCounts(t *testing.T) {
	for hours, doubt := range map[int]string{0: "", 11: "", -11: "", 13: "13h0m0s ahead", -13: "13h0m0s behind"} {
		t.Run(fmt.Sprint(hours), func(t *testing.T) {
			d := newDesk(t, "2024-09-26")
			d.env["DUBAN_DATABASE_DSN"] = urlOf(storetest.Engines(t)[1].DSN(t))
			d.ok("migrate")
			d.ok("import", "units", d.file("units.csv", townUnits))
			d.ok("import", "plan", d.file("plan.csv", townPlan))
			d.machine = func() time.Time { return time.Now().Add(time.Duration(hours) * time.Hour) }
			if doubt == "" {
				d.ok("run", "all")
				return
			}
			d.fails(exitUsage, []string{"run", "all"}, doubt, "--confirm-date")
			if len(d.letters()) > 0 {
				t.Error("letters left")
			}
			d.ok("run", "all", "--confirm-date")
			if len(d.letters()) == 0 {
				t.Error("the date is confirmed, and no letter left")
			}
		})
	}
}

// heard is a log that tests wait on.
type heard struct {
	mu    sync.Mutex
	text  bytes.Buffer
	waits []wait
}

type wait struct {
	word string
	done chan struct{}
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.Write(b)
	for _, w := range h.waits {
		if strings.Contains(h.text.String(), w.word) {
			select {
			case <-w.done:
			default:
				close(w.done)
			}
		}
	}
	return len(b), nil
}

// until waits for a word.
func (h *heard) until(ctx context.Context, t *testing.T, word string) {
	t.Helper()
	w := wait{word, make(chan struct{})}
	h.mu.Lock()
	h.waits = append(h.waits, w)
	h.mu.Unlock()
	_, _ = h.Write(nil)
	select {
	case <-w.done:
	case <-ctx.Done():
		t.Fatalf("%q was not said:\n%s", word, h.String())
	}
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func TestServeWaitsForADateThatCanBeRight(t *testing.T) {
	for _, c := range []struct {
		name, call string
		off        int
		sends      bool
	}{
		{"in doubt", "serve", 40, false}, {"confirmed", "serve --confirm-date", 40, true}, {"the day before", "serve", -1, false}, {"no doubt", "serve", 15, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := town(t, "2024-09-25")
			d.ok("run", "all")
			before := len(d.letters())
			d.on("2024-09-26")
			d.days(c.off)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			log := &heard{}
			a := &app{
				in: strings.NewReader(""), out: log, err: log, clock: func() time.Time { return d.now }, machine: d.machine,
				env: func(k string) (string, bool) { v, ok := d.env[k]; return v, ok },
			}
			done := make(chan int, 1)
			go func() { done <- a.main(ctx, strings.Fields(c.call)) }()
			if c.sends {
				log.until(ctx, t, `"state":"sent"`)
			} else {
				log.until(ctx, t, "nothing is planned or sent while this is so")
			}
			cancel()
			if code := <-done; code != exitDone {
				t.Errorf("exit %d:\n%s", code, log)
			}
			if left := len(d.letters()) > before; left != c.sends {
				t.Errorf("letters left: %t\n%s", left, log)
			}
			if said := strings.Count(log.String(), "nothing is planned or sent"); said == 0 != c.sends || said > 1 {
				t.Errorf("it was said %d times:\n%s", said, log)
			}
		})
	}
}

func TestServeRefusesToConfirmAnotherDay(t *testing.T) {
	d := town(t, "2024-09-26")
	d.ok("run", "all")
	today := d.days(30)
	d.fails(exitUsage, []string{"serve", "--confirm-date=" + (today - 1).String()}, today.String())
	d.fails(exitUsage, []string{"serve", "--confirm-date", today.String()}, "too much")
}
