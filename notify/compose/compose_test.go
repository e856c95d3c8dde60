package compose

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"duban/jobs/civil"
	"duban/notify/notice"
)

var update = flag.Bool("update", false, "write the golden letters anew")

// parsed is a mail as another program reads it.
type parsed struct {
	header     mail.Header
	text, html string
}

func parse(t *testing.T, raw []byte) parsed {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q: %v", kind, err)
	}
	p := parsed{header: m.Header}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for i := 0; ; i++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			if i != 2 {
				t.Fatalf("%d parts, want 2", i)
			}
			return p
		}
		if err != nil {
			t.Fatal(err)
		}
		if enc := part.Header.Get("Content-Transfer-Encoding"); enc != "base64" {
			t.Fatalf("part %d is encoded as %q", i, enc)
		}
		b, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			p.text = string(b)
		} else {
			p.html = string(b)
		}
	}
}

func decoded(t *testing.T, s string) string {
	t.Helper()
	out, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGoldenLetters(t *testing.T) {
	for name, n := range goldenLetters() {
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
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (write it with -update)", err)
			}
			g, w := parse(t, m.Bytes), parse(t, want)
			if g.text != w.text {
				t.Errorf("text differs from %s:\n%s\nwant\n%s", path, g.text, w.text)
			}
			if g.html != w.html {
				t.Errorf("HTML differs from %s", path)
			}
			if !bytes.Equal(m.Bytes, want) {
				t.Errorf("bytes differ from %s (look at them, then -update)", path)
			}
			for i := range 100 {
				again, err := Compose(n, 0, testMail)
				if err != nil || !bytes.Equal(again.Bytes, m.Bytes) {
					t.Fatalf("composed again %d times, other bytes (%v)", i+1, err)
				}
			}
			if got := crlf(m.Text); g.text != got {
				t.Error("the text part is not the text")
			}
			if got := crlf(m.HTML); g.html != got {
				t.Error("the HTML part is not the HTML")
			}
			if got := decoded(t, g.header.Get("Subject")); got != m.Subject {
				t.Errorf("subject reads back as %q, want %q", got, m.Subject)
			}
		})
	}
}

func TestEveryLetterIsWellFormedMail(t *testing.T) {
	order := []string{"Date:", "From:", "Reply-To:", "To:", "Cc:", "Subject:", "Message-ID:", "In-Reply-To:", "References:", "List-Id:", "Auto-Submitted:", "X-Duban-Notice:", "MIME-Version:", "Content-Type:"}
	for name, n := range goldenLetters() {
		m, err := Compose(n, 0, testMail)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ReplaceAll(m.Bytes, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(m.Bytes, []byte("\r\n"), nil), []byte("\r")) {
			t.Errorf("%s: a bare CR or LF", name)
		}
		at := 0
		for i, l := range strings.Split(string(m.Bytes), "\r\n") {
			if len(l) > 76 {
				t.Errorf("%s line %d has %d octets", name, i+1, len(l))
			}
			if at < len(order) && l != "" && l[0] != ' ' {
				for at < len(order) && !strings.HasPrefix(l, order[at]) {
					if order[at] != "Cc:" {
						t.Errorf("%s: header %q where %s belongs", name, l, order[at])
					}
					at++
				}
				at++
			}
		}
		h := parse(t, m.Bytes).header
		if got := h.Get("Message-Id"); got != "<"+n.Key.ID()+"@sfj.laoshan.example>" || got != m.ID {
			t.Errorf("%s: Message-ID %s", name, got)
		}
		if got, _ := h.Date(); got.Format("2006-01-02 15:04 -0700") != n.Facts.Date.String()+" 09:00 +0800" {
			t.Errorf("%s: Date %v", name, got)
		}
		if h.Get("Auto-Submitted") != "auto-generated" || h.Get("X-Duban-Notice") != n.ID {
			t.Errorf("%s: %v", name, h)
		}
		for _, must := range []string{`lang="zh-CN"`, "max-width:760px", "仿宋", "宋体"} {
			if !strings.Contains(m.HTML, must) {
				t.Errorf("%s: the HTML lacks %s", name, must)
			}
		}
		for _, never := range []string{"您好", "亲", "!", "！", "<img", "<style", "<script", "http", "class=", "{{", "ZgotmplZ", "%!", "<no value>"} {
			page := strings.Replace(m.HTML, "<!DOCTYPE html>", "", 1)
			if strings.Contains(page, never) || strings.Contains(m.Text, never) || strings.Contains(m.Subject, never) {
				t.Errorf("%s: the letter holds %q", name, never)
			}
		}
	}
}

