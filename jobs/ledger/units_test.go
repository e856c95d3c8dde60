package ledger

import (
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/task"
)

const unitsTop = "行政区域代码,town\n行政区域,某市某区\n主管司法局,区司法局\n启用日期,2024-01-01\n"
const unitsHead = "类型,编码,名称,全称,别名,所属单位组,催办方式,称谓,联络员,联络员邮箱,联络员电话,分管负责人,分管负责人邮箱,地址\n"
const bureau = "单位,sfj,区司法局,某市某区司法局,,,不发,贵局,,,,,,\n"

func units(t *testing.T, csv string) (UnitsDraft, Problems) {
	t.Helper()
	book, err := Read("units.csv", []byte(csv))
	must(t, err)
	return Units(book, UnitsOptions{})
}

func TestUnits(t *testing.T) {
	d, problems := units(t, unitsTop+unitsHead+
		"单位,czj,区财政局,某市某区财政局,财政局、区财局（本级）,各执法部门、zj,发函,贵局,张三,lianluo@czj.example,0000-1,李四,fenguan@czj.example,示例路1号\n"+
		bureau+"单位组,zf,各执法部门,,执法部门、各镇（街道）,,,,,,,,,\n单位组,zj,各镇街,,,,,,,,,,,\n注：暂定,,,,,,,,,,,,,\n")
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	if j := d.Jurisdiction; j.Code != "town" || j.Name != "某市某区" || j.Bureau != "sfj" || j.LiveFrom != civil.Of(2024, 1, 1) {
		t.Errorf("%+v", j)
	}
	u := d.Units[0]
	if u.Code != "czj" || u.FullName != "某市某区财政局" || strings.Join(u.Aliases, "|") != "财政局|区财局（本级）" || strings.Join(u.Groups, "|") != "zf|zj" ||
		u.Chase != task.ChaseLetter || u.Honorific != "贵局" || u.Address != "示例路1号" {
		t.Errorf("%+v", u)
	}
	if l, ok := u.Contact(task.Liaison); !ok || l.Email != "lianluo@czj.example" || l.Phone != "0000-1" || l.Name != "张三" {
		t.Errorf("%+v", u.Contacts)
	}
	if len(u.Contacts) != 2 || d.Units[1].Chase != task.ChaseNone || len(d.Groups) != 2 || d.Groups[0].Aliases[1] != "各镇（街道）" || len(d.Notes) != 1 {
		t.Errorf("%+v %v", d, d.Notes)
	}
}

