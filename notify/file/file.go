// Package file is the transport that writes letters into a folder: one .eml for each recipient, as
// DIR/JURISDICTION/DATE/UNIT-ROLE[-copy-ROLE].eml. A folder is a mailbox nobody can lose a letter in, so a written file
// counts as served.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/notice"
)

// Transport writes letters below Dir. It holds nothing open.
type Transport struct {
	// Dir is the folder; it is made when the first letter comes.
	Dir string
	// Pages also writes each letter's HTML and what goes along with it beside its .eml, for an index that shows them.
	Pages bool
}

// Name returns "file".
func (t *Transport) Name() string { return "file" }

// Close does nothing.
func (t *Transport) Close() error { return nil }

// Send writes one letter. A file that is there already with the same bytes is this letter, delivered before: accepted.
// One with other bytes is never overwritten: a permanent failure that names it. Everything else (a full disk, missing
// rights) is temporary. beforeDot is called before the file takes its name.
func (t *Transport) Send(ctx context.Context, msg compose.Message, beforeDot func() error) notice.Receipt {
	path := filepath.Join(t.Dir, filepath.FromSlash(Path(msg)))
	failed := func(o notice.Outcome, err error) notice.Receipt {
		return notice.Receipt{Outcome: o, Reply: err.Error()}
	}
	if err := ctx.Err(); err != nil {
		return failed(notice.OutcomeTemporary, fmt.Errorf("write letter %s: %w", path, err))
	}
	there, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(there, msg.Bytes):
		return t.page(path, msg, "already there: "+path)
	case err == nil:
		return failed(notice.OutcomePermanent, fmt.Errorf("write letter %s: the file is there with other contents; move it away and send the letter again", path))
	case !errors.Is(err, fs.ErrNotExist):
		return failed(notice.OutcomeTemporary, fmt.Errorf("write letter: %w", err))
	}
	if beforeDot != nil {
		if err := beforeDot(); err != nil {
			return failed(notice.OutcomeTemporary, fmt.Errorf("write letter %s: %w", path, err))
		}
	}
	if err := write(path, msg.Bytes); err != nil {
		return failed(notice.OutcomeTemporary, fmt.Errorf("write letter: %w", err))
	}
	return t.page(path, msg, "written: "+path)
}

// page adds the HTML beside the letter, where wanted. The letter itself is delivered by then.
func (t *Transport) page(path string, msg compose.Message, reply string) notice.Receipt {
	if t.Pages {
		if err := write(strings.TrimSuffix(path, ".eml")+".html", []byte(msg.HTML)); err != nil {
			reply += "; its page could not be written: " + err.Error()
		}
		for i, f := range msg.Files {
			if err := write(attachmentPath(path, i, f), f.Data); err != nil {
				reply += "; an attachment could not be written beside it: " + err.Error()
			}
		}
	}
	return notice.Receipt{Outcome: notice.OutcomeAccepted, Reply: reply}
}

// Path returns where a letter goes below the folder, with forward slashes. It is ASCII whatever the codes are, and two
// letters never share it.
func Path(msg compose.Message) string {
	name := archive.Name(msg.Key.Unit) + "-" + archive.Name(msg.Key.Role)
	if msg.Key.Kind != notice.UnitLetter || msg.Key.Matter != "" {
		name += "-" + archive.Name(msg.Key.Kind) + "-" + archive.Name(msg.Key.Matter)
	}
	if msg.Copy {
		name += "-copy-" + archive.Name(msg.Role)
	}
	if msg.Nth > 1 {
		name += fmt.Sprintf("-%d", msg.Nth)
	}
	return archive.Name(msg.Key.Jurisdiction) + "/" + msg.Key.Date.String() + "/" + name + ".eml"
}

// write puts a file in place at once: whoever looks sees all of it or nothing, also after a power cut.
func write(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return fmt.Errorf("make file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, werr := f.Write(data)
	if werr == nil {
		werr = f.Chmod(0o640)
	}
	if werr == nil {
		werr = f.Sync()
	}
	if err := errors.Join(werr, f.Close()); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put file in place: %w", err)
	}
	syncDir(dir)
	return nil
}

// syncDir makes the new name outlive a power cut, where folders can be synced at all. The file is in place by then, so
// that a folder that cannot be synced is no failure.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}
