package closing

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"duban/jobs/civil"
	"duban/jobs/period"
)

// monthDay writes a date without its year and without leading zeros: 6月5日.
func monthDay(d civil.Date) string {
	if d == 0 {
		return ""
	}
	_, m, n := d.YMD()
	return fmt.Sprintf("%d月%d日", int(m), n)
}

// periodName writes an instance as papers do: 2024年6月, and of one with several dates 2024年6月（15日）.
func periodName(key string) string {
	name, date, several := strings.Cut(key, "/")
	out := period.Key(name).Chinese()
	if !several {
		return out
	}
	if m, d, ok := strings.Cut(date, "-"); ok {
		return out + "（" + strings.TrimLeft(m, "0") + "月" + strings.TrimLeft(d, "0") + "日）"
	}
	return out + "（" + strings.TrimLeft(date, "0") + "日）"
}

// remark tells of an extension that was asked for after the date and waits for its answer; until is the date asked for, 0
// where it is not to be said.
func remark(asked, until civil.Date) string {
	if asked == 0 {
		return ""
	}
	to := ""
	if until != 0 {
		to = "至" + monthDay(until)
	}
	return fmt.Sprintf("（%s逾期申请延期%s，待答复）", monthDay(asked), to)
}

// Percent writes a as a share of b, rounded to a tenth: 66.7%, 50%. It is empty where b is 0.
func Percent(a, b int) string {
	if b <= 0 {
		return ""
	}
	return tenths((int64(a)*2000 + int64(b)) / (2 * int64(b)))
}

// Rate writes a share with its numerator and denominator: 2/3（66.7%）. Where there is nothing to divide by it says so.
func Rate(a, b int) string {
	if b <= 0 {
		return "0/0（—）"
	}
	return fmt.Sprintf("%d/%d（%s）", a, b, Percent(a, b))
}

func tenths(n int64) string {
	if n%10 == 0 {
		return fmt.Sprintf("%d%%", n/10)
	}
	return fmt.Sprintf("%d.%d%%", n/10, n%10)
}

// Shares writes the parts as shares of their sum in tenths of a per cent that add up to exactly 100: each is rounded down,
// and the tenths that are left go to those with the largest remainders (Hamilton's method), the earlier first. All are
// empty where the sum is 0.
func Shares(parts []int) []string {
	var sum int64
	for _, p := range parts {
		sum += int64(p)
	}
	out := make([]string, len(parts))
	if sum <= 0 {
		return out
	}
	share, left := make([]int64, len(parts)), int64(1000)
	order := make([]int, len(parts))
	for i, p := range parts {
		share[i], order[i] = int64(p)*1000/sum, i
		left -= share[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(int64(parts[b])*1000%sum - int64(parts[a])*1000%sum) })
	for _, i := range order[:left] {
		share[i]++
	}
	for i, n := range share {
		out[i] = tenths(n)
	}
	return out
}

// tally joins counts that are not nought: 按时报送15家、迟报2家.
func tally(c Counts, w speech, unit string) string {
	var parts []string
	for _, s := range states() {
		if n := c.Of(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%s%d%s", w.words(s), n, unit))
		}
	}
	return strings.Join(parts, "、")
}

// maxMatter is the longest matter that a letter's key takes, in characters.
const maxMatter = 128

// matter names a closing in the key of its letter: PLAN/ROW@PERIOD.
func matter(plan, row, key string) string {
	m := plan + "/" + row + "@" + key
	for utf8.RuneCountInString(m) > maxMatter { // the period at its end tells the closings apart
		_, size := utf8.DecodeRuneInString(m)
		m = m[size:]
	}
	return m
}

// quoted puts a title into book-title marks.
func quoted(title string) string {
	if strings.HasPrefix(title, "《") {
		return title
	}
	return "《" + title + "》"
}
