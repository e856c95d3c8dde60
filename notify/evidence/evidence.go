// Package evidence writes and checks a package that proves what a unit was sent: a zip of the letters as they left, what
// the mail servers answered, what people did with the letters, and a manifest whose hashes chain.
//
//	letters/DATE-ID-SHA12.eml  the exact bytes of every mail; what several recipients got alike stands there once
//	letters.jsonl              one object per letter
//	receipts.jsonl             one object per attempt at a recipient
//	moves.jsonl                one object per decision about a letter besides its attempts
//	README.txt                 in Chinese: what this is and how to check it
//	manifest.jsonl             one object per file above, see Line
//	manifest.sha256            the head of the chain, and the same hashes for `sha256sum -c`
//
// The same input makes the same bytes: nothing is compressed, and times come from the letters.
package evidence

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// Input is what a package is made of.
type Input struct {
	Jurisdiction, Unit string     // codes, as in the letters' keys
	From, To           civil.Date // logical dates, both included
	// Letters are all the unit's letters of these days, whatever became of them, in any order.
	Letters []Letter
	// Bytes returns what an attempt handed over. An error that wraps fs.ErrNotExist, and bytes of another SHA-256 than the
	// receipt's, mean that they are not to be had, which the package says; every other error ends the writing.
	Bytes func(notice.Notice, notice.Receipt) ([]byte, error)
}

// Letter is a letter with its whole history.
type Letter struct {
	Notice   notice.Notice
	Attempts []notice.Receipt // in their order
	Moves    []notice.Move
	// Subject stands in the list of letters where none of its mails is there to read it from.
	Subject string
}

// Summary counts what a package holds.
type Summary struct {
	Letters  int    `json:"letters"`
	Anew     int    `json:"planned_anew,omitempty"` // those that were planned anew after a restore
	Gone     int    `json:"gone,omitempty"`         // those whose items the rule of retention removed
	Attempts int    `json:"attempts"`
	Accepted int    `json:"accepted"` // attempts
	Trial    int    `json:"trial"`    // those of the accepted that went elsewhere in a trial run
	Absent   int    `json:"absent"`   // attempts that handed something over which is not in the package
	Moves    int    `json:"moves"`
	Files    int    `json:"files"` // lines of the manifest
	Head     string `json:"head"`  // the hash of the manifest's last line
}

// The files of a package besides the letters.
const (
	lettersFolder = "letters/"
	lettersFile   = "letters.jsonl"
	receiptsFile  = "receipts.jsonl"
	movesFile     = "moves.jsonl"
	readmeFile    = "README.txt"
	manifestFile  = "manifest.jsonl"
	sumsFile      = "manifest.sha256"
)

// Write writes the package. After an error what was written is of no use.
func Write(w io.Writer, in Input) (Summary, error) {
	if err := in.check(); err != nil {
		return Summary{}, fmt.Errorf("write evidence: %w", err)
	}
	p := &packer{zip: zip.NewWriter(w), in: in, names: map[string]string{}}
	sum, err := p.all()
	if err != nil {
		return Summary{}, fmt.Errorf("write evidence: %w", err)
	}
	return sum, nil
}

// check refuses letters that are not of the unit and the days: they would be proof of something else.
func (in Input) check() error {
	if in.Jurisdiction == "" || in.Unit == "" || in.From.IsZero() || in.To < in.From || in.Bytes == nil {
		return errors.New("want a jurisdiction, a unit, a first and a last day, and a source of bytes")
	}
	seen := map[string]bool{}
	for _, l := range in.Letters {
		k := l.Notice.Key
		if k.Jurisdiction != in.Jurisdiction || k.Unit != in.Unit || k.Date < in.From || k.Date > in.To {
			return fmt.Errorf("letter %s is of %s, unit %s, %s", l.Notice.ID, k.Jurisdiction, k.Unit, k.Date)
		}
		if seen[l.Notice.ID] {
			return fmt.Errorf("letter %s is given twice", l.Notice.ID)
		}
		seen[l.Notice.ID] = true
	}
	return nil
}

// packer is one package being written.
type packer struct {
	zip      *zip.Writer
	in       Input
	sum      Summary
	manifest []Line
	names    map[string]string // of the letters written so far, to their SHA-256

	letters, receipts, moves bytes.Buffer
}

