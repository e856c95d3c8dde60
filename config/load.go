package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds every file read here, in bytes.
const maxFile = 4 << 20

// origin is where a value comes from: a line of the file or a variable.
type origin struct {
	line     int
	variable string
}

// Problem is one thing wrong with the configuration.
type Problem struct {
	Source string // "duban.yaml:12", or the variable
	Key    string // as in mail.smtp.host; empty for the file as a whole
	What   string // what is wrong and what to do
}

// Error names the place, the key, what is wrong and what to do.
func (p Problem) Error() string {
	parts := slices.DeleteFunc([]string{p.Source, p.Key, p.What}, func(s string) bool { return s == "" })
	return strings.Join(parts, ": ")
}

// loader gathers every problem, so that an operator mends them in one round.
type loader struct {
	cfg      Config
	env      func(string) (string, bool)
	problems []error
}

// Load reads the file at path, lays the variables of env over it, reads the secrets and files it names, and validates
// the whole. An empty path means no file. Relative paths are taken from the working directory. The error joins one
// Problem for each thing wrong.
//
// Every scalar has its variable: DUBAN_MAIL_SMTP_HOST for mail.smtp.host; a list is given with commas; an empty
// variable counts as not set. Secrets come from the variables SecretVariables lists, from the variable password_env
// names, or from the file password_file names, and never stand in the file itself.
func Load(path string, env func(string) (string, bool)) (Config, error) {
	if path == "" {
		return parse("", nil, env)
	}
	data, err := readFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("load config: %w; give the right path with --config, or leave it out to run on the defaults", err)
	}
	return parse(path, data, env)
}

// parse is Load on the content of the file.
func parse(name string, data []byte, env func(string) (string, bool)) (Config, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	l := &loader{cfg: Default(), env: env}
	l.cfg.name, l.cfg.origins, l.cfg.files = name, map[string]origin{}, map[string][]byte{}
	root, err := document(name, data)
	if err != nil {
		return Config{}, fmt.Errorf("load config: %w", err)
	}
	jurisdictions := l.read(root, "", l.cfg.fields())
	l.variables(l.cfg.fields())
	l.jurisdictions(jurisdictions)
	l.secrets()
	l.named()
	if len(l.problems) == 0 {
		l.cfg.complete()
		if err := l.cfg.Validate(); err != nil {
			l.problems = append(l.problems, err)
		}
	}
	if len(l.problems) > 0 {
		return Config{}, fmt.Errorf("load config: %w", errors.Join(l.problems...))
	}
	return l.cfg, nil
}

