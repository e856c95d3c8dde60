package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
)

func (a *app) mailCmd() *cobra.Command {
	c := &cobra.Command{Use: "mail", Short: "Try the mail settings"}
	var t mailTest
	test := &cobra.Command{
		Use: "test", Short: "Send one small letter, at once, and print what the server answered",
		Long: `Compose one small letter and hand it over with the settings that are in force. It is nobody's letter: nothing is written
to the register or the archive, and neither the sending window nor a brake keeps it. mail.redirect_to holds. Exit 0 says
that the server took responsibility for it.`,
		Example: "  duban mail test --to admin@sfj.example.com\n  duban mail test --to admin@sfj.example.com --attach 反馈表.xlsx",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.load(); err != nil {
				return err
			}
			return a.mailTest(c.Context(), t)
		},
	}
	f := test.Flags()
	f.StringVar(&t.to, "to", "", "the address it goes to")
	f.StringVar(&t.attach, "attach", "", "a file to go with it")
	f.StringVar(&t.code, "jurisdiction", "", "with the sender and the account of this jurisdiction; default the top level's")
	_ = test.MarkFlagRequired("to") // the flag is there
	c.AddCommand(test)
	return c
}

// mailTest are the flags of a test letter.
type mailTest struct{ to, attach, code string }

// largestAttachment bounds what is read for a test letter, in bytes.
const largestAttachment = 64 << 20

// mailTested is what became of a test letter, as `mail test --output json` prints it.
type mailTested struct {
	Account  string         `json:"account"` // the server with the login, or the folder
	To       string         `json:"to"`      // where it went
	Redirect bool           `json:"redirected"`
	ID       string         `json:"message_id"`
	Outcome  notice.Outcome `json:"outcome"`
	Phase    notice.Phase   `json:"phase"` // how far it got
	Code     int            `json:"code"`
	Enhanced string         `json:"enhanced"`
	Reply    string         `json:"reply"` // the server's words, or the error's
	Bytes    int            `json:"bytes"` // handed over
	Took     string         `json:"took"`
	TLS      string         `json:"tls"` // empty: the letter went in clear, or to a folder
	LeftOut  bool           `json:"attachment_left_out"`
}

func (a *app) mailTest(ctx context.Context, t mailTest) (err error) {
	msg, err := a.testLetter(t)
	if err != nil {
		return err
	}
	settings := a.postSettings(t.code)
	seen := watchTLS(&settings)
	settings.smtp.Lanes = 1
	transport, err := newTransport(settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, transport.Close()) }()
	r, handed := sendOne(ctx, transport, msg)
	if r.Phase == notice.PhaseConnect || r.Phase == notice.PhaseTLS {
		seen.words = "" // it was not agreed on
	}
	out := mailTested{
		Account: settings.account(), To: msg.To, Redirect: a.cfg.MailOf(t.code).RedirectTo != "", ID: msg.ID,
		Outcome: r.Outcome, Phase: r.Phase, Code: r.Code, Enhanced: r.Enhanced, Reply: r.Reply, Took: r.Took.Round(time.Millisecond).String(),
		Bytes: cmp.Or(r.Bytes, handed.size), TLS: seen.String(), LeftOut: handed.light,
	}
	if err := a.printTested(out); err != nil {
		return err
	}
	if r.Outcome != notice.OutcomeAccepted {
		return fmt.Errorf("the test letter was not accepted (%s, at %s): %s", r.Outcome, cmp.Or(r.Phase, "the start"), notify.MaskAll(r.String()))
	}
	return nil
}

// testLetter composes the letter. Its ID is made by chance: a test is another letter each time.
func (a *app) testLetter(t mailTest) (compose.Message, error) {
	m, err := a.mailOf(t.code)
	if err != nil {
		return compose.Message{}, err
	}
	now := a.clock().In(a.policies.zone(t.code))
	asked, err := compose.Address(t.to)
	if err != nil {
		return compose.Message{}, usagef("mail test: --to: %w; want one address, as name@example.com", err)
	}
	letter := compose.Letter{
		ID: "test" + strings.ToLower(rand.Text()[:16]), From: m, To: asked, Date: now,
		Subject: "邮件设置测试", Title: "邮件设置测试",
		Paras: []string{
			"本件由督办程序发出，用于核对邮件设置，不涉及任何督办事项，请勿回复。",
			"收到本件并且发件人、标题、正文显示正常，即说明设置可用。发出时间：" + now.Format("2006-01-02 15:04:05") + "。",
		},
	}
	if m.RedirectTo != "" {
		letter.To, letter.Subject = m.RedirectTo, "【试运行】"+letter.Subject
		letter.Paras = append([]string{"【试运行】本件原拟发送：" + asked + "。正式运行前只发至本邮箱。"}, letter.Paras...)
	}
	if t.attach != "" {
		file, err := readAttachment(t.attach)
		if err != nil {
			return compose.Message{}, err
		}
		letter.Attachments = []compose.Attachment{file}
		letter.Paras = append(letter.Paras, "附件："+file.Name)
	}
	msg, err := compose.Plain(letter)
	if err != nil {
		return compose.Message{}, usageError{err}
	}
	// The file transport names the letter's file by its key.
	msg.Key, msg.Role, msg.Nth = notice.Key{Jurisdiction: "mail-test", Date: civil.In(now, now.Location()), Unit: letter.ID, Role: "operator", Kind: notice.UnitLetter}, "operator", 1
	return msg, nil
}

