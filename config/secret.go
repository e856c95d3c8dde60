package config

import "strings"

// secrets reads the passwords and takes one out of a DSN that the environment gave.
func (l *loader) secrets() {
	d, s := &l.cfg.Database, &l.cfg.Mail.SMTP
	d.Password = l.secret("database", d.PasswordFile, d.PasswordEnv)
	s.Password = l.secret("mail.smtp", s.PasswordFile, s.PasswordEnv)
	l.accountSecrets()
	l.dkimKeys()
	dsn, err := ParseDSN(d.DSN)
	if err != nil || dsn.Password == "" {
		return // Validate names the error
	}
	if l.cfg.origins["database.dsn"].variable == "" {
		l.problems = append(l.problems, l.cfg.problem("database.dsn",
			"holds a password, which must not stand in this file; write the DSN without it, and set DUBAN_DATABASE_PASSWORD or database.password_file"))
	} else if d.Password == "" {
		d.Password = dsn.Password
	}
	d.DSN = dsn.String()
}

// secret returns the password of a section from its variable, else from where password_env or password_file points.
func (l *loader) secret(section, file, env string) Secret {
	if s, ok := l.env(variable(section + ".password")); ok && s != "" {
		return Secret(s)
	}
	switch {
	case file != "" && env != "":
		l.problems = append(l.problems, l.cfg.problem(section+".password_env", "password_file is set too; keep one of them"))
	case env != "":
		s, ok := l.env(env)
		if !ok || s == "" {
			l.problems = append(l.problems, l.cfg.problem(section+".password_env", "the variable "+env+" is not set; set it, or name another"))
		}
		return Secret(s)
	case file != "":
		return l.secretFile(section+".password_file", file)
	}
	return ""
}

func (l *loader) secretFile(key, path string) Secret {
	data, err := readFile(path)
	if err != nil {
		l.problems = append(l.problems, l.cfg.problem(key, err.Error()+"; relative paths are taken from the working directory"))
		return ""
	}
	s := strings.TrimRight(strings.TrimPrefix(string(data), "\ufeff"), "\r\n")
	if s == "" || strings.ContainsAny(s, "\r\n\x00") {
		l.problems = append(l.problems, l.cfg.problem(key, path+" must hold the password on one line and nothing else"))
		return ""
	}
	return Secret(s)
}
