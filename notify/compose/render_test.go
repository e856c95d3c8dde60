package compose

import (
	html "html/template"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	text "text/template"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// oracle renders a letter by the templates, which say in a readable form what the hand-written renderers write.
type oracle struct {
	text *text.Template
	html *html.Template
}

var templates = sync.OnceValue(func() oracle {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return oracle{
		text: text.Must(text.New("letter").Funcs(text.FuncMap{
			"centre": func(s string) string {
				return strings.Repeat("　", max(0, lineWidth-utf8.RuneCountInString(s))/2) + s
			},
			"middle": func(s string) string { return strings.Repeat("　", max(0, lineWidth-width(s))/2) + s },
			"inc":    func(i int) int { return i + 1 },
			"mark":   func(i, of int) string { return string(fileMark(nil, i, of)) },
			"right":  func(s string) string { return strings.Repeat("　", max(0, lineWidth-2-width(s))) + s },
		}).Parse(read("letter.txt.tmpl"))),
		html: html.Must(html.New("letter").Funcs(html.FuncMap{
			"style": func(t tone) html.CSS { return html.CSS(styleOf(t)) },
			"cell": func(kind string) html.CSS {
				switch kind {
				case "th":
					return headStyle
				case "no":
					return cellStyle + "text-align:center;"
				}
				return cellStyle
			},
			"bare":  bare,
			"look":  func(c column) html.CSS { return html.CSS(cellLook(c)) },
			"head":  func(c column) html.CSS { return html.CSS(headLook(c)) },
			"inc":   func(i int) int { return i + 1 },
			"lines": func(n int) int { return 29 * n },
			"mark":  func(i, of int) string { return string(fileMark(nil, i, of)) },
		}).Parse(read("letter.html.tmpl"))),
	}
})

// sameAsTemplates fails where a renderer and its template differ by a byte.
func sameAsTemplates(t interface {
	Helper()
	Fatalf(string, ...any)
}, c content,
) {
	t.Helper()
	var wantText, wantPage strings.Builder
	if err := templates().text.Execute(&wantText, c); err != nil {
		t.Fatalf("render the text: %v", err)
	}
	if err := templates().html.Execute(&wantPage, c); err != nil {
		t.Fatalf("render the page: %v", err)
	}
	if got, want := string(appendText(nil, c)), strings.TrimRight(wantText.String(), "\n")+"\n"; got != want {
		t.Fatalf("the text differs:\n%q\nwant\n%q", got, want)
	}
	if got, want := string(appendPage(nil, c)), wantPage.String(); got != want {
		t.Fatalf("the page differs:\n%q\nwant\n%q", got, want)
	}
}

func TestRenderersEqualTheTemplates(t *testing.T) {
	for name, n := range goldenLetters() {
		c := compile(cleaned(n.Facts))
		t.Run(name, func(t *testing.T) { sameAsTemplates(t, c) })
		c.Trial = "【试运行】本件原拟发送：<甲>"
		t.Run(name+"/trial", func(t *testing.T) { sameAsTemplates(t, c) })
	}
	sameAsTemplates(t, compile(cleaned(letter12KB().Facts)))
	sameAsTemplates(t, content{})
}

// awkward are the texts that an escaper can get wrong.
var awkward = []string{
	"", "a", "第1项", `<script>alert("x")</script>`, `"'&+<>`, "&amp;&#39;", "\x00", "a\x00b\x01\x1f", "\xff\xfe", "\ufdd0\ufffe\uffff\ufffd", "{{.}}",
	"</title>", "-->", "\u2028\u2029", "时限", "时限时限9月", "\n", "a\nb", "\r\n", "`=", "😀", "é", "\u202e", "+86", strings.Repeat("长", 60),
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(awkward), rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
}

func anyPhrase() *rapid.Generator[phrase] {
	one := rapid.Custom(func(t *rapid.T) span {
		return span{anyText().Draw(t, "text"), rapid.SampledFrom([]tone{plain, strong, red, yellow, green}).Draw(t, "tone")}
	})
	return rapid.Map(rapid.SliceOfN(one, 0, 3), func(s []span) phrase { return s })
}

func anySection() *rapid.Generator[section] {
	anyLine := rapid.Custom(func(t *rapid.T) line {
		p := func(name string) phrase { return anyPhrase().Draw(t, name) }
		return line{
			No: rapid.IntRange(-1, 1000).Draw(t, "no"), Name: p("name"), Due: p("due"), Days: p("days"), Owed: p("owed"), Past: p("past"),
			Under: rapid.Bool().Draw(t, "under"), Notes: anyText().Draw(t, "notes"),
		}
	})
	anyGroup := rapid.Custom(func(t *rapid.T) group {
		return group{anyText().Draw(t, "heading"), rapid.SliceOfN(anyLine, 0, 3).Draw(t, "lines")}
	})
	return rapid.Custom(func(t *rapid.T) section {
		s := section{
			Ordinal: anyText().Draw(t, "ordinal"), Heading: anyPhrase().Draw(t, "heading"),
			Groups: rapid.SliceOfN(anyGroup, 0, 2).Draw(t, "groups"), Paras: rapid.SliceOfN(anyPhrase(), 0, 2).Draw(t, "paras"),
		}
		if rapid.Bool().Draw(t, "paper") {
			s.Before, s.Points, s.Notes, s.Grid = s.Paras, s.Paras, s.Paras, anyGrid().Draw(t, "grid")
		}
		if rapid.Bool().Draw(t, "table") {
			s.Table = &table{anyText().Draw(t, "a"), anyText().Draw(t, "b"), anyText().Draw(t, "c"), anyText().Draw(t, "d")}
		}
		return s
	})
}

func anyGrid() *rapid.Generator[*grid] {
	return rapid.Custom(func(t *rapid.T) *grid {
		g := &grid{}
		n := rapid.IntRange(0, 4).Draw(t, "columns")
		for range n {
			g.Columns = append(g.Columns, column{anyText().Draw(t, "column"), rapid.Bool().Draw(t, "numeric"), rapid.Bool().Draw(t, "tight")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			var row []span
			for range n {
				row = append(row, span{anyText().Draw(t, "cell"), rapid.SampledFrom([]tone{plain, red, green}).Draw(t, "tone")})
			}
			g.Rows = append(g.Rows, row)
		}
		return g
	})
}

func anyForm() *rapid.Generator[[]formRow] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) formRow {
		return formRow{anyText().Draw(t, "label"), anyText().Draw(t, "text"), rapid.Bool().Draw(t, "heading"), rapid.IntRange(-1, 9).Draw(t, "room")}
	}), 0, 3)
}

func TestRenderersEqualTheTemplatesOnAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := func(name string) string { return anyText().Draw(t, name) }
		sameAsTemplates(t, content{
			Trial: x("trial"), Title: x("title"), Addressee: x("addressee"), Issuer: x("issuer"), Date: x("date"), Copies: x("copies"),
			Opening: rapid.SliceOfN(anyPhrase(), 0, 3).Draw(t, "opening"), Closing: rapid.SliceOfN(anyPhrase(), 0, 2).Draw(t, "closing"),
			Mark: x("mark"), Under: rapid.SliceOfN(anyText(), 0, 3).Draw(t, "under"), Files: rapid.SliceOfN(anyText(), 0, 3).Draw(t, "files"),
			Form: anyForm().Draw(t, "form"), Contact: anyPhrase().Draw(t, "contact"), Sections: rapid.SliceOfN(anySection(), 0, 3).Draw(t, "sections"),
		})
	})
}

func FuzzRenderersEqualTheTemplates(f *testing.F) {
	for _, s := range awkward {
		f.Add(s, s, uint8(2), true)
	}
	f.Fuzz(func(t *testing.T, a, b string, no uint8, asTable bool) {
		p := phrase{{a, plain}, {b, yellow}}
		s := section{Ordinal: a, Heading: p, Groups: []group{{a, []line{{No: int(no), Name: p, Due: p, Days: p, Owed: p, Past: p, Under: asTable, Notes: b}}}}, Paras: []phrase{p}}
		if asTable {
			s.Table = &table{a, b, a, b}
		}
		sameAsTemplates(t, content{
			Trial: b, Title: a, Addressee: b, Opening: []phrase{p}, Sections: []section{s, {}}, Closing: []phrase{p}, Contact: p,
			Copies: a, Issuer: b, Date: a,
		})
	})
}
