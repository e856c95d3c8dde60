package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
	"duban/store"
)

// lens is the moment a reading command looks at: the day that things count by, and what was recorded by when.
type lens struct {
	asOf, knownAt string
	// folds says that the command works a day out by itself: what counts from later days need not be taken away for it.
	folds bool
	// own says that the command decides by the files of this machine, and tells by itself what of them is not in force.
	own bool
	// of finds the jurisdiction that a seq is of, where no flag names one; nil: the only one there is.
	of func(context.Context, *store.Store) (string, error)
}

// flags adds --as-of and --known-at to a command.
func (l *lens) flags(c *cobra.Command) {
	c.Flags().StringVar(&l.asOf, "as-of", "", "the day to look at, YYYY-MM-DD (default today)")
	c.Flags().StringVar(&l.knownAt, "known-at", "", "what was recorded by then: a seq, a time as 2024-06-25 14:30, or the end of a day (default: everything)")
}

// vantage is a lens that was read.
type vantage struct {
	day  civil.Date // 0: today
	code string     // of the jurisdiction the seq is of, or that is looked at; "" all
	seq  int64      // -1: none was given
	at   time.Time  // the instant of known-at; zero: none was given, or that of the seq is not known
}

// known adds to an error of what is not there that it may have been recorded since.
func (l lens) known(err error) error {
	if l.knownAt == "" || !errors.Is(err, task.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w; this is what was known at %s, and it may have been recorded since: leave --known-at out", err, l.knownAt)
}

// look opens the database as the lens shows it. A moment that is past is shown by a copy that is cut back to it and removed at
// the end of the call; from then on the clock of the call stands at that moment, and its policies are those of then. What
// is printed says which moment that is and what was in force. The present is decided by what is loaded too, and where the files of
// this machine are others, a line says so.
func (a *app) look(ctx context.Context, l lens, code string) (*store.Store, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	if !l.own {
		if err := a.goByLoaded(ctx, s, code); err != nil {
			return nil, err
		}
	}
	if l.asOf == "" && l.knownAt == "" {
		return s, nil
	}
	v, err := a.vantage(ctx, s, l, code)
	if err != nil {
		return nil, err
	}
	all, err := jurisdictions(ctx, s, v.code)
	if err != nil {
		return nil, err
	}
	plain := l.folds && l.knownAt == ""
	if plain {
		changed, err := changedSince(ctx, s, all, v.day)
		if err != nil {
			return nil, err
		}
		plain = !changed
	}
	if !plain {
		if s, err = a.view(ctx, s, v, all); err != nil {
			return nil, err
		}
	}
	return s, a.sayVantage(ctx, s, v, all)
}

// goByLoaded makes the policies those that are loaded, and says on standard error which jurisdictions' files are others.
func (a *app) goByLoaded(ctx context.Context, s *store.Store, code string) error {
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return err
	}
	loaded, err := a.policiesOf(ctx, s)
	if err != nil {
		return err
	}
	var others, bad []string
	for _, j := range all {
		hashes := loaded.loaded[j.Code].hashes
		here, err := a.policies.settings(j.Code)
		switch {
		case hashes == (notice.Versions{}):
		case err != nil:
			bad = append(bad, fmt.Sprintf("%s (%v)", j.Code, err))
		case hashes.Policy != "" && hashes.Policy != here.Versions.Policy, hashes.Calendar != "" && hashes.Calendar != here.Versions.Calendar:
			others = append(others, j.Code)
		}
	}
	a.policies = loaded
	if bad = append(others, bad...); len(bad) > 0 {
		fmt.Fprintf(a.err, "duban: this machine's policy or calendar is not the one in force for %s; this goes by the one that was loaded: %s\n",
			strings.Join(bad, ", "), a.hints("`duban config versions`"))
	}
	return nil
}

