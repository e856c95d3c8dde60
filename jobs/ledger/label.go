package ledger

// JurisdictionOf returns the code in the labelled row 行政区域代码 above the first header, or "".
func JurisdictionOf(book Book) string {
	for _, sheet := range book.Sheets {
		for _, row := range sheet.Rows {
			for i, c := range row.Cells {
				if heading(c.Text) == "行政区域代码" {
					return row.at(i + 1).Text
				}
			}
		}
	}
	return ""
}
