package store

import (
	"encoding"
	"encoding/json"
	"reflect"
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

// shape is how values of a type are written; elem is of a list, fields are of a record. What is behind a pointer, and left out
// where there is nothing, is left to the library: its kind is Pointer.
type shape struct {
	kind   reflect.Kind // Int32: a date
	elem   *shape
	fields []shapeField
}

type shapeField struct {
	key   string // with its quotes and colon
	index int
	*shape
}

// shapeOf returns nil for a type that holds anything but text, whole numbers, truth values, dates, lists and records.
func shapeOf(t reflect.Type) *shape {
	s := &shape{kind: t.Kind()}
	switch {
	case t == reflect.TypeFor[civil.Date]():
		s.kind = reflect.Int32
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()), reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return nil // it has a way of its own
	case s.kind == reflect.String, s.kind == reflect.Int, s.kind == reflect.Bool:
	case s.kind == reflect.Slice:
		s.elem = shapeOf(t.Elem())
		if s.elem == nil {
			return nil
		}
	case s.kind == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			of := shapeOf(f.Type)
			if f.Type.Kind() == reflect.Pointer && options == "omitempty" {
				of = &shape{kind: reflect.Pointer}
			}
			if f.Anonymous || !f.IsExported() || name == "" || name == "-" || of == nil {
				return nil
			}
			s.fields = append(s.fields, shapeField{strconv.Quote(name) + ":", i, of})
		}
	default:
		return nil
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
	case reflect.Int:
		n, ok := p.number()
		v.SetInt(n)
		return ok
	case reflect.Bool:
		yes := p.skip("true")
		v.SetBool(yes)
		return yes || p.skip("false")
	case reflect.Slice:
		return p.list(of.elem, v)
	case reflect.Pointer:
		return false
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
		if f := fields[next]; !p.value(f.shape, v.Field(f.index)) {
			return false
		}
		next++
	}
	return true
}
