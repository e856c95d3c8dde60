package compose

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/notify/docx"
	"duban/notify/notice"
	"duban/notify/sheet"
)

// paperOf is the letter that a paper goes out in.
func paperOf(kind, role, matter, date string, p notice.Paper) notice.Notice {
	f := base(date)
	f.Recipients[0].Role = role
	if role == "bureau" {
		f.Reader = notice.Reader{Code: "sfj", Name: "区司法局", FullName: "青岛市崂山区司法局", Honorific: "我局"}
		f.Recipients[0] = notice.Recipient{Role: role, Name: "示例甲", Email: "zfjd@sfj.laoshan.example"}
	}
	f.Paper = &p
	k := notice.Key{Jurisdiction: "laoshan", Date: f.Date, Unit: f.Reader.Code, Role: role, Kind: kind, Matter: matter}
	return notice.Notice{ID: k.ID(), Key: k, Facts: f}
}

// goldenPapers is one letter of every shape a paper has. Each has its .eml in testdata.
func goldenPapers() map[string]notice.Notice {
	form := paperOf(notice.SupervisionForm, "deputy", notice.MatterOf("laoshan/zfzl2024/56/m1/qjtj", 1), "2024-09-27", formPaper())
	form.Facts.Recipients[0].Name, form.Facts.Recipients[0].Email = "示例丙", "fenguan@qjtj.laoshan.example"
	form.Facts.Recipients = append(form.Facts.Recipients, notice.Recipient{Role: "liaison", Name: "示例乙", Email: "lianluo@qjtj.laoshan.example", Copy: true})
	late := paperOf(notice.Correction, "liaison", "", "2024-10-08", notice.Paper{
		Subject: "【区司法局】更正9月26日提示1项·提升行政执法质量·区交通运输局", Title: "关于更正提升行政执法质量有关事项的工作提示", Addressee: "青岛市崂山区交通运输局",
		Opening: []string{"我局9月26日提示中第24项登记有误，该项已于9月19日办结，特此更正。"}, Closing: []string{"特此提示。"},
		Contact: "联系人：执法监督科 示例甲，电话：0000-5550100", Issuer: "青岛市崂山区司法局", Date: day("2024-10-08"),
	})
	late.Facts.LateIssue = true
	return map[string]notice.Notice{
		"paper-digest":     paperOf(notice.BureauDigest, "bureau", "", "2024-09-26", digestPaper(8)),
		"paper-form":       form,
		"paper-summary":    paperOf(notice.Summary, "bureau", "zfzl2024/6@2024-09", "2024-10-10", summaryPaper()),
		"paper-report":     paperOf(notice.Report, "bureau", "2024Q3", "2024-10-15", reportPaper()),
		"paper-correction": late,
	}
}