func TestLettersSayWhatTheyMust(t *testing.T) {
	letters := goldenLetters()
	for _, c := range []struct {
		letter       string
		must, mayNot []string
	}{
		{"second-urging", []string{
			"关于加快办理提升行政执法质量有关事项的工作提示", "青岛市崂山区交通运输局：", "　　根据《崂山区提升行政执法质量实施方案》（青崂政办字〔2024〕14号），按我局登记，截至9月26日，贵局",
			"超期未报2项、9月30日到期2项、滞后序时进度1项", "前4项请于9月30日（星期一）前一并反馈", "　　一、超期未报2项", "　　1. 第56项 典型案例报送：时限9月13日（星期五；台账原文“根据上级部署”），已超8个工作日；需报案例1篇",
			"9月10日已提醒，9月18日已催办，本次为第2次催办", "　　二、9月30日（星期一）到期2项（剩余3个工作日，9月29日为调休上班日）", "　　3. 第17项", "佐证材料：检查记录，报送方式：书面报送，报送对象：区司法局执法监督科",
			"　　三、滞后序时进度1项", "截至8月31日序时应为40，已登记31，滞后序时进度9", "　　四、反馈方式", "也请反馈“无”", "第56项届时仍未反馈的，我局将与贵局分管负责人对接", "联系人：执法监督科 示例甲，电话：0000-5550100",
			"青岛市崂山区司法局\n", "2024年9月26日\n", "抄送：区交通运输局分管负责人",
		}, []string{"第24项届时", "示例丙", "示例乙", "五、"}},
		{"day-off", []string{"9月15日（星期日，最后工作日9月14日）到期2项（剩余2个工作日，9月14日为调休上班日）", "第30项 跨部门联合检查：请告知进展情况"}, []string{"超期", "对接", "抄送"}},
		{"weekly-quiet", []string{"长期坚持3项：第11、12、14项", "第10项（待“机构改革完成”）、第15项", "配合事项1项（供知悉，无需回复）", "本件供知悉，无需回复"}, []string{"请直接回复本邮件，逐项", "超期", "请于"}},
		{"clocks", []string{"泗综执罚决字〔2024〕12号", "逐案办理时限2件（其中超期1件）", "（2024年4月12日印发）", "剩余2个工作日", "已超1个工作日"}, []string{"对接", "〔2024〕14号"}},
		{"odd-dates", []string{
			"台账原文“12月前”；可理解为2024年11月30日前或2024年12月31日前；原文注明“力争”", "经同意由2024年12月31日延期", "退回后重新报送的时限，原时限2024年12月20日",
			"监控设备清理（阶段性成果）", "总体评估材料（全部完成）", "暂定，国务院办公厅尚未公布该年节假日安排", "时限1月10日（星期五",
		}, []string{"2025年1月10日"}},
		{"table", []string{"12月31日（星期二）到期7项（剩余8个工作日）", "11月27日已提醒，12月4日已催办", "　　8. 第25项"}, []string{"本次为"}},
		{"two-plans", []string{
			"、《关于印发〈崂山区法治政府建设工作要点〉的通知》（青崂法办〔2024〕3号）", "（一）9月25日（星期三）到期2项，剩余3个工作日", "（二）10月31日（星期四）到期1项，剩余22个工作日，9月29日、10月12日为调休上班日",
			"“法治政府建设”第2项", "关于报送有关督办事项的工作提示", "“法治政府建设”第4项",
		}, nil},
		{"late-issue", []string{"的催办函（补发）", "本件为补发", "特此函告。", "本次为首次催办"}, []string{"特此提示", "对接"}},
		{"monthly", []string{"专项整治情况报告（2024年9月）", "台账原文“每月25日前”", "贵镇", "泗水县金庄镇人民政府："}, []string{"贵局"}},
		{"between-readings", []string{
			"即将到期2项", "时限11月30日（星期六；台账原文“12月前”；可理解为11月30日前或12月31日前，核定前按前者提醒，过后者方计超期", "较早时限已过，较晚时限12月31日", "剩余16个工作日",
		}, []string{"今日", "超期未报", "已超"}},
		{"mixed", []string{
			"超期和12月31日（星期二）到期的2项，请于当日前一并反馈。逐案事项请按所列时限办理。", "时限12月15日（星期日），已超9个工作日", "本次为首次催办",
			"时限2025年1月5日（星期日）前，最后工作日2025年1月3日（期末12月31日；", "需报自评表、问题清单", "较早时限已过，较晚时限2025年1月31日",
		}, []string{"最后工作日12月13日", "报送对象", "对接", "前2项", "原定"}},
		{"support-only", []string{"本件供知悉，无需回复"}, []string{"请于", "请即"}},
	} {
		n := letters[c.letter]
		m, err := Compose(n, 0, testMail)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.must {
			if !strings.Contains(m.Text, s) {
				t.Errorf("%s: the text lacks %q:\n%s", c.letter, s, m.Text)
			}
		}
		for _, s := range c.mayNot {
			if strings.Contains(m.Text, s) || strings.Contains(m.HTML, s) {
				t.Errorf("%s says %q", c.letter, s)
			}
		}
	}
}

