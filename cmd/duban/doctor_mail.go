package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"reflect"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/mail"
	"duban/notify/notice"
)

// sampleLetter is a letter with something in every section, in the jurisdiction's own words.
func (d *doctor) sampleLetter(code string) (notice.Notice, error) {
	set, err := d.policies.settings(code)
	if err != nil {
		return notice.Notice{}, err
	}
	today := d.today(code)
	f := notice.Facts{
		Jurisdiction: "示例市", Date: today, Issuer: set.Issuer, Versions: set.Versions,
		Reader: notice.Reader{Code: "sample", Name: "示例局", FullName: "示例市示例局", Honorific: "贵局"},
		Recipients: []notice.Recipient{
			{Role: string(task.Liaison), Name: "示例甲", Email: "liaison@sample.example"},
			{Role: string(task.Deputy), Name: "示例乙", Email: "deputy@sample.example", Copy: true},
		},
		Plans: []notice.Plan{{Code: "sample", Title: "示例市提升行政执法质量实施方案", DocNumber: "示政发〔2024〕1号", Issued: today - 100}},
	}
	f.Issuer.Name, f.Issuer.Word = cmp.Or(f.Issuer.Name, "示例市司法局"), cmp.Or(f.Issuer.Word, "工作提示")
	item := func(row, title string, kind task.Kind, due civil.Date) notice.Item {
		return notice.Item{
			Row: row, Title: title, Kind: string(kind), Due: due, Nominal: due, LastWorkday: set.Calendar.OnOrBefore(due),
			DeadlineText: "每月底前", Deliverable: "报告1份", Evidence: "检查记录", SendTo: "示例市司法局",
		}
	}
	late, soon := item("1", "样例一", task.Milestone, today-10), item("2", "样例二", task.Monthly, today+5)
	late.Late, late.Step, late.Rung, late.Reminded, late.Urged = 6, "T+5", "urging", []civil.Date{today - 13}, []civil.Date{today - 8}
	soon.Left, soon.Step, soon.Rung = 3, "T-3", "reminder"
	pace := item("3", "样例三", task.Quota, today+60)
	pace.Quota, pace.Count, pace.Pace, pace.PaceAt = 12, 3, 8, today-20
	hours := item("4", "样例四", task.Clock, today+2)
	hours.Case, hours.Left = "示执罚决字〔2024〕1号", 2
	f.Overdue, f.Upcoming, f.Behind, f.Clocks = []notice.Item{late}, []notice.Item{soon}, []notice.Item{pace}, []notice.Item{hours}
	f.Support = []notice.Item{item("5", "样例五", task.Milestone, today+5)}
	f.Standing = []notice.Item{{Row: "6", Title: "样例六", Kind: "task", Standing: true}}
	f.Awaiting = []notice.Item{{Row: "7", Title: "样例七", Kind: "task", Condition: "机构改革完成"}}
	key := notice.Key{Jurisdiction: cmp.Or(code, "sample"), Date: today, Unit: "sample", Role: string(task.Liaison), Kind: notice.UnitLetter}
	return notice.Notice{ID: key.ID(), Key: key, Facts: f}, nil
}

// sampleWords stand in the sample letter, some of every section.
var sampleWords = [...]string{"样例一", "样例二", "样例三", "样例四", "样例五", "长期坚持1项", "条件未具备1项"}

// templates composes the sample letter and reads it back with another program's eyes.
func (d *doctor) templates(code string) []finding {
	n, err := d.sampleLetter(code)
	if err != nil {
		return []finding{warn("see calendar", "not checked: its settings cannot be made")}
	}
	m, err := d.mailOf(code)
	if err != nil {
		return []finding{fail("mend mail.dkim", "%v", err)}
	}
	composer, err := compose.New(m)
	if err != nil {
		return []finding{fail("mend the sender's settings", "%v", err)}
	}
	mails, errs := composer.All(n)
	for i, msg := range mails {
		if err := cmp.Or(errs[i], readBack(msg)); err != nil {
			return []finding{fail("report this as a fault of the program", "a sample letter of every section: %v", err)}
		}
	}
	signed := ""
	if m.Seal != nil {
		signed = ", signed"
	}
	return []finding{good("a sample letter of every section reads back whole%s", signed)}
}