// digestPaper is a 督办日报 with so many rows in the full table.
func digestPaper(rows int) notice.Paper {
	red, green := notice.Red, notice.Green
	full := notice.Table{Columns: []notice.Column{{Name: "序号", Numeric: true}, {Name: "任务内容"}, {Name: "责任单位（牵头/配合）"}, {Name: "完成时限"}, {Name: "当前进展"}, {Name: "剩余工作日", Numeric: true}}}
	for i := range rows {
		full.Rows = append(full.Rows, []notice.Cell{
			{N: int64(i + 1)}, {Text: fmt.Sprintf("突出问题清单及整改情况报告之%d", i+1)}, {Text: "区交通运输局（牵头）"}, {Text: "2024年9月30日"}, {Text: "按序时推进", Tone: green}, {N: 3},
		})
	}
	text := func(words ...string) []notice.Cell {
		out := make([]notice.Cell, len(words))
		for i, w := range words {
			out[i].Text = w
		}
		return out
	}
	late := &notice.Table{
		Columns: []notice.Column{{Name: "单位"}, {Name: "项"}, {Name: "超期工作日"}, {Name: "提醒"}, {Name: "催办"}, {Name: "送达"}, {Name: "下一步"}},
		Rows: [][]notice.Cell{
			text("区交通运输局", "56、24", "8、4", "9月10日、9月14日", "9月18日、9月24日", "已送达，未回复", "今日催办"),
			text("区应急局", "56、24", "8、4", "9月10日、9月14日", "9月18日、9月24日", "已送达，9月25日电话", "今日催办"),
			text("区城市管理局", "56", "8", "退信", "退信", "未送达", "不升级、不计入考核，转电话"),
		},
	}
	for i := range late.Rows {
		late.Rows[i][2].Tone = red
	}
	return notice.Paper{
		Subject: "【督办日报9月26日】请处理4件；超期8项次、6家，5家已送达，1家未送达", Mark: "内部资料", Title: "崂山区提升行政执法质量工作督办日报",
		Sub: "区司法局执法监督科，数据截至9月25日18时",
		Sections: []notice.Section{
			{Heading: "请今日处理", Lines: []string{"14时前核对登记，今日拟发12件（催办4、提醒8）届时发出。", "待审核5件，最长6个工作日。", "区农业农村局申请第56项延至10月15日，待答复。", "区城市管理局退信2次，请核对联系人并电话告知后登记。"}},
			{Heading: "谁超期、是否已告知", Table: late},
			{Heading: "较昨日变化", Paras: []string{"新增超期0，办结2项次，新申请延期1，新退信1。"}},
			{Heading: "即将到期", Paras: []string{"9月30日到期：第17项22家应报，已报9家；第18、64项本局承办，未办结。"}},
			{Heading: "总体", Paras: []string{"66项：办结1、超期2、9月30日到期3、其余未到期50、长期坚持3、条件未具备5、印发时已过时限待确认2，合计66。"}, Notes: []string{"注：第4项培训7家滞后序时进度。"}},
			{Heading: "不计入考核", Paras: []string{"未送达1、延期待答复1、印发时已过时限2。"}},
		},
		Sheets: []notice.Sheet{{Name: "全表", Title: "崂山区提升行政执法质量事项全表", Table: full}}, File: "全表", Date: day("2024-09-26"),
	}
}

func formPaper() notice.Paper {
	return notice.Paper{
		Subject: "【区司法局】10月10日前请反馈督办事项1项（已超9个工作日）·督办通知单·区交通运输局", Number: "崂法督〔2024〕12号", Title: "督办通知单", Addressee: "青岛市崂山区交通运输局",
		Form: []notice.FormRow{
			{Label: "编号", Text: "崂法督〔2024〕12号"},
			{Label: "督办事项", Text: "第56项“典型案例报送”"},
			{Label: "督办依据", Text: "《崂山区提升行政执法质量实施方案》（青崂政办字〔2024〕14号）第56项，时限9月13日。"},
			{Label: "责任单位", Text: "青岛市崂山区交通运输局（责任）"},
			{Label: "前期告知", Text: "9月10日已提醒；9月18日、9月24日已催办（已送达）。"},
			{Label: "督办要求", Text: "请报送典型案例1篇；确实不能按期完成的，请说明原因和拟完成日期。", Tall: true},
			{Label: "办理时限", Text: "10月10日（星期四）前反馈"},
			{Label: "联系人", Text: "执法监督科 示例甲，电话：0000-5550100"},
			{Label: "签收", Text: "签收人：　　　　　　签收时间：　　年　　月　　日"},
			{Label: "办理情况反馈（由青岛市崂山区交通运输局填写）", Heading: true},
			{Label: "办理情况", Tall: true},
			{Label: "负责人意见", Text: "签字：　　　　　　（单位盖章）　　年　　月　　日", Tall: true},
			{Label: "备注"},
		},
		AsFile: "督办通知单（区交通运输局，第56项）", Contact: "联系人：执法监督科 示例甲，电话：0000-5550100", Issuer: "青岛市崂山区司法局", Date: day("2024-09-27"), Copies: "区政府办公室",
	}
}

