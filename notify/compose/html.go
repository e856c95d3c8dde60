package compose

import "strconv"

// What comes from outside goes into the page by appendEscaped alone. Every other piece is one of these constants: styles
// stand at each element, since mail readers drop style sheets, and only as attributes that are quoted.
const (
	pageHead = `<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>`
	pageBody = `</title>
</head>
<body style="margin:0;padding:0;background-color:#ffffff;color:#1a1a1a;">
<div style="max-width:760px;margin:0 auto;padding:24px 16px 32px;box-sizing:border-box;font-family:'仿宋','仿宋_GB2312',FangSong,STFangsong,'宋体',SimSun,'Songti SC','Noto Serif CJK SC',serif;font-size:17px;color:#1a1a1a;word-wrap:break-word;overflow-wrap:break-word;">
`
	pageTrial = `<p style="margin:0 0 20px;padding:8px 12px;border:1px solid #8a5a00;background-color:#fff6df;font-size:15px;line-height:1.7;">`
	pageTitle = `<h1 style="margin:8px 0 24px;text-align:center;font-family:'方正小标宋简体','华文中宋',STZhongsong,'宋体',SimSun,'Noto Serif CJK SC',serif;font-size:23px;line-height:1.5;font-weight:bold;">`
	paraOpen  = `<p style="margin:0;line-height:1.9;">`
	paraEnd   = "</p>\n"
	heading   = `<h2 style="margin:10px 0 0;font-family:'黑体',SimHei,STHeiti,'Noto Sans CJK SC',sans-serif;font-size:17px;line-height:1.9;font-weight:bold;">` + indent

	tableOpen = `<table style="width:100%;border-collapse:collapse;margin:6px 0 8px;font-size:15px;line-height:1.6;">
<thead><tr>
<th scope="col" style="` + headStyle + `width:2.2em;">序号</th>
<th scope="col" style="` + headStyle + `">`
	tableDue  = "</th>\n" + `<th scope="col" style="` + headStyle + `width:25%;">`
	tableDays = "</th>\n" + `<th scope="col" style="` + headStyle + `width:7.6em;">`
	tableOwed = "</th>\n" + `<th scope="col" style="` + headStyle + `width:24%;">`
	tableBody = "</th>\n</tr></thead>\n<tbody>\n"
	tableEnd  = "</tbody>\n</table>\n"
	rowOpen   = "<tr>\n" + `<td style="` + cellStyle + `text-align:center;">`
	cellOpen  = "</td>\n" + `<td style="` + cellStyle + `">`
	rowEnd    = "</td>\n</tr>\n"
	pastOpen  = `<br><span style="font-size:14px;color:#4a4a4a;">`

	cellStyle = "border:1px solid #8c8c8c;padding:5px 7px;vertical-align:top;text-align:left;"
	headStyle = cellStyle + "background-color:#f2f2f2;font-weight:bold;"

	closingOpen = `<div style="margin:10px 0 0;">` + "\n"
	contactOpen = `<div style="margin:18px 0 0;">`
	divEnd      = "</div>\n"
	signedOpen  = `<p style="margin:26px 0 0;text-align:right;line-height:1.9;padding-right:2em;">`
	copiesOpen  = `<p style="margin:26px 0 0;padding:6px 0;border-top:1px solid #1a1a1a;border-bottom:1px solid #1a1a1a;font-size:15px;line-height:1.7;">`
	pageEnd     = "</div>\n</body>\n</html>\n"
)

// styleOf is how a tone looks.
func styleOf(t tone) string {
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
}

// escapes is what takes the place of a character in the text of an element. These are the replacements of
// html/template, which escapes the plus sign too, for readers that guess UTF-7.
var escapes = [...]string{
	0: "\uFFFD", '"': "&#34;", '&': "&amp;", '\'': "&#39;", '+': "&#43;", '<': "&lt;", '>': "&gt;",
}

