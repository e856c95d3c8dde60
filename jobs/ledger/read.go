package ledger

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

const saveAs = "open it in Excel or WPS and save it with 文件 → 另存为 → Excel 工作簿 (*.xlsx)"

// Read reads an xlsx or csv file from its bytes; what it is, is told by the bytes and not by the name. Other formats
// are answered with how to save them as one of these. A cell that cannot be held is named in a Problems error.
func Read(name string, b []byte) (Book, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return Book{}, fmt.Errorf("read %s: the file is empty", name)
	}
	switch what := kindOf(b); what {
	case "xlsx":
		return readXLSX(name, b)
	case "csv":
		return readCSV(name, b)
	case "damaged":
		return Book{}, fmt.Errorf("read %s: the xlsx file is truncated or damaged: get a complete copy, or %s", name, saveAs)
	case "html":
		return Book{}, fmt.Errorf("read %s: this is a web page or XML, whatever its name says: %s", name, saveAs)
	case "archive":
		return Book{}, fmt.Errorf("read %s: this is a compressed archive: unpack it and give the file inside", name)
	case "binary":
		return Book{}, fmt.Errorf("read %s: this is neither xlsx nor csv: %s", name, saveAs)
	case "encrypted":
		return Book{}, fmt.Errorf("read %s: the file is protected by a password: take the password off (文件 → 信息 → 保护工作簿 → 用密码进行加密, empty it), then save it as .xlsx", name)
	case "utf-16":
		return Book{}, fmt.Errorf("read %s: the text is UTF-16: save it as CSV UTF-8, or %s", name, saveAs)
	case "doc", "docx", "ppt", "pdf", "rtf", "odt":
		return Book{}, fmt.Errorf("read %s: this is a %s document, not a table: copy its table into a new workbook in Excel or WPS and save it with 文件 → 另存为 → Excel 工作簿 (*.xlsx)", name, map[string]string{
			"doc": ".doc or .wps", "docx": ".docx", "ppt": ".ppt or .dps", "pdf": "PDF", "rtf": "RTF", "odt": "text",
		}[what])
	default: // xls, ods
		return Book{}, fmt.Errorf("read %s: this is an old or other spreadsheet format (%s): %s", name, map[string]string{"xls": ".xls or .et", "ods": ".ods"}[what], saveAs)
	}
}

// kindOf tells a file by its bytes.
func kindOf(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}):
		return oleKind(b)
	case bytes.HasPrefix(b, []byte("PK")):
		return zipKind(b)
	case bytes.HasPrefix(b, []byte("%PDF")):
		return "pdf"
	case bytes.HasPrefix(b, []byte(`{\rtf`)):
		return "rtf"
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		return "utf-16"
	case bytes.HasPrefix(b, []byte("Rar!")), bytes.HasPrefix(b, []byte{0x1F, 0x8B}), bytes.HasPrefix(b, []byte("7z\xBC\xAF")):
		return "archive"
	}
	head := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 512)], []byte("\ufeff")), " \t\r\n")))
	for _, p := range []string{"<html", "<!doctype", "<table", "<?xml", "<meta"} {
		if strings.HasPrefix(head, p) {
			return "html"
		}
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		if i < 4 {
			return "utf-16"
		}
		return "binary"
	}
	return "csv"
}

// oleKind tells the old binary formats apart by the names of their streams.
func oleKind(b []byte) string {
	has := func(stream string) bool {
		var name []byte
		for _, u := range utf16.Encode([]rune(stream)) {
			name = append(name, byte(u), byte(u>>8))
		}
		return bytes.Contains(b, name)
	}
	switch {
	case has("EncryptedPackage"):
		return "encrypted"
	case has("WordDocument"):
		return "doc"
	case has("PowerPoint Document"):
		return "ppt"
	}
	return "xls"
}

func zipKind(b []byte) string {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return "damaged"
	}
	for _, f := range z.File {
		switch {
		case f.Name == "xl/workbook.xml":
			return "xlsx"
		case strings.HasPrefix(f.Name, "word/"):
			return "docx"
		case strings.HasPrefix(f.Name, "ppt/"):
			return "ppt"
		case f.Name == "content.xml":
			return "ods"
		case f.Name == "xl/workbook.bin":
			return "xls"
		}
	}
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, "xl/") {
			return "xlsx"
		}
	}
	return "archive"
}
