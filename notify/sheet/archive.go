package sheet

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/xuri/excelize/v2"
)

// archive is the zip file of a workbook. The library hands it the parts in the order of a map; it keeps them until all
// are there and writes them in one order, without a time.
type archive struct {
	w     io.Writer
	parts []*part
	rows  map[string][]byte // to be put at the end of the sheets in parts of these names
}

type part struct {
	name string
	bytes.Buffer
}

func (b *book) archive(w io.Writer) excelize.ZipWriter { return &archive{w: w, rows: b.rows} }

// Create begins a part.
func (a *archive) Create(name string) (io.Writer, error) {
	p := &part{name: name}
	a.parts = append(a.parts, p)
	return p, nil
}

// AddFS is nothing the library calls.
func (a *archive) AddFS(fs.FS) error {
	return errors.New("add files to a workbook: not supported")
}

// Close writes the parts, the list of their types first, as programs expect that look only at the beginning.
func (a *archive) Close() error {
	rank := func(p *part) int {
		switch p.name {
		case "[Content_Types].xml":
			return 0
		case "_rels/.rels":
			return 1
		}
		return 2
	}
	slices.SortFunc(a.parts, func(x, y *part) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x.name, y.name))
	})
	if err := a.fill(); err != nil {
		return err
	}
	z := zip.NewWriter(a.w)
	for _, p := range a.parts {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Deflate})
		if err != nil {
			return fmt.Errorf("write part %s: %w", p.name, err)
		}
		if _, err := w.Write(p.Bytes()); err != nil {
			return fmt.Errorf("write part %s: %w", p.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("end workbook: %w", err)
	}
	return nil
}

// fill puts the rows into their parts.
func (a *archive) fill() error {
	const end = "</sheetData>"
	placed := 0
	for _, p := range a.parts {
		rows, ok := a.rows[p.name]
		if !ok {
			continue
		}
		at := bytes.LastIndex(p.Bytes(), []byte(end))
		if at < 0 {
			return fmt.Errorf("write part %s: it holds no rows", p.name)
		}
		rest := bytes.Clone(p.Bytes()[at:])
		p.Truncate(at)
		p.Grow(len(rows) + len(rest))
		_, _ = p.Write(rows) // a buffer takes everything
		_, _ = p.Write(rest)
		placed++
	}
	if placed != len(a.rows) {
		return fmt.Errorf("write workbook: %d sheets of %d have no part", len(a.rows)-placed, len(a.rows))
	}
	return nil
}
