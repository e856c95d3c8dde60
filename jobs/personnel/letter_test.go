package personnel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duban/jobs/civil"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

func contactOf(role task.Role, address string) task.Contact {
	return task.Contact{Role: role, Name: "联" + string(role), Email: address, Phone: "0000-1"}
}

// place is a jurisdiction with a bureau, two bureaus that are written to, one that is not, and a roster of each.
func place() Snapshot {
	unit := func(code, name string, chase task.Chase, contacts ...task.Contact) task.Unit {
		return task.Unit{Code: code, Name: name, FullName: "某市某区" + name[len("区"):], Honorific: "贵局", Chase: chase, Contacts: contacts, On: fromAlways(), Seq: 1}
	}
	of := func(u string) func(*task.Person) { return func(p *task.Person) { p.Unit = u } }
	both := func(a, b func(*task.Person)) func(*task.Person) { return func(p *task.Person) { a(p); b(p) } }
	return Snapshot{Input: Input{
		Jurisdiction: task.Jurisdiction{Code: "town", Name: "某市某区", Bureau: "sfj", Seq: 7},
		Directory: task.Directory{Units: []task.Unit{
			unit("sfj", "区司法局", task.ChaseNone, contactOf(task.Liaison, "l@sfj.example")),
			unit("cgj", "区城管局", task.ChaseLetter, contactOf(task.Liaison, "l@cgj.example"), contactOf(task.Legal, "f@cgj.example"), contactOf(task.PersonnelContact, "r@cgj.example")),
			unit("jtj", "区交通局", task.ChaseLetter, contactOf(task.Liaison, "l@jtj.example"), contactOf(task.Legal, "f@jtj.example")),
			unit("fy", "区法院", task.ChaseManual, contactOf(task.Legal, "f@fy.example")),
		}},
		People: []task.Person{
			person("s1", both(of("sfj"), func(p *task.Person) { p.Post, p.ValidTo = supervisor, day("2024-10-20") })),
			person("c1", both(of("cgj"), func(p *task.Person) { p.ValidTo = day("2024-10-19") })),
			person("c2", both(of("cgj"), func(p *task.Person) { p.Hours = 31 })),
			person("c3", both(of("cgj"), func(p *task.Person) { p.Post = reviewer })),
			person("c4", both(of("cgj"), func(p *task.Person) {
				p.CertState, p.Duty, p.HeldFrom, p.HeldTo, p.Hours = suspended, offPost, day("2024-08-05"), day("2024-11-04"), 24
			})),
			person("c5", both(of("cgj"), func(p *task.Person) { p.Duty, p.Certificate, p.ValidTo, p.Hours = applicant, "", 0, 30 })),
			person("j1", both(of("jtj"), func(p *task.Person) { p.ValidTo = day("2024-09-30") })),
			person("f1", both(of("fy"), func(p *task.Person) { p.ValidTo = day("2024-09-30") })),
		},
	}}
}

func settings(change func(*planner.Settings)) planner.Settings {
	s := planner.Settings{Calendar: workday.National(), Staff: task.DefaultStaffRules(), NamesInFiles: true}
	if change != nil {
		change(&s)
	}
	return s
}

func lettersOf(s Snapshot, set planner.Settings, last, on string) Plan {
	var from civil.Date
	if last != "" {
		from = day(last)
	}
	return Letters(s, set, AgendaOf(set.Calendar, from, day(on)), day(on))
}

func find(t *testing.T, p Plan, unit string) notice.Notice {
	t.Helper()
	i := slices.IndexFunc(p.Notices, func(n notice.Notice) bool { return n.Key.Unit == unit })
	if i < 0 {
		t.Fatalf("no letter to %s", unit)
	}
	return p.Notices[i]
}

// text is a paper as one text, its tables with bars.
func text(p notice.Paper) string {
	var b strings.Builder
	put := func(list ...string) {
		for _, s := range list {
			if s != "" {
				b.WriteString(s + "\n")
			}
		}
	}
	put(p.Subject, p.Mark, p.Title, p.Sub, p.Addressee)
	put(p.Opening...)
	for _, s := range p.Sections {
		put("# " + s.Heading)
		put(s.Paras...)
		if s.Table != nil {
			for i, r := range s.Table.Rows {
				var cells []string
				for j, c := range r {
					if s.Table.Columns[j].Numeric {
						c.Text = fmt.Sprint(c.N)
					}
					cells = append(cells, c.Text)
				}
				if i == 0 {
					var heads []string
					for _, c := range s.Table.Columns {
						heads = append(heads, c.Name)
					}
					put(strings.Join(heads, "｜"))
				}
				put(strings.Join(cells, "｜"))
			}
		}
		put(s.Notes...)
	}
	put(p.Closing...)
	return b.String()
}

