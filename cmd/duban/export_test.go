package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/evidence"
	"duban/notify/notice"
)

// postedTown is a town whose letters of three days left, written into the folder; the archive's folder is empty.
func postedTown(t *testing.T) *desk {
	t.Helper()
	d := town(t, "2024-07-08")
	d.env["DUBAN_MAIL_ARCHIVE_DIR"] = filepath.Join(d.dir, "kept")
	for _, day := range []string{"2024-07-08", "2024-09-25", "2024-10-09"} {
		d.on(day)
		d.ok("run", "all")
	}
	return d
}

// zipped returns the files of a zip by name.
func zipped(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(data)
	}
	return out
}

func TestExportEvidence(t *testing.T) {
	d := postedTown(t)
	t.Chdir(d.dir)
	sent := map[string]bool{} // the letters of the folder
	for name, text := range d.letters() {
		if strings.Contains(name, "/jtj-") {
			sent[text] = true
		}
	}
	if len(sent) == 0 {
		t.Fatal("nothing was sent to jtj")
	}
	var out string
	d.unchanged(func() {
		out = d.ok("export", "evidence", "--unit", "jtj", "--from", "2024-07-01", "--to", "2024-12-31", "-o", "json")
	})
	got := lines(t, out)[0]
	const file = "evidence-town-jtj-2024-07-01-2024-12-31.zip"
	letters := d.objects("outbox", "list", "--unit", "jtj")
	want := fmt.Sprintf("%s town jtj 2024-07-01 2024-12-31 false %d %d", file, len(letters), len(lettersSent(letters)))
	if s := got.text("file", "jurisdiction", "unit", "from", "to", "verified", "letters", "accepted"); s != want || got["absent"] != 0.0 {
		t.Errorf("%s, absent %v; want %s", s, got["absent"], want)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	found := 0
	for name, text := range zipped(t, file) {
		if strings.HasPrefix(name, "letters/") {
			found++
			if !sent[text] {
				t.Errorf("%s was not sent to the unit", name)
			}
		}
	}
	if found != len(sent) {
		t.Errorf("%d letters in the package, %d were sent", found, len(sent))
	}
	if text := zipped(t, file)["README.txt"]; !strings.Contains(text, "示例市（town）") || !strings.Contains(text, "市交通运输局（jtj）") {
		t.Error(text)
	}

	// Checking it needs no database, and gives the same counts and head.
	d.env["DUBAN_DATABASE_DSN"] = "mysql://nobody@nowhere.invalid/none"
	checked := d.objects("export", "evidence", "--verify", file)[0]
	keys := []string{"letters", "attempts", "accepted", "absent", "moves", "files", "head"}
	if checked.text(keys...) != got.text(keys...) || checked["verified"] != true {
		t.Errorf("%v, written as %v", checked, got)
	}
	people := d.ok("export", "evidence", "--verify", file)
	if !strings.Contains(people, fmt.Sprintf("%v accepted, 0 without their bytes\nhead %s\n", got["accepted"], got["head"])) || !strings.Contains(people, "compare the head") {
		t.Error(people)
	}

	// One byte of a letter changed in its place.
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte("Message-ID:"))
	b[at+20] ^= 1
	if err := os.WriteFile("changed.zip", b, 0o600); err != nil {
		t.Fatal(err)
	}
	d.fails(exitFailed, []string{"export", "evidence", "--verify", "changed.zip"}, "changed.zip", "letters/2024-", "is changed")
	d.fails(exitFailed, []string{"export", "evidence", "--verify", d.file("no.zip", "no package")}, "no.zip", "not a package")
}

func lettersSent(rows []object) []object {
	return slices.DeleteFunc(slices.Clone(rows), func(o object) bool { return o["state"] != "sent" })
}

