package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/notify/archive"
	"duban/store/storetest"
)

// digestUnit is whom the town's digest goes to.
const digestUnit = "sfj"

// restored is a town whose database was put back to the day before its last letters left, and reconciled with the archive. It
// returns the letters that left to the bureau by their IDs: the digest tells of a report that came in after the backup.
func restored(t *testing.T, e storetest.Engine) (d *desk, archived string, said map[string]object) {
	t.Helper()
	d, dsn, _ := posted(t, e)
	backup := d.backup(e, dsn)
	d.on("2024-09-25")
	d.ok("obligations", "report", item("1/csj/m1"), "--by", "李敏")
	d.ok("run", "all")
	said = map[string]object{}
	for _, o := range d.objects("outbox", "list", "--from", "2024-09-25", "--unit", digestUnit, "--state", "sent") {
		said[o.text("id")] = d.letter(o.text("id"))
	}
	if len(said) == 0 {
		t.Fatal("nothing left")
	}
	for _, o := range said {
		if o.text("source") != asComposed || o["note"] != nil || o["archived"] != nil {
			t.Errorf("a letter as it was sent: %v", o.text("source", "note", "archived"))
		}
	}
	d.env["DUBAN_DATABASE_DSN"] = urlOf(backup)
	archived = d.env["DUBAN_MAIL_ARCHIVE_DIR"]
	d.ok("outbox", "reconcile", "--by", "王主任")
	return d, archived, said
}

func TestAProvenLetterShowsWhatWasSent(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, archived, said := restored(t, e)
			others := 0
			for id, was := range said {
				is := d.letter(id)
				if is.text("subject", "text") != was.text("subject", "text") {
					t.Errorf("it said\n%s\nand is shown as\n%s", was.text("text"), is.text("text"))
				}
				sum := object(is["receipts"].([]any)[0].(map[string]any)).text("sha256")
				rel := archive.Path("town", civil.MustParse("2024-09-25"), id, sum)
				path := filepath.Join(archived, filepath.FromSlash(rel))
				if is.text("source") == asComposed {
					continue
				}
				others++
				if is.text("source") != asArchived || is.text("archived") != path || !strings.Contains(is.text("note"), "what was sent, as "+path) {
					t.Errorf("%v", is.text("source", "archived", "note"))
				}
				if out := d.ok("outbox", "show", id); !strings.Contains(out, is.text("note")) || !strings.Contains(out, is.text("text")) {
					t.Error(out)
				}
				// Without the archive, and with one that lost the file.
				d.env["DUBAN_MAIL_ARCHIVE_DIR"] = filepath.Join(d.dir, "nowhere")
				away := d.letter(id)
				if away.text("source", "archived") != asAnew+" "+rel || away.text("text") == was.text("text") ||
					!strings.Contains(away.text("note"), "planned anew after the restore") || !strings.Contains(away.text("note"), "--archive DIR names its folder") {
					t.Errorf("%v", away.text("source", "archived", "note"))
				}
				if named := d.objects("outbox", "show", id, "--archive", archived)[0]; named.text("source", "text") != is.text("source", "text") {
					t.Errorf("with --archive: %v", named.text("source", "note"))
				}
				d.fails(exitUsage, []string{"outbox", "show", id, "--archive", filepath.Join(archived, "nowhere")}, "is no archive's folder")
				empty := d.objects("outbox", "show", id, "--archive", t.TempDir())[0]
				if empty.text("source") != asAnew || !strings.Contains(empty.text("note"), "should hold these as") {
					t.Errorf("%v", empty.text("source", "note"))
				}
				d.env["DUBAN_MAIL_ARCHIVE_DIR"] = archived
			}
			if others == 0 {
				t.Error("every letter was planned anew as it was: the story proves nothing")
			}
		})
	}
}