func TestAUnitsLetterOfOctober(t *testing.T) {
	n := find(t, lettersOf(place(), settings(nil), "2024-09-30", "2024-10-08"), "cgj")
	const want = `【区司法局】10月19日前请办理4人事项·行政执法人员管理·区城管局
关于行政执法人员管理有关事项的工作提示
区城管局
按我局登记，截至2024年10月8日，贵局列入行政执法人员名册5人（在岗3人、离岗1人、新申领1人）。现将需办理的事项提示如下。
# 执法证件到期
执法证件8至30日内到期1人。临近到期的，请在到期前办结换发。
# 证件暂扣
证件暂扣1人：30日内期满1人。
# 离岗人员培训
离岗人员返岗前应完成40学时培训并考核合格。离岗1人：学时不足1人。
# 年度培训学时
在岗人员2024年度应各完成60学时（每学时45分钟）。截至9月30日，在岗3人：已完成2人、按目前进度年底预计不能完成1人。已登记3人，人均50.3学时。请安排好年底前的培训。
预计数为已登记学时除以已过天数再乘以全年天数，年内到岗的自到岗之日计，舍去小数。
# 法制审核力量
法制审核人员占执法人员1/3（33.3%）。按不低于5%、不足1人按1人计，应配1人，已达到。执法人员按在岗的执法、法制审核岗位人数计，证件暂扣、注销的不计。
# 新申领人员
新申领人员应先完成30学时公共法律知识培训。新申领1人：学时已满待考试1人。
# 人员明细
序号｜姓名｜岗位｜执法证号｜事项｜期限｜情况
1｜某c1｜执法｜****0001｜证件有效期｜2024年10月19日（最后工作日10月18日）｜11日后到期
2｜某c4｜执法｜****0001｜证件暂扣｜2024年11月4日｜暂扣期内，27日后期满
3｜某c4｜执法｜****0001｜离岗培训｜—｜24学时，差16学时，考核未登记
4｜某c2｜执法｜****0001｜年度学时｜2024年12月31日｜31学时，差29学时，按目前进度年底预计41学时
5｜某c5｜执法｜—｜新申领｜—｜30学时，待考试
请核对上述情况并及时办理。已办理或已通过其他渠道报送的，请告知时间和结果，我局即予更正；登记与实际不符的，请一并说明。
本件含人员信息，请专人接收，勿转发。
特此提示。
`
	if got := text(*n.Facts.Paper); got != want {
		t.Errorf("got\n%s", got)
	}
	if n.Key != (notice.Key{Jurisdiction: "town", Date: day("2024-10-08"), Unit: "cgj", Role: "personnel", Kind: notice.PersonnelLetter}) || n.State != notice.Pending {
		t.Errorf("%+v %s", n.Key, n.State)
	}
	if r := n.Facts.Recipients; len(r) != 1 || r[0].Email != "r@cgj.example" || r[0].Copy {
		t.Errorf("%+v", r)
	}
}

func TestWhoIsWrittenTo(t *testing.T) {
	p := lettersOf(place(), settings(nil), "2024-09-30", "2024-10-08")
	var got []string
	for _, n := range p.Notices {
		for _, r := range n.Facts.Recipients {
			got = append(got, fmt.Sprintf("%s %s %s %s %v", n.Key.Kind, n.Key.Unit, n.Key.Role, r.Email, r.Copy))
		}
	}
	want := []string{
		"personnel-letter cgj personnel r@cgj.example false",
		"personnel-letter jtj legal f@jtj.example false", // no personnel contact: the legal one, and never the liaison
		"personnel-totals sfj bureau l@sfj.example false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if p.People != 8 {
		t.Errorf("%d looked at", p.People)
	}
}

