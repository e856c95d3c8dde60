package archive

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"duban/jobs/civil"
	"duban/notify/compose"
	"duban/notify/notice"
)

// journal is the file of a day's acceptances.
const journal = "accepted.jsonl"

// lineStart begins every line of a journal. It cannot stand inside one, where quotes are escaped.
const lineStart = `{"notice":"`

// Acceptance says that a server took responsibility for one recipient's copy.
type Acceptance struct {
	// Jurisdiction and Date name the folder; Formal makes the line durable at once. They do not stand in the line.
	Jurisdiction string     `json:"-"`
	Date         civil.Date `json:"-"`
	Formal       bool       `json:"-"`

	Notice    string    `json:"notice"` // the letter's ID; it stands first, see lineStart
	MessageID string    `json:"message_id"`
	Unit      string    `json:"unit"`
	Role      string    `json:"role"` // of the recipient
	Copy      bool      `json:"copy"`
	To        string    `json:"to"` // where it really went
	SHA256    string    `json:"sha256"`
	Bytes     int       `json:"bytes"`
	Code      int       `json:"code"`
	Enhanced  string    `json:"enhanced"`
	Reply     string    `json:"reply"`
	At        time.Time `json:"at"` // UTC
	Worker    string    `json:"worker"`
}

// AcceptanceOf is the acceptance of a letter's copy that a receipt tells of.
func AcceptanceOf(id string, msg compose.Message, r notice.Receipt) Acceptance {
	return Acceptance{
		Jurisdiction: msg.Key.Jurisdiction, Date: msg.Key.Date, Formal: msg.Key.Formal(),
		Notice: id, MessageID: msg.ID, Unit: msg.Key.Unit, Role: msg.Role, Copy: msg.Copy, To: cmp.Or(r.Email, msg.To),
		SHA256: r.SHA256, Bytes: r.Bytes, Code: r.Code, Enhanced: r.Enhanced, Reply: r.Reply, At: r.At.UTC(), Worker: r.Worker,
	}
}

// Accepted appends a line for each acceptance, with one write per file and call. Where it fails some of the lines may
// stand; appending them once more is harmless, since readers count by SHA-256 and address.
func (a *Archive) Accepted(list ...Acceptance) error {
	type page struct {
		lines   bytes.Buffer
		durable bool
	}
	pages := map[string]*page{}
	var order []string
	for _, acc := range list {
		if acc.Date.IsZero() {
			return fmt.Errorf("record acceptance of letter %s: it has no date", acc.Notice)
		}
		dir := a.folder(acc.Jurisdiction, acc.Date)
		p := pages[dir]
		if p == nil {
			p = &page{}
			pages[dir] = p
			order = append(order, dir)
		}
		p.durable = p.durable || acc.Formal
		enc := json.NewEncoder(&p.lines) // ends each line
		enc.SetEscapeHTML(false)
		if err := enc.Encode(acc); err != nil {
			return fmt.Errorf("record acceptance of letter %s: %w", acc.Notice, err)
		}
	}
	var errs []error
	for _, dir := range order {
		p := pages[dir]
		err := a.inFolder(dir, func() error { return appendTo(filepath.Join(dir, journal), p.lines.Bytes(), p.durable) })
		if err == nil && p.durable {
			err = syncFolders(dir, a.dir)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("record acceptances: %w", err))
		}
	}
	return errors.Join(errs...)
}

// appendTo adds lines at the end of a file in one write. Where the writer before was cut off within a line, it begins
// with a line break, so that it loses nothing but that writer's line. An empty line does no harm.
func appendTo(path string, lines []byte, durable bool) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, fileMode)
	if err != nil {
		return err
	}
	torn, err := tornEnd(f)
	if err == nil {
		if torn {
			lines = append([]byte{'\n'}, lines...)
		}
		_, err = f.Write(lines)
	}
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func tornEnd(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return last[0] != '\n', err
}

// Torn is a piece of a journal's line whose writer was cut off. What it told of stands in the register, if it was
// settled there.
type Torn struct {
	File string
	Line int // from 1
}

// Read returns the acceptances of a jurisdiction's letters by day and in the order they were written; both days are
// included, and a zero one is no bound. A torn line is no error: it is left out and named.
func (a *Archive) Read(jurisdiction string, from, to civil.Date) ([]Acceptance, []Torn, error) {
	root := filepath.Join(a.dir, Name(jurisdiction))
	days, err := os.ReadDir(root) // sorted by name, hence by day
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read acceptances of %s: %w", jurisdiction, err)
	}
	var all []Acceptance
	var torn []Torn
	for _, e := range days {
		date, err := civil.Parse(e.Name())
		if err != nil || date.IsZero() || date < from || !to.IsZero() && date > to {
			continue
		}
		path := filepath.Join(root, e.Name(), journal)
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read acceptances of %s: %w", jurisdiction, err)
		}
		list, bad := parse(data)
		for i := range list {
			list[i].Jurisdiction, list[i].Date = jurisdiction, date
		}
		all = append(all, list...)
		for _, n := range bad {
			torn = append(torn, Torn{path, n})
		}
	}
	return all, torn, nil
}

// parse reads the lines of a journal and returns, besides, the numbers of those that hold a torn one. Two writers may
// leave a whole line behind a torn one without a break between: it is found by its beginning.
func parse(data []byte) (list []Acceptance, torn []int) {
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		acc, ok := parseLine(line)
		if !ok {
			torn = append(torn, n)
			if i := bytes.LastIndex(line, []byte(lineStart)); i > 0 {
				acc, ok = parseLine(line[i:])
			}
		}
		if ok {
			list = append(list, acc)
		}
	}
	return list, torn
}

func parseLine(line []byte) (acc Acceptance, ok bool) {
	if !bytes.HasPrefix(line, []byte(lineStart)) || json.Unmarshal(line, &acc) != nil {
		return Acceptance{}, false
	}
	return acc, acc.Notice != ""
}
