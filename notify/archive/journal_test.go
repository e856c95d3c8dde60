package archive

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/notify/compose"
	"duban/notify/notice"
)

func acceptance(msg compose.Message, n int) Acceptance {
	return AcceptanceOf(strings.Trim(strings.Split(msg.ID, "@")[0], "<"), msg, notice.Receipt{
		Email: msg.To, Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: 250, Enhanced: "2.0.0",
		Reply: fmt.Sprintf("Ok: queued as <%d> & kept", n), SHA256: hash(msg.Bytes), Bytes: len(msg.Bytes), Worker: "w1",
		At: time.Date(2024, 9, 26, 9, 0, 1, 5e6, time.FixedZone("CST", 8*3600)),
	})
}

func TestAcceptanceIsOneLineWithTheDocumentedFields(t *testing.T) {
	a := open(t, t.TempDir())
	msg := letter("0a1b", "x")
	acc := acceptance(msg, 7)
	if err := a.Accepted(acc); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(a.dir, "town", "2024-09-26", "accepted.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"notice":"0a1b","message_id":"<0a1b@sfj.example>","unit":"jtj","role":"liaison","copy":false,"to":"zhang@jtj.example","sha256":"` +
		hash(msg.Bytes) + `","bytes":1,"code":250,"enhanced":"2.0.0","reply":"Ok: queued as <7> & kept","at":"2024-09-26T01:00:01.005Z","worker":"w1"}` + "\n"
	if string(got) != want {
		t.Errorf("got  %swant %s", got, want)
	}
	list, torn, err := a.Read("town", day, day)
	if err != nil || len(torn) != 0 || len(list) != 1 || list[0] != acc {
		t.Errorf("read back %+v, torn %v, %v", list, torn, err)
	}
}

func TestReadKeepsToItsDaysAndJurisdiction(t *testing.T) {
	a := open(t, t.TempDir())
	for i, d := range []string{"2024-09-25", "2024-09-26", "2024-09-27"} {
		for _, j := range []string{"town", "other"} {
			if err := a.Accepted(Acceptance{Jurisdiction: j, Date: civil.MustParse(d), Notice: fmt.Sprint(j, i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(filepath.Join(a.dir, "town", "notes"), 0o700); err != nil { // not a day
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(a.dir, "town", "2024-09-28"), 0o700); err != nil { // letters, none accepted
		t.Fatal(err)
	}
	for _, c := range []struct{ j, from, to, want string }{
		{"town", "", "", "town0 town1 town2"}, {"town", "2024-09-26", "", "town1 town2"}, {"town", "", "2024-09-26", "town0 town1"},
		{"other", "2024-09-26", "2024-09-26", "other1"}, {"town", "2024-09-28", "", ""}, {"nowhere", "", "", ""},
	} {
		list, torn, err := a.Read(c.j, civil.MustParse(c.from), civil.MustParse(c.to))
		if err != nil || len(torn) != 0 {
			t.Fatal(torn, err)
		}
		var got []string
		for _, acc := range list {
			got = append(got, acc.Notice)
			if acc.Jurisdiction != c.j || acc.Date.IsZero() {
				t.Errorf("%s: of %q, %s", acc.Notice, acc.Jurisdiction, acc.Date)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s..%s: %v, want %s", c.j, c.from, c.to, got, c.want)
		}
	}
}

func TestATornLineLosesNothingButItself(t *testing.T) {
	whole := func(n int) string { return fmt.Sprintf(`{"notice":"n%d","reply":"ok"}`, n) }
	for name, c := range map[string]struct{ left, want, torn string }{
		"nothing there":              {"", "n9", "[]"},
		"whole lines":                {whole(1) + "\n", "n1 n9", "[]"},
		"cut within a line":          {whole(1) + "\n" + whole(2)[:20], "n1 n9", "[2]"},
		"cut within a character":     {whole(1) + "\n" + `{"notice":"n2","reply":"` + "\xe5", "n1 n9", "[2]"},
		"cut before the line's end":  {whole(1), "n1 n9", "[]"},
		"cut at the first letter":    {"{", "n9", "[1]"},
		"no break after a torn line": {whole(1)[:20] + whole(2) + "\n", "n2 n9", "[1]"},
		"empty lines":                {"\n\n" + whole(1) + "\n\n", "n1 n9", "[]"},
		"zeros of a power cut":       {whole(1) + "\n" + strings.Repeat("\x00", 30), "n1 n9", "[2]"},
		"other fields first":         {`{"reply":"ok","notice":"n1"}` + "\n", "n9", "[1]"},
	} {
		a := open(t, t.TempDir())
		path := filepath.Join(a.dir, "town", "2024-09-26", "accepted.jsonl")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.left), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := a.Accepted(Acceptance{Jurisdiction: "town", Date: day, Notice: "n9", Formal: true}); err != nil {
			t.Fatal(err)
		}
		list, torn, err := a.Read("town", day, day)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, acc := range list {
			got = append(got, acc.Notice)
		}
		lines := []int{}
		for _, piece := range torn {
			lines = append(lines, piece.Line)
		}
		if strings.Join(got, " ") != c.want || fmt.Sprint(lines) != c.torn {
			t.Errorf("%s: %v, torn %v; want %s, torn %s", name, got, lines, c.want, c.torn)
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"notice":"n1","reply":"ok"}`+"\n"), 10)
	f.Add([]byte("\n\x00{\"notice\":\"n1\"}{\"notice\":\"n2\"}"), 3)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		list, torn := parse(data)
		for _, acc := range list {
			if acc.Notice == "" {
				t.Error("an acceptance of no letter")
			}
		}
		if lines := strings.Count(string(data), "\n") + 1; len(list) > lines || len(torn) > lines {
			t.Errorf("%d acceptances and %d torn pieces in %d lines", len(list), len(torn), lines)
		}
		// Whatever a file holds, a line appended after it is read.
		line, err := json.Marshal(Acceptance{Notice: "last"})
		if err != nil {
			t.Fatal(err)
		}
		if cut = max(0, min(cut, len(data))); cut > 0 && data[cut-1] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
		after, _ := parse(append(append([]byte{}, data[:cut]...), line...))
		if len(after) == 0 || after[len(after)-1].Notice != "last" {
			t.Errorf("the line after %q was lost", data[:cut])
		}
	})
}