func (p *packer) all() (Summary, error) {
	list := slices.Clone(p.in.Letters)
	slices.SortFunc(list, func(a, b Letter) int {
		x, y := a.Notice, b.Notice
		return cmp.Or(cmp.Compare(x.Key.Date, y.Key.Date), cmp.Compare(x.Key.Role, y.Key.Role), cmp.Compare(x.Key.Kind, y.Key.Kind),
			cmp.Compare(x.Key.Matter, y.Key.Matter), cmp.Compare(x.ID, y.ID))
	})
	for _, l := range list {
		if err := p.letter(l); err != nil {
			return Summary{}, fmt.Errorf("letter %s: %w", l.Notice.ID, err)
		}
	}
	text, err := readme(p.in, list, p.sum)
	if err != nil {
		return Summary{}, err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{lettersFile, p.letters.Bytes()}, {receiptsFile, p.receipts.Bytes()}, {movesFile, p.moves.Bytes()}, {readmeFile, text}} {
		if err := p.add(f.name, f.data, p.in.To); err != nil {
			return Summary{}, err
		}
	}
	lines := encodeManifest(p.manifest)
	p.sum.Files, p.sum.Head = len(p.manifest), p.manifest[len(p.manifest)-1].Hash
	if err := p.store(manifestFile, lines, p.in.To); err != nil {
		return Summary{}, err
	}
	if err := p.store(sumsFile, sums(p.manifest, lines), p.in.To); err != nil {
		return Summary{}, err
	}
	return p.sum, p.zip.Close()
}

// letter adds one letter: the mails of its attempts, and its lines.
func (p *packer) letter(l Letter) error {
	row := rowOfLetter(l)
	for i, r := range l.Attempts {
		a := rowOfAttempt(l.Notice, i+1, r)
		data, err := p.mail(l.Notice, r, &a)
		if err != nil {
			return fmt.Errorf("attempt %d: %w", i+1, err)
		}
		if s := subjectOf(data); s != "" {
			row.Subject = s
		}
		p.sum.add(a)
		if err := appendLine(&p.receipts, a); err != nil {
			return err
		}
	}
	for _, m := range l.Moves {
		m.At = m.At.UTC()
		p.sum.Moves++
		if err := appendLine(&p.moves, m); err != nil {
			return err
		}
	}
	p.sum.letter(row)
	return appendLine(&p.letters, row)
}

// Why an attempt's bytes are not in the package.
const (
	absentBytes = "the archive does not hold these bytes, and composing the letter anew does not give them"
	absentHash  = "the receipt keeps no SHA-256"
)

// mail puts what an attempt handed over into the package, once, and says in the row where it is. It returns no bytes
// where there were none or they are not to be had.
func (p *packer) mail(n notice.Notice, r notice.Receipt, row *attemptRow) ([]byte, error) {
	if r.SHA256 == "" {
		if r.Outcome == notice.OutcomeAccepted || r.Outcome == notice.OutcomeUnknown {
			row.Absent = absentHash
		}
		return nil, nil
	}
	data, err := p.in.Bytes(n, r)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if Sum(data) != r.SHA256 {
		row.Absent = absentBytes
		return nil, nil
	}
	row.File = lettersFolder + n.Key.Date.String() + "-" + name(n.ID) + "-" + r.SHA256[:12] + ".eml"
	row.Bytes = len(data)
	switch p.names[row.File] {
	case r.SHA256:
		return data, nil
	case "":
		p.names[row.File] = r.SHA256
		return data, p.add(row.File, data, n.Key.Date)
	}
	return nil, fmt.Errorf("two mails are named %s", row.File)
}

// name makes an ID fit for a file name. IDs are hex, so that this changes none.
func name(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, id)
}

// add puts a file into the zip and into the chain.
func (p *packer) add(name string, data []byte, date civil.Date) error {
	p.manifest = append(p.manifest, next(p.manifest, name, data))
	return p.store(name, data, date)
}

// store puts a file into the zip, uncompressed: what a compressor writes changes with its version. Sizes and checksum
// stand before the data, which some readers want of files that are not compressed.
func (p *packer) store(name string, data []byte, date civil.Date) error {
	h := &zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data), UncompressedSize64: uint64(len(data)), CompressedSize64: uint64(len(data)),
	}
	h.SetMode(0o640)
	h.SetModTime(zipDate(date)) //nolint:staticcheck // CreateRaw writes the fields this sets, and leaves Modified alone
	f, err := p.zip.CreateRaw(h)
	if err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	return nil
}

// zipDate is the midnight that stands for a letter's date. A zip knows the years 1980 to 2107 only.
func zipDate(d civil.Date) time.Time {
	d = min(max(d, civil.Of(1980, time.January, 1)), civil.Of(2107, time.December, 31))
	return d.Time(time.UTC)
}

// subjectOf reads the subject of a mail; empty where there is none.
func subjectOf(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return ""
	}
	raw := m.Header.Get("Subject")
	subject, err := new(mime.WordDecoder).DecodeHeader(raw)
	if err != nil {
		return raw
	}
	return subject
}

func appendLine(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
