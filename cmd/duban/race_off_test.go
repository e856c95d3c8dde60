//go:build !race

package main

// timed says that this binary runs at its own speed.
const timed = true
