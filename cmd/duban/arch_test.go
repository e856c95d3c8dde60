package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sourceFile is one parsed non-test source file of the module.
type sourceFile struct {
	path string // from the module's root: jobs/task/fold.go
	pkg  string // its folder: jobs/task
	ast  *ast.File
}

func sources(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	root := "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		files = append(files, sourceFile{filepath.ToSlash(rel), filepath.ToSlash(filepath.Dir(rel)), f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Fatalf("only %d source files found: is the root right?", len(files))
	}
	return files
}

func imports(f sourceFile) []string {
	var out []string
	for _, i := range f.ast.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		out = append(out, path)
	}
	return out
}

// rules are the packages that decide: values in, values out.
var rules = []string{
	"jobs/civil", "jobs/workday", "jobs/period", "jobs/deadline", "jobs/party", "jobs/task", "jobs/run", "jobs/ladder",
	"jobs/planner", "jobs/inspection", "jobs/digest", "jobs/closing", "jobs/personnel", "jobs/explain", "notify/notice",
}

func TestRulesAreStandardLibraryOnlyAndReadNoClock(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range sources(t) {
		if !slices.Contains(rules, f.pkg) {
			continue
		}
		seen[f.pkg] = true
		for _, path := range imports(f) {
			first, _, _ := strings.Cut(path, "/")
			own := strings.TrimPrefix(path, "duban/")
			switch {
			case first == "duban" && !slices.Contains(rules, own):
				t.Errorf("%s imports %s: rules import only rules", f.path, path)
			case strings.Contains(first, "."):
				t.Errorf("%s imports %s: rules need nothing but the standard library", f.path, path)
			case slices.Contains([]string{"database/sql", "database/sql/driver", "net", "net/http", "os", "io/fs", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand"}, path):
				t.Errorf("%s imports %s: rules do nothing and know no chance", f.path, path)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep", "NewTimer", "Tick"}, s.Sel.Name) {
					t.Errorf("%s calls time.%s: rules take the day as an argument", f.path, s.Sel.Name)
				}
			}
			return true
		})
	}
	for _, r := range rules {
		if !seen[r] {
			t.Errorf("rule package %s has no files: is the list stale?", r)
		}
	}
}

func TestImportsGoOneWay(t *testing.T) {
	may := map[string][]string{ // folder prefix → what of ours it may import, besides the rules
		"cmd":      {"config", "jobs", "notify", "store", "testdata"},
		"config":   {},
		"jobs":     {"jobs"},
		"notify":   {"notify"},
		"store":    {},
		"testdata": {},
	}
	for _, f := range sources(t) {
		top, _, _ := strings.Cut(f.pkg, "/")
		allowed, known := may[top]
		if !known {
			t.Errorf("%s stands outside the layout", f.path)
			continue
		}
		for _, path := range imports(f) {
			own, ok := strings.CutPrefix(path, "duban/")
			if !ok || slices.Contains(rules, own) || strings.HasPrefix(f.pkg, "store") && strings.HasPrefix(own, "store") {
				continue
			}
			ownTop, _, _ := strings.Cut(own, "/")
			if !slices.Contains(allowed, ownTop) {
				t.Errorf("%s imports %s", f.path, path)
			}
		}
	}
}

func TestMainOnlyExits(t *testing.T) {
	for _, f := range sources(t) {
		if f.path != "cmd/duban/main.go" {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && (fn.Name.Name != "main" || len(fn.Body.List) != 1) {
				t.Errorf("main.go holds %s with %d statements", fn.Name.Name, len(fn.Body.List))
			}
		}
	}
}

func TestNoWorkInInitAndNoContextsOutOfNothing(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s does work in init", f.path)
			}
			// main makes the first context, a test harness and a Close have none to go by.
			if f.pkg == "cmd/duban" || f.pkg == "store/storetest" || fn.Name.Name == "Close" {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Background" || s.Sel.Name == "TODO") {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "context" {
						t.Errorf("%s: %s makes a context of its own", f.path, fn.Name.Name)
					}
				}
				return true
			})
		}
	}
}

// The SQLite driver and its C library translation are generated as a pair; another pairing crashes.
func TestSQLiteAndLibcArePaired(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Path}} {{.Version}} {{.GoMod}}", "modernc.org/sqlite", "modernc.org/libc").Output()
	if err != nil {
		t.Fatalf("list modules: %v", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 6 {
		t.Fatalf("list modules: %q", out)
	}
	want, err := exec.CommandContext(t.Context(), "grep", "-F", "modernc.org/libc ", fields[2]).Output()
	if err != nil {
		t.Fatalf("read sqlite's go.mod: %v", err)
	}
	if !strings.Contains(string(want), fields[4]) {
		t.Errorf("sqlite wants %s, the build has %s", strings.TrimSpace(string(want)), fields[4])
	}
}
