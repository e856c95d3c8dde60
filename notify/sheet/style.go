package sheet

import (
	"encoding/xml"
	"fmt"

	"github.com/xuri/excelize/v2"

	"duban/notify/notice"
)

// face is the font of every cell, which every Chinese system has; programs without it take their own.
const face = "宋体"

// core is the workbook's properties. They name no time: the library's own would be that of no event.
const core = xml.Header + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
	`xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>duban</dc:creator></cp:coreProperties>`

// colours are fill and font of a tone, both dark and light enough to be told apart in print without colour.
func colours(t notice.Tone) (fill, font string) {
	switch t {
	case notice.Red:
		return "FBE0DD", "A11B12"
	case notice.Yellow:
		return "FFF2CC", "7A4F00"
	case notice.Green:
		return "E2F0D9", "1B6E3C"
	case notice.Plain, notice.Strong:
	}
	return "", ""
}

func newBook(f *excelize.File) (*book, error) {
	b := &book{File: f, text: map[notice.Tone]int{}, number: map[notice.Tone]int{}, mark: map[notice.Tone]int{}, rows: map[string][]byte{}}
	if err := f.SetDefaultFont(face); err != nil {
		return nil, fmt.Errorf("set font: %w", err)
	}
	if err := f.SetAppProps(&excelize.AppProperties{Application: "Microsoft Excel"}); err != nil {
		return nil, fmt.Errorf("set properties: %w", err)
	}
	f.Pkg.Store("docProps/core.xml", []byte(core))
	var err error
	style := func(s excelize.Style) int {
		if err != nil {
			return 0
		}
		id, fault := f.NewStyle(&s)
		if fault != nil {
			err = fmt.Errorf("make style: %w", fault)
		}
		return id
	}
	b.title = style(excelize.Style{Font: &excelize.Font{Bold: true, Family: face, Size: 16}, Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center"}})
	b.head = style(excelize.Style{
		Font: &excelize.Font{Bold: true, Family: face, Size: 11}, Border: lines(), Fill: filled("DCE6F1"), NumFmt: textFormat,
		Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true},
	})
	for _, t := range []notice.Tone{notice.Plain, notice.Strong, notice.Red, notice.Yellow, notice.Green} {
		fill, font := colours(t)
		s := excelize.Style{
			Font: &excelize.Font{Bold: t != notice.Plain, Family: face, Size: 11, Color: font}, Border: lines(), NumFmt: textFormat,
			Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
		}
		if fill != "" {
			s.Fill = filled(fill)
		}
		b.text[t] = style(s)
		s.Alignment = &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}
		b.mark[t] = style(s)
		s.NumFmt, s.Alignment = wholeFormat, &excelize.Alignment{Horizontal: "center", Vertical: "center"}
		b.number[t] = style(s)
	}
	return b, err
}

// The built-in number formats of ECMA-376, 18.8.30: texts have the format of texts, so that a cell that begins with a sign
// of formulas stays a text also after somebody has edited it.
const (
	wholeFormat = 1
	textFormat  = 49
)

func filled(colour string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
}

func lines() []excelize.Border {
	var out []excelize.Border
	for _, side := range []string{"left", "right", "top", "bottom"} {
		out = append(out, excelize.Border{Type: side, Color: "8C8C8C", Style: 1})
	}
	return out
}
