package config

import (
	"slices"
	"strings"
	"time"
)

// Mail says how letters leave and in whose name.
type Mail struct {
	Transport       string // file, smtp
	Dir             string // of the file transport
	ArchiveDir      string // where a copy of what leaves is kept; empty: nowhere
	FromAddress     string
	FromName        string
	ReplyTo         string
	MessageIDDomain string // never empty after Load
	RedirectTo      string // where set, every letter goes there instead, marked
	SMTP            SMTP
	DKIM            DKIM
	Retry           Retry
	Brake           Brake
}

// SMTP describes the mail server and the account on it.
type SMTP struct {
	Host           string
	Port           int      // 0: the usual one, see Address
	TLS            string   // required, starttls, implicit, none
	TLSMin         string   // 1.0, 1.1, 1.2, 1.3
	CAFile         string   // see Config.CA
	Fingerprint    string   // SHA-256 of the server's certificate as it was written, see Pin
	ServerName     string   // in the certificate; empty: Host
	AllowPlaintext bool     // letters may go to another machine in clear
	AllowPlainAuth []string // hosts that may be given the password in clear
	Username       string
	PasswordFile   string
	PasswordEnv    string
	Password       Secret // from DUBAN_MAIL_SMTP_PASSWORD, PasswordEnv or PasswordFile
	SenderIsLogin  bool   // From and the envelope's sender are the username
	Hello          string // the name given in EHLO; never empty after Load
	ConnectTimeout time.Duration
	PhaseTimeout   time.Duration

	Connections          int
	LettersPerConnection int
	MaxSize              int // bytes of a letter
	MessagesPerMinute    int // 0: no limit
}

// DKIM signs letters (RFC 6376) where its three settings are given.
type DKIM struct {
	Domain   string
	Selector string
	KeyFile  string
	Key      Secret // content of KeyFile: a private key in PEM form
}

// Retry spaces the tries of one letter.
type Retry struct {
	First  time.Duration // after the first temporary failure; doubled after each other
	Most   time.Duration
	GiveUp time.Duration // counted from the first try
}

// Brake spaces the tries of a server at which everything fails.
type Brake struct {
	First time.Duration
	Most  time.Duration
	After int // failures in a row
}

// placeholderFrom is good enough for letters in a folder and refused for letters that leave.
const placeholderFrom = "duban@localhost"

func defaultMail() Mail {
	return Mail{
		Transport: "file", Dir: "./letters", ArchiveDir: "./archive", FromAddress: placeholderFrom, FromName: "督办",
		SMTP: SMTP{
			TLS: "required", TLSMin: "1.2", ConnectTimeout: 10 * time.Second, PhaseTimeout: time.Minute,
			Connections: 4, LettersPerConnection: 100, MaxSize: 1_400_000,
		},
		Retry: Retry{First: time.Minute, Most: time.Hour, GiveUp: 24 * time.Hour},
		Brake: Brake{First: time.Minute, Most: 30 * time.Minute, After: 3},
	}
}

// sharedFields is the table of the mail settings that are one for all jurisdictions.
func (m *Mail) sharedFields() []field {
	return []field{
		{path: "mail", doc: "How letters leave, and in whose name."},
		{path: "mail.transport", value: &m.Transport, oneOf: []string{"file", "smtp"}, doc: "file: write .eml files into dir. smtp: send."},
		{path: "mail.dir", value: &m.Dir, doc: "Folder of the file transport."},
		{path: "mail.archive_dir", value: &m.ArchiveDir, doc: "Folder that keeps, byte for byte, what was handed to the mail server. Empty: none is kept."},
		{path: "mail.redirect_to", value: &m.RedirectTo, doc: "For a trial run: every letter goes to this one address, marked with whom it was for. Empty: off."},
	}
}

// effortFields is the table of how often delivering is tried.
func (m *Mail) effortFields() []field {
	r, b := &m.Retry, &m.Brake
	return []field{
		{path: "mail.retry", doc: "When a letter that failed for the moment is tried again."},
		{path: "mail.retry.first", value: &r.First, doc: "Wait after the first failure; it doubles with each other."},
		{path: "mail.retry.most", value: &r.Most, doc: "Longest wait between two tries."},
		{path: "mail.retry.give_up", value: &r.GiveUp, doc: "A letter that could not be delivered so long after its first try has failed."},
		{path: "mail.brake", doc: "When everything fails at a server, sending pauses; it goes on by itself."},
		{path: "mail.brake.after", value: &b.After, doc: "So many failures in a row begin the pause."},
		{path: "mail.brake.first", value: &b.First, doc: "The first pause; it doubles until something succeeds."},
		{path: "mail.brake.most", value: &b.Most, doc: "Longest pause."},
	}
}

// accountFields is the table of what a jurisdiction may have of its own: sender, account and signature.
func (m *Mail) accountFields(prefix string) []field {
	rows := []field{
		{path: ".from_address", value: &m.FromAddress, doc: "The sender's address. smtp asks for a real one."},
		{path: ".from_name", value: &m.FromName, doc: "The sender's name as readers see it."},
		{path: ".reply_to", value: &m.ReplyTo, doc: "Where answers go. Empty: to from_address."},
		{path: ".message_id_domain", value: &m.MessageIDDomain, doc: "Domain of the Message-ID. Empty: that of the top-level from_address. Do not change it later: it is how a letter is known again."},
	}
	rows = append(rows, m.SMTP.serverFields()...)
	rows = append(rows, m.SMTP.loginFields()...)
	rows = append(rows, m.SMTP.paceFields()...)
	rows = append(rows, m.DKIM.fields()...)
	for i := range rows {
		rows[i].path = prefix + rows[i].path
	}
	if prefix != "mail" {
		rows = append([]field{{path: prefix}}, rows...)
	}
	return rows
}

