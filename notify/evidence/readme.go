package evidence

import (
	"bytes"
	_ "embed" // the text
	"fmt"
	"strings"
	"text/template"

	"duban/jobs/civil"
)

//go:embed README.txt.tmpl
var readmeText string

// readme is the text an official reads first, with line ends that every Windows shows.
func readme(in Input, sorted []Letter, sum Summary) ([]byte, error) {
	t, err := template.New(readmeFile).Parse(readmeText)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", readmeFile, err)
	}
	var jurisdiction, unit string
	for _, l := range sorted { // as they are called now
		if f := l.Notice.Facts; !l.Notice.Gone() {
			jurisdiction, unit = f.Jurisdiction, f.Reader.Name
		}
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		Jurisdiction, Unit string
		From, To           civil.Date
		Summary
	}{called(jurisdiction, in.Jurisdiction), called(unit, in.Unit), in.From, in.To, sum})
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", readmeFile, err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte("\r\n")), nil
}

// called is a name in one line with its code behind it.
func called(name, code string) string {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		return code
	}
	return name + "（" + code + "）"
}
