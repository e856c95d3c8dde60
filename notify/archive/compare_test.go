package archive

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duban/jobs/civil"
)

func TestDaysAndNewLines(t *testing.T) {
	a := open(t, t.TempDir())
	if days, err := a.Days("town"); err != nil || len(days) != 0 {
		t.Fatal(days, err)
	}
	later := day + 1
	for i, d := range []civil.Date{later, day, day} {
		if err := a.Accepted(Acceptance{Jurisdiction: "town", Date: d, Notice: fmt.Sprint("n", i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"notes", "2024-09-30"} { // no day; a day on which nothing was accepted
		if err := os.Mkdir(filepath.Join(a.dir, "town", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	days, err := a.Days("town")
	if err != nil || len(days) != 3 || days[0].Date != day || days[1].Date != later || days[0].Journal <= days[1].Journal || days[2].Journal != 0 {
		t.Fatal(days, err)
	}
	read := func(from int64) (string, int64) {
		t.Helper()
		list, end, err := a.ReadFrom("town", day, from)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, acc := range list {
			if acc.Jurisdiction != "town" || acc.Date != day {
				t.Errorf("%+v is of no day", acc)
			}
			ids = append(ids, acc.Notice)
		}
		return strings.Join(ids, " "), end
	}
	ids, end := read(0)
	if ids != "n1 n2" || end != days[0].Journal {
		t.Errorf("%s, %d of %d", ids, end, days[0].Journal)
	}
	path := filepath.Join(a.dir, "town", day.String(), journal)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"notice":"n8"}` + "\n" + `{"notice":"n9","repl`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ids, next := read(end)
	if ids != "n8" || next != end+int64(len(`{"notice":"n8"}`))+1 { // the line under way is left for later
		t.Errorf("%s, from %d to %d", ids, end, next)
	}
	if ids, last := read(next); ids != "" || last != next {
		t.Errorf("%s, %d", ids, last)
	}
}

func TestFilesAreListedAndRemoved(t *testing.T) {
	a := open(t, t.TempDir())
	for _, id := range []string{"0a1b", "ffff"} {
		msg := letter(id, "x"+id)
		if err := a.Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Accepted(Acceptance{Jurisdiction: "town", Date: day, Notice: "0a1b"}); err != nil {
		t.Fatal(err)
	}
	files, err := a.Files("town", day)
	if err != nil || len(files) != 2 || files[0].ID != "0a1b" || files[1].ID != "ffff" || files[0].Size != 5 {
		t.Fatal(files, err)
	}
	for range 2 { // the second time it is gone
		if err := a.Remove("town", day, files[0]); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := a.Files("town", day); err != nil || len(left) != 1 || left[0] != files[1] {
		t.Error(left, err)
	}
	if list, _, err := a.ReadFrom("town", day, 0); err != nil || len(list) != 1 {
		t.Error("the journal went with the letter", list, err)
	}
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "compose", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParseReadsWhatLeft(t *testing.T) {
	for name, want := range map[string][3]string{
		"monthly.eml":      {"【县司法局】9月25日前请报1项·提升行政执法质量三年行动·金庄镇", "　　1. 第6项 专项整治情况报告（2024年9月）：需报整治情况报告（台账原文“每月25日前”）。\n", "unit-letter"},
		"paper-form.eml":   {"【区司法局】10月10日前请反馈督办事项1项（已超9个工作日）·督办通知单·区交通运输局", "　　编号：崂法督〔2024〕12号\n", "supervision-form"},
		"paper-digest.eml": {"【督办日报9月26日】请处理4件；超期8项次、6家，5家已送达，1家未送达", "　　新增超期0，办结2项次，新申请延期1，新退信1。\n", "bureau-digest"},
	} {
		l, err := Parse(golden(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if l.Subject != want[0] || l.Kind != want[2] || !strings.Contains(l.Text, want[1]) || l.Notice == "" || l.Trial() || strings.Contains(l.Text, "\r") {
			t.Errorf("%s: %+v", name, l)
		}
	}
	for _, bad := range []string{"", "Subject: x\r\n", "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: a b c\r\n\r\nx\r\n--a--\r\n"} {
		if l, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%q was read: %+v", bad, l)
		}
	}
	trial := strings.Replace(string(golden(t, "monthly.eml")), "\r\nSubject: ", "\r\nSubject: =?UTF-8?B?44CQ6K+V6L+Q6KGM44CR?=\r\n ", 1)
	if l, err := Parse([]byte(trial)); err != nil || !l.Trial() {
		t.Errorf("a trial's letter is one: %q %v", l.Subject, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(golden(f, "monthly.eml"))
	f.Add(golden(f, "paper-form.eml"))
	f.Add([]byte("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E7=AC=AC"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if l, err := Parse(data); err == nil && strings.Contains(l.Text, "\r\n") {
			t.Errorf("%q", l.Text)
		}
	})
}
