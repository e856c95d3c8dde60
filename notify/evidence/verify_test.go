package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"duban/notify/notice"
)

func TestChainOfOneFile(t *testing.T) {
	// Computed by hand with printf and sha256sum, as the README shows it.
	l := next(nil, "letters.jsonl", nil)
	if l.SHA256 != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" || l.Prev != origin || l.Hash != "20f9df87fe42ad581ceeeb276f26962fe444a1497228e16f779b1f9f1938222a" {
		t.Errorf("%+v", l)
	}
}

func TestVerifyAcceptsAPackageThatWasPackedAnew(t *testing.T) {
	b, sum := write(t, input())
	files := append([]entry{{"letters/", nil}}, unpack(t, b)...)
	slices.Reverse(files)
	if got, err := check(pack(t, files)); err != nil || got != sum {
		t.Errorf("%+v, %v", got, err)
	}
}

// replaced changes every place of old in a file; there must be one.
func replaced(t *testing.T, files []entry, name, from, to string) {
	t.Helper()
	e := find(t, files, name)
	if !bytes.Contains(e.data, []byte(from)) {
		t.Fatalf("%s holds no %q", name, from)
	}
	e.data = bytes.ReplaceAll(e.data, []byte(from), []byte(to))
}

func without(files []entry, name string) []entry {
	return slices.DeleteFunc(files, func(e entry) bool { return strings.HasPrefix(e.name, name) })
}

// manifestLines changes the lines of the manifest's file as text.
func manifestLines(t *testing.T, files []entry, change func([]string) []string) []entry {
	t.Helper()
	e := find(t, files, manifestFile)
	lines := strings.SplitAfter(strings.TrimSuffix(string(e.data), "\n"), "\n")
	lines[len(lines)-1] += "\n"
	e.data = []byte(strings.Join(change(lines), ""))
	return files
}

// remade makes the manifest anew, as a forger would who knows how.
func remade(files []entry) []entry {
	files = slices.DeleteFunc(files, func(e entry) bool { return e.name == manifestFile || e.name == sumsFile })
	var lines []Line
	for _, e := range files {
		lines = append(lines, next(lines, e.name, e.data))
	}
	manifest := encodeManifest(lines)
	return append(files, entry{manifestFile, manifest}, entry{sumsFile, sums(lines, manifest)})
}

func TestVerifyNamesTheFirstThingThatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, []entry) []entry
		want   []string
	}{
		"a letter changed": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, "letters/", "one", "two")
			return f
		}, []string{"letters/2024-09-26-", "changed"}},
		"a letter longer": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, "letters/", "one\r\n", "one\r\n\r\n")
			return f
		}, []string{"letters/2024-09-26-", "changed"}},
		"a letter empty": {func(t *testing.T, f []entry) []entry {
			find(t, f, "letters/").data = nil
			return f
		}, []string{"letters/2024-09-26-", "changed"}},
		"a letter missing": {func(_ *testing.T, f []entry) []entry { return without(f, "letters/") }, []string{"letters/2024-09-26-", "missing"}},
		"an outcome changed": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, receiptsFile, `"outcome":"temporary"`, `"outcome":"accepted"`)
			return f
		}, []string{receiptsFile, "changed"}},
		"a decision dropped": {func(t *testing.T, f []entry) []entry {
			find(t, f, movesFile).data = nil
			return f
		}, []string{movesFile, "changed"}},
		"the readme changed": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, readmeFile, "3 次", "9 次")
			return f
		}, []string{readmeFile, "changed"}},
		"the first of two named": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, movesFile, "李敏", "王敏")
			return without(f, "letters/")
		}, []string{"letters/2024-09-26-", "missing"}},
		"no manifest":      {func(_ *testing.T, f []entry) []entry { return without(f, manifestFile) }, []string{manifestFile, "missing"}},
		"no sums":          {func(_ *testing.T, f []entry) []entry { return without(f, sumsFile) }, []string{sumsFile, "missing"}},
		"nothing at all":   {func(*testing.T, []entry) []entry { return nil }, []string{manifestFile, "missing"}},
		"a file added":     {func(_ *testing.T, f []entry) []entry { return append(f, entry{"letters/more.eml", nil}) }, []string{"letters/more.eml", "extra"}},
		"a folder added":   {func(_ *testing.T, f []entry) []entry { return append(f, entry{"more/", nil}) }, []string{"more/", "extra"}},
		"a letter in two":  {func(_ *testing.T, f []entry) []entry { return append(f, f[0]) }, []string{"letters/", "twice"}},
		"two manifests":    {func(t *testing.T, f []entry) []entry { return append(f, *find(t, f, manifestFile)) }, []string{manifestFile, "twice"}},
		"the head changed": {func(t *testing.T, f []entry) []entry { replaced(t, f, sumsFile, "# head ", "# head 0"); return f }, []string{sumsFile, "changed"}},
		"a line added to the sums": {func(t *testing.T, f []entry) []entry {
			e := find(t, f, sumsFile)
			e.data = append(e.data, '\n')
			return f
		}, []string{sumsFile, "changed"}},

		"the manifest's first line gone": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { return l[1:] })
		}, []string{"manifest line 1", lettersFile, "missing"}},
		"a middle line gone": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { return slices.Delete(l, 2, 3) })
		}, []string{"manifest line 3", movesFile, "missing"}},
		"the last line gone": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { return l[:4] })
		}, []string{readmeFile, "extra"}},
		"the last line gone, and its file": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, without(f, readmeFile), func(l []string) []string { return l[:4] })
		}, []string{sumsFile, "changed"}},
		"two lines changed over": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { l[1], l[2] = l[2], l[1]; return l })
		}, []string{"manifest line 2", receiptsFile}},
		"a line twice": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { return append(l, l[4]) })
		}, []string{"manifest line 6"}},
		"a size changed": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string {
				l[1] = strings.Replace(l[1], `"bytes":`, `"bytes":1`, 1)
				return l
			})
		}, []string{"manifest line 2", lettersFile, "chain is broken"}},
		"a link changed": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string {
				i := strings.Index(l[3], `"prev":"`) + 8
				l[3] = l[3][:i] + strings.Repeat("0", 64) + l[3][i+64:]
				return l
			})
		}, []string{"manifest line 4", movesFile, "prev"}},
		"a file changed, and its hash in the manifest": {func(t *testing.T, f []entry) []entry {
			e := find(t, f, movesFile)
			old := Sum(e.data)
			replaced(t, f, movesFile, "李敏", "王敏")
			replaced(t, f, manifestFile, old, Sum(e.data))
			return f
		}, []string{"manifest line 4", movesFile, "chain is broken"}},
		"a line with a space more": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { l[0] = strings.Replace(l[0], "{", "{ ", 1); return l })
		}, []string{"manifest line 1", "not written as"}},
		"a line with a field more": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { l[0] = strings.Replace(l[0], "{", `{"note":"x",`, 1); return l })
		}, []string{"manifest line 1", "not written as"}},
		"no line end": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func(l []string) []string { l[4] = strings.TrimSuffix(l[4], "\n"); return l })
		}, []string{"manifest line 5"}},
		"an empty manifest": {func(t *testing.T, f []entry) []entry {
			return manifestLines(t, f, func([]string) []string { return nil })
		}, []string{"manifest", "empty"}},

		// What a forger forgot who made the manifest anew.
		"made anew with a forged letter": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, "letters/", "one", "two")
			return remade(f)
		}, []string{receiptsFile + " line 2", "does not agree"}},
		"made anew without the letter": {func(_ *testing.T, f []entry) []entry { return remade(without(f, "letters/")) },
			[]string{receiptsFile + " line 2", "letters/2024-09-26-", "missing"}},
		"made anew with a letter nobody sent": {func(_ *testing.T, f []entry) []entry {
			return remade(append(f, entry{"letters/more.eml", []byte("x")}))
		},
			[]string{"letters/more.eml", "no receipt"}},
		"made anew without the receipts": {func(_ *testing.T, f []entry) []entry { return remade(without(f, receiptsFile)) }, []string{receiptsFile, "missing"}},
		"made anew without the list":     {func(_ *testing.T, f []entry) []entry { return remade(without(f, lettersFile)) }, []string{lettersFile, "missing"}},
		"made anew without the moves":    {func(_ *testing.T, f []entry) []entry { return remade(without(f, movesFile)) }, []string{movesFile, "missing"}},
		"made anew without the readme":   {func(_ *testing.T, f []entry) []entry { return remade(without(f, readmeFile)) }, []string{readmeFile, "missing"}},
		"made anew with a letter struck off the list": {func(t *testing.T, f []entry) []entry {
			e := find(t, f, lettersFile)
			_, rest, _ := bytes.Cut(e.data, []byte("\n"))
			_, e.data, _ = bytes.Cut(rest, []byte("\n"))
			return remade(f)
		}, []string{receiptsFile + " line 1", lettersFile}},
		"made anew without saying why it is absent": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, receiptsFile, absentBytes, "")
			return remade(f)
		}, []string{receiptsFile + " line 1", "does not say why"}},
		"made anew with a receipt that names another file": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, receiptsFile, `"file":"letters/`, `"file":"moves.jsonl","was":"letters/`)
			return remade(f)
		}, []string{receiptsFile + " line 2", "moves.jsonl is missing"}},
		"made anew with a decision about no letter": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, movesFile, `{"notice":"`, `{"notice":"x`)
			return remade(f)
		}, []string{movesFile + " line 1", lettersFile}},
		"made anew with broken records": {func(t *testing.T, f []entry) []entry {
			replaced(t, f, movesFile, `{"notice"`, `["notice"`)
			return remade(f)
		}, []string{movesFile + " line 1"}},
		"made anew with a letter listed twice": {func(t *testing.T, f []entry) []entry {
			e := find(t, f, lettersFile)
			e.data = append(e.data, e.data...)
			return remade(f)
		}, []string{lettersFile + " line 5", "twice"}},
	} {
		b, _ := write(t, input())
		sum, err := check(pack(t, c.change(t, unpack(t, b))))
		if err == nil {
			t.Errorf("%s: verified as %+v", name, sum)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the answer lacks %q: %v", name, w, err)
			}
		}
		if sum != (Summary{}) {
			t.Errorf("%s: counted all the same: %+v", name, sum)
		}
	}
}

