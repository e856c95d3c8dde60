package compose

import (
	"maps"

	"duban/jobs/civil"
	"duban/notify/notice"
)

func day(s string) civil.Date { return civil.MustParse(s) }

func days(ss ...string) []civil.Date {
	out := make([]civil.Date, len(ss))
	for i, s := range ss {
		out[i] = day(s)
	}
	return out
}

var testMail = Mail{FromName: "崂山区司法局", FromAddress: "duban@sfj.laoshan.example", ReplyTo: "zfjd@sfj.laoshan.example"}

func laoshan() notice.Plan {
	return notice.Plan{Code: "zfzl2024", Title: "崂山区提升行政执法质量实施方案", DocNumber: "青崂政办字〔2024〕14号", Issued: day("2024-07-08")}
}

// base is a letter with readers and issuer and nothing to say.
func base(date string) notice.Facts {
	return notice.Facts{
		Jurisdiction: "青岛市崂山区", Date: day(date),
		Issuer: notice.Issuer{
			Name: "青岛市崂山区司法局", Short: "区司法局", Word: "工作提示", Office: "执法监督科", Contact: "示例甲", Phone: "0000-5550100",
			Email: "zfjd@sfj.laoshan.example",
		},
		Reader:     notice.Reader{Code: "qjtj", Name: "区交通运输局", FullName: "青岛市崂山区交通运输局", Honorific: "贵局"},
		Recipients: []notice.Recipient{{Role: "liaison", Name: "示例乙", Email: "lianluo@qjtj.laoshan.example"}},
		Plans:      []notice.Plan{laoshan()},
	}
}

func letterOf(f notice.Facts) notice.Notice {
	k := notice.Key{Jurisdiction: "laoshan", Date: f.Date, Unit: f.Reader.Code, Role: "liaison", Kind: notice.UnitLetter}
	return notice.Notice{ID: k.ID(), Key: k, Facts: f}
}

func upcoming(row, title, due string, left int, makeUp ...string) notice.Item {
	return notice.Item{
		Row: row, Title: title, Kind: "milestone", Due: day(due), Nominal: day(due), LastWorkday: day(due), Left: left,
		MakeUp: days(makeUp...), DeadlineText: "2024年9月底", Deliverable: "报告1份", Step: "T-3", Rung: "reminder",
	}
}

func overdue(row, title, due string, late int) notice.Item {
	return notice.Item{
		Row: row, Title: title, Kind: "milestone", Due: day(due), Nominal: day(due), LastWorkday: day(due), Late: late,
		Deliverable: "自查表1份",
	}
}

