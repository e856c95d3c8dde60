package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"duban/jobs/civil"
)

// day stores a civil date as YYYY-MM-DD, and "no date" as NULL. It never passes through a time zone.
type day civil.Date

// Value implements driver.Valuer.
func (d day) Value() (driver.Value, error) {
	if d == 0 {
		return nil, nil
	}
	if y := civil.Date(d).Year(); y < 1000 || y > 9999 {
		return nil, fmt.Errorf("store date of year %d: want 1000 to 9999", y)
	}
	return civil.Date(d).String(), nil
}

// Scan implements sql.Scanner.
func (d *day) Scan(v any) error {
	var s string
	switch v := v.(type) {
	case nil:
		*d = 0
		return nil
	case string:
		s = v
	case []byte:
		s = string(v)
	case time.Time:
		*d = day(civil.Of(v.Date()))
		return nil
	default:
		return fmt.Errorf("read date: a %T is none", v)
	}
	c, err := civil.Parse(s)
	*d = day(c)
	return err
}

// stampLayout is how an instant is stored, UTC. As text it sorts as the instants do.
const stampLayout = "2006-01-02 15:04:05.000"

// stamp stores an instant in UTC, cut to milliseconds, and the zero time as NULL.
type stamp struct{ time.Time }

// at cuts an instant to what the database keeps of it.
func at(t time.Time) stamp {
	if t.IsZero() {
		return stamp{}
	}
	return stamp{t.UTC().Truncate(time.Millisecond)}
}

// Value implements driver.Valuer.
func (s stamp) Value() (driver.Value, error) {
	if s.IsZero() {
		return nil, nil
	}
	return at(s.Time).Format(stampLayout), nil
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(v any) error {
	var text string
	switch v := v.(type) {
	case nil:
		*s = stamp{}
		return nil
	case string:
		text = v
	case []byte:
		text = string(v)
	case time.Time:
		*s = stamp{v.UTC()}
		return nil
	default:
		return fmt.Errorf("read instant: a %T is none", v)
	}
	t, err := time.Parse(stampLayout, text)
	if err != nil {
		return fmt.Errorf("read instant %q: want UTC as YYYY-MM-DD HH:MM:SS.mmm", text)
	}
	*s = stamp{t}
	return nil
}

// doc stores a value as the JSON of its Go type, whose fields come in the order of their declaration.
type doc[T any] struct{ V T }

// Value implements driver.Valuer.
func (d doc[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(d.V)
	return string(b), err
}

// maybe is doc for a value that as a rule is missing: nothing is stored as the empty text.
type maybe[T any] struct{ V T }

// Value implements driver.Valuer.
func (m maybe[T]) Value() (driver.Value, error) {
	if reflect.ValueOf(m.V).IsZero() {
		return "", nil
	}
	return doc[T](m).Value()
}

// Scan implements sql.Scanner.
func (m *maybe[T]) Scan(v any) error {
	m.V = *new(T)
	if b, ok := v.([]byte); ok && len(b) == 0 || v == "" {
		return nil
	}
	return (*doc[T])(m).Scan(v)
}

// Scan implements sql.Scanner.
func (d *doc[T]) Scan(v any) error {
	var b []byte
	switch v := v.(type) {
	case string:
		b = []byte(v)
	case []byte:
		b = v
	default:
		return fmt.Errorf("read JSON: a %T is none", v)
	}
	d.V = *new(T)
	return json.Unmarshal(b, &d.V)
}