func summaryPaper() notice.Paper {
	table := &notice.Table{
		Columns: []notice.Column{{Name: "序号", Numeric: true}, {Name: "单位"}, {Name: "发现问题", Numeric: true}, {Name: "已整改", Numeric: true}, {Name: "报送"}},
		Rows: [][]notice.Cell{
			{{N: 1}, {Text: "金庄镇"}, {N: 3}, {N: 2}, {Text: "按时", Tone: notice.Green}},
			{{N: 2}, {Text: "泗河街道"}, {}, {}, {Text: "按时（零报告）", Tone: notice.Green}},
			{{N: 3}, {Text: "圣水峪镇"}, {Text: "—"}, {Text: "—"}, {Text: "未报", Tone: notice.Red}},
			{{Text: "—"}, {Text: "合计", Tone: notice.Strong}, {N: 3, Tone: notice.Strong}, {N: 2, Tone: notice.Strong}, {}},
		},
	}
	return notice.Paper{
		Subject: "【县司法局】9月专项整治月汇总：应报3家，已报2家，未报1家", Issue: "第9期", Title: "行政执法突出问题专项整治9月工作情况", Sub: "数据截至10月10日",
		Sections: []notice.Section{{Heading: "报送情况", Paras: []string{"应报3家，已报2家、占66.7%，未报1家、占33.3%。"}}, {Heading: "汇总数据", Table: table, Notes: []string{"注：零报告计为已报。"}}},
		Sheets:   []notice.Sheet{{Name: "9月", Table: *table}, {Name: "9月", Table: *table}}, File: "9月汇总", Contact: "联系人：执法监督科 示例甲", Issuer: "泗水县司法局", Date: day("2024-10-10"),
	}
}

func reportPaper() notice.Paper {
	draft := notice.Paper{
		Title: "关于2024年第三季度提升行政执法质量重点任务办理情况的通报", Addressee: "各镇街，区政府各部门", Opening: []string{"现将第三季度办理情况通报如下。"},
		Sections: []notice.Section{{Heading: "总体情况", Paras: []string{"应完成21项次，按时19项次、占90.5%。"}}, {Heading: "下一步要求", Lines: []string{"尚未办结的，于10月31日前办结。"}}},
		Sheets:   []notice.Sheet{{Name: "各单位", Table: *summaryPaper().Sections[1].Table}}, File: "通报附表",
	}
	return notice.Paper{
		Subject: "【区司法局】三季度督办情况专报，未办结2项次·提升行政执法质量", Title: "关于2024年第三季度提升行政执法质量重点任务督办情况的报告", Addressee: "区政府办公室",
		Opening: []string{"现将第三季度督办情况报告如下，并代拟通报稿，请审定。"}, Sections: []notice.Section{{Heading: "督办情况", Paras: []string{"已发督办通知单2件，均已送达，至今未反馈。"}}},
		Drafts: []notice.Draft{{File: "通报（代拟稿）", Paper: draft}}, AsFile: "督办情况专报", Issuer: "青岛市崂山区司法局", Date: day("2024-10-15"),
	}
}

// opened is a mail with or without attachments.
func opened(t *testing.T, raw []byte) (parsed, []file) {
	t.Helper()
	if bytes.Contains(raw, []byte("\r\nContent-Type: multipart/mixed;")) {
		return parseMixed(t, raw)
	}
	return parse(t, raw), nil
}

func TestGoldenPapers(t *testing.T) {
	for name, n := range goldenPapers() {
		t.Run(name, func(t *testing.T) {
			m, err := Compose(n, 0, testMail)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(path, m.Bytes, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (write it with -update)", err)
			}
			got, files := opened(t, m.Bytes)
			want, wantFiles := opened(t, golden)
			if got.text != want.text || got.text != crlf(m.Text) {
				t.Errorf("text differs from %s:\n%s\nwant\n%s", path, got.text, want.text)
			}
			if got.html != want.html || got.html != crlf(m.HTML) {
				t.Errorf("HTML differs from %s", path)
			}
			for _, h := range []string{"Subject", "Date", "From", "To", "Cc", "Message-Id", "References", "List-Id"} {
				if got.header.Get(h) != want.header.Get(h) {
					t.Errorf("%s is %q, want %q", h, got.header.Get(h), want.header.Get(h))
				}
			}
			if !slices.EqualFunc(files, wantFiles, func(a, b file) bool {
				return a.name == b.name && a.kind == b.kind && bytes.Equal(a.data, b.data)
			}) {
				t.Errorf("%d attachments differ from those of %s", len(files), path)
			}
			for i := range 20 {
				again, err := Compose(n, 0, testMail)
				if err != nil || !bytes.Equal(again.Bytes, m.Bytes) {
					t.Fatalf("composed again %d times, other bytes (%v)", i+1, err)
				}
			}
			checkLines(t, m.Bytes, maxLine)
			sameAsTemplates(t, compile(cleaned(n.Facts)))
		})
	}
}

