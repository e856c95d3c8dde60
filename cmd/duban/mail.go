package main

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/file"
	"duban/notify/mail"
	"duban/store"
)

// mail is the sender's settings, as letters are composed with them.
func (a *app) mail() compose.Mail {
	m := a.cfg.Mail
	return compose.Mail{
		FromName: m.FromName, FromAddress: m.FromAddress, ReplyTo: m.ReplyTo, Domain: m.MessageIDDomain, RedirectTo: m.RedirectTo,
	}
}

// transport is where letters leave, as configured.
func (a *app) transport() (notify.Single, error) {
	m := a.cfg.Mail
	if m.Transport == "file" {
		return &file.Transport{Dir: m.Dir}, nil
	}
	host, port := m.SMTP.Address()
	cfg := mail.Config{
		Host: host, Port: port, Security: security(m.SMTP.TLS), Username: m.SMTP.Username, Password: m.SMTP.Password.Reveal(),
		Hello: m.SMTP.Hello, Connect: m.SMTP.ConnectTimeout, Phase: m.SMTP.PhaseTimeout,
	}
	if ca := a.cfg.CA(); len(ca) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return nil, usagef("mail.smtp.ca_file holds no certificate in PEM form")
		}
		cfg.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	t, err := mail.New(cfg)
	if err != nil {
		return nil, usageError{err}
	}
	return t, nil
}

func security(tls string) mail.Security {
	switch tls {
	case "implicit":
		return mail.Implicit
	case "none":
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
