package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/run"
)

type versionRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Kind         string `db:"kind"`
	Seq          int64  `db:"seq"`
	On           day    `db:"on_date"`
	At           stamp  `db:"at"`
	Hash         string `db:"hash"`
	By           string `db:"loaded_by"`
	Why          string `db:"why"`
	Body         string `db:"body"`
}

func (versionRow) table() string { return "versions" }

func (r versionRow) noun() run.Version {
	v := run.Version{
		Jurisdiction: r.Jurisdiction, Kind: r.Kind, Seq: r.Seq, On: civil.Date(r.On), At: r.At.Time, Hash: r.Hash, By: r.By, Why: r.Why,
	}
	if r.Body != "" {
		v.Body = []byte(r.Body)
	}
	return v
}

// The longest kind of a version, in characters.
const maxKind = 32

// versionOf checks a version and gives it its seq.
func versionOf(j string, seq int64, v run.Version) (versionRow, error) {
	err := errors.Join(checkPart("jurisdiction code", j, maxJurisdiction), sameJurisdiction(j, v.Jurisdiction),
		checkKey("kind", v.Kind, maxKind), checkKey("hash", v.Hash, maxHash))
	if err == nil && v.On.IsZero() {
		err = errors.New("it counts from no day: its On is empty")
	}
	return versionRow{
		Jurisdiction: j, Kind: v.Kind, Seq: seq, On: day(v.On), At: at(v.At), Hash: v.Hash, By: clean(v.By), Why: clean(v.Why), Body: string(v.Body),
	}, err
}

// LoadVersions puts a policy, a calendar, a set of templates in force, all that are given or none of them, and returns the
// jurisdiction's new seq, which they keep; given none it does nothing. An empty At is now, by the database's clock. It returns
// ErrMoved where the jurisdiction's seq is not the one given. What was in force before stays, to be looked back at.
func (s *Store) LoadVersions(ctx context.Context, jurisdiction string, seq int64, versions ...run.Version) (int64, error) {
	if len(versions) == 0 {
		return seq, nil
	}
	op := "load versions of " + jurisdiction
	rows := make([]versionRow, len(versions))
	kinds := map[string]bool{}
	for i, v := range versions {
		var err error
		if rows[i], err = versionOf(jurisdiction, seq+1, v); err == nil && kinds[v.Kind] {
			err = errors.New("it is given twice")
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %s: %w", op, v.Kind, err)
		}
		kinds[v.Kind] = true
	}
	err := s.write(ctx, op, func(t *tx) error {
		if err := t.step(ctx, jurisdiction, seq); err != nil {
			return err
		}
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		dated := slices.Clone(rows)
		for i, r := range dated {
			if r.At.IsZero() {
				dated[i].At = at(now)
			}
		}
		return insert(ctx, t, dated)
	})
	if err != nil {
		return 0, err
	}
	return seq + 1, nil
}

// Versions returns what was loaded for the jurisdiction, the oldest first: of one kind, or of all where it is empty. The
// last of each kind is in force.
func (s *Store) Versions(ctx context.Context, jurisdiction, kind string) (out []run.Version, err error) {
	var w where
	w.and("jurisdiction = ?", jurisdiction)
	w.equal("kind", kind)
	err = s.read(ctx, "read what was loaded for "+jurisdiction, func(t *tx) error {
		rows, err := query[versionRow](ctx, t, w.String()+" ORDER BY seq, kind", w.args...)
		out = nouns(rows)
		return err
	})
	return out, err
}