// readBack parses a mail and holds it to what it was composed of.
func readBack(msg compose.Message) error {
	in, err := netmail.ReadMessage(strings.NewReader(string(msg.Bytes)))
	if err != nil {
		return fmt.Errorf("read mail: %w", err)
	}
	var words mime.WordDecoder
	subject, err := words.DecodeHeader(in.Header.Get("Subject"))
	if err != nil || subject != msg.Subject {
		return fmt.Errorf("read subject: %q is not %q (%w)", subject, msg.Subject, err)
	}
	from, err := in.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != msg.From {
		return fmt.Errorf("read sender: %q (%w)", in.Header.Get("From"), err)
	}
	if _, err := in.Header.AddressList("To"); err != nil {
		return fmt.Errorf("read readers: %w", err)
	}
	if _, err := in.Header.Date(); err != nil {
		return fmt.Errorf("read date: %w", err)
	}
	if in.Header.Get("Message-ID") != msg.ID {
		return fmt.Errorf("read Message-ID: %q is not %q", in.Header.Get("Message-ID"), msg.ID)
	}
	parts, err := texts(textproto.MIMEHeader(in.Header), in.Body)
	if err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("read mail: %d texts, want plain and HTML", len(parts))
	}
	for _, part := range parts {
		for _, words := range sampleWords {
			if !strings.Contains(part, words) {
				return fmt.Errorf("read mail: a text lacks the section with %s", words)
			}
		}
	}
	return nil
}

// texts returns the decoded texts below a header, in order.
func texts(h textproto.MIMEHeader, body io.Reader) ([]string, error) {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("read type of content: %w", err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		var all []string
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			if err != nil {
				return nil, fmt.Errorf("read part: %w", err)
			}
			more, err := texts(p.Header, p)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("read text: %w", err)
	}
	return []string{string(text)}, nil
}

// sender warns of a From that is not the login.
func (d *doctor) sender(code string) []finding {
	m := d.cfg.MailOf(code)
	login := m.SMTP.Username
	switch {
	case m.Transport != "smtp" || login == "":
		return []finding{good("letters come from %s", m.FromAddress)}
	case m.SMTP.SenderIsLogin:
		return []finding{good("letters come from the login %s, answers go to %s", login, cmp.Or(m.ReplyTo, m.FromAddress))}
	case !strings.EqualFold(login, m.FromAddress) && strings.Contains(login, "@"):
		return []finding{warn("where the relay refuses that, set sender_is_login: true", "letters come from %s and the login is %s: many relays take no sender but the login", m.FromAddress, login)}
	}
	return []finding{good("letters come from %s", m.FromAddress)}
}

// servers asks the server of every account, each once.
func (d *doctor) servers(ctx context.Context) []finding {
	type account struct {
		settings postSettings
		from     string
		codes    []string
	}
	var accounts []*account
	for _, code := range d.codes {
		m := d.cfg.MailOf(code)
		settings, from := d.postSettings(code), m.FromAddress
		if m.SMTP.SenderIsLogin {
			from = m.SMTP.Username
		}
		i := slices.IndexFunc(accounts, func(a *account) bool { return a.from == from && reflect.DeepEqual(a.settings, settings) })
		if i < 0 {
			i, accounts = len(accounts), append(accounts, &account{settings: settings, from: from})
		}
		accounts[i].codes = append(accounts[i].codes, code)
	}
	var out []finding
	for _, a := range accounts {
		if a.settings.dir != "" {
			return []finding{good("none is asked: letters are written into %s", a.settings.dir)}
		}
		who := fmt.Sprintf("%s:%d", a.settings.smtp.Host, a.settings.smtp.Port)
		if len(accounts) > 1 {
			who += " for " + few(a.codes)
		}
		out = append(out, contained(func() []finding { return d.server(ctx, who, a.settings.smtp, a.from) })...)
	}
	return out
}