func TestUnitsProblems(t *testing.T) {
	row := func(cells string) string { return unitsTop + unitsHead + bureau + cells + "\n" }
	unit := func(mail string) string { return row("单位,a,甲局,,,,发函,,张三," + mail + ",,,,") }
	for _, c := range []struct {
		name, csv string
		want      []string
	}{
		{"code twice", row("单位,sfj,甲局,,,,不发,,,,,,,"), []string{"row 7, column 编码 「sfj」", "区司法局", "row 6"}},
		{"bad code", row("单位,甲,甲局,,,,不发,,,,,,,"), []string{"column 编码 「甲」", "lower-case"}},
		{"unit named twice", row("单位,a,区司法局,,,,不发,,,,,,,"), []string{"row 7, column 名称 「区司法局」", "in row 6 too"}},
		{"alias is another's name", row("单位,a,甲局,,区司法局,,不发,,,,,,,"), []string{"row 7, column 别名", "in row 6 too"}},
		{"alias is a group's name", row("单位,a,甲局,,各组,,不发,,,,,,,\n单位组,g,各组,,,,,,,,,,,"), []string{"「各组」 is a name of 「各组」 in row 8"}},
		{"no name", row("单位,a,,,,,不发,,,,,,,"), []string{"row 7", "column 名称", "no name"}},
		{"kind", row("机构,a,甲局,,,,不发,,,,,,,"), []string{"column 类型 「机构」"}},
		{"unknown group", row("单位,a,甲局,,,各派驻机构,不发,,,,,,,"), []string{"column 所属单位组 「各派驻机构」", "no group"}},
		{"chase", row("单位,a,甲局,,,,打电话,,,,,,,"), []string{"column 催办方式 「打电话」"}},
		{"letters need an address", unit(""), []string{"column 联络员邮箱", "no e-mail address"}},
		{"no address", unit("zhangsan"), []string{"column 联络员邮箱 「zhangsan」", "no e-mail"}},
		{"display name", unit("张三 <a@b.example>"), []string{"ASCII"}},
		{"two addresses", unit("\"a@b.example,c@d.example\""), []string{"a comma"}},
		{"Chinese address", unit("张三@b.example"), []string{"ASCII"}},
		{"space", unit("a @b.example"), []string{"a space"}},
		{"line feed in an address", unit("\"a@b.example\nBcc: x@evil.example\""), []string{"row 7, column 联络员邮箱 「a@b.example Bcc: x@evil.example」", "control character"}},
		{"carriage return in an address", unit("\"a@b.example\rBcc: x@evil.example\""), []string{"control character"}},
		{"line feed at the end of an address", unit("\"a@b.example\n\""), []string{"control character"}},
		{"line feed in a name", row("单位,a,甲局,,,,发函,,\"张\n三\",a@b.example,,,,"), []string{"column 联络员 ", "control character"}},
		{"NUL-like control", row("单位,a,甲局,,,,发函,,张\x01三,a@b.example,,,,"), []string{"control character"}},
		{"bureau unknown", strings.Replace(row("单位,a,甲局,,,,不发,,,,,,,"), "主管司法局,区司法局", "主管司法局,市司法局", 1), []string{"row 3, column 主管司法局 「市司法局」"}},
		{"no bureau", strings.Replace(row(""), "主管司法局,区司法局\n", "", 1), []string{"主管司法局"}},
		{"no live date", strings.Replace(row(""), "启用日期,2024-01-01\n", "", 1), []string{"启用日期"}},
		{"live date that is no day", strings.Replace(row(""), "2024-01-01", "2024-02-30", 1), []string{"row 4, column 启用日期 「2024-02-30」", "no such day"}},
		{"jurisdiction", strings.Replace(row(""), "行政区域代码,town", "行政区域代码,某区", 1), []string{"row 1, column 行政区域代码 「某区」"}},
		{"no header", unitsTop + "a,b,c\n", []string{"no header row"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := units(t, c.csv)
			for _, w := range c.want {
				if !strings.Contains(problems.Error(), w) {
					t.Errorf("%q is not in\n%s", w, problems.Error())
				}
			}
		})
	}
}

func people(t *testing.T, csv string, opt PeopleOptions) ([]task.Person, Problems) {
	t.Helper()
	book, err := Read("people.csv", []byte(csv))
	must(t, err)
	return People(book, town(), opt)
}

const peopleTop = "行政区域代码,town\n人员编号,姓名,单位,岗位,执法证号,证件有效期至,证件状态,暂扣起,暂扣止,在岗状态,本年学时\n"

func TestPeople(t *testing.T) {
	got, problems := people(t, peopleTop+"p1,张三,区财政局,执法,A-1,2026年12月31日,暂扣,2024-07-15,2024/10/14,离岗,22\np2,李四,区人社局,法制审核,,,,,,新申领,\n", PeopleOptions{Jurisdiction: "town"})
	if len(problems) > 0 || len(got) != 2 {
		t.Fatal(got, problems)
	}
	want := task.Person{Key: "p1", Name: "张三", Unit: "czj", Post: "执法", Certificate: "A-1", ValidTo: civil.Of(2026, 12, 31), CertState: "暂扣",
		HeldFrom: civil.Of(2024, 7, 15), HeldTo: civil.Of(2024, 10, 14), Duty: "离岗", Hours: 22}
	if got[0] != want || got[1].Unit != "rsj" || got[1].Hours != 0 {
		t.Errorf("%+v", got)
	}
}

