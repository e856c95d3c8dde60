package store

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// readFacts reads what a doc[notice.Facts] has written. It is asked for every letter that leaves, and the library, which
// takes any JSON, would cost as much as the rest of a claim. The strings are parts of the text. A text that is not
// just as the library writes it is left to the library, so that both read the same out of every text in UTF-8.
func readFacts(of *shape, text string, into *notice.Facts) error {
	p := parser{s: text}
	if of != nil && p.value(of, reflect.ValueOf(into).Elem()) && p.i == len(text) {
		return nil
	}
	*into = notice.Facts{}
	return json.Unmarshal([]byte(text), into)
}

// shape is how values of a type are written; elem is of a list and of what is behind a pointer, fields are of a record. A type
// may hold itself, as a paper holds drafts of papers.
type shape struct {
	kind   reflect.Kind // Int32: a date
	elem   *shape
	fields []shapeField
}

type shapeField struct {
	key   string // with its quotes and colon
	index []int  // where it is, through the records that stand in it
	*shape
}

// shapeOf returns nil for a type that holds anything but text, numbers, truth values, dates, lists and records.
func shapeOf(t reflect.Type) *shape { return shapes{}.of(t) }

// shapes are those of the types met so far. One that is nil makes everything nil.
type shapes map[reflect.Type]*shape

func (known shapes) of(t reflect.Type) *shape {
	if s, ok := known[t]; ok {
		return s
	}
	s := &shape{kind: t.Kind()}
	known[t] = s
	switch {
	case t == reflect.TypeFor[civil.Date]():
		s.kind = reflect.Int32
		return s
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()), reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return nil // it has a way of its own
	}
	switch s.kind {
	case reflect.String, reflect.Int, reflect.Int64, reflect.Bool, reflect.Float64:
		return s
	case reflect.Slice, reflect.Pointer:
		if s.elem = known.of(t.Elem()); s.elem == nil || s.elem.kind == reflect.Pointer {
			return nil
		}
		return s
	case reflect.Struct:
		return known.record(s, t)
	default:
		return nil
	}
}

// record adds the fields of a record to its shape.
func (known shapes) record(s *shape, t reflect.Type) *shape {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		of := known.of(f.Type)
		if of == nil || !f.IsExported() || name == "-" || strings.Contains(options, "string") || f.Anonymous != (name == "") || f.Anonymous && of.kind != reflect.Struct {
			return nil
		}
		if !f.Anonymous {
			s.fields = append(s.fields, shapeField{strconv.Quote(name) + ":", []int{i}, of})
			continue
		}
		for _, inner := range of.fields { // they stand among the record's own
			inner.index = append([]int{i}, inner.index...)
			s.fields = append(s.fields, inner)
		}
	}
	for i, f := range s.fields {
		if slices.ContainsFunc(s.fields[:i], func(other shapeField) bool { return strings.EqualFold(other.key, f.key) }) {
			return nil // which of them is meant is for the library to say
		}
	}
	return s
}

// parser reads a text from i on. Its methods report whether what they look for was there.
type parser struct {
	s string
	i int
}

func (p *parser) skip(word string) bool {
	if strings.HasPrefix(p.s[p.i:], word) {
		p.i += len(word)
		return true
	}
	return false
}

func (p *parser) value(of *shape, v reflect.Value) bool {
	switch of.kind {
	case reflect.String:
		s, ok := p.text()
		v.SetString(s)
		return ok
	case reflect.Int32:
		return p.date(v)
	case reflect.Int, reflect.Int64:
		n, ok := p.number()
		v.SetInt(n)
		return ok
	case reflect.Float64:
		x, ok := p.fraction()
		v.SetFloat(x)
		return ok
	case reflect.Bool:
		yes := p.skip("true")
		v.SetBool(yes)
		return yes || p.skip("false")
	case reflect.Slice:
		return p.list(of.elem, v)
	case reflect.Pointer:
		if p.skip("null") {
			v.SetZero()
			return true
		}
		v.Set(reflect.New(v.Type().Elem()))
		return p.value(of.elem, v.Elem())
	default:
		return p.record(of.fields, v)
	}
}

// text reads a string; one with an escape is read by the library.
func (p *parser) text() (string, bool) {
	if !p.skip(`"`) {
		return "", false
	}
	escaped := false
	for i := p.i; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '"':
			s := p.s[p.i:i]
			if escaped && json.Unmarshal([]byte(p.s[p.i-1:i+1]), &s) != nil {
				return "", false
			}
			p.i = i + 1
			return s, true
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

func (p *parser) date(v reflect.Value) bool {
	s, ok := p.text()
	if !ok || s == "" {
		v.SetInt(0)
		return ok
	}
	d, err := civil.Parse(s)
	v.SetInt(int64(d))
	return err == nil
}

func (p *parser) number() (int64, bool) {
	begin := p.i
	p.skip("-")
	first := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	if p.i > first+1 && p.s[first] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(p.s[begin:p.i], 10, strconv.IntSize)
	return n, err == nil
}

func (p *parser) fraction() (float64, bool) {
	begin := p.i
	for p.i < len(p.s) && strings.IndexByte("+-.0123456789Ee", p.s[p.i]) >= 0 {
		p.i++
	}
	word := p.s[begin:p.i]
	x, err := strconv.ParseFloat(word, 64)
	return x, err == nil && json.Valid([]byte(word)) // which is stricter
}

func (p *parser) list(of *shape, v reflect.Value) bool {
	if p.skip("null") {
		v.SetZero()
		return true
	}
	if !p.skip("[") {
		return false
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for n := 0; !p.skip("]"); n++ {
		if n > 0 && !p.skip(",") {
			return false
		}
		if n == v.Cap() {
			v.Grow(max(n, 2))
		}
		v.SetLen(n + 1)
		if !p.value(of, v.Index(n)) {
			return false
		}
	}
	return true
}

// record reads the fields, which come in their order; any of them may be left out.
func (p *parser) record(fields []shapeField, v reflect.Value) bool {
	if !p.skip("{") {
		return false
	}
	next := 0
	for first := true; !p.skip("}"); first = false {
		if !first && !p.skip(",") {
			return false
		}
		for next < len(fields) && !p.skip(fields[next].key) {
			next++
		}
		if next == len(fields) {
			return false
		}
		if f := fields[next]; !p.value(f.shape, v.FieldByIndex(f.index)) {
			return false
		}
		next++
	}
	return true
}
