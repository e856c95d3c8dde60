package compose

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// maxRunes bounds any single text that a letter takes from the register, so that a cell of a megabyte stays a cell.
const maxRunes = 300

// clean makes a text from the register safe to print on one line: valid UTF-8, no control or invisible formatting
// characters (a bidirectional override could make a date read backwards), white space collapsed.
func clean(s string) string { return cleanTo(s, maxRunes) }

// cleanTo is clean with so many characters kept.
func cleanTo(s string, most int) string {
	if isClean(s, most) {
		return s
	}
	var b strings.Builder
	space, n := false, 0
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			continue
		}
		if n++; n > most {
			b.WriteString("……")
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isClean recognises most texts that clean leaves as they are, quickly: Chinese, its punctuation, and ASCII with single
// spaces inside.
func isClean(s string, most int) bool {
	if len(s) > most {
		return false
	}
	before := ' '
	for _, r := range s {
		switch {
		case r > ' ' && r < 0x7f, r > 0x3000 && r <= 0x9fff, r > 0xff00 && r < 0xffe0:
		case r == ' ' && before != ' ':
		default:
			return false
		}
		before = r
	}
	return before != ' ' || s == ""
}

// cleaned returns the facts with every text cleaned; the caller's slices are left alone.
func cleaned(f notice.Facts) notice.Facts {
	for _, s := range []*string{
		&f.Jurisdiction,
		&f.Issuer.Name, &f.Issuer.Short, &f.Issuer.Word, &f.Issuer.Office, &f.Issuer.Contact, &f.Issuer.Phone,
		&f.Issuer.Email, &f.Issuer.Address,
		&f.Reader.Name, &f.Reader.FullName, &f.Reader.Honorific,
	} {
		*s = clean(*s)
	}
	f.Plans = append([]notice.Plan(nil), f.Plans...)
	for i := range f.Plans {
		f.Plans[i].Title, f.Plans[i].DocNumber = clean(f.Plans[i].Title), clean(f.Plans[i].DocNumber)
	}
	f.Recipients = append([]notice.Recipient(nil), f.Recipients...)
	for i := range f.Recipients {
		// The address is not cleaned: what is wrong with it is refused, not mended.
		f.Recipients[i].Name, f.Recipients[i].Role = clean(f.Recipients[i].Name), clean(f.Recipients[i].Role)
	}
	for _, list := range []*[]notice.Item{&f.Overdue, &f.Upcoming, &f.Behind, &f.Clocks, &f.Support, &f.Standing, &f.Awaiting} {
		*list = append([]notice.Item(nil), *list...)
		for i := range *list {
			cleanItem(&(*list)[i])
		}
	}
	if f.Paper != nil {
		p := cleanedPaper(*f.Paper)
		if f.LateIssue {
			lateIssue(&p, f)
		}
		f.Paper = &p
	}
	return f
}

func cleanItem(it *notice.Item) {
	for _, s := range []*string{
		&it.Row, &it.Title, &it.Period, &it.Case, &it.DeadlineText, &it.Soft, &it.Deliverable, &it.Evidence,
		&it.Channel, &it.SendTo, &it.Condition,
	} {
		*s = clean(*s)
	}
}

// ordinal returns 一 to 十, the numbering of a letter's first level.
func ordinal(n int) string {
	return [...]string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"}[n]
}

// weekday returns 星期一 to 星期日.
func weekday(d civil.Date) string {
	return [...]string{"星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"}[d.Weekday()]
}

// short writes a date as a letter of the given day does: without the year where it is the letter's own.
func short(d, letter civil.Date) string {
	if d.IsZero() {
		return ""
	}
	y, m, day := d.YMD()
	if y == letter.Year() {
		return strconv.Itoa(int(m)) + "月" + strconv.Itoa(day) + "日"
	}
	return d.Chinese()
}

// shortDay is short with the day of the week: 9月30日（星期一）.
func shortDay(d, letter civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return short(d, letter) + "（" + weekday(d) + "）"
}

// self is how an office calls itself in its letters: 我局, 我办.
func self(name string) string {
	switch {
	case strings.HasSuffix(name, "局"):
		return "我局"
	case strings.HasSuffix(name, "办"), strings.HasSuffix(name, "办公室"):
		return "我办"
	case strings.HasSuffix(name, "委"), strings.HasSuffix(name, "委员会"):
		return "我委"
	}
	return "我单位"
}

// roleName is how a letter calls a contact: by the post, never by the person.
func roleName(role string) string {
	switch role {
	case "liaison":
		return "联络员"
	case "deputy":
		return "分管负责人"
	case "head":
		return "主要负责人"
	case "legal":
		return "法制联系人"
	case "personnel":
		return "人事联系人"
	case "bureau": // the office itself
		return ""
	}
	return "联系人"
}

// quoted puts a title into 《》, turning the marks it brings along into 〈〉 (GB/T 15834-2011, 4.15).
func quoted(title string) string {
	t := strings.TrimSpace(title)
	if strings.HasPrefix(t, "《") && strings.HasSuffix(t, "》") && strings.Count(t, "《") == 1 {
		return t
	}
	return "《" + strings.ReplaceAll(strings.ReplaceAll(t, "《", "〈"), "》", "〉") + "》"
}

// topic returns the subject matter of a plan in few words, for titles and subjects:
// 《崂山区提升行政执法质量实施方案》 is about 提升行政执法质量. It returns "" where no short form is left.
func topic(title, jurisdiction string) string {
	t := innermost(strings.TrimSpace(title))
	for _, open := range []string{"（", "("} {
		if i := strings.LastIndex(t, open); i >= 0 && (strings.HasSuffix(t, "）") || strings.HasSuffix(t, ")")) {
			t = t[:i]
		}
	}
	if i := strings.LastIndex(t, "关于"); i >= 0 { // what stands before it is who issued it: ××区人民政府关于…的意见
		t = t[i+len("关于"):]
	}
	t = strings.TrimPrefix(t, "印发")
	t = withoutPlace(t, jurisdiction)
	for {
		cut := t
		for _, suffix := range []string{
			"实施方案", "工作方案", "行动方案", "行动计划", "工作计划", "实施意见", "实施细则", "若干措施", "若干意见",
			"工作要点", "任务清单", "任务台账", "工作台账", "方案", "计划", "意见", "措施", "要点", "台账", "通知", "的",
		} {
			cut = strings.TrimSuffix(cut, suffix)
		}
		if cut == t {
			break
		}
		t = cut
	}
	if n := utf8.RuneCountInString(t); n < 2 || n > 24 {
		return ""
	}
	return t
}

// innermost returns what the innermost book-title marks hold, or the text itself.
func innermost(t string) string {
	for _, pair := range [][2]string{{"〈", "〉"}, {"《", "》"}} {
		i := strings.Index(t, pair[0])
		if i < 0 {
			continue
		}
		rest := t[i+len(pair[0]):]
		if j := strings.Index(rest, pair[1]); j >= 0 {
			return rest[:j]
		}
	}
	return t
}

// withoutPlace drops the jurisdiction's name, in full (青岛市崂山区) or its last part (崂山区), and 全区, 全市, 全县.
func withoutPlace(t, jurisdiction string) string {
	place := []rune(jurisdiction)
	for i := 0; i+2 <= len(place); i++ {
		if rest, ok := strings.CutPrefix(t, string(place[i:])); ok {
			return rest
		}
	}
	for _, all := range []string{"全区", "全市", "全县", "全州", "全旗"} {
		if rest, ok := strings.CutPrefix(t, all); ok {
			return rest
		}
	}
	return t
}
