package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/jobs/moved"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/compose"
	"duban/store"
)

// Policies, calendars and templates count as they were loaded into the database. Several workers may share it, and one with
// older files would urge units that the newer ones let alone.

// Who loads what nobody loaded by hand.
const (
	firstUse     = "first use"     // the first planning of a jurisdiction
	newerProgram = "newer program" // one whose letters are of a later layout
)

// inStep are the store's methods by which a worker is kept in step with the others.
type inStep interface {
	NewestVersions(ctx context.Context, jurisdiction string) ([]run.Version, error)
	Versions(ctx context.Context, jurisdiction, kind string) ([]run.Version, error)
}

// versionsHere are the policy, the calendar and the templates that this program and its files would plan the jurisdiction
// by, without their bodies.
func (a *app) versionsHere(code string) ([]run.Version, error) {
	set, err := a.policies.settings(code)
	if err != nil {
		return nil, err
	}
	return []run.Version{
		{Jurisdiction: code, Kind: run.PolicyVersion, Hash: set.Versions.Policy},
		{Jurisdiction: code, Kind: run.CalendarVersion, Hash: set.Versions.Calendar},
		{Jurisdiction: code, Kind: run.TemplateVersion, Hash: compose.Version()},
	}, nil
}

// versionBody is what the version is made of again; it holds no secret.
func (a *app) versionBody(code, kind string) ([]byte, error) {
	switch kind {
	case run.CalendarVersion:
		cal, err := a.policies.calendar(code)
		if err != nil {
			return nil, err
		}
		return cal.JSON()
	case run.TemplateVersion:
		return []byte(compose.Layout()), nil
	}
	r, err := a.policies.rules(code)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write policy of %s: %w", code, err)
	}
	return b, nil
}

// staleVersion is something of this worker that is not what was loaded last.
type staleVersion struct{ here, loaded run.Version }

// staleError refuses to plan a jurisdiction by anything but what was loaded last.
type staleError struct {
	code  string
	zone  *time.Location
	stale []staleVersion
}

// Error names each kind with both hashes and when the newest was loaded, and says what to do. Who loaded it and why is not for
// the log and for monitoring.
func (e staleError) Error() string {
	return fmt.Sprintf("nothing of %s is planned: %s; %s", e.code, e.found(), e.do())
}

// Refused implements jobs.Refusal: nothing is planned until a person has loaded these files, or given newer ones.
func (e staleError) Refused() string { return e.Error() }

// As makes it a mistake in the configuration.
func (e staleError) As(target any) bool {
	usage, ok := target.(*usageError)
	if ok {
		*usage = usageError{e}
	}
	return ok
}

func (e staleError) found() string {
	parts := make([]string, 0, len(e.stale))
	for _, v := range e.stale {
		parts = append(parts, fmt.Sprintf("this worker's %s is %s, and %s was loaded on %s",
			v.here.Kind, v.here.Hash, v.loaded.Hash, v.loaded.At.In(e.zone).Format("2006-01-02 15:04")))
	}
	return strings.Join(parts, ", ")
}

func (e staleError) do() string {
	var do []string
	if e.outdated() {
		do = append(do, "this program is older than the one that wrote the last letters: update it")
	}
	if slices.ContainsFunc(e.stale, func(v staleVersion) bool { return v.here.Kind != run.TemplateVersion }) {
		do = append(do, fmt.Sprintf("if this worker's files are the new ones, `duban config load --jurisdiction %s --by NAME`; if not, give it the newest files", e.code))
	}
	return strings.Join(append(do, fmt.Sprintf("`duban config versions --jurisdiction %s` says who loaded what, and why", e.code)), "; ")
}

// outdated says that it is the program that is behind, which no loading mends.
func (e staleError) outdated() bool {
	return slices.ContainsFunc(e.stale, func(v staleVersion) bool { return v.here.Kind == run.TemplateVersion })
}

// compareVersions returns what of this worker is to be loaded before the jurisdiction is planned, because nothing was yet or
// the templates are newer. It returns a staleError where something differs from what was loaded last.
func (a *app) compareVersions(ctx context.Context, s inStep, code string) (missing []run.Version, err error) {
	here, err := a.versionsHere(code)
	if err != nil {
		return nil, err
	}
	heads, err := s.NewestVersions(ctx, code)
	if err != nil {
		return nil, err
	}
	stale := staleError{code: code, zone: a.policies.zone(code)}
	for _, v := range here {
		last, ok := newest(heads, v.Kind)
		newer := false
		if ok && last.Hash != v.Hash && v.Kind == run.TemplateVersion {
			if newer, err = newerLayout(ctx, s, code); err != nil {
				return nil, err
			}
		}
		switch {
		case !ok || newer:
			missing = append(missing, v)
		case last.Hash != v.Hash:
			stale.stale = append(stale.stale, staleVersion{v, last})
		}
	}
	if len(stale.stale) > 0 {
		return nil, stale
	}
	return missing, nil
}

