package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLayoutVersion fails when letters change and the version does not. testdata/layout.txt holds the version and the
// hash of what the golden letters say in it.
func TestLayoutVersion(t *testing.T) {
	h := sha256.New()
	letters := goldenLetters()
	letters["12KB"] = letter12KB()
	maps.Copy(letters, goldenPapers())
	for _, name := range slices.Sorted(maps.Keys(letters)) {
		m, err := Compose(letters[name], 0, testMail)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{name, m.Subject, m.Title, m.Text, m.HTML} {
			h.Write(append([]byte(s), 0))
		}
		if letters[name].Facts.Paper != nil {
			_, files := opened(t, m.Bytes)
			for _, f := range files {
				h.Write(append(f.data, 0))
			}
		}
	}
	trial := testMail
	trial.RedirectTo = "trial@sfj.laoshan.example"
	m, err := Compose(letters["second-urging"], 1, trial)
	if err != nil {
		t.Fatal(err)
	}
	h.Write([]byte(m.Subject + m.Text + m.HTML))
	now := layout + " " + hex.EncodeToString(h.Sum(nil)) + "\n"

	path := filepath.Join("testdata", "layout.txt")
	b, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	was := string(b)
	switch version, _, _ := strings.Cut(was, " "); {
	case now == was:
	case version == layout:
		t.Errorf("letters read or look different from those of layout %s: raise the constant, then -update", layout)
	case !*update:
		t.Errorf("layout %s is not in %s: -update", layout, path)
	default:
		if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if v := Version(); len(v) != 12 || v != Version() || strings.Trim(v, "0123456789abcdef") != "" {
		t.Errorf("version %q", v)
	}
}