func appendEscaped(b []byte, s string) []byte {
	from := 0
	for i := range len(s) {
		if c := s[i]; int(c) < len(escapes) && escapes[c] != "" {
			b = append(append(b, s[from:i]...), escapes[c]...)
			from = i + 1
		}
	}
	return append(b, s[from:]...)
}

func appendPhrase(b []byte, p phrase) []byte {
	for _, s := range p {
		if s.Tone == plain {
			b = appendEscaped(b, s.Text)
			continue
		}
		b = append(append(append(b, `<span style="`...), styleOf(s.Tone)...), `">`...)
		b = append(appendEscaped(b, s.Text), "</span>"...)
	}
	return b
}

// appendPara writes an indented paragraph.
func appendPara(b []byte, p phrase) []byte {
	return append(appendPhrase(append(b, paraOpen+indent...), p), paraEnd...)
}

// appendPage writes the HTML alternative of a letter.
func appendPage(b []byte, c content) []byte {
	b = append(appendEscaped(append(b, pageHead...), c.Title), pageBody...)
	if c.Trial != "" {
		b = append(appendEscaped(append(b, pageTrial...), c.Trial), paraEnd...)
	}
	b = append(appendEscaped(append(b, pageTitle...), c.Title), "</h1>\n"...)
	if c.Addressee != "" {
		b = append(appendEscaped(append(b, paraOpen...), c.Addressee), paraEnd...)
	}
	for _, p := range c.Opening {
		b = appendPara(b, p)
	}
	for _, s := range c.Sections {
		b = appendSection(b, s)
	}
	b = append(b, closingOpen...)
	for _, p := range c.Closing {
		b = appendPara(b, p)
	}
	b = append(b, divEnd...)
	if len(c.Contact) > 0 {
		b = append(appendPara(append(b, contactOpen...), c.Contact), divEnd...)
	}
	b = append(appendEscaped(append(b, signedOpen...), c.Issuer), "<br>"...)
	b = append(appendEscaped(b, c.Date), paraEnd...)
	if c.Copies != "" {
		b = append(appendEscaped(append(b, copiesOpen...), c.Copies), paraEnd...)
	}
	return append(b, pageEnd...)
}

func appendSection(b []byte, s section) []byte {
	b = append(appendEscaped(append(b, heading...), s.Ordinal), "、"...)
	b = append(appendPhrase(b, s.Heading), "</h2>\n"...)
	if s.Table != nil {
		b = appendTable(b, *s.Table, s.Groups)
	} else {
		b = appendGroups(b, s.Groups)
	}
	for _, p := range s.Paras {
		b = appendPara(b, p)
	}
	return b
}

func appendGroups(b []byte, groups []group) []byte {
	for _, g := range groups {
		if g.Heading != "" {
			b = append(appendEscaped(append(b, paraOpen+indent...), g.Heading), paraEnd...)
		}
		for _, l := range g.Lines {
			b = append(strconv.AppendInt(append(b, paraOpen+indent...), int64(l.No), 10), ". "...)
			b = append(appendPhrase(b, l.Sentence()), paraEnd...)
		}
	}
	return b
}

func appendTable(b []byte, t table, groups []group) []byte {
	b = appendEscaped(append(b, tableOpen...), t.Name)
	b = appendEscaped(append(b, tableDue...), t.Due)
	b = appendEscaped(append(b, tableDays...), t.Days)
	b = append(appendEscaped(append(b, tableOwed...), t.Owed), tableBody...)
	for _, g := range groups {
		for _, l := range g.Lines {
			b = strconv.AppendInt(append(b, rowOpen...), int64(l.No), 10)
			b = appendPhrase(append(b, cellOpen...), l.Name)
			if len(l.Past) > 0 {
				b = append(appendPhrase(append(b, pastOpen...), l.Past), "</span>"...)
			}
			b = appendPhrase(append(b, cellOpen...), bare(l.Due))
			b = appendPhrase(append(b, cellOpen...), l.Remaining())
			b = append(appendPhrase(append(b, cellOpen...), l.Owed), rowEnd...)
		}
	}
	return append(b, tableEnd...)
}
