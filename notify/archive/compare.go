package archive

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"

	"duban/jobs/civil"
)

// Day is a day's folder of a jurisdiction's letters.
type Day struct {
	Date civil.Date
	// Journal is the length of its journal in bytes. A journal only grows, so that what was read up to a length need not be
	// read again. 0: nothing was accepted.
	Journal int64
}

// Days returns the folders of a jurisdiction by day; none where it has no letters.
func (a *Archive) Days(jurisdiction string) ([]Day, error) {
	root := filepath.Join(a.dir, Name(jurisdiction))
	entries, err := os.ReadDir(root) // sorted by name, hence by day
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the archive of %s: %w", jurisdiction, err)
	}
	var out []Day
	for _, e := range entries {
		date, err := civil.Parse(e.Name())
		if err != nil || date.IsZero() {
			continue
		}
		d := Day{Date: date}
		info, err := os.Stat(filepath.Join(root, e.Name(), journal))
		switch {
		case err == nil:
			d.Journal = info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("list the archive of %s: %w", jurisdiction, err)
		}
		out = append(out, d)
	}
	return out, nil
}

// ReadFrom returns the acceptances of a day whose lines begin at or after the offset, and where the last whole line ends: a
// line that is being written is left to the next call.
func (a *Archive) ReadFrom(jurisdiction string, date civil.Date, offset int64) (list []Acceptance, end int64, err error) {
	f, err := os.Open(filepath.Join(a.folder(jurisdiction, date), journal))
	if err != nil {
		return nil, 0, fmt.Errorf("read acceptances of %s: %w", jurisdiction, err)
	}
	data, err := io.ReadAll(io.NewSectionReader(f, offset, 1<<62))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, 0, fmt.Errorf("read acceptances of %s: %w", jurisdiction, err)
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	list, _ = parse(data[:whole])
	for i := range list {
		list[i].Jurisdiction, list[i].Date = jurisdiction, date
	}
	return list, offset + int64(whole), nil
}

// File is one letter's bytes in the archive.
type File struct {
	ID   string // the local part of the Message-ID, as it stands in the name
	Name string
	Size int64
}

// Files returns the letters kept of a day, by name.
func (a *Archive) Files(jurisdiction string, date civil.Date) ([]File, error) {
	entries, err := os.ReadDir(a.folder(jurisdiction, date))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list archived letters: %w", err)
	}
	var out []File
	for _, e := range entries {
		name, isLetter := strings.CutSuffix(e.Name(), ".eml")
		at := strings.LastIndexByte(name, '-')
		if !isLetter || at <= 0 || strings.HasPrefix(name, ".") {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list archived letters: %w", err)
		}
		out = append(out, File{ID: name[:at], Name: e.Name(), Size: info.Size()})
	}
	return out, nil
}

// Remove removes a letter's bytes. The journal keeps that it was accepted, and its SHA-256.
func (a *Archive) Remove(jurisdiction string, date civil.Date, f File) error {
	err := os.Remove(filepath.Join(a.folder(jurisdiction, date), filepath.Base(f.Name)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove archived letter: %w", err)
	}
	return nil
}

// Letter is what a person reads of an archived letter.
type Letter struct {
	Notice  string // X-Duban-Notice: the letter's ID
	Kind    string // of letter, as its List-Id names it; empty where that is not known
	Subject string
	Text    string // the text alternative, with line ends of one character
}

// trialMark begins the subject of a letter of a trial run.
const trialMark = "【试运行】"

// Trial reports whether it is a letter of a trial run, which reached none of its readers.
func (l Letter) Trial() bool { return strings.HasPrefix(l.Subject, trialMark) }

// longestText bounds what is read of a letter's text, in bytes.
const longestText = 4 << 20

// Parse reads an archived letter.
func Parse(eml []byte) (l Letter, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(eml))
	if err != nil {
		return l, fmt.Errorf("read archived letter: %w", err)
	}
	l.Notice = strings.TrimSpace(m.Header.Get("X-Duban-Notice"))
	if _, id, named := strings.Cut(m.Header.Get("List-Id"), "<"); named {
		l.Kind, _, _ = strings.Cut(id, ".")
	}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, fmt.Errorf("read archived letter: subject: %w", err)
	}
	l.Text, err = textOf(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0)
	if err != nil {
		return l, fmt.Errorf("read archived letter: %w", err)
	}
	l.Text = strings.ReplaceAll(l.Text, "\r\n", "\n")
	return l, nil
}

// deepest is how many parts may be within each other: the text is in the alternatives, those are beside the attachments.
const deepest = 4

// textOf returns the first text/plain in a body; empty where there is none.
func textOf(kind, encoding string, body io.Reader, depth int) (string, error) {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return "", fmt.Errorf("content type %q: %w", kind, err)
	}
	switch {
	case strings.HasPrefix(media, "multipart/") && depth < deepest:
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			text, err := textOf(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part, depth+1)
			if err != nil || text != "" {
				return text, err
			}
		}
	case media != "text/plain":
		return "", nil
	case strings.EqualFold(encoding, "base64"):
		body = base64.NewDecoder(base64.StdEncoding, body)
	case strings.EqualFold(encoding, "quoted-printable"):
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(io.LimitReader(body, longestText))
	return strings.ToValidUTF8(string(text), "\uFFFD"), err
}