// goldenLetters is one letter of every shape. Each has its .eml in testdata.
func goldenLetters() map[string]notice.Notice {
	out := map[string]notice.Notice{}

	full := base("2024-09-26")
	full.Recipients = append(full.Recipients, notice.Recipient{Role: "deputy", Name: "示例丙", Email: "fenguan@qjtj.laoshan.example", Copy: true})
	a := overdue("56", "典型案例报送", "2024-09-13", 8)
	a.Deliverable, a.DeadlineText, a.Step, a.Rung = "案例1篇", "根据上级部署", "T+5", "urging"
	a.Reminded, a.Urged = days("2024-09-10"), days("2024-09-18")
	b := overdue("24", "文书与装备标准自查", "2024-09-20", 3)
	b.Reminded = days("2024-09-14", "2024-09-18")
	full.Overdue = []notice.Item{a, b}
	one := upcoming("17", "突出问题清单", "2024-09-30", 3, "2024-09-29")
	one.Deliverable = "清单1份"
	two := upcoming("18", "专项监督自查材料", "2024-09-30", 3, "2024-09-29")
	two.Evidence, two.Channel, two.SendTo = "检查记录", "书面报送", "区司法局执法监督科"
	full.Upcoming = []notice.Item{one, two}
	pace := notice.Item{
		Row: "2", Title: "年度60学时培训", Kind: "quota", Period: "2024年", Due: day("2024-12-31"), Nominal: day("2024-12-31"),
		LastWorkday: day("2024-12-31"), Quota: 60, Count: 31, Pace: 40, PaceAt: day("2024-08-31"), Step: "P-2024Q3", Rung: "pace",
	}
	full.Behind = []notice.Item{pace}
	out["second-urging"] = letterOf(full)

	remind := base("2024-09-12")
	sunday := upcoming("21", "执法公示自查", "2024-09-15", 2, "2024-09-14")
	sunday.LastWorkday, sunday.DeadlineText = day("2024-09-14"), "9月15日前"
	progress := upcoming("30", "跨部门联合检查", "2024-09-15", 2, "2024-09-14")
	progress.LastWorkday, progress.DeadlineText, progress.Deliverable = day("2024-09-14"), "", ""
	remind.Upcoming = []notice.Item{sunday, progress}
	out["day-off"] = letterOf(remind)

	week := base("2024-09-14")
	week.Standing = []notice.Item{{Row: "11", Title: "规范裁量"}, {Row: "12", Title: "目录动态管理"}, {Row: "14", Title: "信用监管"}}
	week.Awaiting = []notice.Item{{Row: "10", Title: "主体公告", Condition: "机构改革完成"}, {Row: "15", Title: "平台应用"}}
	week.Support = []notice.Item{upcoming("33", "培训师资库", "2024-09-30", 10, "2024-09-29")}
	out["weekly-quiet"] = letterOf(week)

	cases := base("2024-11-06")
	cases.Reader = notice.Reader{Code: "xzgj", Name: "县综合行政执法局", FullName: "泗水县综合行政执法局", Honorific: "贵局"}
	cases.Jurisdiction, cases.Issuer.Name, cases.Issuer.Short = "泗水县", "泗水县司法局", "县司法局"
	cases.Plans = []notice.Plan{{Code: "zfzl", Title: "泗水县提升行政执法质量三年行动实施方案（2023—2025年）", Issued: day("2024-04-12")}}
	c1 := notice.Item{
		Row: "8", Title: "公开处罚决定", Kind: "clock", Case: "泗综执罚决字〔2024〕12号", Due: day("2024-11-05"), Nominal: day("2024-11-05"),
		LastWorkday: day("2024-11-05"), Late: 1, DeadlineText: "作出之日起7个工作日内", Deliverable: "公开网址", Step: "T+1", Rung: "urging",
	}
	c2 := c1
	c2.Case, c2.Due, c2.Nominal, c2.LastWorkday, c2.Late, c2.Left = "泗综执罚决字〔2024〕13号", day("2024-11-08"), day("2024-11-08"), day("2024-11-08"), 0, 2
	c2.Step, c2.Rung = "T-2", "reminder"
	cases.Clocks = []notice.Item{c1, c2}
	out["clocks"] = letterOf(cases)

	odd := base("2025-01-06")
	amb := overdue("4", "业务培训", "2024-11-30", 22)
	amb.DeadlineText, amb.Later, amb.Soft = "12月前", day("2024-12-31"), "力争"
	ext := upcoming("5", "监控设备清理", "2025-01-10", 4)
	ext.Nominal, ext.Extended, ext.DeadlineText, ext.Label = day("2024-12-31"), true, "2024年12月底前取得阶段性成果", "stage"
	ret := upcoming("6", "权力事项目录", "2025-01-13", 5)
	ret.Returned, ret.Nominal, ret.Standing, ret.DeadlineText = true, day("2024-12-20"), true, "2024年底前，长期坚持"
	prov := upcoming("65", "总体评估材料", "2027-10-29", 12)
	prov.Provisional, prov.Label = true, "final"
	odd.Overdue, odd.Upcoming = []notice.Item{amb}, []notice.Item{ext, ret, prov}
	out["odd-dates"] = letterOf(odd)

	maps.Copy(out, longLetters(cases.Plans, week.Support))
	maps.Copy(out, readings(c2))
	return out
}