// vantage reads a lens.
func (a *app) vantage(ctx context.Context, s *store.Store, l lens, code string) (v vantage, err error) {
	v = vantage{code: code, seq: -1}
	if v.code == "" && l.of != nil {
		if v.code, err = l.of(ctx, s); err != nil {
			return v, err
		}
	}
	if v.day, err = a.date("as-of", l.asOf, 0); err != nil || l.knownAt == "" {
		return v, err
	}
	if v.at, err = a.instant(l.knownAt, a.policies.zone(v.code)); err == nil {
		return v, nil
	}
	if !bareNumber.MatchString(l.knownAt) {
		return v, err
	}
	if v.seq, err = strconv.ParseInt(l.knownAt, 10, 64); err != nil {
		return v, usagef("--known-at %s is larger than any seq", l.knownAt)
	}
	if v.code, err = theJurisdiction(ctx, s, v.code); err != nil {
		return v, err
	}
	j, err := s.Jurisdiction(ctx, v.code)
	if err != nil {
		return v, err
	}
	if v.seq > j.Seq {
		return v, usagef("--known-at %d: %s has come to seq %d only; leave the flag out to see the present", v.seq, v.code, j.Seq)
	}
	v.at, err = s.Recorded(ctx, v.code, v.seq)
	return v, err
}

// bareNumber is a seq as people type it.
var bareNumber = regexp.MustCompile(`^[0-9]+$`)

// instant reads a moment as people type it: with its zone, without, or a day, which means its end.
func (a *app) instant(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	d, err := a.parseDate(text)
	if err != nil || text == "" {
		return time.Time{}, usagef("--known-at %q: want a seq, a time as 2024-06-25 14:30 or 2024-06-25T14:30:00+08:00, or a day", text)
	}
	return evening(d, zone), nil
}

// evening is the last instant of a day.
func evening(d civil.Date, zone *time.Location) time.Time {
	return time.Date(d.Year(), d.Month(), d.Day()+1, 0, 0, 0, 0, zone).Add(-time.Millisecond)
}

// view makes the copy that shows the moment, and sets clock and policies to it.
func (a *app) view(ctx context.Context, s *store.Store, v vantage, all []task.Jurisdiction) (*store.Store, error) {
	cut := store.Cut{On: v.day, At: v.at, Zone: a.policies.zone}
	if v.seq >= 0 {
		cut.Seq, cut.At = map[string]int64{v.code: v.seq}, time.Time{}
	}
	copied, err := a.scratch(ctx, s, cut)
	if err != nil {
		return nil, err
	}
	now := v.at
	if v.day != 0 {
		now = evening(v.day, a.policies.zone(v.code))
		for _, j := range all { // wherever it is, it is that day
			if t := evening(v.day, a.policies.zone(j.Code)); t.Before(now) {
				now = t
			}
		}
		if !v.at.IsZero() && civil.In(v.at, a.policies.zone(v.code)) == v.day { // the day had come so far
			now = v.at
		}
	}
	if !now.IsZero() {
		a.clock = func() time.Time { return now }
		a.machine = a.clock
		if err := (confirmation{Day: a.today("")}).save(ctx, copied); err != nil { // the day was asked for: nobody doubts it
			return nil, err
		}
	}
	if a.policies, err = a.policiesOf(ctx, copied); err != nil {
		return nil, err
	}
	for _, j := range all {
		hash, err := a.policies.hash(j.Code)
		if err != nil {
			return nil, err
		}
		if _, err := a.register(copied).Rebuild(ctx, j.Code, hash); err != nil {
			return nil, err
		}
	}
	return copied, nil
}

// inForce returns of each kind the version that was in force on the day, by what was loaded by then; day 0 is today.
func inForce(versions []run.Version, day civil.Date) map[string]run.Version {
	out := map[string]run.Version{}
	for _, v := range versions {
		if day == 0 || v.On <= day {
			out[v.Kind] = v
		}
	}
	return out
}

// changedSince reports whether a jurisdiction was planned by another policy or calendar on the day than it is now: then a
// command cannot go by its files.
func changedSince(ctx context.Context, s *store.Store, all []task.Jurisdiction, day civil.Date) (bool, error) {
	for _, j := range all {
		versions, err := s.Versions(ctx, j.Code, "")
		if err != nil {
			return false, err
		}
		then, now := inForce(versions, day), inForce(versions, 0)
		for _, kind := range []string{run.PolicyVersion, run.CalendarVersion} {
			if v, ok := then[kind]; ok && v.Hash != now[kind].Hash {
				return true, nil
			}
		}
	}
	return false, nil
}

