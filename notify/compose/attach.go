package compose

import (
	"encoding/base64"
	"mime"
	"path"
	"strconv"
	"strings"

	"gopkg.in/gomail.v2"
)

// Attachment is a file that goes with a mail, held in memory.
type Attachment struct {
	Name string // as the reader sees it; what no file's name can hold is replaced
	Type string // media type; empty or not one: application/octet-stream
	Data []byte
}

// maxName is the most characters that an attachment's name keeps, its ending included.
const maxName = 200

// fileName makes a name one that can be saved on the reader's side and nowhere else: one line, no path, not hidden.
func fileName(name string) string {
	name = clean(name[:cut(name, 4*maxRunes)]) // bounded before anything else; a name is not a text
	name = strings.NewReplacer("/", "_", "\\", "_").Replace(name)
	name = strings.TrimLeft(name, ". ")
	if rs := []rune(name); len(rs) > maxName {
		ending := []rune(path.Ext(name))
		if len(ending) > 16 {
			ending = nil
		}
		name = string(rs[:maxName-len(ending)]) + string(ending)
	}
	if name == "" {
		return "附件"
	}
	return name
}

// mediaType is the type without its parameters.
func mediaType(s string) string {
	kind, _, err := mime.ParseMediaType(s)
	if err != nil || strings.Count(kind, "/") != 1 || len(kind) > 127 || strings.HasPrefix(kind, "multipart/") ||
		strings.HasPrefix(kind, "message/") { // which may not be base64 (RFC 2045, 6.4)
		return "application/octet-stream"
	}
	return kind
}

// attach adds the file to a mail. gomail would write the name as it is, so all three headers are set here: filename as
// RFC 2231 has it, and name as encoded words, which no standard allows there but which old programs read.
func (a Attachment) attach(m *gomail.Message) {
	name := fileName(a.Name)
	m.Attach("attachment", // not a path: the copier below is what is read
		gomail.SetHeader(map[string][]string{
			"Content-Type":              {folded("Content-Type", mediaType(a.Type)+";") + "\r\n name=" + quotedName(name)},
			"Content-Disposition":       {"attachment;\r\n " + fileNameParam(name)},
			"Content-Transfer-Encoding": {"base64"},
		}),
		gomail.SetCopyFunc(copier(a.Data)))
}

// isSimple reports whether a name can stand between quotation marks as it is.
func isSimple(name string) bool {
	return len(name) <= 60 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && r != ' ' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// quotedName is the name as the value of name=, one encoded word to a line.
func quotedName(name string) string {
	if isSimple(name) {
		return `"` + name + `"`
	}
	var words []string
	for name != "" {
		n := cut(name, 36)
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(name[:n]))+"?=")
		name = name[n:]
	}
	return `"` + strings.Join(words, "\r\n ") + `"`
}

// fileNameParam is the filename parameter: extended by its charset, and where it is long in numbered pieces, each of
// whole characters (RFC 2231, 3 and 4).
func fileNameParam(name string) string {
	if isSimple(name) {
		return `filename="` + name + `"`
	}
	const most = 54 // and the longest beginning, " filename*1000*=UTF-8''", and a semicolon make 76 together
	var pieces []string
	piece := ""
	for _, r := range name {
		c := percent(string(r))
		if len(piece)+len(c) > most {
			pieces, piece = append(pieces, piece), ""
		}
		piece += c
	}
	pieces = append(pieces, piece)
	if len(pieces) == 1 {
		return "filename*=UTF-8''" + piece
	}
	for i, p := range pieces {
		charset := ""
		if i == 0 {
			charset = "UTF-8''"
		}
		pieces[i] = "filename*" + strconv.Itoa(i) + "*=" + charset + p
	}
	return strings.Join(pieces, ";\r\n ")
}

// percent writes a character as its octets in hexadecimal, unless it is one that an extended value may hold as it is.
func percent(s string) string {
	const digits = "0123456789ABCDEF"
	if c := s[0]; len(s) == 1 && (c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '.' || c == '-' || c == '_') {
		return s
	}
	out := make([]byte, 0, 3*len(s))
	for i := range len(s) {
		out = append(out, '%', digits[s[i]>>4], digits[s[i]&15])
	}
	return string(out)
}