func (s *SMTP) serverFields() []field {
	return []field{
		{path: ".smtp", doc: "The mail server; read only where transport is smtp."},
		{path: ".smtp.host", value: &s.Host, doc: "Name of the server, as in its certificate, or its address."},
		{path: ".smtp.port", value: &s.Port, doc: "0: 587, but 465 for implicit and 25 for none."},
		{path: ".smtp.tls", value: &s.TLS, oneOf: []string{"required", "starttls", "implicit", "none"}, doc: "required: TLS the way the port implies, implicit on 465 and STARTTLS on any other; never without.\n" +
			"starttls, implicit: the same, whatever the port. none: in clear, to this machine only; see allow_plaintext and allow_plain_auth."},
		{path: ".smtp.tls_min", value: &s.TLSMin, oneOf: []string{"1.0", "1.1", "1.2", "1.3"}, doc: "Oldest version of TLS: 1.0, 1.1, 1.2 or 1.3. The first two are broken; they are here for relays that know nothing else."},
		{path: ".smtp.ca_file", value: &s.CAFile, doc: "PEM file of the authority that signed the server's certificate. Empty: those of the system."},
		{path: ".smtp.fingerprint", value: &s.Fingerprint, doc: "SHA-256 of the server's certificate in hex, colons or not. Where set it alone decides: no authority, name or date is checked."},
		{path: ".smtp.server_name", value: &s.ServerName, doc: "The name in the server's certificate where it is not host, as with a host given by its address."},
		{path: ".smtp.allow_plaintext", value: &s.AllowPlaintext, doc: "Allow tls: none to another machine. Letters can then be read on the way."},
		{path: ".smtp.hello", value: &s.Hello, doc: "The name this machine gives the server (EHLO). Empty: message_id_domain."},
		{path: ".smtp.connect_timeout", value: &s.ConnectTimeout, doc: "Longest wait for a connection."},
		{path: ".smtp.phase_timeout", value: &s.PhaseTimeout, doc: "Longest wait in each phase of a letter: greeting, TLS, login, addresses, body, answer."},
	}
}

func (s *SMTP) loginFields() []field {
	return []field{
		{path: ".smtp.username", value: &s.Username, doc: "Account on the server. Empty: no login."},
		{path: ".smtp.password_file", value: &s.PasswordFile, doc: "File that holds the account's password on one line."},
		{path: ".smtp.password_env", value: &s.PasswordEnv, doc: "Name of the variable that holds the account's password. DUBAN_MAIL_SMTP_PASSWORD needs no entry and wins."},
		{path: ".smtp.allow_plain_auth", value: &s.AllowPlainAuth, doc: "Hosts that may be given the password in clear, with tls: none. This machine too must be named."},
		{path: ".smtp.sender_is_login", value: &s.SenderIsLogin, doc: "For a server that takes no other sender: letters come from username, which must be an address.\nAnswers still go to reply_to, or else to from_address."},
	}
}

func (s *SMTP) paceFields() []field {
	return []field{
		{path: ".smtp.connections", value: &s.Connections, doc: "How many connections may be open at the same time, 1 to 64."},
		{path: ".smtp.letters_per_connection", value: &s.LettersPerConnection, doc: "So many letters go over one connection before a new one is opened."},
		{path: ".smtp.max_size", value: &s.MaxSize, doc: "Largest letter in bytes; a larger one goes without its attachment. A smaller limit that the server states holds."},
		{path: ".smtp.messages_per_minute", value: &s.MessagesPerMinute, doc: "For a server with a quota: no more letters in a minute from one worker process; with several, give each its share. 0: no limit."},
	}
}

func (d *DKIM) fields() []field {
	return []field{
		{path: ".dkim", doc: "Signs letters, where the mail server does not. All three keys or none."},
		{path: ".dkim.domain", value: &d.Domain, doc: "The domain that signs, usually that of from_address."},
		{path: ".dkim.selector", value: &d.Selector, doc: "Name of the key: the public one is published at SELECTOR._domainkey.DOMAIN."},
		{path: ".dkim.key_file", value: &d.KeyFile, doc: "File of the private key in PEM form, RSA or Ed25519."},
	}
}

// isShared reports whether mail.KEY exists and is one for all jurisdictions.
func isShared(key string) bool {
	m := Mail{}
	return slices.ContainsFunc(slices.Concat(m.sharedFields(), m.effortFields()), func(f field) bool { return f.path == "mail."+key })
}

// clone returns a copy that shares nothing with m.
func (m Mail) clone() Mail {
	m.SMTP.AllowPlainAuth = slices.Clone(m.SMTP.AllowPlainAuth)
	return m
}

// Address returns the host and the port of the mail server. The usual ports are 587 for STARTTLS, 465 for implicit
// TLS (RFC 8314) and 25 for plain text.
func (s SMTP) Address() (host string, port int) {
	if s.Port != 0 {
		return s.Host, s.Port
	}
	switch s.TLS {
	case "implicit":
		return s.Host, 465
	case "none":
		return s.Host, 25
	}
	return s.Host, 587
}

// Pin returns the fingerprint as 64 hex digits in lower case; empty where none is set. It cannot be malformed after Load.
func (s SMTP) Pin() string { return strings.ToLower(strings.ReplaceAll(s.Fingerprint, ":", "")) }

// PlainAuth reports whether the server may be given the password in clear.
func (s SMTP) PlainAuth() bool {
	return slices.ContainsFunc(s.AllowPlainAuth, func(h string) bool { return sameHost(h, s.Host) })
}