// longLetters are letters with many items, plans or sections left out.
func longLetters(sishui []notice.Plan, supported []notice.Item) map[string]notice.Notice {
	out := map[string]notice.Notice{}
	many := base("2024-12-19")
	for i, row := range []string{"3", "7", "9", "13", "22", "23", "25"} {
		it := upcoming(row, []string{"轮训情况报告", "设备清理报告", "事项目录", "年度考核结果", "文书评查", "案卷抽查整改", "普法宣讲"}[i], "2024-12-31", 8)
		it.DeadlineText = "2024年底前，长期坚持"
		it.Standing = true
		many.Upcoming = append(many.Upcoming, it)
	}
	late := overdue("19", "执法装备清单", "2024-12-02", 13)
	late.Reminded, late.Urged, late.Step, late.Rung = days("2024-11-27"), days("2024-12-04"), "", ""
	many.Overdue = []notice.Item{late}
	out["table"] = letterOf(many)

	plans := base("2024-09-20")
	plans.Plans = append(plans.Plans, notice.Plan{Code: "fz", Title: "关于印发《崂山区法治政府建设工作要点》的通知", DocNumber: "青崂法办〔2024〕3号"})
	p1 := upcoming("17", "问题清单", "2024-09-25", 3)
	p2 := upcoming("2", "述法报告", "2024-09-25", 3)
	p2.Plan = 1
	p3 := upcoming("3", "清单调整", "2024-10-31", 22, "2024-09-29", "2024-10-12")
	p3.Plan = 1
	plans.Upcoming = []notice.Item{p1, p2, p3}
	plans.Standing = []notice.Item{{Row: "11"}, {Row: "4", Plan: 1}}
	out["two-plans"] = letterOf(plans)

	issue := base("2024-10-08")
	issue.LateIssue, issue.Issuer.Word = true, "催办函"
	first := overdue("17", "问题清单", "2024-09-30", 1)
	first.Step, first.Rung, first.Reminded = "T+2", "urging", days("2024-09-26")
	issue.Overdue = []notice.Item{first}
	out["late-issue"] = letterOf(issue)

	monthly := base("2024-09-20")
	monthly.Reader = notice.Reader{Code: "jzz", Name: "金庄镇", FullName: "泗水县金庄镇人民政府", Honorific: "贵镇"}
	monthly.Jurisdiction, monthly.Issuer.Name, monthly.Issuer.Short, monthly.Plans = "泗水县", "泗水县司法局", "县司法局", sishui
	report := upcoming("6", "专项整治情况报告", "2024-09-25", 3)
	report.Period, report.DeadlineText, report.Deliverable = "2024年9月", "每月25日前", "整治情况报告"
	monthly.Upcoming = []notice.Item{report}
	out["monthly"] = letterOf(monthly)

	far := base("2024-09-23")
	far.Overdue = []notice.Item{overdue("24", "文书标准自查", "2024-09-13", 5)}
	far.Upcoming = []notice.Item{upcoming("41", "联合检查清单", "2024-10-31", 23, "2024-09-29", "2024-10-12")}
	far.Upcoming[0].Rung, far.Upcoming[0].Step = "reminder", "A30"
	out["late-and-far"] = letterOf(far)

	support := base("2024-09-25")
	support.Support = supported
	out["support-only"] = letterOf(support)
	return out
}

// readings are letters about dates that can be read in two ways.
func readings(clock notice.Item) map[string]notice.Notice {
	out := map[string]notice.Notice{}
	// Past the earlier reading, not past the later: nothing is late yet.
	gap := base("2024-12-09")
	b1 := upcoming("4", "业务培训", "2024-11-30", 0)
	b1.LastWorkday, b1.DeadlineText, b1.Later = day("2024-11-29"), "12月前", day("2024-12-31")
	b2 := upcoming("22", "文书评查", "2024-12-31", 16)
	gap.Upcoming = []notice.Item{b1, b2}
	out["between-readings"] = letterOf(gap)

	mixed := base("2024-12-27")
	b2.Left = 2
	quarter := upcoming("13", "案卷自评", "2025-01-05", 4)
	quarter.Nominal, quarter.Period, quarter.LastWorkday, quarter.SendTo, quarter.Deliverable = day("2024-12-31"), "2024年第四季度", day("2025-01-03"), "区司法局", "自评表；问题清单；"
	b1.Later = day("2025-01-31")
	first2 := overdue("8", "培训总结", "2024-12-15", 9)
	first2.LastWorkday, first2.Step, first2.Rung = day("2024-12-13"), "T+5", "urging"
	oneCase := clock
	oneCase.Due, oneCase.Nominal, oneCase.LastWorkday = day("2024-12-31"), day("2024-12-31"), day("2024-12-31")
	mixed.Overdue, mixed.Upcoming, mixed.Clocks = []notice.Item{first2}, []notice.Item{b1, b2, quarter}, []notice.Item{oneCase}
	out["mixed"] = letterOf(mixed)
	return out
}