// remedy says what to do where a step of the conversation fails.
func remedy(c mail.Check) string {
	later := c.Code/100 == 4
	switch {
	case c.Step == "recipient" && later:
		return "nothing, if it is gone in some minutes: the server puts strangers off (greylisting), or the mailbox is full; a letter is tried again by itself"
	case later:
		return "try again later; where it stays so, ask the server's staff"
	case c.Step == "greeting" && c.Code != 0:
		return "the server turns this machine away: ask its staff to let this machine's address in"
	case c.Step == "login" && c.Code == 0:
		return "have the server offer AUTH PLAIN or LOGIN, over TLS; where it wants no login, empty smtp.username"
	}
	switch c.Step {
	case "connect":
		return "check smtp.host and smtp.port, the way to the server, and that it runs"
	case "greeting":
		return "check that smtp.port is that of a mail server; with port 465 or another of implicit TLS set smtp.tls: implicit"
	case "hello":
		return "check smtp.hello with the server's staff; one that knows no EHLO knows no TLS: smtp.tls: none sends in clear"
	case "tls":
		return "check smtp.tls, smtp.ca_file, smtp.server_name and smtp.fingerprint, and the dates of the server's certificate"
	case "login":
		return "check smtp.username and its password; many providers want an authorisation code (授权码) in its place"
	case "sender":
		return "set from_address to an address this account may send from, or sender_is_login: true"
	case "recipient":
		return "check the address, and that this account may send there"
	}
	return "ask the server's staff"
}

func (d *doctor) server(ctx context.Context, who string, cfg mail.Config, from string) []finding {
	var out []finding
	for _, c := range mail.Probe(ctx, cfg, from, d.to) {
		f := good("%s: %s: %s", who, c.Step, c.Text)
		switch {
		case !c.OK && c.Step == "recipient" && c.Code/100 == 4: // its letters leave all the same, later
			f.State, f.Do = warned, remedy(c)
		case !c.OK:
			f.State, f.Do = failing, remedy(c)
		case c.Warn:
			f.State, f.Do = warned, caution(c)
		}
		out = append(out, f)
	}
	if last := out[len(out)-1]; d.to == "" && last.State != failing {
		out = append(out, good("%s: no recipient was asked for; --to ADDRESS does", who))
	}
	return out
}

// caution says what to do where a step works and should not stay so.
func caution(c mail.Check) string {
	switch {
	case c.Step == "tls" && c.Secured:
		return "have the server's staff renew its certificate, or offer TLS 1.2, whichever is named; a new certificate has another smtp.fingerprint"
	case c.Step == "tls":
		return "have the server offer TLS, and set smtp.tls: required"
	case c.Step == "login":
		return "have the server offer TLS, set smtp.tls: required and empty smtp.allow_plain_auth, then change the password"
	}
	return ""
}

// softMany is how many temporary refusals in a row are worth a person's look.
const softMany = 3

// contacts looks for units that get letters and cannot be reached.
func (d *doctor) contacts(ctx context.Context) []finding {
	var out []finding
	for _, j := range d.known {
		dir, err := d.store.Directory(ctx, j.Code)
		if err != nil {
			out = append(out, fail("", "%v", err))
			continue
		}
		more, err := d.contactsOf(ctx, j.Code, dir.AsOf(d.today(j.Code)).Units)
		if err != nil {
			more = append(more, fail("", "%v", err))
		}
		out = append(out, more...)
	}
	if len(d.known) == 0 {
		return []finding{warn("duban import units FILE", "no jurisdiction is in the register yet")}
	}
	return out
}

func (d *doctor) contactsOf(ctx context.Context, code string, units []task.Unit) ([]finding, error) {
	var without, hard, soft, addresses []string
	written := 0
	of := map[string][]string{} // units by address
	for _, u := range units {
		if c := cmp.Or(u.Chase, task.ChaseLetter); c != task.ChaseLetter && c != task.ChaseCourtesy {
			continue
		}
		written++
		name := fmt.Sprintf("%s (%s)", u.Name, u.Code)
		c, _ := u.Contact(task.Liaison)
		address, err := compose.Address(c.Email)
		if err != nil {
			without = append(without, name)
			continue
		}
		address = strings.ToLower(address)
		if of[address] == nil {
			addresses = append(addresses, address)
		}
		of[address] = append(of[address], name)
	}
	if len(addresses) > 0 {
		troubles, err := d.store.Troubles(ctx, addresses)
		if err != nil {
			return nil, err
		}
		for _, t := range troubles {
			what := fmt.Sprintf("%s %s: %s", strings.Join(of[strings.ToLower(t.Address)], ", "), t.Address, t.Reply)
			switch {
			case t.Hard:
				hard = append(hard, what)
			case t.Soft >= softMany:
				soft = append(soft, what)
			}
		}
	}
	var out []finding
	if len(without) > 0 {
		out = append(out, warn("give their liaisons an address in the units' file and import it", "%s: %d of %d units that are written to have no usable address: %s", code, len(without), written, few(without)))
	}
	if len(hard) > 0 {
		out = append(out, warn("ask the unit for the right address and import it", "%s: %d addresses were refused for good: %s", code, len(hard), few(hard)))
	}
	if len(soft) > 0 {
		out = append(out, warn("ask the unit whether its mailbox is full", "%s: %d addresses are refused again and again: %s", code, len(soft), few(soft)))
	}
	if len(out) == 0 {
		out = []finding{good("%s: all %d units that are written to have an address", code, written)}
	}
	return out, nil
}

