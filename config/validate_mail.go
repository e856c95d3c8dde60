package config

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mail checks what is one for all jurisdictions.
func (v *validator) mail() {
	m := v.c.Mail
	v.must(m.Transport != "file" || m.Dir != "", "mail.dir", "is empty; name the folder letters are written to")
	v.must(m.RedirectTo == "" || address(m.RedirectTo), "mail.redirect_to", "%q is not one plain address; write for example duban@example.gov.cn, or leave it empty", m.RedirectTo)
	r, b := m.Retry, m.Brake
	v.must(r.First > 0, "mail.retry.first", "must be longer than nothing; write for example 1m")
	v.must(r.Most >= r.First, "mail.retry.most", "%s is shorter than mail.retry.first (%s)", duration(r.Most), duration(r.First))
	v.must(r.GiveUp >= r.First, "mail.retry.give_up", "%s is shorter than mail.retry.first (%s); no letter would be tried twice", duration(r.GiveUp), duration(r.First))
	v.must(b.First > 0, "mail.brake.first", "must be longer than nothing; write for example 1m")
	v.must(b.Most >= b.First, "mail.brake.most", "%s is shorter than mail.brake.first (%s)", duration(b.Most), duration(b.First))
	v.must(b.After >= 1 && b.After <= 1000, "mail.brake.after", "%d is out of range; write 1 to 1000", b.After)
}

// account checks the sender, the account and the signature of the top level or of a jurisdiction.
func (v *validator) account(prefix string, m Mail) {
	at := func(key string) string { return prefix + "." + key }
	v.must(address(m.FromAddress), at("from_address"), "%q is not one plain address; write for example duban@example.gov.cn", m.FromAddress)
	v.must(m.ReplyTo == "" || address(m.ReplyTo), at("reply_to"), "%q is not one plain address; write for example duban@example.gov.cn, or leave it empty", m.ReplyTo)
	v.must(m.MessageIDDomain == "" || host(m.MessageIDDomain), at("message_id_domain"), "%q is not a domain; write for example example.gov.cn", m.MessageIDDomain)
	v.server(prefix+".smtp", m.SMTP)
	v.pace(prefix+".smtp", m.SMTP)
	v.dkim(prefix+".dkim", m.DKIM)
	if m.Transport == "smtp" {
		v.must(m.FromAddress != placeholderFrom, at("from_address"), "is still the placeholder; set the address letters come from")
		v.leaving(prefix+".smtp", m.SMTP)
	}
}

// server checks what must be well-formed even where no letter leaves.
func (v *validator) server(prefix string, s SMTP) {
	at := func(key string) string { return prefix + "." + key }
	v.must(s.Port >= 0 && s.Port <= 65535, at("port"), "%d is not a port; write a number from 1 to 65535, or 0 for the usual one", s.Port)
	v.must(s.ConnectTimeout > 0, at("connect_timeout"), "must be longer than nothing; write for example 10s")
	v.must(s.PhaseTimeout > 0, at("phase_timeout"), "must be longer than nothing; write for example 1m")
	v.must(s.Hello == "" || host(s.Hello), at("hello"), "%q is not a host name; write for example mail.example.gov.cn", s.Hello)
	v.must(s.ServerName == "" || host(s.ServerName), at("server_name"), "%q is not a host name; write the name in the server's certificate", s.ServerName)
	v.must(s.CAFile == "" || x509.NewCertPool().AppendCertsFromPEM(v.c.files[s.CAFile]), at("ca_file"), "%s holds no certificate in PEM form", s.CAFile)
	v.must(s.Fingerprint == "" || fingerprint(s.Fingerprint), at("fingerprint"),
		"%q is not a SHA-256 fingerprint; write its 64 hex digits, with a colon after every two or without", s.Fingerprint)
	v.must(s.Fingerprint == "" || s.TLS != "none", at("fingerprint"), "pins a certificate, and with tls: none there is none; remove one of them")
	for _, name := range s.AllowPlainAuth {
		v.must(host(name), at("allow_plain_auth"), "%q is not a host name; write each host as in mail.smtp.host, without a port", name)
	}
}

func (v *validator) pace(prefix string, s SMTP) {
	at := func(key string) string { return prefix + "." + key }
	v.must(s.Connections >= 1 && s.Connections <= 64, at("connections"), "%d is out of range; write 1 to 64", s.Connections)
	v.must(s.LettersPerConnection >= 1 && s.LettersPerConnection <= 100_000, at("letters_per_connection"), "%d is out of range; write 1 to 100000", s.LettersPerConnection)
	v.must(s.MaxSize >= 10_000 && s.MaxSize <= 1<<30, at("max_size"), "%d is out of range; write bytes, 10000 to 1073741824", s.MaxSize)
	v.must(s.MessagesPerMinute >= 0 && s.MessagesPerMinute <= 100_000, at("messages_per_minute"), "%d is out of range; write 1 to 100000, or 0 for no limit", s.MessagesPerMinute)
}

