package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"duban/jobs/civil"
)

// set reads one scalar into the field. The error says what is wrong and what to write, without the key.
func (f field) set(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return errors.New("holds a line break or another character that cannot be seen; write plain text on one line")
	}
	if f.oneOf != nil && !slices.Contains(f.oneOf, s) {
		return fmt.Errorf("%q is not allowed; write %s", s, strings.Join(f.oneOf, " or "))
	}
	switch v := f.value.(type) {
	case *string:
		*v = s
		return nil
	case *int:
		return parseInto(v, s, strconv.Atoi, "a whole number, for example 10")
	case *bool:
		return parseInto(v, s, parseBool, "true or false")
	case *time.Duration:
		return parseInto(v, s, time.ParseDuration, "a length of time with its unit, for example 30s or 5m")
	case *Clock:
		return parseInto(v, s, ParseClock, `a time of day in quotes, for example "09:00"`)
	case *civil.Date:
		return parseInto(v, s, civil.Parse, "a day that exists, for example 2024-06-30")
	}
	return errors.New("takes no single value")
}

// setList reads a list; only fields of type *[]string take one.
func (f field) setList(items []string) error {
	list := make([]string, len(items))
	for i, s := range items {
		if err := (field{value: &list[i]}).set(s); err != nil {
			return err
		}
		if list[i] == "" {
			return errors.New("holds an empty entry; remove it")
		}
	}
	*f.value.(*[]string) = list
	return nil
}

func parseInto[T any](to *T, s string, parse func(string) (T, error), want string) error {
	v, err := parse(s)
	if err != nil {
		return fmt.Errorf("%q cannot be read; write %s", s, want)
	}
	*to = v
	return nil
}

func parseBool(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, errors.New("not a boolean")
	}
	return s == "true", nil
}

// text is the inverse of set; a list comes back with commas.
func (f field) text() string {
	switch v := f.value.(type) {
	case *string:
		return *v
	case *int:
		return strconv.Itoa(*v)
	case *bool:
		return strconv.FormatBool(*v)
	case *time.Duration:
		return duration(*v)
	case *Clock:
		return v.String()
	case *civil.Date:
		return v.String()
	case *[]string:
		return strings.Join(*v, ",")
	}
	return ""
}

// yaml is text as a YAML value, quoted where YAML would read something else.
func (f field) yaml() string {
	switch v := f.value.(type) {
	case *int, *bool, *time.Duration:
		return f.text()
	case *[]string:
		quoted := make([]string, len(*v))
		for i, s := range *v {
			quoted[i] = quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return quote(f.text())
}

// quote writes a YAML double-quoted scalar. Values hold no control characters, so only \ and " need care.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// duration prints 5m rather than 5m0s.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
