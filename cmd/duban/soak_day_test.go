package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"duban/store/storetest"
)

// TestSoakOfADaysPlanning kills a run of a whole day (opening, planning, letters into a folder) over and over, and expects
// in the end what a run that nobody killed leaves: the same obligations, steps and letters, each once.
func TestSoakOfADaysPlanning(t *testing.T) {
	kills := 12
	switch {
	case *soakFull:
		kills = 200
	case !timed:
		kills = 4
	}
	t.Logf("seed %d (-soak.seed)", *soakSeed)
	for i, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(*soakSeed, uint64(100+i)))
			killed, starts := 0, 0
			for killed < kills && starts < 20*kills && !t.Failed() {
				t.Run(fmt.Sprintf("after %d starts", starts), func(t *testing.T) { // its databases are closed before the next one's are opened
					k, n := soakDay(t, e, random, min(6, kills-killed))
					killed, starts = killed+k, starts+n
				})
			}
			t.Logf("%d killed of %d starts", killed, starts)
			if killed < kills {
				t.Errorf("%d runs were killed, want %d", killed, kills)
			}
		})
	}
}

// soakDay plans one town's day through up to so many kills, and returns how many there were, and of how many starts.
func soakDay(t *testing.T, e storetest.Engine, random *rand.Rand, kills int) (killed, starts int) {
	t.Helper()
	dsn := e.DSN(t)
	d, config := liveTown(t, urlOf(dsn))
	args := []string{"--config", config, "run", "all", "--date", today().String()}
	db := soakDB(t, dsn)
	letGo := func() { // the slot of the dead: its lease is half a minute
		if _, err := db.ExecContext(t.Context(), "UPDATE runs SET lease = started WHERE state = 'running'"); err != nil {
			t.Fatal(err)
		}
	}
	for over := false; !over && killed < kills; starts++ {
		var dead bool
		if dead, over = killedWithin(t, d.dir, between(random, 5*time.Millisecond, 120*time.Millisecond), args); dead {
			killed++
		}
		letGo()
	}
	finished(t, d, args)
	for _, o := range d.objects("--config", config, "outbox", "list") {
		if o.text("state") == "unknown" { // it was in doubt twice: a person says what is to be done
			d.ok("--config", config, "outbox", "resolve", o.text("id"), "--resend", "--by", "soak")
		}
	}
	finished(t, d, args)
	twinDSN := e.DSN(t)
	twin, twinConfig := liveTown(t, urlOf(twinDSN))
	twin.ok("--config", twinConfig, "run", "all", "--date", today().String())
	what := fmt.Sprintf("after %d kills", killed)
	letters := d.letters()
	maps.DeleteFunc(letters, func(name, _ string) bool { return strings.Contains(name, "/.new-") }) // begun, and never named
	same(t, what, twin.letters(), letters)
	same(t, what, dayOf(t, twinDSN), dayOf(t, dsn))
	return killed, starts
}

// finished runs the day to its end.
func finished(t *testing.T, d *desk, args []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	for {
		cmd := exec.CommandContext(ctx, binary(t), args...)
		cmd.Dir, cmd.Env = d.dir, []string{}
		out, err := cmd.CombinedOutput()
		if err == nil {
			return
		}
		if !pause(ctx, 100*time.Millisecond) {
			t.Fatalf("the day does not come to its end: %v\n%s", err, out)
		}
	}
}

// killedWithin starts the program and kills it at an instant. over: it came to its end before that.
func killedWithin(t *testing.T, dir string, instant time.Duration, args []string) (dead, over bool) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: leash ends the process with this thread
		cmd := exec.Command(binary(t), args...)
		cmd.Dir, cmd.Env = dir, []string{}
		leash(cmd)
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		timer := time.AfterFunc(instant, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		dead, over = status.Signaled() && status.Signal() == syscall.SIGKILL, cmd.ProcessState.ExitCode() == exitDone
	}()
	<-done
	return dead, over
}

// dayOf is what a database says of its town: obligations, steps, letters and slots, without the times and the names of
// workers.
func dayOf(t *testing.T, dsn string) map[string]string {
	t.Helper()
	out := map[string]string{}
	db := soakDB(t, dsn)
	for table, columns := range map[string]string{
		"obligations": "ref, state", "steps": "obligation, arm, step, n, role, on_date, notice, passed", "notices": "id, state", "runs": "job, jurisdiction, logical_date, state",
	} {
		err := eachRow(t.Context(), db, "SELECT "+columns+" FROM "+table, func(scan func(...any) error) error {
			values := make([]string, strings.Count(columns, ",")+1)
			dest := make([]any, len(values))
			for i := range values {
				dest[i] = &values[i]
			}
			err := scan(dest...)
			row := table + ": " + strings.Join(values, " ")
			if out[row] != "" {
				err = fmt.Errorf("%s stands there twice", row)
			}
			out[row] = "once"
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 100 {
		t.Fatalf("only %d rows: there was nothing to plan", len(out))
	}
	return out
}
