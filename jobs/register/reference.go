package register

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"duban/jobs/task"
)

// sameReference returns what a reference is told by: without spaces, characters of one width, all kinds of brackets the same.
// 示交罚〔2024〕17号, 示交罚[2024]17号 and 示交罚（2024） 17号 are one case.
func sameReference(ref string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' { // the wide forms of the printable ASCII characters, in their order
			r -= '！' - '!'
		}
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
			return -1
		case strings.ContainsRune("〔[【〖﹝", r):
			return '('
		case strings.ContainsRune("〕]】〗﹞", r):
			return ')'
		}
		return r
	}, ref)
}

// writing is a reference of a unit, however it is written.
type writing struct{ unit, ref string }

// writings are the references that are known already, as they were first written; triggers of all units under no unit.
func writings(happened []task.Occurrence, fired map[task.TaskID][]task.Event) map[writing]string {
	type first struct {
		seq int64
		ref string
	}
	seen := map[writing]first{}
	add := func(unit, ref string, seq int64) {
		k := writing{unit, sameReference(ref)}
		if old, ok := seen[k]; ref != "" && (!ok || cmp.Or(cmp.Compare(seq, old.seq), strings.Compare(ref, old.ref)) < 0) {
			seen[k] = first{seq, ref}
		}
	}
	for _, o := range happened {
		add(o.Unit, o.Ref, o.Seq)
	}
	for _, id := range slices.SortedFunc(maps.Keys(fired), func(a, b task.TaskID) int { return strings.Compare(a.String(), b.String()) }) {
		for _, e := range fired[id] {
			add(e.Unit, e.Ref, e.Seq)
		}
	}
	out := make(map[writing]string, len(seen))
	for k, f := range seen {
		out[k] = f.ref
	}
	return out
}

// asWritten gives an occurrence the reference as it is known already, so that one case starts one clock; it returns how the
// row wrote it, where that differs.
func (c *clocks) asWritten(o *task.Occurrence) (other string) {
	if _, exact := c.known[happeningOf(*o)]; exact {
		return ""
	}
	for _, unit := range []string{o.Unit, ""} {
		ref, ok := c.written[writing{unit, sameReference(o.Ref)}]
		if ok && ref != o.Ref {
			other, o.Ref = o.Ref, ref
		}
		if ok {
			return other
		}
	}
	c.written[writing{o.Unit, sameReference(o.Ref)}] = o.Ref
	return ""
}