func TestEvidenceOfAProvenLetterIsWhatWasSent(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, archived, said := restored(t, e)
			export := func(name string, more ...string) (object, map[string]string) {
				path := filepath.Join(d.dir, name)
				args := append([]string{"export", "evidence", "--unit", digestUnit, "--from", "2024-09-25", "--to", "2024-09-25", "--out", path}, more...)
				return d.objects(args...)[0], zipped(t, path)
			}
			o, files := export("whole.zip")
			if o.text("absent", "planned_anew") == "" || o.text("absent") != "0" || o.text("planned_anew") == "<nil>" {
				t.Errorf("%v", o)
			}
			if !strings.Contains(files["letters.jsonl"], `"planned_anew":true`) || !strings.Contains(files["README.txt"], "数据库曾由备份恢复") {
				t.Errorf("%s\n%s", files["letters.jsonl"], files["README.txt"])
			}
			for id, was := range said {
				found := false
				for name, data := range files {
					if strings.HasPrefix(name, "letters/2024-09-25-"+id) {
						l, err := archive.Parse([]byte(data))
						found = err == nil && l.Text == was.text("text")
					}
				}
				if !found {
					t.Errorf("what was sent of %s is not in it", id)
				}
				if !strings.Contains(files["letters.jsonl"], was.text("subject")) {
					t.Errorf("the subject is another: %s", files["letters.jsonl"])
				}
			}
			if again := d.objects("export", "evidence", "--verify", filepath.Join(d.dir, "whole.zip"))[0]; again.text("planned_anew", "head") != o.text("planned_anew", "head") {
				t.Errorf("checked: %v", again)
			}
			// The archive was moved away; its folder can be named.
			d.env["DUBAN_MAIL_ARCHIVE_DIR"] = filepath.Join(d.dir, "nowhere")
			if o, _ := export("lacking.zip"); o.text("absent") == "0" {
				t.Errorf("%v", o)
			}
			moved := filepath.Join(t.TempDir(), "moved")
			if err := os.Rename(archived, moved); err != nil {
				t.Fatal(err)
			}
			if named, _ := export("named.zip", "--archive", moved); named.text("absent") != "0" {
				t.Errorf("%v", named)
			}
		})
	}
}

// TestALetterWhoseFactsWereRemovedSaysSo: after the housekeeping a letter says that and when what it said was removed, and the
// archive's bytes are shown where they are at hand.
func TestALetterWhoseFactsWereRemovedSaysSo(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, _ := posted(t, e)
			d.on("2024-09-25")
			d.ok("run", "all")
			alter(t, behind(t, dsn), "UPDATE runs SET started = '2024-09-25 01:30:00.000', finished = '2024-09-25 01:30:01.000' WHERE job <> 'open' OR logical_date <> '2024-09-25'")
			was := map[string]object{}
			for _, o := range d.objects("outbox", "list") {
				was[o.text("id")] = d.letter(o.text("id"))
			}
			d.env["DUBAN_RETENTION_FACTS"], d.env["DUBAN_RETENTION_ATTEMPTS"] = "400", "400"
			d.on("2029-09-25")
			d.ok("housekeeping")
			archived := d.env["DUBAN_MAIL_ARCHIVE_DIR"]
			gone := map[string]bool{}
			for _, o := range d.objects("outbox", "list") {
				id := o.text("id")
				is := d.letter(id)
				if o["removed"] == nil {
					if is.text("source", "text") != was[id].text("source", "text") {
						t.Errorf("%s was not removed, and is shown otherwise: %v", id, is.text("source", "note"))
					}
					continue
				}
				gone[id] = true
				if o.text("removed") != "2029-09-25" || is.text("source", "subject", "text") != asArchived+" "+was[id].text("subject", "text") {
					t.Errorf("%v: %v", o, is.text("source", "text"))
				}
				if !strings.Contains(is.text("note"), "was removed on 2029-09-25 by the rule of retention") || !strings.Contains(is.text("note"), is.text("archived")+" has what was sent") {
					t.Errorf("%v", is.text("note"))
				}
				if _, err := os.Stat(is.text("archived")); err != nil {
					t.Error(err)
				}
				// Without the archive nothing is made up.
				d.env["DUBAN_MAIL_ARCHIVE_DIR"] = filepath.Join(d.dir, "nowhere")
				away := d.letter(id)
				if away.text("source", "subject", "text") != asRemoved+"  " || !strings.Contains(away.text("note"), "/"+id+"-") || !strings.Contains(away.text("note"), "--archive DIR") {
					t.Errorf("%v", away.text("source", "note", "text"))
				}
				out := d.ok("outbox", "show", id)
				if strings.Contains(out, "【") || !strings.HasSuffix(strings.TrimSpace(out), "names its folder") {
					t.Errorf("%q", out)
				}
				d.env["DUBAN_MAIL_ARCHIVE_DIR"] = archived
			}
			if len(gone) == 0 || len(gone) == len(was) {
				t.Fatalf("%d of %d letters were removed", len(gone), len(was))
			}
			if out := d.ok("outbox", "list"); strings.Count(out, "removed by retention.facts, 2029-09-25") != len(gone) {
				t.Error(out)
			}
			shown := 0
			for _, o := range d.objects("preview", "--from", "2024-09-24", "--to", "2024-09-25") {
				if gone[o.text("id")] {
					shown++
					if o.text("subject", "removed") != " 2029-09-25" || !strings.Contains(o.text("reason"), "was removed on 2029-09-25") || !strings.Contains(o.text("reason"), archived) {
						t.Errorf("previewed as %v", o)
					}
				}
			}
			if shown != len(gone) {
				t.Errorf("%d of %d are in the preview", shown, len(gone))
			}
			box := filepath.Join(t.TempDir(), "box")
			if out := d.ok("preview", "--from", "2024-09-24", "--to", "2024-09-25", "--html", box); !strings.Contains(out, "letters are not in it") {
				t.Error(out)
			}
			for id := range gone {
				unit := was[id].text("unit")
				path := filepath.Join(t.TempDir(), "old.zip")
				o := d.objects("export", "evidence", "--unit", unit, "--from", "2024-09-24", "--to", "2024-09-25", "--out", path)[0]
				files := zipped(t, path)
				if !slices.ContainsFunc(slices.Collect(maps.Values(files)), func(data string) bool {
					l, err := archive.Parse([]byte(data))
					return err == nil && l.Notice == id && l.Text == was[id].text("text")
				}) {
					t.Errorf("what was sent of %s is not in it: %v", id, o)
				}
				if o["gone"] == nil || !strings.Contains(files["letters.jsonl"], `"gone":true,"removed":"2029-09-25"`) || !strings.Contains(files["README.txt"], "保存期限") {
					t.Errorf("%v\n%s", o, files["letters.jsonl"])
				}
			}
			// A database that was tidied before the day was kept says it without one.
			alter(t, behind(t, dsn), "DELETE FROM notice_facts WHERE facts LIKE '{\"removed\":%'")
			for id := range gone {
				if is := d.letter(id); !strings.Contains(is.text("note"), "was removed by the rule") || is.text("removed") != "day unknown" {
					t.Errorf("%v", is.text("removed", "note"))
				}
			}
		})
	}
}

