package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"duban/jobs/civil"
	"duban/notify/compose"
	"duban/notify/notice"
)

var day = civil.MustParse("2024-09-26")

func open(t testing.TB, dir string) *Archive {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func letter(id, text string) compose.Message {
	return compose.Message{
		ID: "<" + id + "@sfj.example>", To: "zhang@jtj.example", Bytes: []byte(text), Role: "liaison",
		Key: notice.Key{Jurisdiction: "town", Date: day, Unit: "jtj", Role: "liaison", Kind: notice.UnitLetter},
	}
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// tree lists the files below a folder.
func tree(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, rerr := filepath.Rel(dir, p)
			files, err = append(files, filepath.ToSlash(rel)), rerr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestPutKeepsTheBytesUnderTheirHash(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "archive")
	a := open(t, dir)
	one, other := letter("0a1b", "the letter"), letter("0a1b", "the letter, written otherwise")
	for _, msg := range []compose.Message{one, other, one} {
		if err := a.Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"town/2024-09-26/0a1b-" + hash(one.Bytes)[:12] + ".eml", "town/2024-09-26/0a1b-" + hash(other.Bytes)[:12] + ".eml"}
	if want[0] > want[1] {
		want[0], want[1] = want[1], want[0]
	}
	if got := tree(t, dir); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("the archive holds %v, want %v", got, want)
	}
	for _, id := range []string{"0a1b", one.ID} {
		if got, err := a.Bytes("town", day, id, strings.ToUpper(hash(one.Bytes))); err != nil || !bytes.Equal(got, one.Bytes) {
			t.Errorf("by %s: %q, %v", id, got, err)
		}
	}
	for path, forbidden := range map[string]fs.FileMode{want[0]: 0o137, "town/2024-09-26": 0o027, "town": 0o027, "": 0o027} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&forbidden != 0 {
			t.Errorf("%q may be used by everybody: %v", path, info.Mode())
		}
	}
}

func TestPathIsWhereALetterLies(t *testing.T) {
	dir := t.TempDir()
	msg := letter("0a1b", "the letter")
	if err := put(open(t, dir), msg); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"0a1b", msg.ID} {
		if got := Path("town", day, id, strings.ToUpper(hash(msg.Bytes))); got != tree(t, dir)[0] {
			t.Errorf("by %s: %s, and it lies in %v", id, got, tree(t, dir))
		}
	}
	for _, sha := range []string{"", "0a1b", strings.Repeat("x", 64)} {
		if got := Path("town", day, "0a1b", sha); got != "" {
			t.Errorf("by the SHA-256 %q: %s", sha, got)
		}
	}
}

func TestPutAgainWritesNothing(t *testing.T) {
	for _, matter := range []string{"", "催办函〔2024〕1号"} {
		dir := t.TempDir()
		msg := letter("0a1b", "the letter")
		msg.Key.Matter = matter
		if err := open(t, dir).Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, tree(t, dir)[0])
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := open(t, dir).Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
			t.Errorf("matter %q: the file was written again", matter)
		}
	}
}

func TestPutMendsWhatAPowerCutLeft(t *testing.T) {
	for _, c := range []struct{ matter, left string }{
		{"", ""}, {"", "the let"}, {"m", ""}, {"m", "the let"},
		{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}, // as long as the letter
		{"m", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	} {
		dir := t.TempDir()
		a := open(t, dir)
		msg := letter("0a1b", "the letter")
		msg.Key.Matter = c.matter
		if err := a.Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, tree(t, dir)[0])
		if err := os.WriteFile(path, []byte(c.left), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Bytes("town", day, msg.ID, hash(msg.Bytes)); !errors.Is(err, ErrChanged) {
			t.Errorf("left %q: read as %v", c.left, err)
		}
		if err := a.Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
			t.Fatal(err)
		}
		if got, err := a.Bytes("town", day, msg.ID, hash(msg.Bytes)); err != nil || !bytes.Equal(got, msg.Bytes) {
			t.Errorf("left %q: %q, %v", c.left, got, err)
		}
		if files := tree(t, dir); len(files) != 1 {
			t.Errorf("left %q: %v", c.left, files)
		}
	}
}

