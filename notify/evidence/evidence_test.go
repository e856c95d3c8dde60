package evidence

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
)

var (
	first = civil.MustParse("2024-09-01")
	last  = civil.MustParse("2024-09-30")
)

// mailOf is what a letter's copies look like.
func mailOf(text string) []byte {
	return []byte("From: duban@sfj.example\r\nSubject: =?UTF-8?B?5bel5L2c5o+Q56S6?=\r\n\r\n" + text + "\r\n")
}

func letterOf(day, text string, attempts ...notice.Receipt) Letter {
	key := notice.Key{Jurisdiction: "town", Date: civil.MustParse(day), Unit: "jtj", Role: "liaison", Kind: notice.UnitLetter}
	l := Letter{
		Notice: notice.Notice{
			ID: key.ID(), Key: key, Job: "remind", State: notice.Sent,
			Facts: notice.Facts{
				Jurisdiction: "示例市", Date: key.Date, Reader: notice.Reader{Code: "jtj", Name: "市交通运输局"},
				Recipients: []notice.Recipient{{Role: "liaison", Email: "zhang@jtj.example"}, {Role: "deputy", Email: "zhao@jtj.example", Copy: true}},
				Overdue:    []notice.Item{{Ref: "town/zl2024/1/jtj/m1", Row: "1", Title: "执法事项目录编制 <一>", Due: key.Date - 2, Late: 2, Step: "T+2", Rung: "urging"}},
				Standing:   []notice.Item{{Ref: "town/zl2024/9/jtj/m1", Row: "9", Title: "持证上岗"}},
			},
		},
		Subject: "composed anew",
	}
	for _, r := range attempts {
		if r.SHA256 == "" && r.Phase != notice.PhaseCompose {
			r.SHA256, r.Bytes = Sum(mailOf(text)), len(mailOf(text))
		}
		r.Email, r.Copy = l.Notice.Facts.Recipients[r.Recipient].Email, l.Notice.Facts.Recipients[r.Recipient].Copy
		l.Attempts = append(l.Attempts, r)
	}
	return l
}

func receipt(recipient int, o notice.Outcome, phase notice.Phase, code int, reply string) notice.Receipt {
	return notice.Receipt{
		Recipient: recipient, Outcome: o, Phase: phase, Code: code, Reply: reply, Took: 1500 * time.Microsecond, Worker: "w1",
		At:       time.Date(2024, 9, 26, 9, 0, 0, 0, time.FixedZone("CST", 8*3600)),
		Versions: notice.Versions{Template: "t1", Calendar: "c1", Policy: "p1"},
	}
}

// input is four letters: one to two readers after a greylisting, one whose bytes are gone, one that was never composed,
// one that was taken over.
func input() Input {
	one := letterOf("2024-09-26", "one",
		receipt(0, notice.OutcomeTemporary, notice.PhaseRecipient, 451, "try again"),
		receipt(0, notice.OutcomeAccepted, notice.PhaseAnswer, 250, "queued"), receipt(1, notice.OutcomeAccepted, notice.PhaseAnswer, 250, "queued"))
	gone := letterOf("2024-09-25", "gone", receipt(0, notice.OutcomeAccepted, notice.PhaseAnswer, 250, "queued"))
	refused := letterOf("2024-09-27", "refused", receipt(0, notice.OutcomePermanent, notice.PhaseCompose, 0, "no address"))
	refused.Notice.State, refused.Notice.Reason = notice.Cancelled, "the unit was told by telephone"
	refused.Moves = []notice.Move{{
		Notice: refused.Notice.ID, N: 1, At: time.Date(2024, 9, 27, 10, 0, 0, 0, time.UTC), From: notice.Failed, To: notice.Cancelled,
		Cause: notice.Cancel, Reason: refused.Notice.Reason, By: "李敏",
	}}
	over := letterOf("2024-09-24", "")
	over.Notice.State, over.Notice.SupersededBy = notice.Superseded, gone.Notice.ID
	return Input{
		Jurisdiction: "town", Unit: "jtj", From: first, To: last, Letters: []Letter{one, gone, refused, over},
		Bytes: func(n notice.Notice, _ notice.Receipt) ([]byte, error) {
			if n.ID == one.Notice.ID {
				return mailOf("one"), nil
			}
			return nil, fmt.Errorf("look for it: %w", fs.ErrNotExist)
		},
	}
}

func write(t testing.TB, in Input) ([]byte, Summary) {
	t.Helper()
	var b bytes.Buffer
	sum, err := Write(&b, in)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), sum
}

func check(b []byte) (Summary, error) { return Verify(bytes.NewReader(b), int64(len(b))) }

// entry is one file of a package.
type entry struct {
	name string
	data []byte
}

func unpack(t testing.TB, b []byte) (out []entry) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		out = append(out, entry{f.Name, data})
	}
	return out
}