// document returns the root mapping of the only YAML document of the file; nil where the file says nothing.
func document(name string, data []byte) (*yaml.Node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, Problem{Source: name, What: "is not UTF-8; save it as UTF-8"}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxProblem(name, err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, Problem{Source: fmt.Sprintf("%s:%d", name, second.Line), What: "a second document begins here; keep one, without a --- line in between"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(name, err)
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

func syntaxProblem(name string, err error) error {
	var load *yaml.LoadError
	if errors.As(err, &load) && load.Mark.Line > 0 {
		return Problem{Source: fmt.Sprintf("%s:%d", name, load.Mark.Line), What: "not valid YAML: " + load.Message}
	}
	return Problem{Source: name, What: "not valid YAML: " + err.Error()}
}

// null reports whether the node says nothing, as in "key:" or "key: ~". Such a key keeps its default.
func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// read walks the mapping n below prefix and sets the fields it names. It returns the mapping of jurisdictions, which
// needs the finished defaults and is read last.
func (l *loader) read(n *yaml.Node, prefix string, fields []field) (jurisdictions *yaml.Node) {
	if n == nil || null(n) {
		return nil
	}
	for _, e := range l.entries(n, prefix) {
		path := join(prefix, e.key.Value)
		i := slices.IndexFunc(fields, func(f field) bool { return f.path == path && !strings.Contains(e.key.Value, ".") })
		switch {
		case i < 0:
			l.unknown(e.key, path, prefix, fields)
		case null(e.value):
		case path == "jurisdictions":
			jurisdictions = e.value
		case fields[i].value == nil:
			l.read(e.value, path, fields)
		default:
			l.assign(fields[i], e.key, e.value)
		}
	}
	return jurisdictions
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// entries returns what the mapping holds, without keys that are no plain text or were there before.
func (l *loader) entries(n *yaml.Node, path string) []entry {
	if n.Kind != yaml.MappingNode {
		l.problem(n, path, "holds "+kind(n)+"; write keys below it")
		return nil
	}
	var list []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.Value == "<<" {
			l.problem(key, path, "a key must be plain text")
			continue
		}
		if first, twice := seen[key.Value]; twice {
			l.problem(key, join(path, key.Value), fmt.Sprintf("is given twice, first on line %d; keep one", first))
			continue
		}
		seen[key.Value] = key.Line
		list = append(list, entry{key, n.Content[i+1]})
	}
	return list
}

// assign sets one field from its node.
func (l *loader) assign(f field, key, n *yaml.Node) {
	if _, list := f.value.(*[]string); list {
		l.assignList(f, key, n)
		return
	}
	if n.Kind != yaml.ScalarNode {
		l.problem(n, f.path, "holds "+kind(n)+"; write a single value")
		return
	}
	if err := f.set(n.Value); err != nil {
		l.problem(n, f.path, err.Error())
		return
	}
	l.cfg.origins[f.path] = origin{line: key.Line}
}

func (l *loader) assignList(f field, key, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		l.problem(n, f.path, "holds "+kind(n)+"; write a list, as in [a, b]")
		return
	}
	items := []string{}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || null(item) {
			l.problem(item, f.path, "holds "+kind(item)+" in its list; write plain text")
			return
		}
		items = append(items, item.Value)
	}
	if err := f.setList(items); err != nil {
		l.problem(n, f.path, err.Error())
		return
	}
	l.cfg.origins[f.path] = origin{line: key.Line}
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

// unknown reports a key that does not exist, with the nearest one that does.
func (l *loader) unknown(key *yaml.Node, path, prefix string, fields []field) {
	if isPassword(key.Value) {
		v := "DUBAN_…_PASSWORD"
		if i := slices.IndexFunc(fields, func(f field) bool { return f.path == join(prefix, "password_file") }); i >= 0 {
			v = variable(join(prefix, "password"))
		}
		l.problem(key, path, "a password must not stand in this file; remove it, and set "+v+", or password_file or password_env beside this key")
		return
	}
	var known []string
	for _, f := range fields {
		if rest, ok := strings.CutPrefix(f.path, join(prefix, "")); ok && !strings.Contains(rest, ".") {
			known = append(known, rest)
		}
	}
	nearest := slices.MinFunc(known, func(a, b string) int {
		return cmp.Compare(distance(key.Value, a), distance(key.Value, b))
	})
	what := "unknown key; known here: " + strings.Join(known, ", ")
	switch {
	case isAccount(prefix) && isShared(key.Value):
		what = "is one for all jurisdictions; set it as mail." + key.Value
	case path == "defaults.mail":
		what = "unknown key; mail stands at the top level, and each jurisdiction has what it does not set itself from there"
	case slices.ContainsFunc(fields, func(f field) bool { return f.path == path }):
		what = "keys are not joined with dots; write each part on its own line, indented below the one before"
	case distance(key.Value, nearest) <= 1+len(nearest)/4:
		what = fmt.Sprintf("unknown key; did you mean %s?", nearest)
	}
	l.problem(key, path, what)
}

func isPassword(key string) bool {
	return slices.Contains([]string{"password", "passwd", "pass", "pwd", "secret"}, strings.ToLower(key))
}

// distance is the number of single-character edits between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// variables lays the environment over the fields.
func (l *loader) variables(fields []field) {
	for _, f := range fields {
		name := variable(f.path)
		s, ok := l.env(name)
		if f.value == nil || !ok || s == "" {
			continue
		}
		l.cfg.origins[f.path] = origin{variable: name}
		var err error
		if _, list := f.value.(*[]string); list {
			err = f.setList(strings.Split(s, ","))
		} else {
			err = f.set(s)
		}
		if err != nil {
			l.problems = append(l.problems, Problem{Source: name, Key: f.path, What: err.Error()})
		}
	}
}

// jurisdictions reads each jurisdiction over a copy of the finished defaults.
func (l *loader) jurisdictions(n *yaml.Node) {
	if n == nil {
		return
	}
	l.cfg.Jurisdictions = map[string]JurisdictionConfig{}
	byVariable := map[string]string{}
	for _, e := range l.entries(n, "jurisdictions") {
		code := e.key.Value
		path := join("jurisdictions", code)
		if !validCode(code) {
			l.problem(e.key, path, "a code is up to 32 letters, digits, - and _, as plans are imported under")
			continue
		}
		if other, taken := byVariable[variable(path)]; taken {
			l.problem(e.key, path, "its variables would be those of "+other+"; rename one")
			continue
		}
		byVariable[variable(path)] = code
		j := l.cfg.Defaults.clone()
		m := l.cfg.Mail.clone()
		fields := slices.Concat(j.fields(path), m.accountFields(accountPrefix(code)))
		l.read(e.value, path, fields)
		l.variables(fields)
		l.cfg.Jurisdictions[code] = j
		l.account(code, m)
	}
}

func validCode(code string) bool {
	return code != "" && len(code) <= 32 && strings.Trim(strings.ToLower(code), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// named reads the files the configuration names: calendar overrides, policies and certificate authorities.
func (l *loader) named() {
	type use struct{ key, path string }
	uses := []use{}
	add := func(key string, paths []string) {
		for _, p := range paths {
			uses = append(uses, use{key, p})
		}
	}
	add("calendar.overrides", l.cfg.Calendar.Overrides)
	one := func(key, path string) {
		if path != "" {
			add(key, []string{path})
		}
	}
	add("defaults.calendar_overrides", l.cfg.Defaults.CalendarOverrides)
	one("defaults.policy", l.cfg.Defaults.Policy)
	for _, code := range slices.Sorted(maps.Keys(l.cfg.Jurisdictions)) {
		add("jurisdictions."+code+".calendar_overrides", l.cfg.Jurisdictions[code].CalendarOverrides)
		one("jurisdictions."+code+".policy", l.cfg.Jurisdictions[code].Policy)
	}
	for _, at := range l.cfg.sections() {
		one(at.prefix+".smtp.ca_file", at.mail.SMTP.CAFile)
	}
	for _, u := range uses {
		if _, done := l.cfg.files[u.path]; done {
			continue
		}
		data, err := readFile(u.path)
		if err != nil {
			l.problems = append(l.problems, l.cfg.problem(u.key, err.Error()+"; relative paths are taken from the working directory"))
			continue
		}
		l.cfg.files[u.path] = data
	}
}

// readFile reads a regular file or a pipe of bounded size.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("read %s: larger than %d bytes", path, maxFile)
	}
	return data, nil
}

func (l *loader) problem(n *yaml.Node, path, what string) {
	l.problems = append(l.problems, Problem{Source: l.cfg.name + ":" + strconv.Itoa(n.Line), Key: path, What: what})
}

// problem returns a Problem of a key that has been read, at the place its value comes from.
func (c Config) problem(path, what string) Problem {
	return Problem{Source: cmp.Or(c.source(path), c.name), Key: path, What: what}
}

// source names where the key's value comes from; empty for a default. What a jurisdiction does not say itself comes
// from the defaults, or from the top-level mail.
func (c Config) source(path string) string {
	o, ok := c.origins[path]
	if rest, below := strings.CutPrefix(path, "jurisdictions."); !ok && below {
		_, rest, _ = strings.Cut(rest, ".")
		if !strings.HasPrefix(rest, "mail.") {
			rest = join("defaults", rest)
		}
		o, ok = c.origins[rest]
	}
	switch {
	case !ok:
		return ""
	case o.variable != "":
		return o.variable
	}
	return c.name + ":" + strconv.Itoa(o.line)
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}
