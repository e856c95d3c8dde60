package config

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The database engines.
const (
	SQLite = "sqlite"
	MySQL  = "mysql"
)

// DSN is a database.dsn taken apart.
type DSN struct {
	Engine string // SQLite or MySQL
	Path   string // of the SQLite file; ":memory:" for none

	User     string
	Password Secret
	Host     string // empty where Socket is set
	Port     int
	Socket   string // path of a MySQL unix socket
	Name     string // of the MySQL database
	TLS      string // true, skip-verify, preferred or false; never empty for MySQL
}

const dsnForms = "write sqlite:PATH or mysql://USER@HOST:3306/DATABASE (with ?tls=true where the server has a certificate, ?socket=/PATH for a local socket)"

// ParseDSN reads "sqlite:PATH" or "mysql://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?tls=true|skip-verify|preferred|false]",
// or "mysql://USER@/DATABASE?socket=PATH". Without tls, it is "preferred" to another host and "false" to this one.
// Errors never repeat the text, because it may hold a password.
func ParseDSN(s string) (DSN, error) {
	switch {
	case strings.HasPrefix(s, "sqlite:"):
		return parseSQLite(strings.TrimPrefix(s, "sqlite:"))
	case strings.HasPrefix(s, "mysql://"):
		return parseMySQL(s)
	case strings.Contains(s, "@tcp(") || strings.Contains(s, "@unix("):
		return DSN{}, errors.New("this is the MySQL driver's own form; " + dsnForms)
	}
	return DSN{}, errors.New("neither sqlite: nor mysql://; " + dsnForms)
}

func parseSQLite(path string) (DSN, error) {
	switch {
	case path == "":
		return DSN{}, errors.New("sqlite: without a path; write for example sqlite:./duban.db")
	case strings.HasPrefix(path, "//") || strings.HasPrefix(path, "file:"):
		return DSN{}, errors.New("the path follows sqlite: directly; write for example sqlite:/var/lib/duban/duban.db")
	case strings.ContainsAny(path, "?#\x00"):
		return DSN{}, errors.New("a SQLite path takes no parameters and no ? or #; duban sets the pragmas itself")
	}
	return DSN{Engine: SQLite, Path: path}, nil
}

func parseMySQL(s string) (DSN, error) {
	u, err := url.Parse(s)
	if err != nil {
		return DSN{}, errors.New("not a URL (write @ : / ? # % in a name or password as %40 %3A %2F %3F %23 %25); " + dsnForms)
	}
	d := DSN{Engine: MySQL, User: u.User.Username(), Host: u.Hostname(), Port: 3306, Name: strings.TrimPrefix(u.Path, "/")}
	password, _ := u.User.Password()
	d.Password = Secret(password)
	if p := u.Port(); p != "" {
		if d.Port, err = strconv.Atoi(p); err != nil || d.Port < 1 || d.Port > 65535 {
			return DSN{}, errors.New("the port must be a number from 1 to 65535")
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Fragment != "" {
		return DSN{}, errors.New("what follows the database's name cannot be read; " + dsnForms)
	}
	for key, values := range query {
		if (key != "tls" && key != "socket") || len(values) != 1 {
			return DSN{}, errors.New("only one tls= and one socket= may follow the ?; duban sets the other parameters itself")
		}
	}
	d.Socket = query.Get("socket")
	return d.completed(query.Get("tls"), query.Has("tls"))
}

func (d DSN) completed(tls string, given bool) (DSN, error) {
	switch {
	case d.User == "":
		return DSN{}, errors.New("no user; " + dsnForms)
	case d.Name == "" || strings.Contains(d.Name, "/"):
		return DSN{}, errors.New("one database name must follow the host; " + dsnForms)
	case (d.Host == "") == (d.Socket == ""):
		return DSN{}, errors.New("give either a host or a socket; " + dsnForms)
	case strings.Contains(d.Host, ":") && net.ParseIP(d.Host) == nil:
		return DSN{}, errors.New("the host is neither a name nor an address; " + dsnForms)
	case given && !slices.Contains([]string{"true", "skip-verify", "preferred", "false"}, tls):
		return DSN{}, errors.New("tls must be true, skip-verify, preferred or false")
	case d.Socket != "":
		d.Port = 0
	}
	usual := "preferred"
	if d.Socket != "" || loopback(d.Host) {
		usual = "false"
	}
	d.TLS = cmp.Or(tls, usual)
	return d, nil
}

// String returns the form ParseDSN reads, without the password.
func (d DSN) String() string {
	if d.Engine != MySQL {
		return d.Engine + ":" + d.Path
	}
	u := url.URL{Scheme: MySQL, User: url.User(d.User), Path: "/" + d.Name}
	query := url.Values{"tls": {d.TLS}}
	if d.Socket != "" {
		query.Set("socket", d.Socket)
	} else {
		u.Host = net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Parsed returns the DSN with its password; SQLite has none. It cannot fail after Load.
func (d Database) Parsed() (DSN, error) {
	p, err := ParseDSN(d.DSN)
	if p.Engine == MySQL && d.Password != "" {
		p.Password = d.Password
	}
	return p, err
}

// loopback reports whether the host is this machine, so that nothing said to it crosses a network.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
