package personnel

import (
	"cmp"
	"fmt"
	"strings"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// clauses joins what there is of a sum: 已过期1人、7日内到期2人. Parts of nobody are left out.
type clauses []string

func (c *clauses) add(n int, format string, args ...any) {
	if n > 0 {
		*c = append(*c, fmt.Sprintf(format, args...))
	}
}

func (c clauses) String() string { return strings.Join(c, "、") }

// together is the sum of several parts; one part is its own sum.
func (c clauses) together(n int) string {
	if len(c) < 2 {
		return ""
	}
	return fmt.Sprintf("，共%d人", n)
}

// monthDay is the day without its year, as within a letter of the same year.
func monthDay(d, today civil.Date) string {
	if d.Year() != today.Year() {
		return d.Chinese()
	}
	return fmt.Sprintf("%d月%d日", int(d.Month()), d.Day())
}

// percent is a share of a hundred with at most one decimal, rounded half up.
func percent(a, b int) string {
	if b == 0 {
		return "0%"
	}
	tenths := (2000*a + b) / (2 * b)
	if tenths%10 == 0 {
		return fmt.Sprintf("%d%%", tenths/10)
	}
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}

// MaskCertificate hides all but the last four characters of a certificate's number; one of four or fewer is hidden whole.
func MaskCertificate(s string) string {
	r := []rune(s)
	switch {
	case len(r) == 0:
		return ""
	case len(r) <= 4:
		return "****"
	}
	return "****" + string(r[len(r)-4:])
}

// regards end a letter in the way its word asks for; a word that is no note and no letter has none.
func regards(word string) []string {
	switch {
	case strings.HasSuffix(word, "函"):
		return []string{"特此函告。"}
	case strings.HasSuffix(word, "提示"):
		return []string{"特此提示。"}
	}
	return nil
}

// matterWord is what a matter is called in the table.
func matterWord(m Matter) string {
	switch m {
	case Certificate, Unstated:
		return "证件有效期"
	case Suspension:
		return "证件暂扣"
	case Return:
		return "离岗培训"
	case Hours:
		return "年度学时"
	case Applicant:
		return "新申领"
	}
	return ""
}

// standing says where a person stands, and how pressing that is.
func standing(f Finding) (string, notice.Tone) {
	switch f.Class {
	case Expired:
		return fmt.Sprintf("已过期%d日", -f.Left), notice.Red
	case Expiring:
		if f.Left == 0 {
			return "今日到期", notice.Yellow
		}
		return fmt.Sprintf("%d日后到期", f.Left), soon(f.Left)
	case NoExpiry:
		return "有效期未登记", notice.Plain
	case Running:
		return fmt.Sprintf("暂扣期内，%d日后期满", f.Left), notice.Plain
	case DueBack:
		if f.Left == 0 {
			return "今日暂扣期满", notice.Yellow
		}
		return fmt.Sprintf("暂扣期内，%d日后期满", f.Left), notice.Yellow
	case Overdue:
		return fmt.Sprintf("暂扣期满%d日，未登记恢复", -f.Left), notice.Red
	case NoEnd:
		return "暂扣期满日未登记", notice.Plain
	case Short, Unproved, Ready, Behind, OnPace, Met, TooNew, Unknown:
	}
	return trained(f)
}

func soon(days int) notice.Tone {
	if days <= 30 {
		return notice.Yellow
	}
	return notice.Plain
}

// trained says where a person stands with hours and assessments.
func trained(f Finding) (string, notice.Tone) {
	hours := "学时未登记"
	if f.Known {
		hours = fmt.Sprintf("%d学时", f.Hours)
	}
	if f.Hours < f.Want && f.Known {
		hours += fmt.Sprintf("，差%d学时", f.Want-f.Hours)
	}
	if f.Matter == Hours {
		if f.Class == Behind {
			return hours + fmt.Sprintf("，按目前进度年底预计%d学时", f.Forecast), notice.Yellow
		}
		return hours, cmp.Or(map[Class]notice.Tone{Short: notice.Red}[f.Class], notice.Plain)
	}
	exam := "考核未登记"
	switch {
	case f.Matter == Applicant && f.Class == Unproved && !f.Assessed:
		exam = "待考试"
	case f.Passed:
		exam = "考核合格"
	case f.Assessed:
		exam = "考核不合格"
	}
	tone := notice.Yellow
	if f.Class == Ready {
		tone = notice.Green
	}
	return hours + "，" + exam, tone
}