// recently is for how many days a failed letter is worth a line.
const recently = 15

// letters looks for those that wait for a person.
func (d *doctor) letters(ctx context.Context) []finding {
	var out []finding
	for _, j := range d.known {
		more, err := d.lettersOf(ctx, j)
		if err != nil {
			more = append(more, fail("", "%v", err))
		}
		out = append(out, more...)
	}
	return out
}

func (d *doctor) lettersOf(ctx context.Context, j task.Jurisdiction) ([]finding, error) {
	counts, err := d.store.LetterCounts(ctx, j.Code)
	if err != nil {
		return nil, err
	}
	today := d.today(j.Code)
	failed, err := d.store.FailedSince(ctx, j.Code, "", today-recently, today+1)
	if err != nil {
		return nil, err
	}
	oldest, waits, err := d.store.OldestOpen(ctx, j.Code)
	if err != nil {
		return nil, err
	}
	var out []finding
	if j.Paused != nil {
		out = append(out, warn("duban resume", "%s: PAUSED by a person since %s: %s", j.Code,
			minutes(j.Paused.At, d.policies.zone(j.Code)), notify.MaskFree(j.Paused.Why)))
	}
	if n := counts[notice.Unknown]; n > 0 {
		out = append(out, warn("duban outbox list --state unknown, then duban outbox resolve ID", "%s: nobody knows whether %s arrived", j.Code, many(n, "letter")))
	}
	if len(failed) > 0 {
		out = append(out, warn("duban outbox list --state failed, then duban outbox retry ID or another address", "%s: refused for good in the last %d days: %s", j.Code, recently, many(len(failed), "letter")))
	}
	if waits && oldest.Key.Date < today-recently {
		out = append(out, warn("duban outbox show "+oldest.ID, "%s: a letter of %s still waits: %s", j.Code, oldest.Key.Date, cmp.Or(oldest.Reason, string(oldest.State))))
	}
	if counts[notice.Held] > 0 {
		held, err := d.store.Notices(ctx, notice.Filter{Jurisdiction: j.Code, State: notice.Held, From: oldest.Key.Date, Limit: statusHeld})
		if err != nil {
			return nil, err
		}
		held = slices.DeleteFunc(held, func(n notice.Notice) bool { return !n.NextTry.IsZero() }) // they wait for the window
		if len(held) > 0 {
			out = append(out, warn("duban outbox list --jurisdiction "+j.Code+" --state held", "%s: %s held for a person: %s", j.Code, many(len(held), "letter"), notify.MaskFree(held[0].Reason)))
		}
	}
	if len(out) == 0 {
		open := counts[notice.Pending] + counts[notice.Retry] + counts[notice.Held] + counts[notice.Sending]
		out = []finding{good("%s: %d sent, %d to leave, none waits for a person", j.Code, counts[notice.Sent], open)}
	}
	return out, nil
}

func (d *doctor) brakes(ctx context.Context) []finding {
	list, err := d.store.Brakes(ctx)
	if err != nil {
		return []finding{fail("", "%v", err)}
	}
	now, err := d.store.Now(ctx)
	if err != nil {
		return []finding{fail("", "%v", err)}
	}
	var out []finding
	for _, b := range list {
		if b.Until.After(now) {
			out = append(out, warn("see the reason; it lets go by itself", "%s: no letter leaves until %s, after %d failures in a row: %s",
				b.Scope, b.Until.In(d.policies.zone("")).Format("2006-01-02 15:04:05"), b.Failures, b.Reason))
		}
	}
	if len(out) == 0 {
		out = []finding{good("none is on")}
	}
	return out
}
