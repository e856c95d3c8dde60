package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

func TestPeekReadsTheCodesAndLeavesNoTrace(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			dsn := e.DSN(t)
			s := storetest.Reopen(t, dsn)
			got[int](t)(s.Migrate(ctx))
			for _, code := range []string{"sishui", "changji"} {
				if _, err := s.Write(ctx, code, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: code}}); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{"changji", "sishui"}
			equal(t, "while it is open", got[[]string](t)(store.Peek(ctx, dsn, "")), want)
			path, ok := strings.CutPrefix(dsn, "sqlite:")
			if !ok {
				return
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			before := files(t, path)
			equal(t, "while it is closed", got[[]string](t)(store.Peek(ctx, dsn, "")), want)
			equal(t, "the files", files(t, path), before)
		})
	}
}

// What can be typed next is found on both engines, where names begin with one another and some hold colons and slashes.
func TestPeekFindsWhatCanBeTyped(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx := t.Context()
			dsn := e.DSN(t)
			s := storetest.Reopen(t, dsn)
			got[int](t)(s.Migrate(ctx))
			seq := begin(t, s)
			var b task.Batch
			for _, row := range []string{"1", "1-1", "10", "2"} {
				b.Tasks = append(b.Tasks, task.Task{TaskID: taskID(row), On: day0})
			}
			other := taskID("7")
			other.Plan = "zfzl"
			b.Tasks = append(b.Tasks, task.Task{TaskID: other, On: day0})
			for _, ref := range []task.Ref{refOf("1", "a", "m1"), refOf("1", "ab", "m1"), refOf("1-1", "a", "e:第三季度/2"), refOf("1-1", "a", "e:第三季度/1"), refOf("10", "a", "m1")} {
				b.Obligations, b.Events = append(b.Obligations, obligation(ref)), append(b.Events, opened(ref))
			}
			b.Units = []task.Unit{{Code: "a", On: day0, Name: "甲局"}, {Code: "ab", On: day0, Name: "乙局"}, {Code: "b", On: day0, Name: "丙局", Removed: true}}
			seq = must(t, s, seq, b)
			seq = must(t, s, seq, task.Batch{Units: []task.Unit{{Code: "a", On: day0, Name: "甲委"}}})
			docs, _, _ := drafted(t, s, seq, day0, "a")
			id := docs[0].ID

			words := func(of []store.Named, err error) string {
				out := ""
				for _, n := range got[[]store.Named](t)(of, err) {
					out += n.Name + "=" + n.About + ";"
				}
				return out
			}
			joined := func(of []string, err error) string { return strings.Join(got[[]string](t)(of, err), " ") }
			for _, c := range []struct{ prefix, want string }{
				{"", "laoshan/zfzl/ laoshan/zfzl2024/"}, {"l", "laoshan/zfzl/ laoshan/zfzl2024/"}, {"laoshan/zfzl2", "laoshan/zfzl2024/1 laoshan/zfzl2024/1-1 laoshan/zfzl2024/10 laoshan/zfzl2024/2"},
				{"laoshan/zfzl/", "laoshan/zfzl/7"}, {"laoshan/zfzl2024/10", "laoshan/zfzl2024/10"}, {"laoshan/zfzl2024/1/", ""}, {"m", ""}, {"%", ""}, {"L", ""},
			} {
				equal(t, "tasks "+c.prefix, joined(store.PeekTasks(ctx, dsn, "", c.prefix)), c.want)
			}
			for _, c := range []struct{ prefix, want string }{
				{"", "laoshan/zfzl2024/1/ laoshan/zfzl2024/1-1/ laoshan/zfzl2024/10/"}, {"laoshan/zfzl2024/1", "laoshan/zfzl2024/1/ laoshan/zfzl2024/1-1/ laoshan/zfzl2024/10/"},
				{"laoshan/zfzl2024/1/", "laoshan/zfzl2024/1/a/ laoshan/zfzl2024/1/ab/"}, {"laoshan/zfzl2024/10", "laoshan/zfzl2024/10/a/m1"},
				{"laoshan/zfzl2024/1-", "laoshan/zfzl2024/1-1/a/e:第三季度/1 laoshan/zfzl2024/1-1/a/e:第三季度/2"},
				{"laoshan/zfzl2024/1-1/a/e:第三季度/2", "laoshan/zfzl2024/1-1/a/e:第三季度/2"}, {"laoshan/zfzl2024/3", ""},
			} {
				got := strings.Fields(joined(store.PeekObligations(ctx, dsn, "", c.prefix)))
				slices.Sort(got)
				want := strings.Fields(c.want)
				slices.Sort(want)
				equal(t, "obligations "+c.prefix, got, want)
			}
			equal(t, "units", words(store.PeekUnits(ctx, dsn, "", "", "")), "a=甲委;ab=乙局;")
			equal(t, "units of", words(store.PeekUnits(ctx, dsn, "", "ab", j)), "ab=乙局;")
			equal(t, "units elsewhere", words(store.PeekUnits(ctx, dsn, "", "", "sishui")), "")
			equal(t, "plans", words(store.PeekPlans(ctx, dsn, "", "zf", j)), "zfzl=laoshan;zfzl2024=laoshan;")
			equal(t, "letters", words(store.PeekLetters(ctx, dsn, "", id[:4], "held", "failed")), id+"="+day0.String()+" laoshan a supervision-form held;")
			equal(t, "letters in other states", words(store.PeekLetters(ctx, dsn, "", "", "sent")), "")
			equal(t, "documents", words(store.PeekDocuments(ctx, dsn, "", "", "draft")), id+"="+day0.String()+" laoshan a 督办通知单 draft;")
			equal(t, "documents in other states", words(store.PeekDocuments(ctx, dsn, "", "", "issued", "voided")), "")
		})
	}
}

func TestPeekMakesNothing(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := files(t, empty)
	for _, dsn := range []string{"sqlite:" + filepath.Join(dir, "none.db"), "sqlite:" + empty, "sqlite:" + dir, "sqlite:", "mysql://nobody@127.0.0.1:1/none", "other:x", ""} {
		if codes, err := store.Peek(t.Context(), dsn, ""); err == nil {
			t.Errorf("%s: %v", dsn, codes)
		}
	}
	equal(t, "the files", files(t, empty), before)
}

// files are the names and sizes of what stands beside a file.
func files(t *testing.T, path string) (out []string) {
	t.Helper()
	entries := got[[]os.DirEntry](t)(os.ReadDir(filepath.Dir(path)))
	for _, e := range entries {
		info := got[os.FileInfo](t)(e.Info())
		out = append(out, e.Name()+" "+info.Mode().String()+" "+info.ModTime().String()+" "+strings.Repeat("x", int(info.Size()%97)))
	}
	return out
}
