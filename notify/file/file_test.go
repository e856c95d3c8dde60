package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/notify/compose"
	"duban/notify/notice"
)

func message(unit, role string, bytes string) compose.Message {
	return compose.Message{
		ID: "<1@sfj.example>", To: "a@b.example", Subject: "主题", Bytes: []byte(bytes), HTML: "<p>页</p>", Role: role, Nth: 1,
		Key: notice.Key{Jurisdiction: "laoshan", Date: civil.MustParse("2024-09-26"), Unit: unit, Role: "liaison", Kind: notice.UnitLetter},
	}
}

// tree lists the files below dir with their contents.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSendWritesOneFilePerRecipientOnce(t *testing.T) {
	dir := t.TempDir()
	tr := &Transport{Dir: filepath.Join(dir, "out")}
	calls := 0
	dot := func() error { calls++; return nil }
	m := message("qjtj", "liaison", "one")
	cc := message("qjtj", "deputy", "one")
	cc.Copy = true
	cc2 := cc
	cc2.Nth = 2
	for range 3 {
		for _, m := range []compose.Message{m, cc, cc2} {
			if r := tr.Send(t.Context(), m, dot); r.Outcome != notice.OutcomeAccepted {
				t.Fatalf("%+v", r)
			}
		}
	}
	if calls != 3 {
		t.Errorf("%d final dots, want 3: a letter that is there is not written again", calls)
	}
	want := "out/laoshan/2024-09-26/qjtj-liaison.eml out/laoshan/2024-09-26/qjtj-liaison-copy-deputy.eml out/laoshan/2024-09-26/qjtj-liaison-copy-deputy-2.eml"
	got := tree(t, dir)
	for p := range strings.FieldsSeq(want) {
		if got[p] != "one" {
			t.Errorf("%s holds %q", p, got[p])
		}
	}
	if len(got) != 3 {
		t.Errorf("files: %v", got)
	}
}

func TestSendNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	tr := &Transport{Dir: dir}
	tr.Send(t.Context(), message("qjtj", "liaison", "one"), nil)
	r := tr.Send(t.Context(), message("qjtj", "liaison", "two"), func() error { t.Error("a final dot"); return nil })
	if r.Outcome != notice.OutcomePermanent || !strings.Contains(r.Reply, filepath.Join(dir, "laoshan", "2024-09-26", "qjtj-liaison.eml")) {
		t.Errorf("%+v", r)
	}
	if got := tree(t, dir); len(got) != 1 || got["laoshan/2024-09-26/qjtj-liaison.eml"] != "one" {
		t.Errorf("files: %v", got)
	}
}

