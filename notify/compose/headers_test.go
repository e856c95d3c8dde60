package compose

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// checkLines fails on a line that is too long and on a CR or LF that is not part of a line end.
func checkLines(t *testing.T, raw []byte, most int) {
	t.Helper()
	for i, l := range strings.Split(string(raw), "\r\n") {
		if len(l) > most || strings.ContainsAny(l, "\r\n\x00") {
			t.Fatalf("line %d has %d octets: %q", i+1, len(l), l)
		}
	}
}

func mustCompose(t *testing.T, n notice.Notice, m Mail) (Message, mail.Header) {
	t.Helper()
	msg, err := Compose(n, 0, m)
	if err != nil {
		t.Fatal(err)
	}
	return msg, parse(t, msg.Bytes).header
}

func TestLettersAboutTheSameThingAreOneThread(t *testing.T) {
	thread := func(f notice.Facts, change ...func(*notice.Notice)) string {
		n := letterOf(f)
		for _, c := range change {
			c(&n)
		}
		msg, h := mustCompose(t, n, testMail)
		root := h.Get("References")
		if h.Get("In-Reply-To") != root || root == msg.ID || !strings.HasPrefix(root, "<thread-") || !strings.HasSuffix(root, "@sfj.laoshan.example>") {
			t.Fatalf("References %q, In-Reply-To %q", root, h.Get("In-Reply-To"))
		}
		return root
	}
	remind, urge, extended, quiet := base("2025-06-25"), base("2025-07-02"), base("2025-07-08"), base("2025-06-09")
	june := upcoming("17", "问题清单", "2025-06-30", 3)
	remind.Upcoming = []notice.Item{june}
	late := overdue("17", "问题清单", "2025-06-30", 2)
	late.Step, late.Rung = "T+2", "urging"
	urge.Overdue = []notice.Item{late}
	urge.Upcoming = []notice.Item{upcoming("18", "别的", "2025-07-31", 20)}
	june.Due, june.Extended = day("2025-07-10"), true
	extended.Upcoming = []notice.Item{june}
	quiet.Standing = []notice.Item{{Row: "11"}}

	root := thread(remind)
	for name, f := range map[string]notice.Facts{"the urging": urge, "after an extension": extended, "nothing said, the letter's month": quiet} {
		if got := thread(f); got != root {
			t.Errorf("%s: %s, want %s", name, got, root)
		}
	}
	repeated := urge
	repeated.Overdue = []notice.Item{overdue("3", "旧账", "2025-03-31", 60), late}
	if got := thread(repeated); got != root {
		t.Error("a line repeated from earlier letters leads the thread")
	}
	notSaid := base("2025-07-02")
	notSaid.Overdue = []notice.Item{overdue("17", "问题清单", "2025-06-30", 2)}
	if got := thread(notSaid); got != root {
		t.Error("where nothing is said today the first item leads")
	}
	july := base("2025-07-02")
	july.Upcoming = []notice.Item{upcoming("18", "别的", "2025-07-31", 20)}
	for name, got := range map[string]string{
		"another month":        thread(july),
		"another unit":         thread(remind, func(n *notice.Notice) { n.Key.Unit = "other" }),
		"another jurisdiction": thread(remind, func(n *notice.Notice) { n.Key.Jurisdiction = "sishui" }),
	} {
		if got == root {
			t.Errorf("%s is in the same thread", name)
		}
	}
}

func TestPrincipalItemFollowsTheLetterOrder(t *testing.T) {
	item := func(d string) []notice.Item { return []notice.Item{{Nominal: day(d), Step: "x"}} }
	f := notice.Facts{
		Overdue: item("2024-01-01"), Clocks: item("2024-02-01"), Upcoming: item("2024-03-01"), Behind: item("2024-04-01"), Support: item("2024-05-01"),
	}
	for _, drop := range []*[]notice.Item{&f.Overdue, &f.Clocks, &f.Upcoming, &f.Behind, &f.Support} {
		if got, want := principalDate(f), f.Items()[0].Nominal; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		*drop = nil
	}
	for _, c := range []struct {
		it   notice.Item
		want civil.Date
	}{
		{notice.Item{Due: day("2024-02-03")}, day("2024-02-03")},
		{notice.Item{PaceAt: day("2024-02-29")}, day("2024-02-29")},
		{notice.Item{}, day("2024-09-26")},
	} {
		if got := principalDate(notice.Facts{Date: day("2024-09-26"), Upcoming: []notice.Item{c.it}}); got != c.want {
			t.Errorf("%+v: %s, want %s", c.it, got, c.want)
		}
	}
}