func TestPapersSayWhatTheyMust(t *testing.T) {
	letters := goldenPapers()
	for _, c := range []struct {
		letter       string
		must, mayNot []string
		files        []string
	}{
		{
			"paper-digest",
			[]string{
				"内部资料\n", "崂山区提升行政执法质量工作督办日报\n", "　　一、请今日处理\n　　1. 14时前核对登记", "　　二、谁超期、是否已告知\n　　单位｜项｜超期工作日｜提醒｜催办｜送达｜下一步\n　　区交通运输局｜56、24｜8、4｜",
				"　　注：第4项培训7家滞后序时进度。\n　　六、不计入考核", "\n\n　　附件：全表.xlsx\n",
			},
			[]string{"2024年9月26日", "抄送", "联系人：", "：\n　　一"},
			[]string{"全表.xlsx"},
		},
		{
			"paper-form",
			[]string{"督办通知单\n\n", "青岛市崂山区交通运输局：\n　　编号：崂法督〔2024〕12号\n", "　　签收：签收人：　　　　　　签收时间：　　年　　月　　日\n", "　　办理情况反馈（由青岛市崂山区交通运输局填写）\n　　办理情况：\n", "青岛市崂山区司法局\n", "抄送：区政府办公室\n"},
			[]string{"一、", "抄送：区交通运输局", "0000-5550100\n\n"},
			[]string{"督办通知单（区交通运输局，第56项）.docx"},
		},
		{
			"paper-summary",
			[]string{"（第9期）\n", "　　3｜圣水峪镇｜—｜—｜未报\n　　—｜合计｜3｜2｜\n", "　　2｜泗河街道｜0｜0｜按时（零报告）\n", "泗水县司法局\n", "2024年10月10日\n"},
			[]string{"第9期）\n　　　　　　　　　　　　　　　　（第9期）"},
			[]string{"9月汇总.xlsx"},
		},
		{
			"paper-report",
			[]string{"区政府办公室：\n", "　　督办情况\n", "　　附件：1. 督办情况专报.docx\n　　　　　2. 通报（代拟稿）.docx\n　　　　　3. 通报附表.xlsx\n"},
			[]string{"一、", "各镇街"},
			[]string{"督办情况专报.docx", "通报（代拟稿）.docx", "通报附表.xlsx"},
		},
		{
			"paper-correction",
			[]string{"工作提示（补发）\n", "　　本件为补发，所列情况以2024年10月8日登记为准。\n　　我局9月26日提示"},
			[]string{"附件", "一、"},
			nil,
		},
	} {
		m, err := Compose(letters[c.letter], 0, testMail)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.must {
			if !strings.Contains(m.Text, s) {
				t.Errorf("%s lacks %q:\n%s", c.letter, s, m.Text)
			}
		}
		for _, s := range c.mayNot {
			if strings.Contains(m.Text, s) {
				t.Errorf("%s says %q", c.letter, s)
			}
		}
		for _, never := range []string{"您好", "!", "！", "<img", "<style", "<script", "http", "class=", "{{", "%!", "<no value>"} {
			if strings.Contains(strings.Replace(m.HTML, "<!DOCTYPE html>", "", 1), never) || strings.Contains(m.Text, never) {
				t.Errorf("%s holds %q", c.letter, never)
			}
		}
		_, files := opened(t, m.Bytes)
		var names []string
		for _, f := range files {
			names = append(names, f.name)
			want := sheet.Type
			if strings.HasSuffix(f.name, docx.Ending) {
				want = docx.Type
			}
			if f.kind != want || !bytes.HasPrefix(f.data, []byte("PK\x03\x04")) {
				t.Errorf("%s: %s is of type %s", c.letter, f.name, f.kind)
			}
		}
		if !slices.EqualFunc(m.Files, files, func(a Attachment, b file) bool { return a.Name == b.name && bytes.Equal(a.Data, b.data) }) {
			t.Errorf("%s: the message's files are not the mail's", c.letter)
		}
		if !slices.Equal(names, c.files) {
			t.Errorf("%s: attachments %q, want %q", c.letter, names, c.files)
		}
	}
}

