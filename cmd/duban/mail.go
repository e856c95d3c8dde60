package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"reflect"
	"sync"
	"time"

	"duban/config"
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
	return compose.Mail{
		FromName: m.FromName, FromAddress: m.FromAddress, ReplyTo: m.ReplyTo, Domain: m.MessageIDDomain, RedirectTo: m.RedirectTo,
	}
}

// posts holds the transports that are open, one for each account.
type posts struct {
	mu   sync.Mutex
	open []post
}

// post is a transport with the settings it was made of. Jurisdictions with equal settings share it: its limits of
// connections and of letters a minute are those of the account.
type post struct {
	settings  any // mail.Config, or the folder of the file transport
	transport notify.Single
}

// transportOf is where the letters of the jurisdiction leave: the same transport for all that share an account. It is
// closed with the program. It may be called by several goroutines, once what else is to be closed has been opened.
func (a *app) transportOf(code string) (notify.Single, error) {
	a.posts.mu.Lock()
	defer a.posts.mu.Unlock()
	settings, err := a.postSettings(code)
	if err != nil {
		return nil, err
	}
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
func (a *app) transport() (notify.Single, error) {
	settings, err := a.postSettings("")
	if err != nil {
		return nil, err
	}
	return newTransport(settings)
}

// postSettings is what a transport for the jurisdiction is made of.
func (a *app) postSettings(code string) (any, error) {
	m := a.cfg.MailOf(code)
	if m.Transport == "file" {
		return m.Dir, nil
	}
	host, port := m.SMTP.Address()
	cfg := mail.Config{
		Host: host, Port: port, Security: security(m.SMTP), Username: m.SMTP.Username, Password: m.SMTP.Password.Reveal(),
		Hello: m.SMTP.Hello, Connect: m.SMTP.ConnectTimeout, Phase: m.SMTP.PhaseTimeout,
	}
	if ca := a.cfg.CA(code); len(ca) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return nil, usagef("mail.smtp.ca_file holds no certificate in PEM form")
		}
		cfg.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return cfg, nil
}

// newTransport makes a transport of what postSettings returned.
func newTransport(settings any) (notify.Single, error) {
	cfg, ok := settings.(mail.Config)
	if !ok {
		dir, _ := settings.(string)
		return &file.Transport{Dir: dir}, nil
	}
	t, err := mail.New(cfg)
	if err != nil {
		return nil, usageError{err}
	}
	return t, nil
}

func security(s config.SMTP) mail.Security {
	_, port := s.Address()
	switch {
	case s.TLS == "implicit", s.TLS == "required" && port == 465:
		return mail.Implicit
	case s.TLS == "none":
		return mail.Plain
	}
	return mail.StartTLS
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