func TestListID(t *testing.T) {
	for jurisdiction, want := range map[string]string{
		"laoshan":               "unit-letter.laoshan.sfj.laoshan.example",
		"LS-1":                  "unit-letter.ls-1.sfj.laoshan.example",
		"":                      "unit-letter.sfj.laoshan.example",
		"a.b":                   "",
		"崂山":                    "",
		"-a":                    "",
		"a>\r\nB:":              "",
		"a b":                   "",
		strings.Repeat("a", 64): "",
	} {
		n := goldenLetters()["day-off"]
		n.Key.Jurisdiction = jurisdiction
		msg, h := mustCompose(t, n, testMail)
		name, id, ok := strings.Cut(h.Get("List-Id"), " <")
		id = strings.TrimSuffix(id, ">")
		if !ok || decoded(t, name) != "督办 青岛市崂山区" {
			t.Errorf("%q: name %q", jurisdiction, name)
		}
		labels := strings.Split(id, ".")
		if want == "" { // a hash
			if len(labels) != 5 || len(labels[1]) != 17 || labels[1][0] != 'x' || strings.Trim(labels[1][1:], "0123456789abcdef") != "" {
				t.Errorf("%q: %s", jurisdiction, id)
			}
		} else if id != want {
			t.Errorf("%q: %s, want %s", jurisdiction, id, want)
		}
		checkLines(t, msg.Bytes, maxLine)
	}
	n := goldenLetters()["day-off"]
	m := testMail
	m.Domain = strings.Repeat(strings.Repeat("d", 60)+".", 4) + "example"
	msg, h := mustCompose(t, n, m)
	if h.Get("List-Id") != "" {
		t.Errorf("List-Id of %d octets", len(h.Get("List-Id")))
	}
	if h.Get("References") == "" || h.Get("Message-Id") != msg.ID || !strings.HasSuffix(msg.ID, m.Domain+">") {
		t.Errorf("a long domain: %v", h)
	}
	checkLines(t, msg.Bytes, 998)
}

func TestSenderAddress(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(*Mail)
		from, replyTo string
	}{
		"none":                {func(m *Mail) {}, "duban@sfj.laoshan.example", ""},
		"login":               {func(m *Mail) { m.SenderAddress = "login@relay.example" }, "login@relay.example", "duban@sfj.laoshan.example"},
		"login is the sender": {func(m *Mail) { m.SenderAddress = m.FromAddress }, "duban@sfj.laoshan.example", ""},
		"login and reply-to": {func(m *Mail) {
			m.SenderAddress, m.ReplyTo = "login@relay.example", "zfjd@sfj.laoshan.example"
		}, "login@relay.example", "zfjd@sfj.laoshan.example"},
	} {
		m := testMail
		m.ReplyTo = ""
		c.change(&m)
		msg, h := mustCompose(t, goldenLetters()["day-off"], m)
		from, err := mail.ParseAddress(h.Get("From"))
		if err != nil || from.Address != c.from || from.Name != "崂山区司法局" || msg.From != c.from || h.Get("Reply-To") != c.replyTo {
			t.Errorf("%s: From %v, envelope %s, Reply-To %q (%v)", name, from, msg.From, h.Get("Reply-To"), err)
		}
		if !strings.HasSuffix(msg.ID, "@sfj.laoshan.example>") {
			t.Errorf("%s: Message-ID %s", name, msg.ID)
		}
	}
	m := testMail
	m.SenderAddress = "a@b.example\r\nBcc: c@d.example"
	if _, err := Compose(goldenLetters()["day-off"], 0, m); !errors.Is(err, ErrAddress) || m.Validate() == nil {
		t.Errorf("a bad sender address: %v", err)
	}
}

