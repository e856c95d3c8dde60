package main

import (
	"os/exec"
	"syscall"
)

// leash ends the process with the thread that starts it, so that none outlives a test that was broken off. The caller's
// goroutine is locked to its thread.
func leash(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