// pack is what another program would make of the files: compressed, with today's dates.
func pack(t testing.TB, files []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: time.Unix(1.7e9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func find(t testing.TB, files []entry, name string) *entry {
	t.Helper()
	for i := range files {
		if strings.HasPrefix(files[i].name, name) {
			return &files[i]
		}
	}
	t.Fatalf("no %s in the package", name)
	return nil
}

func TestPackageHoldsWhatTheUnitWasSent(t *testing.T) {
	in := input()
	b, sum := write(t, in)
	want := Summary{Letters: 4, Attempts: 5, Accepted: 3, Absent: 1, Moves: 1, Files: 5, Head: sum.Head}
	if sum != want || len(sum.Head) != 64 {
		t.Errorf("written: %+v, want %+v", sum, want)
	}
	if got, err := check(b); err != nil || got != want {
		t.Errorf("verified: %+v, %v", got, err)
	}
	files := unpack(t, b)
	var names []string
	for _, e := range files {
		names = append(names, e.name)
	}
	id := in.Letters[0].Notice.ID
	eml := "letters/2024-09-26-" + id + "-" + Sum(mailOf("one"))[:12] + ".eml"
	if want := []string{eml, "letters.jsonl", "receipts.jsonl", "moves.jsonl", "README.txt", "manifest.jsonl", "manifest.sha256"}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	if got := find(t, files, eml).data; !bytes.Equal(got, mailOf("one")) {
		t.Errorf("the letter was changed: %q", got)
	}
	first, _, _ := strings.Cut(string(find(t, files, "receipts.jsonl").data), "\n")
	wantLine := `{"notice":"` + in.Letters[1].Notice.ID + `","date":"2024-09-25","n":1,"recipient":0,"role":"liaison","copy":false,"to":"zhang@jtj.example","trial":false,` +
		`"outcome":"accepted","phase":"answer","code":250,"enhanced":"","reply":"queued","sha256":"` + Sum(mailOf("gone")) + fmt.Sprintf(`","bytes":%d,`, len(mailOf("gone"))) +
		`"took_ms":1,"worker":"w1","at":"2024-09-26T01:00:00Z","template":"t1","calendar":"c1","policy":"p1","file":"","absent":"` + absentBytes + `"}`
	if first != wantLine {
		t.Errorf("receipt\n%s\nwant\n%s", first, wantLine)
	}
	subjects := map[string]string{}
	for line := range bytes.Lines(find(t, files, "letters.jsonl").data) {
		var row letterRow
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		subjects[row.Key.Date.String()] = row.Subject
		if len(row.Items) != 2 || row.Items[0].Ref != "town/zl2024/1/jtj/m1" || row.Items[1].Part != "standing" {
			t.Errorf("items %+v", row.Items)
		}
	}
	if got := fmt.Sprint(subjects); got != "map[2024-09-24:composed anew 2024-09-25:composed anew 2024-09-26:工作提示 2024-09-27:composed anew]" {
		t.Errorf("subjects: %s", got)
	}
	text := string(find(t, files, "README.txt").data)
	for _, want := range []string{"区域：示例市（town）\r\n", "单位：市交通运输局（jtj）\r\n", "2024-09-01 至 2024-09-30", "函件 4 封；投递 5 次", "接收 3 次", "有 1 次投递的邮件原文不在包内", "sha256sum -c manifest.sha256"} {
		if !strings.Contains(text, want) {
			t.Errorf("README.txt lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "<no value>") || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		t.Errorf("README.txt:\n%s", text)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	one, _ := write(t, input())
	in := input()
	slices.Reverse(in.Letters)
	for i := range in.Letters {
		for j, r := range in.Letters[i].Attempts {
			in.Letters[i].Attempts[j].At = r.At.UTC()
		}
	}
	if two, _ := write(t, in); !bytes.Equal(one, two) {
		t.Error("the order of the letters, or a zone, changed the package")
	}
	in.Letters[0].Notice.Reason += "."
	if two, _ := write(t, in); bytes.Equal(one, two) {
		t.Error("another reason made the same package")
	}
}

func TestPackageOfNothing(t *testing.T) {
	b, sum := write(t, Input{Jurisdiction: "town", Unit: "jtj", From: first, To: last, Bytes: input().Bytes})
	if want := (Summary{Files: 4, Head: sum.Head}); sum != want {
		t.Errorf("nothing was sent: %+v", sum)
	}
	if got, err := check(b); err != nil || got != sum {
		t.Errorf("%+v, %v", got, err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if f.Method != zip.Store || f.Flags&0x8 != 0 || f.Modified.UTC().Format(time.DateTime) != "2024-09-30 00:00:00" {
			t.Errorf("%s: method %d, flags %x, %s", f.Name, f.Method, f.Flags, f.Modified.UTC())
		}
	}
	if got := string(find(t, unpack(t, b), "README.txt").data); !strings.Contains(got, "没有发给该单位的函件") || !strings.Contains(got, "单位：jtj\r\n") {
		t.Error(got)
	}
}

// What went to the mailbox of a trial run told the unit nothing, and the package says so.
func TestATrialRunIsNoNotice(t *testing.T) {
	in := input()
	in.Letters[0].Attempts[1].Email = "trial@sfj.example" // accepted
	in.Letters[0].Attempts[0].Email = "trial@sfj.example" // not accepted
	in.Letters[1].Notice.Facts.Recipients[0].Email = "zhang@交通.example"
	in.Letters[1].Attempts[0].Email = "zhang@xn--tlqv90n.example" // the same address in an envelope
	b, sum := write(t, in)
	if got, err := check(b); err != nil || got != sum || sum.Accepted != 3 || sum.Trial != 1 {
		t.Errorf("%+v, %+v, %v", sum, got, err)
	}
	files := unpack(t, b)
	if text := string(find(t, files, readmeFile).data); !strings.Contains(text, "接收的 3 次中，有 1 次属于试运行") {
		t.Error(text)
	}
	if n := strings.Count(string(find(t, files, receiptsFile).data), `"trial":true`); n != 2 {
		t.Errorf("%d attempts of a trial run", n)
	}
	if b, _ := write(t, input()); strings.Contains(string(find(t, unpack(t, b), readmeFile).data), "试运行") {
		t.Error("a trial run is spoken of where there was none")
	}
}

func TestSha256sumReadsTheSums(t *testing.T) {
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Fatal("the README tells people to use sha256sum, and it is not here:", err)
	}
	dir := t.TempDir()
	b, _ := write(t, input())
	for _, e := range unpack(t, b) {
		path := filepath.Join(dir, filepath.FromSlash(e.name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, e.data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	sums := func() (string, error) {
		c := exec.CommandContext(t.Context(), tool, "-c", "--strict", "manifest.sha256")
		c.Dir, c.Env = dir, append(os.Environ(), "LC_ALL=C")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := sums(); err != nil || strings.Count(out, ": OK\n") != 6 {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "moves.jsonl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := sums(); err == nil || !strings.Contains(out, "moves.jsonl: FAILED") {
		t.Errorf("a changed file passed:\n%s", out)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, change := range map[string]func(*Input){
		"no unit":            func(in *Input) { in.Unit = "" },
		"no jurisdiction":    func(in *Input) { in.Jurisdiction = "" },
		"no first day":       func(in *Input) { in.From = 0 },
		"days the wrong way": func(in *Input) { in.From, in.To = in.To, in.From },
		"no source":          func(in *Input) { in.Bytes = nil },
		"another unit's":     func(in *Input) { in.Letters[1].Notice.Key.Unit = "csj" },
		"another town's":     func(in *Input) { in.Letters[1].Notice.Key.Jurisdiction = "other" },
		"a letter after":     func(in *Input) { in.To = civil.MustParse("2024-09-26") },
		"a letter before":    func(in *Input) { in.From = civil.MustParse("2024-09-25") },
		"a letter twice":     func(in *Input) { in.Letters = append(in.Letters, in.Letters[0]) },
		"a source that is sick": func(in *Input) {
			in.Bytes = func(notice.Notice, notice.Receipt) ([]byte, error) { return nil, fs.ErrPermission }
		},
	} {
		in := input()
		change(&in)
		if sum, err := Write(io.Discard, in); err == nil || sum != (Summary{}) {
			t.Errorf("%s: %+v, %v", name, sum, err)
		}
	}
	if _, err := Write(full{}, input()); err == nil {
		t.Error("a full disk went unnoticed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWhatIsNotThereIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Input)
		absent int
	}{
		"other bytes than the receipt's": {func(in *Input) {
			in.Bytes = func(notice.Notice, notice.Receipt) ([]byte, error) { return []byte("forged"), nil }
		}, 4},
		"accepted without a hash":            {func(in *Input) { in.Letters[1].Attempts[0].SHA256 = "" }, 1},
		"unknown without a hash":             {func(in *Input) { r := &in.Letters[1].Attempts[0]; r.SHA256, r.Outcome = "", notice.OutcomeUnknown }, 1},
		"nothing handed over":                {func(in *Input) { r := &in.Letters[1].Attempts[0]; r.SHA256, r.Outcome = "", notice.OutcomeTemporary }, 0},
		"a recipient the letter has not got": {func(in *Input) { in.Letters[0].Attempts[0].Recipient = 9 }, 1},
	} {
		in := input()
		c.change(&in)
		b, sum := write(t, in)
		if sum.Absent != c.absent {
			t.Errorf("%s: %d absent, want %d", name, sum.Absent, c.absent)
		}
		if got, err := check(b); err != nil || got != sum {
			t.Errorf("%s: verified as %+v, %v", name, got, err)
		}
		if bytes.Contains(b, []byte("forged")) {
			t.Errorf("%s: the package holds what was not sent", name)
		}
	}
}
