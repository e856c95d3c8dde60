package workday

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"duban/jobs/civil"
)

// What an override may be refused for. The message around it names the year, the place in the list and the value.
var (
	ErrSyntax        = errors.New(`not the JSON of a calendar, {"years":[{"year":2027,"days":[{"date":"2027-01-01","off":true}]}]}`)
	ErrYear          = errors.New("a year must lie between 2000 and 2100")
	ErrDuplicateYear = errors.New("the year is given twice")
	ErrDate          = errors.New("not a date that exists, written YYYY-MM-DD")
	ErrSpan          = errors.New("the span ends before it begins")
	ErrOutsideYear   = errors.New("the day is not in the year it is listed under")
	ErrDuplicateDay  = errors.New("the day is given twice")
	ErrNoState       = errors.New(`"off" is missing: write true (a day off) or false (a workday)`)
)

const (
	minOverrideYear = 2000
	maxOverrideYear = 2100
)

// Override is a set of days that replace or extend those of a calendar: next year's arrangement once it is published,
// a correction, or the holidays of one region. Its JSON form is
//
//	{"region": "…", "years": [
//	  {"year": 2027, "published": true, "notice": "国办发明电〔2026〕1号", "source": "https://…", "note": "…", "days": [
//	    {"date": "2027-01-01", "to": "2027-01-03", "name": "元旦", "off": true},
//	    {"date": "2027-01-04", "name": "元旦", "off": false},
//	    {"date": "2027-03-10", "name": "肉孜节", "off": true, "local": true}]}]}
//
// where only "years", "year", "date" and "off" are required. Days not listed stay as they were.
type Override struct {
	// Region is for the reader of the file; it changes nothing.
	Region string `json:"region,omitempty"`
	Years  []Year `json:"years"`
}

// Year is one year of an override.
type Year struct {
	Year int `json:"year"`
	// Published says that the State Council's arrangement of the year is known and that the days below, with those
	// known before, are all of it. False leaves the year as it was.
	Published bool `json:"published,omitempty"`
	// Notice is the document number and Source the address of the arrangement; they are kept where Published is set.
	Notice string `json:"notice,omitempty"`
	Source string `json:"source,omitempty"`
	// Note is for the reader of the file; it changes nothing.
	Note string `json:"note,omitempty"`
	Days []Span `json:"days"`
}

// Span is one day, or the days from Date to To, both included.
type Span struct {
	Date string `json:"date"`
	To   string `json:"to,omitempty"`
	// Name is the festival that sets the day, in Chinese.
	Name string `json:"name,omitempty"`
	// Off is true for a day off and false for a day worked; it is required.
	Off *bool `json:"off"`
	// Local marks a holiday of the region only.
	Local bool `json:"local,omitempty"`
}

// ParseOverride reads the JSON form of an Override. It refuses unknown keys, text after the value, and everything the
// errors of this package name.
func ParseOverride(b []byte) (Override, error) {
	var o Override
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return Override{}, fmt.Errorf("parse calendar override: %w: %w", ErrSyntax, placed(b, err, dec.InputOffset()))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Override{}, fmt.Errorf("parse calendar override: %w: text after the closing brace", ErrSyntax)
	}
	if o.Years == nil {
		return Override{}, fmt.Errorf(`parse calendar override: %w: no "years"`, ErrSyntax)
	}
	if err := o.check(); err != nil {
		return Override{}, fmt.Errorf("parse calendar override: %w", err)
	}
	return o, nil
}

// placed is what the decoder found wrong, with the line. It shows a stray character as it is written, and not its first byte.
// at is how far the decoder came.
func placed(b []byte, err error, at int64) error {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	what := strings.TrimPrefix(err.Error(), "json: ")
	switch {
	case errors.Is(err, io.EOF):
		at, what = 0, "the file is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		at, what = int64(len(b)), "it ends before its closing brace"
	case errors.As(err, &syntax) && syntax.Offset > 0:
		at = syntax.Offset - 1
		if rest, is := strings.CutPrefix(what, "invalid character "); is {
			what = stray(b[min(at, int64(len(b))):], rest)
		}
	case errors.As(err, &kind):
		at, what = kind.Offset, strings.TrimPrefix(fmt.Sprintf("%s: no place for a JSON %s", kind.Field, kind.Value), ": ")
	}
	line := 1 + bytes.Count(b[:min(max(at, 0), int64(len(b)))], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, what)
}

// stray names the character a text begins with; said is a quoted byte, and where it was met.
func stray(text []byte, said string) string {
	r, size := utf8.DecodeRune(text)
	if r == utf8.RuneError && size <= 1 {
		return "a byte that is no UTF-8: save the file as UTF-8"
	}
	return fmt.Sprintf("unexpected %q %s", r, said[strings.LastIndex(said, "' ")+len("' "):])
}

// check finds the first thing that is wrong with o.
func (o Override) check() error {
	seen := map[int]bool{}
	for _, y := range o.Years {
		if y.Year < minOverrideYear || y.Year > maxOverrideYear {
			return fmt.Errorf("year %d: %w", y.Year, ErrYear)
		}
		if seen[y.Year] {
			return fmt.Errorf("year %d: %w", y.Year, ErrDuplicateYear)
		}
		seen[y.Year] = true
		if err := y.check(); err != nil {
			return fmt.Errorf("year %d: %w", y.Year, err)
		}
	}
	return nil
}

func (y Year) check() error {
	seen := map[civil.Date]bool{}
	for i, s := range y.Days {
		first, last, err := s.span()
		if err != nil {
			return fmt.Errorf("day %d: %w", i+1, err)
		}
		if first.Year() != y.Year || last.Year() != y.Year {
			return fmt.Errorf("day %d: %s: %w", i+1, s, ErrOutsideYear)
		}
		for d := first; d <= last; d++ {
			if seen[d] {
				return fmt.Errorf("day %d: %s: %w", i+1, d, ErrDuplicateDay)
			}
			seen[d] = true
		}
	}
	return nil
}

// span returns the first and the last day of s.
func (s Span) span() (first, last civil.Date, err error) {
	if first, err = civil.Parse(s.Date); err != nil || first.IsZero() {
		return 0, 0, fmt.Errorf("date %q: %w", s.Date, ErrDate)
	}
	if last, err = civil.Parse(s.To); err != nil {
		return 0, 0, fmt.Errorf("to %q: %w", s.To, ErrDate)
	}
	if last.IsZero() {
		last = first
	}
	if last < first {
		return 0, 0, fmt.Errorf("%s: %w", s, ErrSpan)
	}
	if s.Off == nil {
		return 0, 0, fmt.Errorf("%s: %w", s, ErrNoState)
	}
	return first, last, nil
}

// String returns the day, or "first to last".
func (s Span) String() string {
	if s.To == "" {
		return s.Date
	}
	return s.Date + " to " + s.To
}