func TestPutMakesAFolderThatWasTakenAway(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	for range 2 {
		if err := put(a, letter("0a1b", "the letter")); err != nil {
			t.Fatal(err)
		}
		if err := a.Accepted(Acceptance{Jurisdiction: "town", Date: day, Notice: "0a1b"}); err != nil {
			t.Fatal(err)
		}
		if got := len(tree(t, dir)); got != 2 {
			t.Fatalf("%d files", got)
		}
		if err := os.RemoveAll(filepath.Join(dir, "town")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusals(t *testing.T) {
	a := open(t, t.TempDir())
	empty, undated := letter("0a1b", ""), letter("0a1b", "x")
	undated.Key.Date = 0
	for name, err := range map[string]error{
		"no bytes": a.Put(empty, sha256.Sum256(empty.Bytes)), "no date": a.Put(undated, sha256.Sum256(undated.Bytes)),
		"acceptance without a date": a.Accepted(Acceptance{Jurisdiction: "town", Notice: "0a1b"}),
		"no folder":                 func() error { _, err := Open(""); return err }(),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for sha, want := range map[string]error{"": fs.ErrInvalid, "0a1b": fs.ErrInvalid, strings.Repeat("x", 64): fs.ErrInvalid, hash([]byte("never sent")): fs.ErrNotExist} {
		if _, err := a.Bytes("town", day, "0a1b", sha); !errors.Is(err, want) {
			t.Errorf("bytes of %q: %v", sha, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("a file is taken for a folder")
	}
	b := open(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(b.dir, "town"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := put(b, letter("0a1b", "x")); err == nil {
		t.Error("a letter is said to be kept where no folder could be made")
	}
	if err := b.Accepted(Acceptance{Jurisdiction: "town", Date: day, Notice: "0a1b"}); err == nil {
		t.Error("an acceptance is said to be kept where no folder could be made")
	}
}

func TestNamesStayInTheirFolder(t *testing.T) {
	seen := map[string]string{}
	for _, code := range []string{"", "_", "town", "TOWN", "..", "../x", "a/b", "a_2f_b", "a\\b", "青岛", "青", ".new-1", strings.Repeat("县", 99), strings.Repeat("县", 98), strings.Repeat("a", 500), "x\x00y"} {
		name := Name(code)
		if len(name) == 0 || len(name) > longestName || strings.ContainsAny(name, "./\\ \x00:") {
			t.Errorf("%q is written as %q", code, name)
		}
		if other, twice := seen[name]; twice && code != "" && other != "" {
			t.Errorf("%q and %q are both %q", code, other, name)
		}
		seen[name] = code
	}
	dir := t.TempDir()
	a := open(t, filepath.Join(dir, "archive"))
	msg := letter("../../up", "x")
	msg.Key.Jurisdiction = "../../../out"
	if err := a.Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
		t.Fatal(err)
	}
	for _, f := range tree(t, dir) {
		if !strings.HasPrefix(f, "archive/") {
			t.Errorf("%s stands outside the archive", f)
		}
	}
}

// Several goroutines with an archive each, as processes have, write the same and different letters.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	const writers, rounds, shared = 8, 40, 5
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			a, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range rounds {
				common := letter(fmt.Sprintf("c%d", i%shared), strings.Repeat(fmt.Sprintf("common %d ", i%shared), 900))
				own := letter(fmt.Sprintf("w%dn%d", w, i), strings.Repeat(fmt.Sprintf("own %d %d ", w, i), 900))
				own.Key.Jurisdiction = fmt.Sprintf("town%d", i%3)
				if err := errors.Join(a.Put(common, sha256.Sum256(common.Bytes)), a.Put(own, sha256.Sum256(own.Bytes))); err != nil {
					t.Error(err)
				}
				list := []Acceptance{acceptance(common, w*rounds+i), acceptance(own, w*rounds+i)}
				if err := a.Accepted(list...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	a := open(t, dir)
	total := 0
	for _, j := range []string{"town", "town0", "town1", "town2"} {
		list, torn, err := a.Read(j, 0, 0)
		if err != nil || len(torn) > 0 {
			t.Fatalf("%s: torn %v, %v", j, torn, err)
		}
		seen := map[string]bool{}
		for _, acc := range list {
			if _, err := a.Bytes(j, acc.Date, acc.MessageID, acc.SHA256); err != nil {
				t.Error(err)
			}
			seen[acc.Notice+acc.Reply] = true
		}
		if len(seen) != len(list) {
			t.Errorf("%s: %d acceptances, %d different", j, len(list), len(seen))
		}
		total += len(list)
	}
	if want := 2 * writers * rounds; total != want {
		t.Errorf("%d acceptances, want %d", total, want)
	}
	letters := 0
	for _, f := range tree(t, dir) {
		if strings.Contains(f, ".new-") {
			t.Errorf("%s was left behind", f)
		}
		if strings.HasSuffix(f, ".eml") {
			letters++
		}
	}
	if want := shared + writers*rounds; letters != want {
		t.Errorf("%d letters, want %d", letters, want)
	}
}

func BenchmarkPut(b *testing.B) {
	a := open(b, b.TempDir())
	msg := letter("0a1b", strings.Repeat("12345678", 1500))
	b.SetBytes(int64(len(msg.Bytes)))
	for i := 0; b.Loop(); i++ {
		msg.ID = fmt.Sprintf("<%032x@sfj.example>", i)
		if err := a.Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccepted(b *testing.B) {
	a := open(b, b.TempDir())
	acc := acceptance(letter("0a1b", "x"), 0)
	list := make([]Acceptance, 64)
	for i := range list {
		list[i] = acc
	}
	for b.Loop() {
		if err := a.Accepted(list...); err != nil {
			b.Fatal(err)
		}
	}
}

func put(a *Archive, msg compose.Message) error { return a.Put(msg, sha256.Sum256(msg.Bytes)) }