func TestTheBureauGetsCountsAndNoNames(t *testing.T) {
	s := place()
	n := find(t, lettersOf(s, settings(nil), "2024-09-30", "2024-10-08"), "sfj")
	const want = `【区司法局】人员管理10月：证件已过期2人、90日内到期2人·4家单位
内部资料
某市某区行政执法人员管理情况
按登记，截至2024年10月8日
区司法局
名册内行政执法人员8人（在岗6人、离岗1人、新申领1人），分属4家单位。本件只列人数；各单位的名单只在发给该单位的提示中。
# 执法证件到期
执法证件已过期2人、8至30日内到期2人，共4人。
# 证件暂扣
证件暂扣1人：30日内期满1人。
# 离岗人员培训
离岗人员返岗前应完成40学时培训并考核合格。离岗1人：学时不足1人。
# 年度培训学时
在岗人员2024年度应各完成60学时（每学时45分钟）。截至9月30日，在岗6人：已完成5人、按目前进度年底预计不能完成1人。已登记6人，人均55.2学时。
预计数为已登记学时除以已过天数再乘以全年天数，年内到岗的自到岗之日计，舍去小数。
# 法制审核力量
法制审核人员占执法人员1/5（20%）。按每家单位不低于5%、不足1人按1人计，3家单位应配3人，其中2家不足。
# 新申领人员
新申领人员应先完成30学时公共法律知识培训。新申领1人：学时已满待考试1人。
# 各单位情况
单位｜人数｜证件已过期｜临近到期｜暂扣｜期满未恢复｜学时不足｜学时未登记｜法制审核不足（家）｜待考试
区城管局｜5｜0｜1｜1｜0｜1｜0｜0｜1
区法院｜1｜1｜0｜0｜0｜0｜0｜1｜0
区交通局｜1｜1｜0｜0｜0｜0｜0｜1｜0
区司法局｜1｜0｜1｜0｜0｜0｜0｜0｜0
合计｜8｜2｜2｜1｜0｜1｜0｜2｜1
不自动发函的单位1家，请另行告知：区法院。
`
	if got := text(*n.Facts.Paper); got != want {
		t.Errorf("got\n%s", got)
	}
	b, err := json.Marshal(n.Facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.People {
		if strings.Contains(string(b), p.Name) || p.Certificate != "" && strings.Contains(string(b), p.Certificate) {
			t.Errorf("%s stands in the bureau's letter", p.Key)
		}
	}
}

// In Sishui the share is one in principle; in Changji there is a least number of reviewers and supervisors besides.
func TestTheRulesOfAJurisdictionAreSaid(t *testing.T) {
	set := settings(func(s *planner.Settings) {
		s.Staff.Soft, s.Staff.ReviewersAndSupervisors, s.Staff.Basis = "原则上", 2, "《某办法》第五条"
		s.Issuer.Word, s.Issuer.Short = "提醒", "某局"
	})
	got := text(*find(t, lettersOf(place(), set, "2024-09-30", "2024-10-08"), "cgj").Facts.Paper)
	for _, want := range []string{
		"根据《某办法》第五条，按我局登记", "按原则上不低于5%、", "法制审核人员1人、执法监督人员0人，合计1人，应不少于2人，差1人。", "有关事项的提醒\n", "【某局】",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestBetweenTheMonthsOnlyMarksAreTold(t *testing.T) {
	p := lettersOf(place(), settings(nil), "2024-09-18", "2024-09-19") // 30 days before 19 October, and 31 before the 20th
	if len(p.Notices) != 1 || p.Notices[0].Key.Unit != "cgj" {
		t.Fatalf("%d letters", len(p.Notices))
	}
	const want = `【区司法局】10月19日前请办理1人事项·行政执法人员管理·区城管局
关于行政执法人员管理有关事项的工作提示
区城管局
按我局登记，截至2024年9月19日，贵局有1人的行政执法证件临近到期。名单见下表，其他事项见每月的提示。
# 人员明细
序号｜姓名｜岗位｜执法证号｜事项｜期限｜情况
1｜某c1｜执法｜****0001｜证件有效期｜2024年10月19日（最后工作日10月18日）｜30日后到期
请核对上述情况并及时办理。已办理或已通过其他渠道报送的，请告知时间和结果，我局即予更正；登记与实际不符的，请一并说明。
本件含人员信息，请专人接收，勿转发。
特此提示。
`
	if got := text(*p.Notices[0].Facts.Paper); got != want {
		t.Errorf("got\n%s", got)
	}
	for _, quiet := range []string{"2024-09-18", "2024-09-24", "2024-09-25"} {
		if p := lettersOf(place(), settings(nil), "", quiet); len(p.Notices) != 0 {
			t.Errorf("%s: %d letters", quiet, len(p.Notices))
		}
	}
}

// August asks for no hours and no ratio; a unit whose people are all well gets no letter.
func TestNothingToSayIsNoLetter(t *testing.T) {
	s := place()
	s.People = slices.DeleteFunc(s.People, func(p task.Person) bool { return p.Key == "j1" })
	s.People = append(s.People, person("j2", func(p *task.Person) { p.Unit, p.Hours = "jtj", 3 }))
	if p := lettersOf(s, settings(nil), "2024-07-31", "2024-08-01"); slices.ContainsFunc(p.Notices, func(n notice.Notice) bool { return n.Key.Unit == "jtj" }) {
		t.Error("a letter with nothing to say")
	}
	n := find(t, lettersOf(s, settings(nil), "2024-09-30", "2024-10-08"), "jtj")
	if got := text(*n.Facts.Paper); !strings.Contains(got, "差1人") || !strings.Contains(got, "按目前进度年底预计4学时") {
		t.Error(got)
	}
	s.People = nil
	if p := lettersOf(s, settings(nil), "2024-09-30", "2024-10-08"); len(p.Notices) != 0 {
		t.Errorf("%d letters about nobody", len(p.Notices))
	}
}

func TestHeldLetters(t *testing.T) {
	silence := task.Silence{Jurisdiction: "town", Seq: 3, On: day("2024-10-01"), Until: day("2024-10-31"), Scope: task.OverUnit, Subject: "cgj", Who: "周某", Why: "班子调整"}
	for _, c := range []struct {
		name   string
		set    func(*planner.Settings)
		change func(*Snapshot)
		want   string
	}{
		{"into a folder", nil, nil, ""},
		{"no domain is allowed", func(s *planner.Settings) { s.NamesInFiles = false }, nil, "name_domains"},
		{"another domain is", func(s *planner.Settings) { s.NamesInFiles, s.NameDomains = false, []string{"gov.example"} }, nil, "name_domains"},
		{"another is, though letters go into a folder", func(s *planner.Settings) { s.NameDomains = []string{"gov.example"} }, nil, "name_domains"},
		{"the parent of the domain is not the domain", func(s *planner.Settings) { s.NamesInFiles, s.NameDomains = false, []string{"example"} }, nil, "name_domains"},
		{"this one is", func(s *planner.Settings) { s.NamesInFiles, s.NameDomains = false, []string{"x.example", "CGJ.example"} }, nil, ""},
		{"nobody to write to", nil, func(s *Snapshot) { s.Directory.Units[1].Contacts = s.Directory.Units[1].Contacts[:1] }, "人事联系人"},
		{"silenced", nil, func(s *Snapshot) { s.Silences = []task.Silence{silence} }, "silenced until 2024-10-31"},
	} {
		s := place()
		if c.change != nil {
			c.change(&s)
		}
		n := find(t, lettersOf(s, settings(c.set), "2024-09-30", "2024-10-08"), "cgj")
		held := n.State == notice.Held
		if held != (c.want != "") || !strings.Contains(n.Reason, c.want) || !n.NextTry.IsZero() {
			t.Errorf("%s: %s %q", c.name, n.State, n.Reason)
		}
		if strings.Contains(n.Reason, "@") || strings.Contains(n.Reason, "cgj.example") || strings.Contains(n.Reason, "周某") {
			t.Errorf("%s: the reason holds an address or a name: %q", c.name, n.Reason)
		}
		if to := n.Facts.Recipients; len(to) > 0 && to[0].Role == string(task.Liaison) {
			t.Errorf("%s: to the liaison", c.name)
		}
	}
}

func TestAMonthsLetterTakesTheLastOnesPlace(t *testing.T) {
	s := place()
	old := func(unit, kind, on string) notice.Notice {
		k := notice.Key{Jurisdiction: "town", Date: day(on), Unit: unit, Role: "personnel", Kind: kind}
		return notice.Notice{ID: k.ID(), Key: k, State: notice.Held}
	}
	s.Unsent = []notice.Notice{old("cgj", notice.PersonnelLetter, "2024-09-02"), old("cgj", notice.PersonnelLetter, "2024-09-19"),
		old("gone", notice.PersonnelLetter, "2024-09-02"), old("sfj", notice.PersonnelTotals, "2024-09-02")}
	p := lettersOf(s, settings(nil), "2024-09-30", "2024-10-08")
	if len(p.Supersede) != 3 || p.Supersede[s.Unsent[0].ID] != find(t, p, "cgj").ID || p.Supersede[s.Unsent[3].ID] != find(t, p, "sfj").ID || len(p.Cancel) != 1 || p.Cancel[s.Unsent[2].ID] == "" {
		t.Errorf("%v %v", p.Supersede, p.Cancel)
	}
	s.Written = map[string]bool{find(t, p, "cgj").ID: true}
	if again := lettersOf(s, settings(nil), "2024-09-30", "2024-10-08"); len(again.Notices) != 2 {
		t.Errorf("%d letters where one stands already", len(again.Notices))
	}
}

// Whatever the roster: a unit's letter holds nobody else's people, names stand in its table alone, and the totals are the
// sum of the rows.
func TestNeverAnotherUnitsPeople(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyPeople(t)
		in.Jurisdiction = task.Jurisdiction{Code: "town", Name: "某市某区", Bureau: "a"}
		for _, code := range []string{"a", "b", "c", "d"} {
			chase := rapid.SampledFrom([]task.Chase{task.ChaseLetter, task.ChaseCourtesy, task.ChaseManual, task.ChaseNone}).Draw(t, "chase")
			in.Directory.Units = append(in.Directory.Units, task.Unit{Code: code, Name: "局" + code, Chase: chase,
				Contacts: []task.Contact{contactOf(task.Liaison, "l@x.example"), contactOf(task.Legal, "f@"+code+".example")}})
		}
		cal := workday.National()
		d := cal.OnOrAfter(day("2024-01-01") + civil.Date(rapid.IntRange(0, 420).Draw(t, "today")))
		a := Agenda{Full: rapid.Bool().Draw(t, "full"), Hours: rapid.Bool().Draw(t, "hours"), Ratios: rapid.Bool().Draw(t, "ratios"), HoursOn: monthStart(d) - 1, After: d - 8}
		set := settings(func(s *planner.Settings) { s.Calendar, s.Staff.ReviewersAndSupervisors = cal, 2 })
		p := Letters(Snapshot{Input: in}, set, a, d)
		now := task.PeopleAsOf(in.People, d)
		for _, n := range p.Notices {
			paper := *n.Facts.Paper
			whole := text(paper) + fmt.Sprint(n.Facts.Recipients, n.Reason, paper.Sheets)
			bare := paper
			bare.Sections = slices.DeleteFunc(slices.Clone(paper.Sections), func(s notice.Section) bool { return s.Heading == "人员明细" })
			for _, who := range now {
				if strings.Contains(whole, who.Certificate) {
					t.Fatalf("a whole certificate in\n%s", whole)
				}
				named := strings.Contains(whole, who.Name)
				if named && (n.Key.Kind != notice.PersonnelLetter || who.Unit != n.Key.Unit) || strings.Contains(text(bare), who.Name) {
					t.Fatalf("%s of %s in the letter to %s:\n%s", who.Key, who.Unit, n.Key.Unit, whole)
				}
			}
			for _, to := range n.Facts.Recipients {
				if n.Key.Kind == notice.PersonnelLetter && (to.Copy || to.Role == string(task.Liaison)) {
					t.Fatalf("to %+v", to)
				}
			}
			if n.Key.Kind == notice.PersonnelTotals {
				addUp(t, paper.Sheets[0].Table)
			}
		}
	})
}

func addUp(t *rapid.T, table notice.Table) {
	last := table.Rows[len(table.Rows)-1]
	for j := 1; j < len(table.Columns); j++ {
		sum := int64(0)
		for _, r := range table.Rows[:len(table.Rows)-1] {
			sum += r[j].N
		}
		if sum != last[j].N {
			t.Fatalf("%s: the rows come to %d, the total is %d", table.Columns[j].Name, sum, last[j].N)
		}
	}
}
