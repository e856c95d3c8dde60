// Package archive keeps the exact bytes of every letter that leaves, and a journal of those a server has accepted.
//
//	DIR/JURISDICTION/DATE/ID-SHA12.eml     the bytes, written before they are sent; what stands there never changes
//	DIR/JURISDICTION/DATE/accepted.jsonl   one line for each acceptance
//
// DATE is the letter's logical date, ID the local part of its Message-ID, SHA12 the first twelve hex digits of the
// bytes' SHA-256. The addresses in it are real, for it is the evidence: files are 0640 and folders 0750, less the umask.
//
// Any number of goroutines and processes may write into the same folder.
package archive

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"duban/jobs/civil"
	"duban/notify/compose"
)

const (
	fileMode   fs.FileMode = 0o640
	folderMode fs.FileMode = 0o750
)

// ErrChanged says that a file of the archive does not hold the bytes it is named after.
var ErrChanged = errors.New("the bytes in the archive are not those of the SHA-256")

// Archive is a folder of letters. It holds nothing open and needs no closing.
type Archive struct {
	dir    string
	writer string // parts the temporary names of this Archive from those of every other
	files  atomic.Uint64

	mu   sync.RWMutex
	made map[string]bool // folders that were there when last looked
}

// Open makes the folder where it is missing.
func Open(dir string) (*Archive, error) {
	if dir == "" {
		return nil, errors.New("open archive: no folder is named")
	}
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return &Archive{dir: dir, writer: rand.Text()[:12], made: map[string]bool{}}, nil
}

// Put keeps a letter's bytes, of which sum is the SHA-256. Putting the same letter again does nothing.
//
// A formal letter (Key.Formal) is on the disk, with its name, when Put returns. An ordinary one may be lost, or left
// with other bytes, in a power cut, since it can be composed anew from its facts: such a file is written again.
func (a *Archive) Put(msg compose.Message, sum [sha256.Size]byte) error {
	if len(msg.Bytes) == 0 || msg.Key.Date.IsZero() {
		return fmt.Errorf("archive letter %s of %s: it has no bytes or no date", msg.ID, msg.Key.Unit)
	}
	dir := a.folder(msg.Key.Jurisdiction, msg.Key.Date)
	path := filepath.Join(dir, fileName(msg.ID, hex.EncodeToString(sum[:])))
	formal := msg.Key.Formal()
	err := a.inFolder(dir, func() error {
		if !formal {
			if err := writeNew(path, msg.Bytes); !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		there, err := present(path, msg.Bytes, formal)
		if err != nil || there {
			return err
		}
		return a.write(dir, path, msg.Bytes, formal)
	})
	if err == nil && formal {
		err = syncFolders(dir, a.dir)
	}
	if err != nil {
		return fmt.Errorf("archive letter %s: %w", msg.ID, err)
	}
	return nil
}

// Path is where a letter's bytes lie below the folder of an archive, with forward slashes, under its Message-ID (the local
// part will do) and their SHA-256 in hex; empty where the SHA-256 is none.
func Path(jurisdiction string, date civil.Date, id, sha string) string {
	if sum, err := hex.DecodeString(sha); err != nil || len(sum) != sha256.Size {
		return ""
	}
	return Name(jurisdiction) + "/" + date.String() + "/" + fileName(id, strings.ToLower(sha))
}

// Bytes returns what was kept of a letter under a Message-ID (its local part will do) and a SHA-256 in hex: fs.ErrNotExist
// where there is nothing, fs.ErrInvalid where the SHA-256 is none, ErrChanged where the file holds other bytes.
func (a *Archive) Bytes(jurisdiction string, date civil.Date, id, sha string) ([]byte, error) {
	if sum, err := hex.DecodeString(sha); err != nil || len(sum) != sha256.Size {
		return nil, fmt.Errorf("read archived letter %s: %q is not a SHA-256 in hex: %w", id, sha, fs.ErrInvalid)
	}
	sha = strings.ToLower(sha)
	path := filepath.Join(a.folder(jurisdiction, date), fileName(id, sha))
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read archived letter: %w", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != sha {
		return nil, fmt.Errorf("read archived letter %s: %w %s", path, ErrChanged, sha)
	}
	return data, nil
}

func (a *Archive) folder(jurisdiction string, date civil.Date) string {
	return filepath.Join(a.dir, Name(jurisdiction), date.String())
}

// fileName is that of a letter's bytes, sum in hex.
func fileName(messageID, sum string) string {
	id, _, _ := strings.Cut(strings.Trim(messageID, "<>"), "@")
	return Name(id) + "-" + sum[:12] + ".eml"
}

// longestName bounds a code in a file name; names on disk may have 255 bytes.
const longestName = 120

// Name writes a code as a file name: ASCII letters, digits and hyphens stay, every other character becomes its number
// between underscores, so that different codes never meet and none climbs out of its folder. One that gets too long is
// cut and told apart by its hash.
func Name(code string) string {
	var b strings.Builder
	for _, r := range code {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "_%x_", r)
		}
	}
	name := cmp.Or(b.String(), "_")
	if len(name) > longestName {
		sum := sha256.Sum256([]byte(code))
		name = name[:longestName-33] + "_" + hex.EncodeToString(sum[:16])
	}
	return name
}

// present reports whether the letter is in its place, byte for byte: a power cut may leave a file of its length without its
// bytes. A formal one is on the disk then.
func present(path string, data []byte, formal bool) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Size() != int64(len(data)) || !info.Mode().IsRegular():
		return false, nil
	}
	flag := os.O_RDONLY
	if formal {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return false, err
	}
	kept := make([]byte, len(data))
	_, err = f.ReadAt(kept, 0)
	if formal { // the writer before may have been cut off between the name and the disk
		err = errors.Join(err, f.Sync())
	}
	return bytes.Equal(kept, data), errors.Join(err, f.Close())
}

// inFolder runs what writes into a folder, which it makes first. Folders are made once; one that somebody took away
// meanwhile is made again.
func (a *Archive) inFolder(dir string, do func() error) error {
	a.mu.RLock()
	made := a.made[dir]
	a.mu.RUnlock()
	if made {
		if err := do(); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return err
	}
	a.mu.Lock()
	a.made[dir] = true
	a.mu.Unlock()
	return do()
}

// writeNew writes a file that is not there yet, straight under its name: half of what write costs. Whoever looks while it
// is written, or after a crash in the middle of it, finds bytes that are not those of the name, and knows.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// write puts a file in place under its name at once: whoever looks sees all of it or nothing.
func (a *Archive) write(dir, path string, data []byte, durable bool) (err error) {
	temp := filepath.Join(dir, ".new-"+a.writer+"-"+strconv.FormatUint(a.files.Add(1), 10))
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}

// syncFolders makes new names outlive a power cut: those in dir and in every folder above it up to root.
func syncFolders(dir, root string) error {
	for {
		if err := syncFolder(dir); err != nil || dir == root || len(dir) <= len(root) {
			return err
		}
		dir = filepath.Dir(dir)
	}
}

// syncFolder is a no-op where folders cannot be synced: some network file systems say so with EINVAL.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
