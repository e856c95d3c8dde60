package compose

import (
	"fmt"

	"duban/notify/notice"
)

// subject is 【区司法局】9月30日前请报5项（2项已超期）·提升行政执法质量·区交通运输局: the issuer, the nearest date and the counts
// stand within the first twenty characters, which is what a list of mails shows.
func subject(f notice.Facts) string {
	if f.Paper != nil {
		return paperSubject(f)
	}
	issuer := f.Issuer.Short
	if issuer == "" {
		issuer = f.Issuer.Name
	}
	late := ""
	if f.LateIssue {
		late = "（补发）"
	}
	return "【" + issuer + "】" + late + headline(f) + "·" + subjectMatter(f) + "·" + f.Reader.Name
}

// headline is the date and the counts.
func headline(f notice.Facts) string {
	c := count(f)
	var s string
	switch {
	case c.joint && c.overdue > 0:
		s = fmt.Sprintf("%s前请报%d项（%d项已超期）", short(c.nearest, f.Date), c.overdue+c.atNearest, c.overdue)
	case c.overdue > 0 && c.upcoming > 0:
		return fmt.Sprintf("%d项已超期请即反馈，另%d项%s起到期", c.overdue, c.upcoming, short(c.nearest, f.Date)) + others(c)
	case c.overdue > 0:
		s = fmt.Sprintf("%d项已超期请即反馈", c.overdue)
		switch {
		case c.oldest.IsZero():
		case c.overdue == 1:
			s = fmt.Sprintf("请报1项（%s到期，已超期）", short(c.oldest, f.Date))
		default:
			s = fmt.Sprintf("请报%d项（%s起到期，均已超期）", c.overdue, short(c.oldest, f.Date))
		}
	case c.upcoming > 0 && c.nearest.IsZero():
		s = fmt.Sprintf("请报%d项", c.upcoming)
	case c.upcoming > 0:
		s = fmt.Sprintf("%s前请报%d项", short(c.nearest, f.Date), c.atNearest)
	default:
		return withoutDates(f, c)
	}
	if rest := c.upcoming - c.atNearest; rest > 0 && !c.nearest.IsZero() {
		s += fmt.Sprintf("，另%d项后续到期", rest)
	}
	return s + others(c)
}

// others adds what stands beside the dated items.
func others(c counts) string {
	s := ""
	if c.clocks > 0 {
		s += fmt.Sprintf("、逐案%d件", c.clocks)
	}
	if c.behind > 0 {
		s += fmt.Sprintf("、滞后%d项", c.behind)
	}
	return s
}

// withoutDates is the headline of a letter in which nothing falls due.
func withoutDates(f notice.Facts, c counts) string {
	switch {
	case c.clocks > 0:
		first := f.Clocks[0].Due
		for _, it := range f.Clocks {
			first = min(first, it.Due)
		}
		s := fmt.Sprintf("%s起逐案办理%d件", short(first, f.Date), c.clocks)
		if c.lateClocks > 0 {
			s += fmt.Sprintf("（%d件已超期）", c.lateClocks)
		}
		if c.behind > 0 {
			s += fmt.Sprintf("、滞后%d项", c.behind)
		}
		return s
	case c.behind > 0:
		return fmt.Sprintf("%s登记%d项滞后序时进度", short(f.Date, f.Date), c.behind)
	case c.support > 0:
		return fmt.Sprintf("%s配合事项%d项（供知悉）", short(f.Date, f.Date), c.support)
	}
	return fmt.Sprintf("%s在册%d项（供知悉）", short(f.Date, f.Date), len(f.Standing)+len(f.Awaiting))
}

// Subject is the subject that the letter's mail has, for lists of letters that are not composed.
func Subject(f notice.Facts) string { return subject(cleaned(f)) }
