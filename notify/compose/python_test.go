package compose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duban/notify/notice"
)

// reader is a program that reads every mail of a folder with Python's email package, which shares no code with the
// parsers of Go, and says what is in it.
const reader = `
import email, email.policy, hashlib, json, pathlib, sys

def box(a):
    return [a.display_name, a.addr_spec]

def defects(part):
    out = [repr(d) for d in part.defects]
    for name, value in part.items():
        # The encoded words of name= are against the standard on purpose.
        if not (part.is_attachment() and name.lower() == "content-type"):
            out += [name + ": " + repr(d) for d in value.defects]
    for p in part.iter_parts() if part.is_multipart() else []:
        out += defects(p)
    return out

out = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    raw = path.read_bytes()
    # RFC 6532 headers are UTF-8, which only the parser of texts takes.
    m = email.message_from_string(raw.decode("utf-8"), policy=email.policy.default)
    text, page = m.get_body(("plain",)), m.get_body(("html",))
    out[path.name] = {
        "names": m.keys(),
        "subject": m["Subject"],
        "id": m["Message-ID"],
        "root": m["References"],
        "list": m["List-Id"],
        "bcc": m["Bcc"] is not None,
        "from": [box(a) for a in m["From"].addresses],
        "replyTo": [box(a) for a in m["Reply-To"].addresses] if m["Reply-To"] else [],
        "to": [box(a) for a in m["To"].addresses] if m["To"] else [],
        "cc": [box(a) for a in m["Cc"].addresses] if m["Cc"] else [],
        "date": m["Date"].datetime.isoformat(),
        "text": text.get_content(),
        "page": page.get_content(),
        "kind": m.get_content_type(),
        "files": [{
            "name": a.get_filename(),
            "old": a["Content-Type"].params.get("name"),
            "kind": a.get_content_type(),
            "sum": hashlib.sha256(a.get_payload(decode=True)).hexdigest(),
        } for a in m.iter_attachments()],
        "defects": defects(m),
    }
json.dump(out, sys.stdout)
`

// seen is a mail as Python reads it.
type seen struct {
	Names, Defects          []string
	Subject, ID, Root, List string
	Bcc                     bool
	From, ReplyTo, To, Cc   [][2]string
	Date, Text, Page, Kind  string
	Files                   []seenFile
}

type seenFile struct{ Name, Old, Kind, Sum string }

// readByPython writes the mails into a folder and returns what Python reads. Without Python the test is skipped, unless
// DUBAN_REQUIRE_PYTHON=1 says that it has to be there.
func readByPython(t *testing.T, mails map[string]Message) map[string]seen {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("DUBAN_REQUIRE_PYTHON") == "1" {
			t.Fatalf("DUBAN_REQUIRE_PYTHON is set and there is no python3: %v", err)
		}
		t.Skipf("NOT TESTED: no python3 to read the mails with (DUBAN_REQUIRE_PYTHON=1 makes this a failure): %v", err)
	}
	dir := t.TempDir()
	for name, m := range mails {
		if err := os.WriteFile(filepath.Join(dir, name), m.Bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), python, "-I", "-", dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(reader), &stdout, &stderr
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8")
	if err := cmd.Run(); err != nil {
		t.Fatalf("python3: %v\n%s", err, stderr.String())
	}
	out := map[string]seen{}
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	return out
}

// pythonLetters are the mails Python is given, with the recipients they are to show.
func pythonLetters(t *testing.T) (mails map[string]Message, to, cc map[string][][2]string) {
	t.Helper()
	mails, to, cc = map[string]Message{}, map[string][][2]string{}, map[string][][2]string{}
	add := func(name string, n notice.Notice, m Mail, recipient int) {
		msg, err := Compose(n, recipient, m)
		if err != nil {
			t.Fatal(err)
		}
		mails[name], to[name], cc[name] = msg, [][2]string{}, [][2]string{}
		if m.RedirectTo != "" {
			to[name] = append(to[name], [2]string{"", m.RedirectTo})
			return
		}
		for _, r := range n.Facts.Recipients {
			box := [2]string{clean(n.Facts.Reader.Name) + roleName(r.Role), r.Email}
			if r.Copy {
				cc[name] = append(cc[name], box)
			} else {
				to[name] = append(to[name], box)
			}
		}
	}
	for name, n := range goldenLetters() {
		add(name, n, testMail, 0)
	}
	for name, n := range goldenPapers() {
		add(name, n, testMail, 0)
	}
	add("12KB", letter12KB(), testMail, 0)
	add("awkward", awkwardLetter(), awkwardMail, 0)
	trial, login := testMail, testMail
	trial.RedirectTo, login.SenderAddress, login.ReplyTo = "trial@sfj.laoshan.example", "login@relay.example", ""
	add("trial", letter12KB(), trial, 1)
	add("login", letter12KB(), login, 0)
	wide := goldenLetters()["day-off"]
	wide.Facts.Recipients[0].Email = "张三@qjtj.laoshan.example"
	add("wide", wide, testMail, 0)
	empty := letterOf(notice.Facts{Date: day("2024-09-26"), Recipients: []notice.Recipient{{Email: "a@b.example"}}})
	add("empty", empty, Mail{FromAddress: "duban@b.example"}, 0)
	return mails, to, cc
}

