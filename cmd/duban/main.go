// Command duban works out what enforcement units owe and when, and writes the letters that make it happen.
package main

import "os"

func main() { os.Exit(runMain()) }
