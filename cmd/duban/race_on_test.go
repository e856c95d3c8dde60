//go:build race

package main

// timed is false under the race detector, which slows the embedded database fifty times and so changes what is measured.
const timed = false