func TestPeopleProblems(t *testing.T) {
	for _, c := range []struct {
		name, rows string
		want       []string
	}{
		{"unknown unit", "p1,张三,区某局,执法,,,,,,在岗,", []string{"row 3, column 单位 「区某局」"}},
		{"group", "p1,张三,各执法部门,执法,,,,,,在岗,", []string{"column 单位", "group"}},
		{"no unit", "p1,张三,,执法,,,,,,在岗,", []string{"column 单位", "no unit"}},
		{"twice", "p1,张三,区财政局,执法,,,,,,在岗,\np1,李四,区财政局,执法,,,,,,在岗,", []string{"row 4, column 人员编号 「p1」", "row 3 as well"}},
		{"certificate twice", "p1,张三,区财政局,执法,A,,,,,在岗,\np2,李四,区财政局,执法,A,,,,,在岗,", []string{"row 4, column 执法证号: the number"}},
		{"no number", ",张三,区财政局,执法,,,,,,在岗,", []string{"row 3, column 人员编号"}},
		{"no name", "p1,,区财政局,执法,,,,,,在岗,", []string{"column 姓名"}},
		{"post", "p1,张三,区财政局,局长,,,,,,在岗,", []string{"column 岗位 「局长」", "法制审核"}},
		{"state", "p1,张三,区财政局,执法,,,过期,,,在岗,", []string{"column 证件状态 「过期」"}},
		{"duty", "p1,张三,区财政局,执法,,,,,,退休,", []string{"column 在岗状态 「退休」"}},
		{"no such day", "p1,张三,区财政局,执法,,2024-02-30,,,,在岗,", []string{"column 证件有效期至 「2024-02-30」", "no such day"}},
		{"ends before it begins", "p1,张三,区财政局,执法,,,暂扣,2024-07-15,2024-07-01,在岗,", []string{"column 暂扣止"}},
		{"hours", "p1,张三,区财政局,执法,,,,,,在岗,六十", []string{"column 本年学时 「六十」"}},
		{"nobody", "", []string{"holds no rows"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := people(t, peopleTop+c.rows+"\n", PeopleOptions{})
			for _, w := range c.want {
				if !strings.Contains(problems.Error(), w) {
					t.Errorf("%q is not in\n%s", w, problems.Error())
				}
			}
		})
	}
	if _, problems := people(t, peopleTop+"p1,张三,区财政局,执法,,,,,,在岗,\n", PeopleOptions{Jurisdiction: "other"}); !strings.Contains(problems.Error(), "another jurisdiction") {
		t.Error(problems)
	}
}

// A number of eighteen digits in a numeric cell has lost its last digits.
func TestPeopleLossyNumber(t *testing.T) {
	b := Book{Name: "p.xlsx", Sheets: []Sheet{{Name: "S", Rows: []Row{
		{1, []Cell{{Text: "人员编号"}, {Text: "姓名"}, {Text: "单位"}, {Text: "岗位"}, {Text: "执法证号"}, {Text: "在岗状态"}}},
		{2, []Cell{{Text: "p1"}, {Text: "张三"}, {Text: "区财政局"}, {Text: "执法"}, {Text: "4.40101199001011E+17", Number: true, Lossy: true}, {Text: "在岗"}}},
	}}}}
	_, problems := People(b, town(), PeopleOptions{})
	if len(problems) != 1 || !strings.Contains(problems[0].String(), "sheet S, row 2, column 执法证号") || !strings.Contains(problems[0].Reason, "lost") {
		t.Error(problems)
	}
}

func TestAColumnThatIsNotReadIsNamed(t *testing.T) {
	const head = "类型,编码,名称,邮箱,联络员,联络员邮箱,内部备注\n"
	book, err := Read("u.csv", []byte("行政区域代码,town\n行政区域,某市\n主管司法局,市司法局\n启用日期,2024-08-01\n"+
		head+"单位,sfj,市司法局,x,王芳,wf@sfj.example,\n"+head+"单位,jtj,市交通局,x,李强,lq@jtj.example,y\n"))
	if err != nil {
		t.Fatal(err)
	}
	d, problems := Units(book, UnitsOptions{})
	if len(problems) > 0 || len(d.Notes) != 2 || !strings.Contains(d.Notes[0], "row 5 column 「邮箱」") || !strings.Contains(d.Notes[1], "内部备注") {
		t.Errorf("%q %v", d.Notes, problems)
	}
}

func TestThePersonnelContactHasColumnsOfItsOwn(t *testing.T) {
	const head = "类型,编码,名称,催办方式,联络员,联络员邮箱,法制联系人,法制联系人邮箱,人事联系人,人事联系人邮箱\n"
	d, problems := units(t, unitsTop+head+"单位,sfj,区司法局,不发,,,,,,\n单位,czj,区财政局,发函,张三,a@czj.example,李四,b@czj.example,王五,c@czj.example\n单位,rsj,区人社局,发函,张三,a@rsj.example,,,赵六,\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c, ok := d.Units[1].Contact(task.PersonnelContact); !ok || c.Name != "王五" || c.Email != "c@czj.example" {
		t.Errorf("%+v", d.Units[1].Contacts)
	}
	if _, ok := d.Units[2].Contact(task.PersonnelContact); ok {
		t.Errorf("a contact without an address: %+v", d.Units[2].Contacts)
	}
	_, problems = units(t, unitsTop+head+"单位,czj,区财政局,发函,张三,a@czj.example,,,王五,王五\n")
	if !strings.Contains(problems.Error(), "column 人事联系人邮箱") {
		t.Error(problems)
	}
}