func readAttachment(path string) (compose.Attachment, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return compose.Attachment{}, usagef("mail test: --attach: %w", err)
	case !info.Mode().IsRegular():
		return compose.Attachment{}, usagef("mail test: --attach %s: it is not a file; name one", path)
	case info.Size() > largestAttachment:
		return compose.Attachment{}, usagef("mail test: --attach %s: it has %d bytes, more than %d; try a smaller one", path, info.Size(), largestAttachment)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return compose.Attachment{}, usagef("mail test: --attach: %w", err)
	}
	return compose.Attachment{Name: filepath.Base(path), Type: mime.TypeByExtension(filepath.Ext(path)), Data: data}, nil
}

// handedOver is what a transport was about to write.
type handedOver struct {
	size  int
	light bool // without the attachment
}

func sendOne(ctx context.Context, transport notify.Transport, msg compose.Message) (r notice.Receipt, handed handedOver) {
	lane := transport.Lane()
	n := lane.Send(ctx, []compose.Message{msg}, notify.Each{
		BeforeDot: func(_ int, mail compose.Message) error {
			handed = handedOver{len(mail.Bytes), msg.Light != nil && mail.Light == nil}
			return nil
		},
		Done: func(_ int, got notice.Receipt) bool { r = got; return false },
	})
	if err := lane.Close(); err != nil && r.Outcome == "" {
		r.Reply = err.Error()
	}
	if n == 0 {
		r.Outcome = notice.OutcomeTemporary
		r.Reply = cmp.Or(r.Reply, fmt.Sprintf("not begun: %v", context.Cause(ctx)))
	}
	return r, handed
}

// tlsSeen is what a TLS connection came to.
type tlsSeen struct{ words string }

func (s *tlsSeen) String() string { return s.words }

// watchTLS has the connections of the transport tell of themselves. Where the certificate is pinned, the check of its
// fingerprint stands in the place that tells the version too.
func watchTLS(s *postSettings) *tlsSeen {
	seen := &tlsSeen{}
	if s.dir != "" {
		return seen
	}
	s.smtp.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, // mail.smtp.tls_min takes its place
		VerifyConnection: func(c tls.ConnectionState) error {
			leaf := c.PeerCertificates[0]
			seen.words = fmt.Sprintf("%s, certificate of %s, until %s", tls.VersionName(c.Version), leaf.Subject, leaf.NotAfter.Format(time.DateOnly))
			return nil
		},
	}
	if s.smtp.Fingerprint != "" {
		s.smtp.TLS.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error {
			seen.words = "TLS, certificate taken by its fingerprint"
			return nil
		}
	}
	return seen
}

func (a *app) printTested(r mailTested) error {
	if a.asJSON() {
		return a.json(r)
	}
	reply := notice.Receipt{Code: r.Code, Enhanced: r.Enhanced, Reply: r.Reply}
	rows := [][2]string{
		{"account", r.Account}, {"to", r.To}, {"message-id", r.ID}, {"outcome", string(r.Outcome)}, {"phase", string(r.Phase)},
		{"reply", reply.String()}, {"tls", cmp.Or(r.TLS, "none: it went in clear")}, {"bytes", fmt.Sprint(r.Bytes)}, {"took", r.Took},
	}
	for _, row := range rows {
		switch {
		case row[0] == "tls" && strings.HasPrefix(r.Account, "file:"):
			continue
		case row[0] == "tls" && r.Phase.AboutServer() && r.TLS == "":
			continue // it did not get as far
		case row[0] == "to" && r.Redirect:
			row[1] += " (mail.redirect_to holds)"
		}
		fmt.Fprintf(a.out, "%-10s  %s\n", row[0], row[1])
	}
	if r.LeftOut {
		a.say("The letter went WITHOUT its attachment, which made it larger than the server or mail.smtp.max_size allows.")
	}
	return nil
}
