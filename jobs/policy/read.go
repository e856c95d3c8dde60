package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"duban/jobs/civil"
)

// Problem is one thing wrong with a policy.
type Problem struct {
	Line int    // of the file; 0 where the whole is meant
	Key  string // as in versions[2].ladder.monthly[1].rung, counted from 1
	What string // what is wrong and what to do
}

// Error names the line, the key, what is wrong and what to do.
func (p Problem) Error() string {
	var parts []string
	if p.Line > 0 {
		parts = append(parts, "line "+strconv.Itoa(p.Line))
	}
	if p.Key != "" {
		parts = append(parts, p.Key)
	}
	return strings.Join(append(parts, p.What), ": ")
}

// longest is how many characters a text of a policy may have.
const longest = 200

// Parse reads the only YAML document of data. What a version leaves out is as in the version before it, and in the first
// as by default; a first version with a day of its own follows the default. An empty document is the default policy, its
// offices without names. The error joins one Problem for each mistake.
func Parse(data []byte) (Policy, error) {
	p := Default("")
	root, err := document(data)
	if err != nil {
		return Policy{}, err
	}
	if root == nil {
		return p, nil
	}
	r := &reader{}
	r.keys(root, "", map[string]func(*yaml.Node, string){
		"versions": func(n *yaml.Node, path string) { p.Versions = r.versions(n, path, p.Versions) },
	})
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, byLine)
		return Policy{}, errors.Join(r.problems...)
	}
	return p, nil
}

// document returns the root mapping; nil where the file says nothing.
func document(data []byte) (*yaml.Node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, Problem{What: "is not UTF-8; save it as UTF-8"}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntax(err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, Problem{Line: second.Line, What: "a second document begins here; keep one, without a --- line in between"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntax(err)
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode {
		if len(doc.Content) == 0 {
			return nil, nil
		}
		root = doc.Content[0]
	}
	if null(root) {
		return nil, nil
	}
	return root, nil
}

func syntax(err error) error {
	var load *yaml.LoadError
	if errors.As(err, &load) && load.Mark.Line > 0 {
		return Problem{Line: load.Mark.Line, What: "not valid YAML: " + load.Message}
	}
	return Problem{What: "not valid YAML: " + err.Error()}
}

// null reports whether the node says nothing, as in "key:" or "key: ~". Such a key leaves everything as it was.
func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// reader gathers every problem, so that an operator mends them in one round.
type reader struct{ problems []error }

func (r *reader) problem(n *yaml.Node, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{Line: n.Line, Key: path, What: fmt.Sprintf(format, args...)})
}

// keys reads the mapping n, each of its keys by its reader. A key with nothing behind it is passed by.
func (r *reader) keys(n *yaml.Node, path string, read map[string]func(*yaml.Node, string)) {
	if n.Kind != yaml.MappingNode {
		r.problem(n, path, "holds %s; write keys below it", kind(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Value == "<<" {
			r.problem(key, path, "a key must be plain text")
			continue
		}
		at := join(path, key.Value)
		f, ok := read[key.Value]
		first, twice := seen[key.Value]
		switch {
		case twice:
			r.problem(key, at, "is given twice, first on line %d; keep one", first)
		case !ok:
			r.problem(key, at, "unknown key; known here: %s", known(read))
		case !null(value):
			f(value, at)
		}
		if !twice {
			seen[key.Value] = key.Line
		}
	}
}

func known(read map[string]func(*yaml.Node, string)) string {
	var names []string
	for name := range read {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias, which is not supported"
	case null(n):
		return "nothing"
	}
	return "a single value"
}

// each reads the entries of a list.
func (r *reader) each(n *yaml.Node, path string, read func(i int, n *yaml.Node, path string)) {
	if n.Kind != yaml.SequenceNode {
		r.problem(n, path, "holds %s; write a list", kind(n))
		return
	}
	for i, item := range n.Content {
		read(i, item, fmt.Sprintf("%s[%d]", path, i+1))
	}
}

// scalar returns the single value of the node.
func (r *reader) scalar(n *yaml.Node, path string) (string, bool) {
	if n.Kind != yaml.ScalarNode || null(n) {
		r.problem(n, path, "holds %s; write a single value", kind(n))
		return "", false
	}
	return n.Value, true
}

// text reads one line of text.
func (r *reader) text(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path)
		switch {
		case !ok:
		case strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsGraphic(c) }):
			r.problem(n, path, "holds a line break or another character that cannot be seen; write plain text on one line")
		case utf8.RuneCountInString(s) > longest:
			r.problem(n, path, "is longer than %d characters", longest)
		default:
			*to = strings.TrimSpace(s)
		}
	}
}

// word reads one of the words.
func word[T ~string](r *reader, to *T, words ...T) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path)
		switch {
		case !ok:
		case !slices.Contains(words, T(s)):
			all := make([]string, len(words))
			for i, w := range words {
				all[i] = string(w)
			}
			r.problem(n, path, "%q is not allowed; write %s", s, strings.Join(all, " or "))
		default:
			*to = T(s)
		}
	}
}

// number reads a whole number of the range.
func (r *reader) number(to *int, least, most int) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path)
		if !ok {
			return
		}
		v, err := strconv.Atoi(s)
		if err != nil || v < least || v > most {
			r.problem(n, path, "%q cannot be; write a whole number from %d to %d", s, least, most)
			return
		}
		*to = v
	}
}

// flag reads true or false.
func (r *reader) flag(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		switch s, ok := r.scalar(n, path); {
		case !ok:
		case s != "true" && s != "false":
			r.problem(n, path, "%q cannot be read; write true or false", s)
		default:
			*to = s == "true"
		}
	}
}

// day reads a date.
func (r *reader) day(to *civil.Date) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path)
		if !ok {
			return
		}
		d, err := civil.Parse(s)
		if err != nil || d == 0 {
			r.problem(n, path, "%q cannot be read; write a day that exists, for example 2024-06-30", s)
			return
		}
		*to = d
	}
}

// byLine orders problems by their line, those of a line as they were found.
func byLine(a, b error) int {
	var p, q Problem
	errors.As(a, &p)
	errors.As(b, &q)
	return cmp.Compare(p.Line, q.Line)
}