func TestAPaperOverTheSizeGoesWithoutItsFiles(t *testing.T) {
	n := goldenPapers()["paper-form"]
	for i, to := range []string{"fenguan@qjtj.laoshan.example", "lianluo@qjtj.laoshan.example"} {
		m, err := Compose(n, i, testMail)
		if err != nil {
			t.Fatal(err)
		}
		light, err := m.Light()
		if err != nil {
			t.Fatal(err)
		}
		if light.Light != nil || len(light.Files) > 0 || light.ID != m.ID || light.To != to || light.To != m.To || light.Key != m.Key || light.Role != m.Role || light.Copy != m.Copy || light.Nth != m.Nth ||
			light.Subject != m.Subject || len(light.Bytes) >= len(m.Bytes) {
			t.Errorf("the light letter is %+v", light)
		}
		if p, files := opened(t, light.Bytes); len(files) > 0 || !strings.Contains(p.text, "附件（督办通知单（区交通运输局，第56项）.docx）超过邮件服务器允许的大小，未随本件发送，可向联系人索取。") ||
			strings.Contains(p.text, "附件：") || !strings.Contains(p.html, "未随本件发送") {
			t.Errorf("%d files, %s", len(files), p.text)
		}
		if again, err := m.Light(); err != nil || !bytes.Equal(again.Bytes, light.Bytes) {
			t.Errorf("made light again, other bytes (%v)", err)
		}
	}
	if m, err := Compose(goldenPapers()["paper-correction"], 0, testMail); err != nil || m.Light != nil {
		t.Errorf("a paper without files can be made light: %v", err)
	}
}

func TestPapersOfATrial(t *testing.T) {
	m := testMail
	m.RedirectTo = "trial@sfj.laoshan.example"
	n := goldenPapers()["paper-form"]
	c, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	msgs, errs := c.All(n)
	for i, want := range []string{"（主送）：区交通运输局分管负责人", "（抄送）：区交通运输局联络员"} {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		p, files := opened(t, msgs[i].Bytes)
		first, _, _ := strings.Cut(p.text, "\r\n")
		if msgs[i].To != m.RedirectTo || !strings.HasPrefix(first, "【试运行】本件原拟发送"+want) || !strings.HasPrefix(msgs[i].Subject, "【试运行】【区司法局】") || len(files) != 1 {
			t.Errorf("copy %d to %s: %s, %s, %d files", i, msgs[i].To, msgs[i].Subject, first, len(files))
		}
		if light, err := msgs[i].Light(); err != nil || !strings.HasPrefix(light.Text, "【试运行】") {
			t.Errorf("the light copy: %v", err)
		}
	}
	if msgs[0].ID == msgs[1].ID {
		t.Error("two copies share a Message-ID")
	}
}

func TestThreadsOfPapers(t *testing.T) {
	digest := goldenPapers()["paper-digest"]
	root := func(change func(*notice.Notice)) string {
		n := digest
		change(&n)
		return threadRoot(n.Key, n.Facts, "d.example")
	}
	same := root(func(*notice.Notice) {})
	for name, c := range map[string]struct {
		change func(*notice.Notice)
		same   bool
	}{
		"another day":   {func(n *notice.Notice) { n.Facts.Date++ }, true},
		"another month": {func(n *notice.Notice) { n.Facts.Date += 10 }, false},
		"another kind":  {func(n *notice.Notice) { n.Key.Kind = notice.PersonnelTotals }, false},
		"a matter":      {func(n *notice.Notice) { n.Key.Matter = "m" }, false},
		"another unit":  {func(n *notice.Notice) { n.Key.Unit = "u" }, false},
		"a unit's own":  {func(n *notice.Notice) { n.Facts.Paper = nil }, false},
	} {
		if got := root(c.change); (got == same) != c.same {
			t.Errorf("%s: thread %s, was %s", name, got, same)
		}
	}
	matter := func(later civil.Date) string {
		return root(func(n *notice.Notice) { n.Key.Matter, n.Facts.Date = "m", n.Facts.Date+later })
	}
	if matter(0) != matter(60) {
		t.Error("papers of one matter are in two threads")
	}
}

