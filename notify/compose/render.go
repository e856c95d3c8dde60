package compose

import (
	_ "embed"
	"fmt"
	html "html/template"
	"strings"
	"sync"
	text "text/template"
	"unicode/utf8"
)

//go:embed letter.txt.tmpl
var textSource string

//go:embed letter.html.tmpl
var htmlSource string

// lineWidth is the number of characters a line of the text alternative is laid out for.
const lineWidth = 38

const cellStyle = "border:1px solid #8c8c8c;padding:5px 7px;vertical-align:top;text-align:left;"

var textTemplate = sync.OnceValues(func() (*text.Template, error) {
	return text.New("letter").Funcs(text.FuncMap{
		"centre": func(s string) string { return strings.Repeat("　", max(0, lineWidth-utf8.RuneCountInString(s))/2) + s },
		"right":  func(s string) string { return strings.Repeat("　", max(0, lineWidth-2-width(s))) + s },
	}).Parse(textSource)
})

var htmlTemplate = sync.OnceValues(func() (*html.Template, error) {
	return html.New("letter").Funcs(html.FuncMap{
		"style": func(t tone) html.CSS {
			switch t {
			case strong:
				return "font-weight:bold;"
			case red:
				return "color:#b3261e;font-weight:bold;"
			case yellow:
				return "color:#8a5a00;font-weight:bold;"
			case green:
				return "color:#1b6e3c;font-weight:bold;"
			case plain:
			}
			return ""
		},
		"cell": func(kind string) html.CSS {
			switch kind {
			case "th":
				return cellStyle + "background-color:#f2f2f2;font-weight:bold;"
			case "no":
				return cellStyle + "text-align:center;"
			}
			return cellStyle
		},
		"bare": bare,
	}).Parse(htmlSource)
})

// width counts the columns of a line in full-width characters, ASCII taking half of one.
func width(s string) int {
	half := 0
	for _, r := range s {
		if r < 0x80 {
			half++
		} else {
			half += 2
		}
	}
	return (half + 1) / 2
}

// bare drops the word 时限 where the column says it.
func bare(p phrase) phrase {
	if len(p) == 0 {
		return p
	}
	out := append(phrase(nil), p...)
	out[0].Text = strings.TrimPrefix(out[0].Text, "时限")
	return out
}

// render writes both alternatives of a letter.
func render(l letter) (plainText, page string, err error) {
	tt, err := textTemplate()
	if err != nil {
		return "", "", fmt.Errorf("parse the text template: %w", err)
	}
	ht, err := htmlTemplate()
	if err != nil {
		return "", "", fmt.Errorf("parse the HTML template: %w", err)
	}
	var t, h strings.Builder
	if err := tt.Execute(&t, l); err != nil {
		return "", "", fmt.Errorf("render the text: %w", err)
	}
	if err := ht.Execute(&h, l); err != nil {
		return "", "", fmt.Errorf("render the HTML: %w", err)
	}
	return strings.TrimRight(t.String(), "\n") + "\n", h.String(), nil
}
