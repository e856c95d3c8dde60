package mail

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// tls returns the settings of TLS connections.
func (c Config) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		t = c.TLS.Clone()
	}
	switch c.TLSMin {
	case "":
		t.MinVersion = max(t.MinVersion, tls.VersionTLS12)
	case "1.0":
		t.MinVersion = tls.VersionTLS10
	case "1.1":
		t.MinVersion = tls.VersionTLS11
	case "1.2":
		t.MinVersion = tls.VersionTLS12
	case "1.3":
		t.MinVersion = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("tls_min %q: want 1.0, 1.1, 1.2 or 1.3", c.TLSMin)
	}
	if t.MinVersion < tls.VersionTLS12 {
		t.CipherSuites = oldSuites()
	}
	if len(c.CA) > 0 {
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(c.CA) {
			return nil, errors.New("the CA file holds no certificate in PEM form")
		}
	}
	switch {
	case c.ServerName != "":
		t.ServerName = c.ServerName
	case t.ServerName == "":
		t.ServerName = c.Host
	}
	if c.Fingerprint != "" {
		want, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(c.Fingerprint))
		if err != nil || len(want) != sha256.Size {
			return nil, fmt.Errorf("fingerprint %q: want the SHA-256 of the certificate, 64 hex digits", c.Fingerprint)
		}
		pin(t, [sha256.Size]byte(want))
	}
	return t, nil
}

// pin lets the certificate's fingerprint alone decide. It is checked on every handshake, resumed ones too.
func pin(t *tls.Config, want [sha256.Size]byte) {
	t.InsecureSkipVerify = true // VerifyConnection below is stricter than what it takes the place of
	t.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the server shows no certificate")
		}
		if got := sha256.Sum256(s.PeerCertificates[0].Raw); got != want {
			return fmt.Errorf("the server's certificate has the fingerprint %x, not the one that is configured", got)
		}
		return nil
	}
}

// oldSuites are Go's cipher suites and those with an RSA key exchange, which are all that some old relays know.
func oldSuites() []uint16 {
	var ids []uint16
	for _, s := range tls.CipherSuites() {
		ids = append(ids, s.ID)
	}
	return append(ids, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA)
}
