package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"duban/notify/compose"
)

// certificate makes a certificate for 127.0.0.1 and the settings that trust it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	server, leaf := certificateOf(t, func(*x509.Certificate) {})
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return server, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// certificateOf makes a self-signed certificate for 127.0.0.1, changed by change, and a server's settings with it.
func certificateOf(t *testing.T, change func(*x509.Certificate)) (*tls.Config, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		Subject: pkix.Name{CommonName: "relay"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	change(tmpl)
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, leaf
}

// delivered is one mail a server took.
type delivered struct {
	from, to, data string
}

// backend is a whole SMTP server in memory.
type backend struct {
	mu       sync.Mutex
	took     []delivered
	sessions int
	needAuth bool
	mechs    []string
	rcpt     func(to string) error
	options  func(o *smtp.MailOptions)
	setup    func(s *smtp.Server)
}

func (b *backend) mails() []delivered {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]delivered(nil), b.took...)
}

func (b *backend) NewSession(*smtp.Conn) (smtp.Session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions++
	return &mailbox{b: b}, nil
}

type mailbox struct {
	b      *backend
	authed bool
	cur    delivered
}

func (m *mailbox) AuthMechanisms() []string { return m.b.mechs }

func (m *mailbox) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != "duban" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		m.authed = true
		return nil
	}
	if mech == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer prompts in words no specification knows.
type loginServer struct {
	check func(user, password string) error
	turn  int
	user  string
}

func (s *loginServer) Next(response []byte) ([]byte, bool, error) {
	s.turn++
	switch s.turn {
	case 1:
		return []byte("用户名"), false, nil
	case 2:
		s.user = string(response)
		return []byte("Passwort bitte"), false, nil
	}
	return nil, true, s.check(s.user, string(response))
}

func (m *mailbox) Mail(from string, o *smtp.MailOptions) error {
	if m.b.options != nil {
		m.b.options(o)
	}
	if m.b.needAuth && !m.authed {
		return &smtp.SMTPError{Code: 530, Message: "log in first"}
	}
	m.cur.from = from
	return nil
}

func (m *mailbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	if m.b.rcpt != nil {
		if err := m.b.rcpt(to); err != nil {
			return err
		}
	}
	m.cur.to = to
	return nil
}

func (m *mailbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m.cur.data = string(b)
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	m.b.took = append(m.b.took, m.cur)
	return nil
}

func (m *mailbox) Reset()        { m.cur = delivered{} }
func (m *mailbox) Logout() error { return nil }

// listen serves the backend; it returns the port.
func listen(t *testing.T, b *backend, tlsConfig *tls.Config, implicit bool) int {
	t.Helper()
	srv := smtp.NewServer(b)
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "localhost", true, quiet{}
	if b.setup != nil {
		b.setup(srv)
	}
	var l net.Listener
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if implicit {
		l = tls.NewListener(l, tlsConfig)
	} else {
		srv.TLSConfig = tlsConfig
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { _ = srv.Close(); _ = l.Close(); <-done })
	return port
}

// script is a server that follows a script, connection by connection, and is no relation of the client library.
//
// Each step is "S: text" (send a line), "C: prefix" (read a line that begins so), "DATA" (read a body up to its final
// dot), "STALL" (say nothing more until the client goes), "CLOSE". The end of a script closes the connection.
type script struct {
	t     *testing.T
	mu    sync.Mutex
	heard []string
	conns int
}

func (s *script) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

func serveScript(t *testing.T, scripts ...[]string) (*script, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			n := s.conns
			s.conns++
			s.mu.Unlock()
			if n >= len(scripts) {
				_ = c.Close()
				continue
			}
			wg.Go(func() { s.play(c, scripts[n]) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return s, l.Addr().(*net.TCPAddr).Port
}

func (s *script) play(c net.Conn, steps []string) {
	defer c.Close()
	r := bufio.NewReader(c)
	for _, step := range steps {
		switch {
		case strings.HasPrefix(step, "S: "):
			if _, err := io.WriteString(c, step[3:]+"\r\n"); err != nil {
				return
			}
		case strings.HasPrefix(step, "C: "):
			l, err := r.ReadString('\n')
			if err != nil {
				return
			}
			l = strings.TrimRight(l, "\r\n")
			s.hear(l)
			if !strings.HasPrefix(l, step[3:]) {
				s.t.Errorf("the client says %q where the script expects %q", l, step[3:])
				return
			}
		case step == "DATA":
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					s.hear("(no final dot)")
					return
				}
				if l == ".\r\n" {
					s.hear(".")
					break
				}
			}
		case step == "SWALLOW":
			_, _ = io.Copy(io.Discard, r)
			return
		case step == "STALL":
			one := make([]byte, 1)
			_, _ = c.Read(one)
			_, _ = io.Copy(io.Discard, r)
			return
		case step == "STUCK": // never reads again: the client's writes fill up
			<-s.t.Context().Done()
			return
		}
	}
}

func (s *script) hear(l string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, l)
}

var letter = compose.Message{
	ID: "<1@sfj.example>", From: "duban@sfj.example", To: "lianluo@qjtj.example", Subject: "主题",
	Bytes: []byte("Subject: x\r\n\r\nbody\r\n.dot\r\n"),
}

// quiet is a log nobody reads: what a client did wrong on purpose.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}
