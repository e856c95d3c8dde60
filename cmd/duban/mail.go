package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"time"

	"duban/jobs"
	"duban/notify"
	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/dkim"
	"duban/notify/file"
	"duban/notify/mail"
	"duban/store"
)

// mailOf is the settings of the jurisdiction's sender, as its letters are composed with them. Making them reads the
// signing key: a composer is made once of them, and kept.
func (a *app) mailOf(code string) (compose.Mail, error) {
	m := a.cfg.MailOf(code)
	out := compose.Mail{
		FromName: m.FromName, FromAddress: m.FromAddress, ReplyTo: m.ReplyTo, Domain: m.MessageIDDomain, RedirectTo: m.RedirectTo,
	}
	if m.Transport == "smtp" && m.SMTP.SenderIsLogin {
		out.SenderAddress = m.SMTP.Username
	}
	if m.DKIM.Domain == "" {
		return out, nil
	}
	signer, err := dkim.New(m.DKIM.Domain, m.DKIM.Selector, []byte(m.DKIM.Key.Reveal()))
	if err != nil {
		return compose.Mail{}, usageError{err}
	}
	out.Seal = signer.Sign
	return out, nil
}

// posts holds the transports that are open, one for each account.
type posts struct {
	mu   sync.Mutex
	open []post
}

// post is a transport with the settings it was made of. Jurisdictions with equal settings share it: its limits of
// connections and of letters a minute are those of the account.
type post struct {
	settings  postSettings
	transport notify.Transport
	pace      *notify.Pace
	brakes    *notify.Brakes
}

// postSettings is what a transport is made of: a folder, or a server with the account on it and its quota.
type postSettings struct {
	dir       string // of the file transport; empty for smtp
	smtp      mail.Config
	perMinute int
}

// account names the folder, or the server with the login on it.
func (s postSettings) account() string {
	if s.dir != "" {
		return "file:" + s.dir
	}
	return fmt.Sprintf("%s:%d/%s", s.smtp.Host, s.smtp.Port, s.smtp.Username)
}

// postOf is where the letters of the jurisdiction leave: the same for all that share an account. It is closed with the
// program. It may be called by several goroutines, once what else is to be closed has been opened.
func (a *app) postOf(code string) (post, error) {
	a.posts.mu.Lock()
	defer a.posts.mu.Unlock()
	settings := a.postSettings(code)
	for _, p := range a.posts.open {
		if reflect.DeepEqual(p.settings, settings) {
			return p, nil
		}
	}
	t, err := newTransport(settings)
	if err != nil {
		return post{}, err
	}
	if len(a.posts.open) == 0 {
		a.closeLater("mail", a.closePosts)
	}
	p := post{settings, t, notify.NewPace(settings.perMinute), notify.NewBrakes(settings.account(), a.worker(), a.patience())}
	a.posts.open = append(a.posts.open, p)
	return p, nil
}

func (a *app) closePosts() error {
	a.posts.mu.Lock()
	defer a.posts.mu.Unlock()
	var errs []error
	for _, p := range a.posts.open {
		errs = append(errs, p.transport.Close())
	}
	a.posts.open = nil
	return errors.Join(errs...)
}

// postSettings returns what the jurisdiction's transport is made of.
func (a *app) postSettings(code string) postSettings {
	m := a.cfg.MailOf(code)
	if m.Transport == "file" {
		return postSettings{dir: m.Dir}
	}
	s := m.SMTP
	host, port := s.Address()
	cfg := mail.Config{
		Host: host, Port: port, Security: mail.Security(s.TLS), TLSMin: s.TLSMin, CA: a.cfg.CA(code), Fingerprint: s.Pin(), ServerName: s.ServerName,
		Username: s.Username, Password: s.Password.Reveal(), Hello: s.Hello, Connect: s.ConnectTimeout, Phase: s.PhaseTimeout,
		Lanes: s.Connections, PerConnection: s.LettersPerConnection, MaxSize: int64(s.MaxSize),
	}
	if s.PlainAuth() {
		cfg.PlainAuthHosts = []string{host}
	}
	return postSettings{smtp: cfg, perMinute: s.MessagesPerMinute}
}

func newTransport(s postSettings) (notify.Transport, error) {
	if s.dir != "" {
		return notify.Serial(&file.Transport{Dir: s.dir}), nil
	}
	t, err := mail.New(s.smtp)
	if err != nil {
		return nil, usageError{err}
	}
	return t, nil
}

// The claims of letters that are only written to a folder are short, so that a run after a crash soon goes on.
const (
	fileLease = 10 * time.Second
	filePhase = 3 * time.Second
)

// dispatcher delivers the letters of the jurisdiction; "" stands for the top-level settings.
func (a *app) dispatcher(s *store.Store, code string) (*notify.Dispatcher, error) {
	p, err := a.postOf(code)
	if err != nil {
		return nil, err
	}
	m, err := a.mailOf(code)
	if err != nil {
		return nil, err
	}
	c := a.cfg.MailOf(code)
	d := &notify.Dispatcher{
		Store: s.As(holder(), gone), Gone: gone, Transport: p.transport, Pace: p.pace, Brakes: p.brakes, Mail: m, Account: p.settings.account(), By: a.worker(),
		Lease: a.cfg.Worker.Lease, Phase: c.SMTP.PhaseTimeout, Shutdown: a.cfg.Worker.ShutdownTimeout, Log: a.log,
		Patience: a.patience(),
	}
	if p.settings.dir != "" { // the folder is its own archive
		d.Lease, d.Phase = fileLease, filePhase
		return d, nil
	}
	if c.ArchiveDir != "" {
		if d.Archive, err = archive.Open(c.ArchiveDir); err != nil {
			return nil, err
		}
		d.Ready = func(ctx context.Context, code string) error { return a.archiveKnown(ctx, s, code) }
	}
	return d, nil
}

// patience is how long failures keep letters back; it is the same for all jurisdictions.
func (a *app) patience() notify.Patience {
	r, b := a.cfg.Mail.Retry, a.cfg.Mail.Brake
	return notify.Patience{
		RetryFirst: r.First, RetryMost: r.Most, GiveUp: r.GiveUp, BrakeAfter: b.After, BrakeFirst: b.First, BrakeMost: b.Most,
	}
}

// worker names this process in receipts and in the run ledger.
func (a *app) worker() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// door looks at letters before they leave. By hand, letters leave at once, unless somebody chose the hours: the
// built-in ones are a guess, which a person at the keyboard knows better than.
func (a *app) door(s *store.Store, byHand bool) jobs.Door {
	return jobs.Door{
		Store: s, Settings: a.policies.settings, Zone: a.policies.zone, Clock: a.clock,
		Hours: func(code string) (jobs.Hours, bool) {
			w := a.cfg.Jurisdiction(code).Window
			return jobs.Hours{From: time.Duration(w.From) * time.Minute, To: time.Duration(w.To) * time.Minute}, !byHand || a.cfg.WindowSet(code)
		},
	}
}
