package docx

import (
	"encoding/xml"
	"slices"
)

// The namespaces of ECMA-376.
const (
	wordSpace = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	officeRel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	wordType  = "application/vnd.openxmlformats-officedocument.wordprocessingml."
	partHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

const contentTypes = partHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
<Override PartName="/word/document.xml" ContentType="` + wordType + `document.main+xml"/>
<Override PartName="/word/styles.xml" ContentType="` + wordType + `styles+xml"/>
<Override PartName="/word/settings.xml" ContentType="` + wordType + `settings+xml"/>
<Override PartName="/word/fontTable.xml" ContentType="` + wordType + `fontTable+xml"/>
<Override PartName="/word/footer1.xml" ContentType="` + wordType + `footer+xml"/>
<Override PartName="/word/footer2.xml" ContentType="` + wordType + `footer+xml"/>
</Types>
`

const packageRels = partHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="` + officeRel + `officeDocument" Target="word/document.xml"/>
<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>
</Relationships>
`

const documentRels = partHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="` + officeRel + `styles" Target="styles.xml"/>
<Relationship Id="rId2" Type="` + officeRel + `settings" Target="settings.xml"/>
<Relationship Id="rId3" Type="` + officeRel + `fontTable" Target="fontTable.xml"/>
<Relationship Id="rId4" Type="` + officeRel + `footer" Target="footer1.xml"/>
<Relationship Id="rId5" Type="` + officeRel + `footer" Target="footer2.xml"/>
</Relationships>
`

// core is the document's properties, without a time: the same paper is the same file.
func core(title string) string {
	b := &body{}
	b.put(partHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>`)
	_ = xml.EscapeText(&b.out, []byte(title))
	b.put("</dc:title><dc:creator>duban</dc:creator></cp:coreProperties>\n")
	return b.out.String()
}

const documentHead = partHead + `<w:document ` + wordSpace + `>
<w:body>
`

// documentEnd is the page: A4, margins of 37, 35, 28 and 26 mm (GB/T 9704-2012, 5.2), page numbers below the text at the
// outer edge.
const documentEnd = `<w:sectPr><w:footerReference w:type="default" r:id="rId4"/><w:footerReference w:type="even" r:id="rId5"/>` +
	`<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1587" w:header="851" w:footer="1304" w:gutter="0"/></w:sectPr>
</w:body>
</w:document>
`

// footer is the number of the page, between dashes, one character from the edge (GB/T 9704-2012, 7.5).
func footer(side, indent string) string {
	field := func(kind string) string { return `<w:r><w:fldChar w:fldCharType="` + kind + `"/></w:r>` }
	return partHead + `<w:ftr ` + wordSpace + `><w:p><w:pPr><w:pStyle w:val="Footer"/><w:ind w:` + indent + `="100" w:` + side + `="280"/><w:jc w:val="` + side + `"/></w:pPr>` +
		`<w:r><w:t>－</w:t></w:r>` + field("begin") + `<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>` + field("separate") +
		`<w:r><w:t>1</w:t></w:r>` + field("end") + `<w:r><w:t>－</w:t></w:r></w:p></w:ftr>` + "\n"
}

const settings = partHead + `<w:settings ` + wordSpace + `><w:zoom w:percent="100"/><w:evenAndOddHeaders/><w:defaultTabStop w:val="420"/>` +
	`<w:characterSpacingControl w:val="compressPunctuation"/><w:compat><w:useFELayout/>` +
	`<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>` +
	`<w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/></w:settings>
`

// The fonts of official papers. A program that lacks one takes its alternative.
const (
	titleFont   = "方正小标宋简体"
	bodyFont    = "仿宋_GB2312"
	headingFont = "黑体"
	pageFont    = "宋体"
)

const fontTable = partHead + `<w:fonts ` + wordSpace + `>` +
	`<w:font w:name="` + titleFont + `"><w:altName w:val="华文中宋"/><w:charset w:val="86"/><w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>` +
	`<w:font w:name="` + bodyFont + `"><w:altName w:val="仿宋"/><w:charset w:val="86"/><w:family w:val="modern"/><w:pitch w:val="variable"/></w:font>` +
	`<w:font w:name="` + headingFont + `"><w:altName w:val="SimHei"/><w:charset w:val="86"/><w:family w:val="modern"/><w:pitch w:val="variable"/></w:font>` +
	`<w:font w:name="` + pageFont + `"><w:altName w:val="SimSun"/><w:charset w:val="86"/><w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>` +
	`</w:fonts>
`

// exactly28 is the line spacing of 28 points, by which 22 lines stand on a page (GB/T 9704-2012, 5.2.3).
const exactly28 = `<w:spacing w:before="0" w:after="0" w:line="560" w:lineRule="exact"/>`

// twoIn is the first line's indent of two characters.
const twoIn = `<w:ind w:firstLineChars="200" w:firstLine="640"/>`

func font(name string) string {
	return `<w:rFonts w:ascii="` + name + `" w:hAnsi="` + name + `" w:eastAsia="` + name + `" w:cs="` + name + `"/>`
}

