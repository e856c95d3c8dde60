package config

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strings"
)

// MailOf returns the complete mail settings of the jurisdiction: its own laid over the top-level ones, and those alone
// for a jurisdiction without any.
func (c Config) MailOf(code string) Mail {
	m, ok := c.Accounts[code]
	if !ok {
		return c.Mail.clone()
	}
	top := c.Mail
	m.Transport, m.Dir, m.ArchiveDir, m.RedirectTo, m.Retry, m.Brake = top.Transport, top.Dir, top.ArchiveDir, top.RedirectTo, top.Retry, top.Brake
	return m.clone()
}

// CA returns the certificates of the jurisdiction's mail.smtp.ca_file in PEM form; nil where none is set.
func (c Config) CA(code string) []byte { return slices.Clone(c.files[c.MailOf(code).SMTP.CAFile]) }

// SecretVariables lists the variables that may hold a password: those that need no entry, and those entries name.
func (c Config) SecretVariables() []string {
	list := []string{variable("database.password"), variable("mail.smtp.password"), c.Database.PasswordEnv, c.Mail.SMTP.PasswordEnv}
	for _, code := range slices.Sorted(maps.Keys(c.Jurisdictions)) {
		list = append(list, variable(accountPrefix(code)+".smtp.password"), c.MailOf(code).SMTP.PasswordEnv)
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == "" })
}

// accountPrefix is where the mail settings of a jurisdiction stand.
func accountPrefix(code string) string { return "jurisdictions." + code + ".mail" }

// isAccount reports whether the mail settings of a jurisdiction stand at path.
func isAccount(path string) bool {
	rest, ok := strings.CutPrefix(path, "jurisdictions.")
	_, rest, _ = strings.Cut(rest, ".")
	return ok && rest == "mail"
}

// section is a place where mail settings stand, with what is in force there.
type section struct {
	prefix string
	mail   Mail
}

// sections lists the top-level mail settings and those of each jurisdiction that has any.
func (c Config) sections() []section {
	list := []section{{"mail", c.Mail}}
	for _, code := range slices.Sorted(maps.Keys(c.Accounts)) {
		list = append(list, section{accountPrefix(code), c.Accounts[code]})
	}
	return list
}

// account keeps the mail settings of a jurisdiction if it has any of its own, a password being one. What describes one
// server is not inherited by another: a port, the identity of its certificate, and the leave to send in clear.
func (l *loader) account(code string, m Mail) {
	prefix := accountPrefix(code)
	_, password := l.password(prefix + ".smtp")
	if !password && !slices.ContainsFunc(m.accountFields(prefix), func(f field) bool { return l.set(f.path) }) {
		return
	}
	s := &m.SMTP
	if !sameHost(s.Host, l.cfg.Mail.SMTP.Host) {
		def := defaultMail().SMTP
		for key, forget := range map[string]func(){
			"port": func() { s.Port = def.Port }, "server_name": func() { s.ServerName = def.ServerName },
			"fingerprint": func() { s.Fingerprint = def.Fingerprint }, "allow_plaintext": func() { s.AllowPlaintext = def.AllowPlaintext },
		} {
			if !l.set(prefix + ".smtp." + key) {
				forget()
			}
		}
	}
	if l.cfg.Accounts == nil {
		l.cfg.Accounts = map[string]Mail{}
	}
	l.cfg.Accounts[code] = m
}

// set reports whether the file or a variable gives the key.
func (l *loader) set(path string) bool {
	_, ok := l.cfg.origins[path]
	return ok
}

// accountSecrets reads the password of each account. One without a password of its own has the top level's only where
// it is the same user on the same host: nobody else is told it.
func (l *loader) accountSecrets() {
	top := l.cfg.Mail.SMTP
	for _, code := range slices.Sorted(maps.Keys(l.cfg.Accounts)) {
		m, section := l.cfg.Accounts[code], accountPrefix(code)+".smtp"
		s := &m.SMTP
		name, inVariable := l.password(section)
		inFile, inEnv := l.set(section+".password_file"), l.set(section+".password_env")
		if inVariable || inFile || inEnv || !sameHost(s.Host, top.Host) || s.Username != top.Username {
			if !inFile {
				s.PasswordFile = ""
			}
			if !inEnv {
				s.PasswordEnv = ""
			}
			s.Password = l.secret(section, s.PasswordFile, s.PasswordEnv)
		} else {
			s.Password = top.Password
		}
		switch {
		case inVariable:
			l.cfg.origins[section+".password"] = origin{variable: name}
		case s.Password != "" && (inFile || inEnv):
			key := section + ".password_env"
			if inFile {
				key = section + ".password_file"
			}
			l.cfg.origins[section+".password"] = l.cfg.origins[key]
		}
		l.cfg.Accounts[code] = m
	}
}

// password returns the variable that may hold the password of a section, and whether it does.
func (l *loader) password(section string) (name string, ok bool) {
	name = variable(section + ".password")
	s, ok := l.env(name)
	return name, ok && s != ""
}

// dkimKeys reads the private keys. They are secrets, and not kept among the files.
func (l *loader) dkimKeys() {
	l.cfg.Mail.DKIM.Key = l.dkimKey("mail", l.cfg.Mail.DKIM.KeyFile)
	for _, code := range slices.Sorted(maps.Keys(l.cfg.Accounts)) {
		m := l.cfg.Accounts[code]
		m.DKIM.Key = l.dkimKey(accountPrefix(code), m.DKIM.KeyFile)
		l.cfg.Accounts[code] = m
	}
}

func (l *loader) dkimKey(prefix, path string) Secret {
	if path == "" {
		return ""
	}
	data, err := readFile(path)
	if err != nil {
		l.problems = append(l.problems, l.cfg.problem(prefix+".dkim.key_file", err.Error()+"; relative paths are taken from the working directory"))
	}
	return Secret(data)
}

// complete fills the settings whose default follows from another one. The domain of the Message-ID is the top level's
// for every jurisdiction that names none: a letter keeps its name when its jurisdiction gets an account of its own.
func (c *Config) complete() {
	if _, domain, ok := strings.Cut(c.Mail.FromAddress, "@"); ok {
		c.Mail.MessageIDDomain = cmp.Or(c.Mail.MessageIDDomain, domain)
	}
	c.Mail.SMTP.Hello = cmp.Or(c.Mail.SMTP.Hello, c.Mail.MessageIDDomain)
	for code, m := range c.Accounts {
		m.MessageIDDomain = cmp.Or(m.MessageIDDomain, c.Mail.MessageIDDomain)
		m.SMTP.Hello = cmp.Or(m.SMTP.Hello, c.Mail.SMTP.Hello) // the name of this machine
		c.Accounts[code] = m
	}
}

// sameHost reports whether two names are those of one host, without asking anybody.
func sameHost(a, b string) bool {
	x, y := net.ParseIP(a), net.ParseIP(b)
	return strings.EqualFold(a, b) || x != nil && x.Equal(y)
}