// leaving checks what a server must have before letters and passwords are given to it.
func (v *validator) leaving(prefix string, s SMTP) {
	at := func(key string) string { return prefix + "." + key }
	v.must(s.Host != "", at("host"), "is missing; name the mail server, or set mail.transport: file")
	v.must(s.Host == "" || host(s.Host), at("host"), "%q is not a host name; the port goes into %s", s.Host, at("port"))
	v.must(s.TLS != "none" || s.AllowPlaintext || loopback(s.Host), at("tls"),
		"none sends letters readable to %s; set required, or accept it with %s: true", s.Host, at("allow_plaintext"))
	v.must(s.TLS != "none" || s.Username == "" || s.PlainAuth(), at("username"),
		"with tls: none its password would go in clear to %s; set tls: required, or accept it by naming the host in %s", s.Host, at("allow_plain_auth"))
	hint := ""
	if prefix != "mail.smtp" {
		hint = "; the password in mail.smtp is for its own host and username alone, and for no login write username: \"\""
	}
	v.must(s.Username == "" || s.Password != "", at("username"), "has no password; set %s or %s%s", variable(at("password")), at("password_file"), hint)
	v.must(s.Username != "" || s.Password == "", at("username"), "is missing although there is a password; set it, or remove the password")
	v.must(!s.SenderIsLogin || address(s.Username), at("sender_is_login"), "needs a username that is an address, %q is not; set %s, or sender_is_login: false", s.Username, at("username"))
}

// lease keeps a worker from losing a letter while it waits for the server's answer.
func (v *validator) lease(prefix string, m Mail) {
	lease, phase := v.c.Worker.Lease, m.SMTP.PhaseTimeout
	v.must(lease > 2*phase, "worker.lease", "%s must be more than twice %s.smtp.phase_timeout (%s), or a letter could be sent twice", duration(lease), prefix, duration(phase))
}

// dkim checks that all of a signature's settings are there or none, and that the key is one.
func (v *validator) dkim(prefix string, d DKIM) {
	at := func(key string) string { return prefix + "." + key }
	rows := []keyed{{at("domain"), d.Domain}, {at("selector"), d.Selector}, {at("key_file"), d.KeyFile}}
	given := slices.IndexFunc(rows, func(r keyed) bool { return r.value != "" })
	if given < 0 {
		return
	}
	for _, r := range rows {
		v.must(r.value != "", r.key, "is missing although %s is set; give domain, selector and key_file, or none of them", rows[given].key)
	}
	v.must(d.Domain == "" || labels(d.Domain) && strings.Contains(d.Domain, "."), at("domain"), "%q is not a domain; write for example example.gov.cn, a Chinese one as xn--…", d.Domain)
	v.must(d.Selector == "" || labels(d.Selector), at("selector"), "%q is not a selector; write letters, digits and -, for example duban2026", d.Selector)
	if d.KeyFile != "" {
		err := privateKey(d.Key.Reveal())
		v.must(err == nil, at("key_file"), "%s %v", d.KeyFile, err)
	}
}

// fingerprint reports whether s is a SHA-256 in hex, with colons after every byte or none.
func fingerprint(s string) bool {
	if strings.Contains(s, ":") {
		parts := strings.Split(s, ":")
		if slices.ContainsFunc(parts, func(p string) bool { return len(p) != 2 }) {
			return false
		}
		s = strings.Join(parts, "")
	}
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32
}

// labels reports whether s is made of labels of a domain name joined with dots (RFC 6376, section 3.1).
func labels(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(s) <= 253
}

// privateKey says what is wrong with a signing key: RSA of at least 1024 bits (RFC 8301, section 3.2) or Ed25519
// (RFC 8463), as PKCS #8 or, for RSA, PKCS #1 in PEM form. The error never repeats the key.
func privateKey(text string) error {
	block, _ := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return errors.New("holds no key in PEM form")
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return errors.New("holds a key behind a passphrase; write it out without one (openssl pkey -in FILE -out NEW)")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return fmt.Errorf("holds no private key of RSA or Ed25519 but a PEM block %q", block.Type)
	}
	if err != nil {
		return errors.New("holds a private key that cannot be read")
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < 1024 {
			return fmt.Errorf("holds an RSA key of %d bits; signatures need 1024 at least, better 2048", bits)
		}
		return nil
	case ed25519.PrivateKey:
		return nil
	}
	return errors.New("holds a key that is neither RSA nor Ed25519")
}