// viewLine is what an earlier moment adds to every object under --output json, as "view".
type viewLine struct {
	AsOf    civil.Date    `json:"as_of,omitzero"`
	KnownAt time.Time     `json:"known_at,omitzero"`
	Seq     int64         `json:"seq,omitempty"` // where one was asked for
	InForce []versionLine `json:"in_force"`      // by jurisdiction; empty: nothing was loaded by then, and what holds today is used
}

// versionLine is a policy, a calendar or a set of templates that was in force.
type versionLine struct {
	Jurisdiction string     `json:"jurisdiction"`
	Kind         string     `json:"kind"`
	Hash         string     `json:"hash"`
	On           civil.Date `json:"on"` // the day it was loaded
}

// sayVantage heads what is printed with the moment it is of, and with what was in force then; for machines each object says so.
func (a *app) sayVantage(ctx context.Context, s *store.Store, v vantage, all []task.Jurisdiction) error {
	line := viewLine{AsOf: v.day, KnownAt: v.at, Seq: max(v.seq, 0), InForce: []versionLine{}}
	heads := []string{v.words(a.policies.zone(v.code))}
	for _, j := range all {
		versions, err := s.Versions(ctx, j.Code, "")
		if err != nil {
			return err
		}
		then := inForce(versions, v.day)
		var words []string
		for _, kind := range []string{run.PolicyVersion, run.CalendarVersion, run.TemplateVersion} {
			if v, ok := then[kind]; ok {
				line.InForce = append(line.InForce, versionLine{j.Code, kind, v.Hash, v.On})
				words = append(words, fmt.Sprintf("%s %s of %s", kind, v.Hash[:min(len(v.Hash), 8)], v.On))
			}
		}
		if len(words) == 0 {
			words = []string{"no policy, calendar or template was loaded by then; those of today are used"}
		}
		heads = append(heads, j.Code+": "+strings.Join(words, ", "))
	}
	switch {
	case a.asJSON():
		b, err := json.Marshal(line)
		if err != nil {
			return fmt.Errorf("write the moment looked at: %w", err)
		}
		a.out = stamped{w: a.out, field: append([]byte(`"view":`), b...)}
	case !a.flags.quiet:
		a.out = &headed{w: a.out, head: strings.Join(heads, "\n") + "\n\n"}
	}
	return nil
}

// words say which moment it is.
func (v vantage) words(zone *time.Location) string {
	var words []string
	if v.day != 0 {
		words = append(words, "as of "+v.day.String())
	}
	switch {
	case v.seq >= 0 && v.at.IsZero():
		words = append(words, fmt.Sprintf("known at seq %d of %s, recorded at a time that is not known", v.seq, v.code))
	case v.seq >= 0:
		words = append(words, fmt.Sprintf("known at seq %d of %s, recorded %s", v.seq, v.code, moment(v.at, zone)))
	case !v.at.IsZero():
		words = append(words, "known at "+moment(v.at, zone))
	}
	return strings.Join(words, ", ")
}

// stamped adds a field to every object that is written, one to a call.
type stamped struct {
	w     io.Writer
	field []byte
}

// Write implements io.Writer.
func (s stamped) Write(b []byte) (int, error) {
	body, ok := bytes.CutSuffix(b, []byte("}\n"))
	if !ok || len(body) == 0 || body[0] != '{' {
		return s.w.Write(b)
	}
	var comma []byte
	if len(body) > 1 {
		comma = []byte(",")
	}
	_, err := s.w.Write(slices.Concat(body, comma, s.field, []byte("}\n")))
	return len(b), err
}

// headed writes a head before the first that is written, and none where nothing is.
type headed struct {
	w    io.Writer
	head string
}

// Write implements io.Writer.
func (h *headed) Write(b []byte) (int, error) {
	if h.head != "" {
		if _, err := io.WriteString(h.w, h.head); err != nil {
			return 0, err
		}
		h.head = ""
	}
	return h.w.Write(b)
}

// moment is an instant for people, to the second where it has one: two writes of a minute are told apart. The end of a day is
// its last minute.
func moment(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if t.Second() == 0 || t.Equal(evening(dateIn(t), zone)) {
		return minute(t, zone)
	}
	return t.Format(time.DateTime)
}

// minute is an instant for people.
func minute(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04") }