// TestALetterThatNoArchiveKeepsSaysSo: where letters go into files no archive is promised, by the letter or the housekeeping.
func TestALetterThatNoArchiveKeepsSaysSo(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, dsn, _ := posted(t, e)
			d.on("2024-09-25")
			d.ok("run", "all")
			alter(t, behind(t, dsn), "UPDATE runs SET started = '2024-09-25 01:30:00.000', finished = '2024-09-25 01:30:01.000' WHERE job <> 'open' OR logical_date <> '2024-09-25'")
			d.env["DUBAN_RETENTION_FACTS"] = "400"
			d.on("2029-09-25")
			const warning, mark = "nothing else keeps what letters said that retention.facts removes: ", "(kept nowhere else)"
			if out := d.ok("housekeeping", "--dry-run"); strings.Contains(out, warning) || strings.Contains(out, mark) {
				t.Errorf("an archive is kept, and it warns: %s", out)
			}
			archived := d.env["DUBAN_MAIL_ARCHIVE_DIR"]
			d.env["DUBAN_MAIL_TRANSPORT"], d.env["DUBAN_MAIL_DIR"], d.env["DUBAN_MAIL_ARCHIVE_DIR"] = "file", filepath.Join(d.dir, "letters"), filepath.Join(d.dir, "nowhere")
			if out := d.ok("housekeeping", "--dry-run"); !strings.Contains(out, "town: "+warning) || !strings.Contains(out, mark) {
				t.Errorf("no archive is kept, and it does not warn: %s", out)
			}
			out := d.ok("housekeeping")
			if at := strings.Index(out, warning+"mail.transport is file"); at < 0 || at > strings.Index(out, mark) {
				t.Errorf("it does not warn first: %s", out)
			}
			n := 0
			for _, o := range d.objects("outbox", "list") {
				if o["removed"] == nil {
					continue
				}
				n++
				id := o.text("id")
				is := d.letter(id)
				if note := is.text("note"); strings.Contains(note, "the archive has") || !strings.Contains(note, "nothing keeps it: mail.transport is file") || !strings.Contains(note, ".eml of mail.dir is not there") || is["archived"] != nil {
					t.Errorf("%s: %v", id, is.text("note", "archived"))
				}
				if found := d.objects("outbox", "show", id, "--archive", archived)[0]; found.text("source") != asArchived {
					t.Errorf("the archive that is named is not read: %v", found.text("note"))
				}
				d.env["DUBAN_MAIL_TRANSPORT"] = "smtp"
				if note := d.letter(id).text("note"); !strings.Contains(note, "the archive has what was sent as") {
					t.Errorf("an archive is kept, and %s says %s", id, note)
				}
				d.env["DUBAN_MAIL_TRANSPORT"] = "file"
			}
			if n == 0 {
				t.Error("nothing was removed")
			}
		})
	}
}
