package dkim

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"duban/notify/compose"
)

const mail = "Date: Thu, 26 Sep 2024 09:00:00 +0800\r\n" +
	"From: =?UTF-8?B?5bSC5bGx5Yy65Y+45rOV5bGA?= <duban@sfj.laoshan.example>\r\n" +
	"Reply-To: zfjd@sfj.laoshan.example\r\n" +
	"To: =?UTF-8?B?5Yy65Lqk6YCa6L+Q6L6T5bGA?=\r\n <lianluo@qjtj.laoshan.example>\r\n" +
	"Subject: =?UTF-8?B?44CQ5Yy65Y+45rOV?=\r\n =?UTF-8?B?NOmhue+8iDLpobnlt7I=?=\r\n" +
	"Message-ID: <56b7a34ce455b9e7a491046f371ec705@sfj.laoshan.example>\r\n" +
	"X-Duban-Notice: 56b7a34ce455b9e7a491046f371ec705\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=UTF-8\r\n" +
	"\r\n" +
	"a line \t with  spaces  \r\n\r\n.a dot\r\nFrom here\r\n\r\n\r\n"

// key is a private key in PEM form and the record its public half is published in.
type key struct{ name, pem, record string }

func encode(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

var keys = sync.OnceValue(func() []key {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&r.PublicKey)
	if err != nil {
		panic(err)
	}
	rsaRecord := "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(spki)
	der := func(k crypto.PrivateKey) string {
		b, err := x509.MarshalPKCS8PrivateKey(k)
		return encode("PRIVATE KEY", b, err)
	}
	return []key{
		{"RSA PKCS #1", encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r), nil), rsaRecord},
		{"RSA PKCS #8", der(r), rsaRecord},
		{"Ed25519", der(priv), "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)},
	}
})

