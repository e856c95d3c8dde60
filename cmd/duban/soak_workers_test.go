package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"duban/notify/mail/mailtest"
)

// worker starts the program again and again, and kills it at instants drawn by chance, until ctx ends. It leaves the last
// one to end by itself.
func (s *soak) worker(ctx context.Context, n int, random *rand.Rand, args ...string) {
	runtime.LockOSThread() // never unlocked: leash ends the process with this thread
	log, err := os.OpenFile(filepath.Join(s.dir, "worker-"+strconv.Itoa(n)+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer func() { _ = log.Close() }()
	for ctx.Err() == nil && !s.t.Failed() {
		cmd := exec.Command(s.program, args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, []string{}, log, log
		leash(cmd)
		if err := cmd.Start(); err != nil {
			s.t.Error(err)
			return
		}
		s.starts.Add(1)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		drawn := s.doom(ctx, cmd, ended, random)
		s.relayed.disarm(cmd.Process)
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		switch {
		case status.Signaled() && status.Signal() == syscall.SIGKILL:
			s.kills.Add(1)
			n, _ := s.instants.LoadOrStore(drawn, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
		case status.Signaled() && status.Signal() == syscall.SIGTERM: // it had not come to listen to it yet
		case cmd.ProcessState.ExitCode() == exitDone, cmd.ProcessState.ExitCode() == exitFailed:
			pause(ctx, 50*time.Millisecond) // there was nothing to do, or no database
		default:
			s.t.Errorf("a worker ended with %v; its log is %s", cmd.ProcessState, s.tail(log.Name()))
		}
	}
}

// doom sees one process to its end: killed at an instant, or at a moment of the relay's; ended by itself; or, when ctx
// ends, told to stop. It returns what the instant was drawn for.
func (s *soak) doom(ctx context.Context, cmd *exec.Cmd, ended <-chan error, random *rand.Rand) (drawn string) {
	var instant time.Duration
	switch kind := random.IntN(100); {
	case kind < 20:
		drawn, instant = "starting", between(random, 0, 60*time.Millisecond)
	case kind < 40:
		drawn, instant = "taking back and claiming", between(random, 60*time.Millisecond, 300*time.Millisecond)
	case kind < 85:
		phases := []mailtest.Phase{mailtest.AtMail, mailtest.AtRcpt, mailtest.AtData, mailtest.AtBody, mailtest.AtDot, mailtest.AtDot, mailtest.AtDot}
		phase := phases[random.IntN(len(phases))]
		s.relayed.arm(trigger{phase, random.IntN(300), cmd.Process})
		drawn, instant = "at "+phase.String(), between(random, 400*time.Millisecond, 1200*time.Millisecond)
	case kind < 95 || !s.freeze:
		drawn, instant = "late", between(random, 300*time.Millisecond, time.Second)
	default: // stopped for longer than its lease, and going on as if nothing had been
		s.frozen(ctx, cmd, random)
		drawn, instant = "after it was frozen", between(random, 200*time.Millisecond, time.Second)
	}
	timer := time.NewTimer(instant)
	defer timer.Stop()
	select {
	case <-ended:
		return drawn
	case <-timer.C:
		_ = cmd.Process.Kill()
	case <-ctx.Done():
		s.stop(cmd, ended)
		return drawn
	}
	<-ended
	return drawn
}

// stop tells a worker to end, and waits for it.
func (s *soak) stop(cmd *exec.Cmd, ended <-chan error) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-ended:
		return
	case <-limit.C:
		s.t.Errorf("a worker did not stop within %s of SIGTERM", patience)
		_ = cmd.Process.Kill()
	}
	<-ended
}

func (s *soak) frozen(ctx context.Context, cmd *exec.Cmd, random *rand.Rand) {
	pause(ctx, between(random, 100*time.Millisecond, 500*time.Millisecond))
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	pause(ctx, soakLease+between(random, 0, time.Second))
	_ = cmd.Process.Signal(syscall.SIGCONT)
	s.freezes.Add(1)
}

// tail is the end of a log.
func (s *soak) tail(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return name + ":\n" + string(text[max(0, len(text)-3000):])
}