func TestSubjects(t *testing.T) {
	letters := goldenLetters()
	for name, want := range map[string]string{
		"second-urging":    "【区司法局】9月30日前请报4项（2项已超期）、滞后1项·提升行政执法质量·区交通运输局",
		"day-off":          "【区司法局】9月15日前请报2项·提升行政执法质量·区交通运输局",
		"weekly-quiet":     "【区司法局】9月14日配合事项1项（供知悉）·提升行政执法质量·区交通运输局",
		"clocks":           "【县司法局】11月5日起逐案办理2件（1件已超期）·提升行政执法质量三年行动·县综合行政执法局",
		"odd-dates":        "【区司法局】1月10日前请报2项（1项已超期），另2项后续到期·提升行政执法质量·区交通运输局",
		"table":            "【区司法局】1项已超期请即反馈，另7项12月31日起到期·提升行政执法质量·区交通运输局",
		"two-plans":        "【区司法局】9月25日前请报2项，另1项后续到期·督办事项·区交通运输局",
		"late-issue":       "【区司法局】（补发）请报1项（9月30日到期，已超期）·提升行政执法质量·区交通运输局",
		"monthly":          "【县司法局】9月25日前请报1项·提升行政执法质量三年行动·金庄镇",
		"late-and-far":     "【区司法局】1项已超期请即反馈，另1项10月31日起到期·提升行政执法质量·区交通运输局",
		"between-readings": "【区司法局】12月31日前请报2项·提升行政执法质量·区交通运输局",
		"mixed":            "【区司法局】12月31日前请报2项（1项已超期），另2项后续到期、逐案1件·提升行政执法质量·区交通运输局",
		"support-only":     "【区司法局】9月25日配合事项1项（供知悉）·提升行政执法质量·区交通运输局",
	} {
		if got := subject(letters[name].Facts); got != want {
			t.Errorf("%s: %s\n want %s", name, got, want)
		}
	}
}

