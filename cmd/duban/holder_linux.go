package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A holder is the name under which a process claims letters: MACHINE-PIDSPACE-PID-START. Machine is the start of the
// kernel's boot ID, pidspace the space in which the process's number means something (containers have their own), and
// start when the process began, since numbers are used again.

// holder names this process; "" where it cannot be told.
func holder() string {
	machine, space, ok := here()
	start, _, err := startOf(os.Getpid())
	if !ok || err != nil {
		return ""
	}
	return fmt.Sprintf("%s-%s-%d-%s", machine, space, os.Getpid(), start)
}

// gone reports whether the process that made the claim is certainly no more: it ran on this machine, in this space of
// processes, and is not there. Of any other nothing is known, and its lease decides.
func gone(token string) bool {
	name, _, named := strings.Cut(token, ".")
	parts := strings.Split(name, "-")
	machine, space, ok := here()
	if !named || !ok || len(parts) != 4 || parts[0] != machine || parts[1] != space {
		return false
	}
	pid, err := strconv.Atoi(parts[2])
	if err != nil || pid <= 0 {
		return false
	}
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) { // the kernel knows best: what /proc shows may be restricted
		return true
	}
	start, alive, err := startOf(pid)
	return err == nil && (!alive || start != parts[3])
}

func here() (machine, space string, ok bool) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(boot) < 8 {
		return "", "", false
	}
	ns, err := os.Readlink("/proc/self/ns/pid") // pid:[4026531836]
	if err != nil {
		return "", "", false
	}
	return string(boot[:8]), strings.Trim(ns, "pid:[]"), true
}

// startOf is when a process began, in ticks since the machine started. One that has ended, and that nobody has waited for
// yet, is not alive.
func startOf(pid int) (start string, alive bool, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false, err
	}
	// The name of the program stands in brackets and may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const state, began = 0, 19 // fields 3 and 22 of the whole, proc(5)
	if len(fields) <= began {
		return "", false, fmt.Errorf("read process %d: %d fields", pid, len(fields))
	}
	s := fields[state][0]
	return string(fields[began]), s != 'Z' && s != 'X', nil
}