func TestOnlyACopyToANonASCIIAddressNeedsSMTPUTF8(t *testing.T) {
	n := goldenLetters()["second-urging"]
	n.Facts.Recipients = append(n.Facts.Recipients, notice.Recipient{Role: "legal", Email: "王五@例子.中国", Copy: true})
	c, err := New(testMail)
	if err != nil {
		t.Fatal(err)
	}
	msgs, errs := c.All(n)
	for i, wide := range []bool{false, false, true} {
		if errs[i] != nil || msgs[i].UTF8 != wide {
			t.Fatalf("recipient %d: UTF8 %v, %v", i, msgs[i].UTF8, errs[i])
		}
		list, err := mail.ParseAddressList(parse(t, msgs[i].Bytes).header.Get("Cc"))
		if err != nil || len(list) == 0 || (len(list) == 2) != wide {
			t.Errorf("recipient %d: Cc %v %v", i, list, err)
		}
		if wide && (list[1].Address != "王五@xn--fsqu00a.xn--fiqs8s" || msgs[i].To != list[1].Address) {
			t.Errorf("Cc %v, envelope %s", list[1], msgs[i].To)
		}
		if head, _, _ := strings.Cut(string(msgs[i].Bytes), "\r\n\r\n"); isASCII(head) == wide {
			t.Errorf("recipient %d: headers are ASCII: %v", i, !wide)
		}
		checkLines(t, msgs[i].Bytes, maxLine)
	}
	for name, change := range map[string]func(*Mail){
		"from":     func(m *Mail) { m.FromAddress = "督办@b.example" },
		"sender":   func(m *Mail) { m.SenderAddress = "督办@b.example" },
		"reply-to": func(m *Mail) { m.ReplyTo = "督办@b.example" },
		"redirect": func(m *Mail) { m.RedirectTo = "督办@b.example" },
	} {
		m := testMail
		change(&m)
		if msg, _ := mustCompose(t, goldenLetters()["day-off"], m); !msg.UTF8 {
			t.Errorf("%s: UTF8 is not set", name)
		}
	}
	p := plainLetter()
	p.To = "张三@b.example"
	if msg, err := Plain(p); err != nil || !msg.UTF8 {
		t.Errorf("a plain letter: %v", err)
	}
}

func TestAllIsComposeForEach(t *testing.T) {
	n := goldenLetters()["second-urging"]
	n.Facts.Recipients = append(n.Facts.Recipients,
		notice.Recipient{Role: "head", Email: "nobody"}, notice.Recipient{Role: "deputy", Email: "b@c.example", Copy: true}, notice.Recipient{Email: "李@c.example"})
	sealed := 0
	seal := testMail
	seal.Seal = func(b []byte) ([]byte, error) { sealed++; return append([]byte("X-Seal: 1\r\n"), b...), nil }
	trial := testMail
	trial.RedirectTo = "trial@b.example"
	for name, m := range map[string]Mail{"as is": testMail, "sealed": seal, "trial": trial} {
		c, err := New(m)
		if err != nil {
			t.Fatal(err)
		}
		msgs, errs := c.All(n)
		if sealed != 0 && sealed != 2 {
			t.Errorf("%s: sealed %d times, want once for the shared bytes and once for the other", name, sealed)
		}
		for i := range n.Facts.Recipients {
			want, wantErr := Compose(n, i, m)
			if (errs[i] == nil) != (wantErr == nil) || errs[i] != nil && errs[i].Error() != wantErr.Error() {
				t.Fatalf("%s, recipient %d: %v, want %v", name, i, errs[i], wantErr)
			}
			want.Light, msgs[i].Light = nil, nil
			if fmt.Sprintf("%+v", msgs[i]) != fmt.Sprintf("%+v", want) {
				t.Errorf("%s, recipient %d is another letter", name, i)
			}
		}
		sealed = 0
	}
	n.ID = "not an ID"
	c, err := New(testMail)
	if err != nil {
		t.Fatal(err)
	}
	if _, errs := c.All(n); errs[0] == nil || errs[4] == nil {
		t.Errorf("a bad letter: %v", errs)
	}
}

func TestSeveralWorkersShareAComposer(t *testing.T) {
	c, err := New(testMail)
	if err != nil {
		t.Fatal(err)
	}
	letters := goldenLetters()
	letters["12KB"] = letter12KB()
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for name, n := range letters {
				want, err := Compose(n, 0, testMail)
				if err != nil {
					t.Error(err)
					return
				}
				for range 10 {
					if got, err := c.Compose(n, 0); err != nil || !bytes.Equal(got.Bytes, want.Bytes) || got.HTML != want.HTML || got.Text != want.Text {
						t.Errorf("%s is another letter (%v)", name, err)
						return
					}
				}
			}
		})
	}
	workers.Wait()
}

func TestLongNamesFitTheirLines(t *testing.T) {
	for n := range 70 {
		l := goldenLetters()["second-urging"]
		m := testMail
		l.Facts.Reader.Name, m.FromName = strings.Repeat("x", n)+"局", strings.Repeat("x", n)+"厅"
		msg, h := mustCompose(t, l, m)
		checkLines(t, msg.Bytes, maxLine)
		for field, want := range map[string]string{"From": m.FromName, "To": l.Facts.Reader.Name + "联络员", "Cc": l.Facts.Reader.Name + "分管负责人"} {
			if list, err := h.AddressList(field); err != nil || len(list) != 1 || list[0].Name != want {
				t.Errorf("%s of %q reads as %v (%v)", field, want, list, err)
			}
		}
	}
}

