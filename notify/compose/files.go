package compose

import (
	"fmt"
	"strings"

	"duban/notify/docx"
	"duban/notify/notice"
	"duban/notify/sheet"
)

// attachments are the files that go along with a paper: its workbook, the paper itself where it is wanted as a file,
// and the drafts, each with the workbook of its own. The paper is cleaned already.
func attachments(p notice.Paper) ([]Attachment, error) {
	var out []Attachment
	if len(p.Sheets) > 0 {
		data, err := sheet.Workbook(p.Sheets)
		if err != nil {
			return nil, fmt.Errorf("attach %s: %w", workbookName(p), err)
		}
		out = append(out, Attachment{workbookName(p), sheet.Type, data})
	}
	document := func(name string, p notice.Paper) error {
		data, err := docx.Render(p)
		if err != nil {
			return fmt.Errorf("attach %s: %w", name, err)
		}
		out = append(out, Attachment{name, docx.Type, data})
		return nil
	}
	if p.AsFile != "" {
		if err := document(named(p.AsFile, docx.Ending), p); err != nil {
			return nil, err
		}
	}
	for _, d := range p.Drafts {
		if err := document(draftName(d), d.Paper); err != nil {
			return nil, err
		}
		own := d.Paper
		own.AsFile = ""
		more, err := attachments(own)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// fileNames are the names of the attachments, in their order.
func fileNames(p notice.Paper) []string {
	var out []string
	if len(p.Sheets) > 0 {
		out = append(out, workbookName(p))
	}
	if p.AsFile != "" {
		out = append(out, named(p.AsFile, docx.Ending))
	}
	for _, d := range p.Drafts {
		own := d.Paper
		own.AsFile = ""
		out = append(append(out, draftName(d)), fileNames(own)...)
	}
	return out
}

func workbookName(p notice.Paper) string {
	if p.File == "" {
		return "附表" + sheet.Ending
	}
	return named(p.File, sheet.Ending)
}

func draftName(d notice.Draft) string {
	if d.File == "" {
		return named(d.Paper.Title, docx.Ending)
	}
	return named(d.File, docx.Ending)
}

// named is the name of a file as its reader sees it.
func named(name, ending string) string {
	return fileName(strings.TrimSuffix(name, ending) + ending)
}

// leftOut is what a letter says in the place of its attachments where the mail server takes no mail of their size.
func leftOut(files []string) string {
	return "附件（" + strings.Join(files, "、") + "）超过邮件服务器允许的大小，未随本件发送，可向联系人索取。"
}
