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
	pageMark  = `<p style="margin:0 0 4px;font-family:'黑体',SimHei,STHeiti,'Noto Sans CJK SC',sans-serif;font-size:16px;line-height:1.6;">`
	// pageUnder pulls the lines under a title up to it.
	pageUnder = `<p style="margin:-14px 0 22px;text-align:center;font-size:16px;line-height:1.8;">`
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

	formOpen  = `<table style="width:100%;border-collapse:collapse;margin:10px 0 12px;font-size:16px;line-height:1.8;">` + "\n<tbody>\n"
	formHead  = "<tr>\n" + `<th colspan="2" scope="colgroup" style="` + formStyle + `background-color:#f2f2f2;text-align:center;font-weight:bold;">`
	formLabel = "<tr>\n" + `<th scope="row" style="` + formStyle + `width:7em;text-align:center;vertical-align:middle;font-weight:bold;">`
	formText  = "</th>\n" + `<td style="` + formStyle + `text-align:left;vertical-align:top;`
	formRoom  = "height:"
	formEnd   = "</tbody>\n</table>\n"

	gridOpen = `<div style="overflow-x:auto;margin:6px 0 8px;">` + "\n" +
		`<table style="width:100%;border-collapse:collapse;font-size:15px;line-height:1.6;">` + "\n<thead><tr>\n"
	gridHead  = `<th scope="col" style="` + gridStyle + `background-color:#f2f2f2;font-weight:bold;text-align:center;vertical-align:middle;`
	gridBody  = "</tr></thead>\n<tbody>\n"
	gridRow   = "<tr>\n"
	gridEnd   = "</tr>\n"
	gridClose = "</tbody>\n</table>\n</div>\n"
	noteOpen  = `<p style="margin:0;font-size:15px;line-height:1.7;">` + indent
	filesOpen = `<div style="margin:18px 0 0;">` + "\n"

	gridStyle   = "border:1px solid #8c8c8c;padding:5px 7px;"
	formStyle   = "border:1px solid #1a1a1a;padding:8px 10px;"
	tightStyle  = "white-space:nowrap;"
	middleStyle = "text-align:center;vertical-align:middle;"
	leftStyle   = "text-align:left;vertical-align:middle;"

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
	if c.Mark != "" {
		b = append(appendEscaped(append(b, pageMark...), c.Mark), paraEnd...)
	}
	b = append(appendEscaped(append(b, pageTitle...), c.Title), "</h1>\n"...)
	b = appendUnder(b, c.Under)
	if c.Addressee != "" {
		b = append(appendEscaped(append(b, paraOpen...), c.Addressee), paraEnd...)
	}
	for _, p := range c.Opening {
		b = appendPara(b, p)
	}
	b = appendForm(b, c.Form)
	for _, s := range c.Sections {
		b = appendSection(b, s)
	}
	b = append(b, closingOpen...)
	for _, p := range c.Closing {
		b = appendPara(b, p)
	}
	b = append(b, divEnd...)
	b = appendFiles(b, c.Files)
	if len(c.Contact) > 0 {
		b = append(appendPara(append(b, contactOpen...), c.Contact), divEnd...)
	}
	if c.Issuer != "" || c.Date != "" {
		b = append(appendEscaped(append(b, signedOpen...), c.Issuer), "<br>"...)
		b = append(appendEscaped(b, c.Date), paraEnd...)
	}
	if c.Copies != "" {
		b = append(appendEscaped(append(b, copiesOpen...), c.Copies), paraEnd...)
	}
	return append(b, pageEnd...)
}

func appendSection(b []byte, s section) []byte {
	if len(s.Heading) > 0 {
		b = append(b, heading...)
		if s.Ordinal != "" {
			b = append(appendEscaped(b, s.Ordinal), "、"...)
		}
		b = append(appendPhrase(b, s.Heading), "</h2>\n"...)
	}
	for _, p := range s.Before {
		b = appendPara(b, p)
	}
	for i, p := range s.Points {
		b = append(strconv.AppendInt(append(b, paraOpen+indent...), int64(i+1), 10), ". "...)
		b = append(appendPhrase(b, p), paraEnd...)
	}
	if s.Grid != nil {
		b = appendGrid(b, *s.Grid)
	}
	for _, p := range s.Notes {
		b = append(appendPhrase(append(b, noteOpen...), p), paraEnd...)
	}
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

// appendUnder writes what stands under a title, one line each.
func appendUnder(b []byte, lines []string) []byte {
	for i, s := range lines {
		if i == 0 {
			b = append(b, pageUnder...)
		} else {
			b = append(b, "<br>"...)
		}
		b = appendEscaped(b, s)
	}
	if len(lines) > 0 {
		b = append(b, paraEnd...)
	}
	return b
}

// appendForm writes a bordered form, with room to write where a row wants it.
func appendForm(b []byte, rows []formRow) []byte {
	if len(rows) == 0 {
		return b
	}
	b = append(b, formOpen...)
	for _, r := range rows {
		if r.Heading {
			b = appendEscaped(append(b, formHead...), r.Label)
			if r.Text != "" {
				b = appendEscaped(append(b, "　"...), r.Text)
			}
			b = append(b, "</th>\n</tr>\n"...)
			continue
		}
		b = append(appendEscaped(append(b, formLabel...), r.Label), formText...)
		if r.Room > 0 {
			b = append(strconv.AppendInt(append(b, formRoom...), int64(r.Room)*29, 10), "px;"...)
		}
		b = append(appendEscaped(append(b, `">`...), r.Text), rowEnd...)
	}
	return append(b, formEnd...)
}

// appendGrid writes a table of a paper. Where it is wider than the reader's window it can be shifted within its own frame.
func appendGrid(b []byte, g grid) []byte {
	b = append(b, gridOpen...)
	for _, c := range g.Columns {
		b = append(append(append(b, gridHead...), headLook(c)...), `">`...)
		b = append(appendEscaped(b, c.Name), "</th>\n"...)
	}
	b = append(b, gridBody...)
	for _, row := range g.Rows {
		b = append(b, gridRow...)
		for i, c := range row {
			b = append(append(append(b, `<td style="`+gridStyle...), cellLook(g.Columns[i])...), `">`...)
			b = append(appendPhrase(b, phrase{c}), "</td>\n"...)
		}
		b = append(b, gridEnd...)
	}
	return append(b, gridClose...)
}

// headLook keeps the shortest headings, which are words, on one line.
func headLook(c column) string {
	if width(c.Name) <= 2 {
		return tightStyle
	}
	return ""
}

// cellLook is how the cells of a column stand: short ones and numbers in the middle and on one line, longer ones at the left.
func cellLook(c column) string {
	switch {
	case c.Tight:
		return middleStyle + tightStyle
	case c.Numeric:
		return middleStyle
	}
	return leftStyle
}

func appendFiles(b []byte, files []string) []byte {
	if len(files) == 0 {
		return b
	}
	b = append(b, filesOpen...)
	for i, name := range files {
		b = fileMark(append(b, paraOpen+indent...), i, len(files))
		b = append(appendEscaped(b, name), paraEnd...)
	}
	return append(b, divEnd...)
}