func TestExportEvidenceSaysTheSameTwice(t *testing.T) {
	d := postedTown(t)
	var all [][]byte
	for _, name := range []string{"one.zip", "two.zip"} {
		path := filepath.Join(d.dir, name)
		out := d.ok("export", "evidence", "--unit", "jtj", "--from", "2024-09-01", "--to", "2024-12-31", "--jurisdiction", "town", "--out", path)
		if !strings.HasPrefix(out, path+"  written\n") || !strings.Contains(out, "\nhead ") || !strings.Contains(out, "--verify "+path) {
			t.Error(out)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	if !bytes.Equal(all[0], all[1]) {
		t.Error("two exports of the same letters differ")
	}
}

func TestExportEvidencePrefersTheArchive(t *testing.T) {
	d := postedTown(t)
	row := lettersSent(d.objects("outbox", "list", "--unit", "jtj"))[0]
	id, day := row.text("id"), row.text("date")
	counts := func(name string) (string, map[string]string) {
		path := filepath.Join(d.dir, name)
		o := d.objects("export", "evidence", "--unit", "jtj", "--from", day, "--to", day, "--out", path)[0]
		return o.text("letters", "absent"), zipped(t, path)
	}
	// What the program composed in those days it does not compose any more.
	then := []byte("Subject: =?UTF-8?B?5pen5qC35byP?=\r\n\r\nas it was written then\r\n")
	d.change(fmt.Sprintf("UPDATE attempts SET sha256 = '%s' WHERE notice = '%s'", evidence.Sum(then), id))
	got, files := counts("gone.zip")
	if got != "1 1" || strings.Contains(fmt.Sprint(files), "as it was written then") || !strings.Contains(files["receipts.jsonl"], `"absent":"the archive does not`) {
		t.Errorf("%s: %s", got, files["receipts.jsonl"])
	}
	if _, err := os.Stat(filepath.Join(d.dir, "kept")); !os.IsNotExist(err) {
		t.Errorf("looking for an archive made one: %v", err)
	}
	kept, err := archive.Open(filepath.Join(d.dir, "kept"))
	if err != nil {
		t.Fatal(err)
	}
	msg := compose.Message{
		ID: "<" + id + "@sfj.example>", Bytes: then, Key: notice.Key{Jurisdiction: "town", Date: civil.MustParse(day), Unit: "jtj"},
	}
	if err := kept.Put(msg, sha256.Sum256(msg.Bytes)); err != nil {
		t.Fatal(err)
	}
	got, files = counts("kept.zip")
	name := "letters/" + day + "-" + id + "-" + evidence.Sum(then)[:12] + ".eml"
	if got != "1 0" || files[name] != string(then) || !strings.Contains(files["letters.jsonl"], `"subject":"旧样式"`) {
		t.Errorf("%s: %q\n%s", got, files[name], files["letters.jsonl"])
	}
	// An archive that was tampered with is no archive.
	path := filepath.Join(d.dir, "kept", "town", day, id+"-"+evidence.Sum(then)[:12]+".eml")
	if err := os.WriteFile(path, []byte("forged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, files = counts("forged.zip"); got != "1 1" || strings.Contains(fmt.Sprint(files), "forged") {
		t.Errorf("%s: %v", got, files)
	}
	d.env["DUBAN_MAIL_ARCHIVE_DIR"] = ""
	if got, _ = counts("off.zip"); got != "1 1" {
		t.Errorf("archive off: %s", got)
	}
}

// A folder of letters is its own archive: what the settings of today do not compose any more is still there.
func TestExportEvidenceReadsTheFolderOfLetters(t *testing.T) {
	d := postedTown(t)
	d.env["DUBAN_MAIL_FROM_ADDRESS"] = "other@sfj.example"
	d.env["DUBAN_MAIL_MESSAGE_ID_DOMAIN"] = "other.example"
	absent := func(name string) any {
		o := d.objects("export", "evidence", "--unit", "jtj", "--from", "2024-07-01", "--to", "2024-12-31", "--out", filepath.Join(d.dir, name))[0]
		if o["accepted"] == 0.0 {
			t.Errorf("%v", o)
		}
		return o["absent"]
	}
	if n := absent("there.zip"); n != 0.0 {
		t.Errorf("%v absent", n)
	}
	d.env["DUBAN_MAIL_DIR"] = filepath.Join(d.dir, "elsewhere")
	if n := absent("gone.zip"); n == 0.0 {
		t.Error("what is nowhere was found")
	}
}

// All that ever became of a letter is told, not only the last of it.
func TestExportEvidenceTellsTheWholeHistory(t *testing.T) {
	d := postedTown(t)
	row := lettersSent(d.objects("outbox", "list", "--unit", "jtj"))[0]
	id, day := row.text("id"), row.text("date")
	d.change("UPDATE attempts SET n = n + 1 WHERE notice = '" + id + "'")
	d.change("INSERT INTO attempts SELECT dated, notice, 1, recipient, email, is_copy, 'temporary', 'greylisted', sha256, answered_at, 'earlier', " +
		"'recipient', 451, '4.7.1', bytes, 1234, 'w7', template, calendar, policy FROM attempts WHERE notice = '" + id + "' AND recipient = 0")
	d.change("INSERT INTO moves VALUES ('" + id + "', 1, '2024-09-25 01:00:00.000', 'retry', 'retry', 'hasten', '对方已放行', '李敏')")
	path := filepath.Join(d.dir, "x.zip")
	o := d.objects("export", "evidence", "--unit", "jtj", "--from", day, "--to", day, "--out", path)[0]
	if o["attempts"] != o["accepted"].(float64)+1 || o["moves"] != 1.0 || o["absent"] != 0.0 {
		t.Errorf("%v", o)
	}
	files := zipped(t, path)
	first, _, _ := strings.Cut(files["receipts.jsonl"], "\n")
	for _, want := range []string{`"n":1,"recipient":0`, `"outcome":"temporary","phase":"recipient","code":451,"enhanced":"4.7.1","reply":"greylisted"`, `"took_ms":1234,"worker":"w7"`, `"file":"letters/`} {
		if !strings.Contains(first, want) {
			t.Errorf("the first attempt lacks %s: %s", want, first)
		}
	}
	if got := files["moves.jsonl"]; !strings.Contains(got, `"cause":"hasten","reason":"对方已放行","by":"李敏"`) {
		t.Error(got)
	}
	d.ok("export", "evidence", "--verify", path)
}

// A letter of a trial run is composed anew as the trial's, whatever the settings are now.
func TestExportEvidenceOfATrialRun(t *testing.T) {
	d := town(t, "2024-07-08")
	d.env["DUBAN_MAIL_REDIRECT_TO"] = "trial@sfj.example"
	d.ok("run", "all")
	d.on("2024-09-25")
	d.ok("run", "all")
	delete(d.env, "DUBAN_MAIL_REDIRECT_TO")
	path := filepath.Join(d.dir, "trial.zip")
	o := d.objects("export", "evidence", "--unit", "jtj", "--from", "2024-07-01", "--to", "2024-12-31", "--out", path)[0]
	if o["absent"] != 0.0 || o["accepted"] == 0.0 || o["trial"] != o["accepted"] {
		t.Errorf("%v", o)
	}
	if out := d.ok("export", "evidence", "--verify", path); !strings.Contains(out, "in a trial run: the unit never had them") {
		t.Error(out)
	}
	files := zipped(t, path)
	if !strings.Contains(files["receipts.jsonl"], `"to":"trial@sfj.example"`) || !strings.Contains(files["letters.jsonl"], "【试运行】") {
		t.Errorf("%s\n%s", files["receipts.jsonl"], files["letters.jsonl"])
	}
}

// Letters keep the code they went out under, whatever became of the unit.
func TestExportEvidenceFindsTheUnit(t *testing.T) {
	d := postedTown(t)
	d.ok("import", "units", d.file("city.csv", edited(t, townUnits, "行政区域代码,town", "行政区域代码,city")))
	d.change("UPDATE units SET removed = 1 WHERE jurisdiction = 'town' AND code = 'jtj'") // merged into another
	args := []string{"export", "evidence", "--unit", "jtj", "--from", "2024-07-01", "--to", "2024-12-31"}
	d.fails(exitUsage, args, "city and town", "--jurisdiction")
	t.Chdir(d.dir)
	for code, some := range map[string]bool{"town": true, "city": false} {
		o := d.objects(append(args, "--jurisdiction", code)...)[0]
		file := "evidence-" + code + "-jtj-2024-07-01-2024-12-31.zip"
		if o.text("file", "jurisdiction") != file+" "+code || (o["letters"] != 0.0) != some {
			t.Errorf("%s: %v", code, o)
		}
		if text := zipped(t, file)["README.txt"]; strings.Contains(text, "没有发给该单位的函件") == some {
			t.Error(text)
		}
		d.ok("export", "evidence", "--verify", file)
	}
}

func TestExportEvidenceRefuses(t *testing.T) {
	d := postedTown(t)
	taken := d.file("taken.zip", "mine")
	ok := []string{"--unit", "jtj", "--from", "2024-07-01", "--to", "2024-12-31"}
	with := func(args ...string) []string { return append([]string{"export", "evidence"}, args...) }
	for _, c := range []struct {
		args []string
		want string
	}{
		{with(), "--unit is missing"},
		{with("--unit", "jtj"), "--from is missing"},
		{with("--unit", "jtj", "--from", "2024-07-01"), "--to is missing"},
		{with("--unit", " ", "--from", "2024-07-01", "--to", "2024-12-31"), "--unit is missing"},
		{with("--unit", "nobody", "--from", "2024-07-01", "--to", "2024-12-31"), `no unit "nobody"`},
		{with("--unit", "jtj", "--from", "2024-02-30", "--to", "2024-12-31"), "--from"},
		{with("--unit", "jtj", "--from", "2024-07-01", "--to", "31.12.2024"), "--to"},
		{with("--unit", "jtj", "--from", "2024-07-02", "--to", "2024-07-01"), "--from 2024-07-02 lies after --to 2024-07-01"},
		{with(append(ok, "--jurisdiction", "nowhere")...), "nowhere"},
		{with(append(ok, "--out", taken)...), "is there already"},
		{with(append(ok, "--verify", taken)...), "no other flag"},
		{with("--verify", ""), "--verify"},
		{with("--verify", filepath.Join(d.dir, "none.zip")), "no such file"},
		{with(append(ok, "more")...), "too much"},
		{[]string{"export", "evidenc"}, "did you mean evidence"},
	} {
		d.fails(exitUsage, c.args, c.want)
	}
	d.fails(exitFailed, with(append(ok, "--out", filepath.Join(d.dir, "none", "x.zip"))...), "none")
	if b, err := os.ReadFile(taken); err != nil || string(b) != "mine" {
		t.Errorf("the file was overwritten: %q, %v", b, err)
	}
	left, err := filepath.Glob(filepath.Join(d.dir, ".duban-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWriteNewLeavesNothingHalf(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.zip")
	sick := errors.New("the disk is full")
	half := func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, sick)
	}
	if err := writeNew(path, half); !errors.Is(err, sick) {
		t.Errorf("got %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	// Somebody else's file takes the name while this one is written.
	late := func(w io.Writer) error { return os.WriteFile(path, []byte("theirs"), 0o600) }
	if err := writeNew(path, late); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "theirs" {
		t.Errorf("%q, %v", b, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}