func TestSendFailsForTheTimeBeing(t *testing.T) {
	dir := t.TempDir()
	lost := func() error { return errors.New("the lease is lost") }
	if r := (&Transport{Dir: dir}).Send(t.Context(), message("qjtj", "liaison", "one"), lost); r.Outcome != notice.OutcomeTemporary || !strings.Contains(r.Reply, "the lease is lost") {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := (&Transport{Dir: dir}).Send(ctx, message("qjtj", "liaison", "one"), nil); r.Outcome != notice.OutcomeTemporary {
		t.Errorf("%+v", r)
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("files: %v", got)
	}
	block := filepath.Join(dir, "file")
	if err := os.WriteFile(block, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := (&Transport{Dir: block}).Send(t.Context(), message("qjtj", "liaison", "one"), nil); r.Outcome != notice.OutcomeTemporary {
		t.Errorf("a folder that is a file: %+v", r)
	}
}

func TestPathsAreASCIIAndStayInside(t *testing.T) {
	plain := regexp.MustCompile(`^[A-Za-z0-9_-]+/\d{4}-\d\d-\d\d/[A-Za-z0-9_-]+\.eml$`)
	seen := map[string]string{}
	for _, unit := range []string{"qjtj", "区交通局", "../../etc/passwd", "..", ".", "a/b", "a_2f_b", "a\\b", "a b", "A", "", "\x00", "_"} {
		m := message(unit, "liaison", "")
		p := Path(m)
		if !plain.MatchString(p) {
			t.Errorf("unit %q: path %q", unit, p)
		}
		if other, ok := seen[p]; ok {
			t.Errorf("units %q and %q share %q", unit, other, p)
		}
		seen[p] = unit
	}
	formal := message("qjtj", "liaison", "")
	formal.Key.Matter = "督〔2024〕1号"
	if p := Path(formal); p == Path(message("qjtj", "liaison", "")) || !plain.MatchString(p) {
		t.Errorf("a formal letter's path %q", p)
	}
}

func TestPagesStandBesideTheirLetters(t *testing.T) {
	dir := t.TempDir()
	tr := &Transport{Dir: dir, Pages: true}
	if r := tr.Send(t.Context(), message("qjtj", "liaison", "one"), nil); r.Outcome != notice.OutcomeAccepted {
		t.Fatalf("%+v", r)
	}
	if got := tree(t, dir); got["laoshan/2024-09-26/qjtj-liaison.html"] != "<p>页</p>" {
		t.Errorf("files: %v", got)
	}
}

func TestTheIndexShowsKindsAndAttachments(t *testing.T) {
	dir := t.TempDir()
	var letters []IndexEntry
	for i, kind := range []string{notice.BureauDigest, notice.SupervisionForm, notice.Report, notice.Summary, notice.Bulletin, notice.PersonnelLetter, notice.PersonnelTotals, notice.Correction, notice.UnitLetter, "other"} {
		letters = append(letters, IndexEntry{Date: civil.MustParse("2024-09-26"), Jurisdiction: "崂山", Unit: "局", Kind: kind, Subject: kind, Path: "a/" + string(rune('a'+i)) + ".eml", HTML: "<p>"})
	}
	letters[0].Files = []compose.Attachment{{Name: "全表.xlsx", Data: []byte("one")}, {Name: "稿.docx", Data: []byte("two")}, {Name: "x.../../y", Data: []byte("three")}}
	if err := WriteIndex(dir, "", letters); err != nil {
		t.Fatal(err)
	}
	got := tree(t, dir)
	for path, want := range map[string]string{"a/a.1.xlsx": "one", "a/a.2.docx": "two", "a/a.3": "three"} {
		if got[path] != want {
			t.Errorf("%s holds %q", path, got[path])
		}
	}
	at := -1
	for _, must := range []string{
		">日报<", `<p class="f">附件：<a href="a/a.1.xlsx" download="全表.xlsx">全表.xlsx</a>`, `href="a/a.2.docx"`, `href="a/a.3"`, ">督办通知单<", ">专报<", ">汇总<", ">通报<", ">人员<", ">人员汇总<", ">更正<", ">知悉<", ">知悉<",
	} {
		i := strings.Index(got["index.html"][at+1:], must)
		if i < 0 {
			t.Fatalf("the index lacks %q after byte %d", must, at)
		}
		at += i + 1
	}
	if len(got) != len(letters)+3+1 {
		t.Errorf("%d files", len(got))
	}
}

func TestPagesBringTheirAttachments(t *testing.T) {
	dir := t.TempDir()
	m := message("qjtj", "liaison", "one")
	m.Files = []compose.Attachment{{Name: "全表.xlsx", Data: []byte("table")}}
	for _, c := range []struct {
		pages bool
		files int
	}{{false, 1}, {true, 3}} {
		if r := (&Transport{Dir: dir, Pages: c.pages}).Send(t.Context(), m, nil); r.Outcome != notice.OutcomeAccepted {
			t.Fatalf("%+v", r)
		}
		if got := tree(t, dir); len(got) != c.files || c.pages && got["laoshan/2024-09-26/qjtj-liaison.1.xlsx"] != "table" {
			t.Errorf("pages %v: files %v", c.pages, got)
		}
	}
}

func TestWriteIndex(t *testing.T) {
	dir := t.TempDir()
	entry := func(day, place, unit, rung string) IndexEntry {
		return IndexEntry{
			Date: civil.MustParse(day), Jurisdiction: place, Unit: unit, Subject: "【局】<b>请报</b>·" + unit, Recipient: "a@b.example",
			Rung: rung, Path: place + "/" + day + "/" + unit + "-liaison.eml", HTML: "<p>" + unit + "</p>",
		}
	}
	letters := []IndexEntry{
		entry("2024-09-26", "b", "u2", "urging"), entry("2024-09-25", "b", "u1-liaison-copy", ""), entry("2024-09-25", "b", "u1", ""), entry("2024-09-26", "a", "u3", "reminder"), entry("2024-09-26", "a", "u1", "pace"),
	}
	for range 2 {
		if err := WriteIndex(dir, "", letters); err != nil {
			t.Fatal(err)
		}
	}
	got := tree(t, dir)
	index := got["index.html"]
	at := -1
	for _, must := range []string{
		"信函5件，2个发信日", "2024年9月25日 星期三", "href=\"b/2024-09-25/u1-liaison.html\"", "知悉", "href=\"b/2024-09-25/u1-liaison-copy-liaison.html\"", "2024年9月26日 星期四", "a/2024-09-26/u1-liaison.html", "序时", "a/2024-09-26/u3-liaison.html", "提醒",
		"b/2024-09-26/u2-liaison.html", "催办", "&lt;b&gt;请报",
	} {
		i := strings.Index(index[at+1:], must)
		if i < 0 {
			t.Fatalf("the index lacks %q after byte %d:\n%s", must, at, index)
		}
		at += i
	}
	if got["a/2024-09-26/u3-liaison.html"] != "<p>u3</p>" || len(got) != 6 {
		t.Errorf("%d files", len(got))
	}
	for _, never := range []string{"http:", "https:", "ZgotmplZ", "<b>请报"} {
		if strings.Contains(index, never) {
			t.Errorf("the index holds %q", never)
		}
	}
	if err := WriteIndex(filepath.Join(dir, "none"), "", nil); err != nil {
		t.Errorf("no letters: %v", err)
	}
	for _, bad := range []string{"../x.eml", "/etc/x.eml", "a/../../x.eml", "a/x.html", ""} {
		if err := WriteIndex(dir, "", []IndexEntry{{Path: bad, HTML: "x"}}); err == nil {
			t.Errorf("path %q was taken", bad)
		}
	}
}