// Whoever makes everything anew, and forgets nothing, is found out by the head that was noted down.
func TestAPackageMadeAnewHasAnotherHead(t *testing.T) {
	b, sum := write(t, input())
	files := unpack(t, b)
	replaced(t, files, receiptsFile, `"reply":"try again"`, `"reply":"try later"`)
	got, err := check(pack(t, remade(files)))
	if err != nil || got.Head == sum.Head || len(got.Head) != 64 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestVerifyRefusesAPartOfAPackage(t *testing.T) {
	b, _ := write(t, input())
	for n := range b {
		if sum, err := check(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes verified as %+v", n, len(b), sum)
		}
	}
}

func TestVerifySeesEveryByteOfEveryFile(t *testing.T) {
	b, _ := write(t, input())
	for _, e := range unpack(t, b) {
		at := bytes.Index(b, e.data) // nothing is compressed
		if at < 0 || len(e.data) == 0 {
			t.Fatalf("%s is not to be found", e.name)
		}
		for i := range e.data {
			changed := bytes.Clone(b)
			changed[at+i] ^= 1
			if _, err := check(changed); err == nil {
				t.Errorf("byte %d of %s changed unseen", i, e.name)
			}
		}
	}
}

func FuzzReadManifest(f *testing.F) {
	b := encodeManifest([]Line{next(nil, "letters/a.eml", []byte("x"))})
	f.Add(b)
	f.Add(bytes.Replace(b, []byte(`"n":1`), []byte(`"n":01`), 1))
	f.Add(append(bytes.Clone(b), b...))
	two := []Line{next(nil, "a", nil)}
	f.Add(encodeManifest(append(two, next(two, "b", []byte("y")))))
	f.Add([]byte("{}\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, err := ReadManifest(bytes.NewReader(data))
		if err != nil {
			return
		}
		if len(lines) == 0 || !bytes.Equal(encodeManifest(lines), data) {
			t.Errorf("%q was read as %+v", data, lines)
		}
		prev := origin
		for i, l := range lines {
			if l.N != i+1 || l.Prev != prev || l.Hash != l.hash() || !fs.ValidPath(l.File) {
				t.Errorf("line %d: %+v", i+1, l)
			}
			prev = l.Hash
			if js, err := json.Marshal(l); err != nil || string(js)+"\n" != string(l.encode()) {
				t.Errorf("%s is not JSON as the standard library writes it: %s, %v", l.encode(), js, err)
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	in := input()
	text := strings.Repeat("12345678\r\n", 1200)
	in.Letters = nil
	for d := range 250 {
		l := letterOf((first + 1).String(), text, receipt(0, notice.OutcomeAccepted, notice.PhaseAnswer, 250, "queued"))
		l.Notice.Key.Matter = fmt.Sprint(d)
		l.Notice.ID = l.Notice.Key.ID()
		in.Letters = append(in.Letters, l)
	}
	in.Bytes = func(notice.Notice, notice.Receipt) ([]byte, error) { return mailOf(text), nil }
	for b.Loop() {
		write(b, in)
	}
}