// newerLayout reports whether this program's letters are of a later layout than those of the newest templates loaded.
func newerLayout(ctx context.Context, s inStep, code string) (bool, error) {
	all, err := s.Versions(ctx, code, run.TemplateVersion)
	if err != nil {
		return false, err
	}
	last, _ := newest(all, run.TemplateVersion)
	loaded, err := strconv.Atoi(string(last.Body))
	if err != nil {
		return false, fmt.Errorf("read templates %s of %s: its layout %q is no number", last.Hash, code, last.Body)
	}
	here, err := strconv.Atoi(compose.Layout())
	return here > loaded, err
}

// versionsDiffer says what of this worker differs from what was loaded last for the jurisdiction; empty: nothing does, or its
// files cannot be read, which is for others to say.
func (a *app) versionsDiffer(ctx context.Context, s *store.Store, code string) (string, error) {
	_, err := a.compareVersions(ctx, s, code)
	var stale staleError
	var unreadable usageError
	switch {
	case errors.As(err, &stale):
		return stale.found(), nil
	case errors.As(err, &unreadable):
		return "", nil
	}
	return "", err
}

// checkVersions refuses to plan the jurisdiction where the policy, the calendar or the templates of this worker are not
// those loaded last. What was never loaded is loaded, and so are templates that are newer. Policies that are only supposed
// are compared with nothing.
func (a *app) checkVersions(ctx context.Context, s *store.Store, code string) error {
	if a.policies.supposed != nil {
		return nil
	}
	missing, err := a.compareVersions(ctx, s, code)
	if err != nil || len(missing) == 0 {
		return err
	}
	return fenced(ctx, s, code, func(seq int64) error {
		missing, err := a.compareVersions(ctx, s, code)
		if err != nil {
			return err
		}
		heads, err := s.NewestVersions(ctx, code)
		if err != nil {
			return err
		}
		first, err := a.beginning(ctx, s, code)
		if err != nil {
			return err
		}
		for i, v := range missing {
			missing[i].By, missing[i].On = firstUse, first
			if _, before := newest(heads, v.Kind); before {
				missing[i].By, missing[i].On = newerProgram, 0
			}
		}
		if err := a.loadVersions(ctx, s, code, seq, missing); err != nil {
			return err
		}
		for _, v := range missing {
			a.log.Debug().Str("jurisdiction", code).Str("kind", v.Kind).Str("hash", v.Hash).Str("by", v.By).Msg("loaded; from now on it counts")
		}
		return nil
	})
}

// beginning is the day from which on a jurisdiction is spoken of: what is loaded first was never preceded by anything else, and
// counts for its earlier days too when they are gone through afterwards.
func (a *app) beginning(ctx context.Context, s *store.Store, code string) (civil.Date, error) {
	first := a.today(code)
	j, err := s.Jurisdiction(ctx, code)
	if err != nil {
		return 0, err
	}
	if j.LiveFrom != 0 {
		first = min(first, j.LiveFrom)
	}
	plans, err := s.Plans(ctx, code)
	for _, p := range plans {
		first = min(first, p.On)
	}
	return first, err
}

// fenced calls f with the jurisdiction's seq, again while the seq moves under it.
func fenced(ctx context.Context, s *store.Store, code string, f func(seq int64) error) error {
	return moved.Retry(ctx, func() error {
		j, err := s.Jurisdiction(ctx, code)
		if err != nil {
			return err
		}
		return f(j.Seq)
	})
}

// loadVersions writes versions with their bodies: all of them at once, since a worker plans nothing by half of them.
func (a *app) loadVersions(ctx context.Context, s *store.Store, code string, seq int64, versions []run.Version) error {
	load := slices.Clone(versions)
	for i, v := range load {
		body, err := a.versionBody(code, v.Kind)
		if err != nil {
			return err
		}
		load[i].Body, load[i].On, load[i].At = body, cmp.Or(v.On, a.today(code)), a.clock().UTC()
	}
	_, err := s.LoadVersions(ctx, code, seq, load...)
	return err
}

// inStepStore is the store of the jobs. It saves no plan that was made by anything but what was loaded last: the seq
// refuses a plan that loading has overtaken, and this refuses to make it again by the same old files.
type inStepStore struct {
	jobStore
	check func(ctx context.Context, jurisdiction string) error
}

func (a *app) inStep(s inStep, work jobStore) jobStore {
	return inStepStore{jobStore: work, check: func(ctx context.Context, code string) error {
		if a.policies.supposed != nil {
			return nil
		}
		_, err := a.compareVersions(ctx, s, code)
		return err
	}}
}

// SavePlan saves a plan that was made by what was loaded last.
func (s inStepStore) SavePlan(ctx context.Context, jurisdiction string, seq int64, p run.DayPlan) error {
	if err := s.check(ctx, jurisdiction); err != nil {
		return err
	}
	return s.jobStore.SavePlan(ctx, jurisdiction, seq, p)
}

// Write writes what a day opens by what was loaded last.
func (s inStepStore) Write(ctx context.Context, jurisdiction string, seq int64, b task.Batch) (int64, error) {
	if err := s.check(ctx, jurisdiction); err != nil {
		return 0, err
	}
	return s.jobStore.Write(ctx, jurisdiction, seq, b)
}
