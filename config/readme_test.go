package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mailChapter is the part of the README that describes the mail settings.
func mailChapter(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, found := strings.Cut(string(b), "\n## Mail settings\n")
	chapter, _, ended := strings.Cut(chapter, "\n## ")
	if !found || !ended {
		t.Fatal("the README has no chapter on mail settings")
	}
	return chapter
}

// TestTheReadmesTableIsTrue holds its keys and defaults against the table of fields.
func TestTheReadmesTableIsTrue(t *testing.T) {
	defaults, listed := map[string]string{}, map[string]bool{}
	for _, s := range completed().Settings() {
		if key, ok := strings.CutPrefix(s.Key, "mail."); ok {
			defaults[key] = s.Value
		}
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	for row := range strings.SplitSeq(mailChapter(t), "\n") {
		cells := strings.Split(row, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		values := strings.Split(cells[2], ",")
		for i, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
			key, said := m[1], ""
			if i < len(values) {
				said = strings.Trim(strings.TrimSpace(values[i]), "`[]")
			}
			want, exists := defaults[key]
			// These two follow from another setting, which the table names.
			follows := key == "message_id_domain" || key == "smtp.hello" || key == "smtp.server_name"
			if !exists || said != want && !follows {
				t.Errorf("%s: the README says %q, the default is %q (known: %v)", key, said, want, exists)
			}
			listed[key] = true
		}
	}
	for key := range defaults {
		if !listed[key] {
			t.Errorf("the README does not list mail.%s", key)
		}
	}
}

func TestTheReadmesExamplesLoad(t *testing.T) {
	city := write(t, "city", "city-secret\n")
	var examples []string
	for part := range strings.SplitSeq(mailChapter(t), "\n    mail:\n") {
		var lines []string
		for l := range strings.SplitSeq(part, "\n") {
			if !strings.HasPrefix(l, "    ") {
				break
			}
			lines = append(lines, strings.TrimPrefix(l, "    "))
		}
		if len(lines) > 0 {
			examples = append(examples, strings.ReplaceAll("mail:\n"+strings.Join(lines, "\n")+"\n", "/run/secrets/city", city))
		}
	}
	if len(examples) != 4 {
		t.Fatalf("%d examples", len(examples))
	}
	relay := mustParse(t, examples[0], "DUBAN_MAIL_SMTP_PASSWORD", "p").MailOf("any").SMTP
	if relay.TLS != "required" || !relay.SenderIsLogin || relay.MessagesPerMinute != 30 || relay.Password.Reveal() != "p" {
		t.Errorf("government relay: %+v", relay)
	}
	old := mustParse(t, examples[1], "DUBAN_MAIL_SMTP_PASSWORD", "p")
	if host, port := old.Mail.SMTP.Address(); host != "10.20.0.25" || port != 25 || !old.Mail.SMTP.PlainAuth() || old.Mail.MessageIDDomain != "sfj.example" {
		t.Errorf("old relay: %+v", old.Mail)
	}
	two := mustParse(t, examples[2], "DUBAN_JURISDICTIONS_LAOSHAN_MAIL_SMTP_PASSWORD", "l", "CHANGJI_PASSWORD", "c")
	for code, want := range map[string][3]string{
		"": {"smtp.example.com", "duban@sfj.example.com", "city-secret"}, "laoshan": {"smtp.example.com", "laoshan@sfj.example.com", "l"},
		"changji": {"mail.changji.example.com", "sfj@changji.example.com", "c"},
	} {
		m := two.MailOf(code)
		if got := [3]string{m.SMTP.Host, m.SMTP.Username, m.SMTP.Password.Reveal()}; got != want || m.FromAddress != want[1] || m.MessageIDDomain != "sfj.example.com" {
			t.Errorf("%q: %v %+v", code, got, m)
		}
	}
	if p := mustParse(t, examples[3]).Mail.SMTP.Pin(); len(p) != 64 || slices.Contains(strings.Split(p, ""), ":") {
		t.Errorf("pin %q", p)
	}
}