func TestPythonReadsTheLetters(t *testing.T) {
	mails, to, cc := pythonLetters(t)
	got := readByPython(t, mails)
	if len(got) != len(mails) {
		t.Fatalf("Python read %d mails of %d", len(got), len(mails))
	}
	for name, m := range mails {
		s := got[name]
		if name == "wide" { // which Python says of every such address
			s.Defects = slices.DeleteFunc(s.Defects, func(d string) bool { return strings.HasPrefix(d, "To: NonASCIILocalPartDefect") })
		}
		if len(s.Defects) > 0 {
			t.Errorf("%s: %q", name, s.Defects)
		}
		if s.Bcc || s.Subject != m.Subject || s.ID != m.ID || !sameFiles(t, s, m) {
			t.Errorf("%s: subject %q of %q, ID %s, %s, Bcc %v", name, s.Subject, m.Subject, s.ID, s.Kind, s.Bcc)
		}
		if s.Text != crlf(m.Text) || s.Page != crlf(m.HTML) {
			t.Errorf("%s: the alternatives read differently", name)
		}
		if !sameBoxes(s.To, to[name]) || !sameBoxes(s.Cc, cc[name]) {
			t.Errorf("%s: To %q, Cc %q", name, s.To, s.Cc)
		}
		if len(s.From) != 1 || s.From[0][1] != m.From || m.UTF8 != (name == "wide") {
			t.Errorf("%s: From %q, UTF8 %v", name, s.From, m.UTF8)
		}
		if !strings.HasPrefix(s.Root, "<thread-") || name != "empty" && !strings.Contains(s.List, " <"+m.Key.Kind+".") {
			t.Errorf("%s: References %q, List-Id %q", name, s.Root, s.List)
		}
		var want []string
		for _, h := range headerOrder {
			if slices.Contains(s.Names, h) {
				want = append(want, h)
			}
		}
		if !slices.Equal(s.Names, want) {
			t.Errorf("%s: headers %q", name, s.Names)
		}
		if day := strings.TrimSuffix(s.Date, "T09:00:00+08:00"); m.Key.Date.String() != day {
			t.Errorf("%s: Date %s", name, s.Date)
		}
	}
	if s := got["awkward"]; s.From[0][0] != awkwardMail.FromName || s.ReplyTo[0][1] != awkwardMail.ReplyTo {
		t.Errorf("From %q, Reply-To %q", s.From, s.ReplyTo)
	}
	if s := got["login"]; s.From[0][1] != "login@relay.example" || s.ReplyTo[0][1] != testMail.FromAddress {
		t.Errorf("From %q, Reply-To %q", s.From, s.ReplyTo)
	}
}

// sameFiles compares the attachments that Python finds with those that Go does.
func sameFiles(t *testing.T, s seen, m Message) bool {
	t.Helper()
	_, files := opened(t, m.Bytes)
	if len(files) == 0 {
		return s.Kind == "multipart/alternative" && len(s.Files) == 0
	}
	return s.Kind == "multipart/mixed" && slices.EqualFunc(s.Files, files, func(got seenFile, want file) bool {
		sum := sha256.Sum256(want.data)
		return got == seenFile{want.name, want.name, want.kind, hex.EncodeToString(sum[:])}
	})
}

// sameBoxes compares address lists. A name that takes several encoded words is compared without its spaces: Python leaves
// one where the second word begins, against RFC 2047, 6.2.
func sameBoxes(got, want [][2]string) bool {
	return slices.EqualFunc(got, want, func(g, w [2]string) bool {
		if len(w[0]) > 45 {
			g[0], w[0] = strings.ReplaceAll(g[0], " ", ""), strings.ReplaceAll(w[0], " ", "")
		}
		return g == w
	})
}

func TestPythonReadsAttachments(t *testing.T) {
	p := plainLetter()
	for i, n := range names {
		p.Attachments = append(p.Attachments, Attachment{n.in, "application/pdf", bytes.Repeat([]byte{byte(i), '\n', 0xff}, i*37)})
	}
	all, err := Plain(p)
	if err != nil {
		t.Fatal(err)
	}
	light, err := all.Light()
	if err != nil {
		t.Fatal(err)
	}
	got := readByPython(t, map[string]Message{"all": all, "light": light})
	for name, m := range map[string]Message{"all": all, "light": light} {
		if s := got[name]; len(s.Defects) > 0 || s.Text != crlf(m.Text) || s.Page != crlf(m.HTML) || s.Subject != m.Subject || s.Bcc {
			t.Errorf("%s: %q\n%s", name, s.Defects, s.Text)
		}
	}
	if s := got["light"]; len(s.Files) != 0 || s.Kind != "multipart/alternative" {
		t.Errorf("the light letter: %s with %d files", s.Kind, len(s.Files))
	}
	files := got["all"].Files
	if len(files) != len(names) || got["all"].Kind != "multipart/mixed" {
		t.Fatalf("%s with %d files, want %d", got["all"].Kind, len(files), len(names))
	}
	for i, n := range names {
		sum := sha256.Sum256(p.Attachments[i].Data)
		want := seenFile{n.want, n.want, "application/pdf", hex.EncodeToString(sum[:])}
		if files[i] != want {
			t.Errorf("%q: %+v, want %+v", n.in, files[i], want)
		}
	}
}
