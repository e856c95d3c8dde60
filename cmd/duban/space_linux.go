package main

import "syscall"

// space is how many bytes the program may still write to the disk of a folder; false: it cannot be told.
func space(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Bsize <= 0 {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