func size(halfPoints string) string {
	return `<w:sz w:val="` + halfPoints + `"/><w:szCs w:val="` + halfPoints + `"/>`
}

// style is a paragraph style on top of Normal. Names that Word has itself are not custom.
func style(id, name, para, run string) string {
	custom := ""
	if !slices.Contains([]string{"Title", "Body Text", "heading 1", "Date", "footer"}, name) {
		custom = ` w:customStyle="1"`
	}
	return `<w:style w:type="paragraph"` + custom + ` w:styleId="` + id + `"><w:name w:val="` + name + `"/><w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>` +
		para + `</w:pPr><w:rPr>` + run + `</w:rPr></w:style>` + "\n"
}

// styles are those of GB/T 9704-2012, 7.3: the title in 小标宋 of size 2, the text in 仿宋 of size 3, headings of the first
// level in 黑体; tables and forms smaller.
func styles() string {
	const (
		centre = `<w:jc w:val="center"/>`
		tight  = `<w:spacing w:before="0" w:after="0" w:line="320" w:lineRule="atLeast"/>`
		roomy  = `<w:spacing w:before="40" w:after="40" w:line="380" w:lineRule="atLeast"/>`
		grey   = `<w:top w:val="single" w:sz="6" w:space="4" w:color="000000"/><w:bottom w:val="single" w:sz="6" w:space="4" w:color="000000"/>`
	)
	return partHead + `<w:styles ` + wordSpace + `><w:docDefaults><w:rPrDefault><w:rPr>` + font(bodyFont) + size("32") +
		`<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/></w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>` + "\n" +
		`<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/><w:pPr>` + exactly28 +
		`<w:jc w:val="both"/></w:pPr><w:rPr>` + font(bodyFont) + size("32") + `</w:rPr></w:style>` + "\n" +
		`<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:uiPriority w:val="99"/><w:semiHidden/>` +
		`<w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/>` +
		`<w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>` + "\n" +
		style("Mark", "Mark", exactly28, font(headingFont)) +
		style("Title", "Title", `<w:keepNext/><w:spacing w:before="240" w:after="200" w:line="680" w:lineRule="exact"/>`+centre, font(titleFont)+size("44")) +
		style("Under", "Under", `<w:spacing w:before="0" w:after="80" w:line="480" w:lineRule="exact"/>`+centre, "") +
		style("Addressee", "Addressee", `<w:spacing w:before="280" w:after="0" w:line="560" w:lineRule="exact"/>`, "") +
		style("BodyText", "Body Text", exactly28+twoIn, "") +
		style("Contact", "Contact", exactly28+twoIn+`<w:jc w:val="left"/>`, "") +
		style("Heading1", "heading 1", `<w:keepNext/>`+exactly28+twoIn+`<w:outlineLvl w:val="0"/>`, font(headingFont)) +
		style("Note", "Note", `<w:spacing w:before="0" w:after="0" w:line="440" w:lineRule="exact"/><w:ind w:firstLineChars="200" w:firstLine="560"/>`, size("28")) +
		style("FirstFile", "First File", `<w:spacing w:before="560" w:after="0" w:line="560" w:lineRule="exact"/><w:ind w:leftChars="500" w:left="1600" w:hangingChars="300" w:hanging="960"/>`, "") +
		style("File", "File", exactly28+`<w:ind w:leftChars="500" w:left="1600"/>`, "") +
		style("Issuer", "Issuer", `<w:keepNext/><w:spacing w:before="1120" w:after="0" w:line="560" w:lineRule="exact"/><w:jc w:val="right"/>`, "") +
		style("FormIssuer", "Form Issuer", `<w:keepNext/><w:spacing w:before="360" w:after="0" w:line="560" w:lineRule="exact"/><w:jc w:val="right"/>`, "") +
		style("Date", "Date", `<w:spacing w:before="0" w:after="280" w:line="560" w:lineRule="exact"/><w:jc w:val="right"/>`, "") +
		style("Copies", "Copies", `<w:pBdr>`+grey+`</w:pBdr><w:spacing w:before="560" w:after="0" w:line="480" w:lineRule="exact"/><w:ind w:leftChars="400" w:left="1120" w:rightChars="100" w:right="280" w:hangingChars="300" w:hanging="840"/>`, size("28")) +
		style("TableHead", "Table Head", `<w:keepNext/>`+tight+centre, font(headingFont)+size("24")) +
		style("TableText", "Table Text", tight+centre, size("24")) +
		style("FormHead", "Form Head", `<w:keepNext/>`+roomy+centre, font(headingFont)+size("24")) +
		style("FormLabel", "Form Label", roomy+centre, font(headingFont)+size("24")) +
		style("FormText", "Form Text", roomy+`<w:jc w:val="left"/>`, size("24")) +
		style("Gap", "Gap", `<w:keepNext/><w:spacing w:before="0" w:after="0" w:line="120" w:lineRule="exact"/>`, size("2")) +
		style("Footer", "footer", `<w:spacing w:before="0" w:after="0" w:line="280" w:lineRule="exact"/>`, font(pageFont)+size("28")) +
		"</w:styles>\n"
}