func TestLittleToSay(t *testing.T) {
	p := Letter{ID: "plain0002", From: Mail{FromAddress: "a@b.example"}, To: "c@d.example", Date: plainLetter().Date, Attachments: []Attachment{{}}}
	m, err := Plain(p)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, m.Bytes, maxLine)
	got, files := parseMixed(t, m.Bytes)
	if len(files) != 1 || files[0].name != "附件" || len(files[0].data) != 0 || got.header.Get("From") != "a@b.example" {
		t.Errorf("%+v %v", files, got.header)
	}
	light, err := m.Light()
	if err != nil || parse(t, light.Bytes).text != crlf(light.Text) {
		t.Errorf("the light letter: %v", err)
	}
}

func TestASealThatFailsIsToldOf(t *testing.T) {
	gone := errors.New("the key is gone")
	m := testMail
	m.Seal = func([]byte) ([]byte, error) { return nil, gone }
	if _, err := Compose(goldenLetters()["day-off"], 0, m); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

// awkwardLetter has everything in it that breaks mails.
func awkwardLetter() notice.Notice {
	n := goldenLetters()["second-urging"]
	f := &n.Facts
	f.Reader.Name = `局, "乙" (丙) <丁> ; : \ 😀` + "\r\nBcc: evil@example.org\x00\x1b"
	f.Reader.FullName = "From 局\n.\nFrom here"
	f.Issuer.Short = strings.Repeat("x", 300)
	f.Overdue[0].Title = strings.Repeat("a-very-long-token", 15) + "\x00\u0085\u2028"
	f.Overdue[1].Title = "\r\n.\r\nMAIL FROM:<evil@example.org>"
	f.Upcoming[0].Deliverable = "..开头"
	f.Recipients = []notice.Recipient{{Role: "liaison", Email: "lianluo@qjtj.laoshan.example"}}
	for i := range 100 {
		f.Recipients = append(f.Recipients, notice.Recipient{Role: "deputy", Email: fmt.Sprintf("copy-%03d@%s.example", i, strings.Repeat("d", i%60+1)), Copy: true})
	}
	return n
}

var awkwardMail = Mail{FromName: `Bureau, "of" (Justice) 😀 <x>`, FromAddress: "duban@sfj.laoshan.example", ReplyTo: "o'brien+x@sfj.laoshan.example"}

func TestAwkwardLetter(t *testing.T) {
	n := awkwardLetter()
	msg, h := mustCompose(t, n, awkwardMail)
	checkLines(t, msg.Bytes, 998)
	list, err := h.AddressList("Cc")
	if err != nil || len(list) != 100 {
		t.Fatalf("%d copies, %v", len(list), err)
	}
	for i, a := range list {
		if want := clean(n.Facts.Reader.Name) + "分管负责人"; a.Name != want || a.Address != n.Facts.Recipients[i+1].Email {
			t.Fatalf("copy %d: %v, want %s", i, a, want)
		}
	}
	from, err := h.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Name != awkwardMail.FromName {
		t.Errorf("From %v %v", from, err)
	}
	if h.Get("Bcc") != "" || strings.ContainsAny(msg.Text+msg.Subject, "\x00\x1b\u0085\u2028") {
		t.Error("control characters or a Bcc got through")
	}
	if strings.Count(string(msg.Bytes), "\r\n.") != 0 || strings.Contains(string(msg.Bytes), "\r\nFrom ") {
		t.Error("a line begins with a dot or with From and a space")
	}
	for range 100 {
		if again, _ := mustCompose(t, n, awkwardMail); !bytes.Equal(again.Bytes, msg.Bytes) {
			t.Fatal("composed again, other bytes")
		}
	}
}

// FuzzUsualAddress holds the short way to the long one.
func FuzzUsualAddress(f *testing.F) {
	for _, s := range []string{"a@b.example", "A_b.c-d@b-1.example", "a@xn--fiqs8s.cn", "a-@b.cn", "a@b.", "a@1.2", "a@b..c", "a@b-.c", ".@a.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !isUsual(s) {
			return
		}
		domain, err := Domain(domainOf(s))
		if err != nil || domain != domainOf(s) {
			t.Fatalf("%q: %q, %v", s, domain, err)
		}
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s || a.Name != "" {
			t.Fatalf("%q: %v, %v", s, a, err)
		}
	})
}