func TestTopic(t *testing.T) {
	for _, c := range []struct{ title, want string }{
		{"崂山区提升行政执法质量实施方案", "提升行政执法质量"},
		{"青岛市崂山区提升行政执法质量实施方案", "提升行政执法质量"},
		{"《崂山区提升行政执法质量三年行动实施方案（2023—2025年）》", "提升行政执法质量三年行动"},
		{"关于印发《崂山区法治政府建设工作要点》的通知", "法治政府建设"},
		{"关于印发〈全区普法工作计划〉的通知", "普法"},
		{"关于进一步规范涉企检查的实施意见", "进一步规范涉企检查"},
		{"2024年工作方案", "2024年"},
		{"方案", ""}, {"", ""}, {"《》", ""}, {"（试行）", ""},
		{strings.Repeat("很长的名称", 9) + "方案", ""},
		{"崂山区人民政府关于全面加强和改进行政执法监督工作的实施意见", "全面加强和改进行政执法监督工作"},
		{"区政府办公室关于转发区司法局关于规范涉企行政检查意见的通知", "规范涉企行政检查"},
	} {
		if got := topic(c.title, "青岛市崂山区"); got != c.want {
			t.Errorf("topic(%q) = %q, want %q", c.title, got, c.want)
		}
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"方案": "《方案》", "《方案》": "《方案》", "关于印发《方案》的通知": "《关于印发〈方案〉的通知》", "《甲》《乙》": "《〈甲〉〈乙〉》",
	} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCopiesGetTheSameLetterInTheirOwnEnvelope(t *testing.T) {
	n := goldenLetters()["second-urging"]
	to, err := Compose(n, 0, testMail)
	if err != nil {
		t.Fatal(err)
	}
	cc, err := Compose(n, 1, testMail)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(to.Bytes, cc.Bytes) || to.ID != cc.ID {
		t.Error("the copy is another letter")
	}
	if to.To != "lianluo@qjtj.laoshan.example" || cc.To != "fenguan@qjtj.laoshan.example" || to.Copy || !cc.Copy || cc.Role != "deputy" {
		t.Errorf("envelopes %s %s", to.To, cc.To)
	}
	h := parse(t, cc.Bytes).header
	if list, err := h.AddressList("Cc"); err != nil || len(list) != 1 || list[0].Name != "区交通运输局分管负责人" {
		t.Errorf("Cc %v %v", list, err)
	}
	n.Facts.Recipients[1].Email = "nobody"
	if _, err := Compose(n, 1, testMail); !errors.Is(err, ErrAddress) {
		t.Errorf("a bad copy address: %v", err)
	}
	alone, err := Compose(n, 0, testMail)
	if err != nil {
		t.Fatalf("a bad copy address stops the reader's own letter: %v", err)
	}
	if parse(t, alone.Bytes).header.Get("Cc") != "" {
		t.Error("a bad address got into the headers")
	}
}

func TestRedirectMarksTheTrial(t *testing.T) {
	n := goldenLetters()["second-urging"]
	m := testMail
	m.RedirectTo = "trial@sfj.laoshan.example"
	to, err := Compose(n, 0, m)
	if err != nil {
		t.Fatal(err)
	}
	cc, err := Compose(n, 1, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []Message{to, cc} {
		h := parse(t, got.Bytes).header
		if got.To != m.RedirectTo || h.Get("To") != m.RedirectTo || h.Get("Cc") != "" {
			t.Errorf("goes to %s, headers %v", got.To, h)
		}
		if !strings.HasPrefix(got.Subject, "【试运行】【区司法局】") {
			t.Errorf("subject %s", got.Subject)
		}
	}
	if first, _, _ := strings.Cut(to.Text, "\n"); first != "【试运行】本件原拟发送（主送）：区交通运输局联络员 示例乙，lianluo@qjtj.laoshan.example。正式运行前只发至本邮箱。" {
		t.Errorf("first line %s", first)
	}
	if !strings.Contains(cc.HTML, "（抄送）：区交通运输局分管负责人 示例丙，fenguan@qjtj.laoshan.example") {
		t.Error("the copy does not say whose it is")
	}
	if to.ID == cc.ID || to.ID != "<"+n.ID+"@sfj.laoshan.example>" {
		t.Errorf("Message-IDs %s %s", to.ID, cc.ID)
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	evil := "x\r\nBcc: evil@example.org\r\n\r\nbody\x00"
	refused := []func(*notice.Notice, *Mail){
		func(n *notice.Notice, m *Mail) { m.FromAddress = "a@b.example\r\nBcc: evil@example.org" },
		func(n *notice.Notice, m *Mail) { m.FromName = evil },
		func(n *notice.Notice, m *Mail) { m.ReplyTo = "a@b.example\nBcc: evil@example.org" },
		func(n *notice.Notice, m *Mail) { m.Domain = "b.example>\r\nBcc: evil@example.org" },
		func(n *notice.Notice, m *Mail) { m.RedirectTo = "a@b.example,evil@example.org" },
		func(n *notice.Notice, m *Mail) { n.Facts.Recipients[0].Email = "a@b.example\r\nBcc: evil@example.org" },
		func(n *notice.Notice, m *Mail) { n.ID = "abc\r\nBcc: evil@example.org" },
	}
	for i, spoil := range refused {
		n, m := goldenLetters()["second-urging"], testMail
		spoil(&n, &m)
		if _, err := Compose(n, 0, m); err == nil {
			t.Errorf("case %d was composed", i)
		}
	}
	n := goldenLetters()["second-urging"]
	f := &n.Facts
	f.Issuer.Short, f.Issuer.Name, f.Reader.Name, f.Plans[0].Title, f.Overdue[0].Title = evil, evil, evil, evil, evil
	f.Recipients[0].Name, f.Recipients[1].Role = evil, evil
	m, err := Compose(n, 0, Mail{FromAddress: "a@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, m.Bytes)
	if p.header.Get("Bcc") != "" || strings.Contains(m.Subject, "\n") {
		t.Errorf("injected: %v", p.header)
	}
	head, _, _ := strings.Cut(string(m.Bytes), "\r\n\r\n")
	if strings.Contains(head, "evil") {
		t.Errorf("raw text in the headers:\n%s", head)
	}
}

func TestTextIsEscaped(t *testing.T) {
	n := goldenLetters()["second-urging"]
	n.Facts.Overdue[0].Title = `<script>alert(1)</script>"'&` + "\u202e\u200b\x07末"
	n.Facts.Reader.FullName = "<b>局</b>"
	n.Facts.Upcoming[0].DeadlineText = strings.Repeat("长", 10000)
	m, err := Compose(n, 0, testMail)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "<b>") {
		t.Error("markup got through")
	}
	if !strings.Contains(m.HTML, "&lt;script&gt;") || !strings.Contains(m.Text, `<script>alert(1)</script>"'& 末`) {
		t.Error("the words are gone")
	}
	if strings.ContainsAny(m.Text, "\u202e\u200b\x07") {
		t.Error("invisible characters got through")
	}
	if utf8.RuneCountInString(m.Text) > 3000 {
		t.Error("a long cell was not cut")
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"a@b.example":           "a@b.example",
		"zhang.san+x@例子.中国":     "zhang.san+x@xn--fsqu00a.xn--fiqs8s",
		"o'brien_1@sub.example": "o'brien_1@sub.example",
		"A.b_c-d@b-1.example":   "A.b_c-d@b-1.example",
		"a@B.Example":           "a@b.example",
		"a@localhost":           "a@localhost",
		"张三@b.example":          "张三@b.example",
		"张.三+x@例子.中国":           "张.三+x@xn--fsqu00a.xn--fiqs8s",
		"jos\u00e9@b.example":   "jos\u00e9@b.example",
	} {
		if got, err := Address(in); err != nil || got != want {
			t.Errorf("Address(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "a", "@b.example", "a@", "a@b.example ", " a@b.example", "a b@c.example", "张三 <a@b.example>", "<a@b.example>",
		"a@b.example\r\nBcc: x@y.example", "a@b.example\n", "a\x00@b.example", "a@b.example\x00", "a@@b.example", "a@b@c.example", "\"a b\"@c.example",
		"a@b.example,c@d.example", "a@b.example;c@d.example", "a@b..example", "a@.example", "a@b_c.example", "a@-b.example", "a@[127.0.0.1]", "a@b.example>",
		"a(x)@b.example", "a@b.example(x)", ".a@b.example", "a..b@c.example", strings.Repeat("a", 65) + "@b.example", "a\xff@b.example",
		"jose\u0301@b.example", "张\u3000三@b.example", "张\u200b三@b.example", "张\u202e三@b.example", "张\u2028三@b.example", "张\ufffd@b.example",
		"张三＠b.example", "a＠b@c.example", "a，b@c.example", "张，b@c.example", "\"张三\"@b.example", "张 三@b.example", "张三@b.example\r\nBcc: x@y.example",
		"张\x7f@b.example", "张\u0085@b.example", "张\ue000@b.example", strings.Repeat("张", 22) + "@b.example", "张三 <张三@b.example>", ".张@b.example", "张..三@b.example",
		"a@b.-example", "a@b-.example", "a@xn--.example", "a@" + strings.Repeat("b", 64) + ".example", "a@" + strings.Repeat("b.", 130) + "example",
	} {
		if got, err := Address(in); err == nil {
			t.Errorf("Address(%q) = %q, want a refusal", in, got)
		} else if !errors.Is(err, ErrAddress) {
			t.Errorf("Address(%q): %v is not ErrAddress", in, err)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.example", "张三@例子.中国", "a@b.example\r\nBcc: x", "\"a\"@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Address(s)
		if err != nil {
			return
		}
		local, domain, _ := strings.Cut(got, "@")
		if strings.ContainsFunc(local, func(r rune) bool {
			return r <= ' ' || !unicode.IsGraphic(r) || strings.ContainsRune("<>,;:\"\\()[]@", r)
		}) ||
			strings.ContainsFunc(domain, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == ',' }) {
			t.Fatalf("Address(%q) = %q", s, got)
		}
		if again, err := Address(got); err != nil || again != got {
			t.Fatalf("Address(%q) = %q, again %q, %v", s, got, again, err)
		}
	})
}

func FuzzCompose(f *testing.F) {
	f.Add("标题", "2024年底前", "案例", int32(10), uint8(3))
	f.Fuzz(func(t *testing.T, title, deadline, deliverable string, shift int32, left uint8) {
		n := goldenLetters()["second-urging"]
		it := &n.Facts.Upcoming[0]
		it.Title, it.DeadlineText, it.Deliverable, it.Left = title, deadline, deliverable, int(left)
		it.Due += civil.Date(shift % 400000)
		it.Period, it.Soft, n.Facts.Plans[0].Title, n.Facts.Reader.Name = deadline, title, title, deliverable
		m, err := Compose(n, 0, testMail)
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, m.Bytes, maxLine)
		sameAsTemplates(t, compile(cleaned(n.Facts)))
		p := parse(t, m.Bytes)
		if !utf8.ValidString(p.text) || decoded(t, p.header.Get("Subject")) != m.Subject {
			t.Fatalf("subject %q reads back as %q", m.Subject, decoded(t, p.header.Get("Subject")))
		}
	})
}

func TestComposeRefuses(t *testing.T) {
	n := goldenLetters()["monthly"]
	for _, i := range []int{-1, 1, 99} {
		if _, err := Compose(n, i, testMail); err == nil {
			t.Errorf("recipient %d was composed", i)
		}
	}
	if _, err := Compose(n, 0, Mail{}); err == nil {
		t.Error("composed without a sender")
	}
	n.Facts.Date = 0
	if _, err := Compose(n, 0, testMail); err == nil {
		t.Error("composed without a date")
	}
	if m, err := Compose(letterOf(notice.Facts{Date: day("2024-09-26"), Recipients: []notice.Recipient{{Email: "a@b.example"}}}), 0, testMail); err != nil || !strings.Contains(m.Text, "无待报事项") {
		t.Errorf("an empty letter: %v\n%s", err, m.Text)
	}
}

func TestComposeLeavesTheFactsAlone(t *testing.T) {
	n := goldenLetters()["second-urging"]
	n.Facts.Overdue[0].Title = "a\nb"
	if _, err := Compose(n, 0, testMail); err != nil {
		t.Fatal(err)
	}
	if n.Facts.Overdue[0].Title != "a\nb" {
		t.Error("the caller's facts were changed")
	}
}

func TestOrdinals(t *testing.T) {
	for n, want := range map[int]string{1: "一", 10: "十", 11: "十一", 19: "十九", 20: "二十", 21: "二十一", 99: "九十九", 100: "100"} {
		if got := ordinal10(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// crlf is a text as it is in a mail.
func crlf(s string) string { return string(appendCRLF(nil, []byte(s))) }
