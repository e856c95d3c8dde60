package personnel

import (
	"cmp"
	"fmt"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// sections are the counted parts of a full letter, of one unit or of all; a part of nobody is not made.
func (w *writer) sections(c Counts) []notice.Section {
	var out []notice.Section
	for _, s := range []notice.Section{
		w.certificates(c), w.suspensions(c), w.returns(c), w.hours(c), w.ratio(c), w.applicants(c),
	} {
		if len(s.Paras) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// ask is what a unit is asked to do; the bureau is asked for nothing.
func (w *writer) ask(request string) string {
	if w.toBureau {
		return ""
	}
	return request
}

func part(heading string, sentences ...string) notice.Section {
	s := notice.Section{Heading: heading}
	for _, one := range sentences {
		if one != "" {
			s.Paras = append(s.Paras, one)
		}
	}
	return s
}

func (w *writer) certificates(c Counts) notice.Section {
	var soon clauses
	soon.add(c.Expired, "已过期%d人", c.Expired)
	from := 0
	for i, n := range c.Within {
		if from == 0 {
			soon.add(n, "%d日内到期%d人", w.warn()[i], n)
		} else {
			soon.add(n, "%d至%d日内到期%d人", from+1, w.warn()[i], n)
		}
		from = w.warn()[i]
	}
	text, missing := "", ""
	if all := c.Expired + c.Expiring(); all > 0 {
		text = fmt.Sprintf("执法证件%s%s。", soon, soon.together(all))
		if c.Expired > 0 {
			text += w.ask("已过期的，请告知是否已换发及新的有效期。")
		}
		if c.Expiring() > 0 {
			text += w.ask("临近到期的，请在到期前办结换发。")
		}
	}
	if c.NoExpiry > 0 {
		missing = fmt.Sprintf("有效期未登记%d人。", c.NoExpiry) + w.ask("请补报证件上载明的日期。")
	}
	return part("执法证件到期", text, missing)
}

func (w *writer) warn() []int { return warnings(w.set.Staff) }

func (w *writer) suspensions(c Counts) notice.Section {
	if c.Suspended == 0 {
		return notice.Section{}
	}
	var parts clauses
	parts.add(c.Running, "暂扣期内%d人", c.Running)
	parts.add(c.DueBack, "%d日内期满%d人", dueBackWithin, c.DueBack)
	parts.add(c.BackOverdue, "期满未登记恢复%d人", c.BackOverdue)
	parts.add(c.NoEnd, "期满日未登记%d人", c.NoEnd)
	ask := ""
	if c.BackOverdue+c.NoEnd > 0 {
		ask = w.ask("请核实证件是否已恢复，并告知恢复日期或期满日。")
	}
	return part("证件暂扣", fmt.Sprintf("证件暂扣%d人：%s。%s", c.Suspended, parts, ask))
}

func (w *writer) returns(c Counts) notice.Section {
	if c.Off == 0 {
		return notice.Section{}
	}
	var parts clauses
	parts.add(c.OffShort, "学时不足%d人", c.OffShort)
	parts.add(c.OffUnproved, "学时已满但考核未合格或未登记%d人", c.OffUnproved)
	parts.add(c.OffReady, "学时已满且考核合格%d人", c.OffReady)
	return part("离岗人员培训", fmt.Sprintf("离岗人员返岗前应完成%d学时培训并考核合格。离岗%d人：%s。", w.set.Staff.HoursOffPost, c.Off, parts))
}

// hours says how far the year's hours are. In the letter after the year's end there is nothing left to forecast.
func (w *writer) hours(c Counts) notice.Section {
	if !w.a.Hours || c.Asked == 0 {
		return notice.Section{}
	}
	end := civil.Of(w.a.HoursOn.Year(), 12, 31)
	var parts clauses
	parts.add(c.Met, "已完成%d人", c.Met)
	parts.add(c.OnPace, "按目前进度年底预计能完成%d人", c.OnPace)
	parts.add(c.Behind, "按目前进度年底预计不能完成%d人", c.Behind)
	parts.add(c.Short, "未完成%d人", c.Short)
	parts.add(c.TooNew, "到岗不足%d日、暂不预计%d人", paceAfter, c.TooNew)
	parts.add(c.Unknown, "学时未登记%d人", c.Unknown)
	text := fmt.Sprintf("在岗人员%d年度应各完成%d学时（每学时45分钟）。截至%s，在岗%d人：%s。",
		end.Year(), w.set.Staff.HoursInPost, monthDay(w.a.HoursOn, w.d), c.Asked, parts)
	if known := c.Asked - c.Unknown; known > 0 {
		text += fmt.Sprintf("已登记%d人，人均%s学时。", known, average(c.Hours, known))
	}
	ask, how := "", ""
	if c.Behind > 0 {
		ask = w.ask("请安排好年底前的培训。")
		how = "预计数为已登记学时除以已过天数再乘以全年天数，年内到岗的自到岗之日计，舍去小数。"
	}
	if c.Unknown > 0 {
		ask += w.ask("学时未登记的，请报送该年度培训记录。")
	}
	return part(hoursHeading, text+ask, how)
}

func average(sum, n int) string {
	tenths := (20*sum + n) / (2 * n)
	if tenths%10 == 0 {
		return fmt.Sprint(tenths / 10)
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

// ratio says how many reviewers there are against the rule. Of several units it counts the units.
func (w *writer) ratio(c Counts) notice.Section {
	if !w.a.Ratios || c.RatioAsked+c.PairAsked == 0 {
		return notice.Section{}
	}
	rules := w.set.Staff
	share, pair := "", ""
	if c.RatioAsked > 0 {
		share = fmt.Sprintf("法制审核人员占执法人员%d/%d（%s）。按%s不低于%d%%、不足1人按1人计，应配%d人，%s。执法人员按在岗的执法、法制审核岗位人数计，证件暂扣、注销的不计。",
			c.Reviewers, c.Staff(), percent(c.Reviewers, c.Staff()), rules.Soft, rules.ReviewerPercent, c.ReviewersNeeded, enough(c.Reviewers, c.ReviewersNeeded))
	}
	if c.PairAsked > 0 {
		both := c.Reviewers + c.Supervisors
		pair = fmt.Sprintf("法制审核人员%d人、执法监督人员%d人，合计%d人，应不少于%d人，%s。", c.Reviewers, c.Supervisors, both, c.PairNeeded, enough(both, c.PairNeeded))
	}
	return part(ratioHeading, share, pair)
}

func enough(have, need int) string {
	if have < need {
		return fmt.Sprintf("差%d人", need-have)
	}
	return "已达到"
}

func (w *writer) applicants(c Counts) notice.Section {
	if c.Applying == 0 {
		return notice.Section{}
	}
	var parts clauses
	parts.add(c.ApplyShort, "学时不足%d人", c.ApplyShort)
	parts.add(c.Awaiting, "学时已满待考试%d人", c.Awaiting)
	parts.add(c.ApplyReady, "考试合格待发证%d人", c.ApplyReady)
	rule := ""
	if n := w.set.Staff.HoursApplicant; n > 0 {
		rule = fmt.Sprintf("新申领人员应先完成%d学时公共法律知识培训。", n)
	}
	return part("新申领人员", rule+fmt.Sprintf("新申领%d人：%s。", c.Applying, parts))
}

// totals writes the bureau's letter: counts of all and by unit, and nobody's name.
func (w *writer) totals(res Result) (notice.Notice, bool) {
	if res.Total.People == 0 {
		return notice.Notice{}, false
	}
	w.toBureau = true
	bureau := w.units[w.Jurisdiction.Bureau]
	key := notice.Key{Jurisdiction: w.Jurisdiction.Code, Date: w.d, Unit: w.Jurisdiction.Bureau, Role: "bureau", Kind: notice.PersonnelTotals}
	c := res.Total
	paper := notice.Paper{
		Mark: "内部资料", Title: w.Jurisdiction.Name + "行政执法人员管理情况", Date: w.d, Issuer: w.issuer.Name, Contact: w.issuer.ContactLine(),
		Subject: fmt.Sprintf("【%s】人员管理%d月：证件已过期%d人、%d日内到期%d人·%d家单位", w.issuer.Short, int(w.d.Month()),
			c.Expired, longest(res.Warn), c.Expiring(), c.Units),
		Sub: "按登记，截至" + w.d.Chinese(), Addressee: bureau.Name,
		Opening: []string{fmt.Sprintf("名册内行政执法人员%d人（%s），分属%d家单位。本件只列人数；各单位的名单只在发给该单位的提示中。",
			c.People, roll(c), c.Units)},
		Sections: w.totalSections(c),
	}
	sheet := w.byUnit(res)
	paper.Sections = append(paper.Sections, notice.Section{Heading: "各单位情况", Table: w.brief(res), Notes: w.notes(res)})
	paper.Sheets, paper.File = []notice.Sheet{sheet}, "行政执法人员管理情况"+w.d.String()
	f := notice.Facts{
		Jurisdiction: w.Jurisdiction.Name, Date: w.d, Issuer: w.issuer, Versions: w.set.Versions, Paper: &paper,
		Reader:     notice.Reader{Code: bureau.Code, Name: bureau.Name, FullName: cmp.Or(bureau.FullName, bureau.Name), Honorific: cmp.Or(bureau.Honorific, "贵局")},
		Recipients: w.bureauReaders(bureau),
	}
	n := notice.Notice{ID: key.ID(), Key: key, Job: job, Facts: f, State: notice.Pending}
	if len(f.Recipients) == 0 {
		n.State, n.Reason = notice.Held, "the bureau has no reader: set digest_to, or import its liaison with an e-mail address"
	}
	return n, true
}

func longest(warn []int) int {
	if len(warn) == 0 {
		return 0
	}
	return warn[len(warn)-1]
}

// bureauReaders are the readers of the bureau's digest, else its liaison.
func (w *writer) bureauReaders(bureau task.Unit) []notice.Recipient {
	if len(w.set.Bureau) > 0 {
		return w.set.Bureau
	}
	if c, ok := bureau.Contact(task.Liaison); ok && c.Email != "" {
		return []notice.Recipient{{Role: string(task.Liaison), Name: c.Name, Email: c.Email}}
	}
	return nil
}

// totalSections are those of a unit, but for the ratio, which is each unit's own: of all it counts units.
func (w *writer) totalSections(c Counts) []notice.Section {
	var out []notice.Section
	for _, s := range []notice.Section{w.certificates(c), w.suspensions(c), w.returns(c), w.hours(c), w.ratioOfAll(c), w.applicants(c)} {
		if len(s.Paras) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (w *writer) ratioOfAll(c Counts) notice.Section {
	if !w.a.Ratios || c.RatioAsked+c.PairAsked == 0 {
		return notice.Section{}
	}
	rules := w.set.Staff
	share, pair := "", ""
	if c.RatioAsked > 0 {
		share = fmt.Sprintf("法制审核人员占执法人员%d/%d（%s）。按每家单位%s不低于%d%%、不足1人按1人计，%d家单位应配%d人，其中%d家不足。",
			c.Reviewers, c.Staff(), percent(c.Reviewers, c.Staff()), rules.Soft, rules.ReviewerPercent, c.RatioAsked, c.ReviewersNeeded, c.RatioShort)
	}
	if c.PairAsked > 0 {
		pair = fmt.Sprintf("法制审核与执法监督人员合计应不少于%d人的%d家单位中，%d家不足。", rules.ReviewersAndSupervisors, c.PairAsked, c.PairShort)
	}
	return part(ratioHeading, share, pair)
}
