package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Line is one line of the manifest. Hash is the SHA-256 of the values of n, file, bytes, sha256 and prev, in this order,
// each followed by a line feed: what
//
//	printf '%s\n' N FILE BYTES SHA256 PREV | sha256sum
//
// prints. Prev is the hash of the line before, and 64 zeros in the first.
type Line struct {
	N      int    `json:"n"` // from 1
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Prev   string `json:"prev"`
	Hash   string `json:"hash"`
}

// origin stands before the first line.
var origin = strings.Repeat("0", 2*sha256.Size)

func (l Line) hash() string {
	return Sum(fmt.Appendf(nil, "%d\n%s\n%d\n%s\n%s\n", l.N, l.File, l.Bytes, l.SHA256, l.Prev))
}

// Sum is a SHA-256 as receipts and manifests have it: lower-case hex.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// next is the line of a file that follows those before.
func next(before []Line, file string, data []byte) Line {
	l := Line{N: len(before) + 1, File: file, Bytes: int64(len(data)), SHA256: Sum(data), Prev: origin}
	if len(before) > 0 {
		l.Prev = before[len(before)-1].Hash
	}
	l.Hash = l.hash()
	return l
}

func (l Line) encode() []byte {
	return fmt.Appendf(nil, `{"n":%d,"file":"%s","bytes":%d,"sha256":"%s","prev":"%s","hash":"%s"}`+"\n", l.N, l.File, l.Bytes, l.SHA256, l.Prev, l.Hash)
}

func encodeManifest(lines []Line) []byte {
	var b bytes.Buffer
	for _, l := range lines {
		b.Write(l.encode())
	}
	return b.Bytes()
}

// sums is the companion of a manifest: its head, and every file's hash as `sha256sum -c` reads it, which passes over
// lines that begin with #.
func sums(lines []Line, manifest []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# head %s\n", lines[len(lines)-1].Hash)
	for _, l := range lines {
		fmt.Fprintf(&b, "%s  %s\n", l.SHA256, l.File)
	}
	fmt.Fprintf(&b, "%s  %s\n", Sum(manifest), manifestFile)
	return b.Bytes()
}

// maxManifest bounds what is read of a manifest, in bytes.
const maxManifest = 64 << 20

// ReadManifest reads a manifest and recomputes its chain. There is one way only to write a manifest, so that a line that
// says the same otherwise is refused. An error names the first line that is wrong.
func ReadManifest(r io.Reader) ([]Line, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read manifest: %w", err)
	case len(data) > maxManifest:
		return nil, fmt.Errorf("read manifest: it is longer than %d bytes", maxManifest)
	case len(data) == 0:
		return nil, errors.New("read manifest: it is empty")
	}
	var lines []Line
	seen := map[string]bool{}
	for raw := range bytes.Lines(data) {
		l, err := readLine(raw, lines)
		if err == nil && seen[l.File] {
			err = fmt.Errorf("%s stands in it twice", l.File)
		}
		if err != nil {
			return nil, fmt.Errorf("read manifest line %d: %w", len(lines)+1, err)
		}
		seen[l.File] = true
		lines = append(lines, l)
	}
	return lines, nil
}

// readLine reads the line that follows those before.
func readLine(raw []byte, before []Line) (Line, error) {
	var l Line
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, fmt.Errorf("not a line of a manifest: %w", err)
	}
	prev := origin
	if len(before) > 0 {
		prev = before[len(before)-1].Hash
	}
	switch {
	case !fileName(l.File):
		return l, fmt.Errorf("%q is no file of a package", l.File)
	case l.Bytes < 0 || !isSum(l.SHA256):
		return l, fmt.Errorf("%s: no size or no SHA-256", l.File)
	case l.N != len(before)+1:
		return l, fmt.Errorf("%s: it is numbered %d: a line is missing, added or out of its place", l.File, l.N)
	case l.Prev != prev:
		return l, fmt.Errorf("%s: the chain is broken: prev is not the hash of the line before", l.File)
	case l.Hash != l.hash():
		return l, fmt.Errorf("%s: the chain is broken: hash is not that of the line", l.File)
	case !bytes.Equal(raw, l.encode()):
		return l, fmt.Errorf("%s: not written as a manifest is", l.File)
	}
	return l, nil
}

// fileName reports whether a package may hold a file of the name: a path of ASCII letters, digits and ._- that stays
// below its folder.
func fileName(s string) bool {
	return fs.ValidPath(s) && s != "." && len(s) < 256 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r)
	})
}

// isSum reports whether s is a SHA-256 in lower-case hex.
func isSum(s string) bool {
	return len(s) == 2*sha256.Size && !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}