func TestPaperTextsAreCleanedAndEscaped(t *testing.T) {
	evil := "<b>\u202e甲\r\nBcc: x@evil.example\x00"
	p := notice.Paper{
		Subject: evil, Mark: evil, Issue: evil, Number: evil, Title: evil, Sub: evil, Addressee: evil, Opening: []string{evil, "", "一\n\n二"},
		Form:     []notice.FormRow{{Label: evil, Text: evil}},
		Sections: []notice.Section{{Heading: evil, Paras: []string{evil}, Lines: []string{evil}, Notes: []string{evil}, Table: &notice.Table{Columns: []notice.Column{{Name: evil}, {Name: "数", Numeric: true}}, Rows: [][]notice.Cell{{{Text: evil, Tone: "x\"y"}}, {{}, {}, {Text: "多"}}}}}},
		Closing:  []string{evil}, Sheets: []notice.Sheet{{Name: evil, Title: evil}}, File: "../" + evil, AsFile: evil, Drafts: []notice.Draft{{File: evil, Paper: notice.Paper{Title: evil}}},
		Contact: evil, Issuer: evil, Date: day("2024-09-26"), Copies: evil,
	}
	n := paperOf(notice.BureauDigest, "bureau", "", "2024-09-26", p)
	m, err := Compose(n, 0, testMail)
	if err != nil {
		t.Fatal(err)
	}
	got, files := opened(t, m.Bytes)
	if strings.Contains(m.HTML, "<b>") || strings.Contains(m.HTML, `x"y`) || strings.ContainsAny(m.Text+m.Subject, "\u202e\x00") || strings.Contains(m.Subject, "\n") || got.header.Get("Bcc") != "" {
		t.Errorf("markup or invisible characters got through:\n%s", m.Text)
	}
	if strings.Contains(m.Text, "\nBcc") && !strings.Contains(m.Text, "　　Bcc") {
		t.Errorf("a line of its own:\n%s", m.Text)
	}
	for _, s := range []string{"　　一\n　　二\n", "｜多\n", "<b>甲 Bcc: x@evil.example｜—｜\n"} {
		if !strings.Contains(m.Text, s) {
			t.Errorf("the text lacks %q:\n%s", s, m.Text)
		}
	}
	for _, f := range files {
		if strings.ContainsAny(f.name, "/\\\r\n") || strings.HasPrefix(f.name, ".") {
			t.Errorf("attachment %q", f.name)
		}
	}
	if len(files) != 3 || p.Title != evil || n.Facts.Paper.Sections[0].Table.Rows[0][0].Text != evil {
		t.Errorf("%d files, or the caller's paper was changed", len(files))
	}
	sameAsTemplates(t, compile(cleaned(n.Facts)))
}

func TestSubjectsOfPapers(t *testing.T) {
	for name, n := range goldenPapers() {
		want := n.Facts.Paper.Subject
		if n.Facts.LateIssue {
			want = strings.Replace(want, "】", "】（补发）", 1)
		}
		if got := subject(cleaned(n.Facts)); got != want || got == "" {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	n := paperOf(notice.BureauDigest, "bureau", "", "2024-09-26", notice.Paper{Title: "督办日报"})
	if got := subject(cleaned(n.Facts)); got != "【区司法局】督办日报" {
		t.Errorf("a paper without a subject: %s", got)
	}
	n.Facts.LateIssue = true
	n.Facts.Paper.Subject = "督办日报"
	if got := subject(cleaned(n.Facts)); got != "（补发）督办日报" {
		t.Errorf("a late one: %s", got)
	}
}

func TestAPaperWithoutAnythingIsComposed(t *testing.T) {
	n := paperOf(notice.Report, "bureau", "", "2024-09-26", notice.Paper{Sections: []notice.Section{{}, {Table: &notice.Table{}}}, Form: []notice.FormRow{{}}})
	m, err := Compose(n, 0, testMail)
	if err != nil || strings.Contains(m.HTML, "<h2") || strings.Contains(m.HTML, "padding-right:2em") {
		t.Errorf("%v\n%s", err, m.HTML)
	}
	n.Facts.Paper.Sheets = []notice.Sheet{{Table: notice.Table{Rows: [][]notice.Cell{make([]notice.Cell, 300)}}}}
	if _, err := Compose(n, 0, testMail); err == nil || !strings.Contains(err.Error(), "附表.xlsx") {
		t.Errorf("a table too wide for a workbook: %v", err)
	}
}

// BenchmarkDigest composes a digest whose workbook has 1,100 rows.
func BenchmarkDigest(b *testing.B) {
	n := paperOf(notice.BureauDigest, "bureau", "", "2024-09-26", digestPaper(1100))
	c, err := New(testMail)
	if err != nil {
		b.Fatal(err)
	}
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		m, err := c.Compose(n, 0)
		if err != nil {
			b.Fatal(err)
		}
		size = len(m.Bytes)
	}
	b.ReportMetric(float64(size), "mail-bytes")
}