// verify has the mail checked by the library, which finds the key in the given record.
func verify(t *testing.T, signed []byte, record string) error {
	t.Helper()
	got, err := dkim.VerifyWithOptions(bytes.NewReader(signed), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name != "s2024._domainkey.sfj.laoshan.example" {
			t.Errorf("the key is looked for at %s", name)
		}
		return []string{record}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Domain != "sfj.laoshan.example" {
		t.Fatalf("%d signatures: %+v", len(got), got)
	}
	return got[0].Err
}

func signer(t testing.TB, k key) *Signer {
	t.Helper()
	s, err := New("sfj.laoshan.example", "s2024", []byte(k.pem))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignatureHolds(t *testing.T) {
	for _, k := range keys() {
		t.Run(k.name, func(t *testing.T) {
			s := signer(t, k)
			signed, err := s.Sign([]byte(mail))
			if err != nil {
				t.Fatal(err)
			}
			if err := verify(t, signed, k.record); err != nil {
				t.Fatalf("%v in\n%s", err, signed)
			}
			if !bytes.HasSuffix(signed, []byte(mail)) || !bytes.HasPrefix(signed, []byte("DKIM-Signature: v=1; ")) {
				t.Error("the mail itself is not what it was")
			}
			for l := range strings.SplitSeq(string(signed[:len(signed)-len(mail)]), "\r\n") {
				if len(l) > 76 {
					t.Errorf("a line of %d octets: %s", len(l), l)
				}
			}
			for range 10 {
				if again, err := s.Sign([]byte(mail)); err != nil || !bytes.Equal(again, signed) {
					t.Fatalf("signed again, other bytes (%v)", err)
				}
			}
			for name, change := range map[string][2]string{ // what relaxed canonicalization lets a relay do
				"another header":      {"Date: Thu", "X-Relay: here\r\nDate: Thu"},
				"folded anew":         {"To: =?UTF-8?B?5Yy65Lqk6YCa6L+Q6L6T5bGA?=\r\n <", "To:  =?UTF-8?B?5Yy65Lqk6YCa6L+Q6L6T5bGA?= \t<"},
				"the name's case":     {"Message-ID: <", "message-Id : <"},
				"space at line ends":  {".a dot", ".a dot  "},
				"empty lines at end":  {"here\r\n\r\n\r\n", "here\r\n"},
				"white space is less": {"a line \t with", "a line with"},
			} {
				if err := verify(t, []byte(strings.Replace(string(signed), change[0], change[1], 1)), k.record); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			for name, change := range map[string][2]string{
				"body":         {".a dot", ".a cot"},
				"added body":   {"From here\r\n", "From here\r\nand more\r\n"},
				"subject":      {"44CQ5Yy65Y", "44CQ5Yy65Z"},
				"date":         {"09:00:00", "09:00:01"},
				"from":         {"<duban@", "<other@"},
				"second from":  {"X-Duban-Notice", "From: other@evil.example\r\nX-Duban-Notice"},
				"first from":   {"Date: Thu", "From: other@evil.example\r\nDate: Thu"},
				"to":           {"lianluo@", "lianlu0@"},
				"reply-to":     {"zfjd@", "zfjb@"},
				"message-id":   {"<56b7", "<56b8"},
				"content-type": {"charset=UTF-8", "charset=GBK"},
			} {
				if err := verify(t, []byte(strings.Replace(string(signed), change[0], change[1], 1)), k.record); err == nil {
					t.Errorf("%s: a changed mail verifies", name)
				}
			}
			other := keys()[2]
			if k.name == other.name {
				other = keys()[0]
			}
			if err := verify(t, signed, other.record); err == nil {
				t.Error("another key verifies")
			}
		})
	}
}

func TestSealsWhatIsComposed(t *testing.T) {
	for _, k := range keys() {
		l := compose.Letter{
			ID: "seal0001", From: compose.Mail{FromName: "崂山区司法局", FromAddress: "duban@sfj.laoshan.example", Seal: signer(t, k).Sign},
			To: "lianluo@qjtj.laoshan.example", Subject: "邮件设置测试", Title: "邮件设置测试", Paras: []string{"本件为测试邮件。"},
			Attachments: []compose.Attachment{{Name: "情况表.xlsx", Data: []byte("x\r\ny")}}, Date: time.Date(2024, 9, 26, 9, 0, 0, 0, time.UTC),
		}
		m, err := compose.Plain(l)
		if err != nil {
			t.Fatal(err)
		}
		light, err := m.Light()
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string][]byte{"whole": m.Bytes, "light": light.Bytes} {
			if err := verify(t, b, k.record); err != nil {
				t.Errorf("%s, %s: %v", k.name, name, err)
			}
			if verify(t, bytes.Replace(b, []byte("base64\r\n"), []byte("base64\r\nX: y\r\n"), 1), k.record) == nil {
				t.Errorf("%s, %s: a changed part verifies", k.name, name)
			}
		}
		if again, err := compose.Plain(l); err != nil || !bytes.Equal(again.Bytes, m.Bytes) {
			t.Errorf("%s: composed and signed again, other bytes (%v)", k.name, err)
		}
	}
}

func TestCoversWhatIsThere(t *testing.T) {
	signed, err := signer(t, keys()[2]).Sign([]byte(mail))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(signed), " h=From:From:To:Subject:Date:Message-ID:Reply-To:MIME-Version:Content-Type;\r\n") {
		t.Errorf("covers\n%s", signed)
	}
	all := strings.Replace(mail, "Subject:", "Cc: a@b.example\r\nReferences: <t@b.example>\r\nList-Id: <l.b.example>\r\nSubject:", 1)
	if signed, err = signer(t, keys()[2]).Sign([]byte(all)); err != nil {
		t.Fatal(err)
	}
	if err := verify(t, signed, keys()[2].record); err != nil {
		t.Errorf("%v in\n%s", err, signed)
	}
	h, _, _ := strings.Cut(string(signed), "bh=")
	if h = strings.ReplaceAll(h, "\r\n  ", ""); !strings.Contains(h, "h=From:From:To:Cc:Subject:Date:Message-ID:Reply-To:References:List-Id:MIME-Version:Content-Type;") {
		t.Errorf("covers %s", h)
	}
}

func TestOddBodies(t *testing.T) {
	k := keys()[2]
	for _, body := range []string{"", "\r\n", "\r\n\r\n", "a", "a\r\n", " ", "\t\r\n \r\n", "a\r\n\r\n b  c\t\td \r\n", "\r\n\r\na\r\n", "督办\r\n"} {
		signed, err := signer(t, k).Sign([]byte("From: a@b.example\r\nSubject: x\r\n\r\n" + body))
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, signed, k.record); err != nil {
			t.Errorf("body %q: %v", body, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s := signer(t, keys()[2])
	for _, m := range []string{"", "From: a@b.example\r\n", "Subject: x\r\n\r\nbody", "From: a@b.example\nSubject: x\n\nbody", "From: a@b.example\r\n\r\na\nb", "From: a@b.example\r\n\r\na\rb"} {
		if out, err := s.Sign([]byte(m)); err == nil {
			t.Errorf("signed %q as %q", m, out)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := keys()[2].pem
	for _, c := range [][3]string{
		{"", "s", good}, {"localhost", "s", good}, {"例子.中国", "s", good}, {"b.example; x=1", "s", good}, {"b..example", "s", good}, {"-b.example", "s", good},
		{"b.example", "", good}, {"b.example", "s;d=evil.example", good}, {"b.example", "s\r\n", good}, {"b.example", ".s", good},
		{"b.example", "s", ""}, {"b.example", "s", "not a key"}, {"b.example", "s", strings.ReplaceAll(good, "PRIVATE", "ENCRYPTED PRIVATE")},
		{"b.example", "s", strings.ReplaceAll(keys()[0].pem, "RSA PRIVATE", "PRIVATE")}, {"b.example", "s", strings.ReplaceAll(good, "PRIVATE", "RSA PRIVATE")},
	} {
		if _, err := New(c[0], c[1], []byte(c[2])); err == nil {
			t.Errorf("New(%q, %q) took it", c[0], c[1])
		}
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if _, err := New("b.example", "s", []byte(encode("PRIVATE KEY", der, err))); err == nil {
		t.Error("took an ECDSA key")
	}
}

func TestSignTellsWhatTheKeyTells(t *testing.T) {
	s := &Signer{domain: "b.example", selector: "s", algorithm: "rsa-sha256", key: broken{}, hash: crypto.SHA256}
	if _, err := s.Sign([]byte(mail)); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

// FuzzSign has the library verify a mail of any subject and body.
func FuzzSign(f *testing.F) {
	f.Add("督办", "body\r\n")
	f.Add(" a  b\t", "\r\n \r\nx")
	f.Add("a\r\n b", "")
	f.Fuzz(func(t *testing.T, subject, body string) {
		k := keys()[2]
		signed, err := signer(t, k).Sign([]byte("From: a@b.example\r\nSubject:" + subject + "\r\n\r\n" + body))
		if err != nil || strings.Contains(subject, "\r\n") && !strings.Contains(subject, "\r\n ") {
			return
		}
		for l := range strings.SplitSeq(subject, "\r\n") {
			if l == "" || strings.TrimRight(l, " \t") == "" || strings.Contains(l, "DKIM") || l[0] != ' ' && l != strings.Split(subject, "\r\n")[0] {
				return // an empty line, which ends the headers, or another header
			}
		}
		if err := verify(t, signed, k.record); err != nil {
			t.Fatalf("%v in %q", err, signed)
		}
	})
}

// BenchmarkSign signs a mail as long as a letter of 12 KB.
func BenchmarkSign(b *testing.B) {
	m := []byte(mail + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 300))
	for _, k := range keys()[1:] {
		b.Run(k.name, func(b *testing.B) {
			s := signer(b, k)
			for b.Loop() {
				if _, err := s.Sign(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
