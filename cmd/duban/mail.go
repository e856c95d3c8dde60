package main

import (
	"errors"
	"reflect"
	"sync"
	"time"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/file"
	"duban/notify/mail"
	"duban/store"
)

// mail is the top-level sender's settings, as letters are composed with them.
func (a *app) mail() compose.Mail { return a.mailOf("") }

// mailOf is the settings of the jurisdiction's sender, as its letters are composed with them.
func (a *app) mailOf(code string) compose.Mail {
	m := a.cfg.MailOf(code)
	out := compose.Mail{
		FromName: m.FromName, FromAddress: m.FromAddress, ReplyTo: m.ReplyTo, Domain: m.MessageIDDomain, RedirectTo: m.RedirectTo,
	}
	if m.Transport == "smtp" && m.SMTP.SenderIsLogin {
		out.SenderAddress = m.SMTP.Username
	}
	return out
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
	transport notify.Single
}

// postSettings is what a transport is made of: a folder, or a server with the account on it and its quota.
type postSettings struct {
	dir       string // of the file transport; empty for smtp
	smtp      mail.Config
	perMinute int
}

// transportOf is where the letters of the jurisdiction leave: the same transport for all that share an account. It is
// closed with the program. It may be called by several goroutines, once what else is to be closed has been opened.
func (a *app) transportOf(code string) (notify.Single, error) {
	a.posts.mu.Lock()
	defer a.posts.mu.Unlock()
	settings := a.postSettings(code)
	for _, p := range a.posts.open {
		if reflect.DeepEqual(p.settings, settings) {
			return p.transport, nil
		}
	}
	t, err := newTransport(settings)
	if err != nil {
		return nil, err
	}
	if len(a.posts.open) == 0 {
		a.closeLater("mail", a.closePosts)
	}
	a.posts.open = append(a.posts.open, post{settings, t})
	return t, nil
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

// transport is where letters leave by the top-level settings; the caller closes it.
func (a *app) transport() (notify.Single, error) { return newTransport(a.postSettings("")) }

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

func newTransport(s postSettings) (notify.Single, error) {
	if s.dir != "" {
		return &file.Transport{Dir: s.dir}, nil
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

func (a *app) dispatcher(s *store.Store, t notify.Single) *notify.Dispatcher {
	d := &notify.Dispatcher{
		Store: s, Transport: t, Mail: a.mail(), Lease: a.cfg.Worker.Lease, Phase: a.cfg.Mail.SMTP.PhaseTimeout, Log: a.log,
	}
	if t.Name() == "file" {
		d.Lease, d.Phase = fileLease, filePhase
	}
	return d
}
