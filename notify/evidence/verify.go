package evidence

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"duban/notify/notice"
)

// Verify recomputes every hash of a package, holds its records against its letters, and counts it. The error names the
// first broken link, or the first file that is missing, changed or was not there when the package was made. Whoever made
// all of it anew made another head: the caller compares it with the one that was noted down.
func Verify(r io.ReaderAt, size int64) (Summary, error) {
	sum, err := verify(r, size)
	if err != nil {
		return Summary{}, fmt.Errorf("verify evidence: %w", err)
	}
	return sum, nil
}

func verify(r io.ReaderAt, size int64) (Summary, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return Summary{}, fmt.Errorf("not a package, or not all of it: %w", err)
	}
	files := map[string]*zip.File{}
	for _, f := range z.File {
		if files[f.Name] != nil {
			return Summary{}, fmt.Errorf("%s stands in the package twice", f.Name)
		}
		files[f.Name] = f
	}
	manifest, err := whole(files, manifestFile, maxManifest)
	if err != nil {
		return Summary{}, err
	}
	lines, err := ReadManifest(bytes.NewReader(manifest))
	if err != nil {
		return Summary{}, err
	}
	listed := map[string]Line{}
	for _, l := range lines {
		if err := same(files[l.File], l); err != nil {
			return Summary{}, err
		}
		listed[l.File] = l
	}
	for _, f := range z.File {
		_, known := listed[f.Name]
		known = known || f.Name == manifestFile || f.Name == sumsFile || f.Name == lettersFolder && f.UncompressedSize64 == 0
		if !known {
			return Summary{}, fmt.Errorf("%s is extra: the manifest does not know it", f.Name)
		}
	}
	want := sums(lines, manifest)
	if got, err := whole(files, sumsFile, int64(len(want))); err != nil {
		return Summary{}, err
	} else if !bytes.Equal(got, want) {
		return Summary{}, fmt.Errorf("%s is changed: it does not agree with the manifest", sumsFile)
	}
	sum, err := count(files, listed)
	sum.Files, sum.Head = len(lines), lines[len(lines)-1].Hash
	return sum, err
}

// same holds a file against its line.
func same(f *zip.File, l Line) error {
	if f == nil {
		return fmt.Errorf("%s is missing", l.File)
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%s is changed: %w", l.File, err)
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, l.Bytes+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("%s is changed: %w", l.File, err)
	}
	if n != l.Bytes || hex.EncodeToString(h.Sum(nil)) != l.SHA256 {
		return fmt.Errorf("%s is changed: it has not the size and the SHA-256 of the manifest", l.File)
	}
	return nil
}

// whole reads a file of at most so many bytes.
func whole(files map[string]*zip.File, name string, most int64) ([]byte, error) {
	f := files[name]
	if f == nil {
		return nil, fmt.Errorf("%s is missing", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s is changed: %w", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("%s is changed: %w", name, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s is changed: it is longer than %d bytes", name, most)
	}
	return data, nil
}

// maxRecords bounds one file of records, in bytes.
const maxRecords = 256 << 20

// count reads the records and holds them against each other and against the letters.
func count(files map[string]*zip.File, listed map[string]Line) (sum Summary, err error) {
	if _, ok := listed[readmeFile]; !ok {
		return sum, fmt.Errorf("%s is missing", readmeFile)
	}
	letters := map[string]bool{}
	err = records(files, listed, lettersFile, func(l letterRow) error {
		if l.ID == "" || letters[l.ID] {
			return fmt.Errorf("letter %q has no ID or stands there twice", l.ID)
		}
		letters[l.ID] = true
		sum.letter(l)
		return nil
	})
	if err != nil {
		return sum, err
	}
	named := map[string]bool{}
	err = records(files, listed, receiptsFile, func(a attemptRow) error {
		if !letters[a.Notice] {
			return fmt.Errorf("letter %q is not in %s", a.Notice, lettersFile)
		}
		named[a.File] = true
		sum.add(a)
		return a.check(listed)
	})
	if err != nil {
		return sum, err
	}
	err = records(files, listed, movesFile, func(m notice.Move) error {
		if !letters[m.Notice] {
			return fmt.Errorf("letter %q is not in %s", m.Notice, lettersFile)
		}
		sum.Moves++
		return nil
	})
	if err != nil {
		return sum, err
	}
	for _, f := range slices.Sorted(maps.Keys(listed)) {
		if strings.HasPrefix(f, lettersFolder) && !named[f] {
			return sum, fmt.Errorf("%s is extra: no receipt names it", f)
		}
	}
	return sum, nil
}

// letter counts a letter.
func (s *Summary) letter(l letterRow) {
	s.Letters++
	if l.Anew {
		s.Anew++
	}
	if l.Gone {
		s.Gone++
	}
}

// add counts an attempt.
func (s *Summary) add(a attemptRow) {
	s.Attempts++
	if a.Outcome == notice.OutcomeAccepted {
		s.Accepted++
		if a.Trial {
			s.Trial++
		}
	}
	if a.Absent != "" {
		s.Absent++
	}
}

// check holds an attempt against the file it names.
func (a attemptRow) check(listed map[string]Line) error {
	switch l, ok := listed[a.File]; {
	case a.File == "" && a.SHA256 != "" && a.Absent == "":
		return fmt.Errorf("attempt %d at letter %s names no file and does not say why", a.N, a.Notice)
	case a.File == "":
		return nil
	case !ok || !strings.HasPrefix(a.File, lettersFolder):
		return fmt.Errorf("%s is missing", a.File)
	case a.Absent != "" || l.SHA256 != a.SHA256 || l.Bytes != int64(a.Bytes):
		return fmt.Errorf("attempt %d at letter %s does not agree with %s", a.N, a.Notice, a.File)
	}
	return nil
}

// records reads a file of one object per line.
func records[T any](files map[string]*zip.File, listed map[string]Line, name string, each func(T) error) error {
	if _, ok := listed[name]; !ok {
		return fmt.Errorf("%s is missing", name)
	}
	data, err := whole(files, name, maxRecords)
	if err != nil {
		return err
	}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		var v T
		err := json.Unmarshal(line, &v)
		if err == nil {
			err = each(v)
		}
		if err != nil {
			return fmt.Errorf("%s line %d: %w", name, n, err)
		}
	}
	return nil
}
