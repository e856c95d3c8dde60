package compose

import (
	"crypto/sha256"
	"encoding/hex"
)

// layout counts the versions of the words and the layout of letters. Whoever changes what a letter says or how it looks
// raises it; a test compares it with the letters in testdata.
const layout = "3"

// Version names the words and the layout that letters are written with: twelve hexadecimal digits, which change when a
// letter of the same facts would read or look different.
func Version() string {
	sum := sha256.Sum256([]byte("duban-letter-" + layout))
	return hex.EncodeToString(sum[:6])
}

// Layout is the count that Version names. A program that counts further writes newer letters.
func Layout() string { return layout }
