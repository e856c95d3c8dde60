package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/task"
	"duban/notify/docx"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) documentsExportCmd() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: "export ID...", Short: "Write documents as .docx files, for seal and OA", Args: cobra.MinimumNArgs(1),
		Example: "  duban documents export 6f0c… --dir ./forms",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			if err := os.MkdirAll(dir, 0o750); err != nil {
				return fmt.Errorf("make folder: %w", err)
			}
			for _, id := range args {
				if err := a.exportDocument(c.Context(), s, id, dir); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "folder to write into")
	return c
}

func (a *app) exportDocument(ctx context.Context, s *store.Store, id, dir string) error {
	id, err := wholeID(ctx, s, id)
	if err != nil {
		return err
	}
	doc, err := s.Document(ctx, id)
	if errors.Is(err, task.ErrNotFound) {
		return noDocument(id)
	}
	if err != nil {
		return err
	}
	written, err := writeDocument(ctx, s, doc, dir)
	for _, w := range written {
		if a.asJSON() {
			err = errors.Join(err, a.json(struct {
				ID   string `json:"id"`
				File string `json:"file"`
			}{id, w}))
			continue
		}
		a.say("%s  %s", w, doc.Title)
	}
	return err
}

// marked is the paper with 作废 above everything, where its document was voided.
func marked(p notice.Paper, doc notice.Document) notice.Paper {
	if doc.State == notice.Voided {
		p.Mark = "作废"
	}
	return p
}

// writeDocument writes a document and the drafts that go along with it, and returns the files' names.
func writeDocument(ctx context.Context, s *store.Store, doc notice.Document, dir string) (written []string, err error) {
	n, err := s.Notice(ctx, doc.ID)
	if err != nil {
		return nil, err
	}
	if n.Facts.Paper == nil {
		return nil, fmt.Errorf("export %s: its letter has no paper", doc.ID)
	}
	papers := []notice.Paper{marked(*n.Facts.Paper, doc)}
	for _, d := range n.Facts.Paper.Drafts {
		papers = append(papers, d.Paper)
	}
	for i, p := range papers {
		b, err := docx.Render(p)
		if err != nil {
			return written, fmt.Errorf("export %s: %w", doc.ID, err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%s.docx", doc.Jurisdiction, doc.Drafted, doc.Kind, doc.ID[:8]))
		if i > 0 {
			name = strings.TrimSuffix(name, ".docx") + fmt.Sprintf("-draft%d.docx", i)
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			return written, fmt.Errorf("write document: %w", err)
		}
		written = append(written, name)
	}
	return written, nil
}
